"""The rows of a page of fairness about the data: what was found by cause, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from wholeroad.core.instants import format_instant
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.fairness_charts import Dot, dots_chart, ends_of, short_labels
from wholeroad.interfaces.report.fairness_order import clear_first
from wholeroad.interfaces.report.fairness_words import (
    CAUSES,
    a_month,
    finding_range,
    in_unit,
    whom,
)
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.model.fairness.record import REMEDIES, figure_in_words
from wholeroad.road.watch.fairness.planned import Choice, PlanLine

_AXES: Final = {
    "share": "difference, points of a hundred",
    "days": "difference, days",
    "AUC": "AUC above chance",
}
_MOST_SAID: Final = 5
"""Clear findings of one cause that are said in sentences; the table holds all."""


def cause_rows(findings: Sequence[GroupBias]) -> list[dict[str, Any]]:
    """Give findings about the data by cause, those with something clear first."""
    shown = []
    for place, (cause, (title, what)) in enumerate(CAUSES.items()):
        mine = clear_first([one for one in findings if one.cause == cause])
        if not mine:
            continue
        dots = _dots(mine)
        clear = sum(one.clear for one in mine)
        shown.append(
            {
                "title": title,
                "what": what,
                "clear": clear,
                "counted": f"{count(clear, 'clear difference')} among {count(len(mine), 'answer')}",
                "svg": _drawn(dots, mine[0].unit, name=f"bias{place}"),
                "left_out": len(mine) - len(dots),
                "clearest": [
                    f"{whom(one)}: {evidence_sentence(one)} {one.does}".strip() for one in mine if one.clear
                ][:_MOST_SAID],
                "rows": [_finding(one) for one in mine],
            }
        )
    return sorted(shown, key=lambda one: not one["clear"])


def _dots(findings: Sequence[GroupBias]) -> list[Dot]:
    labels = short_labels([whom(one) for one in findings])
    return ends_of(
        [
            Dot(
                labels[whom(one)],
                one.difference.value,
                one.difference.low,
                one.difference.high,
                clear=one.clear,
                enough=one.enough,
            )
            for one in findings
        ]
    )


def _drawn(dots: Sequence[Dot], unit: str, *, name: str) -> Markup:
    """Draw differences; one alone is said in words."""
    if sum(dot.drawn for dot in dots) < 2:
        return Markup()
    drawn = dots_chart(dots, reference=0.0, percent=unit == "share", name=name, title=_AXES.get(unit, unit))
    return Markup(drawn)  # noqa: S704 - our own drawing; the renderer escapes its texts


def _finding(one: GroupBias) -> dict[str, Any]:
    return {
        "whom": whom(one),
        "cases": f"{one.cases:,}",
        "figure": (in_unit(one.figure.value, one.unit), finding_range(one.figure, one.unit)),
        "rest": (in_unit(one.rest.value, one.unit), finding_range(one.rest, one.unit)),
        "difference": (
            in_unit(one.difference.value, one.unit, apart=True),
            finding_range(one.difference, one.unit, apart=True),
        ),
        "mark": "too few cases" if not one.enough else "clear" if one.clear else "not clear",
    }


def plan_rows(lines: Sequence[PlanLine], unit: str) -> list[dict[str, Any]]:
    """Give the lines of a plan with their choices."""
    return [
        {
            "title": f"{CAUSES[one.cause][0]}: {whom(one.evidence)}",
            "evidence": evidence_sentence(one.evidence),
            "does": one.evidence.does,
            "says": one.says,
            "explains": one.explains,
            "choices": [choice_row(each, unit) for each in one.choices],
        }
        for one in lines
    ]


def evidence_sentence(one: GroupBias) -> str:
    """Say a finding with its figures."""
    if not one.enough:
        return f"{count(one.cases, 'case')}: too few to say anything."
    return (
        f"{in_unit(one.figure.value, one.unit)} ({finding_range(one.figure, one.unit)}) beside"
        f" {in_unit(one.rest.value, one.unit)}: a difference of"
        f" {in_unit(one.difference.value, one.unit, apart=True)}"
        f" ({finding_range(one.difference, one.unit, apart=True)}), from {count(one.cases, 'case')}."
    )


def choice_row(one: Choice, unit: str) -> dict[str, Any]:
    """Give one choice of a plan."""
    more = []
    if one.cases is not None:
        more.append(count(one.cases, "case"))
    if one.by_at is not None:
        more.append(f"there by {format_instant(one.by_at)[:10]} at the present rate")
    if one.effective_share is not None:
        more.append(f"as much as {figure_in_words(one.effective_share, 'share')} of the cases would tell")
    return {
        "name": REMEDIES[one.kind],
        "kind": one.kind,
        "first": one.first,
        "says": one.says,
        "costs": a_month(one.costs, one.costs_say, unit=unit),
        "more": "; ".join(more),
        "toml": one.toml.rstrip("\n"),
    }
