"""Keys of cases and rows as small integers, so that equal keys have equal codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError

Integers = NDArray[np.int64]
By = tuple[tuple[str, str], ...]
"""Pairs (case's column, source's column)."""

NOTHING: Final = -1
"""The code of a key with a null or a NaN in it: it matches nothing."""

_LARGEST: Final = 2**31
_SPARSE: Final = 4


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of the same keys in two frames.

    Attributes
    ----------
    cases, rows
        Codes ``0 .. size-1``, or :data:`NOTHING`.
    size
        Below 2**33; not all codes need be in use.
    """

    cases: Integers
    rows: Integers
    size: int


def joint_codes(cases: pl.DataFrame, rows: pl.DataFrame, *, by: By, source: str) -> Codes:
    """Give equal keys equal codes.

    Parameters
    ----------
    cases, rows
        Frames with the columns that ``by`` names; their types may differ in width.
    by
        Pairs of columns; without any, everything has the same key.
    source
        The name of the rows' source, for error messages.

    Raises
    ------
    UserError
        ``features.key-types`` when text would be compared with something else.

    Examples
    --------
    >>> codes = joint_codes(
    ...     pl.DataFrame({"a": [7, None]}), pl.DataFrame({"b": [8, 7]}), by=(("a", "b"),), source="s"
    ... )
    >>> codes.cases[0] == codes.rows[1], codes.cases[1]
    (np.True_, np.int64(-1))
    """
    height = cases.height + rows.height
    code, size = np.zeros(height, np.int64), 1
    missing = np.zeros(height, np.bool_)
    for case_column, row_column in by:
        joined = _joined(cases[case_column], rows[row_column], f"{source}.{row_column}")
        next_code, next_size = column_codes(joined)
        missing |= next_code == NOTHING
        code = code * next_size + next_code
        size *= next_size
        if size >= _LARGEST:
            code, size = _dense(code)
    code[missing] = NOTHING
    return Codes(code[: cases.height], code[cases.height :], size)


def _joined(left: pl.Series, right: pl.Series, where: str) -> pl.Series:
    """Put both columns under one another in a type that loses nothing."""
    if _is_text(left.dtype) != _is_text(right.dtype) and pl.Null not in (left.dtype, right.dtype):
        raise UserError(
            "features.key-types",
            f"{left.name!r} of the case cannot be compared with {where}",
            happened=f"the types were {left.dtype} and {right.dtype}",
            expected="text with text, or numbers with numbers",
            fix="read both columns with the same type",
        )
    pair = [column.to_frame("key") for column in _comparable(left, right)]
    return pl.concat(pair, how="vertical_relaxed").get_column("key")


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum)


def _comparable(left: pl.Series, right: pl.Series) -> tuple[pl.Series, pl.Series]:
    if _is_text(left.dtype) and _is_text(right.dtype):
        return left.cast(pl.String), right.cast(pl.String)
    units = [column.dtype.time_unit for column in (left, right) if isinstance(column.dtype, pl.Datetime)]
    if units:
        # Polars would take the coarser unit, and make unequal instants equal.
        unit = pl.Datetime("ns" if "ns" in units else "us")
        return _in_utc(left).cast(unit), _in_utc(right).cast(unit)
    return left, right


def _in_utc(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column


def column_codes(column: pl.Series) -> tuple[Integers, int]:
    """Give equal values of a column equal codes, and a number that all codes are below.

    Nulls and NaNs have the code :data:`NOTHING`; 0.0 equals -0.0.
    """
    if column.dtype.is_float():
        column = column.fill_nan(None) + 0.0  # -0.0 becomes 0.0
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    if column.dtype.is_temporal():
        column = column.to_physical()
    if column.dtype == pl.String:
        return _text_codes(column)
    if column.dtype.is_integer() and column.dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return _integer_codes(column.cast(pl.Int64))
    values = column.unique(maintain_order=True).drop_nulls().to_frame("key")
    coded = column.to_frame("key").join(
        values.with_row_index("code"), on="key", how="left", maintain_order="left"
    )
    return _filled(coded.get_column("code").cast(pl.Int64)), max(values.height, 1)


def _text_codes(column: pl.Series) -> tuple[Integers, int]:
    values = column.unique(maintain_order=True).drop_nulls()
    if values.is_empty():
        return np.full(len(column), NOTHING, np.int64), 1
    return _filled(column.cast(pl.Enum(values)).to_physical().cast(pl.Int64)), len(values)


def _integer_codes(column: pl.Series) -> tuple[Integers, int]:
    low, high = column.min(), column.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return np.full(len(column), NOTHING, np.int64), 1
    size = high - low + 1
    if size <= max(_SPARSE * len(column), 1 << 16):
        return _filled(column - low), size
    missing = column.is_null().to_numpy()
    code, size = _dense(column.fill_null(low).to_numpy())
    code[missing] = NOTHING
    return code, size


def _filled(codes: pl.Series) -> Integers:
    return codes.fill_null(NOTHING).to_numpy().astype(np.int64)


def _dense(values: Integers) -> tuple[Integers, int]:
    """Give each distinct value a number."""
    distinct, code = np.unique(values, return_inverse=True)
    return code.astype(np.int64), max(len(distinct), 1)
