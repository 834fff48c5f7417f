"""Two columns whose values changed places in some rows.

Two ways to see it. Where the two columns hold different things, a row is swapped when each of its two
values is foreign to its own column and at home in the other. Where one is never less than the other, a row
is swapped when it is, and by as much as the others are the other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final, Literal

import numpy as np

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_chance import alike
from wholeroad.road.data.quality.values_columns import Floats, Mask, Texts, spread_over
from wholeroad.road.data.quality.values_names import paired
from wholeroad.road.data.quality.values_telling import Found, column, literal, share_of, tell

_MOST: Final = 0.25
"""Of more rows nobody can say which way is right."""
_LEAST: Final = 4
_SCREENED: Final = 20_000
"""Rows that tell quickly whether a pair is worth a look."""


def find_swapped_columns(seen: Seen) -> Iterator[Trouble]:
    """Find pairs of columns that changed places in some rows."""
    numbers = {
        each.name: each.cleared
        for each in seen.looked.numbers.values()
        if not each.identifies and each.sound[0].size >= 20
    }
    instants = {
        each.name: np.where(each.present, each.values.astype(np.float64), np.nan)
        for each in seen.looked.instants.values()
        if each.name not in seen.known_columns
    }
    some = spread_over(seen.rows.height, _SCREENED)
    for group in (numbers, instants):
        for one, other in combinations(group, 2):
            named = paired(one, other)
            if _judged(group[one][some], group[other][some], named=named) is None:
                continue
            yield from _of_numbers(seen, one, other, values=(group[one], group[other]))
    texts = [
        each for each in seen.looked.texts.values() if not each.identifies and 2 <= len(each.levels) <= 5_000
    ]
    for first, second in combinations(texts, 2):
        yield from _of_texts(seen, first, second)


def _of_numbers(seen: Seen, one: str, other: str, *, values: tuple[Floats, Floats]) -> Iterator[Trouble]:
    how = _judged(*values, named=paired(one, other))
    if how is None:
        return
    first, second = values
    with np.errstate(invalid="ignore"):
        if how == "foreign":
            own, far = _inside(first), _inside(second)
            dated = one in seen.looked.instants
            where = f"{_within(one, far, dated=dated)} and {_within(other, own, dated=dated)}"
            mask, said = _foreign(first, second), "each is at home in the other column"
        elif how == "less":
            where, mask = f"{column(other)} < {column(one)}", second < first
            said = f"{other} is never less than {one} elsewhere"
        else:
            where, mask = f"{column(one)} < {column(other)}", first < second
            said = f"{one} is never less than {other} elsewhere"
    yield _told(seen, (one, other), mask=mask, where=where, how=said)


def _judged(first: Floats, second: Floats, *, named: bool) -> Literal["foreign", "less", "greater"] | None:
    """Tell how a pair changed places in some rows: foreign to their columns, or in the wrong order."""
    with np.errstate(invalid="ignore"):
        less, more = second < first, second > first
    both = int(np.isfinite(first - second).sum())
    if both < 100 or not 0 < min(less.sum(), more.sum()) <= _MOST * max(less.sum(), more.sum()):
        return None
    foreign = int(_foreign(first, second).sum())
    if _LEAST <= foreign <= _MOST * both:
        return "foreign"
    how: Literal["less", "greater"] = "less"
    if less.sum() > more.sum():
        less, more, how = more, less, "greater"
    apart = np.abs(second - first)
    if not _mirrored(apart[less], apart[more], named=named):
        return None
    return how if _at_home(first, second, less) and _at_home(second, first, less) else None


def _foreign(first: Floats, second: Floats) -> Mask:
    """Mark rows in which each value lies outside of its own column's bulk and inside of the other's."""
    own, far = _inside(first), _inside(second)
    apart = own[1] < far[0] or far[1] < own[0]
    if not apart:
        return np.zeros(first.size, dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.asarray((second >= own[0]) & (second <= own[1]) & (first >= far[0]) & (first <= far[1]))


def _within(name: str, ends: tuple[float, float], *, dated: bool) -> str:
    if dated:
        low, high = (str(np.datetime64(int(end), "us"))[:19] + "Z" for end in ends)
        return (
            f"{column(name)} >= cast('{low}' as timestamp) and {column(name)} <= cast('{high}' as timestamp)"
        )
    return f"{column(name)} >= {literal(ends[0])} and {column(name)} <= {literal(ends[1])}"


def _at_home(values: Floats, other: Floats, rows: Mask) -> bool:
    """Tell whether the rows' values would be ordinary ones in the other column."""
    if not rows.any():
        return False
    low, high = np.nanquantile(np.where(rows, np.nan, other), [0.001, 0.999])
    some = values[rows]
    return bool(((some >= low) & (some <= high)).mean() >= 0.9)


