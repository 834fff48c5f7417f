"""Fairness in words: the verdict over an assessment and over the data, limits, differences and prices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wholeroad.core.estimates import Estimate
from wholeroad.interfaces.report.amounts import amount, count
from wholeroad.interfaces.report.fairness_order import clear_first, is_small
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.model.fairness.priced import PriceCurve, PricePoint
from wholeroad.road.model.fairness.record import STANDINGS, bound_figure, figure_in_words, range_in_words
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure, LimitHeld, Unit

MATTERING: Final = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "calibration_gap",
    "gain_per_case",
)
"""Measures that get a chart even where no limit speaks of them."""

CAUSES: Final[dict[Cause, tuple[str, str]]] = {
    "coverage": (
        "Who is there",
        "the group's share of the cases, beside its share of the population",
    ),
    "base_rate": (
        "What came true",
        "how often the positive class came true, beside everybody else",
    ),
    "missingness": (
        "What is missing",
        "how often a feature has no value, beside everybody else",
    ),
    "label_noise": (
        "Wrong labels",
        "how often what was written down as the outcome is wrong, beside everybody else",
    ),
    "delay": (
        "How late outcomes are known",
        "days from the decision until its outcome is known, beside everybody else",
    ),
    "history": (
        "How long there have been cases",
        "days of history, beside everybody else",
    ),
    "unseen": (
        "Whose outcomes are never seen",
        "share of cases whose outcome stays unseen, beside everybody else",
    ),
    "proxy": (
        "Who can be told from the features",
        "how well the group can be told from the features alone (AUC; 0.5 is chance)",
    ),
}
"""Title of each cause, and what its figure is."""


@dataclass(frozen=True, slots=True)
class FairnessVerdict:
    """What an assessment comes to.

    Attributes
    ----------
    headline
        One sentence.
    reasons
        What it rests on, the weightiest first.
    standing
        ``holds``, ``open`` or ``breached`` of the limits together; ``none`` without limits.
    """

    headline: str
    reasons: tuple[str, ...]
    standing: str = "none"


def fairness_verdict(fairness: Fairness, unit: str) -> FairnessVerdict:
    """Say what an assessment comes to: of the limits, or where there is none of the clear differences.

    Parameters
    ----------
    fairness
        The assessment.
    unit
        Of the brief's money.
    """
    limits = fairness.limits
    by_standing = {
        each: [one for one in limits if one.standing == each] for each in ("breached", "open", "holds")
    }
    breached, open_, held = by_standing.values()
    said = tuple(limit_sentence(one, unit) for one in (*breached, *open_, *held))
    if breached:
        first = (
            "A limit is clearly breached"
            if len(breached) == 1
            else f"{len(breached)} limits are clearly breached"
        )
        return FairnessVerdict(f"{first}: {whose_limits(breached)}.", said, "breached")
    if open_:
        many = "one can't be told yet" if len(open_) == 1 else f"{len(open_)} can't be told yet"
        headline = f"No limit is clearly breached, and {many}: {whose_limits(open_)}."
        return FairnessVerdict(headline, said, "open")
    if held:
        which = "The limit holds" if len(held) == 1 else f"All {len(held)} limits hold"
        return FairnessVerdict(f"{which}, with the whole interval.", said, "holds")
    # Base rates and mean predictions differ too: what decisions do comes first.
    clear = sorted(clear_disparities(fairness), key=lambda one: one.measure not in MATTERING)
    said = tuple(f"{disparity_sentence(one, fairness, unit=unit)}" for one in clear[:4])
    if clear:
        groupings = ", ".join(dict.fromkeys(one.grouping for one in clear))
        headline = f"Groups differ clearly by {groupings}, and no limit says how far they may."
        return FairnessVerdict(headline, said)
    if not any(one.difference is not None for one in fairness.disparities):
        return FairnessVerdict(
            "Nothing can be told: no two groups have cases enough.", (cases_sentence(fairness),)
        )
    headline = "No clear difference between groups was found, which is no proof that there is none."
    return FairnessVerdict(headline, (cases_sentence(fairness),))


def clear_disparities(fairness: Fairness) -> list[Disparity]:
    """Give the differences whose interval leaves out none, the farthest from none first."""
    found = [one for one in fairness.disparities if one.difference is not None and one.difference.low > 0]
    return sorted(found, key=_in_widths, reverse=True)


def _in_widths(one: Disparity) -> float:
    found = one.difference
    if found is None or not math.isfinite(found.low) or found.value <= found.low:
        return 0.0
    return found.value / (found.value - found.low)


def whose_limits(limits: Sequence[LimitHeld]) -> str:
    """Name limits shortly; of many the first three."""
    names = list(dict.fromkeys(f"{short_title(one.measure)} by {one.grouping}" for one in limits))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def short_title(measure: str) -> str:
    """Name a measure inside a sentence, by the field's own word: ``true positive rate``."""
    return measure.replace("_", " ")


