"""Parts of the calendar for one instant, in UTC and in time zones.

The time zones are those of Polars, asked once for a year or so at a time: another copy of the same
database could be of another year, and an hour off.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions.allowed import Kind
from wholeroad.core.expressions.single_parts import Part, RareError, as_kind, mapped
from wholeroad.core.instants import DAY, UNITS

_BLOCK: Final = 400 * DAY
_HOUR: Final = UNITS["h"]
_SECOND: Final = UNITS["s"]
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_LAST_ORDINAL: Final = date.max.toordinal()
FIRST_YEAR: Final = (1 - EPOCH_ORDINAL) * DAY
LAST_YEAR: Final = (_LAST_ORDINAL + 1 - EPOCH_ORDINAL) * DAY - 1
"""The first and the last instant of the years 1 to 9999, in UTC."""


def in_years(at: int) -> int | None:
    """Give an instant of the years 1 to 9999, else null; the calendar ends there."""
    return at if FIRST_YEAR <= at <= LAST_YEAR else None


def date_of(at: int) -> date:
    """Give the day of an instant that is in local time already."""
    ordinal = at // DAY + EPOCH_ORDINAL
    if not 1 <= ordinal <= _LAST_ORDINAL:
        raise RareError
    return date.fromordinal(ordinal)


_PARTS: Final[dict[str, Callable[[int], Any]]] = {
    "minute": lambda at: at // UNITS["min"] % 60,
    "hour": lambda at: at // UNITS["h"] % 24,
    "weekday": lambda at: (at // DAY + 3) % 7 + 1,
    "day": lambda at: date_of(at).day,
    "day_of_year": lambda at: date_of(at).timetuple().tm_yday,
    "month": lambda at: date_of(at).month,
    "year": lambda at: date_of(at).year,
    "date": lambda at: date_of(at).isoformat(),
}


def calendar(instant: Part, part: str, *, zone: str) -> Part:
    """Give a part of the calendar of an instant in a time zone, daylight saving included."""
    read, turns = _PARTS[part], _turns

    def in_utc(at: int) -> Any:  # noqa: ANN401 (a number, or a text)
        return read(at) if FIRST_YEAR <= at <= LAST_YEAR else None

    def in_zone(at: int) -> Any:  # noqa: ANN401
        if not FIRST_YEAR <= at <= LAST_YEAR:
            return None
        starts, offsets = turns(zone, at // _BLOCK)
        return read(at + offsets[bisect_right(starts, at) - 1])

    kind: Kind = "text" if part == "date" else "integer"
    return mapped(as_kind(instant, "instant"), kind=kind, function=in_utc if zone == "UTC" else in_zone)


@lru_cache(maxsize=8_192)
def _turns(zone: str, block: int) -> tuple[list[int], list[int]]:
    """Give the instants of a year or so from which a time zone has another offset, and the offsets.

    Polars is asked for each hour, then for each second of those in which the offset turns.
    """
    first, last = block * _BLOCK, (block + 1) * _BLOCK
    coarse = _offsets(zone, range(first, last + _HOUR, _HOUR))
    starts, offsets = [first], [coarse[0]]
    for step, (before, after) in enumerate(pairwise(coarse)):
        if before == after:
            continue
        seconds = range(first + step * _HOUR, first + (step + 1) * _HOUR + 1, _SECOND)
        for at, offset in zip(seconds, _offsets(zone, seconds), strict=True):
            if offset != offsets[-1]:
                starts.append(at)
                offsets.append(offset)
    return starts, offsets


def _offsets(zone: str, instants: range) -> list[int]:
    """Give a time zone's offsets from UTC, in microseconds; beyond the calendar, those at its end."""
    at = pl.int_range(instants.start, instants.stop, instants.step, dtype=pl.Int64, eager=True)
    at = at.clip(FIRST_YEAR, LAST_YEAR)
    local = at.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return (local.cast(pl.Int64) - at).to_list()
