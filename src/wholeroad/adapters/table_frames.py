"""What both stores of tables ask of a frame and of a name."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from wholeroad.core.errors import RoadError, UserError

POSITION: Final = "_position"
"""A column of every Delta table: where a row stands in it.

Delta promises no order of files, nor of rows over the files of one append.
"""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_WIDER: Final[dict[pl.DataType, pl.DataType]] = {
    pl.UInt8(): pl.Int16(),
    pl.UInt16(): pl.Int32(),
    pl.UInt32(): pl.Int64(),
    pl.UInt64(): pl.Int64(),
    pl.Datetime("ms"): pl.Datetime("us"),
    pl.Datetime("ns"): pl.Datetime("us"),
}
_KEPT: Final = {
    pl.Int8(),
    pl.Int16(),
    pl.Int32(),
    pl.Int64(),
    pl.Float32(),
    pl.Float64(),
    pl.Boolean(),
    pl.String(),
    pl.Binary(),
    pl.Date(),
    pl.Datetime("us"),
    pl.Datetime("us", "UTC"),
}


def checked_name(table: str) -> str:
    """Give the name of a table back if it is safe as the name of a folder on every system."""
    if _NAME.fullmatch(table) is None:
        raise RoadError(
            "tables.bad-name",
            "A table has a name that can't be kept",
            happened=f"the name was {table!r}",
            expected="letters, digits, dashes and underscores",
            fix="rename it",
        )
    return table


def storable(table: str, frame: pl.DataFrame, *, schema: pl.Schema | None) -> pl.DataFrame:
    """Cast a frame to what tables hold; with the table's schema, to its types and order of columns.

    Enums and categories become text, unsigned integers wider signed ones, instants UTC microseconds.
    A column of nulls takes the type of the table's column.

    Raises
    ------
    RoadError
        ``tables.schema-mismatch``, ``tables.column-type``.
    """
    if schema is not None and set(schema) != set(frame.columns):
        raise _mismatch(table, f"columns {', '.join(frame.columns)}", f"columns {', '.join(schema)}")
    if POSITION in frame.columns:
        raise _mismatch(table, f"a column was named {POSITION}", "another name; that one is ours")
    columns = []
    for name in frame.columns if schema is None else schema:
        column = frame[name]
        if isinstance(column.dtype, pl.Null) and schema is not None:
            column = column.cast(schema[name])
        column = _kept(table, column)
        if schema is not None and column.dtype != schema[name]:
            raise _mismatch(table, f"{name} held {column.dtype}", f"{name} holds {schema[name]}")
        columns.append(column)
    return pl.DataFrame(columns)


def missing(table: str) -> UserError:
    """Make the error for a table that isn't there."""
    return UserError(
        "tables.missing",
        f"The table {table} does not exist",
        happened="nothing has been written to it",
        expected="rows",
        fix="run the command that fills it first",
    )


def projected(table: str, columns: list[str], *, schema: pl.Schema) -> list[str]:
    """Give the columns back if the table has them all."""
    if unknown := [name for name in columns if name not in schema]:
        raise _mismatch(table, f"a reader asked for {', '.join(unknown)}", f"one of {', '.join(schema)}")
    return columns


def _kept(table: str, column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    wider = _WIDER.get(dtype, dtype)
    if wider not in _KEPT:
        raise RoadError(
            "tables.column-type",
            f"The table {table} can't hold a column",
            happened=f"{column.name} held {dtype}",
            expected="text, bytes, integers, floats, booleans, dates or instants",
            fix="cast it before writing",
        )
    return column.cast(wider)


def _mismatch(table: str, happened: str, expected: str) -> RoadError:
    return RoadError(
        "tables.schema-mismatch",
        f"Rows don't fit the table {table}",
        happened=happened,
        expected=expected,
        fix="a table's columns are fixed by its first rows; cast the rows, or begin a new table",
    )
