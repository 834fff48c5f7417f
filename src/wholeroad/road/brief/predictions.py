"""What a model says of a case: a probability for each class, or the quantiles of a number."""

from __future__ import annotations

from typing import Final

COUNT: Final = 25
POINTS: Final = tuple((2 + 4 * place) / 100 for place in range(COUNT))
"""The probabilities of the quantiles: the middles of 25 equal parts, so that the mean over them is an
expectation (the midpoint rule over the quantile function). Beyond the outer ones nothing is said: where the
best amount is a quantile outside 2% to 98%, the one at the end is taken (at 99% that costs some 5% more than
the best amount would, at 99.5% some 30%)."""

_MIDDLE: Final = (0.10, 0.90)


def prediction_columns(kind: str, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Name the columns of a prediction: ``p_<class>``, or ``q_02`` to ``q_98`` where the outcome is a number.

    A quantile is the number that the outcome stays at or below with this probability, in percent.

    Examples
    --------
    >>> prediction_columns("binary", ("late", "on_time")), prediction_columns("regression", ())[:2]
    (('p_late', 'p_on_time'), ('q_02', 'q_06'))
    """
    if kind == "regression":
        return tuple(f"q_{round(100 * point):02}" for point in POINTS)
    return tuple(f"p_{name}" for name in classes)


def middle() -> tuple[int, int]:
    """Give the places of the two quantiles that 80% of the outcomes should lie between."""
    low, high = _MIDDLE
    return POINTS.index(low), POINTS.index(high)
