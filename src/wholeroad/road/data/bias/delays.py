"""How long outcomes take to become known, by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, Span
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.horizons import horizon_of
from wholeroad.road.data.bias.judging import Draft, Side, compare, judge
from wholeroad.road.data.bias.questions import Flags, Question
from wholeroad.road.data.bias.ratios import Ratios, ratios, tally
from wholeroad.road.data.bias.seen import NEVER, Seen
from wholeroad.road.data.bias.wording import Waited, delay_does

_OLD_ENOUGH: Final = 0.25
"""At least this share of a group's cases is older than the horizon of its delays: no weight exceeds 4."""


def ask_delays(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare the mean delay of outcomes, among those that come within a horizon, in days.

    Outcomes that aren't known yet aren't missing at random: they are the slow ones of the recent cases. How
    long ago each case was decided is known of all cases, told or not; so each outcome that was told weighs
    one over the share of its group's cases that are old enough for one so late to be known by now. This is
    the Kaplan-Meier estimate with censoring that is known instead of estimated (Satten and Datta 2001, *The
    Kaplan-Meier estimator as an inverse-probability-of-censoring weighted average*, The American
    Statistician 55), and its weighted sums have a variance by days like every other figure. Both sides of
    a comparison have the same horizon. Outcomes that never come are no part of it: they have a question of
    their own.
    """
    if seen.timeless:
        return ()
    told = np.flatnonzero(seen.told_at != NEVER)
    order = told[np.argsort(seen.told_at[told] - seen.decided_at[told], kind="stable")]
    waiting = _Waiting(seen, horizon_of(seen), seen.blocks, order)
    drafts = [draft for each in seen.groups for draft in waiting.drafts(each, confidence)]
    return judge(drafts, confidence=confidence)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What the delays are compared from; ``order`` has the cases that were told, the quickest first."""

    seen: Seen
    horizon: Span
    blocks: NDArray[np.int64]
    order: NDArray[np.int64]

    def drafts(self, grouping: Grouping, confidence: float) -> Iterator[Draft]:
        seen, age = self.seen, self.seen.age
        for code, value in enumerate(grouping.values if len(grouping.values) > 1 else ()):
            mine = grouping.codes == code
            horizon = min(self.horizon, *(_oldest(age[side]) for side in (mine, ~mine)))
            sides = [self._weigh(side, age[side], horizon) for side in (mine, ~mine)]
            if not all(side.told for side in sides):
                continue
            compared = compare(self._ratios(mine, sides), confidence)
            waited, others = (side.waited(seen.matures) for side in sides)
            words = partial(delay_does, waited=waited, others=others, horizon=horizon)
            question = Question(
                "delay", grouping, words, confidence=confidence, least_cases=seen.least_cases, unit="days"
            )
            draft = question.draft(compared, 0, value=value, cases=sides[0].told, others=sides[1].told)
            own, rest = draft.own, draft.rest
            yield replace(draft, own=_floored(own, *sides), rest=_floored(rest, *sides[::-1]))

    def _weigh(self, mine: Flags, age: NDArray[np.int64], horizon: Span) -> _Weighed:
        """Weigh each outcome that was told: one over the share of cases as old as its delay is long."""
        rows = self.order[mine[self.order]]
        delay = self.seen.told_at[rows] - self.seen.decided_at[rows]
        within = int(np.searchsorted(delay, horizon, side="right"))
        rows, delay = rows[:within], delay[:within]
        # Ages fall as cases come.
        weight = age.size / (age.size - np.searchsorted(age[::-1], delay, side="left"))
        days, total = delay / DAY, float(weight.sum())
        mean = float(weight @ days) / total if total else 0.0
        beyond = weight * weight * (days - mean) / max(age.size, 1)
        sums = np.concatenate([[0.0], np.cumsum(beyond)])
        return _Weighed(rows, days, weight, sums[np.searchsorted(delay, age, side="right")])

    def _ratios(self, mine: Flags, sides: list[_Weighed]) -> Ratios:
        """Give the mean delay of a group and of the rest, from weighted sums."""
        days, weight = np.zeros(mine.size), np.zeros(mine.size)
        for where, side in zip((mine, ~mine), sides, strict=True):
            days[where] = -side.of_age
            days[side.rows] += side.weight * side.days
            weight[side.rows] = side.weight
        columns = {"days": days, "weight": weight}
        sums = tally((~mine).astype(np.int64), self.blocks, groups=2, columns=columns)
        return _heavy(ratios(sums["days"], sums["weight"], share=False))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One side's outcomes that came within the horizon, the quickest first.

    Attributes
    ----------
    rows, days, weight
        Positions of their cases, delays and weights.
    of_age
        For each case of the side: what its age alone makes of its weighted days, since a recent case can
        only add a short delay. It adds up to nothing; without it the spread between days is that of
        delays, and not of ages.
    """

    rows: NDArray[np.int64]
    days: NDArray[np.float64]
    weight: NDArray[np.float64]
    of_age: NDArray[np.float64]

    @property
    def told(self) -> int:
        """How many outcomes there are."""
        return self.rows.size

    @property
    def variation(self) -> float:
        """Squared coefficient of variation of one outcome's delay."""
        total, mean = float(self.weight.sum()), float(self.weight @ self.days / self.weight.sum())
        return float(self.weight @ (self.days - mean) ** 2) / total / mean**2 if mean > 0 else 0.0

    def waited(self, matures: Span) -> Waited:
        """Tell in numbers how long its outcomes take."""
        reached = np.cumsum(self.weight) / self.weight.sum()
        places = np.minimum(np.searchsorted(reached, (0.5, 0.9)), self.told - 1)
        matured = float(self.weight[self.days <= matures / DAY].sum() / self.weight.sum())
        return Waited(float(self.days[places[0]]), float(self.days[places[1]]), matured)


def _floored(side: Side, own: _Weighed, other: _Weighed) -> Side:
    """Raise an error, for the judgement alone, to what it would be were the delays like the other side's.

    The long delays are few. A small group that happens to have none has a short mean and a small error at
    once, which would be called clear too often.
    """
    floor = side.value * float(np.sqrt(other.variation / own.told))
    return replace(side, standard_error=max(side.standard_error, floor))


def _heavy(figures: Ratios) -> Ratios:
    """Take degrees of freedom away where a few days make up most of the variance.

    Satterthwaite's matching (1946, *An approximate distribution of estimates of variance components*,
    Biometrics Bulletin 2) with the fourth moments that the blocks show, never with more than are there
    anyway.
    """
    squares = figures.residual**2
    variance, blocks = squares.sum(axis=1), squares.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = 2 * variance**2 / ((squares**2).sum(axis=1) - variance**2 / blocks)
    return replace(figures, freedom=np.fmin(figures.freedom, freedom))


def _oldest(age: NDArray[np.int64]) -> Span:
    """Give the age that a quarter of some cases has reached."""
    return int(np.quantile(age, 1 - _OLD_ENOUGH, method="lower")) if age.size else 0
