"""Which slices lose most, by the half that is searched.

All slices of one and two conditions are looked at, as sums over a table of two features' levels: ranges of
levels are rectangles in it. Those of three grow from the best of two (a beam; Chung, Kraska, Polyzotis, Tae,
Whang 2019, *Slice Finder: automated data slicing for model validation*, ICDE). A slice's score weighs excess
and size, as that of Sagadeeva and Boehm does (2021, *SliceLine: fast, linear-algebra-based slice finding for
ML model debugging*, SIGMOD), but by what chance could do: half the squared excess in standard errors, less
the logarithm of how many slices with as many conditions there are. So a longer description has to earn its
length (Proença, Grünwald, Bäck, van Leeuwen 2022, *Robust subgroup discovery*, DMKD 36), and a constant
added to all losses changes nothing.

Sums are of whole numbers, so that the order of rows can't change them.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.watch.slice_conditions import Levels

Floats = NDArray[np.float64]
Members = NDArray[np.bool_]
Picks = tuple[tuple[int, int], ...]
"""Features by position, ascending, each with the position of its condition."""

EXTREME: Final = 0.975
"""Of the losses that differ from the median, so many keep their size in the search."""
BEAM: Final = 100
"""So many slices of two conditions are given a third."""
OF_A_PAIR: Final = 2
"""At most so many of these share both features."""
KEPT: Final = 4
"""Of each feature or pair of features."""
CLEARLY: Final = 2.0
"""In standard errors: how far a slice has to exceed the rest of what it is a part of."""
MOST_SHARE: Final = 2 / 3
"""A larger part of all cases is no slice; what is left of it may be."""
ROUNDS: Final = 4
POOL: Final = 500
"""So many of the best are chosen from."""
MOST_OVERLAP: Final = 0.5
"""Jaccard's: cases in both over cases in either."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Cases, losses and squared losses, arrays of one shape; losses are whole numbers around their median."""

    cases: Any
    losses: Any
    squares: Any

    def __sub__(self, other: Sums) -> Sums:
        """Give what is left."""
        return Sums(self.cases - other.cases, self.losses - other.losses, self.squares - other.squares)

    def ranges(self, *ranged: Floats) -> Sums:
        """Give the sums over ranges of levels, along each axis."""
        return Sums(*(_over(getattr(self, name), ranged) for name in self.__slots__))

    def along(self, axis: int) -> Sums:
        """Give them as one axis of two."""
        return Sums(*(np.expand_dims(getattr(self, name), 1 - axis) for name in self.__slots__))


def _over(table: Floats, ranged: Sequence[Floats]) -> Floats:
    found = ranged[0] @ table
    return found @ ranged[1].T if len(ranged) > 1 else found


def _by_cell(cells: NDArray[np.int64], shape: tuple[int, ...], *weights: Floats) -> Sums:
    size = math.prod(shape)
    sums = [np.bincount(cells, weights=each, minlength=size) for each in (None, *weights)]
    return Sums(*(each.reshape(shape).astype(np.float64) for each in sums))


@dataclass(frozen=True, slots=True)
class Inside:
    """The cases of a slice, each array of one shape."""

    rows: NDArray[np.int64]
    losses: Floats
    squares: Floats

    @property
    def whole(self) -> Sums:
        """Their sums."""
        return Sums(float(self.rows.size), float(self.losses.sum()), float(self.squares.sum()))


@dataclass(frozen=True, slots=True)
class Found:
    """A slice, and where it stands in the half that was searched."""

    picks: Picks
    z: float
    score: float

    @property
    def order(self) -> tuple[float, int, Picks]:
        """The best first; equal ones by fewer conditions, then by name: features are in order of names."""
        return (-round(self.score, 6), len(self.picks), self.picks)


