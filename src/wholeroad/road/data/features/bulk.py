"""The bulk executor: features of all cases at once, without a loop over rows or cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self, TypeVar

import numpy as np
import polars as pl

from wholeroad.core.instants import Span
from wholeroad.core.ports import Progress
from wholeroad.road.data.features.activity import (
    Activity,
    Integers,
    Placed,
    Places,
    active,
    microseconds,
    place,
)
from wholeroad.road.data.features.keys import NOTHING, By, Codes, joint_codes
from wholeroad.road.data.features.latest import latest_rows
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, On, Window
from wholeroad.road.data.features.windows import (
    Contribution,
    aggregate,
    contribution,
    evaluate,
    hours_since,
    kind_of,
    taken,
)
from wholeroad.road.data.versions import Versions

DECIDED: Final = "_decided_at"

T = TypeVar("T")
R = TypeVar("R")


def compute(
    features: Sequence[Feature],
    cases: pl.DataFrame,
    *,
    sources: Mapping[str, Versions],
    case_source: str,
    case_key: tuple[str, ...],
    threads: int = 1,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Compute features as they were known when each case was decided.

    Nothing that became known after a case's ``decided_at`` changes its features, nor do the other
    cases, the number of threads, or the order of rows that became known at the same time.

    Parameters
    ----------
    features
        What to compute, in order; their names are distinct.
    cases
        The case's columns as known at ``_decided_at`` (``Datetime("us", "UTC")``), sorted by it.
    sources
        Versions by the source's name; ``outcomes`` is the built-in one.
    case_source, case_key
        In a window or latest over the case's own source, versions count after their ``known_at``
        only, and the row with the case's own key doesn't count.
    threads
        How many windows are computed at the same time.
    progress
        Told ``("features", done, total)``.

    Returns
    -------
    DataFrame
        One row per case, in order, and one column per feature: counts ``Int64``; sums ``Int64``, of
        floats ``Float64``; means, deviations and hours since ``Float64``; the others keep their
        column's type. A count, distinct or sum over no rows is 0, the others are null.

    Raises
    ------
    UserError
        ``data.infinite-value``, ``features.overflow``, ``features.not-a-number``,
        ``features.key-types``.
    """
    columns: dict[str, pl.Series] = {}

    def keep(series: Iterable[pl.Series]) -> None:
        columns.update((column.name, column) for column in series)
        if progress is not None:
            progress("features", len(columns), len(features))

    keep(_derive(feature, cases) for feature in features if isinstance(feature, Derived))
    keep(_look_up(feature, cases, sources) for feature in features if isinstance(feature, Lookup))
    timed = [feature for feature in features if isinstance(feature, Latest | Window)]
    with _Workers(threads) as workers:
        for series in _Bulk(cases, sources, case_source, case_key).run(timed, workers):
            keep(series)
    if not features:
        return pl.DataFrame(height=cases.height)
    return pl.DataFrame([columns[feature.name] for feature in features])


def _on(feature: Latest | Window) -> tuple[On, Span]:
    """Say on what it is measured, and how far ahead: what lies ahead is active by the window's own span."""
    if not isinstance(feature, Window):
        return "happened", 0
    return feature.on, (feature.over or 0) if feature.on == "planned" else 0


def _span(feature: Latest | Window) -> tuple[str, Span | None]:
    """Of features with the same source, key and ``on``, those with the same span share their ranges."""
    return ("window", feature.over) if isinstance(feature, Window) else ("latest", feature.max_age)


