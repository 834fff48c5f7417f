"""Rows on their way in: from a file or a frame to versions, the quarantine, and a line on the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Final, Literal

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Blobs, Ledger, Tables
from wholeroad.engine.holding import Contracts, may_hold
from wholeroad.engine.manifests import (
    Line,
    Manifests,
    basis_of,
    discarded,
    held,
    is_first,
    quarantine_of,
    reading_of,
    refuse_disorder,
    table_of,
    waits_for,
)
from wholeroad.engine.raw import RawPart, RawRows, at_their_instants
from wholeroad.engine.writing import Arrival, Order, Writer, arrival_of, held_back
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import Batch, Counts
from wholeroad.road.data.facts import BatchLanded, SourceHeld, SourceReleased
from wholeroad.road.data.mending.raw import read_as_text
from wholeroad.road.data.presence import own_columns, words
from wholeroad.road.data.rejoining import rejoined

__all__ = ["Arrival", "Intake", "quarantine_of", "table_of"]

Part = tuple[pl.DataFrame, pl.DataFrame | None]
"""Rows, and the rows that could not be read; see :class:`Batch`."""

_NO_SOURCES: Final[Mapping[str, SourceTable]] = MappingProxyType({})


class Intake:
    """The single writer of a project's sources.

    Parameters
    ----------
    tables, ledger
        The project's.
    blobs
        Where raw rows are kept; without it nothing can land again, and no contract can hold.
    sources
        The brief's, for contracts that refer from one to another.
    """

    def __init__(
        self,
        tables: Tables,
        ledger: Ledger,
        *,
        blobs: Blobs | None = None,
        sources: Mapping[str, SourceTable] = _NO_SOURCES,
    ) -> None:
        self._tables = tables
        self._ledger = ledger
        self._raw = RawRows(blobs)
        self._contracts = Contracts(tables, sources)
        self._writer = Writer(tables, ledger, contracts=self._contracts)

    def landed(self, name: str, source: SourceTable, *, origin: str) -> bool:
        """Tell whether a file was the last that landed for a source, and its rows are still there.

        One that was discarded is done with as well.

        Parameters
        ----------
        origin
            Digest of the file and of the source's settings.
        """
        if origin and origin in discarded(self._facts(), name):
            return True
        readings = {"", reading_of(source)}  # lines of old don't say theirs
        batches = [fact for fact in self._batches(name) if fact.reading in readings]
        read = [fact for fact in batches if fact.origin or fact.anew]
        return bool(read) and read[-1].origin == origin and self._kept(name, source, read[-1:])

    def origins(self, name: str, source: SourceTable) -> frozenset[str]:
        """Give the origins of all batches that have landed in the source's table, if that is there.

        And of those that were discarded.
        """
        gone = discarded(self._facts(), name)
        batches = self._standing(name, source)
        if not self._kept(name, source, batches):
            return gone
        return gone | {fact.origin for fact in batches}

    def held(self, name: str) -> SourceHeld | None:
        """Give the batch of a source that is held back; later ones wait for it."""
        return held(self._facts(), name)

    def is_first(self, name: str, source: SourceTable) -> bool:
        """Tell whether no run has begun since rows first landed for the source, as it is read now."""
        manifests = self._manifests(name, source)
        first = is_first(self._facts(), name, source=source, manifests=manifests)
        return first or not (manifests.continues or self._tables.exists(table_of(name, source)))

    def types(self, name: str, source: SourceTable) -> dict[str, str]:
        """Give the types of a source's columns, for reading a file of texts: as landed, or as declared.

        Columns that a mend wants as texts are texts. What it makes another type of is read as it seems to be:
        how raw rows are read doesn't hang on what landed of them.
        """
        table = table_of(name, source)
        stored = own_columns(self._tables.schema(table)) if self._tables.exists(table) else {}
        retyped = {
            each
            for step in (source.mend.steps if source.mend else ())
            for each in (step.unit, step.clip, step.map)
        }
        said = {**words(stored), **source.types}
        kept = {column: word for column, word in said.items() if column not in retyped}
        return kept | dict.fromkeys(read_as_text(source), "text")

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
    ) -> BatchLanded | SourceHeld:
        """Land a batch that is at hand; see :meth:`take_parts`."""
        return self.take_parts(
            name, source, parts=[(rows, bad)], arrival=Arrival(now, imported=imported, origin=origin)
        )

    def take_parts(
        self, name: str, source: SourceTable, *, parts: Iterable[Part], arrival: Arrival
    ) -> BatchLanded | SourceHeld:
        """Land a batch, a part at a time: new versions, then what was set aside; in the end the fact.

        Stopped in between, the next landing of the same rows finds the versions there and
        lands the rest: a version's identity is its content. Raw rows are kept first, where the source has a
        mend or its contract may hold, or where nobody could read them again. A contract that may hold
        is asked of all parts before the first one lands.

        Parameters
        ----------
        parts
            At least one; only the one at hand is held in memory.

        Returns
        -------
        BatchLanded | SourceHeld
            What became of it.

        Raises
        ------
        UserError
            ``data.source-held`` when an earlier batch waits to be released; ``data.dump-out-of-order``, and
            what :func:`~wholeroad.road.data.landing.land` raises.
        """
        self.land_again(name, source, now=arrival.at, rest=not arrival.origin)
        closing = self._superseded(name, arrival)
        order = self._opened(name, source, arrival, closing=closing)
        keeps = source.mend is not None or may_hold(source) or arrival.kept or not arrival.origin
        raw: Iterator[RawPart] = (RawPart("", rows, bad) for rows, bad in parts)
        if keeps and self._raw.kept:
            raw = self._raw.keeping(parts)
        fact = self._judged(order, raw) if may_hold(source) else self._writer.land(order, raw)
        self.land_again(name, source, now=arrival.at)  # what came right after it, before
        return fact

    def land_again(
        self, name: str, source: SourceTable, *, now: Instant, rest: bool = False
    ) -> list[BatchLanded | SourceHeld]:
        """Land again what another mend or contract makes other rows of: from its raw rows, in order.

        Each batch lands at the instant of its first landing, and takes its claims as it did then; what holds
        is only counted, since it was taken once. A batch that was held back under the former reading is
        looked at anew. Up to the first batch that has to be read from its file, unless the rest is asked for.

        Parameters
        ----------
        now
            When a batch that was held lands.
        rest
            Also what came after batches that can't be had; when the files have been read.
        """
        facts: list[BatchLanded | SourceHeld] = []
        for line in list(self._manifests(name, source).missing):
            if line.fact.raw and self._raw.there(line.fact.raw):
                facts.append(self._once_more(name, source, line))
            elif not rest:
                break
        found = self.held(name)
        if found is not None and found.reading != reading_of(source):
            facts += self._look_anew(name, source, found, now=now)
        return facts

    def release(
        self,
        name: str,
        source: SourceTable,
        *,
        now: Instant,
        how: Literal["accepted", "discarded"] = "accepted",
        asked_by: str = "",
    ) -> BatchLanded | SourceReleased:
        """End the hold of a source: its batch lands as it is, or never.

        Accepted, it lands from its raw rows at ``now``. What sets rows aside still does.

        Raises
        ------
        UserError
            ``data.not-held``, ``data.raw-missing``, and what landing raises.
        """
        found = self.held(name)
        if found is None:
            raise UserError(
                "data.not-held",
                "Nothing is held there",
                happened=f"no batch of {name} waits to be released",
                expected="a source that is held; wholeroad status names them",
                fix="nothing needs to be done",
            )
        released = _released(found, how, now=now, asked_by=asked_by)
        if how == "discarded":
            self._ledger.append([released])
            return released
        anew = self.land_again(name, source, now=now)
        found = self.held(name)
        if found is None:
            return next((fact for fact in reversed(anew) if isinstance(fact, BatchLanded)), released)
        released = _released(found, how, now=now, asked_by=asked_by)
        arrival = arrival_of(found, now=now)
        order = self._opened(name, source, arrival, closing=(released,))
        return self._writer.land(replace(order, named=found.batch), self._parts(source, found.raw))

    def _superseded(self, name: str, arrival: Arrival) -> tuple[Fact, ...]:
        """Refuse a batch while an earlier one is held, unless it is the same file with other rows."""
        found = self.held(name)
        if found is None:
            return ()
        if arrival.origin and arrival.read == found.read and arrival.origin != found.origin:
            return (_released(found, "superseded", now=arrival.at),)
        raise waits_for(found)

    def _look_anew(
        self, name: str, source: SourceTable, found: SourceHeld, *, now: Instant
    ) -> list[BatchLanded | SourceHeld]:
        released = _released(found, "changed", now=now)
        if found.origin and (found.basis != basis_of(source) or not self._raw.there(found.raw)):
            self._ledger.append([released])  # the file is read again
            return []
        order = self._opened(name, source, arrival_of(found, now=now), closing=(released,))
        order = replace(order, named=found.batch)
        parts = self._parts(source, found.raw)
        return [self._judged(order, parts) if may_hold(source) else self._writer.land(order, parts)]

    def _once_more(self, name: str, source: SourceTable, line: Line) -> BatchLanded:
        fact = line.fact
        arrival = Arrival(
            fact.at,
            imported=fact.imported,
            origin=fact.origin,
            dumped_at=fact.dumped_at,
            whole=fact.whole,
            read=fact.read,
        )
        order = self._opened(name, source, arrival, again=line)
        return self._writer.land(order, self._parts(source, fact.raw))

    def _opened(
        self,
        name: str,
        source: SourceTable,
        arrival: Arrival,
        *,
        closing: tuple[Fact, ...] = (),
        again: Line | None = None,
    ) -> Order:
        latest = max(arrival.at, self._last_landed_at())
        if self._standing(name, source) and not self._tables.exists(table_of(name, source)):
            # Said first: were the landing stopped halfway, what came before would seem to be there.
            lost = BatchLanded(
                at=latest,
                source=name,
                **asdict(Counts()),
                imported=True,
                reading=reading_of(source),
                basis=basis_of(source),
                anew=True,
            )
            self._ledger.append([lost])
        manifests = self._manifests(name, source)
        again = again or manifests.next_is(arrival.origin)
        if again is not None:
            at, imported, dumped_at = again.fact.at, again.fact.imported, again.fact.dumped_at
        else:
            at, imported = latest, arrival.imported and self.is_first(name, source)
            dumped_at = None if arrival.dumped_at is None else min(arrival.dumped_at, at)
            if dumped_at is not None:
                standing = [line.fact for line in manifests.standing]
                refuse_disorder(standing, source, name=name, dumped_at=dumped_at)
        return Order(
            name,
            source,
            arrival,
            Batch(pl.DataFrame(), landed_at=at, imported=imported, dumped_at=dumped_at),
            before=len(manifests.standing),
            last_seq=manifests.last_seq,
            named="" if again is None else again.batch,
            closing=closing,
            again=again is not None,
        )

    def _parts(self, source: SourceTable, entries: Iterable[str]) -> Iterator[RawPart]:
        """Read raw parts; what couldn't be read as another type may be text to the mend there is now."""
        for each in at_their_instants(self._raw.parts(entries)):
            rows, bad = rejoined(each.rows, each.bad, source=source)
            yield each._replace(rows=rows, bad=bad)

    def _judged(self, order: Order, raw: Iterable[RawPart]) -> BatchLanded | SourceHeld:
        """Look at all parts of a batch, then land it from its raw rows, or hold it back."""
        if not self._raw.kept:
            message = "a contract that may hold needs a place for raw rows"
            raise ValueError(message)
        name, source = order.name, order.source
        stored = self._writer.stored(name, source, batch=order.batch)
        seen = self._contracts.look(
            name, source, parts=raw, batch=order.batch, stored=stored, last_seq=order.last_seq
        )
        if not seen.holds:
            return self._writer.land(order, self._raw.parts(seen.entries))
        fact = held_back(order, seen)
        self._ledger.append([*order.closing, fact])
        return fact

    def _facts(self) -> Iterator[Fact]:
        return (fact for _, fact in self._ledger.read())

    def _batches(self, source: str) -> Iterator[BatchLanded]:
        for fact in self._facts():
            if isinstance(fact, BatchLanded) and fact.source == source:
                yield fact

    def _manifests(self, name: str, source: SourceTable) -> Manifests:
        manifests = Manifests.of(self._facts(), name, source=source)
        there = self._tables.exists(table_of(name, source))
        return manifests if there or not manifests.standing else manifests.without_table()

    def _standing(self, name: str, source: SourceTable) -> list[BatchLanded]:
        """Give the batches that went into the source's table, since that was made."""
        manifests = Manifests.of(self._facts(), name, source=source)
        return [line.fact for line in manifests.standing]

    def _kept(self, name: str, source: SourceTable, batches: list[BatchLanded]) -> bool:
        """Tell whether the tables that some batches went into are there."""
        if not self._tables.exists(table_of(name, source)):
            return False
        aside = any(fact.quarantined for fact in batches)
        return not aside or self._tables.exists(quarantine_of(name, source))

    def _last_landed_at(self) -> Instant:
        batches = (fact.at for fact in self._facts() if isinstance(fact, BatchLanded))
        return max(batches, default=0)


def _released(
    found: SourceHeld,
    how: Literal["accepted", "discarded", "superseded", "changed"],
    *,
    now: Instant,
    asked_by: str = "",
) -> SourceReleased:
    return SourceReleased(
        at=max(now, found.at),
        source=found.source,
        batch=found.batch,
        how=how,
        origin=found.origin,
        asked_by=asked_by,
    )
