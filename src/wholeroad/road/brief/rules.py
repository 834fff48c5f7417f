"""Faults between the brief's tables, told without data: names, spans, syntax of expressions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wholeroad.core.errors import Fault
from wholeroad.core.expressions import check_syntax, text_results
from wholeroad.road.brief.acting_rules import incumbent_faults, no_action_faults
from wholeroad.road.brief.contract import (
    AGGREGATES,
    AS_KNOWN,
    NAME,
    OutcomeTable,
)
from wholeroad.road.brief.contract_rules import contract_faults
from wholeroad.road.brief.fairness_rules import group_expressions
from wholeroad.road.brief.feature_rules import OUTCOMES, feature_faults, group_faults, source_named
from wholeroad.road.brief.mend_rules import mend_faults
from wholeroad.road.brief.parts import Parts
from wholeroad.road.brief.policies import policy_fault
from wholeroad.road.brief.timeless_rules import time_faults
from wholeroad.road.brief.value_rules import actions_of, left_alone_faults, unknown, value_faults


def reference_faults(parts: Parts) -> list[Fault]:
    """Find what is wrong between the tables."""
    return [
        *_case_faults(parts),
        *_outcome_faults(parts),
        *(value_faults(parts.value, parts.outcome) if parts.value is not None else ()),
        *_source_faults(parts),
        *contract_faults(parts),
        *feature_faults(parts),
        *_policy_faults(parts),
        *_incumbent_faults(parts),
        *group_faults(parts),
    ]


def expression_faults(part: tuple[str, ...], raw: object) -> Iterator[Fault]:
    """Find what is wrong with a table's expressions by themselves, whatever else is wrong with the table."""
    if isinstance(raw, Mapping):
        for where, text in (*_expressions(part, raw), *group_expressions(part, raw)):
            if isinstance(text, str):
                yield from check_syntax(text, where=where)


