"""The user's files: Parquet, and CSV and NDJSON whose every value is accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from wholeroad.adapters.csv_files import UNREADABLE, empty, read_texts, unreadable
from wholeroad.adapters.ndjson_files import ENDINGS, read_objects, with_lines
from wholeroad.core.errors import UserError
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.batches import CODE, REASON, ROW
from wholeroad.road.data.casting import kinds, noun, parse, was_lost
from wholeroad.road.data.quarantine import Verdict
from wholeroad.road.data.spelling import check_dates, infer_spelled, parse_spelled


class Rows(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    frame
        The rows, typed.
    bad
        Rows with more or fewer fields than the header, lines that hold no JSON object, or rows with a value
        that is not of its declared type: their raw texts, with ``_row`` (place in the file, from 1, without
        header and empty lines), ``_code`` and ``_reason``; for landing to set aside.
    """

    frame: pl.DataFrame
    bad: pl.DataFrame | None


def read_rows(
    path: Path,
    types: Mapping[str, str],
    *,
    stored: Mapping[str, str] | None = None,
    shown: str | None = None,
    csv: CsvTable | None = None,
) -> Rows:
    """Read a Parquet, a CSV or an NDJSON file.

    A CSV is read as text (UTF-8, commas, a header, unless ``csv`` says otherwise), empty text is null, empty
    lines are left out. Declared
    columns are cast; the others get the narrowest of integer, number, boolean, instant and text that all of
    their values belong to. A row with more or fewer fields than the header, as the last one of a file that
    was cut short, is bad. Of NDJSON, see :func:`~wholeroad.adapters.ndjson_files.read_objects`.

    Parameters
    ----------
    path
        Ends in ``.parquet``, ``.csv``, ``.ndjson`` or ``.jsonl``.
    types
        Column to one of text, integer, number, boolean, instant; for a Parquet file it counts for columns
        of text.
    stored
        The same for the columns of earlier landings; these may be missing here, which landing judges.
    shown
        How messages name the file; the project's relative path, as a rule.
    csv
        How a CSV was written, where it isn't plain.

    Raises
    ------
    UserError
        ``data.file-missing``, ``data.file-kind``, ``data.file-empty``, ``data.file-unreadable``,
        ``data.encoding``, ``data.column-twice``, ``data.column-unnamed``, ``data.column-missing``,
        ``brief.unknown-type``, ``brief.unknown-encoding``, ``brief.dates``.
    """
    name = shown if shown is not None else path.name
    targets = {**kinds(stored or {}, name), **kinds(types, name)}
    if not path.is_file():
        raise _missing(path, name)
    if path.stat().st_size == 0:
        raise empty(name)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        frame = _parquet(path, name)
        verdict = Verdict(frame.height)
    elif suffix == ".csv":
        check_dates(csv or CsvTable(), name)
        frame, verdict = read_texts(path, csv or CsvTable(), name=name)
    elif suffix in ENDINGS:
        frame, verdict, unread = read_objects(path, targets, name=name)
        rows = _typed(frame, targets, csv=None, verdict=verdict)
        return rows if rows.bad is None else Rows(rows.frame, with_lines(rows.bad, unread))
    else:
        raise UserError(
            "data.file-kind",
            f"{name} is of a kind that can't be read",
            happened=f"its name ended in {path.suffix or 'nothing'!r}",
            expected=".parquet, .csv, .ndjson or .jsonl",
            fix="save the table as one of them",
        )
    _refuse_missing(frame, types, name)
    if suffix == ".parquet":
        return _typed(frame, targets, csv=None, verdict=verdict)
    return _typed(frame, targets, csv=csv or CsvTable(), verdict=verdict)


def _parquet(path: Path, name: str) -> pl.DataFrame:
    try:
        return pl.scan_parquet(path, glob=False, hive_partitioning=False).collect()
    except UNREADABLE as error:
        expected, fix = "a whole Parquet file", "copy or export the file again"
        raise unreadable(name, error, expected=expected, fix=fix) from error


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
    frame: pl.DataFrame, targets: Mapping[str, pl.DataType], *, csv: CsvTable | None, verdict: Verdict
) -> Rows:
    whole, all_whole = verdict.fine(), bool(verdict.fine().all())
    columns = []
    for column in frame.iter_columns():
        target = targets.get(column.name)
        if column.dtype != pl.String or (target is None and csv is None):
            columns.append(column)
        elif target is None and csv is not None:
            kind = infer_spelled(column if all_whole else column.filter(whole), csv)
            empty_column = isinstance(kind, pl.Null)
            columns.append(column.cast(kind) if empty_column else parse_spelled(column, kind, csv=csv))
        elif target is not None:
            values = parse(column, target) if csv is None else parse_spelled(column, target, csv=csv)
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
        expected="a file, .parquet, .csv or .ndjson",
        fix="put the file there, or correct read in the brief",
    )
