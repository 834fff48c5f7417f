"""Laws of weights before the fit: group and outcome come apart; learners take weights as repeated rows."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholeroad.adapters.learners import Constant, LightgbmTrees, Logistic, OneRule
from wholeroad.adapters.learners.foreign import ForeignLearner
from wholeroad.adapters.learners.one_rule import FEWEST
from wholeroad.adapters.learners.resampled_counts import poisson_tables
from wholeroad.adapters.learners.scikit import ScikitLearner
from wholeroad.adapters.learners.weighted_rows import systematic_rows, weight_argument, weighted
from wholeroad.adapters.settings import Settings
from wholeroad.core.errors import UserError
from wholeroad.core.ports import Matrix
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.data.bias.groups import OTHER
from wholeroad.road.model.fairness.reweighing import (
    LARGEST,
    REST,
    effective_share,
    group_weights,
    reweigh,
    reweighing,
    weigh_alike,
)
from wholeroad.testing.learner_suite import LearnerSuite, rows_of, sample, whole_weights

quick = settings(max_examples=80, deadline=None)

cases = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), min_size=1, max_size=120)


def columns(rows):
    return pl.Series("group", [group for group, _ in rows]), np.array([y for _, y in rows], dtype=np.int8)


def rates(texts, truth, weights):
    """Give the weighted share of each class by group."""
    found = {}
    for value in sorted(set(texts)):
        mine = (texts == value).to_numpy()
        masses = np.bincount(truth[mine], weights=weights[mine], minlength=3)
        found[value] = masses / masses.sum()
    return found


# --- weights --------------------------------------------------------------------------------------


def test_the_applicants_of_the_paper_have_its_weights():
    """Kamiran and Calders 2012: ten applicants; of five women two were hired, of five men four."""
    sex = pl.Series("sex", list("mmmmmfffff"))
    hired = np.array([1, 1, 1, 1, 0, 0, 0, 1, 0, 1], dtype=np.int8)
    found = reweighing(sex, hired, least_cases=2)
    by_cell = {
        (value, code): found.cells[place, code] for place, value in enumerate(found.values) for code in (0, 1)
    }
    assert by_cell == pytest.approx({("f", 1): 1.5, ("f", 0): 2 / 3, ("m", 1): 0.75, ("m", 0): 2.0})
    assert found.weights[9] == 1.5
    assert rates(sex, hired, found.weights)["f"][1] == pytest.approx(0.6, abs=1e-12)


@quick
@given(cases)
def test_law_outcomes_come_equally_often_in_every_group_that_has_them_all(rows):
    texts, truth = columns(rows)
    found = reweighing(texts, truth, least_cases=1, largest=None)
    shown = np.bincount(truth, minlength=3) > 0
    whole = [value for value in found.values if value not in {name for name, _ in found.without}]
    every = rates(texts, truth, found.weights)
    overall = np.bincount(truth, minlength=3) / truth.size
    for value in whole:
        assert np.abs(every[value] - overall).max() < 1e-12
    for value, row in every.items():
        assert (row[shown] > 0).all() == (value in whole)


@quick
@given(cases, st.sampled_from([None, 1.5, LARGEST]), st.integers(1, 12))
def test_law_weights_are_positive_of_mean_1_and_keep_the_size_of_groups(rows, largest, least):
    texts, truth = columns(rows)
    found = reweighing(texts, truth, least_cases=least, largest=largest)
    assert found.weights.min() > 0
    assert found.weights.mean() == pytest.approx(1, abs=1e-12)
    assert (found.cases * found.cells).sum(axis=1) == pytest.approx(found.cases.sum(axis=1))
    if largest is not None:
        assert found.weights.max() <= largest + 1e-12
    assert 0 < found.effective_share <= 1 + 1e-12
    assert all(0 < share <= 1 + 1e-12 for share in found.effective_shares.values())


@quick
@given(cases, st.permutations("abcd"))
def test_law_what_groups_are_called_changes_no_weight(rows, names):
    texts, truth = columns(rows)
    renamed = texts.replace_strict(dict(zip("abcd", names, strict=True)))
    for least in (1, 8):
        one, other = (group_weights(each, truth, least_cases=least) for each in (texts, renamed))
        assert np.array_equal(one, other)


@quick
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_law_one_group_weighs_ones(codes):
    texts, truth = pl.Series("group", ["a"] * len(codes)), np.array(codes, dtype=np.int8)
    found = reweighing(texts, truth, least_cases=1)
    assert (found.weights == 1).all()
    assert found.effective_share == 1
    assert "same" in found.says(list("wxyz"))


@quick
@given(cases)
def test_law_where_group_and_outcome_are_unrelated_weights_are_ones(rows):
    _, truth = columns(rows)
    copies = pl.Series("group", ["x"] * truth.size + ["y"] * truth.size)
    assert (group_weights(copies, np.tile(truth, 2), least_cases=1) == 1).all()


@quick
@given(cases)
def test_law_the_weights_equal_a_plain_reading_of_the_formula(rows):
    texts, truth = columns(rows)
    found = reweighing(texts, truth, least_cases=1, largest=None)
    assume(not found.without)
    n = len(rows)
    for (group, outcome), weight in zip(rows, found.weights, strict=True):
        of_group = sum(g == group for g, _ in rows) / n
        of_class = sum(y == outcome for _, y in rows) / n
        together = sum((g, y) == (group, outcome) for g, y in rows) / n
        assert weight == pytest.approx(of_group * of_class / together, rel=1e-12)


def test_small_values_are_put_together_and_said():
    texts = pl.Series("depot", ["a"] * 40 + ["b"] * 40 + ["c"] * 5 + ["d"] * 5)
    truth = np.array(([1] * 10 + [0] * 30) + ([1] * 30 + [0] * 10) + [1, 0, 0, 0, 0] * 2, dtype=np.int8)
    found = reweighing(texts, truth, least_cases=30)
    assert found.values == ("a", "b", OTHER)
    assert dict(found.pooled) == {"c": 5, "d": 5}
    assert "2 values with few cases were put together" in found.says(("no", "yes"))


def test_a_group_without_a_class_takes_the_frequencies_of_those_it_has_and_is_named():
    texts = pl.Series("group", ["a"] * 8 + ["b"] * 4)
    truth = np.array([0, 0, 1, 1, 1, 1, 2, 2, 0, 0, 0, 1], dtype=np.int8)
    found = reweighing(texts, truth, least_cases=1)
    assert found.without == (("b", 2),)
    shares = rates(texts, truth, found.weights)
    assert shares["b"] == pytest.approx([0.5, 0.5, 0.0])
    assert shares["a"] == pytest.approx(np.bincount(truth) / 12)
    assert "b has no case with lost, which no weight can bring." in found.says(("won", "drawn", "lost"))


def test_a_weight_beyond_the_largest_is_drawn_in_and_said():
    texts = pl.Series("group", ["a"] * 1000 + ["b"] * 1000)
    truth = np.array([1] * 2 + [0] * 998 + [1] * 500 + [0] * 500, dtype=np.int8)
    free, held = (reweighing(texts, truth, largest=largest) for largest in (None, LARGEST))
    assert free.weights.max() == pytest.approx(125.5)
    assert held.weights.max() == pytest.approx(LARGEST)
    assert held.drawn == {"a": pytest.approx(19 / 124.5), "b": 1.0}
    assert "The weights of a go 15% of the way" in held.says(("no", "yes"))
    before, after = 2 / 1000, 502 / 2000
    assert rates(texts, truth, held.weights)["a"][1] == pytest.approx(before + 19 / 124.5 * (after - before))
    assert held.effective_share > free.effective_share


def test_the_effective_share_is_that_of_kish():
    assert effective_share(np.ones(7)) == 1
    assert effective_share(np.array([1.5, 0.5])) == 0.8
    texts, truth = pl.Series("g", list("aabbbb")), np.array([1, 0, 1, 1, 1, 0], dtype=np.int8)
    found = reweighing(texts, truth, least_cases=1)
    mine = found.weights[:2]
    assert found.effective_shares["a"] == pytest.approx(mine.sum() ** 2 / (mine**2).sum() / 2)


# --- as the brief asks ----------------------------------------------------------------------------


def table(**remedy):
    groups = {"sex": {"column": "sex"}, "age": {"column": "age"}, "both": {"all_of": ["sex", "age"]}}
    remedies = [{"kind": "reweigh", "group": "sex"} | remedy] if remedy is not None else []
    return FairnessTable.model_validate({"groups": groups, "least_cases": 2, "remedies": remedies})


AGES = ["old"] * 12 + ["young"] * 12 + [None] * 12
FRAME = pl.DataFrame({"sex": ["f", "f", "m", "m", "x", "x"] * 6, "age": AGES})
TRUTH = (np.arange(36) * 7 % 5 < 2).astype(np.int8)


def test_a_brief_without_the_remedy_weighs_nothing():
    nothing = FairnessTable.model_validate({"groups": {"sex": {"column": "sex"}}})
    assert reweigh(nothing, FRAME, truth=TRUTH) is None


def test_intersections_and_missing_values_are_groups_too():
    found = reweigh(table(group="both"), FRAME, truth=TRUTH)
    assert found.grouping == "both"
    assert "f & no value" in found.values
    assert len(found.values) == 9


def test_values_that_the_remedy_does_not_name_are_one_group():
    found = reweigh(table(values=["x"]), FRAME, truth=TRUTH)
    assert set(found.values) == {"x", REST}
    merged = pl.Series("sex", ["x" if value == "x" else "m" for value in FRAME["sex"]])
    assert np.array_equal(found.weights, group_weights(merged, TRUTH, least_cases=2))


@pytest.mark.parametrize("remedy", [{}, {"group": "both"}, {"values": ["x"]}])
def test_what_a_fit_stops_on_is_weighed_alike(remedy):
    asked = table(**remedy)
    found = reweigh(asked, FRAME, truth=TRUTH)
    assert np.array_equal(weigh_alike(found, asked, frame=FRAME, truth=TRUTH), found.weights)


def test_a_small_value_that_the_remedy_names_is_no_part_of_everybody_else():
    texts = pl.Series("g", ["a"] * 40 + ["b"] * 40 + ["c"] * 3)
    truth = np.array(([1] * 10 + [0] * 30) + ([1] * 30 + [0] * 10) + [1, 0, 0], dtype=np.int8)
    found = reweighing(texts, truth, values=["a", "c"])
    assert set(found.values) == {"a", REST, OTHER}
    assert np.array_equal(found.weigh(texts, truth), found.weights)


def test_a_value_or_class_that_the_fit_did_not_see_weighs_1():
    texts = pl.Series("g", ["a"] * 30 + ["b"] * 30)
    truth = np.array(([1] * 10 + [0] * 20) + ([1] * 20 + [0] * 10), dtype=np.int8)
    found = reweighing(texts, truth)
    weights = found.weigh(pl.Series("g", ["new", "a", "a", "b"]), np.array([1, 2, 1, 1], dtype=np.int8))
    assert weights.tolist() == [1.0, 1.0, 1.5, 0.75]


# --- learners -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("learner", "within"), [(Constant(), 0), (OneRule(), 0), (Logistic(), 1e-9)])
@pytest.mark.parametrize("classes", [2, 3])
def test_whole_weights_are_repeated_rows_case_by_case(learner, within, classes):
    matrix, truth = sample(1200, classes)
    weights = whole_weights(truth)
    again = np.repeat(np.arange(1200), weights.astype(int))
    weighed, _ = learner.fit(matrix, truth, classes=classes, weights=weights)
    repeated, _ = learner.fit(rows_of(matrix, again), truth[again], classes=classes)
    plain, _ = learner.fit(matrix, truth, classes=classes)
    here, there, without = (each.probabilities(matrix) for each in (weighed, repeated, plain))
    assert np.abs(here - there).max() <= within
    assert np.abs(here - without).max() > 0.05


def test_a_class_whose_rows_all_weigh_nothing_was_not_seen():
    matrix, truth = sample(300, 3)
    weights = np.where(truth == 2, 0.0, 1.0)
    for learner in (Constant(), OneRule(), Logistic(), LightgbmTrees(threads=1)):
        scorer, _ = learner.fit(matrix, truth, classes=3, weights=weights, rounds=5)
        assert scorer.probabilities(matrix)[:, 2].max() < 0.01


def test_lightgbm_stops_by_the_weights_of_the_stop_slice():
    """Half of the stop slice says what the fit learns, half the contrary: weights tell which half counts."""
    matrix, truth = sample(1200, 2)
    later = rows_of(matrix, slice(600, 1200))
    told = np.where(np.arange(600) < 300, truth[600:], 1 - truth[600:]).astype(np.int8)
    used = []
    for believed in (slice(0, 300), slice(300, 600)):
        weigh = np.full(600, 1e-6)
        weigh[believed] = 1.0
        learnt, labels = rows_of(matrix, slice(600)), truth[:600]
        used.append(LightgbmTrees(threads=1).fit(learnt, labels, classes=2, stop=(later, told, weigh))[1])
    assert used[0] > 10
    assert used[1] == 1


def test_a_row_of_weight_4_is_not_four_rows_to_the_interval_of_a_rule():
    dice = np.random.default_rng(3)
    x = dice.uniform(-1, 1, 400)
    truth = (dice.random(400) < np.where(x > 0.2, 0.7, 0.2)).astype(np.int8)
    weights = np.where(np.arange(400) % 4 == 0, 4.0, 0.0)
    matrix = Matrix(np.asfortranarray(x[:, None]), ("x",), (0,))
    again = np.repeat(np.arange(400), weights.astype(int))
    weighed = OneRule().fit(matrix, truth, classes=2, weights=weights)[0].rule
    repeated = OneRule().fit(rows_of(matrix, again), truth[again], classes=2)[0].rule
    assert weighed.threshold == repeated.threshold
    assert weighed.high - weighed.low > 1.3 * (repeated.high - repeated.low)


def log_likelihood(masses):
    masses = masses[masses > 0]
    return float((masses * np.log(masses / masses.sum())).sum())


@quick
@given(st.integers(0, 1000))
def test_law_no_threshold_tells_more_by_weight(seed):
    dice = np.random.default_rng(seed)
    x, truth = dice.integers(0, 9, 60).astype(float), dice.integers(0, 2, 60).astype(np.int8)
    truth[x > 5] = 1
    weights = dice.choice([0.05, 0.4, 3.0], 60)
    weights *= 60 / weights.sum()
    matrix = Matrix(np.asfortranarray(x[:, None]), ("x",), (0,))
    rule = OneRule().fit(matrix, truth, classes=2, weights=weights)[0].rule
    assume(rule is not None)

    def told(at):
        sides = [np.bincount(truth[s], weights=weights[s], minlength=2) for s in (x <= at, x > at)]
        fewest = min(side.sum() for side in sides)
        return sum(map(log_likelihood, sides)) if fewest >= FEWEST else -np.inf

    assert told(rule.threshold) == pytest.approx(max(told(at) for at in range(8)))


def test_resampled_cells_have_the_variance_of_weighted_rows():
    weights = np.array([0.5, 0.5, 3.0])
    counts, each = np.array([[weights.sum()]]), np.array([[(weights**2).sum() / weights.sum()]])
    tables = poisson_tables(counts, times=20_000, salt="test", weight=each)
    assert tables.mean() == pytest.approx(4.0, rel=0.02)
    assert tables.var() == pytest.approx((weights**2).sum(), rel=0.04)


@pytest.mark.parametrize("weights", [np.ones(3), np.array([1.0, -1.0]), np.zeros(2), np.array([1.0, np.nan])])
def test_weights_that_are_none_are_refused(weights):
    matrix = Matrix(np.zeros((2, 1), order="F"), ("x",), (0,))
    with pytest.raises(ValueError, match="weights"):
        weighted(matrix, np.array([0, 1], dtype=np.int8), weights=weights)


# --- learners that take none ----------------------------------------------------------------------


@quick
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.3, 1.0, 2.7])), min_size=1, max_size=80))
def test_law_drawn_rows_come_as_often_as_they_weigh(rows):
    truth = np.array([y for y, _ in rows], dtype=np.int8)
    weights = np.array([weight for _, weight in rows])
    assume(weights.sum() > 0)
    weights *= truth.size / weights.sum()
    found = systematic_rows(weights, truth)
    counts = np.bincount(found, minlength=truth.size)
    assert found.size == truth.size
    assert (np.diff(found) >= 0).all(), "in order of time"
    assert (np.abs(counts - weights) < 1 + 1e-9).all()
    for cell in {(y, weight) for y, weight in zip(truth.tolist(), weights.tolist(), strict=True)}:
        mine = (truth == cell[0]) & (weights == cell[1])
        assert abs(counts[mine].sum() - weights[mine].sum()) < 1 + 1e-9


def test_law_whole_weights_draw_so_many_copies():
    _, truth = sample(200, 3)
    weights = whole_weights(truth)
    assert np.array_equal(systematic_rows(weights, truth), np.repeat(np.arange(200), weights.astype(int)))


class Old:
    """A learner as they were before there were weights: it counts what it is handed."""

    name = "old"

    def __init__(self):
        self.handed = []

    def fit(self, matrix, truth, *, classes, stop=None, rounds=None):
        self.handed.append((truth.copy(), stop))
        return Constant().fit(matrix, truth, classes=classes, stop=stop, rounds=rounds)

    def from_bytes(self, data):
        return Constant().from_bytes(data)


class Failing(Old):
    def fit(self, *_, weights, **_others):
        assert weights.mean() == 1
        message = "no"
        raise KeyError(message)


def outside(learner):
    return ForeignLearner("mine", learner, origin="test", factory=type(learner))


class TestOldLearner(LearnerSuite):
    repeated_within = 0.0

    def learner(self, *, threads):
        del threads
        return outside(Old())


def test_a_learner_without_weights_is_asked_as_ever_and_with_weights_handed_rows_drawn_by_them():
    matrix, truth = sample(300, 2)
    old = Old()
    learner = outside(old)
    assert learner.resamples
    later = (matrix, truth)
    learner.fit(matrix, truth, classes=2, stop=later)
    assert np.array_equal(old.handed[0][0], truth)
    assert old.handed[0][1] is later
    weights = np.where(truth == 1, 3.0, 1.0)
    learner.fit(matrix, truth, classes=2, stop=(matrix, truth, weights), weights=weights)
    drawn, stop = old.handed[1]
    ones = truth.sum()
    assert drawn.sum() == pytest.approx(300 * 3 * ones / (3 * ones + 300 - ones), abs=1)
    assert len(stop) == 2
    assert np.array_equal(stop[1], drawn)


def test_a_learner_that_fails_with_weights_is_blamed_by_name():
    matrix, truth = sample(60, 2)
    with pytest.raises(UserError) as caught:
        outside(Failing()).fit(matrix, truth, classes=2, weights=whole_weights(truth))
    assert caught.value.code == "model.learner-failed"


LINEAR = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
TRUSTED = (
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
)
NEAR = make_pipeline(SimpleImputer(), KNeighborsClassifier())


@pytest.mark.parametrize(
    ("estimator", "argument"),
    [
        (LogisticRegression(), "sample_weight"),
        (KNeighborsClassifier(), None),
        (LINEAR, "logisticregression__sample_weight"),
        (make_pipeline(SimpleImputer(), LINEAR), "pipeline__logisticregression__sample_weight"),
        (NEAR, None),
        (make_pipeline(SimpleImputer(), "passthrough"), None),
        (GridSearchCV(LINEAR, {"logisticregression__C": [1, 2]}), "logisticregression__sample_weight"),
        (RandomizedSearchCV(NEAR, {}), None),
        (CalibratedClassifierCV(GaussianNB()), "sample_weight"),
        (CalibratedClassifierCV(KNeighborsClassifier()), None),
        (CalibratedClassifierCV(LINEAR), None),
        (AdaBoostClassifier(), "sample_weight"),
        (BaggingClassifier(KNeighborsClassifier()), None),
        (VotingClassifier([("a", GaussianNB()), ("b", KNeighborsClassifier())]), None),
    ],
)
def test_the_argument_of_an_estimator_is_found_or_none(estimator, argument):
    assert weight_argument(estimator) == argument


@pytest.mark.parametrize(
    "estimator",
    [
        LINEAR,
        NEAR,
        GridSearchCV(LINEAR, {"logisticregression__C": [0.5, 2]}),
        make_pipeline(SimpleImputer(), CalibratedClassifierCV(GaussianNB())),
        make_pipeline(SimpleImputer(), CalibratedClassifierCV(KNeighborsClassifier())),
    ],
    ids=["linear", "near", "searched", "calibrated", "calibrated near"],
)
def test_weights_move_an_estimator_of_others_as_repeated_rows_do(estimator):
    matrix, truth = sample(900, 2)
    weights = whole_weights(truth)
    again = np.repeat(np.arange(900), weights.astype(int))
    learner = ScikitLearner("mine", estimator, settings=Settings(Path("settings.toml"), {}, TRUSTED))
    parts = [
        learner.fit(matrix, truth, classes=2, weights=weights)[0],
        learner.fit(rows_of(matrix, again), truth[again], classes=2)[0],
        learner.fit(matrix, truth, classes=2)[0],
    ]
    here, there, without = (float(each.probabilities(matrix)[:, 1].mean()) for each in parts)
    assert abs(here - there) < 0.2 * abs(there - without)


# --- what it does ---------------------------------------------------------------------------------


def test_a_model_learnt_with_weights_selects_as_the_closed_form_says():
    """Labels held back from b by a known amount: the same world as the bench, one replay of many rows."""
    rows, base, slope, held_back = 60_000, 0.3, 1.5, 1.2
    dice = np.random.default_rng(0)
    merit, group = dice.normal(size=rows), (dice.random(rows) < 0.4).astype(np.int8)
    odds = base + slope * merit - held_back * group
    label = (dice.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    matrix = Matrix(np.asfortranarray(np.column_stack([merit, group])), ("merit", "group"), (0, 2))
    texts = pl.Series("group", np.array(["a", "b"])[group])
    found = reweighing(texts, label)
    # Over a fine grid of merits: base rates, and the constants that weights add to the log odds.
    grid = np.linspace(-8, 8, 4001)
    mass = np.exp(-(grid**2) / 2)
    mass /= mass.sum()
    rate = np.array([(mass / (1 + np.exp(-(base + slope * grid - held_back * g)))).sum() for g in (0, 1)])
    overall = 0.6 * rate[0] + 0.4 * rate[1]
    added = np.log(overall / (1 - overall)) - np.log(rate / (1 - rate))
    apart = []
    for weights, shift in ((None, np.zeros(2)), (found.weights, added)):
        scorer, _ = Logistic().fit(matrix, label, classes=2, weights=weights)
        selected = scorer.probabilities(matrix)[:, 1] > 0.5
        shares = [selected[group == g].mean() for g in (0, 1)]
        exact = [mass[base + slope * grid - held_back * g + shift[g] > 0].sum() for g in (0, 1)]
        assert shares == pytest.approx(exact, abs=0.015)
        apart.append(shares[0] - shares[1])
    assert apart[1] < apart[0] / 3


def test_toward_the_population_each_group_weighs_as_it_does_there():
    texts = pl.Series("depot", ["a"] * 80 + ["b"] * 20)
    truth = np.tile([0, 1], 50).astype(np.int16)
    found = reweighing(texts, truth, least_cases=2, population={"a": 0.5, "b": 0.5})
    share = found.weights[80:].sum() / found.weights.sum()
    assert share == pytest.approx(0.5, abs=1e-12)
    assert found.weights.mean() == pytest.approx(1.0, abs=1e-12)
    assert set(np.round(found.weights[:80], 12)) == {0.625}
