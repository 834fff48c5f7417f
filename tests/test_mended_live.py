"""Rows of a mended source arrive in every way: from its file, and handed in."""

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import UserError

MENDED = worlds.BRIEF.replace(
    "[feature]",
    """[source.parcels.mend]
steps = [
  { rename = "kg", to = "weight_kg" },
  { parse = "weight_kg", as = "number", strip = ["kg"] },
  { fill = "depot", with = "Z", flag = "no_depot" },
]
[feature]
nowhere = { column = "no_depot" }""",
)


def test_cases_that_are_handed_in_are_mended_as_the_source_is(tmp_path):
    cases, outcomes = worlds.parcels(days=30, per_day=20)
    cases = cases.rename({"weight_kg": "kg"}).with_columns(kg=pl.format("{} kg", "kg"), note=pl.lit("x"))
    folder = worlds.write(tmp_path / "mended", cases, outcomes, brief=MENDED)
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    project.cycle()
    new = {"parcel_id": [10**6], "sent_at": ["2024-02-01T08:00:00Z"], "booked_at": ["2024-01-31T08:00:00Z"]}
    pl.DataFrame({**new, "kg": ["3 kg"], "depot": [""]}).write_csv(folder / "new.csv")
    answers, _ = project.decide(folder / "new.csv")
    assert answers["status"].to_list() == ["accepted"]
    row = project.versions("parcels").frame.filter(pl.col("parcel_id") == 10**6)
    assert row.select("weight_kg", "depot", "no_depot").row(0) == (3.0, "Z", True)
    assert project.replay().equal


RENAMED = worlds.BRIEF.replace(
    "[feature]",
    """[source.parcels.mend]
steps = [
  { split = "label", at = "/", into = ["hall", "number"] },
  { parse = "number", as = "integer" },
  { rename = "number", to = "parcel_id" },
  { rename = "left", to = "sent_at" },
]
[feature]""",
)


def test_cases_are_found_by_a_key_that_the_mend_makes(tmp_path):
    cases, outcomes = worlds.parcels(days=30, per_day=20)
    cases = cases.select(pl.format("H/{}", "parcel_id").alias("label"), pl.exclude("parcel_id"))
    cases = cases.rename({"sent_at": "left"})
    folder = worlds.write(tmp_path / "renamed", cases, outcomes, brief=RENAMED)
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    project.cycle()
    new = {"label": ["H/77777", "H"], "left": ["2024-02-01T08:00:00Z"] * 2}
    new |= {"booked_at": ["2024-01-31T08:00:00Z"] * 2, "weight_kg": [1.0, 2.0], "depot": ["A", "B"]}
    pl.DataFrame(new).write_csv(folder / "new.csv")
    answers, _ = project.decide(folder / "new.csv")
    assert answers.select("parcel_id", "status").rows() == [(77777, "accepted"), (None, "set aside")]


REFERRING = (
    worlds.BRIEF
    + """
[source.parcels.contract.column]
depot = { references = "depots.depot" }
[source.depots]
read = "depots.csv"
key = "depot"
static = true
"""
)


def test_what_a_contract_refers_to_lands_before_it_wherever_it_stands_in_the_brief(tmp_path):
    cases, outcomes = worlds.parcels(days=10)
    folder = worlds.write(tmp_path / "referring", cases, outcomes, brief=REFERRING)
    pl.DataFrame({"depot": ["A", "B"]}).write_csv(folder / "depots.csv")
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    landed = {fact.source: fact for fact in project.land()}
    stray = cases.filter(pl.col("depot") == "C").height
    assert (landed["parcels"].landed, landed["parcels"].quarantined) == (cases.height - stray, stray)
    assert list(landed) == ["depots", "parcels", "deliveries"]
    assert not any(project.data.broken("parcels").values())


def test_how_a_contract_is_kept_is_not_told_of_a_source_that_has_not_landed(tmp_path):
    cases, outcomes = worlds.parcels(days=10)
    folder = worlds.write(tmp_path / "empty", cases, outcomes, brief=REFERRING)
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    with pytest.raises(UserError, match=r"data\.not-landed"):
        project.data.broken("parcels")


def test_a_held_source_whose_file_is_taken_away_stops_no_cycle(tmp_path):
    cases, outcomes = worlds.parcels(days=30, per_day=20)
    text = '[source.parcels.contract]\nif_broken = "hold"\ncolumn = { weight_kg = { range = [0, 99] } }\n'
    brief = worlds.BRIEF.replace("[feature]", f"{text}[feature]")
    folder = worlds.write(tmp_path / "held", cases, outcomes, brief=brief)
    wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31))).cycle()
    worlds.write(folder, cases.with_columns(weight_kg=pl.lit(100.0)), outcomes, brief=brief)
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=32)))
    project.cycle()
    (folder / "parcels.parquet").unlink()
    answered = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=33))).cycle()
    assert list(answered.state.held) == ["parcels"]
    assert project.data.release("parcels").landed == cases.height


HOLDING = worlds.BRIEF.replace(
    "[feature]",
    '[source.parcels.contract]\nif_broken = "hold"\ncolumn = { weight_kg = { range = [0, 99] } }\n[feature]',
)


def test_cases_that_are_held_are_called_held(tmp_path):
    cases, outcomes = worlds.parcels(days=30, per_day=20)
    folder = worlds.write(tmp_path / "handed", cases, outcomes, brief=HOLDING)
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    project.cycle()
    heavy = cases.head(2).with_columns(pl.col("parcel_id") + 10**6, weight_kg=pl.lit(400.0))
    answers, _ = project.decide(heavy)
    assert answers["status"].to_list() == ["held", "held"]
    assert not project.quarantine().height


def test_a_first_landing_that_is_held_says_how_it_ends(tmp_path):
    cases, outcomes = worlds.parcels(days=30, per_day=20)
    folder = worlds.write(
        tmp_path / "first", cases.with_columns(weight_kg=pl.lit(400.0)), outcomes, brief=HOLDING
    )
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    for asked in (project.check, project.rehearse, project.cycle):
        with pytest.raises(UserError, match=r"wholeroad data release parcels"):
            asked()
    assert "wholeroad data release parcels" in project.data.profile().without_history
    project.data.release("parcels")
    assert project.check()
