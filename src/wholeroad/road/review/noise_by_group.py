"""Labels that contradict the model more often in one group than luck explains.

Confident learning (:mod:`wholeroad.road.review.suspects`) counts bad luck as wrong labels, and luck differs
by group: where the outcome is harder to foretell, more labels contradict the model without one of them
being wrong. So what is counted here is the excess. Of cases to which the model gives a probability ``p``, a
share ``1 - p`` contradicts it anyway; wrong labels add ``q * (1 - 2 * p)``, most where the model is sure.
The excess ``q`` of each group is estimated beside a shift of the group's level (its own base rate) and of
its slope (the model being surer than it should be in this group), so that neither passes for noise: one
step of Newton's from the group's own level, in the manner of an efficient score (Cox, Hinkley 1974,
*Theoretical statistics*, 9.3). The form of the noise is that of Natarajan, Dhillon, Ravikumar, Tewari
(2013, *Learning with noisy labels*, NIPS).

What it can't tell: a model that learnt the noise of a group (the group is among its features, and it has
found that labels are half luck there) expects these contradictions, and nothing is in excess. Verdicts of
people can tell (:mod:`wholeroad.road.review.noise_by_verdicts`); where they were given, they stand in its
place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.core.view import Codes
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.student import student

LEAST_CASES: Final = 30
LEAST_BLOCKS: Final = 8
"""With fewer blocks of time nobody can tell how a figure varies."""

SLOPE_SPREAD: Final = 0.25
"""How far a group's slope is thought to be off, one standard deviation. It weighs little against many
cases."""
LEVEL_SPREAD: Final = 2.0
_SURE: Final = 0.04
"""A case is weighted by the variance of its label, but never by less: few cases would decide everything."""
_STEPS: Final = 2
_LEVEL_STEPS: Final = 8
_TRIED: Final = np.array([-0.3, 0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5])
_LEAST, _MOST = -0.6, 0.8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The excess of one group: what it is, what blocks add to it, and its variance at other values."""

    excess: float
    cases: int
    blocks: Floats
    """Shape (B,): what each block adds."""
    variance: Floats
    """At each of :data:`_TRIED`."""
    freedom: float

    @property
    def told(self) -> bool:
        return bool(np.isfinite(self.excess)) and self.freedom >= LEAST_BLOCKS - 1

    def variance_at(self, excess: float) -> float:
        return float(np.interp(excess, _TRIED, self.variance))

    def ends(self, confidence: float) -> tuple[float, float]:
        """Give the values that the excess is compatible with, each judged by its own variance."""
        if not self.told:
            return -np.inf, np.inf
        tried = np.linspace(_LEAST, _MOST, 1401)
        reach = float(student(confidence, np.array([self.freedom]))[0])
        near = np.abs(tried - self.excess) <= reach * np.sqrt(np.interp(tried, _TRIED, self.variance))
        inside = tried[near]
        if not inside.size:
            return self.excess, self.excess
        return min(float(inside[0]), self.excess), max(float(inside[-1]), self.excess)


def noise_by_group(
    probabilities: Floats,
    labels: Codes,
    *,
    groups: Sequence[Grouping],
    blocks: NDArray[np.int64],
    least_cases: int = LEAST_CASES,
    confidence: float = 0.95,
) -> tuple[GroupBias, ...]:
    """Compare the share of labels that contradict the model beyond luck, by group, all judged together.

    Parameters
    ----------
    probabilities
        Shape (n, K), out of time, of one model or of models in charge one after another; rows sum to 1.
    labels
        Shape (n,): codes 0 to K - 1.
    groups
        Of the same n cases.
    blocks
        Shape (n,), ``0 .. B-1``: days, or runs of cases; cases of one block share luck.

    Returns
    -------
    tuple of GroupBias
        Cause ``label_noise``, unit ``share``; one for each group of each grouping. A figure is the excess
        over what the model expects; it may be negative, since a model that learnt from noise expects some
        of it everywhere. The difference is what counts. ``rest`` is the mean of all other groups, each
        weighted by what it tells.

    Examples
    --------
    The model is sure by nine to one, and one label of ten contradicts it; in "b" three of ten do.

    >>> chance = np.tile([[0.9, 0.1], [0.1, 0.9]], (500, 1))
    >>> tenth = np.arange(1000) // 2 % 10
    >>> codes = (np.arange(1000) % 100 >= 60).astype(np.int32)
    >>> labels = np.where(tenth < np.where(codes == 1, 3, 1), 1 - np.arange(1000) % 2, np.arange(1000) % 2)
    >>> place = Grouping("depot", ("a", "b"), codes)
    >>> found = noise_by_group(chance, labels, groups=[place], blocks=np.arange(1000) // 20)
    >>> found[1].value, found[1].difference.value > 0.1
    ('b', True)
    """
    count = int(blocks.max(initial=-1)) + 1
    answers: list[_Answer] = []
    for each in groups:
        fitted = [
            _fit(probabilities[rows], labels[rows], blocks[rows], count=count)
            for rows in (np.flatnonzero(each.codes == code) for code in range(len(each.values)))
        ]
        answers += [
            _answer(each, fitted, place, least_cases=least_cases, confidence=confidence)
            for place in range(len(each.values))
            if len(each.values) > 1
        ]
    return _judged(answers, confidence)


