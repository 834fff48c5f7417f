"""Intervals for money: a block bootstrap over days, paired across policies.

Days are resampled in whole blocks, because good and bad days come in runs and weekdays differ
(Künsch 1989, *The jackknife and the bootstrap for general stationary observations*, Annals of
Statistics 17; Politis and Romano 1992, *A circular block-resampling procedure for stationary data*).
A block of seven days holds every weekday once. Every policy is weighed by the same resampled
days, so that what is common to two policies cancels from their difference.

An interval is conditional on the fitted models and on this history: it says how much the money
would vary over other days like these, not over other fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core import ids
from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, Span

LEAST_BLOCKS: Final = 4
"""With fewer whole blocks there is no telling how blocks vary; the interval is then unbounded."""

UNBOUNDED: Final = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made.

    Attributes
    ----------
    block
        Length of a block, a whole number of days.
    resamples
        Number of resampled histories, at least 2.
    confidence
        Of two-sided intervals, in (0, 1).
    """

    block: Span = 7 * DAY
    resamples: int = 2000
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse settings that make no interval.

        Raises
        ------
        ValueError
            Names the setting.
        """
        if self.block <= 0 or self.block % DAY:
            message = f"a bootstrap block is a whole number of days; it was {self.block} microseconds"
            raise ValueError(message)
        if self.resamples < 2:
            message = f"a bootstrap needs at least 2 resamples; there were {self.resamples}"
            raise ValueError(message)
        if not 0 < self.confidence < 1:
            message = f"a confidence lies between 0 and 1; it was {self.confidence}"
            raise ValueError(message)

    @property
    def block_days(self) -> int:
        """Days in a block."""
        return self.block // DAY


def day_weights(days: int, *, block_days: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """Tell how often each day occurs in each resampled history.

    ``ceil(days / block_days)`` block starts are drawn uniformly, with replacement; blocks run
    past the last day into the first (hence *circular*: every day is equally likely, so the
    resampled total has exactly the observed total as its mean); the last block is cut so that
    each history has ``days`` days.

    Returns
    -------
    ndarray
        Shape (resamples, days); each row sums to ``days``.

    Examples
    --------
    >>> weights = day_weights(10, block_days=3, resamples=5, seed=1)
    >>> weights.shape, set(weights.sum(axis=1).tolist())
    ((5, 10), {10.0})
    """
    block_days = min(block_days, days)
    blocks = -(-days // block_days)
    counters = np.arange(resamples * blocks, dtype=np.uint64)
    drawn = ids.chance(counters, seed=seed, salt="block bootstrap")
    starts = (drawn * days).astype(np.int64).reshape(resamples, blocks)
    whole = _starts_at(starts[:, :-1], days)
    last = _starts_at(starts[:, -1:], days)
    weights = _cover(whole, block_days) + _cover(last, days - (blocks - 1) * block_days)
    return weights.astype(np.float64)


def _starts_at(starts: NDArray[np.int64], days: int) -> NDArray[np.int64]:
    rows = np.arange(starts.shape[0], dtype=np.int64)[:, None] * days
    return np.bincount((rows + starts).ravel(), minlength=starts.shape[0] * days).reshape(-1, days)


def _cover(starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Spread each start over ``length`` days, around the end."""
    around = np.concatenate([starts[:, starts.shape[1] - length + 1 :], starts], axis=1)
    sums = np.cumsum(around, axis=1)
    sums[:, length:] -= sums[:, :-length].copy()
    covered: NDArray[np.int64] = sums[:, length - 1 :]
    return covered


