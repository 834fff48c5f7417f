"""Which instants of a table are which: of the decision, of the outcome; and the spans between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.core.instants import DAY, UNITS, Span, format_span
from wholeroad.road.data.profile import Column, Profile, words_of

_HOUR: Final = UNITS["h"]
_MINUTE: Final = UNITS["min"]
LADDER: Final[tuple[Span, ...]] = (
    *(minutes * _MINUTE for minutes in (1, 5, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * DAY for days in (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365, 730, 1095)),
)
"""Spans that people say."""

_FIRST: Final = frozenset(
    {
        "order", "ordered", "create", "created", "open", "opened", "request", "requested", "apply",
        "applied", "application", "book", "booked", "issue", "issued", "submit", "submitted", "start",
        "started", "departure", "event", "happened", "timestamp", "time", "date", "datetime", "purchase",
        "purchased", "visit", "visited", "transaction", "invoice", "posted", "datum", "bestellt",
    }
)  # fmt: skip
_LATER: Final = frozenset(
    {
        "known", "reported", "recorded", "closed", "resolved", "settled", "confirmed", "decided", "outcome",
        "result", "returned", "return", "delivered", "delivery", "arrived", "paid", "end", "ended",
        "finished", "completed", "churned", "cancelled", "canceled", "refunded", "due", "updated",
        "modified", "changed", "last", "final", "released", "shipped",
    }
)  # fmt: skip
_TELLS: Final = frozenset({"known", "reported", "recorded", "settled", "confirmed", "outcome", "result"})
_CLERKS: Final = frozenset({"updated", "modified", "changed", "exported", "export", "loaded", "last"})
_BIRTHS: Final = frozenset({"birth", "born", "dob", "birthday", "birthdate", "geburtsdatum"})

_USUAL: Final = 0.95
_AFTER: Final = 0.05
"""A column that lies after the decision in more rows than this isn't known then."""

_FEW_NULLS: Final = 0.01
_ASSUMED: Final = 30 * DAY
_LEAST: Final = 30
_CLEARLY: Final = 4.0
"""Standard errors."""


@dataclass(frozen=True, slots=True)
class KnownGuess:
    """When the outcome is known.

    Attributes
    ----------
    column
        None where no column says it.
    span
        With no column, how long after the decision; with one that is empty for some outcomes, how long after
        the decision its silence tells; None where the column says it of all.
    """

    column: str | None
    span: Span | None
    why: str
    young: bool = False
    """Whether the youngest rows have clearly fewer hits: their outcomes haven't all come yet."""


def decide_guess(seen: Profile, outcome: str) -> tuple[str, str] | None:
    """Guess the column that says when a row is decided about, and why; None where there is none."""
    stems = {word[:5] for word in words_of(outcome)} - {"at", "on", "date"}
    scored: list[tuple[float, float, str]] = []
    for column in seen.instants:
        if column.name == outcome or column.null_share > 0.5:
            continue
        words = set(column.words)
        score = 2.0 * bool(words & _FIRST) - 3.0 * bool(words & _LATER) - 9.0 * bool(words & _BIRTHS)
        score -= 4.0 * any(word[:5] in stems for word in words if len(word) >= 4)
        score -= 4.0 * (column.null_share > _FEW_NULLS)
        score -= 6.0 * bool(words & _CLERKS)
        middle = seen.frame[column.name].drop_nulls().to_physical().median()
        scored.append((-score, float(middle or 0), column.name))  # type: ignore[arg-type]
    if not scored:
        return None
    name = min(scored)[2]
    others = [column.name for column in seen.instants if column.name != name]
    if not others:
        return name, "it is the only column of instants that changes"
    before = ", ".join(others[:3])
    return name, f"it is filled and mostly before {before}" if _mostly_first(
        seen, name, others
    ) else "its name"


