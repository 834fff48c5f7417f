"""Businesses that grow, swing and change are left in peace; what is wrong in them is found all the same."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from living_worlds import DAY_S, instants, plant, shop
from wholeroad.road.data.quality.outcomes_steps import is_step
from wholeroad.road.data.quality.times_edges import abrupt, within
from wholeroad.road.data.quality.times_season import season_of
from wholeroad.road.data.quality.values_names import is_signed
from wholeroad.road.data.quality.work import examine
from wholeroad.testing.troubles import clean_world, in_memory

SILENT = pl.Series(np.array(["2023-09-20", "2023-10-10"], dtype="datetime64[us]")).dt.replace_time_zone("UTC")


@cache
def drawn(make, seed=0):
    return make(seed)


def found(world):
    brief, versions, history = in_memory(world)
    return examine(history, brief, sources=versions)


def named(world):
    return {
        (trouble.code.removeprefix("quality."), trouble.source, trouble.columns) for trouble in found(world)
    }


def on(day):
    return instants([day * DAY_S])[0]


@pytest.mark.parametrize("make", [shop, plant])
def test_what_lives_is_left_in_peace(make):
    worlds = [drawn(make, seed) for seed in range(3)]
    told = [trouble.what for world in worlds for trouble in found(world)]
    assert 20 * len(told) / sum(world.columns for world in worlds) <= 1, told


def test_a_word_of_great_weight_stands_out_of_a_catalogue():
    world = drawn(shop)
    cases = world.frames["cases"]
    some = (pl.col("at") >= on(600)) & (pl.col("id") % 5 < 4)
    changed = cases.with_columns(pl.when(some).then(pl.lit("kiosk")).otherwise("product").alias("product"))
    assert ("new-category", "cases", ("product",)) in named(world.with_frame("cases", changed))


def test_several_new_categories_of_a_column_are_told_as_one():
    world = drawn(shop)
    other = pl.col("channel").str.to_uppercase() + "2"
    word = pl.when(pl.col("at") < on(450)).then("channel").otherwise(other)
    changed = world.frames["cases"].with_columns(word.alias("channel"))
    told = [each for each in found(world.with_frame("cases", changed)) if each.code == "quality.new-category"]
    assert [each.columns for each in told] == [("channel",)]
    assert "APP2" in told[0].where
    assert "WEB2" in told[0].where
    assert told[0].rows == changed.height


def test_twice_as_many_rows_for_a_month_are_a_jump_in_spite_of_season_and_growth():
    world = drawn(shop)
    cases = world.frames["cases"]
    more = cases.filter((pl.col("at") >= on(500)) & (pl.col("at") < on(535)))
    again = more.with_columns(pl.col("id") + 1_000_000, pl.col("at") + pl.duration(minutes=7))
    several = pl.concat([cases, again, again.with_columns(pl.col("id") + 1_000_000)]).sort("at")
    assert ("volume-jump", "cases", ()) in named(world.with_frame("cases", several))


def test_a_step_of_the_rate_is_found_in_spite_of_drift_and_season():
    world = drawn(plant)
    results = world.frames["results"]
    late = (pl.col("told_at") >= on(330)) & (pl.col("id") % 4 == 0)
    changed = results.with_columns(pl.when(late).then(pl.lit("yes")).otherwise("result").alias("result"))
    assert ("outcome-rate-shift", "results", ("result",)) in named(world.with_frame("results", changed))


def test_a_silence_from_within_a_week_is_no_closure():
    world = drawn(plant)
    cases = world.frames["cases"]
    silent = (pl.col("at") >= on(302)) & (pl.col("at") < on(318))
    assert ("time-gap", "cases", ()) in named(world.with_frame("cases", cases.filter(~silent)))


def test_a_silence_of_all_sources_is_told_once_and_comes_last():
    world = clean_world("machines", seed=1)
    several = world
    for name in (world.case, world.event):
        frame = world.frames[name]
        at = world.times[name][0]
        inside = (pl.col(at) >= SILENT[0]) & (pl.col(at) < SILENT[1])
        several = several.with_frame(name, frame.filter(~inside))
        alone = world.with_frame(name, frame.filter(~inside))
        gaps = [each for each in found(alone) if each.code == "quality.time-gap" and each.source == name]
        assert [each.touches == "nothing" for each in gaps] == [False]
    gaps = [each for each in found(several) if each.code == "quality.time-gap"]
    gaps = [each for each in gaps if each.source != world.outcome]
    assert [(each.source, each.touches) for each in gaps] == [(world.case, "nothing")]
    assert "nothing happened anywhere" in gaps[0].what


def test_a_segment_of_which_nothing_is_told_is_named_where_silence_is_an_outcome():
    world = drawn(shop)
    cases, results = world.frames["cases"], world.frames["results"]
    gone = cases.filter(product="P08")["id"]
    fewer = results.filter(~pl.col("id").is_in(gone.implode()))
    assert ("segment-without-outcomes", "cases", ("product",)) in named(world.with_frame("results", fewer))


def test_signs_that_were_flipped_are_impossible_and_temperatures_below_zero_are_not():
    world = drawn(shop)
    flipped = pl.when(pl.col("id") % 40 == 0).then(-pl.col("price")).otherwise("price").alias("price")
    told = named(world.with_frame("cases", world.frames["cases"].with_columns(flipped)))
    assert ("impossible-value", "cases", ("price",)) in told
    assert ("impossible-value", "cases", ("temperature",)) not in told


@pytest.mark.parametrize("name", ["temperature", "outside_temp", "deg", "dew_point", "air_c", "grad"])
def test_a_temperature_may_be_below_zero(name):
    assert is_signed(name)


# laws


@settings(deadline=None, max_examples=30)
@given(st.integers(60, 300), st.floats(0.1, 0.4), st.floats(1.4, 2.2))
def test_law_a_drift_is_no_step_and_a_step_is_one(days, low, times):
    cases, at = np.full(days, 200.0), int(0.6 * days)
    when = np.arange(days)
    assert not is_step(200 * low * (1 + (times - 1) * when / days), cases, at=at)
    assert is_step(np.where(when < at, 200 * low, 200 * low * times), cases, at=at)


@settings(deadline=None, max_examples=20)
@given(st.integers(370, 900), st.floats(-0.8, 0.8), st.floats(-1, 1))
def test_law_growth_and_the_season_of_a_year_are_explained_whole(days, swing, growth):
    day = np.arange(days)
    level = np.exp(swing * np.sin(2 * np.pi * day / 365.25) + growth * day / days)
    assert np.allclose(season_of(30 * level, np.full(days, 30.0)), level, rtol=0.02)


@given(st.integers(20, 60), st.integers(8, 60), st.floats(1.6, 4.0))
def test_law_a_step_is_abrupt_and_a_slope_is_not(first, length, times):
    days, expected = np.arange(150), np.full(150, 40.0)
    inside = (days >= first) & (days < first + length)
    total = np.concatenate([[0.0], np.cumsum(expected)])
    stepped = np.concatenate([[0.0], np.cumsum(np.where(inside, times, 1.0) * expected)])
    assert abrupt(stepped, total, run=(first, first + length), times=times)
    slope = np.concatenate([[0.0], np.cumsum(expected * (1 + (times - 1) * days / 150))])
    assert not abrupt(slope, total, run=(first, 150), times=times)
    at = np.array([first]), np.array([first + length])
    assert float(within(total, at[0], last=at[1])[0]) <= length * 40.0
