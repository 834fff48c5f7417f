"""Proxies: a group is told from features as well as it can be on later cases, and shuffled groups aren't."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.learners import Constant, Logistic
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.model.fairness.proxies import area_by_blocks, direct_features, find_proxies
from wholeroad.road.model.rules import area_under_roc

NAMES = ("north", "south")


def world(seed=0, *, cases=1200, apart=0.0):
    dice = np.random.default_rng(seed)
    codes = (dice.random(cases) < 0.35).astype(np.int32)
    features = pl.DataFrame(
        {
            "weight": dice.normal(size=cases) + apart * codes,
            "hour": dice.integers(0, 24, cases),
            "sender": np.array(["a", "b", "c"])[dice.integers(0, 3, cases)],
        }
    )
    return features, Grouping("depot", NAMES, codes), np.arange(cases) // 20


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 300), st.integers(1, 40))
def test_an_area_is_the_share_of_pairs_in_order(seed, cases, different):
    dice = np.random.default_rng(seed)
    scores, positive = dice.integers(0, different, cases).astype(float), dice.random(cases) < 0.4
    found = area_by_blocks(scores, positive, blocks=np.sort(dice.integers(0, 9, cases)))
    wanted = area_under_roc(scores, positive)
    if wanted is None:
        assert np.isnan(found.value)
        return
    assert found.value == pytest.approx(wanted)
    turned = area_by_blocks(-scores, positive, blocks=np.arange(cases) // 5)
    assert turned.value == pytest.approx(1 - found.value)
    told = found.estimate(0.95)
    assert 0 <= told.low <= told.value <= told.high <= 1 or told.low == -np.inf


def test_intervals_of_an_area_hold_the_truth_also_where_days_have_luck_of_their_own():
    truth, held = 0.7602, 0  # Of two normal distributions one apart: the normal's distribution at 1 / sqrt 2.
    for seed in range(300):
        dice = np.random.default_rng(seed)
        positive = dice.random(400) < 0.3
        days = np.arange(400) // 8
        scores = dice.normal(size=400) + positive
        told = area_by_blocks(scores, positive, blocks=days).estimate(0.95)
        held += told.low <= truth <= told.high
    assert 0.92 <= held / 300 <= 0.98


def test_repeating_every_case_of_a_day_makes_no_surer():
    dice = np.random.default_rng(1)
    scores, positive = dice.normal(size=200), dice.random(200) < 0.5
    once = area_by_blocks(scores, positive, blocks=np.arange(200) // 5)
    again = area_by_blocks(np.repeat(scores, 4), np.repeat(positive, 4), blocks=np.arange(800) // 20)
    assert again.standard_error == pytest.approx(once.standard_error)


def test_a_group_that_features_tell_is_found_and_the_feature_that_tells_it_named():
    features, groups, blocks = world(apart=1.5)
    for found in find_proxies(features, [groups], blocks=blocks, learner=Logistic()):
        assert found.bias.clear
        assert found.bias.figure.low <= 0.856 <= found.bias.figure.high
        assert found.features[0].feature == "weight"
        assert found.features[1].area.low <= 0.5 <= found.features[1].area.high
        assert found.dummy.low <= 0.5 <= found.dummy.high


def test_a_group_that_nothing_tells_is_rarely_called_told():
    clear = 0
    for seed in range(60):
        features, groups, blocks = world(seed)
        clear += any(
            one.bias.clear for one in find_proxies(features, [groups], blocks=blocks, learner=Logistic())
        )
    assert clear <= 6


def test_nulls_and_categories_tell_as_well():
    features, groups, blocks = world()
    mine = groups.codes == 1
    features = features.with_columns(
        pl.when(pl.Series(mine & (np.arange(mine.size) % 2 == 0)))
        .then(None)
        .otherwise(pl.col("hour"))
        .alias("hour"),
        pl.Series("sender", np.where(mine & (np.arange(mine.size) % 3 == 0), "d", "a")),
    )
    found = find_proxies(features, [groups], blocks=blocks, learner=Logistic())[1]
    assert {one.feature for one in found.features[:2]} == {"hour", "sender"}
    assert found.features[0].area.value == pytest.approx(0.75, abs=0.03)


def test_a_columns_own_group_is_left_out_and_named():
    features, groups, blocks = world()
    features = features.with_columns(pl.Series("depot", np.array(NAMES)[groups.codes]))
    told = find_proxies(features, [groups], blocks=blocks, learner=Logistic())[0]
    assert told.bias.figure.value == pytest.approx(1.0)
    left = find_proxies(features, [groups], blocks=blocks, learner=Logistic(), direct={"depot": ("depot",)})[
        0
    ]
    assert left.direct == ("depot",)
    assert left.bias.figure.value < 0.6


def test_the_future_plays_no_part_in_what_is_learnt():
    # Told by one feature in the first half, by the opposite in the second: a fit on the past is misled.
    features, groups, blocks = world()
    half = np.arange(blocks.size) < blocks.size // 2
    sign = np.where(half, 1.0, -1.0) * np.where(groups.codes == 1, 1.0, -1.0)
    features = features.with_columns(pl.Series("weight", sign))
    found = find_proxies(features, [groups], blocks=blocks, learner=Logistic())[1]
    assert found.bias.figure.value < 0.1
    assert not found.bias.clear


def test_a_learner_that_says_the_same_of_all_tells_nothing():
    features, groups, blocks = world(apart=2.0)
    found = find_proxies(features, [groups], blocks=blocks, learner=Constant())[0]
    assert found.bias.figure.value == 0.5
    assert not found.bias.clear


def test_too_few_cases_leave_everything_open():
    features, groups, blocks = world(cases=50)
    found = find_proxies(features, [groups], blocks=blocks, learner=Logistic())[1]
    assert not found.bias.enough
    assert found.bias.figure.high == np.inf


def test_a_feature_read_as_its_group_is_direct():
    fairness = {
        "groups": {"depot": {"column": "depot"}, "both": {"all_of": ["depot", "day"]}, "day": {"column": "d"}}
    }
    brief = Brief.model_construct(
        fairness=_table(fairness), feature=_features({"place": {"column": "depot"}, "x": {"column": "x"}})
    )
    assert direct_features(brief, "depot") == ("place",)
    assert direct_features(brief, "both") == ("place",)
    assert direct_features(brief, "day") == ()


def _table(data):
    from wholeroad.road.brief.fairness import FairnessTable

    return FairnessTable.model_validate(data)


def _features(data):
    from wholeroad.road.brief.sources import FeatureTable

    return {name: FeatureTable.model_validate(each) for name, each in data.items()}
