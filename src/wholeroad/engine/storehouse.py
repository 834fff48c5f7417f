"""The landed sources of a project, as its brief reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.facts import Fact
from wholeroad.core.ids import chance, digest
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Progress, Tables
from wholeroad.engine.manifests import held, quarantine_of, still_aside, table_of, waits_for
from wholeroad.engine.reviewing import built_in
from wholeroad.road.brief.contract import Brief, SourceTable
from wholeroad.road.data.batches import CLAIMED, LANDED, QUARANTINE, SEQ, SYSTEM, VERSION
from wholeroad.road.data.binding import bind_brief, used_columns
from wholeroad.road.data.cases import key_hash
from wholeroad.road.data.contracts.questioning import contract_columns
from wholeroad.road.data.history import History
from wholeroad.road.data.timeless import stand_still
from wholeroad.road.data.versioning import known_at_once, logical_hash, to_versions
from wholeroad.road.data.versions import DELETED, KNOWN, ORDER, Versions
from wholeroad.road.data.work import assemble, last_known


class Storehouse:
    """What has landed, ready to be looked at.

    Parameters
    ----------
    threads
        For the features; no result depends on it.
    at_once
        Sources whose rows are taken as known when they happened: what if they were fresher.
    facts
        Gives those of the ledger, anew at each call: they tell which rows of the quarantine came back
        mended, and what is held back; without it all rows are given.
    """

    def __init__(
        self,
        brief: Brief,
        tables: Tables,
        *,
        threads: int,
        at_once: Collection[str] = (),
        facts: Callable[[], Iterable[Fact]] = tuple,
    ) -> None:
        self._brief = brief
        self._tables = tables
        self._threads = threads
        self._at_once = frozenset(at_once)
        self._facts = facts

    def source(self, name: str) -> SourceTable:
        """Give a source's table of the brief: ``brief.unknown-source`` otherwise."""
        if name not in self._brief.source:
            raise UserError(
                "brief.unknown-source",
                "There is no such source",
                happened=f"was {name!r}",
                expected=f"one of {', '.join(self._brief.source)}",
                fix="name a source of the brief",
            )
        return self._brief.source[name]

    def schema(self, name: str) -> pl.Schema:
        """Give the source's own columns, without ours: ``data.not-landed`` before anything landed."""
        source = self._brief.source[name]
        table = table_of(name, source)
        if not self._tables.exists(table):
            if waiting := held(self._facts(), name):
                raise waits_for(waiting)
            to_be = source.read == "none"
            raise UserError(
                "data.not-landed",
                "A source has no data yet",
                happened=f"nothing was landed for {name} with the key, times, mend and contract it has now",
                expected="rows",
                fix='its read is "none": see the collection plan with wholeroad check, then say what to read'
                if to_be
                else "run wholeroad land, or land_rows from Python",
            )
        schema = self._tables.schema(table)
        return pl.Schema({column: kind for column, kind in schema.items() if column not in SYSTEM})

    def rows(self, name: str) -> int:
        """Count the row versions of a source; 0 before anything landed."""
        table = table_of(name, self.source(name))
        return self._tables.read(table, [KNOWN]).height if self._tables.exists(table) else 0

    def versions(self, name: str, columns: Collection[str] | None = None) -> Versions:
        """Give every landed version of a source's rows, with some columns or all; the key comes along."""
        table = self.source(name)
        schema = self.schema(name)
        wanted = None
        if columns is not None:
            own = [column for column in schema if column in {*table.key, *columns}]
            wanted = [*own, *(column for column in SYSTEM if column not in (CLAIMED, LANDED, SEQ))]
        stored = self._tables.read(table_of(name, table), wanted)
        return to_versions(
            known_at_once(stored, table) if name in self._at_once else stored, table, name=name
        )

    def sampled(self, name: str, most: int) -> tuple[Versions, float]:
        """Give all versions of some keys, drawn by their hash so that there are at most so many rows or so.

        Columns are read a few at a time: only what is drawn is held.

        Returns
        -------
        versions, share
            And the share of the keys that were drawn, 1 where all were.
        """
        table = self.source(name)
        schema, rows = self.schema(name), self.rows(name)
        if rows <= most:
            return self.versions(name), 1.0
        stored = table_of(name, table)
        keys = self._tables.read(stored, list(table.key)).select(key_hash(list(table.key))).to_series()
        drawn = chance(keys.to_numpy(), seed=0, salt="profile") < most / rows
        picked = pl.Series(drawn)
        parts = [
            self._tables.read(stored, names).filter(picked)
            for names in _few([*schema, *(name for name in SYSTEM if name not in (CLAIMED, LANDED, SEQ))])
        ]
        return to_versions(pl.concat(parts, how="horizontal"), table, name=name), most / rows

    def promised(self) -> dict[str, Versions]:
        """Give what the contracts of the brief speak of: sources that have one, or are referred to."""
        wanted = {name: contract_columns(self._brief, name) for name in self._brief.source}
        return {
            name: self.versions(name, columns)
            for name, columns in wanted.items()
            if (columns or self._brief.source[name].contract) and self.rows(name)
        }

    def newest_known(self, now: Instant) -> dict[str, Instant]:
        """Give when the newest row of each source became known, not after ``now``; none without rows."""
        newest = {}
        for name, source in self._brief.source.items():
            if source.static or not self.rows(name):
                continue
            known = self._tables.read(table_of(name, source), [KNOWN])[KNOWN].to_physical()
            at = known.filter(known <= now).max()
            if at is not None:
                newest[name] = int(at)  # type: ignore[arg-type]
        return newest

    def last_known_at(self) -> Instant:
        """Give the last instant at which something became known: ``data.empty`` without any row."""
        return last_known({name: self.versions(name, ()) for name in self._brief.source if self.rows(name)})

    def quarantine(self) -> pl.DataFrame:
        """Give the rows that were set aside, each with its reason."""
        names = [quarantine_of(name, source) for name, source in self._brief.source.items()]
        frames = [self._tables.read(name) for name in names if self._tables.exists(name)]
        return still_aside(pl.concat([pl.DataFrame(schema=QUARANTINE), *frames]), self._facts())

    def digest(self, name: str) -> str:
        """Digest what is known of a source: content and when it became known, not how it was stored."""
        schema = self.schema(name)
        rows = self._tables.read(table_of(name, self._brief.source[name]), [VERSION, KNOWN, ORDER, DELETED])
        return digest(repr(schema), logical_hash(rows))

    def history(
        self,
        progress: Progress | None = None,
        *,
        until: Instant | None = None,
        reviewed: bool = True,
    ) -> History:
        """Put the history together: all of it, or what is known at ``until``, features as asked for.

        Parameters
        ----------
        reviewed
            Whether people's verdicts stand over the outcomes.
        """
        brief = self._brief
        bound = bind_brief(brief, {name: self.schema(name) for name in brief.source})
        used = used_columns(brief, bound)
        return assemble(
            brief,
            {
                **stand_still(brief, {name: self.versions(name, used[name]) for name in brief.source}),
                **(built_in(self._tables) if reviewed else {}),
            },
            bound=bound,
            threads=self._threads,
            progress=progress,
            quarantine=self.quarantine(),
            until=until,
        )


def _few(names: list[str], at_a_time: int = 4) -> list[list[str]]:
    return [names[start : start + at_a_time] for start in range(0, len(names), at_a_time)]
