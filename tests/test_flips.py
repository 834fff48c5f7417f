"""Laws of flips: they change what the rule makes of the column, by day, and nothing where nobody sees it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.core.instants import DAY
from wholeroad.road.data.bias.groups import OTHER, Grouping, grouping
from wholeroad.road.data.features.specs import Derived, Latest, Lookup, Window
from wholeroad.road.model.fairness.feeding import derived_from, fed
from wholeroad.road.model.fairness.flips import MOST_VALUES, flippable, flips, sampled, what_flips_say

SCHEMA = pl.Schema({"depot": pl.String(), "weight": pl.Float64(), "tail": pl.String()})


def derived(name, text):
    return Derived(name, bind(text, SCHEMA, where="here"))


def world(seed, count=600, days=30):
    dice = np.random.default_rng(seed)
    frame = pl.DataFrame({"depot": dice.choice(["A", "B", "C"], count), "weight": dice.normal(size=count)})
    at = np.sort(dice.integers(0, days * DAY, count))
    return frame, at, np.arange(count, dtype=np.uint64)


def deciding(bonus):
    def decide(rows):
        score = rows["weight"].to_numpy() + bonus * (rows["depot"] == "A").fill_null(value=False).to_numpy()
        return score > 0, 1 / (1 + np.exp(-score))

    return decide


@given(st.integers(0, 200), st.sampled_from([-1.0, 0.0, 0.7]))
@settings(max_examples=40, deadline=None)
def test_law_a_flip_counts_the_decisions_that_change(seed, bonus):
    frame, at, ids = world(seed)
    groups = grouping("depot", frame["depot"], least_cases=2)
    decide = deciding(bonus)
    found = flips(frame, "depot", grouping=groups, decide=decide, decided_at=at, ids=ids)
    assert {(one.from_value, one.to_value) for one in found} == {
        (a, b) for a in "ABC" for b in "ABC" if a != b
    }
    selected, chance = decide(frame)
    for one in found:
        mine = (frame["depot"] == one.from_value).to_numpy()
        then, after = decide(frame.with_columns(depot=pl.lit(one.to_value)))
        assert one.cases == mine.sum()
        assert one.otherwise.value == pytest.approx((then != selected)[mine].mean())
        assert one.more == pytest.approx((then & ~selected)[mine].mean())
        assert one.less == pytest.approx((selected & ~then)[mine].mean())
        assert one.more + one.less == pytest.approx(one.otherwise.value)
        assert one.probability == pytest.approx((after - chance)[mine].mean())
        assert 0 <= one.otherwise.low <= one.otherwise.value <= one.otherwise.high <= 1
        if {one.from_value, one.to_value} == {"B", "C"} or not bonus:
            assert one.otherwise.value == 0
            assert one.otherwise.high < 0.1


def test_days_that_are_alike_make_the_interval_wider():
    frame, at, ids = world(3)
    days = (at // DAY).astype(int)
    together = np.where(days % 2 == 0, -0.35, 3.0)
    mixed = np.random.default_rng(0).permutation(together)
    groups = grouping("depot", frame["depot"], least_cases=2)
    widths = []
    for weights in (together, mixed):
        each = frame.with_columns(weight=pl.Series(weights))
        found = flips(each, "depot", grouping=groups, decide=deciding(0.7), decided_at=at, ids=ids)
        one = next(flip for flip in found if (flip.from_value, flip.to_value) == ("B", "A"))
        assert 0.3 < one.otherwise.value < 0.7
        widths.append(one.otherwise.high - one.otherwise.low)
    assert widths[0] > 1.5 * widths[1]


def test_without_the_feature_and_with_one_value_there_are_no_flips():
    frame, at, ids = world(0)
    groups = grouping("depot", frame["depot"], least_cases=2)
    assert (
        flips(frame.drop("depot"), "depot", grouping=groups, decide=deciding(1), decided_at=at, ids=ids) == ()
    )
    one = grouping("depot", pl.Series("depot", ["A"] * frame.height), least_cases=2)
    assert flips(frame, "depot", grouping=one, decide=deciding(1), decided_at=at, ids=ids) == ()


def test_small_values_that_were_put_together_have_no_value_to_put_in_place():
    frame, at, ids = world(0)
    frame = frame.with_columns(depot=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("Z")).otherwise("depot"))
    groups = grouping("depot", frame["depot"], least_cases=30)
    assert OTHER in groups.values
    found = flips(frame, "depot", grouping=groups, decide=deciding(1), decided_at=at, ids=ids)
    assert OTHER not in {one.from_value for one in found} | {one.to_value for one in found}


def test_a_number_that_feeds_the_group_takes_the_typical_value_of_the_other():
    frame, at, ids = world(1)
    bands = grouping(
        "band", pl.Series("band", np.where(frame["weight"] > 0.5, "heavy", "light")), least_cases=2
    )
    put = []

    def decide(rows):
        put.append(rows["weight"])
        return rows["weight"].to_numpy() > 0.5, rows["weight"].to_numpy()

    found = flips(frame, "weight", grouping=bands, decide=decide, decided_at=at, ids=ids)
    assert {one.otherwise.value for one in found} == {1.0}
    assert {one.more - one.less for one in found} == {1.0, -1.0}
    for column in put[1:]:
        assert column.n_unique() == 1
        assert column[0] in frame["weight"].to_list()


def test_only_the_commonest_values_are_put_in_place_and_large_numbers_of_cases_are_sampled():
    dice = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"depot": dice.choice([f"d{n}" for n in range(9)], 2_000), "weight": dice.normal(size=2_000)}
    )
    at, ids = np.arange(2_000) * DAY // 50, np.arange(2_000, dtype=np.uint64)
    groups = grouping("depot", frame["depot"], least_cases=2)
    found = flips(frame, "depot", grouping=groups, decide=deciding(1), decided_at=at, ids=ids)
    assert {one.to_value for one in found} == set(groups.values[:MOST_VALUES])
    rows = sampled(ids, most=500)
    assert rows.size == 500
    assert (np.diff(rows) > 0).all()
    assert set(ids[rows]) == set(ids[::-1][sampled(ids[::-1], most=500)])


def test_what_shows_a_group_is_told_from_what_hangs_on_it_through_rows():
    depot = derived("depot", "depot")
    late = Window("late", "outcomes", "count", None, None, by=(("depot", "depot"),), over=DAY, on="known")
    features = [derived("upper", "upper(depot)"), derived("w", "weight"), late, derived("place", "depot")]
    assert fed(depot, features) == ("place", "upper")
    assert derived_from([depot], features) == {"upper": "depot", "late": "depot", "place": "depot"}
    seats = Lookup("seats", "planes", "seats", by=(("tail", "tail"),))
    engines = Lookup("engines", "planes", "engines", by=(("tail", "tail"),))
    wind = Latest("wind", "weather", "wind", by=(("depot", "depot"),))
    assert derived_from([seats], [engines, wind, derived("tail", "tail"), seats]) == {
        "tail": "seats",
        "seats": "seats",
    }
    assert flippable(depot, features, seen=["w", "upper"]) == ("upper",)
    assert flippable(None, features, seen=["upper"]) == ()
    (none,) = what_flips_say(depot, [derived("w", "weight")], seen=["w"], cases=10)
    assert "doesn't see depot" in none
    said = what_flips_say(depot, features, seen=["upper", "late"], cases=60_000)
    assert "can't show that the decisions are fair" in said[0]
    assert "50,000 of 60,000" in said[1]
    assert "late" in said[2]
    assert "intersection" in what_flips_say(None, features, seen=[], cases=1)[0]


def test_a_grouping_without_cases_has_no_flips():
    frame, _, _ = world(0)
    nobody = Grouping("depot", (), np.empty(0, dtype=np.int32))
    nothing = np.empty(0, dtype=np.int64)
    found = flips(
        frame.clear(),
        "depot",
        grouping=nobody,
        decide=deciding(1),
        decided_at=nothing,
        ids=nothing.view(np.uint64),
    )
    assert found == ()
