"""What a rehearsal brought, as frames and as a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import export
from wholeroad.core.ids import digest
from wholeroad.core.instants import Instant, format_instant, to_instant
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.book import TABLE
from wholeroad.engine.comparing import Compared
from wholeroad.road.brief.assumptions import Assumption
from wholeroad.road.brief.contract import NAME, Brief
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.data.history import History
from wholeroad.road.data.rules import Finding
from wholeroad.road.watch.frames import to_frame
from wholeroad.road.watch.results import Comparison

NAME_LETTERS: Final = 64
"""Longer names are no folder's on some systems."""


@dataclass(frozen=True, repr=False)
class Rehearsed:
    """What a rehearsal brought, as frames and as a folder.

    Attributes
    ----------
    folder
        With one project folder for each policy.
    compared
        The comparison and the frames behind it.
    findings
        What the check found, the gravest first.
    assumptions
        What nobody has confirmed of the brief: its lines marked ``# assumed``.
    stores
        Opens the tables and the ledger of a policy's folder.
    """

    brief: Brief
    folder: Path
    history: History
    compared: Compared
    findings: list[Finding]
    stores: Callable[[Path], AbstractContextManager[tuple[Tables, Ledger]]] = field(repr=False)
    assumptions: tuple[Assumption, ...] = ()

    def __repr__(self) -> str:
        """Say where it is, and which policies were compared."""
        return f"<Rehearsed {self.brief.brief.name!r} in {self.folder}: {', '.join(self._names)}>"

    @property
    def comparison(self) -> Comparison:
        """The policies side by side, as objects."""
        return self.compared.comparison

    @property
    def policies(self) -> pl.DataFrame:
        """One row for each policy: money with interval, paired differences, regrets, fits."""
        return to_frame(self.compared.comparison)

    @property
    def money_over_time(self) -> pl.DataFrame:
        """``policy, at, value, cumulative``: by the day on which cases were decided."""
        return self.compared.money_over_time

    @property
    def calibration(self) -> pl.DataFrame:
        """Predicted and observed shares by policy and bin."""
        return self.compared.calibration

    @property
    def fits(self) -> pl.DataFrame:
        """One row for each fit of each policy."""
        return self.compared.fits

    def decisions(self, policy: str) -> pl.DataFrame:
        """Give every decision of one policy: key, probabilities, action, expected value.

        Raises
        ------
        UserError
            ``rehearse.not-run``, naming the policies that were.
        """
        with self.stores(self._of(policy)) as (tables, _):
            return tables.read(TABLE)

    def export(self, policy: str) -> Iterator[bytes]:
        """Give the canonical export of one policy's ledger; errors as of :meth:`decisions`."""
        return self._lines(self._of(policy))

    def _lines(self, folder: Path) -> Iterator[bytes]:
        with self.stores(folder) as (_, ledger):
            yield from export(fact for _, fact in ledger.read())

    @property
    def _names(self) -> list[str]:
        names = (money.policy for money in self.comparison.policies)
        return [name for name in names if (self.folder / slug(name)).is_dir()]

    def _of(self, policy: str) -> Path:
        try:
            name = parse_policy(policy).name
        except ValueError:
            name = policy
        if name not in self._names:
            raise UserError(
                "rehearse.not-run",
                "This policy wasn't rehearsed",
                happened=f"was {policy!r}",
                expected=f"one of {', '.join(self._names)}",
                fix="name one of them, or rehearse it as well",
            )
        return self.folder / slug(name)


def checked_name(name: str) -> str:
    """Give a rehearsal's name back if it can be a folder's; ``rehearse.name`` otherwise."""
    if re.fullmatch(NAME, name) is None or len(name) > NAME_LETTERS:
        raise UserError(
            "rehearse.name",
            "The name can't be a folder's",
            happened=f"--name was {name!r}",
            expected=f"a letter, then letters, digits, - and _; {NAME_LETTERS} at most",
            fix="choose such a name, or leave it out",
        )
    return name


def tables_gone(error: UserError, folder: Path, *, mending: str) -> UserError:
    """Say how a run is mended whose tables can't be read: ``rehearse.tables``."""
    if error.code not in ("tables.missing", "tables.broken"):
        return error
    return UserError(
        "rehearse.tables",
        "The decisions of a rehearsal are gone or damaged",
        happened=f"in {folder}: {error.headline}; {error.happened}",
        expected="the decisions that its ledger speaks of",
        fix=mending,
    )


def span_of(
    from_at: Instant | str | date | None, to_at: Instant | str | date | None
) -> tuple[Instant | None, Instant | None]:
    """Give the bounds of a rehearsal as instants: ``rehearse.date``, ``rehearse.span`` otherwise."""
    try:
        first = None if from_at is None else to_instant(from_at)
        last = None if to_at is None else to_instant(to_at)
    except ValueError as error:
        raise UserError(
            "rehearse.date",
            "A bound of the rehearsal is no date",
            happened=str(error).partition(";")[0],
            expected="a date, a date-time, a text of one, or microseconds since 1970",
            fix="write it as '2013-03-01' or '2013-03-01T06:00:00Z'",
        ) from None
    if first is not None and last is not None and first >= last:
        raise UserError(
            "rehearse.span",
            "The rehearsal would end before it begins",
            happened=f"it was to go from {format_instant(first)} to {format_instant(last)}",
            expected="an end after the beginning",
            fix="exchange them, or leave one out",
        )
    return first, last


def slug(policy: str) -> str:
    """Name a policy's folder: no two policies share one, and none leaves its parent.

    Examples
    --------
    >>> slug("every 30d"), slug("random 10%")
    ('every-30d', 'random-10-percent')
    """
    plain = policy.replace("%", "-percent").replace(" ", "-")
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", plain)[:NAME_LETTERS]
    plainly = r"never|status quo|incumbent|every [0-9.a-z]+|random [0-9.]+%|always [a-z0-9_]{1,40}"
    known = re.fullmatch(plainly, policy)
    return safe if known else f"{safe.replace('.', '-')}-{digest(policy)[:6]}"
