"""The face before a real service, with a model in charge: the same laws as before one in memory.

What is hostile is refused in the one shape, and nothing of it lands; what is sent by the document is answered
by the document; whatever was sent, the service still decides, and its ledger can be rehearsed.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import httpx
import jsonschema
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import wholeroad
from by_the_document import hold
from open_guard import OpenGuard
from service_worlds import begun, settled
from test_http_hostile import DECIDE, JSON, REFUSED, TAKEN
from test_live import BRIEF
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import DAY, format_instant
from wholeroad.interfaces.http.document import document
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.serving import listen, serve, server
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.v2 import routes
from wholeroad.serving.processes import OneThread
from wholeroad.serving.service import Service
from worlds import at, corrected, parcels

CASES, OUTCOMES = parcels(days=34, per_day=12)
OPENED_AT = at(days=21.3)
EXAMPLES = 5
"""Of each operation and way of making them."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class World:
    """A project in service behind a socket.

    Attributes
    ----------
    told
        What the service said beside its answers.
    """

    def __init__(self, root):
        cases, outcomes = CASES, corrected(OUTCOMES)
        self.root = begun(root, OPENED_AT, brief=BRIEF, cases=cases, outcomes=outcomes)
        self.clock = SteppedClock(OPENED_AT)
        self.told = []
        self._up = threading.Event()

    @contextmanager
    def served(self):
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        thread.start()
        try:
            assert self._up.wait(60)
            yield self
        finally:
            self.server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()

    async def _serve(self):
        project = wholeroad.open(self.root, clock=self.clock)
        service = self.service = Service(project, host=OneThread, poll_s=0.002, tell=self.told.append)
        await service.start()
        for _ in range(2):
            self.clock.step_to(self.clock.now() + DAY)
            await asyncio.sleep(0.01)
            await settled(service)
        settings = HttpSettings()
        self.document = document(service, settings)
        app = make_app(service, settings=settings, guard=OpenGuard(), routes=routes(service))
        bound = listen("127.0.0.1", 0)
        host, port = bound.getsockname()
        self.address = f"http://{host}:{port}"
        self.server = server(app, settings, started=self._up.set)
        await serve(self.server, service.close, sockets=[bound])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("real")).served() as world:
        yield world


@pytest.fixture(scope="module")
def ask(world):
    with httpx.Client(base_url=world.address, timeout=30) as client:
        yield client


def due(world, number, **values):
    """Give a case that is due now."""
    now = world.clock.now()
    case = {"parcel_id": number, "sent_at": format_instant(now), "booked_at": format_instant(now - DAY)}
    return case | {"weight_kg": 2.5, "depot": "A"} | values


def decides(world, ask, number):
    response = ask.post(DECIDE, json={"case": due(world, number), "features": True})
    assert response.status_code == 200, response.text
    return response.json()["decided_by"] == "model"


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_hostile_is_refused_in_the_one_shape_and_nothing_lands(name, world, ask):
    path, media, body, status, code = REFUSED[name]
    before = ask.get("/v1/status").json()
    response = ask.post(
        path, content=body, headers={"Content-Type": media.encode("latin-1")} if media else {}
    )
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    after = ask.get("/v1/status").json()
    assert (after["rows"], after["decisions"], after["waiting"]) == (
        before["rows"],
        before["decisions"],
        before["waiting"],
    )
    assert world.told == []


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_only_odd_is_answered(name, world, ask):
    response = ask.post(DECIDE, content=TAKEN[name], headers={"Content-Type": JSON})
    assert response.status_code < 500, response.text
    assert decides(world, ask, 100_000 + sorted(TAKEN).index(name))


def test_the_document_is_answered_by_the_service(world, ask):
    for operation in schemathesis.openapi.from_dict(world.document).get_all_operations():
        for mode in GenerationMode:
            hold(operation.ok(), mode, address=world.address, checks=checked(mode), examples=EXAMPLES)
    assert world.told == []
    assert decides(world, ask, 200_000)


def checked(mode):
    return [*CHECKS, positive_data_acceptance] if mode is GenerationMode.POSITIVE else CHECKS


def test_one_case_of_many_that_is_set_aside_is_told_by_the_document(world, ask):
    cases = [due(world, 200_001), due(world, None), due(world, 200_002, sent_at="soon"), due(world, 200_001)]
    response = ask.post(DECIDE, json={"cases": [*cases, due(world, 200_001, depot="C")]})
    answered = response.json()["cases"]
    assert [each["status"] for each in answered] == [
        "decided",
        "quarantined",
        "quarantined",
        "decided",
        "conflict",
    ]
    schema = {"$ref": "#/components/schemas/Cases", "components": world.document["components"]}
    jsonschema.validate(response.json(), schema)
    assert set(answered[0]["probabilities"]) == {"late", "on_time"}
    assert {each["code"] for each in answered[1:3]} == {"data.key-null", "data.not-castable"}
    assert ask.get(f"/v1/decisions/{answered[0]['decision_id']}").json() == answered[0] | {"first": False}