def _inside(values: Floats) -> tuple[float, float]:
    """Give where the bulk of a column lies: four robust deviations about its median."""
    middle = float(np.nanmedian(values))
    spread = 1.4826 * float(np.nanmedian(np.abs(values - middle)))
    return middle - 4 * spread, middle + 4 * spread


def _mirrored(less: Floats, more: Floats, *, named: bool) -> bool:
    """Tell whether rows in the wrong order are the others, mirrored, and not noise about equal."""
    if less.size < _LEAST or less.size > _MOST * more.size:
        return False
    small = float(np.quantile(more, 0.02))
    tiny = float((less < small).mean())
    ratio = float(np.median(less)) / max(float(np.median(more)), 1e-300)
    usual = 0.5 <= ratio <= 2.0 and alike(less, more, slack=0.08)
    return usual and (tiny <= 0.1 or named) and less.size <= (_MOST if named else 0.15) * more.size


def _of_texts(seen: Seen, first: Texts, second: Texts) -> Iterator[Trouble]:
    """Find rows whose two texts are each frequent in the other column, and rare in their own."""
    shared = {*first.levels} & {*second.levels}
    if not shared:
        return
    own = dict(zip(first.levels, first.counts.tolist(), strict=True))
    far = dict(zip(second.levels, second.counts.tolist(), strict=True))
    at_home_there = [level for level in shared if far[level] > 2 * own[level]]
    at_home_here = [level for level in shared if own[level] > 2 * far[level]]
    if not at_home_there or not at_home_here:
        return
    mask = (
        (first.values.is_in(at_home_there) & second.values.is_in(at_home_here))
        .fill_null(value=False)
        .to_numpy()
    )
    foreign = first.values.is_in(at_home_there).fill_null(value=False).sum()
    strays = second.values.is_in(at_home_here).fill_null(value=False).sum()
    count = int(mask.sum())
    if count < _LEAST or count > _MOST * mask.size or count < 0.5 * max(int(foreign), int(strays)):
        return
    where = f"rows where {first.name} is a level of {second.name} and {second.name} one of {first.name}"
    if len(at_home_there) <= 40:
        listed = ", ".join("'" + level.replace("'", "''") + "'" for level in sorted(at_home_there))
        where = f"{column(first.name)} in ({listed})"
    yield _told(
        seen, (first.name, second.name), mask=mask, where=where, how="each is a level of the other column"
    )


def _told(seen: Seen, names: tuple[str, str], *, mask: Mask, where: str, how: str) -> Trouble:
    one, other = names
    count = int(mask.sum())
    written = not where.startswith("rows ")
    return tell(
        seen,
        Found(
            code="quality.swapped-columns",
            columns=names,
            what=f"{one} and {other} seem to have changed places in {count} rows "
            f"({share_of(count, mask.size)}): {how}",
            risk="both values are wrong there, though each looks fine by itself",
            where=where,
            mask=mask,
            mend={"drop": where, "reason": f"{one} and {other} changed places"} if written else "",
            leave="when the order may be the other way, as of a refund",
            strength=2 + np.log10(count),
        ),
    )
