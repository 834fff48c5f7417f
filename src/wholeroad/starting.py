"""The way in from a file: look at it, ask a few questions, write a brief that says what was guessed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from wholeroad.adapters.csv_files import read_texts
from wholeroad.adapters.encodings import ends_of, fitting_encoding
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.folders import ProjectFolder, write_whole
from wholeroad.adapters.ndjson_files import ENDINGS
from wholeroad.core.errors import UserError
from wholeroad.project import Project, open_project
from wholeroad.road.brief.draft import name_in
from wholeroad.road.brief.questions import NAMES, Question
from wholeroad.road.brief.sources import CsvTable, SourceTable
from wholeroad.road.data.casting import INSTANT, infer
from wholeroad.road.data.drafting import Drafted, Origin, draft_brief
from wholeroad.road.data.interview import Interview
from wholeroad.road.data.profile import Profile, profile
from wholeroad.road.data.profile_layout import find_layout
from wholeroad.road.data.profile_spelling import Spelling, find_spelling
from wholeroad.road.data.telling import about_file, about_table, about_unread

Ask = Callable[[Question], str]
"""Gives the answer to a question; an empty one takes the guess."""

_KINDS: Final = (".csv", ".parquet", *ENDINGS)


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked at.

    Attributes
    ----------
    path
        As named: a file, a folder of dumps, a pattern, or a query.
    database
        The environment variable with the address of the query's database.
    profile
        Of the file, or of the newest dump.
    words
        What was seen, in sentences.
    """

    path: Path | str
    profile: Profile
    csv: CsvTable | None
    types: tuple[tuple[str, str, int], ...]
    words: tuple[str, ...]
    dumps: int = 0
    database: str | None = None

    @property
    def name(self) -> str:
        """What the project is called unless said: the file's name, or the folder's of dumps."""
        if self.database:
            return _asked(str(self.path))
        path = Path(self.path)
        if not self.dumps:
            return path.stem
        return next((part for part in reversed(path.parts) if not re.search(r"[*?\[.]", part)), "dumps")


def start(
    path: str | Path,
    into: str | Path | None = None,
    *,
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    database: str | None = None,
) -> Project:
    """Write a brief for a file, and open its project.

    Parameters
    ----------
    path
        A CSV, Parquet or NDJSON file; a folder of dumps of one table, or a pattern such as ``dumps/*.csv``;
        with ``database``, a query.
    into
        The project's folder, made where it isn't there; named after the file, beside the current
        folder's files, unless said.
    answers
        By the names of :data:`~wholeroad.road.brief.questions.NAMES`; what isn't answered is guessed and
        marked ``# assumed`` in the brief.
    ask
        Asked what ``answers`` leaves open.
    database
        The environment variable that holds the address of the database that ``path`` is a query of.

    Returns
    -------
    Project
        Its brief read and sound; nothing has landed yet.

    Raises
    ------
    UserError
        ``start.brief-there``: a brief is never overwritten; ``start.no-outcome``, ``start.no-key``,
        ``start.answer``; ``data.file-empty``, also where there is no row, and those of reading the file.

    Examples
    --------
    >>> import wholeroad
    >>> project = wholeroad.start("orders.csv", answers={"outcome": "returned = yes"})  # doctest: +SKIP
    >>> project.check()  # doctest: +SKIP
    """
    folder = folder_for(path, into, database=database)
    looked = look(path) if database is None else look_up(str(path), database, folder=folder)
    interview = interview_for(looked, answers or {})
    for name in interview.names:
        text = (answers or {}).get(name)
        if text is None:
            text = ask(interview.question(name)) if ask is not None else ""
        interview.answer(name, text)
    return write(looked, interview, folder=folder)


def interview_for(looked: Looked, answers: Collection[str] = ()) -> Interview:
    """Begin the interview about a file.

    Parameters
    ----------
    answers
        Names of the questions that will be answered.

    Raises
    ------
    UserError
        ``start.answer`` where one of them isn't asked.
    """
    interview = Interview(looked.profile, dumped=looked.dumps > 0)
    for name in answers:
        if name not in interview.names:
            raise _no_question(name, interview.names)
    return interview


def folder_for(
    path: str | Path, into: str | Path | None = None, *, database: str | None = None
) -> ProjectFolder:
    """Choose the project's folder, and refuse one that has a brief.

    Raises
    ------
    UserError
        ``start.brief-there``.
    """
    stem = _stem(Path(path)) if database is None else _asked(str(path))
    folder = ProjectFolder(Path(into) if into is not None else Path(name_in(stem, "project")))
    if folder.brief.exists():
        raise UserError(
            "start.brief-there",
            "There is a brief already",
            happened=f"{folder.brief} was there",
            expected="a folder without a brief: what somebody wrote is never overwritten",
            fix="name another folder with --into, or delete the brief",
        )
    return folder


