"""The constant for numbers: the quantiles of all outcomes, the same for every case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.adapters.learners.quantiles import empirical
from wholeroad.core.ports import Matrix


@dataclass(frozen=True, slots=True)
class ConstantQuantilesScorer:
    """The same quantiles for every row."""

    constant: tuple[float, ...]

    def quantiles(self, matrix: Matrix) -> NDArray[np.float64]:
        """Give shape (n, points)."""
        return np.tile(np.array(self.constant, dtype=np.float64), (len(matrix.values), 1))

    def to_bytes(self) -> bytes:
        """Give the quantiles as JSON."""
        return json.dumps({"quantiles": self.constant}, separators=(",", ":")).encode()


class ConstantQuantiles:
    """Learns how the numbers are spread, and nothing else.

    What a model adds is seen against it: the best single amount for everyone.
    """

    name = "constant"
    complexity = 1

    def fit_quantiles(
        self,
        matrix: Matrix,
        outcome: NDArray[np.float64],
        *,
        points: Sequence[float],
        stop: tuple[Matrix, NDArray[np.float64]] | None = None,
        rounds: int | None = None,
    ) -> tuple[ConstantQuantilesScorer, None]:
        """Sort; see :class:`wholeroad.core.ports.QuantileLearner`."""
        del matrix, stop, rounds
        return ConstantQuantilesScorer(empirical(outcome, points)), None

    def from_bytes(self, data: bytes) -> ConstantQuantilesScorer:
        """Read what ``to_bytes`` wrote."""
        return ConstantQuantilesScorer(tuple(json.loads(data)["quantiles"]))
