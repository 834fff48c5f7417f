"""Trouble that is seen in times, keys and outcomes, planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from wholeroad.testing.troubles_drawing import DAYS, END, START, World
from wholeroad.testing.troubles_planting import Bed, Planted, Planter, copied, new_keys, truths

_NEW_WORDS: Final = ("kiosk", "relay", "module 9", "pilot")
_OTHER_NEW_WORDS: Final = ("Z", "2024-X", "standard plus")


def _window(bed: Bed) -> tuple[np.datetime64, np.datetime64]:
    """Draw a stretch of the span that is the kind's share of it; short ones begin on a working day."""
    length = bed.share * DAYS
    days = np.arange(int(0.15 * DAYS), int(0.85 * DAYS - length))
    first = int(bed.dice.choice(days[days % 7 <= 2] if length < 3 else days))
    start = START + np.timedelta64(first, "D") + np.timedelta64(4, "h")
    return start, start + np.timedelta64(round(length * 24), "h")


def _within(column: str, window: tuple[np.datetime64, np.datetime64]) -> pl.Expr:
    low, high = (pl.lit(at).dt.replace_time_zone("UTC") for at in window)
    return (pl.col(column) >= low) & (pl.col(column) < high)


def _without(bed: Bed, source: str, marked: pl.Series) -> World:
    """Take rows away, and the outcomes of cases with them."""
    world, key = bed.world, bed.world.keys[source]
    frame = world.frames[source]
    fewer = world.with_frame(source, frame.filter(~marked))
    if source != world.case:
        return fewer
    gone = frame.filter(marked)[key].unique()
    outcomes = world.frames[world.outcome]
    return fewer.with_frame(world.outcome, outcomes.filter(~pl.col(key).is_in(gone.implode())))


def time_gap(bed: Bed) -> tuple[World, Planted]:
    """Plant a stretch of time of which no row is there."""
    source = bed.source("case", "event")
    frame = bed.world.frames[source]
    inside = frame.select(_within(bed.world.times[source][0], _window(bed))).to_series()
    return _without(bed, source, inside), bed.told(source, int(inside.sum()))


def backfill(bed: Bed) -> tuple[World, Planted]:
    """Plant a run of rows that all became known at one instant, days later."""
    source = bed.source("event", "outcome")
    known = bed.world.times[source][1]
    marked = bed.run(source, share=bed.share)
    frame = bed.world.frames[source]
    last = frame.filter(marked)[known].max()
    wait = pl.duration(hours=int(bed.dice.integers(48, 20 * 24)))
    world, planted = bed.with_values(source, known, marked=marked, value=pl.lit(last) + wait)
    return _known_in_time(world, source), replace(planted, columns=())


def late_arrivals(bed: Bed) -> tuple[World, Planted]:
    """Plant rows that come a month or two after the others of their day."""
    source = bed.source("event", "outcome")
    known = bed.world.times[source][1]
    early = pl.col(known) < pl.lit(END - np.timedelta64(62, "D")).dt.replace_time_zone("UTC")
    marked = bed.some(source, where=early)
    hours = pl.Series(bed.dice.integers(30 * 24, 60 * 24, len(marked)))
    value = pl.col(known) + pl.duration(hours=pl.lit(hours))
    world, planted = bed.with_values(source, known, marked=marked, value=value)
    return world, replace(planted, columns=())


def _known_in_time(world: World, source: str) -> World:
    known = pl.col(world.times[source][1])
    return world.with_frame(
        source, world.frames[source].filter(known <= pl.lit(END).dt.replace_time_zone("UTC"))
    )


