"""Tables on disk: one Delta Lake table per folder, read by Spark, DuckDB, Ray and Daft as well."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import polars as pl

from wholeroad.adapters.flushing import flush, flush_folders
from wholeroad.adapters.table_frames import POSITION, checked_name, missing, projected, storable
from wholeroad.core.errors import TryLaterError, UserError, unusable

if TYPE_CHECKING:
    from deltalake import DeltaTable

# A position has the append in its upper bits and the row in its lower ones.
_ROW_BITS: Final = 36
_SYSTEM: Final = re.compile(r"([^:]+) \(os error \d+\)")
"""What the system said when it refused to write, as on a full disk."""

_TRIES: Final = 20
_FILES: Final = 64
"""With as many small files, a table is written together: nightly appends would make reading slow."""
_KEPT_H: Final = 24
"""For so many hours the files stay that were written together: somebody may be reading them, or copying."""
_CONFIGURATION: Final = {
    # Statistics of the position only: it orders the files. Others would lengthen the log of wide tables,
    # and Delta cuts those of instants to milliseconds.
    "delta.dataSkippingStatsColumns": POSITION,
}


class DeltaTables:
    """The port ``Tables`` over a folder.

    Every append is one commit that carries the writer's version as an application transaction. Delta
    accepts the same transaction twice, so the newest version is looked up before; a commit made by
    someone else in between is a conflict, never merged in silence, and then the look is repeated.
    Data and log are flushed to the disk before ``append`` returns.

    Parameters
    ----------
    folder
        Made by the first append.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, DeltaTable] = {}
        self._lock = RLock()

    def append(self, table: str, frame: pl.DataFrame, *, writer: str, version: int) -> bool:
        """Append a frame once; see the port.

        Raises
        ------
        RoadError
            ``tables.schema-mismatch``, ``tables.column-type``, ``tables.bad-name``.
        UserError
            ``tables.broken``; ``project.unusable`` when the system refuses to write.
        TryLaterError
            ``tables.busy``: others committed to the table again and again.
        """
        from deltalake.exceptions import CommitFailedError, DeltaError

        with self._lock:
            for _ in range(_TRIES):
                newest = self.version(table, writer)
                if newest is not None and version <= newest:
                    return False
                try:
                    self._commit(table, frame, writer, version)
                except CommitFailedError:
                    self._open.pop(table, None)
                except DeltaError as error:
                    if (refused := _SYSTEM.search(str(error))) is not None:
                        raise unusable(self._folder / table, refused.group(1)) from error
                    if table in self._open or not self.exists(table):
                        raise self._broken(table, error) from error
                else:
                    return True
        raise TryLaterError(
            "tables.busy",
            f"The table {table} is busy",
            happened=f"other writers came first {_TRIES} times",
            expected="one writer at a time",
            fix="try again when the other command has ended",
        )

    def version(self, table: str, writer: str) -> int | None:
        """Give the newest committed version of a writer, or None."""
        with self._lock:
            found = self._fresh(table)
            return None if found is None else found.transaction_version(writer)

    def exists(self, table: str) -> bool:
        """Tell whether the table has been made."""
        return self._fresh(table) is not None

    def schema(self, table: str) -> pl.Schema:
        """Give the names and types of a table's columns."""
        return _schema(self._needed(table))

    def read(self, table: str, columns: Sequence[str] | None = None, *, skip: int = 0) -> pl.DataFrame:
        """Read a table, rows in the order of their appends, but for so many at its beginning."""
        with self._lock:
            found = self._needed(table)
            schema = _schema(found)
            wanted = list(schema) if columns is None else projected(table, list(columns), schema=schema)
            files, skip = self._files(table, found, skip=skip)
        if not files:
            return pl.DataFrame(schema={name: schema[name] for name in wanted})
        # Polars' own reader of Delta mistakes folders with spaces in their names, and may import pyarrow.
        scan = pl.scan_parquet(files, glob=False, hive_partitioning=False)
        try:
            rows = scan.select(POSITION, *wanted).collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise self._broken(table, error) from error
        if not rows[POSITION].is_sorted():
            rows = rows.sort(POSITION)
        return rows.drop(POSITION)[skip:]

    def _commit(self, table: str, frame: pl.DataFrame, writer: str, version: int) -> None:
        from deltalake import CommitProperties, Transaction, write_deltalake

        found = self._open.get(table)
        rows = storable(table, frame, schema=None if found is None else _schema(found))
        number = 0 if found is None else found.version() + 1
        first = number << _ROW_BITS
        position = pl.int_range(first, first + rows.height, dtype=pl.Int64, eager=True).alias(POSITION)
        folder = self._folder / checked_name(table)
        folder.mkdir(parents=True, exist_ok=True)
        write_deltalake(
            folder if found is None else found,
            rows.insert_column(0, position),
            mode="error" if found is None else "append",
            configuration=_CONFIGURATION if found is None else None,
            commit_properties=CommitProperties(
                max_commit_retries=0, app_transactions=[Transaction(writer, version)]
            ),
        )
        _flush(folder, number)
        if (number + 1) % _FILES == 0:
            self._compact(table)

    def _compact(self, table: str) -> None:
        """Write the files together, as a commit that changes no row, and delete those of long ago.

        Without it reading is only slower, and the disk fuller.
        """
        from deltalake import CommitProperties
        from deltalake.exceptions import DeltaError

        found = self._fresh(table)
        if found is None or len(found.file_uris()) < _FILES // 2:
            return
        folder = self._folder / table
        with suppress(DeltaError, OSError):
            found.optimize.compact(commit_properties=CommitProperties(max_commit_retries=0))
            _flush(folder, found.version())
            # Not deleted by Delta: it would write commits of its own, which nobody flushes.
            old = found.vacuum(_KEPT_H, dry_run=True, enforce_retention_duration=False, full=True)
            for path in old:
                (folder / unquote(path)).unlink(missing_ok=True)

    def _fresh(self, table: str) -> DeltaTable | None:
        """Open a table, or bring it up to date; None when it isn't there."""
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        folder = self._folder / checked_name(table)
        with self._lock:
            try:
                if table in self._open:
                    self._open[table].update_incremental()
                elif any((folder / "_delta_log").glob("*.json")):
                    self._open[table] = DeltaTable(folder)
            except (DeltaError, OSError, ValueError) as error:
                self._open.pop(table, None)
                raise self._broken(table, error) from error
            return self._open.get(table)

    def _needed(self, table: str) -> DeltaTable:
        found = self._fresh(table)
        if found is None:
            raise missing(table)
        return found

    def _files(self, table: str, found: DeltaTable, *, skip: int) -> tuple[list[Path], int]:
        """Give the files in the order of their rows, without those at the beginning that hold rows to skip.

        Returns
        -------
        list, int
            How many rows of the files are still to be skipped.
        """
        added = pl.DataFrame(found.get_add_actions(flatten=True))
        least = f"min.{POSITION}"
        if least in added.columns:
            added = added.sort(least)
            if skip and not added["num_records"].null_count():
                ends = added["num_records"].cum_sum().to_list()
                done = sum(end <= skip for end in ends)
                added, skip = added[done:], skip - (ends[done - 1] if done else 0)
        return [self._folder / table / unquote(path) for path in added["path"]], skip

    def _broken(self, table: str, error: BaseException) -> UserError:
        return UserError(
            "tables.broken",
            f"The table {table} can't be read",
            happened=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            expected=f"a whole Delta table in {self._folder / table}",
            fix="restore the folder from a backup; or remove it and land the source again",
        )


def _schema(found: DeltaTable) -> pl.Schema:
    schema = pl.Schema(found.schema().to_arrow())
    schema.pop(POSITION, None)
    return schema


def _flush(folder: Path, number: int) -> None:
    """Flush a commit: its files, then its line in the log; delta-rs leaves that to the system."""
    commit = folder / "_delta_log" / f"{number:020}.json"
    lines = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
    flush(*(folder / unquote(line["add"]["path"]) for line in lines if "add" in line), commit)
    flush_folders(folder, commit.parent)
