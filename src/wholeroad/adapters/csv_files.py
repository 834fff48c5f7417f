"""CSV files as texts: every field counted, so that no row is filled up or cut silently."""

from __future__ import annotations

import csv as standard
import re
from collections import Counter
from pathlib import Path
from typing import Final

import polars as pl

from wholeroad.adapters.encodings import is_misfit, misfit, plain_copy
from wholeroad.core.errors import UserError
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.quarantine import Verdict

UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)

_MOST: Final = 0.5
"""Where a greater share of rows has more fields than the header, the header is wrong and not the rows."""

_MARKS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_texts(path: Path, csv: CsvTable, *, name: str) -> tuple[pl.DataFrame, Verdict]:
    """Read a CSV as texts, without empty rows, and judge rows by how many fields they have.

    Parameters
    ----------
    name
        How messages name the file.

    Returns
    -------
    tuple[polars.DataFrame, Verdict]
        Every column text; empty text and ``csv.nulls`` are null. The verdict is on these rows.

    Raises
    ------
    UserError
        ``data.encoding``, ``data.file-empty``, ``data.file-unreadable``, ``data.column-twice``,
        ``data.column-unnamed``, ``brief.unknown-encoding``.
    """
    with plain_copy(path, csv, name=name) as plain:
        try:
            return _texts(plain, csv, name)
        except UserError as error:
            if error.code == "data.file-unreadable" and is_misfit(path, csv.encoding):
                raise misfit(path, csv.encoding, name=name) from error
            raise


def empty(name: str) -> UserError:
    """Say that a file has nothing in it."""
    return UserError(
        "data.file-empty",
        f"{name} is empty",
        happened="there was nothing in it, not even a header",
        expected="a table",
        fix='export it again; for a source that does not exist yet write read = "none"',
    )


def unreadable(name: str, error: BaseException, *, expected: str, fix: str) -> UserError:
    """Say that a file can't be read, in the reader's words."""
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return UserError(
        "data.file-unreadable", f"{name} can't be read", happened=first[:200], expected=expected, fix=fix
    )


def _texts(path: Path, csv: CsvTable, name: str) -> tuple[pl.DataFrame, Verdict]:
    marks = _MARKS.get(csv.separator, repr(csv.separator))
    whole, again = f"a CSV in UTF-8 with {marks} and a header", f"save it as CSV, UTF-8, with {marks}"
    refused = None
    mark = csv.separator
    try:
        header = pl.read_csv(
            path,
            has_header=False,
            n_rows=1,
            infer_schema=False,
            truncate_ragged_lines=True,
            glob=False,
            separator=mark,
        )
        try:
            frame = pl.read_csv(path, infer_schema=False, glob=False, separator=mark)
        except pl.exceptions.ComputeError as error:
            refused = error
            frame = pl.read_csv(
                path, infer_schema=False, truncate_ragged_lines=True, glob=False, separator=mark
            )
    except pl.exceptions.NoDataError as error:
        raise empty(name) from error
    except (*UNREADABLE, ValueError) as error:
        raise _unclosed(path, csv, name) or unreadable(name, error, expected=whole, fix=again) from error
    names = _named([str(word) if word is not None else "" for word in header.row(0)])
    _refuse_names(names, csv, name)
    frame.columns = names
    texts = frame.with_columns(pl.when(~_nothing(csv)).then(pl.all()))
    blank = frame.select(pl.all_horizontal((pl.all() == "") | pl.all().is_null())).to_series()
    verdict = Verdict(texts.height)
    # The reader fills a short row up with nulls, so that only a row that ends with one can be short.
    if refused is not None or (texts[texts.columns[-1]].is_null() & ~blank).any():
        fields = _fields(path, texts.height, width=len(names), mark=mark)
        if refused is not None and (fields is None or (fields["fields"] > len(names)).mean() > _MOST):  # type: ignore[operator]
            raise _wider(fields, len(names), csv=csv, shown=name) or unreadable(
                name, refused, expected=whole, fix=again
            ) from refused
        if fields is not None:
            _blame_fields(fields, verdict, len(names))
            blank &= fields["fields"] <= len(names)
    if not blank.any():
        return texts, verdict
    return texts.filter(~blank), verdict.only(~blank)


def _unclosed(path: Path, csv: CsvTable, name: str) -> UserError | None:
    """Name the line with a quote that isn't closed, where there is one."""
    with path.open("rb") as file:
        odd = [number for number, line in enumerate(file, csv.header_line) if line.count(b'"') % 2]
    if len(odd) % 2 == 0:
        return None
    return UserError(
        "data.file-unreadable",
        f"{name} can't be read",
        happened=f"line {odd[0]} is the first with a quote (\") that isn't closed in it",
        expected="quotes in pairs around a field, and two of them for one that is meant",
        fix="close it, or take it away",
    )


