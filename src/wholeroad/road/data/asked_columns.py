"""The columns that a brief asks of each source, before there is any row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from wholeroad.core.expressions.allowed import Wanted
from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.contract import AGGREGATES, AS_KNOWN, Brief, FeatureTable
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.casting import KINDS

Role = Literal["key", "happened_at", "known_at", ""]
ROLES: Final[tuple[Role, ...]] = ("key", "happened_at", "known_at", "")

_CASE: Final = "case."
_NOT_COLUMNS: Final = {"action", "outcome"}
"""What a formula knows beside the case's columns."""

_EXPECTS: Final[dict[str, Wanted]] = {"count": "boolean", "since": "boolean", "distinct": "any"}


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """A column that some part of the brief reads.

    Attributes
    ----------
    kind
        ``text``, ``number``, ``boolean``, ``instant``, or what the source's ``types`` say; None where
        the brief doesn't tell.
    asked_by
        Places in the brief.
    roles
        Whether it is (a part of) the key, or tells a time; several, or none.
    """

    name: str
    kind: str | None
    asked_by: tuple[str, ...]
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class _Use:
    source: str
    column: str
    kind: str | None
    place: str
    role: Role = ""


def asked_columns(brief: Brief, source: str) -> tuple[AskedColumn, ...]:
    """Name the columns that a source has to have: its key, its times, then the others by place."""
    uses = list(_uses(brief))
    kinds = _kinds(brief, uses)
    own = [use for use in uses if use.source == source]
    columns = [
        AskedColumn(
            name=name,
            kind=kinds.get((source, name)),
            asked_by=tuple(dict.fromkeys(use.place for use in own if use.column == name)),
            roles=tuple(role for role in ROLES[:-1] if any(_is(use, name, role) for use in own)),
        )
        for name in dict.fromkeys(use.column for use in own)
    ]
    return tuple(sorted(columns, key=lambda column: ROLES.index((*column.roles, "")[0])))


def asked_schema(brief: Brief, source: str) -> pl.Schema:
    """Give the columns of a source that has no row yet, as far as the brief tells: texts where it doesn't."""
    asked = {column.name: column.kind or "text" for column in asked_columns(brief, source)}
    kinds = asked | brief.source[source].types
    return pl.Schema({column: KINDS[kind] for column, kind in kinds.items()})


def _is(use: _Use, name: str, role: Role) -> bool:
    return use.column == name and use.role == role


def _kinds(brief: Brief, uses: list[_Use]) -> dict[tuple[str, str], str]:
    """Tell each column's kind; what is joined is of one kind."""
    kinds = {(use.source, use.column): use.kind for use in reversed(uses) if use.kind and use.kind != "span"}
    for name, source in brief.source.items():
        kinds.update({(name, column): kind for column, kind in source.types.items()})
    for one, other in _joined(brief):
        if kind := kinds.get(one) or kinds.get(other):
            kinds.setdefault(one, kind)
            kinds.setdefault(other, kind)
    return kinds


def _joined(brief: Brief) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    case, outcome = brief.case.source, brief.outcome
    key = brief.source[case].key
    for column, other in zip(key, outcome.by or key, strict=True):
        yield (case, column), (outcome.source, other)
    for feature in brief.feature.values():
        source = _source_of(brief, feature)
        for column, other in (feature.by or {}).items():
            yield (case, column), (source, other)


def _source_of(brief: Brief, feature: FeatureTable) -> str:
    source = feature.of or (feature.latest or feature.lookup or "").partition(".")[0]
    return brief.case.source if source in ("", OUTCOMES) else source


def _uses(brief: Brief) -> Iterator[_Use]:
    case, outcome = brief.case.source, brief.outcome
    for name in brief.source:
        yield from _of_source(brief, name)
    if brief.case.decide_at != AS_KNOWN:
        yield from _read(case, brief.case.decide_at, "[case] decide_at", "instant")
    for column in outcome.by or brief.source[case].key:
        yield _Use(outcome.source, column, None, "[outcome] by")
    expects: Wanted = "text" if outcome.classes else "number"
    for column, kind in columns_in(outcome.truth, expects).items():
        of = case if column.startswith(_CASE) else outcome.source
        yield _Use(of, column.removeprefix(_CASE), kind, "[outcome] truth")
    yield from _of_value(brief)
    for name, feature in brief.feature.items():
        yield from _of_feature(brief, name, feature)
    yield from _of_incumbent(brief)


def _read(source: str, text: str | None, place: str, expects: Wanted) -> Iterator[_Use]:
    for column, kind in columns_in(text, expects).items() if text else ():
        yield _Use(source, column.removeprefix(_CASE), kind, place)


def _of_source(brief: Brief, name: str) -> Iterator[_Use]:
    source = brief.source[name]
    where = f"[source.{name}]"
    for column in source.key:
        yield _Use(name, column, None, f"{where} key", "key")
    roles: tuple[Role, ...] = () if source.static else ("happened_at", "known_at")
    for role in roles:
        text = getattr(source, role)
        if text == "landed":
            continue
        for column in columns_in(text or role, "instant"):
            yield _Use(name, column, "instant", f"{where} {role}", role)


def _of_value(brief: Brief) -> Iterator[_Use]:
    case, value = brief.case.source, brief.value
    yield from _read(case, value.status_quo.get("expression"), "[value] status_quo", "text")
    for action, row in value.of.items():
        for outcome, worth in row.items():
            if isinstance(worth, str):
                yield from _read(case, worth, f"[value.of] {action}.{outcome}", "number")
    for use in _read(case, value.formula, "[value] formula", "number"):
        if use.column not in _NOT_COLUMNS:
            yield use


def _of_feature(brief: Brief, name: str, feature: FeatureTable) -> Iterator[_Use]:
    case, where, form = brief.case.source, f"[feature] {name}", feature.form
    source = _source_of(brief, feature)
    for column, other in (feature.by or {}).items():
        yield _Use(case, column, None, where)
        yield _Use(source, other, None, where)
    text: str = getattr(feature, form)
    if form == "column":
        yield _Use(case, text, None, where)
    elif form == "expression":
        yield from _read(case, text, where, "any")
    elif form in AGGREGATES:
        texts = [(text, _EXPECTS.get(form, "number")), (feature.where or "*", "boolean")]
        for part, expects in texts:
            for use in _read(source, None if part == "*" else part, where, expects):
                if feature.of != OUTCOMES or use.column != "truth":
                    yield use
    else:
        yield _Use(source, text.partition(".")[2], None, where)


def _of_incumbent(brief: Brief) -> Iterator[_Use]:
    incumbent = brief.incumbent
    if incumbent is None:
        return
    source = incumbent.source or brief.case.source
    yield from _read(source, incumbent.score, "[incumbent] score", "number")
    yield from _read(source, incumbent.action, "[incumbent] action", "text")
    yield from _read(source, incumbent.propensity, "[incumbent] propensity", "number")
