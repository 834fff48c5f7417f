"""What a rehearsal brought, as frames and as a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from wholeroad.core.facts import export
from wholeroad.core.ids import digest
from wholeroad.core.ports import Ledger, Tables
from wholeroad.engine.book import TABLE
from wholeroad.engine.comparing import Compared
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.data.history import History
from wholeroad.road.data.rules import Finding
from wholeroad.road.watch.frames import to_frame
from wholeroad.road.watch.results import Comparison


@dataclass(frozen=True)
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
    stores
        Opens the tables and the ledger of a policy's folder.
    """

    brief: Brief
    folder: Path
    history: History
    compared: Compared
    findings: list[Finding]
    stores: Callable[[Path], AbstractContextManager[tuple[Tables, Ledger]]] = field(repr=False)

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
        """Give every decision of one policy: key, probabilities, action, expected value."""
        with self.stores(self._of(policy)) as (tables, _):
            return tables.read(TABLE)

    def export(self, policy: str) -> Iterator[bytes]:
        """Give the canonical export of one policy's ledger."""
        with self.stores(self._of(policy)) as (_, ledger):
            yield from export(fact for _, fact in ledger.read())

    def _of(self, policy: str) -> Path:
        return self.folder / slug(parse_policy(policy).name)


def slug(policy: str) -> str:
    """Name a policy's folder: no two policies share one, and none leaves its parent.

    Examples
    --------
    >>> slug("every 30d"), slug("random 10%")
    ('every-30d', 'random-10-percent')
    """
    plain = policy.replace("%", "-percent").replace(" ", "-")
    safe = re.sub(r"[^A-Za-z0-9.-]", "-", plain)
    known = re.fullmatch(r"never|status quo|every [0-9.a-z]+|random [0-9.]+%|always [A-Za-z0-9]+", policy)
    return safe if known else f"{safe.replace('.', '-')}-{digest(policy)[:6]}"