@dataclass(frozen=True, slots=True)
class Half:
    """The half that is searched.

    Attributes
    ----------
    levels
        The features in order of their names, codes of shape (n,) of this half's cases.
    losses, squares
        Shape (n,): whole numbers.
    codes
        Shape (features, n), int64.
    ranged
        For each feature, shape (conditions, levels): 1 where a condition covers a level.
    least_cases
        Of a slice.
    """

    levels: tuple[Levels, ...]
    losses: Floats
    squares: Floats
    codes: NDArray[np.int64]
    ranged: tuple[Floats, ...]
    total: Sums
    least_cases: int
    most_conditions: int

    @classmethod
    def of(cls, levels: Sequence[Levels], loss: Floats, *, least_cases: int, most_conditions: int) -> Half:
        """Put it together; the losses become whole numbers whose sums are exact.

        The most extreme losses count as less extreme ones do, or a few of them would decide what is looked
        at; what is found is judged by all that was lost.
        """
        centred = loss - np.median(loss)
        moved = np.abs(centred[centred != 0])
        most = float(np.quantile(moved, EXTREME, method="higher")) if moved.size else 1.0
        centred = np.clip(centred, -most, most)
        unit = 2.0 ** (51 - max(1, loss.size).bit_length())
        shares = centred / most
        losses, squares = np.round(shares * unit), np.round(shares * shares * unit) * unit
        ranged = []
        for each in levels:
            places = np.arange(each.count)[None, :]
            first, last = each.ranges[:, :1], each.ranges[:, 1:]
            ranged.append(((places >= first) & (places < last)).astype(np.float64))
        total = Sums(float(loss.size), float(losses.sum()), float(squares.sum()))
        codes = np.array([each.codes for each in levels], dtype=np.int64).reshape(len(levels), -1)
        return cls(tuple(levels), losses, squares, codes, tuple(ranged), total, least_cases, most_conditions)

    @property
    def variance(self) -> float:
        """Of the losses of all cases: no slice is taken to vary less, however alike its few cases look."""
        mean = self.total.losses / self.total.cases
        return float(max(self.total.squares / self.total.cases - mean * mean, 1e-300))

    def counts(self) -> tuple[float, ...]:
        """Tell how many slices of one, two and three conditions there are."""
        sums = [0.0, 0.0, 0.0]
        for each in self.levels:
            own = float(len(each.conditions))
            sums = [sums[0] + own, sums[1] + sums[0] * own, sums[2] + sums[1] * own]
        return tuple(sums[: self.most_conditions])

    def z(self, part: Sums, whole: Sums) -> Floats:
        """Give the excess of a part over the rest of a whole, in standard errors; ``-inf`` without cases."""
        rest, variance = whole - part, self.variance
        with np.errstate(divide="ignore", invalid="ignore"):
            mine, others = np.asarray(part.cases, float), np.asarray(rest.cases, float)
            own, other = part.losses / mine, rest.losses / others
            spread = np.maximum(part.squares / mine - own * own, variance) / mine
            spread = spread + np.maximum(rest.squares / others - other * other, variance) / others
            found = (own - other) / np.sqrt(spread)
        return np.where((part.cases > 0) & (rest.cases > 0), found, -np.inf)

    def standing(self, part: Sums) -> Floats:
        """Give the excess of slices over all others in standard errors; ``-inf`` where they're none."""
        fits = (part.cases >= self.least_cases) & (part.cases <= MOST_SHARE * self.total.cases)
        return np.where(fits, self.z(part, self.total), -np.inf)

    def sums(self, members: Members) -> Sums:
        """Give the sums of some cases."""
        own = self.losses[members]
        return Sums(float(own.size), float(own.sum()), float(self.squares[members].sum()))

    def table(self, cells: NDArray[np.int64], shape: tuple[int, ...]) -> Sums:
        """Give the sums by cell."""
        return _by_cell(cells, shape, self.losses, self.squares)

    def inside(self, picks: Picks) -> Inside:
        """Take the cases of a slice."""
        rows = np.flatnonzero(self.members(picks))
        return Inside(rows, self.losses[rows], self.squares[rows])

    def members(self, picks: Picks) -> Members:
        """Tell which cases are in a slice."""
        found = np.ones(self.losses.size, dtype=np.bool_)
        for feature, condition in picks:
            found &= self.levels[feature].members(condition)
        return found

    def found(self, picks: Picks, z: float) -> Found:
        """Score a slice."""
        ordered = tuple(sorted(picks))
        evidence = z * abs(z) / 2
        return Found(ordered, z, evidence - math.log(max(1.0, self.counts()[len(picks) - 1])))


def search(half: Half) -> tuple[list[Found], int]:
    """Search a half, and give the slices that lose most, the best first, and how many were looked at."""
    counts = half.counts()
    singles = [
        half.table(half.codes[place], (each.count,)).ranges(half.ranged[place])
        for place, each in enumerate(half.levels)
    ]
    found = [
        one
        for place, own in enumerate(singles)
        for one in _best(half, (place,), half.standing(own), most=KEPT)
    ]
    looked = counts[0]
    if len(counts) > 1:
        beam: list[Found] = []
        for pair in combinations(range(len(singles)), 2):
            whole, clear = _pairs(half, singles, pair)
            found += _best(half, pair, clear, most=KEPT)
            beam += _best(half, pair, whole, most=OF_A_PAIR)
        looked += counts[1]
        if len(counts) > 2:
            triples, tried = _triples(half, beam)
            found += triples
            looked += tried
    return sorted(found, key=lambda one: one.order), int(looked)


def _best(half: Half, features: tuple[int, ...], z: Floats, *, most: int) -> Iterator[Found]:
    """Give the few best of a table of slices."""
    flat = np.round(z.ravel(), 9)
    best = np.argsort(-flat, kind="stable")[:most]
    for place in best[flat[best] > 0]:
        picked = np.unravel_index(int(place), z.shape)
        picks = tuple((feature, int(at)) for feature, at in zip(features, picked, strict=True))
        yield half.found(picks, float(flat[place]))


