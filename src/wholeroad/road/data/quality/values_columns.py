"""The columns of a source as the questions about values look at them: arrays, distinct values, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.values_names import is_identifier
from wholeroad.road.data.quality.values_off_support import off_support

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]

FEW_ROWS: Final = 30
"""With fewer values of a column nothing is said about how they spread."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes
    ----------
    values
        Shape (rows,); NaN where there is none.
    levels, counts
        Distinct values, rising, and how often each is there.
    whole
        Whether all are integers.
    identifies
        Whether the values only tell rows apart: keys, ids, codes.
    """

    name: str
    values: Floats
    levels: Floats
    counts: Counts
    identifies: bool

    @cached_property
    def whole(self) -> bool:
        """Whether all values are integers."""
        return bool((self.levels == np.round(self.levels)).all())

    @property
    def present(self) -> int:
        """How many rows have a value."""
        return int(self.counts.sum())

    @cached_property
    def sentinels(self) -> Floats:
        """Values that stand for none, such as -999."""
        return off_support(self.levels, self.counts, name=self.name, identifies=self.identifies)

    @cached_property
    def sound(self) -> tuple[Floats, Counts]:
        """Distinct values and counts without the sentinels."""
        kept = ~np.isin(self.levels, self.sentinels)
        return self.levels[kept], self.counts[kept]

    @cached_property
    def cleared(self) -> Floats:
        """The values; NaN also where there is a sentinel."""
        if not self.sentinels.size:
            return self.values
        return np.where(np.isin(self.values, self.sentinels), np.nan, self.values)

    @cached_property
    def ordered(self) -> Floats:
        """The sound values in rising order, each as often as it is there."""
        levels, counts = self.sound
        return np.repeat(levels, counts)

    @cached_property
    def continuous(self) -> bool:
        """Whether it measures something, with many distinct values of which few come back often."""
        levels, counts = self.sound
        total = int(counts.sum())
        if self.identifies or total < 2 * FEW_ROWS or levels.size < 30:
            return False
        usual = np.sort(counts)[: max(1, levels.size - 3)]
        return bool(usual.max() <= max(0.05 * total, 3))


@dataclass(frozen=True)
class Texts:
    """A column of texts: the rows, and its distinct texts with their counts, the most frequent first."""

    name: str
    values: pl.Series
    levels: tuple[str, ...]
    counts: Counts
    identifies: bool

    @property
    def present(self) -> int:
        """How many rows have a text."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Instants:
    """A column of instants or of dates: microseconds since 1970, and which rows have one."""

    name: str
    values: NDArray[np.int64]
    present: Mask
    dates: bool


@dataclass(frozen=True)
class Looked:
    """All columns of a source by kind.

    Attributes
    ----------
    booleans
        Names of columns of true and false.
    """

    numbers: Mapping[str, Numbers]
    texts: Mapping[str, Texts]
    instants: Mapping[str, Instants]
    booleans: tuple[str, ...]

    @cached_property
    def segments(self) -> Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]]:
        """Columns of texts with 2 to 60 frequent levels: each row's level (-1: none), and their names."""
        found = {}
        for name, texts in self.texts.items():
            frequent = tuple(
                level
                for level, count in zip(texts.levels[:61], texts.counts[:61], strict=True)
                if count >= FEW_ROWS
            )
            if 2 <= len(frequent) <= 60:
                places = pl.Series(np.arange(len(frequent), dtype=np.int32))
                codes = texts.values.replace_strict(
                    pl.Series(frequent), places, default=None, return_dtype=pl.Int32
                )
                found[name] = (codes.fill_null(-1).to_numpy(), frequent)
        return found


def spread_over(height: int, most: int) -> NDArray[np.int64]:
    """Give at most so many row numbers, evenly apart, rising."""
    return np.linspace(0, max(0, height - 1), min(height, most)).astype(np.int64)


def look(rows: pl.DataFrame, columns: tuple[str, ...], *, keys: frozenset[str]) -> Looked:
    """Sort the columns of a source by kind, and count their values.

    Parameters
    ----------
    rows
        One row per key.
    columns
        The source's own.
    keys
        Columns that tell rows apart or join them.
    """
    numbers, texts, instants, booleans = {}, {}, {}, []
    for name in columns:
        column, dtype = rows[name], rows.schema[name]
        identifies = name in keys or is_identifier(name)
        if dtype.is_numeric():
            numbers[name] = _numbers(column, identifies=identifies)
        elif dtype == pl.String:
            texts[name] = _texts(column, identifies=identifies)
        elif dtype == pl.Boolean:
            booleans.append(name)
        elif dtype.is_temporal() and not isinstance(dtype, pl.Duration | pl.Time):
            at = column.cast(pl.Datetime("us"), strict=False).to_physical()
            present = column.is_not_null().to_numpy()
            instants[name] = Instants(name, at.fill_null(0).to_numpy(), present, dtype == pl.Date)
    return Looked(numbers, texts, instants, tuple(booleans))


def _numbers(column: pl.Series, *, identifies: bool) -> Numbers:
    values = column.cast(pl.Float64).fill_null(float("nan"))
    values = values.set(values.is_infinite(), float("nan"))
    counted = (
        values.filter(values.is_not_nan()).value_counts(name="count").sort(column.name, maintain_order=True)
    )
    return Numbers(
        column.name,
        values.to_numpy(),
        counted[column.name].to_numpy(),
        counted["count"].cast(pl.Int64).to_numpy(),
        identifies,
    )


def _texts(column: pl.Series, *, identifies: bool) -> Texts:
    name = column.name
    counted = (
        column.drop_nulls()
        .value_counts(name="_count")
        .sort("_count", name, descending=[True, False], maintain_order=True)
    )
    counts = counted["_count"].cast(pl.Int64).to_numpy()
    return Texts(name, column, tuple(counted[name].to_list()), counts, identifies)
