"""The bulk executor against the oracle, rule by rule of section 5."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import features_oracle as oracle
from features_oracle import Version, World
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.expressions import Expression
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.data.features import deviation, exact
from wholeroad.road.data.features.bulk import compute
from wholeroad.road.data.features.keys import joint_codes
from wholeroad.road.data.features.latest import greatest
from wholeroad.road.data.features.specs import Derived, Feature, Latest, Lookup, Window
from wholeroad.road.data.versions import Versions
from worlds import BRIEF

UTC = pl.Datetime("us", "UTC")
COLUMNS = {"k1": pl.String, "k2": pl.Int64, "x": pl.Int64, "f": pl.Float64, "flag": pl.Boolean}
CASE_COLUMNS = {"id": pl.Int64, "k1": pl.Categorical, "k2": pl.Int32, "x": pl.Int64}
FORMULAS: dict[str, tuple[pl.Expr, Any, Callable[[oracle.Row], Any]]] = {
    "k1": (pl.col("k1"), pl.String(), lambda row: row["k1"]),
    "k2": (pl.col("k2"), pl.Int64(), lambda row: row["k2"]),
    "x": (pl.col("x"), pl.Int64(), lambda row: row["x"]),
    "f": (pl.col("f"), pl.Float64(), lambda row: row["f"]),
    "flag": (pl.col("flag"), pl.Boolean(), lambda row: row["flag"]),
    "x > 0": (pl.col("x") > 0, pl.Boolean(), lambda row: None if row["x"] is None else row["x"] > 0),
    "1": (pl.lit(1, pl.Int64), pl.Int64(), lambda _: 1),
    "f * 2": (pl.col("f") * 2, pl.Float64(), lambda row: None if row["f"] is None else row["f"] * 2),
}


def formula(text: str) -> Expression:
    built, dtype, _ = FORMULAS[text]
    return Expression(text=text, columns=(), dtype=dtype, polars=built)


def evaluate(text: str, row: oracle.Row) -> Any:
    return FORMULAS[text][2](row)


# --- from the oracle's world to the executor's ----------------------------------------------------


def versions_of(source: str, rows: Sequence[Version], key: str = "id") -> Versions:
    """Sort and link versions as landing does."""
    ordered = sorted(rows, key=lambda version: (version.known, version.order))
    superseded: list[int | None] = []
    first = []
    for place, version in enumerate(ordered):
        later = [other.known for other in ordered[place + 1 :] if other.key == version.key]
        superseded.append(later[0] if later else None)
        first.append(next(other.known for other in ordered if other.key == version.key))
    columns = {name: [version.columns.get(name) for version in ordered] for name in COLUMNS}
    frame = pl.DataFrame(
        {
            key: [version.key for version in ordered],
            **columns,
            "_happened_at": [version.happened for version in ordered],
            "_known_at": [version.known for version in ordered],
            "_order": [version.order for version in ordered],
            "_deleted": [version.deleted for version in ordered],
            "_superseded_at": superseded,
            "_first_known_at": first,
        },
        schema={
            key: pl.Int64,
            **COLUMNS,
            **dict.fromkeys(("_happened_at", "_known_at"), pl.Int64),
            "_order": pl.Int64,
            "_deleted": pl.Boolean,
            **dict.fromkeys(("_superseded_at", "_first_known_at"), pl.Int64),
        },
    ).with_columns(pl.col("_happened_at", "_known_at", "_superseded_at", "_first_known_at").cast(UTC))
    return Versions(source=source, key=(key,), frame=frame)


def cases_of(cases: Sequence[oracle.Row]) -> pl.DataFrame:
    return pl.DataFrame(cases, schema={**CASE_COLUMNS, "_decided_at": pl.Int64}).with_columns(
        pl.col("_decided_at").cast(UTC)
    )


def bulk(
    features: Sequence[Feature], cases: Sequence[oracle.Row], world: World, threads: int = 1
) -> dict[str, list[Any]]:
    sources = {name: versions_of(name, rows) for name, rows in world.sources.items()}
    for name, rows in world.statics.items():
        frame = pl.DataFrame(rows, schema={"k1": pl.String, "k2": pl.Int64, "seats": pl.Int64})
        sources[name] = Versions(source=name, key=("k1", "k2"), frame=frame, static=True)
    frame = compute(
        features,
        cases_of(cases),
        sources=sources,
        case_source=world.case_source,
        case_key=(world.case_key,),
        threads=threads,
    )
    assert frame.columns == [feature.name for feature in features]
    assert frame.height == len(cases)
    return frame.to_dict(as_series=False)


def by_oracle(features: Sequence[Feature], cases: Sequence[oracle.Row], world: World) -> dict[str, list[Any]]:
    return {
        feature.name: [oracle.compute(feature, case, case["_decided_at"], world, evaluate) for case in cases]
        for feature in features
    }


def same(left: dict[str, list[Any]], right: dict[str, list[Any]]) -> None:
    """Equal to the bit: repr tells -0.0 from 0.0 and 1 from 1.0, and NaN is itself."""
    assert {name: list(map(repr, column)) for name, column in left.items()} == {
        name: list(map(repr, column)) for name, column in right.items()
    }


# --- worlds ---------------------------------------------------------------------------------------

LATE, WIDE = 20, 10**13  # microseconds: a small grid with many ties, or one of years
BYS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("k1", "k1"),),
    (("k2", "k2"),),
    (("k1", "k1"), ("k2", "k2")),
)
times = st.integers(0, LATE)
numbers = st.none() | st.integers(-3, 3) | st.integers(-(2**40), 2**40)
floats = (
    st.none()
    | st.sampled_from([0.0, -0.0, 0.1, -0.1, 1e-13, -1e-13, 2.0**-41, -(2.0**-41), math.nan, 1e12])
    | st.floats(-1e9, 1e9)
)
labels = st.sampled_from([None, "a", "b", "ü"])


@st.composite
def columns(draw: st.DrawFn, big: int) -> oracle.Row:
    return {
        "k1": draw(labels),
        "k2": draw(st.sampled_from([None, 1, big])),
        "x": draw(numbers),
        "f": draw(floats),
        "flag": draw(st.sampled_from([None, True, False])),
    }


@st.composite
def worlds(draw: st.DrawFn, least: int = 0) -> tuple[World, list[oracle.Row]]:
    """Late, early, corrected, repeated, deleted and null rows, with many equal times."""
    scale = draw(st.sampled_from([1, 1, WIDE]))
    big = draw(st.sampled_from([2, 60_000]))
    sources = {}
    for source in ("flights", "arrivals", "outcomes"):
        rows = draw(
            st.lists(
                st.tuples(st.integers(0, 5), times, times, columns(big), st.integers(0, 9)),
                min_size=least,
                max_size=14,
            )
        )
        sources[source] = [
            Version(key, happened * scale, known * scale, order, row, deleted=chance == 0)
            for order, (key, happened, known, row, chance) in enumerate(rows)
        ]
    cases = [
        {
            "id": key,
            "k1": draw(labels),
            "k2": draw(st.sampled_from([None, 1, big])),
            "x": draw(numbers),
            "_decided_at": draw(times) * scale,
        }
        for key in draw(st.lists(st.integers(0, 7), unique=True, min_size=least, max_size=8))
    ]
    cases.sort(key=lambda case: case["_decided_at"])
    seats = st.fixed_dictionaries(
        {"k1": labels, "k2": st.sampled_from([None, 1, big]), "seats": st.none() | st.integers(0, 3)}
    )
    statics = draw(st.lists(seats, max_size=5, unique_by=lambda row: (row["k1"], row["k2"])))
    return World(sources, {"planes": statics}, "flights", "id"), cases


spans = st.sampled_from([1, 2, 3, 5, 12, 40, 3 * WIDE, 12 * WIDE])
from_source = st.sampled_from(["flights", "arrivals", "outcomes"])
windows = st.builds(
    Window,
    name=st.just(""),
    source=from_source,
    aggregate=st.sampled_from(["sum", "mean", "min", "max", "std", "distinct"]),
    value=st.sampled_from(["x", "f", "flag", "x > 0", "1", "f * 2"]).map(formula),
    where=st.none() | st.sampled_from(["flag", "x > 0"]).map(formula),
    by=st.sampled_from(BYS),
    over=spans,
    on=st.sampled_from(["happened", "known", "planned"]),
)
counts = windows.map(lambda window: replace(window, aggregate="count", value=None))
distincts = st.builds(
    lambda window, text: replace(window, aggregate="distinct", value=formula(text)),
    windows,
    st.sampled_from(["k1", "k2"]),
)
sinces = st.builds(
    lambda window, over: replace(window, aggregate="since", value=None, over=over),
    windows.filter(lambda window: window.on != "planned"),
    st.none() | spans,
)
latests = st.builds(
    Latest,
    name=st.just(""),
    source=from_source,
    column=st.sampled_from(list(COLUMNS)),
    by=st.sampled_from(BYS),
    max_age=st.none() | spans | st.just(0),
)
lookups = st.just(Lookup("", "planes", "seats", BYS[3]))
derived = st.sampled_from(["x", "x > 0", "1"]).map(lambda text: Derived("", formula(text)))
a_feature = st.one_of(windows, windows, windows, counts, distincts, sinces, latests, lookups, derived)
feature_lists = st.lists(a_feature, max_size=8).map(
    lambda features: [replace(feature, name=f"f{place}") for place, feature in enumerate(features)]
)


@settings(max_examples=250)
@given(world_and_cases=worlds(), features=feature_lists.filter(bool))
def test_bulk_equals_the_oracle(world_and_cases, features):
    world, cases = world_and_cases
    same(bulk(features, cases, world), by_oracle(features, cases, world))


@settings(max_examples=40)
@given(world_and_cases=worlds(least=1), features=feature_lists.filter(bool), data=st.data())
def test_a_case_has_the_same_features_in_any_batch(world_and_cases, features, data):
    world, cases = world_and_cases
    chosen = data.draw(st.lists(st.sampled_from(range(len(cases))), unique=True).map(sorted))
    whole = bulk(features, cases, world)
    part = bulk(features, [cases[place] for place in chosen], world)
    same(part, {name: [column[place] for place in chosen] for name, column in whole.items()})


@settings(max_examples=25)
@given(world_and_cases=worlds(), features=feature_lists.filter(bool))
def test_the_number_of_threads_changes_nothing(world_and_cases, features):
    world, cases = world_and_cases
    same(bulk(features, cases, world, threads=1), bulk(features, cases, world, threads=3))


@settings(max_examples=60)
@given(world_and_cases=worlds(), features=feature_lists.filter(bool), cut=times, data=st.data())
def test_rows_known_later_change_nothing(world_and_cases, features, cut, data):
    """Future-blindness: truncation and poison, without an error either."""
    world, cases = world_and_cases
    cases = [case for case in cases if case["_decided_at"] <= cut]
    poison = [
        Version(
            data.draw(st.integers(0, 7)),
            data.draw(times),
            cut + 1 + data.draw(times),
            100 + order,
            {
                "k1": "a",
                "k2": 1,
                "x": 2**62,
                "f": data.draw(st.sampled_from([math.inf, -math.inf, 1e300, 5.0])),
                "flag": True,
            },
        )
        for order in range(data.draw(st.integers(0, 4)))
    ]
    past = {name: [row for row in rows if row.known <= cut] for name, rows in world.sources.items()}
    other = {name: [*rows, *poison] for name, rows in past.items()}
    whole = bulk(features, cases, world)
    same(bulk(features, cases, replace(world, sources=past)), whole)
    same(bulk(features, cases, replace(world, sources=other)), whole)


def test_a_larger_world_with_long_ranges_equals_the_oracle():
    chance = np.random.default_rng(3)
    hour, n = 3_600_000_000, 400

    def row() -> oracle.Row:
        return {
            "k1": chance.choice(["a", "b"]).item(),
            "k2": int(chance.integers(0, 3)),
            "x": int(chance.integers(-9, 9)),
            "f": float(chance.normal()),
            "flag": bool(chance.integers(0, 2)),
        }

    sources = {
        name: [
            Version(
                int(chance.integers(0, 300)),
                happened := int(chance.integers(0, 900)) * hour,
                happened + int(chance.integers(-5, 60)) * hour,
                order,
                row(),
                deleted=chance.random() < 0.02,
            )
            for order in range(n)
        ]
        for name in ("flights", "arrivals")
    }
    instants = np.sort(chance.integers(0, 1000, 250)) * hour
    ids = chance.permutation(300)
    cases = [
        {"id": int(key), "k1": "a" if key % 2 else "b", "k2": int(key % 3), "x": 0, "_decided_at": int(at)}
        for key, at in zip(ids, instants, strict=False)
    ]
    features: list[Feature] = []
    for source in sources:
        for by in BYS[:2]:
            for over in (30 * hour, 400 * hour):
                for on in ("happened", "known", "planned"):
                    name = f"{source}_{len(by)}_{over}_{on}"
                    features.append(Window(name, source, "mean", formula("f"), None, by, over, on))
                    for how in ("min", "max", "std", "distinct"):
                        value = formula("x" if how == "distinct" else "f")
                        features.append(Window(f"{name}_{how}", source, how, value, None, by, over, on))
                    if on != "planned":
                        features.append(Window(f"{name}_since", source, "since", None, None, by, over, on))
            features += [
                Latest(f"{source}_{len(by)}_{age}", source, "x", by, age) for age in (None, 9 * hour)
            ]
    world = World(sources, {}, "flights", "id")
    same(bulk(features, cases, world), by_oracle(features, cases, world))


# --- the rules of section 5, by name --------------------------------------------------------------


def row(key: int, happened: int, known: int, order: int = 0, **columns: Any) -> Version:
    columns = {"k1": "a", "k2": 1, "x": 1, "f": 1.0, "flag": True, **columns}
    return Version(key, happened, known, order, columns, deleted=columns.pop("deleted", False))


def at(*instants: int, key: int = 99, **columns: Any) -> list[oracle.Row]:
    return [
        {"id": key + place, "k1": "a", "k2": 1, "x": 0, **columns, "_decided_at": instant}
        for place, instant in enumerate(instants)
    ]


def count(on: str = "happened", over: int = 10, source: str = "arrivals", by: Any = BYS[1]) -> Window:
    return Window("n", source, "count", None, None, by, over, on)


def total(text: str, how: str = "sum", over: int = 10, where: str | None = None) -> Window:
    return Window("n", "arrivals", how, formula(text), where and formula(where), BYS[1], over, "happened")


HOUR = 3_600_000_000


def since(
    on: str = "happened", over: int | None = None, source: str = "arrivals", where: str | None = None
) -> Window:
    return Window("n", source, "since", None, where and formula(where), BYS[1], over, on)


def newest(column: str = "x", max_age: int | None = None, source: str = "arrivals") -> Latest:
    return Latest("n", source, column, BYS[1], max_age)


def answer(
    feature: Feature, cases: Sequence[oracle.Row], *rows: Version, source: str = "arrivals"
) -> list[Any]:
    world = World({source: rows}, {}, "flights", "id")
    result = bulk([feature], cases, world)
    same(result, by_oracle([feature], cases, world))
    return result[feature.name]


def test_a_row_counts_as_soon_as_it_is_known():
    assert answer(count(), at(6, 7, 8), row(1, happened=5, known=7)) == [0, 1, 1]


def test_window_on_happened_is_open_at_its_beginning_and_closed_at_its_end():
    assert answer(count(over=10), at(4, 5, 14, 15), row(1, happened=5, known=0)) == [0, 1, 1, 0]


def test_window_on_known_counts_rows_first_known_in_the_span():
    rows = [row(1, happened=0, known=7), row(1, happened=0, known=12, order=1)]
    assert answer(count("known", over=10), at(6, 7, 12, 16, 17), *rows) == [0, 1, 1, 1, 0]


def test_a_row_known_too_late_for_its_window_never_counts():
    assert answer(count(over=5), at(0, 5, 10, 20), row(1, happened=0, known=10)) == [0, 0, 0, 0]


def test_a_planned_row_counts_from_when_it_happens():
    assert answer(count(), at(2, 8, 9), row(1, happened=9, known=1)) == [0, 0, 1]


def test_window_on_planned_looks_ahead_open_at_the_decision_and_closed_at_its_end():
    cases = at(2, 4, 8, 9)
    assert answer(count("planned", over=5), cases, row(1, happened=9, known=0)) == [0, 1, 1, 0]


def test_window_on_planned_counts_rows_already_known_only():
    cases = at(3, 4, 5, 9)
    assert answer(count("planned", over=9), cases, row(1, happened=9, known=4)) == [0, 1, 1, 0]
    assert answer(count("planned", over=9), cases, row(1, happened=9, known=9)) == [0, 0, 0, 0]


def test_a_plan_that_was_moved_or_cancelled_counts_where_it_is_now():
    rows = [row(1, 5, 0), row(1, 12, 2, order=1), row(1, 12, 6, order=2, deleted=True)]
    assert answer(count("planned", over=5), at(1, 2, 4), *rows[:2]) == [1, 0, 0]
    assert answer(count("planned", over=6), at(5, 6, 7), *rows) == [0, 0, 0]
    assert answer(count("planned", over=8), at(5, 6, 7), *rows) == [1, 0, 0]


def test_windows_on_planned_of_different_spans_stand_side_by_side():
    rows = [row(key, happened=key * 10, known=0, f=float(key)) for key in range(1, 5)]
    features = [
        replace(total("f", how), name=f"{how}_{over}", over=over, on="planned")
        for how in ("sum", "mean", "min", "max", "std", "distinct")
        for over in (10, 20, 40)
    ]
    world = World({"arrivals": rows}, {}, "flights", "id")
    cases = at(0, 5, 9, 10, 25, 40)
    found = bulk(features, cases, world)
    same(found, by_oracle(features, cases, world))
    assert found["sum_20"] == [3.0, 3.0, 3.0, 5.0, 7.0, 0.0]


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ('{ count = "*", of = "parcels", over = "1d", on = "planned" }', None),
        ('{ max = "weight_kg", of = "parcels", by = "depot", over = "1d", on = "planned" }', None),
        ('{ count = "*", of = "deliveries", over = "1d", on = "planned" }', "brief.window-not-planned"),
        ('{ count = "*", of = "outcomes", over = "1d", on = "planned" }', "brief.window-not-planned"),
        ('{ since = "*", of = "parcels", over = "1d", on = "planned" }', "brief.since-planned"),
    ],
)
def test_only_a_source_of_plans_has_windows_on_planned_and_none_is_since(window, code):
    text = BRIEF.replace("[cycle]", f"ahead = {window}\n[cycle]")
    if code is None:
        types = {
            "parcel_id": pl.Int64(),
            "depot": pl.String(),
            "weight_kg": pl.Float64(),
            "delay_h": pl.Float64(),
        }
        schema = pl.Schema({**types, **dict.fromkeys(("sent_at", "booked_at"), UTC)})
        bound = bind_brief(read_brief(text), {"parcels": schema, "deliveries": schema})
        assert bound.features[-1].on == "planned"
    else:
        with pytest.raises(FaultsError) as raised:
            read_brief(text)
        assert [fault.code for fault in raised.value.faults] == [code]


def test_own_source_window_on_planned_leaves_out_the_case_itself_and_what_is_known_at_once():
    window = count("planned", source="flights")
    rows = [row(99, happened=9, known=0), row(1, happened=9, known=6)]
    assert answer(window, at(6), *rows, source="flights") == [0]
    assert answer(window, at(7), *rows, source="flights") == [1]


def test_a_correction_replaces_the_version_before():
    rows = [row(1, 0, 1, x=5), row(1, 0, 4, order=1, x=7)]
    assert answer(total("x"), at(3, 4), *rows) == [5, 7]


def test_a_correction_may_move_a_row_in_time_and_to_another_key():
    rows = [row(1, 3, 3), row(1, 8, 5, order=1), row(1, 8, 9, order=2, k1="b")]
    assert answer(count(), at(4, 6, 8, 9), *rows) == [1, 0, 1, 0]
    assert answer(newest(), at(4, 6, 8, 9), *rows) == [1, None, 1, None]


def test_a_deleted_row_counts_no_longer():
    rows = [row(1, 0, 1), row(1, 0, 4, order=1, deleted=True), row(1, 0, 6, order=2)]
    assert answer(count(), at(3, 4, 6), *rows) == [1, 0, 1]


def test_of_versions_known_at_the_same_time_the_later_order_wins():
    rows = [row(1, 0, 4, order=0, x=5), row(1, 0, 4, order=1, x=7)]
    assert answer(total("x"), at(4), *rows) == [7]
    assert answer(newest(), at(4), *rows) == [7]


def test_null_keys_match_nothing():
    rows = [row(1, 0, 0, k1=None), row(2, 0, 0)]
    assert answer(count(), at(1) + at(1, k1=None, key=7), *rows) == [1, 0]
    assert answer(total("x", "mean"), at(1, k1=None), *rows) == [None]
    assert answer(newest(), at(1, k1=None), *rows) == [None]


def test_without_a_key_the_whole_source_counts():
    rows = [row(1, 0, 0, k1=None), row(2, 0, 0)]
    assert answer(count(by=()), at(1, k1=None), *rows) == [2]


def test_nulls_are_left_out_of_sums_and_means_and_nan_is_null():
    rows = [row(1, 0, 0, f=None), row(2, 0, 0, f=math.nan), row(3, 0, 0, f=3.0), row(4, 0, 0, f=4.0)]
    assert answer(total("f"), at(1), *rows) == [7.0]
    assert answer(total("f", "mean"), at(1), *rows) == [3.5]


def test_sums_over_no_rows_are_zero_and_means_are_null():
    assert answer(total("x"), at(1)) == [0]
    assert answer(total("f"), at(1)) == [0.0]
    assert answer(total("x", "mean"), at(1)) == [None]


def test_over_no_rows_distinct_is_zero_and_min_max_std_and_since_are_null():
    assert answer(total("x", "distinct"), at(1)) == [0]
    for how in ("min", "max", "std"):
        assert answer(total("x", how), at(1)) == [None]
        assert answer(total("f", how), at(1), row(1, 0, 0, f=math.nan)) == [None]
    assert answer(since(), at(1)) == [None]


def test_min_and_max_come_back_when_the_extreme_row_has_gone_or_is_corrected():
    rows = [row(1, 1, 1, x=9), row(1, 1, 3, order=1, x=-9), row(2, 2, 2, x=4), row(3, 3, 4, x=None)]
    assert answer(total("x", "max", over=4), at(1, 2, 3, 4, 5, 6), *rows) == [9, 9, 4, 4, 4, None]
    assert answer(total("x", "min", over=4), at(1, 2, 3, 4, 5, 6), *rows) == [9, 4, -9, -9, 4, None]
    assert answer(total("flag", "min"), at(1), row(1, 0, 0), row(2, 0, 0, flag=False)) == [False]


def test_the_lesser_zero_is_no_other_zero():
    rows = [row(1, 0, 0, f=0.0), row(2, 0, 0, f=-0.0)]
    for how in ("min", "max"):
        assert repr(answer(total("f", how), at(1), *rows)) == "[0.0]"
    assert answer(total("f", "distinct"), at(1), *rows) == [1]


def test_distinct_counts_values_that_some_row_holds():
    rows = [
        row(1, 0, 0, x=5),
        row(2, 1, 1, x=5),
        row(3, 2, 2, x=7),
        row(4, 2, 2, x=None),
        row(3, 2, 4, order=1, x=5),
    ]
    assert answer(total("x", "distinct", over=10), at(0, 1, 2, 3, 4, 10, 12), *rows) == [1, 1, 2, 2, 1, 1, 0]


def test_the_deviation_is_that_of_a_sample_and_null_below_two_values():
    rows = [row(key, key, key, x=value) for key, value in enumerate([2, 4, 4, 4, 5, 5, 7, 9])]
    found = answer(total("x", "std", over=99), at(0, 1, 2, 3, 7), *rows)
    assert found[:4] == [None, math.sqrt(2), math.sqrt(12 / 9), 1.0]
    assert found[4] == math.sqrt(32 / 7)


def test_values_that_differ_little_keep_their_deviation():
    """Where a difference of two float sums would leave nothing of it."""
    rows = [row(key, 0, 0, f=1e9 + key * 2.0**-20) for key in range(3)]
    assert answer(total("f", "std"), at(1), *rows) == [2.0**-20]
    assert answer(total("f", "std"), at(1), *[row(key, 0, 0, f=0.1) for key in range(5)]) == [0.0]


def test_since_is_hours_since_the_last_row_that_counts():
    rows = [row(1, 0, 1), row(2, 2 * HOUR, 3 * HOUR), row(2, 2 * HOUR, 4 * HOUR, order=1, deleted=True)]
    cases = at(0, 1, 2 * HOUR, 3 * HOUR, 4 * HOUR)
    assert answer(since(), cases, *rows) == [None, 1 / HOUR, 2.0, 1.0, 4.0]
    assert answer(since(over=2 * HOUR), cases, *rows) == [None, 1 / HOUR, None, 1.0, None]


def test_since_on_known_is_dated_by_when_a_row_was_first_known():
    rows = [row(1, 0, HOUR), row(1, 0, 2 * HOUR, order=1), row(2, 9, HOUR, flag=False)]
    assert answer(since("known"), at(0, HOUR, 3 * HOUR), *rows) == [None, 0.0, 2.0]
    assert answer(since("known", where="flag"), at(HOUR), row(1, 0, 0, flag=None)) == [None]


def test_since_over_the_own_source_leaves_out_the_case_itself_and_rows_known_at_once():
    window = since(source="flights")
    rows = [row(1, 5, 1), row(2, 0, HOUR)]
    assert answer(window, at(HOUR, key=1), *rows, source="flights") == [None]
    assert answer(window, at(2 * HOUR, key=1), *rows, source="flights") == [2.0]


def test_a_null_condition_is_not_true():
    rows = [row(1, 0, 0, flag=None), row(2, 0, 0, flag=False), row(3, 0, 0, x=4)]
    assert answer(total("x", where="flag"), at(1), *rows) == [4]


def test_the_mean_of_a_condition_is_its_share():
    rows = [row(1, 0, 0), row(2, 0, 0, flag=False), row(3, 0, 0, flag=None), row(4, 0, 0)]
    assert answer(total("flag", "mean"), at(1), *rows) == [2 / 3]


def test_own_source_leaves_out_the_case_itself():
    window = count(source="flights")
    rows = [row(1, happened=5, known=1), row(2, happened=5, known=1)]
    assert answer(window, at(6, key=1), *rows, source="flights") == [1]
    assert answer(newest(source="flights"), at(6, key=1), rows[0], source="flights") == [None]


def test_own_source_leaves_out_rows_known_when_the_case_is_decided():
    window = count(source="flights")
    assert answer(window, at(6, 7), row(50, happened=5, known=6), source="flights") == [0, 1]
    assert answer(newest(source="flights"), at(6, 7), row(50, 5, 6), source="flights") == [None, 1]


def test_own_source_window_on_known_keeps_the_span():
    window = count("known", over=3, source="flights")
    assert answer(window, at(6, 7, 8, 9), row(50, 0, 6), source="flights") == [0, 1, 1, 0]


def test_latest_is_the_row_that_happened_last():
    rows = [row(1, happened=5, known=6, x=5), row(2, happened=3, known=9, x=3)]
    assert answer(newest(), at(5, 6, 9), *rows) == [None, 5, 5]


def test_latest_breaks_ties_by_what_became_known_last():
    rows = [row(1, happened=5, known=8, x=8), row(2, happened=5, known=6, order=1, x=6)]
    assert answer(newest(), at(7, 8), *rows) == [6, 8]


def test_latest_keeps_a_null():
    rows = [row(1, 1, 1, x=4), row(2, 2, 2, x=None)]
    assert answer(newest(), at(1, 2), *rows) == [4, None]


def test_latest_older_than_max_age_is_null():
    assert answer(newest(max_age=3), at(5, 8, 9), row(1, happened=5, known=5)) == [1, 1, None]


def test_latest_falls_back_when_the_last_row_is_deleted():
    rows = [row(1, 1, 1, x=1), row(2, 2, 2, x=2), row(2, 2, 4, order=1, deleted=True)]
    assert answer(newest(), at(3, 4), *rows) == [2, 1]


def test_outcomes_do_not_count_the_case_itself_before_they_are_known():
    window = count("known", source="outcomes")
    assert answer(window, at(6, key=1), row(1, happened=6, known=7), source="outcomes") == [0]


def test_lookup_gives_null_for_unknown_and_null_keys():
    planes = [{"k1": "a", "k2": 1, "seats": 180}, {"k1": None, "k2": 1, "seats": 9}]
    world = World({}, {"planes": planes}, "flights", "id")
    cases = at(1) + at(1, k2=5, key=7) + at(1, k1=None, key=8)
    assert bulk([Lookup("n", "planes", "seats", BYS[3])], cases, world) == {"n": [180, None, None]}


def test_types_of_the_columns():
    features = [
        count(),
        replace(total("x"), name="s"),
        replace(total("flag"), name="b"),
        replace(total("f"), name="r"),
        replace(total("x", "mean"), name="m"),
        replace(newest("k1"), name="l"),
        replace(total("x", "min"), name="least"),
        replace(total("f", "max"), name="most"),
        replace(total("flag", "max"), name="any"),
        replace(total("x", "std"), name="spread"),
        replace(total("k1", "distinct"), name="different"),
        replace(since(), name="since"),
    ]
    world = {"arrivals": versions_of("arrivals", [])}
    for cases in (cases_of([]), cases_of(at(1, 2))):
        frame = compute(features, cases, sources=world, case_source="flights", case_key=("id",))
        assert frame.dtypes == [
            *(pl.Int64, pl.Int64, pl.Int64, pl.Float64, pl.Float64, pl.String),
            *(pl.Int64, pl.Float64, pl.Boolean, pl.Float64, pl.Int64, pl.Float64),
        ]


def test_progress_is_told_up_to_the_end():
    told: list[tuple[str, float, float]] = []
    compute(
        [count(), replace(newest(), name="m")],
        cases_of(at(1)),
        sources={"arrivals": versions_of("arrivals", [row(1, 0, 0)])},
        case_source="flights",
        case_key=("id",),
        progress=lambda *state: told.append(state),
    )
    assert told[-1] == ("features", 2, 2)
    assert told == sorted(told, key=lambda state: state[1])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pl.Series([1, 2, None], dtype=pl.Int16), pl.Series([2, 3], dtype=pl.UInt64)),
        (pl.Series([1, 2, None], dtype=pl.UInt64), pl.Series([2, -3], dtype=pl.Int64)),
        (pl.Series([1, 2, None]), pl.Series([2.0, math.nan])),
        (pl.Series([-0.0, 0.0, math.nan]), pl.Series([0.0, -0.0, math.nan])),
        (pl.Series(["a", "b", None]), pl.Series(["b", "c"], dtype=pl.Categorical)),
        (pl.Series(["a", "b", None], dtype=pl.Enum(["b", "a"])), pl.Series(["b", "c"])),
        (pl.Series([True, False, None]), pl.Series([False, None])),
        (pl.Series([1, 2, None], dtype=pl.Int64).cast(UTC), pl.Series([2, 3]).cast(pl.Datetime("ns", "UTC"))),
        (pl.Series([86_400_000, 2]).cast(pl.Datetime("ms", "UTC")), pl.Series([1, 3]).cast(pl.Date)),
        (pl.Series([2**62, -(2**62), None]), pl.Series([-(2**62), 5])),
        (pl.Series([None, None, None]), pl.Series(["a", None])),
    ],
)
def test_keys_match_whatever_their_width(left, right):
    codes = joint_codes(left.to_frame("a"), right.to_frame("b"), by=(("a", "b"),), source="s")

    def plain(value: Any) -> Any:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if hasattr(value, "timestamp"):
            return value.timestamp()
        if hasattr(value, "isoformat"):
            return (value - date(1970, 1, 1)).total_seconds()
        return value

    def exactly(column: pl.Series) -> list[Any]:
        if column.dtype == pl.Datetime("ns", "UTC"):
            return [Fraction(value, 1000) / 10**6 for value in column.to_physical()]
        if column.dtype == UTC:
            return [None if value is None else Fraction(value, 10**6) for value in column.to_physical()]
        return [plain(value) for value in column]

    for one, code in zip(exactly(left), codes.cases, strict=True):
        for other, row_code in zip(exactly(right), codes.rows, strict=True):
            assert (one is not None and one == other) == (code >= 0 and code == row_code)


def test_text_is_never_compared_with_numbers():
    with pytest.raises(UserError) as raised:
        answer(replace(count(), by=(("k2", "k1"),)), at(1), row(1, 0, 0))
    assert raised.value.code == "features.key-types"


# --- exact arithmetic -----------------------------------------------------------------------------

fair = st.floats(-1e15, 1e15)


@given(values=st.lists(fair, min_size=1))
def test_quantising_is_rounding_to_a_multiple_of_the_unit_half_to_even(values):
    high, low = exact.quantise(np.array(values))
    for value, upper, lower in zip(values, high.tolist(), low.tolist(), strict=True):
        assert upper * 2**32 + lower == round(Fraction(value) * 2**40) == exact.quantise_one(value)


@given(values=st.lists(fair, min_size=1))
def test_one_formula_turns_sums_into_floats_in_bulk_and_one_by_one(values):
    high, low = exact.quantise(np.array(values))
    units = sum(map(exact.quantise_one, values))
    alone = exact.to_float_one(units)
    assert exact.to_float(high.sum(keepdims=True), low.sum(keepdims=True)).tolist() == [alone]
    nearest = float(Fraction(units, 2**40))
    assert abs(alone - nearest) <= math.ulp(nearest)
    if abs(units) < 2**85:
        assert alone == nearest


@given(values=st.lists(st.integers(0, 2**256 - 1) | st.integers(0, 2**70), min_size=1))
def test_limbs_are_rounded_to_the_nearest_float_as_integers_are(values):
    values += [((1 << 53) + 1) << shift for shift in range(0, 200, 7)]
    values += [(((1 << 53) + 1) << 150) + 1, 2**256 - 1, 0]
    limbs = [
        np.array([value >> 32 * place & 0xFFFF_FFFF for value in values], np.uint64) for place in range(8)
    ]
    assert deviation.to_nearest(limbs).tolist() == [float(value) for value in values]


def by_one(values: list[Any], *, real: bool) -> float | None:
    units = [exact.quantise_one(value) for value in values] if real else values
    squared = sum(unit * unit for unit in units)
    return deviation.deviation_one(len(units), sum(units), squared=squared, real=real)


@given(values=st.lists(fair | st.floats(-1, 1) | st.floats(1e15, 1.0000001e15), min_size=2))
def test_one_formula_turns_sums_into_deviations_in_bulk_and_one_by_one(values):
    high, low = exact.quantise(np.array(values))
    squared = [
        None if limb is None else limb.sum(keepdims=True) for limb in deviation.squares(high, low, real=True)
    ]
    total_high, total_low = high.sum(keepdims=True), low.sum(keepdims=True)
    count = np.array([len(values)])
    found = deviation.deviations(count, high=total_high, low=total_low, squared=squared, real=True)
    assert found.tolist() == [by_one(values, real=True)]
    units = [Fraction(exact.quantise_one(value), 2**40) for value in values]
    assert found[0] == pytest.approx(statistics.stdev(units), rel=1e-15, abs=0)


@given(values=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=9))
def test_deviations_of_integers_are_exact_up_to_the_ends_of_64_bits(values):
    assume(abs(sum(values)) < 2**62)
    plain = np.array(values, np.int64)
    squared = [
        None if limb is None else limb.sum(keepdims=True)
        for limb in deviation.squares(plain, None, real=False)
    ]
    total_sum = plain.sum(keepdims=True)
    found = deviation.deviations(
        np.array([len(values)]), high=total_sum, low=None, squared=squared, real=False
    )
    assert found.tolist() == [by_one(values, real=False)]


def test_sums_of_limbs_reach_their_limit_without_wrapping():
    """As of two thousand million rows of the greatest value: more than anybody can hold."""
    many, unit = 2**31 - 1, 2**90 - 1
    square = unit * unit
    squared = [np.array([(square >> 32 * place & 0xFFFF_FFFF) * many], np.int64) for place in range(6)]
    found = deviation.deviations(
        np.array([many]), high=np.array([0]), low=np.array([0]), squared=squared, real=True
    )
    assert found.tolist() == [deviation.deviation_one(many, 0, squared=many * square, real=True)]


@pytest.mark.parametrize("how", ["sum", "std"])
@given(values=st.lists(fair | st.floats(-1, 1), min_size=2), data=st.data())
def test_the_order_in_which_rows_come_changes_no_sum(values, data, how):
    shuffled = data.draw(st.permutations(values))
    results = [
        answer(total("f", how), at(1), *[row(key, 0, 0, f=value) for key, value in enumerate(order)])
        for order in (values, shuffled)
        if abs(sum(values)) < 2**44
    ]
    assume(results)
    assert repr(results[0]) == repr(results[1])


def test_rows_that_have_gone_leave_nothing_behind():
    """A float prefix sum would lose the small value after the large one."""
    rows = [row(1, 0, 0, f=1e15), row(2, 5, 5, f=0.1)]
    assert answer(total("f", over=5), at(5), *rows) == [exact.to_float_one(exact.quantise_one(0.1))]


@pytest.mark.parametrize("how", ["sum", "std", "min", "max"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinite_values_are_refused_by_name(value, how):
    with pytest.raises(UserError) as raised:
        answer(total("f", how), at(1), row(1, 0, 0, f=value))
    assert raised.value.code == "data.infinite-value"
    assert "arrivals.f" in raised.value.headline


def test_infinite_values_that_a_condition_leaves_out_are_no_fault():
    assert answer(total("f", where="flag"), at(1), row(1, 0, 0, f=math.inf, flag=False)) == [0.0]
    assert answer(total("f", "max", where="flag"), at(1), row(1, 0, 0, f=math.inf, flag=False)) == [None]


def test_a_value_that_is_too_large_by_itself_is_refused():
    with pytest.raises(UserError) as raised:
        answer(total("f"), at(1), row(1, 0, 0, f=2.0**50))
    assert raised.value.code == "features.overflow"


@pytest.mark.parametrize("how", ["sum", "mean", "std"])
@pytest.mark.parametrize("many", [19, 20])
def test_floats_that_are_too_large_together_have_no_sum(how, many):
    rows = [row(key, 0, 0, f=-1e15) for key in range(many)]
    assert answer(total("f", how), at(1), *rows) == [None]
    assert answer(total("f", how), at(1), *rows[:10]) != [None]


@pytest.mark.parametrize("how", ["sum", "mean", "std"])
@pytest.mark.parametrize("many", [2, 3, 4, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_integers_that_are_too_large_together_have_no_sum_and_never_wrap(how, many, sign):
    rows = [row(key, 0, 0, x=sign * (2**61 + 1)) for key in range(many)]
    assert answer(total("x", how), at(1), *rows) == [None]


def test_a_sum_that_is_too_large_is_nobody_elses():
    rows = [row(key, 2 * key, 2 * key, x=2**61 + 1) for key in range(4)]
    assert answer(total("x", over=4), at(1, 3, 5, 20), *rows) == [2**61 + 1, None, None, 0]


def test_sums_that_fit_are_exact_although_their_prefixes_wrap():
    rows = [row(key, key, key, x=2**61 - 1) for key in range(12)]
    assert answer(total("x", over=2), at(*range(1, 12)), *rows) == [2**62 - 2] * 11


@given(
    ranges=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12), size=st.integers(30, 33)
)
def test_the_greatest_rank_over_ranges(ranges, size):
    begin, end = (np.array([pair[side] for pair in ranges], np.int64) for side in (0, 1))
    best = greatest(begin, end, rank=np.arange(len(ranges)), size=size)
    for place in range(size):
        covering = [rank for rank, (low, high) in enumerate(ranges) if low <= place < high]
        assert best[place] == max(covering, default=-1)