def known_guess(seen: Profile, hit: pl.Series, *, outcome: str, decide: str) -> KnownGuess:
    """Guess when the outcome is known: by a column after the decision, or an assumed span after it."""
    stems = {word[:5] for word in words_of(outcome) if len(word) >= 4}
    best: tuple[float, Column] | None = None
    told = hit.is_not_null()
    for column in seen.instants:
        if column.name == decide:
            continue
        gap = (seen.frame[column.name] - seen.frame[decide]).filter(told).drop_nulls()
        micros = gap.dt.total_microseconds()
        if not len(micros) or float((micros >= 0).mean() or 0) < _USUAL or (micros > 0).mean() == 0:  # type: ignore[arg-type]
            continue
        words = set(column.words)
        alike = column.name == outcome or any(word[:5] in stems for word in words if len(word) >= 4)
        score = 3.0 * alike + 3.0 * bool(words & _TELLS) + 2.0 * bool(words & _LATER) - bool(words & _CLERKS)
        score -= 0.5 * float(seen.frame[column.name].filter(told).null_count() / max(1, int(told.sum())))
        if score >= 1.5 and (best is None or score > best[0]):
            best = (score, column)
    if best is None:
        reach = spread(seen, decide)
        span = min(_ASSUMED, rounded_down(reach // 10))
        why = "no column says when the outcome was known"
        shares = _shares(seen, hit, decide=decide, span=span)
        if shares is None:
            return KnownGuess(None, span, why)
        fewer = f"in the last {format_span(span)} only {shares[1]:.1%} are hits, before {shares[0]:.1%}"
        why = f"{why}, and {fewer}"
        return KnownGuess(None, span, why, young=True)
    name = best[1].name
    missing = seen.frame[name].filter(told).is_null()
    if float(missing.mean() or 0) <= _FEW_NULLS:  # type: ignore[arg-type]
        return KnownGuess(name, None, f"it lies after {decide}, and its name")
    delay = delays(seen, name, decide=decide)
    span = rounded_up(int(delay.quantile(0.99, "higher") or DAY))
    filled = 1 - float(missing.mean() or 0)  # type: ignore[arg-type]
    why = f"{name} is filled for {filled:.0%} of the outcomes, 99 in 100 of them within {format_span(span)}"
    return KnownGuess(name, span, why)


def delays(seen: Profile, known: str, *, decide: str) -> pl.Series:
    """Give by how much, in microseconds, one column lies after another; rows without either left out."""
    return (seen.frame[known] - seen.frame[decide]).drop_nulls().dt.total_microseconds()


def after_share(seen: Profile, column: str, *, decide: str) -> float:
    """Give the share of rows, of those with both, in which a column lies after the decision."""
    gap = delays(seen, column, decide=decide)
    return float((gap > 0).mean() or 0.0) if len(gap) else 0.0  # type: ignore[arg-type]


def known_before(seen: Profile, column: str, *, decide: str) -> bool:
    """Tell whether a column of instants is known when a row is decided."""
    return after_share(seen, column, decide=decide) <= _AFTER


def spread(seen: Profile, column: str) -> Span:
    """Give the span from the first to the last instant of a column."""
    told = seen.columns[column]
    return int((told.high or 0) - (told.low or 0))


def last_instant(seen: Profile, columns: tuple[str, ...]) -> int:
    """Give the last instant of several columns: about when the file was made."""
    return max(int(seen.columns[name].high or 0) for name in columns)


def rounded_up(span: Span) -> Span:
    """Give the next longer span that people say."""
    year = 365 * DAY
    return next((each for each in LADDER if each >= span), -(-span // year) * year)


def rounded_down(span: Span) -> Span:
    """Give the next shorter span that people say; the shortest one for what is shorter still."""
    return next((each for each in reversed(LADDER) if each <= span), LADDER[0])


def _shares(seen: Profile, hit: pl.Series, *, decide: str, span: Span) -> tuple[float, float] | None:
    """Give the shares of hits in old and young rows, where the young have clearly fewer; else None."""
    at = seen.frame[decide].to_physical()
    rows = pl.DataFrame({"hit": hit, "young": at > last_instant(seen, (decide,)) - span}).drop_nulls()
    old, young = rows.filter(~pl.col("young"))["hit"], rows.filter("young")["hit"]
    if min(len(old), len(young)) < _LEAST:
        return None
    before, after = float(old.sum() / len(old)), float(young.sum() / len(young))
    both = float(rows["hit"].sum() / rows.height)
    error = (both * (1 - both) * (1 / len(old) + 1 / len(young))) ** 0.5
    return (before, after) if before - after > _CLEARLY * error > 0 else None


def _mostly_first(seen: Profile, name: str, others: list[str]) -> bool:
    return all(after_share(seen, other, decide=name) >= 0.5 for other in others[:3])
