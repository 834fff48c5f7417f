"""Fairness as one HTML page that needs nothing else, and as a section of a rehearsal's page.

Written for somebody who has to answer for it: who was compared, in which measures, how far apart the groups
are and how sure that is, what was decided about it, by whom, and when somebody looks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from markupsafe import Markup

from wholeroad import __version__
from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import count
from wholeroad.interfaces.report.fairness_data_rows import cause_rows, plan_rows
from wholeroad.interfaces.report.fairness_order import clear_first
from wholeroad.interfaces.report.fairness_rows import (
    conflict_sentences,
    definition_rows,
    figure_groups,
    flip_rows,
    group_rows,
    limit_rows,
    measure_rows,
    price_rows,
    slice_rows,
)
from wholeroad.interfaces.report.fairness_words import (
    bias_headline,
    cases_sentence,
    fairness_verdict,
    finding_range,
    in_unit,
    money_in_words,
    whom,
)
from wholeroad.interfaces.report.teaching import Teaching
from wholeroad.interfaces.report.templating import environment
from wholeroad.lessons.fairness_numbers import (
    numbers_of_bias,
    numbers_of_fairness,
    numbers_of_plan,
    numbers_of_price,
    numbers_of_slices,
)
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.fairness import RemedyTable
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.model.fairness.definitions import conflicts
from wholeroad.road.model.fairness.priced import Flip, PriceCurve
from wholeroad.road.model.fairness.record import remedy_in_words, selected_names
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.watch.fairness.planned import Plan
from wholeroad.road.watch.sliced import Slices

PAGE: Final = "fairness.html"
"""What the page is called in the project's folder."""

Part = Literal["solution", "data", "plan", "price", "flips", "slices", "appeals"]

_ABSENT: Final[dict[Part, str]] = {
    "solution": "No decisions were assessed for this page: wholeroad fairness solution",
    "data": "The data weren't asked for this page: wholeroad fairness data",
    "plan": "No plan was made for this page: wholeroad fairness plan",
    "price": "No price was worked out for this page: wholeroad fairness price",
    "flips": "No group was flipped for this page: wholeroad fairness flips",
    "slices": "No slices were searched for this page: wholeroad fairness slices",
    "appeals": "Appeals weren't counted for this page.",
}
"""What stands where a part is missing and nobody says why."""

_ALWAYS_OPEN: Final = (
    "Groups that the brief doesn't name, and features of people or things that nobody recorded.",
    "Whether a difference is just: a figure says how far apart groups are, not why, nor whether it may.",
    "Cases whose outcome nobody saw. Rates among those whose outcome is known say nothing of the others.",
    "Later time than the cases shown: wholeroad watches the limits after release, and says when one breaks.",
)


@dataclass(frozen=True, slots=True)
class FairnessData:
    """What the page shows; all but the brief may be missing.

    Attributes
    ----------
    brief
        With ``[fairness]``, or there is nothing to compare.
    fairness
        The assessment of decisions.
    judged
        Whose decisions, of when, known when: a sentence.
    findings, plan
        Of the data, and what to do about it.
    prices, flips, slices
        Of the decisions.
    appeals
        Counts by what became of them: ``{"open": 2, "upheld": 1}``.
    unchecked
        What wasn't checked here, a sentence each, beside what never is.
    absent
        Why a part is missing; a sentence with the command that makes it stands there otherwise.
    """

    brief: Brief
    fairness: Fairness | None = None
    judged: str = ""
    findings: Sequence[GroupBias] | None = None
    plan: Plan | None = None
    prices: Sequence[PriceCurve] | None = None
    flips: Sequence[Flip] | None = None
    slices: Slices | None = None
    appeals: Mapping[str, int] | None = None
    unchecked: Sequence[str] = ()
    absent: Mapping[Part, str] = field(default_factory=dict)

    def why_absent(self, part: Part) -> str:
        """Say why a part is missing."""
        return self.absent.get(part) or _ABSENT[part]


def render_fairness(data: FairnessData) -> str:
    """Write the page; the same data give the same page.

    Returns
    -------
    str
        HTML; to be written as UTF-8. All text is escaped, and the page forbids itself scripts and the
        network.
    """
    return environment().get_template("fairness.html.j2").render(fairness_context(data))


