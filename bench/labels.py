"""Planted label noise: what of it is found, beside cleanlab; and annotators whose errors are known.

A generated stream of 20,000 cases has three classes, true labels drawn from known chances, and labels made
wrong in three ways: uniform (any case alike), class-dependent (two of six confusions), feature-dependent (the
more, the larger one feature). The learners that ship walk through time: each block of cases is scored by a
model of the blocks before it, fitted on their labels, wrong ones included. Both sides get the same
probabilities and labels.

Precision and recall *at the true count*: as many cases are looked at as labels are truly wrong, the likeliest
first, so that both are the same number. *Flagged*: the side's own choice of how many. Money: each mistake
costs an amount that differs from case to case; what a reviewer finds in the first 200 cases by money, by
probability, drawn by chance, and by an oracle that knows the wrong labels. Intervals: Student's over seeds.

cleanlab 2.9.0 lives in an environment of its own, made by the script (venv, pip) unless ``--peers PYTHON``
names one. Run ``python bench/labels.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners import LightgbmTrees, Logistic
from wholeroad.adapters.machine import calm_openmp
from wholeroad.core.instants import DAY
from wholeroad.core.ports import Matrix
from wholeroad.road.review.consensus import confusion_intervals, dawid_skene, majority
from wholeroad.road.review.suspects import estimate_noise, find_suspects, ranked
from wholeroad.road.review.votes import Votes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLASSES = 3
BLOCKS = 6
LOOKED = 200
KINDS = ("uniform", "class-dependent", "feature-dependent")
RATES = (0.02, 0.05, 0.10)
STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571}
PEER = "cleanlab==2.9.0"

CHILD = """
import json, sys
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
found = {}
for path in sys.argv[1:]:
    data = np.load(path)
    labels, probabilities = data["labels"], data["probabilities"]
    flagged = find_label_issues(labels, probabilities, n_jobs=1)
    scores = get_label_quality_scores(labels, probabilities, method="normalized_margin")
    count = int(data["count"])
    found[path] = {
        "flagged": np.flatnonzero(flagged).tolist(),
        "first": np.argsort(scores, kind="stable")[:count].tolist(),
    }
