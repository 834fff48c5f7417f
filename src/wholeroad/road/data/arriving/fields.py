"""The fields that a row may have: columns of its source, or objects that hold them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from wholeroad.core.errors import UserError
from wholeroad.road.data.row_versions import Row

_SHOWN: Final = 60
_NEAR: Final = 3


def flat(row: Mapping[str, Any], objects: set[str] | None = None) -> tuple[dict[str, Any], str | None]:
    """Give a row's objects as columns of their own: ``wind_speed`` of ``{"wind": {"speed": 3}}``.

    Parameters
    ----------
    objects
        Takes the names at which objects were.

    Returns
    -------
    dict, str or None
        The row, and a column for which two values stood.

    Examples
    --------
    >>> flat({"id": 1, "wind": {"speed": 3, "from": {"degrees": 90}}})
    ({'id': 1, 'wind_speed': 3, 'wind_from_degrees': 90}, None)
    """
    if not any(isinstance(value, dict) for value in row.values()):
        return dict(row), None
    found: dict[str, Any] = {}
    twice: str | None = None
    waiting: list[tuple[str, Any]] = [(name, row[name]) for name in reversed(list(row))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            if objects is not None:
                objects.add(name)
            waiting += [(f"{name}_{inner}", value[inner]) for inner in reversed(list(value))]
        elif found.get(name) is None:
            found[name] = value
        elif value is not None:
            twice = twice or name
    return found, twice


def without_nulls(rows: Sequence[Row], objects: Collection[str]) -> Sequence[Row]:
    """Leave out what is nothing but null at names of objects: an object that isn't there is no column.

    Examples
    --------
    >>> without_nulls([{"id": 1, "wind": None}, {"id": 2, "wind_speed": 3}], {"wind"})
    [{'id': 1}, {'id': 2, 'wind_speed': 3}]
    """
    gone = {name for name in objects if all(row.get(name) is None for row in rows)}
    if not gone:
        return rows
    return [{name: value for name, value in row.items() if name not in gone} for row in rows]


def refuse_unknown(
    rows: Sequence[Mapping[str, Any]], known: Collection[str], *, name: str, places: Sequence[int], count: int
) -> None:
    """Refuse rows with a field that their source doesn't have.

    Parameters
    ----------
    places, count
        Where each of the rows stood, among how many.

    Raises
    ------
    UserError
        ``data.unknown-field``.
    """
    for place, row in zip(places, rows, strict=True):
        for field in row:
            if field in known:
                continue
            near = difflib.get_close_matches(field[:_SHOWN], known, n=_NEAR)
            shown = field[:_SHOWN].encode("utf-8", errors="backslashreplace").decode()
            raise UserError(
                "data.unknown-field",
                f"[source.{name}]: a field is unknown",
                happened=f"row {place + 1} of {count:,} had the field {shown!r}; none of the rows landed",
                expected=f"fields of {name}: {', '.join(near or sorted(known)[:12])}",
                fix=f"did you mean {near[0]}?" if near else "leave the field out, or correct its name",
            )
