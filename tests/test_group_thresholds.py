"""Thresholds of groups: what they leave alone, what they hold, and what they cost."""

import json
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.instants import DAY
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.bias.groups import OTHER
from wholeroad.road.model.deciding import decide
from wholeroad.road.model.fairness.assessed import Terms
from wholeroad.road.model.fairness.foretold import margins
from wholeroad.road.model.fairness.learning_thresholds import Aim, Foretold, learn_thresholds
from wholeroad.road.model.fairness.thresholds import GroupThresholds

ONE_RATE = ("selection_rate", "true_positive_rate", "false_positive_rate")
EVERY = (*ONE_RATE, "equalized_odds", "gain_per_case")
TERMS = Terms(selected=(0,), positive=0)
INFINITE = float("inf")


def cases_of(seed, *, count=3000, groups=3, actions=2, right=True, wrong_by=(0.0, 0.9, -0.9)):
    """Make cases whose groups differ in risk; with ``right``, stated probabilities are true ones."""
    dice = np.random.default_rng(seed)
    group = dice.choice(groups, count, p=np.array([0.6, 0.3, 0.1][:groups]) / sum([0.6, 0.3, 0.1][:groups]))
    odds = dice.normal(np.array([-1.0, -1.6, -0.4])[group], 1.2)
    p = 1 / (1 + np.exp(-odds))
    true = p if right else 1 / (1 + np.exp(-odds - np.array(wrong_by)[group]))
    positive = (dice.random(count) < true).astype(np.int8)
    table = np.zeros((count, actions, 2))
    for action in range(actions - 1):
        table[:, action, 0] = dice.lognormal(3, 0.4, count)
        table[:, action, 1] = -15 - action
    stated, worth = np.column_stack([p, 1 - p]), TableValues.per_case(table)
    return Foretold(
        expected=worth.expected(stated),
        probabilities=stated,
        positive=positive,
        status_quo=np.full(count, actions - 1, dtype=np.int8),
        held=dice.random(count) < 0.05,
        decided_at=np.sort(dice.integers(0, 60 * DAY, count)),
        texts=pl.Series("colour", np.array(["amber", "blue", "cyan"])[group]),
        values=worth,
    )


def aim_of(equal, within, *, terms=TERMS, least_cases=30, values=()):
    return Aim("colour", ("colour",), equal, within, terms, least_cases, values)


def actions_under(thresholds, cases, *, terms=TERMS):
    compared = thresholds.adjust(
        cases.expected,
        cases.probabilities,
        texts=cases.texts,
        selected=terms.selected,
        positive=terms.positive,
    )
    chosen, _ = decide(compared, status_quo=cases.status_quo)
    return np.where(cases.held, cases.status_quo, chosen)


def selected_under(thresholds, cases, *, terms=TERMS):
    return np.isin(actions_under(thresholds, cases, terms=terms), terms.selected)


def plain(cases):
    return np.where(cases.held, cases.status_quo, decide(cases.expected, status_quo=cases.status_quo)[0])


def expected_of(cases, actions):
    return float(cases.expected[np.arange(actions.size), actions].sum())


def rates_by_group(cases, selected, weight):
    codes = cases.texts.rank("dense").to_numpy().astype(int) - 1
    return np.bincount(codes, weights=selected * weight) / np.bincount(codes, weights=weight)


# What thresholds leave alone


@given(seed=st.integers(0, 50), actions=st.sampled_from([2, 3]))
@settings(deadline=None, max_examples=15)
def test_offsets_of_none_change_no_decision(seed, actions):
    cases = cases_of(seed, count=300, actions=actions)
    nothing = GroupThresholds("colour", ("colour",), {"amber": (0.0, 0.0, 0.0)})
    assert (actions_under(nothing, cases) == plain(cases)).all()


@given(seed=st.integers(0, 50))
@settings(deadline=None, max_examples=15)
def test_a_case_gets_the_same_decision_in_any_batch(seed):
    cases = cases_of(seed, count=400)
    found = learn_thresholds(cases, aim_of("true_positive_rate", 0.01)).thresholds
    order = np.random.default_rng(seed).permutation(400)[:120]
    adjusted = found.adjust(cases.expected, cases.probabilities, texts=cases.texts, selected=(0,), positive=0)
    alone = found.adjust(
        cases.expected[order],
        cases.probabilities[order],
        texts=cases.texts.gather(order),
        selected=(0,),
        positive=0,
    )
    assert alone.tobytes() == adjusted[order].tobytes()


