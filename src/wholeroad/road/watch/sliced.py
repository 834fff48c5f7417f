"""The worst slices, as plain objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wholeroad.core.estimates import Estimate

Asks = Literal["range", "value", "missing", "known", "others"]
"""What a condition asks of a feature.

- ``range``: a number from ``low`` on and below ``high``; one of the two may be None.
- ``value``: one category, or yes or no.
- ``missing``, ``known``: whether there is a value.
- ``others``: a value that is none of ``values``, the frequent ones.
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one feature; :func:`wholeroad.road.watch.slice_conditions.members` finds its cases.

    Attributes
    ----------
    feature
        The column.
    asks
        See :data:`Asks`; whatever it asks, ``low``, ``high`` and ``values`` say the rest.
    says
        In words: ``depot = 'north'``, ``weight in [10, 25)``, ``wind is missing``.
    """

    feature: str
    asks: Asks
    says: str
    low: float | None = None
    high: float | None = None
    values: tuple[str | bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """Cases that a few conditions on their features describe, and how they fare.

    Attributes
    ----------
    conditions
        In words, one to three: ``depot = 'north'``, ``weight in [10, 25)``.
    cases
        Of the half that the figures are from.
    figure
        Loss per case in the slice, in the brief's unit.
    excess
        That less the loss per case of all others. Of the slices that are clear, at most the stated rate is
        expected to lie below their intervals, and as many above: selection is allowed for.
    share_of_loss
        Share of the whole loss that lies in the slice; NaN where the whole isn't above none.
    p_value
        One-sided, that the excess is no more than none, on the honest half.
    clear
        Whether it stands with all slices that were tested.
    where
        The conditions as objects, in the order of ``conditions``.
    standard_error
        Of the excess.
    """

    conditions: tuple[str, ...]
    cases: int
    figure: Estimate
    excess: Estimate
    share_of_loss: float
    p_value: float
    clear: bool
    where: tuple[Condition, ...] = ()
    standard_error: float = float("inf")


@dataclass(frozen=True, slots=True)
class Together:
    """What several slices hold together; cases in more than one of them count once.

    Attributes
    ----------
    cases, share_of_cases, share_of_loss
        In at least one of them.
    adds
        Share of the whole loss that each adds to those before it.
    """

    cases: int
    share_of_cases: float
    share_of_loss: float
    adds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slices:
    """What a search for the worst slices found.

    Attributes
    ----------
    loss
        What was searched for, in words.
    searched
        Slices that were looked at in the first half.
    tested
        How many of them went to the honest half.
    slices
        Those tested, the largest excess loss in total first.
    rate
        Expected share of false ones among those that are clear (false discovery rate).
    overall
        Loss per case of all cases of the honest half.
    reason
        Why there are no slices; empty where there are some.
    blocks
        What went to one half or the other as a whole: ``weeks`` or ``days``.
    cases
        Of the half that was searched, and of the honest half.
    left_out
        Features that weren't searched, each with its reason.
    together
        What the slices that are clear hold together, in the honest half.
    """

    loss: str
    searched: int
    tested: int
    slices: tuple[Slice, ...]
    rate: float
    overall: Estimate
    reason: str = ""
    blocks: str = ""
    cases: tuple[int, int] = (0, 0)
    left_out: tuple[tuple[str, str], ...] = ()
    together: Together | None = None

    @property
    def clear(self) -> tuple[Slice, ...]:
        """Those that stand."""
        return tuple(each for each in self.slices if each.clear)
