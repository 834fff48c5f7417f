"""Laws of the model stage: encoding, slices, calibration, deciding, choosing, fitting, the card."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wholeroad.adapters.learners import NAMES, make_learners
from wholeroad.core.errors import RoadError, UserError
from wholeroad.core.instants import DAY
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.model.calibration import Calibration, fit_calibration, identity, log_loss
from wholeroad.road.model.card import card
from wholeroad.road.model.deciding import decide
from wholeroad.road.model.encoding import MOST_CATEGORIES, Encoder, fit_encoder
from wholeroad.road.model.fitting import Trial
from wholeroad.road.model.rules import Contender, area_under_roc, choose, paired_difference
from wholeroad.road.model.slices import LEAST_ROWS, slice_by_time
from wholeroad.road.model.work import STATUS_QUO, Cut, FitRefused, Fitted, Model, fit

LEARNERS = make_learners(NAMES, threads=1)
quick = settings(max_examples=60, deadline=None)


def make_cut(
    rows: int = 1500, *, classes: int = 2, signal: float = 2.0, days: int = 60, seed: int = 0
) -> Cut:
    """Cases whose outcome depends on a number and a text, with nulls, a constant and an empty column."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    place = rng.integers(0, 5, rows)
    score = signal * number + signal * (place == 2) + rng.normal(size=rows)
    bounds = np.quantile(score, np.arange(1, classes) / classes) if rows else np.zeros(classes - 1)
    truth = np.searchsorted(bounds, score).astype(np.int8)
    features = pl.DataFrame(
        {
            "number": pl.Series([None if i % 11 == 0 else x for i, x in enumerate(number.tolist())]),
            "place": pl.Series([None if i % 7 == 0 else f"p{code}" for i, code in enumerate(place.tolist())]),
            "flag": number > 1,
            "count": rng.integers(0, 9, rows),
            "constant": np.ones(rows),
            "empty": pl.Series([None] * rows, dtype=pl.Float64),
        }
    )
    actions = classes
    values = np.where(np.eye(actions, classes), 10.0, -4.0)[None] * rng.uniform(0.5, 1.5, (rows, 1, 1))
    return Cut(
        features=features,
        decided_at=np.sort(rng.integers(0, days * DAY, rows)),
        truth=truth,
        values=TableValues.per_case(values),
        status_quo=np.zeros(rows, dtype=np.int8),
        held=np.zeros(rows, dtype=bool),
        classes=tuple(f"class {c}" for c in range(classes)),
        actions=tuple(f"action {a}" for a in range(actions)),
    )


def run(cut: Cut, *names: str, matures: int = DAY, least: int = 50, progress=None) -> Fitted | FitRefused:
    chosen = [LEARNERS[name] for name in names or NAMES]
    return fit(cut, chosen, cut_at=90 * DAY, matures=matures, least_outcomes=least, progress=progress)


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request) -> tuple[Cut, Fitted]:
    cut = make_cut(classes=request.param)
    result = run(cut)
    assert isinstance(result, Fitted)
    assert result.model is not None
    return cut, result


def each_model(cut: Cut) -> list[Model]:
    """Give a model of every learner, calibrated away from the identity."""
    encoder = fit_encoder(cut.features)
    matrix = encoder.encode(cut.features)
    classes = len(cut.classes)
    return [
        Model(
            encoder=encoder,
            learner=name,
            scorer=learner.fit(matrix, cut.truth, classes=classes, rounds=20)[0],
            calibration=Calibration(0.7, tuple(0.1 * c for c in range(classes))),
            classes=cut.classes,
            actions=cut.actions,
        )
        for name, learner in LEARNERS.items()
    ]


# ---- the model as a value


