"""Groups of cases: values by name, small ones put together, intersections made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.brief.fairness import FairnessTable

OTHER: Final = "other values"
"""What small values are called once they are put together."""

MISSING: Final = "no value"

BETWEEN: Final = " & "
"""Between the values of an intersection."""

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way of parting the cases into groups.

    Attributes
    ----------
    name
        As in ``[fairness.groups]``.
    values
        The groups: by name, the most cases first, :data:`OTHER` last.
    codes
        Shape (n,), int32: positions in ``values``; every case belongs to one.
    pooled
        The values that were too small, each with its cases.
    population
        The stated share of each value among all whom the decision is about; empty where none is stated.
        Stated values without any case count too.
    """

    name: str
    values: tuple[str, ...]
    codes: Codes
    pooled: Mapping[str, int] = field(default_factory=dict)
    population: Mapping[str, float] = field(default_factory=dict)

    def take(self, rows: NDArray[np.int64] | slice) -> Grouping:
        """Give the groups of some cases; their values stay the same."""
        return Grouping(self.name, self.values, self.codes[rows], self.pooled, self.population)

    @property
    def cases(self) -> NDArray[np.int64]:
        """Shape (values,): the cases of each."""
        return np.bincount(self.codes, minlength=len(self.values)).astype(np.int64)

    def members(self, value: str) -> NDArray[np.bool_]:
        """Tell which cases belong to a value, shape (n,)."""
        members: NDArray[np.bool_] = self.codes == self.values.index(value)
        return members


def groups_of(frame: pl.DataFrame, fairness: FairnessTable) -> tuple[Grouping, ...]:
    """Part cases by every group of the brief, in its order.

    Values with fewer cases than ``least_cases`` are put together; a single one that is too small is too,
    since it would otherwise stand alone with an interval that says nothing.

    Parameters
    ----------
    frame
        A column for each group that is no intersection, and a row for each case: values as known when
        each was decided. Whatever their type, they are taken as texts.

    Examples
    --------
    >>> table = FairnessTable.model_validate({"groups": {"depot": {"column": "depot"}}, "least_cases": 2})
    >>> found = groups_of(pl.DataFrame({"depot": ["A", "B", "A", None]}), table)[0]
    >>> found.values, found.codes.tolist(), dict(found.pooled)
    (('A', 'other values'), [0, 1, 0, 1], {'B': 1, 'no value': 1})
    """
    texts = {name: group_texts(frame, fairness, name=name) for name in fairness.groups}
    return tuple(
        grouping(name, texts[name], least_cases=fairness.least_cases, population=table.population)
        for name, table in fairness.groups.items()
    )


def group_texts(frame: pl.DataFrame, fairness: FairnessTable, *, name: str) -> pl.Series:
    """Give the value of one group for each case as a text; nothing is put together yet."""
    parts = fairness.groups[name].all_of or (name,)
    texts = [frame[part].cast(pl.String).fill_null(MISSING) for part in parts]
    if len(texts) == 1:
        return texts[0].alias(name)
    return frame.select(pl.concat_str(texts, separator=BETWEEN).alias(name)).to_series()


def grouping(
    name: str,
    texts: pl.Series,
    *,
    least_cases: int,
    population: Mapping[str, float] | None = None,
) -> Grouping:
    """Part cases by one text each; see :func:`groups_of`."""
    counts = texts.value_counts(name="cases").sort("cases", texts.name, descending=[True, False])
    seen = list(zip(counts[texts.name].to_list(), counts["cases"].to_list(), strict=True))
    kept = [value for value, cases in seen if cases >= least_cases and value != OTHER]
    pooled = {value: cases for value, cases in seen if cases < least_cases or value == OTHER}
    values = (*kept, *((OTHER,) if pooled else ()))
    places = {value: place for place, value in enumerate(kept)}
    codes = texts.replace_strict(places, default=len(kept), return_dtype=pl.Int32).to_numpy()
    return Grouping(name, values, codes, pooled, dict(population or {}))


def named(groups: Sequence[Grouping], name: str) -> Grouping:
    """Give the grouping of a name, which has to be there."""
    return next(each for each in groups if each.name == name)
