"""Laws of segments: they part the cases, their money adds up, and chance alone marks few of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY, parse_instant
from wholeroad.road.brief.values import TableValues
from wholeroad.road.watch.intervals import Resampling, resample
from wholeroad.road.watch.segments import (
    LEAST_CASES,
    MISSING,
    OTHER,
    TIME,
    columns_to_show,
    segments,
    segments_of,
)
from wholeroad.road.watch.work import PolicyRun, Scored

FROM_AT = parse_instant("2013-03-02")
QUICK = Resampling(resamples=200)


def a_world(*, days=120, per_day=20, skill=None, seed=1):
    """Cases of three depots; a policy whose skill may differ between them."""
    dice = np.random.default_rng(seed)
    n = days * per_day
    depot = dice.choice(["A", "B", "C"], n)
    truth = dice.choice(np.array([0, 1, -1], dtype=np.int8), n, p=[0.3, 0.65, 0.05])
    right = dice.random(n) < np.array([(skill or {}).get(name, 0.5) for name in depot])
    action = np.where(right, truth != 0, truth == 0).astype(np.int8)
    scored = Scored(
        decided_at=FROM_AT + np.sort(dice.integers(0, days * DAY, n)),
        truth=truth,
        ids=np.arange(n, dtype=np.uint64),
        values=TableValues(np.array([[10.0, -10.0], [0.0, 0.0]]), {}, n),
        actions=("act", "pass"),
        status_quo=np.ones(n, dtype=np.int8),
        from_at=FROM_AT,
        to_at=FROM_AT + days * DAY,
        known_at=FROM_AT + days * DAY,
    )
    return PolicyRun("never", action), scored, pl.Series("depot", depot)


@given(st.integers(30, 500), st.integers(1, 12), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_law_segments_part_the_settled_cases_and_their_money_adds_up(days, per_day, seed):
    run, scored, depot = a_world(days=days, per_day=per_day, seed=seed)
    found = segments(run, scored, columns={"depot": depot}, seed=1, resampling=QUICK)
    for by in {one.by for one in found.segments}:
        parts = [one for one in found.segments if one.by == by]
        assert sum(one.cases for one in parts) == len(scored.rows)
        assert math.isclose(sum(one.gain for one in parts), found.overall, abs_tol=1e-6)
        assert len({one.name for one in parts}) == len(parts)
    for one in found.segments:
        assert one.per_case.low <= one.per_case.value <= one.per_case.high
        assert math.isclose(one.per_case.value * max(1, one.cases), one.gain, abs_tol=1e-6)


def test_a_depot_where_the_policy_loses_is_marked_and_one_without_skill_is_not():
    run, scored, depot = a_world(days=200, skill={"A": 0.9, "B": 0.35, "C": 0.55})
    found = segments(run, scored, columns={"depot": depot}, seed=1)
    marks = {one.name: one.mark for one in found.segments if one.by == "depot"}
    assert marks["A"] == "gains"
    assert marks["B"] == "loses"
    assert {one.name for one in found.marked} >= {"A", "B"}


def test_chance_alone_marks_hardly_any_of_many_segments():
    """30 segments without effect, 20 worlds: judged together at 95%, one world in twenty has a mark."""
    marked = alone = 0
    for seed in range(20):
        _, scored, _ = a_world(days=180, per_day=25, seed=100 + seed)
        dice = np.random.default_rng(seed)
        truth = scored.truth
        fair = np.where(dice.random(len(truth)) < 0.5, 0, 1).astype(np.int8)
        even = np.where(truth >= 0, dice.integers(0, 2, len(truth)), truth).astype(np.int8)
        worlds = replace(scored, truth=even)
        columns = {
            name: pl.Series(name, dice.choice(list("abcdefgh"), len(truth))) for name in ("x", "y", "z")
        }
        found = segments(PolicyRun("never", fair), worlds, columns=columns, seed=seed)
        assert len(found.segments) == 30
        marked += bool(found.marked)
        alone += sum(one.per_case.low > 0 or one.per_case.high < 0 for one in found.segments)
    assert marked <= 5
    assert alone / (20 * 30) < 0.12


def test_rare_and_missing_values_are_put_together_or_named():
    run, scored, depot = a_world()
    texts = depot.to_list()
    texts[:10] = ["rare"] * 10
    texts[10:400] = [None] * 390
    found = segments(run, scored, columns={"depot": pl.Series(texts)}, seed=1, resampling=QUICK)
    by_name = {one.name: one for one in found.segments if one.by == "depot"}
    assert MISSING in by_name
    assert "rare" not in by_name
    assert by_name[OTHER].cases < LEAST_CASES
    assert not math.isfinite(by_name[OTHER].per_case.low)


def test_the_calendar_follows_the_length_of_the_history():
    names = {}
    for days in (20, 100, 360, 1500):
        run, scored, _ = a_world(days=days, per_day=2)
        found = segments(run, scored, seed=1, resampling=QUICK)
        assert {one.by for one in found.segments} <= {TIME}
        names[days] = [one.name for one in found.segments]
    assert names[20] == []
    assert names[100] == ["2013-03", "2013-04", "2013-05", "2013-06"]
    assert names[360] == ["2013 Q1", "2013 Q2", "2013 Q3", "2013 Q4", "2014 Q1"]
    assert names[1500] == ["2013", "2014", "2015", "2016", "2017"]


def test_columns_are_taken_in_their_order_and_the_same_seed_gives_the_same_segments():
    run, scored, depot = a_world(days=60)
    features = pl.DataFrame({"hour": range(len(depot)), "depot": depot, "flag": depot == "A", "id": depot})
    features = features.with_columns(id=pl.int_range(pl.len()).cast(pl.String))
    assert columns_to_show(features) == ["depot", "flag"]
    once = segments_of([run], scored, features=features, seed=3, resampling=QUICK)
    assert once == segments_of([run], scored, features=features, seed=3, resampling=QUICK)
    assert {one.by for one in once["never"].segments} == {TIME, "depot", "flag"}


def test_nothing_settled_gives_no_segment():
    run, scored, depot = a_world(days=40)
    silent = replace(scored, truth=np.full(len(scored.truth), -2, dtype=np.int8))
    found = segments(run, silent, columns={"depot": depot}, seed=1, resampling=QUICK)
    assert found.segments == ()
    assert found.overall == 0.0


def test_in_far_tails_few_blocks_widen_more():
    few, many = (resample(days, Resampling(resamples=50), seed=1) for days in (28, 700))
    for histories, least in ((few, 1.4), (many, 1.0)):
        assert histories.at(0.95).widening == pytest.approx(histories.widening)
        assert histories.at(0.998).widening / histories.widening > least
    assert many.at(0.998).widening / many.widening < 1.05
