"""A small service in memory, behind the real face: it keeps rows in a dict and decides by the status quo."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections import Counter
from contextlib import contextmanager

import httpx
import polars as pl

from open_guard import OpenGuard
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import TryLaterError, UserError
from wholeroad.core.instants import DAY
from wholeroad.engine.service.messages import (
    CaseAnswer,
    Decide,
    DecisionsAnswer,
    Measured,
    ModelLine,
    RowAnswer,
    RowsAnswer,
    StatusAnswer,
)
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.serving import listen, serve, server
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.road.brief.work import read_brief
from worlds import BRIEF, at, parcels

NOW = at(days=30)
CASE = {"parcel_id": 7, "sent_at": "2024-01-20T00:00:00Z", "booked_at": "2024-01-19T00:00:00Z", "depot": "A"}
CASE |= {"weight_kg": 2.5}
LATER = CASE | {"parcel_id": 8, "sent_at": "2024-03-01T00:00:00Z"}


def is_whole(value):
    """Tell whether a value fits an integer column; JSON Schema takes 7.0 for an integer too."""
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return whole and -(2**63) <= value < 2**63


def _schemas():
    cases, outcomes = parcels(days=2)
    return {"parcels": cases.schema, "deliveries": outcomes.schema}


class Desk:
    """Decides cases that are due by the status quo; remembers rows by their key.

    Attributes
    ----------
    gate
        Commands wait until it is open.
    refusal
        Raised by every command, where it is set.
    """

    def __init__(self, *, schemas: dict[str, pl.Schema] | None = None) -> None:
        self.brief = read_brief(BRIEF)
        self.schemas = _schemas() if schemas is None else schemas
        self.clock = SteppedClock(NOW)
        self.known: dict[str, dict[object, dict]] = {name: {} for name in self.brief.source}
        self.decided: dict[str, CaseAnswer] = {}
        self.facts = [json.dumps({"fact": "Opened", "at": number}).encode() for number in range(25)]
        self.commands: list[object] = []
        self.counted: Counter[tuple[str, str]] = Counter()
        self.gate = asyncio.Event()
        self.gate.set()
        self.refusal: Exception | None = None
        self.why_not = ""
        self.closed = False
        self.asked: set[asyncio.Task] = set()

    def now(self):
        return self.clock.now()

    async def submit(self, command):
        self.commands.append(command)
        self._loop = asyncio.get_running_loop()
        await self.gate.wait()
        if self.closed:
            raise TryLaterError("service.draining", "Ending", happened="x", expected="y", fix="z")
        if self.refusal:
            raise self.refusal
        if isinstance(command, Decide):
            self._refuse_unknown(command.cases, self.brief.case.source)
            return DecisionsAnswer([self._decide(case, command.features) for case in command.cases])
        self._refuse_unknown(command.rows, command.source)
        rows = [self._land(command.source, row) for row in command.rows]
        return RowsAnswer(command.source, self.now(), rows)

    def ask(self, command, done):
        task = asyncio.get_running_loop().create_task(self.submit(command))
        self.asked.add(task)
        task.add_done_callback(self.asked.discard)
        task.add_done_callback(lambda task: done(task.exception() or task.result()))

    def _refuse_unknown(self, rows, source):
        schema = self.schemas.get(source)
        unknown = sorted({name for row in rows for name in row} - set(schema or {})) if schema else []
        if unknown:
            raise UserError(
                "data.unknown-field",
                "A column isn't known",
                happened=f"{unknown[0]!r} was there",
                expected=", ".join(schema),
                fix="leave it out",
            )

    def _land(self, source, row):
        (key,) = self.brief.source[source].key
        if row.get(key) is None:
            self.counted[source, "quarantined"] += 1
            return RowAnswer("quarantined", "data.key-null", f"{key} was empty")
        if not is_whole(row[key]):
            self.counted[source, "quarantined"] += 1
            return RowAnswer("quarantined", "data.not-castable", f"{key} was no integer")
        before = self.known[source].get(row[key])
        self.known[source][row[key]] = row
        status = "landed" if before is None else "already known" if before == row else "new version"
        self.counted[source, status] += 1
        return RowAnswer(status)

    def _decide(self, case, features):
        name = hashlib.blake2b(json.dumps(case.get("parcel_id")).encode(), digest_size=8).hexdigest()
        key = {"parcel_id": case.get("parcel_id")}
        before = self.known["parcels"].get(case.get("parcel_id"))
        landed = self._land("parcels", case) if before is None else None
        if landed and landed.status == "quarantined":
            return CaseAnswer(name, key, "quarantined", code=landed.code, reason=landed.reason)
        if before is not None and before != case:
            return CaseAnswer(name, key, "conflict", code="data.conflict", reason="the case was sent before")
        first = name not in self.decided
        if str(case.get("sent_at")) > "2024-02":
            answer = CaseAnswer(name, key, "accepted", due_at=NOW + DAY, first=first)
        else:
            answer = CaseAnswer(
                name,
                key,
                "decided",
                decided_at=self.now(),
                action="pass",
                decided_by="status quo",
                probabilities={"late": 0.25, "on_time": 0.75},
                expected_value=0.0,
                expected_values={"express": -1.0, "pass": 0.0},
                features={"weight": case.get("weight_kg")} if features else None,
                first=first,
            )
        self.decided[name] = answer
        return answer

    async def decision(self, decision_id):
        return self.decided.get(decision_id)

    async def models(self):
        return [ModelLine("ab", "logistic", NOW, 100, "why", in_charge=True, in_charge_from=NOW)]

    async def ledger(self, after, most):
        return [(seq, fact) for seq, fact in enumerate(self.facts, 1) if seq > after][:most]

    def status(self):
        return StatusAnswer(
            "small",
            NOW,
            "status quo",
            None,
            None,
            "no fit yet",
            0,
            len(self.decided),
            0,
            NOW + DAY,
            0,
            "none",
        )

    def measured(self):
        return Measured(
            dict(self.counted), {("decided", 'status "quo"'): 2}, 3, 4, 0.5, 0.25, 0, 0, 1, 0, 0, 5, 0
        )

    def not_ready(self):
        return self.why_not

    def champion(self):
        return None

    async def cancel_fit(self):
        return False

    def open_gate(self):
        """Let what waits go on; from any thread."""
        self._loop.call_soon_threadsafe(self.gate.set)

    async def close(self):
        self.closed = True


@contextmanager
def served(desk, *, settings=None, guard=None, routes=()):
    """Serve over a real socket, in a thread of its own; give the address, and the server."""
    settings = settings or HttpSettings()
    app = make_app(desk, settings=settings, guard=guard or OpenGuard(), routes=routes)
    bound = listen("127.0.0.1", 0)
    started = threading.Event()
    one = server(app, settings, started=started.set)
    thread = threading.Thread(target=lambda: asyncio.run(serve(one, desk.close, sockets=[bound])))
    thread.start()
    try:
        assert started.wait(10)
        yield bound.getsockname(), one
    finally:
        one.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def client(app):
    """Ask an app without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk")
