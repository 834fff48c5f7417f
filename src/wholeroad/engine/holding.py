"""Before a batch lands: its mend and its contract made ready, and whether the contract holds it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.ports import Tables
from wholeroad.engine.manifests import table_of
from wholeroad.engine.raw import LANDED_AT, RawPart
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import SEQ, Batch
from wholeroad.road.data.contracts.inspecting import (
    BrokenClause,
    Inspector,
    references_of,
    standing_columns,
)
from wholeroad.road.data.landing import prepare
from wholeroad.road.data.mending.applying import Mender
from wholeroad.road.data.presence import Presence, Stored, in_force
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER

MARK: Final = "_quarantine"
"""A column of rows that come back from the quarantine: their ``content`` there."""

_NOTHING: Final = np.zeros(0, dtype=np.int64)


def mender_of(name: str, source: SourceTable) -> Mender | None:
    """Make what mends the rows of one batch; None where the source has no mend."""
    if source.mend is None:
        return None
    return Mender(source.mend, where=f"[source.{name}.mend]", timezone=source.timezone)


def may_hold(source: SourceTable) -> bool:
    """Tell whether a source's contract can hold a batch back."""
    return source.contract is not None and bool(source.contract.reading) and source.contract.may_hold


def unmarked(part: RawPart) -> tuple[pl.DataFrame, pl.DataFrame | None, pl.Series | None]:
    """Take the marks off; give those of rows that come back from the quarantine, None where none does."""
    bad = None if part.bad is None else part.bad.drop(MARK, LANDED_AT, strict=False)
    rows = part.rows.drop(MARK, LANDED_AT, strict=False)
    if MARK not in part.rows.columns:
        return rows, bad, None
    said = part.rows[MARK].cast(pl.String, strict=False).str.strip_chars().str.strip_prefix("q")
    return rows, bad, said.cast(pl.Int64, strict=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a batch before it lands.

    Attributes
    ----------
    entries
        Its raw parts.
    rows_in
        All of its rows.
    holds
        Broken clauses that hold it back.
    """

    entries: tuple[str, ...]
    rows_in: int
    holds: tuple[BrokenClause, ...]


class Contracts:
    """Makes what asks the contracts of sources.

    Parameters
    ----------
    tables
        The project's.
    sources
        The brief's, for columns that refer to each other.
    """

    def __init__(self, tables: Tables, sources: Mapping[str, SourceTable]) -> None:
        self._tables = tables
        self._sources = sources

    def inspector(
        self, name: str, source: SourceTable, *, batch: Batch, last_seq: int | None
    ) -> Inspector | None:
        """Make what asks a source's contract of one batch; None where it has no clauses.

        Parameters
        ----------
        last_seq
            The last version that the ledger knows of, if that is known: rows beyond it are the batch's own,
            from a landing that was cut short, and must not be held against it.
        """
        contract = source.contract
        if contract is None or not contract.reading:
            return None
        references = {named: self._values(named) for named in references_of(contract)}
        return Inspector(
            contract,
            source=name,
            key=tuple(source.key),
            references={named: values for named, values in references.items() if values is not None},
            standing=self._standing(name, source, columns=standing_columns(contract), last_seq=last_seq),
            until=batch.known_at,
        )

    def look(
        self,
        name: str,
        source: SourceTable,
        *,
        parts: Iterable[RawPart],
        batch: Batch,
        stored: Stored | None,
        last_seq: int | None,
    ) -> Seen:
        """Mend, shape and inspect a batch, a part at a time, without landing any of it.

        Raises
        ------
        UserError
            What :func:`~wholeroad.road.data.landing.land` raises.
        """
        mender = mender_of(name, source)
        inspector = self.inspector(name, source, batch=batch, last_seq=last_seq)
        entries, rows_in = [], 0
        for raw in parts:
            entries += [raw.entry] if raw.entry else []
            rows, bad, _ = unmarked(raw)
            part = batch.part(rows, bad, next_seq=1, rows_before=rows_in)
            made = prepare(
                part, source, name=name, stored=stored, mender=mender, inspector=inspector
            ).shaped.frame
            stored = stored or Stored(made.schema, Presence(_NOTHING), 1, _NOTHING)
            rows_in += part.rows_in
        holds = () if inspector is None else inspector.result().holds
        return Seen(tuple(entries), rows_in, holds)

    def _values(self, named: str) -> pl.Series | None:
        """Give the values of ``source.column`` that are there; None before that source ever landed."""
        name, _, column = named.partition(".")
        source = self._sources.get(name)
        if source is None or not self._tables.exists(table_of(name, source)):
            return None
        table = table_of(name, source)
        if column not in self._tables.schema(table):
            return None
        stands = self._tables.read(table, [column, DELETED]).filter(~pl.col(DELETED))
        return stands[column].drop_nulls().unique()

    def _standing(
        self, name: str, source: SourceTable, *, columns: tuple[str, ...] | None, last_seq: int | None
    ) -> pl.DataFrame | None:
        table = table_of(name, source)
        if columns is None or not self._tables.exists(table):
            return None
        wanted = [*source.key, *columns]
        frame = self._tables.read(table, [*dict.fromkeys([*wanted, KNOWN, ORDER, DELETED, SEQ])])
        if last_seq is not None:
            frame = frame.filter(pl.col(SEQ) <= last_seq)
        places = in_force(frame, source, known_at=0, imported=False)["place"]
        return frame.select([*dict.fromkeys(wanted)])[places]
