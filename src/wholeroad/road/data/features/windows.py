"""Windows: what the versions that are active come to, over ranges of cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import UNITS
from wholeroad.road.data.features.activity import Activity, Own, Placed
from wholeroad.road.data.features.deviation import deviations, squares
from wholeroad.road.data.features.exact import (
    Amounts,
    Floats,
    Integers,
    amounts,
    may_overflow,
    refuse_infinite,
    split,
    to_float,
    too_large,
)
from wholeroad.road.data.features.extremes import Pieces, count_distinct, extreme, last_base, pieces
from wholeroad.road.data.features.keys import column_codes
from wholeroad.road.data.features.specs import Window
from wholeroad.road.data.versions import Versions

Mask = NDArray[np.bool_]
Kind = Literal["rows", "sums", "order", "codes"]

HOUR: Final = UNITS["h"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the active versions of a source add to a window.

    Attributes
    ----------
    counted
        Shape (n,), as :class:`Activity`: which versions count; None when all do.
    amounts
        What each adds, zero for those that don't count; for sums, means and deviations.
    codes
        Shape (n,): equal values have equal codes, for distinct; for min and max the rank.
    values
        Shape (n,): for min and max, the values by rank.
    """

    counted: Mask | None
    amounts: Amounts | None = None
    codes: Integers | None = None
    values: pl.Series | None = None


def kind_of(window: Window) -> Kind:
    """Tell what a window needs of its rows; windows of one kind share it."""
    match window.aggregate:
        case "count" | "since":
            return "rows"
        case "sum" | "mean" | "std":
            return "sums"
        case "min" | "max":
            return "order"
        case "distinct":
            return "codes"


def contribution(window: Window, versions: Versions, *, activity: Activity) -> Contribution:
    """Evaluate a window's condition and value over the active versions.

    Raises
    ------
    UserError
        ``data.infinite-value``, ``features.overflow``, ``features.not-a-number``.
    """
    counted: Mask | None = None
    if window.where is not None:
        counted = evaluate(versions.frame, window.where).fill_null(value=False).to_numpy()[activity.rows]
    if window.value is None:
        return Contribution(counted)
    values = evaluate(versions.frame, window.value)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.null_count():
        filled = values.is_not_null().to_numpy()[activity.rows]
        counted = filled if counted is None else counted & filled
    subject = f"{versions.source}.{window.value.text}"
    kind = kind_of(window)
    if kind == "codes":
        return Contribution(counted, codes=column_codes(values.gather(activity.rows))[0])
    rows = activity.rows if counted is None else activity.rows[counted]
    if kind == "order":
        return _ordered(values, activity.rows, counted=counted, subject=subject)
    return Contribution(counted, _widened(amounts(values, rows, subject=subject), counted))


def _ordered(values: pl.Series, rows: Integers, *, counted: Mask | None, subject: str) -> Contribution:
    kept = values.gather(rows)
    if kept.dtype.is_float():
        # -0.0 becomes 0.0: which of them won would depend on the order of the rows.
        kept = kept.set((kept == 0).fill_null(value=False), 0.0)
        chosen = kept if counted is None else kept.filter(pl.Series(counted))
        refuse_infinite(chosen.cast(pl.Float64).to_numpy(), subject=subject)
    by_rank = kept.arg_sort()
    ranks = np.empty(len(kept), np.int64)
    ranks[by_rank.to_numpy()] = np.arange(len(kept))
    return Contribution(counted, codes=ranks, values=kept.gather(by_rank))


def evaluate(frame: pl.DataFrame, expression: Expression) -> pl.Series:
    """Evaluate an expression for every row, also when it is a constant."""
    both = frame.select(expression.polars.alias("value"), pl.int_range(pl.len()).alias("row"))
    return both.get_column("value")


def aggregate(window: Window, placed: Placed, *, end: Integers, added: Contribution, cases: int) -> pl.Series:
    """Aggregate over the versions that are active at each case.

    Parameters
    ----------
    placed, end
        Where each version begins to count, and where it ceases to.
    cases
        Their number.

    Returns
    -------
    Series
        Shape (cases,), in the order of the cases: a case with a null key counts nothing.
    """
    if added.codes is not None:
        active = pieces(placed, end, counted=added.counted)
        return _of_codes(window, active, added=added, placed=placed, cases=cases)
    ranges = _Ranges(placed, end, added.counted)
    if added.amounts is None:
        return pl.Series(window.name, _in_case_order(ranges.count(), placed, cases))
    low = None if added.amounts.low is None else ranges.total(added.amounts.low)
    high = ranges.total(added.amounts.high)
    inexact = ranges.inexact(added.amounts.high, low)
    if window.aggregate == "std":
        spread = ranges.deviation(added.amounts, high, low)
        spread[inexact] = np.nan
        return _null_where_nan(window.name, spread, placed, cases)
    sums = to_float(high, low) if added.amounts.real else high
    if window.aggregate == "sum":
        column = pl.Series(window.name, _in_case_order(sums, placed, cases))
        return column.scatter(placed.places.cases[inexact], None) if inexact.any() else column
    count = ranges.count()
    mean = np.full(count.size, np.nan)
    np.divide(sums, count, out=mean, where=(count > 0) & ~inexact)
    return _null_where_nan(window.name, mean, placed, cases)


