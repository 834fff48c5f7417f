"""The engine: when cycles are due, fits asked for, cases decided, money settled."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wholeroad
import worlds
from wholeroad.core.ids import chance
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.core.view import AsOf, Timeline
from wholeroad.engine.agenda import agenda
from wholeroad.engine.facts import Closed, decode
from wholeroad.engine.fold import fold
from wholeroad.road.brief.contract import CycleTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.brief.values import Values
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.refit import FitLine, due
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import Asked, decide_under
from wholeroad.road.watch.facts import Settled, SpanDecided
from wholeroad.road.watch.rules import settle, unbooked

# When

spans = st.integers(1, 40)


@given(st.integers(-1000, 1000), spans)
def test_the_first_cycle_is_the_first_grid_point_not_before(at, every):
    cycles = agenda(CycleTable(every=f"{every}us"))
    first = cycles.first(at)
    assert first >= at > first - every
    assert first % every == 0


def test_daily_cycles_are_at_midnight_utc_unless_the_brief_says_when():
    at = parse_instant("2024-05-06T10:00:00Z")
    assert agenda(CycleTable()).first(at) == parse_instant("2024-05-07")
    assert agenda(CycleTable(at="11:30")).first(at) == parse_instant("2024-05-06T11:30:00Z")
    assert agenda(CycleTable(at="03:00")).first(at) == parse_instant("2024-05-07T03:00:00Z")


def fits_of(policy: Policy, cycles: list[int], *, takes: int = 0, refused: frozenset[int] = frozenset()):
    line, asked = FitLine(), []
    for now in cycles:
        fact = due(line, policy, now=now, takes=takes, costs=1.0)
        if fact is not None:
            asked.append(now)
            line = line.after(fact)
        pending = line.pending
        if pending is not None and pending.ready_at <= now:
            if now in refused:
                came = FitRefused(at=now, asked_at=pending.at, code="x", happened="y")
            else:
                came = ModelFitted(
                    at=now, asked_at=pending.at, cut="", rows=0, champion="", model="m", costs=1.0, why=""
                )
            line = line.after(came)
    return asked


@given(st.integers(1, 10), st.integers(0, 100), st.integers(1, 60))
def test_refits_come_at_the_first_cycle_of_each_span_from_the_epoch(every, start, count):
    cycles = [*range(start, start + count)]
    asked = fits_of(Policy("every", every=every), cycles)
    assert asked[0] == start
    assert asked[1:] == [now for now in cycles[1:] if now % every == 0]


def test_policies_whose_spans_divide_each_other_share_their_fits():
    cycles = [day * DAY for day in range(15_000, 15_300)]
    every30 = set(fits_of(Policy("every", every=30 * DAY), cycles))
    assert set(fits_of(Policy("every", every=60 * DAY), cycles)) <= every30
    assert set(fits_of(Policy("every", every=90 * DAY), cycles)) <= every30


def test_never_fits_once_and_dummies_not_at_all():
    assert fits_of(Policy("never"), [5, 6, 7]) == [5]
    assert fits_of(Policy("random", rate=0.1), [5, 6, 7]) == []
    assert fits_of(Policy("status quo"), [5, 6, 7]) == []


def test_a_refused_first_fit_is_asked_for_again_at_the_next_cycle():
    assert fits_of(Policy("never"), [5, 6, 7], refused=frozenset({5})) == [5, 6]


def test_no_fit_is_asked_for_while_one_is_being_made():
    assert fits_of(Policy("every", every=1), [5, 6, 7, 8], takes=2) == [5, 8]


# What

values = Values(np.array([[8.0, -4.0], [0.0, 0.0], [3.0, -1.0]]), {}, ())


def asked_of(count: int, seed: int = 0) -> Asked:
    dice = np.random.default_rng(seed)
    return Asked(
        ids=dice.integers(0, 2**63, count).astype(np.uint64),
        values=values.table(slice(0, count), count),
        status_quo=np.full(count, 1, dtype=np.int8),
        held=dice.random(count) < 0.1,
    )


def decided(plan: Plan, asked: Asked, probabilities=None):
    return decide_under(
        plan, asked, actions=("express", "pass", "van"), seed=3, score=lambda _model: probabilities
    )


@given(
    st.integers(1, 60),
    st.integers(0, 5),
    st.sampled_from(["status quo", "model", "random 30%", "always van"]),
)
def test_one_case_at_a_time_is_decided_as_all_at_once(count, seed, decider):
    asked = asked_of(count, seed)
    shares = np.random.default_rng(seed).random(count)
    probabilities = np.column_stack([shares, 1 - shares])
    plan = Plan(decider, "m" if decider == "model" else None)
    whole = decided(plan, asked, probabilities)
    for n in range(count):
        rows = slice(n, n + 1)
        one = Asked(asked.ids[rows], asked.values[rows], asked.status_quo[rows], asked.held[rows])
        alone = decided(plan, one, probabilities[rows])
        assert alone.action[0] == whole.action[n]
        assert alone.expected.tobytes() == whole.expected[rows].tobytes()


def test_cases_that_came_too_late_are_left_to_the_status_quo():
    asked = asked_of(200)
    sure = np.column_stack([np.ones(200), np.zeros(200)])
    action = decided(Plan("model", "m"), asked, sure).action
    assert (action[asked.held] == 1).all()
    assert (action[~asked.held] == 0).all()


def test_the_random_dummy_acts_at_its_rate_and_takes_every_other_action():
    asked = asked_of(20_000)
    action = decided(Plan("random 30%"), asked).action[~asked.held]
    shares = np.bincount(action, minlength=3) / action.size
    assert shares == pytest.approx([0.15, 0.7, 0.15], abs=0.01)


def test_chance_is_uniform_and_belongs_to_the_id_alone():
    ids = np.arange(50_000, dtype=np.uint64)
    drawn = chance(ids, seed=1, salt="a")
    assert np.histogram(drawn, bins=10, range=(0, 1))[0] == pytest.approx(5000, rel=0.06)
    assert (chance(ids[::-1].copy(), seed=1, salt="a")[::-1] == drawn).all()
    assert abs(np.corrcoef(drawn, chance(ids, seed=1, salt="b"))[0, 1]) < 0.02
    assert abs(np.corrcoef(drawn, chance(ids, seed=2, salt="a"))[0, 1]) < 0.02


# Money

versions = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 5), st.sampled_from([-2, -1, 0, 1])), max_size=25
).map(sorted)


@given(versions, st.integers(1, 9), st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=6, max_size=6))
def test_settling_cycle_by_cycle_adds_up_to_the_money_of_the_last_truth(rows, step, actions):
    timeline = Timeline(
        decided_at=np.zeros(6, dtype=np.int64),
        truth_known_at=np.array([row[0] for row in rows], dtype=np.int64),
        truth_case=np.array([row[1] for row in rows], dtype=np.int32),
        truth_code=np.array([row[2] for row in rows], dtype=np.int8),
    )
    action, booked = np.array(actions, dtype=np.int8), unbooked(6)
    facts = []
    for now in range(step, 40 + step + 1, step):
        fact = settle(AsOf(timeline, now, since=now - step), action, booked=booked, values=values)
        if fact is not None:
            facts.append(fact)
    line = fold(facts).line
    truth = AsOf(timeline, 100).truth()
    mine = np.flatnonzero((action >= 0) & (truth >= 0))
    assert line.value == pytest.approx(values.of(mine, action[mine], truth=truth[mine]).sum())
    assert line.settled == mine.size
    assert line.unknown == int(((truth == -1) & (action >= 0)).sum())


# The whole


def test_the_ledger_adds_up_to_what_the_table_says(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    rehearsed = project.rehearse(["never", "every 10d", "random 10%", "always express"])
    for row in rehearsed.policies.filter(pl.col("policy") != "status quo").iter_rows(named=True):
        facts = [decode(line) for line in rehearsed.export(row["policy"])]
        state = fold(facts)
        assert isinstance(facts[-1], Closed)
        assert state.line.value - state.fits.paid == pytest.approx(row["total"])
        assert state.line.settled == row["settled"]
        assert state.decided == rehearsed.decisions(row["policy"]).height
        assert (state.fits.fitted, state.fits.paid) == (row["fits"], row["fit_costs"])
        spans = [fact for fact in facts if isinstance(fact, SpanDecided)]
        assert [one.until_at for one in spans[:-1]] == [other.at for other in spans[1:]]
        assert any(isinstance(fact, Settled) for fact in facts)


def test_a_fit_asked_for_at_t_enters_at_the_first_cycle_when_it_is_ready(tmp_path):
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels())).rehearse(["every 10d"])
    entered = rehearsed.fits.select((pl.col("effective_from") - pl.col("cut_at")).dt.total_days())
    assert entered.to_series().unique().to_list() == [1]


def test_before_the_first_model_the_status_quo_decides(tmp_path):
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels())).rehearse(["never"])
    decisions = rehearsed.decisions("never")
    entered = rehearsed.fits["effective_from"][0]
    before = decisions.filter(pl.col("decided_at") < entered)
    assert before["decided_by"].unique().to_list() == ["status quo"]
    assert decisions.filter(pl.col("decided_at") >= entered)["decided_by"].unique().to_list() == ["model"]


def test_a_corrected_outcome_restates_the_money_and_rewrites_no_line(tmp_path):
    cases, outcomes = worlds.parcels()
    project = wholeroad.open(worlds.write(tmp_path, cases, outcomes))
    first = project.rehearse(["always express"])
    before = dict(zip(first.policies["policy"], first.policies["total"], strict=True))
    lines = list(first.export("always express"))
    last = outcomes.filter(pl.col("reported_at") == pl.col("reported_at").max())
    fixed = last.with_columns(
        reported_at=pl.col("reported_at") + worlds.days(1),
        delay_h=pl.when(pl.col("delay_h") > 24).then(1.0).otherwise(99.0),
    )
    project.land_rows("deliveries", fixed)
    second = project.rehearse(["always express"])
    after = dict(zip(second.policies["policy"], second.policies["total"], strict=True))
    assert abs(after["always express"] - before["always express"]) == pytest.approx(12)
    assert list(first.export("always express")) == lines
    kept = [line for line in second.export("always express") if b"SpanDecided" in line]
    assert kept == [line for line in lines if b"SpanDecided" in line]


def test_fits_and_scores_are_shared_between_policies_and_runs(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    project.rehearse(["every 10d"])
    blobs = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / ".wholeroad" / "blobs").rglob("*")
        if path.is_file()
    }
    project.rehearse(["never", "every 10d", "every 20d"])
    again = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / ".wholeroad" / "blobs").rglob("*")
        if path.is_file()
    }
    assert again == blobs


def test_rows_landed_from_frames_are_rehearsed_like_files(tmp_path):
    cases, outcomes = worlds.parcels()
    brief = worlds.BRIEF.replace('"parcels.parquet"', '"none"').replace('"deliveries.parquet"', '"none"')
    project = wholeroad.open(worlds.write(tmp_path / "frames", cases, outcomes, brief=brief))
    project.land_rows("parcels", cases[:500])
    project.land_rows("parcels", cases[400:])
    project.land_rows("deliveries", outcomes)
    from_frames = project.rehearse(["never"])
    from_files = wholeroad.open(worlds.write(tmp_path / "files", cases, outcomes)).rehearse(["never"])
    assert from_frames.policies.equals(from_files.policies)
