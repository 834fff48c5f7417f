"""An assessment of decisions by group: figures, differences to the rest, disparities, limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from wholeroad.core.estimates import Estimate
from wholeroad.road.brief.fairness import LimitTable
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.bias.ratios import Bounds, Floats, Ratios
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.fairness.assessed import NOT_KNOWN, Assessed
from wholeroad.road.model.fairness.disparities import FarOut, disparities_of, told
from wholeroad.road.model.fairness.limits import limits_held
from wholeroad.road.model.fairness.measures import MEASURES, Measured, measured
from wholeroad.road.model.fairness.results import Fairness, GroupFigure

_DOUBT: Final = 5.0
"""How many degrees of freedom the errors of all groups weigh beside those of one."""


def fairness_of(
    assessed: Assessed,
    groups: Sequence[Grouping],
    *,
    limits: Sequence[LimitTable] = (),
    confidence: float = 0.95,
    least_cases: int = 30,
    look: int | None = None,
) -> Fairness:
    """Assess decisions by group.

    Selection and stated probabilities are measured over all decided cases, what came true and its money over
    settled ones. Blocks of time are what was sampled: see :mod:`wholeroad.road.data.bias.ratios`.

    Parameters
    ----------
    assessed
        In order of time.
    groups
        Codes of shape (n,) each, of the same cases.
    limits
        Judged at their own confidence.
    confidence
        Of each interval of a figure; of the differences to everybody else of all groups of a measure
        together (Dunn), so that a group is called different by chance in so few measures, not in so many
        groups; and of each disparity with all its pairs together.
    least_cases
        A figure that rests on fewer gets no interval, and takes no part in disparities and limits.
    look
        Which look at growing data this is, from 1, for disparities and limits; None for the only one.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> n, late = 4000, rng.random(4000) < 0.3
    >>> selected = late & (rng.random(n) < 0.8)
    >>> assessed = Assessed(
    ...     decided_at=np.arange(n) * 900_000_000,
    ...     selected=selected,
    ...     positive=late.astype(np.int8),
    ...     probability=np.full(n, np.nan),
    ...     money=selected * 10.0,
    ...     status_quo_money=np.zeros(n),
    ...     best_money=late * 10.0,
    ... )
    >>> depot = Grouping("depot", ("north", "south"), (rng.random(n) < 0.5).astype(np.int32))
    >>> limit = LimitTable(group="depot", measure="true_positive_rate", difference_at_most=0.1)
    >>> found = fairness_of(assessed, [depot], limits=[limit])
    >>> found.limits[0].standing, found.blocks, found.block_kind
    ('holds', 42, 'UTC days')
    """
    blocks, kind = blocks_of(assessed.decided_at)
    everyone = Grouping("", ("",), np.zeros(len(assessed), dtype=np.int32))
    found = measured(assessed, groups, blocks=blocks)
    whole = _together(found[0]) if found else measured(assessed, [everyone], blocks=blocks)[0]
    return Fairness(
        cases=len(assessed),
        settled=int(np.count_nonzero((assessed.positive != NOT_KNOWN) | np.isfinite(assessed.money))),
        everybody=tuple(_everybody(whole, confidence=confidence, least_cases=least_cases)),
        figures=tuple(
            figure
            for each in found
            for figure in _figures(each, whole=whole, confidence=confidence, least_cases=least_cases)
        ),
        disparities=tuple(
            disparity
            for each in found
            for disparity in disparities_of(each, confidence=confidence, least_cases=least_cases, look=look)
        ),
        limits=limits_held(found, limits, least_cases=least_cases, look=look),
        confidence=confidence,
        blocks=int(blocks[-1]) + 1 if blocks.size else 0,
        block_kind=kind,
        pooled={each.name: dict(each.pooled) for each in groups if each.pooled},
    )


def _together(found: Measured) -> Measured:
    grouping = Grouping("", ("",), np.zeros(0, dtype=np.int32))
    return Measured(grouping, {name: each.together for name, each in found.ratios.items()})


def _everybody(whole: Measured, *, confidence: float, least_cases: int) -> Iterator[GroupFigure]:
    for name, ratios in whole.ratios.items():
        enough = told(ratios, least_cases=least_cases)
        yield GroupFigure(
            measure=name,
            grouping="",
            value="",
            cases=int(ratios.cases[0]),
            figure=_at(ratios.bounds(confidence), 0, told=bool(enough[0])),
            shrunk=float(ratios.value[0]),
            enough=bool(enough[0]),
            unit=MEASURES[name].unit,
        )


def _figures(
    found: Measured, *, whole: Measured, confidence: float, least_cases: int
) -> Iterator[GroupFigure]:
    for name, ratios in found.ratios.items():
        enough = told(ratios, least_cases=least_cases)
        judged = enough & (ratios.cases.sum() - ratios.cases >= least_cases)
        asked = 1 if len(found.grouping.values) == 2 else max(1, int(judged.sum()))
        own, apart = ratios.bounds(confidence), FarOut.of(ratios).versus_rest(1 - (1 - confidence) / asked)
        drawn_in = shrunk(ratios, towards=float(whole.ratios[name].value[0]))
        for place, value in enumerate(found.grouping.values):
            yield GroupFigure(
                measure=name,
                grouping=found.grouping.name,
                value=value,
                cases=int(ratios.cases[place]),
                figure=_at(own, place, told=bool(enough[place])),
                rest=_at(apart, place, told=bool(judged[place])),
                shrunk=float(drawn_in[place]),
                enough=bool(enough[place]),
                unit=MEASURES[name].unit,
            )


def _at(bounds: Bounds, place: int, *, told: bool) -> Estimate:
    found = bounds.at(place)
    return found if told else Estimate(found.value, -math.inf, math.inf)


def shrunk(ratios: Ratios, *, towards: float) -> Floats:
    """Draw each group's figure in, as far as chance alone would spread the groups, shape (G,).

    Empirical Bayes (Efron and Morris 1975, *Data analysis using Stein's estimator and its generalizations*,
    JASA 70), the spread between groups by moments (DerSimonian and Laird 1986, *Meta-analysis in clinical
    trials*, Controlled Clinical Trials 7). Of many figures these are the better guess at each; they
    have no interval, and a group that differs in truth is drawn in, too.

    Parameters
    ----------
    towards
        Everybody's figure, which a group without any case gets.
    """
    spread = _steadied(ratios)
    known = np.isfinite(ratios.value) & np.isfinite(spread) & (spread > 0)
    weight = np.where(known, 1 / np.where(known, spread, 1.0), 0.0)
    if np.count_nonzero(known) < 2:
        return np.full_like(ratios.value, towards)
    value = np.where(known, ratios.value, towards)
    middle = np.average(value, weights=weight)
    beyond = float(np.sum(weight * (value - middle) ** 2)) - (np.count_nonzero(known) - 1)
    between = max(0.0, beyond / float(weight.sum() - np.sum(weight * weight) / weight.sum()))
    kept = np.where(known, between / (between + np.where(known, spread, 1.0)), 0.0)
    drawn_in: Floats = towards + kept * (value - towards)
    return drawn_in


def _steadied(ratios: Ratios) -> Floats:
    """Give the variance of each figure, that of small groups steadied by what a case adds in all groups."""
    cases = ratios.cases
    told = np.isfinite(ratios.standard_error) & (cases > 0)
    variance = np.square(np.where(told, ratios.standard_error, 0.0))
    of_a_case = np.sum(variance * cases * cases) / max(float(cases[told].sum()), 1.0)
    others = _DOUBT / (ratios.freedom + _DOUBT)
    return np.where(told, (1 - others) * variance + others * of_a_case / np.maximum(cases, 1.0), np.inf)
