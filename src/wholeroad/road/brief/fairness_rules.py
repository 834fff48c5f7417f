"""Faults of ``[fairness]`` that are told without data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import FeatureTable, OutcomeTable, ValueTable
from wholeroad.road.brief.fairness import NEEDS_OUTCOME, FairnessTable
from wholeroad.road.brief.value_rules import unknown


def fairness_faults(
    fairness: FairnessTable,
    *,
    outcome: OutcomeTable | None,
    value: ValueTable | None,
    actions: Sequence[str] | None,
    features: Mapping[str, FeatureTable],
) -> Iterator[Fault]:
    """Find what is wrong with ``[fairness]``.

    Parameters
    ----------
    actions
        The actions of a sound value table.
    features
        The sound features.
    """
    yield from _name_faults(fairness)
    yield from _population_faults(fairness)
    yield from _selected_faults(fairness, value, actions)
    yield from _measure_faults(fairness, outcome)
    yield from _number_faults(fairness, outcome)
    for name in fairness.changeable:
        if name not in features:
            yield unknown("[fairness] changeable", name, known=sorted(features), what="feature")
    for kind in ("reweigh", "thresholds"):
        if len(fairness.of_kind(kind)) > 1:
            yield Fault(
                "brief.remedy-twice",
                "[[fairness.remedies]]",
                f"{kind} was chosen {len(fairness.of_kind(kind))} times",
                f"one remedy of the kind {kind}",
                "keep one of them; for several groups at once name their intersection with all_of in "
                "[fairness.groups], and take that",
            )


def group_expressions(part: tuple[str, ...], raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the places and texts of the groups' expressions."""
    groups = raw.get("groups") if part == ("fairness",) else None
    for name, group in groups.items() if isinstance(groups, Mapping) else ():
        if isinstance(group, Mapping):
            yield f"[fairness.groups] {name}.expression", group.get("expression")


def _name_faults(fairness: FairnessTable) -> Iterator[Fault]:
    plain = sorted(name for name, group in fairness.groups.items() if group.all_of is None)
    for name, group in fairness.groups.items():
        for other in group.all_of or ():
            if other not in plain:
                yield unknown(f"[fairness.groups] {name}.all_of", other, known=plain, what="group")
    named = [("[[fairness.limits]] group", limit.group) for limit in fairness.limits]
    named += [("[[fairness.remedies]] group", remedy.group) for remedy in fairness.remedies]
    for where, name in named:
        if name not in fairness.groups:
            yield unknown(where, name, known=sorted(fairness.groups), what="group")


def _population_faults(fairness: FairnessTable) -> Iterator[Fault]:
    for remedy in fairness.of_kind("reweigh"):
        group = fairness.groups.get(remedy.group)
        if remedy.toward == "population" and group is not None and not group.population:
            yield Fault(
                "brief.remedy-needs-population",
                "[[fairness.remedies]] toward",
                f"was 'population', and {remedy.group} states none",
                f"population in [fairness.groups] {remedy.group}",
                "state the share of each value, and where it was taken from",
            )


def _selected_faults(
    fairness: FairnessTable, value: ValueTable | None, actions: Sequence[str] | None
) -> Iterator[Fault]:
    for name in fairness.selected:
        if actions is not None and name not in actions:
            yield unknown("[fairness] selected", name, known=actions, what="action")
    fixed = value is None or "action" in value.status_quo
    if not fairness.selected and not fixed:
        yield Fault(
            "brief.selected",
            "[fairness] selected",
            "it was left out, and the status quo is no single action",
            "the actions that count as being selected",
            'name them, as in selected = ["rebook"]',
        )


def _number_faults(fairness: FairnessTable, outcome: OutcomeTable | None) -> Iterator[Fault]:
    """Refuse what asks for classes where the outcome is a number."""
    if outcome is None or outcome.kind != "regression":
        return
    for remedy in fairness.learnt:
        yield Fault(
            "brief.remedy-needs-classes",
            "[[fairness.remedies]] kind",
            f"{remedy.kind} asks how classes and groups go together, and the outcome is a number",
            "an outcome with classes",
            "take abstain, collect or accept, or ask for a class in [outcome] truth",
        )


def _measure_faults(fairness: FairnessTable, outcome: OutcomeTable | None) -> Iterator[Fault]:
    if outcome is None or outcome.positive is not None:
        return
    asked: list[tuple[str, str]] = [
        ("[[fairness.limits]] measure", limit.measure) for limit in fairness.limits
    ]
    asked += [("[[fairness.remedies]] equal", remedy.equal or "") for remedy in fairness.remedies]
    for where, measure in asked:
        if measure in NEEDS_OUTCOME:
            yield Fault(
                "brief.limit-needs-positive",
                where,
                f"{measure} asks whether the positive class came true, and [outcome] names none",
                "a measure that needs no positive class, or [outcome] positive",
                "name positive, or take selection_rate or gain_per_case",
            )
