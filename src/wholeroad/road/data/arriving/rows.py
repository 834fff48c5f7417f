"""One source's rows as they come in: read, judged, and told apart from what is known already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from wholeroad.core.errors import FaultsError
from wholeroad.core.instants import Instant
from wholeroad.core.ports import ScratchFile
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving.bulk import BulkRows
from wholeroad.road.data.arriving.clean import CleanRows, ValueReader
from wholeroad.road.data.arriving.fields import flat, refuse_unknown, without_nulls
from wholeroad.road.data.arriving.hashing import ContentHash
from wholeroad.road.data.arriving.judged import Judged
from wholeroad.road.data.arriving.known import KnownRows
from wholeroad.road.data.arriving.merging import as_sent, part_of_mended
from wholeroad.road.data.arriving.reading import Faults, as_json, targets_of
from wholeroad.road.data.arriving.taken import NewRow, SetAside, TakenRow, TakenRows
from wholeroad.road.data.contracts.inspecting import Inspector
from wholeroad.road.data.row_versions import Key, Row, RowVersion

Sent = Mapping[str, Any]
"""A row as it was sent: values as JSON has them, by column."""

_ASIDE: Final = ContentHash({"source": pl.String(), "code": pl.String(), "row": pl.String()})


class ArrivingRows:
    """One source's rows as they come in by JSON, one group after another.

    Rows land at one instant together, as :func:`~wholeroad.road.data.landing.land` lands a live batch of
    them: what becomes of a row, its values, times and versions are what they would be there. Rows whose
    values all have the types of their columns are read one by one; all others, and all rows of a source
    with a mend or a contract, go through that code.

    Parameters
    ----------
    name, source
        The source, and its name in the brief.
    schema
        Its own stored columns; None before the first landing.
    stored
        What is in its table: the key, ``columns``, and the columns of
        :data:`~wholeroad.road.data.batches.SYSTEM` but for ``_landed_at``. None: nothing.
    columns
        The columns that somebody reads: what :class:`RowVersion` keeps.
    inspector
        Makes what asks the contract of rows that come together; None without a contract.
    beside
        Where rows of the table lie, but for a few; None: in memory.

    Attributes
    ----------
    schema
        The source's own stored columns; None before the first landing.

    Examples
    --------
    >>> source = SourceTable(read="none", key="id", happened_at="at", known_at="at")
    >>> schema = pl.Schema({"id": pl.String(), "at": pl.Datetime("us", "UTC")})
    >>> rows = ArrivingRows("visits", source, schema=schema, stored=None, columns=["at"])
    >>> sent = {"id": "a", "at": "1970-01-01T00:00:01Z"}
    >>> [row.status for row in rows.take([sent, sent], now=2_000_000).rows]
    ['landed', 'already known']
    >>> rows.row(("a",))[0].known_at
    2000000
    """

    def __init__(
        self,
        name: str,
        source: SourceTable,
        *,
        schema: pl.Schema | None,
        stored: pl.DataFrame | None,
        columns: Collection[str],
        inspector: Callable[[], Inspector | None] | None = None,
        beside: ScratchFile | None = None,
    ) -> None:
        self._name = name
        self._source = source
        self._refuse: Callable[[Row], tuple[str, str] | None] | None = None
        self._short = source.mend is None and inspector is None
        self._bulk = BulkRows(name, source, inspector=inspector)
        self._known = KnownRows(source, columns=columns, stored=stored, beside=beside)
        self._aside: set[int] = set()
        self._clean: CleanRows | None = None
        self._fields = frozenset[str]()
        self.schema: pl.Schema | None = None
        if schema is not None:
            self._fit(schema)

    def take(self, rows: Sequence[Sent], *, now: Instant) -> TakenRows:
        """Land rows that came together, and tell what became of each.

        Parameters
        ----------
        rows
            What a row doesn't name is null. An object within a row holds columns, as in an NDJSON file.
        now
            When they land; never before that of rows taken earlier.

        Raises
        ------
        UserError
            ``data.unknown-field``; ``service.batch-refused``, when the contract holds the rows back; and
            before the first landing what :func:`~wholeroad.road.data.landing.land` raises. Nothing has
            landed then.
        """
        judged = self._judged(rows, now=now)
        if judged.schema is not None:
            self._fit(judged.schema)
        if self._refuse is not None and self.schema is not None:
            judged.refuse(self.schema, self._refuse)
        taken = self._known.settle(judged, now=now)
        return TakenRows(
            taken,
            aside=tuple(self._set_aside(rows, taken)),
            schema=judged.schema,
            mended=judged.mended,
            broken=judged.broken,
        )

    def new(self, row: Sent, now: Instant) -> NewRow | None:
        """Read a row by itself, where nothing is wrong with it and nothing is known of its key.

        Nothing lands before :meth:`keep`; the two come to what :meth:`take` comes to.

        Returns
        -------
        NewRow or None
            None for every other row; nothing is said of it, and it has to be taken.
        """
        read = None if self._clean is None else self._clean.one(row, now)
        if read is None:
            return None
        values, happened_at, claimed_at = read
        key = self._known.unknown(values)
        if key is None:
            return None
        refuse = self._refuse
        if refuse is not None and refuse(dict(zip(self.schema or (), values, strict=True))) is not None:
            return None
        return NewRow(key, values, happened_at, claimed_at)

    def keep(self, row: NewRow, now: Instant) -> tuple[RowVersion, ...]:
        """Land a row that :meth:`new` gave for this very instant, and give its versions; no key twice."""
        return self._known.keep(row, now)

    def again(
        self,
        values: Sequence[list[Any]],
        times: Sequence[tuple[Instant | None, Instant | None]],
        *,
        now: Instant,
    ) -> list[tuple[Key, tuple[RowVersion, ...]]]:
        """Keep rows that were taken before, at ``now``, and were new then; gives what is known of each.

        Parameters
        ----------
        values
            Physical, in the order of the columns.
        times
            When each happened, and from when on it says that it counts.
        """
        return [self._known.again(*both, now=now) for both in zip(values, times, strict=True)]

    def row(self, key: Key) -> tuple[RowVersion, ...]:
        """Give all versions known of a row, by (known_at, order); none where it never came.

        Of a source without times it is the newest alone, at instant 0, or none where that is gone.
        """
        standing = self._known.standing(key)
        return () if standing is None else standing.versions

    def knows(self, row: Sent) -> bool:
        """Tell whether a version of the row says exactly what is sent; nothing lands.

        Raises
        ------
        UserError
            ``data.unknown-field``.
        """
        return self.known([row])[0]

    def known(self, rows: Sequence[Sent]) -> list[bool]:
        """Tell of each of some rows what :meth:`knows` tells of one; odd ones are read together.

        Raises
        ------
        UserError
            ``data.unknown-field``.
        """
        if self.schema is None or not rows:
            return [False] * len(rows)
        together = [rows] if self._source.mend is None else [[row] for row in rows]
        judged = [values for some in together for values in self._judged(some, now=0, asking=False).values]
        return [values is not None and self._known.says(values) for values in judged]

    def key_of(self, row: Sent) -> Key | None:
        """Read the key of a row that is sent; None where it can't be read, or nothing has landed yet.

        Raises
        ------
        UserError
            ``data.unknown-field``.
        """
        return self.keys_of([row])[0]

    def keys_of(self, rows: Sequence[Sent]) -> list[Key | None]:
        """Read the keys of rows as :meth:`key_of` reads one; odd ones are read together.

        Raises
        ------
        UserError
            ``data.unknown-field``.
        """
        keys: list[Key | None] = [None] * len(rows)
        if self.schema is None:
            return keys
        plain, odd = self._source.mend is None, []
        for place, row in enumerate(rows):
            values = self._key_values.read(row) if plain and row.keys() <= self._fields else None
            if values is None:
                odd.append(place)
            else:
                keys[place] = tuple(values)
        if odd:
            fitting, _ = self._fitting([rows[place] for place in odd], odd, count=len(rows))
            bulk = BulkRows(self._name, self._source, inspector=None)
            for place, key in zip(odd, bulk.keys_of(fitting, schema=self.schema), strict=True):
                keys[place] = key
        return keys

    def merged(self, values: Sent, key: Key, *, now: Instant | None = None) -> dict[str, Any]:
        """Complete a row that is sent in part by its newest version; what is sent counts, nulls as well.

        All own columns have to be among those that are kept.

        Parameters
        ----------
        now
            Versions that become known later don't count, where there are others.

        Returns
        -------
        dict
            To be taken as a row that is sent; the values alone where nothing is known of the row.

        Raises
        ------
        UserError
            ``data.part-of-mended``: what is known has been mended, and would be again;
            ``data.unknown-field``.
        """
        (sent,), _ = self._fitting([values])
        whole = None if self._fields <= sent.keys() else self._own_values(key, now)
        if whole is None or self.schema is None:
            return dict(values)
        if self._source.mend is not None:
            raise part_of_mended(sent, self._fields, name=self._name)
        return {name: as_sent(whole[name], dtype) for name, dtype in self.schema.items()} | dict(sent)

    def set_aside_before(self, contents: Iterable[int]) -> None:
        """Say what is in the quarantine already: it isn't written there again."""
        self._aside.update(contents)

    def refuse(self, told: Callable[[Row], tuple[str, str] | None]) -> None:
        """Set rows aside that read well, where this says why they can't be taken: code and reason."""
        self._refuse = told

    def moved(self, stored: pl.DataFrame) -> None:
        """Keep rows that came here, and are in the table now, as narrow as the others there.

        Parameters
        ----------
        stored
            These rows, all that were moved since the last time; columns as for the constructor.
        """
        self._known.moved(stored)

    def _fit(self, schema: pl.Schema) -> None:
        self.schema = schema
        self._fields = frozenset(targets_of(self._name, self._source, schema=schema))
        self._known.fit(schema)
        key = self._source.key
        self._key_values = ValueReader(pl.Schema({name: schema[name] for name in key}), keys=key)
        if self._short:
            try:
                self._clean = CleanRows(self._name, self._source, schema=schema)
            except FaultsError:  # bulk says it, with the rows at hand
                self._clean = None

    def _judged(self, rows: Sequence[Sent], *, now: Instant, asking: bool = True) -> Judged:
        """Judge rows; unless ``asking``, the contract isn't asked."""
        bulk = self._bulk if asking else BulkRows(self._name, self._source, inspector=None)
        if self._clean is None:
            fitting, faults = self._fitting(rows)
            return bulk.judge(fitting, now=now, schema=self.schema, faults=faults)
        judged, odd = self._clean.read(rows, now=now)
        if odd:
            fitting, faults = self._fitting([rows[place] for place in odd], odd, count=len(rows))
            judged.put(bulk.judge(fitting, now=now, schema=self.schema, faults=faults), odd)
        return judged

    def _fitting(
        self, rows: Sequence[Sent], places: Sequence[int] | None = None, *, count: int | None = None
    ) -> tuple[Sequence[Sent], Faults]:
        """Give rows with objects made columns, and what is wrong with some; refuse unknown fields."""
        objects = set[str]()
        flattened = [flat(row, objects) for row in rows]
        fitting: Sequence[Sent] = [row for row, _ in flattened]
        strange = {name for row in fitting for name in row} - self._fields
        objects |= {name for name in strange if any(field.startswith(f"{name}_") for field in self._fields)}
        fitting = without_nulls(fitting, objects - self._fields - self._source.types.keys())
        if self.schema is not None:
            refuse_unknown(
                fitting,
                self._fields,
                name=self._name,
                places=range(len(rows)) if places is None else places,
                count=len(rows) if count is None else count,
            )
        return fitting, {
            place: ("data.column-twice", f"two values stood for {twice}")
            for place, (_, twice) in enumerate(flattened)
            if twice is not None
        }

    def _own_values(self, key: Key, now: Instant | None) -> Row | None:
        """Give all own columns of a row's newest version."""
        standing = self._known.standing(key)
        newest = None if standing is None else standing.newest(now)
        if newest is None or self.schema is None:
            return None
        values, content = newest
        if not isinstance(content, int):
            return dict(zip(self.schema, content, strict=True))
        return {name: values[name] for name in self.schema}

    def _set_aside(self, rows: Sequence[Sent], taken: Sequence[TakenRow]) -> Iterator[SetAside]:
        for sent, row in zip(rows, taken, strict=True):
            if row.code is None or row.reason is None:
                continue
            text = as_json(sent)
            content = _ASIDE.of([self._name, row.code, text])
            if content not in self._aside:
                self._aside.add(content)
                yield SetAside(row.code, row.reason, text, content)
