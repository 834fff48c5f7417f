"""What a service acknowledged and could not put into the tables before it ended: in its hot log, on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.core.facts import Fact
from wholeroad.engine.fold import fold
from wholeroad.engine.service.moving import not_moved
from wholeroad.engine.service.records import Record, read


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
