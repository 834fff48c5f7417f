"""An outcome that is a number, an action that is an amount: money by a formula, decided by quantiles."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wholeroad
from test_cases_and_outcomes import OUTCOMES, UTC, cases_of, landed
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.learners.quantiles import Ladder
from wholeroad.adapters.learners.quantiles_constant import ConstantQuantiles
from wholeroad.adapters.learners.quantiles_lightgbm import LightgbmQuantiles
from wholeroad.adapters.learners.quantiles_linear import LinearQuantiles
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.core.expressions import bind
from wholeroad.core.instants import DAY, parse_instant, to_instant
from wholeroad.core.view import PENDING, UNKNOWN, AsOf, Timeline, code_type
from wholeroad.road.brief.contract import OutcomeTable
from wholeroad.road.brief.predictions import COUNT, POINTS
from wholeroad.road.brief.quantities import FormulaValues
from wholeroad.road.brief.work import make_brief
from wholeroad.road.data.outcomes import tell_outcomes
from wholeroad.road.model.deciding import decide
from wholeroad.road.model.quantiles import SCORES, UNCHANGED, coverage, fit_recalibration, pinball_loss
from wholeroad.road.watch.rules import settle, unbooked
from wholeroad.testing import newsvendor
from wholeroad.testing.newsvendor import BRIEF, DISPERSION, WASTE
from wholeroad.testing.quantile_suite import QuantileSuite

SMALL = BRIEF.replace('first = "60d"', 'first = "40d"').replace('when  = "every 60d"', 'when  = "every 14d"')
QUICK = SMALL + '\n[model]\ncandidates = ["constant", "linear"]\nleast_outcomes = 10\n'
FORMULAS = {
    "price * least(action, outcome) - cost * action": lambda of, a, d: (
        of["price"] * min(a, d) - of["cost"] * a
    ),
    "case when kind = 'a' then 7.0 else 0.0 end - abs(action - outcome)": lambda of, a, d: (
        7.0 * (of["kind"] == "a") - abs(a - d)
    ),
    "2 * least(action, outcome) - action": lambda _, a, d: 2 * min(a, d) - a,
    "case when outcome > action then -price * (outcome - action) else 0.0 end": lambda of, a, d: (
        -of["price"] * (d - a) if d > a else 0.0
    ),
}
quick = settings(max_examples=40, deadline=None)


def test_quantiles_that_cross_are_put_in_order():
    ladder = Ladder.of(POINTS, np.array([-1.0, 1.0]))
    straight = [np.full(2, float(place)) for place in range(len(ladder.knots))]
    assert np.array_equal(ladder.climb(straight[::-1]), ladder.climb(straight))
    assert (np.diff(ladder.climb(straight)) > 0).all()
    assert ladder.climb(straight)[0, :: len(POINTS) - 1].tolist() == [0.0, len(ladder.knots) - 1.0]


class TestConstant(QuantileSuite):
    def learner(self, *, threads):
        del threads
        return ConstantQuantiles()


class TestLinear(QuantileSuite):
    def learner(self, *, threads):
        del threads
        return LinearQuantiles()


class TestLightgbm(QuantileSuite):
    def learner(self, *, threads):
        return LightgbmQuantiles(threads=threads)


# Money


def values_of(text: str, count: int, amounts: int, levels: int, seed: int) -> FormulaValues:
    dice = np.random.default_rng(seed)
    cases = pl.DataFrame(
        {
            "price": dice.uniform(1, 9, count).round(2),
            "cost": dice.uniform(0, 5, count).round(2),
            "kind": dice.choice(["a", "b"], count),
        }
    )
    schema = {**cases.schema, "action": pl.Float64(), "outcome": pl.Float64()}
    formula = bind(text, schema, where="a test", expects="number")
    own = [name for name in formula.columns if name in cases.columns]
    told = np.sort(dice.gamma(2.0, 10.0, levels))
    return FormulaValues(formula, np.arange(amounts) * 2.5, told, cases.select(own), count)


@given(st.sampled_from(sorted(FORMULAS)), st.integers(1, 7), st.integers(2, 9), st.integers(0, 5))
@quick
def test_money_is_a_plain_reading_of_the_formula(text, count, amounts, seed):
    values = values_of(text, count, amounts, 6, seed)
    whole = values_of(text, count, amounts, 6, seed)
    dice = np.random.default_rng(seed + 1)
    action, truth = dice.integers(0, amounts, count).astype(np.int16), dice.integers(0, 6, count)
    prediction = np.sort(dice.gamma(2.0, 10.0, (count, COUNT)), axis=1)
    cases = values.cases.rows(named=True) or [{}] * count

    def plain(row, amount, outcome):
        return FORMULAS[text](cases[row], amount, outcome)

    numbers = values.levels[truth]
    each = [plain(row, values.amounts[action[row]], numbers[row]) for row in range(count)]
    assert values.money(action, truth=truth) == pytest.approx(each)
    table = [[plain(row, amount, numbers[row]) for amount in values.amounts] for row in range(count)]
    assert values.best(truth) == pytest.approx(np.max(table, axis=1))
    means = [
        [np.mean([plain(row, amount, q) for q in prediction[row]]) for amount in values.amounts]
        for row in range(count)
    ]
    expected = values.expected(prediction)
    assert expected == pytest.approx(np.array(means))
    for row in range(count):
        alone = whole.take(np.array([row])).expected(prediction[row : row + 1])
        assert np.array_equal(alone[0], expected[row])


def test_one_case_gives_the_bits_that_many_give_also_across_chunks():
    text = "price * least(action, outcome) - cost * action - 0.3 * greatest(action - outcome, 0)"
    values = values_of(text, 12_000, 9, 40, 3)
    dice = np.random.default_rng(4)
    prediction = np.sort(dice.gamma(2.0, 10.0, (12_000, COUNT)), axis=1)
    bulk = values.expected(prediction)
    for rows in (slice(0, 1), slice(10_484, 10_488), slice(11_999, 12_000), slice(0, 500)):
        assert np.array_equal(values.take(rows).expected(prediction[rows]), bulk[rows])
    wide = values_of(text, 40, 700, 40, 3)
    one = np.vstack([wide.take(slice(i, i + 1)).expected(prediction[i : i + 1]) for i in range(40)])
    assert np.array_equal(wide.expected(prediction[:40]), one)


def test_money_that_a_formula_cannot_tell_is_not_known_and_never_chosen():
    schema = {"action": pl.Float64(), "outcome": pl.Float64()}
    formula = bind("case when action < 5 then outcome - action end", schema, where="t", expects="number")
    values = FormulaValues(formula, np.array([0.0, 4.0, 8.0]), np.array([1.0]), pl.DataFrame(), 2)
    assert values.known(np.array([0, 0])).tolist() == [False, False]
    chosen, _ = decide(values.expected(np.ones((2, COUNT))), status_quo=np.array([1, 0], dtype=np.int8))
    assert chosen.tolist() == [0, 0]


@given(st.floats(0.05, 0.95), st.floats(2, 60), st.floats(0.5, 6), st.integers(1, 6))
@quick
def test_the_true_quantiles_give_the_critical_fractile_within_a_step(fractile, mean, shape, step):
    from scipy.stats import gamma

    demand = gamma(shape, scale=mean / shape)
    schema = {"action": pl.Float64(), "outcome": pl.Float64()}
    text = f"{fractile!r} * least(action, outcome) - {1 - fractile!r} * greatest(action - outcome, 0)"
    amounts = np.arange(0.0, demand.ppf(0.995) + step, step)
    values = FormulaValues(bind(text, schema, where="t"), amounts, np.zeros(1), pl.DataFrame(), 1)
    chosen, _ = decide(
        values.expected(demand.ppf(POINTS)[None]), status_quo=np.zeros(1, dtype=code_type(len(amounts)))
    )
    # The points stand for equal parts of the distribution: half a part is what they can't tell.
    half = 0.5 / COUNT
    low, high = demand.ppf(max(fractile - half, 0)), demand.ppf(min(fractile + half, 1 - 1e-9))
    assert low - step <= amounts[chosen[0]] <= high + step


# What was told


def told_numbers(rows, *, if_never="drop"):
    outcome = OutcomeTable(
        kind="regression",
        source="outcomes_in",
        truth="amount",
        matures="10us",
        depends_on_action="no",
        if_never=if_never,
        never_after="50us",
    )
    cases = cases_of([(1, 0, 10, 10), (2, 0, 10, 10), (3, 0, 10, 10)])
    columns = {"id": pl.Int64, "known": UTC, "amount": pl.Float64}
    versions = landed(rows, columns, OUTCOMES)
    truth = bind("amount", versions.frame.schema, where="t", expects="number")
    told = tell_outcomes(cases, versions, truth=truth, outcome=outcome, until=10**6)
    place = cases.frame["id"].arg_sort().to_numpy()

    def truths(now):
        """Give what is known of the cases 1, 2 and 3."""
        codes = AsOf(told.timeline, now).truth()[place]
        return [float(told.levels[code]) if code >= 0 else int(code) for code in codes]

    return told, truths


def test_a_number_is_told_corrected_unknown_or_silence():
    told, truths = told_numbers([(1, 20, 7.5), (1, 90, -0.0), (2, 30, None)], if_never="4")
    assert told.levels.tolist() == [0.0, 4.0, 7.5]
    assert not np.signbit(told.levels).any()
    assert truths(20) == [7.5, PENDING, PENDING]
    assert truths(40) == [7.5, UNKNOWN, PENDING]
    assert truths(60) == [7.5, UNKNOWN, 4.0]
    assert truths(90) == [0.0, UNKNOWN, 4.0]
    assert told.nulls == 1
    assert told.no_class == {}


def test_later_numbers_move_codes_and_nothing_else():
    early = [(1, 20, 7.5), (2, 30, 3.0)]
    one, before = told_numbers(early)
    two, after = told_numbers([*early, (3, 500, 5.0), (1, 600, 1.0)])
    for now in (20, 30, 100):
        assert before(now) == after(now)
        codes = [AsOf(each.timeline, now).truth().tolist() for each in (one, two)]
        assert codes[0] != codes[1]


def test_a_corrected_number_restates_the_money():
    levels = np.arange(300.0)
    timeline = Timeline(
        decided_at=np.zeros(1, dtype=np.int64),
        truth_known_at=np.array([1, 5], dtype=np.int64),
        truth_case=np.zeros(2, dtype=np.int32),
        truth_code=np.array([290, 150], dtype=code_type(300)),
    )
    schema = {"action": pl.Float64(), "outcome": pl.Float64()}
    formula = bind("2 * least(action, outcome) - action", schema, where="t")
    values = FormulaValues(formula, np.arange(250.0), levels, pl.DataFrame(), 1)
    action, booked = np.array([200], dtype=np.int16), unbooked(1, timeline.truth_code.dtype)
    facts = [settle(AsOf(timeline, at, since=at - 1), action, booked=booked, values=values) for at in (1, 5)]
    assert [fact.value for fact in facts] == [200.0, -100.0]
    assert [fact.restated for fact in facts] == [0, 1]


# Calibration


@given(st.floats(0.3, 3.0), st.floats(-20, 20), st.integers(0, 3))
@quick
def test_recalibrated_quantiles_hold_what_they_promise(stretch, shift, seed):
    dice = np.random.default_rng(seed)
    middle = dice.normal(100, 30, 4000)
    outcome = middle + dice.normal(0, 10, 4000)
    said = middle[:, None] + shift / 10 + np.array(SCORES) * 10 / stretch
    found = fit_recalibration(said[:2000], outcome[:2000])
    assert (np.diff(found.scores) >= 0).all()
    mended = found.apply(said[2000:])
    for column, point in enumerate(POINTS):
        share = float((outcome[2000:] <= mended[:, column]).mean())
        assert abs(share - point) < 0.06
    assert abs(coverage(mended, outcome[2000:]) - 0.8) < 0.06
    assert pinball_loss(mended, outcome[2000:]) <= pinball_loss(said[2000:], outcome[2000:]) + 0.05
    assert np.array_equal(found.apply(said[2000:2001]), mended[:1])


def test_without_rows_nothing_is_recalibrated():
    found = fit_recalibration(np.empty((0, COUNT)), np.empty(0))
    assert found == UNCHANGED
    said = np.sort(np.random.default_rng(0).gamma(2, 10, (50, COUNT)), axis=1)
    assert found.apply(said) == pytest.approx(said)


# The whole road


def write(folder, world, brief=QUICK, *, landed=False):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    deliveries, demands = world if isinstance(world, tuple) else (world.deliveries, world.demands)
    deliveries.write_parquet(folder / "deliveries.parquet")
    demands.write_parquet(folder / "demands.parquet")
    project = wholeroad.open(folder)
    if landed:
        project.land()
    return project


@pytest.fixture(scope="module")
def world():
    return newsvendor.make(days=110, shops=6, products=4)


@pytest.fixture(scope="module")
def rehearsed(world, tmp_path_factory):
    return write(tmp_path_factory.mktemp("whole"), world).rehearse(["never", "every 14d"])


@pytest.fixture(scope="module")
def little():
    return newsvendor.make(days=70, shops=4, products=3)


def ordered(rehearsed, world, policy):
    """Give the cases that a model decided, and what was ordered for them."""
    decided = rehearsed.decisions(policy).filter(pl.col("model").is_not_null())
    place = {key: row for row, key in enumerate(world.deliveries["delivery_id"].to_list())}
    rows = np.array([place[key] for key in decided["delivery_id"].to_list()])
    return rows, decided["action"].cast(pl.Float64).to_numpy()


def test_the_rehearsed_orders_are_near_the_optimum_of_the_true_demand(rehearsed, world):
    from scipy.stats import nbinom

    price = world.deliveries["price"].to_numpy()
    best = world.best()
    optimum = world.expected(best)
    rows, amounts = ordered(rehearsed, world, "every 14d")
    whole = best.copy()
    whole[rows] = amounts
    short = 1 - world.expected(whole)[rows].sum() / optimum[rows].sum()
    # A quantile of w weights from n cases errs by w t (1 - t) / (n f^2); money is lost by half the
    # curvature, (price + waste) f, times that. The fits learnt from 40 days of 24 cases and more.
    density = nbinom.pmf(best, DISPERSION, DISPERSION / (DISPERSION + world.mean))
    share = world.fractile
    learnt, weights = 40 * 24, 14
    noise = 0.5 * (price + WASTE) * share * (1 - share) * weights / (learnt * density)
    allowed = 3 * noise[rows].sum() / optimum[rows].sum()
    assert allowed < 0.03
    assert 0 < short < allowed
    today = world.expected(world.deliveries["last_week"].to_numpy().astype(float))
    assert 1 - today[rows].sum() / optimum[rows].sum() > 5 * allowed


def test_decisions_hold_quantiles_and_the_amount_with_the_most_expected_money(rehearsed, world):
    decided = rehearsed.decisions("never").filter(pl.col("model").is_not_null())
    names = [name for name in decided.columns if name.startswith("q_")]
    assert (names[0], names[-1], len(names)) == ("q_02", "q_98", COUNT)
    joined = decided.join(world.deliveries, on="delivery_id", maintain_order="left")
    quantiles, action = joined.select(names).to_numpy(), joined["action"].cast(pl.Float64).to_numpy()
    assert (np.diff(quantiles, axis=1) >= -1e-9).all()
    price, cost = joined["price"].to_numpy(), joined["cost"].to_numpy()

    def money(amount):
        sold = np.minimum(amount[:, None], quantiles)
        each = price[:, None] * sold - WASTE * (amount[:, None] - sold)
        return each.mean(axis=1) - cost * amount

    assert joined["expected_value"].to_numpy() == pytest.approx(money(action))
    for other in (np.maximum(action - 1, 0), np.minimum(action + 1, 150), action * 0):
        assert (money(action) >= money(other) - 1e-9).all()


def test_the_report_sums_amounts_up_and_shows_how_often_quantiles_held(rehearsed):
    policy = rehearsed.comparison.policies[0]
    assert policy.actions == {}
    assert policy.amounts.lower_quartile <= policy.amounts.median <= policy.amounts.upper_quartile
    assert "amount_mean" in rehearsed.policies.columns
    assert not [name for name in rehearsed.policies.columns if name.startswith("share_")]
    frame = rehearsed.calibration.filter(pl.col("policy") == "every 14d")
    assert frame["predicted"].to_list() == list(POINTS)
    assert (frame["predicted"] - frame["observed"]).abs().max() < 0.1
    card = next((rehearsed.folder / "models").glob("*.md")).read_text("utf-8")
    assert "pinball loss" in card
    assert "151 in all" in card


CUT = "2023-03-08T00:00:00Z"


def poisoned(world):
    """Add corrections, with numbers between all others, and new cases; all of it known after the cut."""
    after = pl.lit(CUT).str.to_datetime(time_zone="UTC") + timedelta(minutes=3)
    rows = list(range(0, world.demands.height, 7))
    wrong = world.demands[rows].with_columns(
        asked_for=pl.col("asked_for") + 0.5, closed_at=pl.max_horizontal(after, "closed_at")
    )
    demands = pl.concat([world.demands.cast({"asked_for": pl.Float64}), wrong])
    strange = world.deliveries[rows].with_columns(
        delivery_id=pl.col("delivery_id") + 10**6, planned_at=after, shop=pl.lit("another")
    )
    moved = world.deliveries[rows].with_columns(planned_at=after, last_week=pl.lit(149), price=pl.lit(99.0))
    return pl.concat([world.deliveries, strange, moved.cast(world.deliveries.schema)]), demands


def known_before(world):
    cut = pl.lit(CUT).str.to_datetime(time_zone="UTC")
    demands = world.demands.cast({"asked_for": pl.Float64}).filter(pl.col("closed_at") <= cut)
    return world.deliveries.filter(pl.col("planned_at") <= cut), demands


def test_numbers_known_later_change_no_decision_and_no_fact_before(tmp_path, little):
    policies, to_at = ["never", "every 14d"], parse_instant(CUT)
    past = write(tmp_path / "past", known_before(little)).rehearse(policies, to_at=to_at)
    full = write(tmp_path / "full", poisoned(little)).rehearse(policies, to_at=to_at)
    assert not np.array_equal(past.history.told.levels, full.history.told.levels)
    for policy in policies:
        assert full.decisions(policy).equals(past.decisions(policy))
        before, after = ([json.loads(line) for line in each.export(policy)] for each in (past, full))
        last = max(n for n, fact in enumerate(before) if fact["fact"] == "SpanDecided")
        assert {fact["fact"] for fact in before} > {"ModelFitted", "Settled"}
        assert before[1 : last + 1] == after[1 : last + 1]


def test_a_kept_fit_is_not_taken_for_one_on_other_numbers_with_the_same_codes(tmp_path, little):
    """Twice every number has the codes of once; a cut that digested codes would share its fits."""
    doubled = (little.deliveries, little.demands.with_columns(pl.col("asked_for") * 2))
    first = write(tmp_path / "first", little).rehearse(["never"])
    fresh = write(tmp_path / "fresh", doubled).rehearse(["never"])
    write(tmp_path / "kept", doubled)
    shutil.copytree(tmp_path / "first" / ".wholeroad" / "blobs", tmp_path / "kept" / ".wholeroad" / "blobs")
    kept = wholeroad.open(tmp_path / "kept").rehearse(["never"])
    codes = [each.history.as_of(parse_instant(CUT)).truth().tolist() for each in (first, kept)]
    assert codes[0] == codes[1]
    orders = [each.decisions("never") for each in (kept, fresh, first)]
    assert orders[0].equals(orders[1])
    assert not orders[0].equals(orders[2])


RUN = """
import sys
import wholeroad
rehearsed = wholeroad.open(sys.argv[1]).rehearse(["status quo", "never", "random 10%", "always 30"])
for policy in rehearsed.policies["policy"]:
    sys.stdout.buffer.write(b"".join(rehearsed.export(policy)))
    sys.stdout.buffer.write(rehearsed.decisions(policy).write_csv().encode())
