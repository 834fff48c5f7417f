"""What came for one source, out of the hot log's records into frames: versions, rows set aside, raw rows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from wholeroad.core.instants import Instant
from wholeroad.engine.raw import LANDED_AT
from wholeroad.engine.service.records import Aside, RowsIn
from wholeroad.road.data.batches import CLAIMED, CODE, LANDED, QUARANTINE, REASON, ROW, VERSION
from wholeroad.road.data.casting import INSTANT, KINDS
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.versions import DELETED, HAPPENED

_TYPES: Final[dict[str, pl.DataType]] = {**KINDS, "date": pl.Date()}


class Came(NamedTuple):
    """Rows of one source in one record of the hot log: its number, its instant, the rows."""

    number: int
    at: Instant
    rows: RowsIn


def types_of(words: Mapping[str, str]) -> dict[str, pl.DataType]:
    """Give the types of columns by their words, as :class:`RowsIn` says them."""
    return {name: _TYPES[word] for name, word in words.items()}


def column(name: str, values: Sequence[Any], *, dtype: pl.DataType) -> pl.Series:
    """Make a column of physical values: instants in microseconds, dates in days.

    Examples
    --------
    >>> column("at", [0, None], dtype=INSTANT).to_list()[1], column("on", [1], dtype=pl.Date()).to_list()
    (None, [datetime.date(1970, 1, 2)])
    """
    if isinstance(dtype, pl.Datetime | pl.Duration):
        return pl.Series(name, values, dtype=pl.Int64).cast(dtype)
    if isinstance(dtype, pl.Date):
        return pl.Series(name, values, dtype=pl.Int32).cast(dtype)
    return pl.Series(name, values, dtype=dtype)


def frame(rows: Sequence[Sequence[Any]], types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Make a frame of rows of physical values, in the order of the columns."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(types)
    return pl.DataFrame(
        [
            column(name, values, dtype=dtype)
            for values, (name, dtype) in zip(columns, types.items(), strict=True)
        ]
    )


def versions_of(came: Iterable[Came], types: Mapping[str, pl.DataType]) -> tuple[pl.DataFrame, pl.Series]:
    """Give the new versions, as :func:`~wholeroad.road.data.landing.numbered` takes them, and their instants.

    Hashes of their content that were not computed are computed here.
    """
    came = list(came)
    rows = frame([row for each in came for row in each.rows.values], types)
    said = np.array([each for one in came for each in one.rows.version], dtype=np.int64)
    versions = said
    if rows.height and not said.all():
        versions = np.where(said == 0, row_hashes(rows).view(np.int64), said)
    times = {HAPPENED: "happened_at", CLAIMED: "claimed_at"}
    made = rows.with_columns(
        *(
            column(name, [at for each in came for at in getattr(each.rows, field)], dtype=INSTANT)
            for name, field in times.items()
        ),
        pl.Series(VERSION, versions, dtype=pl.Int64),
        pl.lit(value=False).alias(DELETED),
    )
    landed = column(LANDED, [each.at for each in came for _ in each.rows.values], dtype=INSTANT)
    return made, landed


def aside_of(name: str, came: Iterable[Came]) -> pl.DataFrame:
    """Give the rows that were set aside, as the quarantine keeps them."""
    rows = [
        (name, each.code, each.reason, each.row, each.number, one.at, each.content)
        for one in came
        for each in one.rows.aside
    ]
    return frame(rows, QUARANTINE)


def raw_parts(
    came: Iterable[Came], types: Mapping[str, pl.DataType]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame | None]]:
    """Give what to keep so that the rows can land again: as they were sent, or else as they landed.

    Each part has a column that tells when its rows landed, since they are of several records. Parts follow
    each other where the columns or types of what was sent change.
    """
    said = [(_raw_of(each, types), each) for each in came]
    for _, group in groupby(said, key=lambda each: (each[1].rows.sent is None, repr(each[0].schema))):
        some = list(group)
        rows = pl.concat([_landing_at(raw, each.at) for raw, each in some])
        aside = [each for _, each in some if each.rows.sent is None and each.rows.aside]
        bad = [_landing_at(_unread(each.rows.aside, types, len(each.rows.values)), each.at) for each in aside]
        if rows.height or bad:
            yield rows, pl.concat(bad) if bad else None


def _raw_of(each: Came, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if each.rows.sent is None:
        return frame(each.rows.values, types)
    return pl.read_ipc(io.BytesIO(each.rows.sent))


def _landing_at(rows: pl.DataFrame, at: Instant) -> pl.DataFrame:
    return rows.with_columns(pl.lit(at).cast(INSTANT).alias(LANDED_AT))


def _unread(aside: Sequence[Aside], types: Mapping[str, pl.DataType], before: int) -> pl.DataFrame:
    """Write rows that were set aside as a reader writes those that it can't read: texts, and the reason."""
    sent = [json.loads(each.row) for each in aside]
    texts = {name: [_text(row.get(name)) for row in sent] for name in types}
    said = {CODE: [each.code for each in aside], REASON: [each.reason for each in aside]}
    places = pl.Series(ROW, range(before + 1, before + len(sent) + 1), dtype=pl.Int64)
    return pl.DataFrame({**texts, **said}, schema=dict.fromkeys([*types, *said], pl.String)).with_columns(
        places
    )


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
