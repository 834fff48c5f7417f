"""Growth and the season of the year in daily counts."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_YEAR_DAYS: Final = 365.25
_FULL_YEAR: Final = 0.95
"""Of less than so much of a year nothing is said about its season."""
_ROUNDS: Final = 30
_RIDGE: Final = 1e-6


def season_of(counts: Floats, expected: Floats) -> Floats:
    """Give how much busier than expected each day is by growth and by the season; 1 of less than a year.

    A Poisson regression of the days' counts on a curve of the second degree and the year's sine and cosine
    (McCullagh and Nelder 1989, Generalized linear models, chapter 6).

    Parameters
    ----------
    counts, expected
        Shape (days,): rows, and what the weekdays let expect; 0 of days that don't count.

    Examples
    --------
    >>> days = np.arange(800)
    >>> year = np.exp(0.5 * np.sin(2 * np.pi * days / 365.25))
    >>> bool(np.allclose(season_of(20 * year, np.full(800, 20.0)), year, rtol=1e-3))
    True
    """
    if counts.size < _FULL_YEAR * _YEAR_DAYS:
        return np.ones(counts.size)
    days = np.arange(counts.size)
    when, turn = days / (counts.size - 1) - 0.5, 2 * np.pi * days / _YEAR_DAYS
    columns = np.stack([np.ones(counts.size), when, when**2, np.sin(turn), np.cos(turn)], axis=1)
    held = np.where(expected > 0, counts, 0.0)
    weights = np.zeros(columns.shape[1])
    for _ in range(_ROUNDS):
        rate = expected * np.exp(np.clip(columns @ weights, -10, 10))
        bend = columns.T @ (columns * rate[:, None]) + _RIDGE * np.eye(weights.size)
        move = np.linalg.solve(bend, columns.T @ (held - rate))
        weights += np.clip(move, -1, 1)
        if np.abs(move).max() < 1e-8:
            break
    return np.exp(np.clip(columns @ weights, -10, 10))
