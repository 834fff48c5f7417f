"""Rows that are there twice under another key: with the same content, or nearly the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_chance import agreeing_pairs, agreement, too_many
from wholeroad.road.data.quality.values_telling import Found, figure, share_of, tell

_LEFT_OUT: Final = 6
"""So many columns, those that tell rows apart best, are left out in turn."""


def content_of(seen: Seen) -> list[str]:
    """Give the columns that a second copy of a row would share: not its key, nor when it became known."""
    known = [] if seen.table.known_at is None else seen.known_columns
    key = seen.table.key if len(seen.table.key) == 1 else _names_rows(seen)
    return [name for name in seen.columns if name not in key and name not in known]


def _names_rows(seen: Seen) -> tuple[str, ...]:
    rows = max(1, seen.rows.height)
    return tuple(name for name in seen.table.key if seen.rows[name].n_unique() > 0.5 * rows)


def find_duplicates(seen: Seen) -> Iterator[Trouble]:
    """Find rows with the same content under another key, more than chance makes.

    How many chance makes is read off the rows: among pairs that agree in all columns but one, so many agree
    in that one too as any two rows do. The column for which this gives most sets the bar.
    """
    columns = content_of(seen)
    rows = seen.rows
    if rows.height < 20 or len(columns) < 2 or rows.height == len(rows[columns[0]].drop_nulls()) == 0:
        return
    codes = rows.select(pl.col(name).hash(seed=7).alias(name) for name in columns)
    whole = codes.hash_rows(seed=7)
    again = whole.is_duplicated()
    surplus = ~whole.is_first_distinct()
    count = int(surplus.sum())
    if count < 3 or again.sum() > 0.5 * rows.height:
        return
    chance = _by_chance(codes, columns, count=agreeing_pairs(codes, columns))
    if not too_many(count, 3 * chance + 0.02):
        return
    yield tell(
        seen,
        Found(
            code="quality.duplicate-rows",
            columns=(),
            what=f"{count} rows ({share_of(count, rows.height)}) say the same as an earlier row under "
            f"another key; chance would make about {figure(chance)}",
            risk="a thing that is there twice counts twice, in windows, in money and in the evidence",
            where=f"rows that agree with an earlier one in {', '.join(columns)}",
            mask=surplus.to_numpy(),
            mend={"deduplicate": _telling(rows, columns, surplus=surplus)},
            leave="when two things can be alike in all that is written down, as two purchases in a minute",
            strength=math.log10(1 + count / (chance + 0.1)),
            shown=tuple(columns),
        ),
    )


def _telling(rows: pl.DataFrame, columns: list[str], *, surplus: pl.Series) -> list[str]:
    """Give the columns to compare by: those that all repeated rows have, if these find the same rows.

    A mend takes no two empty values for the same.
    """
    filled = [name for name in columns if not rows[name].filter(surplus).null_count()]
    if not filled:
        return columns
    found = int((~rows.select(filled).hash_rows(seed=7).is_first_distinct()).sum())
    return filled if found <= 1.01 * int(surplus.sum()) + 1 else columns


def _by_chance(codes: pl.DataFrame, columns: list[str], *, count: int) -> float:
    alone = {name: agreement(codes[name]) for name in columns}
    expected = []
    for name in sorted(columns, key=alone.__getitem__)[:_LEFT_OUT]:
        rest = [other for other in columns if other != name]
        differing = agreeing_pairs(codes, rest) - count
        expected.append(differing * alone[name] / max(1e-12, 1 - alone[name]))
    return float(np.max(expected))
