"""The report as one HTML file that needs nothing else: no network, no script, light and dark, printable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import format_span
from wholeroad.interfaces.report.amounts import amount, count, day, days_between
from wholeroad.interfaces.report.done import done_title, what_was_done
from wholeroad.interfaces.report.evidence import is_identified, kind_of_case
from wholeroad.interfaces.report.fairness_page import fairness_fragment
from wholeroad.interfaces.report.limits import limits
from wholeroad.interfaces.report.names import heading
from wholeroad.interfaces.report.segment_rows import segment_rows
from wholeroad.interfaces.report.teaching import beside_findings, lessons_of_page, teaching
from wholeroad.interfaces.report.templating import environment
from wholeroad.interfaces.report.words import Refusals, Verdict, verdict
from wholeroad.road.brief.assumptions import Assumption
from wholeroad.road.brief.charter import parts
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.findings import Finding
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.watch.reliability import expected_calibration_error
from wholeroad.road.watch.results import Comparison, PolicyMoney
from wholeroad.road.watch.segments import Segments

_CHARTS: Final = 4
"""At most so many calibration charts; the table holds every policy."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """What the page shows.

    Attributes
    ----------
    brief
        For the charter, the assumptions and the unit.
    comparison
        The figures.
    money_over_time
        ``policy, at, value, cumulative``: :func:`wholeroad.road.watch.frames.money_over_time`.
    calibration
        ``policy`` and the columns of :func:`wholeroad.road.watch.reliability.calibration`; may be empty.
    fits
        ``policy, cut_at, effective_from, champion, rows, why``, one row for each fit; may be empty.
    warnings
        Sentences to be shown right under the verdict.
    name
        Of the rehearsal.
    version
        Of wholeroad.
    refused
        Fits that could not be made.
    cards
        Folder of the model cards, beside the page; empty where there are none.
    assumptions
        What nobody has confirmed yet: the brief's lines marked ``# assumed``.
    findings
        What the check found: faults and warnings are shown under the verdict, each with its lesson.
    segments
        By policy, where its gain comes from; the recommended one's are shown, or the best model's.
    """

    brief: Brief
    comparison: Comparison
    money_over_time: pl.DataFrame
    calibration: pl.DataFrame
    fits: pl.DataFrame
    warnings: list[str]
    name: str
    version: str
    refused: Refusals | None = None
    cards: str = ""
    assumptions: tuple[Assumption, ...] = ()
    findings: tuple[Finding, ...] = ()
    segments: Mapping[str, Segments] = field(default_factory=dict)
    fairness: Mapping[str, Fairness] = field(default_factory=dict)


def render(data: ReportData) -> str:
    """Write the page.

    All text is escaped; the only markup from elsewhere is the charts' SVG, drawn here. The page
    forbids itself scripts and the network.

    Returns
    -------
    str
        HTML; to be written as UTF-8. The same data gives the same page.
    """
    return environment().get_template("report.html.j2").render(context(data))


def context(data: ReportData) -> dict[str, Any]:
    """Give what the template fills in: text ready to be escaped, and the charts."""
    comparison, brief = data.comparison, data.brief
    depends = brief.outcome.depends_on_action
    said = verdict(comparison, depends_on_action=depends, refused=data.refused)
    identified = is_identified(comparison, depends)
    segments = _segments(data, said)
    told = teaching(brief, comparison, policy=said.policy, calibration=data.calibration, segments=segments)
    groups = _fairness(data, said)
    findings = beside_findings(told, data.findings)
    about = {
        "policy": said.policy,
        "undecided": said.undecided and identified,
        "identified": identified,
        "all_refused": data.refused is not None and data.refused.all,
    }
    return {
        "name": data.name,
        "version": data.version,
        "unit": comparison.unit,
        "verdict": said,
        "identified": identified,
        "kind": kind_of_case(comparison, depends),
        "warnings": data.warnings,
        "findings": findings,
        "lessons": lessons_of_page(told, brief, comparison=comparison, verdict=about),
        "assumptions": data.assumptions,
        "segments": segments and segment_rows(segments),
        "fairness": fairness_fragment(brief, groups),
        "tiles": _tiles(comparison, said, identified=identified),
        "heading": heading(comparison),
        "span": days_between(comparison.from_at, comparison.to_at),
        "known_on": day(comparison.known_at),
        "block": format_span(comparison.block),
        "confidence": f"{comparison.confidence:.0%}",
        "charter": parts(brief),
        "criterion": _criterion(comparison, said, identified=identified),
        "policies": [_row(policy, said) for policy in comparison.policies],
        "actions": list(what_was_done(comparison.policies[0])),
        "done_title": done_title(comparison),
        "counts": _counts(comparison),
        "yardsticks": _yardsticks(comparison),
        "has_corners": any(policy.corners for policy in comparison.policies),
        "has_regret": comparison.oracle is not None,
        "money": _money(data, comparison),
        "calibration": _calibration(data.calibration, said),
        "fits": _fits(data.fits),
        "refused": data.refused,
        "cards": data.cards,
        "limits": limits(brief, comparison),
    }


def _segments(data: ReportData, said: Verdict) -> Segments | None:
    """Give the segments of the recommended policy; of the best other one where it gains nothing."""
    by_total = sorted(data.comparison.policies, key=lambda policy: -policy.total.value)
    names = [said.policy, *(policy.policy for policy in by_total)]
    found = (data.segments[name] for name in names if name in data.segments)
    return next((one for one in found if one.segments and any(part.gain for part in one.segments)), None)


def _fairness(data: ReportData, said: Verdict) -> Fairness | None:
    """Give how the recommended policy treats groups; where none is, how the best one that has models does."""
    by_total = sorted(data.comparison.policies, key=lambda policy: -policy.total.value)
    names = [said.policy, *(policy.policy for policy in by_total)]
    return next((data.fairness[name] for name in names if name in data.fairness), None)


def _tiles(comparison: Comparison, said: Verdict, *, identified: bool) -> list[tuple[str, str, str]]:
    """Give the figures to be seen first: ``(label, figure, small print)``."""
    tried = [policy for policy in comparison.policies if policy.versus_status_quo is not None]
    chosen = next((policy for policy in tried if policy.policy == said.policy), None)
    best = chosen or max(tried, key=lambda policy: policy.total.value, default=None)
    tiles = []
    if best is not None and best.versus_status_quo is not None and best.gain_per_case is not None:
        whose = "of the recommended policy" if chosen else f"of “{best.policy}”, the best that was tried"
        for label, estimate in (("in all", best.versus_status_quo), ("per case", best.gain_per_case)):
            money, interval = _figure(estimate)
            interval = f"{comparison.confidence:.0%} interval {interval}" if "to" in interval else interval
            tiles.append((f"Gain {label}, {whose}", f"{money} {comparison.unit}", interval))
    judged = _criterion(comparison, said, identified=identified)
    if judged is not None:
        success = next(policy.success for policy in comparison.policies if policy.success is not None)
        asked = f"{amount(success.required)} {comparison.unit} more per case, {success.confidence:.0%} sure"
        tiles.append(("The brief's criterion", judged[0], asked))
    one = comparison.policies[0]
    kind = ("randomised" if comparison.randomised else "settled") if identified else "counted"
    share = one.settled / max(1, comparison.cases)
    tiles.append(
        ("Rests on", f"{one.settled:,}", f"{kind} cases, {share:.0%} of {comparison.cases:,} decided")
    )
    return tiles


def _row(policy: PolicyMoney, said: Verdict) -> dict[str, Any]:
    floor = policy.regret_floor
    return {
        "policy": policy.policy,
        "chosen": policy.policy == said.policy,
        "total": _figure(policy.total),
        "per_case": _figure(policy.per_case),
        "versus_status_quo": _figure(policy.versus_status_quo),
        "versus_never": _figure(policy.versus_never),
        "regret": ("–", "")
        if policy.regret_oracle is None
        else (amount(policy.regret_oracle), _regret_range(policy)),
        "floor": "–" if floor is None else amount(floor),
        "clairvoyant": amount(policy.regret_clairvoyant) if math.isfinite(policy.regret_clairvoyant) else "–",
        "fits": f"{policy.fits:,}",
        "fit_costs": amount(policy.fit_costs),
        "corners": "–"
        if policy.corners is None
        else " to ".join(amount(corner) for corner in policy.corners),
        "shares": list(what_was_done(policy, digits=1).values()),
    }


def _figure(estimate: Estimate | None) -> tuple[str, str]:
    """Give a figure and its interval."""
    if estimate is None:
        return "–", ""
    return amount(estimate.value), _range(estimate.low, estimate.high)


def _range(low: float, high: float) -> str:
    return f"{amount(low)} to {amount(high)}" if math.isfinite(low) else "no interval"


def _regret_range(policy: PolicyMoney) -> str:
    return "" if policy.regret_interval is None else _range(*policy.regret_interval)


def _criterion(comparison: Comparison, said: Verdict, *, identified: bool) -> tuple[str, str] | None:
    """Say whether the criterion was met by the recommended policy, or else by the best that has one."""
    judged = [policy for policy in comparison.policies if policy.success is not None]
    policy = next((one for one in judged if one.policy == said.policy), None)
    policy = policy or max(judged, key=lambda one: one.total.value, default=None)
    if policy is None or policy.success is None or policy.gain_per_case is None:
        return None
    success = policy.success
    bound = amount(success.lower_bound) if math.isfinite(success.lower_bound) else "not known, too few days"
    how = (
        f"by “{policy.policy}”: the gain was {amount(policy.gain_per_case.value)} {comparison.unit} per case;"
        f" its lower bound with {success.confidence:.0%} confidence is {bound},"
        f" and {amount(success.required)} was asked."
    )
    if not identified:
        return "Not decided", how
    return "Met" if success.met else "Not met", how


def _counts(comparison: Comparison) -> str:
    one = comparison.policies[0]
    untold = (
        f"{one.unknown:,} whose outcome row doesn't tell the truth, {one.pending:,} without an outcome yet."
    )
    if not comparison.randomised:
        return f"{count(comparison.cases, 'case')}: {one.settled:,} with a known outcome, {untold}"
    left = comparison.cases - one.settled - one.unknown - one.pending
    return (
        f"{count(comparison.cases, 'case')}: {one.settled:,} randomised and with a known outcome, {left:,}"
        f" with a known outcome that were not randomised and don't count here, {untold}"
    )


def _yardsticks(comparison: Comparison) -> list[tuple[str, str, str]]:
    found = []
    if comparison.oracle is not None:
        money, interval = _figure(comparison.oracle)
        found.append(("Refits at the best moments, in hindsight", money, interval))
    if math.isfinite(comparison.clairvoyant):
        found.append(("Knowing every outcome beforehand", amount(comparison.clairvoyant), ""))
    return found


def _money(data: ReportData, comparison: Comparison) -> dict[str, Any]:
    from markupsafe import Markup

    from wholeroad.interfaces.report.charts import money_chart

    ends = ", ".join(
        f"{policy.policy} {amount(policy.versus_status_quo.value)}"
        for policy in comparison.policies
        if policy.versus_status_quo is not None
    )
    frame, unit = data.money_over_time, comparison.unit
    return {
        # Our own drawings; the renderer escapes their texts.
        "svg": Markup(money_chart(frame, unit=unit)) if ends else "",  # noqa: S704 - see above
        "narrow": Markup(money_chart(frame, unit=unit, narrow=True)) if ends else "",  # noqa: S704 - see above
        "label": f"Lines: each policy's gain over the status quo, added up by day. At the end: {ends}.",
    }


def _calibration(frame: pl.DataFrame, said: Verdict) -> list[dict[str, Any]]:
    if frame.is_empty():
        return []
    from markupsafe import Markup

    from wholeroad.interfaces.report.charts import calibration_chart

    names = list(dict.fromkeys(frame["policy"].to_list()))
    names.sort(key=lambda name: name != said.policy)
    shown = []
    for place, name in enumerate(names):
        mine = frame.filter(pl.col("policy") == name)
        error = expected_calibration_error(mine)
        shown.append(
            {
                "policy": name,
                "svg": Markup(calibration_chart(mine, name=f"calibration{place}"))  # noqa: S704 - as above
                if place < _CHARTS
                else "",
                "error": f"{100 * error:.1f} percentage points",
                "rows": [_bin(row) for row in mine.iter_rows(named=True)],
                "several": mine["class"].n_unique() > 1,
            }
        )
    return shown


def _bin(row: dict[str, Any]) -> dict[str, str]:
    return {
        "class": row["class"],
        "predicted": f"{row['predicted']:.1%}",
        "observed": f"{row['observed']:.1%}",
        "interval": f"{row['low']:.1%} to {row['high']:.1%}",
        "cases": f"{row['cases']:,}",
    }


def _fits(frame: pl.DataFrame) -> list[dict[str, str]]:
    """Give one row for each distinct fit, with the policies that made it."""
    if frame.is_empty():
        return []
    key = ["cut_at", "effective_from", "champion", "rows", "why"]
    grouped = frame.group_by(key, maintain_order=True).agg("policy").sort("cut_at", maintain_order=True)
    return [
        {
            "cut_at": _minute(row["cut_at"]),
            "effective_from": _minute(row["effective_from"]),
            "champion": str(row["champion"] or "–"),
            "rows": f"{row['rows']:,}" if row["rows"] is not None else "–",
            "why": str(row["why"] or ""),
            "policies": ", ".join(row["policy"]),
        }
        for row in grouped.iter_rows(named=True)
    ]


def _minute(at: Any) -> str:  # noqa: ANN401 - a datetime of the frame, or null
    return "–" if at is None else at.strftime("%Y-%m-%d %H:%M")
