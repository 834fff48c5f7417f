"""The service on a stepped clock: what it decides is what the rehearsal of its ledger decides, to the byte."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wholeroad
from service_worlds import Delivery, begun, deliveries, replayed, serving, settled
from test_live import BRIEF, QUICK
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import RoadError
from wholeroad.engine.service.messages import Decide, DecisionsAnswer, PutRows, RowsAnswer
from wholeroad.serving.service import Service
from worlds import at, corrected, parcels

CASES, OUTCOMES = parcels(days=34, per_day=12)
OUTCOMES = corrected(OUTCOMES)
OPENED_AT = at(days=21.3)


def world(after: int = OPENED_AT) -> list[Delivery]:
    return [
        *deliveries("parcels", CASES, known_at="booked_at", after=after),
        *deliveries("deliveries", OUTCOMES, known_at="reported_at", after=after),
    ]


async def send(service: Service, batch: list[Delivery]) -> None:
    """Send deliveries at once, each in a request of its own: cases to be decided, the others as rows."""
    commands = [
        Decide([each.row], features=index % 3 == 0)
        if each.source == "parcels"
        else PutRows(each.source, [each.row], outcomes=True)
        for index, each in enumerate(batch)
    ]
    await asyncio.gather(*(service.submit(command) for command in commands))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    delays=st.lists(st.sampled_from([0, 0, 0, 1, 5, 26, 200]), min_size=30, max_size=30),
    together=st.sampled_from([1, 3, 40]),
    model=st.booleans(),
    hold=st.booleans(),
)
def test_it_decides_what_the_rehearsal_of_its_ledger_decides(
    tmp_path_factory, delays, together, model, hold
):
    """Late, early, corrected, repeated and concurrent deliveries; cycles that keep up or that fall behind."""
    root = begun(
        tmp_path_factory.mktemp("world"), OPENED_AT, brief=BRIEF if model else QUICK, cases=CASES, outcomes=OUTCOMES
    )
    clock = SteppedClock(OPENED_AT)
    rows = [
        Delivery(each.at + delays[place % 30] * 3_600_000_000, each.source, each.row)
        for place, each in enumerate(world())
    ]
    rows += rows[:: 7]  # again, as retries are
    rows = sorted((each for each in rows if each.at < at(days=33)), key=lambda each: each.at)

    async def drive(service: Service) -> None:
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            clock.step_to(max(clock.now(), batch[-1].at))
            await send(service, batch)
            if not hold:
                await settled(service)
        await settled(service)

    serving(root, clock, drive)
    found = replayed(root, clock)
    assert found.equal, found.difference
    assert found.decisions > 60
    decided = wholeroad.open(root, clock=clock).decisions()
    assert decided["parcel_id"].n_unique() == decided.height
