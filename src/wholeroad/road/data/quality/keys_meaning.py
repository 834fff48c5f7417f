"""Keys that mean something else from a day on: given out again, or moved to another thing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import DAY, Instant
from wholeroad.road.data.quality.keys_links import reference_columns
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import Told, day
from wholeroad.road.data.quality.times_runs import FAMILY
from wholeroad.road.data.quality.times_telling import tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, one_of
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN

_LEAST: Final = 3
_SHARE: Final = 0.0005
_CHANGED: Final = 0.5
"""Share of a row's columns that say something else, where a key was given out again."""
_THING: Final = "_thing"
_AT: Final = "_at"
_ROWS: Final = 4
"""Rows that a thing must have, so that it can be told whether it ever changes."""
_SOME: Final = 3_000
"""Things that are looked at first."""
_MAYBE: Final = 0.4
_STEADY: Final = 0.5
"""Share of things whose attribute never changes."""
_TOGETHER: Final = 0.8
"""Share of the changes that fall on one instant."""


def find_changed_keys(seen: Seen) -> Iterator[Trouble]:
    """Find keys that were given out again, and references whose thing became another on a day.

    A row's key that comes back later with most columns changed is no correction. And where a column says
    something about a thing that never changes (a customer's home, a machine's model), changes of many things
    at one instant say that names were moved: a functional dependency that holds before and after, but not
    across (conditional in time; Fan et al. 2008, Conditional functional dependencies for capturing data
    inconsistencies, ACM Transactions on Database Systems 33).
    """
    if not seen.timed or not seen.rows.height:
        return
    yield from _given_again(seen)
    for name in reference_columns(seen):
        yield from _moved(seen, name)


def _given_again(seen: Seen) -> Iterator[Trouble]:
    key = list(seen.table.key)
    others = [name for name in seen.columns if name not in key and name not in seen.times]
    if not others:
        return
    frame = seen.versions.frame
    several = frame.filter(~pl.col(DELETED) & pl.struct(key).is_duplicated())
    if not several.height:
        return
    several = several.sort(*key, HAPPENED, KNOWN, maintain_order=True)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in key)
    moved = (pl.col(HAPPENED) - pl.col(HAPPENED).shift(1)).dt.total_microseconds()
    differ = pl.sum_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in others)
    anew = several.with_columns(
        (same & (moved > DAY) & (differ >= max(1.0, _CHANGED * len(others))))
        .fill_null(value=False)
        .alias("_anew")
    ).filter("_anew")
    rows = anew.height
    if rows < max(_LEAST, _SHARE * seen.rows.height):
        return
    first_at: Instant = int(anew[KNOWN].to_physical().min())  # type: ignore[arg-type]
    marked = seen.rows.select(key).join(
        anew.select(key).unique().with_columns(pl.lit(value=True).alias("_anew")),
        on=key,
        how="left",
        maintain_order="left",
    )["_anew"]
    yield tell_of_time(
        seen,
        Found(
            code="quality.key-changed-meaning",
            columns=tuple(key),
            what=f"{rows:,} keys of {seen.name} came back on another day with most columns changed, the "
            f"first on {day(first_at)}: they were given out again",
            risk="the new row is taken for a correction of the old one, so the old one is gone from then "
            "on: sums and counts lose it, and outcomes go to the wrong case",
            where=_keys(seen, anew),
            mask=marked.fill_null(value=False).to_numpy(),
            mend="name a key that is never given out again, such as "
            f"[{', '.join(map(repr, [*key, *sorted(seen.times)[:1]]))}]",
            leave="when a row may really be written anew under its key, and only its newest state counts",
            strength=rows / max(_LEAST, _SHARE * seen.rows.height),
            shown=(*key, *sorted(seen.times)),
        ),
        rows=rows,
    )


def _keys(seen: Seen, anew: pl.DataFrame) -> str:
    if len(seen.table.key) != 1:
        return "rows whose key has versions that happened days apart"
    values = anew[seen.table.key[0]].unique(maintain_order=True)
    if values.dtype == pl.String or values.dtype.is_numeric():
        return one_of(seen.table.key[0], values.to_list())
    return "rows whose key has versions that happened days apart"


@dataclass(frozen=True, slots=True)
class _Flips:
    """Things whose attribute changed once, and the instant at which most of them did."""

    attribute: str
    things: list[int | str]
    at: Instant
    changed: int
    steady: int
    surety: float


def _moved(seen: Seen, name: str) -> Iterator[Trouble]:
    clock = seen.clock
    attributes = [
        each
        for each in (*seen.looked.texts, *seen.looked.numbers, *seen.looked.booleans)
        if each != name and each not in seen.table.key and each not in seen.times
    ]
    attributes = _mostly_fixed(seen.rows.select(name, *attributes), name)
    if not attributes:
        return
    ordered = (
        seen.rows.select(
            pl.col(name).alias(_THING),
            pl.Series(_AT, clock.happened),
            pl.Series("_there", clock.there),
            *attributes,
        )
        .filter(pl.col("_there") & pl.col(_THING).is_not_null())
        .sort(_THING, _AT)
    )
    flips = [
        found for each in attributes if (found := _flips(ordered, each, looks=len(attributes))) is not None
    ]
    if not flips:
        return
    yield _told_moved(seen, name, flips)


