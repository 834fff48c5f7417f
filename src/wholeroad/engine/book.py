"""The decisions of one run: in memory by case, sealed span by span."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Tables
from wholeroad.core.view import Codes
from wholeroad.engine.fold import State
from wholeroad.engine.sealing import key_columns, span_fact, span_frame
from wholeroad.road.data.cases import DECIDED, key_hash
from wholeroad.road.data.history import History
from wholeroad.road.data.own_decisions import with_own_decisions
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Decided
from wholeroad.road.watch.facts import SpanDecided
from wholeroad.road.watch.rules import unbooked

TABLE: Final = "decisions"
WRITER: Final = "engine"


class Book:
    """Decisions by the case's position.

    Attributes
    ----------
    action
        Shape (n,), -1 where nothing was decided.
    booked
        Shape (n,), the truth by which the case is booked.
    propensity
        Shape (n,), with which the action was chosen; None where the brief leaves nobody alone by chance.
    """

    def __init__(self, history: History, tables: Tables) -> None:
        self._history = history
        self._tables = tables
        count = len(history.features)
        self.action = np.full(count, -1, dtype=history.status_quo.dtype)
        self.booked = unbooked(count, history.timeline.truth_code.dtype)
        leaves_alone = history.brief.policy.no_action is not None
        self.propensity = np.ones(count) if leaves_alone else None

    def restore(self, state: State, *, seen_at: Instant) -> None:
        """Take up the sealed decisions, and what was settled by the last cycle.

        What the ledger doesn't know of is ignored: a span whose seal was cut short.

        Parameters
        ----------
        seen_at
            The last cycle that settled.

        Raises
        ------
        UserError
            ``live.other-columns``, ``live.other-actions``: a changed brief doesn't fit what was decided.
        """
        if not state.spans:
            return
        self._refuse_other_columns()
        history = self._history
        names = key_columns(history.brief)
        wanted = ["span", "action", *names, *(["propensity"] if self.propensity is not None else [])]
        sealed = self._tables.read(TABLE, wanted).filter(pl.col("span") <= state.spans)
        codes = {name: code for code, name in enumerate(history.brief.actions)}
        if gone := sorted(set(sealed["action"].unique()) - codes.keys()):
            raise _other_actions(gone)
        actions = sealed["action"].cast(pl.String).replace_strict(codes, return_dtype=pl.Int16).to_numpy()
        # By key, not by place: a brief that was changed may have put the cases into another order.
        asked = sealed.select(key_hash(names)).to_series().to_numpy()
        order = np.argsort(history.cases.ids)
        ids = history.cases.ids[order]
        places = np.minimum(np.searchsorted(ids, asked), max(ids.size - 1, 0))
        there = ids[places] == asked if ids.size else np.zeros(asked.size, dtype=bool)
        self.action[order[places[there]]] = actions[there]
        if self.propensity is not None:
            chances = sealed["propensity"].fill_null(1.0).to_numpy()
            self.propensity[order[places[there]]] = chances[there]
        truth = history.as_of(seen_at).truth()
        mine = np.flatnonzero(self.action[: truth.size] >= 0)
        self.booked[mine] = truth[mine]

    def recorded(self, history: History) -> History:
        """Give the history with these decisions as what was done to their cases."""
        mine = np.flatnonzero(self.action >= 0)
        nothing = np.full(mine.size, np.nan)
        return with_own_decisions(
            history,
            ids=self._history.cases.ids[mine],
            action=self.action[mine],
            propensity=nothing if self.propensity is None else self.propensity[mine],
        )

    def write(self, cases: NDArray[np.int64], decided: Decided) -> None:
        """Note the decisions of some cases, by position."""
        self.action[cases] = decided.action
        if self.propensity is not None and decided.propensity is not None:
            self.propensity[cases] = decided.propensity

    def seal(
        self,
        plan: Plan,
        decided: Decided,
        *,
        cases: NDArray[np.int64],
        span: int,
        at: Instant,
        until_at: Instant,
    ) -> SpanDecided:
        """Append a span's decisions to the table, once, and give the fact to put on the ledger."""
        if cases.size or not self._tables.exists(TABLE):
            self._tables.append(TABLE, self._frame(plan, decided, cases, span), writer=WRITER, version=span)
        ids = self._history.cases.ids[cases]
        return span_fact(ids, decided, plan=plan, at=at, until_at=until_at)

    def _refuse_other_columns(self) -> None:
        history = self._history
        nothing = joined([], len(history.brief.prediction))
        mine = self._frame(Plan(), nothing, np.empty(0, dtype=np.int64), 0).schema
        stored = self._tables.schema(TABLE)
        if dict(mine) != dict(stored):
            raise _other_columns(mine, stored)

    def _frame(self, plan: Plan, decided: Decided, cases: NDArray[np.int64], span: int) -> pl.DataFrame:
        history = self._history
        frame = history.cases.frame[cases]
        return span_frame(
            history.brief,
            frame.select(history.cases.key),
            decided_at=frame[DECIDED],
            decided=decided,
            plan=plan,
            span=span,
        )


def _other_columns(mine: pl.Schema, stored: pl.Schema) -> UserError:
    other = [name for name in {**stored, **mine} if mine.get(name) != stored.get(name)]
    return UserError(
        "live.other-columns",
        "The table of decisions has other columns than the brief asks for",
        happened=f"the brief was changed, and {', '.join(other)} would come, go, or hold another type",
        expected="the columns that decisions have had since the first run",
        fix="put the case's key, the classes and [policy.no_action] back, or begin in a new folder",
    )


def _other_actions(gone: list[str]) -> UserError:
    return UserError(
        "live.other-actions",
        "Actions were taken that the brief doesn't name",
        happened=f"cases were decided {', '.join(map(repr, gone))}, and [value] has no such action any more",
        expected="every action that was ever taken: its money is settled by the brief",
        fix="keep it in [value], with what it is worth",
    )


def joined(parts: list[Decided], width: int) -> Decided:
    """Put the decisions of consecutive cycles together."""
    if not parts:
        return Decided(np.empty(0, dtype=np.int8), np.empty((0, width)), np.empty(0))
    chances = [np.ones(part.action.size) if part.propensity is None else part.propensity for part in parts]
    drawn = any(part.propensity is not None for part in parts)
    left = [np.zeros(part.action.size, dtype=bool) if part.left is None else part.left for part in parts]
    return Decided(
        np.concatenate([part.action for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.expected for part in parts]),
        np.concatenate(chances) if drawn else None,
        np.concatenate(left) if any(part.left is not None for part in parts) else None,
    )


def money(history: History, action: Codes, *, truth: Codes) -> NDArray[np.float64]:
    """Give the money of every case, NaN where its truth isn't known or nothing was decided."""
    worth = np.full(action.size, np.nan)
    known = np.flatnonzero((truth >= 0) & (action >= 0))
    worth[known] = history.values.take(known).money(action[known], truth=truth[known])
    return worth
