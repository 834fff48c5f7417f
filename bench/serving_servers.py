"""Servers that are measured: started, watched from outside, and ended, each with the processes it starts."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Server:
    """A server in a process of its own.

    Attributes
    ----------
    path
        What is asked of it, by POST.
    headers
        Sent with each request.
    health
        Answers 200 once it is ready.
    together
        Whether its processes are counted as one; otherwise those that it starts are counted beside it.
    ready_s
        Seconds from the start of its process to its first 200.
    """

    name: str
    command: Sequence[str]
    port: int
    path: str
    health: str
    headers: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    together: bool = False
    ready_s: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def start(self, *, within_s: float = 300.0) -> None:
        """Start it, and wait until it is ready."""
        with _opened(self.log) as out:
            began = time.perf_counter()
            self.process = subprocess.Popen(
                list(self.command),
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        while not self._healthy():
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode}; see {self.log}")
            if time.perf_counter() - began > within_s:
                self.stop()
                sys.exit(f"{self.name} wasn't ready after {within_s:g} s; see {self.log}")
            time.sleep(0.01)
        self.ready_s = time.perf_counter() - began

    def stop(self) -> float:
        """End it as a person would, and give the seconds that it took."""
        if self.process is None:
            return 0.0
        began = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
        return time.perf_counter() - began

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask for something, with its headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, body: bytes, media: str = "application/json") -> tuple[int, bytes]:
        """Send something, with its headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", path, body, {**self.headers, "Content-Type": media})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        """Of its first process."""
        if self.process is None:
            message = f"{self.name} doesn't run"
            raise RuntimeError(message)
        return self.process.pid

    def cpu_s(self) -> tuple[float, float]:
        """Give the CPU seconds of its first process, and those of all that it started and still runs."""
        own, beside = 0.0, 0.0
        for pid, (_, seconds) in family(self.pid).items():
            if pid == self.pid or self.together:
                own += seconds
            else:
                beside += seconds
        return own, beside

    def resident_mb(self) -> tuple[float, float]:
        """Give the resident memory of its first process, and of all that it started and still runs."""
        own, beside = 0.0, 0.0
        for pid in family(self.pid):
            with contextlib.suppress(OSError):
                held = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE / 1e6
                if pid == self.pid or self.together:
                    own += held
                else:
                    beside += held
        return own, beside

    def peak_mb(self) -> float:
        """Give the most memory that its first process ever held."""
        for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        return float("nan")

    def _healthy(self) -> bool:
        try:
            return self.get(self.health)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


def family(root: int) -> dict[int, tuple[int, float]]:
    """Give a process and all below it, with their parents and CPU seconds."""
    found: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                words = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
                found[int(entry.name)] = int(words[1]), (int(words[11]) + int(words[12])) / _TICKS
    kept = {root} if root in found else set()
    while True:
        more = {pid for pid, (parent, _) in found.items() if parent in kept and pid not in kept}
        if not more:
            return {pid: found[pid] for pid in kept}
        kept |= more


def busy_s() -> float:
    """Give the CPU seconds that the whole machine has worked."""
    words = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    return (sum(map(int, words[:3])) + sum(map(int, words[5:8]))) / _TICKS


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


def service(
    folder: Path,
    at: str,
    *,
    token: str,
    log: Path | None = None,
    through: Sequence[str] = ("-m", "wholeroad"),
) -> Server:
    """Make ``wholeroad up`` of a folder, not started yet.

    Parameters
    ----------
    at
        The instant at which it begins.
    through
        What the interpreter runs: the command, or a script that wraps it.
    """
    port = free_port()
    return Server(
        name="wholeroad",
        command=[sys.executable, *through, "up", str(folder), "--port", str(port), "--at", at],
        port=port,
        path="/v1/decisions",
        health="/health/ready",
        headers={"Authorization": f"Bearer {token}"},
        environment={"OMP_NUM_THREADS": "1"},
        log=log,
    )


def token_of(folder: Path) -> str:
    """Make an owner's token for a project."""
    from wholeroad.adapters.folders import ProjectFolder
    from wholeroad.interfaces.http.tokens import Tokens

    place = ProjectFolder.at(folder)
    place.prepare()
    return Tokens(place.tokens).make("bench", role="owner", now=0)


def counters(server: Server) -> dict[str, float]:
    """Read the service's own counters by the names of their lines."""
    status, text = server.get("/metrics")
    if status != 200:
        sys.exit(f"/metrics answered {status}")
    found = {}
    for line in text.decode().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def _opened(log: Path | None) -> Any:  # noqa: ANN401 (a file, or nothing)
    if log is None:
        return contextlib.nullcontext(subprocess.DEVNULL)
    file: IO[bytes] = log.open("wb")
    return file
