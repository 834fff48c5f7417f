"""From the tree to typed Polars terms; every mismatch is a fault that names both sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import polars as pl

from wholeroad.core.expressions.allowed import (
    CASTS,
    COMPARISONS,
    DEPTH_MOST,
    FUNCTIONS,
    NAMES,
    PATTERN_MOST,
)
from wholeroad.core.expressions.arithmetic import calculate, negated
from wholeroad.core.expressions.casts import cast
from wholeroad.core.expressions.conditions import choose, compare, connect, is_constant, is_in
from wholeroad.core.expressions.faults import Faults, Span, closest
from wholeroad.core.expressions.functions import ALIKE, LOOSE, calendar, like
from wholeroad.core.expressions.functions import FUNCTIONS as BUILDS
from wholeroad.core.expressions.syntax import COLUMNS, Atom, Call, Case, Node
from wholeroad.core.expressions.terms import Term, as_kind, column, common_kind, firm, is_fixed, literal

_LOOSE_OPERATORS = frozenset({"+", "-", "*", "negative"}) | LOOSE
_SIGNED_64 = 2**63


@dataclass(slots=True)
class Binding:
    """What an expression is bound to, and what was found on the way."""

    schema: Mapping[str, pl.DataType]
    timezone: str | None
    words: Collection[str]
    faults: Faults
    columns: set[str] = field(default_factory=set)


def build(node: Node, to: Binding) -> Term:
    """Bind a tree; what has a fault becomes a ``broken`` term, so that each fault is told once."""
    chain: list[Call] = []
    while isinstance(node, Call) and len(node.arguments) == 2 and node.name not in BUILDS:
        chain.append(node)
        node = node.arguments[0]
    term = _build_one(node, to)
    for name, group in groupby(reversed(chain), key=lambda call: call.name):
        calls = list(group)
        if name in ("and", "or"):
            terms = [term, *(build(call.arguments[1], to) for call in calls)]
            term = _apply(Call(name, (), calls[-1].span), terms, to)
            continue
        for call in calls:
            term = _apply(call, [term, *_right(call, to)], to)
    return term


def _right(call: Call, to: Binding) -> list[Term]:
    """Bind the right side; types, patterns and ``in`` lists are no terms."""
    if call.name in CASTS or call.name == "like":
        return []
    return [build(call.arguments[1], to)]


def _build_one(node: Node, to: Binding) -> Term:
    match node:
        case Atom():
            return _atom(node, to)
        case Case():
            return _case(node, to)
        case Call():
            return _apply(node, [build(argument, to) for argument in node.arguments], to)


def _broken(span: Span) -> Term:
    return Term("broken", pl.lit(None), span, leaf=True)


def _atom(atom: Atom, to: Binding) -> Term:  # noqa: PLR0911 (a return for each form)
    if atom.kind in COLUMNS:
        return _column(atom, to)
    if atom.kind == "text":
        return literal("text", atom.text, span=atom.span)
    if atom.kind == "span":
        return literal("span", int(atom.text), span=atom.span)
    if atom.kind == "instant":
        return literal("instant", int(atom.text), span=atom.span)
    if atom.kind == "constant":
        return (
            Term("null", pl.lit(None), atom.span, leaf=True)
            if atom.text == "null"
            else literal("boolean", atom.text == "true", span=atom.span)
        )
    value = float(atom.text) if set(atom.text) & set(".eE") else int(atom.text)
    if isinstance(value, int) and value < _SIGNED_64:
        return literal("integer", value, span=atom.span)
    if isinstance(value, float) and abs(value) != float("inf"):
        return literal("float", value, span=atom.span)
    to.faults.add(
        "number",
        f"{atom.text} is beyond 64 bits",
        expected="an integer below 2^63 or a float below 1.8e308",
        fix="write a smaller number, or a float such as 1e19",
        span=atom.span,
    )
    return _broken(atom.span)


def _column(atom: Atom, to: Binding) -> Term:
    if atom.text not in to.schema:
        _unknown_column(atom, to)
        return _broken(atom.span)
    to.columns.add(atom.text)
    term = column(atom.text, to.schema[atom.text], span=atom.span)
    if term is None:
        to.faults.add(
            "column-type",
            f"{atom.text} is of the type {to.schema[atom.text]}",
            expected="a column of numbers, booleans, text, instants or spans",
            fix="turn it into one of these before landing",
            span=atom.span,
        )
        return _broken(atom.span)
    return term


def _unknown_column(atom: Atom, to: Binding) -> None:
    meant = closest(atom.text, to.schema)
    known = ", ".join(sorted(to.schema)[:12]) + (" ..." if len(to.schema) > 12 else "")
    if atom.text in to.words or (atom.kind == "quoted" and meant is None):
        to.faults.add(
            "quotes",
            f"there is no column {atom.text}; double quotes are for columns, single quotes for text",
            expected=f"a column ({known}) or a text in single quotes",
            fix=f"did you mean single quotes? write '{atom.text}'",
            span=atom.span,
        )
        return
    quotes = f", or the text '{atom.text}' in single quotes" if atom.kind == "quoted" else ""
    to.faults.add(
        "unknown-column",
        f"there is no column {atom.text}",
        expected=f"one of: {known}" if known else "a column; there are none here",
        fix=f"did you mean {meant}{quotes}?" if meant else "use a column of the list",
        span=atom.span,
    )


def _apply(call: Call, given: Sequence[Term], to: Binding) -> Term:
    """Apply a function or an operator to bound arguments."""
    if any(term.kind == "broken" for term in given):
        return _broken(call.span)
    terms = list(given) if call.name in _LOOSE_OPERATORS else [firm(term) for term in given]
    if call.name in CASTS:
        found = cast(terms[0], _text_of(call.arguments[1]), span=call.span)
    elif call.name == "in":
        found = _in(call, terms, to)
    elif call.name == "like":
        found = _like(call, terms[0], to)
    elif call.name in FUNCTIONS:
        found = _function(call, terms, to)
    else:
        found = _operator(call.name, terms, call.span)
    if found is None:
        return _mismatch(call, terms, to)
    return _limited(found, to)


def _limited(term: Term, to: Binding) -> Term:
    if term.depth <= DEPTH_MOST:
        return term
    to.faults.add(
        "too-deep",
        "too many operations stand on each other",
        expected=f"at most about {DEPTH_MOST} one after the other, fewer with divisions and cases",
        fix="compute a part before landing, as a column of the source",
        span=term.span,
    )
    return _broken(term.span)


def _text_of(node: Node) -> str:
    return node.text if isinstance(node, Atom) else ""


def _operator(name: str, terms: Sequence[Term], span: Span) -> Term | None:  # noqa: PLR0911 (a return for each form)
    if name in ("+", "-", "*", "/", "%"):
        return calculate(terms[0], terms[1], operator=name, span=span)
    if name in COMPARISONS:
        return compare(terms[0], terms[1], operator=name, span=span)
    match name:
        case "negative":
            return negated(terms[0], span)
        case "and" | "or" | "not":
            return connect(name, terms, span=span)
        case "is":
            return is_constant(terms[0], terms[1], span=span)
        case "between":
            low = compare(terms[0], terms[1], operator=">=", span=span)
            high = compare(terms[0], terms[2], operator="<=", span=span)
            return connect("and", [low, high], span=span) if low and high else None
        case "||":
            if all(term.kind in ("text", "null") for term in terms):
                return BUILDS["concat"](terms, span)
            return None
        case _:
            return None


def _function(call: Call, terms: list[Term], to: Binding) -> Term | None:
    signature = FUNCTIONS[call.name]
    wanted = [*signature.takes, *[signature.takes[-1]] * len(terms)]
    for term, want in zip(terms, wanted, strict=False):
        fits = {"number": ("integer", "float"), "any": (term.kind,)}.get(want, (want,))
        if term.kind not in fits and term.kind != "null":
            _wrong_argument(call, term, NAMES[want], to)
            return _broken(call.span)
    if call.name in ALIKE:
        kind = common_kind(terms)
        ordered = call.name not in ("least", "greatest") or kind != "boolean"
        if kind is None or not ordered:
            return None
        terms = [as_kind(term, kind) for term in terms]
    if not _literals_fit(call, terms, to):
        return _broken(call.span)
    clock, _, part = call.name.partition("_")
    if clock not in ("local", "utc"):
        return BUILDS[call.name](terms, call.span)
    zone = _zone(call, to) if clock == "local" else "UTC"
    return calendar(terms[0], part, zone=zone, span=call.span) if zone else _broken(call.span)


def _wrong_argument(call: Call, term: Term, wanted: str, to: Binding) -> None:
    to.faults.add(
        "type-mismatch",
        f"{call.name} was given {NAMES[term.kind]}: {to.faults.snippet(term.span)}",
        expected=wanted,
        fix=f"use {wanted} there, or cast(x as type)",
        span=term.span,
    )


def _literals_fit(call: Call, terms: Sequence[Term], to: Binding) -> bool:
    """Check what must be written out, or be whole, so that no row can fail."""
    if call.name == "round" and len(terms) > 1:
        value = terms[1].value
        if terms[1].kind != "integer" or not isinstance(value, int) or not 0 <= value <= 15:
            _wrong_argument(call, terms[1], "a number of decimals from 0 to 15, written out", to)
            return False
    if call.name == "power" and not is_fixed(terms[1]):
        _wrong_argument(call, terms[1], "an exponent written out; exp(y * ln(x)) takes any other", to)
        return False
    if call.name == "replace":
        for term in terms[1:]:
            if term.value is None:
                _wrong_argument(call, term, "a text in single quotes, written out", to)
                return False
    if call.name == "substring":
        for term in terms[1:]:
            if term.kind == "float":
                _wrong_argument(call, term, "a whole number", to)
                return False
    return True


def _zone(call: Call, to: Binding) -> str | None:
    if to.timezone is None:
        to.faults.add(
            "no-timezone",
            f"{call.name} needs a time zone, and the source has none",
            expected="a time zone such as Europe/Berlin",
            fix='set timezone = "..." in the source\'s table of the brief, '
            f"or use {call.name.replace('local_', 'utc_')}",
            span=call.span,
        )
        return None
    try:
        pl.select(pl.lit(0, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(to.timezone))
    except pl.exceptions.PolarsError:
        to.faults.add(
            "unknown-timezone",
            f"{to.timezone!r} is no time zone",
            expected="a name of the IANA database, such as America/New_York",
            fix="correct timezone in the source's table of the brief",
            span=call.span,
        )
        return None
    return to.timezone


def _like(call: Call, text: Term, to: Binding) -> Term | None:
    pattern = call.arguments[1]
    if text.kind not in ("text", "null"):
        return None
    if not isinstance(pattern, Atom) or pattern.kind != "text" or len(pattern.text) > PATTERN_MOST:
        to.faults.add(
            "type-mismatch",
            f"like was given {to.faults.snippet(pattern.span)}",
            expected=f"a pattern in single quotes, written out, at most {PATTERN_MOST:,} characters",
            fix="write the pattern out, as in 'abc%'",
            span=pattern.span,
        )
        return _broken(call.span)
    return like(text, pattern.text, span=call.span)


def _in(call: Call, terms: Sequence[Term], to: Binding) -> Term | None:
    for term in terms[1:]:
        if term.value is None and term.kind != "null":
            to.faults.add(
                "type-mismatch",
                f"in was given {to.faults.snippet(term.span)} to look for",
                expected="literals in the brackets",
                fix="compare with = and or instead",
                span=term.span,
            )
            return _broken(call.span)
    return is_in(terms[0], terms[1:], span=call.span)


def _case(node: Case, to: Binding) -> Term:
    subject = build(node.subject, to) if node.subject is not None else None
    conditions, values = [], []
    for when, then in node.branches:
        condition = firm(build(when, to))
        if subject is None and condition.kind not in ("boolean", "null", "broken"):
            to.faults.add(
                "type-mismatch",
                f"a condition of case is {NAMES[condition.kind]}: {to.faults.snippet(condition.span)}",
                expected="a boolean",
                fix="write a comparison, as in x > 30 or x <> 0",
                span=condition.span,
            )
            condition = _broken(condition.span)
        conditions.append(condition)
        values.append(firm(build(then, to)))
    if node.otherwise is not None:
        values.append(firm(build(node.otherwise, to)))
    subjects = [firm(subject)] if subject is not None else []
    whole = Call("case", (), node.span)
    if common_kind([*subjects, *(conditions if subjects else [])]) is None:
        return _mismatch(whole, [*subjects, *conditions], to)
    kind = common_kind(values)
    if kind is None:
        return _mismatch(whole, values, to)
    if any(term.kind == "broken" for term in [*subjects, *conditions, *values]):
        return _broken(node.span)
    values = [as_kind(value, kind) for value in values]
    return _limited(choose(conditions, values, subjects=subjects, span=node.span), to)


def _mismatch(call: Call, terms: Sequence[Term], to: Binding) -> Term:
    shown = [f"{NAMES[term.kind]} ({to.faults.snippet(term.span)})" for term in terms]
    kinds = {term.kind for term in terms}
    texts = any(term.kind == "text" and term.value is not None for term in terms)
    fix = "bring both to one kind with cast(x as type)"
    if "instant" in kinds and texts:
        fix = "write an instant as timestamp '2013-03-01' or timestamp '2013-03-01T06:00:00Z'"
    elif kinds & {"instant", "span"} and kinds & {"integer", "float"}:
        fix = "write a span as 2h or 30d; hours_between(a, b) and its kin give numbers"
    elif call.name in ("and", "or", "not"):
        fix = "write a comparison, as in x > 30 or x <> 0"
    name = {"negative": "-"}.get(call.name, call.name)
    to.faults.add(
        "type-mismatch",
        f"{name} was given {' and '.join(shown)}",
        expected=_wanted(call.name),
        fix=fix,
        span=call.span,
    )
    return _broken(call.span)


def _wanted(name: str) -> str:
    if name in COMPARISONS or name in ("in", "between") or name in ALIKE:
        return "sides of one kind: both numbers, both text, both instants; = and <> also booleans"
    return {
        "and": "booleans on both sides",
        "or": "booleans on both sides",
        "not": "a boolean",
        "||": "text on both sides",
        "is": "is null, is true or is false",
        "like": "text",
        "case": "values of one kind in all branches",
        "cast": "a number, boolean or text; instants go to and from text",
        "try_cast": "a number, boolean or text; instants go to and from text",
    }.get(name, "two numbers, two spans, two instants, or an instant and a span")
