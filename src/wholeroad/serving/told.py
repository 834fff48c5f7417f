"""What the service tells of its fits, and how it says no."""

from __future__ import annotations

from collections.abc import Sequence

from wholeroad.core.errors import RoadError, TryLaterError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.engine.service.messages import ModelLine
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import Plan


def model_lines(facts: Sequence[Fact], plan: Plan) -> list[ModelLine]:
    """Give the fits of a ledger, the newest first."""
    since: dict[str | None, Instant] = {}
    for fact in facts:
        if isinstance(fact, PlanFixed) and fact.model is not None:
            since[fact.model] = fact.effective_from
    fits = [fact for fact in reversed(facts) if isinstance(fact, ModelFitted)]
    newest = next((fact for fact in fits if fact.model is not None and fact.model == plan.model), None)
    return [
        ModelLine(
            model=fact.model,
            champion=fact.champion,
            fitted_at=fact.at,
            rows=fact.rows,
            why=fact.why,
            in_charge=fact is newest,
            in_charge_from=since.get(fact.model),
        )
        for fact in fits
    ]


def fault(error: Exception) -> RoadError:
    """Give an error as one of ours."""
    if isinstance(error, RoadError):
        return error
    return RoadError(
        "service.fault",
        "The service met a fault of ours",
        happened=f"{type(error).__name__}: {error}",
        expected="an answer",
        fix="start it again: what was acknowledged is there; and report it, with what it printed",
    )


def starting() -> TryLaterError:
    """Say that it isn't there yet."""
    return not_now("it is starting: what has landed is being read")


def not_now(reason: str) -> TryLaterError:
    """Say that nothing can be taken in now: ``service.not-ready``."""
    return TryLaterError(
        "service.not-ready",
        "The service can't take anything in now",
        happened=reason,
        expected="a service that is ready",
        fix="send the same again in a few seconds: what was taken in all the same lands and is decided once",
    )


def full(most: int) -> TryLaterError:
    """Say that too much waits: ``service.full``."""
    return TryLaterError(
        "service.full",
        "More came in than can be written down",
        happened=f"{most} commands wait already",
        expected="fewer at a time",
        fix="send the same again in a second, with more rows in each request",
    )
