"""A power law through the points of a learning curve: where it leads, how surely, and when not to ask.

Learning curves mostly follow ``a - b * n ** -c`` (Viering, Loog 2023, *The shape of learning curves: a
review*, TPAMI 45(6), 4), but not all of them do: about one in seven dips or peaks (LCDB 1.1), and
then any extrapolation is a fable. So the points are looked at first, and the law is refused where
they give no reason to believe it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_SIZES: Final = 5
"""Three parameters need more points than three."""
FARTHEST: Final = 4.0
"""Times the rows that there are: beyond it nothing is said."""
SMALLEST_EXPONENT: Final = 0.1
LARGEST_EXPONENT: Final = 2.0
"""At the first the law has no ceiling that could be told, at the second it is a step."""
CONFIDENCE: Final = 0.95
MISFIT: Final = 4.0
"""A point this many standard deviations off the law is no accident."""

_EXPONENTS: Final = np.geomspace(SMALLEST_EXPONENT, LARGEST_EXPONENT, 241)
_EQUAL: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Points:
    """Measured points of a learning curve.

    Attributes
    ----------
    rows
        Shape (m,): rows learnt from, ascending.
    money
        Shape (m,): per case, more than the status quo.
    draws
        Shape (B, m): the same on resampled cases and subsets, all sizes on the same ones.
    """

    rows: NDArray[np.int64]
    money: NDArray[np.float64]
    draws: NDArray[np.float64]

    @property
    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the ends of each point's interval, shape (m,)."""
        low, high = np.quantile(self.draws, _ENDS, axis=0)
        return low, high


_ENDS: Final = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Laws:
    """Laws ``ceiling - drop * (n / unit) ** -exponent``, one for each draw.

    Attributes
    ----------
    unit
        The rows of the last point, so that ``drop`` is what is still missing there.
    ceiling, drop, exponent
        Shape (B,); ``drop`` is never below zero.
    residuals
        Shape (B, m).
    """

    unit: float
    ceiling: NDArray[np.float64]
    drop: NDArray[np.float64]
    exponent: NDArray[np.float64]
    residuals: NDArray[np.float64]

    def at(self, rows: float) -> NDArray[np.float64]:
        """Give shape (B,): the money with so many rows."""
        return self.ceiling - self.drop * (rows / self.unit) ** -self.exponent

    def rows_for(self, money: float) -> NDArray[np.float64]:
        """Give shape (B,): the rows at which the money is reached; infinite where the ceiling is below."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = self.drop / (self.ceiling - money)
            rows = self.unit * ratio ** (1 / self.exponent)
        return np.where(self.ceiling > money, rows, np.inf)


@dataclass(frozen=True, slots=True)
class Refused:
    """No law is believed, and why.

    Attributes
    ----------
    reason
        ``too-few-sizes``, ``falling``, ``flat``, ``exponent`` or ``misfit``.
    happened
        One sentence without a full stop.
    """

    reason: str
    happened: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """A law with its resampled likes.

    Attributes
    ----------
    law
        One, through the points.
    likes
        One for each draw of the points.
    """

    law: Laws
    likes: Laws

    def money(self, rows: float) -> tuple[float, float, float]:
        """Give the money with so many rows, and the ends of its percentile interval."""
        low, high = np.quantile(self.likes.at(rows), _ENDS)
        return float(self.law.at(rows)[0]), float(low), float(high)

    def rows(self, money: float) -> tuple[float, float, float]:
        """Give the rows that reach so much money, with an interval; infinite where nothing does.

        None of the three goes down when more money is asked for.
        """
        low, high = np.quantile(self.likes.rows_for(money), _ENDS, method="inverted_cdf")
        return float(self.law.rows_for(money)[0]), float(low), float(high)

    @property
    def highest_ceiling(self) -> float:
        """Give the upper end of the ceiling's interval."""
        return float(np.quantile(self.likes.ceiling, _ENDS[1]))


