"""A rehearsal of a year against the sum of its distinct fits and bulk scores alone.

The flights of 2013 with the policies of ``make demo``: the whole of ``Project.rehearse`` from landed
tables (features, cycles, decisions sealed on disk, comparison; nothing cached), then the same fits on
the same cuts and the same scores with nothing around them. Both in one process, in turn. Goal: at most
1.25 times. Run ``python bench/rehearsal.py [--runs 1]``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import wholeroad
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.learners import make_learners
from wholeroad.adapters.machine import available_threads
from wholeroad.engine.rehearsed import Rehearsed
from wholeroad.engine.workshop import Workshop
from wholeroad.project import Project
from wholeroad.road.data.history import History

FLIGHTS = Path(__file__).parent.parent / "examples" / "flights"
POLICIES = ("status quo", "never", "every 30d", "every 60d", "every 90d", "random 10%")


def prepared(folder: Path) -> Project:
    """Lay out the example with its data built and landed."""
    shutil.copy(FLIGHTS / "brief.toml", folder)
    command = [sys.executable, str(FLIGHTS / "build.py"), "--out", str(folder / "data")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    project = wholeroad.open(folder)
    project.land()
    return project


def forget(folder: Path) -> None:
    """Remove fits, scores and rehearsals, so that nothing is taken from an earlier run."""
    for name in (".wholeroad/blobs", "rehearsals"):
        shutil.rmtree(folder / name, ignore_errors=True)


def alone(history: History, rehearsed: Rehearsed) -> dict[str, float]:
    """Make every distinct fit of the rehearsal, and score what its models can have decided."""
    learners = make_learners(history.brief.candidates, threads=available_threads())
    workshop = Workshop(history, learners, blobs=MemoryBlobs(), recipe="bench")
    cuts = rehearsed.fits.unique("cut_at").sort("cut_at")
    taken = {"fits": 0.0, "scores": 0.0}
    decided_at = history.timeline.decided_at
    for cut_at, enters_at in cuts.select(pl.col("cut_at", "effective_from").to_physical()).iter_rows():
        start = time.perf_counter()
        model = workshop.kept(cut_at).model
        taken["fits"] += time.perf_counter() - start
        if model is not None:
            first = int(np.searchsorted(decided_at, enters_at))
            start = time.perf_counter()
            workshop.probabilities(model, first, last=decided_at.size)
            taken["scores"] += time.perf_counter() - start
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = prepared(folder)
        history = project.history()
        whole, parts, fits = [], [], 0
        for _ in range(options.runs):
            forget(folder)
            start = time.perf_counter()
            rehearsed = project.rehearse(POLICIES)
            whole.append(time.perf_counter() - start)
            fits = rehearsed.fits["cut_at"].n_unique()
            parts.append(alone(history, rehearsed))
            del rehearsed
    sums = [part["fits"] + part["scores"] for part in parts]
    ratio = statistics.median(whole) / statistics.median(sums)
    sys.stderr.write(
        f"rehearsal of a year, {len(POLICIES)} policies: {statistics.median(whole):.1f} s; its {fits} fits "
        f"and scores alone {statistics.median(sums):.1f} s; {ratio:.2f}x, goal 1.25x\n"
    )
    result = {
        "bench": "rehearsal",
        "policies": len(POLICIES),
        "distinct_fits": fits,
        "threads": available_threads(),
        "whole_s": whole,
        "alone_s": parts,
        "ratio": ratio,
        "goal": 1.25,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
