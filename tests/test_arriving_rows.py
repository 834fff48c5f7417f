"""Rows that arrive one at a time become what landing a batch of them makes of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.files import read_rows
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY, UNITS, format_instant, parse_instant
from wholeroad.road.brief.contract import SourceTable
from wholeroad.road.brief.mends import MendTable
from wholeroad.road.brief.source_contract import ContractTable
from wholeroad.road.data.arriving import ArrivingRows
from wholeroad.road.data.arriving.bulk import BulkRows
from wholeroad.road.data.arriving.clean import CleanRows
from wholeroad.road.data.arriving.hashing import ContentHash
from wholeroad.road.data.arriving.merging import as_sent
from wholeroad.road.data.batches import CLAIMED, CODE, REASON, ROW, SYSTEM, VERSION, Batch
from wholeroad.road.data.content import row_hashes
from wholeroad.road.data.contracts.inspecting import Inspector
from wholeroad.road.data.landing import land, prepare
from wholeroad.road.data.presence import Presence, Stored, needed_columns, words
from wholeroad.road.data.shaping import shape
from wholeroad.road.data.versioning import to_versions
from wholeroad.road.data.versions import DELETED, FIRST_KNOWN, HAPPENED, KNOWN, ORDER, SUPERSEDED

INSTANT = pl.Datetime("us", "UTC")
HOUR = UNITS["h"]
NOW = parse_instant("2013-01-01T12:00:00Z")
SCHEMA = pl.Schema(
    {
        "id": pl.String(),
        "part": pl.Int64(),
        "at": INSTANT,
        "pub": INSTANT,
        "x": pl.Float64(),
        "n": pl.Int64(),
        "b": pl.Boolean(),
        "s": pl.String(),
        "d": pl.Date(),
    }
)
KEY = ("id", "part")
COLUMNS = ("s", "x", "id", "part", "at")

CLAIMED_SOURCE = SourceTable(read="none", key=KEY, happened_at="at", known_at="pub")
PLANNED = SourceTable(
    read="none", key=KEY, happened_at="at + 2h", known_at="coalesce(pub, at - 1h)", planned=True
)
STATE = SourceTable(read="none", key=KEY, happened_at="landed", known_at="landed")
DATED = SourceTable(read="none", key=KEY, happened_at="d", known_at="landed", planned=True)
STATIC = SourceTable(read="none", key=KEY, static=True)
SOURCES = [CLAIMED_SOURCE, PLANNED, STATE, DATED, STATIC]
NOTHING = np.zeros(0, dtype=np.int64)
FEW = settings(max_examples=40, deadline=None)


def at_hour(hours):
    return format_instant(NOW + hours * HOUR)


clean = {
    "id": st.sampled_from(["a", "b", "é"]),
    "part": st.sampled_from([1, -1, -2]),
    "at": st.sampled_from([at_hour(hour) for hour in (-20, -2, -1)]),
    "pub": st.sampled_from([at_hour(hour) for hour in (-3, -1, 0, 1, 30)]),
    "x": st.sampled_from([0.0, -0.0, 1.5, 2, 7, 1e300, None]),
    "n": st.sampled_from([0, 5, 2**63 - 1, -(2**63), None]),
    "b": st.sampled_from([True, False, None]),
    "s": st.sampled_from(["", "s", "für", "12345678", "123456789", None]),
    "d": st.sampled_from(["2013-01-01", "2012-02-29", None]),
}
odd = {
    "id": st.sampled_from([1, 2.5, True, None, ["a"]]),
    "part": st.sampled_from(["1", "x", 1.0, 1.5, True, None, 2**63, 10**25]),
    "at": st.sampled_from(
        ["2012-12-31", "2012-12-31 05:06", "2012-12-31T05:06:07,5+0130", " 2012-12-31", "?", 5, 1.5, None]
    ),
    "pub": st.sampled_from(["2013-01-01T24:00:00Z", "20130101", "2013-01-01T10Z", None, [1]]),
    "x": st.sampled_from(["1.5", " 2 ", "1e3", "nan", "x", True, [1, 2], 2**53, "9" * 400]),
    "n": st.sampled_from(["5", "+5", "5.0", 5.0, 5.5, 1e18, 2**63, -(2**80), False, "x{}"]),
    "b": st.sampled_from(["yes", "TRUE", "0", 1, 0.0, "maybe"]),
    "s": st.sampled_from([1, 1.0, 1e22, 1e-7, True, [1, "a"], 2**70]),
    "d": st.sampled_from(["x", "2013-02-30", None]),
}


@st.composite
def some_row(draw):
    row = {name: draw(values) for name, values in clean.items()}
    for name in draw(st.lists(st.sampled_from([*SCHEMA]), max_size=1)):
        row[name] = draw(odd[name])
    for name in draw(st.lists(st.sampled_from([*SCHEMA]), max_size=1)):
        if draw(st.booleans()):
            row.pop(name)
    return row


some_group = st.lists(some_row(), min_size=1, max_size=5)
some_clean = st.fixed_dictionaries(clean)


class Bulk:
    """The table as landing batches makes it: each row is read as an NDJSON file of its own."""

    read_before = {}  # noqa: RUF012 (what a value is read as doesn't change)

    def __init__(self, source, folder):
        self.source, self.path = source, Path(folder) / "rows.ndjson"
        self.rows = pl.DataFrame(schema={**SCHEMA, **SYSTEM})
        self.aside = set()

    def stored(self, now, *, imported=False):
        presence = Presence.of(
            self.rows.select(needed_columns(self.source)), self.source, known_at=now, imported=imported
        )
        return Stored(self.rows.schema, presence, self.rows.height + 1, NOTHING)

    def start(self, rows):
        """Land history, as frames of typed rows."""
        frame = rows_frame(rows)
        batch = Batch(frame, landed_at=NOW - 90 * DAY, imported=True, next_seq=1)
        landing = land(batch, self.source, name="table", stored=self.stored(batch.landed_at, imported=True))
        self.rows = pl.concat([self.rows, landing.rows])

    def read(self, row):
        """Give a row in the stored types, or what is wrong with the first of its values."""
        told = [self.value(name, row.get(name)) for name in SCHEMA]
        return pl.DataFrame([value for value, _ in told]), next((fault for _, fault in told if fault), None)

    def value(self, name, value):
        """Read a value from an NDJSON file of its own, and cast it as landing does."""
        asked = repr((name, value))
        if asked not in self.read_before:
            self.path.write_bytes(msgspec.json.encode({name: value}))
            read = read_rows(self.path, {}, stored=words({name: SCHEMA[name]}))
            if read.bad is not None:
                column, fault = (
                    pl.Series(name, [None], SCHEMA[name]),
                    (read.bad[CODE][0], read.bad[REASON][0]),
                )
            else:
                frame = read.frame
                stored = Stored({name: SCHEMA[name]}, Presence(NOTHING), 1, NOTHING)
                shaped = shape(
                    Batch(frame, landed_at=0),
                    SourceTable(read="none", key=(), static=True),
                    name="table",
                    stored=stored,
                )
                column, fault = shaped.frame[name], (shaped.verdict.codes[0], shaped.verdict.reasons[0])
            self.read_before[asked] = column, fault if fault[0] else None
        return self.read_before[asked]

    def land(self, rows, now):
        """Land a group; gives for each row (status, code, reason)."""
        read = [self.read(row) for row in rows]
        frames = [frame for frame, fault in read if fault is None]
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
        bad = [(place, *fault) for place, (_, fault) in enumerate(read, start=1) if fault is not None]
        batch = Batch(
            frame,
            landed_at=now,
            next_seq=self.rows.height + 1,
            bad=pl.DataFrame(bad, schema=[ROW, CODE, REASON], orient="row").with_columns(id=pl.lit("x"))
            if bad
            else None,
        )
        stored = self.stored(now)
        verdict = prepare(batch, self.source, name="table", stored=stored).shaped.verdict
        known = set(self.rows.select(KEY).rows())
        landing = land(batch, self.source, name="table", stored=stored)
        self.rows = pl.concat([self.rows, landing.rows])
        clash = "another row had the same id, part and said something else"
        new = iter([*landing.rows[VERSION], None])
        next_new = next(new)
        told, hashes = [], row_hashes(frame).view(np.int64)
        place = 0
        for _, fault in read:
            if fault is not None:
                told.append(("quarantined", *fault))
                continue
            if verdict.codes[place] is not None:
                told.append(("quarantined", verdict.codes[place], verdict.reasons[place]))
            elif not landing.fine[place]:
                told.append(("quarantined", "data.key-repeated", clash))
            elif hashes[place] == next_new:
                key = frame.select(KEY).row(place)
                told.append(("new version" if key in known else "landed", None, None))
                known.add(key)
                next_new = next(new)
            else:
                told.append(("already known", None, None))
            place += 1
        assert next_new is None
        assert landing.counts.landed == sum(each[0] in ("landed", "new version") for each in told)
        return told, landing

    def versions(self):
        """Give by key what a row's versions are."""
        frame = to_versions(self.rows, self.source, name="table").frame
        found = {}
        for row in frame.select(pl.all().to_physical()).iter_rows(named=True):
            values = {name: row[name] for name in COLUMNS}
            key = tuple(row[name] for name in KEY)
            if self.source.static:
                found[key] = [(0, 0, False, values, None, 0)]
                continue
            of = (row[name] for name in (HAPPENED, KNOWN, ORDER))
            rest = (row[DELETED], values, row[SUPERSEDED], row[FIRST_KNOWN])
            found.setdefault(key, []).append((*of, *rest))
        return found


