"""Categories that come or go on a day, with weight."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import Days
from wholeroad.road.data.quality.times_runs import FAMILY
from wholeroad.road.data.quality.times_telling import span_words
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, one_of, share_of, tell

_LEVELS: Final = 200
_LEAST: Final = 8
"""Rows that a category must have."""
_WEIGHT: Final = 0.01
"""Share of the rows of its time that a category must have."""
_EDGE: Final = 0.01
"""A category that goes in the last part of the rows may be chance."""
_SETTLED: Final = 0.1
"""A category that was there for all but this first part of the rows is an ordinary one."""
_PLAINLY: Final = 0.01
"""Chance below which a category is counted among those that came or went, before any bar for many looks."""
_APART: Final = 0.02
"""Comings and goings within this part of time are one event."""
_STEADY: Final = 3
"""A column in which categories came or went at so many times is one in which they come and go."""
_HEAVY: Final = 3.0
"""How much more weight than the others that came a category has that stands out all the same."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A category that was there for a part of time only; ``low`` and ``high`` are bins, ``high`` left out."""

    name: str | float
    rows: int
    low: int | None
    high: int | None
    share: float
    surety: float

    @property
    def events(self) -> tuple[int, ...]:
        """Bins at which it came or went."""
        return tuple(place for place in (self.low, self.high) if place is not None)


def find_new_categories(seen: Seen) -> Iterator[Trouble]:
    """Find categories that aren't there before a day, or no more from a day on, though they have weight.

    If rows of a category came evenly, the chance that ``m`` of its days all lie in a part ``f`` of the rows
    is ``f ** m``: that of a run of missing ones, as in a test of randomness by the greatest gap (Barton and
    David 1959, Combinatorial extreme value distributions, Mathematika 6). Days are counted, not rows, since
    rows of a day may belong together. The bar is Bonferroni's over all categories. A column in which
    categories come and go at several times, as products of a catalogue do, is left: there one more is the
    usual thing, unless it has far more weight than the others that came. What is left of a column is told
    as one.
    """
    if not seen.timed or not seen.rows.height:
        return
    days = seen.clock.days
    columns = (*seen.looked.texts, *seen.looked.numbers)
    levels = {name: found for name in columns if (found := _counted(seen, name, days)) is not None}
    looks = sum(len(names) for _, names in levels.values())
    for name, (table, names) in levels.items():
        standing_out = _standing_out(_partial(table, names), bins=table.shape[1], looks=looks)
        if standing_out:
            yield _told(seen, name, standing_out, days)


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


def _standing_out(partial: list[_Level], *, bins: int, looks: int) -> list[_Level]:
    """Give the categories that are sure and heavy enough, the surest first; of a catalogue hardly any."""
    bar = math.log(max(looks, 1) * 2 / FAMILY) / -math.log(_PLAINLY)
    sure = [level for level in partial if level.surety >= bar and level.share >= _WEIGHT]
    events = sorted(place for level in partial for place in level.events)
    apart = 1 + sum(after - before > _APART * bins for before, after in pairwise(events))
    if apart >= _STEADY:
        shares = {level.name: level.share for level in partial}
        sure = [
            level
            for level in sure
            if level.share
            > _HEAVY * max((share for name, share in shares.items() if name != level.name), default=0.0)
        ]
    return sorted(
        (replace(level, surety=level.surety / bar) for level in sure), key=lambda level: -level.surety
    )


def _partial(table: NDArray[np.float64], names: list[str | float]) -> list[_Level]:
    """Give the categories that plainly came or went, of any weight; surety 1 is a chance of a hundredth."""
    total = table.sum(axis=0)
    reached = np.concatenate([[0.0], np.cumsum(total)])
    bar = -math.log(_PLAINLY)
    partial = []
    for code, counts in enumerate(table):
        there = np.flatnonzero(counts)
        rows = int(counts.sum())
        if rows < _LEAST:
            continue
        first, last = int(there[0]), int(there[-1]) + 1
        before, after = reached[first] / reached[-1], 1 - reached[last] / reached[-1]
        came, went = (-len(there) * math.log1p(-min(part, 0.999)) / bar for part in (before, after))
        low = first if came >= 1 and before > _SETTLED else None
        high = last if went >= 1 and after > _EDGE else None
        share = rows / (reached[last] - reached[first])
        if low is not None or high is not None:
            surety = max(came if low is not None else 0.0, went if high is not None else 0.0)
            partial.append(_Level(names[code], rows, low, high, float(share), surety))
    return partial


def _told(seen: Seen, name: str, levels: list[_Level], days: Days) -> Trouble:
    first = levels[0]
    names = [level.name for level in levels]
    shown = first.name if isinstance(first.name, str) else f"{first.name:g}"
    more = [f"{_said(level, days)} ({level.rows:,} rows)" for level in levels[1:4]]
    if len(levels) > len(more) + 1:
        more.append(f"{len(levels) - len(more) - 1} more such categories")
    words = [each for each in names if isinstance(each, str)]
    kind = pl.String if words else pl.Float64
    mask = seen.rows[name].cast(kind).is_in(pl.Series(names, dtype=kind).implode())
    return tell(
        seen,
        Found(
            code="quality.new-category",
            columns=(name,),
            what=f"{name} is {_said(first, days)}: in {first.rows:,} rows, "
            f"{share_of(first.rows, round(first.rows / first.share))} of that time and none of the rest"
            + (f"; and {'; '.join(more)}" if more else ""),
            risk="a model fitted without it knows nothing of it, and a rule that names the old categories "
            "leaves it out; a new name for an old thing splits its history",
            where=one_of(name, names),
            mask=mask.fill_null(value=False).to_numpy(),
            mend={"map": name, "values": dict.fromkeys(words, "the category it was before")}
            if isinstance(first.name, str)
            else f"ask what {shown} means; map it onto the old one where it says the same",
            leave="when there is really something new: a product, a site, a channel",
            strength=first.surety,
            shown=(name, *seen.times),
        ),
    )


def _said(level: _Level, days: Days) -> str:
    low = None if level.low is None else days.at(level.low)
    high = None if level.high is None else days.at(level.high)
    shown = repr(level.name) if isinstance(level.name, str) else f"{level.name:g}"
    return f"{shown} only {span_words(low, high)}"
