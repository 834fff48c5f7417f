"""Worlds with one true cause of bias each: how often the plan names it first, and of the right group.

Each world has 2,000 to 8,000 cases over 150 days in two to four groups, 5 features, outcomes that hang on
two of them, delays, nulls and unseen outcomes alike in every group; then one thing is changed for one
group: its coverage (fewer cases than the population has), base rate (up or down), missingness of one
feature, labels turned at a rate, delay, or unseen outcomes. In half of the worlds with unseen or late
outcomes these are selective: positive ones are hidden twice as often, or take half as long again. The size
of the effect is drawn from 2 to 10 standard errors, evenly; a world counts by its true effect over the
standard error that its own interval implies (half its width over 1.96), and by at least 2 of these. Base
rates of two groups differ whichever one is named; everywhere else the group has to be right, too.

Label noise is judged by a logistic model (the one that ships) that has learnt from the first half of the
days, its wrong labels included, and foretells the second half; the group is no feature of it. Everything
else is asked by ``ask_bias``, as known on the last day.

Worlds without any effect are made the same way; there, a clear line is a false one. Intervals: Wilson's.
Run ``python bench/bias_causes.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.adapters.learners import Logistic
from wholeroad.core.instants import DAY
from wholeroad.core.ports import Matrix
from wholeroad.road.data.bias.asking import ask_bias
from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.data.bias.groups import Grouping, grouping
from wholeroad.road.data.bias.seen import NEVER, NONE, TOLD, Seen
from wholeroad.road.review.intervals import share_of
from wholeroad.road.review.noise_by_group import noise_by_group
from wholeroad.road.watch.fairness.choices import Situation
from wholeroad.road.watch.fairness.planned import Plan
from wholeroad.road.watch.fairness.planning import plan_remedies

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CAUSES: tuple[Cause, ...] = ("coverage", "base_rate", "missingness", "label_noise", "delay", "unseen")
DAYS = 150
MATURES = 14
USUAL = 0.06
"""Share of nulls, and of unseen outcomes, where nothing is wrong."""
MEAN_DELAY = 4.0
BINS = ((2.0, 3.0), (3.0, 5.0), (5.0, np.inf))


@dataclass(frozen=True)
class World:
    """What is seen of a world, what a model says of it, and its hidden truth."""

    seen: Seen
    findings: tuple[GroupBias, ...]
    groups: Grouping
    cause: Cause | None
    value: str
    effect: float

    @property
    def errors(self) -> float:
        """The true effect over the standard error that its interval implies."""
        for each in self.findings:
            if (each.cause, each.value) == (self.cause, self.value) and each.about in {"", "x2"}:
                return abs(self.effect) / ((each.difference.high - each.difference.low) / 2 / 1.96)
        return 0.0

    def named_first(self, plan: Plan) -> bool:
        """Tell whether the plan's first line is the truth."""
        lines = (*plan.lines, *plan.doubtful)
        if not lines or lines[0].cause != self.cause:
            return False
        mirrored = self.cause == "base_rate" and len(self.groups.values) == 2
        return mirrored or lines[0].value == self.value


@dataclass(frozen=True)
class Drawn:
    """The cases of a world before anything is done to them."""

    codes: NDArray[np.int64]
    shares: Floats
    mine: Flags
    x: Floats
    score: Floats
    at: NDArray[np.int64]


def draw(dice: np.random.Generator) -> Drawn:
    """Draw cases, groups and what the outcome hangs on; ``mine`` is the group that may be changed."""
    cases, groups = int(dice.integers(2000, 8000)), int(dice.integers(2, 5))
    shares = dice.dirichlet(np.full(groups, 6.0))
    shares = np.maximum(shares, 0.12) / np.maximum(shares, 0.12).sum()
    codes = dice.choice(groups, cases, p=shares)
    x = dice.normal(size=(cases, 5))
    at = np.sort(dice.integers(0, DAYS * DAY, cases))
    score = dice.uniform(-2.0, 0.0) + 1.4 * x[:, 0] + 1.0 * x[:, 1]
    return Drawn(codes, shares, codes == dice.integers(groups), x, score, at)


