"""Money by a formula: the action is an amount, the outcome a number, and both stand in an expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError
from wholeroad.core.expressions import Expression
from wholeroad.core.view import Codes, Timeline, code_type
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import Range, Rows

ACTION: Final = "action"
OUTCOME: Final = "outcome"
"""What the amount and the number are called in a formula; a column of the case with such a name is hidden."""

AT_ONCE: Final = 1 << 18
"""Evaluations of the formula that are in memory together; small enough for a processor's cache."""

_SEED: Final = 0x464F524D


@dataclass(frozen=True, slots=True)
class Amounts:
    """What amounts were chosen for some cases: their mean and their quartiles."""

    mean: float
    lower_quartile: float
    median: float
    upper_quartile: float


def chosen_amounts(amounts: Sequence[float], action: Codes) -> Amounts | None:
    """Sum up the amounts behind some actions; None without amounts or without cases."""
    if not len(amounts) or not len(action):
        return None
    chosen = np.array(amounts, dtype=np.float64)[action]
    quartiles = np.quantile(chosen, [0.25, 0.5, 0.75])
    return Amounts(float(chosen.mean()), *(float(quartile) for quartile in quartiles))


def amounts_text(amounts: Amounts) -> str:
    """Say what amounts were chosen.

    Examples
    --------
    >>> amounts_text(Amounts(98.5, 80, 95, 1250))
    'mean 98.5, half of them 80 to 1,250'
    """
    low, high = amounts.lower_quartile, amounts.upper_quartile
    return f"mean {amounts.mean:,.4g}, half of them {low:,.10g} to {high:,.10g}"


