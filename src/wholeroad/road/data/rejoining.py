"""Rows that a reader refused, brought back where the mend of today wants their odd value as a text."""

from __future__ import annotations

import polars as pl

from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.batches import CODE, ROW
from wholeroad.road.data.casting import was_lost
from wholeroad.road.data.mending.raw import read_as_text
from wholeroad.road.data.spelling import parse_spelled


def rejoined(
    rows: pl.DataFrame, bad: pl.DataFrame | None, *, source: SourceTable
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Put rows of a value that was not of its column's type back among the others, as texts.

    A file was read while its weights seemed to be numbers, and ``12 kg`` was refused. A mend that parses
    weights came later: for it the column is one of texts, and the row one like the others.

    Parameters
    ----------
    rows, bad
        A raw part; see :class:`~wholeroad.road.data.batches.Batch`.
    source
        With the mend that there is now.

    Returns
    -------
    rows, bad
        All rows as before, in their order; ``bad`` is None when none is left.

    Examples
    --------
    >>> steps = [{"parse": "kg", "as": "number", "strip": ["kg"]}]
    >>> source = SourceTable(read="a.csv", key="id", static=True, mend={"steps": steps})
    >>> said = {"_row": [2], "_code": ["data.not-castable"], "_reason": ["kg was '12 kg'"]}
    >>> bad = pl.DataFrame({"id": ["2"], "kg": ["12 kg"], **said})
    >>> rows = pl.DataFrame({"id": [1, 3], "kg": [70, 80]})
    >>> rows, bad = rejoined(rows, bad, source=source)
    >>> rows["kg"].to_list(), bad
    (['70', '12 kg', '80'], None)
    """
    if bad is None or not bad.height:
        return rows, bad
    texts = [name for name in rows.columns if name in read_as_text(source) and _turns(rows[name].dtype)]
    if not texts or not set(rows.columns) <= set(bad.columns):
        return rows, bad
    csv = source.csv or CsvTable()
    read = _read(bad, rows.schema, texts=texts, csv=csv)
    back = bad[CODE].eq("data.not-castable") & read["fine"]
    if not back.any():
        return rows, bad
    places = pl.int_range(1, rows.height + bad.height + 1, dtype=pl.Int64, eager=True).alias(ROW)
    own = places.filter(~places.is_in(bad[ROW].cast(pl.Int64).implode()))
    widened = rows.with_columns([*(_written(rows[name], csv) for name in texts), own])
    returned = read.drop("fine").with_columns(bad[ROW].cast(pl.Int64)).filter(back)
    whole = pl.concat([widened, returned.select(widened.columns)]).sort(ROW)
    left = bad.filter(~back)
    return whole.drop(ROW), left if left.height else None


def _turns(dtype: pl.DataType) -> bool:
    """Tell whether values become the texts that they were, or such that are read as the same value."""
    return dtype.is_numeric() or isinstance(dtype, pl.String | pl.Null)


def _written(column: pl.Series, csv: CsvTable) -> pl.Series:
    """Write values as the file does."""
    text = column.cast(pl.String)
    return text.str.replace(".", csv.decimal, literal=True) if column.dtype.is_numeric() else text


def _read(bad: pl.DataFrame, schema: pl.Schema, *, texts: list[str], csv: CsvTable) -> pl.DataFrame:
    """Read the refused rows in the types of the others, and tell which lose nothing that way."""
    fine = pl.Series("fine", [True]).new_from_index(0, bad.height)
    columns = []
    for name, dtype in schema.items():
        column = bad[name]
        if name in texts or isinstance(dtype, pl.String):
            columns.append(column)
            continue
        nothing = isinstance(dtype, pl.Null)
        values = column.clear(len(column)).cast(dtype) if nothing else parse_spelled(column, dtype, csv=csv)
        fine &= ~was_lost(column, values)
        columns.append(values)
    return pl.DataFrame([*columns, fine])
