"""Tables of counts drawn again, as they would come out in other samples of such rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance


def poisson_tables(
    counts: NDArray[np.float64], *, times: int, salt: str, weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Draw every row as often as a Poisson variable with mean 1 says, counted in the cells of a table.

    A sum of such variables is Poisson too, so that a cell is drawn at once, however many rows it has
    (Hanley and MacGibbon 2006, *Creating non-parametric bootstrap samples using Poisson frequencies*,
    Computer Methods and Programs in Biomedicine 83). A cell without rows stays without.

    Parameters
    ----------
    counts
        Any shape, not negative.
    times
        How many tables.
    salt
        What they are for; the same salt and counts give the same tables.
    weight
        Shape of ``counts``: where rows weigh differently, and counts are sums of weights, the sum of their
        squares over their sum; anything where there are none. Then a cell is drawn as so many rows of this
        one weight, which has the mean and the variance of drawing each by its own.

    Returns
    -------
    NDArray[numpy.float64]
        Shape (times, *shape).
    """
    from scipy.special import pdtr, pdtrik

    full = counts > 0
    each = 1.0 if weight is None else weight[full]
    mean = counts[full] / each
    draws = chance(np.arange(times * mean.size, dtype=np.uint64), seed=0, salt=salt)
    draws = np.clip(draws.reshape(times, mean.size), 2.0**-53, 1 - 2.0**-53)
    upper = np.ceil(pdtrik(draws, mean))
    lower = np.maximum(upper - 1, 0)
    tables = np.zeros((times, *counts.shape))
    tables[:, full] = np.where(pdtr(lower, mean) >= draws, lower, upper) * each
    return tables
