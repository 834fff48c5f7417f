"""A case to try the service with: the newest that landed, as if it were due now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from wholeroad.core.expressions.columns import columns_in
from wholeroad.core.instants import Instant
from wholeroad.engine.manifests import table_of
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.data.arriving.merging import as_sent
from wholeroad.road.data.binding import Bound, bind_brief
from wholeroad.road.data.features.specs import Derived
from wholeroad.road.data.one_case.due import asks_at
from wholeroad.road.data.row_versions import RowVersion
from wholeroad.road.data.versions import HAPPENED, KNOWN

if TYPE_CHECKING:
    from wholeroad.yard import Yard

_SECOND = 1_000_000


def example_case(yard: Yard, now: Instant) -> dict[str, Any]:
    """Make a case that nobody has sent: the newest row with another key, its times moved so that it is due.

    Columns that only its outcome tells are left out.
    """
    name = yard.brief.case.source
    schema = yard.store.schema(name)
    source, row, greatest = yard.brief.source[name], dict[str, Any](), dict[str, Any]()
    for column in (*schema, HAPPENED, KNOWN):  # one after another: there may be many rows
        stored = yard.tables.read(table_of(name, source), [column]).to_series()
        if not stored.len():
            return {}
        row[column] = stored.tail(1).to_physical().item()
        if column in source.key and stored.dtype.is_integer():
            greatest[column] = stored.max()
    bound = bind_brief(yard.brief, {each: yard.store.schema(each) for each in yard.brief.source})
    version = RowVersion(row[HAPPENED], row[KNOWN], 1, False, row, None, row[KNOWN])  # noqa: FBT003 (its place)
    due_at = asks_at(bound.decide_at, schema)(version)
    later = 0 if due_at is None else (now - due_at) // _SECOND * _SECOND
    told = _told_later(yard.brief, bound)
    made = {}
    for column, dtype in schema.items():
        value = row[column]
        if column in told:
            continue
        if column in source.key:
            value = _other(greatest.get(column, value), dtype, later=later)
        elif dtype == pl.Datetime("us", "UTC") and value is not None:
            value += later
        made[column] = as_sent(value, dtype)
    return made


def _told_later(brief: Brief, bound: Bound) -> set[str]:
    """Name the columns of the case's source that only its outcome tells, also where both read one file."""
    case, outcome = brief.source[brief.case.source], brief.source[brief.outcome.source]
    if outcome.read != case.read or (outcome is not case and case.read == "none"):
        return set()
    known = {*case.key, *bound.decide_at.columns, *_in_times(case)}
    known.update(*(each.columns for each in bound.worth.values()))
    known.update(bound.status_quo.columns if bound.status_quo else ())
    for feature in (*bound.features, *bound.groups):
        if isinstance(feature, Derived):
            known.update(feature.expression.columns)
        else:
            known.update(column for column, _ in feature.by)
    return {*bound.truth.columns, *_in_times(outcome)} - known


def _in_times(source: SourceTable) -> set[str]:
    texts = (source.happened_at, source.known_at)
    return {column for text in texts if text and text != "landed" for column in columns_in(text, "instant")}


def _other(value: object, dtype: pl.DataType, *, later: int) -> object:
    """Give another value of a key's column than any that is there: of integers the greatest is given."""
    if dtype.is_integer():
        return (value if isinstance(value, int) else 0) + 1
    if isinstance(value, int):
        return value + later
    return "try-1" if dtype == pl.String else value
