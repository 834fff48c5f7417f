"""A contract and a profile of 10,000,000 rows of 40 columns in a project: what memory they take.

The rows are those of ``bench/contracts.py``, each a case, with an outcome for each. They are landed into a
project whose brief states the contract of that bench, then profiled as ``wholeroad data profile`` does.
Each stage is a process of its own; its peak is the largest memory that was resident.

Run ``python bench/profile_memory.py [--rows 10000000]``; the last line is JSON.
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

from contracts import PART, our_contract, write_rows  # type: ignore[import-not-found]  # beside this script

GOAL_GIB = 4.0

BRIEF = """
format = 1
[brief]
name = "many"
question = "Will b0 come true?"
[case]
source = "rows"
decide_at = "at"
[outcome]
kind = "binary"
classes = ["yes", "no"]
positive = "yes"
source = "ends"
truth = "case when hit then 'yes' else 'no' end"
matures = "1h"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "pass" }
[value.of]
act = { yes = 3, no = -1 }
pass = { yes = 0, no = 0 }
[source.ends]
read = "ends.parquet"
key = "id"
happened_at = "told_at"
known_at = "told_at"
[feature]
i0 = { column = "i0" }
f0 = { column = "f0" }
s0 = { column = "s0" }
[policy.refit]
first = "2d"
[source.rows]
read = "rows.parquet"
key = "id"
happened_at = "at"
known_at = "at"
"""


def make(folder: Path, rows: int) -> None:
    """Write the project."""
    import numpy as np
    import polars as pl
    import pyarrow.parquet as pq

    from wholeroad.road.data.contracts.proposing import contract_toml

    write_rows(folder / "rows.parquet", rows)
    (folder / "brief.toml").write_text(BRIEF + contract_toml("rows", our_contract()), encoding="utf-8")
    writer = None
    for first in range(0, rows, PART):
        some = min(PART, rows - first)
        dice = np.random.default_rng([11, first])
        told = 1_577_836_800_000_000 + (first + np.arange(some)) * 10**6 + dice.integers(10**9, 10**10, some)
        ends = pl.DataFrame(
            {
                "id": np.arange(first, first + some),
                "told_at": pl.Series(told).cast(pl.Datetime("us", "UTC")),
                "hit": dice.random(some) < 0.2,
            }
        ).to_arrow()
        writer = writer or pq.ParquetWriter(folder / "ends.parquet", ends.schema, compression="lz4")
        writer.write_table(ends, row_group_size=PART)
    if writer is not None:
        writer.close()


def stage(folder: Path, name: str) -> dict[str, float]:
    """Land or profile in this process, and give what it took."""
    import wholeroad

    project, began = wholeroad.open(folder), time.perf_counter()
    if name == "land":
        found = sum(fact.rows_in for fact in project.land())
    else:
        found = len(project.data.profile().troubles)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"peak_gib": peak / 2**30, "seconds": time.perf_counter() - began, "found": found}


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--rows", type=int, default=10_000_000)
    arguments.add_argument("--stage", help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.stage:
        sys.stdout.write(json.dumps(stage(given.folder, given.stage)) + "\n")
        return
    peaks, seconds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), given.rows)
        for name in ("land", "profile"):
            command = [sys.executable, __file__, "--stage", name, "--folder", folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            told = json.loads(done.stdout.splitlines()[-1])
            peaks[name], seconds[name] = round(told["peak_gib"], 2), round(told["seconds"], 1)
            sys.stderr.write(f"{name}: {peaks[name]} GiB, {seconds[name]} s, found {told['found']}\n")
    print_out = {
        "bench": "profile_memory",
        "rows": given.rows,
        "columns": 40,
        "peak_gib": peaks,
        "seconds": seconds,
        "goal_gib": GOAL_GIB,
    }
    sys.stdout.write(json.dumps(print_out) + "\n")


if __name__ == "__main__":
    main()
