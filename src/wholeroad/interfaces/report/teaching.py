"""The lessons that stand beside what they explain on the page, with the page's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from wholeroad.lessons import (
    Lesson,
    Number,
    fill,
    lesson_for,
    numbers_of_brief,
    numbers_of_calibration,
    numbers_of_comparison,
    numbers_of_finding,
    verdict_codes,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.findings import Finding
from wholeroad.road.watch.results import Comparison
from wholeroad.road.watch.segments import Segments


@dataclass(frozen=True, slots=True)
class Shown:
    """A lesson as the page prints it: plain texts.

    Attributes
    ----------
    anchor
        Of the lesson on the page, unique.
    title, what, formula
        As the lesson says.
    numbers
        Yours, a line each; empty where there are none.
    points
        ``(label, text)`` in reading order.
    command, source, expert
        As the lesson says.
    """

    anchor: str
    title: str
    what: str
    formula: str
    numbers: tuple[str, ...]
    points: tuple[tuple[str, str], ...]
    command: str
    source: str
    expert: str


@dataclass(slots=True)
class Teaching:
    """Hands out lessons for one page, each once: where it is needed first.

    Attributes
    ----------
    numbers
        Of the objects that the page shows.
    """

    numbers: tuple[Number, ...]
    told: set[str] = field(default_factory=set)

    def beside(self, *codes: str, more: Sequence[Number | str] = ()) -> tuple[Shown, ...]:
        """Give the lessons of these codes that the page hasn't told yet."""
        found = []
        for code in codes:
            lesson = lesson_for(code)
            if lesson is not None and lesson.code not in self.told:
                self.told.add(lesson.code)
                found.append(self._shown(lesson, more))
        return tuple(found)

    def _shown(self, lesson: Lesson, more: Sequence[Number | str]) -> Shown:
        filled = fill(lesson, [*more, *self.numbers])
        reading = " ".join(filter(None, (filled.here, lesson.reading)))
        points = (
            ("How to read it", reading),
            ("How it can fool you", lesson.fooling),
            ("What to do", lesson.doing),
            ("When to do nothing", lesson.nothing),
        )
        return Shown(
            anchor=f"lesson-{lesson.code.replace('.', '-')}",
            title=lesson.title,
            what=lesson.what,
            formula=lesson.formula,
            numbers=filled.numbers if filled.yours else (),
            points=points,
            command=lesson.command,
            source=lesson.source,
            expert=lesson.expert,
        )


def teaching(
    brief: Brief,
    comparison: Comparison,
    *,
    policy: str,
    calibration: pl.DataFrame,
    segments: Segments | None = None,
) -> Teaching:
    """Gather the page's numbers, told of the recommended policy."""
    return Teaching(
        (
            *numbers_of_comparison(comparison, policy=policy),
            *numbers_of_brief(brief),
            *numbers_of_calibration(calibration, policy=policy),
            *_of_segments(segments, comparison),
        )
    )


def lessons_of_page(
    handed: Teaching, brief: Brief, *, comparison: Comparison, verdict: dict[str, object]
) -> dict[str, tuple[Shown, ...]]:
    """Give the lessons by the section that they stand in.

    Parameters
    ----------
    handed
        Of this page.
    verdict
        The arguments of :func:`wholeroad.lessons.verdict_codes`.
    """
    codes = verdict_codes(comparison, **verdict)  # type: ignore[arg-type]
    ranges = any(one.gain_corners for one in comparison.policies)
    regret = comparison.oracle is not None
    worth = brief.worth
    form = {"ratio": "miss-ratio", "capacity": "ranking-by-gain", "formula": "newsvendor"}.get(worth.form)
    return {
        "verdict": handed.beside(*codes),
        "money": handed.beside("paired-difference"),
        "policies": handed.beside(
            "interval", *(["settled"] if brief.outcome.depends_on_action == "no" else []), "dummies"
        ),
        "left": handed.beside(
            *(["regret"] if regret else []),
            "knowing-every-outcome",
            *(["value-ranges"] if ranges else []),
        ),
        "charter": handed.beside(
            form or "value-table",
            *(["capacity"] if worth.capacity else []),
            "status-quo",
            *(["success-criterion"] if brief.success else []),
            "depends-on-action",
            *(["no-action-share", "propensity-weighting"] if comparison.randomised else []),
        ),
        "assumptions": handed.beside("assumption"),
        "segments": handed.beside("segments"),
        "calibration": handed.beside("calibration"),
        "fits": handed.beside("one-standard-error", "matures", "slices"),
        "refused": handed.beside("refused-fit"),
    }


def beside_findings(handed: Teaching, findings: Sequence[Finding]) -> list[tuple[str, tuple[Shown, ...]]]:
    """Give a sentence and the lesson for each fault and warning."""
    return [
        (
            f"{finding.where}: {finding.happened}; {finding.why_it_matters}.",
            handed.beside(finding.code, more=numbers_of_finding(finding)),
        )
        for finding in findings
        if finding.level != "note"
    ]


def _of_segments(segments: Segments | None, comparison: Comparison) -> tuple[Number, ...]:
    if segments is None or not segments.segments:
        return ()
    worst = min(segments.segments, key=lambda one: one.per_case.value)
    said = f"worst segment, {worst.by} {worst.name}, per case"
    low, high = worst.per_case.low, worst.per_case.high
    return (
        Number("segments", len(segments.segments), unit="", said="segments looked at"),
        Number("missing_by_chance", segments.by_chance, said="intervals that miss by chance, on average"),
        Number(
            "worst_segment",
            worst.per_case.value,
            low,
            high,
            n=worst.cases,
            unit=comparison.unit,
            said=said,
            confidence=segments.confidence,
        ),
    )
