"""Linear quantile regression, fitted by Newton's method on a smoothed loss, scored by our own arithmetic."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.laid_terms import LaidTerms
from wholeroad.adapters.learners.quantiles import Ladder, empirical
from wholeroad.adapters.learners.terms import Term, lay_out, measured, put_weights
from wholeroad.core.ports import Matrix

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RIDGE: Final = 1.0
"""The pull of weights to zero, against the sum over rows, where outcomes and numbers have deviation 1."""
LEAST_BANDWIDTH: Final = 0.05
MOST_STEPS: Final = 60
_MOST_HALVINGS: Final = 30
_TOLERANCE: Final = 1e-7
_FLAT: Final = 1e-12


@dataclass(frozen=True)
class LinearQuantilesScorer:
    """Adds up terms for each knot, column by column in fixed order."""

    ladder: Ladder
    intercepts: tuple[float, ...]
    terms: tuple[Term, ...]

    def quantiles(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, points)."""
        return self.ladder.climb(self._laid.scores(matrix))

    @cached_property
    def _laid(self) -> LaidTerms:
        return LaidTerms(self.intercepts, self.terms)

    def to_bytes(self) -> bytes:
        """Give the weights as JSON; floats are written so that they read back to the same bits."""
        data = {
            "ladder": asdict(self.ladder),
            "intercepts": self.intercepts,
            "terms": [asdict(term) for term in self.terms],
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class LinearQuantiles:
    """A line for each knot, with standardised numbers, one weight per category, and a ridge.

    The quantile loss has a corner, at which Newton's method can't stop; so it is smoothed by a logistic
    kernel, which keeps it convex (Fernandes, Guerre, Horta 2021, *Smoothing quantile regressions*,
    JBES 39; He, Pan, Tan, Zhou 2023, *Smoothed quantile regression with large-scale inference*,
    J. Econometrics 232, whose bandwidth is taken). What bias the smoothing leaves, calibration mends.
    """

    name = "linear"
    complexity = 2

    def fit_quantiles(
        self,
        matrix: Matrix,
        outcome: NDArray[np.float64],
        *,
        points: Sequence[float],
        stop: tuple[Matrix, NDArray[np.float64]] | None = None,
        rounds: int | None = None,
    ) -> tuple[LinearQuantilesScorer, None]:
        """Fit; see :class:`wholeroad.core.ports.QuantileLearner`. It has no rounds and stops on nothing."""
        del stop, rounds
        ladder = Ladder.of(points, outcome)
        numbers = ladder.learnt(outcome)
        terms = [measured(matrix.values[:, index], k) for index, k in enumerate(matrix.categories)]
        used = [index for index, term in enumerate(terms) if term.scale > 0]
        middle, spread = (float(numbers.mean()), float(numbers.std())) if len(numbers) else (0.0, 0.0)
        if not used or spread < _FLAT:
            return LinearQuantilesScorer(ladder, empirical(numbers, ladder.knots), tuple(terms)), None
        design = lay_out(matrix, terms, used=used)
        solved = _solve(design, (numbers - middle) / spread, ladder.knots) * spread
        intercepts = tuple(float(b) + middle for b in solved[:, 0])
        return LinearQuantilesScorer(
            ladder, intercepts, put_weights(terms, used, coefficients=solved[:, 1:])
        ), None

    def from_bytes(self, data: bytes) -> LinearQuantilesScorer:
        """Read what ``to_bytes`` wrote."""
        content = json.loads(data)
        ladder = content["ladder"]
        return LinearQuantilesScorer(
            ladder=Ladder(tuple(ladder["points"]), tuple(ladder["knots"]), ladder["scale"]),
            intercepts=tuple(content["intercepts"]),
            terms=tuple(
                Term(**{**term, "weights": tuple(tuple(row) for row in term["weights"])})
                for term in content["terms"]
            ),
        )


def _solve(columns: csr_matrix, outcome: NDArray[np.float64], knots: Sequence[float]) -> NDArray[np.float64]:
    """Give the intercept and the weights of each knot, (knots, 1 + columns)."""
    from scipy.sparse import csr_matrix, hstack
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    rows, width = columns.shape
    design = csr_matrix(hstack([np.ones((rows, 1)), columns], format="csr"))
    pull = np.full(1 + width, RIDGE)
    pull[0] = 0.0
    solved = np.empty((len(knots), 1 + width))
    with threadpool_limits(limits=1):
        start = np.linalg.solve(_curvature(design, np.ones(rows)) + np.diag(pull), design.T @ outcome)
        residual = outcome - design @ start
        for row, knot in enumerate(knots):
            first = start.copy()
            first[0] += float(np.quantile(residual, knot))
            bandwidth = _bandwidth(knot, rows, width) * max(float(residual.std()), LEAST_BANDWIDTH)
            solved[row] = _newton(design, outcome, knot, bandwidth, pull, first)
    return solved


def _bandwidth(knot: float, rows: int, width: int) -> float:
    """Give the bandwidth of He and others (2023, section 5), in deviations of the residual."""
    rate = ((width + math.log(rows)) / rows) ** 0.4
    return max(LEAST_BANDWIDTH, math.sqrt(knot * (1 - knot)) * min(float(rate), 1.0))


def _newton(
    design: csr_matrix,
    outcome: NDArray[np.float64],
    knot: float,
    bandwidth: float,
    pull: NDArray[np.float64],
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    def loss(weights: NDArray[np.float64]) -> float:
        residual = outcome - design @ weights
        smoothed = knot * residual + bandwidth * np.logaddexp(0.0, -residual / bandwidth)
        return float(np.sum(smoothed) + 0.5 * np.sum(pull * weights * weights))

    weights, now = start, loss(start)
    for _ in range(MOST_STEPS):
        below = _logistic(-(outcome - design @ weights) / bandwidth)
        gradient = design.T @ (below - knot) + pull * weights
        curvature = _curvature(design, below * (1 - below) / bandwidth)
        # Far from the data the loss is flat; a little steepness keeps the step finite.
        curvature += np.diag(pull + 1e-6 * len(outcome))
        step = np.linalg.solve(curvature, gradient)
        for _halving in range(_MOST_HALVINGS):
            trial = loss(weights - step)
            if trial <= now:
                break
            step /= 2
        else:
            return weights
        weights, now = weights - step, trial
        if float(np.abs(step).max()) < _TOLERANCE:
            break
    return weights


def _curvature(design: csr_matrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (design.T @ design.multiply(weights[:, None])).toarray()
    return found


def _logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ``1 / (1 + exp(-x))`` without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))
