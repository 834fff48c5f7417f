"""When rows happened and became known, by day, and how long it took, by week: numbers for a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, UNITS, Instant
from wholeroad.road.data.quality.seen import Seen

_WEEK: Final = 7 * DAY
_MONDAY: Final = 3 * DAY
"""The epoch was a Thursday."""
QUANTILES: Final = (0.1, 0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class DayRows:
    """Rows of a day, UTC: those that happened then, and those that first became known then."""

    at: Instant
    happened: int
    known: int


@dataclass(frozen=True, slots=True)
class WeekDelays:
    """How much later than they happened rows of a week became known.

    Attributes
    ----------
    at
        The Monday of the week in which they happened, UTC.
    rows
        How many.
    delays_h
        By the shares of :data:`QUANTILES`: hours, negative of plans.
    """

    at: Instant
    rows: int
    delays_h: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When a source's rows happened and became known.

    Attributes
    ----------
    days
        Every day from the first to the last, also those without a row.
    weeks
        Only weeks with rows.
    """

    days: tuple[DayRows, ...]
    weeks: tuple[WeekDelays, ...]


def arrivals(seen: Seen) -> Arrivals:
    """Count a source's rows by day of happening and of first becoming known, and their delays by week.

    Of a sample of keys the counts are scaled up to all of them. Days far away from the others, such as a
    1900-01-01 that stands for nothing, are left out.
    """
    if not seen.timed or not seen.rows.height:
        return Arrivals((), ())
    clock = seen.clock
    held = clock.there & (clock.days.place >= 0)
    if not held.any():
        return Arrivals((), ())
    happened, known = clock.happened[held] // DAY, clock.known[held] // DAY
    low, high = int(happened.min()), int(happened.max())
    ends = np.quantile(known, [0.001, 0.999])
    low, high = min(low, int(ends[0])), max(high, int(ends[1]))
    by_happened, by_known = _by_day(happened, low, high), _by_day(known, low, high)
    scale = 1 / seen.share
    days = tuple(
        DayRows((low + place) * DAY, round(one * scale), round(other * scale))
        for place, (one, other) in enumerate(zip(by_happened, by_known, strict=True))
    )
    return Arrivals(days, _weeks(clock.happened[held], clock.delay[held], scale))


def _by_day(day: NDArray[np.int64], low: int, high: int) -> NDArray[np.int64]:
    inside = (day >= low) & (day <= high)
    return np.bincount(day[inside] - low, minlength=high - low + 1)


def _weeks(happened: NDArray[np.int64], delay: NDArray[np.int64], scale: float) -> tuple[WeekDelays, ...]:
    week = (happened + _MONDAY) // _WEEK
    order = np.argsort(week, kind="stable")
    found, first = np.unique(week[order], return_index=True)
    parts = np.split(delay[order] / UNITS["h"], first[1:])
    return tuple(
        WeekDelays(
            int(number) * _WEEK - _MONDAY,
            round(part.size * scale),
            tuple(float(each) for each in np.quantile(part, QUANTILES)),
        )
        for number, part in zip(found, parts, strict=True)
    )