@pytest.mark.parametrize("classes", [2, 3])
def test_one_row_equals_bulk_to_the_last_bit(classes):
    cut = make_cut(400, classes=classes)
    for model in each_model(cut):
        bulk = model.probabilities(cut.features)
        single = np.vstack([model.probabilities(cut.features[row]) for row in range(400)])
        assert np.array_equal(single, bulk), model.learner
        actions, expected = decide(cut.values.expected(bulk), status_quo=cut.status_quo)
        for row in range(0, 400, 7):
            one = slice(row, row + 1)
            action, money = decide(cut.values.take(one).expected(single[one]), status_quo=cut.status_quo[one])
            assert action[0] == actions[row]
            assert money[0] == expected[row]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_model_reads_back_from_its_bytes_to_the_bit(classes):
    cut = make_cut(400, classes=classes)
    for model in each_model(cut):
        data = model.to_bytes()
        again = Model.from_bytes(data, LEARNERS)
        assert again.to_bytes() == data
        assert again.digest == model.digest
        assert (again.classes, again.actions) == (cut.classes, cut.actions)
        assert np.array_equal(again.probabilities(cut.features), model.probabilities(cut.features))


def test_a_damaged_or_foreign_model_is_refused():
    model = each_model(make_cut(100))[NAMES.index("logistic")]
    data = model.to_bytes()
    newer = data.replace(b'"format":1', b'"format":9')
    for broken in (
        b"",
        b"PK\x03\x04",
        data[:-1],
        data[:40],
        newer,
        data.replace(b"logistic", b"logistik", 1),
    ):
        with pytest.raises(RoadError) as caught:
            Model.from_bytes(broken, LEARNERS)
        assert caught.value.code == "model.unreadable"


def test_the_order_of_columns_does_not_matter(fitted):
    cut, result = fitted
    turned = cut.features.select(reversed(cut.features.columns))
    assert np.array_equal(result.model.probabilities(turned), result.model.probabilities(cut.features))
    with pytest.raises(RoadError, match=r"model\.column-missing"):
        result.model.probabilities(cut.features.drop("number"))


def test_strange_rows_are_scored(fitted):
    cut, result = fitted
    strange = pl.DataFrame(
        {
            "number": [None, float("inf"), float("nan"), -1e308],
            "place": ["never seen", None, "", "p2"],
            "flag": [None, True, False, None],
            "count": [None, 10**15, -1, 0],
        }
    )
    nulls = pl.DataFrame({name: [None, None] for name in cut.features.columns})
    for frame in (strange, nulls, cut.features.clear()):
        probabilities = result.model.probabilities(frame)
        assert probabilities.shape == (frame.height, len(cut.classes))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_fit_depends_on_neither_threads_nor_earlier_fits():
    cut = make_cut(800)
    results = []
    for threads in (1, 2):
        learners = list(make_learners(NAMES, threads=threads).values())
        results.append(fit(cut, learners, cut_at=90 * DAY, matures=DAY, least_outcomes=50))
    assert {result.model.digest for result in results} == {results[0].model.digest}
    assert all(result.report == results[0].report for result in results)


# ---- encoding


def test_encoding_of_each_kind():
    frame = pl.DataFrame(
        {
            "text": ["b", "a", None, "b"],
            "kind": pl.Series(["x", "y", "x", None], dtype=pl.Categorical),
            "flag": [True, None, False, True],
            "number": [1, 2, None, 4],
            "real": [float("inf"), float("nan"), -0.5, 0.5],
        }
    )
    encoder = fit_encoder(frame)
    matrix = encoder.encode(frame)
    nan = np.nan
    expected = [[1, 0, nan, 1], [0, 1, 0, nan], [1, nan, 0, 1], [1, 2, nan, 4], [nan, nan, -0.5, 0.5]]
    np.testing.assert_array_equal(matrix.values.T, np.array(expected))
    assert matrix.categories == (2, 2, 0, 0, 0)
    assert matrix.values.flags.f_contiguous
    assert (
        encoder.encode(pl.DataFrame({**frame[:1].to_dict(as_series=False), "text": ["z"]})).values[0, 0] == 2
    )


def test_columns_that_tell_nothing_are_left_out_with_the_reason():
    frame = pl.DataFrame(
        {
            "null": pl.Series([None, None], dtype=pl.String),
            "one": ["a", "a"],
            "same": [2.0, 2.0],
            "infinite": [float("inf"), float("nan")],
            "day": pl.Series([0, 1]).cast(pl.Date),
            "sometimes": [None, 2.0],
        }
    )
    encoder = fit_encoder(frame)
    assert [column.name for column in encoder.columns] == ["sometimes"]
    assert dict(encoder.left_out) == {
        "null": "every value is null",
        "one": "constant",
        "same": "constant",
        "infinite": "no value is a finite number",
        "day": "Date is no number, boolean or text",
    }
    assert Encoder.from_data(json.loads(json.dumps(encoder.to_data()))) == encoder