def world(seed: int, cause: Cause | None) -> World:
    """Make a world with one cause, or none."""
    dice = np.random.default_rng(seed)
    drawn = draw(dice)
    size, wanted = drawn.mine.size, dice.uniform(2.0, 10.0)
    mine = drawn.mine
    own, rest = int(mine.sum()), int((~mine).sum())
    effect, chance = 0.0, 1 / (1 + np.exp(-drawn.score))
    if cause == "base_rate":
        rate = chance.mean()
        wished = wanted * np.sqrt(rate * (1 - rate) * (1 / own + 1 / rest)) * dice.choice([-1, 1])
        shift = _shift(drawn.score[mine], np.clip(chance[mine].mean() + wished, 0.02, 0.98))
        moved = 1 / (1 + np.exp(-drawn.score - shift))
        effect = float(moved[mine].mean() - chance[mine].mean())
        chance = np.where(mine, moved, chance)
    positive = dice.random(size) < chance
    null = dice.random(size) < USUAL
    hidden = dice.random(size) < USUAL
    delay = dice.gamma(2.0, MEAN_DELAY / 2, size)
    keep = np.ones(size, dtype=bool)
    shares, selective = drawn.shares, bool(dice.random() < 0.5)
    if cause == "missingness":
        effect = _raised(wanted, own, rest)
        null = mine & (dice.random(size) < effect + USUAL) | ~mine & null
    elif cause == "unseen":
        effect = _raised(wanted, own, rest)
        tilt = np.where(positive, 2.0, 1.0) if selective else np.ones(size)
        tilt /= tilt[mine].mean()
        hidden = mine & (dice.random(size) < (effect + USUAL) * tilt) | ~mine & hidden
    elif cause == "delay":
        effect = wanted * MEAN_DELAY / np.sqrt(2) * np.sqrt(1 / own + 1 / rest)
        effect *= 1 + effect / MEAN_DELAY / 2
        tilt = np.where(positive, 1.5, 1.0) if selective else np.ones(size)
        delay = np.where(mine, delay * (1 + effect / MEAN_DELAY * tilt / tilt[mine].mean()), delay)
    elif cause == "coverage":
        share = own / size
        effect = -wanted * np.sqrt(share * (1 - share) / size)
        left = max(share + effect, 0.01)
        keep = ~mine | (dice.random(size) < left * (1 - share) / (share * (1 - left)))
    elif cause == "label_noise":
        effect = _noise(drawn, chance, wanted)
        positive = positive ^ (mine & (dice.random(size) < effect))
    told = _Told(positive, null, hidden, delay)
    return _seen(drawn, told, keep=keep, shares=shares, cause=cause, effect=effect)


def _raised(wanted: float, own: int, rest: int) -> float:
    effect = 0.05
    for _ in range(20):
        raised = USUAL + effect
        effect = min(wanted * np.sqrt(raised * (1 - raised) / own + USUAL * (1 - USUAL) / rest), 0.5)
    return float(effect)


def _shift(score: Floats, rate: float) -> float:
    low, high = -6.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-score - middle))).mean() < rate else (low, middle)
    return (low + high) / 2


