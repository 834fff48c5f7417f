"""The office in a process of its own: jobs come in by line, what they came to goes out by line."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import msgspec

from wholeroad.serving.jobs import Came, Job, Jobs


class Told(msgspec.Struct, frozen=True, tag="told"):
    """How far a job is."""

    stage: str
    done: float
    total: float


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """What a job came to."""

    came: Came


Line = Told | Ended


def main(folder: str) -> None:
    """Do jobs until nobody asks any more; the first line that comes in is the brief."""
    with suppress(OSError, AttributeError):
        os.nice(5)  # decisions come first
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer

    def say(line: Line) -> None:
        out.write(msgspec.json.encode(line) + b"\n")
        out.flush()

    lines = _lines()
    brief = msgspec.json.decode(next(lines), type=str)
    jobs = Jobs(Path(folder), brief, progress=lambda stage, done, total: say(Told(stage, done, total)))
    decoder = msgspec.json.Decoder(Job)
    for line in lines:
        say(Ended(jobs.run(decoder.decode(line))))


def _lines() -> Iterator[bytes]:
    """Give lines as they come in; who asked being gone, everything ends at once, as by a kill."""
    queue: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            queue.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield queue.get()


if __name__ == "__main__":
    main(sys.argv[1])
