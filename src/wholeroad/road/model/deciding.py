"""Deciding: the action with the most expected money. The one kernel of both worlds."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes

FEW: Final = 8
"""Up to so many cases, Python compares numbers faster than NumPy begins to."""


def decide(expected: NDArray[np.float64], *, status_quo: Codes) -> tuple[Codes, NDArray[np.float64]]:
    """Choose for each case the action with the greatest expected money.

    Ties go to the status quo, then to the earlier action. An action whose expected money isn't
    known (NaN) is never taken, and a status quo whose expected money isn't known is never left:
    there is nothing to beat.

    Parameters
    ----------
    expected
        Shape (n, A), from :meth:`wholeroad.road.brief.values.Values.expected`.
    status_quo
        Shape (n,): action codes.

    Returns
    -------
    actions, expected
        Shape (n,): action codes, of the status quo's type, and the expected money of each.

    Examples
    --------
    >>> expected = np.array([[-4.0, 0.0], [11.5, 0.0]])
    >>> decide(expected, status_quo=np.array([1, 1], dtype=np.int8))
    (array([1, 0], dtype=int8), array([ 0. , 11.5]))
    """
    if len(expected) <= FEW:
        return _decide_few(expected, status_quo)
    chosen = status_quo.copy()
    best = expected[np.arange(len(expected)), status_quo]
    for action in range(expected.shape[1]):
        better = expected[:, action] > best
        best = np.where(better, expected[:, action], best)
        chosen = np.where(better, chosen.dtype.type(action), chosen)
    return chosen, best


def _decide_few(expected: NDArray[np.float64], status_quo: Codes) -> tuple[Codes, NDArray[np.float64]]:
    """Decide case by case, by the same comparisons in the same order."""
    actions, money = [], []
    for worth, own in zip(expected.tolist(), status_quo.tolist(), strict=True):
        chosen, best = own, worth[own]
        for action, its in enumerate(worth):
            if its > best:
                chosen, best = action, its
        actions.append(chosen)
        money.append(best)
    return np.array(actions, dtype=status_quo.dtype), np.array(money, dtype=np.float64)
