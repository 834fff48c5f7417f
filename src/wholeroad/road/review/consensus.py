"""What several people's verdicts come to: by majority, or weighed by how often each of them errs.

Dawid and Skene (1979), *Maximum likelihood estimation of observer error-rates using the EM algorithm*,
Applied Statistics 28, 1: every person has a confusion matrix, items have a true class that nobody sees, and
verdicts on an item are independent given its class. People who copy each other, or who all err on the same
hard items, break this: then the consensus is surer than it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.review.intervals import share_of
from wholeroad.road.review.votes import Votes

Floats = NDArray[np.float64]

SMOOTHING: Final = 0.01
"""Verdicts that are added to each cell of each matrix, so that what never came isn't impossible."""

MOST_STEPS: Final = 1000
TOLERANCE: Final = 1e-6
"""The iteration stops when no item's probability moves by more."""

ROUGH: Final = 1e-3
"""The same for resamples, which begin where the estimate ended."""

RESAMPLES: Final = 200

LEAST_SHARED: Final = 10
"""Items that somebody must share with two others, or nothing is said of them."""

_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the verdicts come to.

    Attributes
    ----------
    posterior
        Shape (items, K): the probability of each class.
    confusion
        Shape (people, K, K): how often somebody says the column where the row is true.
    prior
        Shape (K,): how frequent the classes are.
    log_likelihood
        Of all verdicts.
    steps, converged
        How many steps the iteration took, and whether it came to rest.
    shared
        Shape (people,): items that each shared with two or more others.
    """

    posterior: Floats
    confusion: Floats
    prior: Floats
    log_likelihood: float
    steps: int
    converged: bool
    shared: NDArray[np.int64]

    @property
    def codes(self) -> NDArray[np.int64]:
        """Shape (items,): the likeliest class; -1 where two are as likely, or nobody judged."""
        return _winners(self.posterior)

    @property
    def told(self) -> NDArray[np.bool_]:
        """Shape (people,): whether there is enough overlap to say something of a person.

        Without a third opinion on the same items nobody can tell which of two people erred.
        """
        return self.shared >= LEAST_SHARED


def majority(votes: Votes) -> NDArray[np.int64]:
    """Give shape (items,): the class that most verdicts name; -1 on a tie, or without a verdict."""
    return _winners(votes.counts().astype(np.float64))


def dawid_skene(
    votes: Votes,
    *,
    one_coin: bool = False,
    smoothing: float = SMOOTHING,
    weights: Floats | None = None,
    start: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> Consensus:
    """Estimate classes and confusion matrices together, by EM from the shares of verdicts.

    It ends in the nearest optimum, which for a handful of items need not be the best one.

    Parameters
    ----------
    one_coin
        Whether each person has a single rate of being right, whatever the class; errors then spread evenly.
        It needs fewer verdicts.
    smoothing
        See :data:`SMOOTHING`; with 0 the estimates are those of greatest likelihood.
    weights
        Shape (items,): how often each item counts; once unless said.
    start
        Shape (items, K): the probabilities to begin with; the shares of the verdicts unless said.
    tolerance
        See :data:`TOLERANCE`.

    Examples
    --------
    >>> import numpy as np
    >>> votes = Votes.of_matrix(np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 1]]), 2)
    >>> dawid_skene(votes).codes.tolist()
    [0, 1, 1, 0]
    """
    counts = votes.counts().astype(np.float64)
    heavy = np.ones(votes.items) if weights is None else weights
    judged = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    posterior = counts / judged if start is None else start
    steps, converged, likelihood = 0, False, -np.inf
    prior, confusion = _maximise(votes, posterior, heavy, smoothing=smoothing, one_coin=one_coin)
    while not converged and steps < MOST_STEPS:
        moved, likelihood = _expect(votes, prior, confusion, heavy=heavy)
        converged = bool(np.abs(moved - posterior).max(initial=0.0) <= tolerance)
        posterior, steps = moved, steps + 1
        prior, confusion = _maximise(votes, posterior, heavy, smoothing=smoothing, one_coin=one_coin)
    posterior[counts.sum(axis=1) == 0] = 1 / votes.classes
    return Consensus(posterior, confusion, prior, likelihood, steps, converged, _shared(votes))


def confusion_intervals(
    votes: Votes, fitted: Consensus, *, seed: int, one_coin: bool = False, smoothing: float = SMOOTHING
) -> tuple[Floats, Floats]:
    """Give the ends of 95% intervals of the confusion matrices, each of shape (people, K, K).

    Items are resampled and the estimate is made again from where it stood; Wilson's interval over as many
    verdicts as a row rests on is taken where that is wider. Of people with too little overlap nothing is
    said: 0 to 1.
    """
    if not fitted.told.any():
        return np.zeros_like(fitted.confusion), np.ones_like(fitted.confusion)
    draws = []
    for weights in times_drawn(votes.items, resamples=RESAMPLES, seed=seed, salt="confusion of people"):
        again = dawid_skene(
            votes,
            one_coin=one_coin,
            smoothing=smoothing,
            weights=weights,
            start=fitted.posterior,
            tolerance=ROUGH,
        )
        draws.append(again.confusion)
    low, high = np.quantile(np.stack(draws), [0.025, 0.975], axis=0)
    rows = _soft_counts(votes, fitted.posterior, np.ones(votes.items)).sum(axis=2)
    for person, true in np.ndindex(rows.shape):
        n = int(rows[person].sum() if one_coin else rows[person, true])
        for said in range(votes.classes):
            wilson = share_of(fitted.confusion[person, true, said] * n, n)
            low[person, true, said] = min(low[person, true, said], wilson.low)
            high[person, true, said] = max(high[person, true, said], wilson.high)
    low[~fitted.told], high[~fitted.told] = 0.0, 1.0
    return low, high


def _expect(votes: Votes, prior: Floats, confusion: Floats, *, heavy: Floats) -> tuple[Floats, float]:
    logs = np.log(np.maximum(confusion, _TINY))
    said = np.column_stack(
        [
            np.bincount(votes.item, logs[votes.person, true, votes.code], minlength=votes.items)
            for true in range(votes.classes)
        ]
    )
    joint = said + np.log(np.maximum(prior, _TINY))
    top = joint.max(axis=1, keepdims=True)
    total = top + np.log(np.exp(joint - top).sum(axis=1, keepdims=True))
    return np.exp(joint - total), float(heavy @ total[:, 0])


def _maximise(
    votes: Votes, posterior: Floats, heavy: Floats, *, smoothing: float, one_coin: bool
) -> tuple[Floats, Floats]:
    soft = _soft_counts(votes, posterior, heavy) + smoothing
    judged = np.zeros(votes.items, dtype=bool)
    judged[votes.item] = True
    frequent = (heavy * judged) @ posterior + smoothing
    prior: Floats = frequent / max(frequent.sum(), _TINY)
    if one_coin:
        right = np.trace(soft, axis1=1, axis2=2) / np.maximum(soft.sum(axis=(1, 2)), _TINY)
        wrong = (1 - right) / max(1, votes.classes - 1)
        same = np.eye(votes.classes)
        return prior, right[:, None, None] * same + wrong[:, None, None] * (1 - same)
    rows = soft.sum(axis=2, keepdims=True)
    return prior, np.divide(soft, rows, out=np.full_like(soft, 1 / votes.classes), where=rows > 0)


def _soft_counts(votes: Votes, posterior: Floats, heavy: Floats) -> Floats:
    """Give shape (people, K, K): how often each said the column where the row is probably true."""
    size = votes.people * votes.classes
    cells = votes.person * votes.classes + votes.code
    counted = heavy[votes.item]
    soft = [
        np.bincount(cells, counted * posterior[votes.item, true], minlength=size)
        for true in range(votes.classes)
    ]
    return np.stack([each.reshape(votes.people, votes.classes) for each in soft], axis=1)


def _shared(votes: Votes) -> NDArray[np.int64]:
    there = votes.matrix() >= 0
    enough = there.sum(axis=1) >= 3
    return np.asarray((there & enough[:, None]).sum(axis=0), dtype=np.int64)


def _winners(shares: Floats) -> NDArray[np.int64]:
    best = shares.max(axis=1, initial=0.0)
    tied = (shares >= best[:, None] - 1e-9).sum(axis=1) != 1
    return np.where(tied | (best <= 0), -1, shares.argmax(axis=1) if shares.size else -1)
