"""Learners: a constant, logistic regression, boosted trees; all plain data, all deterministic."""

from __future__ import annotations

from collections.abc import Sequence

from wholeroad.adapters.learners.constant import Constant
from wholeroad.adapters.learners.lightgbm_trees import LightgbmTrees
from wholeroad.adapters.learners.logistic import Logistic
from wholeroad.core.ports import Learner

__all__ = ["NAMES", "Constant", "LightgbmTrees", "Logistic", "make_learners"]

NAMES = (Constant.name, Logistic.name, LightgbmTrees.name)
"""What ``[model] candidates`` may name, simplest first."""


def make_learners(names: Sequence[str] = NAMES, *, threads: int) -> dict[str, Learner]:
    """Make learners by name, simplest first.

    Parameters
    ----------
    names
        Out of :data:`NAMES`.
    threads
        How many threads a fit or a bulk score may use; no result depends on it.
    """
    every: dict[str, Learner] = {
        Constant.name: Constant(),
        Logistic.name: Logistic(),
        LightgbmTrees.name: LightgbmTrees(threads=threads),
    }
    if unknown := sorted(set(names) - set(every)):
        message = f"{', '.join(unknown)} is no learner; there are {', '.join(every)}"
        raise ValueError(message)
    return {name: learner for name, learner in every.items() if name in names}
