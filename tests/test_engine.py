"""The engine: when cycles are due, fits asked for, cases decided, money settled."""

import time
from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wholeroad
import worlds
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.ids import chance
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.core.view import AsOf, Timeline
from wholeroad.engine.agenda import agenda
from wholeroad.engine.book import Book
from wholeroad.engine.comparing import Run, _in_charge, _model_values
from wholeroad.engine.facts import Closed, Opened, decode
from wholeroad.engine.fold import State, fold
from wholeroad.road.brief.contract import CycleTable, FitTable, RefitTable
from wholeroad.road.brief.policies import Policy
from wholeroad.road.brief.values import TableValues
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.road.refit import FitLine, due
from wholeroad.road.release.facts import PlanFixed
from wholeroad.road.release.rules import Plan, advance
from wholeroad.road.release.work import Asked, Decided, decide_under
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


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="moves the machine to another time zone")
def test_an_instant_without_an_offset_is_utc_wherever_the_machine_stands(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert parse_instant("2024-05-06") == parse_instant("2024-05-06T00:00:00+00:00")
    finally:
        monkeypatch.undo()
        time.tzset()


def fits_of(policy: Policy, cycles: list[int], *, takes: int = 0, refused: frozenset[int] = frozenset()):
    line, asked = FitLine(), []
    table = RefitTable(first="0d", fit=FitTable(takes="0d", costs=1.0))
    table = table.model_copy(update={"fit": table.fit.model_copy(update={"takes": takes})})
    for now in cycles:
        fact = due(line, policy, table=table, now=now, began_at=0)
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


def test_no_fit_is_asked_for_before_there_is_as_much_history_as_the_brief_wants():
    table = RefitTable(first="2d", when="never")
    asks = [
        now for now in range(5) if due(FitLine(), Policy("never"), table=table, now=now * DAY, began_at=DAY)
    ]
    assert asks == [3, 4]
    assert due(FitLine(), Policy("never"), table=table, now=9 * DAY, began_at=None) is None


# What

TABLE = np.array([[8.0, -4.0], [0.0, 0.0], [3.0, -1.0]])


def asked_of(count: int, seed: int = 0) -> Asked:
    dice = np.random.default_rng(seed)
    return Asked(
        ids=dice.integers(0, 2**63, count).astype(np.uint64),
        values=TableValues(TABLE, {}, count),
        status_quo=np.full(count, 1, dtype=np.int8),
        held=dice.random(count) < 0.1,
    )


def decided(plan: Plan, asked: Asked, probabilities=None):
    return decide_under(
        plan, asked, actions=("express", "pass", "van"), width=2, seed=3, score=lambda _model: probabilities
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
        one = Asked(asked.ids[rows], asked.values.take(rows), asked.status_quo[rows], asked.held[rows])
        alone = decided(plan, one, probabilities[rows])
        assert alone.action[0] == whole.action[n]
        assert alone.expected.tobytes() == whole.expected[rows].tobytes()


def test_cases_that_came_too_late_are_left_to_the_status_quo():
    asked = asked_of(200)
    sure = np.column_stack([np.ones(200), np.zeros(200)])
    action = decided(Plan("model", "m"), asked, sure).action
    assert (action[asked.held] == 1).all()
    assert (action[~asked.held] == 0).all()


@pytest.mark.parametrize("decider", ["always van", "random 100%"])
def test_dummies_too_leave_cases_that_came_too_late_to_the_status_quo(decider):
    asked = asked_of(200)
    action = decided(Plan(decider), asked).action
    assert (action[asked.held] == 1).all()
    assert (action[~asked.held] != 1).all()


def test_the_random_dummy_draws_anew_under_another_seed():
    asked, actions = asked_of(2_000), ("express", "pass", "van")
    one, two = (
        decide_under(
            Plan("random 30%"), asked, actions=actions, width=2, seed=seed, score=lambda _model: None
        ).action
        for seed in (3, 4)
    )
    assert 0.3 < (one != two).mean() < 0.6


def fitted(model: str | None) -> ModelFitted:
    return ModelFitted(
        at=9, asked_at=5, cut="", rows=0, champion="", model=model, costs=1.0, why="because of money"
    )


def test_a_fit_puts_its_model_in_charge_or_the_status_quo_where_no_model_is_worth_using():
    plan = Plan("model", "m", 5)
    assert advance(plan, fitted("m"), now=9, effective_from=9) is None
    assert advance(plan, fitted("n"), now=9, effective_from=9) == PlanFixed(
        at=9, decider="model", model="n", effective_from=9
    )
    back = PlanFixed(at=9, decider="status quo", model=None, effective_from=9)
    assert advance(plan, fitted(None), now=9, effective_from=9) == back
    assert advance(plan.after(back), fitted(None), now=9, effective_from=9) is None


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
        values = TableValues(TABLE, {}, 6)
        fact = settle(AsOf(timeline, now, since=now - step), action, booked=booked, values=values)
        if fact is not None:
            facts.append(fact)
    line = fold(facts).line
    truth = AsOf(timeline, 100).truth()
    mine = np.flatnonzero((action >= 0) & (truth >= 0))
    assert line.value == pytest.approx(values.take(mine).money(action[mine], truth=truth[mine]).sum())
    assert line.settled == mine.size
    assert line.unknown == int(((truth == -1) & (action >= 0)).sum())


def test_a_correction_is_counted_as_restated_and_moves_the_difference_alone():
    timeline = Timeline(
        decided_at=np.zeros(2, dtype=np.int64),
        truth_known_at=np.array([1, 1, 5, 7, 8], dtype=np.int64),
        truth_case=np.array([0, 1, 0, 1, 1], dtype=np.int32),
        truth_code=np.array([0, 0, 1, -1, -1], dtype=np.int8),
    )
    action, booked = np.array([0, 2], dtype=np.int8), unbooked(2)
    values = TableValues(TABLE, {}, 2)
    facts = [
        settle(AsOf(timeline, now, since=now - 1), action, booked=booked, values=values)
        for now in (1, 5, 7, 8)
    ]
    assert facts == [
        Settled(at=1, settled=2, restated=0, unknown=0, value=11.0),
        Settled(at=5, settled=0, restated=1, unknown=0, value=-12.0),
        Settled(at=7, settled=-1, restated=0, unknown=1, value=-3.0),
        None,
    ]


# The whole


def changed(*changes: tuple[str, str]) -> str:
    brief = worlds.BRIEF
    for old, new in changes:
        assert old in brief
        brief = brief.replace(old, new)
    return brief


def facts_of(rehearsed, policy):
    return [decode(line) for line in rehearsed.export(policy)]


def test_each_span_is_decided_by_the_plan_that_was_fixed_when_it_began(tmp_path):
    policies = ["never", "every 10d", "random 10%", "always express"]
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels())).rehearse(policies)
    for policy in policies:
        plan, spans = None, 0
        for fact in facts_of(rehearsed, policy):
            if isinstance(fact, PlanFixed):
                plan = fact
                assert plan.effective_from == plan.at
            elif isinstance(fact, SpanDecided):
                spans += 1
                decisions = rehearsed.decisions(policy).filter(pl.col("span") == spans)
                assert (fact.decider, fact.model) == (plan.decider, plan.model)
                assert decisions["decided_by"].unique().to_list() == [plan.decider]
                assert decisions["decided_at"].to_physical().is_between(fact.at, fact.until_at - 1).all()
        assert spans == rehearsed.decisions(policy)["span"].n_unique()


