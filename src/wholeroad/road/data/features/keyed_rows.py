"""The rows of one key, in the order of time, with what its windows come to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wholeroad.core.instants import Instant, Span
from wholeroad.road.data.features.activity import FOREVER
from wholeroad.road.data.features.intervals import Entry
from wholeroad.road.data.features.running import Running
from wholeroad.road.data.row_versions import Key

_LAG = 16
_TIMES = 4

Makes = tuple[Callable[[], Running], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rows of every key of a group are kept for.

    Attributes
    ----------
    spans
        Of the windows that something is kept up for, with what that is.
    longest
        An entry is of no use once this much time has passed since its base;
        :data:`~wholeroad.road.data.features.activity.FOREVER` where only the newest rows are asked for.
    newest
        Of how many entries are kept where only the newest are asked for; None: all.
    """

    spans: tuple[tuple[Span, Makes], ...]
    longest: Span
    newest: int | None


class KeyedRows:
    """The entries of one key that count or will.

    Entries that count lie in the order of rank, so that a window over a span is the end of the list: each
    span has the place at which it begins, which moves on with time. A row's entries can be taken back.

    Attributes
    ----------
    entries
        Those that have started and aren't superseded, in the order of rank.
    rows
        The entries of each row, some of which may be over.
    running
        By span, what is kept up over the entries from its place on.
    cut
        The rank of the greatest entry that was let go though it counts: the list is whole above it.
    used
        The last use.
    """

    __slots__ = (
        "cut", "ends", "entries", "next_at", "places", "rows", "running", "shape", "starts", "used",
    )  # fmt: skip

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.entries: list[Entry] = []
        self.starts: list[tuple[Instant, Entry]] = []
        self.ends: list[tuple[Instant, Entry]] = []
        self.rows: dict[Key, tuple[Entry, ...]] = {}
        self.places = [0] * len(shape.spans)
        self.running = [[make() for make in makes] for _, makes in shape.spans]
        self.next_at: Instant = FOREVER
        self.cut: tuple[int, ...] | None = None
        self.used = 0

    @property
    def size(self) -> int:
        """How many entries are held."""
        return len(self.entries) + len(self.starts)

    def fill(self, entries: Iterable[Entry], now: Instant) -> None:
        """Take in entries of an empty key, those that count or will, in the order of rank."""
        longest = self.shape.longest
        for entry in entries:
            if entry.end_at <= now or entry.base_at + longest <= now:
                continue
            self.rows[entry.row] = (*self.rows.get(entry.row, ()), entry)
            if entry.start_at > now:
                self.starts.append((entry.start_at, entry))
                continue
            self.entries.append(entry)
            if entry.end_at != FOREVER:
                self.ends.append((entry.end_at, entry))
        self.starts.sort()
        self.ends.sort()
        for number, (span, _) in enumerate(self.shape.spans):
            place = bisect_right(self.entries, (now - span, FOREVER))
            self.places[number] = place
            for running in self.running[number]:
                running.fill(self.entries[place:])
        self._trim(now)
        self._look_ahead()

    def replace(self, row: Key, entries: Sequence[Entry], *, now: Instant) -> None:
        """Take back what was known of a row, and take in its entries instead."""
        self.settle(now)
        for entry in self.rows.pop(row, ()):
            if entry.start_at > now:
                _take_out(self.starts, (entry.start_at, entry))
            else:
                self._remove(entry)
                if entry.end_at != FOREVER:
                    _take_out(self.ends, (entry.end_at, entry))
        if entries:
            self.rows[row] = tuple(entries)
        for entry in entries:
            if entry.start_at > now:
                insort(self.starts, (entry.start_at, entry))
            else:
                self._insert(entry, now)
        self._trim(now)
        self._look_ahead()

    def settle(self, now: Instant) -> None:
        """Let time pass."""
        if now < self.next_at:
            return
        entries = self.entries
        for number, (span, _) in enumerate(self.shape.spans):
            place, bound = self.places[number], now - span
            while place < len(entries) and entries[place].base_at <= bound:
                for running in self.running[number]:
                    running.remove(entries[place])
                place += 1
            self.places[number] = place
        for entry in _due(self.ends, now):
            self._remove(entry)
            self._forget(entry.row, now)
        for entry in _due(self.starts, now):
            if entry.end_at > now and entry.base_at + self.shape.longest > now:
                self._insert(entry, now)
            else:
                self._forget(entry.row, now)
        self._trim(now)
        self._look_ahead()

    def own(self, row: Key, now: Instant) -> Entry | None:
        """Give the entry of a row that counts at present."""
        for entry in self.rows.get(row, ()):
            if entry.start_at <= now < entry.end_at:
                return entry
        return None

    def has_run_out(self, own: Entry | None) -> bool:
        """Tell whether the newest row isn't held, though there may be one."""
        if self.cut is None or len(self.entries) > 1:
            return False
        return not self.entries or self.entries[0] is own

    def _insert(self, entry: Entry, now: Instant) -> None:
        if self.cut is not None and entry < self.cut:
            self._let_go(entry)
            return
        entries = self.entries
        if not entries or entries[-1] < entry:
            entries.append(entry)
        else:
            insort(entries, entry)
        for number, (span, _) in enumerate(self.shape.spans):
            if entry.base_at + span <= now:
                self.places[number] += 1
            else:
                for running in self.running[number]:
                    running.add(entry)
        if entry.end_at != FOREVER:
            insort(self.ends, (entry.end_at, entry))

    def _remove(self, entry: Entry) -> None:
        """Take an entry out; it may have been let go before."""
        entries = self.entries
        place = bisect_left(entries, entry)
        if place == len(entries) or entries[place] is not entry:
            return
        del entries[place]
        for number, first in enumerate(self.places):
            if place < first:
                self.places[number] -= 1
            else:
                for running in self.running[number]:
                    running.remove(entry)

    def _trim(self, now: Instant) -> None:
        """Let go of entries at the front that nobody will ask for: many at a time, or the last ones."""
        entries, newest = self.entries, self.shape.newest
        if newest is not None:
            over = len(entries) - newest if len(entries) > _TIMES * newest else 0
            if over:
                self.cut = entries[over - 1][:3]
        else:
            over = bisect_right(entries, (now - self.shape.longest, FOREVER))
            if over < len(entries) and (over < _LAG or 2 * over < len(entries)):
                over = 0
        if not over:
            return
        gone = entries[:over]
        del entries[:over]
        self.places = [place - over for place in self.places]
        for entry in gone:
            if newest is None:
                self._forget(entry.row, now)
            else:
                self._let_go(entry)

    def _let_go(self, entry: Entry) -> None:
        if self.rows.get(entry.row) == (entry,):
            del self.rows[entry.row]

    def _forget(self, row: Key, now: Instant) -> None:
        """Let go of a row whose entries are all over."""
        longest = self.shape.longest
        for entry in self.rows.get(row, ()):
            if entry.end_at > now and entry.base_at + longest > now:
                return
        self.rows.pop(row, None)

    def _look_ahead(self) -> None:
        """Find the first instant at which time changes anything."""
        coming = FOREVER
        if self.starts:
            coming = self.starts[0][0]
        if self.ends:
            coming = min(coming, self.ends[0][0])
        for (span, _), place in zip(self.shape.spans, self.places, strict=True):
            if place < len(self.entries):
                coming = min(coming, self.entries[place].base_at + span)
        self.next_at = coming


def _due(queue: list[tuple[Instant, Entry]], now: Instant) -> list[Entry]:
    """Take out what is due."""
    if not queue or queue[0][0] > now:
        return []
    place = bisect_right(queue, now, key=lambda item: item[0])
    due = [entry for _, entry in queue[:place]]
    del queue[:place]
    return due


def _take_out(queue: list[tuple[Instant, Entry]], item: tuple[Instant, Entry]) -> None:
    place = bisect_left(queue, item)
    if place < len(queue) and queue[place][1] is item[1]:
        del queue[place]