def rows_frame(rows):
    read = [{name: row.get(name) for name in SCHEMA} for row in rows]
    frame = pl.DataFrame(
        {name: pl.Series([row[name] for row in read], dtype=_loose(dtype)) for name, dtype in SCHEMA.items()}
    )
    return frame.with_columns(
        pl.col("at", "pub").str.to_datetime("%+", time_zone="UTC", time_unit="us"),
        pl.col("d").str.to_date(),
    )


def _loose(dtype):
    return pl.String() if dtype in (INSTANT, pl.Date()) else dtype


def arriving_of(source, table, columns=COLUMNS):
    return ArrivingRows("table", source, schema=SCHEMA, stored=table, columns=columns)


def told(versions, *, static):
    if static:
        return [
            (v.happened_at, v.known_at, v.deleted, v.values, v.superseded_at, v.first_known_at)
            for v in versions
        ]
    return [
        (v.happened_at, v.known_at, v.order, v.deleted, v.values, v.superseded_at, v.first_known_at)
        for v in versions
    ]


# The law


@FEW
@given(
    st.lists(some_clean, max_size=4),
    st.lists(st.tuples(some_group, st.sampled_from([0, 1, HOUR]), st.sampled_from("sssmr")), max_size=4),
    st.sampled_from(SOURCES),
)
def test_rows_that_arrive_are_what_landing_batches_of_them_gives(history, groups, source):
    with TemporaryDirectory() as folder:
        bulk = Bulk(source, folder)
        bulk.start(history)
        arriving = arriving_of(source, bulk.rows)
        now, moved = NOW, bulk.rows.height
        for rows, later, then in groups:
            now += later
            expected, landing = bulk.land(rows, now)
            taken = arriving.take(rows, now=now)
            assert [(row.status, row.code, row.reason) for row in taken.rows] == expected
            assert_lands(taken, landing.rows)
            versions = bulk.versions()
            for key, those in versions.items():
                assert told(arriving.row(key), static=source.static) == those
            assert arriving.row(("nobody", 1)) == ()
            for sent, row in zip(rows, taken.rows, strict=True):
                if row.key is not None:
                    assert row.versions
                    assert row.key in versions
                    assert arriving.key_of(sent) == row.key
                    assert arriving.knows(sent)
            if then == "m":
                arriving.moved(bulk.rows[moved:])
                moved = bulk.rows.height
            elif then == "r":
                arriving, moved = arriving_of(source, bulk.rows), bulk.rows.height


