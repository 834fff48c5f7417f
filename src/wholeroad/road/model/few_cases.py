"""Scoring few cases: from the values of their features, as Python has them, to a model's prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ports import Matrix
from wholeroad.road.data.few_rows import frame_of
from wholeroad.road.model.encoding import Column
from wholeroad.road.model.scoring import Model

_NOT_KNOWN: Final = float("nan")

_Place = tuple[int, Mapping[str | None, float] | None, float]
"""Where a column's value stands in a row; the codes of its texts, and that of another; None for a number."""


class RowModel:
    """A model that is asked about a few rows at a time, without a frame.

    It gives the bits that :meth:`~wholeroad.road.model.scoring.Model.probabilities` gives. A column of a type
    that it wasn't fitted on goes the way of many rows.

    Parameters
    ----------
    model
        The model.
    schema
        Names and types of the features, in the order in which rows have their values.
    """

    def __init__(self, model: Model, schema: pl.Schema) -> None:
        self.model = model
        self.rule = model.rule
        columns = model.encoder.columns
        places = [place for place in (_place(column, schema) for column in columns) if place is not None]
        self._by_frame = len(places) < len(columns)
        self._pick = _picker([place for place, _, _ in places])
        self._texts = [(number, codes, other) for number, (_, codes, other) in enumerate(places) if codes]
        self._schema = schema
        self._names = tuple(column.name for column in columns)
        self._categories = tuple(len(column.categories) for column in columns)

    def prediction(self, rows: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
        """Give the prediction, shape (n, K): probabilities of the classes, or quantiles of a number.

        Parameters
        ----------
        rows
            Physical values of every feature, in the order of the schema.

        Raises
        ------
        RoadError
            ``model.column-missing``.
        """
        if self._by_frame or not rows:
            named = [dict(zip(self._schema, row, strict=True)) for row in rows]
            return self.model.probabilities(frame_of(named, self._schema))
        return self.model.calibration.apply(self.model.raw(self.encoded(rows)))

    def encoded(self, rows: Sequence[Sequence[Any]]) -> Matrix:
        """Encode as :class:`~wholeroad.road.model.encoding.Encoder` does."""
        flat: list[Any] = []
        for row in rows:
            own = list(self._pick(row))
            for column, codes, other in self._texts:
                own[column] = codes.get(own[column], other)
            flat += own
        values = np.array(flat, dtype=np.float64)  # None becomes NaN
        values[np.isinf(values)] = _NOT_KNOWN
        shaped = values.reshape(len(rows), len(self._names))
        return Matrix(np.asfortranarray(shaped), self._names, self._categories)


def _place(column: Column, schema: pl.Schema) -> _Place | None:
    """Find a column among the features; None where its values can't be taken as they are."""
    kind = schema.get(column.name)
    if kind is None:
        return None
    place = list(schema).index(column.name)
    if column.kind == "text":
        codes: dict[str | None, float] = {text: float(code) for code, text in enumerate(column.categories)}
        codes[None] = _NOT_KNOWN
        return (place, codes, float(len(column.categories))) if kind == pl.String else None
    plain = kind.is_integer() or kind.is_float() or kind == pl.Boolean
    return (place, None, _NOT_KNOWN) if plain else None


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(places) == 1:
        (only,) = places
        return lambda row: (row[only],)
    return itemgetter(*places) if places else lambda _row: ()
