"""Review files: what people fill in, in a spreadsheet or by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from wholeroad.adapters.csv_files import read_texts
from wholeroad.adapters.folders import write_whole
from wholeroad.core.errors import UserError, unusable
from wholeroad.road.brief.sources import CsvTable

_MARKS: Final = (",", ";", "\t")
"""With which spreadsheets part the fields, by the country that they are set to."""

_FORMULA: Final = r"^[=+\-@\t\r]"
"""How a text begins that a spreadsheet would run."""


def write_review(path: Path, sheet: pl.DataFrame) -> Path:
    """Write a sheet as CSV, marked as UTF-8 so that spreadsheets read it; a file that is there stays.

    A text that a spreadsheet would take for a formula gets an apostrophe in front. Verdicts are read back by
    ``item`` alone, so that what else stands in a row doesn't matter.

    Raises
    ------
    UserError
        ``review.file-there``, ``project.unusable``.
    """
    if path.exists():
        raise UserError(
            "review.file-there",
            "There is a file of this name already",
            happened=f"{path} was there, maybe with verdicts in it",
            expected="a new name: what somebody wrote isn't overwritten",
            fix="name another file, or delete it",
        )
    texts = pl.col(pl.String)
    guarded = sheet.with_columns(
        pl.when(texts.str.contains(_FORMULA)).then("'" + texts).otherwise(texts).name.keep()
    )
    stamped = guarded.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    try:
        write_whole(path, stamped.write_csv(include_bom=True).encode())
    except OSError as error:
        raise unusable(path, str(error)) from error
    return path


def read_review(path: Path) -> pl.DataFrame:
    """Read a sheet that came back, every column a text; commas, semicolons or tabs between the fields.

    Raises
    ------
    UserError
        ``data.file-missing``; what :func:`~wholeroad.adapters.csv_files.read_texts` raises.
    """
    if not path.is_file():
        raise UserError(
            "data.file-missing",
            f"{path} isn't there",
            happened="there was no such file",
            expected="the review file, with verdicts in it",
            fix="name the file where it was saved",
        )
    try:
        with path.open("rb") as file:
            header = file.readline()
    except OSError as error:
        raise unusable(path, str(error)) from error
    mark = max(_MARKS, key=lambda each: header.count(each.encode()))
    rows, _ = read_texts(path, CsvTable(separator=mark), name=str(path))
    return rows.rename({name: name.removeprefix("﻿").strip() for name in rows.columns})
