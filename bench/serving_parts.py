"""Where the time of a decision goes: the service under load, with timers around its parts.

    python bench/serving_parts.py FOLDER AT BODIES OUT --seconds 5 [--profile FILE]

It is ``wholeroad up`` in this process, with functions wrapped from outside; a thread loads it with wrk and
writes down what each part took. Times are CPU of the event loop's thread (of its own thread for the flush),
each without what the parts within it took and without the timers themselves; ``http and loop`` is what is
left of all the CPU of that thread: sockets, HTTP, tasks. FOLDER is changed.
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from serving_load import Load, told  # type: ignore[import-not-found]
from serving_servers import HERE, Server, counters, free_port, token_of  # type: ignore[import-not-found]

CONNECTIONS = (1, 8, 32)

WATCHED = {
    "parse": ("interfaces.http.json_rows:decisions",),
    "known already?": ("engine.service.landing:Landings.same",),
    "land": ("engine.service.landing:Landing.cases", "engine.service.landing:Landing.new_cases"),
    "due, ids, decide": ("engine.service.deciding:Deciding.decide",),
    "stable id": ("engine.service.deciding:Deciding.ids",),
    "features": ("road.data.features.online:OnlineFeatures.of_many",),
    "kernel": ("road.release.few:Kernel.decide", "road.release.few:Kernel.plainly"),
    "encode and score": ("road.model.few_cases:RowModel.prediction",),
    "remember it": ("engine.service.landing:Landings.decided", "engine.service.decisions:Decisions.add"),
    "record": ("engine.service.landing:Landing.rows", "serving.service:write"),
    "flush": ("adapters.hot_log:SqliteHotLog.append",),
    "answer": (
        "engine.service.front:Front._told",
        "interfaces.http.answers:case_line",
        "interfaces.http.answers:encode",
    ),
    "group": ("engine.service.front:Front.step",),
    "counters": ("serving.counting:Counts.grouped", "interfaces.http.metrics:RequestMeter.note"),
    "guard": ("interfaces.http.guard:TokenGuard.role",),
}
"""By part: functions, each as module of the package and name."""

REST = "http and loop"


class _Open:
    __slots__ = ("inside", "part")

    def __init__(self, part: str) -> None:
        self.part = part
        self.inside = 0.0


class Timers:
    """CPU seconds of parts, each without those within it; by thread."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = dict.fromkeys((*WATCHED, "empty"), 0.0)
        self.calls: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        """How many timed calls were made directly from a part."""
        self._open = threading.local()

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function with a timer."""
        clock, taken, calls, within, mine = time.thread_time, self.taken, self.calls, self.within, self._open

        def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 (whatever it takes and gives)
            stack: list[_Open] = mine.__dict__.setdefault("stack", [])
            within[stack[-1].part if stack else REST] += 1
            calls[part] += 1
            frame = _Open(part)
            stack.append(frame)
            began = clock()
            try:
                return function(*given, **named)
            finally:
                spent = clock() - began
                stack.pop()
                taken[part] += spent - frame.inside
                if stack:
                    stack[-1].inside += spent

        return timed

    def cost(self) -> tuple[float, float]:
        """Give the seconds that a timer adds to its own part and to the one around it."""
        rounds, timed = 100_000, Timers()
        empty = timed.around("empty", lambda: None)
        began = time.thread_time()
        for _ in range(rounds):
            empty()
        whole = time.thread_time() - began
        own = timed.taken["empty"] / rounds
        return own, whole / rounds - own


def install(timers: Timers) -> None:
    """Wrap the functions."""
    for part, names in WATCHED.items():
        for name in names:
            module, _, path = name.partition(":")
            holder: Any = importlib.import_module(f"wholeroad.{module}")
            *classes, last = path.split(".")
            for each in classes:
                holder = getattr(holder, each)
            setattr(holder, last, timers.around(part, getattr(holder, last)))


def parts(
    folder: Path,
    at: str,
    bodies: Sequence[str],
    scratch: Path,
    *,
    seconds: float,
    profile: Path | None = None,
) -> dict[str, Any]:
    """Run the service of a folder under timers in a process of its own, and give what its parts took."""
    texts, out = scratch / "parts-bodies.txt", scratch / "parts.json"
    texts.write_text("\n".join(bodies), "utf-8")
    command = [sys.executable, str(HERE / "serving_parts.py"), str(folder), at, str(texts), str(out)]
    command += ["--seconds", str(seconds), *(["--profile", str(profile)] if profile else [])]
    with (scratch / "parts.log").open("wb") as log:
        # What it shows while it runs goes to the same place as ours; what the service prints doesn't.
        subprocess.run(command, check=True, stdout=log)
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


class _Here(Server):  # type: ignore[misc]
    @property
    def pid(self) -> int:
        return os.getpid()


def main() -> None:
    """Serve, load, write down, and end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("at")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--profile", type=Path, help="write a profile of the slice at 32 connections here")
    asked = parser.parse_args()
    token, port = token_of(asked.folder), free_port()
    headers = {"Authorization": f"Bearer {token}"}
    server = _Here("wholeroad", (), port, "/v1/decisions", "/health/ready", headers)
    timers = Timers()
    if asked.profile is None:
        install(timers)
    loop = _loop_of_the_service()
    threading.Thread(target=_watched, args=(server, timers, asked, loop), daemon=True).start()

    from wholeroad.interfaces.cli.app import app

    app(["up", str(asked.folder), "--port", str(port), "--at", asked.at], standalone_mode=False)