def is_ratio(held: LimitHeld) -> bool:
    """Tell whether a limit asks for a ratio."""
    return held.limit.rpartition(": ")[2].startswith("ratio")


def unit_of(measure: str) -> Unit:
    """Tell whether a measure is a share or money."""
    return "money" if measure.endswith("_per_case") else "share"


def bound_in_words(held: LimitHeld, unit: str) -> str:
    """Say what a limit asks for."""
    if is_ratio(held):
        return f"the least at least {held.bound:.2f} of the most"
    return f"at most {bound_figure(held.bound, unit_of(held.measure), money=unit)} apart"


def held_in_words(held: LimitHeld, unit: str) -> str:
    """Write the figure that a limit speaks of, with its interval."""
    if held.figure is None and is_ratio(held):
        return "no ratio (too few cases, or a figure that isn't above 0)"
    if held.figure is None:
        return "too few cases to tell"
    if is_ratio(held):
        return f"{held.figure.value:.2f} ({ratio_range(held.figure)})"
    return apart_in_words(held.figure, unit_of(held.measure), unit=unit)


def limit_sentence(held: LimitHeld, unit: str) -> str:
    """Say how a limit stands, in a sentence."""
    between = f", {held.highest} most and {held.lowest} least" if held.highest and held.lowest else ""
    stops = " It stops a fit." if held.stops else ""
    title = short_title(held.measure)
    return (
        f"{title[:1].upper()}{title[1:]} by {held.grouping}, {bound_in_words(held, unit)}:"
        f" {STANDINGS[held.standing]}; {held_in_words(held, unit)}{between}.{stops}"
    )


def disparity_sentence(one: Disparity, fairness: Fairness, *, unit: str) -> str:
    """Say how far apart groups are in one measure, in a sentence."""
    title = short_title(one.measure)
    head = f"{title[:1].upper()}{title[1:]} by {one.grouping}"
    if one.difference is None:
        return f"{head}: too few cases in too few groups to tell."
    ends = (
        f"{value} {figure_in_words(found.figure.value, found.unit, money=unit)}"
        if (found := figure_of(fairness, one, value=value)) is not None
        else value
        for value in (one.highest, one.lowest)
    )
    apart = figure_in_words(one.difference.value, one.unit, money=unit, apart=True)
    interval = range_in_words(one.difference, one.unit, money=unit, apart=True)
    return f"{head}: {', '.join(ends)}; {apart} apart ({one.confidence:.0%} interval {interval})."


def figure_of(fairness: Fairness, one: Disparity, *, value: str) -> GroupFigure | None:
    """Give the figure of one group that a disparity speaks of."""
    wanted = (one.measure, one.grouping, value)
    found = (each for each in fairness.figures if (each.measure, each.grouping, each.value) == wanted)
    return next(found, None)


def cases_sentence(fairness: Fairness) -> str:
    """Say on how much an assessment rests."""
    return (
        f"{count(fairness.cases, 'decision')}, {fairness.settled:,} of them with a known outcome, over"
        f" {fairness.blocks:,} {fairness.block_kind}; {fairness.confidence:.0%} intervals."
    )


def apart_in_words(found: Estimate, kind: Unit, *, unit: str) -> str:
    """Write a difference with its interval."""
    figure = figure_in_words(found.value, kind, money=unit, apart=True)
    return f"{figure} ({range_in_words(found, kind, money=unit, apart=True)})"


def ratio_range(found: Estimate) -> str:
    """Write the interval of a ratio."""
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return "no interval"
    return f"{found.low:.2f} to {found.high:.2f}"


def in_unit(value: float, unit: str, *, apart: bool = False) -> str:
    """Write a figure of a finding about the data: a share, days or an AUC.

    Examples
    --------
    >>> in_unit(0.25, "share"), in_unit(-2.5, "days", apart=True), in_unit(0.71, "AUC")
    ('25.0%', '-2.5 days', '0.71')
    """
    if not math.isfinite(value):
        return "not known"
    if unit == "share":
        return figure_in_words(value, "share", apart=apart)
    if unit == "days":
        return f"{value:,.1f} days"
    return f"{value:.2f} AUC" if apart else f"{value:.2f}"


