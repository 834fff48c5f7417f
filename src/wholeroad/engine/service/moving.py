"""From the hot log into the tables and onto the ledger, each record once, through any crash.

A table's append carries the number of the last record that was moved, as the version of the writer
``service``; a batch on the ledger says up to which record it accounts for its source. So whoever begins again
finds out of every table, and of the ledger, what it has already: a crash between two of them is made
good by the next move. What is accounted for may be let go of in the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from msgspec import structs

from wholeroad.core.errors import RoadError
from wholeroad.core.facts import Fact
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Blobs, Tables
from wholeroad.core.view import code_type
from wholeroad.engine.manifests import (
    Manifests,
    basis_of,
    batch_id,
    quarantine_of,
    reading_of,
    table_of,
)
from wholeroad.engine.raw import RawRows
from wholeroad.engine.sealing import span_fact, span_frame
from wholeroad.engine.service.arrived import Came, aside_of, column, frame, raw_parts, types_of, versions_of
from wholeroad.engine.service.records import DecidedCase, Record
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.data.batches import LANDED, SEQ
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.landing import numbered
from wholeroad.road.data.presence import own_columns
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Decided
from wholeroad.road.watch.facts import SpanDecided

WRITER: Final = "service"
READ: Final = "the service"
"""What a batch says it was read from."""


def move_rows(
    records: Iterable[tuple[int, Record]],
    *,
    brief: Brief,
    tables: Tables,
    blobs: Blobs,
    facts: Iterable[Fact],
) -> list[Fact]:
    """Move the rows of records into the tables of their sources, and account for them.

    Killed anywhere and begun again, with the same records or more, it comes to the same tables and facts. In
    however many moves, the tables are the same.

    Parameters
    ----------
    records
        With their numbers, in order; those that were moved before may be among them. None may be missing
        that the ledger doesn't account for.
    brief
        In force when the rows came.
    blobs
        Where raw rows are kept.
    facts
        Everything on the ledger.

    Returns
    -------
    list of BatchLanded
        One for each source with rows that weren't accounted for: to be put on the ledger before the records
        are let go of.

    Raises
    ------
    RoadError
        ``service.unknown-source``, ``service.no-schema``, and what the tables raise.
    """
    by_source: dict[str, list[Came]] = {}
    through, facts = 0, list(facts)
    accounted = accounted_through(facts)
    for number, record in records:
        through = number
        for rows in record.rows:
            if number > accounted.get(rows.source, 0):
                by_source.setdefault(rows.source, []).append(Came(number, record.at, rows))
    if unknown := by_source.keys() - brief.source.keys():
        raise _unknown_source(min(unknown))
    return [
        _Move(name, source, tables=tables, through=through).move(by_source[name], facts, raw=RawRows(blobs))
        for name, source in brief.source.items()
        if name in by_source
    ]


class _Move:
    """One source's part of a move."""

    def __init__(self, name: str, source: SourceTable, *, tables: Tables, through: int) -> None:
        self._name = name
        self._source = source
        self._tables = tables
        self._through = through
        self._table, self._aside = table_of(name, source), quarantine_of(name, source)

    def move(self, came: list[Came], facts: list[Fact], *, raw: RawRows) -> BatchLanded:
        """Append what the tables don't have, and say what came."""
        types = self._types(came)
        kept = tuple(raw.keep(rows, bad) for rows, bad in raw_parts(came, types))
        self._append_versions(self._new(came, self._table), types)
        aside = aside_of(self._name, self._new(came, self._aside))
        if aside.height:
            self._append(self._aside, aside)
        return self._fact(came, facts, kept)

    def _types(self, came: list[Came]) -> dict[str, pl.DataType]:
        if self._tables.exists(self._table):
            return own_columns(self._tables.schema(self._table))
        said = next((each.rows.schema for each in came if each.rows.schema is not None), None)
        if said is None and any(each.rows.values for each in came):
            raise _no_schema(self._name)
        return types_of(said or {})

    def _new(self, came: list[Came], table: str) -> list[Came]:
        """Give what a table doesn't have; what the ledger accounts for was left out before."""
        there = self._tables.version(table, WRITER) or 0
        return [each for each in came if each.number > there]

    def _append_versions(self, came: list[Came], types: dict[str, pl.DataType]) -> None:
        exists = self._tables.exists(self._table)
        rows, landed = versions_of(came, types)
        if not rows.height and (exists or not types):
            return
        next_seq = 1 + _last(self._tables.read(self._table, [SEQ])) if exists else 1
        made = numbered(rows, self._source, landed=pl.lit(landed), next_seq=next_seq, imported=False)
        self._append(self._table, made)

    def _append(self, table: str, rows: pl.DataFrame) -> None:
        self._tables.append(table, rows, writer=WRITER, version=self._through)

    def _fact(self, came: list[Came], facts: list[Fact], raw: tuple[str, ...]) -> BatchLanded:
        source, rows = self._source, [each.rows for each in came]
        landed, repeated = sum(len(each.values) for each in rows), sum(each.repeated for each in rows)
        quarantined = sum(len(each.aside) for each in rows)
        fact = BatchLanded(
            at=came[-1].at,
            source=self._name,
            rows_in=landed + repeated + quarantined,
            landed=landed,
            repeated=repeated,
            quarantined=quarantined,
            deleted=0,
            imported=False,
            ignored=tuple(dict.fromkeys(name for each in rows for name in each.ignored)),
            reading=reading_of(source),
            read=READ,
            basis=basis_of(source),
            raw=raw,
            whole=False,
            mend="" if source.mend is None else digest(source.mend.reading),
            mended=_added(each.mended for each in rows),
            broken=_added(each.broken for each in rows),
            first_seq=self._first_seq(came[0].at),
            hot_through=self._through,
        )
        before = len(Manifests.of(facts, self._name, source=source).standing)
        return structs.replace(fact, batch=batch_id(fact, place=before + 1))

    def _first_seq(self, at: Instant) -> int:
        """Give the number of the first row that landed at an instant or later; or that would have it."""
        if not self._tables.exists(self._table):
            return 1
        rows = self._tables.read(self._table, [SEQ, LANDED])
        return 1 + _last(rows.filter(pl.col(LANDED).to_physical() < at))


