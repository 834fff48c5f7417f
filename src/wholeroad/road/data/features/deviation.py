"""Exact standard deviations: integer sums of values and of squares, floats at the end only.

A value is an integer ``q``, as in :mod:`wholeroad.road.data.features.exact`: itself, or a multiple of
2**-40. Its square has up to 180 bits and is held in limbs of 32 bits, each summed on its own; with
fewer than 2**31 rows no sum of limbs reaches 2**63. From the exact sums the one formula is

    sqrt(float(n * sum(q * q) - sum(q)**2) / float(n * (n - 1))) * unit

where both integers are exact, and are rounded to the nearest float (half to even) once. It takes no
small difference of large floats, so it is sound for values that differ little. An online executor
keeps the sums as Python integers: :func:`deviation_one`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.features.exact import LIMB_BITS, SCALE_BITS, Floats, Integers

Words = NDArray[np.uint64]

_BITS: Final = np.uint64(LIMB_BITS)
_MASK: Final = np.uint64((1 << LIMB_BITS) - 1)
_TWO: Final = np.uint64(2)
_UNIT: Final = 2.0**-SCALE_BITS
_BLOCK: Final = 1 << 16


def squares(high: Integers, low: Integers | None, *, real: bool) -> list[Integers | None]:
    """Square integers.

    Parameters
    ----------
    high, low
        Shape (n,): as in :class:`~wholeroad.road.data.features.exact.Amounts`.
    real
        Whether an integer is ``high * 2**32 + low``, or ``high`` alone.

    Returns
    -------
    list
        Limbs of 32 bits, the lowest first; None for one that is zero everywhere.

    Examples
    --------
    >>> limbs = squares(np.array([-3, 2**20]), None, real=False)
    >>> [None if limb is None else limb.tolist() for limb in limbs]
    [[9, 0], [0, 256], None, None, None, None]
    """
    limbs = _square(_magnitude(high, low, real=real))
    return [limb.astype(np.int64) if limb.any() else None for limb in limbs]


def deviations(
    count: Integers, *, high: Integers, low: Integers | None, squared: Sequence[Integers | None], real: bool
) -> Floats:
    """Give sample standard deviations; equals :func:`deviation_one`.

    Parameters
    ----------
    count
        Shape (m,): how many values, below 2**31.
    high, low, real
        Their sums.
    squared
        Sums of the limbs of :func:`squares`.

    Returns
    -------
    ndarray
        Shape (m,): zero or more, NaN where there are fewer than two values.
    """
    out = np.full(count.size, np.nan)
    several = np.flatnonzero(count >= 2)
    for start in range(0, several.size, _BLOCK):  # the limbs of a block, not of millions of cases
        block = several[start : start + _BLOCK]
        many = count[block]
        total = _magnitude(high[block], None if low is None else low[block], real=real)
        sums = [np.zeros(block.size, np.int64) if limb is None else limb[block] for limb in squared]
        spread = to_nearest(_subtracted(_multiplied(sums, many), _square(total)))
        pairs = (many * (many - 1)).astype(np.float64)
        out[block] = np.sqrt(spread / pairs) * (_UNIT if real else 1.0)
    return out


def deviation_one(count: int, total: int, *, squared: int, real: bool) -> float | None:
    """Give one sample standard deviation from exact sums; equals :func:`deviations`.

    Parameters
    ----------
    count, total, squared
        How many integers, their sum and the sum of their squares.
    real
        Whether they are multiples of 2**-40, as of
        :func:`~wholeroad.road.data.features.exact.quantise_one`.

    Examples
    --------
    >>> deviation_one(3, 6, squared=14, real=False)
    1.0
    """
    if count < 2:
        return None
    spread = float(count * squared - total * total)
    return sqrt(spread / float(count * (count - 1))) * (_UNIT if real else 1.0)


def to_nearest(limbs: Sequence[Words]) -> Floats:
    """Turn integers into the nearest floats, half to even.

    Parameters
    ----------
    limbs
        Each shape (m,): limbs of 32 bits, the lowest first.
    """
    size = limbs[0].size
    zero = np.zeros(size, np.uint64)
    stack = np.stack([zero, zero, *limbs])
    top = stack.shape[0] - 1 - np.argmax(stack[::-1] != 0, axis=0)
    top = np.maximum(top, 2)
    at = np.arange(size)
    first, second, third = stack[top, at], stack[top - 1, at], stack[top - 2, at]
    more = (np.cumsum(stack != 0, axis=0)[top - 2, at] - (third != 0)) > 0
    width = np.frexp(first.astype(np.float64))[1].astype(np.uint64)
    leading = ((first << _BITS) | second) << (_BITS - width) | (third >> width)
    lost = (third & ((np.uint64(1) << width) - np.uint64(1))) != 0
    # A last bit that says whether anything was lost: the cast then rounds as from the whole integer.
    leading |= (lost | more).astype(np.uint64)
    exponent = LIMB_BITS * (top - 3) - LIMB_BITS + width.astype(np.int64)
    nearest: Floats = np.ldexp(leading.astype(np.float64), exponent.astype(np.int32))
    return nearest


def _magnitude(high: Integers, low: Integers | None, *, real: bool) -> list[Words]:
    """Give absolute values as three limbs; a square doesn't need the sign."""
    if not real:
        # -(-2**63) wraps to itself, and is right again when it is read without a sign.
        plain = np.abs(high).view(np.uint64)
        return [plain & _MASK, plain >> _BITS, np.zeros_like(plain)]
    below = np.zeros_like(high) if low is None else low
    carried = high + (below >> LIMB_BITS)
    rest = below & ((1 << LIMB_BITS) - 1)
    negative = carried < 0
    borrowed = negative & (rest > 0)
    above = np.where(negative, -carried - borrowed, carried).view(np.uint64)
    lowest = np.where(borrowed, (1 << LIMB_BITS) - rest, rest).view(np.uint64)
    return [lowest, above & _MASK, above >> _BITS]


def _square(limbs: Sequence[Words]) -> list[Words]:
    columns = [np.zeros_like(limbs[0]) for _ in range(2 * len(limbs))]
    for i, left in enumerate(limbs):
        for j in range(i, len(limbs)):
            product = left * limbs[j]
            times = _TWO if i < j else np.uint64(1)
            columns[i + j] += (product & _MASK) * times
            columns[i + j + 1] += (product >> _BITS) * times
    return _carried(columns)


def _multiplied(sums: Sequence[Integers], many: Integers) -> list[Words]:
    """Multiply sums of limbs, below 2**63 each, by numbers below 2**31."""
    words = [total.view(np.uint64) for total in sums]
    nothing = np.zeros_like(words[0])
    limbs = _carried([*words, nothing, nothing])
    return _carried([limb * many.astype(np.uint64) for limb in limbs])


def _carried(columns: Sequence[Words]) -> list[Words]:
    limbs, carry = [], np.zeros_like(columns[0])
    for column in columns:
        carry = carry + column
        limbs.append(carry & _MASK)
        carry >>= _BITS
    return limbs


def _subtracted(larger: Sequence[Words], smaller: Sequence[Words]) -> list[Words]:
    """Subtract from limbs that are no smaller as a whole."""
    limbs, borrow = [], np.zeros(larger[0].size, np.int64)
    for place, limb in enumerate(larger):
        left = limb.view(np.int64) - borrow
        if place < len(smaller):
            left -= smaller[place].view(np.int64)
        limbs.append((left & ((1 << LIMB_BITS) - 1)).view(np.uint64))
        borrow = (left < 0).astype(np.int64)
    return limbs
