"""How often 95 % intervals by group hold the truth, over worlds whose truth is known in closed form.

A world has three groups of 50, 500 and 5,000 cases, with base rates of 20, 30 and 25 %, spread over some
days. A case shows the model a normal number; what comes true depends on it, on the day's luck and on the
case's own. The probability is stated with everybody's base rate, so that it is off by group. Money is 10
for a rightly selected case, -4 for a wrongly selected one, times a lognormal size with sigma 0.7 (the
largest of 5,000 is about 12 times the median). Where days matter, 5 % of the variance of both what the
model sees and what comes true is common to all cases of a day.

Each interval is of one replay alone: of the figure, of its difference to all other groups together, and of
the largest difference between any two groups, which may cover more often. Least counts are left out, so the
groups of 50 show how intervals fare on about 10 positive cases; the assessment itself asks for 30. A cell's
own error is half a percent with 2,000 replays.

Run ``python bench/fairness_coverage.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import multivariate_normal, norm

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.ratios import Ratios
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.measures import measured

SIZES = np.array([50, 500, 5000])
BASE_RATES = np.array([0.2, 0.3, 0.25])
STATED = 0.25
SEEN = 0.5
"""Share of the variance behind the outcome that the model sees."""
CUT = 0.6
"""A case is selected when what the model sees is beyond this."""
RIGHT, WRONG, SIGMA = 10.0, -4.0, 0.7
GOAL = 93.0, 97.0
AT_ONCE = 50

Floats = NDArray[np.float64]


def truths() -> dict[str, tuple[Floats, Floats]]:
    """Give each measure's true figure by group, and how many cases of a group it rests on in the mean."""
    both = np.array(
        [
            multivariate_normal.cdf([-CUT, norm.ppf(rate)], cov=[[1, SEEN**0.5], [SEEN**0.5, 1]])
            for rate in BASE_RATES
        ]
    )
    selected = np.full(3, norm.cdf(-CUT))
    wrong = selected - both
    return {
        "selection_rate": (selected, SIZES),
        "base_rate": (BASE_RATES, SIZES),
        "true_positive_rate": (both / BASE_RATES, SIZES * BASE_RATES),
        "false_positive_rate": (wrong / (1 - BASE_RATES), SIZES * (1 - BASE_RATES)),
        "calibration_gap": (STATED - BASE_RATES, SIZES),
        "gain_per_case": (RIGHT * both + WRONG * wrong, SIZES),
    }


def worlds(rng: np.random.Generator, count: int, *, days: int, common: float) -> dict[str, Ratios]:
    """Generate some worlds, and measure them as one grouping of three groups each."""
    shape = count, int(SIZES.sum())
    group = np.repeat(np.arange(3), SIZES)
    day = rng.integers(0, days, shape)
    place = day + days * np.arange(count)[:, None]
    luck, crowd = rng.standard_normal((2, count * days))
    seen = common**0.5 * crowd[place] + (1 - common) ** 0.5 * rng.standard_normal(shape)
    own = (1 - SEEN - common) ** 0.5 * rng.standard_normal(shape)
    positive = SEEN**0.5 * seen + common**0.5 * luck[place] + own > -norm.ppf(BASE_RATES)[group]
    selected = seen > CUT
    size = np.exp(SIGMA * rng.standard_normal(shape) - SIGMA**2 / 2)
    gain = np.where(selected, np.where(positive, RIGHT, WRONG) * size, 0.0)
    nothing = np.zeros(gain.size)
    assessed = Assessed(
        decided_at=day.ravel() * DAY,
        selected=selected.ravel(),
        positive=positive.ravel().astype(np.int8),
        probability=ndtr((SEEN**0.5 * seen + norm.ppf(STATED)) / (1 - SEEN) ** 0.5).ravel(),
        money=gain.ravel(),
        status_quo_money=nothing,
        best_money=nothing,
    )
    codes = (3 * np.arange(count)[:, None] + group).ravel().astype(np.int32)
    names = tuple(str(number) for number in range(3 * count))
    return dict(measured(assessed, [Grouping("group", names, codes)], blocks=day.ravel())[0].ratios)


def holds(found: Ratios, true: Floats, weight: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_], bool]:
    """Tell of one world which intervals of figures, of differences to the rest and of the widest hold."""
    low, high = found.interval(0.95)
    rest = ((weight * true).sum() - weight * true) / (weight.sum() - weight)
    apart = found.versus_rest(0.95)
    pairs = found.differences(1 - 0.05 / 3)
    other = ~np.eye(3, dtype=bool)
    widest = max(0.0, pairs.low[other].max()) <= np.ptp(true) <= pairs.high[other].max()
    inside = (apart.low <= true - rest) & (true - rest <= apart.high)
    return (low <= true) & (true <= high), inside, bool(widest)


def measure(*, replays: int, days: int, common: float, seed: int) -> dict[str, dict[str, Any]]:
    """Count how often intervals hold, in percent."""
    rng, known = np.random.default_rng(seed), truths()
    held: dict[str, list[Any]] = defaultdict(list)
    for start in range(0, replays, AT_ONCE):
        count = min(AT_ONCE, replays - start)
        found = worlds(rng, count, days=days, common=common)
        for name, (true, weight) in known.items():
            for world in range(count):
                one = found[name].take([3 * world, 3 * world + 1, 3 * world + 2])
                held[name].append(holds(one, true, weight))
    return {
        name: {
            what: np.round(100 * np.mean([each[part] for each in every], axis=0), 1).tolist()
            for part, what in enumerate(("figure", "versus_rest", "widest"))
        }
        for name, every in held.items()
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--replays", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    cells: dict[str, float] = {}
    widest: dict[str, float] = {}
    for days in (120, 30):
        for common in (0.0, 0.05):
            world = f"{days} days, {common:.0%} common"
            found = measure(replays=given.replays, days=days, common=common, seed=given.seed)
            for name, one in found.items():
                sys.stderr.write(f"{world}, {name}: {one}\n")
                widest[f"{world}, {name}"] = one["widest"]
                for what in ("figure", "versus_rest"):
                    for size, share in zip(SIZES.tolist(), one[what], strict=True):
                        cells[f"{world}, {name}, {what}, {size}"] = share
    outside = {name: share for name, share in cells.items() if not GOAL[0] <= share <= GOAL[1]}
    line = {
        "bench": "fairness_coverage",
        "replays": given.replays,
        "cells": len(cells),
        "goal": GOAL,
        "least": min(cells.values()),
        "most": max(cells.values()),
        "mean": round(float(np.mean(list(cells.values()))), 2),
        "outside": outside,
        "widest_least": min(widest.values()),
        "widest_most": max(widest.values()),
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
