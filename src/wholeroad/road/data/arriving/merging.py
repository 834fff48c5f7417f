"""Rows that are sent in part: what they don't say is taken from what is known of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import FIRST, LAST, format_instant
from wholeroad.road.data.casting import INSTANT

_FIRST_DAY: Final = date(1970, 1, 1)


def as_sent(value: Any, dtype: pl.DataType) -> Any:  # noqa: ANN401
    """Write a physical value as JSON has it, so that it is read as the same value.

    Examples
    --------
    >>> as_sent(0, pl.Date()), as_sent(86_400_000_000, INSTANT), as_sent(2, pl.Int64())
    ('1970-01-01', '1970-01-02T00:00:00Z', 2)
    """
    if value is None or dtype not in (INSTANT, pl.Date()):
        return value
    if dtype == INSTANT:
        return format_instant(value) if FIRST <= value <= LAST else value
    try:
        return (_FIRST_DAY + timedelta(days=value)).isoformat()
    except OverflowError:
        return value


def part_of_mended(sent: Collection[str], fields: Collection[str], *, name: str) -> UserError:
    """Say that a part of a row can't be completed by what has been mended."""
    return UserError(
        "data.part-of-mended",
        f"[source.{name}]: a part of a row can't be completed",
        happened=f"the row had {', '.join(sent) or 'no field'} alone; rows of {name} are mended on landing",
        expected=f"all of {', '.join(sorted(fields))}",
        fix="send the whole row, as its source would",
    )
