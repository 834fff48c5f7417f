"""A contract of 40 clauses over 10,000,000 rows of 40 columns: our single pass against Pointblank.

Rows are generated, seeded, and written to one Parquet file with planted faults. Asked twice: of the rows in
memory, which is what the two differ in, and from the file, where ours reads a part at a time and leaves out
columns that are asked their type only. Ours asks all clauses of a part in one pass; Pointblank 1.1.1 takes a
step for each clause over the whole frame, and keeps neither extracts nor the table. Each run is a process of
its own on the same number of threads; both must count the same failing rows (of values that should be unique
Pointblank counts every row that shares one, we count all but the first; asserted so). Pointblank needs an
older sqlglot than ours and gets an environment of its own: made here with venv and pip, or named with
``--peers PYTHON``. Beside the seconds stand those of the processors: on a machine that others use, they say
more. Goals: the same checks 5 times as fast, and at most 4 GiB of memory.

Run ``python bench/contracts.py [--rows 10000000] [--runs 3] [--threads 2] [--peers PYTHON]``; the last
line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

GOAL = 5.0
GOAL_GIB = 4.0
PART = 500_000
PEERS = ("pointblank==1.1.1", "polars==2.1.0", "pyarrow==26.0.1")
SHOPS = ("north", "south", "east", "west", "centre", "harbour")

# What both are asked: ranges, columns of few values, columns without nulls, columns of unique values, types.
RANGES = [*((f"i{k}", 0, 6000) for k in range(12)), *((f"f{k}", -6.0, 6.0) for k in range(8))]
ALLOWED = [f"s{k}" for k in range(8)]
FILLED = [*(f"f{k}" for k in range(4)), "at", "id", "code", "s0", "s1"]
UNIQUE = ["id", "code"]
TYPES = (
    {f"i{k}": "integer" for k in range(12)}
    | {f"f{k}": "number" for k in range(12)}
    | {f"s{k}": "text" for k in range(10)}
    | {f"b{k}": "boolean" for k in range(3)}
    | {"id": "integer", "code": "text", "at": "instant"}
)
CLAUSES = len(RANGES) + len(ALLOWED) + len(FILLED) + len(UNIQUE) + 1


def write_rows(path: Path, rows: int) -> None:
    """Write the file, a part at a time; one value in about a million is wrong."""
    import pyarrow.parquet as pq

    writer = None
    for first in range(0, rows, PART):
        table = some_rows(first, min(PART, rows - first)).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="lz4")
        writer.write_table(table, row_group_size=PART)
    if writer is not None:
        writer.close()


def some_rows(first: int, rows: int) -> Any:  # noqa: ANN401 - Polars is imported late
    """Make a part of the rows."""
    import numpy as np
    import polars as pl

    dice = np.random.default_rng([10, first])
    wrong = dice.integers(0, rows, (len(TYPES), 3))
    columns: dict[str, Any] = {}
    for place, (name, kind) in enumerate(TYPES.items()):
        at = wrong[place]
        if name == "id":
            values: Any = np.arange(first, first + rows)
            values[at[:1]] = values[0]
        elif name == "code":
            values = np.char.add("c", np.arange(first, first + rows).astype("U9"))
            values[at[:1]] = values[0]
        elif kind == "integer":
            values = dice.integers(0, 6001, rows)
            values[at] = -4
        elif kind == "number":
            values = np.clip(dice.normal(size=rows), -6, 6)
            values[at] = 6.5
        elif kind == "text":
            values = pl.Series([*SHOPS, "nrth"]).gather(
                np.where(np.isin(np.arange(rows), at), len(SHOPS), dice.integers(0, len(SHOPS), rows))
            )
        elif kind == "boolean":
            values = dice.random(rows) < 0.3
        else:
            values = pl.Series(1_577_836_800_000_000 + (first + np.arange(rows)) * 10**6).cast(
                pl.Datetime("us", "UTC")
            )
        columns[name] = values
    frame = pl.DataFrame(columns)
    gone = pl.int_range(pl.len()).is_in(dice.integers(0, rows, 5).tolist())
    return frame.with_columns(
        pl.when(~gone).then(pl.col(name)).alias(name) for name in ("f0", "f1", "at", "i3", "f9")
    )


def our_contract() -> Any:  # noqa: ANN401 - ours is imported late
    """Make the contract."""
    from wholeroad.road.brief.source_contract import ContractTable

    columns: dict[str, dict[str, Any]] = {name: {"type": kind} for name, kind in TYPES.items()}
    for name, low, high in RANGES:
        columns[name]["range"] = [low, high]
    for name in ALLOWED:
        columns[name]["allowed"] = list(SHOPS)
    for name in FILLED:
        columns[name]["null_share"] = 0
    for name in UNIQUE:
        columns[name]["unique"] = True
    return ContractTable.model_validate({"column": columns})


def ours(path: Path, *, in_memory: bool) -> dict[str, Any]:
    """Ask the contract of the file, or of its rows in memory; time it."""
    import resource

    import polars as pl

    from wholeroad.adapters.contracted_files import check_file
    from wholeroad.road.data.contracts.checking import check_frames

    contract = our_contract()
    frame = pl.read_parquet(path) if in_memory else pl.DataFrame()
    began, at_first = time.perf_counter(), time.process_time()
    if in_memory:
        parts = (frame[first : first + PART] for first in range(0, frame.height, PART))
        inspected = check_frames(contract, parts)
    else:
        inspected = check_file(path, contract)
    seconds, cpu = time.perf_counter() - began, time.process_time() - at_first
    types = sum(rows for clause, rows in inspected.counts.items() if clause.endswith(" type"))
    counts = {clause: rows for clause, rows in inspected.counts.items() if not clause.endswith(" type")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"counts": {**counts, "types": types}, "seconds": seconds, "cpu_s": cpu, "peak_gib": peak / 2**30}


THEIRS = """
import json, resource, sys, time
import polars as pl
import pointblank as pb
asked = json.loads(sys.argv[2])
started, cpu_started = time.perf_counter(), time.process_time()
frame = pl.read_parquet(sys.argv[1])
read, cpu_read = time.perf_counter(), time.process_time()
check, names = pb.Validate(frame), []
for name, low, high in asked["ranges"]:
    check = check.col_vals_between(name, low, high, na_pass=True)
    names.append(name + " range")
