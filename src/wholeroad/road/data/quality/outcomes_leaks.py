"""Columns that tell the outcome too well: by their values, by having none, or by changing after it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.features.specs import Derived
from wholeroad.road.data.profile_leaks import auc
from wholeroad.road.data.quality.outcomes_told import CameTrue, came_true
from wholeroad.road.data.quality.seen import CASE, Seen
from wholeroad.road.data.quality.times_runs import FAMILY
from wholeroad.road.data.quality.times_telling import tell_of_time
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_telling import Found, column, tell

Flags = NDArray[np.bool_]

_LEAST: Final = 20
_SURE: Final = 0.95
"""An AUC that hardly any honest column reaches by itself."""
_FAR: Final = 0.78
"""An AUC that is too good when it is far above that of every other column."""
_AHEAD: Final = 0.1
_MOST: Final = 60_000
_LEVELS: Final = 200
_POINTS: Final = 0.06
_ODDS: Final = 1.6
_WEEKS: Final = 8


@dataclass(frozen=True, slots=True)
class _Column:
    """A column, or a feature, as known when cases were decided."""

    name: str
    columns: tuple[str, ...]
    values: pl.Series
    auc: float


def find_leaks_of(seen: Seen) -> Iterator[Trouble]:
    """Find columns and features that tell the outcome by themselves.

    Measured by the area under the ROC curve (Hanley and McNeil 1982, Radiology 143), on what was known when
    the cases were decided: of numbers by their order, of words by the shares of the earlier half of the
    cases, counted on the later half (Kaufman, Rosset, Perlich and Stitelman 2012, Leakage in data mining, ACM
    Transactions on Knowledge Discovery from Data 6, section 4: what predicts surprisingly well). A column is
    too good near one, or where it is far ahead of every other.
    """
    if seen.history is None or not _before_outcome(seen):
        return
    came = came_true(seen.history)
    told = [*_columns(seen, came), *_features(seen, came)]
    told.sort(key=lambda each: -each.auc)
    honest = [each.auc for each in told if each.auc < _SURE]
    for place, each in enumerate(told):
        rest = max((one for one in honest if one != each.auc), default=0.5)
        if each.auc >= _SURE or (
            place == 0 and each.auc >= _FAR and each.auc - rest >= _AHEAD and len(told) > 2
        ):
            yield _leak(seen, each, came, rest=rest)


def find_missing_tells_outcome(seen: Seen) -> Iterator[Trouble]:
    """Find columns whose having no value goes with the outcome.

    The difference of the shares is taken within each month of cases and averaged, so that a gap in time
    isn't taken for a sign of the outcome (Cochran 1954, Some methods for strengthening the common chi-squared
    tests, Biometrics 10; Mantel and Haenszel 1959). The bar is Bonferroni's over the columns.
    """
    if seen.history is None or not _before_outcome(seen) or seen.decided is None:
        return
    came, frame = came_true(seen.history), seen.decided
    place = frame[CASE].to_numpy()
    sound = came.sound[place]
    part = _parts(came.decided_at[place])
    names = [name for name in seen.columns if 0 < frame[name].null_count() < frame.height]
    for name in names:
        gap = frame[name].is_null().to_numpy()
        found = _differs(gap[sound], came.hit[place][sound], part[sound], looks=len(seen.columns))
        if found is None:
            continue
        empty, filled, surety = found
        yield _missing(seen, name, came, said=(empty, filled), surety=surety)


def _before_outcome(seen: Seen) -> bool:
    """Whether the source isn't there to tell the outcome."""
    return seen.name != seen.brief.outcome.source or seen.name == seen.brief.case.source


def _skipped(seen: Seen) -> set[str]:
    truth = {name for name in seen.columns if seen.touches(name) == "truth"} if _own_truth(seen) else set()
    return {*seen.table.key, *seen.key_of_case, *truth}


def _own_truth(seen: Seen) -> bool:
    return seen.name == seen.brief.outcome.source


