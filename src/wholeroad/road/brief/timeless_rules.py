"""Faults of a brief whose cases have no time: what looks back, waits or fills up needs one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import (
    AGGREGATES,
    CaseTable,
    FeatureTable,
    OutcomeTable,
    SourceTable,
    ValueTable,
)


def time_faults(
    case: CaseTable,
    outcome: OutcomeTable | None,
    *,
    sources: Mapping[str, SourceTable],
    features: Mapping[str, FeatureTable],
    value: ValueTable | None,
) -> Iterator[Fault]:
    """Find what asks for time where cases have none, and outcomes without time where cases have one.

    Codes ``brief.static-case``, ``brief.static-outcome`` and ``brief.needs-time``.
    """
    asked = sources.get(case.source)
    told = sources.get(outcome.source) if outcome is not None else None
    if asked is None:
        return
    if told is not None and told.static != asked.static:
        yield _mixed(case, outcome, asked)
    if not asked.static:
        return
    give = f"give {case.source} its happened_at and known_at, or"
    if case.decide_at:
        yield _needs("[case] decide_at", f"{give} leave it out: without time all cases are decided at once")
    if outcome is not None and outcome.if_never != "drop":
        yield _needs(
            "[outcome] if_never", f"{give} say in truth what silence means, as in coalesce(state, 'open')"
        )
    if value is not None and value.capacity is not None:
        yield _needs("[value] capacity", f"{give} leave it out: no row says which cases share a period")
    for name, feature in features.items():
        if feature.form in (*AGGREGATES, "latest"):
            yield _needs(
                f"[feature] {name}", f"{give} leave it out: {feature.form} looks back from the decision"
            )


def _needs(where: str, fix: str) -> Fault:
    return Fault(
        "brief.needs-time",
        where,
        "it needs to know when, and the cases are static: no row says when",
        "column, expression and lookup features, and decisions without a clock",
        fix,
    )


def _mixed(case: CaseTable, outcome: OutcomeTable | None, asked: SourceTable) -> Fault:
    other = outcome.source if outcome is not None else ""
    if asked.static:
        return Fault(
            "brief.static-case",
            "[case] source",
            f"{case.source} is static, and the outcomes in {other} have times",
            "times for both, or for neither",
            f"give {case.source} happened_at and known_at; or make {other} static too, and do without time",
        )
    return Fault(
        "brief.static-outcome",
        "[outcome] source",
        f"{other} is static: nothing says when an outcome became known",
        "a source with happened_at and known_at",
        f"give {other} its times; known_at = 'landed' will do from tomorrow on",
    )
