"""Policies valued on cases in which chance chose the action, where acting changes what happens.

What a policy would have brought on a case that was treated otherwise is never seen. Counting the outcome
that came true as if it would have come true anyway gives a *naive* figure, which is not identified: no
amount of such history corrects it. On cases where chance had a known part in the action each policy's
money is estimated by weighing (:mod:`wholeroad.road.model.weighing`), and only there policies are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import PENDING, Codes
from wholeroad.road.brief.contract import Gain
from wholeroad.road.data.history import History
from wholeroad.road.data.incumbent import Logged, nothing_logged
from wholeroad.road.model.untreated import LEAST_RANDOMISED
from wholeroad.road.model.weighing import doubly_robust, effective_size, match_weights
from wholeroad.road.release.randomising import LeftAlone
from wholeroad.road.watch.results import Comparison, PolicyMoney
from wholeroad.road.watch.work import STATUS_QUO, ModelValues, PolicyRun, Scored, compare

LEAST_TRIED: Final = 10
"""An action that chance took less often carries no estimate; neither does a policy that wants it."""

LEAST_SEEN: Final = 5
"""Of so many of its cases another outcome than the most frequent one is to be expected, if outcomes matter to
its money, by how often it came in all randomised cases: with fewer the interval is far too short (with one it
held the truth in 65% of trials instead of 95%). What this action's own cases met doesn't decide: that would
keep the lucky ones."""


@dataclass(frozen=True)
class Evidence:
    """What was done to scored cases, each array of shape (n,).

    Attributes
    ----------
    action
        Codes; -1 where it isn't known.
    propensity
        With which it was chosen, in (0, 1]; NaN where it isn't known.
    """

    action: Codes
    propensity: NDArray[np.float64]

    @property
    def randomised(self) -> NDArray[np.bool_]:
        """Shape (n,): chance had a known part in the action."""
        drawn: NDArray[np.bool_] = (self.action >= 0) & (self.propensity > 0) & (self.propensity < 1)
        return drawn


def evidence_of(history: History, rows: slice) -> Evidence | None:
    """Give what was done to some cases, as far as it is known; None where acting changes no outcome."""
    if history.brief.outcome.depends_on_action == "no":
        return None
    logged = history.logged or nothing_logged(history.cases.ids.size, history.status_quo.dtype)
    return Evidence(logged.take(rows).action, logged.take(rows).propensity)


def drawn_together(
    propensity: NDArray[np.float64] | None,
    logged: Logged | None,
    *,
    ids: NDArray[np.uint64],
    rule: LeftAlone | None,
    seed: int,
) -> NDArray[np.float64] | None:
    """Find the cases in which a policy's action and the one on record come from the same draw.

    Who is left alone hangs on the case alone, so that a policy that is rehearsed on our own record leaves
    alone those who were left alone then. Weighed as if there had been two draws, such cases count twice.

    Parameters
    ----------
    propensity
        Shape (n,): with which the rehearsed policy chose its actions; None where chance had no part.
    rule
        By which it leaves a share alone.

    Returns
    -------
    ndarray or None
        ``propensity`` in cases that were decided here by the same rule, NaN in others; None without any.
    """
    if propensity is None or rule is None or logged is None or logged.ours is None:
        return None
    drawn = rule.draws(ids, seed=seed)
    ours = logged.ours & logged.randomised
    then = np.where(drawn, rule.share, 1 - rule.share)
    same = (drawn == (logged.action == rule.action)) & np.isclose(logged.propensity, then)
    if not ours.any() or not same[ours].all():
        return None  # another seed, or another share
    return np.where(ours, propensity, np.nan)


def judged_on(
    runs: Sequence[PolicyRun], scored: Scored, *, evidence: Evidence | None
) -> tuple[Sequence[PolicyRun], Scored]:
    """Give the policies and the cases that money is taken from: the randomised ones where they carry it.

    With fewer than :data:`~wholeroad.road.model.untreated.LEAST_RANDOMISED` of them, or when they tell too
    little of the status quo (:meth:`Randomised.supports`), everything stays as it was given. Fits cost in
    proportion.
    """
    judged = None if evidence is None else Randomised.of(scored, evidence)
    if judged is None or len(judged.rows) < LEAST_RANDOMISED or not judged.supports(scored.status_quo):
        return runs, scored
    share = len(judged.rows) / max(1, len(scored.rows))
    supported = [run for run in runs if judged.supports(run.action)]
    paid = [replace(run, fits=tuple((at, cost * share) for at, cost in run.fits)) for run in supported]
    return paid, judged


def compare_acting(
    runs: Sequence[PolicyRun],
    scored: Scored,
    *,
    evidence: Evidence | None,
    models: ModelValues | None,
    unit: str,
    seed: int,
    success: Gain | None = None,
) -> Comparison:
    """Compare policies on randomised cases, with the naive figures beside; on all cases without evidence.

    The money of a policy is that of the randomised cases, without the others: nothing says that those
    are like them, unless who was randomised was drawn from all. The cost of fits counts in
    proportion. Ranges of values are taken at their middle, and there is no regret, since no outcome is known
    that another action would have met.

    Returns
    -------
    Comparison
        Without enough randomised cases (:func:`judged_on`) ``randomised`` is 0, every figure naive, and
        ``identified`` False. Policies that want actions of which chance shows too little are in
        ``unsupported``.
    """
    naive = compare(runs, scored, models=models, unit=unit, seed=seed, success=success)
    supported, judged = judged_on(runs, scored, evidence=evidence)
    if not isinstance(judged, Randomised):
        return replace(naive, identified=evidence is None)
    estimated = compare(supported, judged, models=None, unit=unit, seed=seed, success=success)
    shown = {STATUS_QUO: PolicyRun(STATUS_QUO, scored.status_quo), **{run.policy: run for run in supported}}
    beside = {money.policy: money for money in naive.policies}
    names = {money.policy for money in estimated.policies}
    return replace(
        estimated,
        policies=tuple(
            _beside(money, beside[money.policy], judged.effective(shown[money.policy]))
            for money in estimated.policies
        ),
        randomised=len(judged.rows),
        unsupported=tuple(name for name in beside if name not in names),
    )


def _beside(money: PolicyMoney, naive: PolicyMoney, effective: float) -> PolicyMoney:
    return replace(
        money,
        unknown=naive.unknown,
        pending=naive.pending,
        fit_costs=naive.fit_costs,
        naive_per_case=naive.per_case,
        naive_gain_per_case=naive.gain_per_case,
        effective_cases=effective,
    )


@dataclass(frozen=True)
class Randomised(Scored):
    """The randomised cases among scored ones: only they count, and their money is estimated.

    Attributes
    ----------
    taken, propensity
        Shape (n,): what was done, and with what probability.
    """

    taken: Codes | None = None
    propensity: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, scored: Scored, evidence: Evidence) -> Randomised:
        """Leave the other cases out."""
        given = {field.name: getattr(scored, field.name) for field in fields(Scored)}
        truth = np.where(evidence.randomised, scored.truth, PENDING).astype(scored.truth.dtype)
        given |= {"truth": truth, "ranges": ()}
        return cls(**given, taken=evidence.action, propensity=evidence.propensity)

    @cached_property
    def _was(self) -> tuple[Codes, NDArray[np.float64]]:
        if self.taken is None or self.propensity is None:
            message = "randomised cases need what was done to them"
            raise ValueError(message)
        return self.taken[self.rows], self.propensity[self.rows]

    def money(self, action: Codes, *, drawn_with: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Estimate the money of each randomised case under these actions; right on average, not singly."""
        taken, propensity = self._was
        rows = self.rows
        seen = self.values.take(rows).money(taken, truth=self.truth[rows])
        shared = None if drawn_with is None else drawn_with[rows]
        return doubly_robust(seen, action[rows], taken=taken, propensity=propensity, drawn_with=shared)

    @cached_property
    def _supported(self) -> list[bool]:
        taken, truth = self._was[0], self.truth[self.rows]
        values = self.values.take(self.rows)
        found: list[bool] = []
        rarer = 1 - float(np.bincount(truth).max(initial=0)) / max(1, truth.size)
        for tried in np.bincount(taken, minlength=len(self.actions)).tolist():
            code, enough = len(found), tried >= LEAST_TRIED
            if enough and tried * rarer < LEAST_SEEN - 1e-9:
                one, other = (
                    values.money(np.full_like(taken, code), truth=np.full_like(truth, seen))
                    for seen in (truth.min(), truth.max())
                )
                enough = bool(truth.min() < truth.max() and (one == other).all())
            found.append(enough)
        return found

    def clairvoyant(self) -> float:
        """Give NaN: nobody knows what would have come true under another action."""
        return float("nan")

    def supports(self, action: Codes) -> bool:
        """Tell whether chance took each action that is wanted, and saw outcomes after it, often enough.

        :data:`LEAST_TRIED` and :data:`LEAST_SEEN` say how often.
        """
        return all(self._supported[code] for code in np.unique(action[self.rows]))

    def effective(self, run: PolicyRun) -> float:
        """Give how many equally weighted cases tell as much about a policy."""
        (taken, propensity), rows = self._was, self.rows
        shared = None if run.drawn_with is None else run.drawn_with[rows]
        weights = match_weights(run.action[rows], taken=taken, propensity=propensity, drawn_with=shared)
        return effective_size(weights)
