"""A service that is killed at random instants, many times over, while clients send to it.

A *zygote* imports everything once and forks a process for each start, so that a start takes no seconds of
imports; it never computes itself, so that no thread pool is forked. What a process was at when it was
killed stands in a file that both sides map.
"""

from __future__ import annotations

import mmap
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from service_load import Address, Client, fits, verify

PHASES = ("up", "flush", "prune", "open", "seal", "cycle", "fit", "tables", "ledger", "blobs")
"""What a process can be at; several at once."""

JOBS = ("open", "seal", "cycle", "fit")
KINDS = {"starting": 6, "any": 7, "aimed": 6, "long": 1}
"""When it is killed, with weights: while it starts, at any instant, as a phase begins, after seconds."""

READY_S = 120
LIMITS = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "WHOLEROAD_THREADS": "1"}


class Phases:
    """What the process that serves is at: one byte for each phase, in a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(len(PHASES)))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), len(PHASES))

    def clear(self) -> None:
        """Begin anew."""
        self._bytes[:] = bytes(len(PHASES))

    def at(self) -> tuple[str, ...]:
        """Give the phases that have begun and haven't ended."""
        return tuple(name for name, count in zip(PHASES, self._bytes[:], strict=True) if count)

    def set(self, name: str, change: int) -> None:
        """Say that a phase began (1) or ended (-1)."""
        place = PHASES.index(name)
        self._bytes[place] = self._bytes[place] + change

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Be in a phase."""
        self.set(name, 1)
        try:
            yield
        finally:
            self.set(name, -1)


# ---- in the process that serves ----------------------------------------------------------------------


def serve(folder: Path, phases: Phases, *, beside: str) -> None:
    """Be ``wholeroad up``, and note what it is at; the office works in a thread where that is asked for."""
    from wholeroad.adapters.blobs import FolderBlobs
    from wholeroad.adapters.hot_log import SqliteHotLog
    from wholeroad.adapters.ledgers import SqliteLedger
    from wholeroad.adapters.tables_delta import DeltaTables
    from wholeroad.interfaces.cli.app import app
    from wholeroad.interfaces.cli.serving import _Serving
    from wholeroad.serving import jobs, processes

    def noted(kind: type, method: str, phase: str | None = None) -> None:
        made = getattr(kind, method)

        def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
            with phases.during(phase or type(args[0]).__name__.lower()):
                return made(self, *args, **kwargs)

        setattr(kind, method, wrapped)

    noted(SqliteHotLog, "append", "flush")
    noted(SqliteHotLog, "prune", "prune")
    noted(SqliteLedger, "append", "ledger")
    noted(DeltaTables, "append", "tables")
    noted(FolderBlobs, "put", "blobs")
    greet = _Serving._greet

    def greeted(self: Any, *args: Any) -> None:
        phases.set("up", 1)
        greet(self, *args)

    _Serving._greet = greeted
    if beside == "thread":
        noted(jobs.Jobs, "_done")
        processes.ChildProcess = processes.OneThread
    else:
        noted(processes.ChildProcess, "run")
    app(["up", str(folder), "--port", "0"], standalone_mode=False)


def zygote(folder: Path, phases: Path, beside: str) -> None:
    """Fork a process that serves for each line that is read, and say how it ended."""
    import deltalake  # noqa: F401 - imported once, before the forks
    import sklearn.linear_model  # noqa: F401

    import wholeroad.interfaces.cli.app
    import wholeroad.interfaces.http.face
    import wholeroad.interfaces.http.serving
    import wholeroad.interfaces.http.v2
    import wholeroad.serving.example
    import wholeroad.serving.service  # noqa: F401

    shared = Phases(phases)
    for _ in sys.stdin:
        shared.clear()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                threading.Thread(target=_end_with_driver, daemon=True).start()
                serve(folder, shared, beside=beside)
                code = 0
            except BaseException:  # noqa: BLE001 (whatever it is, it is shown)
                import traceback

                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _say(f"@pid {child}")
        _, status = os.waitpid(child, 0)
        _say(f"@ended {os.waitstatus_to_exitcode(status)}")


def _end_with_driver() -> None:
    """End where whoever kills has ended."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _say(line: str) -> None:
    os.write(1, f"\n{line}\n".encode())


