"""Figures as people read them: thousands separators, no more digits than they are worth."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import Instant, format_instant

_SCALES = ((1e8, 1e6, "million "), (1e5, 1e3, "thousand "))
"""From which largest figure on, the divisor, and its name."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale for all figures of a table.

    Attributes
    ----------
    divisor
        Figures are shown divided by it.
    label
        Goes before the unit: ``thousand ``.
    decimals
        Shown of every figure.
    """

    divisor: float
    label: str
    decimals: int

    def write(self, figure: float) -> str:
        """Write a figure on this scale."""
        return _signed(f"{figure / self.divisor:,.{self.decimals}f}")


def scale_of(figures: Iterable[float]) -> Scale:
    """Choose the scale on which an interval stays short: thousands from 100,000 on.

    Examples
    --------
    >>> scale_of([2_210_345.0]).write(2_210_345.0), scale_of([12.5]).write(12.5)
    ('2,210.3', '12.50')
    """
    largest = max((abs(figure) for figure in figures if math.isfinite(figure)), default=0.0)
    for least, divisor, label in _SCALES:
        if largest >= least:
            return Scale(divisor, label, 1 if largest < 1e4 * divisor else 0)
    return Scale(1.0, "", 2 if largest < 100 else 1 if largest < 1000 else 0)


def amount(figure: float) -> str:
    """Write a figure in a sentence: whole from 100 on or when it is whole, else with two decimals.

    Examples
    --------
    >>> amount(1234567.8), amount(-3.456), amount(50.0)
    ('1,234,568', '-3.46', '50')
    """
    whole = abs(figure) >= 100 or figure == round(figure)
    return _signed(f"{figure:,.0f}" if whole else f"{figure:,.2f}")


def between(estimate: Estimate, confidence: float) -> str:
    """Write an interval in a sentence."""
    if not math.isfinite(estimate.low):
        return "no interval: too few days"
    return f"{confidence:.0%} interval {amount(estimate.low)} to {amount(estimate.high)}"


def count(number: int, word: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> count(1, "fit"), count(1200, "case")
    ('1 fit', '1,200 cases')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def day(at: Instant) -> str:
    """Write an instant's day, UTC."""
    return format_instant(at)[:10]


def days_between(from_at: Instant, to_at: Instant) -> str:
    """Write the first and the last day of ``[from_at, to_at)``.

    Examples
    --------
    >>> days_between(0, 2 * 86_400_000_000)
    '1970-01-01 to 1970-01-02'
    """
    return f"{day(from_at)} to {day(max(from_at, to_at - 1))}"


def _signed(text: str) -> str:
    """Leave the sign off what is shown as zero."""
    return text.removeprefix("-") if not text.strip("-0.,") else text
