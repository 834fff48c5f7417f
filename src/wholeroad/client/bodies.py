"""Rows as bodies of requests, each below what the service takes at once."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from math import isinf
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wholeroad.client.errors import bad_use

if TYPE_CHECKING:
    import polars as pl

Row = Mapping[str, Any]
"""Values by column: numbers, texts, booleans, None, dates, date-times (without an offset: UTC), spans."""

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 4 << 20
"""Half of what the service takes, so that nothing has to be counted to the byte."""

NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
_MICROSECOND: Final = timedelta(microseconds=1)


def of_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    r"""Write rows as NDJSON, in as many bodies as it takes; an iterator is read as it is sent.

    Examples
    --------
    >>> list(of_rows([{"parcel_id": 7, "took": timedelta(hours=1)}, {"parcel_id": 8}]))
    [b'{"parcel_id":7,"took":3600000000}\n{"parcel_id":8}']
    """
    lines: list[bytes] = []
    size = 0
    for row in rows:
        line = encoded(row)
        if lines and (len(lines) == MOST_ROWS or size + len(line) >= MOST_BYTES):
            yield b"\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield b"\n".join(lines)


def of_frame(frame: pl.DataFrame) -> Iterator[bytes]:
    """Write a frame as Arrow IPC streams, in as many bodies as it takes."""
    each = max(1, int(frame.estimated_size()) // max(1, frame.height))
    rows = max(1, min(MOST_ROWS, MOST_BYTES // each))
    for part in frame.iter_slices(rows):
        if part.height:
            yield from _streams(part)


def _streams(frame: pl.DataFrame) -> Iterator[bytes]:
    body = io.BytesIO()
    frame.rechunk().write_ipc_stream(body, compression="uncompressed")
    if body.tell() <= MOST_BYTES or frame.height == 1:
        yield body.getvalue()
        return
    middle = frame.height // 2  # rows of very different lengths
    yield from _streams(frame[:middle])
    yield from _streams(frame[middle:])


def of_cases(cases: list[Row], *, most: int) -> Iterator[list[msgspec.Raw]]:
    """Write cases in JSON, in as many groups as it takes."""
    group: list[msgspec.Raw] = []
    size = 0
    for case in cases:
        line = encoded(case)
        if group and (len(group) == most or size + len(line) >= MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(msgspec.Raw(line))
        size += len(line) + 1
    if group:
        yield group


def encoded(row: object) -> bytes:
    """Write one row in JSON; NaN is null, spans are microseconds, as they are in Arrow, and Infinity is none.

    Raises
    ------
    UserError
        ``client.use``: a value that no row can hold.
    """
    if not isinstance(row, Mapping):
        happened = f"a row was a {type(row).__name__}"
        raise bad_use(
            happened,
            expected="a dictionary of values by column, or a Polars frame of rows",
            fix="send rows as dictionaries",
        )
    try:
        return msgspec.json.encode({name: _plain(value) for name, value in row.items()}, enc_hook=_foreign)
    except (TypeError, ValueError, RecursionError) as error:
        happened = f"a row had a value that can't be sent: {error}"
        raise bad_use(
            happened,
            expected="numbers, texts, booleans, None, dates, date-times and spans",
            fix="turn the value into one of these",
        ) from None


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and isinf(value):
        message = f"{value}, which is no number"
        raise ValueError(message)
    return value


def _foreign(value: object) -> object:
    """Give the plain value of a scalar of NumPy."""
    item = getattr(value, "item", None)
    if item is None or getattr(value, "shape", None) != ():
        message = f"a {type(value).__name__}"
        raise TypeError(message)
    return _plain(item())
