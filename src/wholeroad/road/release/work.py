"""The decision kernel: from a plan and what is known of cases to actions, for one case as for many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.core.view import Codes
from wholeroad.road.brief.policies import INCUMBENT, Policy, parse_policy
from wholeroad.road.brief.values import Values
from wholeroad.road.data.incumbent import SILENT, Logged
from wholeroad.road.model.actions import Due, Rule, act
from wholeroad.road.model.capacity import Room, decide_within, fitting_in
from wholeroad.road.release.randomising import LeftAlone, leave_some_alone
from wholeroad.road.release.rules import MODEL, STATUS_QUO, Plan

PEOPLE: Final = "people"
"""Who decides a case that a remedy of ``[fairness]`` leaves to them."""


def _plain(_: str) -> Rule:
    """Say of every model that it decides by its prediction alone."""
    return Rule()


@dataclass(frozen=True, slots=True)
class Asked:
    """Cases to decide, each array of shape (n, ...).

    Attributes
    ----------
    ids
        Stable hashes of the keys.
    values
        What actions are worth to them.
    status_quo
        Action codes.
    held
        Cases that the status quo decides whatever the plan says.
    room
        What a capacity leaves to them; None where nothing runs out.
    logged
        What a running system did to them, for the decider ``incumbent``.
    groups, left_below
        As :class:`~wholeroad.road.model.actions.Due` has them.
    left_alone
        A random share that is left alone whatever the plan says; None where there is none.
    tells_money
        Whether the decisions tell the expected money of every action, not of the one that was chosen alone.
    """

    ids: NDArray[np.uint64]
    values: Values
    status_quo: Codes
    held: NDArray[np.bool_]
    room: Room | None = None
    logged: Logged | None = None
    left_alone: LeftAlone | None = None
    groups: pl.DataFrame | None = None
    left_below: NDArray[np.float64] | None = None
    tells_money: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions, in the order of the cases.

    Attributes
    ----------
    action
        Shape (n,), codes.
    probabilities
        Shape (n, K): probabilities of the classes, or quantiles of a number; NaN where no model was asked.
    expected
        Shape (n,), expected money of the action; NaN where no model was asked, or chance chose.
    propensity
        Shape (n,), in (0, 1]: the probability with which the action was chosen; None where chance had
        no part in any.
    left
        Shape (n,): cases that are left to people; None where none ever is.
    money
        Shape (n, A), where it was asked for: the expected money of every action; None where no model and no
        running system said anything.
    """

    action: Codes
    probabilities: NDArray[np.float64]
    expected: NDArray[np.float64]
    propensity: NDArray[np.float64] | None = None
    left: NDArray[np.bool_] | None = None
    money: NDArray[np.float64] | None = None


def decide_under(
    plan: Plan,
    asked: Asked,
    *,
    actions: tuple[str, ...],
    width: int,
    seed: int,
    score: Callable[[str], NDArray[np.float64]],
    rule: Callable[[str], Rule] = _plain,
) -> Decided:
    """Decide cases under a plan.

    Parameters
    ----------
    actions
        Names, in the order of their codes.
    width
        How many numbers a model's prediction has: one for each class.
    seed
        The project's, for the random dummy.
    score
        From a model's digest to the probabilities of these cases; called for ``model`` only.
    rule
        From a model's digest to what it decides by beside its prediction.
    """
    decided = _planned(plan, asked, actions=actions, width=width, seed=seed, score=score, rule=rule)
    alone = asked.left_alone
    if alone is None:
        return decided
    # A case that is left alone keeps its place within a capacity, so that no other case's chances hang on it.
    action, propensity = leave_some_alone(
        decided.action,
        ids=asked.ids,
        held=asked.held if decided.left is None else asked.held | decided.left,
        rule=alone,
        seed=seed,
    )
    expected = np.where(action == decided.action, decided.expected, np.nan)
    return replace(decided, action=action, expected=expected, propensity=propensity)


def _planned(
    plan: Plan,
    asked: Asked,
    *,
    actions: tuple[str, ...],
    width: int,
    seed: int,
    score: Callable[[str], NDArray[np.float64]],
    rule: Callable[[str], Rule],
) -> Decided:
    if plan.decider == MODEL and plan.model is not None:
        probabilities = score(plan.model)
        due = Due(
            values=asked.values,
            status_quo=asked.status_quo,
            held=asked.held,
            ids=asked.ids,
            room=asked.room,
            groups=asked.groups,
            left_below=asked.left_below,
        )
        chosen = act(probabilities, due, rule=rule(plan.model))
        expected = np.where(asked.held, np.nan, chosen.expected)
        left = None if chosen.left is None else chosen.left & ~asked.held
        money = chosen.money if asked.tells_money else None
        return Decided(chosen.action, probabilities, expected, left=left, money=money)
    count = asked.ids.size
    probabilities = np.full((count, width), np.nan)
    expected = np.full(count, np.nan)
    if plan.decider == STATUS_QUO:
        return Decided(asked.status_quo.copy(), probabilities, expected)
    if plan.decider == INCUMBENT:
        return _as_logged(asked, probabilities)
    action = _dummy(parse_policy(plan.decider), asked, actions, seed)
    action = np.where(asked.held, asked.status_quo, action)
    if asked.room is not None:  # a dummy knows no gain: among cases of one instant, chance decides
        drawn = chance(asked.ids, seed=seed, salt="dummy-room")
        fits = fitting_in(action != asked.status_quo, drawn, ids=asked.ids, room=asked.room)
        action = np.where(fits, action, asked.status_quo)
    return Decided(action, probabilities, expected)


def _as_logged(asked: Asked, nothing: NDArray[np.float64]) -> Decided:
    """Do as the running system did; by its score where its log has no actions, and else as is done today."""
    logged = asked.logged
    if logged is None:
        return Decided(asked.status_quo.copy(), nothing, nothing[:, 0].copy())
    probabilities = logged.probabilities(nothing.shape[1])
    money = asked.values.expected(probabilities)
    action = np.where(logged.action == SILENT, asked.status_quo, logged.action)
    if logged.by_score:
        action, _ = decide_within(
            money, status_quo=asked.status_quo, held=asked.held, ids=asked.ids, room=asked.room
        )
    return Decided(
        action.astype(asked.status_quo.dtype),
        probabilities,
        money[np.arange(len(action)), action],
        money=money if asked.tells_money else None,
    )


def _dummy(policy: Policy, asked: Asked, actions: tuple[str, ...], seed: int) -> Codes:
    if policy.kind == "always":
        return np.full(asked.ids.size, actions.index(policy.action), dtype=asked.status_quo.dtype)
    acts = chance(asked.ids, seed=seed, salt="dummy") < policy.rate
    others = len(actions) - 1
    # One of the other actions, each as likely: a step of 1 .. others around the circle of codes.
    steps = 1 + np.floor(chance(asked.ids, seed=seed, salt="dummy-action") * others).astype(np.int64)
    other = (asked.status_quo + steps) % len(actions)
    return np.where(acts, other, asked.status_quo).astype(asked.status_quo.dtype)
