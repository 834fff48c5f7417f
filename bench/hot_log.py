"""What one append to the hot log costs against a bare flush of the same disk: ``python bench/hot_log.py``.

Appends and flushes take turns, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from wholeroad.adapters.hot_log import SqliteHotLog

ROUNDS = 3_000
SIZES = (300, 2_000, 20_000, 200_000)


def main(place: str | None = None) -> None:
    """Print the quantiles, in microseconds, by the size of a record."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        print(f"{'bytes':>8} {'':16} {'50%':>7} {'90%':>7} {'99%':>7} {'99.9%':>7} {'mean':>7}  microseconds")
        for size in SIZES:
            for name, taken in measured(Path(folder), size).items():
                print(f"{size:>8} {name:16} {quantiles(taken)}")


def measured(folder: Path, size: int) -> dict[str, list[float]]:
    """Time appends, and writes of as many bytes over a file that is there, each flushed."""
    log, record = SqliteHotLog(folder / f"hot-{size}.sqlite"), bytes(size)
    bare = folder / f"bare-{size}"
    bare.write_bytes(bytes(max(size, 4_096) * 50))
    rounds = ROUNDS if size < 100_000 else ROUNDS // 10
    taken: dict[str, list[float]] = {"append": [], "bare fdatasync": []}
    with bare.open("r+b", buffering=0) as file:
        os.fsync(file.fileno())
        for number in range(rounds):
            began = perf_counter()
            log.append(record)
            between = perf_counter()
            os.pwrite(file.fileno(), record, number % 50 * max(size, 4_096))
            os.fdatasync(file.fileno())
            ended = perf_counter()
            taken["append"].append(between - began)
            taken["bare fdatasync"].append(ended - between)
            if number % 1_000 == 999:
                log.prune(log.last)
    log.close()
    return taken


def quantiles(taken: list[float]) -> str:
    """Write quantiles and the mean down."""
    ordered = sorted(taken)
    found = [ordered[int(len(ordered) * share)] for share in (0.5, 0.9, 0.99, 0.999)]
    return " ".join(f"{1e6 * each:>7.0f}" for each in [*found, sum(taken) / len(taken)])


if __name__ == "__main__":
    main(*sys.argv[1:])
