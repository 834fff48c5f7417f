"""Row versions in memory: every known state of every row of one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

HAPPENED: Final = "_happened_at"
KNOWN: Final = "_known_at"
ORDER: Final = "_order"
DELETED: Final = "_deleted"
SUPERSEDED: Final = "_superseded_at"
FIRST_KNOWN: Final = "_first_known_at"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one source, sorted by ``(_known_at, _order)``.

    Attributes
    ----------
    source
        The source's name in the brief.
    key
        Its key columns; rows with the same key are states of one row.
    frame
        The source's own columns and, all ``Datetime("us", "UTC")`` unless said:

        - ``_happened_at``: when it happened, or will happen when planned;
        - ``_known_at``: when it became known here (effective: live, never before it landed);
        - ``_order`` (Int64): breaks ties of ``_known_at``, the greater is newer;
        - ``_deleted`` (Boolean): the row is gone from here on; such a version is never active;
        - ``_superseded_at``: ``_known_at`` of the next version of the same key, null for the newest;
        - ``_first_known_at``: ``_known_at`` of the first version of the same key.

        A static source has its own columns only.
    static
        Whether the source has no time.
    """

    source: str
    key: tuple[str, ...]
    frame: pl.DataFrame
    static: bool = False
