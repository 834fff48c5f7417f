"""Where data begin: files of JSON objects, folders that grow, and other people's loaders; exactly once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import wholeroad
import worlds
from test_dumps import NOW, Place
from wholeroad.adapters import slicing
from wholeroad.adapters.dlt_sources import readings_of_resource
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.slicing import ndjson_slices
from wholeroad.core.errors import TryLaterError, UserError
from wholeroad.engine.intake import Arrival, quarantine_of, table_of
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.data.casting import INSTANT

laws = settings(max_examples=40, deadline=None)
CLAIMED = SourceTable(read="dumps", key="id", happened_at="at", known_at="at")
LINE = '{{"id": {0}, "at": "2024-01-0{1}T00:00:00Z", "x": {2}}}\n'


def read(folder, text, types=None, **settings_of):
    path = Path(folder) / "rows.ndjson"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_rows(path, types or {}, **settings_of)


# files of JSON objects


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6),
    st.lists(st.integers(), max_size=2),
)
objects = st.dictionaries(st.sampled_from("abc"), scalars, max_size=3)


@laws
@given(st.lists(objects, min_size=1, max_size=8))
def test_law_no_value_of_an_object_is_lost(rows):
    assume(any(value is not None for row in rows for value in row.values()))
    with TemporaryDirectory() as folder:
        frame, bad = read(folder, "".join(json.dumps(row) + "\n" for row in rows))
    assert bad is None
    for name in frame.columns:
        for row, value in zip(rows, frame[name].to_list(), strict=True):
            said = row.get(name)
            if value is None or type(said) is type(value):
                assert said == value
            elif frame[name].dtype == pl.String:
                assert json.loads(value) == said
            else:
                assert value == said, "an integer among numbers"


@laws
@given(
    st.lists(st.one_of(objects, st.sampled_from(["{", "[1]", "5", "null", '{"a": 1} 2'])), max_size=12),
    st.integers(1, 200),
)
def test_law_a_file_in_slices_holds_the_same_rows(rows, size):
    text = "".join((json.dumps(row) if isinstance(row, dict) else row) + "\n" for row in rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text(text)
        parts = [part.read_bytes() for part in ndjson_slices(path, into=Path(folder), size=size)]
        assert b"".join(parts) == path.read_bytes()
        assert all(part.endswith(b"\n") for part in parts if part)
        assert [each.name for each in Path(folder).iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ("1 2 null", pl.Int64()),
        ("1 2.5", pl.Float64()),
        ("true null", pl.Boolean()),
        ('"007" "8"', pl.String()),
        ('1 "x" true [1,{"a":2}]', pl.String()),
        ("12345678901234567 0.5", pl.String()),
        ("99999999999999999999 1", pl.String()),
        ('"2024-01-01T06:00:00Z" "2024-01-02"', INSTANT),
        ('"2024-01-01T06:00:00Z" "soon"', pl.String()),
        ("null null", pl.Null()),
    ],
)
def test_a_column_has_the_kind_that_all_its_values_say(tmp_path, values, kept):
    lines = "".join(f'{{"id": 1, "v": {value}}}\n' for value in values.split(" "))
    frame, bad = read(tmp_path, lines)
    assert bad is None
    assert frame.schema["v"] == kept
    if kept == pl.String:
        texts = [value.strip('"') for value in values.split(" ")]
        assert frame["v"].to_list() == texts


def test_an_object_within_an_object_becomes_columns(tmp_path):
    lines = (
        '{"id": 1, "wind": {"speed": 3, "from": {"deg": 90}}}\n{"id": 2, "wind": {}}\n{"id": 3, "wind": 5}\n'
    )
    frame, bad = read(tmp_path, lines)
    assert bad is None
    assert frame.to_dict(as_series=False) == {
        "id": [1, 2, 3],
        "wind_speed": [3, None, None],
        "wind_from_deg": [90, None, None],
        "wind": [None, None, 5],
    }


def test_two_values_for_one_column_make_the_row_bad(tmp_path):
    frame, bad = read(tmp_path, '{"id": 1, "a": {"b": 2}}\n{"id": 2, "a": {"b": 3}, "a_b": 4}\n')
    assert frame["a_b"].to_list() == [2]
    assert bad["_code"].to_list() == ["data.column-twice"]
    assert bad["_row"].to_list() == [2]


def test_lines_that_hold_no_object_are_set_aside_whole_with_their_place(tmp_path):
    lines = '\ufeff{"id": 1}\n\n{"id": 2\n[3]\n{"id": 4}\n{"id": 5}\n{"id": "'
    frame, bad = read(tmp_path, lines)
    assert frame["id"].to_list() == [1, 4, 5]
    assert bad.select("_row", "_code", "line").rows() == [
        (2, "data.line-not-json", '{"id": 2'),
        (3, "data.line-no-object", "[3]"),
        (6, "data.line-not-json", '{"id": "'),
    ]
    assert bad["_reason"][0].startswith("the line was no JSON")
    assert bad["_reason"][2] == "the line was no JSON: it was cut short"


def test_bytes_that_are_no_text_are_set_aside_and_told(tmp_path):
    frame, bad = read(tmp_path, b'{"id": 1}\n{"id": 3}\n{"id": "\xff"}\n')
    assert frame.height == 2
    assert bad["line"].to_list() == ['{"id": "\\xff"}']


def test_declared_types_hold_and_a_value_of_another_is_told(tmp_path):
    lines = (
        '{"id": 1, "x": "2.5", "z": 7}\n{"id": 2, "x": "much", "z": "007"}\n{"id": 3, "x": 4, "z": null}\n'
    )
    frame, bad = read(tmp_path, lines, {"x": "number", "z": "text"})
    assert frame["x"].to_list() == [2.5, 4.0]
    assert frame["z"].to_list() == ["7", None]
    assert bad["_reason"].to_list() == ["x was 'much', not a number"]


def test_what_no_object_names_is_null_where_the_type_is_known(tmp_path):
    frame, _ = read(tmp_path, '{"id": 1}\n', stored={"id": "integer", "x": "number"})
    assert frame["x"].to_list() == [None]


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "data.file-empty", ""),
        (b"\n \n", "data.file-empty", ""),
        (b'[\n{"a": 1},\n{"a": 2}\n]\n', "data.file-unreadable", "without commas"),
        (b"id,x\n1,2\n", "data.file-unreadable", "each object on one line"),
    ],
)
def test_a_file_of_something_else_is_refused_in_words(tmp_path, data, code, words):
    with pytest.raises(UserError) as refused:
        read(tmp_path, data)
    assert refused.value.code == code
    assert words in refused.value.fix


# folders that grow


def lines(ids, *, day=1, x=0):
    return "".join(LINE.format(each, day, x) for each in ids)


def accounted(facts):
    return all(fact.rows_in == fact.landed + fact.repeated + fact.quarantined for fact in facts)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_law_drops_land_exactly_once_however_often_the_folder_is_looked_at(drops, looked):
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        grown, whole = Place(Path(one), CLAIMED), Place(Path(other), CLAIMED)
        for number, ids in enumerate(drops):
            for place in (grown, whole):
                place.put(f"{number}.ndjson", lines(ids, x=number))
            if number < 3 and looked[number]:
                assert accounted(grown.land())
        assert accounted(grown.land())
        assert grown.land() == []
        whole.land()
        values = [place.versions().select("id", "x").sort("id", "x") for place in (grown, whole)]
        assert_frame_equal(*values)


def test_kinds_stand_side_by_side_and_an_unfinished_file_is_left_alone(tmp_path):
    place = Place(tmp_path, CLAIMED)
    place.put("a.ndjson", lines([1]))
    place.put("b.csv", "id,at,x\n2,2024-01-01,0\n")
    for name in ("c.ndjson.tmp", "d.jsonl.part", ".e.ndjson", "f.csv.crdownload"):
        place.put(name, "half a li")
    assert len(place.land()) == 2
    place.source = CLAIMED.model_copy(update={"read": "dumps/*"})
    assert place.land() == []
    (tmp_path / "dumps" / "c.ndjson.tmp").write_text(lines([3]))
    (tmp_path / "dumps" / "c.ndjson.tmp").rename(tmp_path / "dumps" / "c.ndjson")
    assert [fact.landed for fact in place.land()] == [1]
    assert place.versions()["id"].sort().to_list() == [1, 2, 3]


def test_a_line_that_is_still_being_written_lands_once_it_is_whole(tmp_path):
    place = Place(tmp_path, CLAIMED)
    whole = lines([1, 2, 3])
    place.put("a.ndjson", whole[:-20])
    (first,) = place.land()
    assert (first.rows_in, first.landed, first.quarantined) == (3, 2, 1)
    place.put("a.ndjson", whole)
    (second,) = place.land()
    assert (second.rows_in, second.landed, second.repeated, second.quarantined) == (3, 1, 2, 0)
    aside = place.tables.read(quarantine_of("table", CLAIMED))
    assert aside["row_number"].to_list() == [3]
    assert json.loads(aside["row"][0])["line"] == whole.splitlines()[2][:-19]


def test_a_file_in_parts_is_typed_as_one(tmp_path, monkeypatch):
    place = Place(tmp_path, CLAIMED)
    text = lines(range(20)) + lines([20], x='"many"') + '{"id": 21, "at": "2024-01-01", "late": 5}\n'
    place.put("a.ndjson", text)
    monkeypatch.setattr(slicing, "SLICE", 200)
    (fact,) = place.land()
    assert (fact.rows_in, fact.landed) == (22, 22)
    rows = place.versions().sort("id")
    assert rows["x"].to_list() == ["0"] * 20 + ["many", None]
    assert rows["late"].to_list() == [None] * 21 + [5]


def test_stopped_at_any_write_the_rest_lands_when_it_is_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE", 300)
    text = lines(range(12)) + "{\n" + lines(range(12, 30)) + '{"id": null, "at": "2024-01-01"}\n'
    undisturbed = Place(tmp_path / "whole", CLAIMED)
    undisturbed.put("a.ndjson", text)
    undisturbed.put("b.ndjson", lines(range(25, 40), x=1))
    undisturbed.land()
    for writes in range(12):
        place = Place(tmp_path / str(writes), CLAIMED)
        place.put("a.ndjson", text)
        place.put("b.ndjson", lines(range(25, 40), x=1))
        place.tables.left = writes
        facts = []
        try:
            facts += place.land()
        except KeyboardInterrupt:
            facts += place.land()
        assert accounted(facts)
        for table in (table_of, quarantine_of):
            held = [each.tables.read(table("table", CLAIMED)) for each in (place, undisturbed)]
            assert held[0].height == held[1].height, writes
        values = [each.versions().select("id", "x").sort("id", "x") for each in (place, undisturbed)]
        assert_frame_equal(*values)
        assert place.land() == []


KILLED = """
import os, signal, sys
import wholeroad
from wholeroad.adapters import slicing, tables_delta
slicing.SLICE = 2000
left = int(sys.argv[2])
kept = tables_delta.DeltaTables.append
def append(self, *arguments, **others):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return kept(self, *arguments, **others)
tables_delta.DeltaTables.append = append
wholeroad.open(sys.argv[1]).land()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_a_project_that_is_killed_while_it_lands_a_folder_lands_the_rest(tmp_path):
    cases, outcomes = worlds.parcels(days=5, per_day=20)
    folder = worlds.write(tmp_path / "project", cases, outcomes)
    brief = folder / "brief.toml"
    brief.write_text(brief.read_text("utf-8").replace('"parcels.parquet"', '"drops"'), "utf-8")
    (folder / "drops").mkdir()
    stamps = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in ("sent_at", "booked_at")]
    cases.head(60).with_columns(stamps).write_ndjson(folder / "drops" / "1.ndjson")
    cases.tail(50).with_columns(stamps).write_ndjson(folder / "drops" / "2.jsonl")
    for writes in (1, 3):
        command = [sys.executable, "-c", KILLED, str(folder), str(writes)]
        done = subprocess.run(command, capture_output=True, check=False, env=os.environ)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    facts = [fact for fact in wholeroad.open(folder).land() if fact.source == "parcels"]
    assert accounted(facts)
    assert not [fact for fact in wholeroad.open(folder).land() if fact.source == "parcels"]
    landed = wholeroad.open(folder).history().cases.frame
    assert landed["parcel_id"].sort().to_list() == list(range(100))


