"""Orders of a rehearsal against the best orders, which the true demand gives in closed form.

A generated world (``wholeroad.testing.newsvendor``) whose demand is known in distribution. The rehearsed
policy sees only what a shop would; the optimum orders the true demand's quantile at each case's critical
fractile. Both are valued twice: by the true distribution, without the luck of the days, and by what was asked
for in fact. Days are independent in this world, so the intervals are Student's over the days' paired
differences. The script fails when the orders fall short of the optimum by more than one percent, by the true
distribution and at the upper end of the interval.

Run ``python bench/newsvendor.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wholeroad
from wholeroad.testing import newsvendor
from wholeroad.testing.newsvendor import WASTE, Newsvendors

STUDENT = 1.98
"""The 97.5% quantile for 100 days and more."""
GOAL = 0.01


def rehearsed_orders(world: Newsvendors, folder: Path, policy: str) -> NDArray[np.float64]:
    """Give what was ordered for each case, NaN where no model decided."""
    (folder / "brief.toml").write_text(newsvendor.BRIEF, encoding="utf-8")
    world.deliveries.write_parquet(folder / "deliveries.parquet")
    world.demands.write_parquet(folder / "demands.parquet")
    decided = wholeroad.open(folder).rehearse([policy]).decisions(policy).drop_nulls("model")
    orders = np.full(world.mean.size, np.nan)
    # Deliveries are numbered from 0 in their order.
    orders[decided["delivery_id"].to_numpy()] = decided["action"].cast(float).to_numpy()
    return orders


def came_in(world: Newsvendors, amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the money of orders under what was asked for in fact."""
    price, cost = world.deliveries["price"].to_numpy(), world.deliveries["cost"].to_numpy()
    sold = np.minimum(amount, world.demands["asked_for"].to_numpy())
    money: NDArray[np.float64] = price * sold - cost * amount - WASTE * (amount - sold)
    return money


def paired(ours: NDArray[np.float64], best: NDArray[np.float64], day: NDArray[np.int64]) -> dict[str, Any]:
    """Give both totals, and the share by which ours falls short, with its interval over days."""
    short = np.bincount(day, weights=best - ours)[np.unique(day)]
    total = float(best.sum())
    half = STUDENT * float(short.std(ddof=1)) * np.sqrt(short.size) / total
    share = float(short.sum()) / total
    return {
        "optimum": round(total),
        "ours": round(float(ours.sum())),
        "short_percent": round(100 * share, 3),
        "interval_percent": [round(100 * float(share - half), 3), round(100 * float(share + half), 3)],
    }


def measure(*, days: int, shops: int, products: int, seed: int) -> dict[str, Any]:
    """Rehearse, and hold the orders against the best ones."""
    world = newsvendor.make(days=days, shops=shops, products=products, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        orders = rehearsed_orders(world, Path(folder), "every 60d")
    rows = np.flatnonzero(~np.isnan(orders))
    day = rows // (shops * products)
    filled = np.where(np.isnan(orders), 0.0, orders)
    today = world.deliveries["last_week"].to_numpy().astype(np.float64)
    best = world.best()
    expected = world.expected(best)[rows]
    return {
        "cases": int(rows.size),
        "expected": paired(world.expected(filled)[rows], expected, day),
        "status_quo_expected": paired(world.expected(today)[rows], expected, day),
        "came_in": paired(came_in(world, filled)[rows], came_in(world, best)[rows], day),
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--days", type=int, default=240)
    arguments.add_argument("--shops", type=int, default=10)
    arguments.add_argument("--products", type=int, default=6)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    found = measure(days=given.days, shops=given.shops, products=given.products, seed=given.seed)
    for name, figures in found.items():
        sys.stderr.write(f"newsvendor, {name}: {figures}\n")
    sys.stdout.write(json.dumps({"bench": "newsvendor", **found}) + "\n")
    if found["expected"]["interval_percent"][1] > 100 * GOAL:
        sys.exit("the orders fall short of the optimum by more than one percent")


if __name__ == "__main__":
    main()
