"""What was seen of a file, said back in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from wholeroad.core.instants import format_instant
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.batches import CODE, REASON, ROW
from wholeroad.road.data.profile import Column, Profile
from wholeroad.road.data.profile_spelling import Spelling

_MARKS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SHOWN: Final = 8
_LONGEST: Final = 120
"""Characters of a reason."""


def about_file(csv: CsvTable, spelling: Spelling) -> tuple[str, ...]:
    """Say how a file of texts is written, and what its values leave open."""
    return tuple(_file(csv, spelling))


def about_table(seen: Profile) -> tuple[str, ...]:
    """Say what is in a table: how many rows, what names them, its instants, its columns."""
    return tuple(_table(seen))


def about_unread(bad: pl.DataFrame | None) -> tuple[str, ...]:
    """Say what rows can't be read as rows of a table.

    Values that aren't of their column's type are told with the column, by :func:`about_file`.

    Parameters
    ----------
    bad
        Rows that landing would set aside, with ``CODE``, ``REASON`` and ``ROW`` of
        :mod:`~wholeroad.road.data.batches`; None: none.
    """
    lost = None if bad is None else bad.filter(pl.col(CODE) != "data.not-castable")
    if lost is None or lost.is_empty():
        return ()
    go = "row can't be read, and goes" if lost.height == 1 else "rows can't be read, and go"
    reason = lost[REASON][0]
    said = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
    return (f"{lost.height:,} {go} to the quarantine, such as row {lost[ROW][0]:,}: {said}",)


def _file(csv: CsvTable, spelling: Spelling) -> Iterator[str]:
    marks = _MARKS.get(csv.separator, repr(csv.separator))
    points = "decimal commas" if csv.decimal == "," else "decimal points"
    yield f"Written in {csv.encoding}, fields separated by {marks}, numbers with {points}."
    if csv.header_line > 1:
        yield f"The names of the columns stand in line {csv.header_line}; what is above is left out."
    if csv.footer_lines:
        lines = "line is" if csv.footer_lines == 1 else f"{csv.footer_lines} lines are"
        yield f"The last {lines} no row, such as totals, and left out."
    if csv.dates:
        yield f"Dates are written {spoken(csv.dates)}."
    if csv.nulls:
        yield f"{', '.join(csv.nulls)} stands for nothing."
    for name, kind in spelling.types.items():
        odd = spelling.strange[name]
        if odd:
            gone = "value; its row goes" if odd == 1 else "values; those rows go"
            is_one = "a number" if kind == "number" else "an instant"
            yield f"{name} is {is_one} but for {odd:,} {gone} to the quarantine."
    if spelling.signed:
        are = "is read as a number" if len(spelling.signed) == 1 else "are read as numbers"
        yield f"{', '.join(spelling.signed)} {are} without the sign of money or percent."
    for open_question in spelling.unsure:
        yield f"Unsure: {open_question}."


def _table(seen: Profile) -> Iterator[str]:
    one = f", one for each {', '.join(seen.keys[0])}" if seen.keys else ""
    yield f"{seen.rows:,} row{'' if seen.rows == 1 else 's'}{one}; {_columns(len(seen.columns))}."
    for column in seen.instants:
        low, high = (
            format_instant(int(each or 0))[:16].replace("T", " ") for each in (column.low, column.high)
        )
        yield f"{column.name} goes from {low} to {high}, in UTC{_missing(column)}."
    if not seen.instants:
        yield "No column says when: without time nothing can be rehearsed."
    for column in seen.columns.values():
        if column.disguised:
            yield f"{column.name} {column.disguised}; to be a time, it has to be written as one."
    if empty := [column.name for column in seen.columns.values() if column.kind == "empty"]:
        yield f"Without any value: {', '.join(empty[:_SHOWN])}."


def spoken(written: str) -> str:
    """Say how dates are written, as people do: ``dd/mm/yyyy``."""
    for sign, word in (("%d", "dd"), ("%m", "mm"), ("%Y", "yyyy"), ("%y", "yy"), ("%b", "mon")):
        written = written.replace(sign, word)
    return written


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _missing(column: Column) -> str:
    return f"; {column.null_share:.0%} of the rows have none" if column.nulls else ""
