"""A capacity: never more than it allows, one stretch at a time as all at once, and the best of an instant."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.core.instants import DAY, UNITS
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.data.first_come import question_capacity
from wholeroad.road.model.capacity import Room, decide_within, room_for
from wholeroad.road.release.randomising import LeftAlone
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, decide_under

quick = settings(max_examples=150, deadline=None)
NAMES = ("act", "pass", "van")
MODEL = Plan("model", "m")
TABLE = np.array([[8.0, -4.0], [0.0, 0.0], [3.0, -1.0]])


@st.composite
def worlds(draw):
    """Draw cases, many of one instant and of equal gain, in the order of a history: instant, then id."""
    count = draw(st.integers(1, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    dice = np.random.default_rng(seed)
    at = dice.integers(0, draw(st.integers(1, 40)), count).astype(np.int64)
    ids = dice.permutation(10 * count)[:count].astype(np.uint64)
    order = np.lexsort((ids, at))
    risk = dice.integers(0, 5, count) / 4
    capacity = Capacity(draw(st.integers(1, 6)), draw(st.integers(1, 15)))
    return SimpleNamespace(
        at=at[order] + draw(st.integers(0, 30)),
        ids=ids[order],
        held=dice.random(count) < 0.15,
        risk=np.column_stack([risk, 1 - risk]),
        capacity=capacity,
        count=count,
    )


def asked(world, cases, action):
    quo = np.ones(world.count, dtype=np.int8)
    return Asked(
        ids=world.ids[cases],
        values=TableValues(TABLE, {}, len(cases)),
        status_quo=quo[cases],
        held=world.held[cases],
        room=room_for(world.capacity, cases=cases, decided_at=world.at, action=action, status_quo=quo),
    )


def decided(world, plan, stretches):
    """Decide stretch after stretch, each seeing what the earlier ones did."""
    action = np.full(world.count, -1, dtype=np.int8)
    for cases in stretches:
        found = decide_under(
            plan,
            asked(world, cases, action),
            actions=NAMES,
            width=2,
            seed=3,
            score=lambda _model, cases=cases: world.risk[cases],
        )
        action[cases] = found.action
    return action


plans = st.sampled_from([MODEL, Plan("always van"), Plan("random 60%"), Plan("status quo")])


@given(worlds(), plans)
@quick
def test_never_more_cases_of_a_period_than_the_capacity(world, plan):
    action = decided(world, plan, [np.arange(world.count)])
    counts = np.unique(world.at[action != 1] // world.capacity.every, return_counts=True)[1]
    assert (counts <= world.capacity.cases).all()
    assert (action[world.held] == 1).all()


@given(worlds(), plans, st.data())
@quick
def test_one_stretch_at_a_time_is_all_at_once(world, plan, data):
    cuts = data.draw(st.sets(st.sampled_from(sorted(set(world.at.tolist())))))
    places = np.searchsorted(world.at, sorted(cuts)).tolist()
    stretches = [cases for cases in np.split(np.arange(world.count), places) if cases.size]
    whole = decided(world, plan, [np.arange(world.count)])
    assert decided(world, plan, stretches).tolist() == whole.tolist()


@given(worlds(), plans, st.data())
@quick
def test_what_comes_due_later_changes_nothing_before(world, plan, data):
    until = data.draw(st.sampled_from(sorted(set(world.at.tolist()))))
    now = int(np.searchsorted(world.at, until, side="right"))
    whole = decided(world, plan, [np.arange(world.count)])
    assert decided(world, plan, [np.arange(now)])[:now].tolist() == whole[:now].tolist()


@given(worlds())
@quick
def test_the_best_of_an_instant_take_what_is_left_of_the_period(world):
    """The rule read word by word, case after case."""
    expected = TableValues(TABLE, {}, world.count).expected(world.risk)
    action = np.ones(world.count, dtype=int)
    left = {}
    for instant in sorted(set(world.at.tolist())):
        period = instant // world.capacity.every
        due = [n for n in range(world.count) if world.at[n] == instant and not world.held[n]]
        due.sort(key=lambda n: (-max(expected[n]), world.ids[n]))
        for n in due:
            if max(expected[n]) > 0 and left.setdefault(period, world.capacity.cases) > 0:
                left[period] -= 1
                action[n] = int(np.argmax(expected[n]))
    assert decided(world, MODEL, [np.arange(world.count)]).tolist() == action.tolist()


@given(worlds(), st.randoms(use_true_random=False))
@quick
def test_the_order_in_which_cases_of_an_instant_stand_changes_nothing(world, random):
    whole = decided(world, MODEL, [np.arange(world.count)])
    order = list(range(world.count))
    random.shuffle(order)
    order = np.array(sorted(order, key=lambda n: world.at[n]))
    for name in ("at", "ids", "held", "risk"):
        setattr(world, name, getattr(world, name)[order])
    assert decided(world, MODEL, [np.arange(world.count)]).tolist() == whole[order].tolist()


@given(worlds())
@quick
def test_a_capacity_for_everybody_changes_no_decision(world):
    world.capacity = Capacity(world.count, 7)
    cases = np.arange(world.count)
    one = asked(world, cases, np.full(world.count, -1))
    two = Asked(one.ids, one.values, one.status_quo, one.held)
    both = [
        decide_under(MODEL, who, actions=NAMES, width=2, seed=3, score=lambda _model: world.risk)
        for who in (one, two)
    ]
    assert both[0].action.tolist() == both[1].action.tolist()
    assert both[0].expected.tobytes() == both[1].expected.tobytes()


def test_who_finds_no_room_is_expected_to_bring_what_the_status_quo_brings():
    expected = np.array([[5.0, 1.0], [9.0, 2.0]])
    at = np.zeros(2, dtype=np.int64)
    action, money = decide_within(
        expected,
        status_quo=np.ones(2, dtype=np.int8),
        held=np.zeros(2, dtype=bool),
        ids=np.arange(2, dtype=np.uint64),
        room=Room.empty(Capacity(1, DAY), at),
    )
    assert (action.tolist(), money.tolist()) == ([1, 0], [1.0, 9.0])


def test_a_random_dummy_picks_among_the_cases_of_an_instant_by_chance():
    count = 4_000
    ids = np.arange(count, dtype=np.uint64)
    quo = np.ones(count, dtype=np.int8)
    at = np.zeros(count, dtype=np.int64)
    free = Asked(
        ids=ids,
        values=TableValues(TABLE, {}, count),
        status_quo=quo,
        held=np.zeros(count, dtype=bool),
        room=Room.empty(Capacity(1_000, DAY), at),
    )
    taken = decide_under(Plan("always act"), free, actions=NAMES, width=2, seed=3, score=lambda _: None)
    assert (taken.action == 0).sum() == 1_000
    assert np.flatnonzero(taken.action == 0).mean() == pytest.approx(2_000, abs=120)


@given(worlds(), st.data())
@quick
def test_who_is_left_alone_by_chance_keeps_a_place_in_the_capacity(world, data):
    rule, quo = LeftAlone(action=1, share=0.4), np.ones(world.count, dtype=np.int8)

    def decided_in(stretches):
        action, propensity = np.full(world.count, -1, dtype=np.int8), np.ones(world.count)
        for cases in stretches:
            room = room_for(
                world.capacity,
                cases=cases,
                decided_at=world.at,
                action=action,
                status_quo=quo,
                propensity=propensity,
            )
            found = decide_under(
                MODEL,
                replace(asked(world, cases, action), room=room, left_alone=rule),
                actions=NAMES,
                width=2,
                seed=3,
                score=lambda _model, cases=cases: world.risk[cases],
            )
            action[cases], propensity[cases] = found.action, found.propensity
        return action, propensity

    at = data.draw(st.sampled_from(sorted(set(world.at.tolist()))))
    whole, propensity = decided_in([np.arange(world.count)])
    parts = [
        cases for cases in np.split(np.arange(world.count), [np.searchsorted(world.at, at)]) if cases.size
    ]
    assert decided_in(parts)[0].tolist() == whole.tolist()
    never_alone = decided(world, MODEL, [np.arange(world.count)])
    assert never_alone[propensity == 1].tolist() == whole[propensity == 1].tolist()


# the check


def history(at, capacity, decide_at="sent_at - 1h"):
    brief = SimpleNamespace(
        worth=SimpleNamespace(capacity=capacity), case=SimpleNamespace(decide_at=decide_at)
    )
    return SimpleNamespace(
        brief=brief, timeline=SimpleNamespace(decided_at=np.sort(np.array(at, dtype=np.int64)))
    )


@pytest.mark.parametrize("every", [UNITS["h"], DAY, 7 * DAY, 90 * UNITS["min"]])
@pytest.mark.parametrize("decide_at", ["sent_at", "sent_at - 1h"])
@given(st.lists(st.integers(10**15, 2 * 10**15), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_the_mend_of_first_come_lets_a_period_come_due_together(every, decide_at, sent):
    at = [DAY * 9 + second for second in range(5)]
    (finding,) = question_capacity(history(at, Capacity(2, every), decide_at))
    assert finding.code == "check.capacity-first-come"
    start, end = finding.fix.split('"')[1::2]
    stamps = pl.Series("sent_at", sent).cast(pl.Datetime("us", "UTC"))
    for text, later in ((start, 0), (end, every)):
        bound = bind(text.removeprefix("decide_at = "), {"sent_at": stamps.dtype}, where="decide_at")
        due = stamps.to_frame().select(bound.polars.alias("due"))["due"].to_physical().to_list()
        own = [one - (UNITS["h"] if "1h" in decide_at else 0) for one in sent]
        assert due == [one // every * every + later for one in own]


def test_first_come_is_no_matter_where_cases_come_due_together_or_there_is_room():
    together = [DAY * (1 + n // 5) for n in range(50)]
    assert not list(question_capacity(history(together, Capacity(2, DAY))))
    scattered = [DAY + 3_600_000_000 * n for n in range(50)]
    assert not list(question_capacity(history(scattered, Capacity(24, DAY))))
    assert list(question_capacity(history(scattered, Capacity(23, DAY))))
    assert not list(question_capacity(history(scattered, None)))