def _expressions(part: tuple[str, ...], raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the places and texts of a table's expressions."""
    match part:
        case ("case",):
            decide_at = raw.get("decide_at")
            yield "[case] decide_at", None if decide_at == AS_KNOWN else decide_at
        case ("outcome",):
            yield "[outcome] truth", raw.get("truth")
        case ("value",):
            yield "[value] status_quo", _within(raw, "status_quo").get("expression")
            yield "[value] formula", raw.get("formula")
            for action, row in _within(raw, "of").items():
                for name, worth in row.items() if isinstance(row, Mapping) else ():
                    yield f"[value.of] {action}.{name}", worth
        case ("source", name):
            for setting in ("happened_at", "known_at"):
                if raw.get(setting) != "landed":
                    yield f"[source.{name}] {setting}", raw.get(setting)
        case ("incumbent",):
            yield from ((f"[incumbent] {one}", raw.get(one)) for one in ("score", "action", "propensity"))
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
    yield from source_named(parts, parts.case.source, where="[case] source")
    source = parts.sources.get(parts.case.source)
    known_at = source.known_at if source is not None else None
    if known_at is not None and not parts.case.decide_at:
        yield _fault(
            "brief.missing",
            "[case] decide_at",
            "it was missing",
            "an expression that gives the instant at which a case wants a decision, as in 'sched_dep - 2h'",
            f"add it; decide_at = '{AS_KNOWN}' decides a case as soon as it is known",
        )
    yield from time_faults(
        parts.case, parts.outcome, sources=parts.sources, features=parts.features, value=parts.value
    )


def _outcome_faults(parts: Parts) -> Iterator[Fault]:
    outcome = parts.outcome
    if outcome is None:
        return
    yield from source_named(parts, outcome.source, where="[outcome] source")
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
    if outcome.kind != "regression":
        yield from _class_count_faults(outcome)
    elif outcome.classes or outcome.positive is not None:
        surplus = "classes" if outcome.classes else "positive"
        yield _fault(
            "brief.classes",
            f"[outcome] {surplus}",
            "it stood beside kind = 'regression'",
            "no classes: the outcome is a number",
            "leave it out, or write kind = 'binary'",
        )
    yield from _named_class_faults(outcome)


def _class_count_faults(outcome: OutcomeTable) -> Iterator[Fault]:
    classes = outcome.classes
    if len(classes) < 2:
        happened = "they were missing" if not classes else f"there was one class, {classes[0]}"
        yield _fault(
            "brief.missing" if not classes else "brief.classes",
            "[outcome] classes",
            happened,
            "at least 2 in it: the names of what can come true",
            "add them, as in classes = ['late', 'on_time']"
            if not classes
            else "name what comes true otherwise",
        )
    elif len(set(classes)) != len(classes):
        yield _fault(
            "brief.classes",
            "[outcome] classes",
            "a class is named twice",
            "different names",
            "name each once",
        )
    elif outcome.kind in ("binary", "ranking") and len(classes) != 2:
        yield _fault(
            "brief.classes",
            "[outcome] classes",
            f"{len(classes)} classes were named",
            f"two, because kind is {outcome.kind}",
            "name two, or write kind = 'multiclass'",
        )


def _named_class_faults(outcome: OutcomeTable) -> Iterator[Fault]:
    classes = outcome.classes
    if classes:
        for literal in sorted(text_results(outcome.truth) - set(classes)):
            near = difflib.get_close_matches(literal, classes, n=1)
            yield _fault(
                "brief.truth-class",
                "[outcome] truth",
                f"it can give {literal!r}, which is no class",
                f"one of {', '.join(classes)}, or null for what isn't known",
                f"did you mean {near[0]}?" if near else "write a class, or add this one to classes",
            )
        if outcome.positive is not None and outcome.positive not in classes:
            yield unknown("[outcome] positive", outcome.positive, known=classes, what="class")
    if outcome.if_never != "drop":
        if classes and outcome.if_never not in classes:
            yield unknown("[outcome] if_never", outcome.if_never, known=("drop", *classes), what="class")
        if outcome.never_after is None:
            yield _fault(
                "brief.never-after",
                "[outcome] never_after",
                "it was missing",
                "the span after which silence means something",
                "add it, as in never_after = '7d'",
            )


def _source_faults(parts: Parts) -> Iterator[Fault]:
    for name, source in parts.sources.items():
        where = f"[source.{name}]"
        yield from mend_faults(source.mend, name)
        if name in (OUTCOMES, "case"):
            yield _fault(
                "brief.reserved-name",
                where,
                f"{name} is a built-in name",
                "another name",
                "rename the source",
            )


def _incumbent_faults(parts: Parts) -> Iterator[Fault]:
    if parts.incumbent is not None:
        yield from incumbent_faults(
            parts.incumbent, parts.outcome, sources=parts.sources, names=parts.source_names
        )


def _policy_faults(parts: Parts) -> Iterator[Fault]:
    actions = (actions_of(parts.value) or None) if parts.value else None
    if parts.policy is not None:
        yield from no_action_faults(parts.policy, actions)
        if parts.value is not None and parts.policy.no_action is not None:
            yield from left_alone_faults(parts.value, parts.policy.no_action.action)
        yield from policy_fault(
            parts.policy.refit.when, actions, where="[policy.refit] when", refits_only=True
        )
    for text in parts.rehearse.policies if parts.rehearse else ():
        yield from policy_fault(
            text,
            actions,
            where="[rehearse] policies",
            refits_only=False,
            incumbent=parts.incumbent is not None,
        )
    if parts.model is not None and parts.model.candidates == ():
        yield _fault(
            "brief.value",
            "[model] candidates",
            "the list was empty",
            "names of learners: constant, logistic, lightgbm or others",
            "leave the setting out to try all that ship",
        )
    for name in parts.model.candidates or () if parts.model is not None else ():
        if not re.fullmatch(NAME, name):
            yield _fault(
                "brief.value",
                "[model] candidates",
                f"was {name!r}",
                "the name of a learner: letters, digits, - and _, beginning with a letter",
                "name one that ships, or one of your own",
            )


def _fault(code: str, where: str, happened: str, expected: str, fix: str) -> Fault:
    return Fault(code, where, happened, expected, fix)
