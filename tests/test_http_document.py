"""The document has every route that is served, and no other; none of the routes is a stand-in."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from by_the_document import hold
from http_desk import CASE, Desk, client, served
from open_guard import OpenGuard
from wholeroad.interfaces.http import endpoints, v2
from wholeroad.interfaces.http.document import document
from wholeroad.interfaces.http.exchange import KEY, Exchange, Load
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.settings import HttpSettings

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DESCRIBED = document(Desk(), HttpSettings(), model=True)
MODEL = [
    each.ok()
    for each in schemathesis.openapi.from_dict(DESCRIBED).get_all_operations()
    if each.ok().path.startswith("/v2")
]


@pytest.mark.parametrize("model", [False, True])
def test_the_document_has_every_route_that_is_served_and_no_other(model):
    desk = Desk()
    further = v2.routes(desk) if model else []
    app = make_app(desk, settings=HttpSettings(), guard=OpenGuard(), routes=further)

    async def ask():
        async with client(app) as http:
            return (await http.get("/openapi.json")).json()

    told = asyncio.run(ask())
    said = {(name.upper(), path) for path, each in told["paths"].items() for name in each}
    rows = {("POST", f"/v1/rows/{source}") for source in desk.brief.source}
    every = [*endpoints.routes(desk, HttpSettings(), load=Load(1)), *further]
    there = {(name, each.path) for each in every for name in each.methods - {"HEAD"} if each.path != "/v2/"}
    assert said == there - {("POST", "/v1/rows/{source}")} | rows


@pytest.fixture(scope="module")
def address():
    desk = Desk()
    with served(desk, routes=v2.routes(desk)) as ((host, port), _):
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", MODEL, ids=lambda operation: operation.label)
def test_the_bare_model_answers_by_the_document(operation, mode, address):
    """A desk has no model in charge: that is 503 where it is asked whether it is ready, and else 404."""
    checks = [check for check in CHECKS if check is not schemathesis.checks.not_a_server_error]
    seen = []
    hold(operation, mode, address=address, checks=checks, examples=8, also=seen.append)
    assert 500 not in {answer.status_code for answer in seen}


def test_every_route_is_open_as_the_document_says_or_asks_for_a_token(address):
    for path, operations in DESCRIBED["paths"].items():
        for operation in operations.values():
            opened = path in {"/", "/openapi.json"} or "/health/" in path
            assert (operation["security"] == []) is opened, path
    assert httpx.get(f"{address}/v2/health/live").status_code == 200


def test_the_route_of_decisions_is_none_that_stands_in_for_another():
    """Found among the routes it answers as the face does, which needn't look for it."""
    desk = Desk()
    app = Starlette(routes=endpoints.routes(desk, HttpSettings(), load=Load(1)))
    body, sent = json.dumps({"case": CASE}).encode(), []
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/decisions", "headers": headers}
    scope |= {"query_string": b"", "root_path": ""}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    exchange = Exchange(scope, receive, send=send)
    exchange.request_id = "mine"
    scope[KEY] = exchange
    asyncio.run(app(scope, receive, send))
    assert exchange.status == 200
    assert json.loads(sent[-1]["body"])["action"] == "pass"
