"""What fairness costs, and what a flipped group changes, as plain objects."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import Instant
from wholeroad.road.brief.fairness import Equal


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One tolerance on a price curve.

    Attributes
    ----------
    within
        The difference between groups that was allowed when thresholds were learnt.
    disparity
        The difference that was measured on later cases.
    gain_per_case
        Over the status quo, on the same later cases.
    price_per_case
        What it brings less than decisions without thresholds, paired case by case; negative is a gain.
    selection
        Share selected by value of the group.
    """

    within: float
    disparity: Estimate
    gain_per_case: Estimate
    price_per_case: Estimate
    selection: dict[str, float]


@dataclass(frozen=True, slots=True)
class PriceCurve:
    """The price of fairness: money against the difference that is left, the loosest tolerance first.

    Attributes
    ----------
    learnt_from_at, learnt_to_at, judged_from_at, judged_to_at
        Thresholds were learnt on cases decided in the first span and judged on those of the second.
    cases
        Judged ones with a known outcome.
    without
        The disparity and gain without thresholds: ``within`` is infinite.
    """

    grouping: str
    equal: Equal
    learnt_from_at: Instant
    learnt_to_at: Instant
    judged_from_at: Instant
    judged_to_at: Instant
    cases: int
    without: PricePoint
    points: tuple[PricePoint, ...]
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Flip:
    """What another value of a group would have changed, everything else as it was.

    Attributes
    ----------
    feature
        The feature that was flipped.
    from_value, to_value
        The value that the cases have, and the one put in its place.
    cases
        With ``from_value``.
    otherwise
        Share of them that would have been selected and weren't, or the other way round.
    more, less
        Shares that would have been selected only then, and only as it was.
    probability
        Mean change of the probability of the positive class.
    """

    grouping: str
    feature: str
    from_value: str
    to_value: str
    cases: int
    otherwise: Estimate
    more: float
    less: float
    probability: float
