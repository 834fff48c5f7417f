"""A random share that is left alone: the price of knowing what acting changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance
from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.policies import Policy

_SALT: Final = "no action"


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """So large a share of cases gets the action that leaves alone, whatever the plan says.

    Attributes
    ----------
    action
        Code of that action.
    share
        In (0, 1).
    """

    action: int
    share: float

    def draws(self, ids: NDArray[np.uint64], *, seed: int) -> NDArray[np.bool_]:
        """Tell whom chance leaves alone, shape (n,)."""
        drawn: NDArray[np.bool_] = chance(ids, seed=seed, salt=_SALT) < self.share
        return drawn


def left_alone(brief: Brief, policy: Policy) -> LeftAlone | None:
    """Give the share that a policy leaves alone; None where the brief sets none.

    Every policy that uses models keeps it, from the first case on and under every plan, also while the
    status quo is in charge until a model comes: else the share would begin and end with the plan, and
    those left alone in it would be of other days than those treated. The status quo, the dummies and a
    running system are yardsticks, and stay what they are.
    """
    wanted = brief.policy.no_action
    if wanted is None or not policy.uses_models:
        return None
    return LeftAlone(brief.actions.index(wanted.action), wanted.share)


def leave_some_alone(
    planned: Codes, *, ids: NDArray[np.uint64], held: NDArray[np.bool_], rule: LeftAlone, seed: int
) -> tuple[Codes, NDArray[np.float64]]:
    """Leave a share of cases alone, and give the probability with which each action was chosen.

    Who is left alone hangs on the case's id and the seed only: no plan, no model and no other case
    changes it. Cases that are held for the status quo came too late for chance to have a part in them.

    Parameters
    ----------
    planned
        Shape (n,): what the plan would do.

    Returns
    -------
    action, propensity
        Shape (n,). With share ``s`` the propensity is ``s`` for a case left alone against the plan,
        ``1 - s`` for one that the plan acts on, and 1 where the plan leaves alone anyway or the case is
        held. A case was left alone by chance when its action is that one and its propensity is below 1.

    Examples
    --------
    >>> ids, rule = np.arange(4, dtype=np.uint64), LeftAlone(action=0, share=0.5)
    >>> planned, held = np.array([1, 1, 0, 1], dtype=np.int8), np.zeros(4, dtype=bool)
    >>> leave_some_alone(planned, ids=ids, held=held, rule=rule, seed=1)
    (array([0, 1, 0, 0], dtype=int8), array([0.5, 0.5, 1. , 0.5]))
    """
    drawn = rule.draws(ids, seed=seed)
    certain = held | (planned == rule.action)
    action = np.where(drawn & ~held, rule.action, planned).astype(planned.dtype)
    propensity = np.where(certain, 1.0, np.where(drawn, rule.share, 1 - rule.share))
    return action, propensity
