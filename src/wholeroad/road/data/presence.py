"""What is there already, as narrow as it can be kept: landing asks it of every row that comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import CLAIMED, SEQ, SYSTEM, VERSION, Landing
from wholeroad.road.data.casting import INSTANT, KINDS
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER

_KEY: Final = "key"
_CHUNK: Final = 1_000_000
"""Rows whose keys are hashed at a time: a hash is narrow, what it is made from isn't."""

Hashes = NDArray[np.int64]


def compares_newest(source: SourceTable) -> bool:
    """Tell whether a row is compared with its newest version: it brings no stamp of its own."""
    return source.static or source.known_at == "landed"


def needed_columns(source: SourceTable) -> list[str]:
    """Name the stored columns that landing reads.

    A claim is computed from the row's content, so that the hash of the content alone identifies the
    version, unless the claim is the instant of landing.
    """
    if not compares_newest(source):
        return [VERSION, SEQ]
    return list(dict.fromkeys([*source.key, KNOWN, CLAIMED, VERSION, ORDER, SEQ]))


def key_hashes(frame: pl.DataFrame, key: tuple[str, ...]) -> Hashes:
    """Hash the keys of rows, shape (n,), a chunk at a time."""
    keys = frame.select(key)
    parts = [row_hashes(keys.slice(start, _CHUNK)) for start in range(0, keys.height, _CHUNK)]
    return np.concatenate(parts).view(np.int64) if parts else np.zeros(0, dtype=np.int64)


class Presence:
    """The versions that a row can repeat.

    Parameters
    ----------
    versions
        Hashes of versions whose like is there already; with ``known_at = "landed"`` those of the
        batch's own instant, otherwise all.
    keys, newest
        For sources whose rows are compared with their newest version: hashes of keys, each once, and of
        the newest version of each, the one that says "gone" included.
    """

    def __init__(self, versions: Hashes, *, keys: Hashes | None = None, newest: Hashes | None = None) -> None:
        self._versions = np.sort(versions)
        none = np.zeros(0, dtype=np.int64)
        keys = none if keys is None else keys
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._newest = none if newest is None else newest[order]

    @classmethod
    def of(cls, stored: pl.DataFrame, source: SourceTable, *, known_at: Instant, imported: bool) -> Self:
        """Take it from what is stored.

        Parameters
        ----------
        stored
            The columns of :func:`needed_columns`.
        known_at
            The instant that the batch's rows claim where the source says ``landed``.
        imported
            Whether the batch is history: it then follows on what was known before its instant, so that
            landing it again finds what it found the first time.
        """
        if not compares_newest(source):
            return cls(stored[VERSION].to_numpy())
        same = np.zeros(0, dtype=np.int64)
        if not source.static:
            now = pl.lit(known_at).cast(INSTANT)
            same = stored.filter(pl.col(CLAIMED) == now)[VERSION].to_numpy()
            if imported:
                stored = stored.filter(pl.col(KNOWN) < now)
        last = _newest(stored, source, VERSION)
        return cls(same, keys=last[_KEY].to_numpy(), newest=last[VERSION].to_numpy())

    def has(self, versions: Hashes) -> NDArray[np.bool_]:
        """Tell of each version whether its like is there."""
        _, found = _find(self._versions, versions)
        return found

    def newest(self, keys: Hashes) -> tuple[Hashes, NDArray[np.bool_]]:
        """Give the newest version of each key, and whether it has one."""
        places, found = _find(self._keys, keys)
        return (self._newest[places] if self._keys.size else np.zeros_like(keys)), found

    def add(self, versions: Hashes) -> None:
        """Note versions that landed."""
        if versions.size:
            self._versions = np.sort(np.concatenate([self._versions, versions]), kind="stable")

    def begin_instant(self) -> None:
        """Forget the versions of the instant before."""
        self._versions = np.zeros(0, dtype=np.int64)

    def renew(self, keys: Hashes, newest: Hashes) -> None:
        """Note what is the newest version of some keys now; the last one counts where a key comes twice."""
        _, last = np.unique(keys[::-1], return_index=True)
        keys, newest = keys[::-1][last], newest[::-1][last]
        places, found = _find(self._keys, keys)
        self._newest[places[found]] = newest[found]
        keys, newest = np.r_[self._keys, keys[~found]], np.r_[self._newest, newest[~found]]
        order = np.argsort(keys, kind="stable")
        self._keys, self._newest = keys[order], newest[order]


