"""Comparisons, three-valued logic and case for one row; :mod:`wholeroad.core.expressions.conditions`."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from wholeroad.core.expressions.single_parts import (
    Part,
    as_kind,
    common_kind,
    constant,
    made,
    mapped,
    paired,
)

_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operators.eq,
    "<>": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def compare(left: Part, right: Part, *, operator: str) -> Part:
    """Compare two parts of one kind; with a null on a side it is null."""
    kind = common_kind([left, right])
    return paired(as_kind(left, kind), as_kind(right, kind), kind="boolean", function=_COMPARED[operator])


def connect(operator: str, parts: Sequence[Part]) -> Part:
    """Apply ``and``, ``or``, ``not`` in Kleene's logic."""
    booleans = [as_kind(part, "boolean") for part in parts]
    if operator == "not":
        return mapped(booleans[0], kind="boolean", function=operators.not_)
    calls = tuple(part.call for part in booleans)

    def every(row: Mapping[str, Any]) -> bool | None:
        found: bool | None = True
        for call in calls:
            value = call(row)
            if value is False:
                return False
            if value is None:
                found = None
        return found

    def some(row: Mapping[str, Any]) -> bool | None:
        found: bool | None = False
        for call in calls:
            value = call(row)
            if value:
                return True
            if value is None:
                found = None
        return found

    return made("boolean", every if operator == "and" else some, *booleans)


def is_constant(part: Part, wanted: Part) -> Part:
    """Tell whether a part is null, true or false; never null itself."""
    call, value = part.call, wanted.value
    return made("boolean", lambda row: call(row) is value, part)


def is_in(part: Part, members: Sequence[Part]) -> Part:
    """Tell whether a part is one of some literals; null when it isn't and a literal is null."""
    kind = common_kind([part, *members])
    if kind == "null" or part.kind == "null":
        return constant("boolean", None)
    values = frozenset(as_kind(member, kind).value for member in members if member.kind != "null")
    otherwise = None if any(member.kind == "null" for member in members) else False
    return mapped(as_kind(part, kind), kind="boolean", function=lambda x: True if x in values else otherwise)


def choose(
    conditions: Sequence[Part], values: Sequence[Part], *, subject: Part | None, otherwise: Part
) -> Part:
    """Make a case: the value of the first condition that is true, and null from a null condition on."""
    kind = common_kind([*values, otherwise])
    results = [as_kind(value, kind) for value in values]
    last = as_kind(otherwise, kind)
    if subject is None:
        checks = [as_kind(condition, "boolean") for condition in conditions]
    else:
        wanted = common_kind([subject, *conditions])
        checks = [compare(as_kind(subject, wanted), each, operator="=") for each in conditions]
    branches = tuple((check.call, result.call) for check, result in zip(checks, results, strict=True))
    final = last.call

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        for check, result in branches:
            met = check(row)
            if met is None:
                return None
            if met:
                return result(row)
        return final(row)

    return made(kind, call, *checks, *results, last)
