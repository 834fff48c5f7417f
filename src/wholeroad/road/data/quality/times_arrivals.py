"""Rows that became known late: in one lump long after, later from a day on, or some of them always."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, UNITS
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import Told, day
from wholeroad.road.data.quality.times_runs import Bounds, Run, find_run
from wholeroad.road.data.quality.times_telling import span_words, tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, share_of

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LEAST: Final = 8
_LUMP: Final = 10
_SEVERAL: Final = 4
_TAIL: Final = 0.002
"""Share of rows beyond the fence that is no longer taken for a tail."""
_FENCE: Final = 2.2
"""Quartile distances above the upper quartile: of normal logarithms 1 in 7,000 lies beyond."""
_WHOLE: Final = 0.02
_HOUR: Final = UNITS["h"]
_LEAST_MORE: Final = 0.25


@dataclass(frozen=True, slots=True)
class _Delays:
    """Delays in microseconds of the rows whose times are known, and which rows these are."""

    rows: NDArray[np.int64]
    delay: NDArray[np.int64]
    known: NDArray[np.int64]

    @property
    def steady(self) -> bool:
        return self.delay.size >= 60 and bool(np.ptp(self.delay))


def find_backfills(seen: Seen) -> Iterator[Trouble]:
    """Find many rows that became known at one instant, though they happened over a span of time.

    Rows that come in regular lumps (a nightly load) are all alike; a backfill is a lump that reaches further
    back, and holds more rows, than the others. Seen from what is known, its rows didn't exist before; seen
    from what happened, they did: whoever joins by when things happened sees the future of that time.
    """
    if not seen.timed or not seen.rows.height:
        return
    delays = _delays(seen)
    counts = pl.Series("known", delays.known).value_counts(name="rows")
    if delays.known.size < _LUMP or int(counts["rows"].to_numpy().max()) < _LUMP:
        return
    usual = float(counts["rows"].median())  # type: ignore[arg-type]
    lumps = _lumps(delays, counts)
    reach = float(lumps["reach"].median()) if usual >= _SEVERAL else 0.0  # type: ignore[arg-type]
    ordinary = float(np.median(delays.delay))
    alone = counts.height == 1
    found = lumps.filter(
        (pl.col("rows") >= max(_LUMP, 0 if alone else 4 * usual))
        & (pl.col("reach") >= (DAY if alone else max(6 * _HOUR, 3 * reach)))
        & (pl.lit(alone) | (pl.col("delay") > ordinary))
    ).sort("rows", "known", descending=[True, False])
    if not found.height:
        return
    at = found["known"].to_numpy()
    mask = _marked(seen, delays.rows[np.isin(delays.known, at)])
    rows = int(mask.sum())
    first = int(at[0])
    told = Told(seen.table, seen.columns)
    several = f", and {found.height - 1} more such lumps" if found.height > 1 else ""
    spanned = float(found["reach"][0]) / DAY
    yield tell_of_time(
        seen,
        Found(
            code="quality.backfill",
            columns=(),
            what=f"{found['rows'][0]:,} rows of {seen.name} became known at one instant, on "
            f"{day(first)}{several}; they happened over {spanned:,.1f} days",
            risk="features as known see nothing of them before that instant, and cases of these days were "
            "decided without; whoever counts by when things happened sees more than was known",
            where=told.known(first, first + 1),
            mask=mask,
            mend="if the instant is that of the loading, name in known_at what says when each row was "
            "known, or an allowance such as happened_at + 1d; if they did come so late, leave known_at",
            leave="when they really came in one lump: then what is known as of each day is right as it is",
            strength=rows / max(_LUMP, 4 * usual),
            shown=(*sorted(seen.times),),
        ),
    )


def _lumps(delays: _Delays, counts: pl.DataFrame) -> pl.DataFrame:
    """Give the instants at which several rows became known: how many, and how far their delays reach."""
    several = counts.filter(pl.col("rows") >= _SEVERAL)
    rows = pl.DataFrame({"known": delays.known, "delay": delays.delay}).join(several, on="known", how="inner")
    return rows.group_by("known").agg(
        pl.len().alias("rows"),
        (pl.col("delay").quantile(0.95) - pl.col("delay").quantile(0.05)).alias("reach"),
        pl.col("delay").median(),
    )


def find_late_arrivals(seen: Seen) -> Iterator[Trouble]:
    """Find delays of being known that grew for a time, and a part of the rows that comes late.

    A run of days is looked for with more rows beyond the median and beyond the upper decile of delays than
    on the others, by :func:`~wholeroad.road.data.quality.times_runs.find_run`. The late part is what lies
    beyond the outer fence of the logarithms of delays (Tukey 1977, Exploratory data analysis, section 2D),
    within each outcome where the delay may depend on it.
    """
    if not seen.timed or not seen.rows.height:
        return
    delays = _delays(seen)
    if not delays.steady:
        return
    grown = _grown(seen, delays)
    if grown is not None:
        yield grown
    heavy = _heavy(seen, delays)
    if heavy is not None:
        yield heavy


def _delays(seen: Seen) -> _Delays:
    clock = seen.clock
    rows = np.flatnonzero(clock.there)
    return _Delays(rows, clock.delay[rows], clock.known[rows])


def _marked(seen: Seen, rows: NDArray[np.int64]) -> Flags:
    mask = np.zeros(seen.rows.height, dtype=bool)
    mask[rows] = True
    return mask


def _grown(seen: Seen, delays: _Delays) -> Trouble | None:
    days = seen.clock.days
    best: Run | None = None
    for share in (0.5, 0.9):
        late = np.zeros(seen.rows.height, dtype=bool)
        bar = float(np.quantile(delays.delay, share))
        late[delays.rows] = delays.delay > bar
        run = find_run(days.counted(late), days.counted(), bounds=Bounds(looks=2, most=0.8))
        if run is not None and run.change > 0 and (best is None or run.surety > best.surety):
            best = run
    if best is None:
        return None
    place = days.place[delays.rows]
    inside = (place >= best.first) & (place < best.last)
    mine, others = delays.delay[inside], delays.delay[~inside & (place >= 0)]
    now, before = float(np.median(mine)), float(np.median(others))
    spread = float(np.subtract(*np.quantile(others, [0.75, 0.25])))
    if best.change < _LEAST_MORE or now - before < max(0.5 * spread, 0.5 * abs(before), _HOUR / 6):
        return None
    if whole_hours(mine, others) is not None:
        return None
    low, high = days.at(best.first), None if best.last == days.count else days.at(best.last)
    mask = _marked(seen, delays.rows[inside])
    return _late(
        seen,
        mask,
        what=f"{span_words(low, high)} rows of {seen.name} become known {_span(now)} after they happen, "
        f"otherwise {_span(before)} (medians; {best.of:,} rows)",
        where=Told(seen.table, seen.columns).happened(low, high),
        strength=best.surety,
    )


def whole_hours(mine: NDArray[np.int64], others: NDArray[np.int64]) -> int | None:
    """Tell by how many whole hours delays moved, all of them alike; None where they moved otherwise."""
    moved = [
        (float(np.quantile(mine, share)) - float(np.quantile(others, share))) / _HOUR
        for share in (0.1, 0.5, 0.75)
    ]
    hours = round(moved[1])
    spread = float(np.subtract(*np.quantile(others, [0.75, 0.25]))) / _HOUR
    close = max(0.1, 0.6 * spread)
    if hours and all(abs(each - hours) <= close for each in moved) and spread < 0.5 * abs(hours):
        return hours
    return None


def _heavy(seen: Seen, delays: _Delays) -> Trouble | None:
    late = np.zeros(delays.delay.size, dtype=bool)
    fence = 0.0
    for part in _alike(seen, delays):
        if part.sum() >= 60:
            beyond, fence = _beyond(delays.delay[part])
            late[part] = beyond
    rows = int(late.sum())
    if rows < max(_LEAST, _TAIL * late.size):
        return None
    typical, later = float(np.median(delays.delay[~late])), float(np.median(delays.delay[late]))
    mask = _marked(seen, delays.rows[late])
    return _late(
        seen,
        mask,
        what=f"{rows:,} of {late.size:,} rows of {seen.name} ({share_of(rows, late.size)}) become known "
        f"{_span(later)} after they happen, the others {_span(typical)} (medians)",
        where=_lag(seen, fence),
        strength=rows / max(_LEAST, _TAIL * late.size),
    )


def _alike(seen: Seen, delays: _Delays) -> Iterator[Flags]:
    """Give the rows whose delays may be compared: of one outcome, where they tell it."""
    truth = seen.truth if seen.name == seen.brief.outcome.source and not seen.brief.timeless else None
    if truth is None or truth.dtype.is_numeric():
        yield np.ones(delays.delay.size, dtype=bool)
        return
    codes = truth.fill_null("").gather(delays.rows)
    for level in codes.unique(maintain_order=True):
        yield (codes == level).to_numpy()


def _beyond(delay: NDArray[np.int64]) -> tuple[Flags, float]:
    """Mark the delays beyond the outer fence, of logarithms where all delays are positive."""
    positive = float((delay > 0).mean()) > 0.98
    scale = np.log(np.maximum(delay, UNITS["s"])) if positive else delay.astype(np.float64)
    low, middle, high = np.quantile(scale, [0.25, 0.5, 0.75])
    fence = high + _FENCE * max(high - low, 2 * (high - middle))
    plain = float(np.exp(fence)) if positive else float(fence)
    plain = max(plain, float(np.median(delay)) + DAY)
    return np.asarray(delay > plain), plain


def _lag(seen: Seen, fence: float) -> str:
    table = seen.table
    if "landed" in {table.happened_at, table.known_at} or not (table.happened_at and table.known_at):
        return f"rows that became known more than {_span(fence)} after they happened"
    return f"hours_between({table.happened_at}, {table.known_at}) > {fence / _HOUR:.1f}"


def _late(seen: Seen, mask: Flags, *, what: str, where: str, strength: float) -> Trouble:
    outcome = seen.name == seen.brief.outcome.source
    why = (
        f"cases that are old enough to be learnt from (matures = {seen.brief.outcome.matures // DAY}d) "
        "lack the outcomes that come so late, and those aren't like the others"
        if outcome
        else "a window or a latest value doesn't see these rows when a case is decided, though history "
        "shows them; a model that was fitted on quick rows decides on stale ones"
    )
    return tell_of_time(
        seen,
        Found(
            code="quality.late-arrivals",
            columns=(),
            what=what,
            risk=why,
            where=where,
            mask=mask,
            mend="raise matures to the span after which they are there"
            if outcome
            else 'let windows count on = "known", and widen them beyond the delay; or have the feed mended',
            leave="when nobody decides within the delay, or the late rows are corrections that don't matter",
            strength=strength,
            shown=(*sorted(seen.times),),
        ),
        cases=_cases(seen, mask),
    )


def _cases(seen: Seen, mask: Flags) -> int | None:
    """Count the cases that were decided between a marked row's happening and its being known, at most."""
    if seen.key_of_case or seen.history is None or seen.brief.timeless:
        return None
    clock, at = seen.clock, seen.history.timeline.decided_at
    reach = np.searchsorted(at, clock.known[mask]) - np.searchsorted(at, clock.happened[mask])
    return int(min(at.size, np.maximum(reach, 0).sum()))


def _span(span: float) -> str:
    """Say a span in the unit that suits it."""
    size = abs(span)
    unit, name = next(
        (
            (UNITS[short], word)
            for short, word in (("d", "days"), ("h", "h"), ("min", "min"))
            if size >= UNITS[short]
        ),
        (UNITS["s"], "s"),
    )
    return f"{span / unit:,.1f} {name}"
