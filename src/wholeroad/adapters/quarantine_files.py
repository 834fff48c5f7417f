"""The quarantine as a file that people mend by hand, and land again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import polars as pl

from wholeroad.adapters.encodings import fitting_encoding
from wholeroad.adapters.folders import write_whole
from wholeroad.core.errors import UserError, unusable
from wholeroad.road.brief.sources import CsvTable

MARK: Final = "_quarantine"
"""Names the row in the quarantine; what lands with it is no longer set aside."""
WHY: Final = "_reason"
"""Why the row was set aside; it isn't landed."""

_HEADER: Final = re.compile(rf'^"?{MARK}"?([,;|\t])')
_POINT: Final = re.compile(r";-?\d+\.\d+(?=;|$)", re.MULTILINE)


def write_quarantine(path: Path, rows: pl.DataFrame, *, csv: CsvTable) -> Path:
    """Write rows that were set aside as CSV, each with its mark and its reason; a file that is there stays.

    Numbers are spelled as in the source's own files, since so are the texts of rows that couldn't be read.
    The header is the first line, and the encoding UTF-8.

    Parameters
    ----------
    rows
        Of one source, columns of :data:`~wholeroad.road.data.batches.QUARANTINE`.
    csv
        How the source's files are written.

    Raises
    ------
    UserError
        ``data.file-there``, ``data.quarantine-empty``, ``project.unusable``.
    """
    if path.exists():
        raise UserError(
            "data.file-there",
            "There is a file of this name already",
            happened=f"{path} was there, maybe with mended rows in it",
            expected="a new name: what somebody wrote isn't overwritten",
            fix="name another file, or delete it",
        )
    if not rows.height:
        raise UserError(
            "data.quarantine-empty",
            "Nothing is set aside",
            happened="the quarantine of this source has no row",
            expected="rows to be mended",
            fix="nothing needs to be done",
        )
    told = [_texts(row, csv.decimal) for row in rows["row"]]
    names = dict.fromkeys(name for row in told for name in row)
    marked = pl.DataFrame(
        [
            rows.select(pl.format("q{}", "content").alias(MARK)).to_series(),
            rows["reason"].alias(WHY),
            *(pl.Series(name, [row.get(name) for row in told], dtype=pl.String) for name in names),
        ]
    )
    try:
        write_whole(path, marked.write_csv(include_bom=True, separator=csv.separator).encode())
    except OSError as error:
        raise unusable(path, str(error)) from error
    return path


def without_reason(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out the column of reasons, which isn't landed."""
    return rows.drop(WHY, strict=False)


def spelling_of(path: Path, csv: CsvTable | None) -> CsvTable | None:
    """Say how a file is written that may hold rows of the quarantine: as the source's, but for its header.

    Spreadsheets save it with other marks or in another encoding than it had; where they made commas
    semicolons, the comma is the decimal point, unless some number has a point.

    Parameters
    ----------
    csv
        How the source's files are written; what is given back for a file without marks.
    """
    if path.suffix.lower() != ".csv" or not path.is_file():
        return csv
    encoding = fitting_encoding(path)
    text = path.read_text(encoding, errors="replace").removeprefix("\ufeff")
    found = _HEADER.match(text)
    if found is None:
        return csv
    usual = csv or CsvTable()
    changed: dict[str, Any] = {
        "separator": found[1], "encoding": encoding, "header_line": 1, "footer_lines": 0,
    }  # fmt: skip
    if found[1] == ";" and usual.separator == "," and not _POINT.search(text):
        changed["decimal"] = ","
        changed["thousands"] = None
    return usual.model_copy(update=changed)


def _texts(row: str, decimal: str) -> dict[str, str | None]:
    """Give the values of a row, a JSON object, as a file of texts has them; numbers by their digits."""
    values = json.loads(row, parse_float=lambda digits: digits.replace(".", decimal), parse_int=str)
    said = json.loads(row)
    return {
        name: value if value is None or isinstance(value, str) else json.dumps(said[name], ensure_ascii=False)
        for name, value in values.items()
    }