def _wider(fields: pl.DataFrame | None, width: int, *, csv: CsvTable, shown: str) -> UserError | None:
    """Say that most rows have more fields than the header names."""
    if fields is None:
        return None
    most = int(fields["fields"].mode().sort()[0])
    return UserError(
        "data.file-unreadable",
        f"{shown} can't be read",
        happened=f"most rows had {most} fields, and line {csv.header_line} names {width}",
        expected="a name for every field; a mark at the end of a row begins another field",
        fix=f"add {csv.separator!r} and a name to the header, or take the marks from the rows' ends",
    )


def _nothing(csv: CsvTable) -> pl.Expr:
    empty_text = pl.all() == ""
    return empty_text | pl.all().str.strip_chars().is_in(csv.nulls) if csv.nulls else empty_text


def _blame_fields(fields: pl.DataFrame, verdict: Verdict, width: int) -> None:
    count = pl.col("fields").cast(pl.String)
    short = pl.format(f"the row had {{}} fields, and the header {width}: it was cut short", count)
    verdict.blame(fields["fields"] < width, "data.too-few-fields", reason=short, frame=fields)
    long = pl.format(f"the row had {{}} fields, and the header {width}: {{}}", count, pl.col("line"))
    verdict.blame(fields["fields"] > width, "data.too-many-fields", reason=long, frame=fields)


def _fields(path: Path, rows: int, *, width: int, mark: str) -> pl.DataFrame | None:
    """Count every row's fields, and keep the text of rows with too many; None when that can't be told."""
    line = pl.col("line")
    plain = line.str.count_matches(mark, literal=True) + 1
    sign = re.escape(mark)
    # A field and the mark before it; a quote counts only where the field begins.
    field = rf'{sign}(?:"(?:[^"]|"")*"|[^{sign}]*)'
    count = (
        pl.when(line.str.contains('"', literal=True))
        .then(pl.concat_str(pl.lit(mark), line).str.count_matches(field))
        .otherwise(plain)
    )
    fields = (
        pl.scan_lines(path, glob=False)
        .with_columns(count.alias("fields"), (line.str.strip_chars() == "").alias("blank"))
        .with_columns(pl.when(pl.col("fields") > width).then(line))
        .collect()
    )
    header = fields["blank"].arg_min() or 0
    fields = fields.slice(header + 1).drop("blank")
    return fields if fields.height == rows else _fields_one_by_one(path, rows, width=width, mark=mark)


def _fields_one_by_one(path: Path, rows: int, *, width: int, mark: str) -> pl.DataFrame | None:
    """Do the same where a text goes over several lines."""
    counts: list[int] = []
    surplus: list[str | None] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for record in standard.reader(file, delimiter=mark):
                counts.append(len(record))
                surplus.append(mark.join(record) if len(record) > width else None)
        except standard.Error:
            return None
    header = next((place for place, count in enumerate(counts) if count), 0)
    fields = pl.DataFrame(
        {"line": surplus, "fields": counts}, schema={"line": pl.String, "fields": pl.Int64}
    ).slice(header + 1)
    return fields if fields.height == rows else None


def _named(names: list[str]) -> list[str]:
    """Name the few columns that have no name, as a row number or marks at the ends of lines leave them."""
    blank = sum(not word.strip() for word in names)
    if blank * 2 > len(names):
        return names
    return [word if word.strip() else f"column_{place}" for place, word in enumerate(names, start=1)]


def _refuse_names(names: list[str], csv: CsvTable, shown: str) -> None:
    where = f"line {csv.header_line} of the file"
    twice = [word for word, times in Counter(names).items() if times > 1 and word.strip()]
    if twice or not all(word.strip() for word in names):
        raise UserError(
            "data.column-twice" if twice else "data.column-unnamed",
            f"{shown}: the header is not usable",
            happened=f"{', '.join(twice)} stood there more than once"
            if twice
            else "most columns had no name",
            expected="a name of its own for every column",
            fix=f"correct {where}, or name another one in csv = {{ header_line = ... }}",
        )
    other = [mark for mark in ",;\t|" if len(names) == 1 and mark in names[0]]
    if any("\0" in word or "�" in word for word in names) or other:
        marks = _MARKS.get(csv.separator, repr(csv.separator))
        raise UserError(
            "data.file-unreadable",
            f"{shown} can't be read",
            happened=f"its first line was read as {names[0][:60]!r}",
            expected=f"names separated by {marks}, in UTF-8",
            fix=f'write csv = {{ separator = "{_written(other[0])}" }} in the source\'s table of the brief'
            if other
            else "save it as CSV, UTF-8, with commas",
        )


def _written(mark: str) -> str:
    return "\\t" if mark == "\t" else mark
