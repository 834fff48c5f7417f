"""Student's quantile for many degrees of freedom at once, whole or not."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

_NORMAL_FROM: Final = 1e9
"""With so many degrees of freedom the distribution is the normal one to nine digits."""


def student(confidence: float, freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the number within which Student's variable stays, on both sides, with a probability.

    Hill 1970, *Algorithm 396: Student's t-quantiles*, Communications of the ACM 13: right to 0.2 % from
    two degrees of freedom on, to 0.01 % from three on, and up to 15 % too wide between one and two.

    Parameters
    ----------
    confidence
        Two-sided, in (0, 1).
    freedom
        Degrees, any shape; infinite ones give the normal quantile, fewer than one an infinite quantile.

    Examples
    --------
    >>> student(0.95, np.array([1.0, 10.0, np.inf])).round(3).tolist()
    [12.706, 2.228, 1.96]
    """
    asked = np.asarray(freedom, dtype=np.float64)
    return _quantiles(confidence, asked.tobytes()).reshape(asked.shape)


@lru_cache(maxsize=1024)
def _quantiles(confidence: float, freedom_bytes: bytes) -> NDArray[np.float64]:
    """Give them for the bytes of some degrees: an assessment asks again and again for the same ones."""
    freedom = np.frombuffer(freedom_bytes, dtype=np.float64)
    tails = 1 - confidence
    n = np.clip(np.nan_to_num(freedom, nan=0.0), 1.0, _NORMAL_FROM)
    a = 1 / (n - 0.5)
    b = 48 / (a * a)
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * np.sqrt(a * np.pi / 2) * n
    y = (d * tails) ** (2 / n)
    quantile = np.where(y > 0.05 + a, _near(tails, n, b=b, c=c, d=d), _far(n, d=d, y=y))
    quantile = np.where(n == 1, np.tan(np.pi / 2 * confidence), quantile)
    quantile = np.where(freedom >= 1, quantile, np.inf)
    quantile.flags.writeable = False  # shared by all who ask
    return quantile


Degrees = NDArray[np.float64]


def _near(tails: float, n: Degrees, *, b: Degrees, c: Degrees, d: Degrees) -> Degrees:
    x = NormalDist().inv_cdf(tails / 2)
    c = np.where(n < 5, c + 0.3 * (n - 4.5) * (x + 0.6), c)
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    square = x * x
    y = (((((0.4 * square + 6.3) * square + 36) * square + 94.5) / c - square - 3) / b + 1) * x
    found: Degrees = np.sqrt(n * np.expm1(np.minimum(y * y / (n - 0.5), 700.0)))
    return found


def _far(n: Degrees, *, d: Degrees, y: Degrees) -> Degrees:
    y = np.maximum(y, 1e-300)
    shrinking = 1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)
    found: Degrees = np.sqrt(n * np.maximum((shrinking * y - 1) * (n + 1) / (n + 2) + 1 / y, 0.0))
    return found
