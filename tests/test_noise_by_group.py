"""Label noise by group: wrong labels are found, bad luck and other base rates are not taken for them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.review.noise_by_group import noise_by_group
from wholeroad.road.review.noise_by_verdicts import (
    JudgedLabels,
    noise_by_verdicts,
    prefer_verdicts,
    weigh_judged,
)
from wholeroad.road.review.suspects import confident_joint

NAMES = ("north", "south", "west")


def logistic(score):
    return 1 / (1 + np.exp(-score))


def stream(seed, *, cases=3000, turned=0.0, shift=0.0, scale=1.0, days=60):
    """Give calibrated probabilities of a stream, and labels of which those of "north" are changed."""
    dice = np.random.default_rng(seed)
    score = dice.normal(-1.0, 1.8, cases)
    codes = dice.integers(0, 3, cases).astype(np.int32)
    north = codes == 0
    true = np.where(north, scale * (score + 1) - 1 + shift, score)
    labels = (dice.random(cases) < logistic(true)) ^ (north & (dice.random(cases) < turned))
    chance = logistic(score)
    blocks = np.sort(dice.integers(0, days, cases))
    return np.column_stack([1 - chance, chance]), labels.astype(np.int8), codes, blocks


def asked(seed, **changes):
    chances, labels, codes, blocks = stream(seed, **changes)
    return noise_by_group(chances, labels, groups=[Grouping("depot", NAMES, codes)], blocks=blocks)


def test_intervals_hold_the_true_rate_of_wrong_labels():
    for turned in (0.0, 0.05, 0.15):
        held = 0
        for seed in range(60):
            apart = asked(seed, cases=1500, turned=turned)[0].difference
            held += apart.low <= turned <= apart.high
        assert held >= 53


def test_wrong_labels_of_one_group_are_found_in_it():
    found = [asked(seed, cases=6000, turned=0.12) for seed in range(10)]
    assert sum(answers[0].clear for answers in found) >= 9
    assert sum(answers[1].clear and answers[1].difference.value > 0 for answers in found) == 0
    assert np.mean([answers[0].difference.value for answers in found]) == pytest.approx(0.12, abs=0.02)


@pytest.mark.parametrize("change", [{"shift": 0.8}, {"shift": -0.8}, {"scale": 0.75}])
def test_another_base_rate_or_worse_luck_is_no_noise(change):
    clear = sum(any(one.clear for one in asked(seed, **change)) for seed in range(40))
    assert clear <= 5


def test_confident_learning_alone_takes_luck_for_noise_and_this_does_not():
    # A group whose outcome is hard to foretell, with probabilities that say so: nothing is wrong.
    dice = np.random.default_rng(1)
    codes = np.repeat([0, 1], 3000).astype(np.int32)
    chance = logistic(np.where(codes == 0, 0.5, 4.0) * dice.normal(size=6000))
    labels = (dice.random(6000) < chance).astype(np.int8)
    chances = np.column_stack([1 - chance, chance])
    counted = [1 - np.trace(confident_joint(chances[codes == at], labels[codes == at])) for at in (0, 1)]
    assert counted[0] > counted[1] + 0.2
    blocks = dice.permutation(6000) % 50
    found = noise_by_group(chances, labels, groups=[Grouping("depot", NAMES[:2], codes)], blocks=blocks)
    assert not any(one.clear for one in found)
    assert abs(found[0].difference.value) < 0.1


def test_three_classes_are_asked_together():
    dice = np.random.default_rng(3)
    cases = 9000
    raw = np.exp(1.5 * dice.normal(size=(cases, 3)))
    chances = raw / raw.sum(axis=1, keepdims=True)
    labels = (dice.random(cases)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    codes = (np.arange(cases) % 3).astype(np.int32)
    turned = (codes == 1) & (dice.random(cases) < 0.15)
    labels = np.where(turned, (labels + dice.integers(1, 3, cases)) % 3, labels).astype(np.int8)
    found = noise_by_group(
        chances, labels, groups=[Grouping("depot", NAMES, codes)], blocks=np.arange(cases) // 150
    )
    assert found[1].clear
    assert found[1].difference.low <= 0.15 <= found[1].difference.high
    assert not any(one.clear and one.difference.value > 0 for one in (found[0], found[2]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(20, 400))
def test_the_order_of_cases_and_the_names_of_groups_play_no_part(seed, cases):
    chances, labels, codes, blocks = stream(seed, cases=cases, turned=0.1)
    mixed = np.random.default_rng(seed).permutation(cases)
    one = noise_by_group(chances, labels, groups=[Grouping("depot", NAMES, codes)], blocks=blocks)
    names = tuple(reversed(NAMES))
    other = noise_by_group(
        chances[mixed],
        labels[mixed],
        groups=[Grouping("depot", names, 2 - codes[mixed])],
        blocks=blocks[mixed],
    )
    for first, second in zip(one, reversed(other), strict=True):
        assert (first.value, first.cases, first.enough) == (second.value, second.cases, second.enough)
        if first.enough:
            assert first.difference.value == pytest.approx(second.difference.value, abs=1e-6)
            assert first.standard_error == pytest.approx(second.standard_error, rel=1e-6)
            assert first.difference.low <= first.difference.value <= first.difference.high


def test_too_few_cases_or_days_leave_everything_open():
    small = asked(1, cases=60)[0]
    assert not small.enough
    assert small.difference.high == np.inf
    assert not any(one.enough for one in asked(1, days=3))


def test_a_single_group_has_nobody_to_be_compared_with():
    chances, labels, _, blocks = stream(1)
    alone = Grouping("depot", ("all",), np.zeros(labels.size, dtype=np.int32))
    assert noise_by_group(chances, labels, groups=[alone], blocks=blocks) == ()


def judged(seed, *, rates, shown=400, cases=20_000, drawn=300):
    """Give verdicts on a sheet: suspects are wrong half of the time, all others by the group's rate."""
    dice = np.random.default_rng(seed)
    codes = (dice.random(cases) < 0.4).astype(np.int32)
    wrong = dice.random(cases) < np.array(rates)[codes]
    suspicion = dice.random(cases) + 0.7 * wrong
    suspects = np.argsort(-suspicion)[:shown]
    others = np.setdiff1d(np.arange(cases), suspects)
    looked = np.concatenate([suspects[::2], dice.choice(others, drawn, replace=False)])
    kind = ["suspect"] * shown + ["drawn"] * drawn
    done = np.concatenate([np.arange(shown) % 2 == 0, np.ones(drawn, dtype=bool)])
    weight = weigh_judged(kind, done, cases=cases)[done]
    assert weight.sum() == pytest.approx(cases)
    blocks = dice.integers(0, 30, looked.size)
    return JudgedLabels({"depot": codes[looked]}, wrong[looked], weight, blocks), codes, wrong


