"""What actions are worth to cases: the money of each action under each outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.expressions import Expression
from wholeroad.core.view import Codes, code_type
from wholeroad.road.brief.contract import Brief

Rows = slice | NDArray[np.int64]
Range = tuple[int, int, float, float]
"""``(action, outcome, low, high)``, codes and values."""


class Values(Protocol):
    """The money of some cases; what else is handed in has one entry for each of them, in their order.

    Attributes
    ----------
    ranges
        The values that the brief gives as a range; the money is that of the middle.
    """

    @property
    def ranges(self) -> tuple[Range, ...]:
        """See above."""

    def __len__(self) -> int:
        """Give the number of cases."""

    def take(self, rows: Rows) -> Self:
        """Give the values of some of the cases."""

    def expected(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give shape (n, A): the expected money of each action; a row doesn't depend on the others.

        Parameters
        ----------
        prediction
            Shape (n, K): what a model says of the outcome: a probability for each class, or quantiles.
        """

    def money(self, action: Codes, *, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the money of an action under a truth; truth codes must be 0 or more."""

    def best(self, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the money of the action that would have been best under the truth."""

    def known(self, truth: Codes) -> NDArray[np.bool_]:
        """Give shape (n,): whether the money of every action under the truth is known."""

    def content(self) -> list[NDArray[np.generic]]:
        """Give the arrays that tell these values from others, for digests."""


@dataclass(frozen=True, slots=True)
class TableValues:
    """Values from a table of actions and classes, kept small.

    Attributes
    ----------
    constant
        Shape (A, C): numbers, and the middles of ranges.
    varying
        Shape (n,) by (action, class) code, where the value is an expression.
    count
        The number of cases.
    """

    constant: NDArray[np.float64]
    varying: Mapping[tuple[int, int], NDArray[np.float64]]
    count: int
    ranges: tuple[Range, ...] = ()

    @classmethod
    def per_case(cls, table: NDArray[np.float64]) -> TableValues:
        """Make values from shape (n, A, C): every case has its own table."""
        count, actions, classes = table.shape
        cells = [(a, c) for a in range(actions) for c in range(classes)]
        varying = {(a, c): np.ascontiguousarray(table[:, a, c]) for a, c in cells}
        return cls(np.zeros((actions, classes)), varying, count)

    def __len__(self) -> int:
        """Give the number of cases."""
        return self.count

    def take(self, rows: Rows) -> TableValues:
        """Give the values of some of the cases."""
        count = len(range(*rows.indices(self.count))) if isinstance(rows, slice) else len(rows)
        varying = {cell: worth[rows] for cell, worth in self.varying.items()}
        return TableValues(self.constant, varying, count, self.ranges)

    def expected(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give ``sum over classes of p[c] * value[a, c]``, added up class by class in order.

        One case gives the same bits as many.
        """
        actions, classes = self.constant.shape
        if not self.varying:
            every = np.zeros((actions, len(prediction)))
            for outcome in range(classes):
                every += self.constant[:, outcome, None] * prediction[:, outcome]
            return every.T
        money = np.zeros((len(prediction), actions), order="F")
        for outcome in range(classes):
            probability = np.ascontiguousarray(prediction[:, outcome])
            for action in range(actions):
                money[:, action] += probability * self._cell(action, outcome)
        return money

    def money(self, action: Codes, *, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the money of an action under a truth."""
        money = self.constant[action, truth]
        for (one, outcome), worth in self.varying.items():
            hit = (action == one) & (truth == outcome)
            money[hit] = worth[hit]
        return money

    def best(self, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the money of the best action under the truth."""
        best = np.full(self.count, -np.inf)
        for money in self._each(truth):
            np.maximum(best, money, out=best)
        return best

    def known(self, truth: Codes) -> NDArray[np.bool_]:
        """Give shape (n,): whether the money of every action under the truth is known."""
        known = np.ones(self.count, dtype=bool)
        for money in self._each(truth):
            known &= np.isfinite(money)
        return known

    def content(self) -> list[NDArray[np.generic]]:
        """Give the arrays that tell these values from others."""
        cells = np.array(sorted(self.varying), dtype=np.int64).reshape(-1, 2)
        return [self.constant, cells, *(self.varying[cell] for cell in sorted(self.varying))]

    def _each(self, truth: Codes) -> list[NDArray[np.float64]]:
        actions = range(len(self.constant))
        return [self.money(np.full(self.count, one, dtype=np.int8), truth=truth) for one in actions]

    def _cell(self, action: int, outcome: int) -> NDArray[np.float64] | np.float64:
        worth: NDArray[np.float64] | np.float64
        worth = self.varying.get((action, outcome), self.constant[action, outcome])
        return worth


def value_cases(
    brief: Brief, worth: Mapping[tuple[str, str], Expression], *, cases: pl.DataFrame
) -> TableValues:
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
            written = brief.worth.of[action][outcome]
            if isinstance(written, str):
                varying[a, c] = _evaluated(worth[action, outcome], cases, f"[value.of] {action}.{outcome}")
            elif isinstance(written, list):
                low, high = written
                constant[a, c] = (low + high) / 2
                ranges.append((a, c, float(low), float(high)))
            else:
                constant[a, c] = written
    return TableValues(constant, varying, cases.height, tuple(ranges))


def status_quo_actions(brief: Brief, expression: Expression | None, *, cases: pl.DataFrame) -> Codes:
    """Give the action code that the status quo takes for each case, shape (n,).

    Raises
    ------
    UserError
        ``value.status-quo`` when the expression names no action for some case.
    """
    if expression is None:
        code = brief.actions.index(brief.value.status_quo["action"])
        return np.full(cases.height, code, dtype=code_type(len(brief.actions)))
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
