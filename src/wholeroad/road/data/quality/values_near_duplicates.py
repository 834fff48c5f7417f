"""Rows that are alike but for spelling or a small number.

Pairs are looked for among rows that agree in two telling columns (blocking), and weighed by how rarely
chance makes rows agree so (Fellegi and Sunter 1969, A theory for record linkage, JASA 64, section 2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_chance import agreeing_pairs, agreement, too_many
from wholeroad.road.data.quality.values_duplicates import content_of
from wholeroad.road.data.quality.values_folding import distance_of, folded
from wholeroad.road.data.quality.values_telling import Found, figure, share_of, tell

Pairs = NDArray[np.int64]
"""Shape (pairs, 2): row numbers, the earlier first."""

_BLOCKED_BY: Final = 5
_BLOCKED_BY_OF_MANY: Final = 4
_MANY: Final = 200_000
_NEAR: Final = 0.03
"""Two numbers that differ by less than this share are near."""
_SECONDS: Final = 900
"""So far apart two stamps of one happening may be."""
_CROWD: Final = 4
"""Of rows that as many others agree with as this, none is paired."""
_MOST: Final = 400_000
_TYPED: Final = 2_000
"""Pairs whose texts are compared letter by letter."""


@dataclass(frozen=True, slots=True)
class _Agreement:
    """How pairs agree: shape (pairs,) each, by column."""

    same: dict[str, NDArray[np.bool_]]
    spelled: dict[str, NDArray[np.bool_]]
    near: dict[str, NDArray[np.bool_]]


def find_near_duplicates(seen: Seen) -> Iterator[Trouble]:
    """Find rows that are alike but for spelling, white space, or a small number."""
    columns = content_of(seen)
    rows = seen.rows
    if rows.height < 20 or len(columns) < 3:
        return
    codes = rows.select(_code(rows[name]).alias(name) for name in columns)
    alone = {name: agreement(codes[name]) for name in columns}
    blocked_by = _BLOCKED_BY_OF_MANY if rows.height > _MANY else _BLOCKED_BY
    pairs = _candidates(codes, sorted(columns, key=alone.__getitem__)[:blocked_by])
    if not pairs.shape[0]:
        return
    how = _compare(rows, codes, pairs)
    close = np.ones(pairs.shape[0], dtype=bool)
    for name in columns:
        close &= how.same[name] | how.spelled[name] | how.near[name]
    differing = sum(~how.same[name] for name in columns)
    close &= (differing >= 1) & (differing <= max(1, len(columns) // 2))
    if close.sum() < 3:
        return
    chance = _by_chance(rows, codes, how=how, close=close, alone=alone)
    later = np.unique(pairs[close, 1])
    if not too_many(later.size, 5 * chance + 0.05):
        return
    mask = np.zeros(rows.height, dtype=bool)
    mask[later] = True
    exact = [name for name in columns if how.same[name][close].all()]
    differ = [name for name in columns if name not in exact]
    again = codes.select(exact).hash_rows().is_duplicated().sum() if exact else rows.height
    yield tell(
        seen,
        Found(
            code="quality.near-duplicates",
            columns=(),
            what=f"{later.size} rows ({share_of(later.size, rows.height)}) say nearly the same as an earlier "
            f"one under another key; they differ a little in {', '.join(differ[:4])}; chance would "
            f"make about {figure(chance)}",
            risk="a thing that was written down twice counts twice, in windows, in money and in the evidence",
            where=f"rows that agree with an earlier one in {', '.join(exact)} "
            f"and nearly in {', '.join(differ)}",
            mask=mask,
            mend={"deduplicate": exact} if again <= 2.2 * later.size + 3 and not seen.corrected else "",
            leave="when they are two measurements of one thing, each of which counts",
            strength=math.log10(1 + later.size / (chance + 0.1)),
            shown=tuple(columns),
        ),
    )


def _code(column: pl.Series) -> pl.Series:
    return folded(column).hash(seed=7) if column.dtype == pl.String else column.hash(seed=7)


def _candidates(codes: pl.DataFrame, telling: list[str]) -> Pairs:
    """Pair rows that agree in two telling columns, where few do."""
    found: list[Pairs] = []
    for two in combinations(telling, 2):
        block = codes.select(two).hash_rows(seed=7)
        order = block.arg_sort().to_numpy().astype(np.int64)
        sorted_block = block.to_numpy()[order]
        crowded = np.zeros(order.size, dtype=bool)
        crowded[:-_CROWD] = sorted_block[_CROWD:] == sorted_block[:-_CROWD]
        for step in (1, 2):
            same = (sorted_block[step:] == sorted_block[:-step]) & ~crowded[:-step]
            found.append(np.stack([order[:-step][same], order[step:][same]], axis=1))
    pairs = np.sort(np.concatenate(found), axis=1) if found else np.empty((0, 2), np.int64)
    return np.unique(pairs, axis=0)[:_MOST]


def _compare(rows: pl.DataFrame, codes: pl.DataFrame, pairs: Pairs) -> _Agreement:
    how = _Agreement({}, {}, {})
    left, right = pl.Series(pairs[:, 0]), pl.Series(pairs[:, 1])
    doubtful = np.zeros(pairs.shape[0], dtype=bool)
    for name in codes.columns:
        one, other = rows[name].gather(left), rows[name].gather(right)
        same = one.eq_missing(other).to_numpy()
        how.same[name] = same
        how.spelled[name] = (codes[name].gather(left) == codes[name].gather(right)).to_numpy() & ~same
        how.near[name] = _near(one, other) & ~same
    texts = [name for name in codes.columns if rows.schema[name] == pl.String]
    for name in codes.columns:
        if name not in texts:
            doubtful |= ~(how.same[name] | how.near[name])
    for name in texts:
        open_ = np.flatnonzero(~doubtful & ~how.same[name] & ~how.spelled[name])[:_TYPED]
        values = zip(
            rows[name].gather(left.gather(open_)), rows[name].gather(right.gather(open_)), strict=True
        )
        close = [
            one is not None
            and other is not None
            and min(len(one), len(other)) >= 4
            and distance_of(one, other, most=2) <= 2
            for one, other in values
        ]
        how.near[name][open_] = close
    return how


def _near(one: pl.Series, other: pl.Series) -> NDArray[np.bool_]:
    if one.dtype.is_float() or one.dtype.is_integer():
        first, second = (each.cast(pl.Float64).fill_null(float("nan")).to_numpy() for each in (one, other))
        apart = np.abs(first - second)
        rounded = (apart <= 0.5) & ((first == np.round(first)) | (second == np.round(second)))
        rounded &= np.maximum(np.abs(first), np.abs(second)) >= 1
        return np.asarray((apart <= _NEAR * np.maximum(np.abs(first), np.abs(second))) | rounded)
    if isinstance(one.dtype, pl.Datetime):
        apart = (one - other).dt.total_seconds().abs()
        return (apart <= _SECONDS).fill_null(value=False).to_numpy()
    return np.zeros(len(one), dtype=bool)


def _by_chance(
    rows: pl.DataFrame,
    codes: pl.DataFrame,
    *,
    how: _Agreement,
    close: NDArray[np.bool_],
    alone: dict[str, float],
) -> float:
    """Give how many such pairs chance makes, by the columns in which they agree.

    Among rows that agree in all of these but the most telling one, so many agree in that one as any do;
    in the others a pair is near as often as random rows are: counted for instants, taken for once in ten
    for others.
    """
    nearness = {name: _nearness(rows[name]) for name in codes.columns}
    kinds = np.stack([how.same[name] | how.spelled[name] for name in codes.columns], axis=1)[close]
    patterns, counts = np.unique(kinds, axis=0, return_counts=True)
    total = 0.0
    for place in np.argsort(-counts)[:6]:
        agreed = [name for name, same in zip(codes.columns, patterns[place], strict=True) if same]
        if not agreed:
            return math.inf
        telling = min(agreed, key=alone.__getitem__)
        rest = [name for name in agreed if name != telling]
        near = math.prod(nearness[name] for name in codes.columns if name not in agreed)
        total += agreeing_pairs(codes, rest) * alone[telling] * near
    return total


def _nearness(column: pl.Series) -> float:
    if not isinstance(column.dtype, pl.Datetime):
        return 0.1
    at = np.sort(column.drop_nulls().to_physical().to_numpy())
    after = np.searchsorted(at, at + _SECONDS * 1_000_000, side="right") - np.arange(at.size) - 1
    return float(after.sum() / max(1.0, at.size * (at.size - 1) / 2))