def finding_range(found: Estimate, unit: str, *, apart: bool = False) -> str:
    """Write the interval of a figure of a finding."""
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return "no interval"
    low, high = in_unit(found.low, unit, apart=apart), in_unit(found.high, unit, apart=apart)
    return f"{low.removesuffix(' points').removesuffix(' days').removesuffix(' AUC')} to {high}"


def whom(one: GroupBias) -> str:
    """Name the group that a finding is about, and the feature where it is of one."""
    return f"{one.grouping} = {one.value}" + (f", {one.about}" if one.about else "")


def bias_headline(findings: Sequence[GroupBias]) -> str:
    """Say what was found in the data."""
    if not findings:
        return "Nothing was asked of the data by group."
    clear = [one for one in findings if one.clear]
    few = sum(not one.enough for one in findings)
    asked = count(len(findings), "answer")
    too_few = f", {few} from too few cases to say anything" if few else ""
    if not clear:
        return f"No clear difference between groups in the data ({asked}{too_few}); that is no proof of none."
    causes = list(dict.fromkeys(CAUSES[one.cause][0].lower() for one in clear_first(clear)))
    small = sum(is_small(one) for one in clear)
    slight = f", {small:,} of them small" if small else ""
    return f"{count(len(clear), 'clear difference')} in {asked}{slight}{too_few}: {', '.join(causes)}."


def tolerance_in_words(point: PricePoint, curve: PriceCurve, *, unit: str) -> str:
    """Say which difference a point of a price curve allows."""
    if math.isinf(point.within):
        return "no thresholds"
    if not point.within:
        return "no difference"
    if unit_of(curve.equal) == "money":
        return f"up to {figure_in_words(point.within, 'money', money=unit)}"
    said = bound_figure(point.within, "share")
    return f"up to {'1 point' if said == '1 points' else said}"


def price_sentences(curve: PriceCurve, unit: str, *, chosen: PricePoint | None = None) -> Iterator[str]:
    """Say what the curve comes to: the start, the tightest tolerance, and what was chosen."""
    kind = unit_of(curve.equal)
    start = curve.without
    yield (
        f"Without thresholds {short_title(curve.equal)} by {curve.grouping} lies"
        f" {apart_in_words(start.disparity, kind, unit=unit)} apart, and the gain over the status quo is"
        f" {money_in_words(start.gain_per_case, unit)} per case."
    )
    told = [("Chosen: ", chosen)] if chosen is not None else []
    tightest = min(curve.points, key=lambda point: point.within, default=None)
    if tightest is not None and tightest is not chosen:
        told.append(("The tightest tolerance: ", tightest))
    for head, point in told:
        price = point.price_per_case
        size = f"{money_in_words(price, unit)} per case"
        sure = "" if price.low > 0 or price.high < 0 else ", which can't be told from nothing"
        yield (
            f"{head}{tolerance_in_words(point, curve, unit=unit)};"
            f" {apart_in_words(point.disparity, kind, unit=unit)} apart on later cases, for {size}{sure}."
            f"{_did_it_hold(point, start)}"
        )


def _did_it_hold(point: PricePoint, start: PricePoint) -> str:
    """Say what went wrong on later cases; nothing where the tolerance may have held."""
    if point.disparity.value > start.disparity.value:
        return " That is farther apart than without them: what they were learnt on didn't last."
    if point.disparity.low > point.within:
        return " So the tolerance doesn't hold there."
    return ""


def money_in_words(found: Estimate, unit: str) -> str:
    """Write money with its interval."""
    if not math.isfinite(found.value):
        return "not known"
    figure = figure_in_words(found.value, "money", money=unit)
    return f"{figure} ({range_in_words(found, 'money', money=unit)})"


def chosen_point(curve: PriceCurve, brief: Brief | None) -> PricePoint | None:
    """Give the point of the tolerance that the brief chose; None where it chose none, or another one."""
    remedies = brief.fairness.of_kind("thresholds") if brief is not None and brief.fairness else ()
    for remedy in remedies:
        if remedy.group == curve.grouping and remedy.equal == curve.equal:
            near = (
                point for point in curve.points if math.isclose(point.within, remedy.within, abs_tol=1e-12)
            )
            return next(near, None)
    return None


def a_month(costs: Estimate | None, why: str, *, unit: str) -> str:
    """Write what a choice costs a month, or why that isn't known."""
    if costs is None or not math.isfinite(costs.value):
        why = why.removeprefix("not known").lstrip(": ")
        return f"not known: {why}" if why else "not known"
    interval = f" ({range_in_words(costs, 'money', money=unit)})" if costs.low != costs.high else ""
    said = f"{amount(costs.value)} {unit} a month{interval}"
    return f"{said}: {why}" if why else said
