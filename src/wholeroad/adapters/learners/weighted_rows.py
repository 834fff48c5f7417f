"""Rows that weigh differently: as learners take them, or drawn by their weights for those that take none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ports import Matrix, Stop

Weights = NDArray[np.float64]


def weighted(
    matrix: Matrix, truth: NDArray[np.int8], *, weights: Weights | None
) -> tuple[Matrix, NDArray[np.int8], Weights | None]:
    """Bring weights to mean 1, and leave out rows that weigh nothing.

    Weights that are all the same become None, so that such a fit is an unweighted one to the last bit.

    Parameters
    ----------
    weights
        Shape (n,): not negative, finite, and not all 0.

    Raises
    ------
    ValueError
        When they aren't.
    """
    if weights is None:
        return matrix, truth, None
    total = float(weights.sum()) if weights.shape == truth.shape else float("nan")
    if not (np.isfinite(total) and total > 0 and weights.min() >= 0):
        message = "weights: expected a finite number for each row, none below 0 and one above it"
        raise ValueError(message)
    if weights.min() == weights.max():
        return matrix, truth, None
    scaled: Weights = weights * (len(weights) / total)
    kept = np.flatnonzero(scaled > 0)
    if kept.size == scaled.size:
        return matrix, truth, scaled
    return taken(matrix, kept), truth[kept], scaled[kept]


def taken(matrix: Matrix, rows: NDArray[np.int64]) -> Matrix:
    """Give some rows of a matrix."""
    return Matrix(np.asfortranarray(matrix.values[rows]), matrix.names, matrix.categories)


def systematic_rows(weights: Weights, truth: NDArray[np.int8]) -> NDArray[np.int64]:
    """Draw rows by their weights without dice, each as often as it weighs to within one.

    Systematic sampling (Madow and Madow 1944, *On the theory of systematic sampling*, Annals of
    Mathematical Statistics 15): the weights, of mean 1, are laid end to end, and a row comes once for each
    mark of a grid of step 1 that falls on it. Rows are laid by class, then by weight, then in their order.
    So all rows of one class and weight together come as often as they weigh to within one, and evenly spread
    over their order. Whole weights give exactly so many copies.

    Returns
    -------
    NDArray[numpy.int64]
        Row numbers, ascending; as many as the weights add up to.

    Examples
    --------
    >>> systematic_rows(np.array([2.0, 0.5, 0.5, 1.0]), np.array([0, 0, 0, 1], dtype=np.int8))
    array([0, 0, 2, 3])
    """
    order = np.lexsort((weights, truth))
    ends = np.cumsum(weights[order])
    marks = np.arange(round(float(ends[-1]))) + 0.5
    places = np.minimum(np.searchsorted(ends, marks, side="right"), order.size - 1)
    return np.sort(order[places])


def drawn(matrix: Matrix, truth: NDArray[np.int8], *, weights: Weights) -> tuple[Matrix, NDArray[np.int8]]:
    """Give the rows that :func:`systematic_rows` draws, for a learner that takes no weights."""
    matrix, truth, scaled = weighted(matrix, truth, weights=weights)
    if scaled is None:
        return matrix, truth
    rows = systematic_rows(scaled, truth)
    return taken(matrix, rows), truth[rows]


def drawn_stop(stop: Stop | None) -> tuple[Matrix, NDArray[np.int8]] | None:
    """Give a stop slice without weights: its rows drawn by them, where it has some."""
    if stop is None or len(stop) == 2:
        return stop
    return drawn(stop[0], stop[1], weights=stop[2])


def takes_weights(fit: Callable[..., Any]) -> bool:
    """Tell whether a ``fit`` names an argument ``weights``; ``**others`` could swallow them unseen."""
    try:
        return "weights" in inspect.signature(fit).parameters
    except (TypeError, ValueError):
        return False


def weight_argument(estimator: Any) -> str | None:  # noqa: ANN401 - of others
    """Name the argument by which an estimator of scikit-learn takes a weight for each row; None without one.

    Of a pipeline it is that of its last step, ``STEP__sample_weight``: steps before it see rows
    unweighted. A search hands it to what it searches over, and scores without it. Anything else that holds
    other estimators has to take weights itself, and so has each of those; some would else weigh here and
    not there.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    own = set(estimator.get_params(deep=False))
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = weight_argument(last) if hasattr(last, "fit") else None
        return None if inner is None else f"{name}__{inner}"
    if "refit" in own and own & {"param_grid", "param_distributions"}:
        return weight_argument(estimator.estimator)
    inside = [value for value in estimator.get_params(deep=True).values() if hasattr(value, "predict")]
    every = (estimator, *(value for value in inside if not inspect.isclass(value)))
    return "sample_weight" if all(has_fit_parameter(each, "sample_weight") for each in every) else None
