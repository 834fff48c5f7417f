"""Columns of texts that are numbers, or dates, but for some rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl

from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import FEW_ROWS, Mask, Texts
from wholeroad.road.data.quality.values_names import is_unit
from wholeroad.road.data.quality.values_sentinels import empty_words
from wholeroad.road.data.quality.values_telling import Found, one_of, share_of, tell

_NUMBER: Final = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"
_DATE: Final = r"^\s*\d{4}-\d\d-\d\d(?:[T ].*)?$"
_WITH_WORD: Final = re.compile(r"^\s*([+-]?\d[\d.,]*)\s*([^\d\s.,+-][^\d]*)$")
_COMMA: Final = re.compile(r"^\s*[+-]?\d+,\d+\s*$")
_MOSTLY: Final = 0.75
"""From this share of numbers on, a column is one of numbers."""
_SHOWN: Final = 4


def find_mixed_types(seen: Seen) -> Iterator[Trouble]:
    """Find columns of texts most of which are numbers (or dates), and what the others are."""
    for texts in seen.looked.texts.values():
        if texts.present < FEW_ROWS or len(texts.levels) < 8:
            continue
        levels = pl.Series(texts.levels)
        for pattern, kind in ((_NUMBER, "number"), (_DATE, "date")):
            fits = levels.str.contains(pattern).to_numpy()
            nothing = np.isin(np.array(texts.levels, dtype=object), empty_words(texts))
            others = ~fits & ~nothing
            share = texts.counts[fits].sum() / max(1, texts.counts[~nothing].sum())
            if not others.any() or share < _MOSTLY or fits.sum() < 8 or _code(texts, levels, fits=fits):
                continue
            odd = levels.filter(pl.Series(others)).to_list()
            if kind == "number" and not _written(odd):
                continue
            yield _told(seen, texts, odd, kind=kind)
            break


def _code(texts: Texts, levels: pl.Series, *, fits: Mask) -> bool:
    """Tell whether the numbers are codes: they begin with zeros, or all have as many digits."""
    if texts.identifies:
        return True
    numbers = levels.filter(pl.Series(fits)).str.strip_chars()
    zeros = numbers.str.contains(r"^0\d").sum()
    return bool(zeros > 0.01 * len(numbers)) or (
        numbers.str.len_chars().n_unique() == 1 and len(numbers) > 50
    )


def _written(odd: list[str]) -> bool:
    """Tell whether what is no number is one with a unit, a word or a comma, or a few words that come back."""
    with_words = [found for text in odd if (found := _WITH_WORD.match(text))]
    commas = sum(bool(_COMMA.match(text)) for text in odd)
    words = {found[2].strip().casefold() for found in with_words}
    units = sum(is_unit(found[2]) for found in with_words)
    plain = sum(not any(sign.isdigit() for sign in text) for text in odd)
    known = units + commas + plain
    few = len(words) <= max(2, 0.1 * len(with_words)) and all(len(word) > 1 for word in words)
    return known >= 0.9 * len(odd) or (few and known + len(with_words) >= 0.9 * len(odd))


def _told(seen: Seen, texts: Texts, odd: list[str], *, kind: str) -> Trouble:
    mask = texts.values.is_in(odd).fill_null(value=False).to_numpy()
    count = int(mask.sum())
    shown = ", ".join(repr(text) for text in odd[:_SHOWN])
    return tell(
        seen,
        Found(
            code="quality.mixed-types",
            columns=(texts.name,),
            what=f"{texts.name} is text; {share_of(texts.present - count, texts.present)} of it are {kind}s, "
            f"and {count} rows aren't: {shown}{' ...' if len(odd) > _SHOWN else ''}",
            risk="every number is a category of its own, and nothing can be counted with it",
            where=one_of(texts.name, odd),
            mask=mask,
            mend=_mend(texts, odd, kind=kind),
            leave="when the texts are names or codes that happen to be digits",
            strength=1 + np.log10(1 + count),
        ),
    )


def _mend(texts: Texts, odd: list[str], *, kind: str) -> dict[str, Any]:
    """Give the step that reads the column: with a comma, without units; or that empties what is no number."""
    found = [_WITH_WORD.match(text) for text in odd]
    if kind == "number" and all(found):
        strip = sorted({match[2].strip() for match in found if match}, key=len, reverse=True)
        if len(strip) <= 20:
            return {"parse": texts.name, "as": "number", "strip": strip}
    if kind == "number" and all(_COMMA.match(text) for text in odd):
        return {"parse": texts.name, "as": "number", "decimal": ",", "where": one_of(texts.name, odd)}
    return {"nothing": texts.name, "values": odd}
