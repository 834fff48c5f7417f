"""Laws of the slice search: halves are honest, chance alone finds little, what is planted is found."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.road.watch.slice_conditions import QUANTILES, levels_of, members, roundest
from wholeroad.road.watch.slice_search import MOST_OVERLAP, overlap
from wholeroad.road.watch.slicing import (
    WEEK,
    Searching,
    held_together,
    honest_half,
    level_of_discoveries,
    worst_slices,
)

RATE = 0.05


def a_world(n=6_000, *, days=120, seed=1, planted=0.0, luck=0.2, sign=1):
    """Skewed losses, luck of the day, features of every kind; north loses more where something is planted."""
    dice = np.random.default_rng(seed)
    decided_at = np.sort(dice.integers(0, days * DAY, n))
    depot = dice.choice(["north", "south", "east"], n, p=[0.2, 0.5, 0.3])
    frame = pl.DataFrame(
        {
            "depot": depot,
            "weight": dice.lognormal(3, 1, n),
            "stops": dice.integers(0, 4, n),
            "rush": dice.random(n) < 0.3,
            "wind": pl.Series(dice.normal(size=n)).set(pl.Series(dice.random(n) < 0.2), None),
        }
    )
    loss = sign * (dice.random(n) < 0.2) * dice.lognormal(1, 1, n)
    loss = loss + dice.normal(0, luck * loss.std(), days)[decided_at // DAY]
    return frame, loss + planted * (depot == "north"), decided_at


def search(world, *, seed=1, **searching):
    frame, loss, decided_at = world
    return worst_slices(
        frame, loss, decided_at=decided_at, loss_name="regret", seed=seed, searching=Searching(**searching)
    )


def told(found):
    """What stands in a result, without the last digits of sums."""
    return [(one.conditions, one.cases, one.clear, round(one.excess.value, 5)) for one in found.slices]


@pytest.mark.parametrize("sign", [1, -1], ids=["few lose much", "few gain much"])
def test_law_worlds_without_slices_show_one_no_more_often_than_the_rate(sign):
    worlds = 100
    false = sum(
        bool(search(a_world(2_500, seed=seed, sign=sign), seed=seed, most_conditions=2).clear)
        for seed in range(worlds)
    )
    margin = 2.4 * math.sqrt(RATE * (1 - RATE) / worlds)
    assert false / worlds <= RATE + margin


def test_planted_slices_of_one_two_and_three_conditions_are_found_first():
    for conditions, excess in ((1, 1.5), (2, 3.0), (3, 5.0)):
        frame, loss, decided_at = a_world(12_000, seed=conditions)
        planted = (frame["depot"] == "north").to_numpy()
        if conditions > 1:
            planted &= frame["weight"].to_numpy() >= 33
        if conditions > 2:
            planted &= frame["rush"].to_numpy()
        found = search((frame, loss + excess * planted, decided_at))
        first = found.clear[0]
        assert len(first.conditions) == conditions
        assert overlap(members(first.where, frame), planted) >= MOST_OVERLAP
        assert first.excess.low <= excess <= first.excess.high


@given(st.integers(0, 1000), st.integers(20, 300))
@settings(max_examples=20, deadline=None)
def test_law_halves_are_whole_blocks_and_more_cases_do_not_move_those_there(seed, days):
    at = np.arange(days * 5, dtype=np.int64) * DAY // 5
    honest, blocks = honest_half(at, seed=seed)
    length = WEEK if blocks == "weeks" else DAY
    assert blocks == ("weeks" if np.unique(at // WEEK).size >= 8 else "days")
    for block in np.unique(at // length):
        assert np.unique(honest[at // length == block]).size == 1
    assert 0.3 < honest.mean() < 0.7
    longer, again = honest_half(np.append(at, days * DAY), seed=seed)
    if again == blocks:
        np.testing.assert_array_equal(longer[: at.size], honest)


def test_law_losses_of_the_honest_half_never_change_what_is_tested():
    frame, loss, decided_at = a_world(planted=1.0)
    honest, _ = honest_half(decided_at, seed=1)
    other = np.where(honest, np.random.default_rng(5).permutation(loss) * 3 - 7, loss)
    before, after = search((frame, loss, decided_at)), search((frame, other, decided_at))
    assert before.searched == after.searched
    assert {one.conditions for one in before.slices} == {one.conditions for one in after.slices}
    assert told(before) != told(after)


def test_law_losses_of_the_searched_half_never_change_what_a_slice_is_told_to_lose():
    frame, loss, decided_at = a_world(planted=1.0)
    honest, _ = honest_half(decided_at, seed=1)
    worse = np.where(honest, loss, loss + 3 * (frame["depot"] == "north").to_numpy())
    north = [
        next(one for one in search((frame, own, decided_at)).slices if one.conditions == ("depot = 'north'",))
        for own in (loss, worse)
    ]
    assert north[0].excess.value == north[1].excess.value
    assert north[0].figure.value == north[1].figure.value


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_law_neither_rows_of_a_day_nor_columns_have_an_order(seed):
    frame, loss, decided_at = a_world(3_000, planted=1.0)
    dice = np.random.default_rng(seed)
    order = np.lexsort((dice.random(loss.size), decided_at // DAY))
    columns = dice.permutation(frame.columns).tolist()
    mixed = frame.select(columns)[order], loss[order], decided_at[order]
    assert told(search(mixed)) == told(search((frame, loss, decided_at)))


@given(st.floats(-1e6, 1e6))
@settings(max_examples=6, deadline=None)
def test_law_a_constant_added_to_every_loss_changes_nothing_but_the_level(constant):
    frame, loss, decided_at = a_world(3_000, planted=1.0)
    before, after = search((frame, loss, decided_at)), search((frame, loss + constant, decided_at))
    assert told(before) == told(after)
    assert after.overall.value == pytest.approx(before.overall.value + constant)


def test_law_conditions_select_exactly_the_cases_that_are_counted():
    frame, loss, decided_at = a_world(planted=0.6)
    honest, _ = honest_half(decided_at, seed=1)
    found = search((frame, loss, decided_at))
    assert found.cases == (int((~honest).sum()), int(honest.sum()))
    for one in found.slices:
        own = members(one.where, frame) & honest
        assert one.cases == int(own.sum())
        assert one.figure.value == pytest.approx(loss[own].mean())
        assert one.excess.value == pytest.approx(loss[own].mean() - loss[honest & ~own].mean())
        assert one.share_of_loss == pytest.approx(loss[own].sum() / loss[honest].sum())
        assert one.conditions == tuple(condition.says for condition in one.where)


def test_law_clear_is_an_interval_above_none_and_few_slices_are_alike():
    for seed in range(4):
        frame, loss, decided_at = a_world(seed=seed, planted=0.9)
        found = search((frame, loss, decided_at))
        assert found.tested == len(found.slices) <= 10
        held = [members(one.where, frame) for one in found.slices]
        for one in found.slices:
            assert one.clear == (one.excess.low > -1e-9)
            assert one.excess.low < one.excess.value < one.excess.high
        for place, own in enumerate(held):
            assert all(overlap(own, other) < 0.6 for other in held[:place])
        totals = [one.excess.value * one.cases for one in found.slices]
        assert totals == sorted(totals, reverse=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_law_the_level_is_that_of_benjamini_and_yekutieli(p_values):
    m = len(p_values)
    bounds = [k * RATE / (m * sum(1 / i for i in range(1, m + 1))) for k in range(1, m + 1)]
    passed = [k for k, p in enumerate(sorted(p_values)) if p <= bounds[k]]
    expected = bounds[passed[-1]] if passed else bounds[0]
    assert level_of_discoveries(np.array(p_values), RATE) == pytest.approx(expected, rel=1e-12)


def test_what_slices_hold_together_counts_no_case_twice():
    frame, loss, decided_at = a_world(planted=1.0)
    loss = np.abs(loss)
    slices = search((frame, loss, decided_at)).slices[:3]
    held = np.logical_or.reduce([members(one.where, frame) for one in slices])
    together = held_together(slices, frame, loss=loss)
    assert together.cases == int(held.sum())
    assert together.share_of_loss == pytest.approx(loss[held].sum() / loss.sum())
    assert sum(together.adds) == pytest.approx(together.share_of_loss)
    assert together.adds[0] == pytest.approx(loss[members(slices[0].where, frame)].sum() / loss.sum())
    assert held_together((), frame, loss=loss) is None


def test_missing_values_and_booleans_can_be_slices():
    frame, loss, decided_at = a_world(seed=3)
    lost = frame["wind"].is_null().to_numpy() * 2.0
    found = search((frame, loss + lost, decided_at))
    assert found.clear[0].conditions == ("wind is missing",)
    assert found.together.cases >= found.clear[0].cases
    rushed = search((frame, loss + 2.0 * frame["rush"].to_numpy(), decided_at))
    assert rushed.clear[0].conditions == ("rush = true",)


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=2, max_size=80))
@settings(max_examples=60, deadline=None)
def test_law_every_level_of_a_number_holds_what_its_words_say(values):
    series = pl.Series("x", [None if value is None else float(value) for value in values])
    found = levels_of(series, np.ones(len(values), dtype=bool))
    if isinstance(found, str):
        assert found in ("constant", "every value is null")
        return
    frame = series.to_frame()
    for place, condition in enumerate(found.conditions):
        np.testing.assert_array_equal(found.members(place), members([condition], frame))
        assert found.members(place).any()
    assert found.count <= 2 * len(QUANTILES) + 40


def test_words_of_conditions():
    every = np.ones(1000, dtype=bool)
    whole = levels_of(pl.Series("stops", np.arange(1000) % 4), every)
    assert [one.says for one in whole.conditions[:4]] == [
        "stops < 1",
        "stops < 2",
        "stops < 3",
        "stops = 1",
    ]
    money = levels_of(pl.Series("paid", np.where(np.arange(1000) % 2, 0.0, np.arange(1000) / 7)), every)
    says = [one.says for one in money.conditions]
    assert "paid >= 0.1" in says or any(text.startswith("paid < 0.") for text in says)
    texts = [f"o'{place % 30}" for place in range(1000)]
    many = levels_of(pl.Series("town", texts), every)
    assert many.conditions[0].says == "town = 'o''0'"
    assert many.conditions[-1].says == "town is none of its 20 most frequent values"


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6))
def test_law_the_roundest_number_lies_between(above, width):
    up_to = above + width
    if above < up_to:
        assert above < roundest(above, up_to) <= up_to


def test_features_that_tell_nothing_are_left_out_with_a_reason():
    frame, loss, decided_at = a_world(planted=1.0)
    frame = frame.with_columns(
        same=pl.lit("x"), none=pl.lit(None, dtype=pl.Float64), day=pl.lit(0).cast(pl.Date)
    )
    found = search((frame, loss, decided_at))
    assert dict(found.left_out) == {
        "same": "constant",
        "none": "every value is null",
        "day": "Date is no number, boolean or text",
    }
    assert found.clear


def test_where_nothing_can_be_searched_the_reason_is_given():
    frame, loss, decided_at = a_world(300)
    few = search((frame[:60], loss[:60], decided_at[:60]))
    assert few.slices == ()
    assert "are wanted of each" in few.reason
    equal = search((frame, np.ones(300), decided_at))
    assert equal.reason == "all cases lost the same"
    one_day = search((frame, loss, np.zeros(300, dtype=np.int64)))
    assert "are wanted of each" in one_day.reason
    nothing = search((frame.select(pl.lit(1).alias("same").repeat_by(300).explode()), loss, decided_at))
    assert nothing.reason == "no feature can be searched"
    none = search((frame[:0], loss[:0], decided_at[:0]))
    assert none.slices == ()
    assert none.reason


def test_cases_whose_loss_is_not_known_are_left_out():
    frame, loss, decided_at = a_world(planted=1.0)
    unknown = np.random.default_rng(1).random(loss.size) < 0.3
    with_them = search((frame, np.where(unknown, np.nan, loss), decided_at))
    without = search((frame.filter(pl.Series(~unknown)), loss[~unknown], decided_at[~unknown]))
    assert with_them == without


def test_settings_that_search_nothing_are_refused():
    for wrong in ({"rate": 0.0}, {"most_conditions": 4}, {"least_cases": 1}, {"most_tested": 0}):
        with pytest.raises(ValueError, match=r"was|least"):
            Searching(**wrong)
