"""Values as they are in memory one row at a time, from columns."""

from __future__ import annotations

from typing import Any

import polars as pl


def physical(column: pl.Series) -> list[Any]:
    """Give a column's values: texts, numbers, booleans, nulls; instants as microseconds, dates as days.

    Examples
    --------
    >>> physical(pl.Series([1, None]).cast(pl.Datetime("us", "UTC")))
    [1, None]
    """
    dtype = column.dtype
    if dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String).to_list()
    if isinstance(dtype, pl.Datetime) and dtype.time_unit != "us":
        column = column.cast(pl.Datetime("us", dtype.time_zone))
    elif isinstance(dtype, pl.Duration) and dtype.time_unit != "us":
        column = column.cast(pl.Duration("us"))
    return (column.to_physical() if dtype.is_temporal() else column).to_list()
