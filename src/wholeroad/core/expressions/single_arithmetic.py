"""Arithmetic for one row, as :mod:`wholeroad.core.expressions.arithmetic` does it for a frame."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from typing import Any, Final

from wholeroad.core.expressions.allowed import Kind
from wholeroad.core.expressions.arithmetic import NUMBERS
from wholeroad.core.expressions.single_parts import (
    LEAST,
    MOST,
    Part,
    RareError,
    as_kind,
    firm,
    fitting,
    mapped,
    paired,
    truncated,
)

_APPLIED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
}


def calculate(left: Part, right: Part, *, operator: str) -> Part:
    """Apply ``+ - * / %``; integers that don't fit, and divisions by zero, are null."""
    left, right = _filled(operator, left, right), _filled(operator, right, left)
    kinds = {left.kind, right.kind}
    if kinds <= NUMBERS:
        return _numbers(operator, left, right)
    kind: Kind = "instant" if (left.kind == "instant") != (right.kind == "instant") else "span"
    if "float" in kinds:
        length, factor = (left, right) if left.kind == "span" else (right, left)
        return paired(length, factor, kind=kind, function=_scaled)
    return paired(left, right, kind=kind, function=_whole(operator))


def _filled(operator: str, part: Part, other: Part) -> Part:
    """Take a bare null as whatever the other side needs."""
    if part.kind != "null":
        return part
    if other.kind in ("instant", "span"):
        return as_kind(part, "integer" if operator == "*" else "span")
    return as_kind(part, "float" if other.kind == "float" else "integer")


def _numbers(operator: str, left: Part, right: Part) -> Part:
    whole = left.kind == right.kind == "integer"
    if operator == "%" and whole:
        return paired(left, right, kind="integer", function=_remainder)
    if operator == "%":
        raise RareError
    if whole and operator != "/":
        return paired(left, right, kind="integer", function=_whole(operator))
    left, right = as_kind(left, "float"), as_kind(right, "float")
    if operator == "/":
        return paired(firm(left), firm(right), kind="float", function=_divided, loose=True)
    return paired(left, right, kind="float", function=_APPLIED[operator], loose=True)


def _whole(operator: str) -> Callable[[int, int], int | None]:
    applied = _APPLIED[operator]

    def apply(one: int, other: int) -> int | None:
        found: int = applied(one, other)
        return found if LEAST <= found <= MOST else None

    return apply


def _divided(one: float, other: float) -> float | None:
    return one / other if other else None


def _remainder(one: int, other: int) -> int | None:
    if other == 0:
        return None
    left_over = abs(one) % abs(other)
    return left_over if one >= 0 else -left_over


def _scaled(length: int, factor: float) -> int | None:
    scaled = rounded(float(length) * factor)
    return None if scaled is None else truncated(scaled)


def rounded(value: float) -> float | None:
    """Round to a whole number, halves away from zero; None for what isn't finite."""
    size = abs(value)
    if not size < 2.0**52:  # whole already, or not finite
        return value if size < float("inf") else None
    below = float(int(size))
    nearest = below + 1.0 if size - below >= 0.5 else below
    return nearest if value > 0 else -nearest if value < 0 else value


def negated(part: Part) -> Part:
    """Apply the unary minus to a number or a span."""
    if part.kind == "null":
        return part
    if part.kind == "float":
        return mapped(part, kind="float", function=operators.neg, loose=part.loose)
    return mapped(part, kind=part.kind, function=lambda x: fitting(-x))


def absolute(part: Part) -> Part:
    """Give the number without its sign; the least integer has none."""
    if part.kind == "float":
        return mapped(part, kind="float", function=abs, loose=part.loose)
    return mapped(as_kind(part, "integer"), kind="integer", function=lambda x: fitting(abs(x)))


def halves_away(part: Part, decimals: int) -> Part:
    """Round, halves away from zero, as Polars does it: scaled up, rounded, scaled down."""
    if part.kind != "float":
        return as_kind(part, "integer")
    scale = 10.0**decimals

    def apply(value: float) -> float:
        scaled = rounded(value * scale)
        return value if scaled is None else scaled / scale

    return mapped(part, kind="float", function=apply if decimals else rounded)
