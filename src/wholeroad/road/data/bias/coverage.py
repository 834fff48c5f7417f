"""Each group's share of the cases against its share of those whom the decision is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.data.bias.groups import OTHER, Grouping
from wholeroad.road.data.bias.judging import UNBOUNDED, Draft, Side, judge, side_of
from wholeroad.road.data.bias.questions import counted
from wholeroad.road.data.bias.ratios import ratios
from wholeroad.road.data.bias.seen import Seen
from wholeroad.road.data.bias.student import student
from wholeroad.road.data.bias.successive import successive
from wholeroad.road.data.bias.wording import coverage_does


def ask_coverage(seen: Seen, *, confidence: float = 0.95) -> tuple[GroupBias, ...]:
    """Compare each group's share of the cases with its stated share of the population.

    The population is taken as exact. Cases whose value the population doesn't name are left out, which
    :func:`outside_population` says; values that it names and no case has are answered, too. Values that were
    put together are compared with their population together. Nothing is asked of groups without a stated one.
    """
    blocks = seen.blocks
    drafts = [
        draft
        for each in seen.groups
        if each.population
        for draft in _drafts(seen, each, blocks=blocks, confidence=confidence)
    ]
    return judge(drafts, confidence=confidence)


def stated_shares(grouping: Grouping) -> dict[str, float]:
    """Give the population's share of each group that has cases; a group that it doesn't name is left out.

    Examples
    --------
    >>> codes = np.zeros(3, dtype=np.int32)
    >>> stated_shares(Grouping("g", ("a", "other values"), codes, {"b": 1, "c": 1}, {"a": 0.7, "b": 0.3}))
    {'a': 0.7, 'other values': 0.3}
    """
    shares = {value: grouping.population[value] for value in grouping.values if value in grouping.population}
    pooled = [grouping.population[value] for value in grouping.pooled if value in grouping.population]
    if OTHER in grouping.values and pooled:
        shares[OTHER] = sum(pooled)
    return shares


def without_cases(grouping: Grouping) -> dict[str, float]:
    """Give the population's share of each value that it names and no case has."""
    there = {*grouping.values, *grouping.pooled}
    return {value: share for value, share in grouping.population.items() if value not in there and share > 0}


def outside_population(grouping: Grouping) -> tuple[str, ...]:
    """Name the values of cases that the population doesn't name."""
    named = stated_shares(grouping)
    return tuple(value for value in grouping.values if value not in named)


def _drafts(
    seen: Seen, grouping: Grouping, *, blocks: NDArray[np.int64], confidence: float
) -> Iterator[Draft]:
    named, absent = stated_shares(grouping), without_cases(grouping)
    places = [grouping.values.index(value) for value in named]
    counts = counted(grouping, np.ones(len(seen), dtype=bool), blocks=blocks)[places]
    total = counts.sum(axis=0, keepdims=True)
    size = int(total.sum())
    if not size or len(named) + len(absent) < 2:
        return
    found = successive(ratios(counts, np.repeat(total, len(named), axis=0), share=True))
    low, high = found.interval(confidence)
    key = "" if len(named) + len(absent) == 2 else None
    enough = size >= seen.least_cases
    for place, (value, stated) in enumerate(named.items()):
        own = side_of(found, place)
        ends = Estimate(own.value, float(low[place]), float(high[place]))
        answer = _Answer(grouping, value, int(counts[place].sum()), enough, confidence)
        yield answer.draft(own, ends, stated=stated, key=value if key is None else key)
    for value, stated in absent.items():
        # Nobody knows how alike cases would be that never came: as the least telling of those that did.
        own = Side(0.0, 0.0, float(found.freedom.min()), float(min(found.effective.min(), size)))
        square = float(student(confidence, np.array([own.freedom]))[0]) ** 2
        ends = Estimate(0.0, 0.0, square / (own.effective + square) if np.isfinite(square) else np.inf)
        answer = _Answer(grouping, value, 0, enough, confidence)
        yield answer.draft(own, ends, stated=stated, key=value if key is None else key)


@dataclass(frozen=True, slots=True)
class _Answer:
    grouping: Grouping
    value: str
    cases: int
    enough: bool
    confidence: float

    def draft(self, own: Side, ends: Estimate, *, stated: float, key: str) -> Draft:
        quantile = float(student(self.confidence, np.array([own.freedom]))[0])
        error = max((ends.high - ends.low) / 2 / quantile, own.standard_error)
        enough = self.enough and np.isfinite(error) and np.isfinite(quantile)
        figure = ends if enough else Estimate(ends.value, *UNBOUNDED)
        bias = GroupBias(
            cause="coverage",
            grouping=self.grouping.name,
            value=self.value,
            cases=self.cases,
            figure=figure,
            rest=Estimate(stated, stated, stated),
            difference=Estimate(figure.value - stated, figure.low - stated, figure.high - stated),
            standard_error=error if enough else float("inf"),
            unit="share",
            enough=bool(enough),
        )
        known = Side(stated, 0.0, float("inf"), float("inf"))
        return Draft(bias, own, known, 0.0, (self.grouping.name, key), coverage_does)
