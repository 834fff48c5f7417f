"""Rows of a mended source arrive in every way: from its file, and handed in."""

import polars as pl

import wholeroad
import worlds
from wholeroad.adapters.clocks import SteppedClock

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
