"""Multinomial logistic regression: fitted by scikit-learn, scored by arithmetic of our own."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.frequencies import Seen, seen, smoothed
from wholeroad.adapters.learners.laid_terms import LaidTerms
from wholeroad.adapters.learners.terms import Term, lay_out, measured, put_weights
from wholeroad.adapters.learners.weighted_rows import weighted
from wholeroad.core.ports import Matrix, Stop
from wholeroad.road.model.calibration import softmax

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

INVERSE_RIDGE: Final = 1.0
"""``C`` of scikit-learn: the pull of weights to zero, against the sum over rows."""
MOST_NEWTON_WEIGHTS: Final = 1_500
"""Newton's method takes memory and time by the square of the weights; above this, L-BFGS."""


@dataclass(frozen=True)
class LogisticScorer:
    """Scores by adding up terms, column by column in fixed order, never by a BLAS product."""

    known: Seen
    intercepts: tuple[float, ...]
    terms: tuple[Term, ...]

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes)."""
        return self.known.spread(softmax(self._laid.scores(matrix)))

    @cached_property
    def _laid(self) -> LaidTerms:
        return LaidTerms(self.intercepts, self.terms)

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
    complexity = 3

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[LogisticScorer, None]:
        """Fit; see :class:`wholeroad.core.ports.Learner`. It has no rounds and stops on nothing."""
        del stop, rounds
        matrix, truth, weights = weighted(matrix, truth, weights=weights)
        known = seen(truth, classes, weights=weights)
        codes = known.recode(truth)
        terms = [
            measured(matrix.values[:, index], k, weights=weights) for index, k in enumerate(matrix.categories)
        ]
        used = [index for index, term in enumerate(terms) if term.scale > 0]
        if len(known.present) < 2 or not used:
            base = smoothed(codes.astype(np.int8), len(known.present), weights=weights)
            blank = tuple(terms)
            return LogisticScorer(known, tuple(float(np.log(share)) for share in base), blank), None
        design = lay_out(matrix, terms, used=used)
        coefficients, intercepts = _solve(design, codes, len(known.present), weights)
        solved = put_weights(terms, used, coefficients=coefficients)
        return LogisticScorer(known, tuple(float(b) for b in intercepts), solved), None

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


def _solve(
    design: csr_matrix, codes: NDArray[np.int64], classes: int, rows_weigh: NDArray[np.float64] | None
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
        model.fit(design, codes, sample_weight=rows_weigh)
    coefficients, intercepts = np.asarray(model.coef_), np.asarray(model.intercept_)
    if classes == 2:
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros(1), intercepts])
    return coefficients, intercepts
