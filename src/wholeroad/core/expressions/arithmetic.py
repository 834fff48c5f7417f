"""Arithmetic: numbers, instants and spans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import polars as pl

from wholeroad.core.expressions.allowed import Kind
from wholeroad.core.expressions.faults import Span
from wholeroad.core.expressions.terms import (
    Term,
    as_kind,
    combine,
    divided,
    firm,
    is_fixed,
    literal,
    narrow,
    simple,
    wide,
)

NUMBERS: Final = frozenset({"integer", "float"})
_APPLIED: Final[dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
}
_IN_TIME: Final[dict[tuple[str, Kind, Kind], Kind]] = {
    ("-", "instant", "instant"): "span",
    ("-", "instant", "span"): "instant",
    ("+", "instant", "span"): "instant",
    ("+", "span", "instant"): "instant",
    ("+", "span", "span"): "span",
    ("-", "span", "span"): "span",
    ("*", "span", "integer"): "span",
    ("*", "integer", "span"): "span",
    ("*", "span", "float"): "span",
    ("*", "float", "span"): "span",
}
"""Operator and kinds of the sides, and what comes out."""


def calculate(left: Term, right: Term, *, operator: str, span: Span) -> Term | None:
    """Apply ``+ - * / %``; None when the kinds don't go together.

    A bare null is taken as whatever the other side needs. Integers that don't fit in 64 bits,
    divisions by zero and results that are no finite numbers are null.
    """
    left, right = _filled(operator, left, right), _filled(operator, right, left)
    kinds = {left.kind, right.kind}
    if kinds <= NUMBERS:
        return _numbers(operator, left, right, span)
    kind = _IN_TIME.get((operator, left.kind, right.kind))
    if kind is None:
        return None
    if "float" in kinds:
        return _scaled(left, right, span)
    expr = _APPLIED[operator](wide(left.expr), wide(right.expr))
    return _narrowed(kind, expr, span, left, right)


def _narrowed(kind: Kind, expr: pl.Expr, span: Span, *inputs: Term) -> Term:
    found = simple(kind, narrow(expr, kind), span, *inputs)
    return replace(found, depth=found.depth + 1)  # casts on both sides of the operation


def _filled(operator: str, term: Term, other: Term) -> Term:
    if term.kind != "null":
        return term
    if other.kind in ("instant", "span"):
        return as_kind(term, "integer" if operator == "*" else "span")
    return as_kind(term, "float" if other.kind == "float" else "integer")


def _numbers(operator: str, left: Term, right: Term, span: Span) -> Term:
    if operator == "/":
        left, right = as_kind(firm(left), "float"), as_kind(firm(right), "float")
        if is_fixed(right):
            return replace(combine("float", span, divided, left, right), loose=True)
        return simple("float", left.expr / right.expr, span, left, right, loose=True)
    if operator == "%":
        return _remainder(firm(left), firm(right), span)
    if left.kind == right.kind == "integer":
        expr = _APPLIED[operator](wide(left.expr), wide(right.expr))
        return _narrowed("integer", expr, span, left, right)
    left, right = as_kind(left, "float"), as_kind(right, "float")
    return simple("float", _APPLIED[operator](left.expr, right.expr), span, left, right, loose=True)


def _remainder(left: Term, right: Term, span: Span) -> Term:
    """Give the remainder with the sign of the left side, as SQL does."""
    if left.kind == right.kind == "integer":
        return combine(
            "integer",
            span,
            lambda x, y: narrow(wide(x).sign() * (wide(x).abs() % wide(y).abs()), "integer"),
            left,
            right,
        )
    found = combine(
        "float",
        span,
        # A constant divides a frame of one row and one of many in different ways.
        lambda x, y: x.sign() * (x.abs() % (x * 0.0 + y.abs())),
        as_kind(left, "float"),
        as_kind(right, "float"),
    )
    return firm(simple("float", found.expr, span, found, loose=True))


def _scaled(left: Term, right: Term, span: Span) -> Term:
    length, factor = (left, right) if left.kind == "span" else (right, left)
    expr = (length.expr.cast(pl.Int64).cast(pl.Float64) * factor.expr).round(0, mode="half_away_from_zero")
    return _narrowed("span", expr, span, left, right)


def negated(term: Term, span: Span) -> Term | None:
    """Apply the unary minus to a number or a span."""
    if term.value is not None and term.kind in (*NUMBERS, "span") and not isinstance(term.value, str):
        return literal(term.kind, -term.value, span=span)
    if term.kind == "float":
        return simple("float", -term.expr, span, term, loose=term.loose)
    if term.kind in ("integer", "span"):
        return _narrowed(term.kind, 0 - wide(term.expr), span, term)
    return term if term.kind == "null" else None
