"""What thresholds can reach: rates and money along an offset, and the common band of most money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRID: Final = 2001
"""Places of a band that are looked at in one pass; two more passes look between the best one's neighbours."""
_PASSES: Final = 3
_EQUAL: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Curve:
    """A group's rates and money as an offset grows, each array of shape (K + 1,) but ``ends``.

    Attributes
    ----------
    ends
        Shape (K,), ascending: the offsets at which the decision of one case or more changes.
    rate
        The measured rate before the first end, between the first and the second, and so on.
    money
        Expected, more or less than at ``rate[0]``.
    start
        Where there is no offset.
    peak
        Where there is most money: the start, unless money is seen otherwise than by the model that decides.
    """

    ends: Floats
    rate: Floats
    money: Floats
    start: int
    peak: int

    def offset(self, place: int) -> float:
        """Give an offset at which ``place`` is reached, as far from both ends as can be; 0 at the start."""
        if place == self.start:
            return 0.0
        if 0 < place < self.ends.size:
            return float(self.ends[place - 1] / 2 + self.ends[place] / 2)
        outermost = float(self.ends[-1] if place else self.ends[0])
        beyond = 1e-6 * max(1.0, abs(outermost))
        return outermost + beyond if place else outermost - beyond


def curve_along(
    margin: Floats, *, along: Floats, measured: Sequence[Floats], worth: Floats
) -> tuple[Floats, list[Floats], Floats, int]:
    """Follow the cases of a group that are selected while an offset grows from below to above.

    A case is selected where ``margin + offset * along`` is above 0. Cases with an infinite margin, and those
    that the offset doesn't reach, stay as they are.

    Parameters
    ----------
    margin
        Shape (n,): expected money of being selected less that of not being selected.
    along
        Shape (n,): what the offset is multiplied by.
    measured
        Shape (n,) each: what a selected case adds to a rate.
    worth
        Shape (n,): what it adds to the money; the margin, unless money is seen otherwise.

    Returns
    -------
    ends, sums, money, start
        As in :class:`Curve`; ``sums`` has one array for each of ``measured``.
    """
    free = np.isfinite(margin) & (along != 0)
    ends = np.divide(-margin, along, out=np.zeros_like(margin), where=free)
    free &= np.isfinite(ends)
    always = np.where(free, along < 0, margin > 0)
    order = np.argsort(ends[free], kind="stable")
    ends = ends[free][order]
    sign = np.sign(along[free])[order]
    last = np.append(ends[1:] > ends[:-1], np.ones(min(ends.size, 1), dtype=bool))  # ties change together
    sums = []
    for column in (*measured, np.where(free, worth, 0.0)):
        first = float(column[always].sum())
        steps = np.cumsum(sign * column[free][order])[last]
        sums.append(np.concatenate([[first], first + steps]))
    ends = ends[last]
    return ends, sums[:-1], sums[-1], int(np.searchsorted(ends, 0.0))


def common_band(curves: Sequence[Curve], *, within: float, moved: Sequence[bool]) -> list[int]:
    """Find the place on each curve that together bring the most money with all rates inside a common band.

    Money falls along a curve on both sides of its peak, so that, for a given band, each group's best place
    is the one in the band that is nearest to its peak; where no place lies in the band, it is the nearest to
    it. What is left to search is where the band begins, between the least and the greatest rate at the
    peaks. Groups never end farther apart than they start.

    Parameters
    ----------
    within
        Width of the band.
    moved
        Whether a group may leave its start.

    Returns
    -------
    list of int
        A place for each curve.
    """
    starts = [curve.start for curve in curves]
    if np.isinf(within) or not any(moved):
        return starts
    aims = [curve.peak if moves else curve.start for curve, moves in zip(curves, moved, strict=True)]
    if aims != starts:
        within = min(within, _apart(curves, starts))
    if _apart(curves, aims) <= within + _EQUAL:
        return aims
    rates = np.array([curve.rate[aim] for curve, aim in zip(curves, aims, strict=True)])
    moving = [curve for curve, moves in zip(curves, moved, strict=True) if moves]
    fixed = rates[[not moves for moves in moved]]
    low, high = rates.min(), rates.max() - within
    if fixed.size:
        within = max(within, float(fixed.max() - fixed.min()))
        low, high = fixed.max() - within, fixed.min()
    high = max(low, min(high, *(curve.rate[-1] for curve in moving)))
    low = min(high, max(low, *(curve.rate[0] - within for curve in moving)))
    best, chosen = 0, [np.zeros(GRID, dtype=np.int64) for _ in moving]
    for _ in range(_PASSES):
        begins = np.linspace(low, high, GRID)
        chosen = [_nearest(curve, begins, within=within) for curve in moving]
        money, ends = np.zeros(GRID), [np.broadcast_to(rate, GRID) for rate in fixed]
        for curve, places in zip(moving, chosen, strict=True):
            money += curve.money[places]
            ends.append(curve.rate[places])
        # A band in which a group has no place isn't kept: first as near to the band as can be, then money.
        excess = np.maximum(np.ptp(np.array(ends), axis=0) - within, 0.0)
        best = int(np.argmax(np.where(excess <= excess.min() + _EQUAL, money, -np.inf)))
        low, high = begins[max(best - 1, 0)], begins[min(best + 1, GRID - 1)]
    found = iter([int(places[best]) for places in chosen])
    return [next(found) if moves else start for start, moves in zip(starts, moved, strict=True)]


def _apart(curves: Sequence[Curve], places: Sequence[int]) -> float:
    rates = [float(curve.rate[place]) for curve, place in zip(curves, places, strict=True)]
    return max(rates) - min(rates)


def _nearest(curve: Curve, begins: Floats, *, within: float) -> NDArray[np.int64]:
    """Give the place inside each band that is nearest to the peak, or else the nearest to the band."""
    first = np.searchsorted(curve.rate, begins - _EQUAL, side="left")
    last = np.searchsorted(curve.rate, begins + within + _EQUAL, side="right") - 1
    top = curve.rate.size - 1
    below, above = np.clip(last, 0, top), np.clip(first, 0, top)
    nearer = np.where(
        begins - curve.rate[below] <= curve.rate[above] - begins - within,
        np.where(last < 0, above, below),
        np.where(first > top, below, above),
    )
    inside = np.clip(curve.peak, first, np.maximum(first, last))
    places: NDArray[np.int64] = np.where(first <= last, inside, nearer).astype(np.int64)
    return places
