"""Limits after a release: looked at again and again, with intervals that hold for every look together.

A look a week would find a breach by chance sooner or later if each were judged alone (Armitage, McPherson
and Rowe 1969, *Repeated significance tests on accumulating data*, JRSS A 132). Look *k* is judged at a level
of ``alpha / (k (k + 1))``, which adds up to ``alpha`` over all looks at one plan, however many there will be.
The next plan is another one with cases of its own, and its looks are counted anew: over a year of many
plans false alarms add up. A plan that is replaced sooner than the limits are looked at, or sooner than
its outcomes mature, is never judged by them.
"""

from __future__ import annotations

from collections.abc import Sequence

from wholeroad.core.instants import Instant, Span
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.release.rules import MODEL, Plan
from wholeroad.road.watch.facts import LimitsWatched


def look_due(plan: Plan, last: LimitsWatched | None, *, every: Span, now: Instant) -> bool:
    """Tell whether the limits of the plan in force are to be looked at."""
    if plan.decider != MODEL or plan.effective_from is None:
        return False
    return now >= (plan.effective_from if last is None else last.at) + every


def watch_limits(
    assessed: Assessed,
    groups: Sequence[Grouping],
    *,
    table: FairnessTable,
    plan: Plan,
    last: LimitsWatched | None,
    now: Instant,
) -> LimitsWatched:
    """Look at the limits on what was decided under the plan in force.

    Parameters
    ----------
    assessed, groups
        Cases decided since the plan took effect, with the outcomes that are known and typical.
    last
        The look before this one under the same plan.
    """
    look = 1 if last is None else last.look + 1
    found = fairness_of(assessed, groups, limits=table.limits, least_cases=table.least_cases, look=look)
    return LimitsWatched(
        at=now,
        model=plan.model or "",
        since_at=plan.effective_from or now,
        look=look,
        cases=len(assessed),
        settled=int((assessed.money == assessed.money).sum()),
        standings={one.limit: one.standing for one in found.limits},
        says={one.limit: one.says for one in found.limits if one.standing == "breached"},
    )
