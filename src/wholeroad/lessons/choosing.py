"""Which lessons belong to a report: told from its figures, never from its sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from wholeroad.lessons.numbers import kind_of
from wholeroad.road.watch.results import Comparison, PolicyMoney


def verdict_codes(
    comparison: Comparison,
    *,
    policy: str,
    undecided: bool = False,
    identified: bool = True,
    all_refused: bool = False,
) -> tuple[str, ...]:
    """Give the codes of the lessons that explain a verdict, the weightiest first.

    Parameters
    ----------
    comparison
        What the verdict was made from.
    policy
        The recommended one.
    undecided
        Whether the winner changes within the ranges of values.
    identified
        Whether acting leaves outcomes alone.
    all_refused
        Whether no fit could be made.
    """
    chosen = next((one for one in comparison.policies if one.policy == policy), comparison.policies[0])
    found = list(_codes(chosen, comparison, undecided=undecided, all_refused=all_refused))
    if not identified:
        found.insert(0, "verdict.not-identified")
    return tuple(dict.fromkeys(found))


def _codes(
    chosen: PolicyMoney, comparison: Comparison, *, undecided: bool, all_refused: bool
) -> Iterator[str]:
    if not chosen.settled:
        yield "verdict.no-outcomes"
        return
    if all_refused:
        yield "verdict.no-model-made"
        return
    if not math.isfinite(chosen.total.low):
        yield "verdict.too-short"
        return
    if undecided or (chosen.gain_corners and chosen.gain_corners[0] < 0 < chosen.gain_corners[1]):
        yield "verdict.undecided"
    yield from _of_chosen(chosen, comparison)
    if _dummies_win(comparison):
        yield "verdict.dummies-win"
    if chosen.versus_best is not None and chosen.versus_best.high >= 0:
        yield "verdict.best-by-luck"
    judged = [one.success for one in comparison.policies if one.success is not None]
    success = chosen.success or (judged[0] if judged else None)
    if success is not None:
        yield "verdict.criterion-met" if success.met else "verdict.criterion-not-met"


def _of_chosen(chosen: PolicyMoney, comparison: Comparison) -> Iterator[str]:
    kind = kind_of(chosen)
    refits = [one for one in comparison.policies if kind_of(one) == "every" and one.versus_never]
    best = max(refits, key=lambda one: one.total.value, default=None)
    more = chosen.versus_chance
    if kind in ("never", "every") and more is not None and not more.low > 0:
        yield "dummies"
        return
    match kind:
        case "status quo":
            yield "verdict.status-quo"
        case "always":
            yield "verdict.no-model-needed"
        case "never":
            yield "verdict.never-refit" if refits else "verdict.use-model"
    if kind == "every":
        gain = chosen.versus_never
        yield "verdict.refit-pays" if gain is None or gain.low > 0 else "verdict.refit-unclear"
    elif best is not None and best.versus_never is not None and best.versus_never.high < 0:
        yield "verdict.refit-loses"


def _dummies_win(comparison: Comparison) -> bool:
    dummies = [one for one in comparison.policies if kind_of(one) in ("random", "always")]
    models = [one for one in comparison.policies if kind_of(one) in ("never", "every")]
    if not dummies or not models:
        return False
    return max(one.total.value for one in dummies) >= max(one.total.value for one in models)
