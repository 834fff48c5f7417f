"""The learning curve: what more rows would bring is told with an interval, or refused with a reason."""

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wholeroad.adapters.learners import Constant, Logistic
from wholeroad.core.instants import DAY
from wholeroad.road.brief.values import TableValues
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.learning_curve import Answer, LearningCurve, described, learning_curve, read_curve
from wholeroad.road.model.power_law import FARTHEST, LEAST_SIZES, Points, Refused, fit_laws, forecast

SIZES = np.round(1600 * 2.0 ** (-np.arange(7, -1, -1) / 2)).astype(np.int64)
prudent = settings(deadline=None, max_examples=60)

laws = st.tuples(
    st.floats(-5, 5),  # the ceiling
    st.floats(0.05, 3),  # what is missing at the last size
    st.floats(0.25, 1.2),  # the exponent
)


def curve_of(ceiling: float, missing: float, exponent: float, rows=SIZES) -> np.ndarray:
    return ceiling - missing * (rows / SIZES[-1]) ** -exponent


def measured(truth: np.ndarray, *, noise=0.0, shared=0.0, seed=0, draws=400) -> Points:
    """Measure a curve with noise of each point and noise that all of them share, and resample it honestly."""
    dice = np.random.default_rng(seed)
    each = noise * (SIZES[-1] / SIZES[: len(truth)]) ** 0.25

    def blur(count):
        common = shared * dice.standard_normal((count, 1))
        return common + each * dice.standard_normal((count, len(truth)))

    money = truth + blur(1)[0]
    return Points(SIZES[: len(truth)], money, money + blur(draws))


# The law.


@given(law=laws)
@prudent
def test_a_law_without_noise_is_found_again(law):
    found = forecast(measured(curve_of(*law)))
    assert not isinstance(found, Refused)
    money, low, high = found.money(3200)
    assert money == pytest.approx(curve_of(*law, rows=3200), abs=0.03 * law[1])
    assert low - 1e-9 <= money <= high + 1e-9


@pytest.mark.parametrize(("noise", "shared"), [(0.01, 0.0), (0.02, 0.02), (0.03, 0.05)])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(noise, shared):
    dice = np.random.default_rng(11)
    held, told = {2: 0, 4: 0, "rows": 0}, 0
    for number in range(200):
        law = 1.0, dice.uniform(0.1, 0.4), dice.uniform(0.3, 1.0)
        found = forecast(measured(curve_of(*law), noise=noise, shared=shared, seed=number))
        if isinstance(found, Refused):
            continue
        told += 1
        for times in (2, 4):
            _, low, high = found.money(1600 * times)
            held[times] += low <= curve_of(*law, rows=1600 * times) <= high
        _, fewest, most = found.rows(float(curve_of(*law, rows=3200)))
        held["rows"] += fewest <= 3200 <= most
    assert told >= 150
    assert min(held.values()) / told >= 0.85


@given(law=laws, noise=st.floats(0, 0.3), seed=st.integers(0, 50), weight=st.floats(0.1, 10))
@prudent
def test_a_law_never_falls_and_its_rows_are_the_way_back(law, noise, seed, weight):
    points = measured(curve_of(*law), noise=noise, seed=seed, draws=20)
    found = fit_laws(points.rows, points.draws, weights=np.full(8, weight))
    money = np.array([found.at(rows) for rows in (100, 400, 1600, 6400)])
    assert (np.diff(money, axis=0) >= 0).all()
    some = found.drop > 1e-6
    target = float(np.median(money[2]))
    back = found.rows_for(target)
    hit = some & np.isfinite(back) & (back > 10) & (back < 1e5)
    for index in np.flatnonzero(hit):
        again = (
            found.ceiling[index] - found.drop[index] * (back[index] / found.unit) ** -found.exponent[index]
        )
        assert again == pytest.approx(target, abs=1e-6 * (1 + abs(target)))


# Refusals.


@given(law=laws, place=st.integers(1, 7), fall=st.floats(0.2, 2), noise=st.floats(0, 0.01))
@prudent
def test_a_curve_that_falls_is_refused(law, place, fall, noise):
    money = curve_of(*law)
    money[place] = money[place - 1] - fall
    found = forecast(measured(money, noise=noise))
    assert isinstance(found, Refused)
    assert found.reason == "falling"
    assert f"{SIZES[place]:,}" in found.happened


def test_a_dip_within_the_noise_is_no_reason_to_refuse():
    money = curve_of(1.0, 0.4, 0.5)
    money[4] = money[3] - 0.01
    assert isinstance(forecast(measured(money, noise=0.0)), Refused)
    assert not isinstance(forecast(measured(money, noise=0.05, seed=3)), Refused)


@pytest.mark.parametrize(
    ("money", "noise", "reason"),
    [
        (curve_of(1.0, 0.4, 0.5)[: LEAST_SIZES - 1], 0.0, "too-few-sizes"),
        (np.zeros(8), 0.02, "flat"),
        (np.log(SIZES) / 3, 0.001, "exponent"),
        (np.where(np.arange(8) > 0, 1.0, 0.0), 0.001, "exponent"),
        (np.repeat([0.0, 1.0], 4), 0.001, "misfit"),
    ],
    ids=["few points", "no rise", "no ceiling", "a step at once", "a step in the middle"],
)
def test_a_curve_that_no_law_describes_is_refused_with_its_reason(money, noise, reason):
    found = forecast(measured(money, noise=noise))
    assert isinstance(found, Refused)
    assert found.reason == reason
    read = read_curve(measured(money, noise=noise), required=2.0 + float(money.max()))
    assert (read.answer, read.happened) == ("refused", found.happened)


