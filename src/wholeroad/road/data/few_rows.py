"""Rows of physical values as a frame of one row or a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from wholeroad.road.data.row_versions import Row


def frame_of(rows: Sequence[Row], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Put rows of physical values into a frame; a column that a row lacks is null there.

    Examples
    --------
    >>> frame_of([{"day": 1, "x": 2.0}], {"day": pl.Date()})["day"].to_list()
    [datetime.date(1970, 1, 2)]
    """
    columns = [
        pl.Series(name, [row.get(name) for row in rows], dtype=physical(dtype)).cast(dtype)
        for name, dtype in schema.items()
    ]
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))


def physical(dtype: pl.DataType) -> pl.DataType:
    """Give the type that a column's physical values have; categories are texts."""
    if isinstance(dtype, pl.Datetime | pl.Duration | pl.Time):
        return pl.Int64()
    if isinstance(dtype, pl.Date):
        return pl.Int32()
    return pl.String() if isinstance(dtype, pl.Categorical | pl.Enum) else dtype
