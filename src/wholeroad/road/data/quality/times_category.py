"""Categories that come or go on a day, with weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import Days
from wholeroad.road.data.quality.times_runs import FAMILY
from wholeroad.road.data.quality.times_telling import span_words
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, column, literal, share_of, tell

_LEVELS: Final = 200
_LEAST: Final = 8
"""Rows that a category must have."""
_WEIGHT: Final = 0.01
"""Share of the rows of its time that a category must have."""
_EDGE: Final = 0.01
"""A category that comes in the first or goes in the last part of time may be chance."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A category that was there for a part of time only; ``low`` and ``high`` are bins, ``high`` left out."""

    name: str | float
    rows: int
    low: int | None
    high: int | None
    share: float
    surety: float


def find_new_categories(seen: Seen) -> Iterator[Trouble]:
    """Find categories that aren't there before a day, or no more from a day on, though they have weight.

    If rows of a category came evenly, the chance that ``m`` of its days all lie in a part ``f`` of the rows
    is ``f ** m``: that of a run of missing ones, as in a test of randomness by the greatest gap (Barton and
    David 1959, Combinatorial extreme value distributions, Mathematika 6). Days are counted, not rows, since
    rows of a day may belong together. The bar is Bonferroni's over all categories.
    """
    if not seen.timed or not seen.rows.height:
        return
    days = seen.clock.days
    columns = (*seen.looked.texts, *seen.looked.numbers)
    levels = {name: found for name in columns if (found := _counted(seen, name, days)) is not None}
    looks = sum(len(names) for _, names in levels.values())
    for name, (table, names) in levels.items():
        for level in _partial(table, names, looks=looks):
            yield _told(seen, name, level, days)


def _counted(seen: Seen, name: str, days: Days) -> tuple[NDArray[np.float64], list[str | float]] | None:
    """Count the rows of each category, shape (categories, bins); None of what isn't one."""
    looked = seen.looked
    if name in looked.texts:
        texts = looked.texts[name]
        if texts.identifies or not 2 <= len(texts.levels) <= _LEVELS:
            return None
        names: list[str | float] = [*texts.levels]
        kind: pl.DataType | type[pl.DataType] = pl.String
    elif name in looked.numbers:
        numbers = looked.numbers[name]
        if numbers.identifies or not numbers.whole or not 2 <= numbers.levels.size <= 20:
            return None
        names, kind = [float(level) for level in numbers.levels], pl.Float64
    else:
        return None
    counted = (
        pl.DataFrame({"word": seen.rows[name].cast(kind), "bin": days.place})
        .group_by("word", "bin")
        .len("rows")
        .filter(pl.col("word").is_not_null() & (pl.col("bin") >= 0))
        .join(pl.DataFrame({"word": pl.Series(names, dtype=kind)}).with_row_index("place"), on="word")
    )
    table = np.zeros((len(names), days.count))
    table[counted["place"].to_numpy(), counted["bin"].to_numpy()] = counted["rows"].to_numpy()
    return table, names


def _partial(table: NDArray[np.float64], names: list[str | float], *, looks: int) -> Iterator[_Level]:
    total = table.sum(axis=0)
    reached = np.concatenate([[0.0], np.cumsum(total)])
    bar = math.log(max(looks, 1) * 2 / FAMILY)
    for code, counts in enumerate(table):
        there = np.flatnonzero(counts)
        rows = int(counts.sum())
        if rows < _LEAST:
            continue
        first, last = int(there[0]), int(there[-1]) + 1
        before, after = reached[first] / reached[-1], 1 - reached[last] / reached[-1]
        came, went = (-len(there) * math.log1p(-min(part, 0.999)) / bar for part in (before, after))
        low = first if came >= 1 and before > _EDGE else None
        high = last if went >= 1 and after > _EDGE else None
        share = rows / (reached[last] - reached[first])
        if (low is not None or high is not None) and share >= _WEIGHT:
            yield _Level(names[code], rows, low, high, share, max(came, went))


def _told(seen: Seen, name: str, found: _Level, days: Days) -> Trouble:
    low = None if found.low is None else days.at(found.low)
    high = None if found.high is None else days.at(found.high)
    shown = found.name if isinstance(found.name, str) else f"{found.name:g}"
    where = f"{column(name)} = {literal(found.name)}"
    return tell(
        seen,
        Found(
            code="quality.new-category",
            columns=(name,),
            what=f"{name} is {shown!r} only {span_words(low, high)}: in {found.rows:,} rows, "
            f"{share_of(found.rows, round(found.rows / found.share))} of that time and none of the rest",
            risk="a model fitted without it knows nothing of it, and a rule that names the old categories "
            "leaves it out; a new name for an old thing splits its history",
            where=where,
            mask=(seen.rows[name] == found.name).fill_null(value=False).to_numpy(),
            mend={"map": name, "values": {shown: "the category it was before"}}
            if isinstance(found.name, str)
            else "ask what the new value means; map it onto the old one where it says the same",
            leave="when there is really something new: a product, a site, a channel",
            strength=found.surety,
            shown=(name, *seen.times),
        ),
    )
