"""Exact sums: integers all the way, one float division at the end.

Bulk and online add the same integers, so that they agree to the last bit, whatever the order in
which rows come and go. Booleans count as 0 and 1, integers as themselves. A float is rounded to a
multiple of 2**-40 (about 1e-12; half to even), a scale that is never taken from the data, and held
in two limbs: ``value * 2**40 = high * 2**32 + low``. A sum is turned into a float in one place,
:func:`to_float`, by ``(high * 2**32 + low) * 2**-40`` with ``0 <= low < 2**32``; that is the nearest
float to the exact sum while the sum is below 2**45, and within one unit in the last place above.

An online executor keeps the same sums as Python integers: :func:`quantise_one`, :func:`to_float_one`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.errors import UserError

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCALE_BITS: Final = 40
LIMB_BITS: Final = 32
LARGEST_FLOAT: Final = 2.0**50
"""Floats must be smaller than this, in absolute value."""
LARGEST_SUM: Final = 2**62
"""Sums of integers, and high limbs of sums of floats, are smaller than this in absolute value, or null.

A value that is too large by itself is refused. Values that are too large only together are nobody's fault:
their sum has no value, and all others go on.
"""

_LOW_MASK: Final = (1 << LIMB_BITS) - 1
_HIGH_SCALE: Final = 2.0 ** (SCALE_BITS - LIMB_BITS)
_LIMB: Final = 2.0**LIMB_BITS
_UNIT: Final = 2.0**-SCALE_BITS


@dataclass(frozen=True, slots=True)
class Amounts:
    """What rows add to a sum, as integers.

    Attributes
    ----------
    high
        Shape (n,): integers as themselves, or the high limbs of floats.
    low
        Shape (n,): the low limbs of floats; None for integers, or when all of them are zero.
    real
        Whether these are floats.
    subject
        What is summed, for error messages: ``arrivals.arr_delay``.
    """

    high: Integers
    low: Integers | None
    real: bool
    subject: str


def quantise(values: Floats) -> tuple[Integers, Integers]:
    """Round floats to multiples of 2**-40, half to even, as ``high * 2**32 + low``.

    Parameters
    ----------
    values
        Finite, below :data:`LARGEST_FLOAT` in absolute value.

    Returns
    -------
    high, low
        Both have the sign of the value; ``low`` is at most 2**32 in absolute value.

    Examples
    --------
    >>> high, low = quantise(np.array([1.0, -0.5]))
    >>> high.tolist(), low.tolist()
    ([256, -128], [0, 0])
    """
    scaled = values * _HIGH_SCALE
    whole = np.trunc(scaled)
    low = np.rint((scaled - whole) * _LIMB)  # the fraction of a float is a float: nothing is lost before
    return whole.astype(np.int64), low.astype(np.int64)


def quantise_one(value: float) -> int:
    """Give the multiple of 2**-40 nearest to a float; equals :func:`quantise`.

    Examples
    --------
    >>> quantise_one(-0.5) == -(2**39)
    True
    """
    return round(value * 2.0**SCALE_BITS)


def to_float(high: Integers, low: Integers | None) -> Floats:
    """Turn sums of limbs into floats.

    Parameters
    ----------
    high, low
        Shape (n,): sums of what :func:`quantise` gives; ``low`` may be any integer, None is zero.
    """
    if low is None:
        return high.astype(np.float64) * _LIMB * _UNIT
    carried = high + (low >> LIMB_BITS)
    return (carried.astype(np.float64) * _LIMB + (low & _LOW_MASK).astype(np.float64)) * _UNIT


def to_float_one(total: int) -> float:
    """Turn a sum of :func:`quantise_one` into a float; equals :func:`to_float`.

    Examples
    --------
    >>> to_float_one(quantise_one(0.1) + quantise_one(0.2))
    0.3000000000001819
    """
    return (float(total >> LIMB_BITS) * _LIMB + float(total & _LOW_MASK)) * _UNIT


def amounts(values: pl.Series, rows: Integers, *, subject: str) -> Amounts:
    """Read what rows add.

    Parameters
    ----------
    values
        Numbers or booleans.
    rows
        Which of them, none of them null or NaN.
    subject
        For error messages.

    Raises
    ------
    UserError
        ``data.infinite-value``; ``features.overflow`` when a value is too large to be summed;
        ``features.not-a-number``.
    """
    taken = values.gather(rows)
    if taken.dtype.is_float():
        floats = taken.cast(pl.Float64).to_numpy()
        _refuse_unfit(floats, subject)
        high, low = quantise(floats)
        return Amounts(high, low if low.any() else None, real=True, subject=subject)
    if not (taken.dtype.is_integer() or taken.dtype == pl.Boolean):
        raise UserError(
            "features.not-a-number",
            f"{subject} cannot be summed or averaged",
            happened=f"its type was {taken.dtype}",
            expected="a number, or a condition that counts as 0 or 1",
            fix=f"write a condition, as in \"{subject.rpartition('.')[2]} = '...'\", or count the rows",
        )
    integers = taken.cast(pl.Int64, strict=False)
    if integers.null_count():
        raise overflow(subject, "a value was outside the 64-bit integers")
    return Amounts(integers.to_numpy(), None, real=False, subject=subject)


def too_large(upper: Integers, lower: Integers, *, carry: Integers | None) -> Mask:
    """Tell which sums are out of range, and may have wrapped in 64 bits.

    Parameters
    ----------
    upper, lower
        Shape (n,): sums of ``amount >> 32`` and of ``amount & (2**32 - 1)``, which cannot wrap.
    carry
        Shape (n,): sums of low limbs, which carry into those of the high ones; None for integers.

    Returns
    -------
    ndarray
        Shape (n,): equals :func:`too_large_one` of the sums as they are.

    Examples
    --------
    >>> too_large(np.array([2**30 - 1, 2**30]), np.array([0, 0]), carry=None).tolist()
    [False, True]
    """
    if carry is not None:
        carry = carry >> LIMB_BITS
        upper, lower = upper + (carry >> LIMB_BITS), lower + (carry & _LOW_MASK)
    carried = upper + (lower >> LIMB_BITS)
    bound = LARGEST_SUM >> LIMB_BITS
    beyond: Mask = (carried >= bound) | (carried < -bound)
    return beyond


def too_large_one(total: int, *, real: bool) -> bool:
    """Tell whether a sum is out of range; a float's is in multiples of 2**-40."""
    return not -LARGEST_SUM <= (total >> LIMB_BITS if real else total) < LARGEST_SUM