def _told_moved(seen: Seen, name: str, flips: list[_Flips]) -> Trouble:
    clock, best = seen.clock, max(flips, key=lambda each: each.surety)
    told = Told(seen.table, seen.columns)
    since = (clock.happened >= best.at) & clock.there
    mask = (
        seen.rows[name].is_in(pl.Series(best.things, dtype=seen.rows.schema[name]).implode()).to_numpy()
        & since
    )
    attribute_names = tuple(each.attribute for each in flips)
    where, then = one_of(name, best.things), told.happened(best.at, None)
    where = f"{where} and {then}" if "is one of" not in where else f"{where}, {day(best.at)} or later"
    return tell_of_time(
        seen,
        Found(
            code="quality.key-changed-meaning",
            columns=(name, *attribute_names),
            what=f"{best.attribute} of {best.changed:,} {name} changed at one instant, about "
            f"{day(best.at)}; of the {best.steady:,} others it never does: from then on these stand for "
            "something else",
            risk="what is counted or joined by it mixes two things, and a latest value belongs to the "
            "other one",
            where=where,
            mask=mask,
            mend=f"give {name} of that time a mark of its own with map and where, so that old and new stay "
            "apart; better, ask for a key that is never given out again",
            leave=f"when {best.attribute} was corrected or renamed for all of them on that day",
            strength=best.surety,
            shown=(name, best.attribute, *sorted(seen.times)),
        ),
    )


def _mostly_fixed(rows: pl.DataFrame, name: str) -> list[str]:
    """Name the columns that most of some things hold one value of: the others say nothing about a thing."""
    things = rows[name].drop_nulls().unique(maintain_order=True)
    some = rows.filter(pl.col(name).is_in(things.gather_every(max(1, len(things) // _SOME)).implode()))
    kinds = some.group_by(name).agg(pl.len().alias("_rows"), pl.exclude(name).drop_nulls().n_unique())
    kinds = kinds.filter(pl.col("_rows") >= _ROWS)
    return [
        each
        for each in kinds.columns
        if each not in {name, "_rows"} and int((kinds[each] <= 1).sum()) >= _MAYBE * kinds.height
    ]


def _flips(ordered: pl.DataFrame, attribute: str, *, looks: int) -> _Flips | None:
    rows = ordered.select(_THING, _AT, value=pl.col(attribute)).drop_nulls("value")
    if rows.height < _ROWS:
        return None
    anew = pl.col(_THING) == pl.col(_THING).shift(1)
    rows = rows.with_columns(
        (anew & (pl.col("value") != pl.col("value").shift(1))).fill_null(value=False).alias("changed"),
        pl.col(_AT).shift(1).alias("before"),
    )
    things = rows.group_by(_THING, maintain_order=True).agg(
        pl.len().alias("rows"),
        pl.col("changed").sum(),
        pl.col("before").filter("changed").first().alias("low"),
        pl.col(_AT).filter("changed").first().alias("high"),
    )
    enough = things.filter(pl.col("rows") >= _ROWS)
    steady = int((enough["changed"] == 0).sum())
    if enough.height < 2 * _ROWS or steady < _STEADY * enough.height:
        return None
    if rows["value"].n_unique() < 3 or _one_value(rows["value"]):
        return None
    once = enough.filter(pl.col("changed") == 1)
    often = enough.filter(pl.col("changed") > 1).height
    if once.height < _LEAST or often > max(0.25 * once.height, 0.02 * enough.height):
        return None
    return _at_once(once, attribute, steady=steady, looks=looks, ordered=ordered)


def _one_value(values: pl.Series) -> bool:
    counts = values.value_counts()["count"]
    return int(counts.max() or 0) > 0.9 * len(values)  # type: ignore[arg-type]


def _at_once(
    once: pl.DataFrame, attribute: str, *, steady: int, looks: int, ordered: pl.DataFrame
) -> _Flips | None:
    low, high = once["low"].to_numpy(), once["high"].to_numpy()
    # An instant is covered by a change that may have happened then; the best one is where a change ends.
    ends = np.unique(high)
    ends = ends[:: max(1, ends.size // 2_000)]
    covered = np.array([int(((low < at) & (high >= at)).sum()) for at in ends])
    best = int(np.argmax(covered))
    at = ordered[_AT].to_numpy()
    span = float(np.ptp(at)) or 1.0
    wide = min(0.99, 2 * float(np.mean(high - low)) / span)
    together = int(covered[best])
    if together < max(_LEAST, _TOGETHER * once.height):
        return None
    unlikely = -(together - 1) * math.log(wide) - math.log(once.height)
    bar = math.log(max(looks, 1)) - math.log(FAMILY)
    if unlikely < bar:
        return None
    mine = (low < ends[best]) & (high >= ends[best])
    since = int(low[mine].max()) + 1
    things: list[int | str] = once[_THING].filter(pl.Series(mine)).to_list()
    return _Flips(attribute, things, since, together, steady, unlikely / bar)
