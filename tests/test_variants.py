"""What a change of the data is worth: the same policy with it and without it, on the same cases."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wholeroad
from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.learners import make_learners
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.errors import UserError
from wholeroad.core.estimates import Estimate
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.next_data import NOISE
from wholeroad.engine.rehearsal import walk_through
from wholeroad.engine.storehouse import Storehouse
from wholeroad.engine.variants import (
    LUCKY,
    Variant,
    difference,
    luck_of_fits,
    policy_of,
    walk,
    with_chance_column,
    with_wrong_labels,
)
from wholeroad.engine.workshop import Workshop
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.versioning import known_at_once
from wholeroad.road.data.versions import HAPPENED, KNOWN
from worlds import BRIEF, corrected, parcels, write


def landed(cases, outcomes, *, brief=BRIEF):
    """Land a small world in memory."""
    tables = MemoryTables()
    intake = Intake(tables, MemoryLedger(decode))
    read = read_brief(brief)
    for name, rows in (("parcels", cases), ("deliveries", outcomes)):
        intake.take(name, read.source[name], rows=rows, now=0, imported=True)
    return read, tables


def variant(read, tables, name="as it is", *, at_once=(), change=lambda history: history):
    history = change(Storehouse(read, tables, threads=1, at_once=at_once).history())
    learners = make_learners(read.candidates, threads=1)
    return Variant(name, history, Workshop(history, learners, blobs=MemoryBlobs(), recipe="test"))


def stores():
    return MemoryTables(), MemoryLedger(decode)


def walked(one, span):
    return walk(one, span, policy=policy_of(one.history), stores=stores)


def without(read, *features):
    kept = {name: feature for name, feature in read.feature.items() if name not in features}
    return read.model_copy(update={"feature": kept})


@pytest.fixture(scope="module")
def world():
    read, tables = landed(*parcels(days=60, per_day=30))
    base = variant(read, tables)
    span = walk_through(base.history, from_at=None, to_at=None)
    other = variant(without(read, "weight"), tables, "without weight")
    return read, tables, base, span, walked(base, span), walked(other, span)


# Differences


def test_nothing_differs_from_itself(world):
    *_, base, _, one, _ = world
    found = difference(one, one, judge=base.history)
    assert (found.total.value, found.total.low, found.total.high) == (0, 0, 0)
    assert (found.only_with, found.only_without, found.decided_otherwise) == (0, 0, 0)


def test_the_difference_changes_its_sign_with_the_order(world):
    *_, base, _, one, other = world
    there = difference(one, other, judge=base.history)
    back = difference(other, one, judge=base.history)
    assert there.total.value == pytest.approx(-back.total.value)
    assert (there.total.low, there.total.high) == pytest.approx((-back.total.high, -back.total.low))
    assert there.decided_otherwise == back.decided_otherwise > 0


def test_the_difference_is_the_money_of_both_taken_apart(world):
    *_, base, span, one, other = world
    history = base.history
    truth = history.as_of(history.until + 1).truth()

    def money(each):
        rows = np.flatnonzero((each.action >= 0) & (truth >= 0))
        return history.values.take(rows).money(each.action[rows], truth=truth[rows]).sum() - each.costs

    found = difference(one, other, judge=history)
    assert found.total.value == pytest.approx(money(one) - money(other))
    months = (span.to_at - span.from_at) / (86_400_000_000 * 365.25 / 12)
    assert found.per_month.value * months == pytest.approx(found.total.value)


def test_more_looks_make_wider_intervals(world):
    *_, base, _, one, other = world
    widths = [difference(one, other, judge=base.history, looks=looks).total for looks in (1, 5, 50)]
    assert widths[0].high < widths[1].high < widths[2].high
    assert widths[0].low > widths[1].low > widths[2].low


def test_cases_of_one_variant_alone_are_counted_and_in_no_money(world):
    read, _, base, span, one, _ = world
    cases, outcomes = parcels(days=60, per_day=30)
    fewer, tables = landed(cases.filter(pl.col("parcel_id") % 7 != 0), outcomes)
    part = walked(variant(fewer, tables, "fewer"), span)
    found = difference(one, part, judge=base.history)
    assert found.only_with == int((one.action >= 0).sum() - (part.action >= 0).sum()) > 0
    assert found.only_without == 0
    assert found.cases < (one.action >= 0).sum()
    del read


def test_no_common_case_is_said(world):
    *_, base, span, one, _ = world
    cases, outcomes = parcels(days=60, per_day=30)
    read, tables = landed(
        cases.with_columns(pl.col("parcel_id") + 10**6), outcomes.with_columns(pl.col("parcel_id") + 10**6)
    )
    with pytest.raises(UserError) as caught:
        difference(one, walked(variant(read, tables, "strangers"), span), judge=base.history)
    assert caught.value.code == "data.no-common-cases"


# Wrong labels


@given(share=st.floats(0, 0.5))
@settings(max_examples=15, deadline=None)
def test_so_many_labels_are_wrong_and_nothing_else_is(world, share):
    history = world[2].history
    noised = with_wrong_labels(history, share=share)
    was, now = history.timeline.truth_code, noised.timeline.truth_code
    assert np.mean(was[was >= 0] != now[was >= 0]) == pytest.approx(share, abs=0.04)
    assert np.array_equal(was[was < 0], now[was < 0])
    assert ((now >= 0) == (was >= 0)).all()
    assert noised.features is history.features
    assert np.array_equal(noised.timeline.truth_known_at, history.timeline.truth_known_at)


def test_more_wrong_labels_are_the_same_ones_and_more(world):
    history = world[2].history
    few = with_wrong_labels(history, share=NOISE).timeline.truth_code != history.timeline.truth_code
    many = with_wrong_labels(history, share=4 * NOISE).timeline.truth_code != history.timeline.truth_code
    assert many[few].all()
    assert many.sum() > 2 * few.sum()


# Fresher rows


@given(seed=st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_at_once_no_row_is_known_later_and_none_before_it_happens(seed):
    cases, outcomes = parcels(days=6, seed=seed)
    read, tables = landed(cases, corrected(outcomes))
    usual = Storehouse(read, tables, threads=1)
    sooner = Storehouse(read, tables, threads=1, at_once={"deliveries", "parcels"})
    for name in ("deliveries", "parcels"):
        keys = ["parcel_id", "_order"]
        one, other = (store.versions(name).frame.sort(keys) for store in (usual, sooner))
        assert one.drop(KNOWN, "_superseded_at", "_first_known_at").equals(
            other.drop(KNOWN, "_superseded_at", "_first_known_at")
        )
        assert (other[KNOWN] <= one[KNOWN]).all()
        assert (other[KNOWN] >= pl.select(pl.min_horizontal(one[KNOWN], one[HAPPENED])).to_series()).all()
        gaps = [
            frame.select(pl.col(KNOWN).max().over("parcel_id") - pl.col(KNOWN)).to_series()
            for frame in (one, other)
        ]
        assert gaps[0].equals(gaps[1])
    planned = usual.versions("parcels").frame
    assert sooner.versions("parcels").frame.equals(planned)  # known before they happen already


def test_a_static_source_has_nothing_to_be_fresher():
    frame = pl.DataFrame({"id": ["a"], "seats": [3]})
    source = read_brief(BRIEF).source["parcels"].model_copy(update={"static": True})
    assert known_at_once(frame, source) is frame


# Samples


@given(most=st.integers(10, 400))
@settings(max_examples=15, deadline=None)
def test_a_sample_has_whole_keys_and_about_as_many_rows(most):
    cases, outcomes = parcels(days=20)
    read, tables = landed(cases, corrected(outcomes))
    store = Storehouse(read, tables, threads=1)
    versions, share = store.sampled("deliveries", most)
    every = store.versions("deliveries").frame
    assert share == pytest.approx(min(1.0, most / every.height))
    keys = versions.frame["parcel_id"].unique()
    assert every.filter(pl.col("parcel_id").is_in(keys.implode())).equals(versions.frame)
    assert versions.frame.height == pytest.approx(most, abs=6 * np.sqrt(most) + 5)


# Luck


@pytest.mark.parametrize("seed", range(6))
def test_a_few_gains_don_t_hide_the_great_loss_that_hasn_t_come_yet(world, seed):
    _, _, base, _, one, _ = world
    history = base.history
    table = np.array([[1.0, -30.0], [0.0, 0.0]])
    values = replace(history.values, constant=table, varying={})
    judge = replace(history, values=values)
    truth = history.as_of(history.until + 1).truth()
    good = np.flatnonzero((one.action >= 0) & (truth == 0))
    some = np.random.default_rng(seed).choice(good, 12, replace=False)
    did, instead = one.action.copy(), one.action.copy()
    did[some], instead[some] = 0, 1
    found = difference(replace(one, action=did), replace(one, action=instead), judge=judge)
    assert found.per_month.value > 0
    assert found.per_month.low < 0 < found.per_month.high


def test_cases_whose_money_is_unknown_are_in_no_figure(world):
    _, _, base, _, one, other = world
    history = base.history
    count = history.timeline.decided_at.size
    unknown = {(0, 0): np.where(np.arange(count) % 2 == 0, np.nan, 2.0)}
    judge = replace(history, values=replace(history.values, varying=unknown))
    found = difference(one, other, judge=judge)
    assert np.isfinite(found.total.value)
    assert found.cases < difference(one, other, judge=history).cases


def test_a_column_of_chance_is_another_each_time_and_leaves_the_rest_as_it_was(world):
    history = world[2].history
    one, two = (with_chance_column(history, draw=draw).features.frame for draw in (0, 1))
    assert one.drop("_chance").equals(history.features.frame)
    assert abs(np.corrcoef(one["_chance"], two["_chance"])[0, 1]) < 5 / np.sqrt(one.height)
    assert one.equals(with_chance_column(history, draw=0).features.frame)


@given(luck=st.floats(0, 100), looks=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_luck_only_widens_and_a_change_that_changes_nothing_stays(world, luck, looks):
    _, _, base, _, one, other = world
    found = difference(one, other, judge=base.history, looks=looks)
    wide = found.widened(luck)
    assert wide.per_month.value == found.per_month.value
    assert wide.per_month.low <= found.per_month.low + 1e-9
    assert wide.per_month.high >= found.per_month.high - 1e-9
    assert found.widened(0.0).per_month.low == pytest.approx(found.per_month.low)
    assert found.widened(luck + 1).per_month.high >= wide.per_month.high
    same = difference(one, one, judge=base.history, looks=looks)
    assert same.widened(luck) == same


def test_luck_is_widened_by_student_s_quantile_of_so_many_columns(world):
    t = pytest.importorskip("scipy.stats").t
    _, _, base, _, one, other = world
    found = difference(one, other, judge=base.history, looks=7)
    sure = replace(found, per_month=replace(found.per_month, low=found.per_month.value))
    quantile = t.ppf(1 - 0.025 / 7, LUCKY)
    assert sure.per_month.value - sure.widened(3.0).per_month.low == pytest.approx(3 * quantile)


def test_the_luck_of_fits_is_what_days_leave_unsaid(world):
    _, _, base, _, one, other = world
    found = difference(one, other, judge=base.history)
    sure = [
        replace(found, per_month=Estimate(value, value - 2, value + 2)) for value in (5.0, -5.0, 5.0, -5.0)
    ]
    assert luck_of_fits(sure) == pytest.approx(np.sqrt(25 - 1))
    assert luck_of_fits([replace(found, per_month=Estimate(0.1, -9, 9))] * LUCKY) == 0.0


def test_where_no_model_was_ever_in_charge_nothing_is_said_of_a_column(tmp_path):
    brief = BRIEF.replace("least_outcomes = 10", "least_outcomes = 10000")
    assert brief != BRIEF
    project = wholeroad.open(write(tmp_path, *parcels(days=60, per_day=12), brief=brief))
    project.land()
    found = project.data.next(["weight"])
    for step in found.steps:
        if step.kind != "rows":
            assert step.per_month is None
            assert step.verdict == "can't be told"
            assert "no model was ever in charge" in step.why


def test_what_rests_on_one_fit_is_said_to(tmp_path):
    brief = BRIEF.replace('when = "every 10d"', 'when = "never"')
    project = wholeroad.open(write(tmp_path, *parcels(days=50, per_day=30), brief=brief))
    project.land()
    for step in project.data.next(["weight"]).steps:
        assert ("rests on one fit" in step.why) == (step.kind != "rows" and step.per_month is not None)


# Told apart


def test_a_useful_column_is_told_from_a_useless_one():
    dice = np.random.default_rng(7)
    brief = BRIEF.replace("[feature]\n", '[feature]\nnoise = { column = "noise" }\n').replace("10d", "20d")
    useful = useless = 0
    for seed in range(6):
        cases, outcomes = parcels(days=140, per_day=40, seed=seed)
        cases = cases.with_columns(pl.Series("noise", dice.normal(size=cases.height)))
        read, tables = landed(cases, outcomes, brief=brief)
        base = variant(read, tables)
        span = walk_through(base.history, from_at=None, to_at=None)
        one = walked(base, span)
        found = {
            name: difference(
                one, walked(variant(without(read, name), tables, name), span), judge=base.history, looks=2
            )
            for name in ("weight", "noise")
        }
        useful += found["weight"].per_month.low > 0
        useless += found["noise"].per_month.low > 0
    assert useful >= 5
    assert useless <= 1


def test_the_table_of_what_to_do_next_names_each_with_its_price(tmp_path):
    brief = BRIEF.replace('known_at = "reported_at"', 'known_at = "reported_at"\ncosts_per_month = 3')
    project = wholeroad.open(write(tmp_path, *parcels(days=60, per_day=30), brief=brief))
    project.land()
    found = project.data.next(["weight"])
    kinds = {(step.kind, step.name) for step in found.steps}
    assert kinds == {
        ("column", "outcomes"), ("column", "weight"), ("fresher", "deliveries"), ("labels", "labels"),
        ("rows", "rows"),
    }  # fmt: skip
    worths = [step.per_month.value for step in found.steps if step.per_month]
    assert worths == sorted(worths, reverse=True)
    assert found.perfect > 0
    assert found.looks == 4
    assert not replace(found.steps[0], per_month=None).per_month
