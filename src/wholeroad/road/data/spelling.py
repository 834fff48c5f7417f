"""How files of texts spell numbers and dates: decimal commas, thousands, days before months."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.casting import INSTANT, infer, parse

_TIMED: Final = (
    r"^(.*?\d.*?)(?:(?:[T ]\s*|,\s*)(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?$"
)
"""A date, and the time of day and offset behind it."""

_SPACES: Final = "[ \u00a0\u202f]"
_UNIT: Final = r"(?:[€$£¥%]|(?:EUR|USD|CHF|GBP)\b)"
_SIGNED: Final = (
    rf"^([+-]?)(?:{_UNIT}{_SPACES}?)?([+-]?\d(?:[\d.,'’ \u00a0\u202f]*\d)?)(?:{_SPACES}?{_UNIT})?$"
)
_FIRST_YEAR: Final = 1000
"""``%Y`` would read 13 as the year 13."""


def parse_spelled(text: pl.Series, target: pl.DataType, *, csv: CsvTable) -> pl.Series:
    """Read texts as values of a kept type, in a file's spelling; what isn't one becomes null."""
    if target in {pl.Int64(), pl.Float64()}:
        values = parse(plain_numbers(text, csv), target)
        if values.null_count() > text.null_count():
            return parse(plain_numbers(unsigned(text), csv), target)
        return values
    if target == INSTANT and csv.dates is not None:
        return parse_dates(text, csv.dates)
    return parse(text, target)


def infer_spelled(text: pl.Series, csv: CsvTable) -> pl.DataType:
    """Find the narrowest kind that all texts of a column belong to, in a file's spelling."""
    kind = infer(plain_numbers(text, csv))
    if kind != pl.String():
        return kind
    if infer(plain_numbers(unsigned(text.drop_nulls().head(100)), csv)) in {pl.Int64(), pl.Float64()}:
        return infer(plain_numbers(unsigned(text), csv))
    if csv.dates is None:
        return kind
    values = text.drop_nulls()
    if len(values) and parse_dates(values.head(100), csv.dates).null_count() == 0:
        return INSTANT if parse_dates(values, csv.dates).null_count() == 0 else kind
    return kind


def unsigned(text: pl.Series) -> pl.Series:
    """Take the sign of money or of percent from numbers: ``€ 5``, ``$5``, ``5 EUR``, ``5 %`` are 5.

    Several signs in one column are several units: then it stays as it is.

    Examples
    --------
    >>> unsigned(pl.Series(["-$1,718.14", "$20", "5 apples"])).to_list()
    ['-1,718.14', '20', '5 apples']
    """
    if text.str.extract(f"({_UNIT})").drop_nulls().n_unique() != 1:
        return text
    return text.str.strip_chars().str.replace(_SIGNED, "${1}${2}")


def plain_numbers(text: pl.Series, csv: CsvTable) -> pl.Series:
    """Write numbers with a point and without thousands; what isn't one in this spelling stays no number."""
    if csv.decimal == "." and csv.thousands is None:
        return text
    groups, point = _group(csv.thousands), re.escape(csv.decimal)
    whole = rf"(?:\d+|\d{{1,3}}(?:{groups}\d{{3}})+)" if groups else r"\d+"
    number = rf"^[+-]?{whole}(?:{point}\d*)?(?:[eE][+-]?\d+)?$"
    bare = pl.col("text").str.strip_chars()
    digits = bare.str.replace_all(groups, "") if groups else bare
    looks_plain = bare.str.contains(r"^[+-]?[\d.]+(?:[eE][+-]?\d+)?$") & bare.str.contains(r"[.]")
    return (
        text.to_frame("text")
        .select(
            pl.when(bare.str.contains(number))
            .then(digits.str.replace(csv.decimal, ".", literal=True))
            .when(looks_plain)
            .then(bare + "?")  # 1.5 is no number where the comma is the point
            .otherwise(pl.col("text"))
        )
        .to_series()
        .alias(text.name)
    )


