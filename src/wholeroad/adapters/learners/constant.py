"""The constant: the frequencies of the classes, the same for every case."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.frequencies import smoothed
from wholeroad.adapters.learners.weighted_rows import weighted
from wholeroad.core.ports import Matrix, Stop


@dataclass(frozen=True, slots=True)
class ConstantScorer:
    """The same probabilities for every row."""

    constant: tuple[float, ...]

    def probabilities(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, classes)."""
        return np.tile(np.array(self.constant, dtype=np.float64), (len(matrix.values), 1))

    def to_bytes(self) -> bytes:
        """Give the probabilities as JSON."""
        return json.dumps({"constant": self.constant}, separators=(",", ":")).encode()


class Constant:
    """Learns how often each class happens (with Laplace's rule of succession), and nothing else.

    What a model adds is seen against it: the best single action for everyone.
    """

    name = "constant"
    complexity = 1

    def fit(
        self,
        matrix: Matrix,
        truth: NDArray[np.int8],
        *,
        classes: int,
        stop: Stop | None = None,
        rounds: int | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> tuple[ConstantScorer, None]:
        """Count; see :class:`wholeroad.core.ports.Learner`."""
        del stop, rounds
        _, truth, weights = weighted(matrix, truth, weights=weights)
        return ConstantScorer(smoothed(truth, classes, weights=weights)), None

    def from_bytes(self, data: bytes) -> ConstantScorer:
        """Read what ``to_bytes`` wrote."""
        return ConstantScorer(tuple(json.loads(data)["constant"]))