def assert_lands(taken, rows):
    own = rows.select(pl.col(*SCHEMA).to_physical()).rows()
    assert [tuple(row.values) for row in taken.new] == own
    for name, field in ((HAPPENED, "happened_at"), (CLAIMED, "claimed_at"), (KNOWN, "known_at")):
        assert [getattr(row, field) for row in taken.new] == rows[name].to_physical().to_list()
    assert [ContentHash(SCHEMA).of(row.values) for row in taken.new] == rows[VERSION].to_list()


@settings(max_examples=150, deadline=None)
@given(some_row(), st.sampled_from(SOURCES))
def test_a_row_that_goes_the_short_way_comes_out_as_by_the_long_one(row, source):
    short, left = CleanRows("table", source, schema=SCHEMA).read([row], now=NOW)
    if left:
        return
    long = BulkRows("table", source, inspector=None).judge([row], now=NOW, schema=SCHEMA, faults={})
    assert (short.values, short.happened_at, short.claimed_at) == (
        long.values,
        long.happened_at,
        long.claimed_at,
    )
    assert [type(value) for value in short.values[0]] == [type(value) for value in long.values[0]]


moments = st.one_of(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.isoformat()),  # noqa: DTZ001
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001
        lambda at: at.isoformat(sep=" ", timespec="minutes") + "Z"
    ),
    st.builds(
        "{:04}-{:02}-{:02}{}{:02}:{:02}{}{}{}".format,
        st.integers(0, 9999),
        st.integers(0, 13),
        st.integers(0, 32),
        st.sampled_from("T t"),
        st.integers(0, 25),
        st.integers(0, 61),
        st.sampled_from([":00", ":60", ":5", ""]),
        st.sampled_from(["", ".5", ",5", ".123456", ".1234567", "."]),
        st.sampled_from(["", "Z", "z", "+00:00", "-23:59", "+24:00", "+0100", "+05", "UTC", " Z"]),
    ),
    st.from_regex(r"\A\d{4}-\d\d-\d\d(W\d|Z|T)?\Z"),
)


