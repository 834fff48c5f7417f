"""Conditions that describe slices: how features are cut into a few levels, and how that is said.

Numbers are cut at quantiles, finer at both ends, where losses gather; each cut is the roundest number near
its quantile, so that the sentence and the cases agree exactly. Of texts the most frequent values stand for
themselves. No value is a level of its own everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.watch.sliced import Condition

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Members = NDArray[np.bool_]

QUANTILES: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)
NEAR: Final = 0.015
"""How far a cut may be from its quantile, as a share of the cases; less where the quantile is near an end."""
HEAVY: Final = 0.05
"""A number that so many of the cases share gets a level of its own: often 0."""
MOST_VALUES: Final = 20
"""Of texts so many stand for themselves; the rest are one level."""


@dataclass(frozen=True, slots=True)
class Levels:
    """A feature, cut into levels.

    Attributes
    ----------
    feature
        The column.
    codes
        Shape (n,), uint8: the level of each case, of all cases.
    conditions
        What can be asked of it.
    ranges
        Shape (R, 2): levels from the first on and below the second, one row for each condition.
    count
        Number of levels.
    """

    feature: str
    codes: Codes
    conditions: tuple[Condition, ...]
    ranges: NDArray[np.int64]
    count: int

    def members(self, condition: int) -> Members:
        """Tell which cases meet a condition, by its position."""
        first, last = self.ranges[condition]
        found: Members = (self.codes >= first) & (self.codes < last)
        return found


@dataclass(slots=True)
class _Asked:
    """Gathers what can be asked of a feature."""

    feature: str
    conditions: list[Condition] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, condition: Condition, first: int, last: int) -> None:
        self.conditions.append(condition)
        self.ranges.append((first, last))

    def levels(self, codes: NDArray[np.int64], count: int) -> Levels:
        ranges = np.array(self.ranges, dtype=np.int64).reshape(-1, 2)
        return Levels(self.feature, codes.astype(np.uint8), tuple(self.conditions), ranges, count)


def levels_of(series: pl.Series, seen: Members) -> Levels | str:
    """Cut a feature into levels, or say why it can't be.

    Parameters
    ----------
    series
        Shape (n,): the feature of all cases.
    seen
        Shape (n,): cases that may be looked at for where to cut.

    Examples
    --------
    >>> depot = pl.Series("depot", ["north", "south", None, "north"])
    >>> found = levels_of(depot, np.ones(4, dtype=bool))
    >>> [condition.says for condition in found.conditions]
    ["depot = 'north'", "depot = 'south'", 'depot is missing']
    """
    own = series.filter(pl.Series(seen))
    if own.len() == own.null_count():
        return "every value is null"
    kind = series.dtype
    # Categorical and Enum equal their instances, but don't hash as they do.
    if kind == pl.Boolean or any(kind == text for text in (pl.String, pl.Categorical, pl.Enum)):
        found = _of_values(series, own, boolean=kind == pl.Boolean)
    elif kind.is_numeric():
        found = _of_numbers(series, seen)
    else:
        return f"{kind} is no number, boolean or text"
    if np.unique(found.codes[seen]).size < 2 or not found.conditions:
        return "constant"
    return found


def members(conditions: Sequence[Condition], features: pl.DataFrame) -> Members:
    """Tell which cases meet all of the conditions, shape (n,).

    Examples
    --------
    >>> light = Condition("weight", "range", "weight < 10", high=10.0)
    >>> members([light], pl.DataFrame({"weight": [5.0, 10.0, None]})).tolist()
    [True, False, False]
    """
    found = np.ones(features.height, dtype=np.bool_)
    for condition in conditions:
        found &= _meet(condition, features[condition.feature])
    return found


def _meet(condition: Condition, series: pl.Series) -> Members:
    if series.dtype.is_numeric():
        values = _numbers(series)
        known = ~np.isnan(values)
        if condition.asks in ("missing", "known"):
            return known if condition.asks == "known" else ~known
        above = known if condition.low is None else values >= condition.low
        below = known if condition.high is None else values < condition.high
        return np.asarray(above & below)
    texts = series if series.dtype == pl.Boolean else series.cast(pl.String)
    if condition.asks in ("missing", "known"):
        return (texts.is_null() if condition.asks == "missing" else texts.is_not_null()).to_numpy()
    among = texts.is_in(list(condition.values)).fill_null(value=False).to_numpy()
    return among if condition.asks == "value" else ~among & texts.is_not_null().to_numpy()


def _numbers(series: pl.Series) -> Floats:
    """Give numbers as floats: NaN where there is no value. Infinities are numbers like others."""
    return series.cast(pl.Float64).fill_null(math.nan).to_numpy()


def _of_values(series: pl.Series, own: pl.Series, *, boolean: bool) -> Levels:
    name = series.name
    texts, own = (each if boolean else each.cast(pl.String) for each in (series, own))
    counts = own.drop_nulls().rename("value").value_counts(name="cases")
    kept = counts.sort("cases", "value", descending=[True, False])["value"].head(MOST_VALUES).to_list()
    kept.sort()
    asked = _Asked(name)
    for place, value in enumerate(kept):
        says = f"{name} = {str(value).lower()}" if boolean else f"{name} = {_quoted(value)}"
        asked.add(Condition(name, "value", says, values=(value,)), place, place + 1)
    others, missing = len(kept), len(kept) + 1
    places = pl.Series(range(others), dtype=pl.Int64)
    codes = texts.replace_strict(
        pl.Series(kept, dtype=texts.dtype), places, default=others, return_dtype=pl.Int64
    ).to_numpy(writable=True)
    codes[texts.is_null().to_numpy()] = missing
    if not boolean and (codes == others).any():
        says = f"{name} is none of its {others} most frequent values"
        asked.add(Condition(name, "others", says, values=tuple(kept)), others, others + 1)
    if own.null_count():
        asked.add(Condition(name, "missing", f"{name} is missing"), missing, missing + 1)
    return asked.levels(codes, missing + 1)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _of_numbers(series: pl.Series, seen: Members) -> Levels:
    name, values = series.name, _numbers(series)
    nulls = np.isnan(values)
    cuts = _cuts(np.sort(values[seen & ~nulls]))
    bins = cuts.size + 1
    codes = np.where(nulls, bins, np.searchsorted(cuts, values, side="right"))
    ends: list[float | None] = [None, *(float(cut) for cut in cuts), None]
    missing = bool(nulls[seen].any())
    asked = _Asked(name)
    for first in range(bins):
        for last in range(first + 1, bins + 1):
            if (first, last) != (0, bins):
                says = f"{name} {_in_words(ends[first], ends[last], whole=series.dtype.is_integer())}"
                asked.add(Condition(name, "range", says, low=ends[first], high=ends[last]), first, last)
            elif missing:
                asked.add(Condition(name, "known", f"{name} is known"), first, last)
    if missing:
        asked.add(Condition(name, "missing", f"{name} is missing"), bins, bins + 1)
    return asked.levels(codes, bins + 1)


def _in_words(low: float | None, high: float | None, *, whole: bool) -> str:
    if low is None:
        return f"< {_said(high)}"
    if high is None:
        return f">= {_said(low)}"
    return f"= {_said(low)}" if whole and high == low + 1 else f"in [{_said(low)}, {_said(high)})"


def _said(number: float | None) -> str:
    return "" if number is None else f"{number:.15g}"


def _cuts(own: Floats) -> Floats:
    """Give where to cut sorted numbers, ascending; a number belongs to the level above its cut."""
    n = own.size
    if not n:
        return np.empty(0)
    distinct, counts = np.unique(own, return_counts=True)
    spans = []
    for share in QUANTILES:
        near = min(NEAR, share / 4, (1 - share) / 4)
        below, above = (own[min(n - 1, max(0, int(n * end)))] for end in (share - near, share + near))
        spans.append((float(below), float(above)))
    for place in np.flatnonzero(counts >= HEAVY * n):
        around = [end for end in (place, place + 1) if 0 < end < distinct.size]
        spans += [(float(distinct[end - 1]), float(distinct[end])) for end in around]
    found = {roundest(below, above) for below, above in spans if below < above}
    cuts = np.array(sorted(found))
    # A cut that parts none of what was seen from its neighbour is none.
    places = np.searchsorted(own, cuts, side="left")
    kept = (places > 0) & (places < n) & np.append(True, np.diff(places) > 0)[: cuts.size]
    return np.asarray(cuts[kept], dtype=np.float64)


def roundest(above: float, up_to: float) -> float:
    """Give the number with the fewest digits that is more than one number and at most another.

    Examples
    --------
    >>> roundest(9.713, 10.2), roundest(0.0, 1.0), roundest(0.0131, 0.0139)
    (10.0, 1.0, 0.0135)
    """
    if not (math.isfinite(above) and math.isfinite(up_to)):
        return up_to
    largest = max(abs(above), abs(up_to), up_to - above)
    first = -math.floor(math.log10(largest)) if largest > 0 else 0
    for digits in range(first, first + 17):
        unit = 10.0**-digits
        for step in (5 * unit, unit):
            found = round(math.floor(up_to / step) * step, max(digits, -300))
            if above < found <= up_to:
                return found + 0.0
    return up_to
