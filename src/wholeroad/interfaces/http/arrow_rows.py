"""Rows out of an Arrow IPC stream, as JSON would have brought them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wholeroad.interfaces.http.arrow_stream import Field, Part, malformed, open_stream
from wholeroad.interfaces.http.json_rows import Row, beyond, too_many
from wholeroad.interfaces.http.refusals import RequestError
from wholeroad.interfaces.http.settings import HttpSettings

_KINDS: Final = [
    "nothing",
    "null",
    "integer",
    "float",
    "binary",
    "utf8",
    "bool",
    "decimal",
    "date",
    "time",
    "timestamp",
    "interval",
    "list",
    "struct",
    "union",
    "fixed-size-binary",
    "fixed-size-list",
    "map",
    "duration",
    "large-binary",
    "large-utf8",
    "large-list",
    "run-end-encoded",
    "binary-view",
    "utf8-view",
    "list-view",
    "large-list-view",
]
"""Arrow's types by their number."""

_FLOATS: Final = ("<f2", "<f4", "<f8")
_PER_SECOND: Final = (1, 10**3, 10**6, 10**9)
_DAY_MS: Final = 86_400_000
_INLINE: Final = 12
"""Bytes of a text that stand in its view itself."""

_TEXTS: Final = 4
"""The texts of all rows together may be this many times the largest body: many rows can share one."""

Values = list[Any]


