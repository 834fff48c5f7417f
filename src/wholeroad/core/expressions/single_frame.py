"""An expression over a frame of one row: what covers everything, and is the law for what is faster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from wholeroad.core.expressions.expression import Expression
from wholeroad.core.expressions.single_parts import RowCall


def over_a_frame(expression: Expression, schema: Mapping[str, pl.DataType]) -> RowCall:
    """Make a function that lays a row out as a frame, and asks Polars."""
    types = [(name, _instance(schema[name])) for name in sorted(set(expression.polars.meta.root_names()))]
    asked = expression.polars.alias("found")

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        columns = [_laid_out(name, row[name], dtype=dtype) for name, dtype in types]
        frame = pl.DataFrame(columns or {"_": [0]})
        return _physical(frame.select(asked).to_series())

    return call


def _instance(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


def _laid_out(name: str, value: Any, *, dtype: pl.DataType) -> pl.Series:  # noqa: ANN401
    """Make a column of one physical value; instants and spans are microseconds whatever its unit."""
    if isinstance(dtype, pl.Datetime):
        micros: pl.DataType = pl.Datetime("us", dtype.time_zone)
        return pl.Series(name, [value], dtype=pl.Int64).cast(micros).cast(dtype)
    if isinstance(dtype, pl.Duration):
        return pl.Series(name, [value], dtype=pl.Int64).cast(pl.Duration("us")).cast(dtype)
    if dtype == pl.Date:
        return pl.Series(name, [value], dtype=pl.Int32).cast(dtype)
    return pl.Series(name, [value], dtype=dtype)


def _physical(found: pl.Series) -> Any:  # noqa: ANN401
    if isinstance(found.dtype, pl.Datetime):
        found = found.cast(pl.Datetime("us", found.dtype.time_zone)).cast(pl.Int64)
    elif isinstance(found.dtype, pl.Duration):
        found = found.cast(pl.Duration("us")).cast(pl.Int64)
    elif found.dtype == pl.Date:
        found = found.cast(pl.Int32)
    return found.item()
