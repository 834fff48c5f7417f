"""Whether a share stepped on a day, or drifted and came round with the year."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_YEAR_DAYS: Final = 365.25
_FULL_YEAR: Final = 0.95
"""Of less than so much of a year nothing is said about its season."""
_WEEK_DAYS: Final = 7
_ROUNDS: Final = 30
_RIDGE: Final = 1e-6
_MARGIN: Final = 1.0
"""Gain that a step alone must bring over the curve alone."""
_CLEARLY: Final = 8.0
"""Gain in log-likelihood that a step must bring beside a smooth curve; chance brings the best day 2 to 4."""


def is_step(hits: Floats, totals: Floats, *, at: int, days_per_bin: int = 1) -> bool:
    """Tell whether a share stepped at a bin, rather than drifted along a smooth curve.

    Logistic regressions of the share on a step, on a curve of the second degree with the yearly season where
    a year is seen, and on both (McCullagh and Nelder 1989, Generalized linear models, chapter 4), their
    log-likelihoods divided by how much more than independent cases weeks vary. It is a step when that tells
    more than the curve, or clearly more beside it.

    Parameters
    ----------
    hits, totals
        Shape (bins,): cases that are counted, and all cases.
    at
        The first bin after the step.
    days_per_bin
        Days in a bin.

    Examples
    --------
    >>> days, cases = np.arange(200), np.full(200, 50.0)
    >>> is_step(np.where(days < 120, 5.0, 15.0), cases, at=120)
    True
    >>> is_step(5 + days / 20, cases, at=120)
    False
    """
    bins = np.arange(hits.size)
    when = bins / max(hits.size - 1, 1) - 0.5
    level, step = np.ones(hits.size), (bins >= at).astype(np.float64)
    smooth = [level, when, when**2 - 1 / 12]
    days = bins * days_per_bin
    if hits.size * days_per_bin >= _FULL_YEAR * _YEAR_DAYS:
        turn = 2 * np.pi * days / _YEAR_DAYS
        smooth += [np.sin(turn), np.cos(turn)]
    stepped, _ = _fit(np.stack([level, step], axis=1), hits, totals)
    drifted, _ = _fit(np.stack(smooth, axis=1), hits, totals)
    both, share = _fit(np.stack([*smooth, step], axis=1), hits, totals)
    spread = _spread(hits, totals, share, width=max(1, _WEEK_DAYS // days_per_bin))
    return bool((stepped - drifted) / spread >= _MARGIN or (both - drifted) / spread >= _CLEARLY)


def _fit(columns: Floats, hits: Floats, totals: Floats) -> tuple[float, Floats]:
    """Fit a logistic regression by Newton's method; the log-likelihood, and the share of each bin."""
    weights = np.zeros(columns.shape[1])
    share = np.full(hits.size, 0.5)
    for _ in range(_ROUNDS):
        share = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
        slope = columns.T @ (hits - totals * share)
        bend = columns.T @ (columns * (totals * share * (1 - share))[:, None])
        move = np.linalg.solve(bend + _RIDGE * np.eye(bend.shape[0]), slope)
        weights += np.clip(move, -2, 2)
        if np.abs(move).max() < 1e-8:
            break
    share = np.clip(1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30))), 1e-12, 1 - 1e-12)
    return float((hits * np.log(share) + (totals - hits) * np.log1p(-share)).sum()), share


def _spread(hits: Floats, totals: Floats, share: Floats, *, width: int) -> float:
    """Give by how much more than independent cases blocks of bins vary around the fit, 1 at least."""
    block = np.arange(hits.size) // width
    off = np.bincount(block, weights=hits - totals * share)
    chance = np.bincount(block, weights=totals * share * (1 - share))
    held = chance > 0
    return max(1.0, float((off[held] ** 2 / chance[held]).mean())) if held.any() else 1.0
