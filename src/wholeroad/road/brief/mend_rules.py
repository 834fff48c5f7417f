"""Faults of a source's mend, told without data: names, conditions, and what the steps say to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from wholeroad.core.errors import Fault
from wholeroad.core.expressions import check_syntax
from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.mends import MendStep, MendTable

_DATED: Final = ("date", "instant")
_OF_NUMBERS: Final = ("decimal", "thousands", "strip")
_PARTS: Final = ("%-?[de]", "%-?[mbB]", "%-?[yY]")
"""A day, a month and a year."""


def mend_faults(mend: MendTable | None, name: str) -> Iterator[Fault]:
    """Find what can't be meant in the mend of a source.

    Parameters
    ----------
    name
        The source's.

    Yields
    ------
    Fault
        ``brief.mend-name``, ``brief.mend-renamed``, ``brief.mend-step`` and those of expressions.
    """
    if mend is None:
        return
    renamed: dict[str, str] = {}
    made: set[str] = set()
    for place, step in enumerate(mend.steps, start=1):
        where = f"[source.{name}.mend] step {place} ({step.said})"
        for text in (step.where, step.drop):
            if text is not None:
                yield from check_syntax(text, where=where)
        yield from _renamed_faults(step, where, renamed=renamed)
        yield from _name_faults(step, where, made=made)
        yield from _value_faults(step, where)
        new = _made_by(step)
        made |= {*new}
        if step.rename is not None and step.to is not None:
            renamed[step.rename] = step.to
            made.discard(step.rename)
        for each in new:
            renamed.pop(each, None)


def _renamed_faults(step: MendStep, where: str, *, renamed: dict[str, str]) -> Iterator[Fault]:
    asked = dict.fromkeys(_named(step))
    for text in (step.where, step.drop):
        if text is not None:
            asked |= dict.fromkeys(columns_in(text, "boolean"))
    for column in asked:
        if column in renamed:
            yield Fault(
                "brief.mend-renamed",
                where,
                f"{column} is called {renamed[column]} by then",
                "the names that the steps before leave",
                f"write {renamed[column]}, or put this step before the one that renames it",
            )


def _name_faults(step: MendStep, where: str, *, made: set[str]) -> Iterator[Fault]:
    new = _made_by(step)
    own = {*_named(step)} - ({step.split} if step.split is not None else set())
    for name in dict.fromkeys(new):
        said, wanted = "", ""
        if name.startswith("_") or not name:
            said, wanted = f"was {name!r}", "a name that doesn't start with an underscore; those are ours"
        elif name in made or name in own or new.count(name) > 1:
            said, wanted = f"{name} is another column's name already", "a new name"
        if said:
            yield Fault("brief.mend-name", where, said, wanted, "choose another name")


def _value_faults(step: MendStep, where: str) -> Iterator[Fault]:
    for happened, expected, fix in _odd(step):
        yield Fault("brief.mend-step", where, happened, expected, fix)


def _odd(step: MendStep) -> Iterator[tuple[str, str, str]]:
    """Give what a step says that can't be meant: what was said, what could be, the way out."""
    if step.split is not None and len(step.into) < 2:
        yield (
            f"it is split into {len(step.into)} column",
            "two or more in into",
            "name a column for each piece",
        )
    if step.split is not None and not step.at:
        yield "at was empty", "the text between the pieces", "write it, as in at = ', '"
    if step.factor == 0:
        yield (
            "the factor was 0",
            "another number: 0 would wipe every value out",
            "write the factor, as in 2.54",
        )
    if step.range is not None and step.range[0] > step.range[1]:
        ends = f"{step.range[0]:g} to {step.range[1]:g}"
        yield f"the range ran from {ends}", "the least value first", "turn the two around"
    if step.deduplicate == ():
        yield "no column was named", "the columns in which duplicates agree", "name them"
    if step.parse is not None:
        yield from _odd_parse(step)


def _odd_parse(step: MendStep) -> Iterator[tuple[str, str, str]]:
    if step.as_ not in _DATED and (step.format or step.timezone):
        surplus = "format" if step.format else "timezone"
        yield f"{surplus} stood beside as = '{step.as_}'", "it for dates and instants only", "leave it out"
    if step.as_ == "date" and step.timezone:
        yield (
            "timezone stood beside as = 'date'",
            "it for instants only",
            "leave it out, or write as = 'instant'",
        )
    of_numbers = [name for name in _OF_NUMBERS if getattr(step, name) != MendStep.model_fields[name].default]
    if step.as_ in _DATED and of_numbers:
        yield f"{of_numbers[0]} stood beside as = '{step.as_}'", "it for numbers only", "leave it out"
    if step.thousands is not None and step.thousands == step.decimal:
        yield (
            f"decimal and thousands were both {step.decimal!r}",
            "two different signs",
            "correct one of them",
        )
    if step.format is not None and not all(re.search(part, step.format) for part in _PARTS):
        yield (
            f"format was {step.format!r}",
            "a day (%d), a month (%m, %b) and a year (%Y, %y), as in %d.%m.%Y",
            'write format = "%d.%m.%Y" or what fits',
        )
    if step.timezone is not None and not _is_zone(step.timezone):
        yield f"timezone was {step.timezone!r}", "a name of the IANA database", "write it as in Europe/Vienna"


def _is_zone(name: str) -> bool:
    try:
        pl.Series([0], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except pl.exceptions.PolarsError:
        return False
    return True


def _named(step: MendStep) -> tuple[str, ...]:
    what: str | tuple[str, ...] = getattr(step, step.form)
    if step.form == "drop":
        return ()
    return (what,) if isinstance(what, str) else what


def _made_by(step: MendStep) -> tuple[str, ...]:
    return tuple(name for name in (step.to, step.flag, *step.into) if name is not None)
