"""From the types that arrive to the few that are kept, without losing a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from wholeroad.core.errors import Fault, UserError

INSTANT: Final = pl.Datetime("us", "UTC")

KINDS: Final[dict[str, pl.DataType]] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "instant": INSTANT,
}
"""The brief's words for column types."""

_NOUNS: Final[dict[pl.DataType, str]] = {
    pl.String(): "a text",
    pl.Int64(): "an integer",
    pl.Float64(): "a number",
    pl.Boolean(): "true or false",
    pl.Date(): "a date",
    INSTANT: "an instant (ISO 8601, as 2013-03-01T06:00:00Z)",
}
_INTEGER: Final = r"^[+-]?\d+(\.0*)?$"
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INSTANT: Final = (
    r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?)?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$"
)
_PLAIN_INTEGER: Final = r"^(0|-?[1-9]\d{0,17})$"
_LONG: Final = 10**16
"""Integers with more digits than a plain number has."""

_PLAIN_NUMBER: Final = r"^-?(0|[1-9]\d{0,15})?(\.\d+)?([eE][+-]?\d{1,3})?$"
_TRUE: Final = ("true", "1", "yes")
_FALSE: Final = ("false", "0", "no")


def kinds(types: Mapping[str, str], where: str) -> dict[str, pl.DataType]:
    """Translate the brief's types.

    Raises
    ------
    UserError
        ``brief.unknown-type``.
    """
    for column, kind in types.items():
        if kind not in KINDS:
            raise UserError(
                "brief.unknown-type",
                f"{where}: a type is unknown",
                happened=f"the type of {column} was {kind!r}",
                expected=f"one of {', '.join(KINDS)}",
                fix=f'write types = {{ {column} = "text" }} or another of them',
            )
    return {column: KINDS[kind] for column, kind in types.items()}


def kept_type(dtype: pl.DataType) -> pl.DataType | None:
    """Give the type that values of ``dtype`` are kept in, None when they can't be.

    Integers are kept in 64 bits, floats and decimals as doubles, categories as text, and every date-time in
    UTC with microseconds (one without a zone is UTC). A column of nulls only is text.
    """
    if dtype.is_integer():
        return pl.Int64()
    if dtype.is_float() or dtype.is_decimal():
        return pl.Float64()
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        return pl.String()
    if isinstance(dtype, pl.Datetime):
        return INSTANT
    return dtype if dtype in {pl.Boolean(), pl.Date()} else None


