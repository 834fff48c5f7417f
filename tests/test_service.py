"""The service on a stepped clock: what it decides is what the rehearsal of its ledger decides."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wholeroad
from service_parcels import BRIEF, ENDS_AT, OPENED_AT, Form
from service_worlds import HOUR, Delivery, replayed, serving, settled
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.engine.service.messages import Decide, PutRows
from wholeroad.serving.service import Service

PARCELS = Form(BRIEF)
ROWS = PARCELS.rows()


async def send(service: Service, batch: list[Delivery]) -> None:
    """Send deliveries at once, each in a command of its own: cases to be decided, the others as rows."""
    commands = [
        Decide([each.row], features=index % 3 == 0)
        if each.source == "parcels"
        else PutRows(each.source, [each.row], outcomes=True)
        for index, each in enumerate(batch)
    ]
    await asyncio.gather(*(service.submit(command) for command in commands))


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    delays=st.lists(st.sampled_from([0, 0, 0, 1, 5, 26, 60]), min_size=30, max_size=30),
    together=st.sampled_from([1, 3, 40]),
    keep_up=st.booleans(),
)
def test_it_decides_what_the_rehearsal_of_its_ledger_decides(tmp_path_factory, delays, together, keep_up):
    """Late, early, corrected, repeated and concurrent deliveries; cycles that keep up or that fall behind."""
    root, clock = PARCELS.begin(tmp_path_factory.mktemp("world")), SteppedClock(OPENED_AT)
    rows = [
        Delivery(each.at + delays[place % 30] * HOUR, each.source, each.row)
        for place, each in enumerate(ROWS)
    ]
    rows += rows[::7]  # again, as retries are
    rows = sorted((each for each in rows if each.at < ENDS_AT), key=lambda each: each.at)

    async def drive(service: Service) -> None:
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            clock.step_to(max(clock.now(), batch[-1].at))
            await send(service, batch)
            if keep_up:
                await settled(service)
        await settled(service)

    serving(root, clock, drive)
    found = replayed(root, clock)
    assert found.equal, found.difference
    assert found.decisions > 40
    decided = wholeroad.open(root, clock=clock).decisions()
    assert decided["parcel_id"].n_unique() == decided.height
    assert keep_up <= ("model" in set(decided["decided_by"]))
