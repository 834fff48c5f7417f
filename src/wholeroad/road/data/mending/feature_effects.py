"""What a mend, or any other change of the data, did to the features of the same cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.road.data.cases import ID
from wholeroad.road.data.history import History

_CHUNK: Final = 1 << 18
"""Cases whose features are looked at together."""


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """What became of a feature, over the cases that are decided with the mend and without it.

    Attributes
    ----------
    cases
        How many those are.
    changed
        Of how many the value differs.
    nulls_gone, nulls_come
        Cases that have a value now, and cases that have none any more.
    mean_before, mean_after
        Of numbers and truth values (the share that is true), over all those cases; None otherwise, and where
        there is no value.
    shift
        Of numbers: the difference of the means in standard deviations of the feature before. Of others: the
        share of cases that would have to change for one distribution to become the other (total variation),
        0 to 1. These are the same cases, counted, not a sample: there is no interval.
    """

    feature: str
    cases: int
    changed: int
    nulls_gone: int
    nulls_come: int
    mean_before: float | None
    mean_after: float | None
    shift: float | None


def feature_changes(before: History, after: History) -> list[FeatureChange]:
    """Compare the features of the cases that both histories decide, the most changed first.

    Cases are joined by key; features that only one of the two has are left out.
    """
    own = pl.DataFrame({ID: before.cases.frame[ID]}).with_row_index("before")
    other = pl.DataFrame({ID: after.cases.frame[ID]}).with_row_index("after")
    pairs = own.join(other, on=ID).sort("before")
    left, right = (pairs[name].cast(pl.Int64).to_numpy() for name in ("before", "after"))
    names = [name for name in before.features.schema if name in after.features.schema]
    counts = {name: _Counted() for name in names}
    for start in range(0, pairs.height, _CHUNK):
        part = slice(start, start + _CHUNK)
        was, now = before.features.take(left[part]), after.features.take(right[part])
        for name in names:
            counts[name].add(was[name], now[name])
    found = [counts[name].told(name) for name in names]
    return sorted(found, key=lambda change: (-change.changed, change.feature))


class _Counted:
    """One feature, counted a chunk of cases at a time."""

    def __init__(self) -> None:
        self._cases = self._changed = self._gone = self._come = 0
        self._before: list[pl.Series] = []
        self._after: list[pl.Series] = []

    def add(self, was: pl.Series, now: pl.Series) -> None:
        empty, emptied = was.is_null(), now.is_null()
        self._cases += len(was)
        self._changed += int(_other(was, now).sum())
        self._gone += int((empty & ~emptied).sum())
        self._come += int((~empty & emptied).sum())
        self._before.append(was)
        self._after.append(now)

    def told(self, name: str) -> FeatureChange:
        was, now = (pl.concat(parts) if parts else pl.Series() for parts in (self._before, self._after))
        return FeatureChange(
            name,
            self._cases,
            self._changed,
            self._gone,
            self._come,
            mean_before=_mean(was),
            mean_after=_mean(now),
            shift=_shift(was, now),
        )


def _other(was: pl.Series, now: pl.Series) -> pl.Series:
    if was.dtype == now.dtype:
        return was.ne_missing(now)
    if was.dtype.is_numeric() and now.dtype.is_numeric():
        return was.cast(pl.Float64).ne_missing(now.cast(pl.Float64))
    return was.cast(pl.String).ne_missing(now.cast(pl.String))


def _mean(values: pl.Series) -> float | None:
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean) or values.null_count() == len(values):
        return None
    return float(values.cast(pl.Float64).mean())  # type: ignore[arg-type]


def _shift(was: pl.Series, now: pl.Series) -> float | None:
    if was.null_count() == len(was) or now.null_count() == len(now):
        return None
    if was.dtype.is_numeric() and now.dtype.is_numeric():
        first, second = (one.drop_nulls().cast(pl.Float64).to_numpy() for one in (was, now))
        spread = float(np.std(first))
        return float((second.mean() - first.mean()) / spread) if spread > 0 else None
    shares = [
        one.cast(pl.String).alias("value").value_counts(normalize=True, name=side)
        for side, one in (("was", was), ("now", now))
    ]
    both = shares[0].join(shares[1], on="value", how="full", nulls_equal=True, coalesce=True).fill_null(0)
    return float((both["was"] - both["now"]).abs().sum()) / 2
