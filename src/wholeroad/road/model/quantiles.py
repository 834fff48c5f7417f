"""Quantiles of a number: how good they are, and how they are made to mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.brief.predictions import POINTS, middle

FURTHEST: Final = 6.0
"""Normal scores are held within it: beyond the outer quantiles a model says nothing of its own."""

SCORES: Final = tuple(NormalDist().inv_cdf(point) for point in POINTS)
"""The points on the scale on which the quantiles of a normal distribution lie on a line."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """For each point, which quantile of the model to take instead.

    Attributes
    ----------
    scores
        Shape (K,), ascending, as normal scores: the quantile for point ``k`` is read at ``scores[k]``
        of the model's own quantiles, which are joined by lines over their normal scores, and the
        outer lines carried on.
    """

    scores: tuple[float, ...]

    def apply(self, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Recalibrate shape (n, K), each row on its own, to the last bit."""
        left, share, itself = _read_at(self.scores)
        low, high = quantiles[:, left], quantiles[:, left + 1]
        result = high - low
        result *= share
        result += low
        # What the model says itself stays as it is, to the bit.
        result[:, itself] = high[:, itself]
        return result


@lru_cache(maxsize=16)
def _read_at(
    scores: tuple[float, ...],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """For each score: the quantile to its left, how far it lies to the next, and which lie on the next."""
    known, wanted = np.array(SCORES), np.array(scores)
    left = np.clip(np.searchsorted(known, wanted) - 1, 0, len(SCORES) - 2)
    share = (wanted - known[left]) / (known[left + 1] - known[left])
    return left, share, np.flatnonzero(share == 1)


UNCHANGED: Final = Recalibration(SCORES)


def fit_recalibration(quantiles: NDArray[np.float64], outcome: NDArray[np.float64]) -> Recalibration:
    """Find where the outcomes lie among the quantiles, and move each point to where its share lies.

    Distributional conformal prediction (Chernozhukov, Wüthrich, Zhu 2021, PNAS 118; for regressors in
    general Kuleshov, Fenner, Ermon 2018, ICML): the rank of each outcome in its own predicted
    distribution, and then the empirical quantiles of these ranks. On the scale of ranks, a shift is
    small for a case that varies little, and large for one that varies much. As many made-up ranks as
    there are points lie where the model says, so that few rows don't move it far, and none not at all.

    Parameters
    ----------
    quantiles
        Shape (n, K), not falling along a row: of the stop-and-calibrate slice, never of rows trained on.
    outcome
        Shape (n,): what came true.
    """
    ranks = np.sort(np.concatenate([ranks_of(quantiles, outcome), SCORES]))
    places = np.ceil(np.array(POINTS) * len(ranks) - 1e-9).astype(np.int64) - 1
    return Recalibration(tuple(float(score) for score in ranks[np.clip(places, 0, len(ranks) - 1)]))


def ranks_of(quantiles: NDArray[np.float64], outcome: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the normal score of each outcome in its predicted distribution, within :data:`FURTHEST`.

    Where a whole range of quantiles equals the outcome, the uppermost of them counts.
    """
    last = quantiles.shape[1] - 1
    below = (quantiles <= outcome[:, None]).sum(axis=1)
    left = np.clip(below - 1, 0, last - 1)
    rows = np.arange(len(outcome))
    low, high = quantiles[rows, left], quantiles[rows, left + 1]
    scores = np.array(SCORES)
    width = np.where(high > low, high - low, 1.0)
    flat = np.where(outcome > high, FURTHEST, np.where(outcome < low, -FURTHEST, scores[left + 1]))
    inner = scores[left] + (outcome - low) / width * (scores[left + 1] - scores[left])
    return np.clip(np.where(high > low, inner, flat), -FURTHEST, FURTHEST)


def pinball_loss(quantiles: NDArray[np.float64], outcome: NDArray[np.float64]) -> float:
    """Give the mean quantile loss over rows and points, in the outcome's unit; 0 is best.

    ``(y - q) * (p - [y < q])`` (Koenker, Bassett 1978, *Regression quantiles*, Econometrica 46). Over
    points that are spread evenly it is half the continuous ranked probability score.
    """
    total = 0.0
    for column, point in enumerate(POINTS):
        miss = outcome - quantiles[:, column]
        total += float(np.mean(np.maximum(point * miss, (point - 1) * miss)))
    return total / len(POINTS)


def coverage(quantiles: NDArray[np.float64], outcome: NDArray[np.float64]) -> float:
    """Give the share of the outcomes between the quantiles of 10% and 90%; 0.8 is what was promised."""
    low, high = middle()
    return float(np.mean((quantiles[:, low] <= outcome) & (outcome <= quantiles[:, high])))
