"""What a table looks like: kinds of its columns, what names a row, and which instants there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import polars as pl

from wholeroad.core.instants import format_instant
from wholeroad.road.data.casting import INSTANT, kept_type

Kind = Literal["text", "integer", "number", "boolean", "instant", "other", "empty"]

ROW_NAMES: Final = frozenset(
    {"id", "key", "no", "nr", "number", "num", "uuid", "guid", "code", "ref", "reference"}
)
_AMOUNTS: Final = frozenset(
    {"amount", "price", "value", "total", "sum", "cost", "revenue", "balance", "age", "score", "lat", "lon"}
)
_TRIED: Final = 8
"""Columns that are tried in pairs and threes for a key."""

_FEW: Final = 0.01

_SEVERAL: Final = 5
_SINCE: Final = 946_684_800
"""2000-01-01 in seconds since 1970; numbers from there to 2040 in all rows are taken for instants."""
_UNTIL: Final = 2_208_988_800


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    rows, nulls, distinct
        Counts; ``distinct`` leaves nulls out.
    first
        The first values that aren't null, as text, at most three.
    low, high
        Of numbers and instants, as floats (instants in microseconds); None for others.
    """

    name: str
    kind: Kind
    rows: int
    nulls: int
    distinct: int
    first: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its name, in lower case."""
        return words_of(self.name)

    @property
    def names_rows(self) -> bool:
        """Whether every row has another value."""
        return self.nulls == 0 and self.distinct == self.rows > 0

    @property
    def disguised(self) -> str:
        """How an instant is hidden in whole numbers; empty where none seems to be."""
        if (
            self.kind not in {"integer", "number"}
            or self.distinct < _SEVERAL
            or self.low is None
            or self.high is None
        ):
            return ""
        for second, said in ((1, "seconds"), (1_000, "milliseconds")):
            low, high = self.low / second, self.high / second
            if _SINCE <= low <= high <= _UNTIL:
                days = " to ".join(format_instant(int(each) * 10**6)[:10] for each in (low, high))
                return f"looks like {said} since 1970, {days}"
        return ""

    @property
    def null_share(self) -> float:
        """Share of rows without a value, 0 to 1."""
        return self.nulls / self.rows if self.rows else 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a table looks like.

    Attributes
    ----------
    frame
        The rows, in kept types; columns that can't be kept are left out.
    columns
        By name, in the table's order.
    keys
        What may name a row, the likeliest first: one column, or several together.
    """

    frame: pl.DataFrame
    columns: dict[str, Column]
    keys: tuple[tuple[str, ...], ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.frame.height

    @property
    def instants(self) -> tuple[Column, ...]:
        """Columns of instants that tell rows apart."""
        return tuple(each for each in self.columns.values() if each.kind == "instant" and each.distinct > 1)


def profile(frame: pl.DataFrame) -> Profile:
    """Look at a table.

    Parameters
    ----------
    frame
        Typed rows, as read from a file.

    Examples
    --------
    >>> seen = profile(pl.DataFrame({"order_id": [1, 2], "paid": [True, None]}))
    >>> seen.keys, seen.columns["paid"].nulls
    ((('order_id',),), 1)
    """
    kept = {name: kept_type(dtype) for name, dtype in frame.schema.items()}
    frame = frame.select(
        pl.col(name).cast(INSTANT if kind == pl.Date else kind, strict=False)
        if not isinstance(frame.schema[name], pl.Datetime)
        else _in_utc(name, frame)
        for name, kind in kept.items()
        if kind is not None
    )
    columns = {column.name: _column(column) for column in frame.iter_columns()}
    return Profile(frame, columns, tuple(_keys(frame, columns)))


def words_of(name: str) -> tuple[str, ...]:
    """Cut a column's name into words.

    Examples
    --------
    >>> words_of("orderedAt"), words_of("Order-ID 2")
    (('ordered', 'at'), ('order', 'id', '2'))
    """
    parted = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])", " ", name)
    return tuple(word for word in re.split(r"[\W_]+", parted.lower()) if word)


def _in_utc(name: str, frame: pl.DataFrame) -> pl.Expr:
    dtype = frame.schema[name]
    column = pl.col(name).dt.cast_time_unit("us")
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        return column.dt.replace_time_zone("UTC")
    return column.dt.convert_time_zone("UTC")


def _column(column: pl.Series) -> Column:
    values = column.drop_nulls()
    kind = _kind(column)
    low: float | None = None
    high: float | None = None
    if kind in {"integer", "number", "instant"} and len(values):
        numbers = values.to_physical()
        low, high = float(numbers.min()), float(numbers.max())  # type: ignore[arg-type]
    return Column(
        name=column.name,
        kind=kind,
        rows=len(column),
        nulls=column.null_count(),
        distinct=values.n_unique(),
        first=tuple(str(value) for value in values.head(3).to_list()),
        low=low,
        high=high,
    )


def _kind(column: pl.Series) -> Kind:
    if column.null_count() == len(column):
        return "empty"
    if column.dtype.is_integer():
        return "integer"
    if column.dtype.is_float():
        return "number"
    if column.dtype == pl.Boolean:
        return "boolean"
    return "instant" if column.dtype == INSTANT else "text" if column.dtype == pl.String else "other"


def _keys(frame: pl.DataFrame, columns: dict[str, Column]) -> Iterator[tuple[str, ...]]:
    alone = [
        each
        for each in columns.values()
        if each.names_rows and each.kind in {"text", "integer"} and not _is_amount(each)
    ]
    order = {name: place for place, name in enumerate(columns)}
    alone.sort(key=lambda each: (-bool(ROW_NAMES & set(each.words)), order[each.name]))
    if alone:
        yield from ((each.name,) for each in alone)
        return
    # A name that comes back is unique with something beside it, as a customer with a month.
    parts = [
        each
        for each in columns.values()
        if each.null_share == 0 and each.kind in {"text", "integer", "instant"} and each.distinct > 1
    ]
    parts.sort(
        key=lambda each: (-bool(ROW_NAMES & set(each.words)), each.kind != "instant", order[each.name])
    )
    for size in (2, 3):
        found = [
            tuple(each.name for each in group)
            for group in combinations(parts[:_TRIED], size)
            if max(each.distinct for each in group) > frame.height ** (1 / (size + 1))
            and frame.select(pl.struct(each.name for each in group).n_unique()).item() == frame.height
        ]
        if found:
            yield from found[:3]
            return
    yield from (
        (each.name,)
        for each in columns.values()
        if each.names_rows and each.kind in {"instant", "number"} and frame.height > 1
    )


def _is_amount(column: Column) -> bool:
    return bool(_AMOUNTS & set(column.words)) and not ROW_NAMES & set(column.words)
