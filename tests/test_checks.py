"""The check: each question has a world in which it must be asked, and one in which it must not."""

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.core.errors import FaultsError


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
        ('matures = "6d"', 'matures = "25d"', "fit-refused", "warning"),
        ("least_outcomes = 10", "least_outcomes = 90000", "fit-refused", "warning"),
        ('when = "every 10d"', 'when = "every 5d"', "matures-late", "warning"),
        ('depends_on_action = "no"', 'depends_on_action = "unknown"', "depends-on-action", "warning"),
    ],
)
def test_the_brief_is_asked(tmp_path, world, old, new, code, level):
    assert old in SOUND
    assert codes(tmp_path, *world, SOUND.replace(old, new))[f"check.{code}"] == level


def with_feature(line: str) -> str:
    return SOUND.replace("[feature]\n", f"[feature]\n{line}\n")


def test_every_aggregate_of_a_brief_is_computed(tmp_path, world):
    lines = [
        "least = { min = 'delay_h', of = 'deliveries', over = '9d' }",
        "most = { max = 'delay_h', of = 'deliveries', over = '9d', where = 'delay_h < 24' }",
        "spread = { std = 'delay_h', of = 'deliveries', over = '9d' }",
        "depots = { distinct = 'depot', of = 'parcels', over = '9d' }",
        "quiet = { since = '*', of = 'parcels', by = 'depot' }",
        "calm = { since = \"truth = 'late'\", of = 'outcomes', by = 'depot' }",
        "never = { since = 'delay_h < 0', of = 'deliveries', on = 'happened' }",
    ]
    found = codes(tmp_path, *world, with_feature("\n".join(lines)))
    assert found["check.feature-needs-future"] == "warning"
    assert not {code for code, level in found.items() if level == "fault"}


def test_what_cannot_be_averaged_has_no_extremes_either(tmp_path, world):
    line = "least = { min = 'depot', of = 'parcels', over = '9d' }"
    with pytest.raises(FaultsError) as caught:
        codes(tmp_path, *world, with_feature(line))
    assert {fault.code for fault in caught.value.faults} == {"brief.value-type"}


def test_a_window_shorter_than_the_delay_of_what_it_counts(tmp_path, world):
    cases, outcomes = world
    slow = outcomes.with_columns(reported_at=pl.col("reported_at") + worlds.days(3))
    brief = with_feature("seen = { count = '*', of = 'deliveries', over = '1d', on = 'happened' }")
    assert "check.window-too-short" in codes(tmp_path, cases, slow, brief)


def test_a_feature_that_would_need_the_future(tmp_path, world):
    brief = with_feature("arrival = { latest = 'deliveries.delay_h', by = 'parcel_id' }")
    assert codes(tmp_path, *world, brief)["check.feature-needs-future"] == "warning"


def test_a_feature_that_is_empty_has_nothing_to_do_with_the_future(tmp_path, world):
    cases, outcomes = world
    brief = with_feature("shelf = { column = 'shelf' }\nsize = { lookup = 'depots.size', by = 'depot' }")
    brief += "\n[source.depots]\nread = 'depots.csv'\nkey = 'depot'\nstatic = true\n"
    tmp_path.joinpath("depots.csv").write_text("depot,size\n")
    empty = cases.with_columns(shelf=pl.lit(None, dtype=pl.Float64))
    found = codes(tmp_path, empty, outcomes, brief)
    assert found["check.feature-empty"] == "warning"
    assert "check.feature-needs-future" not in found


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


def said(folder, cases, outcomes, brief) -> dict[str, str]:
    findings = wholeroad.open(worlds.write(folder, cases, outcomes, brief=brief)).check()
    return {finding.code: f"{finding.level}: {finding.happened} / {finding.fix}" for finding in findings}


TYPED = SOUND.replace("case when delay_h > 24 then 'late' else 'on_time' end", "verdict")
SILENT = SOUND.replace('matures = "6d"', 'matures = "6d"\nif_never = "on_time"\nnever_after = "5d"')


