"""Where acting changes what happens: what is learnt, what is refused, and what a random share is worth."""

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.adapters.learners import Logistic
from wholeroad.core.errors import FaultsError
from wholeroad.core.view import PENDING
from wholeroad.engine.rehearsed import Rehearsed
from wholeroad.interfaces.report.evidence import kind_of_case
from wholeroad.interfaces.report.terminal import table
from wholeroad.interfaces.report.words import verdict
from wholeroad.interfaces.report.writing import write_page
from wholeroad.project import open_project
from wholeroad.road.brief.policies import parse_policy
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.worth import Capacity
from wholeroad.road.data.acting import cases_to_learn, when_there
from wholeroad.road.data.incumbent import Logged
from wholeroad.road.data.own_decisions import with_own_decisions
from wholeroad.road.data.propensities import question_propensities
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.effects import Effects, Shown, expected_money, learn_effects
from wholeroad.road.model.fitting import Trial, try_learner
from wholeroad.road.model.purposes import purposes_of
from wholeroad.road.model.slices import slice_by_time
from wholeroad.road.model.untreated import Acted, acted_at, learning_rows
from wholeroad.road.model.weighing import doubly_robust, effective_size, self_normalised
from wholeroad.road.release.randomising import LeftAlone, leave_some_alone, left_alone
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, decide_under
from wholeroad.road.watch.off_policy import (
    Evidence,
    Randomised,
    compare_acting,
    drawn_together,
)
from wholeroad.road.watch.work import PolicyRun, Scored
from wholeroad.testing.churn import BRIEF, CALL, PASS, START, Churn, churn

DAY = 86_400_000_000
TABLE = np.array([[-105.0, -5.0], [-100.0, 0.0]])
GIFTS = np.array([[10.0, 1.0], [0.0, 0.0]])
FIRST = int(START.timestamp()) * 1_000_000


def scored_of(world: Churn, days: int) -> Scored:
    """Put the cases of a world as a comparison takes them."""
    count = len(world.day)
    return Scored(
        decided_at=FIRST + world.day * DAY,
        truth=np.where(world.left, 0, 1).astype(np.int8),
        ids=np.arange(count, dtype=np.uint64),
        values=TableValues(TABLE, {}, count),
        actions=("call", "pass"),
        status_quo=np.full(count, PASS, dtype=np.int8),
        from_at=FIRST,
        to_at=FIRST + days * DAY,
        known_at=FIRST + (days + 20) * DAY,
    )


def always(world: Churn, action: int) -> np.ndarray:
    """Give one action for all."""
    return np.full(len(world.day), action, dtype=np.int8)


# ---- weights ----

amounts = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@settings(deadline=None)
@given(amounts)
def test_weighing_what_was_done_for_certain_is_the_plain_mean(money: np.ndarray) -> None:
    taken = (np.arange(money.size) % 3).astype(np.int8)
    ones = np.ones(money.size)
    assert self_normalised(money, ones) == pytest.approx(money.mean())
    assert np.allclose(doubly_robust(money, taken, taken=taken, propensity=ones), money)


@settings(deadline=None)
@given(amounts, st.floats(1e-3, 1e3))
def test_the_scale_of_weights_does_not_matter(money: np.ndarray, scale: float) -> None:
    weights = 1.0 + np.arange(money.size) % 4
    assert self_normalised(money, scale * weights) == pytest.approx(self_normalised(money, weights))
    assert effective_size(scale * weights) == pytest.approx(effective_size(weights))
    assert effective_size(weights) <= money.size + 1e-9


def test_policies_differ_only_where_they_want_different_actions() -> None:
    world = churn(days=40, per_day=20, share=1.0)
    money = np.where(world.left, -100.0, 0.0)
    ours, theirs = world.targeted(), always(world, PASS)
    one, other = (
        doubly_robust(money, each, taken=world.done, propensity=world.propensity) for each in (ours, theirs)
    )
    assert (one[ours == theirs] == other[ours == theirs]).all()
    assert (one[ours != theirs] != other[ours != theirs]).any()


