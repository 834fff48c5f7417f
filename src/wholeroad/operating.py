"""A project in operation: what is due is answered from cron, and can be held against its own rehearsal."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import polars as pl

from wholeroad.adapters.blobs import FolderBlobs, MemoryBlobs
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.frames import as_frame
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.locks import held
from wholeroad.adapters.machine import available_threads
from wholeroad.adapters.reading import readings, required_types
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Blobs, Clock, HotLog, Ledger, Progress, Tables
from wholeroad.engine.answers import answers, due
from wholeroad.engine.appealing import key_text
from wholeroad.engine.book import TABLE
from wholeroad.engine.explained import DecisionExplained, ModelExplained
from wholeroad.engine.explaining import explain_decision, explain_model
from wholeroad.engine.facts import RunBegan, decode
from wholeroad.engine.fold import State, fold
from wholeroad.engine.holding import mender_of
from wholeroad.engine.intake import Arrival, Intake
from wholeroad.engine.kept_briefs import brief_in_force
from wholeroad.engine.live import Answered, Live, Replayed, in_force, never_ran, replay
from wholeroad.engine.manifests import table_of
from wholeroad.engine.recorded import AsRecorded
from wholeroad.engine.service.office import Office
from wholeroad.engine.standing import Standing, standing
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.walking import Walker
from wholeroad.engine.workshop import Workshop
from wholeroad.left_over import left_over, refuse_left_behind
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.brief.digests import digests
from wholeroad.road.data.asked_columns import asked_columns, asked_schema
from wholeroad.road.data.batches import SYSTEM
from wholeroad.road.data.casting import cast
from wholeroad.road.data.collecting import CollectionPlan, plan_collection, sources_to_collect
from wholeroad.road.data.contracts.freshness import stale
from wholeroad.road.data.contracts.inspecting import references_of
from wholeroad.road.data.facts import BatchLanded, SourceHeld
from wholeroad.road.data.history import History
from wholeroad.road.data.mending.raw import names_in_file, read_as_text
from wholeroad.road.model.slices import least_cases
from wholeroad.road.review.appeals import appeals_of, said_of

Arrive = Callable[[Instant], object]
"""Lands what is new at an instant."""


class Workshops(Protocol):
    """Makes the workshop of a history; without blobs of its own it uses the project's."""

    def __call__(
        self, history: History, *, blobs: Blobs | None = None, progress: Progress | None = None
    ) -> Workshop:
        """Make it."""


