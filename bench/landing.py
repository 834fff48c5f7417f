"""Peak memory of landing a CSV that is larger than what landing may take: ``python bench/landing.py``.

Makes a file of the size asked for (1 GB unless said), lands it in a process of its own, and measures the peak
of that process. Goal: 2 GiB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

GOAL_GIB = 2.0
ROWS = 200_000

BRIEF = """
format = 1
[brief]
name = "large"
question = "Will the order be returned?"
[case]
source = "orders"
decide_at = "ordered_at"
[outcome]
kind = "binary"
classes = ["back", "kept"]
positive = "back"
source = "returns"
truth = "case when back then 'back' else 'kept' end"
matures = "30d"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "pass" }
[value.of]
call = { back = 3, kept = -1 }
pass = { back = 0, kept = 0 }
[source.orders]
read = "orders.csv"
key = "order_id"
happened_at = "ordered_at"
known_at = "ordered_at"
[source.returns]
read = "none"
key = "order_id"
happened_at = "at"
known_at = "at"
[policy.refit]
first = "30d"
"""


def write_orders(path: Path, size: int) -> int:
    """Write orders until the file has its size; give the number of rows."""
    dice = np.random.default_rng(0)
    rows = 0
    with path.open("wb") as file:
        while file.tell() < size:
            frame = orders(dice, rows)
            frame.write_csv(file, include_header=rows == 0)
            rows += frame.height
    return rows


def orders(dice: np.random.Generator, first: int) -> pl.DataFrame:
    """Make orders: a key, an instant, amounts, categories, and a text of some length."""
    at = np.datetime64("2020-01-01", "us") + (first + np.arange(ROWS)).astype("timedelta64[s]")
    words = dice.choice(np.array(["blue", "coat", "wool", "size", "gift", "late", "shoe", "soft"]), (ROWS, 6))
    return pl.DataFrame(
        {
            "order_id": [f"o{number:010}" for number in range(first, first + ROWS)],
            "ordered_at": pl.Series(at).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "amount_eur": dice.gamma(2.0, 30.0, ROWS).round(2),
            "items": dice.integers(1, 9, ROWS),
            "shop": dice.choice(["north", "south", "east", "west"], ROWS),
            "customer": dice.integers(0, 5_000_000, ROWS),
            "note": [" ".join(row) for row in words.tolist()],
        }
    )


def landed(folder: Path) -> dict[str, float]:
    """Land in this process, and print what it took."""
    import wholeroad
    from wholeroad.road.data.facts import BatchLanded

    began = time.perf_counter()
    (fact,) = wholeroad.open(folder).land()
    if not isinstance(fact, BatchLanded):
        raise TypeError(fact)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"rows": fact.landed, "peak_gib": peak / 2**30, "seconds": time.perf_counter() - began}


def main() -> int:
    """Make the file, land it, land it once more after a change of its last byte, and say what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=1.0)
    parser.add_argument("--land", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.land is not None:
        print(json.dumps(landed(given.land)))
        return 0
    with tempfile.TemporaryDirectory(prefix="wholeroad-landing-") as place:
        folder = Path(place)
        (folder / "brief.toml").write_text(BRIEF)
        rows = write_orders(folder / "orders.csv", int(given.gb * 1e9))
        print(f"{rows:,} rows, {(folder / 'orders.csv').stat().st_size / 1e9:.2f} GB")
        size_gb, worst, seconds = (folder / "orders.csv").stat().st_size / 1e9, 0.0, {}
        for what in ("first landing", "again, with one row more"):
            command = [sys.executable, __file__, "--land", str(folder)]
            took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            worst, seconds[what] = max(worst, took["peak_gib"]), round(took["seconds"], 1)
            print(f"{what}: {took['rows']:,} rows, {took['peak_gib']:.2f} GiB, {took['seconds']:.0f} s")
            with (folder / "orders.csv").open("ab") as file:
                file.write(b"last,2030-01-01T00:00:00Z,1.0,1,north,1,one more\n")
    print(f"peak {worst:.2f} GiB; the goal is {GOAL_GIB:g} GiB")
    found = {"bench": "landing", "rows": rows, "size_gb": round(size_gb, 2), "seconds": seconds}
    print(json.dumps({**found, "peak_gib": round(worst, 2), "goal_gib": GOAL_GIB}))
    return int(worst > GOAL_GIB)


if __name__ == "__main__":
    sys.exit(main())
