"""The worst slices, as plain objects."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.estimates import Estimate


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
        That less the loss per case of all others.
    share_of_loss
        Share of the whole loss that lies in the slice.
    p_value
        One-sided, that the excess is no more than none, on the honest half.
    clear
        Whether it stands with all slices that were tested.
    """

    conditions: tuple[str, ...]
    cases: int
    figure: Estimate
    excess: Estimate
    share_of_loss: float
    p_value: float
    clear: bool


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
    """

    loss: str
    searched: int
    tested: int
    slices: tuple[Slice, ...]
    rate: float
    overall: Estimate

    @property
    def clear(self) -> tuple[Slice, ...]:
        """Those that stand."""
        return tuple(each for each in self.slices if each.clear)
