"""A brute-force oracle of features, written from docs/reference/time.md and from nothing else.

It loops over cases and versions, and shares no code with the executors but the feature records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isnan, sqrt
from typing import Any

from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window

Row = dict[str, Any]
Evaluate = Callable[[str, Row], Any]

UNIT = Fraction(1, 2**40)


@dataclass(frozen=True)
class Version:
    """One landed state of a keyed row; instants are integers."""

    key: Any
    happened: int
    known: int
    order: int
    columns: Row = field(default_factory=dict)
    deleted: bool = False


@dataclass(frozen=True)
class World:
    """What the oracle knows: versions by source, and which source the cases are from."""

    sources: Mapping[str, Sequence[Version]]
    statics: Mapping[str, Sequence[Row]]
    case_source: str
    case_key: str


def compute(feature: Feature, case: Row, decided: int, world: World, evaluate: Evaluate) -> Any:
    """Give one feature of one case."""
    if isinstance(feature, Derived):
        return evaluate(feature.expression.text, case)
    if isinstance(feature, Lookup):
        rows = [row for row in world.statics[feature.source] if matches(case, row, feature.by)]
        return rows[0][feature.column] if rows else None
    newest = [
        version
        for version in newest_known(feature.source, case, decided, world)
        if matches(case, version.columns, feature.by)
    ]
    if isinstance(feature, Latest):
        return latest(feature, newest, decided)
    if feature.on == "planned":
        ahead = [row.columns for row in newest if decided < row.happened <= decided + (feature.over or 0)]
        return aggregate(feature, ahead, evaluate)
    first = first_known(feature.source, decided, world)
    dated = [
        (version.happened if feature.on == "happened" else first[version.key], version.columns)
        for version in newest
    ]
    active = [
        (instant, row)
        for instant, row in dated
        if instant <= decided and (feature.over is None or decided - feature.over < instant)
    ]
    if feature.aggregate == "since":
        return since(feature, active, decided, evaluate)
    return aggregate(feature, [row for _, row in active], evaluate)


def is_visible(version: Version, source: str, decided: int, world: World) -> bool:
    """A row counts as soon as it is known; over the case's own source, only afterwards."""
    return version.known < decided if source == world.case_source else version.known <= decided


def newest_known(source: str, case: Row, decided: int, world: World) -> list[Version]:
    """Give each row in its newest version known; never a deleted one, never the case's own."""
    newest: dict[Any, Version] = {}
    for version in world.sources[source]:
        if is_visible(version, source, decided, world):
            other = newest.get(version.key)
            if other is None or (other.known, other.order) < (version.known, version.order):
                newest[version.key] = version
    if source == world.case_source:
        newest.pop(case[world.case_key], None)
    return [version for version in newest.values() if not version.deleted]


def first_known(source: str, decided: int, world: World) -> dict[Any, int]:
    """Give when the first version of each row became known."""
    first: dict[Any, int] = {}
    for version in world.sources[source]:
        if is_visible(version, source, decided, world):
            first[version.key] = min(version.known, first.get(version.key, version.known))
    return first


def matches(case: Row, row: Row, by: Sequence[tuple[str, str]]) -> bool:
    """Null matches nothing; no pairs match everything."""
    return all(
        case[one] is not None and row[other] is not None and case[one] == row[other] for one, other in by
    )


def latest(feature: Latest, newest: Sequence[Version], decided: int) -> Any:
    """Give the column of the row that happened last, ties to what became known last."""
    candidates = [version for version in newest if version.happened <= decided]
    if not candidates:
        return None
    last = max(candidates, key=lambda version: (version.happened, version.known, version.order))
    if feature.max_age is not None and decided - last.happened > feature.max_age:
        return None
    return last.columns[feature.column]


def since(window: Window, rows: Sequence[tuple[int, Row]], decided: int, evaluate: Evaluate) -> float | None:
    """Give the hours since the last instant of a row that meets the condition."""
    instants = [
        instant for instant, row in rows if window.where is None or evaluate(window.where.text, row) is True
    ]
    return float(decided - max(instants)) / 3.6e9 if instants else None


def aggregate(window: Window, rows: Sequence[Row], evaluate: Evaluate) -> Any:
    """Aggregate with exact arithmetic and one formula of floats at the end."""
    if window.where is not None:
        rows = [row for row in rows if evaluate(window.where.text, row) is True]
    if window.value is None:
        return len(rows)
    values = [evaluate(window.value.text, row) for row in rows]
    values = [
        value for value in values if value is not None and not (isinstance(value, float) and isnan(value))
    ]
    if window.aggregate == "sum":
        return total(values, real=window.value.dtype.is_float())
    if window.aggregate == "distinct":
        return len(set(values))
    return statistic(window.aggregate, values, real=window.value.dtype.is_float()) if values else None


def statistic(name: str, values: Sequence[Any], *, real: bool) -> Any:
    """Give what there is over some rows only."""
    if name in ("min", "max"):
        best = min(values) if name == "min" else max(values)
        return best + 0.0 if real else best
    if name == "std":
        return deviation(values, real=real)
    summed = total(values, real=real)
    return None if summed is None else float(summed) / float(len(values))


def deviation(values: Sequence[Any], *, real: bool) -> float | None:
    """Give the sample standard deviation from two exact integers, each rounded to a float once."""
    units = [round(Fraction(value) / UNIT) if real else int(value) for value in values]
    many = len(units)
    if many < 2 or total(values, real=real) is None:
        return None
    spread = sum((many * unit - sum(units)) ** 2 for unit in units) // many
    return sqrt(float(spread) / float(many * (many - 1))) * (float(UNIT) if real else 1.0)


def total(values: Sequence[Any], *, real: bool) -> int | float | None:
    """Add integers as they are, floats as multiples of 2**-40 (half to even); None beyond what is exact."""
    if not real:
        summed = sum(int(value) for value in values)
        return summed if -(2**62) <= summed < 2**62 else None
    units = sum(round(Fraction(value) / UNIT) for value in values)
    return float(units * UNIT) if -(2**94) <= units < 2**94 else None
