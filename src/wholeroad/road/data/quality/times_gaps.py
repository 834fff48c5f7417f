"""Stretches of time without a row, and days on which far more or fewer rows come than usual."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, EPOCH, Instant
from wholeroad.road.data.quality.outcomes_untold import find_untold_times
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_closures import Gap, unexplained
from wholeroad.road.data.quality.times_days import Told, day
from wholeroad.road.data.quality.times_edges import abrupt, beside, within, yearly
from wholeroad.road.data.quality.times_rhythm import Rhythm, by_the_clock, rhythm_of
from wholeroad.road.data.quality.times_runs import FAMILY, bar_of
from wholeroad.road.data.quality.times_season import season_of
from wholeroad.road.data.quality.times_telling import cases_between, tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found

Floats = NDArray[np.float64]

_LEAST_ROWS: Final = 60
_HALF: Final = 0.5
"""Below this the days come more regularly than chance."""
_REGULAR: Final = 0.1
"""Days don't come more regularly than this times chance."""
_FEWEST_DAYS: Final = 28
_DOUBLE: Final = 1.55
_FEWER: Final = 1 / 1.55
_LEAST_DAYS: Final = 2
_FEWER_TRIED: Final = 1.5
"""What the bar is lower for because small changes aren't tried; simulated like the bar itself."""
_ANY: Final = "any feature that counts or sums its rows over a window, or takes its latest"


