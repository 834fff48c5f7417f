"""Which columns tell the outcome too well to have been known before it, measured on the data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.profile import Profile, words_of

_NEAR_ONE: Final = 0.97
"""An AUC that hardly any honest column reaches by itself."""

_NAMED_ALIKE: Final = 0.80
"""An AUC that is too good for a column that is called like the outcome."""

_PURE: Final = 0.99
_LEAST: Final = 10
_LEAST_PURE: Final = 30
_COVERS: Final = 0.2
_SEEN: Final = 200_000
_CATEGORIES: Final = 50


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that tells the outcome too well to have been known before it.

    Attributes
    ----------
    auc
        Of the column by itself: 0.5 is chance, 1 is perfect.
    said
        A sentence with the figure.
    """

    column: str
    auc: float
    said: str


def find_leaks(seen: Profile, hit: pl.Series, *, outcome: str, columns: Collection[str]) -> tuple[Leak, ...]:
    """Find the columns that tell the outcome by themselves.

    Measured on the rows whose outcome is known: the AUC of a number by its order, of a text by the
    shares of one half of the rows on the other half, and of whether there is a value; and values that go with
    the one to catch alone.

    Parameters
    ----------
    hit
        From :func:`hits`.
    outcome
        Its column; what is called like it is judged more strictly.
    columns
        What may become a feature.
    """
    known = np.flatnonzero(hit.is_not_null().to_numpy())
    known = known[:: max(1, known.size // _SEEN)]
    truth = hit.gather(known).to_numpy().astype(bool)
    if min(truth.sum(), (~truth).sum()) < _LEAST:
        return ()
    found = []
    for name in columns:
        leak = _leak(seen.frame[name].gather(known), truth, alike=_alike(name, outcome), outcome=outcome)
        if leak is not None:
            found.append(leak)
    return tuple(sorted(found, key=lambda each: -each.auc))


def auc(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Give the area under the ROC curve: the chance that a hit scores above another row (ties half).

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology 143 (1982).
    """
    ranks = pl.Series(score).rank("average").to_numpy()
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not (positives and negatives):
        return 0.5
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _leak(column: pl.Series, truth: NDArray[np.bool_], *, alike: bool, outcome: str) -> Leak | None:
    name = column.name
    missing = column.is_null().to_numpy()
    if min(missing.sum(), (~missing).sum()) >= _LEAST:
        gap = auc(missing.astype(float), truth)
        if max(gap, 1 - gap) >= _NEAR_ONE:
            agree = float((missing == truth).mean())
            side, agree = ("empty", agree) if gap > 0.5 else ("filled", 1 - agree)
            text = f"{name} is {side} just where {outcome} is the one to catch: {agree:.1%} of the rows agree"
            return Leak(name, max(gap, 1 - gap), text)
    best = _tells(column, truth)
    if best >= (_NAMED_ALIKE if alike else _NEAR_ONE):
        too = ", and it is called like it" if alike and best < _NEAR_ONE else ""
        text = f"{name} by itself tells {outcome} with an AUC of {best:.3f} (1 is perfect){too}"
        return Leak(name, best, text)
    return _pure(column, truth, outcome)


def _tells(column: pl.Series, truth: NDArray[np.bool_]) -> float:
    best = 0.5
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        filled = column.is_not_null().to_numpy()
        numbers = column.cast(pl.Float64).fill_null(0.0).to_numpy()[filled]
        if min(truth[filled].sum(), (~truth[filled]).sum()) >= _LEAST:
            area = auc(numbers, truth[filled]) if filled.all() else 0.5 + (auc(numbers, truth[filled]) - 0.5)
            # On the filled rows alone, weighed by how many of the hits they hold.
            held = float(truth[filled].sum() / truth.sum())
            best = 0.5 + abs(area - 0.5) * held
    if column.n_unique() <= max(_CATEGORIES, len(column) // 20):
        best = max(best, _by_shares(column, truth))
    return best


def _by_shares(column: pl.Series, truth: NDArray[np.bool_]) -> float:
    half = np.arange(truth.size) % 2 == 0
    base = float(truth[half].mean())
    learnt = (
        pl.DataFrame({"value": column.filter(half).cast(pl.String), "hit": truth[half]})
        .group_by("value")
        .agg(((pl.col("hit").sum() + base) / (pl.len() + 1)).alias("share"))
    )
    asked = pl.DataFrame({"value": column.filter(~half).cast(pl.String)})
    scores = asked.join(learnt, on="value", how="left", nulls_equal=True, maintain_order="left")["share"]
    return auc(scores.fill_null(base).to_numpy(), truth[~half])


def _pure(column: pl.Series, truth: NDArray[np.bool_], outcome: str) -> Leak | None:
    if column.dtype.is_float() or column.n_unique() > _CATEGORIES or truth.mean() > 0.5:
        return None
    shares = (
        pl.DataFrame({"value": column.cast(pl.String), "hit": truth})
        .drop_nulls("value")
        .group_by("value")
        .agg(pl.len().alias("rows"), pl.col("hit").sum().alias("hits"))
        .filter(
            (pl.col("rows") >= _LEAST_PURE)
            & (pl.col("hits") >= _PURE * pl.col("rows"))
            & (pl.col("hits") >= _COVERS * int(truth.sum()))
        )
        .sort("hits", "value", descending=[True, False])
    )
    if not shares.height:
        return None
    value, rows, hit = shares.row(0)
    text = (
        f"where {column.name} is {value!r}, {outcome} is the one to catch in {hit:,} of {rows:,} rows, "
        f"{hit / int(truth.sum()):.0%} of all there are"
    )
    return Leak(column.name, 0.5 + hit / (2 * int(truth.sum())), text)


def _alike(name: str, outcome: str) -> bool:
    stems = {word[:5] for word in words_of(outcome) if len(word) >= 4}
    return any(word[:5] in stems for word in words_of(name))