def test_a_dummy_decides_from_the_first_cycle_on(tmp_path):
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(days=25))).rehearse(["always express"])
    decisions = rehearsed.decisions("always express")
    assert decisions["action"].unique().to_list() == ["express"]
    assert decisions["decided_by"].unique().to_list() == ["always express"]


def test_a_model_whose_fit_takes_no_time_decides_from_the_cycle_that_asked_for_it(tmp_path):
    brief = changed(('takes = "2h"', 'takes = "0s"'))
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(), brief=brief)).rehearse(["never"])
    assert rehearsed.fits["effective_from"].equals(rehearsed.fits["cut_at"].rename("effective_from"))
    assert rehearsed.decisions("never")["decided_by"].unique().to_list() == ["model"]


@pytest.mark.parametrize("if_late", ["decide", "status_quo"])
def test_the_brief_says_who_decides_what_came_too_late(tmp_path, if_late):
    brief = changed(('"sent_at - 1h"', f'"sent_at - 1h"\nif_late = "{if_late}"'))
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(), brief=brief))
    rehearsed = project.rehearse(["never", "always express"])
    for policy in ("never", "always express"):
        action = rehearsed.decisions(policy)["action"]
        late = rehearsed.history.cases.frame["_late"][-action.len() :].to_numpy()
        assert late.sum() > 5
        assert (set(action.filter(late)) == {"pass"}) == (if_late == "status_quo")


