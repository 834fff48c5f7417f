"""The functions, each as a Polars expression over its bound arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from wholeroad.core.expressions.allowed import BETWEEN
from wholeroad.core.expressions.faults import Span
from wholeroad.core.expressions.terms import (
    Term,
    as_kind,
    combine,
    divided,
    firm,
    joined,
    literal,
    narrow,
    simple,
    wide,
)
from wholeroad.core.instants import UNITS

_FIRST_YEAR, _LAST_YEAR = -62_135_596_800_000_000, 253_402_300_799_999_999
_FAR: Final = 2**31
"""More characters than a text can have."""

Build = Callable[[Sequence[Term], Span], Term]


def _float(formula: Callable[..., pl.Expr]) -> Build:
    """Make a function of floats; where it isn't defined it is null."""

    def build(given: Sequence[Term], span: Span) -> Term:
        floats = [as_kind(term, "float") for term in given]
        return simple("float", formula(*(term.expr for term in floats)), span, *floats, loose=True)

    return build


def _whole(name: str) -> Build:
    def build(given: Sequence[Term], span: Span) -> Term:
        (term,) = given
        if term.kind != "float":
            return as_kind(term, "integer")
        return simple("float", getattr(term.expr, name)(), span, term)

    return build


def _text(formula: Callable[[pl.Expr], pl.Expr], *, number: bool = False) -> Build:
    def build(given: Sequence[Term], span: Span) -> Term:
        term = as_kind(given[0], "text")
        return simple("integer" if number else "text", formula(term.expr), span, term)

    return build


def _abs(given: Sequence[Term], span: Span) -> Term:
    (term,) = given
    if term.kind == "float":
        return simple("float", term.expr.abs(), span, term, loose=term.loose)
    return simple("integer", narrow(wide(as_kind(term, "integer").expr).abs(), "integer"), span, term)


def _round(given: Sequence[Term], span: Span) -> Term:
    term = given[0]
    if term.kind != "float":
        return as_kind(term, "integer")
    decimals = given[1].value if len(given) > 1 else 0
    rounded = term.expr.round(int(decimals or 0), mode="half_away_from_zero")
    return firm(simple("float", rounded, span, term, loose=True))


def _concat(given: Sequence[Term], span: Span) -> Term:
    texts = [as_kind(term, "text") for term in given]
    return simple("text", pl.concat_str([term.expr for term in texts]), span, *texts)


def _coalesce(given: Sequence[Term], span: Span) -> Term:
    return simple(given[0].kind, pl.coalesce([term.expr for term in given]), span, *given)


def _nullif(given: Sequence[Term], span: Span) -> Term:
    def formula(x: pl.Expr, y: pl.Expr) -> pl.Expr:
        return pl.when((x == y).fill_null(value=False)).then(None).otherwise(x)

    return combine(given[0].kind, span, formula, *given)


def _extreme(*, least: bool) -> Build:
    def formula(x: pl.Expr, y: pl.Expr) -> pl.Expr:
        first = x <= y if least else x >= y
        return pl.when(first).then(x).when(~first).then(y)

    def build(given: Sequence[Term], span: Span) -> Term:
        return joined(given, lambda x, y: combine(x.kind, span, formula, x, y))

    return build


def _replace(given: Sequence[Term], span: Span) -> Term:
    text, old, new = (as_kind(term, "text") for term in given)
    if old.value is None or new.value is None:
        return literal("text", None, span=span)
    if old.value == "":
        return text
    replaced = text.expr.str.replace_all(str(old.value), str(new.value), literal=True)
    return simple("text", replaced, span, text)


def _starts_with(given: Sequence[Term], span: Span) -> Term:
    text, prefix = (as_kind(term, "text") for term in given)
    return simple("boolean", text.expr.str.starts_with(prefix.expr), span, text, prefix)


def _substring(given: Sequence[Term], span: Span) -> Term:
    text, start = as_kind(given[0], "text"), as_kind(given[1], "integer")
    length = as_kind(given[2], "integer") if len(given) > 2 else literal("integer", _FAR, span=span)

    def formula(x: pl.Expr, first: pl.Expr, count: pl.Expr) -> pl.Expr:
        offset = first.clip(-_FAR, _FAR) - 1
        begin = offset.clip(0)
        taken = (offset + count.clip(0, 2 * _FAR) - begin).clip(0)
        known = first.is_not_null() & count.is_not_null()
        return pl.when(known).then(x.str.slice(begin.fill_null(0), taken.fill_null(0)))

    return combine("text", span, formula, text, start, length)


