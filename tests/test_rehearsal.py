"""Rehearsals in odd circumstances: each is what a fresh one in a folder of its own would be."""

import json

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.instants import parse_instant
from wholeroad.engine.rehearsed import slug

PARCELS = worlds.parcels()


def opened(folder, brief=worlds.BRIEF, cases=PARCELS[0], outcomes=PARCELS[1]):
    return wholeroad.open(worlds.write(folder, cases, outcomes, brief=brief))


def changed(*pairs: str) -> str:
    brief = worlds.BRIEF
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in brief
        brief = brief.replace(old, new)
    return brief


@pytest.mark.parametrize(
    "brief",
    [
        changed('decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 4h"'),
        changed('known_at = "reported_at"', 'known_at = "reported_at + 5d"'),
        changed('happened_at = "delivered_at"', 'happened_at = "delivered_at - 1h"'),
        changed("late = 8", 'late = "weight_kg"'),
        changed('when = "every 10d"', 'when = "every 10d"\nwindow = "9d"'),
        changed('matures = "2d"', 'matures = "4d"'),
        changed("least_outcomes = 10", "least_outcomes = 60"),
        changed("weight = { column", "mass = { column"),
    ],
)
def test_a_changed_brief_gives_what_it_gives_in_a_fresh_folder(tmp_path, brief):
    opened(tmp_path / "used").rehearse(["never", "every 10d"])
    used = opened(tmp_path / "used", brief).rehearse(["never", "every 10d"])
    fresh = opened(tmp_path / "fresh", brief).rehearse(["never", "every 10d"])
    assert used.policies.equals(fresh.policies)
    assert b"".join(used.export("every 10d")) == b"".join(fresh.export("every 10d"))


def test_moving_an_expression_to_another_cell_of_the_value_table_is_another_fit(tmp_path):
    one = changed("express = { late = 8", 'express = { late = "weight_kg"')
    other = changed("pass = { late = 0", 'pass = { late = "weight_kg"', "late = 8", "late = 0")
    opened(tmp_path / "used", one).rehearse(["never"])
    used = opened(tmp_path / "used", other).rehearse(["never"])
    fresh = opened(tmp_path / "fresh", other).rehearse(["never"])
    assert used.policies.equals(fresh.policies)


def test_a_name_belongs_to_the_inputs_that_it_began_with(tmp_path):
    opened(tmp_path).rehearse(["never"], name="mine")
    again = opened(tmp_path).rehearse(["never"], name="mine")
    manifest = (again.folder / "never" / "manifest.json").read_bytes()
    with pytest.raises(UserError, match="another rehearsal") as caught:
        opened(tmp_path, changed("late = 8", "late = 9")).rehearse(["never"], name="mine")
    assert caught.value.code == "rehearse.name-taken"
    assert (again.folder / "never" / "manifest.json").read_bytes() == manifest


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "", ".", "x y"])
def test_a_name_that_is_no_folders_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="can't be a folder"):
        opened(tmp_path).rehearse(["never"], name=name)


