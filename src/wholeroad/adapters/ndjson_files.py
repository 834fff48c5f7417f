"""Files of JSON objects, one to a line (NDJSON, JSON Lines): every line accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from wholeroad.adapters.csv_files import empty, unreadable
from wholeroad.core.errors import UserError
from wholeroad.road.data.batches import CODE, REASON, ROW
from wholeroad.road.data.casting import INSTANT, infer, parse
from wholeroad.road.data.quarantine import Verdict

ENDINGS: Final = frozenset({".ndjson", ".jsonl"})
LINE: Final = "line"
"""Where a row that was set aside keeps a line that could not be read."""

_MARK: Final = b"\xef\xbb\xbf"
_MOST: Final = 0.5
"""Where a greater share of lines holds no object, the file is something else."""
_LONG: Final = 10**16
"""Integers with more digits than a number between others holds."""
_INTEGERS: Final = range(-(2**63), 2**63)
_SHOWN: Final = 60

Values = Sequence[Any]
"""The values of one column, in the order of rows; None where an object has none."""


def read_objects(
    path: Path, targets: Mapping[str, pl.DataType], *, name: str
) -> tuple[pl.DataFrame, Verdict, dict[int, str]]:
    """Read a file of JSON objects, and judge its lines.

    An object within an object becomes columns of its own, named with an underscore: the column ``wind_speed``
    of ``{"wind": {"speed": 3}}``. A list is kept as its JSON text. What an object doesn't name is null. Of a
    name that stands twice in one object, the last value counts. Empty lines are left out.

    A column whose values are all numbers, or all true and false, has that type. Texts stay texts, since JSON
    says when something is a number; those that are all instants (ISO 8601) are instants. Of several kinds, a
    column is text, and each value is as it was written. What ``targets`` names is left as text where it isn't
    of that type already, for the reader to cast.

    Parameters
    ----------
    targets
        Types of columns, declared or of earlier landings; each becomes a column, of nulls where no object
        has it.
    name
        How messages name the file.

    Returns
    -------
    tuple[polars.DataFrame, Verdict, dict[int, str]]
        A row for each line; the verdict on them; and the lines that could not be read, by row from 1.

    Raises
    ------
    UserError
        ``data.file-empty``, ``data.file-unreadable``.
    """
    try:
        lines = [line for line in path.read_bytes().removeprefix(_MARK).split(b"\n") if line.strip()]
    except OSError as error:
        whole, again = "a file of JSON objects", "copy or export the file again"
        raise unreadable(name, error, expected=whole, fix=again) from error
    if not lines:
        raise empty(name)
    objects, codes, reasons = _decoded(lines)
    _refuse_other(objects, reasons, lines, name=name)
    columns: dict[str, Values] = {}
    twice = _flatten(objects, columns)
    series = [_column(column, values, targets.get(column)) for column, values in columns.items()]
    missing = [column for column in targets if column not in columns]
    series += [pl.Series(column, [None] * len(lines), dtype=targets[column]) for column in missing]
    frame = pl.DataFrame(series, height=len(lines))
    verdict = _judged(len(lines), codes, reasons=reasons, twice=twice)
    unread = {place: _text(lines[place - 1]) for place in codes}
    return frame, verdict, unread


def with_lines(bad: pl.DataFrame, unread: Mapping[int, str]) -> pl.DataFrame:
    """Add to the rows that are set aside the lines that could not be read."""
    if not unread:
        return bad
    told = pl.Series(LINE, [unread.get(place) for place in bad[ROW].to_list()], dtype=pl.String)
    return bad.with_columns(told) if LINE not in bad.columns else bad.with_columns(told.alias(f"_{LINE}"))


def _decoded(lines: Sequence[bytes]) -> tuple[list[dict[str, Any]], dict[int, str], dict[int, str]]:
    decode = msgspec.json.Decoder().decode
    objects: list[dict[str, Any]] = []
    codes: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for place, line in enumerate(lines, start=1):
        try:
            held = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            held, codes[place] = {}, "data.line-not-json"
            cut = "it was cut short" if "truncated" in str(error) else str(error)
            reasons[place] = f"the line was no JSON: {cut}"
        if not isinstance(held, dict):
            codes[place] = "data.line-no-object"
            reasons[place] = f"the line held {_kind(held)} and no object: {_text(line)[:_SHOWN]}"
            held = {}
        objects.append(held)
    return objects, codes, reasons


def _refuse_other(
    objects: Sequence[object], reasons: Mapping[int, str], lines: Sequence[bytes], *, name: str
) -> None:
    if len(reasons) <= _MOST * len(objects):
        return
    listed = lines[0].lstrip().startswith(b"[")
    first, reason = next(iter(reasons.items()))
    raise UserError(
        "data.file-unreadable",
        f"{name} can't be read",
        happened=f"{len(reasons):,} of {len(objects):,} lines held no object; "
        f"the first of these, row {first:,}, began {_text(lines[first - 1])[:_SHOWN]!r}: {reason}",
        expected="a JSON object on each line, in UTF-8",
        fix="write each object of the list on a line of its own, without commas between them"
        if listed
        else "export it again, each object on one line",
    )


def _judged(
    rows: int, codes: Mapping[int, str], *, reasons: Mapping[int, str], twice: Mapping[int, str]
) -> Verdict:
    faults = {
        place: ("data.column-twice", f"two values stood for {column}") for place, column in twice.items()
    }
    faults |= {place: (code, reasons[place]) for place, code in codes.items()}
    verdict = Verdict(rows)
    told = [faults.get(place, (None, None)) for place in range(1, rows + 1)] if faults else []
    if told:
        verdict.codes = pl.Series(CODE, [code for code, _ in told], dtype=pl.String)
        verdict.reasons = pl.Series(REASON, [reason for _, reason in told], dtype=pl.String)
    return verdict


def _flatten(
    objects: Sequence[Mapping[str, Any]], columns: dict[str, Values], *, above: str = ""
) -> dict[int, str]:
    """Put the values of objects into columns; tells which rows have two values for one."""
    twice: dict[int, str] = {}
    names = dict.fromkeys(name for held in objects for name in held)
    for name in names:
        values: list[Any] = [held.get(name) for held in objects]
        column = f"{above}{name}"
        if dict in set(map(type, values)):
            inner = [value if isinstance(value, dict) else {} for value in values]
            values = [None if isinstance(value, dict) else value for value in values]
            twice |= _flatten(inner, columns, above=f"{column}_")
            if values.count(None) == len(values):
                continue
        if column in columns:
            before = columns[column]
            for place, (first, second) in enumerate(zip(before, values, strict=True), start=1):
                if first is not None and second is not None:
                    twice[place] = column
            values = [
                second if first is None else first for first, second in zip(before, values, strict=True)
            ]
        columns[column] = values
    return twice


def _column(name: str, values: Values, target: pl.DataType | None) -> pl.Series:
    held = set(map(type, values)) - {type(None)}
    kept = _kept_kind(held, values)
    if not held:
        return pl.Series(name, values, dtype=target or pl.Null())
    if kept is not None and (target in (None, kept) or (kept, target) == (pl.Int64(), pl.Float64())):
        return pl.Series(name, values, dtype=kept)
    texts = pl.Series(
        name, values if held == {str} else [_written(value) for value in values], dtype=pl.String
    )
    if target is None and held == {str} and infer(texts) == INSTANT:
        return parse(texts, INSTANT)
    return texts


def _kept_kind(held: set[type], values: Values) -> pl.DataType | None:
    """Give the type that all values have; None for texts, and where they are of several kinds."""
    if held == {bool}:
        return pl.Boolean()
    if held == {float}:
        return pl.Float64()
    if not held or not held <= {int, float}:
        return None
    whole = [value for value in values if isinstance(value, int)]
    if held == {int}:
        return pl.Int64() if min(whole) in _INTEGERS and max(whole) in _INTEGERS else None
    return pl.Float64() if all(abs(value) < _LONG for value in whole) else None


def _written(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"the value {value!r}"[:_SHOWN]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="backslashreplace").strip()
