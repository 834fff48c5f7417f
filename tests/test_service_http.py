"""The service over real HTTP on a stepped clock decides what the rehearsal of its ledger decides, to the byte."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service_worlds import HOUR, Delivery, begun, deliveries, holds, over_http
from test_live import BRIEF
from wholeroad.adapters.clocks import SteppedClock
from worlds import at, corrected, parcels

CASES, OUTCOMES = parcels(days=27, per_day=12)
OUTCOMES = corrected(OUTCOMES)
OPENED_AT, ENDS_AT = at(days=21.3), at(days=25.8)
ROWS = [
    *deliveries("parcels", CASES, known_at="booked_at", after=OPENED_AT),
    *deliveries("deliveries", OUTCOMES, known_at="reported_at", after=OPENED_AT),
]


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    delays=st.lists(st.sampled_from([0, 0, 0, 1, 5, 26, 60]), min_size=30, max_size=30),
    together=st.sampled_from([1, 5, 40]),
    settle=st.booleans(),
)
def test_it_decides_over_http_what_the_rehearsal_of_its_ledger_decides(tmp_path_factory, delays, together, settle):
    """Late, early, corrected, repeated and concurrent deliveries; cycles that keep up or that fall behind."""
    folder = tmp_path_factory.mktemp("world")
    root = begun(folder, OPENED_AT, brief=BRIEF, cases=CASES, outcomes=OUTCOMES)
    clock = SteppedClock(OPENED_AT)
    rows = [
        Delivery(each.at + delays[place % 30] * HOUR, each.source, each.row) for place, each in enumerate(ROWS)
    ]
    rows = sorted((each for each in [*rows, *rows[::7]] if each.at < ENDS_AT), key=lambda each: each.at)
    import time; b0=time.time()
    with over_http(root, clock) as running, ThreadPoolExecutor(4) as pool:
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            running.step_to(batch[-1].at)
            if settle:
                running.settle()
            running.send(batch, pool)
        running.step_to(ENDS_AT)
        running.settle()
    print("ran", time.time()-b0)
    assert not running.told
    import time; b=time.time(); found = holds(root, clock, running); import wholeroad; print("holds", running.requests, together, settle, found, wholeroad.open(root, clock=clock).decisions()["decided_by"].value_counts().to_dicts(), running.rows)
    assert found.decisions > 30
