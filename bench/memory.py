"""Peak memory of a rehearsal of three million cases.

Tickets of the support desk, from the seeded generator, over two years; *never* and *every 180d* with the
brief's own features and candidates. Landing and rehearsing are processes of their own, each with its peak
resident memory; drawing the data isn't counted. Goal: 3 GiB. Run ``python bench/memory.py
[--cases 3000000]``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wholeroad.testing.support_desk import make

DESK = Path(__file__).parent.parent / "examples" / "support-desk"
DAYS = 730
GIB = 1 << 20


def measured(*arguments: str) -> tuple[float, float]:
    """Run a command; give its peak resident memory in GiB and its seconds."""
    script = (
        "import resource, subprocess, sys;"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);"
        "sys.exit(code)"
    )
    start = time.perf_counter()
    command = [sys.executable, "-c", script, sys.executable, "-m", "wholeroad", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout.split()[-1]) / GIB, time.perf_counter() - start


def draw(folder: Path, cases: int) -> int:
    """Write the tables; give the number of cases."""
    count = 0
    for name, frame in make(days=DAYS, tickets_per_day=round(cases / DAYS), seed=1).items():
        (folder / "data").mkdir(exist_ok=True)
        frame.write_parquet(folder / "data" / f"{name}.parquet")
        if name == "tickets":
            count = frame["ticket_id"].n_unique()
    shutil.copy(DESK / "brief.toml", folder)
    return count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=3_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = draw(folder, options.cases)
        landing, landing_s = measured("land", name)
        rehearsing, rehearsing_s = measured("rehearse", name, "--policy", "never", "--policy", "every 180d")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    sys.stderr.write(
        f"memory with {cases:,} cases: landing {landing:.2f} GiB ({landing_s:.0f} s), rehearsing "
        f"{rehearsing:.2f} GiB ({rehearsing_s:.0f} s), goal 3 GiB; drawing the data {own:.2f} GiB\n"
    )
    result = {
        "bench": "memory",
        "cases": cases,
        "peak_gib": {"landing": landing, "rehearsing": rehearsing},
        "seconds": {"landing": landing_s, "rehearsing": rehearsing_s},
        "goal_gib": 3.0,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
