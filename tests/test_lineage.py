"""Laws of lineage: every row behind a decision leads back to the row as it was read."""

import json
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import features_oracle as oracle
import worlds
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import UserError
from wholeroad.core.instants import to_instant
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Arrival, Intake
from wholeroad.engine.lineage import trace_case, trace_row
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.tracing_features import rows_behind
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.features.specs import Latest, Window
from wholeroad.road.data.mending.applying import Mender

MEND = """
[source.parcels.mend]
asked_by = "Ann, 3 March"
steps = [
  { rename = "weight", to = "weight_kg" },
  { parse = "weight_kg", as = "number", decimal = ",", strip = ["kg"] },
  { unit = "weight_kg", factor = 0.001, where = "weight_kg > 500", reason = "the old scale wrote grams" },
  { nothing = "depot", values = ["?"] },
  { drop = "depot = 'test'", reason = "rows of the vendor's tests" },
]
[source.depots]
read = "none"
key = "depot"
static = true
[source.depots.mend]
steps = [{ map = "region", values = { "W" = "west" }, reason = "as the map calls it" }]
"""
FEATURES = """
parcels_2d = { count = "*", of = "parcels", by = "depot", over = "2d" }
heavy_2d = { count = "weight_kg > 4", of = "parcels", by = "depot", over = "2d", on = "known" }
ahead = { count = "*", of = "parcels", over = "12h", on = "planned" }
told_1d = { count = "*", of = "deliveries", over = "1d" }
slow = { count = "truth = 'late'", of = "outcomes", over = "4d" }
last_delay = { latest = "deliveries.delay_h", by = "parcel_id" }
last_weight = { latest = "parcels.weight_kg", by = "depot", max_age = "9h" }
region = { lookup = "depots.region", by = "depot" }
since_any = { since = "weight_kg > 4", of = "parcels", by = "depot", over = "3d" }
"""
TEXT = worlds.BRIEF.replace("late_3d =", f"{FEATURES}late_3d =") + MEND
DEPOTS = pl.DataFrame({"depot": ["A", "B", "C"], "region": ["W", "east", "W"]})


def raw_parcels(cases):
    """Write parcels as a careless export does."""
    kg = pl.col("weight_kg")
    text = (
        pl.when(pl.col("parcel_id") % 3 == 0)
        .then(pl.format("{} kg", kg))
        .when(pl.col("parcel_id") % 3 == 1)
        .then((kg * 1000).round(0).cast(pl.Int64).cast(pl.String))
        .otherwise(kg.cast(pl.String))
    )
    depot = (
        pl.when(pl.col("parcel_id") % 20 == 7)
        .then(pl.lit("?"))
        .when(pl.col("parcel_id") % 20 == 9)
        .then(pl.lit("test"))
        .otherwise("depot")
        .alias("depot")
    )
    return cases.select(
        "parcel_id", "sent_at", "booked_at", text.str.replace(".", ",", literal=True).alias("weight"), depot
    )


class World:
    """A project in memory."""

    def __init__(self, text=TEXT):
        self.tables, self.ledger, self.blobs = MemoryTables(), MemoryLedger(decode), MemoryBlobs()
        self.now = worlds.at(days=400)
        self.brief = read_brief(text)

    @property
    def intake(self):
        return Intake(self.tables, self.ledger, blobs=self.blobs, sources=self.brief.source)

    @property
    def facts(self):
        return [fact for _, fact in self.ledger.read()]

    def land(self, source, *parts, read=""):
        self.now += 1
        frames = [part if isinstance(part, tuple) else (part, None) for part in parts]
        arrival = Arrival(self.now, imported=True, read=read, whole=False)
        return self.intake.take_parts(source, self.brief.source[source], parts=frames, arrival=arrival)

    def another(self, text):
        self.brief = read_brief(text)
        for name, source in self.brief.source.items():
            self.intake.land_again(name, source, now=self.now, rest=True)

    def history(self):
        return Storehouse(self.brief, self.tables, threads=1).history()

    def case(self, key, history, **more):
        return trace_case(
            [str(key)], history=history, tables=self.tables, facts=self.facts, blobs=self.blobs, **more
        )

    def row(self, source, *key):
        return trace_row(
            source, key, brief=self.brief, tables=self.tables, facts=self.facts, blobs=self.blobs
        )


