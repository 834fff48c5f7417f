"""What is told of a run and not found: when its fits came in, and from when on its plans were followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.engine.cycle import Fits
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.release.facts import PlanFixed

FAILED = "fit.failed"
CANCELLED = "fit.cancelled"
"""Codes of fits that gave no answer for a reason outside of the data: no rehearsal finds it again."""


class Told(Protocol):
    """Who says when fits come in, and from when on a plan is followed."""

    def follows(self, cycle_at: Instant) -> Instant:
        """Say from when on the plan of a cycle is followed."""

    def fits(self, workshop: Fits) -> Fits:
        """Give fits that come in when it says so."""


@dataclass(frozen=True, slots=True)
class AsRecorded:
    """Takes instants from a record: a fit enters when it did, a plan is followed from when it was.

    Attributes
    ----------
    came
        By the cut of a fit: what came of it, and at which cycle.
    followed
        By cycle: from when on its plan was followed.
    """

    came: Mapping[Instant, ModelFitted | FitRefused] = field(default_factory=dict)
    followed: Mapping[Instant, Instant] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> AsRecorded:
        """Read a ledger."""
        facts = list(facts)
        return cls(
            {fact.asked_at: fact for fact in facts if isinstance(fact, ModelFitted | FitRefused)},
            {fact.at: fact.effective_from for fact in facts if isinstance(fact, PlanFixed)},
        )

    def follows(self, cycle_at: Instant) -> Instant:
        """Say from when on the plan of a cycle was followed."""
        return self.followed.get(cycle_at, cycle_at)

    def fits(self, workshop: Fits) -> Fits:
        """Give fits that come in when they did."""
        return _Came(self.came, workshop)


@dataclass(frozen=True, slots=True)
class _Came:
    came: Mapping[Instant, ModelFitted | FitRefused]
    workshop: Fits

    def collect(self, asked: FitAsked, now: Instant) -> ModelFitted | FitRefused | None:
        came = self.came.get(asked.at)
        if came is None or came.at > now:
            return None
        if isinstance(came, FitRefused) and came.code in (FAILED, CANCELLED):
            return came
        return self.workshop.collect(asked, now)
