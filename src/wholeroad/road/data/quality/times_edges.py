"""Levels of daily counts at the edges of a run of days: inside, beside, and how abruptly they change."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_NEAR_DAYS: Final = 28
"""Days at an edge, inside and beside, that tell the step there."""
_EDGE_DAYS: Final = 7
_ABRUPT: Final = 0.5
"""Part of a step, as logarithms, that must lie within a week of the run's edges."""
_YEAR_DAYS: Final = 365


def beside(k: Floats, e: Floats, *, first: Places, last: Places) -> tuple[Floats, Floats]:
    """Count rows and expectations of the weeks before and after each run.

    Parameters
    ----------
    k, e
        Shape (days + 1,): rows, and what was to be expected, up to each day.
    first, last
        Shape (runs,): days, the last left out.
    """
    days = k.size - 1
    low, high = np.maximum(first - _NEAR_DAYS, 0), np.minimum(last + _NEAR_DAYS, days)
    return k[first] - k[low] + k[high] - k[last], e[first] - e[low] + e[high] - e[last]


def within(total: Floats, first: Places, *, last: Places) -> Floats:
    """Count what lies in each run in the weeks at its edges; the last day of all is no edge.

    Examples
    --------
    >>> within(np.arange(201.0), np.array([50, 50, 50]), last=np.array([60, 150, 200])).tolist()
    [10.0, 56.0, 28.0]
    """
    begins = total[np.minimum(first + _NEAR_DAYS, last)] - total[first]
    ends = total[last] - total[np.maximum(last - _NEAR_DAYS, first)]
    ends = np.where(last == total.size - 1, 0.0, ends)
    return np.asarray(np.minimum(begins + ends, total[last] - total[first]), dtype=np.float64)


def abrupt(k: Floats, e: Floats, *, run: tuple[int, int], times: float) -> bool:
    """Tell whether enough of a step lies within a week of the run's edges, on average.

    Parameters
    ----------
    times
        How many times as many rows there are in the run as beside it.
    """
    days, (first, last) = k.size - 1, run
    reach = min(_EDGE_DAYS, last - first)
    steps = [
        _level(k, e, inner, inner + reach) - _level(k, e, max(outer, 0), min(outer + _EDGE_DAYS, days))
        for edge, inner, outer in ((first, first, first - _EDGE_DAYS), (last, last - reach, last))
        if 0 < edge < days
    ]
    way = math.copysign(1.0, math.log(times))
    return not steps or way * sum(steps) / len(steps) >= _ABRUPT * abs(math.log(times))


def yearly(k: Floats, e: Floats, *, run: tuple[int, int]) -> bool:
    """Tell whether the same days of another year differ likewise from the days beside them."""
    days, step = k.size - 1, _step(k, e, run)
    for years in (-2, -1, 1, 2):
        low, high = (edge + _YEAR_DAYS * years for edge in run)
        if low >= _EDGE_DAYS and high + _EDGE_DAYS <= days:
            other = _step(k, e, (low, high))
            if step * other > 0 and abs(other) >= _ABRUPT * abs(step):
                return True
    return False


def _level(k: Floats, e: Floats, low: int, high: int) -> float:
    """Give the logarithm of how busy some days are against what was to be expected."""
    return math.log((float(k[high] - k[low]) + 0.5) / (float(e[high] - e[low]) + 0.5))


def _step(k: Floats, e: Floats, run: tuple[int, int]) -> float:
    """Give the logarithm of the level in a run against that of the weeks beside it."""
    first, last = np.array([run[0]]), np.array([run[1]])
    rows, expected = beside(k, e, first=first, last=last)
    inside = (within(k, first, last=last) + 0.5) / (within(e, first, last=last) + 0.5)
    return float(np.log(inside * (expected + 0.5) / (rows + 0.5))[0])
