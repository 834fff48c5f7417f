"""How a table that was looked at tells its outcome: by a value, or by silence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from wholeroad.road.brief.draft import column_in, name_in, text_in
from wholeroad.road.data.interview import Interview
from wholeroad.road.data.profile_outcome import FILLED, counting, pending
from wholeroad.road.data.profile_times import KnownGuess

_FEW_OPEN: Final = 0.01
"""Where more rows than this say that they are open, the others aren't silent."""


@dataclass(frozen=True, slots=True)
class Truth:
    """An outcome's truth as the brief will say it; the positive class is the first."""

    text: str
    classes: tuple[str, str]
    why: str = ""


def write_truth(interview: Interview, *, timed: bool) -> Truth:
    """Write what a row tells of its outcome.

    Parameters
    ----------
    interview
        With an answer to each of its questions.
    timed
        Whether the rows have a time: without one silence tells nothing.
    """
    column, value = interview.outcome
    told = interview.seen.columns[column]
    at = column_in(column)
    silent = timed and silence_tells(interview)
    if value == FILLED:
        name = name_in(column.removesuffix("_at").removesuffix("_on").removesuffix("_date"), "yes")
        return _cased(interview, hit_condition(interview), classes=(name, f"not_{name}"), silent=silent)
    if told.kind == "text":
        values = sorted(interview.seen.frame[column].drop_nulls().unique().to_list())
        other = next(each for each in values if each != value) if len(values) == 2 else "other"
        other = other if other not in values or len(values) == 2 else f"not_{value}"
        if len(values) == 2 and not silent:
            return Truth(at, (value, other))
        open_ = pending(interview.seen.frame[column], value)
        cased = _cased(interview, hit_condition(interview), classes=(value, other), silent=silent)
        return replace(cased, why=counting(values, value, other=other, pending=open_))
    name = name_in(column, "yes")
    return _cased(interview, hit_condition(interview), classes=(name, f"not_{name}"), silent=silent)


def _cased(interview: Interview, condition: str, *, classes: tuple[str, str], silent: bool) -> Truth:
    hit = f"when {condition} then {text_in(classes[0])}"
    early = f"when {open_} then null " if (open_ := open_condition(interview)) else ""
    if not silent:
        return Truth(f"case {early}{hit} else {text_in(classes[1])} end", classes)
    known = None if interview.dumped else interview.known()
    # A row that has the instant of its outcome, and is no hit, tells the other class by itself.
    if interview.outcome[1] == FILLED or not isinstance(known, KnownGuess) or known.column is None:
        return Truth(f"case {hit} end", classes)
    other = f"when {column_in(known.column)} is not null then {text_in(classes[1])}"
    return Truth(f"case {early}{hit} {other} end", classes)


def silence_tells(interview: Interview) -> bool:
    """Whether a row without a hit only tells that none has come yet."""
    if interview.outcome[1] == FILLED:
        return True
    if interview.dumped or interview.decide is None or "known_at" not in interview.answers:
        return False
    known, open_ = interview.known(), interview.hit.null_count()
    # Where rows say that they are open, the others say that they aren't.
    if isinstance(known, str) or known.span is None or open_ > _FEW_OPEN * len(interview.hit):
        return False
    return known.column is not None or known.young


def hit_condition(interview: Interview) -> str:
    """Write the condition under which a row is a hit."""
    name, value = interview.outcome
    at, kind = column_in(name), interview.seen.columns[name].kind
    if value == FILLED:
        return f"{at} is not null"
    if kind == "boolean":
        return at if value == "true" else f"not {at}"
    return f"{at} = {text_in(value) if kind == 'text' else value}"


def open_condition(interview: Interview) -> str:
    """Write the condition under which a row says that its outcome hasn't come; empty where none does."""
    name, value = interview.outcome
    if value == FILLED:
        return ""
    column, at = interview.seen.frame[name], column_in(name)
    conditions = [f"{at} is null"] if column.null_count() else []
    if open_ := pending(column, value):
        conditions.append(f"{at} in ({', '.join(map(text_in, open_))})")
    return " or ".join(conditions)
