"""Deciding: the action with the most expected money. The one kernel of both worlds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def decide(
    probabilities: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    status_quo: NDArray[np.int8],
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Choose for each case the action with the greatest expected money.

    ``expected[a] = sum over classes of p[c] * value[a, c]``, accumulated class by class in
    order, so that one case gives the same bits as many. Ties go to the status quo, then to the
    earlier action. An action whose expected money isn't known (NaN) is never taken, and a
    status quo whose expected money isn't known is never left: there is nothing to beat.

    Parameters
    ----------
    probabilities
        Shape (n, C).
    values
        Shape (n, A, C), or (1, A, C) for values that are the same for all cases.
    status_quo
        Shape (n,): action codes.

    Returns
    -------
    actions, expected
        Shape (n,): action codes, int8, and the expected money of each, in the brief's unit.

    Examples
    --------
    >>> p, worth = np.array([[0.2, 0.8], [0.3, 0.7]]), np.array([[[120.0, -35.0], [0.0, 0.0]]])
    >>> decide(p, worth, np.array([1, 1], dtype=np.int8))
    (array([1, 0], dtype=int8), array([ 0. , 11.5]))
    """
    money = [expected_money(probabilities, values[:, action, :]) for action in range(values.shape[1])]
    chosen = status_quo.astype(np.int8)
    best = _pick(money, status_quo)
    for action, expected in enumerate(money):
        better = expected > best
        best = np.where(better, expected, best)
        chosen = np.where(better, np.int8(action), chosen)
    return chosen, best


def expected_money(probabilities: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give shape (n,): the expected money of one action whose values are shape (n or 1, C)."""
    total = np.zeros(len(probabilities), dtype=np.float64)
    for index in range(probabilities.shape[1]):
        total += np.ascontiguousarray(probabilities[:, index]) * np.ascontiguousarray(values[:, index])
    return total


def _pick(money: list[NDArray[np.float64]], actions: NDArray[np.int8]) -> NDArray[np.float64]:
    best = money[0].copy()
    for action, expected in enumerate(money[1:], start=1):
        best = np.where(actions == action, expected, best)
    return best