def rows(body: bytes, settings: HttpSettings) -> list[Row]:
    """Read rows out of an Arrow IPC stream.

    Instants become texts in UTC with microseconds, dates texts, spans microseconds, decimals floats; NaN, by
    which frames say that a number isn't known, becomes None. Infinity is refused, as JSON's is.

    Raises
    ------
    RequestError
        Codes ``request.malformed-arrow``, ``request.compressed-arrow``, ``request.column-kind``, and as JSON:
        ``request.number-range`` among them.
    """
    fields, parts = open_stream(body)
    _check(fields, settings)
    names = [field.name for field in fields]
    dictionaries: dict[int, Values] = {}
    by_number = {field.dictionary: field for field in fields if field.dictionary is not None}
    read: list[Row] = []
    left = _TEXTS * settings.body_bytes
    for part in parts:
        if not part.rows >= 0 or any(length != part.rows for length in part.lengths):
            raise malformed()
        if part.dictionary is not None:
            field = by_number.get(part.dictionary)
            if field is None or part.rows > settings.body_bytes:
                raise malformed()
            (values,) = _columns([field], part, None)
            before = dictionaries.get(part.dictionary, []) if part.grows else []
            dictionaries[part.dictionary] = before + values
            continue
        if len(read) + part.rows > settings.rows:
            raise too_many(settings.rows)
        columns = _columns(fields, part, dictionaries)
        left -= sum(len(text) for column in columns for text in column if text.__class__ is str)
        if left < 0:
            raise _too_much_text()
        read += [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    if not read:
        raise RequestError(
            "request.nothing-sent",
            "The request doesn't say what it is about",
            status=422,
            happened="the stream had no rows",
            expected="at least one row",
            fix="send rows, or nothing at all",
        )
    return read


def _check(fields: list[Field], settings: HttpSettings) -> None:
    names = [field.name for field in fields]
    if len(fields) > settings.columns:
        raise RequestError(
            "request.too-many-columns",
            "A row has too many columns",
            status=422,
            happened=f"a row had {len(fields):,} columns",
            expected=f"at most {settings.columns:,}",
            fix="send the columns that the brief names",
        )
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise RequestError(
            "request.duplicate-key",
            "A name comes twice in one object",
            status=400,
            happened=f"{name[:80]!r} was the name of two columns",
            expected="each name once",
            fix="send the column that you mean, once",
        )
    for field in fields:
        kind = _KINDS[field.kind] if field.kind < len(_KINDS) else "unknown"
        if field.nested or (kind not in _READ and kind not in _BY_THEMSELVES):
            raise _column_kind(field, kind)


def _columns(fields: list[Field], part: Part, dictionaries: dict[int, Values] | None) -> list[Values]:
    """Read each column of a batch; None for ``dictionaries`` reads the values of one."""
    if len(part.lengths) != len(fields):
        raise malformed()
    buffers, views = iter(part.buffers), iter(part.views)
    try:
        return [_column(field, part.rows, buffers, views=views, within=dictionaries) for field in fields]
    except (ValueError, IndexError, StopIteration, RuntimeError, OverflowError, ArithmeticError):
        raise malformed() from None


def _column(
    field: Field,
    rows: int,
    buffers: Iterator[memoryview],
    *,
    views: Iterator[int],
    within: dict[int, Values] | None,
) -> Values:
    kind = _KINDS[field.kind]
    if not rows:
        return []
    coded = within is not None and field.dictionary is not None
    if kind == "null" and not coded:
        return [None] * rows
    there = _there(next(buffers), rows)
    if within is not None and field.dictionary is not None:
        places = _numbers(next(buffers), _integer_form(*field.index), rows)
        return _looked_up(places, within.get(field.dictionary, []), there)
    if kind == "utf8-view":
        first = next(buffers)
        further = [next(buffers) for _ in range(next(views))]
        return _viewed(first, further, rows=rows, there=there)
    if kind in {"utf8", "large-utf8"}:
        offsets = _numbers(next(buffers), "<i4" if kind == "utf8" else "<i8", rows + 1)
        return _nulled(_texts(offsets, next(buffers)), there)
    return _READ[kind](field, next(buffers), rows, there)


def _there(buffer: memoryview, rows: int) -> NDArray[np.bool_] | None:
    """Give which values are there; None for all."""
    return None if not len(buffer) else _bits(buffer, rows)


def _bits(buffer: memoryview, rows: int) -> NDArray[np.bool_]:
    packed = np.frombuffer(buffer, np.uint8, (rows + 7) // 8)
    return np.unpackbits(packed, count=rows, bitorder="little").astype(np.bool_)


def _integer_form(bits: int, signed: bool) -> str:  # noqa: FBT001 (as the index has them)
    if bits not in {8, 16, 32, 64}:
        raise ValueError
    return f"<{'i' if signed else 'u'}{bits // 8}"


def _numbers(buffer: memoryview, form: str, rows: int) -> NDArray[Any]:
    return np.frombuffer(buffer, form, rows)


def _nulled(values: Values, there: NDArray[np.bool_] | None) -> Values:
    if there is None or there.all():
        return values
    return [value if is_there else None for value, is_there in zip(values, there.tolist(), strict=True)]


def _looked_up(places: NDArray[Any], values: Values, there: NDArray[np.bool_] | None) -> Values:
    used = places if there is None else places[there]
    if used.size and not 0 <= int(used.min()) <= int(used.max()) < len(values):
        raise ValueError
    if there is None:
        return [values[place] for place in places.tolist()]
    pairs = zip(places.tolist(), there.tolist(), strict=True)
    return [values[place] if is_there else None for place, is_there in pairs]


def _texts(offsets: NDArray[Any], buffer: memoryview) -> Values:
    if offsets[0] < 0 or offsets[-1] > len(buffer) or (np.diff(offsets) < 0).any():
        raise ValueError
    data = bytes(buffer)
    ends = offsets.tolist()
    spans = pairwise(ends)
    if data.isascii():
        text = data.decode("ascii")
        return [text[start:end] for start, end in spans]
    return [data[start:end].decode() for start, end in spans]


def _viewed(
    first: memoryview, further: list[memoryview], *, rows: int, there: NDArray[np.bool_] | None
) -> Values:
    views = np.frombuffer(first, np.dtype([("length", "<i4"), ("head", "<i4", 3)]), rows)
    data = bytes(first)
    lengths = views["length"] if there is None else np.where(there, views["length"], 0)
    if lengths.size and int(lengths.min()) < 0:
        raise ValueError
    long = lengths > _INLINE
    if int(lengths.sum(dtype=np.int64)) > _TEXTS * (sum(map(len, further)) + len(data)) + _INLINE * rows:
        raise _too_much_text()
    read = [data[16 * row + 4 : 16 * row + 4 + length] for row, length in enumerate(lengths.tolist())]
    heads = views["head"]
    for row in np.flatnonzero(long).tolist():
        _, number, offset = heads[row].tolist()
        end = offset + int(lengths[row])
        if number < 0 or offset < 0 or end > len(further[number]):
            raise ValueError
        read[row] = bytes(further[number][offset:end])
    return _nulled([text.decode() for text in read], there)


def _integers(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    values = _numbers(buffer, _integer_form(field.sizes[0], bool(field.sizes[1])), rows)
    if values.size and int(values.max()) >= 2**63:
        plain = [float(value) if value >= 2**63 else value for value in values.tolist()]
        return _nulled(plain, there)
    return _nulled(values.tolist(), there)


def _floats(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    values = _numbers(buffer, _FLOATS[field.sizes[0]], rows)
    known = ~np.isnan(values)
    known = known if there is None else known & there
    if np.isinf(values[known]).any():
        raise beyond()
    return _nulled(values.tolist(), known)


def _booleans(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    del field
    return _nulled(_bits(buffer, rows).tolist(), there)


def _decimals(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    _, scale, bits = field.sizes
    if bits not in {32, 64, 128, 256} or not -76 <= scale <= 76 or len(buffer) < rows * bits // 8:
        raise ValueError
    size = bits // 8
    wholes = (
        int.from_bytes(buffer[size * row : size * (row + 1)], "little", signed=True) for row in range(rows)
    )
    return _nulled([float(Decimal(whole).scaleb(-scale)) for whole in wholes], there)


def _dates(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    if field.sizes[0] == 0:
        days = _numbers(buffer, "<i4", rows).astype(np.int64)
    else:
        days = _numbers(buffer, "<i8", rows) // _DAY_MS
    days = days if there is None else np.where(there, days, 0)
    return _nulled(np.datetime_as_string(days.astype("datetime64[D]")).tolist(), there)


def _microseconds(
    field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None
) -> NDArray[Any]:
    values = _numbers(buffer, "<i8", rows)
    values = values if there is None else np.where(there, values, 0)
    per = _PER_SECOND[field.sizes[0]]
    if per > 10**6:
        return values // (per // 10**6)
    factor = 10**6 // per
    bound = (2**63 - 1) // factor
    if values.size and (int(values.max()) > bound or int(values.min()) < -bound):
        raise OverflowError
    return values * factor


def _instants(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    moments = _microseconds(field, buffer, rows, there)
    texts = np.datetime_as_string(moments.astype("datetime64[us]"), timezone="UTC")
    return _nulled(texts.tolist(), there)


def _spans(field: Field, buffer: memoryview, rows: int, there: NDArray[np.bool_] | None) -> Values:
    return _nulled(_microseconds(field, buffer, rows, there).tolist(), there)


_BY_THEMSELVES: Final = frozenset({"null", "utf8", "large-utf8", "utf8-view"})
"""Kinds that don't lie in one buffer."""

_READ: Final[dict[str, Callable[[Field, memoryview, int, NDArray[np.bool_] | None], Values]]] = {
    "integer": _integers,
    "float": _floats,
    "bool": _booleans,
    "decimal": _decimals,
    "date": _dates,
    "timestamp": _instants,
    "duration": _spans,
}


def _column_kind(field: Field, kind: str) -> RequestError:
    return RequestError(
        "request.column-kind",
        "A column is of a kind that no source has",
        status=422,
        happened=f"{field.name[:80]!r} was of Arrow's type {kind}",
        expected="text, numbers, booleans, dates, timestamps, decimals or durations; nothing nested",
        fix="leave the column out, or write it as text",
    )


def _too_much_text() -> RequestError:
    return RequestError(
        "request.too-large",
        "The body is too large",
        status=413,
        happened="rows share texts that together are larger than a request may be",
        expected=f"texts of all rows together within {_TEXTS} times the largest body",
        fix="send the rows in several requests",
    )
