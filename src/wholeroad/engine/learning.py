"""Asking what more rows would bring, where those that there are don't do: it costs fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, LAST, format_instant
from wholeroad.core.ports import AnyLearner, Progress
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.learning_curve import RESAMPLES, LearningCurve, described, learning_curve

AT_STAKE: Final = frozenset({"check.too-few-outcomes"})
"""Findings that make the question worth its fits."""

_FIXES: Final = {
    "reached": "rehearse, and see whether the policy reaches it too",
    "too-far": "collect twice the cases and check again; or look for features that tell more",
    "never": "look for features that tell more, decide later, or ask for less",
    "refused": "collect more cases and check again; or look for features that tell more",
}


def question_learning(
    history: History,
    findings: Iterable[Finding],
    *,
    learners: Mapping[str, AnyLearner],
    progress: Progress | None = None,
) -> list[Finding]:
    """Measure the learning curve where the check found too few outcomes; else ask nothing.

    Parameters
    ----------
    findings
        What the check found.
    learners
        By name, the brief's candidates.
    """
    brief = history.brief
    if brief.success is None or not AT_STAKE & {finding.code for finding in findings}:
        return []
    view = history.as_of(history.until + 1)
    rows = view.matured(brief.outcome.matures)
    cut = cut_of(history, rows)
    curve = learning_curve(
        cut,
        list(learners.values()),
        ids=history.cases.ids[rows],
        matures=brief.outcome.matures,
        required=brief.success.gain_over_status_quo.per_case,
        seed=brief.model.seed,
        progress=progress,
    )
    return [_finding(history, curve)]


def cut_of(history: History, rows: NDArray[np.int64]) -> Cut:
    """Take cases with a known outcome out of a history, with all that is known of them at its end."""
    brief = history.brief
    return Cut(
        features=history.features.take(rows),
        decided_at=history.timeline.decided_at[rows],
        truth=history.as_of(history.until + 1).truth()[rows],
        values=history.values.take(rows),
        status_quo=history.status_quo[rows],
        held=history.held[rows],
        classes=brief.outcome.classes,
        actions=brief.actions,
        capacity=brief.worth.capacity,
        levels=history.told.levels,
        amounts=brief.worth.quantities,
    )


def _finding(history: History, curve: LearningCurve) -> Finding:
    points = curve.points
    counted = points is not None and history.brief.outcome.depends_on_action != "no"
    assumed = "not identified, since it assumes that acting changes no outcome: " if counted else ""
    why = "a learning curve that can't be told leaves open whether it is rows that are missing"
    if points is not None:
        why = (
            f"measured on the newest {curve.cases:,} cases, with {len(points.rows)} sizes of nested subsets "
            f"of those before; intervals from {RESAMPLES:,} resamples of {curve.blocks} and of the subsets. "
            "It holds while cases stay like these"
        )
    return Finding(
        "check.learning-curve",
        "note",
        "[success]",
        assumed + "; ".join(described(curve, history.brief.unit)),
        why,
        _FIXES.get(curve.answer) or _until(history, curve),
    )


def _until(history: History, curve: LearningCurve) -> str:
    decided_at = history.timeline.decided_at
    per_day = decided_at.size / max(1.0, (int(decided_at[-1]) - int(decided_at[0])) / DAY)
    known = int(np.count_nonzero(history.as_of(history.until + 1).truth() >= 0))
    at = history.until + int(max(0.0, curve.needed[0] - known) / per_day * DAY)
    if at > LAST:
        return "collect more cases"
    return f"go on collecting: at {per_day:,.0f} cases a day they'll be there about {format_instant(at)[:10]}"
