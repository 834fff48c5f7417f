"""Laws of counterfactuals: they change the decision, are plausible and allowed, and no larger than needed."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.road.model.counterfactuals import PAIRED, counterfactuals
from wholeroad.road.model.nearness import nearness
from wholeroad.road.model.plausible import Plausible, plausible

SHOPS = ["north", "south", "west"]


def earlier(seed, count=300):
    dice = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "income": dice.gamma(2.0, 800.0, count).round(2),
            "years": dice.integers(0, 30, count),
            "owner": dice.random(count) < 0.4,
            "shop": dice.choice(SHOPS, count),
        },
        schema_overrides={"years": pl.Int32},
    ).with_columns(
        income=pl.when(pl.int_range(pl.len()) % 11 == 3).then(None).otherwise("income"),
    )


@st.composite
def worlds(draw):
    """A case, earlier ones, weights of a linear rule, and what may change."""
    before = earlier(draw(st.integers(0, 50)))
    row = draw(st.integers(0, before.height - 1))
    weights = draw(st.lists(st.sampled_from([-2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0]), min_size=4, max_size=4))
    limit = draw(st.floats(-3, 3))
    ways = {}
    for name in draw(st.sets(st.sampled_from(before.columns), min_size=1)):
        ways[name] = draw(st.sampled_from(["any", "up", "down"])) if name != "shop" else "any"
    return before[row], before, weights, limit, ways


def linear(weights, limit):
    """Decide 1 where a weighted sum is beyond a limit; a missing number counts as the mean."""

    def score(rows):
        income = rows["income"].fill_null(1600.0).to_numpy() / 1000 - 1.6
        years = rows["years"].fill_null(15).to_numpy() / 10 - 1.5
        parts = [income, years, rows["owner"].to_numpy(), rows["shop"].to_numpy() == "south"]
        return sum(weight * part for weight, part in zip(weights, parts, strict=True)) - limit

    def decide(rows):
        money = np.asarray(score(rows), dtype=float)
        action = (money > 0).astype(np.int16)
        return action, money

    def toward(wanted):
        def short(rows):
            action, money = decide(rows)
            return action, -money if wanted else money

        return short

    return decide, toward


def changed_row(case, one):
    return case.with_columns(
        pl.Series(each.feature, [each.to], dtype=case[each.feature].dtype) for each in one
    )


@given(worlds())
@settings(max_examples=120, deadline=None)
def test_law_each_one_changes_the_decision_and_nothing_smaller_within_it_does(world):
    case, before, weights, limit, ways = world
    decide, toward = linear(weights, limit)
    wanted = 1 - int(decide(case)[0][0])
    found = counterfactuals(case, before, tried=ways, decide=toward(wanted), wanted=[wanted])
    for one in found.found:
        assert one.action == wanted
        assert decide(changed_row(case, one.changes))[0][0] == wanted
        assert 1 <= len(one.changes) <= 2
        if len(one.changes) == 2:
            for each in one.changes:
                assert decide(changed_row(case, [each]))[0][0] != wanted
        assert one.spreads == pytest.approx(sum(each.spreads for each in one.changes))


@given(worlds())
@settings(max_examples=120, deadline=None)
def test_law_values_stay_where_earlier_cases_lie_and_go_only_the_way_that_is_allowed(world):
    case, before, weights, limit, ways = world
    decide, toward = linear(weights, limit)
    wanted = 1 - int(decide(case)[0][0])
    found = counterfactuals(case, before, tried=ways, decide=toward(wanted), wanted=[wanted])
    for each in (change for one in found.found for change in one.changes):
        assert each.feature in ways
        seen, own = before[each.feature].drop_nulls(), case[each.feature][0]
        assert each.value == own
        assert each.to != own
        if seen.dtype.is_numeric():
            assert seen.quantile(0.01, "lower") <= each.to <= seen.quantile(0.99, "higher")
        else:
            assert each.to in seen.to_list()
        if ways[each.feature] == "up":
            assert each.to > own
        if ways[each.feature] == "down":
            assert each.to < own


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_law_if_one_allowed_value_of_one_feature_suffices_one_is_found(world):
    """Every plausible earlier value of every feature, one at a time, against the search."""
    case, before, weights, limit, ways = world
    decide, toward = linear(weights, limit)
    wanted = 1 - int(decide(case)[0][0])
    found = counterfactuals(case, before, tried=ways, decide=toward(wanted), wanted=[wanted])
    suffice = set()
    for name, way in ways.items():
        there = plausible(before[name], case[name][0], direction=way)
        if isinstance(there, str):
            assert found.left_out[name] == there
            continue
        values = before[name].drop_nulls().unique()
        if there.is_number:
            values = values.filter((values >= there.low) & (values <= there.high))
            values = values.filter(values != there.own) if there.own is not None else values
        else:
            values = values.filter(values.is_in(list(there.grid)))
        rows = case[np.zeros(values.len(), dtype=np.int64)].with_columns(values.alias(name))
        if values.len() and (decide(rows)[0] == wanted).any():
            suffice.add(name)
    singles = {one.changes[0].feature for one in found.found if len(one.changes) == 1}
    assert singles <= suffice
    assert bool(singles) == bool(suffice)
    if len(suffice) <= 3:
        assert singles == suffice
    counts = [len(one.changes) for one in found.found]
    assert counts == sorted(counts)


def simple(limit):
    before = pl.DataFrame({"weight": np.linspace(1, 100, 400)})

    def decide(rows):
        money = rows["weight"].to_numpy() - limit
        return (money > 0).astype(np.int16), -money

    return before, decide


@pytest.mark.parametrize("limit", [12.3456, 31.0, 55.5, 90.001, 2.5])
def test_the_change_is_hardly_greater_than_the_smallest_there_is_and_its_number_is_short(limit):
    before, decide = simple(limit)
    own = 9.0 if limit > 9 else 1.2
    case = pl.DataFrame({"weight": [own]})
    one = counterfactuals(case, before, tried={"weight": "any"}, decide=decide, wanted=[1]).found[0]
    (change,) = one.changes
    assert limit < change.to <= limit + max(0.1 * (limit - own), 0.05 * 25) + 0.2
    assert len(f"{change.to:g}") <= 4
    assert change.spreads == pytest.approx((change.to - own) / 25, rel=0.02)


def test_pairs_come_where_neither_feature_suffices():
    before = pl.DataFrame(
        {"a": np.linspace(0, 10, 300), "b": np.linspace(0, 10, 300)[::-1], "c": [1.0, 2.0] * 150}
    )

    def decide(rows):
        money = np.minimum(rows["a"].to_numpy() - 6.0, rows["b"].to_numpy() - 7.0)
        return (money > 0).astype(np.int16), -money

    case = pl.DataFrame({"a": [1.0], "b": [2.0], "c": [1.0]})
    found = counterfactuals(case, before, tried=dict.fromkeys("abc", "any"), decide=decide, wanted=[1])
    assert [{each.feature for each in one.changes} for one in found.found] == [{"a", "b"}]
    to = {each.feature: each.to for each in found.found[0].changes}
    assert 6 < to["a"] <= 6.7
    assert 7 < to["b"] <= 7.7


def test_where_nothing_changes_it_the_nearest_is_told():
    before, decide = simple(1000.0)
    case = pl.DataFrame({"weight": [2.0]})
    found = counterfactuals(case, before, tried={"weight": "any"}, decide=decide, wanted=[1])
    assert found.found == ()
    (change,) = found.nearest
    assert change.to == before["weight"].quantile(0.99, "lower")
    assert found.short == pytest.approx(1000 - change.to)
    other = counterfactuals(case, before, tried={"weight": "down"}, decide=decide, wanted=[1])
    assert other.nearest == ()  # every change downwards moves away


def test_a_case_that_the_rule_decides_otherwise_already_has_none():
    before, decide = simple(5.0)
    found = counterfactuals(
        pl.DataFrame({"weight": [9.0]}), before, tried={"weight": "any"}, decide=decide, wanted=[1]
    )
    assert found.found == ()
    assert math.isnan(found.short)


def test_few_batches_are_scored_however_many_features_there_are():
    dice = np.random.default_rng(0)
    names = [f"f{place}" for place in range(20)]
    before = pl.DataFrame({name: dice.normal(size=400) for name in names})
    asked = []

    def decide(rows):
        asked.append(rows.height)
        money = rows.select(pl.sum_horizontal(names)).to_series().to_numpy() - 4.0
        return (money > 0).astype(np.int16), -money

    case = pl.DataFrame({name: [0.0] for name in names})
    found = counterfactuals(case, before, tried=dict.fromkeys(names, "any"), decide=decide, wanted=[1])
    assert all(len(one.changes) == 2 for one in found.found)
    assert len(found.found) == 3
    assert len(asked) < 60
    assert sum(asked) < 30_000
    assert len(names) > PAIRED


@given(st.lists(st.floats(-1e6, 1e6), min_size=40, max_size=80), st.floats(-1e6, 1e6), st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_law_rounding_goes_outward_stays_inside_and_holds_the_value_itself(numbers, own, part):
    there = plausible(pl.Series("x", numbers), own)
    if isinstance(there, str):
        return
    value = there.grid[int(part * (len(there.grid) - 1))]
    rounded = there.readable(value)
    assert value in rounded
    for each in rounded:
        assert abs(each - own) >= abs(value - own) - 1e-9 * abs(value)
        assert (each > own) == (value > own)
        assert there.low <= each <= there.high
    between = there.between(own, value, steps=8)
    assert all(min(own, value) < each < max(own, value) for each in between)


def test_a_feature_without_another_value_says_why():
    assert "fewer than 30" in plausible(pl.Series("x", [1.0] * 10), 1.0)
    assert "the same" in plausible(pl.Series("x", [1.0] * 100), 1.0)
    assert "no other value" in plausible(pl.Series("x", ["a"] * 100), "a")
    assert "no way up" in plausible(pl.Series("x", ["a", "b"] * 50), "a", direction="up")
    assert "further up" in plausible(pl.Series("x", range(100)), 500, direction="up")
    assert "isn't known" in plausible(pl.Series("x", range(100)), None, direction="up")
    assert "no other value" in plausible(pl.Series("x", [True, False] * 50), True, direction="up")
    filled = plausible(pl.Series("x", range(100)), None)
    assert isinstance(filled, Plausible)
    assert filled.distance(74) == pytest.approx(2.0, abs=0.05)


def test_a_case_unlike_any_other_is_told_from_one_among_others():
    dice = np.random.default_rng(1)
    size = dice.normal(size=2_000)
    before = pl.DataFrame({"length": size, "width": size + dice.normal(scale=0.05, size=2_000)})
    case = pl.DataFrame({"length": [0.0], "width": [0.0]})
    changed = pl.DataFrame({"length": [0.5, 2.0, 2.0], "width": [0.5, 2.0, -2.0]})
    near = nearness(case, before, changed=changed, spreads={"length": 0.67, "width": 0.67})
    assert near.tolist() == [True, True, False]


def test_a_number_is_rounded_only_as_far_as_the_case_is_still_decided_otherwise():
    before = pl.DataFrame({"weight": np.linspace(0, 100, 1_001)})

    def decide(rows):
        weight = rows["weight"].to_numpy()
        inside = (weight > 31.07) & (weight < 31.9)
        return inside.astype(np.int16), 1.0 - inside

    case = pl.DataFrame({"weight": [3.0]})
    (found,) = counterfactuals(case, before, tried={"weight": "any"}, decide=decide, wanted=[1]).found
    assert 31.07 < found.changes[0].to < 31.9
    assert found.changes[0].to == round(found.changes[0].to, 1)


def test_of_a_pair_in_which_one_feature_suffices_after_all_that_one_alone_is_given():
    before = pl.DataFrame(
        {"a": [5.0 * (n % 21) for n in range(420)], "b": [5.0 * (n // 20) for n in range(420)]}
    )

    def decide(rows):
        a, b = rows["a"].to_numpy(), rows["b"].to_numpy()
        otherwise = ((a > 30) & (b > 30)) | ((a > 31.9) & (a < 32.1))
        return otherwise.astype(np.int16), 1.0 - otherwise

    case = pl.DataFrame({"a": [0.0], "b": [0.0]})
    found = counterfactuals(case, before, tried=dict.fromkeys("ab", "any"), decide=decide, wanted=[1]).found
    assert [[(each.feature, each.to) for each in one.changes] for one in found] == [[("a", 32.0)]]
