"""How often each feature is null when cases are decided, by group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import MISSING, OTHER, Grouping
from wholeroad.road.data.bias.judging import Draft, judge
from wholeroad.road.data.bias.questions import Flags, Question, counted, draft_shares
from wholeroad.road.data.bias.seen import Seen
from wholeroad.road.data.bias.wording import missingness_does


def ask_missingness(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare the share of cases in which a feature is null, for every feature and group.

    Features that are never null or always are left out, and so is one whose nulls are the group "no value"
    itself: it is read from the same column. All features and groups are judged together.
    """
    return judge([*_drafts(seen, confidence)], confidence=confidence)


def of_the_group_itself(seen: Seen, grouping: Grouping) -> tuple[str, ...]:
    """Name the features that are null exactly where the group has no value."""
    return tuple(name for name, null in _nulls(seen) if _is_group(null, grouping))


def _drafts(seen: Seen, confidence: float) -> Iterator[Draft]:
    blocks = seen.blocks
    everybody = np.ones(len(seen), dtype=bool)
    cases = [counted(each, everybody, blocks=blocks) for each in seen.groups]
    for name, null in _nulls(seen):
        for each, sums in zip(seen.groups, cases, strict=True):
            if _is_group(null, each):
                continue
            own = np.bincount(each.codes[null], minlength=len(each.values)) / max(int(null.sum()), 1)
            words = partial(missingness_does, shares=dict(zip(each.values, own.tolist(), strict=True)))
            question = Question(
                "missingness", each, words, confidence=confidence, least_cases=seen.least_cases, about=name
            )
            yield from draft_shares(question, null, blocks=blocks, cases=sums)


def _nulls(seen: Seen) -> Iterator[tuple[str, Flags]]:
    for column in seen.features.iter_columns():
        if 0 < column.null_count() < len(seen):
            yield column.name, column.is_null().to_numpy()


def _is_group(null: Flags, grouping: Grouping) -> bool:
    if MISSING in grouping.values:
        return bool(np.array_equal(null, grouping.members(MISSING)))
    if grouping.pooled.get(MISSING) != int(null.sum()):
        return False
    return bool(grouping.members(OTHER)[null].all())
