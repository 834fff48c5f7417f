"""Laws of the one rule: no other question tells more, it can be said, and its interval holds."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from test_model import make_cut, run
from wholeroad.adapters.learners import OneRule, make_learners
from wholeroad.adapters.learners.one_rule import FEWEST
from wholeroad.adapters.learners.resampled_counts import poisson_tables
from wholeroad.core.ports import Learner, Matrix
from wholeroad.road.model.calibration import Calibration
from wholeroad.road.model.card import card
from wholeroad.road.model.encoding import fit_encoder
from wholeroad.road.model.rule_in_words import rule_in_words
from wholeroad.road.model.scoring import Model
from wholeroad.testing.learner_suite import LearnerSuite

quick = settings(max_examples=60, deadline=None)


class TestOneRule(LearnerSuite):
    repeated_within = 0.0

    def learner(self, *, threads: int) -> Learner:
        del threads
        return OneRule()


def matrix_of(*columns, categories=None):
    values = np.asfortranarray(np.column_stack([np.asarray(column, dtype=float) for column in columns]))
    return Matrix(values, tuple("abcdefgh"[: len(columns)]), tuple(categories or (0,) * len(columns)))


def likelihood(truth, classes):
    counts = np.bincount(truth, minlength=classes)
    shown = counts[counts > 0]
    return float((shown * np.log(shown / len(truth))).sum()) if len(truth) else 0.0


def gain(holds, truth, classes):
    return likelihood(truth[holds], classes) + likelihood(truth[~holds], classes) - likelihood(truth, classes)


@quick
@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 2)), min_size=20, max_size=60), st.integers(2, 3)
)
def test_law_no_threshold_tells_more(rows, classes):
    x = np.array([value for value, _ in rows], dtype=float)
    truth = np.array([code % classes for _, code in rows], dtype=np.int8)
    scorer, _ = OneRule().fit(matrix_of(x), truth, classes=classes)
    assume(scorer.rule is not None)
    gains = [
        gain(x > at, truth, classes) for at in np.unique(x) if min((x > at).sum(), (x <= at).sum()) >= FEWEST
    ]
    assert gain(x > scorer.rule.threshold, truth, classes) == pytest.approx(max(gains))
    assert scorer.rule.low <= scorer.rule.threshold <= scorer.rule.high


@quick
@given(st.lists(st.tuples(st.integers(6, 30), st.floats(0, 1)), min_size=2, max_size=6))
def test_law_of_two_classes_no_set_of_categories_tells_more(groups):
    codes = np.repeat(np.arange(len(groups)), [rows for rows, _ in groups])
    truth = np.concatenate([np.arange(rows) < round(rows * share) for rows, share in groups]).astype(np.int8)
    scorer, _ = OneRule().fit(matrix_of(codes, categories=(len(groups),)), truth, classes=2)
    assume(scorer.rule is not None)
    every = [
        gain(np.isin(codes, some), truth, 2)
        for size in range(1, len(groups))
        for some in itertools.combinations(range(len(groups)), size)
    ]
    assert gain(np.isin(codes, scorer.rule.codes), truth, 2) == pytest.approx(max(every))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_law_a_rising_function_of_the_number_asks_the_same(seed):
    dice = np.random.default_rng(seed)
    x = dice.normal(size=400)
    truth = (dice.random(400) < np.where(x > 0.5, 0.8, 0.3)).astype(np.int8)
    one, _ = OneRule().fit(matrix_of(x), truth, classes=2)
    other, _ = OneRule().fit(matrix_of(np.exp(x)), truth, classes=2)
    assert np.array_equal(x > one.rule.threshold, np.exp(x) > other.rule.threshold)
    assert one.shares == other.shares


def test_the_shares_of_both_sides_and_of_nulls_are_counted_and_drawn_to_those_of_all():
    x = np.array([1.0] * 40 + [3.0] * 40 + [np.nan] * 20)
    truth = np.array([0] * 36 + [1] * 4 + [0] * 4 + [1] * 36 + [0] * 10 + [1] * 10, dtype=np.int8)
    scorer, rounds = OneRule().fit(matrix_of(x), truth, classes=2)
    assert rounds is None
    assert (scorer.rule.threshold, scorer.rule.low, scorer.rule.high) == (2.0, 1.0, 3.0)
    p = scorer.probabilities(matrix_of([0.0, 2.0, 2.1, np.nan, np.inf]))[:, 1]
    assert p.tolist() == [5 / 42, 5 / 42, 37 / 42, 11 / 22, 37 / 42]


def test_a_new_category_gets_the_shares_of_all_rows():
    codes = np.repeat([0, 1, 2], 40)
    truth = np.repeat([0, 1, 0], 40).astype(np.int8)
    scorer, _ = OneRule().fit(matrix_of(codes, categories=(3,)), truth, classes=2)
    assert (scorer.rule.codes, scorer.rule.unsure) == ((1,), ())
    p = scorer.probabilities(matrix_of([0, 1, 2, 3, np.nan], categories=(3,)))[:, 1]
    assert p[0] == p[2] < 0.05
    assert p[1] > 0.95
    assert p[3] == p[4] == pytest.approx(1 / 3, abs=0.01)


def test_a_category_that_could_be_on_either_side_is_said():
    shares, rows = (0.1, 0.9, 0.5), (200, 200, 12)
    codes = np.repeat(np.arange(3), rows)
    truth = np.concatenate([np.arange(n) < round(n * p) for n, p in zip(rows, shares, strict=True)])
    scorer, _ = OneRule().fit(matrix_of(codes, categories=(3,)), truth.astype(np.int8), classes=2)
    assert 1 in scorer.rule.codes
    assert scorer.rule.unsure == (2,)


def test_the_feature_that_tells_most_is_asked_and_not_the_one_with_most_values():
    dice = np.random.default_rng(4)
    flag, code, noise = dice.random(600) < 0.3, dice.integers(0, 200, 600), dice.normal(size=600)
    truth = (dice.random(600) < np.where(flag, 0.5, 0.2)).astype(np.int8)
    scorer, _ = OneRule().fit(matrix_of(noise, code, flag, categories=(0, 200, 0)), truth, classes=2)
    assert scorer.rule.column == 2


def test_where_nothing_tells_there_is_seldom_a_rule():
    found = 0
    for seed in range(100):
        dice = np.random.default_rng(seed)
        columns = [*dice.normal(size=(8, 400)), dice.integers(0, 60, 400), dice.integers(0, 5, 400)]
        truth = (dice.random(400) < 0.3).astype(np.int8)
        scorer, _ = OneRule().fit(matrix_of(*columns, categories=(0,) * 8 + (60, 5)), truth, classes=2)
        found += scorer.rule is not None
    assert found <= 8, "measured: 3 in 100"


@pytest.mark.parametrize("steep", [True, False])
def test_the_interval_holds_the_best_threshold_of_all_such_rows(steep):
    """Of the step at 0.3; of a slow change, where the best cut of a sample without end lies at 0.13."""
    held, tried = 0, 30
    for seed in range(tried):
        dice = np.random.default_rng(seed)
        x = dice.uniform(-1, 1, 1000)
        p = np.where(x > 0.3, 0.45, 0.2) if steep else 1 / (1 + np.exp(1 - 2 * x))
        rule = OneRule().fit(matrix_of(x), (dice.random(1000) < p).astype(np.int8), classes=2)[0].rule
        held += rule.low <= (0.3 if steep else 0.13) <= rule.high
        assert rule.high - rule.low < 1.2, "it says something"
    assert held >= 0.9 * tried


def test_resampled_cells_have_the_mean_and_the_spread_of_counts():
    counts = np.array([[0.0, 1.0], [7.0, 5000.0]])
    tables = poisson_tables(counts, times=4000, salt="test")
    assert (tables[:, 0, 0] == 0).all()
    assert (tables == np.round(tables)).all()
    for place in ((0, 1), (1, 0), (1, 1)):
        drawn, mean = tables[(slice(None), *place)], counts[place]
        assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 4000))
        assert drawn.var() == pytest.approx(mean, rel=0.1)
    assert np.array_equal(tables, poisson_tables(counts, times=4000, salt="test"))


def model_of(features, truth, classes=("late", "on_time")):
    encoder = fit_encoder(features)
    scorer, _ = OneRule().fit(encoder.encode(features), truth, classes=len(classes))
    same = Calibration(1.0, (0.0,) * len(classes))
    return Model(encoder, "one_rule", scorer, same, classes, ("rebook", "pass"))


def test_the_rule_is_said_with_its_interval_and_what_the_model_gives():
    wind = np.arange(400) % 40 / 1.0
    model = model_of(pl.DataFrame({"wind": wind}), (wind <= 21).astype(np.int8))
    said = rule_in_words(model)
    assert said.startswith("wind > 21.5 (95 % interval 21 to 22): late ")
    p = model.probabilities(pl.DataFrame({"wind": [30.0, 3.0, None]}))[:, 0]
    assert all(f"late {share:.1%}" in said for share in p)
    carrier = np.array(["aa", "bb", "cc"])[np.arange(300) % 3]
    model = model_of(pl.DataFrame({"carrier": carrier}), (carrier == "aa").astype(np.int8))
    assert rule_in_words(model).startswith("carrier is aa: late 1.3%")
    noise = model_of(pl.DataFrame({"wind": wind}), (np.arange(400) // 40 % 2).astype(np.int8))
    assert rule_in_words(noise).startswith("no feature tells more than chance")
    again = Model.from_bytes(model.to_bytes(), make_learners(threads=1))
    assert rule_in_words(again) == rule_in_words(model)


def test_the_card_of_a_rule_says_it_and_that_of_another_model_does_not():
    result = run(make_cut(), "one_rule")
    about = {"name": "late-flights", "question": "Which?", "unit": "EUR"}
    text = card(result.report, result.model, **about)
    spoken = result.model is not None and result.model.learner == "one_rule"
    assert ("**The rule.**" in text) == spoken
    assert spoken, "the rule is worth more than the status quo here"
    other = run(make_cut(), "constant")
    assert "**The rule.**" not in card(other.report, other.model, **about)