@pytest.mark.parametrize("equal", EVERY)
@pytest.mark.parametrize("right", [True, False])
def test_without_a_tolerance_decisions_are_those_without_thresholds(equal, right):
    cases = cases_of(1, right=right, actions=3)
    found = learn_thresholds(cases, aim_of(equal, INFINITE))
    assert set(found.thresholds.offsets.values()) == {(0.0, 0.0, 0.0)}
    assert (actions_under(found.thresholds, cases) == plain(cases)).all()
    assert found.price_per_case == 0


def test_a_tolerance_that_holds_already_changes_nothing():
    cases = cases_of(2)
    before = learn_thresholds(cases, aim_of("selection_rate", INFINITE)).difference_before
    found = learn_thresholds(cases, aim_of("selection_rate", before + 0.01))
    assert set(found.thresholds.offsets.values()) == {(0.0, 0.0, 0.0)}


def test_actions_that_do_not_count_and_the_choice_among_those_that_do_stay_as_they_are():
    cases = cases_of(3, actions=4)
    terms = Terms(selected=(0, 1), positive=0)
    found = learn_thresholds(cases, aim_of("selection_rate", 0.0, terms=terms)).thresholds
    after, before = actions_under(found, cases, terms=terms), plain(cases)
    stayed = np.isin(after, (0, 1)) == np.isin(before, (0, 1))
    assert np.count_nonzero(~stayed) > 0
    assert (after[stayed] == before[stayed]).all()


@pytest.mark.parametrize("status_quo", [0, 1])
def test_ties_held_cases_and_unknown_money_are_decided_as_the_kernel_decides_them(status_quo):
    cases = cases_of(4, count=400)
    money = cases.expected.copy()
    money[:50, 0] = 0.0
    money[50:80, 0], money[80:110, 1] = np.nan, np.nan
    own = np.full(400, status_quo, dtype=np.int8)
    odd = Foretold(money, cases.probabilities, cases.positive, own, cases.held, cases.decided_at, cases.texts)
    assert ((margins(odd, TERMS) > 0) == (plain(odd) == 0)).all()


# What they hold


@given(
    seed=st.integers(0, 30),
    equal=st.sampled_from(ONE_RATE),
    within=st.sampled_from([0.0, 0.02, 0.1]),
    right=st.booleans(),
)
@settings(deadline=None, max_examples=30)
def test_the_constraint_holds_on_the_cases_it_was_learnt_from_up_to_a_case_and_costs_money(
    seed, equal, within, right
):
    cases = cases_of(seed, right=right)
    found = learn_thresholds(cases, aim_of(equal, within), guard=0)
    smallest = min(found.cases.values())
    steps = {"selection_rate": 1 / smallest}.get(equal, 12 / smallest)
    assert found.difference_after <= within + steps
    assert found.left == max(0.0, found.difference_after - within)
    assert (
        expected_of(cases, actions_under(found.thresholds, cases)) <= expected_of(cases, plain(cases)) + 1e-9
    )


@given(seed=st.integers(0, 30), equal=st.sampled_from(EVERY), within=st.sampled_from([0.0, 0.05, 0.5]))
@settings(deadline=None, max_examples=25)
def test_groups_never_end_farther_apart_than_they_start(seed, equal, within):
    cases = cases_of(seed, right=False, wrong_by=(0.0, -1.0, 1.0))  # the money lies farther apart
    found = learn_thresholds(cases, aim_of(equal, within))
    assert found.difference_after <= found.difference_before + 0.02


@pytest.mark.parametrize("equal", ONE_RATE)
def test_rates_are_those_that_the_kernel_brings_about(equal):
    cases = cases_of(5, count=20_000)
    found = learn_thresholds(cases, aim_of(equal, 0.03))
    p = cases.probabilities[:, 0]
    weight = {"selection_rate": np.ones(p.size), "true_positive_rate": p, "false_positive_rate": 1 - p}[equal]
    rates = rates_by_group(cases, selected_under(found.thresholds, cases), weight)
    assert np.allclose(
        [found.after[name][0] for name in ("amber", "blue", "cyan")],
        rates,
        atol=1e-12 if equal == "selection_rate" else 0.02,  # p is calibrated once more within each group
    )
    assert np.ptp(rates) < 0.06 < found.difference_before


