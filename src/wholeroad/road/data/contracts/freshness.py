"""Sources that bring nothing new, though their contracts say how old their newest row may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import UNITS, Instant, Span, first_on_grid, format_instant, format_span
from wholeroad.road.brief.contract import Brief


@dataclass(frozen=True, slots=True)
class Stale:
    """A source whose newest row is older than its contract allows.

    Attributes
    ----------
    newest_at
        When the newest row became known; None where there is no row.
    freshness
        What the contract allows.
    owner
        Who answers for the source, if the contract says so.
    """

    source: str
    newest_at: Instant | None
    freshness: Span
    now: Instant
    owner: str = ""

    @property
    def said(self) -> str:
        """What is wrong, in a sentence.

        Examples
        --------
        >>> Stale("flights", 0, 3_600_000_000, 7_230_000_000).said
        'the newest row of flights became known at 1970-01-01T00:00:00Z, 2h ago; its contract allows 1h'
        """
        allowed = format_span(self.freshness)
        if self.newest_at is None:
            return f"{self.source} has no row; its contract allows none to be older than {allowed}"
        age = _rounded(self.now - self.newest_at)
        at = format_instant(self.newest_at)
        asked = f"; ask {self.owner}" if self.owner else ""
        newest = f"the newest row of {self.source} became known at {at}, {age} ago"
        return f"{newest}; its contract allows {allowed}{asked}"


def stale(brief: Brief, newest_known: Mapping[str, Instant], *, now: Instant) -> list[Stale]:
    """Name the sources that are stale now, in the brief's order.

    Parameters
    ----------
    newest_known
        By source: when its newest row became known. A source that isn't named has no row.
    now
        Rows known later than this don't count; the caller leaves them out.

    Returns
    -------
    list[Stale]
        A source that is exactly as old as it may be is fresh.
    """
    found = []
    for name, source in brief.source.items():
        contract = source.contract
        if contract is None or contract.freshness is None or source.static:
            continue
        newest_at = newest_known.get(name)
        if newest_at is None or now - newest_at > contract.freshness:
            found.append(Stale(name, newest_at, contract.freshness, now, contract.owner))
    return found


def stale_cycles(
    known_at: NDArray[np.int64], freshness: Span, *, every: Span, anchor: Instant = 0
) -> tuple[int, int, Instant | None]:
    """Count the cycles of a history at which no row was fresh enough.

    Parameters
    ----------
    known_at
        Shape (n,), microseconds: when each row became known, in any order.
    freshness
        The greatest age of the newest row.
    every, anchor
        The grid of cycles.

    Returns
    -------
    stale, cycles, first_at
        How many were stale, of how many from the first row on to the last, and the first stale one.
    """
    if not known_at.size:
        return 0, 0, None
    ordered = np.sort(known_at)
    first_at = first_on_grid(int(ordered[0]), every, anchor)
    cycles = np.arange(first_at, int(ordered[-1]) + 1, every, dtype=np.int64)
    newest = ordered[np.searchsorted(ordered, cycles, side="right") - 1]
    old = cycles - newest > freshness
    return int(old.sum()), cycles.size, int(cycles[old][0]) if old.any() else None


def _rounded(span: Span) -> str:
    unit = next((unit for name, unit in reversed(UNITS.items()) if name != "w" and span >= 2 * unit), 1)
    return format_span(span // unit * unit)