def judged(outcomes):
    return outcomes.with_columns(
        verdict=pl.when(pl.col("delay_h") > 24).then(pl.lit("late")).otherwise(pl.lit("on_time"))
    )


def test_a_truth_that_is_no_class_is_told_apart_from_nulls(tmp_path, world):
    cases, outcomes = world
    parcel = pl.col("parcel_id")
    odd = judged(outcomes).with_columns(
        verdict=pl.when(parcel % 4 == 0)
        .then(pl.lit("on time"))
        .when(parcel % 4 == 1)
        .then(None)
        .otherwise(pl.col("verdict"))
    )
    found = said(tmp_path, cases, odd, TYPED)
    assert found["check.truth-no-class"].startswith(
        "fault: it was 'on time' in 600 of 2,400 outcome rows; the classes are late, on_time"
    )
    assert found["check.unknown-truth"].startswith("warning: 600 of 2,400 outcome rows")


def test_a_text_that_is_no_class_counts_once_mended(tmp_path, world):
    cases, outcomes = world
    first = judged(outcomes).with_columns(verdict=pl.lit("open"))
    later = judged(outcomes).with_columns(reported_at=pl.col("reported_at") + worlds.days(0.1))
    assert "check.truth-no-class" not in said(tmp_path, cases, pl.concat([first, later]), TYPED)


def test_outcomes_that_belong_to_no_case(tmp_path, world):
    cases, outcomes = world
    found = said(tmp_path, cases, outcomes.with_columns(pl.col("parcel_id") + 10**6), SILENT)
    assert found["check.outcomes-unjoined"].startswith("fault: none of the 2,400 outcome rows")
    assert "check.one-class" not in found


def test_a_single_class(tmp_path, world):
    cases, outcomes = world
    late, quick = outcomes.filter(pl.col("delay_h") > 24), outcomes.filter(pl.col("delay_h") <= 24)
    assert said(tmp_path, cases, quick, SOUND)["check.one-class"].startswith(
        "fault: the outcome rows tell on_time only"
    )
    assert (
        "on_time only, and silence means on_time" in said(tmp_path, cases, quick, SILENT)["check.one-class"]
    )
    # Those that are late are reported, and silence stands for the others: two classes.
    found = said(tmp_path / "late", cases, late, SILENT)
    assert "check.one-class" not in found
    assert found["check.silent-class"].startswith("note: ")


def test_silence_that_has_a_meaning_is_neither_missing_nor_quick(tmp_path, world):
    cases, outcomes = world
    some = outcomes.filter(pl.col("parcel_id") % 2 > 0)
    found = said(tmp_path, cases, some, SILENT)
    assert "check.silent-outcomes" not in found
    assert "truths (49%) are silence, taken for on_time" in found["check.silent-class"]
    late = SILENT.replace('never_after = "5d"', 'never_after = "9d"')
    found = said(tmp_path, cases, some, late)
    assert "check.immature" not in found
    assert "if_never" not in found["check.silent-outcomes"]


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
    brief = SOUND.replace("per_case = 0.5", "per_case = 7") + "\n[source.depots]\n"
    brief += "read = 'depots.csv'\nkey = 'depot'\nstatic = true\n"
    brief = brief.replace("[feature]\n", "[feature]\nsize = { lookup = 'depots.size', by = 'depot' }\n")
    tmp_path.joinpath("depots.csv").write_text("depot,size\nA,1\nB,2\nC,3\n")
    found = wholeroad.open(worlds.write(tmp_path, cases, wrong, brief=brief)).check()
    # The quarantine is a warning, and takes its place between a fault and a note.
    levels = [finding.level for finding in found]
    assert levels == sorted(levels, key=["fault", "warning", "note"].index)
    assert {"fault", "warning", "note"} <= {*levels}
    aside = next(finding for finding in found if finding.code == "check.quarantine")
    assert "48 rows" in aside.happened
