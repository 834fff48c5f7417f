"""Laws of the short way of decisions: whatever comes, in whatever pieces, both ways say and note the same.

Each script is played twice, on an event loop whose time is stepped: to a face that connections may ask the
short way, and to one that they reach by Uvicorn's way alone.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from http_desk import CASE, LATER, Desk
from test_http_face import Tokens
from wholeroad.core.errors import TryLaterError
from wholeroad.interfaces.http.direct import MOST_BYTES
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.serving import server
from wholeroad.interfaces.http.settings import HttpSettings

PATH = "/v1/decisions"
LIMIT = MOST_BYTES + 20_000
SCHEMAS = Desk().schemas
TURNS = 30
"""Of the event loop, after which nothing goes on by itself."""


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when it is told to."""

    now_s = 0.0

    def time(self):
        return self.now_s


class Line(asyncio.Transport):
    """The service's end of a connection; what is written to it is kept."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.writes = self.late = 0
        self.closing = False
        self.protocol = None

    def write(self, data):
        if not self.closing:
            self.written += data
            self.writes += 1
        else:
            self.late += 1

    def is_closing(self):
        return self.closing

    def close(self, error=None):
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, error)

    abort = close

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


class World:
    """A face, and connections to it."""

    def __init__(self, *, short):
        self.loop = asyncio.get_running_loop()
        self.desk, self.log = Desk(schemas=SCHEMAS), []
        limits = HttpSettings(body_bytes=LIMIT, in_flight=2, log=self.log.append)
        self.face = make_app(self.desk, settings=limits, guard=TokenGuard(Tokens()))

        async def long(scope, receive, send):
            await self.face(scope, receive, send)

        app = self.face if short else long
        self.config = server(app, limits).config
        self.config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Sat, 20 Jan 2024 00:00:00 GMT")]
        self.lines = {}

    def line(self, name):
        if name not in self.lines:
            line = self.lines[name] = Line()
            line.protocol = self.config.http_protocol_class(
                config=self.config, server_state=self.state, app_state={}, _loop=self.loop
            )
            line.protocol.connection_made(line)
        return self.lines[name]

    async def settle(self):
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def wait(self, seconds):
        for part in (0.03, max(0.0, seconds - 0.03)):
            self.loop.now_s += part
            await self.settle()

    async def send(self, name, *pieces):
        line = self.line(name)
        for piece in pieces:
            if piece and not line.closing:
                line.protocol.data_received(piece)
                await self.settle()

    async def play(self, steps):
        for step, *what in steps:
            match step:
                case "send":
                    await self.send(*what)
                case "wait":
                    await self.wait(*what)
                case "leave":
                    self.line(what[0]).close(ConnectionResetError())
                case "hold":
                    self.desk.gate.clear()
                case "go on":
                    self.desk.gate.set()
                case "refuse":
                    self.desk.refusal = what[0]
                case "shut down":
                    for line in self.lines.values():
                        if not line.closing:
                            line.protocol.shutdown()
            await self.settle()
        self.desk.gate.set()
        for seconds in (0.0, 11.0, 70.0):
            await self.wait(seconds)
        assert (self.face.load.requests, self.face.load.reading, self.face.load.held) == (0, 0, 0)
        assert all(line.closing for line in self.lines.values())
        assert not self.state.connections
        assert not self.state.tasks

    def told(self):
        """Give everything that can be seen of it, but for ids and times."""
        return {
            "written": {name: masked(line.written) for name, line in self.lines.items()},
            "open": {name for name, line in self.lines.items() if not line.closing},
            "log": sorted(noted(each) for each in self.log),
            "counted": [each for each in self.face.meter.lines() if "requests_total" in each],
            "asked": Counter(map(repr, self.desk.commands)),
            "known": self.desk.known,
        }


def masked(written):
    return re.sub(rb"[0-9a-f]{8}-\d+", b"ID", written)


def noted(line):
    fields = json.loads(line)
    del fields["ms"]
    fields.pop("fault", None)
    fields["request_id"] = masked(fields["request_id"].encode()).decode()
    return json.dumps(fields, sort_keys=True)


def played(steps, *, short):
    async def play():
        world = World(short=short)
        await world.play(steps)
        return world

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(play())


def alike(steps):
    short, long = (played(steps, short=which) for which in (True, False))
    assert short.told() == long.told()
    return short


@dataclass
class Request:
    body: bytes = b""
    method: str = "POST"
    target: str = PATH
    version: str = "1.1"
    framing: str = "length"
    token: str | None = "sender"
    media: str | None = "application/json"
    more: tuple[str, ...] = ()

    def bytes(self):
        head = [f"{self.method} {self.target} HTTP/{self.version}", "Host: desk", *self.more]
        if self.token is not None:
            head.append(f"Authorization: Bearer {self.token}")
        if self.media is not None:
            head.append(f"Content-Type: {self.media}")
        body = self.body
        if self.framing == "chunked":
            head.append("Transfer-Encoding: chunked")
            parts = [part for part in (body[:7], body[7:]) if part]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        elif self.framing != "none":
            off = {"length": 0, "short": -3, "long": 9}[self.framing]
            head.append(f"Content-Length: {max(0, len(body) + off)}")
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def decide(number=7, *, features=None, **values):
    case = CASE | {"parcel_id": number} | values
    return json.dumps({"case": case} | ({} if features is None else {"features": features})).encode()


def padded(body, size):
    return body + b" " * (size - len(body))


BODIES = [
    *(decide(number) for number in (1, 2, 3)),
    decide(1, features=True),
    decide(1, weight_kg=9.0),
    decide(None),
    decide(4, colour="red"),
    json.dumps({"case": LATER}).encode(),
    json.dumps({"cases": [CASE, LATER, CASE | {"weight_kg": 1.0}]}).encode(),
    json.dumps({"cases": [LATER]}).encode(),
    b"",
    b"{}",
    b'{"case": {"weight_kg": NaN}}',
    b'{"case": {"depot": "\xff"}}',
    b'{"case": {"a": 1, "a": 2}}',
    padded(decide(5), MOST_BYTES),
    padded(decide(6), MOST_BYTES + 1),
    padded(decide(6), LIMIT + 1),
    b"[" * 3_000,
]
MORE = [
    "X-Request-Id: mine-1",
    "X-Request-Id: no id at all",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: Upgrade\r\nUpgrade: websocket",
    "Expect: 100-continue",
    "Content-Encoding: identity",
    "Content-Encoding: gzip",
    "Authorization: Bearer owner",
    "Content-Length: 3",
    "X-Long: " + "x" * 300,
]
PLAIN = st.builds(Request, st.sampled_from(BODIES))
ODD = st.builds(
    Request,
    st.sampled_from(BODIES),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "PUT"]),
    target=st.sampled_from(
        [PATH] * 5 + [f"{PATH}?dry=1", "/v1/%64ecisions", f"http://desk{PATH}", "/health/live"]
    ),
    version=st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
    framing=st.sampled_from(["length", "length", "length", "chunked", "none", "short", "long"]),
    token=st.sampled_from(["sender", "sender", "owner", "reviewer", "nobody", None]),
    media=st.sampled_from(
        ["application/json"] * 3
        + ["Application/JSON; charset=utf-8", "text/plain", "application/x-ndjson", None]
    ),
    more=st.lists(st.sampled_from(MORE), max_size=2).map(tuple),
)
REQUESTS = st.lists(st.one_of(PLAIN, PLAIN, ODD), min_size=1, max_size=3)


@st.composite
def sent(draw):
    """Give one step that sends requests, at once or cut anywhere."""
    requests = [request.bytes() for request in draw(REQUESTS)]
    if draw(st.booleans()):
        requests = [b"".join(requests)]
    pieces = []
    for data in requests:
        head = data.find(b"\r\n\r\n") + 4
        places = st.one_of(st.integers(0, len(data)), st.integers(max(0, head - 3), min(len(data), head + 3)))
        cuts = [0, *sorted(draw(st.lists(places, max_size=3))), len(data)]
        pieces += [data[begin:end] for begin, end in pairwise(cuts)]
    return ("send", draw(st.sampled_from("abc")), *pieces)


STEPS = st.one_of(
    sent(),
    sent(),
    sent(),
    st.sampled_from(
        [
            ("wait", 0.03),
            ("wait", 11.0),
            ("hold",),
            ("hold",),
            ("go on",),
            ("leave", "a"),
            ("leave", "b"),
            ("shut down",),
            ("refuse", TryLaterError("service.full", "h", happened="a", expected="b", fix="c")),
            ("refuse", RuntimeError("anna@example.org")),
        ]
    ),
)
WHOLE = Request(decide()).bytes()


@given(st.lists(STEPS, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
@example([("hold",), ("send", "a", WHOLE), ("send", "b", WHOLE), ("send", "c", WHOLE), ("go on",)])
@example([("hold",), ("send", "a", WHOLE), ("shut down",), ("go on",)])
@example([("send", "a", WHOLE[:-5]), ("shut down",), ("send", "a", WHOLE[-5:])])
@example([("hold",), ("send", "a", WHOLE), ("leave", "a"), ("go on",)])
@example([("send", "a", WHOLE[:-5]), ("leave", "a")])
@example([("send", "a", WHOLE[:-5]), ("wait", 11.0), ("send", "a", WHOLE[-5:])])
@example([("send", "a", Request(b"{}", more=("Connection: close",)).bytes() + WHOLE)])
@example([("send", "a", Request(b"{}").bytes() + WHOLE + Request(more=("Connection: close",)).bytes())])
@example([("send", "a", Request(decide(), version="1.0", more=("Connection: keep-alive",)).bytes())])
def test_law_both_ways_say_note_and_do_the_same(steps):
    alike(steps)


@given(st.integers(1, len(WHOLE) - 1), st.integers(1, len(WHOLE) - 1), st.sampled_from([(), MORE[2:3]]))
@settings(max_examples=50, deadline=None)
def test_law_a_request_may_be_cut_anywhere(first, second, more):
    data = Request(decide(), more=tuple(more)).bytes()
    first, second = sorted((first, second))
    pieces = data[:first], data[first:second], data[second:]
    world = alike([("send", "a", *pieces, *(() if more else pieces))])
    assert world.lines["a"].written.count(b"HTTP/1.1 200 OK\r\n") == (1 if more else 2)


def test_a_plain_request_takes_no_task_and_one_write_also_when_its_body_comes_by_itself():
    async def play():
        world = World(short=True)
        world.desk.gate.clear()
        end = WHOLE.index(b"{")
        for name, pieces in {"a": [WHOLE], "b": [WHOLE[:end], WHOLE[end:]]}.items():
            await world.send(name, *pieces)
            assert not world.state.tasks
        assert len(world.desk.commands) == 2
        world.desk.gate.set()
        await world.settle()
        assert [line.writes for line in world.lines.values()] == [1, 1]
        assert all(line.written.startswith(b"HTTP/1.1 200 OK\r\n") for line in world.lines.values())

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(play())


LONG = {
    "another is under way": Request(decide()).bytes(),
    "it asks before it sends": Request(decide(), more=("Expect: 100-continue",)).bytes(),
    "it is the last": Request(decide(), more=("Connection: close",)).bytes(),
    "it is of HTTP/1.0": Request(decide(), version="1.0").bytes(),
    "it comes in chunks": Request(decide(), framing="chunked").bytes(),
    "it is large": Request(padded(decide(), MOST_BYTES + 1)).bytes(),
    "it isn't let in": Request(decide(), token=None).bytes(),
    "its body doesn't come": WHOLE[:-3],
    "the answers aren't read": WHOLE,
}


@pytest.mark.parametrize("why", LONG)
def test_whatever_is_not_plain_goes_the_long_way(why):
    async def play():
        world = World(short=True)
        line = world.line("a")
        world.desk.gate.clear()
        before = len(world.log)
        if why.startswith("another"):
            await world.send("a", LONG[why])
            assert line.protocol.cycle.response_complete is False
        if why.startswith("the answers"):
            line.protocol.pause_writing()
        line.protocol.data_received(LONG[why])
        if why.startswith("its body"):
            await world.wait(0.03)
        assert world.state.tasks or line.protocol.pipeline
        world.desk.gate.set()
        await world.settle()
        if why.startswith("the answers"):
            assert not line.written
            await world.wait(31.0)
            assert line.closing
        elif not why.startswith("its body"):
            assert len(world.log) > before

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(play())


def test_an_idle_connection_is_closed_and_one_that_is_used_is_not():
    async def play():
        world = World(short=True)
        idle, used = world.line("a"), world.line("b")
        await world.send("a", WHOLE)
        for _ in range(4):
            await world.send("b", WHOLE)
            await world.wait(40.0)
            assert not used.closing
        assert idle.closing
        world.desk.gate.clear()
        await world.send("b", WHOLE)
        await world.wait(100.0)
        assert not used.closing
        world.desk.gate.set()
        await world.settle()
        await world.wait(64.0)
        assert not used.closing
        await world.wait(2.0)
        assert used.closing

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(play())


def test_a_body_that_is_encoded_is_refused_on_both_ways():
    world = alike([("send", "a", Request(decide(), more=("Content-Encoding: gzip",)).bytes())])
    assert world.lines["a"].written.startswith(b"HTTP/1.1 415 ")


def test_nothing_is_written_for_whoever_has_left():
    steps = [("hold",), ("send", "a", WHOLE), ("leave", "a"), ("go on",)]
    world = played(steps, short=True)
    assert (world.lines["a"].late, [json.loads(each)["status"] for each in world.log]) == (0, [200])


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_what_is_no_request_does_not_hold_a_connection(framing):
    refused = Request(decide(), token=None, framing=framing).bytes()
    for steps in (
        [("send", "a", WHOLE, b"\r\n")],
        [("send", "a", refused[:-9]), *[("wait", 9.0), ("send", "a", b"1")] * 8],
        [("send", "a", refused[:-9], refused[-9:])],
    ):
        assert not alike(steps).told()["open"]


def test_shutting_down_waits_for_what_is_under_way():
    async def play():
        world = World(short=True)
        world.desk.gate.clear()
        await world.send("a", WHOLE)
        world.line("a").protocol.shutdown()
        await world.settle()
        assert world.state.connections
        world.desk.gate.set()
        await world.settle()
        assert b"\r\nconnection: close\r\n" in world.line("a").written
        assert not world.state.connections

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(play())
