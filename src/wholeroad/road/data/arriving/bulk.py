"""The long way in: rows through the code that lands batches, for all that isn't plain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from wholeroad.core.errors import UserError
from wholeroad.core.instants import Instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.arriving.judged import Judged
from wholeroad.road.data.arriving.reading import Faults, read_rows, targets_of
from wholeroad.road.data.batches import CLAIMED, CODE, REASON, ROW, Batch
from wholeroad.road.data.contracts.inspecting import Inspector
from wholeroad.road.data.landing import Prepared, prepare
from wholeroad.road.data.mending.applying import Mender
from wholeroad.road.data.presence import Presence, Stored
from wholeroad.road.data.row_versions import Key
from wholeroad.road.data.versions import HAPPENED

_NOTHING: Final = np.zeros(0, dtype=np.int64)


class BulkRows:
    """Mends, casts, times and judges rows of a source as landing a batch of them does.

    Parameters
    ----------
    name, source
        The source.
    inspector
        Makes what asks the contract of rows that come together; None without a contract.
    """

    def __init__(
        self, name: str, source: SourceTable, *, inspector: Callable[[], Inspector | None] | None
    ) -> None:
        self._name = name
        self._source = source
        self._inspector = inspector

    def judge(
        self, rows: Sequence[Mapping[str, Any]], *, now: Instant, schema: pl.Schema | None, faults: Faults
    ) -> Judged:
        """Judge rows that land at ``now``.

        Parameters
        ----------
        schema
            The source's stored columns; None before its first landing.
        faults
            What is wrong with rows already.

        Raises
        ------
        UserError
            ``service.batch-refused``, and what :func:`~wholeroad.road.data.landing.land` raises.
        """
        targets = targets_of(self._name, self._source, schema=schema)
        if schema is None:  # columns in the order in which they come
            targets = {name: targets.get(name) for row in rows for name in row} | targets
        frame, lost = read_rows(rows, targets)
        return self._judged(frame, lost | faults, now=now, schema=schema)

    def keys_of(self, rows: Sequence[Mapping[str, Any]], *, schema: pl.Schema) -> list[Key | None]:
        """Read the keys of rows, or of as much of them as is there; None for one that can't be read."""
        key = self._source.key
        if self._source.mend is not None:
            places = [list(schema).index(name) for name in key]
            # Each by itself: a mend may look at rows beside one another.
            judged = [self.judge([row], now=0, schema=schema, faults={}).values[0] for row in rows]
            return [None if values is None else tuple(values[place] for place in places) for values in judged]
        frame, faults = read_rows(
            [{name: row.get(name) for name in key} for row in rows], {name: schema[name] for name in key}
        )
        read = frame.select(pl.all().to_physical()).rows()
        return [None if place in faults or None in values else values for place, values in enumerate(read)]

    def _judged(
        self, frame: pl.DataFrame, faults: Faults, *, now: Instant, schema: pl.Schema | None
    ) -> Judged:
        count = frame.height
        places = [place for place in range(count) if place not in faults]
        nothing: list[Instant | None] = [None] * count
        judged = Judged([None] * count, nothing, list(nothing), dict(faults))
        if not places:
            return judged
        inspector = None if self._inspector is None else self._inspector()
        prepared = self._prepared(frame, faults, now=now, schema=schema, inspector=inspector)
        if inspector is not None:
            asked = inspector.result()
            if asked.holds:
                raise self._refused("; ".join(each.said for each in asked.holds), count)
            judged.broken = asked.broken
        _fill(judged, places, prepared)
        judged.mended = prepared.mended
        if schema is None and len(judged.blamed) < count:
            judged.schema = prepared.shaped.frame.schema
        return judged

    def _prepared(
        self,
        frame: pl.DataFrame,
        faults: Faults,
        *,
        now: Instant,
        schema: pl.Schema | None,
        inspector: Inspector | None,
    ) -> Prepared:
        bad = _bad(faults)
        if bad is not None:
            frame = frame[[place for place in range(frame.height) if place not in faults]]
        source = self._source
        mender = None
        if source.mend is not None:
            where = f"[source.{self._name}.mend]"
            mender = Mender(source.mend, where=where, timezone=source.timezone)
        return prepare(
            Batch(frame, landed_at=now, imported=False, bad=bad),
            source,
            name=self._name,
            stored=None if schema is None else Stored(schema, Presence(_NOTHING), 1, _NOTHING),
            mender=mender,
            inspector=inspector,
        )

    def _refused(self, said: str, count: int) -> UserError:
        return UserError(
            "service.batch-refused",
            f"[source.{self._name}]: the rows broke what its contract says must hold",
            happened=f"{said}; none of the {count:,} rows landed",
            expected="rows that keep every clause with if_broken = 'hold'",
            fix="correct the rows and send them again, or change the clause in the brief",
        )


def _bad(faults: Faults) -> pl.DataFrame | None:
    """Give rows that couldn't be read as landing takes them from a reader: their places and faults."""
    if not faults:
        return None
    told = sorted((place, *fault) for place, fault in faults.items())
    return pl.DataFrame(
        [(place + 1, code, reason) for place, code, reason in told],
        schema={ROW: pl.Int64, CODE: pl.String, REASON: pl.String},
        orient="row",
    )


def _fill(judged: Judged, places: Sequence[int], prepared: Prepared) -> None:
    """Put what was found of some rows in their places."""
    shaped, timed = prepared.shaped, prepared.timed
    columns = [column.to_physical().to_list() for column in shaped.frame.iter_columns()]
    happened, claimed = (timed[name].to_physical().to_list() for name in (HAPPENED, CLAIMED))
    codes, reasons = shaped.verdict.codes.to_list(), shaped.verdict.reasons.to_list()
    happened_at, claimed_at = list(judged.happened_at), list(judged.claimed_at)
    for row, place in enumerate(places):
        happened_at[place], claimed_at[place] = happened[row], claimed[row]
        if codes[row] is not None:
            judged.blamed[place] = codes[row], reasons[row]
        else:
            judged.values[place] = [column[row] for column in columns]
    judged.happened_at, judged.claimed_at = happened_at, claimed_at
