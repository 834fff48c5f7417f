"""Hashes of rows by their content: the same row has the same hash on every machine and in every process.

Polars promises no stable hash over its versions, and a stored identity must outlive an upgrade. Each cell is
cut into words of 64 bits, each word is mixed (the finaliser of SplitMix64; Steele, Lea, Flood 2014, *Fast
splittable pseudorandom number generators*, OOPSLA) with its place, and the mixed words are added modulo
2**64. No dictionary, no order of storage and no thread takes part.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import digest

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_NAN: Final = np.uint64(0x7FF8000000000000)
_CHUNK: Final = 500_000
_FEW: Final = 4
"""Texts are hashed once per distinct value where each occurs at least this often."""

Words = NDArray[np.uint64]


def row_hashes(frame: pl.DataFrame) -> Words:
    """Hash every row over its columns' names and values.

    The order of the columns doesn't matter, and a null is the same as no column: a column that is added
    later, empty for the old rows, leaves their hashes as they are. ``0.0`` equals ``-0.0``, all NaN are one.

    Parameters
    ----------
    frame
        Columns of text, integers, floats, booleans, dates or instants.

    Returns
    -------
    numpy.ndarray
        Shape (n,), uint64.

    Examples
    --------
    >>> import polars as pl
    >>> one, two = row_hashes(pl.DataFrame({"a": [1, 1], "b": ["x", "y"]}))
    >>> bool(one == row_hashes(pl.DataFrame({"b": ["x"], "a": [1]}))[0]), bool(one == two)
    (True, False)
    """
    total = np.zeros(frame.height, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in frame.iter_columns():
            salt = np.uint64(int(digest("column", column.name)[:16], 16))
            words = _mix(_cells(column) ^ salt)
            if column.null_count():
                words[column.is_null().to_numpy()] = 0
            total += words
        return _mix(total)


def logical_hash(frame: pl.DataFrame, without: tuple[str, ...] = ("_landed_at", "_seq")) -> str:
    """Digest a table's logical rows: names, types and the bag of rows, whatever their order or storage.

    Parameters
    ----------
    frame
        As in :func:`row_hashes`.
    without
        Columns that tell how the rows came, not what they say; left out where present.

    Returns
    -------
    str
        32 hex digits.
    """
    kept = frame.drop(without, strict=False)
    kept = kept.select(sorted(kept.columns))
    types = [f"{name}\0{dtype}" for name, dtype in kept.schema.items()]
    rows = np.sort(row_hashes(kept)).astype("<u8")
    return digest(*types, str(frame.height), rows.tobytes())


def _mix(z: Words) -> Words:
    z = z + _GOLDEN
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def _cells(column: pl.Series) -> Words:
    """Give one word per cell; what stands for a null doesn't matter."""
    dtype = column.dtype
    if dtype.is_float():
        numbers = column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0
        return np.where(np.isnan(numbers), _NAN, numbers.view(np.uint64))
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return _texts(column.cast(pl.String))
    if dtype.is_temporal() or dtype.is_integer() or dtype == pl.Boolean:
        integers = column.to_physical().cast(pl.Int64).fill_null(0)
        return integers.to_numpy().view(np.uint64)
    if dtype == pl.Null:
        return np.zeros(len(column), dtype=np.uint64)
    message = f"column {column.name!r} of type {dtype} has no content hash"
    raise TypeError(message)


def _texts(column: pl.Series) -> Words:
    if int(column.to_frame().select(pl.all().approx_n_unique()).item()) * _FEW > len(column):
        return _each_text(column)
    distinct = column.unique()
    codes = pl.DataFrame({"text": distinct, "word": _each_text(distinct)})
    words = (
        column.alias("text")
        .to_frame()
        .join(codes, on="text", how="left", maintain_order="left", nulls_equal=True)
    )
    return words["word"].to_numpy()


def _each_text(column: pl.Series) -> Words:
    if len(column) == 0:
        return np.zeros(0, dtype=np.uint64)
    parts = [column.slice(start, _CHUNK) for start in range(0, len(column), _CHUNK)]
    return np.concatenate([_few_texts(part.fill_null("")) for part in parts])


def _few_texts(column: pl.Series) -> Words:
    """Add up the mixed words of each text; its length is one of them, so that the padding doesn't matter."""
    lengths = column.str.len_bytes().cast(pl.Int64)
    padding = pl.lit("\0" * 7).str.slice(0, (8 - lengths % 8) % 8)
    padded = pl.select(pl.concat_str([column, padding])).to_series()
    words = np.frombuffer(padded.str.join("").item().encode(), dtype="<u8").astype(np.uint64)
    blocks = (-(-lengths // 8)).to_numpy()
    ends = np.cumsum(blocks)
    starts = ends - blocks
    places = np.arange(len(words)) - np.repeat(starts, blocks)
    sizes = lengths.to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed_places = _mix(np.arange(blocks.max(), dtype=np.uint64))
        sums = np.zeros(len(words) + 1, dtype=np.uint64)
        np.cumsum(_mix(words + mixed_places[places]), out=sums[1:])
        return _mix(sums[ends] - sums[starts] + _mix(sizes))
