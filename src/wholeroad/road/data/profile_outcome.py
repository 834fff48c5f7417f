"""Which column is the outcome, and which value is the one to catch."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.road.data.profile import Column, Profile

FILLED: Final = "is filled"
"""The value of an outcome that is told by whether a column has a value at all."""

_STEMS: Final = (
    "target",
    "label",
    "outcome",
    "churn",
    "default",
    "fraud",
    "return",
    "refund",
    "cancel",
    "convert",
    "conversion",
    "late",
    "delay",
    "fail",
    "readmit",
    "won",
    "lost",
    "lapse",
    "complain",
    "claim",
    "respon",
    "subscrib",
    "attrition",
    "escalat",
    "breach",
    "noshow",
    "no_show",
    "resign",
    "bad",
    "event",
    "died",
    "death",
    "relapse",
    "defect",
    "broke",
    "fault",
    "storno",
    "gekündigt",
    "retour",
    "verspät",
)
_EXACT: Final = frozenset(
    {"y", "class", "response", "result", "state", "status", "late", "won", "bought", "clicked", "paid"}
)
_TRUE: Final = frozenset(
    {"1", "1.0", "true", "yes", "y", "t", "ja", "oui", "si", "sí", "sim", "wahr", "vrai", "x"}
)
_FALSE: Final = frozenset({"0", "0.0", "false", "no", "n", "f", "nein", "non", "não", "falsch", "faux", ""})
_PENDING: Final = frozenset(
    {"open", "pending", "in progress", "in_progress", "processing", "ongoing", "waiting", "unknown", "tbd"}
    | {"offen", "ausstehend", "in bearbeitung", "laufend"}
)
MOST_CLASSES: Final = 10
"""Values of a column that may be an outcome, at most."""


@dataclass(frozen=True, slots=True)
class OutcomeGuess:
    """A column that may be the outcome.

    Attributes
    ----------
    value
        The one to catch, as text; :data:`FILLED` where only being there tells.
    why
        What speaks for it.
    """

    column: str
    value: str
    why: str
    named: bool = False
    """Whether it is called like an outcome."""


def outcome_guesses(seen: Profile, key: Collection[str] = ()) -> tuple[OutcomeGuess, ...]:
    """Give the columns that may be the outcome, the likeliest first; empty when none may."""
    found: list[tuple[float, OutcomeGuess]] = []
    for place, column in enumerate(seen.columns.values()):
        if column.name in key:
            continue
        named = _named(column)
        if column.kind == "instant" and named and 0 < column.nulls < column.rows:
            text = f"it is called like an outcome, and {column.null_share:.0%} of the rows have none"
            found.append((named - 3, OutcomeGuess(column.name, FILLED, text)))
            continue
        if column.kind in {"instant", "empty", "other"} or not 2 <= column.distinct <= MOST_CLASSES:
            continue
        counts = counted(seen.frame[column.name])
        if column.distinct > 2 and not named:
            continue
        value, share = _value(counts)
        plain = {each.lower() for each in counts} <= _TRUE | _FALSE
        score = named + 2 * plain + (column.distinct == 2) + (share <= 0.5) + place / len(seen.columns)
        score -= column.distinct > 2 and "status" in column.words
        why = f"it has {column.distinct} values, {value} in {_percent(share)} of the rows"
        why = f"its name, and {why}" if named else why
        found.append((score, OutcomeGuess(column.name, value, why, bool(named))))
    return tuple(guess for _, guess in sorted(found, key=lambda each: -each[0]))


def counted(column: pl.Series) -> dict[str, int]:
    """Count a column's values as the brief will write them; the most frequent first."""
    counts = column.drop_nulls().value_counts(sort=True)
    names, rows = counts.to_series(0).to_list(), counts.to_series(1).to_list()
    pairs = [(written(value), count) for value, count in zip(names, rows, strict=True)]
    return dict(sorted(pairs, key=lambda each: (-each[1], each[0])))


def counting(values: Sequence[str], value: str, *, other: str, pending: Collection[str]) -> str:
    """Say what the values of an outcome of several count as."""
    if len(values) <= 2:
        return ""
    rest = [each for each in values if each != value and each not in pending]
    not_yet = f", and {', '.join(pending)} as not known yet" if pending else ""
    return f"{', '.join(rest)} count as {other}{not_yet}"


def written(value: object) -> str:
    """Write a value as people do: ``true``, ``1``, ``1.5``."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def hits(column: pl.Series, value: str) -> pl.Series:
    """Tell where the outcome is the one to catch; null where it isn't known."""
    if value == FILLED:
        return column.is_not_null()
    values = column.unique().drop_nulls().to_list()
    chosen = [each for each in values if written(each) == value]
    hit = column.is_in(pl.Series(chosen, dtype=column.dtype).implode())
    if not (open_ := pending(column, value)):
        return hit
    return pl.select(pl.when(~column.is_in(open_)).then(hit)).to_series().alias(column.name)


def pending(column: pl.Series, value: str) -> list[str]:
    """Give the values of an outcome, of several, that say that it hasn't come yet, as ``open`` does."""
    if column.dtype != pl.String:
        return []
    values = sorted(
        each for each in column.unique().drop_nulls().to_list() if each.strip().lower() in _PENDING
    )
    open_ = [each for each in values if each != value]
    return open_ if len(open_) < column.drop_nulls().n_unique() - 1 else []


def _named(column: Column) -> int:
    text = "_".join(column.words)
    if _EXACT & set(column.words):
        return 3
    return 4 if any(re.search(rf"(^|_){stem}", text) for stem in _STEMS) else 0


def _value(counts: dict[str, int]) -> tuple[str, float]:
    rows = sum(counts.values())
    true = [value for value in counts if value.lower() in _TRUE]
    named = [value for value in counts if any(value.lower().startswith(stem) for stem in _STEMS)]
    chosen = next(iter(true or named), min(counts, key=lambda value: (counts[value], value)))
    return chosen, counts[chosen] / rows


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else f"{share:.2%}"
