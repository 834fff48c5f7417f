"""Scoring row by row to the last bit, with arithmetic that isn't ours.

A product of matrices may add in another order when there are more rows, or when a row stands at
another place. So rows are handed over in blocks of one fixed shape, and a probe at the fit asks whether
a row's place among others changes a bit. Where it does, rows are handed over one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 256
"""Rows in a block; a shorter one is filled up with copies of its first row."""
SHIFTS: Final = (1, 2, 3, 4, 7, 64, 131)
"""By how many places the rows of the probe are moved."""
ALONE: Final = 12
"""Rows of the probe that fill a block of their own, so that each is at every place."""

Floats = NDArray[np.float64]
Predict = Callable[[Floats], Floats]


def score(predict: Predict, values: Floats, *, alone: bool) -> Floats:
    """Score rows so that none depends on the others.

    Parameters
    ----------
    predict
        From (m, p) to (m, k); m is always :data:`BLOCK`, or 1 when ``alone``.
    values
        Shape (n, p), n one or more.
    """
    size = 1 if alone else BLOCK
    parts = []
    for start in range(0, len(values), size):
        rows = values[start : start + size]
        block = np.empty((size, values.shape[1]))
        block[: len(rows)] = rows
        block[len(rows) :] = rows[0]
        parts.append(predict(block)[: len(rows)])
    return np.concatenate(parts)


def apart(predict: Predict, values: Floats) -> bool:
    """Probe whether a row of a full block gives the same bits at every place, whatever stands around it.

    The order in which a product adds depends on shapes and places, not on the numbers; so rows that
    agree wherever they were put are told apart from luck by their number.

    Parameters
    ----------
    values
        Shape (n, p): rows to probe with, n one or more.
    """
    places = np.arange(BLOCK) * len(values) // BLOCK if len(values) >= BLOCK else np.arange(BLOCK)
    block = np.ascontiguousarray(values[places % len(values)])
    there = predict(block)
    moved = [np.roll(np.arange(BLOCK), shift) for shift in SHIFTS]
    for order in [*moved, np.arange(BLOCK)[::-1]]:
        if not np.array_equal(predict(block[order]), there[order]):
            return False
    for place in np.unique(np.linspace(0, BLOCK - 1, ALONE).astype(int)):
        whole = predict(np.repeat(block[place : place + 1], BLOCK, axis=0))
        if not np.array_equal(whole, np.repeat(there[place : place + 1], BLOCK, axis=0)):
            return False
    return True