def _columns(seen: Seen, came: CameTrue) -> Iterator[_Column]:
    if seen.decided is None:
        return
    frame = seen.decided
    held = np.flatnonzero(came.sound[frame[CASE].to_numpy()])
    held = held[:: max(1, held.size // _MOST)]
    place = frame[CASE].to_numpy()[held]
    for name in seen.columns:
        if name in _skipped(seen) or name in seen.times:
            continue
        values = frame[name].gather(held)
        yield _Column(name, (name,), values, tells(values, came.hit[place], at=came.decided_at[place]))


def _features(seen: Seen, came: CameTrue) -> Iterator[_Column]:
    history = seen.history
    if history is None:
        return
    held = np.flatnonzero(came.sound)
    held = held[:: max(1, held.size // _MOST)]
    if held.size < 2 * _LEAST:
        return
    specs = [
        spec
        for spec in history.bound.features
        if (seen.name == seen.brief.case.source if isinstance(spec, Derived) else spec.source == seen.name)
        and seen.brief.feature[spec.name].column is None
    ]
    if not specs:
        return
    frame = history.features.take(held)
    for spec in specs:
        used = spec.expression.columns if isinstance(spec, Derived) else _read(spec)
        values = frame[spec.name]
        own = tuple(name for name in used if name in seen.columns)
        yield _Column(spec.name, own, values, tells(values, came.hit[held], at=came.decided_at[held]))


def _read(spec: object) -> tuple[str, ...]:
    value = getattr(spec, "value", None)
    return tuple(value.columns) if value is not None else (str(getattr(spec, "column", "")),)


def tells(values: pl.Series, hit: Flags, *, at: NDArray[np.int64]) -> float:
    """Give how well a column tells the outcome by itself: an AUC, 0.5 to 1, over the rows that have a value.

    Parameters
    ----------
    values
        n rows.
    hit, at
        Shape (n,): the outcome, and when the case was decided.
    """
    filled = values.is_not_null().to_numpy()
    values, hit, at = values.filter(pl.Series(filled)), hit[filled], at[filled]
    if min(int(hit.sum()), int((~hit).sum())) < _LEAST:
        return 0.5
    best = 0.5
    if values.dtype.is_numeric() or values.dtype == pl.Boolean or values.dtype.is_temporal():
        numbers = values.to_physical().cast(pl.Float64).fill_nan(0.0).to_numpy()
        best = 0.5 + abs(auc(numbers, hit) - 0.5)
    words = values.cast(pl.String) if values.dtype.is_numeric() or values.dtype == pl.Boolean else values
    if words.dtype == pl.String and words.n_unique() <= min(_LEVELS, len(words) // 20):
        best = max(best, _by_words(words, hit, at))
    return best


def _by_words(words: pl.Series, hit: Flags, at: NDArray[np.int64]) -> float:
    early = at < np.median(at)
    if early.all() or not early.any():
        early = np.arange(at.size) % 2 == 0
    base = float(hit[early].mean())
    learnt = (
        pl.DataFrame({"word": words.filter(pl.Series(early)), "hit": hit[early]})
        .group_by("word")
        .agg(((pl.col("hit").sum() + base) / (pl.len() + 1)).alias("share"))
    )
    asked = pl.DataFrame({"word": words.filter(pl.Series(~early))})
    shares = asked.join(learnt, on="word", how="left", maintain_order="left")["share"]
    return auc(shares.fill_null(base).to_numpy(), hit[~early])


def _parts(at: NDArray[np.int64], most: int = 10) -> NDArray[np.int64]:
    """Put cases into parts of time with about as many cases each."""
    ranks = np.argsort(np.argsort(at, kind="stable"), kind="stable")
    return np.asarray(ranks * most // max(1, at.size))


def _differs(
    gap: Flags, hit: Flags, part: NDArray[np.int64], *, looks: int
) -> tuple[float, float, float] | None:
    """Give the share of hits among rows without and with a value, and how sure it is that they differ."""
    if min(int(gap.sum()), int((~gap).sum())) < _LEAST:
        return None
    parts = int(part.max()) + 1
    n1, n0 = np.bincount(part[gap], minlength=parts), np.bincount(part[~gap], minlength=parts)
    k1 = np.bincount(part[gap], weights=hit[gap], minlength=parts)
    k0 = np.bincount(part[~gap], weights=hit[~gap], minlength=parts)
    n = n1 + n0
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return None
    n1, n0, k1, k0, n = n1[both], n0[both], k1[both], k0[both], n[both]
    rate = (k1 + k0) / n
    surplus = float((k1 - n1 * rate).sum())
    variance = float((n1 * n0 * rate * (1 - rate) / np.maximum(n - 1, 1)).sum())
    if variance <= 0:
        return None
    weight = n1 * n0 / n
    difference = float((weight * (k1 / n1 - k0 / n0)).sum() / weight.sum())
    bar = math.log(max(looks, 1)) - math.log(FAMILY) + math.log(2)
    surety = surplus**2 / variance / 2 / bar
    filled = float(hit[~gap].mean())
    empty = min(max(filled + difference, 0.0), 1.0)
    low, high = (min(max(each, 0.002), 0.998) for each in sorted((empty, filled)))
    odds = high / (1 - high) * (1 - low) / low
    if surety < 1 or abs(difference) < _POINTS or odds < _ODDS:
        return None
    return empty, filled, surety


def _leak(seen: Seen, each: _Column, came: CameTrue, *, rest: float) -> Trouble:
    feature = "" if each.columns == (each.name,) else f"feature {each.name} of "
    columns = each.columns or ()
    mask = (
        seen.rows[columns[0]].is_not_null().to_numpy() if columns else np.ones(seen.rows.height, dtype=bool)
    )
    where = f"{column(columns[0])} is not null" if columns else "all rows"
    return tell(
        seen,
        Found(
            code="quality.leak",
            columns=columns,
            what=f"{feature}{', '.join(columns) or seen.name} by itself tells {came.name} with an AUC of "
            f"{each.auc:.3f} (1 is perfect); the next best of {seen.name} reaches {rest:.3f}",
            risk="if it is written after the outcome, a model that uses it is brilliant in rehearsal and "
            "blind when it is live",
            where=where,
            mask=mask,
            mend="find out when it is written; if after the decision, take it out of [feature], or give "
            "it a source of its own whose known_at says when",
            leave="when it is really known before the decision: then a rule by it alone may be all that "
            "is needed",
            strength=each.auc / (_SURE if each.auc >= _SURE else _FAR),
        ),
    )


def _missing(seen: Seen, name: str, came: CameTrue, *, said: tuple[float, float], surety: float) -> Trouble:
    empty, filled = said
    numeric = seen.rows.schema[name].is_numeric()
    return tell_of_time(
        seen,
        Found(
            code="quality.missing-tells-outcome",
            columns=(name,),
            what=f"where {name} has no value, {empty:.1%} of the cases are {came.name}, otherwise "
            f"{filled:.1%}",
            risk="if it stays empty because of how the case turned out, the gap gives the outcome away "
            "and is filled when it is live; if not, rows that are left out for it are a bias",
            where=f"{column(name)} is null",
            mask=seen.rows[name].is_null().to_numpy(),
            mend={"fill": name, "with": 0, "flag": f"{name}_missing"}
            if numeric
            else "find out when it is filled in; if after the decision, take it out of [feature]",
            leave="when it is empty for a reason that is known before the decision: then the gap is a "
            "feature, and a flag says it",
            strength=surety,
        ),
    )
