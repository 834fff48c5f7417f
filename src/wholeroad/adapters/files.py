"""The user's files: Parquet, and CSV whose every value is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.road.data.batches import CODE, REASON, ROW
from wholeroad.road.data.casting import infer, kinds, noun, parse, was_lost
from wholeroad.road.data.quarantine import Verdict

_UNREADABLE: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


class Rows(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    frame
        The rows, typed.
    bad
        Rows with a value that is not of its declared type: their raw texts, with ``_row`` (place in the
        file, from 1, the header not counted), ``_code`` and ``_reason``; for landing to set aside.
    """

    frame: pl.DataFrame
    bad: pl.DataFrame | None


def read_rows(path: Path, types: Mapping[str, str], *, shown: str | None = None) -> Rows:
    """Read a Parquet or a CSV file.

    A CSV is read as text (UTF-8, commas, a header), empty text is null, empty lines are left out. Declared
    columns are cast; the others get the narrowest of integer, number, boolean, instant and text that all of
    their values belong to.

    Parameters
    ----------
    path
        Ends in ``.parquet`` or ``.csv``.
    types
        Column to one of text, integer, number, boolean, instant; for a Parquet file it counts for columns
        of text.
    shown
        How messages name the file; the project's relative path, as a rule.

    Raises
    ------
    UserError
        ``data.file-missing``, ``data.file-kind``, ``data.file-empty``, ``data.file-unreadable``,
        ``data.column-twice``, ``data.column-missing``, ``brief.unknown-type``.
    """
    name = shown if shown is not None else path.name
    targets = kinds(types, name)
    if not path.is_file():
        raise _missing(path, name)
    if path.stat().st_size == 0:
        raise _empty(name)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        frame = _parquet(path, name)
    elif suffix == ".csv":
        frame = _csv(path, name)
    else:
        raise UserError(
            "data.file-kind",
            f"{name} is of a kind that can't be read",
            happened=f"its name ended in {path.suffix or 'nothing'!r}",
            expected=".parquet or .csv",
            fix="save the table as one of them",
        )
    return _typed(frame, targets, name, inferred=suffix == ".csv")


def _parquet(path: Path, name: str) -> pl.DataFrame:
    try:
        return pl.scan_parquet(path, glob=False, hive_partitioning=False).collect()
    except _UNREADABLE as error:
        raise _unreadable(name, error, "a whole Parquet file", "copy or export the file again") from error


def _csv(path: Path, name: str) -> pl.DataFrame:
    whole, again = "a CSV in UTF-8 with commas and a header", "save it as CSV, UTF-8, with commas"
    try:
        header = pl.read_csv(path, has_header=False, n_rows=1, infer_schema=False, truncate_ragged_lines=True)
        frame = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.NoDataError as error:
        raise _empty(name) from error
    except _UNREADABLE as error:
        raise _unreadable(name, error, whole, again) from error
    names = [str(word) if word is not None else "" for word in header.row(0)]
    _refuse_names(names, name)
    texts = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return texts.filter(~pl.all_horizontal(pl.all().is_null()))


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


def _typed(frame: pl.DataFrame, targets: Mapping[str, pl.DataType], name: str, *, inferred: bool) -> Rows:
    if missing := [column for column in targets if column not in frame.columns]:
        raise UserError(
            "data.column-missing",
            f"{name}: a column with a declared type is missing",
            happened=f"there was no {', '.join(missing)}; there were {', '.join(frame.columns)}",
            expected=", ".join(missing),
            fix="correct the name under types in the brief, or in the file",
        )
    verdict = Verdict(frame.height)
    columns = []
    for column in frame.iter_columns():
        target = targets.get(column.name)
        if column.dtype != pl.String or (target is None and not inferred):
            columns.append(column)
        elif target is None:
            kind = infer(column)
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
