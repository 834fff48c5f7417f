"""The user's files: Parquet, and CSV whose every value is accounted for."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.data.batches import CODE, REASON, ROW
from wholeroad.road.data.casting import infer, kinds, noun, parse, was_lost
from wholeroad.road.data.quarantine import Verdict

_FIELD: Final = r',(?:"(?:[^"]|"")*"|[^,]*)'
"""A field and the comma before it; a quote counts only where the field begins."""

_MOST: Final = 0.5
"""Where a greater share of rows has more fields than the header, the header is wrong and not the rows."""

_UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


class Rows(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    frame
        The rows, typed.
    bad
        Rows with more or fewer fields than the header, or a value that is not of its declared type: their
        raw texts, with ``_row`` (place in the file, from 1, the header not counted), ``_code`` and
        ``_reason``; for landing to set aside.
    """

    frame: pl.DataFrame
    bad: pl.DataFrame | None


def read_rows(
    path: Path,
    types: Mapping[str, str],
    *,
    stored: Mapping[str, str] | None = None,
    shown: str | None = None,
) -> Rows:
    """Read a Parquet or a CSV file.

    A CSV is read as text (UTF-8, commas, a header), empty text is null, empty lines are left out. Declared
    columns are cast; the others get the narrowest of integer, number, boolean, instant and text that all of
    their values belong to. A row with more or fewer fields than the header, as the last one of a file that
    was cut short, is bad.

    Parameters
    ----------
    path
        Ends in ``.parquet`` or ``.csv``.
    types
        Column to one of text, integer, number, boolean, instant; for a Parquet file it counts for columns
        of text.
    stored
        The same for the columns of earlier landings; these may be missing here, which landing judges.
    shown
        How messages name the file; the project's relative path, as a rule.

    Raises
    ------
    UserError
        ``data.file-missing``, ``data.file-kind``, ``data.file-empty``, ``data.file-unreadable``,
        ``data.column-twice``, ``data.column-missing``, ``brief.unknown-type``.
    """
    name = shown if shown is not None else path.name
    targets = {**kinds(stored or {}, name), **kinds(types, name)}
    if not path.is_file():
        raise _missing(path, name)
    if path.stat().st_size == 0:
        raise _empty(name)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        frame = _parquet(path, name)
        verdict = Verdict(frame.height)
    elif suffix == ".csv":
        frame, verdict = _csv(path, name)
    else:
        raise UserError(
            "data.file-kind",
            f"{name} is of a kind that can't be read",
            happened=f"its name ended in {path.suffix or 'nothing'!r}",
            expected=".parquet or .csv",
            fix="save the table as one of them",
        )
    _refuse_missing(frame, types, name)
    return _typed(frame, targets, inferred=suffix == ".csv", verdict=verdict)


def _parquet(path: Path, name: str) -> pl.DataFrame:
    try:
        return pl.scan_parquet(path, glob=False, hive_partitioning=False).collect()
    except _UNREADABLE as error:
        raise _unreadable(name, error, "a whole Parquet file", "copy or export the file again") from error


def _csv(path: Path, name: str) -> tuple[pl.DataFrame, Verdict]:
    whole, again = "a CSV in UTF-8 with commas and a header", "save it as CSV, UTF-8, with commas"
    refused = None
    try:
        header = pl.read_csv(
            path, has_header=False, n_rows=1, infer_schema=False, truncate_ragged_lines=True, glob=False
        )
        try:
            frame = pl.read_csv(path, infer_schema=False, glob=False)
        except pl.exceptions.ComputeError as error:
            refused = error
            frame = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True, glob=False)
    except pl.exceptions.NoDataError as error:
        raise _empty(name) from error
    except _UNREADABLE as error:
        raise _unreadable(name, error, whole, again) from error
    names = [str(word) if word is not None else "" for word in header.row(0)]
    _refuse_names(names, name)
    texts = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    blank = texts.select(pl.all_horizontal(pl.all().is_null())).to_series()
    verdict = Verdict(texts.height)
    # The reader fills a short row up with nulls, so that only a row that ends with one can be short.
    if refused is not None or (texts[texts.columns[-1]].is_null() & ~blank).any():
        fields = _fields(path, texts.height, len(names))
        if refused is not None and (fields is None or (fields["fields"] > len(names)).mean() > _MOST):  # type: ignore[operator]
            raise _unreadable(name, refused, whole, again) from refused
        if fields is not None:
            _blame_fields(fields, verdict, len(names))
            blank &= fields["fields"] <= len(names)
    if not blank.any():
        return texts, verdict
    return texts.filter(~blank), verdict.only(~blank)


def _blame_fields(fields: pl.DataFrame, verdict: Verdict, width: int) -> None:
    count = pl.col("fields").cast(pl.String)
    short = pl.format(f"the row had {{}} fields, and the header {width}: it was cut short", count)
    verdict.blame(fields["fields"] < width, "data.too-few-fields", reason=short, frame=fields)
    long = pl.format(f"the row had {{}} fields, and the header {width}: {{}}", count, pl.col("line"))
    verdict.blame(fields["fields"] > width, "data.too-many-fields", reason=long, frame=fields)