@pytest.fixture(scope="module")
def told():
    """Land a world with mends, corrections and several batches; give it with its raw frames and history."""
    world = World()
    cases, outcomes = worlds.parcels(days=12, per_day=12)
    raw, corrected = raw_parcels(cases), worlds.corrected(outcomes)
    half = raw.height // 2
    world.land("parcels", raw[:half], raw[half : half + 20], read="first.csv")
    world.land("parcels", raw[half + 20 :], read="second.csv")
    later = raw.filter(pl.col("parcel_id") % 10 == 0).with_columns(
        booked_at=pl.col("sent_at") + timedelta(days=1), weight=pl.lit("1,5 kg")
    )
    world.land("parcels", later, read="corrections.csv")
    world.land("deliveries", corrected, read="deliveries.csv")
    world.land("depots", DEPOTS)
    return world, raw, corrected, world.history()


def same_row(traced, frame):
    """Tell whether a traced raw row is that row of the frame, by its place."""
    return frame.row(traced.raw_number - 1, named=True) == traced.raw


def test_law_every_case_leads_back_to_the_row_as_it_was_read(told):
    world, raw, _, history = told
    half = raw.height // 2
    batches = {"first.csv": raw[: half + 20], "second.csv": raw[half + 20 :]}
    keys = history.cases.frame["parcel_id"].to_list()
    for key in keys[::11]:
        traced = world.case(key, history, some=1)
        assert traced.key == {"parcel_id": key}
        row = traced.case
        assert (row.raw_state, row.raw["parcel_id"]) == ("found", key)
        assert same_row(row, batches[row.batch.read])
        assert row.known_at <= traced.decided_at
        assert row.batch.mend
        assert row.asked_by == "Ann, 3 March"
        mended = Mender(world.brief.source["parcels"].mend, where="x").mend(pl.DataFrame([row.raw]))
        assert mended.frame.select(list(row.values)).row(0, named=True) == row.values
        assert all(later.known_at > traced.decided_at for later in traced.revisions)
        assert bool(traced.revisions) == (key % 10 == 0)


def as_number(value):
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def test_law_the_steps_of_a_row_lead_from_its_raw_values_to_its_own(told):
    world, _, _, history = told
    for key in history.cases.frame["parcel_id"].to_list()[::13]:
        row = world.case(key, history, some=1).case
        state = dict(row.raw)
        for step in row.steps:
            # A text that landing reads as the same number is no other value, and no step of its own.
            before = {name: as_number(value) for name, value in step.before.items()}
            assert {name: as_number(state[name]) for name in before} == before
            assert step.before != step.after
            state = {name: value for name, value in state.items() if name not in step.before} | step.after
        untouched = {name: value for name, value in row.values.items() if name in state}
        assert {name: as_number(value) for name, value in state.items()} == untouched


def test_the_steps_say_what_they_changed_and_why(told):
    world, _, _, history = told
    cases = history.cases.frame["parcel_id"].to_list()
    traced = (world.case(key, history, some=1).case for key in cases if key % 3 == 1 and key % 20 != 7)
    row = next(row for row in traced if row.values["weight_kg"] > 0.6)
    labels = [step.label for step in row.steps]
    assert labels == ["rename weight", "unit weight_kg"]
    unit = row.steps[-1]
    assert unit.reason == "the old scale wrote grams"
    assert unit.after["weight_kg"] == pytest.approx(unit.before["weight_kg"] / 1000)


def test_law_the_rows_behind_a_count_are_as_many_as_it_says(told):
    world, _, _, history = told
    counts = ("parcels_2d", "heavy_2d", "ahead", "told_1d", "slow")
    seen = dict.fromkeys(counts, 0)
    for key in history.cases.frame["parcel_id"].to_list()[::17]:
        features = {each.feature: each for each in world.case(key, history, some=1).features}
        for name in counts:
            assert features[name].rows == features[name].value, (key, name)
            seen[name] += features[name].rows
        late = features["late_3d"]
        assert (late.rows == 0) == (late.value is None)
    assert all(seen.values())


def test_law_the_row_behind_latest_lookup_and_since_says_their_value(told):
    world, _, _, history = told
    found = set()
    for key in history.cases.frame["parcel_id"].to_list()[3::13]:
        traced = world.case(key, history)
        for feature in traced.features:
            column = {"last_weight": "weight_kg", "region": "region", "last_delay": "delay_h"}.get(
                feature.feature
            )
            if column is not None:
                assert feature.rows == len(feature.some) <= 1
                assert [row.values[column] for row in feature.some] in ([feature.value], [])
                assert feature.some or feature.value is None
                found |= {feature.feature for _ in feature.some}
            if feature.feature == "since_any" and feature.some:
                hours = (traced.decided_at - feature.some[0].happened_at) / 3.6e9
                assert feature.value == pytest.approx(hours)
                found.add("since_any")
            assert all((row.known_at or 0) <= traced.decided_at for row in feature.some)
    assert found == {"last_weight", "region", "since_any"}


