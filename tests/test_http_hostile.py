"""Hostile requests: each gets a clear 4xx in the one shape, nothing of it lands, and the service goes on."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import time
from contextlib import suppress

import httpx
import polars as pl
import pytest

from http_desk import CASE, Desk, served
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.lessons import lesson_for

ARROW = "application/vnd.apache.arrow.stream"
SMALL = HttpSettings(
    body_timeout_s=0.4, head_timeout_s=0.4, answer_timeout_s=0.4, head_bytes=4096, in_flight=4, keep_alive_s=5
)


@pytest.fixture(scope="module")
def world():
    desk = Desk()
    with served(desk, settings=SMALL) as (address, _):
        yield desk, address


@pytest.fixture(scope="module")
def ask(world):
    _, (host, port) = world
    with httpx.Client(base_url=f"http://{host}:{port}", timeout=20) as client:
        yield client


def arrow(frame, **settings):
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, **settings)
    return buffer.getvalue()


GOOD = json.dumps({"case": CASE}).encode()
HEAD = b'{"case": {"parcel_id": 7, "sent_at": '
DECIDE = "/v1/decisions"
ROWS = "/v1/rows/parcels"
JSON = "application/json"
NDJSON = "application/x-ndjson"

REFUSED = {
    "nothing at all": (DECIDE, JSON, b"", 400, "request.malformed-json"),
    "white space": (DECIDE, JSON, b" \n ", 400, "request.malformed-json"),
    "a stop in the middle": (DECIDE, JSON, GOOD[:-3], 400, "request.malformed-json"),
    "two values": (DECIDE, JSON, GOOD + GOOD, 400, "request.malformed-json"),
    "a trailing comma": (DECIDE, JSON, b'{"case": {"parcel_id": 7,}}', 400, "request.malformed-json"),
    "single quotes": (DECIDE, JSON, b"{'case': {}}", 400, "request.malformed-json"),
    "a comment": (DECIDE, JSON, b'{"case": {}} // x', 400, "request.malformed-json"),
    "NaN": (DECIDE, JSON, b'{"case": {"weight_kg": NaN}}', 400, "request.malformed-json"),
    "Infinity": (DECIDE, JSON, b'{"case": {"weight_kg": Infinity}}', 400, "request.malformed-json"),
    "-Infinity": (DECIDE, JSON, b'{"case": {"weight_kg": -Infinity}}', 400, "request.malformed-json"),
    "a mark before the text": (DECIDE, JSON, b"\xef\xbb\xbf" + GOOD, 400, "request.malformed-json"),
    "UTF-16": (DECIDE, JSON, GOOD.decode().encode("utf-16-le"), 400, "request.malformed-json"),
    "bytes that are no text": (DECIDE, JSON, b'{"case": {"depot": "\xff\xfe"}}', 400, "request.not-utf8"),
    "Latin-1": (DECIDE, JSON, '{"case": {"depot": "Köln"}}'.encode("latin-1"), 400, "request.not-utf8"),
    "half a sign": (DECIDE, JSON, rb'{"case": {"depot": "\ud83d x"}}', 400, "request.malformed-json"),
    "a name twice": (
        DECIDE,
        JSON,
        b'{"case": {"parcel_id": 7, "parcel_id": 8}}',
        400,
        "request.duplicate-key",
    ),
    "a name twice, written differently": (
        DECIDE,
        JSON,
        rb'{"case": {"parcel_id": 7, "parcel\u005fid": 8}}',
        400,
        "request.duplicate-key",
    ),
    "case twice": (
        DECIDE,
        JSON,
        b'{"case": {"parcel_id": 7}, "case": {"parcel_id": 8}}',
        400,
        "request.duplicate-key",
    ),
    "too large a float": (DECIDE, JSON, b'{"case": {"weight_kg": 1e400}}', 422, "request.number-range"),
    "too large an integer": (
        DECIDE,
        JSON,
        b'{"case": {"weight_kg": 1%s}}' % (b"0" * 400),
        422,
        "request.number-range",
    ),
    "an endless integer": (
        DECIDE,
        JSON,
        b'{"case": {"weight_kg": 1%s}}' % (b"0" * 9000),
        422,
        "request.number-range",
    ),
    "a list in a row": (DECIDE, JSON, b'{"case": {"parcel_id": [7]}}', 422, "request.wrong-type"),
    "an object in a row": (DECIDE, JSON, b'{"case": {"parcel_id": {"a": 7}}}', 422, "request.wrong-type"),
    "deep lists": (DECIDE, JSON, HEAD + b"[" * 100_000, 422, "request.wrong-type"),
    "deep objects": (DECIDE, JSON, b'{"case": ' + b'{"a":' * 5_000, 422, "request.wrong-type"),
    "deep at the top": (DECIDE, JSON, b"[" * 100_000, 422, "request.wrong-type"),
    "no object": (DECIDE, JSON, b"[]", 422, "request.wrong-type"),
    "a text": (DECIDE, JSON, b'"case"', 422, "request.wrong-type"),
    "a case that is none": (DECIDE, JSON, b'{"case": 7}', 422, "request.wrong-type"),
    "a case that is null": (DECIDE, JSON, b'{"case": null}', 422, "request.wrong-type"),
    "features that are a text": (DECIDE, JSON, b'{"case": {}, "features": "yes"}', 422, "request.wrong-type"),
    "a field too many": (
        DECIDE,
        JSON,
        b'{"case": {"parcel_id": 7}, "dry": true}',
        422,
        "request.unknown-field",
    ),
    "a column too many": (
        DECIDE,
        JSON,
        b'{"case": {"parcel_id": 7, "colour": 1}}',
        422,
        "data.unknown-field",
    ),
    "neither": (DECIDE, JSON, b"{}", 422, "request.nothing-sent"),
    "no cases": (DECIDE, JSON, b'{"cases": []}', 422, "request.nothing-sent"),
    "both": (DECIDE, JSON, b'{"case": {"a": 1}, "cases": [{"a": 1}]}', 422, "request.nothing-sent"),
    "no key": (DECIDE, JSON, b'{"case": {"depot": "A"}}', 422, "data.key-null"),
    "too many cases": (DECIDE, JSON, b'{"cases": [%s{}]}' % (b"{}," * 1_000), 413, "request.too-many-rows"),
    "far too many": (DECIDE, JSON, b'{"cases": [%s{}]}' % (b"{}," * 10_000), 413, "request.too-many-rows"),
    "too many columns": (
        DECIDE,
        JSON,
        json.dumps({"case": {f"c{number}": 1 for number in range(1001)}}).encode(),
        422,
        "request.too-many-columns",
    ),
    "a text of 10 MB": (DECIDE, JSON, HEAD + b'"%s"}}' % (b"x" * 10_000_000), 413, "request.too-large"),
    "a form": (DECIDE, "application/x-www-form-urlencoded", GOOD, 415, "request.media-type"),
    "no form": (DECIDE, "", GOOD, 415, "request.media-type"),
    "NDJSON where JSON belongs": (DECIDE, NDJSON, GOOD, 415, "request.media-type"),
    "another charset": (DECIDE, "application/json; charset=latin-1", GOOD, 415, "request.media-type"),
    "an odd type": (DECIDE, "text/\xff;;;=", GOOD, 415, "request.media-type"),
    "rows: a line that is none": (
        ROWS,
        NDJSON,
        b'{"parcel_id": 7}\n{"parcel_id": x}\n',
        400,
        "request.malformed-json",
    ),
    "rows: two on a line": (
        ROWS,
        NDJSON,
        b'{"parcel_id": 7}{"parcel_id": 8}\n',
        400,
        "request.malformed-json",
    ),
    "rows: one on two lines": (ROWS, NDJSON, b'{"parcel_id":\n7}\n', 400, "request.malformed-json"),
    "rows: a list on a line": (ROWS, NDJSON, b'{"parcel_id": 7}\n[7]\n', 422, "request.wrong-type"),
    "rows: a name twice": (
        ROWS,
        NDJSON,
        b'{"parcel_id": 7}\n{"depot": 1, "depot": 1}',
        400,
        "request.duplicate-key",
    ),
    "rows: too many lines": (ROWS, NDJSON, b"{}\n" * 5_001, 413, "request.too-many-rows"),
    "rows: empty": (ROWS, NDJSON, b"\n\n", 422, "request.nothing-sent"),
    "rows: no list": (ROWS, JSON, b'{"rows": {"parcel_id": 7}}', 422, "request.wrong-type"),
    "rows: cases": (ROWS, JSON, b'{"cases": [{"parcel_id": 7}]}', 422, "request.unknown-field"),
    "rows: unknown source": ("/v1/rows/nothing", JSON, b'{"rows": [{"a": 1}]}', 404, "brief.unknown-source"),
    "rows: a path": ("/v1/rows/..%2F..%2Fetc", JSON, b'{"rows": [{"a": 1}]}', 404, "request.unknown-path"),
    "rows: SQL": ("/v1/rows/x';drop table rows", JSON, b'{"rows": [{"a": 1}]}', 404, "brief.unknown-source"),
    "arrow: none": (ROWS, ARROW, b"", 400, "request.malformed-arrow"),
    "arrow: JSON": (ROWS, ARROW, GOOD, 400, "request.malformed-arrow"),
    "arrow: a file": (
        ROWS,
        ARROW,
        b"ARROW1\0\0" + arrow(pl.DataFrame([CASE])),
        400,
        "request.malformed-arrow",
    ),
    "arrow: a stop": (ROWS, ARROW, arrow(pl.DataFrame([CASE]))[:-200], 400, "request.malformed-arrow"),
    "arrow: no rows": (ROWS, ARROW, arrow(pl.DataFrame([CASE]).clear()), 422, "request.nothing-sent"),
    "arrow: compressed": (
        ROWS,
        ARROW,
        arrow(pl.DataFrame({"parcel_id": [0] * 4_900}), compression="zstd"),
        415,
        "request.compressed-arrow",
    ),
    "arrow: infinity": (
        ROWS,
        ARROW,
        arrow(pl.DataFrame({"parcel_id": [1, 2, 3], "weight_kg": [1.5, float("inf"), None]})),
        422,
        "request.number-range",
    ),
    "arrow: infinity below nothing, in half a float": (
        ROWS,
        ARROW,
        arrow(pl.DataFrame({"parcel_id": [1], "weight_kg": pl.Series([float("-inf")], dtype=pl.Float32)})),
        422,
        "request.number-range",
    ),
    "arrow: a list": (ROWS, ARROW, arrow(pl.DataFrame({"parcel_id": [[7]]})), 422, "request.column-kind"),
    "arrow: bytes": (ROWS, ARROW, arrow(pl.DataFrame({"parcel_id": [b"7"]})), 422, "request.column-kind"),
    "arrow: too many": (
        ROWS,
        ARROW,
        arrow(pl.DataFrame({"parcel_id": range(5_001)})),
        413,
        "request.too-many-rows",
    ),
    "arrow: a text that thousands share": (
        ROWS,
        ARROW,
        arrow(
            pl.DataFrame(
                {"depot": pl.Series(["x" * 1_000_000], dtype=pl.Categorical).new_from_index(0, 4_900)}
            )
        ),
        413,
        "request.too-large",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_the_one_shape_and_nothing_lands(name, world, ask):
    path, media, body, status, code = REFUSED[name]
    desk, _ = world
    before = {source: dict(rows) for source, rows in desk.known.items()}
    headers = {"Content-Type": media.encode("latin-1")} if media else {}
    response = ask.post(path, content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    error = response.json()["error"]
    assert set(error) == {"code", "headline", "happened", "expected", "fix", "request_id"}
    assert all(error.values())
    assert "$" not in error["happened"]
    assert " got " not in str(error)
    assert error["request_id"] == response.headers["x-request-id"]
    assert code.startswith(("data.", "brief.")) or lesson_for(code) is not None
    assert {source: dict(rows) for source, rows in desk.known.items()} == before


def test_a_list_of_rows_without_its_name_is_told_how_to_name_it(ask):
    error = ask.post(ROWS, content=b'[{"parcel_id": 7}]', headers={"Content-Type": JSON}).json()["error"]
    assert error["happened"] == "what was sent was a list"
    assert '{"rows": [...]}' in error["fix"]


TAKEN = {
    "an integer beyond 64 bits, which is a number": b'{"case": {"parcel_id": 75, "weight_kg": 1%s}}'
    % (b"0" * 30),
    "a sign of its own": rb'{"case": {"parcel_id": 70, "depot": "\u0000\"\\"}}',
    "braces in a text": b'{"case": {"parcel_id": 71, "depot": "%s"}}' % (b"{" * 20_000),
    "a time days ahead": b'{"case": {"parcel_id": 72, "booked_at": "2099-01-01T00:00:00Z"}}',
    "white space everywhere": b' \n{ "case" :\t{ "parcel_id" : 73 , "depot" : "\\n" } } \r\n',
    "a long text": b'{"case": {"parcel_id": 74, "depot": "%s"}}' % (b"x" * 7_000_000),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_only_odd_is_taken(name, ask):
    headers = {"Content-Type": "Application/JSON ; Charset=UTF-8", "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    response = ask.post(DECIDE, content=TAKEN[name], headers=headers)
    assert response.status_code in {200, 202}, response.text


# requests that no library sends


def talk(address, *parts, wait=0.0, least=1):
    """Send bytes as they are, and read until the other side closes or this many answers are there."""
    with socket.create_connection(address, timeout=10) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(wait)
        answer = b""
        while answer.count(b"HTTP/1.1 ") < least or not answer.endswith(b"}"):
            more = line.recv(65_536)
            if not more:
                break
            answer += more
        return answer


def post(body, *headers, length=None):
    head = [b"POST /v1/decisions HTTP/1.1", b"Host: desk", b"Content-Type: application/json", *headers]
    if length is not None:
        head.append(b"Content-Length: %d" % length)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def status(answer):
    return int(answer.split(b" ", 2)[1])


def alive(address):
    return status(talk(address, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")) == 200


def case(number):
    return json.dumps({"case": CASE | {"parcel_id": number}}).encode()


def test_chunks_are_put_together(world):
    body = case(100)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    assert status(talk(world[1], post(chunks + b"0\r\n\r\n", b"Transfer-Encoding: chunked"))) == 200


def test_pipelined_requests_are_answered_in_order(world):
    wanted = [101, 102, 103]
    sent = b"".join(post(case(number), length=len(case(number))) for number in wanted)
    answer = talk(world[1], sent, least=3)
    assert [answer.count(b'"parcel_id":%d}' % number) for number in wanted] == [1, 1, 1]
    places = [answer.index(b'"parcel_id":%d}' % number) for number in wanted]
    assert places == sorted(places)


def test_many_pipelined_requests_are_no_large_head(world):
    ask = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = talk(world[1], ask * 200 + ask[:10], ask[10:], wait=0.05, least=201)
    assert answer.count(b"HTTP/1.1 200 ") == 201


def test_a_length_that_is_too_long_waits_no_longer_than_a_body_may(world):
    answer = talk(world[1], post(case(104), length=5_000))
    assert status(answer) == 408
    assert b"request.too-slow" in answer
    assert 104 not in world[0].known["parcels"]


def test_a_length_that_is_too_short_is_malformed_and_what_follows_is_no_request(world):
    answer = talk(world[1], post(case(105), length=10), least=2)
    assert status(answer) == 400
    assert 105 not in world[0].known["parcels"]


def test_a_body_that_is_announced_too_large_is_refused_without_its_being_kept(world):
    answer = talk(world[1], post(b"x" * 1000, length=10**15))
    assert status(answer) in {408, 413}


def test_two_lengths_and_length_beside_chunks_are_no_http(world):
    for headers in (
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
    ):
        answer = talk(world[1], post(b"0\r\n\r\n", *headers))
        assert status(answer) == 400


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_so_in_the_one_shape(sent, world):
    answer = talk(world[1], sent)
    assert status(answer) == 400
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request.malformed-http"
    assert alive(world[1])


def test_a_head_without_end_is_refused(world):
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 100) for number in range(50))
    answer = talk(world[1], b"GET / HTTP/1.1\r\nHost: x\r\n", many, many, wait=0.05)
    assert status(answer) == 431
    assert b"request.head-too-large" in answer


def test_a_slow_head_and_a_silent_connection_are_closed(world):
    for part in (b"", b"GET / HTTP/1.1\r\nHost"):
        with socket.create_connection(world[1], timeout=10) as line:
            line.sendall(part)
            with suppress(ConnectionResetError):
                assert line.recv(100) == b""


def test_a_slow_body_is_refused_and_holds_nobody_up(world):
    slow = [socket.create_connection(world[1], timeout=10) for _ in range(3)]
    for line in slow:
        line.sendall(post(b'{"case"', length=500))
    assert alive(world[1])
    for line in slow:
        assert status(line.recv(65_536)) == 408
        line.close()


def test_a_body_that_breaks_off_leaves_nothing_behind(world, ask):
    desk, address = world
    commands = len(desk.commands)
    for _ in range(10):
        line = socket.create_connection(address, timeout=10)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.sendall(post(case(106)[:-1], length=len(case(106))))
        line.close()
    assert alive(address)
    time.sleep(0.1)
    assert len(desk.commands) == commands
    metrics = ask.get("/metrics").text
    assert 'route="/v1/decisions",status="499"} ' in metrics
    assert "wholeroad_http_requests_in_flight 1\n" in metrics


def test_whoever_leaves_without_reading_the_answer_harms_nobody(world):
    for number in range(107, 117):
        line = socket.create_connection(world[1], timeout=10)
        line.sendall(post(case(number), length=len(case(number))))
        line.close()
    assert alive(world[1])


def send_slowly(line):
    for _ in range(1500):
        line.sendall(b"G")
        time.sleep(0.01)


def test_whoever_never_reads_is_left(world):
    _, address = world
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(address)
        line.settimeout(15)
        line.sendall(ask * 900)
        with pytest.raises(ConnectionError):
            send_slowly(line)
    assert alive(address)


def test_whoever_never_waits_is_left(world):
    ask = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(world[1], timeout=15) as line, pytest.raises(ConnectionError):
        line.sendall(ask * 200_000)
    assert alive(world[1])


def test_upgrades_are_not_offered(world):
    ask = (
        b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert status(talk(world[1], ask)) == 200


def test_too_many_at_once_are_told_to_come_back(world, ask):
    desk, _ = world
    answers = []

    def send(number):
        answers.append(ask.post(DECIDE, content=case(number), headers={"Content-Type": JSON}))

    desk.gate.clear()
    threads = [threading.Thread(target=send, args=(number,)) for number in range(200, 208)]
    for thread in threads:
        thread.start()
    while len(answers) < 4:
        time.sleep(0.01)
    desk.open_gate()
    for thread in threads:
        thread.join(10)
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [429] * 4
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["error"]["code"] for answer in refused} == {"service.busy"}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
