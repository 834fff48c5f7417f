"""One row's versions, one at a time: what arrives while cases are being decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wholeroad.core.instants import Instant

Row = Mapping[str, Any]
"""A row by column: numbers, texts, booleans, nulls; instants and spans as microseconds, dates as days."""

Key = tuple[Any, ...]
"""The values of a row's key, in the order of its columns."""


@dataclass(slots=True)
class RowVersion:
    """One known state of a keyed row, as :class:`~wholeroad.road.data.versions.Versions` has it in bulk.

    Attributes
    ----------
    happened_at
        When it happened, or will.
    known_at
        When it became known here; it may lie ahead.
    order
        Breaks ties of ``known_at``; the greater is newer.
    deleted
        The row is gone from here on.
    values
        The source's own columns, or those of them that somebody reads.
    superseded_at
        When the next version of the row becomes known; None for the newest.
    first_known_at
        When the first version of the row became known.
    """

    happened_at: Instant
    known_at: Instant
    order: int
    deleted: bool
    values: Row
    superseded_at: Instant | None
    first_known_at: Instant
