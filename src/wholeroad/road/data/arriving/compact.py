"""Stored rows by key, as narrow as they can be kept: no object of Python for any of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.road.data.batches import CLAIMED, SEQ, VERSION
from wholeroad.road.data.row_versions import Key
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

_CHUNK: Final = 500_000
_OURS: Final = (HAPPENED, KNOWN, CLAIMED, VERSION, ORDER, DELETED)
_GROWTH: Final = 2
LARGE: Final = 100_000
"""Rows of a frame that stays as it is: to put it together with others would hold everybody up."""
_BITS: Final = 16
"""Bits per row, one of them set, that tell at a glance of most keys that they aren't there."""
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

    The rows lie in a frame beside the sorted hashes of their keys. Hashes are those of this process alone,
    and a hit is held against the key itself. Rows that are added later form frames of their own, which are
    put together before they become many.

    Parameters
    ----------
    key
        The key's columns.
    columns
        The columns whose values are kept.
    large
        Rows of a frame that is put together with no other.
    """

    def __init__(self, key: tuple[str, ...], columns: Collection[str], *, large: int = LARGE) -> None:
        self._large = large
        self._key = key
        self._columns = tuple(columns)
        self._kept = tuple(dict.fromkeys((*key, *columns)))
        self._parts: list[_Part] = []
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
        frame = self._coded(stored.select(pl.col(*self._kept, *_OURS).to_physical()))
        hashes = _hashes(frame.select(self._key))
        while self._parts and self._parts[-1].frame.height < min(_GROWTH * frame.height, self._large):
            before = self._parts.pop()
            frame = pl.concat([before.frame, frame])
            hashes = np.concatenate([before.hashes, hashes])
        self._parts.append(_Part(frame.rechunk(), hashes))
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
        wanted = hash(key)
        for part in self._parts:  # noqa: SIM110 (a generator costs more than the rest)
            if part.marks[wanted >> 3 & part.mask] >> (wanted & 7) & 1:
                return True
        return False

    def find(self, key: Key) -> list[StoredVersion]:
        """Give the versions of a row, by (known_at, order)."""
        found = []
        for part in self._parts:
            for row in part.rows_of(key):
                if row[: len(key)] == key:
                    named = dict(zip(self._kept, row, strict=False))
                    values = {name: named[name] for name in self._columns}
                    found.append(StoredVersion(values, *row[len(self._kept) :]))
        return sorted(found, key=_place)


class _Part:
    """A frame of stored rows, and the way from a key to its rows.

    Parameters
    ----------
    hashes
        Shape (n,): of the rows' keys.

    Attributes
    ----------
    marks, mask
        A bit for the hash of each key; one that isn't set tells that the key isn't there.
    """

    def __init__(self, frame: pl.DataFrame, hashes: NDArray[np.int64]) -> None:
        self.frame = frame
        order = np.argsort(hashes, kind="stable")
        self._hashes = memoryview(hashes[order])  # type: ignore[arg-type]
        self.mask = (1 << (frame.height * _BITS // 8).bit_length()) - 1
        marks = np.zeros(self.mask + 1, dtype=np.uint8)
        ones = np.left_shift(1, hashes & 7).astype(np.uint8)
        np.bitwise_or.at(marks, hashes >> 3 & self.mask, ones)
        self.marks = marks.tobytes()
        self._order = order.astype(np.uint32 if frame.height < 2**32 else np.int64)

    @property
    def hashes(self) -> NDArray[np.int64]:
        """The hashes of the rows' keys, in the order of the rows."""
        hashes = np.empty(len(self._order), dtype=np.int64)
        hashes[self._order] = self._hashes
        return hashes

    def rows_of(self, key: Key) -> list[tuple[Any, ...]]:
        """Give the rows whose key has the hash of this one."""
        wanted = hash(key)
        place = bisect_left(self._hashes, wanted)
        rows = []
        while place < len(self._hashes) and self._hashes[place] == wanted:
            rows.append(self.frame.row(int(self._order[place])))
            place += 1
        return rows


def _hashes(keys: pl.DataFrame) -> NDArray[np.int64]:
    parts = [
        np.fromiter(map(hash, keys.slice(start, _CHUNK).rows()), dtype=np.int64)
        for start in range(0, keys.height, _CHUNK)
    ]
    return np.concatenate(parts)


def _place(version: StoredVersion) -> tuple[Instant, int]:
    return 0 if version.known_at is None else version.known_at, version.order
