"""Which numbers of a column stand for no number: codes that lie off its support, or stick out of it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.quality.values_names import is_money, is_quantity

Floats = NDArray[np.float64]

CODES: Final = tuple(
    float(code)
    for code in (
        *(-1, -9, -99, -999, -9999, -99999, -999999, -9999999, -32768, -(2**31)),
        *(-8, -88, -888, -8888, -77, -777, -7777),
        *(99, 999, 9999, 99999, 999999, 9999999, 99999999, 999999999),
        *(888, 8888, 88888, 777, 7777, 32767, 65535, 2**31 - 1, 0),
    )
)
"""Numbers that are written where there is none; zero only where nothing else comes near it."""

_LEAST: Final = 3
"""A code comes back; a single one is a number like others."""


def off_support(levels: Floats, counts: NDArray[np.int64], *, name: str, identifies: bool) -> Floats:
    """Find the codes for no value among the distinct values of a column.

    A code is taken for one when it comes back at least three times and either lies outside of all other
    values with a gap that is wide beside their spread, or within them, as a spike that no other value
    of its surroundings comes near.

    Parameters
    ----------
    levels, counts
        Distinct values, rising, and how often each is there.
    """
    at = np.flatnonzero(np.isin(levels, CODES) & (counts >= _LEAST))
    if not at.size:
        return levels[:0]
    rest = np.ones(levels.size, dtype=bool)
    rest[at] = False
    if rest.sum() < 8 or counts[rest].sum() < 20:
        return levels[:0]
    found = [
        place
        for place in at
        if _stands_off(
            float(levels[place]), levels[rest], counts=counts[rest], often=int(counts[place]), name=name
        )
        or (not identifies and _sticks_out(int(place), levels, counts))
    ]
    return levels[found]


def _stands_off(code: float, levels: Floats, *, counts: NDArray[np.int64], often: int, name: str) -> bool:
    total = counts.cumsum()
    low, middle, high = (
        float(levels[np.searchsorted(total, share * total[-1])]) for share in (0.002, 0.5, 0.998)
    )
    spread = max(high - low, 1e-12)
    if code == 0:
        if is_money(name) or often > 0.3 * total[-1]:
            return False
        step = float(np.median(np.diff(levels[:12])))
        return low > 0.15 * middle > 0 and levels[0] > max(0.0, 6 * step) and low > 0.1 * spread
    if code < 0:
        if levels[0] >= 0:
            return code <= -9 or is_quantity(name) or levels.size >= 20
        return code < low - max(0.5 * spread, 3 * abs(low - middle))
    return code > high + max(spread, 4 * abs(high - middle)) and code > levels[-1] + 0.25 * spread


def _sticks_out(place: int, levels: Floats, counts: NDArray[np.int64]) -> bool:
    """Tell whether a long code lies within the others' range but is far more frequent than they are."""
    code = abs(levels[place])
    if code < 99 or levels.size < 30:
        return False
    others = np.delete(counts, place)
    near = counts[max(0, place - 10) : place + 11]
    beside = (near.sum() - counts[place]) / max(1, near.size - 1)
    return bool(
        counts[place] >= max(10, 5 * np.partition(others, -2)[-2], 15 * beside)
        and counts[place] >= 0.002 * counts.sum()
    )
