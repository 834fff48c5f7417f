"""Measures and definitions of fairness in plain words, and which definitions can't hold together here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wholeroad.core.estimates import Estimate
from wholeroad.road.model.fairness.results import Disparity, Fairness, GroupFigure

IN_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "selection_rate": "Of all cases decided, the share that was selected.",
        "base_rate": "Of the cases whose outcome is known, the share in which the positive class came true.",
        "true_positive_rate": "Of the cases in which the positive class came true, the share selected.",
        "false_positive_rate": "Of the cases in which it didn't, the share selected all the same.",
        "true_negative_rate": "Of the cases in which it didn't, the share rightly left alone.",
        "false_negative_rate": "Of the cases in which the positive class came true, the share missed.",
        "precision": "Of the cases selected whose outcome is known, the share in which it came true.",
        "accuracy": "Of the cases whose outcome is known, the share in which selecting and truth agree.",
        "mean_prediction": "The mean probability of the positive class that the model stated.",
        "calibration_gap": "The mean probability stated less how often it came true; above 0: too much.",
        "brier": "The mean squared distance of the probability stated from what came true; 0 is best.",
        "money_per_case": "The money that the actions taken brought for each settled case.",
        "gain_per_case": "That, less what the status quo would have brought for the same cases.",
        "regret_per_case": "What the best action given the outcome would have brought more for each case.",
        "equalized_odds": "The larger of the differences in the true and in the false positive rate.",
    }
)
"""Each measure in a sentence."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of fairness.

    Attributes
    ----------
    name
        As the literature has it.
    says
        What it asks for, in plain words.
    measures
        What has to be equal between groups.
    source
        Where it comes from.
    """

    name: str
    says: str
    measures: tuple[str, ...]
    source: str


_HARDT = "Hardt, Price, Srebro 2016, Equality of opportunity in supervised learning, NeurIPS"
_CHOULDECHOVA = "Chouldechova 2017, Fair prediction with disparate impact, Big Data 5"
_KLEINBERG = (
    "Kleinberg, Mullainathan, Raghavan 2016, Inherent trade-offs in the fair determination of risk scores"
)

DEFINITIONS: Final = (
    Definition(
        "demographic parity",
        "Each group is selected at the same rate, whatever comes true in it.",
        ("selection_rate",),
        "Dwork, Hardt, Pitassi, Reingold, Zemel 2012, Fairness through awareness, ITCS",
    ),
    Definition(
        "equal opportunity",
        "Who should be selected, since it comes true, is selected at the same rate in each group.",
        ("true_positive_rate",),
        _HARDT,
    ),
    Definition(
        "equalized odds",
        "Each group has the same share of right and of wrong selections among those that it comes true for, "
        "and among those that it doesn't.",
        ("true_positive_rate", "false_positive_rate"),
        _HARDT,
    ),
    Definition(
        "predictive parity",
        "Being selected means the same in each group: it comes true equally often for those selected.",
        ("precision",),
        _CHOULDECHOVA,
    ),
    Definition(
        "calibration within groups",
        "A stated probability means the same in each group. Its mean is compared here: a part of it.",
        ("calibration_gap",),
        _KLEINBERG,
    ),
    Definition(
        "equal money",
        "Decisions gain the same for each case in each group, over the status quo.",
        ("gain_per_case",),
        "the brief's own values",
    ),
)
"""The definitions with a name; none of them is right by itself, and people say which one they mean."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Definitions that can't hold together between two groups.

    Attributes
    ----------
    grouping, highest, lowest
        The groups with the highest and the lowest base rate.
    definitions
        By name: not all of them can hold.
    base_rates
        Of the two groups, the highest first.
    measure
        What would have to differ if the other definitions held at everybody's figures.
    forced
        This measure in the two groups then, in the same order; beyond 1 it can't be done at all.
    base_rates_differ
        Whether the base rates differ clearly; without that, the conflict may be of chance.
    says
        The same in words.
    """

    grouping: str
    highest: str
    lowest: str
    definitions: tuple[str, ...]
    base_rates: tuple[float, float]
    measure: str
    forced: tuple[float, float]
    base_rates_differ: bool
    says: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two groups with their base rates, and everybody's figures."""

    grouping: str
    names: tuple[str, str]
    rates: tuple[float, float]
    difference: Estimate
    whole: Mapping[str, float]