@settings(max_examples=200, deadline=None)
@given(moments, st.sampled_from(["at", "d"]))
def test_a_text_is_the_instant_that_a_file_would_have(text, column):
    schema = pl.Schema({"id": pl.Int64(), column: SCHEMA[column]})
    source = SourceTable(read="none", key="id", happened_at="landed", known_at="landed")
    (short,) = CleanRows("table", source, schema=schema).read([{"id": 1, column: text}], now=0)[0].values
    frame = pl.DataFrame({"id": [1], column: [text]})
    stored = Stored(schema, Presence(NOTHING), 1, NOTHING)
    shaped = shape(Batch(frame, landed_at=0), source, name="table", stored=stored)
    if short is not None:
        assert short == list(shaped.frame.select(pl.all().to_physical()).row(0))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*clean.values()), min_size=1, max_size=5), st.text(max_size=40))
def test_one_hash_is_the_hash_of_bulk(rows, text):
    schema = {**SCHEMA, text or "text": pl.String()}
    frame = rows_frame([dict(zip(SCHEMA, row, strict=True)) for row in rows])
    frame = frame.with_columns(pl.lit(text).alias(text or "text"))
    of = ContentHash(schema).of
    found = [of(row) for row in frame.select(pl.all().to_physical()).iter_rows()]
    assert found == row_hashes(frame).view(np.int64).tolist()


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=9), st.integers(20, 3_000))
def test_a_long_text_has_the_hash_of_bulk(text, times):
    frame = pl.DataFrame({"text": [text * times]})
    assert ContentHash(frame.schema).of([text * times]) == row_hashes(frame).view(np.int64).item()


@FEW
@given(st.lists(some_clean, min_size=1, max_size=3), st.sampled_from(SOURCES), st.booleans())
def test_a_part_of_a_row_is_completed_to_the_row_that_is_known(rows, source, restarted):
    arriving = arriving_of(source, None)
    taken = arriving.take(rows, now=NOW)
    if restarted:
        stored = stored_of(taken)
        arriving = ArrivingRows("table", source, schema=SCHEMA, stored=stored, columns=list(SCHEMA))
    for last in taken.new[-1:]:
        same = [each for each in taken.new if each.key == last.key]
        row = max(reversed(same), key=lambda each: each.known_at or 0)  # of one instant, the last
        part = {"id": row.key[0], "part": row.key[1]}
        completed = arriving.merged(part, row.key)
        (again,) = arriving.take([completed], now=NOW).rows
        assert (again.status, again.key) == ("already known", row.key)
        (changed,) = arriving.take([arriving.merged({**part, "s": "?"}, row.key)], now=NOW + 1).rows
        assert changed.status == "new version"
        assert changed.values == [*row.values[:7], "?", row.values[8]]


