"""Labels that are probably wrong: confident learning, ranked by the money that a mistake costs.

Northcutt, Jiang, Chuang (2021), *Confident learning: estimating uncertainty in dataset labels*, JAIR 70,
sections 3.1 and 3.2. A case counts as confidently of a class when its probability reaches what cases with
that label have on average. Counted by given label, and scaled to the labels that there are, these cases
estimate how many of each label truly are of each class, and as many are suspected.

The probabilities must be out of time: of a model that hasn't learnt from the case. A suspect is a question.
And where outcomes are partly luck, the estimate counts bad luck as wrong labels: a model whose probabilities
are right contradicts many labels that are right too. No model can tell the two apart, only verdicts can.
In public audits people confirmed from 15% (MNIST) to 88% (20news) of such flags (Northcutt, Athalye, Mueller
2021, *Pervasive label errors in test sets destabilize machine learning benchmarks*, NeurIPS, table 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, Span
from wholeroad.core.view import Codes
from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.review.intervals import Bounded, between

Prune = Literal["noise-rate", "class", "both"]

RESAMPLES: Final = 200
MOST_WORK: Final = 40_000_000
"""Cases times resamples; with more cases there are fewer resamples."""

LEAST_BLOCKS: Final = 8
"""With fewer blocks of time there is no telling how noise varies; the intervals are then 0 to 1."""

_SAME: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Suspects:
    """Cases whose label is probably wrong, the one that costs most first; each array of shape (m,).

    Attributes
    ----------
    positions
        Into what was handed in.
    given, suggested
        Class codes.
    chance
        The probability of the suggested class, 0 to 1.
    money
        What the taken action makes under the given label less under the suggested one, without its sign;
        1 where no stakes were handed in.
    score
        ``chance * money``: what is expected to be at stake.
    """

    positions: NDArray[np.int64]
    given: Codes
    suggested: Codes
    chance: NDArray[np.float64]
    money: NDArray[np.float64]
    score: NDArray[np.float64]

    def first(self, most: int) -> Suspects:
        """Give the first so many."""
        return Suspects(*(getattr(self, name)[:most] for name in self.__slots__))


def class_thresholds(
    probabilities: NDArray[np.float64], labels: Codes, *, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Give by class how sure the model is of it on average where it is the label; infinite without one.

    Examples
    --------
    >>> import numpy as np
    >>> class_thresholds(np.array([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]]), np.array([0, 0, 1])).tolist()
    [0.5, 0.5]
    """
    classes = probabilities.shape[1]
    own = probabilities[np.arange(labels.size), labels]
    heavy = np.ones(labels.size) if weights is None else weights
    total = np.bincount(labels, heavy, minlength=classes)
    sums = np.bincount(labels, heavy * own, minlength=classes)
    thresholds: NDArray[np.float64] = np.divide(sums, total, out=np.full(classes, np.inf), where=total > 0)
    return thresholds


