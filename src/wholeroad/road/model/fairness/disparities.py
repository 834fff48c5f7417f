"""How far apart groups are: the most less the least, with intervals for whichever groups that is.

The groups with the most and the least are chosen by looking, so an interval for these two alone would claim
too much. Every pair is judged at once instead (Dunn 1961, *Multiple comparisons among means*, Journal of
the American Statistical Association 56): with P pairs, each interval stands at confidence ``1 - alpha / P``.
Where all of them hold, the true largest difference is at least the greatest of the lower ends. The upper
end asks for less: the pair that is farthest apart in truth is one pair, whichever it is, and the greatest of
all upper ends is at least its own; so each stands at ``1 - alpha`` (Berger 1982, *Multiparameter hypothesis
testing and acceptance sampling*, Technometrics 24). The interval covers more often than is said, nearly
always where groups are much alike, and it is as wide as the smallest group makes it. The quotient of the
least and the most is treated likewise.

Far out, where the intervals of many pairs end, Wilson's are too narrow for rare things: one hit of a small
group would be a difference. There a share also gets the exact limits of Clopper and Pearson on effective
cases (:mod:`wholeroad.road.data.bias.judging`), and the wider end counts. A small group without any of the
rare large amounts looks as if it hardly varied; so no group's amounts are taken to vary less from case to
case than those of all groups do in the mean, which is too much where the large groups' days are alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.road.data.bias.judging import beta_limit
from wholeroad.road.data.bias.ratios import Bounds, Floats, Ratios
from wholeroad.road.data.bias.student import student
from wholeroad.road.model.fairness.measures import MEASURES, Measured
from wholeroad.road.model.fairness.results import Disparity

EQUALIZED_ODDS: Final = "equalized_odds"
"""The larger one of the disparities of the two rates that it is made of; the smaller one of their ratios."""

ODDS: Final = ("true_positive_rate", "false_positive_rate")


_FEW_HITS: Final = 10.0
"""So many hits, and as many others, show half of the correlation that shares seem to have."""


@dataclass(frozen=True, slots=True)
class FarOut(Ratios):
    """Figures whose intervals end far out, since several are judged at once; :meth:`of` makes it."""

    @classmethod
    def of(cls, ratios: Ratios) -> FarOut:
        """Take figures, whose amounts vary from case to case at least as those of all groups do."""
        fields = {name: getattr(ratios, name) for name in Ratios.__slots__}
        if not ratios.share:
            cases = ratios.cases
            known = np.isfinite(ratios.standard_error) & (cases > 0)
            each = np.square(np.where(known, ratios.standard_error, 0.0)) * cases
            of_a_case = float(np.sum(each * cases)) / max(float(cases[known].sum()), 1.0)
            floor = np.sqrt(of_a_case / np.maximum(cases, 1.0))
            fields["standard_error"] = np.maximum(ratios.standard_error, floor)
        return cls(**fields)

    @property
    def rest(self) -> Ratios:
        """For each group, all others as one."""
        return FarOut.of(Ratios.rest.__get__(self))

    def bounds(self, confidence: float) -> Bounds:
        """Give the figures with the wider one of Wilson's and the exact limits, shape (G,)."""
        found = Ratios.bounds(self, confidence)
        if not self.share:
            return found
        quantile, hits = student(confidence, self.freedom), self.value * self.effective
        low = beta_limit(hits, self.effective - hits + 1, quantile=-quantile)
        high = beta_limit(hits + 1, self.effective - hits, quantile=quantile)
        return Bounds(found.value, np.fmin(found.low, low), np.fmax(found.high, high), found.standard_error)

    def _alike(self, residual: Floats) -> Floats:
        """Believe that two shares rise together only as far as there are hits: two on one day are chance."""
        found = Ratios._alike(self, residual)  # noqa: SLF001 - its own base
        if not self.share:
            return found
        hits = np.nan_to_num(np.minimum(self.value, 1 - self.value) * self.effective)
        fewer = np.minimum(hits[:, None], hits)
        return np.where(found > 0, found * fewer / (fewer + _FEW_HITS), found)


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
    judged = FarOut.of(ratios.take(enough))
    most, least = int(np.argmax(judged.value)), int(np.argmin(judged.value))
    names = [measured.grouping.values[place] for place in enough]
    return replace(
        found,
        highest=names[most],
        lowest=names[least],
        difference=_largest_difference(judged, most=most, least=least, level=level),
        ratio=_smallest_ratio(judged, most=most, least=least, level=level),
    )


def told(ratios: Ratios, *, least_cases: int) -> NDArray[np.bool_]:
    """Tell of each group whether it has cases and blocks enough to say anything, shape (G,)."""
    found: NDArray[np.bool_] = (ratios.cases >= least_cases) & (ratios.freedom >= 1)
    return found


def _largest_difference(ratios: Ratios, *, most: int, least: int, level: float) -> Estimate:
    together, alone = ratios.differences(_of_pairs(ratios, level)), ratios.differences(level)
    apart = ~np.eye(ratios.value.size, dtype=np.bool_)
    low = max(0.0, float(together.low[apart].max()))
    return Estimate(float(alone.value[most, least]), low, float(alone.high[apart].max()))


def _smallest_ratio(ratios: Ratios, *, most: int, least: int, level: float) -> Estimate | None:
    """Nothing over nothing is no ratio, and of amounts neither is one below 0."""
    if ratios.value[most] <= 0 or (not ratios.share and ratios.value[least] <= 0):
        return None
    confidence = _of_pairs(ratios, level)
    apart = ~np.eye(ratios.value.size, dtype=np.bool_)
    # What may be none or less is no divisor, and over anything may be none.
    low = np.where(ratios.bounds(level).low > 0, ratios.quotients(level).low.T, 0.0).T
    high = np.where(ratios.bounds(confidence).low > 0, ratios.quotients(confidence).high, np.inf)
    value = float(ratios.value[least] / ratios.value[most])
    return Estimate(value, float(low[apart].min()), min(1.0, float(high[apart].min())))


def _of_pairs(ratios: Ratios, level: float) -> float:
    """Give the confidence of each pair, so that all of them hold together at a level."""
    return 1 - (1 - level) / (ratios.value.size * (ratios.value.size - 1) // 2)


def _furthest(found: Sequence[Estimate | None], *, least: bool) -> Estimate | None:
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    end = min if least else max
    return Estimate(
        end(each.value for each in known), end(each.low for each in known), end(each.high for each in known)
    )
