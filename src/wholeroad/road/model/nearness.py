"""Whether a changed case lies where cases lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

REFERENCE: Final = 4_096
PROBES: Final = 256
USUAL: Final = 0.95
"""Near is what isn't farther from its nearest case than this share of cases are from theirs."""

_MOST_SPREADS: Final = 4.0
_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)


def nearness(
    case: pl.DataFrame, before: pl.DataFrame, *, changed: pl.DataFrame, spreads: Mapping[str, float]
) -> NDArray[np.bool_]:
    """Tell which changed cases lie as near to an earlier case as these lie to each other, shape (n,).

    The distance of two cases is the mean over features: of numbers the difference in spreads, at most four
    and over four; of anything else whether they differ (after Gower 1971, *A general coefficient of
    similarity and some of its properties*, Biometrics 27). What counts is the distance to the nearest earlier
    case. A case that stood apart before may stay as far away as it was.

    Parameters
    ----------
    case, before, changed
        The case as it was, earlier ones, and the case changed; the newest earlier ones count.
    spreads
        Of the numbers, in their unit.
    """
    columns = [
        name for name in case.columns if name in spreads or before[name].dtype in (*_TEXTS, pl.Boolean)
    ]
    earlier = before.tail(REFERENCE)
    if not columns or earlier.height < 2:
        return np.ones(changed.height, dtype=bool)
    every = pl.concat([earlier.select(columns), case.select(columns), changed.select(columns)])
    codes = [_coded(every[name], spreads.get(name)) for name in columns]
    numbers = [name in spreads for name in columns]
    known = earlier.height
    probes = np.unique(np.linspace(0, known - 1, PROBES).astype(np.int64))
    rows = np.concatenate([probes, np.arange(known, every.height)])
    total = np.zeros((rows.size, known))
    for code, number in zip(codes, numbers, strict=True):
        gap = np.abs(code[rows, None] - code[None, :known])
        missing = np.isnan(code[rows])[:, None] != np.isnan(code[:known])[None, :]
        step = np.minimum(gap, _MOST_SPREADS) / _MOST_SPREADS if number else (gap > 0).astype(np.float64)
        total += np.where(missing, 1.0, np.nan_to_num(step, nan=0.0))
    total[np.arange(probes.size), probes] = np.inf
    nearest = total.min(axis=1) / len(columns)
    usual, own = np.quantile(nearest[: probes.size], USUAL), nearest[probes.size]
    near: NDArray[np.bool_] = nearest[probes.size + 1 :] <= max(float(usual), float(own)) + 1e-12
    return near


def _coded(column: pl.Series, spread: float | None) -> NDArray[np.float64]:
    """Give a column as numbers in spreads, or as codes; NaN for null."""
    if spread is not None:
        numbers = column.cast(pl.Float64).to_numpy(writable=True) / spread
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers
    texts = column.cast(pl.String)
    codes = texts.rank("dense").cast(pl.Float64).to_numpy(writable=True)
    codes[texts.is_null().to_numpy()] = np.nan
    return codes
