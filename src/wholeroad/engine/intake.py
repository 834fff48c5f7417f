"""Rows on their way in: from a file or a frame to versions, the quarantine, and a line on the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.facts import RunBegan
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import SEQ, Batch, Counts
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.landing import land, tombstones
from wholeroad.road.data.presence import (
    Hashes,
    Presence,
    Stored,
    compares_newest,
    in_force,
    needed_columns,
    own_columns,
    words,
)
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER

Part = tuple[pl.DataFrame, pl.DataFrame | None]
"""Rows, and the rows that could not be read; see :class:`Batch`."""

_NOTHING: Final = np.zeros(0, dtype=np.int64)


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
    unsaid = {"csv"} if source.csv is None else set()  # as before there was such a setting
    return digest(source.reading(beside={"read", "absent", "database", *unsaid}))[:8]


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a batch came.

    Attributes
    ----------
    at
        Its ``landed_at``; taken up to that of an earlier batch, if a clock went back.
    imported
        History: the claimed ``known_at`` is taken at its word.
    origin
        Digest of what the rows were read from, if anything.
    dumped_at
        When the rows were taken from where they live, if that is known; nothing is dumped after it landed.
    whole
        A dump of the whole table, which tells of rows that are gone where the source says so.
    """

    at: Instant
    imported: bool
    origin: str = ""
    dumped_at: Instant | None = None
    whole: bool = True


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

    def landed(self, name: str, source: SourceTable, *, origin: str) -> bool:
        """Tell whether a file was the last that landed for a source, and its rows are still there.

        Parameters
        ----------
        origin
            Digest of the file and of the source's settings.
        """
        read = [fact for fact in self._batches(name) if fact.origin or fact.anew]
        return bool(read) and read[-1].origin == origin and self._kept(name, source, read[-1:])

    def origins(self, name: str, source: SourceTable) -> frozenset[str]:
        """Give the origins of all batches that have landed in the source's table, if that is there."""
        batches = self._standing(name, source)
        if not self._kept(name, source, batches):
            return frozenset()
        return frozenset(fact.origin for fact in batches)

    def is_first(self, name: str, source: SourceTable) -> bool:
        """Tell whether no run has begun since rows first landed for the source, as it is read now."""
        landed = began = False
        for _, fact in self._ledger.read():
            if isinstance(fact, RunBegan):
                began |= landed
            elif isinstance(fact, BatchLanded) and (fact.source, fact.reading) == (name, _reading(source)):
                landed, began = not fact.anew, began and not fact.anew
        return not began or not self._tables.exists(table_of(name, source))

    def types(self, name: str, source: SourceTable) -> dict[str, str]:
        """Give the types of a source's columns, for reading a file of texts: as landed, or as declared."""
        table = table_of(name, source)
        stored = own_columns(self._tables.schema(table)) if self._tables.exists(table) else {}
        return {**words(stored), **source.types}

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
        """Land a batch that is at hand; see :meth:`take_parts`."""
        return self.take_parts(
            name, source, parts=[(rows, bad)], arrival=Arrival(now, imported=imported, origin=origin)
        )

    def take_parts(
        self, name: str, source: SourceTable, *, parts: Iterable[Part], arrival: Arrival
    ) -> BatchLanded:
        """Land a batch, a part at a time: new versions, then what was set aside; in the end the fact.

        Stopped in between, the next landing of the same rows finds the versions there and
        lands the rest: a version's identity is its content.

        Parameters
        ----------
        parts
            At least one; only the one at hand is held in memory.

        Raises
        ------
        UserError
            ``data.dump-out-of-order``, and what :func:`~wholeroad.road.data.landing.land` raises.
        """
        batch = self._opened(name, source, arrival)
        stored = self._stored(name, source, batch)
        counts, ignored, seen = Counts(), dict[str, None](), _NOTHING
        for rows, bad in parts:
            next_seq = 1 if stored is None else stored.next_seq
            part = batch.part(rows, bad, next_seq=next_seq, rows_before=counts.rows_in)
            landing = land(part, source, name=name, stored=stored)
            if landing.rows.height or stored is None:
                self._append(table_of(name, source), landing.rows)
            if landing.quarantine.height:
                self._append(quarantine_of(name, source), landing.quarantine)
            stored = stored or Stored(landing.rows.schema, Presence(_NOTHING), 1, _NOTHING)
            stored = stored.after(landing, source, imported=arrival.imported)
            counts += landing.counts
            ignored |= dict.fromkeys(landing.ignored_columns)
            seen = np.union1d(seen, landing.seen)
        if source.absent == "deleted" and arrival.whole and stored is not None:
            gone = self._delete_absent(name, source, replace(batch, next_seq=stored.next_seq), seen)
            counts += Counts(deleted=gone)
        fact = BatchLanded(
            at=batch.landed_at,
            source=name,
            **asdict(counts),
            imported=arrival.imported,
            origin=arrival.origin,
            ignored=tuple(ignored),
            reading=_reading(source),
            dumped_at=batch.dumped_at,
        )
        self._ledger.append([fact])
        return fact

    def _opened(self, name: str, source: SourceTable, arrival: Arrival) -> Batch:
        now = max(arrival.at, self._last_landed_at())
        dumped_at = None if arrival.dumped_at is None else min(arrival.dumped_at, now)
        batches = self._standing(name, source)
        if batches and not self._tables.exists(table_of(name, source)):
            # Said first: were the landing stopped halfway, what came before would seem to be there.
            none = Counts()
            lost = BatchLanded(
                at=now, source=name, **asdict(none), imported=True, reading=_reading(source), anew=True
            )
            self._ledger.append([lost])
            batches = []
        if dumped_at is not None:
            _refuse_disorder(batches, source, name=name, dumped_at=dumped_at)
        return Batch(pl.DataFrame(), landed_at=now, imported=arrival.imported, dumped_at=dumped_at)

    def _batches(self, source: str) -> Iterator[BatchLanded]:
        for _, fact in self._ledger.read():
            if isinstance(fact, BatchLanded) and fact.source == source:
                yield fact

    def _standing(self, name: str, source: SourceTable) -> list[BatchLanded]:
        """Give the batches that went into the source's table, since that was made."""
        standing: list[BatchLanded] = []
        for fact in self._batches(name):
            if fact.reading == _reading(source):
                standing = [] if fact.anew else [*standing, fact]
        return standing

    def _kept(self, name: str, source: SourceTable, batches: list[BatchLanded]) -> bool:
        """Tell whether the tables that some batches went into are there."""
        if not self._tables.exists(table_of(name, source)):
            return False
        aside = any(fact.quarantined for fact in batches)
        return not aside or self._tables.exists(quarantine_of(name, source))

    def _last_landed_at(self) -> Instant:
        batches = (fact.at for _, fact in self._ledger.read() if isinstance(fact, BatchLanded))
        return max(batches, default=0)

    def _append(self, table: str, frame: pl.DataFrame) -> None:
        version = (self._tables.version(table, "intake") or 0) + 1
        self._tables.append(table, frame, writer="intake", version=version)

    def _stored(self, name: str, source: SourceTable, batch: Batch) -> Stored | None:
        table, aside = table_of(name, source), quarantine_of(name, source)
        if not self._tables.exists(table):
            return None
        frame = self._tables.read(table, needed_columns(source))
        quarantined = _NOTHING
        if self._tables.exists(aside):
            quarantined = self._tables.read(aside, ["content"])["content"].to_numpy()
        return Stored(
            schema=self._tables.schema(table),
            presence=Presence.of(frame, source, known_at=batch.known_at, imported=batch.imported),
            next_seq=1 + int(frame.select(pl.col(SEQ).max().fill_null(0)).item()),
            quarantined=quarantined,
        )

    def _delete_absent(self, name: str, source: SourceTable, batch: Batch, seen: Hashes) -> int:
        table = table_of(name, source)
        narrow = self._tables.read(table, [*source.key, KNOWN, ORDER, DELETED])
        standing = in_force(narrow, source, known_at=batch.known_at, imported=batch.imported)
        gone = standing.filter(~pl.Series(np.isin(standing["key"].to_numpy(), seen)))["place"]
        if len(gone):
            self._append(table, tombstones(self._tables.read(table)[gone], batch, source=source))
        return len(gone)


def _refuse_disorder(
    batches: list[BatchLanded], source: SourceTable, *, name: str, dumped_at: Instant
) -> None:
    """Refuse a dump older than one that has landed, where a dump is compared with the one before."""
    if not compares_newest(source) and source.absent == "kept":
        return
    last = max((fact.dumped_at for fact in batches if fact.dumped_at is not None), default=None)
    if last is None or dumped_at > last or (dumped_at == last and source.absent == "kept"):
        return
    raise UserError(
        "data.dump-out-of-order",
        f"[source.{name}]: a dump came too late",
        happened=f"it was taken at {format_instant(dumped_at)}, and one of {format_instant(last)} has landed",
        expected="dumps in the order in which they were taken: each is compared with the one before",
        fix=f"take it away; or delete .wholeroad/tables/{table_of(name, source)}, and all dumps land anew",
    )