def test_only_the_most_frequent_categories_are_kept():
    texts = [f"t{i:04d}" for i in range(MOST_CATEGORIES + 45)] + ["t0299", "t0298"]
    encoder = fit_encoder(pl.DataFrame({"text": texts}))
    categories = encoder.columns[0].categories
    assert len(categories) == MOST_CATEGORIES
    assert {"t0298", "t0299", "t0000"} <= set(categories)
    assert "t0297" not in categories
    assert encoder.encode(pl.DataFrame({"text": ["t0297"]})).values[0, 0] == MOST_CATEGORIES


@quick
@given(st.lists(st.sampled_from(["a", "b", "ä", "", "Z", None]), min_size=2, max_size=30), st.randoms())
def test_encoding_does_not_depend_on_the_order_of_rows(texts, random):
    shuffled = list(texts)
    random.shuffle(shuffled)
    frame, other = (
        pl.DataFrame({"t": texts}, {"t": pl.String}),
        pl.DataFrame({"t": shuffled}, {"t": pl.String}),
    )
    assert fit_encoder(frame).columns == fit_encoder(other).columns


# ---- slices

instants = st.lists(st.integers(0, 500), min_size=1, max_size=300).map(lambda t: np.array(sorted(t)))


@quick
@given(instants, st.integers(0, 120))
def test_slices_are_in_order_never_overlap_and_the_embargo_is_exact(decided_at, matures):
    slices = slice_by_time(decided_at, matures=matures)
    train, stop, last = slices.train, slices.stop, slices.choose
    assert 0 == train.start <= train.stop <= stop.start <= stop.stop <= last.start <= last.stop
    assert last.stop == len(decided_at)
    assert slices.embargoed == (stop.start - train.stop, last.start - stop.stop)
    for earlier, later in ((train, stop), (stop, last)):
        if later.start == len(decided_at):
            continue
        begins = decided_at[later.start]
        assert (decided_at[earlier] + matures <= begins).all(), "kept rows had matured"
        assert (decided_at[earlier.stop : later.start] + matures > begins).all(), "embargoed rows had not"
        assert (decided_at[: later.start] < begins).all(), "one instant is never split"


@quick
@given(st.integers(20, 5000), st.floats(0, 0.25))
def test_shares_hold_after_the_embargo(rows, share):
    slices = slice_by_time(np.arange(rows) * 1000, matures=int(share * rows) * 1000)
    sizes = np.array([part.stop - part.start for _, part in slices.ranges()])
    assert np.abs(sizes - sizes.sum() * np.array([0.70, 0.15, 0.15])).max() <= 2
    embargoed = max(int(share * rows) - 1, 0)
    assert abs(sum(slices.embargoed) - 2 * embargoed) <= 0


# ---- calibration


def drawn(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(classes), rows)
    truth = (p.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=classes - 1).astype(np.int8)
    return p, truth


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_calibration_undoes_what_made_a_model_too_sure(classes):
    p, truth = drawn(20_000, classes)
    distorted = Calibration(2.5, tuple(np.linspace(-0.5, 0.5, classes))).apply(p)
    calibration = fit_calibration(distorted, truth)
    assert calibration.slope == pytest.approx(1 / 2.5, abs=0.02)
    np.testing.assert_allclose(calibration.apply(distorted), p, atol=0.03)
    assert log_loss(calibration.apply(distorted), truth) < log_loss(distorted, truth)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibration_is_at_the_minimum_of_its_penalised_loss(classes):
    p, truth = drawn(200, classes)
    p = Calibration(1.7, tuple(np.linspace(0.4, -0.4, classes))).apply(p)
    found = fit_calibration(p, truth)

    def loss(slope, intercepts):
        fitted = Calibration(slope, tuple(intercepts)).apply(p)
        return log_loss(fitted, truth) * 200 + 0.5 * ((slope - 1) ** 2 + np.sum(np.square(intercepts)))

    least = loss(found.slope, found.intercepts)
    for index, step in itertools.product(range(classes + 1), (-1e-3, 1e-3)):
        moved = np.array([found.slope, *found.intercepts])
        moved[index] += step
        assert loss(moved[0], moved[1:]) > least


