"""Slice search: planted slices of three sizes, and what is called a slice where there is none.

A world has 60,000 settled cases of half a year and twelve features: numbers, texts and a boolean, some
missing. Losses are heavy-tailed, and every day has luck of its own. In *regret* worlds four of five cases
lose nothing, the others a lognormal amount; in *short* worlds, money short of what was expected, few cases
bring a lognormal amount and the others nothing, so that the skew is the other way. One slice is planted in a
world: 20 % of the cases by one condition, 5 % by two, 1 % by three. In regret worlds more of its cases lose,
in short worlds each loses somewhat more. The excess is stated in standard errors of the slice's mean (the
standard deviation of losses over the root of its cases, over the whole half year); the half that judges sees
it with an error larger by 1.4.

*Found*: a slice that is clear has a Jaccard index of at least 0.5 with the planted one, over all cases.
*First*: the first clear one has. *False*: a clear one whose true excess isn't above none; its share among the
clear ones, averaged over worlds, is the false discovery rate, which in clean worlds is the share of worlds
with any. Intervals are Wilson's.

No package for fairness that is near (Fairlearn, Aequitas, AIF360) searches for slices, and SliceLine's isn't
installed, so there is nothing beside. Run ``python bench/slices.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY
from wholeroad.road.watch.slice_conditions import members
from wholeroad.road.watch.slice_search import overlap
from wholeroad.road.watch.slicing import Searching, worst_slices

CASES = 60_000
DAYS = 182
LUCK = 0.15
"""Standard deviation of a day's luck, in those of the losses."""
SIZES = {"20 %, one condition": 0.20, "5 %, two conditions": 0.05, "1 %, three conditions": 0.01}
KINDS = ("regret", "short")
RATE = 0.05
ERRORS = (6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class World:
    """Cases with or without a planted slice."""

    features: pl.DataFrame
    loss: NDArray[np.float64]
    decided_at: NDArray[np.int64]
    planted: NDArray[np.bool_]


def world(seed: int, *, kind: str, size: str = "", errors: float = 0.0) -> World:
    """Draw a world."""
    dice = np.random.default_rng(seed)
    decided_at = np.sort(dice.integers(0, DAYS * DAY, CASES))
    features = pl.DataFrame(_columns(dice))
    amount = (dice.random(CASES) < 0.2) * dice.lognormal(2.0, 1.2, CASES)
    loss = amount if kind == "regret" else -amount
    spread = float(loss.std())
    loss = loss + dice.normal(0, LUCK * spread, DAYS)[decided_at // DAY]
    planted = _planted(features, size)
    excess = errors * spread / math.sqrt(max(1, planted.sum()))
    if kind == "regret":  # a lognormal amount is exp(2 + 1.2 ^ 2 / 2) on average
        more = dice.random(CASES) < excess / math.exp(2.0 + 1.2**2 / 2)
        loss = loss + planted * more * dice.lognormal(2.0, 1.2, CASES)
    else:
        loss = loss + planted * excess
    return World(features, loss, decided_at, planted)


def _columns(dice: np.random.Generator) -> dict[str, Any]:
    depots = np.array(["north", "south", "east", "west", "hub"])
    columns: dict[str, Any] = {
        "depot": dice.choice(depots, CASES, p=[0.2, 0.25, 0.25, 0.2, 0.1]),
        "carrier": dice.choice([f"carrier {place}" for place in range(30)], CASES),
        "tier": dice.choice(["basic", "plus", "gold"], CASES, p=[0.6, 0.3, 0.1]),
        "hour": dice.integers(0, 24, CASES),
        "rush": dice.random(CASES) < 0.2,
        "weight_kg": dice.lognormal(3, 1, CASES),
        "distance_km": dice.gamma(2, 300, CASES),
    }
    for place in range(5):
        values = dice.normal(size=CASES)
        columns[f"x{place}"] = np.where(dice.random(CASES) < 0.05, np.nan, values)
    return columns


def _planted(features: pl.DataFrame, size: str) -> NDArray[np.bool_]:
    """Plant a slice; its ends are not where the search cuts."""
    if not size:
        return np.zeros(CASES, dtype=np.bool_)
    share = SIZES[size]
    weight = features["weight_kg"].to_numpy()
    if share > 0.1:
        return np.asarray(features["depot"].to_numpy() == "north")
    south = features["depot"].to_numpy() == "south"
    if share > 0.02:
        return np.asarray(south & (weight >= np.quantile(weight, 0.78)))
    return np.asarray(south & features["rush"].to_numpy() & (weight >= np.quantile(weight, 0.78)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a search said of one world."""

    found: bool
    first: bool
    false: int
    clear: int
    seconds: float


def look(one: World, seed: int) -> Seen:
    """Search a world and hold what was found against the truth."""
    began = time.perf_counter()
    found = worst_slices(
        one.features,
        one.loss,
        decided_at=one.decided_at,
        loss_name="loss",
        seed=seed,
        searching=Searching(rate=RATE),
    )
    seconds = time.perf_counter() - began
    alike, false = [], 0
    for each in found.clear:
        own = members(each.where, one.features)
        alike.append(overlap(own, one.planted) >= 0.5)
        false += not one.planted[own].mean() > one.planted[~own].mean()
    return Seen(any(alike), alike[:1] == [True], false, len(alike), seconds)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Give the 95 % interval of a share."""
    share, z = hits / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def summed(seen: list[Seen]) -> dict[str, Any]:
    """Put worlds together."""
    of = len(seen)
    found = sum(each.found for each in seen)
    return {
        "worlds": of,
        "found": found,
        "found_interval": [round(end, 3) for end in wilson(found, of)],
        "first": sum(each.first for each in seen),
        "clear_per_world": round(statistics.mean(each.clear for each in seen), 2),
        "false_rate": round(statistics.mean(each.false / max(1, each.clear) for each in seen), 4),
        "seconds": round(statistics.median(each.seconds for each in seen), 2),
    }


def planted(worlds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Search worlds with a slice: half of each kind."""
    for size in SIZES:
        for errors in ERRORS:
            seen = []
            for seed in range(worlds):
                kind = KINDS[seed % len(KINDS)]
                seen.append(look(world(seed, kind=kind, size=size, errors=errors), seed))
            found = {"errors": errors, **summed(seen)}
            sys.stderr.write(f"{size}, {errors:g} standard errors: {found}\n")
            yield f"{size}, {errors:g} standard errors", found


def clean(worlds: int) -> dict[str, Any]:
    """Search worlds without any."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        own = [look(world(10_000 + seed, kind=kind), seed) for seed in range(worlds // len(KINDS))]
        false = sum(each.clear > 0 for each in own)
        low, high = wilson(false, len(own))
        seconds = statistics.median(each.seconds for each in own)
        found[kind] = {"worlds": len(own), "with_a_false_one": false, "interval": [low, high]}
        found[kind]["seconds"] = round(seconds, 2)
        sys.stderr.write(f"clean, {kind}: {found[kind]}\n")
    return found


def large() -> dict[str, Any]:
    """Time one search of 300,000 cases and 30 features, at two and at three conditions."""
    dice = np.random.default_rng(1)
    cases = 300_000
    texts = [f"value {place}" for place in range(8)]
    columns = {
        f"x{place:02}": dice.choice(texts, cases) if place % 3 == 0 else dice.normal(size=cases)
        for place in range(30)
    }
    frame, loss = pl.DataFrame(columns), dice.lognormal(2, 1, cases)
    decided_at = np.sort(dice.integers(0, DAYS * DAY, cases))
    seconds: dict[str, Any] = {"cases": cases, "features": len(columns)}
    for most in (2, 3):
        began = time.perf_counter()
        searching = Searching(most_conditions=most)
        found = worst_slices(
            frame, loss, decided_at=decided_at, loss_name="loss", seed=1, searching=searching
        )
        seconds[f"seconds_{most}_conditions"] = round(time.perf_counter() - began, 2)
        seconds[f"searched_{most}_conditions"] = found.searched
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100, help="for each size and excess")
    parser.add_argument("--clean", type=int, default=300, help="without any slice")
    asked = parser.parse_args()
    found = {
        "cases": CASES,
        "rate": RATE,
        "planted": dict(planted(asked.worlds)),
        "clean": clean(asked.clean),
        "large": large(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
