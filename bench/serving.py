"""One decision over HTTP, beside MLflow and bare Starlette that serve the champion's bare model.

    python bench/serving.py [--cache FOLDER] [--mlflow ENVIRONMENT] [--seconds 5] [--rounds 5]

The service answers ``POST /v1/decisions``: every request is a new case, which lands, gets 26 features from a
year of flights in memory, is decided by the champion and written to the hot log, flushed, before it is
answered. MLflow and Starlette are given features ready and encoded, and keep nothing. All three run at the
same time; slices of load take turns within each round, so that whatever else the machine does falls on all.
wrk (closed loop, one thread) shares the machine's CPUs with them: ratios travel, absolutes don't.

Between the rounds, flushes of the same disk are timed: 1 kB appended to a file and synced, and one commit of
a hot log. At the end, rows in batches of 1,000 go to ``/v1/rows/board``, as NDJSON and as an Arrow stream,
and the service runs once more under timers that say where the time goes (:mod:`serving_parts`).

MLflow lives in an environment of its own, made here with pip unless one is named. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from serving_load import Load, Slice, flushes, middle, told  # type: ignore[import-not-found]
from serving_parts import parts  # type: ignore[import-not-found]
from serving_peers import asked_of, bare, bodies, hold, mlflow, templates  # type: ignore[import-not-found]
from serving_project import CACHE, NIGHTS, begins, copied, prepared  # type: ignore[import-not-found]
from serving_rows import batches  # type: ignore[import-not-found]
from serving_servers import Server, counters, service, token_of  # type: ignore[import-not-found]

CONNECTIONS = (1, 8, 32)
OVER_MLFLOW, OF_STARLETTE, BESIDE_FLUSH_MS = 6.0, 0.5, 1.0
FIGURES = ("per_s", "p50_ms", "p99_ms", "cpu_us", "beside_us", "resident_mb", "beside_mb", "others")


def main() -> None:
    """Measure, and print the figures."""
    asked = arguments()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(asked.scratch or temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        found = measure(asked, prepared(asked.cache, nights=asked.nights), scratch)
    summary(found)
    sys.stdout.write(json.dumps(found) + "\n")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the prepared project is kept")
    parser.add_argument("--scratch", help="where to work and leave it; a temporary folder otherwise")
    parser.add_argument("--mlflow", type=Path, help="an environment with mlflow and lightgbm")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="of the prepared project")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a slice")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=100, help="of 1,000 rows, of each kind")
    return parser.parse_args()


def measure(asked: argparse.Namespace, project: Path, scratch: Path) -> dict[str, Any]:
    """Run everything."""
    folder = copied(project, scratch / "served")
    ours = service(folder, begins(), token=token_of(folder), log=scratch / "wholeroad.log")
    with ExitStack() as running:
        ours.start()
        running.callback(ours.stop)
        cases = asked_of(ours, project)
        peers = [bare(cases, scratch), mlflow(cases, scratch, asked.mlflow)]
        wanted = bodies(cases)
        for peer in peers:
            peer.start()
            running.callback(peer.stop)
            hold(peer, wanted[peer.name], cases)
        loads = {each.name: Load(each, wanted[each.name], scratch) for each in (ours, *peers)}
        slices, flushed, groups = rounds(asked, ours, loads, folder)
        for peer in peers:
            peer.stop()
        rows = batches(ours, asked.batches, templates())
    shutil.rmtree(folder)
    folder = copied(project, scratch / "served")
    where = parts(folder, begins(), wanted["wholeroad"], scratch, seconds=asked.seconds)
    return judged(slices, flushed) | {
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "trees": cases.trees,
        "features": len(cases.rows[0]),
        "commands_of_a_group": groups,
        "rows": rows,
        "parts": where,
        "slices": [each.data() for each in slices],
    }


def rounds(
    asked: argparse.Namespace, ours: Server, loads: dict[str, Load], folder: Path
) -> tuple[list[Slice], dict[str, list[float]], dict[int, float]]:
    """Run the slices in turns; give them, the flushes, and how many commands a group had by connections."""
    slices: list[Slice] = []
    flushed: dict[str, list[float]] = {"fsync": [], "commit": []}
    grouped: dict[int, list[float]] = {count: [] for count in CONNECTIONS}
    for load in loads.values():
        load.run(8, 2)  # warm
    names = list(loads)
    for number in range(asked.rounds):
        for kind, some in flushes(folder).items():
            flushed[kind] += some
        for connections in CONNECTIONS:
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                before = counters(ours) if name == "wholeroad" else {}
                slices.append(loads[name].run(connections, asked.seconds))
                told(slices[-1])
                if name == "wholeroad":
                    grouped[connections].append(_held(before, counters(ours), slices[-1]))
    return slices, flushed, {count: statistics.median(some) for count, some in grouped.items()}


def _held(before: dict[str, float], after: dict[str, float], one: Slice) -> float:
    """Hold a slice against the service's counters: each request was a new case, decided by the model."""
    decided = 'wholeroad_cases_total{status="decided",decided_by="model"}'
    made = after.get(decided, 0) - before.get(decided, 0)
    # wrk leaves what is in flight when its time is over.
    if not one.requests <= made <= one.requests + one.connections + 1:
        sys.exit(f"{one.requests} requests were answered, and {made:.0f} cases decided by the model")
    names = ("wholeroad_group_commands_total", "wholeroad_groups_total")
    commands, groups = (after[name] - before[name] for name in names)
    return commands / max(1, groups)