def test_calibration_in_the_corners():
    p, truth = drawn(300, 3)
    assert fit_calibration(p[:0], truth[:0]) == identity(3)
    constant = fit_calibration(np.tile([0.2, 0.3, 0.5], (300, 1)), truth)
    assert constant.slope == 1.0
    share = np.bincount(truth, minlength=3) / 300
    np.testing.assert_allclose(constant.apply(np.array([[0.2, 0.3, 0.5]]))[0], share, atol=0.02)
    missing = fit_calibration(p, np.zeros(300, dtype=np.int8))
    assert np.isfinite([missing.slope, *missing.intercepts]).all()
    turned = fit_calibration(
        p[:, :2] / p[:, :2].sum(axis=1, keepdims=True), (p[:, 0] > p[:, 1]).astype(np.int8)
    )
    assert turned.slope == 0.01, "a model that is always wrong is muted, not turned around"
    certain = fit_calibration(np.array([[1.0, 0.0], [0.0, 1.0]] * 50), np.array([0, 1] * 50, dtype=np.int8))
    assert np.isfinite(certain.apply(np.array([[1.0, 0.0], [0.0, 1.0]]))).all()


@quick
@given(arrays.arrays(np.float64, (7, 3), elements=st.floats(0, 1)), st.floats(0.01, 5), st.floats(-5, 5))
def test_calibrated_rows_are_distributions_and_do_not_see_each_other(p, slope, intercept):
    calibration = Calibration(slope, (0.0, intercept, -intercept))
    bulk = calibration.apply(p)
    np.testing.assert_allclose(bulk.sum(axis=1), 1)
    for row in range(7):
        assert np.array_equal(calibration.apply(p[row : row + 1])[0], bulk[row])


# ---- deciding

money = st.sampled_from([-3.0, -1.0, 0.0, 0.5, 1.0, 7.0])


def decided(values, p, status_quo):
    expected = TableValues.per_case(values).expected(p)
    return decide(expected, status_quo=np.array(status_quo, dtype=np.int8))


@quick
@given(st.data(), st.integers(1, 3), st.integers(2, 3))
def test_deciding_equals_brute_force(data, actions, classes):
    rows = data.draw(st.integers(1, 6))
    weights = data.draw(
        arrays.arrays(np.float64, (rows, classes), elements=st.sampled_from([0.25, 0.5, 1.0]))
    )
    p = weights / weights.sum(axis=1, keepdims=True)
    values = data.draw(arrays.arrays(np.float64, (rows, actions, classes), elements=money))
    status_quo = data.draw(arrays.arrays(np.int8, rows, elements=st.integers(0, actions - 1)))
    chosen, expected = decide(TableValues.per_case(values).expected(p), status_quo=status_quo)
    assert chosen.dtype == np.int8
    for row in range(rows):
        totals = []
        for action in range(actions):
            total = 0.0
            for c in range(classes):
                total += p[row, c] * values[row, action, c]
            totals.append(total)
        keep = totals[status_quo[row]] == max(totals)
        assert chosen[row] == (status_quo[row] if keep else totals.index(max(totals)))
        assert expected[row] == max(totals)


def test_ties_go_to_the_status_quo_then_to_the_earlier_action():
    p = np.array([[0.5, 0.5]] * 3)
    values = np.array([[[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]]] * 3)
    assert decided(values, p, [0, 1, 2])[0].tolist() == [0, 1, 2]
    values[:, 0] = 0
    assert decided(values, p, [0, 0, 2])[0].tolist() == [1, 1, 2]