def _last(rows: pl.DataFrame) -> int:
    return int(rows.select(pl.col(SEQ).max().fill_null(0)).item())


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def accounted_through(facts: Iterable[Fact]) -> dict[str, int]:
    """Give, by source, the number of the record up to which the ledger accounts for its rows."""
    through: dict[str, int] = {}
    for fact in facts:
        if isinstance(fact, BatchLanded) and isinstance(fact.hot_through, int):
            through[fact.source] = max(through.get(fact.source, 0), fact.hot_through)
    return through


def not_moved(
    records: Iterable[tuple[int, Record]], facts: Iterable[Fact], *, decided_until: Instant
) -> Iterator[Record]:
    """Give the groups that were left in the hot log, without what is in the tables and on the ledger already.

    Parameters
    ----------
    facts
        Everything on the ledger.
    decided_until
        What was decided before is sealed, and what landed by then was moved.
    """
    accounted = accounted_through(facts)
    for number, record in records:
        if record.at >= decided_until:
            rows = tuple(rows for rows in record.rows if number > accounted.get(rows.source, 0))
            decided = tuple(each for each in record.decided if each.decided_at >= decided_until)
            yield structs.replace(record, rows=rows, decided=decided)


def moved_through(facts: Iterable[Fact], brief: Brief, *, tables: Tables) -> int:
    """Give the greatest number that tables or ledger know of: a hot log that is begun anew counts on from it.

    Otherwise new records would bear numbers of old ones, and be taken for moved.
    """
    names = [of(name, source) for name, source in brief.source.items() for of in (table_of, quarantine_of)]
    moved = [tables.version(table, WRITER) or 0 for table in names]
    return max(0, *moved, *accounted_through(facts).values())


def decisions_frame(
    brief: Brief, decided: Sequence[DecidedCase], *, span: int, tables: Tables
) -> pl.DataFrame:
    """Give a span's rows of the table of decisions, as a rehearsal writes them.

    Parameters
    ----------
    decided
        Of one span, all under one plan.
    tables
        Where the case's source is, which has the types of its key.
    """
    decided = _in_order(decided)
    source = brief.source[brief.case.source]
    schema = tables.schema(table_of(brief.case.source, source))
    keys = frame([each.key for each in decided], {name: schema[name] for name in source.key})
    return span_frame(
        brief,
        keys,
        decided_at=column("decided_at", [each.decided_at for each in decided], dtype=INSTANT),
        decided=_arrays(brief, decided),
        plan=Plan(decided[0].decider, decided[0].model) if decided else Plan(),
        span=span,
    )


def sealed(
    brief: Brief, decided: Sequence[DecidedCase], *, at: Instant, until_at: Instant, plan: Plan
) -> SpanDecided:
    """Give the fact that seals the decisions of a span, as a rehearsal of it does."""
    decided = _in_order(decided)
    ids = np.array([each.id for each in decided], dtype=np.uint64)
    return span_fact(ids, _arrays(brief, decided), plan=plan, at=at, until_at=until_at)


def _in_order(decided: Sequence[DecidedCase]) -> list[DecidedCase]:
    return sorted(decided, key=lambda each: (each.decided_at, each.id))


def _arrays(brief: Brief, decided: Sequence[DecidedCase]) -> Decided:
    width, nothing = len(brief.prediction), float("nan")

    def numbers(values: list[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([nothing if each is None else each for each in values], dtype=np.float64)

    predicted = [number for each in decided for number in each.prediction]
    return Decided(
        np.array([each.action for each in decided], dtype=code_type(len(brief.actions))),
        numbers(predicted).reshape(len(decided), width),
        numbers([each.expected for each in decided]),
        np.array([1.0 if each.propensity is None else each.propensity for each in decided]),
        np.array([each.left for each in decided], dtype=bool),
    )


def _unknown_source(name: str) -> RoadError:
    return RoadError(
        "service.unknown-source",
        "Rows came for a source that the brief doesn't name",
        happened=f"the hot log has rows of {name}",
        expected="all rows to be moved before another brief comes into force",
        fix="put the former brief back, start the service once, then change it",
    )


def _no_schema(name: str) -> RoadError:
    return RoadError(
        "service.no-schema",
        "The first rows of a source don't say their types",
        happened=f"the hot log has rows of {name}, which has no table yet",
        expected="names and types with the first of them",
        fix="report it, with the hot log",
    )
