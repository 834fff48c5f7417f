"""What a contract says of a batch: rows per clause, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokenClause:
    """A clause of a contract that a batch broke.

    Attributes
    ----------
    clause
        ``distance range``, ``distance null_share``, ``volume``.
    rows, of
        How many rows broke it, of how many that it was asked of. Of ``volume``: how many hours or days broke
        it, of all rows.
    said
        A sentence: the first row that broke it, or the figure of the whole batch.
    """

    clause: str
    rows: int
    of: int
    said: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a contract says of a whole batch.

    Attributes
    ----------
    rows
        Rows that were asked; those that something else was wrong with aren't counted.
    counts
        Rows per clause, the clauses that none broke included, in the order in which they were asked.
    holds
        Broken clauses that hold the batch back.
    warned
        Broken clauses that are only counted.
    aside
        Broken clauses whose rows are set aside.
    unasked
        Clauses that couldn't be asked, each with the reason.
    """

    rows: int
    counts: Mapping[str, int]
    holds: tuple[BrokenClause, ...] = ()
    warned: tuple[BrokenClause, ...] = ()
    aside: tuple[BrokenClause, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def broken(self) -> dict[str, int]:
        """Rows per broken clause, as in ``{"distance range": 3}``; a row may break several."""
        return {clause: rows for clause, rows in self.counts.items() if rows}