def stored_of(taken):
    rows = [row.values for row in taken.new]
    physical = {
        name: pl.Int64() if dtype == INSTANT else pl.Int32() if dtype == pl.Date() else dtype
        for name, dtype in SCHEMA.items()
    }
    frame = pl.DataFrame(rows, schema=physical, orient="row").cast(dict(SCHEMA))
    return frame.with_columns(
        pl.Series(HAPPENED, [row.happened_at for row in taken.new], dtype=pl.Int64).cast(INSTANT),
        pl.Series(KNOWN, [row.known_at for row in taken.new], dtype=pl.Int64).cast(INSTANT),
        pl.Series(CLAIMED, [row.claimed_at for row in taken.new], dtype=pl.Int64).cast(INSTANT),
        pl.Series(VERSION, row_hashes(frame).view(np.int64)),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ORDER),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_seq"),
        pl.lit(value=False).alias(DELETED),
    )


# First rows


some_first = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["a", "b"]), "part": clean["part"], "at": clean["at"], "pub": clean["pub"]},
        optional={
            "x": st.sampled_from([1, 2.5, "2.5", None, 10**17, 2**64, True]),
            "n": st.sampled_from([1, "1", None]),
            "s": st.sampled_from(["2013-01-01", "x", [1], None, {"left": 1, "right": {"left": 2.5}}]),
            "s_left": st.sampled_from([3, None]),
        },
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(some_first, st.sampled_from([CLAIMED_SOURCE, STATE]), st.booleans())
def test_the_first_rows_fix_the_types_as_a_first_file_does(rows, source, declared):
    types = {"x": "number", "n": "integer"} if declared else {}
    source = source.model_copy(update={"types": types})
    if declared:  # a file has no column for what none of its rows has
        rows = [{"x": None, "n": None, **row} for row in rows]
        rows = [{**row, "x": None if row["x"] in (10**17, 2**64) else row["x"]} for row in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.ndjson"
        path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
        read = read_rows(path, types)
    landing = land(Batch(read.frame, landed_at=NOW, bad=read.bad), source, name="table")
    arriving = ArrivingRows("table", source, schema=None, stored=None, columns=["id"])
    taken = arriving.take(rows, now=NOW)
    codes = [(each.code, each.reason) for each in taken.rows if each.code]
    assert set(codes) == set(landing.quarantine.select("code", "reason").rows())
    if not landing.rows.height:
        assert (taken.schema, arriving.schema) == (None, None)
        return
    assert taken.schema == arriving.schema
    assert dict(taken.schema) == dict(landing.rows.drop(*SYSTEM).schema)
    own = landing.rows.select(taken.schema.names())
    assert [tuple(row.values) for row in taken.new] == own.select(pl.all().to_physical()).rows()
    assert [row.known_at for row in taken.new] == landing.rows[KNOWN].to_physical().to_list()
    again = arriving.take(rows, now=NOW)
    assert (again.schema, again.new) == (None, [])


def test_an_object_that_is_null_is_no_column():
    arriving = ArrivingRows("table", STATE, schema=None, stored=None, columns=[])
    first = [{"id": "a", "part": 1, "wind": None}, {"id": "b", "part": 1, "wind": {"speed": 3}}]
    assert arriving.take(first, now=NOW).schema == {"id": pl.String, "part": pl.Int64, "wind_speed": pl.Int64}
    (later,) = arriving.take([{"id": "c", "part": 1, "wind": None}], now=NOW + 1).rows
    assert (later.status, later.values) == ("landed", ["c", 1, None])


def test_rows_without_a_key_fix_nothing():
    arriving = ArrivingRows("table", STATE, schema=None, stored=None, columns=[])
    taken = arriving.take([{"id": None, "part": 1}], now=NOW)
    assert (taken.rows[0].code, taken.schema, arriving.schema) == ("data.key-null", None, None)
    with pytest.raises(UserError, match=r"data\.column-missing"):
        arriving.take([{"id": "a"}], now=NOW)
    assert arriving.take([{"id": "a", "part": "x"}], now=NOW).schema == {"id": pl.String, "part": pl.String}


def test_an_attribute_that_only_a_time_needs_is_an_instant_though_it_is_empty():
    source = SourceTable(read="none", key="id", happened_at="at", known_at="landed", planned=True)
    arriving = ArrivingRows("table", source, schema=None, stored=None, columns=[])
    rows = [{"id": 1, "at": "2013-01-01"}, {"id": 2, "at": None}]
    taken = arriving.take(rows, now=NOW)
    assert [row.code for row in taken.rows] == [None, "data.happened-null"]
    assert taken.rows[0].values == [1, parse_instant("2013-01-01")]


# What can't be a row


def row(**changes):
    whole = {"id": "a", "part": 1, "at": at_hour(-1), "pub": at_hour(0), "x": 1.0, "n": 1}
    return {**whole, "b": True, "s": "s", "d": "2013-01-01", **changes}


def test_an_unknown_field_refuses_all_rows_and_names_the_nearest():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    with pytest.raises(UserError, match=r"data\.unknown-field") as caught:
        arriving.take([row(), row(id="b", prat=5)], now=NOW)
    assert "row 2 of 2" in caught.value.happened
    assert "'prat'" in caught.value.happened
    assert "part" in caught.value.expected
    assert arriving.row(("a", 1)) == ()
    assert arriving.take([row()], now=NOW).rows[0].status == "landed"


@pytest.mark.parametrize("sent", [{"_seq": 1}, {"s": {"left": 1}}, {"\ud800": 1}, {"": 1}, {"x" * 10**6: 1}])
def test_no_field_that_isnt_a_column_lands(sent):
    with pytest.raises(UserError, match=r"data\.unknown-field"):
        arriving_of(STATE, None).take([{**row(), **sent}], now=NOW)


TOO_MUCH = [
    ("n", 2**63),
    ("n", -(10**30)),
    ("n", 10**4999),
    ("x", 2**53 + 1),
    ("x", 10**400),
    ("part", 2**64),
    ("at", 1_357_000_000_000_000),
    ("b", 2**70),
    ("d", 10**20),
    ("s", "half a pair: \ud800"),
    ("id", "\udfff"),
    ("n", json.loads("[" * 900 + "]" * 900)),
    ("x", "1" + "0" * 400),
]


@pytest.mark.parametrize(("field", "value"), TOO_MUCH, ids=range(len(TOO_MUCH)))
def test_what_is_too_much_for_its_column_is_set_aside_and_said(field, value):
    arriving = arriving_of(CLAIMED_SOURCE, None)
    other = row(id="b")
    taken = arriving.take([row(**{field: value}), other], now=NOW)
    assert [each.status for each in taken.rows] == ["quarantined", "landed"]
    assert taken.rows[0].code == "data.not-castable"
    assert taken.rows[0].reason.startswith(f"{field} was '")
    assert json.loads(taken.aside[0].row)["part"] in (1, "1", 2**64)


def test_a_number_that_is_none_is_nothing():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    rows = [row(x=float("nan")), row(id="b", x=float("inf"), n="1")]
    assert [each.values[4] for each in arriving.take(rows, now=NOW).rows] == [None, None]


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([None, UTC])),  # noqa: DTZ001
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_rows_of_a_frame_bring_instants_and_dates_as_python_has_them(moment, whole):
    frame = pl.DataFrame({"at": pl.Series([moment], dtype=INSTANT if moment.tzinfo else pl.Datetime("us"))})
    stored = Stored({"at": INSTANT}, Presence(NOTHING), 1, NOTHING)
    source = SourceTable(read="none", key=(), static=True)
    shaped = (
        shape(Batch(frame, landed_at=0), source, name="table", stored=stored).frame["at"].to_physical()[0]
    )
    midnight = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    sent = row(at=moment, d=moment.date() if whole else midnight)
    source = CLAIMED_SOURCE.model_copy(update={"planned": True})
    (taken,) = arriving_of(source, None).take([sent], now=NOW).rows
    assert taken.values[2] == shaped
    assert taken.values[8] == moment.date().toordinal() - 719_163


