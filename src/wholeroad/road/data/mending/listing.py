"""Listed values: what stands for nothing, and what stands for something else."""

from __future__ import annotations

from typing import cast as typed

import polars as pl

from wholeroad.road.brief.mends import MendStep, Plain
from wholeroad.road.data.casting import cast, parse


def without(column: pl.Series, step: MendStep) -> pl.Series:
    """Make the listed values null.

    Texts are compared as they stand. A number matches a text that reads as it, and a text that reads as a
    number matches that number: how a file was read doesn't matter. Dates are listed as ISO texts.

    Examples
    --------
    >>> without(pl.Series(["-999", "41", "-999.0"]), MendStep(nothing="age", values=[-999])).to_list()
    [None, '41', None]
    """
    said = typed("tuple[Plain, ...]", step.values or ())
    frame = column.alias("value").to_frame()
    matches = _matches(column, said)
    return frame.select(pl.when(~matches).then("value").alias(column.name)).to_series()


def misspelled(step: MendStep, kept: pl.DataType) -> list[str]:
    """Give the listed values that no date or instant can equal; other columns may hold anything."""
    if not kept.is_temporal():
        return []
    said = typed("tuple[Plain, ...]", step.values or ())
    return [repr(one) for one in said if not isinstance(one, str) or _read([one], kept).null_count()]


def mapped(column: pl.Series, step: MendStep) -> pl.Series:
    """Replace the listed values, all at once: those that were put in aren't looked at again.

    The column keeps its kind where all the new values are of that kind, and becomes text where they aren't.

    Examples
    --------
    >>> mapped(pl.Series([1, 2, 7]), MendStep(map="floor", values={"1": "2", "2": "1"})).to_list()
    [2, 1, 7]
    """
    said = typed("dict[str, str]", step.values or {})
    kept = mapped_type(step, column.dtype)
    old = _read([*said], column.dtype)
    new = _read([*said.values()], kept)
    there = old.is_not_null()
    codes = pl.DataFrame({"old": old.filter(there), "new": new.filter(there)}).unique("old", keep="first")
    rows = pl.DataFrame({"old": column, "kept": cast(column, kept)})
    found = rows.join(codes.with_columns(found=True), on="old", how="left", maintain_order="left")
    chosen = pl.when(pl.col("found").fill_null(value=False)).then("new").otherwise("kept")
    return found.select(chosen.alias(column.name)).to_series()


def mapped_type(step: MendStep, kept: pl.DataType) -> pl.DataType:
    """Give the kept type of a column after it was mapped."""
    said = typed("dict[str, str]", step.values or {})
    return pl.String() if _read([*said.values()], kept).null_count() else kept


def _matches(column: pl.Series, said: tuple[Plain, ...]) -> pl.Series:
    nothing = pl.Series([False]).new_from_index(0, len(column))
    texts = [one for one in said if isinstance(one, str)]
    switches = [one for one in said if isinstance(one, bool)]
    numbers = [float(one) for one in said if isinstance(one, int | float) and not isinstance(one, bool)]
    if isinstance(column.dtype, pl.String):
        spelled = [*texts, *(str(one).lower() for one in switches)]
        matches = column.is_in(spelled)
        if numbers:
            matches |= parse(column, pl.Float64()).is_in(numbers).fill_null(value=False)
        return matches.fill_null(value=False)
    if isinstance(column.dtype, pl.Boolean):
        listed = pl.Series([*switches, *_read(texts, column.dtype).drop_nulls()], dtype=pl.Boolean)
    elif column.dtype.is_numeric():
        read = _read(texts, pl.Float64()).drop_nulls()
        listed = pl.Series([*numbers, *read], dtype=pl.Float64)
        column = column.cast(pl.Float64)
    else:
        listed = _read(texts, column.dtype).drop_nulls()
    return column.is_in(listed.implode()).fill_null(value=False) if len(listed) else nothing


def _read(texts: list[str], kept: pl.DataType) -> pl.Series:
    return parse(pl.Series(texts, dtype=pl.String), kept)
