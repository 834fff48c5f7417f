"""One name for one cause: what an earlier kind of trouble explains, a later one needn't say again."""

from __future__ import annotations

from typing import Final

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Mask

_ORDER: Final = tuple(
    f"quality.{kind}"
    for kind in (
        *(
            "near-duplicates",
            "constant-column",
            "mojibake",
            "sentinel-text",
            "sentinel-date",
            "sentinel-number",
        ),
        *("swapped-columns", "unit-change", "impossible-value", "clipped", "default-value"),
        *("mixed-types", "spelling-variants", "outliers", "new-category"),
    )
)
"""A kind explains those behind it, in the rows that it is in."""

_WHOLE: Final = {
    "quality.constant-column": frozenset(_ORDER[2:]) | {"quality.redundant-column"},
    "quality.duplicate-rows": frozenset({"quality.near-duplicates"}),
}
"""Kinds that explain others wherever they are in the column."""

_SHARE: Final = 0.5
"""Share of the rows of the later kind that the earlier one is in as well."""


def one_cause(troubles: list[Trouble], seen: Seen) -> list[Trouble]:
    """Leave out the troubles of one source that another one explains."""
    masks = {
        id(trouble): seen.marks.get((trouble.code, trouble.columns, trouble.where)) for trouble in troubles
    }
    return [
        trouble
        for trouble in troubles
        if not any(_explains(other, trouble, masks) for other in troubles if other is not trouble)
    ]


def _explains(one: Trouble, other: Trouble, masks: dict[int, Mask | None]) -> bool:
    shared = {*one.columns} & {*other.columns} or not one.columns
    if shared and other.code in _WHOLE.get(one.code, ()):
        return one.code != "quality.duplicate-rows" or one.rows >= _SHARE * other.rows
    if not shared or one.code not in _ORDER or other.code not in _ORDER:
        return False
    if _ORDER.index(one.code) >= _ORDER.index(other.code):
        return False
    first, second = masks[id(one)], masks[id(other)]
    if first is None or second is None:
        return False
    return bool((first & second).sum() >= _SHARE * max(1, second.sum()))
