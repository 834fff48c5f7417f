"""Raw rows: the parts of a batch as they were read, kept as Parquet under their digest."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Blobs

KIND: Final = "raw"
"""The kind of blob."""

LANDED_AT: Final = "_landed"
"""A column of raw rows that came to the service: when each of them landed."""

_BETWEEN: Final = "-"


class RawPart(NamedTuple):
    """A part of a batch.

    Attributes
    ----------
    entry
        Where it is kept; empty if it isn't, and for further cuts of one part.
    rows, bad
        As in :class:`~wholeroad.road.data.batches.Batch`.
    landed_at
        When it landed, where that is another instant than its batch's.
    """

    entry: str
    rows: pl.DataFrame
    bad: pl.DataFrame | None
    landed_at: Instant | None = None


class RawRows:
    """The raw rows of a project's batches.

    The same rows twice are one blob. Every type comes back as it went in, but for Python objects, which
    are kept as their texts.

    Parameters
    ----------
    blobs
        The project's; None keeps nothing.

    Examples
    --------
    >>> from wholeroad.adapters.blobs import MemoryBlobs
    >>> raw = RawRows(MemoryBlobs())
    >>> entry = raw.keep(pl.DataFrame({"km": [1, None]}), None)
    >>> raw.part(entry).rows["km"].to_list()
    [1, None]
    """

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    @property
    def kept(self) -> bool:
        """Whether there is a place for raw rows."""
        return self._blobs is not None

    def keep(self, rows: pl.DataFrame, bad: pl.DataFrame | None) -> str:
        """Keep a part, and give its entry: the digest of its rows, then of the unreadable ones."""
        frames = [rows] if bad is None or not bad.height else [rows, bad]
        return _BETWEEN.join(self._put(frame) for frame in frames)

    def keeping(self, parts: Iterable[tuple[pl.DataFrame, pl.DataFrame | None]]) -> Iterator[RawPart]:
        """Keep parts as they come by."""
        for rows, bad in parts:
            yield RawPart(self.keep(rows, bad), rows, bad)

    def part(self, entry: str) -> RawPart:
        """Read a part.

        Raises
        ------
        UserError
            ``data.raw-missing``.
        """
        frames = [self._get(key) for key in entry.split(_BETWEEN)]
        return RawPart(entry, frames[0], frames[1] if len(frames) > 1 else None)

    def parts(self, entries: Iterable[str]) -> Iterator[RawPart]:
        """Read parts, one at a time."""
        return map(self.part, entries)

    def there(self, entries: Iterable[str]) -> bool:
        """Tell whether all parts are there, and whole."""
        keys = [key for entry in entries for key in entry.split(_BETWEEN)]
        return self._blobs is not None and all(self._blobs.get(KIND, key) is not None for key in keys)

    def _put(self, frame: pl.DataFrame) -> str:
        buffer = io.BytesIO()
        _plain(frame).write_parquet(buffer, compression="zstd")
        data = buffer.getvalue()
        key = digest(KIND, data)
        if self._blobs is not None:
            self._blobs.put(KIND, key, data=data)
        return key

    def _get(self, key: str) -> pl.DataFrame:
        data = None if self._blobs is None else self._blobs.get(KIND, key)
        if data is None:
            raise UserError(
                "data.raw-missing",
                "Raw rows are gone",
                happened=f"the blob {KIND}/{key} was not there, or was damaged",
                expected="the rows as they came, kept since they landed",
                fix="restore .wholeroad/blobs from a copy, or deliver the rows again",
            )
        return pl.read_parquet(io.BytesIO(data))


def at_their_instants(parts: Iterable[RawPart]) -> Iterator[RawPart]:
    """Cut parts whose rows landed at several instants, in order of these; see :data:`LANDED_AT`."""
    for part in parts:
        if LANDED_AT not in part.rows.columns:
            yield part
            continue
        frames = [frame for frame in (part.rows, part.bad) if frame is not None]
        entry = part.entry
        for at in pl.concat([frame[LANDED_AT] for frame in frames]).unique().sort().to_physical():
            rows, *bad = (
                frame.filter(pl.col(LANDED_AT).to_physical() == at).drop(LANDED_AT) for frame in frames
            )
            yield RawPart(entry, rows, bad[0] if bad and bad[0].height else None, at)
            entry = ""


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    odd = [column for column in frame.iter_columns() if isinstance(column.dtype, pl.Object)]
    texts = [
        pl.Series(each.name, [None if one is None else str(one) for one in each], dtype=pl.String)
        for each in odd
    ]
    return frame.with_columns(texts) if texts else frame
