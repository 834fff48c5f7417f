"""Columns that are empty when cases are decided and filled in later; rows that come after the decision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import UNITS
from wholeroad.road.data.cases import DECIDED
from wholeroad.road.data.quality.seen import CASE, Seen
from wholeroad.road.data.quality.times_telling import tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, column, share_of
from wholeroad.road.data.versions import DELETED, KNOWN

_LEAST: Final = 10
_SHARE: Final = 0.01
_AFTER: Final = 0.2


def find_known_too_late(seen: Seen) -> Iterator[Trouble]:
    """Find what a case's row lacks when it is decided, though it is there in hindsight.

    For each column, the version known at the decision is held against the newest one, case by case: the
    difference between valid time and transaction time (Snodgrass 1999, Developing time-oriented database
    applications in SQL, chapter 10). Of a source with one row per case, rows that come after the decision
    count too.
    """
    if seen.history is None or not seen.timed or seen.decided is None or seen.brief.timeless:
        return
    if seen.name == seen.brief.outcome.source and seen.name != seen.brief.case.source:
        return
    frame = seen.decided
    keys = list(seen.key_of_case)
    if set(seen.table.key) != set(keys):
        return
    truth = {name for name in seen.columns if seen.touches(name) == "truth"}
    both = frame.select(*keys, *_beside(seen)).join(
        seen.rows.select(*keys, *(pl.col(name).alias(f"_later_{name}") for name in _beside(seen))),
        on=keys,
        how="left",
        maintain_order="left",
    )
    for name in _beside(seen):
        if seen.name == seen.brief.outcome.source and name in truth:
            continue
        late = both[name].is_null() & both[f"_later_{name}"].is_not_null()
        rows = int(late.sum())
        if rows >= max(_LEAST, _SHARE * both.height):
            yield _filled(seen, name, both.filter(late).select(keys), of=both.height)
    logged = seen.brief.incumbent.source if seen.brief.incumbent else ""
    if seen.name not in {seen.brief.case.source, logged}:
        yield from _after(seen)


def _filled(seen: Seen, name: str, late: pl.DataFrame, *, of: int) -> Trouble:
    rows = late.height
    keys = late.columns
    marked = seen.rows.select(keys).join(
        late.unique().with_columns(pl.lit(value=True).alias("_late")),
        on=keys,
        how="left",
        maintain_order="left",
    )["_late"]
    mask = marked.fill_null(value=False).to_numpy()
    wait = _wait(seen, late)
    return tell_of_time(
        seen,
        Found(
            code="quality.known-too-late",
            columns=(name,),
            what=f"{name} was empty when {rows:,} of {of:,} cases ({share_of(rows, of)}) were decided and "
            f"is filled now, {wait} after the decision (median)",
            risk="the newest state of the table shows a value that no decision ever saw: a model fitted "
            "on an export of today learns from what won't be there",
            where=f"{column(name)} is not null, in rows whose first version had none",
            mask=mask,
            mend="leave it out of [feature] unless the gap is meant; or decide later, with decide_at "
            f"after {name} is there",
            leave="as it is where features are as known, which they are here: then it is only empty more "
            "often than it looks",
            strength=rows / max(_LEAST, _SHARE * of),
        ),
        cases=round(rows / seen.share),
    )


def _wait(seen: Seen, late: pl.DataFrame) -> str:
    """Say how long after the decision the newest version came, at the median."""
    if seen.history is None:
        return "some time"
    cases = seen.history.cases
    own = dict(zip(seen.key_of_case, cases.key, strict=True))
    told = cases.frame.select(*(pl.col(case).alias(key) for key, case in own.items()), DECIDED)
    told = told.cast({key: seen.rows.schema[key] for key in own})
    waits = (
        late.join(seen.rows.select(*own, KNOWN), on=list(own), how="inner")
        .join(told, on=list(own), how="inner")
        .select((pl.col(KNOWN) - pl.col(DECIDED)).dt.total_microseconds().median())
        .item()
    )
    hours = float(waits or 0) / UNITS["h"]
    return f"{hours / 24:,.1f} days" if abs(hours) >= 24 else f"{hours:,.1f} h"


def _after(seen: Seen) -> Iterator[Trouble]:
    """Rows of a source with one row per case that become known only after it was decided."""
    history = seen.history
    if history is None or seen.decided is None:
        return
    newest = seen.versions.frame.filter(~pl.col(DELETED)).select(seen.table.key).unique()
    cases = history.cases.frame.select(
        pl.col(case).cast(newest.schema[own]).alias(own)
        for own, case in zip(seen.key_of_case, history.cases.key, strict=True)
    )
    there = newest.join(cases, on=list(seen.key_of_case), how="semi")
    rows = there.height - seen.decided[CASE].n_unique()
    if rows < max(_LEAST, _AFTER * there.height) or seen.touches() == "nothing":
        return
    in_time = seen.decided.select(seen.key_of_case).unique().with_columns(pl.lit(value=True).alias("_seen"))
    marked = seen.rows.select(seen.key_of_case).join(
        in_time, on=list(seen.key_of_case), how="left", maintain_order="left"
    )
    mask = marked["_seen"].is_null().to_numpy() & np.ones(seen.rows.height, dtype=bool)
    yield tell_of_time(
        seen,
        Found(
            code="quality.known-too-late",
            columns=(),
            what=f"{rows:,} of {there.height:,} rows of {seen.name} ({share_of(rows, there.height)}) "
            "became known after their case was decided",
            risk="features of them are empty then, though the row is there in hindsight",
            where="rows that became known after their case was decided",
            mask=mask,
            mend="decide later, or leave it out of [feature]",
            leave="when the source tells what comes after the decision on purpose",
            strength=rows / max(_LEAST, _AFTER * there.height),
        ),
        cases=round(rows / seen.share),
    )


def _beside(seen: Seen) -> tuple[str, ...]:
    return tuple(name for name in seen.columns if name not in seen.key_of_case)
