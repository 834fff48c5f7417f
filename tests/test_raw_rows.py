"""Raw rows stay: what a mend or a contract makes of them can be made anew, held back, and killed midway."""

import io
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from wholeroad.adapters import slicing
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.reading import readings
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.engine.facts import Opened, RunBegan, decode
from wholeroad.engine.fold import fold
from wholeroad.engine.intake import Arrival, Intake, quarantine_of, table_of
from wholeroad.engine.manifests import still_aside
from wholeroad.engine.raw import RawRows
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.data.batches import SYSTEM
from wholeroad.road.data.facts import BatchLanded, SourceHeld, SourceReleased

NOW = parse_instant("2025-01-01")
laws = settings(max_examples=30, deadline=None)

CLAIMED = SourceTable(read="dumps", key="id", happened_at="at", known_at="at")
STATE = SourceTable(read="dumps", key="id", happened_at="landed", known_at="landed")
GONE = STATE.model_copy(update={"absent": "deleted"})
STATIC = SourceTable(read="dumps", key="id", static=True)
SOURCES = [CLAIMED, STATE, GONE, STATIC]

MENDS = {
    "none": None,
    "unit": [{"unit": "x", "factor": 10, "where": "x < 2"}],
    "nothing": [{"nothing": "x", "values": [-9]}, {"fill": "s", "with": "?", "flag": "s_empty"}],
    "drop": [{"drop": "x = 3", "reason": "tests of the scale"}, {"clip": "x", "range": [0, 5]}],
    "duplicates": [{"deduplicate": ["id", "x"]}, {"map": "s", "values": {"a": "A"}}],
    "split": [{"split": "s", "at": "-", "into": ["left", "right"]}],
}
CONTRACTS = {
    "none": None,
    "range": {"column": {"x": {"range": [0, 100]}}},
    "whole": {"column": {"s": {"null_share": 0.0}, "x": {"unique": True}}},
}


def made(source, mend="none", contract="none"):
    steps = MENDS[mend] if isinstance(mend, str) else mend
    clauses = CONTRACTS[contract] if isinstance(contract, str) else contract
    return source.model_copy(
        update={
            "mend": None if steps is None else MendTable.model_validate({"steps": steps}),
            "contract": None if clauses is None else ContractTable.model_validate(clauses),
        }
    )


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
    """A source with its intake, and a folder of dumps where a test needs one."""

    def __init__(self, source, root=None, others=None):
        self.source, self.root = source, root
        self.tables, self.ledger, self.blobs = Tables(), MemoryLedger(decode), MemoryBlobs()
        self.intake = Intake(self.tables, self.ledger, blobs=self.blobs, sources=others or {})
        if root is not None:
            (root / "dumps").mkdir(parents=True)

    def put(self, name, text):
        (self.root / "dumps" / name).write_text(text)

    def take(self, parts, at=NOW, *, imported=True, **arrival):
        arrival = Arrival(at, imported=imported, **arrival)
        return self.intake.take_parts("table", self.source, parts=parts, arrival=arrival)

    def land(self, at=NOW, *, imported=True):
        """What a project does: from raw rows, from files, from raw rows that came beside the files."""
        facts = self.intake.land_again("table", self.source, now=at)
        first = imported and self.intake.is_first("table", self.source)
        for each in readings(self.root, "table", source=self.source, landed=self.intake):
            arrival = Arrival(
                at, imported=first, origin=each.origin, dumped_at=each.dumped_at, read=each.shown
            )
            facts.append(self.intake.take_parts("table", self.source, parts=each.parts, arrival=arrival))
        return facts + self.intake.land_again("table", self.source, now=at, rest=True)

    def facts(self, kind=BatchLanded):
        return [fact for _, fact in self.ledger.read() if isinstance(fact, kind)]

    def stored(self, source=None):
        table = table_of("table", source or self.source)
        return self.tables.read(table) if self.tables.exists(table) else None

    def aside(self, source=None):
        table = quarantine_of("table", source or self.source)
        return self.tables.read(table) if self.tables.exists(table) else pl.DataFrame()

    def held(self):
        return fold(fact for _, fact in self.ledger.read()).held.get("table")


