"""Steps fitted to the columns at hand, or every fault at once."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.expressions import Expression, bind
from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.mends import MendStep, MendTable
from wholeroad.road.data.casting import kept_type
from wholeroad.road.data.mending.filling import filling
from wholeroad.road.data.mending.listing import misspelled
from wholeroad.road.data.mending.values import changed_type

_NUMERIC: Final = ("unit", "clip")
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Planned:
    """A step that fits the columns it finds.

    Attributes
    ----------
    label
        The step in a few words, another one for each step of a table.
    condition
        ``where``, or the condition of ``drop``, bound; None for every row.
    """

    step: MendStep
    label: str
    condition: Expression | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the step names."""
        return columns_of(self.step)


@dataclass(slots=True)
class _Planning:
    """What is known of the columns as the steps before left them."""

    schema: dict[str, pl.DataType]
    where: str
    timezone: str | None
    broken: set[str] = field(default_factory=set)
    """Columns of which a step that has a fault would have made something."""
    faults: list[Fault] = field(default_factory=list)

    def add(self, step: str, code: str, happened: str, *, expected: str, fix: str) -> None:
        self.faults.append(Fault(code, f"{self.where} {step}", happened, expected, fix))


def plan(
    table: MendTable, schema: Mapping[str, pl.DataType], *, where: str, timezone: str | None
) -> tuple[Planned, ...]:
    """Fit the steps of a mend to the columns that rows come with.

    Parameters
    ----------
    schema
        The columns' names and types, as read.
    where
        How messages name the table, as in ``[source.flights.mend]``.
    timezone
        Of the source, for calendar functions in conditions.

    Raises
    ------
    FaultsError
        All faults of all steps: ``mend.unknown-column``, ``mend.column-type``, ``mend.name-taken``,
        ``mend.value``, and those of expressions.
    """
    to = _Planning(dict(schema), where, timezone)
    planned = []
    for place, (step, label) in enumerate(zip(table.steps, labels(table.steps), strict=True), start=1):
        shown = f"step {place} ({label})"
        condition = _condition(step, shown, to)
        if _fits(step, shown, to):
            _left_by(step, to)
        else:
            to.broken |= {*made_by(step), *columns_of(step)}
        planned.append(Planned(step, label, condition))
    if to.faults:
        headline = f"{where}: the steps don't fit the rows"
        raise FaultsError(headline, to.faults)
    return tuple(planned)


def labels(steps: Sequence[MendStep]) -> tuple[str, ...]:
    """Say each step in a few words; of steps that are said alike the later ones are numbered.

    Examples
    --------
    >>> labels([MendStep(unit="height", factor=2.0), MendStep(unit="height", factor=0.5)])
    ('unit height', 'unit height (2)')
    """
    said: Counter[str] = Counter()
    found = []
    for step in steps:
        said[step.said] += 1
        found.append(step.said if said[step.said] == 1 else f"{step.said} ({said[step.said]})")
    return tuple(found)


def columns_of(step: MendStep) -> tuple[str, ...]:
    """Name the columns that a step is about; those of its condition aside."""
    if step.form == "drop":
        return ()
    what: str | tuple[str, ...] = getattr(step, step.form)
    return (what,) if isinstance(what, str) else what


def made_by(step: MendStep) -> tuple[str, ...]:
    """Name the columns that a step makes."""
    return tuple(name for name in (step.to, step.flag, *step.into) if name is not None)


def _condition(step: MendStep, shown: str, to: _Planning) -> Expression | None:
    text = step.drop if step.drop is not None else step.where
    if text is None:
        return None
    place = f"{to.where} {shown}"
    try:
        return bind(text, to.schema, where=place, expects="boolean", timezone=to.timezone)
    except FaultsError as error:
        if not to.broken & columns_in(text).keys():
            to.faults += error.faults
        return None


def _fits(step: MendStep, shown: str, to: _Planning) -> bool:
    """Tell whether it is known what a step leaves, and note every reason why it doesn't fit."""
    if to.broken & {*columns_of(step)}:
        return False
    before = len(to.faults)
    missing = [name for name in columns_of(step) if name not in to.schema]
    for name in missing:
        near = difflib.get_close_matches(name, to.schema, n=1)
        known = [*to.schema][:_SHOWN]
        to.add(
            shown,
            "mend.unknown-column",
            f"there is no column {name} at this step",
            expected=f"one of {', '.join(known)}{' ...' if len(to.schema) > _SHOWN else ''}",
            fix=f"did you mean {near[0]}?" if near else "correct the name, or the order of the steps",
        )
    for name in made_by(step):
        if name in to.schema and not (step.form == "split" and name == step.split):
            to.add(
                shown,
                "mend.name-taken",
                f"there is a column {name} already",
                expected="a new name",
                fix="choose another one: a mend writes over no other column",
            )
    if not missing:
        for name in columns_of(step):
            _check_type(step, name, shown=shown, to=to)
    return all(fault.code == "mend.value" for fault in to.faults[before:])


def _check_type(step: MendStep, name: str, *, shown: str, to: _Planning) -> None:
    given = to.schema[name]
    kept = kept_type(given)
    needs = kept is None or (step.form in _NUMERIC and not (kept.is_numeric() or isinstance(kept, pl.String)))
    if needs and step.form != "rename":
        to.add(
            shown,
            "mend.column-type",
            f"{name} held {given}",
            expected="numbers, or texts that are numbers"
            if step.form in _NUMERIC
            else "text, numbers, true or false, dates or instants",
            fix="leave the step out, or mend the column where it comes from",
        )
        return
    reason = ""
    if step.form == "fill" and filling(step, given) is None:
        reason = f"{name} holds {kept}, and it would be filled with {step.with_!r}"
    elif step.form == "nothing" and kept is not None and (wrong := misspelled(step, kept)):
        reason = f"{name} holds {kept}, and the values had {', '.join(wrong)}"
    if reason:
        to.add(
            shown,
            "mend.value",
            reason,
            expected="values of the column's kind; dates as ISO texts, as in '1900-01-01'",
            fix="write them so, or parse the column before",
        )


def _left_by(step: MendStep, to: _Planning) -> None:
    """Note the columns and types that a step leaves."""
    if step.rename is not None and step.to is not None:
        to.schema = {step.to if name == step.rename else name: kind for name, kind in to.schema.items()}
        return
    if step.form not in ("deduplicate", "drop", "split"):
        (name,) = columns_of(step)
        to.schema[name] = changed_type(step, to.schema[name])
    to.schema |= dict.fromkeys(step.into, pl.String())
    if step.flag is not None:
        to.schema[step.flag] = pl.Boolean()
