"""What one feature alone could change: the best rule of one threshold, searched early and measured late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_CUTS: Final = 100
_LEAST: Final = 20
"""Cases that either side of a rule must have."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An action for low values and one for high ones.

    Attributes
    ----------
    cut
        The first value, in the order of values, that gets the high action.
    low, high, unknown
        Codes of actions; the last for cases without a value, -1 for the status quo.
    """

    cut: float
    low: int
    high: int
    unknown: int = -1

    def gain(self, score: Floats, money: Floats) -> Floats:
        """Give shape (n,): what the rule brings beyond the status quo.

        Parameters
        ----------
        score
            Shape (n,); NaN for a case without a value.
        money
            Shape (n, A): of each action beyond the status quo.
        """
        rows = np.arange(score.size)
        action = np.where(score >= self.cut, self.high, self.low)
        action = np.where(np.isnan(score), self.unknown, action)
        return np.where(action < 0, 0.0, money[rows, action])


def best_rule(score: Floats, money: Floats) -> Rule | None:
    """Find the threshold and the two actions with the most money; None where no rule beats the status quo.

    One-level decision trees (Iba and Langley 1992, Induction of one-level decision trees, ICML), with money
    instead of impurity.

    Parameters
    ----------
    score
        Shape (n,); NaN where there is no value.
    money
        Shape (n, A): of each action beyond the status quo.
    """
    there = np.flatnonzero(~np.isnan(score))
    if there.size < 2 * _LEAST:
        return None
    order = there[np.argsort(score[there], kind="stable")]
    values = score[order]
    below = np.concatenate([np.zeros((1, money.shape[1])), np.cumsum(money[order], axis=0)])
    above = below[-1] - below
    edges = np.flatnonzero(np.diff(values) > 0) + 1
    edges = edges[(edges >= _LEAST) & (edges <= values.size - _LEAST)]
    edges = edges[np.unique(np.linspace(0, edges.size - 1, min(edges.size, _CUTS)).astype(int))]
    places = np.concatenate([[0], edges]).astype(np.int64)
    total = below[places].max(axis=1) + above[places].max(axis=1)
    best = int(np.argmax(total))
    place = int(places[best])
    if total[best] <= 0:
        return None
    if np.argmax(below[place]) == np.argmax(above[place]):
        place = 0
    return Rule(
        float(values[place]) if place else -np.inf,
        int(np.argmax(below[place])),
        int(np.argmax(above[place])),
        _of_unknown(np.isnan(score), money),
    )


def _of_unknown(unknown: NDArray[np.bool_], money: Floats) -> int:
    """Give the action that brings most where nothing is known; where that is rare, what is best for all."""
    total = money[unknown].sum(axis=0) if unknown.sum() >= _LEAST else money.sum(axis=0)
    return int(np.argmax(total)) if total.max() > 0 else -1


def scores_of_words(codes: Places, money: Floats, *, learn: NDArray[np.bool_]) -> Floats:
    """Give each category a number: what the action that differs most between them brings it.

    Categories with fewer cases than a rule needs are as those without a value.
    """
    levels = int(codes.max()) + 1 if codes.size else 0
    held = learn & (codes >= 0)
    count = np.bincount(codes[held], minlength=levels)
    with np.errstate(invalid="ignore"):
        means = np.stack(
            [np.bincount(codes[held], weights=column[held], minlength=levels) / count for column in money.T]
        )
    # The action that differs most between categories orders them.
    spread = np.nanstd(np.where(count >= _LEAST, means, np.nan), axis=1) if levels else np.zeros(1)
    telling = means[int(np.nanargmax(spread))] if levels and np.isfinite(spread).any() else np.zeros(levels)
    telling = np.where(count >= _LEAST, telling, np.nan)
    return (
        np.where(codes >= 0, telling[np.maximum(codes, 0)], np.nan) if levels else np.full(codes.size, np.nan)
    )