def parse_dates(text: pl.Series, written: str) -> pl.Series:
    """Read texts as instants: dates as ``written``, with or without a time of day; or ISO 8601.

    Without an offset they are UTC, without a time of day midnight.
    """
    stripped = text.str.strip_chars()
    spelled = _in_one_form(stripped, written)
    if spelled is None:
        spelled = _kept(stripped.to_frame("at").select(_dated(pl.col("at"), written).alias("at")))
    if spelled.null_count() > text.null_count():
        iso = parse(text, INSTANT).alias("iso")
        spelled = pl.DataFrame([spelled, iso]).select(pl.coalesce("at", "iso")).to_series()
    return spelled.alias(text.name)


def _in_one_form(text: pl.Series, written: str) -> pl.Series | None:
    """Read a column whose values are all written alike, which is quick; None where they aren't."""
    timed = bool(re.search(r"%[HIT]", written))
    first = text.drop_nulls().head(20)
    for form in (written,) if timed else (written, f"{written} %H:%M", f"{written} %H:%M:%S"):
        whole = timed or form != written
        if whole:
            read = pl.col("at").str.to_datetime(form, time_unit="us", strict=False)
        else:
            read = pl.col("at").str.to_date(form, strict=False).cast(pl.Datetime("us"))
        if not timed and first.to_frame("at").select(read).to_series().null_count():
            continue
        spelled = _kept(text.to_frame("at").select(read.dt.replace_time_zone("UTC")))
        if timed or spelled.null_count() == text.null_count():
            return spelled
    return None


def _kept(frame: pl.DataFrame) -> pl.Series:
    year = pl.col("at").dt.year() >= _FIRST_YEAR
    return frame.select(pl.when(year).then(pl.col("at")).cast(INSTANT).alias("at")).to_series()


def check_dates(csv: CsvTable, where: str) -> None:
    """Refuse a way of writing dates that names no day, month and year.

    Raises
    ------
    UserError
        ``brief.dates``.
    """
    text = csv.dates
    if text is None or all(re.search(part, text) for part in ("%-?[de]", "%-?[mbB]", "%-?[yY]")):
        return
    raise UserError(
        "brief.dates",
        f"{where}: how dates are written can't be used",
        happened=f"dates was {text!r}",
        expected="a day (%d), a month (%m, %b) and a year (%Y, %y), as in %d/%m/%Y",
        fix='write dates = "%d/%m/%Y" or what fits; a time of day behind the date needs no sign of its own',
    )


def _dated(column: pl.Expr, written: str) -> pl.Expr:
    groups = column.str.extract_groups(_TIMED)
    part = [groups.struct.field(str(number)) for number in range(1, 8)]
    day = part[0].str.strip_chars().str.to_date(written, strict=False)
    hour = part[1].cast(pl.Int64, strict=False).fill_null(0)
    half = part[5].str.to_lowercase().str.slice(0, 1)
    clock = pl.when(half.is_null()).then(hour).when(half == "p").then(hour % 12 + 12).otherwise(hour % 12)
    minute = part[2].cast(pl.Int64, strict=False).fill_null(0)
    second = part[3].cast(pl.Int64, strict=False).fill_null(0)
    micros = part[4].fill_null("").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
    digits = part[6].str.replace(":", "")
    signed = digits.str.contains(r"^[+-]")
    minutes = pl.when(signed).then(
        digits.str.slice(1, 2).cast(pl.Int64, strict=False) * 60
        + digits.str.slice(3, 2).str.replace("^$", "0").cast(pl.Int64, strict=False)
    )
    ahead = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    fits = hour.is_between(0, 23) & minute.is_between(0, 59) & second.is_between(0, 59)
    at = day.cast(pl.Datetime("us")) + pl.duration(
        hours=clock, minutes=minute - ahead, seconds=second, microseconds=micros
    )
    return pl.when(fits).then(at).dt.replace_time_zone("UTC")


def _group(mark: str | None) -> str:
    if mark is None:
        return ""
    return _SPACES if mark == " " else re.escape(mark)
