"""Rows found by key: many in a frame, without a Python object for each, and the newest few in a dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from wholeroad.core.ports import ScratchFile
from wholeroad.road.data.few_rows import physical
from wholeroad.road.data.hashed_frames import LARGE, HashedFrames, Values
from wholeroad.road.data.row_versions import Key

RECENT: Final = 2_048
"""Rows that may lie in the dict; one more, and they are put into a frame."""


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
    beside
        Where such parts lie; None: in memory.
    """

    def __init__(
        self,
        schema: Mapping[str, pl.DataType],
        width: int,
        *,
        recent: int = RECENT,
        large: int = LARGE,
        beside: ScratchFile | None = None,
    ) -> None:
        self._schema = {name: physical(dtype) for name, dtype in schema.items()}
        self._width = width
        self._most = recent
        self._recent: dict[Key, list[Values]] = {}
        self._count = 0
        self._frames = HashedFrames(width, large=large, beside=beside)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._frames) + self._count

    def extend(self, frame: pl.DataFrame) -> None:
        """Take in many rows at once; columns that aren't in the schema are left out."""
        texts = [pl.col(name).cast(pl.String) for name, kind in self._schema.items() if kind == pl.String]
        kept = frame.select(list(self._schema)).with_columns(texts)
        self._frames.append(kept.with_columns(pl.all().to_physical()).cast(pl.Schema(self._schema)))

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
            values = zip(*(row for rows in self._recent.values() for row in rows), strict=True)
            self._recent, self._count = {}, 0
            columns = zip(self._schema.items(), values, strict=True)
            frame = pl.DataFrame([pl.Series(name, each, dtype=dtype) for (name, dtype), each in columns])
            self._frames.append(frame)

    def first(self, key: Key) -> Values | None:
        """Give a row with this key, the first that was taken in of those that lie together; None without."""
        recent = self._recent.get(key)
        if recent:
            return recent[0]
        return next(self._frames.find(key), None)

    def every(self, key: Key) -> list[Values]:
        """Give all rows with this key, in the order in which they were taken in."""
        return [*self._frames.find(key), *self._recent.get(key, ())]
