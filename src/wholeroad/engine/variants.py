"""What a change of the data is worth: one policy rehearsed with it and without it, on the same cases.

The difference is paired: case by case, over the same resampled days, with the cost of the fits. It is
conditional on the fitted models, until it is widened by the luck of fits: what columns of pure chance do to
the same rehearsal. For with another column, whatever it is, a fit may stop earlier or choose another learner.
Where several changes are compared, the intervals hold for all of them together (Bonferroni).

A resampled history holds only what happened. Where few decisions differ, the rare outcome that costs most may
not have come yet, and all resamples are sure of a gain that isn't there. So each resample also draws outcomes
that were not seen: as often as one more case comes in a sample (Poisson with mean 1), each with the least
money, or for the upper end the most, that a decision that differs could have made. With one outcome more, the
most extreme, the interval holds for any spread of the money between them (Gaffke 2005, *Three test statistics
for a nonparametric one-sided hypothesis on the mean of a nonnegative variable*; Learned-Miller and Thomas
2019, *A new confidence interval for the mean of a bounded random variable*, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.estimates import Estimate
from wholeroad.core.ids import chance
from wholeroad.core.instants import DAY
from wholeroad.core.ports import Ledger, Progress, Tables
from wholeroad.core.view import Codes
from wholeroad.engine.rehearsal import Rehearsal, Walk
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.policies import Policy, parse_policy
from wholeroad.road.brief.values import Values
from wholeroad.road.data.history import History
from wholeroad.road.data.rows import FeatureRows
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.watch.intervals import Histories, Resampling, resample

MONTH_DAYS: Final = 365.25 / 12

LUCKY: Final = 4
"""Columns of chance that show the luck of fits; Student's quantile for as many degrees has a closed form."""

_CHANCE: Final = "_chance"

_MOST_OUTCOMES: Final = 33
"""Of numbers as outcomes, so many are tried, from the least to the greatest."""

_ONE_MORE: Final = np.cumsum([math.exp(-1) / math.factorial(times) for times in range(12)])
"""Poisson's distribution with mean 1."""

Stores = Callable[[], tuple[Tables, Ledger]]
"""Makes empty tables and an empty ledger, to be thrown away."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A history under one state of the data, and where its fits are made."""

    name: str
    history: History
    workshop: Workshop


@dataclass(frozen=True, slots=True)
class Walked:
    """What a policy did on one variant.

    Attributes
    ----------
    action
        Shape (n,): by case of the history, -1 where nothing was decided.
    fits
        The facts of its fits.
    refused
        The facts of fits that could not be made.
    """

    variant: Variant
    span: Walk
    action: Codes
    fits: tuple[ModelFitted, ...]
    refused: tuple[FitRefused, ...] = ()

    @property
    def learnt(self) -> bool:
        """Whether a model was ever in charge; else the status quo decided everything."""
        return any(fit.model is not None for fit in self.fits)

    @property
    def name(self) -> str:
        """That of the variant."""
        return self.variant.name

    @property
    def costs(self) -> float:
        """What its fits cost, from the beginning of the span on."""
        return float(sum(fit.costs for fit in self.fits if fit.asked_at >= self.span.from_at))


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more one variant made than another.

    Attributes
    ----------
    total, per_month
        Money with its interval; a month is 30.4 days.
    confidence
        Of the interval, before it was widened for the number of looks.
    looks
        How many differences the intervals hold for together.
    months
        Length of the span.
    cases
        That both decided and whose outcome is known.
    only_with, only_without
        Cases that one of them alone decided; they are in no figure.
    decided_otherwise
        Cases, of those that both decided, with another action.
    identified
        Whether outcomes don't hang on actions; else the money assumes that they don't.
    """

    name: str
    total: Estimate
    per_month: Estimate
    confidence: float
    looks: int
    months: float
    cases: int
    only_with: int
    only_without: int
    decided_otherwise: int
    identified: bool = True

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out nothing at all."""
        return self.per_month.low > 0 or self.per_month.high < 0

    def widened(self, luck: float) -> Difference:
        """Give the same with the luck of other fits in its interval, as :func:`luck_of_fits` gives it.

        A change that changed no decision stays as it is.
        """
        if not self.decided_otherwise:
            return self
        half = luck * _student_of_four(1 - (1 - self.confidence) / self.looks)
        value = self.per_month.value
        low = value - math.hypot(value - self.per_month.low, half)
        high = value + math.hypot(self.per_month.high - value, half)
        return replace(
            self,
            per_month=Estimate(value, low, high),
            total=Estimate(*(each * self.months for each in (value, low, high))),
        )


