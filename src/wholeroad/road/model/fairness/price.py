"""What fairness costs: thresholds learnt on earlier cases, judged in money on later ones, by tolerance.

A price rests on the cases that thresholds decide otherwise. Where these are few, the rare outcome that costs
most may not have come yet, and Student's interval is sure of a price that isn't so. So the days are also
weighed anew, by Rubin's weights (1981, *The Bayesian bootstrap*, Annals of Statistics 9), beside one more
case with the least, or the most, that a case decided otherwise could have brought; the wider end counts. With
one outcome more, the most extreme, an interval holds for any spread of the money between them (Gaffke 2005,
*Three test statistics for a nonparametric one-sided hypothesis on the mean of a nonnegative variable*).
Thresholds count as given: the luck of what they were learnt from is in no interval, and one that changes no
decision of these cases costs exactly nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.core.ids import chance
from wholeroad.core.instants import Span
from wholeroad.core.view import Codes
from wholeroad.road.brief.values import Values
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.data.bias.groups import Grouping, grouping
from wholeroad.road.data.bias.ratios import ratios, tally
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.capacity import Room, decide_within
from wholeroad.road.model.fairness.assessed import assess
from wholeroad.road.model.fairness.disparities import disparity_of
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold, learn_thresholds
from wholeroad.road.model.fairness.measures import measured
from wholeroad.road.model.fairness.priced import PriceCurve, PricePoint
from wholeroad.road.model.fairness.thresholds import GroupThresholds

Floats = NDArray[np.float64]

TOLERANCES: Final = (0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.0)
"""Of shares, the loosest first."""

OF_THE_GAP: Final = (1.0, 0.75, 0.5, 0.35, 0.2, 0.1, 0.05, 0.0)
"""Of the difference without thresholds: tolerances of a measure in money."""

CONFIDENCE: Final = 0.95

_DRAWS: Final = 2000
_DAYS_DRAWN: Final = 400
"""More blocks of time than that are put together for the draws."""


@dataclass(frozen=True)
class _Judged:
    """Later cases with a known outcome, in order of time, and how they are compared."""

    cases: Foretold
    values: Values
    truth: Codes
    group: Grouping
    blocks: NDArray[np.int64]
    known: NDArray[np.int64]
    aim: Aim
    capacity: Capacity | None

    def point(self, thresholds: GroupThresholds | None, *, plain: Codes | None, within: float) -> PricePoint:
        """Decide by thresholds, and say what came of it; ``plain`` are the actions without any."""
        action = self.actions(thresholds)
        cases, rows = self.cases, self.known
        assessed = assess(
            self.aim.terms,
            decided_at=cases.decided_at[rows],
            action=action,
            truth=self.truth,
            values=self.values,
            status_quo=cases.status_quo[rows],
            probabilities=cases.probabilities[rows],
        )
        (found,) = measured(assessed, (self.group,), blocks=self.blocks)
        apart = disparity_of(
            found, self.aim.equal, confidence=CONFIDENCE, least_cases=self.aim.least_cases
        ).difference
        instead = action if plain is None else plain
        before = self.values.money(instead, truth=self.truth)
        sizes = self.group.cases
        selected = np.bincount(self.group.codes, weights=assessed.selected, minlength=sizes.size)
        rates = selected / np.maximum(sizes, 1)
        return PricePoint(
            within=within,
            disparity=apart or Estimate(float("nan"), float("-inf"), float("inf")),
            gain_per_case=self._mean(assessed.money - assessed.status_quo_money),
            price_per_case=self._price(before - assessed.money, action=action, instead=instead),
            selection=dict(zip(self.group.values, rates.tolist(), strict=True)),
        )

    def actions(self, thresholds: GroupThresholds | None) -> Codes:
        """Decide all as live; give the actions of those with a known outcome."""
        cases, terms = self.cases, self.aim.terms
        expected = cases.expected
        if thresholds is not None:
            expected = thresholds.adjust(
                expected,
                cases.probabilities,
                texts=cases.texts,
                selected=terms.selected,
                positive=terms.positive,
            )
        action, _ = decide_within(
            expected,
            status_quo=cases.status_quo,
            held=cases.held,
            ids=np.arange(len(expected), dtype=np.uint64),
            room=Room.empty(self.capacity, cases.decided_at),
        )
        return action[self.known]

    def _price(self, money: Floats, *, action: Codes, instead: Codes) -> Estimate:
        """Give the mean, whose interval knows that what is rare may not have come yet."""
        found = self._mean(money)
        differ = np.flatnonzero(action != instead)
        if not differ.size or not np.isfinite(found.low):
            return found
        least, most = self._furthest(differ, action=action[differ], instead=instead[differ])
        count = min(int(self.blocks[-1]) + 1, _DAYS_DRAWN)
        block = self.blocks * count // (int(self.blocks[-1]) + 1)
        sums = np.bincount(block, money, minlength=count), np.bincount(block, minlength=count)
        drawn = chance(np.arange(_DRAWS * (count + 1), dtype=np.uint64), seed=0, salt="price")
        weights = -np.log1p(-drawn.reshape(_DRAWS, count + 1))
        brought, cases = weights[:, 1:] @ sums[0], weights[:, 1:] @ sums[1]
        low, high = ((brought + weights[:, 0] * one) / cases for one in (least, most))
        tail = (1 - CONFIDENCE) / 2
        return Estimate(
            found.value,
            min(found.low, float(np.quantile(low, tail))),
            max(found.high, float(np.quantile(high, 1 - tail))),
        )

    def _furthest(self, rows: NDArray[np.int64], *, action: Codes, instead: Codes) -> tuple[float, float]:
        """Give the least and the most that a case decided otherwise could cost, whatever came true."""
        values, ends = self.values.take(rows), [0.0]
        for code in range(self.cases.probabilities.shape[1]):
            truth = np.full(rows.size, code, dtype=self.truth.dtype)
            money = values.money(instead, truth=truth) - values.money(action, truth=truth)
            ends += [float(each) for each in money[np.isfinite(money)]]
        return min(ends), max(ends)

    def _mean(self, money: Floats) -> Estimate:
        everybody = np.zeros(money.size, dtype=np.int64)
        columns = {"money": money, "cases": np.ones(money.size)}
        sums = tally(everybody, self.blocks, groups=1, columns=columns)
        return ratios(sums["money"], sums["cases"], share=False).everybody(CONFIDENCE)


def price_curve(
    cases: Foretold,
    aim: Aim,
    *,
    values: Values,
    truth: Codes,
    matures: Span,
    tolerances: Sequence[float] | None = None,
    capacity: Capacity | None = None,
) -> PriceCurve:
    """Price a grid of tolerances on later cases than thresholds were learnt on.

    Thresholds are learnt on the earlier half, without the cases whose outcome couldn't be known when the
    later half begins. The money of each tolerance is compared case by case with the decisions without
    thresholds; a price below none is a gain. Sampling lets curves rise and fall: they are left as they are.

    Parameters
    ----------
    cases
        Decided cases in order of time that the model hadn't learnt from when it stated their probabilities.
    aim
        What is brought together between whom; its tolerance isn't asked.
    values, truth
        Of all cases; a negative truth isn't known.
    matures
        Microseconds from a decision until its outcome is typical.
    tolerances
        In any order; :data:`TOLERANCES` for shares, and parts of the difference without thresholds for money.
    capacity
        How many cases of a period another action may be taken on; thresholds are learnt without it.

    Raises
    ------
    ValueError
        Where one of the two spans has no case with a known outcome.
    """
    at = cases.decided_at
    begin = int(np.searchsorted(at, at[at.size // 2])) if at.size else 0
    learnt = int(np.searchsorted(at, at[begin] - matures, side="right")) if begin else 0
    learnt = min(learnt, begin)
    later = slice(begin, at.size)
    judged = _judged(cases.take(later), aim, values=values.take(later), truth=truth[later], capacity=capacity)
    if not learnt or not judged.known.size:
        message = "a price needs cases to learn from and later ones, with known outcomes, to be judged on"
        raise ValueError(message)
    earlier = cases.take(slice(0, learnt))
    plain = judged.actions(None)
    if tolerances is None:
        gap = learn_thresholds(earlier, replace(aim, within=float("inf"))).difference_before
        tolerances = [part * gap for part in OF_THE_GAP] if aim.equal == "gain_per_case" else TOLERANCES
    points = []
    for within in sorted(tolerances, reverse=True):
        found = learn_thresholds(earlier, replace(aim, within=within))
        points.append(judged.point(found.thresholds, plain=plain, within=within))
    return PriceCurve(
        grouping=aim.grouping,
        equal=aim.equal,
        learnt_from_at=int(at[0]),
        learnt_to_at=int(at[learnt - 1]),
        judged_from_at=int(at[begin]),
        judged_to_at=int(at[-1]),
        cases=judged.known.size,
        without=judged.point(None, plain=None, within=float("inf")),
        points=tuple(points),
        confidence=CONFIDENCE,
    )


def _judged(cases: Foretold, aim: Aim, *, values: Values, truth: Codes, capacity: Capacity | None) -> _Judged:
    known = np.flatnonzero(truth >= 0)
    known = known[values.take(known).known(truth[known])]
    blocks, _ = blocks_of(cases.decided_at[known])
    return _Judged(
        cases=cases,
        values=values.take(known),
        truth=truth[known],
        group=grouping(aim.grouping, cases.texts.gather(known), least_cases=aim.least_cases),
        blocks=blocks,
        known=known,
        aim=aim,
        capacity=capacity,
    )
