"""The service over real HTTP, on a stepped clock: it decides what the rehearsal of its ledger decides."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wholeroad
from service_parcels import BRIEF, ENDS_AT, OPENED_AT, READINGS, TARIFFS, Form, edited
from service_worlds import HOUR, Delivery, held_back, holds, over_http, stream
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.engine.facts import decode
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted

EXAMPLES = Path(__file__).parents[1] / "examples"
PARCELS = Form(BRIEF)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    delays=st.lists(st.sampled_from([0, 0, 0, 1, 5, 26, 60]), min_size=30, max_size=30),
    midnights=st.booleans(),
    together=st.sampled_from([3, 12, 40]),
    keep_up=st.booleans(),
)
def test_it_decides_over_http_what_the_rehearsal_of_its_ledger_decides(
    tmp_path_factory, delays, midnights, together, keep_up
):
    """Late, early, corrected, repeated and concurrent deliveries; cycles that keep up or that fall behind."""
    root, clock = PARCELS.begin(tmp_path_factory.mktemp("world")), SteppedClock(OPENED_AT)
    corrected = [
        Delivery(each.at + 9 * HOUR, each.source, {**each.row, "delay_h": 50.0 - each.row["delay_h"]})
        for each in PARCELS.rows()[::3]
        if each.source == "deliveries"
    ]
    rows = [
        Delivery(each.at + delays[place % 30] * HOUR, each.source, each.row)
        for place, each in enumerate([*PARCELS.rows(), *corrected])
    ]
    if midnights:  # at the very instants of cycles, too
        rows += [Delivery(each.at // DAY * DAY + DAY, each.source, each.row) for each in rows[::8]]
    rows = sorted((each for each in rows if each.at < ENDS_AT), key=lambda each: each.at)
    with over_http(root, clock) as running, ThreadPoolExecutor(4) as pool:
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            running.step_to(batch[-1].at)
            if keep_up:
                running.settle()
            running.send(batch, pool)
        running.step_to(ENDS_AT)
        running.settle()
    assert not running.told
    found = holds(root, clock, running)
    assert found.decisions > 40


def test_a_machine_that_stops_with_cycles_behind_goes_on_where_it_was(tmp_path):
    """Nothing is closed: what is on the disk is taken as it is, while the office is held up."""
    sums = """
load_6h = { sum = "load", of = "readings", by = "depot", over = "6h" }
least = { min = "load", of = "readings", by = "depot", over = "1d" }
price = { latest = "tariffs.price", by = "depot" }
"""
    form = Form(
        edited(BRIEF + READINGS + TARIFFS, ("[feature]\n", "[feature]\n" + sums)),
        files={"tariffs": pl.DataFrame({"depot": ["A", "B"], "price": [1.0, 2.0]})},
        more=[
            Delivery(OPENED_AT + hours * HOUR, "tariffs", {"depot": "A", "price": float(hours % 3)})
            for hours in range(1, 60, 5)
        ],
    )
    root, clock, rows, answered = form.begin(tmp_path / "begun"), SteppedClock(OPENED_AT), form.rows(), []
    parts = 4
    for part in range(parts):
        some = rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]
        with over_http(root, clock) as running, ThreadPoolExecutor(3) as pool:
            answered.append(running)
            for place in range(0, len(some), 6):
                if place == 12 and part < parts - 1:
                    running.settle()
                    running.gate.clear()
                running.step_to(some[place : place + 6][-1].at)
                running.send(some[place : place + 6], pool)
            if part < parts - 1:
                root = running.copied(tmp_path / f"stopped_{part}")
            else:
                running.settle()
    holds(root, clock, *answered)


@pytest.mark.parametrize(("how", "code"), [("fail", "fit.failed"), ("wait", "fit.cancelled")])
def test_a_fit_that_fails_or_is_stopped_is_a_fact_and_no_outage(how, code, tmp_path):
    clock, rows = SteppedClock(OPENED_AT), PARCELS.rows()
    root = PARCELS.begin(tmp_path)
    with over_http(root, clock, fits=[how]) as running, ThreadPoolExecutor(3) as pool:
        for place in range(0, len(rows), 7):
            running.step_to(rows[place : place + 7][-1].at)
            if how == "wait" and place == 14:
                answer = httpx.post(f"{running.address}/v1/fits/cancel", timeout=30)
                assert answer.json()["cancelled"]
                running.fits.clear()
            if place > 14:
                running.settle()
            running.send(rows[place : place + 7], pool)
        running.settle()
    holds(root, clock, running)
    facts = [decode(line) for line in wholeroad.open(root, clock=clock).export()]
    assert [fact.code for fact in facts if isinstance(fact, FitRefused)] == [code]
    about = [fact for fact in facts if isinstance(fact, FitAsked | FitRefused | ModelFitted)]
    # Whether the next one comes in before the rows end hangs on the cycle at which the first was given up.
    later = about[[isinstance(fact, FitRefused) for fact in about].index(True) + 1 :]
    assert any(isinstance(fact, FitAsked) for fact in later), (about, running.told)


# The examples

KNOWN = {
    "flights": {
        "flights": pl.col("published_at"),
        "arrivals": pl.col("arrived_at"),
        "board": pl.col("shown_at"),
        "weather": pl.col("observed_at") + pl.duration(hours=1),
    },
    "support-desk": {"tickets": pl.col("received_at"), "resolutions": pl.col("recorded_at")},
}
FEW = 'candidates = ["constant", "logistic"]'
CASES = {
    "flights": (
        12,
        "2013-01-10T05:10:00Z",
        34,
        [
            ('first  = "60d"', 'first = "7d"'),
            ('when   = "every 30d"', 'when = "every 1d"'),
            ('candidates = ["constant", "logistic", "lightgbm"]', FEW),
            ("rebook = { late = 120", "rebook = { late = 600"),  # a model earns by days, not months
        ],
    ),
    "support-desk": (
        40,
        "2024-02-07T01:10:00Z",
        60,
        [
            ('first  = "90d"', 'first = "20d"'),
            ('when   = "every 30d"', 'when = "every 1d"'),
            ('matures = "14d"', 'matures = "2d"'),
            ('never_after = "45d"', 'never_after = "8d"'),
            ("when says_error then 'to_technical' when", "when"),
            ("[rehearse]", f"[model]\n{FEW}\n[rehearse]"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_example_in_service_decides_what_the_rehearsal_of_its_ledger_decides(name, tmp_path):
    days, opened, hours, changes = CASES[name]
    build = [sys.executable, str(EXAMPLES / name / "build.py"), "--days", str(days)]
    subprocess.run([*build, "--out", str(tmp_path / "data")], check=True, capture_output=True)
    text = edited((EXAMPLES / name / "brief.toml").read_text("utf-8"), *changes)
    (tmp_path / "brief.toml").write_text(text, "utf-8")
    opened_at = parse_instant(opened)
    rest = held_back(tmp_path / "data", KNOWN[name], opened_at)
    clock = SteppedClock(opened_at)
    with over_http(tmp_path, clock) as running, ThreadPoolExecutor(4) as pool:
        running.most = 400
        for hour in range(2, hours, 4):
            stream(running, rest, until_at=opened_at + hour * HOUR, pool=pool)
            running.settle()
    assert not running.told
    holds(tmp_path, clock, running)
    decisions = wholeroad.open(tmp_path, clock=clock).decisions()
    assert set(decisions["decided_by"]) == {"model", "status quo"}
