"""Intake: batches on their way in, by the project's single writer."""

import json

import wholeroad
import worlds
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import DAY


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
    stored = project._tables.read(project._table("parcels"))
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