def policy_of(history: History) -> Policy:
    """Give the policy of the brief; *never refit* where it names none that learns."""
    policy = parse_policy(history.brief.policy.refit.when)
    return policy if policy.uses_models else parse_policy("never")


def walk(
    variant: Variant, span: Walk, *, policy: Policy, stores: Stores, progress: Progress | None = None
) -> Walked:
    """Rehearse the policy on one variant, and keep nothing of it but its fits."""
    tables, ledger = stores()

    def tell(step: str, done: float, total: float) -> None:
        if progress:
            progress(f"{variant.name}: {step}", done, total)

    rehearsed = Rehearsal(
        variant.history,
        variant.workshop,
        policy=policy,
        span=span,
        tables=tables,
        ledger=ledger,
        progress=tell,
    )
    rehearsed.run(variant.name, digests(variant.history.brief).brief)
    facts = [fact for _, fact in ledger.read()]
    fits = tuple(fact for fact in facts if isinstance(fact, ModelFitted))
    refused = tuple(fact for fact in facts if isinstance(fact, FitRefused))
    return Walked(variant, span, rehearsed.action.copy(), fits, refused)


def difference(
    with_it: Walked,
    without: Walked,
    *,
    judge: History,
    looks: int = 1,
    resampling: Resampling | None = None,
) -> Difference:
    """Compare what was done with a change of the data and without it, in money.

    Parameters
    ----------
    with_it, without
        Cases are joined by their keys.
    judge
        Whose truth and values count, the same for both: those that are believed.
    looks
        How many differences are looked at together.

    Raises
    ------
    UserError
        ``data.no-common-cases`` when not one settled case was decided by both.
    """
    resampling = resampling or Resampling()
    one, other = _decided(with_it), _decided(without)
    common, places, other_places = np.intersect1d(one[0], other[0], return_indices=True)
    there, settled, rows, truth = _judged(common, judge)
    if not rows.size:
        raise _nothing_common(with_it, without)
    did, instead = one[1][places][there][settled], other[1][other_places][there][settled]
    values = judge.values.take(rows)
    gain = values.money(did, truth=truth) - values.money(instead, truth=truth)
    unseen = _unseen(judge, values, did=did, instead=instead)
    span = with_it.span
    days = max(1, -(-(span.to_at - span.from_at) // DAY))
    day = (judge.timeline.decided_at[rows] - span.from_at) // DAY
    daily = np.bincount(np.clip(day, 0, days - 1), weights=gain, minlength=days).astype(np.float64)
    histories = resample(days, resampling, seed=judge.brief.model.seed)
    if looks > 1:
        histories = histories.at(1 - (1 - resampling.confidence) / looks)
    costs = with_it.costs - without.costs
    total = _with_unseen(histories, daily, unseen=unseen, costs=costs, seed=judge.brief.model.seed)
    months = (span.to_at - span.from_at) / DAY / MONTH_DAYS
    return Difference(
        name=with_it.name,
        total=total,
        per_month=Estimate(*(each / months for each in (total.value, total.low, total.high))),
        confidence=resampling.confidence,
        looks=looks,
        months=months,
        cases=int(rows.size),
        only_with=int(one[0].size - common.size),
        only_without=int(other[0].size - common.size),
        decided_otherwise=int(np.count_nonzero(one[1][places] != other[1][other_places])),
        identified=judge.brief.outcome.depends_on_action == "no",
    )


def with_wrong_labels(history: History, *, share: float) -> History:
    """Give a history in which fits learn from some labels that are wrong, drawn by the hash of the case.

    Each wrong label is another class, all equally likely. Features over outcomes keep the right ones.
    """
    timeline, classes = history.timeline, len(history.brief.outcome.classes)
    seed = history.brief.model.seed
    drawn = chance(history.cases.ids, seed=seed, salt="wrong label")
    step = 1 + (chance(history.cases.ids, seed=seed, salt="which label") * (classes - 1)).astype(np.int64)
    case, code = timeline.truth_case, timeline.truth_code
    wrong = (drawn[case] < share) & (code >= 0)
    codes = np.where(wrong, (code + step[case]) % classes, code).astype(code.dtype)
    return replace(history, timeline=replace(timeline, truth_code=codes))


def with_chance_column(history: History, *, draw: int) -> History:
    """Give a history with one feature more, which tells nothing: a number drawn by the hash of the case."""
    ids, frame = history.cases.ids, history.features.frame
    drawn = chance(ids, seed=history.brief.model.seed, salt=f"column of chance {draw}")
    with_it = frame.with_columns(pl.Series(_CHANCE, drawn))
    rows = FeatureRows(ids, lambda first, last: with_it[first:last]).whole()
    return replace(history, features=rows)


def luck_of_fits(differences: Sequence[Difference]) -> float:
    """Give the standard deviation, in money a month, that the luck of fits adds to a difference.

    A useless column is one of chance: what such columns made of the rehearsal is a sample of what a useless
    column makes of it (as in a permutation test). What other days would do is taken off, since it is in the
    interval already.

    Parameters
    ----------
    differences
        Of :data:`LUCKY` columns of chance to the data as they are, looked at one by one.
    """
    squares = []
    for each in differences:
        error = (each.per_month.high - each.per_month.low) / 4
        squares.append(each.per_month.value**2 - (error**2 if math.isfinite(error) else 0.0))
    return math.sqrt(max(0.0, sum(squares) / len(squares)))


def _student_of_four(confidence: float) -> float:
    """Give Student's two-sided quantile with four degrees of freedom.

    Shaw 2006, *Sampling Student's T distribution*, Journal of Computational Finance 9, 4.
    """
    root = math.sqrt(1 - confidence**2)
    return 2 * math.sqrt(math.cos(math.acos(root) / 3) / root - 1)


def _unseen(judge: History, values: Values, *, did: Codes, instead: Codes) -> tuple[float, float]:
    """Give the least and the most that one more decision that differs could bring, whatever came true."""
    differ = np.flatnonzero(did != instead)
    if not differ.size:
        return 0.0, 0.0
    some, kind = values.take(differ), judge.timeline.truth_code.dtype
    count = len(judge.brief.outcome.classes) if judge.told.levels is None else judge.told.levels.size
    ends = []
    for code in np.unique(np.linspace(0, count - 1, min(count, _MOST_OUTCOMES)).astype(int)):
        truth = np.full(differ.size, code, dtype=kind)
        each = some.money(did[differ], truth=truth) - some.money(instead[differ], truth=truth)
        each = each[np.isfinite(each)]
        ends.append((float(each.min(initial=0.0)), float(each.max(initial=0.0))))
    return min(low for low, _ in ends), max(high for _, high in ends)


def _with_unseen(
    histories: Histories,
    daily: NDArray[np.float64],
    *,
    unseen: tuple[float, float],
    costs: float,
    seed: int,
) -> Estimate:
    """Estimate a total of daily sums less costs, with outcomes that were not seen drawn beside the days."""
    found = histories.total(daily, less=costs)
    if histories.weights is None:
        return found
    draws = np.einsum("rd,d->r", histories.weights, daily) - costs
    lots = chance(np.arange(draws.size, dtype=np.uint64), seed=seed, salt="unseen outcomes")
    times = np.searchsorted(_ONE_MORE, lots, side="right")
    tail = (1 - histories.confidence) / 2
    low = float(np.quantile(draws + times * unseen[0], tail)) - found.value
    high = float(np.quantile(draws + times * unseen[1], 1 - tail)) - found.value
    return Estimate(
        found.value, found.value + histories.widening * low, found.value + histories.widening * high
    )


def _judged(
    common: NDArray[np.uint64], judge: History
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], Codes]:
    """Find the cases that can be judged: which of the common ones are there, which of those have money.

    Returns
    -------
    there, settled, rows, truth
        The first of the common ones, the second of those that are there; the others of those with money.
    """
    ids, judged = judge.cases.ids, judge.as_of(judge.until + 1).truth()
    order = np.argsort(ids, kind="stable")
    found = order[np.minimum(np.searchsorted(ids[order], common), ids.size - 1)] if ids.size else order
    there = (ids[found] == common) if common.size else np.zeros(0, dtype=bool)
    truth = judged[found[there]]
    settled = truth >= 0
    settled[settled] = judge.values.take(found[there][settled]).known(truth[settled])
    return there, settled, found[there][settled], truth[settled]


def _nothing_common(with_it: Walked, without: Walked) -> UserError:
    decided = [int(np.count_nonzero(each.action >= 0)) for each in (with_it, without)]
    return UserError(
        "data.no-common-cases",
        "The two states of the data have no settled case in common",
        happened=f"{decided[0]:,} cases were decided with {with_it.name}, {decided[1]:,} without",
        expected="cases that both decided and whose outcome is known",
        fix="look at what the change does to the key, or rehearse a longer span",
    )


def _decided(walked: Walked) -> tuple[NDArray[np.uint64], Codes]:
    decided = np.flatnonzero(walked.action >= 0)
    return walked.variant.history.cases.ids[decided], walked.action[decided]