def test_an_unknown_value_is_never_taken_and_never_left():
    p = np.array([[0.5, 0.5]] * 2)
    values = np.array([[[1.0, 1.0], [np.nan, 9.0]], [[1.0, 1.0], [np.nan, 9.0]]])
    chosen, expected = decided(values, p, [0, 1])
    assert chosen.tolist() == [0, 1]
    assert expected[0] == 1.0
    assert np.isnan(expected[1])


# ---- choosing


def contenders(**money: np.ndarray) -> list[Contender]:
    return [Contender(name, rank, np.asarray(m, dtype=float)) for rank, (name, m) in enumerate(money.items())]


def test_the_simpler_wins_when_equal_and_the_better_when_clearly_better():
    rng = np.random.default_rng(5)
    base, blocks = rng.normal(size=2000), np.arange(2000) // 50
    noise = rng.normal(size=2000)
    noise -= noise.mean()
    same = choose(contenders(simple=base, complex=base), blocks)
    assert (same.best, same.champion) == ("simple", "simple")
    noisy = choose(contenders(simple=base, complex=base + 0.01 + noise), blocks)
    assert (noisy.best, noisy.champion) == ("complex", "simple")
    assert noisy.standings[0].behind_best <= noisy.standings[0].standard_error
    clear = choose(contenders(simple=base, complex=base + 0.2 + noise), blocks)
    assert clear.champion == "complex"
    worse = choose(contenders(simple=base, complex=base - 0.2), blocks)
    assert worse.champion == "simple"


def test_the_error_is_of_the_difference_not_of_the_money():
    rng = np.random.default_rng(6)
    base = rng.normal(scale=1000, size=2000)
    choice = choose(
        contenders(simple=base, complex=base + 0.5 + rng.normal(size=2000)), np.arange(2000) // 50
    )
    assert choice.champion == "complex", "shared noise of 1000 hides nothing from a paired difference"


def test_blocks_carry_the_dependence_that_single_cases_would_hide():
    rng = np.random.default_rng(7)
    day = np.repeat(np.arange(40), 100)
    difference = rng.normal(size=40)[day]
    _, blocked = paired_difference(difference, day)
    _, single = paired_difference(difference, np.arange(4000))
    assert blocked == pytest.approx(10 * single, rel=0.05)


@quick
@given(st.lists(st.integers(-5, 5), min_size=4, max_size=60), st.integers(2, 6))
def test_the_blocked_error_is_the_formula_in_its_docstring(differences, blocks):
    difference = np.array(differences, dtype=float)
    block = np.arange(len(difference)) % blocks
    used = len(set(block.tolist()))
    mean = sum(differences) / len(differences)
    total = sum((sum(differences[b::blocks]) - mean * len(differences[b::blocks])) ** 2 for b in range(used))
    expected = (used / (used - 1) * total) ** 0.5 / len(differences)
    assert paired_difference(difference, block) == (pytest.approx(mean), pytest.approx(expected, abs=1e-9))


def test_one_block_proves_nothing_so_only_the_best_stands():
    choice = choose(contenders(simple=[0, 0], complex=[1, 1]), np.array([0, 0]))
    assert choice.champion == "complex"
    assert choice.standings[0].standard_error == float("inf")


def test_blocks_are_days_or_runs_when_days_are_few():
    decided_at = np.array([0, 1, DAY - 1, *(np.arange(1, 12) * DAY)])
    blocks, kind = blocks_of(decided_at)
    assert blocks.tolist() == [0, 0, 0, *range(1, 12)]
    assert kind == "UTC days"
    blocks, kind = blocks_of(np.arange(100))
    assert np.bincount(blocks).tolist() == [5] * 20
    assert kind == "runs of consecutive cases"


@quick
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=25))
def test_area_under_roc_counts_pairs(pairs):
    scores, positive = np.array([float(s) for s, _ in pairs]), np.array([p for _, p in pairs])
    ups, downs = scores[positive], scores[~positive]
    if not len(ups) or not len(downs):
        assert area_under_roc(scores, positive) is None
        return
    wins = [(u > d) + 0.5 * (u == d) for u in ups for d in downs]
    assert area_under_roc(scores, positive) == pytest.approx(np.mean(wins))


