"""What the landed data say to the brief: the questions that courses never ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, format_span
from wholeroad.core.view import Codes
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.acting import question_acting, when_there
from wholeroad.road.data.amounts import question_amounts
from wholeroad.road.data.bias.checking import question_groups
from wholeroad.road.data.camera_limits import question_cameras
from wholeroad.road.data.contracts.questioning import question_contracts
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.findings import Finding
from wholeroad.road.data.first_come import question_capacity
from wholeroad.road.data.fittable import question_fits
from wholeroad.road.data.history import History
from wholeroad.road.data.sizing import POWER, outcomes_needed
from wholeroad.road.data.timeless import question_time
from wholeroad.road.data.truths import question_outcomes
from wholeroad.road.data.versions import Versions

__all__ = ["Finding", "check_history"]

MISSING_GAP: Final = 0.10
MISSING_Z: Final = 5.0
"""Missingness predicts the outcome when a class's share differs by this much, this clearly."""

LEAST_MISSING: Final = 30


def check_history(
    history: History, quarantine: pl.DataFrame, *, landed: Mapping[str, Versions] | None = None
) -> list[Finding]:
    """Ask everything that landed data can answer, and name what was set aside; the gravest first.

    Parameters
    ----------
    landed
        For the contracts: row versions of the sources that have one, or that one refers to.
    """
    findings = [
        *question_time(history.brief),
        *question_cameras(history.brief),
        *question_outcomes(history),
        *_maturity(history),
        *_value_table(history),
        *question_amounts(history),
        *_enough(history),
        *question_fits(history),
        *question_capacity(history),
        *question_acting(history),
        *_windows(history),
        *_features(history),
        *_static(history),
        *question_groups(history),
        *question_contracts(history.brief, landed or {}),
        *_quarantined(quarantine),
    ]
    order = {"fault": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.level])


def _quarantined(quarantine: pl.DataFrame) -> list[Finding]:
    counts = quarantine.group_by("source", "code").agg(pl.len().alias("rows"), pl.col("reason").first())
    return [
        Finding(
            "check.quarantine",
            "warning",
            f"[source.{row['source']}]",
            f"{row['rows']:,} {'row was' if row['rows'] == 1 else 'rows were'} set aside as {row['code']}, "
            f"such as: {row['reason']}",
            "they are in no feature and in no outcome",
            "mend them where they come from and land them again; wholeroad land lists them",
        )
        for row in counts.sort("source", "code").iter_rows(named=True)
    ]


def _truth(history: History) -> Codes:
    return history.as_of(history.until + 1).truth()


def _maturity(history: History) -> Iterator[Finding]:
    brief = history.brief
    if brief.timeless:
        return
    timeline = history.timeline
    told = (timeline.truth_code >= 0) & ~history.told.silent
    if told.any():
        case, position = np.unique(timeline.truth_case[told], return_index=True)
        delay = timeline.truth_known_at[told][position] - timeline.decided_at[case]
        late = int(np.quantile(delay, 0.9))
        if late > brief.outcome.matures:
            yield Finding(
                "check.immature",
                "warning",
                "[outcome] matures",
                f"a tenth of the outcomes come later than {format_span(_rounded(late))} after the decision; "
                f"matures is {format_span(brief.outcome.matures)}",
                "early outcomes are not typical: a fit that learns from them learns the quick ones",
                f"raise matures to about {format_span(_rounded(late))}",
            )
    policy = parse_policy(brief.policy.refit.when)
    if policy.kind == "every" and brief.outcome.matures > policy.every:
        yield Finding(
            "check.matures-late",
            "warning",
            "[policy.refit] when",
            f"outcomes mature after {format_span(brief.outcome.matures)}, refits come {policy.name}",
            "a refit would hardly see an outcome that the one before it didn't",
            "refit less often, or find a quicker outcome",
        )


def _value_table(history: History) -> Iterator[Finding]:
    values, actions = history.values, history.brief.actions
    if history.brief.outcome.depends_on_action != "no":
        return  # an action may be worth its cost by what it changes
    if not isinstance(values, TableValues) or values.varying or history.brief.worth.capacity is not None:
        return  # under a capacity there is still a choice of whom to act on
    table = values.constant
    for code, action in enumerate(actions):
        others = np.delete(table, code, axis=0)
        if (table[code] >= others).all():
            yield Finding(
                "check.one-action-wins",
                "fault",
                "[value.of]",
                f"{action} is worth at least as much as every other action whatever the outcome",
                "no prediction can change what is best, so no model is needed",
                f"always do {action}; or look for a cost that the table leaves out",
            )
            return


