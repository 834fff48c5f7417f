"""Figures by group with intervals: sums by group and block of time, and what follows from them alone.

Cases of one day share weather, crowds and mistakes, so whole blocks of time are what was sampled. A figure
is a ratio of two sums; its variance comes from what each block adds beyond the figure (Cochran 1977,
*Sampling techniques*, on clusters of unequal size). Each block counts for more by its leverage, which makes
the variance unbiased where cases are independent after all; the degrees of freedom say how much a few
large blocks can tell about it (Bell and McCaffrey 2002, *Bias reduction in standard errors for linear
regression with multi-stage samples*, Survey Methodology 28).

A share gets the interval of Wilson on as many cases as would tell as much if they were independent (Korn
and Graubard 1998, *Confidence intervals for proportions with small expected number of positive counts*,
Survey Methodology 24; Franco, Little, Louis, Slud 2019, *Comparative study of confidence intervals for
proportions in complex sample surveys*, Journal of Survey Statistics and Methodology 7).

Any other figure gets Student's, with fewer degrees of freedom where a few blocks make up the variance. Few
large amounts are often missing from small samples; an end that Hall's correction for skewness moves out
is moved (Hall 1992, *On the removal of skewness by transformation*, Journal of the Royal Statistical Society
B 54), by at most half as much again.

Differences and quotients are made from the two intervals and the correlation that the same blocks show
(Newcombe 1998, *Interval estimation for the difference between independent proportions*, Statistics in
Medicine 17; Zou and Donner 2008, *Construction of confidence limits about effect measures*, Statistics in
Medicine 27; Donner and Zou 2012, *Closed-form confidence intervals for functions of the normal mean and
standard deviation*, Statistical Methods in Medical Research 21).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.road.data.bias.student import student

Floats = NDArray[np.float64]

_DOUBT: Final = 1.0
"""How many degrees of freedom the belief weighs that cases of a block are no less alike than by chance."""

_FURTHEST: Final = 1.5
"""How far beyond Student's an end is moved at most; chosen so that intervals cover (bench/)."""

_STRAIGHT: Final = 1e-6
"""A skewness that makes no difference."""


