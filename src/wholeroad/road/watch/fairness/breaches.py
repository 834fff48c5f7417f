"""Limits after a release: looked at again and again, with intervals that hold for every look together.

A look a week would find a breach by chance sooner or later if each were judged alone (Armitage, McPherson
and Rowe 1969, *Repeated significance tests on accumulating data*, JRSS A 132). Look *k* is judged at a level
of ``alpha / (k (k + 1))``, which adds up to ``alpha`` over all looks, however many there will be. What is
looked at is what models have decided, one after another under one brief: a model that is replaced before its
outcomes mature is judged all the same, and a new model doesn't spend the level anew. Once the brief is
changed, somebody has done something; then looks begin again, on what is decided from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wholeroad.core.instants import Instant, Span
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.model.fairness.assessed import Assessed
from wholeroad.road.model.fairness.assessing import fairness_of
from wholeroad.road.watch.facts import LimitsWatched


@dataclass(frozen=True, slots=True)
class Looked:
    """A look at the limits.

    Attributes
    ----------
    model
        Digest of the model in charge.
    since_at
        Since when models have decided, one after another.
    last
        The look before this one.
    """

    model: str
    since_at: Instant
    last: LimitsWatched | None
    now: Instant


def look_due(last: LimitsWatched | None, since_at: Instant, *, every: Span, now: Instant) -> bool:
    """Tell whether the limits are to be looked at.

    Examples
    --------
    >>> look_due(None, 0, every=7, now=6), look_due(None, 0, every=7, now=7)
    (False, True)
    """
    return now >= (since_at if last is None else last.at) + every


def watch_limits(
    assessed: Assessed, groups: Sequence[Grouping], *, table: FairnessTable, looked: Looked
) -> LimitsWatched:
    """Look at the limits on what models have decided.

    Parameters
    ----------
    assessed, groups
        Cases decided since then, with the outcomes that are known and typical.
    """
    look = 1 if looked.last is None else looked.last.look + 1
    found = fairness_of(assessed, groups, limits=table.limits, least_cases=table.least_cases, look=look)
    return LimitsWatched(
        at=looked.now,
        model=looked.model,
        since_at=looked.since_at,
        look=look,
        cases=len(assessed),
        settled=found.settled,
        standings={one.limit: one.standing for one in found.limits},
        says={one.limit: one.says for one in found.limits if one.standing == "breached"},
    )
