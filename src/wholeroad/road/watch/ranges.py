"""Values that the brief leaves open: how far they move the money, and where the winner changes.

Given the actions taken, money is linear in each open value: so many settled cases are paid by it. A
difference of two policies is then linear too, which gives its corners, and the value at which it is zero.
That the decisions themselves would be other ones at another value is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.core.view import Codes
from wholeroad.road.brief.contract import Brief
from wholeroad.road.watch.intervals import UNBOUNDED, Histories
from wholeroad.road.watch.results import BreakEven, OpenValue

A_MISS: Final = "a miss"


@dataclass(frozen=True, slots=True)
class ValueRange:
    """A value that the brief gives as a range, or as a ratio; decisions are made at its middle.

    Attributes
    ----------
    name
        As in the brief: ``rebook.late``; of a ratio :data:`A_MISS`.
    action, outcome
        Codes of the cell that it pays.
    below, above
        Lowest and highest value less the middle: at most 0, at least 0.
    middle
        In the brief's unit.
    """

    name: str
    action: int
    outcome: int
    below: float
    above: float
    middle: float

    @property
    def open_value(self) -> OpenValue:
        """The value as reports name it."""
        return OpenValue(self.name, self.middle + self.below, self.middle, self.middle + self.above)


def value_ranges(brief: Brief) -> tuple[ValueRange, ...]:
    """Take the values that are open from a brief: its ranges, and what a miss costs, range or not."""
    worth, classes = brief.worth, brief.outcome.classes
    found = []
    for a, action in enumerate(brief.actions):
        for c, outcome in enumerate(classes):
            written = worth.of.get(action, {}).get(outcome)
            missed = worth.ratio is not None and a == 0 and outcome == brief.outcome.positive
            if isinstance(written, list):
                low, high = written
            elif missed and isinstance(written, int | float):
                low = high = written
            else:
                continue
            name = A_MISS if missed else f"{action}.{outcome}"
            found.append(ValueRange(name, a, c, (low - high) / 2, (high - low) / 2, (low + high) / 2))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Paid:
    """How many settled cases of each day each open value pays under some actions.

    Attributes
    ----------
    ranges
        The open values.
    daily
        Shape (ranges, days).
    """

    ranges: tuple[ValueRange, ...]
    daily: NDArray[np.float64]

    @classmethod
    def count(
        cls, ranges: tuple[ValueRange, ...], action: Codes, *, truth: Codes, day: NDArray[np.int64], days: int
    ) -> Paid:
        """Count over settled cases, each array of shape (m,)."""
        rows = [
            np.bincount(day[(action == item.action) & (truth == item.outcome)], minlength=days)
            for item in ranges
        ]
        return cls(ranges, np.array(rows, dtype=np.float64).reshape(len(ranges), days))

    @property
    def counts(self) -> tuple[int, ...]:
        """Over all days."""
        return tuple(int(count) for count in self.daily.sum(axis=1))

    def less(self, other: Paid) -> Paid:
        """Give the difference of two policies' counts."""
        return Paid(self.ranges, self.daily - other.daily)

    def corners(self) -> tuple[float, float] | None:
        """Give how far the lowest and the highest corner lie from the middle; None where all are points."""
        if not any(item.below or item.above for item in self.ranges):
            return None
        low = high = 0.0
        for item, count in zip(self.ranges, self.counts, strict=True):
            low += min(count * item.below, count * item.above)
            high += max(count * item.below, count * item.above)
        return low, high

    def at_best(self) -> NDArray[np.float64]:
        """Give what the corner that is best for these counts adds to each day, shape (days,)."""
        steps = [
            item.above if count > 0 else item.below
            for item, count in zip(self.ranges, self.counts, strict=True)
        ]
        return np.asarray(np.array(steps) @ self.daily)

    def break_evens(
        self, gain: NDArray[np.float64], *, costs: float, histories: Histories
    ) -> tuple[BreakEven | None, ...]:
        """Give for each open value where a difference is zero, the others at their middle.

        With ``g`` the difference at the middle ``m`` and ``n`` the cases that the value pays more of, it is
        ``m - g / n``: a ratio of two totals, whose interval resamples both with the same days. Where
        some resampled history turns the sign of ``n``, nothing can be said, and it is unbounded.

        Parameters
        ----------
        gain
            Shape (days,): the difference before the fits' cost, at the middles.
        costs
            By how much more the fits of the first policy cost.
        """
        return tuple(
            _break_even(item, daily, gain, costs=costs, histories=histories)
            for item, daily in zip(self.ranges, self.daily, strict=True)
        )


def _break_even(
    item: ValueRange,
    daily: NDArray[np.float64],
    gain: NDArray[np.float64],
    *,
    costs: float,
    histories: Histories,
) -> BreakEven | None:
    more = float(daily.sum())
    if not more:
        return None
    sign = 1.0 if more > 0 else -1.0
    needed, cases = sign * (item.middle * daily - gain), sign * daily
    value = (float(needed.sum()) + sign * costs) / abs(more)
    if histories.weights is None or not (histories.weights @ cases > 0).all():
        return BreakEven(item.name, Estimate(value, *UNBOUNDED), above=more > 0)
    return BreakEven(item.name, histories.ratio(needed, cases, less=-sign * costs), above=more > 0)
