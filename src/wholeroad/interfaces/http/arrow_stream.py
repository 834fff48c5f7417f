"""An Arrow IPC stream, taken apart: its fields and its batches, every offset checked.

Polars reads such streams too, and trusts them: a length that was changed on the way made it ask for 118 TB of
memory, which ends the process, and with it everybody else's requests. What comes from outside is read here,
where the worst outcome is an exception. (Arrow columnar format 1.5, *Serialization and interprocess
communication*; the metadata are FlatBuffers.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wholeroad.interfaces.http.refusals import RequestError

_CONTINUES: Final = 0xFFFFFFFF
_SCHEMA: Final = 1
_DICTIONARY: Final = 2
_BATCH: Final = 3
_MOST_FIELDS: Final = 65_536


class BrokenError(Exception):
    """The stream says what can't be."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Attributes
    ----------
    kind
        The number of its type in Arrow's ``Type`` union.
    sizes
        What the type's own table says, by place: width, precision, unit, scale.
    dictionary
        The number of its dictionary; None where values stand in the batches themselves.
    index
        Bits of the dictionary's indices, and whether they are signed.
    nested
        Whether it has columns of its own.
    """

    name: str
    kind: int
    sizes: tuple[int, int, int]
    dictionary: int | None
    index: tuple[int, bool]
    nested: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A batch of rows, or a dictionary.

    Attributes
    ----------
    dictionary
        Its number; None for rows.
    grows
        Whether the dictionary's values are added to those before.
    rows
        As the batch says, and as each of its columns does.
    lengths
        Rows of each column.
    buffers
        Bytes of each.
    views
        For each column of views, how many buffers it has beyond the first two.
    """

    dictionary: int | None
    grows: bool
    rows: int
    lengths: tuple[int, ...]
    buffers: tuple[memoryview, ...]
    views: tuple[int, ...]


