"""What a mend changed in the rows of a source: read with it and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from wholeroad.road.data.casting import cast, kept_type
from wholeroad.road.data.mending.differing import column_differs

_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Example:
    """One value before and after; the key says whose."""

    key: Mapping[str, Any]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What became of a column.

    Attributes
    ----------
    rows
        Rows in which it says something else.
    nulls_gone, nulls_come
        Rows that have a value now, and rows that have none any more; both are in ``rows``.
    before, after
        The column's types, as kept; None where it wasn't there.
    examples
        The first rows that differ, at most five.
    """

    column: str
    rows: int
    nulls_gone: int
    nulls_come: int
    before: str | None
    after: str | None
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class MendEffect:
    """What a mend changed in the newest rows of a source.

    Attributes
    ----------
    rows_before, rows_after
        Rows without the mend, and with it.
    rows_changed
        Of those in both: rows in which any column differs.
    gone, come
        Rows that are there without it only (set aside, or under another key now), and with it only.
    columns
        Those that differ, the most changed first.
    by_step
        Rows changed or set aside at landing, by step; versions of old count as well.
    set_aside
        Rows that the mend put into quarantine, by code.
    """

    rows_before: int
    rows_after: int
    rows_changed: int
    gone: int
    come: int
    columns: tuple[ColumnChange, ...]
    by_step: Mapping[str, int]
    set_aside: Mapping[str, int]


def mend_effect(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    key: Sequence[str],
    by_step: Mapping[str, int] | None = None,
    set_aside: pl.DataFrame | None = None,
) -> MendEffect:
    """Compare the newest rows of a source without a mend and with it.

    Parameters
    ----------
    before, after
        The newest version of each row that stands, own columns; the key may have been mended too.
    key
        The key columns, as after the mend; where the mend makes or renames one, all rows are other rows.
    by_step
        The counts that landing gave (:class:`~wholeroad.road.data.facts.BatchLanded`).
    set_aside
        The quarantine with the mend; codes that begin with ``mend.`` are counted.
    """
    aside = _codes(set_aside)
    if not {*key} <= {*before.columns}:
        return MendEffect(
            before.height, after.height, 0, before.height, after.height, (), dict(by_step or {}), aside
        )
    own, other = _paired(before, after, key)
    columns = [name for name in dict.fromkeys([*before.columns, *after.columns]) if name not in key]
    differs = pl.Series([False]).new_from_index(0, own.height)
    changes = []
    for name in columns:
        was, now = _column(own, name), _column(other, name)
        where = column_differs(was, now)
        differs |= where
        if where.any():
            changes.append(_column_change(name, was, now, where=where, keys=own.select(key)))
    changes.sort(key=lambda change: (-change.rows, change.column))
    return MendEffect(
        rows_before=before.height,
        rows_after=after.height,
        rows_changed=int(differs.sum()),
        gone=before.height - own.height,
        come=after.height - own.height,
        columns=tuple(changes),
        by_step=dict(by_step or {}),
        set_aside=aside,
    )


def _paired(
    before: pl.DataFrame, after: pl.DataFrame, key: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the rows that both have, in the same order."""
    types = {name: kept_type(after.schema[name]) or pl.String() for name in key}
    keys = before.select(cast(before[name], kind) for name, kind in types.items()).with_row_index("own")
    others = after.select(cast(after[name], kind) for name, kind in types.items()).with_row_index("other")
    both = keys.join(others, on=[*key]).sort("own")
    return before[both["own"]], after[both["other"]]


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [None], dtype=pl.Null).new_from_index(0, frame.height)


def _column_change(
    name: str, was: pl.Series, now: pl.Series, *, where: pl.Series, keys: pl.DataFrame
) -> ColumnChange:
    places = where.arg_true()
    shown = [
        Example(keys.row(place, named=True), was[place], now[place])
        for place in places.head(_EXAMPLES).to_list()
    ]
    empty, emptied = was.is_null(), now.is_null()
    return ColumnChange(
        name,
        rows=len(places),
        nulls_gone=int((where & empty & ~emptied).sum()),
        nulls_come=int((where & ~empty & emptied).sum()),
        before=_type_name(was),
        after=_type_name(now),
        examples=tuple(shown),
    )


def _type_name(column: pl.Series) -> str | None:
    return None if isinstance(column.dtype, pl.Null) else str(kept_type(column.dtype) or column.dtype)


def _codes(set_aside: pl.DataFrame | None) -> dict[str, int]:
    if set_aside is None:
        return {}
    counted = set_aside.filter(pl.col("code").str.starts_with("mend."))["code"].value_counts()
    return dict(sorted(counted.iter_rows()))
