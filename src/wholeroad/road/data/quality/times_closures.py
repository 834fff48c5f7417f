"""Silences that are closures: of every year, or of all sources together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, Instant
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_rhythm import by_the_clock
from wholeroad.road.data.versions import HAPPENED

Gap = tuple[Instant, Instant]

_YEAR_DAYS: Final = 365
_MOVED: Final = 8 * DAY
"""How far a closure moves from year to year."""
_LONG: Final = 13 * DAY
"""Two weeks from the last row before to the first one after, less a day and a night."""
_OTHERS_A_DAY: Final = 0.5
"""Rows a day of the other sources, of which silence is told."""
_WEEK: Final = 7
_OPEN: Final = 0.2
"""A day of the week with fewer rows than so much of the usual day's is one of rest."""


def unexplained(seen: Seen, gaps: Sequence[Gap], *, rows: NDArray[np.int64]) -> tuple[list[Gap], list[Gap]]:
    """Leave out the gaps that are closures; give the others, and those in which nothing happened anywhere.

    A closure comes back every year on nearly the same days. Or, where there is no other source that could
    tell (outcomes follow their cases), it lasts about two weeks or longer, and whole weeks, from one rest of
    the week to another: such a silence can't be told from a delivery that was left out for whole weeks.
    Nothing happened anywhere in two weeks or longer in which no other source has a row either.

    Parameters
    ----------
    gaps
        Last instant before, first instant after.
    rows
        When the source's rows happened, ascending.
    """
    others = _others(seen)
    plain: list[Gap] = []
    anywhere: list[Gap] = []
    for gap in gaps:
        long = gap[1] - gap[0] >= _LONG
        if _comes_back(gap, rows) or (long and not others and _whole_weeks(seen, gap, rows=rows)):
            continue
        (anywhere if long and _still(gap, others) else plain).append(gap)
    return plain, anywhere


def _others(seen: Seen) -> list[NDArray[np.int64]]:
    """Give when rows of the other sources happened, ascending; outcomes follow their cases and are none."""
    brief, found = seen.brief, []
    for name, versions in seen.beside.items():
        follows = name == brief.outcome.source != brief.case.source
        if name == seen.name or follows or versions.static or HAPPENED not in versions.frame.columns:
            continue
        at = np.sort(versions.frame[HAPPENED].drop_nulls().to_physical().to_numpy())
        if at.size:
            found.append(at)
    return found


def _still(gap: Gap, others: list[NDArray[np.int64]]) -> bool:
    """Tell whether the other sources, busy before and after, have no row within a gap but on its edges."""
    low, high = gap[0] + DAY, gap[1] - DAY
    length = gap[1] - gap[0]
    around = sum(
        int(np.searchsorted(at, gap[1] + length) - np.searchsorted(at, gap[0] - length)) for at in others
    )
    inside = sum(int(np.searchsorted(at, high) - np.searchsorted(at, low)) for at in others)
    return inside == 0 and around >= _OTHERS_A_DAY * 2 * length / DAY


def _comes_back(gap: Gap, rows: NDArray[np.int64]) -> bool:
    """Tell whether about the same days of another year have such a gap, too."""
    length = gap[1] - gap[0]
    first, last = int(rows[0]), int(rows[-1])
    for years in (-2, -1, 1, 2):
        low = gap[0] + years * _YEAR_DAYS * DAY - _MOVED
        high = gap[1] + years * _YEAR_DAYS * DAY + _MOVED
        if low < first or high > last:
            continue
        inside = rows[np.searchsorted(rows, low) : np.searchsorted(rows, high)]
        ends = np.concatenate([[low], inside, [high]])
        if int(np.diff(ends).max()) >= 0.75 * length:
            return True
    return False


def _whole_weeks(seen: Seen, gap: Gap, *, rows: NDArray[np.int64]) -> bool:
    """Tell whether a gap begins and ends with the days of rest of the week."""
    day = by_the_clock(rows, seen.table.timezone) // DAY
    counts = np.bincount((day % _WEEK).astype(np.int64), minlength=_WEEK)
    open_ = counts >= _OPEN * counts.max()
    low, high = (int(each) // DAY for each in by_the_clock(np.array(gap), seen.table.timezone))
    return bool(not open_.all() and not open_[(low + 1) % _WEEK] and not open_[(high - 1) % _WEEK])
