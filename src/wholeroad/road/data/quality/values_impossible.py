"""Values that can't be: less than no weight, more than all of a share, born in years to come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from wholeroad.core.instants import DAY
from wholeroad.road.data.profile import words_of
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import FEW_ROWS, Counts, Floats, Instants, Mask, Numbers
from wholeroad.road.data.quality.values_names import is_money, is_quantity, is_signed, range_of
from wholeroad.road.data.quality.values_telling import Found, column, figure, literal, share_of, tell

_SELDOM: Final = 0.2
"""A range that more rows than this break is none."""
_NEAR_ZERO: Final = 0.2
"""Part of the median within which values count as near zero."""

_PAST: Final = frozenset(
    (
        "birth",
        "birthday",
        "born",
        "built",
        "created",
        "dob",
        "employed",
        "entry",
        "established",
        "first",
        "founded",
        "hired",
        "joined",
        "made",
        "manufactured",
        "opened",
        "registered",
        "signup",
        "since",
        "start",
        "started",
    )
)
"""Words of names of dates that lie in the past."""


def find_impossible_values(seen: Seen) -> Iterator[Trouble]:
    """Find values outside of what the name promises, where nearly all others keep to it."""
    for name, numbers in seen.looked.numbers.items():
        if numbers.identifies or numbers.present < FEW_ROWS:
            continue
        promised = range_of(name)
        if promised is not None:
            low, high, why = promised
            mask = (numbers.cleared < low) | (numbers.cleared > high)
            if 0 < mask.sum() <= _SELDOM * numbers.present:
                where = f"{column(name)} < {literal(low)} or {column(name)} > {literal(high)}"
                yield _numbers(seen, numbers, mask=mask, where=where, why=why)
                continue
        yield from _negatives(seen, numbers)
        yield from _shares(seen, numbers)
    for instants in seen.looked.instants.values():
        yield from _future(seen, instants)


def _negatives(seen: Seen, numbers: Numbers) -> Iterator[Trouble]:
    """Find negative numbers among quantities, unless a category explains them, as returns do."""
    mask = numbers.cleared < 0
    count, present = int(mask.sum()), numbers.present
    if not 0 < count <= _SELDOM * present:
        return
    levels, counts = numbers.sound
    usual = float(np.median(numbers.ordered))
    if is_signed(numbers.name) or _through_zero(levels, counts, usual=usual):
        return
    flipped = usual > 0 and _scale_of_flipped(levels, counts, usual=usual)
    named = is_quantity(numbers.name)
    none_near_zero = float((counts[(levels >= 0) & (levels < 0.02 * usual)]).sum()) < 0.02 * present
    if not (flipped and (named or (none_near_zero and count >= 3))):
        return
    if (is_money(numbers.name) or not named) and explained(seen, mask):
        return
    yield _numbers(
        seen, numbers, mask=mask, where=f"{column(numbers.name)} < 0", why="there is no less than none of it"
    )


def _through_zero(levels: Floats, counts: Counts, *, usual: float) -> bool:
    """Tell whether there are about as many values just below zero as just above it, as where signs differ."""
    near = _NEAR_ZERO * usual
    below = float(counts[(levels < 0) & (levels > -near)].sum())
    above = float(counts[(levels > 0) & (levels < near)].sum())
    return below >= 3 and below >= 0.5 * above


def _scale_of_flipped(levels: Floats, counts: Counts, *, usual: float) -> bool:
    """Tell whether the negative values are as large as the others: signs were flipped."""
    sizes = np.repeat(-levels[levels < 0], counts[levels < 0])
    return 0.2 * usual <= float(np.median(sizes)) <= 5 * usual


def _shares(seen: Seen, numbers: Numbers) -> Iterator[Trouble]:
    """Find numbers above 1 or below 0 in a column of shares that hardly leaves the range."""
    ordered = numbers.ordered
    if not numbers.continuous or not is_share(numbers):
        return
    mask = (numbers.cleared > 1) | (numbers.cleared < 0)
    if not 0 < mask.sum() <= _SELDOM * ordered.size or explained(seen, mask):
        return
    where = f"{column(numbers.name)} < 0 or {column(numbers.name)} > 1"
    yield _numbers(seen, numbers, mask=mask, where=where, why="nearly all others are shares, from 0 to 1")


def is_share(numbers: Numbers) -> bool:
    """Tell whether values are shares: from 0 to 1 but for few, ending there, with nothing just beyond."""
    ordered = numbers.ordered
    inside = ordered[(ordered >= 0) & (ordered <= 1)]
    if inside.size < max(FEW_ROWS, (1 - _SELDOM) * ordered.size):
        return False
    middle, top = np.median(inside[inside > 0]) if (inside > 0).any() else 0.0, inside[-1]
    words = {*words_of(numbers.name)}
    named = bool(
        words & {"share", "rate", "ratio", "load", "utilisation", "utilization", "occupancy", "prob"}
    )
    beyond = ordered[(ordered > 1) & (ordered < 1.05)].size
    return bool(
        0.02 <= middle <= 0.98
        and (named or top > 0.9)
        and beyond <= 0.002 * ordered.size
        and (named or np.quantile(inside, 0.9) > 0.6)
    )


def _future(seen: Seen, instants: Instants) -> Iterator[Trouble]:
    """Find dates of what has happened that lie in years to come."""
    now = seen.until
    if now is None or not _PAST & {*words_of(instants.name)} or instants.name in seen.times:
        return
    mask = instants.present & (instants.values > now + DAY) & (instants.values < now + 365 * 500 * DAY)
    days = np.unique(instants.values[mask] // DAY)
    count, present = int(mask.sum()), int(instants.present.sum())
    if not 0 < count <= _SELDOM * present or (days.size == 1 and count > 1):
        return
    last = np.datetime64(now + DAY, "us").astype("datetime64[D]")
    where = f"{column(instants.name)} >= cast('{last}' as timestamp)"
    latest = np.datetime64(int(instants.values[mask].max()), "us").astype("datetime64[D]")
    yield tell(
        seen,
        Found(
            code="quality.impossible-value",
            columns=(instants.name,),
            what=f"{instants.name} lies in the future in {count} rows "
            f"({share_of(count, present)}), up to {latest}",
            risk="ages and spans that are counted from it are negative",
            where=where,
            mask=mask,
            mend={"drop": where, "reason": f"{instants.name} lies in the future"},
            leave="when the date is one that was planned",
            strength=2 + np.log10(count),
        ),
    )


def explained(seen: Seen, mask: Mask) -> bool:
    """Tell whether a category explains the rows: nearly all are in levels that are mostly marked."""
    for codes, levels in seen.looked.segments.values():
        inside = np.bincount(codes[codes >= 0], weights=mask[codes >= 0], minlength=len(levels))
        sizes = np.maximum(1, np.bincount(codes[codes >= 0], minlength=len(levels)))
        if inside[inside / sizes > 0.5].sum() > 0.8 * mask.sum():
            return True
    return False


def _numbers(seen: Seen, numbers: Numbers, *, mask: Mask, where: str, why: str) -> Trouble:
    count = int(mask.sum())
    some = numbers.values[mask]
    shown = (
        f"from {figure(some.min())} to {figure(some.max())}" if some.min() < some.max() else figure(some[0])
    )
    return tell(
        seen,
        Found(
            code="quality.impossible-value",
            columns=(numbers.name,),
            what=f"{numbers.name} is {shown} in {count} rows ({share_of(count, numbers.present)}); {why}",
            risk="what can't be true teaches a model what isn't",
            where=where,
            mask=mask,
            mend={"drop": where, "reason": f"{numbers.name} can't be that"},
            leave="when the number means something else, as a refund does",
            strength=2 + np.log10(count),
        ),
    )
