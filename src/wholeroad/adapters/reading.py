"""Where rows come from: a file, successive dumps, or a query; each gives readings, one for each batch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from wholeroad.adapters.databases import spool
from wholeroad.adapters.dumps import Dump, dumps_of
from wholeroad.adapters.files import Rows, read_rows
from wholeroad.adapters.folders import ProjectFolder, file_digest
from wholeroad.adapters.ndjson_files import ENDINGS
from wholeroad.adapters.slicing import csv_slices, ndjson_slices, parquet_slices
from wholeroad.core.instants import Instant
from wholeroad.road.brief.sources import CsvTable, SourceTable
from wholeroad.road.data.casting import JointTypes
from wholeroad.road.data.facts import SourceHeld
from wholeroad.road.data.mending.raw import read_as_text
from wholeroad.road.data.presence import words

_HERE: Final = "arriving"
"""The folder in ``.wholeroad`` for what is on its way in; emptied before and after."""


class Landed(Protocol):
    """What a reader must know of what has landed: the engine's intake."""

    def landed(self, name: str, source: SourceTable, *, origin: str) -> bool:
        """Tell whether this was the source's last batch."""

    def origins(self, name: str, source: SourceTable) -> frozenset[str]:
        """Give the origins of all of its batches."""

    def types(self, name: str, source: SourceTable) -> dict[str, str]:
        """Give the types of its columns, as landed or as declared."""

    def held(self, name: str) -> SourceHeld | None:
        """Give the batch that is held back, and that others wait for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows to be landed as one batch.

    Attributes
    ----------
    shown
        How messages name what is read.
    origin
        Digest of what is read, with the source's settings; for a query, of its rows.
    parts
        The rows and those that could not be read, a part at a time; to be taken once, before the next
        reading is asked for.
    dumped_at
        When the rows were taken from where they live, as the name of a dump tells.
    """

    shown: str
    origin: str
    parts: Iterator[Rows]
    dumped_at: Instant | None = None


def readings(root: Path, name: str, *, source: SourceTable, landed: Landed) -> Iterator[Reading]:
    """Give everything that is to be landed for a source, a batch after the other.

    What has landed already is left out: a file or a query whose rows were the last batch, and every
    dump that ever was one. While a batch is held back nothing else is read, except what has its name and
    says something else. Types are those of earlier landings; the first time, those of all parts.

    Parameters
    ----------
    root
        The project's folder.
    name, source
        The source's name and table in the brief; one with ``read = "none"`` gives nothing.
    landed
        The intake; asked again for each reading, so that each must be taken before the next is asked for.

    Raises
    ------
    UserError
        ``data.dumps-missing``, ``data.dump-undated``, and what reading files and databases raises.
    TryLaterError
        ``database.away``.
    """
    if source.read == "none":
        return
    with _folder(ProjectFolder(root).inner / _HERE) as into:
        if source.database is not None:
            query = spool(root, name, source=_plain(source), into=into)
            shown = f"the query of {name}"
            if not landed.landed(name, source, origin=query.origin) and not _waits(
                landed.held(name), shown, query.origin
            ):
                parts = _parts(
                    query.path,
                    source,
                    shown=f"[source.{name}] read",
                    into=into,
                    types=_later(landed, name, source),
                )
                yield Reading(shown, query.origin, parts)
            return
        path = root / source.read
        dumps = dumps_of(root, name, source=source)
        if dumps is None:
            origin = file_digest(path, _plain(source).reading())
            if not landed.landed(name, source, origin=origin) and not _waits(
                landed.held(name), source.read, origin
            ):
                parts = _parts(path, source, shown=source.read, into=into, types=_later(landed, name, source))
                yield Reading(source.read, origin, parts)
            return
        there = landed.origins(name, source)
        for dump in dumps:
            origin = _origin(dump, source)
            if origin not in there and not _waits(landed.held(name), dump.shown, origin):
                parts = _parts(
                    dump.path, source, shown=dump.shown, into=into, types=_later(landed, name, source)
                )
                yield Reading(dump.shown, origin, parts, dump.at)
                there = landed.origins(name, source)  # others may have come with it, from raw rows


def _origin(dump: Dump, source: SourceTable) -> str:
    """Digest a dump: the same bytes of another day are another dump, under another name they aren't."""
    return file_digest(dump.path, f"{_plain(source).reading(beside={'read'})} {dump.at}")


def _plain(source: SourceTable) -> SourceTable:
    """Leave out what doesn't change the rows as they are read: another mend makes no other file of it."""
    return source.model_copy(update={"mend": None, "contract": None})


def _waits(held: SourceHeld | None, shown: str, origin: str) -> bool:
    """Tell whether something has to wait for a batch that is held: all but another file of its name.

    A file that isn't there has no origin, and takes nobody's place.
    """
    return held is not None and (held.read != shown or origin in ("", held.origin))


def required_types(source: SourceTable) -> dict[str, str]:
    """Give the declared types that the columns of a file must have; a mend may make them first."""
    return source.types if source.mend is None else {}


def _later(landed: Landed, name: str, source: SourceTable) -> Callable[[], Mapping[str, str]]:
    return lambda: landed.types(name, source)


def _parts(
    path: Path, source: SourceTable, *, shown: str, into: Path, types: Callable[[], Mapping[str, str]]
) -> Iterator[Rows]:
    stored, required = dict(types()), required_types(source)
    with _named(into):
        if set(stored) <= {*source.types, *read_as_text(source)} or source.mend is not None:
            stored = _joint_types(path, source, shown=shown, into=into) | stored
        for part, csv in _slices(path, source, into):
            yield read_rows(part, required, stored=stored, shown=shown, csv=csv)


def _slices(path: Path, source: SourceTable, into: Path) -> Iterator[tuple[Path, CsvTable | None]]:
    # A static source is landed whole: rows that contradict each other are all set aside.
    if path.is_file() and not source.static:
        if path.suffix.lower() == ".csv":
            yield from csv_slices(path, source.csv or CsvTable(), into=into)
            return
        if path.suffix.lower() in ENDINGS:
            yield from ((each, source.csv or CsvTable()) for each in ndjson_slices(path, into=into))
            return
        if path.suffix.lower() == ".parquet":
            yield from ((each, None) for each in parquet_slices(path, into=into))
            return
    yield path, source.csv


def _joint_types(path: Path, source: SourceTable, *, shown: str, into: Path) -> dict[str, str]:
    """Find the types that all slices of a CSV belong to; what is in one piece tells them by itself."""
    joint = JointTypes()
    for part, csv in _slices(path, source, into):
        if part == path or csv is None:
            return {}
        joint.add(read_rows(part, required_types(source), shown=shown, csv=csv).frame)
    return words(joint.kinds)


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Make an empty folder, and leave none behind; one that a killed process left is emptied."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        with _named(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say where the system refused to read or write, where it didn't say so itself."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