def test_objects_hold_columns_and_two_values_for_one_are_a_fault():
    schema = pl.Schema({"id": pl.Int64(), "wind_speed": pl.Float64()})
    source = SourceTable(read="none", key="id", static=True)
    arriving = ArrivingRows("table", source, schema=schema, stored=None, columns=["wind_speed"])
    rows = [{"id": 1, "wind": {"speed": 3}}, {"id": 2, "wind": {"speed": 3}, "wind_speed": 4}]
    one, two = arriving.take(rows, now=NOW).rows
    assert (one.status, one.values) == ("landed", [1, 3.0])
    assert (two.code, two.reason) == ("data.column-twice", "two values stood for wind_speed")


def test_a_row_that_was_set_aside_is_written_down_once_and_answered_each_time():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    first = arriving.take([row(n="x"), row(n="x")], now=NOW)
    assert (len(first.aside), first.repeated) == (1, 1)
    again = arriving.take([row(n="x")], now=NOW + 1)
    assert (again.aside, again.repeated, again.rows[0].code) == ((), 1, "data.not-castable")
    (aside,) = first.aside
    frame = pl.DataFrame({"source": ["table"], "code": [aside.code], "row": [aside.row]})
    assert aside.content == row_hashes(frame).view(np.int64)[0]
    assert json.loads(aside.row) == row(n="x")
    fresh = arriving_of(CLAIMED_SOURCE, None)
    fresh.set_aside_before([aside.content])
    assert fresh.take([row(n="x")], now=NOW).aside == ()


