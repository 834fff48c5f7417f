"""Shares with their intervals, as reviews use them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure with the ends of its interval, and on how much it rests.

    Attributes
    ----------
    value
        NaN where it can't be told; the ends then leave everything open.
    """

    value: float
    low: float
    high: float
    n: int


def share_of(hits: float, n: int, *, confidence: float = 0.95) -> Bounded:
    """Give a share with the interval of Wilson (1927, *Probable inference*, JASA 22).

    It stays open where nothing or everything was hit. Without a case it is 0 to 1.

    Examples
    --------
    >>> found = share_of(0, 10)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.0, 0.0, 0.278)
    """
    if n == 0:
        return Bounded(math.nan, 0.0, 1.0, 0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Bounded(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)), n)


def between(value: float, draws: NDArray[np.float64], *, n: int, confidence: float = 0.95) -> Bounded:
    """Give a figure with the percentiles of its resamples; those that came to nothing are left out."""
    told = draws[np.isfinite(draws)]
    if not told.size or not math.isfinite(value):
        return Bounded(value, -math.inf, math.inf, n)
    tail = (1 - confidence) / 2
    low, high = np.quantile(told, [tail, 1 - tail])
    return Bounded(value, min(float(low), value), max(float(high), value), n)
