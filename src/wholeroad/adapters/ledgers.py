"""The ledger on disk (SQLite) and in memory.

Facts are kept in their canonical encoding, one row each, so that "same bytes" can be
asked of the export.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from wholeroad.adapters.flushing import flush_folders
from wholeroad.adapters.sqlite_errors import is_busy, refusal
from wholeroad.core.errors import TryLaterError, UserError
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
    mending
        What a user can do when the file is broken.

    Raises
    ------
    UserError
        ``ledger.broken``, ``project.unusable``; from its methods as well.
    """

    def __init__(self, path: Path, decode: Decode, *, mending: str = "restore it from a copy") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._decode = decode
        self._mending = mending
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        # SQLite deletes the journal of its first transaction and leaves it to the system when that is on the
        # disk: after a power cut it could come back, and take back what was appended since.
        flush_folders(path.parent, path.parent.parent)

    def append(self, facts: Sequence[Fact]) -> None:
        """Append all of the facts in one transaction."""
        if not facts:
            return
        rows = [(encode(fact),) for fact in facts]
        try:
            self._connection.execute("begin immediate")
            self._connection.executemany("insert into facts (fact) values (?)", rows)
            self._connection.execute("commit")
        except sqlite3.Error as error:
            # SQLite rolls back by itself when, say, the disk is full.
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise self._failed(error) from error

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Give ``(seq, fact)`` in order."""
        try:
            for seq, fact in self._connection.execute(
                "select seq, fact from facts where seq > ? order by seq", (after,)
            ):
                yield seq, self._decoded(seq, fact)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _decoded(self, seq: int, data: object) -> Fact:
        if not isinstance(data, bytes):
            happened = f"line {seq} holds {type(data).__name__}, not the bytes of a fact"
            raise self._broken(happened)
        try:
            return self._decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            happened = f"line {seq} is no fact that this version knows: {error}"
            raise self._broken(happened) from error

    def _failed(self, error: sqlite3.Error) -> UserError:
        if is_busy(error):
            return TryLaterError(
                "ledger.busy",
                "The ledger is busy",
                happened=f"another process is writing to {self._path}",
                expected="one writer at a time",
                fix="try again when it has ended",
            )
        return refusal(self._path, error) or self._broken(f"SQLite said: {error}")

    def _broken(self, happened: str) -> UserError:
        return UserError(
            "ledger.broken",
            "The ledger can't be read",
            happened=f"{self._path}: {happened}",
            expected="a sound SQLite file, written by this version or an earlier one",
            fix=self._mending,
        )


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