@dataclass(frozen=True, slots=True)
class Stored:
    """What landing must know of the rows that are there.

    Attributes
    ----------
    schema
        Names and types of all columns of the stored table.
    presence
        The versions that a row can repeat; it grows with the parts of a batch.
    next_seq
        The number after the last one given in this source.
    quarantined
        Shape (n,): the quarantine's ``content`` column.
    """

    schema: Mapping[str, pl.DataType]
    presence: Presence
    next_seq: int
    quarantined: Hashes

    def after(self, landing: Landing, source: SourceTable, *, imported: bool) -> Stored:
        """Give what there is once a part has been written; the presence is the same one, grown.

        Live, the next part follows on this one, row after row. History follows on what was known before
        its instant, in however many parts it comes.
        """
        self.presence.add(landing.rows[VERSION].to_numpy())
        if compares_newest(source) and not imported:
            names = _KEY, VERSION
            self.presence.renew(*(landing.identity[name].to_numpy() for name in names))
        aside = np.concatenate([self.quarantined, landing.quarantine["content"].to_numpy()])
        return replace(self, next_seq=landing.next_seq, quarantined=aside)

    def at_another_instant(self, source: SourceTable) -> Stored:
        """Give what the next instant finds: nothing claims it yet, where claims are instants of landing."""
        if compares_newest(source) and not source.static:
            self.presence.begin_instant()
        return self

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """The user's columns and their types, fixed by the first landing."""
        return own_columns(self.schema)


def own_columns(schema: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Give the user's columns of a stored table, without ours."""
    return {name: dtype for name, dtype in schema.items() if name not in SYSTEM}


def words(schema: Mapping[str, pl.DataType]) -> dict[str, str]:
    """Give the types of columns in the brief's words, for reading a file of texts; dates are left out."""
    named = {dtype: word for word, dtype in KINDS.items()}
    return {name: named[dtype] for name, dtype in schema.items() if dtype in named}


def in_force(stored: pl.DataFrame, source: SourceTable, *, known_at: Instant, imported: bool) -> pl.DataFrame:
    """Give the place of each row that stands: the newest version of its key, and not gone.

    Parameters
    ----------
    stored
        The columns of the key, ``_known_at``, ``_order`` and ``_deleted``, in the table's order.
    known_at, imported
        Of a dump; history looks at what was known by then.

    Returns
    -------
    polars.DataFrame
        ``key`` (its hash) and ``place``, sorted by place.
    """
    placed = stored.with_row_index("place")
    if imported and not source.static:
        placed = placed.filter(pl.col(KNOWN) <= pl.lit(known_at).cast(INSTANT))
    last = _newest(placed, source, "place", DELETED)
    return last.filter(~pl.col(DELETED)).select(_KEY, "place").sort("place")


def _newest(stored: pl.DataFrame, source: SourceTable, *columns: str) -> pl.DataFrame:
    """Keep the newest version of each key, the one that says "gone" included."""
    keys = pl.Series(_KEY, key_hashes(stored, tuple(source.key)))
    narrow = stored.select(keys, KNOWN, ORDER, *columns)
    return narrow.sort(KNOWN, ORDER).unique(_KEY, keep="last", maintain_order=True)


def _find(among: Hashes, wanted: Hashes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if not among.size:
        return np.zeros(wanted.size, dtype=np.int64), np.zeros(wanted.size, dtype=np.bool_)
    places = np.minimum(np.searchsorted(among, wanted), among.size - 1).astype(np.int64)
    return places, among[places] == wanted
