"""A service killed at random instants, many times over, under mixed load with cycles and fits beside it.

    python bench/service_crash.py                     2,000 kills, 100 in each of 20 worlds, four at once
    python bench/service_crash.py --kills 100 --seed 3

The real command serves; each start is forked from a process that has imported everything, so that a start
takes no seconds of imports. In every fourth world the office is a process, as it is in earnest, which
outlives its service for a moment; in the others it is a thread, and killed amid whatever it does. Clients
send rows, cases, outcomes, corrections and repeats, and send again what was not acknowledged. In the end of
each world everything that was acknowledged is looked for in its tables, and its ledger is held against its
rehearsal.

One line for each world that held. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from service_driver import (  # type: ignore[import-not-found]  # in tests/
    Forked,
    Killing,
    children,
    token_of,
)
from service_load import begin  # type: ignore[import-not-found]

EACH = 100
"""Kills of one world."""


def main() -> None:
    """Kill, look, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--at-once", type=int, default=4, help="worlds")
    parser.add_argument("--folder", help="where to work and leave it; a temporary one otherwise")
    asked = parser.parse_args()
    count = -(-asked.kills // EACH)
    worlds = [
        (asked.seed + place, "process" if place % 4 == 0 else "thread", min(EACH, asked.kills - EACH * place))
        for place in range(count)
    ]
    began_s = time.perf_counter()
    done = list[tuple[Killing, int]]()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(asked.at_once) as pool:
        root = Path(asked.folder or scratch)
        for held in as_completed([pool.submit(killed, root, world) for world in worlds]):
            done.append(held.result())
            so_far_s = time.perf_counter() - began_s
            said = f"{sum(killing.kills for killing, _ in done):,} kills held, {so_far_s:.0f} s"
            sys.stderr.write(f"{said}: {done[-1][0].counts}\n")
    took_s = time.perf_counter() - began_s
    kills, left = sum(killing.kills for killing, _ in done), sum(left for _, left in done)
    hit = sum((killing.hit for killing, _ in done), start=Counter[str]())
    counts = sum((Counter(killing.counts) for killing, _ in done), start=Counter[str]())
    of = Counter[str]()
    for _, beside, some in worlds:
        of[beside] += some
    found = {"bench": "service_crash", "kills": kills, "worlds": count, "office": of, "hit": dict(hit)}
    found |= {"seconds_per_kill": round(took_s / kills, 2), "left_running": left}
    print(json.dumps(found | dict(counts)))
    if left:
        sys.exit(1)


def killed(root: Path, world: tuple[int, str, int]) -> tuple[Killing, int]:
    """Kill a service so many times, hold what is there, and count the processes that it left.

    Parameters
    ----------
    world
        Its seed, where the office works, and how many kills.
    """
    seed, beside, kills = world
    folder = begin(root / f"world-{seed}", seed=seed)
    killing = Killing(folder, token_of(folder), seed=seed)
    with killing.of(Forked(folder, folder / "phases", beside=beside)) as server:
        killing.kill(server, kills, tell=lambda _: None)
        killing.finish(server)
    return killing, len(children(folder))


if __name__ == "__main__":
    main()
