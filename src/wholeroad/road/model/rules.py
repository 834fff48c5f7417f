"""Choosing: the simplest candidate within one paired, blocked standard error of the best in money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_EQUAL: Final = 1e-12
"""Relative: what differs by less is equal, whatever the order of a sum."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A candidate's name, complexity and money, shape (n,), on the same cases as the others."""

    name: str
    complexity: int
    money: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a contender stands against the best: see ``CandidateReport``."""

    money_per_case: float
    behind_best: float
    standard_error: float
    eligible: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The best in money, the champion, and each contender's standing in the order given."""

    best: str
    champion: str
    standings: tuple[Standing, ...]


def paired_difference(difference: NDArray[np.float64], blocks: NDArray[np.int64]) -> tuple[float, float]:
    """Give the mean of paired differences and its standard error from block sums.

    With ``S_b`` the sum and ``n_b`` the cases of block ``b`` of ``B``, and ``m = sum S / n``::

        SE = sqrt(B / (B - 1) * sum_b(S_b - m * n_b) ^ 2) / n

    the ratio estimator's error when whole blocks are the sampling units (Cochran 1977,
    *Sampling techniques*, on clusters of unequal size): dependence within a block is carried by its
    sum. Infinite with fewer than two blocks.

    Parameters
    ----------
    difference
        Shape (n,): one candidate's money minus another's, case by case.
    blocks
        Shape (n,): numbers ``0 .. B-1``.
    """
    rows = len(difference)
    sizes = np.bincount(blocks)
    sums = np.bincount(blocks, weights=difference)
    mean = float(np.sum(difference)) / rows
    if len(sizes) < 2:
        return mean, float("inf")
    residual = sums - mean * sizes
    spread = float(np.sum(residual * residual)) * len(sizes) / (len(sizes) - 1)
    return mean, float(np.sqrt(spread)) / rows


def choose(contenders: Sequence[Contender], blocks: NDArray[np.int64]) -> Choice:
    """Choose the simplest contender within one standard error of the best.

    The rule of Breiman, Friedman, Olshen, Stone (1984), *Classification and regression trees*,
    3.4.3, with two changes: the error is that of the *difference* to the best, case by case,
    since candidates win and lose on the same cases; and it rests on blocks of time.
    Of equal money the simpler is the best; of equal complexity the one with more money wins.
    """
    totals = [float(np.sum(contender.money)) for contender in contenders]
    rows = len(contenders[0].money)
    order = sorted(range(len(contenders)), key=lambda i: (contenders[i].complexity, i))
    best = order[0]
    for index in order[1:]:
        if totals[index] - totals[best] > _EQUAL * max(abs(totals[index]), abs(totals[best])):
            best = index
    standings = []
    for contender, total in zip(contenders, totals, strict=True):
        behind, error = paired_difference(contenders[best].money - contender.money, blocks)
        eligible = contender is contenders[best] or (np.isfinite(error) and behind <= error)
        standings.append(Standing(total / rows, max(behind, 0.0), error, bool(eligible)))
    champion = min(
        (index for index in order if standings[index].eligible),
        key=lambda i: (contenders[i].complexity, standings[i].behind_best),
    )
    return Choice(contenders[best].name, contenders[champion].name, tuple(standings))


def area_under_roc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Give the chance that a positive case scores above a negative one, ties counting half.

    By ranks (Hanley, McNeil 1982); None when either kind is missing.
    """
    positives = int(np.count_nonzero(positive))
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((np.sum(ranks[positive]) - positives * (positives + 1) / 2) / (positives * negatives))
