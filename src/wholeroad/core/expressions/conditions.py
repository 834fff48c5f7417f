"""Comparisons, three-valued logic and case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from wholeroad.core.expressions.faults import Span
from wholeroad.core.expressions.terms import (
    DTYPES,
    Term,
    as_kind,
    combine,
    common_kind,
    joined,
    literal,
    simple,
)

_COMPARED: Final[dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "=": lambda x, y: x == y,
    "<>": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}


def compare(left: Term, right: Term, *, operator: str, span: Span) -> Term | None:
    """Compare two terms of one kind; with a null on a side it is null. None when the kinds differ."""
    kind = common_kind([left, right])
    if kind is None or (kind == "boolean" and operator not in ("=", "<>")):
        return None
    if kind == "null":
        return literal("boolean", None, span=span)
    left, right = as_kind(left, kind), as_kind(right, kind)
    return simple("boolean", _COMPARED[operator](left.expr, right.expr), span, left, right)


def connect(operator: str, terms: Sequence[Term], *, span: Span) -> Term | None:
    """Apply ``and``, ``or``, ``not`` in Kleene's logic: false and null is false, true or null is true."""
    if any(term.kind not in ("boolean", "null") for term in terms):
        return None
    booleans = [as_kind(term, "boolean") for term in terms]
    if operator == "not":
        return simple("boolean", ~booleans[0].expr, span, *booleans)

    def join(left: Term, right: Term) -> Term:
        expr = left.expr & right.expr if operator == "and" else left.expr | right.expr
        return simple("boolean", expr, span, left, right)

    return joined(booleans, join)


def is_constant(term: Term, constant: Term, *, span: Span) -> Term | None:
    """Tell whether a term is null, true or false; never null itself."""
    if constant.kind == "null":
        return simple("boolean", term.expr.is_null(), span, term)
    if constant.kind != "boolean" or not isinstance(constant.value, bool):
        return None
    if term.kind not in ("boolean", "null"):
        return None
    wanted = constant.value
    expr = as_kind(term, "boolean").expr if wanted else ~as_kind(term, "boolean").expr
    return simple("boolean", expr.fill_null(value=False), span, term)


def is_in(term: Term, members: Sequence[Term], *, span: Span) -> Term | None:
    """Tell whether a term is one of some literals; null when it isn't and a literal is null."""
    kind = common_kind([term, *members])
    if kind is None or not members:
        return None
    if kind == "null" or term.kind == "null":
        return literal("boolean", None, span=span)
    term = as_kind(term, kind)
    values = [as_kind(member, kind).value for member in members if member.kind != "null"]
    dtype = pl.Int64() if kind in ("instant", "span") else DTYPES[kind]
    expr = term.expr.cast(pl.Int64) if kind in ("instant", "span") else term.expr
    found = expr.is_in(pl.lit(pl.Series(values, dtype=dtype)).implode())
    if len(values) < len(members):
        found = pl.when(found).then(pl.lit(value=True))
    return simple("boolean", found, span, term)


def choose(
    conditions: Sequence[Term], values: Sequence[Term], *, subjects: Sequence[Term], span: Span
) -> Term:
    """Make a case: the value of the first condition that is true, and null from a null condition on.

    SQL takes a null condition for false; here it makes the result unknown, never *else*.
    """
    kind = values[0].kind
    tested = [*subjects, *conditions]
    wanted = common_kind(tested) if subjects else "boolean"
    if wanted == "null":
        return literal(kind, None, span=span) if kind != "null" else values[0]
    tested = [as_kind(term, wanted or "boolean") for term in tested]

    def formula(*exprs: pl.Expr) -> pl.Expr:
        given, results = exprs[: len(tested)], exprs[len(tested) :]
        checks = [given[0] == each for each in given[1:]] if subjects else list(given)
        chain = pl.when(checks[0].is_null()).then(None).when(checks[0]).then(results[0])
        for check, result in zip(checks[1:], results[1:], strict=False):
            chain = chain.when(check.is_null()).then(None).when(check).then(result)
        return chain.otherwise(results[-1] if len(results) > len(checks) else None)

    found = combine(kind, span, formula, *tested, *values)
    return replace(found, depth=found.depth + len(conditions))
