"""Which columns become features, which windows go with them, and what is left out with its reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from wholeroad.core.instants import DAY, Span, format_span
from wholeroad.road.brief.draft import Line, Plain, column_in, name_in, text_in
from wholeroad.road.data.profile import ROW_NAMES, Column, Profile
from wholeroad.road.data.profile_outcome import outcome_guesses
from wholeroad.road.data.profile_times import after_share, known_before, rounded_up, spread

_CATEGORIES: Final = 255
_PER_TEXT: Final = 5
"""Rows for each text of a column, on average, below which it is a name."""

RIVAL: Final = "called like an outcome: is it known when the case is decided?"
_PER_GROUP: Final = 3
_YEAR: Final = 365 * DAY
_MOST: Final = 60
"""Features drafted: a person has to be able to read them."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a draft computes from a table.

    Attributes
    ----------
    features
        Lines of ``[feature]``.
    left_out
        Column and sentence.
    """

    features: tuple[Line, ...]
    left_out: tuple[tuple[str, str], ...]


def choose_features(
    seen: Profile, *, outcome: str, key: Collection[str], decide: str | None, leaks: dict[str, str]
) -> Chosen:
    """Choose from the case's own columns, by what they hold and when they are known.

    Parameters
    ----------
    decide
        The column of the decision's instant; None for a table without time.
    leaks
        Column to the sentence that says why it is suspect.
    """
    lines: list[Line] = []
    left: list[tuple[str, str]] = []
    rivals = {guess.column for guess in outcome_guesses(seen) if guess.named}
    for column in seen.columns.values():
        if column.name in {outcome, decide}:
            continue
        reason = leaks.get(column.name) or _unfit(seen, column, key=key, decide=decide)
        if reason:
            left.append((column.name, reason))
        elif column.kind == "instant" and decide is not None:
            text = f"days_between({column_in(column.name)}, {column_in(decide)})"
            lines.append(Line(f"days_since_{name_in(column.name, 'it')}", {"expression": text}))
        else:
            said = RIVAL if column.name in rivals else ""
            lines.append(Line(name_in(column.name, "column"), {"column": column.name}, said=said))
    if decide is not None:
        lines += _calendar(seen, decide)
    left += [(line.name, f"only {_MOST} features are drafted") for line in lines[_MOST:]]
    return Chosen(tuple(lines[:_MOST]), tuple(left))


def choose_windows(
    seen: Profile, *, key: Collection[str], leaks: Collection[str], positive: str, reach: Span, matures: Span
) -> tuple[Line, ...]:
    """Choose windows over past outcomes by what groups the cases: a customer, a shop, a route.

    Parameters
    ----------
    reach
        Of the whole table.
    """
    groups = [column for column in seen.columns.values() if _groups(column, key, leaks)]
    named = [column for column in groups if ROW_NAMES & set(column.words)]
    others = [column for column in groups if column not in named and column.distinct <= _CATEGORIES]
    named.sort(key=lambda column: -column.distinct)
    others.sort(key=lambda column: -column.distinct)
    lines = []
    for column, share in [*((each, 4) for each in named[:1]), *((each, 12) for each in others[:1])]:
        over = rounded_up(max(2 * matures, reach // share))
        value: Plain = {
            "mean": f"truth = {text_in(positive)}",
            "of": "outcomes",
            "by": column.name,
            "over": format_span(over),
        }
        lines.append(Line(f"past_{name_in(column.name, 'group')}", value))
    return tuple(lines)


def apart(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Give every feature a name of its own."""
    taken: set[str] = set()
    named = []
    for line in lines:
        name, number = line.name, 2
        while name in taken:
            name, number = f"{line.name}_{number}", number + 1
        taken.add(name)
        named.append(Line(name, line.value, line.why, line.said))
    return tuple(named)


def _unfit(seen: Profile, column: Column, *, key: Collection[str], decide: str | None) -> str:
    """Say why a column is no feature; nothing where it may be one."""
    told = column.rows - column.nulls
    names = bool(ROW_NAMES & set(column.words)) and column.kind in {"text", "integer"}
    reason = ""
    if column.name in key:
        reason = "it names the row"
    elif column.kind == "empty":
        reason = "it has no value in any row"
    elif column.kind == "other":
        reason = "values of its kind can't be used"
    elif column.distinct <= 1 and not column.nulls:
        reason = f"it is {column.first[0] if column.first else 'the same'} in every row"
    elif column.disguised:
        reason = f"it {column.disguised}; written as an instant, it could be held against the decision"
    elif column.kind == "instant":
        reason = _untimely(seen, column.name, decide)
    elif column.kind == "text" and column.distinct * _PER_TEXT > told:
        reason = f"it holds {column.distinct:,} different texts: names, and no categories"
    elif names and column.distinct > _CATEGORIES:
        reason = f"it names {column.distinct:,} different things; what is known of them may go into a window"
    return reason


def _untimely(seen: Profile, column: str, decide: str | None) -> str:
    if decide is None:
        return "without an instant to decide at, there is nothing to hold it against"
    if known_before(seen, column, decide=decide):
        return ""
    share = after_share(seen, column, decide=decide)
    return f"it lies after {decide} in {share:.0%} of the rows: it isn't known when the case is decided"


def _groups(column: Column, key: Collection[str], leaks: Collection[str]) -> bool:
    return (
        column.name not in key
        and column.name not in leaks
        and column.kind in {"text", "integer"}
        and (column.kind == "text" or bool(ROW_NAMES & set(column.words)))
        and column.distinct > 2
        and column.distinct * _PER_GROUP <= column.rows - column.nulls
    )


def _calendar(seen: Profile, decide: str) -> list[Line]:
    at = column_in(decide)
    instants = seen.frame[decide].drop_nulls()
    lines = []
    if instants.dt.hour().n_unique() > 1:
        lines.append(Line("hour", {"expression": f"utc_hour({at})"}))
    if instants.dt.date().n_unique() > 14:
        lines.append(Line("weekday", {"expression": f"utc_weekday({at})"}))
    if spread(seen, decide) > 2 * _YEAR:
        lines.append(Line("month", {"expression": f"utc_month({at})"}))
    return lines
