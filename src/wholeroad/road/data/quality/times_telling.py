"""How troubles with times are told: from when to when, and how many cases were decided then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wholeroad.core.instants import Instant
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_days import day
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, tell


def tell_of_time(
    seen: Seen, found: Found, *, cases: int | None = None, rows: int | None = None, of: int | None = None
) -> Trouble:
    """Say what was found, where rows and cases are counted otherwise than by the marked rows.

    Parameters
    ----------
    cases, rows, of
        Those of the trouble; as counted from the marked rows where None.
    """
    trouble = tell(seen, found)
    return replace(
        trouble,
        cases=trouble.cases if cases is None else cases,
        rows=trouble.rows if rows is None else rows,
        of=trouble.of if of is None else of,
    )


def cases_between(seen: Seen, *, from_at: Instant, until_at: Instant) -> int | None:
    """Count the cases decided in ``[from_at, until_at)``; None without a history or without times."""
    if seen.history is None or seen.brief.timeless:
        return None
    at = seen.history.timeline.decided_at
    return int(np.searchsorted(at, until_at, side="left") - np.searchsorted(at, from_at, side="left"))


def span_words(from_at: Instant | None, until_at: Instant | None) -> str:
    """Say from when to when, the end left out.

    Examples
    --------
    >>> span_words(0, 86_400_000_000), span_words(0, None), span_words(None, 0)
    ('from 1970-01-01 to before 1970-01-02', 'from 1970-01-01 on', 'before 1970-01-01')
    """
    if from_at is None:
        return "always" if until_at is None else f"before {day(until_at)}"
    return f"from {day(from_at)} on" if until_at is None else f"from {day(from_at)} to before {day(until_at)}"
