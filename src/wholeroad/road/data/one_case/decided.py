"""Decided cases, kept for the outcomes that come weeks later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Self

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.core.ports import ScratchFile
from wholeroad.road.brief.feature_rules import OUTCOMES
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.cases import DECIDED, ID
from wholeroad.road.data.features.specs import Derived, Latest, Window
from wholeroad.road.data.one_case.keyed import RECENT, Keyed
from wholeroad.road.data.row_versions import Key, Row


class Decided(NamedTuple):
    """What is kept of a decided case.

    Attributes
    ----------
    decided_at
        When it was decided.
    id
        The stable hash of its key, as :func:`~wholeroad.road.data.cases.key_hash` gives it.
    row
        Its key and the columns of :func:`kept_columns`, as known when it was decided.
    """

    decided_at: Instant
    id: int
    row: Row


def kept_columns(bound: Bound, schema: Mapping[str, pl.DataType], *, key: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a case that its truth, and features of outcomes, ask for; the key comes first.

    Parameters
    ----------
    schema
        Of the case's source, as landed.
    key
        The case's key.
    """
    used = {name.removeprefix("case.") for name in bound.truth.columns if name.startswith("case.")}
    for feature in (*bound.features, *bound.groups):
        if isinstance(feature, Derived) or feature.source != OUTCOMES:
            continue
        used.update(column for _, column in feature.by)
        if isinstance(feature, Latest):
            used.add(feature.column)
        elif isinstance(feature, Window):
            used.update(*(part.columns for part in (feature.value, feature.where) if part))
    return (*key, *(name for name in schema if name in used and name not in key))


class DecidedCases:
    """Decided cases by key.

    An outcome of a case that isn't here yet needs nothing: it lies with the rows of its source, and is found
    there when the case comes.

    Parameters
    ----------
    schema
        Of the kept columns of the case, the key's first.
    key
        The case's key.
    recent
        How many cases lie in a dict before they are put into a frame.
    beside
        Where most frames lie; None: in memory.

    Examples
    --------
    >>> cases = DecidedCases({"id": pl.Int64(), "city": pl.String()}, ("id",))
    >>> cases.add((7,), Decided(1_000, 42, {"id": 7, "city": "Oslo"}))
    >>> cases.find((7,)).row["city"], cases.find((8,)), len(cases)
    ('Oslo', None, 1)
    """

    def __init__(
        self,
        schema: Mapping[str, pl.DataType],
        key: Sequence[str],
        *,
        recent: int = RECENT,
        beside: ScratchFile | None = None,
    ) -> None:
        rest = [name for name in schema if name not in key]
        self._names = (*key, *rest)
        self._pick = _picker(self._names)
        columns = {name: schema[name] for name in self._names}
        every = {**columns, DECIDED: pl.Int64(), ID: pl.UInt64()}
        self._rows = Keyed(every, len(key), recent=recent, beside=beside)

    @classmethod
    def from_frame(
        cls,
        cases: pl.DataFrame,
        columns: Sequence[str],
        *,
        key: Sequence[str],
        beside: ScratchFile | None = None,
    ) -> Self:
        """Take over cases that were decided before.

        Parameters
        ----------
        cases
            As :class:`~wholeroad.road.data.cases.Cases` has them, each once.
        columns
            Those to keep; the key is kept anyway.
        beside
            Where most of them lie; None: in memory.
        """
        names = [*key, *(name for name in columns if name not in key)]
        made = cls({name: cases.schema[name] for name in names}, key, beside=beside)
        made._rows.extend(cases)
        return made

    def __len__(self) -> int:
        """Count the cases."""
        return len(self._rows)

    def __contains__(self, key: Key) -> bool:
        """Tell whether a case was decided."""
        return self._rows.first(key) is not None

    def add(self, key: Key, case: Decided) -> None:
        """Keep a case that was decided just now; one that is kept already stays as it is."""
        if key not in self:
            self.add_new(key, case)

    def add_new(self, key: Key, case: Decided) -> None:
        """Keep a case of which it is known that it isn't kept yet."""
        self._rows.add((*self._pick(case.row), case.decided_at, case.id), key)

    def find(self, key: Key) -> Decided | None:
        """Give a case by its key; None when it wasn't decided, or a part of the key is null."""
        row = self._rows.first(key)
        if row is None:
            return None
        return Decided(row[-2], row[-1], dict(zip(self._names, row, strict=False)))


def _picker(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(names) == 1:
        (only,) = names
        return lambda row: (row[only],)
    return itemgetter(*names)
