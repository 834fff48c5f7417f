"""Moves records in forked children, each killed after its n-th write and run again; compares what came of it.

Forking spares the imports. The parent itself never computes, so that no thread pool is forked.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"

import deltalake  # noqa: F401 - imported once, before the forks

import moves
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.facts import encode
from wholeroad.engine.facts import decode
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.service.moving import move_rows
from wholeroad.engine.service.records import read, write

GROUPS = [
    {"visits": [(1, 3, 1), (2, 4, 0), (6, 1, 1)], "lasts": [(1, 0, 2)]},
    {"visits": [(1, 3, 1), (6, 2, 1)]},
    {"visits": [(3, 30, 2)], "lasts": [(1, 0, 3), (6, 0, 2)]},
]
MOVED_AFTER = (2, 3)


def count_writes(limit: int, log: Path) -> None:
    """Let every real write happen, and die by SIGKILL right after the one with this number."""
    seen = 0

    def watched(kind, made):
        def wrapped(*args, **kwargs):
            nonlocal seen
            result = made(*args, **kwargs)
            seen += 1
            if seen == limit:
                log.write_text(f"killed after {seen}: {kind}\n")
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    DeltaTables.append = watched("tables", DeltaTables.append)
    SqliteLedger.append = watched("ledger", SqliteLedger.append)
    FolderBlobs.put = watched("blobs", FolderBlobs.put)
    SqliteHotLog.append = watched("hot log", SqliteHotLog.append)
    SqliteHotLog.prune = watched("prune", SqliteHotLog.prune)


def work(root: Path, out: Path) -> None:
    """Take in what wasn't taken in, move, let go; in the end write down what must not change."""
    landed = moves.Landed()
    records = [landed.group(group) for group in GROUPS]
    tables, blobs = DeltaTables(root / "tables"), FolderBlobs(root / "blobs")
    ledger, log = SqliteLedger(root / "ledger.sqlite", decode), SqliteHotLog(root / "hot.sqlite")
    for number in range(log.last + 1, len(records) + 1):
        move(log, tables=tables, blobs=blobs, ledger=ledger, through=number - 1)
        assert log.append(write(records[number - 1])) == number
    move(log, tables=tables, blobs=blobs, ledger=ledger, through=len(records))
    said = b"\n".join(encode(fact) for _, fact in ledger.read())
    for name, source in moves.SOURCES.items():
        for of in (table_of, quarantine_of):
            if tables.exists(of(name, source)):
                said += tables.read(of(name, source)).write_csv().encode()
    out.write_bytes(said)


def move(log, *, tables, blobs, ledger, through) -> None:
    if through not in MOVED_AFTER:
        return
    some = [(number, read(data)) for number, data in log.read()]
    facts = [fact for _, fact in ledger.read()]
    landed = move_rows(some, brief=moves.BRIEF, tables=tables, blobs=blobs, facts=facts)
    if landed:
        ledger.append(landed)
    log.prune(through)


def in_child(run) -> bool:
    """Run in a fork; tell whether it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        sys.exit("a child failed")
    return os.WIFEXITED(status)


def main(scratch: Path) -> None:
    """Kill after write 1, 2, 3, ... until a run comes to its end unharmed."""
    reference, result, log = scratch / "reference", scratch / "result", scratch / "log"
    in_child(lambda: work(scratch / "whole", reference))
    for number in range(1, 1000):
        root = scratch / f"run-{number}"

        def killed(root=root, number=number):
            count_writes(number, log)
            work(root, result)

        if in_child(killed):
            break
        sys.stdout.write(log.read_text())
        in_child(lambda root=root: work(root, result))
        if result.read_bytes() != reference.read_bytes():
            sys.exit(f"{log.read_text()}: what came of it was not the same")
        shutil.rmtree(root)
    sys.stdout.write("all the same\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
