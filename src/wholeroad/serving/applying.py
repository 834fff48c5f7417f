"""A changed brief on its way into a running service: asked for in the folder, taken up at a cycle."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from wholeroad.adapters.folders import ProjectFolder, write_whole
from wholeroad.core.instants import Instant


class Asked(msgspec.Struct, frozen=True):
    """A brief that somebody wants to be in force.

    Attributes
    ----------
    brief
        Its text.
    """

    brief: str
    asked_at: Instant


def ask(folder: ProjectFolder, brief: str, *, now: Instant) -> None:
    """Ask the service to take up a brief at its next cycle, instead of any that was asked for before."""
    write_whole(_path(folder), msgspec.json.encode(Asked(brief, now)))


def asked(folder: ProjectFolder) -> Asked | None:
    """Give what is asked for; None where nothing is."""
    try:
        return msgspec.json.decode(_path(folder).read_bytes(), type=Asked)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def answered(folder: ProjectFolder) -> None:
    """Say that what was asked for is done, or refused."""
    with suppress(FileNotFoundError):
        _path(folder).unlink()


def _path(folder: ProjectFolder) -> Path:
    return folder.inner / "apply.json"
