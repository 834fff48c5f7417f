"""How many rows online features hold: beyond a bound, the keys that weren't used for longest are spilled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from wholeroad.core.instants import Instant
from wholeroad.core.ports import Scratch
from wholeroad.road.data.features.intervals import Entry
from wholeroad.road.data.features.keyed_rows import KeyedRows
from wholeroad.road.data.features.online_groups import Group
from wholeroad.road.data.features.spilling import Spill
from wholeroad.road.data.row_versions import Key

_ROOM: Final = 16
"""When there are too many rows, one in so many is let go as well, so that it isn't soon done again."""


_LARGE: Final = 1_000
_IDLE: Final = 100_000
"""A key of so many rows stays until it wasn't used for so many uses: it is written and read at once, which
holds answers up, and of a working set that is larger than the bound every row would bring one back."""


class Memory:
    """The rows of all groups.

    Parameters
    ----------
    most
        How many row entries are held at most, but for the keys of the last use, and for large ones in use.
    scratch
        Where the others go; None: there are no others.
    serials
        Numbers entries.
    wide
        By source, the slots whose integers may need more than 64 bits.

    Attributes
    ----------
    rows
        How many row entries are held.
    tick
        Goes up with every use.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        *,
        most: int,
        scratch: Scratch | None,
        serials: count[int],
        wide: Mapping[str, Sequence[int]],
    ) -> None:
        self._groups = groups
        self._most = most
        self._spill = None if scratch is None else Spill(scratch, serials)
        self._wide = wide
        self._round: Iterator[tuple[Group, Key]] = iter(())
        self._tolerated = 0
        self.rows = 0
        self.tick = _IDLE  # what was never used is idle

    def empty(self, group: Group) -> None:
        """Let go of all rows of a group."""
        self.rows -= sum(rows.size for rows in group.keyed.values())
        group.keyed.clear()
        group.spilled = 0
        group.loads += 1

    def keep(self, group: Group, key: Key, *, rows: KeyedRows) -> None:
        """Hold the rows of a key, instead of those that were held."""
        before = group.keyed.get(key)
        self.rows += rows.size - (0 if before is None else before.size)
        group.keyed[key] = rows
        if self._spill is not None and self.rows > 2 * self._most:
            self.bound()

    def fetch(self, group: Group, key: Key, *, now: Instant) -> KeyedRows | None:
        """Give the rows of a key that aren't held; None where there are none."""
        if self._spill is None or not group.spilled:
            return None
        wide = self._wide[group.source]
        rows = self._spill.take((group.number, group.loads), key, shape=group.shape, wide=wide, now=now)
        if rows is not None:
            group.spilled -= 1
            group.keyed[key] = rows
            self.rows += rows.size
        return rows

    def settle(self, rows: KeyedRows, now: Instant) -> None:
        """Let time pass for the rows of a key."""
        before = rows.size
        rows.settle(now)
        self.rows += rows.size - before

    def replace(self, group: Group, key: Key, *, row: Key, entries: Sequence[Entry], now: Instant) -> None:
        """Take back what a row was in a key, and hold its entries instead."""
        rows = group.keyed.get(key) or self.fetch(group, key, now=now)
        if rows is None:
            if not entries:
                return
            rows = group.keyed[key] = KeyedRows(group.shape)
        before = rows.size
        rows.replace(row, entries, now=now)
        rows.used = self.tick
        self.rows += rows.size - before

    def sweep(self, now: Instant) -> None:
        """After a row was put: look at one key more, in turn, and let go of it when it is empty."""
        found = next(self._round, None)
        if found is None:
            self._round = iter([(group, key) for group in self._groups for key in group.keyed])
        else:
            group, key = found
            rows = group.keyed.get(key)
            if rows is not None:
                self.settle(rows, now)
                if not rows.size and rows.cut is None:
                    del group.keyed[key]
        self.bound()

    def bound(self) -> None:
        """Spill the keys that weren't used for longest, while there are too many rows.

        Those of the last use stay: a key with more rows than may be held would come and go with every case.
        """
        if self._spill is not None and self.rows > max(self._most, self._tolerated):
            self._spill_oldest(self._spill)
            # What can't be let go of now isn't looked for again with every row.
            room = self._most // _ROOM if self._most >= _LARGE else 0
            self._tolerated = self.rows + room if room and self.rows > self._most else 0
        self.tick += 1

    def _stays(self, rows: KeyedRows) -> bool:
        return rows.size > _LARGE and self.tick - rows.used < _IDLE

    def _spill_oldest(self, spill: Spill) -> None:
        keys = [
            (rows.used, group.number, key)
            for group in self._groups
            for key, rows in group.keyed.items()
            if rows.used < self.tick and not self._stays(rows)
        ]
        keys.sort(key=lambda item: item[0])
        enough = self._most - self._most // _ROOM
        for _, number, key in keys:
            if self.rows <= enough:
                return
            group = self._groups[number]
            rows = group.keyed.pop(key)
            self.rows -= rows.size
            if rows.size or rows.cut is not None:
                wide = self._wide[group.source]
                spill.write((number, group.loads), key, rows=rows, wide=wide)
                group.spilled += 1
