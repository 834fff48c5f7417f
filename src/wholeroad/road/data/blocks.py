"""Blocks of time: what intervals rest on, since cases of one day share luck and whole days nearly don't."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY

LEAST_DAYS: Final = 8
"""With fewer days of decisions than this, runs of consecutive cases are the blocks."""
RUNS: Final = 20


def blocks_of(decided_at: NDArray[np.int64]) -> tuple[NDArray[np.int64], str]:
    """Give each of the sorted cases its block: UTC days, or runs of cases when there are few days.

    Cases of one day share weather, crowds and mistakes, so that they aren't independent;
    whole days nearly are.

    Returns
    -------
    blocks, kind
        Shape (n,), ``0 .. B-1``, and what a block is, in words.
    """
    counts = _by_day(decided_at)
    if counts.size >= LEAST_DAYS:
        return np.repeat(np.arange(counts.size), counts), "UTC days"
    runs = min(RUNS, max(decided_at.size, 1))
    blocks = np.arange(decided_at.size, dtype=np.int64) * runs // max(decided_at.size, 1)
    return blocks, "runs of consecutive cases"


def _by_day(decided_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the cases of each day that has any; by where days begin, which is faster than case by case."""
    if not decided_at.size:
        return np.empty(0, dtype=np.int64)
    first, last = int(decided_at[0]) // DAY, int(decided_at[-1]) // DAY
    if last - first > decided_at.size:  # more days than cases
        return np.unique_counts(decided_at // DAY).counts.astype(np.int64)
    edges = np.searchsorted(decided_at, np.arange(first, last + 2) * DAY)
    counts = np.diff(edges)
    return counts[counts > 0].astype(np.int64)
