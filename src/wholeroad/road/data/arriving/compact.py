"""Stored rows by key, as narrow as they can be kept: no object of Python for any of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.core.ports import ScratchFile
from wholeroad.road.data.batches import CLAIMED, SEQ, VERSION
from wholeroad.road.data.hashed_frames import LARGE, HashedFrames
from wholeroad.road.data.row_versions import Key
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

_OURS: Final = (HAPPENED, KNOWN, CLAIMED, VERSION, ORDER, DELETED)
_FEW: Final = 16
"""Texts are kept as codes where each occurs at least this often."""


class StoredVersion(NamedTuple):
    """One stored version of a row; see :class:`~wholeroad.road.data.row_versions.RowVersion`."""

    values: Mapping[str, Any]
    happened_at: Instant | None
    known_at: Instant | None
    claimed_at: Instant | None
    version: int
    order: int
    deleted: bool


class CompactRows:
    """Finds the stored versions of a row.

    Parameters
    ----------
    key
        The key's columns.
    columns
        The columns whose values are kept.
    large
        Rows of a frame that is put together with no other.
    beside
        Where such frames lie; None: in memory.
    """

    def __init__(
        self,
        key: tuple[str, ...],
        columns: Collection[str],
        *,
        large: int = LARGE,
        beside: ScratchFile | None = None,
    ) -> None:
        self._key = key
        self._columns = tuple(columns)
        self._kept = tuple(dict.fromkeys((*key, *columns)))
        self._rows = HashedFrames(len(key), large=large, beside=beside)
        self._codes: list[str] | None = None

    def add(self, stored: pl.DataFrame) -> int:
        """Take rows in; gives the greatest number among them, 0 where there are none.

        Parameters
        ----------
        stored
            The key, the columns that are kept, and those of
            :data:`~wholeroad.road.data.batches.SYSTEM` but for ``_landed_at``.
        """
        if not stored.height:
            return 0
        self._rows.append(self._coded(stored.select(pl.col(*self._kept, *_OURS).to_physical())))
        return int(stored[SEQ].max())  # type: ignore[arg-type]

    def _coded(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Make codes of texts; the first rows, all that has landed before, tell of which columns."""
        if self._codes is None:
            texts = [name for name in self._columns if frame.schema[name] == pl.String]
            some = frame.select(pl.col(name).approx_n_unique() for name in texts if name not in self._key)
            self._codes = [column.name for column in some if column[0] * _FEW <= frame.height]
        return frame.cast(dict.fromkeys(self._codes, pl.Categorical()))

    def has(self, key: Key) -> bool:
        """Tell whether there is any version of a row; now and then also where there is none."""
        return self._rows.may_have(key)

    def find(self, key: Key) -> list[StoredVersion]:
        """Give the versions of a row, by (known_at, order)."""
        found = []
        for row in self._rows.find(key):
            named = dict(zip(self._kept, row, strict=False))
            values = {name: named[name] for name in self._columns}
            found.append(StoredVersion(values, *row[len(self._kept) :]))
        return sorted(found, key=_place)


def _place(version: StoredVersion) -> tuple[Instant, int]:
    return 0 if version.known_at is None else version.known_at, version.order