def test_no_other_thresholds_on_the_same_scale_bring_more_money_within_the_tolerance():
    cases = cases_of(6, count=160, groups=2)
    within = 0.05
    found = learn_thresholds(cases, aim_of("selection_rate", within), guard=0)
    ours = expected_of(cases, actions_under(found.thresholds, cases))
    margin = margins(cases, TERMS)
    ends = {
        name: np.append(np.unique(-margin[(cases.texts == name).to_numpy() & np.isfinite(margin)]), 1e9)
        for name in ("amber", "blue")
    }
    best = -np.inf
    for amber in ends["amber"]:
        for blue in ends["blue"]:
            tried = GroupThresholds("colour", ("colour",), {"amber": (amber, 0, 0), "blue": (blue, 0, 0)})
            rates = rates_by_group(cases, selected_under(tried, cases), np.ones(160))
            if np.ptp(rates) <= within:
                best = max(best, expected_of(cases, actions_under(tried, cases)))
    assert found.difference_after <= within
    assert ours == pytest.approx(best)


@pytest.mark.parametrize(("equal", "expected"), [("selection_rate", 0.5), ("true_positive_rate", None)])
def test_two_groups_with_normal_scores_meet_where_the_closed_form_says(equal, expected):
    """Margins are normal, 1 apart: with p the same for all, each group's money is highest halfway."""
    quantiles = np.array([NormalDist().inv_cdf((place + 0.5) / 4000) for place in range(4000)])
    margin = np.concatenate([quantiles + 0.5, quantiles - 0.5])
    count = margin.size
    half = np.full(count, 0.5)
    cases = Foretold(
        expected=np.column_stack([margin, np.zeros(count)]),
        probabilities=np.column_stack([half, half]),
        positive=np.tile([1, 0], count // 2).astype(np.int8),
        status_quo=np.ones(count, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        decided_at=np.arange(count) * DAY // 100,
        texts=pl.Series(["high"] * 4000 + ["low"] * 4000),
    )
    found = learn_thresholds(cases, aim_of(equal, 0.0), guard=0)
    assert [rate for (rate,) in found.after.values()] == pytest.approx([0.5, 0.5], abs=1e-3)
    offset = 0.5 if expected else 1.0  # what is multiplied by p = 1/2 has to be twice as large
    signs = {"high": -offset, "low": offset}
    for name, three in found.thresholds.offsets.items():
        assert sum(three) == pytest.approx(signs[name], abs=2e-3)
    density = NormalDist().pdf
    share = NormalDist().cdf(0.5)
    lost = 2 * (density(0.5) + 0.5 * share) / 2 - density(
        0.0
    )  # E[max(X, 0)] of N(1/2, 1), less both at the middle
    assert found.price_per_case == pytest.approx(lost - 0.25, abs=2e-3)


def test_a_tolerance_leaves_groups_at_its_two_ends():
    cases = cases_of(7, groups=2, count=6000)
    found = learn_thresholds(cases, aim_of("selection_rate", 0.05), guard=0)
    assert found.difference_before > 0.1
    assert found.difference_after == pytest.approx(0.05, abs=1e-3)


def test_a_guard_aims_at_less_and_costs_more():
    cases = cases_of(8)
    bare, guarded = (learn_thresholds(cases, aim_of("selection_rate", 0.1), guard=guard) for guard in (0, 1))
    assert guarded.aimed_within < bare.aimed_within == 0.1
    assert guarded.difference_after < bare.difference_after
    assert guarded.price_per_case > bare.price_per_case


def test_equal_gains_only_level_down():
    cases = cases_of(9)
    found = learn_thresholds(cases, aim_of("gain_per_case", 0.0), guard=0)
    worst = min(found.before, key=lambda name: found.before[name])
    for name, (gain,) in found.after.items():
        assert gain <= found.before[name][0] + 1e-9
        assert gain == pytest.approx(found.before[worst][0], abs=0.2)
    assert found.thresholds.offsets[worst] == (0.0, 0.0, 0.0)


def test_equalized_odds_are_reached_where_values_differ_by_case():
    cases = cases_of(10, count=20_000)
    found = learn_thresholds(cases, aim_of("equalized_odds", 0.03))
    assert found.difference_before > 0.1
    assert found.difference_after <= 0.03 + 1e-6
    assert found.left <= 1e-6


def test_equalized_odds_that_would_cost_most_of_the_gain_are_left_apart_and_said_so():
    """One group can't be told apart at all: its ROC curve is a diagonal, and meets the other at its ends."""
    dice = np.random.default_rng(0)
    told = dice.beta(0.3, 0.3, 4000)
    p = np.concatenate([told, dice.uniform(0.45, 0.62, 4000)])
    flat = np.concatenate([told, np.full(4000, 0.5)])
    count = p.size
    cases = Foretold(
        expected=np.column_stack([20 * p - 10, np.zeros(count)]),
        probabilities=np.column_stack([p, 1 - p]),
        positive=(dice.random(count) < flat).astype(np.int8),
        status_quo=np.ones(count, dtype=np.int8),
        held=np.zeros(count, dtype=bool),
        decided_at=np.arange(count) * DAY // 100,
        texts=pl.Series(["told"] * 4000 + ["flat"] * 4000),
    )
    found = learn_thresholds(cases, aim_of("equalized_odds", 0.02))
    assert found.left > 0.05
    gain = float(np.maximum(cases.expected[:, 0], 0).mean())
    assert 0 < found.price_per_case <= gain / 2


# Who gets which offset


def test_values_that_were_too_few_or_never_seen_share_an_offset():
    cases = cases_of(11, count=2000)
    names = cases.texts.to_list()
    rare = [f"rare {place // 40 % 5}" if place % 40 == 0 else name for place, name in enumerate(names)]
    mixed = Foretold(**{**vars(cases), "texts": pl.Series(rare)})
    found = learn_thresholds(mixed, aim_of("selection_rate", 0.0))
    assert OTHER in found.thresholds.offsets
    assert not any(name.startswith("rare") for name in found.thresholds.offsets)
    ones, p = np.zeros((3, 2)), np.full((3, 2), 0.5)
    adjusted = found.thresholds.adjust(
        ones, p, texts=pl.Series(["rare 1", "unheard of", OTHER]), selected=(0,), positive=0
    )
    assert len(set(adjusted[:, 0].tolist())) == 1
    assert adjusted[0, 0] == found.thresholds.offsets[OTHER][0]


def test_only_the_named_values_are_moved():
    cases = cases_of(12)
    found = learn_thresholds(cases, aim_of("selection_rate", 0.0, values=("blue",)), guard=0)
    offsets = found.thresholds.offsets
    assert offsets["amber"] == offsets["cyan"] == (0.0, 0.0, 0.0) != offsets["blue"]
    others = sorted((found.after["amber"][0], found.after["cyan"][0]))
    assert others[0] - 0.01 <= found.after["blue"][0] <= others[1] + 0.01


def test_money_is_seen_as_outcomes_of_the_group_show_it_where_they_contradict_the_model():
    wrong = cases_of(13, right=False, count=8000, groups=2)
    blind = Foretold(**{**vars(wrong), "values": None})
    told, untold = (
        learn_thresholds(each, aim_of("selection_rate", 0.01), guard=0) for each in (wrong, blind)
    )
    truth = wrong.positive
    money = [
        float(wrong.values.money(actions_under(each.thresholds, wrong), truth=1 - truth).sum())
        for each in (told, untold)
    ]
    assert told.thresholds != untold.thresholds
    assert money[0] > money[1]
    right = cases_of(15, count=8000)
    plainly = Foretold(**{**vars(right), "values": None})
    aim = aim_of("selection_rate", 0.01)
    assert learn_thresholds(right, aim).thresholds == learn_thresholds(plainly, aim).thresholds


def test_an_intersection_is_read_from_its_parts():
    found = GroupThresholds("both", ("colour", "size"), {"blue & no value": (3.0, 0.0, 0.0)})
    frame = pl.DataFrame({"size": [None, "L"], "colour": ["blue", "blue"]})
    adjusted = found.adjust(
        np.zeros((2, 2)), np.full((2, 2), 0.5), texts=found.texts(frame), selected=(1,), positive=None
    )
    assert adjusted.tolist() == [[0.0, 3.0], [0.0, 0.0]]


def test_thresholds_go_through_json_unchanged():
    found = learn_thresholds(cases_of(14), aim_of("equalized_odds", 0.05)).thresholds
    assert GroupThresholds.from_data(json.loads(json.dumps(found.to_data()))) == found