def assert_adds_up(place):
    for source in {fact.reading for fact in place.facts()}:
        facts = [fact for fact in place.facts() if fact.reading == source]
        assert all(each.rows_in == each.landed + each.repeated + each.quarantined for each in facts)
        stored = place.tables.read(f"source_table_{source}")
        assert stored.height == sum(each.landed + each.deleted for each in facts)
        assert stored["_seq"].to_list() == [*range(1, stored.height + 1)]
        for each in facts:
            assert 1 <= each.first_seq <= stored.height + 1
        if place.tables.exists(f"quarantine_table_{source}"):
            aside = place.tables.read(f"quarantine_table_{source}")
            assert aside.height == sum(each.quarantined for each in facts)


def frame_of(rows):
    schema = {"id": pl.String, "x": pl.Float64, "s": pl.String, "at": pl.Datetime("us", "UTC")}
    at = datetime(2024, 1, 1, tzinfo=UTC)
    data = [(key, x, s, at + timedelta(days=day)) for key, x, s, day in rows]
    return pl.DataFrame(data, schema=schema, orient="row")


def bad_of(rows):
    return pl.DataFrame(
        {
            "id": [key for key, _ in rows],
            "x": ["?" for _ in rows],
            "_row": [place for _, place in rows],
            "_code": ["data.not-castable"] * len(rows),
            "_reason": ["r"] * len(rows),
        },
        schema_overrides={"id": pl.String, "x": pl.String, "_row": pl.Int64},
    )


some_rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from([-9.0, 0.0, 1.0, 3.0, 400.0, None]),
        st.sampled_from(["a", "b-c", "a-b", None]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=8,
)
some_parts = st.lists(st.tuples(some_rows, st.booleans()), min_size=1, max_size=3)
some_batches = st.lists(st.tuples(some_parts, st.booleans()), min_size=1, max_size=4)


def parts_of(parts):
    return [(frame_of(rows), bad_of([("z", 1)]) if bad else None) for rows, bad in parts]


def taken(place, batches):
    for day, (parts, imported) in enumerate(batches):
        given = parts_of(parts)
        if place.source.static:
            given = [(pl.concat([each for each, _ in given]), None)]
        place.take(given, NOW + day * DAY, imported=imported)


# Laws


@laws
@given(some_batches, st.sampled_from(SOURCES), st.sampled_from([*MENDS]), st.sampled_from([*CONTRACTS]))
def test_rows_in_are_landed_repeated_or_set_aside_under_any_mend_and_contract(
    batches, source, mend, contract
):
    place = Place(made(source, mend, contract))
    taken(place, batches)
    taken(place, batches[:1])
    assert_adds_up(place)


@laws
@given(some_batches, st.sampled_from([*MENDS]), st.sampled_from(["none", "range"]))
def test_landing_twice_lands_nothing(batches, mend, contract):
    place = Place(made(CLAIMED, mend, contract))
    whole = [(parts, True) for parts, _ in batches]
    taken(place, whole)
    before, aside = place.stored(), place.aside()
    kept = dict(place.blobs._blobs)
    for fact in [*place.facts()]:
        again = place.take(raw_of(place, fact), NOW + 9 * DAY)
        assert (again.landed, again.quarantined) == (0, 0)
    assert_frame_equal(place.stored(), before)
    assert_frame_equal(place.aside(), aside)
    assert place.blobs._blobs == kept


def raw_of(place, fact):
    raw = RawRows(place.blobs)
    return [(part.rows, part.bad) for part in raw.parts(fact.raw)]


