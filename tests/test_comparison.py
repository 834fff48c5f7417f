"""Laws of comparing policies: intervals, regret, calibration."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.core.view import PENDING, UNKNOWN
from wholeroad.road.brief.contract import Gain
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.watch.frames import money_over_time, to_frame
from wholeroad.road.watch.intervals import Resampling, day_weights, resample
from wholeroad.road.watch.ranges import ValueRange
from wholeroad.road.watch.regret import Choices, best_path, equal_models_floor, oracle, path_costs
from wholeroad.road.watch.reliability import calibration, expected_calibration_error, wilson
from wholeroad.road.watch.work import (
    NEVER,
    STATUS_QUO,
    ModelValues,
    PolicyRun,
    Scored,
    compare,
)

FROM_AT = 1_000 * DAY
QUICK = Resampling(resamples=200)
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def scored_cases(dice, *, days=60, per_day=8, table=((100.0, -30.0), (0.0, 0.0)), ranges=()):
    n = days * per_day
    decided_at = FROM_AT + np.sort(dice.integers(0, days * DAY, n))
    truth = dice.choice(np.array([0, 1, UNKNOWN, PENDING], dtype=np.int8), n, p=[0.2, 0.7, 0.05, 0.05])
    return Scored(
        decided_at=decided_at,
        truth=truth,
        ids=dice.integers(0, 2**63, n).astype(np.uint64),
        values=TableValues(np.array(table), {}, n),
        actions=("rebook", "pass"),
        status_quo=np.ones(n, dtype=np.int8),
        from_at=FROM_AT,
        to_at=FROM_AT + days * DAY,
        known_at=FROM_AT + days * DAY,
        ranges=ranges,
    )


def skilled(dice, scored, skill):
    """Rebook the late ones with this skill (0 is a coin, 1 is never wrong)."""
    n = len(scored.truth)
    right = dice.random(n) < 0.5 + skill / 2
    return np.where(right, scored.truth != 0, scored.truth == 0).astype(np.int8)


def some_runs(dice, scored):
    return [
        PolicyRun(NEVER, skilled(dice, scored, 0.6), ((FROM_AT, 50.0),)),
        PolicyRun("every 30d", skilled(dice, scored, 0.8), ((FROM_AT, 50.0), (FROM_AT + 30 * DAY, 50.0))),
        PolicyRun("random 10%", (dice.random(len(scored.truth)) > 0.1).astype(np.int8)),
    ]


def by_name(comparison):
    return {policy.policy: policy for policy in comparison.policies}


@given(seeds, st.integers(-20, 20))
@few
def test_law_money_added_to_every_case_moves_no_difference(seed, constant):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice)
    runs = some_runs(dice, scored)
    one = by_name(compare(runs, scored, models=None, unit="EUR", seed=1, resampling=QUICK))
    richer = replace(scored, values=replace(scored.values, constant=scored.values.constant + constant))
    two = by_name(compare(runs, richer, models=None, unit="EUR", seed=1, resampling=QUICK))
    settled = int((scored.truth >= 0).sum())
    for name, policy in one.items():
        assert two[name].total.value == pytest.approx(policy.total.value + constant * settled)
        for part in ("versus_status_quo", "versus_never", "versus_best", "gain_per_case"):
            was, now = getattr(policy, part), getattr(two[name], part)
            assert (was is None) == (now is None)
            if was is not None:
                assert [now.value, now.low, now.high] == pytest.approx([was.value, was.low, was.high])


@given(seeds, st.permutations(range(3)))
@few
def test_law_the_order_of_policies_changes_nothing(seed, order):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice, days=40)
    runs = some_runs(dice, scored)
    one = compare(runs, scored, models=None, unit="EUR", seed=1, resampling=QUICK)
    two = compare([runs[i] for i in order], scored, models=None, unit="EUR", seed=1, resampling=QUICK)
    assert by_name(one) == by_name(two)


@given(seeds)
@few
def test_law_equal_policies_differ_by_zero_without_width(seed):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice)
    action = skilled(dice, scored, 0.5)
    runs = [PolicyRun(NEVER, action), PolicyRun("every 30d", action.copy())]
    policy = by_name(compare(runs, scored, models=None, unit="EUR", seed=seed, resampling=QUICK))["every 30d"]
    assert (policy.versus_never.value, policy.versus_never.low, policy.versus_never.high) == (0, 0, 0)


@given(seeds)
@few
def test_law_only_settled_cases_carry_money_and_nobody_beats_hindsight(seed):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice, days=10)
    runs = some_runs(dice, scored)
    comparison = compare(runs, scored, models=None, unit="EUR", seed=1, resampling=QUICK)
    table = scored.values.constant
    for policy, run in zip(comparison.policies[1:], runs, strict=True):
        money = sum(
            table[action, truth] for action, truth in zip(run.action, scored.truth, strict=True) if truth >= 0
        ) - sum(cost for _, cost in run.fits)
        assert policy.total.value == pytest.approx(money)
        assert policy.total.value <= comparison.clairvoyant
        assert policy.regret_clairvoyant == pytest.approx(comparison.clairvoyant - money)
        assert policy.settled + policy.unknown + policy.pending == comparison.cases
        assert sum(policy.actions.values()) == pytest.approx(1)
    hits = int((scored.truth == 0).sum())
    assert comparison.clairvoyant == 100.0 * hits


@given(st.integers(1, 40), st.integers(1, 12), seeds)
@few
def test_law_resampled_histories_are_blocks_around_the_end(days, block, seed):
    weights = day_weights(days, block_days=block, resamples=20, seed=seed)
    assert (weights.sum(axis=1) == days).all()
    assert (weights == np.round(weights)).all()
    assert weights.min() >= 0
    if block >= days:  # one block round the circle is the history itself
        assert (weights == 1).all()


def test_blocks_are_kept_together():
    weights = day_weights(21, block_days=7, resamples=400, seed=3)
    starts = {tuple(np.flatnonzero(np.roll(row, 1) == 0)) for row in weights}
    assert len(starts) > 50
    for row in weights:  # a history of three blocks changes its weight at six places at most
        assert np.count_nonzero(row != np.roll(row, 1)) <= 6


@pytest.mark.parametrize(("days", "lasting"), [(42, 0.0), (120, 0.5), (300, 0.3)])
def test_intervals_cover_a_planted_truth(days, lasting):
    dice = np.random.default_rng(5)
    resampling = Resampling(resamples=300)
    histories = resample(days, resampling, seed=11)
    covered, repeats = 0, 400
    for _ in range(repeats):
        noise = dice.normal(size=days + 50)
        series = np.zeros(days + 50)
        for day in range(1, days + 50):
            series[day] = lasting * series[day - 1] + noise[day]
        estimate = histories.total(10.0 + series[50:])
        covered += estimate.low <= 10.0 * days <= estimate.high
    assert 0.90 <= covered / repeats <= 0.985


def test_too_few_blocks_give_an_unbounded_interval():
    dice = np.random.default_rng(2)
    scored = scored_cases(dice, days=20)
    policy = by_name(compare(some_runs(dice, scored), scored, models=None, unit="EUR", seed=1))["never"]
    assert (policy.total.low, policy.total.high) == (-math.inf, math.inf)
    assert (policy.gain_per_case.low, policy.gain_per_case.high) == (-math.inf, math.inf)
    judged = compare(
        some_runs(dice, scored), scored, models=None, unit="EUR", seed=1, success=Gain(per_case=-1e9)
    ).policies[1]
    assert not judged.success.met


def test_success_needs_the_gain_at_its_confidence():
    dice = np.random.default_rng(3)
    scored = scored_cases(dice)
    runs = some_runs(dice, scored)
    gain = by_name(compare(runs, scored, models=None, unit="EUR", seed=1))["every 30d"].gain_per_case

    def met(required):
        comparison = compare(runs, scored, models=None, unit="EUR", seed=1, success=Gain(per_case=required))
        return by_name(comparison)["every 30d"].success.met

    assert met(gain.low)  # one-sided at 95% is easier than the end of the two-sided interval
    assert not met(gain.value)
    assert by_name(compare(runs, scored, models=None, unit="EUR", seed=1))["every 30d"].success is None


@pytest.mark.parametrize("inside", [0.0, 0.3, 1.0])
def test_corners_equal_a_comparison_at_the_corner_values(inside):
    dice = np.random.default_rng(4)
    ranges = (
        ValueRange("rebook.late", 0, 0, -20.0, 40.0, 100.0),
        ValueRange("pass.late", 1, 0, -10.0, 0.0, 0.0),
    )
    scored = scored_cases(dice, ranges=ranges)
    run = PolicyRun("some", (dice.random(len(scored.truth)) > inside).astype(np.int8))
    policy = compare([run], scored, models=None, unit="EUR", seed=1, resampling=QUICK).policies[1]
    totals, gains = [], []
    for rebook, passed in itertools.product((-20.0, 0.0, 40.0), (-10.0, 0.0)):
        table = np.array([[100.0 + rebook, -30.0], [passed, 0.0]])
        corner = replace(scored, values=replace(scored.values, constant=table), ranges=())
        at_corner = compare([run], corner, models=None, unit="EUR", seed=1, resampling=QUICK).policies[1]
        totals.append(at_corner.total.value)
        gains.append(at_corner.versus_status_quo.value)
    assert policy.corners == pytest.approx((min(totals), max(totals)))
    assert policy.gain_corners == pytest.approx((min(gains), max(gains)))


# where the winner changes


def at_value(scored, value):
    table = scored.values.constant.copy()
    table[0, 0] = value
    return replace(scored, values=replace(scored.values, constant=table), ranges=())


@given(seeds, st.floats(0.05, 0.95), st.floats(0, 300), st.sampled_from([0, 1]))
@few
def test_law_at_the_break_even_the_gain_is_zero_and_beyond_it_has_the_sign_that_was_said(
    seed, share, cost, quo
):
    dice = np.random.default_rng(seed)
    ranges = (ValueRange("rebook.late", 0, 0, -20.0, 40.0, 100.0),)
    scored = replace(scored_cases(dice, ranges=ranges), status_quo=np.full(480, quo, dtype=np.int8))
    run = PolicyRun(NEVER, (dice.random(480) > share).astype(np.int8), ((FROM_AT, cost),))

    def gain(world):
        compared = compare([run], world, models=None, unit="EUR", seed=1, resampling=QUICK)
        return by_name(compared)[NEVER].versus_status_quo.value

    policy = by_name(compare([run], scored, models=None, unit="EUR", seed=1, resampling=QUICK))[NEVER]
    (found,) = policy.break_evens
    if found is None:
        assert gain(at_value(scored, 10.0)) == pytest.approx(gain(at_value(scored, 500.0)))
        return
    assert gain(at_value(scored, found.value.value)) == pytest.approx(0, abs=1e-6)
    beyond = found.value.value + (1 if found.above else -1)
    assert gain(at_value(scored, beyond)) > 0
    assert found.value.low <= found.value.value <= found.value.high


def test_the_interval_of_the_break_even_holds_a_planted_one():
    held = 0
    for seed in range(60):
        dice = np.random.default_rng(seed)
        # A quarter of those acted on are late: a miss that costs three false alarms makes up for them.
        days, per_day = 84, 20
        n = days * per_day
        scored = Scored(
            decided_at=FROM_AT + np.sort(dice.integers(0, days * DAY, n)),
            truth=(dice.random(n) > 0.25).astype(np.int8),
            ids=np.arange(n, dtype=np.uint64),
            values=TableValues(np.array([[5.0, -1.0], [0.0, 0.0]]), {}, n),
            actions=("act", "pass"),
            status_quo=np.ones(n, dtype=np.int8),
            from_at=FROM_AT,
            to_at=FROM_AT + days * DAY,
            known_at=FROM_AT + days * DAY,
            ranges=(ValueRange("a miss", 0, 0, 0.0, 0.0, 5.0),),
            form="ratio",
        )
        run = PolicyRun("some", (dice.random(n) > 0.3).astype(np.int8))
        policy = compare([run], scored, models=None, unit="", seed=seed, resampling=QUICK).policies[1]
        value = policy.break_evens[0].value
        assert policy.corners is None
        held += value.low <= 3.0 <= value.high
    assert held >= 54


def test_a_policy_that_wins_only_at_a_corner_beats_somewhere_and_not_in_the_middle():
    dice = np.random.default_rng(5)
    ranges = (ValueRange("rebook.late", 0, 0, -90.0, 90.0, 100.0),)
    scored = scored_cases(dice, days=100, per_day=30, ranges=ranges)
    n = len(scored.truth)
    bold = np.zeros(n, dtype=np.int8)  # 20 of 90 are late: -30 apiece breaks even at 105
    compared = compare([PolicyRun("always rebook", bold)], scored, models=None, unit="EUR", seed=1)
    policy = by_name(compared)["always rebook"]
    assert STATUS_QUO not in policy.beats
    assert STATUS_QUO in policy.beats_somewhere
    assert policy.open_counts == (int((scored.truth == 0).sum()),)
    assert [value.high for value in compared.open_values] == [190.0]


# capacity


def test_under_a_capacity_chance_deals_the_same_actions_to_the_cases_of_the_same_day():
    dice = np.random.default_rng(6)
    scored = replace(
        scored_cases(dice, table=((1.0, 0.0), (0.0, 0.0))), form="capacity", capacity=Capacity(3, DAY)
    )
    action = skilled(dice, scored, 0.7)
    runs = [PolicyRun("some", action)]
    policy = compare(runs, scored, models=None, unit="hits", seed=1, resampling=QUICK).policies[1]
    settled = pl.DataFrame({"day": scored.day, "a": action[scored.rows], "y": scored.truth[scored.rows] == 0})
    days = settled.group_by("day").agg((pl.col("a") == 0).sum().alias("k"), pl.col("y").mean())
    assert policy.by_chance == pytest.approx(float((days["k"] * days["y"]).sum()))
    assert policy.versus_chance.value == pytest.approx(policy.total.value - policy.by_chance)


@given(seeds, st.integers(1, 6))
@few
def test_law_under_a_capacity_hindsight_is_the_best_cases_of_each_period(seed, cases):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice, days=20)
    worth = dice.integers(-50, 200, len(scored.truth)).astype(float)
    values = TableValues(np.array([[0.0, -30.0], [0.0, 0.0]]), {(0, 0): worth}, len(worth))
    limited = replace(scored, values=values, capacity=Capacity(cases, 2 * DAY))
    period, late = scored.decided_at // (2 * DAY), (scored.truth == 0) & (worth > 0)
    best = sum(sum(sorted(worth[late & (period == one)])[-cases:]) for one in set(period.tolist()))
    assert limited.clairvoyant() == pytest.approx(best)
    assert limited.clairvoyant() <= replace(limited, capacity=None).clairvoyant()


# regret


def all_paths_best(money, costs, first_day):
    days, options = money.shape
    best = -math.inf
    for path in itertools.combinations_with_replacement(range(options), days):
        if any(first_day[option] > day for day, option in enumerate(path)):
            continue
        chosen = np.array([path])
        worth = sum(money[day, option] for day, option in enumerate(path)) - path_costs(chosen, costs)[0]
        best = max(best, worth)
    return best


@given(seeds, st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_law_the_path_is_the_best_of_all_paths(seed, days, options):
    dice = np.random.default_rng(seed)
    money = dice.integers(-5, 6, (3, days, options)).astype(float)
    costs = np.concatenate([[0.0], dice.integers(0, 6, options - 1)])
    first_day = np.concatenate([[0], np.sort(dice.integers(0, days + 1, options - 1))])
    paths = best_path(money, costs, first_day=first_day)
    paid = path_costs(paths, costs)
    for run in range(3):
        assert all(first_day[option] <= day for day, option in enumerate(paths[run]))
        worth = money[run, np.arange(days), paths[run]].sum() - paid[run]
        assert worth == all_paths_best(money[run], costs, first_day)


def planted(dice, *, days=200, models=4, better=0.0, cost=10.0):
    """Models that enter evenly; each is better than the one before by so much a day and half."""
    first_day = np.concatenate([[0], np.arange(models) * (days // models)])
    money = dice.normal(0, 5, (2, days, models + 1))
    money[:, :, 1:] += 10 + better * np.arange(models)
    costs = np.concatenate([[0.0], np.full(models, cost)])
    return Choices(halves=money, costs=costs, first_day=first_day)


def test_the_oracle_finds_a_planted_path():
    choices = planted(np.random.default_rng(6), better=5.0)
    found = oracle(choices)
    expected = np.repeat([1, 2, 3, 4], 50)
    for path in found.paths:
        assert (path == expected).mean() > 0.9
    never = choices.halves[:, :, 1].sum() - 10.0
    assert found.money > never + 0.9 * (2 * 5.0 * 50 * (1 + 2 + 3) - 30.0)
    assert found.money == pytest.approx(found.daily.sum() - found.costs)


def test_the_floor_separates_equal_models_from_better_ones():
    shown = []
    for seed in range(40):
        choices = planted(np.random.default_rng(seed), days=120)
        regret = oracle(choices).money - (choices.halves[:, :, 1].sum() - 10.0)
        shown.append(regret > equal_models_floor(choices, block_days=7, permutations=60, seed=1))
    assert np.mean(shown) <= 0.15  # nominally one in twenty
    better = planted(np.random.default_rng(6), better=5.0)
    regret = oracle(better).money - (better.halves[:, :, 1].sum() - 10.0)
    assert regret > 1.5 * equal_models_floor(better, block_days=7, seed=1)


def test_an_honest_oracle_makes_nothing_of_luck():
    """Chosen and scored on the same cases, luck pays; chosen on one half and scored on the other, not."""
    honest, fooled = [], []
    for seed in range(30):
        choices = planted(np.random.default_rng(seed), cost=0.0)
        never = choices.halves[:, :, 1].sum()
        honest.append(oracle(choices).money - never)
        both = choices.halves.sum(axis=0)[None]
        path = best_path(both, choices.costs, first_day=choices.first_day)
        fooled.append(np.take_along_axis(both, path[:, :, None], axis=2).sum() - never)
    assert abs(np.mean(honest)) < 3 * np.std(honest) / math.sqrt(len(honest)) + 1
    assert np.mean(fooled) > 100


def test_regret_in_a_comparison_with_a_world_that_turns():
    dice = np.random.default_rng(8)
    scored = scored_cases(dice, days=120, per_day=20)
    turn = FROM_AT + 60 * DAY
    before, after = skilled(dice, scored, 0.8), skilled(dice, scored, 0.8)
    wrong = skilled(dice, scored, -0.3)
    early = scored.decided_at < turn
    old = np.where(early, before, wrong).astype(np.int8)
    new = np.where(early, wrong, after).astype(np.int8)
    models = ModelValues(
        effective_from=np.array([turn, FROM_AT + 1], dtype=np.int64),
        costs=np.array([50.0, 50.0]),
        actions=np.stack([new, old]),
    )
    late_start = scored.decided_at < FROM_AT + DAY
    started = np.where(late_start, scored.status_quo, old).astype(np.int8)
    switched = np.where(early, started, new).astype(np.int8)
    runs = [
        PolicyRun(NEVER, started, ((FROM_AT, 50.0),)),
        PolicyRun("every 60d", switched, ((FROM_AT, 50.0), (turn, 50.0))),
        PolicyRun("random 10%", (dice.random(len(scored.truth)) > 0.1).astype(np.int8)),
    ]
    comparison = compare(runs, scored, models=models, unit="EUR", seed=1, resampling=QUICK)
    named = by_name(comparison)
    assert comparison.oracle.value == pytest.approx(named["every 60d"].total.value, rel=0.02)
    assert named[NEVER].regret_oracle > named[NEVER].regret_floor > 0
    assert named[NEVER].regret_interval[0] > 0
    assert named["every 60d"].regret_oracle < named["every 60d"].regret_floor
    assert named["every 60d"].regret_floor == pytest.approx(named[NEVER].regret_floor + 50.0)
    assert named["random 10%"].regret_floor is None
    assert named[STATUS_QUO].versus_status_quo is None
    assert named["every 60d"].versus_never.low > 0
    assert comparison.oracle.value < comparison.clairvoyant


@given(seeds, st.floats(0, 20))
@few
def test_law_the_oracle_has_no_model_before_it_exists(seed, entered):
    dice = np.random.default_rng(seed)
    scored = scored_cases(dice, days=30)
    enters_at = FROM_AT + int(entered * DAY)
    hindsight = np.where(scored.truth == 0, 0, 1).astype(np.int8)
    known = np.where(scored.decided_at < enters_at, hindsight, skilled(dice, scored, 0.8)).astype(np.int8)
    honest = np.where(scored.decided_at < enters_at, scored.status_quo, known).astype(np.int8)
    run = PolicyRun(NEVER, honest, ((FROM_AT, 50.0),))
    one, two = (
        compare(
            [run],
            scored,
            models=ModelValues(np.array([enters_at]), np.array([50.0]), action[None]),
            unit="EUR",
            seed=1,
            resampling=QUICK,
        )
        for action in (known, honest)
    )
    assert one.oracle == two.oracle


def test_without_models_there_is_no_oracle():
    dice = np.random.default_rng(9)
    scored = scored_cases(dice)
    comparison = compare([], scored, models=None, unit="EUR", seed=1, resampling=QUICK)
    assert comparison.oracle is None
    assert comparison.policies[0].regret_oracle is None
    assert [policy.policy for policy in comparison.policies] == [STATUS_QUO]


def test_the_same_seed_gives_the_same_comparison():
    dice = np.random.default_rng(10)
    scored = scored_cases(dice)
    runs = some_runs(dice, scored)
    one, again, other = (compare(runs, scored, models=None, unit="EUR", seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_no_settled_case_is_no_crash():
    scored = scored_cases(np.random.default_rng(1))
    scored = replace(scored, truth=np.full_like(scored.truth, PENDING))
    policy = compare([], scored, models=None, unit="EUR", seed=1, resampling=QUICK).policies[0]
    assert (policy.settled, policy.total.value, policy.per_case.value) == (0, 0.0, 0.0)


def test_nonsense_is_refused():
    dice = np.random.default_rng(1)
    scored = scored_cases(dice)
    run = PolicyRun(NEVER, scored.status_quo)
    with pytest.raises(ValueError, match="once"):
        compare([run, run], scored, models=None, unit="EUR", seed=1)
    with pytest.raises(ValueError, match="one entry for each"):
        compare([PolicyRun(NEVER, scored.status_quo[1:])], scored, models=None, unit="EUR", seed=1)
    with pytest.raises(ValueError, match="from_at"):
        compare([run], replace(scored, to_at=FROM_AT + DAY), models=None, unit="EUR", seed=1)
    with pytest.raises(ValueError, match="whole number of days"):
        Resampling(block=DAY // 2)


# frames and calibration


def test_money_over_time_adds_up_to_the_totals():
    dice = np.random.default_rng(12)
    scored = scored_cases(dice)
    runs = some_runs(dice, scored)
    comparison = compare(runs, scored, models=None, unit="EUR", seed=1, resampling=QUICK)
    frame = money_over_time(runs, scored)
    last = frame.group_by("policy", maintain_order=True).last()
    for policy, cumulative in zip(comparison.policies, last["cumulative"], strict=True):
        assert cumulative == pytest.approx(policy.total.value)
    assert frame["at"].dtype == pl.Datetime("us", "UTC")
    table = to_frame(comparison)
    assert table["policy"].to_list() == [policy.policy for policy in comparison.policies]
    assert table["versus_status_quo"][0] is None


@given(seeds, st.integers(1, 300), st.integers(1, 12))
@few
def test_law_bins_hold_every_case_once_and_never_part_equals(seed, n, bins):
    dice = np.random.default_rng(seed)
    positive = np.round(dice.random(n), 1)
    truth = dice.integers(-2, 2, n).astype(np.int8)
    probabilities = np.stack([positive, 1 - positive], axis=1)
    table = calibration(probabilities, truth, classes=["yes", "no"], positive="yes", bins=bins)
    assert table["cases"].sum() == (truth >= 0).sum()
    assert table.height <= bins
    assert table["predicted"].is_unique().all()
    assert (table["low"] <= table["observed"]).all()
    assert (table["observed"] <= table["high"]).all()
    hits = (table["observed"] * table["cases"]).sum()
    assert hits == pytest.approx((truth == 0).sum())


def test_calibration_tells_a_calibrated_model_from_a_bold_one():
    dice = np.random.default_rng(13)
    chance = dice.random(20_000)
    truth = (dice.random(20_000) > chance).astype(np.int8)
    fair = calibration(np.stack([chance, 1 - chance], axis=1), truth, classes=["yes", "no"])
    assert fair["class"].unique().sort().to_list() == ["no", "yes"]
    assert expected_calibration_error(fair) < 0.02
    bold = np.clip(0.5 + 2 * (chance - 0.5), 0, 1)
    assert (
        expected_calibration_error(
            calibration(np.stack([bold, 1 - bold], axis=1), truth, classes=["yes", "no"])
        )
        > 0.1
    )
    assert math.isnan(expected_calibration_error(fair.head(0)))


def test_calibration_leaves_out_cases_without_a_model_or_a_truth():
    probabilities = np.array([[np.nan, np.nan], [0.7, 0.3], [0.7, 0.3]])
    table = calibration(
        probabilities, np.array([0, 0, -1], dtype=np.int8), classes=["yes", "no"], positive="yes"
    )
    assert table.select("predicted", "observed", "cases").rows() == [(0.7, 1.0, 1)]


@pytest.mark.parametrize(("hits", "cases", "low", "high"), [(5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
def test_wilson_against_printed_figures(hits, cases, low, high):
    assert wilson(hits, cases) == pytest.approx((low, high), abs=1e-4)
