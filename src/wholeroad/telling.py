"""How well groups are told from features: by the plainest learner that looks at them."""

from __future__ import annotations

from typing import Final

import polars as pl

from wholeroad.adapters.learners import Logistic
from wholeroad.core.ports import Progress
from wholeroad.engine.assessing import fairness_table
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import groups_of
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.data.history import History
from wholeroad.road.model.fairness.feeding import fed
from wholeroad.road.model.fairness.flips import sampled
from wholeroad.road.model.fairness.proxies import direct_features, find_proxies

_MOST_TOLD: Final = 40_000
"""Cases that groups are told from; of more a sample by the hash of their ids."""


def told_from_features(history: History, progress: Progress | None = None) -> tuple[GroupBias, ...]:
    """Ask how well groups can be told from the features, by the simplest learner that looks at them."""
    if progress:
        progress("telling groups from features", 0, 0)
    rows = sampled(history.cases.ids, most=_MOST_TOLD)
    table = fairness_table(history)
    frame = history.groups.take(rows) if history.groups else pl.DataFrame()
    blocks, _ = blocks_of(history.timeline.decided_at[rows])
    found = find_proxies(
        history.features.take(rows),
        groups_of(frame, table),
        blocks=blocks,
        learner=Logistic(),
        direct={name: _direct(history, name) for name in table.groups},
        seed=history.brief.model.seed,
    )
    if progress:
        progress("telling groups from features", 1, 1)
    return tuple(each.bias for each in found)


def _direct(history: History, name: str) -> tuple[str, ...]:
    """Name the features that show what a group is read from: by them it is told, and nothing learnt."""
    table = fairness_table(history)
    parts = table.groups[name].all_of or (name,)
    shown = [fed(group, history.bound.features) for group in history.bound.groups if group.name in parts]
    own = direct_features(history.brief, name)
    return tuple(dict.fromkeys([*own, *(feature for each in shown for feature in each)]))
