"""State is the fold of the facts."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.engine.facts import Closed
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.refit import FitLine
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import Plan
from wholeroad.road.watch.facts import Settled, SpanDecided
from wholeroad.road.watch.rules import ValueLine


class State(msgspec.Struct, frozen=True):
    """What the ledger adds up to.

    Attributes
    ----------
    decided_until
        Cases decided before this instant are sealed; the next cycle is then.
    decided
        Their number.
    spans
        Sealed spans so far, also the version of the last append of decisions.
    """

    plan: Plan = Plan()
    fits: FitLine = FitLine()
    line: ValueLine = ValueLine()
    decided_until: Instant | None = None
    decided: int = 0
    spans: int = 0
    closed: bool = False


def step(state: State, fact: Fact) -> State:
    """Give the state after one more fact; a fact that changes nothing gives the same state."""
    match fact:
        case PlanFixed():
            return msgspec.structs.replace(state, plan=state.plan.after(fact))
        case FitAsked() | ModelFitted() | FitRefused():
            return msgspec.structs.replace(state, fits=state.fits.after(fact))
        case Settled():
            return msgspec.structs.replace(state, line=state.line.after(fact))
        case SpanDecided():
            return msgspec.structs.replace(
                state,
                decided_until=fact.until_at,
                decided=state.decided + fact.count,
                spans=state.spans + 1,
            )
        case Closed():
            return msgspec.structs.replace(state, closed=True)
        case _:
            return state


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
