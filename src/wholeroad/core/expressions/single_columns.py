"""Columns of one row, as :func:`wholeroad.core.expressions.terms.column` reads those of a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions.allowed import Kind
from wholeroad.core.expressions.single_parts import FLOAT_MOST, Part, RareError, constant, fitting, mapped
from wholeroad.core.instants import DAY

_DAYS_MOST: Final = 10**8
"""Dates nearer than this are instants that fit in 64 bits."""


def column(name: str, dtype: pl.DataType | type[pl.DataType]) -> Part:
    """Read a column of physical values.

    Raises
    ------
    RareError
        For types that rows don't keep as numbers, texts, booleans, or microseconds of UTC.
    """
    given = dtype() if isinstance(dtype, type) else dtype
    if given == pl.Null:
        return constant("null", None)
    if given.is_float():
        return Part("float", _float(name))
    kind = _kind(given)
    plain = Part(kind, itemgetter(name))
    if given in (pl.UInt64, pl.Int128, pl.UInt128):
        return mapped(plain, kind="integer", function=fitting)
    return mapped(plain, kind="instant", function=_midnight) if given == pl.Date else plain


def _kind(given: pl.DataType) -> Kind:
    if given.is_integer():
        return "integer"
    if given == pl.Boolean:
        return "boolean"
    if given in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    if given == pl.Date or (isinstance(given, pl.Datetime) and given.time_unit == "us"):
        return "instant"
    if isinstance(given, pl.Duration) and given.time_unit == "us":
        return "span"
    raise RareError


def _float(name: str) -> Callable[[Mapping[str, Any]], Any]:
    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        value = row[name]
        return value if value is None or -FLOAT_MOST <= value <= FLOAT_MOST else None

    return call


def _midnight(days: int) -> int:
    if -_DAYS_MOST < days < _DAYS_MOST:
        return days * DAY
    raise RareError
