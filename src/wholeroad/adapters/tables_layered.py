"""Tables over other tables: what is written is thrown away, what was there before is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.ports import Tables

_BELOW: Final = "below"
"""The writer of what is copied."""


class LayeredTables:
    """The port ``Tables`` that tries something out: it never writes to the tables below.

    A table that is appended to is copied from below first, so that all of it is held in memory.

    Parameters
    ----------
    below
        What is there already.
    """

    def __init__(self, below: Tables) -> None:
        self._below = below
        self._own = MemoryTables()

    def append(self, table: str, frame: pl.DataFrame, *, writer: str, version: int) -> bool:
        """Append a frame once; see the port."""
        newest = self._below.version(table, writer)
        if newest is not None and version <= newest:
            return False
        if not self._own.exists(table) and self._below.exists(table):
            self._own.append(table, self._below.read(table), writer=_BELOW, version=0)
        return self._own.append(table, frame, writer=writer, version=version)

    def version(self, table: str, writer: str) -> int | None:
        """Give the newest committed version of a writer, or None."""
        versions = [self._own.version(table, writer), self._below.version(table, writer)]
        return max((version for version in versions if version is not None), default=None)

    def exists(self, table: str) -> bool:
        """Tell whether the table has been made."""
        return self._own.exists(table) or self._below.exists(table)

    def schema(self, table: str) -> pl.Schema:
        """Give the names and types of a table's columns."""
        return self._of(table).schema(table)

    def read(self, table: str, columns: Sequence[str] | None = None, *, skip: int = 0) -> pl.DataFrame:
        """Read a table, rows in the order of their appends, but for so many at its beginning."""
        return self._of(table).read(table, columns, skip=skip)

    def _of(self, table: str) -> Tables:
        return self._own if self._own.exists(table) else self._below
