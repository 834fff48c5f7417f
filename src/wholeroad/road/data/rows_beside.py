"""Rows of a frame that lie beside memory, each found by its place."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ports import ScratchFile

_BLOCK: Final = 65_536

_NULL: Final = 2**32 - 1
"""Says of a text's length that there is none."""

_LETTERS: Final[dict[pl.DataType, str]] = {
    pl.Boolean(): "?",
    pl.Int8(): "b",
    pl.Int16(): "h",
    pl.Int32(): "i",
    pl.Int64(): "q",
    pl.UInt8(): "B",
    pl.UInt16(): "H",
    pl.UInt32(): "I",
    pl.UInt64(): "Q",
    pl.Float32(): "f",
    pl.Float64(): "d",
}
"""By type: its letter in ``struct``, which is NumPy's as well."""


class RowsBeside:
    """Rows by place, as ``DataFrame.row`` gives them; in memory there is nothing of any row.

    A row is a record of one width: the place of its texts, then for each column a value and whether it is
    there, or a text's length. The texts of a row lie together before the records of its block.

    Parameters
    ----------
    frame
        Of physical values; :meth:`fits` says whether each has a type that can lie here.
    order
        The rows in the order of their places.
    beside
        Where they lie.
    block
        Rows that are written at a time: what is made of them for that is as small as this.

    Raises
    ------
    UserError
        ``project.unusable``, such as for a full disk.

    Examples
    --------
    >>> from wholeroad.adapters.scratch import TemporaryScratchFile
    >>> frame = pl.DataFrame({"id": [7, None], "city": ["Oslo", "Rome"]})
    >>> rows = RowsBeside(frame, np.array([1, 0]), beside=TemporaryScratchFile())
    >>> rows.row(0), rows.row(1), len(rows)
    ((None, 'Rome'), (7, 'Oslo'), 2)
    """

    def __init__(
        self, frame: pl.DataFrame, order: NDArray[np.intp], *, beside: ScratchFile, block: int = _BLOCK
    ) -> None:
        self._beside = beside
        self._block = block
        self._count = frame.height
        self._texts = [_is_text(dtype) for dtype in frame.dtypes]
        letters = "".join(
            "I" if text else f"{_LETTERS[dtype]}?"
            for text, dtype in zip(self._texts, frame.dtypes, strict=True)
        )
        self._record = struct.Struct(f"<Q{letters}")
        self._starts = [
            self._write(frame[order[first : first + block]]) for first in range(0, frame.height, block)
        ]

    @staticmethod
    def fits(frame: pl.DataFrame) -> bool:
        """Tell whether every column has a type that can lie beside memory."""
        return all(_is_text(dtype) or dtype in _LETTERS for dtype in frame.dtypes)

    def __len__(self) -> int:
        """Count the rows."""
        return self._count

    def row(self, place: int) -> tuple[Any, ...]:
        """Give a row."""
        block, within = divmod(place, self._block)
        size = self._record.size
        at, *said = self._record.unpack(self._beside.read(self._starts[block] + within * size, size))
        return tuple(self._values(iter(said), at))

    def _values(self, said: Iterator[Any], at: int) -> Iterator[Any]:
        for text in self._texts:
            value = next(said)
            if not text:
                yield value if next(said) else None
            elif value == _NULL:
                yield None
            else:
                yield self._beside.read(at, value).decode()
                at += value

    def _write(self, rows: pl.DataFrame) -> int:
        """Write a block, and give where its records begin."""
        kinds = [("at", "<u8")]
        for place, (text, dtype) in enumerate(zip(self._texts, rows.dtypes, strict=True)):
            kinds += (
                [(f"{place}", "<u4")] if text else [(f"{place}", f"<{_LETTERS[dtype]}"), (f"is{place}", "?")]
            )
        records = np.zeros(rows.height, dtype=kinds)
        texts = []
        for place, (text, column) in enumerate(zip(self._texts, rows.iter_columns(), strict=True)):
            if text:
                shown = column.cast(pl.String)
                texts.append(shown.alias(f"{place}"))
                records[f"{place}"] = shown.str.len_bytes().fill_null(_NULL).to_numpy()
            else:
                records[f"{place}"] = column.fill_null(strategy="zero").to_numpy()
                records[f"is{place}"] = column.is_not_null().to_numpy()
        if texts:
            whole = pl.DataFrame(texts).select(pl.concat_str(pl.all(), ignore_nulls=True)).to_series()
            lengths = whole.str.len_bytes().to_numpy().astype(np.uint64)
            start = self._beside.append("".join(whole.to_list()).encode())
            records["at"] = start + np.cumsum(lengths) - lengths
        return self._beside.append(records.tobytes())


def _is_text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
