"""What whole batches may be promised to be: shares of empty values, age of the newest row, rows a day."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import DAY, UNITS, Span, format_span
from wholeroad.road.brief.source_contract import VolumeTable

_Z: Final = 3.29
"""Exceeded by chance once in 2,000 times."""

_SURE: Final = 300
"""Values, without an empty one among them, from which on none is expected to be empty."""

_GAPS: Final = 20
_PERIODS: Final = 14
_FILLS: Final = 0.1
"""Of a day or an hour: by then nine rows in ten are known."""


def propose_null_share(nulls: int, rows: int, *, batch: int) -> tuple[float, str] | None:
    """Propose how many values of a batch may be empty: the upper end of Wilson's interval at a batch's size.

    A batch's share varies around the whole's. The bound is the score interval of Wilson (1927, *Probable
    inference, the law of succession, and statistical inference*, JASA 22) for the share of all rows and the
    number of one batch: one batch in 2,000 is above it by chance. No empty value among 300 or more: none is
    allowed.

    Parameters
    ----------
    nulls, rows
        Of all that landed.
    batch
        Rows of a typical batch.

    Examples
    --------
    >>> propose_null_share(0, 10_000, batch=100)[0], propose_null_share(100, 10_000, batch=1_000)[0]
    (0.0, 0.027)
    """
    if not nulls:
        said = f"none of {rows:,} was empty"
        return (0.0, said) if rows >= _SURE else None
    share, size = nulls / rows, max(1, min(batch, rows))
    centre = share + _Z**2 / (2 * size)
    spread = _Z * math.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    upper = (centre + spread) / (1 + _Z**2 / size)
    digits = 10.0 ** (math.floor(math.log10(upper)) - 1)
    bound = min(1.0, round(math.ceil(upper / digits - 1e-9) * digits, 12))
    said = f"{share:.2%} of {rows:,} were empty; the bound is Wilson's for batches of {size:,}"
    return (bound, said) if bound < 1 else None


def propose_freshness(known: pl.Series) -> tuple[Span, str] | None:
    """Propose how old the newest row may be: twice the longest gap between instants of becoming known."""
    at = np.unique(known.drop_nulls().dt.epoch("us").to_numpy())
    if at.size <= _GAPS:
        return None
    gap = int(np.diff(at).max())
    return _up(2 * gap), f"the longest of {at.size - 1:,} gaps was {format_span(_up(gap))}; twice that"


def propose_volume(happened: pl.Series, known: pl.Series) -> tuple[VolumeTable, str] | None:
    """Propose how many rows a full day or hour has: half of the first percentile to twice the last one.

    Days where there are two weeks of them, hours otherwise; those without a row count too. Nothing is
    proposed where one row in ten becomes known later than a tenth of a day (an hour) after it happened: such
    a day is still filling up when it is over, and would seem to have too few.
    """
    at = happened.drop_nulls().dt.epoch("us").to_numpy()
    late = known.dt.epoch("us") - happened.dt.epoch("us")
    delay = float(late.quantile(0.9) or 0.0)
    for per, span in (("day", DAY), ("hour", UNITS["h"])):
        if delay > _FILLS * span:
            continue
        period = at // span
        if not at.size or period.max() - period.min() - 1 < _PERIODS:
            continue
        counts = np.bincount(period - period.min())[1:-1]
        few, many = np.quantile(counts, (0.01, 0.99), method="closest_observation")
        volume = VolumeTable(
            per="day" if per == "day" else "hour", least=int(few) // 2, most=max(1, _nice(2 * int(many)))
        )
        said = f"{counts.size:,} full {per}s had {int(counts.min()):,} to {int(counts.max()):,} rows"
        return volume, f"{said}; half of the 1st percentile to twice the 99th"
    return None


def typical_batch(happened: pl.Series | None, rows: int) -> int:
    """Guess how many rows a batch has: as many as half of the days do; all, where there are no days."""
    if happened is None:
        return rows
    days = happened.drop_nulls().dt.date().value_counts()["count"].to_numpy()
    middle: float = np.median(days).item() if days.size else rows
    return int(middle)


def _up(span: Span) -> Span:
    unit = next((each for each in (DAY, UNITS["h"], UNITS["min"], UNITS["s"]) if span >= 2 * each), 1)
    return -(-span // unit) * unit


def _nice(count: int) -> int:
    power = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // power) * power
