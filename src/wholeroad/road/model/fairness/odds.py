"""Equalized odds by thresholds: for each group the offsets on p and 1 - p that end in a common box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.model.fairness.bands import Curve, curve_along

Floats = NDArray[np.float64]

DIRECTIONS: Final = 8
"""Rays on which the two offsets are looked at, each in both ways."""
POINTS: Final = 400
"""Places of each ray."""
FINEST: Final = 0.0025
"""Side of the smallest cell: rates are brought together to no less than this."""
COARSEST: Final = 0.02
_CELLS: Final = 10
"""Cells of a box by its side, where that makes them neither too fine nor too coarse."""
_WIDER: Final = 1.25
KEPT: Final = 0.5
"""Share of the expected gain that must be left: a box that asks for more is made wider."""


@dataclass(frozen=True, slots=True)
class Point:
    """Offsets of a group on p and on 1 - p."""

    on_positive: float
    on_negative: float


@dataclass(frozen=True)
class Odds:
    """A group's cases, each array of shape (n,).

    Attributes
    ----------
    margin, worth
        As for :func:`~wholeroad.road.model.fairness.bands.curve_along`.
    p
        Stated probability of the positive class.
    weights
        What each case counts for the true and for the false positive rate.
    """

    margin: Floats
    worth: Floats
    p: Floats
    weights: tuple[Floats, ...]


@dataclass(frozen=True)
class _Cloud:
    """What a group can reach: rates, money and offsets, each of shape (points,)."""

    true_positive: Floats
    false_positive: Floats
    money: Floats
    offsets: Floats


def odds_box(groups: Sequence[Odds], *, within: float, moved: Sequence[bool]) -> list[Point]:
    """Find the offsets of most money that bring true and false positive rates into one box.

    Each group's reachable points are put on a grid of rates; the box of cells that allows the most
    money over all groups is found by sliding it over the grid. Where no box holds a point of every
    group, or only such as cost more than half of the gain, it grows until one does.

    Parameters
    ----------
    within
        Side of the box.
    """
    if np.isinf(within):
        return [Point(0.0, 0.0) for _ in groups]
    clouds = [_cloud(group, moves=moves) for group, moves in zip(groups, moved, strict=True)]
    rates = np.array([(cloud.true_positive[0], cloud.false_positive[0]) for cloud in clouds])
    apart = float(np.ptp(rates, axis=0).max())
    if apart <= within and all(group.worth is group.margin for group in groups):
        return [Point(0.0, 0.0) for _ in clouds]
    gain = sum(float(group.worth[(group.margin > 0) & np.isfinite(group.margin)].sum()) for group in groups)
    most = (1 - KEPT) * max(gain, 0.0)
    side = min(within, apart)
    while True:
        cell = float(np.clip(side / _CELLS, FINEST, COARSEST))
        width = max(1, int(side / cell + 1e-9))
        place, loses = _slide(clouds, cell=cell, width=width)
        if loses <= most:
            break
        side = max(side, FINEST) * _WIDER
    low = np.array(place) * cell
    return [_in_box(cloud, low, side=width * cell) for cloud in clouds]


def _cloud(group: Odds, *, moves: bool) -> _Cloud:
    """Follow rays through the two offsets; the first point is the one without any."""
    at_start = group.margin > 0
    without = [float(weight[at_start].sum()) for weight in group.weights]
    parts = [np.array([[*without, 0.0, 0.0, 0.0]])]
    for ray in range(DIRECTIONS if moves else 0):
        angle = np.pi * ray / DIRECTIONS
        on = np.round([np.cos(angle), np.sin(angle)], 12)  # none stays none
        along = on[0] * group.p + on[1] * (1 - group.p)
        ends, sums, money, start = curve_along(
            group.margin, along=along, measured=group.weights, worth=group.worth
        )
        places = np.unique(np.linspace(0, ends.size, POINTS).astype(np.int64))
        curve = Curve(ends, sums[0], money, start, start)
        offset = np.array([curve.offset(place) for place in places.tolist()])
        columns = [sums[0][places], sums[1][places], money[places] - money[start]]
        parts.append(np.column_stack([*columns, offset * on[0], offset * on[1]]))
    found = np.vstack(parts)
    return _Cloud(found[:, 0], found[:, 1], found[:, 2], found[:, 3:])


def _slide(clouds: Sequence[_Cloud], *, cell: float, width: int) -> tuple[tuple[int, int], float]:
    """Give the cell at which the best box begins, and the money it costs: infinite without a box for all."""
    cells = int(1 / cell) + 2 + width
    total = np.zeros((cells - width + 1, cells - width + 1))
    for cloud in clouds:
        rows, columns = _cells(cloud, cell)
        grid = np.full((cells, cells), -np.inf)
        np.maximum.at(grid, (rows, columns), cloud.money)
        for axis in (0, 1):
            grid = np.lib.stride_tricks.sliding_window_view(grid, width, axis=axis).max(axis=-1)
        total += grid
    best = int(np.argmax(total))
    row, column = divmod(best, total.shape[1])
    return (row, column), -float(total[row, column])


def _cells(cloud: _Cloud, cell: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.floor(cloud.true_positive / cell + 1e-9)
    columns = np.floor(cloud.false_positive / cell + 1e-9)
    return np.maximum(rows, 0).astype(np.int64), np.maximum(columns, 0).astype(np.int64)


def _in_box(cloud: _Cloud, low: Floats, *, side: float) -> Point:
    inside = np.ones(cloud.money.size, dtype=bool)
    for rates, edge in ((cloud.true_positive, low[0]), (cloud.false_positive, low[1])):
        inside &= (rates >= edge - 1e-9) & (rates <= edge + side + 1e-9)
    place = int(np.argmax(np.where(inside, cloud.money, -np.inf)))
    return Point(float(cloud.offsets[place, 0]), float(cloud.offsets[place, 1]))
