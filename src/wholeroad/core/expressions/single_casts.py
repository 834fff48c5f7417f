"""``cast(x as type)`` for one row; texts and numbers that are rare are left to Polars."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from wholeroad.core.expressions.allowed import TYPES, Kind
from wholeroad.core.expressions.single_calendar import EPOCH_ORDINAL, date_of, in_years
from wholeroad.core.expressions.single_parts import (
    Part,
    RareError,
    constant,
    firm,
    mapped,
    truncated,
)
from wholeroad.core.instants import DAY, UNITS

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INSTANT: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?)?"
)
_TRUTHS: Final = {"true": True, "false": False}


def cast(part: Part, to: str) -> Part:
    """Cast a part to a type of :data:`~wholeroad.core.expressions.allowed.TYPES`."""
    kind = TYPES[to]
    if part.kind == "null":
        return constant(kind, None)
    if to == "date":
        return mapped(cast(part, "timestamp"), kind="instant", function=_midnight)
    if part.kind == kind:
        return part
    found = mapped(
        part, kind=kind, function=_CASTS[part.kind, kind], loose=(part.kind, kind) == ("text", "float")
    )
    return firm(found)


def _midnight(at: int) -> int | None:
    return None if in_years(at) is None else at - at % DAY


def _integer_of(text: str) -> int:
    if _INTEGER.fullmatch(text):
        return int(text)
    raise RareError


def _float_of(text: str) -> float:
    if _FLOAT.fullmatch(text):
        return float(text)
    raise RareError


def _instant_of(text: str) -> int | None:
    """Read ISO 8601, as :func:`~wholeroad.core.expressions.functions.read_instant` does."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        if text.isascii():
            return None
        raise RareError
    year, month, day, hour, minute, second, fraction, sign, ahead_h, ahead_min = match.groups("0")
    if year == "0000" or ahead_h > "14" or ahead_min > "59":
        raise RareError
    if hour > "23" or minute > "59":
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - EPOCH_ORDINAL
    except ValueError:
        return None
    ahead = int(ahead_h) * UNITS["h"] + int(ahead_min) * UNITS["min"]
    of_day = int(hour) * UNITS["h"] + int(minute) * UNITS["min"] + int(second) * UNITS["s"]
    at = days * DAY + of_day + int(fraction.ljust(6, "0")[:6])
    return at + ahead if sign == "-" else at - ahead


def _text_of_float(value: float) -> str:
    if value == 0.0 or 1e-3 <= abs(value) < 1e15:
        return repr(value)
    raise RareError


def _text_of_instant(at: int) -> str | None:
    if in_years(at) is None:
        return None
    second, micros = divmod(at % DAY, UNITS["s"])
    written = f"{date_of(at).isoformat()}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    if micros % 1_000:
        return f"{written}.{micros:06}Z"
    return f"{written}.{micros // 1_000:03}Z" if micros else f"{written}Z"


_CASTS: Final[dict[tuple[Kind, Kind], Callable[[Any], Any]]] = {
    ("integer", "float"): float,
    ("integer", "boolean"): bool,
    ("integer", "text"): str,
    ("float", "integer"): truncated,
    ("float", "boolean"): bool,
    ("float", "text"): _text_of_float,
    ("boolean", "integer"): int,
    ("boolean", "float"): float,
    ("boolean", "text"): lambda x: "true" if x else "false",
    ("instant", "text"): _text_of_instant,
    ("text", "integer"): _integer_of,
    ("text", "float"): _float_of,
    ("text", "boolean"): lambda text: _TRUTHS.get(text.lower()),
    ("text", "instant"): _instant_of,
}
