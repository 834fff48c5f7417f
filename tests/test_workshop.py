"""The workshop: a fit sees its cut alone; what is kept is found again only for what it was made from."""

import numpy as np
import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.learners import make_learners
from wholeroad.core.instants import DAY
from wholeroad.engine.workshop import Workshop
from wholeroad.road.model.facts import FitAsked

CUT_AT = worlds.at(days=30)


def changed(brief: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in brief
        brief = brief.replace(old, new)
    return brief


# No feature sees an outcome, so that what a fit learns from can be changed part by part.
BRIEF = changed(
    worlds.BRIEF,
    ('late_3d = { mean = "truth = \'late\'", of = "outcomes", by = "depot", over = "3d" }\n', ""),
)
VARYING = changed(BRIEF, ("late = 8", "late = 'weight_kg'"))


@pytest.fixture(scope="module")
def world():
    return worlds.parcels(days=40, per_day=20)


def workshop(folder, world, *, blobs=None, brief=BRIEF, recipe="one") -> Workshop:
    project = wholeroad.open(worlds.write(folder, *world, brief=brief))
    project.land()
    learners = make_learners(project.brief.model.candidates, threads=1)
    kept = MemoryBlobs() if blobs is None else blobs
    return Workshop(project.history(), learners, blobs=kept, recipe=recipe)


def fits(blobs: MemoryBlobs) -> int:
    return sum(kind == "fits" for kind, _ in blobs._blobs)


# What a fit sees


@pytest.mark.parametrize(("window", "oldest"), [("all", 0), ("20d", CUT_AT - 20 * DAY)])
def test_a_fit_learns_from_what_was_known_when_it_was_asked_for_however_long_it_takes(
    tmp_path, world, window, oldest
):
    brief = changed(BRIEF, ('when = "every 10d"', f'when = "every 10d"\nwindow = "{window}"'))
    shop = workshop(tmp_path, world, brief=brief)
    timeline = shop._history.timeline
    known = timeline.truth_case[timeline.truth_known_at <= CUT_AT]
    mature = timeline.decided_at[np.unique(known)]
    expected = int(((mature <= CUT_AT - 2 * DAY) & (mature >= oldest)).sum())
    asked = FitAsked(at=CUT_AT, ready_at=CUT_AT + 5 * DAY, costs=1.0)
    came = shop.collect(asked, CUT_AT + 6 * DAY)
    assert (came.rows, came.asked_at, came.at) == (expected, CUT_AT, CUT_AT + 6 * DAY)
    assert came.model == shop.kept(CUT_AT).model


def test_a_correction_that_comes_while_a_fit_is_being_made_does_not_enter_it(tmp_path, world):
    cases, outcomes = world
    meant = outcomes.filter(pl.col("reported_at") <= worlds.START + worlds.days(30)).with_columns(
        reported_at=pl.lit(worlds.START + worlds.days(32)).cast(pl.Datetime("us", "UTC")),
        delay_h=48 - pl.col("delay_h"),
    )
    asked = FitAsked(at=CUT_AT, ready_at=CUT_AT + 5 * DAY, costs=1.0)
    as_it_was = workshop(tmp_path / "one", world).collect(asked, CUT_AT + 5 * DAY)
    corrected = workshop(tmp_path / "two", (cases, pl.concat([outcomes, meant])))
    assert corrected.collect(asked, CUT_AT + 5 * DAY) == as_it_was


# What is kept


def test_a_fit_on_the_same_cut_is_made_once_wherever_it_is_asked_for(tmp_path, world):
    blobs = MemoryBlobs()
    compared = changed(BRIEF, ("[cycle]", '[rehearse]\npolicies = ["never"]\n[cycle]'))
    one = workshop(tmp_path / "one", world, blobs=blobs).kept(CUT_AT)
    two = workshop(tmp_path / "two", world, blobs=blobs, brief=compared).kept(CUT_AT)
    assert one == two
    assert fits(blobs) == 1


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        pytest.param(BRIEF, [("late = 8", "late = 9")], id="a value"),
        pytest.param(VARYING, [("'weight_kg'", "'2 * weight_kg'")], id="a value that varies"),
        pytest.param(BRIEF, [('action = "pass"', 'action = "express"')], id="the status quo"),
        pytest.param(BRIEF, [("express =", "courier =")], id="an action's name"),
        pytest.param(
            BRIEF, [("'late'", "'slow'"), ('"late"', '"slow"'), ("late =", "slow =")], id="a class's name"
        ),
        pytest.param(BRIEF, [("sent_at - 1h", "sent_at - 61min")], id="the time to decide"),
        pytest.param(BRIEF, [('- 1h"', '- 1h"\nif_late = "status_quo"')], id="who decides what is late"),
        pytest.param(BRIEF, [("depot = {", "place = {")], id="a feature's name"),
        pytest.param(BRIEF, [('["constant", "logistic"]', '["constant"]')], id="the candidates"),
        pytest.param(BRIEF, [("least_outcomes = 10", "least_outcomes = 1000")], id="the least outcomes"),
    ],
)
def test_a_fit_is_made_anew_when_the_brief_changes_in(tmp_path, world, before, changes):
    blobs = MemoryBlobs()
    workshop(tmp_path / "one", world, blobs=blobs, brief=before).kept(CUT_AT)
    workshop(tmp_path / "two", world, blobs=blobs, brief=changed(before, *changes)).kept(CUT_AT)
    assert fits(blobs) == 2


@pytest.mark.parametrize("what", ["features", "truth"])
def test_a_fit_is_made_anew_when_the_data_change_in(tmp_path, world, what):
    cases, outcomes = world
    if what == "features":
        cases = cases.with_columns(weight_kg=pl.col("weight_kg") + 1)
    else:
        outcomes = outcomes.with_columns(delay_h=48 - pl.col("delay_h"))
    blobs = MemoryBlobs()
    workshop(tmp_path / "one", world, blobs=blobs).kept(CUT_AT)
    workshop(tmp_path / "two", (cases, outcomes), blobs=blobs).kept(CUT_AT)
    assert fits(blobs) == 2


def test_a_fit_is_made_anew_for_another_cut_and_by_other_versions(tmp_path, world):
    blobs = MemoryBlobs()
    shop = workshop(tmp_path / "one", world, blobs=blobs)
    assert shop.kept(CUT_AT).cut == shop.kept(CUT_AT + 1).cut
    assert fits(blobs) == 2
    workshop(tmp_path / "two", world, blobs=blobs, recipe="two").kept(CUT_AT)
    assert fits(blobs) == 3


def test_scores_are_those_of_the_model_that_was_asked_on_the_features_that_are_there(tmp_path, world):
    cases, outcomes = world
    blobs = MemoryBlobs()
    heavier = (cases.with_columns(weight_kg=pl.col("weight_kg") + 1), outcomes)
    one = workshop(tmp_path / "one", world, blobs=blobs)
    names = [one.kept(CUT_AT + 6 * DAY).model, one.kept(CUT_AT + 8 * DAY).model]
    assert None not in names
    assert names[0] != names[1]
    two = workshop(tmp_path / "two", heavier, blobs=blobs)
    for shop in (one, two, workshop(tmp_path / "one", world, blobs=blobs)):
        features = shop._history.features.frame
        for name in (*names, *names):
            expected = shop.model(name).probabilities(features)[100:700]
            assert shop.probabilities(name, 100, last=700).tobytes() == expected.tobytes()
