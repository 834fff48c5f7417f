"""Flips of a project's groups, over cases that a model decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.engine.redeciding import redecided
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.history import History
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.flips import flippable, flips, sampled, what_flips_say
from wholeroad.road.model.fairness.priced import Flip
from wholeroad.road.model.scoring import Model


@dataclass(frozen=True, slots=True)
class Flipped:
    """What flips of one grouping showed.

    Attributes
    ----------
    flips
        The feature that is the group first; empty where the model sees none.
    says
        What they can't tell, or why there are none.
    """

    grouping: str
    flips: tuple[Flip, ...]
    says: tuple[str, ...]


def flip_groups(
    history: History, cases: NDArray[np.int64], *, groupings: Sequence[Grouping], model: Model
) -> tuple[Flipped, ...]:
    """Put other values of each group in place, and have a model decide again.

    Parameters
    ----------
    cases
        Shape (n,): positions in order of time, of cases later than those that the model learnt from.
    groupings
        Of these cases.
    """
    rows = sampled(history.cases.ids[cases])
    asked = cases[rows]
    features = history.features.take(asked)
    terms = Terms.of(history.brief)
    seen = [column.name for column in model.encoder.columns]
    bound = {feature.name: feature for feature in history.bound.groups}

    def decide(changed: pl.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        again = redecided(history, asked, features=changed, model=model)
        nothing = np.full(asked.size, np.nan)
        chances = nothing if terms.positive is None else again.prediction[:, terms.positive]
        return np.isin(again.action, terms.selected), chances

    found = []
    for grouping in groupings:
        group = bound.get(grouping.name)
        told = [
            flips(
                features,
                feature,
                grouping=grouping.take(rows),
                decide=decide,
                decided_at=history.timeline.decided_at[asked],
                ids=history.cases.ids[asked],
            )
            for feature in flippable(group, history.bound.features, seen=seen)
        ]
        says = what_flips_say(group, history.bound.features, seen=seen, cases=cases.size)
        found.append(Flipped(grouping.name, tuple(flip for part in told for flip in part), says))
    return tuple(found)
