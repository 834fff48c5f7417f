"""The short ways of a group give what the long ones give: records, answers, what stands after."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test_live import BRIEF, CASES, OUTCOMES, at, opened
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import RoadError
from wholeroad.core.instants import to_instant
from wholeroad.engine.service.front import Front
from wholeroad.engine.service.messages import Command, Decide, PutRows
from wholeroad.engine.service.records import write as written
from wholeroad.project import open_project
from wholeroad.serving.loading import load_front
from worlds import write

NOW = at(37)
SILENT = 'if_never = "on_time"\nnever_after = "3d"'

BRIEFS = {
    "plain": BRIEF,
    "silence": BRIEF.replace('matures = "2d"', f'matures = "2d"\n{SILENT}'),
    "values of the case": BRIEF.replace("on_time = -9", 'on_time = "0 - weight_kg"'),
    "own windows": BRIEF.replace(
        "[cycle]", 'sent_7d = { count = "weight_kg > 1", of = "parcels", by = "depot", over = "7d" }\n[cycle]'
    ),
    "late is held": BRIEF.replace(
        'decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "status_quo"'
    ),
    "a capacity": BRIEF.replace(
        'status_quo = { action = "pass" }', 'status_quo = { action = "pass" }\ncapacity = "2 per day"'
    ),
    "some left alone": BRIEF.replace(
        "[policy.refit]", '[policy]\nno_action = { action = "pass", share = 0.3 }\n[policy.refit]'
    ),
}


@cache
def folder(name: str) -> Path:
    made = Path(mkdtemp())
    cases = CASES.filter(pl.col("booked_at") <= at(36))
    write(made, cases, OUTCOMES.filter(pl.col("reported_at") <= at(36)), brief=BRIEFS[name])
    for day in (20, 35, 36):
        opened(made, at(day)).cycle()
    return made


def front_of(name: str) -> Front:
    return load_front(open_project(folder(name), clock=SteppedClock(to_instant(NOW))).yard)


def long_ways(front: Front) -> Front:
    """Close the short ways: each command by itself, each case by itself, all through the code for many."""
    landings, deciding = front._landings, front._deciding
    landings.new = lambda *_: None  # type: ignore[method-assign]
    deciding._kernel.plainly = lambda *_, **__: None  # type: ignore[method-assign]
    for features in (deciding.features, deciding._groups):
        if features is not None:
            one = features.of
            features.of_many = lambda cases, *, decided_at, one=one: [  # type: ignore[method-assign]
                one(case, decided_at=decided_at) for case in cases
            ]
    return front


# A few keys, so that they meet; some are known from before, some wait, some are new.
KEYS = st.sampled_from([3, 500, 585, *range(9_000, 9_006)])
SENT = st.sampled_from(["2024-02-06T00:30:00Z", "2024-01-30T00:00:00Z", "2024-02-07T12:00:00Z", "2024-02-06"])
BOOKED = st.sampled_from(["2024-02-05T12:00:00Z", "2024-02-06T00:00:00.000003Z", "2024-02-12T00:00:00Z"])
CASE = st.fixed_dictionaries(
    {
        "parcel_id": KEYS,
        "sent_at": SENT,
        "booked_at": BOOKED,
        "weight_kg": st.sampled_from([0.5, 3, 12.25, None]),
        "depot": st.sampled_from(["A", "B", "C", None]),
    },
)
ODD = st.sampled_from(
    [
        {"parcel_id": None},
        {"parcel_id": "9001"},
        {"weight_kg": "heavy"},
        {"weight_kg": "2.5"},
        {"sent_at": None},
        {"colour": "red"},
    ]
)
SENT_CASE = CASE | st.builds(lambda case, odd: {**case, **odd}, CASE, ODD)
DELIVERY = st.fixed_dictionaries(
    {
        "parcel_id": KEYS,
        "delivered_at": st.just("2024-02-05T22:00:00Z"),
        "reported_at": st.just("2024-02-05T23:00:00Z"),
        "delay_h": st.sampled_from([2.0, 30.0]),
    }
)
DECIDE = st.builds(Decide, st.lists(SENT_CASE, min_size=1, max_size=1), st.booleans())
SEVERAL = st.builds(Decide, st.lists(SENT_CASE, min_size=2, max_size=4), st.just(value=False))
ROWS = st.builds(PutRows, st.just("parcels"), st.lists(SENT_CASE, min_size=1, max_size=3))
TOLD = st.builds(PutRows, st.just("deliveries"), st.lists(DELIVERY, min_size=1, max_size=2), st.booleans())
GROUPS = st.lists(
    st.lists(DECIDE | DECIDE | DECIDE | SEVERAL | ROWS | TOLD, max_size=9), min_size=1, max_size=4
)


def said(front: Front, group: list[Command], now: int) -> tuple[Any, ...]:
    grouped = front.step(group, now=now)
    answers = [
        (each.code, each.happened) if isinstance(each, RoadError) else each for each in grouped.answers
    ]
    return None if grouped.record is None else written(grouped.record), answers


@pytest.mark.parametrize("name", BRIEFS)
@settings(max_examples=5, deadline=None)
@given(
    groups=GROUPS,
    steps=st.lists(st.sampled_from([1, 60_000_000, 40 * 3_600_000_000]), min_size=4, max_size=4),
)
def test_a_group_comes_to_what_it_comes_to_the_long_way(name, groups, steps):
    short, long, now = front_of(name), long_ways(front_of(name)), to_instant(NOW)
    ids = set[str]()
    for group, step in zip(groups, steps, strict=False):
        now += step
        mine = said(short, group, now)
        assert mine == said(long, group, now)
        assert short.waiting_cases == long.waiting_cases
        assert short.next_at() == long.next_at()
        ids |= {case.decision_id for answer in mine[1] for case in getattr(answer, "cases", ())}
    for each in sorted(ids - {""}):
        assert short.find(each) == long.find(each)


@pytest.mark.parametrize("name", ["plain", "silence", "own windows"])
def test_ordinary_cases_go_the_short_ways(name):
    front, now = front_of(name), to_instant(NOW)
    assert front.plan.decider == "model"
    landing = front._landings
    row = {"parcel_id": 9_100, "sent_at": "2024-02-06T00:30:00Z", "booked_at": "2024-02-05T12:00:00Z"}
    row |= {"weight_kg": 3.0, "depot": "A"}
    assert landing.new([row], now) is not None
    model = front.champion()
    values = front._deciding.features.of_many([{**row, "sent_at": now}], decided_at=now)
    assert model is not None
    assert front._deciding._kernel.plainly(front.plan, values, model=model[1]) is not None
