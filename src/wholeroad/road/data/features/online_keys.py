"""Keys of cases and rows one at a time, so that equal keys are equal; :mod:`keys` has them in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from wholeroad.road.data.features.keys import By, joint_codes
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.row_versions import Key, Row

_DAY: Final = 86_400_000_000

Change = Callable[[Any], Any]
KeyOf = Callable[[Row], Key | None]


class Keys:
    """How the keys of cases and of a source's rows are compared: in a type that loses nothing.

    Parameters
    ----------
    by
        Pairs (case's column, source's column).
    case, rows
        The types of both.
    source
        The source's name, for error messages.

    Raises
    ------
    UserError
        ``features.key-types`` when text would be compared with something else.

    Examples
    --------
    >>> keys = Keys((("a", "b"),), {"a": pl.Int64()}, rows={"b": pl.Float64()}, source="s")
    >>> keys.of_case({"a": 2}) == keys.of_row({"b": 2.0}), keys.of_case({"a": None})
    (True, None)
    """

    def __init__(
        self, by: By, case: Mapping[str, pl.DataType], *, rows: Mapping[str, pl.DataType], source: str
    ) -> None:
        left = pl.DataFrame(schema={one: case[one] for one, _ in by})
        right = pl.DataFrame(schema={other: rows[other] for _, other in by})
        joint_codes(left, right, by=by, source=source)
        changes = [_changes(case[one], rows[other]) for one, other in by]
        self.columns = tuple(other for _, other in by)
        self._row_changes = [row_change for _, row_change in changes]
        self.of_case: KeyOf = _key_of([one for one, _ in by], [change for change, _ in changes])
        self.of_row: KeyOf = _key_of(self.columns, self._row_changes)

    def of_frame(self, frame: pl.DataFrame) -> list[Key | None]:
        """Give the key of each row of a frame; equals :meth:`of_row`."""
        if not self.columns:
            return [()] * frame.height
        columns = []
        for name, change in zip(self.columns, self._row_changes, strict=True):
            values: Iterable[Any] = physical(frame[name])
            if change is not None:
                values = [None if value is None else change(value) for value in values]
            columns.append(values)
        return [None if None in key else key for key in zip(*columns, strict=True)]


def _key_of(columns: Sequence[str], changes: Sequence[Change | None]) -> KeyOf:
    if not columns:
        return lambda _: ()
    if len(columns) == 1 and changes[0] is None:
        (only,) = columns

        def one(row: Row) -> Key | None:
            value = row[only]
            return None if value is None else (value,)

        return one
    if not any(changes):

        def plain(row: Row) -> Key | None:
            key = tuple([row[column] for column in columns])
            return None if None in key else key

        return plain

    def changed(row: Row) -> Key | None:
        found: list[Any] = []
        for column, change in zip(columns, changes, strict=True):
            value = row[column]
            if value is not None and change is not None:
                value = change(value)
            if value is None:
                return None
            found.append(value)
        return tuple(found)

    return changed


def _changes(case: pl.DataType, row: pl.DataType) -> tuple[Change | None, Change | None]:
    """Say what has to be done to values of either side, so that they compare as bulk's keys do."""
    pair = [pl.DataFrame(schema={"key": _bare(dtype)}) for dtype in (case, row)]
    if any(_is_text(dtype) for dtype in (case, row)):
        return None, None
    joined = pl.concat(pair, how="vertical_relaxed").schema["key"]
    return _change(case, joined), _change(row, joined)


def _change(dtype: pl.DataType, joined: pl.DataType) -> Change | None:
    if joined == pl.Float32:
        return _single
    if joined.is_float():
        return _double
    if dtype == pl.Date and isinstance(joined, pl.Datetime):
        return lambda days: days * _DAY
    return None


def _double(value: float) -> float | None:
    number = float(value)
    return None if number != number else number  # noqa: PLR0124 - NaN alone differs from itself


def _single(value: float) -> float | None:
    return _double(float(np.float32(value)))


def _bare(dtype: pl.DataType) -> pl.DataType:
    return pl.Datetime("us") if isinstance(dtype, pl.Datetime) else dtype


def _is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical, pl.Enum)
