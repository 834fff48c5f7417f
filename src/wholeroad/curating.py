"""A project's data: looked at, promised, mended, traced, and priced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass

from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.machine import available_threads
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.ports import AnyLearner, Blobs, Ledger, Progress, Tables
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.next_data import NextData, what_next
from wholeroad.engine.rehearsal import Walk, walk_through
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.variants import Variant
from wholeroad.engine.workshop import Workshop
from wholeroad.operating import Operation
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.history import History


@dataclass(frozen=True, slots=True)
class Yard:
    """What a project lends: its brief, its stores, and those who work with them.

    Attributes
    ----------
    text
        Of the brief, as it was written.
    lock
        Keeps other commands out; told the purpose.
    """

    brief: Brief
    _: KW_ONLY
    text: str
    folder: ProjectFolder
    tables: Tables
    ledger: Ledger
    blobs: Blobs
    operation: Operation
    intake: Intake
    learners: Mapping[str, AnyLearner]
    workshop: Callable[[History], Workshop]
    lock: Callable[[str], AbstractContextManager[None]]


class Curation:
    """What can be asked of a project's data, and done to it.

    Parameters
    ----------
    yard
        What the project lends.
    """

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._brief = yard.brief

    def next(self, features: Sequence[str] = (), progress: Progress | None = None) -> NextData:
        """Say what to do about data next, and what each is worth a month."""
        base = self._variant("as it is")
        span = self._span(base.history)
        return what_next(
            base,
            span,
            make=self._variant,
            stores=_stores,
            learners=self._yard.learners,
            features=features,
            progress=progress,
        )

    def _span(self, history: History) -> Walk:
        return walk_through(history, from_at=None, to_at=None)

    def _variant(
        self,
        name: str,
        *,
        brief: Brief | None = None,
        at_once: Collection[str] = (),
        change: Callable[[History], History] | None = None,
    ) -> Variant:
        brief, threads = brief or self._brief, available_threads()
        store = Storehouse(brief, self._yard.tables, threads=threads, at_once=at_once)
        history = store.history()
        if change is not None:
            history = change(history)
        return Variant(name, history, self._yard.workshop(history))


def _stores() -> tuple[Tables, Ledger]:
    return MemoryTables(), MemoryLedger(decode)
