"""What fairness costs with our thresholds, and with Fairlearn's ``ThresholdOptimizer``, on the same scores.

Both learn from the same slice and are judged on the same later cases, by the true probabilities that only
the generator knows: the luck of outcomes has no part in it. A right selection is worth as much as a wrong one
costs, the same for all cases, so that money is Fairlearn's ``accuracy_score`` up to a constant: it maximises
the very money that it is judged by. (Its balanced accuracy is one within each group, and values that differ
by case it can't be told.) Its tolerance ``tol`` takes the same steps as ours; for equalized odds it has none.
It draws lots: its money and rates are the expected ones over its draws.

Each method gives a curve of money against the difference that is left, both means over the seeds. Curves are
compared at the differences that Fairlearn reached, with an interval by resampling the seeds: ours is read
between its points, for equalized odds, whose thresholds make leaps, at the best point that leaves no more
difference. Where Fairlearn left more difference than there is without any thresholds, it is counted apart:
ours doesn't earn money by that. So it is where ours doesn't reach so little difference. How many cases
Fairlearn decides otherwise when asked twice stands beside it; ours decides none.

Run ``python bench/fairness_price.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from fairness_holds import TERMS, Part, World, generate, selected_by, true_difference  # type: ignore[import-not-found]
from numpy.typing import NDArray

from wholeroad.road.brief.fairness import Equal
from wholeroad.road.model.fairness.learning_thresholds import Aim

Floats = NDArray[np.float64]

THEIRS: Final[dict[Equal, str]] = {
    "selection_rate": "demographic_parity",
    "true_positive_rate": "true_positive_rate_parity",
    "equalized_odds": "equalized_odds",
}
TOLERANCES: Final = (0.2, 0.1, 0.05, 0.02, 0.0)
OURS: Final = (1.0, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.0)
RESAMPLES: Final = 2000


@dataclass(frozen=True)
class Method:
    """Points of one method: differences and money per case, each of shape (seeds, tolerances)."""

    apart: Floats
    money: Floats


def scores() -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Give an estimator, as Fairlearn asks for one, that hands on the log odds it is given."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression()
    model.classes_, model.coef_, model.intercept_ = np.array([0, 1]), np.ones((1, 1)), np.zeros(1)
    return model


def log_odds(part: Part) -> Floats:
    """Give what the model states, shape (n, 1), on the scale of the estimator."""
    p = part.cases.probabilities[:, :1]
    odds: Floats = np.log(p) - np.log1p(-p)
    return odds


def theirs(learnt: Part, later: Part, measure: Equal, *, within: float) -> tuple[Floats, float]:
    """Give each later case's probability of being selected, and the share that two calls decide apart."""
    from fairlearn.postprocessing import ThresholdOptimizer  # type: ignore[import-untyped]

    relaxed = {} if measure == "equalized_odds" or not within else {"tol": within}
    optimizer = ThresholdOptimizer(
        estimator=scores(),
        constraints=THEIRS[measure],
        objective="accuracy_score",
        prefit=True,
        predict_method="predict_proba",
        **relaxed,
    )
    optimizer.fit(log_odds(learnt), learnt.cases.positive, sensitive_features=learnt.group)
    features = log_odds(later)
    drawn = optimizer._pmf_predict(features, sensitive_features=later.group)[:, 1]  # noqa: SLF001 - the only way to its expectation
    calls = [optimizer.predict(features, sensitive_features=later.group, random_state=n) for n in (1, 2)]
    return drawn, float(np.mean(calls[0] != calls[1]))


