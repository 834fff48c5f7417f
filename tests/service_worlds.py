"""A service in a test: a small world on disk, a stepped clock, and deliveries in any order."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

import wholeroad
from open_guard import OpenGuard
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.client import CaseAnswer, Client, ServiceError
from wholeroad.core.instants import DAY, format_instant
from wholeroad.core.ports import Progress
from wholeroad.engine.facts import decode
from wholeroad.engine.live import Replayed
from wholeroad.engine.manifests import quarantine_of, table_of
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.serving import listen, serve, server
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.v2 import routes
from wholeroad.project import Project
from wholeroad.road.data.facts import BatchLanded
from wholeroad.serving.jobs import Came, Fit, Job
from wholeroad.serving.processes import OneThread
from wholeroad.serving.service import Service
from worlds import write

HOUR = DAY // 24


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row on its way: when it comes, for which source, as JSON has it."""

    at: int
    source: str
    row: dict[str, Any]


def as_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give rows as they are sent: instants as texts."""
    texts = [
        pl.Series(name, [None if at is None else format_instant(at) for at in frame[name].to_physical()])
        if frame.schema[name] == pl.Datetime("us", "UTC")
        else frame[name]
        for name in frame.columns
    ]
    return pl.DataFrame(texts).to_dicts()


def deliveries(source: str, frame: pl.DataFrame, *, known_at: str, after: int) -> list[Delivery]:
    """Make a delivery of each row that becomes known after an instant, at that instant."""
    some = frame.filter(pl.col(known_at).to_physical() > after)
    return [
        Delivery(at, source, row) for at, row in zip(some[known_at].to_physical(), as_json(some), strict=True)
    ]


def begun(folder: Path, at: int, *, brief: str, cases: pl.DataFrame, outcomes: pl.DataFrame) -> Path:
    """Write a project that has landed nothing, with what is known by an instant in its files."""
    return write(
        folder,
        cases.filter(pl.col("booked_at").to_physical() <= at),
        outcomes.filter(pl.col("reported_at").to_physical() <= at),
        brief=brief,
    )


def serving(
    root: Path, clock: SteppedClock, drive: Callable[[Service], Awaitable[None]], **options: Any
) -> None:
    """Run a service, drive it, and close it."""

    async def run() -> None:
        project = wholeroad.open(root, clock=clock)
        service = Service(project, **({"host": OneThread, "poll_s": 0.005} | options))
        await service.start()
        try:
            await drive(service)
        finally:
            await service.close()

    asyncio.run(run())


async def settled(service: Service) -> None:
    """Wait until nothing is under way beside the answers."""
    while not service.idle:  # noqa: ASYNC110 - nobody tells a test when all is quiet
        await asyncio.sleep(0.001)


def replayed(root: Path, clock: SteppedClock) -> Replayed:
    """Hold the ledger against its rehearsal."""
    return wholeroad.open(root, clock=clock).replay()


# Over HTTP


class Host(OneThread):
    """Where the office works in a test: it can be held up, and fits can be made to fail.

    Parameters
    ----------
    gate
        Jobs begin only while it is open, but for the first, which opens the folder.
    """

    def __init__(self, folder: Path, brief: str, *, gate: threading.Event, fits: Callable[[], str]) -> None:
        super().__init__(folder, brief)
        self._place = folder, brief
        self._gate = gate
        self._fits = fits
        self._ended = threading.Event()

    def run(self, job: Job, progress: Progress | None = None) -> Came:
        """Do a job, once the gate is open; a fit that is to be stopped waits until it is."""
        if not isinstance(job, Fit):
            assert self._gate.wait(60)
            return super().run(job, progress)
        how = self._fits()
        if how == "wait":
            self._ended.clear()  # whoever stops it says so until it has ended
            assert self._ended.wait(60)
        if how in {"wait", "fail"}:
            said = {"code": "service.office-died", "headline": "It ended", "happened": f"it did not {how}"}
            return Came(error={**said, "expected": "an answer", "fix": "none"})
        return super().run(job, progress)

    def end(self) -> None:
        """End; the next job begins anew."""
        self._ended.set()
        super().end()
        super().__init__(*self._place)


@dataclass
class Running:
    """A service behind a socket of this machine, as another thread sees it.

    Attributes
    ----------
    gate
        The office works while it is open.
    fits
        What becomes of each fit in its turn: ``made``, ``fail`` or ``wait`` (until it is stopped).
    cases, rows
        What was answered: cases by their decision ids, rows by source and status.
    told
        What the service told of what went wrong beside it.
    parts
        Columns by which outcomes are sent where the case's own source tells them: the others are known.
    most
        Rows in one request.
    """

    root: Path
    clock: SteppedClock
    gate: threading.Event = field(default_factory=threading.Event)
    fits: list[str] = field(default_factory=list)
    cases: dict[str, CaseAnswer] = field(default_factory=dict)
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    parts: tuple[str, ...] = ()
    most: int = 7
    requests: int = 0
    address: str = ""

    def __post_init__(self) -> None:
        self.gate.set()
        self._dice = random.Random(7)
        self._local = threading.local()
        self._clients: list[Client] = []
        self._lock = threading.Lock()

    async def serve(self, begun: Future[None]) -> None:
        """Serve until :attr:`stop` is called."""
        self._loop = asyncio.get_running_loop()
        project = wholeroad.open(self.root, clock=self.clock)
        self.service = Service(project, host=self._host, poll_s=0.005, tell=self.told.append)
        await self.service.start()
        bound = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        settings = HttpSettings()
        app = make_app(self.service, settings=settings, guard=OpenGuard(), routes=routes(self.service))
        self._server = server(app, settings, started=lambda: begun.set_result(None))
        await serve(self._server, self.service.close, sockets=[bound])

    def _host(self, folder: Path, brief: str) -> Host:
        return Host(folder, brief, gate=self.gate, fits=lambda: self.fits.pop(0) if self.fits else "made")

    def stop(self) -> None:
        """Let it end."""
        for client in self._clients:
            client.close()
        self._server.should_exit = True

    @property
    def client(self) -> Client:
        """A client of this thread."""
        if not hasattr(self._local, "client"):
            self._local.client = Client(self.address, timeout_s=60)
            self._clients.append(self._local.client)
        return self._local.client

    def settle(self) -> None:
        """Wait until nothing is under way beside the answers."""
        asyncio.run_coroutine_threadsafe(settled(self.service), self._loop).result(120)

    def step_to(self, at: int) -> None:
        """Let it be later, unless it is already."""
        self.clock.step_to(max(self.clock.now(), at))

    def copied(self, folder: Path) -> Path:
        """Take what is on the disk now, as a machine that stops leaves it."""
        return shutil.copytree(self.root, folder)

    # ---- sending ------------------------------------------------------------------------------------

    def send(self, batch: Sequence[Delivery], pool: ThreadPoolExecutor) -> None:
        """Send deliveries at once, in requests of one or several, each in one of the ways that there are."""
        by_source: dict[str, list[dict[str, Any]]] = {}
        for each in batch:
            by_source.setdefault(each.source, []).append(each.row)
        calls = []
        for source, rows in by_source.items():
            begin = 0
            while begin < len(rows):
                end = begin + self._dice.choice([1, 1, 2, self.most] if self.most < 100 else [self.most])
                calls.append(pool.submit(self._call, source, rows[begin:end], self._dice.random()))
                begin = end
        for call in calls:
            call.result()

    def _call(self, source: str, rows: list[dict[str, Any]], how: float) -> None:
        brief = self.service.brief
        with self._lock:
            self.requests += 1
        if self.parts and (told := [row for row in rows if row[self.parts[-1]] is not None]):
            rows = [row for row in rows if row not in told]
            self._note(
                source, self.client.outcomes([{name: row[name] for name in self.parts} for row in told])
            )
        if not rows:
            return
        if source == brief.case.source and how < 0.8:
            self._decide(rows, features=how < 0.4)
        elif source == brief.outcome.source and source != brief.case.source and how < 0.5:
            self._note(source, self.client.outcomes(rows))
        elif how < 0.7:
            self._note(source, self.client.rows(source, rows))
        else:
            self._note(source, self.client.rows(source, typed(rows, self.service.schemas.get(source))))

    def _decide(self, rows: list[dict[str, Any]], *, features: bool) -> None:
        """Have cases decided; one that is known with other content is sent as a row, as the answer says."""
        source = self.service.brief.case.source
        try:
            one = len(rows) == 1
            found = (
                [self.client.decide(rows[0], features=features)]
                if one
                else self.client.decide(rows, features=features)
            )
        except ServiceError as error:
            if error.code == "request.conflict":
                self._note(source, self.client.rows(source, rows))
            elif not error.code.startswith(("contract.", "data.", "mend.")):  # it was set aside
                raise
            return
        for row, answer in zip(rows, found, strict=True):
            if answer.status == "conflict":
                self._note(source, self.client.rows(source, [row]))
            elif answer.status == "decided":
                with self._lock:
                    before = self.cases.setdefault(answer.decision_id, answer)
                assert before.decided_at == answer.decided_at
                assert before.probabilities == answer.probabilities
                if answer.features is not None:
                    self.cases[answer.decision_id] = answer

    def _note(self, source: str, answer: Any) -> None:
        with self._lock:
            self.rows.update((source, row.status) for row in answer.rows)


@contextmanager
def over_http(root: Path, clock: SteppedClock, *, fits: Sequence[str] = ()) -> Iterator[Running]:
    """Serve a project over a real socket, in a thread with an event loop of its own."""
    running = Running(root, clock, fits=[*fits])
    begun: Future[None] = Future()
    with ThreadPoolExecutor(1) as thread:

        def run() -> None:
            try:
                asyncio.run(running.serve(begun))
            except BaseException as error:
                if not begun.done():
                    begun.set_exception(error)
                raise

        ended = thread.submit(run)
        begun.result(120)
        try:
            yield running
        finally:
            running.gate.set()
            running.stop()
        ended.result(120)


def typed(rows: list[dict[str, Any]], schema: Mapping[str, pl.DataType] | None) -> pl.DataFrame:
    """Make a frame with types, as a program sends one by Arrow."""
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(
        pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC")
        for name, dtype in (schema or {}).items()
        if isinstance(dtype, pl.Datetime) and frame.schema.get(name) == pl.String()
    )


# Tables that are there already

AT = "_at"


def held_back(folder: Path, known: Mapping[str, pl.Expr], at: int) -> dict[str, pl.DataFrame]:
    """Leave in a folder's tables what is known by an instant; give the others by source, as they come."""
    rest = {}
    for name, known_at in known.items():
        path = folder / f"{name}.parquet"
        frame = pl.read_parquet(path).with_columns(
            known_at.dt.replace_time_zone("UTC").to_physical().alias(AT)
        )
        frame.filter(pl.col(AT) <= at).drop(AT).write_parquet(path)
        rest[name] = frame.filter(pl.col(AT) > at).sort(AT, maintain_order=True)
    return rest