# Identity


def test_a_row_that_comes_back_is_a_version_where_nothing_else_tells_its_time():
    arriving = arriving_of(STATE, None)
    found = [arriving.take([row(x=x)], now=NOW + hour).rows[0] for hour, x in enumerate([1.0, 2.0, 1.0, 1])]
    assert [each.status for each in found] == ["landed", "new version", "new version", "already known"]
    assert [each.known_at for each in found[-1].versions] == [NOW, NOW + 1, NOW + 2]
    assert [each.superseded_at for each in found[-1].versions] == [NOW + 1, NOW + 2, None]


def test_a_version_that_was_told_stays_as_it_was_told():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    (first,) = arriving.take([row()], now=NOW).rows
    before = [(each.superseded_at, each.first_known_at) for each in first.versions]
    arriving.take([row(x=2.0)], now=NOW + 1)
    assert [(each.superseded_at, each.first_known_at) for each in first.versions] == before
    assert len(arriving.row(("a", 1))) == 2


def test_rows_that_are_gone_come_back_as_versions():
    source = STATE.model_copy(update={"absent": "deleted"})
    arriving = arriving_of(source, None)
    taken = arriving.take([row()], now=NOW)
    stored = stored_of(taken)
    gone = stored.with_columns(
        pl.lit(value=True).alias(DELETED),
        pl.lit(NOW + 5).cast(INSTANT).alias(KNOWN),
        pl.lit(NOW + 5).cast(INSTANT).alias(CLAIMED),
        pl.lit(2, dtype=pl.Int64).alias(ORDER),
        pl.lit(2, dtype=pl.Int64).alias("_seq"),
        pl.lit(99, dtype=pl.Int64).alias(VERSION),
    )
    arriving = arriving_of(source, pl.concat([stored, gone]))
    assert [each.deleted for each in arriving.row(("a", 1))] == [False, True]
    assert arriving.merged({"id": "a", "part": 1}, ("a", 1)) == {"id": "a", "part": 1}
    (back,) = arriving.take([row()], now=NOW + 9).rows
    assert (back.status, [each.order for each in back.versions]) == ("new version", [1, 2, 3])


def test_keys_of_one_hash_are_told_apart():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    assert hash(("a", -1)) == hash(("a", -2))
    taken = arriving.take([row(part=-1), row(part=-2)], now=NOW)
    stored = stored_of(taken)
    again = arriving_of(CLAIMED_SOURCE, stored.head(1))
    assert again.row(("a", -2)) == ()
    assert again.take([row(part=-2)], now=NOW).rows[0].status == "landed"


