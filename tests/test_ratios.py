"""Figures by group: sums, variances over blocks of time, intervals, differences and quotients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from wholeroad.road.data.bias.ratios import Ratios, ratios, tally
from wholeroad.road.data.bias.student import student

several = settings(deadline=None, max_examples=60)


@st.composite
def cases(draw, *, least: int = 1, most: int = 80):
    """Codes, blocks, whether each case counts, and an amount."""
    n = draw(st.integers(least, most))
    groups = draw(st.integers(1, 5))
    blocks = draw(st.integers(1, 9))
    codes = draw(arrays.arrays(np.int32, n, elements=st.integers(0, groups - 1)))
    block = np.sort(draw(arrays.arrays(np.int64, n, elements=st.integers(0, blocks - 1))))
    hit = draw(arrays.arrays(np.bool_, n))
    amount = draw(arrays.arrays(np.float64, n, elements=st.integers(-50, 50).map(float)))
    return codes, block, hit, amount, groups


def made(codes, block, hit, amount, groups) -> tuple[Ratios, Ratios]:
    sums = tally(codes, block, groups=groups, columns={"n": None, "hit": hit, "amount": amount})
    return ratios(sums["hit"], sums["n"], share=True), ratios(sums["amount"], sums["n"], share=False)


def same(one: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@several
@given(cases())
def test_a_tally_is_the_sum_of_the_cases_of_each_cell(world):
    codes, block, hit, amount, groups = world
    found = tally(codes, block, groups=groups, columns={"n": None, "hit": hit, "amount": amount})
    for group in range(groups):
        for place in range(int(block.max()) + 1):
            members = (codes == group) & (block == place)
            assert found["n"][group, place] == members.sum()
            assert found["hit"][group, place] == hit[members].sum()
            assert found["amount"][group, place] == amount[members].sum()


@several
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_cases_within_a_block_changes_nothing(world, random):
    codes, block, hit, amount, groups = world
    order = list(range(codes.size))
    random.shuffle(order)
    order.sort(key=lambda row: block[row])
    for one, other in zip(
        made(codes, block, hit, amount, groups),
        made(codes[order], block, hit[order], amount[order], groups),
        strict=True,
    ):
        assert np.array_equal(one.interval(0.95), other.interval(0.95), equal_nan=True)
        same(one.differences(0.9).low, other.differences(0.9).low)


@several
@given(cases(), st.randoms(use_true_random=False))
def test_another_numbering_of_groups_and_blocks_changes_no_figure(world, random):
    codes, block, hit, amount, groups = world
    names, days = list(range(groups)), list(range(int(block.max()) + 1))
    random.shuffle(names)
    random.shuffle(days)
    renamed, moved = np.array(names)[codes], np.array(days)[block]
    for one, other in zip(
        made(codes, block, hit, amount, groups), made(renamed, moved, hit, amount, groups), strict=True
    ):
        for name in ("value", "standard_error", "freedom", "skewness"):
            same(getattr(one, name), getattr(other, name)[names])
        same(one.interval(0.95)[0], other.interval(0.95)[0][names])
        same(one.versus_rest(0.95).high, other.versus_rest(0.95).high[names])


@several
@given(cases(least=4))
def test_merging_all_groups_gives_everybody(world):
    codes, block, hit, amount, groups = world
    parts = made(codes, block, hit, amount, groups)
    wholes = made(np.zeros_like(codes), block, hit, amount, 1)
    for part, whole in zip(parts, wholes, strict=True):
        everybody = part.everybody(0.95)
        same(everybody.value, whole.value[0])
        same([everybody.low, everybody.high], [end[0] for end in whole.interval(0.95)])
        known = part.cases > 0
        pooled = np.sum(part.value[known] * part.cases[known]) / part.cases.sum()
        same(pooled, everybody.value)


@several
@given(cases(least=4))
def test_of_two_groups_the_rest_is_the_other(world):
    codes, block, hit, amount, _ = world
    for found in made(np.minimum(codes, 1), block, hit, amount, 2):
        apart = found.versus_rest(0.95)
        pair, error = found.difference(0, 1, confidence=0.95)
        same([apart.value[0], apart.low[0], apart.high[0]], [pair.value, pair.low, pair.high])
        same(apart.standard_error[0], error)
        same(apart.value[1], -apart.value[0])
        same(apart.low[1], -apart.high[0])


@several
@given(cases(), st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_more_confidence_never_narrows_an_interval(world, one, other):
    less, more = sorted((one, other))
    for found in made(*world):
        inner, outer = found.bounds(less), found.bounds(more)
        assert np.all(outer.low <= inner.low + 1e-9)
        assert np.all(outer.high >= inner.high - 1e-9)


def test_more_confidence_widens_differences_and_quotients():
    rng = np.random.default_rng(2)
    size = rng.integers(1, 9, (4, 30))
    found = ratios(rng.binomial(size, 0.3), size.astype(float), share=True)
    for ask in (found.differences, found.versus_rest, found.quotients):
        for inner, outer in itertools.pairwise(ask(level) for level in (0.5, 0.8, 0.95, 0.999)):
            assert np.all(outer.low <= inner.low)
            assert np.all(outer.high >= inner.high)


@several
@given(cases())
def test_a_figure_lies_in_its_interval_and_a_share_from_0_to_1(world):
    share, amount = made(*world)
    for found in (share, amount):
        low, high = found.interval(0.95)
        known = found.cases > 0
        assert np.all(low[known] <= found.value[known])
        assert np.all(high[known] >= found.value[known])
        assert np.all(np.isneginf(low[~known]) & np.isposinf(high[~known]))
        assert np.all(np.isnan(found.value[~known]))
        apart = found.differences(0.95)
        assert np.all((apart.low <= apart.value) | np.isnan(apart.value))
        assert np.all((apart.high >= apart.value) | np.isnan(apart.value))
    low, high = share.interval(0.95)
    told = np.isfinite(low)
    assert np.all((low[told] >= 0) & (high[told] <= 1))


@several
@given(cases())
def test_a_quotient_stays_within_its_interval_and_turns_over(world):
    share, _ = made(*world)
    found = share.quotients(0.95)
    assert np.all((found.low <= found.value + 1e-9) | ~np.isfinite(found.value))
    assert np.all((found.high >= found.value - 1e-9) | ~np.isfinite(found.value))
    for one, other in np.argwhere((found.low > 1e-6) & np.isfinite(found.high)):
        same(1 / found.low[one, other], found.high[other, one])


@pytest.mark.parametrize("share", [True, False])
def test_one_block_alone_tells_nothing_of_the_error(share):
    found = ratios(np.array([[3.0, 0.0]]), np.array([[40.0, 0.0]]), share=share)
    assert found.interval(0.95) == (-np.inf, np.inf)
    assert np.isinf(found.standard_error[0])


@pytest.mark.parametrize(("hits", "end"), [(0.0, 0), (1.0, 1)])
def test_nothing_or_everything_has_an_interval_with_width(hits, end):
    size = np.full((2, 12), 5.0)
    found = ratios(size * [[hits], [0.5]], size, share=True)
    low, high = found.interval(0.95)
    assert (low[0], high[0])[end] == end
    assert 0.02 < high[0] - low[0] < 0.1
    assert found.standard_error[0] > 0


def test_cases_in_blocks_of_their_own_get_wilsons_interval():
    hit = np.zeros((1, 60))
    hit[0, :13] = 1
    low, high = ratios(hit, np.ones((1, 60)), share=True).interval(0.95)
    expected = stats.binomtest(13, 60).proportion_ci(0.95, method="wilson")
    same([low[0], high[0]], [expected.low, expected.high])


def test_equal_blocks_get_students_interval_of_their_means():
    money = np.array([[1.0, -2.0, 3.0, -1.0, 2.0, -3.0]])
    found = ratios(money * 4, np.full((1, 6), 4.0), share=False)
    same(found.standard_error, [np.std(money, ddof=1) / np.sqrt(6)])
    same(found.freedom, [5.0])
    same(found.skewness, [0.0])
    expected = stats.t.interval(0.95, 5, 0.0, found.standard_error[0])
    np.testing.assert_allclose(np.ravel(found.interval(0.95)), expected, rtol=1e-5)


def test_days_that_are_alike_within_widen_the_interval():
    cases, luck = np.full((1, 20), 30.0), np.tile([3.0, 15.0], 10)[None]
    alike = ratios(luck, cases, share=True)
    mixed = ratios(np.full((1, 20), 9.0) + np.tile([1.0, -1.0], 10), cases, share=True)
    assert alike.value == mixed.value
    assert alike.effective < cases.sum() / 4
    assert np.ptp(alike.interval(0.95)) > 2 * np.ptp(mixed.interval(0.95))


def test_what_groups_share_cancels_from_their_difference():
    rng = np.random.default_rng(5)
    luck = rng.normal(0, 3, 40)
    money = np.stack([luck + rng.normal(0, 0.3, 40), luck + 1 + rng.normal(0, 0.3, 40)])
    found = ratios(money, np.ones((2, 40)), share=False)
    apart, error = found.difference(1, 0, confidence=0.95)
    assert 0.7 < apart.low < 1 < apart.high < 1.3
    assert error < found.standard_error[0] / 5
    assert abs(stats.ttest_rel(money[1], money[0]).statistic - apart.value / error) < 0.01


def test_skewed_money_reaches_further_on_the_side_of_its_tail():
    money = np.zeros((1, 40))
    money[0, :3] = [30, 8, 5]
    low, high = ratios(money, np.ones((1, 40)), share=False).interval(0.95)
    middle = money.mean()
    assert high[0] - middle > 1.2 * (middle - low[0])


@given(st.floats(0.5, 1 - 1e-7), st.floats(2, 1e6))
@several
def test_students_quantile_is_right(confidence, freedom):
    found = student(confidence, np.array([freedom]))[0]
    assert found == pytest.approx(stats.t.isf((1 - confidence) / 2, freedom), rel=2e-3)


def test_students_quantile_is_never_too_small_and_infinite_below_one():
    few = np.array([1.0, 1.05, 1.2, 1.5, 1.9])
    found = student(0.95, few)
    assert np.all(found >= stats.t.isf(0.025, few) * (1 - 1e-9))
    assert np.all(np.isinf(student(0.95, np.array([0.99, 0.0, np.nan]))))
