"""Texts without case, accents, white space and marks; and how many letters two are apart."""

from __future__ import annotations

import unicodedata

import polars as pl

_OTHER = str.maketrans({"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i"})


def fold(text: str) -> str:
    """Take away case, accents, white space and marks, as far as letters or digits are left.

    Examples
    --------
    >>> fold("  Łódź,  POLAND ") == fold("lodz poland"), fold("A-1") == fold("A 1"), fold("A1") == fold("A2")
    (True, True, False)
    """
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_OTHER))
    kept = "".join(sign for sign in apart if sign.isalnum())
    return kept or " ".join(text.split())


def folded(column: pl.Series) -> pl.Series:
    """Fold a column of texts; each distinct one is folded once."""
    levels = column.drop_nulls().unique()
    if not len(levels):
        return column
    plain = pl.Series([fold(level) for level in levels.to_list()], dtype=pl.String)
    return column.replace_strict(levels, plain, default=None, return_dtype=pl.String)


def distance_of(one: str, other: str, *, most: int) -> int:
    """Count the letters to change, add, leave out or exchange (Damerau 1964), giving up beyond ``most``.

    Examples
    --------
    >>> (
    ...     distance_of("Vienna", "Viena", most=2),
    ...     distance_of("abc", "acb", most=2),
    ...     distance_of("a", "xyz", most=1),
    ... )
    (1, 1, 2)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = [*range(len(other) + 1)]
    for place, letter in enumerate(one, start=1):
        last, row = row, [place]
        for column, sign in enumerate(other, start=1):
            cost = min(last[column] + 1, row[column - 1] + 1, last[column - 1] + (letter != sign))
            swapped = place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == sign
            row.append(min(cost, before[column - 2] + 1) if swapped else cost)
        if min(row) > most:
            return most + 1
        before = last
    return int(min(row[-1], most + 1))