def find_time_gaps(seen: Seen) -> Iterator[Trouble]:
    """Find stretches without a row that the source's rhythm of weekdays and hours doesn't explain.

    Between two rows in order of time, the number of rows that the rhythm lets expect is about exponential
    with mean one if rows come independently (time rescaling: Brown et al. 2002, The time-rescaling theorem
    and its application to neural spike train data analysis, Neural Computation 14). The bar is Bonferroni's
    over all pairs of rows, raised by how much more days vary than that. Christmas and New Year's Day are
    taken as closed, and so is what :func:`unexplained` leaves out. Outcomes follow their cases, so of them
    a gap is a run of days whose cases have none.
    """
    if seen.name == seen.brief.outcome.source != seen.brief.case.source:
        yield from find_untold_times(seen)
        return
    rows = _happened(seen)
    # What comes at one instant is one arrival: a nightly load is no crowd.
    at, clock = np.unique(by_the_clock(rows, seen.table.timezone), return_index=True)
    if at.size < _LEAST_ROWS:
        return
    rhythm = rhythm_of(at)
    missing = np.diff(rhythm.expected_until(at))
    bar = _bar_of_gaps(rhythm, missing, at)
    gaps = np.flatnonzero(missing > bar)
    missing *= rows.size / at.size
    at = rows[clock]
    spans = [(int(at[gap]), int(at[gap + 1])) for gap in gaps]
    plain, anywhere = unexplained(seen, spans, rows=rows)
    for kept in (plain, anywhere if seen.name == seen.brief.case.source else []):
        some = gaps[[span in kept for span in spans]]
        if some.size:
            order = some[np.argsort(-missing[some])]
            ordered = [(int(at[place]), int(at[place + 1])) for place in order]
            surety = float(missing[order[0]]) * at.size / rows.size / bar
            yield _told_gaps(seen, _Gaps(ordered, missing[order], surety, anywhere=kept is anywhere))


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Stretches without a row, and how many rows were to be expected in each, the most first.

    ``anywhere``: in which no other source has a row either.
    """

    spans: list[Gap]
    missing: Floats
    surety: float
    anywhere: bool


def _told_gaps(seen: Seen, gaps: _Gaps) -> Trouble:
    shown = "; ".join(
        f"{_minute(low)} to {_minute(high)}, where about {missing:,.0f} were to be expected"
        for (low, high), missing in zip(gaps.spans[:3], gaps.missing, strict=False)
    )
    low, high = gaps.spans[0]
    edges = (seen.clock.happened == low) | (seen.clock.happened == high)
    told = tell_of_time(
        seen,
        Found(
            code="quality.time-gap",
            columns=(),
            what=f"{seen.name} has no row from {shown}"
            + (f"; {len(gaps.spans) - 3} more such gaps" if len(gaps.spans) > 3 else "")
            + ("; nor has any other source: nothing happened anywhere" if gaps.anywhere else ""),
            risk=f"{_ANY} takes the silence for an answer; cases of these days are in no fit",
            where=f"no row: {Told(seen.table, seen.columns).happened(low + 1, high)}",
            mask=edges & seen.clock.there,
            mend="ask whoever delivers it for the rows of these days and land them; or let windows that "
            "reach into the gap be empty",
            leave="when nothing happened then: a holiday, a closed site, an export that begins later",
            strength=gaps.surety,
            shown=(*sorted(seen.times),),
        ),
        rows=round(float(gaps.missing.sum())),
        cases=cases_between(seen, from_at=low, until_at=high),
    )
    # Most likely a closure: it is told, and comes last.
    return replace(told, touches="nothing", strength=min(told.strength, 1.0)) if gaps.anywhere else told


def _bar_of_gaps(rhythm: Rhythm, missing: Floats, at: NDArray[np.int64]) -> float:
    """Give how many arrivals must be missing: more than chance explains, and far more than on other days."""
    spread = rhythm.dispersion if rhythm.dispersion < _HALF else max(rhythm.dispersion, 1.0)
    chance = max(spread, _REGULAR) * (math.log(at.size) - math.log(FAMILY))
    day_ = at[:-1] // DAY
    first = np.flatnonzero(np.diff(day_, prepend=day_[0] - 1))
    longest = np.maximum.reduceat(missing, first)
    return max(chance, 3 * float(np.median(longest)), 1.5 * float(np.quantile(longest, 0.95)))


@dataclass(frozen=True, slots=True)
class _Jump:
    first: int
    last: int
    inside: float
    outside: float
    surety: float


def find_volume_jumps(seen: Seen) -> Iterator[Trouble]:
    """Find runs of days, or a day from which on, with far more or far fewer rows than the days beside them.

    A scan of all runs by the likelihood ratio of Poisson counts with a rhythm of weekdays, divided by
    how much more the days vary (Kulldorff 1997, A spatial scan statistic, Communications in Statistics 26).
    Days without a row are left to the gaps. What counts is the step at the run's edges, four weeks inside
    against four weeks beside, most of it within days, and not there in other years on the same days: so a
    business that grows or has a season isn't taken for a jump.
    """
    if seen.name == seen.brief.outcome.source != seen.brief.case.source:
        return  # outcomes follow their cases
    at = np.sort(by_the_clock(_happened(seen), seen.table.timezone))
    if at.size < _LEAST_ROWS:
        return
    rhythm = rhythm_of(at)
    jump = _jump(rhythm)
    if jump is None:
        return
    low, high = rhythm.day_at(jump.first), rhythm.day_at(jump.last)
    last = None if jump.last >= rhythm.counts.size else high
    times = jump.inside / max(jump.outside, 1e-9)
    local = by_the_clock(seen.clock.happened, seen.table.timezone)
    inside = (local >= low) & (local < high) & seen.clock.there
    more = times > 1
    until = "on" if last is None else f"to before {day(high)}"
    yield tell_of_time(
        seen,
        Found(
            code="quality.volume-jump",
            columns=(),
            what=f"from {day(low)} {until} {seen.name} has {jump.inside:,.1f} rows a day, and "
            f"{jump.outside:,.1f} in the weeks beside it: {times:.2f} times as many",
            risk=f"{_ANY} jumps with it, though the world may not have"
            + ("; what came twice counts twice" if more else "; what is missing counts as not happened"),
            where=Told(seen.table, seen.columns).happened(low, last),
            mask=inside,
            mend={"deduplicate": [*_identifying(seen)]}
            if more and _identifying(seen)
            else "ask whoever delivers it whether a part was left out, and land it",
            leave="when there was really more or less: a campaign, a season, a new site, a strike",
            strength=jump.surety,
            shown=(*sorted(seen.times),),
        ),
        cases=cases_between(seen, from_at=low, until_at=high),
    )


def _jump(rhythm: Rhythm) -> _Jump | None:
    counts, expected = rhythm.counts, rhythm.by_weekday
    days = counts.size
    if days < _FEWEST_DAYS:
        return None
    open_ = (counts > 0) & (expected > 0)
    open_[-1] = False  # it may be cut short
    expected = expected * season_of(counts, np.where(open_, expected, 0.0))
    k = np.concatenate([[0.0], np.cumsum(np.where(open_, counts, 0.0))])
    e = np.concatenate([[0.0], np.cumsum(np.where(open_, expected, 0.0))])
    first, last = _runs(days)
    last = np.where(e[last] >= e[-1], days, last)  # behind it nothing counts: no edge
    inside, mass = within(k, first, last=last), within(e, first, last=last)
    around, other = beside(k, e, first=first, last=last)
    held = e[last] - e[first]
    with np.errstate(divide="ignore", invalid="ignore"):
        level, before = inside / mass, around / other
        times = level / before
        ratio = inside * np.log(times) - (inside - before * mass)
        # Of the days beside, too, no more is known than their rows tell.
        ratio *= other / (other + mass)
    ratio[~np.isfinite(ratio) | ((times < _DOUBLE) & (times > _FEWER))] = 0.0
    part = held / max(e[-1], 1e-9)
    best = int(np.argmax(ratio + np.log(np.clip(part, 1e-9, 0.5))))
    low, high = int(first[best]), int(last[best])
    if not abrupt(k, e, run=(low, high), times=float(times[best])) or yearly(k, e, run=(low, high)):
        return None
    bar = bar_of(float(part[best])) - _FEWER_TRIED
    surety = float(ratio[best]) / max(rhythm.dispersion, 1.0) / bar
    if surety < 1:
        return None
    per_day = float(expected[open_].mean())
    return _Jump(low, high, float(level[best]) * per_day, float(before[best]) * per_day, surety)


def _runs(days: int, most: int = 400) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give runs of days, the last left out: all of them, or every few days where they are many."""
    step = -(-days // most)
    edges = np.unique(np.append(np.arange(0, days + 1, step), days))
    first, last = np.triu_indices(edges.size, k=1)
    low, high = edges[first], edges[last]
    # No run is seen that is there from the beginning.
    fits = (high - low >= _LEAST_DAYS) & (high - low <= days // 2) & (low >= 7)
    return low[fits], high[fits]


def _identifying(seen: Seen) -> tuple[str, ...]:
    """Columns in which two rows that are one agree: all but the key."""
    return tuple(name for name in seen.columns if name not in seen.table.key)


def _happened(seen: Seen) -> NDArray[np.int64]:
    if not seen.timed or not seen.rows.height:
        return np.zeros(0, dtype=np.int64)
    clock = seen.clock
    return np.sort(clock.happened[clock.there & (clock.days.place >= 0)])


def _minute(at: Instant) -> str:
    return f"{EPOCH + timedelta(microseconds=int(at)):%Y-%m-%d %H:%M}"