@laws
@given(
    some_batches,
    st.sampled_from(SOURCES),
    st.sampled_from([*MENDS]),
    st.sampled_from([*MENDS]),
    st.sampled_from([*CONTRACTS]),
    st.integers(0, 6),
)
def test_landing_again_from_raw_rows_is_landing_under_the_new_mend_from_the_start(
    batches, source, before, after, contract, kills
):
    changed, fresh = Place(made(source, before)), Place(made(source, after, contract))
    taken(changed, batches)
    taken(fresh, batches)
    changed.source = fresh.source
    same = len(changed.facts())
    changed.tables.left = kills
    for _ in range(2):
        try:
            changed.intake.land_again("table", changed.source, now=NOW + 99 * DAY)
        except KeyboardInterrupt:
            continue
    changed.tables.left = None
    assert_frame_equal(changed.stored(), fresh.stored())
    if changed.aside().height or fresh.aside().height:
        assert_frame_equal(changed.aside(), fresh.aside())
    if (before, contract) != (after, "none"):
        again = changed.facts()[same:]
        said = [(each.batch, each.at, each.imported, each.dumped_at, each.rows_in) for each in again]
        assert said == [(e.batch, e.at, e.imported, e.dumped_at, e.rows_in) for e in fresh.facts()]
        assert all(each.again for each in again)
    assert changed.intake.land_again("table", changed.source, now=NOW + 100 * DAY) == []


@laws
@given(some_batches, some_batches, st.sampled_from(SOURCES), st.sampled_from([*MENDS][1:]))
def test_taking_the_mend_away_gives_the_unmended_versions_back(batches, more, source, mend):
    place, plain = Place(source), Place(source)
    taken(place, batches)
    place.source = made(source, mend)
    every = [*batches, *more]
    for day, (parts, imported) in enumerate(every):
        where = [plain, place] if day >= len(batches) else [plain]
        for each in where:
            given = parts_of(parts)
            if source.static:
                given = [(pl.concat([frame for frame, _ in given]), None)]
            each.take(given, NOW + day * DAY, imported=imported)
    place.source = source
    place.intake.land_again("table", source, now=NOW + 99 * DAY)
    assert_frame_equal(place.stored(), plain.stored())
    if plain.aside().height:
        assert_frame_equal(place.aside(), plain.aside())


@pytest.mark.parametrize("kills", range(6))
def test_a_batch_that_says_one_row_twice_lands_again_though_it_is_stopped(kills):
    there_and_back = [([("b", 1.0, "b", 0)], False), ([("b", -9.0, "b", 1)], True)]
    batches = [([([("b", 1.0, "b", 0)], False)], True), (there_and_back, False), (there_and_back, False)]
    changed, fresh = Place(GONE), Place(made(GONE, contract="range"))
    taken(changed, batches)
    taken(fresh, batches)
    changed.source, changed.tables.left = fresh.source, kills
    for _ in range(2):
        try:
            changed.intake.land_again("table", fresh.source, now=NOW + 99 * DAY)
        except KeyboardInterrupt:
            continue
    assert_frame_equal(changed.stored(), fresh.stored())
    assert_frame_equal(changed.aside(), fresh.aside())
    assert_adds_up(changed)


# Raw rows as they came


def test_a_batch_of_two_equal_parts_lands_again_with_both():
    changed, fresh = Place(CLAIMED), Place(made(CLAIMED, contract="range"))
    twice = [([("a", -9.0, "a", 0)], False)] * 2
    taken(changed, [(twice, False)])
    taken(fresh, [(twice, False)])
    (entry, same) = changed.facts()[0].raw
    assert entry == same
    (again,) = changed.intake.land_again("table", fresh.source, now=NOW + DAY)
    (first,) = fresh.facts()
    assert (again.rows_in, again.quarantined) == (first.rows_in, first.quarantined) == (2, 1)
    assert_frame_equal(changed.aside(fresh.source), fresh.aside())


