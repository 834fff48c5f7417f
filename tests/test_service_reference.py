"""The pages about the service and its client name every route, role, limit, metric and field; no others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

from wholeroad.client import Client, answers
from wholeroad.engine.service.messages import CaseStatus, Measured, RowStatus
from wholeroad.interfaces.http import v2
from wholeroad.interfaces.http.answers import CaseLine
from wholeroad.interfaces.http.endpoints import routes
from wholeroad.interfaces.http.exchange import Load
from wholeroad.interfaces.http.guard import OPEN, may
from wholeroad.interfaces.http.metrics import RequestMeter, exposition
from wholeroad.interfaces.http.requests_log import LogLine
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.tokens import ROLES
from wholeroad.serving.service import MOST_HOT, MOST_QUEUED

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
SERVICE = (REFERENCE / "service.md").read_text("utf-8")
CLIENT = (REFERENCE / "client.md").read_text("utf-8")
VERSIONS = "/versions/{version}"


def section(heading: str, text: str = SERVICE) -> str:
    """Give what stands under a heading."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n.*?(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[0]


def first_cells(text: str) -> list[str]:
    return [line.split(" | ")[0].strip("| ") for line in text.splitlines() if line.startswith("| ")]


def named(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def offered() -> set[str]:
    nobody: Any = SimpleNamespace()
    settings = HttpSettings()
    every = [*routes(nobody, settings, load=Load(1)), *v2.routes(nobody)]
    paths = {(method, route.path) for route in every for method in route.methods or () if method != "HEAD"}
    return {f"{method} {path}" for method, path in paths if VERSIONS not in path and path != "/v2/"}


def told() -> Mapping[str, str]:
    """Give what the table of the routes says of who may."""
    rows = [line for line in section("Routes").splitlines() if line.startswith("| `")]
    return {name: row.split(" | ")[-1] for row in rows for name in re.findall(r"`([A-Z]+ /\S*)`", row)}


def test_every_route_is_in_the_reference_and_no_other():
    assert told().keys() == offered()


def test_who_may_is_what_the_guard_says():
    for route, says in told().items():
        if route in OPEN:
            assert "anybody" in says, route
            continue
        let_in = {role for role in ROLES if role != "owner" and may(role, route)}
        said = set(ROLES) - {"owner"} if "any token" in says else set(re.findall(r"sender|reviewer", says))
        assert said == let_in, route


def test_every_status_and_field_of_an_answer_is_told():
    decisions, rows = (
        section("`POST /v1/decisions`"),
        section("`POST /v1/rows/{source}` and `POST /v1/outcomes`"),
    )
    cells = first_cells(decisions)
    assert {*get_args(CaseStatus)} <= named(cells)
    assert {*CaseLine.__struct_fields__} == named(cells) - {*get_args(CaseStatus)}
    assert {*get_args(RowStatus)} == named(first_cells(rows)) - {"status"}


def test_every_metric_is_in_the_reference_and_no_other():
    nothing = Measured({}, {}, *[0] * 11)
    meter = RequestMeter()
    names = re.findall(r"^# TYPE (\S+)", exposition(nothing, meter, in_flight=0).decode(), re.MULTILINE)
    assert named(first_cells(section("Metrics"))) == {*names}


def test_every_field_of_the_log_is_in_the_reference_and_no_other():
    assert named(first_cells(section("The log"))) == {*LogLine.__struct_fields__}


def test_the_limits_are_those_that_are_kept():
    limits, settings = section("Limits"), HttpSettings()
    numbers = re.findall(r"\d[\d,]*", limits)
    said = {int(number.replace(",", "")) for number in numbers}
    kept = {each.name: getattr(settings, each.name) for each in fields(settings) if each.name != "log"}
    kept |= {name: kept[name] >> 20 for name in ("body_bytes", "bodies_bytes")} | {"head_bytes": 10}
    assert {int(value) for value in kept.values()} | {MOST_QUEUED, v2.MOST_ROWS} == said
    assert f"{settings.head_bytes >> 10} KiB" in section("Errors")
    assert f"{MOST_HOT:,} rows" in section("Durability")


def test_every_call_of_the_client_is_in_its_page_and_no_other():
    calls = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if name[0] != "_"}
    cells = " ".join(first_cells(CLIENT))
    assert set(re.findall(r"`\.(\w+)\(", cells)) == calls - {"close"}
    given = set(re.findall(r"(\w+)=?", re.search(r"`Client\((.*?)\)`", cells)[1])) - {"10", "5", "0", "1"}
    assert given == {*inspect.signature(Client).parameters}
    assert {*answers.CaseAnswer.__struct_fields__} == {*CaseLine.__struct_fields__}