def key_changed_meaning(bed: Bed) -> tuple[World, Planted]:
    """Plant keys that are given out again: those of old rows to new ones, or those of customers to others."""
    world = bed.world
    frame = world.frames[world.event]
    if bed.dice.integers(2):
        key, count = world.keys[world.event], bed.count(world.event)
        old = bed.dice.permutation(frame.height // 2)[:count]
        new = frame.height - 1 - bed.dice.permutation(frame.height // 3)[:count]
        keys = np.arange(frame.height)
        keys[new] = old
        again = frame.with_columns(frame[key].gather(keys))
        return world.with_frame(world.event, again), bed.told(world.event, count, key)
    fixed = next(place.column for place in world.of("fixed"))
    late = frame.select(bed.late(world.event, 0.5)).to_series()
    counts = frame.filter(late)[world.reference].value_counts().sort(world.reference)
    counts = counts[bed.dice.permutation(counts.height)]
    enough = int((counts["count"].cum_sum() < bed.count(world.event)).sum()) + 1
    some = counts[world.reference].to_list()[: max(2, enough)]
    moved = pl.col(world.reference).replace(dict(zip(some, [*some[1:], some[0]], strict=True)))
    marked = late & frame[world.reference].is_in(some)
    other, planted = bed.with_values(world.event, world.reference, marked=marked, value=moved)
    return other, replace(planted, columns=(world.reference, fixed))


def missing_tells_outcome(bed: Bed) -> tuple[World, Planted]:
    """Plant values that are missing nine times of ten where the class that is looked for came true."""
    case = bed.world.case
    place = bed.place(
        "amount",
        "category",
        "name",
        "share",
        "measure",
        where=lambda place: place.source == case and not place.calculated,
    )
    hit = pl.lit(truths(bed.world))
    there = pl.col(place.column).is_not_null()
    count = bed.count(case)
    told = bed.some(case, where=hit & there, count=max(1, round(0.9 * count)))
    untold = bed.some(case, where=~hit & there, count=round(0.1 * count))
    return bed.changed(place, told | untold, value=pl.lit(None))


def missing_since(bed: Bed) -> tuple[World, Planted]:
    """Plant a column that is empty from some instant on."""
    place = bed.place(
        "amount", "category", "name", "share", "measure", timed=True, where=lambda place: not place.calculated
    )
    return bed.changed(place, bed.run(place.source, last=True), value=pl.lit(None))


def known_too_late(bed: Bed) -> tuple[World, Planted]:
    """Plant a column of the case that is filled in days after the decision."""
    world = bed.world
    case = world.case
    place = bed.place(
        "amount",
        "category",
        "name",
        "share",
        "measure",
        where=lambda place: place.source == case and not place.calculated,
    )
    share = {"large": 1.0, "middle": 0.3, "small": 0.05}[bed.size]
    marked = bed.some(case, count=bed.count(case, share))
    happened, known = world.times[case]
    frame = world.frames[case]
    last = frame.filter(marked).unique(world.keys[case], keep="last", maintain_order=True)
    hours = pl.Series(bed.dice.integers(3 * 24, 10 * 24, last.height))
    late = pl.max_horizontal(known, happened) + pl.duration(hours=pl.lit(hours))
    filled = last.with_columns(late.alias(known))
    empty, planted = bed.changed(place, marked, value=pl.lit(None))
    whole = empty.with_frame(case, pl.concat([empty.frames[case], filled]))
    return _known_in_time(whole, case), planted


def outcome_rate_shift(bed: Bed) -> tuple[World, Planted]:
    """Plant from some instant on the class that is looked for comes true more often, or less."""
    world = bed.world
    source, (column, bar) = world.outcome, world.hit
    frame = world.frames[source]
    late, hit = bed.late(source, 0.4), pl.col(column) > bar
    fewer = frame.filter(late & hit).height > 1.2 * bed.count(source) and bool(bed.dice.integers(2))
    marked = bed.some(source, where=late & (hit if fewer else ~hit))
    others = frame.filter(~hit if fewer else hit)[column]
    value = others.gather(bed.dice.integers(0, len(others), frame.height))
    changed, planted = bed.with_values(source, column, marked=marked, value=value)
    return changed, replace(planted, also=(world.case,))


def segment_without_outcomes(bed: Bed) -> tuple[World, Planted]:
    """Plant a segment of cases of which no outcome ever comes."""
    world = bed.world
    key = world.keys[world.case]
    cases = world.frames[world.case]
    found = []
    for place in world.of("category", "name"):
        if place.source == world.case:
            shares = cases[place.column].value_counts(normalize=True).sort(place.column)
            off = (shares["proportion"] / bed.share).log().abs()
            found += [
                (float(far), place.column, word) for far, word in zip(off, shares[place.column], strict=True)
            ]
    near = [each for each in sorted(found) if each[0] < np.log(1.6)] or [min(found)]
    _, column, word = bed.one_of(tuple(near))
    gone = cases.filter(pl.col(column) == word)[key].unique()
    outcomes = world.frames[world.outcome]
    kept = outcomes.filter(~pl.col(key).is_in(gone.implode()))
    told = bed.told(world.case, outcomes.height - kept.height, column, also=(world.outcome,))
    return world.with_frame(world.outcome, kept), told


def leak(bed: Bed) -> tuple[World, Planted]:
    """Plant a new column of the case, and a feature of it, written when the truth was known already."""
    world = bed.world
    cases = world.frames[world.case]
    hit = truths(world)
    rate = float(hit.mean())  # type: ignore[arg-type]
    share = {"large": 0.95, "middle": 0.7, "small": 0.3}[bed.size]
    true = hit.to_numpy() if hit.null_count() == 0 else hit.fill_null(value=False).to_numpy()
    tells = (bed.dice.random(cases.height) < share) & hit.is_not_null().to_numpy()
    says = np.where(tells, true, bed.dice.random(cases.height) < rate)
    if bed.dice.integers(2):
        name, values = (
            "handling",
            pl.Series(np.where(says, "K7", bed.dice.choice(["K1", "K2"], cases.height))),
        )
    else:
        median = np.where(says, 31.0, 9.0)
        name, values = (
            "final_fee_eur",
            pl.Series((median * bed.dice.lognormal(0, 0.25, cases.height)).round(2)),
        )
    key = world.keys[world.case]
    wider = cases.with_columns(values.alias(name)).with_columns(pl.col(name).first().over(key))
    feature = f'[feature]\n{name} = {{ column = "{name}" }}\n'
    world = replace(world, brief=world.brief.replace("[feature]\n", feature, 1))
    return world.with_frame(world.case, wider), bed.told(world.case, int(tells.sum()), name)


def new_category(bed: Bed) -> tuple[World, Planted]:
    """Plant a word that nobody wrote before, in the last quarter of the span."""
    place = bed.place("category", timed=True)
    marked = bed.some(place.source, where=bed.late(place.source, 0.25))
    return bed.changed(place, marked, value=pl.lit(bed.form(*_NEW_WORDS, unseen=_OTHER_NEW_WORDS)))


def volume_jump(bed: Bed) -> tuple[World, Planted]:
    """Plant a stretch of time with twice as many rows as usual, or half as many."""
    source = bed.source("case", "event")
    world = bed.world
    happened = world.times[source][0]
    frame = world.frames[source]
    inside = frame.select(_within(happened, _window(bed))).to_series()
    if bed.dice.integers(2):
        key = world.keys[source]
        gone = frame.filter(inside)[key].unique(maintain_order=True)
        gone = gone.gather(bed.dice.permutation(len(gone))[: len(gone) // 2])
        marked = frame[key].is_in(gone.implode())
        return _without(bed, source, marked), bed.told(source, int(marked.sum()))
    times = frame.filter(inside)[happened]
    rows = frame.filter(bed.some(source, count=len(times))).unique(
        world.keys[source], keep="first", maintain_order=True
    )
    rows = rows.sort(happened)[: len(times)]
    later = (times[: rows.height] - rows[happened]).dt.total_seconds()
    later += pl.Series(bed.dice.integers(-1800, 1800, rows.height))
    return _known_in_time(copied(bed, source, rows=rows, later_s=later), source), bed.told(
        source, rows.height
    )


def clock_shift(bed: Bed) -> tuple[World, Planted]:
    """Plant a run of rows whose clock was hours behind; perhaps that of the receiver too."""
    source = bed.source("case", "event")
    happened, known = bed.world.times[source]
    marked = bed.run(source, last=bool(bed.dice.integers(2)))
    hours = pl.duration(hours=int(bed.form(2, 5, 6, 8, 12, unseen=(3, 4, 7, 9))))
    columns = (happened,) if source == bed.world.event and bed.dice.integers(2) else (happened, known)
    shifted = [
        pl.when(pl.lit(marked)).then(pl.col(column) - hours).otherwise(column).alias(column)
        for column in columns
    ]
    world = bed.world.with_frame(source, bed.world.frames[source].with_columns(shifted))
    return world, bed.told(source, int(marked.sum()))


def orphans(bed: Bed) -> tuple[World, Planted]:
    """Plant references to nobody: unknown customers, outcomes of unknown cases."""
    world = bed.world
    source = bed.source("case", "event", "outcome")
    column = world.keys[source] if source == world.outcome else world.reference
    known = (
        world.frames[world.case][column] if source == world.outcome else world.frames[world.static][column]
    )
    marked = bed.some(source)
    unknown = new_keys(known, len(marked) if source == world.outcome else 40)
    order = bed.dice.permutation(len(marked)) % len(unknown)
    return bed.with_values(source, column, marked=marked, value=unknown.gather(order))


OF_TIME: Final[Mapping[str, Planter]] = {
    "quality.time-gap": time_gap,
    "quality.backfill": backfill,
    "quality.late-arrivals": late_arrivals,
    "quality.key-changed-meaning": key_changed_meaning,
    "quality.missing-tells-outcome": missing_tells_outcome,
    "quality.missing-since": missing_since,
    "quality.known-too-late": known_too_late,
    "quality.outcome-rate-shift": outcome_rate_shift,
    "quality.segment-without-outcomes": segment_without_outcomes,
    "quality.leak": leak,
    "quality.new-category": new_category,
    "quality.volume-jump": volume_jump,
    "quality.clock-shift": clock_shift,
    "quality.orphans": orphans,
}
