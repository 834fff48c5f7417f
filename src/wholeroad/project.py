"""The composition root: picks the clock, the ledger, the store and the learners of a project."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from functools import cached_property, partial
from pathlib import Path

import polars as pl

from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.clocks import SystemClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.frames import as_frame
from wholeroad.adapters.learners import identities, learners_for
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.machine import available_threads, calm_openmp
from wholeroad.adapters.made_with import made_with
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.facts import Fact, export
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import AnyLearner, Blobs, Clock, Progress
from wholeroad.curating import Curation
from wholeroad.engine.explained import DecisionExplained, ModelExplained
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.learning import question_learning
from wholeroad.engine.live import Answered, Replayed
from wholeroad.engine.rehearsal import walk_through
from wholeroad.engine.rehearsed import Rehearsed, checked_name, span_of
from wholeroad.engine.reviewing import verdicts_digest
from wholeroad.engine.standing import Standing
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.timeless import refuse_timeless, value_without_time
from wholeroad.engine.workshop import CHUNK, Workshop
from wholeroad.fairness import Assessment
from wholeroad.labelling import Labels
from wholeroad.operating import Operation, locked
from wholeroad.rehearsing import Stage, stores
from wholeroad.road.brief.assumptions import Assumption, assumed
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import chosen_policies
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.collecting import CollectionPlan
from wholeroad.road.data.facts import BatchLanded, SourceHeld
from wholeroad.road.data.history import History
from wholeroad.road.data.rules import Finding, check_history
from wholeroad.road.data.versions import Versions
from wholeroad.road.model.without_time import CrossValidated
from wholeroad.yard import Yard


def open_project(folder: str | Path = ".", *, clock: Clock | None = None) -> Project:
    """Open the project in a folder.

    Parameters
    ----------
    folder
        With a ``brief.toml``; or that file.
    clock
        Another clock than the machine's, for tests and simulations.

    Raises
    ------
    FaultsError
        Every fault of the brief at once.
    UserError
        ``brief.absent``, ``project.format``.
    """
    place = ProjectFolder.at(Path(folder))
    brief = read_brief(text := place.read_brief(), name=str(place.brief))
    place.check_format()
    return Project(place, brief, text=text, clock=clock or SystemClock())


class Project:
    """A brief with its data, in one folder.

    Attributes
    ----------
    brief
        As read when the project was opened.
    """

    def __init__(self, folder: ProjectFolder, brief: Brief, *, text: str, clock: Clock) -> None:
        calm_openmp()
        self._text = text
        self.folder = folder
        self.brief = brief
        self._clock = clock
        self._tables = DeltaTables(folder.tables)
        self._blobs = FolderBlobs(folder.blobs)

    @cached_property
    def _store(self) -> Storehouse:
        return Storehouse(self.brief, self._tables, threads=available_threads(), facts=self._facts)

    def _facts(self) -> Iterator[Fact]:
        return (fact for _, fact in (self._ledger.read() if self.folder.ledger.exists() else ()))

    @cached_property
    def _ledger(self) -> SqliteLedger:
        return SqliteLedger(self.folder.ledger, decode, mending=self.folder.mending)

    def __repr__(self) -> str:
        """Say what it is and where."""
        return f"<Project {self.brief.brief.name!r} in {self.folder.root}>"

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What nobody has confirmed of the brief: its lines marked ``# assumed``."""
        return assumed(self._text)

    def land(self, progress: Progress | None = None) -> list[BatchLanded | SourceHeld]:
        """Land every source's file as history: its claimed ``known_at`` is taken at its word.

        Landing what is there already lands nothing.

        Raises
        ------
        FaultsError, UserError
            ``data.file-missing`` and others, naming the file; sources before it are landed.
        """
        with self._lock("landing"):
            return self._operation.land(self.folder.root, self._intake, progress=progress)

    def land_rows(self, source: str, rows: object, *, history: bool = True) -> BatchLanded | SourceHeld:
        """Land a frame into a source.

        Parameters
        ----------
        rows
            A Polars frame, lazy or not, or any table that speaks Arrow.
        history
            Whether the claimed ``known_at`` is taken at its word; otherwise, and always once cases are
            decided here, no row is known before it landed.
        """
        table, frame = self._store.source(source), as_frame(rows)
        with self._lock("landing"):
            imported = history and self._operation.as_history(source, self._intake)
            return self._intake.take(source, table, rows=frame, now=self._operation.now(), imported=imported)

    def quarantine(self) -> pl.DataFrame:
        """Give the rows that were set aside, each with its reason."""
        return self._store.quarantine()

    def versions(self, source: str, columns: Collection[str] | None = None) -> Versions:
        """Give every landed version of a source's rows.

        Parameters
        ----------
        columns
            Of the source's own; all unless said. The key always comes along.
        """
        return self._store.versions(source, columns)

    def history(self, progress: Progress | None = None) -> History:
        """Assemble cases, features as known, truth and values from what has landed."""
        return self._examined(progress)[0]

    def check(self, progress: Progress | None = None) -> list[Finding]:
        """Land the files, and ask of the data what the brief needs to know; the gravest first.

        Raises
        ------
        FaultsError, UserError
            What landing and binding raise: with those nothing can be asked.
        """
        self.land(progress)
        history, findings = self._examined(progress)
        learning = question_learning(history, findings, learners=self._learners(), progress=progress)
        return [*findings, *learning]

    def plan(self, progress: Progress | None = None) -> CollectionPlan | None:
        """Say what to collect, and how much of it, while a source has no rows; None when each has some."""
        if all(source.read != "none" for source in self.brief.source.values()):
            return None
        self.land(progress)
        return self._operation.plan()

    def cross_validate(self, progress: Progress | None = None) -> CrossValidated:
        """Say what decisions would be worth, by cross-validation, where no row says when: no rehearsal.

        Raises
        ------
        FaultsError, UserError
            What landing, binding and fitting raise.
        """
        self.land(progress)
        return value_without_time(self._store.history(progress), learners=self._learners(), progress=progress)

    def rehearse(
        self,
        policies: str | Sequence[str] = (),
        *,
        from_at: Instant | str | date | None = None,
        to_at: Instant | str | date | None = None,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Rehearsed:
        """Replay history through the cycles under several policies, and compare them in money.

        Parameters
        ----------
        policies
            As people write them, one or several; without any, the brief's ``[rehearse] policies``, or the
            status quo, a running system, *never*, the brief's own, and a random dummy.
        from_at, to_at
            The first fit is asked for at the first cycle not before ``from_at``, and not before
            the brief's ``first`` has passed; cases are decided and scored from then to ``to_at``.
            Dates, date-times or their texts, UTC unless they say otherwise, or microseconds.
        name
            Of the folder under ``rehearsals/``; the default comes from what goes in, so that
            the same rehearsal is taken up where it ended.
        progress
            Told what is being done.

        Raises
        ------
        FaultsError, UserError
            What landing and binding raise; ``rehearse.too-short`` when no cycle fits.
        TryLaterError
            ``project.locked``.
        """
        label = None if name is None else checked_name(name)
        first, last = span_of(from_at, to_at)
        chosen = chosen_policies(self.brief, [policies] if isinstance(policies, str) else policies)
        refuse_timeless(self.brief, "rehearsed")
        with self._lock("a rehearsal"):
            self._operation.land(self.folder.root, self._intake, progress=progress)
            data = {source: self._store.digest(source) for source in self.brief.source}
            data |= verdicts_digest(self._tables)
            history, findings = self._examined(progress)
            root, compared = Stage(self.folder, self._text, data, self._made_with, label).rehearse(
                chosen,
                walk_through(history, from_at=first, to_at=last),
                history=history,
                workshop=self._workshop(history, progress=progress),
                progress=progress,
            )
        return Rehearsed(self.brief, root, history, compared, findings, stores, assumptions=self.assumptions)

    def cycle(self, progress: Progress | None = None) -> Answered:
        """Land what is new, run the cycles that are due by now, and decide the cases that are.

        Safe from cron: run again it finds nothing to do, and a run that was cut short is finished first.

        Raises
        ------
        FaultsError, UserError
            What landing and binding raise; ``live.brief-changed``.
        TryLaterError
            ``project.locked``, naming the holder.
        """
        refuse_timeless(self.brief, "decided from cron")
        with self._lock("a run of the cycles"):
            return self._operation.answer(
                lambda _now: self._operation.land(self.folder.root, self._intake, progress=progress), progress
            )

    def decide(self, cases: object, progress: Progress | None = None) -> tuple[pl.DataFrame, Answered]:
        """Land some cases, answer everything that is due, and say what becomes of these.

        Parameters
        ----------
        cases
            The path of a file, written as the case's source is, or a frame; outcomes may be missing.

        Returns
        -------
        answers, answered
            One row for each case, as :func:`wholeroad.engine.answers.answers` gives them; and the run.
        """
        refuse_timeless(self.brief, "decided from cron")
        with self._lock("deciding"):
            return self._operation.decide(cases, self.folder.root, intake=self._intake, progress=progress)

    def decisions(self) -> pl.DataFrame:
        """Give every decision made by :meth:`cycle` and :meth:`decide`: ``live.never-ran`` before."""
        return self._operation.decisions()

    def status(self) -> Standing:
        """Say what is in charge, since when, what is due and what is late; nothing is written."""
        return self._operation.status(self.folder)

    def explain_decision(self, *key: object) -> DecisionExplained:
        """Say why one case was decided as it was, by the value of each column of its key.

        Raises
        ------
        UserError
            ``live.never-ran``, ``explain.key-length``, ``explain.unknown-case``, ``explain.not-decided``.
        """
        return self._operation.explain_decision([str(part) for part in key])

    def explain_model(self, name: str | None = None) -> ModelExplained:
        """Say why a model is in charge, or was: ``explain.no-fit``, ``explain.unknown-model``."""
        return self._operation.explain_model(name)

    def replay(self) -> Replayed:
        """Rehearse the project's own ledger, and hold what comes of it against the record, byte by byte.

        Raises
        ------
        UserError
            ``live.never-ran``, ``live.several-briefs``.
        """
        return self._operation.replay()

    def export(self) -> Iterator[bytes]:
        """Give the ledger's canonical export, a line of JSON per fact; none before anything landed."""
        return export(self._facts())

    @cached_property
    def data(self) -> Curation:
        """What can be asked of the project's data, and done to them."""
        return Curation(self.yard)

    @cached_property
    def labels(self) -> Labels:
        """What can be asked of the project's labels, and done about them."""
        return Labels(self.yard)

    @cached_property
    def fairness(self) -> Assessment:
        """What can be asked of the project's fairness, and done about it."""
        return Assessment(self.yard)

    @cached_property
    def yard(self) -> Yard:
        """What the project lends to those who work with its data, or serve it."""
        return Yard(
            self.brief,
            folder=self.folder,
            tables=self._tables,
            ledger=self._ledger,
            blobs=self._blobs,
            clock=self._clock,
            operation=self._operation,
            store=self._store,
            intake=self._intake,
            learners=self._learners,
            workshop=self._workshop,
            lock=self._lock,
        )

    @cached_property
    def _operation(self) -> Operation:
        return Operation(
            self.brief,
            store=self._store,
            tables=self._tables,
            ledger=self._ledger,
            clock=self._clock,
            workshop=partial(self._workshop, chunk=0),
        )

    def _workshop(
        self,
        history: History,
        *,
        progress: Progress | None = None,
        chunk: int = CHUNK,
        blobs: Blobs | None = None,
    ) -> Workshop:
        return Workshop(
            history,
            self._learners(),
            blobs=blobs or self._blobs,
            recipe=self._made_with,
            chunk=chunk,
            progress=progress,
        )

    @property
    def _made_with(self) -> str:
        return f"{made_with()} {identities(self._learners())}".rstrip()

    def _learners(self) -> Mapping[str, AnyLearner]:
        return learners_for(self.brief, threads=available_threads())

    def _examined(self, progress: Progress | None) -> tuple[History, list[Finding]]:
        (tell := progress or (lambda *_: None))("assembling cases and outcomes", 0, 0)
        history = self._operation.recorded(self._store.history(progress))
        tell("assembling cases and outcomes", 1, 1)
        tell("checking", 0, 0)
        findings = check_history(history, self._store.quarantine(), landed=self._store.promised())
        tell("checking", 1, 1)
        return history, findings

    @cached_property
    def _intake(self) -> Intake:
        return Intake(self._tables, self._ledger, blobs=self._blobs, sources=self.brief.source)

    def _lock(self, purpose: str) -> AbstractContextManager[None]:
        self.folder.prepare()
        since = format_instant(self._clock.now())
        return locked(self.folder, self._operation, purpose=purpose, since=since)
