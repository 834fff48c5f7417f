"""A project on disk: where things lie in its folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wholeroad.core.errors import UserError
from wholeroad.core.ids import digest

FORMAT: Final = 1
"""Of the folder ``.wholeroad``; a newer one is refused."""


@dataclass(frozen=True, slots=True)
class ProjectFolder:
    """One folder: ``brief.toml``, the user's data, ``.wholeroad/`` and ``rehearsals/``."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> ProjectFolder:
        """Give the folder that a user named, by itself or by its ``brief.toml``."""
        return cls(path.parent if path.name == "brief.toml" and not path.is_dir() else path)

    @property
    def brief(self) -> Path:
        """The brief."""
        return self.root / "brief.toml"

    @property
    def inner(self) -> Path:
        """``.wholeroad``: everything that is ours."""
        return self.root / ".wholeroad"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.inner / "ledger.sqlite"

    @property
    def hot(self) -> Path:
        """The log of what is acknowledged and not in the tables yet."""
        return self.inner / "hot.sqlite"

    @property
    def tokens(self) -> Path:
        """Who may use the service: digests of tokens, with their roles."""
        return self.inner / "tokens.json"

    @property
    def tables(self) -> Path:
        """The folder of tables."""
        return self.inner / "tables"

    @property
    def blobs(self) -> Path:
        """The folder of models, fits and scores."""
        return self.inner / "blobs"

    @property
    def mending(self) -> str:
        """What a user can do when the ledger or the tables are broken."""
        if self.manifest.is_file():
            return f"delete {self.root} and run the rehearsal again: it is made from the project's data"
        return (
            f"restore {self.ledger} from a copy; without one, delete it with its -wal and -shm and land "
            f"again: the rows in {self.tables} stay, only the record of past batches is lost"
        )

    @property
    def manifest(self) -> Path:
        """What a rehearsal was given; a project has none."""
        return self.root / "manifest.json"

    def rehearsal(self, name: str) -> ProjectFolder:
        """Give the folder of a rehearsal, laid out like a project."""
        return ProjectFolder(self.root / "rehearsals" / name)

    def within(self, name: str) -> ProjectFolder:
        """Give a folder inside this one, laid out like a project."""
        return ProjectFolder(self.root / name)

    def prepare(self) -> None:
        """Make ``.wholeroad`` with its format, before anything is written into it.

        Raises
        ------
        UserError
            ``project.format``.
        """
        path = self.inner / "format"
        if not path.exists():
            write_whole(path, f"{FORMAT}\n".encode())
        self.check_format()

    def check_format(self) -> None:
        """Refuse a ``.wholeroad`` that is newer than this version; nothing is written.

        Raises
        ------
        UserError
            ``project.format``.
        """
        path = self.inner / "format"
        if not path.exists():
            return
        written = path.read_text(encoding="utf-8", errors="replace").strip()
        if not written.isdigit() or int(written) > FORMAT:
            raise UserError(
                "project.format",
                "The project's folder is newer than this version",
                happened=f"{path} says {written!r}",
                expected=f"{FORMAT} or lower",
                fix="install a newer wholeroad",
            )

    def read_brief(self) -> str:
        """Read the text of the brief.

        Raises
        ------
        UserError
            ``brief.absent``, ``brief.encoding``.
        """
        try:
            return self.brief.read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(
                "brief.absent",
                "There is no brief here",
                happened=f"{self.brief} was not there",
                expected="a folder with a brief.toml",
                fix="name the project's folder, as in wholeroad check path/to/project",
            ) from None
        except UnicodeDecodeError as error:
            raise UserError(
                "brief.encoding",
                "The brief can't be read",
                happened=f"{self.brief} is no UTF-8 text: {error.reason} at byte {error.start}",
                expected="UTF-8",
                fix="save it as UTF-8",
            ) from None

    def claim(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest with its seal, unless the folder belongs to another one.

        Raises
        ------
        UserError
            ``rehearse.name-taken``.
        """
        seal = seal_of(manifest)
        if self.manifest.exists():
            try:
                kept = json.loads(self.manifest.read_text(encoding="utf-8")).get("seal")
            except (ValueError, AttributeError):
                kept = None
            if kept != seal:
                raise name_taken(self.root)
        text = json.dumps({**manifest, "seal": seal}, sort_keys=True, indent=2)
        write_whole(self.manifest, text.encode() + b"\n")


def name_taken(folder: Path) -> UserError:
    """Say that a folder was begun with other inputs."""
    return UserError(
        "rehearse.name-taken",
        "The name belongs to another rehearsal",
        happened=f"{folder} was begun with another brief, data, span or version",
        expected="the same inputs, or a name that is free",
        fix="choose another --name, leave it out, or delete that folder",
    )


def seal_of(manifest: Mapping[str, Any]) -> str:
    """Give a manifest's seal: a digest of all that it says."""
    return digest(json.dumps(manifest, sort_keys=True, separators=(",", ":")))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def file_digest(path: Path, settings: str) -> str:
    """Digest a file's bytes with the settings it is read by; empty when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return digest(hashlib.file_digest(file, "blake2b").digest(), settings)
