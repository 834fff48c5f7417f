"""The limits of ``[fairness]``, looked at in the cycle on what was decided under the plan in force."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import Instant
from wholeroad.core.view import PENDING, AsOf, Codes
from wholeroad.road.data.bias.groups import groups_of
from wholeroad.road.data.history import History
from wholeroad.road.model.fairness.assessed import Terms, assess
from wholeroad.road.release.rules import Plan
from wholeroad.road.watch.facts import LimitsWatched
from wholeroad.road.watch.fairness.breaches import Looked, look_due, watch_limits


class Scores(Protocol):
    """Where cases are scored."""

    def probabilities(self, name: str, first: int, *, last: int) -> NDArray[np.float64]:
        """Score the cases ``first .. last - 1`` with a model."""


class LimitWatch:
    """Looks at the limits when it is time to.

    Parameters
    ----------
    action
        Shape (n,): the action decided for each case of the history, -1 for none; it grows.
    """

    def __init__(self, history: History, action: Codes, *, scores: Scores) -> None:
        self._history = history
        self._action = action
        self._scores = scores

    def look(
        self, plan: Plan, last: LimitsWatched | None, *, since_at: Instant | None, view: AsOf
    ) -> LimitsWatched | None:
        """Look at the limits as of a cycle; None where the brief has none, or it isn't time yet.

        Parameters
        ----------
        last
            The look before this one.
        since_at
            Since when models have decided, one after another; None where none does.
        """
        history = self._history
        table = history.brief.fairness
        if table is None or not table.limits or history.groups is None:
            return None
        if since_at is None or not look_due(last, since_at, every=table.watch_every, now=view.now):
            return None
        cases = self._decided(since_at, view)
        decided_at = history.timeline.decided_at[cases]
        # Outcomes that are known early aren't typical: the young cases count as decided only.
        typical = decided_at <= view.now - history.brief.outcome.matures
        assessed = assess(
            Terms.of(history.brief),
            decided_at=decided_at,
            action=self._action[cases],
            truth=np.where(typical, view.truth()[cases], PENDING),
            values=history.values.take(cases),
            status_quo=history.status_quo[cases],
            probabilities=self._probabilities(plan, cases),
        )
        groups = groups_of(history.groups.take(cases), table)
        looked = Looked(plan.model or "", since_at, last, view.now)
        return watch_limits(assessed, groups, table=table, looked=looked)

    def _decided(self, since_at: Instant, view: AsOf) -> NDArray[np.int64]:
        first = int(np.searchsorted(self._history.timeline.decided_at, since_at, side="left"))
        return first + np.flatnonzero(self._action[first : view.decided] >= 0)

    def _probabilities(self, plan: Plan, cases: NDArray[np.int64]) -> NDArray[np.float64]:
        table = self._history.brief.fairness
        asked = table is not None and any(limit.measure == "calibration_gap" for limit in table.limits)
        if not asked or plan.model is None or not cases.size:
            return np.full((cases.size, len(self._history.brief.prediction)), np.nan)
        # Former models stated theirs; only what the model in charge states can be asked for again.
        stated = np.full((cases.size, len(self._history.brief.prediction)), np.nan)
        own = np.flatnonzero(self._history.timeline.decided_at[cases] >= (plan.effective_from or 0))
        if own.size:
            first, last = int(cases[own[0]]), int(cases[-1]) + 1
            stated[own] = self._scores.probabilities(plan.model, first, last=last)[cases[own] - first]
        return stated
