"""What each source and column looks like, as plain numbers for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Touches
from wholeroad.road.data.versions import HAPPENED

BINS: Final = 24
TOP: Final = 8
"""Most frequent values that are shown of a column of texts."""
SPANS: Final = 52
"""Parts of time over which missing values are counted."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from ``low`` up to ``high``, and how many rows have one; both ends belong to the last bin.

    Of instants the ends are microseconds; of a text, a truth value or a rest the ends are NaN, and
    ``label`` names it.
    """

    label: str
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column.

    Attributes
    ----------
    kind
        ``text``, ``integer``, ``number``, ``boolean``, ``date`` or ``instant``.
    nulls, distinct
        Rows without a value; different values.
    least, middle, greatest
        Of what has an order, as text; empty otherwise.
    bins
        Of numbers and instants equal widths between the 0.5 % and the 99.5 % quantile, the ends with all
        beyond them; of others the most frequent values, then the rest.
    missing
        Share of nulls in each of up to :data:`SPANS` parts of time, of equal length; empty without time.
    touches
        The gravest use that the brief makes of it.
    """

    name: str
    kind: str
    nulls: int
    distinct: int
    least: str
    middle: str
    greatest: str
    bins: tuple[Bin, ...]
    missing: tuple[float, ...]
    touches: Touches


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One source.

    Attributes
    ----------
    rows, versions
        Keys that stand, and all their versions, among those that were looked at.
    share
        Share of the keys that was looked at, 0 to 1.
    from_at, to_at
        When the first and the last row happened; None without time.
    """

    name: str
    rows: int
    versions: int
    share: float
    from_at: Instant | None
    to_at: Instant | None
    columns: tuple[ColumnSummary, ...]


def summarise(seen: Seen) -> SourceSummary:
    """Sum up a source."""
    rows = seen.rows
    happened = rows[HAPPENED].drop_nulls() if seen.timed else pl.Series(dtype=INSTANT)
    part = _parts(rows, seen)
    return SourceSummary(
        name=seen.name,
        rows=rows.height,
        versions=seen.versions.frame.height,
        share=seen.share,
        from_at=int(happened.to_physical().min()) if len(happened) else None,  # type: ignore[arg-type]
        to_at=int(happened.to_physical().max()) if len(happened) else None,  # type: ignore[arg-type]
        columns=tuple(_column(rows[name], part, seen.touches(name)) for name in seen.columns),
    )


def _parts(rows: pl.DataFrame, seen: Seen) -> pl.Series | None:
    """Give the part of time that each row happened in."""
    if not seen.timed or not rows.height:
        return None
    at = rows[HAPPENED].to_physical()
    low, high = at.min(), at.max()
    if low is None or high is None or low == high:
        return None
    return ((at - low) * SPANS // (high - low + 1)).cast(pl.Int32).alias("part")  # type: ignore[operator]


def _column(column: pl.Series, part: pl.Series | None, touches: Touches) -> ColumnSummary:
    values = column.drop_nulls()
    ordered = column.dtype.is_numeric() or column.dtype.is_temporal()
    least, middle, greatest = _span(values) if ordered and len(values) else ("", "", "")
    missing: tuple[float, ...] = ()
    if part is not None:
        shares = pl.DataFrame([part, column.is_null().alias("null")]).group_by("part").agg(pl.mean("null"))
        by_part = dict(shares.drop_nulls().iter_rows())
        missing = tuple(float(by_part.get(each, np.nan)) for each in range(SPANS))
    return ColumnSummary(
        name=column.name,
        kind=_kind(column.dtype),
        nulls=column.null_count(),
        distinct=values.n_unique(),
        least=least,
        middle=middle,
        greatest=greatest,
        bins=_even(values) if ordered and values.n_unique() > TOP else _frequent(values),
        missing=missing,
        touches=touches,
    )


def _span(values: pl.Series) -> tuple[str, str, str]:
    in_order = values.sort()
    shown = (in_order[0], in_order[len(in_order) // 2], in_order[-1])
    if values.dtype.is_temporal():
        return tuple(str(each)[:16] for each in shown)  # type: ignore[return-value]
    return tuple(f"{each:,.6g}" for each in shown)  # type: ignore[return-value]


def _even(values: pl.Series) -> tuple[Bin, ...]:
    numbers = values.cast(INSTANT).to_physical() if values.dtype == pl.Date else values.to_physical()
    array = numbers.cast(pl.Float64).to_numpy()
    low, high = np.quantile(array, [0.005, 0.995])
    if low == high:
        low, high = array.min(), array.max()
    edges = np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(array, low, high), bins=edges)
    return tuple(
        Bin("", float(edges[place]), float(edges[place + 1]), int(rows)) for place, rows in enumerate(counts)
    )


def _frequent(values: pl.Series) -> tuple[Bin, ...]:
    counts = (
        values.cast(pl.String).alias("value").value_counts().sort("count", "value", descending=[True, False])
    )
    top = [Bin(str(value), np.nan, np.nan, rows) for value, rows in counts.head(TOP).iter_rows()]
    rest = int(counts[TOP:]["count"].sum())
    return (*top, Bin(f"{counts.height - TOP:,} others", np.nan, np.nan, rest)) if rest else tuple(top)


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    return "date" if dtype == pl.Date else "instant" if dtype.is_temporal() else "text"
