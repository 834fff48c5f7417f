"""Limits between groups: which hold, which are breached, and which stop a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from wholeroad.core.estimates import Estimate
from wholeroad.road.brief.fairness import LimitTable
from wholeroad.road.model.fairness.disparities import disparity_of, parts_of, told
from wholeroad.road.model.fairness.measures import Measured
from wholeroad.road.model.fairness.results import Disparity, LimitHeld

Standing = Literal["holds", "open", "breached"]


def limits_held(
    measured: Sequence[Measured],
    limits: Sequence[LimitTable],
    *,
    least_cases: int = 30,
    look: int | None = None,
) -> tuple[LimitHeld, ...]:
    """Hold the groups against each limit, in the order of the limits.

    A limit is judged by the interval of the largest difference (or the smallest ratio) between any two
    groups, at the limit's own confidence. Groups with too few cases aren't judged; the sentence says how
    many they are.

    Each fit is a look of its own. Of fits that hold a limit at its very bound about one in forty is called
    breached where two groups are compared, fewer where more are; so over a year of weekly fits, in a
    simulation, some fit was stopped in four years of ten. At four fifths of the bound it was one in thirty.
    And a fit is judged by its trial: what is put in charge has learnt from more, and its own difference
    lay in the trial's 95 % interval in nine simulated fits of ten.

    Parameters
    ----------
    measured
        By grouping; a limit on a grouping that isn't there is open.
    look
        Which look at growing data this is, from 1: the chance that any look at the cases of one plan ever
        calls a limit breached that holds stays below one less the confidence. None for the only look.
    """
    known = {each.grouping.name: each for each in measured}
    return tuple(_held(known.get(limit.group), limit, least_cases=least_cases, look=look) for limit in limits)


def _held(measured: Measured | None, limit: LimitTable, *, least_cases: int, look: int | None) -> LimitHeld:
    bound = limit.difference_at_most if limit.difference_at_most is not None else limit.ratio_at_least
    assert bound is not None  # noqa: S101 - the brief holds exactly one of them
    if measured is None:
        found, figure = None, None
    else:
        found = disparity_of(
            measured, limit.measure, confidence=limit.confidence, least_cases=least_cases, look=look
        )
        figure = found.difference if limit.difference_at_most is not None else found.ratio
    standing = _standing(figure, limit)
    stops = standing == "breached" or (limit.burden_of_proof == "holding" and standing == "open")
    return LimitHeld(
        limit=limit.name,
        grouping=limit.group,
        measure=limit.measure,
        standing=standing,
        stops=stops,
        figure=figure,
        bound=bound,
        highest=found.highest if found and figure else "",
        lowest=found.lowest if found and figure else "",
        says=_says(measured, limit, found=found, figure=figure, least_cases=least_cases),
    )


def _standing(figure: Estimate | None, limit: LimitTable) -> Standing:
    if figure is None:
        return "open"
    if limit.difference_at_most is not None:
        holds, breached = figure.high <= limit.difference_at_most, figure.low > limit.difference_at_most
    else:
        least = limit.ratio_at_least or 0.0
        holds, breached = figure.low >= least, figure.high < least
    return "holds" if holds else "breached" if breached else "open"


def _says(
    measured: Measured | None,
    limit: LimitTable,
    *,
    found: Disparity | None,
    figure: Estimate | None,
    least_cases: int,
) -> str:
    if measured is None or found is None:
        return f"{limit.name}: open; the cases aren't parted by {limit.group}."
    small = _small(measured, limit, least_cases=least_cases)
    if figure is None:
        if found.difference is not None:
            return f"{limit.name}: open; a ratio needs figures above 0.{small}"
        return f"{limit.name}: open; fewer than two groups have {least_cases} cases that it rests on.{small}"
    kind = "difference" if limit.difference_at_most is not None else "ratio"
    between = f"between {found.highest} and {found.lowest}"
    sure = f"{figure.low:.3g} to {figure.high:.3g} at {limit.confidence:.0%} confidence"
    looks = f", look {found.looks}" if found.looks > 1 else ""
    standing = _standing(figure, limit)
    return f"{limit.name}: {standing}; the {kind} {between} is {figure.value:.3g} ({sure}{looks}).{small}"


def _small(measured: Measured, limit: LimitTable, *, least_cases: int) -> str:
    """Say how many groups aren't judged."""
    parts = [measured.ratios[part] for part in parts_of(limit.measure) if part in measured.ratios]
    groups = len(measured.grouping.values)
    judged = min((int(told(part, least_cases=least_cases).sum()) for part in parts), default=0)
    if judged == groups:
        return ""
    return f" Too few cases to judge {groups - judged} of {groups} groups."
