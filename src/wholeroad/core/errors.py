"""Errors that say what happened, what was expected, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_USER = 2
EXIT_OURS = 3
EXIT_LATER = 75


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    Attributes
    ----------
    code
        Stable, dotted, as in ``brief.unknown-action``; each has a lesson.
    where
        The place as the user wrote it: ``[feature] hour``, ``flights.parquet, row 12``.
    happened, expected, fix
        One sentence each. Say "was", never "got".
    """

    code: str
    where: str
    happened: str
    expected: str
    fix: str

    def __str__(self) -> str:
        """Give the fault as three short lines."""
        return f"{self.where}: {self.happened}\n  expected: {self.expected}\n  fix: {self.fix}  [{self.code}]"


class RoadError(Exception):
    """Base of all errors; on its own, a fault of ours.

    Parameters
    ----------
    code, headline, happened, expected, fix
        See :class:`Fault`; the headline is one line without a full stop.
    """

    exit_code = EXIT_OURS

    def __init__(self, code: str, headline: str, *, happened: str, expected: str, fix: str) -> None:
        self.code = code
        self.headline = headline
        self.happened = happened
        self.expected = expected
        self.fix = fix
        super().__init__(f"{headline} [{code}]")

    def __str__(self) -> str:
        """Give the error as a short text for a person."""
        return (
            f"{self.headline}  [{self.code}]\n"
            f"  happened: {self.happened}\n  expected: {self.expected}\n  fix: {self.fix}"
        )


class UserError(RoadError):
    """Something that the user can mend; printed without a traceback."""

    exit_code = EXIT_USER


class TryLaterError(UserError):
    """Nothing is wrong but the moment: a lock is held, a database is away."""

    exit_code = EXIT_LATER


def unusable(path: object, reason: str) -> UserError:
    """Make the error for a file or folder that the system refuses: ``project.unusable``."""
    return UserError(
        "project.unusable",
        "A file or folder can't be used",
        happened=f"{path}: {reason}" if path else reason,
        expected="a folder that may be read and written, with space left, and files where files belong",
        fix="mend its rights, free space, or move what stands in the way; then give the same command again",
    )


class FaultsError(UserError):
    """Several faults at once, so that one round of mending is enough."""

    def __init__(self, headline: str, faults: Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = tuple(faults)
        if not self.faults:
            message = "FaultsError needs at least one fault"
            raise ValueError(message)
        first = self.faults[0]
        super().__init__(
            first.code,
            headline,
            happened=f"{len(self.faults)} fault(s) were found",
            expected="none",
            fix="mend each of them; they are listed below",
        )

    def __str__(self) -> str:
        """List every fault."""
        return "\n".join([self.headline, *(f"- {fault}" for fault in self.faults)])