def test_raw_rows_come_back_in_every_type_that_parquet_has():
    frame = pl.DataFrame(
        {
            "integer": pl.Series([1, None], dtype=pl.UInt8),
            "category": pl.Series(["a", None], dtype=pl.Categorical),
            "choice": pl.Series(["a", None], dtype=pl.Enum(["b", "a"])),
            "span": [timedelta(hours=1), None],
            "time": [time(7), None],
            "list": [[1, 2], []],
            "pair": [{"a": 1}, None],
            "bytes": [b"\0x", b""],
            "nothing": [None, None],
            "money": [Decimal("1.20"), None],
            "local": pl.Series([0, None]).cast(pl.Datetime("ns", "Europe/Vienna")),
            "number": [float("nan"), -0.0],
        }
    )
    blobs = MemoryBlobs()
    raw = RawRows(blobs)
    entry = raw.keep(frame, bad_of([("z", 3)]))
    part = raw.part(entry)
    assert part.rows.schema == frame.schema
    assert_frame_equal(part.rows, frame)
    assert_frame_equal(part.bad, bad_of([("z", 3)]))
    assert raw.keep(frame.clone(), bad_of([("z", 3)])) == entry
    assert len(blobs._blobs) == 2
    key = entry.partition("-")[0]
    assert_frame_equal(pl.read_parquet(io.BytesIO(blobs.get("raw", key))), frame)


class Odd:
    """An object of somebody's own."""

    def __str__(self):
        return "odd"


def test_an_object_is_kept_as_its_text():
    raw = RawRows(MemoryBlobs())
    frame = pl.DataFrame({"o": pl.Series([Odd(), None], dtype=pl.Object)})
    assert raw.part(raw.keep(frame, None)).rows["o"].to_list() == ["odd", None]


def test_raw_rows_that_are_gone_are_said():
    raw = RawRows(MemoryBlobs())
    entry = RawRows(MemoryBlobs()).keep(frame_of([("a", 1.0, "s", 0)]), None)
    assert not raw.there([entry])
    with pytest.raises(UserError, match=r"data\.raw-missing"):
        raw.part(entry)


def test_the_quarantine_shows_a_row_as_it_came_not_as_it_was_mended():
    place = Place(made(CLAIMED, [{"unit": "x", "factor": 10}], {"column": {"x": {"range": [0, 10]}}}))
    place.take([(frame_of([("a", 7.0, "s", 0)]), None)])
    (row,) = place.aside().to_dicts()
    assert '"x":7.0' in row["row"]
    assert "70" in row["reason"]


def test_a_source_without_mend_and_hold_keeps_no_raw_rows_of_its_files(tmp_path):
    place = Place(made(CLAIMED, contract="range"), tmp_path)
    place.put("one.csv", "id,x,at\na,1,2024-01-01\n")
    place.land()
    assert place.blobs._blobs == {}
    place.take([(frame_of([("b", 1.0, None, 0)]).drop("s"), None)])
    assert len(place.blobs._blobs) == 1
    assert place.facts()[-1].raw != ()


def test_a_batch_names_what_was_read_and_what_was_done(tmp_path):
    place = Place(made(CLAIMED, [{"clip": "x", "range": [0, 5]}], "range"), tmp_path)
    place.put("one.csv", "id,x,at\na,9,2024-01-01\nb,1,2024-01-01\nc\n")
    (fact,) = place.land()
    assert (fact.read, fact.mended, fact.broken) == ("dumps/one.csv", {"clip x": 1}, {})
    assert (fact.rows_in, fact.landed, fact.quarantined, fact.first_seq) == (3, 2, 1, 1)
    assert fact.mend
    assert raw_of(place, fact)[0][0]["x"].to_list() == [9, 1]


# From files to raw rows, and back


def dump(rows):
    return "id,x\n" + "".join(f"{key},{x}\n" for key, x in rows.items())


states = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from(["1", "2", "-9", ""]), max_size=3)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(states, st.sampled_from(["unit", "clip", "none"])), min_size=2, max_size=5),
    st.sampled_from([STATE, GONE]),
    st.booleans(),
)
def test_dumps_land_once_however_often_the_mend_changes(dumps, source, live):
    clip = [{"clip": "x", "range": [0, 5]}]
    with TemporaryDirectory() as folder:
        place, fresh = Place(source, Path(folder) / "changed"), Place(source, Path(folder) / "fresh")
        for day, (rows, mend) in enumerate(dumps, start=1):
            place.source = made(source, clip if mend == "clip" else mend)
            for each in (place, fresh):
                each.put(f"2024-03-{day:02}.csv", dump({"k": "1", **rows}))
            place.land(NOW + day * DAY, imported=not live)
            assert place.land(NOW + day * DAY, imported=not live) == []
            assert_adds_up(place)
            fresh.source = place.source
        for day in range(1, len(dumps) + 1):
            name = f"2024-03-{day:02}.csv"
            text = (fresh.root / "dumps" / name).read_text()
            (fresh.root / "dumps" / name).unlink()
            dumps[day - 1] = (name, text)
        for day, (name, text) in enumerate(dumps, start=1):
            fresh.put(name, text)
            fresh.land(NOW + day * DAY, imported=not live)
        assert_frame_equal(place.stored(), fresh.stored())


def test_a_mend_that_is_added_later_keeps_the_instants_at_which_live_rows_counted(tmp_path):
    place = Place(CLAIMED, tmp_path)
    place.put("one.csv", "id,x,at\na,1,2024-01-01\n")
    place.land(NOW)
    place.ledger.append([Opened(at=NOW, manifest="m"), RunBegan(at=NOW, until_at=NOW + 1)])
    place.put("two.csv", "id,x,at\nb,1,2024-01-02\n")
    place.land(NOW + DAY)
    place.take(
        [(pl.DataFrame({"id": ["c"], "x": [1], "at": [datetime(2024, 1, 3, tzinfo=UTC)]}), None)],
        NOW + 2 * DAY,
    )
    before = place.stored()
    place.source = made(CLAIMED, "unit")
    place.put("xyz.csv", "id,x,at\nd,1,2024-01-04\n")
    place.land(NOW + 3 * DAY)
    after = place.stored()
    assert after["x"].to_list() == [10, 10, 10, 10]
    own = ["id", "_landed_at", "_known_at"]
    assert_frame_equal(after.select(own).head(2), before.select(own).head(2))
    assert set(after.select(own).rows()) >= set(before.select(own).rows())
    new = after.filter(id="d")["_known_at"].to_physical().to_list()
    assert new == [NOW + 3 * DAY]


def test_a_mend_that_is_removed_reads_no_file_again_and_lands_what_came_meanwhile(tmp_path):
    place = Place(STATE, tmp_path)
    place.put("2024-03-01.csv", dump({"a": "1"}))
    place.land(NOW)
    place.source = made(STATE, "unit")
    place.put("2024-03-02.csv", dump({"a": "2"}))
    place.land(NOW + DAY)
    (tmp_path / "dumps" / "2024-03-02.csv").unlink()
    place.source = STATE
    (fact,) = place.land(NOW + 2 * DAY)
    assert (fact.again, fact.read, fact.landed) == (True, "dumps/2024-03-02.csv", 1)
    assert place.stored()["x"].to_list() == [1, 2]


def test_a_column_that_is_parsed_is_read_as_text_in_every_file(tmp_path):
    steps = [{"parse": "x", "as": "number", "strip": ["kg"]}]
    place = Place(made(CLAIMED.model_copy(update={"types": {"x": "number"}}), steps), tmp_path)
    place.put("1.csv", "id,x,at\na,1,2024-01-01\n")
    place.put("2.csv", "id,x,at\nb,2 kg,2024-01-01\nc,oops,2024-01-01\n")
    place.land()
    assert place.stored()["x"].to_list() == [1.0, 2.0]
    assert place.aside()["code"].to_list() == ["mend.not-parsed"]


