"""How far apart groups are: the most less the least, with intervals for whichever groups that is.

The groups with the most and the least are chosen by looking, so an interval for these two alone would claim
too much. Every pair is judged at once instead (Dunn 1961, *Multiple comparisons among means*, Journal of
the American Statistical Association 56): with P pairs, each interval stands at confidence ``1 - alpha / P``.
Where all of them hold, the true largest difference is at least the greatest of the lower ends, and at most
the greatest of the upper ones. So it covers more often than is said, nearly always where groups are much
alike, and it is as wide as the smallest group makes it. The quotient of the least and the most is
treated likewise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.road.data.bias.ratios import Ratios
from wholeroad.road.model.fairness.measures import MEASURES, Measured
from wholeroad.road.model.fairness.results import Disparity

EQUALIZED_ODDS: Final = "equalized_odds"
"""The larger one of the disparities of the two rates that it is made of; the smaller one of their ratios."""

ODDS: Final = ("true_positive_rate", "false_positive_rate")


def parts_of(measure: str) -> tuple[str, ...]:
    """Give the measures that a disparity is made of: nearly always itself."""
    return ODDS if measure == EQUALIZED_ODDS else (measure,)


def level_at_look(confidence: float, look: int | None) -> float:
    """Give the confidence of look ``k`` at growing data: ``1 - alpha / (k (k + 1))``.

    These alphas add up to no more than alpha, however many looks there will be, so that all intervals of
    all looks hold together.

    Examples
    --------
    >>> (
    ...     round(level_at_look(0.95, None), 4),
    ...     round(level_at_look(0.95, 1), 4),
    ...     round(level_at_look(0.95, 9), 5),
    ... )
    (0.95, 0.975, 0.99944)
    """
    return confidence if look is None else 1 - (1 - confidence) / (look * (look + 1))


def disparity_of(
    measured: Measured,
    measure: str,
    *,
    confidence: float = 0.95,
    least_cases: int = 30,
    look: int | None = None,
) -> Disparity:
    """Compare the groups of one grouping by one measure.

    Parameters
    ----------
    measure
        One of :data:`~wholeroad.road.model.fairness.measures.MEASURES`, or :data:`EQUALIZED_ODDS`.
    least_cases
        Groups with fewer cases that the measure rests on are left out.
    look
        Which look at growing data this is, from 1; None for the only one.
    """
    parts = parts_of(measure)
    level = 1 - (1 - level_at_look(confidence, look)) / len(parts)
    found = [_of_one(measured, part, level=level, least_cases=least_cases) for part in parts]
    worst = max(found, key=lambda each: math.inf if each.difference is None else each.difference.value)
    return Disparity(
        measure=measure,
        grouping=measured.grouping.name,
        highest=worst.highest,
        lowest=worst.lowest,
        difference=_furthest([each.difference for each in found], least=False),
        ratio=_furthest([each.ratio for each in found], least=True),
        groups=min(each.groups for each in found),
        confidence=confidence,
        looks=look or 1,
        unit=MEASURES[parts[0]].unit,
    )


def disparities_of(
    measured: Measured, *, confidence: float, least_cases: int, look: int | None
) -> list[Disparity]:
    """Compare the groups of one grouping by every measure that is told, and by equalized odds."""
    names = [*measured.ratios, *([EQUALIZED_ODDS] if all(part in measured.ratios for part in ODDS) else [])]
    return [
        disparity_of(measured, name, confidence=confidence, least_cases=least_cases, look=look)
        for name in names
    ]


def _of_one(measured: Measured, measure: str, *, level: float, least_cases: int) -> Disparity:
    ratios = measured.ratios.get(measure)
    enough = [] if ratios is None else np.flatnonzero(told(ratios, least_cases=least_cases)).tolist()
    found = Disparity(
        measure,
        measured.grouping.name,
        "",
        "",
        difference=None,
        ratio=None,
        groups=len(enough),
        confidence=level,
    )
    if ratios is None or len(enough) < 2:
        return found
    judged = ratios.take(enough)
    pairs = len(enough) * (len(enough) - 1) // 2
    together = 1 - (1 - level) / pairs
    most, least = int(np.argmax(judged.value)), int(np.argmin(judged.value))
    names = [measured.grouping.values[place] for place in enough]
    return replace(
        found,
        highest=names[most],
        lowest=names[least],
        difference=_largest_difference(judged, most=most, least=least, confidence=together),
        ratio=_smallest_ratio(judged, most=most, least=least, confidence=together),
    )


def told(ratios: Ratios, *, least_cases: int) -> NDArray[np.bool_]:
    """Tell of each group whether it has cases and blocks enough to say anything, shape (G,)."""
    found: NDArray[np.bool_] = (ratios.cases >= least_cases) & (ratios.freedom >= 1)
    return found


def _largest_difference(ratios: Ratios, *, most: int, least: int, confidence: float) -> Estimate:
    found = ratios.differences(confidence)
    apart = ~np.eye(ratios.value.size, dtype=np.bool_)
    low = max(0.0, float(found.low[apart].max()))
    return Estimate(float(found.value[most, least]), low, float(found.high[apart].max()))


def _smallest_ratio(ratios: Ratios, *, most: int, least: int, confidence: float) -> Estimate | None:
    """Nothing over nothing is no ratio, and of amounts neither is one below 0."""
    if ratios.value[most] <= 0 or (not ratios.share and ratios.value[least] <= 0):
        return None
    found = ratios.quotients(confidence)
    apart = ~np.eye(ratios.value.size, dtype=np.bool_)
    high = min(1.0, float(found.high[apart].min()))
    return Estimate(float(found.value[least, most]), float(found.low[apart].min()), high)


def _furthest(found: Sequence[Estimate | None], *, least: bool) -> Estimate | None:
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    end = min if least else max
    return Estimate(
        end(each.value for each in known), end(each.low for each in known), end(each.high for each in known)
    )
