"""Bias in generated data whose truth is known: how often intervals cover it, and what is called clear.

Each world has a group and everybody else, 180 days of decisions, and effects in everything that is asked: the
group's share of the cases, how often the positive class comes true, how often a feature is null, how long
outcomes take, how many are never seen, and since when it has cases. With *luck of days*, all cases of a day
share a draw that moves the volume, the group's share, the rates and the delays of the whole day; without it,
cases are independent. What is true is what infinitely many cases of such days would show; it is integrated
numerically, never read off a replay.

Measured: of all replays, the share whose 95 % interval covers the truth, for the group's own figure and for
its difference to the rest; and in worlds without any effect, the share of replays in which anything at all
is called clear within one cause (at most 5 %). Run ``python bench/bias_coverage.py [--replays 1000]``; the
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.asking import ask_bias
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.seen import NEVER, NONE, TOLD, Seen

Floats = NDArray[np.float64]

DAYS = 180
HORIZON = 45
NAMES = ("group", "rest")
CAUSES = ("coverage", "base_rate", "missingness", "delay", "history", "unseen")
SIZES = {50: 1000, 500: 2000, 5000: 10000}
"""Cases expected of the group, and of the rest."""


@dataclass(frozen=True)
class World:
    """What is true of the group and of the rest, in this order."""

    cases: tuple[float, float]
    population: float
    rate: tuple[float, float] = (0.35, 0.2)
    null: tuple[float, float] = (0.12, 0.04)
    unseen: tuple[float, float] = (0.15, 0.05)
    delay_days: tuple[float, float] = (8.0, 4.0)
    spread: float = 0.7
    begins: tuple[int, int] = (60, 0)
    luck: float = 0.0
    columns: int = 1

    def even(self) -> World:
        """Give the same world without any effect."""
        names = ("rate", "null", "unseen", "delay_days", "begins")
        same: dict[str, Any] = {name: (getattr(self, name)[1],) * 2 for name in names}
        share = self.cases[0] / sum(self.cases)
        return replace(self, **same, population=share)


def draw(world: World, dice: np.random.Generator) -> Seen:
    """Draw one replay."""
    moved = dice.normal(size=(5, DAYS)) * world.luck
    groups, days = [], []
    volume = dice.gamma(1 / world.luck**2, world.luck**2, DAYS) if world.luck else np.ones(DAYS)
    for code in (0, 1):
        open_days = np.arange(DAYS) >= world.begins[code]
        expected = world.cases[code] / open_days.sum() * open_days * volume
        if code == 0:
            expected = expected * np.exp(moved[0] - world.luck**2 / 2)
        counts = dice.poisson(expected)
        days.append(np.repeat(np.arange(DAYS), counts))
        groups.append(np.full(counts.sum(), code, dtype=np.int32))
    day, group = np.concatenate(days), np.concatenate(groups)
    at = day * DAY + dice.integers(0, DAY, day.size)
    order = np.argsort(at, kind="stable")
    decided_at, day, group = at[order], day[order], group[order]
    n = day.size
    positive = dice.random(n) < moved_share(np.take(world.rate, group), moved[1][day])
    never = dice.random(n) < moved_share(np.take(world.unseen, group), moved[2][day])
    delay = np.take(world.delay_days, group) * np.exp(world.spread * dice.normal(size=n) + moved[3][day] / 2)
    told_at = np.where(never, NEVER, decided_at + np.round(delay * DAY).astype(np.int64) + 1)
    now = DAYS * DAY
    told_at = np.where(told_at <= now, told_at, NEVER)
    told = told_at != NEVER
    nulls = moved_share(np.take(world.null, group), moved[4][day])
    drawn = {f"x{place}": np.where(dice.random(n) < nulls, np.nan, 1.0) for place in range(world.columns)}
    features = pl.DataFrame(drawn, nan_to_null=True)
    stated = dict(zip(NAMES, (world.population, 1 - world.population), strict=True))
    return Seen(
        decided_at=decided_at,
        groups=(Grouping("g", NAMES, group, population=stated),),
        positive=np.where(told, positive, -1).astype(np.int8),
        outcome=np.where(told, TOLD, NONE).astype(np.int8),
        told_at=told_at,
        features=features,
        now=now,
        matures=10 * DAY,
        never_after=HORIZON * DAY,
        looked_for="late",
    )


def moved_share(share: Floats, by: Floats) -> Floats:
    """Move a share by so much on the scale of its logarithmic odds."""
    return 1 / (1 + (1 - share) / share * np.exp(-by))


@dataclass(frozen=True)
class Truth:
    """What infinitely many cases would show, by cause: of the group and of the rest."""

    of: dict[str, tuple[float, float]]


def truth_of(world: World) -> Truth:
    """Integrate what is true over the luck of days."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()

    def over_luck(share: float) -> float:
        return float(weights @ moved_share(np.full(nodes.size, share), world.luck * nodes))

    share = world.cases[0] / sum(world.cases)
    spread = float(np.hypot(world.spread, world.luck / 2))
    unseen = []
    for code in (0, 1):
        never = over_luck(world.unseen[code])
        ages = np.arange(HORIZON, DAYS - world.begins[code], 0.05)
        late = 1 - _normal((np.log(ages) - np.log(world.delay_days[code])) / spread)
        unseen.append(never + (1 - never) * float(late.mean()))
    delays = []
    for days in world.delay_days:
        end = (np.log(HORIZON) - np.log(days)) / spread
        within = _normal(np.array([end - spread, end]))
        delays.append(float(days * np.exp(spread**2 / 2) * within[0] / within[1]))
    return Truth(
        {
            "coverage": (share, world.population),
            "base_rate": (over_luck(world.rate[0]), over_luck(world.rate[1])),
            "missingness": (over_luck(world.null[0]), over_luck(world.null[1])),
            "delay": (delays[0], delays[1]),
            "history": ((DAYS - world.begins[0]) / 2, (DAYS - world.begins[1]) / 2),
            "unseen": (unseen[0], unseen[1]),
        }
    )


