"""A batch written down: versions into the table, what was set aside into the quarantine, then the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Final

import numpy as np
import polars as pl
from msgspec import structs

from wholeroad.core.facts import Fact
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.holding import Contracts, Seen, mender_of, unmarked
from wholeroad.engine.manifests import (
    basis_of,
    batch_id,
    mended_rows,
    quarantine_of,
    reading_of,
    table_of,
)
from wholeroad.engine.raw import RawPart
from wholeroad.engine.stopped import Stopped
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import SEQ, VERSION, Batch, Counts
from wholeroad.road.data.facts import BatchLanded, RowsMended, SourceHeld
from wholeroad.road.data.landing import land, tombstones
from wholeroad.road.data.presence import Hashes, Presence, Stored, in_force, needed_columns
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER

_NOTHING: Final = np.zeros(0, dtype=np.int64)


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
    read
        What was read, as people name it; another file of the same name takes the place of one that is held.
    kept
        Whether raw rows are kept in any case, as they are without an origin: nobody could read them again.
    """

    at: Instant
    imported: bool
    origin: str = ""
    dumped_at: Instant | None = None
    whole: bool = True
    read: str = ""
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A batch that is to be landed.

    Attributes
    ----------
    batch
        When it lands and what it claims; its rows come in parts.
    before
        How many batches stand.
    last_seq
        The last version that the ledger knows of, if that is known.
    named
        Its name, if it had one before.
    closing
        Facts that become true with its landing.
    again
        Whether it landed before, under another reading.
    """

    name: str
    source: SourceTable
    arrival: Arrival
    batch: Batch
    before: int
    last_seq: int | None
    named: str = ""
    closing: tuple[Fact, ...] = ()
    again: bool = False


@dataclass(slots=True)
class _Total:
    """What the parts of a batch have come to so far."""

    counts: Counts = field(default_factory=Counts)
    ignored: dict[str, None] = field(default_factory=dict)
    mended: Counter[str] = field(default_factory=Counter)
    seen: Hashes = field(default_factory=lambda: _NOTHING)
    entries: list[str] = field(default_factory=list)
    back: list[int] = field(default_factory=list)
    """Rows of the quarantine that came back, and that nothing is wrong with now."""


class Writer:
    """Writes batches down, one after the other.

    Parameters
    ----------
    tables, ledger
        The project's.
    contracts
        Makes what asks the contracts of sources.
    """

    def __init__(self, tables: Tables, ledger: Ledger, *, contracts: Contracts) -> None:
        self._tables = tables
        self._ledger = ledger
        self._contracts = contracts

    def land(self, order: Order, parts: Iterable[RawPart]) -> BatchLanded:
        """Land a batch, a part at a time: new versions, what was set aside, in the end the fact."""
        name, source, batch = order.name, order.source, order.batch
        until_seq = order.last_seq if order.again else None
        stored = self.stored(name, source, batch=batch, until_seq=until_seq)
        stopped = Stopped(None if until_seq is None else self._after(name, source, seq=until_seq))
        first_seq = 1 if stored is None else stored.next_seq
        mender = mender_of(name, source)
        inspector = self._contracts.inspector(name, source, batch=batch, last_seq=order.last_seq)
        total = _Total()
        for each in parts:
            rows, bad, marks = unmarked(each)
            next_seq = 1 if stored is None else stored.next_seq
            part = batch.part(rows, bad, next_seq=next_seq, rows_before=total.counts.rows_in)
            if each.landed_at is not None:
                part = replace(part, landed_at=each.landed_at)
                stored = None if stored is None else stored.at_another_instant(source)
            landing = land(part, source, name=name, stored=stored, mender=mender, inspector=inspector)
            fresh = stopped.without(landing.rows, name=name)
            if fresh.height or stored is None:
                self._append(table_of(name, source), fresh)
            if landing.quarantine.height:
                self._append(quarantine_of(name, source), landing.quarantine)
            stored = stored or Stored(landing.rows.schema, Presence(_NOTHING), 1, _NOTHING)
            stored = stored.after(landing, source, imported=batch.imported)
            total.counts += landing.counts
            total.ignored |= dict.fromkeys(landing.ignored_columns)
            total.mended.update(landing.mended)
            total.seen = np.union1d(total.seen, landing.seen)
            total.entries += [each.entry] if each.entry else []
            if marks is not None:
                total.back += marks.filter(landing.fine).drop_nulls().to_list()
        if source.absent == "deleted" and order.arrival.whole and stored is not None:
            last = replace(batch, next_seq=stored.next_seq)
            total.counts += Counts(deleted=self._delete_absent(name, source, last, total.seen, stopped))
        stopped.refuse_rest(name)
        broken = {} if inspector is None else inspector.result().broken
        fact = _manifest(order, total, first_seq=first_seq, broken=broken)
        self._ledger.append([*order.closing, fact, *self._back(name, total.back, at=fact.at)])
        return fact

    def _back(self, name: str, contents: list[int], *, at: Instant) -> list[RowsMended]:
        """Say which rows of the quarantine came back mended; each once."""
        if not contents:
            return []
        said = mended_rows((fact for _, fact in self._ledger.read())).get(name, frozenset())
        fresh = tuple(sorted({*contents} - said))
        return [RowsMended(at=at, source=name, contents=fresh)] if fresh else []

    def _append(self, table: str, frame: pl.DataFrame) -> None:
        version = (self._tables.version(table, "intake") or 0) + 1
        self._tables.append(table, frame, writer="intake", version=version)

    def stored(
        self, name: str, source: SourceTable, *, batch: Batch, until_seq: int | None = None
    ) -> Stored | None:
        """Give what landing a batch must know of the rows that are there; None before the first landing.

        Parameters
        ----------
        until_seq
            Versions after this one count for nothing: they were written by an attempt at this very batch that
            was stopped, and come to be again, each in its place.
        """
        table, aside = table_of(name, source), quarantine_of(name, source)
        if not self._tables.exists(table):
            return None
        frame = self._tables.read(table, needed_columns(source))
        if until_seq is not None:
            frame = frame.filter(pl.col(SEQ) <= until_seq)
        quarantined = _NOTHING
        if self._tables.exists(aside):
            quarantined = self._tables.read(aside, ["content"])["content"].to_numpy()
        return Stored(
            schema=self._tables.schema(table),
            presence=Presence.of(frame, source, known_at=batch.known_at, imported=batch.imported),
            next_seq=1 + int(frame.select(pl.col(SEQ).max().fill_null(0)).item()),
            quarantined=quarantined,
        )

    def _after(self, name: str, source: SourceTable, *, seq: int) -> pl.DataFrame | None:
        """Give what an attempt that was stopped has written after a version; these are numbered by place."""
        table = table_of(name, source)
        if not self._tables.exists(table):
            return None
        return self._tables.read(table, [SEQ, VERSION], skip=seq)

    def _delete_absent(
        self, name: str, source: SourceTable, batch: Batch, seen: Hashes, stopped: Stopped
    ) -> int:
        table = table_of(name, source)
        narrow = self._tables.read(table, [*source.key, KNOWN, ORDER, DELETED, SEQ])
        narrow = narrow.filter(pl.col(SEQ) < batch.next_seq)  # what follows is of an attempt that was stopped
        standing = in_force(narrow, source, known_at=batch.known_at, imported=batch.imported)
        gone = standing.filter(~pl.Series(np.isin(standing["key"].to_numpy(), seen)))["place"]
        if len(gone):
            rows = self._tables.read(table)
            rows = rows.filter(pl.col(SEQ) < batch.next_seq)[gone]
            fresh = stopped.without(tombstones(rows, batch, source=source), name=name)
            if fresh.height:
                self._append(table, fresh)
        return len(gone)


def _manifest(order: Order, total: _Total, *, first_seq: int, broken: dict[str, int]) -> BatchLanded:
    source, batch = order.source, order.batch
    fact = BatchLanded(
        at=batch.landed_at,
        source=order.name,
        **asdict(total.counts),
        imported=batch.imported,
        origin=order.arrival.origin,
        ignored=tuple(total.ignored),
        reading=reading_of(source),
        dumped_at=batch.dumped_at,
        read=order.arrival.read,
        basis=basis_of(source),
        raw=tuple(total.entries),
        whole=order.arrival.whole,
        mend="" if source.mend is None else digest(source.mend.reading),
        mended=dict(total.mended),
        broken=broken,
        first_seq=first_seq,
        again=order.again,
    )
    named = order.named or batch_id(fact, place=order.before + 1)
    return structs.replace(fact, batch=named)


def held_back(order: Order, seen: Seen) -> SourceHeld:
    """Say that a batch is held back, and why."""
    fact = SourceHeld(
        at=order.batch.landed_at,
        source=order.name,
        batch=order.named,
        code="contract.held",
        happened="; ".join(each.said for each in seen.holds),
        rows_in=seen.rows_in,
        raw=seen.entries,
        read=order.arrival.read,
        origin=order.arrival.origin,
        reading=reading_of(order.source),
        basis=basis_of(order.source),
        imported=order.batch.imported,
        dumped_at=order.batch.dumped_at,
        whole=order.arrival.whole,
        clauses={each.clause: each.rows for each in seen.holds},
    )
    named = order.named or batch_id(fact, place=order.before + 1)
    return structs.replace(fact, batch=named)


def arrival_of(found: SourceHeld, *, now: Instant) -> Arrival:
    """Say how a batch that was held comes in the end."""
    return Arrival(
        now,
        imported=found.imported,
        origin=found.origin,
        dumped_at=found.dumped_at,
        whole=found.whole,
        read=found.read,
    )
