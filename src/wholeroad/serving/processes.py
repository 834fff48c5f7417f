"""Where the office works: in a process that comes and goes, or in a thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from wholeroad.adapters.machine import available_threads
from wholeroad.core.ports import Progress
from wholeroad.serving.child import Ended, Line, Told
from wholeroad.serving.jobs import Came, Job, Jobs


class Host(Protocol):
    """Does jobs, one after the other, outside of the front's thread."""

    def run(self, job: Job, progress: Progress | None = None) -> Came:
        """Do a job, and wait for it."""

    def rest(self) -> None:
        """Let go of memory until the next job."""

    def end(self) -> None:
        """End, also amid a job: it is done again when it is asked for again."""


class ChildProcess:
    """A process of its own, started by the first job, with a bounded number of threads.

    Parameters
    ----------
    folder
        The project's.
    brief
        The text of the brief that is served.
    """

    def __init__(self, folder: Path, brief: str) -> None:
        self._folder = folder
        self._brief = brief
        self._child: subprocess.Popen[bytes] | None = None
        self._decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
        self._lock = threading.Lock()
        self._ending = False

    def run(self, job: Job, progress: Progress | None = None) -> Came:
        """Do a job; a process that dies amid it is said so, and the next job starts another one."""
        with self._lock:
            try:
                child = self._started()
            except OSError as error:  # there is no memory, or no process, left for it
                return Came(error=_died(str(error)))
            if self._ending:
                child.kill()
            came = self._ask(child, job, progress)
            if came is None:
                status = child.wait()
                self._child, self._ending = None, False
                return Came(error=_died(f"signal {-status}" if status < 0 else f"exit status {status}"))
            return came

    def rest(self) -> None:
        """End the process: it has nothing in memory that the next one couldn't read."""
        with self._lock:
            if self._child is not None and self._child.stdin is not None:
                with suppress(OSError):
                    self._child.stdin.close()
                self._child.wait()
                self._child = None

    def end(self) -> None:
        """Kill the process, also one that is just being started."""
        self._ending = True
        child = self._child
        if child is not None:
            child.kill()
            child.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            threads = str(max(1, available_threads() - 1))
            limits = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "WHOLEROAD_THREADS"), threads)
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, and no shell
                [sys.executable, "-m", "wholeroad.serving.child", str(self._folder.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **limits},
                start_new_session=True,  # an interrupt from the keyboard is the front's to answer
            )
            if self._child.stdin is not None:
                self._child.stdin.write(msgspec.json.encode(self._brief) + b"\n")
        return self._child

    def _ask(self, child: subprocess.Popen[bytes], job: Job, progress: Progress | None) -> Came | None:
        if child.stdin is None or child.stdout is None:
            return None
        try:
            child.stdin.write(msgspec.json.encode(job) + b"\n")
            child.stdin.flush()
            for text in child.stdout:
                match self._decoder.decode(text):
                    case Told(stage, done, total):
                        if progress is not None:
                            progress(stage, done, total)
                    case Ended(came):
                        return came
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        return None


class OneThread:
    """A thread of its own in this process; nothing of it outlasts a job but files.

    Parameters
    ----------
    folder, brief
        As for :class:`ChildProcess`.
    """

    def __init__(self, folder: Path, brief: str) -> None:
        self._folder = folder
        self._brief = brief
        self._pool = ThreadPoolExecutor(1)
        self._jobs: Jobs | None = None

    def run(self, job: Job, progress: Progress | None = None) -> Came:
        """Do a job; nobody is told how far it is."""
        del progress
        return self._pool.submit(self._run, job).result()

    def rest(self) -> None:
        """Keep what is there: it is little."""

    def end(self) -> None:
        """Wait for the job in hand, if any; the next one begins with nothing in memory."""
        before, self._pool = self._pool, ThreadPoolExecutor(1)
        before.shutdown(wait=True)
        self._jobs = None

    def _run(self, job: Job) -> Came:
        if self._jobs is None:
            self._jobs = Jobs(self._folder, self._brief)
        return self._jobs.run(job)


def _died(how: str) -> dict[str, str]:
    return {
        "code": "service.office-died",
        "headline": "The process beside the service ended amid its work",
        "happened": f"it ended by {how}",
        "expected": "an answer",
        "fix": "look at what it wrote before; the work is begun again by itself",
    }
