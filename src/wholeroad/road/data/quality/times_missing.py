"""Since when is a column empty? Runs of time in which the share of rows without a value is another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import Days, Told
from wholeroad.road.data.quality.times_runs import Bounds, Run, find_run
from wholeroad.road.data.quality.times_telling import span_words
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, column, tell

_LEAST: Final = 8
"""Rows without a value that a run must hold more than usual."""
_CHANGE: Final = 0.05
_ODDS: Final = 2.5


def find_missing_since(seen: Seen) -> Iterator[Trouble]:
    """Find columns whose share of rows without a value is another in a run of days, or from a day on.

    The scan is that of :func:`~wholeroad.road.data.quality.times_runs.find_run`. Rows that happened so lately
    that what is known of them may still grow are left out where rows are corrected later.
    """
    if not seen.timed or not seen.rows.height:
        return
    clock = seen.clock
    days = clock.days
    totals = days.counted()
    gaps = {name: seen.rows[name].is_null().to_numpy() for name in seen.columns}
    gaps = {name: gap for name, gap in gaps.items() if 0 < gap.sum() < gap.size}
    for name, gap in gaps.items():
        run = find_run(days.counted(gap), totals, bounds=Bounds(looks=len(seen.columns)))
        if run is None or not _weighty(run):
            continue
        if _still_filled(seen, name, run, bins=days.count):
            continue
        yield _told(seen, name, gap, run, days)


def _weighty(run: Run) -> bool:
    return abs(run.change) >= _CHANGE and run.odds >= _ODDS and abs(run.rows - run.outside * run.of) >= _LEAST


def _still_filled(seen: Seen, name: str, run: Run, *, bins: int) -> bool:
    """Whether an empty end is only what later versions haven't filled in yet."""
    if run.last < bins or run.change < 0:
        return False
    first = seen.versions.frame.unique(list(seen.table.key), keep="first", maintain_order=True)
    filled_later = first[name].null_count() - seen.rows[name].null_count()
    return filled_later > 0.2 * first[name].null_count()


def _told(seen: Seen, name: str, gap: NDArray[np.bool_], run: Run, days: Days) -> Trouble:
    low = None if run.first == 0 else days.at(run.first)
    high = None if run.last == days.count else days.at(run.last)
    inside = (days.place >= run.first) & (days.place < run.last)
    emptier = run.change > 0
    when = span_words(low, high)
    marked = gap & inside if emptier else gap & ~inside & (days.place >= 0)
    told = Told(seen.table, seen.columns)
    place = told.happened(low, high)
    empty = f"{column(name)} is null"
    where = f"{empty} and {place}" if emptier else f"{empty} and not ({place})"
    rate = f"{run.inside:.1%} of {run.of:,} rows are without a value, otherwise {run.outside:.1%}"
    return tell(
        seen,
        Found(
            code="quality.missing-since",
            columns=(name,),
            what=f"{name}: {when} {rate}",
            risk="a model that learnt from the one time reads the gap of the other as if it meant "
            "something; windows over both count fewer values in the one",
            where=where if " rows that " not in f" {where}" else f"{name} is empty {when}",
            mask=marked,
            mend={"fill": name, "with": 0, "flag": f"{name}_missing"}
            if seen.rows.schema[name].is_numeric()
            else "ask whoever writes it what changed on that day; land the rows again when it is mended "
            "there",
            leave="when the column was introduced or given up on purpose then, and no feature counts on it",
            strength=run.surety,
            shown=(name, *seen.times),
        ),
    )
