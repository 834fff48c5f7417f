"""Parts of an expression for one row: plain functions of a row, and what each gives.

A part is to one row what a :class:`~wholeroad.core.expressions.terms.Term` is to a frame. Values are
physical: integers, floats, texts, booleans and None; instants and spans are microseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wholeroad.core.expressions.allowed import Kind

RowCall = Callable[[Mapping[str, Any]], Any]
"""From a row, by column name, to a physical value."""

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1
FLOAT_MOST: Final = sys.float_info.max


class RareError(Exception):
    """Raised where a form or a value isn't covered here, so that Polars has to answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression, for one row.

    Attributes
    ----------
    kind
        What it gives, when it isn't None.
    call
        Gives its value for a row.
    fixed
        It reads no column, and always gives ``value``.
    loose
        A float that may still be infinite or NaN, as of a term.
    """

    kind: Kind
    call: RowCall
    fixed: bool = False
    value: Any = None
    loose: bool = False


def constant(kind: Kind, value: Any, *, loose: bool = False) -> Part:  # noqa: ANN401 (of any kind)
    """Make a part that is the same for every row."""
    return Part(kind, lambda _row: value, fixed=True, value=value, loose=loose)


def made(kind: Kind, call: RowCall, *inputs: Part, loose: bool = False) -> Part:
    """Make a part of others; over constants it is computed now."""
    if all(part.fixed for part in inputs):
        return constant(kind, call({}), loose=loose)
    return Part(kind, call, loose=loose)


def mapped(part: Part, *, kind: Kind, function: Callable[[Any], Any], loose: bool = False) -> Part:
    """Apply a function to what isn't null."""
    inner = part.call

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        value = inner(row)
        return None if value is None else function(value)

    return made(kind, call, part, loose=loose)


def paired(
    left: Part, right: Part, *, kind: Kind, function: Callable[[Any, Any], Any], loose: bool = False
) -> Part:
    """Apply a function to two values where neither is null."""
    first, second, fixed = left.call, right.call, right.value
    if (left.fixed and left.value is None) or (right.fixed and fixed is None):
        return constant(kind, None)

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        one = first(row)
        if one is None:
            return None
        other = second(row)
        return None if other is None else function(one, other)

    def call_fixed(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        one = first(row)
        return None if one is None else function(one, fixed)

    return made(kind, call_fixed if right.fixed else call, left, right, loose=loose)


def gathered(parts: Sequence[Part], *, kind: Kind, function: Callable[[Sequence[Any]], Any]) -> Part:
    """Apply a function to many values where none is null."""
    calls = tuple(part.call for part in parts)

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        values = [each(row) for each in calls]
        return None if None in values else function(values)

    return made(kind, call, *parts)


def firm(part: Part) -> Part:
    """Turn what is infinite or NaN into null."""
    if not part.loose:
        return part
    return mapped(part, kind="float", function=lambda x: x if -FLOAT_MOST <= x <= FLOAT_MOST else None)


def as_kind(part: Part, kind: Kind) -> Part:
    """Widen an integer to a float, give a bare null its kind."""
    if part.kind == kind:
        return part
    if part.kind == "null":
        return constant(kind, None)
    return mapped(part, kind=kind, function=float)


def common_kind(parts: Sequence[Part]) -> Kind:
    """Give the kind that all of the parts can take; ``null`` when all are bare nulls."""
    kinds = {part.kind for part in parts} - {"null"}
    return "float" if kinds == {"integer", "float"} else next(iter(kinds), "null")


def fitting(value: int) -> int | None:
    """Give an integer that fits in 64 bits, else null."""
    return value if LEAST <= value <= MOST else None


def truncated(value: float) -> int | None:
    """Cut off what stands after the point; null when it doesn't fit in 64 bits."""
    return int(value) if -(2.0**63) <= value < 2.0**63 else None
