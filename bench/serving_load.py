"""Load on a server: wrk with bodies in turn, each with an id of its own where it has a place for one."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from serving_servers import Server, busy_s  # type: ignore[import-not-found]

ID = "@@@@@@@@@@@@"
"""Stands in a body where each request has an id of its own, of as many characters."""

_LUA = """
local requests, tails, count, prefix = {}, {}, 0, ""
function init(args)
  prefix = args[2]
  for line in io.lines(args[1]) do
    local head = "POST " .. wrk.path .. " HTTP/1.1\\r\\nHost: " .. wrk.host
    head = head .. "\\r\\nContent-Length: " .. #line
    for name, value in pairs(wrk.headers) do
      if name ~= "Host" then head = head .. "\\r\\n" .. name .. ": " .. value end
    end
    head = head .. "\\r\\n\\r\\n"
    local from, to = string.find(line, "@@@@@@@@@@@@", 1, true)
    if from then
      requests[#requests + 1] = head .. string.sub(line, 1, from - 1)
      tails[#requests] = string.sub(line, to + 1)
    else
      requests[#requests + 1] = head .. line
    end
  end
end
function request()
  count = count + 1
  local place = count % #requests + 1
  local tail = tails[place]
  if tail then
    return requests[place] .. prefix .. string.format("%08d", count) .. tail
  end
  return requests[place]
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\nJSON {"requests":%d,"micros":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,' ..
    '"p50":%d,"p90":%d,"p99":%d,"p999":%d,"worst":%d}\\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status,
    errors.timeout, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency:percentile(99.9), latency.max))
end
"""


_PACED = """
local pause = 0
local begin = init
function init(args)
  begin(args)
  pause = tonumber(args[3])
end
function delay()
  return math.floor(pause * 2 * math.random() + 0.5)
end
"""
"""Each connection rests for some milliseconds, by chance from none to twice as many as are asked for."""


@dataclass
class Slice:
    """What one slice of load came to.

    Attributes
    ----------
    per_s
        Requests answered in a second.
    p50_ms, p99_ms
        Latency as the client sees it.
    cpu_us
        CPU of the server's first process for a request; ``beside_us`` of those that it started.
    errors
        Answers that are none, or of status 400 and above.
    others
        CPUs that other programs of the machine took meanwhile, out of those it has.
    """

    server: str
    connections: int
    requests: int
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    worst_ms: float
    cpu_us: float
    beside_us: float
    resident_mb: float
    beside_mb: float
    errors: int
    others: float

    def data(self) -> dict[str, Any]:
        """Give it as plain data."""
        return asdict(self)


class Load:
    """Bodies for a server, and ids that never come twice.

    Parameters
    ----------
    bodies
        JSON texts in one line each; :data:`ID` in one is replaced in each request.
    scratch
        A folder for the scripts.
    """

    def __init__(self, server: Server, bodies: Sequence[str], scratch: Path) -> None:
        self._server = server
        self._script, self._paced = scratch / "load.lua", scratch / "paced.lua"
        self._script.write_text(_LUA, "ascii")
        self._paced.write_text(_LUA + _PACED, "ascii")
        self._bodies = scratch / f"bodies-{server.name.replace(' ', '-')}.txt"
        self._bodies.write_text("\n".join(bodies) + "\n", "utf-8")
        self._slices = 0

    def run(self, connections: int, seconds: float, *, pause_ms: float = 0.0) -> Slice:
        """Load the server for so long, with as many connections, each with one request at a time.

        Parameters
        ----------
        pause_ms
            For how long each connection rests before its next request, on the average.
        """
        server, prefix = self._server, f"{self._slices % 10_000:04d}"
        self._slices += 1
        headers = {**server.headers, "Content-Type": "application/json"}
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        script = self._paced if pause_ms else self._script
        command += ["-s", str(script), f"http://127.0.0.1:{server.port}{server.path}", "--"]
        command += [str(self._bodies), prefix, str(pause_ms)]
        own, beside = server.cpu_s()
        client, machine, began = _children_s(), busy_s(), time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        taken = time.perf_counter() - began
        client, machine = _children_s() - client, busy_s() - machine
        own_after, beside_after = server.cpu_s()
        said = json.loads(done.stdout.rsplit("JSON ", 1)[1])
        count, elsewhere = max(1, said["requests"]), max(0.0, beside_after - beside)
        resident, resident_beside = server.resident_mb()
        return Slice(
            server=server.name,
            connections=connections,
            requests=said["requests"],
            per_s=said["requests"] / said["micros"] * 1e6,
            p50_ms=said["p50"] / 1e3,
            p90_ms=said["p90"] / 1e3,
            p99_ms=said["p99"] / 1e3,
            p999_ms=said["p999"] / 1e3,
            worst_ms=said["worst"] / 1e3,
            cpu_us=(own_after - own) / count * 1e6,
            beside_us=elsewhere / count * 1e6,
            resident_mb=resident,
            beside_mb=resident_beside,
            errors=sum(said[kind] for kind in ("connect", "read", "write", "status", "timeout")),
            others=max(0.0, machine - client - (own_after - own) - elsewhere) / taken,
        )


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def flushes(place: Path, *, rounds: int = 100, size: int = 1_024) -> dict[str, list[float]]:
    """Time, in turns, a bare flush of appended bytes and a commit of the hot log; seconds.

    Parameters
    ----------
    place
        A folder on the disk that the service writes to.
    """
    from wholeroad.adapters.hot_log import SqliteHotLog

    record = os.urandom(size)
    found: dict[str, list[float]] = {"fsync": [], "commit": []}
    with tempfile.TemporaryDirectory(dir=place) as folder:
        log = SqliteHotLog(Path(folder) / "hot.sqlite")
        with (Path(folder) / "bare").open("ab", buffering=0) as file:
            for _ in range(rounds):
                began = time.perf_counter()
                file.write(record)
                os.fsync(file.fileno())
                between = time.perf_counter()
                log.append(record)
                ended = time.perf_counter()
                found["fsync"].append(between - began)
                found["commit"].append(ended - between)
        log.close()
    return found


def middle(slices: Sequence[Slice], name: str) -> float:
    """Give the median of a figure over slices."""
    return float(statistics.median(getattr(each, name) for each in slices))


def told(each: Slice) -> None:
    """Show a slice while the bench runs."""
    sys.stderr.write(
        f"{each.server:12} c={each.connections:<3} {each.per_s:>8.0f}/s  p50 {each.p50_ms:>7.2f}  "
        f"p99 {each.p99_ms:>8.2f} ms  cpu {each.cpu_us:>6.0f}+{each.beside_us:<5.0f} us  "
        f"{each.resident_mb:>5.0f} MB  errors {each.errors}  others {each.others:.2f}\n"
    )
