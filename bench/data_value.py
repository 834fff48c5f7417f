"""Is the worth of a column told rightly? Worlds with a useful column and a useless one, and the closed form.

Each world has cases that come all day, a column ``signal`` from which the chance of a hit follows, and a
column ``noise`` that tells nothing. The brief is rehearsed with all columns and without each
(``Project.data.next``). A useful column is told if its interval lies above nothing; a useless one is told
wrongly if its interval does. The closed form is what the best decision by the true chance makes more a
month than the best one without: intervals, which hold for all differences of a table together, should hold
it as often as they say, but for what a fitted model makes less than the true chance would: from few cases a
fit chooses a constant, and the column is worth less to it. With ``--learner lightgbm`` or ``--when never``,
one fit for all, the luck of fits is greater than that of days.

Run ``python bench/data_value.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import default_rng

import wholeroad

WON, LOST = 9.0, -4.0
"""EUR of acting on a hit, and on anything else."""
SLOPE, MIDDLE = 0.8, -0.9
MONTH_DAYS = 365.25 / 12

BRIEF = f"""
format = 1
[brief]
name = "signal"
question = "Will it be a hit?"
[case]
source = "cases"
decide_at = "seen_at"
[outcome]
kind = "binary"
classes = ["hit", "miss"]
positive = "hit"
source = "ends"
truth = "came"
matures = "1d"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = {{ action = "pass" }}
[value.of]
act = {{ hit = {WON}, miss = {LOST} }}
pass = {{ hit = 0, miss = 0 }}
[source.cases]
read = "cases.parquet"
key = "id"
happened_at = "seen_at"
known_at = "seen_at"
[source.ends]
read = "ends.parquet"
key = "id"
happened_at = "told_at"
known_at = "told_at"
[feature]
other = {{ column = "other" }}
signal = {{ column = "signal" }}
noise = {{ column = "noise" }}
[policy.refit]
first = "40d"
when = "every 40d"
[model]
candidates = ["constant", "logistic"]
"""


def chance(
    signal: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the true chance of a hit."""
    return 1 / (1 + np.exp(-(MIDDLE + SLOPE * signal)))


def closed_form(per_day: int) -> float:
    """Give what knowing the signal makes more a month than not knowing it, by the best decisions."""
    grid = np.linspace(-8, 8, 200_001)
    weight = np.exp(-(grid**2) / 2)
    weight /= weight.sum()
    acting = WON * chance(grid) + LOST * (1 - chance(grid))
    knowing = float((weight * np.maximum(acting, 0)).sum())
    not_knowing = max(0.0, float((weight * acting).sum()))
    return (knowing - not_knowing) * per_day * MONTH_DAYS


def make(
    folder: Path, *, days: int, per_day: int, seed: int, learner: str = "logistic", when: str = "every 40d"
) -> None:
    """Write one world."""
    dice = default_rng(seed)
    count = days * per_day
    seen = np.sort(dice.integers(0, days * 86_400, count)).astype("timedelta64[s]")
    seen_at = np.datetime64("2024-01-01T00:00:00", "us") + seen
    signal, noise, other = dice.normal(size=(3, count))
    hit = dice.random(count) < chance(signal)
    told_at = seen_at + dice.integers(600, 40_000, count).astype("timedelta64[s]")
    ids = np.arange(count)
    cases = {"id": ids, "seen_at": seen_at, "signal": signal, "noise": noise, "other": other}
    pl.DataFrame(cases).write_parquet(folder / "cases.parquet")
    ends = {"id": ids, "told_at": told_at, "came": np.where(hit, "hit", "miss")}
    pl.DataFrame(ends).write_parquet(folder / "ends.parquet")
    brief = BRIEF.replace('"logistic"', f'"{learner}"').replace('"every 40d"', f'"{when}"')
    (folder / "brief.toml").write_text(brief, encoding="utf-8")


def measure(*, worlds: int, days: int, per_day: int, learner: str, when: str) -> dict[str, object]:
    """Price both columns in every world."""
    truth = closed_form(per_day)
    found: dict[str, list[tuple[float, float, float]]] = {"signal": [], "noise": []}
    looks = 0
    lucks: list[float] = []
    for seed in range(worlds):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), days=days, per_day=per_day, seed=seed, learner=learner, when=when)
            project = wholeroad.open(folder)
            project.land()
            table = project.data.next(["signal", "noise"])
        looks = table.looks
        lucks.append(table.luck)
        for step in table.steps:
            if step.kind == "column" and step.per_month is not None:
                worth = step.per_month
                found[step.name].append((worth.value, worth.low, worth.high))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{seed + 1} of {worlds} worlds")
    useful, useless = np.array(found["signal"]), np.array(found["noise"])
    return {
        "bench": "data_value",
        "worlds": worlds,
        "learner": learner,
        "when": when,
        "luck_a_month": round(float(np.mean(lucks)), 1),
        "cases": days * per_day,
        "looks": looks,
        "useful_told": int((useful[:, 1] > 0).sum()),
        "useless_told_useful": int((useless[:, 1] > 0).sum()),
        "closed_form_a_month": round(truth, 1),
        "useful_a_month": round(float(useful[:, 0].mean()), 1),
        "useless_a_month": round(float(useless[:, 0].mean()), 1),
        "closed_form_inside": int(((useful[:, 1] <= truth) & (truth <= useful[:, 2])).sum()),
        "nothing_inside_of_useless": int(((useless[:, 1] <= 0) & (useless[:, 2] >= 0)).sum()),
        "goal": "useful told in at least 95 % of the worlds, useless told useful in at most 5 %",
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--worlds", type=int, default=60)
    arguments.add_argument("--days", type=int, default=200)
    arguments.add_argument("--per-day", type=int, default=40)
    arguments.add_argument("--learner", default="logistic")
    arguments.add_argument("--when", default="every 40d")
    given = arguments.parse_args()
    measured = measure(
        worlds=given.worlds, days=given.days, per_day=given.per_day, learner=given.learner, when=given.when
    )
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
