"""The composition root: picks the clock, the ledger, the store and the learners of a project."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

import polars as pl

from wholeroad.adapters.blobs import FolderBlobs
from wholeroad.adapters.clocks import SystemClock
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.folders import ProjectFolder, file_digest, name_taken, seal_of, write_whole
from wholeroad.adapters.frames import as_frame
from wholeroad.adapters.learners import make_learners
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.locks import held
from wholeroad.adapters.machine import available_threads, calm_openmp
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.errors import UserError
from wholeroad.core.facts import export
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Clock, Progress
from wholeroad.engine.comparing import CARDS, Run, cards, compare_runs
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake, quarantine_of, table_of
from wholeroad.engine.rehearsal import Rehearsal, Walk, walk_through
from wholeroad.engine.rehearsed import (
    Rehearsed,
    checked_name,
    slug,
    span_of,
    tables_gone,
)
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.brief.policies import Policy, parse_policies
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.batches import CLAIMED, LANDED, SEQ, SYSTEM, VERSION
from wholeroad.road.data.batches import QUARANTINE as QUARANTINE_COLUMNS
from wholeroad.road.data.binding import bind_brief, used_columns
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.history import History
from wholeroad.road.data.rules import Finding, check_history
from wholeroad.road.data.versioning import logical_hash, to_versions
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER, Versions
from wholeroad.road.data.work import assemble
from wholeroad.road.model.facts import FitRefused, ModelFitted

_PARTS = ("polars", "numpy", "scikit-learn", "scipy", "lightgbm")
"""Packages whose version could change a fit or a score."""


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
    text = place.read_brief()
    brief = read_brief(text, name=str(place.brief))
    place.check_format()
    return Project(place, brief, text=text, clock=clock or SystemClock())


@cache
def made_with() -> str:
    """Name everything beside brief and data that could change a result: our code, and others' versions."""
    ours = Path(__file__).parent
    code = digest(*(path.read_bytes() for path in sorted(ours.rglob("*.py"))))
    return " ".join(
        [f"wholeroad=={version('wholeroad')}+{code[:8]}", *(f"{p}=={version(p)}" for p in _PARTS)]
    )


