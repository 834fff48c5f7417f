"""Rows on their way in: from a file or a frame to versions, the quarantine, and a line on the ledger."""

from __future__ import annotations

import polars as pl

from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import Batch, Stored, needed_columns
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.landing import land


def table_of(name: str, source: SourceTable) -> str:
    """Name the table of a source's versions.

    Rows that are read another way (another key, other times) are other versions, in a table of
    their own: a brief that mends its ``known_at`` must not see the rows that it mended.
    """
    return f"source_{name}_{_reading(source)}"


def quarantine_of(name: str, source: SourceTable) -> str:
    """Name the table of the rows that were set aside under this reading of the source."""
    return f"quarantine_{name}_{_reading(source)}"


def _reading(source: SourceTable) -> str:
    return digest(source.model_dump_json(exclude={"read", "absent"}))[:8]


class Intake:
    """The single writer of a project's sources.

    Parameters
    ----------
    tables, ledger
        The project's.
    """

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables = tables
        self._ledger = ledger

    def last(self, source: str) -> BatchLanded | None:
        """Give the newest batch of a source."""
        found = None
        for _, fact in self._ledger.read():
            if isinstance(fact, BatchLanded) and fact.source == source:
                found = fact
        return found

    def landed(self, name: str, source: SourceTable, *, origin: str) -> bool:
        """Tell whether a file was the source's last batch, and its rows are still there.

        Parameters
        ----------
        origin
            Digest of the file and of the source's settings.
        """
        last = self.last(name)
        if last is None or last.origin != origin or not self._tables.exists(table_of(name, source)):
            return False
        return not last.quarantined or self._tables.exists(quarantine_of(name, source))

    def types(self, name: str, source: SourceTable) -> dict[str, str]:
        """Give the types of a source's columns, for reading a file of texts: as landed, or as declared."""
        stored = self._stored(name, source)
        return {**(stored.types if stored else {}), **source.types}

    def take(
        self,
        name: str,
        source: SourceTable,
        *,
        rows: pl.DataFrame,
        bad: pl.DataFrame | None = None,
        now: Instant,
        imported: bool,
        origin: str = "",
    ) -> BatchLanded:
        """Land a batch: new versions, then what was set aside, then the fact.

        Stopped in between, the next landing of the same rows finds the versions there and
        lands the rest: a version's identity is its content.

        Parameters
        ----------
        now
            The batch's ``landed_at``; never before that of an earlier batch, even if a clock went back.
        origin
            Digest of the file that the rows came from, if any.
        """
        now = max(now, self._last_landed_at())
        stored = self._stored(name, source)
        next_seq = 1 if stored is None else stored.next_seq
        batch = Batch(rows, landed_at=now, next_seq=next_seq, imported=imported, bad=bad)
        landing = land(batch, source, name=name, stored=stored)
        if landing.rows.height or stored is None:
            self._append(table_of(name, source), landing.rows)
        if landing.quarantine.height:
            self._append(quarantine_of(name, source), landing.quarantine)
        fact = landing.fact(name, at=now, imported=imported, origin=origin)
        self._ledger.append([fact])
        return fact

    def _last_landed_at(self) -> Instant:
        batches = (fact.at for _, fact in self._ledger.read() if isinstance(fact, BatchLanded))
        return max(batches, default=0)

    def _append(self, table: str, frame: pl.DataFrame) -> None:
        version = (self._tables.version(table, "intake") or 0) + 1
        self._tables.append(table, frame, writer="intake", version=version)

    def _stored(self, name: str, source: SourceTable) -> Stored | None:
        table, aside = table_of(name, source), quarantine_of(name, source)
        if not self._tables.exists(table):
            return None
        quarantined = None
        if self._tables.exists(aside):
            quarantined = self._tables.read(aside, ["content"])["content"]
        return Stored(
            frame=self._tables.read(table, needed_columns(source)),
            schema=self._tables.schema(table),
            quarantined=quarantined,
        )
