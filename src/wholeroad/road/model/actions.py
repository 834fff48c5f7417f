"""From a prediction to actions: money, thresholds of groups, what is left to people, what has room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.values import Values
from wholeroad.road.model.capacity import Room, decide_within
from wholeroad.road.model.effects import Effects, expected_money
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.thresholds import GroupThresholds


@dataclass(frozen=True, slots=True)
class Rule:
    """What a model decides by, beside its prediction.

    Attributes
    ----------
    effects
        What acting changes; None where it changes nothing, or nobody knows.
    thresholds
        Those of groups, where a remedy asked for them.
    terms
        Which actions they speak of.
    """

    effects: Effects | None = None
    thresholds: GroupThresholds | None = None
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Cases to act on, each array of shape (n,).

    Attributes
    ----------
    values, status_quo, held, ids, room
        As for :func:`~wholeroad.road.model.capacity.decide_within`.
    groups
        Values of the groups of ``[fairness]``, a row for each case; None without any.
    left_below
        As :func:`~wholeroad.road.model.fairness.abstaining.left_below` gives it.
    """

    values: Values
    status_quo: Codes
    held: NDArray[np.bool_]
    ids: NDArray[np.uint64]
    room: Room | None = None
    groups: pl.DataFrame | None = None
    left_below: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for cases, each array of shape (n,).

    Attributes
    ----------
    action
        Codes.
    expected
        Expected money of the action; NaN where people decide.
    left
        Cases that are left to people, for whom the status quo stands until they decide; None where none
        ever is.
    money
        Shape (n, A): the expected money of every action, whatever was chosen.
    """

    action: Codes
    expected: NDArray[np.float64]
    left: NDArray[np.bool_] | None = None
    money: NDArray[np.float64] | None = None


def act(prediction: NDArray[np.float64], due: Due, *, rule: Rule) -> Chosen:
    """Choose for each case the action of most expected money, within what limits the choice.

    A threshold of a group moves what the selected actions have to bring; the expected money stays what it is.
    """
    expected = expected_money(due.values, prediction, effects=rule.effects)
    left = left_to_people(expected, due.status_quo, left_below=due.left_below)
    held = due.held if left is None else due.held | left
    compared = expected
    if rule.thresholds is not None and rule.terms is not None:
        compared = rule.thresholds.adjust(
            expected,
            prediction,
            texts=rule.thresholds.texts(due.groups),
            selected=rule.terms.selected,
            positive=rule.terms.positive,
        )
    action, best = decide_within(compared, status_quo=due.status_quo, held=held, ids=due.ids, room=due.room)
    if compared is not expected:
        best = expected[np.arange(action.size), action]
    return Chosen(action, best if left is None else np.where(left, np.nan, best), left, expected)


def left_to_people(
    expected: NDArray[np.float64], status_quo: Codes, *, left_below: NDArray[np.float64] | None
) -> NDArray[np.bool_] | None:
    """Tell which cases are left to people, shape (n,); None where none ever is.

    Those whose best other action is expected to bring so little more or less than the status quo.
    """
    if left_below is None:
        return None
    rows = np.arange(status_quo.size)
    own = expected[rows, status_quo]
    others = expected.copy()
    others[rows, status_quo] = -np.inf
    best = np.fmax.reduce(others, axis=1)
    left: NDArray[np.bool_] = ~(np.abs(best - own) >= left_below) & (left_below > 0)
    return left
