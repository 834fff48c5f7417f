"""One case, and 32 together, from their features to decisions, against the same work on a frame.

The frame is what a service without the few-cases path has: the features of the cases as a Polars frame, the
model asked for their probabilities, and the decision kernel. The few-cases path is handed the same features
as tuples and gives the same bits, which is held here, too. Both encode, score, calibrate and decide: boosted
trees of 200 rounds, a logistic regression, and quantiles by trees; 12 numbers, 6 texts and 2 flags. Each row
is another one, so that no branch of a tree is warm. Both are done again and again in turn, in one process,
one thread; processor time, so that other work on the machine counts little; medians. Besides: what the parts
of the few-cases path take.

Run ``python bench/few_cases.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from wholeroad.adapters.learners import make_learners, make_quantile_learners
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.brief.predictions import POINTS
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.model.calibration import Calibration
from wholeroad.road.model.encoding import fit_encoder
from wholeroad.road.model.few_cases import RowModel
from wholeroad.road.model.few_values import CaseValues
from wholeroad.road.model.quantiles import UNCHANGED
from wholeroad.road.model.scoring import Model
from wholeroad.road.release.few import FewCases, Kernel
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, decide_under

GOALS = {"one": 60.0, "of 32": 25.0}
"""Microseconds for each case, with the boosted trees."""

NUMBERS, TEXTS, FLAGS = 12, 6, 2
COLUMNS = [
    *(f"number_{place}" for place in range(NUMBERS)),
    *(f"text_{place}" for place in range(TEXTS)),
    *(f"flag_{place}" for place in range(FLAGS)),
]
PLAN = Plan("model", "m")

BRIEF = """
format = 1
[brief]
name = "few"
question = "Will it fail?"
decision = "Repair it"
[case]
source = "machines"
decide_at = "seen_at"
[outcome]
kind = "{kind}"
{classes}
source = "failures"
truth = "{truth}"
matures = "1d"
depends_on_action = "no"
[value]
unit = "EUR"
{value}
[source.machines]
read = "machines.parquet"
key = "machine"
happened_at = "seen_at"
known_at = "seen_at"
[source.failures]
read = "failures.parquet"
key = "machine"
happened_at = "told_at"
known_at = "told_at"
[feature]
{features}
[policy.refit]
first = "60d"
when = "every 30d"
"""
TABLE = """status_quo = { action = "pass" }
[value.of]
repair = { fails = 8, runs = -4 }
pass = { fails = 0, runs = 0 }"""
AMOUNTS = """status_quo = { expression = "number_0" }
formula = "5 * least(action, outcome) - 2 * action"
quantity = { most = 40 }"""


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--trees", type=int, default=200)
    given = arguments.parse_args()
    found = {}
    for name in ("lightgbm", "logistic", "quantiles"):
        bench = Bench(name, trees=given.trees)
        found[name] = {"one": bench.measure(1, given.rounds), "of 32": bench.measure(32, given.rounds)}
        if name == "lightgbm":
            found["parts of one"] = {"one": bench.parts(given.rounds)}
        sys.stderr.write(f"few_cases, {name}: {found[name]}\n")
    line = {"bench": "few_cases", "trees": given.trees, "goals_us": GOALS, "found_us": found}
    sys.stdout.write(json.dumps(line) + "\n")


class Bench:
    """A model on made-up cases, and both ways to ask it."""

    def __init__(self, name: str, *, trees: int, rows: int = 20_000) -> None:
        dice = np.random.default_rng(0)
        self.frame = cases_of(rows, dice)
        self.numbers = name == "quantiles"
        self.brief = brief_of(numbers=self.numbers)
        schema = pl.Schema({"machine": pl.Int64(), "seen_at": pl.Datetime("us", "UTC"), **self.frame.schema})
        told = pl.Schema({"machine": pl.Int64(), "told_at": schema["seen_at"], "failed": pl.Float64()})
        bound = bind_brief(self.brief, {"machines": schema, "failures": told})
        self.schema = self.frame.schema
        self.model = model_of(name, self.brief, self.frame, trees=trees)
        self.values = CaseValues(self.brief, bound, schema=schema)
        self.rows = RowModel(self.model, self.schema)
        self.kernel = Kernel(
            self.brief,
            bound,
            features=self.schema,
            policy=parse_policy("every 30d"),
            case_schema=schema,
        )
        self.features = self.frame.rows()
        named = self.frame.rows(named=True)
        self.cases = [{"machine": place, "seen_at": 0, **row} for place, row in enumerate(named)]

    def measure(self, size: int, rounds: int) -> dict[str, float]:
        """Time both ways in turn; medians in microseconds for each case, and their ratio."""
        groups = [slice(first, first + size) for first in range(0, 512 * size, size)]
        few = [self.few(rows) for rows in groups]
        frames = [self.frame[rows] for rows in groups]
        for one, frame in zip(few[:16], frames[:16], strict=True):
            both_ways = zip(self.decide(one), self.decide_frame(one, frame), strict=True)
            if any(mine.tobytes() != theirs.tobytes() for mine, theirs in both_ways):
                message = "the few-cases path gave other bits"
                raise RuntimeError(message)
        if self.numbers:
            few, frames = few[:40], frames[:40]
        some = list(zip(few, frames, strict=True))[:40]
        taken = []
        for _ in range(rounds):
            by_few = microseconds(lambda: [self.decide(one) for one in few])
            by_frame = microseconds(lambda: [self.decide_frame(*each) for each in some])
            taken.append((by_few / len(few) / size, by_frame / len(some) / size))
        few_us, frame_us = (statistics.median(each[side] for each in taken) for side in (0, 1))
        return {"few": round(few_us, 1), "frame": round(frame_us, 1), "ratio": round(frame_us / few_us, 1)}

    def parts(self, rounds: int) -> dict[str, float]:
        """Time what the few-cases path does for one case, part by part, in microseconds."""
        rows = self.features[:512]
        matrices = [self.rows.encoded([row]) for row in rows]
        raw = [self.model.raw(matrix) for matrix in matrices]
        works: dict[str, Callable[[], Any]] = {
            "encode": lambda: [self.rows.encoded([row]) for row in rows],
            "score": lambda: [self.model.raw(matrix) for matrix in matrices],
            "calibrate": lambda: [self.model.calibration.apply(each) for each in raw],
            "values": lambda: [self.values.of([row]) for row in self.cases[:512]],
        }
        return {
            name: round(statistics.median(microseconds(work) / len(rows) for _ in range(rounds)), 1)
            for name, work in works.items()
        }

    def few(self, rows: slice) -> FewCases:
        """Give some cases as the few-cases path takes them."""
        ids = list(range(rows.start, rows.stop))
        return FewCases(ids, 0, self.cases[rows], self.features[rows], [False] * len(ids))

    def decide(self, few: FewCases) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Decide few cases."""
        decided = self.kernel.decide(PLAN, few, model=self.model)
        return decided.action, decided.probabilities

    def decide_frame(
        self, few: FewCases, frame: pl.DataFrame
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Decide the same cases by their frame; what they are worth is taken from the few-cases path."""
        values, status_quo = self.values.of(few.rows)
        decided = decide_under(
            PLAN,
            Asked(np.array(few.ids, dtype=np.uint64), values, status_quo, np.array(few.held)),
            actions=self.brief.actions,
            width=len(self.brief.prediction),
            seed=0,
            score=lambda _: self.model.probabilities(frame),
            rule=lambda _: self.model.rule,
        )
        return decided.action, decided.probabilities


def cases_of(rows: int, dice: np.random.Generator) -> pl.DataFrame:
    """Generate features; a twentieth isn't known."""
    columns: dict[str, Any] = {}
    for place, name in enumerate(COLUMNS):
        if name.startswith("number"):
            values: list[Any] = dice.normal(10, 4, rows).round(3).tolist()
        elif name.startswith("text"):
            values = [f"t{code}" for code in dice.integers(0, 5 * (place + 1), rows).tolist()]
        else:
            values = (dice.random(rows) < 0.4).tolist()
        gone = dice.random(rows) < (0.05 if place else 0)
        columns[name] = [None if none else value for none, value in zip(gone.tolist(), values, strict=True)]
    return pl.DataFrame(columns)


def brief_of(*, numbers: bool) -> Brief:
    """Write and read a brief, for two classes or for a number."""
    return read_brief(
        BRIEF.format(
            kind="regression" if numbers else "binary",
            classes="" if numbers else 'classes = ["fails", "runs"]\npositive = "fails"',
            truth="failed" if numbers else "case when failed > 0 then 'fails' else 'runs' end",
            value=AMOUNTS if numbers else TABLE,
            features="\n".join(f'{name} = {{ column = "{name}" }}' for name in COLUMNS),
        )
    )


def model_of(name: str, brief: Brief, frame: pl.DataFrame, *, trees: int) -> Model:
    """Fit a model with so many rounds."""
    encoder = fit_encoder(frame)
    matrix = encoder.encode(frame)
    dice = np.random.default_rng(1)
    x = np.nan_to_num(matrix.values, nan=10.0)
    score = x[:, 0] + x[:, 1] * (x[:, NUMBERS] % 3) / 5 - x[:, 2] / 2 + dice.normal(0, 3, len(x))
    if name == "quantiles":
        learner = make_quantile_learners(("lightgbm",), threads=1)["lightgbm"]
        scorer, _ = learner.fit_quantiles(matrix, np.abs(score).round(), points=POINTS, rounds=trees // 4)
        return Model(encoder, "lightgbm", scorer, UNCHANGED, (), brief.actions)
    truth = (score > np.median(score)).astype(np.int8)
    made, _ = make_learners((name,), threads=1)[name].fit(matrix, truth, classes=2, rounds=trees)
    calibration = Calibration(0.9, (0.1, -0.1))
    return Model(encoder, name, made, calibration, brief.outcome.classes, brief.actions)


def microseconds(work: Callable[[], object]) -> float:
    """Time one run."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e6


if __name__ == "__main__":
    main()
