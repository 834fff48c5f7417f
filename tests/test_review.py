"""Suspect labels, agreement and consensus: published examples, laws, and known truths that are recovered."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from wholeroad.core.instants import DAY
from wholeroad.road.review.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from wholeroad.road.review.consensus import (
    LEAST_SHARED,
    confusion_intervals,
    dawid_skene,
    majority,
)
from wholeroad.road.review.intervals import share_of
from wholeroad.road.review.suspects import (
    class_thresholds,
    confident_joint,
    estimate_noise,
    find_suspects,
)
from wholeroad.road.review.votes import Votes

# Suspects


LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1], dtype=np.int8)
SURE = np.array([0.1, 0.2, 0.9, 0.0, 0.8, 0.6, 0.1, 0.9])
"""The probability of class 1; cases 2 and 6 are labelled against it."""


def two(positive):
    return np.column_stack([1 - positive, positive])


def test_thresholds_joint_and_suspects_of_a_small_case_are_those_computed_by_hand():
    probabilities = two(SURE)
    # The means of 0.9, 0.8, 0.1 and 1.0, and of 0.8, 0.6, 0.1 and 0.9.
    assert class_thresholds(probabilities, LABELS) == pytest.approx([0.7, 0.6])
    # Every case is confidently of one class: 3 of 4 by their label, 1 of 4 against it.
    assert confident_joint(probabilities, LABELS) == pytest.approx(np.array([[3, 1], [1, 3]]) / 8)
    for prune in ("noise-rate", "class", "both"):
        found = find_suspects(probabilities, LABELS, prune=prune)
        assert found.positions.tolist() == [2, 6]
        assert found.suggested.tolist() == [1, 0]
        assert found.chance == pytest.approx([0.9, 0.9])


def test_the_joint_is_scaled_to_the_labels_where_few_cases_are_confident():
    positive = np.array([0.1, 0.2, 0.3, 0.9, 0.7, 0.8])
    labels = np.array([0, 0, 0, 0, 1, 1], dtype=np.int8)
    # Thresholds: (0.9 + 0.8 + 0.7 + 0.1) / 4 = 0.625 and 0.75. Confident: 3 as 0 and 1 as 1 of label 0; of
    # label 1 only the second, as 1. Scaled to 4 and 2 labels of 6.
    expected = np.array([[3 / 4 * 4 / 6, 1 / 4 * 4 / 6], [0, 2 / 6]])
    assert confident_joint(two(positive), labels) == pytest.approx(expected)
    assert find_suspects(two(positive), labels).positions.tolist() == [3]


def test_of_several_classes_the_likeliest_counts_of_which_a_case_is_confident():
    positive = np.array([0.05, 0.05, 0.4, 0.3, 0.45])
    labels = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    # Thresholds: (0.95 + 0.95 + 0.6) / 3 = 0.833 and 0.375. Case 2 is likelier of class 0, and
    # confidently only of 1; case 3 of nothing.
    assert confident_joint(two(positive), labels) == pytest.approx(np.array([[2, 1], [0, 2]]) / 5)
    assert find_suspects(two(positive), labels).positions.tolist() == [2]


def test_the_money_of_a_mistake_comes_before_its_probability():
    stakes = np.zeros((8, 2))
    stakes[2] = [0, 10]
    stakes[6] = [0, 500]
    found = find_suspects(two(SURE), LABELS, stakes=stakes)
    assert found.positions.tolist() == [6, 2]
    assert found.money.tolist() == [500, 10]
    assert found.score == pytest.approx([450, 9])
    assert found.first(1).positions.tolist() == [6]


@st.composite
def labelled(draw):
    classes = draw(st.integers(2, 4))
    count = draw(st.integers(1, 60))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    probabilities = dice.dirichlet(np.ones(classes) * draw(st.sampled_from([0.3, 1.0, 5.0])), count)
    return probabilities, dice.integers(0, classes, count).astype(np.int8)


@given(labelled())
@settings(deadline=None, max_examples=150)
def test_the_joint_sums_to_the_shares_of_the_labels(case):
    probabilities, labels = case
    joint = confident_joint(probabilities, labels)
    classes = probabilities.shape[1]
    assert (joint >= 0).all()
    assert joint.sum(axis=1) == pytest.approx(np.bincount(labels, minlength=classes) / labels.size)


@given(labelled(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=150)
def test_the_order_of_cases_and_the_names_of_classes_change_no_suspect(case, seed):
    probabilities, labels = case
    dice = np.random.default_rng(seed)
    cases, classes = dice.permutation(labels.size), dice.permutation(probabilities.shape[1])
    names = np.argsort(classes).astype(np.int8)
    was = find_suspects(probabilities, labels)
    found = find_suspects(probabilities[cases][:, classes], names[labels[cases]])
    told = dict(zip(cases[found.positions].tolist(), classes[found.suggested].tolist(), strict=True))
    assert told == dict(zip(was.positions.tolist(), was.suggested.tolist(), strict=True))


@given(labelled())
@settings(deadline=None, max_examples=150)
def test_what_both_suspect_each_suspects_and_nobody_suggests_the_given_label(case):
    found = {prune: find_suspects(*case, prune=prune) for prune in ("noise-rate", "class", "both")}
    sets = {prune: set(each.positions.tolist()) for prune, each in found.items()}
    assert sets["both"] == sets["noise-rate"] & sets["class"]
    for each in found.values():
        assert (each.given != each.suggested).all()
        assert (each.given == case[1][each.positions]).all()
        assert (np.diff(each.score) <= 0).all()


@given(labelled())
@settings(deadline=None, max_examples=50)
def test_a_model_that_is_right_and_one_that_says_always_the_same_suspect_nobody(case):
    probabilities, labels = case
    right = np.eye(probabilities.shape[1])[labels]
    assert find_suspects(right, labels).positions.size == 0
    same = np.repeat(probabilities[:1], labels.size, axis=0)
    assert find_suspects(same, labels).positions.size == 0


def noisy(*, count=6000, share=0.06, seed=0):
    dice = np.random.default_rng(seed)
    positive = 1 / (1 + np.exp(-dice.normal(0, 4, count)))
    true = (dice.random(count) < positive).astype(np.int8)
    wrong = dice.random(count) < share
    return two(positive), np.where(wrong, 1 - true, true).astype(np.int8), wrong


def test_noise_that_was_planted_is_estimated_and_found():
    probabilities, labels, wrong = noisy()
    decided_at = np.arange(labels.size) * (200 * DAY // labels.size)
    noise = estimate_noise(probabilities, labels, decided_at=decided_at, seed=1)
    assert noise.share.low <= noise.share.value <= noise.share.high
    # Beside the planted ones there are cases that came out against the odds: those too look wrong.
    assert 0.04 < noise.share.value < 0.12
    assert noise.share.high - noise.share.low < 0.05
    assert noise.blocks == 29
    found = find_suspects(probabilities, labels)
    hits = wrong[found.positions].sum()
    assert hits / wrong.sum() > 0.5
    assert hits / found.positions.size > 0.4
    again = estimate_noise(probabilities, labels, decided_at=decided_at, seed=1)
    assert again == noise


def test_with_too_few_blocks_of_time_the_noise_may_be_anything():
    probabilities, labels, _ = noisy(count=500)
    noise = estimate_noise(probabilities, labels, decided_at=np.zeros(500, dtype=np.int64), seed=1)
    assert (noise.share.low, noise.share.high) == (0.0, 1.0)
    assert {(one.low, one.high) for one in noise.rates.values()} == {(0.0, 1.0)}


# Agreement


def ratings(*people):
    rows = [[-1 if mark == "." else int(mark) - 1 for mark in text.split()] for text in people]
    return np.array(rows).T


KRIPPENDORFF = ratings(
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
"""Krippendorff 2011, section C: four observers, twelve units, some not judged."""


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_krippendorff_s_own_example(level, published):
    found = krippendorff_alpha(KRIPPENDORFF, classes=5, level=level, values=[1, 2, 3, 4, 5])
    assert found.coefficient.value == pytest.approx(published, abs=0.0005)
    # Forty values pair up in eleven units; the twelfth has one value alone.
    assert found.coefficient.n == 11


def pairs_of(table):
    table = np.array(table)
    rows, columns = np.indices(table.shape)
    return np.repeat(rows.ravel(), table.ravel()), np.repeat(columns.ravel(), table.ravel())


def test_cohen_s_own_example():
    # Cohen 1960, table 1: 200 patients, agreement 0.70, by chance 0.41, kappa 0.492.
    found = cohen_kappa(*pairs_of([[88, 14, 18], [10, 40, 10], [2, 6, 12]]), classes=3)
    assert found.raw.value == pytest.approx(0.70)
    assert found.chance == pytest.approx(0.41)
    assert found.coefficient.value == pytest.approx(0.492, abs=0.0005)
    # The large-sample error there is 0.05; the interval is about twice that to each side.
    assert found.coefficient.low == pytest.approx(0.39, abs=0.02)
    assert found.coefficient.high == pytest.approx(0.59, abs=0.02)


def test_the_usual_example_of_fleiss_kappa():
    # Fourteen raters, ten subjects, five categories: 0.210 (the worked example of most textbooks).
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    found = fleiss_kappa(np.array(counts))
    assert found.coefficient.value == pytest.approx(0.210, abs=0.0005)
    assert found.raw.value == pytest.approx(0.378, abs=0.0005)
    assert found.chance == pytest.approx(0.213, abs=0.0005)
    with pytest.raises(ValueError, match="as many verdicts"):
        fleiss_kappa(np.array([[1, 1], [2, 1]]))


def test_high_agreement_can_go_with_a_low_kappa():
    # Feinstein and Cicchetti 1990: as often of one mind, but nearly all items of one class.
    even = cohen_kappa(*pairs_of([[40, 9], [6, 45]]), classes=2)
    lopsided = cohen_kappa(*pairs_of([[80, 10], [5, 5]]), classes=2)
    assert even.raw.value == lopsided.raw.value == pytest.approx(0.85)
    assert even.coefficient.value == pytest.approx(0.70, abs=0.005)
    assert lopsided.coefficient.value == pytest.approx(0.32, abs=0.005)


@given(
    st.integers(2, 5),
    st.integers(4, 60),
    st.integers(0, 2**32),
    st.sampled_from([None, "linear", "quadratic"]),
)
@settings(deadline=None, max_examples=40)
def test_cohen_s_kappa_equals_that_of_scikit_learn(classes, count, seed, weights):
    dice = np.random.default_rng(seed)
    one = dice.integers(0, classes, count)
    two_ = np.where(dice.random(count) < 0.6, one, dice.integers(0, classes, count))
    if np.unique(np.concatenate([one, two_])).size < 2:
        return
    found = cohen_kappa(one, two_, classes=classes, weights=weights)
    expected = cohen_kappa_score(one, two_, labels=range(classes), weights=weights)
    assert found.coefficient.value == pytest.approx(expected)
    assert found.coefficient.low <= found.coefficient.value <= found.coefficient.high


@st.composite
def judged(draw):
    classes, people, items = draw(st.integers(2, 4)), draw(st.integers(2, 5)), draw(st.integers(3, 25))
    dice = np.random.default_rng(draw(st.integers(0, 2**32)))
    true = dice.integers(0, classes, items)
    said = dice.integers(0, classes, (items, people))
    matrix = np.where(dice.random((items, people)) < 0.7, true[:, None], said)
    matrix[dice.random((items, people)) < draw(st.sampled_from([0.0, 0.3]))] = -1
    return matrix, classes


@given(judged(), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_alpha_doesn_t_hang_on_the_order_of_items_people_or_classes(case, seed):
    matrix, classes = case
    dice = np.random.default_rng(seed)
    names = np.append(dice.permutation(classes), -1)
    other = names[matrix[dice.permutation(len(matrix))][:, dice.permutation(matrix.shape[1])]]
    one, two_ = (krippendorff_alpha(each, classes=classes).coefficient.value for each in (matrix, other))
    assert one == pytest.approx(two_, nan_ok=True)


def test_who_always_agrees_has_one_and_an_interval_that_stays_open():
    same = np.tile(np.array([0, 1, 0, 1, 1, 0, 0, 1]), (2, 1)).T
    for found in (krippendorff_alpha(same, classes=2), cohen_kappa(same[:, 0], same[:, 1], classes=2)):
        assert (found.coefficient.value, found.coefficient.high) == (1.0, 1.0)
        assert -1 <= found.coefficient.low < 0.6
    alone = krippendorff_alpha(np.zeros((5, 2), dtype=int), classes=2)
    assert math.isnan(alone.coefficient.value)
    assert alone.raw.value == 1.0
    nothing = krippendorff_alpha(np.array([[0, -1], [-1, 1]]), classes=2)
    assert nothing.coefficient.n == 0
    assert math.isnan(nothing.coefficient.value)


def test_few_items_of_a_rare_class_don_t_make_a_kappa_sure():
    dice = np.random.default_rng(1)
    right, share = 0.85, 0.1
    both = right**2 + (1 - right) ** 2
    said = share * right + (1 - share) * (1 - right)
    chance = said**2 + (1 - said) ** 2
    kappa = (both - chance) / (1 - chance)
    missed = 0
    for seed in range(100):
        true = dice.random(20) < share
        one, two = (np.where(dice.random(20) < right, true, ~true).astype(np.int64) for _ in range(2))
        found = cohen_kappa(one, two, classes=2, seed=seed).coefficient
        missed += not found.low <= kappa <= found.high
    assert missed <= 8


# Consensus


ANAESTHETISTS = """
111 1 1 1 1|333 4 3 3 4|112 2 1 2 2|222 3 1 2 1|222 3 2 2 2|222 3 3 2 2|122 2 1 1 1|333 3 4 3 3|222 2 2 2 3
232 2 2 2 3|444 4 4 4 4|222 3 3 4 3|111 1 1 1 1|222 3 2 1 2|121 1 1 1 1|111 2 1 1 1|111 1 1 1 1|111 1 1 1 1
222 2 2 2 1|222 1 3 2 2|222 2 2 2 2|222 2 2 2 1|222 3 2 2 2|221 2 2 2 2|111 1 1 1 1|111 1 1 1 1|232 2 2 2 2
111 1 1 1 1|111 1 1 1 1|112 1 1 2 1|111 1 1 1 1|333 3 2 3 3|111 1 1 1 1|222 2 2 2 2|222 3 2 3 2|433 4 3 4 3
221 2 2 3 2|232 3 2 3 3|333 3 4 3 2|111 1 1 1 1|111 1 1 1 1|121 2 1 1 1|232 2 2 2 2|121 1 1 1 1|222 2 2 2 2
"""
"""Dawid and Skene 1979, table 1: 45 patients, five anaesthetists, the first of whom judged three times."""


def anaesthetists():
    patients = ANAESTHETISTS.strip().replace("\n", "|").split("|")
    triples = [
        (patient, person, int(mark) - 1)
        for patient, row in enumerate(patients)
        for person, marks in enumerate(row.split())
        for mark in marks
    ]
    return Votes(*np.array(triples).T, items=45, people=5, classes=4)


def test_dawid_and_skene_s_own_example():
    found = dawid_skene(anaesthetists(), smoothing=0)
    assert found.converged
    # Their tables 2 and 4, as printed: two decimals.
    assert found.prior == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert found.confusion[0] == pytest.approx(np.array(first), abs=0.006)
    # Patients 3 and 14 are of class 2, 36 of class 4; about 38 there is a doubt of two in a hundred.
    assert (found.codes[[2, 13, 35]] + 1).tolist() == [2, 2, 4]
    assert found.posterior[37] == pytest.approx([0, 0.02, 0.98, 0], abs=0.005)


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_consensus_doesn_t_hang_on_the_order_of_items_people_or_classes(seed):
    # With a handful of items a tie can be a saddle, from which rounding alone chooses the way.
    matrix, classes = crowd(items=120, seed=seed)[0].matrix(), 3
    dice = np.random.default_rng(seed)
    names = dice.permutation(classes)
    items, people = dice.permutation(len(matrix)), dice.permutation(matrix.shape[1])
    other = np.append(names, -1)[matrix[items][:, people]]
    for one_coin in (False, True):
        was = dawid_skene(Votes.of_matrix(matrix, classes), one_coin=one_coin)
        found = dawid_skene(Votes.of_matrix(other, classes), one_coin=one_coin)
        assert found.log_likelihood == pytest.approx(was.log_likelihood, rel=1e-6)
        assert found.posterior[:, names] == pytest.approx(was.posterior[items], abs=1e-3)
        assert found.confusion[:, names][:, :, names] == pytest.approx(was.confusion[people], abs=1e-3)


@given(st.integers(2, 5), st.integers(3, 6), st.integers(5, 30), st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_where_all_are_of_one_mind_so_is_the_consensus(classes, people, items, seed):
    true = np.random.default_rng(seed).integers(0, classes, items)
    votes = Votes.of_matrix(np.tile(true[:, None], (1, people)), classes)
    assert majority(votes).tolist() == true.tolist()
    for one_coin in (False, True):
        found = dawid_skene(votes, one_coin=one_coin)
        assert found.codes.tolist() == true.tolist()
        assert found.posterior.max(axis=1).min() > 0.95


def crowd(*, items, people=5, classes=3, seed=0, missing=0.2):
    dice = np.random.default_rng(seed)
    confusion = np.full((people, classes, classes), 0.0)
    for person in range(people):
        right = 0.55 + 0.4 * person / max(1, people - 1)
        confusion[person] = (1 - right) * dice.dirichlet(np.ones(classes), classes)
        confusion[person] += right * np.eye(classes)
    true = dice.choice(classes, items, p=[0.5, 0.3, 0.2])
    sums = confusion.cumsum(axis=2)
    said = (dice.random((items, people, 1)) > sums[np.arange(people), true[:, None]]).sum(axis=2)
    said[dice.random((items, people)) < missing] = -1
    return Votes.of_matrix(said, classes), confusion, true


def test_known_confusion_matrices_are_recovered():
    inside, errors = [], []
    for seed in range(3):
        votes, confusion, true = crowd(items=1000, seed=seed)
        found = dawid_skene(votes)
        errors.append(np.abs(found.confusion - confusion))
        low, high = confusion_intervals(votes, found, seed=seed)
        inside.append((low <= confusion) & (confusion <= high))
        assert found.converged
        assert (found.codes == true).mean() > (majority(votes) == true).mean()
    # Stated: with 1,000 items and five people a cell is off by 0.02 on average, and by 0.1 at most.
    assert np.mean(errors) < 0.02
    assert np.max(errors) < 0.1
    assert np.mean(inside) > 0.9


def test_one_coin_needs_fewer_verdicts_where_it_holds():
    dice = np.random.default_rng(3)
    right = np.array([0.55, 0.65, 0.75, 0.85, 0.95])
    true = dice.integers(0, 3, 120)
    wrong = (true[:, None] + dice.integers(1, 3, (120, 5))) % 3
    votes = Votes.of_matrix(np.where(dice.random((120, 5)) < right, true[:, None], wrong), 3)
    one, full = dawid_skene(votes, one_coin=True), dawid_skene(votes)
    known = np.where(np.eye(3)[None] > 0, right[:, None, None], (1 - right[:, None, None]) / 2)
    assert np.abs(one.confusion - known).mean() < np.abs(full.confusion - known).mean()
    assert np.abs(np.diagonal(one.confusion, axis1=1, axis2=2)[:, 0] - right).max() < 0.12


def test_without_a_third_opinion_nothing_is_said_of_people():
    votes, _, _ = crowd(items=200, people=2, missing=0.0)
    found = dawid_skene(votes)
    assert not found.told.any()
    low, high = confusion_intervals(votes, found, seed=1)
    assert (low == 0).all()
    assert (high == 1).all()
    shared = np.full((40, 4), -1)
    shared[:, :3] = 0
    shared[: LEAST_SHARED - 1, 3] = 0
    assert dawid_skene(Votes.of_matrix(shared, 2)).told.tolist() == [True, True, True, False]


def test_nobody_is_believed_on_a_tie_or_without_a_verdict():
    votes = Votes.of_matrix(np.array([[0, 1], [1, 1], [-1, -1]]), 2)
    assert majority(votes).tolist() == [-1, 1, -1]
    assert dawid_skene(votes).codes[2] == -1


def test_of_several_verdicts_by_one_person_the_last_stands_in_the_matrix():
    votes = Votes(np.array([0, 0]), np.array([0, 0]), np.array([1, 0]), 1, 1, 2)
    assert votes.matrix().tolist() == [[0]]
    assert votes.counts().tolist() == [[1, 1]]


@given(st.integers(0, 200), st.integers(1, 200))
@settings(deadline=None, max_examples=60)
def test_wilson_s_interval_holds_its_share_and_stays_open(hits, n):
    hits = min(hits, n)
    found = share_of(hits, n)
    assert 0 <= found.low <= hits / n <= found.high <= 1
    assert found.low < found.high


def test_no_verdict_at_all_is_no_vote_and_no_error():
    nothing = pl.DataFrame(
        {"item": ["x"], "by": ["y"], "verdict": [None]}, schema_overrides={"verdict": pl.String}
    )
    for frame in (nothing, nothing.clear()):
        votes, items, people = Votes.of_frame(frame, ("a", "b"))
        assert votes.matrix().shape == (0, 0)
        assert votes.counts().shape == (0, 2)
        assert items == people == []