def hours_since(
    window: Window, placed: Placed, *, end: Integers, added: Contribution, decided_at: Integers
) -> pl.Series:
    """Give the hours from the last row that counts to each case's decision.

    Parameters
    ----------
    placed, end
        Where each version begins to count, and where it ceases to.
    decided_at
        Shape (cases,): microseconds.

    Returns
    -------
    Series
        Shape (cases,): zero or more, null for none.
    """
    instants, found = last_base(pieces(placed, end, counted=added.counted))
    hours = np.full(instants.size, np.nan)
    hours[found] = (decided_at[placed.places.cases] - instants)[found] / HOUR
    return _null_where_nan(window.name, hours, placed, decided_at.size)


def _of_codes(
    window: Window, active: Pieces, *, added: Contribution, placed: Placed, cases: int
) -> pl.Series:
    codes = np.empty(0, np.int64) if added.codes is None else added.codes
    if added.values is None:
        return pl.Series(window.name, _in_case_order(count_distinct(active, codes), placed, cases))
    ranks = np.full(cases, -1, np.int64)
    ranks[placed.places.cases] = extreme(active, codes, least=window.aggregate == "min")
    return taken(added.values, ranks).alias(window.name)


def taken(column: pl.Series, rows: Integers) -> pl.Series:
    """Take rows of a column; -1 gives null."""
    if column.is_empty():
        return pl.Series(column.name, [None] * rows.size, dtype=column.dtype)
    chosen = pl.Series(np.maximum(rows, 0)).set(pl.Series(rows < 0), None)
    return column.gather(chosen)


class _Ranges:
    """The ranges of places at which versions count, and what is to be taken off again."""

    def __init__(self, placed: Placed, end: Integers, counted: Mask | None) -> None:
        self.size = placed.places.cases.size
        chosen = None if counted is None else np.flatnonzero(counted[placed.index])
        self.index = placed.index if chosen is None else placed.index[chosen]
        self.begin = placed.begin if chosen is None else placed.begin[chosen]
        self.end = end if chosen is None else end[chosen]
        self.own = None if placed.own is None else _own_active(placed, end, counted)
        self.own_index = None if self.own is None else placed.index[self.own.versions]

    def count(self) -> Integers:
        changes = np.bincount(self.begin, minlength=self.size + 1)
        changes -= np.bincount(self.end, minlength=self.size + 1)
        counts = np.cumsum(changes)[: self.size].astype(np.int64)
        if self.own is not None:
            np.subtract.at(counts, self.own.places, 1)
        return counts

    def inexact(self, values: Integers, low: Integers | None) -> Mask:
        """Tell which sums are too large to be exact, given those of the low limbs."""
        if not may_overflow(values):
            return np.zeros(self.size, np.bool_)
        upper, lower = split(values)
        return too_large(self.total(upper), self.total(lower), carry=low)

    def deviation(self, added: Amounts, high: Integers, low: Integers | None) -> Floats:
        """Give the deviation of what is added, from its sums; a limb's sums can't wrap."""
        squared = [
            None if limb is None else self.total(limb)
            for limb in squares(added.high, added.low, real=added.real)
        ]
        return deviations(self.count(), high=high, low=low, squared=squared, real=added.real)

    def total(self, values: Integers) -> Integers:
        """Sum; prefixes may wrap, which cancels when the sum itself is in range."""
        taken = values[self.index]
        changes = np.zeros(self.size + 1, np.int64)
        np.add.at(changes, self.begin, taken)
        np.subtract.at(changes, self.end, taken)
        sums: Integers = np.cumsum(changes)[: self.size]
        if self.own is not None and self.own_index is not None:
            np.subtract.at(sums, self.own.places, values[self.own_index])
        return sums


def _own_active(placed: Placed, end: Integers, counted: Mask | None) -> Own | None:
    if placed.own is None:
        return None
    versions, places = placed.own.versions, placed.own.places
    inside = (placed.begin[versions] <= places) & (places < end[versions])
    if counted is not None:
        inside &= counted[placed.index[versions]]
    return Own(versions[inside], places[inside])


def _widened(added: Amounts, counted: Mask | None) -> Amounts:
    """Align amounts with the activity: zero where a version doesn't count."""
    if counted is None:
        return added
    high = np.zeros(counted.size, np.int64)
    high[counted] = added.high
    low = None
    if added.low is not None:
        low = np.zeros(counted.size, np.int64)
        low[counted] = added.low
    return Amounts(high, low, added.real, added.subject)


def _null_where_nan(name: str, values: Floats, placed: Placed, cases: int) -> pl.Series:
    out = np.full(cases, np.nan)
    out[placed.places.cases] = values
    return pl.Series(name, out, nan_to_null=True)


def _in_case_order(values: Integers | Floats, placed: Placed, cases: int) -> NDArray[np.generic]:
    out = np.zeros(cases, values.dtype)
    out[placed.places.cases] = values
    return out
