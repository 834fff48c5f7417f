"""Remedies that a fit carries out, and how its champion treats groups on cases that are new to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import Codes
from wholeroad.road.model.actions import left_to_people
from wholeroad.road.model.cut import Cut, CutGroups
from wholeroad.road.model.effects import Effects, expected_money
from wholeroad.road.model.fairness.abstaining import left_below
from wholeroad.road.model.fairness.assessed import NOT_KNOWN, assess
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.model.fairness.learning_thresholds import (
    Aim,
    Foretold,
    LearntThresholds,
    learn_thresholds,
)
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.model.fairness.reweighing import reweigh, weigh_alike

Rows = slice | NDArray[np.int64]


@dataclass(frozen=True)
class Stated:
    """What a trial's model states of some rows of the cut, and what acting changes about that."""

    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    effects: Effects | None = None


@dataclass(frozen=True)
class Weights:
    """How much rows count, each positive and of mean 1: of those learnt from, and of those stopped on."""

    learnt: NDArray[np.float64]
    stop: NDArray[np.float64] | None = None


def weights_of(cut: Cut, learnt: Rows, *, stop: Rows | None = None) -> Weights | None:
    """Weigh the rows that a fit learns from, where the brief reweighs; None elsewhere.

    Rows that it stops on are weighed as those that it was fitted on; it is calibrated on what came true,
    without weights.
    """
    groups = cut.groups
    if groups is None:
        return None
    found = reweigh(groups.table, groups.take(learnt).frame, truth=cut.truth[learnt])
    if found is None:
        return None
    if stop is None:
        return Weights(found.weights)
    frame = groups.take(stop).frame
    return Weights(found.weights, weigh_alike(found, groups.table, frame=frame, truth=cut.truth[stop]))


def thresholds_of(cut: Cut, stated: Stated) -> LearntThresholds | None:
    """Learn the thresholds of groups that the brief asks for, from what a model states of rows new to it."""
    groups = cut.groups
    remedies = groups.table.of_kind("thresholds") if groups is not None else ()
    if groups is None or not remedies or not stated.rows.size:
        return None
    (remedy,) = remedies
    rows = stated.rows
    mine = groups.take(rows)
    positive = np.full(rows.size, NOT_KNOWN, dtype=np.int8)
    if groups.terms.positive is not None:
        positive[:] = cut.truth[rows] == groups.terms.positive
    values = cut.values.take(rows)
    expected = expected_money(values, stated.probabilities, effects=stated.effects)
    below = left_below(groups.table, mine.frame)
    people = left_to_people(expected, cut.status_quo[rows], left_below=below)
    held = cut.held[rows]
    return learn_thresholds(
        Foretold(
            expected=expected,
            probabilities=stated.probabilities,
            positive=positive,
            status_quo=cut.status_quo[rows],
            held=held if people is None else held | people,
            decided_at=cut.decided_at[rows],
            texts=mine.texts(remedy.group),
            values=None if stated.effects else values,
        ),
        Aim(
            grouping=remedy.group,
            parts=groups.table.groups[remedy.group].all_of or (remedy.group,),
            equal=remedy.equal or "selection_rate",
            within=remedy.within,
            terms=groups.terms,
            least_cases=groups.table.least_cases,
            values=tuple(remedy.values),
        ),
    )


def assess_champion(
    cut: Cut, rows: NDArray[np.int64], *, actions: Codes, probabilities: NDArray[np.float64] | None
) -> Fairness | None:
    """Assess what a champion did on the rows that it was chosen on; None where the brief asks for nothing."""
    groups: CutGroups | None = cut.groups
    if groups is None:
        return None
    mine = groups.take(rows)
    nothing = np.full((rows.size, max(len(cut.classes), 1)), np.nan)
    assessed = assess(
        groups.terms,
        decided_at=cut.decided_at[rows],
        action=actions,
        truth=cut.truth[rows],
        values=cut.values.take(rows),
        status_quo=cut.status_quo[rows],
        probabilities=nothing if probabilities is None else probabilities,
    )
    return fairness_of(
        assessed, mine.groupings, limits=groups.table.limits, least_cases=groups.table.least_cases
    )


def carried_out(cut: Cut, thresholds: LearntThresholds | None) -> tuple[str, ...]:
    """Say what remedies did in a fit: weights over the whole cut, and the champion's thresholds."""
    groups = cut.groups
    if groups is None:
        return ()
    said = []
    weighed = reweigh(groups.table, groups.frame, truth=cut.truth)
    if weighed is not None:
        said.append(weighed.says(cut.classes))
    if thresholds is not None:
        what = thresholds.equal.replace("_", " ")
        text = (
            f"Thresholds of {thresholds.thresholds.grouping} bring its {what} from "
            f"{thresholds.difference_before:.3f} to {thresholds.difference_after:.3f} apart on the cases "
            f"that they were learnt from ({thresholds.within:g} was allowed), for "
            f"{thresholds.price_per_case:.4f} of expected money per case."
        )
        if thresholds.left > 0:
            text += f" {thresholds.left:.3f} more is left than was allowed: no thresholds come nearer."
        said.append(text)
    return tuple(said)