print(json.dumps(found))
"""


def stream(count: int, seed: int) -> tuple[Matrix, Ints, NDArray[np.float64]]:
    """Draw features, true classes by known chances, and what a mistake costs in each case."""
    dice = np.random.default_rng(seed)
    values = dice.normal(size=(count, 8))
    logits = 2.5 * np.column_stack(
        [
            values[:, 0] + values[:, 1] * values[:, 2],
            values[:, 3] - 0.5 * values[:, 0],
            0.8 + 0 * values[:, 0],
        ]
    )
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    true = (dice.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    names = tuple(f"x{place}" for place in range(8))
    cost = dice.lognormal(3, 1.2, count)
    return Matrix(np.asfortranarray(values), names, (0,) * 8), np.minimum(true, CLASSES - 1), cost


def planted(true: Ints, values: Floats, *, kind: str, rate: float, seed: int) -> Ints:
    """Make a share of the labels wrong."""
    dice = np.random.default_rng(seed + 1000)
    other = (true + dice.integers(1, CLASSES, true.size)) % CLASSES
    weight = np.ones(true.size)
    if kind == "class-dependent":
        confused = {0: 1, 1: 0}
        weight = np.isin(true, [*confused]).astype(np.float64)
        other = np.where(true == 0, 1, 0)
    if kind == "feature-dependent":
        weight = np.exp(1.2 * values[:, 4])
    chance = np.minimum(1.0, rate * weight / weight.mean())
    return np.where(dice.random(true.size) < chance, other, true)


def out_of_time(matrix: Matrix, labels: Ints, *, learner: str) -> tuple[Floats, slice]:
    """Score each block by a model of the blocks before it; give the probabilities and the scored cases."""
    made = LightgbmTrees(threads=1) if learner == "lightgbm" else Logistic()
    edges = np.linspace(0, labels.size, BLOCKS + 1).astype(int)
    scored = []
    for first, last in pairwise(edges[1:]):
        cut = int(first * 0.8)
        past, recent, ahead = (
            _rows(matrix, slice(*ends)) for ends in ((0, cut), (cut, first), (first, last))
        )
        known = labels.astype(np.int8)
        _, rounds = made.fit(past, known[:cut], classes=CLASSES, stop=(recent, known[cut:first]))
        scorer, _ = made.fit(_rows(matrix, slice(0, first)), known[:first], classes=CLASSES, rounds=rounds)
        scored.append(scorer.probabilities(ahead))
    return np.concatenate(scored), slice(int(edges[1]), labels.size)


def _rows(matrix: Matrix, rows: slice) -> Matrix:
    return Matrix(np.asfortranarray(matrix.values[rows]), matrix.names, matrix.categories)


def at_count(first: Ints, wrong: NDArray[np.bool_]) -> float:
    """Give the share of the first cases, as many as are wrong, that are."""
    return float(wrong[first].mean()) if first.size else float("nan")


def flags(found: Ints, wrong: NDArray[np.bool_]) -> tuple[float, float]:
    """Give precision and recall of flags."""
    hits = int(wrong[found].sum())
    return hits / max(1, found.size), hits / max(1, int(wrong.sum()))


def every_case(probabilities: Floats, labels: Ints, stakes: Floats | None = None) -> Ints:
    """Rank all cases by the probability of the likeliest other class, times money where it is given."""
    others = probabilities.copy()
    others[np.arange(labels.size), labels] = -1.0
    own = probabilities[np.arange(labels.size), labels]
    suggested = others.argmax(axis=1)
    if stakes is None:
        return np.argsort(own - others.max(axis=1), kind="stable")
    every = np.arange(labels.size)
    return ranked(probabilities, labels, positions=every, suggested=suggested, stakes=stakes).positions


def measure_one(
    kind: str, rate: float, *, learner: str, seed: int, count: int, folder: Path
) -> dict[str, Any]:
    """Plant, score, and find; keep what the other side needs."""
    matrix, true, cost = stream(count, seed)
    labels = planted(true, matrix.values, kind=kind, rate=rate, seed=seed)
    probabilities, scored = out_of_time(matrix, labels, learner=learner)
    true, labels, cost = true[scored], labels[scored], cost[scored]
    wrong = labels != true
    stakes = np.zeros((labels.size, CLASSES))
    stakes[:, 0] = cost  # the money of the taken action hangs on whether class 0 came true
    right = stakes[np.arange(labels.size), true]
    worth = np.abs(stakes[np.arange(labels.size), labels] - right)
    path = folder / f"{kind}-{rate}-{learner}-{seed}.npz"
    np.savez(path, labels=labels, probabilities=probabilities, count=int(wrong.sum()))
    likely, by_money = every_case(probabilities, labels), every_case(probabilities, labels, stakes)
    decided_at = np.arange(labels.size) * (365 * DAY // labels.size)
    noise = estimate_noise(probabilities, labels, decided_at=decided_at, seed=seed)
    total = int(wrong.sum())
    found = {
        prune: find_suspects(probabilities, labels, prune=prune) for prune in ("noise-rate", "class", "both")
    }
    return {
        "path": str(path),
        "wrong": np.flatnonzero(wrong).tolist(),
        "cases": labels.size,
        "at_count": at_count(likely[:total], wrong),
        "flags": {prune: flags(each.positions, wrong) for prune, each in found.items()},
        "share": total / labels.size,
        "estimated": (noise.share.value, noise.share.low, noise.share.high),
        "money": {
            "by money": float((worth * wrong)[by_money[:LOOKED]].sum() / LOOKED),
            "by probability": float((worth * wrong)[likely[:LOOKED]].sum() / LOOKED),
            "by chance": float((worth * wrong).sum() / labels.size),
            "oracle": float(np.sort(worth * wrong)[::-1][:LOOKED].sum() / LOOKED),
        },
    }


def peers(python: str, paths: list[str]) -> dict[str, Any]:
    """Ask cleanlab about the same probabilities, in its own environment."""
    run = subprocess.run([python, "-c", CHILD, *paths], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def environment(folder: Path) -> str:
    """Make an environment with the peer in it."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", PEER], check=True)
    return str(python)


def between(values: list[float]) -> tuple[float, float]:
    """Give the mean and half of its 95% interval over the seeds."""
    spread = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return float(np.mean(values)), float(STUDENT.get(len(values) - 1, 2.0) * spread)


def crowd(items: int, people: int, seed: int) -> dict[str, float]:
    """Draw verdicts from known confusion matrices, and recover these."""
    dice = np.random.default_rng(seed)
    right = np.linspace(0.6, 0.95, people)
    confusion = np.stack(
        [(1 - one) * dice.dirichlet(np.ones(CLASSES), CLASSES) + one * np.eye(CLASSES) for one in right]
    )
    true = dice.choice(CLASSES, items, p=[0.5, 0.3, 0.2])
    said = (dice.random((items, people, 1)) > confusion[np.arange(people), true[:, None]].cumsum(axis=2)).sum(
        axis=2
    )
    said[dice.random((items, people)) < 0.2] = -1
    votes = Votes.of_matrix(np.minimum(said, CLASSES - 1), CLASSES)
    found = dawid_skene(votes)
    low, high = confusion_intervals(votes, found, seed=seed)
    return {
        "error": float(np.abs(found.confusion - confusion).mean()),
        "worst": float(np.abs(found.confusion - confusion).max()),
        "inside": float(((low <= confusion) & (confusion <= high)).mean()),
        "right": float((found.codes == true).mean()),
        "majority": float((majority(votes) == true).mean()),
    }


def consensus(seeds: int) -> list[dict[str, Any]]:
    """Measure by number of items and people."""
    rows = []
    for people in (3, 5, 10):
        for items in (100, 300, 1000):
            each = [crowd(items, people, seed) for seed in range(seeds)]
            means = {name: round(float(np.mean([one[name] for one in each])), 4) for name in each[0]}
            rows.append(
                {
                    "people": people,
                    "items": items,
                    **means,
                    "worst": round(max(one["worst"] for one in each), 3),
                }
            )
    return rows