def stream(
    running: Running, rest: dict[str, pl.DataFrame], *, until_at: int, pool: ThreadPoolExecutor
) -> None:
    """Let it be an instant, and send what came by then; it is taken out of the rest."""
    rows = []
    for name, frame in rest.items():
        come = frame[AT].search_sorted(until_at, side="right")
        rows += [Delivery(until_at, name, row) for row in as_json(frame[:come].drop(AT))]
        rest[name] = frame[come:]
    running.step_to(until_at)
    running.send(rows, pool)


# What has to hold in the end


def holds(root: Path, clock: SteppedClock, *answered: Running, features: bool = True) -> Replayed:
    """Hold the ledger against its rehearsal, and what was answered against what was written down.

    Parameters
    ----------
    features
        Whether features that were told are those of the history, computed in bulk.
    """
    project = wholeroad.open(root, clock=clock)
    found = project.replay()
    assert found.equal, found.difference
    decided, key = project.decisions(), list(project.brief.source[project.brief.case.source].key)
    assert not decided.select(key).is_duplicated().any()
    _counted(project, answered)
    told = {number: case for running in answered for number, case in running.cases.items()}
    by_key = {tuple(map(as_sent, row[: len(key)])): row for row in decided.iter_rows()}
    columns = {name: place for place, name in enumerate(decided.columns)}
    for case in told.values():
        row = by_key[tuple(case.key.values())]
        for name in ("decided_at", "action", "decided_by", "model", "expected_value"):
            said = getattr(case, name)
            assert row[columns[name]] == said or name == "action", (name, case, row)
        for name, points in (case.probabilities or {}).items():
            assert row[columns.get(f"p_{name}", columns.get(name))] == points, (name, case, row)
    if features:
        _same_features(project, told.values(), key)
    return found


