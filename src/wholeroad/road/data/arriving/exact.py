"""Values that have the type of their column already: nothing has to be read into them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from wholeroad.core.instants import EPOCH
from wholeroad.road.data.casting import INSTANT

Convert = Callable[[Any], Any]
"""From a value as JSON has it to the physical one; raises ValueError or OverflowError where it is odd."""

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_DAYS: Final = date(1970, 1, 1).toordinal()
_US_PER_DAY: Final = 86_400_000_000
_US_PER_S: Final = 1_000_000
_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAIVE_EPOCH: Final = EPOCH.replace(tzinfo=None)


def _whole(value: int) -> int:
    if _LEAST <= value <= _MOST:
        return value
    raise OverflowError


def _finite(value: float) -> float:
    if value - value == 0.0:
        return value
    raise ValueError


def _number(value: int) -> float:
    number = float(value)
    if number == value:
        return number
    raise ValueError


def _text(value: str) -> str:
    if not value.isascii():
        value.encode()  # half of a surrogate pair is no text
    return value


def _moment(value: str) -> int:
    if _MOMENT.fullmatch(value) is None:
        return _day(value) * _US_PER_DAY
    return _stamp(datetime.fromisoformat(value))


def _stamp(moment: datetime) -> int:
    since = moment - (_NAIVE_EPOCH if moment.tzinfo is None else EPOCH)
    return since.days * _US_PER_DAY + since.seconds * _US_PER_S + since.microseconds


def _day(value: str) -> int:
    if _DAY.fullmatch(value) is None:
        raise ValueError
    return _date(date.fromisoformat(value))


def _date(day: date) -> int:
    return day.toordinal() - _DAYS


def _midnight(day: date) -> int:
    return _date(day) * _US_PER_DAY


def _same(value: object) -> object:
    return value


CONVERSIONS: Final[dict[tuple[type, pl.DataType], Convert]] = {
    (int, pl.Int64()): _whole,
    (float, pl.Float64()): _finite,
    (int, pl.Float64()): _number,
    (bool, pl.Boolean()): _same,
    (str, pl.String()): _text,
    (str, INSTANT): _moment,
    (str, pl.Date()): _day,
    (datetime, INSTANT): _stamp,
    (date, INSTANT): _midnight,
    (date, pl.Date()): _date,
}
"""By the type of the value and that of the column; what isn't named is odd."""


def conversion(kind: type, target: pl.DataType) -> Convert | None:
    """Give what makes a physical value of a value that isn't null; None where such values are odd."""
    return CONVERSIONS.get((kind, target))


def as_it_stands(convert: Convert) -> bool:
    """Tell whether a conversion leaves every value as it is."""
    return convert is _same