@pytest.mark.parametrize("comma", [False, True])
def test_a_row_that_the_reader_refused_lands_once_a_mend_wants_its_value_as_text(tmp_path, comma):
    update = {"csv": {"decimal": ",", "separator": ";"}} if comma else {}
    plain = SourceTable.model_validate({**CLAIMED.model_dump(exclude={"csv"}), **update})
    place = Place(made(plain, [{"clip": "y", "range": [0, 5]}]), tmp_path)

    def put(name, text):
        place.put(name, text.replace(",", ";").replace(".", ",") if comma else text)

    put("1.csv", "id,x,y,at\na,1.5,1,2024-01-01\n")
    put(
        "2.csv",
        "id,x,y,at\nb,2.5,1,2024-01-01\nc,3.5 kg,9,2024-01-01\nd,4.5,z,2024-01-01\ne,5,2,2024-01-01\n",
    )
    place.land()
    assert place.aside()["row_number"].to_list() == [2, 3]
    parse = {"parse": "x", "as": "number", "strip": ["kg"], "decimal": "," if comma else "."}
    place.source = made(plain, [{"clip": "y", "range": [0, 5]}, parse])
    place.land(NOW + DAY)
    assert sorted(place.stored()["x"].to_list()) == [1.5, 2.5, 3.5, 5.0]
    assert_adds_up(place)


def test_rows_at_hand_come_after_what_came_before_them_though_a_file_is_gone(tmp_path):
    place = Place(STATE, tmp_path)
    place.put("2024-03-01.csv", dump({"a": "1"}))
    place.land()
    rows = pl.DataFrame({"id": ["a"], "x": [2]})
    place.take([(rows, None)], NOW + DAY, imported=False)
    (tmp_path / "dumps" / "2024-03-01.csv").unlink()
    place.source = made(STATE, "unit")
    place.take([(rows.with_columns(x=3), None)], NOW + 2 * DAY, imported=False)
    assert [(fact.again, fact.at) for fact in place.facts()[2:]] == [
        (True, NOW + DAY),
        (False, NOW + 2 * DAY),
    ]
    assert place.stored()["x"].to_list() == [2, 3]


def test_some_rows_of_a_table_tell_of_none_that_are_gone_also_when_they_land_again():
    place = Place(GONE)
    place.take([(pl.DataFrame({"id": ["a", "b"], "x": [1, 1]}), None)])
    place.take([(pl.DataFrame({"id": ["a"], "x": [2]}), None)], NOW + DAY, whole=False)
    place.source = made(GONE, "unit")
    place.intake.land_again("table", place.source, now=NOW + 2 * DAY)
    assert place.stored().select("id", "x", "_deleted").rows() == [
        ("a", 10.0, False),
        ("b", 10.0, False),
        ("a", 2.0, False),
    ]


def test_what_nobody_can_read_again_is_kept_though_it_has_an_origin():
    place = Place(CLAIMED)
    place.take([(frame_of([("a", 1.0, "s", 0)]), None)], origin="load 7", kept=True)
    place.take([(frame_of([("b", 1.0, "s", 0)]), None)], origin="load 8")
    assert [bool(fact.raw) for fact in place.facts()] == [True, False]


def test_a_table_that_is_lost_comes_back_from_raw_rows():
    place = Place(STATE)
    taken(place, [([([("a", 1.0, "s", 0)], False)], False), ([([("a", 2.0, "s", 0)], False)], False)])
    before = place.stored()
    place.tables._parts.pop(table_of("table", STATE))
    place.intake.land_again("table", STATE, now=NOW + 9 * DAY)
    assert_frame_equal(place.stored(), before)


def test_a_batch_in_parts_is_the_same_batch_under_a_mend(tmp_path, monkeypatch):
    source = made(CLAIMED, [{"deduplicate": ["id"]}, {"clip": "x", "range": [0, 5]}], "range")
    whole, parts = Place(source, tmp_path / "whole"), Place(source, tmp_path / "parts")
    for each in (whole, parts):
        rows = "".join(f"k{n % 40},{n % 9},2024-01-01\n" for n in range(120))
        each.put("1.csv", f"id,x,at\n{rows}")
    (one,) = whole.land()
    monkeypatch.setattr(slicing, "SLICE", 300)
    (several,) = parts.land()
    assert len(several.raw) > 2
    assert (one.landed, one.quarantined, one.mended) == (several.landed, several.quarantined, several.mended)
    assert_frame_equal(parts.stored(), whole.stored())
    assert_frame_equal(parts.aside(), whole.aside())


