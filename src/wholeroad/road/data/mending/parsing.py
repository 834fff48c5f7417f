"""Parsing: texts become what they say."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from wholeroad.road.brief.mends import MendStep
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.casting import INSTANT, KINDS, cast, noun, parse
from wholeroad.road.data.spelling import parse_dates, plain_numbers

TARGETS: Final[dict[str, pl.DataType]] = {**KINDS, "date": pl.Date()}

_OFFSET: Final = r"\d.*\d\d:?\d\d.*(?:[Zz]|UTC|[+-]\d\d(?::?\d\d)?)\s*$"
_WRITTEN: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


def parsed(column: pl.Series, step: MendStep) -> pl.Series:
    """Read a column as what the step says; a value that can't be read becomes null.

    Parameters
    ----------
    column
        In a kept type. Numbers are read by their digits, so that ``20130301`` may be a date.

    Examples
    --------
    >>> said = {"as": "number", "decimal": ",", "strip": ["kg"]}
    >>> parsed(pl.Series(["1,5 kg", "kg 2", "heavy"]), MendStep(parse="weight", **said)).to_list()
    [1.5, 2.0, None]
    """
    target = target_of(step)
    if column.dtype.is_numeric() and target.is_temporal():
        whole = cast(column, pl.Int64())
        column = whole.cast(pl.String)
    if not isinstance(column.dtype, pl.String):
        moved = _moved(column, step.timezone) if column.dtype == INSTANT else column
        return cast(moved, target)
    if target.is_numeric():
        spelled = CsvTable(decimal=step.decimal, thousands=step.thousands)
        return parse(plain_numbers(stripped(column, step.strip), spelled), target)
    if not target.is_temporal():
        return parse(stripped(column, step.strip), target)
    instants = parse(column, INSTANT) if step.format is None else parse_dates(column, step.format)
    if step.timezone is not None:
        said = column.str.contains(_OFFSET) if "%z" not in (step.format or "") else column.is_not_null()
        instants = instants.zip_with(said.fill_null(value=False), _moved(instants, step.timezone))
    return cast(instants, target).alias(column.name)


def target_of(step: MendStep) -> pl.DataType:
    """Give the type that a step reads its column as."""
    return TARGETS[step.as_ or "text"]


def as_text(column: pl.Series) -> pl.Series:
    """Write values so that they read back the same: numbers plainly, dates and instants in ISO 8601."""
    return column.dt.strftime(_WRITTEN) if column.dtype == INSTANT else column.cast(pl.String)


def wanted(step: MendStep) -> str:
    """Say what a value of the column should have been."""
    target = target_of(step)
    written = f" written {step.format}" if step.format else ""
    if target == INSTANT and written:
        return f"an instant{written}"
    return f"{noun(target)}{written}"


def stripped(column: pl.Series, words: tuple[str, ...]) -> pl.Series:
    """Take words off the ends of texts, one at each end, and the white space around."""
    if not words:
        return column.str.strip_chars()
    longest = sorted(words, key=lambda word: (-len(word), word))
    either = "|".join(re.escape(word) for word in longest)
    bare = column.str.replace(rf"^\s*([+-]?)\s*(?:{either})\s*", "${1}")
    return bare.str.replace(rf"\s*(?:{either})\s*$", "").str.strip_chars()


def _moved(instants: pl.Series, timezone: str | None) -> pl.Series:
    """Take the clock time of instants as that of a time zone.

    Of an hour that came twice, the first; one that was left out becomes null.
    """
    if timezone is None:
        return instants
    local = instants.dt.replace_time_zone(None)
    there = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone("UTC")
