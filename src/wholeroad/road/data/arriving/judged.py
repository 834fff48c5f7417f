"""Rows that have been read and judged, before they are compared with what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.data.row_versions import Row


@dataclass(slots=True)
class Judged:
    """Rows in the types of their columns, and what is wrong with some of them.

    Attributes
    ----------
    values
        Physical values of each row, in the order of the columns; None where something is wrong with it.
    happened_at, claimed_at
        Of each row.
    blamed
        Code and reason of the others, by place.
    schema
        The columns, where these rows have fixed them.
    mended, broken
        See :class:`~wholeroad.road.data.arriving.taken.TakenRows`.
    """

    values: list[list[Any] | None]
    happened_at: Sequence[Instant | None]
    claimed_at: Sequence[Instant | None]
    blamed: dict[int, tuple[str, str]] = field(default_factory=dict)
    schema: pl.Schema | None = None
    mended: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, int] = field(default_factory=dict)

    def refuse(self, columns: Iterable[str], refused: Callable[[Row], tuple[str, str] | None]) -> None:
        """Blame rows that can't be taken, by the code and the reason that are given for them."""
        columns = list(columns)
        for place, values in enumerate(self.values):
            if values is None:
                continue
            blame = refused(dict(zip(columns, values, strict=True)))
            if blame is not None:
                self.values[place], self.blamed[place] = None, blame

    def put(self, found: Judged, places: Sequence[int]) -> None:
        """Put rows that were judged apart in their places."""
        happened, claimed = list(self.happened_at), list(self.claimed_at)
        for row, place in enumerate(places):
            self.values[place] = found.values[row]
            happened[place], claimed[place] = found.happened_at[row], found.claimed_at[row]
            if row in found.blamed:
                self.blamed[place] = found.blamed[row]
        self.happened_at, self.claimed_at = happened, claimed