def fairness_context(data: FairnessData) -> dict[str, Any]:
    """Give what the template fills in."""
    brief, fairness = data.brief, data.fairness
    table, slices, plan = brief.fairness, data.slices, data.plan
    headline, reasons, standing = _verdict(data)
    return {
        "name": brief.brief.name,
        "version": __version__,
        "unit": brief.unit,
        "identified": brief.outcome.depends_on_action == "no",
        "asked": _asked(brief),
        "headline": headline,
        "standing": standing,
        "reasons": reasons,
        "tiles": list(_tiles(data)),
        "judged": data.judged,
        "rests_on": "" if fairness is None else cases_sentence(fairness),
        "terms": _terms(brief),
        "groups": group_rows(fairness, brief),
        "measures": [] if fairness is None else measure_rows(fairness),
        "definitions": [] if fairness is None else definition_rows(fairness, brief.unit),
        "conflicts": () if fairness is None else conflict_sentences(fairness),
        "figures": [] if fairness is None else figure_groups(fairness, brief.unit),
        "confidence": "" if fairness is None else f"{fairness.confidence:.0%}",
        "looks": 1 if fairness is None else max((one.looks for one in fairness.disparities), default=1),
        "limits": [] if fairness is None else limit_rows(fairness.limits, brief.unit),
        "limits_set": bool(table and table.limits),
        "findings": data.findings is not None,
        "causes": cause_rows(data.findings or ()),
        "plan": plan,
        "lines": plan_rows(plan.lines if plan else (), brief.unit),
        "doubtful": plan_rows(plan.doubtful if plan else (), brief.unit),
        "remedies": [_remedy(one, brief.unit) for one in (table.remedies if table else ())],
        "prices": price_rows(data.prices or (), brief),
        "flips": flip_rows(data.flips or ()),
        "slices": slices,
        "slice_rows": [] if slices is None else slice_rows(slices, brief.unit),
        "slices_rate": "" if slices is None else f"{slices.rate:.0%}",
        "slices_overall": "" if slices is None else money_in_words(slices.overall, brief.unit),
        "appeals": None if data.appeals is None else [(k, f"{v:,}") for k, v in data.appeals.items()],
        "appeals_to": table.appeals_to if table else "",
        "answered_within": format_span(table.answered_within) if table and table.answered_within else "",
        "unchecked": [*data.unchecked, *(plan.not_asked if plan else ()), *_ALWAYS_OPEN],
        "absent": {part: data.why_absent(part) for part in _ABSENT},
        "lessons": _lessons(data),
    }


def fairness_fragment(
    brief: Brief, fairness: Fairness | None, *, judged: str = "", whole: str = ""
) -> Markup:
    """Give fairness as a section of a rehearsal's page: the verdict, limits, and how far groups are apart.

    Parameters
    ----------
    brief, fairness
        Of the recommended policy's decisions.
    judged
        Whose decisions, of when: a sentence.
    whole
        Address of the whole page, where there is one; else the command that writes it is named.

    Returns
    -------
    Markup
        A ``section`` with the id ``fairness``, its texts escaped; empty where the brief names no groups or
        nothing was assessed.
    """
    if brief.fairness is None or fairness is None:
        return Markup()
    said = fairness_verdict(fairness, brief.unit)
    limited = tuple(dict.fromkeys(one.measure for one in fairness.limits)) or (
        "selection_rate",
        "gain_per_case",
    )
    if "equalized_odds" in limited:
        limited = (*limited, "true_positive_rate", "false_positive_rate")
    filled = {
        "said": said,
        "unit": brief.unit,
        "judged": judged,
        "rests_on": cases_sentence(fairness),
        "terms": _terms(brief),
        "confidence": f"{fairness.confidence:.0%}",
        "limits": limit_rows(fairness.limits, brief.unit),
        "figures": figure_groups(fairness, brief.unit, only=limited),
        "conflicts": conflict_sentences(fairness),
        "whole": whole,
        "lessons": Teaching(numbers_of_fairness(fairness)).beside(*_measure_codes(fairness)),
    }
    text = environment().get_template("fairness_section.html.j2").render(filled)
    return Markup(text)  # noqa: S704 - filled in by a template that escapes its texts


def _verdict(data: FairnessData) -> tuple[str, Sequence[str], str]:
    unit = data.brief.unit
    reasons: list[str] = []
    headline, standing = "Nothing was assessed yet.", "none"
    if data.brief.fairness is None:
        return "No groups are compared: the brief has no [fairness].", (), standing
    if data.fairness is not None:
        said = fairness_verdict(data.fairness, unit)
        headline, standing = said.headline, said.standing
        reasons += said.reasons[:5]
        if len(said.reasons) > 5:
            reasons.append(f"And {len(said.reasons) - 5} more, below.")
    if data.findings is not None:
        found = bias_headline(data.findings)
        if data.fairness is None:
            headline = found
        else:
            reasons.append(f"In the data: {found}")
    if data.plan and data.plan.lines:
        line = data.plan.lines[0]
        first = next((each for each in line.choices if each.first), None)
        todo = f" {first.says}" if first else ""
        reasons.append(f"First in the plan: {whom(line.evidence)}.{todo}")
    if data.slices and data.slices.clear:
        worst = data.slices.clear[0]
        reasons.append(
            f"Worst slice: {' and '.join(worst.conditions)}, where {money_in_words(worst.excess, unit)} more"
            " is lost per case than elsewhere."
        )
    return headline, reasons, standing


