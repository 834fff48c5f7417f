"""The decisions of one run: in memory by case, sealed span by span."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import digest_arrays
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Tables
from wholeroad.engine.fold import State
from wholeroad.road.data.cases import DECIDED
from wholeroad.road.data.history import History
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Decided
from wholeroad.road.watch.facts import SpanDecided
from wholeroad.road.watch.rules import unbooked

TABLE: Final = "decisions"
WRITER: Final = "engine"
OURS: Final = ("decided_at", "decided_by", "model", "action", "expected_value", "span")
"""Columns of the table; a column of the case's key with such a name is written as ``case.<name>``."""


class Book:
    """Decisions by the case's position.

    Attributes
    ----------
    action
        Shape (n,), -1 where nothing was decided.
    booked
        Shape (n,), the truth by which the case is booked.
    """

    def __init__(self, history: History, tables: Tables) -> None:
        self._history = history
        self._tables = tables
        count = history.features.height
        self.action = np.full(count, -1, dtype=np.int8)
        self.booked = unbooked(count)

    def restore(self, state: State, *, first: int, seen_at: Instant) -> None:
        """Take up the sealed decisions, and what was settled by the last cycle.

        What the ledger doesn't know of is ignored: a span whose seal was cut short.

        Parameters
        ----------
        first
            Position of the first case of the run.
        seen_at
            The last cycle that settled.
        """
        if not state.spans:
            return
        sealed = self._tables.read(TABLE, ["span", "action"]).filter(pl.col("span") <= state.spans)
        codes = {name: code for code, name in enumerate(self._history.brief.actions)}
        actions = sealed["action"].cast(pl.String).replace_strict(codes, return_dtype=pl.Int8).to_numpy()
        self.action[first : first + actions.size] = actions
        truth = self._history.as_of(seen_at).truth()
        mine = np.flatnonzero(self.action[: truth.size] >= 0)
        self.booked[mine] = truth[mine]

    def write(self, first: int, decided: Decided) -> None:
        """Note decisions from a position on."""
        self.action[first : first + decided.action.size] = decided.action

    def seal(
        self, plan: Plan, decided: Decided, *, first: int, span: int, at: Instant, until_at: Instant
    ) -> SpanDecided:
        """Append a span's decisions to the table, once, and give the fact to put on the ledger."""
        count = decided.action.size
        history = self._history
        ids = history.cases.ids[first : first + count]
        frame = self._frame(plan, decided, first=first, span=span)
        self._tables.append(TABLE, frame, writer=WRITER, version=span)
        return SpanDecided(
            at=at,
            until_at=until_at,
            decider=plan.decider,
            model=plan.model,
            count=count,
            digest=digest_arrays([ids, decided.action, decided.probabilities], "decisions"),
        )

    def _frame(self, plan: Plan, decided: Decided, *, first: int, span: int) -> pl.DataFrame:
        history = self._history
        rows = slice(first, first + decided.action.size)
        names = pl.Series(list(history.brief.actions), dtype=pl.String)
        classes = [f"p_{name}" for name in history.brief.outcome.classes]
        ours = {*OURS, *classes}
        return history.cases.frame[rows].select(
            *(pl.col(name).alias(f"case.{name}" if name in ours else name) for name in history.cases.key),
            pl.col(DECIDED).alias("decided_at"),
            pl.lit(plan.decider).alias("decided_by"),
            pl.lit(plan.model, dtype=pl.String).alias("model"),
            *(
                pl.Series(name, decided.probabilities[:, code]).fill_nan(None)
                for code, name in enumerate(classes)
            ),
            names.gather(pl.Series(decided.action.astype(np.uint32))).alias("action"),
            pl.Series("expected_value", decided.expected).fill_nan(None),
            pl.lit(span, dtype=pl.Int64).alias("span"),
        )


def joined(parts: list[Decided], classes: int) -> Decided:
    """Put the decisions of consecutive cycles together."""
    if not parts:
        return Decided(np.empty(0, dtype=np.int8), np.empty((0, classes)), np.empty(0))
    return Decided(
        np.concatenate([part.action for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.expected for part in parts]),
    )


def money(history: History, action: NDArray[np.int8], *, truth: NDArray[np.int8]) -> NDArray[np.float64]:
    """Give the money of every case, NaN where its truth isn't known or nothing was decided."""
    worth = np.full(action.size, np.nan)
    known = np.flatnonzero((truth >= 0) & (action >= 0))
    worth[known] = history.values.take(known).money(action[known], truth=truth[known])
    return worth