def test_an_action_that_chance_never_took_gets_no_credit() -> None:
    money, taken = np.array([4.0, -7.0]), np.zeros(2, dtype=np.int8)
    estimate = doubly_robust(money, np.ones(2, dtype=np.int8), taken=taken, propensity=np.full(2, 0.5))
    assert estimate.tolist() == [-7.0, -7.0]


# ---- the share that is left alone ----

plans = st.integers(0, 2**31).map(
    lambda seed: np.random.default_rng(seed).integers(0, 3, 200).astype(np.int8)
)


@settings(deadline=None)
@given(plans, plans, st.floats(0.01, 0.99))
def test_who_is_left_alone_never_changes_with_the_plan(
    one: np.ndarray, other: np.ndarray, share: float
) -> None:
    ids, rule = np.arange(200, dtype=np.uint64) * 977, LeftAlone(action=1, share=share)
    held = np.arange(200) % 17 == 0
    first, chances = leave_some_alone(one, ids=ids, held=held, rule=rule, seed=5)
    second, _ = leave_some_alone(other, ids=ids, held=held, rule=rule, seed=5)
    drawn = (first == 1) & (one != 1) & ~held
    assert (second[drawn] == 1).all()
    assert (first[held] == one[held]).all()
    assert ((first == one) | drawn).all()
    expected = np.where(held | (one == 1), 1.0, np.where(drawn, share, 1 - share))
    assert np.allclose(chances, expected)


def test_the_share_is_the_share() -> None:
    ids, planned = np.arange(100_000, dtype=np.uint64), np.zeros(100_000, dtype=np.int8)
    rule = LeftAlone(action=1, share=0.05)
    action, _ = leave_some_alone(planned, ids=ids, held=planned > 0, rule=rule, seed=0)
    assert (action == 1).mean() == pytest.approx(0.05, abs=0.003)


@pytest.mark.parametrize("decider", ["status quo", "model", "always call"])
def test_the_kernel_leaves_alone_whatever_decides(decider: str) -> None:
    count = 400
    asked = Asked(
        ids=np.arange(count, dtype=np.uint64),
        values=TableValues(TABLE, {}, count),
        status_quo=np.zeros(count, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        left_alone=LeftAlone(action=PASS, share=0.2),
    )
    decided = decide_under(
        Plan(decider, "m" if decider == "model" else None),
        asked,
        actions=("call", "pass"),
        width=2,
        seed=0,
        score=lambda _: np.full((count, 2), 0.5),
    )
    planned = decide_under(
        Plan("status quo"), asked, actions=("call", "pass"), width=2, seed=0, score=lambda _: np.empty((0, 2))
    )
    drawn = planned.action == PASS
    assert 40 < drawn.sum() < 120
    assert (decided.action[drawn] == PASS).all()
    assert decided.propensity is not None
    assert np.isnan(decided.expected[drawn & (decided.propensity < 1)]).all()


def test_only_policies_that_use_models_leave_alone() -> None:
    brief = open_brief()
    names = ["never", "every 30d", "status quo", "random 10%", "always call", "incumbent"]
    kept = [name for name in names if left_alone(brief, parse_policy(name)) is not None]
    assert kept == ["never", "every 30d"]


# ---- what fits learn from ----


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.04, 0.05, 0.2, 0.5, 1.0, np.nan]), min_size=1, max_size=60))
def test_each_case_left_alone_comes_as_often_as_it_weighs(propensities: list[float]) -> None:
    propensity = np.array(propensities)
    action = (np.arange(propensity.size) % 3).astype(np.int8)
    acted = Acted(action, propensity, 0, recorded=True)
    rows = learning_rows(acted, slice(0, propensity.size))
    assert set(action[rows]) <= {0}
    assert (np.diff(rows) >= 0).all()
    for row in np.flatnonzero(action == 0):
        weight = 1.0 if np.isnan(propensity[row]) else min(20.0, 1 / propensity[row])
        assert abs((rows == row).sum() - weight) <= 1 + 1e-9


def test_plain_weights_change_nothing() -> None:
    acted = Acted(np.zeros(7, dtype=np.int8), np.full(7, np.nan), 0, recorded=False)
    assert learning_rows(acted, slice(2, 7)).tolist() == [2, 3, 4, 5, 6]


