"""A service that could not write, or met a fault, begins again from the disk, and loses nothing."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import polars as pl
import pytest

import wholeroad
from service_worlds import as_json, begun, replayed, serving, settled
from test_live import QUICK
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import Fault, FaultsError, TryLaterError, UserError
from wholeroad.core.instants import DAY
from wholeroad.engine.service.messages import Decide
from wholeroad.serving import beside
from wholeroad.serving import service as module
from wholeroad.serving.beside import raised
from wholeroad.serving.jobs import Cycle, Seal, as_said
from wholeroad.serving.processes import OneThread
from worlds import at, parcels

CASES, OUTCOMES = parcels(days=34, per_day=12)
OPENED_AT = at(days=21.3)
HOUR = DAY // 24


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0.01)


@pytest.fixture
def root(tmp_path):
    return begun(tmp_path, OPENED_AT, brief=QUICK, cases=CASES, outcomes=OUTCOMES)


def case(number):
    (row,) = as_json(CASES[-1:])
    return row | {"parcel_id": number, "sent_at": "2024-01-22T08:00:00Z", "booked_at": "2024-01-22T07:00:00Z"}


async def until(true):
    while not true():  # noqa: ASYNC110 (nobody tells)
        await asyncio.sleep(0.005)


async def ready(service):
    await until(lambda: not service.not_ready())
    await settled(service)


class FullDisk:
    """Stands before a log while there is no space left."""

    def __init__(self, log):
        self.log = log
        self.full = True

    def append(self, record):
        if self.full:
            raise UserError("project.unusable", "Full", happened="the disk was full", expected="", fix="")
        return self.log.append(record)

    def __getattr__(self, name):
        return getattr(self.log, name)


def test_when_there_is_space_again_it_goes_on_and_what_was_refused_can_be_sent_again(root):
    clock, told = SteppedClock(OPENED_AT), []

    async def drive(service):
        await settled(service)
        clock.step_to(OPENED_AT + HOUR)
        first = await service.submit(Decide([case(9001)]))
        disk = service._log = FullDisk(service._log)
        asked = [service.submit(Decide([case(number)])) for number in (9002, 9003, 9001)]
        refused = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(each) for each in refused} == {TryLaterError}
        assert "the disk was full" in service.not_ready()
        disk.full = False
        await ready(service)
        again = await service.submit(Decide([case(9002), case(9001)]))
        assert [each.first for each in again.cases] == [True, False]
        assert again.cases[1].decided_at == first.cases[0].decided_at
        assert await service.decision(first.cases[0].decision_id) is not None
        clock.step_to(OPENED_AT + 2 * DAY)  # and cycles go on
        await ready(service)
        assert service.measured().cycles == 2

    serving(root, clock, drive, tell=told.append)
    assert told == [
        "what came in could not be written: the disk was full; it begins again from what is on the disk",
        "it goes on",
    ]
    decided = wholeroad.open(root, clock=clock).decisions()["parcel_id"].to_list()
    assert {9001, 9002} <= {*decided}
    assert 9003 not in decided
    assert len(decided) == len({*decided})
    assert replayed(root, clock).equal


def test_a_cycle_that_could_not_be_noted_is_done_when_it_goes_on(root):
    clock = SteppedClock(OPENED_AT)

    async def drive(service):
        await settled(service)
        disk = service._log = FullDisk(service._log)
        clock.step_to(OPENED_AT + DAY)
        await until(service.not_ready)
        disk.full = False
        await ready(service)
        assert service.front.next_cycle_at > clock.now()

    serving(root, clock, drive, tell=lambda _: None)
    assert replayed(root, clock).equal
    assert wholeroad.open(root, clock=clock).status().decided_until > OPENED_AT + DAY // 2


def test_a_fault_of_ours_costs_the_requests_of_its_group_and_no_more(root):
    clock, told = SteppedClock(OPENED_AT), []

    async def drive(service):
        await settled(service)
        clock.step_to(OPENED_AT + HOUR)

        def step(*_, **__):
            raise ZeroDivisionError

        service.front.step = step
        with pytest.raises(TryLaterError):
            await service.submit(Decide([case(9001)]))
        await ready(service)
        (answer,) = (await service.submit(Decide([case(9001)]))).cases
        assert (answer.status, answer.first) == ("decided", True)

    serving(root, clock, drive, tell=told.append)
    assert "ZeroDivisionError" in told[0]
    assert replayed(root, clock).equal


def test_it_can_be_closed_while_it_cannot_write(root):
    clock = SteppedClock(OPENED_AT)

    async def drive(service):
        clock.step_to(OPENED_AT + HOUR)
        await service.submit(Decide([case(9001)]))
        service._log = FullDisk(service._log)
        with pytest.raises(TryLaterError):
            await service.submit(Decide([case(9002)]))

    serving(root, clock, drive, tell=lambda _: None)
    serving(root, clock, settled)
    decided = wholeroad.open(root, clock=clock).decisions()["parcel_id"].to_list()
    assert 9001 in decided
    assert 9002 not in decided
    assert replayed(root, clock).equal


def test_whatever_goes_wrong_beside_the_answers_is_tried_again(root, monkeypatch):
    monkeypatch.setattr(beside, "RETRY_S", 0.01)
    clock, told, failed = SteppedClock(OPENED_AT), [], []

    class Office(OneThread):
        def run(self, job, progress=None):
            if isinstance(job, Cycle | Seal) and len(failed) < 3:
                failed.append(job)
                raise OSError("no more processes")
            return super().run(job, progress)

    async def drive(service):
        await settled(service)
        clock.step_to(OPENED_AT + DAY)
        await settled(service)
        assert service.measured().cycles == 1
        service._beside.durable(service.front.at, cycles=[], came=[], full=True)
        await settled(service)

    serving(root, clock, drive, tell=told.append, host=Office)
    assert len(failed) == len(told) == 3
    assert replayed(root, clock).equal


def test_it_ends_also_when_what_is_under_way_fails_meanwhile(root):
    clock, began, goes_on = SteppedClock(OPENED_AT), threading.Event(), threading.Event()

    class Office(OneThread):
        def run(self, job, progress=None):
            if isinstance(job, Cycle):
                began.set()
                goes_on.wait(10)
                raise OSError("no more processes")
            return super().run(job, progress)

    async def drive(service):
        await settled(service)
        clock.step_to(OPENED_AT + DAY)
        await until(began.is_set)
        asyncio.get_running_loop().call_later(0.1, goes_on.set)  # it is closed before
        closing = service.close
        service.close = lambda: asyncio.wait_for(closing(), 10)

    serving(root, clock, drive, tell=lambda _: None, host=Office)
    assert goes_on.is_set()
    serving(root, clock, settled)
    assert replayed(root, clock).equal


def test_it_ends_also_when_it_is_told_to_amid_being_told_of_work(root):
    async def drive(service):
        await settled(service)
        service._beside._work.set()
        await asyncio.sleep(0)
        await asyncio.wait_for(service._beside.close(None), 10)

    serving(root, SteppedClock(OPENED_AT), drive)


def test_a_case_from_a_file_that_could_not_be_decided_is_refused_at_the_start(tmp_path):
    brief = QUICK.replace("on_time = -9 }", 'on_time = "-9 * weight_kg" }')
    waits = pl.col("sent_at").to_physical() > OPENED_AT + 2 * HOUR
    unknown = pl.when(waits).then(None).otherwise(pl.col("weight_kg"))
    cases = CASES.with_columns(weight_kg=unknown)
    clock = SteppedClock(OPENED_AT)
    root = begun(tmp_path, OPENED_AT, brief=brief, cases=cases, outcomes=OUTCOMES)
    with pytest.raises(UserError) as refused:
        serving(root, clock, settled)
    assert refused.value.code == "value.null"
    (root / "brief.toml").write_text(brief.replace("* weight_kg", "* coalesce(weight_kg, 1)"))
    serving(root, clock, settled)


SAID = {"happened": "it was so", "expected": "otherwise", "fix": "mend it"}


@pytest.mark.parametrize(
    "error",
    [
        UserError("data.file-missing", "It isn't there", **SAID),
        TryLaterError("project.locked", "It is busy", **SAID),
        FaultsError("It can't be", [Fault("brief.value", f"[{name}]", **SAID) for name in "ab"]),
    ],
)
def test_what_goes_wrong_in_a_process_beside_is_told_as_if_it_went_wrong_here(error):
    told = raised(msgspec.json.decode(msgspec.json.encode(as_said(error))))
    assert type(told) is type(error)
    assert (str(told), told.code, told.exit_code) == (str(error), error.code, error.exit_code)
