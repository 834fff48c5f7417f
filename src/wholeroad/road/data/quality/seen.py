"""One source as the profile looks at it: its rows, their times, what the brief makes of each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.data.asked_columns import asked_columns
from wholeroad.road.data.cases import DECIDED
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.times_days import Clock
from wholeroad.road.data.quality.troubles import Touches
from wholeroad.road.data.quality.values_columns import Looked, Mask, look
from wholeroad.road.data.versions import DELETED, FIRST_KNOWN, HAPPENED, KNOWN, SUPERSEDED, Versions

CASE: Final = "_case"
"""The column of :attr:`Seen.decided`: the position of the row's case in the history."""

TRUTH: Final = "_truth"
"""The column of :attr:`Seen.with_truth`: the class that came true for the row's case."""

_EXAMPLES: Final = 5


@dataclass(frozen=True)
class Seen:
    """One source in view of its brief.

    Attributes
    ----------
    name, table
        The source's name and its table in the brief.
    versions
        Its row versions, all own columns, sorted by (known_at, order); a sample by key where there are many.
    share
        Share of the keys that are in the sample, 0 to 1; 1 when all are.
    history
        Cases, truth and values of the whole brief; None where it couldn't be put together.
    """

    brief: Brief
    name: str
    table: SourceTable
    versions: Versions
    history: History | None = None
    share: float = 1.0
    beside: Mapping[str, Versions] = field(default_factory=dict)
    """All row versions of the sources, with the columns that the brief uses at least; what rows refer to."""

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The newest version of each key that stands: own columns, and ``_happened_at``, ``_known_at``."""
        frame = self.versions.frame
        if self.versions.static:
            return frame
        newest = frame.filter(pl.col(SUPERSEDED).is_null() & ~pl.col(DELETED))
        return newest.select(*self.columns, HAPPENED, KNOWN)

    @cached_property
    def clock(self) -> Clock:
        """When each of :attr:`rows` happened, and when it first became known; of a source with times."""
        frame = self.versions.frame
        times = frame.filter(pl.col(SUPERSEDED).is_null() & ~pl.col(DELETED)).select(HAPPENED, FIRST_KNOWN)
        there = times.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
        happened, known = (times[name].to_physical().fill_null(0).to_numpy() for name in times.columns)
        return Clock(happened, known, there)

    @cached_property
    def decided(self) -> pl.DataFrame | None:
        """The rows of each case as known when it was decided, with :data:`CASE`; None where no case joins.

        All own columns. Rows that became known later are not in it.
        """
        if self.history is None or not self.key_of_case:
            return None
        cases = self.history.cases
        keys = dict(zip(self.key_of_case, cases.key, strict=True))
        frame = self.versions.frame
        told = cases.frame.select(
            *(pl.col(case).cast(frame.schema[own]).alias(own) for own, case in keys.items()),
            DECIDED,
            pl.int_range(pl.len(), dtype=pl.UInt32).alias(CASE),
        )
        joined = frame.join(told, on=list(keys), how="inner", maintain_order="left")
        if not self.versions.static:
            newest = pl.col(SUPERSEDED).is_null() | (pl.col(SUPERSEDED) > pl.col(DECIDED))
            joined = joined.filter((pl.col(KNOWN) <= pl.col(DECIDED)) & newest & ~pl.col(DELETED))
        return joined.select(*self.columns, CASE)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The source's own columns."""
        return tuple(name for name in self.versions.frame.columns if not name.startswith("_"))

    @cached_property
    def timed(self) -> bool:
        """Whether its rows have times."""
        return not self.versions.static

    @cached_property
    def touched(self) -> Mapping[str, Touches]:
        """The gravest use that the brief makes of each column."""
        uses: dict[str, Touches] = dict.fromkeys(self.columns, "nothing")
        for column in asked_columns(self.brief, self.name):
            if column.name in uses:
                uses[column.name] = _gravest(column.asked_by, column.roles)
        return uses

    def touches(self, *columns: str) -> Touches:
        """Give the gravest use of some columns; of whole rows, that of any column."""
        uses = [self.touched.get(column, "nothing") for column in columns or self.columns]
        return min(uses, key=GRAVITY.index, default="nothing")

    @cached_property
    def until(self) -> int | None:
        """The last instant that anything is known of, in microseconds; None where nothing has times."""
        if self.history is not None:
            return int(self.history.until)
        known = None if self.versions.static else self.versions.frame[KNOWN].cast(pl.Int64).max()
        return int(known) if isinstance(known, int) else None

    def in_order(self, time: str) -> NDArray[np.int64]:
        """Give the row numbers of :attr:`rows` in the order of ``_happened_at`` or ``_known_at``."""
        if time not in self._orders:
            order = self.rows.select(pl.arg_sort_by(time, maintain_order=True)).to_series()
            self._orders[time] = order.cast(pl.Int64).to_numpy()
        return self._orders[time]

    @cached_property
    def _orders(self) -> dict[str, NDArray[np.int64]]:
        return {}

    @cached_property
    def known_columns(self) -> frozenset[str]:
        """The columns that tell when a row became known, and not when it happened."""
        asked = asked_columns(self.brief, self.name)
        return frozenset(
            column.name
            for column in asked
            if "known_at" in column.roles and "happened_at" not in column.roles
        )

    @cached_property
    def times(self) -> frozenset[str]:
        """The columns that tell when a row happened or became known."""
        asked = asked_columns(self.brief, self.name)
        return frozenset(column.name for column in asked if {"happened_at", "known_at"} & {*column.roles})

    @cached_property
    def marks(self) -> dict[tuple[str, tuple[str, ...], str], Mask]:
        """The rows of each trouble that was told, by its code, columns and condition."""
        return {}

    @cached_property
    def corrected(self) -> bool:
        """Whether some rows have later versions."""
        return self.timed and bool(self.versions.frame[SUPERSEDED].is_not_null().any())

    @cached_property
    def places(self) -> Mapping[str, tuple[str, ...]]:
        """Where the brief reads each column, as its places are written; only columns that it reads."""
        return {column.name: column.asked_by for column in asked_columns(self.brief, self.name)}

    @cached_property
    def looked(self) -> Looked:
        """The own columns of :attr:`rows` by kind, with their distinct values."""
        keys = {*self.table.key, *self.key_of_case}
        return look(self.rows, self.columns, keys=frozenset(keys))

    @cached_property
    def key_of_case(self) -> tuple[str, ...]:
        """The columns that hold the case's key, in its order; empty where the source has none."""
        case = self.brief.source[self.brief.case.source]
        if self.name == self.brief.outcome.source and self.brief.outcome.by:
            return self.brief.outcome.by
        return case.key if set(case.key) <= set(self.columns) else ()

    @cached_property
    def truth(self) -> pl.Series | None:
        """The class that came true for each of :attr:`rows`, null where unknown; None where no case joins.

        In hindsight: the newest that is known. Of an outcome that is a number, the number.
        """
        if self.history is None or not self.key_of_case:
            return None
        history = self.history
        codes = _newest_truth(history)
        names = history.told.levels if history.told.levels is not None else self.brief.outcome.classes
        texts = pl.Series([*names, None])
        told = history.cases.frame.select(history.cases.key).with_columns(
            texts.gather(pl.Series(np.where(codes < 0, len(texts) - 1, codes).astype(np.uint32))).alias(TRUTH)
        )
        keys = dict(zip(self.key_of_case, history.cases.key, strict=True))
        own = self.rows.select(pl.col(own).cast(told.schema[case]).alias(case) for own, case in keys.items())
        return own.join(told, on=list(history.cases.key), how="left", maintain_order="left")[TRUTH]

    @cached_property
    def hit(self) -> pl.Series | None:
        """Whether the class that is looked for came true for each of :attr:`rows`; null where unknown.

        The rarest class where none is looked for; above the median, of an outcome that is a number.
        """
        truth = self.truth
        if truth is None:
            return None
        if truth.dtype.is_numeric():
            middle = truth.median()
            return pl.select(pl.lit(truth) > pl.lit(middle, dtype=pl.Float64)).to_series()
        wanted = self.brief.outcome.positive
        if wanted is None:
            counts = truth.drop_nulls().value_counts().sort("count", TRUTH)
            wanted = counts[TRUTH][0] if counts.height else ""
        return truth == wanted

    def cases_of(self, where: pl.Series) -> int | None:
        """Count the cases of the marked rows, scaled up if these are a sample; None where none join."""
        if not self.key_of_case:
            return None
        keys = self.rows.select(self.key_of_case).filter(where.fill_null(value=False))
        return round(keys.n_unique() / self.share) if keys.height else 0

    def examples(self, where: pl.Series, columns: tuple[str, ...] = ()) -> tuple[dict[str, Any], ...]:
        """Give the first rows that are marked: the key, then some columns, or as many as fit."""
        shown = dict.fromkeys([*self.table.key, *(columns or self.columns)])
        names = [name for name in shown if name in self.rows.columns][:8]
        some = self.rows.select(names).filter(where.fill_null(value=False)).head(_EXAMPLES)
        return tuple(some.iter_rows(named=True))


GRAVITY: Final[tuple[Touches, ...]] = ("truth", "case", "value", "time", "key", "feature", "nothing")


def _gravest(places: tuple[str, ...], roles: tuple[str, ...]) -> Touches:
    uses: list[Touches] = ["nothing"]
    for place in places:
        table = place.strip("[").partition("]")[0].partition(" ")[0].partition(".")[0]
        known: dict[str, Touches] = {
            "outcome": "truth",
            "case": "case",
            "value": "value",
            "feature": "feature",
            "incumbent": "feature",
        }
        uses.append(known.get(table, "nothing"))
    if {"happened_at", "known_at"} & set(roles):
        uses.append("time")
    if "key" in roles:
        uses.append("key")
    return min(uses, key=GRAVITY.index)


def _newest_truth(history: History) -> Codes:
    return history.as_of(history.until + 1).truth()
