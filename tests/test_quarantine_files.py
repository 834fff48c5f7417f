"""The quarantine as a file: whoever mends it, in whatever program, gives back what the source's files say."""

import polars as pl
import pytest

import wholeroad
import worlds
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.quarantine_files import MARK, spelling_of, write_quarantine
from wholeroad.road.brief.sources import CsvTable

RANGE = "\n[source.deliveries.contract.column]\ndelay_h = { range = [-1000, 1000] }\n"
GERMAN = (
    'csv = { separator = ";", decimal = ",", thousands = ".", encoding = "windows-1252", dates = "%d/%m/%Y", '
    "header_line = 2, footer_lines = 1 }\n"
)
PLAIN = worlds.BRIEF.replace("deliveries.parquet", "deliveries.csv") + RANGE
SPELLED = PLAIN.replace('read = "deliveries.csv"\n', f'read = "deliveries.csv"\n{GERMAN}')
WRITTEN = "%d/%m/%Y %H:%M:%S"


def set_aside(folder, *, brief):
    """Land deliveries of which two say too much, and one isn't whole."""
    cases, outcomes = worlds.parcels(days=10)
    hours = pl.when(pl.col("parcel_id").is_in([3, 7])).then(1234.5).otherwise("delay_h")
    rows = outcomes.with_columns(delay_h=hours, town=pl.lit("Köln"))
    worlds.write(folder, cases, outcomes, brief=brief)
    if brief == SPELLED:
        rows = rows.with_columns(pl.col("delivered_at", "reported_at").dt.strftime(WRITTEN))
        rows = rows.with_columns(pl.col("delay_h").cast(pl.String).str.replace(".", ",", literal=True))
        text = f"Report\n{rows.write_csv(separator=';')}9999;11/01/2024 10:00:00\nTotal;;;;\n"
        (folder / "deliveries.csv").write_bytes(text.encode("windows-1252"))
    else:
        (folder / "deliveries.csv").write_text(rows.write_csv() + "9999,2024-01-11T10:00:00Z\n", "utf-8")
    project = wholeroad.open(folder, clock=SteppedClock(worlds.at(days=31)))
    project.land()
    assert project.data.quarantine("deliveries").height == 3
    return project


@pytest.mark.parametrize("brief", [PLAIN, SPELLED])
def test_the_quarantine_comes_back_as_it_was_written(tmp_path, brief):
    project = set_aside(tmp_path / "p", brief=brief)
    file = project.data.write_quarantine("deliveries", tmp_path / "aside.csv")
    (fact,) = project.data.land("deliveries", file)
    assert (fact.rows_in, fact.landed) == (3, 0)
    assert project.data.quarantine("deliveries")["code"].to_list().count("contract.range") == 2


@pytest.mark.parametrize("brief", [PLAIN, SPELLED])
@pytest.mark.parametrize(
    ("marks", "encoding"), [(",", "utf-8-sig"), (";", "utf-8-sig"), (";", "windows-1252")]
)
def test_rows_mended_in_a_spreadsheet_land_and_leave_the_quarantine(tmp_path, brief, marks, encoding):
    project = set_aside(tmp_path / "p", brief=brief)
    file = project.data.write_quarantine("deliveries", tmp_path / "aside.csv")
    mark = ";" if brief == SPELLED else ","
    rows = pl.read_csv(file, separator=mark, infer_schema=False)
    comma = brief == SPELLED or marks == ";"
    times = pl.col("delivered_at").fill_null("2024-01-11T10:00:00Z")
    rows = rows.with_columns(
        delay_h=pl.lit("12,25" if comma else "12.25"),
        delivered_at=times,
        reported_at=times,
        town=pl.lit("Köln"),
    )
    (tmp_path / "mended.csv").write_bytes(rows.write_csv(separator=marks).encode(encoding))
    (fact,) = project.data.land("deliveries", tmp_path / "mended.csv")
    assert (fact.landed, fact.quarantined) == (3, 0)
    assert project.data.quarantine("deliveries").height == 0
    landed = project.versions("deliveries").frame.filter(pl.col("parcel_id").is_in([3, 7, 9999]))
    assert landed.select("delay_h", "town").unique().rows() == [(12.25, "Köln")]


def test_a_row_that_comes_back_unreadable_is_set_aside_with_the_new_reason(tmp_path):
    project = set_aside(tmp_path / "p", brief=PLAIN)
    file = project.data.write_quarantine("deliveries", tmp_path / "aside.csv")
    file.write_text(file.read_text("utf-8-sig").replace("1234.5", "a lot"), "utf-8")
    (fact,) = project.data.land("deliveries", file)
    assert (fact.rows_in, fact.landed) == (3, 0)
    assert "delay_h was 'a lot', not a number" in project.data.quarantine("deliveries")["reason"].to_list()


def test_values_of_every_kind_are_written_by_their_digits(tmp_path):
    rows = [
        '{"id":"007","n":12345678901234567890,"x":0.1,"b":true,"list":[1,2.5],"none":null}',
        '{"id":"é;","n":1,"x":"2,5 kg","b":"no","deep":{"x":1.5}}',
    ]
    frame = pl.DataFrame({"content": [1, -2], "reason": ["why", "why"], "row": rows})
    file = write_quarantine(tmp_path / "q.csv", frame, csv=CsvTable(separator=";", decimal=","))
    said = pl.read_csv(file, separator=";", infer_schema=False).drop("_reason")
    assert said.row(0) == ("q1", "007", "12345678901234567890", "0,1", "true", "[1, 2.5]", None, None)
    assert said.row(1) == ("q-2", "é;", "1", "2,5 kg", "no", None, None, '{"x": 1.5}')
    assert read_rows(file, {}, csv=spelling_of(file, None)).frame[MARK].to_list() == ["q1", "q-2"]


def test_a_file_without_marks_is_written_as_the_source_is(tmp_path):
    csv = CsvTable(separator=";", header_line=3)
    (tmp_path / "a.csv").write_text("id,x\n1,2\n")
    assert spelling_of(tmp_path / "a.csv", csv) is csv
    assert spelling_of(tmp_path / "not-there.csv", None) is None
