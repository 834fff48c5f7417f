"""Rows, cases and outcomes out of JSON: strictly, and without a second parse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from wholeroad.interfaces.http.refusals import RequestError
from wholeroad.interfaces.http.settings import HttpSettings

Row = dict[str, Any]

_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Cells = dict[str, str | _Integer | float | bool | None]
"""Plain values only, so that no request can nest deeper than its form."""

_Wide = dict[str, str | int | float | bool | None]


class _Decisions(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    case: _Cells | UnsetType = UNSET
    cases: list[_Cells] | UnsetType = UNSET
    features: bool | UnsetType = UNSET


class _WideDecisions(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    case: _Wide | UnsetType = UNSET
    cases: list[_Wide] | UnsetType = UNSET
    features: bool | UnsetType = UNSET


class _Rows(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    rows: list[_Cells]


class _WideRows(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    rows: list[_Wide]


class _Outcomes(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    outcomes: list[_Cells]


class _WideOutcomes(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    outcomes: list[_Wide]


_DECISIONS: Final = msgspec.json.Decoder(_Decisions)
_WIDE_DECISIONS: Final = msgspec.json.Decoder(_WideDecisions)
_ROWS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "rows": msgspec.json.Decoder(_Rows),
    "outcomes": msgspec.json.Decoder(_Outcomes),
}
_WIDE_ROWS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "rows": msgspec.json.Decoder(_WideRows),
    "outcomes": msgspec.json.Decoder(_WideOutcomes),
}
_LINE: Final = msgspec.json.Decoder(_Cells)
_WIDE_LINE: Final = msgspec.json.Decoder(_Wide)

_LIMIT: Final = 2**63
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_UNKNOWN: Final = re.compile(r"unknown field `(.*)`")
_TYPES: Final = re.compile(r"Expected `(.*?)`, \w+ `(.*?)`")
_KINDS: Final = {
    "array": "a list", "bool": "a boolean", "float": "a number", "int": "an integer", "object": "an object",
    "str": "a text",
}  # fmt: skip
_PLACE: Final = re.compile(r" - at `(.*)`$")
_READ_STILL: Final = 10
"""Times as many objects are still read in a request for decisions, so that what is wrong with it is told."""

_SHOWN: Final = 80
"""Characters of a name that a message repeats."""


def decisions(body: bytes, settings: HttpSettings) -> tuple[list[Row], bool, bool]:
    """Read the body of ``POST /v1/decisions``.

    Returns
    -------
    tuple[list[dict], bool, bool]
        The cases, whether it is a single one, and whether features are asked for.

    Raises
    ------
    RequestError
        Codes ``request.*``.

    Examples
    --------
    >>> decisions(b'{"case": {"parcel_id": 7}}', HttpSettings())
    ([{'parcel_id': 7}], True, False)
    """
    _refuse_many(body, settings.cases, outside=1, what="cases", still=_READ_STILL)
    try:
        read: _Decisions | _WideDecisions = _DECISIONS.decode(body)
    except (ValueError, RecursionError) as error:
        read = _again(error, _WIDE_DECISIONS, body)
    case, many = read.case, read.cases
    single = not isinstance(case, UnsetType)
    if isinstance(case, UnsetType):
        cases: list[Row] = [] if isinstance(many, UnsetType) else many
    elif isinstance(many, UnsetType):
        cases = [case]
    else:
        raise _nothing(expected="case or cases, not both", happened="case and cases were both there")
    if len(cases) > settings.cases:
        raise too_many(settings.cases, "cases")
    if not cases:
        raise _nothing(expected="case (one) or cases (at least one)", happened="there was no case")
    _refuse_twice(body, cases, names=1 + (read.features is not UNSET))
    _refuse_wide(cases, settings.columns)
    return cases, single, read.features is True


def rows(body: bytes, settings: HttpSettings, *, field: str) -> list[Row]:
    """Read rows out of an object with one field.

    Parameters
    ----------
    field
        ``rows`` or ``outcomes``.

    Raises
    ------
    RequestError
        Codes ``request.*``.
    """
    _refuse_many(body, settings.rows, outside=1)
    try:
        read = getattr(_ROWS[field].decode(body), field)
    except (ValueError, RecursionError) as error:
        read = getattr(_again(error, _WIDE_ROWS[field], body), field)
    return _checked(body, read, settings, names=1, field=field)


def lines(body: bytes, settings: HttpSettings, *, field: str) -> list[Row]:
    """Read rows out of NDJSON: an object on each line.

    Raises
    ------
    RequestError
        Codes ``request.*``.
    """
    _refuse_many(body, settings.rows, outside=0)
    try:
        read: list[Row] = _LINE.decode_lines(body)
    except (ValueError, RecursionError):
        read = _line_by_line(body)
    if len(read) != sum(1 for line in body.split(b"\n") if line.strip()):
        raise _malformed("a line held no whole row, or several", "one JSON object on each line")
    return _checked(body, read, settings, names=0, field=field)


def _checked(body: bytes, read: list[Row], settings: HttpSettings, *, names: int, field: str) -> list[Row]:
    if not read:
        raise _nothing(expected=f"{field}: at least one", happened=f"{field} held nothing")
    _refuse_twice(body, read, names=names)
    _refuse_wide(read, settings.columns)
    return read


def _again(error: Exception, wide: msgspec.json.Decoder[Any], body: bytes) -> Any:  # noqa: ANN401 (its struct)
    """Read again what failed, with integers of any size: beyond 64 bits they become floats."""
    if not (isinstance(error, msgspec.ValidationError) and "`int` " in str(error)):
        raise _translated(error, body) from None
    try:
        read = wide.decode(body)
        for row in _rows_of(read):
            _narrow(row)
    except (ValueError, RecursionError, OverflowError) as other:
        raise _translated(other, body) from None
    return read


def _rows_of(read: Any) -> Sequence[Row]:  # noqa: ANN401 (one of the wide structs, or a row)
    match read:
        case dict():
            return (read,)
        case _WideDecisions():
            return [read.case] if isinstance(read.case, dict) else (read.cases or [])
        case _WideRows():
            return read.rows
        case _WideOutcomes():
            return read.outcomes
    return ()


def _narrow(row: Row) -> None:
    for name, value in row.items():
        if value.__class__ is int and not -_LIMIT <= value < _LIMIT:
            row[name] = float(value)


def _line_by_line(body: bytes) -> list[Row]:
    read = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            read.append(_LINE.decode(line))
        except (ValueError, RecursionError) as error:
            try:
                read.append(_again(error, _WIDE_LINE, line))
            except RequestError as refused:
                refused.happened = f"line {number}: {refused.happened}"
                raise
    return read


def _refuse_many(body: bytes, most: int, *, outside: int, what: str = "rows", still: int = 1) -> None:
    """Refuse too many rows before they are made; braces in texts count only where it matters."""
    braces = still * most + outside
    if body.count(b"{") > braces and _STRINGS.sub(b"", body).count(b"{") > braces:
        raise too_many(most, what)


def too_many(most: int, what: str = "rows") -> RequestError:
    """Say that there are more rows, or cases, than a request may have: ``request.too-many-rows``."""
    return RequestError(
        "request.too-many-rows",
        f"There are too many {what} in one request",
        status=413,
        happened=f"the request had more than {most:,} {what}",
        expected=f"at most {most:,} {what}",
        fix="send them in several requests; each is answered by itself, and a repeated one lands once",
    )


def _refuse_wide(read: list[Row], most: int) -> None:
    widest = len(read[0]) if len(read) == 1 else max(map(len, read))
    if widest > most:
        raise RequestError(
            "request.too-many-columns",
            "A row has too many columns",
            status=422,
            happened=f"a row had {widest:,} columns",
            expected=f"at most {most:,}",
            fix="send the columns that the brief names",
        )


def _refuse_twice(body: bytes, read: list[Row], *, names: int) -> None:
    """Refuse a name that comes twice in one object, of which a decoder keeps the last silently.

    Every text in the body is a name or a value, and stands between two quotes. So there are as many pairs of
    quotes as names and texts were read, unless something was dropped. A case of five columns takes 0.7 µs.

    Parameters
    ----------
    names
        That stand outside of rows.
    """
    if len(read) == 1:
        row = read[0]
        texts = len(row) + list(map(type, row.values())).count(str)
    else:
        values = chain.from_iterable(map(dict.values, read))
        texts = sum(map(len, read)) + list(map(type, values)).count(str)
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    if plain.count(b'"') != 2 * (names + texts):
        name = _first_twice(body)
        raise RequestError(
            "request.duplicate-key",
            "A name comes twice in one object",
            status=400,
            happened=f"{name[:_SHOWN]!r} came twice in one object",
            expected="each name once",
            fix="send the value that you mean, once",
        )


class _TwiceError(Exception):
    pass


def _first_twice(body: bytes) -> str:
    def look(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            names = [name for name, _ in pairs]
            raise _TwiceError(next(name for name in names if names.count(name) > 1))
        return seen

    for text in (body, *body.split(b"\n")):
        try:
            json.loads(text, object_pairs_hook=look)
        except _TwiceError as found:
            return str(found.args[0])
        except (ValueError, RecursionError):
            continue
    return "a name"


def _translated(error: Exception, body: bytes) -> RequestError:  # noqa: PLR0911 (a return for each kind)
    text = str(error)
    if isinstance(error, UnicodeDecodeError):
        return _not_text()
    if isinstance(error, RecursionError):
        return _malformed("the values were nested too deeply", "values without further lists or objects")
    if isinstance(error, OverflowError) or "out of range" in text:
        return beyond()
    if isinstance(error, msgspec.ValidationError):
        return _invalid(text)
    if not body.strip():
        return _malformed("the body was empty", "a JSON object")
    try:
        body.decode()
    except UnicodeDecodeError:
        return _not_text()
    reason = text.removeprefix("JSON is malformed: ").lower()
    return _malformed(
        f"it could not be read as JSON: {reason}", "JSON as RFC 8259 has it: no NaN, no Infinity"
    )


def _invalid(text: str) -> RequestError:
    within = found[1].removeprefix("$").removeprefix(".") if (found := _PLACE.search(text)) else ""
    place = within.replace(" in $.", " in ") or "what was sent"
    if found := _UNKNOWN.search(text):
        return RequestError(
            "request.unknown-field",
            "A field isn't known",
            status=422,
            happened=f"{place} had the field {found[1][:_SHOWN]!r}",
            expected="the fields that GET /openapi.json names",
            fix="correct its name, or leave it out",
        )
    fix = "send a value of the type that GET /openapi.json tells"
    if found := _TYPES.search(text):
        wanted, was = _named(found[1]), f"was {_named(found[2])}"
        if not within and found[2] == "array":
            fix = 'name the list: {"rows": [...]}, {"cases": [...]} or {"outcomes": [...]}'
    else:
        wanted, was = "a value of the form in GET /openapi.json", text.split(" - at ", maxsplit=1)[0].lower()
    return RequestError(
        "request.wrong-type",
        "A value is of the wrong type",
        status=422,
        happened=f"{place} {was}",
        expected=wanted,
        fix=fix,
    )


def _named(kinds: str) -> str:
    """Name kinds of JSON values as people do: of ``int | str``, an integer or a text."""
    return " or ".join(_KINDS.get(kind, kind) for kind in kinds.split(" | "))


def _nothing(*, expected: str, happened: str) -> RequestError:
    return RequestError(
        "request.nothing-sent",
        "The request doesn't say what it is about",
        status=422,
        happened=happened,
        expected=expected,
        fix='send {"case": {...}}, {"cases": [...]}, {"rows": [...]} or {"outcomes": [...]}, not empty',
    )


def beyond() -> RequestError:
    """Say that a number is none that a column can hold: ``request.number-range``."""
    return RequestError(
        "request.number-range",
        "A number is too large",
        status=422,
        happened="a number was beyond what a double holds",
        expected="numbers between -1.8e308 and 1.8e308",
        fix="send null where a number isn't known",
    )


def _not_text() -> RequestError:
    return RequestError(
        "request.not-utf8",
        "The body is no UTF-8",
        status=400,
        happened="the body held bytes that no UTF-8 text has",
        expected="text in UTF-8",
        fix="encode the body as UTF-8 before sending it",
    )


def _malformed(happened: str, expected: str) -> RequestError:
    return RequestError(
        "request.malformed-json",
        "The body can't be read",
        status=400,
        happened=happened,
        expected=expected,
        fix="let a JSON library write the body",
    )
