"""How likely chance alone is: counts that are too many, rows that agree."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.values_columns import spread_over

CERTAIN: Final = 1e-4
"""Chance may be blamed once in so many looks; many columns are looked at many times."""
_SAMPLED: Final = 50_000


def too_many(count: int, expected: float) -> bool:
    """Tell whether so many are too many where so many are expected, if they come one by one (Poisson).

    Examples
    --------
    >>> too_many(3, 0.01), too_many(3, 2.0), too_many(40, 10.0)
    (True, False, True)
    """
    return count > expected and tail(count, expected) < CERTAIN


def tail(count: int, expected: float) -> float:
    """Give the chance of ``count`` or more, of a Poisson distribution; an upper bound for many (Chernoff)."""
    if count <= 0:
        return 1.0
    if expected <= 0:
        return 0.0
    if count > 200:
        if count <= expected:
            return 1.0
        return math.exp(-(expected - count + count * math.log(count / expected)))
    term, total = math.exp(-min(expected, 700.0)), 0.0
    for each in range(count):
        total += term
        term *= expected / (each + 1)
    return max(0.0, 1.0 - total)


def agreeing_pairs(codes: pl.DataFrame, columns: list[str]) -> int:
    """Count the pairs of rows that agree in all of some columns."""
    if not columns:
        return codes.height * (codes.height - 1) // 2
    sizes = codes.select(columns).hash_rows().value_counts()["count"].cast(pl.Float64)
    return int((sizes * (sizes - 1)).sum() / 2)


def agreement(column: pl.Series) -> float:
    """Give the chance that two rows drawn at random agree in a column."""
    column = column.gather(spread_over(len(column), _SAMPLED)) if len(column) > _SAMPLED else column
    total = len(column)
    if total < 2:
        return 1.0
    sizes = column.value_counts()["count"].cast(pl.Float64)
    return float((sizes * (sizes - 1)).sum()) / (total * (total - 1))


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Give the greatest difference between two empirical distribution functions (Kolmogorov and Smirnov)."""
    one, other = np.sort(one), np.sort(other)
    every = np.concatenate([one, other])
    first = np.searchsorted(one, every, side="right") / one.size
    second = np.searchsorted(other, every, side="right") / other.size
    return float(np.abs(first - second).max())


def alike(one: NDArray[np.float64], other: NDArray[np.float64], *, slack: float = 0.05) -> bool:
    """Tell whether two samples may be of one distribution, or nearly so."""
    if not one.size or not other.size:
        return False
    return distance(one, other) <= slack + 1.63 * math.sqrt(1 / one.size + 1 / other.size)
