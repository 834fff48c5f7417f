"""What goes on beside the answers: cycles in order, fits, and moving what has landed into the tables."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wholeroad.core.errors import Fault, FaultsError, RoadError, TryLaterError, UserError
from wholeroad.core.instants import Instant
from wholeroad.core.ports import Progress
from wholeroad.engine.facts import decode
from wholeroad.engine.recorded import CANCELLED, FAILED
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.groups import CycleCame, models_named
from wholeroad.engine.service.messages import Trouble
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.model.scoring import Model
from wholeroad.serving.jobs import Came, Cycle, Fit, Job, Seal
from wholeroad.serving.processes import Host
from wholeroad.serving.told import fault

REST_S: Final = 5.0
"""After so long without a job the office lets its memory go."""

FIT_AFTER_S: Final = 0.2
"""A fit begins so long after it was asked for: what is just being answered comes first."""

ENDED_S: Final = 0.05
"""A fit that is stopped is looked at again after so long."""

RETRY_S: Final = 5.0
"""A cycle that could not be run is tried again after so long, and twice as long each further time."""

MOST_RETRY_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Calls:
    """What goes from beside to the service.

    Attributes
    ----------
    now
        The present.
    hand_over
        Takes what a cycle came to into the next group.
    model
        Reads a model from its digest.
    prune
        Lets go of records up to a number.
    after_cycle
        Awaited when a cycle is done, before the next one.
    tell
        Told in a sentence of what went wrong.
    """

    now: Callable[[], Instant]
    hand_over: Callable[[CycleCame], None]
    model: Callable[[str], Model]
    prune: Callable[[int], Awaitable[None]]
    after_cycle: Callable[[], Awaitable[None]]
    tell: Callable[[str], None]


class Beside:
    """Runs one job at a time, and one fit beside it.

    Parameters
    ----------
    host, fits
        Where the office works, and where fits are made.
    calls
        To the service.
    """

    def __init__(self, host: Host, fits: Host, *, calls: Calls) -> None:
        self._host = host
        self._fits = fits
        self._calls = calls
        self._due: deque[Instant] = deque()
        self._work = asyncio.Event()
        self._written = asyncio.Event()
        self._seal_until: Instant | None = None
        self._task: asyncio.Task[None] | None = None
        self._fitting: asyncio.Task[None] | None = None
        self._pending: FitAsked | None = None
        self._made: set[Instant] = set()
        self._failed: dict[str, tuple[str, str]] = {}
        self._cancelled = False
        self._busy = False
        self._handed_at: Instant | None = None
        self.fits_failed = 0
        self.jobs_failed = 0
        self.cycles = 0
        self.trouble: Trouble | None = None

    # ---- what is seen of it -------------------------------------------------------------------------

    @property
    def behind(self) -> int:
        """Cycles whose time has come and that aren't done."""
        return len(self._due)

    @property
    def fit(self) -> str:
        """How the fit stands, in words."""
        if self._pending is None:
            return "none"
        if self._pending.at in self._made or str(self._pending.at) in self._failed:
            return "done, enters at a cycle"
        return "running"

    @property
    def idle(self) -> bool:
        """Whether no cycle is due, nothing is to be moved, and no fit is being made."""
        fitting = self._fitting is not None and not self._fitting.done()
        return not (self._due or self._seal_until is not None or self._busy or fitting)

    # ---- its life -----------------------------------------------------------------------------------

    async def do(self, job: Job, progress: Progress | None = None) -> Came:
        """Do one job, and raise what it raises."""
        came = await asyncio.to_thread(self._host.run, job, progress)
        if came.error is not None:
            raise raised(came.error)
        return came

    async def change(self, job: Job, *, hosts: tuple[Host, Host] | None = None) -> None:
        """Do a job between cycles, where the office is another one from now on if hosts are given."""
        if hosts is not None:
            if self._fitting is not None and not self._fitting.done():
                await self.cancel_fit()
            self._made.clear()  # whatever was made, or failed, was so under another brief
            self._failed.clear()
            await asyncio.to_thread(self._host.rest)
            await asyncio.to_thread(self._host.end)
            self._host, self._fits = hosts
        await self._calls.prune((await self.do(job)).through)

    def again(self, host: Host, fits: Host) -> Beside:
        """Give one that begins anew in the place of this one, which is closed; counters go on."""
        made = Beside(host, fits, calls=self._calls)
        made.cycles, made.fits_failed, made.jobs_failed = self.cycles, self.fits_failed, self.jobs_failed
        return made

    def resume(self, front: Front) -> None:
        """Take up the fit that the ledger says is asked for."""
        self._pending = None
        if front.pending_fit is not None:
            self._ask_fit(front.pending_fit)

    def begin(self, front: Front) -> None:
        """Go on where the ledger stands."""
        self.resume(front)
        self._task = asyncio.create_task(self._working())

    def durable(
        self, at: Instant, *, cycles: Sequence[Instant], came: Sequence[CycleCame], full: bool
    ) -> None:
        """Take note that everything up to an instant is written.

        Parameters
        ----------
        cycles
            Those whose time has come since.
        came
            Those whose facts were written.
        full
            Whether there is much to move into the tables.
        """
        self._due.extend(cycles)
        if came:
            self._written.set()
        if full or any(each.fixes_plan for each in came):
            self._seal_until = at + 1
        if cycles or self._seal_until is not None:
            self._work.set()

    async def cancel_fit(self) -> bool:
        """Stop the fit that is being made, if there is one."""
        if self._fitting is None or self._fitting.done():
            return False
        await self._end_fit(self._fitting)
        return True

    async def close(self, at: Instant | None) -> None:
        """End the fit, finish the job in hand, and seal everything up to an instant."""
        await self.cancel_fit()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if (
            at is not None
        ):  # not beyond a cycle that isn't run: the next start runs it, and goes on from there
            until_at = min([at + 1, *self._due])
            await self._calls.prune((await self.do(Seal(self._calls.now(), until_at))).through)
        await asyncio.to_thread(self._host.rest)
        await asyncio.to_thread(self._host.end)

    # ---- jobs ---------------------------------------------------------------------------------------

    async def _working(self) -> None:
        retry_s = RETRY_S
        while True:
            try:
                async with asyncio.timeout(REST_S):  # unlike wait_for it never loses that we are told to stop
                    await self._work.wait()
            except TimeoutError:
                await asyncio.to_thread(self._host.rest)
                await self._work.wait()
            self._work.clear()
            self._busy = True
            try:
                while self._due:
                    await self._cycle(self._due[0])
                    self._due.popleft()
                    await self._calls.after_cycle()
                    self.trouble = None
                while (until_at := self._seal_until) is not None:
                    await self._sealed(Seal(self._calls.now(), until_at))
                    if self._seal_until == until_at:
                        self._seal_until = None
                    self.trouble = None
                self._busy, retry_s = False, RETRY_S
            except Exception as error:  # noqa: BLE001 (decisions go on, and so must cycles)
                self._calls.tell(self._failing(fault(error)))
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, MOST_RETRY_S)
                self._work.set()

    def _failing(self, said: RoadError) -> str:
        """Count a job that failed, and say so as long as it does."""
        since_at = self._calls.now() if self.trouble is None else self.trouble.since_at
        happened = f"{said.headline}: {said.happened}"
        self.jobs_failed += 1
        self.trouble = Trouble(said.code, f"{happened}; it is tried again", since_at)
        return f"{happened} [{said.code}]; it is tried again"

    async def _sealed(self, job: Seal) -> None:
        came = await _unhurried(asyncio.to_thread(self._host.run, job))
        if came.error is not None:
            raise raised(came.error)
        await self._calls.prune(came.through)

    async def _cycle(self, cycle_at: Instant) -> None:
        if self._handed_at == cycle_at:  # its facts are written; what came after it failed
            return
        job = Cycle(self._calls.now(), cycle_at, done=sorted(self._made), failed=self._failed)
        came = await _unhurried(asyncio.to_thread(self._host.run, job))
        if came.error is not None:
            raise raised(came.error)
        facts = [decode(fact) for fact in came.decoded()]
        models = {name: await asyncio.to_thread(self._calls.model, name) for name in models_named(facts)}
        self._written.clear()
        self._calls.hand_over(CycleCame(cycle_at, tuple(facts), models))
        await self._written.wait()
        self._handed_at = cycle_at
        self.cycles += 1
        for fact in facts:
            if isinstance(fact, FitAsked):
                self._ask_fit(fact)
            elif isinstance(fact, ModelFitted | FitRefused):
                self._pending = None
                self._made.discard(fact.asked_at)
                self._failed.pop(str(fact.asked_at), None)
        await self._calls.prune(came.through)

    # ---- fits ---------------------------------------------------------------------------------------

    async def _end_fit(self, fitting: asyncio.Task[None]) -> None:
        """Stop a fit, also one that is only about to begin."""
        self._cancelled = True
        while not fitting.done():
            await asyncio.to_thread(self._fits.end)
            await asyncio.wait({fitting}, timeout=ENDED_S)

    def _ask_fit(self, asked: FitAsked) -> None:
        self._pending, self._cancelled = asked, False
        self._fitting = asyncio.create_task(self._fit(asked))

    async def _fit(self, asked: FitAsked) -> None:
        await asyncio.sleep(FIT_AFTER_S)
        came = Came(error={})
        if not self._cancelled:
            came = await asyncio.to_thread(self._fits.run, Fit(self._calls.now(), asked.at))
        if came.error is None:
            self._made.add(asked.at)
            await asyncio.to_thread(self._fits.rest)
            return
        if self._cancelled:
            self._failed[str(asked.at)] = (CANCELLED, "somebody stopped it")
        else:
            said = came.error
            self._failed[str(asked.at)] = (FAILED, f"{said['headline']}: {said['happened']} [{said['code']}]")
            self.fits_failed += 1
            self._calls.tell(
                f"a fit failed: {said['happened']}; decisions go on, and a cycle asks for another one"
            )


async def _unhurried(work: Awaitable[Came]) -> Came:
    """Wait for a job to its end, also when who waits is told to stop: a job is never cut in two."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)  # also where it fails: who was told to stop stops
        raise


def raised(said: dict[str, Any]) -> RoadError:
    """Make the error again that a job came to."""
    code, headline = said["code"], said["headline"]
    if "faults" in said:
        return FaultsError(headline, [Fault(**fault) for fault in said["faults"]])
    kind = TryLaterError if "later" in said else UserError
    return kind(code, headline, happened=said["happened"], expected=said["expected"], fix=said["fix"])
