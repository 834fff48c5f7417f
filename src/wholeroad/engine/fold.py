"""State is the fold of the facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.engine.facts import Closed, Opened, RunBegan
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.data.facts import SourceHeld, SourceReleased
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.refit import FitLine
from wholeroad.road.release.facts import PlanFixed, PromotionStopped
from wholeroad.road.release.rules import MODEL, Plan
from wholeroad.road.watch.facts import LimitsWatched, Settled, SpanDecided
from wholeroad.road.watch.rules import ValueLine


class State(msgspec.Struct, frozen=True):
    """What the ledger adds up to.

    Attributes
    ----------
    opened_at
        Where the run begins.
    brief, learns
        Digests of the brief in force, and of what models learn by it.
    promised_until
        The end of a run that was begun; what is due before it is answered before anything else lands.
    decided_until
        Cases decided before this instant are sealed; the next cycle is then.
    decided
        Their number.
    spans
        Sealed spans so far, also the version of the last append of decisions.
    settled_at
        When money was settled last.
    models_since
        Since when models have decided, one after another under one brief; what is watched is since then.
    watched
        The last look at the limits of ``[fairness]`` under the plan in force.
    stopped
        The newest candidate that a limit kept from being put in charge, until another one is.
    before
        Plans that may still be in force, the oldest first, because ``plan`` and those after them are followed
        only from an instant after the cycle that fixed them.
    held
        By source: the batch that is held back, and why.
    """

    plan: Plan = Plan()
    fits: FitLine = FitLine()
    line: ValueLine = ValueLine()
    opened_at: Instant | None = None
    brief: str = ""
    learns: str = ""
    promised_until: Instant | None = None
    decided_until: Instant | None = None
    decided: int = 0
    spans: int = 0
    settled_at: Instant | None = None
    closed: bool = False
    models_since: Instant | None = None
    watched: LimitsWatched | None = None
    stopped: PromotionStopped | None = None
    held: dict[str, SourceHeld] = msgspec.field(default_factory=dict)
    before: tuple[Plan, ...] = ()

    def in_force(self, at: Instant) -> Plan:
        """Give the plan that decides cases at an instant, as far as it is fixed."""
        for plan in (self.plan, *reversed(self.before)):
            if plan.effective_from is None or plan.effective_from <= at:
                return plan
        return Plan()

    def turns_at(self, after_at: Instant) -> Instant | None:
        """Give the next instant at which another plan comes into force; None when none is fixed."""
        coming = [
            plan.effective_from for plan in (*self.before, self.plan) if plan.effective_from is not None
        ]
        return min((at for at in coming if at > after_at), default=None)


def step(state: State, fact: Fact) -> State:
    """Give the state after one more fact; a fact that changes nothing gives the same state."""
    changes: dict[str, Any]
    match fact:
        case PlanFixed():
            changes = _planned(state, fact)
        case PromotionStopped() | LimitsWatched():
            changes = {"stopped" if isinstance(fact, PromotionStopped) else "watched": fact}
        case FitAsked() | ModelFitted() | FitRefused():
            changes = {"fits": state.fits.after(fact)}
        case Settled():
            changes = {"line": state.line.after(fact), "settled_at": fact.at}
        case SpanDecided():
            changes = _sealed(state, fact)
        case Opened():
            changes = {"opened_at": fact.at}
        case RunBegan():
            changes = {"promised_until": fact.until_at}
        case BriefRead():
            changes = _read(state, fact)
        case SourceHeld():
            changes = {"held": {**state.held, fact.source: fact}}
        case SourceReleased():
            changes = {"held": {name: each for name, each in state.held.items() if name != fact.source}}
        case Closed():
            changes = {"closed": True}
        case _:
            return state
    return msgspec.structs.replace(state, **changes)


def _sealed(state: State, fact: SpanDecided) -> dict[str, Any]:
    """Take up sealed decisions; plans that decided before them alone are done with."""
    decided, spans = state.decided + fact.count, state.spans + 1
    before = _still_needed((*state.before, state.plan), fact.until_at)[:-1] if state.before else ()
    return {"decided_until": fact.until_at, "decided": decided, "spans": spans, "before": before}


def _planned(state: State, fact: PlanFixed) -> dict[str, Any]:
    """Take up a plan; limits are watched on from model to model, and anew after somebody else decided."""
    plan = state.plan.after(fact)
    changes: dict[str, Any] = {"plan": plan, "stopped": None}
    if fact.effective_from > fact.at or state.before:
        changes["before"] = _still_needed((*state.before, state.plan, plan), fact.at)[:-1]
    if plan.decider != MODEL:
        return {**changes, "watched": None, "models_since": None}
    since_at = plan.effective_from if state.models_since is None else state.models_since
    return {**changes, "models_since": since_at}


def _still_needed(plans: tuple[Plan, ...], at: Instant) -> tuple[Plan, ...]:
    """Give the plans that may decide a case from an instant on; the last one always does."""
    turns = [plan.effective_from or 0 for plan in plans[1:]]
    over = sum(turn <= at for turn in turns)
    return plans[over:]


def _read(state: State, fact: BriefRead) -> dict[str, Any]:
    """Take up another brief; where models would learn something else, those that are there don't fit it."""
    changes: dict[str, Any] = {"brief": fact.digest, "learns": fact.learns}
    if state.brief and fact.digest != state.brief and state.models_since is not None:
        # Somebody did something about it: what is looked at is what comes of that.
        changes |= {"watched": None, "models_since": fact.at}
    if state.learns and fact.learns != state.learns:
        changes |= {"plan": Plan(), "before": (), "watched": None, "stopped": None, "models_since": None}
        changes["fits"] = msgspec.structs.replace(state.fits, pending=None, grid_at=None, answered=False)
    return changes


def fold(facts: Iterable[Fact], state: State | None = None) -> State:
    """Fold facts onto a state, from nothing or from a snapshot."""
    folded = state or State()
    for fact in facts:
        folded = step(folded, fact)
    return folded


def snapshot(state: State) -> bytes:
    """Write a state down; :func:`restore` reads it back to the same bits."""
    return msgspec.json.encode(state, order="sorted")


def restore(data: bytes) -> State:
    """Read a snapshot."""
    return msgspec.json.decode(data, type=State)