def may_overflow(values: Integers) -> bool:
    """Tell whether any sum of some of these could reach :data:`LARGEST_SUM`."""
    return bool(np.abs(values.astype(np.float64)).sum() >= LARGEST_SUM / 2)


def split(values: Integers) -> tuple[Integers, Integers]:
    """Split integers into what :func:`too_large` sums."""
    return values >> LIMB_BITS, values & _LOW_MASK


def overflow(subject: str, happened: str) -> UserError:
    """Make the error for a sum that cannot be exact."""
    return UserError(
        "features.overflow",
        f"{subject} is too large to be summed exactly",
        happened=happened,
        expected="numbers with fractions below 2**50 (about 1e15), and integers of 64 bits",
        fix="divide it in the feature's expression, as in 'bytes / 1000000', or correct the row",
    )


def _refuse_unfit(floats: Floats, subject: str) -> None:
    refuse_infinite(floats, subject=subject)
    largest = float(np.abs(floats).max()) if floats.size else 0.0
    if largest >= LARGEST_FLOAT:
        raise overflow(subject, f"a value was {largest:g}")


def refuse_infinite(floats: Floats, *, subject: str) -> None:
    """Refuse infinite numbers.

    Raises
    ------
    UserError
        ``data.infinite-value``.
    """
    if np.isinf(floats).any():
        raise UserError(
            "data.infinite-value",
            f"{subject} holds an infinite number",
            happened=f"{int(np.isinf(floats).sum())} value(s) were infinite",
            expected="finite numbers, or null where there is none",
            fix="correct the rows at the source, or make them null in the feature's expression",
        )
