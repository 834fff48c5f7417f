"""Laws of contesting a decision: what would have changed it, by the road that decided it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import wholeroad
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.engine.contesting import EARLIER
from wholeroad.engine.redeciding import case_columns, redecided
from wholeroad.interfaces.cli.explaining import show_decision
from wholeroad.road.data.bias.groups import groups_of
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.flips import flippable, flips, what_flips_say
from worlds import BRIEF, at, parcels, write

FAIR = """
[fairness]
answered_within = "14d"
appeals_to = "the parcel desk"
{more}
[fairness.groups]
depot = {{ column = "depot" }}
"""


def fair(more="", *, brief=BRIEF):
    return brief + FAIR.format(more=more)


def night(folder, days, brief, *, until=None, run=True):
    """Deliver what is known by a night, and run it."""
    now = at(days=days)
    cases, outcomes = parcels()
    cases = cases.filter(pl.col("booked_at").dt.epoch("us") <= (until or now))
    outcomes = outcomes.filter(pl.col("reported_at").dt.epoch("us") <= (until or now))
    write(folder, cases, outcomes, brief=brief)
    project = wholeroad.open(folder, clock=SteppedClock(now))
    if run:
        project.cycle()
    return project


def ran(folder, brief):
    night(folder, 22, brief)
    return night(folder, 33, brief)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("plain"), fair())


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("named"), fair('changeable = { weight = "down", depot = "any" }'))


def decided(project, action):
    made = project.decisions().drop_nulls("model").filter(pl.col("action") == action)
    return made["parcel_id"].to_list()


def again(project, key, changes):
    """Decide a case once more with some features changed, by the public parts of the road."""
    history = project._store.history(until=project._operation.now())
    place = np.flatnonzero(history.cases.frame["parcel_id"].to_numpy() == key)
    row = project.decisions().filter(pl.col("parcel_id") == key).row(0, named=True)
    model = project._workshop(history).model(row["model"])
    features = history.features.take(place.astype(np.int64)).with_columns(
        pl.Series(name, [value]).alias(name) for name, value in changes.items()
    )
    return history.brief.actions[redecided(history, place, features=features, model=model).action[0]]


def test_law_what_is_shown_would_have_changed_the_decision(plain, named):
    seen = 0
    for project in (plain, named):
        for action in ("express", "pass"):
            for key in decided(project, action)[::30]:
                otherwise = project.explain_decision(key).contest.otherwise
                for one in otherwise.found:
                    seen += 1
                    then = again(project, key, {each.feature: each.to for each in one.changes})
                    assert then != action
                    assert then == project.brief.actions[one.action]
    assert seen > 8


def test_without_a_word_about_what_is_changeable_groups_are_left_alone_and_nothing_is_promised(plain):
    contest = plain.explain_decision(decided(plain, "express")[0]).contest
    assert not contest.otherwise.promised
    assert set(contest.otherwise.left_out) == {"depot", "late_3d"}
    assert set(contest.otherwise.tried) == {"weight", "hour"}
    assert "doesn't name what those affected can change" in contest.says[0]


def test_only_what_the_brief_names_is_changed_and_only_its_way(named):
    for key in decided(named, "express")[::15]:
        contest = named.explain_decision(key).contest
        assert contest.otherwise.promised
        assert set(contest.otherwise.tried) <= {"weight", "depot"}
        for each in (change for one in contest.otherwise.found for change in one.changes):
            assert each.feature in {"weight", "depot"}
            if each.feature == "weight":
                assert each.to < each.value
        if any(each.feature == "depot" for one in contest.otherwise.found for each in one.changes):
            assert any("late_3d" in line for line in contest.says)


def test_rows_of_the_future_change_nothing(plain, tmp_path):
    keys = decided(plain, "express")[:3] + decided(plain, "pass")[:3]
    before = {key: plain.explain_decision(key).contest for key in keys}
    brief = fair()
    ran(tmp_path, brief)
    later = night(tmp_path, 45, brief)
    assert {key: later.explain_decision(key).contest for key in keys} == before


def test_what_is_computed_from_a_changed_column_moves_with_it(tmp_path):
    brief = fair().replace(
        'depot = { column = "depot" }\nhour',
        'heavy = { expression = "weight_kg > 5" }\ndepot = { column = "depot" }\nhour',
    )
    brief = brief.replace("express = { late = 8,", 'express = { late = "6 + weight_kg / 2",')
    project = ran(tmp_path, brief)
    history = project._store.history(until=project._operation.now())
    key = decided(project, "express")[0]
    contest = project.explain_decision(key).contest
    assert contest.otherwise.left_out["heavy"] == "it moves with weight"
    place = np.flatnonzero(history.cases.frame["parcel_id"].to_numpy() == key)
    row = project.decisions().filter(pl.col("parcel_id") == key).row(0, named=True)
    model = project._workshop(history).model(row["model"])
    own = history.features.take(place)
    weights = [1.0, 9.0]
    changed = own[[0, 0]].with_columns(weight=pl.Series(weights))
    by_hand = changed.with_columns(heavy=pl.Series([False, True]))
    found = redecided(history, place[[0, 0]], features=changed, model=model)
    assert found.prediction.tolist() == model.probabilities(by_hand).tolist()
    late = found.prediction[:, 0]
    money = late * (6 + np.array(weights) / 2) - (1 - late) * 4
    assert found.weighed.compared[:, 0] == pytest.approx(money)
    assert case_columns(project.brief) == {"weight": "weight_kg", "depot": "depot"}


def test_a_column_from_which_more_is_computed_than_can_be_is_left_alone(tmp_path):
    brief = fair().replace("[cycle]", 'ratio = { expression = "weight_kg / local_hour(sent_at)" }\n[cycle]')
    project = ran(tmp_path, brief)
    left_out = project.explain_decision(decided(project, "express")[0]).contest.otherwise.left_out
    assert left_out["weight"] == "ratio would move with it, nobody knows how far"


def test_the_same_rule_gives_the_recorded_decisions(plain):
    history = plain._store.history(until=plain._operation.now())
    made = plain.decisions().drop_nulls("model")
    place = {key: n for n, key in enumerate(history.cases.frame["parcel_id"].to_list())}
    cases = np.array([place[key] for key in made["parcel_id"]])
    models = made["model"].unique().to_list()
    for name in models:
        mine = (made["model"] == name).to_numpy()
        model = plain._workshop(history).model(name)
        found = redecided(history, cases[mine], features=history.features.take(cases[mine]), model=model)
        actions = [plain.brief.actions[code] for code in found.action]
        assert actions == made.filter(pl.Series(mine))["action"].to_list()


def test_where_no_feature_decided_what_did_is_said(tmp_path, plain):
    early = plain.decisions().filter(pl.col("model").is_null())["parcel_id"].to_list()
    if early:
        contest = plain.explain_decision(early[0]).contest
        assert contest.otherwise is None
        assert "status quo" in contest.decided_by
    quo = 'status_quo = { action = "pass" }'
    project = ran(tmp_path, fair().replace(quo, f'{quo}\ncapacity = "5 per day"'))
    reasons = set()
    passed = project.decisions().drop_nulls("model").filter(action="pass").sort("p_late")["parcel_id"]
    for key in (passed[-1], passed[-2]):
        found = project.explain_decision(key)
        reasons.add(found.contest.decided_by)
        assert found.contest.otherwise is None
    assert all("capacity" in reason for reason in reasons)


def test_what_a_remedy_leaves_to_people_hangs_on_no_feature(tmp_path):
    brief = fair() + '[[fairness.remedies]]\nkind = "abstain"\ngroup = "depot"\nvalues = "A"\n'
    project = ran(tmp_path, brief)
    history = project._store.history(until=project._operation.now())
    depots = dict(zip(history.cases.frame["parcel_id"], history.groups.frame["depot"], strict=True))
    made = project.decisions().drop_nulls("model")["parcel_id"].to_list()
    mine = next(key for key in made if depots[key] == "A")
    other = next(key for key in made if depots[key] != "A")
    assert "to people" in project.explain_decision(mine).contest.decided_by
    assert project.explain_decision(other).contest.otherwise is not None


def test_a_brief_without_fairness_explains_as_before(tmp_path):
    project = ran(tmp_path, BRIEF)
    found = project.explain_decision(decided(project, "express")[0])
    assert found.contest is None
    assert "contest" not in printed(found)


def printed(found):
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(show_decision(found))
    return out.getvalue()


def test_the_command_says_what_would_have_changed_it_and_how_to_appeal(plain, named):
    key = decided(plain, "express")[0]
    text = " ".join(printed(plain.explain_decision(key)).split())
    assert "What would have changed it" in text
    assert f"wholeroad appeal {key} --because" in text
    assert "within 14d: the parcel desk" in text
    assert "not tried: depot, late_3d" in text
    found = named.explain_decision(decided(named, "express")[0])
    text = " ".join(printed(found).split())
    assert "instead of" in text
    none = replace(found, contest=replace(found.contest, otherwise=None, decided_by="chance", appeals_to=""))
    text = " ".join(printed(none).split())
    assert "no feature of the case: it was decided by chance" in text
    assert "doesn't say by whom" in text


def test_flips_of_the_feature_that_is_the_group_change_what_the_model_makes_of_it(plain):
    history = plain._store.history(until=plain._operation.now())
    made = plain.decisions().drop_nulls("model")
    name = made["model"][-1]
    model = plain._workshop(history).model(name)
    cases = np.arange(len(history.features) - 200, len(history.features))
    groups = groups_of(history.groups.take(cases), history.brief.fairness)
    terms, seen = Terms.of(history.brief), [column.name for column in model.encoder.columns]

    def decide(features):
        found = redecided(history, cases, features=features, model=model)
        return np.isin(found.action, terms.selected), found.prediction[:, terms.positive]

    (group,) = history.bound.groups
    assert flippable(group, history.bound.features, seen=seen) == ("depot",)
    assert "late_3d" in what_flips_say(group, history.bound.features, seen=seen, cases=200)[-1]
    flip, *_ = flips(
        history.features.take(cases),
        "depot",
        grouping=groups[0],
        decide=decide,
        decided_at=history.timeline.decided_at[cases],
        ids=history.cases.ids[cases],
    )
    members = groups[0].members(flip.from_value)
    changed = history.features.take(cases).with_columns(depot=pl.lit(flip.to_value))
    was = redecided(history, cases, features=history.features.take(cases), model=model).action[members]
    then = redecided(history, cases, features=changed, model=model).action[members]
    assert flip.otherwise.value == pytest.approx((was != then).mean())
    assert flip.cases == members.sum()


def test_what_is_plausible_comes_from_earlier_cases_alone(plain):
    key = decided(plain, "express")[0]
    history = plain._store.history(until=plain._operation.now())
    place = int(np.flatnonzero(history.cases.frame["parcel_id"].to_numpy() == key)[0])
    at_once = history.timeline.decided_at[:place] == history.timeline.decided_at[place]
    before = plain.explain_decision(key).contest.otherwise.before
    assert before == min(EARLIER, place - at_once.sum())
