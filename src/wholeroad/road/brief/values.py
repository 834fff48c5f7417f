"""The value table over cases: the money of each action under each outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.expressions import Expression
from wholeroad.road.brief.contract import Brief


@dataclass(frozen=True, slots=True)
class Values:
    """Money per (case, action, outcome), kept small.

    Attributes
    ----------
    constant
        Shape (actions, outcomes): numbers, and the middles of ranges.
    varying
        Shape (n,) by (action, outcome) code, where the value is an expression.
    ranges
        ``(action, outcome, low, high)`` of each range.
    """

    constant: NDArray[np.float64]
    varying: dict[tuple[int, int], NDArray[np.float64]]
    ranges: tuple[tuple[int, int, float, float], ...]

    def table(self, cases: slice | NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Give shape (count, actions, outcomes) for some cases; read-only where nothing varies."""
        table = np.broadcast_to(self.constant, (count, *self.constant.shape))
        if self.varying:
            table = table.copy()
            for (action, outcome), worth in self.varying.items():
                table[:, action, outcome] = worth[cases]
        return table

    def of(
        self, cases: NDArray[np.int64], action: NDArray[np.int8], *, truth: NDArray[np.int8]
    ) -> NDArray[np.float64]:
        """Give the money of actions under truths, shape as ``cases``; truth codes must be 0 or more."""
        money = self.constant[action, truth]
        for (one, outcome), worth in self.varying.items():
            hit = (action == one) & (truth == outcome)
            money[hit] = worth[cases[hit]]
        return money


def value_cases(brief: Brief, worth: Mapping[tuple[str, str], Expression], *, cases: pl.DataFrame) -> Values:
    """Evaluate the value table on cases as known when they are decided.

    Raises
    ------
    UserError
        ``value.null`` when an expression gives no number for some case.
    """
    actions, classes = brief.actions, brief.outcome.classes
    constant = np.zeros((len(actions), len(classes)))
    varying: dict[tuple[int, int], NDArray[np.float64]] = {}
    ranges = []
    for a, action in enumerate(actions):
        for c, outcome in enumerate(classes):
            written = brief.value.of[action][outcome]
            if isinstance(written, str):
                varying[a, c] = _evaluated(worth[action, outcome], cases, f"[value.of] {action}.{outcome}")
            elif isinstance(written, list):
                low, high = written
                constant[a, c] = (low + high) / 2
                ranges.append((a, c, float(low), float(high)))
            else:
                constant[a, c] = written
    return Values(constant, varying, tuple(ranges))


def status_quo_actions(
    brief: Brief, expression: Expression | None, *, cases: pl.DataFrame
) -> NDArray[np.int8]:
    """Give the action code that the status quo takes for each case, shape (n,).

    Raises
    ------
    UserError
        ``value.status-quo`` when the expression names no action for some case.
    """
    if expression is None:
        code = brief.actions.index(brief.value.status_quo["action"])
        return np.full(cases.height, code, dtype=np.int8)
    named = cases.with_columns(expression.polars.cast(pl.String).alias("_action"))["_action"]
    known = {name: code for code, name in enumerate(brief.actions)}
    codes = named.replace_strict(known, default=-1, return_dtype=pl.Int8).fill_null(-1)
    bad = named.filter(codes < 0)
    if bad.len():
        raise UserError(
            "value.status-quo",
            "The status quo names no action for some cases",
            happened=f"[value] status_quo gave {bad[0]!r} for {bad.len():,} of {cases.height:,} cases",
            expected=f"one of {', '.join(brief.actions)}",
            fix="add an else, or coalesce(..., 'an action')",
        )
    return codes.to_numpy().copy()


def _evaluated(expression: Expression, cases: pl.DataFrame, where: str) -> NDArray[np.float64]:
    worth = cases.with_columns(expression.polars.cast(pl.Float64).alias("_worth"))["_worth"]
    bad = (worth.is_null() | ~worth.is_finite()).fill_null(value=True)
    if bad.any():
        raise UserError(
            "value.null",
            "A value is missing for some cases",
            happened=f"{where} gave no number for {bad.sum():,} of {cases.height:,} cases",
            expected="a number for every case",
            fix="say what it is then, as in coalesce(ticket_price, 120)",
        )
    return worth.to_numpy().copy()
