"""Answers of one cause, judged together: which differences chance alone doesn't explain.

The more questions are asked, the more of them chance answers. So the answers of a cause, over all groups and
features, share one error (Holm 1979, *A simple sequentially rejective multiple test procedure*, Scandinavian
Journal of Statistics 6): with as many as there are, each is held against an interval that is wide enough for
all of them. Far out, where such intervals end, Wilson's are too narrow for rare things; shares are therefore
judged by the exact limits of Clopper and Pearson on effective cases (Korn and Graubard 1998, *Confidence
intervals for proportions with small expected number of positive counts*, Survey Methodology 24), in the
closed form of Paulson (1942, *An approximate normalization of the analysis of variance distribution*, Annals
of Mathematical Statistics 13).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.ratios import Bounds, Ratios
from wholeroad.road.data.bias.student import student

Floats = NDArray[np.float64]
UNBOUNDED: Final = (float("-inf"), float("inf"))
"""The ends of an interval that says nothing."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two figures that are compared, with what its error follows from.

    Attributes
    ----------
    value, standard_error, freedom
        As :class:`~wholeroad.road.data.bias.ratios.Ratios` has them.
    effective
        Of a share, the independent cases that tell as much; infinite where the share is simply known. NaN of
        what is no share.
    """

    value: float
    standard_error: float = 0.0
    freedom: float = float("inf")
    effective: float = float("nan")


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it is judged.

    Attributes
    ----------
    bias
        All but ``clear`` and ``does``.
    own, rest, alike
        What is judged: two figures, and the correlation of their errors.
    question
        Answers with the same one say the same, as those of both values of a group of two: they count once.
    words
        What it does, once it is known whether it is clear.
    """

    bias: GroupBias
    own: Side
    rest: Side
    alike: float
    question: Hashable
    words: Callable[[GroupBias], str]


@dataclass(frozen=True, slots=True)
class Compared:
    """Groups beside the rest: figures, differences and correlations, arrays of shape (G,)."""

    own: Ratios
    rest: Ratios
    figures: Bounds
    rests: Bounds
    differences: Bounds
    alike: Floats

    def sides(self, place: int) -> tuple[Side, Side]:
        """Give the two sides of one group."""
        return side_of(self.own, place), side_of(self.rest, place)


def compare(own: Ratios, confidence: float, *, rest: Ratios | None = None) -> Compared:
    """Put each group beside the rest: all other groups together, unless it is given."""
    rest = own.rest if rest is None else rest
    product = np.einsum("gb,gb->g", own.residual, rest.residual)
    squares = np.einsum("gb,gb->g", own.residual, own.residual) * np.einsum(
        "gb,gb->g", rest.residual, rest.residual
    )
    root = np.sqrt(squares)
    alike = np.clip(np.divide(product, root, out=np.zeros_like(root), where=root > 0), -1.0, 1.0)
    figures, rests = bounds_of(own, confidence), bounds_of(rest, confidence)
    return Compared(own, rest, figures, rests, _apart(figures, rests, alike), alike)


def bounds_of(figures: Ratios, confidence: float) -> Bounds:
    """Give figures with their intervals: of positive ones on the scale of their cube roots' reciprocals.

    Where a few large amounts make a mean large, they make its error large, too, and where they happen to be
    missing, both are small. On this scale the error hardly depends on the mean, and is nearly normal, as in
    Wilson and Hilferty 1931, *The distribution of chi-square*, Proceedings of the National Academy of
    Sciences 17. Shares have intervals of their own.
    """
    if figures.share:
        return figures.bounds(confidence)
    quantile = student(confidence, figures.freedom)
    low, high = _stretched(figures.value, figures.standard_error, quantile)
    told = np.isfinite(low) & np.isfinite(high)
    return Bounds(
        figures.value, np.where(told, low, -np.inf), np.where(told, high, np.inf), figures.standard_error
    )


