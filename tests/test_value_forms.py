"""Value in its forms, through check, fit, rehearsal and report: what is decided, and what is said of it."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import wholeroad
import worlds
from wholeroad.core.errors import FaultsError
from wholeroad.core.instants import DAY
from wholeroad.interfaces.report import terminal
from wholeroad.interfaces.report.words import verdict
from wholeroad.interfaces.report.writing import write_page
from wholeroad.road.brief.charter import charter
from wholeroad.road.brief.work import read_brief
from wholeroad.road.brief.worth import parse_capacity, parse_ratio

HEAD, _, REST = worlds.BRIEF.partition("[value]")
TAIL = REST[REST.index("[success]") :]
DAYS_END = ('decide_at = "sent_at - 1h"', 'decide_at = "cast(sent_at as date) + 1d"')
POLICIES = ["never", "every 10d", "random 10%", "always express"]
QUO = 'status_quo = { action = "pass" }\n'
TWO = 'actions = ["express", "pass"]\n'
MONEY = "[value.of]\nexpress = { late = 8, on_time = -4 }\npass = { late = 0, on_time = 0 }\n"


def brief(value: str, *exchanges: tuple[str, str]) -> str:
    text = f"{HEAD}[value]\n{value}{TAIL}"
    for old, new in exchanges:
        assert old in text
        text = text.replace(old, new)
    return text


FORMS = {
    "money": brief(f'unit = "EUR"\n{QUO}{MONEY}'),
    "ratio": brief(f'{TWO}{QUO}a_miss_costs = "2 false alarms"\n'),
    "open ratio": brief(f'{TWO}{QUO}a_miss_costs = "2 to 10 false alarms"\n'),
    "capacity": brief(f'{TWO}{QUO}capacity = "5 per day"\n', DAYS_END),
    "ranking": brief(
        f'unit = "EUR"\n{QUO}capacity = "5 per day"\n{MONEY}'.replace("late = 8", 'late = "weight_kg * 4"'),
        DAYS_END,
        ('kind = "binary"', 'kind = "ranking"'),
    ),
}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    made = {}

    def of(form):
        if form not in made:
            folder = tmp_path_factory.mktemp(form.replace(" ", "-"))
            project = wholeroad.open(worlds.write(folder, *worlds.parcels(days=80), brief=FORMS[form]))
            made[form] = project, project.rehearse(POLICIES)
        return made[form]

    return of


def told(rehearsal) -> str:
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(terminal.report(rehearsal.comparison))
    assert max(len(line) for line in out.getvalue().splitlines()) <= 100
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize("form", ["ratio", "open ratio", "capacity"])
def test_no_money_is_named_where_none_was_asked_for(rehearsed, form):
    project, rehearsal = rehearsed(form)
    page = re.sub(
        r"<style>.*?</style>", "", write_page(rehearsal).read_text(encoding="utf-8"), flags=re.DOTALL
    )
    said = told(rehearsal) + charter(project.brief)
    for money in ("EUR", "€", "$"):
        assert money not in said + page
    assert "Money" not in said
    unit = "hits" if form == "capacity" else "false alarms' worth"
    assert unit in said


@pytest.mark.parametrize("form", FORMS)
def test_the_check_of_a_sound_brief_finds_no_fault(rehearsed, form):
    project, _ = rehearsed(form)
    assert not [finding for finding in project.check() if finding.level == "fault"]


@pytest.mark.parametrize("form", FORMS)
def test_a_model_is_fitted_and_beats_the_status_quo(rehearsed, form):
    _, rehearsal = rehearsed(form)
    never = next(one for one in rehearsal.comparison.policies if one.policy == "never")
    assert never.fits
    assert never.versus_status_quo.value > 0
    assert rehearsal.comparison.form == {"open ratio": "ratio", "ranking": "money"}.get(form, form)


def test_a_ratio_decides_as_a_table_with_that_ratio_does(rehearsed, tmp_path):
    money = rehearsed("money")[1]  # 8 saved against 4 lost is 2 : 1
    ratio = rehearsed("ratio")[1]
    cheap = brief(f'{TWO}{QUO}a_miss_costs = "2 false alarms"\n', ("costs = 5", "costs = 1.25"))
    project = wholeroad.open(worlds.write(tmp_path, *worlds.parcels(days=80), brief=cheap))
    same = project.rehearse(POLICIES)
    for policy in POLICIES:
        assert same.decisions(policy)["action"].equals(money.decisions(policy)["action"])
        assert ratio.decisions(policy).height == money.decisions(policy).height
    for one, other in zip(same.comparison.policies, money.comparison.policies, strict=True):
        assert 4 * one.total.value == pytest.approx(other.total.value)


def test_a_ratio_tells_where_the_winner_changes(rehearsed):
    project, rehearsal = rehearsed("ratio")
    said = told(rehearsal)
    found = re.search(r"never refitting beats the status quo above (\d\.\d) : 1 \(95% interval", said)
    assert found
    decisions = rehearsal.decisions("never").join(worlds.parcels(days=80)[1], on="parcel_id")
    acted = decisions.filter(pl.col("action") == "express")
    hits = acted.filter(pl.col("delay_h") > 24).height
    assert f"{(acted.height - hits + 5) / hits:.1f}" == found.group(1)
    assert "the brief says 2 : 1" in said
    assert "a miss costs as much as 2 false alarms" in charter(project.brief)


def test_a_range_that_the_winner_depends_on_ends_undecided_with_a_question(rehearsed):
    project, rehearsal = rehearsed("open ratio")
    said = verdict(rehearsal.comparison)
    assert said.undecided
    assert said.headline.startswith("Undecided: whether")
    assert "depends on what a miss costs" in said.headline
    assert re.fullmatch(r"Is a miss worth more than \d\.\d false alarms\?", said.question)
    assert said.asks == (f"Before deciding, ask the business: {said.question}",)
    (asked,) = re.findall(r"than (\d\.\d) false", said.question)
    assert 2 <= float(asked) <= 10
    assert "2 to 10 false alarms; decisions are made at 6 false alarms" in charter(project.brief)
    page = write_page(rehearsal).read_text(encoding="utf-8")
    assert said.question in page


def test_a_capacity_counts_hits_against_as_many_picked_at_random(rehearsed):
    _, rehearsal = rehearsed("capacity")
    said = told(rehearsal)
    found = re.search(r"Never refitting had (\d+) hits where chance would give ([\d.]+)", said)
    assert found
    decisions = rehearsal.decisions("never").join(worlds.parcels(days=80)[1], on="parcel_id")
    acted = decisions.filter((pl.col("action") == "express") & (pl.col("delay_h") > 24))
    assert acted.height == int(found.group(1))
    assert float(found.group(2)) < acted.height


@pytest.mark.parametrize("form", ["capacity", "ranking"])
def test_no_policy_acts_on_more_cases_of_a_day_than_the_capacity(rehearsed, form):
    _, rehearsal = rehearsed(form)
    for policy in POLICIES:
        acted = rehearsal.decisions(policy).filter(pl.col("action") == "express")
        days = acted["decided_at"].dt.truncate("1d").value_counts()["count"]
        assert days.max() == (5 if policy != "random 10%" else days.max())
        assert days.max() <= 5


def test_a_capacity_takes_the_riskiest_and_a_ranking_the_dearest(rehearsed):
    for form, by in (("capacity", pl.col("p_late")), ("ranking", pl.col("expected_if_acted"))):
        _, rehearsal = rehearsed(form)
        weights = worlds.parcels(days=80)[0].select("parcel_id", "weight_kg")
        decisions = (
            rehearsal.decisions("never")
            .filter(pl.col("p_late").is_not_null())
            .join(weights, on="parcel_id")
            .with_columns(
                expected_if_acted=pl.col("p_late") * pl.col("weight_kg") * 4 - 4 * (1 - pl.col("p_late"))
            )
        )
        place = by.rank("ordinal", descending=True).over("decided_at")
        best = decisions.with_columns(place=place).filter(pl.col("place") <= 5)
        good = best.filter(by > 0)
        assert (good["action"] == "express").all()
        assert decisions.filter(pl.col("action") == "express").height == good.height


def test_first_come_is_warned_of_with_a_mend_that_mends_it(tmp_path):
    scattered = brief(f'{TWO}{QUO}capacity = "5 per day"\n')
    project = wholeroad.open(worlds.write(tmp_path / "one", *worlds.parcels(), brief=scattered))
    found = next(one for one in project.check() if one.code == "check.capacity-first-come")
    start, end = found.fix.split('"')[1::2]
    for name, expression in (("start", start), ("end", end)):
        mended = brief(f'{TWO}{QUO}capacity = "5 per day"\n', ('"sent_at - 1h"', f'"{expression}"'))
        cases, outcomes = worlds.parcels()
        if name == "start":  # what is known by then
            cases = cases.with_columns(booked_at=pl.col("sent_at") - pl.duration(days=3))
        project = wholeroad.open(worlds.write(tmp_path / name, cases, outcomes, brief=mended))
        assert "check.capacity-first-come" not in {one.code for one in project.check()}


def test_a_money_range_is_asked_about_by_its_name(rehearsed):
    said = verdict(rehearsed("open ratio")[1].comparison)
    comparison = rehearsed("open ratio")[1].comparison
    named = replace(
        comparison,
        form="money",
        unit="EUR",
        open_values=tuple(replace(one, name="express.late") for one in comparison.open_values),
    )
    money = verdict(named)
    assert re.fullmatch(r"Is express\.late worth more than [\d.]+ EUR\?", money.question)
    assert money.policy == said.policy
    assert "where express.late is above" in str(money)


# ---- texts


@given(st.integers(1, 10**6), st.integers(1, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_ratio_that_is_written_is_read(low, more):
    assert parse_ratio(f"{low / 100} to {(low + more) / 100}  false alarms") == (
        low / 100,
        (low + more) / 100,
    )


@given(st.text())
@settings(deadline=None)
def test_any_text_is_a_ratio_and_a_capacity_or_neither(text):
    for parse in (parse_ratio, parse_capacity):
        with pytest.raises(ValueError, match=r"."):
            parse(text)


@pytest.mark.parametrize(
    ("text", "cases", "days"), [("50 per day", 50, 1), ("1 per week", 1, 7), ("9 per 36h", 9, 1.5)]
)
def test_a_capacity_that_is_written_is_read(text, cases, days):
    found = parse_capacity(text)
    assert (found.cases, found.every) == (cases, int(days * DAY))


@pytest.mark.parametrize(
    "text", ["0 per day", "5", "5 per", "5 per 0d", "-1 per day", "5 per year", "9" * 20 + " per day"]
)
def test_what_is_no_capacity_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_capacity(text)


@pytest.mark.parametrize(
    "text", ["0 false alarms", "5", "9 to 2 false alarms", "five false alarms", "1e3 false alarms"]
)
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_ratio(text)


# ---- faults


def faults(text: str) -> set[tuple[str, str]]:
    with pytest.raises(FaultsError) as caught:
        read_brief(text)
    found = [(fault.code, fault.where) for fault in caught.value.faults]
    assert len(found) == len(set(found))
    assert all(fault.happened and fault.expected and fault.fix for fault in caught.value.faults)
    return set(found)


RATIO = f'{TWO}{QUO}a_miss_costs = "5 false alarms"\n'
CAPACITY = f'{TWO}{QUO}capacity = "50 per day"\n'
NO_POSITIVE = ('positive = "late"\n', "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (brief(QUO), {("brief.value-form", "[value] of")}),
        (brief(f'unit = "EUR"\n{QUO}'), {("brief.value-form", "[value] of")}),
        (
            brief(f'unit = "EUR"\na_miss_costs = "5 false alarms"\n{QUO}{MONEY}'),
            {("brief.value-form", "[value]")},
        ),
        (brief(f"{QUO}{MONEY}"), {("brief.missing", "[value] unit")}),
        (brief(f'unit = "EUR"\n{RATIO}'), {("brief.value-form", "[value] unit")}),
        (brief(f'unit = "EUR"\n{CAPACITY}'), {("brief.value-form", "[value] unit")}),
        (brief(f'unit = "EUR"\n{TWO}{QUO}{MONEY}'), {("brief.actions", "[value] actions")}),
        (brief(RATIO.replace(TWO, "")), {("brief.missing", "[value] actions")}),
        (brief(CAPACITY.replace(TWO, "")), {("brief.missing", "[value] actions")}),
        (
            brief(RATIO.replace('"express", "pass"', '"pass", "pass"')),
            {("brief.actions", "[value] actions")},
        ),
        (brief(RATIO, NO_POSITIVE), {("brief.missing", "[outcome] positive")}),
        (brief(CAPACITY, NO_POSITIVE), {("brief.missing", "[outcome] positive")}),
        (brief(RATIO.replace("5 false", "five false")), {("brief.ratio", "[value] a_miss_costs")}),
        (brief(CAPACITY.replace("50", "0")), {("brief.capacity", "[value] capacity")}),
        (brief(CAPACITY.replace("day", "year")), {("brief.capacity", "[value] capacity")}),
        (
            brief(CAPACITY.replace(QUO, "status_quo = { expression = \"'pass'\" }\n")),
            {("brief.capacity", "[value] status_quo")},
        ),
        (
            brief(CAPACITY.replace(QUO, 'status_quo = { action = "express" }\n')),
            {("brief.capacity", "[value] status_quo")},
        ),
        (
            brief(RATIO.replace(QUO, 'status_quo = { action = "wait" }\n')),
            {("brief.unknown-action", "[value] status_quo")},
        ),
        (
            brief(RATIO, ('kind = "binary"', 'kind = "ranking"')),
            {("brief.missing", "[value] capacity")},
        ),
        (
            brief(f'unit = "EUR"\n{QUO}{MONEY}', ('kind = "binary"', 'kind = "ranking"'), NO_POSITIVE),
            {("brief.missing", "[value] capacity"), ("brief.missing", "[outcome] positive")},
        ),
        (
            brief(
                CAPACITY, ('["late", "on_time"]', '["late", "on_time", "lost"]'), ('"binary"', '"ranking"')
            ),
            {("brief.classes", "[outcome] classes")},
        ),
        (brief(RATIO, ('classes = ["late", "on_time"]\n', "")), {("brief.missing", "[outcome] classes")}),
        (brief(RATIO, ('decide_at = "sent_at - 1h"\n', "")), {("brief.missing", "[case] decide_at")}),
        (
            brief(CAPACITY).replace(
                "[policy.refit]", '[policy]\nno_action = { action = "express", share = 0.1 }\n[policy.refit]'
            ),
            {("brief.capacity", "[policy] no_action")},
        ),
        (brief(RATIO.replace('"5 false alarms"', "5")), {("brief.value", "[value] a_miss_costs")}),
        (brief(CAPACITY.replace('"50 per day"', "50")), {("brief.value", "[value] capacity")}),
    ],
)
def test_a_fault_of_a_form_is_named_and_hides_or_makes_no_other(text, expected):
    assert faults(text) == expected


def test_all_faults_of_a_form_come_at_once():
    value = 'unit = "EUR"\nactions = ["express"]\nstatus_quo = { expression = "now()" }\ncapacity = "some"\n'
    assert faults(brief(value, NO_POSITIVE, ('first = "20d"', "first = 20"))) >= {
        ("brief.value-form", "[value] unit"),
        ("brief.actions", "[value] actions"),
        ("brief.capacity", "[value] capacity"),
        ("brief.capacity", "[value] status_quo"),
        ("brief.missing", "[outcome] positive"),
        ("brief.value", "[policy] refit.first"),
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_form_reads_back_what_it_wrote(form):
    once = read_brief(FORMS[form])
    assert wholeroad.Brief.model_validate(once.canonical()).canonical() == once.canonical()
    assert once.actions == ("express", "pass")
    assert once.unit == {
        "capacity": "hits",
        "ratio": "false alarms' worth",
        "open ratio": "false alarms' worth",
    }.get(form, "EUR")