def noise_table(ones: list[dict[str, Any]], theirs: dict[str, Any]) -> dict[str, Any]:
    """Put the seeds of one kind and rate together."""
    peer_first, peer_flags = [], []
    for one in ones:
        wrong = np.zeros(one["cases"], dtype=bool)
        wrong[one["wrong"]] = True
        other = theirs[one["path"]]
        peer_first.append(at_count(np.array(other["first"], dtype=int), wrong))
        peer_flags.append(flags(np.array(other["flagged"], dtype=int), wrong))
    ours, cleanlab = ([one["at_count"] for one in ones], peer_first)
    return {
        "ours_at_count": between(ours),
        "cleanlab_at_count": between(cleanlab),
        "difference": between([a - b for a, b in zip(ours, cleanlab, strict=True)]),
        "chance_at_count": float(np.mean([one["share"] for one in ones])),
        "ours_flags": {
            prune: [float(np.mean([one["flags"][prune][side] for one in ones])) for side in (0, 1)]
            for prune in ones[0]["flags"]
        },
        "cleanlab_flags": [float(np.mean([each[side] for each in peer_flags])) for side in (0, 1)],
        "estimated_share": [float(np.mean([one["estimated"][end] for one in ones])) for end in range(3)],
        "money": {name: between([one["money"][name] for one in ones]) for name in ones[0]["money"]},
    }


def show(found: dict[str, Any]) -> None:
    """Print the tables."""
    for learner, table in found["noise"].items():
        sys.stderr.write(
            f"\nprobabilities of {learner}; P = R at the true count, mean and half of the 95% interval\n"
            f"{'noise':<24}{'ours':>14}{'cleanlab':>14}{'difference':>16}{'chance':>8}"
            f"{'our flags P/R':>16}{'theirs P/R':>14}{'estimated':>20}\n"
        )
        for name, row in table.items():
            cells = [
                f"{row[key][0]:.3f} ±{row[key][1]:.3f}" for key in ("ours_at_count", "cleanlab_at_count")
            ]
            apart = f"{row['difference'][0]:+.3f} ±{row['difference'][1]:.3f}"
            mine = "/".join(f"{each:.2f}" for each in row["ours_flags"]["noise-rate"])
            their = "/".join(f"{each:.2f}" for each in row["cleanlab_flags"])
            share = "{:.3f} ({:.3f}-{:.3f})".format(*row["estimated_share"])
            sys.stderr.write(
                f"{name:<24}{cells[0]:>14}{cells[1]:>14}{apart:>16}{row['chance_at_count']:>8.3f}"
                f"{mine:>16}{their:>14}{share:>20}\n"
            )
        sys.stderr.write(f"\nEUR found per case, the first {LOOKED}\n")
        for name, row in table.items():
            money = "".join(
                f"{key} {value[0]:.2f} ±{value[1]:.2f}".ljust(28) for key, value in row["money"].items()
            )
            sys.stderr.write(f"{name:<24}{money}\n")
    sys.stderr.write(
        "\nconsensus: people, items, mean error of a cell, worst, inside interval, right, majority\n"
    )
    for row in found["consensus"]:
        sys.stderr.write("  ".join(f"{value:>7}" for value in row.values()) + "\n")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--cases", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--learners", nargs="*", default=["lightgbm", "logistic"])
    arguments.add_argument("--peers", help="a Python with cleanlab in it; made anew unless named")
    given = arguments.parse_args()
    calm_openmp()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        ones = {
            (learner, kind, rate): [
                measure_one(kind, rate, learner=learner, seed=seed, count=given.cases, folder=place)
                for seed in range(given.seeds)
            ]
            for learner in given.learners
            for kind in KINDS
            for rate in RATES
        }
        python = given.peers or environment(place / "peers")
        theirs = peers(python, [one["path"] for group in ones.values() for one in group])
    noise: dict[str, dict[str, Any]] = {}
    for (learner, kind, rate), group in ones.items():
        noise.setdefault(learner, {})[f"{kind} {rate:.0%}"] = noise_table(group, theirs)
    rows = [row for table in noise.values() for row in table.values()]
    ratios = [row["money"]["by money"][0] / row["money"]["by probability"][0] for row in rows]
    found = {
        "bench": "labels",
        "cases": given.cases,
        "settings": len(rows),
        "ours_at_count": round(float(np.mean([row["ours_at_count"][0] for row in rows])), 3),
        "cleanlab_at_count": round(float(np.mean([row["cleanlab_at_count"][0] for row in rows])), 3),
        "chance_at_count": round(float(np.mean([row["chance_at_count"] for row in rows])), 3),
        "worst_difference": round(min(row["difference"][0] for row in rows), 3),
        "money_ratio": round(float(np.median(ratios)), 2),
        "money_ratio_least": round(min(ratios), 2),
        "seeds": given.seeds,
        "noise": noise,
        "consensus": consensus(given.seeds),
    }
    show(found)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