def _noise(drawn: Drawn, chance: Floats, wanted: float) -> float:
    """Give the rate of wrong labels that is so many of its own standard errors.

    By the information in the cases, beside a level and a slope of the group's own.
    """
    later = drawn.mine & (drawn.at >= DAYS // 2 * DAY)
    p = chance[later]
    bend = p * (1 - p)
    columns = np.stack([bend, bend * np.log(p / (1 - p)), 1 - 2 * p])
    rate = 0.05
    for _ in range(20):
        turned = p + rate * (1 - 2 * p)
        weight = 1 / np.maximum(turned * (1 - turned), 0.04)
        matrix = (columns * weight) @ columns.T + np.diag([0.25, 16.0, 0.0])
        rate = float(min(wanted * np.sqrt(np.linalg.inv(matrix)[2, 2]), 0.45))
    return rate


@dataclass(frozen=True)
class _Told:
    positive: Flags
    null: Flags
    hidden: Flags
    delay: Floats


def _seen(
    drawn: Drawn, told: _Told, *, keep: Flags, shares: Floats, cause: Cause | None, effect: float
) -> World:
    now = DAYS * DAY
    known_at = drawn.at + (told.delay * DAY).astype(np.int64)
    known = ~told.hidden & (known_at <= now)
    names = [f"group {code}" for code in range(shares.size)]
    texts = pl.Series("place", [names[code] for code in drawn.codes])
    population = dict(zip(names, shares.tolist(), strict=True))
    made = grouping("place", texts.filter(pl.Series(keep)), least_cases=30, population=population)
    features = pl.DataFrame({f"x{at}": drawn.x[:, at] for at in range(5)}).with_columns(
        pl.when(pl.Series(told.null)).then(None).otherwise(pl.col("x2")).alias("x2"),
        pl.when(pl.Series(np.random.default_rng(0).permutation(told.null.size) % 25 == 0))
        .then(None)
        .otherwise(pl.col("x3"))
        .alias("x3"),
    )
    seen = Seen(
        decided_at=drawn.at[keep],
        groups=(made,),
        positive=np.where(known, told.positive, -1).astype(np.int8)[keep],
        outcome=np.where(known, TOLD, NONE).astype(np.int8)[keep],
        told_at=np.where(known, known_at, NEVER)[keep],
        features=features.filter(pl.Series(keep)),
        now=now,
        matures=MATURES * DAY,
        looked_for="late",
    )
    value = names[int(drawn.codes[drawn.mine][0])] if drawn.mine.any() else ""
    findings = (*ask_bias(seen), *_noise_found(seen, made))
    return World(seen, findings, made, cause, value, effect)


def _noise_found(seen: Seen, made: Grouping) -> tuple[GroupBias, ...]:
    x = np.asfortranarray(seen.features.select("x0", "x1", "x4").to_numpy())
    half = seen.decided_at < DAYS // 2 * DAY
    first = np.flatnonzero(half & (seen.positive >= 0) & (seen.told_at <= DAYS // 2 * DAY))
    later = np.flatnonzero(~half & (seen.positive >= 0) & (seen.age >= seen.matures))
    names, none = ("x0", "x1", "x4"), (0, 0, 0)
    scorer, _ = Logistic().fit(Matrix(x[first], names, none), seen.positive[first], classes=2)
    chances = scorer.probabilities(Matrix(np.asfortranarray(x[later]), names, none))
    blocks = seen.decided_at[later] // DAY
    return noise_by_group(
        chances, seen.positive[later], groups=[made.take(later)], blocks=blocks - blocks.min(initial=0)
    )


def run(worlds: int, nulls: int, *, seed: int) -> dict[str, Any]:
    """Make worlds until each cause has its share of those whose effect is large enough."""
    hits: dict[tuple[str, int], list[bool]] = defaultdict(list)
    wrong: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for place, cause in enumerate(CAUSES):
        at = 0
        while sum(len(hits[cause, one]) for one in range(len(BINS))) < worlds and at < 10 * worlds:
            made = world(seed + 100_000 * place + at, cause)
            at += 1
            size = next((one for one, (low, high) in enumerate(BINS) if low <= made.errors < high), None)
            if size is None:
                continue
            plan = plan_remedies(made.findings, Situation(groups=(made.groups,), seen=made.seen))
            right = made.named_first(plan)
            hits[cause, size].append(right)
            if not right:
                lines = (*plan.lines, *plan.doubtful)
                said = lines[0].cause if lines else "nothing"
                wrong[cause][said if said != cause else "another group"] += 1
    false = 0
    for at in range(nulls):
        made = world(seed + 10_000_000 + at, None)
        plan = plan_remedies(made.findings, Situation(groups=(made.groups,), seen=made.seen))
        false += bool(plan.lines)
    return {"hits": hits, "wrong": wrong, "false": false, "nulls": nulls}


def main() -> None:
    """Print the tables; the last line is JSON."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--worlds", type=int, default=80, help="of each cause")
    ask.add_argument("--nulls", type=int, default=400)
    ask.add_argument("--seed", type=int, default=1)
    asked = ask.parse_args()
    found = run(asked.worlds, asked.nulls, seed=asked.seed)
    hits, everything = found["hits"], []
    print("named first        2-3 SE        3-5 SE        > 5 SE       all    otherwise said")
    for cause in CAUSES:
        parts = [hits[cause, one] for one in range(len(BINS))]
        whole = [each for part in parts for each in part]
        everything += whole
        cells = "".join(f"{_said(part):>14}" for part in parts)
        print(f"{cause:<12}{cells}{_said(whole):>12}    {dict(found['wrong'][cause])}")
    bins = [[each for cause in CAUSES for each in hits[cause, one]] for one in range(len(BINS))]
    print(f"{'all':<12}{''.join(f'{_said(part):>14}' for part in bins)}{_said(everything):>12}")
    share = share_of(sum(everything), len(everything))
    false = share_of(found["false"], found["nulls"])
    print(f"\n{share.value:.1%} [{share.low:.1%}, {share.high:.1%}] of {share.n} worlds; goal: at least 90%")
    print(
        f"without any effect: a clear line in {false.value:.1%} [{false.low:.1%}, {false.high:.1%}] of "
        f"{false.n}"
    )
    print(
        json.dumps(
            {
                "named_first": round(share.value, 4),
                "worlds": share.n,
                "by_size": [round(float(np.mean(part)), 4) if part else None for part in bins],
                "by_cause": {
                    cause: round(float(np.mean([x for one in range(len(BINS)) for x in hits[cause, one]])), 4)
                    for cause in CAUSES
                },
                "false_lines": round(false.value, 4),
                "nulls": false.n,
            }
        )
    )


def _said(part: list[bool]) -> str:
    return f"{sum(part)}/{len(part)} {np.mean(part):.0%}" if part else "-"


if __name__ == "__main__":
    main()