# ---- in the process that kills -----------------------------------------------------------------------


class Forked:
    """Starts that are forked from a zygote.

    Parameters
    ----------
    beside
        Where the office works: ``thread`` or ``process``.
    """

    def __init__(self, folder: Path, phases: Path, *, beside: str) -> None:
        self._zygote = _popen([sys.executable, __file__, str(folder), str(phases), beside], stdin=True)
        self._lines = _lines(self._zygote)
        self.output: list[str] = []
        self.pid = 0

    def start(self) -> None:
        """Start a process, and wait until it is there."""
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(b"start\n")
        self._zygote.stdin.flush()
        self.pid = int(self._until(r"@pid (\d+)"))

    def port(self, timeout_s: float = READY_S) -> int | None:
        """Wait until it serves, and give its port; None where it doesn't yet."""
        try:
            return int(self._until(r"^Serving .* at http://127\.0\.0\.1:(\d+)$", timeout_s))
        except TimeoutError:
            return None

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and give the exit status."""
        os.kill(self.pid, number)
        self.pid = 0
        return int(self._until(r"@ended (-?\d+)"))

    def close(self) -> None:
        """End what is there."""
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._zygote.wait(READY_S)

    def _until(self, pattern: str, timeout_s: float = READY_S) -> str:
        return _until(self, self._lines, pattern, timeout_s)


class Real:
    """Starts of ``python -m wholeroad up``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self.output: list[str] = []

    @property
    def pid(self) -> int:
        """The process's."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start a process."""
        self._process = _popen([sys.executable, "-m", "wholeroad", "up", str(self._folder), "--port", "0"])
        self._lines = _lines(self._process)

    def port(self, timeout_s: float = READY_S) -> int | None:
        """Wait until it serves, and give its port; None where it doesn't yet."""
        try:
            found = _until(self, self._lines, r"^Serving .* at http://127\.0\.0\.1:(\d+)$", timeout_s)
        except TimeoutError:
            return None
        return int(found)

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and give the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(READY_S)

    def close(self) -> None:
        """End what is there."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(READY_S)


def _popen(command: list[str], *, stdin: bool = False) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **LIMITS, "COLUMNS": "200"},
    )


def _lines(process: subprocess.Popen[bytes]) -> SimpleQueue[str | None]:
    """Read what a process says in a thread, so that it is never held up."""
    found: SimpleQueue[str | None] = SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                found.put(line.decode(errors="replace").rstrip("\n"))
        found.put(None)

    threading.Thread(target=read, daemon=True).start()
    return found


def _until(server: Forked | Real, lines: SimpleQueue[str | None], pattern: str, timeout_s: float) -> str:
    """Wait for a line, and give what the pattern finds in it."""
    wanted = re.compile(pattern)
    until_s = time.monotonic() + timeout_s
    while True:
        try:
            line = lines.get(timeout=max(0.0, until_s - time.monotonic()))
        except Empty:
            raise TimeoutError(pattern) from None
        if line is None or (line.startswith("@ended") and not wanted.search(line)):
            message = "the service ended by itself:\n" + "\n".join([*server.output[-60:], str(line)])
            raise AssertionError(message)
        if line:
            server.output = [*server.output[-200:], line]
        if found := wanted.search(line):
            return found[1]


def children(folder: Path) -> list[int]:
    """Give the processes beside services of a folder, where the system lists them in ``/proc``."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if place.name.isdigit() and _is_child(place, folder):
                found.append(int(place.name))
    return found


def _is_child(place: Path, folder: Path) -> bool:
    command = (place / "cmdline").read_bytes().split(b"\0")
    return b"wholeroad.serving.child" in command and str(folder.absolute()).encode() in command