def _normal(at: Floats) -> Floats:
    from math import erf

    return np.array([0.5 * (1 + erf(each / 2**0.5)) for each in at])


def covered(world: World, *, replays: int, seed: int) -> dict[str, dict[str, float]]:
    """Give by cause how often the group's intervals cover the truth, how wide they are, and errors told."""
    truth = truth_of(world).of
    dice = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, ...]]] = {cause: [] for cause in CAUSES}
    for _ in range(replays):
        for bias in ask_bias(draw(world, dice)):
            if bias.value == NAMES[0] and bias.enough and bias.about in {"", "x0"}:
                found[bias.cause].append(_scored(bias, *truth[bias.cause]))
    return {cause: _summed(np.array(rows)) for cause, rows in found.items() if rows}


def _scored(bias: GroupBias, own: float, rest: float) -> tuple[float, ...]:
    apart = own - rest
    return (
        float(bias.figure.low <= own <= bias.figure.high),
        float(bias.difference.low <= apart <= bias.difference.high),
        bias.figure.value,
        bias.difference.value,
        bias.standard_error,
        float(own < bias.figure.low),
        float(own > bias.figure.high),
        float(bias.clear),
    )


def _summed(rows: Floats) -> dict[str, float]:
    return {
        "replays": len(rows),
        "figure": float(rows[:, 0].mean()),
        "difference": float(rows[:, 1].mean()),
        "mean_figure": float(rows[:, 2].mean()),
        "mean_difference": float(rows[:, 3].mean()),
        "spread": float(rows[:, 3].std()),
        "error": float(np.sqrt((rows[:, 4] ** 2).mean())),
        "below": float(rows[:, 5].mean()),
        "above": float(rows[:, 6].mean()),
        "clear": float(rows[:, 7].mean()),
    }


def called_clear(world: World, *, replays: int, seed: int) -> dict[str, float]:
    """Give by cause the share of replays without any effect in which something is called clear."""
    dice = np.random.default_rng(seed)
    clear = dict.fromkeys(CAUSES, 0)
    for _ in range(replays):
        causes = {bias.cause for bias in ask_bias(draw(world.even(), dice)) if bias.clear}
        for cause in causes:
            clear[cause] += 1
    return {cause: count / max(replays, 1) for cause, count in clear.items()}


def main() -> None:
    """Measure, and print tables and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--clean", type=int, default=1000, help="replays of worlds without any effect")
    parser.add_argument("--sizes", type=int, nargs="*", default=[*SIZES])
    parser.add_argument("--luck", type=float, nargs="*", default=[0.0, 0.4])
    asked = parser.parse_args()
    result: dict[str, object] = {}
    for luck in asked.luck:
        for size in asked.sizes:
            rest = SIZES[size]
            world = World((size, rest), population=1.5 * size / (size + rest), luck=luck)
            began = time.perf_counter()
            found = covered(world, replays=asked.replays, seed=size)
            clean = called_clear(replace(world, columns=10), replays=asked.clean, seed=size + 1)
            truth = truth_of(world).of
            took = time.perf_counter() - began
            print(f"\n{size} cases and {rest} others, luck of days {luck:g} ({took:.0f} s)")
            for cause, each in found.items():
                own, others = truth[cause]
                print(
                    f"  {cause:12} figure {each['figure']:.3f} difference {each['difference']:.3f}  truth "
                    f"{own:.4f} mean {each['mean_figure']:.4f}; apart {own - others:+.4f} mean "
                    f"{each['mean_difference']:+.4f}  spread {each['spread']:.4f} told {each['error']:.4f}  "
                    f"missed {each['below']:.3f}/{each['above']:.3f} clear {each['clear']:.2f} "
                    f"n {each['replays']}"
                )
            print(f"  no effect, something clear: {clean}")
            result[f"{size}/{luck:g}"] = {"covered": found, "clean": clean}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
