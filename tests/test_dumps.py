"""Successive dumps of one table: a folder of files becomes versions, in whatever portions they come."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import wholeroad
import worlds
from wholeroad.adapters import slicing
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.dumps import dumped_at
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.reading import readings
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY, UNITS, parse_instant
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Arrival, Intake, quarantine_of, table_of
from wholeroad.road.brief.contract import CsvTable, SourceTable
from wholeroad.road.data.casting import JointTypes, infer, parse
from wholeroad.road.data.content import logical_hash
from wholeroad.road.data.versioning import to_versions

STATE = SourceTable(read="dumps", key="id", happened_at="landed", known_at="landed")
CLAIMED = SourceTable(read="dumps/*.csv", key="id", happened_at="at", known_at="at")
GONE = STATE.model_copy(update={"absent": "deleted"})
CSV = CsvTable()
NOW = parse_instant("2025-01-01")
laws = settings(max_examples=30, deadline=None)


class Tables(MemoryTables):
    """Tables whose writer dies before one append more than it has left."""

    left: int | None = None

    def append(self, table, frame, *, writer, version):
        if self.left is not None:
            if not self.left:
                self.left = None
                raise KeyboardInterrupt
            self.left -= 1
        return super().append(table, frame, writer=writer, version=version)


class Place:
    """A project's folder with its sources' intake."""

    def __init__(self, root: Path, source: SourceTable) -> None:
        self.root, self.source = root, source
        self.tables, self.ledger = Tables(), MemoryLedger(decode)
        self.intake = Intake(self.tables, self.ledger)
        (root / "dumps").mkdir(parents=True)

    def put(self, name: str, text: str) -> None:
        (self.root / "dumps" / name).write_text(text)

    def land(self, now: int = NOW, *, imported: bool = True):
        facts = []
        for reading in readings(self.root, "table", source=self.source, landed=self.intake):
            arrival = Arrival(now, imported=imported, origin=reading.origin, dumped_at=reading.dumped_at)
            facts.append(self.intake.take_parts("table", self.source, parts=reading.parts, arrival=arrival))
        return facts

    def versions(self) -> pl.DataFrame:
        return to_versions(self.tables.read(table_of("table", self.source)), self.source, name="table").frame

    def seen(self) -> list[tuple]:
        """Every version: key, value, day it was known, whether it says gone."""
        day = pl.col("_known_at").dt.strftime("%m-%d")
        return sorted(self.versions().select("id", "x", day, "_deleted").rows())


def written(rows: dict[str, str]) -> str:
    return "id,x\n" + "".join(f"{key},{x}\n" for key, x in rows.items())


states = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.sampled_from(["1", "2", ""]), max_size=4)


# Laws


@laws
@given(st.lists(states, min_size=1, max_size=6), st.data(), st.sampled_from([STATE, GONE]))
def test_dumps_landed_as_they_come_or_all_at_once_give_the_same_versions(dumps, data, source):
    with TemporaryDirectory() as folder:
        once, daily = Place(Path(folder) / "once", source), Place(Path(folder) / "daily", source)
        for day, rows in enumerate(dumps, start=1):
            for place in (once, daily):
                place.put(f"state-2024-03-{day:02}.csv", written(rows))
            if data.draw(st.booleans()):
                daily.land()
        once.land()
        daily.land()
        assert once.land() == daily.land() == []
        assert_frame_equal(daily.versions(), once.versions())
        assert logical_hash(daily.versions()) == logical_hash(once.versions())


@laws
@given(st.lists(states, min_size=1, max_size=6), st.booleans())
def test_versions_say_what_the_dumps_said_on_each_day(dumps, deleted):
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), GONE if deleted else STATE)
        state = {}
        expected = []
        for day, rows in enumerate(dumps, start=1):
            place.put(f"{2024}-03-{day:02}.csv", written(rows))
            state = dict(rows) if deleted else {**state, **rows}
            expected.append(dict(state))
        place.land()
        frame = place.versions()
        for day, rows in enumerate(expected, start=1):
            at = datetime(2024, 3, day + 1, tzinfo=UTC)
            known = pl.col("_known_at") <= at
            open_ended = pl.col("_superseded_at").is_null() | (pl.col("_superseded_at") > at)
            standing = frame.filter(known & open_ended & ~pl.col("_deleted"))
            said = {str(key): x for key, x in standing.select("id", "x").rows()}
            assert {key: _text(x) for key, x in said.items()} == rows


def _text(x) -> str:
    return "" if x is None else str(x)


@laws
@given(st.permutations(range(4)), st.lists(st.sampled_from("ab"), min_size=4, max_size=4))
def test_where_rows_bring_their_own_stamp_dumps_may_come_in_any_order(order, keys):
    with TemporaryDirectory() as folder:
        once, late = Place(Path(folder) / "once", CLAIMED), Place(Path(folder) / "late", CLAIMED)
        for number in order:
            text = f"id,x,at\n{keys[number]},{number},2024-01-0{number + 1}\n"
            once.put(f"part-{number}.csv", text)
            late.put(f"part-{number}.csv", text)
            late.land()
        once.land()
        assert_frame_equal(late.versions(), once.versions())


@laws
@given(
    st.lists(
        st.sampled_from(["1", "-7", "1.5", "12345678901234567", "007", "true", "x", "2024-01-01", ""]),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_types_of_parts_come_to_the_types_of_the_whole(texts, size):
    joint = JointTypes()
    for start in range(0, len(texts), size):
        part = pl.Series("x", [text or None for text in texts[start : start + size]], dtype=pl.String)
        kind = infer(part)
        joint.add(pl.DataFrame([part.cast(kind) if kind == pl.Null() else parse(part, kind)]))
    assert joint.kinds == {"x": infer(pl.Series("x", [text or None for text in texts], dtype=pl.String))}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["1", "", "a,b", 'say "hi"', "two\nlines", "é"]), min_size=2, max_size=2)
    ),
    st.integers(5, 60),
    st.booleans(),
)
def test_slices_of_a_csv_hold_its_rows_once_and_in_order(rows, size, windows):
    def quoted(text):
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text

    end = "\r\n" if windows else "\n"
    lines = ["one,two", *(",".join(map(quoted, row)) for row in rows)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "all.csv"
        path.write_bytes((end.join(lines) + end).encode())
        types = {"one": "text", "two": "text"}
        parts = []
        for part, csv in slicing.csv_slices(path, CSV, into=Path(folder), size=size):
            parts.append(read_rows(part, types, csv=csv).frame)
        assert_frame_equal(pl.concat(parts), read_rows(path, types).frame)


# Names, order and what is refused


@pytest.mark.parametrize(
    ("name", "timezone", "instant"),
    [
        ("2024-01-31.csv", None, "2024-02-01T00:00:00Z"),
        ("shop_20240131.parquet", None, "2024-02-01T00:00:00Z"),
        ("2024-01-31T06-00.csv", None, "2024-01-31T06:00:00Z"),
        ("2024-01-31T060030Z.csv", "Europe/Vienna", "2024-01-31T06:00:30Z"),
        ("2024-01-31.csv", "America/New_York", "2024-02-01T05:00:00Z"),
        ("from-2024-01-01-to-2024-01-31.csv", None, "2024-02-01T00:00:00Z"),
        ("customer-12345678.csv", None, None),
        ("export-2024-13-01.csv", None, None),
        ("export-3.csv", None, None),
    ],
)
def test_the_name_of_a_dump_tells_when_it_was_taken(name, timezone, instant):
    assert dumped_at(name, timezone) == (None if instant is None else parse_instant(instant))


def test_a_then_b_then_a_are_three_versions_and_an_identical_dump_none(tmp_path):
    place = Place(tmp_path, STATE)
    for day, x in enumerate(["1", "2", "2", "1", "1"], start=1):
        place.put(f"2024-03-{day:02}.csv", written({"a": x, "b": "9"}))
    assert [fact.landed for fact in place.land()] == [2, 1, 0, 1, 0]
    assert place.seen() == [
        ("a", 1, "03-02", False),
        ("a", 1, "03-05", False),
        ("a", 2, "03-03", False),
        ("b", 9, "03-02", False),
    ]


def test_rows_missing_from_a_dump_are_kept_unless_absent_is_deleted(tmp_path):
    for source, rows in ((STATE, []), (GONE, [("b", 1, "03-03", True), ("b", 1, "03-04", False)])):
        place = Place(tmp_path / source.absent, source)
        for day, keys in enumerate(["ab", "a", "ab"], start=1):
            place.put(f"2024-03-{day:02}.csv", written(dict.fromkeys(keys, "1")))
        place.land()
        assert place.seen() == [("a", 1, "03-02", False), ("b", 1, "03-02", False), *rows]


def test_landed_at_never_goes_back_though_dumps_are_of_the_past(tmp_path):
    place = Place(tmp_path, STATE)
    place.put("2024-03-01.csv", written({"a": "1"}))
    place.put("2024-03-02.csv", written({"a": "2"}))
    facts = place.land()
    assert [fact.at for fact in facts] == [NOW, NOW]
    assert place.tables.read(table_of("table", STATE))["_landed_at"].n_unique() == 1
    assert [fact.dumped_at for fact in facts] == [parse_instant("2024-03-02"), parse_instant("2024-03-03")]


def test_nothing_is_dumped_after_it_landed(tmp_path):
    place = Place(tmp_path, STATE)
    place.put("2030-01-01.csv", written({"a": "1"}))
    (fact,) = place.land()
    assert fact.dumped_at == NOW
    assert place.versions()["_known_at"].to_physical().to_list() == [NOW]


def test_live_a_dump_is_known_when_it_landed(tmp_path):
    place = Place(tmp_path, STATE)
    place.put("2024-03-01.csv", written({"a": "1"}))
    place.land(imported=False)
    assert place.versions()["_known_at"].to_physical().to_list() == [NOW]


def test_a_dump_older_than_one_that_has_landed_is_refused_and_lands_nothing(tmp_path):
    place = Place(tmp_path, STATE)
    place.put("2024-03-02.csv", written({"a": "1"}))
    place.land()
    place.put("2024-03-01.csv", written({"a": "0"}))
    with pytest.raises(UserError, match=r"data\.dump-out-of-order") as caught:
        place.land()
    assert "2024-03-02T00:00:00Z" in caught.value.happened
    assert place.versions().height == 1


def test_a_dump_without_a_date_is_refused_where_its_instant_counts(tmp_path):
    place = Place(tmp_path / "state", STATE)
    place.put("export.csv", written({"a": "1"}))
    with pytest.raises(UserError, match=r"data\.dump-undated") as caught:
        place.land()
    assert "dumps/export.csv" in caught.value.happened
    stamped = Place(tmp_path / "stamped", CLAIMED)
    stamped.put("export.csv", "id,x,at\na,1,2024-01-01\n")
    assert [fact.landed for fact in stamped.land()] == [1]


def test_no_dumps_at_all_are_said(tmp_path):
    for source in (STATE, CLAIMED):
        place = Place(tmp_path / source.read.partition("/")[2], source)
        (place.root / "dumps" / ".2024-01-01.csv").write_text("half")
        (place.root / "dumps" / "notes.txt").write_text("none")
        with pytest.raises(UserError, match=r"data\.dumps-missing"):
            place.land()


def test_dumps_that_landed_are_landed_anew_when_their_table_is_gone(tmp_path):
    place = Place(tmp_path, GONE)
    for day, keys in enumerate(["ab", "a", "ab"], start=1):
        place.put(f"2024-03-{day:02}.csv", written(dict.fromkeys(keys, "1")))
    place.land()
    before = place.versions()
    place.tables._parts.pop(table_of("table", GONE))
    place.tables.left = 1
    with pytest.raises(KeyboardInterrupt):
        place.land()
    place.land()
    assert_frame_equal(place.versions(), before)


@laws
@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=5), max_size=4))
def test_landing_dumps_again_without_a_ledger_changes_nothing(dumps):
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), GONE)
        place.put("2024-03-01.csv", "id,x\na,1\n")
        for day, rows in enumerate(dumps, start=2):
            place.put(f"2024-03-{day:02}.csv", "id,x\n" + "".join(f"{key},{x}\n" for key, x in rows))
        place.land()
        before = place.tables.read(table_of("table", GONE))
        place.intake = Intake(place.tables, MemoryLedger(decode))
        assert {fact.landed + fact.deleted for fact in place.land()} == {0}
        assert_frame_equal(place.tables.read(table_of("table", GONE)), before)


def test_a_changed_pattern_lands_no_dump_twice(tmp_path):
    place = Place(tmp_path, STATE)
    place.put("2024-03-01.csv", written({"a": "1"}))
    place.put("2024-03-02.csv", written({"a": "2"}))
    place.land()
    place.source = STATE.model_copy(update={"read": "dumps/2024-*.csv"})
    assert place.land() == []


# Parts of one batch


@pytest.mark.parametrize("imported", [True, False])
@pytest.mark.parametrize("source", [STATE, GONE, CLAIMED], ids=["state", "gone", "claimed"])
def test_a_file_in_parts_is_the_same_batch(tmp_path, monkeypatch, source, imported):
    whole, parts = Place(tmp_path / "whole", source), Place(tmp_path / "parts", source)
    for day in (1, 2):
        rows = [f"k{number % 90},{number % 7 * day},2024-0{day}-01" for number in range(day, 300)]
        rows.insert(150, "bad,1")
        for place in (whole, parts):
            place.put(f"2024-0{day}-03.csv", "id,x,at\n" + "\n".join(rows) + "\n")
    facts = whole.land(imported=imported)
    monkeypatch.setattr(slicing, "SLICE", 500)
    again = parts.land(imported=imported)
    assert [(one.landed, one.repeated, one.quarantined, one.deleted) for one in again] == [
        (one.landed, one.repeated, one.quarantined, one.deleted) for one in facts
    ]
    if imported:
        assert_frame_equal(parts.versions(), whole.versions())
    own = ["id", "x", "_known_at", "_claimed_at", "_seq", "_version", "_deleted"]
    stored = [place.tables.read(table_of("table", source)).select(own) for place in (whole, parts)]
    assert_frame_equal(*stored)
    aside = [place.tables.read(quarantine_of("table", source)) for place in (whole, parts)]
    assert_frame_equal(*aside)


def test_a_column_whose_type_shows_late_is_of_one_type_in_all_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE", 200)
    place = Place(tmp_path, CLAIMED)
    rows = [f"k{number},{number if number < 90 else 0.5},2024-01-01" for number in range(100)]
    place.put("one.csv", "id,x,at\n" + "\n".join(rows) + "\n")
    place.land()
    assert place.versions().schema["x"] == pl.Float64
    assert place.versions().height == 100


def test_a_landing_that_was_stopped_between_parts_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE", 200)
    whole, stopped = Place(tmp_path / "whole", GONE), Place(tmp_path / "stopped", GONE)
    for place in (whole, stopped):
        place.put("2024-03-01.csv", written({f"k{number}": str(number % 3) for number in range(100)}))
        place.put("2024-03-02.csv", written({f"k{number}": str(number % 4) for number in range(20, 100)}))
    whole.land()
    for allowed in range(1, 40):
        stopped.tables.left = allowed
        try:
            stopped.land()
        except KeyboardInterrupt:
            continue
        break
    assert allowed > 3
    own = pl.exclude("_seq", "_landed_at")
    assert_frame_equal(stopped.versions().select(own), whole.versions().select(own))


def test_parquet_comes_in_parts_too(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE", 1)
    place = Place(tmp_path, CLAIMED.model_copy(update={"read": "dumps"}))
    frame = pl.DataFrame({"id": range(25_000), "x": 1.5, "at": datetime(2024, 1, 1, tzinfo=UTC)})
    frame.write_parquet(tmp_path / "dumps" / "one.parquet")
    (fact,) = place.land()
    assert fact.landed == 25_000
    assert place.tables.version(table_of("table", place.source), "intake") == 3
    assert place.tables.read(table_of("table", place.source))["id"].to_list() == list(range(25_000))


def test_nothing_is_left_of_the_slices(tmp_path, monkeypatch):
    monkeypatch.setattr(slicing, "SLICE", 200)
    place = Place(tmp_path, STATE)
    place.put("2024-03-01.csv", written({f"k{number}": "1" for number in range(100)}))
    place.land()
    assert not (tmp_path / ".wholeroad" / "arriving").exists()


# Through a project


def test_a_project_lands_a_folder_of_dumps_and_goes_on_from_there(tmp_path):
    depots = 'read = "depots"\nkey = "depot"\nhappened_at = "landed"\nknown_at = "landed"\n'
    feature = '[feature]\nopen = { latest = "depots.is_open", by = "depot" }\n'
    brief = worlds.BRIEF.replace("[feature]\n", f"[source.depots]\n{depots}{feature}")
    folder = worlds.write(tmp_path, *worlds.parcels(), brief=brief)
    (folder / "depots").mkdir()
    for day, state in ((1, "yes"), (10, "no"), (20, "yes")):
        text = "depot,is_open\nA,yes\nB," + state + "\n"
        (folder / "depots" / f"depots-2024-01-{day:02}.csv").write_text(text)
    clock = SteppedClock(worlds.at(days=100))
    project = wholeroad.open(folder, clock=clock)
    assert len(project.land()) == 5
    assert project.land() == []
    frame = project.versions("depots").frame
    assert frame.filter(depot="B")["is_open"].to_list() == ["yes", "no", "yes"]
    shutil.copy(folder / "depots" / "depots-2024-01-10.csv", folder / "depots" / "depots-2024-01-30.csv")
    assert [fact.landed for fact in project.land()] == [1]
    clock.step_to(worlds.at(days=100) + DAY + UNITS["h"])
    assert project.land() == []
