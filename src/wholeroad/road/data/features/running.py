"""What the rows of one window come to, kept up as they come and go.

The integers are those of the bulk executor, and so are the formulas that make floats of them, so that
both agree to the last bit. A case's own row is taken off when a result is read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Sequence
from math import isinf
from typing import Any

import numpy as np

from wholeroad.road.data.features.deviation import deviation_one
from wholeroad.road.data.features.exact import (
    LARGEST_SUM,
    overflow,
    refuse_infinite,
    to_float_one,
    too_large_one,
)
from wholeroad.road.data.features.intervals import Entry


class Running(ABC):
    """Something kept up over the entries of a window.

    Parameters
    ----------
    slot
        Where an entry's ``added`` holds what it adds; None there: the entry doesn't count.
    """

    __slots__ = ("slot",)

    def __init__(self, slot: int) -> None:
        self.slot = slot

    @abstractmethod
    def add(self, entry: Entry) -> None:
        """Count an entry."""

    @abstractmethod
    def remove(self, entry: Entry) -> None:
        """Count an entry no longer."""

    def fill(self, entries: Sequence[Entry]) -> None:
        """Count many entries."""
        for entry in entries:
            self.add(entry)


class Tally(Running):
    """How many rows there are."""

    __slots__ = ("count",)

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.count = 0

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        if entry.added[self.slot] is not None:
            self.count += 1

    def remove(self, entry: Entry) -> None:
        """Count an entry no longer."""
        if entry.added[self.slot] is not None:
            self.count -= 1

    def read(self, own: Entry | None) -> int:
        """Give the number of rows."""
        return self.count - 1 if own is not None and own.added[self.slot] is not None else self.count


class Total(Running):
    """Exact sums of numbers and of their squares.

    Parameters
    ----------
    real
        Whether the numbers are multiples of 2**-40.
    subject
        What is summed, for error messages.
    squared
        Whether anybody asks for deviations.

    Notes
    -----
    A number that can't be summed is added as a float: then the sum is refused while it is there.
    """

    __slots__ = ("count", "real", "refused", "squared", "squares", "subject", "total")

    def __init__(self, slot: int, *, real: bool, subject: str, squared: bool) -> None:
        super().__init__(slot)
        self.real, self.subject, self.squared = real, subject, squared
        self.count = self.total = self.squares = 0
        self.refused: list[float] = []

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        amount = entry.added[self.slot]
        if amount is None:
            return
        if amount.__class__ is float:
            self.refused.append(amount)
            return
        self.count += 1
        self.total += amount
        if self.squared:
            self.squares += amount * amount

    def remove(self, entry: Entry) -> None:
        """Count an entry no longer."""
        amount = entry.added[self.slot]
        if amount is None:
            return
        if amount.__class__ is float:
            self.refused.remove(amount)
            return
        self.count -= 1
        self.total -= amount
        if self.squared:
            self.squares -= amount * amount

    def sum(self, own: Entry | None) -> int | float | None:
        """Give the sum; None where it is too large to be exact, as are the other two then.

        Raises
        ------
        UserError
            ``data.infinite-value``, ``features.overflow``.
        """
        _, total, _ = self._without(own)
        if too_large_one(total, real=self.real):
            return None
        return to_float_one(total) if self.real else total

    def mean(self, own: Entry | None) -> float | None:
        """Give the mean; None over no rows."""
        if own is None and not self.refused and -LARGEST_SUM <= self.total < LARGEST_SUM:
            count, total = self.count, self.total  # so it is with nearly all: nothing to take off or refuse
        else:
            count, total, _ = self._without(own)
            if too_large_one(total, real=self.real):
                return None
        if not count:
            return None
        return (to_float_one(total) if self.real else float(total)) / float(count)

    def deviation(self, own: Entry | None) -> float | None:
        """Give the sample standard deviation; None below two rows."""
        count, total, squares = self._without(own)
        if too_large_one(total, real=self.real):
            return None
        return deviation_one(count, total, squared=squares, real=self.real)

    def _without(self, own: Entry | None) -> tuple[int, int, int]:
        if self.refused:
            self._refuse(self.refused[0])
        count, total, squares = self.count, self.total, self.squares
        if own is not None:
            amount = own.added[self.slot]
            if amount is not None:
                count, total, squares = count - 1, total - amount, squares - amount * amount
        return count, total, squares

    def _refuse(self, amount: float) -> None:
        refuse_infinite(np.array([amount]), subject=self.subject)
        told = f"a value was {abs(amount):g}" if self.real else "a value was outside the 64-bit integers"
        raise overflow(self.subject, told)


class Ordered(Running):
    """The least and the greatest value.

    Parameters
    ----------
    subject
        What is compared, for error messages.
    """

    __slots__ = ("subject", "values")

    def __init__(self, slot: int, *, subject: str) -> None:
        super().__init__(slot)
        self.subject = subject
        self.values: list[Any] = []

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        value = self.value(entry)
        if value is not None:
            insort(self.values, value)

    def remove(self, entry: Entry) -> None:
        """Count an entry no longer."""
        value = self.value(entry)
        if value is not None:
            del self.values[bisect_left(self.values, value)]

    def fill(self, entries: Sequence[Entry]) -> None:
        """Count many entries."""
        values = [value for value in map(self.value, entries) if value is not None]
        self.values = sorted(self.values + values)

    def value(self, entry: Entry) -> Any:  # noqa: ANN401
        """Give what an entry is compared by."""
        return entry.added[self.slot]

    def least(self, own: Entry | None) -> Any:  # noqa: ANN401
        """Give the least value; None over no rows.

        Raises
        ------
        UserError
            ``data.infinite-value``.
        """
        self._refuse()
        first = 1 if self._is(own, 0) else 0
        return self.values[first] if len(self.values) > first else None

    def greatest(self, own: Entry | None) -> Any:  # noqa: ANN401
        """Give the greatest value; None over no rows."""
        self._refuse()
        last = 2 if self._is(own, -1) else 1
        return self.values[-last] if len(self.values) >= last else None

    def _is(self, own: Entry | None, end: int) -> bool:
        """Tell whether the value at an end is that of the own row: any row with it will do."""
        value = None if own is None else self.value(own)
        return value is not None and bool(self.values[end] == value)

    def _refuse(self) -> None:
        values = self.values
        if values and values[0].__class__ is float and (isinf(values[0]) or isinf(values[-1])):
            refuse_infinite(np.array(values), subject=self.subject)


class Dates(Ordered):
    """The last instant by which a row is dated."""

    __slots__ = ()

    def value(self, entry: Entry) -> Any:  # noqa: ANN401
        """Give what an entry is compared by."""
        return None if entry.added[self.slot] is None else entry.base_at


class Distinct(Running):
    """How many different values there are."""

    __slots__ = ("counts",)

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.counts: dict[Any, int] = {}

    def add(self, entry: Entry) -> None:
        """Count an entry."""
        value = entry.added[self.slot]
        if value is not None:
            self.counts[value] = self.counts.get(value, 0) + 1

    def remove(self, entry: Entry) -> None:
        """Count an entry no longer."""
        value = entry.added[self.slot]
        if value is None:
            return
        left = self.counts[value] - 1
        if left:
            self.counts[value] = left
        else:
            del self.counts[value]

    def read(self, own: Entry | None) -> int:
        """Give the number of different values."""
        alone = own is not None and self.counts.get(own.added[self.slot]) == 1
        return len(self.counts) - 1 if alone else len(self.counts)
