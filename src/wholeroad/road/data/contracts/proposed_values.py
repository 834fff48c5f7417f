"""What the values of a column may be promised to be: a range, or what is allowed, with the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import polars as pl

LEAST: Final = 100
"""Values, below which nothing is said about what others may be."""

_FEW_TEXTS: Final = 50
_FEW_CODES: Final = 20
_EACH: Final = 10
"""How often each of a few values has to be there for all to have been seen."""

_ENDS: Final = 30
"""How often the last value has to be there to be the end of what there is."""

_STAND_INS: Final = (
    -1.0,
    -9.0,
    -99.0,
    -999.0,
    -9999.0,
    -99999.0,
    999.0,
    9999.0,
    99999.0,
    999999.0,
    9999999.0,
)
"""Numbers that stand for no value."""

_AGAIN: Final = 3
_TAIL: Final = (1.0, 10.0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range that a column of numbers may be promised to keep.

    Attributes
    ----------
    low, high
        Both are in it.
    why
        From what it was told.
    left_out
        Values that were taken for stand-ins.
    """

    low: float
    high: float
    why: str
    left_out: tuple[float, ...] = ()


def propose_allowed(column: pl.Series) -> tuple[tuple[str | int, ...], str] | None:
    """Propose the values of a column of few texts or codes, where all of them have been seen.

    All have been seen when each was there ten times: by Good and Turing the share of rows with a value still
    unseen is about that of values seen once (Good 1953, *The population frequencies of species*, Biometrika
    40, section 2), which is none, with room to spare. Codes are integers with gaps: without a gap a range
    says as much.
    """
    values = column.drop_nulls()
    most = _FEW_TEXTS if column.dtype == pl.String else _FEW_CODES
    if len(values) < LEAST or column.dtype not in (pl.String(), pl.Int64()):
        return None
    if values.head(20_000).n_unique() > most:
        return None
    counts = values.value_counts().sort(column.name)
    rarest = min(counts["count"].to_list())
    if not 2 <= counts.height <= most or rarest < _EACH:
        return None
    found = counts[column.name].to_list()
    if column.dtype == pl.Int64():
        gaps = found[-1] - found[0] + 1 > len(found)
        if not gaps or max(abs(each) for each in found) >= 10**9:
            return None
    return tuple(found), f"all {counts.height} values that came, each {rarest:,} times or more"


def propose_range(column: pl.Series) -> Bounds | None:
    """Propose a range that holds for numbers to come, and catches what is wrong by its sign or its order.

    The extremes of a sample are no bounds: the next sample has others. An end where values pile up (thirty
    times or more the same, and no rarer than a fifth of its neighbour) is the end. Elsewhere the distance
    from the median to the extreme is added once more, and more often (up to ten times) the further out the
    extreme lies than the 99th percentile: a heavy tail has a greater maximum yet. The end is rounded
    outwards. What was never negative stays so. Numbers like -999 that come again and again, far from the
    others, are taken for stand-ins and left out.
    """
    values = column.drop_nulls().cast(pl.Float64)
    if len(values) < LEAST:
        return None
    values, left_out = _without_stand_ins(values)
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    if len(values) < LEAST or low == high:
        return None
    middle = float(values.median())  # type: ignore[arg-type]
    ends = [_end(values, sign=sign, middle=sign * middle) for sign in (-1, 1)]
    bottom, top = -ends[0][0], ends[1][0]
    if low >= 0:
        bottom = max(bottom, 0.0)
    if high <= 0:
        top = min(top, 0.0)
    kinds = " and ".join(dict.fromkeys(kind for _, kind in ends))
    why = f"{len(values):,} values from {low:.6g} to {high:.6g}; {kinds}"
    if low >= 0 and bottom == 0 < low:
        why += "; never below 0"
    return Bounds(bottom, top, why, left_out)


def _end(values: pl.Series, *, sign: int, middle: float) -> tuple[float, str]:
    """Give the upper end of the values, or with a sign of -1 that of their negatives."""
    seen = values if sign > 0 else -values
    last = float(seen.max())  # type: ignore[arg-type]
    at_last = int((seen == last).sum())
    if at_last >= _ENDS:
        neighbour = float(seen.filter(seen < last).max())  # type: ignore[arg-type]
        if at_last >= 0.2 * int((seen == neighbour).sum()):
            return last, "an end where values pile up is the end"
    near = float(seen.quantile(0.99) or 0.0)
    reach = last - middle
    tail = reach / (near - middle) if near > middle else _TAIL[1]
    factor = min(max(tail**1.5, _TAIL[0]), _TAIL[1])
    end = last + factor * reach
    return _outwards(end, reach), "an open end with room for a greater one"


def _outwards(value: float, scale: float) -> float:
    """Round up to a number that people would write: 1, 2 or 5 times a power of ten, or the scale's steps."""
    step = 10.0 ** math.floor(math.log10(scale)) if scale > 0 else 1.0
    if value > 0:
        power = 10.0 ** math.floor(math.log10(value))
        nice = next(each * power for each in (1.0, 2.0, 5.0, 10.0) if each * power >= value * (1 - 1e-12))
        if nice <= value + 2 * scale:
            return nice
    return math.ceil(value / step) * step + 0.0


def _without_stand_ins(values: pl.Series) -> tuple[pl.Series, tuple[float, ...]]:
    left_out = []
    for number in _STAND_INS:
        same = values == number
        others = values.filter(~same)
        if int(same.sum()) < _AGAIN or len(others) < LEAST:
            continue
        low, high = float(others.min()), float(others.max())  # type: ignore[arg-type]
        far = max(high - low, abs(low), abs(high)) if abs(number) > 9 else 0.0
        if (number < low and (low >= 0 or low - number > far)) or number - high > far:
            left_out.append(number)
            values = others
    return values, tuple(left_out)
