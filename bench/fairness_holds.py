"""Whether thresholds of groups hold their constraint on later time than they were learnt on.

Generated worlds: two and three groups with other base rates, other spreads of the features, and an effect of
the group that no feature shows; days that share luck; values that are the same for all cases, or differ. In
each replay a logistic model without the group learns from the earliest cases, thresholds are learnt from the
next ones, and the newest are judged: does the 95 % interval of the largest difference between groups admit
the stated tolerance, and by how much is the difference itself beyond it? Once in worlds that stay as they
are, once with a mild drift of one group, which nothing learnt before it can know of; once with as many cases
to learn from as are judged, and once with half as many, since what thresholds miss by is the luck of their
own.

Run ``python bench/fairness_holds.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY
from wholeroad.road.brief.fairness import Equal
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.bias.groups import grouping
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.fairness.assessed import Terms, assess
from wholeroad.road.model.fairness.disparities import disparity_of
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold, learn_thresholds
from wholeroad.road.model.fairness.measures import measured

Floats = NDArray[np.float64]

TERMS: Final = Terms(selected=(0,), positive=0)
GOAL: Final = 0.95
MEASURES: Final[tuple[Equal, ...]] = ("selection_rate", "true_positive_rate", "false_positive_rate")
TOLERANCES: Final = (0.02, 0.05)
SHARES: Final = {2: (0.6, 0.4), 3: (0.55, 0.3, 0.15)}


@dataclass(frozen=True)
class World:
    """What is generated.

    Attributes
    ----------
    per_case
        Whether values differ by case.
    direct
        Effect of the group on log odds that no feature shows.
    drift
        By how much one group's first feature moves from the first case to the last, in standard deviations.
    train, learn, judge
        Cases.
    known
        Whether the model knows the group.
    worth, costs
        Money of a selected case that is positive, and of one that isn't.
    """

    groups: int
    per_case: bool = False
    direct: float = 0.6
    drift: float = 0.0
    train: int = 6000
    learn: int = 6000
    judge: int = 6000
    known: bool = False
    worth: float = 10.0
    costs: float = 5.0


@dataclass(frozen=True)
class Part:
    """Cases of one slice, with what only the generator knows: the true probability."""

    cases: Foretold
    values: TableValues
    truth: NDArray[np.int8]
    group: NDArray[np.int64]
    chance: Floats

    @property
    def gain(self) -> Floats:
        """Money of selecting each case, by its true probability."""
        expected: Floats = self.values.expected(np.column_stack([self.chance, 1 - self.chance]))[:, 0]
        return expected


def generate(world: World, seed: int) -> tuple[Part, Part]:
    """Give the cases to learn thresholds from and those to judge; a model learns from earlier ones."""
    from sklearn.linear_model import LogisticRegression

    dice = np.random.default_rng(seed)
    count = world.train + world.learn + world.judge
    group = dice.choice(world.groups, count, p=SHARES[world.groups])
    decided_at = np.sort(dice.integers(0, 160 * DAY, count))
    middle, spread = np.array([0.0, -0.5, 0.4])[group], np.array([1.0, 1.2, 0.8])[group]
    features = dice.normal(size=(count, 4)) * spread[:, None] + middle[:, None] * np.array([1, 0.5, 0, 0.2])
    features[:, 0] += world.drift * decided_at / decided_at[-1] * (group == 1)
    luck = dice.normal(0, 0.15, 160)[decided_at // DAY]
    direct = np.array([0.0, -world.direct, world.direct])[group]
    odds = -1 + features @ np.array([0.8, 0.5, 0.4, 0.3]) + direct
    chance = 1 / (1 + np.exp(-odds - luck))
    positive = (dice.random(count) < chance).astype(np.int8)
    if world.known:
        features = np.column_stack([features, group == 1, group == 2])
    earliest = slice(0, world.train)
    model = LogisticRegression(C=10).fit(features[earliest], positive[earliest])
    stated = model.predict_proba(features)[:, ::-1]
    worth = dice.lognormal(np.log(world.worth), 0.5, count) if world.per_case else np.full(count, world.worth)
    table = np.zeros((count, 2, 2))
    table[:, 0, 0], table[:, 0, 1] = worth, -world.costs
    names = pl.Series(np.array(["amber", "blue", "cyan"])[group])

    def part(rows: slice) -> Part:
        values = TableValues.per_case(table[rows])
        size = len(values)
        return Part(
            cases=Foretold(
                expected=values.expected(stated[rows]),
                probabilities=stated[rows],
                positive=positive[rows],
                status_quo=np.ones(size, dtype=np.int8),
                held=np.zeros(size, dtype=bool),
                decided_at=decided_at[rows],
                texts=names[rows],
                values=values,
            ),
            values=values,
            truth=(1 - positive[rows]).astype(np.int8),
            group=group[rows],
            chance=chance[rows],
        )

    middle_row = world.train + world.learn
    return part(slice(world.train, middle_row)), part(slice(middle_row, count))


def selected_by(part: Part, aim: Aim, learnt_on: Part) -> NDArray[np.bool_]:
    """Learn on one slice and decide another."""
    found = learn_thresholds(learnt_on.cases, aim)
    cases = part.cases
    money = found.thresholds.adjust(
        cases.expected,
        cases.probabilities,
        texts=cases.texts,
        selected=TERMS.selected,
        positive=TERMS.positive,
    )
    chosen: NDArray[np.bool_] = money[:, 0] > money[:, 1]
    return chosen


def judge(part: Part, selected: NDArray[np.bool_], measure: Equal, within: float) -> tuple[float, ...]:
    """Tell whether the interval admits the tolerance, and the violation: as counted, and in truth."""
    cases = part.cases
    assessed = assess(
        TERMS,
        decided_at=cases.decided_at,
        action=np.where(selected, 0, 1).astype(np.int8),
        truth=part.truth,
        values=part.values,
        status_quo=cases.status_quo,
        probabilities=cases.probabilities,
    )
    parted = grouping("colour", cases.texts, least_cases=30)
    (found,) = measured(assessed, (parted,), blocks=blocks_of(cases.decided_at)[0])
    apart = disparity_of(found, measure).difference
    if apart is None:
        raise ValueError(measure)
    true = true_difference(part, selected, measure)
    return float(apart.low <= within), max(0.0, apart.value - within), max(0.0, true - within)


def true_difference(part: Part, selected: NDArray[np.bool_] | Floats, measure: Equal) -> float:
    """Give the largest difference of a measure by true probabilities instead of counted outcomes."""
    ones = np.ones(part.chance.size)
    counts: dict[str, tuple[Floats, ...]] = {
        "selection_rate": (ones,),
        "true_positive_rate": (part.chance,),
        "false_positive_rate": (1 - part.chance,),
        "equalized_odds": (part.chance, 1 - part.chance),
    }
    apart = []
    for count in counts[measure]:
        rates = np.bincount(part.group, weights=selected * count) / np.bincount(part.group, weights=count)
        apart.append(float(np.ptp(rates)))
    return max(apart)


def replays(world: World, seeds: range) -> Iterator[dict[str, Any]]:
    """Replay a world, and give the figures of each measure and tolerance."""
    found: dict[tuple[Equal, float], list[tuple[float, ...]]] = {}
    for seed in seeds:
        learnt, later = generate(world, seed)
        for measure in MEASURES:
            for within in TOLERANCES:
                aim = Aim("colour", ("colour",), measure, within, TERMS)
                selected = selected_by(later, aim, learnt)
                found.setdefault((measure, within), []).append(judge(later, selected, measure, within))
    for (measure, within), rows in found.items():
        admits, counted, true = np.mean(rows, axis=0).tolist()
        yield {
            "measure": measure,
            "within": within,
            "admits": round(admits, 3),
            "violation": round(counted, 4),
            "true_violation": round(true, 4),
        }


def worlds() -> dict[str, World]:
    """Name the worlds."""
    return {
        "two groups": World(2),
        "three groups, values by case": World(3, per_case=True),
        "three groups, half as many to learn from": World(3, per_case=True, learn=3000),
        "two groups, mild drift": World(2, drift=0.3),
        "three groups, mild drift": World(3, per_case=True, drift=0.3),
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--replays", type=int, default=200)
    given = arguments.parse_args()
    found = {}
    for name, world in worlds().items():
        found[name] = list(replays(world, range(given.replays)))
        for line in found[name]:
            sys.stderr.write(f"{name}: {line}\n")
    steady = [
        line["admits"] for name in ("two groups", "three groups, values by case") for line in found[name]
    ]
    result = {"bench": "fairness_holds", "replays": given.replays, "goal": GOAL, "worlds": found}
    sys.stdout.write(json.dumps({**result, "least_admits": min(steady)}) + "\n")


if __name__ == "__main__":
    main()