def _fields(path: Path, rows: int, width: int) -> pl.DataFrame | None:
    """Count every row's fields, and keep the text of rows with too many; None when that can't be told."""
    line = pl.col("line")
    plain = line.str.count_matches(",", literal=True) + 1
    count = (
        pl.when(line.str.contains('"', literal=True))
        .then(pl.format(",{}", line).str.count_matches(_FIELD))
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
    return fields if fields.height == rows else _fields_one_by_one(path, rows, width)


def _fields_one_by_one(path: Path, rows: int, width: int) -> pl.DataFrame | None:
    """Do the same where a text goes over several lines."""
    counts: list[int] = []
    surplus: list[str | None] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for record in csv.reader(file):
                counts.append(len(record))
                surplus.append(",".join(record) if len(record) > width else None)
        except csv.Error:
            return None
    header = next((place for place, count in enumerate(counts) if count), 0)
    fields = pl.DataFrame(
        {"line": surplus, "fields": counts}, schema={"line": pl.String, "fields": pl.Int64}
    ).slice(header + 1)
    return fields if fields.height == rows else None


def _refuse_names(names: list[str], shown: str) -> None:
    twice = [word for word, times in Counter(names).items() if times > 1]
    if twice or "" in names:
        raise UserError(
            "data.column-twice" if twice else "data.column-unnamed",
            f"{shown}: the header is not usable",
            happened=f"{', '.join(twice)} stood there more than once" if twice else "a column had no name",
            expected="a name of its own for every column",
            fix="correct the first line of the file",
        )
    if any("\0" in word or "�" in word for word in names) or _other_commas(names):
        raise UserError(
            "data.file-unreadable",
            f"{shown} can't be read",
            happened=f"its first line was read as {names[0][:60]!r}",
            expected="names separated by commas, in UTF-8",
            fix="save it as CSV, UTF-8, with commas",
        )


def _other_commas(names: list[str]) -> bool:
    return len(names) == 1 and any(mark in names[0] for mark in ";\t|")


def _refuse_missing(frame: pl.DataFrame, types: Mapping[str, str], name: str) -> None:
    if missing := [column for column in types if column not in frame.columns]:
        raise UserError(
            "data.column-missing",
            f"{name}: a column with a declared type is missing",
            happened=f"there was no {', '.join(missing)}; there were {', '.join(frame.columns)}",
            expected=", ".join(missing),
            fix="correct the name under types in the brief, or in the file",
        )


def _typed(
    frame: pl.DataFrame, targets: Mapping[str, pl.DataType], *, inferred: bool, verdict: Verdict
) -> Rows:
    whole, all_whole = verdict.fine(), bool(verdict.fine().all())
    columns = []
    for column in frame.iter_columns():
        target = targets.get(column.name)
        if column.dtype != pl.String or (target is None and not inferred):
            columns.append(column)
        elif target is None:
            kind = infer(column if all_whole else column.filter(whole))
            columns.append(column.cast(kind) if isinstance(kind, pl.Null) else parse(column, kind))
        else:
            values = parse(column, target)
            columns.append(values)
            brace = column.name.replace("{", "{{").replace("}", "}}")
            reason = pl.format(f"{brace} was '{{}}', not {noun(target)}", pl.col(column.name))
            verdict.blame(was_lost(column, values), "data.not-castable", reason=reason, frame=frame)
    typed = pl.DataFrame(columns)
    fine = verdict.fine()
    if fine.all():
        return Rows(typed, None)
    bad = frame.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW),
        verdict.codes.alias(CODE),
        verdict.reasons.alias(REASON),
    ).filter(~fine)
    return Rows(typed.filter(fine), bad)


def _missing(path: Path, name: str) -> UserError:
    there = sorted(
        each.name for each in (path.parent.iterdir() if path.parent.is_dir() else ()) if each.is_file()
    )
    folder = path.is_dir()
    return UserError(
        "data.file-missing",
        f"{name} {'is a folder' if folder else 'does not exist'}",
        happened="a folder was found"
        if folder
        else f"beside it there was {', '.join(there[:8]) or 'nothing'}",
        expected="a file, .parquet or .csv",
        fix="put the file there, or correct read in the brief",
    )


def _empty(name: str) -> UserError:
    return UserError(
        "data.file-empty",
        f"{name} is empty",
        happened="there was nothing in it, not even a header",
        expected="a table",
        fix='export it again; for a source that does not exist yet write read = "none"',
    )


def _unreadable(name: str, error: BaseException, expected: str, fix: str) -> UserError:
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return UserError(
        "data.file-unreadable",
        f"{name} can't be read",
        happened=first[:200],
        expected=expected,
        fix=fix,
    )