def test_start_looks_at_objects_as_at_a_table(tmp_path):
    rows = [
        {"order": {"id": n, "sum": n % 7 + 0.5}, "ordered_at": f"2024-01-{n % 28 + 1:02}T10:00:00Z"}
        | {"returned_at": f"2024-02-{n % 28 + 1:02}T10:00:00Z", "returned": "yes" if n % 5 else "no"}
        for n in range(400)
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    project = wholeroad.start(path, tmp_path / "project", answers={"outcome": "returned = yes"})
    assert project.brief.source[project.brief.case.source].key == ("order_id",)
    assert {fact.rows_in for fact in project.land()} == {400}


# resources of dlt


dlt = pytest.importorskip("dlt")

LOADED = SourceTable(read="none", key="id", happened_at="at", known_at="at")


def tickets(pages, *, fails_after=None, order=None):
    """Make a resource over pages of (id, at); it fails before the page of that number."""

    since = dlt.sources.incremental("at", initial_value="2024-01-01", row_order=order)

    @dlt.resource(name="tickets")
    def of_pages(at=since):
        asked.append(at.last_value)
        for number, page in enumerate(pages):
            if number == fails_after:
                message = "the origin went away"
                raise ConnectionError(message)
            yield [{"id": each, "at": f"2024-01-{day:02}", "of": {"day": day}} for each, day in page]

    return of_pages()


asked: list[str] = []


class Loading(Place):
    def load(self, resource, *, lands=True):
        facts = []
        asked.clear()
        given_of = {"source": self.source, "resource": resource, "landed": self.intake}
        for reading in readings_of_resource(self.root, "table", **given_of):
            arrival = Arrival(NOW, imported=True, origin=reading.origin, whole=False)
            facts.append(self.intake.take_parts("table", self.source, parts=reading.parts, arrival=arrival))
            if not lands:
                raise KeyboardInterrupt
        return facts


pages_of = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(2, 28)), min_size=1, max_size=4), max_size=4
)