def _between(unit: str) -> Build:
    def build(given: Sequence[Term], span: Span) -> Term:
        start, end = (as_kind(term, "instant") for term in given)
        length = simple("float", (wide(end.expr) - wide(start.expr)).cast(pl.Float64), span, start, end)
        return combine("float", span, lambda x: divided(x, pl.lit(float(UNITS[unit]))), length)

    return build


FUNCTIONS: Final[dict[str, Build]] = {
    "abs": _abs,
    "ceil": _whole("ceil"),
    "coalesce": _coalesce,
    "concat": _concat,
    "exp": _float(lambda x: x.exp()),
    "floor": _whole("floor"),
    "greatest": _extreme(least=False),
    "least": _extreme(least=True),
    "length": _text(lambda x: x.str.len_chars().cast(pl.Int64), number=True),
    "ln": _float(lambda x: x.log()),
    "lower": _text(lambda x: x.str.to_lowercase()),
    "nullif": _nullif,
    "power": _float(lambda x, y: x.pow(y)),
    "replace": _replace,
    "round": _round,
    "sqrt": _float(lambda x: x.sqrt()),
    "starts_with": _starts_with,
    "substring": _substring,
    "trim": _text(lambda x: x.str.strip_chars(" ")),
    "upper": _text(lambda x: x.str.to_uppercase()),
    **{name: _between(unit) for name, unit in BETWEEN.items()},
}
"""All but the parts of the calendar, which need a time zone (:func:`calendar`)."""
ALIKE: Final = frozenset({"coalesce", "nullif", "least", "greatest"})
"""Functions whose arguments must be of one kind."""
LOOSE: Final = frozenset({"abs"})
"""Functions that may be handed what isn't finite, and hand it on."""

_CALENDAR: Final[dict[str, Callable[[pl.Expr], pl.Expr]]] = {
    "minute": lambda at: at.dt.minute(),
    "hour": lambda at: at.dt.hour(),
    "weekday": lambda at: at.dt.weekday(),
    "day": lambda at: at.dt.day(),
    "day_of_year": lambda at: at.dt.ordinal_day(),
    "month": lambda at: at.dt.month(),
    "year": lambda at: at.dt.year(),
    "date": lambda at: at.dt.strftime("%Y-%m-%d"),
}


def in_years(term: Term) -> Term:
    """Make instants outside the years 1 to 9999 null; the calendar ends there."""
    first, last = (literal("instant", at, span=term.span).expr for at in (_FIRST_YEAR, _LAST_YEAR))
    return combine("instant", term.span, lambda x: pl.when(x.is_between(first, last)).then(x), term)


def calendar(instant: Term, part: str, *, zone: str, span: Span) -> Term:
    """Give a part of the calendar of an instant in a time zone, daylight saving included."""
    known = in_years(as_kind(instant, "instant"))
    found = _CALENDAR[part](known.expr.dt.convert_time_zone(zone))
    if part == "date":
        return simple("text", found, span, known)
    return simple("integer", found.cast(pl.Int64), span, known)


def like(text: Term, pattern: str, *, span: Span) -> Term:
    """Match a whole text against a pattern: ``%`` is any characters, ``_`` one."""
    wild = {"%": ".*", "_": "."}
    parts = (wild.get(sign) or (sign if sign.isalnum() else _escaped(sign)) for sign in pattern)
    regex = rf"(?s)\A{''.join(parts)}\z"
    term = as_kind(text, "text")
    return simple("boolean", term.expr.str.contains(regex, literal=False), span, term)


def _escaped(sign: str) -> str:
    return rf"\x{{{ord(sign):x}}}"


_INSTANT: Final = re.compile(
    r"^(\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)$"
)


def read_instant(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601; what can't be read is null. The format is fixed, never guessed from other rows."""
    return (
        text.str.extract(_INSTANT.pattern, 1)
        .str.replace(" ", "T", literal=True)
        .str.replace(r"^(.{10})$", "${1}T00:00")
        .str.replace(r"Z$", "+00:00")
        .str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
        .str.replace(r"(T\d{2}:\d{2}(?::[\d.]+)?)$", "${1}+00:00")
        .str.replace(r"^(.{16})([+-])", "${1}:00${2}")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False, exact=True)
    )
