"""A changed brief held against the one in force, and tried on what has landed, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wholeroad.adapters.blobs import LayeredBlobs
from wholeroad.adapters.clocks import SystemClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.machine import available_threads
from wholeroad.adapters.tables_layered import LayeredTables
from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Clock, Progress, Tables
from wholeroad.engine.agenda import agenda
from wholeroad.engine.book import TABLE
from wholeroad.engine.facts import decode
from wholeroad.engine.fold import State, fold
from wholeroad.engine.intake import Intake
from wholeroad.engine.kept_briefs import text_in_force
from wholeroad.engine.service.moving import decisions_frame
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.timeless import refuse_timeless
from wholeroad.left_over import left_behind, left_over
from wholeroad.operating import Operation
from wholeroad.project import Project
from wholeroad.road.brief.changes import Changes, changes, refusals
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.asked_columns import asked_schema
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.data.facts import SourceHeld
from wholeroad.yard import Yard

HEADLINE = "The brief can't be applied"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What taking up the brief of a folder would come to; it fits what has landed.

    Attributes
    ----------
    text, brief
        The one in the folder.
    in_force
        Whether a brief is in force: without one, the first run opens the road with this one.
    equal
        Whether the one in force decides as this one does.
    changes
        None where the text of the brief in force was not kept, or none is in force.
    held
        Batches that its contracts would hold back.
    next_cycle_at
        The first cycle of the brief in force after the present.
    """

    text: str
    brief: Brief
    in_force: bool
    equal: bool
    changes: Changes | None
    held: tuple[SourceHeld, ...]
    next_cycle_at: Instant


def propose(folder: Path, *, clock: Clock | None = None, progress: Progress | None = None) -> Proposal:
    """Hold the brief of a folder against the one in force, and try it on what has landed.

    Nothing is written. The project may be served meanwhile.

    Raises
    ------
    FaultsError
        Every fault of the brief at once; every fault of its fit to what has landed and was decided:
        what binding finds, ``live.other-columns``, ``live.other-actions``, ``apply.rows-left-behind``.
    UserError
        What landing its sources raises; ``rehearse.no-time``.
    """
    place = ProjectFolder.at(folder)
    text = place.read_brief()
    brief = read_brief(text, name=str(place.brief))
    place.check_format()
    refuse_timeless(brief, "served")
    clock = clock or SystemClock()
    now = clock.now()
    yard = Project(place, brief, text=text, clock=clock).yard if place.ledger.exists() else None
    facts = [] if yard is None else yard.facts
    state = fold(facts)
    if yard is None or not state.brief:
        at = agenda(brief.cycle).first(now)
        return Proposal(text, brief, in_force=False, equal=False, changes=None, held=(), next_cycle_at=at)
    old = _in_force(yard, state)
    equal = state.brief == digests(brief).brief
    held: tuple[SourceHeld, ...] = ()
    if not equal:
        held = try_out(yard, old, progress=progress)
    return Proposal(
        text,
        brief,
        in_force=True,
        equal=equal,
        changes=None if old is None else changes(old, brief),
        held=held,
        next_cycle_at=agenda((old or brief).cycle).first(now + 1),
    )


def try_out(yard: Yard, old: Brief | None, *, progress: Progress | None = None) -> tuple[SourceHeld, ...]:
    """Try a brief on what has landed and was decided: what would land lands in memory, and is thrown away.

    Parameters
    ----------
    yard
        The project's, under the brief that is tried.
    old
        In force, where it is known.

    Returns
    -------
    tuple of SourceHeld
        Batches that its contracts would hold back.

    Raises
    ------
    FaultsError, UserError
        As :func:`propose`.
    """
    facts = yard.facts
    return _Trial(yard, old, facts=facts, state=fold(facts)).held(progress)


def _in_force(yard: Yard, state: State) -> Brief | None:
    """Give the brief in force; None where its text was not kept, or can't be read by this version."""
    text = text_in_force(yard.blobs, state.brief)
    try:
        return None if text is None else read_brief(text)
    except FaultsError:
        return None


class _Trial:
    """One brief, tried: what would land lands in memory, and is thrown away.

    Parameters
    ----------
    yard
        The project's, under the brief that is tried.
    old
        In force, where it is known.
    """

    def __init__(self, yard: Yard, old: Brief | None, *, facts: list[Fact], state: State) -> None:
        self._yard = yard
        self._brief = yard.brief
        self._old = old
        self._facts = facts
        self._state = state
        self._left = left_over(yard.folder, facts, decided_until=state.decided_until)

    def held(self, progress: Progress | None) -> tuple[SourceHeld, ...]:
        """Give the batches that would be held back: a brief that can't come into force raises."""
        faults = list[Fault]()
        if self._old is not None:
            faults += left_behind(self._brief, self._old, facts=self._facts, hot=self._left.rows)
            faults += refusals(self._old, self._brief, taken=self._taken())
        if faults:
            raise FaultsError(HEADLINE, faults)
        tables, ledger = LayeredTables(self._yard.tables), MemoryLedger(decode)
        ledger.append(self._facts)
        store = Storehouse(
            self._brief,
            tables,
            threads=available_threads(),
            facts=lambda: (fact for _, fact in ledger.read()),
        )
        operation = Operation(
            self._brief,
            store=store,
            tables=tables,
            ledger=ledger,
            clock=self._yard.clock,
            workshop=self._yard.workshop,
        )
        blobs = LayeredBlobs(self._yard.blobs)
        intake = Intake(tables, ledger, blobs=blobs, sources=self._brief.source)
        landed = operation.land(self._yard.folder.root, intake, progress=progress)
        bind_brief(self._brief, self._schemas(store))
        self._refuse_other_columns(tables)
        return tuple(fact for fact in landed if isinstance(fact, SourceHeld))

    def _schemas(self, store: Storehouse) -> Mapping[str, pl.Schema]:
        """Give the columns of each source; of one without any row, as the brief asks for them."""
        brief = self._brief
        return {
            name: store.schema(name) if store.rows(name) else asked_schema(brief, name)
            for name in brief.source
        }

    def _taken(self) -> set[str]:
        """Name the actions that were taken so far."""
        taken = set[str]()
        if self._state.spans and self._yard.tables.exists(TABLE):
            sealed = self._yard.tables.read(TABLE, ["span", "action"])
            taken |= {*sealed.filter(pl.col("span") <= self._state.spans)["action"].unique()}
        if self._old is not None:
            taken |= {self._old.actions[action] for action in self._left.actions}
        return taken

    def _refuse_other_columns(self, tables: Tables) -> None:
        """Hold the columns of its decisions against those that are there, types included."""
        if not self._state.spans or not tables.exists(TABLE):
            return
        mine = decisions_frame(self._brief, [], span=0, tables=tables).schema
        stored = tables.schema(TABLE)
        other = [name for name in {**stored, **mine} if mine.get(name) != stored.get(name)]
        if other:
            fault = Fault(
                "live.other-columns",
                "the table of decisions",
                f"{', '.join(other)} would come, go, or hold another type",
                "the columns that decisions have had since the first run",
                "put the case's key, the classes and [policy.no_action] back, or begin in a new folder",
            )
            raise FaultsError(HEADLINE, [fault])


def tried(yard: Yard, text: str) -> Brief | None:
    """Give another brief, if it fits what has landed; None where it decides as the one in force does."""
    brief = read_brief(text, name=str(yard.folder.brief))
    if digests(brief).brief == digests(yard.brief).brief:
        return None
    try_out(Project(yard.folder, brief, text=text, clock=yard.clock).yard, yard.brief)
    return brief
