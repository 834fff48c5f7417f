"""Cases decided again with other features, by the model and the rule that decided them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.values import TableValues, Values, status_quo_actions, value_cases
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
    history: History, cases: NDArray[np.int64], features: pl.DataFrame, *, model: Model
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
    action, _ = act(prediction, due, rule=model.rule)
    expected = expected_money(values, prediction, effects=model.effects)
    return Redecided(action, prediction, weighed(due, prediction, expected=expected, model=model))


def case_columns(brief: Brief) -> dict[str, str]:
    """Give the features that are a column of the case, each with the column."""
    columns = ((name, table.column) for name, table in brief.feature.items())
    return {name: column for name, column in columns if column is not None}


def weighed(
    due: Due, prediction: NDArray[np.float64], *, expected: NDArray[np.float64], model: Model
) -> Weighed:
    """Say what actions are compared by, beside their expected money."""
    rule, compared = model.rule, expected
    if rule.thresholds is not None and rule.terms is not None and due.groups is not None:
        compared = rule.thresholds.adjust(
            expected,
            prediction,
            rule.thresholds.texts(due.groups),
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
    """Let everything that is computed from the cases' changed columns move with them."""
    bound, plain = history.bound, case_columns(history.brief)
    frame = history.cases.frame[cases]
    shown = {column: features[name].cast(frame[column].dtype) for name, column in plain.items()}
    changed = {column: other for column, other in shown.items() if other.ne_missing(frame[column]).any()}
    values: Values = history.values.take(cases)
    status_quo = history.status_quo[cases]
    if not changed:
        return features, values, status_quo
    frame = frame.with_columns(other.alias(column) for column, other in changed.items())
    for feature in bound.features:
        if isinstance(feature, Derived) and feature.name not in plain and _reads(feature, changed):
            features = features.with_columns(evaluate(frame, feature.expression).alias(feature.name))
    if bound.worth and isinstance(values, TableValues):
        values = value_cases(history.brief, bound.worth, cases=frame)
    if bound.status_quo is not None:
        moved = status_quo_actions(history.brief, bound.status_quo, cases=frame)
        status_quo = moved.astype(status_quo.dtype)
    return features, values, status_quo


def _reads(feature: Derived, columns: Mapping[str, pl.Series]) -> bool:
    return bool(columns.keys() & set(feature.expression.columns))
