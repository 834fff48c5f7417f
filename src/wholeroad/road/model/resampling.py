"""Resampling units that are alike: how often each of them is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.ids import chance


def times_drawn(units: int, *, resamples: int, seed: int, salt: str) -> NDArray[np.float64]:
    """Draw ``units - 1`` of the units with replacement, again and again.

    One fewer than there are gives the variance of a mean without bias, however few there are
    (Rao, Wu 1988, *Resampling inference with complex survey data*, JASA 83, 2).

    Returns
    -------
    ndarray
        Shape (resamples, units): how often each was drawn; rows sum to ``units - 1``, at least 1.

    Examples
    --------
    >>> times_drawn(3, resamples=4, seed=1, salt="example").sum(axis=1).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """
    take = max(units - 1, 1)
    drawn = chance(np.arange(resamples * take, dtype=np.uint64), seed=seed, salt=salt)
    places = (drawn * units).astype(np.int64).reshape(resamples, take) + units * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * units).reshape(resamples, units)
    return counts.astype(np.float64)