def _loop_of_the_service() -> list[Any]:
    from wholeroad.serving.service import Service

    found: list[Any] = []
    start = Service.start

    async def noted(self: Service, *given: Any, **named: Any) -> None:  # noqa: ANN401
        import asyncio

        found.append(asyncio.get_running_loop())
        await start(self, *given, **named)

    setattr(Service, "start", noted)  # noqa: B010 (a method is replaced on purpose)
    return found


def _watched(server: Server, timers: Timers, asked: argparse.Namespace, loop: list[Any]) -> None:
    try:
        _measure(server, timers, asked, loop)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _measure(server: Server, timers: Timers, asked: argparse.Namespace, loop: list[Any]) -> None:
    while not server._healthy():  # noqa: SLF001 (the same bench)
        time.sleep(0.05)
    time.sleep(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        load = Load(server, asked.bodies.read_text("utf-8").splitlines(), Path(scratch))
        load.run(8, 2)
        if asked.profile is not None:
            _profiled(load, asked, loop[0])
            return
        for connections in CONNECTIONS:
            found[str(connections)] = _slice(server, timers, load, connections, asked.seconds)
    most = found[str(CONNECTIONS[-1])]
    asked.out.write_text(json.dumps({"us": most["us"], "by_connections": found}), "utf-8")


def _slice(server: Server, timers: Timers, load: Load, connections: int, seconds: float) -> dict[str, Any]:
    clock = time.pthread_getcpuclockid(threading.main_thread().ident or 0)
    taken, calls, within = dict(timers.taken), Counter(timers.calls), Counter(timers.within)
    before, began = counters(server), time.clock_gettime(clock)
    one = load.run(connections, seconds)
    whole = time.clock_gettime(clock) - began
    after = counters(server)
    told(one)
    own, around = timers.cost()
    spent = {
        part: timers.taken[part]
        - taken[part]
        - own * (timers.calls[part] - calls[part])
        - around * (timers.within[part] - within[part])
        for part in WATCHED
    }
    added = (own + around) * sum((timers.calls - calls).values())
    flush = spent.pop("flush")
    spent[REST] = whole - added - sum(spent.values())
    spent["flush, in its thread"] = flush
    commands, groups = (
        after[name] - before[name] for name in ("wholeroad_group_commands_total", "wholeroad_groups_total")
    )
    return {
        "us": {part: round(each / one.requests * 1e6, 1) for part, each in spent.items()},
        "thread_us": round((whole - added) / one.requests * 1e6, 1),
        "timers_us": round(added / one.requests * 1e6, 1),
        "thread_busy": round(whole / (one.requests / one.per_s), 3),
        "commands_of_a_group": round(commands / max(1, groups), 2),
        "per_s": round(one.per_s),
    }


def _profiled(load: Load, asked: argparse.Namespace, loop: Any) -> None:  # noqa: ANN401 (an event loop)
    profile, done = cProfile.Profile(time.thread_time), threading.Event()
    loop.call_soon_threadsafe(profile.enable)
    told(load.run(CONNECTIONS[-1], asked.seconds))

    def end() -> None:
        profile.disable()
        done.set()

    loop.call_soon_threadsafe(end)
    done.wait(10)
    profile.dump_stats(asked.profile)


if __name__ == "__main__":
    main()
