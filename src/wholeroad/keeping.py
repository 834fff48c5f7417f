"""Backup and restore: a copy of a project that runs, consistent in itself, and a project made of it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from wholeroad.adapters.backups import (
    MANIFEST,
    Backup,
    copy_file,
    copy_sqlite,
    damaged,
    digest_file,
    other_files,
    table_at,
    table_files,
    verify,
)
from wholeroad.adapters.flushing import flush, flush_folders
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.ledgers import SqliteLedger
from wholeroad.adapters.made_with import made_with
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.errors import UserError, unusable
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Progress
from wholeroad.engine.book import TABLE
from wholeroad.engine.book import WRITER as ENGINE
from wholeroad.engine.facts import decode
from wholeroad.engine.fold import fold
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.engine.sealing import digest_of_rows
from wholeroad.engine.service.moving import WRITER, accounted_through, moved_through
from wholeroad.left_over import hot_records
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.work import read_brief
from wholeroad.road.watch.facts import SpanDecided

_LEFT_OUT: Final = frozenset({"tables", "lock.json", "arriving"})
"""Of ``.wholeroad``: tables are copied by their log, and the others are of the process that runs."""

_NO_COPY: Final = frozenset({"lock.sqlite", "scratch.sqlite"})
_UNDER_WAY: Final = ".wholeroad.restoring"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a backup holds, and what was asked of it.

    Attributes
    ----------
    spans, judged
        Sealed spans of decisions, and those whose digest was computed again. Spans from before a change of
        the brief are judged by their number alone where the brief of today can't tell their digest.
    hot
        Records that were acknowledged and aren't in the tables yet.
    """

    backup: Backup
    spans: int
    judged: int
    hot: int


def back_up(folder: ProjectFolder, to: Path, *, now: Instant, progress: Progress | None = None) -> Backup:
    """Copy a project, also while it runs; neither its lock nor its answers wait for it.

    In the copy are the brief, the ledger, the hot log, tables, blobs and tokens; not the files that its
    sources were read from, nor its rehearsals. Everything that was acknowledged before it began is in it, and
    it is in a state in which the project could have been killed, because of the order:

    1. *The hot log.* What is in no table yet is there.
    2. *The ledger.* Records are let go of only when it accounts for them; so what the copied log lacks, the
       copied ledger accounts for, and what that accounts for is in the tables.
    3. *The tables*, each up to the last commit that the copied ledger knows of. Rows that were moved
       after it was copied stay out: the next move brings those of the copied log, once.
    4. *The rest*, of which nothing is ever changed.

    Parameters
    ----------
    to
        A folder that isn't there, or is empty.
    now
        When it is made.

    Raises
    ------
    UserError
        ``backup.not-empty``, ``backup.uncopied``, ``project.unusable``, and what reading the brief raises.
    """
    text = folder.read_brief()
    brief = read_brief(text, name=str(folder.brief))
    folder.check_format()
    _refuse_used(to, "the backup")
    if to.resolve().is_relative_to(folder.inner.resolve()):
        raise unusable(to, "a backup can't lie within what it is a backup of")
    backup = Backup(now, made_with(), brief.brief.name)
    copying = _Copying(folder, to, backup, tell=progress or (lambda *_: None))
    copying.file(folder.brief)
    facts = copying.logs()
    copying.tables(_limits(brief, facts))
    copying.rest()
    backup.counts |= {"facts": len(facts), "decisions": fold(facts).decided}
    backup.write(to)
    return backup


def restore(backup: Path, to: Path | None, *, progress: Progress | None = None) -> Verified:
    """Make a project of a backup again, or only verify it.

    Every file is held against its digest, the ledger is folded, the decisions are held against
    the ledger's digests, and every record of the hot log is read.

    Parameters
    ----------
    to
        The project's folder: not there, or empty. None only verifies; nothing is left behind.

    Raises
    ------
    UserError
        ``backup.absent``, ``backup.damaged``, ``backup.not-empty``, ``project.unusable``.
    """
    said = Backup.read(backup)
    if to is not None:
        left_over = to / _UNDER_WAY
        if left_over.is_dir() and [*to.iterdir()] == [left_over]:
            shutil.rmtree(left_over)  # of a restoring that was cut short
        _refuse_used(to, "the project")
    verify(backup, said, progress=progress)
    if to is None:
        with TemporaryDirectory() as place:
            return _made(backup, said, Path(place), progress=progress)
    to.mkdir(parents=True, exist_ok=True)
    made = _made(backup, said, to / _UNDER_WAY, progress=progress)
    for path in sorted((to / _UNDER_WAY).iterdir()):
        path.rename(to / path.name)
    (to / _UNDER_WAY).rmdir()
    flush_folders(to)
    return made


