"""Columns that say nothing: the same in all rows, or what another column says already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Floats, Mask, Numbers, spread_over
from wholeroad.road.data.quality.values_telling import Found, column, figure, literal, plain, share_of, tell

_ALMOST: Final = 0.99
"""From this share of one value on, a column is nearly constant; of one with two values, it takes more."""
_ALMOST_OF_TWO: Final = 0.9965
_MOST: Final = 0.85
"""From this share of rows on, what two columns say is the same."""
_SAMPLED: Final = 2_000
_LEVELS: Final = 80


def find_constant_columns(seen: Seen) -> Iterator[Trouble]:
    """Find columns with one value in all rows, or nearly all, or none at all."""
    rows = seen.rows
    if rows.height < 50:
        return
    for name in seen.columns:
        if name in seen.table.key or name in seen.times or seen.touched[name] == "truth":
            continue
        value, count, distinct = _most_frequent(seen, name)
        bar = (
            1.0 if distinct < 2 else _ALMOST_OF_TWO if distinct == 2 and not _is_text(seen, name) else _ALMOST
        )
        if count < bar * rows.height:
            continue
        other = rows.height - count
        mask = rows[name].ne_missing(pl.lit(value, dtype=rows.schema[name])) if other else None
        shown = "empty" if value is None else repr(value) if isinstance(value, str) else str(value)
        features = ", ".join(place for place in seen.places.get(name, ()) if place.startswith("[feature]"))
        yield tell(
            seen,
            Found(
                code="quality.constant-column",
                columns=(name,),
                what=f"{name} is {shown} in "
                + (
                    "all rows"
                    if not other
                    else f"all but {other} of {rows.height} rows ({share_of(other, rows.height)})"
                ),
                risk="what is the same everywhere tells nothing, and a change may go unnoticed",
                where="all rows" if not other else _differs(name, value),
                mask=_rows_of(rows, mask),
                mend=f"leave {features} out of the brief" if features else "",
                leave="when the few rows that differ are what you are looking for",
                strength=count / rows.height * 2,
            ),
        )


def _most_frequent(seen: Seen, name: str) -> tuple[object, int, int]:
    numbers, texts = seen.looked.numbers.get(name), seen.looked.texts.get(name)
    if numbers is not None and numbers.present == numbers.values.size:
        place = int(numbers.counts.argmax())
        value = plain(numbers.levels[place])
        return value, int(numbers.counts[place]), numbers.levels.size
    if texts is not None and texts.present == len(texts.values) > 0:
        return texts.levels[0], int(texts.counts[0]), len(texts.levels)
    series = seen.rows[name]
    counted = series.value_counts(name="_count").sort("_count", name, descending=True)
    return counted[name][0], int(counted["_count"][0]), counted.height


def _is_text(seen: Seen, name: str) -> bool:
    return seen.rows.schema[name] == pl.String


def _differs(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{column(name)} = {str(not value).lower()}"
    if isinstance(value, int | float | str):
        return f"{column(name)} <> {literal(value)}"
    return f"{column(name)} is not null" if value is None else f"{name} is not {value}"


def _rows_of(rows: pl.DataFrame, mask: pl.Series | pl.Expr | None) -> Mask:
    if mask is None:
        return np.ones(rows.height, dtype=bool)
    return pl.select(mask).to_series().to_numpy() if isinstance(mask, pl.Expr) else mask.to_numpy()


@dataclass(frozen=True, slots=True)
class _Same:
    """Two columns that say the same: how, in how many rows, and where they don't."""

    copy: str
    original: str
    how: str
    differs: Mask
    where: str


