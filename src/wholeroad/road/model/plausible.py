"""Which other values a feature of a case might have had: within what earlier cases showed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Direction = Literal["any", "up", "down"]

EDGES: Final = (0.01, 0.99)
"""Numbers beyond these quantiles of earlier cases are no longer plausible."""

LEAST_BEFORE: Final = 30
"""With fewer earlier cases nobody can say what is plausible."""

GRID: Final = 64
MOST_CATEGORIES: Final = 50
_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
_ROUNDINGS: Final = (5.0, 2.0, 1.0)


@dataclass(frozen=True, slots=True)
class Plausible:
    """The values that a feature of a case might have had.

    Attributes
    ----------
    feature, dtype, own
        Its name and type, and the case's value.
    grid
        Values to try, none of them the case's own: numbers ascending, categories the most frequent first.
    low, high
        The ends for numbers, of the direction that is allowed; NaN for categories.
    spread
        The median absolute deviation from the median, in the feature's unit; where half of the cases share
        one value, the mean absolute deviation. NaN for categories.
    middle
        The median of numbers; NaN for categories.
    """

    feature: str
    dtype: pl.DataType
    own: Any
    grid: tuple[Any, ...]
    low: float = math.nan
    high: float = math.nan
    spread: float = math.nan
    middle: float = math.nan

    @property
    def is_number(self) -> bool:
        """Whether values can be closer or farther."""
        return math.isfinite(self.spread)

    def distance(self, value: Any) -> float:  # noqa: ANN401 - whatever the feature holds
        """Give how far a value is from the case's own, in spreads; another category is one spread away.

        A number in the place of one that isn't known is a spread and its distance to the median away.
        """
        if not self.is_number:
            return float(value != self.own)
        if self.own is None:
            return 1 + abs(float(value) - self.middle) / self.spread
        away: float = abs(float(value) - float(self.own)) / self.spread
        return away

    def between(self, near: Any, value: Any, *, steps: int) -> list[Any]:  # noqa: ANN401 - as above
        """Give numbers from one value to another, both left out, in their order; none of categories."""
        if not self.is_number or near is None:
            return []
        numbers = float(near) + (float(value) - float(near)) * np.arange(1, steps) / steps
        kept = self._typed(numbers)
        kept = [
            each for each in kept if each not in {self.own, near, value} and self.low <= each <= self.high
        ]
        return kept if value > near else kept[::-1]

    def readable(self, value: Any) -> list[Any]:  # noqa: ANN401 - as above
        """Give rounder numbers, away from the case's own value, the coarsest first; the value itself last.

        None is more than a twentieth of the spread, or a tenth of the change, beyond the value.
        """
        if not self.is_number or self.own is None or value == self.own:
            return [value]
        beyond = max(0.05 * self.spread, 0.1 * abs(float(value) - float(self.own)))
        outward = math.ceil if value > self.own else math.floor
        power = math.floor(math.log10(max(beyond, 1e-300))) + 1
        found: list[Any] = []
        for exponent in range(power, power - 7, -1):
            for factor in _ROUNDINGS:
                step = factor * 10.0**exponent
                rounded = round(outward(float(value) / step - 1e-9 * np.sign(value - self.own)) * step, 12)
                further = abs(rounded - float(self.own)) - abs(float(value) - float(self.own))
                if 0 <= further <= beyond and self.low <= rounded <= self.high:
                    found += self._typed(np.array([rounded]))
        return list(dict.fromkeys([*found, value]))

    def series(self, values: list[Any]) -> pl.Series:
        """Give values as a column of the feature's type."""
        plain: Any = pl.String if self.dtype in _TEXTS else None
        if self.is_number:
            plain = pl.Int64 if self.dtype.is_integer() else pl.Float64
        return pl.Series(self.feature, values, dtype=plain or self.dtype).cast(self.dtype)

    def _typed(self, numbers: NDArray[np.float64]) -> list[Any]:
        if self.dtype.is_integer():
            return sorted({round(number) for number in numbers.tolist()})
        return sorted(set(numbers.tolist()))