def tally(
    codes: NDArray[Any],
    blocks: NDArray[Any],
    *,
    groups: int,
    columns: Mapping[str, NDArray[Any] | None],
) -> dict[str, Floats]:
    """Sum columns by group and block, one pass over each.

    Parameters
    ----------
    codes, blocks
        Shape (n,): the group of each case, ``0 .. groups - 1``, and its block, ``0 .. B - 1``.
    columns
        Shape (n,) each: numbers or booleans without NaN; None counts cases.

    Returns
    -------
    dict
        Shape (groups, B) by name.

    Examples
    --------
    >>> codes, blocks = np.array([0, 1, 0]), np.array([0, 0, 1])
    >>> tally(codes, blocks, groups=2, columns={"late": np.array([True, False, True])})["late"].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    count = int(blocks.max()) + 1 if blocks.size else 0
    # Cases come in order of time: block by block, neighbours are summed in the same few cells.
    cells = np.multiply(blocks, groups, dtype=np.int64)
    cells += codes
    size = groups * count
    return {
        name: np.bincount(cells, column, size).astype(np.float64, copy=False).reshape(count, groups).T
        for name, column in columns.items()
    }


@dataclass(frozen=True, slots=True)
class Bounds:
    """Figures with their intervals, arrays of one shape; NaN and unbounded where nothing can be told.

    Attributes
    ----------
    standard_error
        Infinite where nothing can be told; NaN of quotients.
    """

    value: Floats
    low: Floats
    high: Floats
    standard_error: Floats

    def at(self, *place: int) -> Estimate:
        """Give one of them."""
        return Estimate(float(self.value[place]), float(self.low[place]), float(self.high[place]))


@dataclass(frozen=True, slots=True)
class Ratios:
    """A figure for each group, and what its blocks say about its error; :func:`ratios` makes it.

    Attributes
    ----------
    numerator, denominator
        Shape (G, B): sums by group and block.
    share
        Whether the numerator counts some of the cases that the denominator counts.
    value
        Shape (G,): sum over sum; NaN without a case.
    cases
        Shape (G,): the denominator's sum.
    standard_error
        Shape (G,): of the value; infinite where nothing can be told.
    freedom
        Shape (G,): degrees of freedom of the standard error; below 1 nothing can be told.
    effective
        Shape (G,): of a share, how many independent cases would tell as much.
    residual
        Shape (G, B): what each block adds beyond the figure; the squares add up to the variance.
    skewness
        Shape (G,): of the figure's error; 0 of shares, whose interval allows for it in another way.
    """

    numerator: Floats
    denominator: Floats
    share: bool
    value: Floats
    cases: Floats
    standard_error: Floats
    freedom: Floats
    effective: Floats
    residual: Floats
    skewness: Floats

    def interval(self, confidence: float) -> tuple[Floats, Floats]:
        """Give the two ends for each group, shape (G,), unbounded where nothing can be told."""
        bounds = self.bounds(confidence)
        return bounds.low, bounds.high

    def bounds(self, confidence: float) -> Bounds:
        """Give the figures with their intervals, shape (G,)."""
        quantile = student(confidence, self.freedom)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            low, high = self._wilson(quantile) if self.share else self._around(quantile)
        told = np.isfinite(low) & np.isfinite(high) & (self.freedom >= 1)
        low, high = np.where(told, low, -np.inf), np.where(told, high, np.inf)
        return Bounds(self.value, low, high, self.standard_error)

    def take(self, groups: Sequence[int]) -> Ratios:
        """Give some of the groups, in the order named."""
        names = [name for name in self.__slots__ if name != "share"]
        return Ratios(share=self.share, **{name: getattr(self, name)[list(groups)] for name in names})

    def difference(self, one: int, other: int, *, confidence: float) -> tuple[Estimate, float]:
        """Give one group's figure less another's, paired by block, and its standard error."""
        found = self.take([one, other]).differences(confidence)
        return found.at(0, 1), float(found.standard_error[0, 1])

    def differences(self, confidence: float) -> Bounds:
        """Give each group's figure (first axis) less each other's, paired by block, shape (G, G).

        Each interval stands alone.
        """
        own = self.bounds(confidence)
        found = _less(_on(own, 1), _on(own, 0), self._alike(self.residual))
        for ends in (found.low, found.high):
            np.fill_diagonal(ends, found.value.diagonal())
        return found

    def quotients(self, confidence: float) -> Bounds:
        """Give each group's figure (first axis) over each other's, paired by block, shape (G, G).

        Of figures that can't be negative; each interval stands alone, from 0 to at most infinity.
        """
        own = self.bounds(confidence)
        return _over(_on(own, 1), _on(own, 0), self._alike(self.residual))

    def versus_rest(self, confidence: float) -> Bounds:
        """Give each group's figure less that of all others together, paired by block, shape (G,)."""
        rest = self.rest
        product = np.einsum("gb,gb->g", self.residual, rest.residual)
        alike = _over_root(product, _square(self.residual) * _square(rest.residual))
        return _less(self.bounds(confidence), rest.bounds(confidence), alike)

    def everybody(self, confidence: float) -> Estimate:
        """Give the figure of all groups together."""
        return self.together.bounds(confidence).at(0)

    @property
    def together(self) -> Ratios:
        """All groups as one, G = 1."""
        top, bottom = (sums.sum(axis=0, keepdims=True) for sums in (self.numerator, self.denominator))
        return ratios(top, bottom, share=self.share)

    @property
    def rest(self) -> Ratios:
        """For each group, all others as one."""
        top, bottom = (sums.sum(axis=0) - sums for sums in (self.numerator, self.denominator))
        return ratios(top, bottom, share=self.share)

    def _alike(self, residual: Floats) -> Floats:
        size = _square(residual)
        return _over_root(residual @ residual.T, size[:, None] * size)

    def _around(self, quantile: Floats) -> tuple[Floats, Floats]:
        reach = (np.clip(end, quantile, _FURTHEST * quantile) for end in _hall(quantile, self.skewness))
        below, above = (self.standard_error * end for end in reach)
        return self.value - below, self.value + above

    def _wilson(self, quantile: Floats) -> tuple[Floats, Floats]:
        """Wilson 1927, *Probable inference, the law of succession, and statistical inference*, JASA 22."""
        weight = quantile * quantile / self.effective
        middle = (self.value + weight / 2) / (1 + weight)
        half = np.sqrt(weight * (self.value * (1 - self.value) + weight / 4)) / (1 + weight)
        low, high = np.minimum(middle - half, self.value), np.maximum(middle + half, self.value)
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def ratios(numerator: Floats, denominator: Floats, *, share: bool) -> Ratios:
    """Give the figure of each group with what its error follows from.

    With ``N_b`` and ``D_b`` a group's sums of block ``b``, ``R = sum N / sum D`` and ``h_b = D_b / sum D``::

        V = sum_b (N_b - R * D_b) ^ 2 / (1 - h_b) / (sum D) ^ 2

    Parameters
    ----------
    numerator, denominator
        Shape (G, B). The denominator counts cases, so that it is never negative.
    share
        Whether the numerator counts some of these cases; else it may be any number, such as money.

    Examples
    --------
    >>> late, cases = np.array([[1.0, 0.0, 2.0, 1.0]]), np.array([[5.0, 5.0, 6.0, 4.0]])
    >>> found = ratios(late, cases, share=True)
    >>> low, high = found.interval(0.95)
    >>> float(found.value[0]), round(float(low[0]), 3), round(float(high[0]), 3)
    (0.2, 0.064, 0.479)
    """
    cases = denominator.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = numerator.sum(axis=1) / cases
        leverage = denominator / cases[:, None]
        beyond = (numerator - value[:, None] * denominator) / cases[:, None]
        residual = np.where(leverage < 1, beyond / np.sqrt(1 - leverage), np.nan)
        variance = _square(residual)
        freedom = np.where(np.isfinite(variance), _freedom(leverage), 0.0)
        effective, skewness = cases, np.zeros_like(cases)
        if not share:
            freedom, skewness = _of_amounts(residual, blocks=(denominator > 0).sum(axis=1), freedom=freedom)
        else:
            crowding = np.einsum("gb,gb->g", denominator, leverage)
            freedom = freedom * np.where(crowding > 1, crowding / (crowding - 1), np.inf)
            variance, effective = _of_share(value, cases=cases, variance=variance, freedom=freedom)
    error = np.sqrt(np.where(np.isfinite(variance), variance, np.inf))
    return Ratios(
        numerator=numerator,
        denominator=denominator,
        share=share,
        value=value,
        cases=cases,
        standard_error=error,
        freedom=freedom,
        effective=effective,
        residual=np.nan_to_num(residual),
        skewness=skewness,
    )


