"""The online executor: features of one case at a time, from rows kept up in memory.

It gives what the bulk executor gives, to the last bit, in microseconds. Rows are kept by the key of the
windows they count in, with what each window comes to; a row that arrives changes the keys that it is of
and no others, and time passes for a key when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

import polars as pl

from wholeroad.core.expressions import for_one
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Scratch
from wholeroad.road.data.features.bulk import DECIDED, compute
from wholeroad.road.data.features.intervals import Entry
from wholeroad.road.data.features.keyed_rows import KeyedRows
from wholeroad.road.data.features.lookup_tables import LookupTable
from wholeroad.road.data.features.measures import Measures
from wholeroad.road.data.features.online_groups import Group, group_features, nothing_of
from wholeroad.road.data.features.online_load import load_groups
from wholeroad.road.data.features.online_memory import Memory
from wholeroad.road.data.features.specs import Derived, Feature, Lookup, Window
from wholeroad.road.data.row_versions import Key, Row, RowVersion
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)

MOST: Final = 500_000
"""Row entries that are held in memory unless another number is stated."""

Reload = Callable[[str, Mapping[str, Any]], Versions]


class OnlineFeatures:
    """Features of one case at a time, equal to those of the bulk executor.

    Parameters
    ----------
    features
        What to compute, in order; their names are distinct.
    case_source, case_key
        As for :func:`~wholeroad.road.data.features.bulk.compute`.
    schemas
        The types of the sources' columns, those of the built-in ``outcomes`` among them. A source that has
        no schema yet has no rows.
    most
        How many row entries are held in memory; one row counts once in each group of features over the same
        key. Beyond, the keys that weren't used for longest go to ``scratch``; those of the last case or row
        stay.
    scratch
        Where they go; without it everything is held.
    reload
        Gives the versions of a source, all that were put so far among them, in which its columns have
        the given values. With it, features that ask for the newest row however old hold a few rows per
        key, and ask anew when these are taken back; without it they hold every row.

    Raises
    ------
    UserError
        ``features.key-types``, ``features.not-a-number``.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        *,
        case_source: str,
        case_key: tuple[str, ...],
        schemas: Mapping[str, pl.Schema],
        most: int = MOST,
        scratch: Scratch | None = None,
        reload: Reload | None = None,
    ) -> None:
        self._now: Instant | None = None
        self._case_source = case_source
        self._case_key = case_key
        self._reload = reload
        self.schema = _schema_of(features, case_source=case_source, case_key=case_key, schemas=schemas)
        self._measures = {
            feature.source: Measures(feature.source, schemas[feature.source])
            for feature in features
            if not isinstance(feature, Derived) and feature.source in schemas
        }
        self._groups = group_features(
            features,
            case_source=case_source,
            schemas=schemas,
            measures=self._measures,
            bounded=reload is not None,
        )
        self._by_source: dict[str, list[Group]] = {}
        for group in self._groups:
            self._by_source.setdefault(group.source, []).append(group)
        self._nothing = [nothing_of(feature) for feature in features]
        self._derived = [
            (place, for_one(feature.expression, schemas[case_source]).call)
            for place, feature in enumerate(features)
            if isinstance(feature, Derived)
        ]
        self._tables = _tables_of(features, case=schemas[case_source], schemas=schemas)
        self._serials = count()
        wide = {source: measures.wide() for source, measures in self._measures.items()}
        self._memory = Memory(self._groups, most=most, scratch=scratch, serials=self._serials, wide=wide)

    @property
    def rows_held(self) -> int:
        """How many row entries are in memory."""
        return self._memory.rows

    @property
    def keys_held(self) -> int:
        """How many keys have rows in memory, over all groups of features."""
        return sum(len(group.keyed) for group in self._groups)

    @property
    def keys_spilled(self) -> int:
        """How many keys have their rows in the scratch."""
        return sum(group.spilled for group in self._groups)

    def load(self, versions: Versions, *, at: Instant) -> None:
        """Take all versions of a source, at the start.

        Parameters
        ----------
        versions
            Everything known by ``at``, and what is known to come.
        at
            The present.
        """
        now = self.advance(at if self._now is None else max(at, self._now))
        for table in self._tables:
            if table.source == versions.source:
                table.load(versions)
        groups = self._by_source.get(versions.source)
        if groups is None or versions.static:
            return
        for group in groups:
            self._memory.empty(group)
        measures = self._measures[versions.source]
        loaded = load_groups(groups, versions, measures=measures, now=now, serials=self._serials)
        for group, key, rows in loaded:
            self._memory.keep(group, key, rows=rows)
        self._memory.bound()

    def put(self, source: str, key: Key, *, versions: Sequence[RowVersion]) -> None:
        """Take all versions of one row, instead of what was known of it.

        The order of rows that are put at one instant doesn't matter. A version that is known by now
        stays among the versions of its row for good; one still to come may be left out again, while some
        version of the row that is put has the same values in the columns that features go by.

        Parameters
        ----------
        key
            Of the row, in the order of the source's key.
        versions
            In the order of ``(known_at, order)``; instants of those that are new aren't before the present.
        """
        for table in self._tables:
            if table.source == source:
                newest = versions[-1] if versions else None
                table.put(key, None if newest is None or newest.deleted else newest.values)
        groups = self._by_source.get(source)
        if groups is None:
            return
        now = self._present()
        added: dict[int, tuple[Any, ...]] = {}
        for group in groups:
            keys = [group.keys.of_row(version.values) for version in versions]
            wanted: dict[Key, list[Entry]] = {each: [] for each in keys if each is not None}
            for place, base, start, end in group.dating.intervals(versions):
                by = keys[place]
                if by is None or end <= now or base + group.shape.longest <= now:
                    continue
                version = versions[place]
                if place not in added:
                    added[place] = self._measures[source].of_row(version.values)
                if group.only is None or added[place][group.only] is not None:
                    entry = Entry(
                        base,
                        version.known_at,
                        version.order,
                        next(self._serials),
                        start,
                        end,
                        key,
                        added[place],
                    )
                    wanted[by].append(entry)
            for by, entries in wanted.items():
                self._memory.replace(group, by, row=key, entries=entries, now=now)
        self._memory.sweep(now)

    def reads(self, source: str) -> bool:
        """Tell whether rows of a source change any feature."""
        return source in self._by_source or any(table.source == source for table in self._tables)

    def measures(self, source: str) -> bool:
        """Tell whether numbers of a source are summed or compared."""
        return source in self._measures and self._measures[source].exacting

    def unfit(self, source: str, values: Row) -> str | None:
        """Say which of a row's numbers no window could sum or compare; None where all is well.

        Once such a row has been put, every case in whose windows it is would be refused.
        """
        measures = self._measures.get(source)
        return None if measures is None else measures.unfit(values)

    def advance(self, now: Instant) -> Instant:
        """Let time pass; it never goes back.

        Raises
        ------
        ValueError
            It would go back.
        """
        if self._now is not None and now < self._now:
            message = f"time can't go back from {self._now} to {now}"
            raise ValueError(message)
        self._now = now
        return now

    def of(self, case: Row, *, decided_at: Instant) -> tuple[Any, ...]:
        """Give the features of a case that is decided now.

        Parameters
        ----------
        case
            The case's columns as known at its decision.
        decided_at
            The present.

        Returns
        -------
        tuple
            Physical values, in the order of the features; types as in ``schema``.

        Raises
        ------
        UserError
            ``data.infinite-value``, ``features.overflow``, when such a value is in one of the case's windows.
        """
        now = decided_at if decided_at == self._now else self.advance(decided_at)
        out = self._derived_of(case)
        for group in self._groups:
            key = group.keys.of_case(case)
            if key is not None and (found := self._rows(group, key, now, case=case)) is not None:
                rows, own = found
                for place, read in group.reads:
                    out[place] = read(rows, now, own)
        self._memory.bound()
        return tuple(out)

    def of_many(self, cases: Sequence[Row], *, decided_at: Instant) -> list[tuple[Any, ...]]:
        """Give the features of cases that are decided now together: for each what :meth:`of` gives.

        What several of them share, such as the windows over one place, is read once.
        """
        if len(cases) == 1 or self.keys_spilled:  # one after another, within what may be in memory
            return [self.of(case, decided_at=decided_at) for case in cases]
        now = decided_at if decided_at == self._now else self.advance(decided_at)
        every = [self._derived_of(case) for case in cases]
        for group in self._groups:
            of_case, shared = group.keys.of_case, not group.dating.own
            told: dict[Key, list[tuple[int, Any]]] = {}
            for case, out in zip(cases, every, strict=True):
                key = of_case(case)
                if key is None:
                    continue
                values = told.get(key)
                if values is None:
                    found = self._rows(group, key, now, case=case)
                    values = (
                        []
                        if found is None
                        else [(at, read(found[0], now, found[1])) for at, read in group.reads]
                    )
                    if shared:
                        told[key] = values
                for place, value in values:
                    out[place] = value
        self._memory.bound()
        return [tuple(out) for out in every]

    def _derived_of(self, case: Row) -> list[Any]:
        """Begin with what the case itself tells, and with what features are over no rows."""
        out = self._nothing.copy()
        for place, derive in self._derived:
            out[place] = derive(case)
        for table in self._tables:
            table.read(case, out)
        return out

    def _rows(
        self, group: Group, key: Key, now: Instant, *, case: Row
    ) -> tuple[KeyedRows, Entry | None] | None:
        """Give the rows of a key as they stand now, and the case's own where it is among them."""
        memory, rows = self._memory, group.keyed.get(key)
        if rows is None:
            rows = memory.fetch(group, key, now=now) if group.spilled else None
            if rows is None:
                return None
        if rows.next_at <= now:
            memory.settle(rows, now)
        rows.used = memory.tick
        own = None
        if group.dating.own:
            own = rows.own(tuple([case[column] for column in self._case_key]), now)
        if rows.cut is not None and rows.has_run_out(own):
            rows = self._anew(group, key, now)
            own = None if own is None else rows.own(own.row, now)
        return rows, own

    def _anew(self, group: Group, key: Key, now: Instant) -> KeyedRows:
        """Ask for the rows of a key of which the newest few were all taken back."""
        if self._reload is None:  # then nothing is ever cut
            raise AssertionError
        versions = self._reload(group.source, dict(zip(group.keys.columns, key, strict=True)))
        measures = self._measures[group.source]
        found = KeyedRows(group.shape)
        loaded = load_groups([group], versions, measures=measures, now=now, serials=self._serials)
        for _, other, rows in loaded:
            if other == key:
                found = rows
        self._memory.keep(group, key, rows=found)
        found.used = self._memory.tick
        return found

    def _present(self) -> Instant:
        if self._now is None:
            message = "nothing can be put before the present is told: load, or advance"
            raise ValueError(message)
        return self._now


