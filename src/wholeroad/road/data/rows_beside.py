"""Rows of a frame that lie beside memory, each found by its place."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from wholeroad.core.ports import ScratchFile

_BLOCK: Final = 16_384

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

    A row is a record of one width: where its texts begin, then the value of each column, or a text's length;
    and for columns with nulls whether it is there. The texts of a row lie together, before the records of its
    block. Of codes the texts are kept in memory, each once.

    Parameters
    ----------
    frame
        Of physical values; :meth:`fits` says whether each has a type that can lie here.
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
    >>> rows = RowsBeside(frame, beside=TemporaryScratchFile())
    >>> rows.row(0), rows.row(1)
    ((7, 'Oslo'), (None, 'Rome'))
    """

    def __init__(self, frame: pl.DataFrame, *, beside: ScratchFile, block: int = _BLOCK) -> None:
        self._beside = beside
        self._block = block
        self._columns = [_column(each) for each in frame.iter_columns()]
        self._record = struct.Struct("<Q" + "".join(letter for _, letter in self._fields()))
        self._starts = [self._write(rows) for rows in frame.iter_slices(block)]

    @staticmethod
    def fits(frame: pl.DataFrame) -> bool:
        """Tell whether every column has a type that can lie beside memory."""
        return all(dtype in _LETTERS or dtype == pl.String or _is_coded(dtype) for dtype in frame.dtypes)

    def row(self, place: int) -> tuple[Any, ...]:
        """Give a row."""
        block, within = divmod(place, self._block)
        size = self._record.size
        at, *said = self._record.unpack(self._beside.read(self._starts[block] + within * size, size))
        values = list[Any]()
        fields = iter(said)
        for column in self._columns:
            value = next(fields)
            if column.nulls and not next(fields):
                value = None
            elif column.texts is not None:
                value = column.texts[value]
            elif column.long:
                length, value = value, None
                if length != _NULL:
                    value = self._beside.read(at, length).decode()
                    at += length
            values.append(value)
        return tuple(values)

    def _fields(self) -> Iterator[tuple[str, str]]:
        """Name the fields of a record after the first, each with its letter."""
        for place, column in enumerate(self._columns):
            yield f"{place}", column.letter
            if column.nulls:
                yield f"is{place}", "?"

    def _write(self, rows: pl.DataFrame) -> int:
        """Write a block, and give where its records begin."""
        kinds = [("at", "<u8"), *((name, f"<{letter}") for name, letter in self._fields())]
        records = np.zeros(rows.height, dtype=kinds)
        texts = []
        for place, (column, values) in enumerate(zip(self._columns, rows.iter_columns(), strict=True)):
            if column.long:
                texts.append(values)
                records[f"{place}"] = values.str.len_bytes().fill_null(_NULL).to_numpy()
                continue
            if column.nulls:
                records[f"is{place}"] = values.is_not_null().to_numpy()
            records[f"{place}"] = values.to_physical().fill_null(strategy="zero").to_numpy()
        if texts:
            whole = pl.DataFrame(texts).select(text=pl.concat_str(pl.all(), ignore_nulls=True))
            lengths = whole["text"].str.len_bytes().to_numpy().astype(np.uint64)
            start = self._beside.append(whole.select(pl.col("text").str.join("")).item().encode())
            records["at"] = start + np.cumsum(lengths) - lengths
        return self._beside.append(records.tobytes())


class _Column(NamedTuple):
    """How a column lies in a record.

    Attributes
    ----------
    long
        Whether it is texts, of which the record has the length.
    nulls
        Whether a record says if its value is there.
    texts
        What codes stand for; None where the values are their own.
    """

    letter: str
    long: bool
    nulls: bool
    texts: Mapping[int, str] | None


def _column(values: pl.Series) -> _Column:
    if values.dtype == pl.String:
        return _Column("I", long=True, nulls=False, texts=None)
    texts = None
    if _is_coded(values.dtype):
        each = values.drop_nulls().unique()
        texts = dict(zip(each.to_physical().to_list(), each.cast(pl.String).to_list(), strict=True))
    letter = _LETTERS[values.to_physical().dtype]
    return _Column(letter, long=False, nulls=values.null_count() > 0, texts=texts)


def _is_coded(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Categorical | pl.Enum)