@dataclass(frozen=True, slots=True)
class FormulaValues:
    """Values from a formula over the case, the amount and the outcome.

    Attributes
    ----------
    formula
        Over the columns of ``cases``, and over ``action`` and ``outcome``.
    amounts
        Shape (A,): the amount behind each action.
    levels
        Shape (L,), ascending: the number behind each truth code.
    cases
        n rows: the columns of the case that the formula reads.
    count
        n.
    """

    formula: Expression
    amounts: NDArray[np.float64]
    levels: NDArray[np.float64]
    cases: pl.DataFrame
    count: int

    @property
    def ranges(self) -> tuple[Range, ...]:
        """A formula has none."""
        return ()

    def __len__(self) -> int:
        """Give the number of cases."""
        return self.count

    def take(self, rows: Rows) -> FormulaValues:
        """Give the values of some of the cases."""
        count = len(range(*rows.indices(self.count))) if isinstance(rows, slice) else len(rows)
        cases = self.cases[rows] if self.cases.width else self.cases
        return FormulaValues(self.formula, self.amounts, self.levels, cases, count)

    def expected(self, prediction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the mean of the formula over a case's quantiles, for each amount.

        With quantiles at the middles of equally likely parts this is the midpoint rule for the
        expectation over the quantile function. The terms are added up in the order of the columns, so
        that one case gives the same bits as many.
        """
        money = np.empty((self.count, len(self.amounts)))
        for rows, part in self._grid(prediction):
            money[rows] = part
        return money

    def money(self, action: Codes, *, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the formula at the amount of the action and the number of the truth."""
        return self._reckoned(self.cases, self.amounts[action], self.levels[truth])

    def best(self, truth: Codes) -> NDArray[np.float64]:
        """Give shape (n,): the money of the best amount under the truth; unknown money is no best."""
        best = np.empty(self.count)
        for rows, part in self._grid(self.levels[truth][:, None]):
            best[rows] = np.fmax.reduce(part, axis=1)
        return best

    def known(self, truth: Codes) -> NDArray[np.bool_]:
        """Give shape (n,): whether the formula gives a number at every amount under the truth."""
        return self.known_at(self.levels[truth])

    def known_at(self, outcome: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Give shape (n,): whether the formula gives a number at every amount under these outcomes."""
        known = np.empty(self.count, dtype=bool)
        for rows, part in self._grid(outcome[:, None]):
            known[rows] = np.isfinite(part).all(axis=1)
        return known

    def content(self) -> list[NDArray[np.generic]]:
        """Give the formula, the amounts, and a hash of each case's columns.

        Not the levels: later rows add to them, and what a truth code stands for goes into a digest
        as the number itself.
        """
        text = np.frombuffer(self.formula.text.encode(), dtype=np.uint8)
        if not self.cases.width:
            return [text, self.amounts]
        hashes = self.cases.select(pl.struct(pl.all()).hash(seed=_SEED)).to_series().to_numpy()
        return [text, self.amounts, hashes]

    def _grid(self, outcomes: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Give the mean over columns of outcomes, (rows, A), for some rows after others.

        What a formula is evaluated on is laid out by outcome, amount and case, in this order.
        """
        width, amounts = outcomes.shape[1], len(self.amounts)
        step = min(max(1, AT_ONCE // width), max(1, self.count))
        for first in range(0, self.count, step):
            rows = slice(first, min(first + step, self.count))
            here = rows.stop - rows.start
            block = min(amounts, max(1, AT_ONCE // (here * width)))
            money = np.empty((here, amounts))
            cases = self._repeated(rows, width * block)
            numbers = outcomes[rows].T[:, None, :]
            for start in range(0, amounts, block):
                some = self.amounts[start : start + block]
                shape = (width, some.size, here)
                size = width * some.size * here
                action = np.broadcast_to(some[None, :, None], shape)
                outcome = np.broadcast_to(numbers, shape)
                each = self._reckoned(cases[:size], action.ravel(), outcome.ravel()).reshape(shape)
                total = each[0].copy()
                for number in each[1:]:
                    total += number
                money[:, start : start + block] = (total / width).T
            yield rows, money

    def _repeated(self, rows: slice, times: int) -> pl.DataFrame:
        if not self.cases.width:
            return self.cases
        some = self.cases[rows]
        return some[np.tile(np.arange(some.height, dtype=np.int64), times)]

    def _reckoned(
        self, cases: pl.DataFrame, action: NDArray[np.float64], outcome: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Evaluate the formula row by row; NaN is a money that isn't known."""
        given = [pl.Series(ACTION, action), pl.Series(OUTCOME, outcome)]
        frame = cases.with_columns(given) if cases.width else pl.DataFrame(given)
        money = frame.select(self.formula.polars.cast(pl.Float64).alias("_money")).to_series()
        return money.fill_null(np.nan).to_numpy()


def formula_values(
    brief: Brief,
    formula: Expression,
    *,
    cases: pl.DataFrame,
    timeline: Timeline,
    levels: NDArray[np.float64],
) -> FormulaValues:
    """Make the values of cases whose money is a formula.

    Parameters
    ----------
    formula
        Bound over the case's row, ``action`` and ``outcome``.
    cases
        As known when they are decided.
    timeline, levels
        Every truth that was told, and the numbers behind its codes.

    Raises
    ------
    UserError
        ``value.null`` when the formula gives no number at some amount, under an outcome that was
        told or, for a case without one, under the amount in the middle.
    """
    amounts = np.array(brief.worth.quantities, dtype=np.float64)
    own = [name for name in formula.columns if name not in (ACTION, OUTCOME)]
    values = FormulaValues(formula, amounts, levels, cases.select(own), cases.height)
    told = timeline.truth_code >= 0
    where = timeline.truth_case[told].astype(np.int64)
    silent = np.setdiff1d(np.arange(cases.height), where)
    unknown = where[~values.take(where).known(timeline.truth_code[told])]
    middle = np.full(silent.size, amounts[len(amounts) // 2])
    unknown = np.concatenate([unknown, silent[~values.take(silent).known_at(middle)]])
    if unknown.size:
        raise UserError(
            "value.null",
            "A value is missing for some cases",
            happened=f"[value] formula gave no number for {np.unique(unknown).size:,} of "
            f"{cases.height:,} cases",
            expected="a number for every case, amount and outcome",
            fix="say what it is then, as in coalesce(price, 12)",
        )
    return values


def nearest_amounts(brief: Brief, expression: Expression, *, cases: pl.DataFrame) -> Codes:
    """Give the codes of the amounts nearest to what the status quo's expression gives, shape (n,).

    Of two the smaller; a number outside the quantity is taken to its end.

    Raises
    ------
    UserError
        ``value.status-quo`` when the expression gives no number for some case.
    """
    wanted = cases.select(expression.polars.cast(pl.Float64).alias("_wanted")).to_series()
    bad = wanted.is_null().sum()
    if bad:
        raise UserError(
            "value.status-quo",
            "The status quo gives no amount for some cases",
            happened=f"[value] status_quo gave no number for {bad:,} of {cases.height:,} cases",
            expected="a number for every case; the nearest amount of the quantity is taken",
            fix="say what is done then, as in coalesce(last_week_order, 100)",
        )
    return nearest(brief, wanted.to_numpy())


def nearest(brief: Brief, wanted: NDArray[np.float64]) -> Codes:
    """Give the codes of the amounts nearest to some numbers; see :func:`nearest_amounts`."""
    amounts = np.array(brief.worth.quantities, dtype=np.float64)
    between = (amounts[1:] + amounts[:-1]) / 2
    return np.searchsorted(between, wanted, side="left").astype(code_type(len(amounts)))
