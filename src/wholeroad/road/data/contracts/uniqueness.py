"""Values that only one row may have, over the parts of a batch: told by sorted words of 64 bits."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FEW: Final = 16
_NONE: Final = np.zeros(0, dtype=np.uint64)


def words_of_values(column: pl.Series) -> Words:
    """Give one word for each value, none of which is null: equal values have equal words, within a process.

    Integers, dates and instants are their own words. Other values are hashed: two different ones
    of ten million are taken for one with a chance of 3 in a million.
    """
    physical = column.to_physical()
    if physical.dtype.is_integer():
        return physical.cast(pl.Int64).to_numpy().view(np.uint64)
    return column.hash().to_numpy()


def words_of_rows(frame: pl.DataFrame) -> Words:
    """Give one word for each row, over all columns; equal within a process."""
    total = np.zeros(frame.height, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in frame.iter_columns():
            total = (total ^ (total >> np.uint64(29))) * _GOLDEN + column.hash().to_numpy()
    return total


class SeenValues:
    """The values of a column that came so far, and whose they are.

    They are kept in sorted runs, each more than twice as long as the next: every value is merged a few
    times only, and a part is looked up by a few searches in sorted order.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Words, Words]] = []

    def repeated(self, values: Words, owners: Words | None) -> NDArray[np.bool_]:
        """Take in a part; tell which of its values were there before with another owner.

        Parameters
        ----------
        values
            Shape (n,).
        owners
            Shape (n,): words of the rows' keys; None where each row has a key of its own.

        Returns
        -------
        numpy.ndarray
            Shape (n,), Boolean. Of rows with one value and different keys all but those of the first key.
        """
        if owners is None:
            return self._repeated_alone(values)
        order = np.argsort(values, kind="stable")
        ordered, whose = values[order], owners[order]
        first = _firsts(ordered)
        group = np.cumsum(first) - 1
        names, of = ordered[first], whose[first]
        there, before = self._found(names)
        of[there] = before[there]
        again = np.zeros(values.size, dtype=np.bool_)
        again[order] = whose != of[group]
        self._add(names[~there], of[~there])
        return again

    def _repeated_alone(self, values: Words) -> NDArray[np.bool_]:
        """Do it where nobody owns a value: single rows are looked at only where a value is repeated."""
        ordered = values if (values[1:] > values[:-1]).all() else np.sort(values)
        there, _ = self._found(ordered)
        twice = 1 + np.flatnonzero(ordered[1:] == ordered[:-1])
        known = ordered[np.flatnonzero(there)]
        suspects = np.unique(np.concatenate([ordered[twice], known]))
        self._add(ordered[~there] if known.size else ordered, _NONE)
        again = np.zeros(values.size, dtype=np.bool_)
        if suspects.size:
            rows = np.flatnonzero(_among(values, suspects))
            _, first = np.unique(values[rows], return_index=True)
            again[rows] = True
            again[rows[first]] = np.isin(values[rows[first]], known)
        return again

    def _found(self, names: Words) -> tuple[NDArray[np.bool_], Words]:
        """Tell which of some ascending values are there, and whose."""
        there, of = np.zeros(names.size, dtype=np.bool_), np.zeros(names.size, dtype=np.uint64)
        for values, owners in self._runs:
            if not names.size or names[0] > values[-1] or names[-1] < values[0]:
                continue
            places = np.minimum(np.searchsorted(values, names), values.size - 1)
            hit = values[places] == names
            there |= hit
            if owners.size:
                of[hit] = owners[places[hit]]
        return there, of

    def _add(self, values: Words, owners: Words) -> None:
        if not values.size:
            return
        self._runs.append((values, owners))
        while len(self._runs) > 1 and self._runs[-2][0].size <= 2 * self._runs[-1][0].size:
            (one, ones), (two, twos) = self._runs[-2:]
            self._runs[-2:] = [_merged(one, two, owners=(ones, twos))]


class CountedValues:
    """The values of a column that came so far, where only counts are asked for: sorted once, at the end."""

    def __init__(self) -> None:
        self._parts: list[Words] = []
        self._last = -1
        self._ascending = True

    def add(self, values: Words) -> None:
        """Take in a part, shape (n,)."""
        if not values.size:
            return
        first, last = int(values[0]), int(values[-1])
        self._ascending = self._ascending and first > self._last and bool((values[1:] > values[:-1]).all())
        self._last = last
        self._parts.append(values.copy())

    def repeated(self) -> int:
        """Count the rows whose value came before; of rows that share a value all but one."""
        if self._ascending:
            return 0
        every = np.concatenate(self._parts)
        self._parts = [every]
        every.sort()
        return int(np.count_nonzero(every[1:] == every[:-1]))


def _among(values: Words, some: Words) -> NDArray[np.bool_]:
    """Tell which values are among some, in ascending order."""
    if some.size > _FEW:
        places = np.minimum(np.searchsorted(some, values), some.size - 1)
        found: NDArray[np.bool_] = some[places] == values
        return found
    found = values == some[0]
    for one in some[1:]:
        found |= values == one
    return found


def _firsts(ordered: Words) -> NDArray[np.bool_]:
    """Tell where a value comes for the first time."""
    first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def _merged(one: Words, two: Words, *, owners: tuple[Words, Words]) -> tuple[Words, Words]:
    both = np.concatenate([one, two])
    if not owners[0].size:
        both.sort(kind="stable")  # two runs in order: it merges them
        return both, _NONE
    order = np.argsort(both, kind="stable")
    return both[order], np.concatenate(owners)[order]