# Held back

HOLD = {"if_broken": "hold", "column": {"x": {"range": [0, 10]}}}


def folder_of(tmp_path, source=CLAIMED, contract=HOLD, mend="none"):
    place = Place(made(source, mend, contract), tmp_path)
    place.put("1.csv", "id,x,at\na,1,2024-01-01\n")
    assert [fact.landed for fact in place.land()] == [1]
    place.put("2.csv", "id,x,at\nb,2,2024-01-02\nc,99,2024-01-02\n")
    place.put("3.csv", "id,x,at\nd,3,2024-01-03\n")
    return place


def test_a_batch_that_breaks_what_must_hold_lands_nothing_and_later_ones_wait(tmp_path):
    place = folder_of(tmp_path)
    (fact,) = place.land(NOW + DAY)
    assert isinstance(fact, SourceHeld)
    assert (fact.read, fact.rows_in, fact.clauses, fact.code) == (
        "dumps/2.csv",
        2,
        {"x range": 1},
        "contract.held",
    )
    assert "99" in fact.happened
    assert place.held() == fact
    assert place.stored().height == 1
    assert place.land(NOW + DAY) == []
    with pytest.raises(UserError, match=r"data\.source-held"):
        place.take([(frame_of([("e", 1.0, "s", 0)]), None)])


def test_an_accepted_batch_lands_whole_when_it_is_accepted_and_the_next_follows(tmp_path):
    place = folder_of(tmp_path)
    place.land(NOW + DAY)
    (tmp_path / "dumps" / "2.csv").unlink()
    fact = place.intake.release("table", place.source, now=NOW + 2 * DAY, asked_by="Ada")
    assert (fact.landed, fact.at, fact.broken) == (2, NOW + 2 * DAY, {"x range": 1})
    (released,) = place.facts(SourceReleased)
    assert (released.how, released.asked_by, released.batch) == ("accepted", "Ada", fact.batch)
    assert place.held() is None
    assert [each.read for each in place.land(NOW + 3 * DAY)] == ["dumps/3.csv"]
    assert_adds_up(place)


def test_what_sets_rows_aside_still_does_when_a_batch_is_accepted(tmp_path):
    contract = {"column": {"x": {"range": [0, 10]}, "id": {"allowed": ["a", "b"], "if_broken": "hold"}}}
    place = folder_of(tmp_path, contract=contract)
    place.land(NOW + DAY)
    fact = place.intake.release("table", place.source, now=NOW + 2 * DAY)
    assert (fact.landed, fact.quarantined) == (1, 1)


@pytest.mark.parametrize("source", [CLAIMED, CLAIMED.model_copy(update={"read": "dumps/2.csv"})])
def test_a_discarded_batch_never_lands(tmp_path, source):
    place = Place(made(source, "unit", HOLD), tmp_path)
    place.put("2.csv", "id,x,at\nc,99,2024-01-02\n")
    place.land()
    place.intake.release("table", place.source, now=NOW, how="discarded")
    assert place.held() is None
    assert place.land() == []
    place.source = made(source, "none")
    assert place.land() == []
    place.put("2.csv", "id,x,at\nc,9,2024-01-02\n")
    assert [fact.landed for fact in place.land()] == [1]


def test_another_file_of_the_name_takes_the_place_of_a_held_one(tmp_path):
    place = folder_of(tmp_path)
    place.land(NOW + DAY)
    place.put("2.csv", "id,x,at\nb,2,2024-01-02\nc,77,2024-01-02\n")
    place.land(NOW + 2 * DAY)
    assert "77" in place.held().happened
    place.put("2.csv", "id,x,at\nb,2,2024-01-02\nc,9,2024-01-02\n")
    assert [each.read for each in place.land(NOW + 3 * DAY)] == ["dumps/2.csv", "dumps/3.csv"]
    assert [each.how for each in place.facts(SourceReleased)] == ["superseded", "superseded"]
    assert place.held() is None


