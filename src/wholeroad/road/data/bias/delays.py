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
from wholeroad.road.data.bias.judging import Draft, compare, judge
from wholeroad.road.data.bias.questions import Flags, Question
from wholeroad.road.data.bias.ratios import Ratios, ratios, tally
from wholeroad.road.data.bias.seen import NEVER, Seen
from wholeroad.road.data.bias.wording import Waited, delay_does

_OLD_ENOUGH: Final = 0.25
"""At least this share of a group's cases is older than the horizon of its delays: no weight exceeds 4."""


def ask_delays(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare the mean delay of outcomes, among those that come within a horizon, in days.

    Outcomes that aren't known yet aren't missing at random: they are the slow ones of the recent cases. How long
    ago each case was decided is known of all cases, told or not; so each outcome that was told weighs one over
    the share of its group's cases that are old enough for one so late to be known by now. This is the
    Kaplan-Meier estimate with censoring that is known instead of estimated (Satten and Datta 2001, *The
    Kaplan-Meier estimator as an inverse-probability-of-censoring weighted average*, The American
    Statistician 55), and its weighted sums have a variance by days like every other figure. Both sides of
    a comparison have the same horizon. Outcomes that never come are no part of it: they have a question of
    their own.
    """
    if seen.timeless:
        return ()
    waiting = _Waiting(seen, horizon_of(seen), seen.blocks)
    drafts = [draft for each in seen.groups for draft in waiting.drafts(each, confidence)]
    return judge(drafts, confidence=confidence)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What the groups' delays are compared from."""

    seen: Seen
    horizon: Span
    blocks: NDArray[np.int64]

    def drafts(self, grouping: Grouping, confidence: float) -> Iterator[Draft]:
        seen = self.seen
        told = seen.told_at != NEVER
        delay = np.where(told, seen.told_at - seen.decided_at, NEVER)
        for code, value in enumerate(grouping.values if len(grouping.values) > 1 else ()):
            mine = grouping.codes == code
            horizon = min(self.horizon, *(_oldest(seen.age[side]) for side in (mine, ~mine)))
            sides = [_weigh(seen.age[side], delay[side], horizon) for side in (mine, ~mine)]
            if not all(side.told for side in sides):
                continue
            compared = compare(self._ratios(mine, sides), confidence)
            waited, others = (side.waited(seen.matures) for side in sides)
            words = partial(delay_does, waited=waited, others=others, horizon=horizon)
            question = Question(
                "delay", grouping, words, confidence=confidence, least_cases=seen.least_cases, unit="days"
            )
            yield question.draft(compared, 0, value=value, cases=sides[0].told, others=sides[1].told)

    def _ratios(self, mine: Flags, sides: list[_Weighed]) -> Ratios:
        """Give the mean delay of a group and of the rest, from weighted sums."""
        days, weight = np.empty(mine.size), np.empty(mine.size)
        for where, side in zip((mine, ~mine), sides, strict=True):
            days[where], weight[where] = side.balanced, side.weight
        columns = {"days": days, "weight": weight}
        sums = tally((~mine).astype(np.int64), self.blocks, groups=2, columns=columns)
        return _heavy(ratios(sums["days"], sums["weight"], share=False))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One side's outcomes that came within the horizon; arrays over all of its cases.

    ``balanced`` sums to the weighted days, but is without what the age of a case alone makes of them: a recent
    case can only add a short delay. So its spread between days is that of delays, not that of ages.
    """

    days: NDArray[np.float64]
    weight: NDArray[np.float64]
    balanced: NDArray[np.float64]

    @property
    def told(self) -> int:
        return int(np.count_nonzero(self.weight))

    def waited(self, matures: Span) -> Waited:
        within = self.weight > 0
        order = np.argsort(self.days[within], kind="stable")
        late, heavy = self.days[within][order], self.weight[within][order]
        reached = np.cumsum(heavy) / heavy.sum()
        places = np.minimum(np.searchsorted(reached, (0.5, 0.9)), late.size - 1)
        matured = float(heavy[late <= matures / DAY].sum() / heavy.sum())
        return Waited(float(late[places[0]]), float(late[places[1]]), matured)


def _heavy(figures: Ratios) -> Ratios:
    """Take degrees of freedom away where a few days make up most of the variance.

    Satterthwaite's matching (1946, *An approximate distribution of estimates of variance components*, Biometrics
    Bulletin 2) with the fourth moments that the blocks show, never with more than are there anyway.
    """
    squares = figures.residual**2
    variance, blocks = squares.sum(axis=1), squares.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = 2 * variance**2 / ((squares**2).sum(axis=1) - variance**2 / blocks)
    return replace(figures, freedom=np.fmin(figures.freedom, freedom))


def _oldest(age: NDArray[np.int64]) -> Span:
    """Give the age that a quarter of some cases has reached."""
    return int(np.quantile(age, 1 - _OLD_ENOUGH, method="lower")) if age.size else 0


def _weigh(age: NDArray[np.int64], delay: NDArray[np.int64], horizon: Span) -> _Weighed:
    """Weigh each outcome that was told: one over the share of cases as old as its delay is long."""
    within = delay <= horizon
    # Ages fall as cases come.
    younger = np.searchsorted(age[::-1], delay[within], side="left")
    weight, days = np.zeros(age.size), np.zeros(age.size)
    weight[within] = age.size / (age.size - younger)
    days[within] = delay[within] / DAY
    heavy = weight[within]
    if not heavy.size:
        return _Weighed(days, weight, days)
    beyond = days[within] - float(heavy @ days[within] / heavy.sum())
    order = np.argsort(delay[within], kind="stable")
    sums = np.concatenate([[0.0], np.cumsum((heavy * heavy * beyond)[order])]) / age.size
    of_age = sums[np.searchsorted(delay[within][order], age, side="right")]
    return _Weighed(days, weight, weight * days - of_age)
