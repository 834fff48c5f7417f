"""What goes wrong beside the answers is told while it lasts: by status, counters and the command line."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys

import jsonschema
from typer.testing import CliRunner

import wholeroad
from http_desk import client
from open_guard import OpenGuard
from service_parcels import BRIEF, OPENED_AT, Form
from service_worlds import HOUR, serving, settled
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.locks import held
from wholeroad.client.answers import StatusAnswer
from wholeroad.client.errors import understood
from wholeroad.core.instants import DAY, format_instant, parse_instant
from wholeroad.engine.service.messages import PutRows
from wholeroad.interfaces.cli.app import app as commands
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.serving import beside
from wholeroad.serving.jobs import Came, Cycle
from wholeroad.serving.processes import OneThread

PARCELS = Form(BRIEF)
ROWS = PARCELS.rows()


class Failing(OneThread):
    """An office whose cycles fail while :attr:`failing` says so."""

    failing = False

    def run(self, job, progress=None):
        if type(self).failing and isinstance(job, Cycle):
            said = {"code": "service.office-died", "headline": "It ended", "happened": "by signal 9"}
            return Came(error={**said, "expected": "an answer", "fix": "none"})
        return super().run(job, progress)


async def asked(service, path):
    async with client(make_app(service, settings=HttpSettings(), guard=OpenGuard())) as http:
        return await http.get(path)


async def status(service):
    """Ask over HTTP, hold the answer against the document, and read it as the client does."""
    told, document = await asked(service, "/v1/status"), (await asked(service, "/openapi.json")).json()
    schema = {"$ref": "#/components/schemas/Status", "components": document["components"]}
    jsonschema.validate(told.json(), schema)
    return understood(told.content, StatusAnswer, status=200, request_id="")


async def failed_jobs(service):
    text = (await asked(service, "/metrics")).text
    return int(re.search(r"^wholeroad_jobs_failed_total (\d+)$", text, re.MULTILINE)[1])


def test_a_cycle_that_fails_is_told_while_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(beside, "RETRY_S", 0.01)
    monkeypatch.setattr(beside, "MOST_RETRY_S", 0.01)
    root, clock, told = PARCELS.begin(tmp_path), SteppedClock(OPENED_AT), []

    async def drive(service):
        assert (await status(service)).trouble is None
        assert await failed_jobs(service) == 0
        Failing.failing = True
        clock.step_to(OPENED_AT + DAY)
        await service.submit(PutRows(ROWS[0].source, [ROWS[0].row]))
        while await failed_jobs(service) < 3:  # noqa: ASYNC110 - nobody tells a test
            await asyncio.sleep(0.01)
        trouble = (await status(service)).trouble
        assert trouble.code == "service.office-died"
        assert "by signal 9" in trouble.happened
        assert "tried again" in trouble.happened
        began = trouble.since_at
        clock.step_to(clock.now() + HOUR)
        await asyncio.sleep(0.05)
        assert (await status(service)).trouble.since_at == began
        assert (await status(service)).cycles_behind == 1
        Failing.failing = False
        await settled(service)
        assert (await status(service)).trouble is None
        assert await failed_jobs(service) == len(told) >= 3

    try:
        serving(root, clock, drive, host=Failing, tell=told.append)
    finally:
        Failing.failing = False


def test_a_clock_that_stands_before_what_is_written_is_told_until_it_is_there_again(tmp_path):
    root, clock = PARCELS.begin(tmp_path), SteppedClock(OPENED_AT + 2 * DAY)

    async def begin(service):
        assert (await status(service)).trouble is None

    serving(root, clock, begin)
    behind = SteppedClock(OPENED_AT)

    async def drive(service):
        await service.submit(PutRows(ROWS[0].source, [ROWS[0].row]))
        told = await status(service)
        assert told.trouble.code == "service.clock-behind"
        assert "2d behind" in told.trouble.happened
        assert format_instant(OPENED_AT + 2 * DAY)[:19] in told.trouble.happened
        assert told.trouble.since_at == told.now
        behind.step_to(OPENED_AT + 2 * DAY + HOUR)
        assert (await status(service)).trouble is None

    serving(root, behind, drive)


def kept(root):
    """Give what a folder holds; SQLite tidies its own files when whoever read them has ended."""
    files = [path for path in root.rglob("*") if path.is_file() and ".sqlite" not in path.name]
    return {path: path.read_bytes() for path in files}, list(wholeroad.open(root).export())


def test_status_beside_a_service_tells_by_its_clock_where_it_is_and_what_it_sees(tmp_path):
    """The service holds the folder: nothing that waits for its lock is advised, and nothing is written."""
    root, clock = PARCELS.begin(tmp_path), SteppedClock(OPENED_AT)

    async def drive(service):
        clock.step_to(OPENED_AT + DAY)
        await service.submit(PutRows(ROWS[0].source, [ROWS[0].row]))
        await settled(service)

    serving(root, clock, drive)
    alone = CliRunner().invoke(commands, ["status", str(root)], env={"COLUMNS": "200"})
    assert alone.exit_code == 0
    assert "not run: wholeroad cycle" in alone.output  # years have passed by the machine's clock
    address, since = "http://127.0.0.1:8765", format_instant(clock.now())
    with held(root / ".wholeroad", purpose=f"the service at {address}", since=since):
        before = kept(root)
        beside_it = CliRunner().invoke(commands, ["status", str(root)], env={"COLUMNS": "200"})
        assert kept(root) == before
    assert beside_it.exit_code == 0, beside_it.output
    assert f"the service at {address}, process {os.getpid()}" in beside_it.output
    assert f"GET {address}/v1/status" in beside_it.output
    assert "wholeroad cycle" not in beside_it.output
    assert re.search(rf"^now +{since[:10]}", beside_it.output, re.MULTILINE)


def test_up_says_so_when_its_clock_stands_before_what_is_written(tmp_path):
    """As after a trial with --at in the future: it serves, and says what that means."""
    ahead = parse_instant("2124-01-14T00:00:00Z")
    root = PARCELS.begin(tmp_path)

    async def begin(service):
        del service

    serving(root, SteppedClock(ahead), begin)
    command = [sys.executable, "-m", "wholeroad", "up", str(root), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}
    ) as up:
        said = []
        for line in up.stdout:
            said.append(line)
            if line.startswith("Token"):
                up.terminate()
    told = "".join(said)
    said_so = r"^Mind that the clock is \d+d behind what is written down: .*2124-01-14"
    assert re.search(said_so, told, re.MULTILINE)
    assert "service.clock-behind" in told
    assert wholeroad.open(root).status().now >= ahead
