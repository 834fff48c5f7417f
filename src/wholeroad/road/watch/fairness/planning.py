"""The plan against bias: what causes what was found, the true cause first, and what can be done about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.watch.fairness.causes import (
    LIKELY,
    MOST_SELECTIVE,
    ORDER,
    Named,
    Pool,
    clue_of,
    name_causes,
)
from wholeroad.road.watch.fairness.choices import Situation, choices_for
from wholeroad.road.watch.fairness.planned import Plan, PlanLine

MOST_DOUBTFUL: Final = 5
TOUCHES: Final[dict[Cause, float]] = {
    "label_noise": 1.0,
    "unseen": 1.0,
    "missingness": 1.0,
    "delay": 0.5,
    "history": 0.5,
    "coverage": 0.5,
    "base_rate": 0.5,
    "proxy": 0.0,
}
"""How much of a group's decisions a difference of one touches: a wrong label misleads a fit and its
judgement, a
group that is rarer is only learnt less well, and base rates may truly differ. A judgement, not an
estimate."""

_NORMAL: Final = NormalDist()
_NAMES: Final[dict[Cause, str]] = {
    "coverage": "Share of the cases",
    "base_rate": "Base rate",
    "missingness": "Missing",
    "label_noise": "Labels that contradict the model beyond luck",
    "delay": "Mean delay of outcomes",
    "history": "Mean age of the cases",
    "unseen": "Outcomes never seen",
    "proxy": "Told from the features",
}


def plan_remedies(
    findings: Sequence[GroupBias], situation: Situation | None = None, *, confidence: float = 0.95
) -> Plan:
    """Put causes in order and give the choices about each.

    Clear lines stand with all questions of all causes judged together; they are in the order of the least
    part of the group's decisions that they touch for sure. Doubtful ones are in the order of their odds. A
    proxy isn't harm by itself: proxies come last. The order of ``findings`` plays no part.

    Parameters
    ----------
    findings
        Answers of :func:`~wholeroad.road.data.bias.asking.ask_bias`, of
        :func:`~wholeroad.road.review.noise_by_group.noise_by_group` and of
        :func:`~wholeroad.road.model.fairness.proxies.find_proxies`.
    situation
        What choices and costs are worked out from.
    confidence
        Of all clear lines together: so often none of them is chance alone.

    Examples
    --------
    >>> plan_remedies([]).lines
    ()
    """
    situation = situation or Situation()
    seen = situation.seen
    matures = seen.matures / DAY if seen is not None and seen.matures else None
    named, questions = name_causes(
        findings, groups=situation.groupings, confidence=confidence, matures_days=matures
    )
    pool = Pool(tuple(findings), tuple(situation.groupings), matures)
    lines = sorted((each for each in named if each.clear), key=_rank)
    doubtful = [each for each in named if not each.clear and abs(each.errors) >= LIKELY]
    shown = doubtful[:MOST_DOUBTFUL]
    return Plan(
        lines=tuple(_line(each, situation, pool, questions) for each in lines),
        doubtful=tuple(_line(each, situation, pool, questions) for each in shown),
        quiet=_quiet(named, shown, len(doubtful)),
        not_asked=(*situation.not_asked, *_too_few(findings)),
    )


def _rank(each: Named) -> tuple[bool, float, int, tuple[str, ...]]:
    bias = each.clue.bias
    return bias.cause == "proxy", -_touched(each), ORDER.index(bias.cause), each.clue.of


def _touched(each: Named) -> float:
    """Give the least part of a group's decisions that is touched, by the interval's end towards none."""
    bias = each.clue.bias
    least = max(abs(each.clue.left) - 1.96 * each.clue.error, 0.0)
    if bias.unit == "days" or bias.cause == "coverage":
        least /= max(abs(bias.rest.value), abs(bias.figure.value), 1e-9)
    return TOUCHES[bias.cause] * min(least, 1.0)


def _line(each: Named, situation: Situation, pool: Pool, questions: int) -> PlanLine:
    bias = each.clue.bias
    return PlanLine(
        cause=bias.cause,
        grouping=bias.grouping,
        value=bias.value,
        evidence=bias,
        choices=choices_for(bias, left=each.clue.left, situation=situation, clear=each.clear),
        explains=tuple(
            _explained(bias, other, pool, sure=sure, left=each.clue.left)
            for other, sure in zip(each.explains, each.surely, strict=True)
        ),
        says=f"{fact(bias)} {_sure(each, questions)}{_condition(bias)}",
        about=bias.about,
    )


def fact(bias: GroupBias) -> str:
    """Say what was found of a group, with its numbers and units.

    Examples
    --------
    >>> from wholeroad.core.estimates import Estimate
    >>> own, rest = Estimate(0.31, 0.25, 0.37), Estimate(0.2, 0.18, 0.22)
    >>> fact(
    ...     GroupBias(
    ...         "base_rate", "depot", "north", 412, own, rest, Estimate(0.11, 0.05, 0.17), 0.03, "share"
    ...     )
    ... )
    'Base rate of depot = north: 31.0% [25.0%, 37.0%] in 412 cases, 20.0% elsewhere.'
    """
    name = f"{_NAMES[bias.cause]}{f' {bias.about}' if bias.about and bias.cause == 'missingness' else ''}"
    figure, rest = bias.figure, bias.rest
    if bias.unit == "days":
        own = f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}] days"
        other = f"{rest.value:.1f} days elsewhere"
    elif bias.unit == "AUC":
        own = f"AUC {figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
        other = "0.50 by chance"
    else:
        own = f"{figure.value:.1%} [{figure.low:.1%}, {figure.high:.1%}]"
        other = f"{rest.value:.1%} {'of the population' if bias.cause == 'coverage' else 'elsewhere'}"
    return f"{name} of {bias.grouping} = {bias.value}: {own} in {bias.cases:,} cases, {other}."


def _sure(each: Named, questions: int) -> str:
    chance = 2 * (1 - _NORMAL.cdf(abs(each.errors)))
    said = f"That is {abs(each.errors):.1f} standard errors"
    if each.explains and abs(each.errors) > abs(each.clue.score) + 0.05:
        said += " together with what follows from it"
    if each.clear:
        return (
            f"{said}: chance alone brings so much in any of {questions:,} questions in fewer than 1 "
            f"of 20 histories."
        )
    return (
        f"{said}: of {questions:,} question{'s' * (questions != 1)}, chance alone answers "
        f"{max(chance * questions, 0.01):.2g} so."
    )


def _condition(bias: GroupBias) -> str:
    if bias.cause != "proxy":
        return ""
    return (
        " This is no harm by itself: it is the way in which other causes reach the group even where no "
        "model sees "
        "the group's column."
    )


def _explained(bias: GroupBias, other: GroupBias, pool: Pool, *, sure: bool, left: float) -> str:
    what = fact(other).rstrip(".")
    if other.cause == bias.cause:
        return f"{what}: the others are compared with {bias.grouping} = {bias.value}, too."
    if sure:
        follows = left * pool.follows(bias, other)
        return f"{what}: a difference of {_points(other, follows)} follows from this."
    return (
        f"{what}: this may bring it about, if the odds of what isn't seen are up to "
        f"{MOST_SELECTIVE:g} times others."
    )


def _points(bias: GroupBias, value: float) -> str:
    return f"{value:+.1f} days" if bias.unit == "days" else f"{100 * value:+.1f} points"


def _quiet(named: Sequence[Named], shown: Sequence[Named], doubtful: int) -> tuple[str, ...]:
    spoken = {(each.clue.bias.cause, each.clue.bias.grouping) for each in (*shown, *named) if each.clear}
    spoken |= {(each.clue.bias.cause, each.clue.bias.grouping) for each in shown}
    spoken |= {(bias.cause, bias.grouping) for each in named for bias in each.explains}
    largest: dict[tuple[Cause, str], float] = defaultdict(float)
    for each in named:
        key = each.clue.bias.cause, each.clue.bias.grouping
        largest[key] = max(largest[key], abs(each.clue.score))
    said = [
        f"{_NAMES[cause]} by {grouping}: nothing beyond chance (at most {most:.1f} standard errors)."
        for (cause, grouping), most in sorted(
            largest.items(), key=lambda item: (ORDER.index(item[0][0]), item[0][1])
        )
        if (cause, grouping) not in spoken
    ]
    if doubtful > len(shown):
        said.append(f"{doubtful - len(shown):,} more doubtful answers aren't shown.")
    return tuple(said)


def _too_few(findings: Sequence[GroupBias]) -> tuple[str, ...]:
    few = sorted(
        (ORDER.index(bias.cause), bias.grouping, bias.value, bias.about, bias.cases)
        for bias in findings
        if clue_of(bias) is None
    )
    return tuple(
        f"{_NAMES[ORDER[cause]]}{f' {about}' if about else ''} of {grouping} = {value}: {cases:,} cases "
        f"are too few."
        for cause, grouping, value, about, cases in few
    )