for name in asked["allowed"]:
    check = check.col_vals_in_set(name, asked["shops"])
    names.append(name + " allowed")
for name in asked["filled"]:
    check = check.col_vals_not_null(name)
    names.append(name + " null")
for name in asked["unique"]:
    check = check.rows_distinct(columns_subset=name)
    names.append(name + " unique")
check = check.col_schema_match(pb.Schema(columns=[(name, str(kind)) for name, kind in frame.schema.items()]))
names.append("types")
check = check.interrogate(collect_extracts=False, collect_tbl_checked=False)
ended, cpu_ended = time.perf_counter(), time.process_time()
failed = check.n_failed()
counts = {name: int(failed[place + 1]) for place, name in enumerate(names)}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
took = {"seconds": ended - started, "cpu_s": cpu_ended - cpu_started, "peak_gib": peak / 2**30}
took |= {"asked_s": ended - read, "asked_cpu_s": cpu_ended - cpu_read}
print(json.dumps({"counts": counts, **took}))
"""


def run(command: list[str], threads: int) -> dict[str, Any]:
    """Run a process that prints JSON on its last line."""
    environment = {**os.environ, "POLARS_MAX_THREADS": str(threads)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peers(into: Path) -> str:
    """Make an environment with Pointblank; give its interpreter."""
    venv.create(into, with_pip=True)
    python = str(into / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def assert_equal(mine: dict[str, int], theirs: dict[str, int]) -> int:
    """Refuse to compare the speed of different answers; give how many rows failed."""
    different = {
        clause: (mine.get(clause), theirs.get(clause))
        for clause in mine.keys() | theirs.keys()
        if not _agree(clause, mine.get(clause, -1), theirs.get(clause, -1))
    }
    if different:
        message = f"the counts differ: {different}"
        raise AssertionError(message)
    return sum(mine.values())


def _agree(clause: str, mine: int, theirs: int) -> bool:
    # Of a value that is there twice we count one row, Pointblank both; of one there thrice two and three.
    return mine < theirs <= 2 * mine if clause.endswith(" unique") and mine else mine == theirs


def middle(runs: list[dict[str, Any]], name: str) -> float:
    """Give the median of a figure."""
    return round(float(statistics.median(each[name] for each in runs)), 2)


def main() -> None:
    """Write the file, ask both, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", help="an interpreter that has Pointblank")
    parser.add_argument("--ours", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        print(json.dumps(ours(Path(given.ours[0]), in_memory=given.ours[1] == "rows")))
        return
    asked = {"ranges": RANGES, "allowed": ALLOWED, "filled": FILLED, "unique": UNIQUE, "shops": SHOPS}
    with tempfile.TemporaryDirectory(prefix="wholeroad-contracts-") as place:
        path = Path(place) / "rows.parquet"
        here = str(Path(__file__).parent)
        subprocess.run([sys.executable, "-c", WRITE, here, str(path), str(given.rows)], check=True)
        python = given.peers or peers(Path(place) / "peers")
        runs: dict[str, list[dict[str, Any]]] = {"file": [], "rows": [], "theirs": []}
        for _ in range(given.runs):
            for what in ("file", "rows"):
                runs[what].append(run([sys.executable, __file__, "--ours", str(path), what], given.threads))
            runs["theirs"].append(run([python, "-c", THEIRS, str(path), json.dumps(asked)], given.threads))
        failed = assert_equal(runs["file"][0]["counts"], runs["theirs"][0]["counts"])
        assert_equal(runs["rows"][0]["counts"], runs["theirs"][0]["counts"])
        size_gb = path.stat().st_size / 1e9
    print(json.dumps(told(runs, given, failed=failed, size_gb=size_gb)))


def told(
    runs: dict[str, list[dict[str, Any]]], given: argparse.Namespace, *, failed: int, size_gb: float
) -> dict[str, Any]:
    """Put the figures together: from the file, of rows in memory; seconds, and those of the processors."""
    seconds = {
        "from the file": (middle(runs["file"], "seconds"), middle(runs["theirs"], "seconds")),
        "rows in memory": (middle(runs["rows"], "seconds"), middle(runs["theirs"], "asked_s")),
    }
    cpu = {
        "from the file": (middle(runs["file"], "cpu_s"), middle(runs["theirs"], "cpu_s")),
        "rows in memory": (middle(runs["rows"], "cpu_s"), middle(runs["theirs"], "asked_cpu_s")),
    }
    peak = {name: round(max(each["peak_gib"] for each in runs[name]), 2) for name in ("file", "theirs")}
    return {
        "bench": "contracts",
        "rows": given.rows,
        "columns": len(TYPES),
        "clauses": CLAUSES,
        "failed": failed,
        "size_gb": round(size_gb, 2),
        "threads": given.threads,
        "seconds": seconds,
        "cpu_s": cpu,
        "ratio": {name: round(theirs / ours, 1) for name, (ours, theirs) in seconds.items()},
        "cpu_ratio": {name: round(theirs / ours, 1) for name, (ours, theirs) in cpu.items()},
        "peak_gib": {"wholeroad": peak["file"], "pointblank": peak["theirs"]},
        "goal": GOAL,
        "goal_gib": GOAL_GIB,
    }


WRITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from contracts import write_rows
write_rows(Path(sys.argv[2]), int(sys.argv[3]))
"""


if __name__ == "__main__":
    main()
