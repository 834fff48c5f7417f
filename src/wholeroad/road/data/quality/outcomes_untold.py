"""Runs of days whose cases have no outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from wholeroad.road.data.quality.outcomes_told import came_true
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import days_of
from wholeroad.road.data.quality.times_runs import find_run
from wholeroad.road.data.quality.times_telling import span_words, tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found

_LEAST: Final = 10
_CHANGE: Final = 0.3


def find_untold_times(seen: Seen) -> Iterator[Trouble]:
    """Find runs of days whose cases, though old enough, have far fewer outcomes than those of other days."""
    history = seen.history
    if history is None or seen.brief.timeless:
        return
    came = came_true(history)
    days = days_of(came.decided_at, known=came.mature)
    silent = came.mature & ~came.told
    run = find_run(days.counted(silent), days.counted())
    if run is None or run.change < _CHANGE or run.rows < _LEAST:
        return
    low, high = days.at(run.first), days.at(run.last)
    inside = (came.decided_at >= low) & (came.decided_at < high)
    keys = history.cases.frame.select(
        pl.col(case).cast(seen.rows.schema[own]).alias(own)
        for own, case in zip(seen.key_of_case, history.cases.key, strict=True)
    )
    told = seen.rows.select(seen.key_of_case).join(
        keys.filter(pl.Series(inside)).unique().with_columns(pl.lit(value=True).alias("_in")),
        on=list(seen.key_of_case),
        how="left",
        maintain_order="left",
    )["_in"]
    yield tell_of_time(
        seen,
        Found(
            code="quality.time-gap",
            columns=(),
            what=f"of cases decided {span_words(low, None if run.last == days.count else high)} "
            f"{run.inside:.0%} have no outcome ({run.rows:,} cases), otherwise {run.outside:.0%}",
            risk="they are in no fit and in no money; where silence means a class, they look like that class",
            where=f"outcomes of cases decided {span_words(low, high)}",
            mask=np.asarray(told.fill_null(value=False).to_numpy()),
            mend="ask whoever delivers the outcomes for those days, and land them",
            leave="when nothing was decided about these cases, and silence means nothing",
            strength=run.surety,
        ),
        rows=run.rows,
        of=int(came.mature.sum()),
        cases=run.rows,
    )
