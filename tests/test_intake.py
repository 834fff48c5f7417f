"""Intake: batches on their way in, by the project's single writer."""

import json
import shutil

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY
from wholeroad.engine.intake import table_of


class Unsteady(SteppedClock):
    """A clock that somebody set back."""

    def set(self, at: int) -> None:
        self._at = at


def test_landed_at_is_one_per_batch_and_never_goes_back(tmp_path):
    clock = Unsteady(100 * DAY)
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()), clock=clock)
    cases, _ = worlds.parcels()
    first = project.land_rows("parcels", cases[:100])
    clock.set(50 * DAY)
    second = project.land_rows("parcels", cases[100:200])
    assert first.at == second.at == 100 * DAY
    stored = project._tables.read(table_of("parcels", project.brief.source["parcels"]))
    assert stored["_landed_at"].n_unique() == 1
    assert stored["_seq"].to_list() == [*range(1, 201)]


def test_every_batch_is_a_line_on_the_ledger_that_adds_up(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    project.land()
    project.land_rows("parcels", worlds.parcels()[0][:50])
    lines = [json.loads(line) for line in project.export()]
    assert [line["source"] for line in lines] == ["parcels", "deliveries", "parcels"]
    assert all(line["rows_in"] == line["landed"] + line["repeated"] + line["quarantined"] for line in lines)
    assert lines[-1]["repeated"] == 50


def test_a_file_that_has_landed_is_not_read_again(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    assert len(project.land()) == 2
    assert project.land() == []
    cases, outcomes = worlds.parcels(seed=1)
    worlds.write(tmp_path, cases, outcomes)
    assert len(project.land()) == 2


def test_a_file_is_read_again_when_its_rows_are_gone(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    project.land()
    shutil.rmtree(project.folder.tables / table_of("deliveries", project.brief.source["deliveries"]))
    again = wholeroad.open(tmp_path)
    assert [(fact.source, fact.landed) for fact in again.land()] == [("deliveries", 1200)]


def test_columns_left_out_stand_on_the_ledger(tmp_path):
    cases, outcomes = worlds.parcels()
    odd = outcomes.with_columns(took=pl.duration(hours=1), legs=pl.lit([1]))
    project = wholeroad.open(worlds.write(tmp_path, cases, odd))
    assert [fact.ignored for fact in project.land()] == [(), ("took", "legs")]
    lines = [json.loads(line) for line in wholeroad.open(tmp_path).export()]
    assert lines[1]["ignored"] == ["took", "legs"]


def test_a_column_that_a_later_file_lacks_is_not_blamed_on_types(tmp_path):
    brief = worlds.BRIEF.replace("deliveries.parquet", "deliveries.csv")
    cases, outcomes = worlds.parcels()
    folder = worlds.write(tmp_path, cases, outcomes, brief=brief)
    outcomes.write_csv(folder / "deliveries.csv")
    wholeroad.open(folder).land()
    outcomes.rename({"delay_h": "delay_hours"}).write_csv(folder / "deliveries.csv")
    with pytest.raises(UserError) as caught:
        wholeroad.open(folder).land()
    assert "did delay_h become delay_hours?" in str(caught.value)
    assert "types" not in str(caught.value)


def test_nothing_to_decide_says_what_was_set_aside(tmp_path):
    cases, outcomes = worlds.parcels()
    none = cases.with_columns(parcel_id=pl.lit(None, dtype=pl.Int64))
    project = wholeroad.open(worlds.write(tmp_path, none, outcomes))
    with pytest.raises(UserError, match=r"data\.no-cases") as caught:
        project.check()
    assert "1,200 more were set aside: parcel_id was empty" in str(caught.value)


def test_an_instant_to_decide_at_that_is_text_is_told_the_way_out(tmp_path):
    cases, outcomes = worlds.parcels()
    brief = worlds.BRIEF.replace('decide_at = "sent_at - 1h"', 'decide_at = "asked_at"')
    texts = cases.with_columns(asked_at=pl.lit("2024-01-01"))
    with pytest.raises(UserError) as caught:
        wholeroad.open(worlds.write(tmp_path, texts, outcomes, brief=brief)).check()
    assert 'write types = { asked_at = "instant" } under [source.parcels]' in str(caught.value)


def test_live_rows_are_known_no_earlier_than_they_landed(tmp_path):
    clock = SteppedClock(worlds.at(days=200))
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()), clock=clock)
    project.land_rows("parcels", worlds.parcels()[0], history=False)
    known = project.versions("parcels").frame["_known_at"].to_physical()
    assert known.unique().to_list() == [worlds.at(days=200)]


def test_a_csv_keeps_the_types_of_its_first_landing(tmp_path):
    brief = worlds.BRIEF.replace("deliveries.parquet", "deliveries.csv")
    cases, outcomes = worlds.parcels()
    folder = worlds.write(tmp_path, cases, outcomes, brief=brief)
    outcomes.write_csv(folder / "deliveries.csv")
    project = wholeroad.open(folder)
    project.land()
    # Whole numbers only: inferred anew, the column would be of integers and every row another one.
    outcomes.with_columns(outcomes["delay_h"].round()).write_csv(folder / "deliveries.csv")
    project.land()
    assert str(project.versions("deliveries").frame["delay_h"].dtype) == "Float64"
    assert project.quarantine().is_empty()


def test_a_source_that_is_read_another_way_is_landed_anew(tmp_path):
    folder = worlds.write(tmp_path, *worlds.parcels())
    wholeroad.open(folder).land()
    brief = worlds.BRIEF.replace('known_at = "reported_at"', 'known_at = "reported_at + 5d"')
    (folder / "brief.toml").write_text(brief)
    changed = wholeroad.open(folder)
    assert [fact.source for fact in changed.land()] == ["deliveries"]
    frame = changed.versions("deliveries").frame
    assert frame.height == worlds.parcels()[1].height
    assert ((frame["_known_at"] - frame["reported_at"]) == worlds.days(5)).all()


def test_rows_set_aside_under_an_earlier_reading_are_no_longer_shown(tmp_path):
    folder = worlds.write(tmp_path, *worlds.parcels(), brief=worlds.BRIEF.replace("planned = true\n", ""))
    project = wholeroad.open(folder)
    project.land()
    assert project.quarantine().height > 0
    (folder / "brief.toml").write_text(worlds.BRIEF)
    mended = wholeroad.open(folder)
    mended.land()
    assert mended.quarantine().is_empty()


def test_settings_of_later_versions_leave_a_table_its_name(tmp_path):
    # The tables of projects that are there already must be found again.
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    assert table_of("parcels", project.brief.source["parcels"]) == "source_parcels_bb4af61a"


def test_a_file_is_not_landed_again_because_rows_came_in_between(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    project.land()
    project.land_rows("parcels", worlds.parcels()[0][:50])
    assert project.land() == []


def mended(text):
    return worlds.BRIEF.replace("[feature]\n", f"[source.deliveries.mend]\n{text}\n[feature]\n")


def test_another_mend_lands_the_raw_rows_again_and_reads_no_file(tmp_path):
    cases, outcomes = worlds.parcels()
    late = "[{ unit = 'delay_h', factor = 60 }]"
    folder = worlds.write(tmp_path, cases, outcomes, brief=mended(f"steps = {late}"))
    project = wholeroad.open(folder)
    project.land()
    project.land_rows("deliveries", outcomes[:3].with_columns(delay_h=pl.lit(7777.0)))
    dropped = "[{ drop = 'delay_h = 7777', reason = 'a test' }]"
    (folder / "brief.toml").write_text(mended(f"steps = {dropped}"))
    changed = wholeroad.open(folder)
    facts = changed.land()
    assert [(fact.again, fact.landed, fact.quarantined) for fact in facts] == [(True, 1200, 0), (True, 0, 3)]
    assert changed.quarantine()["reason"].unique().to_list() == ["a test"]
    assert sorted(changed.versions("deliveries").frame["delay_h"]) == sorted(outcomes["delay_h"])
    assert changed.land() == []


def test_a_batch_that_is_held_shows_in_the_state_and_is_released(tmp_path):
    contract = '[source.deliveries.contract]\nif_broken = "hold"\ncolumn.delay_h.range = [0, 1000]\n'
    brief = worlds.BRIEF.replace("[feature]\n", f"{contract}[feature]\n")
    cases, outcomes = worlds.parcels()
    odd = outcomes.with_columns(delay_h=pl.when(pl.col("parcel_id") == 5).then(5000.0).otherwise("delay_h"))
    project = wholeroad.open(worlds.write(tmp_path, cases, odd, brief=brief))
    held = project.land()[1]
    assert held.clauses == {"delay_h range": 1}
    assert project.land() == []
    with pytest.raises(UserError, match=r"data\.source-held"):
        project.land_rows("deliveries", outcomes)
    deliveries = project.brief.source["deliveries"]
    fact = project._intake.release("deliveries", deliveries, now=worlds.at(days=100), asked_by="Ada")
    assert (fact.landed, fact.batch) == (1200, held.batch)
    assert project.land() == []


def test_a_stepped_clock_stands_still_and_never_goes_back():
    clock = SteppedClock(5)
    assert clock.now() == clock.now() == 5
    clock.step_to(9)
    assert clock.now() == 9
    with pytest.raises(ValueError, match="go back"):
        clock.step_to(8)
