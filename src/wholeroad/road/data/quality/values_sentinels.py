"""Values that stand for no value: -999, 1900-01-01, "N/A"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from wholeroad.core.instants import DAY
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_columns import Instants, Texts
from wholeroad.road.data.quality.values_telling import Found, column, figure, one_of, plain, share_of, tell

NOTHING: Final = frozenset(
    (
        "n/a",
        "na",
        "n.a.",
        "#n/a",
        "nan",
        "null",
        "nil",
        "none",
        "-",
        "--",
        "---",
        ".",
        "?",
        "??",
        "???",
        "unknown",
        "unbekannt",
        "tbd",
        "tba",
        "tbc",
        "missing",
        "undefined",
        "unspecified",
        "xxx",
        "\\n",
        "(null)",
        "<null>",
        "<na>",
        "#ref!",
        "#value!",
        "#null!",
        "k.a.",
        "inconnu",
        "desconocido",
    )
) | {"", "not available", "not known", "not specified", "no data", "keine angabe", "not applicable"}
"""Texts that stand for no text, in lower case, without white space around them."""

_SOMETIMES: Final = frozenset({"none", "na", "nil", "missing", "not applicable", ".", "-", "nan"})
"""Words that may as well be a level of their own, where they are frequent among few."""

_DATES: Final = (
    *("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01", "1904-01-01"),
    *("1970-01-01", "1980-01-01", "2000-01-01", "2099-12-31", "2100-01-01", "2199-12-31", "2999-12-31"),
    *("3000-01-01", "4712-12-31", "9999-01-01", "9999-12-31"),
)
"""Where clocks and tables begin or end: SQL Server, spreadsheets, Unix, the last year of four digits."""


def find_sentinel_numbers(seen: Seen) -> Iterator[Trouble]:
    """Find numbers that stand for none: they come back, and lie off the support of the others."""
    for name, numbers in seen.looked.numbers.items():
        codes = [plain(code) for code in numbers.sentinels]
        if not codes:
            continue
        mask = np.isin(numbers.values, numbers.sentinels)
        levels = numbers.sound[0]
        said = ", ".join(figure(code) for code in codes)
        yield tell(
            seen,
            Found(
                code="quality.sentinel-number",
                columns=(name,),
                what=f"{name} is {said} in {int(mask.sum())} rows ({share_of(int(mask.sum()), mask.size)}); "
                f"the other values run from {figure(levels[0])} to {figure(levels[-1])}",
                risk="a code for no value is taken for a number, and moves every mean and every model",
                where=one_of(name, codes),
                mask=mask,
                mend={"nothing": name, "values": codes},
                leave="when the number can really be measured or counted",
                strength=1 + np.log10(mask.sum()),
            ),
        )


def find_sentinel_texts(seen: Seen) -> Iterator[Trouble]:
    """Find texts that stand for none: N/A, null, ?, unknown, white space alone."""
    for name, texts in seen.looked.texts.items():
        words = empty_words(texts)
        if not words:
            continue
        mask = texts.values.is_in(words).fill_null(value=False).to_numpy()
        said = ", ".join(repr(word) for word in words[:6])
        yield tell(
            seen,
            Found(
                code="quality.sentinel-text",
                columns=(name,),
                what=f"{name} is {said} in {int(mask.sum())} rows ({share_of(int(mask.sum()), mask.size)})",
                risk="no value is taken for one more category, or keeps numbers from being read as such",
                where=one_of(name, words),
                mask=mask,
                mend={"nothing": name, "values": words},
                leave="when the word is an answer of its own, as none is to the question for allergies",
                strength=1 + np.log10(mask.sum()),
            ),
        )


def empty_words(texts: Texts) -> list[str]:
    """Give the distinct texts of a column that stand for none."""
    found = [
        (level, int(count))
        for level, count in zip(texts.levels, texts.counts, strict=True)
        if level.strip().casefold() in NOTHING
    ]
    if len(found) == len(texts.levels):
        return []
    short = sum(len(level) <= 3 and level.isupper() for level in texts.levels[:50])
    codes = short > 0.5 * min(50, len(texts.levels))
    certain = any(level.strip().casefold() not in _SOMETIMES for level, _ in found)
    words = []
    for level, count in found:
        bare = level.strip().casefold()
        if codes and bare in {"na", "nan", "nil"}:
            continue  # the code of Namibia, of North America
        own = len(texts.levels) <= 12 and count > 0.05 * texts.present and bare in {"none", "not applicable"}
        if own and not certain:
            continue
        words.append(level)
    return words


def find_sentinel_dates(seen: Seen) -> Iterator[Trouble]:
    """Find dates that stand for none: where clocks and tables begin or end, and the 1st of January."""
    for instants in seen.looked.instants.values():
        yield from _ends_of_time(seen, instants)
        yield from _new_years(seen, instants)
    for name, texts in seen.looked.texts.items():
        words = [
            level
            for level, count in zip(texts.levels, texts.counts, strict=True)
            if count >= 2 and level.strip()[:10] in _DATES and level.strip()[10:].strip("T 0:.Zz+") == ""
        ]
        dated = texts.values.head(2_000).str.contains(r"^\s*\d{4}-\d\d-\d\d").mean()
        if words and isinstance(dated, float) and dated > 0.8:
            usual = sorted(level for level in texts.levels[:5_000] if level not in words)
            span = (usual[len(usual) // 50][:4], usual[-1 - len(usual) // 50][:4]) if usual else ("", "")
            words = [word for word in words if not span[0] <= word.strip()[:4] <= span[1]]
            if words:
                mask = texts.values.is_in(words).fill_null(value=False).to_numpy()
                yield _date(seen, name, mask, words=words, where=one_of(name, words))


def _ends_of_time(seen: Seen, instants: Instants) -> Iterator[Trouble]:
    at = instants.values[instants.present]
    if at.size < 20:
        return
    days, counts = np.unique(at // DAY, return_counts=True)
    codes = {_day(text): text for text in _DATES}
    known = np.isin(days, [*codes])
    rest = np.repeat(days[~known], counts[~known])
    if rest.size < 10:
        return
    low, high = rest[int(0.005 * rest.size)], rest[int(0.995 * (rest.size - 1))]
    margin = max(365, high - low) // 4
    off = known & ((days < low - margin) | (days > high + margin))
    if not off.any():
        return
    words = [codes[int(day)] for day in days[off]]
    mask = instants.present & np.isin(instants.values // DAY, days[off])
    bounds = " or ".join(_on_day(name_of := instants.name, int(day)) for day in days[off])
    exact = np.unique(instants.values[mask])
    listed = [_said(int(one), dates=instants.dates) for one in exact[:20]]
    yield _date(seen, name_of, mask, words=listed if exact.size <= 20 else words, where=bounds)


def _new_years(seen: Seen, instants: Instants) -> Iterator[Trouble]:
    """Find the 1st of January where it stands for a whole year, or for not known."""
    if seen.timed and instants.name in seen.times:
        return
    at = instants.values[instants.present]
    if at.size < 200:
        return
    frame = pl.DataFrame({"at": pl.Series(at).cast(pl.Datetime("us"))}).select(
        year=pl.col("at").dt.year(), month=pl.col("at").dt.month(), day=pl.col("at").dt.day()
    )
    years = frame["year"].n_unique()
    first = int(((frame["month"] == 1) & (frame["day"] == 1)).sum())
    beside = int(((frame["month"] == 1) & frame["day"].is_between(2, 11)).sum()) / 10
    firsts = int(((frame["month"] > 1) & (frame["day"] == 1)).sum()) / 11
    usual = max(beside, firsts, frame.height / 366 if years > 3 else 0.0)
    if years < 3 or first < max(10, 4 * usual) or (first - usual) < 8 * np.sqrt(usual + 1):
        return
    name = column(instants.name)
    month = pl.Series(instants.values).cast(pl.Datetime("us"))
    mask = instants.present & ((month.dt.month() == 1) & (month.dt.day() == 1)).to_numpy()
    if np.unique(instants.values[mask] // DAY, return_counts=True)[1].max() > 0.6 * first:
        return  # one day of one year was filled in
    where = f"utc_month({name}) = 1 and utc_day({name}) = 1"
    listed = [_said(int(one), dates=instants.dates) for one in np.unique(instants.values[mask])[:200]]
    yield tell(
        seen,
        Found(
            code="quality.sentinel-date",
            columns=(instants.name,),
            what=f"{instants.name} is the 1st of January in {first} rows; {figure(usual)} would be usual",
            risk="a year alone, or no date at all, is taken for a day",
            where=where,
            mask=mask,
            mend={"nothing": instants.name, "values": listed},
            leave="when things really begin with the year, as contracts do",
            strength=first / max(1.0, 4 * usual),
        ),
    )


def _date(
    seen: Seen, name: str, mask: np.ndarray[tuple[int], np.dtype[np.bool_]], *, words: list[str], where: str
) -> Trouble:
    return tell(
        seen,
        Found(
            code="quality.sentinel-date",
            columns=(name,),
            what=f"{name} is {', '.join(words[:4])} in {int(mask.sum())} rows "
            f"({share_of(int(mask.sum()), mask.size)}), far from all other dates",
            risk="no date is taken for one, and spans that are counted from it are decades",
            where=where,
            mask=mask,
            mend={"nothing": name, "values": words},
            leave="when an open end is meant and all that reads it knows that",
            strength=1 + np.log10(mask.sum()),
        ),
    )


def _day(text: str) -> int:
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)).days


def _on_day(name: str, day: int) -> str:
    start = np.datetime64(day, "D")
    at = f"cast('{start}' as timestamp)"
    return f"({column(name)} >= {at} and {column(name)} < {at} + 1d)"


def _said(at: int, *, dates: bool) -> str:
    text = str(np.datetime64(at, "us"))
    return text[:10] if dates or text[10:].strip("T0:.") == "" else f"{text[:19]}Z"
