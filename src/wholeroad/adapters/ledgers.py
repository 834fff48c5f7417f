"""The ledger on disk (SQLite) and in memory.

Facts are kept in their canonical encoding, one row each, so that "same bytes" can be
asked of the export.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from wholeroad.core.errors import RoadError
from wholeroad.core.facts import Fact, encode

Decode = Callable[[bytes], Fact]

_SCHEMA: Final = "create table if not exists facts (seq integer primary key, fact blob not null) strict"


class SqliteLedger:
    """A ledger in one SQLite file, flushed to disk at every append.

    Parameters
    ----------
    path
        The file; made when missing.
    decode
        From bytes to a fact: the engine knows the union of facts, this adapter doesn't.
    """

    def __init__(self, path: Path, decode: Decode) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._decode = decode
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise _broken(path, error) from error

    def append(self, facts: Sequence[Fact]) -> None:
        """Append all of the facts in one transaction."""
        if not facts:
            return
        rows = [(encode(fact),) for fact in facts]
        self._connection.execute("begin immediate")
        try:
            self._connection.executemany("insert into facts (fact) values (?)", rows)
            self._connection.execute("commit")
        except sqlite3.Error:
            self._connection.execute("rollback")
            raise

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Give ``(seq, fact)`` in order."""
        try:
            for seq, fact in self._connection.execute(
                "select seq, fact from facts where seq > ? order by seq", (after,)
            ):
                yield seq, self._decode(fact)
        except sqlite3.DatabaseError as error:
            raise _broken(self._path, error) from error

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()


class MemoryLedger:
    """A ledger in memory, with the same encoding."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._facts: list[bytes] = []

    def append(self, facts: Sequence[Fact]) -> None:
        """Append all of the facts."""
        self._facts += [encode(fact) for fact in facts]

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Give ``(seq, fact)`` in order."""
        for position, fact in enumerate(self._facts[after:], start=after + 1):
            yield position, self._decode(fact)


def _broken(path: Path, error: sqlite3.DatabaseError) -> RoadError:
    return RoadError(
        "ledger.broken",
        "The ledger can't be read",
        happened=f"SQLite said of {path.name}: {error}",
        expected="a sound SQLite file",
        fix="restore the folder from a copy; a rehearsal's may simply be deleted and run again",
    )
