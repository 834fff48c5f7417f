"""Segments: where a policy's gain comes from, by time and by the values of a few columns.

Segments are looked at, not searched: stretches of the calendar, and columns in the order in which they
are given. Each interval stands alone. Of many, some miss by chance; so a segment is *marked* only
when its gain differs from zero even with all segments of the policy judged together (Dunn 1961,
*Multiple comparisons among means*, Journal of the American Statistical Association 56: the Bonferroni
inequality).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import Instant
from wholeroad.road.watch.intervals import LEAST_BLOCKS, UNBOUNDED, Histories, Resampling, resample
from wholeroad.road.watch.work import PolicyRun, Scored

TIME: Final = "time"
OTHER: Final = "other values"
MISSING: Final = "no value"
LEAST_CASES: Final = 30
"""Smaller segments are put together as :data:`OTHER`, or shown without an interval."""
MOST_VALUES: Final = 8
MOST_COLUMNS: Final = 3
MONTHS_MOST: Final = 6
"""Up to so many months are shown by month, longer histories by quarter: a month holds four weeks only."""
QUARTERS_MOST: Final = 12
"""Beyond so many quarters the years are shown."""
WHOLE: Final = 0.9
"""A segment that spans so much of the history is judged by all of its days."""

Mark = Literal["", "gains", "loses"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of the settled cases.

    Attributes
    ----------
    by, name
        The column (or :data:`TIME`), and its value.
    cases
        Settled ones.
    gain
        Money over the status quo in the segment, before the fits' cost.
    per_case
        The same for each settled case, with an interval of its own; unbounded where there are too few
        days or cases.
    mark
        What is clear even with all segments of the policy judged together.
    """

    by: str
    name: str
    cases: int
    gain: float
    per_case: Estimate
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Segments:
    """All segments of one policy.

    Attributes
    ----------
    policy
        Whose gain it is.
    overall
        The gain over all settled cases, before the fits' cost.
    segments
        By column in the order given, time first.
    confidence
        Of each interval alone, and of all marks together.
    """

    policy: str
    overall: float
    segments: tuple[Segment, ...]
    confidence: float

    @property
    def by_chance(self) -> float:
        """How many of the intervals miss by chance alone, on average."""
        return len(self.segments) * (1 - self.confidence)

    @property
    def marked(self) -> tuple[Segment, ...]:
        """The segments that are marked."""
        return tuple(segment for segment in self.segments if segment.mark)


def segments(
    run: PolicyRun,
    scored: Scored,
    *,
    columns: Mapping[str, pl.Series] | None = None,
    seed: int,
    resampling: Resampling | None = None,
) -> Segments:
    """Count a policy's gain over the status quo again, segment by segment.

    A segment's interval resamples the days from its first to its last case, so a month is judged by
    its own weeks. Values of a column beyond the most frequent, and those with too few cases, are put
    together.

    Parameters
    ----------
    run, scored
        As :func:`wholeroad.road.watch.work.compare` takes them.
    columns
        Values by case, each of length n, such as the features that are texts:
        :func:`columns_to_show` chooses.
    seed
        The project's; the same seed gives the same intervals.
    resampling
        :class:`~wholeroad.road.watch.intervals.Resampling` has the defaults.

    Returns
    -------
    Segments
        Empty where nothing is settled.
    """
    resampling = resampling or Resampling()
    rows = scored.rows
    gain = scored.money(run.action) - scored.money(scored.status_quo)
    groups = [*_calendar(scored)]
    for name, values in (columns or {}).items():
        groups += _values(name, values.gather(rows))
    judged = _Judged(scored, gain, seed, resampling, len(groups))
    found = tuple(judged.segment(by, name, members=members) for by, name, members in groups)
    return Segments(run.policy, float(gain.sum()), found, resampling.confidence)


