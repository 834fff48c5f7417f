"""Stable ids of few cases: what :func:`~wholeroad.road.data.cases.key_hash` gives, without a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from wholeroad.road.data.arriving.hashing import ContentHash
from wholeroad.road.data.cases import HASHED, SEPARATOR, key_hash
from wholeroad.road.data.few_rows import frame_of
from wholeroad.road.data.row_versions import Key

_ALL = 2**64 - 1


class KeyIds:
    """Ids of cases from their keys; keys of texts and integers are hashed here, others in a frame.

    Parameters
    ----------
    key
        The key's columns, with their types.

    Examples
    --------
    >>> KeyIds({"id": pl.Int64()}).of([(7,)]) == KeyIds({"id": pl.String()}).of([("7",)])
    True
    """

    def __init__(self, key: Mapping[str, pl.DataType]) -> None:
        self._key = dict(key)
        self._hash = key_hash([*key])
        self._content = ContentHash({HASHED: pl.String()})
        self._plain = all(each == pl.String or each.is_integer() for each in key.values())

    def of(self, keys: Sequence[Key]) -> list[int]:
        """Give the ids, unsigned 64 bits, in the order of the keys; no part of a key is null."""
        if not self._plain:
            return self._of_frame(keys)
        of = self._content.of
        return [of((SEPARATOR.join(map(str, key)),)) & _ALL for key in keys]

    def _of_frame(self, keys: Sequence[Key]) -> list[int]:
        rows = [dict(zip(self._key, key, strict=True)) for key in keys]
        ids: list[int] = frame_of(rows, self._key).select(self._hash).to_series().to_list()
        return ids