def forecast(points: Points) -> Forecast | Refused:
    """Put a law through the points, or refuse.

    Weighted least squares, weights from the draws' variances: for each exponent of a grid the other
    two parameters are linear. The interval is the percentile interval over the laws of the draws.
    """
    if refused := _ill_behaved(points):
        return refused
    weights = _weights(points)
    law = fit_laws(points.rows, points.money[None, :], weights=weights)
    likes = fit_laws(points.rows, points.draws, weights=weights)
    return _unbelievable(points, law, likes) or Forecast(law, likes)


def fit_laws(rows: NDArray[np.int64], money: NDArray[np.float64], *, weights: NDArray[np.float64]) -> Laws:
    """Fit a law to each row of ``money``, shape (B, m): weighted least squares, over a grid of exponents."""
    share = weights / weights.sum()
    times = rows / rows[-1]
    mean = money @ share
    best = np.full(len(money), np.inf)
    ceiling, drop, exponent = np.zeros((3, len(money)))
    residuals = np.zeros_like(money)
    for candidate in _EXPONENTS:
        term = times**-candidate
        middle = float(term @ share)
        centred = term - middle
        slope = np.minimum(money @ (share * centred) / float(share @ (centred * centred)), 0.0)
        left = money - mean[:, None] - slope[:, None] * centred
        squares = (left * left) @ share
        better = squares < best
        best = np.where(better, squares, best)
        ceiling = np.where(better, mean - slope * middle, ceiling)
        drop = np.where(better, -slope, drop)
        exponent = np.where(better, candidate, exponent)
        residuals = np.where(better[:, None], left, residuals)
    return Laws(float(rows[-1]), ceiling, drop, exponent, residuals)


def _weights(points: Points) -> NDArray[np.float64]:
    variance = points.draws.var(axis=0)
    largest = float(variance.max())
    # One point that happens not to vary must not carry the law alone.
    return 1 / np.maximum(variance, largest / 100) if largest > 0 else np.ones(len(points.money))


def _ill_behaved(points: Points) -> Refused | None:
    """Look at the points themselves: enough of them, none clearly below an earlier one, and growth."""
    sizes, money = len(points.rows), points.money
    if sizes < LEAST_SIZES:
        return Refused("too-few-sizes", f"there are {sizes} sizes to compare, {LEAST_SIZES} are needed")
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / (sizes * (sizes - 1) / 2))
    small = _EQUAL * float(np.abs(money).max())
    for later in range(1, sizes):
        for earlier in range(later):
            fall = money[earlier] - money[later]
            error = float((points.draws[:, earlier] - points.draws[:, later]).std())
            if fall > max(z * error, small):
                return Refused(
                    "falling",
                    f"it falls by {fall:,.3g} per case from {points.rows[earlier]:,} rows to "
                    f"{points.rows[later]:,}, more than chance would",
                )
    rise = money[-1] - money[0]
    if rise <= max(
        NormalDist().inv_cdf(_ENDS[1]) * float((points.draws[:, -1] - points.draws[:, 0]).std()), small
    ):
        return Refused(
            "flat", f"no rise can be told from noise between {points.rows[0]:,} rows and {points.rows[-1]:,}"
        )
    return None


def _unbelievable(points: Points, law: Laws, likes: Laws) -> Refused | None:
    exponent = float(law.exponent[0])
    if exponent in (_EXPONENTS[0], _EXPONENTS[-1]):
        shape = "it grows on without a ceiling in sight" if exponent < 1 else "it jumps, and then is flat"
        return Refused("exponent", f"its exponent lies at the bound of what is tried ({exponent:g}): {shape}")
    spread = np.maximum(likes.residuals.std(axis=0), 0.01 * float(np.ptp(points.money)))
    off = np.abs(law.residuals[0]) / spread
    worst = int(off.argmax())
    if off[worst] > MISFIT:
        return Refused(
            "misfit",
            f"no power law fits: {off[worst]:.1f} deviations off at {points.rows[worst]:,} rows",
        )
    return None
