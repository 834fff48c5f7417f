"""The online executor against the bulk executor: equal to the bit, however the rows came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import features_oracle as oracle
from features_oracle import Version, World
from test_features import (
    BYS,
    COLUMNS,
    HOUR,
    LATE,
    UTC,
    WIDE,
    at,
    count,
    feature_lists,
    formula,
    newest,
    row,
    since,
    total,
    versions_of,
    worlds,
)
from wholeroad.adapters.scratch import MemoryScratch
from wholeroad.core.errors import UserError
from wholeroad.road.data.features import online_memory
from wholeroad.road.data.features.bulk import compute
from wholeroad.road.data.features.keys import joint_codes
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.features.online_keys import Keys
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.row_versions import RowVersion
from wholeroad.road.data.versions import Versions

SEATS = {"k1": pl.String, "k2": pl.Int64, "seats": pl.Int64}
OTHER = {"k1": pl.Categorical(), "k2": pl.Int32, "x": pl.Int64, "f": pl.Float64, "flag": pl.Boolean}
"""The types of arrivals, whose keys are narrower than those of the cases."""
SCHEMAS = {
    "flights": pl.Schema({"id": pl.Int64, **COLUMNS}),
    "arrivals": pl.Schema({"id": pl.Int64, **OTHER}),
    "outcomes": pl.Schema({"id": pl.Int64, **COLUMNS, "k2": pl.Float64}),
    "planes": pl.Schema(SEATS),
}
NEVER = 10**18


@dataclass(frozen=True)
class Landed:
    """A version, and when it came; not after it is known."""

    source: str
    version: Version
    at: int


def typed(source: str, versions: Versions) -> Versions:
    return Versions(source, versions.key, versions.frame.cast(dict(SCHEMAS[source])))


def frame_of(source: str, landed: Sequence[Landed], until: int) -> Versions:
    return typed(
        source,
        versions_of(source, [each.version for each in landed if each.source == source and each.at <= until]),
    )


def linked(source: str, key: Any, landed: Sequence[Landed], until: int) -> list[RowVersion]:
    """All versions of a row that have come, as they are put."""
    here = [each for each in landed if (each.source, each.version.key) == (source, key)]
    rows = [each.version for each in here if each.at <= until]
    rows.sort(key=lambda version: (version.known, version.order))
    return [
        RowVersion(
            happened_at=version.happened,
            known_at=version.known,
            order=version.order,
            deleted=version.deleted,
            values=values_of(source, version),
            superseded_at=rows[place + 1].known if place + 1 < len(rows) else None,
            first_known_at=rows[0].known,
        )
        for place, version in enumerate(rows)
    ]


def values_of(source: str, version: Version) -> oracle.Row:
    number = version.columns["k2"]
    k2 = float(number) if source == "outcomes" and number is not None else number
    return {"id": version.key, **version.columns, "k2": k2}


@dataclass
class Stream:
    """Feeds online features from a split instant on, and asks them as the service does."""

    features: Sequence[Feature]
    landed: Sequence[Landed]
    statics: Mapping[str, Sequence[oracle.Row]]
    most: int = 10**9
    bounded: bool = False

    def __post_init__(self) -> None:
        self.now = 0
        self.reloads = self.most_spilled = 0
        self.online = OnlineFeatures(
            self.features,
            case_source="flights",
            case_key=("id",),
            schemas=SCHEMAS,
            most=self.most,
            scratch=MemoryScratch(),
            reload=self.reload if self.bounded else None,
        )

    def reload(self, source: str, values: Mapping[str, Any]) -> Versions:
        self.reloads += 1
        versions = frame_of(source, self.landed, self.now)
        same = [pl.col(name) == value for name, value in values.items()]
        return Versions(source, versions.key, versions.frame.filter(pl.lit(value=True), *same))

    def load(self, split: int) -> None:
        self.now = split
        for source in ("flights", "arrivals", "outcomes"):
            self.online.load(frame_of(source, self.landed, split), at=split)
        for name, rows in self.statics.items():
            self.online.load(
                Versions(name, ("k1", "k2"), pl.DataFrame(rows, schema=SEATS), static=True), at=split
            )

    def put(self, source: str, key: Any) -> None:
        self.online.put(source, (key,), versions=linked(source, key, self.landed, self.now))

    def run(self, cases: Sequence[oracle.Row], split: int, shuffle: Any = None) -> list[tuple[Any, ...]]:
        """Load what came by the split, put the rest as it comes, and ask for each case from then on."""
        self.load(split)
        answers = []
        instants = {each.at for each in self.landed if each.at > split} | {
            case["_decided_at"] for case in cases
        }
        for now in sorted(instant for instant in instants if instant >= split):
            self.now = now
            self.online.advance(now)
            new = list(
                dict.fromkeys(
                    (each.source, each.version.key) for each in self.landed if each.at == now > split
                )
            )
            for source, key in shuffle(new) if shuffle else new:
                self.put(source, key)
            answers += [self.online.of(case, decided_at=now) for case in cases if case["_decided_at"] == now]
            self.most_spilled = max(self.most_spilled, self.online.keys_spilled)
        return answers


def bulk(features: Sequence[Feature], cases: Sequence[oracle.Row], world: World) -> pl.DataFrame:
    sources = {name: typed(name, versions_of(name, rows)) for name, rows in world.sources.items()}
    for name, rows in world.statics.items():
        sources[name] = Versions(name, ("k1", "k2"), pl.DataFrame(rows, schema=SEATS), static=True)
    types = {**SCHEMAS["flights"], "_decided_at": pl.Int64}
    frame = pl.DataFrame(cases, schema=types).with_columns(pl.col("_decided_at").cast(UTC))
    return compute(features, frame, sources=sources, case_source="flights", case_key=("id",))


def in_full(case: oracle.Row) -> oracle.Row:
    return {"f": None, "flag": None, **case}


def landed_of(world: World, data: st.DataObject) -> list[Landed]:
    """Rows come when they become known, or before."""
    early = data.draw(st.sampled_from([0, 0, 3, LATE])) * (
        WIDE if any(version.known > LATE for rows in world.sources.values() for version in rows) else 1
    )
    return [
        Landed(source, version, max(version.known - data.draw(st.sampled_from([0, early])), 0))
        for source, rows in world.sources.items()
        for version in rows
    ]


def same(answers: Sequence[tuple[Any, ...]], expected: pl.DataFrame) -> None:
    columns = [physical(column) for column in expected.iter_columns()]
    found = [list(column) for column in zip(*answers, strict=True)] if answers else [[] for _ in columns]
    assert {name: list(map(repr, column)) for name, column in zip(expected.columns, found, strict=True)} == {
        name: list(map(repr, column)) for name, column in zip(expected.columns, columns, strict=True)
    }


@settings(max_examples=60, deadline=None)
@given(
    world_and_cases=worlds(),
    features=feature_lists.filter(bool),
    split=st.integers(0, LATE),
    most=st.sampled_from([0, 1, 5, 10**9]),
    bounded=st.booleans(),
    data=st.data(),
)
def test_online_equals_bulk_however_rows_are_split_between_load_and_put(
    world_and_cases, features, split, most, bounded, data
):
    world, cases = world_and_cases
    cases = [in_full(case) for case in cases]
    landed = landed_of(world, data)
    if any(case["_decided_at"] > LATE for case in cases):
        split *= WIDE
    kept = [case for case in cases if case["_decided_at"] >= split]
    stream = Stream(features, landed, world.statics, most=most, bounded=bounded)
    answers = stream.run(kept, split, lambda new: data.draw(st.permutations(new)))
    expected = bulk(features, kept, world)
    same(answers, expected)
    assert stream.online.schema == expected.schema


def larger_world() -> tuple[World, list[oracle.Row]]:
    """Hundreds of rows of a few keys, of which many are corrected or taken back."""
    chance = np.random.default_rng(0)

    def columns() -> oracle.Row:
        return {
            "k1": chance.choice(["a", "b"]).item(),
            "k2": int(chance.integers(0, 3)),
            "x": int(chance.integers(-9, 9)),
            "f": float(chance.normal()),
            "flag": bool(chance.random() < 0.1),
        }

    sources = {
        name: [
            Version(
                int(chance.integers(0, 300)),
                happened := int(chance.integers(0, 900)) * HOUR,
                max(happened + int(chance.integers(-5, 60)) * HOUR, 0),
                order,
                columns(),
                deleted=chance.random() < 0.3,
            )
            for order in range(500)
        ]
        for name in ("flights", "arrivals", "outcomes")
    }
    for rows in sources.values():
        rows += [
            Version(key, 590 * HOUR, 600 * HOUR, 500 + key, columns(), deleted=True) for key in range(290)
        ]
    cases = [
        in_full({"id": int(key), "k1": "ab"[key % 2], "k2": int(key % 3), "x": 0, "_decided_at": int(now)})
        for key, now in zip(
            chance.permutation(300)[:120], np.sort(chance.integers(0, 1000, 120)) * HOUR, strict=True
        )
    ]
    return World(sources, {}, "flights", "id"), cases


def every_kind() -> list[Feature]:
    features: list[Feature] = []
    for source in ("flights", "arrivals"):
        for by in BYS[:2]:
            for over in (30 * HOUR, 400 * HOUR):
                for on in ("happened", "known", "planned"):
                    window = Window("", source, "count", None, None, by, over, on)
                    features += [window, replace(window, where=formula("flag"))]
                    for how in ("sum", "mean", "min", "max", "std", "distinct"):
                        value = formula("x" if how == "distinct" else "f")
                        features.append(replace(window, aggregate=how, value=value))
                    if on != "planned":
                        features.append(replace(window, aggregate="since", where=formula("flag")))
            for on in ("happened", "known"):
                forever = Window("", source, "since", None, None, by, None, on)
                features += [forever, replace(forever, where=formula("flag"))]
            features += [Latest("", source, "x", by, age) for age in (None, 0, 9 * HOUR)]
    return [replace(feature, name=f"f{place}") for place, feature in enumerate(features)]


@pytest.mark.parametrize(
    ("split", "most", "bounded"), [(0, 10**9, True), (500, 10**9, False), (500, 500, True)]
)
def test_keys_with_many_rows_give_what_bulk_gives(split, most, bounded):
    world, cases = larger_world()
    landed = [Landed(source, row, row.known) for source, rows in world.sources.items() for row in rows]
    kept = [case for case in cases if case["_decided_at"] >= split * HOUR]
    stream = Stream(every_kind(), landed, {}, most=most, bounded=bounded)
    answers = stream.run(kept, split * HOUR)
    same(answers, bulk(stream.features, kept, world))
    assert (stream.most_spilled > 0) == (most == 500)
    assert (stream.reloads > 0) == bounded


def test_only_the_newest_rows_are_held_where_they_can_be_asked_for_anew():
    rows = [Landed("arrivals", row(key, key, key, x=key), key) for key in range(200)]
    gone = [
        Landed("arrivals", row(key, key, 200, order=1, deleted=True), 200) for key in range(200) if key != 7
    ]
    held = {}
    for bounded in (False, True):
        stream = Stream([newest(), replace(since(), name="s")], [*rows, *gone], {}, bounded=bounded)
        stream.load(199)
        held[bounded] = stream.online.rows_held
        assert stream.online.of(in_full(at(199)[0]), decided_at=199) == (199, 0.0)
        stream.now = 200
        stream.online.advance(200)
        for key in range(200):
            stream.put("arrivals", key)
        assert stream.online.of(in_full(at(200)[0]), decided_at=200) == (7, 193 / HOUR)
        assert stream.reloads == bounded
    assert held[False] == 200
    assert held[True] <= 32


def test_no_more_rows_are_held_than_was_said_but_for_the_keys_of_the_last_case():
    rows = [Landed("arrivals", row(key, key, key, k1=str(key % 50)), key) for key in range(500)]
    stream = Stream([count(over=999)], rows, {}, most=100)
    stream.load(499)
    assert (stream.online.rows_held, stream.online.keys_spilled) == (90, 41)
    for name in range(50):
        case = in_full(at(499, k1=str(name))[0])
        assert stream.online.of(case, decided_at=499) == (10,)
        assert stream.online.rows_held <= 100
    everything = Stream([count(over=999, by=()), replace(count(), name="m")], rows, {}, most=100)
    everything.load(499)
    for _ in range(2):
        assert everything.online.of(case, decided_at=499) == (500, 1)
    assert everything.online.rows_held == 501


def test_rows_whose_time_is_over_are_let_go():
    rows = [Landed("arrivals", row(key, key, key), key) for key in range(3_000)]
    stream = Stream([count(over=10), replace(total("f", "max", over=50), name="m")], rows, {})
    stream.load(0)
    for now in range(1, 3_000):
        stream.now = now
        stream.online.advance(now)
        stream.online.put("arrivals", (now,), versions=linked("arrivals", now, rows[now : now + 1], now))
    assert stream.online.rows_held < 200


def test_keys_that_nobody_asks_for_are_let_go_in_time():
    rows = [Landed("arrivals", row(key, key, key, k1=str(key)), key) for key in range(1_000)]
    stream = Stream([count(over=10)], rows, {})
    stream.load(0)
    for now in range(1, 1_000):
        stream.online.advance(now)
        stream.online.put("arrivals", (now,), versions=linked("arrivals", now, rows[now : now + 1], now))
    assert stream.online.keys_held < 100


def test_a_row_that_was_put_again_counts_once():
    rows = [Landed("arrivals", row(1, 0, 0, x=4), 0)]
    stream = Stream([total("x")], rows, {})
    stream.load(0)
    for _ in range(3):
        stream.put("arrivals", 1)
    assert stream.online.of(in_full(at(1)[0]), decided_at=1) == (4,)


def test_a_version_still_to_come_may_be_left_out_again():
    rows = [Landed("arrivals", row(1, 0, 0, x=4), 0), Landed("arrivals", row(1, 0, 9, order=1, x=5), 0)]
    stream = Stream([total("x", over=99)], rows, {})
    stream.load(0)
    stream.online.put("arrivals", (1,), versions=linked("arrivals", 1, rows[:1], 0))
    assert stream.online.of(in_full(at(9)[0]), decided_at=9) == (4,)


def test_a_source_without_a_schema_has_no_rows():
    features: list[Feature] = [
        replace(count(), name="n"),
        replace(total("f"), name="s"),
        replace(total("x"), name="t"),
        replace(total("f", "max"), name="m"),
        replace(total("x", "mean"), name="u"),
        replace(newest(), name="l"),
        Lookup("p", "planes", "seats", BYS[3]),
        Derived("d", formula("x")),
    ]
    online = OnlineFeatures(
        features, case_source="flights", case_key=("id",), schemas={"flights": SCHEMAS["flights"]}
    )
    assert online.of(in_full(at(1, x=3)[0]), decided_at=1) == (0, 0.0, 0, None, None, None, None, 3)
    assert online.schema.dtypes() == [
        *(pl.Int64(), pl.Float64(), pl.Int64(), pl.Float64(), pl.Float64(), pl.Null(), pl.Null(), pl.Int64())
    ]


def asked(feature: Feature, *rows: Version) -> tuple[Any, ...]:
    landed = [Landed("arrivals", each, each.known) for each in rows]
    return Stream([feature], landed, {}).run([in_full(at(1)[0])], 1)[0]


def test_the_lesser_zero_is_no_other_zero_and_nan_is_null():
    rows = [row(1, 0, 0, f=-0.0), row(2, 0, 0, f=math.nan)]
    for how in ("min", "max"):
        assert repr(asked(total("f", how), *rows)) == "(0.0,)"
    assert asked(total("f", "distinct"), *rows, row(3, 0, 0, f=0.0)) == (1,)


@pytest.mark.parametrize("how", ["sum", "mean", "std", "min", "max"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_values_in_a_window_are_refused_as_in_bulk(value, how):
    with pytest.raises(UserError) as raised:
        asked(total("f", how), row(1, 0, 0, f=value), row(2, 0, 0))
    assert raised.value.code == "data.infinite-value"
    assert "arrivals.f" in raised.value.headline


def test_a_value_that_is_too_large_by_itself_is_refused_as_in_bulk():
    rows = [row(1, 0, 0, f=2.0**50)]
    world = World({"arrivals": rows}, {}, "flights", "id")
    for ask in (lambda: asked(total("f"), *rows), lambda: bulk([total("f")], at(1), world)):
        with pytest.raises(UserError) as raised:
            ask()
        assert raised.value.code == "features.overflow"


edges = st.integers(-3, 3)
signs = st.sampled_from([-1, 1])


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["sum", "mean", "std"]),
    st.one_of(
        st.lists(st.builds(lambda sign, by: sign * (2**61 + by), signs, edges), max_size=6),
        st.lists(st.builds(lambda by: 2**62 // 3 + by, edges), min_size=3, max_size=3),
    ),
    st.lists(st.builds(lambda by: 2.0**54 / 17 + by / 256, st.integers(-600, 600)), min_size=15, max_size=18),
)
def test_sums_that_are_too_large_have_no_value_online_as_in_bulk(how, integers, floats):
    for text, values in (("x", integers), ("f", floats)):
        rows = [row(key, 0, 0, **{text: value}) for key, value in enumerate(values)]
        world = World({"arrivals": rows}, {}, "flights", "id")
        assert asked(total(text, how), *rows) == tuple(bulk([total(text, how)], at(1), world).row(0)[-1:])


def test_text_is_never_compared_with_numbers():
    with pytest.raises(UserError) as raised:
        Stream([replace(count(), by=(("k2", "k1"),))], [], {})
    assert raised.value.code == "features.key-types"


def test_time_never_goes_back():
    stream = Stream([count()], [], {})
    stream.load(5)
    with pytest.raises(ValueError, match="back"):
        stream.online.advance(4)


def test_a_row_of_a_source_without_time_replaces_its_state():
    lookup = Lookup("n", "planes", "seats", BYS[3])
    stream = Stream([lookup], [], {"planes": [{"k1": "a", "k2": 1, "seats": 180}]})
    stream.load(0)
    case = in_full(at(1)[0])
    assert stream.online.of(case, decided_at=1) == (180,)
    for seats, deleted in ((90, False), (90, True)):
        version = RowVersion(0, 1, seats, deleted, {"k1": "a", "k2": 1, "seats": seats}, None, 1)
        stream.online.put("planes", ("a", 1), versions=[version])
        assert stream.online.of(case, decided_at=1) == ((None,) if deleted else (seats,))


KEYS = [
    (pl.Series([1, 2, None], dtype=pl.Int16), pl.Series([2, 3], dtype=pl.UInt64)),
    (pl.Series([2**53 + 1, 2, None]), pl.Series([2.0, 2.0**53, math.nan])),
    (pl.Series([-0.0, 0.1, math.nan]), pl.Series([0.0, 0.1, math.nan], dtype=pl.Float32)),
    (pl.Series([2**24 + 1, 3], dtype=pl.Int16, strict=False), pl.Series([0.5, 3.0], dtype=pl.Float32)),
    (pl.Series(["a", "b", None]), pl.Series(["b", "c"], dtype=pl.Categorical)),
    (pl.Series([True, False, None]), pl.Series([False, None])),
    (pl.Series([True, False, None]), pl.Series([0, 1, 2])),
    (pl.Series([86_400_000, 2]).cast(pl.Datetime("ms", "UTC")), pl.Series([1, 3]).cast(pl.Date)),
    (pl.Series([None, None]), pl.Series(["a", None])),
]


@pytest.mark.parametrize(("left", "right"), KEYS)
def test_keys_are_equal_where_those_of_bulk_are(left, right):
    by = (("a", "b"),)
    codes = joint_codes(left.to_frame("a"), right.to_frame("b"), by=by, source="s")
    keys = Keys(by, {"a": left.dtype}, rows={"b": right.dtype}, source="s")
    rows = keys.of_frame(right.to_frame("b"))
    assert rows == [keys.of_row({"b": value}) for value in physical(right)]
    for value, code in zip(physical(left), codes.cases, strict=True):
        key = keys.of_case({"a": value})
        equal = [key is not None and key == other for other in rows]
        assert equal == [code >= 0 and code == other for other in codes.rows]


class Counted(dict):
    """A place for spilled rows that counts how often something is written."""

    writes = 0

    def put(self, key, data):
        self.writes += 1
        self[key] = data

    def delete(self, key):
        self.pop(key, None)


def visits(cities, *, most):
    """Put a visit after the other, and give how often rows had been spilled after each of them."""
    schema = pl.Schema({"id": pl.Int64(), "city": pl.String(), "at": pl.Datetime("us", "UTC")})
    window = Window("n", "visits", "count", None, None, (("city", "city"),), 10**12, "happened")
    scratch, writes = Counted(), []
    online = OnlineFeatures(
        [window],
        case_source="cases",
        case_key=("id",),
        schemas={"cases": schema, "visits": schema},
        most=most,
        scratch=scratch,
    )
    online.advance(1)
    for number, city in enumerate(cities):
        values = {"id": number, "city": city, "at": 1}
        version = RowVersion(1, 1, number, False, values, None, 1)
        online.put("visits", (number,), versions=[version])
        writes.append(scratch.writes)
    return online, writes


def test_a_working_set_above_the_bound_does_not_come_and_go_with_every_row():
    online, writes = visits("ABCD" * 2_250, most=3_000)
    assert writes[-1] > 0
    assert writes[-1] - writes[-1_000] == 0
    assert online.of({"id": -1, "city": "A", "at": 1}, decided_at=1) == (2_250,)


def test_keys_of_many_rows_that_are_in_use_are_never_spilled_until_they_are_idle(monkeypatch):
    monkeypatch.setattr(online_memory, "_IDLE", 500)
    online, writes = visits("AB" * 4_000 + "A" * 300 + "C" * 500, most=3_000)
    assert writes[-1] == 1  # B, that wasn't used for 500 rows
    for city, rows in (("A", 4_300), ("B", 4_000), ("C", 500)):
        assert online.of({"id": -1, "city": city, "at": 1}, decided_at=1) == (rows,)