def look(path: str | Path) -> Looked:
    """Look at a file: how it is written, what is in it.

    Raises
    ------
    UserError
        Those of reading files; ``data.dumps-missing``.
    """
    path = Path(path)
    files = _files(path)
    file = files[-1] if files else path
    dumps = len(files) if path.is_dir() or files != [path] else 0
    newest = (f"{dumps} dumps; looked at the newest, {file.name}.",) if dumps else ()
    if file.suffix.lower() != ".csv" or not file.is_file():
        rows = read_rows(file, {}, shown=str(path))
        seen = _profiled(rows.frame, str(path))
        return Looked(path, seen, None, (), (*newest, *about_unread(rows.bad), *about_table(seen)), dumps)
    csv, spelling = inspect(file)
    rows = read_rows(file, spelling.types, shown=str(file), csv=csv)
    seen = _profiled(rows.frame, str(file))
    types = tuple((name, kind, spelling.strange[name]) for name, kind in spelling.types.items())
    said = (*newest, *about_file(csv, spelling), *about_unread(rows.bad), *about_table(seen))
    return Looked(path, seen, csv, types, said, dumps)


def look_up(query: str, database: str, *, folder: ProjectFolder) -> Looked:
    """Look at what a query gives.

    Parameters
    ----------
    database
        The environment variable with the address.
    folder
        The project's, from which a relative SQLite file is found.

    Raises
    ------
    UserError, TryLaterError
        Those of asking databases.
    """
    from wholeroad.adapters.databases import spool

    source = SourceTable(read=query, key="key", static=True, database=database)
    with TemporaryDirectory(prefix="wholeroad-", ignore_cleanup_errors=True) as place:
        rows = spool(folder.root, "start", source=source, into=Path(place)).path
        frame = read_rows(rows, {}, shown="the query").frame
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
        types = {name: "instant" for name in texts if infer(frame[name]) == INSTANT}
        seen = _profiled(read_rows(rows, types, shown="the query").frame, "the query")
    kinds = tuple((name, kind, 0) for name, kind in types.items())
    return Looked(query, seen, None, kinds, about_table(seen), database=database)


def inspect(path: Path) -> tuple[CsvTable, Spelling]:
    """Find how a CSV is written: its encoding, layout and spelling.

    Raises
    ------
    UserError
        Those of reading files.
    """
    encoding = fitting_encoding(path)
    layout = find_layout(*ends_of(path, encoding))
    plain = CsvTable(
        separator=layout.separator,
        encoding=encoding,
        header_line=layout.header_line,
        footer_lines=len(layout.below),
    )
    texts, verdict = read_texts(path, plain, name=path.name)
    spelling = find_spelling(texts.filter(verdict.fine()), separator=layout.separator)
    csv = plain.model_copy(
        update={
            "decimal": spelling.decimal,
            "thousands": spelling.thousands,
            "dates": spelling.dates,
            "nulls": spelling.nulls,
        }
    )
    return csv, spelling


def write(looked: Looked, interview: Interview, *, folder: ProjectFolder) -> Project:
    """Write the brief of an interview in which everything is answered, and open its project."""
    drafted = drafted_for(looked, interview, folder=folder)
    folder.root.mkdir(parents=True, exist_ok=True)
    write_whole(folder.brief, drafted.draft.text().encode())
    return open_project(folder.root)


def drafted_for(looked: Looked, interview: Interview, *, folder: ProjectFolder) -> Drafted:
    """Draft the brief, with the way from the folder to the file."""
    path = looked.path
    read = path if isinstance(path, str) else _relative(path, folder.root)
    origin = Origin(looked.name, read, looked.csv, looked.types, looked.database)
    return draft_brief(interview, origin)


def _profiled(frame: pl.DataFrame, shown: str) -> Profile:
    if not frame.height:
        raise UserError(
            "data.file-empty",
            f"{shown}: there are no rows",
            happened=f"there were {frame.width} columns, and no row that could be read",
            expected="rows of the past, of which some say how it came out",
            fix="export it with its rows; without any data, begin from a brief, which says what to collect",
        )
    return profile(frame)


def _asked(query: str) -> str:
    """Name a query by the first table that it reads."""
    table = re.search(r"\bfrom\s+[\"`\[]?([\w.]+)", query, re.IGNORECASE)
    return table.group(1).rpartition(".")[2] if table else "query"


def _stem(path: Path) -> str:
    return path.parent.name if re.search(r"[*?\[]", path.name) else path.stem


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = [each for each in path.iterdir() if each.suffix.lower() in _KINDS]
    elif not path.is_file() and re.search(r"[*?\[]", str(path)):
        found = list(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    else:
        return [path]
    files = sorted(each for each in found if each.is_file() and not each.name.startswith("."))
    if not files:
        raise UserError(
            "data.dumps-missing",
            f"{path}: there are no dumps",
            happened="nothing was found there that ends in .csv, .parquet, .ndjson or .jsonl",
            expected="one file or more",
            fix="for a query, add --database with the variable that holds the database's address"
            if re.match(r"\s*(select|with)\s", str(path), re.IGNORECASE)
            else "name a file, a folder with dumps of one table, or a pattern such as 'dumps/*.csv'",
        )
    return files


def _relative(path: Path, root: Path) -> str:
    try:
        way = os.path.relpath(path.absolute(), root.absolute())
    except ValueError:  # another drive
        return path.absolute().as_posix()
    return Path(way).as_posix()


def _no_question(name: str, names: tuple[str, ...]) -> UserError:
    asked = name in NAMES
    return UserError(
        "start.answer",
        "An answer has no question",
        happened=f"was {name!r}" + (", which is not asked of this table" if asked else ""),
        expected=f"one of {', '.join(names)}",
        fix="leave it out, or correct its name",
    )
