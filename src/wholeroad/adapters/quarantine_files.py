"""The quarantine as a file that people mend by hand, and land again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from wholeroad.adapters.folders import write_whole
from wholeroad.core.errors import UserError, unusable

MARK: Final = "_quarantine"
"""Names the row in the quarantine; what lands with it is no longer set aside."""
WHY: Final = "_reason"
"""Why the row was set aside; it isn't landed."""


def write_quarantine(path: Path, rows: pl.DataFrame) -> Path:
    """Write rows that were set aside as CSV, each with its mark and its reason; a file that is there stays.

    Parameters
    ----------
    rows
        Of one source, columns of :data:`~wholeroad.road.data.batches.QUARANTINE`.

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
    texts = "\n".join(rows["row"].to_list()).encode()
    told = pl.read_ndjson(texts, infer_schema_length=None)
    plain = [
        column.map_elements(str, return_dtype=pl.String) if column.dtype.is_nested() else column
        for column in told.iter_columns()
    ]
    marked = pl.DataFrame(
        [
            rows.select(pl.format("q{}", "content").alias(MARK)).to_series(),
            rows["reason"].alias(WHY),
            *plain,
        ]
    )
    try:
        write_whole(path, marked.write_csv(include_bom=True).encode())
    except OSError as error:
        raise unusable(path, str(error)) from error
    return path


def without_reason(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out the column of reasons, which isn't landed."""
    return rows.drop(WHY, strict=False)
