"""From stored versions back to their batch, their raw rows, and what each step of the mend did to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant, to_instant
from wholeroad.core.ports import Blobs, Tables
from wholeroad.engine.holding import mender_of, unmarked
from wholeroad.engine.manifests import Line, Manifests, table_of
from wholeroad.engine.raw import RawRows
from wholeroad.engine.traced import BatchTraced, RawState, RowTraced, StepTraced
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.batches import CLAIMED, LANDED, SEQ, SYSTEM, VERSION, Batch
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.landing import prepare
from wholeroad.road.data.mending.applying import Touched
from wholeroad.road.data.mending.differing import column_differs
from wholeroad.road.data.presence import Presence, Stored
from wholeroad.road.data.quarantine import row_numbers
from wholeroad.road.data.versions import DELETED, HAPPENED, KNOWN

_AT_ONCE: Final = 8
"""Columns of a table that are read together: of a wide one only some rows are wanted."""

_NOTHING: Final = np.zeros(0, dtype=np.int64)


class _Raw(NamedTuple):
    """A raw row: one row of a frame, and its place in the batch."""

    frame: pl.DataFrame
    number: int


class _Part(NamedTuple):
    """What the fine rows of a part came to: the hash of each, its place in the part and in the batch."""

    entry: str
    content: NDArray[np.int64]
    places: NDArray[np.int64]
    numbers: NDArray[np.int64]


class TracedSource:
    """The stored versions of one source, with the way back.

    Parameters
    ----------
    name, source
        Its name and its table in the brief: the versions are those of its present reading.
    tables, facts, blobs
        The project's; ``facts`` is the whole ledger.
    """

    def __init__(
        self, name: str, source: SourceTable, *, tables: Tables, facts: Sequence[Fact], blobs: Blobs
    ) -> None:
        self._name = name
        self._source = source
        self._tables = tables
        self._raw = RawRows(blobs)
        self._lines = Manifests.of(facts, name, source=source).standing
        self._landed: dict[str, list[_Part]] = {}

    @property
    def schema(self) -> pl.Schema:
        """All columns of the table, ours included."""
        return self._tables.schema(table_of(self._name, self._source))

    def narrow(self, columns: Sequence[str]) -> pl.DataFrame:
        """Give some columns of every version, in the order of the table, with their place there."""
        table = table_of(self._name, self._source)
        return self._tables.read(table, list(dict.fromkeys(columns))).with_row_index("place")

    def traced(self, places: Sequence[int]) -> tuple[RowTraced, ...]:
        """Trace some versions, by their place in the table."""
        stored = self._rows(places)
        lines = [self._line(row) for row in stored.select(SEQ, LANDED).iter_rows(named=True)]
        found: dict[int, _Raw | None] = {}
        for line in dict.fromkeys(line.batch for line in lines if line is not None):
            of_line = [n for n, each in enumerate(lines) if each is not None and each.batch == line]
            one = lines[of_line[0]]
            wanted = {n: int(stored[VERSION][n]) for n in of_line if not stored[DELETED][n]}
            if one is not None and one.fact.raw and self._raw.there(one.fact.raw):
                derived = dict(self._derived(one, {*wanted.values()}))
                found |= {n: derived.get(version) for n, version in wanted.items()}
        rows = stored.iter_rows(named=True)
        return tuple(
            self._row(row, line, found.get(n)) for n, (row, line) in enumerate(zip(rows, lines, strict=True))
        )

    def _rows(self, places: Sequence[int]) -> pl.DataFrame:
        table, names = table_of(self._name, self._source), [*self.schema]
        parts = [
            self._tables.read(table, names[start : start + _AT_ONCE])[list(places)]
            for start in range(0, len(names), _AT_ONCE)
        ]
        return pl.concat(parts, how="horizontal")

    def _line(self, row: Mapping[str, Any]) -> Line | None:
        """Give the first batch that ends beyond the row's number; in lines of old, the one of its instant."""
        numbered = [line for line in self._lines if line.fact.first_seq]
        for line in numbered:
            if row[SEQ] < line.fact.first_seq + line.fact.landed + line.fact.deleted:
                return line
        same = [line for line in self._lines if line.fact.at == to_instant(row[LANDED])]
        return same[0] if len(same) == 1 else None

    def _derived(self, line: Line, versions: set[int]) -> Iterator[tuple[int, _Raw]]:
        """Give the raw rows that come to some versions."""
        waiting = set(versions)
        for part in self._contents(line):
            places = {each: np.flatnonzero(part.content == each) for each in sorted(waiting)}
            hits = {each: int(found[0]) for each, found in places.items() if found.size}
            if hits:
                rows, _, _ = unmarked(self._raw.part(part.entry))
                for version, at in hits.items():
                    yield version, _Raw(rows.slice(int(part.places[at]), 1), int(part.numbers[at]))
            waiting -= hits.keys()

    def _contents(self, line: Line) -> list[_Part]:
        """Land a batch again, on paper, and remember what its rows came to."""
        if line.batch in self._landed:
            return self._landed[line.batch]
        fact, mender = line.fact, mender_of(self._name, self._source)
        stored = Stored(self.schema, Presence(_NOTHING), 1, _NOTHING)
        before, parts = 0, []
        for part in self._raw.parts(fact.raw):
            rows, bad, _ = unmarked(part)
            batch = Batch(
                rows,
                landed_at=fact.at,
                imported=fact.imported,
                bad=bad,
                dumped_at=fact.dumped_at,
                rows_before=before,
            )
            prepared = prepare(batch, self._source, name=self._name, stored=stored, mender=mender)
            fine = prepared.shaped.verdict.fine().to_numpy()
            content = row_hashes(prepared.timed.drop(HAPPENED, CLAIMED)).view(np.int64)
            numbers = (row_numbers(batch) + before).to_numpy()
            parts.append(_Part(part.entry, content[fine], np.flatnonzero(fine), numbers[fine]))
            before += batch.rows_in
        self._landed[line.batch] = parts
        return parts

    def _row(self, row: Mapping[str, Any], line: Line | None, raw: _Raw | None) -> RowTraced:
        state: RawState = "found"
        if raw is None:
            kept = line is not None and (line.fact.raw or line.fact.mend)
            state = "tombstone" if row[DELETED] else "lost" if kept else "as landed"
        mend = self._source.mend
        return RowTraced(
            source=self._name,
            values={name: value for name, value in row.items() if name not in SYSTEM},
            happened_at=_instant(row[HAPPENED]),
            known_at=_instant(row[KNOWN]),
            claimed_at=_instant(row[CLAIMED]),
            landed_at=to_instant(row[LANDED]),
            seq=row[SEQ],
            deleted=row[DELETED],
            batch=None if line is None else _batch(line),
            raw_state=state,
            raw=None if raw is None else raw.frame.row(0, named=True),
            raw_number=None if raw is None else raw.number,
            steps=() if raw is None else self._steps(raw.frame),
            asked_by=mend.asked_by if mend is not None else "",
        )

    def _steps(self, raw: pl.DataFrame) -> tuple[StepTraced, ...]:
        mender, mend = mender_of(self._name, self._source), self._source.mend
        if mender is None or mend is None:
            return ()
        steps = zip(mender.follow(raw), mend.steps, strict=True)
        return tuple(_step(touched, step.reason) for touched, step in steps if touched.changed[0])


def _step(touched: Touched, reason: str) -> StepTraced:
    before, after = touched.before, touched.after
    differing = {
        name
        for name in (*before.columns, *after.columns)
        if name not in before.columns
        or name not in after.columns
        or column_differs(before[name], after[name])[0]
    }
    was, now = (frame.row(0, named=True) if frame.width else {} for frame in (before, after))
    return StepTraced(
        touched.label,
        reason,
        before={name: value for name, value in was.items() if name in differing},
        after={name: value for name, value in now.items() if name in differing},
    )


def _batch(line: Line) -> BatchTraced:
    fact = line.fact
    return BatchTraced(
        batch=line.batch,
        read=fact.read,
        landed_at=fact.at,
        imported=fact.imported,
        mend=fact.mend,
        again=fact.again,
        rows_in=fact.rows_in,
        landed=fact.landed,
        repeated=fact.repeated,
        quarantined=fact.quarantined,
    )


def _instant(value: Any) -> Instant | None:  # noqa: ANN401 - a date-time or nothing
    return None if value is None else to_instant(value)
