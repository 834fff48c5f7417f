"""Faults between the brief's tables, told without data: names, spans, syntax of expressions."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from wholeroad.core.errors import Fault
from wholeroad.core.expressions import check_syntax, text_results
from wholeroad.road.brief.contract import (
    AGGREGATES,
    CaseTable,
    FeatureTable,
    ModelTable,
    OutcomeTable,
    PolicyTable,
    RehearseTable,
    SourceTable,
    ValueTable,
    Worth,
)
from wholeroad.road.brief.policies import policy_fault

OUTCOMES: Final = "outcomes"
"""The built-in source: decided cases with their truth."""


@dataclass(slots=True)
class Parts:
    """The tables that are sound on their own; None or absent where one isn't."""

    case: CaseTable | None = None
    outcome: OutcomeTable | None = None
    value: ValueTable | None = None
    policy: PolicyTable | None = None
    model: ModelTable | None = None
    rehearse: RehearseTable | None = None
    sources: dict[str, SourceTable] = field(default_factory=dict)
    source_names: set[str] = field(default_factory=set)
    features: dict[str, FeatureTable] = field(default_factory=dict)

    def put(self, part: tuple[str, ...], table: BaseModel | None) -> None:
        """Keep a table under its path."""
        if part[0] == "source":
            self.source_names.add(part[1])
        match table:
            case SourceTable():
                self.sources[part[1]] = table
            case FeatureTable():
                self.features[part[1]] = table
            case None:
                pass
            case _ if hasattr(self, part[0]):
                setattr(self, part[0], table)


def reference_faults(parts: Parts) -> list[Fault]:
    """Find what is wrong between the tables."""
    return [
        *_case_faults(parts),
        *_outcome_faults(parts),
        *_value_faults(parts),
        *_source_faults(parts),
        *_feature_faults(parts),
        *_policy_faults(parts),
    ]


def expression_faults(part: tuple[str, ...], raw: object) -> Iterator[Fault]:
    """Find what is wrong with a table's expressions by themselves, whatever else is wrong with the table."""
    if isinstance(raw, Mapping):
        for where, text in _expressions(part, raw):
            if isinstance(text, str):
                yield from check_syntax(text, where=where)