def _stretched(value: Floats, error: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Give Student's limits on the cube root's reciprocal; of what isn't positive, on its own scale."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        step = quantile * error / value / 3
        ends = value / (1 + step) ** 3, np.where(step < 1, value / (1 - step) ** 3, np.inf)
        plain = value - quantile * error, value + quantile * error
    positive = value > 0
    return np.where(positive, ends[0], plain[0]), np.where(positive, ends[1], plain[1])


def errors_told(difference: Bounds, freedom: Floats, *, confidence: float) -> Floats:
    """Give the standard errors of differences, no smaller than their intervals allow for.

    Where nothing came true the linearised error is near none, and its interval is far from it.
    """
    with np.errstate(invalid="ignore"):
        width = (difference.high - difference.low) / 2 / student(confidence, freedom)
        return np.fmax(np.where(np.isfinite(width), width, np.inf), difference.standard_error)


def judge(drafts: Sequence[Draft], *, confidence: float) -> tuple[GroupBias, ...]:
    """Say which answers are clear, all judged together, and what each one does."""
    asked = [draft for draft in drafts if draft.bias.enough]
    clear = dict(zip(map(id, asked), _clear(asked, confidence), strict=True))
    judged = [replace(draft.bias, clear=bool(clear.get(id(draft), False))) for draft in drafts]
    return tuple(replace(bias, does=draft.words(bias)) for bias, draft in zip(judged, drafts, strict=True))


def _clear(drafts: Sequence[Draft], confidence: float) -> list[bool]:
    questions = [draft.question for draft in drafts]
    left, standing = len(set(questions)), 0
    own, rest = ([_arrays(getattr(draft, side)) for draft in drafts] for side in ("own", "rest"))
    one, other = np.array(own).reshape(-1, 4).T, np.array(rest).reshape(-1, 4).T
    alike = np.array([draft.alike for draft in drafts])
    clear = [False] * len(drafts)
    while left > standing:
        level = 1 - (1 - confidence) / (left - standing)
        apart = _apart(_limits(one, level), _limits(other, level), alike)
        clear = [bool(each) for each in (apart.low > 0) | (apart.high < 0)]
        now = len({question for question, yes in zip(questions, clear, strict=True) if yes})
        if now <= standing:
            break
        standing = now
    return clear


def _arrays(side: Side) -> tuple[float, float, float, float]:
    return side.value, side.standard_error, side.freedom, side.effective


def side_of(figures: Ratios, place: int) -> Side:
    """Give one group's side."""
    return Side(
        value=float(figures.value[place]),
        standard_error=float(figures.standard_error[place]),
        freedom=float(figures.freedom[place]),
        effective=float(figures.effective[place]) if figures.share else float("nan"),
    )


def _limits(side: Floats, confidence: float) -> Bounds:
    """Give exact limits of shares and Student's of other figures; ``side`` has the shape (4, m)."""
    value, error, freedom, effective = side
    quantile = student(confidence, freedom)
    low, high = _stretched(value, error, quantile)
    share = ~np.isnan(effective)
    with np.errstate(invalid="ignore"):
        hits = value * effective
        lowest = beta_limit(hits, effective - hits + 1, quantile=-quantile)
        highest = beta_limit(hits + 1, effective - hits, quantile=quantile)
    known = np.isinf(effective)
    low = np.where(share, np.where(known, value, lowest), low)
    high = np.where(share, np.where(known, value, highest), high)
    return Bounds(value, low, high, error)


def beta_limit(one: Floats, other: Floats, *, quantile: Floats) -> Floats:
    """Give a quantile of the beta distribution from that of the normal one (Paulson 1942)."""
    swapped = one > other
    first, second = np.where(swapped, other, one), np.where(swapped, one, other)
    found = _smaller(first, second, np.where(swapped, -quantile, quantile))
    return np.where(swapped, 1 - found, found)


def _smaller(one: Floats, other: Floats, quantile: Floats) -> Floats:
    """Give the same where ``one`` is the smaller one, for which the form is the better one."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # F = (x / one) / ((1 - x) / other); its cube root is nearly normal, which leaves a quadratic.
        first, second = 1 / (9 * one), 1 / (9 * other)
        square = quantile * quantile
        lead = (1 - second) ** 2 - square * second
        middle = (1 - first) * (1 - second)
        root = np.sqrt(np.maximum(middle**2 - lead * ((1 - first) ** 2 - square * first), 0.0))
        cube = np.maximum((middle + np.sign(quantile) * root) / lead, 0.0) ** 3
        found = one * cube / (one * cube + other)
    found = np.where(lead <= 0, np.where(quantile > 0, 1.0, 0.0), found)
    return np.where(one <= 0, 0.0, found)


def _apart(one: Bounds, other: Bounds, alike: Floats) -> Bounds:
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