def test_rows_that_are_moved_while_others_come_stay_whole():
    arriving = arriving_of(CLAIMED_SOURCE, None)
    taken = arriving.take([row(), row(id="b")], now=NOW)
    arriving.take([row(x=5.0)], now=NOW + 1)
    before = arriving.row(("a", 1)), arriving.row(("b", 1))
    arriving.moved(stored_of(taken))
    assert (arriving.row(("a", 1)), arriving.row(("b", 1))) == before
    assert [each.status for each in arriving.take([row(), row(x=5.0), row(id="b")], now=NOW + 2).rows] == [
        "already known"
    ] * 3


# Mends and contracts


def mended(**changes):
    steps = [{"rename": "km", "to": "x"}, {"unit": "x", "factor": 2}, {"deduplicate": ["id"]}]
    mend = MendTable.model_validate({"steps": steps})
    return SourceTable(read="none", key="id", happened_at="at", known_at="at", mend=mend, **changes)


def test_a_mend_is_made_once_and_of_each_group_alone():
    arriving = ArrivingRows("table", mended(), schema=None, stored=None, columns=["x"])
    at = "2013-01-01T00:00:00Z"
    first = arriving.take([{"id": 1, "km": 2.5, "at": at}, {"id": 1, "km": 3.5, "at": at}], now=NOW)
    assert arriving.schema.names() == ["id", "x", "at"]
    assert first.mended == {"rename km": 0, "unit x": 2, "deduplicate id": 1} or sum(first.mended.values())
    assert [each.code for each in first.rows] == [None, "mend.duplicate"]
    assert first.rows[0].values[1] == 5.0
    second = arriving.take([{"id": 1, "km": 4, "at": at}], now=NOW + 1)
    assert (second.rows[0].status, second.rows[0].values[1]) == ("new version", 8.0)
    assert arriving.key_of({"id": 1, "km": 4, "at": at}) == (1,)
    assert arriving.knows({"id": 1, "km": 4, "at": at})
    with pytest.raises(UserError, match=r"data\.unknown-field"):
        arriving.take([{"id": 2, "x": 4, "at": at}], now=NOW)
    with pytest.raises(UserError, match=r"data\.part-of-mended"):
        arriving.merged({"id": 1, "at": at}, (1,))


def contracted(contract):
    table = ContractTable.model_validate(contract)
    source = CLAIMED_SOURCE.model_copy(update={"contract": table})
    return ArrivingRows(
        "table",
        source,
        schema=SCHEMA,
        stored=None,
        columns=["x"],
        inspector=lambda: Inspector(table, source="table", key=KEY, until=NOW),
    )


def test_a_contract_sets_rows_aside_and_counts_what_it_only_warns_of():
    arriving = contracted({"column": {"x": {"range": [0, 10]}, "n": {"range": [0, 10], "if_broken": "warn"}}})
    taken = arriving.take([row(x=99.0), row(id="b", n=99), row(id="c")], now=NOW)
    assert [each.status for each in taken.rows] == ["quarantined", "landed", "landed"]
    assert taken.rows[0].reason == "x was 99.0, not between 0 and 10"
    assert taken.broken == {"x range": 1, "n range": 1}


def test_a_contract_that_holds_refuses_the_whole_command_and_no_other():
    arriving = contracted({"if_broken": "hold", "column": {"x": {"range": [0, 10]}}})
    with pytest.raises(UserError, match=r"service\.batch-refused") as caught:
        arriving.take([row(), row(id="b", x=99.0)], now=NOW)
    assert "x was 99.0" in caught.value.happened
    assert arriving.row(("a", 1)) == ()
    assert arriving.take([row()], now=NOW).rows[0].status == "landed"


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(-(10**17), 10**17))
def test_what_is_written_to_be_sent_is_read_as_it_was(day, instant):
    schema = pl.Schema({"id": pl.Int64(), "d": pl.Date(), "at": INSTANT})
    source = SourceTable(read="none", key="id", happened_at="landed", known_at="landed")
    sent = {"id": 1, "d": as_sent(day, pl.Date()), "at": as_sent(instant, INSTANT)}
    (values,) = CleanRows("table", source, schema=schema).read([sent], now=0)[0].values
    if values is None:
        assert int in (type(sent["d"]), type(sent["at"]))
    else:
        assert values == [1, day, instant]
