"""What SQLite's errors mean to a user: a file that can't be used is another thing than a broken one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from wholeroad.core.errors import UserError, unusable

_REFUSED: Final = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)


def primary_code(error: sqlite3.Error) -> int | None:
    """Give SQLite's primary result code, without the details in its upper bits."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another process holds the file."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def refusal(path: Path, error: sqlite3.Error) -> UserError | None:
    """Give the error for a file that the system refuses to open, read or write; None for any other."""
    return unusable(path, str(error)) if primary_code(error) in _REFUSED else None
