"""Whether a capacity goes to the best cases, or to those that come due first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from wholeroad.core.instants import DAY, UNITS, format_span
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History

LEAST_SHARE: Final = 0.05
"""Of the periods, from which on it is worth a warning."""


def question_capacity(history: History) -> Iterator[Finding]:
    """Warn where cases of one period come due at many instants and there isn't room for all of them.

    Only cases of one instant are ranked against each other: code ``check.capacity-first-come``.
    """
    capacity = history.brief.worth.capacity
    decided_at = history.timeline.decided_at
    if capacity is None or not decided_at.size:
        return
    first = np.r_[True, np.diff(decided_at) > 0]
    periods, cases = np.unique(decided_at // capacity.every, return_counts=True)
    instants = np.unique(decided_at[first] // capacity.every, return_counts=True)[1]
    scattered = (cases > capacity.cases) & (instants > 1)
    if scattered.mean() < LEAST_SHARE:
        return
    period = format_span(capacity.every)
    yield Finding(
        "check.capacity-first-come",
        "warning",
        "[case] decide_at",
        f"in {int(scattered.sum()):,} of {periods.size:,} periods of {period}, cases come due at up to"
        f" {int(instants.max()):,} instants, and there are more of them than the capacity of"
        f" {capacity.cases:,}",
        "only cases of one instant are ranked against each other: the first to come due take the capacity,"
        " and better ones that come later find it gone",
        f"let the cases of a period come due together, as in {_common(history, capacity.every)}",
    )


def _common(history: History, every: int) -> str:
    """Write a decide_at that is the same for all cases of a period."""
    own = history.brief.case.decide_at
    plain = own if own.isidentifier() else f"({own})"
    if every == DAY:
        start = f"cast({own} as date)"
    elif every == UNITS["h"]:
        start = f"cast({own} as date) + utc_hour({plain}) * 1h"
    else:
        epoch, length = "timestamp '1970-01-01T00:00:00Z'", format_span(every)
        start = f"{epoch} + floor(seconds_between({epoch}, {own}) / {every / 1e6:g}) * {length}"
    end = f"{start} + {format_span(every)}"
    return f'decide_at = "{start}" (at its start), or "{end}" (at its end)'