def _fit(probabilities: Floats, labels: Codes, blocks: NDArray[np.int64], *, count: int) -> _Fitted:
    cases = labels.size
    nothing = _Fitted(np.nan, cases, np.zeros(count), np.full(_TRIED.size, np.inf), 0.0)
    if cases < 2:
        return nothing
    found = _newton(probabilities, labels)
    if found is None:
        return nothing
    excess, step = found
    beyond = np.einsum("ik,ik->i", step.pull, step.residual)
    sums = np.bincount(blocks, beyond, minlength=count).astype(np.float64)
    told = np.unique(blocks).size
    if told < 2:
        return nothing
    clustered = float(np.sum(sums * sums)) * told / (told - 1)
    alike = max(1.0, clustered / max(float(np.sum(beyond * beyond)), 1e-300))
    weight = np.bincount(blocks, _variance(step, 0.0), minlength=count)
    freedom = float(weight.sum() ** 2 / np.sum(weight * weight)) - 1
    variance = np.array([alike * _variance(step, tried).sum() for tried in _TRIED])
    return _Fitted(excess, cases, sums, variance, freedom)


def _variance(step: _Step, excess: float) -> Floats:
    """Give what each case adds to the variance, were ``excess`` the truth; shape (n,)."""
    chance = np.clip(step.right + max(excess, 0.0) * step.wrong, 1e-3, 1 - 1e-3)
    mean = np.einsum("ik,ik->i", step.pull, chance)
    square = np.einsum("ik,ik->i", step.pull * step.pull, chance)
    return np.asarray(np.maximum(square - mean * mean, 0.0))


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of Newton's: how far parameters move, and by which cases the last one, the excess, does."""

    moved: Floats
    pull: Floats
    residual: Floats
    right: Floats
    wrong: Floats


def _newton(probabilities: Floats, labels: Codes) -> tuple[float, _Step] | None:
    """Estimate the excess beside levels and a slope; None where they can't be told apart.

    The excess is ``sum(pull * residual)`` but for a constant, both of shape (n, C); C is 1 for two classes.
    """
    classes = probabilities.shape[1]
    kept = slice(1, 2) if classes == 2 else slice(None)
    came = (labels[:, None] == np.arange(classes))[:, kept].astype(np.float64)
    chance = np.clip(probabilities[:, kept], 1e-6, 1 - 1e-6)
    logit = np.log(chance) - np.log1p(-chance)
    levels, slope, excess = _levels(logit, came), 1.0, 0.0
    for _ in range(_STEPS - 1):
        step = _step(logit, came, levels=levels, slope=slope, excess=excess)
        if step is None:
            return None
        levels = levels + np.clip(step.moved[:-2], -0.5, 0.5)
        slope = float(np.clip(slope + np.clip(step.moved[-2], -0.3, 0.3), 0.3, 3.0))
        excess = float(np.clip(excess + step.moved[-1], 0.0, 0.4))
    step = _step(logit, came, levels=levels, slope=slope, excess=excess)
    return None if step is None else (float(excess + step.moved[-1]), step)


def _step(logit: Floats, came: Floats, *, levels: Floats, slope: float, excess: float) -> _Step | None:
    classes = max(2, levels.size)
    right = _logistic(levels + slope * logit)
    wrong = (1 - right) / (classes - 1) - right
    bend = (1 - excess * classes / (classes - 1)) * right * (1 - right)
    own = np.eye(levels.size)
    columns = np.stack([*(bend * row for row in own), bend * logit, wrong])
    table = (columns / np.maximum(right * (1 - right), _SURE)).reshape(len(columns), -1)
    ridge = np.diag([*np.full(levels.size, LEVEL_SPREAD**-2), SLOPE_SPREAD**-2, 0.0])
    matrix = table @ columns.reshape(len(columns), -1).T + ridge
    if np.linalg.cond(matrix) > 1e12:
        return None
    inverse = np.linalg.inv(matrix)
    residual = came - right - excess * wrong
    moved = inverse @ (table @ residual.ravel() - ridge @ np.array([*levels, slope - 1, 0.0]))
    pull = (inverse[-1] @ table).reshape(came.shape)
    return _Step(moved, pull, residual - moved[-1] * wrong, right, wrong)


def _levels(logit: Floats, came: Floats) -> Floats:
    """Give how much likelier each class is in the group than the model says, in logits; shape (C,)."""
    levels = np.zeros(logit.shape[1])
    for _ in range(_LEVEL_STEPS):
        chance = _logistic(levels + logit)
        bend = (chance * (1 - chance)).sum(axis=0) + LEVEL_SPREAD**-2
        levels = levels + np.clip(((came - chance).sum(axis=0) - levels * LEVEL_SPREAD**-2) / bend, -1, 1)
    return levels


