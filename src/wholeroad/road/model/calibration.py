"""Calibration: making stated probabilities mean what they say, with few parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SMALLEST_PROBABILITY: Final = 1e-12
"""Probabilities are held above this before their logarithm is taken."""
SMALLEST_SLOPE: Final = 0.01
"""A slope below it would turn the model's ranking around; then the model tells nothing."""
RIDGE: Final = 1.0
"""Weight of the pull towards the identity: a standard normal prior on each parameter."""
MOST_STEPS: Final = 50
_MOST_HALVINGS: Final = 30
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """``softmax(slope * log p + intercepts)``.

    Attributes
    ----------
    slope
        Shared by the classes, above zero: less than 1 says the model was too sure.
    intercepts
        One per class, on the scale of log probabilities.
    """

    slope: float
    intercepts: tuple[float, ...]

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate shape (n, C), each row on its own, to the last bit.

        Examples
        --------
        >>> identity(2).apply(np.array([[0.25, 0.75]])).round(12)
        array([[0.25, 0.75]])
        """
        if len(probabilities) == 1:
            return self._apply_to_one(probabilities[0])
        scores = np.maximum(probabilities.T, SMALLEST_PROBABILITY, order="C")
        np.log(scores, out=scores)
        scores *= self.slope
        scores += np.array(self.intercepts)[:, None]
        return _softmax_in_place(scores)

    def _apply_to_one(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate one row: NumPy's logarithm and exponential, the same arithmetic between them."""
        least, slope = SMALLEST_PROBABILITY, self.slope
        logs = np.log(np.array([max(p, least) for p in probabilities.tolist()])).tolist()
        return _softmax_of_one([log * slope + b for log, b in zip(logs, self.intercepts, strict=True)])


def identity(classes: int) -> Calibration:
    """Give the calibration that changes nothing."""
    return Calibration(1.0, (0.0,) * classes)