@settings(max_examples=15, deadline=None)
@given(pages_of, st.integers(0, 4), st.booleans(), st.sampled_from([None, "asc"]))
def test_law_every_row_lands_once_whether_the_origin_fails_or_we_are_killed(pages, fails, killed, order):
    if order == "asc":
        rows = sorted((row for page in pages for row in page), key=lambda row: row[1])
        pages = [rows[at : at + 3] for at in range(0, len(rows), 3)]
    expected = sorted({(each, day) for page in pages for each, day in page})
    with TemporaryDirectory() as folder:
        place = Loading(Path(folder), LOADED)
        facts = []
        with contextlib.suppress(TryLaterError, KeyboardInterrupt):
            facts += place.load(tickets(pages, fails_after=fails, order=order), lands=not killed)
        facts += place.load(tickets(pages, order=order))
        assert accounted(facts)
        if expected:
            assert sorted(place.versions().select("id", "of_day").rows()) == expected
        assert place.load(tickets(pages, order=order)) == []
        assert not (place.root / ".wholeroad" / "extracted").exists()


def test_the_cursor_moves_after_the_rows_have_landed_and_never_before(tmp_path):
    place = Loading(tmp_path, LOADED)
    pages = [[(1, 2), (2, 3)], [(3, 4)]]
    with pytest.raises(KeyboardInterrupt):
        place.load(tickets(pages), lands=False)
    assert not (tmp_path / ".wholeroad" / "cursors").exists()
    assert place.load(tickets([*pages, [(4, 9)]]))[0].repeated == 3
    assert asked == ["2024-01-01"]
    assert place.load(tickets([*pages, [(4, 9), (5, 9)]]))[0].rows_in == 1
    assert asked == ["2024-01-09"]
    assert place.versions()["id"].sort().to_list() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("order", [None, "asc"])
