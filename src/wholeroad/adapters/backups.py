"""Copies of a project's files, and whether they still are what was copied: SQLite, Delta, and the rest."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self
from urllib.parse import unquote

import polars as pl

from wholeroad.adapters.flushing import flush_folders
from wholeroad.adapters.folders import seal_of, write_whole
from wholeroad.adapters.sqlite_errors import refusal
from wholeroad.core.errors import TryLaterError, UserError, unusable
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Progress

MANIFEST: Final = "backup.json"
FORMAT: Final = 1

_CHUNK: Final = 1 << 20
_DIGITS: Final = 20
"""Of a commit's number in the name of its file."""

_BESIDE: Final = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a backup: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(slots=True)
class Backup:
    """What a backup says of itself; its manifest.

    Attributes
    ----------
    made_at
        When it was begun: what was acknowledged by then is in it.
    made_with
        The versions of what wrote it.
    name
        The brief's.
    counts
        Of facts, records of the hot log, decisions, and so on.
    files
        By their place in the backup.
    """

    made_at: Instant
    made_with: str
    name: str
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, Kept] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(kept.size for kept in self.files.values())

    def write(self, folder: Path) -> None:
        """Write the manifest, whole; with it, and not before, the folder is a backup."""
        said = self._said()
        write_whole(folder / MANIFEST, _canonical({**said, "seal": seal_of(said)}))
        flush_folders(folder)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a manifest.

        Raises
        ------
        UserError
            ``backup.absent``, ``backup.damaged``, ``project.format``.
        """
        path = folder / MANIFEST
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise _absent(folder) from None
        except OSError as error:
            raise unusable(path, str(error)) from error
        try:
            said = json.loads(data)
            seal = said.pop("seal")
            if seal != seal_of(said) or data != _canonical({**said, "seal": seal}):
                raise damaged(folder, [f"{MANIFEST}: isn't what was written"])
            if said.pop("format") > FORMAT:
                raise _newer(path)
            files = {_checked(name): Kept(**kept) for name, kept in said.pop("files").items()}
            return cls(**said, files=files)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise damaged(folder, [f"{MANIFEST}: {error}"]) from error

    def _said(self) -> dict[str, Any]:
        files = {name: {"size": kept.size, "sha256": kept.sha256} for name, kept in self.files.items()}
        return {
            "format": FORMAT,
            "made_at": self.made_at,
            "made_with": self.made_with,
            "name": self.name,
            "counts": self.counts,
            "files": files,
        }


def copy_file(source: Path, to: Path) -> Kept:
    """Copy a file, flushed to the disk, and digest what was read.

    Raises
    ------
    UserError
        ``project.unusable``, ``backup.uncopied``.
    """
    state, size = hashlib.sha256(), 0
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reader, to.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                state.update(chunk)
                size += len(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
    except FileNotFoundError as error:
        raise _uncopied(source, "it was gone") from error
    except OSError as error:
        raise unusable(error.filename or to, error.strerror or str(error)) from error
    return Kept(size, state.hexdigest())


def digest_file(path: Path) -> Kept:
    """Digest a file."""
    with path.open("rb") as reader:
        found = hashlib.file_digest(reader, "sha256").hexdigest()
    return Kept(path.stat().st_size, found)


def copy_sqlite(source: Path, to: Path) -> None:
    """Copy a SQLite file as it is at one instant, while others write to it; the copy stands alone.

    Raises
    ------
    UserError
        ``project.unusable``, ``backup.uncopied``.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)) as reader,
            closing(sqlite3.connect(to, isolation_level=None)) as writer,
        ):
            reader.backup(writer)
            writer.execute("pragma journal_mode = delete")
    except sqlite3.Error as error:
        raise refusal(source, error) or _uncopied(source, f"SQLite said: {error}") from error


