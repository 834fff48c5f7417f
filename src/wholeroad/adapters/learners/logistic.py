"""Multinomial logistic regression: fitted by scikit-learn, scored by arithmetic of our own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.frequencies import Seen, seen, smoothed
from wholeroad.core.ports import Matrix
from wholeroad.road.model.calibration import softmax

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

INVERSE_RIDGE: Final = 1.0
"""``C`` of scikit-learn: the pull of weights to zero, against the sum over rows."""
MOST_NEWTON_WEIGHTS: Final = 1_500
"""Newton's method takes memory and time by the square of the weights; above this, L-BFGS."""
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


@dataclass(frozen=True, slots=True)
class LogisticScorer:
    """Scores by adding up terms, column by column in fixed order, never by a BLAS product."""

    known: Seen
    intercepts: tuple[float, ...]
    terms: tuple[Term, ...]

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes)."""
        rows = len(matrix.values)
        scores = [np.full(rows, intercept) for intercept in self.intercepts]
        for index, term in enumerate(self.terms):
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
        return self.known.spread(softmax(scores))

    def to_bytes(self) -> bytes:
        """Give the weights as JSON; floats are written so that they read back to the same bits."""
        data = {
            "known": asdict(self.known),
            "intercepts": self.intercepts,
            "terms": [asdict(term) for term in self.terms],
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Logistic:
    """Logistic regression with standardised numbers, one weight per category, and a ridge.

    A null number stands at its column's mean and has a weight of its own. Every category has a
    weight, without a reference: the ridge makes them unique, and draws an unseen one to zero, the
    average. The fit is convex and runs on one BLAS thread, so nothing depends on threads or seeds.
    Fitted by Newton's method on the sparse design (scikit-learn's ``newton-cholesky``), beyond
    :data:`MOST_NEWTON_WEIGHTS` weights by L-BFGS.
    """

    name = "logistic"
    complexity = 2

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: tuple[Matrix, NDArray[np.int8]] | None = None,
        rounds: int | None = None,
    ) -> tuple[LogisticScorer, None]:
        """Fit; see :class:`wholeroad.core.ports.Learner`. It has no rounds and stops on nothing."""
        del stop, rounds
        known = seen(truth, classes)
        codes = known.recode(truth)
        terms = [_measured(matrix.values[:, index], k) for index, k in enumerate(matrix.categories)]
        used = [index for index, term in enumerate(terms) if term.scale > 0]
        if len(known.present) < 2 or not used:
            base = smoothed(codes.astype(np.int8), len(known.present))
            blank = tuple(terms)
            return LogisticScorer(known, tuple(float(np.log(share)) for share in base), blank), None
        design = _design(matrix, terms, used)
        coefficients, intercepts = _solve(design, codes, len(known.present))
        weighted = _weighted(terms, used, coefficients)
        return LogisticScorer(known, tuple(float(b) for b in intercepts), weighted), None

    def from_bytes(self, data: bytes) -> LogisticScorer:
        """Read what ``to_bytes`` wrote."""
        content: Mapping[str, Any] = json.loads(data)
        known = content["known"]
        return LogisticScorer(
            known=Seen(known["classes"], tuple(known["present"]), known["floor"]),
            intercepts=tuple(content["intercepts"]),
            terms=tuple(
                Term(**{**term, "weights": tuple(tuple(row) for row in term["weights"])})
                for term in content["terms"]
            ),
        )


def _measured(values: NDArray[np.float64], categories: int) -> Term:
    """Measure a column on the training rows; a scale of 0 says that it tells nothing."""
    if categories:
        return Term(categories, 0.0, 0.0, 1.0, 0.0, 1.0)
    known = np.ascontiguousarray(values[np.isfinite(values)])
    if not len(known):
        return Term(0, 0.0, 0.0, 1.0, 0.0, 0.0)
    low, high = float(known.min()), float(known.max())
    span = max(abs(low), abs(high)) or 1.0
    known /= span
    mean, scale = float(known.mean()), float(known.std())
    flat = scale < _FLAT
    some_null = bool(np.isnan(values).any())
    if flat:
        return Term(0, low, high, span, mean, 1.0 if some_null else 0.0)
    return Term(0, low, high, span, mean, scale)


def _design(matrix: Matrix, terms: Sequence[Term], used: Sequence[int]) -> csr_matrix:
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
    design = csr_matrix((data.ravel(), places.ravel(), starts), shape=(rows, start))
    design.eliminate_zeros()
    return design


def _solve(
    design: csr_matrix, codes: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give weights (classes, columns) and intercepts (classes,)."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    weights = design.shape[1] * (1 if classes == 2 else classes)
    newton = weights <= MOST_NEWTON_WEIGHTS
    model = LogisticRegression(
        C=INVERSE_RIDGE,
        solver="newton-cholesky" if newton else "lbfgs",
        max_iter=100 if newton else 500,
        tol=1e-6 if newton else 1e-5,
    )
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Said at most once per fit of a small or separable cut; the ridge keeps it finite.
        warnings.simplefilter("ignore")
        model.fit(design, codes)
    coefficients, intercepts = np.asarray(model.coef_), np.asarray(model.intercept_)
    if classes == 2:
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros(1), intercepts])
    return coefficients, intercepts


def _weighted(
    terms: Sequence[Term], used: Sequence[int], coefficients: NDArray[np.float64]
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
