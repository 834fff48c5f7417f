"""Remedies, limits and appeals from cron: what runs is what is rehearsed, and what people said stays."""

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
from wholeroad.core.instants import to_instant
from wholeroad.engine.facts import decode
from wholeroad.project import Project
from wholeroad.road.release.facts import PromotionStopped
from wholeroad.road.watch.facts import LimitsWatched
from worlds import BRIEF, START, corrected, parcels, write

FAIR = """
[fairness]
least_cases = 10
watch_every = "3d"
appeals_to = "the parcel desk"
answered_within = "14d"
[fairness.groups]
depot = { column = "depot" }
heavy = { expression = "case when weight_kg > 6 then 'heavy' else 'light' end" }
[[fairness.limits]]
group = "depot"
measure = "selection_rate"
difference_at_most = 0.9
[[fairness.remedies]]
kind = "thresholds"
group = "depot"
equal = "selection_rate"
within = 0.1
[[fairness.remedies]]
kind = "reweigh"
group = "heavy"
[[fairness.remedies]]
kind = "abstain"
group = "heavy"
below = 0.5
"""
BRIEF = BRIEF.replace("late = 8, on_time = -4", "late = 40, on_time = -9") + FAIR
CASES, OUTCOMES = parcels(days=40, per_day=24)
OUTCOMES = corrected(OUTCOMES)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def deliver(folder: Path, now: datetime, brief: str = BRIEF) -> Path:
    known = CASES.filter(pl.col("booked_at") <= now), OUTCOMES.filter(pl.col("reported_at") <= now)
    return write(folder, *known, brief=brief)


def opened(folder: Path, now: datetime) -> Project:
    return wholeroad.open(folder, clock=SteppedClock(to_instant(now)))


def facts(project: Project) -> list[object]:
    return [decode(line) for line in project.export()]


@settings(max_examples=3, deadline=None)
@given(st.lists(st.floats(0.3, 4.0), min_size=3, max_size=6))
def test_whenever_it_runs_limits_and_remedies_do_what_the_rehearsal_of_the_ledger_does(
    tmp_path_factory: pytest.TempPathFactory, waits: list[float]
) -> None:
    folder, now = tmp_path_factory.mktemp("live"), at(22)
    opened(deliver(folder, now), now).cycle()
    for wait in waits:
        now += timedelta(days=wait)
        opened(deliver(folder, now), now).cycle()
    project = opened(folder, now)
    assert project.replay().difference == ""


def test_live_runs_look_at_limits_as_a_rehearsal_does(tmp_path: Path) -> None:
    now = at(24)
    for night in range(13):
        now = at(24 + night)
        opened(deliver(tmp_path, now), now).cycle()
    project = opened(tmp_path, now)
    live = [fact for fact in facts(project) if isinstance(fact, LimitsWatched)]
    rehearsed = project.rehearse("every 10d", from_at=at(24), to_at=now + timedelta(microseconds=1))
    also = [decode(line) for line in rehearsed.export("every 10d")]
    assert live
    assert live == [fact for fact in also if isinstance(fact, LimitsWatched)]
    assert rehearsed.decisions("every 10d").drop("span").equals(project.decisions().drop("span"))
    standing = project.status().watched
    assert standing == live[-1]


def test_a_limit_that_stops_a_fit_shows_in_the_status_and_the_old_plan_stays(tmp_path: Path) -> None:
    tight = BRIEF.replace("difference_at_most = 0.9", 'difference_at_most = 0.0\nburden_of_proof = "holding"')
    now = at(24)
    for night in range(3):
        now = at(24 + night)
        opened(deliver(tmp_path, now, tight), now).cycle()
    project = opened(tmp_path, now)
    stopped = [fact for fact in facts(project) if isinstance(fact, PromotionStopped)]
    assert stopped
    assert project.status().stopped == stopped[-1]
    assert project.status().decider == "status quo"
    assert project.replay().difference == ""


def test_thresholds_of_the_model_in_charge_stay_until_another_model_comes(tmp_path: Path) -> None:
    now = at(24)
    folder, changed = tmp_path / "one", tmp_path / "other"
    for night in range(6):
        now = at(24 + night)
        opened(deliver(folder, now), now).cycle()
    shutil.copytree(folder, changed)
    without = BRIEF[: BRIEF.index("[[fairness.remedies]]")]
    later = now + timedelta(hours=20)
    for each, brief in ((folder, BRIEF), (changed, without)):
        opened(deliver(each, later, brief), later).cycle()
    one, other = (opened(each, later).decisions() for each in (folder, changed))
    assert one.height == other.height
    # The remedy that leaves close calls to people is one of the brief and ends with it; thresholds don't.
    ours = one["decided_by"] == "model"
    assert one.filter(ours)["action"].equals(other.filter(ours)["action"])
    gone = without.replace('depot = { column = "depot" }\nheavy', "heavy")
    gone = gone.replace('group = "depot"', 'group = "heavy"')
    end = later + timedelta(hours=20)
    with pytest.raises(UserError, match="decides by a group that the brief doesn't name"):
        opened(deliver(changed, end, gone), end).cycle()


def test_an_appeal_stands_beside_the_decision_and_a_label_counts_from_then_on(tmp_path: Path) -> None:
    now = at(24)
    for night in range(6):
        now = at(24 + night)
        opened(deliver(tmp_path, now), now).cycle()
    project = opened(tmp_path, now)
    decided = project.decisions().filter(pl.col("model").is_not_null())
    key = str(decided["parcel_id"][0])
    before = project.decisions()
    appeal = project.fairness.contest([key], because="The weight is wrong.", by="the sender")
    assert project.status().appeals == (appeal.opened,)
    with pytest.raises(UserError, match=r"appeal"):
        project.fairness.contest([key], because="Another reason.", by="the sender")
    with pytest.raises(UserError, match=r"appeal"):
        project.fairness.answer(appeal.opened.number, upheld=True, because="It was.", by="")
    later = opened(tmp_path, now + timedelta(hours=1))
    answered = later.fairness.answer(
        appeal.opened.number,
        upheld=True,
        because="Weighed again.",
        by="A. Clerk",
        action="pass",
        label="late",
    )
    assert answered.answer is not None
    assert later.decisions().equals(before)
    assert later.status().appeals == ()
    assert any("Weighed again." in line for line in later.explain_decision(key).lines)
    next_day = opened(deliver(tmp_path, now + timedelta(days=1)), now + timedelta(days=1))
    next_day.cycle()
    assert next_day.explain_decision(key).outcome == "late"
    assert next_day.replay().difference == ""