Server = Forked | Real


class Killing:
    """Kills a service again and again while clients send to it; in the end closes it, and looks.

    Parameters
    ----------
    seed
        Of the world, of what is sent, and of the instants.
    clients
        How many send.
    """

    def __init__(self, folder: Path, token: str, *, seed: int, clients: int = 4) -> None:
        self.folder = folder
        self.address = Address()
        self.dice = random.Random(f"kills-{seed}")
        self.clients = [Client(self.address, token, place, seed) for place in range(clients)]
        self.hit: Counter[str] = Counter()
        self.counts: dict[str, int] = {}
        self.kills = 0
        self._phases = Phases(folder / "phases")

    @contextmanager
    def of(self, server: Server) -> Iterator[Server]:
        """Let the clients begin; in the end, however it comes, nothing is left running."""
        for client in self.clients:
            client.start()
        try:
            yield server
        finally:
            self.address.give_up()
            server.close()
            for client in self.clients:
                client.join(READY_S)

    def kill(self, server: Server, times: int, *, tell: Callable[[str], None] = print) -> None:
        """Start and kill so many times."""
        for number in range(times):
            server.start()
            kind = self.dice.choices(list(KINDS), list(KINDS.values()))[0]
            if kind == "starting":
                time.sleep(self.dice.uniform(0, self._start_s))
            else:
                began_s = time.monotonic()
                self.address.put(server.port())
                self._start_s = 0.8 * self._start_s + 0.2 * (time.monotonic() - began_s)
                self._wait(kind)
            at = self._at(server)
            status = server.end(signal.SIGKILL)
            self.address.put(None)
            assert status == -signal.SIGKILL, status
            self.hit.update(at)
            self.kills += 1
            self._look()
            if number % 50 == 49:
                tell(f"{self.kills} kills: {self.told()}")

    _start_s = 0.3

    def _wait(self, kind: str) -> None:
        if kind != "aimed":
            time.sleep(self.dice.uniform(0, 0.6) if kind == "any" else self.dice.uniform(1, 5))
            return
        aim = self.dice.choice(PHASES[1:])
        until_s = time.monotonic() + 1.0
        while aim not in self._phases.at() and time.monotonic() < until_s:
            time.sleep(0.0005)
        time.sleep(self.dice.choice([0, 0, 0.002, 0.01, 0.05]) * self.dice.random())

    def _at(self, server: Server) -> tuple[str, ...]:
        if isinstance(server, Real):
            return ("real",)
        at = self._phases.at()
        if "up" not in at:
            return ("starting", *(f"starting, {name}" for name in at))
        return tuple(name for name in at if name != "up") or ("nothing but answers",)

    def _look(self) -> None:
        for client in self.clients:
            if client.failed is not None:
                raise client.failed

    def told(self) -> str:
        """Say which phases were hit."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.hit.items()))

    def finish(self, server: Server) -> None:
        """Start it once more, and close it."""
        server.start()
        self.address.put(server.port())
        self.close(server)

    def close(self, server: Server) -> None:
        """Wait until a fit has entered, let the clients end, close the service, and hold what is there."""
        before, until_s = fits(self.folder), time.monotonic() + READY_S
        while fits(self.folder) == before and time.monotonic() < until_s:
            self._look()
            time.sleep(0.1)
        self.address.end()
        for client in self.clients:
            client.join(60)
            assert not client.is_alive()
        self._look()
        time.sleep(5)  # the longest that a case waits
        assert server.end(signal.SIGTERM) == 0, server.output
        self.counts = verify(self.folder, self.clients)


def token_of(folder: Path) -> str:
    """Make a token, as its owner does."""
    command = [sys.executable, "-m", "wholeroad", "token", "make", "--role", "sender", "--name", "load"]
    done = subprocess.run([*command, "--project", str(folder)], capture_output=True, check=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    zygote(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