def compare(world: World, measure: Equal, *, seeds: range) -> dict[str, Any]:
    """Compare both on one world by one measure."""
    steps = (0.0,) if measure == "equalized_odds" else TOLERANCES
    points: dict[str, list[list[tuple[float, float]]]] = {"theirs": [], "ours": []}
    flipped, plain, without = [], [], []
    for seed in seeds:
        learnt, later = generate(world, seed)
        gain = later.gain
        row = []
        for within in steps:
            drawn, apart = theirs(learnt, later, measure, within=within)
            row.append((true_difference(later, drawn, measure), float((drawn * gain).mean())))
            flipped.append(apart)
        points["theirs"].append(row)
        row = []
        for within in OURS:
            aim = Aim("colour", ("colour",), measure, within, TERMS)
            selected = selected_by(later, aim, learnt)
            row.append((true_difference(later, selected, measure), float((selected * gain).mean())))
        points["ours"].append(row)
        unconstrained = later.cases.expected[:, 0] > 0
        plain.append(float((unconstrained * gain).mean()))
        without.append(true_difference(later, unconstrained, measure))
    arrays = {name: np.array(rows) for name, rows in points.items()}
    found = {name: Method(rows[:, :, 0], rows[:, :, 1]) for name, rows in arrays.items()}
    return {
        "unconstrained": round(float(np.mean(plain)), 4),
        "difference_without": round(float(np.mean(without)), 4),
        "flipped": [round(float(share), 4) for share in np.reshape(flipped, (len(seeds), -1)).mean(axis=0)],
        "at": [
            at(found["ours"], found["theirs"], place, leaps=measure == "equalized_odds")
            for place in range(len(steps))
        ],
    }


def at(ours: Method, other: Method, place: int, *, leaps: bool) -> dict[str, Any]:
    """Compare money at the difference that Fairlearn reached at one of its steps."""
    read = best_until if leaps else between
    seeds = len(ours.apart)
    dice = np.random.default_rng(0)
    draws = np.vstack([np.arange(seeds), dice.integers(0, seeds, (RESAMPLES, seeds))])
    apart, money = other.apart[draws, place].mean(axis=1), other.money[draws, place].mean(axis=1)
    own_apart, own_money = ours.apart[draws].mean(axis=1), ours.money[draws].mean(axis=1)
    more = np.array(
        [read(own_apart[draw], own_money[draw], apart[draw]) - money[draw] for draw in range(len(draws))]
    )
    low, high = np.quantile(more[1:], [0.025, 0.975])
    return {
        "difference": round(float(apart[0]), 4),
        "theirs": round(float(money[0]), 4),
        "ours_more": round(float(more[0]), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
        "least_difference_of_ours": round(float(own_apart[0].min()), 4),
    }


def best_until(apart: Floats, money: Floats, bound: float) -> float:
    """Give the most money that leaves no more difference; of the least difference where all leave more."""
    within = apart <= max(bound, float(apart.min()))
    return float(money[within].max())


def between(apart: Floats, money: Floats, bound: float) -> float:
    """Read a curve at a difference, between its points."""
    order = np.argsort(apart)
    return float(np.interp(bound, apart[order], money[order]))


def worlds() -> dict[str, World]:
    """Name the worlds."""
    two = World(2, judge=20_000, worth=10.0, costs=10.0)
    three = replace(two, groups=3)
    return {
        "two groups, the model knows the group": replace(two, known=True),
        "two groups, it doesn't": two,
        "three groups, the model knows the group": replace(three, known=True),
        "three groups, it doesn't": three,
    }


def comparable(one: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the points at which Fairlearn left no more difference than there is without thresholds."""
    return [point for point in one["at"] if point["difference"] <= one["difference_without"]]


def counted(points: list[dict[str, Any]]) -> dict[str, int]:
    """Count at how many points ours brings more, as much as can be told, or less, or can't follow."""
    followed = [point for point in points if point["difference"] >= point["least_difference_of_ours"]]
    missed, points = len(points) - len(followed), followed
    more = sum(point["interval"][0] > 0 for point in points)
    less = sum(point["interval"][1] < 0 for point in points)
    return {"more": more, "equal": len(points) - more - less, "less": less, "not_reached": missed}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--seeds", type=int, default=12)
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    found: dict[str, dict[str, Any]] = {}
    for name, world in worlds().items():
        found[name] = {}
        for measure in THEIRS:
            found[name][measure] = compare(world, measure, seeds=range(given.seeds))
            sys.stderr.write(f"{name}, {measure}: {json.dumps(found[name][measure])}\n")
    summary = {}
    for measure in THEIRS:
        every = [world[measure] for world in found.values()]
        points = [point for one in every for point in comparable(one)]
        wider = sum(len(one["at"]) for one in every) - len(points)
        summary[measure] = {**counted(points), "wider_than_without": wider}
    sys.stdout.write(
        json.dumps({"bench": "fairness_price", "seeds": given.seeds, "points": summary, "worlds": found})
        + "\n"
    )


if __name__ == "__main__":
    main()
