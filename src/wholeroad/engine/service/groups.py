"""What goes into a front group by group, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wholeroad.core.errors import RoadError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant, format_instant
from wholeroad.engine.service.messages import Answer
from wholeroad.engine.service.records import Record
from wholeroad.road.model.facts import FitAsked
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import Plan


@dataclass(frozen=True, slots=True)
class CycleCame:
    """What a cycle came to, on its way to the front.

    Attributes
    ----------
    models
        Those that its plans name, ready to decide.
    """

    cycle_at: Instant
    facts: tuple[Fact, ...]
    models: Mapping[str, Model] = field(default_factory=dict)

    @property
    def fixes_plan(self) -> bool:
        """Whether somebody else decides from now on."""
        return any(isinstance(fact, PlanFixed) for fact in self.facts)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the ledger stands when the front begins.

    Attributes
    ----------
    at
        Everything due before or at this instant is done.
    decided_until
        The first cycle that isn't done is not before it.
    pending_fit
        The fit that was asked for and has given no answer.
    """

    at: Instant
    decided_until: Instant
    plan: Plan
    pending_fit: FitAsked | None


@dataclass(frozen=True, slots=True)
class Grouped:
    """What a group came to.

    Attributes
    ----------
    record
        To be written down before anything is answered; None where nothing happened.
    answers
        One for each command, in their order; an error of a command is its answer, and nothing of it landed.
    """

    at: Instant
    record: Record | None
    answers: list[Answer | RoadError]


def models_named(facts: Iterable[Fact]) -> list[str]:
    """Name the models that a cycle's plans put in charge."""
    return [fact.model for fact in facts if isinstance(fact, PlanFixed) and fact.model is not None]


def log_differs(at: Instant, happened: str) -> RoadError:
    """Make the error for a group in the hot log that can't have followed from what is there."""
    return RoadError(
        "service.log-differs",
        "What the hot log has can't be what the tables lead to",
        happened=f"at {format_instant(at)} {happened}",
        expected="what a service with these tables would have written down",
        fix="report it, with the folder: nothing in it was changed",
    )
