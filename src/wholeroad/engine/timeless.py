"""From a history that stands still to what decisions are worth by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wholeroad.core.errors import UserError
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.engine.learning import cut_of
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.history import History
from wholeroad.road.model.refusing import too_few_outcomes
from wholeroad.road.model.slices import LEAST_ROWS
from wholeroad.road.model.without_time import FOLDS, Asked, CrossValidated, cross_validate


def value_without_time(
    history: History, *, learners: Mapping[str, AnyLearner], progress: Progress | None = None
) -> CrossValidated:
    """Cross-validate the candidates on cases without time.

    Parameters
    ----------
    history
        Of a brief whose cases are static.
    learners
        By name.

    Raises
    ------
    UserError
        ``model.too-few-outcomes``, ``model.too-few-cases``.
    """
    brief = history.brief
    truth = history.as_of(history.until + 1).truth()
    rows = np.flatnonzero(truth >= 0)
    cut = cut_of(history, rows)
    if refusal := too_few_outcomes(cut, brief.model.least_outcomes):
        raise replace(refusal, fix="collect more cases, or keep the status quo until then").error()
    success = brief.success.gain_over_status_quo if brief.success else None
    asked = Asked(
        ids=history.cases.ids[rows],
        unit=brief.unit,
        success=success,
        depends_on_action=brief.outcome.depends_on_action,
        seed=brief.model.seed,
        left_out=truth.size - rows.size,
    )
    found = cross_validate(cut, list(learners.values()), asked=asked, progress=progress)
    if found is None:
        raise UserError(
            "model.too-few-cases",
            "Too few cases to cross-validate",
            happened=f"{rows.size:,} cases have a known outcome",
            expected=f"{LEAST_ROWS} or more to stop on and to measure on in each of {FOLDS} folds",
            fix="collect more cases, or keep the status quo until then",
        )
    return found


def refuse_timeless(brief: Brief, action: str) -> None:
    """Refuse what can't be done with cases without time: ``rehearse.no-time``."""
    if brief.timeless:
        raise no_time(action, brief.case.source)


def no_time(action: str, source: str) -> UserError:
    """Make the error for what can't be done with cases without time: ``rehearse.no-time``."""
    return UserError(
        "rehearse.no-time",
        f"This can't be {action}",
        happened=f"{source} is static: no row says when, so nobody can tell what was known when",
        expected="cases and outcomes with happened_at and known_at",
        fix="look at wholeroad check for what to log from tomorrow; wholeroad rehearse prints what decisions "
        "are worth by cross-validation instead",
    )
