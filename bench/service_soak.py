"""The service at half of its highest rate for some minutes: latency, memory, cycles, and the hot log.

    python bench/service_soak.py [--cache FOLDER] [--minutes 10] [--cycle 1min]

The highest rate is that of a short run at 32 connections; then the same connections rest between requests, by
chance, so that about half of it comes in; after each minute the rest is set anew by what came in. Every
request is a new case. Cycles come every minute in a copy of the brief (those of the last minutes before the
start are run first), and what was decided moves into the tables meanwhile. Twice a second the service is
asked how many cycles it is behind.

One line for each minute. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving_load import Load  # type: ignore[import-not-found]
from serving_peers import body_of, templates  # type: ignore[import-not-found]
from serving_project import CACHE, NIGHTS, begins, copied, prepared  # type: ignore[import-not-found]
from serving_servers import Server, counters, service, token_of  # type: ignore[import-not-found]

CONNECTIONS = 32
SHARE = 0.5
MOST_MB = 600


@dataclass
class Watched:
    """What was seen of the service twice a second.

    Attributes
    ----------
    behind_s
        The longest that it was behind with a cycle, without a break.
    """

    server: Server
    hot: Path
    behind_s: float = 0.0
    resident_mb: float = 0.0
    beside_mb: float = 0.0
    hot_mb: float = 0.0
    cycles: float = 0.0
    _since: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> None:
        """Look once."""
        try:
            found = counters(self.server)
        except OSError:
            return
        now = time.perf_counter()
        own, beside = self.server.resident_mb()
        files = sum(each.stat().st_size for each in self.hot.parent.glob(self.hot.name + "*"))
        with self._lock:
            self.cycles = found["wholeroad_cycles_total"]
            if found["wholeroad_cycles_behind"]:
                self._since = now if self._since is None else self._since
                self.behind_s = max(self.behind_s, now - self._since)
            else:
                self._since = None
            self.resident_mb = max(self.resident_mb, own)
            self.beside_mb = max(self.beside_mb, beside)
            self.hot_mb = max(self.hot_mb, files / 1e6)

    def taken(self) -> dict[str, float]:
        """Give the most of each since the last time."""
        with self._lock:
            found = {
                "behind_s": round(self.behind_s, 1),
                "resident_mb": round(self.resident_mb, 1),
                "beside_mb": round(self.beside_mb, 1),
                "hot_log_mb": round(self.hot_mb, 1),
                "cycles": self.cycles,
            }
            self.behind_s = self.resident_mb = self.beside_mb = self.hot_mb = 0.0
        return found


def main() -> None:
    """Soak it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the prepared project is kept")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="of the prepared project")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--minute", type=float, default=60.0, help="seconds of a line; for trying it out")
    parser.add_argument("--cycle", default="1min", help="how often cycles come")
    asked = parser.parse_args()
    project = prepared(asked.cache, nights=asked.nights)
    with tempfile.TemporaryDirectory() as name:
        folder = copied(project, Path(name) / "served")
        _cycle_every(folder / "brief.toml", asked.cycle)
        found = soak(folder, Path(name), asked)
    first, last = found["minutes"][0], found["minutes"][-1]
    sys.stderr.write(
        f"{found['decisions']:,} decisions at {found['per_s']:.0f}/s, {found['errors']} errors; p99 "
        f"{first['p99_ms']:.1f} ms in the first and {last['p99_ms']:.1f} ms in the last line; "
        f"{first['resident_mb']:.0f} MB, then {last['resident_mb']:.0f} MB; {found['cycles']:.0f} cycles, "
        f"the slowest {found['behind_s']:.1f} s behind; hot log {found['hot_log_mb']:.0f} MB at most\n"
    )
    sys.stdout.write(json.dumps(found) + "\n")


def soak(folder: Path, scratch: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Find the highest rate, then load the service with half of it, minute by minute."""
    from wholeroad.adapters.folders import ProjectFolder

    server = service(folder, begins(), token=token_of(folder), log=scratch / "service.log")
    server.start()
    try:
        load = Load(server, [body_of(each) for each in templates()], scratch)
        _caught_up(server)
        load.run(CONNECTIONS, 2)
        highest = load.run(CONNECTIONS, 10)
        # A connection's round is its answer and its rest.
        wanted_ms = CONNECTIONS / (SHARE * highest.per_s) * 1e3
        pause_ms = wanted_ms - highest.p50_ms / 2
        watched = Watched(server, ProjectFolder.at(folder).hot)
        ends = threading.Event()
        looking = threading.Thread(target=_looking, args=(watched, ends), daemon=True)
        looking.start()
        lines, decided = [], 0
        began_cycles = counters(server)["wholeroad_cycles_total"]
        for number in range(max(1, round(asked.minutes * 60 / asked.minute))):
            one = load.run(CONNECTIONS, asked.minute, pause_ms=pause_ms)
            pause_ms = max(0.5, pause_ms + wanted_ms - CONNECTIONS / one.per_s * 1e3)
            decided += one.requests
            line = {
                "per_s": round(one.per_s),
                "p50_ms": one.p50_ms,
                "p99_ms": one.p99_ms,
                "worst_ms": one.worst_ms,
                "cpu_us": round(one.cpu_us),
                "errors": one.errors,
                **watched.taken(),
                "others": round(one.others, 2),
            }
            lines.append(line)
            sys.stderr.write(f"{number + 1:>3}  {line}\n")
        ends.set()
        looking.join()
        cycles = counters(server)["wholeroad_cycles_total"] - began_cycles
    finally:
        stop_s = server.stop()
    return {
        "bench": "service_soak",
        "highest_per_s": round(highest.per_s),
        "per_s": round(sum(each["per_s"] for each in lines) / len(lines)),
        "decisions": decided,
        "errors": sum(each["errors"] for each in lines),
        "cycles": cycles,
        "cycle": asked.cycle,
        "behind_s": max(each["behind_s"] for each in lines),
        "resident_mb": max(each["resident_mb"] for each in lines),
        "hot_log_mb": max(each["hot_log_mb"] for each in lines),
        "stop_s": round(stop_s, 1),
        "minutes": lines,
        "goal": {"mb": MOST_MB},
        "busy": round(os.getloadavg()[0], 1),
    }


def _looking(watched: Watched, ends: threading.Event) -> None:
    while not ends.wait(0.5):
        watched.look()


def _caught_up(server: Server) -> None:
    while counters(server)["wholeroad_cycles_behind"]:
        time.sleep(0.5)


def _cycle_every(brief: Path, span: str) -> None:
    text, count = re.subn(r'(?m)^every = "1d"', f'every = "{span}"', brief.read_text("utf-8"))
    if count != 1:
        sys.exit("the brief's cycle isn't where this bench looks for it")
    brief.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
