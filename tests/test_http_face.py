"""Laws of the face: who is let in, what is answered, what is counted and logged, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from http_desk import CASE, LATER, NOW, Desk, client, served
from open_guard import OpenGuard
from wholeroad.core.errors import Fault, FaultsError, TryLaterError, UserError
from wholeroad.core.instants import FIRST, LAST, parse_instant
from wholeroad.interfaces.http.answers import written
from wholeroad.interfaces.http.exposure import refuse_exposed, refuse_useless
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.metrics import RequestMeter
from wholeroad.interfaces.http.settings import HttpSettings

DECIDE = "/v1/decisions"


class Tokens:
    """Three tokens, each named as its role."""

    def check(self, bearer):
        return bearer if bearer in {"sender", "reviewer", "owner"} else None


def asked(*requests, desk=None, guard=None, routes=(), **limits):
    """Send requests to an app, one after the other."""

    async def ask():
        app = make_app(
            desk or Desk(), settings=HttpSettings(**limits), guard=guard or OpenGuard(), routes=routes
        )
        async with client(app) as one:
            return [await one.request(method, path, **more) for method, path, more in requests]

    answers = asyncio.run(ask())
    return answers[0] if len(answers) == 1 else answers


def decide(**body):
    return "POST", DECIDE, {"json": body}


# answers


def test_a_case_a_repeated_one_and_one_with_other_content():
    first, again, other = asked(
        decide(case=CASE, features=True), decide(case=CASE), decide(case=CASE | {"weight_kg": 9.0})
    )
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert first.json()["first"] is True
    assert first.json()["features"] == {"weight": 2.5}
    assert again.json()["first"] is False
    assert "features" not in again.json()
    assert first.json()["decided_at"] == written(NOW)
    assert other.json()["error"]["code"] == "request.conflict"
    assert first.json()["decision_id"] in other.json()["error"]["fix"]


def test_a_case_before_its_time_is_accepted_and_many_have_a_status_each():
    one, all_wait, mixed = asked(
        decide(case=LATER), decide(cases=[LATER]), decide(cases=[CASE, LATER, LATER | {"depot": "C"}])
    )
    assert (one.status_code, all_wait.status_code, mixed.status_code) == (202, 202, 200)
    assert [each["status"] for each in mixed.json()["cases"]] == ["decided", "accepted", "conflict"]


def test_a_decision_is_found_again_and_no_other():
    desk = Desk()
    name = asked(decide(case=CASE), desk=desk).json()["decision_id"]
    found, unknown, odd = asked(
        ("GET", f"/v1/decisions/{name}", {}),
        ("GET", f"/v1/decisions/{'0' * 16}", {}),
        ("GET", "/v1/decisions/%F0%9F%98%80", {}),
        desk=desk,
    )
    assert found.json()["action"] == "pass"
    assert (unknown.status_code, odd.status_code) == (404, 404)


def test_the_ledger_is_read_a_page_at_a_time_as_json_and_as_lines():
    desk = Desk()
    read, after = [], 0
    while after is not None:
        page = asked(("GET", f"/v1/ledger?after={after}&most=10", {}), desk=desk).json()
        read += page["facts"]
        after = page["next"]
    assert [fact["seq"] for fact in read] == list(range(1, 26))
    lines = asked(("GET", "/v1/ledger?most=25", {"headers": {"Accept": "application/x-ndjson"}}), desk=desk)
    assert [json.loads(line) for line in lines.text.splitlines()] == read
    assert lines.headers["link"].startswith("</v1/ledger?after=25&most=25>")


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "most=0", "most=1001", "more=1", "after=1&after=2", "after"]
)
def test_parameters_that_aren_t_right_are_refused(query):
    refused = asked(("GET", f"/v1/ledger?{query}", {}))
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "request.parameter")
    assert asked(("POST", f"{DECIDE}?dry=1", {"json": {"case": CASE}})).status_code == 422


def test_errors_of_the_service_keep_their_words_and_get_their_status():
    fault = Fault("brief.unknown-column", "[feature] a", "b", "c", "d")
    raised = {
        UserError("data.x-y", "h", happened="a", expected="b", fix="c"): 422,
        FaultsError("h", [fault, fault]): 422,
        TryLaterError("service.full", "h", happened="a", expected="b", fix="c"): 503,
        RuntimeError("anna@example.org"): 500,
    }
    for error, status in raised.items():
        desk = Desk()
        desk.refusal = error
        log = []
        answer = asked(decide(case=CASE), desk=desk, log=log.append)
        assert answer.status_code == status
        told = answer.json()["error"]
        assert told["code"] == getattr(error, "code", "service.fault")
        assert ("faults" in told) == isinstance(error, FaultsError)
        assert ("retry-after" in answer.headers) == (status == 503)
        assert "anna" not in answer.text + b"".join(log).decode()
        assert ("RuntimeError" in b"".join(log).decode()) == (status == 500)


def test_ready_says_why_not():
    desk = Desk()
    assert asked(("GET", "/health/ready", {}), desk=desk).status_code == 200
    desk.why_not = "the disk is full"
    answer = asked(("GET", "/health/ready", {}), desk=desk)
    assert (answer.status_code, answer.json()["error"]["happened"]) == (503, "the disk is full")
    assert answer.headers["retry-after"]


@given(st.integers(FIRST, LAST))
@settings(deadline=None)
def test_law_instants_are_written_in_utc_with_microseconds_and_read_back(at):
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", written(at))
    assert parse_instant(written(at)) == at


# who is let in

ROUTES = {
    ("GET", "/"): (),
    ("GET", "/health/live"): (),
    ("GET", "/health/ready"): (),
    ("GET", "/openapi.json"): (),
    ("POST", DECIDE): ("sender", "owner"),
    ("POST", "/v1/rows/parcels"): ("sender", "owner"),
    ("POST", "/v1/outcomes"): ("sender", "owner"),
    ("GET", "/v1/decisions/0000000000000000"): ("sender", "reviewer", "owner"),
    ("GET", "/v1/models"): ("reviewer", "owner"),
    ("GET", "/v1/ledger"): ("reviewer", "owner"),
    ("GET", "/v1/status"): ("reviewer", "owner"),
    ("GET", "/metrics"): ("reviewer", "owner"),
    ("POST", "/v1/fits/cancel"): ("owner",),
    ("POST", "/v2/models/small/infer"): ("sender", "owner"),
    ("GET", "/v2/models/small"): ("sender", "reviewer", "owner"),
    ("GET", "/nothing"): ("sender", "reviewer", "owner"),
    ("DELETE", "/v1/status"): ("sender", "reviewer", "owner"),
}


async def bare(request):
    return PlainTextResponse(request.method)


MODEL = [
    Route("/v2/models/{name}", bare, methods=["GET"]),
    Route("/v2/models/{name}/infer", bare, methods=["POST"]),
]


@pytest.mark.parametrize(("route", "roles"), ROUTES.items(), ids=" ".join)
def test_each_role_is_let_through_to_its_routes_and_a_stranger_to_none(route, roles):
    desk = Desk()
    for role in ("", "sender", "reviewer", "owner", "nobody"):
        headers = {"Authorization": f"Bearer {role}"} if role else {}
        answer = asked((*route, {"headers": headers}), desk=desk, guard=TokenGuard(Tokens()), routes=MODEL)
        if not roles or role in roles:
            assert answer.status_code not in {401, 403}, role
        elif role in {"", "nobody"}:
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        else:
            assert answer.status_code == 403
    assert desk.commands == []


@pytest.mark.parametrize(
    "header", ["owner", "Bearer", "Basic owner", "Bearer  x", "Bearer öwner", "bearer owner"]
)
def test_only_a_whole_bearer_token_counts(header):
    answer = asked(
        ("GET", "/v1/status", {"headers": {"Authorization": header.encode()}}), guard=TokenGuard(Tokens())
    )
    assert (answer.status_code == 200) == (header == "bearer owner")


def test_listening_beyond_this_machine_needs_tokens_and_secrecy():
    for host in ("0.0.0.0", "::", "10.1.2.3", "example.org", ""):
        for tokens in (False, True):
            for tls in (False, True):
                for behind_proxy in (False, True):
                    if tokens and (tls or behind_proxy):
                        refuse_exposed(host, tokens=tokens, tls=tls, behind_proxy=behind_proxy)
                        continue
                    with pytest.raises(UserError) as refused:
                        refuse_exposed(host, tokens=tokens, tls=tls, behind_proxy=behind_proxy)
                    assert refused.value.code == "service.exposed"
    for host in ("127.0.0.1", "localhost", "::1", "127.3.2.1"):
        refuse_exposed(host, tokens=False, tls=False, behind_proxy=False)


@pytest.mark.parametrize("written", [None, "", "no PEM", "-----BEGIN CERTIFICATE-----\nAA==\n"])
def test_a_certificate_that_serves_nobody_is_refused_before_anything_is_begun(written, tmp_path):
    certificate = tmp_path / "certificate.pem"
    if written is not None:
        certificate.write_text(written)
    for key in (certificate, tmp_path):
        with pytest.raises(UserError) as refused:
            refuse_useless(certificate, key)
        assert refused.value.code == "service.certificate"


# ids, logs, counters


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=80))
@settings(max_examples=60, deadline=None)
def test_law_a_short_plain_id_is_kept_and_any_other_replaced(given_id):
    answer = asked(("GET", "/health/live", {"headers": {"X-Request-Id": given_id.encode("latin-1")}}))
    kept = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given_id) is not None
    assert (answer.headers["x-request-id"] == given_id) == kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])


def test_ids_are_given_once():
    answers = asked(*[("GET", "/health/live", {})] * 20)
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20


def test_the_log_has_a_line_for_each_request_and_nothing_of_its_content():
    log = []
    secret = CASE | {"depot": "Anna Muster"}
    headers = {"Authorization": "Bearer sender", "X-Request-Id": "mine", "User-Agent": "Anna"}
    asked(
        ("POST", DECIDE, {"json": {"case": secret}, "headers": headers}),
        ("GET", "/v1/decisions/Anna", {"headers": headers}),
        ("GET", "/v1/ledger?after=Anna", {"headers": headers}),
        ("POST", "/v1/rows/Anna", {"json": {"rows": [secret]}, "headers": headers}),
        ("GET", "/Anna", {"headers": headers}),
        ("GET", "/v1/status", {"headers": {"Authorization": "Bearer Anna"}}),
        ("ANNA", "/v1/status", {"headers": headers}),
        guard=TokenGuard(Tokens()),
        log=log.append,
    )
    lines = [json.loads(line) for line in log]
    assert [line["status"] for line in lines] == [200, 404, 403, 404, 404, 401, 405]
    assert [line["route"] for line in lines][:5] == [
        DECIDE,
        "/v1/decisions/{id}",
        "/v1/ledger",
        "/v1/rows/{source}",
        "other",
    ]
    assert lines[0].keys() == {
        "at",
        "method",
        "route",
        "status",
        "ms",
        "request_id",
        "bytes_in",
        "bytes_out",
        "role",
    }
    assert (lines[0]["role"], lines[0]["request_id"], lines[0]["at"]) == ("sender", "mine", written(NOW))
    assert all(line.endswith(b"\n") for line in log)
    assert b"nna" not in b"".join(log)


SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)')


def test_metrics_are_in_the_text_format_and_count_what_was_asked():
    *_, answer = asked(
        decide(case=CASE), decide(case=CASE), decide(), ("GET", "/nothing", {}), ("GET", "/metrics", {})
    )
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples, kinds = {}, {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert (name, labels) not in samples
            samples[name, labels] = float(value)
            assert re.sub("_(bucket|sum|count)$", "", name) in kinds or name in kinds
    count = "wholeroad_http_requests_total"
    assert samples[count, '{method="POST",route="/v1/decisions",status="200"}'] == 2
    assert samples[count, '{method="POST",route="/v1/decisions",status="422"}'] == 1
    assert samples[count, '{method="GET",route="other",status="404"}'] == 1
    assert samples["wholeroad_rows_total", '{source="parcels",status="landed"}'] == 1
    assert samples["wholeroad_cases_total", r'{status="decided",decided_by="status \"quo\""}'] == 2
    assert samples["wholeroad_http_request_duration_seconds_count", '{route="/v1/decisions"}'] == 3
    assert answer.text.endswith("\n")


@given(st.lists(st.floats(0, 20), max_size=30))
@settings(max_examples=50, deadline=None)
def test_law_buckets_hold_all_that_took_no_longer(seconds):
    meter = RequestMeter()
    for each in seconds:
        meter.note("GET", "/", status=200, seconds=each)
    for line in meter.lines():
        if found := re.fullmatch(r'.*_bucket\{route="/",le="(.*)"\} (\d+)', line):
            assert int(found[2]) == sum(each <= float(found[1].replace("+Inf", "inf")) for each in seconds)


# the end


def test_what_is_in_flight_is_answered_before_the_service_is_closed():
    desk = Desk()
    answers = []
    with served(desk) as ((host, port), server):
        desk.gate.clear()

        def send():
            answers.append(httpx.post(f"http://{host}:{port}{DECIDE}", json={"case": CASE}))

        sender = threading.Thread(target=send)
        sender.start()
        while not desk.commands:
            sender.join(0.01)
        server.should_exit = True
        for _ in range(200):
            try:
                socket.create_connection((host, port), timeout=1).close()
            except ConnectionRefusedError:
                break
            sender.join(0.05)
        else:
            pytest.fail("connections are still accepted")
        assert not desk.closed
        desk.open_gate()
        sender.join(10)
    assert [answer.status_code for answer in answers] == [200]
    assert desk.closed


CHILD = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from http_desk import Desk
from wholeroad.interfaces.http.face import make_app
from open_guard import OpenGuard
from wholeroad.interfaces.http.serving import listen, run, serve, server
from wholeroad.interfaces.http.settings import HttpSettings
desk, settings = Desk(), HttpSettings()
app = make_app(desk, settings=settings, guard=OpenGuard())
one = server(app, settings, started=lambda: print("up", flush=True))
run(serve(one, desk.close, sockets=[listen("127.0.0.1", 0)]))
print("closed" if desk.closed else "left")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a console's signals reach its whole group")
def test_a_signal_ends_it_and_the_service_is_closed():
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGTERM)
        told, _ = child.communicate(timeout=20)
    assert (told, child.returncode) == ("closed\n", 0)


def test_a_setting_out_of_its_bounds_is_refused():
    for wrong in ({"keep_alive_s": 1}, {"keep_alive_s": 76}, {"rows": 0}, {"in_flight": 0}):
        with pytest.raises(ValueError, match=r"keep_alive_s|at least"):
            HttpSettings(**wrong)
