"""The collection plan: what a brief asks of data that aren't there, how much of it, and until when."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import wholeroad
import worlds
from wholeroad.core.expressions.columns import columns_in
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.interfaces.cli.planning import show_plan
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.asked_columns import asked_columns
from wholeroad.road.data.collecting import RATES, SHARES, plan_collection, sources_to_collect
from wholeroad.road.data.sizing import POWER, outcomes_needed, widest_spread
from wholeroad.road.model.slices import least_cases

NOW = parse_instant("2026-03-01")
TO_BE = worlds.BRIEF.replace('read = "parcels.parquet"', 'read = "none"').replace(
    'read = "deliveries.parquet"', 'read = "none"'
)
STATED = "[collect]\ncases_per_day = 80\npositive_share = 0.03\n"

prudent = settings(deadline=None, max_examples=60)


def plan(text=TO_BE + STATED, counts=None, now=NOW):
    return plan_collection(read_brief(text), counts, now=now, fit_cases=least_cases())


def needed(plan, start) -> int:
    return next(need.cases for need in plan.needs if need.purpose.startswith(start))


# The reckoning.


@given(
    spread=st.floats(0.1, 100),
    gain=st.floats(0.1, 10),
    confidence=st.floats(0.6, 0.99),
    more=st.floats(1.1, 5),
)
@prudent
def test_more_cases_are_needed_for_less_gain_more_spread_and_more_confidence(spread, gain, confidence, more):
    number = outcomes_needed(spread, gain=gain, confidence=confidence)
    assert outcomes_needed(spread * more, gain=gain, confidence=confidence) >= number
    assert outcomes_needed(spread, gain=gain * more, confidence=confidence) <= number
    assert outcomes_needed(spread, gain=gain, confidence=1 - (1 - confidence) / more) >= number


def test_the_number_of_cases_has_the_power_that_it_promises():
    number = outcomes_needed(10.0, gain=1.0, confidence=0.95)
    dice = np.random.default_rng(0)
    means = dice.normal(1.0, 10.0 / np.sqrt(number), 20_000)
    assert (means > 1.6449 * 10.0 / np.sqrt(number)).mean() == pytest.approx(POWER, abs=0.015)


@given(
    values=st.lists(st.floats(-100, 100), min_size=2, max_size=5),
    shares=st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
)
@prudent
def test_no_shares_of_outcomes_spread_more_than_the_widest_spread(values, shares):
    weights = np.array(shares[: len(values)]) / sum(shares[: len(values)])
    money = np.array(values)
    spread = np.sqrt(weights @ (money - weights @ money) ** 2)
    assert spread <= widest_spread(values) + 1e-9
    assert spread <= widest_spread(values, first=float(weights[0])) + 1e-9


def test_the_plan_and_the_check_reckon_alike(tmp_path):
    cases, outcomes = worlds.parcels(days=60, per_day=40)
    share = float((outcomes["delay_h"] > 24).mean())
    text = worlds.BRIEF.replace("per_case = 0.1", "per_case = 0.05")
    text += f"[collect]\ncases_per_day = 40\npositive_share = {share}\n"
    (gain,) = [need for need in plan(text).needs if need.purpose.startswith("telling")]
    findings = wholeroad.open(worlds.write(tmp_path, cases, outcomes, brief=text)).check()
    (few,) = [finding for finding in findings if finding.code == "check.too-few-outcomes"]
    told = int(few.happened.rpartition("about ")[2].replace(",", ""))
    assert gain.cases == pytest.approx(told, rel=0.01)


# Tables and columns.


def test_every_column_of_the_brief_is_asked_for_and_no_other():
    brief = read_brief(TO_BE)
    parcels = {column.name: column for column in asked_columns(brief, "parcels")}
    assert list(parcels) == ["parcel_id", "sent_at", "booked_at", "weight_kg", "depot"]
    assert parcels["sent_at"].kind == "instant"
    assert parcels["sent_at"].roles == ("happened_at",)
    deliveries = {column.name: column.kind for column in asked_columns(brief, "deliveries")}
    assert deliveries == {
        "parcel_id": None,
        "delivered_at": "instant",
        "reported_at": "instant",
        "delay_h": "number",
    }


def test_columns_of_values_windows_lookups_and_logs_are_asked_for():
    text = TO_BE.replace("on_time = -4 }", 'on_time = "-0.1 * price" }')
    text = text.replace("[feature]\n", '[feature]\nsize = { lookup = "depots.size", by = "depot" }\n')
    text = text.replace(
        "[feature]\n",
        "[feature]\nheavy = { count = \"case_kg > 5 and kind = 'box'\", of = 'parcels', over = '2d' }\n",
    )
    text += '[source.depots]\nread = "none"\nkey = "depot"\nstatic = true\n'
    text += '[incumbent]\nscore = "old_score"\naction = "coalesce(old_action, \'pass\')"\n'
    brief = read_brief(text)
    kinds = {column.name: column.kind for column in asked_columns(brief, "parcels")}
    assert kinds["price"] == kinds["case_kg"] == kinds["old_score"] == "number"
    assert kinds["kind"] == kinds["old_action"] == "text"
    assert {column.name for column in asked_columns(brief, "depots")} == {"depot", "size"}


def test_a_source_without_times_is_asked_for_both():
    text = TO_BE.replace('happened_at = "delivered_at"\n', "").replace('known_at = "reported_at"\n', "")
    asked = asked_columns(read_brief(text), "deliveries")
    assert [column.name for column in asked][:3] == ["parcel_id", "happened_at", "known_at"]


@pytest.mark.parametrize(
    ("text", "expects", "columns"),
    [
        ("at_a - at_b > 2h", "any", {"at_a": "instant", "at_b": "instant"}),
        ("x is null", "boolean", {"x": None}),
        ("paid is true and not gone", "boolean", {"paid": "boolean", "gone": "boolean"}),
        ("case grade when 'A' then 1 else score end", "any", {"grade": "text", "score": "number"}),
        ("cast(a as date) < b", "any", {"a": None, "b": "instant"}),
        ("least(x, y, 3)", "any", {"x": "number", "y": "number"}),
        (
            "name like 'a%' or length(code) between low and 9",
            "any",
            {"name": "text", "code": "text", "low": "number"},
        ),
        ("this is ( no expression", "any", {}),
    ],
)
def test_an_expression_tells_its_columns_and_their_kinds(text, expects, columns):
    assert columns_in(text, expects) == columns


# Rows and dates.


def test_what_is_there_already_is_not_to_be_made():
    brief = read_brief(TO_BE)
    assert sources_to_collect(brief) == ("parcels", "deliveries")
    assert sources_to_collect(brief, {"parcels": 5}) == ("deliveries",)
    assert sources_to_collect(read_brief(worlds.BRIEF)) == ()
    assert [table.source for table in plan(counts={"parcels": 5}).there] == ["parcels"]


def test_a_first_fit_needs_enough_of_the_rarer_outcome_and_full_slices():
    assert needed(plan(), "a first fit") == round(10 / 0.03 + 0.5)
    assert needed(plan(TO_BE + STATED.replace("0.03", "0.4")), "a first fit") == least_cases()
    assert needed(plan(TO_BE + STATED.replace("0.03", "0.97")), "a first fit") == needed(
        plan(), "a first fit"
    )


def test_a_rehearsal_needs_the_fit_and_then_the_gain():
    assert needed(plan(), "a rehearsal") == needed(plan(), "a first fit") + needed(plan(), "telling")


def test_without_a_share_the_worst_is_taken_and_said():
    without = plan(TO_BE)
    assert needed(without, "telling") == outcomes_needed(6.0, gain=0.1, confidence=0.95)
    assert needed(without, "telling") >= needed(plan(), "telling")
    assert "worst share" in " ".join(need.why for need in without.needs)
    assert len([need for need in without.needs if need.purpose.startswith("a first fit")]) == len(SHARES)


def test_without_a_rate_three_are_reckoned():
    assert {arrival.cases_per_day for arrival in plan(TO_BE).arrivals} == set(RATES)
    assert {arrival.cases_per_day for arrival in plan().arrivals} == {80}


def test_the_date_is_counted_from_now_and_waits_for_the_outcomes():
    (gain,) = [arrival for arrival in plan().arrivals if arrival.purpose.startswith("telling")]
    assert gain.days == -(-needed(plan(), "telling") // 80) + 2
    assert gain.at == NOW + gain.days * DAY


@given(
    rate=st.floats(0.01, 1e6),
    faster=st.floats(1.0, 100),
    known=st.integers(0, 5000),
    more=st.integers(0, 5000),
)
@prudent
def test_more_cases_a_day_and_more_there_already_are_never_later(rate, faster, known, more):
    def days(rate, known):
        text = TO_BE + STATED.replace("= 80", f"= {rate}")
        return [one.days for one in plan(text, {"parcels": known, "deliveries": known}).arrivals]

    here = days(rate, 1 + known)
    assert all(later <= one for one, later in zip(here, days(rate * faster, 1 + known), strict=True))
    assert all(later <= one for one, later in zip(here, days(rate, 1 + known + more), strict=True))


def test_a_date_beyond_the_calendar_is_none():
    text = TO_BE + STATED.replace("= 80", "= 0.00001")
    assert plan(text).arrivals[-1].at is None


def test_the_first_fit_waits_for_the_history_that_the_brief_asks_for():
    patient = plan((TO_BE + STATED).replace('first = "20d"', 'first = "300d"'))
    (fit,) = [arrival for arrival in patient.arrivals if arrival.purpose == "a first fit"]
    assert fit.days == 300


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[success]\ngain_over_status_quo = { per_case = 0.1 }\n", "", "[success]"),
        ("on_time = -4 }", 'on_time = "-price" }', "depends on columns"),
        ("per_case = 0.1", "per_case = 0.0", "nothing"),
    ],
)
def test_what_the_brief_leaves_open_is_not_made_up(old, new, said):
    assert old in TO_BE
    (gain,) = [
        need for need in plan((TO_BE + STATED).replace(old, new)).needs if need.purpose.startswith("telling")
    ]
    assert gain.cases is None
    assert said in gain.why


# What is printed.


@pytest.mark.parametrize("text", [TO_BE, TO_BE + STATED], ids=["open", "stated"])
def test_the_plan_is_printed_with_tables_numbers_dates_and_what_to_log(text):
    console = Console(file=io.StringIO(), width=110, highlight=False)
    show_plan(console, plan(text))
    said = console.file.getvalue()
    flat = " ".join(said.split())
    assert all(len(line) <= 110 for line in said.splitlines())
    for word in ("parcel_id", "delay_h", "instant", "known_at", "propensity", "decided_at", "who decided"):
        assert word in said
    assert f"{needed(plan(text), 'telling'):,}" in said
    assert "2026-" in said
    assert "Taken for granted" in said
    assert ("80 cases a day" in flat) == ("[collect]\n" in text)
