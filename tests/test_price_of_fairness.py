"""The price of fairness: judged on later time, paired, and by the code that decides."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold
from wholeroad.road.model.fairness.price import TOLERANCES, price_curve

TERMS = Terms(selected=(0,), positive=0)
SPAN = 60 * DAY


def world(seed, *, count=4000, apart=1.2):
    """Give decided cases, their values and their truth; stated probabilities are true ones."""
    dice = np.random.default_rng(seed)
    group = (dice.random(count) < 0.4).astype(int)
    p = 1 / (1 + np.exp(-dice.normal(-1 + apart * group, 1.2)))
    positive = (dice.random(count) < p).astype(np.int8)
    stated, values = np.column_stack([p, 1 - p]), TableValues(np.array([[10.0, -5.0], [0.0, 0.0]]), {}, count)
    cases = Foretold(
        expected=values.expected(stated),
        probabilities=stated,
        positive=positive,
        status_quo=np.ones(count, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        decided_at=np.sort(dice.integers(0, SPAN, count)),
        texts=pl.Series("colour", np.array(["amber", "blue"])[group]),
        values=values,
    )
    return cases, values, (1 - positive).astype(np.int8)


def curve(made, equal="selection_rate", *, matures=DAY, tolerances=None, capacity=None, truth=None):
    cases, values, told = made
    aim = Aim("colour", ("colour",), equal, 0.0, TERMS)
    return price_curve(
        cases,
        aim,
        values=values,
        truth=told if truth is None else truth,
        matures=matures,
        tolerances=tolerances,
        capacity=capacity,
    )


def test_thresholds_are_judged_on_later_time_than_every_outcome_they_were_learnt_from():
    found = curve(world(0), matures=5 * DAY)
    assert found.learnt_from_at < found.learnt_to_at
    assert found.learnt_to_at + 5 * DAY <= found.judged_from_at < found.judged_to_at


@given(seed=st.integers(0, 100))
@settings(deadline=None, max_examples=8)
def test_what_comes_true_later_changes_no_threshold(seed):
    made = world(seed, count=1500)
    cases, values, truth = made
    later = np.arange(1500) >= 750
    flipped = np.where(later, 1 - truth, truth).astype(np.int8)
    other = Foretold(**{**vars(cases), "positive": np.where(later, 1 - cases.positive, cases.positive)})
    one = curve(made, "true_positive_rate", tolerances=(0.05,))
    two = curve((other, values, flipped), "true_positive_rate", tolerances=(0.05,))
    assert one.points[0].selection == two.points[0].selection


def test_without_thresholds_there_is_no_price_and_a_loose_tolerance_is_the_same():
    found = curve(world(1), tolerances=(1.0,))
    assert found.without.within == math.inf
    assert found.without.price_per_case.value == found.points[0].price_per_case.value == 0
    assert found.points[0].gain_per_case == found.without.gain_per_case
    assert found.points[0].selection == found.without.selection


@pytest.mark.parametrize("equal", ["selection_rate", "true_positive_rate", "equalized_odds"])
def test_the_price_is_what_the_gain_falls_short_by_case_by_case(equal):
    found = curve(world(2), equal)
    assert [point.within for point in found.points] == sorted(TOLERANCES, reverse=True)
    for point in found.points:
        short = found.without.gain_per_case.value - point.gain_per_case.value
        assert point.price_per_case.value == pytest.approx(short, abs=1e-12)
        assert point.price_per_case.low <= point.price_per_case.value <= point.price_per_case.high


def test_a_paired_price_is_surer_than_the_gains_it_lies_between():
    point = curve(world(3), tolerances=(0.05,)).points[0]
    paired = point.price_per_case.high - point.price_per_case.low
    assert 0 < paired < 0.7 * (point.gain_per_case.high - point.gain_per_case.low)


def test_equal_selection_has_its_price_and_leaves_little_difference():
    found = curve(world(4, count=12_000), tolerances=(0.02,))
    assert found.without.disparity.low > 0.2
    assert found.points[0].disparity.low <= 0.02
    assert found.points[0].disparity.high < 0.1
    assert found.points[0].price_per_case.low > 0


def test_tolerances_of_money_are_parts_of_the_difference_there_is():
    found = curve(world(5), "gain_per_case")
    assert found.points[0].within > 1
    assert found.points[-1].within == 0
    assert found.points[-1].price_per_case.value > 0


def test_cases_without_an_outcome_are_not_judged():
    made = world(6)
    truth = made[2].copy()
    truth[-500:] = -1
    assert curve(made, truth=truth, tolerances=(0.1,)).cases == curve(made, tolerances=(0.1,)).cases - 500


def test_a_capacity_is_kept_by_every_point():
    made = world(7)
    found = curve(made, tolerances=(0.05,), capacity=Capacity(cases=5, every=DAY))
    later = np.count_nonzero(made[0].texts[2000:].to_numpy() == "blue") / found.cases
    for point in (found.without, *found.points):
        share = point.selection["blue"] * later + point.selection["amber"] * (1 - later)
        assert share * found.cases <= 5 * 32


def test_too_few_cases_are_no_curve():
    cases, values, truth = world(8, count=40)
    with pytest.raises(ValueError, match="a price needs cases to learn from"):
        curve((cases, values, truth), matures=2 * SPAN)