def _tables_of(
    features: Sequence[Feature], *, case: pl.Schema, schemas: Mapping[str, pl.Schema]
) -> list[LookupTable]:
    together: dict[tuple[Any, ...], list[tuple[int, Lookup]]] = {}
    for place, feature in enumerate(features):
        if isinstance(feature, Lookup) and feature.source in schemas:
            together.setdefault((feature.source, feature.by), []).append((place, feature))
    return [LookupTable(each, case=case, rows=schemas[each[0][1].source]) for each in together.values()]


def _schema_of(
    features: Sequence[Feature],
    *,
    case_source: str,
    case_key: tuple[str, ...],
    schemas: Mapping[str, pl.Schema],
) -> pl.Schema:
    """Ask the bulk executor, over no cases and no rows."""
    instant = pl.Datetime("us", "UTC")
    stamps = dict.fromkeys((HAPPENED, KNOWN, SUPERSEDED, FIRST_KNOWN), instant)
    system: dict[str, pl.DataType] = {**stamps, ORDER: pl.Int64(), DELETED: pl.Boolean()}
    empty = {
        name: Versions(name, (), pl.DataFrame(schema={**schema, **system}))
        for name, schema in schemas.items()
    }
    known = [feature for feature in features if isinstance(feature, Derived) or feature.source in schemas]
    types = compute(
        known,
        pl.DataFrame(schema={**schemas[case_source], DECIDED: instant}),
        sources=empty,
        case_source=case_source,
        case_key=case_key,
    ).schema
    return pl.Schema({feature.name: types.get(feature.name, _type_of(feature)) for feature in features})


def _type_of(feature: Feature) -> pl.DataType:
    """Give the type of a feature over a source without a schema."""
    if not isinstance(feature, Window):
        return pl.Null()
    if feature.aggregate in ("min", "max") and feature.value is not None:
        return feature.value.dtype
    nothing = nothing_of(feature)
    return pl.Int64() if isinstance(nothing, int) else pl.Float64()
