"""Trouble that is seen in values alone, planted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from wholeroad.testing.troubles_drawing import World
from wholeroad.testing.troubles_planting import Bed, Planted, Planter, copied

_FACTORS: Final = (2.54, 10.0, 100.0, 1000.0, 0.4536)
_OTHER_FACTORS: Final = (1.609, 28.35, 60.0, 0.001, 3.785)
_NUMBERS: Final = (-999.0, -9999.0, 99_999.0, 999_999.0)
_OTHER_NUMBERS: Final = (-99.0, 777_777.0, 9_999_999.0)
_DATES: Final = (dt.date(1900, 1, 1), dt.date(1970, 1, 1), dt.date(2099, 12, 31), dt.date(9999, 12, 31))
_OTHER_DATES: Final = (dt.date(1753, 1, 1), dt.date(1911, 11, 11), dt.date(3000, 1, 1), dt.date(2222, 2, 2))
_TEXTS: Final = ("N/A", "unknown", "-", "?", "none", "TBD", "#N/A", "null", "xxx")
_OTHER_TEXTS: Final = ("n/v", "(blank)", "not provided", "k.A.", "--", "#VALUE!")


def duplicate_rows(bed: Bed) -> tuple[World, Planted]:
    """Plant rows that were entered twice: everything equal but the key."""
    source, rows = _rows_once(bed)
    none = pl.Series(np.zeros(rows.height, dtype=np.int64))
    return copied(bed, source, rows=rows, later_s=none), bed.told(source, rows.height)


def near_duplicates(bed: Bed) -> tuple[World, Planted]:
    """Plant rows that were entered twice, minutes apart, with an amount rounded."""
    source, rows = _rows_once(bed)
    later = pl.Series(bed.dice.integers(20, 600, rows.height))
    column = bed.place("amount", "measure", where=lambda place: place.source == source).column
    return copied(bed, source, rows=rows.with_columns(pl.col(column).round(0)), later_s=later), bed.told(
        source, rows.height
    )


def _rows_once(bed: Bed) -> tuple[str, pl.DataFrame]:
    source = bed.source("case", "event")
    rows = bed.world.frames[source].filter(bed.some(source))
    return source, rows.unique(bed.world.keys[source], keep="first", maintain_order=True)


def impossible_value(bed: Bed) -> tuple[World, Planted]:
    """Plant weights below zero, shares above one, people born in years to come."""
    place = bed.place("amount", "share", "date")
    marked = bed.some(place.source, where=pl.col(place.column).is_not_null())
    value = {
        "amount": -pl.col(place.column),
        "share": (1.05 + pl.col(place.column)).round(3),
        "date": pl.col(place.column).dt.offset_by("90y"),
    }[place.nature]
    return bed.changed(place, marked, value=value)


def unit_change(bed: Bed) -> tuple[World, Planted]:
    """Plant for a run of time, an amount in another unit."""
    place = bed.place("amount", "measure", timed=True)
    marked = bed.run(place.source, last=bool(bed.dice.integers(2)))
    column = pl.col(place.column)
    value = (
        column * bed.form(*_FACTORS, unseen=_OTHER_FACTORS) if place.nature == "amount" else column * 1.8 + 32
    )
    return bed.changed(place, marked, value=value.round(3))


def sentinel_number(bed: Bed) -> tuple[World, Planted]:
    """Plant a number that stands for nothing."""
    place = bed.place("amount", "share", "measure")
    choices = _NUMBERS if place.nature == "measure" else (*_NUMBERS, -1.0)
    return bed.changed(place, bed.some(place.source), value=pl.lit(bed.form(*choices, unseen=_OTHER_NUMBERS)))


def sentinel_date(bed: Bed) -> tuple[World, Planted]:
    """Plant a date that stands for nothing."""
    place = bed.place("date")
    return bed.changed(place, bed.some(place.source), value=pl.lit(bed.form(*_DATES, unseen=_OTHER_DATES)))


def sentinel_text(bed: Bed) -> tuple[World, Planted]:
    """Plant a text that stands for nothing."""
    place = bed.place("category", "name", "code", "fixed")
    return bed.changed(place, bed.some(place.source), value=pl.lit(bed.form(*_TEXTS, unseen=_OTHER_TEXTS)))


def constant_column(bed: Bed) -> tuple[World, Planted]:
    """Plant a column that says the same in all rows, or in almost all."""
    place = bed.place("amount", "category", "name", "share", "measure", timed=True)
    frame = bed.world.frames[place.source]
    says_else = {"large": 0.0, "middle": 0.001, "small": 0.005}[bed.size]
    marked = pl.Series(bed.dice.random(frame.height) >= says_else)
    value = frame[place.column].drop_nulls().mode().sort()[0]
    return bed.changed(place, marked, value=pl.lit(value))


def redundant_column(bed: Bed) -> tuple[World, Planted]:
    """Plant a new column that says what another says: a code for a word, an amount in another currency."""
    place = bed.place("amount", "category", timed=True)
    frame = bed.world.frames[place.source]
    own = frame[place.column]
    if place.nature == "amount":
        name, again = (
            f"{place.column}_b",
            (own * bed.form(1.0, 1.08, 25.4, unseen=(-1.0, 0.001, 7.46))).round(3),
        )
    else:
        name, again = f"{place.column}_code", own.rank("dense").cast(pl.Int64) * 10
    differs = {"large": 0.0, "middle": 0.02, "small": 0.1}[bed.size]
    marked = np.flatnonzero(bed.dice.random(frame.height) < differs)
    places = np.arange(frame.height)
    places[marked] = bed.dice.permutation(frame.height)[: marked.size]
    wider = frame.with_columns(again.gather(places).alias(name))
    told = bed.told(place.source, frame.height - marked.size, name, place.column)
    return bed.world.with_frame(place.source, wider), told


def spelling_variants(bed: Bed) -> tuple[World, Planted]:
    """Plant one of the words, written in another way too."""
    place = bed.place("category", "name")
    frame = bed.world.frames[place.source]
    counts = frame[place.column].value_counts().sort("count", place.column, descending=True)
    frequent = counts.filter(pl.col("count") >= 2 * bed.count(place.source))
    words = (frequent if frequent.height else counts[:1])[place.column].to_list()
    word: str = bed.one_of(tuple(words))
    middle = len(word) // 2
    ways = (
        word.upper(),
        word.title(),
        f" {word}",
        f"{word} ",
        f"{word}.",
        word[:middle] + word[middle + 1 :],
    )
    others = (
        word[0].lower() + word[1:],
        word.replace(word[middle], word[middle] * 2, 1),
        f"{word}s",
    )
    there = {*frame[place.column]}
    another = bed.form(
        *(way for way in ways if way not in there), unseen=tuple(way for way in others if way not in there)
    )
    marked = bed.some(place.source, where=pl.col(place.column) == word)
    return bed.changed(place, marked, value=pl.lit(another))


def outliers(bed: Bed) -> tuple[World, Planted]:
    """Plant amounts ten to a hundred times the greatest of the others."""
    place = bed.place("amount")
    frame = bed.world.frames[place.source]
    marked = bed.some(place.source, count=bed.count(place.source, bed.share / 10))
    top = float(frame[place.column].max())  # type: ignore[arg-type]
    value = pl.Series(np.round(top * bed.dice.uniform(10, 100, frame.height), 2))
    return bed.changed(place, marked, value=value)


def mixed_types(bed: Bed) -> tuple[World, Planted]:
    """Plant a column of numbers in which some were written as words, with a unit or with a comma."""
    place = bed.place("amount", "share", "measure", where=lambda place: not place.calculated)
    column = pl.col(place.column).cast(pl.String)
    value = bed.form(
        pl.lit("see note"),
        column + " approx.",
        column.str.replace(".", ",", literal=True),
        unseen=(pl.lit("over limit"), "~" + column, column + " EUR"),
    )
    marked = bed.some(place.source, where=pl.col(place.column).is_not_null())
    frame = bed.world.frames[place.source].with_columns(column)
    as_text = replace(bed, world=bed.world.with_frame(place.source, frame))
    return as_text.changed(place, marked, value=value)


def clipped(bed: Bed) -> tuple[World, Planted]:
    """Plant what lies above a bar, or below one, was set to the bar."""
    place = bed.place("amount", "measure")
    values = bed.world.frames[place.source][place.column]
    if bed.dice.integers(3) == 0:
        bar = values.quantile(bed.share)
        return bed.changed(place, (values < bar).fill_null(value=False), value=pl.lit(bar))
    bar = values.quantile(1 - bed.share)
    return bed.changed(place, (values > bar).fill_null(value=False), value=pl.lit(bar))


def swapped_columns(bed: Bed) -> tuple[World, Planted]:
    """Plant two columns that changed places in some rows."""
    source, first, second = bed.one_of(bed.world.pairs)
    one, other = pl.col(first), pl.col(second)
    marked = bed.some(source, where=one.is_not_null() & other.is_not_null() & (one != other))
    swap = pl.when(pl.lit(marked))
    frame = bed.world.frames[source].with_columns(
        swap.then(other).otherwise(one).alias(first), swap.then(one).otherwise(other).alias(second)
    )
    return bed.world.with_frame(source, frame), bed.told(source, int(marked.sum()), first, second)


def mojibake(bed: Bed) -> tuple[World, Planted]:
    """Plant UTF-8 that was read as Latin-1."""
    place = bed.place("name")
    frame = bed.world.frames[place.source]
    broken = pl.Series([text.encode().decode("latin-1") for text in frame[place.column]])
    marked = bed.some(place.source, where=pl.lit(broken) != pl.col(place.column))
    return bed.changed(place, marked, value=broken)


def default_value(bed: Bed) -> tuple[World, Planted]:
    """Plant what a form fills in when nobody does: a round amount, the first of January."""
    place = bed.place("amount", "measure", "date")
    values = bed.world.frames[place.source][place.column]
    middle = values.quantile(float(bed.dice.uniform(0.2, 0.8)), "nearest")
    if place.nature == "date":
        value = pl.lit(dt.date(middle.year, 1, 1))  # type: ignore[union-attr]
    else:
        value = pl.lit(float(f"{float(middle):.1g}"))  # type: ignore[arg-type]
    return bed.changed(place, bed.some(place.source), value=value)


OF_VALUES: Final[Mapping[str, Planter]] = {
    "quality.duplicate-rows": duplicate_rows,
    "quality.near-duplicates": near_duplicates,
    "quality.impossible-value": impossible_value,
    "quality.unit-change": unit_change,
    "quality.sentinel-number": sentinel_number,
    "quality.sentinel-date": sentinel_date,
    "quality.sentinel-text": sentinel_text,
    "quality.constant-column": constant_column,
    "quality.redundant-column": redundant_column,
    "quality.spelling-variants": spelling_variants,
    "quality.outliers": outliers,
    "quality.mixed-types": mixed_types,
    "quality.clipped": clipped,
    "quality.swapped-columns": swapped_columns,
    "quality.mojibake": mojibake,
    "quality.default-value": default_value,
}