# What is read off.

RANK: dict[Answer, int] = {"reached": 0, "rows": 1, "too-far": 2, "never": 3}


@given(
    law=laws,
    noise=st.floats(0.001, 0.05),
    seed=st.integers(0, 20),
    required=st.tuples(st.floats(-6, 8), st.floats(0, 2)),
)
@prudent
def test_more_gain_never_takes_fewer_rows(law, noise, seed, required):
    points = measured(curve_of(*law), noise=noise, seed=seed)
    less, more = (read_curve(points, required=one) for one in (required[0], sum(required)))
    assume("refused" not in (less.answer, more.answer))
    assert RANK[less.answer] <= RANK[more.answer]
    assert all(few <= many for few, many in zip(less.needed, more.needed, strict=True))


@pytest.mark.parametrize(
    ("required", "answer"), [(0.3, "reached"), (0.7, "rows"), (0.9, "too-far"), (1.3, "never")]
)
def test_the_answer_follows_the_curve(required, answer):
    curve = read_curve(measured(curve_of(1.0, 0.4, 0.5), noise=0.005), required=required)
    assert curve.answer == answer
    said = "; ".join(described(LearningCurve("logistic", *_rest(curve)), "EUR"))
    assert f"{required:g} EUR per case" in said
    if answer == "rows":
        rows, least, most = curve.needed
        assert least <= rows <= most
        assert rows == pytest.approx(1600 * (0.4 / 0.3) ** 2, rel=0.15)
    if answer == "too-far":
        assert curve.needed[0] > FARTHEST * SIZES[-1]


def _rest(curve):
    return curve.points, curve.answer, curve.required, curve.needed, curve.ceiling, curve.happened


# On cases.


def cut_of(rows: int, *, columns: int = 40, seed: int = 0) -> Cut:
    """Make cases whose many columns each tell a little: learning them takes rows."""
    dice = np.random.default_rng(seed)
    table = dice.standard_normal((rows, columns))
    score = table @ np.full(columns, 2.5 / np.sqrt(columns))
    truth = (dice.random(rows) > 1 / (1 + np.exp(-score))).astype(np.int8)
    values = TableValues(np.array([[10.0, -10.0], [0.0, 0.0]]), {}, rows)
    return Cut(
        features=pl.DataFrame(table, schema=[f"x{number}" for number in range(columns)]),
        decided_at=np.arange(rows) * (DAY // 20),
        truth=truth,
        values=values,
        status_quo=np.ones(rows, dtype=np.int8),
        held=np.zeros(rows, dtype=bool),
        classes=("yes", "no"),
        actions=("act", "leave"),
    )


def curve_on(cut: Cut, *, required=2.0, seed=0, learners=None) -> LearningCurve:
    return learning_curve(
        cut,
        [Constant(), Logistic()] if learners is None else learners,
        ids=np.arange(cut.rows, dtype=np.uint64) * np.uint64(7919),
        matures=DAY,
        required=required,
        seed=seed,
    )


@pytest.fixture(scope="module")
def learnt() -> LearningCurve:
    return curve_on(cut_of(1800))


def test_the_curve_of_a_world_that_takes_rows_rises(learnt):
    assert learnt.learner == "logistic"
    assert learnt.points.money[-1] > learnt.points.money[0] + 0.2
    assert list(learnt.points.rows) == sorted(set(learnt.points.rows.tolist()))
    low, high = learnt.points.interval
    assert (low <= learnt.points.money).all()
    assert (learnt.points.money <= high).all()


def test_what_it_forecasts_is_about_what_more_rows_bring():
    found = forecast(curve_on(cut_of(1800)).points)
    assert not isinstance(found, Refused)
    many = curve_on(cut_of(5600)).points
    _, low, high = found.money(float(many.rows[-1]))
    slack = many.interval[1][-1] - many.interval[0][-1]
    assert low - slack <= many.money[-1] <= high + slack


def test_the_same_curve_comes_out_twice_and_another_seed_draws_other_subsets(learnt):
    again, other = curve_on(cut_of(1800)), curve_on(cut_of(1800), seed=1)
    assert np.array_equal(again.points.draws, learnt.points.draws)
    assert not np.array_equal(other.points.money[:-1], learnt.points.money[:-1])
    assert other.points.money[-1] == learnt.points.money[-1]


@pytest.mark.parametrize(
    ("cut", "learners", "said"),
    [
        (cut_of(90), None, "too few"),
        (cut_of(800), [Constant()], "constant"),
        (cut_of(300), None, "sizes"),
    ],
    ids=["hardly any case", "nothing to learn with", "no room for smaller subsets"],
)
def test_where_nothing_can_be_measured_it_says_so(cut, learners, said):
    curve = curve_on(cut, learners=learners)
    assert curve.answer == "refused"
    assert said in curve.happened
