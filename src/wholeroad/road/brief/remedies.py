"""Remedies as texts: read from a line, and written into a brief with who chose them."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from pydantic import ValidationError

from wholeroad.core.errors import UserError
from wholeroad.road.brief.draft import written
from wholeroad.road.brief.fairness import RemedyTable


def parse_remedy(text: str, *, reason: str = "") -> RemedyTable:
    """Read a remedy: on one line, in braces, or in the lines of a table as it would stand in the brief.

    Parameters
    ----------
    reason
        Takes the place of the one in the text.

    Raises
    ------
    UserError
        ``fairness.remedy``: what is wrong with it.

    Examples
    --------
    >>> parse_remedy('{ kind = "reweigh", group = "depot" }').kind
    'reweigh'
    """
    plain = text.strip()
    try:
        data = _only(tomllib.loads(f"remedy = {plain}" if plain.startswith("{") else plain))
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(text, f"it is no TOML: {error}") from None
    if not data:
        raise _unreadable(text, "it is more or less than one remedy")
    if reason.strip():
        data["reason"] = reason.strip()
    try:
        return RemedyTable.model_validate(data)
    except ValidationError as error:
        told = error.errors()[0]
        place = ".".join(map(str, told["loc"]))
        said = told["msg"].removeprefix("Value error, ")
        raise _unreadable(text, f"{place}: {said}" if place else said) from None


def remedy_line(remedy: RemedyTable) -> str:
    """Write a remedy on one line, as ``--remedy`` takes it.

    Examples
    --------
    >>> remedy_line(RemedyTable(kind="reweigh", group="depot"))
    '{ kind = "reweigh", group = "depot" }'
    """
    said = ", ".join(f"{name} = {value}" for name, value in _settings(remedy))
    return f"{{ {said} }}"


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
    return "\n".join(["[[fairness.remedies]]", *(f"{name} = {value}" for name, value in _settings(remedy))])


def with_remedy(brief_text: str, remedy: RemedyTable) -> str:
    """Give a brief's text with one more remedy at its end; nothing else of it changes.

    Raises
    ------
    UserError
        ``fairness.no-groups`` without ``[fairness.groups]``; ``fairness.remedies-inline`` where the remedies
        stand in one line, to which no table can be added.
    """
    fairness = _loads(brief_text).get("fairness")
    if not isinstance(fairness, dict) or not fairness.get("groups"):
        raise no_groups()
    # The lines end as those of the brief do.
    end = "\r\n" if "\r\n" in brief_text else "\n"
    added = remedy_text(remedy).replace("\n", end)
    text = f"{brief_text.rstrip()}{end}{end}{added}{end}"
    try:
        _loads(text)
    except tomllib.TOMLDecodeError:
        raise UserError(
            "fairness.remedies-inline",
            "The remedy can't be added to the brief",
            happened="remedies = [...] stands in one line, or the brief ends within a table of several lines",
            expected="each remedy as a table [[fairness.remedies]]",
            fix=f"add it by hand:\n{remedy_text(remedy)}",
        ) from None
    return text


def to_be_written(remedy: RemedyTable) -> bool:
    """Tell whether the reason is only the place for one, as a plan's lines leave it."""
    return remedy.reason.strip().upper().startswith("TO BE WRITTEN")


def without_placeholder(remedy: RemedyTable) -> RemedyTable:
    """Leave out a reason that is only the place for one."""
    return remedy.model_copy(update={"reason": ""}) if to_be_written(remedy) else remedy


def no_groups() -> UserError:
    """Say that the brief names no groups."""
    return UserError(
        "fairness.no-groups",
        "The brief names no groups",
        happened="it has no table [fairness.groups]",
        expected="who is to be compared with whom",
        fix='add it, as in:\n[fairness.groups]\ncarrier = { column = "carrier" }',
    )


def _only(read: dict[str, Any]) -> dict[str, Any]:
    """Find the one remedy of what was read; empty where there is none, or anything beside it."""
    found: Any = read
    if "remedy" in read:
        found = read["remedy"] if len(read) == 1 else None
    elif "fairness" in read:
        remedies = read["fairness"].get("remedies") if isinstance(read["fairness"], dict) else None
        found = remedies[0] if len(read) == 1 and isinstance(remedies, list) and len(remedies) == 1 else None
    return found if isinstance(found, dict) else {}


def _loads(text: str) -> dict[str, Any]:
    return tomllib.loads(text.removeprefix("\ufeff"))


def _settings(remedy: RemedyTable) -> list[tuple[str, str]]:
    return [(name, _value(value)) for name, value in remedy.model_dump(exclude_defaults=True).items()]


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
