"""Which slices lose most, by the half that is searched.

All slices of one and two conditions are looked at, as sums over a table of two features' levels: a range of
levels is a rectangle in it. Those of three grow from the best of two (a beam; Chung, Kraska, Polyzotis, Tae,
Whang 2019, *Slice Finder: automated data slicing for model validation*, ICDE). A slice's score weighs its
excess and its size, as that of Sagadeeva and Boehm does (2021, *SliceLine: fast, linear-algebra-based slice finding
for ML model debugging*, SIGMOD), but by what chance could do: half the squared excess in standard errors,
less the logarithm of how many slices with as many conditions there are. So a longer description has to earn its
length (Proença, Grünwald, Bäck, van Leeuwen 2022, *Robust subgroup discovery*, DMKD 36), and a constant added to
all losses changes nothing.

Sums are of whole numbers, so that the order of rows can't change them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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

BEAM: Final = 60
"""So many slices of two conditions are given a third."""
KEPT: Final = 4
"""Of each feature or pair of features."""
CLEARLY: Final = 2.0
"""In standard errors: how far a slice has to exceed the rest of what it is a part of."""
MOST_SHARE: Final = 2 / 3
"""A larger part of all cases is no slice; what is left of it may be."""
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

    def at(self, *index: Any) -> Sums:
        """Give some of them."""
        return Sums(self.cases[index], self.losses[index], self.squares[index])


def _over(table: Floats, ranged: Sequence[Floats]) -> Floats:
    found = ranged[0] @ table
    return found @ ranged[1].T if len(ranged) > 1 else found


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
    def of(
        cls, levels: Sequence[Levels], loss: Floats, *, least_cases: int, most_conditions: int
    ) -> Half:
        """Put it together; the losses become whole numbers whose sums are exact."""
        centred = loss - np.median(loss)
        largest = float(np.abs(centred).max()) or 1.0
        unit = 2.0 ** (51 - max(1, loss.size).bit_length())
        shares = centred / largest
        losses, squares = np.round(shares * unit), np.round(shares * shares * unit) * unit
        ranged = []
        for each in levels:
            places = np.arange(each.count)
            first, last = each.ranges[:, :1], each.ranges[:, 1:]
            ranged.append(((places >= first) & (places < last)).astype(np.float64))
        total = Sums(float(loss.size), float(losses.sum()), float(squares.sum()))
        codes = np.array([each.codes for each in levels], dtype=np.int64).reshape(len(levels), -1)
        return cls(
            tuple(levels), losses, squares, codes, tuple(ranged), total, least_cases, most_conditions
        )

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
            own, other = part.losses / part.cases, rest.losses / rest.cases
            spread = np.maximum(part.squares / part.cases - own * own, variance) / part.cases
            spread = spread + np.maximum(rest.squares / rest.cases - other * other, variance) / rest.cases
            found = (own - other) / np.sqrt(spread)
        return np.where((part.cases > 0) & (rest.cases > 0), found, -np.inf)

    def standing(self, part: Sums) -> Floats:
        """Give the excess of slices over all others in standard errors; ``-inf`` where they're none."""
        fits = (part.cases >= self.least_cases) & (part.cases <= MOST_SHARE * self.total.cases)
        return np.where(fits, self.z(part, self.total), -np.inf)

    def sums(self, members: Members) -> Sums:
        """Give the sums of some cases."""
        return Sums(
            float(np.count_nonzero(members)),
            float(self.losses[members].sum()),
            float(self.squares[members].sum()),
        )

    def table(self, cells: NDArray[np.int64], shape: tuple[int, ...], rows: Any = slice(None)) -> Sums:
        """Give the sums by cell."""
        size = math.prod(shape)
        weights = (None, self.losses[rows], self.squares[rows])
        return Sums(
            *(
                np.bincount(cells, weights=own, minlength=size).astype(np.float64).reshape(shape)
                for own in weights
            )
        )

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
    found = [one for place, own in enumerate(singles) for one in _best(half, (place,), half.standing(own))]
    searched = counts[0]
    if half.most_conditions > 1:
        pairs = [one for pair in combinations(range(len(singles)), 2) for one in _pairs(half, singles, pair)]
        found += pairs
        searched += counts[1] if len(counts) > 1 else 0.0
        if half.most_conditions > 2:
            triples, looked = _triples(half, pairs)
            found += triples
            searched += looked
    return sorted(found, key=lambda one: one.order), int(searched)


def _best(half: Half, features: tuple[int, ...], z: Floats) -> Iterator[Found]:
    """Give the few best of a table of slices."""
    flat = np.round(z.ravel(), 9)
    best = np.argsort(-flat, kind="stable")[:KEPT]
    for place in best[flat[best] > 0]:
        picked = np.unravel_index(int(place), z.shape)
        picks = tuple((feature, int(at)) for feature, at in zip(features, picked, strict=True))
        yield half.found(picks, float(z.ravel()[place]))


def _pairs(half: Half, singles: Sequence[Sums], pair: tuple[int, int]) -> Iterator[Found]:
    one, other = pair
    shape = half.levels[one].count, half.levels[other].count
    cells = half.codes[one] * shape[1] + half.codes[other]
    part = half.table(cells, shape).ranges(half.ranged[one], half.ranged[other])
    z = half.standing(part)
    clear = z >= CLEARLY
    if not clear.any():
        return
    for parent in (singles[one].at(slice(None), None), singles[other].at(None, slice(None))):
        clear &= half.z(part, parent) >= CLEARLY
    yield from _best(half, pair, np.where(clear, z, -np.inf))


def _triples(half: Half, pairs: Sequence[Found]) -> tuple[list[Found], float]:
    """Give the best pairs a third condition, then let each of the three be chosen anew given the others."""
    looked = 0.0
    grown: dict[Picks, Found] = {}
    for pair in sorted(pairs, key=lambda one: (-round(one.z, 6), one.picks))[:BEAM]:
        taken = {feature for feature, _ in pair.picks}
        others = [place for place in range(len(half.levels)) if place not in taken]
        inside = np.flatnonzero(half.members(pair.picks))
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


def _along(half: Half, inside: NDArray[np.int64], feature: int) -> Floats:
    """Give where each condition on a feature stands, added to what holds inside; rounded against ties."""
    count = half.levels[feature].count
    own = half.table(half.codes[feature][inside], (count,), inside).ranges(half.ranged[feature])
    clear = half.z(own, half.sums_of(inside)) >= CLEARLY
    return np.round(np.where(clear, half.standing(own), -np.inf), 9)
