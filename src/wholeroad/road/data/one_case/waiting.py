"""Cases that aren't decided yet, by when they are due."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, Generic, TypeVar

from wholeroad.core.instants import Instant

K = TypeVar("K", bound=Hashable)

_SPARE: Final = 64
"""Entries that moved or were dropped are kept until they outnumber the live ones by so many."""


class Waiting(Generic[K]):
    """Cases that wait for their instant.

    Memory is bounded by how many wait: what moved or was dropped is let go in time.

    Parameters
    ----------
    rank
        Gives what cases of one instant are ordered by, such as their stable ids, so that the order is the
        same after a start; without it, they come in the order in which they began to wait.

    Examples
    --------
    >>> waiting = Waiting()
    >>> waiting.put("a", 20), waiting.put("b", 10), waiting.put("a", 10)
    (None, None, None)
    >>> waiting.next_at(), waiting.pop_until(10, inclusive=True), len(waiting)
    (10, [(10, ['a', 'b'])], 0)
    """

    def __init__(self, rank: Callable[[K], Any] | None = None) -> None:
        self._rank = rank
        self._waiting: dict[K, tuple[Instant, int]] = {}
        self._heap: list[tuple[Instant, int, K]] = []
        self._count = 0

    def __len__(self) -> int:
        """Count the cases that wait."""
        return len(self._waiting)

    def __contains__(self, key: K) -> bool:
        """Tell whether a case waits."""
        return key in self._waiting

    def __iter__(self) -> Iterator[K]:
        """Give the cases that wait, in no order that means anything."""
        return iter(self._waiting)

    def due_at(self, key: K) -> Instant | None:
        """Give when a case that waits is due."""
        entry = self._waiting.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, due_at: Instant) -> None:
        """Let a case wait, or move one that waits already; it keeps its place among those of one instant."""
        before = self._waiting.get(key)
        if before is not None and before[0] == due_at:
            return
        if before is None:
            self._count += 1
        number = self._count if before is None else before[1]
        self._waiting[key] = (due_at, number)
        heapq.heappush(self._heap, (due_at, number, key))
        self._let_go()

    def drop(self, key: K) -> None:
        """Let a case wait no longer; one that doesn't is no fault."""
        if self._waiting.pop(key, None) is not None:
            self._let_go()

    def next_at(self) -> Instant | None:
        """Give the instant at which the next case is due; None when nobody waits."""
        heap = self._heap
        while heap and self._waiting.get(heap[0][2]) != heap[0][:2]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_until(self, at: Instant, *, inclusive: bool) -> list[tuple[Instant, list[K]]]:
        """Take out the cases that are due before an instant, or at it where ``inclusive``.

        Returns
        -------
        list
            Instants, ascending, each with its cases in a stable order.
        """
        groups: list[tuple[Instant, list[K]]] = []
        while (due_at := self.next_at()) is not None and (due_at < at or (inclusive and due_at == at)):
            key = heapq.heappop(self._heap)[2]
            del self._waiting[key]
            if groups and groups[-1][0] == due_at:
                groups[-1][1].append(key)
            else:
                groups.append((due_at, [key]))
        if self._rank is not None:
            for _, keys in groups:
                keys.sort(key=self._rank)
        return groups

    def _let_go(self) -> None:
        if len(self._heap) > 2 * len(self._waiting) + _SPARE:
            self._heap = [(due_at, number, key) for key, (due_at, number) in self._waiting.items()]
            heapq.heapify(self._heap)
