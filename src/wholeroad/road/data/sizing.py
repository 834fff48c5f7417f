"""How many outcomes tell a gain from noise: one reckoning for the check and for the collection plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Final

POWER: Final = 0.8
"""Chance of seeing the required gain if it is there."""


def outcomes_needed(spread: float, *, gain: float, confidence: float, power: float = POWER) -> int:
    """Count the independent cases whose mean gain can be told from nothing.

    ``ceil((z_confidence + z_power) ** 2 * spread ** 2 / gain ** 2)``, the one-sided test of a mean
    (Cohen 1988, *Statistical power analysis for the behavioral sciences*, 2.4, with normal quantiles).

    Parameters
    ----------
    spread
        Standard deviation of a case's money less that of the status quo.
    gain
        The required gain per case, above zero.
    confidence, power
        In (0, 1).

    Examples
    --------
    >>> outcomes_needed(10.0, gain=1.0, confidence=0.95)
    619
    """
    normal = NormalDist()
    quantiles = normal.inv_cdf(confidence) + normal.inv_cdf(power)
    return math.ceil((quantiles * spread / gain) ** 2)


def widest_spread(differences: Sequence[float], *, first: float | None = None) -> float:
    """Give the greatest standard deviation of a value that depends on the class alone.

    Parameters
    ----------
    differences
        By class: an action's money less the status quo's.
    first
        Share of the first class; the others share the rest in the worst way. Without it all
        classes do: half of the cases at each end (Popoviciu 1935).

    Examples
    --------
    >>> widest_spread([120.0, -35.0]), round(widest_spread([120.0, -35.0], first=0.1), 2)
    (77.5, 46.5)
    """
    if first is None:
        return (max(differences) - min(differences)) / 2
    head, rest = differences[0], differences[1:]
    low, high = min(rest), max(rest)
    # The variance is a parabola in the share of the rest at its upper end: the top, or the nearer bound.
    among = (high + low) / 2 - first * head - (1 - first) * low
    upper = min(max(among / ((1 - first) * (high - low)), 0.0), 1.0) if high > low else 0.0
    shares = (first, (1 - first) * upper, (1 - first) * (1 - upper))
    return _deviation(shares, (head, high, low))


def _deviation(shares: Iterable[float], values: Iterable[float]) -> float:
    pairs = list(zip(shares, values, strict=True))
    mean = sum(share * value for share, value in pairs)
    return math.sqrt(sum(share * (value - mean) ** 2 for share, value in pairs))
