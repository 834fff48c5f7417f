"""What is known at an instant: a reader that cannot see past it. No method takes a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Instant, Span

UNKNOWN: Final = -1
"""Truth code of a case with an outcome row that doesn't tell the truth."""

PENDING: Final = -2
"""Truth code of a case without an outcome yet."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """When cases were decided and their truth became known, in order of time.

    Attributes
    ----------
    decided_at
        Shape (n,), int64 microseconds, ascending: one for each case.
    truth_known_at
        Shape (m,), int64, ascending: one for each version of an outcome; always after the
        case was decided.
    truth_case, truth_code
        Shape (m,): the case's position, and its class code, :data:`UNKNOWN` or :data:`PENDING`
        (an outcome that was taken back). The last of a case's versions stands.
    """

    decided_at: NDArray[np.int64]
    truth_known_at: NDArray[np.int64]
    truth_case: NDArray[np.int32]
    truth_code: NDArray[np.int8]


class AsOf:
    """The timeline as known at ``now``, before the decisions of that instant.

    Parameters
    ----------
    now
        Outcomes known at or before it are seen; cases decided before it are.
    since
        The last time somebody looked, for :meth:`news`.
    """

    __slots__ = ("_decided", "_new", "_seen", "_timeline", "now")

    def __init__(self, timeline: Timeline, now: Instant, *, since: Instant | None = None) -> None:
        self.now: Final = now
        self._timeline = timeline
        self._decided = int(np.searchsorted(timeline.decided_at, now, side="left"))
        self._seen = int(np.searchsorted(timeline.truth_known_at, now, side="right"))
        self._new = 0 if since is None else int(np.searchsorted(timeline.truth_known_at, since, side="right"))

    @property
    def decided(self) -> int:
        """How many cases have been decided; they are the first ones."""
        return self._decided

    def truth(self) -> NDArray[np.int8]:
        """Give the truth code of every decided case, shape (decided,)."""
        codes = np.full(self._decided, PENDING, dtype=np.int8)
        # Assignment in order: of several versions of one case the last stands.
        codes[self._timeline.truth_case[: self._seen]] = self._timeline.truth_code[: self._seen]
        return codes

    def news(self) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Give the versions that became known since somebody looked: cases and codes, in order."""
        span = slice(self._new, self._seen)
        return self._timeline.truth_case[span], self._timeline.truth_code[span]

    def matured(self, matures: Span, window: Span | None = None) -> NDArray[np.int64]:
        """Give the positions of the cases that may be learnt from.

        They were decided at least ``matures`` ago, no longer ago than ``window``, and their
        truth is known.
        """
        decided_at = self._timeline.decided_at
        last = int(np.searchsorted(decided_at, self.now - matures, side="right"))
        first = 0 if window is None else int(np.searchsorted(decided_at, self.now - window, side="left"))
        last = min(last, self._decided)
        return first + np.flatnonzero(self.truth()[first:last] >= 0)