def plausible(before: pl.Series, own: Any, *, direction: Direction = "any") -> Plausible | str:  # noqa: ANN401
    """Give the values that a feature might have had, or the reason why there are none.

    Parameters
    ----------
    before
        Its values in cases that were decided before, as known then; nulls are left out.
    own
        The case's value.
    direction
        ``up`` allows greater values alone, ``down`` smaller ones; of a boolean, ``up`` is to true.

    Examples
    --------
    >>> found = plausible(pl.Series("age", range(100)), 50, direction="up")
    >>> found.low, found.high, found.spread, found.grid[0]
    (50.0, 98.0, 25.0, 51)
    """
    there = before.drop_nulls()
    if there.dtype.is_float():
        there = there.filter(there.is_finite())
    if there.len() < LEAST_BEFORE:
        return f"fewer than {LEAST_BEFORE} earlier cases have a value, so nobody can say what is plausible"
    if there.dtype == pl.Boolean:
        return _boolean(there, own, direction)
    if there.dtype in _TEXTS:
        return _category(there, own, direction)
    if not there.dtype.is_numeric():
        return f"its type, {there.dtype}, has no values to put in its place"
    return _number(there, own, direction)


def _boolean(there: pl.Series, own: Any, direction: Direction) -> Plausible | str:  # noqa: ANN401
    allowed = {"any": (False, True), "up": (True,), "down": (False,)}[direction]
    seen = there.unique().to_list()
    grid = tuple(value for value in allowed if value in seen and value != own)
    if direction != "any" and own is None:
        return "its value isn't known, so that nobody can say what is up or down"
    return Plausible(there.name, there.dtype, own, grid) if grid else "no other value is allowed and was seen"


def _category(there: pl.Series, own: Any, direction: Direction) -> Plausible | str:  # noqa: ANN401
    if direction != "any":
        return f"a text has no way {direction}"
    texts = there.cast(pl.String)
    counts = texts.value_counts(name="cases").sort("cases", texts.name, descending=[True, False])
    seen = [value for value in counts[texts.name].to_list() if value != own]
    if not seen:
        return "earlier cases had no other value"
    return Plausible(there.name, there.dtype, own, tuple(seen[:MOST_CATEGORIES]))


def _number(there: pl.Series, own: Any, direction: Direction) -> Plausible | str:  # noqa: ANN401
    numbers = np.sort(there.cast(pl.Float64).to_numpy())
    middle = float(np.median(numbers))
    away = np.abs(numbers - middle)
    spread = float(np.median(away)) or float(away.mean())
    if not spread:
        return "it was the same in every earlier case"
    own = float(own) if own is not None and math.isfinite(own) else None
    known = own is not None
    if direction != "any" and not known:
        return "its value isn't known, so that nobody can say what is up or down"
    low = float(np.quantile(numbers, EDGES[0], method="higher"))
    high = float(np.quantile(numbers, EDGES[1], method="lower"))
    inside = numbers[(numbers >= low) & (numbers <= high)]
    if known and direction != "any":
        inside = inside[inside > own] if direction == "up" else inside[inside < own]
    if not inside.size:
        return f"it can't plausibly go further {direction}: nearly all cases lie from {low:g} to {high:g}"
    if known:  # between the case's own value and the first one seen any number is plausible
        low, high = (max(low, own), high) if direction == "up" else (low, high)
        low, high = (low, min(high, own)) if direction == "down" else (low, high)
    places = np.unique(np.linspace(0, inside.size - 1, 4 * GRID).astype(np.int64))
    tried = np.unique(inside[places])
    tried = tried[np.unique(np.linspace(0, tried.size - 1, GRID).astype(np.int64))]
    whole = there.dtype.is_integer()
    grid = tuple(round(each) if whole else each for each in tried.tolist() if not known or each != own)
    if not grid:
        return "earlier cases had no other value"
    value = own if own is None or not whole else round(own)
    return Plausible(there.name, there.dtype, value, grid, low, high, spread, middle)


def all_plausible(
    case: pl.DataFrame, before: pl.DataFrame, *, tried: Mapping[str, Direction]
) -> tuple[dict[str, Plausible], dict[str, str]]:
    """Give the values that each feature might have had, and the reasons where there are none."""
    there: dict[str, Plausible] = {}
    reasons: dict[str, str] = {}
    for name, direction in tried.items():
        found = plausible(before[name], case[name][0], direction=direction)
        if isinstance(found, str):
            reasons[name] = found
        else:
            there[name] = found
    return there, reasons
