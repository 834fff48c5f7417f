"""What groups are said to be: chance alone, over many groups, rare things and few cases, says little."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from wholeroad.core.instants import DAY
from wholeroad.road.brief.fairness import LimitTable
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.ratios import Ratios, ratios
from wholeroad.road.model.fairness.assessed import Assessed, Terms
from wholeroad.road.model.fairness.assessing import fairness_of, shrunk
from wholeroad.road.model.fairness.disparities import disparity_of
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold
from wholeroad.road.model.fairness.limits import limits_held
from wholeroad.road.model.fairness.measures import Measured
from wholeroad.road.model.fairness.price import price_curve

TWENTY = np.round(np.geomspace(30, 5000, 20)).astype(int)
DAYS = 90


def parted(measure: str, found: Ratios) -> Measured:
    names = tuple(str(place) for place in range(found.value.size))
    return Measured(Grouping("carrier", names, np.zeros(0, dtype=np.int32)), {measure: found})


def shares(rng: np.random.Generator, sizes: np.ndarray, rates: np.ndarray | float) -> Ratios:
    cases = np.stack([rng.multinomial(size, np.full(DAYS, 1 / DAYS)) for size in sizes])
    hits = rng.binomial(cases, np.broadcast_to(rates, sizes.shape)[:, None])
    return ratios(hits.astype(float), cases.astype(float), share=True)


def amounts(rng: np.random.Generator, sizes: np.ndarray, money: np.ndarray) -> Ratios:
    codes = np.repeat(np.arange(sizes.size), sizes)
    cells, size = rng.integers(0, DAYS, codes.size) + DAYS * codes, DAYS * sizes.size
    sums = (np.bincount(cells, each, minlength=size).reshape(-1, DAYS) for each in (money, None))
    top, bottom = (each.astype(float) for each in sums)
    return ratios(top, bottom, share=False)


@pytest.mark.parametrize("look", [None, 10])
def test_of_many_equal_groups_rare_hits_set_none_apart(look):
    rng = np.random.default_rng(1)
    found = [parted("selection_rate", shares(rng, TWENTY, 0.005)) for _ in range(150)]
    apart = [disparity_of(each, "selection_rate", look=look).difference.low > 0 for each in found]
    assert np.mean(apart) <= 0.03  # Wilson's limits at this level: 0.15, and 0.05 at the tenth look


@pytest.mark.parametrize("gains", ["rare large gains", "rare large losses"])
def test_of_many_equal_groups_those_without_a_rare_amount_are_not_set_apart(gains):
    rng, apart = np.random.default_rng(2), []
    for _ in range(60):
        rare = rng.random(int(TWENTY.sum())) < 0.05
        size = 40 * np.exp(rng.normal(size=rare.size)) if gains == "rare large gains" else -100.0
        money = np.where(rare, size, 0.0 if gains == "rare large gains" else 3.0)
        found = disparity_of(parted("gain_per_case", amounts(rng, TWENTY, money)), "gain_per_case")
        apart.append(found.difference.low > 0)
    assert np.mean(apart) <= 0.05  # without the floor: 0.4 and more


def test_a_limit_at_its_very_bound_is_rarely_said_to_hold_and_rarely_breached():
    rng, stands = np.random.default_rng(3), []
    limit = LimitTable(group="carrier", measure="selection_rate", difference_at_most=0.1 - 1e-9)
    rates = np.array([0.3, *[0.35] * 6, 0.4])
    for _ in range(300):
        found = parted("selection_rate", shares(rng, np.full(8, 2000), rates))
        stands.append(limits_held([found], [limit])[0].standing)
    assert stands.count("holds") / 300 <= 0.05  # one in forty is meant
    assert stands.count("breached") / 300 <= 0.05


def test_groups_that_are_alike_hold_a_limit_more_often_than_all_pairs_together_would_let_them():
    rng, held, together = np.random.default_rng(4), [], []
    limit = LimitTable(group="carrier", measure="selection_rate", difference_at_most=0.07)
    for _ in range(40):
        found = shares(rng, np.full(16, 2000), 0.3)
        held.append(limits_held([parted("selection_rate", found)], [limit])[0].standing == "holds")
        together.append(found.differences(1 - 0.05 / 120).high.max() <= 0.07)
    assert np.mean(held) > np.mean(together) + 0.3


def test_of_sixteen_groups_drawn_by_chance_hardly_any_is_called_different():
    rng, sizes = np.random.default_rng(5), np.round(np.geomspace(60, 3000, 16)).astype(int)
    base, called, measures = np.repeat(np.arange(16), sizes), [], 0
    for _ in range(12):
        codes, n = rng.permutation(base).astype(np.int32), base.size
        seen = rng.normal(-1.2, 1, n)
        late, selected = rng.random(n) < 1 / (1 + np.exp(-seen)), seen > -0.8
        money = np.where(selected, np.where(late, 20.0, -8.0) * np.exp(0.5 * rng.normal(size=n)), 0.0)
        at = np.sort(rng.integers(0, DAYS * DAY, n))
        assessed = Assessed(
            at,
            selected,
            late.astype(np.int8),
            1 / (1 + np.exp(-seen)),
            money,
            np.zeros(n),
            np.maximum(money, 20.0 * late),
        )
        found = fairness_of(assessed, [Grouping("carrier", tuple("abcdefghijklmnop"), codes)])
        measures = len(found.everybody)
        called.append(sum(one.rest.low > 0 or one.rest.high < 0 for one in found.figures if one.enough))
    assert measures >= 12
    assert np.mean(called) <= 1.5  # each group alone at 95 %: about nine


def test_shrinking_of_equal_groups_with_few_days_lies_nearer_to_the_truth():
    rng, off = np.random.default_rng(6), []
    for _ in range(60):
        cases = np.stack([rng.multinomial(size, np.full(8, 1 / 8)) for size in [30] * 10 + [2000]])
        found = ratios(rng.binomial(cases, 0.3).astype(float), cases.astype(float), share=True)
        guess = shrunk(found, towards=float(found.together.value[0]))
        off.append([np.mean((each - 0.3) ** 2) for each in (found.value, guess)])
    raw, drawn_in = np.sqrt(np.mean(off, axis=0))
    assert drawn_in < 0.35 * raw  # a variance of all that is too small by their cases gave half


def test_a_price_of_few_cases_knows_of_the_loss_that_has_not_come_yet():
    """Some cases aren't selected any more: 5 forgone each, and once in 33 a loss of 60 that never came."""
    for seed in range(5):
        cases, values, truth = no_loss_yet(seed)
        aim = Aim("colour", ("colour",), "selection_rate", 0.0, Terms(selected=(0,), positive=0))
        found = price_curve(cases, aim, values=values, truth=truth, matures=0, tolerances=(0.0,))
        point = found.points[0].price_per_case
        kept_from = point.value / 5
        assert 0 < kept_from < 0.1
        assert point.low <= kept_from * (5 * 0.97 - 60 * 0.03) <= point.high


def no_loss_yet(seed: int):
    """Give cases of two groups, of one of which a few more are selected."""
    dice, count = np.random.default_rng(seed), 2000
    group = np.arange(count) % 2
    likely = dice.random(count) < np.where(group == 1, 0.56, 0.5)
    stated = np.where(likely, 0.97 - 0.02 * dice.random(count), 0.8 * dice.random(count))
    probabilities = np.column_stack([stated, 1 - stated])
    values = TableValues(np.array([[5.0, -60.0], [0.0, 0.0]]), {}, count)
    cases = Foretold(
        expected=values.expected(probabilities),
        probabilities=probabilities,
        positive=np.ones(count, dtype=np.int8),
        status_quo=np.ones(count, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        decided_at=np.sort(dice.integers(0, 60 * DAY, count)),
        texts=pl.Series("colour", np.array(["amber", "blue"])[group]),
    )
    return cases, values, np.zeros(count, dtype=np.int8)
