"""Start-up: ``import wholeroad`` and ``wholeroad --help``, beside a bare interpreter and ``import polars``.

Medians of processes started in turn. Goals: 0.15 s and 0.4 s. Run ``python bench/startup.py``; the last
line is JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import wholeroad": ["-c", "import wholeroad"],
    "wholeroad --help": ["-m", "wholeroad", "--help"],
    "import polars": ["-c", "import polars"],
}
GOALS = {"import wholeroad": 0.15, "wholeroad --help": 0.4}
RUNS = 11


def main() -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    words = ", ".join(f"{name} {median:.3f} s" for name, median in medians.items())
    sys.stderr.write(f"start-up: {words}\n")
    sys.stdout.write(json.dumps({"bench": "startup", "median_s": medians, "goal_s": GOALS}) + "\n")


if __name__ == "__main__":
    main()
