"""Rehearses in forked children, each killed after its n-th write and run again; the parent compares bytes.

Forking spares the imports. The parent itself never computes, so that no thread pool is forked.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["WHOLEROAD_THREADS"] = "1"

import sklearn.linear_model  # noqa: F401 - imported once, before the forks

import wholeroad
from wholeroad import rehearsing
from wholeroad.adapters import folders
from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.project import Project

POLICIES = ["never", "every 10d"]


def count_writes(limit: int, log: Path) -> None:
    """Let every real write happen, and die by SIGKILL right after the one with this number."""
    seen = 0

    def watched(kind, write):
        def wrapped(*args, **kwargs):
            nonlocal seen
            result = write(*args, **kwargs)
            seen += 1
            if seen == limit:
                log.write_text(f"killed after {seen}: {kind}\n")
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return wrapped

    DeltaTables.append = watched("tables", DeltaTables.append)
    SqliteLedger.append = watched("ledger", SqliteLedger.append)
    FolderBlobs.put = watched("blobs", FolderBlobs.put)
    folders.write_whole = rehearsing.write_whole = watched("file", folders.write_whole)


def rehearse(folder: Path, out: Path) -> None:
    """Run to the end and write down everything that must not change."""
    opened: Project = wholeroad.open(folder)
    rehearsed = opened.rehearse(POLICIES)
    data = b""
    for policy in POLICIES:
        data += b"".join(rehearsed.export(policy))
        data += rehearsed.decisions(policy).write_csv().encode()
    data += rehearsed.policies.write_csv().encode()
    data += rehearsed.folder.name.encode()
    out.write_bytes(data)


def in_child(work) -> bool:
    """Run in a fork; tell whether it came to its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        sys.exit("a child failed")
    return os.WIFEXITED(status)


def main(source: Path, scratch: Path) -> None:
    """Kill after write 1, 2, 3, ... until a run comes to its end unharmed."""
    reference, result, log = scratch / "reference", scratch / "result", scratch / "log"
    shutil.copytree(source, scratch / "whole")
    in_child(lambda: rehearse(scratch / "whole", reference))
    for number in range(1, 1000):
        folder = scratch / f"run-{number}"
        shutil.copytree(source, folder)

        def killed(folder=folder, number=number):
            count_writes(number, log)
            rehearse(folder, result)

        if in_child(killed):
            break
        sys.stdout.write(log.read_text())
        in_child(lambda folder=folder: rehearse(folder, result))
        if result.read_bytes() != reference.read_bytes():
            sys.exit(f"{log.read_text()}: what came of it was not the same")
        shutil.rmtree(folder)
    sys.stdout.write("all the same\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
