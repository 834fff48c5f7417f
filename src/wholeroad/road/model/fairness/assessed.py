"""Decided cases as fairness looks at them: who was selected, what came true, what it brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import Values

NOT_KNOWN: Final = -1
"""The truth of a case whose outcome isn't known."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """Decided cases in order of time, each array of shape (n,).

    Attributes
    ----------
    decided_at
        Int64 microseconds, ascending.
    selected
        Whether the action counts as being selected.
    positive
        Int8: 1 where the positive class came true, 0 where another did, :data:`NOT_KNOWN` where the outcome
        isn't known (yet), or the brief names no positive class.
    probability
        Of the positive class, as the model stated it when the case was decided; NaN without a model.
    money, status_quo_money, best_money
        Of the action taken, of the status quo's, and of the best one given the outcome; NaN where the
        outcome or its value isn't known.
    """

    decided_at: NDArray[np.int64]
    selected: NDArray[np.bool_]
    positive: NDArray[np.int8]
    probability: NDArray[np.float64]
    money: NDArray[np.float64]
    status_quo_money: NDArray[np.float64]
    best_money: NDArray[np.float64]

    def __len__(self) -> int:
        """Give the number of cases."""
        return self.decided_at.size

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Assessed:
        """Give some of the cases, in order of time."""
        return Assessed(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the measures speak of.

    Attributes
    ----------
    selected
        Codes of the actions that count as being selected: those that ``[fairness] selected`` names, without
        it every action but the status quo's.
    positive
        Code of the positive class; None where the brief names none.
    """

    selected: tuple[int, ...]
    positive: int | None

    @classmethod
    def of(cls, brief: Brief) -> Terms:
        """Take them from a brief."""
        chosen = brief.fairness.selected if brief.fairness else ()
        own = brief.value.status_quo.get("action")
        codes = enumerate(brief.actions)
        classes, positive = brief.outcome.classes, brief.outcome.positive
        return cls(
            tuple(code for code, name in codes if (name in chosen if chosen else name != own)),
            classes.index(positive) if positive in classes else None,
        )


def assess(
    terms: Terms,
    *,
    decided_at: NDArray[np.int64],
    action: Codes,
    truth: Codes,
    values: Values,
    status_quo: Codes,
    probabilities: NDArray[np.float64],
) -> Assessed:
    """Put decided cases together, each array of shape (n, ...), in order of time.

    Parameters
    ----------
    action, truth, status_quo
        Codes; every action is 0 or more, a negative truth isn't known.
    probabilities
        Shape (n, classes); NaN without a model.
    """
    known = np.flatnonzero(truth >= 0)
    money, own, best = (np.full(action.size, np.nan) for _ in range(3))
    worth = values.take(known)
    money[known] = worth.money(action[known], truth=truth[known])
    own[known] = worth.money(status_quo[known], truth=truth[known])
    best[known] = worth.best(truth[known])
    positive = np.full(action.size, NOT_KNOWN, dtype=np.int8)
    probability = np.full(action.size, np.nan)
    if terms.positive is not None:
        positive[known] = truth[known] == terms.positive
        probability = probabilities[:, terms.positive].copy()
    return Assessed(
        decided_at=decided_at,
        selected=np.isin(action, terms.selected),
        positive=positive,
        probability=probability,
        money=money,
        status_quo_money=own,
        best_money=best,
    )
