"""What actions are worth to few cases, and what is done about them today, from rows in memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression, for_one
from wholeroad.core.expressions.single import RowFunction
from wholeroad.core.view import Codes, Timeline
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.quantities import formula_values, nearest, nearest_amounts
from wholeroad.road.brief.values import TableValues, Values, status_quo_actions, value_cases
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.few_rows import frame_of
from wholeroad.road.data.row_versions import Row


class CaseValues:
    """The values and the status quo of a brief, for few cases: what they are for many, to the bit.

    What doesn't hang on the case is taken as it is, expressions are asked row by row, and what these can't
    tell, a formula over amounts above all, is evaluated as for many cases, on a frame of these few.

    Parameters
    ----------
    schema
        Of the case's source: the columns as landed.
    """

    def __init__(self, brief: Brief, bound: Bound, *, schema: pl.Schema) -> None:
        self._brief = brief
        self._bound = bound
        own = [*bound.worth.values(), *filter(None, (bound.status_quo, bound.formula))]
        self._schema = _read_by(own, schema)
        self._table = value_cases(brief, bound.worth, cases=frame_of([], self._schema))
        actions, classes = brief.actions, brief.outcome.classes
        self._cells = {
            (actions.index(action), classes.index(outcome)): for_one(expression, schema)
            for (action, outcome), expression in bound.worth.items()
        }
        self._today = None if bound.status_quo is None else for_one(bound.status_quo, schema)
        self._codes = {name: code for code, name in enumerate(actions)}
        self._kind = np.dtype(np.int8)  # as bulk names actions
        self._always = np.empty(0, dtype=self._kind)
        if bound.status_quo is None:
            self._always = status_quo_actions(brief, None, cases=pl.DataFrame(height=1))

    @property
    def fixed(self) -> tuple[list[list[float]], int] | None:
        """The value of each action under each outcome, and the code of what is done today.

        None where either hangs on the case.
        """
        if self._bound.formula is not None or self._cells or self._today is not None:
            return None
        return self._table.constant.tolist(), int(self._always[0])

    def of(self, rows: Sequence[Row]) -> tuple[Values, Codes]:
        """Give the values of some cases, and the codes of what is done about them today.

        Parameters
        ----------
        rows
            The case's columns as known when it is decided.

        Raises
        ------
        UserError
            ``value.null``, ``value.status-quo``.
        """
        values = self._told(rows)
        if values is None:
            values = self._values(frame_of(rows, self._schema))
        return values, self.status_quo(rows)

    def status_quo(self, rows: Sequence[Row]) -> Codes:
        """Give the codes of what is done today about some cases; see :meth:`of`."""
        today = self._done(rows)
        return self._done_today(frame_of(rows, self._schema)) if today is None else today

    def _told(self, rows: Sequence[Row]) -> Values | None:
        """Give the values as rows tell them; None where they can't."""
        if self._bound.formula is not None:
            return None
        varying: dict[tuple[int, int], NDArray[np.float64]] = {}
        for cell, function in self._cells.items():
            worth = _numbers(function, rows)
            if worth is None or not all(map(isfinite, worth)):
                return None
            varying[cell] = np.array(worth, dtype=np.float64)
        return TableValues(self._table.constant, varying, len(rows), self._table.ranges)

    def _done(self, rows: Sequence[Row]) -> Codes | None:
        """Give what is done today as rows tell it; None where they can't."""
        if self._today is None:
            return self._always.repeat(len(rows))
        if self._bound.formula is not None:
            wanted = _numbers(self._today, rows)
            return None if wanted is None else nearest(self._brief, np.array(wanted, dtype=np.float64))
        if not self._today.native:
            return None
        codes = [self._codes.get(self._today.call(row), -1) for row in rows]
        return None if -1 in codes else np.array(codes, dtype=self._kind)

    def _values(self, cases: pl.DataFrame) -> Values:
        if self._bound.formula is None:
            return value_cases(self._brief, self._bound.worth, cases=cases)
        return formula_values(
            self._brief, self._bound.formula, cases=cases, timeline=_nothing_told(), levels=np.empty(0)
        )

    def _done_today(self, cases: pl.DataFrame) -> Codes:
        expression = self._bound.status_quo
        if self._bound.formula is None or expression is None:
            return status_quo_actions(self._brief, expression, cases=cases)
        return nearest_amounts(self._brief, expression, cases=cases)


def _numbers(function: RowFunction, rows: Sequence[Row]) -> list[float] | None:
    """Give the numbers that rows tell; None where one tells none, or where a frame is needed anyway."""
    if not function.native:
        return None
    told = [function.call(row) for row in rows]
    return None if None in told else [float(number) for number in told]


def _read_by(expressions: Sequence[Expression], schema: pl.Schema) -> pl.Schema:
    """Keep the columns that expressions read, and one at least: a frame without columns has no rows."""
    read = {name for expression in expressions for name in expression.columns}
    kept = {name: kind for name, kind in schema.items() if name in read}
    return pl.Schema(kept or dict(list(schema.items())[:1]))


def _nothing_told() -> Timeline:
    nothing = np.empty(0, dtype=np.int64)
    return Timeline(nothing, nothing, nothing.astype(np.int32), nothing.astype(np.int8))
