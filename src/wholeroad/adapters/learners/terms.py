"""Terms of a linear score: one for each column, the same on the training rows as on any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ports import Matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FLAT: Final = 1e-12
"""A number column whose scaled deviation is below this tells nothing."""

Weights = tuple[tuple[float, ...], ...]
"""Per class: the weights of a column's terms."""


@dataclass(frozen=True, slots=True)
class Term:
    """What one column adds to the score of each class.

    Attributes
    ----------
    categories
        0 for a number; else codes ``0 .. categories`` and null each have a weight.
    low, high, span, mean, scale
        A number is held within the range that was trained on, then standardised:
        ``(x / span - mean) / scale``.
    weights
        Per class. Of a number: (slope, weight of null). Of a category: one for each code, the
        last for null.
    """

    categories: int
    low: float
    high: float
    span: float
    mean: float
    scale: float
    weights: Weights = ()

    @property
    def width(self) -> int:
        """The number of weights per class."""
        return self.categories + 2 if self.categories else 2

    def standardised(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give a number column on the scale of the fit; NaN stays NaN."""
        return (np.clip(values, self.low, self.high) / self.span - self.mean) / self.scale

    def codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Give the codes of a category column; null has the last."""
        return np.where(np.isnan(values), self.categories + 1, values).astype(np.int64)


def add_terms(terms: Sequence[Term], matrix: Matrix, *, scores: Sequence[NDArray[np.float64]]) -> None:
    """Add the terms to scores of shape (n,), column by column in fixed order, never by a BLAS product."""
    for index, term in enumerate(terms):
        if not term.weights:
            continue
        values = np.ascontiguousarray(matrix.values[:, index])
        if term.categories:
            codes = term.codes(values)
            for score, weights in zip(scores, term.weights, strict=True):
                np.add(score, np.array(weights)[codes], out=score)
            continue
        null = np.isnan(values)
        standard = np.where(null, 0.0, term.standardised(values))
        for score, (slope, of_null) in zip(scores, term.weights, strict=True):
            np.add(score, np.where(null, of_null, standard * slope), out=score)


def measured(
    values: NDArray[np.float64], categories: int, *, weights: NDArray[np.float64] | None = None
) -> Term:
    """Measure a column on the training rows, by weight; a scale of 0 says that it tells nothing."""
    if categories:
        return Term(categories, 0.0, 0.0, 1.0, 0.0, 1.0)
    finite = np.isfinite(values)
    known = np.ascontiguousarray(values[finite])
    if not len(known):
        return Term(0, 0.0, 0.0, 1.0, 0.0, 0.0)
    low, high = float(known.min()), float(known.max())
    span = max(abs(low), abs(high)) or 1.0
    known /= span
    mean, scale = _mean_and_deviation(known, None if weights is None else weights[finite])
    flat = scale < _FLAT
    some_null = bool(np.isnan(values).any())
    if flat:
        return Term(0, low, high, span, mean, 1.0 if some_null else 0.0)
    return Term(0, low, high, span, mean, scale)


def _mean_and_deviation(
    values: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> tuple[float, float]:
    if weights is None:
        return float(values.mean()), float(values.std())
    total = float(weights.sum())
    mean = float((weights * values).sum()) / total
    return mean, float(np.sqrt((weights * (values - mean) ** 2).sum() / total))


def lay_out(matrix: Matrix, terms: Sequence[Term], *, used: Sequence[int]) -> csr_matrix:
    """Lay out the columns used: two entries for a number, one for a category, in each row."""
    from scipy.sparse import csr_matrix

    rows = len(matrix.values)
    entries = sum(1 if terms[index].categories else 2 for index in used)
    data = np.ones((rows, entries), dtype=np.float64)
    places = np.empty((rows, entries), dtype=np.int32)
    entry = start = 0
    for index in used:
        term, values = terms[index], matrix.values[:, index]
        if term.categories:
            places[:, entry] = term.codes(values) + start
            entry += 1
        else:
            null = np.isnan(values)
            data[:, entry] = np.where(null, 0.0, term.standardised(values))
            data[:, entry + 1] = null
            places[:, entry], places[:, entry + 1] = start, start + 1
            entry += 2
        start += term.width
    starts = np.arange(rows + 1, dtype=np.int32 if rows * entries < 2**31 else np.int64) * entries
    laid = csr_matrix((data.ravel(), places.ravel(), starts), shape=(rows, start))
    laid.eliminate_zeros()
    return laid


def put_weights(
    terms: Sequence[Term], used: Sequence[int], *, coefficients: NDArray[np.float64]
) -> tuple[Term, ...]:
    """Put the weights into the terms; a term that isn't used stays without."""
    result = list(terms)
    start = 0
    for index in used:
        term = terms[index]
        block = coefficients[:, start : start + term.width]
        weights = tuple(tuple(float(weight) for weight in row) for row in block)
        result[index] = Term(term.categories, term.low, term.high, term.span, term.mean, term.scale, weights)
        start += term.width
    return tuple(result)
