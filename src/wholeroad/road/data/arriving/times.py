"""When rows happened and when they claim to have been known: a source's expressions over rows at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions import bind, for_one
from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.few_rows import physical

Values = Sequence[Any]
"""Physical values of one row, in the order of the source's columns."""

OneTime = Callable[[Values, Instant], Instant | None]


@dataclass(frozen=True, slots=True)
class Times:
    """One of a source's two instants.

    Attributes
    ----------
    many
        From rows, and the instant at which they land, to an instant for each.
    one
        The same for one row.
    """

    many: Callable[[Sequence[Values], Instant], Sequence[Instant | None]]
    one: OneTime


_US_PER_DAY: Final = 86_400_000_000


def times(text: str | None, schema: pl.Schema, *, source: SourceTable, where: str) -> Times:
    """Make what finds one of a source's two instants.

    Parameters
    ----------
    text
        The expression, ``landed``, or None in a source without times.
    where
        How messages name it.

    Raises
    ------
    FaultsError
        ``expression.*``, as landing a batch would.
    """
    if text is None:
        return _each(lambda _row, _landed_at: None)
    if text == "landed":
        return _each(lambda _row, landed_at: landed_at)
    names = list(schema)
    dtype = schema.get(text)
    if dtype == INSTANT:
        return _each(_of_instant(names.index(text)))
    if dtype == pl.Date():
        return _each(_of_day(names.index(text)))
    bound = bind(text, schema, where=where, expects="instant", timezone=source.timezone)
    columns = tuple((name, names.index(name)) for name in bound.columns)
    single = for_one(bound, schema)
    if single.native:
        return _each(_of_call(single.call, columns))
    return _of_frames(bound.polars, {name: (place, schema[name]) for name, place in columns})


def _each(one: OneTime) -> Times:
    return Times(lambda rows, landed_at: [one(row, landed_at) for row in rows], one)


def _of_instant(place: int) -> OneTime:
    return lambda row, _landed_at: row[place]


def _of_day(place: int) -> OneTime:
    return lambda row, _landed_at: None if row[place] is None else row[place] * _US_PER_DAY


def _of_call(call: Callable[[Mapping[str, Any]], Any], columns: Sequence[tuple[str, int]]) -> OneTime:
    return lambda row, _landed_at: call({name: row[place] for name, place in columns})


def _of_frames(found: pl.Expr, columns: Mapping[str, tuple[int, pl.DataType]]) -> Times:
    def of(rows: Sequence[Values], _landed_at: Instant) -> Sequence[Instant | None]:
        series = [
            pl.Series(name, [row[place] for row in rows], dtype=physical(dtype)).cast(dtype)
            for name, (place, dtype) in columns.items()
        ]
        told = pl.DataFrame(series, height=len(rows)).select(found.cast(INSTANT).alias("at"))
        instants: list[Instant | None] = told["at"].to_physical().to_list()
        return instants

    return Times(of, lambda row, landed_at: of([row], landed_at)[0])
