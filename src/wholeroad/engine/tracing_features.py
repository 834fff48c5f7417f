"""The rows that one feature of one case was made of, by the rules of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN, ORDER

TIMES: Final = (HAPPENED, KNOWN, ORDER, DELETED)
"""Columns of ours that these rules read."""

_FIRST: Final = "_first"


def columns_behind(feature: Latest | Window | Lookup) -> list[str]:
    """Name the columns of the source that say which rows a feature is made of."""
    own = [column for _, column in feature.by]
    if isinstance(feature, Window):
        read = [each.columns for each in (feature.where, feature.value) if each is not None]
        return [*own, *(column for columns in read for column in columns)]
    return [*own, feature.column]


def rows_behind(
    feature: Latest | Window | Lookup,
    rows: pl.DataFrame,
    *,
    key: tuple[str, ...],
    case: Mapping[str, Any],
    decided_at: Instant,
    own: Mapping[str, Any] | None = None,
) -> pl.DataFrame:
    """Choose the rows that a feature of one case is made of; see *Time, exactly* in the reference.

    Parameters
    ----------
    rows
        Every version of the source: its key, :func:`columns_behind` and :data:`TIMES`.
    key
        The source's.
    case
        The case's columns, as known when it was decided.
    own
        The case's key, where the rows are of the case's own source: that row doesn't count, nor does what
        became known at the very instant.

    Returns
    -------
    polars.DataFrame
        Of each row the version that counted, the newest first; of *latest* and *lookup* one row at most.
    """
    at = pl.lit(decided_at, dtype=pl.Int64).cast(INSTANT)
    static = isinstance(feature, Lookup)
    visible = rows if static else rows.filter(pl.col(KNOWN) < at if own is not None else pl.col(KNOWN) <= at)
    order = [ORDER] if static else [KNOWN, ORDER]
    newest = visible.sort(order).with_columns(pl.col(KNOWN).min().over(key).alias(_FIRST))
    newest = newest.unique(key, keep="last", maintain_order=True).filter(~pl.col(DELETED))
    if own is not None:
        other = [pl.col(name).ne_missing(pl.lit(value)) for name, value in own.items()]
        newest = newest.filter(pl.any_horizontal(other))
    for case_column, column in feature.by:
        value = case[case_column]
        newest = newest.clear() if value is None else newest.filter(pl.col(column) == pl.lit(value))
    if isinstance(feature, Lookup):
        return newest.head(1)
    if isinstance(feature, Latest):
        return _latest(feature, newest, at)
    return _in_window(feature, newest, at)


def form_of(feature: Feature) -> str:
    """Name the form of a feature, as the brief does."""
    match feature:
        case Derived():
            return "column"
        case Lookup():
            return "lookup"
        case Latest():
            return "latest"
        case Window():
            return feature.aggregate


def _latest(feature: Latest, newest: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    last = newest.filter(pl.col(HAPPENED) <= at).sort(HAPPENED, KNOWN, ORDER).tail(1)
    if feature.max_age is None:
        return last
    return last.filter(at - pl.col(HAPPENED) <= pl.duration(microseconds=feature.max_age))


def _in_window(feature: Window, newest: pl.DataFrame, at: pl.Expr) -> pl.DataFrame:
    instant = pl.col(_FIRST if feature.on == "known" else HAPPENED)
    over = None if feature.over is None else pl.duration(microseconds=feature.over)
    if feature.on == "planned":
        inside = (instant > at) & (instant <= at + (over if over is not None else pl.duration()))
    else:
        inside = instant <= at
        if over is not None:
            inside &= instant > at - over
    if feature.where is not None:
        inside &= feature.where.polars.fill_null(value=False)
    if feature.value is not None:
        inside &= feature.value.polars.is_not_null()
    rows = newest.filter(inside).sort(instant, KNOWN, ORDER, descending=True)
    # The hours since the last row are told by that one alone.
    return rows.head(1) if feature.aggregate == "since" else rows
