"""Windows: exact counts, sums and means over ranges of cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.road.data.features.activity import Activity, Own, Placed
from wholeroad.road.data.features.exact import (
    Amounts,
    Floats,
    Integers,
    amounts,
    may_overflow,
    refuse_overflow,
    split,
    to_float,
)
from wholeroad.road.data.features.specs import Window
from wholeroad.road.data.versions import Versions

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What the active versions of a source add to a window.

    Attributes
    ----------
    counted
        Shape (n,), as :class:`Activity`: which versions count; None when all do.
    amounts
        What each adds, zero for those that don't count; None for a count.
    """

    counted: Mask | None
    amounts: Amounts | None


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
        return Contribution(counted, None)
    values = evaluate(versions.frame, window.value)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.null_count():
        filled = values.is_not_null().to_numpy()[activity.rows]
        counted = filled if counted is None else counted & filled
    rows = activity.rows if counted is None else activity.rows[counted]
    added = amounts(values, rows, subject=f"{versions.source}.{window.value.text}")
    return Contribution(counted, _widened(added, counted))


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
    ranges = _Ranges(placed, end, added.counted)
    if added.amounts is None:
        return pl.Series(window.name, _in_case_order(ranges.count(), placed, cases))
    high = ranges.total(added.amounts.high, added.amounts.subject)
    low = None if added.amounts.low is None else ranges.total(added.amounts.low, added.amounts.subject)
    sums = to_float(high, low) if added.amounts.real else high
    if window.aggregate == "sum":
        return pl.Series(window.name, _in_case_order(sums, placed, cases))
    count = ranges.count()
    mean = np.full(count.size, np.nan)
    np.divide(sums, count, out=mean, where=count > 0)
    out = np.full(cases, np.nan)
    out[placed.places.cases] = mean
    return pl.Series(window.name, out, nan_to_null=True)


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

    def total(self, values: Integers, subject: str) -> Integers:
        """Sum; prefixes may wrap, which cancels when the sum itself is in range."""
        sums = self._total(values)
        if may_overflow(values):
            upper, lower = split(values)
            refuse_overflow(self._total(upper), self._total(lower), subject=subject)
        return sums

    def _total(self, values: Integers) -> Integers:
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


def _in_case_order(values: Integers | Floats, placed: Placed, cases: int) -> NDArray[np.generic]:
    out = np.zeros(cases, values.dtype)
    out[placed.places.cases] = values
    return out