def shown_world(shift: float, *, seed: int, count: int = 4000) -> Shown:
    """Make randomised cases whose odds an action multiplies by ``exp(shift)``."""
    dice = np.random.default_rng(seed)
    odds = dice.normal(-1, 1, count)
    action = (dice.random(count) < 0.5).astype(np.int8)
    leaves = 1 / (1 + np.exp(-(odds + shift * (action == 0))))
    alone = 1 / (1 + np.exp(-odds))
    return Shown(
        np.stack([alone, 1 - alone], axis=1),
        np.where(dice.random(count) < leaves, 0, 1).astype(np.int8),
        action,
        np.full(count, 0.5),
    )


@pytest.mark.parametrize("shift", [-1.0, 0.0, 0.7])
def test_effects_recover_a_shift_of_the_odds(shift: float) -> None:
    found = [learn_effects(shown_world(shift, seed=seed), no_action=1, actions=2) for seed in range(8)]
    shifts = [np.log(one.each[0].factors)[:, 0].mean() for one in found if one]
    assert np.mean(shifts) == pytest.approx(shift, abs=0.1)
    kept = Effects.from_data(found[0].to_data())
    assert kept == found[0]


def test_too_few_randomised_cases_teach_no_effect() -> None:
    assert learn_effects(shown_world(-1.0, seed=1, count=50), no_action=1, actions=2) is None


def test_each_action_is_worth_what_its_own_outcomes_are() -> None:
    values, alone = TableValues(TABLE, {}, 1), np.array([[0.5, 0.5]])
    assert expected_money(values, alone, effects=None).tolist() == [[-55.0, -50.0]]
    effects = learn_effects(shown_world(-3.0, seed=2), no_action=1, actions=2)
    money = expected_money(values, alone, effects=effects)
    assert money[0, CALL] > money[0, PASS]


def test_effects_of_one_case_are_those_of_many() -> None:
    effects = learn_effects(shown_world(-0.5, seed=3), no_action=1, actions=2)
    many = shown_world(0, seed=4, count=300).probabilities
    values = TableValues(TABLE, {}, 1)
    whole = expected_money(replace(values, count=300), many, effects=effects)
    one_by_one = [expected_money(values, many[row : row + 1], effects=effects)[0] for row in range(300)]
    assert (whole == np.array(one_by_one)).all()


