"""What the office is asked to do, one job after the other, by whoever serves the project."""

from __future__ import annotations

import base64
import dataclasses
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.locks import held
from wholeroad.core.errors import FaultsError, RoadError, TryLaterError
from wholeroad.core.facts import encode
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Progress
from wholeroad.engine.fold import fold
from wholeroad.engine.kept_briefs import keep_text, text_in_force
from wholeroad.engine.service.moving import moved_through
from wholeroad.engine.service.office import FitsMade
from wholeroad.left_over import refuse_left_behind
from wholeroad.project import Project
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.work import read_brief

PATIENCE_S: Final = 30.0
"""How long a job waits for the office of a service that was killed."""


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Take in what the hot log has, land the files, and open the road or take up a changed brief.

    Attributes
    ----------
    most_cycles
        How many cycles are run that were begun and not noted; what came after the next of them stays in the
        hot log. None: all are run.
    """

    now: Instant
    land: bool = True
    most_cycles: int | None = None


class Seal(msgspec.Struct, frozen=True, tag="seal"):
    """Move rows into the tables, and seal the decisions before an instant."""

    now: Instant
    until_at: Instant


class Cycle(msgspec.Struct, frozen=True, tag="cycle"):
    """Seal what came before a cycle, and run it."""

    now: Instant
    cycle_at: Instant
    done: list[Instant] = []
    failed: dict[str, tuple[str, str]] = {}


class Fit(msgspec.Struct, frozen=True, tag="fit"):
    """Make a fit on the cut of an instant."""

    now: Instant
    asked_at: Instant


Job = Open | Seal | Cycle | Fit


class Came(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a job came to.

    Attributes
    ----------
    facts
        Of a cycle, in their canonical encoding, in base 64.
    through
        Records of the hot log that aren't needed any more.
    error
        What a user can mend or has to report, by the attributes of the error.
    """

    facts: list[str] = []
    through: int = 0
    error: dict[str, Any] | None = None

    def decoded(self) -> list[bytes]:
        """Give the facts' bytes."""
        return [base64.b64decode(fact) for fact in self.facts]


class Jobs:
    """Does jobs for the project in a folder; whoever asks holds its lock.

    Parameters
    ----------
    folder
        The project's.
    brief
        The text of the brief that is served; that in the folder may have been edited since.
    """

    def __init__(self, folder: Path, brief: str, *, progress: Progress | None = None) -> None:
        self._folder = folder
        self._brief = brief
        self._progress = progress
        self._clock = SteppedClock()

    @cached_property
    def _project(self) -> Project:
        place = ProjectFolder.at(self._folder)
        place.check_format()
        brief = read_brief(self._brief, name=str(place.brief))
        return Project(place, brief, text=self._brief, clock=self._clock)

    @property
    def _in_force(self) -> Project:
        """Give the project under the brief in force: what the hot log has was acknowledged under that one."""
        yard = self._project.yard
        digest = fold(yard.facts).brief
        text = text_in_force(yard.blobs, digest) if digest else None
        if text is None or digest == digests(yard.brief).brief:
            return self._project
        return Project(yard.folder, read_brief(text), text=text, clock=self._clock)

    @cached_property
    def _log(self) -> SqliteHotLog:
        return SqliteHotLog(self._project.folder.hot)

    def close(self) -> None:
        """Let the hot log go."""
        self._log.close()

    def run(self, job: Job) -> Came:
        """Do one job; an error of ours or of the user comes back as a value."""
        self._clock.step_to(max(job.now, self._clock.now()))
        try:
            if isinstance(job, Fit):  # it writes blobs alone, which are named by what is in them
                return self._done(job)
            with self._alone(job.now):
                return self._done(job)
        except RoadError as error:
            return Came(error=as_said(error))

    def _alone(self, now: Instant) -> AbstractContextManager[None]:
        """Wait for an office whose service was killed: it ends by itself, and may be writing until then."""
        place = ProjectFolder.at(self._folder).inner / "office"
        return held(place, purpose="the office of a service", since=format_instant(now), wait_s=PATIENCE_S)

    def _done(self, job: Job) -> Came:
        yard, log = self._project.yard, self._log
        office = yard.operation.office(log, yard.blobs)
        match job:
            case Open():
                before = self._in_force.yard
                log.start_after(moved_through(yard.facts, before.brief, tables=yard.tables))
                through = before.operation.office(log, yard.blobs).absorb(most_cycles=job.most_cycles)
                refuse_left_behind(yard.brief, before.brief, ledger=yard.ledger)
                if job.land:
                    yard.operation.open(
                        lambda _: yard.operation.land(yard.folder.root, yard.intake, progress=self._progress),
                        self._progress,
                    )
                keep_text(yard.blobs, yard.brief, text=self._brief)
                return Came(through=through)
            case Seal():
                return Came(through=office.seal(job.until_at))
            case Cycle():
                through = office.seal(job.cycle_at)
                failed = {int(at): said for at, said in job.failed.items()}
                made = office.cycle(job.cycle_at, FitsMade(frozenset(job.done), failed))
                said = [base64.b64encode(encode(fact)).decode() for fact in made]
                return Came(facts=said, through=through)
            case Fit():
                office.fit(job.asked_at)
                return Came()


def as_said(error: RoadError) -> dict[str, Any]:
    """Give an error as plain data."""
    said: dict[str, Any] = {
        "code": error.code,
        "headline": error.headline,
        "happened": error.happened,
        "expected": error.expected,
        "fix": error.fix,
    }
    if isinstance(error, TryLaterError):
        said["later"] = True
    if isinstance(error, FaultsError):
        said["faults"] = [dataclasses.asdict(fault) for fault in error.faults]
        said["happened"] = "; ".join(f"{fault.where}: {fault.happened}" for fault in error.faults)
    return said