def test_what_came_before_a_failure_lands_only_where_it_can_go_on_from_there(tmp_path, order):
    place = Loading(tmp_path, LOADED)
    pages = [[(1, 2), (2, 3)], [(3, 3), (4, 5)]]
    with pytest.raises(TryLaterError) as broke:
        place.load(tickets(pages, fails_after=1, order=order))
    assert broke.value.code == "origin.broke-off"
    assert "the origin went away" in broke.value.happened
    goes_on = order == "asc"
    assert place.tables.exists(table_of("table", LOADED)) == goes_on
    assert ("goes on from there" in broke.value.fix) == goes_on
    (fact,) = place.load(tickets(pages, order=order))
    assert asked == ["2024-01-03" if goes_on else "2024-01-01"]
    assert (fact.rows_in, fact.repeated) == ((2, 0) if goes_on else (4, 0))
    assert place.versions()["id"].sort().to_list() == [1, 2, 3, 4]


def loading(folder, text):
    """Make a project whose deliveries come from dlt."""
    cases, outcomes = worlds.parcels(days=5)
    brief = worlds.BRIEF.replace('read = "deliveries.parquet"', 'read = "none"') + text
    worlds.write(folder, cases, outcomes, brief=brief)
    rows = outcomes.sort("reported_at").to_dicts()
    since = dlt.sources.incremental("reported_at")

    @dlt.resource(name="deliveries")
    def deliveries(at=since):
        asked.append(at.last_value)
        yield rows

    return wholeroad.open(folder), deliveries, rows


