"""Policies side by side: the same settled cases, the same resampled days, the fits paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core import ids
from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, Instant
from wholeroad.core.view import PENDING, UNKNOWN, Codes
from wholeroad.road.brief.contract import Gain
from wholeroad.road.brief.quantities import chosen_amounts
from wholeroad.road.brief.values import Values
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.model.capacity import Room, fitting_in
from wholeroad.road.watch.intervals import Histories, Resampling, resample
from wholeroad.road.watch.ranges import Paid, ValueRange
from wholeroad.road.watch.regret import Choices, Oracle, equal_models_floor, oracle
from wholeroad.road.watch.results import Comparison, PolicyMoney, Success

STATUS_QUO: Final = "status quo"
NEVER: Final = "never"


@dataclass(frozen=True)
class Scored:
    """The cases that every policy is scored on, and what became of them.

    Attributes
    ----------
    decided_at
        Shape (n,), int64 microseconds, ascending, in ``[from_at, to_at)``.
    truth
        Shape (n,): code of a class or a number, or :data:`~wholeroad.core.view.UNKNOWN`, or ``PENDING``.
    ids
        Shape (n,), uint64: stable hashes of the cases' keys.
    values
        What actions are worth to the cases; ranges at their middle.
    actions
        Names of the actions, in the order of their codes.
    status_quo
        Shape (n,): the action without a model.
    from_at, to_at, known_at
        See :class:`Comparison`. Days are counted from ``from_at``.
    ranges
        Values given as ranges, or as a ratio.
    form
        Of the brief's value.
    capacity
        How many cases of a period may be acted on.
    amounts
        Where actions are amounts: the amount behind each.
    """

    decided_at: NDArray[np.int64]
    truth: Codes
    ids: NDArray[np.uint64]
    values: Values
    actions: tuple[str, ...]
    status_quo: Codes
    from_at: Instant
    to_at: Instant
    known_at: Instant
    ranges: tuple[ValueRange, ...] = ()
    form: str = "money"
    capacity: Capacity | None = None
    amounts: tuple[float, ...] = ()

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

    def money(self, action: Codes, *, drawn_with: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Give the money of each settled case under these actions, shape (n,) for all cases."""
        del drawn_with  # for estimates; here it is known what came true
        return self.values.take(self.rows).money(action[self.rows], truth=self.truth[self.rows])

    def daily(self, action: Codes, *, drawn_with: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Give the money of each day before the fits' cost, shape (days,)."""
        each = self.money(action, drawn_with=drawn_with)
        return np.bincount(self.day, weights=each, minlength=self.days).astype(np.float64)

    def paid(self, action: Codes) -> Paid:
        """Count what each open value pays."""
        did, truth = action[self.rows], self.truth[self.rows]
        return Paid.count(self.ranges, did, truth=truth, day=self.day, days=self.days)

    def clairvoyant(self) -> float:
        """Give the money of knowing every outcome beforehand; under a capacity of the best of each period."""
        rows = self.rows
        best = self.values.take(rows).best(self.truth[rows])
        if self.capacity is None:
            return float(best.sum())
        own = self.money(self.status_quo)
        every = self.capacity.every
        room = Room.empty(self.capacity, self.decided_at[rows] // every * every)
        fits = room is not None and fitting_in(best > own, best - own, ids=self.ids[rows], room=room)
        return float(np.where(fits, best, own).sum())

    def daily_by_chance(self, action: Codes) -> NDArray[np.float64]:
        """Give each day's expected money were its actions dealt at random to its settled cases."""
        acted, day = action[self.rows], self.day
        money = np.zeros(self.days)
        for code in np.unique(acted):
            taken = np.bincount(day[acted == code], minlength=self.days)
            money += taken * self.daily(np.full_like(action, code))
        return money / np.maximum(1.0, self.settled_per_day)


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """What one policy did.

    Attributes
    ----------
    policy
        As written; :data:`NEVER` and :data:`STATUS_QUO` are compared against.
    action
        Shape (n,): the action taken on each case of :class:`Scored`.
    fits
        ``(at, cost)`` of each fit; those at or after ``from_at`` are paid for.
    drawn_with
        Shape (n,): where the action and what the log says was done come from the same draw of chance, the
        probability with which it gave this action; NaN elsewhere. None where no draw is shared.
    """

    policy: str
    action: Codes
    fits: tuple[tuple[Instant, float], ...] = ()
    drawn_with: NDArray[np.float64] | None = None


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
        Shape (m, n): what it would have done; anything before ``effective_from``.
    """

    effective_from: NDArray[np.int64]
    costs: NDArray[np.float64]
    actions: Codes


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
        daily={run.policy: scored.daily(run.action, drawn_with=run.drawn_with) for run in runs},
        costs={run.policy: _paid(run, scored)[1] for run in runs},
        paid={run.policy: scored.paid(run.action) for run in runs},
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
        policies=tuple(_with_open_values(_policy_money(run, against, success), run, against) for run in runs),
        oracle=None
        if against.oracle is None
        else histories.total(against.oracle.daily, less=against.oracle.costs),
        clairvoyant=against.clairvoyant,
        form=scored.form,
        open_values=tuple(item.open_value for item in scored.ranges),
    )


@dataclass(frozen=True)
class _Against:
    """What every policy is held against."""

    scored: Scored
    histories: Histories
    daily: dict[str, NDArray[np.float64]]
    costs: dict[str, float]
    paid: dict[str, Paid]
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

    def beaten_somewhere(self, policy: str) -> tuple[str, ...]:
        """Name the policies that this one clearly makes more than at the corner that is best for it."""
        found = []
        for other, daily in self.daily.items():
            more = self.daily[policy] - daily + self.paid[policy].less(self.paid[other]).at_best()
            costs = self.costs[policy] - self.costs[other]
            if other != policy and self.histories.total(more, less=costs).low > 0:
                found.append(other)
        return tuple(sorted(found))

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
    names = () if scored.amounts else scored.actions  # amounts are summed up, not counted
    counts = np.bincount(run.action, minlength=len(scored.actions)) / max(1, len(run.action))
    return PolicyMoney(
        policy=run.policy,
        settled=len(scored.rows),
        unknown=int((scored.truth == UNKNOWN).sum()),
        pending=int((scored.truth == PENDING).sum()),
        total=total,
        per_case=histories.ratio(daily, cases, less=costs),
        versus_status_quo=against.difference(run.policy, STATUS_QUO),
        versus_never=against.difference(run.policy, NEVER),
        fits=fits,
        fit_costs=costs,
        regret_oracle=regret.value if regret else None,
        regret_floor=against.floor + costs - against.first_cost if against.oracle and run.fits else None,
        regret_clairvoyant=against.clairvoyant - total.value,
        corners=_around(total.value, against.paid[run.policy].corners()),
        actions=dict(zip(names, counts.tolist(), strict=not scored.amounts)),
        amounts=chosen_amounts(scored.amounts, run.action),
        versus_best=against.difference(run.policy, against.best),
        beats=against.beaten(run.policy),
        gain_per_case=None if is_status_quo else histories.ratio(gain, cases, less=gain_costs),
        regret_interval=(regret.low, regret.high) if regret else None,
        success=judged,
    )


def _with_open_values(money: PolicyMoney, run: PolicyRun, against: _Against) -> PolicyMoney:
    """Add what the open values do to a policy's money, and under a capacity what chance would have made."""
    scored, daily = against.scored, against.daily[run.policy]
    paid = against.paid[run.policy]
    if scored.capacity is not None:
        by_chance = scored.daily_by_chance(run.action)
        versus_chance = against.histories.total(daily - by_chance)
        money = replace(money, by_chance=float(by_chance.sum()), versus_chance=versus_chance)
    gain = money.versus_status_quo
    if not scored.ranges or gain is None:
        return replace(money, open_counts=paid.counts)
    more = paid.less(against.paid[STATUS_QUO])
    wide = more.corners() is not None
    return replace(
        money,
        open_counts=paid.counts,
        gain_corners=_around(gain.value, more.corners()),
        beats_somewhere=against.beaten_somewhere(run.policy) if wide else money.beats,
        break_evens=more.break_evens(
            daily - against.daily[STATUS_QUO],
            costs=against.costs[run.policy] - against.costs[STATUS_QUO],
            histories=against.histories,
        ),
    )


def _paid(run: PolicyRun, scored: Scored) -> tuple[int, float]:
    paid = [cost for at, cost in run.fits if at >= scored.from_at]
    return len(paid), float(sum(paid))


def _around(value: float, by: tuple[float, float] | None) -> tuple[float, float] | None:
    return by and (value + by[0], value + by[1])


def _choices(scored: Scored, models: ModelValues, *, seed: int) -> Choices:
    order = np.argsort(models.effective_from, kind="stable")
    first_day = np.maximum(0, -((scored.from_at - models.effective_from[order]) // DAY))
    half = ids.chance(scored.ids[scored.rows], seed=seed, salt="oracle half") < 0.5
    place = half * scored.days + scored.day
    columns = []
    for action in [scored.status_quo, *models.actions[order]]:
        known = np.where((action >= 0) & (action < len(scored.actions)), action, scored.status_quo)
        weights = scored.money(known)
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
