"""The cycle: the recurring instant at which the plan may change. One function for both worlds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.view import AsOf, Codes
from wholeroad.engine.fold import State, step
from wholeroad.road.brief.contract import RefitTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.brief.values import Values
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.refit import due
from wholeroad.road.release.rules import Plan, advance, first_plan
from wholeroad.road.watch.facts import LimitsWatched
from wholeroad.road.watch.rules import settle


class Fits(Protocol):
    """Where fits are made."""

    def collect(self, asked: FitAsked, now: int) -> ModelFitted | FitRefused | None:
        """Give what came of a fit whose time has come, or None while it is still being made."""


class Limits(Protocol):
    """Who looks at the limits."""

    def look(
        self, plan: Plan, last: LimitsWatched | None, *, since_at: Instant | None, view: AsOf
    ) -> LimitsWatched | None:
        """Look at them as of a cycle, or give None where it isn't time to."""


def at_once(cycle_at: Instant) -> Instant:
    """Follow a plan from its cycle on, as a rehearsal does."""
    return cycle_at


@dataclass(frozen=True, slots=True)
class Desk:
    """What a cycle works with.

    Attributes
    ----------
    action
        Shape (n,): the action taken for each case so far, -1 for none.
    booked
        Shape (n,): the truth by which each case is booked; the cycle moves it.
    limits
        Looks at the limits of ``[fairness]``.
    follows
        From a cycle to the instant from which the plan that it fixes is followed: not before the cycle.
    """

    policy: Policy
    refit: RefitTable
    fits: Fits
    values: Values
    action: Codes
    booked: Codes
    limits: Limits
    follows: Callable[[Instant], Instant] = at_once


def cycle(state: State, view: AsOf, *, desk: Desk) -> tuple[State, list[Fact]]:
    """Run one cycle.

    In order: decisions settle; the limits of the plan in force are looked at; fits are asked for, and those
    whose time has come are assessed; the plan until the next cycle is fixed.

    Parameters
    ----------
    state
        The fold of all facts so far.
    view
        What is known at this cycle, since the last one.
    desk
        The policy and the work that it needs.

    Returns
    -------
    state, facts
        The state after the facts, and the facts in the order in which they became true.
    """
    now = view.now
    facts: list[Fact] = []

    def note(fact: Fact | None) -> None:
        nonlocal state
        if fact is not None:
            facts.append(fact)
            state = step(state, fact)

    note(settle(view, desk.action, booked=desk.booked, values=desk.values))
    note(desk.limits.look(state.plan, state.watched, since_at=state.models_since, view=view))
    note(first_plan(state.plan, desk.policy, now=now, effective_from=desk.follows(now)))
    note(due(state.fits, desk.policy, table=desk.refit, now=now, began_at=view.began_at))
    pending = state.fits.pending
    if pending is not None and pending.ready_at <= now:
        came = desk.fits.collect(pending, now)
        note(came)
        if isinstance(came, ModelFitted):
            note(advance(state.plan, came, now=now, effective_from=desk.follows(now)))
    return state, facts
