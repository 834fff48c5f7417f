"""What another action would have brought, from cases in which chance had a part: weights and corrections.

The outcome of a case is seen under the one action that was taken (Rubin 1974, *Estimating causal effects
of treatments in randomized and nonrandomized studies*, Journal of Educational Psychology 66). Where chance
chose, with a known probability, cases of each action stand for all: each weighs one over the probability
with which it got its action (Horvitz and Thompson 1952, *A generalization of sampling without replacement
from a finite universe*, JASA 47).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes


def self_normalised(money: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Give the mean of money by weights, whose scale doesn't matter (Hájek 1971); NaN without weight.

    Examples
    --------
    >>> self_normalised(np.array([1.0, 4.0]), np.array([2.0, 1.0]))
    2.0
    """
    total = float(weights.sum())
    return float((weights * money).sum()) / total if total > 0 else float("nan")


def effective_size(weights: NDArray[np.float64]) -> float:
    """Give how many equally weighted cases would tell as much (Kish 1965, *Survey sampling*).

    Examples
    --------
    >>> effective_size(np.array([1.0, 1.0, 0.0])), effective_size(np.array([3.0, 3.0]))
    (2.0, 2.0)
    """
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def match_weights(
    wanted: Codes,
    *,
    taken: Codes,
    propensity: NDArray[np.float64],
    drawn_with: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Weigh each case by one over its propensity where the wanted action was taken, else by 0.

    Parameters
    ----------
    drawn_with
        Shape (n,): where the wanted action and the one taken come from the same draw, the probability with
        which it gave the wanted one; NaN elsewhere. There both fall together more often than two draws
        would, and the weight is this probability over the propensity: 1 for a policy that did the same.

    Examples
    --------
    >>> done, chance = np.array([0, 1], dtype=np.int8), np.array([0.25, 0.75])
    >>> match_weights(done, taken=done, propensity=chance, drawn_with=chance)
    array([1., 1.])
    """
    share = 1.0 if drawn_with is None else np.where(np.isnan(drawn_with), 1.0, drawn_with)
    weights: NDArray[np.float64] = np.where(wanted == taken, share / propensity, 0.0)
    return weights


def doubly_robust(
    money: NDArray[np.float64],
    wanted: Codes,
    *,
    taken: Codes,
    propensity: NDArray[np.float64],
    drawn_with: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Estimate, case by case, the money of wanted actions from the money of those taken.

    With ``m[a]`` the self-normalised mean of money under action ``a``, a case counts::

        m[wanted] + (wanted == taken) / propensity * (money - m[taken])

    (Robins, Rotnitzky and Zhao 1994, JASA 89; Dudík, Langford and Li 2011, *Doubly robust policy
    evaluation and learning*, ICML). Since the propensities are known the mean is right whatever ``m``
    is; ``m`` takes noise away, and two policies differ only where they want different actions. An action that
    chance never took counts as the least money seen: nothing is known in its favour.

    Parameters
    ----------
    money
        Shape (n,): of the action that was taken, under the outcome that it met.
    wanted, taken
        Shape (n,): action codes.
    propensity
        Shape (n,), in (0, 1]: with which ``taken`` was chosen.
    drawn_with
        As for :func:`match_weights`.

    Examples
    --------
    >>> money, taken = np.array([4.0, 2.0]), np.array([0, 1], dtype=np.int8)
    >>> doubly_robust(money, taken, taken=taken, propensity=np.ones(2))
    array([4., 2.])
    """
    actions = int(max(wanted.max(initial=0), taken.max(initial=0))) + 1
    means = np.full(actions, money.min(initial=np.inf))
    for action in range(actions):
        mine = taken == action
        if mine.any():
            means[action] = self_normalised(money[mine], 1 / propensity[mine])
    weights = match_weights(wanted, taken=taken, propensity=propensity, drawn_with=drawn_with)
    estimate: NDArray[np.float64] = means[wanted] + weights * (money - means[taken])
    return estimate
