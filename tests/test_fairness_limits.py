"""Limits between groups: what holds, what is open, what is breached, and what stops a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.road.brief.fairness import LimitTable
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.model.fairness.disparities import disparity_of, level_at_look
from wholeroad.road.model.fairness.measures import measured

several = settings(deadline=None, max_examples=20)


def world(rates: dict[str, float], *, n: int = 4000, seed: int = 3) -> tuple[Assessed, list[Grouping]]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, len(rates), n).astype(np.int32)
    positive = (rng.random(n) < 0.3).astype(np.int8)
    selected = rng.random(n) < np.array(list(rates.values()))[codes]
    money = np.where(selected, np.where(positive == 1, 10.0, -3.0), 0.0)
    amounts = money, np.zeros(n), np.where(positive == 1, 10.0, 0.0)
    assessed = Assessed(np.arange(n) * DAY // 60, selected, positive, np.full(n, np.nan), *amounts)
    return assessed, [Grouping("depot", tuple(rates), codes)]


def held(found: tuple[Assessed, list[Grouping]], *, look: int | None = None, **settings_of_limit: object):
    limit = LimitTable.model_validate({"group": "depot", "measure": "selection_rate", **settings_of_limit})
    return fairness_of(found[0], found[1], limits=[limit], look=look).limits[0]


@pytest.mark.parametrize(
    ("burden", "bound", "standing", "stops"),
    [
        ("breach", 0.5, "holds", False),
        ("breach", 0.2, "open", False),
        ("breach", 0.05, "breached", True),
        ("holding", 0.5, "holds", False),
        ("holding", 0.2, "open", True),
        ("holding", 0.05, "breached", True),
    ],
)
def test_a_limit_stands_by_its_whole_interval(burden, bound, standing, stops):
    found = held(world({"A": 0.5, "B": 0.3}), difference_at_most=bound, burden_of_proof=burden)
    assert (found.standing, found.stops) == (standing, stops)
    assert (found.highest, found.lowest, found.bound) == ("A", "B", bound)
    assert standing in found.says


@pytest.mark.parametrize(("bound", "standing"), [(0.3, "holds"), (0.6, "open"), (0.8, "breached")])
def test_a_ratio_is_a_limit_from_below(bound, standing):
    found = held(world({"A": 0.5, "B": 0.3}), ratio_at_least=bound)
    assert found.standing == standing
    assert found.figure.value == pytest.approx(0.6, abs=0.08)


@pytest.mark.parametrize("burden", ["breach", "holding"])
def test_too_few_cases_leave_a_limit_open(burden):
    found = held(world({"A": 0.9, "B": 0.1}, n=40), difference_at_most=0.01, burden_of_proof=burden)
    assert (found.standing, found.figure) == ("open", None)
    assert found.stops == (burden == "holding")
    assert "Too few cases to judge 2 of 2 groups" in found.says


def test_groups_that_are_too_small_are_said_to_be_left_out():
    assessed, (depot,) = world({"A": 0.5, "B": 0.5, "C": 0.0})
    few = np.flatnonzero(depot.codes == 2)[20:]
    codes = depot.codes.copy()
    codes[few] = 0
    found = held((assessed, [replace(depot, codes=codes)]), difference_at_most=0.9)
    assert found.standing == "holds"
    assert "Too few cases to judge 1 of 3 groups" in found.says


def test_a_group_of_which_nobody_is_selected_breaches_a_ratio():
    found = held(world({"A": 0.5, "B": 0.0}), ratio_at_least=0.8)
    assert (found.standing, found.figure.value, found.figure.low) == ("breached", 0.0, 0.0)


def test_nobody_selected_anywhere_has_no_ratio_and_stays_open():
    found = held(world({"A": 0.0, "B": 0.0}), ratio_at_least=0.8)
    assert (found.standing, found.figure) == ("open", None)
    assert "figures above 0" in found.says


def test_a_limit_on_a_grouping_that_is_not_there_is_open():
    limit = LimitTable(group="carrier", measure="selection_rate", difference_at_most=0.1)
    assessed, groups = world({"A": 0.5, "B": 0.3})
    found = fairness_of(assessed, groups, limits=[limit]).limits[0]
    assert (found.standing, found.grouping) == ("open", "carrier")


@several
@given(
    st.sampled_from(
        [
            "selection_rate",
            "true_positive_rate",
            "precision",
            "equalized_odds",
            "gain_per_case",
            "regret_per_case",
        ]
    ),
    st.floats(0.0, 0.6),
    st.integers(0, 99),
)
def test_a_stricter_limit_is_never_easier_to_hold(measure, bound, seed):
    found = world({"A": 0.5, "B": 0.35, "C": 0.4}, n=1500, seed=seed)
    order = ["breached", "open", "holds"]
    strict, mild = (held(found, measure=measure, difference_at_most=each) for each in (bound, bound + 0.1))
    assert order.index(strict.standing) <= order.index(mild.standing)


@several
@given(st.integers(1, 30), st.integers(0, 99))
def test_a_later_look_is_never_surer_of_the_same_cases(look, seed):
    found = world({"A": 0.5, "B": 0.4}, n=1500, seed=seed)
    once = held(found, difference_at_most=0.1)
    later = held(found, difference_at_most=0.1, look=look)
    assert later.standing in {once.standing, "open"}
    assert later.figure.high >= once.figure.high


@given(st.integers(1, 400), st.floats(0.5, 0.999))
@several
def test_all_looks_together_miss_no_more_often_than_is_said(looks, confidence):
    spent = sum(1 - level_at_look(confidence, look) for look in range(1, looks + 1))
    assert spent <= 1 - confidence + 1e-12
    assert level_at_look(confidence, None) == confidence


def test_watching_a_limit_that_holds_rarely_calls_it_breached():
    breached = 0
    for seed in range(40):
        assessed, (depot,) = world({"A": 0.42, "B": 0.38}, n=2400, seed=seed)
        breached += any(
            held(
                (assessed.take(slice(0, n)), [depot.take(slice(0, n))]), look=k + 1, difference_at_most=0.04
            ).stops
            for k, n in enumerate(range(600, 2401, 600))
        )
    assert breached <= 5  # 5 % of 40 are 2


def test_of_many_equal_groups_none_are_called_different():
    different = 0
    for seed in range(30):
        assessed, groups = world(dict.fromkeys("ABCDEFGHIJKL", 0.4), n=2400, seed=seed)
        blocks = np.arange(2400) // 60
        found = disparity_of(measured(assessed, groups, blocks=blocks)[0], "selection_rate")
        assert found.difference.value > 0.05
        different += found.difference.low > 0
    assert different <= 4  # 5 % of 30 are 1.5; each of 66 pairs alone would differ in most


def test_equalized_odds_is_the_worse_of_its_rates():
    rng = np.random.default_rng(9)
    n = 6000
    codes = (np.arange(n) % 2).astype(np.int32)
    positive = (rng.random(n) < 0.4).astype(np.int8)
    chance = np.where(positive == 1, np.where(codes, 0.7, 0.65), np.where(codes, 0.1, 0.4))
    nothing = np.zeros(n)
    selected = rng.random(n) < chance
    assessed = Assessed(np.arange(n) * DAY // 60, selected, positive, nothing, *[nothing] * 3)
    found = {
        each.measure: each
        for each in fairness_of(assessed, [Grouping("depot", ("A", "B"), codes)]).disparities
    }
    odds, worse = found["equalized_odds"], found["false_positive_rate"]
    assert odds.difference.value == worse.difference.value
    assert (odds.highest, odds.lowest) == ("A", "B")
    assert odds.difference.high > worse.difference.high
    assert odds.ratio.value == min(found[name].ratio.value for name in ("true_positive_rate", worse.measure))
