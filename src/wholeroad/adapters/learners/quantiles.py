"""What the learners of quantiles share: a scale to learn on, knots, and quantiles that don't cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

EVERY: Final = 3
"""A model is fitted for every third point; the quantiles between lie on lines over normal scores."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """From a model's few quantiles, the knots, to those of all points.

    Attributes
    ----------
    points, knots
        Probabilities, ascending; the knots are some of the points, the first and the last among them.
    scale
        ``log`` when the numbers are learnt as ``log(1 + y)``: then effects multiply. Quantiles may be
        learnt on any rising scale and taken back (Koenker 2005, *Quantile regression*, 2.2.3).
    """

    points: tuple[float, ...]
    knots: tuple[float, ...]
    scale: Literal["log", "plain"]

    @classmethod
    def of(cls, points: Sequence[float], outcome: NDArray[np.float64]) -> Ladder:
        """Choose knots among the points, and the scale: ``log`` where no number is below zero."""
        knots = tuple(points[::EVERY])
        knots += () if knots[-1] == points[-1] else (points[-1],)
        return cls(tuple(points), knots, "log" if len(outcome) and outcome.min() >= 0 else "plain")

    def learnt(self, outcome: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give outcomes on the scale to learn on."""
        return np.log1p(np.maximum(outcome, 0.0)) if self.scale == "log" else outcome

    def climb(self, columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Give the quantiles of all points, (n, points), from those of the knots on the learnt scale.

        Those of a row are put in order first, which brings them nearer to the truth (Chernozhukov,
        Fernández-Val, Galichon 2010, *Quantile and probability curves without crossing*,
        Econometrica 78). Each row stands on its own, to the last bit.
        """
        ordered = np.sort(np.column_stack(columns), axis=1)
        left, share = _between(self.points, self.knots)
        low = ordered[:, left]
        result = ordered[:, left + 1] - low
        result *= share
        result += low
        # Rounding may turn two neighbours around by a bit.
        result = np.maximum.accumulate(result, axis=1)
        return np.maximum(np.expm1(result), 0.0) if self.scale == "log" else result


@lru_cache(maxsize=16)
def _between(
    points: tuple[float, ...], knots: tuple[float, ...]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give for each point the knot to its left, and how far it lies to the next."""
    scores = np.array([NormalDist().inv_cdf(knot) for knot in knots])
    left = np.clip(np.searchsorted(knots, points), 1, len(knots) - 1) - 1
    wanted = np.array([NormalDist().inv_cdf(point) for point in points])
    return left, (wanted - scores[left]) / (scores[left + 1] - scores[left])


def empirical(outcome: NDArray[np.float64], points: Sequence[float]) -> tuple[float, ...]:
    """Give the quantiles of some numbers, each of them one of the numbers; zeros when there are none."""
    if not len(outcome):
        return (0.0,) * len(points)
    return tuple(float(q) for q in np.quantile(outcome, points, method="inverted_cdf"))