def test_money_is_of_the_action_under_what_came_true():
    values = np.arange(12.0).reshape(2, 2, 3)
    made = TableValues.per_case(values).money(np.array([1, 0], np.int8), truth=np.array([2, 1], np.int8))
    assert made.tolist() == [5.0, 7.0]


# ---- a whole fit


def test_a_fit_writes_down_every_number_of_its_choice(fitted):
    cut, result = fitted
    report = result.report
    assert [one.name for one in report.candidates] == [STATUS_QUO, *NAMES]
    assert result.champion == report.champion == result.model.learner
    assert [part.name for part in report.slices] == ["train", "stop and calibrate", "choose"]
    assert sum(part.rows + part.embargoed for part in report.slices) == cut.rows == report.rows
    best = report.candidate(report.best)
    assert best.behind_best == 0
    assert max(one.money_per_case for one in report.candidates) == best.money_per_case
    for one in report.candidates:
        assert one.behind_best == pytest.approx(best.money_per_case - one.money_per_case)
        assert one.eligible == (one is best or one.behind_best <= one.standard_error)
        assert sum(one.actions.values()) == pytest.approx(1)
        assert (one.slope is None) == (one.name == STATUS_QUO)
        assert (one.auc is not None) == (len(cut.classes) == 2 and one.name != STATUS_QUO)
    assert report.candidate("lightgbm").rounds >= 1
    assert dict(report.left_out) == {"constant": "constant", "empty": "every value is null"}
    json.dumps(dataclasses.asdict(report), allow_nan=False)


def test_no_slice_serves_two_purposes():
    """Change outcomes of one slice: what was learnt before it stays to the bit."""
    cut = make_cut()
    slices = slice_by_time(cut.decided_at, matures=DAY)
    before = run(cut, "logistic").report.candidate("logistic")
    truth = cut.truth.copy()
    truth[slices.choose] = 1 - truth[slices.choose]
    after = run(dataclasses.replace(cut, truth=truth), "logistic").report.candidate("logistic")
    assert (before.slope, before.intercepts, before.actions) == (after.slope, after.intercepts, after.actions)
    assert before.money_per_case != after.money_per_case
    truth = cut.truth.copy()
    for gap in (slice(slices.train.stop, slices.stop.start), slice(slices.stop.stop, slices.choose.start)):
        assert gap.stop > gap.start
        truth[gap] = 1 - truth[gap]
    embargoed = run(dataclasses.replace(cut, truth=truth), "logistic").report.candidate("logistic")
    assert embargoed == before, "embargoed outcomes take no part in the trial"


def test_the_status_quo_wins_when_there_is_nothing_to_learn():
    cut = make_cut(signal=0.0)
    values = np.tile([[0.0, 0.0], [5.0, -6.0]], (cut.rows, 1, 1))
    result = run(dataclasses.replace(cut, values=TableValues.per_case(values)))
    assert result.champion == STATUS_QUO
    assert result.model is None
    assert "no model is needed" in result.report.why
    assert "status quo" in card(result.report, None, name="n", question="q", unit="EUR")


def test_the_refit_learns_from_the_whole_cut_and_keeps_rounds_and_calibration():
    cut = make_cut()
    late = cut.features.with_columns(
        place=pl.when(pl.int_range(pl.len()) > cut.rows - 30).then(pl.lit("new")).otherwise("place")
    )
    result = run(dataclasses.replace(cut, features=late), "logistic")
    places = next(column for column in result.model.encoder.columns if column.name == "place")
    assert "new" in places.categories
    trial = result.report.candidate("logistic")
    assert (result.model.calibration.slope, result.model.calibration.intercepts) == (
        trial.slope,
        trial.intercepts,
    )


def test_only_the_train_slice_shapes_the_encoding_of_a_trial():
    cut = make_cut()
    slices = slice_by_time(cut.decided_at, matures=DAY)
    later = pl.int_range(pl.len()) >= slices.train.stop
    strange = cut.features.with_columns(
        place=pl.when(later).then(pl.lit("new")).otherwise("place"),
        constant=pl.when(later).then(7.0).otherwise("constant"),
    )
    trial = Trial.prepare(dataclasses.replace(cut, features=strange), slices)
    assert trial.encoder == fit_encoder(cut.features[slices.train])
    assert (trial.choose.values[:, 1] == trial.choose.categories[1]).all(), "unseen"


