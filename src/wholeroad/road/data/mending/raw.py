"""Which columns of a file a mend wants to see as they are written there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.mends import MendStep
from wholeroad.road.data.mending.planning import columns_of, made_by

_OF_TEXTS = ("parse", "split")
_OF_LISTS = ("nothing", "map")


def read_as_text(source: SourceTable) -> frozenset[str]:
    """Name the columns of a file of texts that are read as texts, whatever they seem to hold.

    So a step finds the same in every file: one file's weights may look like numbers, and the next may say
    ``12 kg``. These are columns that are parsed or split, and those of a declared type whose listed values
    stand for nothing or for something else: landing casts them to that type once the steps are through.

    Returns
    -------
    frozenset
        Names as the file has them, before any ``rename``.

    Examples
    --------
    >>> steps = [{"rename": "kg", "to": "weight"}, {"parse": "weight", "as": "number", "strip": ["kg"]}]
    >>> sorted(read_as_text(SourceTable(read="a.csv", key="id", static=True, mend={"steps": steps})))
    ['kg']
    """
    found: set[str] = set()
    for step, names in _steps_with_names(source):
        for column in columns_of(step):
            declared = column in source.types
            if step.form in _OF_TEXTS or (step.form in _OF_LISTS and declared):
                found.add(names.get(column, column))
    return frozenset(found)


def names_in_file(source: SourceTable, landed: Iterable[str]) -> dict[str, str]:
    """Give the name that each landed column has in a file; columns that the mend makes are left out."""
    names: dict[str, str] = {}
    made: set[str] = set()
    for step, before in _steps_with_names(source):
        names = before
        made |= {name for name in made_by(step) if step.rename is None}
    return {column: names.get(column, column) for column in landed if column not in made}


def types_in_file(source: SourceTable, landed: Mapping[str, str]) -> dict[str, str]:
    """Give the types in which a file's columns are read, under the names that they have there.

    Parameters
    ----------
    landed
        The brief's words for the types of columns as they land, after the mend.

    Examples
    --------
    >>> steps = [{"rename": "kg", "to": "weight"}, {"fill": "weight", "with": 0, "flag": "weight_missing"}]
    >>> source = SourceTable(read="a.csv", key="id", static=True, mend={"steps": steps})
    >>> types_in_file(source, {"id": "text", "weight": "integer", "weight_missing": "boolean"})
    {'id': 'text', 'kg': 'integer'}
    """
    said = {**landed, **source.types}
    kinds = {name: said[column] for column, name in names_in_file(source, said).items()}
    return {**kinds, **dict.fromkeys(sorted(read_as_text(source)), "text")}


def _steps_with_names(source: SourceTable) -> Iterator[tuple[MendStep, dict[str, str]]]:
    """Give each step, with the file's names of columns that are called otherwise once it is through."""
    names: dict[str, str] = {}
    for step in source.mend.steps if source.mend is not None else ():
        if step.rename is not None and step.to is not None:
            names = {**names, step.to: names.get(step.rename, step.rename)}
            names.pop(step.rename, None)
        yield step, dict(names)
