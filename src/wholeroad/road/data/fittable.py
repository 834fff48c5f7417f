"""Whether a fit can be made at all of what is known by now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from wholeroad.core.instants import DAY, format_span
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History

SLICES: Final = 3
"""A fit learns, stops and chooses on slices of their own, each a ``matures`` apart."""


def question_fits(history: History) -> Iterator[Finding]:
    """Name what lets every fit be refused, be it made of all that is known by now.

    Less than this is known when a rehearsal fits, so that fits may be refused where nothing is named here.
    """
    brief = history.brief
    outcome, until = brief.outcome, history.until
    truth = history.as_of(until + 1).truth()
    decided_at = history.timeline.decided_at[: truth.size]
    matured = truth >= 0
    if not brief.timeless:
        matured &= decided_at + outcome.matures <= until
    counts = np.unique(truth[matured], return_counts=True)[1]
    rows = int(counts.sum())
    fewer = rows - int(counts.max(initial=0))
    least = brief.model.least_outcomes
    if fewer < least:
        yield Finding(
            "check.fit-refused",
            "warning",
            "[model] least_outcomes",
            f"of {rows:,} matured outcomes {fewer:,} lie outside the most frequent; a fit needs {least:,}",
            "every fit will be refused, and the status quo decides instead",
            "land more history, or wait; no policy can be told from the status quo before",
        )
        return
    if brief.timeless:
        return
    spanned = int(decided_at[matured][-1]) - int(decided_at[matured][0])
    if spanned <= (SLICES - 1) * outcome.matures:
        yield Finding(
            "check.fit-refused",
            "warning",
            "[outcome] matures",
            f"the matured cases span {spanned / DAY:,.1f} days; matures is {format_span(outcome.matures)}, "
            f"and a fit takes {SLICES} slices of them that lie so far apart",
            "every fit will be refused, and the status quo decides instead",
            "land more history; or is matures too careful?",
        )
