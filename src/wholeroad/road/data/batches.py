"""A batch of rows on its way in, and what landing makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.casting import INSTANT, KINDS
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

CLAIMED: Final = "_claimed_at"
LANDED: Final = "_landed_at"
SEQ: Final = "_seq"
VERSION: Final = "_version"

SYSTEM: Final[dict[str, pl.DataType]] = {
    HAPPENED: INSTANT,
    KNOWN: INSTANT,
    CLAIMED: INSTANT,
    LANDED: INSTANT,
    SEQ: pl.Int64(),
    VERSION: pl.Int64(),
    ORDER: pl.Int64(),
    DELETED: pl.Boolean(),
}
"""The columns that landing adds to the user's."""

ROW: Final = "_row"
CODE: Final = "_code"
REASON: Final = "_reason"

QUARANTINE: Final[dict[str, pl.DataType]] = {
    "source": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
    "row": pl.String(),
    "row_number": pl.Int64(),
    "landed_at": INSTANT,
    "content": pl.Int64(),
}
"""The table of rows set aside: ``row`` is JSON, ``content`` the identity of (source, code, row)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that arrived together.

    Attributes
    ----------
    frame
        Rows as they came; names that start with ``_`` are refused.
    landed_at
        When; the caller sees to it that it never goes back.
    next_seq
        The number of the first row; the single writer counts on.
    imported
        History: the claimed ``known_at`` is taken at its word. Otherwise no row is known before it landed.
    bad
        Rows that the reader could not read, or None: the raw texts of their columns, with ``_row`` (their
        place in the file, from 1), ``_code`` and ``_reason``.
    """

    frame: pl.DataFrame
    landed_at: Instant
    next_seq: int = 1
    imported: bool = False
    bad: pl.DataFrame | None = None

    @property
    def rows_in(self) -> int:
        """All rows, readable or not."""
        return self.frame.height + (0 if self.bad is None else self.bad.height)


@dataclass(frozen=True, slots=True)
class Stored:
    """What landing must know of the rows that are there.

    Attributes
    ----------
    frame
        All stored rows; the columns that :func:`needed_columns` names are enough.
    schema
        Names and types of all columns of the stored table.
    quarantined
        The quarantine's ``content`` column, or None when nothing is in it.
    """

    frame: pl.DataFrame
    schema: Mapping[str, pl.DataType]
    quarantined: pl.Series | None = None

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """The user's columns and their types, fixed by the first landing."""
        return {name: dtype for name, dtype in self.schema.items() if name not in SYSTEM}

    @property
    def next_seq(self) -> int:
        """The number after the last one given in this source."""
        return 1 + int(self.frame.select(pl.col(SEQ).max().fill_null(0)).item())

    @property
    def types(self) -> dict[str, str]:
        """The same in the brief's words, for reading a file of texts; dates are left out."""
        words = {dtype: word for word, dtype in KINDS.items()}
        return {name: words[dtype] for name, dtype in self.columns.items() if dtype in words}


def needed_columns(source: SourceTable) -> list[str] | None:
    """Name the stored columns that landing reads; None: all of them, to write down what is gone."""
    if source.absent == "deleted":
        return None
    return list(dict.fromkeys([*source.key, KNOWN, CLAIMED, SEQ, VERSION, ORDER, DELETED]))


@dataclass(frozen=True, slots=True)
class Counts:
    """``rows_in == landed + repeated + quarantined``; see :class:`BatchLanded`."""

    rows_in: int
    landed: int
    repeated: int
    quarantined: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Landing:
    """What landing a batch comes to; nothing is written yet.

    Attributes
    ----------
    rows
        New versions to append: the user's columns, then those of :data:`SYSTEM`; tombstones come last.
    quarantine
        Rows to set aside, columns of :data:`QUARANTINE`.
    counts
        What became of every row.
    ignored_columns
        Columns left out: the first landing had no such column, or no column of that type can be kept.
    next_seq
        The number of the first row of the next batch.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    counts: Counts
    next_seq: int
    ignored_columns: tuple[str, ...] = field(default=())

    def fact(self, source: str, *, at: Instant, imported: bool, origin: str = "") -> BatchLanded:
        """Give the line for the ledger."""
        counts = self.counts
        return BatchLanded(
            at=at,
            source=source,
            rows_in=counts.rows_in,
            landed=counts.landed,
            repeated=counts.repeated,
            quarantined=counts.quarantined,
            deleted=counts.deleted,
            imported=imported,
            origin=origin,
            ignored=self.ignored_columns,
        )
