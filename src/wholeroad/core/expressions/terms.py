"""Typed terms: a Polars expression, what it gives, and where it stands in the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from wholeroad.core.expressions.allowed import DEPTH_TWICE, Kind
from wholeroad.core.expressions.faults import Span

INSTANT: Final = pl.Datetime("us", "UTC")
SPAN: Final = pl.Duration("us")
DTYPES: Final[dict[Kind, pl.DataType]] = {
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
    "instant": INSTANT,
    "span": SPAN,
    "null": pl.Null(),
    "broken": pl.Null(),
}
Literal = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Term:
    """A part of an expression after binding.

    Attributes
    ----------
    value
        Of a literal (an instant or a span in microseconds); None otherwise.
    leaf
        A literal or a column: cheap to use twice.
    loose
        A float that may still be infinite or NaN. Sums and products of such values stay so,
        which is why only the end of a chain of them has to be looked at (:func:`firm`).
    depth
        How many operations stand on each other; see
        :data:`~wholeroad.core.expressions.allowed.DEPTH_MOST`.
    """

    kind: Kind
    expr: pl.Expr
    span: Span
    value: Literal | None = None
    leaf: bool = False
    loose: bool = False
    depth: int = 0


def literal(kind: Kind, value: Literal | None, *, span: Span) -> Term:
    """Make a literal."""
    dtype = DTYPES[kind]
    if kind in ("instant", "span") and value is not None:
        expr = pl.lit(value, dtype=pl.Int64).cast(dtype)
    else:
        expr = pl.lit(value, dtype=dtype)
    return Term(kind, expr, span, value=value, leaf=True)


def simple(kind: Kind, expr: pl.Expr, span: Span, *inputs: Term, loose: bool = False) -> Term:
    """Make a term whose expression uses each input once."""
    return Term(kind, expr, span, loose=loose, depth=1 + max((term.depth for term in inputs), default=0))


def combine(kind: Kind, span: Span, formula: Callable[..., pl.Expr], *inputs: Term) -> Term:
    """Make a term from a formula that uses some input more than once.

    Polars walks an expression that is used twice twice, so that twenty such steps on each other
    would be a million. Here the inputs become the fields of a struct, computed once, and the
    formula is over the fields.
    """
    if all(term.leaf for term in inputs):
        return simple(kind, formula(*(term.expr for term in inputs)), span, *inputs)
    named = [term.expr.alias(f"_{at}") for at, term in enumerate(inputs) if not _inlined(term)]
    fields = [term.expr if _inlined(term) else pl.field(f"_{at}") for at, term in enumerate(inputs)]
    expr = pl.struct(named).struct.with_fields(formula(*fields).alias("_out")).struct.field("_out")
    return Term(kind, expr, span, depth=DEPTH_TWICE + max(term.depth for term in inputs))


def _inlined(term: Term) -> bool:
    return term.leaf and (term.value is not None or term.kind == "null")


def is_fixed(term: Term) -> bool:
    """Tell whether a term reads no column."""
    return not term.expr.meta.root_names()


def divided(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Divide finite floats by a constant, in every frame alike.

    Polars divides a column by a constant by multiplying with its reciprocal, but a single row by
    dividing, which differs in the last bit. By a column it always divides, so the constant is made one.
    """
    return left / (left * 0.0 + right)


def joined(terms: Sequence[Term], join: Callable[[Term, Term], Term]) -> Term:
    """Join many terms by an associative operation: in pairs of pairs, which is flatter than a chain."""
    left = list(terms)
    while len(left) > 1:
        odd = left[len(left) // 2 * 2 :]
        left = [join(one, two) for one, two in zip(left[::2], left[1::2], strict=False)] + odd
    return left[0]


def firm(term: Term) -> Term:
    """Turn what is infinite or NaN into null."""
    if not term.loose:
        return term
    return combine("float", term.span, lambda x: pl.when(x.is_finite()).then(x), term)


def as_kind(term: Term, kind: Kind) -> Term:
    """Widen an integer to a float, give a bare null its kind; leave the rest."""
    if term.kind in (kind, "broken"):
        return term
    if term.kind == "null":
        return literal(kind, None, span=term.span)
    if term.value is not None:
        return literal(kind, float(term.value), span=term.span)
    return replace(term, kind=kind, expr=term.expr.cast(DTYPES[kind]), depth=term.depth + 1)


def common_kind(terms: Sequence[Term]) -> Kind | None:
    """Give the kind that all of the terms can take, or None; ``null`` when all are bare nulls."""
    kinds = {term.kind for term in terms} - {"null"}
    if "broken" in kinds:
        return "broken"
    if kinds == {"integer", "float"}:
        return "float"
    if len(kinds) > 1:
        return None
    return next(iter(kinds), "null")


def wide(expr: pl.Expr) -> pl.Expr:
    """Widen integers, instants and spans to 128 bits, in which no sum or product overflows."""
    return expr.cast(pl.Int64).cast(pl.Int128)


def narrow(expr: pl.Expr, kind: Kind) -> pl.Expr:
    """Go back to 64 bits; what doesn't fit is null."""
    narrowed = expr.cast(pl.Int64, strict=False)
    return narrowed if kind == "integer" else narrowed.cast(DTYPES[kind])


def column(name: str, dtype: pl.DataType | type[pl.DataType], *, span: Span) -> Term | None:
    """Read a column; None when its type can't be used.

    Integers become Int64 and floats Float64 (NaN and infinities null), categories text, dates
    instants at midnight UTC, date-times without a zone are UTC.
    """
    given = dtype() if isinstance(dtype, type) else dtype
    expr = pl.col(name)
    kind: Kind
    if given.is_integer():
        kind, expr = "integer", expr if given == pl.Int64 else expr.cast(pl.Int64, strict=False)
    elif given.is_float():
        expr = expr if given == pl.Float64 else expr.cast(pl.Float64)
        kind, expr = "float", pl.when(expr.is_finite()).then(expr)
    elif given.is_decimal():
        kind, expr = "float", expr.cast(pl.Float64)
    elif given == pl.Boolean:
        kind = "boolean"
    elif given in (pl.String, pl.Categorical, pl.Enum):
        kind, expr = "text", expr if given == pl.String else expr.cast(pl.String)
    elif isinstance(given, pl.Date | pl.Datetime):
        kind, expr = "instant", _instant(expr, given)
    elif isinstance(given, pl.Duration):
        kind, expr = "span", expr.cast(SPAN)
    elif given == pl.Null:
        kind, expr = "null", pl.lit(None)
    else:
        return None
    return Term(kind, expr, span, leaf=True)


def _instant(expr: pl.Expr, dtype: pl.Date | pl.Datetime) -> pl.Expr:
    if dtype == INSTANT:
        return expr
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return expr.dt.convert_time_zone("UTC").cast(INSTANT)
    return expr.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
