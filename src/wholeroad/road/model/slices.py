"""Three slices of history in order of time, with an embargo between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Span

TRAIN_SHARE: Final = 0.70
"""Most of the rows, since trees and vocabularies are what needs them."""
STOP_SHARE: Final = 0.15
"""Enough to stop on and to fit a handful of calibration parameters."""
CHOOSE_SHARE: Final = 1 - TRAIN_SHARE - STOP_SHARE
"""What money is compared on, the newest rows, since the model is for what comes after them."""
LEAST_ROWS: Final = 20
"""Below this a slice says nothing, and a fit is refused."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Rows of a cut by purpose; no row serves two purposes.

    Attributes
    ----------
    train, stop, choose
        Half-open ranges of row numbers, in order of time.
    embargoed
        Rows left out after ``train`` and after ``stop``: when the next slice began, their
        outcome wasn't known for sure.
    """

    train: slice
    stop: slice
    choose: slice
    embargoed: tuple[int, int]

    def ranges(self) -> tuple[tuple[str, slice], ...]:
        """Name the slices in order."""
        return (("train", self.train), ("stop and calibrate", self.stop), ("choose", self.choose))

    @property
    def smallest(self) -> int:
        """Rows in the smallest slice."""
        return min(_length(part) for _, part in self.ranges())


def slice_by_time(decided_at: NDArray[np.int64], *, matures: Span) -> Slices:
    """Cut rows into train, stop-and-calibrate and choose, 70 : 15 : 15 of what the embargo leaves.

    A row of an earlier slice is embargoed when ``decided_at + matures`` lies after the first
    instant of the next slice: a fit made then could not have used its outcome (purging, as in
    López de Prado 2018, *Advances in Financial Machine Learning*, 7.4.1). The shares hold after
    the embargo, so that outcomes that are long in coming shorten all slices alike instead of
    emptying the short ones. Rows of one instant stay together.

    Parameters
    ----------
    decided_at
        Shape (n,), microseconds, sorted.
    matures
        Microseconds from a decision until its outcome is typical.

    Examples
    --------
    >>> slices = slice_by_time(np.arange(100), matures=0)
    >>> slices.train, slices.stop, slices.choose
    (slice(0, 70, None), slice(70, 85, None), slice(85, 100, None))
    """
    low, high = 0, len(decided_at)
    while low < high:
        usable = (low + high + 1) // 2
        if _cut_back(decided_at, usable, matures).train.stop >= round(TRAIN_SHARE * usable):
            low = usable
        else:
            high = usable - 1
    return _cut_back(decided_at, low, matures)


def least_cases() -> int:
    """Give the cases that are enough to fill every slice when nothing is embargoed.

    Examples
    --------
    >>> slice_by_time(np.arange(least_cases()), matures=0).smallest
    20
    """
    return math.ceil(LEAST_ROWS / min(STOP_SHARE, CHOOSE_SHARE))


def _length(part: slice[int, int, None]) -> int:
    return part.stop - part.start


def _cut_back(decided_at: NDArray[np.int64], usable: int, matures: Span) -> Slices:
    """Lay the slices from the newest row backwards, when ``usable`` rows are left of the embargo."""
    rows = len(decided_at)
    choose_from = _start(decided_at, rows - round(CHOOSE_SHARE * usable))
    stop_to = _matured(decided_at, choose_from, matures)
    stop_from = _start(decided_at, stop_to - round(STOP_SHARE * usable))
    train_to = _matured(decided_at, stop_from, matures)
    return Slices(
        train=slice(0, train_to),
        stop=slice(stop_from, stop_to),
        choose=slice(choose_from, rows),
        embargoed=(stop_from - train_to, choose_from - stop_to),
    )


def _start(decided_at: NDArray[np.int64], row: int) -> int:
    """Move a boundary to the first row of its instant."""
    if row <= 0:
        return 0
    if row >= len(decided_at):
        return len(decided_at)
    return int(np.searchsorted(decided_at, decided_at[row], side="left"))


def _matured(decided_at: NDArray[np.int64], row: int, matures: Span) -> int:
    """Count the rows before ``row`` whose outcome has matured when ``row`` is decided."""
    if row >= len(decided_at):
        return len(decided_at)
    return min(row, int(np.searchsorted(decided_at, decided_at[row] - matures, side="right")))
