"""Rows that refer to nothing: outcomes without a case, and names that a static table doesn't have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from wholeroad.road.data.quality.keys_links import Link, links_of
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_telling import tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, one_of, share_of

_LEAST: Final = 3
_SHARE: Final = 0.0002


def find_orphans(seen: Seen) -> Iterator[Trouble]:
    """Find rows whose reference isn't there: of an outcome its case, of the others a row of a static table.

    Referential integrity (Codd 1970, A relational model of data for large shared data banks, section 1.3).
    What has no value refers to nothing and is no orphan.
    """
    for link in links_of(seen):
        keys = _keys(seen, link)
        if keys is None:
            continue
        own = seen.rows.select(
            pl.col(name).cast(keys.schema[key], strict=False).alias(key)
            for name, key in zip(link.columns, link.key, strict=True)
        )
        marked = keys.unique().with_columns(pl.lit(value=True).alias("_there"))
        there = own.join(marked, on=list(link.key), how="left", maintain_order="left")["_there"]
        given = seen.rows.select(pl.all_horizontal(pl.col(*link.columns).is_not_null())).to_series()
        orphans = given & there.is_null()
        rows = int(orphans.sum())
        if rows >= max(_LEAST, _SHARE * seen.rows.height):
            yield _told(seen, link, orphans)


def _keys(seen: Seen, link: Link) -> pl.DataFrame | None:
    versions = seen.beside.get(link.source)
    if versions is not None and {*link.key} <= {*versions.frame.columns}:
        return versions.frame.select(link.key)
    if seen.history is not None and link.source == seen.brief.case.source:
        return seen.history.cases.frame.select(link.key)
    return None


def _told(seen: Seen, link: Link, orphans: pl.Series) -> Trouble:
    rows = int(orphans.sum())
    name = link.columns[0]
    values = seen.rows[name].filter(orphans).unique(maintain_order=True)
    outcome = link.source == seen.brief.case.source
    plain = values.dtype == pl.String or values.dtype.is_numeric()
    where = (
        one_of(name, values.to_list())
        if len(link.columns) == 1 and plain
        else f"rows whose {', '.join(link.columns)} isn't in {link.source}"
    )
    return tell_of_time(
        seen,
        Found(
            code="quality.orphans",
            columns=link.columns,
            what=f"{', '.join(link.columns)} of {rows:,} rows of {seen.name} "
            f"({share_of(rows, seen.rows.height)}, {len(values):,} different) isn't in {link.source}",
            risk="an outcome without its case is in no fit and in no money, and its case seems to have none"
            if outcome
            else f"features that look {link.source} up are empty for them, and what is counted by it is "
            "split",
            where=where,
            mask=orphans.to_numpy(),
            mend=f"land the rows of {link.source} that are missing; where the key is only written "
            f"otherwise, map or parse {name}"
            if not outcome
            else "land the cases that are missing, or name in [outcome] by what holds the key of "
            f"{link.source}",
            leave="when the other table was cut to what is needed, and these rows lie outside of it",
            strength=rows / max(_LEAST, _SHARE * seen.rows.height),
        ),
    )
