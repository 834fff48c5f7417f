"""Faults of features, and of groups, which ask what features ask; told without data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wholeroad.core.errors import Fault
from wholeroad.road.brief.contract import AGGREGATES, FeatureTable
from wholeroad.road.brief.fairness_rules import fairness_faults
from wholeroad.road.brief.parts import Parts
from wholeroad.road.brief.value_rules import actions_of, unknown

OUTCOMES: Final = "outcomes"
"""The built-in source: decided cases with their truth."""


def feature_faults(parts: Parts) -> Iterator[Fault]:
    """Find what is wrong with ``[feature]``."""
    for name, feature in parts.features.items():
        where = f"[feature] {name}"
        form = feature.form
        if form in AGGREGATES:
            if getattr(feature, form) == "*" and form not in ("count", "since"):
                yield Fault(
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
        yield from source_named(parts, of, where=f"{where}.of", extra=(OUTCOMES,))
    if of in parts.sources and parts.sources[of].static:
        yield Fault(
            "brief.static-window",
            f"{where}.of",
            f"{of} is static",
            "a source with times",
            "use lookup for static sources",
        )
    if feature.on == "planned":
        yield from _planned_faults(parts, feature, where)


def _planned_faults(parts: Parts, feature: FeatureTable, where: str) -> Iterator[Fault]:
    of = feature.of or ""
    if of == OUTCOMES or (of in parts.sources and not parts.sources[of].planned):
        plans = [name for name, source in parts.sources.items() if source.planned]
        yield Fault(
            "brief.window-not-planned",
            f"{where}.on",
            f"was 'planned', and nothing in {of} is known before it happens",
            f"a source with planned = true: {', '.join(plans)}" if plans else "a source with planned = true",
            "write on = 'happened' to look back; or say planned = true where rows are known beforehand",
        )
    if feature.form == "since":
        yield Fault(
            "brief.since-planned",
            f"{where}.on",
            "since stood beside on = 'planned'",
            "on = 'happened' or 'known': since looks back",
            "use another form for what lies ahead, such as count",
        )


def _dotted_faults(parts: Parts, feature: FeatureTable, where: str) -> Iterator[Fault]:
    form = feature.form
    text: str = getattr(feature, form)
    source, dot, column = text.partition(".")
    if not (dot and source and column):
        yield Fault(
            "brief.value",
            f"{where}.{form}",
            f"was {text!r}",
            "source.column",
            "name the source and its column",
        )
        return
    yield from source_named(
        parts, source, where=f"{where}.{form}", extra=(OUTCOMES,) if form == "latest" else ()
    )
    table = parts.sources.get(source)
    if table is None:
        return
    if form == "lookup" and not table.static:
        yield Fault(
            "brief.lookup-timed",
            f"{where}.lookup",
            f"{source} has times",
            "a static source",
            "use latest, which looks no further than the decision",
        )
    if form == "latest" and table.static:
        yield Fault(
            "brief.latest-static",
            f"{where}.latest",
            f"{source} is static",
            "a source with times",
            "use lookup",
        )
    if form == "lookup" and feature.by is not None and set(feature.by.values()) != set(table.key):
        yield Fault(
            "brief.lookup-key",
            f"{where}.by",
            f"was {', '.join(feature.by.values())}",
            f"the key of {source}: {', '.join(table.key)}",
            "look rows up by the whole key",
        )


def group_faults(parts: Parts) -> Iterator[Fault]:
    """Find what is wrong with ``[fairness]``, whose groups ask what features ask."""
    fairness = parts.fairness
    if fairness is None:
        return
    for name, group in fairness.groups.items():
        if group.form in ("lookup", "latest"):
            yield from _dotted_faults(parts, group.feature, f"[fairness.groups] {name}")
    actions = actions_of(parts.value) if parts.value is not None else None
    yield from fairness_faults(
        fairness, outcome=parts.outcome, value=parts.value, actions=actions, features=parts.features
    )


def source_named(parts: Parts, name: str, *, where: str, extra: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Find the fault of a source's name, if the brief has no such source."""
    if name not in parts.source_names and name not in extra:
        yield unknown(where, name, known=(*sorted(parts.source_names), *extra), what="source")
