"""What is known of a source's rows, and what of those that come is new: the rules of identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.core.ports import ScratchFile
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving.compact import CompactRows
from wholeroad.road.data.arriving.hashing import ContentHash
from wholeroad.road.data.arriving.judged import Judged
from wholeroad.road.data.arriving.standing import StandingRow
from wholeroad.road.data.arriving.taken import NewRow, Status, TakenRow
from wholeroad.road.data.presence import compares_newest
from wholeroad.road.data.row_versions import Key, RowVersion

_Take = Callable[[Sequence[Any]], Any]


class KnownRows:
    """The rows of one source: those in its table, compact, and those that came since.

    Parameters
    ----------
    source
        The source's table in the brief.
    columns
        The columns whose values a version keeps.
    stored, beside
        See :class:`~wholeroad.road.data.arriving.rows.ArrivingRows`.
    """

    def __init__(
        self,
        source: SourceTable,
        *,
        columns: Collection[str],
        stored: pl.DataFrame | None,
        beside: ScratchFile | None = None,
    ) -> None:
        self._source = source
        self._columns = tuple(columns)
        self._newest_counts = compares_newest(source)
        self._stored = CompactRows(tuple(source.key), self._columns, beside=beside)
        self._order = 0 if stored is None else self._stored.add(stored)
        self._rows: dict[Key, StandingRow] = {}

    def fit(self, schema: pl.Schema) -> None:
        """Say which columns rows have."""
        names = list(schema)
        self._pick = _picker([names.index(name) for name in self._columns])
        self._pick_key = _picker([names.index(key) for key in self._source.key])
        self._hash = ContentHash(schema)

    def standing(self, key: Key) -> StandingRow | None:
        """Give what stands of a row; None where it never came."""
        standing = self._rows.get(key)
        if standing is None and self._stored.has(key):
            stored = self._stored.find(key)
            return StandingRow.of(stored) if stored else None
        return standing

    def unknown(self, values: list[Any]) -> Key | None:
        """Give the key of a row that never came; None where it did."""
        key: Key = self._pick_key(values)
        return key if self.standing(key) is None else None

    def keep(self, row: NewRow, now: Instant) -> tuple[RowVersion, ...]:
        """Keep the first version of a row that lands at ``now``, as :meth:`settle` does."""
        known_at = None if row.claimed_at is None else max(row.claimed_at, now)
        version = self._version(row.values, happened_at=row.happened_at, known_at=known_at)
        standing = StandingRow.first(version, row.values, claimed_at=row.claimed_at)
        self._rows[row.key] = standing
        return standing.versions

    def says(self, values: list[Any]) -> bool:
        """Tell whether any version of a row says this."""
        standing = self.standing(self._pick_key(values))
        return standing is not None and standing.said(values, partial(self._hash.of, values))

    def settle(self, judged: Judged, *, now: Instant) -> list[TakenRow]:
        """Compare rows that land at ``now`` with what is there, one after another, and keep what is new."""
        if self._source.static:
            self._blame_clashes(judged)
        said: set[tuple[Any, ...]] = set()
        happened, claimed, blamed = judged.happened_at, judged.claimed_at, judged.blamed
        taken = []
        for place, values in enumerate(judged.values):
            if values is None:
                code, reason = blamed[place]
                taken.append(TakenRow("quarantined", code=code, reason=reason))
            else:
                times = happened[place], claimed[place]
                taken.append(self._settled(values, times, now=now, said=said))
        return taken

    def again(
        self, values: list[Any], times: tuple[Instant | None, Instant | None], *, now: Instant
    ) -> tuple[Key, tuple[RowVersion, ...]]:
        """Keep a version that landed at ``now``, of which it is known that it was new then.

        Parameters
        ----------
        times
            When it happened, and from when on it says that it counts.
        """
        happened_at, claimed_at = times
        key: Key = self._pick_key(values)
        known_at = None if claimed_at is None else max(claimed_at, now)
        version = self._version(values, happened_at=happened_at, known_at=known_at)
        standing = self._stood(key, self.standing(key), version=version, values=values, claimed_at=claimed_at)
        return key, standing.versions

    def moved(self, stored: pl.DataFrame) -> None:
        """Keep rows that came here, and are in the table now, as narrow as the others there."""
        self._order = max(self._order, self._stored.add(stored))
        keys = stored.select(pl.col(*self._source.key).to_physical()).rows()
        for key, count in Counter(keys).items():
            standing = self._rows.get(key)
            if standing is not None:
                standing.arrived -= count
                if standing.arrived <= 0:
                    del self._rows[key]

    def _settled(
        self,
        values: list[Any],
        times: tuple[Instant | None, Instant | None],
        *,
        now: Instant,
        said: set[tuple[Any, ...]],
    ) -> TakenRow:
        key: Key = self._pick_key(values)
        happened_at, claimed_at = times
        known_at = None if claimed_at is None else max(claimed_at, now)
        standing = self.standing(key)
        if self._newest_counts:
            whole, owner = (True, *values), (False, *key)
            repeated = whole in said or (
                standing is not None and self._is_newest(standing, values, claimed_at, came=owner in said)
            )
            said |= {whole, owner}
        else:
            repeated = standing is not None and standing.said(values, partial(self._hash.of, values))
        if repeated and standing is not None:
            versions = standing.versions
            return TakenRow("already known", key, values, happened_at, claimed_at, known_at, 0, versions)
        status: Status = "landed" if standing is None else "new version"
        version = self._version(values, happened_at=happened_at, known_at=known_at)
        standing = self._stood(key, standing, version=version, values=values, claimed_at=claimed_at)
        return TakenRow(status, key, values, happened_at, claimed_at, known_at, 0, standing.versions)

    def _stood(
        self,
        key: Key,
        standing: StandingRow | None,
        *,
        version: RowVersion,
        values: list[Any],
        claimed_at: Instant | None,
    ) -> StandingRow:
        """Put a new version to what stands of its row."""
        if standing is None:
            standing = StandingRow.first(version, values, claimed_at=claimed_at)
        elif self._source.static:
            standing.renew(version, values)
        else:
            standing.add(version, values, claimed_at=claimed_at)
        self._rows[key] = standing
        return standing

    def _is_newest(
        self, standing: StandingRow, values: list[Any], claimed_at: Instant | None, *, came: bool
    ) -> bool:
        """Tell whether a row of a source without stamps says what is there already.

        Parameters
        ----------
        came
            Whether a row of its key came before it at the same time: then that is the newest.
        """
        of = partial(self._hash.of, values)
        if not came and standing.says(values, of):
            return True
        return claimed_at is not None and standing.said_at(values, of, claimed_at=claimed_at)

    def _version(
        self, values: list[Any], *, happened_at: Instant | None, known_at: Instant | None
    ) -> RowVersion:
        self._order += 1
        kept = dict(zip(self._columns, self._pick(values), strict=True))
        known = 0 if known_at is None else known_at
        happened = 0 if happened_at is None else happened_at
        return RowVersion(
            happened, known, self._order, deleted=False, values=kept, superseded_at=None, first_known_at=known
        )

    def _blame_clashes(self, judged: Judged) -> None:
        """In a static source a key says one thing; rows that disagree are set aside, all of them."""
        first: dict[Key, list[Any]] = {}
        clashing: set[Key] = set()
        for values in judged.values:
            if values is not None:
                key = self._pick_key(values)
                if first.setdefault(key, values) != values:
                    clashing.add(key)
        reason = f"another row had the same {', '.join(self._source.key)} and said something else"
        for place, values in enumerate(judged.values) if clashing else ():
            if values is not None and self._pick_key(values) in clashing:
                judged.values[place] = None
                judged.blamed[place] = "data.key-repeated", reason


def _picker(places: Sequence[int]) -> _Take:
    """Give what takes the values at some places as a tuple."""
    if not places:
        return lambda _values: ()
    if len(places) == 1:
        (only,) = places
        return lambda values: (values[only],)
    return itemgetter(*places)
