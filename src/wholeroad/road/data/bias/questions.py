"""One question about one way of parting cases: shares counted by group and block, drafts of the answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.road.data.bias.found import Cause, GroupBias
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.judging import UNBOUNDED, Compared, Draft, compare, errors_told
from wholeroad.road.data.bias.ratios import Bounds, ratios, tally

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about the groups of one grouping.

    Attributes
    ----------
    words
        Says in a sentence what an answer may do to decisions.
    """

    cause: Cause
    grouping: Grouping
    words: Callable[[GroupBias], str]
    confidence: float
    least_cases: int
    unit: str = "share"
    about: str = ""

    def draft(self, compared: Compared, place: int, *, value: str, cases: int, others: int) -> Draft:
        """Draft the answer about one group.

        Parameters
        ----------
        place
            The group's, in ``compared``.
        cases, others
            What its figure and that of the rest rest on: too few of either, and nothing is said.
        """
        own, rest = compared.sides(place)
        error = errors_told(
            _one(compared.differences, place),
            np.array([min(own.freedom, rest.freedom)]),
            confidence=self.confidence,
        )
        error_told = float(error[0])
        enough = min(cases, others) >= self.least_cases and np.isfinite(error_told)
        told = compared.figures.at(place), compared.rests.at(place), compared.differences.at(place)
        figure, others_figure, difference = told if enough else (_open(each) for each in told)
        bias = GroupBias(
            cause=self.cause,
            grouping=self.grouping.name,
            value=value,
            cases=cases,
            figure=figure,
            rest=others_figure,
            difference=difference,
            standard_error=error_told if enough else float("inf"),
            unit=self.unit,
            about=self.about,
            enough=bool(enough),
        )
        return Draft(bias, own, rest, float(compared.alike[place]), self.key(value), self.words)

    def key(self, value: str) -> Hashable:
        """Name what is really asked: of two groups, one against the rest says all."""
        return (self.grouping.name, self.about, value if len(self.grouping.values) > 2 else "")


def draft_shares(
    question: Question, hit: Flags, *, blocks: NDArray[np.int64], cases: Floats
) -> Iterator[Draft]:
    """Draft answers about a share: of the cases that are counted, those that hit.

    Parameters
    ----------
    hit
        Shape (n,): among those that are counted.
    cases
        Shape (G, B): those that are counted, by group and block.
    """
    if len(question.grouping.values) < 2:
        return
    compared = compare(
        ratios(counted(question.grouping, hit, blocks=blocks), cases, share=True), question.confidence
    )
    count = cases.sum(axis=1).astype(np.int64)
    for place, value in enumerate(question.grouping.values):
        others = int(count.sum() - count[place])
        yield question.draft(compared, place, value=value, cases=int(count[place]), others=others)


def counted(grouping: Grouping, some: Flags, *, blocks: NDArray[np.int64]) -> Floats:
    """Count some cases by group and block, shape (G, B)."""
    rows, width = np.flatnonzero(some), int(blocks[-1]) + 1
    ones = np.ones(rows.size)
    sums = tally(grouping.codes[rows], blocks[rows], groups=len(grouping.values), columns={"cases": ones})
    found = np.zeros((len(grouping.values), width))
    found[:, : sums["cases"].shape[1]] = sums["cases"]
    return found


def _one(bounds: Bounds, place: int) -> Bounds:
    return Bounds(*(getattr(bounds, name)[place : place + 1] for name in bounds.__slots__))


def _open(told: Estimate) -> Estimate:
    return Estimate(told.value, *UNBOUNDED)