def conflicts(fairness: Fairness) -> tuple[Conflict, ...]:
    """Tell which definitions of fairness can't hold together, given the base rates here.

    Groups with different base rates can't have everything equal, unless decisions are perfect (Kleinberg,
    Mullainathan, Raghavan 2016; Chouldechova 2017). With base rate ``p``::

        false positive rate = p / (1 - p) * (1 - precision) / precision * true positive rate
        selection rate = p * true positive rate + (1 - p) * false positive rate

    Each conflict shows what would follow in the two groups that are furthest apart if the rest were equal,
    at everybody's figures.

    Returns
    -------
    tuple
        By grouping; empty for groupings whose base rates are the same or aren't told, and where
        decisions are perfect.
    """
    whole = {each.measure: each.figure.value for each in fairness.everybody}
    found: list[Conflict] = []
    for disparity in fairness.disparities:
        if disparity.measure == "base_rate" and disparity.difference is not None:
            pair = _pair(fairness.figures, disparity, whole=whole)
            if pair.difference.value > 0 and not _perfect(whole):
                found += _of_pair(pair)
    return tuple(found)


def _pair(figures: tuple[GroupFigure, ...], disparity: Disparity, *, whole: Mapping[str, float]) -> _Pair:
    rates = {
        each.value: each.figure.value
        for each in figures
        if each.measure == "base_rate" and each.grouping == disparity.grouping
    }
    names = disparity.highest, disparity.lowest
    difference = disparity.difference
    assert difference is not None  # noqa: S101 - asked before
    return _Pair(disparity.grouping, names, (rates[names[0]], rates[names[1]]), difference, whole)


def _perfect(whole: Mapping[str, float]) -> bool:
    return whole.get("true_positive_rate") == 1.0 and whole.get("false_positive_rate") == 0.0


def _of_pair(pair: _Pair) -> Iterator[Conflict]:
    hit, false = (pair.whole.get(name) for name in ("true_positive_rate", "false_positive_rate"))
    precision, selected = (pair.whole.get(name) for name in ("precision", "selection_rate"))
    if hit and precision and 0 < precision < 1:
        forced = [_odds(rate) * (1 - precision) / precision * hit for rate in pair.rates]
        given = f"With a precision of {precision:.3g} and a true positive rate of {hit:.3g} in both"
        names = "predictive parity", "equalized odds"
        yield _conflict(pair, names, measure="false_positive_rate", forced=forced, given=given)
    if hit is not None and false is not None and hit != false:
        forced = [rate * hit + (1 - rate) * false for rate in pair.rates]
        given = f"With a true positive rate of {hit:.3g} and a false one of {false:.3g} in both"
        names = "demographic parity", "equalized odds"
        yield _conflict(pair, names, measure="selection_rate", forced=forced, given=given)
    if selected and precision and min(pair.rates) > 0:
        forced = [selected * precision / rate for rate in pair.rates]
        given = f"With a selection rate of {selected:.3g} and a precision of {precision:.3g} in both"
        three = "demographic parity", "predictive parity", "equal opportunity"
        yield _conflict(pair, three, measure="true_positive_rate", forced=forced, given=given)
    if "calibration_gap" in pair.whole:
        # Equal means of the probability among those for whom it came true, and among the others, are what
        # equalized odds ask of a score; a calibrated one then has the base rate as its mean.
        given = "With probabilities that are right on average in both"
        names = "calibration within groups", "equalized odds"
        yield _conflict(pair, names, measure="mean_prediction", forced=list(pair.rates), given=given)


def _odds(rate: float) -> float:
    return rate / (1 - rate) if rate < 1 else float("inf")


def _conflict(
    pair: _Pair, definitions: tuple[str, ...], *, measure: str, forced: list[float], given: str
) -> Conflict:
    high, low = pair.names
    name = measure.replace("_", " ")
    parts = [
        f"{' and '.join(definitions)} can't hold together for {pair.grouping}, unless decisions are perfect.",
        f"{given}, the {name} has to be {forced[0]:.3g} for {high} and {forced[1]:.3g} for {low}",
    ]
    parts[1] += ", which no rate can be." if max(forced) > 1 else "."
    if measure == "mean_prediction":
        parts.append(
            "Then those for whom it came true, and those for whom it didn't, can't have equal means."
        )
    clear = pair.difference.low > 0
    rates = f"The base rates are {pair.rates[0]:.3g} and {pair.rates[1]:.3g}"
    parts.append(f"{rates}{'' if clear else ', which may be chance'}.")
    return Conflict(
        grouping=pair.grouping,
        highest=high,
        lowest=low,
        definitions=definitions,
        base_rates=pair.rates,
        measure=measure,
        forced=(forced[0], forced[1]),
        base_rates_differ=clear,
        says=" ".join(parts),
    )
