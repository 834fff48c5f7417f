"""What a project lends to those who work with its data: its brief, its stores, and what it can try out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass

from wholeroad.adapters.blobs import LayeredBlobs
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.machine import available_threads
from wholeroad.adapters.tables_layered import LayeredTables
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.facts import Fact
from wholeroad.core.ports import AnyLearner, Blobs, Clock, Ledger, Progress, Tables
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.variants import Variant
from wholeroad.operating import Operation, Workshops
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.data.history import History


@dataclass(frozen=True, slots=True)
class Yard:
    """What a project lends: its brief, its stores, and those who work with them.

    Attributes
    ----------
    lock
        Keeps other commands out; told the purpose.
    """

    brief: Brief
    _: KW_ONLY
    folder: ProjectFolder
    tables: Tables
    ledger: Ledger
    blobs: Blobs
    clock: Clock
    operation: Operation
    store: Storehouse
    intake: Intake
    learners: Callable[[], Mapping[str, AnyLearner]]
    workshop: Workshops
    lock: Callable[[str], AbstractContextManager[None]]

    @property
    def facts(self) -> list[Fact]:
        """Everything on the ledger."""
        return [fact for _, fact in self.ledger.read()]

    def variant(
        self,
        name: str,
        *,
        brief: Brief | None = None,
        at_once: Collection[str] = (),
        change: Callable[[History], History] | None = None,
    ) -> Variant:
        """Put a variant of the history together; see :class:`~wholeroad.engine.next_data.Make`."""
        brief, threads = brief or self.brief, available_threads()
        store = Storehouse(brief, self.tables, threads=threads, at_once=at_once)
        return self.variant_of(name, store, change=change)

    def variant_of(
        self, name: str, store: Storehouse, *, change: Callable[[History], History] | None = None
    ) -> Variant:
        """Put the variant together that a store holds."""
        history = store.history()
        if change is not None:
            history = change(history)
        return Variant(name, history, self.workshop(history))

    def apart(
        self, name: str, table: SourceTable, *, progress: Progress | None = None
    ) -> tuple[Storehouse, list[Fact]]:
        """Land everything as it would be with another table of a source, and leave no trace of it."""
        brief = self.brief.model_copy(update={"source": {**self.brief.source, name: table}})
        tables, ledger = LayeredTables(self.tables), MemoryLedger(decode)
        ledger.append(self.facts)
        store = Storehouse(
            brief,
            tables,
            threads=available_threads(),
            facts=lambda: (fact for _, fact in ledger.read()),
        )
        operation = Operation(
            brief, store=store, tables=tables, ledger=ledger, clock=self.clock, workshop=self.workshop
        )
        intake = Intake(tables, ledger, blobs=LayeredBlobs(self.blobs), sources=brief.source)
        operation.land(self.folder.root, intake, progress=progress)
        return store, [fact for _, fact in ledger.read()]


def thrown_away() -> tuple[Tables, Ledger]:
    """Make empty stores in memory."""
    return MemoryTables(), MemoryLedger(decode)
