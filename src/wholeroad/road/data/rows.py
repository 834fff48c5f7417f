"""The features of a history's cases: computed all at once, or only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

_HASHED: Final = 1 << 18
"""Rows that are hashed at a time, since a struct of all columns is a copy of them."""


class FeatureRows:
    """Features by the case's position, each row as known when its case is decided.

    A row doesn't depend on which others are asked for, so a nightly run computes those of the
    cases that are due, and a rehearsal computes all at once.

    Parameters
    ----------
    ids
        Shape (n,), uint64: stable hashes of the cases' keys.
    make
        From the first position and the one after the last to their features.
    """

    def __init__(self, ids: NDArray[np.uint64], make: Callable[[int, int], pl.DataFrame]) -> None:
        self._ids = ids
        self._make = make
        self._at_hand: list[tuple[int, pl.DataFrame]] = []
        self._hashes: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        """Give the number of cases."""
        return self._ids.size

    def whole(self) -> Self:
        """Compute all of them now, and let go of what they are made from."""
        frame = self._make(0, len(self))
        self._at_hand = [(0, frame)]
        self._make = lambda first, last: frame[first:last]
        self._hashes = hash_rows(frame.with_columns(pl.Series("_id", self._ids)))
        return self

    def keep(self, first: int, last: int) -> None:
        """Compute consecutive rows now and keep them: the cases that a run is going to decide."""
        self._at_hand = [(first, self._make(first, last))]

    @property
    def frame(self) -> pl.DataFrame:
        """The features of every case."""
        return self.take(slice(0, len(self)))

    @property
    def schema(self) -> pl.Schema:
        """Their names and types."""
        return self._at_hand[0][1].schema if self._at_hand else self._of(0, min(1, len(self))).schema

    def take(self, rows: slice | NDArray[np.int64]) -> pl.DataFrame:
        """Give the features of some cases, in the order asked for."""
        if isinstance(rows, slice):
            first, last, _ = rows.indices(len(self))
            return self._of(first, max(first, last))
        if not rows.size:
            return self._of(0, 0)
        first, last = int(rows.min()), int(rows.max()) + 1
        frame = self._of(first, last)
        return frame[rows - first] if frame.width else pl.DataFrame(height=rows.size)

    def hashes(self, rows: slice | NDArray[np.int64]) -> NDArray[np.uint64]:
        """Hash the id and features of some cases to 64 bits each, by content alone."""
        if self._hashes is not None:
            return self._hashes[rows]
        return hash_rows(self.take(rows).with_columns(pl.Series("_id", self._ids[rows])))

    def _of(self, first: int, last: int) -> pl.DataFrame:
        """Give consecutive rows, out of those at hand where they are there."""
        for start, frame in self._at_hand:
            if start <= first and last <= start + frame.height:
                return frame.slice(first - start, last - first)
        made = self._make(first, last)
        # A fit asks for its cases twice: beside those that are kept, the last ones stay at hand.
        self._at_hand = [*self._at_hand[:1], (first, made)]
        return made


def hash_rows(frame: pl.DataFrame) -> NDArray[np.uint64]:
    """Hash each row to 64 bits, by content alone."""
    hashes = np.empty(frame.height, dtype=np.uint64)
    for rows in range(0, frame.height, _HASHED):
        part = frame[rows : rows + _HASHED]
        hashes[rows : rows + _HASHED] = part.select(pl.struct(pl.all()).hash(seed=0x57484F4C)).to_series()
    return hashes