def test_rows_of_a_resource_are_kept_raw_and_land_again_under_a_mend_that_comes_later(tmp_path):
    project, deliveries, rows = loading(tmp_path, "")
    (fact,) = project.data.land("deliveries", deliveries())
    assert fact.raw, "the cursor has moved: nobody could read them again"
    mend = '\n[source.deliveries.mend]\nsteps = [{ clip = "delay_h", range = [0, 9] }]\n'
    project, _, _ = loading(tmp_path, mend)
    again = next(fact for fact in project.land() if fact.source == "deliveries")
    assert (again.again, again.landed) == (True, len(rows))
    assert project.versions("deliveries").frame["delay_h"].max() == 9


def test_a_resource_is_not_asked_while_its_source_is_held(tmp_path):
    clause = "delay_h = { range = [0, 1] }"
    text = f'\n[source.deliveries.contract]\nif_broken = "hold"\ncolumn = {{ {clause} }}\n'
    project, deliveries, _ = loading(tmp_path, text)
    (fact,) = project.data.land("deliveries", deliveries())
    assert fact.clauses
    asked.clear()
    with pytest.raises(UserError, match=r"data\.source-held"):
        project.data.land("deliveries", deliveries())
    assert asked == []


def test_a_cursor_is_forgotten_when_nothing_of_the_source_is_there(tmp_path):
    place = Loading(tmp_path, LOADED)
    place.load(tickets([[(1, 2)]]))
    other = Loading(tmp_path / "other", LOADED)
    shutil.copytree(tmp_path / ".wholeroad", tmp_path / "other" / ".wholeroad")
    assert other.load(tickets([[(1, 2)]]))[0].landed == 1


def test_tables_come_as_they_are_and_types_are_those_of_all(tmp_path):
    @dlt.resource(name="frames")
    def frames():
        at = datetime(2024, 1, 1, tzinfo=UTC)
        yield pl.DataFrame({"id": [1, 2], "at": [at, at], "x": [1, 2]}).to_arrow()
        yield pl.DataFrame({"id": [3], "at": [at], "x": [0.5], "z": ["late"]}).to_arrow()

    place = Loading(tmp_path, LOADED)
    (fact,) = place.load(frames())
    assert (fact.rows_in, fact.landed) == (3, 3)
    rows = place.versions().sort("id")
    assert rows["x"].to_list() == [1.0, 2.0, 0.5]
    assert rows["z"].to_list() == [None, None, "late"]


def test_values_of_python_keep_what_they_say(tmp_path):
    @dlt.resource(name="rows")
    def rows():
        yield {"id": 1, "at": datetime(2024, 1, 1, 6, tzinfo=UTC), "x": Decimal("1.25"), "y": float("nan")}
        yield {"id": 2, "at": "2024-01-02", "x": 3, "y": 0.5, "z": ["a"]}

    place = Loading(tmp_path, LOADED)
    place.load(rows())
    landed = place.versions().sort("id")
    assert landed["at"].to_list() == [datetime(2024, 1, 1, 6, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)]
    assert landed["x"].to_list() == [1.25, 3.0]
    assert landed["y"].to_list() == [None, 0.5]
    assert landed["z"].to_list() == [None, '["a"]']


def test_what_is_no_resource_is_refused(tmp_path):
    @dlt.source(name="both")
    def both():
        return [dlt.resource([{"id": 1}], name="a"), dlt.resource([{"id": 2}], name="b")]

    place = Loading(tmp_path, LOADED)
    for wrong, words in ((both(), "a, b"), ([{"id": 1}], "list")):
        with pytest.raises(UserError) as refused:
            place.load(wrong)
        assert refused.value.code == "origin.kind"
        assert words in refused.value.happened
    (fact,) = place.load(
        dlt.resource([{"id": 1, "at": "2024-01-01"}], name="one").add_map(lambda row: row | {"x": 1})
    )
    assert fact.landed == 1


QUIET = """
import sys
from pathlib import Path

called = []
sys.addaudithook(lambda event, _: called.append(event) if event.startswith("socket.") else None)
sys.path[:0] = [{tests!r}]
import test_origins
from dlt.common.runtime import anon_tracker

test_origins.Loading(Path({folder!r}) / "project", test_origins.LOADED).load(test_origins.tickets([[(1, 2)]]))
print([event for event in called if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto")])
print(anon_tracker._THREAD_POOL, anon_tracker._ANON_TRACKER_ENDPOINT)
"""


def test_nothing_is_sent_and_no_pipeline_is_made(tmp_path):
    script = QUIET.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        env={**os.environ, "DLT_DATA_DIR": str(tmp_path / "dlt")},
    )
    assert done.stdout.decode().split("\n")[:2] == ["[]", "None None"], done.stderr.decode()
    assert not (tmp_path / "dlt").exists()
