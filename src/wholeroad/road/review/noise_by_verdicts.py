"""Wrong labels by group as people found them: unbiased as far as people are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.judging import Draft, compare, judge
from wholeroad.road.data.bias.questions import Question
from wholeroad.road.data.bias.ratios import ratios, tally
from wholeroad.road.review.noise_by_group import LEAST_CASES, noise_does

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JudgedLabels:
    """Labels that people looked at, each array of shape (m,).

    Attributes
    ----------
    codes
        By name of the grouping: each label's group, as positions in its values.
    wrong
        What people found.
    stands_for
        How many cases of the sheet's like each one stands for: one over the share that was looked at, of
        suspects and of those drawn by chance apart.
    blocks
        Of time, ``0 .. B-1``.
    """

    codes: dict[str, NDArray[np.int32]]
    wrong: NDArray[np.bool_]
    stands_for: Floats
    blocks: NDArray[np.int64]


def weigh_judged(kind: Sequence[str], judged: NDArray[np.bool_], *, cases: int) -> Floats:
    """Give for how many cases each item of one sheet stands, shape (m,); 0 of an item that nobody judged.

    Suspects stand for suspects that were shown, those drawn by chance for all other cases. Without a judged
    one that was drawn by chance nothing can be told, and all are 0: flags alone are no sample.

    Parameters
    ----------
    kind
        ``suspect`` or ``drawn`` for each item, as :data:`~wholeroad.road.review.sheets.ITEMS` has it.
    cases
        From which the sheet was drawn.

    Examples
    --------
    >>> judged = np.array([True, False, True, True])
    >>> weigh_judged(["suspect", "suspect", "drawn", "drawn"], judged, cases=102).tolist()
    [2.0, 0.0, 50.0, 50.0]
    """
    suspect = np.array([each == "suspect" for each in kind], dtype=bool)
    seen = [int((judged & part).sum()) for part in (suspect, ~suspect)]
    weight = np.zeros(suspect.size)
    if not seen[1]:
        return weight
    weight[judged & suspect] = suspect.sum() / max(seen[0], 1)
    weight[judged & ~suspect] = (cases - suspect.sum()) / seen[1]
    return weight


def noise_by_verdicts(
    judged: JudgedLabels,
    groups: Sequence[Grouping],
    *,
    least_cases: int = LEAST_CASES,
    confidence: float = 0.95,
) -> tuple[GroupBias, ...]:
    """Compare the share of wrong labels by group, as people found them; unbiased as far as people are right.

    Suspects and those drawn by chance count as often as the cases that they stand for (Horvitz, Thompson
    1952, *A generalization of sampling without replacement*, JASA 47), and together as many as would tell
    as much with equal weights (Kish 1965, *Survey sampling*, 11.7).

    Returns
    -------
    tuple of GroupBias
        As those of :func:`noise_by_group`; ``cases`` are judged labels. Empty without a judged one.
    """
    rows = np.flatnonzero(judged.stands_for > 0)
    if not rows.size:
        return ()
    drafts: list[Draft] = []
    for each in (each for each in groups if len(each.values) > 1):
        codes = judged.codes[each.name][rows]
        weight = _kish(judged.stands_for[rows], codes, groups=len(each.values))
        columns = {"all": weight, "wrong": weight * judged.wrong[rows]}
        sums = tally(codes, judged.blocks[rows], groups=len(each.values), columns=columns)
        compared = compare(ratios(sums["wrong"], sums["all"], share=True), confidence)
        count = np.bincount(codes, minlength=len(each.values))
        question = Question("label_noise", each, noise_does, confidence=confidence, least_cases=least_cases)
        drafts += [
            question.draft(compared, at, value=value, cases=int(count[at]), others=int(rows.size - count[at]))
            for at, value in enumerate(each.values)
        ]
    return judge(drafts, confidence=confidence)


def _kish(stands_for: Floats, codes: NDArray[np.int32], *, groups: int) -> Floats:
    total = np.bincount(codes, stands_for, minlength=groups)
    square = np.bincount(codes, stands_for * stands_for, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.nan_to_num(total / square)
    scaled: Floats = stands_for * scale[codes]
    return scaled


def prefer_verdicts(by_model: Sequence[GroupBias], by_people: Sequence[GroupBias]) -> tuple[GroupBias, ...]:
    """Give the answers of a model, those of people in their place where these looked at enough labels."""
    told = {(bias.grouping, bias.value): bias for bias in by_people if bias.enough}
    known = {(bias.grouping, bias.value) for bias in by_model}
    extra = [bias for key, bias in told.items() if key not in known]
    return (*(told.get((bias.grouping, bias.value), bias) for bias in by_model), *extra)