def columns_to_show(features: pl.DataFrame, *, most: int = MOST_COLUMNS) -> list[str]:
    """Choose the columns to cut by: the first texts and booleans with a few values each.

    They are taken in their order and never for how the gain falls out, so that nothing is searched.

    Examples
    --------
    >>> columns_to_show(pl.DataFrame({"hour": [1, 2], "depot": ["A", "B"], "one": ["x", "x"]}))
    ['depot']
    """
    kinds = (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    told = [name for name, kind in features.schema.items() if isinstance(kind, kinds)]
    return [name for name in told if 2 <= features[name].n_unique() <= 200][:most]


Group = tuple[str, str, NDArray[np.bool_]]


def _calendar(scored: Scored) -> Iterator[Group]:
    """Give months, quarters or years of the settled cases, by the history's length; one alone is none."""
    at = pl.Series(scored.decided_at[scored.rows]).cast(pl.Datetime("us", "UTC"))
    months = _month(scored.to_at - 1) - _month(scored.from_at) + 1
    length = 1 if months <= MONTHS_MOST else 3 if months <= 3 * QUARTERS_MOST else 12
    place = (at.dt.year().cast(pl.Int64) * 12 + at.dt.month() - 1) // length
    found = place.unique().sort().to_list()
    if len(found) < 2:
        return
    for one in found:
        year, part = divmod(one * length, 12)
        names = {1: f"{year}-{part + 1:02d}", 3: f"{year} Q{part // 3 + 1}", 12: str(year)}
        yield TIME, names[length], (place == one).to_numpy()


def _month(at: Instant) -> int:
    day = datetime.fromtimestamp(at // 1_000_000, tz=UTC)
    return day.year * 12 + day.month - 1


def _values(name: str, values: pl.Series) -> Iterator[Group]:
    texts = values.cast(pl.String).fill_null(MISSING)
    counts = texts.value_counts(sort=True, name="cases")
    shown = [
        value
        for value, cases in counts.sort("cases", texts.name, descending=[True, False]).iter_rows()
        if cases >= LEAST_CASES
    ][:MOST_VALUES]
    for value in shown:
        yield name, str(value), (texts == value).to_numpy()
    rest = ~texts.is_in(shown)
    if rest.any():
        yield name, OTHER, rest.to_numpy()


@dataclass(slots=True)
class _Judged:
    """Makes segments, each with its interval, all at one level."""

    scored: Scored
    gain: NDArray[np.float64]
    seed: int
    resampling: Resampling
    several: int
    drawn: tuple[int, Histories] | None = None

    def segment(self, by: str, name: str, *, members: NDArray[np.bool_]) -> Segment:
        gain, day = self.gain[members], self.scored.day[members]
        total, cases = float(gain.sum()), int(members.sum())
        first, last = (int(day[0]), int(day[-1])) if cases else (0, 0)
        if last - first + 1 >= WHOLE * self.scored.days:
            first, last = 0, self.scored.days - 1
        histories = self._histories(last - first + 1)
        blocks = np.unique(day // self.resampling.block_days).size
        if cases < LEAST_CASES or histories.weights is None or blocks < LEAST_BLOCKS:
            return Segment(by, name, cases, total, Estimate(total / max(1, cases), *UNBOUNDED))
        daily = np.bincount(day - first, weights=gain, minlength=last - first + 1).astype(np.float64)
        counts = np.bincount(day - first, minlength=last - first + 1).astype(np.float64)
        alone = histories.ratio(daily, counts)
        level = 1 - (1 - histories.confidence) / self.several
        together = histories.at(level).ratio(daily, counts)
        mark: Mark = "gains" if together.low > 0 else "loses" if together.high < 0 else ""
        return Segment(by, name, cases, total, alone, mark)

    def _histories(self, days: int) -> Histories:
        if self.drawn is None or self.drawn[0] != days:  # the last one is kept: they are large
            self.drawn = days, resample(days, self.resampling, seed=self.seed)
        return self.drawn[1]


def segments_of(
    runs: Sequence[PolicyRun],
    scored: Scored,
    *,
    features: pl.DataFrame,
    seed: int,
    resampling: Resampling | None = None,
) -> dict[str, Segments]:
    """Give the segments of several policies, by the columns that :func:`columns_to_show` chooses.

    Parameters
    ----------
    features
        One row for each case of ``scored``.
    """
    columns = {name: features[name] for name in columns_to_show(features)}
    return {
        run.policy: segments(run, scored, columns=columns, seed=seed, resampling=resampling) for run in runs
    }
