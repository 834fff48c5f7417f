"""How a service begins: what came since it last ended, and who takes it in."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, Literal

from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.adapters.reading import readings
from wholeroad.engine.agenda import agenda
from wholeroad.engine.fold import State, fold
from wholeroad.engine.live import promised
from wholeroad.engine.manifests import table_of
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.moving import not_moved
from wholeroad.engine.service.records import read
from wholeroad.road.brief.digests import digests
from wholeroad.serving.beside import raised
from wholeroad.serving.jobs import Came, Job, Jobs, Open
from wholeroad.serving.loading import load_early, load_front
from wholeroad.serving.stored import NewRows

if TYPE_CHECKING:
    from wholeroad.yard import Yard

MOST_LITTLE: Final = 16 * 2**20
"""Bytes of the hot log up to which they are taken in without a process of its own."""

MOST_MISSED: Final = 2
"""Cycles that were begun and not noted, of which so many are run before cases are decided."""

How = Literal["little", "long", "much", "unknown"]
Do = Callable[[Job], Awaitable[Came]]


async def begin(yard: Yard, brief: str, *, log: SqliteHotLog, new_rows: NewRows, land: bool, do: Do) -> Front:
    """Take in what came since the service last ended, and give the front that goes on from there.

    Little of it is taken in here: a process of its own costs more than the work. While such a process reads
    queries, of which nobody knows what they will say, what has landed is read, in the hope that it was all.
    Of cycles that were missed a few are run at once, so that also who is killed again and again gets on; all
    others later, beside the answers, unless something else has to land before.

    Parameters
    ----------
    brief
        The text of the brief that is served.
    log
        The hot log; what it has beyond the tables was acknowledged, and comes first.
    new_rows
        Told of what was read.
    land
        Whether to look at the files.
    do
        Does a job that isn't little, in a process of its own.

    Raises
    ------
    FaultsError, UserError
        What landing and binding raise.
    """
    came = what_came(yard, log, land=land)
    job = Open(yard.clock.now(), land=land, most_cycles=MOST_MISSED if came in ("little", "long") else None)
    with _uncollected():
        if came == "little":
            with closing(Jobs(yard.folder.root, brief)) as jobs:
                done = await asyncio.to_thread(jobs.run, job)
            if done.error is not None:
                raise raised(done.error)
            return front_of(yard, log, new_rows=new_rows)
        opening = asyncio.ensure_future(do(job))
        await asyncio.sleep(0)
        early = load_early(yard, new_rows) if came == "unknown" else None
        await opening
        return (None if early is None else early()) or front_of(yard, log, new_rows=new_rows)


def front_of(yard: Yard, log: SqliteHotLog, *, new_rows: NewRows) -> Front:
    """Give the front that goes on from all that is written down: on the ledger, and in the hot log.

    Raises
    ------
    FaultsError, UserError
        What binding raises.
    RoadError
        ``service.log-differs``.
    """
    front = load_front(yard, new_rows)
    records = ((number, read(data)) for number, data in log.read())
    for record in not_moved(records, yard.facts, decided_until=front.at + 1):
        front.again(record)
    return front


def what_came(yard: Yard, log: SqliteHotLog, *, land: bool) -> How:
    """Tell how much has to be taken in before a service begins.

    Little is what needs no history: rows and decisions of the hot log, up to the next cycle; with cycles, or
    where it has grown, it is long. Files that changed, another brief, and a run that was cut short before a
    service began are much. Of queries it is unknown.
    """
    state = fold(yard.facts)
    if (
        state.decided_until is None
        or (promised(state) is not None and next(log.read(), None) is None)
        or state.brief != digests(yard.brief).brief
        or not all(yard.tables.exists(table_of(name, each)) for name, each in yard.brief.source.items())
    ):
        return "much"
    little: How = "little" if _short(log, yard, state) else "long"
    if not land:
        return little
    sources = yard.brief.source.items()
    for name, source in sources:
        if source.database is None:
            new = readings(yard.folder.root, name, source=source, landed=yard.intake)
            with closing(new):  # type: ignore[type-var]
                if next(new, None) is not None:
                    return "much"
    return "unknown" if any(source.database is not None for _, source in sources) else little


def _short(log: SqliteHotLog, yard: Yard, state: State) -> bool:
    """Tell whether a hot log is short, and no cycle has come since what is sealed."""
    size, last = 0, None
    for _, last in log.read():
        size += len(last)
        if size > MOST_LITTLE:
            return False
    return last is None or agenda(yard.brief.cycle).first(state.decided_until or 0) > read(last).at


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: what is read at the start stays, and there is much of it."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