def blame_text(faults: Sequence[Fault], text: str, *, frame: pl.DataFrame, where: str) -> list[Fault]:
    """Add the way out to what is wrong with an instant that is made of text columns.

    Parameters
    ----------
    faults
        Of binding ``text``.
    frame
        Rows of the source, or none, which give the columns' types and the first value seen.
    where
        The source's table in the brief.
    """
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    used = [name for name in texts if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    if not used:
        return [*faults]
    seen = frame[used[0]].drop_nulls().head(1).to_list()
    first = f"; the first value was {seen[0][:40]!r}" if seen else ""
    kinds_of = ", ".join(f'{name} = "instant"' for name in used)
    return [
        replace(
            fault,
            happened=f"{fault.happened}; {used[0]} is text{first}",
            fix=f"write types = {{ {kinds_of} }} under {where}: texts in ISO 8601, as "
            "2013-03-01T06:00:00Z, are read as instants",
        )
        if fault.code in {"expression.result-type", "expression.type-mismatch"}
        else fault
        for fault in faults
    ]


def noun(dtype: pl.DataType) -> str:
    """Name what a value of a kept type is: "a number"."""
    return _NOUNS[dtype]


def cast(column: pl.Series, target: pl.DataType) -> pl.Series:
    """Cast to a kept type; a value that doesn't survive the way there and back becomes null.

    NaN becomes null too: it is how other tools write a missing number. So do infinities, which are no
    amount of anything. Nanoseconds are cut to microseconds.
    """
    if column.dtype == target:
        return _finite(column) if target == pl.Float64 else column
    if isinstance(column.dtype, pl.Null):
        return pl.Series(column.name, [None], dtype=target).new_from_index(0, len(column))
    if isinstance(column.dtype, pl.String):
        return parse(column, target)
    if isinstance(column.dtype, pl.Datetime):
        column = _in_utc(column)
    if column.dtype.is_float():
        column = _finite(column)
    values = _in_utc(column.cast(pl.Datetime("us"))) if _is_midnight(column, target) else None
    if values is None:
        values = column.cast(target, strict=False)
    if target == pl.String or column.dtype.is_decimal() or column.dtype == target:
        return values
    back = values.cast(column.dtype, strict=False)
    return (
        pl.select(pl.when((back == column).fill_null(value=False)).then(values))
        .to_series()
        .alias(column.name)
    )


def was_lost(before: pl.Series, after: pl.Series) -> pl.Series:
    """Tell where a cast lost a value."""
    lost = before.is_not_null() & after.is_null()
    return lost & before.is_finite() if before.dtype.is_float() else lost


def parse(text: pl.Series, target: pl.DataType) -> pl.Series:
    """Read texts as values of a kept type; what isn't one becomes null."""
    if target == pl.String:
        return text
    frame = pl.DataFrame({"text": text.str.strip_chars()})
    return frame.select(_parsed(pl.col("text"), target)).to_series().alias(text.name)


def infer(text: pl.Series) -> pl.DataType:
    """Find the narrowest kind that all texts of a column belong to; nulls only are ``Null``.

    Numbers with leading zeros or more digits than the type holds are names (post codes, account
    numbers), so they stay text.
    """
    values = text.drop_nulls()
    if len(values) == 0:
        return pl.Null()
    if _all_match(values, _PLAIN_INTEGER):
        return pl.Int64()
    if _all_match(values, _PLAIN_NUMBER) and parse(values, pl.Float64()).null_count() == 0:
        return pl.Float64()
    if _all_match(values, r"(?i)^(true|false)$"):
        return pl.Boolean()
    if _all_match(values, _INSTANT) and parse(values, INSTANT).null_count() == 0:
        return INSTANT
    return pl.String()


class JointTypes:
    """The narrowest kinds that all parts of a file belong to: what :func:`infer` would find of the whole."""

    def __init__(self) -> None:
        self._kinds: dict[str, pl.DataType] = {}
        self._long: set[str] = set()

    @property
    def kinds(self) -> dict[str, pl.DataType]:
        """Column to type; ``Null`` for a column without a value."""
        return dict(self._kinds)

    def add(self, part: pl.DataFrame) -> None:
        """Take in a part in the types that were inferred of it alone."""
        for column in part.iter_columns():
            name, kind = column.name, column.dtype
            if kind == pl.Int64() and bool((column.abs() >= _LONG).any()):
                self._long.add(name)
            before = self._kinds.get(name, pl.Null())
            if before in (pl.Null(), kind):
                self._kinds[name] = kind
            elif kind != pl.Null():
                numbers = {before, kind} == {pl.Int64(), pl.Float64()} and name not in self._long
                self._kinds[name] = pl.Float64() if numbers else pl.String()


def _all_match(values: pl.Series, pattern: str) -> bool:
    return bool(values.head(100).str.contains(pattern).all()) and bool(values.str.contains(pattern).all())


def _parsed(text: pl.Expr, target: pl.DataType) -> pl.Expr:
    if target == pl.Int64:
        whole = text.str.replace(r"\.0*$", "").str.strip_prefix("+")
        return pl.when(text.str.contains(_INTEGER)).then(whole).cast(pl.Int64, strict=False)
    if target == pl.Float64:
        number = pl.when(text.str.contains(_NUMBER)).then(text.str.strip_prefix("+"))
        value = number.cast(pl.Float64, strict=False)
        return pl.when(value.is_finite()).then(value)
    if target == pl.Boolean:
        word = text.str.to_lowercase()
        return pl.when(word.is_in(_TRUE)).then(statement=True).when(word.is_in(_FALSE)).then(statement=False)
    instant = _parsed_instant(text)
    if target == pl.Date:
        day = instant.dt.date()
        return pl.when(day.cast(pl.Datetime("us", "UTC")) == instant).then(day)
    return instant


def _parsed_instant(text: pl.Expr) -> pl.Expr:
    """Read ISO 8601 in its usual spellings; without an offset it is UTC, without a time midnight."""
    groups = text.str.extract_groups(_INSTANT)
    part = [groups.struct.field(str(number)) for number in range(1, 6)]
    micros = part[3].fill_null("").str.slice(0, 6).str.pad_end(6, "0")
    local = pl.concat_str(
        [part[0], pl.lit("T"), part[1].fill_null("00:00"), part[2].fill_null(":00"), pl.lit("."), micros]
    ).str.to_datetime("%Y-%m-%dT%H:%M:%S%.6f", time_unit="us", strict=False)
    digits = (
        pl.when(part[4].str.contains(r"^[+-]")).then(part[4].str.replace(":", "")).otherwise(pl.lit("+00"))
    )
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(3, 2).str.replace("^$", "0").cast(pl.Int64, strict=False)
    offset = pl.duration(hours=hours, minutes=minutes)
    ahead = digits.str.starts_with("-")
    return pl.when(ahead).then(local + offset).otherwise(local - offset).dt.replace_time_zone("UTC")


def _in_utc(column: pl.Series) -> pl.Series:
    column = column.dt.cast_time_unit("us")
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        return column.dt.replace_time_zone("UTC")
    return column.dt.convert_time_zone("UTC")


def _finite(column: pl.Series) -> pl.Series:
    if bool(column.is_finite().all()):
        return column
    return column.to_frame().select(pl.when(pl.first().is_finite()).then(pl.first())).to_series()


def _is_midnight(column: pl.Series, target: pl.DataType) -> bool:
    return column.dtype == pl.Date and target == INSTANT
