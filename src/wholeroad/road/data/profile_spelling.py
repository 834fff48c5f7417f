"""How a table of texts spells numbers, dates and nothing, decided by its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.casting import INSTANT, infer, parse
from wholeroad.road.data.spelling import infer_spelled, parse_dates, plain_numbers, unsigned

NOTHING: Final = (
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NULL",
    "null",
    "None",
    "NaN",
    "nan",
    "-",
    "--",
    "?",
    "n.a.",
    "\\N",
)
"""Texts that usually stand for no value."""

MOSTLY: Final = 0.99
"""A column with this share of numbers or instants is one of them, and the rest are faults in it."""

_SEEN: Final = 20_000
"""Values of a column that are looked at."""

_FRACTION: Final = r"^[+-]?\d+{0}\d+$"
_GROUPED: Final = r"^[+-]?\d{{1,3}}({0}\d{{3}})+({1}\d+)?$"
_COMPACT: Final = "%Y%m%d"
_DATE: Final = r"^(\d{1,4})([./-])(\d{1,2})([./-])(\d{1,4})(?:\D.*)?$"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What the values show.

    Attributes
    ----------
    unsure
        Sentences about what the values leave open.
    types
        Columns that are a number or an instant but for a few values: ``number`` or ``instant``.
    strange
        Of those, how many values aren't.
    signed
        Columns of numbers with the sign of money or of percent.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    dates: str | None = None
    nulls: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)
    strange: dict[str, int] = field(default_factory=dict)
    signed: tuple[str, ...] = ()


def find_spelling(texts: pl.DataFrame, *, separator: str = ",") -> Spelling:
    """Find how numbers, dates and missing values are spelled.

    Whether day or month comes first is decided by values over 12; where there are none, by a
    point between them or by the file's decimal commas, and that is said to be unsure.

    Parameters
    ----------
    texts
        Every column text; empty text is null.
    """
    samples = {
        name: words
        for name in texts.columns
        if len(words := texts[name].drop_nulls().head(_SEEN).str.strip_chars())
    }
    bare = {name: unsigned(words.filter(~words.is_in(NOTHING))) for name, words in samples.items()}
    decimal, thousands = _numbers([words for words in bare.values() if len(words)])
    dates, unsure = _dates(bare, european=decimal == "," or separator == ";")
    types = dict.fromkeys(_compact(bare), "instant") if dates is None else {}
    strange = dict.fromkeys(types, 0)
    dates = _COMPACT if types else dates
    csv = CsvTable(decimal=decimal, thousands=thousands, dates=dates)
    signed = tuple(
        name
        for name, words in samples.items()
        if infer(plain_numbers(words, csv)) == pl.String() and infer_spelled(words, csv).is_numeric()
    )
    nulls: set[str] = set()
    for name, words in samples.items():
        if infer_spelled(words, csv) != pl.String():
            continue
        rest = bare[name]
        if len(rest) < len(words) and len(rest) and infer_spelled(rest, csv) != pl.String():
            nulls |= set(words.filter(words.is_in(NOTHING)).unique().to_list())
            continue
        kind, odd = _mostly(rest, csv)
        if kind:
            types[name], strange[name] = kind, odd
            nulls |= set(words.filter(words.is_in(NOTHING)).unique().to_list())
    return Spelling(decimal, thousands, dates, tuple(sorted(nulls)), unsure, types, strange, signed)


def _numbers(columns: list[pl.Series]) -> tuple[Literal[".", ","], Literal[".", ",", " ", "'"] | None]:
    def share(words: pl.Series, pattern: str) -> float:
        return float(words.str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]

    def most(pattern: str, also: str) -> bool:
        whole = rf"^[+-]?\d+$|{pattern}|{also}"
        return any(share(words, pattern) > 0 and share(words, whole) >= MOSTLY for words in columns)

    comma_grouped, point_grouped = _GROUPED.format(",", r"\."), _GROUPED.format(r"\.", ",")
    comma = _FRACTION.format(",")
    # 1,234 alone may be either; anything but three digits behind the comma is a fraction.
    clear = r"^[+-]?\d+,(\d{1,2}|\d{4,})$|^[+-]?\d{1,3}(\.\d{3})+,\d+$|^[+-]?0,\d+$"
    if most(clear, rf"{comma}|{point_grouped}"):
        return ",", _thousands(columns, r"\.", ",")
    if most(comma_grouped, _FRACTION.format(r"\.")):
        return ".", ","
    return ".", _thousands(columns, "", r"\.")


def _thousands(columns: list[pl.Series], mark: str, point: str) -> Literal[".", ",", " ", "'"] | None:
    for sign, pattern in ((".", mark), (" ", "[ \u00a0\u202f]"), ("'", "['’]")):
        if not pattern:
            continue
        grouped = _GROUPED.format(pattern, point)
        whole = rf"{grouped}|^[+-]?\d+({point}\d+)?$"
        for words in columns:
            if words.str.contains(grouped).any() and float(words.str.contains(whole).mean() or 0) >= MOSTLY:  # type: ignore[arg-type]
                return sign  # type: ignore[return-value]
    return None


def _dates(columns: dict[str, pl.Series], *, european: bool) -> tuple[str | None, tuple[str, ...]]:
    """Choose the one way in which most date columns are written."""
    found: dict[str, list[str]] = {}
    open_: dict[str, list[str]] = {}
    for name, words in columns.items():
        if infer(words) != pl.String() or not words.head(100).str.contains(_DATE).all():
            continue
        ways = _ways(words)
        for way in ways[:1]:
            (found if len(ways) == 1 else open_).setdefault(way, []).append(name)
    unsure = []
    if found:
        chosen = max(found, key=lambda way: len(found[way]))
        for way, names in found.items():
            if way != chosen:
                listed = ", ".join(names)
                unsure.append(f"{listed} is written {way}, the other dates {chosen}: it stays text")
        return chosen, tuple(unsure)
    if not open_:
        return None, ()
    first = max(open_, key=lambda way: len(open_[way]))
    chosen = (
        first
        if european or "." in first
        else first.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    )
    listed = ", ".join(open_[first])
    reason = "its numbers or separators are European" if european else "the days are written with points"
    if chosen != first:
        reason = "nothing else in the file is European"
    word = "the day" if chosen.startswith("%d") else "the month"
    return chosen, (
        f"{listed}: no value is over 12 in one place only; {word} is taken to come first: {reason}",
    )


def _compact(columns: dict[str, pl.Series]) -> list[str]:
    """Find columns of dates without marks, as 20240131: by themselves they would be numbers."""
    return [
        name
        for name, words in columns.items()
        if words.n_unique() > 1
        and words.str.contains(r"^(19|20)\d{6}$").all()
        and not parse_dates(words, _COMPACT).null_count()
    ]


def _ways(words: pl.Series) -> list[str]:
    groups = words.str.extract_groups(_DATE).struct.unnest()
    mark = str(groups["2"].drop_nulls().mode().sort()[0])
    year = "%Y" if (groups["5"].str.len_chars() > 2).any() else "%y"
    if (groups["1"].str.len_chars() > 2).any():
        ways = [f"%Y{mark}%m{mark}%d", f"%Y{mark}%d{mark}%m"]
    else:
        ways = [f"%d{mark}%m{mark}{year}", f"%m{mark}%d{mark}{year}"]
    lost = {way: parse_dates(words, way).null_count() for way in ways}
    fits = [way for way in ways if lost[way] == min(lost.values()) <= (1 - MOSTLY) * len(words)]
    return fits[:1] if fits and fits[0].startswith("%Y") else fits


def _mostly(words: pl.Series, csv: CsvTable) -> tuple[str | None, int]:
    if not len(words) or words.str.contains(r"^0\d+$").any():
        return None, 0
    numbers = parse(plain_numbers(words, csv), pl.Float64()).null_count()
    if numbers <= (1 - MOSTLY) * len(words):
        return "number", numbers
    spelled = parse(words, INSTANT) if csv.dates is None else parse_dates(words, csv.dates)
    if spelled.null_count() <= (1 - MOSTLY) * len(words):
        return "instant", spelled.null_count()
    return None, 0
