"""Rows of keys that were not used for long, as bytes beside memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

from wholeroad.core.instants import Instant
from wholeroad.core.ports import Scratch
from wholeroad.road.data.features.intervals import Entry
from wholeroad.road.data.features.keyed_rows import KeyedRows, Shape
from wholeroad.road.data.row_versions import Key

_LIMB = 64


class Spill:
    """Writes the rows of a key and reads them again; what was kept up over them is made anew.

    Parameters
    ----------
    scratch
        Where.
    serials
        Numbers entries.
    """

    def __init__(self, scratch: Scratch, serials: count[int]) -> None:
        self._scratch = scratch
        self._serials = serials

    def write(self, group: tuple[int, int], key: Key, *, rows: KeyedRows, wide: Sequence[int]) -> None:
        """Write the rows of a key of a group.

        Parameters
        ----------
        group
            Its number, and how often it was loaded: what was written before is out of date.
        wide
            The slots of what entries add whose integers may need more than 64 bits.
        """
        entries = [
            (*entry[:3], entry.start_at, entry.end_at, entry.row, _packed(entry.added, wide))
            for entry in (*rows.entries, *(entry for _, entry in rows.starts))
        ]
        self._scratch.put(_name(group, key), msgspec.msgpack.encode((rows.cut, entries)))

    def take(
        self, group: tuple[int, int], key: Key, *, shape: Shape, wide: Sequence[int], now: Instant
    ) -> KeyedRows | None:
        """Read the rows of a key, which are no longer there afterwards; None where there are none."""
        name = _name(group, key)
        data = self._scratch.get(name)
        if data is None:
            return None
        self._scratch.delete(name)
        cut, packed = msgspec.msgpack.decode(data)
        entries = [
            Entry(base, known, order, next(self._serials), start, end, tuple(row), _unpacked(added, wide))
            for base, known, order, start, end, row, added in packed
        ]
        rows = KeyedRows(shape)
        rows.cut = None if cut is None else tuple(cut)
        rows.fill(sorted(entries), now)
        return rows


def _name(group: tuple[int, int], key: Key) -> bytes:
    return msgspec.msgpack.encode((*group, *key))


def _packed(added: tuple[Any, ...], wide: Sequence[int]) -> Sequence[Any]:
    if not wide:
        return added
    values = list(added)
    for slot in wide:
        if isinstance(values[slot], int):
            values[slot] = divmod(values[slot], 1 << _LIMB)
    return values


def _unpacked(added: list[Any], wide: Sequence[int]) -> tuple[Any, ...]:
    for slot in wide:
        if isinstance(added[slot], list):
            high, low = added[slot]
            added[slot] = (high << _LIMB) + low
    return tuple(added)
