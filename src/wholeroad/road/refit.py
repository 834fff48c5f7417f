"""The loop back: when a new fit is asked for."""

from __future__ import annotations

import msgspec

from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import RefitTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted


class FitLine(msgspec.Struct, frozen=True):
    """The fits so far.

    Attributes
    ----------
    pending
        The fit that is being made, if any.
    grid_at
        The last instant for which the policy's grid was answered.
    fitted, paid
        Fits that gave an answer, and their money.
    answered
        Whether one of them did by what models learn now.
    """

    pending: FitAsked | None = None
    grid_at: Instant | None = None
    fitted: int = 0
    paid: float = 0.0
    answered: bool = False

    def after(self, fact: FitAsked | ModelFitted | FitRefused) -> FitLine:
        """Give the line after a fact about a fit."""
        match fact:
            case FitAsked():
                return FitLine(fact, fact.at, self.fitted, self.paid, self.answered)
            case ModelFitted():
                return FitLine(None, self.grid_at, self.fitted + 1, self.paid + fact.costs, answered=True)
            case FitRefused():
                # Without any model yet, the next cycle asks again.
                grid_at = self.grid_at if self.answered else None
                return FitLine(None, grid_at, self.fitted, self.paid, self.answered)


def due(
    line: FitLine, policy: Policy, *, table: RefitTable, now: Instant, began_at: Instant | None
) -> FitAsked | None:
    """Ask for a fit when the policy says so: the first one at once, others on the grid.

    The grid of ``every 30d`` is anchored at the epoch, so that policies with spans that
    divide each other share their fits.

    Parameters
    ----------
    table
        The brief's ``[policy.refit]``: what a fit takes and costs, and how much history comes first.
    began_at
        When the first case was decided; None before that.
    """
    if began_at is None or now < began_at + table.first:
        return None
    if not policy.uses_models or line.pending is not None:
        return None
    first = line.grid_at is None
    on_grid = policy.every > 0 and not first and now // policy.every > (line.grid_at or 0) // policy.every
    if not (first or on_grid):
        return None
    return FitAsked(at=now, ready_at=now + table.fit.takes, costs=table.fit.costs)


def next_fit_at(
    line: FitLine, policy: Policy, *, table: RefitTable, at: Instant, began_at: Instant | None
) -> Instant | None:
    """Say from when on, not before ``at``, :func:`due` asks for a fit; None when it won't as things stand."""
    if began_at is None or not policy.uses_models or line.pending is not None:
        return None
    earliest_at = max(at, began_at + table.first)
    if line.grid_at is None:
        return earliest_at
    if not policy.every:
        return None
    return max(earliest_at, (line.grid_at // policy.every + 1) * policy.every)
