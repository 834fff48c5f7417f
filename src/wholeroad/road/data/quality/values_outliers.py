"""Values so far out that the column's own tail doesn't explain them, and that move its sum.

In a tail that falls as a power the logarithms of neighbouring order statistics lie apart by exponential
spacings of one scale (Rényi; Weissman 1978, Estimation of parameters and large quantiles based on the k
largest observations, JASA 73); tails that fall faster have smaller ones. A spacing that is far too great
for this scale parts what belongs to the column from what doesn't. The fence from which on values are looked
at is the adjusted boxplot's, which allows for skewness (Hubert and Vandervieren 2008, An adjusted boxplot
for skewed distributions, Computational Statistics and Data Analysis 52, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Floats, Numbers
from wholeroad.road.data.quality.values_impossible import explained
from wholeroad.road.data.quality.values_telling import Found, column, figure, literal, share_of, tell

_TAIL: Final = 0.06
"""Share of the values that is taken for the tail."""
_FEWEST: Final = 25
_APART: Final = 2.0
"""What is out is at least so many times as far as what isn't."""
_CERTAIN: Final = 3e-4
_MOVES: Final = 0.01
"""Share of the column's sum (of distances from the median) that outliers make up at least."""
_SAMPLE: Final = 1_001


def find_outliers(seen: Seen) -> Iterator[Trouble]:
    """Find values beyond what the tail of the column explains, which move its sum."""
    for numbers in seen.looked.numbers.values():
        if numbers.identifies or numbers.sound[0].size < 20 or numbers.present < 100:
            continue
        middle = float(np.median(numbers.ordered))
        for above in (True, False):
            bar = _bar(numbers, middle, above=above)
            if bar is None:
                continue
            trouble = _told(seen, numbers, bar=bar, above=above)
            if trouble:
                yield trouble


def _bar(numbers: Numbers, middle: float, *, above: bool) -> float | None:
    """Give the least of the values that are out; None where none are."""
    ordered = numbers.ordered
    away = ordered[ordered > middle] - middle if above else (middle - ordered[ordered < middle])[::-1]
    count = away.size
    if count < 2 * _FEWEST:
        return None
    tail = max(_FEWEST, min(int(_TAIL * ordered.size), count - 1))
    logs = np.log(away[-tail - 1 :])[::-1]
    ranks = np.arange(1, tail + 1)
    spacings = ranks * (logs[:-1] - logs[1:])
    gaps = logs[:-1] - logs[1:]
    place = int(np.where(gaps >= math.log(_APART), spacings, 0.0).argmax())
    if gaps[place] < math.log(_APART):
        return None
    inner = spacings[place + 1 :]
    if inner.size < _FEWEST // 2:
        return None
    scale = max(float(inner.mean()), 1e-9)
    looks = 1.7 * (place + 1) ** 2  # so that the chances of all places add up to one (spending)
    chance = looks * math.exp(-min(700.0, float(spacings[place]) / scale))
    out = float(away[count - 1 - place])
    fence = _fence(ordered, above=above)
    value = middle + out if above else middle - out
    beyond = value > fence if above else value < fence
    moved = float(away[count - 1 - place :].sum()) / float(np.abs(ordered - middle).sum())
    return value if chance < _CERTAIN and beyond and moved >= _MOVES else None


def _fence(ordered: Floats, *, above: bool) -> float:
    """Give an end of the adjusted boxplot's whiskers."""
    low, high = (float(end) for end in np.quantile(ordered, [0.25, 0.75]))
    skew = medcouple(ordered[:: max(1, ordered.size // _SAMPLE)])
    width = high - low
    if above:
        return high + 1.5 * math.exp((3 if skew >= 0 else 4) * skew) * width
    return low - 1.5 * math.exp((-4 if skew >= 0 else -3) * skew) * width


def medcouple(ordered: Floats) -> float:
    """Give the medcouple of values in rising order, -1 to 1: a robust skewness, 0 where they are symmetric.

    By its definition (Brys, Hubert and Struyf 2004, A robust measure of skewness, section 2), over all
    pairs: for a thousand values at most.

    Examples
    --------
    >>> medcouple(np.arange(9.0)), medcouple(np.exp(np.arange(9.0))) > 0.4
    (0.0, True)
    """
    middle = float(np.median(ordered))
    low, high = ordered[ordered < middle], ordered[ordered > middle]
    if not low.size or not high.size:
        return 0.0
    up, down = high[:, None] - middle, middle - low[None, :]
    return float(np.median((up - down) / (up + down)))


def _told(seen: Seen, numbers: Numbers, *, bar: float, above: bool) -> Trouble | None:
    values = numbers.cleared
    with np.errstate(invalid="ignore"):
        mask = values >= bar if above else values <= bar
    count = int(mask.sum())
    if not count or explained(seen, mask):
        return None
    rest = numbers.ordered[numbers.ordered < bar] if above else numbers.ordered[numbers.ordered > bar]
    end = float(rest[-1] if above else rest[0])
    total = float(np.nansum(np.abs(values)))
    part = float(np.nansum(np.abs(values[mask]))) / max(total, 1e-300)
    where = f"{column(numbers.name)} {'>=' if above else '<='} {literal(bar)}"
    low, high = numbers.ordered[0], numbers.ordered[-1]
    span = [_end(end if not above else low), _end(end if above else high)]
    return tell(
        seen,
        Found(
            code="quality.outliers",
            columns=(numbers.name,),
            what=f"{numbers.name} is {figure(bar)} or {'more' if above else 'less'} in {count} rows "
            f"({share_of(count, numbers.present)}), which are {100 * part:.0f} % of its sum; all others end "
            f"at {figure(end)}",
            risk="a few rows rule every sum and mean, and what a model learns for the others",
            where=where,
            mask=mask,
            mend={"clip": numbers.name, "range": span, "where": where},
            leave="when they are real: then money depends on these cases, and they need their own rule",
            strength=1 + abs(math.log10(max(abs(bar), 1e-12) / max(abs(end), 1e-12))),
        ),
    )


def _end(value: float) -> float:
    return float(value)