def _logistic(logit: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer before it is judged; those with the same question say the same."""

    bias: GroupBias
    freedom: float
    question: tuple[str, str]


def _judged(answers: Sequence[_Answer], confidence: float) -> tuple[GroupBias, ...]:
    """Say which answers are clear, all judged together (Holm 1979), by a test of none each."""
    asked = {answer.question for answer in answers if answer.bias.enough}
    standing: set[tuple[str, str]] = set()
    while len(standing) < len(asked):
        level = 1 - (1 - confidence) / (len(asked) - len(standing))
        now = {
            answer.question
            for answer in answers
            if answer.bias.in_errors > float(student(level, np.array([answer.freedom]))[0])
        }
        if len(now) <= len(standing):
            break
        standing = now
    told = [
        replace(answer.bias, clear=answer.bias.enough and answer.question in standing) for answer in answers
    ]
    return tuple(replace(bias, does=noise_does(bias)) for bias in told)


def _answer(
    grouping: Grouping, fitted: Sequence[_Fitted], place: int, *, least_cases: int, confidence: float
) -> _Answer:
    own = fitted[place]
    others = [one for at, one in enumerate(fitted) if at != place and one.told]
    weight = np.array([1 / max(one.variance_at(0.0), 1e-300) for one in others])
    weight = weight / weight.sum() if others else weight
    cases = sum(one.cases for one in others)
    enough = own.told and bool(others) and min(own.cases, cases) >= least_cases
    rest = _rest(others, weight, confidence)
    if not enough:
        return _unsaid(grouping, grouping.values[place], own.cases, own=own.excess, rest=rest.value)
    alike = _alike(own.blocks, np.einsum("o,ob->b", weight, np.stack([one.blocks for one in others])))
    low, high = own.ends(confidence)
    value = own.excess - rest.value
    apart = Estimate(
        value,
        value - _joint(own.excess - low, rest.high - rest.value, alike),
        value + _joint(high - own.excess, rest.value - rest.low, alike),
    )
    # Were there no difference: what a test of none is held against.
    errors = (
        np.sqrt(own.variance_at(rest.value)),
        np.sqrt(sum(w * w * one.variance_at(one.excess) for w, one in zip(weight, others, strict=True))),
    )
    freedom = min(own.freedom, *(one.freedom for one in others)) if others else 0.0
    bias = GroupBias(
        cause="label_noise",
        grouping=grouping.name,
        value=grouping.values[place],
        cases=own.cases,
        figure=Estimate(own.excess, low, high),
        rest=rest,
        difference=apart,
        standard_error=_joint(float(errors[0]), float(errors[1]), alike),
        unit="share",
    )
    return _Answer(bias, freedom, (grouping.name, "" if len(grouping.values) == 2 else bias.value))


def _rest(others: Sequence[_Fitted], weight: Floats, confidence: float) -> Estimate:
    if not others:
        return Estimate(np.nan, -np.inf, np.inf)
    ends = [one.ends(confidence) for one in others]
    value = float(sum(w * one.excess for w, one in zip(weight, others, strict=True)))
    pairs = list(zip(weight, others, ends, strict=True))
    below = np.sqrt(sum((w * (one.excess - low)) ** 2 for w, one, (low, _) in pairs))
    above = np.sqrt(sum((w * (high - one.excess)) ** 2 for w, one, (_, high) in pairs))
    return Estimate(value, value - float(below), value + float(above))


def _unsaid(grouping: Grouping, value: str, cases: int, *, own: float, rest: float) -> _Answer:
    bias = GroupBias(
        cause="label_noise",
        grouping=grouping.name,
        value=value,
        cases=cases,
        figure=Estimate(own, -np.inf, np.inf),
        rest=Estimate(rest, -np.inf, np.inf),
        difference=Estimate(own - rest, -np.inf, np.inf),
        standard_error=float("inf"),
        unit="share",
        enough=False,
    )
    return _Answer(bias, 0.0, (grouping.name, value))


def _alike(one: Floats, other: Floats) -> float:
    root = float(np.sqrt(np.sum(one * one) * np.sum(other * other)))
    return float(np.clip(np.sum(one * other) / root, -1.0, 1.0)) if root > 0 else 0.0


def _joint(one: float, other: float, alike: float) -> float:
    return float(np.sqrt(max(one * one + other * other - 2 * alike * one * other, 0.0)))


def noise_does(bias: GroupBias) -> str:
    """Say what wrong labels of a group do to decisions."""
    who = f"{bias.grouping} = {bias.value}"
    if not bias.enough:
        return f"{bias.cases:,} labels of {who}, or those of the others, are too few to tell."
    if not bias.clear or bias.difference.value < 0:
        return f"Labels of {who} contradict the model about as often as luck explains."
    return (
        f"Either labels of {who} are wrong more often, or something that no feature shows decides more of "
        "them: figures can't tell which, people can. Models learn from wrong labels what isn't so, errors in "
        "the group are counted wrongly, and its base rate is drawn towards the middle."
    )
