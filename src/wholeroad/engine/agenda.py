"""When cycles are due."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.instants import DAY, Instant, Span, first_on_grid
from wholeroad.road.brief.contract import CycleTable


@dataclass(frozen=True, slots=True)
class Agenda:
    """The grid of cycles, anchored at midnight UTC, or at the brief's ``at``."""

    every: Span
    anchor: Instant = 0

    def first(self, at: Instant) -> Instant:
        """Give the first cycle that is not before ``at``."""
        return first_on_grid(at, self.every, self.anchor)

    def before(self, at: Instant) -> Instant:
        """Give the last cycle before ``at``."""
        return self.first(at) - self.every

    def after(self, cycle_at: Instant) -> Instant:
        """Give the cycle after this one."""
        return cycle_at + self.every


def agenda(table: CycleTable) -> Agenda:
    """Read the agenda from the brief."""
    hours, minutes = (int(part) for part in (table.at or "00:00").split(":"))
    return Agenda(table.every, (hours * 60 + minutes) * 60_000_000 % min(table.every, DAY))