VERSIONS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.integers(0, 4),
            "depot": st.sampled_from(["A", "B", None]),
            "happened": st.integers(0, 9),
            "known": st.integers(0, 9),
            "deleted": st.sampled_from([False, False, False, True]),
        }
    ),
    max_size=12,
)


@given(
    VERSIONS,
    st.sampled_from(["happened", "known", "planned"]),
    st.integers(1, 5),
    st.sampled_from([(), (("depot", "depot"),)]),
    st.booleans(),
)
@settings(deadline=None)
def test_law_the_rows_behind_a_window_are_those_that_the_rules_of_time_say(versions, on, over, by, own):
    stated = [
        oracle.Version(one["key"], one["happened"], one["known"], order, dict(one), one["deleted"])
        for order, one in enumerate(versions)
    ]
    case = {"key": 0, "depot": "A"}
    window = Window("n", "rows", "count", None, None, by, over, on)
    latest = Latest("n", "rows", "happened", by, max_age=over)
    world = oracle.World({"rows": stated}, {}, "rows" if own else "cases", "key")
    utc = pl.Datetime("us", "UTC")
    columns = {"key": pl.Int64, "depot": pl.String, "happened": pl.Int64, "known": pl.Int64, "deleted": bool}
    frame = pl.DataFrame(versions, schema=columns).select(
        "key",
        "depot",
        "happened",
        pl.col("happened").cast(utc).alias("_happened_at"),
        pl.col("known").cast(utc).alias("_known_at"),
        pl.int_range(pl.len()).alias("_order"),
        pl.col("deleted").alias("_deleted"),
    )
    for decided in range(10):
        known = {"key": ("key",), "case": case, "decided_at": decided, "own": {"key": 0} if own else None}
        counted = rows_behind(window, frame, **known)
        assert counted.height == oracle.compute(window, case, decided, world, None)
        last = rows_behind(latest, frame, **known)["happened"].to_list()
        assert (last or [None]) == [oracle.compute(latest, case, decided, world, None)]


def test_a_late_correction_is_another_version_with_a_raw_row_of_its_own(told):
    world, _, corrected, history = told
    key = history.cases.frame.filter(pl.col("parcel_id") % 5 == 0)["parcel_id"][2]
    traced = world.case(key, history)
    first, second = traced.outcomes
    assert first.known_at < second.known_at
    # Deliveries have no mend, but were handed over, and so are kept as they came.
    assert same_row(first, corrected)
    assert same_row(second, corrected)
    assert first.steps == second.steps == ()
    assert [truth.truth for truth in traced.truths] == [
        "late" if row.values["delay_h"] > 24 else "on_time" for row in (first, second)
    ]
    assert [truth.known_at for truth in traced.truths] == [first.known_at, second.known_at]
    assert not traced.reviewed


def test_the_rows_behind_outcomes_are_those_that_told_them_by_then(told):
    world, _, _, history = told
    for key in history.cases.frame["parcel_id"].to_list()[60:100:19]:
        traced = world.case(key, history, some=2)
        slow = next(feature for feature in traced.features if feature.feature == "slow")
        assert len(slow.some) == min(2, slow.rows)
        for row in slow.some:
            assert row.source == "deliveries"
            assert row.known_at <= traced.decided_at
            assert row.values["delay_h"] > 24
            assert row.raw_state == "found"


def test_the_decision_comes_along_where_there_is_one(told):
    world, _, _, history = told
    key = history.cases.frame["parcel_id"][5]
    assert world.case(key, history).decision is None
    decisions = pl.DataFrame({"parcel_id": [key, 10**6], "action": ["express", "pass"]})
    assert world.case(key, history, decisions=decisions).decision["action"] == "express"
    with pytest.raises(UserError, match=r"explain\.unknown-case"):
        world.case(10**7, history, decisions=decisions)


