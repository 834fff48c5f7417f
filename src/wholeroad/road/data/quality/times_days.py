"""Days of a source: which day each row falls on, and how a span of days is said in an expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, Instant, format_instant
from wholeroad.road.brief.draft import column_in
from wholeroad.road.brief.sources import SourceTable

MOST_BINS: Final = 320
"""Bins of time at most: pairs of a beginning and an end are all tried."""

_FAR: Final = 5.0
"""Instants further out than this many times the span of the middle half are left out."""


@dataclass(frozen=True, slots=True)
class Days:
    """Bins of whole days, from the first to the last that count.

    Attributes
    ----------
    first_at
        The beginning of the first bin, midnight UTC.
    width
        Days in a bin.
    count
        Number of bins.
    place
        Shape (rows,): the bin of each row, -1 for those without an instant or far away from the others.
    """

    first_at: Instant
    width: int
    count: int
    place: NDArray[np.int64]

    def at(self, place: int) -> Instant:
        """Give the beginning of a bin."""
        return self.first_at + place * self.width * DAY

    def counted(self, marked: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Count the rows of each bin: all, or those that are marked."""
        placed = self.place >= 0 if marked is None else (self.place >= 0) & marked
        return np.bincount(self.place[placed], minlength=self.count).astype(np.float64)


def days_of(instants: NDArray[np.int64], *, known: NDArray[np.bool_], most: int = MOST_BINS) -> Days:
    """Put instants into bins of as few whole days as there may be.

    Parameters
    ----------
    instants
        Shape (rows,), microseconds.
    known
        Shape (rows,): whether the instant is there.
    """
    some = instants[known]
    if not some.size:
        return Days(0, 1, 0, np.full(instants.size, -1, dtype=np.int64))
    low, high = np.quantile(some, [0.25, 0.75])
    reach = _FAR * max(high - low, DAY)
    inside = known & (instants >= low - reach) & (instants <= high + reach)
    first = int(instants[inside].min() // DAY)
    whole = int(instants[inside].max() // DAY) - first + 1
    width = -(-whole // most)
    place = np.where(inside, (instants // DAY - first) // width, -1)
    return Days(first * DAY, width, -(-whole // width), place)


def day(at: Instant) -> str:
    """Write the day of an instant.

    Examples
    --------
    >>> day(0)
    '1970-01-01'
    """
    return format_instant(at)[:10]


@dataclass(frozen=True, slots=True)
class Told:
    """How a condition speaks of when a source's rows happened or became known."""

    table: SourceTable
    columns: tuple[str, ...]

    def happened(self, from_at: Instant | None, until_at: Instant | None) -> str:
        """Say that a row happened in ``[from_at, until_at)``, as an expression where there is one."""
        return self._within(self.table.happened_at, "happened", from_at, until_at)

    def known(self, from_at: Instant | None, until_at: Instant | None) -> str:
        """Say that a row became known in ``[from_at, until_at)``, as an expression where there is one."""
        return self._within(self.table.known_at, "became known", from_at, until_at)

    def _within(self, text: str | None, words: str, from_at: Instant | None, until_at: Instant | None) -> str:
        if text is None or text == "landed":
            since = "" if from_at is None else f" from {format_instant(from_at)}"
            return f"rows that {words}{since}" + (
                "" if until_at is None else f" before {format_instant(until_at)}"
            )
        at = column_in(text) if text in self.columns else f"({text})"
        bounds = [] if from_at is None else [f"{at} >= timestamp '{format_instant(from_at)}'"]
        bounds += [] if until_at is None else [f"{at} < timestamp '{format_instant(until_at)}'"]
        return " and ".join(bounds)


@dataclass(frozen=True)
class Clock:
    """When the rows of a source happened, and when each first became known; in microseconds.

    Attributes
    ----------
    happened, known
        Shape (rows,); of rows in the order of the source's newest versions.
    there
        Shape (rows,): both are known.
    """

    happened: NDArray[np.int64]
    known: NDArray[np.int64]
    there: NDArray[np.bool_]

    @cached_property
    def delay(self) -> NDArray[np.int64]:
        """How much later than it happened a row became known; negative of plans."""
        return self.known - self.happened

    @cached_property
    def days(self) -> Days:
        """Bins of when rows happened."""
        return days_of(self.happened, known=self.there)