def test_verdicts_tell_the_share_of_wrong_labels_though_suspects_are_looked_at_more():
    held, values = 0, []
    for seed in range(80):
        some, codes, wrong = judged(seed, rates=(0.05, 0.20))
        found = noise_by_verdicts(some, [Grouping("depot", NAMES[:2], codes)])
        truth = wrong[codes == 1].mean()
        held += found[1].figure.low <= truth <= found[1].figure.high
        values.append(found[1].figure.value - truth)
    assert abs(np.mean(values)) < 0.012
    assert held >= 70


def test_flags_alone_are_no_sample():
    done = np.array([True, True, False])
    assert weigh_judged(["suspect", "suspect", "drawn"], done, cases=50).tolist() == [0, 0, 0]
    none = JudgedLabels({"depot": np.zeros(3, dtype=np.int32)}, done, np.zeros(3), np.zeros(3, dtype=int))
    assert noise_by_verdicts(none, [Grouping("depot", NAMES[:2], np.zeros(3, dtype=np.int32))]) == ()


def test_people_stand_over_the_model_where_they_looked_at_enough():
    some, codes, _ = judged(1, rates=(0.05, 0.20))
    by_people = noise_by_verdicts(some, [Grouping("depot", NAMES[:2], codes)])
    by_model = asked(1)
    told = prefer_verdicts(by_model, by_people)
    assert [one.value for one in told] == ["north", "south", "west"]
    assert told[1] == by_people[1]
    assert told[2] == by_model[2]
