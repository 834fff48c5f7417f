"""Lookups one case at a time: the rows of a source without time, by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from wholeroad.road.data.features.online_keys import Keys
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.features.specs import Lookup
from wholeroad.road.data.row_versions import Key, Row
from wholeroad.road.data.versions import Versions


class LookupTable:
    """The lookups with the same source and key.

    Parameters
    ----------
    lookups
        Places among the features, and what they are.
    case, rows
        The types of the case's columns, and of the source's.
    """

    def __init__(
        self,
        lookups: Sequence[tuple[int, Lookup]],
        *,
        case: Mapping[str, pl.DataType],
        rows: Mapping[str, pl.DataType],
    ) -> None:
        _, first = lookups[0]
        self.source = first.source
        self._keys = Keys(first.by, case, rows=rows, source=first.source)
        self._columns = [feature.column for _, feature in lookups]
        self._places = [place for place, _ in lookups]
        self._values: dict[Key, tuple[Any, ...]] = {}
        self._of_row: dict[Key, Key] = {}

    def load(self, versions: Versions) -> None:
        """Take all rows, instead of those that were there."""
        frame = versions.frame
        keys = self._keys.of_frame(frame)
        values = zip(*(physical(frame[column]) for column in self._columns), strict=True)
        rows = zip(*(physical(frame[column]) for column in versions.key), strict=True)
        self._values = {key: found for key, found in zip(keys, values, strict=True) if key is not None}
        self._of_row = {row: key for row, key in zip(rows, keys, strict=True) if key is not None}

    def put(self, row: Key, values: Row | None) -> None:
        """Take the newest state of a row; None: it is gone."""
        key = None if values is None else self._keys.of_row(values)
        before = self._of_row.pop(row, None)
        if before is not None and before != key:
            self._values.pop(before, None)
        if values is None or key is None:
            return
        self._of_row[row] = key
        self._values[key] = tuple([values[column] for column in self._columns])

    def read(self, case: Row, out: list[Any]) -> None:
        """Put the values of a case into their places."""
        key = self._keys.of_case(case)
        found = None if key is None else self._values.get(key)
        for number, place in enumerate(self._places):
            out[place] = None if found is None else found[number]
