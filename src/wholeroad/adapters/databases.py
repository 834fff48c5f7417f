"""Queries of databases, through ADBC: PostgreSQL and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from wholeroad.adapters.addresses import POSTGRESQL, SQLITE, Address, address_of
from wholeroad.adapters.queries import checked_query
from wholeroad.core.errors import TryLaterError, UserError
from wholeroad.core.ids import digest
from wholeroad.road.brief.sources import SourceTable
from wholeroad.road.data.casting import cast, kept_type
from wholeroad.road.data.content import row_hashes

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcConnection, AdbcStatement, Error
    from adbc_driver_manager._lib import ArrowArrayStreamHandle

_SAMPLE: Final = 1 << 16
"""Rows from which the SQLite driver tells a column's type."""

_LARGER: Final = 1 << 24
"""The same, where a later row was of another type."""

_CHUNK: Final = 200_000
_AWAY: Final = ("08", "53", "57")
"""Classes of SQLSTATE (PostgreSQL, appendix A): no connection, no resources, an operator stepped in."""

_MOMENT: Final = (
    "the database system is",
    "too many clients",
    "too many connections",
    "connection slots",
    "terminating connection",
    "database is locked",
)
"""What a server says that will serve again."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A query's rows in a file.

    Attributes
    ----------
    path
        Parquet.
    origin
        Digest of the rows, in any order, and of how they are read.
    """

    path: Path
    origin: str


def spool(root: Path, name: str, *, source: SourceTable, into: Path) -> Spooled:
    """Run a source's query and write its rows into a file, all of them or none.

    The connection can't write. PostgreSQL's ``numeric`` becomes a double, unless ``types`` says otherwise.

    Parameters
    ----------
    root
        The project's folder, from which a relative SQLite file is found.
    name, source
        The source's name and table in the brief; ``database`` names the variable with the address.
    into
        A folder for the file.

    Raises
    ------
    UserError
        ``database.no-address``, ``database.bad-address``, ``database.driver-missing``,
        ``database.not-a-query``, ``database.refused``, ``database.query``, ``database.interval``.
    TryLaterError
        ``database.away``: it can't be reached, or went away before all rows were here.
    """
    address = address_of(source.database or "", root=root, where=f"[source.{name}]")
    query = checked_query(source.read, dialect=address.dialect, where=f"[source.{name}]")
    path = into / "query.parquet"
    with _connected(address) as connection:
        _fetch(connection, query, address=address, path=path, types=source.types)
    return Spooled(path, _origin(path, source))


def _fetch(
    connection: AdbcConnection, query: str, *, address: Address, path: Path, types: dict[str, str]
) -> None:
    for inferred in (_SAMPLE, _LARGER):
        try:
            with _said(address, connection), _executed(connection, query, address, inferred) as stream:
                _refuse_intervals(stream)
                rows = _plain(pl.scan_arrow_c_stream(stream), types)
                rows.sink_parquet(path, compression="lz4", statistics=False)
        except UserError as error:
            if address.dialect != SQLITE or "Type mismatch" not in error.happened or inferred == _LARGER:
                raise
        else:
            return


def _refuse_intervals(stream: ArrowArrayStreamHandle) -> None:
    """Refuse what Polars would panic at."""
    from arro3.core import Schema

    schema = Schema.from_arrow(stream)
    if columns := [name for name in schema.names if "Interval(" in str(schema.field(name).type)]:
        some = ", ".join(columns)
        raise UserError(
            "database.interval",
            "The query gives an interval",
            happened=f"{some} held one: months, days and microseconds, which are no single length",
            expected="numbers, texts, dates or instants",
            fix=f"leave it out, or ask for a number: extract(epoch from {columns[0]}) AS {columns[0]}_s",
        )


def _plain(rows: pl.LazyFrame, types: dict[str, str]) -> pl.LazyFrame:
    """Take off the types that only the driver knows."""
    plain = []
    for column, kind in rows.collect_schema().items():
        if isinstance(kind, pl.BaseExtension):
            values = pl.col(column).ext.storage()
            numeric = '"numeric"' in (kind.ext_metadata() or "") and column not in types
            plain.append(values.cast(pl.Float64, strict=False) if numeric else values)
    return rows.with_columns(plain)


