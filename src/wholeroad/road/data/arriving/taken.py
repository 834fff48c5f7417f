"""What became of rows that arrived."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import msgspec
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.data.row_versions import Key, RowVersion

Status = Literal["landed", "already known", "new version", "quarantined"]

_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


class NewRow(NamedTuple):
    """A row that nothing is wrong with, and of whose key nothing is known; see :class:`TakenRow`."""

    key: Key
    values: list[Any]
    happened_at: Instant | None
    claimed_at: Instant | None


class TakenRow(msgspec.Struct, frozen=True):
    """What became of one row.

    Attributes
    ----------
    key
        Of its own row; None where it was set aside.
    values
        Physical, in the order of the source's stored columns; never to be changed. Empty where it was set
        aside.
    happened_at, claimed_at
        What its expressions give; None in a source without times.
    known_at
        When it counts from: never before it landed. None in a source without times.
    version
        Hash of its content, as the table keeps it; 0 where it was not computed.
    versions
        All versions of the row as they stand with this one.
    code, reason
        Why it was set aside.
    """

    status: Status
    key: Key | None = None
    values: list[Any] = []
    happened_at: Instant | None = None
    claimed_at: Instant | None = None
    known_at: Instant | None = None
    version: int = 0
    versions: tuple[RowVersion, ...] = ()
    code: str | None = None
    reason: str | None = None


class SetAside(msgspec.Struct, frozen=True):
    """A row for the quarantine.

    Attributes
    ----------
    row
        JSON of the row as it was sent.
    content
        The identity of (source, code, row).
    """

    code: str
    reason: str
    row: str
    content: int


class TakenRows(msgspec.Struct, frozen=True):
    """What became of rows that arrived together.

    Attributes
    ----------
    rows
        In the order in which they were given.
    aside
        Those to write into the quarantine; what is there already is left out, and counts as repeated.
    schema
        The source's stored columns, when these rows fixed them.
    mended, broken
        Rows by step of the mend, and by clause of the contract.
    """

    rows: list[TakenRow]
    aside: tuple[SetAside, ...] = ()
    schema: pl.Schema | None = None
    mended: Mapping[str, int] = _NOTHING
    broken: Mapping[str, int] = _NOTHING

    @property
    def new(self) -> list[TakenRow]:
        """The rows that are versions now, in their order."""
        return [row for row in self.rows if row.status in ("landed", "new version")]

    @property
    def repeated(self) -> int:
        """How many rows were there already, in the table or in the quarantine."""
        return len(self.rows) - len(self.new) - len(self.aside)