def drifting(count: int, *, seed: int) -> Cut:
    """Make cases that leave more and more often, whatever is done: calling changes nothing."""
    dice = np.random.default_rng(seed)
    risk = dice.normal(size=count)
    coin = dice.random(count) < 0.3
    action = np.where(coin, dice.integers(0, 2, count), PASS).astype(np.int8)
    chances = 1 / (1 + np.exp(-(risk - 3.5 + 2 * np.arange(count) / count)))
    return Cut(
        features=pl.DataFrame({"risk": risk}),
        decided_at=np.arange(count) * DAY // 40,
        truth=np.where(dice.random(count) < chances, 0, 1).astype(np.int8),
        values=TableValues(TABLE, {}, count),
        status_quo=np.full(count, PASS, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        classes=("leaves", "stays"),
        actions=("call", "pass"),
        acted=Acted(action, np.where(coin, 0.5, np.nan), PASS, recorded=True),
    )


def test_a_drift_of_the_outcomes_is_no_effect_of_acting() -> None:
    shifts = []
    for seed in range(6):
        cut = drifting(6000, seed=seed)
        trial = Trial.prepare(cut, slice_by_time(cut.decided_at, matures=14 * DAY))
        effects = try_learner(trial, Logistic()).effects
        assert effects
        called, passed = (np.log([row[0] for row in one.factors]).mean() for one in effects.each)
        shifts.append(called - passed)
    assert abs(np.mean(shifts)) < 0.15


def test_a_fit_shares_a_capacity_among_all_cases_and_not_among_the_randomised_ones() -> None:
    cut = replace(drifting(6000, seed=1), capacity=Capacity(4, DAY), values=TableValues(GIFTS, {}, 6000))
    trial = Trial.prepare(cut, slice_by_time(cut.decided_at, matures=14 * DAY))
    candidate = try_learner(trial, Logistic())
    assert trial.purposes.estimated
    assert len(candidate.actions) == len(candidate.money) == len(trial.priced)
    acted = float((candidate.actions == CALL).mean())
    assert 0.05 < acted < 0.15, "4 of 40 a day, whoever of them is randomised"


# ---- policies on randomised cases ----


def test_estimates_hold_the_truth_and_naive_figures_do_not() -> None:
    days, seeds, inside, naive_inside, wrong_sign = 70, 120, 0, 0, 0
    for seed in range(seeds):
        world = churn(days=days, per_day=24, share=0.5, seed=seed)
        runs = [PolicyRun("targeted", world.targeted())]
        comparison = compare_acting(
            runs,
            scored_of(world, days),
            evidence=Evidence(world.done, world.propensity),
            models=None,
            unit="EUR",
            seed=0,
        )
        drawn = np.isfinite(world.propensity)
        true = (world.money(world.targeted()) - world.money(always(world, PASS)))[drawn].mean()
        found = comparison.policies[1]
        gain, naive = found.gain_per_case, found.naive_gain_per_case
        inside += gain.low <= true <= gain.high
        naive_inside += naive.low <= true <= naive.high
        wrong_sign += true > 0 > naive.value
    assert inside >= 0.9 * seeds
    assert naive_inside == 0
    assert wrong_sign == seeds


def test_the_comparison_of_those_who_were_called_with_the_others_has_the_wrong_sign() -> None:
    world = churn(days=200)
    risky, called = world.complaints >= 2, world.done == CALL
    assert world.left[called].mean() > world.left[~called].mean() + 0.1
    assert world.leaves[risky, CALL].mean() < world.leaves[risky, PASS].mean() - 0.05
    drawn = np.isfinite(world.propensity) & risky
    weights, shares, variance = 1 / world.propensity[drawn], [], 0.0
    for side in (called[drawn], ~called[drawn]):
        share = np.average(world.left[drawn][side], weights=weights[side])
        variance += share * (1 - share) / effective_size(weights[side])
        shares.append(share)
    difference, half = shares[0] - shares[1], 1.96 * variance**0.5
    low, high = difference - half, difference + half
    true = float((world.leaves[risky, CALL] - world.leaves[risky, PASS]).mean())
    assert low < true < high
    assert low < difference < high < 0


def test_the_running_system_is_worth_what_it_made() -> None:
    world = churn(days=60, per_day=30, share=1.0)
    scored = scored_of(world, 60)
    judged = Randomised.of(scored, Evidence(world.done, world.propensity))
    assert np.allclose(judged.money(world.done).mean(), scored.money(world.done).mean(), rtol=0.1)


def test_the_running_system_made_what_was_seen_also_where_propensities_vary() -> None:
    world = churn(days=60, per_day=30, share=1.0)
    count = len(world.day)
    chances = np.where(world.complaints > 0, 0.8, 0.3)
    propensity = np.where(world.done == CALL, chances, 1 - chances)
    scored = scored_of(world, 60)
    judged = Randomised.of(scored, Evidence(world.done, propensity))
    assert np.allclose(judged.money(world.done, drawn_with=propensity), scored.money(world.done))
    running = PolicyRun("incumbent", world.done, drawn_with=propensity)
    assert judged.effective(running) == pytest.approx(count)


def test_a_policy_rehearsed_on_our_own_record_shares_its_draws_and_is_estimated_rightly() -> None:
    """Who is left alone in the rehearsal is who was left alone then: one draw, not two."""
    days, share, inside, misses, seeds = 60, 0.1, 0, [], 40
    rule, nobody = LeftAlone(action=PASS, share=share), np.zeros(days * 40, dtype=bool)
    for seed in range(seeds):
        world = churn(days=days, per_day=40, share=0.0, seed=seed)
        count = len(world.day)
        ids = np.arange(count, dtype=np.uint64) * 7919 + seed
        ran = np.where(world.complaints >= 1, CALL, PASS).astype(np.int8)
        done, propensity = leave_some_alone(ran, ids=ids, held=nobody, rule=rule, seed=0)
        left = np.random.default_rng(seed).random(count) < world.leaves[np.arange(count), done]
        ours = Logged(done, np.full(count, np.nan), propensity, ours=~nobody)
        action, chances = leave_some_alone(world.targeted(), ids=ids, held=nobody, rule=rule, seed=0)
        shared = drawn_together(chances, ours, ids=ids, rule=rule, seed=0)
        assert shared is not None
        assert drawn_together(chances, ours, ids=ids, rule=rule, seed=1) is None
        truth = np.where(left, 0, 1).astype(np.int8)
        comparison = compare_acting(
            [PolicyRun("never", action, drawn_with=shared)],
            replace(scored_of(world, days), ids=ids, truth=truth),
            evidence=Evidence(done, propensity),
            models=None,
            unit="EUR",
            seed=0,
        )
        more = world.money(world.targeted()) - world.money(always(world, PASS))
        true, found = (1 - share) * more[propensity < 1].mean(), comparison.policies[1].gain_per_case
        inside += found.low <= true <= found.high
        misses.append(found.value - true)
    assert inside >= 0.85 * seeds
    assert abs(np.mean(misses)) < 3 * np.std(misses) / seeds**0.5


def test_a_policy_that_wants_what_chance_never_did_has_no_estimate() -> None:
    world = churn(days=60, per_day=30, share=1.0)
    scored = replace(
        scored_of(world, 60), actions=("call", "pass", "gift"), values=TableValues(np.zeros((3, 2)), {}, 1800)
    )
    runs = [PolicyRun("gift", always(world, 2)), PolicyRun("call", always(world, CALL))]
    comparison = compare_acting(
        runs, scored, evidence=Evidence(world.done, world.propensity), models=None, unit="EUR", seed=0
    )
    assert comparison.unsupported == ("gift",)
    assert [money.policy for money in comparison.policies] == ["status quo", "call"]


@pytest.mark.parametrize(("leavers", "randomised"), [(16, 0), (20, 400)])
def test_an_action_after_which_nearly_nothing_happened_carries_no_estimate(leavers, randomised) -> None:
    """With few of the rarer outcome to be expected an interval would be far too short."""
    count = 400
    done = np.where(np.arange(count) % 4, CALL, PASS).astype(np.int8)
    truth = np.arange(count) >= leavers
    scored = replace(
        scored_of(churn(days=40, per_day=10), 40),
        truth=truth.astype(np.int8),
        values=TableValues(TABLE, {}, count),
    )
    evidence = Evidence(done, np.where(done == CALL, 0.75, 0.25))
    runs = [PolicyRun("always call", np.full(count, CALL, dtype=np.int8))]
    found = compare_acting(runs, scored, evidence=evidence, models=None, unit="EUR", seed=0)
    assert found.randomised == randomised
    # Where the outcome is no matter after an action, nothing has to have happened.
    free = replace(scored, values=TableValues(np.array([[-105.0, -5.0], [0.0, 0.0]]), {}, count))
    assert compare_acting(runs, free, evidence=evidence, models=None, unit="EUR", seed=0).randomised == 400


def test_without_randomised_cases_nothing_is_estimated() -> None:
    world = churn(days=60, per_day=30, share=0.0)
    evidence = Evidence(world.done, world.propensity)
    runs = [PolicyRun("targeted", world.targeted())]
    comparison = compare_acting(
        runs, scored_of(world, 60), evidence=evidence, models=None, unit="EUR", seed=0
    )
    assert (comparison.randomised, comparison.basis) == (0, "not identified")
    assert comparison.policies[1].naive_gain_per_case is None


def test_cases_that_chance_had_no_part_in_carry_no_estimate() -> None:
    world = churn(days=60, per_day=30, share=0.4)
    scored = scored_of(world, 60)
    judged = Randomised.of(scored, Evidence(world.done, world.propensity))
    assert (judged.truth[np.isnan(world.propensity)] == PENDING).all()
    flipped = np.where(np.isnan(world.propensity), 1 - scored.truth, scored.truth).astype(np.int8)
    other = Randomised.of(replace(scored, truth=flipped), Evidence(world.done, world.propensity))
    assert (judged.money(world.targeted()) == other.money(world.targeted())).all()


# ---- the whole road ----


def open_brief():
    """Read the world's brief."""
    from wholeroad.road.brief.work import read_brief

    return read_brief(BRIEF)


@pytest.fixture(scope="module")
def world() -> Churn:
    """Give a world with half of its customers drawn."""
    return churn(per_day=100, share=0.5, seed=1)


@pytest.fixture(scope="module")
def estimated(world: Churn, tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """Rehearse with the log's propensities."""
    project = open_project(world.write(tmp_path_factory.mktemp("drawn")))
    return project.rehearse(["never", "every 30d", "always call", "status quo"])


@pytest.fixture(scope="module")
def counted(world: Churn, tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """Rehearse the same log without knowing who was drawn."""
    project = open_project(world.write(tmp_path_factory.mktemp("counted"), propensities=False))
    return project.rehearse(["never", "always call"])


def true_gain(world: Churn, rehearsed: Rehearsed, policy: str) -> float:
    """Give what a rehearsed policy truly gains on the randomised cases that were scored."""
    made = rehearsed.decisions(policy)
    who = made["customer_id"].to_numpy()
    action = always(world, PASS)
    action[who] = np.where(made["action"].to_numpy() == "call", CALL, PASS)
    # Those whose outcome is known by the last one that was told.
    counts = who[np.isfinite(world.propensity[who])]
    return float((world.money(action) - world.money(always(world, PASS)))[counts].mean())


def test_with_a_random_share_the_worth_of_policies_is_estimated(world: Churn, estimated: Rehearsed) -> None:
    comparison = estimated.comparison
    assert comparison.basis == "estimated"
    for policy in ("never", "always call"):
        money = next(one for one in comparison.policies if one.policy == policy)
        true = true_gain(world, estimated, policy)
        assert money.gain_per_case.low < true < money.gain_per_case.high
        assert not money.naive_gain_per_case.low < true < money.naive_gain_per_case.high
    never = next(one for one in comparison.policies if one.policy == "never")
    assert never.gain_per_case.low > 0 > never.naive_gain_per_case.high
    said = verdict(comparison, depends_on_action="yes")
    assert said.policy == "never"
    assert "randomised case" in str(said)
    assert "Not identified" not in str(said)
    assert kind_of_case(comparison, "yes") == "randomised"
    assert str(table(comparison, depends_on_action="yes").title).startswith("Estimated from")
    assert estimated.policies["basis"].unique().to_list() == ["estimated"]


def test_the_counts_of_a_randomised_page_add_up(estimated: Rehearsed) -> None:
    page = html.unescape(write_page(estimated).read_text(encoding="utf-8"))
    told = re.search(r"[\d,]+ cases: [^.]* randomised and with [^.]*\.", page)
    assert told
    assert "were not randomised" in told.group()
    everyone, *parts = (int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*\b", told.group()))
    assert len(parts) == 4
    assert everyone == sum(parts) == estimated.comparison.cases
    assert parts[0] == estimated.comparison.policies[0].settled
    assert parts[1] > 0


def test_without_one_nothing_is_called_settled_and_nothing_is_decided(counted: Rehearsed) -> None:
    comparison = counted.comparison
    said = verdict(comparison, depends_on_action="yes")
    assert said.headline.startswith("Not identified: assumes")
    assert "Nothing is decided" in str(said)
    assert said.question
    assert "settled" not in str(said)
    assert "settled" not in str(table(comparison, depends_on_action="yes").title)
    assert counted.policies["basis"].unique().to_list() == ["not identified"]
    assert all("Not identified" in why for why in counted.fits["why"])


def test_the_share_is_kept_by_every_policy_with_models_and_by_no_other(estimated: Rehearsed) -> None:
    never, often = estimated.decisions("never"), estimated.decisions("every 30d")
    for made in (never, often):
        chance = made.filter(pl.col("propensity") < 0.5)
        assert (chance["action"] == "pass").all()
        assert chance["propensity"].unique().to_list() == [0.1]
        treated = made.filter(pl.col("action") == "call")
        assert treated["propensity"].unique().to_list() == [0.9]
    both = never.join(often, on="customer_id", suffix="_often")
    left = both.filter((pl.col("propensity") < 0.5) & (pl.col("propensity_often") < 1))
    assert left.height > 20
    assert (left["propensity_often"] < 0.5).all()
    for yardstick in ("status quo", "always call"):
        assert (estimated.decisions(yardstick)["propensity"] == 1.0).all()
        assert estimated.decisions(yardstick)["action"].n_unique() == 1


def test_fits_learn_from_cases_left_alone_and_choose_on_randomised_ones(estimated: Rehearsed) -> None:
    history = estimated.history
    now = history.until
    rows = history.as_of(now).matured(14 * DAY)
    cut = Cut(
        features=history.features.take(rows),
        decided_at=history.timeline.decided_at[rows],
        truth=history.as_of(now).truth()[rows],
        values=history.values.take(rows),
        status_quo=history.status_quo[rows],
        held=history.held[rows],
        classes=history.brief.outcome.classes,
        actions=history.brief.actions,
        acted=acted_at(history, rows, now=now),
    )
    served = purposes_of(cut, slice_by_time(cut.decided_at, matures=14 * DAY))
    for learnt in (served.train, served.stop):
        assert len(learnt) > 0
        assert (cut.acted.action[learnt] == PASS).all()
    assert cut.acted.randomised[served.choose].all()
    assert served.estimated
    assert not set(served.shown) & set(served.train)
    assert set(served.choose) <= set(served.shown)


def test_calibration_is_that_of_cases_left_alone(world: Churn, estimated: Rehearsed) -> None:
    shown = estimated.calibration.filter(pl.col("policy") == "never")
    decided = estimated.decisions("never")["customer_id"].to_numpy()
    alone = decided[world.done[decided] == PASS]
    assert 0 < shown["cases"].sum() <= alone.size


def test_a_log_line_that_comes_later_teaches_no_earlier_fit(world: Churn, tmp_path: Path) -> None:
    frames = world.frames()
    at = int((START.timestamp() + 100 * 86_400) * 1_000_000)
    late = frames["calls"].with_columns(
        logged_at=pl.col("logged_at") + pl.duration(days=120), done=pl.lit("call"), propensity=pl.lit(0.01)
    )
    plain = open_project(world.write(tmp_path / "plain"))
    corrected = world.write(tmp_path / "corrected")
    pl.concat([frames["calls"], late]).write_parquet(corrected / "calls.parquet")
    seen = []
    for project in (plain, open_project(corrected)):
        project.land()
        history = project.history()
        acted = acted_at(history, history.as_of(at).matured(14 * DAY), now=at)
        seen.append(acted.content())
    assert all((one == other).all() or np.isnan(one).any() for one, other in zip(*seen, strict=True))
    assert np.array_equal(seen[0][1], seen[1][1], equal_nan=True)


def test_without_a_record_a_status_quo_that_acts_gives_no_fit(world: Churn, tmp_path: Path) -> None:
    start = BRIEF.index("[incumbent]")
    brief = BRIEF[:start] + BRIEF[BRIEF.index("[policy]") :]
    brief = brief.replace('status_quo = { action = "pass" }', 'status_quo = { action = "call" }')
    project = open_project(world.write(tmp_path / "acts", brief=brief))
    rehearsed = project.rehearse(["never"])
    assert rehearsed.compared.refused["never"][0].code == "model.too-few-left-alone"
    findings = {finding.code for finding in rehearsed.findings}
    assert {"check.no-record-of-actions", "check.depends-on-action"} <= findings


def test_the_check_says_how_many_cases_tell_andwhen_there(world: Churn, tmp_path: Path) -> None:
    brief = BRIEF.replace('[policy]\nno_action = { action = "pass", share = 0.1 }\n', "")
    project = open_project(world.write(tmp_path / "asks", brief=brief, propensities=False))
    found = {finding.code: finding for finding in project.check()}
    asks = found["check.no-randomised-share"]
    assert asks.level == "warning"
    assert "takes about" in asks.why_it_matters
    assert 'no_action = { action = "pass", share = 0.05 }' in asks.fix
    assert "they'd be there about 20" in asks.why_it_matters
    assert "check.one-action-wins" not in found


def test_more_cases_are_needed_for_smaller_effects_and_smaller_shares() -> None:
    assert cases_to_learn(0.02, base=0.2, share=0.1) > cases_to_learn(0.04, base=0.2, share=0.1)
    assert cases_to_learn(0.02, base=0.2, share=0.05) > cases_to_learn(0.02, base=0.2, share=0.1)


def test_a_share_of_an_unknown_action_is_a_fault() -> None:
    from wholeroad.road.brief.work import read_brief

    with pytest.raises(FaultsError, match="no action of this brief"):
        read_brief(BRIEF.replace('no_action = { action = "pass"', 'no_action = { action = "wait"'))


def test_our_own_decisions_stand_beside_the_log(estimated: Rehearsed) -> None:
    history = estimated.history
    ids = history.cases.ids[10:20]
    ours = with_own_decisions(
        history, ids=ids, action=np.zeros(10, dtype=np.int8), propensity=np.full(10, 0.9)
    )
    assert (ours.logged.action[10:20] == CALL).all()
    assert (ours.logged.propensity[10:20] == 0.9).all()
    others = np.r_[0:10, 20 : len(history.logged.action)]
    assert (ours.logged.action[others] == history.logged.action[others]).all()
    early = ours.logged.as_of(FIRST)
    assert (early.action[10:20] == CALL).all()
    assert (early.action[others] == -1).all()


def implausible(propensity: np.ndarray, action: np.ndarray, actions: tuple[str, ...] = ("call", "pass")):
    logged = Logged(action.astype(np.int8), np.full(action.size, np.nan), propensity)
    return [*question_propensities(logged, actions)]


@given(seed=st.integers(0, 10_000), cases=st.integers(1, 2_000), least=st.floats(0.02, 0.5))
@settings(deadline=None, max_examples=60)
def test_propensities_by_which_the_actions_were_drawn_are_plausible(seed: int, cases: int, least: float):
    dice = np.random.default_rng(seed)
    calls = dice.uniform(least, 1 - least, cases)
    action = np.where(dice.random(cases) < calls, 0, 1)
    assert implausible(np.where(action == 0, calls, 1 - calls), action) == []


def test_a_case_that_chance_had_no_part_in_says_nothing_of_propensities():
    assert implausible(np.array([1.0] * 500 + [np.nan] * 500), np.zeros(1_000)) == []


@pytest.mark.parametrize("slip", ["of calling", "of the others", "a tenth"])
def test_propensities_of_something_else_are_found_with_their_figure(slip: str):
    dice = np.random.default_rng(0)
    action = np.where(dice.random(4_000) < 0.2, 0, 1)
    right = np.where(action == 0, 0.2, 0.8)
    wrong = {"of calling": np.full(4_000, 0.2), "of the others": 1 - right, "a tenth": right / 10}[slip]
    (found,) = implausible(wrong, action)
    assert (found.code, found.level) == ("check.propensity-implausible", "warning")
    code = 0 if "with call" in found.happened else 1
    assert f"is {((action == code) / wrong).mean():.2f} times the 4,000 cases" in found.happened
    assert "95% interval" in found.happened


def test_of_three_actions_one_that_may_not_be_taken_everywhere_is_no_slip():
    dice = np.random.default_rng(1)
    action = np.where(np.arange(4_000) < 2_000, dice.integers(0, 2, 4_000), dice.integers(1, 3, 4_000))
    names = ("call", "pass", "mail")
    assert implausible(np.full(4_000, 0.5), action, names) == []
    assert implausible(np.full(4_000, 0.1), action, names) != []


def test_no_date_is_named_for_cases_that_hardly_come(world: Churn, tmp_path: Path) -> None:
    project = open_project(world.write(tmp_path / "asks", propensities=False))
    project.land()
    history = project.history()
    assert when_there(history, 1_000).startswith("20")
    few = replace(history.timeline, decided_at=history.timeline.decided_at[[0, -1]])
    assert when_there(replace(history, timeline=few), 1_000) == ""
