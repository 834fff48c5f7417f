"""How soon the service is ready, and what it holds in memory, with a year of flights.

    python bench/service_ready.py [--cache FOLDER] [--starts 3] [--decisions 10000]

Ready is the first 200 of ``/health/ready``, from the start of the process on: interpreter, imports, opening
the road, reading all that has landed, features, cases and decisions. Memory is that of the service's process,
as the system counts it (VmRSS, and VmHWM for the most it ever was), and beside it that of the processes that
it starts. After the decisions the service is killed: the start that follows takes in what the hot log has.

Goals: 5 s, 600 MB. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from serving_load import Load  # type: ignore[import-not-found]
from serving_peers import body_of, templates  # type: ignore[import-not-found]
from serving_project import CACHE, NIGHTS, begins, copied, prepared  # type: ignore[import-not-found]
from serving_servers import Server, service, token_of  # type: ignore[import-not-found]

MOST_S, MOST_MB = 5.0, 600


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the prepared project is kept")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="of the prepared project")
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--decisions", type=int, default=10_000)
    asked = parser.parse_args()
    project = prepared(asked.cache, nights=asked.nights)
    with tempfile.TemporaryDirectory() as name:
        found = measure(copied(project, Path(name) / "served"), Path(name), asked.starts, asked.decisions)
    sys.stderr.write(
        f"ready in {found['ready_s']:.1f} s ({found['ready_cpu_s']:.1f} s of CPU; goal {MOST_S:g} s), after "
        f"a kill in {found['after_kill_s']:.1f} s; {found['resident_mb']:.0f} MB, "
        f"{found['after_decisions_mb']:.0f} MB after {found['decisions']:,} decisions, "
        f"{found['peak_mb']:.0f} MB at most (goal {MOST_MB})\n"
    )
    sys.stdout.write(json.dumps(found) + "\n")


def measure(folder: Path, scratch: Path, starts: int, decisions: int) -> dict[str, Any]:
    """Start and stop it some times, then let it decide, kill it, and start it again."""
    token = token_of(folder)
    seen: list[dict[str, float]] = []
    server = service(folder, begins(), token=token, log=scratch / "service.log")
    for _ in range(max(1, starts)):
        server.stop()
        server = service(folder, begins(), token=token, log=scratch / "service.log")
        server.start()
        seen.append(_standing(server))
        sys.stderr.write(f"{seen[-1]}\n")
    load, made = Load(server, [body_of(each) for each in templates()], scratch), 0
    while made < decisions:
        made += load.run(32, 2).requests
    after = _standing(server)
    sys.stderr.write(f"after {made:,} decisions: {after}\n")
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    again = service(folder, begins(), token=token, log=scratch / "service.log")
    again.start()
    again_mb = again.resident_mb()[0]
    stop_s = again.stop()
    middle = {name: round(statistics.median(each[name] for each in seen), 3) for name in seen[0]}
    return {
        "bench": "service_ready",
        **middle,
        "starts": starts,
        "decisions": made,
        "after_decisions_mb": round(after["resident_mb"], 1),
        "beside_after_mb": round(after["beside_mb"], 1),
        "peak_mb": round(after["peak_mb"], 1),
        "after_kill_s": round(again.ready_s, 3),
        "after_kill_mb": round(again_mb, 1),
        "stop_s": round(stop_s, 3),
        "goal": {"ready_s": MOST_S, "mb": MOST_MB},
        "busy": round(os.getloadavg()[0], 1),
    }


def _standing(server: Server) -> dict[str, float]:
    resident, beside = server.resident_mb()
    own, others = server.cpu_s()
    return {
        "ready_s": round(server.ready_s, 3),
        "ready_cpu_s": round(own + others, 3),
        "resident_mb": round(resident, 1),
        "beside_mb": round(beside, 1),
        "peak_mb": round(server.peak_mb(), 1),
    }


if __name__ == "__main__":
    main()