def confident_joint(
    probabilities: NDArray[np.float64], labels: Codes, *, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Estimate the joint distribution of given labels (rows) and true classes (columns).

    A case that is confidently of several classes counts for the likeliest of these. A label of which no case
    is confidently anything counts as right.

    Returns
    -------
    ndarray
        Shape (K, K), sums to 1; each row sums to its label's share.
    """
    classes = probabilities.shape[1]
    heavy = np.ones(labels.size) if weights is None else weights
    confident = probabilities >= class_thresholds(probabilities, labels, weights=weights) - _SAME
    likeliest = np.where(confident, probabilities, -1.0).argmax(axis=1)
    sure = confident.any(axis=1)
    cells = labels[sure].astype(np.int64) * classes + likeliest[sure]
    counts = np.bincount(cells, heavy[sure], minlength=classes * classes).reshape(classes, classes)
    nothing = counts.sum(axis=1) == 0
    counts[nothing, nothing] = 1.0
    given = np.bincount(labels, heavy, minlength=classes)
    joint: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True) * given[:, None] / given.sum()
    return joint


def find_suspects(
    probabilities: NDArray[np.float64],
    labels: Codes,
    *,
    stakes: NDArray[np.float64] | None = None,
    prune: Prune = "noise-rate",
) -> Suspects:
    """Find the cases whose label is probably wrong, and rank them by what a mistake costs.

    Parameters
    ----------
    probabilities
        Shape (n, K), out of time; rows sum to 1.
    labels
        Shape (n,): codes 0 to K - 1.
    stakes
        Shape (n, K): what the action that was taken makes under each class; or (n, K, A), what each action
        makes: then the one for which the mistake matters most counts. Without them the likeliest mistakes
        come first.
    prune
        Which are suspected, for a label i and another class j: ``noise-rate``, as many as the joint says, by
        the greatest margin ``p[j] - p[i]``; ``class``, those of label i with the least ``p[i]``, as many as
        the joint says of all others together; ``both``, only those that both suspect.

    Returns
    -------
    Suspects
        None from a model that says the same of every case.
    """
    joint = confident_joint(probabilities, labels)
    told = labels.size and np.ptp(probabilities, axis=0).max() > _SAME
    counts = np.rint(joint * labels.size).astype(np.int64) if told else np.zeros_like(joint, dtype=np.int64)
    np.fill_diagonal(counts, 0)
    suggested = np.full(labels.size, -1, dtype=np.int64)
    if prune in ("noise-rate", "both"):
        _by_margin(probabilities, labels, counts=counts, suggested=suggested)
    if prune in ("class", "both"):
        doubted = _by_doubt(probabilities, labels, counts=counts)
        others = probabilities.copy()
        others[np.arange(labels.size), labels] = -1.0
        likeliest = others.argmax(axis=1) if prune == "class" else suggested
        suggested = np.where(doubted, likeliest, -1)
    found = np.flatnonzero(suggested >= 0)
    return ranked(probabilities, labels, positions=found, suggested=suggested[found], stakes=stakes)


def ranked(
    probabilities: NDArray[np.float64],
    labels: Codes,
    *,
    positions: NDArray[np.int64],
    suggested: Codes,
    stakes: NDArray[np.float64] | None = None,
) -> Suspects:
    """Put some cases in order of what a mistake costs, then of how likely it is, then of place."""
    given = labels[positions]
    chance = probabilities[positions, suggested]
    money = np.ones(positions.size)
    if stakes is not None:
        apart = np.abs(stakes[positions, given] - stakes[positions, suggested])
        money = apart if apart.ndim == 1 else apart.max(axis=1)
    order = np.lexsort((positions, -chance, -chance * money))
    return Suspects(
        positions=positions[order],
        given=given[order].astype(labels.dtype),
        suggested=np.asarray(suggested)[order].astype(labels.dtype),
        chance=chance[order],
        money=money[order],
        score=(chance * money)[order],
    )


def _by_margin(
    probabilities: NDArray[np.float64],
    labels: Codes,
    *,
    counts: NDArray[np.int64],
    suggested: NDArray[np.int64],
) -> None:
    """Suspect by noise rate; a case that several classes ask for goes to the likeliest of them."""
    best = np.full(labels.size, -np.inf)
    for given, other in np.argwhere(counts > 0).tolist():
        of_label = np.flatnonzero(labels == given)
        margin = probabilities[of_label, other] - probabilities[of_label, given]
        taken = of_label[np.argsort(-margin, kind="stable")[: counts[given, other]]]
        better = taken[probabilities[taken, other] > best[taken]]
        best[better], suggested[better] = probabilities[better, other], other


def _by_doubt(
    probabilities: NDArray[np.float64], labels: Codes, *, counts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    doubted = np.zeros(labels.size, dtype=bool)
    for given, wrong in enumerate(counts.sum(axis=1).tolist()):
        of_label = np.flatnonzero(labels == given)
        least = np.argsort(probabilities[of_label, given], kind="stable")[:wrong]
        doubted[of_label[least]] = True
    return doubted


@dataclass(frozen=True, slots=True)
class Noise:
    """How many labels contradict the model, as confident learning counts them.

    Attributes
    ----------
    share
        Of all labels: wrong ones where features nearly determine the truth, else bad luck as well.
    rates
        By given label and other class: the share of that label that truly is of that class.
    blocks
        Of time that were resampled. The intervals say how much the estimates would vary over other
        times like these. They don't say how far the model is off: where it is wrong, so are they.
    """

    share: Bounded
    rates: dict[tuple[int, int], Bounded]
    blocks: int


def estimate_noise(
    probabilities: NDArray[np.float64],
    labels: Codes,
    *,
    decided_at: NDArray[np.int64],
    seed: int,
    block: Span = 7 * DAY,
) -> Noise:
    """Estimate shares of wrong labels, with 95% intervals from a bootstrap of blocks of time.

    Parameters
    ----------
    decided_at
        Shape (n,): instants.
    block
        Cases of one block are drawn together.
    """
    classes = probabilities.shape[1]
    joint = confident_joint(probabilities, labels)
    _, places = np.unique(decided_at // block, return_inverse=True)
    blocks = int(places.max(initial=-1)) + 1
    draws = np.empty((0, classes, classes))
    if blocks >= LEAST_BLOCKS:
        resamples = int(min(RESAMPLES, max(40, MOST_WORK // labels.size)))
        times = times_drawn(blocks, resamples=resamples, seed=seed, salt="noise of labels")
        draws = np.stack([confident_joint(probabilities, labels, weights=row[places]) for row in times])
    given = joint.sum(axis=1)
    counts = np.bincount(labels, minlength=classes)
    rates = {
        (one, other): _rate(
            joint[one, other], draws[:, one, other], over=given[one], drawn_over=draws[:, one]
        )
        for one in range(classes)
        for other in range(classes)
        if one != other and counts[one]
    }
    right, drawn = float(np.trace(joint)), np.trace(draws, axis1=1, axis2=2)
    share = _within(between(1 - right, 1 - drawn, n=labels.size))
    return Noise(
        share,
        {
            pair: _within(Bounded(one.value, one.low, one.high, int(counts[pair[0]])))
            for pair, one in rates.items()
        },
        blocks,
    )


def _rate(
    value: np.float64, draws: NDArray[np.float64], *, over: np.float64, drawn_over: NDArray[np.float64]
) -> Bounded:
    totals = drawn_over.sum(axis=1)
    shares = np.divide(draws, totals, out=np.full(draws.size, np.nan), where=totals > 0)
    return between(float(value / over), shares, n=0)


def _within(figure: Bounded) -> Bounded:
    return Bounded(figure.value, max(0.0, figure.low), min(1.0, figure.high), figure.n)