def find_redundant_columns(seen: Seen) -> Iterator[Trouble]:
    """Find columns that are a copy, a multiple or a code of another, in nearly all rows."""
    looked, height = seen.looked, seen.rows.height
    left = {*seen.table.key, *seen.times}
    found: set[str] = set()
    numbers = [each for each in looked.numbers.values() if each.name not in left and each.levels.size > 1]
    texts = [each.name for each in looked.texts.values() if each.name not in left]
    places = spread_over(height, _SAMPLED)
    more = pl.Series(spread_over(height, 10 * _SAMPLED))
    if height < 50:
        return
    for first, second in combinations(numbers, 2):
        if second.name not in found and (same := _linear(first, second, places)) is not None:
            found.add(second.name)
            yield _told(seen, same)
    codes = {
        name: codes
        for name in seen.columns
        if name not in left | found and (codes := _codes(seen, name, more)) is not None
    }
    for one, other in combinations(codes, 2):
        if other not in found and _coded(codes[one], codes[other], names=(one, other)):
            same = _coded(seen.rows[one], seen.rows[other], names=(one, other))
            if same is None:
                continue
            found.add(other)
            yield _told(seen, same)
    for one, other in combinations([name for name in texts if name not in codes], 2):
        some = (seen.rows[one].gather(more) == seen.rows[other].gather(more)).fill_null(value=False)
        if (
            some.sum()
            < 0.5 * _MOST * len(more) * min(looked.texts[one].present, looked.texts[other].present) / height
        ):
            continue
        agrees = (seen.rows[one] == seen.rows[other]).fill_null(value=False)
        share = agrees.sum() / max(1, min(looked.texts[one].present, looked.texts[other].present))
        if other not in found and share >= _MOST and looked.texts[one].present >= 50:
            found.add(other)
            where = f"{column(other)} <> {column(one)}"
            yield _told(seen, _Same(other, one, "is a copy of", ~agrees.to_numpy(), where))


def _linear(first: Numbers, second: Numbers, places: NDArray[np.int64]) -> _Same | None:
    """Find a line that nearly all rows are on, by the median slope of rows far apart (Theil 1950)."""
    x, y = first.values[places], second.values[places]
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if x.size < 50 or _few(x) or _few(y):
        return None
    order = np.argsort(x, kind="stable")
    half = x.size // 2
    low, high = order[:half], order[-half:]
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = (y[high] - y[low]) / (x[high] - x[low])
    slopes = slopes[np.isfinite(slopes)]
    if slopes.size < 20:
        return None
    slope = float(np.median(slopes))
    if slope == 0:
        return None
    shift = float(np.median(y - slope * x))
    near = _grain(second.levels) + abs(slope) * _grain(first.levels)
    slope, shift = _refined(x, y, slope=slope, shift=shift, near=near)
    if _share_on(x, y, slope=slope, shift=shift, near=near) < _MOST - 0.05:
        return None
    both = np.isfinite(first.values) & np.isfinite(second.values)
    with np.errstate(invalid="ignore"):
        on = np.abs(second.values - slope * first.values - shift) <= _slack(first.values, slope, near)
    if on.sum() < _MOST * both.sum() or both.sum() < 0.8 * max(first.present, second.present):
        return None
    how = "is a copy of" if slope == 1 and shift == 0 else f"is {_line(slope, shift)} of"
    line = f"{literal(slope)} * {column(first.name)} + {literal(shift)}"
    where = f"abs({column(second.name)} - ({line})) > {literal(near)}"
    return _Same(second.name, first.name, how, both & ~on, where)


def _refined(x: Floats, y: Floats, *, slope: float, shift: float, near: float) -> tuple[float, float]:
    """Fit the line again through the rows that are near it, and write it as simply as they allow."""
    for reach in (20.0, 3.0, 1.0):
        on = np.abs(y - slope * x - shift) <= reach * _slack(x, slope, near) + 1e-12
        if on.sum() < 20:
            return slope, shift
        slope, shift = (float(each) for each in np.polyfit(x[on], y[on], 1))
    best = _share_on(x, y, slope=slope, shift=shift, near=near)
    for digits in (1, 2, 3, 4, 6):
        short = float(f"{slope:.{digits}g}")
        for level in (0.0, round(float(np.median(y - short * x)), 2)):
            if _share_on(x, y, slope=short, shift=level, near=near) >= best - 0.002:
                return short, level
    return slope, shift


