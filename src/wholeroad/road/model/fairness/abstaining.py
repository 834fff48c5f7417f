"""Abstaining: cases of some groups that people decide, and for which the status quo stands until they do."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.data.bias.groups import group_texts


def left_below(table: FairnessTable | None, groups: pl.DataFrame | None) -> NDArray[np.float64] | None:
    """Give for each case below which gain the decision is left to people; None where no remedy says so.

    Parameters
    ----------
    groups
        Values of the groups as known when each case is decided, a row for each.

    Returns
    -------
    ndarray or None
        Shape (n,), money: a case is left to people where acting is expected to bring less than this more or
        less than the status quo. Infinite where a model never decides, 0 where it always does.

    Examples
    --------
    >>> remedy = {"kind": "abstain", "group": "depot", "values": "north", "below": 5}
    >>> table = {"groups": {"depot": {"column": "depot"}}, "remedies": [remedy]}
    >>> frame = pl.DataFrame({"depot": ["north", "south"]})
    >>> left_below(FairnessTable.model_validate(table), frame)
    array([5., 0.])
    """
    remedies = table.of_kind("abstain") if table is not None else ()
    if table is None or groups is None or not remedies:
        return None
    below = np.zeros(groups.height)
    for remedy in remedies:
        texts = group_texts(groups, table, name=remedy.group)
        mine = (
            texts.is_in(list(remedy.values)).to_numpy() if remedy.values else np.ones(below.size, dtype=bool)
        )
        below[mine] = np.maximum(below[mine], np.inf if remedy.below is None else remedy.below)
    return below
