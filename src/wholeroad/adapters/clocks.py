"""Clocks: the machine's, and one that is stepped."""

from __future__ import annotations

import time

from wholeroad.core.instants import Instant


class SystemClock:
    """The machine's clock, in UTC microseconds; never goes back within one object."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> Instant:
        """Give the present instant."""
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last


class ShiftedClock:
    """The machine's clock as if it had been another instant when this object was made: for trying things out.

    Parameters
    ----------
    at
        The instant that it begins at; microseconds.
    """

    def __init__(self, at: Instant) -> None:
        self._clock = SystemClock()
        self._ahead = at - self._clock.now()

    def now(self) -> Instant:
        """Give the shifted present."""
        return self._clock.now() + self._ahead


class SteppedClock:
    """A clock that stands still until it is stepped."""

    def __init__(self, at: Instant = 0) -> None:
        self._at = at

    def now(self) -> Instant:
        """Give the instant it was last stepped to."""
        return self._at

    def step_to(self, at: Instant) -> None:
        """Move forward; moving back is refused."""
        if at < self._at:
            message = f"a clock can't go back from {self._at} to {at}"
            raise ValueError(message)
        self._at = at
