"""Remedies as texts: read from a line, and written into a brief with who chose them."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from pydantic import ValidationError

from wholeroad.core.errors import UserError
from wholeroad.road.brief.draft import written
from wholeroad.road.brief.fairness import RemedyTable


def parse_remedy(text: str) -> RemedyTable:
    """Read a remedy as it would stand in the brief, on one line.

    Raises
    ------
    UserError
        ``fairness.remedy``: what is wrong with it.

    Examples
    --------
    >>> parse_remedy('{ kind = "reweigh", group = "depot" }').kind
    'reweigh'
    """
    try:
        data = tomllib.loads(f"remedy = {text}")["remedy"]
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(text, f"it is no TOML: {error}") from None
    try:
        return RemedyTable.model_validate(data)
    except ValidationError as error:
        told = error.errors()[0]
        place = ".".join(map(str, told["loc"]))
        said = told["msg"].removeprefix("Value error, ")
        raise _unreadable(text, f"{place}: {said}" if place else said) from None


def remedy_text(remedy: RemedyTable) -> str:
    """Write a remedy as a table that can stand at the end of a brief.

    Examples
    --------
    >>> print(remedy_text(RemedyTable(kind="reweigh", group="depot", chosen_by="the works council")))
    [[fairness.remedies]]
    kind = "reweigh"
    group = "depot"
    chosen_by = "the works council"
    """
    lines = ["[[fairness.remedies]]"]
    for name, value in remedy.model_dump(exclude_defaults=True).items():
        lines.append(f"{name} = {_value(value)}")
    return "\n".join(lines)


def with_remedy(brief_text: str, remedy: RemedyTable) -> str:
    """Give a brief's text with one more remedy at its end; nothing else of it changes.

    Raises
    ------
    UserError
        ``fairness.no-groups`` without ``[fairness.groups]``; ``fairness.remedies-inline`` where the remedies
        stand in one line, to which no table can be added.
    """
    fairness = tomllib.loads(brief_text).get("fairness")
    if not isinstance(fairness, dict) or not fairness.get("groups"):
        raise no_groups()
    text = f"{brief_text.rstrip()}\n\n{remedy_text(remedy)}\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise UserError(
            "fairness.remedies-inline",
            "The remedy can't be added to the brief",
            happened="remedies = [...] stands in one line, or the brief ends within a table of several lines",
            expected="each remedy as a table [[fairness.remedies]]",
            fix=f"add it by hand:\n{remedy_text(remedy)}",
        ) from None
    return text


def no_groups() -> UserError:
    """Say that the brief names no groups."""
    return UserError(
        "fairness.no-groups",
        "The brief names no groups",
        happened="it has no table [fairness.groups]",
        expected="who is to be compared with whom",
        fix='add it, as in:\n[fairness.groups]\ncarrier = { column = "carrier" }',
    )


def _value(value: Any) -> str:  # noqa: ANN401 - whatever TOML can say
    return value.isoformat() if isinstance(value, date) else written(value)


def _unreadable(text: str, happened: str) -> UserError:
    return UserError(
        "fairness.remedy",
        "The remedy can't be read",
        happened=f"was {text!r}; {happened}",
        expected="a remedy as it would stand in the brief",
        fix="""write it as in '{ kind = "thresholds", group = "carrier", equal = "selection_rate" }'""",
    )
