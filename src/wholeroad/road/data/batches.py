"""A batch of rows on its way in, and what landing makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.road.data.casting import INSTANT
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
        place among these rows, from 1), ``_code`` and ``_reason``.
    dumped_at
        When the rows were taken from where they live, if that is known: what ``landed`` then claims.
    rows_before
        Rows of the same file that came in earlier parts.
    raw
        ``frame`` as it came, where a mend has changed it since: what is written down of a row set aside.
    """

    frame: pl.DataFrame
    landed_at: Instant
    next_seq: int = 1
    imported: bool = False
    bad: pl.DataFrame | None = None
    dumped_at: Instant | None = None
    rows_before: int = 0
    raw: pl.DataFrame | None = None

    @property
    def known_at(self) -> Instant:
        """What ``known_at = "landed"`` claims."""
        return self.landed_at if self.dumped_at is None else self.dumped_at

    def part(
        self, frame: pl.DataFrame, bad: pl.DataFrame | None, *, next_seq: int, rows_before: int
    ) -> Batch:
        """Give a part of the batch, with rows of its own."""
        return replace(self, frame=frame, bad=bad, next_seq=next_seq, rows_before=rows_before)

    @property
    def rows_in(self) -> int:
        """All rows, readable or not."""
        return self.frame.height + (0 if self.bad is None else self.bad.height)


@dataclass(frozen=True, slots=True)
class Counts:
    """``rows_in == landed + repeated + quarantined``; see :class:`BatchLanded`."""

    rows_in: int = 0
    landed: int = 0
    repeated: int = 0
    quarantined: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add up the parts of a batch."""
        return Counts(
            self.rows_in + other.rows_in,
            self.landed + other.landed,
            self.repeated + other.repeated,
            self.quarantined + other.quarantined,
            self.deleted + other.deleted,
        )


@dataclass(frozen=True, slots=True)
class Landing:
    """What landing a batch, or a part of one, comes to; nothing is written yet.

    Attributes
    ----------
    rows
        New versions to append: the user's columns, then those of :data:`SYSTEM`.
    quarantine
        Rows to set aside, columns of :data:`QUARANTINE`.
    counts
        What became of every row.
    ignored_columns
        Columns left out: the first landing had no such column, or no column of that type can be kept.
    next_seq
        The number of the first row of the next batch.
    identity
        ``key`` and ``version`` (hashes) of the rows that nothing is wrong with, landed or repeated.
    seen
        Shape (m,): hashes of all keys that came, where absent rows are deleted; a row that was set aside
        is not absent.
    fine
        Boolean, one for each readable row of the batch: nothing is wrong with it.
    mended
        Rows changed or set aside, by step of the mend.
    """

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    counts: Counts
    next_seq: int
    ignored_columns: tuple[str, ...]
    identity: pl.DataFrame
    seen: NDArray[np.int64]
    fine: pl.Series
    mended: Mapping[str, int]