@dataclass(frozen=True, slots=True)
class Histories:
    """The resampled histories, shared by all policies; made by :func:`resample`.

    Attributes
    ----------
    weights
        Shape (resamples, days), or None when there are too few blocks.
    widening
        Factor on the distance of a resampled figure from the observed one.
    confidence
        Of two-sided intervals.
    freedom
        Degrees of freedom: whole blocks less one.
    """

    weights: NDArray[np.float64] | None
    widening: float
    confidence: float
    freedom: int = 0

    def at(self, confidence: float) -> Histories:
        """Give the same histories for intervals of another confidence; in far tails Student's are wider."""
        if self.weights is None:
            return replace(self, confidence=confidence)
        student = _student_over_normal(confidence, self.freedom)
        widening = self.widening / _student_over_normal(self.confidence, self.freedom) * student
        return replace(self, confidence=confidence, widening=widening)

    def total(self, daily: NDArray[np.float64], *, less: float = 0.0) -> Estimate:
        """Estimate a total of daily sums, shape (days,), less a fixed amount (the fits' cost).

        The fits' cost is not resampled: it is known, not luck.
        """
        value = float(daily.sum()) - less
        if self.weights is None:
            return Estimate(value, *UNBOUNDED)
        draws = np.einsum("rd,d->r", self.weights, daily) - less
        return self._interval(value, draws)

    def ratio(self, daily: NDArray[np.float64], cases: NDArray[np.float64], *, less: float = 0.0) -> Estimate:
        """Estimate money per case: both sums are resampled together.

        Without a case the value is 0 and the interval unbounded.
        """
        count = float(cases.sum())
        if count == 0:
            return Estimate(0.0, *UNBOUNDED)
        value = (float(daily.sum()) - less) / count
        draws = self._ratios(daily, cases, less)
        return Estimate(value, *UNBOUNDED) if draws is None else self._interval(value, draws)

    def lower_bound(
        self,
        daily: NDArray[np.float64],
        cases: NDArray[np.float64],
        *,
        less: float,
        confidence: float,
    ) -> float:
        """Give the one-sided lower bound of money per case; ``-inf`` when nothing can be said."""
        count = float(cases.sum())
        draws = self._ratios(daily, cases, less) if count else None
        if draws is None:
            return -math.inf
        value = (float(daily.sum()) - less) / count
        return value + self.widening * (float(np.quantile(draws, 1 - confidence)) - value)

    def _ratios(
        self, daily: NDArray[np.float64], cases: NDArray[np.float64], less: float
    ) -> NDArray[np.float64] | None:
        if self.weights is None:
            return None
        counts = np.einsum("rd,d->r", self.weights, cases)
        sums = np.einsum("rd,d->r", self.weights, daily) - less
        drawn = counts > 0  # a resampled history may hold only empty days
        ratios: NDArray[np.float64] = sums[drawn] / counts[drawn]
        return ratios if len(ratios) else None

    def _interval(self, value: float, draws: NDArray[np.float64]) -> Estimate:
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Estimate(
            value,
            value + self.widening * (float(low) - value),
            value + self.widening * (float(high) - value),
        )


def resample(days: int, resampling: Resampling, *, seed: int) -> Histories:
    """Draw the resampled histories of so many days.

    The interval is the percentile interval of the resampled figures, widened about the observed
    one: because resampled figures have exactly the observed figure as their mean, percentile and
    basic intervals differ only in which side gets the longer tail, and the percentile keeps the
    side that history shows. Blocks drawn from one history vary too little, by about
    ``1 - block / days``, and with few blocks a normal tail is too short: the widening corrects the
    first and replaces the normal quantile by Student's for the second.

    Parameters
    ----------
    days
        Length of the history.
    resampling
        Block length, number and confidence.
    seed
        The project's seed; the same seed draws the same days.
    """
    blocks = days // resampling.block_days
    if blocks < LEAST_BLOCKS:
        return Histories(None, math.inf, resampling.confidence)
    weights = day_weights(days, block_days=resampling.block_days, resamples=resampling.resamples, seed=seed)
    share = resampling.block_days / days
    widening = _student_over_normal(resampling.confidence, blocks - 1) / math.sqrt(1 - share)
    return Histories(weights, widening, resampling.confidence, blocks - 1)


def _student_over_normal(confidence: float, freedom: int) -> float:
    """Give Student's two-sided quantile over the normal one (Abramowitz and Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return (z + first / freedom + second / freedom**2 + third / freedom**3) / z