class Operation:
    """The decisions of a project on the real clock.

    Parameters
    ----------
    store, tables, ledger, clock
        The project's.
    workshop
        Makes workshops that score only what is asked for.
    """

    def __init__(
        self,
        brief: Brief,
        *,
        store: Storehouse,
        tables: Tables,
        ledger: Ledger,
        clock: Clock,
        workshop: Workshops,
    ) -> None:
        self._brief = brief
        self._store = store
        self._tables = tables
        self._ledger = ledger
        self._clock = clock
        self._workshop = workshop

    def as_history(self, source: str, intake: Intake) -> bool:
        """Tell whether rows arrive as history, whose claims are taken at their word.

        Once cases are decided here, rows count from when they landed: nothing that was decided may
        have known them. Only a source that no run has known yet, as it is read now, brings its history along.
        """
        return intake.is_first(source, self._brief.source[source])

    def land(
        self, root: Path, intake: Intake, *, progress: Progress | None = None
    ) -> list[BatchLanded | SourceHeld]:
        """Land what hasn't landed yet of each source; the batches before one that fails stand.

        All land at one instant: a case that is decided at its own landing sees what came with it. What
        another mend or contract makes other rows of lands again first, from its raw rows. A source that a
        contract refers to lands before the one with the contract.
        """
        facts: list[BatchLanded | SourceHeld] = []
        now = self.now()
        for position, (name, source) in enumerate(_referred_first(self._brief.source)):
            if progress:
                progress(f"landing: {name}", position, len(self._brief.source))
            imported = self.as_history(name, intake)
            facts += intake.land_again(name, source, now=now)
            for reading in readings(root, name, source=source, landed=intake):
                arrival = Arrival(
                    now,
                    imported=imported,
                    origin=reading.origin,
                    dumped_at=reading.dumped_at,
                    read=reading.shown,
                )
                facts.append(intake.take_parts(name, source, parts=reading.parts, arrival=arrival))
            facts += intake.land_again(name, source, now=now, rest=True)
        if progress:
            progress("landing", 1, 1)
        return facts

    def now(self) -> Instant:
        """Give the present: never before what is answered, promised or has landed, should a clock go back."""
        facts = self._facts
        state = fold(facts)
        landed = (fact.at for fact in facts if isinstance(fact, BatchLanded))
        return max(self._clock.now(), state.decided_until or 0, state.promised_until or 0, *landed)

    def plan(self) -> CollectionPlan | None:
        """Say what to collect while a source has no rows; None when each has some."""
        counts = {name: self._store.rows(name) for name in self._brief.source}
        if not sources_to_collect(self._brief, counts):
            return None
        return plan_collection(self._brief, counts, now=self._clock.now(), fit_cases=least_cases())

    def answer(self, arrive: Arrive, progress: Progress | None = None) -> Answered:
        """Finish what was cut short, let rows arrive, and answer everything that is due."""
        live = self._live(progress)
        live.finish(digests(self._brief))
        arrive(self.now())
        return live.answer(digests(self._brief), self.now())

    def open(self, arrive: Arrive, progress: Progress | None = None) -> None:
        """Make ready for a service: finish what was cut short, let rows arrive, take up a changed brief.

        The first time, the road is opened as a first run opens it. Later on, what came due while nobody was
        there is left to the service: it decides each case at its instant, and runs the cycles in order.
        """
        live = self._live(progress)
        live.finish(digests(self._brief))
        arrive(self.now())
        self._begin_empty()
        if not live.take_up(digests(self._brief), self.now()):
            live.answer(digests(self._brief), self.now())

    def _begin_empty(self) -> None:
        """Make the tables of sources that have no row yet, by what the brief says of their columns.

        So a service may begin before there is any data: what comes over HTTP is the first of it.
        """
        for name, source in self._brief.source.items():
            table = table_of(name, source)
            if not self._tables.exists(table):
                none = pl.DataFrame(schema={**asked_schema(self._brief, name), **SYSTEM})
                self._tables.append(table, none, writer="intake", version=1)

    def absorb(self, folder: ProjectFolder) -> None:
        """Take in what a service has acknowledged and could not put into the tables before it ended.

        Nothing else may write before: rows and decisions of the service come first. Nor is anything written
        under a brief that would lose them: ``apply.rows-left-behind``.
        """
        if not folder.hot.exists():
            return
        blobs = FolderBlobs(folder.blobs)
        before = brief_in_force(blobs, self._state.brief, newer=self._brief)
        with closing(SqliteHotLog(folder.hot)) as log:
            if log.last:
                log.prune(self._under(before).office(log, blobs).absorb())
        refuse_left_behind(self._brief, before, ledger=self._ledger)

    def _under(self, brief: Brief) -> Operation:
        store = Storehouse(brief, self._tables, threads=available_threads(), facts=lambda: self._facts)
        tables, ledger, make = self._tables, self._ledger, self._workshop
        return Operation(brief, store=store, tables=tables, ledger=ledger, clock=self._clock, workshop=make)

    def office(self, log: HotLog, blobs: Blobs) -> Office:
        """Give the back office of a service."""
        return Office(
            self._brief,
            tables=self._tables,
            ledger=self._ledger,
            blobs=blobs,
            log=log,
            prepare=self.prepare,
        )

    def prepare(self, now: Instant, progress: Progress | None = None) -> tuple[History, Workshop]:
        """Put together what is known at an instant, and where fits on it are made."""
        history = self._store.history(until=now)
        return history, self._workshop(history, progress=progress)

    def _live(self, progress: Progress | None) -> Live:
        def prepare(now: Instant) -> tuple[History, Workshop]:
            return self.prepare(now, progress)

        return Live(self._brief, tables=self._tables, ledger=self._ledger, prepare=prepare)

    def decide(
        self, cases: object, root: Path, *, intake: Intake, progress: Progress | None = None
    ) -> tuple[pl.DataFrame, Answered]:
        """Land some cases, answer everything that is due, and say what becomes of these."""
        name = self._brief.case.source
        table = self._store.source(name)
        if isinstance(cases, str | Path):
            stored = intake.types(name, table)
            required, shown = required_types(table), str(cases)
            rows, bad = read_rows(Path(cases), required, stored=stored, shown=shown, csv=table.csv)
        else:
            rows, bad = as_frame(cases), None

        def arrive(now: Instant) -> None:
            self.land(root, intake, progress=progress)
            some = Arrival(now, imported=False, whole=False)  # cases that it doesn't name are not gone
            intake.take_parts(name, table, parts=[(self.completed(rows), bad)], arrival=some)

        answered = self.answer(arrive, progress)
        return self.answers(rows, answered, bad=bad), answered

    def completed(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Give new cases with nulls for what can't be known yet, such as how a case turned out.

        Only columns that nothing about a case asks for may be missing; landing refuses the others.
        """
        name = self._brief.case.source
        schema = self._store.schema(name) if self._store.rows(name) else pl.Schema()
        asked = {column.name for column in asked_columns(self._brief, name)}
        source = self._brief.source[name]
        texts = read_as_text(source)
        return cases.with_columns(
            pl.lit(None, dtype=pl.String() if given in texts else schema[column]).alias(given)
            for column, given in names_in_file(source, schema).items()
            if given not in cases.columns and column not in asked
        )

    def answers(
        self, asked: pl.DataFrame, answered: Answered, *, bad: pl.DataFrame | None = None
    ) -> pl.DataFrame:
        """Say what became of some cases, by the columns of their key; of those that can't be read as well."""
        name = self._brief.case.source
        schema, source = self._store.schema(name), self._store.source(name)
        key = source.key
        mender = mender_of(name, source)
        came = asked if mender is None else mender.mend(self.completed(asked)).frame
        rows = came.select(pl.col(column).cast(schema[column], strict=False) for column in key)
        given = names_in_file(source, key)
        if bad is not None and {given.get(column) for column in key} <= set(bad.columns):
            unread = [cast(bad[given[column]], schema[column]).alias(column) for column in key]
            rows = pl.concat([rows, pl.DataFrame(unread)])
        return answers(
            rows,
            key=key,
            due_cases=due(self._store.versions(name), answered.history.bound),
            decisions=self.decisions(),
            now=answered.now,
            held=name in answered.state.held,
        )

    def decisions(self) -> pl.DataFrame:
        """Give every decision: ``live.never-ran`` before the first run."""
        spans = self._state.spans
        if not spans:
            raise never_ran()
        return self._tables.read(TABLE).filter(pl.col("span") <= spans)

    def status(self, folder: ProjectFolder) -> Standing:
        """Say how the project stands; nothing is written."""
        facts, now = self._facts, self.now()
        history = self._store.history(until=now)
        walker = self._walker(history, self._tables, self._ledger, self._workshop(history))
        walker.restore(fold(facts))
        cases = due(self._store.versions(self._brief.case.source), history.bound)
        decided = walker.action >= 0
        found = standing(self._brief, facts, now=now, due_cases=cases, history=history, decided=decided)
        late = stale(self._brief, self._store.newest_known(now), now=now)
        left = left_over(folder, facts, decided_until=found.decided_until)
        counts = (left.rows.total(), left.actions.total())
        return dataclasses.replace(found, stale=tuple(late), left_over=counts)

    def explain_decision(self, key: Sequence[str]) -> DecisionExplained:
        """Say why one case was decided as it was."""
        decisions = self.decisions()
        history = self._store.history(until=self.now())
        workshop = self._workshop(history)
        walker = self._walker(history, self._tables, self._ledger, workshop)
        walker.restore(self._state)
        found = explain_decision(key, history=history, walker=walker, workshop=workshop, decisions=decisions)
        held = fold(fact for fact in self._facts if fact.at <= found.decided_at).held
        lines = tuple(f"{name} was held back then: {one.happened}" for name, one in held.items())
        said = said_of(appeals_of(self._facts), key_text(key))
        return dataclasses.replace(found, lines=(*found.lines, *lines, *said))

    def explain_model(self, name: str | None) -> ModelExplained:
        """Say why a model is in charge, or was."""
        history = self._store.history(until=self.now())
        began_at = history.as_of(history.until + 1).began_at
        return explain_model(
            name, brief=self._brief, facts=self._facts, workshop=self._workshop(history), began_at=began_at
        )

    def replay(self) -> Replayed:
        """Walk the ledger's runs again, fits made anew, features computed for all cases at once."""
        facts, decisions = self._facts, self.decisions()
        history = self._store.history(until=(fold(facts).decided_until or 1) - 1)
        history.features.whole()
        tables, ledger = MemoryTables(), MemoryLedger(decode)
        workshop = self._workshop(history, blobs=MemoryBlobs())
        walker = Walker(
            history,
            workshop,
            policy=in_force(self._brief),
            tables=tables,
            ledger=ledger,
            recorded=AsRecorded.of(facts),
        )
        workshop.follow(walker.book.recorded)
        replayed = replay(facts, decisions, walker=walker, tables=tables, ledger=ledger)
        if replayed.equal or not (changed := self._changed_without_time(facts)):
            return replayed
        told = f"{', '.join(changed)} has no time, and other rows since; {replayed.difference}"
        return dataclasses.replace(replayed, difference=told)

    def _changed_without_time(self, facts: Sequence[Fact]) -> list[str]:
        """Name the static sources that were changed after the first run: what it knew of them is gone."""
        began = next((place for place, fact in enumerate(facts) if isinstance(fact, RunBegan)), len(facts))
        landed = [fact for fact in facts[began:] if isinstance(fact, BatchLanded)]
        changed = {fact.source for fact in landed if fact.landed or fact.deleted}
        return [name for name, source in self._brief.source.items() if source.static and name in changed]

    @property
    def _facts(self) -> Sequence[Fact]:
        return [fact for _, fact in self._ledger.read()]

    @property
    def _state(self) -> State:
        return fold(self._facts)

    def recorded(self, history: History) -> History:
        """Give a history in which what was decided here is what was done."""
        if not self._state.spans:
            return history
        walker = self._walker(history, self._tables, self._ledger, self._workshop(history))
        walker.restore(self._state)
        return walker.book.recorded(history)

    def _walker(self, history: History, tables: Tables, ledger: Ledger, workshop: Workshop) -> Walker:
        return Walker(history, workshop, policy=in_force(self._brief), tables=tables, ledger=ledger)


@contextmanager
def locked(folder: ProjectFolder, operation: Operation, *, purpose: str, since: str) -> Iterator[None]:
    """Hold a project's lock, with everything taken in that a service acknowledged before it was cut short."""
    with held(folder.inner, purpose=purpose, since=since):
        operation.absorb(folder)
        yield


def _referred_first(sources: Mapping[str, SourceTable]) -> Iterator[tuple[str, SourceTable]]:
    """Give sources in the order of the brief, but for those that the contract of an earlier one refers to."""
    given: set[str] = set()

    def from_here(name: str) -> Iterator[tuple[str, SourceTable]]:
        if name in given or name not in sources:
            return
        given.add(name)
        contract = sources[name].contract
        for reference in references_of(contract) if contract else ():
            yield from from_here(reference.partition(".")[0])
        yield name, sources[name]

    for name in sources:
        yield from from_here(name)
