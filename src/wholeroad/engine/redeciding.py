"""Cases decided again with other features, by the model and the rule that decided them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import TableValues, Values, status_quo_actions
from wholeroad.road.data.features.specs import Derived
from wholeroad.road.data.features.windows import evaluate
from wholeroad.road.data.history import History
from wholeroad.road.model.actions import Due, act, left_to_people
from wholeroad.road.model.effects import expected_money
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.scoring import Model


@dataclass(frozen=True, slots=True)
class Weighed:
    """What actions are compared by, each array of shape (n, ...).

    Attributes
    ----------
    compared
        Shape (n, A): their expected money with the thresholds of groups in it.
    moved
        Shape (n, A): what these thresholds added.
    left
        Left to people by a remedy of the brief.
    """

    compared: NDArray[np.float64]
    moved: NDArray[np.float64]
    left: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Redecided:
    """Decisions as they would have been, each array of shape (n, ...); no capacity and no chance is in them.

    Attributes
    ----------
    action
        Codes.
    prediction
        Of the model, shape (n, K).
    weighed
        What the actions were compared by.
    """

    action: Codes
    prediction: NDArray[np.float64]
    weighed: Weighed


def redecided(
    history: History, cases: NDArray[np.int64], *, features: pl.DataFrame, model: Model
) -> Redecided:
    """Decide cases again with other features.

    A feature that is a column of the case takes along what is computed from this column: other features,
    what actions are worth, the status quo. The case's groups stay, and so does what is computed from other
    rows.

    Parameters
    ----------
    cases
        Shape (n,): positions, which may repeat.
    features
        A row for each of them.
    """
    features, values, status_quo = _moved(history, cases, features)
    due = replace(due_as_recorded(history, cases), values=values, status_quo=status_quo)
    prediction = model.probabilities(features)
    action = act(prediction, due, rule=model.rule).action
    expected = expected_money(values, prediction, effects=model.effects)
    return Redecided(action, prediction, weighed(due, prediction, expected=expected, model=model))


def case_columns(brief: Brief) -> dict[str, str]:
    """Give the features that are a column of the case, each with the column."""
    columns = ((name, table.column) for name, table in brief.feature.items())
    return {name: column for name, column in columns if column is not None}


def stuck(history: History, column: str) -> tuple[str, ...]:
    """Name what is computed from a column of the case and from others that no feature shows.

    It can't be computed again, so nobody knows what would follow from another value of the column.
    """
    bound, shown = history.bound, {*case_columns(history.brief).values()}
    hangs = [(one.name, one.expression) for one in bound.features if isinstance(one, Derived)]
    hangs += [(f"the value of {action}", expression) for (action, _), expression in bound.worth.items()]
    hangs += [("the status quo", bound.status_quo)] if bound.status_quo is not None else []
    found = [name for name, one in hangs if column in one.columns and not shown >= set(one.columns)]
    return tuple(dict.fromkeys(found))


def weighed(
    due: Due, prediction: NDArray[np.float64], *, expected: NDArray[np.float64], model: Model
) -> Weighed:
    """Say what actions are compared by, beside their expected money."""
    rule, compared = model.rule, expected
    if rule.thresholds is not None and rule.terms is not None:
        compared = rule.thresholds.adjust(
            expected,
            prediction,
            texts=rule.thresholds.texts(due.groups),
            selected=rule.terms.selected,
            positive=rule.terms.positive,
        )
    left = left_to_people(expected, due.status_quo, left_below=due.left_below)
    nobody = np.zeros(len(expected), dtype=bool)
    return Weighed(compared, compared - expected, nobody if left is None else left)


def due_as_recorded(history: History, cases: NDArray[np.int64]) -> Due:
    """Give cases to act on as they were, but for a capacity."""
    groups = history.groups_in_decisions(cases)
    return Due(
        values=history.values.take(cases),
        status_quo=history.status_quo[cases],
        held=history.held[cases],
        ids=history.cases.ids[cases],
        groups=groups,
        left_below=left_below(history.brief.fairness, groups),
    )


def _moved(
    history: History, cases: NDArray[np.int64], features: pl.DataFrame
) -> tuple[pl.DataFrame, Values, Codes]:
    """Let what is computed from the cases' changed columns move with them."""
    bound, plain = history.bound, case_columns(history.brief)
    values: Values = history.values.take(cases)
    status_quo = history.status_quo[cases]
    own = history.features.take(cases)
    changed = {column for name, column in plain.items() if features[name].ne_missing(own[name]).any()}
    if not changed:
        return features, values, status_quo
    frame = features.select(pl.col(name).alias(column) for name, column in plain.items())

    def moves(expression: Expression) -> bool:
        return bool(changed & {*expression.columns}) and {*frame.columns} >= {*expression.columns}

    for feature in bound.features:
        if isinstance(feature, Derived) and feature.name not in plain and moves(feature.expression):
            features = features.with_columns(evaluate(frame, feature.expression).alias(feature.name))
    if isinstance(values, TableValues):
        worth = {
            (history.brief.actions.index(action), history.brief.outcome.classes.index(outcome)): evaluate(
                frame, expression
            )
            for (action, outcome), expression in bound.worth.items()
            if moves(expression)
        }
        varying = {cell: money.cast(pl.Float64).fill_null(np.nan).to_numpy() for cell, money in worth.items()}
        values = replace(values, varying={**values.varying, **varying})
    if bound.status_quo is not None and moves(bound.status_quo):
        moved = status_quo_actions(history.brief, bound.status_quo, cases=frame)
        status_quo = moved.astype(status_quo.dtype)
    return features, values, status_quo
