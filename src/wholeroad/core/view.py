"""What is known at an instant: a reader that cannot see past it. No method takes a date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Instant, Span

Codes = NDArray[np.signedinteger]
"""Codes of classes, of actions, or of numbers in a sorted list: as small as their count allows."""

UNKNOWN: Final = -1
"""Truth code of a case with an outcome row that doesn't tell the truth."""

PENDING: Final = -2
"""Truth code of a case without an outcome yet."""


def code_type(names: int) -> np.dtype[np.signedinteger]:
    """Give the type that codes of so many names take: as few bytes as they need.

    Examples
    --------
    >>> code_type(3), code_type(200), code_type(100_000)
    (dtype('int8'), dtype('int16'), dtype('int32'))
    """
    kinds = (np.int8, np.int16, np.int32)
    return np.dtype(next(kind for kind in kinds if names <= np.iinfo(kind).max))


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
        (an outcome that was taken back). The last of a case's versions stands. Of an outcome that
        is a number, the code is a place in the list of the numbers that were ever told: later rows
        move it, so that nothing may hang on a code but through the number that it stands for.
    """

    decided_at: NDArray[np.int64]
    truth_known_at: NDArray[np.int64]
    truth_case: NDArray[np.int32]
    truth_code: Codes


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
    def began_at(self) -> Instant | None:
        """When the first case was decided; None before that."""
        return int(self._timeline.decided_at[0]) if self._decided else None

    @property
    def decided(self) -> int:
        """How many cases have been decided; they are the first ones."""
        return self._decided

    def truth(self) -> Codes:
        """Give the truth code of every decided case, shape (decided,)."""
        codes = np.full(self._decided, PENDING, dtype=self._timeline.truth_code.dtype)
        # Assignment in order: of several versions of one case the last stands.
        codes[self._timeline.truth_case[: self._seen]] = self._timeline.truth_code[: self._seen]
        return codes

    def news(self) -> tuple[NDArray[np.int32], Codes]:
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
