"""A service killed at random instants, many times over, under mixed load with cycles and fits beside it.

    python bench/service_crash.py                     2,000 kills of one world
    python bench/service_crash.py --kills 100 --seed 3

The real command serves, with real processes beside it; each start is forked from a process that has
imported everything, so that a start takes no seconds of imports. Clients send rows, cases, outcomes,
corrections and repeats, and send again what was not acknowledged. In the end everything that was
acknowledged is looked for in the tables, and the ledger is held against its rehearsal.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from service_driver import (  # type: ignore[import-not-found]  # in tests/
    Forked,
    Killing,
    children,
    token_of,
)
from service_load import begin  # type: ignore[import-not-found]


def main() -> None:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where to work and leave it; a temporary one otherwise")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = begin(Path(asked.folder or scratch) / "world", seed=asked.seed)
        killing = Killing(folder, token_of(folder), seed=asked.seed)
        began_s = time.perf_counter()
        with killing.of(Forked(folder, folder / "phases", beside="process")) as server:
            killing.kill(server, asked.kills, tell=lambda text: sys.stderr.write(text + "\n"))
            took_s = time.perf_counter() - began_s
            killing.finish(server)
        left = len(children(folder))
    found = {"bench": "service_crash", "kills": killing.kills, "seed": asked.seed, "hit": dict(killing.hit)}
    found |= {"seconds_per_kill": round(took_s / asked.kills, 2), "left_running": left}
    print(json.dumps(found | killing.counts))
    if left:
        sys.exit(1)


if __name__ == "__main__":
    main()
