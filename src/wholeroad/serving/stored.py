"""The rows in the tables, for a front: those that are there when it begins, and those that come later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from wholeroad.core.ports import ScratchFile
from wholeroad.engine.holding import Contracts
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.service.refusing import Refuse
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving import ArrivingRows
from wholeroad.road.data.batches import SYSTEM, Batch
from wholeroad.road.data.contracts.inspecting import Inspector

if TYPE_CHECKING:
    from wholeroad.yard import Yard

_FEW: Final = 2_000
"""Rows that are taken in at a time."""


def arriving_rows(
    yard: Yard,
    name: str,
    *,
    columns: Sequence[str],
    schema: pl.Schema,
    refuse: Refuse | None = None,
    beside: ScratchFile | None = None,
) -> tuple[ArrivingRows, pl.DataFrame]:
    """Make what takes the rows of a source as they come, from those that are there; and give those.

    Parameters
    ----------
    columns, schema
        Those that somebody reads; and all that are the source's own.
    refuse
        Says of a row that reads well why it can't be taken.
    beside
        Where most rows lie; None: in memory.
    """
    source = yard.brief.source[name]
    stored = yard.tables.read(table_of(name, source), [*columns, *SYSTEM])
    made = ArrivingRows(
        name,
        source,
        schema=schema,
        stored=stored,
        columns=columns,
        inspector=_inspector(yard, name, source=source),
        beside=beside,
    )
    if refuse is not None:
        made.refuse(refuse)
    if yard.tables.exists(aside := quarantine_of(name, source)):
        made.set_aside_before(yard.tables.read(aside, ["content"])["content"].to_list())
    return made, stored


def _inspector(yard: Yard, name: str, *, source: SourceTable) -> Callable[[], Inspector | None] | None:
    if source.contract is None or not source.contract.reading:
        return None
    contracts = Contracts(yard.tables, yard.brief.source)

    def inspector() -> Inspector | None:
        batch = Batch(pl.DataFrame(), landed_at=yard.clock.now())
        return contracts.inspector(name, source, batch=batch, last_seq=None)

    return inspector


class NewRows:
    """Reads rows that were moved into the tables since the last time."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._read: dict[str, int] = {}
        self._columns: dict[str, list[str]] = {}

    def note(self, name: str, stored: pl.DataFrame) -> None:
        """Take a source's rows, all that are in its table, for read; their columns are those to read."""
        self._read[name] = stored.height
        self._columns[name] = stored.columns

    def read(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Give what came since, few rows of a source at a time: whoever takes them in holds others up."""
        for name, columns in self._columns.items():
            table = table_of(name, self._yard.brief.source[name])
            new = self._yard.tables.read(table, columns, skip=self._read[name])
            self._read[name] += new.height
            for some in new.iter_slices(_FEW):
                yield name, some
