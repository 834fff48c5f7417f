"""Measures of decisions by group: laws, and equality with Fairlearn on every definition that both have."""

from __future__ import annotations

import math
import warnings

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import accuracy_score, brier_score_loss, precision_score

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.ratios import ratios
from wholeroad.road.model.fairness.assessed import NOT_KNOWN, Assessed
from wholeroad.road.model.fairness.assessing import fairness_of, shrunk
from wholeroad.road.model.fairness.definitions import DEFINITIONS, IN_WORDS, conflicts
from wholeroad.road.model.fairness.disparities import EQUALIZED_ODDS
from wholeroad.road.model.fairness.measures import MEASURES

several = settings(deadline=None, max_examples=20)
VALUES = ("A", "B", "C", "D")


@st.composite
def decided(draw, *, least: int = 8, gaps: bool = True, groups: int = 4):
    """Decisions of up to 120 cases, with and without outcomes and probabilities, and one grouping."""
    n = draw(st.integers(least, 120))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = draw(arrays.arrays(np.int32, n, elements=st.integers(0, groups - 1)))
    positive = dice.integers(NOT_KNOWN if gaps else 0, 2, n).astype(np.int8)
    probability = dice.random(n)
    money, own = dice.normal(0, 20, (2, n))
    if gaps:
        probability[dice.random(n) < 0.2] = np.nan
        money[positive == NOT_KNOWN] = own[positive == NOT_KNOWN] = np.nan
    assessed = Assessed(
        decided_at=np.sort(dice.integers(0, draw(st.integers(2, 30)), n)) * DAY + 5,
        selected=dice.random(n) < draw(st.floats(0.2, 0.8)),
        positive=positive,
        probability=probability,
        money=money,
        status_quo_money=own,
        best_money=np.maximum(money, own),
    )
    return assessed, Grouping("depot", VALUES[:groups], codes)


def by_value(found, measure):
    return {each.value: each for each in found.figures if each.measure == measure}


def figures(found):
    return {(each.measure, each.grouping, each.value): each for each in found.figures}


THEIRS = {
    "selected": {
        "selection_rate": fairlearn.selection_rate,
        "base_rate": lambda truth, _: fairlearn.selection_rate(truth, truth),
        "true_positive_rate": fairlearn.true_positive_rate,
        "false_positive_rate": fairlearn.false_positive_rate,
        "true_negative_rate": fairlearn.true_negative_rate,
        "false_negative_rate": fairlearn.false_negative_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    },
    "probability": {
        "mean_prediction": fairlearn.mean_prediction,
        "brier": lambda truth, stated: brier_score_loss(truth, stated, pos_label=1),
        "calibration_gap": lambda truth, stated: fairlearn.mean_prediction(truth, stated) - truth.mean(),
    },
    "money": {"money_per_case": fairlearn.mean_prediction},
    "gain": {"gain_per_case": fairlearn.mean_prediction},
    "regret": {"regret_per_case": fairlearn.mean_prediction},
}