def test_too_few_outcomes_are_refused_clearly():
    cut = make_cut()
    truth = np.zeros_like(cut.truth)
    truth[::100] = 1
    refused = run(dataclasses.replace(cut, truth=truth), least=50)
    assert isinstance(refused, FitRefused)
    assert refused.code == "model.too-few-outcomes"
    assert refused.outcomes == {"class 0": 1485, "class 1": 15}
    assert "15 of them" in refused.happened
    assert "50" in refused.expected
    error = refused.error()
    assert isinstance(error, UserError)
    assert error.exit_code == 2
    assert isinstance(run(dataclasses.replace(cut, truth=truth), least=15), Fitted)
    assert run(make_cut(0)).code == "model.too-few-outcomes"


def test_too_short_a_history_is_refused_clearly():
    for cut, matures in ((make_cut(LEAST_ROWS * 3), DAY), (make_cut(1500, days=10), 6 * DAY)):
        refused = run(cut, matures=matures, least=2)
        assert refused.code == "model.too-short-history"
        assert "train" in refused.happened


def test_values_that_are_not_known_take_no_part_and_none_at_all_is_refused():
    cut = make_cut()
    values = np.stack([[[10.0, -4.0], [-4.0, 10.0]]] * cut.rows)
    values[::2, 1, :] = np.nan
    result = run(dataclasses.replace(cut, values=TableValues.per_case(values)), "logistic")
    choose_rows = result.report.slices[2].rows
    assert abs(result.report.unpriced - choose_rows / 2) <= 1
    assert np.isfinite(result.report.candidate("logistic").money_per_case)
    values[:] = np.nan
    assert run(dataclasses.replace(cut, values=TableValues.per_case(values))).code == "model.no-values"


@pytest.mark.parametrize("part", ["train", "stop", "choose"])
def test_a_class_may_be_missing_from_any_slice(part):
    cut = make_cut(classes=3)
    rows = getattr(slice_by_time(cut.decided_at, matures=DAY), part)
    truth = cut.truth.copy()
    truth[rows] = np.where(truth[rows] == 2, 1, truth[rows])
    result = run(dataclasses.replace(cut, truth=truth))
    assert isinstance(result, Fitted)
    truth[rows] = 1
    assert isinstance(run(dataclasses.replace(cut, truth=truth)), Fitted)


def test_a_cut_without_features_still_gives_a_verdict():
    cut = make_cut()
    for features in (cut.features.select("constant", "empty"), pl.DataFrame(height=cut.rows)):
        result = run(dataclasses.replace(cut, features=features))
        assert result.champion in {STATUS_QUO, "constant"}


def test_progress_is_told_before_each_step_and_at_the_end():
    told = []
    run(make_cut(), "constant", "logistic", progress=lambda *step: told.append(step))
    assert told == [
        ("fit constant", 0, 3),
        ("fit logistic", 1, 3),
        ("refit logistic", 2, 3),
        ("fit", 3, 3),
    ]


def test_a_cut_that_does_not_fit_together_is_refused():
    cut = make_cut(50)
    wrong = [
        {"truth": cut.truth[:-1]},
        {"values": cut.values.take(slice(0, 3))},
        {"decided_at": cut.decided_at[::-1]},
        {"status_quo": cut.status_quo + np.int8(9)},
        {"features": cut.features[:3]},
    ]
    for change in wrong:
        with pytest.raises(ValueError, match="of a cut"):
            dataclasses.replace(cut, **change)


def test_the_card_tells_the_choice_with_its_numbers(fitted):
    _, result = fitted
    text = card(result.report, result.model, name="late-flights", question="Which?", unit="EUR")
    for part in (result.report.why, "EUR per case", "`place`", "`empty`: every value is null", "embargoed"):
        assert part in text
    for one in result.report.candidates:
        assert f"{one.money_per_case:,.4f}" in text
    assert result.model.digest in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| status quo")}
    assert widths == {7}
