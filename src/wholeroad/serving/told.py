"""What the service tells of its fits, and how it says no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wholeroad.core.errors import RoadError, TryLaterError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import UNITS, Instant, Span, format_instant, format_span
from wholeroad.engine.service.messages import ModelLine, Trouble
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import Plan

BEHIND: Final = UNITS["s"]
"""A clock that is set right by less than this is nobody's trouble."""


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


def clock_behind(clock_at: Instant, at: Instant) -> Trouble | None:
    """Say that the clock stands before what is written down, if it does: ``service.clock-behind``.

    Parameters
    ----------
    clock_at
        What the clock says.
    at
        The last instant that is written down.
    """
    if at - clock_at < BEHIND:
        return None
    happened = (
        f"the clock is {format_span(_rounded(at - clock_at))} behind what is written down: what comes in "
        f"counts as of {format_instant(at)}, and no later case and no cycle falls due until the clock is "
        "there again; set it right"
    )
    return Trouble("service.clock-behind", happened, at)


def _rounded(span: Span) -> Span:
    unit = next(UNITS[name] for name in ("d", "h", "min", "s") if span >= UNITS[name])
    return span // unit * unit


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
