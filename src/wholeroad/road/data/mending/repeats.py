"""Rows of one batch that say the same: which came first, remembered over the batch's parts."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.content import row_hashes


class Repeats:
    """What one ``deduplicate`` step has seen of a batch: a hash and a row number of each different row."""

    def __init__(self) -> None:
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._numbers = np.zeros(0, dtype=np.int64)

    def of(self, rows: pl.DataFrame, *, counting: pl.Series, numbers: pl.Series) -> pl.Series:
        """Tell which row each row repeats, and remember those that are new.

        Parameters
        ----------
        rows
            The columns that are compared. A row with an empty value in one of them repeats nothing: two
            rows that both don't say who they are about needn't be about the same.
        counting
            Boolean, shape (n,): rows that nothing was wrong with so far; the others are not looked at.
        numbers
            Shape (n,): the rows' places in the batch.

        Returns
        -------
        polars.Series
            Int64, shape (n,): the number of the row that it repeats, null where it is the first.
        """
        whole = rows.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        looked_at = (counting & whole).to_numpy()
        hashes, places = row_hashes(rows)[looked_at], numbers.cast(pl.Int64).to_numpy()[looked_at]
        distinct, first, which = np.unique(hashes, return_index=True, return_inverse=True)
        original, known = self._seen(distinct, places[first])
        repeats = original[which] != places
        said = np.full(rows.height, -1, dtype=np.int64)
        said[looked_at] = np.where(repeats, original[which], -1)
        self._remember(distinct[~known], places[first][~known])
        found = pl.Series("repeats", said)
        return found.set(found < 0, None)

    def _seen(
        self, hashes: NDArray[np.uint64], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Give the first row of each hash, and whether an earlier part had it."""
        if not self._hashes.size:
            return places, np.zeros(hashes.size, dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self._hashes.size - 1)
        known = self._hashes[at] == hashes
        return np.where(known, self._numbers[at], places), known

    def _remember(self, hashes: NDArray[np.uint64], places: NDArray[np.int64]) -> None:
        every = np.concatenate([self._hashes, hashes])
        order = np.argsort(every, kind="stable")
        self._hashes = every[order]
        self._numbers = np.concatenate([self._numbers, places])[order]
