"""What a service has taken in: what it could not put into the tables, and what another brief would lose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.core.errors import Fault, FaultsError
from wholeroad.core.facts import Fact
from wholeroad.core.ports import Blobs
from wholeroad.engine.fold import fold
from wholeroad.engine.kept_briefs import brief_in_force
from wholeroad.engine.manifests import Manifests
from wholeroad.engine.service.moving import not_moved
from wholeroad.engine.service.records import Record, read
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.effects import read_again

HEADLINE: Final = "This brief can't come into force"

_NONE: Final[Mapping[str, int]] = MappingProxyType({})


def hot_records(folder: ProjectFolder) -> Iterator[tuple[int, Record]]:
    """Give every record of a project's hot log, by its number; none where no service ever ran."""
    if not folder.hot.exists():
        return
    log = SqliteHotLog(folder.hot)
    try:
        for number, data in log.read():
            yield number, read(data)
    finally:
        log.close()


def left_over(folder: ProjectFolder, facts: Sequence[Fact]) -> tuple[int, int]:
    """Count the rows and the decisions that were acknowledged and are in no table yet.

    Parameters
    ----------
    facts
        Everything on the ledger.

    Returns
    -------
    tuple
        Rows, and decisions. While a service runs they are what it has in its hot log at this moment.
    """
    rows = decisions = 0
    for record in not_moved(hot_records(folder), facts, decided_until=fold(facts).decided_until or 0):
        rows += sum(len(each.values) for each in record.rows)
        decisions += len(record.decided)
    return rows, decisions


def left_behind(
    brief: Brief, before: Brief, *, facts: Iterable[Fact], hot: Mapping[str, int] = _NONE
) -> Iterator[Fault]:
    """Find rows that nobody could read again, where a brief reads their source another way.

    Parameters
    ----------
    before
        The brief in force.
    facts
        Everything on the ledger.
    hot
        By source, rows that are acknowledged and not on the ledger yet.
    """
    known = list(facts)
    for name, source in brief.source.items():
        old = before.source.get(name)
        if old is None or read_again(old, source) != "from its files":
            continue
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


def refuse_left_behind(brief: Brief, facts: Sequence[Fact], *, blobs: Blobs) -> None:
    """Refuse to go on with a brief under which rows that a service took in would be gone.

    Raises
    ------
    FaultsError
        ``apply.rows-left-behind``.
    """
    before = brief_in_force(blobs, fold(facts).brief, newer=brief)
    if faults := [*left_behind(brief, before, facts=facts)]:
        raise FaultsError(HEADLINE, faults)
