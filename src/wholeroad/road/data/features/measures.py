"""What one version of a row adds to the windows of its source, as numbers and values that can be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isinf, isnan
from typing import Any, Literal

import polars as pl

from wholeroad.core.expressions import Expression, for_one
from wholeroad.road.data.features.exact import LARGEST_FLOAT, quantise_one
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.features.specs import Latest, Window
from wholeroad.road.data.features.windows import Kind, evaluate, kind_of
from wholeroad.road.data.row_versions import Row

_INT64 = 2**63

Added = tuple[Any, ...]
Asked = tuple[Kind | Literal["column"], Expression | None, Expression | str | None]


class Measures:
    """The measures that the features of a source share, each with a slot of its own.

    A slot holds None where the version doesn't count; else for rows True, for sums an integer (of a float
    its multiple of 2**-40), or the float that can't be summed, for the others the value.
    """

    def __init__(self, source: str, schema: Mapping[str, pl.DataType]) -> None:
        self._source = source
        self._schema = schema
        self._slots: dict[Asked, int] = {}
        self._of_row: list[Callable[[Row], Any]] = []

    def slot(self, feature: Window | Latest) -> int:
        """Give the slot of what a feature asks of a version."""
        asked: Asked = ("column", None, None)
        if isinstance(feature, Latest):
            asked = ("column", None, feature.column)
        else:
            asked = (kind_of(feature), feature.where, feature.value)
        if asked not in self._slots:
            self._slots[asked] = len(self._slots)
            self._of_row.append(self._one(asked))
        return self._slots[asked]

    def of_row(self, values: Row) -> Added:
        """Give what one version adds."""
        return tuple([of_row(values) for of_row in self._of_row])

    @property
    def exacting(self) -> bool:
        """Whether there are numbers that could be too large, or infinite."""
        return any(kind in {"sums", "order"} and value is not None for kind, _, value in self._slots)

    def unfit(self, values: Row) -> str | None:
        """Name what of a version no window over it could tell: a number that can't be summed or compared."""
        for (kind, _, value), of_row in zip(self._slots, self._of_row, strict=True):
            if kind not in {"sums", "order"} or not isinstance(value, Expression):
                continue
            amount = of_row(values)
            if amount.__class__ is float and (kind == "sums" or isinf(amount)):
                return f"{value.text} was {amount:g}"
        return None

    def of_frame(self, frame: pl.DataFrame) -> list[Added]:
        """Give what each version of a frame adds; equals :meth:`of_row`."""
        columns = [self._many(asked, frame) for asked in self._slots]
        return list(zip(*columns, strict=True)) if columns else [()] * frame.height

    def wide(self) -> list[int]:
        """Give the slots whose integers may need more than 64 bits."""
        return [slot for asked, slot in self._slots.items() if asked[0] == "sums" and _is_real(asked[2])]

    def _one(self, asked: Asked) -> Callable[[Row], Any]:
        kind, where, value = asked
        if isinstance(value, str):
            return lambda row: row[value]
        condition = None if where is None else for_one(where, self._schema).call
        if value is None:
            if condition is None:
                return lambda _: True
            return lambda row: True if condition(row) else None
        worth, kept = for_one(value, self._schema).call, _kept(kind, value)

        def added(row: Row) -> Any:  # noqa: ANN401
            if condition is not None and not condition(row):
                return None
            amount = worth(row)
            return None if amount is None else kept(amount)

        return added

    def _many(self, asked: Asked, frame: pl.DataFrame) -> Sequence[Any]:
        kind, where, value = asked
        if isinstance(value, str):
            return physical(frame[value])
        counted = [True] * frame.height
        if where is not None:
            counted = evaluate(frame, where).fill_null(value=False).to_list()
        if value is None:
            return [True if true else None for true in counted]
        kept, amounts = _kept(kind, value), physical(evaluate(frame, value))
        return [
            kept(amount) if true and amount is not None else None
            for true, amount in zip(counted, amounts, strict=True)
        ]


def _is_real(value: Expression | str | None) -> bool:
    return isinstance(value, Expression) and value.dtype.is_float()


def _kept(kind: str, value: Expression) -> Callable[[Any], Any]:
    """Say how a value that isn't null is kept."""
    if kind == "sums":
        return _real if _is_real(value) else _whole
    return _ordinary if _is_real(value) else _itself


def _itself(value: Any) -> Any:  # noqa: ANN401
    return value


def _ordinary(value: float) -> float | None:
    return None if isnan(value) else value + 0.0  # -0.0 becomes 0.0


def _real(value: float) -> int | float | None:
    if -LARGEST_FLOAT < value < LARGEST_FLOAT:
        return quantise_one(value)
    return None if isnan(value) else value


def _whole(value: int) -> int | float:
    return int(value) if -_INT64 <= value < _INT64 else float(value)
