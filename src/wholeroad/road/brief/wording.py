"""What pydantic found wrong with a table, in the words of the brief."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Final, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import NAME

_NUMBER: Final = "a number"
_WHOLE: Final = "a whole number"
_TEXT: Final = "a text in quotes"
_SWITCH: Final = "true or false, without quotes"
_LIST: Final = "a list, as in ['a', 'b']"
_TABLE: Final = "a table, as in { a = 1 }"
_FINITE: Final = "a finite number"
_WORTH: Final = "a number, a range such as [3, 5], or an expression in quotes"

_EXPECTED: Final = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _FINITE,
    "string_type": _TEXT,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "string_too_short": "a text that isn't empty",
}
_BOUNDS: Final = {
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number, {ge:g} or more",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number, {le:g} or less",
    "too_short": "at least {min_length} in it",
    "too_long": "at most {max_length} in it",
}
_PATTERNS: Final = {
    NAME: "letters, digits, - and _, beginning with a letter",
    r"^([01]\d|2[0-3]):[0-5]\d$": "a time of day such as '06:30'",
}
_BRANCHES: Final = ("function-", "constrained-", "literal[", "list[", "[key]")
"""Steps of a location that name a branch of a union, and no key of the user's."""

_PLAIN_BRANCHES: Final = {"int": "int", "float": "float", "str": "string", "bool": "bool"}
"""Last steps that do so where the fault is of that type."""

WORTH_DEPTH: Final = 3
"""A value stands at ``of.<action>.<class>``; what comes behind are branches."""

_LITERAL: Final = re.compile(r"'([^']*)'")


def faults_in(
    details: Iterable[ErrorDetails], part: tuple[str, ...], *, model: type[BaseModel]
) -> list[Fault]:
    """Say what was wrong with a table, one fault for each place.

    Parameters
    ----------
    details
        As pydantic gives them: several for one place, where a value could be of several types.
    part
        The table's path, as in ``("source", "flights")``.
    """
    places: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in details:
        places.setdefault(keys_of(detail), []).append(detail)
    inner = [keys for keys in places if not _only_short(places[keys])]
    return [
        _fault(found, part, keys=keys, model=model)
        for keys, found in places.items()
        # A list whose entries have faults is counted without them.
        if keys in inner or not any(each[: len(keys)] == keys for each in inner)
    ]


def _only_short(found: list[ErrorDetails]) -> bool:
    return [detail["type"] for detail in found] == ["too_short"]


def keys_of(detail: ErrorDetails) -> tuple[str, ...]:
    """Give the keys that lead to the place, without the branches of unions."""
    steps = tuple(str(step) for step in detail["loc"])
    if steps[:1] == ("of",):
        return steps[:WORTH_DEPTH]
    if len(steps) > 1 and detail["type"] == f"{_PLAIN_BRANCHES.get(steps[-1])}_type":
        steps = steps[:-1]
    return tuple(step for step in steps if not step.startswith(_BRANCHES))


def place_of(part: tuple[str, ...], keys: tuple[str, ...] = ()) -> str:
    """Write a place as the user knows it, as in ``[source.flights] key``."""
    table = f"[{part[0]}]" if len(part) == 1 else f"[{part[0]}.{part[1]}]"
    return f"{table} {'.'.join(keys)}".strip()


def shown(value: object) -> str:
    """Show a value, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _fault(
    found: list[ErrorDetails], part: tuple[str, ...], *, keys: tuple[str, ...], model: type[BaseModel]
) -> Fault:
    first, where = found[0], place_of(part, keys)
    types = [detail["type"] for detail in found]
    if "extra_forbidden" in types:
        return unknown(where, keys[-1], known=_known(model, keys[:-1]))
    if "missing" in types:
        return missing(where, f"a value for {keys[-1]}")
    if not keys and "value_error" in types:
        happened, _, expected = first["msg"].removeprefix("Value error, ").partition("; ")
        return wrong(where, happened, expected=expected)
    happened = f"was {shown(first['input'])}"
    if types == ["literal_error"]:
        known = _choices(first)
        near = difflib.get_close_matches(str(first["input"]), known, n=1)
        fix = f"did you mean {near[0]}?" if near else "choose one of them, in quotes"
        return wrong(
            where, happened, expected=f"one of {', '.join(known)}" if known[1:] else known[0], fix=fix
        )
    if keys[:1] == ("of",) and len(keys) == WORTH_DEPTH:
        return wrong(where, happened, expected=_FINITE if "finite_number" in types else _WORTH)
    return wrong(where, happened, expected=", or ".join(map(_expected, found)))


def _choices(detail: ErrorDetails) -> list[str]:
    return _LITERAL.findall(detail["ctx"]["expected"])


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"a text that matches {context['pattern']}")
    if kind == "literal_error":
        return ", ".join(_choices(detail))
    if kind == "value_error":  # ours: what is asked for stands behind the semicolon
        return detail["msg"].rpartition("; ")[2].removeprefix("write ")
    return _EXPECTED.get(kind, detail["msg"])


def _known(model: type[BaseModel], keys: tuple[str, ...]) -> list[str]:
    """Give the keys of the table below a model that the keys lead to."""
    for key in keys:
        if key not in model.model_fields:  # the place in a list, or the name of an entry
            continue
        kind = model.model_fields[key].annotation
        kinds = [each for each in (kind, *get_args(kind)) if isinstance(each, type)]
        model = next((each for each in kinds if issubclass(each, BaseModel)), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def missing(where: str, what: str) -> Fault:
    """Say that something wasn't there."""
    return Fault("brief.missing", where, "it was missing", what, "add it")


def unknown(where: str, name: str, *, known: list[str]) -> Fault:
    """Say that a key isn't one of the known ones."""
    near = difflib.get_close_matches(name, known, n=1)
    fix = f"did you mean {near[0]}?" if near else "leave it out, or look the key up in the reference"
    return Fault(
        "brief.unknown-key", where, f"{name} is no known key", f"one of {', '.join(sorted(known))}", fix
    )


def wrong(where: str, happened: str, *, expected: str, fix: str = "change it to what was expected") -> Fault:
    """Say that a value wasn't what was expected."""
    return Fault("brief.value", where, happened, expected, fix)
