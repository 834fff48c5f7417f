"""An assessment of a million decisions by 20 groups, against one pass over the same columns.

The pass is the least that can be done with the columns of the decisions at all: each is read once, from
first to last, and summed, by NumPy's ``sum``, one thread, no group and no interval. These are the instant,
whether a case was selected, what came true, the probability, three amounts of money, and the group's code: 46
bytes a case. The assessment is everything that ``fairness_of`` gives: 14 measures of 20 groups and of
everybody, with intervals, differences to the rest with intervals, and 15 disparities with intervals for all
pairs together; blocks are found in it, too. Both are done again and again in turn, in one process, and the
medians compared. Besides: 20 groupings of 5 values each, against a pass that sums their 20 codes as well.

Run ``python bench/fairness_speed.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.student import _quantiles
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.assessing import fairness_of

GOAL = 20.0


def decisions(cases: int, *, seed: int) -> Assessed:
    """Generate a year of decisions; a tenth has no outcome yet."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(2, 6, cases)
    positive = (rng.random(cases) < probability).astype(np.int8)
    selected = probability > 0.3
    money = np.where(selected, np.where(positive == 1, 120.0, -35.0), 0.0)
    best = np.where(positive == 1, 120.0, 0.0)
    unsettled = rng.random(cases) < 0.1
    positive[unsettled] = -1
    money[unsettled] = best[unsettled] = np.nan
    return Assessed(
        decided_at=np.arange(cases) * (365 * DAY // cases),
        selected=selected,
        positive=positive,
        probability=probability,
        money=money,
        status_quo_money=np.where(unsettled, np.nan, 0.0),
        best_money=best,
    )


def groupings(cases: int, *, number: int, values: int, seed: int) -> list[Grouping]:
    """Part the cases by chance."""
    rng = np.random.default_rng(seed)
    names = tuple(f"value {place}" for place in range(values))
    return [
        Grouping(f"group {place}", names, rng.integers(0, values, cases).astype(np.int32))
        for place in range(number)
    ]


def one_pass(assessed: Assessed, groups: list[Grouping]) -> float:
    """Read each column once and sum it."""
    columns = [getattr(assessed, name) for name in assessed.__slots__]
    return float(np.sum([column.sum() for column in [*columns, *(each.codes for each in groups)]]))


def seconds(work: Callable[[], object]) -> float:
    """Time one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(assessed: Assessed, groups: list[Grouping], *, rounds: int) -> dict[str, float]:
    """Time both in turn; medians, and their ratio."""
    fairness_of(assessed, groups)
    taken: list[tuple[float, float]] = []
    for _ in range(rounds):
        passed = statistics.median(seconds(lambda: one_pass(assessed, groups)) for _ in range(3))
        _quantiles.cache_clear()  # each assessment is timed as if it were the first one
        taken.append((passed, seconds(lambda: fairness_of(assessed, groups))))
    passed, whole = (statistics.median(each[side] for each in taken) for side in (0, 1))
    return {"pass_s": round(passed, 5), "whole_s": round(whole, 4), "ratio": round(whole / passed, 1)}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--cases", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=11)
    given = arguments.parse_args()
    assessed = decisions(given.cases, seed=0)
    found = {}
    for name, number, values in (("one of 20", 1, 20), ("20 of 5", 20, 5)):
        groups = groupings(given.cases, number=number, values=values, seed=1)
        rounds = given.rounds if number == 1 else 3
        found[name] = measure(assessed, groups, rounds=rounds)
        sys.stderr.write(f"fairness_speed, {name}: {found[name]}\n")
    line = {"bench": "fairness_speed", "cases": given.cases, "goal": GOAL, "groupings": found}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