def table_at(folder: Path, upto: Mapping[str, int]) -> int:
    """Give the newest version of a Delta table in which no writer is beyond its limit; -1 for none.

    Parameters
    ----------
    upto
        By writer: the greatest version of its own; writers that aren't named have no limit.
    """
    commits = sorted((folder / "_delta_log").glob("[0-9]*.json"), reverse=True)
    if not commits:
        return -1
    found = int(commits[0].stem)
    for commit in commits:
        lines = [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines()]
        said = [line["txn"] for line in lines if "txn" in line and line["txn"]["appId"] in upto]
        if any(each["version"] > upto[each["appId"]] for each in said):
            found = int(commit.stem) - 1
        elif said:
            break
    return found


def table_files(folder: Path, version: int) -> Iterator[Path]:
    """Give the files that a version of a Delta table is made of: its log up to then, and its rows."""
    from deltalake import DeltaTable

    for path in sorted((folder / "_delta_log").iterdir()):
        number = path.name[:_DIGITS]
        whole = path.suffix in {".json", ".parquet"} and not path.name.startswith("_")
        if whole and number.isdigit() and int(number) <= version:
            yield path
    added = pl.DataFrame(DeltaTable(folder, version=version).get_add_actions(flatten=True))
    for name in sorted(added["path"]):
        yield folder / unquote(name)


def other_files(inner: Path, without: frozenset[str]) -> Iterator[Path]:
    """Give the files below a folder that are neither SQLite's nor being written just now.

    Parameters
    ----------
    without
        Names in the folder itself that are left out.
    """
    for path in sorted(inner.rglob("*")):
        first = path.relative_to(inner).parts[0]
        passing = path.name.endswith(_BESIDE) or path.name.startswith(".") or path.suffix == ".sqlite"
        if first not in without and not passing and path.is_file():
            yield path


def verify(folder: Path, backup: Backup, *, progress: Progress | None = None) -> None:
    """Hold every file of a backup against its digest.

    Raises
    ------
    UserError
        ``backup.damaged``, naming each file.
    """
    wrong, done = [], 0
    for name, kept in backup.files.items():
        try:
            same = digest_file(folder / name) == kept
        except FileNotFoundError:
            wrong.append(f"{name}: is missing")
        except OSError as error:
            wrong.append(f"{name}: {error.strerror or error}")
        else:
            if not same:
                wrong.append(f"{name}: isn't what was written")
        done += kept.size
        if progress:
            progress("checking the files", done, max(backup.size, 1))
    if wrong:
        raise damaged(folder, wrong)


def damaged(folder: Path, wrong: list[str]) -> UserError:
    """Say what of a backup is damaged."""
    more = f"; and {len(wrong) - 8} more" if len(wrong) > 8 else ""
    return UserError(
        "backup.damaged",
        "The backup is damaged",
        happened=f"in {folder}: {'; '.join(wrong[:8])}{more}",
        expected="every file as it was written",
        fix="take another copy of the backup, or an older one",
    )


def _checked(name: str) -> str:
    """Refuse a place outside of the backup."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        message = f"{name!r} is no place in a backup"
        raise ValueError(message)
    return name


def _canonical(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, indent=1).encode() + b"\n"


def _absent(folder: Path) -> UserError:
    return UserError(
        "backup.absent",
        "There is no backup here",
        happened=f"{folder / MANIFEST} was not there",
        expected="a folder that wholeroad backup wrote to its end",
        fix="name the folder of the backup; one that was cut short is of no use, make another",
    )


def _newer(path: Path) -> UserError:
    return UserError(
        "project.format",
        "The backup is newer than this version",
        happened=f"{path} says a format above {FORMAT}",
        expected=f"{FORMAT} or lower",
        fix="install a newer wholeroad",
    )


def _uncopied(source: Path, happened: str) -> UserError:
    return TryLaterError(
        "backup.uncopied",
        "A file can't be copied",
        happened=f"{source}: {happened}",
        expected="a sound file that stays where it is",
        fix="try again, into another folder; if it says the same, the project itself is damaged",
    )