class _Table:
    """A table of FlatBuffers."""

    __slots__ = ("_at", "_data", "_ends", "_fields")

    def __init__(self, data: memoryview, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - _one(data, "<i", at)
        self._ends = self._fields + _one(data, "<H", self._fields)

    @classmethod
    def root(cls, data: memoryview) -> _Table:
        return cls(data, _one(data, "<I", 0))

    def _place(self, field: int) -> int | None:
        slot = self._fields + 4 + 2 * field
        if slot + 2 > self._ends:
            return None
        offset = _one(self._data, "<H", slot)
        return self._at + offset if offset else None

    def number(self, field: int, form: str, *, default: int = 0) -> int:
        place = self._place(field)
        return default if place is None else _one(self._data, form, place)

    def _points(self, field: int) -> int | None:
        place = self._place(field)
        return None if place is None else place + _one(self._data, "<I", place)

    def table(self, field: int) -> _Table | None:
        place = self._points(field)
        return None if place is None else _Table(self._data, place)

    def tables(self, field: int) -> Iterator[_Table]:
        start, count = self._vector(field, 4)
        for place in range(start, start + 4 * count, 4):
            yield _Table(self._data, place + _one(self._data, "<I", place))

    def numbers(self, field: int, *, each: int = 1) -> list[tuple[int, ...]]:
        start, count = self._vector(field, 8 * each)
        return list(struct.iter_unpack(f"<{each}q", self._data[start : start + 8 * each * count]))

    def has(self, field: int) -> bool:
        return self._place(field) is not None

    def text(self, field: int) -> str:
        start, count = self._vector(field, 1)
        return bytes(self._data[start : start + count]).decode()

    def _vector(self, field: int, size: int) -> tuple[int, int]:
        place = self._points(field)
        if place is None:
            return 0, 0
        count = _one(self._data, "<I", place)
        if place + 4 + count * size > len(self._data) or count > _MOST_FIELDS * 8:
            raise BrokenError
        return place + 4, count


def _one(data: memoryview, form: str, at: int) -> int:
    if at < 0:
        raise BrokenError
    (value,) = struct.unpack_from(form, data, at)
    return int(value)


def open_stream(body: bytes) -> tuple[list[Field], Iterator[Part]]:
    """Take a stream apart.

    Returns
    -------
    tuple[list[Field], Iterator[Part]]
        Its columns, and what follows, in order; a fault further on is raised when it is come to.

    Raises
    ------
    RequestError
        ``request.malformed-arrow``.
    """
    messages = _messages(memoryview(body))
    try:
        kind, header, _ = next(messages)
        if kind != _SCHEMA or header.number(0, "<h") != 0:
            raise BrokenError  # noqa: TRY301 (one way out for all)
        fields = [_field(table) for table in header.tables(1)]
    except (BrokenError, StopIteration, struct.error, UnicodeDecodeError):
        raise malformed() from None
    return fields, _parts(messages)


def malformed() -> RequestError:
    """Say that it is no Arrow stream: ``request.malformed-arrow``."""
    return RequestError(
        "request.malformed-arrow",
        "The body can't be read as an Arrow stream",
        status=400,
        happened="its lengths and places contradict each other, or it stops in the middle",
        expected="an Arrow IPC stream (not a file), little-endian, without compression",
        fix="write it as pyarrow.ipc.new_stream or polars.DataFrame.write_ipc_stream do",
    )


def _messages(data: memoryview) -> Iterator[tuple[int, _Table, memoryview]]:
    at = 0
    while at + 4 <= len(data):
        size = _one(data, "<I", at)
        at += 4
        if size == _CONTINUES:
            size = _one(data, "<I", at)
            at += 4
        if size == 0:
            return
        if at + size > len(data):
            raise BrokenError
        message = _Table.root(data[at : at + size])
        at += size
        length = message.number(3, "<q")
        header = message.table(2)
        if header is None or not 0 <= length <= len(data) - at:
            raise BrokenError
        yield message.number(1, "<B"), header, data[at : at + length]
        at += length


def _parts(messages: Iterator[tuple[int, _Table, memoryview]]) -> Iterator[Part]:
    try:
        for kind, header, body in messages:
            if kind == _BATCH:
                yield _part(header, body, dictionary=None, grows=False)
            elif kind == _DICTIONARY:
                batch = header.table(1)
                if batch is None:
                    raise BrokenError  # noqa: TRY301 (one way out for all)
                yield _part(
                    batch, body, dictionary=header.number(0, "<q"), grows=bool(header.number(2, "<B"))
                )
            else:
                raise BrokenError  # noqa: TRY301
    except (BrokenError, struct.error, UnicodeDecodeError):
        raise malformed() from None


def _field(table: _Table) -> Field:
    kind = table.number(2, "<B")
    own = table.table(3)
    coding = table.table(4)
    index = coding.table(1) if coding else None
    return Field(
        name=table.text(0),
        kind=kind,
        sizes=_sizes(kind, own) if own else (0, 0, 0),
        dictionary=coding.number(0, "<q") if coding else None,
        index=(index.number(0, "<i"), bool(index.number(1, "<B"))) if index else (32, True),
        nested=any(True for _ in table.tables(5)),
    )


_INTEGER: Final = 2
_DECIMAL: Final = 7
_DEFAULT_UNITS: Final = {8: 1, 9: 1, 18: 1}
"""Milliseconds, for dates, times of day and spans that don't say their unit."""


def _sizes(kind: int, own: _Table) -> tuple[int, int, int]:
    if kind == _INTEGER:
        return own.number(0, "<i"), own.number(1, "<B"), 0
    if kind == _DECIMAL:
        return own.number(0, "<i"), own.number(1, "<i"), own.number(2, "<i", default=128)
    return own.number(0, "<h", default=_DEFAULT_UNITS.get(kind, 0)), 0, 0


def _part(batch: _Table, body: memoryview, *, dictionary: int | None, grows: bool) -> Part:
    if batch.has(3):
        raise RequestError(
            "request.compressed-arrow",
            "The Arrow stream is compressed",
            status=415,
            happened="the buffers of a batch were compressed",
            expected="an Arrow IPC stream without compression",
            fix='write it with compression="uncompressed"',
        )
    buffers = []
    for offset, length in batch.numbers(2, each=2):
        if offset < 0 or length < 0 or offset + length > len(body):
            raise BrokenError
        buffers.append(body[offset : offset + length])
    return Part(
        dictionary=dictionary,
        grows=grows,
        rows=batch.number(0, "<q"),
        lengths=tuple(length for length, _ in batch.numbers(1, each=2)),
        buffers=tuple(buffers),
        views=tuple(count for (count,) in batch.numbers(4)),
    )
