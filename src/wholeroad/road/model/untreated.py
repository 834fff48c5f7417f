"""Who was left alone: the cases from which a fit learns what happens when nothing is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import LAST, Instant
from wholeroad.core.view import Codes
from wholeroad.road.data.acting import no_action_code
from wholeroad.road.data.history import History
from wholeroad.road.data.incumbent import SILENT

LARGEST_WEIGHT: Final = 20.0
"""A case stands for at most so many (weights are cut off there, at the price of a little bias)."""

LEAST_RANDOMISED: Final = 100
"""Fewer randomised cases tell nothing about money; with fewer, nothing is estimated from them."""


@dataclass(frozen=True)
class Acted:
    """What was done to the cases of a cut, as far as it was known then.

    Attributes
    ----------
    action
        Shape (n,): action codes, -1 where it isn't known.
    propensity
        Shape (n,), in (0, 1]: with which the action was chosen; NaN where it isn't known.
    no_action
        Code of the action that leaves alone; -1 where the brief doesn't name one.
    recorded
        Whether there is a record; without one, history is taken for the status quo's.
    """

    action: Codes
    propensity: NDArray[np.float64]
    no_action: int
    recorded: bool

    @property
    def untreated(self) -> NDArray[np.bool_]:
        """Shape (n,): the case was left alone."""
        alone: NDArray[np.bool_] = (self.action == self.no_action) & (self.action != SILENT)
        return alone

    @property
    def randomised(self) -> NDArray[np.bool_]:
        """Shape (n,): chance had a known part in what was done."""
        drawn: NDArray[np.bool_] = (self.action != SILENT) & (self.propensity > 0) & (self.propensity < 1)
        return drawn

    def take(self, rows: NDArray[np.int64]) -> Acted:
        """Give what was done to some of the cases."""
        return replace(self, action=self.action[rows], propensity=self.propensity[rows])

    def content(self) -> list[NDArray[np.generic]]:
        """Give the arrays that tell it from others, for digests."""
        return [self.action, self.propensity, np.array([self.no_action, self.recorded])]


def acted_at(history: History, rows: NDArray[np.int64], *, now: Instant) -> Acted | None:
    """Say what was done to some cases, as known at ``now``; None where acting changes no outcome.

    Without a record, history is what the status quo did: then its cases are untreated only where the
    status quo leaves alone.
    """
    brief = history.brief
    if brief.outcome.depends_on_action == "no":
        return None
    code = no_action_code(brief)
    alone = SILENT - 1 if code is None else code
    if history.logged is None:
        return Acted(history.status_quo[rows], np.full(rows.size, np.nan), alone, recorded=False)
    logged = history.logged.as_of(now).take(rows)
    return Acted(logged.action, logged.propensity, alone, recorded=True)


def learning_rows(acted: Acted | None, part: slice) -> NDArray[np.int64]:
    """Give the rows of a slice that a fit learns from: those left alone, as often as they weigh.

    A case that was left alone by chance stands for all that chance could have left alone, and weighs
    one over its propensity; without a known propensity it weighs 1, which assumes that the features
    tell why it was left alone (Rosenbaum and Rubin 1983, Biometrika 70). Weights become repetitions,
    because every learner takes those: running totals are rounded, so that each case comes as often as
    it weighs to within one, in order of time, without dice.

    Examples
    --------
    >>> acted = Acted(np.array([0, 1, 0], dtype=np.int8), np.array([0.5, 0.5, 1.0]), 0, recorded=True)
    >>> learning_rows(acted, slice(0, 3)), learning_rows(None, slice(1, 3))
    (array([0, 0, 2]), array([1, 2]))
    """
    rows = np.arange(part.start, part.stop)
    if acted is None:
        return rows
    rows = rows[acted.untreated[part]]
    propensity = acted.propensity[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(propensity > 0, np.minimum(1 / propensity, LARGEST_WEIGHT), 1.0)
    totals = np.floor(np.concatenate([[0.0], np.cumsum(weights)]) + 0.5)
    return np.repeat(rows, np.diff(totals).astype(np.int64))


def spoken_of(history: History, rows: slice) -> NDArray[np.bool_]:
    """Tell of which cases the outcome is what a model speaks of: all, or those left alone.

    Where acting changes outcomes, a probability is that of a case left alone, and says nothing about one
    that was acted on.
    """
    first, last, _ = rows.indices(history.cases.ids.size)
    acted = acted_at(history, np.arange(first, last), now=LAST)
    return np.ones(last - first, dtype=bool) if acted is None else acted.untreated
