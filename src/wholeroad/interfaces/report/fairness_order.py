"""In which order findings about the data are shown: first what touches most of a group's decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.watch.fairness.causes import MATTERS, MATTERS_OF_REST, WORSE
from wholeroad.road.watch.fairness.planning import TOUCHES

_SMALL: Final = 0.2
"""Below this part of what would matter a difference is small."""


def clear_first(findings: Sequence[GroupBias]) -> list[GroupBias]:
    """Put clear findings first: those that touch most of a group's decisions, small ones last."""

    def rank(one: GroupBias) -> tuple[bool, bool, float, float, str, str, bool, str]:
        worse = WORSE[one.cause]
        better = worse != 0 and one.difference.value * worse < 0
        # A group that is better off than all others harms nobody by itself.
        weight = touched(one) * (0.5 if better else 1.0)
        places = one.cause, one.grouping, better, one.value
        return not one.clear, one.clear and is_small(one), -round(weight, 9), -one.in_errors, *places

    return sorted(findings, key=rank)


def touched(one: GroupBias) -> float:
    """Give the least part of a group's decisions that a finding touches, by its interval's end towards none.

    How much a difference touches is a judgement: :data:`~wholeroad.road.watch.fairness.planning.TOUCHES`.
    """
    if not (math.isfinite(one.difference.low) and math.isfinite(one.difference.high)):
        return 0.0
    least = max(one.difference.low, -one.difference.high, 0.0)
    return TOUCHES[one.cause] * min(_in_proportion(one, least), 1.0)


def is_small(one: GroupBias) -> bool:
    """Tell whether a finding is small with its whole interval: clear only because the cases are many.

    Shares and an AUC count as small below 2 points; days and coverage below 6 % of what they stand beside.
    """
    most = max(abs(one.difference.low), abs(one.difference.high))
    return _in_proportion(one, most) < _SMALL * (MATTERS_OF_REST if _is_relative(one) else MATTERS)


def _is_relative(one: GroupBias) -> bool:
    return one.unit == "days" or one.cause == "coverage"


def _in_proportion(one: GroupBias, size: float) -> float:
    if not _is_relative(one):
        return size
    return size / max(abs(one.rest.value), abs(one.figure.value), 1e-9)


def without_mirrors(findings: Sequence[GroupBias]) -> list[GroupBias]:
    """Leave out what says the same again: of two values that make up a group, the second one."""
    kept: dict[tuple[str, str, str, frozenset[float]], GroupBias] = {}
    for one in findings:
        ends = frozenset({round(one.figure.value, 9), round(one.rest.value, 9)})
        kept.setdefault((one.cause, one.grouping, one.about, ends), one)
    return list(kept.values())
