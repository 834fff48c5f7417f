"""Tables in memory, for rehearsals that leave nothing behind and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import polars as pl

from wholeroad.adapters.table_frames import checked_name, missing, projected, storable


class MemoryTables:
    """The port ``Tables`` without a disk; it behaves as ``DeltaTables`` does."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def append(self, table: str, frame: pl.DataFrame, *, writer: str, version: int) -> bool:
        """Append a frame once; see the port."""
        with self._lock:
            newest = self._versions.get((checked_name(table), writer))
            if newest is not None and version <= newest:
                return False
            parts = self._parts.get(table)
            rows = storable(table, frame, schema=None if parts is None else parts[0].schema)
            self._parts.setdefault(table, []).append(rows)
            self._versions[table, writer] = version
            return True

    def version(self, table: str, writer: str) -> int | None:
        """Give the newest committed version of a writer, or None."""
        return self._versions.get((table, writer))

    def exists(self, table: str) -> bool:
        """Tell whether the table has been made."""
        return table in self._parts

    def schema(self, table: str) -> pl.Schema:
        """Give the names and types of a table's columns."""
        return self._of(table)[0].schema

    def read(self, table: str, columns: Sequence[str] | None = None, *, skip: int = 0) -> pl.DataFrame:
        """Read a table, rows in the order of their appends, but for so many at its beginning."""
        with self._lock:
            whole = pl.concat(self._of(table))
            self._parts[table] = [whole]
        whole = whole[skip:]
        return (
            whole if columns is None else whole.select(projected(table, list(columns), schema=whole.schema))
        )

    def _of(self, table: str) -> list[pl.DataFrame]:
        if table not in self._parts:
            raise missing(table)
        return self._parts[table]
