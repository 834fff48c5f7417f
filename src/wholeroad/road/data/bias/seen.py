"""What is looked at when bias in the data is asked for: plain arrays by case, as known at one instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import Instant, Span
from wholeroad.core.view import PENDING, UNKNOWN, Codes
from wholeroad.road.data.bias.groups import Grouping, groups_of
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.data.history import History

NEVER: Final = np.iinfo(np.int64).max
"""When an outcome that no row has told so far became known."""

TOLD: Final = 0
"""A row told the truth of the case."""

SILENCE: Final = 1
"""No row did; its truth is what the brief takes silence for."""

NULL: Final = 2
"""A row came that doesn't tell the truth."""

NONE: Final = 3
"""No row came."""

LEAST_CASES: Final = 30
"""With fewer cases nothing is said, unless the brief sets another number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The cases decided before ``now``, in order of time; each array has the shape (n,).

    Attributes
    ----------
    decided_at
        Int64 microseconds, ascending.
    groups
        How the cases are parted.
    positive
        Int8: 1 where the positive class came true, 0 where another one did, -1 where that isn't known or the
        brief names no positive class.
    outcome
        Int8: :data:`TOLD`, :data:`SILENCE`, :data:`NULL` or :data:`NONE`.
    told_at
        Int64 microseconds: when a row first told what now is the outcome; :data:`NEVER` where none did.
    features
        As known at each decision: a column for each, n rows.
    now
        The instant as of which all of this is known.
    matures, never_after
        As the brief states them; ``never_after`` is None where it doesn't.
    action, actions
        Codes of what was done and the actions' names; a negative code where it isn't known. None without any
        record.
    least_cases
        With fewer cases nothing is said.
    looked_for
        The positive class's name; empty where the brief names none.
    timeless
        The cases have no time: what asks for it isn't asked.
    """

    decided_at: NDArray[np.int64]
    groups: tuple[Grouping, ...]
    positive: NDArray[np.int8]
    outcome: NDArray[np.int8]
    told_at: NDArray[np.int64]
    features: pl.DataFrame
    now: Instant
    matures: Span = 0
    never_after: Span | None = None
    action: Codes | None = None
    actions: tuple[str, ...] = ()
    least_cases: int = LEAST_CASES
    looked_for: str = ""
    timeless: bool = False

    def __len__(self) -> int:
        """Give the number of cases."""
        return self.decided_at.size

    @property
    def age(self) -> NDArray[np.int64]:
        """Shape (n,), microseconds since each decision."""
        return self.now - self.decided_at

    @property
    def known(self) -> NDArray[np.bool_]:
        """Shape (n,): the truth is known, told by a row or by silence."""
        known: NDArray[np.bool_] = self.outcome <= SILENCE
        return known

    @property
    def blocks(self) -> NDArray[np.int64]:
        """Shape (n,), ``0 .. B-1``: UTC days of the decisions, or runs of cases where there are few days.

        Cases of one day share luck, whole days nearly don't: days are what intervals rest on.
        """
        return blocks_of(self.decided_at)[0]


def seen_of(history: History, groups: Sequence[Grouping] | None = None, *, now: Instant) -> Seen:
    """Gather what was known of a history's cases at an instant; what came later has no part in it.

    Parameters
    ----------
    groups
        Of all cases, or at least of those decided before ``now``; those of the brief unless given, made from
        the cases decided before ``now`` alone.
    now
        Outcomes known at or before it are seen, cases decided before it are.
    """
    view = history.as_of(now)
    decided = slice(0, view.decided)
    brief, fairness = history.brief, history.brief.fairness
    if groups is None:
        told = history.groups is not None and fairness is not None
        groups = groups_of(history.groups.take(decided), fairness) if told else ()  # type: ignore[union-attr,arg-type]
    truth = view.truth()
    outcome, told_at = _outcomes(history, truth, now=now)
    positive = np.full(view.decided, -1, dtype=np.int8)
    if brief.outcome.positive in brief.outcome.classes:
        known = truth >= 0
        positive[known] = truth[known] == brief.outcome.classes.index(brief.outcome.positive)
    logged = None if history.logged is None else history.logged.as_of(now)
    return Seen(
        decided_at=history.timeline.decided_at[decided],
        groups=tuple(each.take(slice(0, view.decided)) for each in groups),
        positive=positive,
        outcome=outcome,
        told_at=told_at,
        features=history.features.take(decided),
        now=now,
        matures=brief.outcome.matures,
        never_after=brief.outcome.never_after,
        action=None if logged is None else logged.action[decided],
        actions=brief.actions,
        least_cases=fairness.least_cases if fairness is not None else LEAST_CASES,
        looked_for=brief.outcome.positive or "",
        timeless=brief.timeless,
    )


def _outcomes(history: History, truth: Codes, *, now: Instant) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Tell for each decided case what became of its outcome, and since when a row has told it."""
    timeline, silent = history.timeline, history.told.silent
    versions = slice(0, int(np.searchsorted(timeline.truth_known_at, now, side="right")))
    case, known_at = timeline.truth_case[versions], timeline.truth_known_at[versions]
    code, silent = timeline.truth_code[versions], silent[versions]
    outcome = np.full(truth.size, NONE, dtype=np.int8)
    # Assignment in order: of several versions of one case the last stands.
    outcome[case] = np.where(silent, SILENCE, TOLD)
    outcome[truth == UNKNOWN] = NULL
    outcome[truth == PENDING] = NONE
    told = (code >= 0) & ~silent
    told_at = np.full(truth.size, NEVER, dtype=np.int64)
    # In reverse order the first stands.
    told_at[case[told][::-1]] = known_at[told][::-1]
    told_at[outcome != TOLD] = NEVER
    return outcome, told_at