@dataclass(slots=True)
class _Copying:
    """A backup under way."""

    folder: ProjectFolder
    to: Path
    backup: Backup
    tell: Progress
    _folders: set[Path] = field(default_factory=set)

    def file(self, path: Path) -> None:
        """Copy a file to its place."""
        name = path.relative_to(self.folder.root).as_posix()
        self.backup.files[name] = copy_file(path, self.to / name)

    def logs(self) -> list[Fact]:
        """Copy the hot log, then the ledger, then whatever else is SQLite's; give the ledger's facts."""
        inner = self.folder.inner
        first = [self.folder.hot, self.folder.ledger]
        others = sorted(path for path in inner.glob("*.sqlite") if path.name not in _NO_COPY)
        for path in dict.fromkeys([*first, *others]):
            if path.exists():
                self.tell(f"copying {path.name}", 0, 0)
                copy = self.to / path.relative_to(self.folder.root)
                copy_sqlite(path, copy)
                self.tell(f"copying {path.name}", 1, 1)
        copied = ProjectFolder(self.to)
        facts = _facts(copied)
        self.backup.counts["hot records"] = sum(1 for _ in hot_records(copied))
        for path in sorted(copied.inner.glob("*.sqlite")):
            flush(path)
            self.backup.files[path.relative_to(self.to).as_posix()] = digest_file(path)
        return facts

    def tables(self, limits: Mapping[str, Mapping[str, int]]) -> None:
        """Copy the tables, each up to the commit that the ledger knows of."""
        folders = [path for path in sorted(self.folder.tables.glob("*")) if path.is_dir()]
        for number, table in enumerate(folders):
            self.tell("copying tables", number, len(folders))
            version = table_at(table, limits.get(table.name, {}))
            if version >= 0:
                for path in table_files(table, version):
                    self.file(path)
                self.backup.counts[f"version of {table.name}"] = version
        self.tell("copying tables", 1, 1)

    def rest(self) -> None:
        """Copy everything else."""
        paths = [*other_files(self.folder.inner, _LEFT_OUT)]
        for number, path in enumerate(paths):
            self.tell("copying blobs", number, len(paths))
            self.file(path)
        self.tell("copying blobs", 1, 1)
        flush_folders(*{(self.to / name).parent for name in self.backup.files})


def _limits(brief: Brief, facts: list[Fact]) -> dict[str, dict[str, int]]:
    """Give, by table, up to which version of its writers the ledger knows of it."""
    accounted = accounted_through(facts)
    tables = {
        of(name, source): {WRITER: accounted.get(name, 0)}
        for name, source in brief.source.items()
        for of in (table_of, quarantine_of)
    }
    return {**tables, TABLE: {ENGINE: fold(facts).spans}}


def _made(backup: Path, said: Backup, to: Path, *, progress: Progress | None) -> Verified:
    """Copy a backup's files, and ask of the copy what a project must be able to answer."""
    done = 0
    for name, kept in said.files.items():
        if copy_file(backup / name, to / name) != kept:
            raise damaged(backup, [f"{name}: isn't what was written"])
        done += kept.size
        if progress:
            progress("copying", done, max(said.size, 1))
    flush_folders(*{(to / name).parent for name in said.files})
    folder = ProjectFolder(to)
    brief = read_brief(folder.read_brief(), name=str(backup / "brief.toml"))
    facts, tables = _facts(folder), DeltaTables(folder.tables)
    state = fold(facts)
    counts = {
        "facts": len(facts),
        "decisions": state.decided,
        "hot records": sum(1 for _ in hot_records(folder)),
    }
    if wrong := [f"{name} are {count}" for name, count in counts.items() if said.counts.get(name) != count]:
        raise damaged(backup, wrong)
    if progress:
        progress("checking decisions", 0, 0)
    judged = _judged(backup, said, brief, facts=facts, tables=tables)
    if progress:
        progress("checking decisions", 1, 1)
    if folder.hot.exists():
        log = SqliteHotLog(folder.hot)
        log.start_after(moved_through(facts, brief, tables=tables))
        log.close()
    return Verified(said, state.spans, judged, counts["hot records"])


def _judged(backup: Path, said: Backup, brief: Brief, *, facts: list[Fact], tables: DeltaTables) -> int:
    """Hold the decisions of every span against the ledger; give how many could be judged by their digest."""
    spans = [*_spans(facts)]
    if not spans:
        return 0
    if not tables.exists(TABLE):
        raise damaged(backup, ["the table of decisions is missing"])
    table = tables.read(TABLE)
    rows = table.partition_by("span", as_dict=True)
    alike = _polars(said.made_with) == _polars(made_with())  # ids of cases are its hashes
    judged, wrong = 0, []
    for number, (fact, of_today) in enumerate(spans, 1):
        found = rows.get((number,), table.clear())
        if found.height != fact.count:
            wrong.append(f"the decisions of span {number} are not {fact.count}")
        elif alike:
            same = digest_of_rows(brief, found) == fact.digest
            judged += same
            if of_today and not same:
                wrong.append(f"the decisions of span {number} are not those that were sealed")
    if wrong:
        raise damaged(backup, wrong)
    return judged


def _spans(facts: list[Fact]) -> Iterator[tuple[SpanDecided, bool]]:
    """Give the spans, and whether they were decided under the last brief that was read."""
    briefs = [place for place, fact in enumerate(facts) if isinstance(fact, BriefRead)]
    last = briefs[-1] if briefs else -1
    for place, fact in enumerate(facts):
        if isinstance(fact, SpanDecided):
            yield fact, place > last


def _polars(made: str) -> str:
    return next((part for part in made.split() if part.startswith("polars==")), "")


def _facts(folder: ProjectFolder) -> list[Fact]:
    if not folder.ledger.exists():
        return []
    ledger = SqliteLedger(folder.ledger, decode, mending="restore another backup")
    try:
        return [fact for _, fact in ledger.read()]
    finally:
        ledger.close()


def _refuse_used(folder: Path, what: str) -> None:
    try:
        used = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise unusable(folder, str(error)) from error
    if used:
        cut_short = "" if (folder / MANIFEST).exists() else "; a backup that was cut short may be deleted"
        raise UserError(
            "backup.not-empty",
            f"There is something where {what} should go",
            happened=f"{folder} was there, with something in it",
            expected="a folder that is empty, or not there",
            fix=f"name another one{cut_short}",
        )