def _tiles(data: FairnessData) -> Iterator[tuple[str, str, str]]:
    fairness, table = data.fairness, data.brief.fairness
    if fairness is not None:
        known = f"{fairness.settled:,} of them with a known outcome"
        yield "Decisions", f"{fairness.cases:,}", known
        values = {(one.grouping, one.value) for one in fairness.figures if one.value}
        yield (
            "Groups",
            f"{len(values):,}",
            f"of {count(len({one for one, _ in values}), 'way')} to part the cases",
        )
        if fairness.limits:
            held = sum(one.standing == "holds" for one in fairness.limits)
            small = ", ".join(
                f"{number} {word}"
                for word, standing in (("breached", "breached"), ("can't be told yet", "open"))
                if (number := sum(one.standing == standing for one in fairness.limits))
            )
            yield "Limits that hold", f"{held} of {len(fairness.limits)}", small or "none is breached"
    if data.findings:
        worst = clear_first(data.findings)[0]
        shown = in_unit(worst.difference.value, worst.unit, apart=True)
        if worst.clear:
            yield f"Weightiest in the data: {whom(worst)}", shown, finding_range(worst.difference, worst.unit)
    if table is not None and table.remedies:
        days = [one.look_again_on for one in table.remedies if one.look_again_on]
        again = f"look again on {min(days).isoformat()}" if days else "nobody said when to look again"
        yield "Remedies in the brief", f"{len(table.remedies)}", again


def _asked(brief: Brief) -> list[tuple[str, str]]:
    about = brief.brief
    asked = (
        ("Question", about.question),
        ("Decision", about.decision),
        ("Decided by", about.decided_by),
        ("Affected", about.affects),
    )
    return [(label, text) for label, text in asked if text]


def _terms(brief: Brief) -> list[tuple[str, str]]:
    names = selected_names(brief)
    shown = ", ".join(names) if len(names) <= 12 else f"{names[0]} to {names[-1]}"
    meant = brief.fairness.selected_is if brief.fairness else "unsaid"
    whose = {"benefit": "a benefit to those affected", "burden": "a burden to those affected"}
    terms = [
        (
            "Selected",
            f"decided as {shown}; {whose.get(meant, 'nobody said whether that is a benefit or a burden')}",
        )
    ]
    if brief.outcome.positive:
        terms.append(("It came true", f"the outcome was {brief.outcome.positive}"))
    return terms


def _remedy(one: RemedyTable, unit: str) -> dict[str, str]:
    return {
        "what": remedy_in_words(one, unit),
        "reason": one.reason or "none was written",
        "chosen_by": one.chosen_by or "nobody is named",
        "chosen_on": one.chosen_on.isoformat() if one.chosen_on else "no day was written",
        "look_again_on": one.look_again_on.isoformat() if one.look_again_on else "no day was written",
    }


def _measure_codes(fairness: Fairness) -> list[str]:
    measures = {one.measure for one in fairness.figures} | {one.measure for one in fairness.disparities}
    by_measure = {
        "selection_rate": "demographic-parity",
        "true_positive_rate": "equalized-odds",
        "calibration_gap": "calibration-within-groups",
        "precision": "predictive-parity",
    }
    return [code for measure, code in by_measure.items() if measure in measures]


def _lessons(data: FairnessData) -> dict[str, Any]:
    """Give the lessons by section, each where it is needed first."""
    fairness = data.fairness
    handed = Teaching(
        (
            *(numbers_of_fairness(fairness) if fairness else ()),
            *numbers_of_bias(data.findings or ()),
            *numbers_of_plan(data.plan),
            *numbers_of_price(data.prices or (), unit=data.brief.unit),
            *numbers_of_slices(data.slices),
        )
    )
    causes = {one.cause for one in data.findings or ()}
    kinds = {each.kind for line in (data.plan.lines if data.plan else ()) for each in line.choices}
    kinds |= {one.kind for one in (data.brief.fairness.remedies if data.brief.fairness else ())}
    of_data = {"coverage": "coverage-of-groups", "unseen": "selective-labels", "proxy": "proxy-features"}
    of_kinds = {"reweigh": "reweighing", "thresholds": "group-thresholds"}
    return {
        "measured": handed.beside(*(_measure_codes(fairness) if fairness else ()))
        + handed.beside(*(("fairness-conflicts",) if fairness and conflicts(fairness) else ())),
        "limits": handed.beside(*(("fairness-limit",) if fairness and fairness.limits else ())),
        "data": handed.beside(*(code for cause, code in of_data.items() if cause in causes)),
        "plan": handed.beside(*(code for kind, code in of_kinds.items() if kind in kinds)),
        "price": handed.beside(*(("price-of-fairness",) if data.prices else ())),
        "flips": handed.beside(*(("flip",) if data.flips else ())),
        "slices": handed.beside(*(("worst-slices",) if data.slices else ())),
        "appeals": handed.beside("counterfactual", "appeal"),
    }
