"""The short way in: rows whose every value has the type of its column, and that nothing is wrong with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving.exact import Convert, as_it_stands, conversion
from wholeroad.road.data.arriving.judged import Judged
from wholeroad.road.data.arriving.times import times

_MOST_PLANS: Final = 4096
_NULL: Final = type(None)

_Plan = tuple[tuple[int, Convert], ...]


class ValueReader:
    """Reads the values of rows, where each has the type of its column.

    Parameters
    ----------
    schema
        The columns.
    keys
        Those that may not be null.
    """

    def __init__(self, schema: pl.Schema, *, keys: Collection[str]) -> None:
        self._names = tuple(schema)
        self._types = tuple(schema.values())
        self._keys = frozenset(self._names.index(key) for key in keys)
        self._pick = _picker(self._names)
        self._plans: dict[tuple[type, ...], _Plan | None] = {}

    def read(self, row: Mapping[str, Any]) -> list[Any] | None:
        """Give a row's physical values; None where one of them is odd, or one of the key is null."""
        try:
            values = list(self._pick(row))
        except KeyError:
            get = row.get
            values = [get(name) for name in self._names]
        signature = tuple(map(type, values))
        try:
            plan = self._plans[signature]
        except KeyError:
            plan = self._plan(signature)
        if plan is None:
            return None
        try:
            for place, convert in plan:
                values[place] = convert(values[place])
        except (ValueError, OverflowError):
            return None
        return values

    def _plan(self, signature: tuple[type, ...]) -> _Plan | None:
        steps: list[tuple[int, Convert]] = []
        odd = False
        for place, (kind, target) in enumerate(zip(signature, self._types, strict=True)):
            convert = conversion(kind, target)
            if kind is _NULL and place not in self._keys:
                continue
            if convert is None:
                odd = True
            elif not as_it_stands(convert):
                steps.append((place, convert))
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        plan = None if odd else tuple(steps)
        self._plans[signature] = plan
        return plan


class CleanRows:
    """Reads rows of a source without making a frame of them, where that comes to the same.

    Parameters
    ----------
    name, source
        The source.
    schema
        Its stored columns.

    Raises
    ------
    FaultsError
        ``expression.*``.
    """

    def __init__(self, name: str, source: SourceTable, *, schema: pl.Schema) -> None:
        where = f"[source.{name}]"
        self._values = ValueReader(schema, keys=source.key)
        self._fields = frozenset(schema)
        self._timed = not source.static
        self._planned = source.planned
        self._happened, self._claimed = (
            times(None if source.static else text, schema, source=source, where=f"{where} {word}")
            for word, text in (("happened_at", source.happened_at), ("known_at", source.known_at))
        )

    def one(
        self, row: Mapping[str, Any], now: Instant
    ) -> tuple[list[Any], Instant | None, Instant | None] | None:
        """Read a row that lands at ``now``: its values and its two instants; None where bulk has to look."""
        values = self._values.read(row) if row.keys() <= self._fields else None
        if values is None:
            return None
        happened, claimed = self._happened.one(values, now), self._claimed.one(values, now)
        if self._timed and (
            happened is None or claimed is None or not (self._planned or claimed >= happened)
        ):
            return None
        return values, happened, claimed

    def read(self, rows: Sequence[Mapping[str, Any]], *, now: Instant) -> tuple[Judged, list[int]]:
        """Read rows that land at ``now``.

        Returns
        -------
        Judged, list of int
            The places of rows that bulk has to look at; nothing is said of them.
        """
        read_one, fields = self._values.read, self._fields
        values = [read_one(row) if row.keys() <= fields else None for row in rows]
        odd = [place for place, each in enumerate(values) if each is None]
        read = [each for each in values if each is not None] if odd else values
        happened = list(self._happened.many(read, now))  # type: ignore[arg-type]
        claimed = list(self._claimed.many(read, now))  # type: ignore[arg-type]
        for place in odd:
            happened.insert(place, None)
            claimed.insert(place, None)
        if self._timed:
            planned = self._planned
            for place, (at, known) in enumerate(zip(happened, claimed, strict=True)):
                late = at is not None and known is not None and (planned or known >= at)
                if not late and values[place] is not None:
                    values[place] = None
                    odd.append(place)
            odd.sort()
        return Judged(values, happened, claimed), odd


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) == 1:
        (only,) = names
        return lambda row: (row[only],)
    return itemgetter(*names)
