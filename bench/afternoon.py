"""The first afternoon: from a CSV of 100,000 orders to a rehearsal and its page, by the commands one types.

`wholeroad start --yes`, `check` and `rehearse` as processes of their own, nothing at hand before; then the
same fits and the same scores with nothing around them, in this process. Our own share is what the
commands `start` and `rehearse` took beyond these. Goal: about a minute, of which ours at most a quarter.
Run ``python bench/afternoon.py [--rows 100000]``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import wholeroad
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.learners import learners_for
from wholeroad.adapters.machine import available_threads
from wholeroad.engine.workshop import Workshop
from wholeroad.project import Project
from wholeroad.testing.exports import european, orders

WHOLEROAD = [sys.executable, "-m", "wholeroad"]
GOAL = 0.25


def timed(*arguments: str) -> float:
    """Run a command to its end, and give its seconds."""
    start = time.perf_counter()
    subprocess.run([*WHOLEROAD, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    sys.stderr.write(f"wholeroad {arguments[0]}: {taken:.1f} s\n")
    return taken


def alone(project: Project) -> tuple[float, float, int]:
    """Make the fits of the rehearsal that is there, and score what their models can have decided."""
    rehearsed = project.rehearse(name="again")  # everything is at hand: it only tells which fits there are
    history = rehearsed.history
    learners = learners_for(history.brief, threads=available_threads())
    workshop = Workshop(history, learners, blobs=MemoryBlobs(), recipe="bench")
    decided_at = history.timeline.decided_at
    cuts = rehearsed.fits.unique("cut_at").sort("cut_at")
    fits = scores = 0.0
    for cut_at, enters_at in cuts.select(pl.col("cut_at", "effective_from").to_physical()).iter_rows():
        start = time.perf_counter()
        model = workshop.kept(cut_at).model
        fits += time.perf_counter() - start
        if model is not None:
            first = int(np.searchsorted(decided_at, enters_at))
            start = time.perf_counter()
            workshop.probabilities(model, first, last=decided_at.size)
            scores += time.perf_counter() - start
    return fits, scores, cuts.height


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name) / "project", Path(name) / "orders.csv"
        file.write_bytes(european(orders(options.rows, seed=1)))
        seconds = {
            "start": timed("start", str(file), "--yes", "--into", str(folder)),
            "rehearse": timed("rehearse", str(folder)),
            "check": timed("check", str(folder)),
        }
        pages = len(list(folder.glob("rehearsals/*/report.html")))
        fits_s, scores_s, fits = alone(wholeroad.open(folder))
    whole = seconds["start"] + seconds["rehearse"]
    share = max(0.0, 1 - (fits_s + scores_s) / whole)
    sys.stderr.write(
        f"from {options.rows:,} rows to {pages} page: {whole:.1f} s; {fits} fits {fits_s:.1f} s, scores "
        f"{scores_s:.1f} s; ours {share:.0%}, goal {GOAL:.0%}\n"
    )
    result = {
        "bench": "afternoon",
        "rows": options.rows,
        "threads": available_threads(),
        "distinct_fits": fits,
        "seconds": seconds,
        "whole_s": whole,
        "fits_s": fits_s,
        "scores_s": scores_s,
        "share": share,
        "goal": GOAL,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
