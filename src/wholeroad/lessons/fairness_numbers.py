"""Your numbers for the lessons on fairness, from the very objects that the pages show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from wholeroad.core.estimates import Estimate
from wholeroad.lessons.lesson import Number
from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.model.fairness.priced import PriceCurve
from wholeroad.road.model.fairness.results import Fairness
from wholeroad.road.watch.fairness.planned import Plan
from wholeroad.road.watch.sliced import Slices

_APART: Final = {
    "selection_rate": "selection_apart",
    "true_positive_rate": "opportunity_apart",
    "false_positive_rate": "false_alarms_apart",
    "calibration_gap": "calibration_apart",
    "precision": "precision_apart",
    "base_rate": "base_rate_apart",
}
"""Name of a measure's largest difference, by measure."""

_GAPS: Final[dict[Cause, str]] = {"coverage": "coverage_gap", "unseen": "unseen_gap", "proxy": "proxy_gap"}

_POINTS: Final = "points"


def numbers_of_fairness(fairness: Fairness) -> tuple[Number, ...]:
    """Give how far apart groups are in each measure: of the grouping in which they are furthest apart."""
    found = []
    for measure, name in _APART.items():
        told = [
            (one, one.difference)
            for one in fairness.disparities
            if one.measure == measure and one.difference is not None and math.isfinite(one.difference.value)
        ]
        if not told:
            continue
        one, difference = max(told, key=lambda each: each[1].value)
        word = measure.replace("_", " ")
        said = f"{word} by {one.grouping}, {one.highest} less {one.lowest}"
        settled = measure != "selection_rate"
        n = fairness.settled if settled else fairness.cases
        found.append(_points(name, difference, n=n, said=said, confidence=one.confidence))
    return tuple(found)


def numbers_of_bias(findings: Sequence[GroupBias]) -> tuple[Number, ...]:
    """Give the clearest finding of each cause that has a lesson."""
    found = []
    for cause, name in _GAPS.items():
        told = [one for one in findings if one.cause == cause and one.enough]
        if not told:
            continue
        one = max(told, key=lambda each: (each.clear, each.in_errors))
        said = f"{one.grouping} = {one.value}, more or less than the rest"
        if one.unit == "share":
            found.append(_points(name, one.difference, n=one.cases, said=said))
        else:
            ends = (one.difference.value, one.difference.low, one.difference.high)
            found.append(Number(name, *ends, n=one.cases, unit=one.unit, said=said))
    return tuple(found)


def numbers_of_plan(plan: Plan | None) -> tuple[Number, ...]:
    """Give the effective share of the first reweighing that a plan offers."""
    choices = (choice for line in (plan.lines if plan else ()) for choice in line.choices)
    share = next((each.effective_share for each in choices if each.effective_share is not None), None)
    if share is None:
        return ()
    return (
        Number("effective_share", share, unit="share", said="what reweighed cases tell, as a share of all"),
    )


def numbers_of_price(curves: Sequence[PriceCurve], *, unit: str) -> tuple[Number, ...]:
    """Give the price of the tightest tolerance of the first curve, and the difference that is left there."""
    for curve in curves:
        point = min(curve.points, key=lambda each: each.within, default=None)
        if point is None:
            continue
        price, left = point.price_per_case, point.disparity
        said = (
            f"price of the tightest tolerance, {curve.equal.replace('_', ' ')} by {curve.grouping}, per case"
        )
        money = Number(
            "price_tightest",
            price.value,
            price.low,
            price.high,
            n=curve.cases,
            unit=unit,
            said=said,
            confidence=curve.confidence,
        )
        kept = "difference left there"
        if curve.equal == "gain_per_case":
            ends = (left.value, left.low, left.high)
            there = Number("left_tightest", *ends, unit=unit, said=kept, confidence=curve.confidence)
        else:
            there = _points("left_tightest", left, n=curve.cases, said=kept, confidence=curve.confidence)
        return money, there
    return ()


def numbers_of_slices(slices: Slices | None) -> tuple[Number, ...]:
    """Give how many slices were looked at, tested, and stand."""
    if slices is None:
        return ()
    return (
        Number("slices_searched", slices.searched, said="slices looked at"),
        Number("slices_tested", slices.tested, said="slices tested on the honest half"),
        Number("slices_clear", len(slices.clear), said="slices that stand"),
    )


def _points(name: str, found: Estimate, *, n: int, said: str, confidence: float = 0.95) -> Number:
    """Give a difference of shares in points of a hundred."""
    ends = (100 * found.value, 100 * found.low, 100 * found.high)
    return Number(name, *ends, n=n, unit=_POINTS, said=said, confidence=confidence)
