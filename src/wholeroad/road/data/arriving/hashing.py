"""The hash of one row's content in plain integers: the one that bulk gives, without a frame."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import digest

_ALL: Final = 2**64 - 1
_SIGN: Final = 2**63
_DOUBLE: Final = struct.Struct("<d")
_WORD: Final = struct.Struct("<Q")
_LONG: Final = 256
"""Bytes of text beyond which numpy is faster."""


class ContentHash:
    """Hashes rows of one schema as :func:`~wholeroad.road.data.content.row_hashes` does, one at a time.

    Parameters
    ----------
    schema
        The columns, of kept types.

    Examples
    --------
    >>> from wholeroad.road.data.content import row_hashes
    >>> frame = pl.DataFrame({"id": ["a"], "km": [2.5]})
    >>> ContentHash(frame.schema).of(["a", 2.5]) == row_hashes(frame).view("int64").item()
    True
    """

    def __init__(self, schema: Mapping[str, pl.DataType]) -> None:
        self._columns = [(_salt(name), _cell_of(dtype)) for name, dtype in schema.items()]

    def of(self, values: Sequence[Any]) -> int:
        """Hash physical values, in the order of the columns; a signed integer of 64 bits."""
        total = 0
        for (salt, cell), value in zip(self._columns, values, strict=True):
            if value is not None:
                total += _mix(cell(value) ^ salt)
        word = _mix(total)
        return word - 2 * _SIGN if word >= _SIGN else word


def _mix(z: int) -> int:
    z = (z + 0x9E3779B97F4A7C15) & _ALL
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _ALL
    return z ^ (z >> 31)


_STEP: Final = 0x9E3779B97F4A7C15
_WORDS: Final = [struct.Struct(f"<{count}Q") for count in range(_LONG // 8 + 1)]
_PAD: Final = [bytes(-odd % 8) for odd in range(8)]
_LENGTHS: Final = [_mix(length) for length in range(_LONG + 1)]
_PLACES: Final = [_LENGTHS[place] + _STEP for place in range(_LONG // 8)]
"""What is added to a word before its bits are mixed: the mixed number of its place, and the first step."""


@cache
def _salt(name: str) -> int:
    return int(digest("column", name)[:16], 16)


def _cell_of(dtype: pl.DataType) -> Callable[[Any], int]:
    if dtype.is_float():
        return _of_number
    return _of_text if isinstance(dtype, pl.String) else _of_integer


def _of_integer(value: int) -> int:
    return int(value) & _ALL


def _of_number(value: float) -> int:
    return int(_WORD.unpack(_DOUBLE.pack(value + 0.0))[0])


def _of_text(value: str) -> int:
    data = value.encode()
    if len(data) > _LONG:
        return _of_long(data)
    total = 0
    count = (size := len(data)) + 7 >> 3
    for word, place in zip(_WORDS[count].unpack(data + _PAD[size & 7]), _PLACES, strict=False):
        z = word + place & _ALL
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _ALL
        z = (z ^ z >> 27) * 0x94D049BB133111EB & _ALL
        total += z ^ z >> 31
    return _mix(total + _LENGTHS[size])


def _of_long(data: bytes) -> int:
    """Hash as :func:`_of_text` does, all words at once: text of megabytes must hold nobody up."""
    words = np.frombuffer(data + bytes(-len(data) % 8), dtype="<u8")
    with np.errstate(over="ignore"):
        mixed = _mix_many(words + _mix_many(np.arange(words.size, dtype=np.uint64)))
        total = int(mixed.sum(dtype=np.uint64))
    return _mix(total + _mix(len(data)))


def _mix_many(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed
