"""Laws of the client: what was carried out and not heard is asked again, and nothing is there twice."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from loopback import served
from wholeroad.client import Client, ServiceError, UnreachableError
from wholeroad.client.bodies import MOST_BYTES, MOST_ROWS, encoded, of_cases, of_frame, of_rows
from wholeroad.client.calls import MOST_CASES
from wholeroad.client.retrying import LONGEST_WAIT_S, wait_s
from wholeroad.core.errors import EXIT_LATER, TryLaterError, UserError
from wholeroad.core.ids import digest
from wholeroad.core.instants import to_instant
from wholeroad.engine.service.messages import (
    CaseAnswer,
    Decide,
    DecisionsAnswer,
    ModelLine,
    PutRows,
    RowAnswer,
    RowsAnswer,
    StatusAnswer,
)
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.tokens import Tokens
from wholeroad.road.brief.work import read_brief

NOW = to_instant("2024-05-01T12:00:00.000007Z")
laws = settings(max_examples=40, deadline=None)


class Remembering:
    """A service that keeps its promises in memory: rows by content, cases by key, first decisions."""

    def __init__(self):
        self.brief = read_brief(worlds.BRIEF)
        self.schemas = {"parcels": pl.Schema({"parcel_id": pl.Int64(), "sent_at": pl.Datetime("us", "UTC")})}
        self.reset()

    def reset(self):
        self.at = NOW
        self.rows, self.cases, self.asked = {}, {}, 0

    def now(self):
        return self.at

    def not_ready(self):
        return ""

    def champion(self):
        return None

    async def submit(self, command):
        self.asked += 1
        self.at += 1
        match command:
            case PutRows(source, rows):
                return RowsAnswer(source, self.at, [self._land(source, row) for row in rows])
            case Decide(cases, features):
                return DecisionsAnswer([self._decide(case, features=features) for case in cases])

    def _land(self, source, row):
        if row.get("parcel_id") is None:
            return RowAnswer("quarantined", "data.null-key", "parcel_id was null")
        known = msgspec.json.encode(row) in self.rows.setdefault(source, [])
        if not known:
            self.rows[source].append(msgspec.json.encode(row))
        return RowAnswer("already known" if known else "landed")

    def _decide(self, case, *, features):
        name = digest(str(case["parcel_id"]))[:16]
        key = {"parcel_id": case["parcel_id"]}
        if name not in self.cases:
            self.cases[name] = (case, self.at)
            first = True
        elif self.cases[name][0] != case:
            return CaseAnswer(name, key, "conflict", code="data.other-content")
        else:
            first = False
        if case.get("weight_kg") == -1:
            return CaseAnswer(name, key, "accepted", due_at=NOW + 10**6)
        return CaseAnswer(
            name, key, "decided", decided_at=self.cases[name][1], action="express", decided_by="status quo",
            expected_value=1.5, first=first, features={"weight": 2.0} if features else None,
        )  # fmt: skip

    async def decision(self, decision_id):
        return self._decide(self.cases[decision_id][0], features=True) if decision_id in self.cases else None

    async def models(self):
        return [ModelLine("abc", "logistic", NOW, 500, "it is simpler", True, NOW + 1)]

    async def ledger(self, after, most):
        return [
            (seq, b'{"type":"Opened","at":%d}' % seq) for seq in range(after + 1, min(after + most, 1203) + 1)
        ]

    def status(self):
        return StatusAnswer(
            brief="small", now=NOW, decided_by="status quo", model=None, effective_from=None,
            why="no model yet", rows=3, decisions=2, waiting=1, next_cycle_at=NOW + 5, cycles_behind=0,
            fit="none",
        )  # fmt: skip


class Troubled:
    """Passes requests on, with the trouble that is planned for each."""

    def __init__(self, app):
        self.app = app
        self.plan = []

    async def __call__(self, scope, receive, send):
        trouble = self.plan.pop(0) if self.plan else None
        if isinstance(trouble, int):
            await receive()
            await send(
                {"type": "http.response.start", "status": trouble, "headers": [(b"retry-after", b"0")]},
            )
            await send({"type": "http.response.body", "body": b"no"})
        elif trouble == "late":
            heard = []
            await self.app(scope, receive, keep(heard))
            await asyncio.sleep(0.5)
            for message in heard:
                await send(message)
        else:
            await self.app(scope, receive, send)


def keep(heard):
    async def send(message):
        heard.append(message)

    return send


class Wire:
    """A connection to the service that breaks as planned: before the request, or once there is an answer."""

    def __init__(self, port):
        self.upstream = port
        self.plan = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(near,), daemon=True).start()

    def carry(self, near):
        with near, socket.create_connection(("127.0.0.1", self.upstream)) as far:
            threading.Thread(target=self.forward, args=(near, far), daemon=True).start()
            while answer := self.received(far):
                trouble = self.plan.pop(0) if self.plan else None
                if trouble == "lost":
                    break
                if trouble == "cut":
                    near.sendall(answer[: len(answer) // 2])
                    break
                near.sendall(answer)
            self.shut(near)

    def forward(self, near, far):
        while data := self.received(near):
            if self.plan and self.plan[0] == "refused":
                self.plan.pop(0)
                break
            far.sendall(data)
        self.shut(far)

    @staticmethod
    def received(end):
        try:
            return end.recv(1 << 20)
        except OSError:
            return b""

    @staticmethod
    def shut(end):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.shut(self.listening)
        self.listening.close()


@pytest.fixture(scope="module")
def service():
    return Remembering()


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    tokens = Tokens(tmp_path_factory.mktemp("tokens") / "tokens.json")
    return tokens, tokens.make("test", role="owner", now=0)


@pytest.fixture(scope="module")
def running(service, secret):
    app = Troubled(make_app(service, settings=HttpSettings(), guard=TokenGuard(secret[0])))
    with served(app) as address:
        wire = Wire(int(address.rpartition(":")[2]))
        yield app, wire
        wire.close()


@contextmanager
def calling(running, secret, **more):
    app, wire = running
    app.plan.clear()
    wire.plan.clear()
    settings_ = {"wait_s": 0.0001, "timeout_s": 5.0, **more}
    with Client(f"http://127.0.0.1:{wire.port}/", secret[1], **settings_) as client:
        yield client


@pytest.fixture
def client(running, service, secret):
    service.reset()
    with calling(running, secret) as client:
        yield client


CASE = {"parcel_id": 7, "weight_kg": 2.5}


# what was asked


def test_a_case_is_decided_and_found_again(client):
    found = client.decide(CASE)
    assert (found.status, found.action, found.first, found.expected_value) == (
        "decided",
        "express",
        True,
        1.5,
    )
    assert found.decided_at == datetime(2024, 5, 1, 12, 0, 0, 8, tzinfo=UTC)
    assert found.key == {"parcel_id": 7}
    assert client.decide(CASE, features=True).features == {"weight": 2.0}
    again = client.decision(found.decision_id)
    assert (again.decision_id, again.decided_at) == (found.decision_id, found.decided_at)


def test_several_cases_are_answered_in_their_order_and_in_several_requests(client, service):
    cases = [{"parcel_id": number} for number in range(MOST_CASES + 3)]
    found = client.decide(cases)
    assert [each.key["parcel_id"] for each in found] == list(range(MOST_CASES + 3))
    assert service.asked == 2
    assert client.decide(iter(cases[:2]))[1].first is False
    assert client.decide(pl.DataFrame(cases[:2]))[0].first is False
    assert client.decide([]) == []


def test_a_case_that_waits_is_accepted(client):
    found = client.decide({"parcel_id": 1, "weight_kg": -1})
    assert (found.status, found.action) == ("accepted", None)
    assert found.due_at == datetime(2024, 5, 1, 12, 0, 1, 7, tzinfo=UTC)


def test_rows_land_as_dictionaries_and_as_frames(client):
    rows = [{"parcel_id": 1, "weight_kg": 2.5}, {"parcel_id": None, "weight_kg": 1.0}, {"parcel_id": 3}]
    found = client.rows("parcels", rows)
    assert found.counts == {"landed": 2, "quarantined": 1}
    ((place, aside),) = found.set_aside
    assert (place, aside.code) == (1, "data.null-key")
    assert found.landed_at == datetime(2024, 5, 1, 12, 0, 0, 8, tzinfo=UTC)
    assert client.rows("parcels", pl.DataFrame(rows[:2])).counts == {"already known": 1, "quarantined": 1}
    assert client.outcomes([{"parcel_id": 1, "delay_h": 3}]).source == "deliveries"


def test_many_rows_go_in_several_requests_and_all_are_answered(client, service):
    frame = pl.DataFrame({"parcel_id": range(2 * MOST_ROWS + 1)})
    assert client.rows("parcels", frame).counts == {"landed": 2 * MOST_ROWS + 1}
    assert service.asked == 3
    assert client.rows("parcels", frame.iter_rows(named=True)).counts == {"already known": 2 * MOST_ROWS + 1}
    assert service.asked == 6


def test_what_the_service_knows_of_itself_is_read(client):
    (model,) = client.models()
    assert model.in_charge_from - model.fitted_at == timedelta(microseconds=1)
    status = client.status()
    assert (status.why, status.now) == ("no model yet", datetime(2024, 5, 1, 12, 0, 0, 7, tzinfo=UTC))
    lines = list(client.ledger(after=3))
    assert [line.seq for line in lines] == list(range(4, 1204))
    assert lines[0].fact == {"type": "Opened", "at": 4}


# values


def test_values_are_written_as_the_service_reads_them():
    row = {
        "whole": np.int64(7), "part": np.float32(0.5), "nan": float("nan"), "yes": np.bool_(True), "no": None,
        "span": timedelta(seconds=1), "at": datetime(2024, 5, 1, tzinfo=UTC), "on": date(2024, 5, 1),
        "price": Decimal("1.5"), "text": "ü",
    }  # fmt: skip
    assert msgspec.json.decode(encoded(row)) == {
        "whole": 7, "part": 0.5, "nan": None, "yes": True, "no": None, "span": 1_000_000,
        "at": "2024-05-01T00:00:00Z", "on": "2024-05-01", "price": 1.5, "text": "ü",
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {"a": object()},
        {"a": np.zeros(2)},
        {"a": 1j},
        {1.5: ["a", {1: object()}]},
        "row",
        7,
        {"a": float("inf")},
        {"a": np.float32("-inf")},
        {"a": Decimal("Infinity")},
    ],
)
def test_what_no_row_can_hold_is_refused_before_it_is_sent(client, service, row):
    for call in (lambda: client.rows("parcels", [row]), lambda: client.decide([row])):
        with pytest.raises(UserError) as found:
            call()
        assert found.value.code == "client.use"
    assert service.asked == 0


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 9))
def test_law_cases_are_grouped_in_order_and_none_is_lost(sizes, most):
    cases = [{"text": "x" * size, "place": place} for place, size in enumerate(sizes)]
    groups = list(of_cases(cases, most=most))
    assert all(0 < len(group) <= most for group in groups)
    assert [msgspec.json.decode(case) for group in groups for case in group] == cases


def test_bodies_stay_below_what_the_service_takes_and_none_is_lost():
    rows = [
        {"text": "x" * size, "place": place}
        for place, size in enumerate([10, 3_000_000, 3_000_000, 5, 9_000_000, 1])
    ]
    bodies = list(of_rows(rows))
    assert [msgspec.json.decode(line) for body in bodies for line in body.split(b"\n")] == rows
    assert [len(body) <= MOST_BYTES for body in bodies].count(False) == 1  # one row that nobody could part
    frame = pl.DataFrame(rows)
    bodies = list(of_frame(frame))
    assert pl.concat([pl.read_ipc_stream(body) for body in bodies]).equals(frame)
    assert [len(body) <= MOST_BYTES for body in bodies].count(False) == 1
    assert list(of_frame(frame.head(0))) == list(of_rows([])) == []


# what goes wrong on the way


TROUBLES = st.sampled_from(["lost", "cut", "refused"])


@laws
@given(
    plan=st.lists(TROUBLES, max_size=5), statuses=st.lists(st.sampled_from([429, 502, 503, 504]), max_size=5)
)
def test_law_whatever_is_lost_a_case_is_decided_once_and_answered(running, service, secret, plan, statuses):
    service.reset()
    with calling(running, secret, retries=10) as client:
        running[1].plan[:] = plan
        running[0].plan[:] = statuses
        found = client.decide(CASE)
        assert running[1].plan == running[0].plan == []
        assert list(service.cases) == [found.decision_id]
        assert to_instant(found.decided_at) == service.cases[found.decision_id][1] == NOW + 1
        assert found.first == (service.asked == 1)


@laws
@given(plan=st.lists(TROUBLES, max_size=5), frame=st.booleans())
def test_law_whatever_is_lost_rows_are_there_once(running, service, secret, plan, frame):
    service.reset()
    rows = [{"parcel_id": number} for number in range(3)]
    with calling(running, secret) as client:
        running[1].plan[:] = plan
        found = client.rows("parcels", pl.DataFrame(rows) if frame else rows)
    assert [msgspec.json.decode(row) for row in service.rows["parcels"]] == rows
    assert set(found.counts) == ({"landed"} if service.asked == 1 else {"already known"})


def test_an_answer_that_was_carried_out_and_lost_is_the_same_when_asked_again(client, running, service):
    running[1].plan[:] = ["lost", "lost"]
    found = client.decide(CASE)
    assert service.asked == 3
    assert found.first is False
    assert to_instant(found.decided_at) == NOW + 1


def test_an_answer_that_takes_too_long_is_asked_for_again(running, service, secret):
    service.reset()
    with calling(running, secret, timeout_s=0.1) as client:
        running[0].plan[:] = ["late"]
        found = client.decide(CASE)
    assert (service.asked, found.first, len(service.cases)) == (2, False, 1)


def test_after_the_last_try_the_error_says_what_happened(running, service, secret):
    service.reset()
    with calling(running, secret, retries=2) as client:
        running[1].plan[:] = ["lost"] * 3
        with pytest.raises(UnreachableError, match="asked 3 times") as found:
            client.decide(CASE)
        assert found.value.code == "client.unreachable"
        assert found.value.exit_code == EXIT_LATER
        assert isinstance(found.value, TryLaterError)
        running[0].plan[:] = [503] * 3
        with pytest.raises(UnreachableError, match="its answer was 503"):
            client.status()
        running[0].plan[:] = [429, 429]
        assert client.decide(CASE).first is False
    assert service.asked == 4


def test_where_nobody_listens_the_client_gives_up():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", retries=1, wait_s=0.001) as client,
        pytest.raises(UnreachableError, match="asked 2 times"),
    ):
        client.status()


def test_what_the_service_refuses_is_raised_as_it_said_and_never_repeated(client, service):
    client.decide(CASE)
    with pytest.raises(ServiceError) as found:
        client.decide(CASE | {"weight_kg": 3.0})
    error = found.value
    assert (error.code, error.status) == ("request.conflict", 409)
    assert error.request_id
    assert "GET /v1/decisions" in error.fix
    assert service.asked == 2
    assert client.decide([CASE | {"weight_kg": 3.0}])[0].status == "conflict"
    with pytest.raises(ServiceError) as found:
        client.rows("nobody", [CASE])
    assert (found.value.code, found.value.status) == ("brief.unknown-source", 404)
    with pytest.raises(ServiceError, match=r"request\.unknown-decision"):
        client.decision("0" * 16)
    with pytest.raises(UserError, match=r"client\.use"):
        client.rows("parcels", [])
    assert service.asked == 3


def test_a_stranger_is_refused_and_doesnt_try_again(running, service):
    service.reset()
    for token in (None, "wr_a_b"):
        with calling(running, (None, token)) as client, pytest.raises(ServiceError) as found:
            client.decide(CASE)
        assert found.value.status == 401
    assert service.asked == 0


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://here", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(UserError) as found:
        Client(address, "t")
    assert found.value.code == "client.use"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"), (200, b"{}"), (200, b""), (500, b"{}"), (404, b"\xff"), (302, b""),
        (200, b'{"decision_id": "a", "key": {}, "status": "decided", "decided_at": "yesterday"}'),
    ],
)  # fmt: skip
def test_an_answer_that_isnt_the_services_is_told_apart(status, body):
    asked = []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    with Client(f"http://127.0.0.1:{other.server_port}") as client, pytest.raises(ServiceError) as found:
        client.decide(CASE)
    other.shutdown()
    other.server_close()
    assert (found.value.code, found.value.status, len(asked)) == ("client.answer", status, 1)


# how long is waited


@given(
    tried=st.integers(1, 60),
    first_s=st.floats(0.001, 5),
    asked=st.none() | st.integers(0, 99_999).map(str) | st.text(max_size=5),
    about=st.binary(max_size=5),
)
def test_law_waits_grow_are_bounded_and_are_the_same_for_the_same(tried, first_s, asked, about):
    wait = wait_s(tried, first_s=first_s, asked=asked, about=about)
    assert wait == wait_s(tried, first_s=first_s, asked=asked, about=about)
    assert 0 <= wait <= 2.5 * LONGEST_WAIT_S
    own = wait_s(tried, first_s=first_s, asked=None, about=about)
    assert 0.5 * min(LONGEST_WAIT_S, first_s * 2 ** (tried - 1)) <= own <= 1.5 * LONGEST_WAIT_S
    if asked and asked.isascii() and asked.isdecimal():
        assert wait == min(LONGEST_WAIT_S, int(asked)) + own


def test_clients_that_were_refused_together_dont_come_back_together():
    waits = {round(wait_s(1, first_s=1, asked=None, about=bytes([each])), 2) for each in range(50)}
    assert len(waits) > 20
