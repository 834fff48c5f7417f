"""The check: each question has a world in which it must be asked, and one in which it must not."""

import polars as pl
import pytest

import wholeroad
import worlds


def codes(folder, cases, outcomes, brief=worlds.BRIEF) -> dict[str, str]:
    findings = wholeroad.open(worlds.write(folder, cases, outcomes, brief=brief)).check()
    return {finding.code: finding.level for finding in findings}


@pytest.fixture(scope="module")
def world():
    return worlds.parcels(days=60, per_day=40)


def changed(old: str, new: str) -> str:
    assert old in worlds.BRIEF
    return worlds.BRIEF.replace(old, new)


SOUND = changed('matures = "2d"', 'matures = "6d"').replace("per_case = 0.1", "per_case = 0.5")


def test_a_sound_brief_is_left_in_peace(tmp_path, world):
    assert codes(tmp_path, *world, SOUND) == {}


@pytest.mark.parametrize(
    ("old", "new", "code", "level"),
    [
        (
            "express = { late = 8, on_time = -4 }",
            "express = { late = 8, on_time = 0 }",
            "one-action-wins",
            "fault",
        ),
        ("per_case = 0.5", "per_case = 7", "gain-out-of-reach", "fault"),
        ("per_case = 0.5", "per_case = 0.01", "too-few-outcomes", "warning"),
        ('matures = "6d"', 'matures = "12h"', "immature", "warning"),
        ('when = "every 10d"', 'when = "every 5d"', "matures-late", "warning"),
        ('depends_on_action = "no"', 'depends_on_action = "unknown"', "depends-on-action", "warning"),
    ],
)
def test_the_brief_is_asked(tmp_path, world, old, new, code, level):
    assert old in SOUND
    assert codes(tmp_path, *world, SOUND.replace(old, new))[f"check.{code}"] == level


def with_feature(line: str) -> str:
    return SOUND.replace("[feature]\n", f"[feature]\n{line}\n")


def test_a_window_shorter_than_the_delay_of_what_it_counts(tmp_path, world):
    cases, outcomes = world
    slow = outcomes.with_columns(reported_at=pl.col("reported_at") + worlds.days(3))
    brief = with_feature("seen = { count = '*', of = 'deliveries', over = '1d', on = 'happened' }")
    assert "check.window-too-short" in codes(tmp_path, cases, slow, brief)


def test_a_feature_that_would_need_the_future(tmp_path, world):
    brief = with_feature("arrival = { latest = 'deliveries.delay_h', by = 'parcel_id' }")
    assert codes(tmp_path, *world, brief)["check.feature-needs-future"] == "warning"


def test_a_feature_whose_missingness_predicts_the_outcome(tmp_path, world):
    cases, outcomes = world
    late = outcomes.filter(pl.col("delay_h") > 24)["parcel_id"].implode()
    holes = cases.with_columns(weight_kg=pl.when(~pl.col("parcel_id").is_in(late)).then(pl.col("weight_kg")))
    assert codes(tmp_path, holes, outcomes, SOUND)["check.missingness-tells"] == "warning"


def test_a_constant_feature(tmp_path, world):
    brief = with_feature("one = { expression = '1' }")
    assert codes(tmp_path, *world, brief) == {"check.feature-constant": "note"}


def test_a_truth_that_rows_do_not_tell(tmp_path, world):
    cases, outcomes = world
    holes = outcomes.with_columns(delay_h=pl.when(pl.col("parcel_id") % 20 > 0).then(pl.col("delay_h")))
    assert codes(tmp_path, cases, holes, SOUND)["check.unknown-truth"] == "warning"


def test_outcomes_that_stay_silent(tmp_path, world):
    cases, outcomes = world
    some = outcomes.filter(pl.col("parcel_id") % 20 > 0)
    assert codes(tmp_path, cases, some, SOUND)["check.silent-outcomes"] == "warning"


def test_a_static_source_is_hindsight(tmp_path, world):
    brief = with_feature("size = { lookup = 'depots.size', by = 'depot' }")
    brief += "\n[source.depots]\nread = 'depots.csv'\nkey = 'depot'\nstatic = true\n"
    tmp_path.joinpath("depots.csv").write_text("depot,size\nA,1\nB,2\nC,3\n")
    assert codes(tmp_path, *world, brief) == {"check.hindsight": "note"}


def test_rows_that_were_set_aside(tmp_path, world):
    cases, outcomes = world
    wrong = outcomes.with_columns(
        reported_at=pl.when(pl.col("parcel_id") % 50 > 0)
        .then(pl.col("reported_at"))
        .otherwise(pl.col("delivered_at") - worlds.days(1))
    )
    found = wholeroad.open(worlds.write(tmp_path, cases, wrong, brief=SOUND)).check()
    aside = next(finding for finding in found if finding.code == "check.quarantine")
    assert "48 rows" in aside.happened
