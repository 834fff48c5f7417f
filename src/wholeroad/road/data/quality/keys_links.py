"""Which columns of a source name a thing of another source, as the features of the brief join them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wholeroad.road.brief.contract import Brief, FeatureTable
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.values_names import is_identifier


@dataclass(frozen=True, slots=True)
class Link:
    """Columns of one source that name a row of another by its key.

    Attributes
    ----------
    columns
        Of the source that refers.
    source, key
        What is referred to, and its key in the order of the columns.
    """

    columns: tuple[str, ...]
    source: str
    key: tuple[str, ...]


def links_of(seen: Seen) -> tuple[Link, ...]:
    """Give what the rows of a source refer to: the case, and static tables.

    A column that a feature joins with a column of the case, which a lookup joins with a static table, refers
    to that table.
    """
    brief = seen.brief
    case = brief.source[brief.case.source]
    found = []
    if seen.name != brief.case.source and seen.key_of_case and seen.name == brief.outcome.source:
        found.append(Link(seen.key_of_case, brief.case.source, case.key))
    for source, joins in _lookups(brief):
        key = brief.source[source].key
        if seen.name == source or {*joins.values()} != {*key}:
            continue
        of_case = {own: column for column, own in joins.items()}
        mine = _as_here(seen, tuple(of_case[own] for own in key))
        if mine is not None:
            found.append(Link(mine, source, key))
    return tuple(dict.fromkeys(found))


def reference_columns(seen: Seen) -> tuple[str, ...]:
    """Name the columns by which rows are joined, and those called like keys; not the key itself."""
    joined: set[str] = set()
    for feature in seen.brief.feature.values():
        for case_column, column in (feature.by or {}).items():
            if seen.name == seen.brief.case.source:
                joined.add(case_column)
            if _source(seen.brief, feature) == seen.name:
                joined.add(column)
    named = [
        name for name in (*seen.looked.texts, *seen.looked.numbers) if name in joined or is_identifier(name)
    ]
    return tuple(name for name in named if seen.table.key != (name,) and name in seen.columns)


def _lookups(brief: Brief) -> Iterator[tuple[str, dict[str, str]]]:
    for feature in brief.feature.values():
        if feature.lookup is not None and feature.by:
            yield feature.lookup.partition(".")[0], dict(feature.by)


def _as_here(seen: Seen, of_case: tuple[str, ...]) -> tuple[str, ...] | None:
    """Give the source's own columns that are joined with some columns of the case."""
    if seen.name == seen.brief.case.source:
        return of_case if {*of_case} <= {*seen.columns} else None
    joined: dict[str, str] = {}
    for feature in seen.brief.feature.values():
        if _source(seen.brief, feature) == seen.name:
            joined |= dict(feature.by or {})
    mine = tuple(joined.get(column, "") for column in of_case)
    return mine if all(name in seen.columns for name in mine) else None


def _source(brief: Brief, feature: FeatureTable) -> str:
    source = feature.of or (feature.latest or feature.lookup or "").partition(".")[0]
    return brief.case.source if source in {"", OUTCOMES} else source
