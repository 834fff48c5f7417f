"""The decision kernel: from a plan and what is known of cases to actions, for one case as for many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.road.brief.policies import Policy, parse_policy
from wholeroad.road.brief.values import Values
from wholeroad.road.model.deciding import decide
from wholeroad.road.release.rules import MODEL, STATUS_QUO, Plan


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
    """

    ids: NDArray[np.uint64]
    values: Values
    status_quo: NDArray[np.int8]
    held: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions, in the order of the cases.

    Attributes
    ----------
    action
        Shape (n,), codes.
    probabilities
        Shape (n, classes); NaN where no model was asked.
    expected
        Shape (n,), expected money of the action; NaN where no model was asked.
    """

    action: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    expected: NDArray[np.float64]


def decide_under(
    plan: Plan,
    asked: Asked,
    *,
    actions: tuple[str, ...],
    width: int,
    seed: int,
    score: Callable[[str], NDArray[np.float64]],
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
    """
    count = asked.ids.size
    probabilities = np.full((count, width), np.nan)
    expected = np.full(count, np.nan)
    if plan.decider == STATUS_QUO:
        return Decided(asked.status_quo.copy(), probabilities, expected)
    if plan.decider == MODEL and plan.model is not None:
        probabilities = score(plan.model)
        action, expected = decide(asked.values.expected(probabilities), status_quo=asked.status_quo)
        action = np.where(asked.held, asked.status_quo, action)
        return Decided(action, probabilities, np.where(asked.held, np.nan, expected))
    action = _dummy(parse_policy(plan.decider), asked, actions, seed)
    return Decided(np.where(asked.held, asked.status_quo, action), probabilities, expected)


def _dummy(policy: Policy, asked: Asked, actions: tuple[str, ...], seed: int) -> NDArray[np.int8]:
    if policy.kind == "always":
        return np.full(asked.ids.size, actions.index(policy.action), dtype=np.int8)
    acts = chance(asked.ids, seed=seed, salt="dummy") < policy.rate
    others = len(actions) - 1
    # One of the other actions, each as likely: a step of 1 .. others around the circle of codes.
    steps = 1 + np.floor(chance(asked.ids, seed=seed, salt="dummy-action") * others).astype(np.int8)
    return np.where(acts, (asked.status_quo + steps) % len(actions), asked.status_quo).astype(np.int8)
