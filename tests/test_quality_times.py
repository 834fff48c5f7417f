"""Laws of the questions about times, keys, outcomes and money: what is planted is named, and no more."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.core.instants import DAY, UNITS
from wholeroad.lessons.troubles_of_time import LESSONS
from wholeroad.road.brief.mends import MendStep
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.quality.money import money_of_features
from wholeroad.road.data.quality.money_rules import best_rule, scores_of_words
from wholeroad.road.data.quality.outcomes_rates import outcome_rates, segment_rates, wilson
from wholeroad.road.data.quality.outcomes_told import came_true
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_by_day import arrivals
from wholeroad.road.data.quality.times_days import days_of
from wholeroad.road.data.quality.times_questions import QUESTIONS_OF_TIME
from wholeroad.road.data.quality.times_rhythm import by_the_clock, rhythm_of
from wholeroad.road.data.quality.times_runs import Bounds, find_run
from wholeroad.road.data.quality.troubles import OF_TIME
from wholeroad.testing.troubles import TEMPLATES, clean_world, in_memory, plant

HOUR = UNITS["h"]


def seen_of(world):
    brief, versions, history = in_memory(world)
    return {
        name: Seen(brief, name, brief.source[name], rows, history, beside=versions)
        for name, rows in versions.items()
    }


@cache
def clean(template, seed=0):
    return seen_of(clean_world(template, seed=seed))


@cache
def planted(template, kind, seed=0):
    world, what = plant(clean_world(template, seed=seed), kind, size="large", seed=seed)
    return seen_of(world), what


def asked(seen):
    return [trouble for one in seen.values() for question in QUESTIONS_OF_TIME for trouble in question(one)]


# what is planted is named, what is clean is left in peace


def test_every_kind_has_its_question_and_its_lesson():
    assert len(QUESTIONS_OF_TIME) == len(OF_TIME) == len(set(QUESTIONS_OF_TIME))
    assert [code for lesson in LESSONS for code in lesson.answers] == list(OF_TIME) or {
        code for lesson in LESSONS for code in lesson.answers
    } == {*OF_TIME}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_clean_world_is_left_in_peace(template):
    assert [trouble.what for trouble in asked(clean(template))] == []


PLACES = {"quality.clock-shift": ("orders", "loans"), "quality.outcome-rate-shift": ("orders", "machines")}


@pytest.mark.parametrize("kind", OF_TIME)
def test_a_large_trouble_is_found_and_rightly_named(kind):
    for template in PLACES.get(kind, ("parcels", "loans")):
        seen, what = planted(template, kind)
        found = asked(seen)
        named = [
            each for each in found if what.is_named_by(each.code, source=each.source, columns=each.columns)
        ]
        assert named, (template, [each.code for each in found])
        for each in found:
            says_all(seen[each.source], each)


def says_all(seen, trouble):
    """A trouble says what, why, where and what to do; a step can be read, an expression finds rows."""
    assert trouble.code in OF_TIME
    assert trouble.strength >= 1
    assert trouble.rows > 0
    assert all((trouble.what, trouble.why, trouble.where, trouble.mend, trouble.leave))
    assert "nan" not in trouble.what.lower().split()
    if trouble.mend.startswith("{"):
        step = read_step(trouble.mend)
        assert step.form
    if (
        any(sign in trouble.where for sign in (" = ", " >= ", " is null", " in ("))
        and ":" not in trouble.where[:9]
    ):
        schema = pl.Schema({name: seen.rows.schema[name] for name in seen.columns})
        condition = bind(trouble.where, schema, where="test", expects="boolean", timezone="UTC")
        assert seen.rows.filter(condition.polars).height > 0


def read_step(text):
    import tomllib

    return MendStep.model_validate(tomllib.loads(f"step = {text}")["step"])


def test_a_planted_trouble_is_found_where_it_is():
    seen, what = planted("parcels", "quality.orphans")
    (found,) = [each for each in asked(seen) if each.code == "quality.orphans"]
    assert found.source == what.source
    assert found.rows == pytest.approx(what.rows, rel=0.05)
    assert all(found.columns[0] in example for example in found.examples)


def test_without_times_and_without_a_history_nothing_is_asked_in_vain():
    for one in clean("loans").values():
        alone = replace(one, history=None, beside={})
        assert [trouble for question in QUESTIONS_OF_TIME for trouble in question(alone)] == []


def test_a_few_rows_are_no_ground_for_anything():
    world = clean_world("orders", seed=3, rows=60)
    assert asked(seen_of(world)) == []


# runs of time


counts = st.lists(st.integers(0, 40), min_size=10, max_size=40)


@given(counts, st.data())
@settings(deadline=None, max_examples=60)
def test_law_what_is_rare_in_a_run_is_frequent_the_other_way_round(totals, data):
    totals = np.array(totals, dtype=float)
    hits = np.array([data.draw(st.integers(0, int(total))) for total in totals], dtype=float)
    run, other = find_run(hits, totals), find_run(totals - hits, totals)
    assert (run is None) == (other is None)
    if run is not None:
        assert run.surety == pytest.approx(other.surety)
        assert run.inside == pytest.approx(1 - other.inside)
        assert 0 <= run.first < run.last <= totals.size
        assert run.rows == hits[run.first : run.last].sum()
        assert run.of == totals[run.first : run.last].sum()


def test_law_equal_shares_are_no_run_and_a_step_is_one():
    totals = np.full(100, 50.0)
    assert find_run(totals * 0.2, totals) is None
    hits = np.where(np.arange(100) >= 60, 20.0, 5.0)
    for bounds in (Bounds(), Bounds(to_end=True)):
        run = find_run(hits, totals, bounds=bounds)
        assert (run.first, run.last) == (60, 100)
        assert (run.inside, run.outside) == (0.4, 0.1)


def test_chance_alone_hardly_ever_makes_a_run():
    dice = np.random.default_rng(5)
    totals = np.full(150, 20.0)
    found = [
        find_run(dice.binomial(20, 0.1, 150).astype(float), totals, bounds=Bounds(to_end=place % 2 == 0))
        for place in range(300)
    ]
    assert sum(run is not None for run in found) <= 4


def test_days_that_are_alike_within_themselves_are_no_run():
    dice = np.random.default_rng(6)
    totals = np.full(150, 20.0)
    found = 0
    for _ in range(100):
        share = np.repeat(dice.beta(10, 90, 30), 5)
        found += find_run(dice.binomial(20, share).astype(float), totals) is not None
    assert found <= 10


@given(st.lists(st.integers(0, 900 * DAY), min_size=1, max_size=60), st.integers(1, 50))
@settings(deadline=None)
def test_law_every_instant_falls_into_the_bin_of_its_day(instants, most):
    at = np.array(instants, dtype=np.int64)
    days = days_of(at, known=np.ones(at.size, dtype=bool), most=most)
    held = days.place >= 0
    assert days.count <= most
    assert held.sum() >= at.size / 2
    assert days.counted().sum() == held.sum()
    for instant, place in zip(at[held], days.place[held], strict=True):
        assert days.at(place) <= instant < days.at(place + 1)


def test_a_date_that_stands_for_nothing_doesn_t_stretch_the_days():
    at = np.array([*range(0, 300 * DAY, DAY), -80 * 365 * DAY], dtype=np.int64)
    days = days_of(at, known=np.ones(at.size, dtype=bool))
    assert days.count == 300
    assert days.place[-1] == -1


@given(st.lists(st.integers(0, 60 * 24), min_size=80, max_size=200), st.integers(0, 10**4))
@settings(deadline=None, max_examples=40)
def test_law_what_is_expected_rises_and_comes_to_about_all_rows(hours, day):
    at = np.sort(np.array(hours, dtype=np.int64)) * HOUR + day * DAY
    until = rhythm_of(at).expected_until(at)
    assert (np.diff(until) >= 0).all()
    assert until[-1] <= 2.5 * at.size
    if np.unique(at // DAY).size > 50:
        assert until[-1] >= 0.4 * at.size


def test_the_clock_on_the_wall_is_that_of_the_zone():
    summer, winter = 1_720_000_000 * 10**6, 1_705_000_000 * 10**6
    local = by_the_clock(np.array([winter, summer]), "Europe/Vienna")
    assert (local - np.array([winter, summer])).tolist() == [HOUR, 2 * HOUR]
    assert by_the_clock(np.array([7]), None).tolist() == [7]


# outcomes


@given(st.integers(0, 500), st.integers(1, 500), st.floats(1, 5))
@settings(deadline=None)
def test_law_an_interval_holds_its_share_and_narrows_with_cases(hits, n, spread):
    hits = min(hits, n)
    share, low, high = wilson(hits, n, spread=spread)
    assert 0 <= low <= share <= high <= 1
    _, closer, further = wilson(4 * hits, 4 * n, spread=spread)
    assert further - closer <= high - low


def test_rates_count_every_settled_case_once():
    seen = clean("orders")["orders"]
    came = came_true(seen.history)
    rates = outcome_rates(seen.history)
    assert sum(rate.n for rate in rates) == came.sound.sum()
    assert sum(round(rate.share * rate.n) for rate in rates) == came.hit[came.sound].sum()
    assert all(rate.low <= rate.share <= rate.high for rate in rates)
    channels = [rate for rate in segment_rates(seen) if rate.column == "channel"]
    assert sum(rate.cases for rate in channels) == seen.decided.height
    assert sum(rate.n for rate in channels) == came.sound.sum()


def test_what_is_known_at_the_decision_is_one_row_for_each_case():
    seen = clean("machines")["shifts"]
    assert seen.decided.height == seen.history.cases.frame.height
    assert seen.decided["_case"].n_unique() == seen.decided.height


# arrivals


def test_arrivals_count_every_row_on_both_its_days():
    for name, one in clean("parcels").items():
        found = arrivals(one)
        if not one.timed:
            assert found.days == ()
            continue
        assert sum(day.happened for day in found.days) == one.rows.height, name
        some = found.days[100]
        on_it = (one.clock.happened >= some.at) & (one.clock.happened < some.at + DAY)
        known_on_it = (one.clock.known >= some.at) & (one.clock.known < some.at + DAY)
        assert (some.happened, some.known) == (on_it.sum(), known_on_it.sum())
        assert sum(day.known for day in found.days) >= 0.99 * one.rows.height
        assert sum(week.rows for week in found.weeks) == one.rows.height
        assert all(list(week.delays_h) == sorted(week.delays_h) for week in found.weeks)
        assert all(later.at - day.at == DAY for day, later in zip(found.days, found.days[1:], strict=False))


# money


@given(st.integers(60, 200), st.floats(0, 0.3), st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
@example(60, 0.296875, 60)
def test_law_no_threshold_makes_more_than_the_best_rule(count, unknown, seed):
    dice = np.random.default_rng(seed)
    score = dice.integers(0, 10, count).astype(float)
    score[dice.random(count) < unknown] = np.nan
    money = dice.normal(0, 1, (count, 3)).round(3)
    money[:, 0] = 0.0
    rule = best_rule(score, money)
    known = ~np.isnan(score)
    best = 0.0
    for cut in [-np.inf, *np.unique(score[known])]:
        above = known & (score >= cut)
        below = known & ~above
        if (above.sum() >= 20 and below.sum() >= 20) or cut == -np.inf:
            best = max(
                best, money[above].sum(axis=0).max() + (money[below].sum(axis=0).max() if below.any() else 0)
            )
    if known.sum() < 40:  # too few for two sides
        assert rule is None
    elif rule is None:
        assert best <= 1e-9
    else:
        assert rule.gain(score[known], money[known]).sum() == pytest.approx(best)


def test_words_are_ordered_by_what_acting_brings_on_the_cases_learnt_from():
    codes = np.repeat([0, 1, 2, -1], 50)
    act = np.repeat([5.0, -3.0, 1.0, 9.0], 50)
    money = np.stack([np.zeros(200), act], axis=1)
    score = scores_of_words(codes, money, learn=np.arange(200) % 2 == 0)
    assert score[[0, 50, 100]].tolist() == [5.0, -3.0, 1.0]
    assert np.isnan(score[150:]).all()


def test_a_feature_that_decides_is_told_from_one_that_doesn_t():
    history = clean("parcels")["parcels"].history
    found = {each.name: each for each in money_of_features(history)}
    assert set(found) == set(history.features.schema)
    assert found["service"].low > 0
    assert found["service"].beyond_low > 0
    assert "standard" in found["service"].rule
    assert found["since_on"].low < 0 < found["since_on"].high
    assert next(iter(found)) == "service"


def test_bins_hold_every_settled_case_once_and_their_money_is_the_mean():
    history = clean("orders")["orders"].history
    came = came_true(history)
    for each in money_of_features(history):
        assert sum(one.cases for one in each.bins) == came.sound.sum()
        assert len([one for one in each.bins if one.label != "nothing known"]) <= 10
        hits = sum(one.share_hit * one.cases for one in each.bins)
        assert hits == pytest.approx(came.hit[came.sound].sum())
        for one in each.bins:
            assert one.money["pass"] == 0
            assert one.gain == pytest.approx(max(one.money.values()))
            assert one.low <= one.gain <= one.high


def test_the_first_half_chooses_the_rule_and_the_second_measures_it():
    history = clean("machines")["shifts"].history
    each = next(one for one in money_of_features(history) if one.name == "vibration_mm_s")
    sound = np.flatnonzero(came_true(history).sound)
    day = history.timeline.decided_at[sound] // DAY
    late = sound[day >= np.median(day)]
    assert each.cases == late.size
    cut = float(each.rule.split(" is ")[1].split(" or ")[0])
    act = (history.features.frame["vibration_mm_s"].gather(late) >= cut).fill_null(value=True).to_numpy()
    hit = came_true(history).hit[late]
    assert each.gain == pytest.approx(np.where(act, np.where(hit, 90, -25), 0).mean(), abs=0.2)


def test_cases_without_time_have_money_and_no_rates():
    rows = pl.DataFrame({"person": range(400), "age": [20 + row % 60 for row in range(400)]})
    rows = rows.with_columns(gone=pl.when(pl.col("age") > 55).then(pl.lit("yes")).otherwise(pl.lit("no")))
    history = timeless(rows)
    (age,) = money_of_features(history)
    assert age.low > 0
    assert outcome_rates(history) == ()


TIMELESS = """
format = 1
[brief]
name = "churn"
question = "Who leaves?"
[case]
source = "people"
[outcome]
kind = "binary"
classes = ["yes", "no"]
positive = "yes"
source = "people"
truth = "gone"
matures = "0s"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "wait" }
[value.of]
call = { yes = 20, no = -15 }
wait = { yes = 0, no = 0 }
[source.people]
read = "people.csv"
key = "person"
static = true
[feature]
age = { column = "age" }
[policy.refit]
first = "0s"
"""


def timeless(rows):
    from wholeroad.road.data.binding import bind_brief
    from wholeroad.road.data.timeless import stand_still
    from wholeroad.road.data.versions import Versions
    from wholeroad.road.data.work import assemble

    brief = read_brief(TIMELESS)
    sources = {"people": Versions("people", ("person",), rows, static=True)}
    bound = bind_brief(brief, {"people": rows.schema})
    return assemble(brief, stand_still(brief, sources), bound=bound)