def _enough(history: History) -> Iterator[Finding]:
    brief = history.brief
    if brief.success is None or brief.outcome.depends_on_action != "no":
        return
    gain = brief.success.gain_over_status_quo
    truth = _truth(history)
    known = np.flatnonzero(truth >= 0)
    if known.size < 2 or gain.per_case <= 0:
        return
    codes = truth[known]
    values = history.values.take(known)
    quo = values.money(history.status_quo[known], truth=codes)
    best, spread = np.full(known.size, -np.inf), 0.0
    for code in range(len(brief.actions)):
        action = np.full(known.size, code, dtype=history.status_quo.dtype)
        more = values.money(action, truth=codes) - quo
        np.maximum(best, more, out=best)
        spread = max(spread, float(more.std()))
    most = float(best.mean())
    if most < gain.per_case:
        yield Finding(
            "check.gain-out-of-reach",
            "fault",
            "[success]",
            f"knowing every outcome beforehand would bring {most:.2f} {brief.unit} per case, "
            f"the criterion asks for {gain.per_case:g}",
            "no model can meet it",
            "lower the criterion, or look at the value table",
        )
    needed = outcomes_needed(spread, gain=gain.per_case, confidence=gain.confidence)
    if needed > known.size:
        when = when_there(history, needed - known.size)
        yield Finding(
            "check.too-few-outcomes",
            "warning",
            "[success]",
            f"{known.size:,} outcomes are known; telling {gain.per_case:g} {brief.unit} per case from "
            f"noise at {gain.confidence:.0%} needs about {needed:,}",
            f"reckoned for independent cases and the spread of the value table, with power {POWER:.0%}",
            (f"collect more cases: all there about {when}" if when else "collect more cases")
            + "; or set per_case higher, where so much can be expected: a larger gain is told from fewer",
        )


def _windows(history: History) -> Iterator[Finding]:
    for feature in history.bound.features:
        if not isinstance(feature, Window) or feature.on != "happened" or feature.over is None:
            continue
        delay = history.delays.get(feature.source, 0)
        if delay > feature.over:
            yield Finding(
                "check.window-too-short",
                "warning",
                f"[feature] {feature.name}",
                f"it spans {format_span(feature.over)}; half of {feature.source}'s rows become known more "
                f"than {format_span(_rounded(delay))} after they happened",
                "most of what it should count isn't known in time: it sees the quick rows only",
                "widen over, or write on = 'known'",
            )


def _features(history: History) -> Iterator[Finding]:
    truth = _truth(history)
    known = truth >= 0
    for feature in history.bound.features:
        column = history.features.frame[feature.name]
        nulls = column.is_null()
        if nulls.all():
            yield _always_null(history, feature, column.len())
            continue
        if column.n_unique() == 1:
            yield Finding(
                "check.feature-constant",
                "note",
                f"[feature] {feature.name}",
                f"it is {column[0]!r} for every case",
                "it can't tell cases apart",
                "leave it out",
            )
        missing = nulls.to_numpy()[: truth.size]
        as_known = isinstance(feature, Window | Latest)
        yield from _missingness(history, feature.name, missing[known], truth[known], as_known=as_known)


def _always_null(history: History, feature: Feature, cases: int) -> Finding:
    lasting = [name for name, source in history.brief.source.items() if source.static]
    if isinstance(feature, Derived) or feature.source in lasting:
        origin = "the case's own row" if isinstance(feature, Derived) else feature.source
        return Finding(
            "check.feature-empty",
            "warning",
            f"[feature] {feature.name}",
            f"it is null for all {cases:,} cases: {origin} never gives it a value",
            "it can't tell cases apart",
            "look at the columns and the keys that it uses, or leave it out",
        )
    return Finding(
        "check.feature-needs-future",
        "warning",
        f"[feature] {feature.name}",
        f"it is null for all {cases:,} cases: nothing from {feature.source} is known when they are decided",
        "if its rows become known later, the feature would need the future",
        "leave it out, or decide later",
    )


def _missingness(
    history: History, name: str, missing: NDArray[np.bool_], truth: Codes, *, as_known: bool
) -> Iterator[Finding]:
    few, rest = int(missing.sum()), int((~missing).sum())
    if min(few, rest) < LEAST_MISSING:
        return
    for outcome, hit in _kinds(history, truth):
        with_null, without = float(hit[missing].mean()), float(hit[~missing].mean())
        share = float(hit.mean())
        error = np.sqrt(share * (1 - share) * (1 / few + 1 / rest))
        if abs(with_null - without) >= MISSING_GAP and abs(with_null - without) > MISSING_Z * error:
            yield Finding(
                "check.missingness-tells",
                "note" if as_known else "warning",
                f"[feature] {name}",
                f"{outcome} is {with_null:.0%} of the {few:,} cases where it is null and {without:.0%} of "
                "the others",
                "it was already missing when the case was decided, so this is no leak by itself; but a model "
                "will lean on it, and a gap in the feed will look like the outcome"
                if as_known
                else "that a value is missing may itself be a consequence of the outcome: a leak",
                "find out why it is missing"
                if as_known
                else "find out when and why it is missing; leave it out unless that is known before deciding",
            )
            return


def _kinds(history: History, truth: Codes) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Give what a truth may be, and where it is so: each class, or a number above the median."""
    levels = history.told.levels
    if levels is None:
        yield from ((name, truth == code) for code, name in enumerate(history.brief.outcome.classes))
    elif truth.size:
        middle = float(np.median(levels[truth]))
        yield f"an outcome above {middle:,.10g}", levels[truth] > middle


def _static(history: History) -> Iterator[Finding]:
    for name, source in history.brief.source.items():
        used = [
            feature.name
            for feature in history.bound.features
            if isinstance(feature, Lookup | Latest | Window) and feature.source == name
        ]
        if source.static and used:
            yield Finding(
                "check.hindsight",
                "note",
                f"[source.{name}]",
                f"it is static: {', '.join(used)} see it as it is today, for every case of the past",
                "what was learnt about it later leaks into the rehearsal",
                "give it happened_at and known_at if its rows change",
            )


def _rounded(span: int) -> int:
    for unit in (DAY, 3_600_000_000, 60_000_000, 1_000_000):
        if span >= 2 * unit:
            return -(-span // unit) * unit
    return span
