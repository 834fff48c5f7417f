"""The bulk executor: features of all cases at once, without a loop over rows or cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import polars as pl

from wholeroad.core.instants import Span
from wholeroad.core.ports import Progress
from wholeroad.road.data.features.activity import Activity, Integers, On, Placed, Places, active, microseconds, place
from wholeroad.road.data.features.keys import NOTHING, By, Codes, joint_codes
from wholeroad.road.data.features.latest import latest_rows
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.features.windows import Contribution, aggregate, contribution
from wholeroad.road.data.versions import Versions

DECIDED: Final = "_decided_at"

T = TypeVar("T")
R = TypeVar("R")
_Group = tuple[str, str, By, On, Span | None]
_Named = list[pl.Series]


def compute(
    features: Sequence[Feature],
    cases: pl.DataFrame,
    sources: Mapping[str, Versions],
    *,
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
        floats ``Float64``; means ``Float64``; the others keep their column's type. A count or sum
        over no rows is 0, a mean null.

    Raises
    ------
    UserError
        ``data.infinite-value``, ``features.overflow``, ``features.not-a-number``,
        ``features.key-types``.
    """
    bulk = _Bulk(cases, sources, case_source, case_key)
    derived = [feature for feature in features if isinstance(feature, Derived)]
    lookups = [feature for feature in features if isinstance(feature, Lookup)]
    timed = [feature for feature in features if isinstance(feature, Latest | Window)]
    done, columns = 0, list(_derive(derived, cases))
    report = progress or (lambda _stage, _done, _total: None)
    report("features", len(derived), len(features))
    columns += [_look_up(feature, cases, sources[feature.source]) for feature in lookups]
    done = len(derived) + len(lookups)
    pairs = list(dict.fromkeys((feature.source, feature.by) for feature in timed))
    groups: dict[_Group, list[Latest | Window]] = {}
    for feature in timed:
        groups.setdefault(_group(feature), []).append(feature)
    with _Workers(threads) as workers:
        for source in dict.fromkeys(feature.source for feature in timed):
            bulk.read(source, [feature for feature in timed if feature.source == source])
        bulk.keep_places(workers.map(bulk.place, [(pair, _ons(timed, pair)) for pair in pairs]))
        for series in workers.map(bulk.group, list(groups.values())):
            columns += series
            done += len(series)
            report("features", done, len(features))
    by_name = {column.name: column for column in columns}
    return pl.DataFrame([by_name[feature.name] for feature in features])


def _on(feature: Latest | Window) -> On:
    return feature.on if isinstance(feature, Window) else "happened"


def _ons(features: Iterable[Latest | Window], pair: tuple[str, By]) -> tuple[On, ...]:
    return tuple(dict.fromkeys(_on(feature) for feature in features if (feature.source, feature.by) == pair))


def _group(feature: Latest | Window) -> _Group:
    """Features with the same group are active for the same ranges of cases."""
    if isinstance(feature, Window):
        return ("window", feature.source, feature.by, feature.on, feature.over)
    return ("latest", feature.source, feature.by, "happened", feature.max_age)


class _Workers:
    """Maps in order, in threads when there are several."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        """Give the results in the order of the items."""
        return map(function, items) if self._pool is None else self._pool.map(function, items)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One source and key: placed versions by what spans are measured on."""

    pair: tuple[str, By]
    placed: dict[On, Placed]


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
        self._activity: dict[tuple[str, On], Activity] = {}
        self._own: Codes | None = None
        self._added: dict[tuple[object, ...], Contribution] = {}
        self._placed: dict[tuple[str, By, On], Placed] = {}

    def read(self, source: str, features: Sequence[Latest | Window]) -> None:
        """Find when a source's versions are active, and what they add."""
        versions, own = self._sources[source], source == self._case_source
        if own:
            self._own = joint_codes(self._cases, versions.frame, self._own_by, source=source)
        for feature in features:
            on = _on(feature)
            if (source, on) not in self._activity:
                self._activity[source, on] = active(versions, on, own=own, until=self._until)
            if isinstance(feature, Window) and _addition(feature) not in self._added:
                self._added[_addition(feature)] = contribution(feature, versions, self._activity[source, on])

    def place(self, item: tuple[tuple[str, By], tuple[On, ...]]) -> _Prepared:
        """Put cases and versions in the order of a key."""
        (source, by), ons = item
        codes = joint_codes(self._cases, self._sources[source].frame, by, source=source)
        places = Places(codes.cases, codes.size, self._decided_at)
        own = self._own if source == self._case_source else None
        return _Prepared(
            (source, by), {on: place(self._activity[source, on], codes, places, own) for on in ons}
        )

    def keep_places(self, prepared: Iterable[_Prepared]) -> None:
        """Keep what :meth:`place` made."""
        for one in prepared:
            for on, placed in one.placed.items():
                self._placed[(*one.pair, on)] = placed

    def group(self, features: Sequence[Latest | Window]) -> _Named:
        """Compute features that are active for the same ranges of cases."""
        first = features[0]
        placed = self._placed[first.source, first.by, _on(first)]
        if isinstance(first, Window):
            end = placed.end(first.over)
            return [self._window(window, placed, end) for window in features if isinstance(window, Window)]
        activity = self._activity[first.source, "happened"]
        rows = latest_rows(activity, placed, first.max_age, cases=self._cases.height)
        frame = self._sources[first.source].frame
        return [
            _taken(feature.name, frame[feature.column], rows)
            for feature in features
            if isinstance(feature, Latest)
        ]

    def _window(self, window: Window, placed: Placed, end: Integers) -> pl.Series:
        added = self._added[_addition(window)]
        return aggregate(window, placed, end, added, cases=self._cases.height)


def _addition(window: Window) -> tuple[object, ...]:
    return (window.source, window.on, window.value, window.where)


def _derive(features: Sequence[Derived], cases: pl.DataFrame) -> list[pl.Series]:
    """Evaluate expressions over the cases; a constant is given to each of them."""
    row = pl.int_range(pl.len()).alias("_row")
    return [
        cases.select(feature.expression.polars.alias(feature.name), row).get_column(feature.name)
        for feature in features
    ]


def _look_up(feature: Lookup, cases: pl.DataFrame, versions: Versions) -> pl.Series:
    codes = joint_codes(cases, versions.frame, feature.by, source=feature.source)
    row_of = np.full(codes.size, -1, np.int64)
    some = np.flatnonzero(codes.rows != NOTHING)
    row_of[codes.rows[some]] = some
    rows = np.where(codes.cases == NOTHING, -1, row_of[codes.cases])
    return _taken(feature.name, versions.frame[feature.column], rows)


def _taken(name: str, column: pl.Series, rows: Integers) -> pl.Series:
    """Take rows of a column; -1 gives null."""
    if column.is_empty():
        return pl.Series(name, [None] * rows.size, dtype=column.dtype)
    chosen = pl.Series(np.maximum(rows, 0)).set(pl.Series(rows < 0), None)
    return column.gather(chosen).alias(name)