def softmax(scores: Sequence[NDArray[np.float64]] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn C score columns of shape (n,), or an array (C, n), into probabilities (n, C).

    Classes are added up in fixed order: no sum runs over an axis whose order could depend on the number of
    rows, so that one row gives the same bits as many.
    """
    return _softmax_in_place(np.array(scores, dtype=np.float64))


def fit_calibration(probabilities: NDArray[np.float64], truth: NDArray[np.int8]) -> Calibration:
    """Fit one slope and an intercept per class by penalised maximum likelihood.

    Vector scaling with a shared slope (Guo, Pleiss, Sun, Weinberger 2017, *On calibration of
    modern neural networks*, ICML, 4.2); with two classes it is the sigmoid of Platt (1999,
    *Probabilistic outputs for support vector machines*). The loss is convex, so Newton's
    method with halved steps finds its minimum; a slope that would fall below
    :data:`SMALLEST_SLOPE` is held there. When every row has the same probabilities, a slope
    has no meaning and stays 1.

    Parameters
    ----------
    probabilities
        Shape (n, C): of the stop-and-calibrate slice, never of rows trained on.
    truth
        Shape (n,): class codes; each class may be missing.
    """
    classes = probabilities.shape[1]
    if not len(truth):
        return identity(classes)
    logs = _logs(probabilities)
    start = np.zeros(classes + 1)
    start[0] = 1.0
    varies = any(float(log.max() - log.min()) > _TOLERANCE for log in logs)
    solution = _newton(logs, truth, start, first=0 if varies else 1)
    if solution[0] < SMALLEST_SLOPE:
        start[0] = SMALLEST_SLOPE
        solution = _newton(logs, truth, start, first=1)
    return Calibration(float(solution[0]), tuple(float(b) for b in solution[1:]))


def log_loss(probabilities: NDArray[np.float64], truth: NDArray[np.int8]) -> float:
    """Give the mean of ``-log`` of the probability of what came true, in nats."""
    chosen = np.take_along_axis(probabilities, truth[:, None].astype(np.int64), axis=1)[:, 0]
    return float(-np.log(np.maximum(chosen, SMALLEST_PROBABILITY)).mean())


def _softmax_in_place(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn scores of shape (C, n), contiguous, into probabilities (n, C); see :func:`softmax`."""
    if scores.shape[1] == 1:
        return _softmax_of_one(scores[:, 0].tolist())
    scores -= np.maximum.reduce(scores, axis=0)
    np.exp(scores, out=scores)
    total = scores[0].copy()
    for weight in scores[1:]:
        total += weight
    scores /= total
    return np.ascontiguousarray(scores.T)


def _softmax_of_one(scores: list[float]) -> NDArray[np.float64]:
    """Turn the scores of one row into probabilities (1, C): the same steps without arrays of one number."""
    largest = max(scores)
    weights = np.exp(np.array([score - largest for score in scores])).tolist()
    total = weights[0]
    for weight in weights[1:]:
        total += weight
    return np.array([[weight / total for weight in weights]])


def _logs(probabilities: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [
        np.log(np.ascontiguousarray(np.maximum(probabilities[:, index], SMALLEST_PROBABILITY)))
        for index in range(probabilities.shape[1])
    ]


def _scaled(logs: Sequence[NDArray[np.float64]], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    return softmax([log * parameters[0] + parameters[1 + index] for index, log in enumerate(logs)])


def _loss(fitted: NDArray[np.float64], truth: NDArray[np.int8], parameters: NDArray[np.float64]) -> float:
    away = parameters.copy()
    away[0] -= 1.0
    return log_loss(fitted, truth) * len(truth) + 0.5 * RIDGE * float(np.sum(away * away))


def _newton(
    logs: Sequence[NDArray[np.float64]], truth: NDArray[np.int8], start: NDArray[np.float64], *, first: int
) -> NDArray[np.float64]:
    """Minimise over the parameters from number ``first`` on; the ones before it stay."""
    parameters = start.copy()
    fitted = _scaled(logs, parameters)
    loss = _loss(fitted, truth, parameters)
    for _ in range(MOST_STEPS):
        gradient, curvature = _derivatives(logs, truth, fitted, parameters)
        step = np.zeros_like(parameters)
        step[first:] = np.linalg.solve(curvature[first:, first:], gradient[first:])
        for _halving in range(_MOST_HALVINGS):
            trial = _scaled(logs, parameters - step)
            trial_loss = _loss(trial, truth, parameters - step)
            if trial_loss <= loss:
                break
            step /= 2
        else:
            return parameters
        parameters, fitted, loss = parameters - step, trial, trial_loss
        if float(np.abs(step).max()) < _TOLERANCE:
            return parameters
    return parameters


def _derivatives(
    logs: Sequence[NDArray[np.float64]],
    truth: NDArray[np.int8],
    fitted: NDArray[np.float64],
    parameters: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gradient and curvature; sums by NumPy, not BLAS, whose order may depend on the threads."""
    classes = len(logs)
    q = [np.ascontiguousarray(fitted[:, index]) for index in range(classes)]
    mean_log = np.zeros(len(truth))
    for index in range(classes):
        mean_log += q[index] * logs[index]
    gradient = np.zeros(classes + 1)
    curvature = np.diag(np.full(classes + 1, RIDGE))
    for index in range(classes):
        came_true = truth == index
        gradient[0] += float(np.sum(q[index] * logs[index]) - np.sum(logs[index][came_true]))
        gradient[1 + index] = float(np.sum(q[index]) - np.count_nonzero(came_true))
        tilt = q[index] * (logs[index] - mean_log)
        curvature[0, 0] += float(np.sum(tilt * logs[index]))
        curvature[0, 1 + index] = curvature[1 + index, 0] = float(np.sum(tilt))
        for other in range(index, classes):
            overlap = float(np.sum(q[index] * ((index == other) - q[other])))
            curvature[1 + index, 1 + other] += overlap
            if other != index:
                curvature[1 + other, 1 + index] += overlap
    gradient += RIDGE * parameters
    gradient[0] -= RIDGE
    return gradient, curvature