def test_another_mend_has_the_held_batch_looked_at_anew(tmp_path):
    place = folder_of(tmp_path)
    place.land(NOW + DAY)
    place.source = made(CLAIMED, [{"clip": "x", "range": [0, 5]}], HOLD)
    facts = place.land(NOW + 2 * DAY)
    assert [each.read for each in facts] == ["dumps/1.csv", "dumps/2.csv", "dumps/3.csv"]
    assert [each.how for each in place.facts(SourceReleased)] == ["changed"]
    assert place.stored()["x"].to_list() == [1, 2, 5, 3]
    assert_adds_up(place)


def test_a_mend_that_does_not_help_leaves_the_batch_held(tmp_path):
    place = folder_of(tmp_path)
    place.land(NOW + DAY)
    place.source = made(CLAIMED, [{"clip": "x", "range": [0, 50]}], HOLD)
    place.land(NOW + 2 * DAY)
    assert "50" in place.held().happened
    assert place.stored().height == 1
    place.intake.release("table", place.source, now=NOW + 3 * DAY)
    assert place.stored()["x"].to_list() == [1, 2, 50]


def test_nothing_is_released_where_nothing_is_held():
    with pytest.raises(UserError, match=r"data\.not-held"):
        Place(CLAIMED).intake.release("table", CLAIMED, now=NOW)


def test_a_reference_is_asked_of_the_other_source_once_that_has_landed():
    other = SourceTable(read="none", key="id", static=True)
    contract = {"column": {"id": {"references": "people.id"}}}
    place = Place(made(CLAIMED, contract=contract), others={"people": other})
    assert place.take([(frame_of([("a", 1.0, "s", 0), ("b", 1.0, "s", 0)]), None)]).landed == 2
    place.intake.take("people", other, rows=pl.DataFrame({"id": ["a"]}), now=NOW, imported=True)
    fact = place.take([(frame_of([("a", 2.0, "s", 1), ("b", 2.0, "s", 1)]), None)])
    assert (fact.landed, fact.quarantined) == (1, 1)


# The quarantine shrinks


def test_rows_that_come_back_mended_leave_the_quarantine_and_others_stay():
    place = Place(made(CLAIMED, contract="range"))
    place.take([(frame_of([("a", -1.0, "s", 0), ("b", -2.0, "s", 0), ("c", 1.0, "s", 0)]), None)])
    aside = place.aside()
    marks = [f"q{each}" for each in aside["content"].to_list()]
    back = frame_of([("a", 1.0, "s", 0), ("b", -3.0, "s", 0), ("d", 1.0, "s", 0)])
    fact = place.take([(back.with_columns(_quarantine=pl.Series([*marks, None])), None)])
    assert (fact.landed, fact.quarantined) == (2, 1)
    left = still_aside(place.aside(), [fact for _, fact in place.ledger.read()])
    assert ['"a"' in row for row in left["row"]] == [False, False]
    assert "_quarantine" not in place.stored().columns
    assert not any("_quarantine" in row for row in place.aside()["row"])
    place.source = made(CLAIMED, "unit", "range")
    place.intake.land_again("table", place.source, now=NOW)
    left = still_aside(place.aside(), [fact for _, fact in place.ledger.read()])
    assert all('"a"' not in row for row in left["row"])


def test_stored_rows_have_no_columns_of_ours_beside_the_system():
    place = Place(made(CLAIMED, "nothing"))
    place.take([(frame_of([("a", -9.0, None, 0)]), None)])
    own = [column for column in place.stored().columns if column not in SYSTEM]
    assert own == ["id", "x", "s", "at", "s_empty"]
    assert place.stored().select("x", "s", "s_empty").rows() == [(None, "?", True)]