def test_the_status_quo_and_the_values_may_differ_from_case_to_case(tmp_path):
    brief = changed(
        ('{ action = "pass" }', "{ expression = \"case when depot = 'A' then 'express' else 'pass' end\" }"),
        ("late = 8,", "late = 'weight_kg + 1',"),
    )
    cases, outcomes = worlds.parcels()
    rehearsed = wholeroad.open(worlds.write(tmp_path, cases, outcomes, brief=brief)).rehearse(["status quo"])
    rows = rehearsed.decisions("status quo").join(cases, on="parcel_id").join(outcomes, on="parcel_id")
    assert ((rows["action"] == "express") == (rows["depot"] == "A")).all()
    sent = rows.filter(pl.col("action") == "express")
    worth = pl.when(pl.col("delay_h") > 24).then(pl.col("weight_kg") + 1).otherwise(-4)
    expected = sent.select(worth.sum()).item()
    assert rehearsed.policies["total"].to_list() == pytest.approx([expected])
    assert fold(facts_of(rehearsed, "status quo")).line.value == pytest.approx(expected)


def test_a_model_decides_each_case_by_the_values_of_that_case(tmp_path):
    brief = changed(
        ("late = 8,", "late = 'weight_kg + 1',"), ("{ late = 0, on", "{ late = 'weight_kg / 9', on")
    )
    cases, outcomes = worlds.parcels()
    rehearsed = wholeroad.open(worlds.write(tmp_path, cases, outcomes, brief=brief)).rehearse(["never"])
    rows = rehearsed.decisions("never").drop_nulls("model").join(cases, on="parcel_id")
    assert rows.height > 500
    late, weight = rows["p_late"], rows["weight_kg"]
    money = pl.DataFrame(
        {"express": late * (weight + 1) - 4 * rows["p_on_time"], "pass": late * (weight / 9)}
    )
    assert rows["expected_value"].to_list() == pytest.approx(money.max_horizontal().to_list())
    assert ((money["express"] > money["pass"]) == (rows["action"] == "express")).all()
    assert rows["action"].n_unique() == 2


def test_a_span_is_sealed_after_a_quarter_of_a_year_of_cycles_at_the_latest(tmp_path):
    brief = changed(('every = "1d"', 'every = "2h"'))
    rehearsed = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(days=40), brief=brief)).rehearse(
        ["always express"]
    )
    spans = [fact for fact in facts_of(rehearsed, "always express") if isinstance(fact, SpanDecided)]
    cycles = [(span.until_at - span.at) // (DAY // 12) for span in spans]
    assert len(cycles) > 2
    assert set(cycles[:-1]) == {92}
    assert cycles[-1] <= 92


def test_the_seal_of_a_span_knows_every_decision(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(days=10)))
    project.land()
    history = project.history()
    some = Decided(np.zeros(5, dtype=np.int8), np.full((5, 2), 0.5), np.zeros(5))
    another, doubt = some.action.copy(), some.probabilities.copy()
    another[3], doubt[3] = 1, [0.5 - 1e-9, 0.5 + 1e-9]

    def seal(decided: Decided, first: int) -> str:
        book = Book(history, MemoryTables())
        cases = np.arange(first, first + 5)
        return book.seal(Plan("model", "m", 0), decided, cases=cases, span=1, at=0, until_at=1).digest

    assert seal(some, 0) == seal(some, 0)
    others = [(some, 1), (replace(some, action=another), 0), (replace(some, probabilities=doubt), 0)]
    assert len({seal(*one) for one in [(some, 0), *others]}) == 4


