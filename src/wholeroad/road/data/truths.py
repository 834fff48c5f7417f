"""What the outcomes tell: classes, nulls, other texts, and silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.view import PENDING
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.history import History


def question_outcomes(history: History) -> Iterator[Finding]:
    """Ask whether the outcomes tell the truth, of more than one class, and of which cases."""
    told, outcome = history.told, history.brief.outcome
    if told.rows and not told.joined:
        yield Finding(
            "check.outcomes-unjoined",
            "fault",
            "[outcome] by",
            f"none of the {told.rows:,} outcome rows belongs to a decided case",
            "every truth would be silence, and the money would be made up",
            "name in by the columns of the outcomes that hold the key of the case, in its order",
        )
    if told.no_class:
        yield Finding(
            "check.truth-no-class",
            # The case's own row may well say "open" before it says how it ended.
            "warning" if outcome.source == history.brief.case.source else "fault",
            "[outcome] truth",
            f"it was {_counted(told.no_class)} of {told.joined:,} outcome rows; the classes are "
            f"{', '.join(outcome.classes)}",
            "a text that is no class is no truth: these cases are in no fit and in no money",
            "correct the spelling in classes or truth; where a text means nothing yet, let truth be null",
        )
    if told.nulls:
        yield Finding(
            "check.unknown-truth",
            "warning",
            "[outcome] truth",
            f"{told.nulls:,} of {told.joined:,} outcome rows don't tell the truth: it was null",
            "they are in no fit and in no money; if they aren't like the others, both are biased",
            "say what a null means, as in coalesce(arr_delay, 999) > 30, or let them be",
        )
    yield from _one_class(history)
    yield from _silence(history)


def _counted(texts: dict[str, int]) -> str:
    shown = ", ".join(f"{text!r} in {rows:,}" for text, rows in [*texts.items()][:5])
    return shown if len(texts) <= 5 else f"{shown}, {len(texts) - 5} other texts in the rest"


def _one_class(history: History) -> Iterator[Finding]:
    timeline, outcome = history.timeline, history.brief.outcome
    told = history.told
    if told.levels is not None:
        yield from _one_number(told.levels)
        return
    seen = [
        name for code, name in enumerate(outcome.classes) if (timeline.truth_code[~told.silent] == code).any()
    ]
    silence = {outcome.if_never} if told.silent.any() else set()
    if len({*seen} | silence) < 2 and (told.joined or not told.rows):
        yield Finding(
            "check.one-class",
            "fault",
            "[outcome] truth",
            f"the outcome rows tell {f'{seen[0]} only' if seen else 'no class at all'}"
            + (f", and silence means {outcome.if_never}" if silence else ""),
            "where only one thing ever happens there is nothing to predict",
            "look at truth, classes and by, and at whether the outcomes of the other class were landed",
        )


def _one_number(levels: NDArray[np.float64]) -> Iterator[Finding]:
    if levels.size < 2:
        yield Finding(
            "check.one-class",
            "fault",
            "[outcome] truth",
            f"every outcome is {levels[0]:g}" if levels.size else "no outcome row tells a number",
            "where only one thing ever happens there is nothing to predict",
            "look at truth and by",
        )


def _silence(history: History) -> Iterator[Finding]:
    truth, outcome, timeline = (
        history.as_of(history.until + 1).truth(),
        history.brief.outcome,
        history.timeline,
    )
    by_silence = np.zeros(truth.size, dtype=bool)
    # Assignment in order: of several versions of one case the last stands.
    by_silence[timeline.truth_case] = history.told.silent
    known, silent = int((truth >= 0).sum()), int((by_silence & (truth >= 0)).sum())
    if silent:
        yield Finding(
            "check.silent-class",
            "note",
            "[outcome] if_never",
            f"{silent:,} of {known:,} truths ({silent / known:.0%}) are silence, "
            f"taken for {outcome.if_never}",
            "they are as right as the delivery of outcomes is whole: a feed that broke looks the same",
            "land a few known outcomes of each class and compare",
        )
    late = timeline.decided_at[: truth.size] + outcome.matures <= history.until
    missing, pending = int(((truth == PENDING) & late).sum()), int((truth == PENDING).sum())
    if missing:
        kept = outcome.if_never == "drop"
        yield Finding(
            "check.silent-outcomes",
            "warning" if missing > 0.01 * truth.size else "note",
            "[outcome] if_never" if kept else "[outcome] never_after",
            f"{missing:,} of {truth.size:,} cases are older than matures and have no outcome "
            f"({pending:,} pending in all)",
            "if silence means something, leaving them out is a bias"
            if kept
            else "silence doesn't count for them yet, or their outcome was taken back",
            "if it does, say so in truth, as in coalesce(state, 'open')"
            if history.brief.timeless
            else "if it does, name the class in if_never and the span in never_after"
            if kept
            else "raise matures to never_after, or find out why outcomes were taken back",
        )