def _grouped(items: Iterable[T], key: Callable[[T], R]) -> dict[R, list[T]]:
    groups: dict[R, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


class _Workers:
    """Maps in order, in threads when there are several."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        """Give the results in the order of the items."""
        return map(function, items) if self._pool is None else self._pool.map(function, items)


class _Bulk:
    """What features of the same source and key share."""

    def __init__(
        self,
        cases: pl.DataFrame,
        sources: Mapping[str, Versions],
        case_source: str,
        case_key: tuple[str, ...],
    ) -> None:
        self._cases = cases
        self._sources = sources
        self._case_source = case_source
        self._own_by: By = tuple((column, column) for column in case_key)
        self._decided_at = microseconds(cases[DECIDED])
        self._until = int(self._decided_at.max()) if cases.height else np.iinfo(np.int64).min
        self._activity: dict[tuple[str, tuple[On, Span]], Activity] = {}
        self._own: Codes | None = None
        self._added: dict[tuple[object, ...], Contribution] = {}

    def run(self, features: Sequence[Latest | Window], workers: _Workers) -> Iterator[list[pl.Series]]:
        """Compute features; those with the same source and key come together.

        What they share is large, and is let go before the next.
        """
        for source in dict.fromkeys(feature.source for feature in features):
            self._read(source, [feature for feature in features if feature.source == source])
        tasks = list(_grouped(features, lambda feature: (feature.source, feature.by)).values())
        tasks.sort(key=lambda task: -len(_grouped(task, _span)))  # the longest first keeps threads busy
        yield from workers.map(self._compute, tasks)

    def _read(self, source: str, features: Sequence[Latest | Window]) -> None:
        """Find when a source's versions are active, and what they add."""
        versions, own = self._sources[source], source == self._case_source
        if own:
            self._own = joint_codes(self._cases, versions.frame, by=self._own_by, source=source)
        for feature in features:
            on = _on(feature)
            if (source, on) not in self._activity:
                self._activity[source, on] = active(versions, on[0], own=own, until=self._until, ahead=on[1])
            if isinstance(feature, Window) and _addition(feature) not in self._added:
                self._added[_addition(feature)] = contribution(
                    feature, versions, activity=self._activity[source, on]
                )

    def _compute(self, features: Sequence[Latest | Window]) -> list[pl.Series]:
        """Compute features with the same source and key."""
        source, by = features[0].source, features[0].by
        codes = joint_codes(self._cases, self._sources[source].frame, by=by, source=source)
        places = Places(codes.cases, self._decided_at, size=codes.size)
        own = self._own if source == self._case_source else None
        columns: list[pl.Series] = []
        for on, measured in _grouped(features, _on).items():
            placed = place(self._activity[source, on], places, codes=codes, own=own)
            for group in _grouped(measured, _span).values():
                columns += self._aggregate(group, placed)
        return columns

    def _aggregate(self, features: Sequence[Latest | Window], placed: Placed) -> list[pl.Series]:
        """Compute features whose versions are active for the same ranges of cases."""
        first = features[0]
        if isinstance(first, Window):
            end = placed.end(first.over)
            return [self._window(window, placed, end) for window in features if isinstance(window, Window)]
        activity = self._activity[first.source, _on(first)]
        rows = latest_rows(activity, placed, max_age=first.max_age, cases=self._cases.height)
        frame = self._sources[first.source].frame
        return [
            taken(frame[feature.column], rows).alias(feature.name)
            for feature in features
            if isinstance(feature, Latest)
        ]

    def _window(self, window: Window, placed: Placed, end: Integers) -> pl.Series:
        added = self._added[_addition(window)]
        if window.aggregate == "since":
            return hours_since(window, placed, end=end, added=added, decided_at=self._decided_at)
        return aggregate(window, placed, end=end, added=added, cases=self._cases.height)


def _addition(window: Window) -> tuple[object, ...]:
    return (window.source, _on(window), window.value, window.where, kind_of(window))


def _derive(feature: Derived, cases: pl.DataFrame) -> pl.Series:
    return evaluate(cases, feature.expression).alias(feature.name)


def _look_up(feature: Lookup, cases: pl.DataFrame, sources: Mapping[str, Versions]) -> pl.Series:
    frame = sources[feature.source].frame
    codes = joint_codes(cases, frame, by=feature.by, source=feature.source)
    row_of = np.full(codes.size, -1, np.int64)
    some = np.flatnonzero(codes.rows != NOTHING)
    row_of[codes.rows[some]] = some
    rows = np.where(codes.cases == NOTHING, -1, row_of[codes.cases])
    return taken(frame[feature.column], rows).alias(feature.name)