def judged(slices: list[Slice], flushed: dict[str, list[float]]) -> dict[str, Any]:
    """Put slices together, and hold them against the goals."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for one in slices:
        figures.setdefault(one.server, {}).setdefault(str(one.connections), {})
    for server, by in figures.items():
        for connections, found in by.items():
            some = [s for s in slices if s.server == server and str(s.connections) == connections]
            found |= {name: round(middle(some, name), 3) for name in FIGURES}
            found["errors"] = sum(each.errors for each in some)
    flush_ms = {kind: round(statistics.median(some) * 1e3, 3) for kind, some in flushed.items()}
    ratio = {peer: round(_ratio(slices, peer, connections=32), 3) for peer in ("mlflow", "starlette")}
    beside = figures["wholeroad"]["1"]["p50_ms"] - flush_ms["fsync"]
    return {
        "bench": "serving",
        "median": figures,
        "flush_ms": flush_ms,
        "ratio_at_32": ratio,
        "beside_a_flush_ms": round(beside, 3),
        "errors": sum(each.errors for each in slices),
        "goal": {"mlflow": OVER_MLFLOW, "starlette": OF_STARLETTE, "beside_a_flush_ms": BESIDE_FLUSH_MS},
        "busy": round(os.getloadavg()[0], 1),
    }


def _ratio(slices: list[Slice], peer: str, *, connections: int) -> float:
    """Give the median over rounds of our requests per second over those of a peer in the same round."""
    here = [s.per_s for s in slices if s.server == "wholeroad" and s.connections == connections]
    there = [s.per_s for s in slices if s.server == peer and s.connections == connections]
    return float(statistics.median(a / b for a, b in zip(here, there, strict=True)))


def summary(found: dict[str, Any]) -> None:
    """Show the figures to a person."""
    lines = [f"{'':12} {'c':>3} {'/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>7} {'beside':>7} {'MB':>6}"]
    for server, by in found["median"].items():
        for connections, one in by.items():
            lines.append(
                f"{server:12} {connections:>3} {one['per_s']:>8.0f} {one['p50_ms']:>8.2f} "
                f"{one['p99_ms']:>8.2f} {one['cpu_us']:>7.0f} {one['beside_us']:>7.0f} "
                f"{one['resident_mb'] + one['beside_mb']:>6.0f}"
            )
    ratio, flush = found["ratio_at_32"], found["flush_ms"]
    at_32 = (
        f"at 32 connections: {ratio['mlflow']:.2f}x MLflow's requests/s (goal {OVER_MLFLOW:g}), "
        f"{ratio['starlette']:.2f}x bare Starlette's (goal {OF_STARLETTE:g})"
    )
    at_1 = (
        f"one flush {flush['fsync']:.2f} ms, one commit {flush['commit']:.2f} ms; at one connection "
        f"{found['beside_a_flush_ms']:.2f} ms beside a flush (goal {BESIDE_FLUSH_MS:g})"
    )
    lines += [at_32, at_1, f"errors {found['errors']}; commands of a group {found['commands_of_a_group']}"]
    for kind, one in found["rows"].items():
        lines.append(f"rows, {kind}: {one['rows_per_s']:,.0f}/s, {one['cpu_us_per_row']:.1f} us of CPU a row")
    for name, us in found["parts"]["us"].items():
        lines.append(f"  {name:24} {us:>7.1f} us")
    sys.stderr.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
