"""How long outcomes are waited for: beyond it, one that hasn't come is counted as never seen."""

from __future__ import annotations

from typing import Final

import numpy as np

from wholeroad.core.instants import Span
from wholeroad.road.data.bias.seen import NEVER, Seen

_TIMES: Final = 3
_MOST: Final = 0.95


def horizon_of(seen: Seen) -> Span:
    """Give the span after which an outcome is no longer waited for, in microseconds.

    ``never_after`` where the brief states it. Else three times the delay within which 95 % of what was told
    of the older half of the cases came, at least ``matures``, and at most half the span since the first case:
    outcomes that take longer than that can't be told from those that never come.
    """
    if seen.timeless or not len(seen):
        return 0
    if seen.never_after is not None:
        return seen.never_after
    half = int(seen.age[0]) // 2
    old = (seen.told_at != NEVER) & (seen.age >= half)
    if not old.any():
        return max(seen.matures, half)
    delay = seen.told_at[old] - seen.decided_at[old]
    typical = int(np.quantile(delay, _MOST))
    return max(seen.matures, min(_TIMES * typical, half))
