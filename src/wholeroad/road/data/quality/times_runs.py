"""Runs of time in which a share is another than before and after: a scan of all beginnings and ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAMILY: Final = 0.01
"""The chance that any of a question's looks at a source is a false alarm, all columns together."""

_WEEK: Final = 7
_EDGE: Final = 0.02
_NULL: Final = 3.0
"""What is to be added to the bar for trying all places and lengths."""
_LEAST_BINS: Final = 8


@dataclass(frozen=True, slots=True)
class Run:
    """A run of bins in which a share is another.

    Attributes
    ----------
    first, last
        Its bins, the last one left out.
    inside, outside
        The share in it, and in the others.
    rows
        How many of what is counted lie in it, of how many.
    surety
        1 is barely above the bar.
    """

    first: int
    last: int
    inside: float
    outside: float
    rows: int
    of: int
    surety: float

    @property
    def change(self) -> float:
        """How much greater the share is in the run."""
        return self.inside - self.outside

    @property
    def odds(self) -> float:
        """Ratio of the odds in the run to those outside, 1 or more whichever is greater."""
        low, high = sorted((self.inside, self.outside))
        small = 0.5 / max(self.of, 1)
        odds = (max(high, small) / max(1 - high, small)) / (max(low, small) / max(1 - low, small))
        return max(odds, 1.0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What runs are looked for.

    Attributes
    ----------
    looks
        How many columns or shares are looked at together; the bar rises with it.
    to_end
        Whether a run has to last until the last bin.
    most
        The share of all rows that a run may hold; a longer one is the ordinary state.
    """

    looks: int = 1
    to_end: bool = False
    most: float = 0.6


WHOLE: Final = Bounds()


def find_run(hits: Floats, totals: Floats, *, bounds: Bounds = WHOLE) -> Run | None:
    """Find the run whose share differs most from that of the other bins; None where chance explains it.

    The statistic is the log-likelihood ratio of two shares against one, over every beginning and end
    (Kulldorff 1997, A spatial scan statistic, Communications in Statistics 26, section 2, in one
    dimension). It is divided by how much more weeks and days vary than independent rows would, a
    quasi-likelihood (McCullagh and Nelder 1989, Generalized linear models, section 4.5), since the rows of a
    day are alike. The bar of a run is :func:`bar_of`. Where runs of five days
    share a rate of their own, simulated false alarms were 5 in 100 instead of 1.

    Parameters
    ----------
    hits, totals
        Shape (bins,): rows that are counted, and all rows.
    """
    bins = hits.size
    n, k = float(totals.sum()), float(hits.sum())
    if bins < _LEAST_BINS or not 0 < k < n:
        return None
    scanned = _Scan(np.concatenate([[0.0], np.cumsum(hits)]), np.concatenate([[0.0], np.cumsum(totals)]))
    first, last = _pairs(bins, to_end=bounds.to_end)
    ratio, part = scanned.ratio(first, last, bounds)
    best = int(np.argmax(ratio if bounds.to_end else ratio - _rarity(part)))
    if ratio[best] <= 0:
        return None
    low, high = int(first[best]), int(last[best])
    inside = np.zeros(bins, dtype=bool)
    inside[low:high] = True
    bar = _step_bar(bounds.looks) if bounds.to_end else bar_of(float(part[best]), looks=bounds.looks)
    spread = max(_dispersion(hits, totals, inside, width) for width in (1, _WEEK, 2 * _WEEK))
    surety = _as_normal(float(ratio[best]), *spread) / bar
    if surety < 1:
        return None
    mine, others = float(totals[inside].sum()), float(totals[~inside].sum())
    hit, other = float(hits[inside].sum()), float(hits[~inside].sum())
    if low == 0 and not bounds.to_end and mine > others:
        # Before and after a step are one run as much as the other: the shorter one is told.
        return Run(high, bins, other / others, hit / mine, int(other), int(others), surety)
    return Run(low, high, hit / mine, other / others, int(hit), int(mine), surety)


def bar_of(part: float, *, looks: int = 1) -> float:
    """Give the log-likelihood ratio that the best of all runs hardly exceeds by chance, by its length.

    There are more short runs than long ones, so short ones have to be surer, by the logarithm of how many fit
    into the whole (Dümbgen and Spokoiny 2001, Multiscale testing of qualitative hypotheses, Annals of
    Statistics 29; Walther 2010, Optimal and fast detection of spatial clusters with scan statistics, Annals
    of Statistics 38). The constant was simulated: 60 to 300 days of 5 to 200 rows with shares of 1 to 50 %,
    and no run.

    Parameters
    ----------
    part
        The share of the rows that the run holds.
    looks
        Bonferroni's: how many such questions are asked together.
    """
    return float(_rarity(np.array(part))) + _NULL + math.log(max(looks, 1) / FAMILY)


def _rarity(part: Floats) -> Floats:
    return np.asarray(-np.log(np.clip(np.minimum(part, 1 - part), 1e-9, 0.5)))


def _step_bar(looks: int) -> float:
    """Give the log-likelihood ratio that the best of all days for a step hardly exceeds by chance.

    James, James and Siegmund 1987, Tests for a change-point, Biometrika 74, equation 9: the tail of the
    greatest standardised difference over all days that leave a fiftieth of the rows on either side.
    """
    edge = 2 * math.log((1 - _EDGE) / _EDGE)
    bar = 2.0
    while True:
        density = math.exp(-bar * bar / 2) / math.sqrt(2 * math.pi)
        if bar * density * ((1 - 1 / bar**2) * edge + 4 / bar**2) * max(looks, 1) <= FAMILY:
            return bar * bar / 2
        bar += 0.01


def _pairs(bins: int, *, to_end: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if to_end:
        return np.arange(1, bins), np.full(bins - 1, bins)
    first, last = np.triu_indices(bins + 1, k=1)
    whole = (first > 0) | (last < bins)
    return first[whole], last[whole]


@dataclass(frozen=True, slots=True)
class _Scan:
    hits: Floats
    totals: Floats

    def ratio(
        self, first: NDArray[np.int64], last: NDArray[np.int64], bounds: Bounds
    ) -> tuple[Floats, Floats]:
        """Give the log-likelihood ratio of every run, 0 where it is too long or empty; and its part."""
        k, n = self.hits[-1], self.totals[-1]
        least = _EDGE * n if bounds.to_end else 0.0
        hit, rows = self.hits[last] - self.hits[first], self.totals[last] - self.totals[first]
        ratio = _likely(hit, rows) + _likely(k - hit, n - rows) - _likely(np.array(k), np.array(n))
        ratio[(rows <= least) | (rows >= n - least) | (rows > bounds.most * n)] = 0.0
        return ratio, rows / n


def _likely(hits: Floats, rows: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rows > 0, hits / np.maximum(rows, 1e-9), 0.5)
        some = np.where(hits > 0, hits * np.log(share), 0.0)
        return np.asarray(some + np.where(rows > hits, (rows - hits) * np.log1p(-share), 0.0))


def _as_normal(ratio: float, spread: float, freedom: int) -> float:
    """Give a log-likelihood ratio as it would be, were it known how much the blocks vary.

    Where they vary more than chance that is estimated from them, and the tails are Student's: Wallace 1959,
    Bounds on normal approximations to Student's and the chi-square distributions, Annals of Mathematical
    Statistics 30.
    """
    square = 2 * ratio / spread
    if spread <= 1 or freedom < 1:
        return square / 2
    free = freedom / (1 - 1 / spread) ** 2
    return free * math.log1p(square / free) * ((8 * free + 1) / (8 * free + 3)) ** 2 / 2


def _dispersion(hits: Floats, totals: Floats, inside: NDArray[np.bool_], width: int) -> tuple[float, int]:
    """Give by how much more than independent rows blocks of so many bins vary (1 at least); their freedom."""
    block = np.arange(hits.size) // width * 2 + inside
    k, n = np.bincount(block, weights=hits), np.bincount(block, weights=totals)
    side = np.arange(k.size) % 2 == 1
    square, freedom = 0.0, -2
    for part in (side, ~side):
        rows = float(n[part].sum())
        share = float(k[part].sum()) / rows if rows else 0.0
        held = part & (n > 0)
        if 0 < share < 1:
            square += float((((k - n * share) ** 2)[held] / (n[held] * share * (1 - share))).sum())
        freedom += int(held.sum())
    return (max(1.0, square / freedom), freedom) if freedom > 0 else (1.0, 0)
