"""A service that ends while it is behind with its cycles is ready before they have run, and loses nothing."""

from __future__ import annotations

import asyncio
import io
import shutil
from itertools import pairwise

import pytest
from msgspec import structs
from rich.console import Console

from service_worlds import begun, deliveries, replayed, serving, settled
from test_live import QUICK
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import DAY
from wholeroad.engine.service.messages import Decide, PutRows
from wholeroad.interfaces.cli.operation import show_standing
from wholeroad.project import open_project
from wholeroad.serving import beginning, beside
from wholeroad.serving.jobs import Cycle
from wholeroad.serving.processes import OneThread
from worlds import at, parcels

CASES, OUTCOMES = parcels(days=34, per_day=12)
OPENED_AT = at(days=21.3)
STEP = DAY // 4
CAPACITY = 'status_quo = { action = "pass" }\ncapacity = "3 per day"'


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(beside, "RETRY_S", 0.01)
    monkeypatch.setattr(beginning, "MOST_MISSED", 0)


class Office(OneThread):
    """Runs as many cycles as it may, and fails with all others."""

    may = 0
    ran = 0

    def run(self, job, progress=None):
        """Do a job, unless it is a cycle too many."""
        if isinstance(job, Cycle):
            if Office.ran >= Office.may:
                raise OSError("no cycle now")
            Office.ran += 1
        return super().run(job, progress)


def stream():
    sent = deliveries("parcels", CASES, known_at="booked_at", after=OPENED_AT)
    told = deliveries("deliveries", OUTCOMES, known_at="reported_at", after=OPENED_AT)
    return sorted([*sent, *told], key=lambda each: each.at)


async def deliver(service, clock, rows, until_at):
    """Send rows some hours at a time, half of the cases as cases; gives the ids that were told."""
    said = {}
    for from_at, to_at in pairwise(range(clock.now(), until_at + 1, STEP)):
        clock.step_to(to_at)
        some = [each for each in rows if from_at < each.at <= to_at]
        cases = [each.row for each in some if each.source == "parcels"]
        answers = await asyncio.gather(
            *(service.submit(Decide([row])) for row in cases[::2]),
            service.submit(PutRows("parcels", cases[1::2])),
            service.submit(PutRows("deliveries", [each.row for each in some if each.source == "deliveries"])),
        )
        for answer in answers[:-2]:
            said |= {each.decision_id: each for each in answer.cases}
    return said


async def told(service, names):
    """Give what is told of decisions; what each action was worth is told until they are sealed."""
    found = [await service.decision(name) for name in names]
    return {name: structs.replace(one, expected_values=None) for name, one in zip(names, found, strict=True)}


@pytest.mark.parametrize("brief", [QUICK, QUICK.replace(CAPACITY.partition("\n")[0], CAPACITY)])
@pytest.mark.parametrize("ran", [0, 1, 3])
def test_missed_cycles_run_beside_the_answers_also_after_a_start(tmp_path, brief, ran):
    Office.may, Office.ran = 1, 0  # of the first day
    root = begun(tmp_path, OPENED_AT, brief=brief, cases=CASES, outcomes=OUTCOMES)
    clock, rows, said = SteppedClock(OPENED_AT), stream(), {}

    async def first(service):
        said.update(await deliver(service, clock, rows, OPENED_AT + DAY))
        await settled(service)  # a fit was asked for, and is made: the next cycle takes it
        said.update(await deliver(service, clock, rows, OPENED_AT + 4 * DAY))
        assert service.status().cycles_behind == 3
        said.update(await told(service, list(said)))

    async def again(service):
        assert Office.ran == 1 + done
        assert service.status().cycles_behind == 0  # nobody has looked yet
        assert service.front.settled_at < service.front.at  # so that nothing is sealed beyond them
        assert await told(service, list(said)) == said
        said.update(await deliver(service, clock, rows, clock.now() + 2 * STEP))
        said.update(await told(service, list(said)))
        assert service.status().cycles_behind == 3 - done
        while service.status().fit == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        Office.may += ran
        while Office.ran < Office.may or service.status().cycles_behind > 3 - done - ran:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        said.update(await deliver(service, clock, rows, clock.now() + 2 * STEP))
        said.update(await told(service, list(said)))
        assert {each.decided_by for each in said.values()} >= ({"model"} if ran else {"status quo"})

    async def last(service):
        assert await told(service, list(said)) == said
        Office.may = 1_000
        await settled(service)
        await deliver(service, clock, rows, clock.now() + 2 * DAY)
        await settled(service)

    serving(root, clock, first, host=Office, tell=lambda _: None)
    done = 0
    serving(root, clock, again, host=Office, tell=lambda _: None)
    done = ran
    serving(root, clock, last, host=Office, tell=lambda _: None)
    again_held = replayed(root, clock)
    assert again_held.equal


def test_few_missed_cycles_are_run_before_it_is_ready(tmp_path, monkeypatch):
    monkeypatch.setattr(beginning, "MOST_MISSED", 2)
    Office.may, Office.ran = 0, 0
    root = begun(tmp_path, OPENED_AT, brief=QUICK, cases=CASES, outcomes=OUTCOMES)
    clock, rows, behind = SteppedClock(OPENED_AT), stream(), []

    async def some_days(service):
        await deliver(service, clock, rows, clock.now() + 3 * DAY)
        behind.append(service.status().cycles_behind)

    for _ in range(3):
        serving(root, clock, some_days, host=Office, tell=lambda _: None)
    assert behind == [3, 4, 5]
    Office.may = 1_000
    serving(root, clock, settled, host=Office, tell=lambda _: None)
    assert replayed(root, clock).equal


def test_what_a_killed_service_left_is_told_until_it_is_taken_in(tmp_path):
    Office.may, Office.ran = 1_000, 0
    root = begun(tmp_path, OPENED_AT, brief=QUICK, cases=CASES, outcomes=OUTCOMES)
    clock, rows, killed = SteppedClock(OPENED_AT), stream(), tmp_path / "killed"

    async def amid(service):
        await deliver(service, clock, rows, OPENED_AT + STEP)
        found.append((service.status().decisions, service.status().rows))
        shutil.copytree(root, killed)  # what a kill at this moment leaves on the disk

    found = []
    serving(root, clock, amid, host=Office)
    decided, landed = found[0]
    assert min(decided, landed) > 0
    before = open_project(killed, clock=clock)
    left = before.status()
    assert left.left_over == (landed, decided)
    assert "wholeroad up" in standing_text(left, before.brief)
    assert before.status().left_over == left.left_over  # reading it takes nothing in
    before.cycle()
    after = before.status()
    assert after.left_over == (0, 0)
    assert after.decided == left.decided + decided
    assert "wholeroad up" not in standing_text(after, before.brief)


def standing_text(standing, brief):
    console = Console(width=200, file=io.StringIO())
    show_standing(console, standing, brief=brief)
    return console.file.getvalue()
