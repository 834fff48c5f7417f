"""Laws of the learners that ship with the project."""

from __future__ import annotations

import numpy as np
import pytest

from wholeroad.adapters.learners import NAMES, Constant, LightgbmTrees, Logistic, identities, make_learners
from wholeroad.core.ports import Learner, Matrix
from wholeroad.testing.learner_suite import LearnerSuite, rows_of, sample


class TestConstant(LearnerSuite):
    repeated_within = 0.0

    def learner(self, *, threads: int) -> Learner:
        del threads
        return Constant()


class TestLogistic(LearnerSuite):
    repeated_within = 1e-6

    def learner(self, *, threads: int) -> Learner:
        del threads
        return Logistic()


class TestLightgbm(LearnerSuite):
    repeated_within = 0.1

    def learner(self, *, threads: int) -> Learner:
        return LightgbmTrees(threads=threads)


def plain(values: np.ndarray) -> Matrix:
    width = values.shape[1]
    return Matrix(np.asfortranarray(values), tuple(f"x{i}" for i in range(width)), (0,) * width)


def test_learners_are_made_simplest_first_and_what_ships_needs_no_other_name():
    assert list(make_learners(("lightgbm", "constant"), threads=1)) == ["constant", "lightgbm"]
    ranks = [learner.complexity for learner in make_learners(NAMES, threads=1).values()]
    assert ranks == sorted(set(ranks))
    assert min(ranks) > 0, "0 is the status quo"
    assert identities(make_learners(NAMES, threads=1)) == ""


def test_constant_is_the_rule_of_succession():
    scorer, rounds = Constant().fit(plain(np.zeros((3, 1))), np.array([0, 0, 1], dtype=np.int8), classes=3)
    assert rounds is None
    assert scorer.probabilities(plain(np.zeros((1, 1))))[0].tolist() == [3 / 6, 2 / 6, 1 / 6]


def test_logistic_recovers_the_odds_of_a_known_law():
    rng = np.random.default_rng(1)
    rows = 40_000
    x = rng.normal(size=(rows, 2)) * [1.0, 50.0] + [3.0, 0.0]
    odds = -4.0 + 1.2 * x[:, 0] - 0.02 * x[:, 1]
    truth = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    scorer, _ = Logistic().fit(plain(x), truth, classes=2)
    p = scorer.probabilities(plain(x))[:, 1]
    assert np.abs(np.log(p / (1 - p)) - odds).mean() < 0.05


def test_logistic_agrees_with_the_library_on_a_dense_design():
    from sklearn.linear_model import LogisticRegression

    matrix, truth = sample(500, 3)
    kept = Matrix(matrix.values[:, [0, 3]], ("number", "category"), (0, 7))
    scorer, _ = Logistic().fit(kept, truth, classes=3)
    number = kept.values[:, 0]
    codes = np.where(np.isnan(kept.values[:, 1]), 8, kept.values[:, 1])
    dense = np.column_stack([(number - number.mean()) / number.std(), *(codes == c for c in range(9))])
    model = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(dense, truth)
    np.testing.assert_allclose(scorer.probabilities(kept), model.predict_proba(dense), atol=1e-4)


def test_logistic_beyond_the_newton_budget_is_close_to_it(monkeypatch):
    from wholeroad.adapters.learners import logistic

    matrix, truth = sample(800, 3)
    newton, _ = Logistic().fit(matrix, truth, classes=3)
    monkeypatch.setattr(logistic, "MOST_NEWTON_WEIGHTS", 0)
    other, _ = Logistic().fit(matrix, truth, classes=3)
    np.testing.assert_allclose(other.probabilities(matrix), newton.probabilities(matrix), atol=1e-3)


def test_lightgbm_does_not_depend_on_its_seed_even_beyond_its_binning_sample():
    rng = np.random.default_rng(2)
    rows = 230_000  # LightGBM draws its bins from 200,000 rows by default
    x = np.asfortranarray(rng.normal(size=(rows, 2)))
    truth = (rng.random(rows) < 1 / (1 + np.exp(-x[:, 0]))).astype(np.int8)
    texts = {
        LightgbmTrees(threads=1, seed=seed).fit(plain(x), truth, classes=2, rounds=2)[0].to_bytes()
        for seed in (0, 1)
    }
    assert len(texts) == 1


def test_lightgbm_keeps_no_parameter_block():
    matrix, truth = sample(300, 2)
    data = LightgbmTrees(threads=1).fit(matrix, truth, classes=2, rounds=3)[0].to_bytes()
    assert b"parameters" not in data
    assert b"num_threads" not in data
    assert b"seed" not in data


def test_lightgbm_stops_when_the_later_slice_gains_nothing():
    rng = np.random.default_rng(3)
    x = plain(rng.normal(size=(1000, 3)))
    truth = rng.integers(0, 2, 1000).astype(np.int8)
    later = plain(rng.normal(size=(400, 3)))
    _, rounds = LightgbmTrees(threads=1).fit(
        x, truth, classes=2, stop=(later, rng.integers(0, 2, 400).astype(np.int8))
    )
    assert 1 <= rounds < 40


def test_lightgbm_says_nothing(capfd, recwarn):
    matrix, truth = sample(60, 2)
    learner = LightgbmTrees(threads=1)
    scorer, _ = learner.fit(matrix, truth, classes=2, stop=(matrix, truth))
    learner.from_bytes(scorer.to_bytes()).probabilities(rows_of(matrix, slice(1)))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


@pytest.mark.parametrize("name", ["logistic", "lightgbm"])
def test_models_see_what_a_constant_cannot(name):
    matrix, truth = sample(2000, 2)
    scorer, _ = make_learners((name,), threads=1)[name].fit(
        rows_of(matrix, slice(1500)), truth[:1500], classes=2, rounds=30
    )
    hit = scorer.probabilities(matrix)[1500:].argmax(axis=1) == truth[1500:]
    assert hit.mean() > max(truth.mean(), 1 - truth.mean()) + 0.1
