"""The rhythm of a source: how many rows weekdays and hours let expect, and how much days vary beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, EPOCH, UNITS, Instant

Floats = NDArray[np.float64]

_HOUR: Final = UNITS["h"]
_AROUND: Final = 28
"""Days before and after that tell the level of a day."""
_LEANS: Final = 200.0
"""As many rows of all days are counted with the hours of a weekday."""
_CLOSED: Final = frozenset({(12, 24), (12, 25), (12, 26), (12, 31), (1, 1)})
"""Months and days on which nobody wonders about silence."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Rows that are to be expected.

    Attributes
    ----------
    first_day
        Since the epoch.
    counts
        Shape (days,): rows of each day.
    by_weekday
        Shape (days,): what the weekday lets expect, of the whole span's level.
    hourly
        Shape (days * 24,): what is to be expected of each hour, at the level of the weeks around it.
    dispersion
        By how much more than independent rows the days vary; below 1 where they come more regularly.
    """

    first_day: int
    counts: Floats
    by_weekday: Floats
    hourly: Floats
    dispersion: float

    def day_at(self, place: int) -> Instant:
        """Give the beginning of a day."""
        return (self.first_day + place) * DAY

    def expected_until(self, at: NDArray[np.int64]) -> Floats:
        """Give how many rows were to be expected from the first day to each instant."""
        hours = (at - self.first_day * DAY) / _HOUR
        whole = np.concatenate([[0.0], np.cumsum(self.hourly)])
        return np.asarray(np.interp(hours, np.arange(whole.size, dtype=np.float64), whole))


def by_the_clock(at: NDArray[np.int64], zone: str | None) -> NDArray[np.int64]:
    """Give what a clock on the wall shows at some instants, microseconds; UTC without a time zone."""
    if zone is None:
        return at
    local = pl.Series(at).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    return local.dt.replace_time_zone(None).to_physical().to_numpy()


def rhythm_of(at: NDArray[np.int64]) -> Rhythm:
    """Learn the rhythm from instants: a rate of each weekday, and for each of them shares of the hours.

    Parameters
    ----------
    at
        Shape (rows,), ascending, by the clock on the wall. Hours of a weekday with few rows lean on all days.
    """
    first = int(at[0] // DAY)
    day = at // DAY - first
    count = int(day[-1]) + 1
    counts = np.bincount(day, minlength=count).astype(np.float64)
    closed = (counts == 0) & _holidays(first, count)
    weekday = (np.arange(count) + first + 3) % 7
    rows = np.bincount(weekday, weights=counts, minlength=7)
    days = np.bincount(weekday, weights=~closed, minlength=7)
    expected = np.where(closed, 0.0, (rows / np.maximum(days, 1))[weekday])
    level = _level(counts, expected)
    local = expected * level
    hourly = (local[:, None] * _hours(at)[weekday]).ravel()
    held = (counts > 0) & (local > 0)
    spread = (counts[held] - local[held]) ** 2 / local[held]
    # The middle half of the days tells how they vary: a gap or a jump is not to hide behind itself.
    usual = float(np.median(spread)) / 0.4549 if held.any() else 1.0
    return Rhythm(first, counts, expected, hourly, usual)


def _hours(at: NDArray[np.int64]) -> Floats:
    """Give shape (7, 24): how the rows of each weekday spread over its hours."""
    hour, weekday = at % DAY // _HOUR, (at // DAY + 3) % 7
    table = np.bincount(weekday * 24 + hour, minlength=168).reshape(7, 24).astype(np.float64)
    table += _LEANS * (table.sum(axis=0) / at.size)[None, :]
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _level(counts: Floats, expected: Floats) -> Floats:
    """Give how busy the weeks around each day are, against the whole span."""
    reach = 2 * _AROUND + 1
    held = expected > 0
    k = (
        np.convolve(np.where(held, counts, 0.0), np.ones(reach), mode="same")[: counts.size]
        if counts.size >= reach
        else np.full(counts.size, counts.sum())
    )
    e = (
        np.convolve(expected, np.ones(reach), mode="same")[: counts.size]
        if counts.size >= reach
        else np.full(counts.size, expected.sum())
    )
    return np.asarray(k / np.maximum(e, 1e-9))


def _holidays(first: int, count: int) -> NDArray[np.bool_]:
    days = ((EPOCH + timedelta(days=first + place)) for place in range(count))
    return np.array([(each.month, each.day) in _CLOSED for each in days])
