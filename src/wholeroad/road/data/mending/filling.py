"""Filling: what stands in for an empty value."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from wholeroad.road.brief.mends import MendStep, Plain
from wholeroad.road.data.casting import kept_type, parse


class Filling(NamedTuple):
    """The value that stands in, and the type that the column then has."""

    value: pl.Series
    dtype: pl.DataType


def filling(step: MendStep, given: pl.DataType) -> Filling | None:
    """Give what a column is filled with, or None where that is no value of its kind.

    Parameters
    ----------
    given
        The column's type; one without a value takes that of what it is filled with.

    Examples
    --------
    >>> filling(MendStep(fill="age", **{"with": 0.5}), pl.Int64()).dtype
    Float64
    """
    said = step.with_
    kept = kept_type(given)
    if said is None or kept is None:
        return None
    if isinstance(given, pl.Null):
        kept = _own_type(said)
    if isinstance(kept, pl.String):
        return Filling(pl.Series([_text(said)]), kept)
    if isinstance(kept, pl.Boolean):
        return Filling(pl.Series([said]), kept) if isinstance(said, bool) else None
    if kept.is_numeric():
        return _number(said, kept)
    value = parse(pl.Series([_text(said)]), kept) if isinstance(said, str) else pl.Series([None])
    return None if value.null_count() else Filling(value, kept)


def filled(column: pl.Series, step: MendStep, *, given: pl.DataType) -> pl.Series:
    """Fill every empty value of a column in its kept type."""
    found = filling(step, given)
    if found is None:  # told when the steps were planned
        return column
    wide = column.cast(found.dtype)
    return wide.zip_with(wide.is_not_null(), found.value.cast(found.dtype).new_from_index(0, len(wide)))


def _number(said: Plain, kept: pl.DataType) -> Filling | None:
    if isinstance(said, bool):
        return None
    if isinstance(said, str):
        read = parse(pl.Series([said]), pl.Float64())[0]
        if read is None:
            return None
        said = float(read)
    if isinstance(kept, pl.Int64) and float(said).is_integer():
        return Filling(pl.Series([int(said)], dtype=pl.Int64), kept)
    return Filling(pl.Series([float(said)]), pl.Float64())


def _own_type(said: Plain) -> pl.DataType:
    if isinstance(said, bool):
        return pl.Boolean()
    if isinstance(said, int):
        return pl.Int64()
    return pl.Float64() if isinstance(said, float) else pl.String()


def _text(said: Plain) -> str:
    return str(said).lower() if isinstance(said, bool) else str(said)


def is_empty(column: pl.Series) -> pl.Series:
    """Tell where a column has no value; NaN is how other tools write that."""
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
