"""A contract beside the columns that there are: what can be asked of them at all, before a row is read."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.instants import DAY, Instant, parse_instant
from wholeroad.road.brief.source_contract import ColumnContract, ContractTable
from wholeroad.road.data.casting import INSTANT, KINDS

TYPES: Final[dict[str, pl.DataType]] = {**KINDS, "date": pl.Date()}
"""The contract's words for types."""

_READ_AS: Final = {
    (pl.Float64(), pl.Int64()),
    (pl.Int64(), pl.Float64()),
    (INSTANT, pl.Date()),
    (pl.Date(), INSTANT),
}
"""Kept types, and what single rows of them may be asked to be."""

_NUMBERS: Final = (pl.Int64(), pl.Float64())
_TIMES: Final = (INSTANT, pl.Date())


def refuse_unfit(contract: ContractTable, schema: Mapping[str, pl.DataType], *, source: str) -> None:
    """Refuse a contract that the columns can't keep whatever the rows say; every fault at once.

    Parameters
    ----------
    schema
        The source's own columns, in kept types.
    source
        Its name in the brief.

    Raises
    ------
    FaultsError
        ``contract.column-missing``, ``contract.wrong-kind``.
    """
    if faults := list(_faults(contract, schema, source)):
        headline = f"The contract of {source} doesn't fit its columns"
        raise FaultsError(headline, faults)


def asked_type(column: ColumnContract, kept: pl.DataType) -> pl.DataType:
    """Give the type that values are judged in: the contract's where it says one, else the kept one."""
    return kept if column.type is None else TYPES[column.type]


def implied_type(column: ColumnContract) -> pl.DataType | None:
    """Give the type that the clauses of a column speak of; None where they may speak of texts."""
    if column.type is not None:
        return None if column.type == "text" else TYPES[column.type]
    if column.range is not None:
        return INSTANT if isinstance(column.range[0], str) else pl.Float64()
    if column.allowed and not isinstance(column.allowed[0], str):
        return pl.Boolean() if isinstance(column.allowed[0], bool) else pl.Float64()
    return None


def bounds(column: ColumnContract, asked: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    """Give the ends of a range as literals of a type; a day at the end of a range of instants is in it.

    Examples
    --------
    >>> low, high = bounds(ColumnContract(range=(0, 5)), pl.Float64())
    >>> pl.select(low=low, high=high).row(0)
    (0.0, 5.0)
    """
    if column.range is None:
        message = "there is no range"
        raise ValueError(message)
    low, high = column.range
    if asked in _TIMES:
        first, last = parse_instant(str(low)), last_instant(str(high))
        ends = (pl.lit(each, pl.Int64()).cast(INSTANT) for each in (first, last))
        return tuple(end.dt.date() if asked == pl.Date() else end for end in ends)  # type: ignore[return-value]
    if asked == pl.Int64():
        return pl.lit(_within(math.ceil(low)), pl.Int64()), pl.lit(_within(math.floor(high)), pl.Int64())  # type: ignore[arg-type]
    return pl.lit(float(low), pl.Float64()), pl.lit(float(high), pl.Float64())


def _within(whole: int) -> int:
    return max(-(2**63), min(2**63 - 1, whole))


def last_instant(text: str) -> Instant:
    """Give the last instant that a text of ISO 8601 may mean: of a date, the end of the day."""
    at = parse_instant(text)
    return at + DAY - 1 if len(text.strip()) == len("2013-03-01") else at


def allowed_values(column: ColumnContract, asked: pl.DataType) -> pl.Series:
    """Give what is allowed as a series of a type; ``contract.wrong-kind`` was asked before."""
    values: list[object] = list(column.allowed)
    if asked in _TIMES:
        at = pl.Series([parse_instant(str(each)) for each in values], dtype=pl.Int64()).cast(INSTANT)
        return at.dt.date() if asked == pl.Date() else at
    return pl.Series(values, dtype=asked, strict=False)


def _faults(contract: ContractTable, schema: Mapping[str, pl.DataType], source: str) -> Iterator[Fault]:
    for name, column in contract.column.items():
        where = f"[source.{source}.contract.column] {name}"
        kept = schema.get(name)
        if kept is None:
            near = difflib.get_close_matches(name, list(schema), n=1)
            yield Fault(
                "contract.column-missing",
                where,
                f"the rows have no column {name}; they have {', '.join(list(schema)[:12])}",
                "a column of the source",
                f"did you mean {near[0]}?" if near else "correct the name, or take it out of the contract",
            )
        else:
            yield from _kind_faults(name, column, kept=kept, where=where)


def _kind_faults(name: str, column: ColumnContract, *, kept: pl.DataType, where: str) -> Iterator[Fault]:
    asked = asked_type(column, kept)
    if not (asked == kept or kept == pl.String() or (kept, asked) in _READ_AS):
        word = next((word for word, dtype in TYPES.items() if dtype == kept), str(kept))
        yield _wrong_kind(
            f"{where}.type",
            f"was {column.type}, and the column landed as {word}",
            f"{word}, which is what its rows were read as",
            f'write types = {{ {name} = "{column.type}" }} under the source, which says how it is read',
        )
        return
    if column.range is not None:
        texts = isinstance(column.range[0], str)
        wanted = _TIMES if texts else _NUMBERS
        if asked not in wanted:
            yield _wrong_kind(
                f"{where}.range",
                f"it was of {'dates' if texts else 'numbers'}, and the column is {_word(asked)}",
                "a range of what the column holds; texts have none",
                "say type as well where a column of texts holds something else, or use allowed",
            )
    strange = [each for each in column.allowed if not _is_of(each, asked)]
    if strange:
        yield _wrong_kind(
            f"{where}.allowed",
            f"{strange[0]!r} was in it, and the column is {_word(asked)}",
            f"values of that kind: {_word(asked)}",
            "write texts in quotes, and numbers without",
        )


def _wrong_kind(where: str, happened: str, expected: str, fix: str) -> Fault:
    return Fault("contract.wrong-kind", where, happened, expected, fix)


def _word(dtype: pl.DataType) -> str:
    return next((word for word, each in TYPES.items() if each == dtype), str(dtype))


def _is_of(value: object, asked: pl.DataType) -> bool:
    """Tell whether an allowed value can be one of a column's."""
    if asked in _NUMBERS:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return asked == pl.Float64() or float(value).is_integer()
    if asked in _TIMES:
        return isinstance(value, str) and is_instant(value)
    return isinstance(value, bool) if asked == pl.Boolean() else isinstance(value, str)


def is_instant(text: str) -> bool:
    """Tell whether a text is a date or a date-time of ISO 8601."""
    try:
        parse_instant(text)
    except ValueError:
        return False
    return True
