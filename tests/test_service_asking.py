"""A command may be handed in with a call back: it is told what one who waits is told, once it is durable."""

from __future__ import annotations

import asyncio

import pytest

from service_worlds import begun, serving, settled
from test_live import QUICK
from test_service_recovery import CASES, HOUR, OPENED_AT, OUTCOMES, FullDisk, case
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import RoadError, TryLaterError
from wholeroad.engine.service.messages import Decide, PutRows

UNKNOWN = PutRows("nothing", [{"a": 1}])


@pytest.fixture
def root(tmp_path):
    return begun(tmp_path, OPENED_AT, brief=QUICK, cases=CASES, outcomes=OUTCOMES)


def asked(root, drive):
    clock = SteppedClock(OPENED_AT)

    async def driven(service):
        await settled(service)
        clock.step_to(OPENED_AT + HOUR)
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: raised.append(context["exception"])
        )
        await drive(service)

    raised = []
    serving(root, clock, driven)
    return raised


def fails(_):
    raise ZeroDivisionError


def test_whoever_calls_back_is_told_what_whoever_waits_is_told_and_a_fault_of_one_is_its_own(root):
    told = []

    async def drive(service):
        log, durable = service._log, []
        append = log.append
        log.append = lambda data: durable.append(append(data))
        service.ask(Decide([case(9001)]), fails)
        service.ask(Decide([case(9001)]), lambda answer: told.append((answer, len(durable))))
        service.ask(UNKNOWN, lambda answer: told.append((answer, len(durable))))
        assert told == []
        waited = await service.submit(Decide([case(9001)]))
        (first, before), (refused, _) = told
        assert before == 1
        assert (first.cases[0].status, first.cases[0].decided_at) == ("decided", waited.cases[0].decided_at)
        assert isinstance(refused, RoadError)
        with pytest.raises(type(refused)) as again:
            await service.submit(UNKNOWN)
        assert again.value.code == refused.code

    assert [type(each) for each in asked(root, drive)] == [ZeroDivisionError]


def test_what_could_not_be_written_is_told_and_what_is_not_taken_in_is_raised(root):
    told = []

    async def drive(service):
        disk = service._log = FullDisk(service._log)
        service.ask(Decide([case(9001)]), told.append)
        with pytest.raises(TryLaterError):
            await service.submit(Decide([case(9002)]))
        assert [type(each) for each in told] == [TryLaterError]
        with pytest.raises(TryLaterError):
            service.ask(Decide([case(9003)]), told.append)
        assert len(told) == 1
        disk.full = False

    asked(root, drive)
