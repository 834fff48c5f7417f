"""Many rows found by key: frames in the order of their keys' hashes, no object of Python for any row.

Frames that are large enough to be left alone can lie beside memory: half of a hash and a mark or two stay of
each row. They are brought there by another thread: whoever takes rows in isn't held up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.ports import ScratchFile
from wholeroad.road.data.row_versions import Key
from wholeroad.road.data.rows_beside import RowsBeside

LARGE: Final = 50_000
"""Rows of a frame that stays as it is: to put it together with others would hold everybody up."""

_GROWTH: Final = 2
_BITS: Final = 16
"""Bits per row, one of them set, that tell at a glance of most keys that they aren't there."""

_UPPER: Final = 32

_CHUNK: Final = 500_000

Values = tuple[Any, ...]


class HashedFrames:
    """Rows found by key, in the order in which they were taken in.

    Hashes are those of this process alone, and a hit is held against the key itself. Rows that are added
    later form frames of their own, which are put together before they become many.

    Parameters
    ----------
    width
        How many columns the key has; they come first.
    large
        Rows of a frame that is put together with no other.
    beside
        Where such frames lie; None: in memory.

    Examples
    --------
    >>> rows = HashedFrames(1)
    >>> rows.append(pl.DataFrame({"id": [7, 8, 7], "km": [1.0, 2.0, 3.0]}))
    >>> list(rows.find((7,))), rows.may_have((9,))
    ([(7, 1.0), (7, 3.0)], False)
    """

    def __init__(self, width: int, *, large: int = LARGE, beside: ScratchFile | None = None) -> None:
        self._width = width
        self._large = large
        self._beside = beside
        self._parts: list[_Part] = []

    def __len__(self) -> int:
        """Count the rows."""
        return sum(part.count for part in self._parts)

    def append(self, frame: pl.DataFrame) -> None:
        """Take in rows, of physical values."""
        if not frame.height:
            return
        hashes = _hashes(frame.select(frame.columns[: self._width]))
        while self._parts and self._parts[-1].count <= min(_GROWTH * frame.height, self._large):
            before, said, _ = self._parts[-1].sorted
            if not isinstance(before, pl.DataFrame):
                break
            self._parts.pop()
            frame = pl.concat([before, frame])
            hashes = np.concatenate([np.asarray(said), hashes])
        part = _Part(frame, hashes)
        self._parts.append(part)
        beside = self._beside
        if beside is not None and frame.height > self._large and RowsBeside.fits(frame):
            beside.soon(partial(part.put, beside))

    def may_have(self, key: Key) -> bool:
        """Tell whether there is any row of a key; now and then also where there is none."""
        wanted = hash(key)
        for part in self._parts:  # noqa: SIM110 (a generator costs more than the rest)
            if part.marks[wanted >> 3 & part.mask] >> (wanted & 7) & 1:
                return True
        return False

    def find(self, key: Key) -> Iterator[Values]:
        """Give the rows of a key."""
        wanted, width = hash(key), self._width
        for part in self._parts:
            if part.marks[wanted >> 3 & part.mask] >> (wanted & 7) & 1:
                rows, hashes, shift = part.sorted
                said = wanted >> shift
                place = bisect_left(hashes, said)
                while place < len(hashes) and hashes[place] == said:
                    row = rows.row(place)
                    if row[:width] == key:
                        yield row
                    place += 1


class _Part:
    """Rows in the order of their keys' hashes.

    Attributes
    ----------
    sorted
        The rows, their hashes, and by how many bits these were cut: of rows beside memory the upper half is
        kept. One tuple, since another thread changes them.
    marks, mask
        A bit for the hash of each key; one that isn't set tells that the key isn't there.
    """

    __slots__ = ("count", "marks", "mask", "sorted")

    def __init__(self, frame: pl.DataFrame, hashes: NDArray[np.int64]) -> None:
        order = np.argsort(hashes, kind="stable")
        self.count = hashes.size
        self.sorted: tuple[pl.DataFrame | RowsBeside, memoryview[int], int] = (
            frame[order],
            memoryview(hashes[order]),  # type: ignore[arg-type]
            0,
        )
        self.mask = (1 << (hashes.size * _BITS // 8).bit_length()) - 1
        marks = np.zeros(self.mask + 1, dtype=np.uint8)
        ones = np.left_shift(1, hashes & 7).astype(np.uint8)
        np.bitwise_or.at(marks, hashes >> 3 & self.mask, ones)
        self.marks = marks.tobytes()

    def put(self, beside: ScratchFile) -> None:
        """Put the rows beside memory."""
        frame, hashes, _ = self.sorted
        if isinstance(frame, pl.DataFrame):
            with suppress(UserError):  # no space is left for them there: memory has to do
                rows = RowsBeside(frame, beside=beside)
                upper = (np.asarray(hashes) >> _UPPER).astype(np.int32)
                self.sorted = rows, memoryview(upper), _UPPER  # type: ignore[arg-type]


def _hashes(keys: pl.DataFrame) -> NDArray[np.int64]:
    parts = [
        np.fromiter(map(hash, keys.slice(start, _CHUNK).rows()), dtype=np.int64)
        for start in range(0, keys.height, _CHUNK)
    ]
    return np.concatenate(parts)