@pytest.mark.parametrize("kind", list(THEIRS))
@given(decided(gaps=False))
@settings(deadline=None, max_examples=12)
def test_measures_are_those_of_fairlearn_and_scikit_learn(kind, world):
    assessed, depot = world
    foretold = {
        "selected": assessed.selected.astype(int),
        "probability": assessed.probability,
        "money": assessed.money,
        "gain": assessed.money - assessed.status_quo_money,
        "regret": assessed.best_money - assessed.money,
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = fairlearn.MetricFrame(
            metrics={"count": fairlearn.count, **THEIRS[kind]},
            y_true=assessed.positive.astype(int),
            y_pred=foretold,
            sensitive_features=np.array(VALUES)[depot.codes],
        )
    found = fairness_of(assessed, [depot], least_cases=2)
    whole = {each.measure: each for each in found.everybody}
    for name in THEIRS[kind]:
        ours = by_value(found, name)
        for value, row in frame.by_group.iterrows():
            assert by_value(found, "selection_rate")[value].cases == row["count"]
            if ours and ours[value].cases:  # without a case Fairlearn says 0, and nothing is told here
                assert ours[value].figure.value == pytest.approx(row[name], rel=1e-12, abs=1e-12)
        if name in whole:
            assert whole[name].figure.value == pytest.approx(frame.overall[name], rel=1e-12, abs=1e-12)


def test_every_measure_is_held_against_another_program():
    assert {name for kind in THEIRS.values() for name in kind} == set(MEASURES)


@given(decided(gaps=False, least=60, groups=3))
@settings(deadline=None, max_examples=12)
def test_disparities_are_those_of_fairlearn(world):
    assessed, depot = world
    truth, selected = assessed.positive.astype(int), assessed.selected.astype(int)
    sensitive = {"sensitive_features": np.array(VALUES)[depot.codes]}
    found = {each.measure: each for each in fairness_of(assessed, [depot], least_cases=2).disparities}
    present = np.unique(depot.codes).size
    pairs = {
        "selection_rate": ("demographic_parity_difference", "demographic_parity_ratio"),
        "true_positive_rate": ("equal_opportunity_difference", "equal_opportunity_ratio"),
        EQUALIZED_ODDS: ("equalized_odds_difference", "equalized_odds_ratio"),
        "false_positive_rate": ("false_positive_rate_difference", "false_positive_rate_ratio"),
        "true_negative_rate": ("true_negative_rate_difference", "true_negative_rate_ratio"),
        "false_negative_rate": ("false_negative_rate_difference", "false_negative_rate_ratio"),
    }
    compared = 0
    for measure, (difference, ratio) in pairs.items():
        ours = found.get(measure)
        if ours is None or ours.difference is None or ours.groups < present:
            continue
        compared += 1
        assert ours.difference.value == pytest.approx(
            getattr(fairlearn, difference)(truth, selected, **sensitive), rel=1e-12, abs=1e-12
        )
        if ours.ratio is not None:
            theirs = getattr(fairlearn, ratio)(truth, selected, **sensitive)
            assert ours.ratio.value == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    assume(compared)


@several
@given(decided(), st.permutations(range(4)))
def test_other_names_for_the_groups_change_nothing_else(world, order):
    assessed, depot = world
    place = np.argsort(order).astype(np.int32)
    renamed = Grouping("depot", tuple(VALUES[one] for one in order), place[depot.codes])
    one, other = (fairness_of(assessed, [grouping], least_cases=2) for grouping in (depot, renamed))
    ours, theirs = figures(one), figures(other)
    assert ours.keys() == theirs.keys()
    for key, figure in ours.items():
        assert figure.cases == theirs[key].cases
        ends = [(each.figure.value, each.figure.low, each.rest.high) for each in (figure, theirs[key])]
        np.testing.assert_allclose(*ends, rtol=1e-9, atol=1e-9)
    for mine, yours in zip(one.disparities, other.disparities, strict=True):
        assert (mine.difference is None) == (yours.difference is None)
        if mine.difference is not None:
            assert mine.difference.high == pytest.approx(yours.difference.high, rel=1e-9, abs=1e-9)


@several
@given(decided())
def test_parts_add_up_to_everybody(world):
    assessed, depot = world
    found = fairness_of(assessed, [depot], least_cases=2)
    for whole in found.everybody:
        parts = [each for each in by_value(found, whole.measure).values() if each.cases]
        assert sum(each.cases for each in parts) == whole.cases
        total = sum(each.figure.value * each.cases for each in parts)
        assert total == pytest.approx(whole.figure.value * whole.cases, rel=1e-9, abs=1e-9)


@several
@given(decided())
def test_a_second_grouping_changes_nothing_of_the_first(world):
    assessed, depot = world
    halves = Grouping("half", ("one", "two"), (np.arange(len(assessed)) % 2).astype(np.int32))
    alone, both = fairness_of(assessed, [depot]), fairness_of(assessed, [depot, halves])
    kept = [each for each in both.figures if each.grouping == "depot"]
    assert str(kept) == str(list(alone.figures))
    assert str(both.everybody) == str(alone.everybody)


@several
@given(decided(least=40), st.integers(0, 3))
def test_a_group_with_nothing_is_told_apart_and_harms_none(world, empty):
    assessed, depot = world
    codes = np.where(depot.codes == empty, (empty + 1) % 4, depot.codes).astype(np.int32)
    found = fairness_of(assessed, [Grouping("depot", VALUES, codes)], least_cases=2)
    for each in found.figures:
        if each.value == VALUES[empty]:
            assert each.cases == 0
            assert not each.enough
            assert math.isnan(each.figure.value)
            assert (each.figure.low, each.figure.high) == (-math.inf, math.inf)
    for each in found.disparities:
        assert VALUES[empty] not in {each.highest, each.lowest}


@several
@given(decided())
def test_a_disparity_lies_in_its_interval_and_spans_that_of_any_pair(world):
    assessed, depot = world
    found = fairness_of(assessed, [depot], least_cases=5)
    for each in found.disparities:
        if each.difference is None:
            continue
        assert 0 <= each.difference.low <= each.difference.value <= each.difference.high
        if each.ratio is not None:
            assert each.ratio.low <= each.ratio.value <= each.ratio.high <= 1
        if each.measure != EQUALIZED_ODDS:
            told = {name: one for name, one in by_value(found, each.measure).items() if one.enough}
            assert each.groups == len(told)
            assert told[each.highest].figure.value == max(one.figure.value for one in told.values())
            assert told[each.lowest].figure.value == min(one.figure.value for one in told.values())


@several
@given(decided(least=60), st.integers(1, 20))
def test_later_looks_ask_for_more(world, look):
    assessed, depot = world
    first, later = (
        fairness_of(assessed, [depot], least_cases=5, look=k).disparities for k in (look, look + 1)
    )
    for one, other in zip(first, later, strict=True):
        assert (one.looks, other.looks) == (look, look + 1)
        if one.difference is not None and one.groups == 2:
            assert other.difference.high >= one.difference.high - 1e-9


def test_outcomes_and_money_that_are_not_known_count_for_selection_alone():
    n = 400
    nothing = np.full(n, np.nan)
    assessed = Assessed(
        decided_at=np.arange(n) * DAY // 8,
        selected=np.arange(n) % 4 == 0,
        positive=np.full(n, NOT_KNOWN, dtype=np.int8),
        probability=nothing,
        money=nothing,
        status_quo_money=nothing,
        best_money=nothing,
    )
    depot = Grouping("depot", ("A", "B"), (np.arange(n) % 2).astype(np.int32))
    found = fairness_of(assessed, [depot])
    assert {each.measure for each in found.figures} == {"selection_rate"}
    assert (found.cases, found.settled) == (400, 0)
    assert [each.figure.value for each in found.figures] == [0.5, 0.0]


def test_no_case_at_all_is_no_fault():
    nothing = np.zeros(0)
    assessed = Assessed(
        np.zeros(0, np.int64), nothing > 0, np.zeros(0, np.int8), nothing, nothing, nothing, nothing
    )
    found = fairness_of(assessed, [Grouping("depot", ("A",), np.zeros(0, np.int32))])
    assert (found.cases, found.figures, found.disparities, found.blocks) == (0, (), (), 0)


def test_without_groups_everybody_is_still_measured():
    rng = np.random.default_rng(0)
    positive = (rng.random(500) < 0.3).astype(np.int8)
    amounts = rng.normal(size=(3, 500))
    assessed = Assessed(np.arange(500) * DAY // 9, positive == 0, positive, rng.random(500), *amounts)
    found = fairness_of(assessed, [])
    assert [each.measure for each in found.everybody] == list(MEASURES)
    assert found.everybody[1].figure.value == positive.mean()


def test_figures_are_drawn_in_as_far_as_chance_spreads_them():
    rng = np.random.default_rng(11)
    days, groups = 60, 30
    size = rng.poisson(2, (groups, days)) + 1.0
    equal = ratios(rng.binomial(size.astype(int), 0.3).astype(float), size, share=True)
    apart = np.linspace(0.05, 0.9, groups)
    unequal = ratios(rng.binomial(size.astype(int), apart[:, None]).astype(float), size, share=True)
    drawn = shrunk(equal, towards=0.3)
    assert np.abs(drawn - 0.3).max() < np.abs(equal.value - 0.3).max() / 2
    assert np.abs(shrunk(unequal, towards=0.5) - unequal.value).max() < 0.03
    assert np.mean((drawn - 0.3) ** 2) < np.mean((equal.value - 0.3) ** 2) / 2


def test_small_groups_are_drawn_in_further_than_large_ones():
    top = np.array([[9.0] * 40, [1.0] * 40, [60.0] * 40])
    size = np.array([[10.0] * 40, [2.0] * 40, [100.0] * 40])
    rng = np.random.default_rng(1)
    found = ratios(rng.binomial(size.astype(int), top / size).astype(float), size, share=True)
    kept = (shrunk(found, towards=0.7) - 0.7) / (found.value - 0.7)
    assert kept[1] < kept[0] <= 1
    assert np.all(kept > 0)


def test_every_measure_and_every_part_of_a_definition_is_said_in_words():
    assert set(IN_WORDS) == {*MEASURES, EQUALIZED_ODDS}
    for definition in DEFINITIONS:
        assert set(definition.measures) <= set(MEASURES)


def world_of_base_rates(first: float, second: float, *, n: int = 6000) -> Assessed:
    rng = np.random.default_rng(4)
    rate = np.where(np.arange(n) % 2, second, first)
    positive = rng.random(n) < rate
    selected = rng.random(n) < np.where(positive, 0.6, 0.2)
    nothing = np.zeros(n)
    return Assessed(
        np.arange(n) * DAY // 100, selected, positive.astype(np.int8), nothing + np.nan, *[nothing] * 3
    )


def test_conflicts_follow_from_base_rates_that_differ():
    assessed = world_of_base_rates(0.2, 0.4)
    depot = Grouping("depot", ("A", "B"), (np.arange(6000) % 2).astype(np.int32))
    found = fairness_of(assessed, [depot])
    whole = {each.measure: each.figure.value for each in found.everybody}
    said = {each.definitions: each for each in conflicts(found)}
    odds = said["predictive parity", "equalized odds"]
    assert (odds.highest, odds.lowest, odds.base_rates_differ) == ("B", "A", True)
    # Whoever has these base rates and everybody's precision and true positive rate selects so many others.
    for rate, forced in zip(odds.base_rates, odds.forced, strict=True):
        hits = rate * whole["true_positive_rate"]
        false = forced * (1 - rate)
        assert hits / (hits + false) == pytest.approx(whole["precision"])
    parity = said["demographic parity", "equalized odds"]
    assert parity.forced[0] > parity.forced[1]
    assert "the selection rate has to be" in parity.says


def test_equal_base_rates_and_perfect_decisions_leave_no_clear_conflict():
    depot = Grouping("depot", ("A", "B"), (np.arange(6000) % 2).astype(np.int32))
    alike = fairness_of(world_of_base_rates(0.3, 0.3), [depot])
    assert not any(each.base_rates_differ for each in conflicts(alike))
    assert all("may be chance" in each.says for each in conflicts(alike))
    apart = world_of_base_rates(0.2, 0.4)
    perfect = Assessed(
        apart.decided_at, apart.positive == 1, *(getattr(apart, name) for name in apart.__slots__[2:])
    )
    assert conflicts(fairness_of(perfect, [depot])) == ()
