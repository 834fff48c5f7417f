"""Learners: a constant, one rule, logistic regression, boosted trees, and those from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wholeroad.adapters.learners.constant import Constant
from wholeroad.adapters.learners.foreign import ForeignLearner, find_learners
from wholeroad.adapters.learners.lightgbm_trees import LightgbmTrees
from wholeroad.adapters.learners.logistic import Logistic
from wholeroad.adapters.learners.one_rule import OneRule
from wholeroad.adapters.learners.quantiles_constant import ConstantQuantiles
from wholeroad.adapters.learners.quantiles_lightgbm import LightgbmQuantiles
from wholeroad.adapters.learners.quantiles_linear import LinearQuantiles
from wholeroad.adapters.settings import Settings
from wholeroad.core.errors import UserError
from wholeroad.core.ports import AnyLearner, Learner, QuantileLearner
from wholeroad.road.brief.contract import Brief

__all__ = [
    "NAMES",
    "QUANTILE_NAMES",
    "Constant",
    "LightgbmTrees",
    "Logistic",
    "OneRule",
    "identities",
    "learners_for",
    "make_learners",
    "make_quantile_learners",
]

NAMES = (Constant.name, OneRule.name, Logistic.name, LightgbmTrees.name)
"""The learners that ship, simplest first; ``[model] candidates`` may name others besides."""

QUANTILE_NAMES = (ConstantQuantiles.name, LinearQuantiles.name, LightgbmQuantiles.name)
"""The learners that ship for outcomes that are numbers, simplest first."""


def make_learners(
    names: Sequence[str] = NAMES, *, threads: int, settings: Settings | None = None
) -> dict[str, Learner]:
    """Make learners by name, simplest first.

    Parameters
    ----------
    names
        Out of :data:`NAMES`, or found by :func:`~wholeroad.adapters.learners.foreign.find_learners`.
    threads
        How many threads a fit or a bulk score may use; no result depends on it.
    settings
        The user's, read where they stand unless given, and only when a name doesn't ship.

    Raises
    ------
    UserError
        ``model.unknown-learner`` and others, when a learner from outside can't be had.
    """
    every: dict[str, Learner] = {
        Constant.name: Constant(),
        OneRule.name: OneRule(),
        Logistic.name: Logistic(),
        LightgbmTrees.name: LightgbmTrees(threads=threads),
    }
    if outside := [name for name in dict.fromkeys(names) if name not in every]:
        every.update(find_learners(outside, taken=NAMES, settings=settings).items())
    chosen = [learner for name, learner in every.items() if name in names]
    return {learner.name: learner for learner in sorted(chosen, key=lambda learner: learner.complexity)}


def make_quantile_learners(
    names: Sequence[str] = QUANTILE_NAMES, *, threads: int
) -> dict[str, QuantileLearner]:
    """Make learners of numbers by name, simplest first.

    Parameters
    ----------
    names
        Out of :data:`QUANTILE_NAMES`.
    threads
        How many threads a fit or a bulk score may use; no result depends on it.

    Raises
    ------
    UserError
        ``model.unknown-learner``.
    """
    every: dict[str, QuantileLearner] = {
        ConstantQuantiles.name: ConstantQuantiles(),
        LinearQuantiles.name: LinearQuantiles(),
        LightgbmQuantiles.name: LightgbmQuantiles(threads=threads),
    }
    if unknown := [name for name in names if name not in every]:
        raise UserError(
            "model.unknown-learner",
            "A candidate can't learn quantiles",
            happened=f"[model] candidates named {', '.join(unknown)}, and kind is regression",
            expected=f"one of {', '.join(every)}",
            fix="leave [model] candidates out to try them all",
        )
    return {name: learner for name, learner in every.items() if name in names}


def learners_for(brief: Brief, *, threads: int) -> Mapping[str, AnyLearner]:
    """Make the candidates of a brief, simplest first: learners of classes, or of a number."""
    if brief.outcome.kind == "regression":
        return make_quantile_learners(brief.candidates, threads=threads)
    return make_learners(brief.candidates, threads=threads)


def identities(learners: Mapping[str, AnyLearner]) -> str:
    """Name what could change a fit of the learners from outside; nothing where all of them ship.

    What ships is named by the version of wholeroad.
    """
    outside = [learner for learner in learners.values() if isinstance(learner, ForeignLearner)]
    return " ".join(f"{learner.name}+{learner.identity[:16]}" for learner in outside)
