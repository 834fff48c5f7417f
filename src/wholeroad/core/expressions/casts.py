"""``cast(x as type)``: what can't be read is null."""

from __future__ import annotations

import polars as pl

from wholeroad.core.expressions.allowed import TYPES, Kind
from wholeroad.core.expressions.faults import Span
from wholeroad.core.expressions.functions import in_years, read_instant
from wholeroad.core.expressions.terms import Term, as_kind, combine, literal, simple


def cast(term: Term, to: str, *, span: Span) -> Term | None:  # noqa: PLR0911 (a return for each form)
    """Cast a term to a type of :data:`~wholeroad.core.expressions.allowed.TYPES`.

    Returns
    -------
    Term or None
        None when there is no such cast.
    """
    kind = TYPES[to]
    if term.kind == "null":
        return literal(kind, None, span=span)
    if to == "date":
        instant = term if term.kind == "instant" else cast(term, "timestamp", span=span)
        if instant is None:
            return None
        known = in_years(instant)
        return simple("instant", known.expr.dt.truncate("1d"), span, known)
    if term.kind == kind:
        return term
    if kind == "text":
        return _to_text(term, span)
    if term.kind == "text":
        return _from_text(term, kind, span)
    if term.kind not in ("integer", "float", "boolean") or kind not in ("integer", "float", "boolean"):
        return None
    if kind == "boolean":
        return simple("boolean", term.expr != 0, span, term)
    dtype = pl.Int64 if kind == "integer" else pl.Float64
    return simple(kind, term.expr.cast(dtype, strict=False), span, term)


def _to_text(term: Term, span: Span) -> Term | None:
    if term.kind == "span":
        return None
    if term.kind == "boolean":
        return combine(
            "text",
            span,
            lambda x: pl.when(x).then(pl.lit("true")).when(~x).then(pl.lit("false")),
            term,
        )
    if term.kind == "instant":
        known = in_years(term)
        return simple("text", known.expr.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"), span, known)
    return simple("text", term.expr.cast(pl.String), span, term)


def _from_text(term: Term, kind: Kind, span: Span) -> Term | None:
    if kind == "instant":
        return simple("instant", read_instant(term.expr), span, term)
    if kind == "boolean":
        return combine(
            "boolean",
            span,
            lambda x: (
                pl.when(x == "true").then(pl.lit(value=True)).when(x == "false").then(pl.lit(value=False))
            ),
            simple("text", term.expr.str.to_lowercase(), span, term),
        )
    if kind == "integer":
        return simple("integer", term.expr.cast(pl.Int64, strict=False), span, term)
    if kind == "float":
        found = simple("float", term.expr.cast(pl.Float64, strict=False), span, term, loose=True)
        return as_kind(found, "float")
    return None
