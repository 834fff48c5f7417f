"""Terms of a linear score laid out side by side, so that few rows cost few steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.terms import Term, add_terms
from wholeroad.core.ports import Matrix

FEW: Final = 256
"""Up to so many rows, all columns are taken at once; with more, one after the other takes less memory."""

Floats = NDArray[np.float64]


class LaidTerms:
    """Intercepts and terms, to be added up column by column in fixed order: few rows or many, the same bits.

    Parameters
    ----------
    intercepts
        One for each score.
    terms
        One for each column; those without weights add nothing.
    """

    def __init__(self, intercepts: Sequence[float], terms: Sequence[Term]) -> None:
        self._intercepts = intercepts
        self._terms = terms
        used = [(column, term) for column, term in enumerate(terms) if term.weights]
        self._used = len(used)
        places = range(1, len(used) + 1)
        numbers = [(place, *each) for place, each in zip(places, used, strict=True) if not each[1].categories]
        coded = [(place, *each) for place, each in zip(places, used, strict=True) if each[1].categories]
        self._first = np.array(intercepts)[:, None]
        self._numbers = _places(numbers)
        self._scales = [
            np.array([getattr(term, name) for _, _, term in numbers])[:, None]
            for name in ("low", "high", "span", "mean", "scale")
        ]
        weights = np.array([term.weights for _, _, term in numbers]).reshape(len(numbers), len(intercepts), 2)
        self._slopes, self._of_null = weights[:, :, :1], weights[:, :, 1:]
        self._coded = _places(coded)
        self._null_codes = np.array([term.categories + 1 for _, _, term in coded])[:, None]
        widths = [term.width for _, _, term in coded]
        self._starts = np.cumsum([0, *widths])[:-1][:, None]
        self._table = np.concatenate([np.array(term.weights).T for _, _, term in coded]) if coded else None

    def scores(self, matrix: Matrix) -> list[Floats]:
        """Give each score, shape (n,)."""
        rows = len(matrix.values)
        if rows > FEW:
            scores = [np.full(rows, intercept) for intercept in self._intercepts]
            add_terms(self._terms, matrix, scores=scores)
            return scores
        parts = np.empty((1 + self._used, len(self._intercepts), rows))
        parts[0] = self._first
        if self._numbers is not None:
            self._add_numbers(parts, matrix.values.T[self._numbers[1]], self._numbers[0])
        if self._coded is not None and self._table is not None:
            values = matrix.values.T[self._coded[1]]
            codes = np.where(np.isnan(values), self._null_codes, values).astype(np.int64) + self._starts
            parts[self._coded[0]] = self._table[codes].transpose(0, 2, 1)
        # Accumulating adds one after the other; a sum may take another order.
        return list(np.add.accumulate(parts, axis=0)[-1])

    def _add_numbers(self, parts: Floats, values: Floats, places: NDArray[np.int64]) -> None:
        low, high, span, mean, scale = self._scales
        null = np.isnan(values)
        standard = np.where(null, 0.0, (np.clip(values, low, high) / span - mean) / scale)
        parts[places] = np.where(null[:, None], self._of_null, standard[:, None] * self._slopes)


def _places(
    some: Sequence[tuple[int, int, Term]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Give places among the parts, and columns."""
    if not some:
        return None
    return np.array([place for place, _, _ in some]), np.array([column for _, column, _ in some])
