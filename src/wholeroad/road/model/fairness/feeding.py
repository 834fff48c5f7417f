"""Which features are read from what a group is read from."""

from __future__ import annotations

from collections.abc import Sequence

from wholeroad.road.data.features.specs import Derived, Feature, Window

CASE = ""
"""Stands for the case's own columns, whatever its source is called."""

Columns = frozenset[tuple[str, str]]


def own_columns(feature: Feature) -> Columns:
    """Give the columns whose values a feature shows, as (source, column)."""
    if isinstance(feature, Derived):
        return frozenset((CASE, column) for column in feature.expression.columns)
    if isinstance(feature, Window):
        parts = [part.columns for part in (feature.value, feature.where) if part is not None]
        return frozenset((feature.source, column) for columns in parts for column in columns)
    return frozenset({(feature.source, feature.column)})


def key_columns(feature: Feature) -> Columns:
    """Give the case's columns by which a feature finds its rows."""
    if isinstance(feature, Derived):
        return frozenset()
    return frozenset((CASE, column) for column, _ in feature.by)


def fed(group: Feature, features: Sequence[Feature]) -> tuple[str, ...]:
    """Name the features that show what a group shows: those that a flip of the group would move.

    The same column or expression comes first, then those that share a column with it. Windows aren't among
    them: they add up rows of other cases.

    Examples
    --------
    >>> from wholeroad.road.data.features.specs import Lookup
    >>> seats = Lookup("seats", "planes", "seats", by=(("tail", "tail"),))
    >>> fed(seats, [Lookup("size", "planes", "seats", by=(("tail", "tail"),))])
    ('size',)
    """
    mine = own_columns(group)
    found = [one for one in features if not isinstance(one, Window) and own_columns(one) & mine]
    found.sort(key=lambda one: not _same(one, group))
    return tuple(one.name for one in found)


def derived_from(groups: Sequence[Feature], features: Sequence[Feature]) -> dict[str, str]:
    """Name the features that are a group's column or are computed from one, each with the group.

    A feature that shares rows with a group, by the same key, isn't computed from it; the key itself is told
    apart from the group by nobody, so a feature that shows it is named.
    """
    found: dict[str, str] = {}
    for feature in features:
        mine = own_columns(feature)
        for group in groups:
            shown = own_columns(group)
            shows_key = isinstance(feature, Derived) and mine & key_columns(group)
            if (mine | key_columns(feature)) & shown or shows_key:
                found.setdefault(feature.name, group.name)
    return found


def _same(one: Feature, other: Feature) -> bool:
    if isinstance(one, Derived) and isinstance(other, Derived):
        return one.expression.text == other.expression.text
    return own_columns(one) == own_columns(other)
