"""From the tree of a bound expression to a function of one row; the frame has :mod:`.compile` for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.core.expressions.allowed import CASTS, COMPARISONS, FUNCTIONS
from wholeroad.core.expressions.functions import ALIKE, LOOSE
from wholeroad.core.expressions.single_arithmetic import calculate, negated
from wholeroad.core.expressions.single_calendar import calendar
from wholeroad.core.expressions.single_casts import cast
from wholeroad.core.expressions.single_columns import column
from wholeroad.core.expressions.single_conditions import choose, compare, connect, is_constant, is_in
from wholeroad.core.expressions.single_functions import FUNCTIONS as BUILDS
from wholeroad.core.expressions.single_functions import like
from wholeroad.core.expressions.single_parts import (
    Part,
    RareError,
    as_kind,
    common_kind,
    constant,
    firm,
)
from wholeroad.core.expressions.syntax import COLUMNS, Atom, Call, Case, Node

_LOOSE_OPERATORS: Final = frozenset({"+", "-", "*", "negative"}) | LOOSE


@dataclass(frozen=True, slots=True)
class Rows:
    """What rows hold: the types of their columns, and the time zone of ``local_*``."""

    schema: Mapping[str, pl.DataType]
    timezone: str | None


def build(node: Node, of: Rows) -> Part:
    """Build a tree that could be bound.

    Raises
    ------
    RareError
        Where it holds something that isn't covered.
    """
    match node:
        case Atom():
            return _atom(node, of)
        case Case():
            return _case(node, of)
        case Call(name="and" | "or"):
            return connect(node.name, [firm(build(each, of)) for each in _joined(node)])
        case Call():
            return _apply(node, of)


def _joined(call: Call) -> list[Node]:
    """Give the sides of a chain such as ``a or b or c``, which may be hundreds."""
    sides: list[Node] = []
    node: Node = call
    while isinstance(node, Call) and node.name == call.name:
        node, right = node.arguments
        sides.append(right)
    return [node, *reversed(sides)]


def _atom(atom: Atom, of: Rows) -> Part:  # noqa: PLR0911 (a return for each form)
    if atom.kind in COLUMNS:
        return column(atom.text, of.schema[atom.text])
    match atom.kind:
        case "text":
            return constant("text", atom.text)
        case "span":
            return constant("span", int(atom.text))
        case "instant":
            return constant("instant", int(atom.text))
        case "constant" if atom.text == "null":
            return constant("null", None)
        case "constant":
            return constant("boolean", atom.text == "true")
        case "number" if set(atom.text) & set(".eE"):
            return constant("float", float(atom.text))
        case "number":
            return constant("integer", int(atom.text))
        case _:
            raise RareError


def _case(node: Case, of: Rows) -> Part:
    def inner(each: Node) -> Part:
        return firm(build(each, of))

    return choose(
        [inner(condition) for condition, _ in node.branches],
        [inner(value) for _, value in node.branches],
        subject=None if node.subject is None else inner(node.subject),
        otherwise=constant("null", None) if node.otherwise is None else inner(node.otherwise),
    )


def _apply(call: Call, of: Rows) -> Part:
    name = call.name
    if name in CASTS or name == "like":
        part, written = firm(build(call.arguments[0], of)), call.arguments[1]
        if not isinstance(written, Atom):
            raise RareError
        return cast(part, written.text) if name in CASTS else like(part, written.text)
    parts = [build(argument, of) for argument in call.arguments]
    if name not in _LOOSE_OPERATORS:
        parts = [firm(part) for part in parts]
    return _function(name, parts, of) if name in FUNCTIONS else _operator(name, parts)


def _operator(name: str, parts: Sequence[Part]) -> Part:  # noqa: PLR0911 (a return for each form)
    if name in ("+", "-", "*", "/", "%"):
        return calculate(parts[0], parts[1], operator=name)
    if name in COMPARISONS:
        return compare(parts[0], parts[1], operator=name)
    match name:
        case "negative":
            return negated(parts[0])
        case "not":
            return connect(name, parts)
        case "is":
            return is_constant(parts[0], parts[1])
        case "in":
            return is_in(parts[0], parts[1:])
        case "between":
            low = compare(parts[0], parts[1], operator=">=")
            return connect("and", [low, compare(parts[0], parts[2], operator="<=")])
        case "||":
            return BUILDS["concat"](parts)
        case _:
            raise RareError


def _function(name: str, parts: list[Part], of: Rows) -> Part:
    if name in ALIKE:
        kind = common_kind(parts)
        parts = [as_kind(part, kind) for part in parts]
    clock, _, part = name.partition("_")
    if clock in ("local", "utc"):
        zone = of.timezone if clock == "local" else "UTC"
        if zone is None:
            raise RareError
        return calendar(parts[0], part, zone=zone)
    if name not in BUILDS:
        raise RareError
    return BUILDS[name](parts)