def _slack(x: Floats, slope: float, near: float) -> Floats:
    return np.asarray(near + 1e-9 * np.abs(slope * x))


def _share_on(x: Floats, y: Floats, *, slope: float, shift: float, near: float) -> float:
    return float(np.mean(np.abs(y - slope * x - shift) <= _slack(x, slope, near)))


def _few(values: Floats) -> bool:
    counts = np.unique(values, return_counts=True)[1]
    return bool(counts.size < 10 or counts.max() > 0.5 * values.size)


def _grain(levels: Floats) -> float:
    """Give half the step in which numbers are written, from their decimals: 0.005 of 12.34."""
    for digits in range(7):
        if np.allclose(levels[:2_000], np.round(levels[:2_000], digits), rtol=0, atol=1e-9):
            return float(0.51 * 10.0**-digits)
    return 0.0


def _line(slope: float, shift: float) -> str:
    times = f"{figure(slope)} times"
    return times if not shift else f"{times} plus {figure(shift)}"


def _codes(seen: Seen, name: str, places: pl.Series) -> pl.Series | None:
    """Give a column of few levels as texts; None where it has many, or one level rules it."""
    series = seen.rows[name].gather(places)
    if series.dtype.is_temporal() or series.dtype == pl.Boolean:
        return None
    levels = series.n_unique()
    if not 3 <= levels <= _LEVELS or series.len() < 15 * levels:
        return None
    counts = series.drop_nulls().value_counts()["count"].to_numpy()
    if not counts.size or counts.max() > 0.9 * series.len():
        return None
    return series.cast(pl.String)


def _coded(one: pl.Series, other: pl.Series, *, names: tuple[str, str]) -> _Same | None:
    """Find whether levels of two columns go with each other one to one, but for few rows."""
    one, other = one.cast(pl.String), other.cast(pl.String)
    frame = pl.DataFrame({"one": one, "other": other}).drop_nulls()
    if frame.height < 50:
        return None
    pairs = frame.group_by("one", "other").len().sort("len", "one", "other", descending=[True, False, False])
    best, back = pairs.unique("one", keep="first"), pairs.unique("other", keep="first")
    paired = best.join(back, on=["one", "other"], how="inner")
    sizes = frame.group_by("one").len(name="all")
    own = paired.join(sizes, on="one").with_columns(share=pl.col("len") / pl.col("all"))
    if paired.height < 3 or paired["len"].sum() < _MOST * frame.height:
        return None
    if own.filter(pl.col("all") >= 30)["share"].min() < 0.6 or len(best) != len(paired):  # type: ignore[operator]
        return None
    goes = {(row["one"], row["other"]) for row in paired.iter_rows(named=True)}
    meant = one.replace_strict(dict(goes), default=None, return_dtype=pl.String)
    differs = (meant != other).fill_null(value=False).to_numpy()
    how = "is a copy of" if all(first == second for first, second in goes) else "is one to one with"
    where = f"rows where {names[1]} isn't the one that goes with {names[0]}"
    return _Same(names[1], names[0], how, differs, where)


def _told(seen: Seen, same: _Same) -> Trouble:
    height, differs = seen.rows.height, int(same.differs.sum())
    features = ", ".join(place for place in seen.places.get(same.copy, ()) if place.startswith("[feature]"))
    return tell(
        seen,
        Found(
            code="quality.redundant-column",
            columns=(same.copy, same.original),
            what=f"{same.copy} {same.how} {same.original}"
            + (
                f", but for {differs} rows ({share_of(differs, height)})"
                if differs
                else f" in all {height} rows"
            ),
            risk="it tells a model nothing more, and where the two differ nobody knows which is true",
            where=same.where if differs else "all rows",
            mask=same.differs if differs else np.ones(height, dtype=bool),
            mend=f"leave {features} out of the brief" if features else "",
            leave="when one is the check of the other; then look at the rows where they differ",
            strength=2 * (1 - differs / height),
        ),
    )
