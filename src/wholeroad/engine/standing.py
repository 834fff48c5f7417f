"""How a project stands: what is in charge, since when, what is due, what is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.view import PENDING
from wholeroad.engine.agenda import agenda
from wholeroad.engine.fold import State, fold
from wholeroad.engine.live import in_force, promised
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.cases import Cases
from wholeroad.road.data.contracts.freshness import Stale
from wholeroad.road.data.facts import BatchLanded, SourceHeld
from wholeroad.road.data.history import History
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.refit import next_fit_at
from wholeroad.road.release.facts import PromotionStopped
from wholeroad.road.review.appeals import appeals_of
from wholeroad.road.review.facts import Appealed
from wholeroad.road.watch.facts import LimitsWatched

T = TypeVar("T", bound=Fact)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The newest batch of a source; ``landed_at`` is None before the first."""

    source: str
    batches: int
    landed_at: Instant | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project stands at an instant.

    Attributes
    ----------
    now, opened_at
        The present, and the cycle at which the first run opened the road; None before it.
    decider, model, effective_from
        The plan in force: who decides, the model's digest, from when.
    fitted, refused
        The newest fit that gave an answer, and the newest that could not be made.
    decided, settled, unknown
        Cases decided, of these with money, and with an outcome row that doesn't tell the truth.
    money, fits, fit_costs
        Settled money before the fits' costs; the fits and their costs.
    decided_until
        Everything due before is answered.
    cut_short_at
        The end of a run that was begun and not finished; the next one finishes it first.
    next_cycle_at, cycles_due
        The first cycle that has not run, and how many are due.
    cases_due, waiting, next_case_at
        Cases due and not answered; those that become due later, and the first of these.
    fit_asked_at, fit_ready_at
        A fit that is being made.
    next_fit_at
        When the policy asks for the next fit; None when it doesn't.
    outcomes_late, outcomes_pending
        Decided cases without an outcome: older than the brief's ``matures``, and all.
    deliveries
        Of each source.
    held
        Batches that wait to be released, and that later ones of their sources wait for.
    stopped, watched
        The newest candidate that a limit of ``[fairness]`` kept from being put in charge, until another is;
        the last look at the limits under the plan in force.
    appeals
        Those that wait for their answer.
    stale
        Sources whose newest row is older than their contracts allow; whoever knows the rows adds them.
    left_over
        Rows and decisions that a service acknowledged and that are in no table yet; whoever knows them adds
        them.
    """

    now: Instant
    opened_at: Instant | None
    policy: str
    decider: str
    model: str | None
    effective_from: Instant | None
    fitted: ModelFitted | None
    refused: FitRefused | None
    decided: int
    settled: int
    unknown: int
    money: float
    fits: int
    fit_costs: float
    decided_until: Instant | None
    cut_short_at: Instant | None
    next_cycle_at: Instant
    cycles_due: int
    cases_due: int
    waiting: int
    next_case_at: Instant | None
    fit_asked_at: Instant | None
    fit_ready_at: Instant | None
    next_fit_at: Instant | None
    outcomes_late: int
    outcomes_pending: int
    deliveries: tuple[Delivery, ...]
    held: tuple[SourceHeld, ...] = ()
    stale: tuple[Stale, ...] = ()
    stopped: PromotionStopped | None = None
    watched: LimitsWatched | None = None
    appeals: tuple[Appealed, ...] = ()
    left_over: tuple[int, int] = (0, 0)


def standing(
    brief: Brief,
    facts: Sequence[Fact],
    *,
    now: Instant,
    due_cases: Cases,
    history: History,
    decided: NDArray[np.bool_],
) -> Standing:
    """Say how a project stands.

    Parameters
    ----------
    facts
        Its ledger.
    due_cases
        Every case with the instant at which it is due, also in the future.
    history
        What is known now.
    decided
        Shape (n,): which cases of the history have been decided.
    """
    state, cycles, policy = fold(facts), agenda(brief.cycle), in_force(brief)
    from_at = state.opened_at if state.decided_until is None else state.decided_until
    next_cycle_at = cycles.first(now if from_at is None else from_at)
    ahead = due_cases.decided_at[due_cases.decided_at > now]
    begin = len(decided) if state.opened_at is None else _position(history, state.opened_at)
    end = _position(history, now + 1)
    pending = _pending(history, now, decided)
    fit = state.fits.pending
    grid_at = next_cycle_at if from_at is None else max(next_cycle_at, from_at)
    began_at = history.as_of(now + 1).began_at
    return Standing(
        now=now,
        opened_at=state.opened_at,
        policy=policy.name,
        decider=state.plan.decider,
        model=state.plan.model,
        effective_from=state.plan.effective_from,
        fitted=_newest(facts, ModelFitted),
        refused=_newest(facts, FitRefused),
        decided=state.decided,
        settled=state.line.settled,
        unknown=state.line.unknown,
        money=state.line.value,
        fits=state.fits.fitted,
        fit_costs=state.fits.paid,
        decided_until=state.decided_until,
        cut_short_at=promised(state),
        next_cycle_at=next_cycle_at,
        cycles_due=0 if from_at is None else max(0, (now - next_cycle_at) // cycles.every + 1),
        cases_due=int((~decided[begin:end]).sum()),
        waiting=ahead.size,
        next_case_at=int(ahead[0]) if ahead.size else None,
        fit_asked_at=fit.at if fit else None,
        fit_ready_at=fit.ready_at if fit else None,
        next_fit_at=next_fit_at(state.fits, policy, table=brief.policy.refit, at=grid_at, began_at=began_at),
        outcomes_late=_older(history, pending, now - brief.outcome.matures),
        outcomes_pending=pending.size,
        deliveries=tuple(_delivery(name, facts) for name in brief.source),
        held=tuple(state.held.values()),
        **_fairness(state, facts),
    )


def _fairness(state: State, facts: Sequence[Fact]) -> dict[str, Any]:
    waiting = tuple(each.opened for each in appeals_of(facts) if each.answer is None)
    return {"stopped": state.stopped, "watched": state.watched, "appeals": waiting}


def _pending(history: History, now: Instant, decided: NDArray[np.bool_]) -> NDArray[np.int64]:
    truth = history.as_of(now + 1).truth()
    return np.flatnonzero((truth == PENDING) & decided[: truth.size])


def _older(history: History, cases: NDArray[np.int64], at: Instant) -> int:
    return int((history.timeline.decided_at[cases] < at).sum())


def _position(history: History, at: Instant) -> int:
    return int(np.searchsorted(history.timeline.decided_at, at, side="left"))


def _newest(facts: Sequence[Fact], kind: type[T]) -> T | None:
    return next((fact for fact in reversed(facts) if isinstance(fact, kind)), None)


def _delivery(name: str, facts: Sequence[Fact]) -> Delivery:
    batches = [
        fact for fact in facts if isinstance(fact, BatchLanded) and fact.source == name and not fact.again
    ]
    return Delivery(name, len(batches), batches[-1].at if batches else None)
