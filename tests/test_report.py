"""Laws of the report: what is said follows from the figures, and nothing from a brief takes effect."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape
from rich.console import Console

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.engine.comparing import Compared
from wholeroad.interfaces.cli.show import show_doubts, show_findings, show_landed
from wholeroad.interfaces.report import terminal
from wholeroad.interfaces.report.amounts import amount, scale_of
from wholeroad.interfaces.report.charts import calibration_chart, money_chart
from wholeroad.interfaces.report.limits import limits
from wholeroad.interfaces.report.page import ReportData, render
from wholeroad.interfaces.report.words import refusals, verdict
from wholeroad.lessons import fill, lesson_for, numbers_of_choice
from wholeroad.lessons.choosing import verdict_codes
from wholeroad.road.brief.assumptions import Assumption
from wholeroad.road.brief.charter import charter, parts
from wholeroad.road.brief.contract import Brief, Gain
from wholeroad.road.brief.values import TableValues
from wholeroad.road.data.facts import BatchLanded
from wholeroad.road.data.rules import Finding
from wholeroad.road.model.facts import FitRefused
from wholeroad.road.model.results import CandidateReport, ChoiceReport
from wholeroad.road.watch.frames import money_over_time
from wholeroad.road.watch.reliability import calibration
from wholeroad.road.watch.results import OpenValue
from wholeroad.road.watch.segments import segments
from wholeroad.road.watch.work import ModelValues, PolicyRun, Scored, compare

FROM_AT = parse_instant("2013-03-02")


def a_brief(**changes):
    data = {
        "format": 1,
        "brief": {
            "name": "late-flights",
            "question": "Which departures will arrive late?",
            "decision": "Re-seat passengers",
            "decided_by": "operations desk",
            "affects": "passengers",
        },
        "case": {"source": "flights", "decide_at": "sched_dep - 2h"},
        "outcome": {
            "kind": "binary",
            "classes": ["late", "on_time"],
            "positive": "late",
            "source": "flights",
            "truth": "case when delay > 30 then 'late' else 'on_time' end",
            "matures": "1d",
            "depends_on_action": "no",
        },
        "value": {
            "unit": "EUR",
            "status_quo": {"action": "pass"},
            "of": {"rebook": {"late": [80, 160], "on_time": -35}, "pass": {"late": 0, "on_time": 0}},
        },
        "success": {"gain_over_status_quo": {"per_case": 3.0, "confidence": 0.95}},
        "source": {"flights": {"read": "f.parquet", "key": "id", "static": True}},
        "policy": {"refit": {"first": "60d", "when": "every 30d", "fit": {"takes": "2h", "costs": 50}}},
    }
    return Brief.model_validate(data | changes)


def made(*, days=100, early=0.6, late=0.6, refitted=0.6, per_day=40, dummy_rate=0.1):
    """A policy that keeps one model, whose skill changes half-way, and one that refits then."""
    dice = np.random.default_rng(7)
    n = days * per_day
    decided_at = FROM_AT + np.sort(dice.integers(0, days * DAY, n))
    truth = dice.choice(np.array([0, 1, -1, -2], dtype=np.int8), n, p=[0.25, 0.7, 0.03, 0.02])
    turn = FROM_AT + days // 2 * DAY
    luck = dice.random(n)

    def acted(skill):
        right = luck < 0.5 + np.asarray(skill) / 2
        return np.where(right, truth != 0, truth == 0).astype(np.int8)

    before = decided_at < turn
    old, new = acted(np.where(before, early, late)), acted(np.where(before, early, refitted))
    scored = Scored(
        decided_at=decided_at,
        truth=truth,
        ids=dice.integers(0, 2**63, n).astype(np.uint64),
        values=TableValues(np.array([[120.0, -35.0], [0.0, 0.0]]), {}, n),
        actions=("rebook", "pass"),
        status_quo=np.ones(n, dtype=np.int8),
        from_at=FROM_AT,
        to_at=FROM_AT + days * DAY,
        known_at=FROM_AT + days * DAY,
    )
    runs = [
        PolicyRun("never", old, ((FROM_AT, 50.0),)),
        PolicyRun("every 60d", new, ((FROM_AT, 50.0), (turn, 50.0))),
        PolicyRun("random 10%", (dice.random(n) > dummy_rate).astype(np.int8)),
    ]
    models = ModelValues(np.array([FROM_AT, turn]), np.array([50.0, 50.0]), np.stack([old, new]))
    comparison = compare(runs, scored, models=models, unit="EUR", seed=1, success=Gain(per_case=3.0))
    probability = np.where(truth == 0, 0.6, 0.2) + 0.1 * luck
    table = calibration(
        np.stack([probability, 1 - probability], axis=1), truth, classes=["late", "on_time"], positive="late"
    )
    return comparison, money_over_time(runs, scored), table.with_columns(policy=pl.lit("never"))


def data_of(brief, **settings_of_case):
    comparison, money, table = made(**settings_of_case)
    stamps = pl.Series([FROM_AT, FROM_AT]).cast(pl.Datetime("us", "UTC"))
    fits = pl.DataFrame(
        {
            "policy": ["never", "every 60d"],
            "cut_at": stamps,
            "effective_from": stamps,
            "champion": ["lightgbm", "lightgbm"],
            "rows": [50_000, 50_000],
            "why": ["the simplest within one standard error"] * 2,
        }
    )
    return ReportData(brief, comparison, money, table, fits, ["Some <b>warning</b>"], "a rehearsal", "0.1.0")


# the verdict


def test_the_verdict_is_to_keep_one_model_when_refitting_brings_nothing():
    said = verdict(made()[0])
    assert said.policy == "never"
    assert said.headline.startswith("You don't need refitting")
    assert "not shown to pay" in str(said) or "loses money" in str(said)


def test_the_verdict_is_to_refit_when_the_world_turned():
    said = verdict(made(late=-0.5)[0])
    assert said.policy == "every 60d"
    assert "Refitting pays" in str(said)
    assert "is met" in str(said)


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (Estimate(10.0, 5.0, 25.0), "Refitting pays"),
        (Estimate(10.0, -5.0, 25.0), "not shown to pay"),
        (Estimate(-10.0, -25.0, -5.0), "loses money"),
        (Estimate(10.0, -math.inf, math.inf), "can't be told"),
    ],
)
def test_what_is_said_of_refitting_follows_its_interval(gain, said):
    comparison = made()[0]
    policies = tuple(
        replace(policy, versus_never=gain) if policy.policy == "every 60d" else policy
        for policy in comparison.policies
    )
    text = str(verdict(replace(comparison, policies=policies)))
    assert said in text
    assert sum(other in text for other in ("Refitting pays", "not shown to pay", "loses money")) <= 1


def test_fits_that_cost_nothing_and_change_nothing_are_said_in_a_word():
    comparison = made()[0]
    alike = [
        replace(
            policy,
            fit_costs=0.0,
            versus_never=policy.versus_never and replace(policy.versus_never, value=0.0, low=0.0, high=0.0),
        )
        for policy in comparison.policies
    ]
    said = str(verdict(replace(comparison, policies=tuple(alike))))
    assert ", after 1 fit: " in said
    assert "every 60d made as much as never refitting." in said


def test_what_is_said_of_refitting_is_said_of_the_recommended_policy_first():
    comparison = made(late=-0.5)[0]
    best = next(policy for policy in comparison.policies if policy.policy == "every 60d")
    more = Estimate(best.total.value + 9, best.total.low + 9, best.total.high + 9)
    often = replace(best, policy="every 30d", fits=4, total=more, versus_best=None)
    chosen = replace(best, versus_best=Estimate(-9.0, -50.0, 30.0))
    policies = tuple(chosen if policy is best else policy for policy in comparison.policies)
    said = verdict(replace(comparison, policies=(*policies, often)))
    assert said.policy == "every 60d"
    assert "Refitting pays: refitting every 60d made" in str(said)
    assert str(said).index("Refitting pays") < str(said).index("every 30d made most")
    loose = replace(chosen, versus_never=Estimate(5.0, -5.0, 20.0))
    policies = tuple(loose if policy is chosen else policy for policy in policies)
    never = next(policy for policy in policies if policy.policy == "never")
    behind = replace(never, versus_best=Estimate(-90.0, -150.0, -30.0))
    policies = tuple(behind if policy is never else policy for policy in policies)
    said = verdict(replace(comparison, policies=(*policies, often)))
    assert said.policy == "every 60d"
    assert "pays for its fits" not in said.headline
    assert str(said).index("Refitting every 60d made 5 EUR more than never") < str(said).index(
        "refitting every 30d made"
    )


def test_the_last_day_that_is_named_is_one_on_which_cases_were_decided():
    data = data_of(a_brief())
    assert "from 2013-03-02 to 2013-06-09" in str(verdict(data.comparison))
    assert "2013-06-10" not in str(verdict(data.comparison)) + printed(terminal.table(data.comparison))
    assert "over 2013-03-02 to 2013-06-09" in render(data)


def test_a_regret_below_its_floor_is_explained():
    comparison = made()[0]
    policies = tuple(
        replace(policy, regret_oracle=10.0, regret_interval=(5.0, 15.0), regret_floor=50.0)
        for policy in comparison.policies
    )
    said = str(verdict(replace(comparison, policies=policies)))
    assert "no sign of a better schedule" in said
    assert "floor decides, not the regret's interval" in said


def refused_runs(*, fitted):
    """A comparison in which the fits of two policies were refused, sharing their cuts."""
    comparison, money, table = made()
    facts = [
        FitRefused(at=FROM_AT + n * DAY, asked_at=FROM_AT + n * DAY, code="model.x", happened=f"reason {n}")
        for n in range(3)
    ]
    cuts = pl.Series([FROM_AT + 90 * DAY] * fitted, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    refused = {"never": tuple(facts), "every 60d": tuple(facts)}
    return refusals(Compared(comparison, money, table, pl.DataFrame({"cut_at": cuts}), refused))


def test_a_rehearsal_without_any_fit_says_so_first():
    told = refused_runs(fitted=0)
    comparison = made()[0]
    said = verdict(comparison, refused=told)
    assert said.headline == (
        "No model could be fitted: 3 of 3 fits were refused; the last, of 2013-03-04, because reason 2."
    )
    assert "efitting" not in str(said).replace(called_names(comparison), "")
    assert "No model could be fitted" in printed(terminal.report(comparison, refused=told))
    assert "No model could be fitted" in render(replace(data_of(a_brief()), refused=told))


def called_names(comparison):
    """What the verdict calls its policy, which may itself speak of refitting."""
    return verdict(comparison, refused=refused_runs(fitted=0)).reasons[-1]


def test_some_refused_fits_are_mentioned_and_change_no_verdict():
    told = refused_runs(fitted=2)
    comparison = made()[0]
    assert verdict(comparison, refused=told).headline == verdict(comparison).headline
    assert "3 of 4 fits were refused" in str(verdict(comparison, refused=told))
    assert refusals(Compared(comparison, pl.DataFrame(), pl.DataFrame(), pl.DataFrame())) is None


def test_the_verdict_is_the_status_quo_when_models_lose():
    said = verdict(made(early=-0.6, late=-0.6, refitted=-0.6)[0])
    assert said.policy == "status quo"
    assert "is not met" in str(said)


def test_the_verdict_names_a_dummy_that_beats_the_models():
    said = verdict(made(early=-0.9, late=-0.9, refitted=-0.9, dummy_rate=0.02)[0])
    assert "No model made more than a dummy" in str(said)


def test_too_little_history_is_said_so():
    comparison = made(days=20)[0]
    assert verdict(comparison).headline.startswith("Too little history to tell")
    assert "no interval" in printed(terminal.table(comparison))
    assert "inf" not in printed(terminal.report(comparison))


def test_a_range_that_crosses_zero_is_undecided():
    comparison = made()[0]
    policies = tuple(
        replace(policy, gain_corners=(-10.0, 20.0)) if policy.policy == "never" else policy
        for policy in comparison.policies
    )
    said = verdict(replace(comparison, policies=policies))
    assert said.headline.startswith("Undecided")
    assert "ask the business" in str(said)


@pytest.mark.parametrize("answer", ["yes", "unknown"])
def test_money_that_acting_may_change_is_never_called_settled(answer):
    comparison = made()[0]
    said = str(verdict(comparison, depends_on_action=answer))
    assert said.startswith("Not identified")
    assert "can't be decided" in said
    table = printed(terminal.table(comparison, depends_on_action=answer))
    assert "Not identified" in table
    outcome = a_brief().outcome.model_dump() | {"depends_on_action": answer, "matures": "1d"}
    page = render(data_of(a_brief(outcome=outcome)))
    assert "settled" not in said + table + re.sub(r"counted, not settled", "", page)


def open_and_unidentified():
    """A comparison whose winner hangs on what a miss costs."""
    comparison = made()[0]
    policies = []
    for policy in comparison.policies:
        missed = {"never": (-200,), "status quo": (-700,)}.get(policy.policy, (-400,))
        corners = (-10.0, 20.0) if policy.policy == "never" else policy.gain_corners
        policies.append(replace(policy, open_counts=missed, gain_corners=corners))
    turn = next(one.total.value for one in policies if one.policy == "never") - next(
        one.total.value for one in policies if one.policy == "status quo"
    )
    middle = 3.0 + turn / 500.0
    value = OpenValue(name="a miss", low=2.0, middle=middle, high=2.0 * middle)
    return replace(comparison, policies=tuple(policies), open_values=(value,))


def test_what_hangs_on_a_value_and_on_acting_is_told_in_one_short_sentence_before_the_questions():
    comparison = open_and_unidentified()
    said = verdict(comparison, depends_on_action="unknown")
    assert said.headline == (
        "Undecided: never refitting beats the status quo if a miss is worth more than 3.0 false alarms and"
        " acting doesn't change what happens; neither is known yet."
    )
    first, second = said.asks
    assert first.endswith("Is a miss worth more than 3.0 false alarms?")
    assert "may a random share of the cases be left alone" in second
    known = verdict(comparison, depends_on_action="yes").headline
    assert known.startswith("Undecided: acting changes what happens, and nobody has measured how")
    assert "neither is known" not in known
    rival = verdict(comparison)
    assert rival.headline.startswith("Undecided: whether")
    assert len(rival.asks) == 1


def test_the_order_of_an_open_verdict_loses_no_sentence_and_puts_the_finer_points_last():
    comparison = open_and_unidentified()
    said = verdict(comparison, depends_on_action="unknown")
    decided = verdict(made()[0])
    assert (decided.asks, decided.finer) == ((), ())
    assert said.finer
    assert any("dummy" in sentence for sentence in said.finer)
    assert {sentence for sentence in decided.reasons if "criterion" not in sentence} <= {
        *said.reasons,
        *said.finer,
    } | {sentence.replace(" counted ", " settled ") for sentence in said.reasons}
    text = " ".join(printed(terminal.report(comparison, depends_on_action="unknown")).split())
    places = [text.index(" ".join(part)) for part in ([said.headline], said.asks, said.reasons, said.finer)]
    assert places == sorted(places)
    assert text.endswith(" ".join(said.finer))
    outcome = a_brief().outcome.model_dump() | {"depends_on_action": "unknown", "matures": "1d"}
    page = render(replace(data_of(a_brief(outcome=outcome)), comparison=comparison))
    folded = page[page.index('<details class="finer">') :]
    folded = folded[: folded.index("</details>")]
    assert all(str(escape(sentence)) in folded for sentence in said.finer)
    assert not any(str(escape(sentence)) in folded for sentence in said.reasons)
    assert '<details class="finer">' not in render(data_of(a_brief()))


def test_a_champion_that_is_the_best_is_called_so_and_not_held_against_itself():
    def one(name, money, behind):
        error = 0.1 if behind else 0.0
        return CandidateReport(name, 2, money, behind, error, eligible=behind < 0.1, actions={})

    choice = ChoiceReport(
        cut_at=0,
        matures=DAY,
        rows=500,
        outcomes={},
        slices=(),
        unpriced=0,
        blocks=20,
        block_kind="days",
        candidates=(one("logistic", 1.0, 0.05), one("trees", 1.05, 0.0)),
        best="trees",
        champion="trees",
        why="",
        features=(),
        left_out=(),
    )
    lesson = lesson_for("one-standard-error")
    said = fill(lesson, numbers_of_choice(choice, unit="EUR"))
    assert any("trees, the best candidate, on the choose slice: 1.05" in line for line in said.numbers)
    assert "less than the best" not in said.here
    assert not any("0 EUR" in line for line in said.numbers)
    behind = fill(lesson, numbers_of_choice(replace(choice, champion="logistic"), unit="EUR"))
    assert "0.05 EUR per case less than the best; one standard error is 0.1" in behind.here


def test_a_dummy_that_leads_is_no_finer_point():
    comparison = made(early=-0.9, late=-0.9, refitted=-0.9, dummy_rate=0.02)[0]
    said = verdict(comparison, depends_on_action="unknown")
    assert any("No model made more than a dummy" in reason for reason in said.reasons)


# the terminal


def printed(thing, width=100):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(thing)
    return out.getvalue()


def test_the_table_fits_a_hundred_columns_and_reads_without_colour():
    comparison = made()[0]
    text = printed(terminal.report(comparison))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "…" not in text
    assert "> never" in text
    for policy in comparison.policies:
        assert policy.policy in text
        assert amount(policy.total.value) in text
        if policy.versus_status_quo:
            assert amount(policy.versus_status_quo.low) in text


def test_large_money_is_scaled_and_still_fits():
    comparison = made()[0]
    big = tuple(
        replace(policy, total=Estimate(-987_654_321.0, -999_000_000.0, 999_000_000.0))
        for policy in comparison.policies
    )
    text = printed(terminal.table(replace(comparison, policies=big)))
    assert "-999.0 to 999.0" in text
    assert "million EUR" in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize(
    ("largest", "shown", "label"),
    [
        (99_999.0, "99,999", "EUR"),
        (100_000.0, "100.0", "thousand EUR"),
        (2_141_915.0, "2,141.9", "thousand EUR"),
        (98_765_432.0, "98,765", "thousand EUR"),
    ],
)
def test_money_is_in_thousands_from_a_hundred_thousand_on(largest, shown, label):
    comparison = made()[0]
    policies = tuple(
        replace(policy, total=Estimate(largest, -largest, largest)) for policy in comparison.policies
    )
    text = printed(terminal.table(replace(comparison, policies=policies)))
    assert f"-{shown} to {shown}" in text
    assert f"In {label}" in text


def test_actions_leave_the_table_when_they_would_break_its_cells():
    comparison = made()[0]
    wide = Estimate(-2_194_300.0, -2_760_500.0, -1_513_900.0)
    policies = tuple(
        replace(policy, total=wide, versus_status_quo=wide, versus_never=wide, fit_costs=550.0)
        for policy in comparison.policies
    )
    text = printed(terminal.report(replace(comparison, policies=policies)))
    assert all(f" {policy.policy} " in text for policy in policies)
    assert "(550 EUR)" in text
    assert text.count("-2,760.5 to -1,513.9") == 3 * len(policies)
    assert "Share of cases by action" in text
    slim = Estimate(10.0, 5.0, 15.0)
    policies = tuple(
        replace(policy, total=slim, versus_status_quo=slim, versus_never=slim) for policy in policies
    )
    text = printed(terminal.report(replace(comparison, policies=policies)))
    assert "Share of cases by action" not in text
    assert "pass 64%" in text


def test_no_interval_is_broken_and_many_actions_have_a_table_of_their_own():
    comparison = made()[0]
    actions = {"to_billing": 0.24, "to_technical": 0.35, "to_account": 0.41}
    wide = Estimate(-98_765.0, -99_765.0, -97_765.0)
    policies = tuple(
        replace(
            policy,
            policy="always to_account" if policy.policy == "random 10%" else policy.policy,
            total=wide,
            versus_status_quo=wide,
            versus_never=wide,
            actions=actions,
        )
        for policy in comparison.policies
    )
    many = replace(comparison, policies=policies)
    text = printed(terminal.report(many))
    assert printed(terminal.table(many)).count("-99,765 to -97,765") == 3 * len(policies)
    assert "(50 EUR)" in text
    assert "Share of cases by action" in text
    head = next(line for line in text.splitlines() if "to_billing" in line)
    assert all(action in head for action in actions)
    assert max(len(line) for line in text.splitlines()) <= 100
    crowd = {f"queue_number_{number}": 0.1 for number in range(10)}
    crowded = replace(many, policies=tuple(replace(policy, actions=crowd) for policy in policies))
    assert "queue_number" not in printed(terminal.report(crowded))
    page = render(replace(data_of(a_brief()), comparison=crowded))
    assert "queue_number_9" in page


@given(st.floats(-1e12, 1e12))
@settings(max_examples=100, deadline=None)
def test_law_a_figure_that_is_written_reads_back(figure):
    assert float(amount(figure).replace(",", "")) == pytest.approx(figure, rel=0.01, abs=0.006)
    scale = scale_of([figure])
    read = float(scale.write(figure).replace(",", "")) * scale.divisor
    assert read == pytest.approx(figure, rel=0.001, abs=0.006)


# the page


class Tags(HTMLParser):
    """Collects tags with their attributes, and checks that they are closed in order."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self):
        super().__init__()
        self.seen, self.open, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(page):
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_the_page_needs_nothing_else():
    page = render(data_of(a_brief(), late=-0.5))
    tags = parsed(page)
    assert not {tag for tag, _ in tags.seen} & {"script", "iframe", "img", "object", "embed"}
    for tag, attributes in tags.seen:
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "data:,").startswith(("data:", "#")), tag
    assert "@import" not in page
    assert set(re.findall(r"https?://[^\"'<> ]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert len(page) < 400_000


def test_the_page_says_what_it_must():
    data = replace(data_of(a_brief(), late=-0.5), cards="models")
    page = render(data)
    tags = parsed(page)
    text = " ".join(" ".join(tags.text).split())
    said = verdict(data.comparison)
    assert text.index(said.headline, text.index("found")) < text.index("Money over time")
    for needed in (
        "Which departures will arrive late?",
        "Taken for granted",
        "What these numbers don't show",
        "80 to 160",
        "operations desk",
        "Some <b>warning</b>",
        "Met by",
        "lightgbm",
        "a rehearsal",
        "models/ beside this page",
        "percentage points",
    ):
        assert needed in text
    for policy in data.comparison.policies:
        assert amount(policy.total.value) in text
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    tables = [tag for tag, _ in tags.seen if tag == "table"]
    assert len(tables) == len([tag for tag, _ in tags.seen if tag == "caption"]) >= 5
    charts = [attributes for tag, attributes in tags.seen if attributes.get("role") == "img"]
    assert len(charts) == 2
    assert all(chart["aria-label"] for chart in charts)
    ids = [attributes["id"] for _, attributes in tags.seen if "id" in attributes]
    assert len(ids) == len(set(ids))


ATTACK = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


def test_nothing_from_a_brief_takes_effect():
    about = dict.fromkeys(("question", "decision", "decided_by", "affects"), ATTACK) | {"name": "x"}
    value = {
        "unit": ATTACK,
        "status_quo": {"action": ATTACK},
        "of": {"rebook": {"late": ATTACK}, ATTACK: {"late": 0}},
    }
    brief = a_brief(brief=about, value=value)
    data = data_of(brief)
    runs = [f"always {ATTACK}" if p.policy == "random 10%" else p.policy for p in data.comparison.policies]
    policies = tuple(
        replace(policy, policy=name, actions={ATTACK: 1.0})
        for policy, name in zip(data.comparison.policies, runs, strict=True)
    )
    data = replace(
        data,
        name=ATTACK,
        warnings=[ATTACK],
        comparison=replace(data.comparison, policies=policies, unit=ATTACK),
        money_over_time=data.money_over_time.with_columns(
            pl.col("policy").replace("random 10%", f"always {ATTACK}")
        ),
        calibration=data.calibration.with_columns(pl.col("policy") + ATTACK, pl.col("class") + ATTACK),
        fits=data.fits.with_columns(pl.col("why") + ATTACK, pl.col("champion") + ATTACK),
    )
    page = render(data)
    tags = parsed(page)
    assert "script" not in {tag for tag, _ in tags.seen}
    assert "<script" not in page
    assert ATTACK in " ".join(tags.text)
    assert "49" not in {part.strip() for part in tags.text}
    markdown = charter(brief)
    assert "<script" not in markdown
    assert "&lt;script&gt;" in markdown


def test_the_same_data_give_the_same_page():
    data = data_of(a_brief())
    assert render(data) == render(data)


def test_a_page_without_models_or_fits():
    data = data_of(a_brief(success=None))
    only = tuple(policy for policy in data.comparison.policies if policy.policy == "status quo")
    bare = replace(
        data,
        comparison=replace(data.comparison, policies=only, oracle=None),
        money_over_time=data.money_over_time.filter(pl.col("policy") == "status quo"),
        calibration=data.calibration.head(0),
        fits=data.fits.head(0),
        warnings=[],
    )
    page = render(bare)
    parsed(page)
    assert "Nothing was fitted" in page
    assert "no gain to draw" in page
    assert "not stated" in page


def test_charts_follow_the_page_in_light_and_dark():
    _, money, table = made()
    for svg in (money_chart(money, unit="EUR"), calibration_chart(table)):
        assert svg.startswith("<svg")
        assert "currentColor" in svg
        assert "#000" not in svg
        assert "#010203" not in svg
    many = pl.concat([table, table.with_columns(pl.lit("on_time").alias("class"))])
    legend = re.findall(r">on_time<", calibration_chart(many))
    assert len(legend) == 1


def test_a_long_history_is_thinned_but_ends_where_it_ends():
    at = pl.Series(range(5_000)).cast(pl.Int64) * DAY
    frame = pl.DataFrame({"policy": "never", "at": at.cast(pl.Datetime("us", "UTC")), "value": 1.0})
    frame = frame.with_columns(pl.col("value").cum_sum().alias("cumulative"))
    assert len(money_chart(frame, unit="EUR")) < 30_000


# the charter and the limits


def test_the_charter_holds_the_value_table_and_the_criterion():
    page = parts(a_brief())
    assert page.value == (("rebook", ("80 to 160", "-35")), ("pass", ("0", "0")))
    markdown = charter(a_brief())
    assert "| rebook | 80 to 160 | -35 |" in markdown
    assert "at least 3 EUR more per case than the status quo, with 95% confidence" in markdown


def test_limits_count_what_carries_no_money():
    comparison = made()[0]
    text = " ".join(limits(a_brief(), comparison))
    one = comparison.policies[0]
    assert f"{one.pending:,} had no outcome" in text
    assert f"{one.unknown:,} had one that doesn't tell" in text
    assert "hindsight" in text
    assert "blocks of 7d" in text


# what the commands print


def shown(show, *arguments, **more):
    out = io.StringIO()
    show(Console(file=out, width=60, color_system=None), *arguments, **more)
    return out.getvalue()


def a_quarantine(rows):
    reason = "a reason that is long enough to be continued on a second line of the terminal"
    line = {"source": "flights", "row_number": 7, "code": "data.x", "reason": reason}
    return pl.DataFrame([line] * rows)


@pytest.mark.parametrize(("rows", "told"), [(1, "1 row is in the quarantine:"), (2, "2 rows are in the")])
def test_rows_set_aside_are_counted_in_plain_words(rows, told):
    text = shown(show_landed, [], quarantine=a_quarantine(rows))
    assert told in text
    assert all(line.startswith("  ") for line in text.splitlines()[2:])


def test_columns_that_landing_left_out_are_named():
    landed = BatchLanded(
        at=0, source="flights", rows_in=3, landed=3, repeated=0, quarantined=0, deleted=0, imported=True,
        ignored=("tail", "crew"),
    )  # fmt: skip
    text = shown(show_landed, [landed], quarantine=pl.DataFrame())
    assert "flights: 2 columns were ignored: tail, crew." in text
    assert "ignored" not in shown(
        show_landed, [msgspec.structs.replace(landed, ignored=())], quarantine=pl.DataFrame()
    )


FINDING = Finding(
    code="check.x",
    level="warning",
    where="[outcome] matures",
    happened="a tenth of the outcomes come later than is said, and there is more to say",
    why_it_matters="it matters",
    fix="mend it",
)


def test_findings_are_indented_on_every_line():
    lines = shown(show_findings, [FINDING]).splitlines()
    assert lines[0].startswith("warning: [outcome] matures  [check.x]")
    assert all(line.startswith("  ") for line in lines[1:-1])
    assert lines[-1] == "1 warning"
    assert shown(show_findings, [FINDING, FINDING]).endswith("2 warnings\n")


def test_a_rehearsal_shows_warnings_and_faults_and_no_notes():
    note = replace(FINDING, level="note", code="check.note")
    fault = replace(FINDING, level="fault", code="check.fault")
    text = shown(show_doubts, [fault, FINDING, note])
    assert "fault:" in text
    assert "check.x" in text
    assert "check.note" not in text
    assert shown(show_doubts, [note]) == ""


def compared(**gains):
    """Make a comparison of policies by name, each with (gain over the status quo, what it clearly beats)."""
    comparison = made()[0]
    status_quo = next(policy for policy in comparison.policies if policy.policy == "status quo")
    policies = [replace(status_quo, beats=())]
    for name, (gain, beats) in gains.items():
        estimate = Estimate(gain, gain - 50, gain + 50)
        policies.append(
            replace(
                status_quo,
                policy=name.replace("_", " "),
                total=estimate,
                versus_status_quo=estimate,
                versus_never=None,
                versus_best=None,
                beats=tuple(beats),
            )
        )
    return replace(comparison, policies=tuple(policies))


def test_a_noisy_best_does_not_make_everything_simpler_as_good():
    # Never clearly beats the status quo; the best of all is too noisy to beat anything.
    found = verdict(compared(never=(100, ["status quo"]), every_7d=(140, [])))
    assert found.policy == "never"
    assert "status quo: nothing" not in found.headline


def test_it_climbs_only_over_policies_that_clearly_made_more():
    found = verdict(compared(never=(100, ["status quo"]), every_7d=(140, ["never", "status quo"])))
    assert found.policy == "every 7d"
    assert verdict(compared(never=(10, []), every_7d=(20, []))).policy == "status quo"


def test_the_status_quo_is_undecided_too_when_a_range_could_turn_it():
    comparison = compared(always_rebook=(-10, []))
    ranged = replace(comparison.policies[1], gain_corners=(-300.0, 200.0), beats_somewhere=("status quo",))
    found = verdict(replace(comparison, policies=(comparison.policies[0], ranged)))
    assert found.headline.startswith("Undecided")
    assert any("ranges of values" in reason for reason in found.reasons)
    # What is clear nowhere in the ranges hangs on luck, and no answer of the business would settle it.
    noisy = replace(ranged, beats_somewhere=())
    found = verdict(replace(comparison, policies=(comparison.policies[0], noisy)))
    assert (found.undecided, found.question, "Undecided" in str(found)) == (False, "", False)


@pytest.mark.parametrize(("low", "skilled"), [(-7.0, False), (3.0, True)])
def test_under_a_capacity_a_model_has_skill_only_where_it_beats_as_many_picked_by_chance(low, skilled):
    # Acting on a few cases costs nothing where hits are counted: it beats doing nothing, whoever is picked.
    comparison = replace(compared(never=(91, ["status quo"])), form="capacity", unit="hits")
    model = replace(comparison.policies[1], by_chance=84.0, versus_chance=Estimate(7.0, low, 21.0))
    comparison = replace(comparison, policies=(comparison.policies[0], model))
    found = verdict(comparison)
    assert found.headline.startswith("Use the model" if skilled else "No skill was shown")
    assert ("dummies" in verdict_codes(comparison, policy=found.policy)) != skilled


def test_without_any_outcome_nothing_is_compared():
    comparison = compared(never=(0, []))
    empty = [replace(policy, settled=0) for policy in comparison.policies]
    found = verdict(replace(comparison, policies=tuple(empty)))
    assert "No case" in found.headline
    assert found.reasons == ()


# lessons, segments and guesses on the page


def segments_on_page():
    data = data_of(a_brief(), late=-0.5)
    dice = np.random.default_rng(3)
    comparison = data.comparison
    days = 200
    n = days * 20
    depot = dice.choice(["north", "south"], n)
    truth = dice.choice(np.array([0, 1], dtype=np.int8), n, p=[0.3, 0.7])
    right = dice.random(n) < np.where(depot == "north", 0.9, 0.3)
    scored = Scored(
        decided_at=FROM_AT + np.sort(dice.integers(0, days * DAY, n)),
        truth=truth,
        ids=np.arange(n, dtype=np.uint64),
        values=TableValues(np.array([[10.0, -10.0], [0.0, 0.0]]), {}, n),
        actions=("rebook", "pass"),
        status_quo=np.ones(n, dtype=np.int8),
        from_at=FROM_AT,
        to_at=FROM_AT + days * DAY,
        known_at=comparison.known_at,
    )
    action = np.where(right, truth != 0, truth == 0).astype(np.int8)
    columns = {"depot": pl.Series(depot)}
    found = segments(PolicyRun("every 60d", action), scored, columns=columns, seed=1)
    return replace(data, segments={"every 60d": found}), found


def test_segments_are_shown_with_the_sentence_that_keeps_them_from_being_over_read():
    data, found = segments_on_page()
    page = render(data)
    text = " ".join(" ".join(parsed(page).text).split())
    assert "Where the gain comes from" in text
    assert "The policy clearly loses in" in text
    assert "south (depot)" in text
    assert f"{len(found.segments)} segments were looked at" in text
    for one in found.segments:
        assert amount(one.per_case.value) in text
        assert f"{amount(one.per_case.low)} to {amount(one.per_case.high)}" in text
    assert "Where the gain comes from" not in render(data_of(a_brief()))


def test_guesses_are_repeated_until_they_are_confirmed():
    guess = Assumption("case", "decide_at", f'"{ATTACK}"', "the only instant")
    page = render(replace(data_of(a_brief()), assumptions=(guess, guess)))
    text = " ".join(" ".join(parsed(page).text).split())
    assert "2 guesses that nobody has confirmed" in text
    assert "the only instant" in text
    assert ATTACK in text
    assert 'href="#assumed"' in page
    assert "nobody has confirmed" not in render(data_of(a_brief()))


def test_lessons_stand_beside_what_they_explain_with_the_numbers_of_the_page():
    finding = Finding("check.immature", "warning", "[outcome] matures", "a tenth come late", "why", "fix")
    data = replace(data_of(a_brief(), late=-0.5), warnings=[], findings=(finding,))
    page = render(data)
    tags = parsed(page)
    text = " ".join(" ".join(tags.text).split())
    chosen = next(policy for policy in data.comparison.policies if policy.policy == "every 60d")
    gain = chosen.versus_status_quo
    assert f"gain of every 60d over the status quo: {amount(gain.value)} EUR" in text
    assert f"{amount(gain.low)} to {amount(gain.high)} EUR" in text
    lessons = [attributes for tag, attributes in tags.seen if tag == "details" and "id" in attributes]
    assert len(lessons) >= 10
    assert [tag for tag, _ in tags.seen].count("summary") == [tag for tag, _ in tags.seen].count("details")
    warned = page[page.index('aria-label="Warnings"') :]
    assert warned.index("a tenth come late") < warned.index("lesson-matures") < warned.index("</section>")
    assert "details::details-content" in page[page.index("@media print") :]


def test_every_link_on_the_page_leads_somewhere():
    data, _ = segments_on_page()
    tags = parsed(render(replace(data, assumptions=(Assumption("case", "key", "id", ""),))))
    places = {attributes["id"] for _, attributes in tags.seen if "id" in attributes}
    links = {attributes["href"] for tag, attributes in tags.seen if tag == "a"}
    assert links
    assert {link.removeprefix("#") for link in links} <= places


def test_the_first_figures_are_those_of_the_recommended_policy():
    data = data_of(a_brief(), late=-0.5)
    page = render(data)
    tiles = page[page.index('class="tiles"') : page.index("</ul>", page.index('class="tiles"'))]
    chosen = next(policy for policy in data.comparison.policies if policy.policy == "every 60d")
    assert f"{amount(chosen.versus_status_quo.value)} EUR" in tiles
    assert f"{amount(chosen.gain_per_case.value)} EUR" in tiles
    assert ">Met<" in tiles
