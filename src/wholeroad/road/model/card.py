"""The model card: what was chosen, on what evidence, and what the numbers don't show."""

from __future__ import annotations

from wholeroad.core.instants import format_instant, format_span
from wholeroad.road.model.results import STATUS_QUO, CandidateReport, ChoiceReport
from wholeroad.road.model.scoring import Model

_LIMITS = """\
## Limits

- The money above is of the choose slice, the newest part of the cut, and of the trial fit; the model in
  charge was fitted again on the whole cut, with the trial's rounds and calibration, and not measured since.
- The best of several candidates looks a little better than it is. The paired standard errors say how much
  chance there is in a difference; they know of dependence within a block, not between blocks.
- A category that the cut didn't show is scored by what the rest of the row says.
- Outcomes younger than the maturity span took no part. If they differ, the rehearsal shows it, not this card.
- AUC and log loss are evidence about probabilities; the choice was made by money alone."""


def card(report: ChoiceReport, model: Model | None, *, name: str, question: str, unit: str) -> str:
    """Write the card in Markdown (after Mitchell et al. 2019, *Model cards for model reporting*, FAT*).

    Parameters
    ----------
    report, model
        Of a ``Fitted``.
    name, question, unit
        As the brief says.
    """
    parts = [
        f"# {name}: {report.champion}",
        question,
        f"**Why this one.** {report.why}",
        _cut(report),
        _candidates(report, unit),
        _calibration(report),
        _features(report),
        _LIMITS,
    ]
    if model is not None:
        parts.append(f"Model `{model.digest}`; actions: {', '.join(model.actions)}.")
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _cut(report: ChoiceReport) -> str:
    counts = ", ".join(f"{name} {count:,}" for name, count in report.outcomes.items())
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
            ", ".join(f"{action} {share:.1%}" for action, share in one.actions.items()),
        ]
        for one in report.candidates
    ]
    note = f"Standard errors of the paired difference rest on {report.blocks:,} {report.block_kind}."
    if report.unpriced:
        note += f" {report.unpriced:,} cases without a known value took no part."
    return f"## Candidates on the choose slice\n\n{_table(head, rows)}\n\n{note}"


def _calibration(report: ChoiceReport) -> str:
    head = ["model", "rounds", "slope", "intercepts", "log loss raw", "calibrated", "AUC"]
    rows = [_evidence(one) for one in report.candidates if one.name != STATUS_QUO]
    if not rows:
        return "## Calibration and evidence\n\nNo model was tried."
    classes = ", ".join(report.outcomes)
    return (
        "## Calibration and evidence\n\nProbabilities are `softmax(slope · log p + intercepts)`, classes in "
        f"the order {classes}; a slope below 1 says that the raw model was too sure.\n\n{_table(head, rows)}"
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


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _features(report: ChoiceReport) -> str:
    used = ", ".join(f"`{name}`" for name in report.features) or "none"
    left_out = "\n".join(f"- `{name}`: {reason}" for name, reason in report.left_out) or "- none"
    return f"## Features\n\nUsed: {used}.\n\nLeft out:\n\n{left_out}"
