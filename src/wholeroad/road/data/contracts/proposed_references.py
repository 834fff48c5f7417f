"""References between sources, found by inclusion: every value is a key of another source, in time."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from wholeroad.road.data.casting import cast
from wholeroad.road.data.profile import words_of
from wholeroad.road.data.versions import KNOWN, Versions

Landed = Mapping[str, tuple[tuple[str, ...], Versions]]
"""By source: its key columns and its versions."""

_LEAST = 20
"""Different values, below which inclusion may be chance."""


def propose_reference(versions: Versions, column: str, *, others: Landed) -> tuple[str, str] | None:
    """Propose ``source.column`` for a column whose values are all among the keys of another source.

    A key counts only from when it was known, so that what refers to it can land: a source whose rows come
    later is none to refer to. Numbers that merely count are among any other numbers, so their columns must
    share a word of their names.

    Returns
    -------
    tuple[str, str] or None
        The reference, with its reason; of several the one with the fewest keys.
    """
    values = versions.frame[column]
    distinct = values.drop_nulls().n_unique()
    found: list[tuple[int, str, str]] = []
    for name, (key, other) in others.items():
        if name == versions.source or len(key) != 1 or key[0] not in other.frame.columns:
            continue
        keys = other.frame[key[0]]
        if keys.dtype != values.dtype or not _alike(column, key[0], name, values=values, distinct=distinct):
            continue
        if _included(versions, other, columns=(column, key[0])):
            said = f"all {distinct:,} values are among the {keys.n_unique():,} keys of {name}"
            found.append((keys.n_unique(), f"{name}.{key[0]}", said))
    return min(found)[1:] if found else None


def _alike(column: str, key: str, source: str, *, values: pl.Series, distinct: int) -> bool:
    if distinct < 2:
        return False
    shared = {*words_of(column)} & {*words_of(key), *words_of(source), source.rstrip("s")} - {
        "id",
        "key",
        "no",
    }
    if column == key or shared:
        return True
    return values.dtype == pl.String and distinct >= _LEAST


def _included(versions: Versions, other: Versions, *, columns: tuple[str, str]) -> bool:
    column, key = columns
    timed = not versions.static and not other.static
    used = versions.frame.select(pl.col(column).alias("value"), *([KNOWN] if timed else [])).drop_nulls(
        "value"
    )
    keys = other.frame.select(
        cast(other.frame[key], used["value"].dtype).alias("value"), *([KNOWN] if timed else [])
    )
    if not timed:
        return bool(used["value"].is_in(keys["value"].unique().implode()).all())
    first = keys.group_by("value").agg(pl.col(KNOWN).min().alias("there_at"))
    joined = used.join(first, on="value", how="left")
    return bool(joined.select((pl.col("there_at") <= pl.col(KNOWN)).fill_null(value=False).all()).item())
