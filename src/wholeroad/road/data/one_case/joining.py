"""Which outcome rows belong to which case."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Literal, Self

import polars as pl

from wholeroad.core.ports import ScratchFile
from wholeroad.road.data.one_case.keyed import RECENT, Keyed
from wholeroad.road.data.row_versions import Key, Row, RowVersion


def case_key(row: Row, by: Sequence[str]) -> Key | None:
    """Give the key of the case that an outcome row belongs to; None where a part of it is null.

    Parameters
    ----------
    by
        The outcome's columns that hold the case's key, in its order: ``[outcome] by``, or the key itself.
    """
    key = tuple(row.get(name) for name in by)
    return None if None in key else key


def matched(row: Row, by: Sequence[str], *, known: Iterable[Container[Key]]) -> Literal["matched", "unknown"]:
    """Tell whether an outcome row belongs to a case that is known.

    Parameters
    ----------
    known
        Where cases are: those that were decided, those that wait, the rows of the case's source.

    Examples
    --------
    >>> matched({"id": 1}, ["id"], known=[{(1,)}]), matched({"id": None}, ["id"], known=[{(1,)}])
    ('matched', 'unknown')
    """
    key = case_key(row, by)
    return "matched" if key is not None and any(key in each for each in known) else "unknown"


def versions_of_case(
    rows: Iterable[Sequence[RowVersion]], key: Key, *, by: Sequence[str]
) -> list[RowVersion]:
    """Give the versions that belong to a case: a row may have named another case before, or may since.

    Parameters
    ----------
    rows
        The versions of each outcome row that names the case in any of them.
    """
    return [version for row in rows for version in row if case_key(version.values, by) == key]


class OutcomeRows:
    """The outcome rows of each case, where the case's key isn't the key of the outcome's source.

    Parameters
    ----------
    by
        The outcome's columns that hold the case's key, and their types.
    key
        The key of the outcome's source, and its types.
    recent
        How many rows lie in a dict before they are put into a frame.
    beside
        Where most frames lie; None: in memory.

    Examples
    --------
    >>> rows = OutcomeRows({"of": pl.Int64()}, {"row": pl.String()})
    >>> rows.add({"of": 7, "row": "a"}), rows.add({"of": 7, "row": "b"}), rows.add({"of": 7, "row": "a"})
    (None, None, None)
    >>> rows.find((7,)), rows.find((8,))
    ([('a',), ('b',)], [])
    """

    def __init__(
        self,
        by: Mapping[str, pl.DataType],
        key: Mapping[str, pl.DataType],
        *,
        recent: int = RECENT,
        beside: ScratchFile | None = None,
    ) -> None:
        self._by, self._key = tuple(by), tuple(key)
        columns = [*by.items(), *key.items()]
        # The same column may stand on both sides.
        schema = {f"{place}.{name}": dtype for place, (name, dtype) in enumerate(columns)}
        self._rows = Keyed(schema, len(by), recent=recent, beside=beside)

    @classmethod
    def from_frame(
        cls,
        rows: pl.DataFrame,
        *,
        by: Sequence[str],
        key: Sequence[str],
        beside: ScratchFile | None = None,
    ) -> Self:
        """Take over the versions of rows that landed before."""
        schema = rows.schema
        types = ({name: schema[name] for name in names} for names in (by, key))
        made = cls(*types, beside=beside)
        named = [pl.col(name).alias(f"{place}.{name}") for place, name in enumerate([*by, *key])]
        made._rows.extend(rows.drop_nulls(by).select(named).unique(maintain_order=True))
        return made

    def add(self, row: Row) -> None:
        """Note which case a row version names; one that names none is left out."""
        key = case_key(row, self._by)
        if key is not None:
            pair = (*key, *(row[name] for name in self._key))
            if pair not in self._rows.every(key):
                self._rows.add(pair)

    def find(self, key: Key) -> list[Key]:
        """Give the keys of the rows that name a case in any of their versions."""
        return [row[len(self._by) :] for row in self._rows.every(key)]
