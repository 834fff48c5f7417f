"""Clocks that were some whole hours off for a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, UNITS
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_arrivals import whole_hours
from wholeroad.road.data.quality.times_days import Days, Told, days_of
from wholeroad.road.data.quality.times_runs import Bounds, bar_of, find_run
from wholeroad.road.data.quality.times_telling import cases_between, span_words, tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found

Floats = NDArray[np.float64]

_HOUR: Final = UNITS["h"]
_HOURS: Final = 24
_LEAST_ROWS: Final = 200
_APART: Final = 0.12
"""Distance of the run's daily profile from the others', at least: half the sum of differences, 0 to 1."""
_NEARER: Final = 0.4


@dataclass(frozen=True, slots=True)
class _Shift:
    first: int
    last: int
    hours: int
    surety: float
    how: str


def find_clock_shifts(seen: Seen) -> Iterator[Trouble]:
    """Find runs of days whose instants lie some whole hours off.

    The hours of the day of a run are those of the other days, rotated: the gain in log-likelihood of each
    rotation is added up over the days, and the best run found by its greatest partial sum (a scan over time,
    as in Kulldorff 1997, with the rotated profile for the alternative). Where the day has no rhythm, or
    only one of two clocks was off, delays that are all longer or shorter by the same whole hours tell.
    """
    if not seen.timed or seen.rows.height < _LEAST_ROWS:
        return
    clock = seen.clock
    shifts = [
        (days, shift)
        for at in (clock.happened, clock.known)
        if (shift := _rotated(at, days := days_of(at, known=clock.there))) is not None
    ]
    if (moved := _moved(seen)) is not None:
        shifts.append((clock.days, moved))
    if not shifts:
        return
    days, shift = max(shifts, key=lambda each: each[1].surety)
    yield _told(seen, days, shift)


def _rotated(at: NDArray[np.int64], days: Days) -> _Shift | None:
    held = days.place >= 0
    if not held.any():
        return None
    hour = (at[held] % DAY) // _HOUR
    table = np.zeros((days.count, _HOURS))
    np.add.at(table, (days.place[held], hour), 1.0)
    outside = np.ones(days.count, dtype=bool)
    shift: _Shift | None = None
    for _ in range(2):
        profile = _profile(table[outside])
        shift = _best(table, profile, outside)
        if shift is None:
            return None
        outside = np.ones(days.count, dtype=bool)
        outside[shift.first : shift.last] = False
        if outside.sum() < days.count / 3:
            return None
    if shift is None:
        return None
    inside, others = _profile(table[~outside], 0.0), _profile(table[outside])
    apart = 0.5 * float(np.abs(inside - others).sum())
    # What is left after the rotation is held against what so few rows differ by anyway.
    noise = float((others * (1 - others)).sum()) * (1 / table[~outside].sum() + 1 / table[outside].sum())
    far = float(((inside - others) ** 2).sum()) - noise
    near = float(((inside - np.roll(others, -shift.hours)) ** 2).sum()) - noise
    return shift if apart >= _APART and near <= _NEARER * far else None


def _profile(table: Floats, add: float = 0.5) -> Floats:
    counts = table.sum(axis=0) + add
    return np.asarray(counts / max(counts.sum(), 1e-9))


def _best(table: Floats, profile: Floats, outside: NDArray[np.bool_]) -> _Shift | None:
    """Find the rotation and the run of days that gain most; None where chance explains it."""
    spread = _spread(table[outside])
    days = len(table)
    best = _Shift(0, 0, 0, 0.0, "the hours of its days")
    for hours in range(1, _HOURS):
        gain = table @ (np.log(np.roll(profile, -hours)) - np.log(profile))
        sums = np.concatenate([[0.0], np.cumsum(gain)])
        least = np.minimum.accumulate(sums)
        last = int(np.argmax(sums - least))
        first = int(np.argmin(sums[: last + 1]))
        bar = bar_of(max(last - first, 1) / days, looks=_HOURS)
        surety = float(sums[last] - least[last]) / spread / bar
        if surety > max(best.surety, 1.0):
            best = _Shift(first, last, hours, surety, best.how)
    return best if best.last else None


def _spread(table: Floats, width: int = 7) -> float:
    """Give by how much more than independent rows the profile varies from week to week."""
    weeks = np.add.reduceat(table, np.arange(0, len(table), width), axis=0)
    share = _profile(table)
    expected = weeks.sum(axis=1, keepdims=True) * share[None, :]
    freedom = max(1, (len(weeks) - 1) * (_HOURS - 1))
    square = ((weeks - expected) ** 2 / np.maximum(expected, 1e-9))[:, share > 1 / (50 * _HOURS)]
    return max(1.0, float(square.sum()) / freedom)


def _moved(seen: Seen) -> _Shift | None:
    """Find a run in which all delays are longer, or shorter, by the same whole hours."""
    clock, days = seen.clock, seen.clock.days
    delay = clock.delay
    held = clock.there & (days.place >= 0)
    if held.sum() < _LEAST_ROWS:
        return None
    low, high = np.quantile(delay[held], [0.2, 0.8])
    for marked in (delay > high, delay < low):
        run = find_run(days.counted(marked & held), days.counted(), bounds=Bounds(looks=2))
        if run is None or run.change < 0.3:
            continue
        inside = held & (days.place >= run.first) & (days.place < run.last)
        # The run's edges are whole days; the rows in its middle tell how far the clock moved.
        mine = delay[inside & marked]
        hours = whole_hours(mine, delay[held & ~inside])
        if hours is not None:
            return _Shift(run.first, run.last, hours % _HOURS, run.surety, "its delays")
    return None


def _told(seen: Seen, days: Days, shift: _Shift) -> Trouble:
    low, high = days.at(shift.first), days.at(shift.last)
    hours = shift.hours if shift.hours <= _HOURS // 2 else shift.hours - _HOURS
    behind = f"{abs(hours)} h {'early' if hours > 0 else 'late'}"
    last = None if shift.last == days.count else high
    mask = (days.place >= shift.first) & (days.place < shift.last)
    return tell_of_time(
        seen,
        Found(
            code="quality.clock-shift",
            columns=(),
            what=f"{span_words(low, last)} instants of {seen.name} lie {behind}, as {shift.how} tell: "
            f"{int(mask.sum()):,} rows",
            risk="hours of the day, ages and windows are computed from these instants, and what is known "
            "too early is the future",
            where=Told(seen.table, seen.columns).happened(low, last),
            mask=mask,
            mend=f"add {hours} h to the instants of these rows where they come from, or say their offset "
            "in csv.dates; land them again",
            leave="when summer time began or ended and the rows are written in local time with their "
            "offset, or when people really began to work at other hours",
            strength=shift.surety,
            shown=(*sorted(seen.times),),
        ),
        cases=cases_between(seen, from_at=low, until_at=high),
    )