def test_the_oracle_has_each_model_from_when_it_entered_at_its_price_and_as_it_decided(tmp_path):
    brief = changed(('"sent_at - 1h"', '"sent_at - 1h"\nif_late = "status_quo"'))
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(), brief=brief))
    rehearsed = project.rehearse(["every 10d"])
    history = rehearsed.history
    fits = [fact for fact in facts_of(rehearsed, "every 10d") if isinstance(fact, ModelFitted) and fact.model]
    again = [msgspec.structs.replace(fact, at=fact.at + DAY) for fact in fits]
    runs = [
        Run(policy, np.empty(0, dtype=np.int8), tuple(facts), State())
        for policy, facts in (("later", again), ("every 10d", fits))
    ]
    cases = history.cases.frame.height
    models = _model_values(history, runs, project._workshop(history), first=0, last=cases, progress=None)
    assert len(fits) > 2
    assert models.effective_from.tolist() == [fact.at for fact in fits]
    assert models.costs.tolist() == [5.0] * len(fits)
    decisions = rehearsed.decisions("every 10d")
    taken = decisions["action"].replace_strict({"express": 0, "pass": 1}).to_numpy()
    for fact, actions in zip(fits, models.actions, strict=True):
        before = history.timeline.decided_at < fact.at
        assert (actions[before] == history.status_quo[before]).all()
        mine = (decisions["model"] == fact.model).fill_null(value=False).to_numpy()
        assert (actions[-taken.size :][mine] == taken[mine]).all()
        assert mine.sum() > 50


def test_calibration_counts_the_cases_that_a_model_was_in_charge_of(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels()))
    rehearsed = project.rehearse(["never"])
    history = rehearsed.history
    (came,) = [fact for fact in facts_of(rehearsed, "never") if isinstance(fact, ModelFitted)]
    left_at = came.at + 5 * DAY
    fits = (came, msgspec.structs.replace(came, at=left_at, model=None))
    run = Run("every 5d", np.empty(0, dtype=np.int8), fits, State())
    decided_at = history.timeline.decided_at
    asked = _in_charge(history, run, project._workshop(history), 0, decided_at.size)
    assert (~np.isnan(asked[:, 0]) == ((decided_at >= came.at) & (decided_at < left_at))).all()


def test_each_fit_costs_what_the_brief_says(tmp_path):
    policies = (
        wholeroad.open(worlds.write(tmp_path, *worlds.parcels())).rehearse(["never", "every 10d"]).policies
    )
    assert dict(zip(policies["policy"], policies["fit_costs"], strict=True))["never"] == 5
    assert policies["fit_costs"].to_list() == [5 * fits for fits in policies["fits"]]


def test_a_rehearsal_begins_when_first_has_passed_even_if_asked_to_begin_before(tmp_path):
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(days=30)))
    rehearsed = project.rehearse(["status quo"], from_at=worlds.at(days=2))
    assert rehearsed.comparison.from_at == worlds.at(days=20)
    assert rehearsed.decisions("status quo")["decided_at"].to_physical().min() >= worlds.at(days=20)


def test_other_data_another_brief_span_or_policy_is_another_rehearsal(tmp_path):
    cases, outcomes = worlds.parcels(days=30)
    folder = worlds.write(tmp_path, cases, outcomes[:-1])
    whole = wholeroad.open(folder).rehearse(["always express", "always pass"])
    short = wholeroad.open(folder).rehearse(["always express"], to_at=worlds.at(days=25))
    late = wholeroad.open(folder).rehearse(["always express"], from_at=worlds.at(days=25))
    wholeroad.open(folder).land_rows("deliveries", outcomes[-1:])
    fuller = wholeroad.open(folder).rehearse(["always express"])
    (folder / "brief.toml").write_text(changed(("on_time = -4", "on_time = -5")))
    dearer = wholeroad.open(folder).rehearse(["always express"])
    rehearsals = [whole, short, late, fuller, dearer]
    opened = [facts_of(one, "always express")[0] for one in rehearsals]
    opened.append(facts_of(whole, "always pass")[0])
    assert all(isinstance(fact, Opened) for fact in opened)
    assert len({fact.manifest for fact in opened}) == 6
    assert len({one.folder for one in rehearsals}) == 5


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
