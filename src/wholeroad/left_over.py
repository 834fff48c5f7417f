"""What a service has taken in: what it could not put into the tables, and what another brief would lose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Final, NamedTuple

from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Ledger
from wholeroad.engine.manifests import Manifests
from wholeroad.engine.service.moving import not_moved
from wholeroad.engine.service.records import Record, read
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.effects import read_again

HEADLINE: Final = "This brief can't come into force"

_NONE: Final[Mapping[str, int]] = MappingProxyType({})


class LeftOver(NamedTuple):
    """What a service acknowledged and is in no table yet.

    Attributes
    ----------
    rows
        How many, by source.
    actions
        How many cases each was decided for, by its code.
    """

    rows: Counter[str]
    actions: Counter[int]


def hot_records(folder: ProjectFolder) -> Iterator[tuple[int, Record]]:
    """Give every record of a project's hot log, by its number; none where no service ever ran."""
    if not folder.hot.exists():
        return
    with closing(SqliteHotLog(folder.hot)) as log:
        for number, data in log.read():
            yield number, read(data)


def left_over(folder: ProjectFolder, facts: Iterable[Fact], *, decided_until: Instant | None) -> LeftOver:
    """Count what a service acknowledged and could not put into the tables, or has not yet.

    Parameters
    ----------
    facts
        Everything on the ledger.
    decided_until
        What was decided before is sealed; None before the first run.
    """
    left = LeftOver(Counter(), Counter())
    for record in not_moved(hot_records(folder), facts, decided_until=decided_until or 0):
        for each in record.rows:
            left.rows[each.source] += len(each.values)
        left.actions.update(case.action for case in record.decided)
    return left


def left_behind(
    brief: Brief, before: Brief, *, facts: Iterable[Fact], hot: Mapping[str, int] = _NONE
) -> Iterator[Fault]:
    """Find rows that nobody could read again, where a brief reads their source another way.

    Parameters
    ----------
    before
        The brief in force.
    facts
        Everything on the ledger; not looked at while every source is read as before.
    hot
        By source, rows that are acknowledged and not on the ledger yet.
    """
    both = {name: (before.source[name], new) for name, new in brief.source.items() if name in before.source}
    other = {name: old for name, (old, new) in both.items() if read_again(old, new) == "from its files"}
    known = list(facts) if other else []
    for name, old in other.items():
        standing = Manifests.of(known, name, source=old).standing
        rows = sum(line.fact.landed for line in standing if not line.fact.origin) + hot.get(name, 0)
        if rows:
            yield Fault(
                "apply.rows-left-behind",
                f"[source.{name}]",
                f"its key, times or types are other ones, and {rows:,} of its rows came in another way "
                "than by a file: they can't be read again, and would be gone",
                "the key, times and types by which these rows were taken in",
                "put them back; or declare another source for what comes from now on",
            )


def refuse_left_behind(brief: Brief, before: Brief, *, ledger: Ledger) -> None:
    """Refuse to go on with a brief under which rows that a service took in would be gone.

    Parameters
    ----------
    before
        The brief in force.

    Raises
    ------
    FaultsError
        ``apply.rows-left-behind``.
    """
    if faults := [*left_behind(brief, before, facts=(fact for _, fact in ledger.read()))]:
        raise FaultsError(HEADLINE, faults)
