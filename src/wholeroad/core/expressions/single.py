"""Expressions for one row at a time: plain functions that give what Polars gives, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import polars as pl

from wholeroad.core.errors import FaultsError
from wholeroad.core.expressions.expression import Expression, bind
from wholeroad.core.expressions.single_frame import over_a_frame
from wholeroad.core.expressions.single_parts import RareError, RowCall, firm
from wholeroad.core.expressions.single_tree import Rows, build


@dataclass(frozen=True, slots=True)
class RowFunction:
    """An expression as a function of one row.

    Attributes
    ----------
    call
        From a row to the expression's value, both physical: an instant and a span in microseconds,
        a date in days, null as None. The row has to have all of the expression's columns, with values of
        the types it was made for. The cheapest way to call it.
    native
        Whether it is plain Python, about a microsecond; else a frame of one row is made each time,
        which takes a hundred times as long. A native one asks Polars too for the rare value that
        Python writes, reads or counts another way, as for letters beyond ASCII in ``lower``.
    """

    call: RowCall
    native: bool

    def __call__(self, row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Give the expression's value for a row."""
        return self.call(row)


def for_one(expression: Expression, schema: Mapping[str, pl.DataType]) -> RowFunction:
    """Compile a bound expression to a function of one row.

    Parameters
    ----------
    expression
        As :func:`~wholeroad.core.expressions.bind` gives it, or made of a single column, or of bound ones.
    schema
        The types that it was bound to; more columns don't matter.

    Returns
    -------
    RowFunction
        Gives for a row, to the bit, what ``frame.select(expression.polars)`` gives for a frame of it.

    Examples
    --------
    >>> schema = {"sched_dep": pl.Datetime("us", "UTC")}
    >>> early = for_one(bind("sched_dep - 2h", schema, where="an example"), schema)
    >>> early.native, early.call({"sched_dep": 7_200_000_001})
    (True, 1)
    """
    if expression.polars.meta.is_column():
        return RowFunction(itemgetter(expression.polars.meta.output_name()), native=True)
    bulk = over_a_frame(expression, schema)
    if not expression.polars.meta.root_names():
        value = bulk({})
        return RowFunction(lambda _row: value, native=True)
    try:
        native = _built(expression, schema)
    except RareError:
        return RowFunction(bulk, native=False)

    def call(row: Mapping[str, Any]) -> Any:  # noqa: ANN401
        try:
            return native(row)
        except RareError:
            return bulk(row)

    return RowFunction(call, native=True)


def _built(expression: Expression, schema: Mapping[str, pl.DataType]) -> RowCall:
    known = _with_tree(expression, schema)
    if known.tree is None:
        raise RareError
    return firm(build(known.tree, Rows(schema, known.timezone))).call


def _with_tree(expression: Expression, schema: Mapping[str, pl.DataType]) -> Expression:
    """Read the text of an expression that was put together of others, where it says what they do."""
    if expression.tree is not None:
        return expression
    try:
        again = bind(expression.text, schema, where=expression.text)
    except FaultsError:
        return expression
    return again if again.polars.meta.eq(expression.polars) else expression
