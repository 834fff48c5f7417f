"""A lock on a folder, with its holder named; let go when the process ends, however it ends."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from wholeroad.adapters.sqlite_errors import is_busy, refusal
from wholeroad.core.errors import TryLaterError, UserError


@contextmanager
def held(folder: Path, *, purpose: str, since: str, wait_s: float = 0) -> Iterator[None]:
    """Hold the folder's lock.

    SQLite's own file lock is used, since it works on every system and dies with the process.

    Parameters
    ----------
    folder
        Made when missing.
    purpose, since
        For the message to whoever finds it held.
    wait_s
        How long to wait for whoever holds it, before it is said.

    Raises
    ------
    TryLaterError
        ``project.locked``, naming the holder.
    UserError
        ``project.lock-broken``, naming the file; ``project.unusable``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock.sqlite"
    try:
        connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
    except sqlite3.Error as error:
        raise refusal(path, error) or _broken(path, error) from error
    try:
        try:
            connection.execute("begin exclusive")
        except sqlite3.Error as error:
            if is_busy(error):
                raise _locked(folder) from error
            raise refusal(path, error) or _broken(path, error) from error
        mine = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose, "since": since}
        (folder / "lock.json").write_text(json.dumps(mine), encoding="utf-8")
        yield
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a folder's lock.

    Attributes
    ----------
    purpose, since
        As it said when it took the lock, ``since`` by its own clock.
    noted_at
        When it said so, in microseconds by the clock of the file system.
    """

    purpose: str
    process: int
    host: str
    since: str
    noted_at: int

    def __str__(self) -> str:
        """Name it."""
        return f"{self.purpose}, process {self.process} on {self.host}, since {self.since}"


def holder(folder: Path) -> Holder | None:
    """Say who holds a folder's lock, without taking it; None where nobody does, or who does said nothing.

    Raises
    ------
    UserError
        ``project.lock-broken``.
    """
    path = folder / "lock.sqlite"
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=0, uri=True)
    except sqlite3.Error as error:
        raise refusal(path, error) or _broken(path, error) from error
    try:
        connection.execute("select count(*) from sqlite_master").fetchall()
    except sqlite3.Error as error:
        if not is_busy(error):
            raise refusal(path, error) or _broken(path, error) from error
    else:
        return None
    finally:
        connection.close()
    with suppress(OSError, ValueError, KeyError):
        return _noted(folder / "lock.json")
    return None


def _noted(path: Path) -> Holder:
    said = json.loads(path.read_text(encoding="utf-8"))
    noted_at = path.stat().st_mtime_ns // 1000
    return Holder(said["purpose"], int(said["pid"]), said["host"], said["since"], noted_at)


def _locked(folder: Path) -> TryLaterError:
    try:
        who = str(_noted(folder / "lock.json"))
    except (OSError, ValueError, KeyError):
        who = "another process"
    return TryLaterError(
        "project.locked",
        "The project is busy",
        happened=f"its lock was held by {who}",
        expected="one writer at a time",
        fix="wait until it ends, or stop it; nothing was changed",
    )


def _broken(path: Path, error: sqlite3.Error) -> UserError:
    return UserError(
        "project.lock-broken",
        "The project's lock is broken",
        happened=f"SQLite said of {path}: {error}",
        expected="a lock file that SQLite made; there is nothing of yours in it",
        fix=f"delete {path} and give the same command again",
    )