@contextmanager
def stores(root: Path) -> Iterator[tuple[DeltaTables, SqliteLedger]]:
    """Open the tables and the ledger of a project's or a rehearsal's folder."""
    folder = ProjectFolder(root)
    ledger = SqliteLedger(folder.ledger, decode, mending=folder.mending)
    try:
        yield DeltaTables(folder.tables), ledger
    except UserError as error:
        raise tables_gone(error, folder.root, mending=folder.mending) from error
    finally:
        ledger.close()


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
    def _ledger(self) -> SqliteLedger:
        return SqliteLedger(self.folder.ledger, decode, mending=self.folder.mending)

    def __repr__(self) -> str:
        """Say what it is and where."""
        return f"<Project {self.brief.brief.name!r} in {self.folder.root}>"

    def land(self, progress: Progress | None = None) -> list[BatchLanded]:
        """Land every source's file as history: its claimed ``known_at`` is taken at its word.

        Landing what is there already lands nothing.

        Raises
        ------
        FaultsError, UserError
            ``data.file-missing`` and others, naming the file; sources before it are landed.
        """
        with self._lock("landing"):
            return self._land_files(progress)

    def land_rows(self, source: str, rows: object, *, history: bool = True) -> BatchLanded:
        """Land a frame into a source.

        Parameters
        ----------
        rows
            A Polars frame, lazy or not, or any table that speaks Arrow.
        history
            Whether the claimed ``known_at`` is taken at its word; otherwise no row is known
            before it landed.
        """
        table, frame = self._known(source), as_frame(rows)
        with self._lock("landing"):
            return self._intake.take(source, table, rows=frame, now=self._clock.now(), imported=history)

    def quarantine(self) -> pl.DataFrame:
        """Give the rows that were set aside, each with its reason."""
        names = [quarantine_of(name, source) for name, source in self.brief.source.items()]
        frames = [self._tables.read(name) for name in names if self._tables.exists(name)]
        return pl.concat([pl.DataFrame(schema=QUARANTINE_COLUMNS), *frames])

    def versions(self, source: str, columns: Collection[str] | None = None) -> Versions:
        """Give every landed version of a source's rows.

        Parameters
        ----------
        columns
            Of the source's own; all unless said. The key always comes along.
        """
        table = self._known(source)
        schema = self._schema(source)
        wanted = None
        if columns is not None:
            own = [name for name in schema if name in {*table.key, *columns}]
            wanted = [*own, *(name for name in SYSTEM if name not in (CLAIMED, LANDED, SEQ))]
        return to_versions(self._tables.read(self._table(source), wanted), table, name=source)

    def history(self, progress: Progress | None = None) -> History:
        """Assemble cases, features as known, truth and values from what has landed."""
        history, _ = self._examined(progress)
        return history

    def check(self, progress: Progress | None = None) -> list[Finding]:
        """Land the files, and ask of the data what the brief needs to know; the gravest first.

        Raises
        ------
        FaultsError, UserError
            What landing and binding raise: with those nothing can be asked.
        """
        self.land(progress)
        _, findings = self._examined(progress)
        return findings

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
            status quo, *never*, the brief's own, and a random dummy.
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
        given = [policies] if isinstance(policies, str) else [*policies]
        written = given or [*self.brief.rehearse.policies]
        label = None if name is None else checked_name(name)
        first, last = span_of(from_at, to_at)
        chosen = parse_policies(
            written or ["status quo", "never", self.brief.policy.refit.when, "random 10%"], self.brief.actions
        )
        with self._lock("a rehearsal"):
            self._land_files(progress)
            data = {f"data.{source}": self._data_digest(source) for source in self.brief.source}
            history, findings = self._examined(progress)
            walk = walk_through(history, from_at=first, to_at=last)
            workshop = self._workshop(history, progress)
            manifest = {**self._manifest(walk), **data}
            place = self.folder.rehearsal(label or f"{self.brief.brief.name}-{seal_of(manifest)[:8]}")
            place.claim(manifest)
            runs = [
                self._run(policy, history, workshop, walk, place, manifest, progress) for policy in chosen
            ]
            if progress:
                progress("comparing: model cards", 0, 0)
            for file, text in cards(runs, workshop, brief=self.brief):
                write_whole(place.root / CARDS / file, text.encode())
            compared = compare_runs(history, runs, workshop=workshop, span=walk, progress=progress)
        return Rehearsed(self.brief, place.root, history, compared, findings, stores)

    def export(self) -> Iterator[bytes]:
        """Give the ledger's canonical export, a line of JSON per fact; none before anything landed."""
        if not self.folder.ledger.exists():
            return iter(())
        return export(fact for _, fact in self._ledger.read())

    def _workshop(self, history: History, progress: Progress | None) -> Workshop:
        learners = make_learners(self.brief.candidates, threads=available_threads())
        return Workshop(history, learners, blobs=self._blobs, recipe=made_with(), progress=progress)

    def _manifest(self, walk: Walk) -> dict[str, str]:
        return {
            "brief": self._brief_digest,
            "from_at": format_instant(walk.from_at),
            "to_at": format_instant(walk.to_at),
            "made_with": made_with(),
        }

    def _data_digest(self, source: str) -> str:
        """Digest what is known of a source: content and when it became known, not how it was stored."""
        schema = self._schema(source)
        rows = self._tables.read(self._table(source), [VERSION, KNOWN, ORDER, DELETED])
        return digest(repr(schema), logical_hash(rows))

    @cached_property
    def _brief_digest(self) -> str:
        # What is compared doesn't change any run.
        canonical = self.brief.model_copy(update={"rehearse": type(self.brief.rehearse)()})
        return digest(json.dumps(canonical.canonical()))

    def _run(
        self,
        policy: Policy,
        history: History,
        workshop: Workshop,
        walk: Walk,
        place: ProjectFolder,
        manifest: dict[str, str],
        progress: Progress | None,
    ) -> Run:
        folder = place.within(slug(policy.name))
        folder.prepare()
        sealed = {**manifest, "policy": policy.name}
        with stores(folder.root) as (tables, ledger):
            facts = [fact for _, fact in ledger.read()]
            if facts and getattr(facts[0], "manifest", None) != seal_of(sealed):
                raise name_taken(folder.root)
            workshop.make_again(fact for fact in facts if isinstance(fact, ModelFitted))
            write_whole(folder.brief, self._text.encode())
            folder.claim(sealed)
            rehearsal = Rehearsal(
                history, workshop, policy=policy, span=walk, tables=tables, ledger=ledger, progress=progress
            )
            state = rehearsal.run(seal_of(sealed), self._brief_digest)
            facts = [fact for _, fact in ledger.read()]
        fits = tuple(fact for fact in facts if isinstance(fact, ModelFitted))
        refused = tuple(fact for fact in facts if isinstance(fact, FitRefused))
        return Run(policy.name, rehearsal.action, fits, state, refused)

    def _examined(self, progress: Progress | None) -> tuple[History, list[Finding]]:
        if progress:
            progress("assembling cases and outcomes", 0, 0)
        schemas = {name: self._schema(name) for name in self.brief.source}
        bound = bind_brief(self.brief, schemas)
        used = used_columns(self.brief, bound)
        aside = self.quarantine()
        history = assemble(
            self.brief,
            {name: self.versions(name, used[name]) for name in self.brief.source},
            bound=bound,
            threads=available_threads(),
            progress=progress,
            quarantine=aside,
        )
        if progress:
            progress("assembling cases and outcomes", 1, 1)
            progress("checking", 0, 0)
        findings = check_history(history, aside)
        if progress:
            progress("checking", 1, 1)
        return history, findings

    def _table(self, source: str) -> str:
        return table_of(source, self.brief.source[source])

    def _schema(self, source: str) -> pl.Schema:
        """Give the source's own columns, without ours."""
        if not self._tables.exists(self._table(source)):
            raise UserError(
                "data.not-landed",
                "A source has no data yet",
                happened=f"nothing was landed for {source} with the key and times that it has now",
                expected="rows",
                fix="run wholeroad land, or land_rows from Python",
            )
        schema = self._tables.schema(self._table(source))
        return pl.Schema({name: kind for name, kind in schema.items() if name not in SYSTEM})

    @cached_property
    def _intake(self) -> Intake:
        return Intake(self._tables, self._ledger)

    def _land_files(self, progress: Progress | None) -> list[BatchLanded]:
        facts = []
        for position, (name, source) in enumerate(self.brief.source.items()):
            if source.read == "none":
                continue
            if progress:
                progress(f"landing: {name}", position, len(self.brief.source))
            path = self.folder.root / source.read
            origin = file_digest(path, source.model_dump_json())
            if self._intake.landed(name, source, origin=origin):
                continue
            stored = self._intake.types(name, source)
            rows, bad = read_rows(path, source.types, stored=stored, shown=source.read)
            fact = self._intake.take(
                name, source, rows=rows, bad=bad, now=self._clock.now(), imported=True, origin=origin
            )
            facts.append(fact)
        if progress:
            progress("landing", 1, 1)
        return facts

    def _known(self, source: str) -> SourceTable:
        if source not in self.brief.source:
            raise UserError(
                "brief.unknown-source",
                "There is no such source",
                happened=f"was {source!r}",
                expected=f"one of {', '.join(self.brief.source)}",
                fix="name a source of the brief",
            )
        return self.brief.source[source]

    def _lock(self, purpose: str) -> AbstractContextManager[None]:
        self.folder.prepare()
        return held(self.folder.inner, purpose=purpose, since=format_instant(self._clock.now()))
