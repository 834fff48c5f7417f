"""Encoding: from feature columns to the matrix that learners see, by vocabularies fitted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import RoadError
from wholeroad.core.ports import Matrix

MOST_CATEGORIES: Final = 255
"""Categories kept per text column, the most frequent first; the rest are "unseen"."""

Kind = Literal["number", "boolean", "text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One encoded column; ``categories`` are sorted by their text, empty unless ``kind`` is text."""

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoder:
    """Fixed once fitted: later rows can't change how earlier ones are encoded.

    Numbers and booleans (0, 1) stay numbers. Text becomes codes ``0 .. k-1`` in the order of the
    text, anything else code ``k``. Null, NaN and the infinities become NaN: a number that can't
    be computed is a number that isn't known.

    Attributes
    ----------
    columns
        The columns kept, in the order of the frame they were fitted on.
    left_out
        Pairs (name, reason) of the columns kept out.
    """

    columns: tuple[Column, ...]
    left_out: tuple[tuple[str, str], ...]

    def encode(self, features: pl.DataFrame) -> Matrix:
        """Encode rows, each on its own; columns are found by name.

        Raises
        ------
        RoadError
            ``model.column-missing``: the frame lacks a column that the encoder was fitted on.
        """
        if missing := [column.name for column in self.columns if column.name not in features.columns]:
            raise RoadError(
                "model.column-missing",
                "features to be scored lack columns of the model",
                happened=f"missing: {', '.join(missing)}",
                expected="every feature that the model was fitted on",
                fix="compute the features by the brief that the model was fitted under",
            )
        values = np.empty((features.height, len(self.columns)), dtype=np.float64, order="F")
        for index, column in enumerate(self.columns):
            values[:, index] = _encoded(features.get_column(column.name), column)
        return Matrix(
            values=values,
            names=tuple(column.name for column in self.columns),
            categories=tuple(len(column.categories) for column in self.columns),
        )

    def to_data(self) -> dict[str, Any]:
        """Give the encoder as plain data for JSON."""
        return {
            "columns": [[column.name, column.kind, list(column.categories)] for column in self.columns],
            "left_out": [list(pair) for pair in self.left_out],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Encoder:
        """Read what ``to_data`` wrote."""
        columns = cast("Sequence[tuple[str, Kind, Sequence[str]]]", data["columns"])
        left_out = cast("Sequence[tuple[str, str]]", data["left_out"])
        return cls(
            columns=tuple(Column(name, kind, tuple(categories)) for name, kind, categories in columns),
            left_out=tuple((name, reason) for name, reason in left_out),
        )


def fit_encoder(features: pl.DataFrame) -> Encoder:
    """Fit vocabularies on training rows; columns that tell nothing are left out, with the reason.

    Examples
    --------
    >>> frame = pl.DataFrame({"carrier": ["b", "a", None], "year": [2013, 2013, 2013]})
    >>> encoder = fit_encoder(frame)
    >>> encoder.columns, encoder.left_out
    ((Column(name='carrier', kind='text', categories=('a', 'b')),), (('year', 'constant'),))
    >>> encoder.encode(pl.DataFrame({"carrier": ["b", "z"]})).values[:, 0]
    array([1., 2.])
    """
    columns: list[Column] = []
    left_out: list[tuple[str, str]] = []
    for series in features.iter_columns():
        kind = _kind(series.dtype)
        if series.null_count() == len(series):
            left_out.append((series.name, "every value is null"))
        elif kind is None:
            left_out.append((series.name, f"{series.dtype} is no number, boolean or text"))
        elif reason := _tells_nothing(series, kind):
            left_out.append((series.name, reason))
        else:
            columns.append(Column(series.name, kind, _vocabulary(series) if kind == "text" else ()))
    return Encoder(tuple(columns), tuple(left_out))


def _kind(dtype: pl.DataType) -> Kind | None:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    # Categorical and Enum equal their instances, but don't hash as they do.
    return "text" if any(dtype == text for text in (pl.String, pl.Categorical, pl.Enum)) else None


def _tells_nothing(series: pl.Series, kind: Kind) -> str | None:
    if kind == "text":
        return "constant" if series.n_unique() == 1 else None
    values = _numbers(series)
    known = values[~np.isnan(values)]
    if not len(known):
        return "no value is a finite number"
    return "constant" if len(known) == len(values) and known.min() == known.max() else None


def _vocabulary(series: pl.Series) -> tuple[str, ...]:
    texts = series.cast(pl.String).drop_nulls().rename("text")
    counts = texts.value_counts(name="rows").sort("rows", "text", descending=[True, False])
    return tuple(sorted(counts.get_column("text").head(MOST_CATEGORIES).to_list()))


def _numbers(series: pl.Series) -> NDArray[np.float64]:
    values = series.cast(pl.Float64).to_numpy(writable=True)
    values[np.isinf(values)] = np.nan
    return values


def _encoded(series: pl.Series, column: Column) -> NDArray[np.float64]:
    if column.kind != "text":
        return _numbers(series)
    texts = series.cast(pl.String)
    codes = texts.replace_strict(
        list(column.categories),
        range(len(column.categories)),
        default=len(column.categories),
        return_dtype=pl.Float64,
    )
    values = codes.to_numpy(writable=True)
    values[texts.is_null().to_numpy()] = np.nan
    return values
