"""The hot log: what is acknowledged before it is in the tables, on disk (SQLite) and in memory."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from wholeroad.adapters.flushing import flush_folders
from wholeroad.adapters.sqlite_errors import is_busy, refusal
from wholeroad.core.errors import TryLaterError, UserError

SYNCHRONOUS: Final = "full"
"""SQLite flushes its log at each commit; with less, what was acknowledged may go when the power does."""

_PAGE: Final = 64
"""Records read at a time: a long reading must not keep SQLite from writing its log from the start again."""

_PRUNED: Final = 512
"""Records let go of in one transaction: an append waits no longer than for one of them."""

_SCHEMA: Final = """
create table if not exists records (
  number integer primary key, record blob not null, crc integer not null
) strict;
create table if not exists marks (pruned integer not null, base integer not null) strict;
insert into marks select 0, 0 where not exists (select 1 from marks)
"""
"""Numbers begin after ``base``; of those at or below it some may be missing."""

_NEXT: Final = (
    "1 + max(coalesce((select max(number) from records), 0), (select max(pruned, base) from marks))"
)
_APPEND: Final = f"insert into records (number, record, crc) values ({_NEXT}, ?, ?) returning number"  # noqa: S608 - nothing from outside
_READ: Final = "select number, record, crc from records where number > ? order by number limit ?"


class SqliteHotLog:
    """The port ``HotLog`` in one SQLite file, in WAL mode with ``synchronous = FULL``.

    ``append`` is one transaction, and one flush of the disk. It may be called from another thread than the
    one that reads; appends and prunings take turns. Other processes may read meanwhile. Numbers go up by
    one from 1, and none comes twice, also after records were let go of. Each record carries a CRC-32.

    Parameters
    ----------
    path
        The file; made when missing.

    Raises
    ------
    UserError
        ``hotlog.broken``, ``project.unusable``; from its methods as well.
    TryLaterError
        ``hotlog.busy``: another process is writing.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = SqliteHotLog(Path(folder) / "hot.sqlite")
    ...     numbers = [log.append(b"one"), log.append(b"two")]
    ...     log.prune(1)
    ...     left = list(log.read())
    ...     log.close()
    >>> numbers, left
    ([1, 2], [(2, b'two')])
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = Lock()
        with self._named():
            self._connection = self._opened()
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute(f"pragma synchronous = {SYNCHRONOUS}")
            self._connection.execute("pragma fullfsync = on")  # of macOS, where a flush is none without it
            self._connection.execute("pragma checkpoint_fullfsync = on")
            self._connection.execute("pragma secure_delete = fast")  # else pruning writes everything twice
            if not self._has_tables():
                with self._transaction():
                    for statement in _SCHEMA.split(";"):
                        self._connection.execute(statement)
        # SQLite deletes the journal of the first transaction, and leaves it to the system when that is on the
        # disk: after a power cut it would come back, and take back what was acknowledged since.
        flush_folders(path.parent, path.parent.parent)

    def append(self, record: bytes) -> int:
        """Keep a record, flushed to the disk, and give its number."""
        with self._lock, self._named(), self._transaction():
            found = self._connection.execute(_APPEND, (record, zlib.crc32(record))).fetchall()
        number: int = found[0][0]
        return number

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Give ``(number, record)`` in order, a page at a time; what is appended meanwhile is seen too."""
        with self._named():
            connection = self._opened()
        with closing(connection):
            last = after
            while page := self._page(connection, last):
                yield from page
                last = page[-1][0]

    def prune(self, through: int) -> None:
        """Let go of the records up to a number; appends get their turn in between."""
        oldest = self._least()
        while oldest is not None and oldest <= through:
            upto = min(oldest + _PRUNED - 1, through)
            with self._lock, self._named(), self._transaction():
                mark = "update marks set pruned = max(pruned, min(?, (select max(number) from records)))"
                self._connection.execute(mark, (upto,))
                self._connection.execute("delete from records where number <= ?", (upto,))
            oldest = self._least()

    def start_after(self, number: int) -> None:
        """Count on from a number at least: what a lost file had given out may be in the tables."""
        with self._lock, self._named(), self._transaction():
            if self._connection.execute(f"select {_NEXT} - 1").fetchone()[0] < number:
                self._connection.execute("update marks set base = ?", (number,))

    @property
    def last(self) -> int:
        """The number that was given last, 0 before the first."""
        with self._lock, self._named():
            number: int = self._connection.execute(f"select {_NEXT} - 1").fetchone()[0]
        return number

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)

    def _has_tables(self) -> bool:
        found = self._connection.execute("select count(*) from sqlite_master where name = 'marks'")
        return bool(found.fetchone()[0])

    def _least(self) -> int | None:
        with self._lock, self._named():
            number: int | None = self._connection.execute("select min(number) from records").fetchone()[0]
        return number

    def _page(self, connection: sqlite3.Connection, after: int) -> list[tuple[int, bytes]]:
        with self._named():
            connection.execute("begin")
            rows = connection.execute(_READ, (after, _PAGE)).fetchall()
            pruned, base = connection.execute("select pruned, base from marks").fetchone()
            connection.execute("commit")
        expected = max(after, pruned) + 1
        for number, record, crc in rows:
            missing = number != expected and expected > base
            if missing or zlib.crc32(record) != crc:
                happened = f"record {expected} is missing" if missing else f"record {number} was damaged"
                raise self._broken(happened)
            expected = number + 1
        return [(number, record) for number, record, _ in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("begin immediate")
        try:
            yield
            self._connection.execute("commit")
        finally:
            # SQLite rolls back by itself when, say, the disk is full.
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn SQLite's errors into those that say what to do."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> UserError:
        if is_busy(error):
            return TryLaterError(
                "hotlog.busy",
                "The hot log is busy",
                happened=f"another process is writing to {self._path}",
                expected="one writer at a time",
                fix="try again when it has ended",
            )
        return refusal(self._path, error) or self._broken(f"SQLite said: {error}")

    def _broken(self, happened: str) -> UserError:
        return UserError(
            "hotlog.broken",
            "The hot log can't be read",
            happened=f"{self._path}: {happened}",
            expected="a sound SQLite file with every record since the last move to the tables",
            fix="restore the project from a backup; without one, move the file with its -wal and -shm away: "
            "what was acknowledged and not yet moved to the tables is lost then",
        )


class MemoryHotLog:
    """The port ``HotLog`` without a disk; it behaves as ``SqliteHotLog`` does."""

    def __init__(self) -> None:
        self._records: dict[int, bytes] = {}
        self._last = 0
        self._lock = Lock()

    @property
    def last(self) -> int:
        """The number that was given last, 0 before the first."""
        return self._last

    def append(self, record: bytes) -> int:
        """Keep a record, and give its number."""
        with self._lock:
            self._last += 1
            self._records[self._last] = bytes(record)
            return self._last

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Give ``(number, record)`` in order; what is appended meanwhile is seen too."""
        last = after
        while page := self._page(last):
            yield from page
            last = page[-1][0]

    def prune(self, through: int) -> None:
        """Let go of the records up to a number."""
        with self._lock:
            self._records = {number: each for number, each in self._records.items() if number > through}

    def start_after(self, number: int) -> None:
        """Count on from a number at least."""
        with self._lock:
            self._last = max(self._last, number)

    def _page(self, after: int) -> list[tuple[int, bytes]]:
        with self._lock:
            return [(number, each) for number, each in self._records.items() if number > after]
