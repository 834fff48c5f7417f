"""Blocks of time: days as they are counted case by case, or runs where there are few days."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.road.data.blocks import LEAST_DAYS, RUNS, blocks_of


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(-40 * DAY, 400 * DAY), max_size=60), st.integers(1, 4000))
def test_blocks_are_the_days_of_the_cases_or_runs_of_them(at: list[int], spread: int) -> None:
    decided_at = np.sort(np.array(at, dtype=np.int64)) * (1 if len(at) % 2 else spread // 1000 + 1)
    blocks, kind = blocks_of(decided_at)
    days = np.unique(decided_at // DAY, return_inverse=True)[1]
    if len(set(days.tolist())) >= LEAST_DAYS:
        assert kind == "UTC days"
        assert blocks.tolist() == days.tolist()
    else:
        assert kind == "runs of consecutive cases"
        assert (np.diff(blocks) >= 0).all()
        sizes = np.bincount(blocks, minlength=min(RUNS, max(len(at), 1)))
        assert sizes.max(initial=0) - sizes.min(initial=len(at)) <= 1
