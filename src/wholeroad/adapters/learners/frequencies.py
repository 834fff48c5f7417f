"""Class frequencies: what can be said without features, and of classes that a fit didn't see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Seen:
    """Which classes the training rows show.

    Attributes
    ----------
    classes
        Of the brief.
    present
        Codes of those that the training rows show, in order.
    floor
        What each of the others is given: ``1 / (n + classes)``, the rule of succession.
    """

    classes: int
    present: tuple[int, ...]
    floor: float

    def recode(self, truth: NDArray[np.int8]) -> NDArray[np.int64]:
        """Give codes among ``present``, and -1 for a class that isn't."""
        table = np.full(self.classes, -1, dtype=np.int64)
        table[list(self.present)] = np.arange(len(self.present))
        return table[truth.astype(np.int64)]

    def spread(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn probabilities of the present classes, (n, present), into those of all, (n, classes)."""
        if len(self.present) == self.classes:
            return probabilities
        result = np.full((len(probabilities), self.classes), self.floor, dtype=np.float64)
        share = 1.0 - self.floor * (self.classes - len(self.present))
        for index, code in enumerate(self.present):
            result[:, code] = probabilities[:, index] * share
        return result


def seen(truth: NDArray[np.int8], classes: int, *, weights: NDArray[np.float64] | None = None) -> Seen:
    """Tell which classes the training rows show; no rows show all of them, none more than another."""
    counts = np.bincount(truth, minlength=classes)
    present = tuple(int(code) for code in np.flatnonzero(counts)) or tuple(range(classes))
    return Seen(classes, present, 1.0 / (_total(truth, weights) + classes))


def smoothed(
    truth: NDArray[np.int8], classes: int, *, weights: NDArray[np.float64] | None = None
) -> tuple[float, ...]:
    """Give ``(count + 1) / (n + classes)`` of each class (Laplace's rule of succession), by weight."""
    counts = np.bincount(truth, weights=weights, minlength=classes)
    return tuple(float(count + 1) / (_total(truth, weights) + classes) for count in counts)


def _total(truth: NDArray[np.int8], weights: NDArray[np.float64] | None) -> float:
    return len(truth) if weights is None else float(weights.sum())