def _freedom(leverage: Floats) -> Floats:
    """Bell and McCaffrey's degrees of freedom of the variance of a mean, by Satterthwaite's matching."""
    pull = leverage * leverage / (1 - leverage)
    spread = _square(leverage) + pull.sum(axis=1) ** 2 - _square(pull)
    return np.asarray(1 / spread)


def _of_share(value: Floats, *, cases: Floats, variance: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Give a share's variance and the independent cases that tell as much.

    Fewer than its cases where cases of one block are alike. Where they are less alike than chance would have
    them, this is believed only as far as there are blocks to see it. Where all or nothing came true, it
    can't be seen; cases then count as independent, and the variance is Laplace's.
    """
    extreme = (value <= 0) | (value >= 1)
    design = variance * (cases - 1) / (value * (1 - value))
    cautious = np.where(np.isfinite(freedom), (freedom * design + _DOUBT) / (freedom + _DOUBT), design)
    design = np.where(extreme, 1.0, np.where(design < 1, cautious, design))
    effective = cases / design
    laplace = (value * cases + 1) / (cases + 2)
    smooth = laplace * (1 - laplace) / (cases + 2)
    plain = np.maximum(value * (1 - value) / effective, variance)
    return np.where(extreme & np.isfinite(variance), smooth, plain), effective


def _of_amounts(residual: Floats, *, blocks: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Give degrees of freedom by Satterthwaite's matching to the blocks' own spread, and the skewness."""
    squares = residual * residual
    variance = squares.sum(axis=1)
    spread = np.maximum(_square(squares) - variance * variance / blocks, 0.0)
    matched = np.where(spread > 0, 2 * variance * variance / spread, np.inf)
    cubes = np.einsum("gb,gb->g", squares, residual)
    skewness = np.where(variance > 0, cubes / variance**1.5, 0.0)
    return np.minimum(freedom, matched), np.nan_to_num(skewness)


def _hall(quantile: Floats, skewness: Floats) -> tuple[Floats, Floats]:
    """Give how far an interval reaches below and above, in standard errors, once skewness is removed."""
    straight = np.abs(skewness) < _STRAIGHT
    skew = np.where(straight, 1.0, skewness)
    below, above = (3 / skew * (np.cbrt(1 + skew * (end - skew / 6)) - 1) for end in (quantile, -quantile))
    return np.where(straight, quantile, below), np.where(straight, quantile, -above)


def _square(rows: Floats) -> Floats:
    return np.asarray(np.einsum("gb,gb->g", rows, rows))


def _over_root(product: Floats, squares: Floats) -> Floats:
    """Give a correlation from sums of products and squares; 0 where there is nothing to correlate."""
    root = np.sqrt(squares)
    found: Floats = np.divide(product, root, out=np.zeros_like(product), where=root > 0)
    return np.clip(found, -1.0, 1.0)


def _on(bounds: Bounds, axis: int) -> Bounds:
    return Bounds(*(np.expand_dims(getattr(bounds, name), axis) for name in bounds.__slots__))


def _less(one: Bounds, other: Bounds, alike: Floats) -> Bounds:
    """One less other, from their intervals and the correlation of their errors (Zou and Donner 2008)."""
    with np.errstate(invalid="ignore"):
        value = one.value - other.value
        low = value - _joint(one.value - one.low, other.high - other.value, alike)
        high = value + _joint(one.high - one.value, other.value - other.low, alike)
        error = _joint(one.standard_error, other.standard_error, alike)
    told = np.isfinite(low) & np.isfinite(high)
    return Bounds(
        value,
        np.where(told, low, -np.inf),
        np.where(told, high, np.inf),
        np.where(np.isfinite(error), error, np.inf),
    )


def _joint(one: Floats, other: Floats, alike: Floats) -> Floats:
    return np.asarray(np.sqrt(np.maximum(one * one + other * other - 2 * alike * one * other, 0.0)))


def _over(one: Bounds, other: Bounds, alike: Floats) -> Bounds:
    """One over other: the quotient ends where ``one - quotient * other`` may be 0 (Donner and Zou 2012)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value = one.value / other.value
        reach = one.value - one.low, other.high - other.value
        rooted, square, even = _roots(one.value, other.value, reach=reach, alike=alike)
        low = even / rooted
        reach = one.high - one.value, other.value - other.low
        rooted, square, even = _roots(one.value, other.value, reach=reach, alike=alike)
        high = rooted / square
    low = np.where(np.isfinite(low), np.maximum(low, 0.0), 0.0)
    high = np.where(np.isfinite(high) & (square > 0), high, np.inf)
    return Bounds(value, low, high, np.full_like(value, np.nan))


def _roots(
    one: Floats, other: Floats, *, reach: tuple[Floats, Floats], alike: Floats
) -> tuple[Floats, Floats, Floats]:
    """Give ``b + sqrt(b ^ 2 - a c)``, a and c of ``a q ^ 2 - 2 b q + c = 0``."""
    square, even = other * other - reach[1] * reach[1], one * one - reach[0] * reach[0]
    middle = one * other - alike * reach[0] * reach[1]
    return middle + np.sqrt(np.maximum(middle * middle - square * even, 0.0)), square, even
