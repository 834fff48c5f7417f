"""The model card: what was chosen, on what evidence, and what the numbers don't show."""

from __future__ import annotations

from typing import Final

from wholeroad.core.instants import format_instant, format_span
from wholeroad.road.brief.quantities import amounts_text
from wholeroad.road.model.results import STATUS_QUO, CandidateReport, ChoiceReport
from wholeroad.road.model.rule_in_words import rule_in_words
from wholeroad.road.model.scoring import Model

MOST_NAMES: Final = 12
"""More actions than this are amounts, and aren't listed one by one."""

_LIMITS = """\
## Limits

- The money above is of the choose slice, the newest part of the cut, and of the trial fit; the model in
  charge was fitted again on the whole cut, with the trial's rounds and calibration, and not measured since.
- The best of several candidates looks a little better than it is. The paired standard errors say how much
  chance there is in a difference; they know of dependence within a block, not between blocks.
- A category that the cut didn't show is scored by what the rest of the row says.
- So are the figures by group and the limits: of the trial. Those of the model in charge differ by chance.
- Outcomes younger than the maturity span took no part. If they differ, the rehearsal shows it, not this card.
- AUC, log loss, pinball loss and coverage are evidence; the choice was made by money alone."""


def card(
    report: ChoiceReport,
    model: Model | None,
    *,
    name: str,
    question: str,
    unit: str,
    fairness: str = "",
) -> str:
    """Write the card in Markdown (after Mitchell et al. 2019, *Model cards for model reporting*, FAT*).

    Parameters
    ----------
    report, model
        Of a ``Fitted``.
    name, question, unit
        As the brief says.
    fairness
        Its section, as :func:`wholeroad.road.model.fairness.record.fairness_section` writes it.
    """
    parts = [
        f"# {name}: {report.champion}",
        question,
        f"**Why this one.** {report.why}",
        *_rule(model),
        _cut(report),
        _candidates(report, unit),
        _calibration(report),
        _features(report),
        *([fairness] if fairness else []),
        *([_remedies(report)] if report.remedies else []),
        _LIMITS,
    ]
    if model is not None:
        parts.append(f"Model `{model.digest}`; actions: {_listed(model.actions)}.")
    return "\n\n".join(parts) + "\n"


def _rule(model: Model | None) -> list[str]:
    said = None if model is None else rule_in_words(model)
    return [] if said is None else [f"**The rule.** {said}."]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _cut(report: ChoiceReport) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in report.outcomes.items()) or "a number"
    rows = [
        [
            part.name,
            f"{part.rows:,}",
            format_instant(part.from_at),
            format_instant(part.to_at),
            f"{part.embargoed:,}",
        ]
        for part in report.slices
    ]
    table = _table(["slice", "cases", "first decided", "last decided", "embargoed after it"], rows)
    return (
        f"## Data\n\nCut at {format_instant(report.cut_at)}: {report.rows:,} cases older than "
        f"{format_span(report.matures)} with a known outcome ({counts}).\n\n{table}"
    )


def _candidates(report: ChoiceReport, unit: str) -> str:
    head = ["candidate", f"{unit} per case", "behind the best", "standard error", "within one", "actions"]
    rows = [
        [
            f"**{one.name}**" if one.name == report.champion else one.name,
            f"{one.money_per_case:,.4f}",
            f"{one.behind_best:,.4f}",
            f"{one.standard_error:,.4f}",
            "yes" if one.eligible else "no",
            _actions(one),
        ]
        for one in report.candidates
    ]
    note = f"Standard errors of the paired difference rest on {report.blocks:,} {report.block_kind}."
    if report.unpriced:
        note += f" {report.unpriced:,} cases without a known value took no part."
    return f"## Candidates on the choose slice\n\n{_table(head, rows)}\n\n{note}"


def _actions(one: CandidateReport) -> str:
    if one.amounts is not None:
        return amounts_text(one.amounts)
    return ", ".join(f"{action} {share:.1%}" for action, share in one.actions.items())


def _calibration(report: ChoiceReport) -> str:
    if any(one.pinball is not None for one in report.candidates):
        return _quantiles(report)
    head = ["model", "rounds", "slope", "intercepts", "log loss raw", "calibrated", "AUC"]
    rows = [_evidence(one) for one in report.candidates if one.name != STATUS_QUO]
    if not rows:
        return "## Calibration and evidence\n\nNo model was tried."
    classes = ", ".join(report.outcomes)
    return (
        "## Calibration and evidence\n\nProbabilities are `softmax(slope · log p + intercepts)`, classes in "
        f"the order {classes}; a slope below 1 says that the raw model was too sure.\n\n{_table(head, rows)}"
    )


def _quantiles(report: ChoiceReport) -> str:
    head = ["model", "rounds", "pinball loss raw", "calibrated", "within 10% to 90%"]
    rows = [
        [
            one.name,
            "–" if one.rounds is None else str(one.rounds),
            _number(one.pinball_raw),
            _number(one.pinball),
            "–" if one.coverage is None else f"{one.coverage:.1%}",
        ]
        for one in report.candidates
        if one.name != STATUS_QUO
    ]
    return (
        "## Calibration and evidence\n\nThe models say quantiles of the outcome, which were moved to where "
        "those of the second slice lay; 80% of the outcomes should lie between those of 10% and 90%.\n\n"
        f"{_table(head, rows)}"
    )


def _evidence(one: CandidateReport) -> list[str]:
    return [
        one.name,
        "–" if one.rounds is None else str(one.rounds),
        _number(one.slope),
        ", ".join(f"{intercept:.3f}" for intercept in one.intercepts),
        _number(one.log_loss_raw),
        _number(one.log_loss),
        _number(one.auc),
    ]


def _listed(actions: tuple[str, ...]) -> str:
    if len(actions) <= MOST_NAMES:
        return ", ".join(actions)
    return f"{actions[0]}, {actions[1]} ... {actions[-1]} ({len(actions):,} in all)"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _remedies(report: ChoiceReport) -> str:
    return "### What remedies did in this fit\n\n" + "\n".join(f"- {text}" for text in report.remedies)


def _features(report: ChoiceReport) -> str:
    used = ", ".join(f"`{name}`" for name in report.features) or "none"
    left_out = "\n".join(f"- `{name}`: {reason}" for name, reason in report.left_out) or "- none"
    return f"## Features\n\nUsed: {used}.\n\nLeft out:\n\n{left_out}"
