"""What an expression says about its columns before there are any: their names, and mostly their kinds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final, Literal

from wholeroad.core.expressions.allowed import BETWEEN, CASTS, COMPARISONS, FUNCTIONS, TYPES, Wanted
from wholeroad.core.expressions.syntax import COLUMNS, Atom, Call, Case, Node, children, parse

ColumnKind = Literal["number", "boolean", "text", "instant", "span"]

_Found = Iterator[tuple[str, ColumnKind | None]]

_TEXTS: Final = frozenset({"concat", "lower", "replace", "substring", "trim", "upper", "||"})
_TRUTHS: Final = COMPARISONS | {"and", "or", "not", "is", "in", "between", "like", "starts_with"}
_NUMBERS: Final = frozenset(
    {"abs", "ceil", "exp", "floor", "length", "ln", "power", "round", "sqrt", "*", "/", "%", "negative"}
)
_ALIKE: Final = frozenset({"coalesce", "nullif", "least", "greatest"})
_CAST: Final[dict[str, ColumnKind]] = {
    "integer": "number",
    "float": "number",
    "boolean": "boolean",
    "text": "text",
    "instant": "instant",
}
_ATOMS: Final[dict[str, ColumnKind]] = {
    "number": "number",
    "text": "text",
    "span": "span",
    "instant": "instant",
}


def columns_in(text: str, expects: Wanted = "any") -> dict[str, ColumnKind | None]:
    """Name the columns that an expression reads, and the kind that each of them has to be.

    Parameters
    ----------
    text
        The expression.
    expects
        What it has to give.

    Returns
    -------
    dict
        In the order of the text; None where any kind would do. Empty when it can't be read.

    Examples
    --------
    >>> columns_in("case when cancelled or delay > 30 then 'late' else 'on_time' end")
    {'cancelled': 'boolean', 'delay': 'number'}
    >>> columns_in("sched_dep - 2h", "instant")
    {'sched_dep': 'instant'}
    """
    tree, _ = parse(text, where="")
    found: dict[str, ColumnKind | None] = {}
    if tree is None:
        return found
    for name, kind in _walk(tree, None if expects == "any" else expects):
        found[name] = found.get(name) or kind
    return found


def _walk(node: Node, wanted: ColumnKind | None) -> _Found:
    match node:
        case Atom(kind=kind, text=text) if kind in COLUMNS:
            yield text, wanted
        case Atom():
            pass
        case Case():
            yield from _case(node, wanted)
        case Call():
            for argument, asked in _arguments(node, wanted):
                yield from _walk(argument, asked)


def _case(node: Case, wanted: ColumnKind | None) -> _Found:
    compared: ColumnKind | None = "boolean"
    if node.subject is not None:
        compared = _known(*(condition for condition, _ in node.branches)) or _known(node.subject)
        yield from _walk(node.subject, compared)
    results = [value for _, value in node.branches]
    results += [] if node.otherwise is None else [node.otherwise]
    given = wanted or _known(*results)
    for condition, value in node.branches:
        yield from _walk(condition, compared)
        yield from _walk(value, given)
    if node.otherwise is not None:
        yield from _walk(node.otherwise, given)


def _arguments(call: Call, wanted: ColumnKind | None) -> Iterator[tuple[Node, ColumnKind | None]]:
    """Give each argument with the kind that it has to be."""
    name, given = call.name, call.arguments
    if name in CASTS:
        yield given[0], None
    elif name in _ALIKE:
        yield from zip(given, repeat(wanted or _known(*given)), strict=False)
    elif name in COMPARISONS or name in ("in", "between"):
        yield from zip(given, repeat(_known(*given)), strict=False)
    elif name in ("+", "-"):
        yield from zip(given, _of_sum(name, given, wanted), strict=True)
    elif name == "is":
        yield given[0], _known(given[1])
    elif name in FUNCTIONS:
        takes = FUNCTIONS[name].takes
        for argument, kind in zip(given, chain(takes, repeat(takes[-1])), strict=False):
            yield argument, None if kind == "any" else kind
    else:
        yield from zip(given, repeat(_of_operands(name)), strict=False)


def _of_operands(operator: str) -> ColumnKind:
    if operator in ("like", "||"):
        return "text"
    return "boolean" if operator in ("and", "or", "not") else "number"


def _of_sum(
    operator: str, given: tuple[Node, ...], wanted: ColumnKind | None
) -> tuple[ColumnKind | None, ColumnKind | None]:
    left, right = (_known(part) for part in given)
    if operator == "-" and (wanted == "span" or right == "instant"):
        return "instant", "instant"
    if left == "span" or right == "span" or wanted == "instant":
        return ("span", "instant") if left == "span" else ("instant", "span")
    return "number", "number"


def _known(*nodes: Node) -> ColumnKind | None:
    """Give the kind of the first node that has one by itself."""
    return next((kind for node in nodes if (kind := _kind(node))), None)


def _kind(node: Node) -> ColumnKind | None:  # noqa: PLR0911 (a return for each form)
    match node:
        case Atom(kind="constant", text=text):
            return None if text == "null" else "boolean"
        case Atom(kind=kind):
            return _ATOMS.get(kind)
        case Case():
            return _known(*(value for _, value in node.branches))
        case Call(name=name) if name in CASTS:
            target = node.arguments[1]
            return _CAST[TYPES[target.text]] if isinstance(target, Atom) else None
        case Call(name=name) if name in _NUMBERS or name in BETWEEN:
            return "number"
        case Call(name=name) if name in _TRUTHS:
            return "boolean"
        case Call(name=name) if name in _TEXTS or name.endswith("_date"):
            return "text"
        case Call(name=name) if name.startswith(("local_", "utc_")):
            return "number"
        case Call(name=name) if name in ("+", "-"):
            inner = {_kind(part) for part in children(node)}
            return "instant" if "instant" in inner else "number" if "number" in inner else None
        case Call():
            return _known(*node.arguments) if node.name in _ALIKE else None
