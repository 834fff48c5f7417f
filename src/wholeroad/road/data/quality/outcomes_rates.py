"""The share of the class that is looked for: over time, by segment, and whether it moved for good."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import DAY, Instant
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.outcomes_steps import is_step
from wholeroad.road.data.quality.outcomes_told import CameTrue, came_true
from wholeroad.road.data.quality.seen import CASE, Seen
from wholeroad.road.data.quality.times_days import Told, days_of
from wholeroad.road.data.quality.times_runs import Bounds, find_run
from wholeroad.road.data.quality.times_telling import cases_between, span_words, tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found

_CHANGE: Final = 0.03
_ODDS: Final = 1.3
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class OutcomeRate:
    """The share of the class that is looked for among cases of a week.

    Attributes
    ----------
    at
        The beginning of the week, UTC.
    share, low, high
        And its 95 % interval, widened by how much more than independent cases the days vary.
    n
        Settled cases.
    """

    at: Instant
    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class SegmentRate:
    """The share of the class that is looked for among settled cases of a segment, with its interval."""

    column: str
    value: str
    share: float
    low: float
    high: float
    n: int
    cases: int


def outcome_rates(history: History, *, every: int = 7) -> tuple[OutcomeRate, ...]:
    """Give the share of the class that is looked for by week, of cases that are old enough.

    Intervals are Wilson's (1927, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22), on as many cases as would vary like these days.

    Parameters
    ----------
    every
        Days of a bin, which begin on Mondays.
    """
    came = came_true(history)
    sound = came.sound
    if history.brief.timeless or not sound.any():
        return ()
    width = every * DAY
    # The epoch was a Thursday.
    week = (came.decided_at[sound] + 3 * DAY) // width
    hit = came.hit[sound]
    spread = _day_spread(came)
    rates = []
    for place in np.unique(week):
        mine = hit[week == place]
        share, low, high = wilson(int(mine.sum()), mine.size, spread=spread)
        rates.append(OutcomeRate(int(place) * width - 3 * DAY, share, low, high, mine.size))
    return tuple(rates)


def segment_rates(seen: Seen, *, most: int = 12) -> tuple[SegmentRate, ...]:
    """Give the share of the class that is looked for by category of the case's columns of words, as known.

    Parameters
    ----------
    most
        Categories of a column, the most frequent first; the others are left out.
    """
    if seen.history is None or seen.decided is None:
        return ()
    came, frame = came_true(seen.history), seen.decided
    place = frame[CASE].to_numpy()
    spread = _day_spread(came)
    rates = []
    for name in seen.looked.texts:
        if seen.looked.texts[name].identifies or len(seen.looked.texts[name].levels) > 60:
            continue
        words = frame[name]
        for word in seen.looked.texts[name].levels[:most]:
            mine = place[(words == word).fill_null(value=False).to_numpy()]
            known = mine[came.sound[mine]]
            share, low, high = wilson(int(came.hit[known].sum()), known.size, spread=spread)
            rates.append(SegmentRate(name, word, share, low, high, known.size, mine.size))
    return tuple(rates)


def wilson(hits: int, n: int, *, spread: float = 1.0) -> tuple[float, float, float]:
    """Give a share and its 95 % interval, as if there were ``n / spread`` independent cases.

    Examples
    --------
    >>> [round(each, 3) for each in wilson(10, 100)]
    [0.1, 0.055, 0.174]
    """
    if not n:
        return math.nan, 0.0, 1.0
    share, size = hits / n, n / max(spread, 1.0)
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z / (1 + _Z**2 / size) * math.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    return share, min(max(0.0, middle - half), share), max(min(1.0, middle + half), share)


def _day_spread(came: CameTrue) -> float:
    """Give by how much more than independent cases the days of a week vary, 1 at least."""
    sound = came.sound
    at, hit = came.decided_at[sound], came.hit[sound].astype(np.float64)
    days, place = np.unique(at // DAY, return_inverse=True)
    n, k = np.bincount(place).astype(np.float64), np.bincount(place, weights=hit)
    _, of_week = np.unique((days * DAY + 3 * DAY) // (7 * DAY), return_inverse=True)
    share = np.bincount(of_week, weights=k) / np.bincount(of_week, weights=n)
    expected = share[of_week]
    held = (expected > 0) & (expected < 1)
    freedom = int(held.sum()) - np.unique(of_week[held]).size
    if freedom < 7:
        return 1.0
    square = (k - n * expected)[held] ** 2 / (n * expected * (1 - expected))[held]
    return max(1.0, float(square.sum()) / freedom)


def find_outcome_rate_shifts(seen: Seen) -> Iterator[Trouble]:
    """Find a day from which on the class that is looked for comes true more often, or less.

    A change point of a share, by the likelihood ratio over all days (Hinkley 1970, Inference about the
    change-point in a sequence of random variables, Biometrika 57), with weeks for blocks. Only cases that are
    old enough count: young ones lack the slow outcomes, and look like a shift. A rate that drifts, or has a
    yearly season, is left: a step must tell more than a smooth curve does, or much beside it.
    """
    if seen.history is None or seen.name != seen.brief.outcome.source or seen.brief.timeless:
        return
    came = came_true(seen.history)
    days = days_of(came.decided_at, known=came.sound)
    totals = days.counted()
    hits = days.counted(came.hit & came.sound)
    run = find_run(hits, totals, bounds=Bounds(to_end=True, most=0.95))
    if run is None or abs(run.change) < _CHANGE or run.odds < _ODDS:
        return
    if not is_step(hits, totals, at=run.first, days_per_bin=days.width):
        return
    low = days.at(run.first)
    until = int(came.decided_at[came.sound].max()) + 1
    truth = seen.hit
    happened = pl.Series(seen.clock.happened >= low) if seen.timed else None
    mask = np.zeros(seen.rows.height, dtype=bool)
    if truth is not None and happened is not None:
        mask = (truth.fill_null(value=False) & happened).to_numpy()
    yield tell_of_time(
        seen,
        Found(
            code="quality.outcome-rate-shift",
            columns=_of_truth(seen),
            what=f"{span_words(low, None)} {run.inside:.1%} of the cases are {came.name}, before "
            f"{run.outside:.1%} ({run.of:,} cases old enough since)",
            risk="a model that was fitted before expects the old rate; if the truth is only recorded "
            "otherwise, it learns the recording",
            where=Told(seen.table, seen.columns).happened(low, None),
            mask=mask,
            mend="find out what changed: if the recording did, let truth say the same before and after, "
            "with case when on the day; if the world did, a window for fits, or refits, will follow it",
            leave="when the world changed: that is what refits are for",
            strength=run.surety,
        ),
        cases=cases_between(seen, from_at=low, until_at=until),
        rows=run.of,
    )


def _of_truth(seen: Seen) -> tuple[str, ...]:
    """Give the columns that the truth is read from."""
    return tuple(
        name for name in seen.columns if seen.touches(name) == "truth" and name not in seen.key_of_case
    )
