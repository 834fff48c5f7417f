"""A project in service: one writer, groups of what came in together, one flush each."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from wholeroad.adapters.hot_log import SqliteHotLog
from wholeroad.core.errors import RoadError
from wholeroad.core.facts import encode
from wholeroad.core.instants import Instant, format_instant
from wholeroad.core.ports import Progress
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.groups import CycleCame, Grouped
from wholeroad.engine.service.messages import Answer, CaseAnswer, Command, Measured, ModelLine, StatusAnswer
from wholeroad.engine.service.records import write
from wholeroad.project import Project
from wholeroad.serving.applying import answered, asked
from wholeroad.serving.asking import Done, settle
from wholeroad.serving.beginning import MOST_MISSED, begin, front_of
from wholeroad.serving.beside import Beside, Calls
from wholeroad.serving.counting import Counts, seconds
from wholeroad.serving.jobs import Open, Seal
from wholeroad.serving.loading import load_front
from wholeroad.serving.processes import Host
from wholeroad.serving.proposing import tried
from wholeroad.serving.stored import NewRows
from wholeroad.serving.told import fault, full, model_lines, not_now, starting

if TYPE_CHECKING:
    from wholeroad.road.brief.contract import Brief
    from wholeroad.road.model.scoring import Model

MOST_QUEUED: Final = 4096
"""Commands that may wait; more are sent away until there is room."""

MOST_HOT: Final = 100_000
"""Rows and decisions in the hot log at which they move into the tables, cycle or not."""

AGAIN_S: Final = 1.0
"""It begins again so long after a failure, and twice as long after each further one."""

MOST_AGAIN_S: Final = 60.0

_Waiting = tuple[Command, Done]


class Service:
    """What the project answers, and the loop that writes it down.

    Use it inside of one event loop: ``await start()``, then ``submit``, then ``await close()``.

    Parameters
    ----------
    project
        Its lock is held by whoever serves it.
    host
        Makes where the office works, and where fits are made, from the project's folder and its brief.
    poll_s
        How often the clock is looked at while nothing comes in, at least.
    tell
        Told in a sentence of what went wrong beside the answers.
    """

    def __init__(
        self,
        project: Project,
        *,
        host: Callable[[Path, str], Host],
        poll_s: float = 1.0,
        tell: Callable[[str], None] = print,
    ) -> None:
        self._yard = project.yard
        self._host = host
        self._text = project.folder.read_brief()
        self._beside = Beside(
            *self._hosts(self._text),
            calls=Calls(self.now, self._take_over, self._model, self._prune, self._take_up, tell),
        )
        self._poll_s = poll_s
        self._turn = asyncio.Lock()
        self._flush: asyncio.Future[None] | None = None
        self._tell = tell
        self._queue: list[_Waiting] = []
        self._cycles: list[CycleCame] = []
        self._wake = asyncio.Event()
        self._flushing = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._log: SqliteHotLog | None = None
        self._front: Front | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._broken = ""
        self._mending: asyncio.Task[None] | None = None
        self._failed = 0
        self._counts = Counts()
        self._hot = 0
        self._moved = 0
        self._new_rows = NewRows(self._yard)

    @property
    def brief(self) -> Brief:
        """The brief in force."""
        return self._yard.brief

    @property
    def front(self) -> Front:
        """Who lands and decides; there once the service has started."""
        if self._front is None:
            raise starting()
        return self._front

    @property
    def schemas(self) -> Mapping[str, pl.Schema]:
        """By source: its own columns; a source without any row yet is not in it."""
        return self.front.schemas

    def now(self) -> Instant:
        """Give the present by the project's clock; never before what is written."""
        at = self._front.at if self._front is not None else 0
        return max(self._yard.clock.now(), at)

    async def submit(self, command: Command) -> Answer:
        """Hand a command in, and wait until what it comes to is durable."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        self.ask(command, partial(settle, future))
        return await future

    def ask(self, command: Command, done: Done) -> None:
        """Hand a command in; the loop tells ``done`` what it comes to, once that is durable."""
        if reason := self.not_ready():
            raise not_now(reason)
        if len(self._queue) >= MOST_QUEUED:
            raise full(MOST_QUEUED)
        self._queue.append((command, done))
        self._wake.set()

    def not_ready(self) -> str:
        """Say why no case can be decided now; empty when all is well."""
        if self._broken:
            return self._broken
        if self._closing:
            return "it is being shut down"
        return "" if self._front is not None else "it is starting: what has landed is being read"

    async def decision(self, decision_id: str) -> CaseAnswer | None:
        """Give a decision, or what is known of a case that waits; None for an unknown one."""
        async with self._turn:  # no group is formed and not yet on its way to the disk
            found = self.front.find(decision_id)
            await self._flushed()
        if self._broken:
            raise not_now(self._broken)
        return found

    async def models(self) -> list[ModelLine]:
        """Give the fits so far, the newest first."""
        return model_lines([fact for _, fact in self._yard.ledger.read()], self.front.plan)

    async def ledger(self, after: int, most: int) -> list[tuple[int, bytes]]:
        """Give facts of the ledger in their canonical encoding, with their numbers."""
        return [(seq, encode(fact)) for seq, fact in islice(self._yard.ledger.read(after), most)]

    def status(self) -> StatusAnswer:
        """Say how the service stands."""
        return self._counts.status(self.front, self._beside, now=self._yard.clock.now())

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way beside the answers."""
        return (
            not self._queue and not self._cycles and self._beside.idle and self.front.next_at() > self.now()
        )

    def measured(self) -> Measured:
        """Give the counters."""
        return self._counts.measured(self.front, self._beside, queued=len(self._queue))

    def champion(self) -> tuple[str, Model, pl.Schema] | None:
        """Give the digest of the model in charge, the model, and the types of its features."""
        return self.front.champion()

    async def cancel_fit(self) -> bool:
        """Stop the fit that is being made; its end is a fact at the next cycle."""
        return await self._beside.cancel_fit()

    async def start(self, *, land: bool = True, progress: Progress | None = None) -> None:
        """Take in what the hot log has, land the files, read what has landed, and begin.

        Raises
        ------
        FaultsError, UserError
            What landing and binding raise.
        """
        answered(self._yard.folder)  # what was asked of a service before: the folder's brief counts now
        self._log = SqliteHotLog(self._yard.folder.hot)
        do = partial(self._beside.do, progress=progress)
        self._front = await begin(
            self._yard, self._text, log=self._log, new_rows=self._new_rows, land=land, do=do
        )
        self._beside.begin(self._front)
        self._tasks = [asyncio.create_task(self._writing()), asyncio.create_task(self._watching())]
        for task in self._tasks:
            task.add_done_callback(self._ended)
        self._wake.set()

    async def close(self) -> None:
        """Answer what has been handed in, seal it, and end; nothing new is taken in."""
        self._closing = True
        self._wake.set()
        for task in self._tasks[:1]:
            await task
        for task in self._tasks[1:]:
            task.cancel()
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        await self._beside.close(None if self._front is None or self._broken else self._front.settled_at)
        self._flushing.shutdown(wait=True)
        if self._log is not None:
            self._log.close()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def _writing(self) -> None:
        while True:
            await self._wake.wait()
            async with self._turn:
                await self._flushed()  # meanwhile more comes in: one group, one flush
                await self._group()
                if self._closing and not self._queue and not self._cycles:
                    await self._flushed()
                    return

    async def _group(self) -> None:
        """Form a group of what waits, and begin to flush it."""
        self._wake.clear()
        waiting, self._queue = self._queue, []
        came, self._cycles = self._cycles, []
        if self._broken:
            self._fail(not_now(self._broken), waiting)
            return
        began_s = seconds()
        now = max(self._yard.clock.now(), self.front.at + 1)
        try:
            grouped = self.front.step([command for command, _ in waiting], now=now, came=came)
        except Exception as error:  # noqa: BLE001 (whatever it is, what is on the disk is whole)
            self._fail(error, waiting)
            return
        self._counts.grouped(grouped, deciding_s=seconds() - began_s)
        self._flush = asyncio.ensure_future(self._written(grouped, waiting, came))

    async def _flushed(self) -> None:
        if self._flush is not None:
            await asyncio.shield(self._flush)  # who waits may be told to go

    async def _written(self, grouped: Grouped, waiting: list[_Waiting], came: list[CycleCame]) -> None:
        """Write a group down, then answer: nothing is acknowledged before it is on the disk."""
        log = self._log
        if self._broken:  # it rests on a group that isn't there
            self._fail(not_now(self._broken), waiting)
            return
        if grouped.record is not None and log is not None:
            began_s = seconds()
            try:
                data = write(grouped.record)
                await self._loop.run_in_executor(self._flushing, log.append, data)
            except Exception as error:  # noqa: BLE001 (as above)
                self._fail(error, waiting)
                return
            self._failed = 0
            self._counts.flush_s += seconds() - began_s
            self._hot += len(grouped.record.decided) + sum(len(each.values) for each in grouped.record.rows)
        for (_, done), answer in zip(waiting, grouped.answers, strict=True):
            self._loop.call_soon(done, answer)
        if full := self._hot >= MOST_HOT:
            self._hot = 0
        cycles = self.front.cycles_begun(grouped.at)
        self._beside.durable(grouped.at, cycles=cycles, came=came, full=full)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the service where a loop ends by a fault of ours: what is on the disk is whole."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = self._broken or f"it stopped by a fault of ours: {error}"
            self._tell("".join(traceback.format_exception(error)))

    def _fail(self, error: Exception, waiting: list[_Waiting]) -> None:
        """Answer that nothing was taken in; the front, which knows of it, is read anew from the disk."""
        if not self._broken:
            self._broken = f"what came in could not be written: {fault(error).happened}"
            if not isinstance(error, RoadError):
                self._tell("".join(traceback.format_exception(error)))
            self._tell(f"{self._broken}; it begins again from what is on the disk")
        if not self._closing and (self._mending is None or self._mending.done()):
            self._mending = asyncio.create_task(self._begin_again())
        for _, done in waiting:
            self._loop.call_soon(done, not_now(self._broken))

    async def _begin_again(self) -> None:
        """Begin from what is on the disk, as a start after a crash does, until it can be written again."""
        while self._broken and (log := self._log) is not None:
            await asyncio.sleep(min(AGAIN_S * 2**self._failed, MOST_AGAIN_S))
            self._failed += 1
            new_rows = NewRows(self._yard)
            async with self._turn:
                await self._flushed()
                await self._beside.close(None)
                self._beside = self._beside.again(*self._hosts(self._text))
                try:
                    await self._beside.do(Open(self._yard.clock.now(), land=False, most_cycles=MOST_MISSED))
                    self._front = front_of(self._yard, log, new_rows=new_rows)
                except RoadError as error:
                    self._broken = f"it could not begin again: {error.happened}"
                    continue
                self._new_rows = new_rows
                self._cycles.clear()
                self._hot = 0
                self._broken = ""
                self._beside.begin(self._front)
        self._tell("it goes on")
        self._wake.set()

    async def _watching(self) -> None:
        """Wake the writer when a case or a cycle is due, whether anything comes in or not."""
        while True:
            ahead_s = (self.front.next_at() - self._yard.clock.now()) / 1e6
            await asyncio.sleep(min(max(ahead_s, 0.001), self._poll_s))
            if self.front.next_at() <= self._yard.clock.now():
                self._wake.set()

    async def _take_up(self) -> None:
        """Take up a changed brief that is asked for, after a cycle; what comes in meanwhile waits for it."""
        folder = self._yard.folder
        wanted = asked(folder)
        if wanted is None or not self._may_change():
            return
        try:
            changed = await asyncio.to_thread(tried, self._yard, wanted.brief)
        except RoadError as error:
            answered(folder)
            self._tell(f"a changed brief was not taken up, and the one in force stays: {error}")
            return
        async with self._turn:
            await self._flushed()
            if not self._may_change() or asked(folder) != wanted:
                return
            answered(folder)
            if changed is None:
                return
            now, text = self.now(), wanted.brief
            yard = Project(folder, changed, text=text, clock=self._yard.clock).yard
            try:
                await self._beside.change(Seal(now, self.front.at + 1))
                await self._beside.change(Open(now), hosts=self._hosts(text))
                self._front = load_front(yard, new_rows := NewRows(yard))
                self._yard, self._text, self._new_rows = yard, text, new_rows
                self._beside.resume(self._front)
            except Exception as error:
                self._fail(error, [])
                raise
            self._tell(f"the brief was changed: it is in force from {format_instant(now)} on")

    def _may_change(self) -> bool:
        """Tell whether every cycle that has begun is done, under the brief under which it began."""
        return not self.not_ready() and not self._beside.behind and self.front.settled_at == self.front.at

    def _hosts(self, brief: str) -> tuple[Host, Host]:
        root = self._yard.folder.root
        return self._host(root, brief), self._host(root, brief)

    def _take_over(self, came: CycleCame) -> None:
        self._cycles.append(came)
        self._wake.set()

    def _model(self, name: str) -> Model:
        return self.front.read_model(name)

    async def _prune(self, through: int) -> None:
        if not through or self._log is None:
            return
        await self._loop.run_in_executor(self._flushing, self._log.prune, through)
        front = self._front
        if front is not None and self._counts.landed - self._moved >= MOST_HOT // 4:
            self._moved = self._counts.landed
            new = self._new_rows.read()
            while (some := await asyncio.to_thread(next, new, None)) is not None:
                front.moved(*some)
            gc.collect()  # there is least to look through now
