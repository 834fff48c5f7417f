"""What runs from cron is what is rehearsed: whenever it runs, whatever is killed, to the byte."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wholeroad
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY, to_instant
from wholeroad.project import Project
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.watch.facts import SpanDecided
from worlds import BRIEF, START, corrected, parcels, write

BRIEF = BRIEF.replace("late = 8, on_time = -4", "late = 40, on_time = -9")
QUICK = BRIEF.replace('candidates = ["constant", "logistic"]', 'candidates = ["constant"]')
CASES, OUTCOMES = parcels(days=40, per_day=16)
OUTCOMES = corrected(OUTCOMES)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def deliver(folder: Path, now: datetime, brief: str = QUICK) -> Path:
    """Write what a nightly dump would hold: everything that is known by now."""
    known = CASES.filter(pl.col("booked_at") <= now), OUTCOMES.filter(pl.col("reported_at") <= now)
    return write(folder, *known, brief=brief)


def opened(folder: Path, now: datetime) -> Project:
    return wholeroad.open(folder, clock=SteppedClock(to_instant(now)))


def facts_of(project: Project) -> list[bytes]:
    return list(project.export())


# Laws


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(0.01, 4.0), min_size=1, max_size=9), st.floats(15, 30))
def test_whenever_it_runs_it_decides_what_the_rehearsal_of_its_ledger_decides(tmp_path_factory, waits, begin):
    folder = tmp_path_factory.mktemp("live")
    now = at(begin)
    opened(deliver(folder, now), now).land()
    for wait in waits:
        now += timedelta(days=wait)
        opened(deliver(folder, now), now).cycle()
    project = opened(folder, now)
    replayed = project.replay()
    assert replayed.difference == ""
    assert replayed.decisions == project.decisions().height
    assert project.decisions().height == project.decisions()["parcel_id"].n_unique()


@settings(max_examples=8, deadline=None)
@given(st.lists(st.floats(0.01, 6.0), min_size=1, max_size=6))
def test_one_run_that_catches_up_decides_as_many_runs_do(tmp_path_factory, waits):
    """Everything has landed before: only the runs differ."""
    often, once = tmp_path_factory.mktemp("often"), tmp_path_factory.mktemp("once")
    now = at(22)
    for folder in (often, once):
        opened(write(folder, CASES, OUTCOMES, brief=QUICK), now).cycle()
    for wait in waits:
        now += timedelta(days=wait)
        opened(often, now).cycle()
    opened(once, now).cycle()
    many, one = (opened(folder, now).decisions().drop("span") for folder in (often, once))
    assert many.equals(one)


def test_it_decides_what_a_rehearsal_of_what_landed_decides(tmp_path):
    folder, now = tmp_path, at(24)
    for night in range(12):
        now = at(24 + night)
        opened(deliver(folder, now, BRIEF), now).cycle()
    project = opened(folder, now)
    live = project.decisions().drop("span")
    rehearsed = project.rehearse("every 10d", from_at=at(24), to_at=now + timedelta(microseconds=1))
    assert rehearsed.decisions("every 10d").drop("span").equals(live)
    assert set(live["decided_by"]) == {"status quo", "model"}
    assert project.replay().equal


# Examples


def test_a_second_run_at_the_same_instant_finds_nothing_to_do(tmp_path):
    now = at(25)
    project = opened(deliver(tmp_path, now), now)
    project.cycle()
    ledger, decisions = facts_of(project), project.decisions()
    answered = opened(tmp_path, now).cycle()
    assert answered.facts == ()
    assert facts_of(project) == ledger
    assert project.decisions().equals(decisions)


def test_rows_that_land_while_the_clock_stands_still_are_known_after_what_was_decided(tmp_path):
    now = at(25)
    project = opened(deliver(tmp_path, now), now)
    project.cycle()
    deliver(tmp_path, at(26))
    for _ in range(3):
        opened(tmp_path, now).cycle()
    assert opened(tmp_path, at(27)).cycle().state.decided > 0
    assert opened(tmp_path, at(27)).replay().equal


def test_a_clock_that_goes_back_changes_nothing_that_was_decided(tmp_path):
    project = opened(deliver(tmp_path, at(25)), at(25))
    project.cycle()
    before = project.decisions()
    deliver(tmp_path, at(26))
    opened(tmp_path, at(20)).cycle()
    assert opened(tmp_path, at(20)).decisions()[: before.height].equals(before)
    assert opened(tmp_path, at(20)).replay().equal


def test_cases_are_answered_once_and_those_that_are_not_due_are_accepted(tmp_path):
    opened(deliver(tmp_path, at(25)), at(25)).cycle()
    waiting = CASES.filter(pl.col("sent_at").is_between(at(27), at(29)))
    first, _ = opened(tmp_path, at(26)).decide(waiting)
    assert set(first["status"]) == {"accepted"}
    due = waiting.select(pl.max_horizontal("booked_at", pl.col("sent_at").dt.offset_by("-1h")))
    assert first["due_at"].to_list() == due.to_series().to_list()
    assert first["action"].null_count() == waiting.height
    then, _ = opened(tmp_path, at(30)).decide(waiting)
    assert set(then["status"]) == {"decided"}
    again, answered = opened(tmp_path, at(31)).decide(pl.concat([waiting, waiting]))
    assert again.equals(then)
    assert then["parcel_id"].to_list() == waiting["parcel_id"].to_list()
    assert opened(tmp_path, at(31)).replay().equal
    assert answered.state.decided >= waiting.height


def test_a_case_that_is_posted_after_its_time_is_decided_when_it_lands(tmp_path):
    opened(deliver(tmp_path, at(25)), at(25)).cycle()
    late = CASES.filter(pl.col("sent_at") < at(25.9), pl.col("booked_at") > at(25))
    found, _ = opened(tmp_path, at(26)).decide(late)
    assert set(found["status"]) == {"decided"}
    assert set(found["due_at"]) == {at(26)}


def test_what_was_due_before_the_first_run_is_history(tmp_path):
    old = CASES.filter(pl.col("sent_at") < at(20))
    project = opened(deliver(tmp_path, at(25)), at(25))
    found, _ = project.decide(old)
    assert set(found["status"]) == {"history"}
    assert found["action"].null_count() == old.height


def test_a_changed_brief_comes_into_force_and_its_models_are_made_anew(tmp_path):
    for night in range(22, 30):
        opened(deliver(tmp_path, at(night), BRIEF), at(night)).cycle()
    assert opened(tmp_path, at(29)).status().model is not None
    changed = BRIEF.replace('hour = { expression = "local_hour(sent_at)" }\n', "")
    answered = opened(deliver(tmp_path, at(30), changed), at(30)).cycle()
    assert answered.state.plan.model is None
    last = opened(deliver(tmp_path, at(32), changed), at(32)).cycle()
    assert any(isinstance(fact, ModelFitted) for fact in last.facts)
    decisions = opened(tmp_path, at(32)).decisions()
    assert decisions["parcel_id"].is_unique().all()
    with pytest.raises(UserError, match=r"live\.several-briefs"):
        opened(tmp_path, at(32)).replay()


def test_status_tells_what_is_in_charge_due_and_late(tmp_path):
    project = opened(deliver(tmp_path, at(25), BRIEF), at(25))
    project.land()
    assert project.status().opened_at is None
    for night in (29, 30, 31):
        opened(deliver(tmp_path, at(night), BRIEF), at(night)).cycle()
    now = opened(tmp_path, at(34.5)).status()
    assert now.model is not None
    assert now.cycles_due == 3
    assert now.cases_due > 0
    assert now.outcomes_late > 0
    assert now.next_fit_at is not None
    assert now.next_fit_at % (10 * DAY) == 0
    fresh = opened(deliver(tmp_path, at(35), BRIEF), at(35))
    fresh.cycle()
    after = fresh.status()
    assert (after.cycles_due, after.cases_due) == (0, 0)
    assert after.decided == fresh.decisions().height
    assert after.settled > 0


def test_what_was_never_run_has_no_decisions(tmp_path):
    project = opened(deliver(tmp_path, at(25)), at(25))
    for ask in (project.decisions, project.replay):
        with pytest.raises(UserError, match=r"live\.never-ran"):
            ask()


CAPACITY = BRIEF.replace('unit = "EUR"', 'unit = "EUR"\ncapacity = "3 per day"')
ACTING = BRIEF.replace('depends_on_action = "no"', 'depends_on_action = "yes"').replace(
    "[policy.refit]", '[policy.no_action]\naction = "pass"\nshare = 0.3\n\n[policy.refit]'
)


@pytest.mark.parametrize("brief", [CAPACITY, ACTING])
def test_capacity_and_chance_are_kept_across_runs_at_any_time_of_day(tmp_path, brief):
    now = at(24)
    for hours in (0, 11, 25, 40, 41, 66, 90, 99, 130, 170):
        now = at(24 + hours / 24)
        opened(deliver(tmp_path, now, brief), now).cycle()
    project = opened(tmp_path, now)
    replayed, decisions = project.replay(), project.decisions()
    assert replayed.difference == ""
    acted = decisions.filter(pl.col("action") == "express")
    if brief is CAPACITY:
        per_day = acted.group_by(pl.col("decided_at").dt.truncate("1d")).len()["len"]
        assert per_day.max() == 3
    else:
        model = decisions.filter(pl.col("decided_by") == "model")
        assert set(model["propensity"].round(6)) <= {0.3, 0.7, 1.0}
        assert project.history().logged is not None


def test_a_source_that_is_read_another_way_brings_its_history_along(tmp_path):
    opened(deliver(tmp_path, at(25), BRIEF), at(25)).cycle()
    zone = BRIEF.replace('timezone = "Europe/Vienna"', 'timezone = "Europe/Lisbon"')
    project = opened(deliver(tmp_path, at(26), zone), at(26))
    project.cycle()
    known = project.versions("parcels").frame["_known_at"]
    assert (known < at(25)).sum() > 300


def test_a_case_may_be_decided_as_soon_as_it_is_known(tmp_path):
    brief = BRIEF.replace('decide_at = "sent_at - 1h"', 'decide_at = "known"\nif_late = "status_quo"')
    assert read_brief(brief).case.decide_at == "known"
    opened(deliver(tmp_path, at(25), brief), at(25)).cycle()
    fresh = CASES.filter(pl.col("booked_at").is_between(at(25), at(26), closed="right"))
    found, _ = opened(tmp_path, at(26)).decide(fresh)
    assert set(found["status"]) == {"decided"}
    assert set(found["due_at"]) == {at(26)}
    project = opened(tmp_path, at(26))
    assert project.replay().equal
    assert not project.history().held.any()


class TickingClock:
    """A clock that moves on by a second whenever it is asked, as a real one does."""

    def __init__(self, begin: datetime) -> None:
        self._at = to_instant(begin)

    def now(self) -> int:
        self._at += 1_000_000
        return self._at


def test_a_case_that_is_decided_when_it_lands_sees_what_landed_with_it(tmp_path):
    brief = BRIEF.replace('decide_at = "sent_at - 1h"', 'decide_at = "known"').replace(
        "[cycle]", 'news = { count = "*", of = "deliveries", over = "6h", on = "known" }\n[cycle]'
    )
    wholeroad.open(deliver(tmp_path, at(25), brief), clock=TickingClock(at(25))).cycle()
    project = wholeroad.open(deliver(tmp_path, at(25.5), brief), clock=TickingClock(at(25.5)))
    project.cycle()
    came = project.versions("deliveries").frame.filter(pl.col("_first_known_at") > at(25.4))
    history = project.history()
    mine = history.cases.frame["_decided_at"] > at(25.4)
    assert came.height > 0
    assert set(history.features.frame.filter(mine)["news"]) == {came["parcel_id"].n_unique()}


def test_a_model_in_charge_whose_file_is_gone_is_made_again(tmp_path):
    for night in (29, 30, 31):
        opened(deliver(tmp_path, at(night), BRIEF), at(night)).cycle()
    assert opened(tmp_path, at(31)).status().model is not None
    shutil.rmtree(tmp_path / ".wholeroad" / "blobs")
    answered = opened(deliver(tmp_path, at(31.5), BRIEF), at(31.5)).cycle()
    assert {fact.decider for fact in answered.facts if isinstance(fact, SpanDecided)} == {"model"}
    assert opened(tmp_path, at(31.5)).replay().equal


def test_new_cases_needn_t_bring_what_only_their_outcome_tells(tmp_path):
    """One file tells of cases and outcomes, as an export does; tomorrow's cases have no outcome yet."""
    both = CASES.join(OUTCOMES.unique("parcel_id", keep="first"), on="parcel_id").rename({"delay_h": "hours"})
    brief = BRIEF.replace("delay_h", "hours").replace("deliveries.parquet", "parcels.parquet")
    write(tmp_path, both.filter(pl.col("reported_at") <= at(25)), OUTCOMES, brief=brief)
    opened(tmp_path, at(25)).cycle()
    tomorrow = CASES.filter(pl.col("booked_at") <= at(25.5), pl.col("sent_at") > at(25.6))
    found, answered = opened(tmp_path, at(25.5)).decide(tomorrow)
    assert set(found["status"]) == {"accepted"}
    assert [fact.quarantined for fact in answered.facts if isinstance(fact, BatchLanded)] == [0]
    with pytest.raises(UserError, match=r"data\.column-missing"):
        opened(tmp_path, at(25.5)).decide(tomorrow.drop("weight_kg"))