def _counted(project: Project, answered: Sequence[Running]) -> None:
    """Rows that came are there once, or set aside, or were there."""
    facts = [fact for fact in map(decode, project.export()) if isinstance(fact, BatchLanded)]
    assert all(fact.rows_in == fact.landed + fact.repeated + fact.quarantined for fact in facts)
    for name, source in project.brief.source.items():
        mine = [fact for fact in facts if fact.source == name]
        tables = project.yard.tables
        height = tables.read(table_of(name, source), ["_seq"]).height
        assert height == sum(fact.landed + fact.deleted for fact in mine), name
        aside = quarantine_of(name, source)
        there = tables.read(aside, ["content"]).height if tables.exists(aside) else 0
        assert there == sum(fact.quarantined for fact in mine), name
        if name == project.brief.case.source:
            continue
        sent = Counter[str]()
        for running in answered:
            sent.update({status: count for (of, status), count in running.rows.items() if of == name})
        came = [fact for fact in mine if fact.read == "the service"]
        assert sum(fact.landed for fact in came) == sent["landed"] + sent["new version"], (name, came, sent)


def _same_features(project: Project, told: Iterable[CaseAnswer], key: list[str]) -> None:
    history = project.history()
    history.features.whole()
    frame = pl.concat([history.cases.frame.select(key), history.features.frame], how="horizontal")
    by_key = {tuple(map(as_sent, row[: len(key)])): row[len(key) :] for row in frame.iter_rows()}
    names = history.features.frame.columns
    for case in told:
        if case.features is not None:
            known = dict(zip(names, map(as_sent, by_key[tuple(case.key.values())]), strict=True))
            assert case.features == known, case


def as_sent(value: Any) -> Any:
    """Give a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")[:-6] + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return value // timedelta(microseconds=1) if isinstance(value, timedelta) else value