def _pairs(half: Half, singles: Sequence[Sums], pair: tuple[int, int]) -> tuple[Floats, Floats]:
    """Give where all slices by two features stand, and again without those that don't beat their parents."""
    one, other = pair
    shape = half.levels[one].count, half.levels[other].count
    cells = half.codes[one] * shape[1] + half.codes[other]
    part = half.table(cells, shape).ranges(half.ranged[one], half.ranged[other])
    z = half.standing(part)
    clear = z >= CLEARLY
    for parent in (singles[one].along(0), singles[other].along(1)):
        clear &= half.z(part, parent) >= CLEARLY
    return z, np.where(clear, z, -np.inf)


def _triples(half: Half, pairs: Sequence[Found]) -> tuple[list[Found], float]:
    """Give the best pairs a third condition, then let each of the three be chosen anew given the others."""
    looked = 0.0
    grown: dict[Picks, Found] = {}
    for pair in sorted(pairs, key=lambda one: (-round(one.z, 6), one.picks))[:BEAM]:
        taken = {feature for feature, _ in pair.picks}
        others = [place for place in range(len(half.levels)) if place not in taken]
        inside = half.inside(pair.picks)
        for feature in others:
            z = _along(half, inside, feature)
            looked += z.size
            best = int(np.argmax(z))
            if z[best] > pair.z:
                one = half.found((*pair.picks, (feature, best)), float(z[best]))
                grown[one.picks] = one
    best_first = sorted(grown.values(), key=lambda one: one.order)[:BEAM]
    settled = {one.picks: one for one in (_settle(half, each) for each in best_first)}
    return [one for one in settled.values() if _beats_its_parents(half, one)], looked


def _along(half: Half, inside: Inside, feature: int) -> Floats:
    """Give where each condition on a feature stands, added to what holds inside; rounded against ties."""
    shape = (half.levels[feature].count,)
    cells = half.codes[feature][inside.rows]
    own = _by_cell(cells, shape, inside.losses, inside.squares).ranges(half.ranged[feature])
    clear = half.z(own, inside.whole) >= CLEARLY
    z = np.where(clear, half.standing(own), -np.inf)
    return np.asarray(z.round(9), dtype=np.float64)


def _settle(half: Half, one: Found) -> Found:
    """Choose each condition anew given the others, until none changes."""
    for _ in range(ROUNDS):
        before = one
        for place in range(len(one.picks)):
            others = one.picks[:place] + one.picks[place + 1 :]
            feature = one.picks[place][0]
            z = _along(half, half.inside(others), feature)
            best = int(np.argmax(z))
            if z[best] > round(one.z, 9):
                one = half.found((*others, (feature, best)), float(z[best]))
        if one is before:
            break
    return one


def _beats_its_parents(half: Half, one: Found) -> bool:
    own = half.sums(half.members(one.picks))
    for place in range(len(one.picks)):
        parent = half.sums(half.members(one.picks[:place] + one.picks[place + 1 :]))
        if not half.z(own, parent) >= CLEARLY:
            return False
    return True


def different(
    half: Half, found: Sequence[Found], *, most: int, enough: Callable[[Picks], bool]
) -> list[Found]:
    """Choose slices, the best first, each of which has something to tell that those before it don't.

    A slice is passed over where it overlaps one that was chosen by half (Jaccard). The others are scored anew
    without the cases of those chosen, so that what is left of a parent whose child was chosen stands for
    itself (Lavrač, Kavšek, Flach, Todorovski 2004, *Subgroup discovery with CN2-SD*, JMLR 5, cover
    in a like way).

    Parameters
    ----------
    found
        In order, the best first.
    most
        At most so many are chosen.
    enough
        Whether the other half has cases enough of a slice to judge it.
    """
    chosen: list[tuple[Found, Members]] = []
    free = np.ones(half.losses.size, dtype=np.bool_)
    waiting = [(one.order, one) for one in found[:POOL]]
    heapq.heapify(waiting)
    while waiting and len(chosen) < most:
        one = heapq.heappop(waiting)[1]
        own = half.members(one.picks)
        if any(overlap(own, other) >= MOST_OVERLAP for _, other in chosen):
            continue
        left = half.sums(own & free)
        if left.cases < half.least_cases:
            continue
        z = float(half.z(left, half.sums(free)))
        if not z >= CLEARLY:
            continue
        anew = half.found(one.picks, z)
        if waiting and anew.order > waiting[0][0]:
            heapq.heappush(waiting, (anew.order, anew))
        elif enough(one.picks):
            chosen.append((one, own))
            free &= ~own
    return [one for one, _ in chosen]


def overlap(one: Members, other: Members) -> float:
    """Give Jaccard's index: cases in both over cases in either; 0 where there are none.

    Examples
    --------
    >>> overlap(np.array([True, True, False]), np.array([False, True, True]))
    0.3333333333333333
    """
    either = int(np.count_nonzero(one | other))
    return float(np.count_nonzero(one & other)) / either if either else 0.0
