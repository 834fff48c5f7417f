"""What a foreign estimator is handed: a plain matrix that still knows which columns are categories."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


class Columns(np.ndarray[Any, np.dtype[np.float64]]):
    """Numbers of shape (n, p), as any array; ``category`` says of each column whether it holds codes.

    It stands there while a pipeline is fitted, so that :func:`numbers` and :func:`categories` can
    choose columns. A step that makes an array of its own loses it.
    """

    category: NDArray[np.bool_] | None

    def __new__(cls, values: NDArray[np.float64], category: NDArray[np.bool_]) -> Self:
        """See some values as columns of which some are categories."""
        columns = np.ascontiguousarray(values, dtype=np.float64).view(cls)
        columns.category = category
        return columns

    def __array_finalize__(self, origin: NDArray[Any] | None) -> None:
        """Keep the knowledge for other rows of the same columns."""
        category = getattr(origin, "category", None)
        same = category is not None and self.ndim == 2 and self.shape[1] == category.size
        self.category = category if same else None


def numbers(matrix: NDArray[np.float64]) -> list[int]:
    """Choose the columns that are numbers, flags among them; for scikit-learn's ``ColumnTransformer``."""
    return np.flatnonzero(~_category(matrix)).tolist()


def categories(matrix: NDArray[np.float64]) -> list[int]:
    """Choose the columns that hold codes of categories; for scikit-learn's ``ColumnTransformer``."""
    return np.flatnonzero(_category(matrix)).tolist()


def _category(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    category = getattr(matrix, "category", None)
    if category is None:
        message = "columns are chosen by kind in the first step only; later ones see an array without kinds"
        raise ValueError(message)
    known: NDArray[np.bool_] = category
    return known
