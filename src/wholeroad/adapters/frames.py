"""Frames of others, as Polars frames."""

from __future__ import annotations

import polars as pl

from wholeroad.core.errors import UserError


def as_frame(rows: object) -> pl.DataFrame:
    """Give a Polars frame from one, from a lazy one, or from any table that speaks Arrow.

    Raises
    ------
    UserError
        ``data.no-frame``.
    """
    if isinstance(rows, pl.DataFrame):
        return rows
    if isinstance(rows, pl.LazyFrame):
        try:
            return rows.collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise UserError(
                "data.no-frame",
                "The lazy frame can't be collected",
                happened=f"Polars said: {error}",
                expected="rows",
                fix="collect it yourself to see where it fails",
            ) from error
    if hasattr(rows, "__arrow_c_stream__") and not isinstance(rows, pl.Series):
        return pl.DataFrame(rows)
    raise UserError(
        "data.no-frame",
        "The rows are no table",
        happened=f"they were a {type(rows).__name__}",
        expected="a Polars frame, or a table that speaks Arrow, such as pandas' or PyArrow's",
        fix="wrap them, as in polars.DataFrame(rows)",
    )
