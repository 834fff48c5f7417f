"""Policies side by side: the same settled cases, the same resampled days, the fits paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core import ids
from wholeroad.core.instants import DAY, Instant
from wholeroad.core.view import PENDING, UNKNOWN
from wholeroad.road.brief.contract import Gain
from wholeroad.road.brief.values import Values
from wholeroad.road.watch.intervals import Histories, Resampling, resample
from wholeroad.road.watch.regret import Choices, Oracle, equal_models_floor, oracle
from wholeroad.road.watch.results import Comparison, Estimate, PolicyMoney, Success

STATUS_QUO: Final = "status quo"
NEVER: Final = "never"


@dataclass(frozen=True, slots=True)
class ValueRange:
    """A value that the brief gives as a range; decisions are made at its middle.

    Attributes
    ----------
    name
        As in the brief: ``rebook.late``.
    action, outcome
        Codes of the cell.
    below, above
        Lowest and highest value less the middle: at most 0, at least 0.
    """

    name: str
    action: int
    outcome: int
    below: float
    above: float


@dataclass(frozen=True)
class Scored:
    """The cases that every policy is scored on, and what became of them.

    Attributes
    ----------
    decided_at
        Shape (n,), int64 microseconds, ascending, in ``[from_at, to_at)``.
    truth
        Shape (n,), int8: class code, or :data:`~wholeroad.core.view.UNKNOWN`, or ``PENDING``.
    ids
        Shape (n,), uint64: stable hashes of the cases' keys.
    values
        What actions are worth to the cases; ranges at their middle.
    actions
        Names of the actions, in the order of their codes.
    status_quo
        Shape (n,), int8: the action without a model.
    from_at, to_at, known_at
        See :class:`Comparison`. Days are counted from ``from_at``.
    ranges
        Values given as ranges.
    """

    decided_at: NDArray[np.int64]
    truth: NDArray[np.int8]
    ids: NDArray[np.uint64]
    values: Values
    actions: tuple[str, ...]
    status_quo: NDArray[np.int8]
    from_at: Instant
    to_at: Instant
    known_at: Instant
    ranges: tuple[ValueRange, ...] = ()

    @cached_property
    def days(self) -> int:
        """Days from ``from_at`` to ``to_at``, the last one perhaps in part."""
        return max(1, -(-(self.to_at - self.from_at) // DAY))

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the settled cases."""
        return np.flatnonzero(self.truth >= 0)

    @cached_property
    def day(self) -> NDArray[np.int64]:
        """Day of each settled case."""
        return (self.decided_at[self.rows] - self.from_at) // DAY

    @cached_property
    def settled_per_day(self) -> NDArray[np.float64]:
        """Shape (days,): number of settled cases."""
        return np.bincount(self.day, minlength=self.days).astype(np.float64)

    def money(self, action: NDArray[np.int8]) -> NDArray[np.float64]:
        """Give the money of each settled case under these actions, shape (n,) for all cases."""
        rows = self.rows
        return self.values.take(rows).money(action[rows], truth=self.truth[rows])

    def daily(self, action: NDArray[np.int8]) -> NDArray[np.float64]:
        """Give the money of each day before the fits' cost, shape (days,)."""
        return np.bincount(self.day, weights=self.money(action), minlength=self.days).astype(np.float64)

    def clairvoyant(self) -> float:
        """Give the money of knowing every outcome beforehand."""
        rows = self.rows
        return float(self.values.take(rows).best(self.truth[rows]).sum())


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """What one policy did.

    Attributes
    ----------
    policy
        As written; :data:`NEVER` and :data:`STATUS_QUO` are compared against.
    action
        Shape (n,), int8: the action taken on each case of :class:`Scored`.
    fits
        ``(at, cost)`` of each fit; those at or after ``from_at`` are paid for.
    """

    policy: str
    action: NDArray[np.int8]
    fits: tuple[tuple[Instant, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelValues:
    """Every distinct model that some policy fitted, for the oracle to choose from.

    Attributes
    ----------
    effective_from
        Shape (m,), int64: when the model could enter.
    costs
        Shape (m,): money of its fit; 0 when it was paid for before ``from_at``.
    actions
        Shape (m, n), int8: what it would have done; anything before ``effective_from``.
    """

    effective_from: NDArray[np.int64]
    costs: NDArray[np.float64]
    actions: NDArray[np.int8]


def compare(
    runs: Sequence[PolicyRun],
    scored: Scored,
    *,
    models: ModelValues | None,
    unit: str,
    seed: int,
    resampling: Resampling | None = None,
    success: Gain | None = None,
) -> Comparison:
    """Compare policies in money on the same settled cases.

    A case's money is that of its action under its truth; cases without a known truth carry none, for
    every policy alike. Totals are after the fits' cost. The status quo is put first when it is not
    among the runs.

    Parameters
    ----------
    runs
        One for each policy, names distinct.
    scored
        The cases and their truth.
    models
        For the regret; None when no model was fitted.
    unit
        Of money, from the brief.
    seed
        The project's; the same seed gives the same intervals.
    resampling
        Block length, resamples and confidence; :class:`Resampling` has the defaults.
    success
        The brief's criterion.

    Raises
    ------
    ValueError
        When shapes disagree, cases lie outside the span, or a policy comes twice.
    """
    resampling = resampling or Resampling()
    if all(run.policy != STATUS_QUO for run in runs):
        runs = [PolicyRun(STATUS_QUO, scored.status_quo), *runs]
    _refuse_nonsense(runs, scored)
    histories = resample(scored.days, resampling, seed=seed)
    choices = None if models is None or not len(models.costs) else _choices(scored, models, seed=seed)
    against = _Against(
        scored=scored,
        histories=histories,
        daily={run.policy: scored.daily(run.action) for run in runs},
        costs={run.policy: _paid(run, scored)[1] for run in runs},
        oracle=oracle(choices) if choices else None,
        floor=equal_models_floor(choices, block_days=resampling.block_days, seed=seed) if choices else 0.0,
        first_cost=float(choices.costs[1]) if choices else 0.0,
        clairvoyant=scored.clairvoyant(),
    )
    return Comparison(
        unit=unit,
        from_at=scored.from_at,
        to_at=scored.to_at,
        known_at=scored.known_at,
        cases=len(scored.truth),
        block=resampling.block,
        resamples=resampling.resamples,
        confidence=resampling.confidence,
        policies=tuple(_policy_money(run, against, success) for run in runs),
        oracle=None
        if against.oracle is None
        else histories.total(against.oracle.daily, less=against.oracle.costs),
        clairvoyant=against.clairvoyant,
    )


@dataclass(frozen=True)
class _Against:
    """What every policy is held against."""

    scored: Scored
    histories: Histories
    daily: dict[str, NDArray[np.float64]]
    costs: dict[str, float]
    oracle: Oracle | None
    floor: float
    first_cost: float
    clairvoyant: float

    @cached_property
    def best(self) -> str:
        """The policy with the highest total; among equals the first."""
        return max(self.daily, key=lambda policy: float(self.daily[policy].sum()) - self.costs[policy])

    def beaten(self, policy: str) -> tuple[str, ...]:
        """Name the policies that this one clearly made more than."""
        differences = {other: self.difference(policy, other) for other in self.daily}
        return tuple(sorted(other for other, found in differences.items() if found and found.low > 0))

    def difference(self, policy: str, other: str) -> Estimate | None:
        """Estimate how much more a policy made; None against itself or a policy that wasn't run."""
        if policy == other or other not in self.daily:
            return None
        return self.histories.total(
            self.daily[policy] - self.daily[other], less=self.costs[policy] - self.costs[other]
        )


def _policy_money(run: PolicyRun, against: _Against, success: Gain | None) -> PolicyMoney:
    scored, histories = against.scored, against.histories
    daily, cases = against.daily[run.policy], scored.settled_per_day
    fits, costs = _paid(run, scored)
    total = histories.total(daily, less=costs)
    gain = daily - against.daily[STATUS_QUO]
    gain_costs = costs - against.costs[STATUS_QUO]
    regret = None
    if against.oracle is not None:
        regret = histories.total(against.oracle.daily - daily, less=against.oracle.costs - costs)
    is_status_quo = run.policy == STATUS_QUO
    judged = None
    if success is not None and not is_status_quo:
        bound = histories.lower_bound(gain, cases, less=gain_costs, confidence=success.confidence)
        judged = Success(success.per_case, success.confidence, bound, met=bound >= success.per_case)
    counts = np.bincount(run.action, minlength=len(scored.actions)) / max(1, len(run.action))
    corners, gain_corners = _corners(run.action, scored)
    versus_status_quo = against.difference(run.policy, STATUS_QUO)
    return PolicyMoney(
        policy=run.policy,
        settled=len(scored.rows),
        unknown=int((scored.truth == UNKNOWN).sum()),
        pending=int((scored.truth == PENDING).sum()),
        total=total,
        per_case=histories.ratio(daily, cases, less=costs),
        versus_status_quo=versus_status_quo,
        versus_never=against.difference(run.policy, NEVER),
        fits=fits,
        fit_costs=costs,
        regret_oracle=regret.value if regret else None,
        regret_floor=against.floor + costs - against.first_cost if against.oracle and run.fits else None,
        regret_clairvoyant=against.clairvoyant - total.value,
        corners=_around(total.value, corners),
        actions=dict(zip(scored.actions, counts.tolist(), strict=True)),
        versus_best=against.difference(run.policy, against.best),
        beats=against.beaten(run.policy),
        gain_per_case=None if is_status_quo else histories.ratio(gain, cases, less=gain_costs),
        gain_corners=_around(versus_status_quo.value, gain_corners) if versus_status_quo else None,
        regret_interval=(regret.low, regret.high) if regret else None,
        success=judged,
    )


def _paid(run: PolicyRun, scored: Scored) -> tuple[int, float]:
    paid = [cost for at, cost in run.fits if at >= scored.from_at]
    return len(paid), float(sum(paid))


def _around(value: float, by: tuple[float, float] | None) -> tuple[float, float] | None:
    return by and (value + by[0], value + by[1])


def _corners(
    action: NDArray[np.int8], scored: Scored
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Give how far the corners lie from the middle: of the total, and of the gain over the status quo.

    Money is linear in each range's value, so the corners need only the count of each cell.
    """
    if not scored.ranges:
        return None, None
    truth = scored.truth[scored.rows]
    low, high, gain_low, gain_high = 0.0, 0.0, 0.0, 0.0
    for item in scored.ranges:
        happened = truth == item.outcome
        count = int((happened & (action[scored.rows] == item.action)).sum())
        more = count - int((happened & (scored.status_quo[scored.rows] == item.action)).sum())
        low, high = low + count * item.below, high + count * item.above
        gain_low += min(more * item.below, more * item.above)
        gain_high += max(more * item.below, more * item.above)
    return (low, high), (gain_low, gain_high)


def _choices(scored: Scored, models: ModelValues, *, seed: int) -> Choices:
    order = np.argsort(models.effective_from, kind="stable")
    first_day = np.maximum(0, -((scored.from_at - models.effective_from[order]) // DAY))
    half = ids.chance(scored.ids[scored.rows], seed=seed, salt="oracle half") < 0.5
    place = half * scored.days + scored.day
    columns = []
    for action in [scored.status_quo, *models.actions[order]]:
        known = np.where((action >= 0) & (action < len(scored.actions)), action, scored.status_quo)
        weights = scored.money(known.astype(np.int8))
        columns.append(np.bincount(place, weights=weights, minlength=2 * scored.days).astype(np.float64))
    halves = np.stack(columns, axis=1).reshape(2, scored.days, len(columns))
    return Choices(
        halves=halves,
        costs=np.concatenate([[0.0], models.costs[order]]),
        first_day=np.concatenate([[0], first_day]).astype(np.int64),
    )


def _refuse_nonsense(runs: Sequence[PolicyRun], scored: Scored) -> None:
    n = len(scored.truth)
    names = [run.policy for run in runs]
    if len(set(names)) != len(names):
        message = f"each policy may come once; there were {names}"
        raise ValueError(message)
    if any(len(column) != n for column in (scored.decided_at, scored.ids, scored.status_quo)):
        message = "decided_at, truth, ids and status_quo must have one entry for each case"
        raise ValueError(message)
    if any(run.action.shape != (n,) for run in runs) or len(scored.values) != n:
        message = f"actions and values must have one entry for each of {n} cases"
        raise ValueError(message)
    if n and not scored.from_at <= scored.decided_at.min() <= scored.decided_at.max() < scored.to_at:
        message = "every case must be decided in [from_at, to_at)"
        raise ValueError(message)
