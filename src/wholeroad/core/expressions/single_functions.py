"""The functions for one row, each as :mod:`wholeroad.core.expressions.functions` has it for a frame."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wholeroad.core.expressions.allowed import BETWEEN
from wholeroad.core.expressions.single_arithmetic import absolute, halves_away
from wholeroad.core.expressions.single_parts import (
    FLOAT_MOST,
    Part,
    RareError,
    as_kind,
    constant,
    gathered,
    made,
    mapped,
    paired,
)
from wholeroad.core.instants import UNITS

_FAR: Final = 2**31
"""More characters than a text can have."""

Build = Callable[[Sequence[Part]], Part]


def _float(function: Callable[[float], float | None]) -> Build:
    return lambda given: mapped(as_kind(given[0], "float"), kind="float", function=function)


def _exp(x: float) -> float | None:
    try:
        return math.exp(x)
    except OverflowError:
        return None


def _power(given: Sequence[Part]) -> Part:
    """Give a square, a cube or a root; other powers are of another library than Python's."""
    base, exponent = (as_kind(part, "float") for part in given)
    if exponent.fixed and exponent.value is None:
        return constant("float", None)
    if base.fixed or exponent.value not in _POWERS:
        raise RareError
    return mapped(base, kind="float", function=_POWERS[exponent.value])


def _finite(x: float) -> float | None:
    return x if -FLOAT_MOST <= x <= FLOAT_MOST else None


def _root(x: float) -> float | None:
    return math.sqrt(x) if x >= 0 else None


_POWERS: Final[dict[float, Callable[[float], float | None]]] = {
    0.5: _root,
    1.0: lambda x: x,
    2.0: lambda x: _finite(x * x),
    3.0: lambda x: _finite(x * x * x),
}


def _whole(function: Callable[[float], int]) -> Build:
    def build(given: Sequence[Part]) -> Part:
        (part,) = given
        if part.kind != "float":
            return as_kind(part, "integer")
        return mapped(part, kind="float", function=lambda x: math.copysign(float(function(x)), x))

    return build


def _round(given: Sequence[Part]) -> Part:
    return halves_away(given[0], int(given[1].value) if len(given) > 1 else 0)


def _coalesce(given: Sequence[Part]) -> Part:
    calls = tuple(part.call for part in given)

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        for each in calls:
            value = each(row)
            if value is not None:
                return value
        return None

    return made(given[0].kind, call, *given)


def _nullif(given: Sequence[Part]) -> Part:
    first, second = (part.call for part in given)

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        value = first(row)
        return None if value is None or value == second(row) else value

    return made(given[0].kind, call, *given)


def _texts(given: Sequence[Part]) -> list[Part]:
    return [as_kind(part, "text") for part in given]


def _lower(text: str) -> str:
    if text.isascii():  # beyond ASCII it depends on the year of the Unicode tables
        return text.lower()
    raise RareError


def _upper(text: str) -> str:
    if text.isascii():
        return text.upper()
    raise RareError


def _replace(given: Sequence[Part]) -> Part:
    text, old, new = _texts(given)
    if old.value is None or new.value is None:
        return constant("text", None)
    if old.value == "":
        return text
    return mapped(text, kind="text", function=lambda x: x.replace(old.value, new.value))


def _starts_with(given: Sequence[Part]) -> Part:
    text, prefix = _texts(given)
    return paired(text, prefix, kind="boolean", function=str.startswith)


def _substring(given: Sequence[Part]) -> Part:
    text, *places = given
    start, length = [*(as_kind(part, "integer") for part in places), constant("integer", _FAR)][:2]

    def cut(values: Sequence[Any]) -> str:
        whole, first, count = values
        offset = max(-_FAR, min(first, _FAR)) - 1
        begin = max(offset, 0)
        return str(whole[begin : max(offset + max(0, min(count, 2 * _FAR)), begin)])

    return gathered([as_kind(text, "text"), start, length], kind="text", function=cut)


def _between(unit: str) -> Build:
    size = float(UNITS[unit])

    def build(given: Sequence[Part]) -> Part:
        start, end = (as_kind(part, "instant") for part in given)
        return paired(start, end, kind="float", function=lambda x, y: float(y - x) / size)

    return build


FUNCTIONS: Final[dict[str, Build]] = {
    "abs": lambda given: absolute(given[0]),
    "ceil": _whole(math.ceil),
    "coalesce": _coalesce,
    "concat": lambda given: gathered(_texts(given), kind="text", function="".join),
    "exp": _float(_exp),
    "floor": _whole(math.floor),
    "greatest": lambda given: gathered(given, kind=given[0].kind, function=max),
    "least": lambda given: gathered(given, kind=given[0].kind, function=min),
    "length": lambda given: mapped(as_kind(given[0], "text"), kind="integer", function=len),
    "ln": _float(lambda x: math.log(x) if x > 0 else None),
    "lower": lambda given: mapped(as_kind(given[0], "text"), kind="text", function=_lower),
    "nullif": _nullif,
    "power": _power,
    "replace": _replace,
    "round": _round,
    "sqrt": _float(_root),
    "starts_with": _starts_with,
    "substring": _substring,
    "trim": lambda given: mapped(as_kind(given[0], "text"), kind="text", function=lambda x: x.strip(" ")),
    "upper": lambda given: mapped(as_kind(given[0], "text"), kind="text", function=_upper),
    **{name: _between(unit) for name, unit in BETWEEN.items()},
}


def like(part: Part, pattern: str) -> Part:
    """Match a whole text against a pattern: ``%`` is any characters, ``_`` one.

    What stands between ``%`` has a fixed length and is looked for from left to right, so that no
    pattern takes long.
    """
    pieces = pattern.split("%")
    lengths = [len(piece) for piece in pieces]
    needles = [
        re.compile("".join("." if sign == "_" else re.escape(sign) for sign in piece), re.DOTALL)
        for piece in pieces
    ]
    first, last = needles[0], needles[-1]
    middle = list(zip(needles[1:-1], lengths[1:-1], strict=True))

    def match(text: str) -> bool:
        end = len(text) - lengths[-1]
        at = lengths[0]
        if at > end or not first.match(text) or not last.match(text, end):
            return False
        for needle, length in middle:
            found = needle.search(text, at, end)
            if found is None:
                return False
            at = found.start() + length
        return True

    if len(pieces) == 1:
        return mapped(
            as_kind(part, "text"), kind="boolean", function=lambda text: first.fullmatch(text) is not None
        )
    return mapped(as_kind(part, "text"), kind="boolean", function=match)