def test_policies_have_folders_of_their_own_inside_the_rehearsals():
    names = ["always by air", "always by-air", "always air/road", "always ../../x", "always a.b", "never"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert not any("/" in one or one.startswith(".") or ".." in one for one in slugs)


@pytest.mark.parametrize("every", ["1d", "7d", "6h"])
def test_cases_from_to_on_are_not_decided(tmp_path, every):
    project = opened(tmp_path, changed('every = "1d"', f'every = "{every}"'))
    to_at = parse_instant("2024-02-03T10:30:00Z")
    rehearsed = project.rehearse(["never", "random 10%"], to_at=to_at)
    decided_at = rehearsed.decisions("never")["decided_at"].to_physical()
    assert decided_at.max() < to_at
    whole = opened(tmp_path, changed('every = "1d"', f'every = "{every}"')).rehearse(["never"])
    before = whole.decisions("never").filter(pl.col("decided_at").to_physical() < to_at)
    assert before.height == decided_at.len()


def test_a_span_without_cases_can_be_run_again(tmp_path):
    cases = PARCELS[0].filter(
        ~pl.col("sent_at").dt.date().is_between(pl.date(2024, 1, 20), pl.date(2024, 2, 8))
    )
    first = opened(tmp_path, cases=cases).rehearse(["every 10d", "status quo"])
    again = opened(tmp_path, cases=cases).rehearse(["every 10d", "status quo"])
    assert first.policies.equals(again.policies)
    nothing = opened(tmp_path, cases=cases).rehearse(["never"], to_at=parse_instant("2024-02-01"))
    assert nothing.decisions("never").is_empty()


def test_a_brief_without_features_is_rehearsed(tmp_path):
    head, tail = worlds.BRIEF.split("[feature]\n")
    brief = head + tail[tail.index("[cycle]") :]
    assert opened(tmp_path, brief).rehearse(["never"]).fits.height >= 1


def test_a_key_may_have_the_name_of_a_column_of_ours(tmp_path):
    brief = worlds.BRIEF.replace("parcel_id", "model")
    frames = [frame.rename({"parcel_id": "model"}) for frame in PARCELS]
    rehearsed = opened(tmp_path, brief, *frames).rehearse(["never"])
    assert "case.model" in rehearsed.decisions("never").columns


def test_an_outcome_whose_key_does_not_match_is_a_fault(tmp_path):
    renamed = PARCELS[1].rename({"parcel_id": "id"})
    brief = changed(
        '[source.deliveries]\nread = "deliveries.parquet"\nkey = "parcel_id"',
        '[source.deliveries]\nread = "deliveries.parquet"\nkey = "id"',
    )
    with pytest.raises(FaultsError) as caught:
        opened(tmp_path / "name", brief, outcomes=renamed).rehearse(["never"])
    assert caught.value.faults[0].code == "brief.unknown-column"
    as_text = PARCELS[1].with_columns(pl.col("parcel_id").cast(pl.String))
    with pytest.raises(FaultsError) as caught:
        opened(tmp_path / "kind", outcomes=as_text).rehearse(["never"])
    assert caught.value.faults[0].code == "brief.key-type"


def test_what_is_held_for_the_status_quo_is_not_credited_to_a_model(tmp_path):
    late = PARCELS[0].with_columns(
        booked_at=pl.when(pl.col("weight_kg") > 2).then(pl.col("sent_at")).otherwise("booked_at")
    )
    brief = changed('decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "status_quo"')
    rehearsed = opened(tmp_path, brief, cases=late).rehearse(["never"])
    decisions = rehearsed.decisions("never").join(late, on="parcel_id")
    held = decisions.filter(pl.col("booked_at") > pl.col("sent_at") - worlds.days(1 / 24))
    assert held["action"].unique().to_list() == ["pass"]
    # Heavy parcels alone are worth acting on, and all of them are held: no model is worth its fit.
    assert rehearsed.fits["champion"].to_list() == ["status quo"]


def test_the_ledger_and_the_table_agree_on_outcomes_known_before_the_decision(tmp_path):
    early = (
        PARCELS[1]
        .with_columns(
            delivered_at=pl.lit(worlds.START) - worlds.days(9),
            reported_at=pl.lit(worlds.START) - worlds.days(9),
        )
        .cast({"delivered_at": pl.Datetime("us", "UTC"), "reported_at": pl.Datetime("us", "UTC")})
    )
    rehearsed = opened(tmp_path, outcomes=early).rehearse(["always express"])
    lines = b"".join(rehearsed.export("always express")).decode().splitlines()
    settled = sum(fact["settled"] for fact in map(json.loads, lines) if fact["fact"] == "Settled")
    assert settled == rehearsed.policies["settled"][1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("late = 8", "late = nan"),
        ("late = 8", "late = inf"),
        ("late = 8", "late = [nan, 1]"),
        ("late = 8", "late = true"),
        ("per_case = 0.1", "per_case = nan"),
        ('first = "20d"', 'first = "99999999999d"'),
        ('over = "3d"', "over = 3"),
        ('matures = "2d"', "matures = -1"),
    ],
)
def test_numbers_that_mean_nothing_are_faults(tmp_path, old, new):
    with pytest.raises(FaultsError):
        opened(tmp_path, changed(old, new))


def test_a_model_file_that_is_gone_is_fitted_again(tmp_path):
    first = opened(tmp_path).rehearse(["never"])
    for path in (tmp_path / ".wholeroad" / "blobs" / "models").iterdir():
        path.unlink()
    assert opened(tmp_path).rehearse(["never"], name="again").policies.equals(first.policies)


def test_a_name_holds_one_rehearsal_even_if_the_policies_differ(tmp_path):
    opened(tmp_path).rehearse(["never"], name="mine")
    with pytest.raises(UserError, match="another rehearsal"):
        opened(tmp_path, changed("late = 8", "late = 9")).rehearse(["every 10d"], name="mine")
    assert sorted(path.name for path in (tmp_path / "rehearsals" / "mine").iterdir() if path.is_dir()) == [
        "models",
        "never",
    ]


def test_rows_that_were_never_landed_are_named_in_a_rehearsal_too(tmp_path):
    brief = changed('"parcels.parquet"', '"none"', '"deliveries.parquet"', '"none"')
    with pytest.raises(UserError) as caught:
        opened(tmp_path, brief).rehearse(["never"])
    assert caught.value.code == "data.not-landed"


@pytest.mark.parametrize("from_at", [10**18, "9999-12-31T23:59:59-14:00"])
def test_a_bound_outside_of_the_calendar_is_refused(tmp_path, from_at):
    with pytest.raises(UserError):
        opened(tmp_path).rehearse(["never"], from_at=from_at)


@pytest.mark.parametrize("by", ['[["depot"]]', "[{ a = 1 }]"])
def test_a_by_that_names_no_columns_is_a_fault(tmp_path, by):
    with pytest.raises(FaultsError):
        opened(tmp_path, changed('by = "depot"', f"by = {by}"))