def _expressions(part: tuple[str, ...], raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the places and texts of a table's expressions."""
    match part:
        case ("case",):
            yield "[case] decide_at", raw.get("decide_at")
        case ("outcome",):
            yield "[outcome] truth", raw.get("truth")
        case ("value",):
            yield "[value] status_quo", _within(raw, "status_quo").get("expression")
            for action, row in _within(raw, "of").items():
                for name, worth in row.items() if isinstance(row, Mapping) else ():
                    yield f"[value.of] {action}.{name}", worth
        case ("source", name):
            for setting in ("happened_at", "known_at"):
                if raw.get(setting) != "landed":
                    yield f"[source.{name}] {setting}", raw.get(setting)
        case ("feature", name):
            for setting in ("expression", *AGGREGATES, "where"):
                if raw.get(setting) != "*":
                    yield f"[feature] {name}.{setting}", raw.get(setting)


def _within(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = raw.get(key)
    return inner if isinstance(inner, Mapping) else {}


def _case_faults(parts: Parts) -> Iterator[Fault]:
    if parts.case is None:
        return
    yield from _source_named(parts, parts.case.source, "[case] source")
    source = parts.sources.get(parts.case.source)
    if source is not None and source.static:
        yield _fault(
            "brief.static-case",
            "[case] source",
            f"{parts.case.source} is static",
            "a source with happened_at and known_at",
            "give the source its times: without time nothing can be rehearsed",
        )


def _outcome_faults(parts: Parts) -> Iterator[Fault]:
    outcome = parts.outcome
    if outcome is None:
        return
    yield from _source_named(parts, outcome.source, "[outcome] source")
    yield from _class_faults(outcome)
    key = parts.sources[parts.case.source].key if parts.case and parts.case.source in parts.sources else None
    if outcome.by is not None and key is not None and len(outcome.by) != len(key):
        yield _fault(
            "brief.key-length",
            "[outcome] by",
            f"{len(outcome.by)} columns were named",
            f"{len(key)}, one for each of the case's key columns ({', '.join(key)})",
            "name them in the key's order",
        )


def _class_faults(outcome: OutcomeTable) -> Iterator[Fault]:
    classes = outcome.classes
    if len(set(classes)) != len(classes):
        yield _fault(
            "brief.classes",
            "[outcome] classes",
            "a class is named twice",
            "different names",
            "name each once",
        )
    for literal in sorted(text_results(outcome.truth) - set(classes)):
        near = difflib.get_close_matches(literal, classes, n=1)
        yield _fault(
            "brief.truth-class",
            "[outcome] truth",
            f"it can give {literal!r}, which is no class",
            f"one of {', '.join(classes)}, or null for what isn't known",
            f"did you mean {near[0]}?" if near else "write a class, or add this one to classes",
        )
    if outcome.kind == "binary" and len(classes) != 2:
        yield _fault(
            "brief.classes",
            "[outcome] classes",
            f"{len(classes)} classes were named",
            "two, because kind is binary",
            "name two, or write kind = 'multiclass'",
        )
    if outcome.positive is not None and outcome.positive not in classes:
        yield _unknown("[outcome] positive", outcome.positive, classes, "class")
    if outcome.if_never != "drop":
        if outcome.if_never not in classes:
            yield _unknown("[outcome] if_never", outcome.if_never, ("drop", *classes), "class")
        if outcome.never_after is None:
            yield _fault(
                "brief.never-after",
                "[outcome] never_after",
                "it was missing",
                "the span after which silence means something",
                "add it, as in never_after = '7d'",
            )


def _value_faults(parts: Parts) -> Iterator[Fault]:
    value, outcome = parts.value, parts.outcome
    if value is None:
        return
    if len(value.of) < 2:
        yield _fault(
            "brief.one-action",
            "[value.of]",
            "there was one action",
            "two or more: a decision needs a choice",
            "add what is done otherwise, such as pass",
        )
    for kind, text in value.status_quo.items():
        if kind == "action" and text not in value.of:
            yield _unknown("[value] status_quo", text, tuple(value.of), "action")
    for action, row in value.of.items():
        yield from _row_faults(row, outcome, f"[value.of] {action}")


def _row_faults(row: dict[str, Worth], outcome: OutcomeTable | None, where: str) -> Iterator[Fault]:
    if outcome is not None:
        yield from (
            _unknown(where, name, outcome.classes, "class") for name in row if name not in outcome.classes
        )
        for name in outcome.classes:
            if name not in row:
                yield _fault(
                    "brief.value-missing",
                    where,
                    f"the outcome {name} had no value",
                    "a number, a range or an expression for every outcome",
                    f"add {name} = 0 if it is worth nothing",
                )
    for name, worth in row.items():
        if isinstance(worth, list) and worth[0] > worth[1]:
            yield _fault(
                "brief.range",
                f"{where}.{name}",
                f"the range was {worth}",
                "the lower number first",
                f"write [{worth[1]}, {worth[0]}]",
            )


def _source_faults(parts: Parts) -> Iterator[Fault]:
    for name in parts.sources:
        where = f"[source.{name}]"
        if name in (OUTCOMES, "case"):
            yield _fault(
                "brief.reserved-name",
                where,
                f"{name} is a built-in name",
                "another name",
                "rename the source",
            )


def _feature_faults(parts: Parts) -> Iterator[Fault]:
    for name, feature in parts.features.items():
        where = f"[feature] {name}"
        form = feature.form
        if form in AGGREGATES:
            if getattr(feature, form) == "*" and form not in ("count", "since"):
                yield _fault(
                    "brief.value",
                    f"{where}.{form}",
                    "was '*'",
                    "an expression over the source's columns",
                    f"name what to take the {form} of",
                )
            yield from _window_source_faults(parts, feature, where)
        elif form in ("latest", "lookup"):
            yield from _dotted_faults(parts, feature, where)


def _window_source_faults(parts: Parts, feature: FeatureTable, where: str) -> Iterator[Fault]:
    of = feature.of or ""
    if of != OUTCOMES:
        yield from _source_named(parts, of, f"{where}.of", extra=(OUTCOMES,))
    if of in parts.sources and parts.sources[of].static:
        yield _fault(
            "brief.static-window",
            f"{where}.of",
            f"{of} is static",
            "a source with times",
            "use lookup for static sources",
        )


def _dotted_faults(parts: Parts, feature: FeatureTable, where: str) -> Iterator[Fault]:
    form = feature.form
    text: str = getattr(feature, form)
    source, dot, column = text.partition(".")
    if not (dot and source and column):
        yield _fault(
            "brief.value",
            f"{where}.{form}",
            f"was {text!r}",
            "source.column",
            "name the source and its column",
        )
        return
    yield from _source_named(parts, source, f"{where}.{form}", extra=(OUTCOMES,) if form == "latest" else ())
    table = parts.sources.get(source)
    if table is None:
        return
    if form == "lookup" and not table.static:
        yield _fault(
            "brief.lookup-timed",
            f"{where}.lookup",
            f"{source} has times",
            "a static source",
            "use latest, which looks no further than the decision",
        )
    if form == "latest" and table.static:
        yield _fault(
            "brief.latest-static",
            f"{where}.latest",
            f"{source} is static",
            "a source with times",
            "use lookup",
        )
    if form == "lookup" and feature.by is not None and set(feature.by.values()) != set(table.key):
        yield _fault(
            "brief.lookup-key",
            f"{where}.by",
            f"was {', '.join(feature.by.values())}",
            f"the key of {source}: {', '.join(table.key)}",
            "look rows up by the whole key",
        )


def _policy_faults(parts: Parts) -> Iterator[Fault]:
    actions = tuple(parts.value.of) if parts.value else None
    if parts.policy is not None:
        yield from policy_fault(
            parts.policy.refit.when, actions, where="[policy.refit] when", refits_only=True
        )
    for text in parts.rehearse.policies if parts.rehearse else ():
        yield from policy_fault(text, actions, where="[rehearse] policies", refits_only=False)
    if parts.model is not None and not parts.model.candidates:
        yield _fault(
            "brief.value",
            "[model] candidates",
            "the list was empty",
            "constant, logistic, lightgbm or some of them",
            "leave the setting out to try all three",
        )


def _source_named(parts: Parts, name: str, where: str, extra: tuple[str, ...] = ()) -> Iterator[Fault]:
    if name not in parts.source_names and name not in extra:
        yield _unknown(where, name, (*sorted(parts.source_names), *extra), "source")


def _unknown(where: str, name: str, known: Collection[str], what: str) -> Fault:
    near = difflib.get_close_matches(name, list(known), n=1)
    return _fault(
        f"brief.unknown-{what}",
        where,
        f"{name!r} is no {what} of this brief",
        f"one of {', '.join(known)}" if known else f"a {what}",
        f"did you mean {near[0]}?" if near else f"name a {what} that exists, or add it",
    )


def _fault(code: str, where: str, happened: str, expected: str, fix: str) -> Fault:
    return Fault(code, where, happened, expected, fix)
