"""For how long there have been cases, by group."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.judging import Draft, compare, judge
from wholeroad.road.data.bias.questions import Question, counted
from wholeroad.road.data.bias.ratios import ratios, tally
from wholeroad.road.data.bias.seen import Seen
from wholeroad.road.data.bias.successive import successive
from wholeroad.road.data.bias.wording import Lasted, history_does

_FIRST: float = 0.01
_MONTH_DAYS: float = 365.25 / 12


def ask_histories(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare how long ago the cases of each group were decided on average, in days.

    A group that only began lately has young cases; one that has ended has old ones. When the first case came
    says little by itself, since it hangs on a single case; the answer tells when the first hundredth of the
    cases had come, and how many come a month since then.
    """
    if seen.timeless:
        return ()
    blocks, days = seen.blocks, seen.age / DAY
    everybody = np.ones(len(seen), dtype=bool)
    drafts: list[Draft] = []
    for each in seen.groups:
        if len(each.values) < 2:
            continue
        cases = counted(each, everybody, blocks=blocks)
        sums = tally(each.codes, blocks, groups=len(each.values), columns={"days": days})["days"]
        found = ratios(sums, cases, share=False)
        compared = compare(successive(found), confidence, rest=successive(found.rest))
        lasted = dict(
            zip(each.values, (_lasted(days, each, code) for code in range(len(each.values))), strict=True)
        )
        words = partial(history_does, lasted=lasted, whole=float(days[0]), now=seen.now)
        question = Question(
            "history", each, words, confidence=confidence, least_cases=seen.least_cases, unit="days"
        )
        count = each.cases
        for place, value in enumerate(each.values):
            drafts.append(
                question.draft(
                    compared,
                    place,
                    value=value,
                    cases=int(count[place]),
                    others=int(len(seen) - count[place]),
                )
            )
    return judge(drafts, confidence=confidence)


def _lasted(days: NDArray[np.float64], grouping: Grouping, code: int) -> Lasted:
    mine = days[grouping.codes == code]
    if not mine.size:
        return Lasted(float("nan"), float("nan"), 0.0)
    begun = float(np.quantile(mine, 1 - _FIRST))
    return Lasted(float(mine[0]), begun, mine.size * (1 - _FIRST) / max(begun / _MONTH_DAYS, 1 / _MONTH_DAYS))
