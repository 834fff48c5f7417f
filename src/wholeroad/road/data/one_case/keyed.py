"""Rows found by key: many in a frame, without a Python object for each, and the newest few in a dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.few_rows import physical
from wholeroad.road.data.row_versions import Key

LARGE: Final = 100_000
"""Rows of a part that stays as it is: to join it with others would hold everybody up."""

RECENT: Final = 16_384
"""Rows that may lie in the dict; one more, and they are put into a frame."""

Values = tuple[Any, ...]


class Keyed:
    """Rows by key; several may have the same.

    Keys are compared as Python compares tuples: 1 and 1.0 are the same, and a NaN is found by nothing.

    Parameters
    ----------
    schema
        The columns of a row; the first ``width`` are the key.
    recent
        How many rows the dict may hold.
    large
        Rows of a part that is joined with no other.
    """

    def __init__(
        self, schema: Mapping[str, pl.DataType], width: int, *, recent: int = RECENT, large: int = LARGE
    ) -> None:
        self._large = large
        self._schema = {name: physical(dtype) for name, dtype in schema.items()}
        self._width = width
        self._most = recent
        self._recent: dict[Key, list[Values]] = {}
        self._count = 0
        self._parts: list[_Part] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(part.frame.height for part in self._parts) + self._count

    def extend(self, frame: pl.DataFrame) -> None:
        """Take in many rows at once; columns that aren't in the schema are left out."""
        texts = [pl.col(name).cast(pl.String) for name, kind in self._schema.items() if kind == pl.String]
        kept = frame.select(list(self._schema)).with_columns(texts)
        self._append(kept.with_columns(pl.all().to_physical()).cast(pl.Schema(self._schema)))

    def add(self, row: Values, key: Key | None = None) -> None:
        """Take in one row, of physical values in the schema's order; its key may be told with it."""
        if key is None:
            key = row[: self._width]
        if (same := self._recent.get(key)) is None:
            self._recent[key] = [row]
        else:
            same.append(row)
        self._count += 1
        if self._count > self._most:
            rows = [row for rows in self._recent.values() for row in rows]
            self._recent, self._count = {}, 0
            self._append(pl.DataFrame(rows, schema=self._schema, orient="row"))

    def first(self, key: Key) -> Values | None:
        """Give a row with this key, the first that was taken in of those that lie together; None without."""
        recent = self._recent.get(key)
        if recent:
            return recent[0]
        wanted = hash(key)
        for part in self._parts:  # most keys that are asked for are new: that is told at a glance
            if part.marks[wanted >> 3 & part.mask] >> (wanted & 7) & 1:
                for row in part.find(key, wanted, width=self._width):
                    return row
        return None

    def every(self, key: Key) -> list[Values]:
        """Give all rows with this key, in the order in which they were taken in."""
        return [*self._stored(key), *self._recent.get(key, ())]

    def _stored(self, key: Key) -> Iterator[Values]:
        if self._parts:
            wanted = hash(key)
            for part in self._parts:
                if part.marks[wanted >> 3 & part.mask] >> (wanted & 7) & 1:
                    yield from part.find(key, wanted, width=self._width)

    def _append(self, frame: pl.DataFrame) -> None:
        """Keep a frame as a part; parts of like size become one, so that there are few."""
        if not frame.height:
            return
        self._parts.append(_Part.of(frame, self._width))
        while len(self._parts) > 1 and self._parts[-2].frame.height <= min(
            2 * self._parts[-1].frame.height, self._large
        ):
            newer, older = self._parts.pop(), self._parts.pop()
            self._parts.append(older.joined(newer))


class _Part:
    """A frame in the order of its keys' hashes; hashes of texts are this process's own."""

    __slots__ = ("frame", "hashes", "marks", "mask")

    def __init__(self, frame: pl.DataFrame, hashes: NDArray[np.int64]) -> None:
        order = np.argsort(hashes, kind="stable")
        self.hashes = hashes[order]
        self.frame = frame[order]
        self.mask = (1 << (2 * hashes.size).bit_length()) - 1  # bytes; a bit of 16 per row, at least
        marks = np.zeros(self.mask + 1, dtype=np.uint8)
        np.bitwise_or.at(marks, hashes >> 3 & self.mask, np.uint8(1) << (hashes & 7).astype(np.uint8))
        self.marks = marks.tobytes()

    @classmethod
    def of(cls, frame: pl.DataFrame, width: int) -> _Part:
        keys = frame.select(frame.columns[:width]).iter_rows()
        return cls(frame, np.fromiter(map(hash, keys), dtype=np.int64, count=frame.height))

    def joined(self, newer: _Part) -> _Part:
        hashes = np.concatenate([self.hashes, newer.hashes])
        return _Part(pl.concat([self.frame, newer.frame], rechunk=True), hashes)

    def find(self, key: Key, wanted: int, *, width: int) -> Iterator[Values]:
        place = int(self.hashes.searchsorted(wanted))
        while place < self.hashes.size and self.hashes.item(place) == wanted:
            row = self.frame.row(place)
            if row[:width] == key:
                yield row
            place += 1
