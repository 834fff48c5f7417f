"""From rows of JSON to a frame, value by value: what becomes of one doesn't hang on its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from math import isfinite
from typing import Any, Final

import msgspec
import polars as pl

from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving.exact import conversion
from wholeroad.road.data.casting import INSTANT, infer, kinds, noun, parse
from wholeroad.road.data.few_rows import physical
from wholeroad.road.data.mending.raw import names_in_file, read_as_text, types_in_file
from wholeroad.road.data.presence import words

Rows = Sequence[Mapping[str, Any]]
Faults = dict[int, tuple[str, str]]
"""Code and reason, by the place of the row."""

Targets = Mapping[str, pl.DataType | None]
"""Column to type; None for one that is read as it seems to be."""

_LONG: Final = 10**16
"""Integers with more digits than a number between others holds."""
_INTEGERS: Final = range(-(2**63), 2**63)


def targets_of(name: str, source: SourceTable, *, schema: pl.Schema | None) -> dict[str, pl.DataType | None]:
    """Name the columns that rows are sent with, and the type in which each is read.

    Before the first landing these are the declared ones. Under a mend the names are those before it, and
    what it makes another type of is read as it seems to be.
    """
    declared: dict[str, pl.DataType | None] = {**kinds(source.types, f"[source.{name}]")}
    if source.mend is None:
        return declared if schema is None else {**schema}
    texts = read_as_text(source)
    if schema is None:
        return dict.fromkeys(sorted(texts), pl.String())
    changed = {each for step in source.mend.steps for each in (step.unit, step.clip, step.map)}
    landed = {column: word for column, word in words(schema).items() if column not in changed}
    typed = kinds(types_in_file(source, landed), f"[source.{name}]")
    return {
        sent: typed.get(sent) for sent in names_in_file(source, schema).values() if sent not in changed
    } | {
        sent: pl.String() if sent in texts else None
        for sent in names_in_file(source, schema).values()
        if sent in changed or sent in texts
    }


def read_rows(rows: Rows, targets: Targets) -> tuple[pl.DataFrame, Faults]:
    """Make a frame of rows.

    A value of its column's type is taken as it is. Any other is taken as it is written, and read as a value
    of that type as a text in a file would be. Columns without a type get the one that all of their values
    have, as those of an NDJSON file do.

    Parameters
    ----------
    targets
        Each becomes a column, of nulls where no row has it.

    Returns
    -------
    polars.DataFrame, dict
        A row for each; ``data.not-castable`` where a value was lost.
    """
    faults: Faults = {}
    columns = []
    for name, target in targets.items():
        values = [row.get(name) for row in rows]
        column, lost = _column(name, values, target)
        for place, reason in lost.items():
            faults.setdefault(place, ("data.not-castable", reason))
        columns.append(column)
    return pl.DataFrame(columns, height=len(rows)), faults


def _column(name: str, values: Sequence[Any], target: pl.DataType | None) -> tuple[pl.Series, dict[int, str]]:
    kind = _seeming(values) if target is None else target
    exact: list[Any] = [None] * len(values)
    texts: dict[int, str] = {}
    lost: dict[int, str] = {}
    for place, value in enumerate(values):
        if value is None or (isinstance(value, float) and not isfinite(value)):
            continue
        convert = conversion(type(value), kind)
        try:
            if convert is not None:
                exact[place] = convert(value)
                continue
        except (ValueError, OverflowError):
            pass
        texts[place] = written(value)
        if _is_no_text(value) or (isinstance(value, int) and kind == pl.Float64()):
            lost[place] = f"{name} was '{texts[place]}', not {noun(kind)}"
    column = pl.Series(name, exact, dtype=physical(kind)).cast(kind)
    if isinstance(kind, pl.Null) or not texts:
        return column, lost
    parsed = parse(pl.Series(name, list(texts.values()), dtype=pl.String), kind)
    for place, value in zip(texts, parsed.is_null().to_list(), strict=True):
        if value:
            lost.setdefault(place, f"{name} was '{texts[place]}', not {noun(kind)}")
    return column.scatter(list(texts), parsed), lost


def _seeming(values: Sequence[Any]) -> pl.DataType:
    """Give the type that all values seem to have; of several kinds they are texts."""
    held = {type(value) for value in values if value is not None}
    if held == {str} and not any(_is_no_text(value) for value in values):
        texts = pl.Series(values, dtype=pl.String)
        return INSTANT if infer(texts) == INSTANT else pl.String()
    if int in held and held <= {int, float}:
        whole = [value for value in values if isinstance(value, int)]
        if held == {int}:
            return pl.Int64() if min(whole) in _INTEGERS and max(whole) in _INTEGERS else pl.String()
        return pl.Float64() if all(abs(value) < _LONG for value in whole) else pl.String()
    return _ALONE.get(held.pop(), pl.String()) if len(held) == 1 else pl.String() if held else pl.Null()


_ALONE: Final[dict[type, pl.DataType]] = {
    bool: pl.Boolean(),
    float: pl.Float64(),
    datetime: INSTANT,
    date: pl.Date(),
}


def written(value: object) -> str:
    """Write a value as JSON has it; a text is itself, what is no text is written with escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="backslashreplace").decode()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return _spelled(value)


def as_json(row: Mapping[str, Any]) -> str:
    """Write a row as it was sent; what JSON has no word for is written as text."""
    try:
        return msgspec.json.encode(row).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return msgspec.json.encode({written(name): written(value) for name, value in row.items()}).decode()


def _spelled(value: object) -> str:
    try:
        return str(value).encode("utf-8", errors="backslashreplace").decode()
    except (ValueError, RecursionError):
        return f"a value of type {type(value).__name__} that is too large to be written"


def _is_no_text(value: object) -> bool:
    """Tell whether a text holds half of a surrogate pair."""
    if not isinstance(value, str) or value.isascii():
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