def test_a_row_of_a_source_is_traced_by_its_key_with_what_was_set_aside(told):
    world, raw, _, _ = told
    traced = world.row("parcels", "40")
    assert [row.batch.read for row in traced.versions] == ["first.csv", "corrections.csv"]
    assert [row.raw["weight"] for row in traced.versions][1] == "1,5 kg"
    assert traced.set_aside == ()
    aside = world.row("parcels", "29")
    assert aside.versions == ()
    (row,) = aside.set_aside
    assert (row.code, row.reason, row.row_number) == ("mend.dropped", "rows of the vendor's tests", 30)
    assert json.loads(row.row)["weight"] == raw["weight"][29]
    (depot,) = world.row("depots", "A").versions
    assert (depot.known_at, depot.values["region"], depot.steps[0].reason) == (
        None,
        "west",
        "as the map calls it",
    )
    with pytest.raises(UserError, match=r"trace\.key-length"):
        world.row("parcels")
    with pytest.raises(UserError, match=r"trace\.unknown-row"):
        world.row("parcels", "123456")


def small(text=TEXT, rows=40):
    world = World(text)
    cases, _ = worlds.parcels(days=4, per_day=10)
    return world, raw_parcels(cases)[:rows]


def test_the_place_of_a_raw_row_counts_the_unreadable_ones():
    world, raw = small()
    bad = pl.DataFrame(
        {"parcel_id": ["x"], "_row": [3], "_code": ["data.not-castable"], "_reason": ["no number"]}
    )
    world.land("parcels", (raw[:10], bad), (raw[10:20], None))
    numbers = [world.row("parcels", str(key)).versions[0].raw_number for key in (0, 1, 2, 11)]
    assert numbers == [1, 2, 4, 13]


def test_a_row_under_another_mend_has_the_same_raw_row_and_instant():
    world, raw = small()
    world.land("parcels", raw, read="a.csv")
    before = world.row("parcels", "4").versions[0]
    world.another(TEXT.replace("factor = 0.001", "factor = 0.002").replace("Ann, 3 March", "Bo, 5 May"))
    after = world.row("parcels", "4").versions[0]
    assert (after.raw, after.raw_number, after.landed_at) == (before.raw, before.raw_number, before.landed_at)
    assert (before.batch.again, after.batch.again, after.asked_by) == (False, True, "Bo, 5 May")
    assert after.batch.batch == before.batch.batch
    assert after.batch.mend != before.batch.mend
    assert after.values["weight_kg"] == pytest.approx(2 * before.values["weight_kg"])


def test_what_is_not_kept_is_said():
    world, raw = small(TEXT)
    world.land("parcels", raw)
    world.blobs = MemoryBlobs()
    lost = world.row("parcels", "4").versions[0]
    assert (lost.raw_state, lost.raw, lost.steps) == ("lost", None, ())
    plain = World(worlds.BRIEF)
    cases, _ = worlds.parcels(days=2, per_day=10)
    source = plain.brief.source["parcels"]
    arrival = Arrival(plain.now, imported=True, origin="ab", read="parcels.parquet")
    plain.intake.take_parts("parcels", source, parts=[(cases, None)], arrival=arrival)
    row = plain.row("parcels", "4").versions[0]
    assert (row.raw_state, row.raw, row.batch.read) == ("as landed", None, "parcels.parquet")
    assert row.landed_at == plain.now


def test_a_version_that_says_gone_has_no_raw_row():
    text = TEXT.replace('known_at = "booked_at"', 'known_at = "landed"\nabsent = "deleted"')
    world, raw = small(text)
    source = world.brief.source["parcels"]
    for rows in (raw, raw[1:], raw):
        world.now += 10**6
        arrival = Arrival(world.now, imported=False, read="dump")
        world.intake.take_parts("parcels", source, parts=[(rows, None)], arrival=arrival)
    traced = world.row("parcels", "0")
    assert [(row.deleted, row.raw_state) for row in traced.versions] == [
        (False, "found"),
        (True, "tombstone"),
        (False, "found"),
    ]
    assert [row.batch.landed_at for row in traced.versions] == [row.landed_at for row in traced.versions]
    assert [row.landed_at for row in traced.versions] == sorted({row.landed_at for row in traced.versions})


def test_instants_are_those_of_the_stored_row(told):
    world, raw, _, history = told
    key = int(history.cases.frame["parcel_id"][0])
    row = world.case(key, history).case
    source = raw.row(key, named=True)
    assert row.happened_at == to_instant(source["sent_at"])
    assert row.claimed_at == to_instant(source["booked_at"])