sys.stdout.buffer.write(rehearsed.policies.write_csv().encode())
"""


def test_the_same_rehearsal_in_two_processes_gives_the_same_bytes(tmp_path):
    world = newsvendor.make(days=55, shops=3, products=2)
    brief = QUICK.replace('["constant", "linear"]', '["constant", "linear", "lightgbm"]')
    printed = []
    for name, shuffled in (("one", False), ("two", True)):
        frames = (world.deliveries, world.demands)
        if shuffled:
            frames = tuple(frame.sample(fraction=1.0, shuffle=True, seed=5) for frame in frames)
        write(tmp_path / name, frames, brief)
        threads = "2" if shuffled else "1"
        environment = {
            "PYTHONHASHSEED": threads,
            "TZ": "Asia/Kathmandu" if shuffled else "UTC",
            "WHOLEROAD_THREADS": threads,
            "POLARS_MAX_THREADS": threads,
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(tmp_path / name)],
            env={**os.environ, **environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        printed.append(done.stdout)
    assert b"ModelFitted" in printed[0]
    assert printed[0] == printed[1]


def test_what_runs_every_night_orders_what_its_rehearsal_orders(tmp_path, little):
    """Every night brings numbers that move the codes of all others."""
    begin = little.deliveries["delivered_at"].min()
    world = poisoned(little)
    for night in (41, 44, 45, 60):
        now = begin + timedelta(days=night)
        known = world[0].filter(pl.col("planned_at") <= now), world[1].filter(pl.col("closed_at") <= now)
        write(tmp_path, known)
        project = wholeroad.open(tmp_path, clock=SteppedClock(to_instant(now)))
        project.cycle()
    decided = project.decisions()
    assert set(decided["decided_by"]) == {"status quo", "model"}
    assert project.replay().difference == ""
    assert project.explain_decision(decided.drop_nulls("model")["delivery_id"][0])


def test_past_outcomes_are_numbers_to_features(tmp_path, world):
    brief = QUICK.replace(
        "[policy.refit]",
        'usual = { mean = "truth", of = "outcomes", by = ["shop", "product"], over = "28d" }\n[policy.refit]',
    )
    history = write(tmp_path, world, brief, landed=True).history()
    joined = history.cases.frame.with_columns(history.features.take(slice(None))["usual"]).join(
        world.deliveries, on="delivery_id", maintain_order="left"
    )
    late = joined.filter(pl.col("delivered_at") > pl.lit(CUT).str.to_datetime(time_zone="UTC"))
    one = late.row(0, named=True)
    demands = world.deliveries.join(world.demands, on="delivery_id").filter(
        shop=one["shop"],
        product=one["product"],
    )
    decided_at = one["delivered_at"] - timedelta(hours=12)
    window = demands.filter(
        pl.col("closed_at") < decided_at, pl.col("closed_at") > decided_at - timedelta(days=28)
    )
    assert one["usual"] == pytest.approx(window["asked_for"].mean())


# The status quo


def test_a_status_quo_is_taken_to_the_nearest_amount_of_two_the_smaller(tmp_path, world):
    deliveries = world.deliveries.with_columns(
        last_week=pl.Series([-3.0, 0.0, 2.4, 2.5, 2.6, 149.0, 400.0] + [20.0] * (world.mean.size - 7))
    )
    brief = QUICK.replace("quantity   = { most = 150, step = 1 }", "quantity   = { most = 100, step = 5 }")
    history = write(tmp_path, (deliveries, world.demands), brief, landed=True).history()
    ids = history.cases.frame["delivery_id"].to_numpy()
    amounts = np.array(history.brief.worth.quantities)[history.status_quo]
    assert [amounts[ids == key][0] for key in range(7)] == [0, 0, 0, 0, 5, 100, 100]


def test_a_status_quo_without_a_number_is_refused(tmp_path, world):
    gone = world.deliveries.with_columns(last_week=pl.lit(None, dtype=pl.Int64))
    with pytest.raises(UserError) as caught:
        write(tmp_path, (gone, world.demands), landed=True).history()
    assert caught.value.code == "value.status-quo"


def test_a_formula_without_a_number_is_refused(tmp_path, world):
    gone = world.deliveries.with_columns(
        price=pl.when(pl.col("delivery_id") == 700).then(None).otherwise("price")
    )
    with pytest.raises(UserError) as caught:
        write(tmp_path, (gone, world.demands), landed=True).history()
    assert caught.value.code == "value.null"
    assert "1 of 2,640 cases" in caught.value.happened


# Faults and questions


RAW = tomllib.loads(QUICK)


def faults_of(**changes) -> set[str]:
    raw = json.loads(json.dumps(RAW))
    for path, value in changes.items():
        table, _, name = path.partition("__")
        if value is None:
            del raw[table][name]
        else:
            raw[table][name] = value
    with pytest.raises(FaultsError) as caught:
        make_brief(raw)
    return {fault.code for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outcome__classes": ["a", "b"]}, "brief.classes"),
        ({"outcome__positive": "a"}, "brief.classes"),
        ({"outcome__kind": "binary", "outcome__classes": ["a", "b"]}, "brief.value-form"),
        ({"outcome__if_never": "nothing", "outcome__never_after": "5d"}, "brief.if-never"),
        ({"value__formula": None, "value__quantity": None}, "brief.value-form"),
        ({"value__quantity": None}, "brief.missing"),
        ({"value__formula": None}, "brief.missing"),
        ({"value__unit": None}, "brief.missing"),
        ({"value__formula": "price * outcome"}, "brief.formula"),
        ({"value__formula": "price * action"}, "brief.formula"),
        ({"value__formula": "sum(action) * outcome"}, "expression.aggregate"),
        ({"value__quantity": {"most": 10_000}}, "brief.quantity"),
        ({"value__quantity": {"most": 5, "least": 5}}, "brief.quantity"),
        ({"value__quantity": {"most": 1e300, "step": 1e-300}}, "brief.quantity"),
        ({"value__status_quo": {"action": "7.5"}}, "brief.unknown-action"),
        ({"value__capacity": "5 per day"}, "brief.capacity"),
    ],
)
def test_a_brief_that_makes_no_sense_is_refused(changes, code):
    assert code in faults_of(**changes)


def found(folder, world, *changes) -> dict[str, str]:
    brief = QUICK
    for old, new in changes:
        assert old in brief
        brief = brief.replace(old, new)
    return {finding.code: finding.level for finding in write(folder, world, brief).check()}


SOUND = (("[success]\ngain_over_status_quo = { per_case = 1.0 }\n", ""),)


def test_a_sound_brief_is_left_in_peace(tmp_path, world):
    assert found(tmp_path, world, *SOUND) == {}


@pytest.mark.parametrize(
    ("change", "code", "level"),
    [
        (("price * least(action, outcome)", "price * (action + outcome)"), "one-amount-wins", "fault"),
        (("most = 150, step = 1", "most = 30"), "amounts-end", "warning"),
        (("most = 150, step = 1", "least = 20, most = 150"), "amounts-end", "warning"),
        (("most = 150, step = 1", "most = 40"), "status-quo-at-end", "warning"),
        (("most = 150, step = 1", "most = 150, step = 50"), "amounts-coarse", "warning"),
        (('truth   = "asked_for"', 'truth   = "asked_for - 5"'), "outcome-negative", "warning"),
        (('truth   = "asked_for"', 'truth   = "5"'), "one-class", "fault"),
    ],
)
def test_the_amounts_are_asked(tmp_path, world, change, code, level):
    assert found(tmp_path, world, *SOUND, change).get(f"check.{code}") == level


def test_a_missing_feature_that_tells_the_number_is_named(tmp_path, world):
    high = world.demands["asked_for"] > world.demands["asked_for"].median()
    leaky = world.deliveries.with_columns(temperature=pl.when(high).then("temperature"))
    codes = found(tmp_path, (leaky, world.demands), *SOUND)
    assert "check.missingness-tells" in codes


def test_a_learner_of_classes_is_no_candidate(tmp_path, world):
    project = write(tmp_path, world, QUICK.replace('"linear"', '"logistic"'))
    with pytest.raises((UserError, FaultsError)) as caught:
        project.rehearse(["never"])
    assert "logistic" in str(caught.value)


def test_days_of_the_world_are_days():
    one = newsvendor.make(days=8, shops=2, products=2, seed=1)
    assert one.deliveries.height == 32
    assert one.deliveries["delivered_at"].dt.date().n_unique() == 8
    assert (one.deliveries["delivered_at"].max() - one.deliveries["delivered_at"].min()).days == 7
    assert DAY == 86_400_000_000
    # What was asked for a week ago is what the status quo orders.
    joined = one.deliveries.join(one.demands, on="delivery_id")
    first, last = joined.head(4), joined.tail(4)
    assert last["last_week"].to_list() == first["asked_for"].to_list()