def _origin(path: Path, source: SourceTable) -> str:
    rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    hashes = [np.zeros(0, dtype=np.uint64)]
    for part in rows.collect_batches(chunk_size=_CHUNK, maintain_order=False):
        kept = [(column, kept_type(column.dtype)) for column in part.iter_columns()]
        hashes.append(row_hashes(pl.DataFrame([cast(one, kind) for one, kind in kept if kind is not None])))
    every = np.sort(np.concatenate(hashes)).astype("<u8")
    schema = [f"{column} {kind}" for column, kind in rows.collect_schema().items()]
    return digest(source.reading(beside={"database"}), *schema, every.tobytes())


@contextmanager
def _connected(address: Address) -> Iterator[AdbcConnection]:
    try:
        import adbc_driver_manager as manager

        if address.dialect == POSTGRESQL:
            from adbc_driver_postgresql import _driver_path
        else:
            from adbc_driver_sqlite import _driver_path
    except ImportError as error:
        raise UserError(
            "database.driver-missing",
            f"The driver for {address.dialect} is not installed",
            happened=f"Python said: {error}",
            expected="the packages adbc-driver-manager, adbc-driver-postgresql and adbc-driver-sqlite",
            fix="python -m pip install 'wholeroad[databases]'",
        ) from error
    with _said(address, None):
        database = manager.AdbcDatabase(driver=_driver_path(), uri=address.uri)
        with closing(database), closing(manager.AdbcConnection(database)) as connection:
            if address.dialect == POSTGRESQL:
                _run(connection, "set session characteristics as transaction read only")
            yield connection


@contextmanager
def _executed(
    connection: AdbcConnection, query: str, address: Address, inferred: int
) -> Iterator[ArrowArrayStreamHandle]:
    with closing(_statement(connection, query)) as statement:
        if address.dialect == SQLITE:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(inferred)})
        stream, _ = statement.execute_query()
        yield stream


def _statement(connection: AdbcConnection, query: str) -> AdbcStatement:
    from adbc_driver_manager import AdbcStatement

    statement = AdbcStatement(connection)
    statement.set_sql_query(query)
    return statement


def _run(connection: AdbcConnection, command: str) -> None:
    with closing(_statement(connection, command)) as statement:
        statement.execute_update()


@contextmanager
def _said(address: Address, connection: AdbcConnection | None) -> Iterator[None]:
    """Turn what the driver says into our errors, without the password."""
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        raise _refused(address, error, connected=connection is not None) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # Rows come through Polars, which keeps the driver's words and nothing else.
        words = str(error).partition("external error: ")[2] or str(error)
        gone = connection is not None and not _answers(connection)
        raise _away(address, words) if gone or _passes(words) else _wrong(address, words) from None


def _answers(connection: AdbcConnection) -> bool:
    from adbc_driver_manager import Error

    try:
        _run(connection, "select 1")
    except Error:
        return False
    return True


def _passes(words: str) -> bool:
    return any(sign in words for sign in _MOMENT)


def _refused(address: Address, error: Error, *, connected: bool) -> UserError:
    words = str(error)
    if (error.sqlstate or "").startswith(_AWAY) or _passes(words):
        return _away(address, words)
    if connected:
        return _wrong(address, words)
    if "FATAL:" in words or address.dialect == SQLITE:
        return UserError(
            "database.refused",
            "The database refused the connection",
            happened=f"{address.shown}: {address.masked(words)}",
            expected="a database, a user and a password that it knows",
            fix=f"correct the address in {address.variable}",
        )
    if "connection to server" in words or "could not translate host name" in words:
        return _away(address, words)
    return address.unusable()


def _away(address: Address, words: str) -> TryLaterError:
    return TryLaterError(
        "database.away",
        "The database is away",
        happened=f"{address.shown}: {address.masked(words)}",
        expected="a database that answers until all rows are here",
        fix="give the same command again later; what has landed stays, the rest lands then",
    )


def _wrong(address: Address, words: str) -> UserError:
    return UserError(
        "database.query",
        "The query failed",
        happened=f"the database said: {address.masked(words)}",
        expected="a query that runs to its end",
        fix="correct read in the brief; it may help to run it in the database's own shell",
    )
