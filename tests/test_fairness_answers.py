"""Laws of what commands print about fairness: the verdict first, the figures, then what to do next."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import fairness_samples as samples
from wholeroad.core.estimates import Estimate
from wholeroad.engine.variants import Difference
from wholeroad.interfaces.cli.fairness_answers import (
    show_bias,
    show_plan,
    show_solution,
)
from wholeroad.interfaces.cli.fairness_lines import plain
from wholeroad.interfaces.cli.fairness_searches import show_flips, show_price, show_slices
from wholeroad.interfaces.cli.fairness_tried import show_difference_tried
from wholeroad.road.brief.remedies import parse_remedy
from wholeroad.road.model.fairness.definitions import conflicts

WORTH = Difference(
    "remedies",
    total=Estimate(-5_432.0, -7_000.0, -3_900.0),
    per_month=Estimate(-1_086.0, -1_400.0, -772.0),
    confidence=0.95,
    looks=1,
    months=5.0,
    cases=3_210,
    only_with=0,
    only_without=3,
    decided_otherwise=411,
)


def printed(show, *arguments, width=110, **named):
    out = io.StringIO()
    show(Console(file=out, width=width, color_system=None), *arguments, **named)
    return out.getvalue()


def every_answer(width=110):
    fairness = samples.fairness()
    unit, brief = "EUR", samples.brief()
    return {
        "data": printed(show_bias, samples.findings(), width=width),
        "plan": printed(show_plan, samples.plan(), unit=unit, width=width),
        "solution": printed(show_solution, fairness, conflicts=conflicts(fairness), unit=unit, width=width),
        "slices": printed(show_slices, samples.slices(), unit=unit, width=width),
        "price": printed(show_price, [samples.price()], brief=brief, width=width),
        "flips": printed(show_flips, samples.flips(), width=width),
        "try": printed(
            show_difference_tried,
            WORTH,
            before=fairness,
            after=replace(fairness, limits=fairness.limits[1:]),
            remedies=brief.fairness.remedies,
            unit=unit,
            width=width,
        ),
    }


ANSWERS = every_answer()
FIRST = {
    "data": "4 clear differences in 6 answers",
    "plan": "First: who is there, depot = south.",
    "solution": "A limit is clearly breached: selection rate by depot.",
    "slices": "1 slice of 9 tested fares worse.",
    "price": "Without thresholds selection rate by depot lies 13.4 points",
    "flips": "depot weighs by itself: with south in place of north, 6.4%",
    "try": "Tried on history: A threshold for each group (every depot)",
}
FIGURES = {
    "data": ("0.37 AUC", "-11.3 points", "-12.7 to -9.8 points", "1,204"),
    "plan": (
        "310 EUR a month (280 to 340 EUR)",
        "77.3%",
        "cases = 640",
        "try this first",
        "311 days",
        "Not asked",
    ),
    "solution": (
        "31.7%",
        "9.4 to 17.4",
        "0.58",
        "4,321 decisions, 4,007",
        "by 6.7 points (4.6 to 8.8",
        "1,007",
    ),
    "slices": ("9.41 EUR", "5.47 to 8.27", "18.3%", "12,345", "10%", "stands", "may be chance"),
    "price": (
        "6.1 points",
        "1.17 EUR",
        "(chosen)",
        "no interval",
        "3,456 cases",
        "2013-06-17",
        "16.6% to 26.0%",
    ),
    "flips": ("5.1% to 7.9%", "5.7%", "1,371", "not known"),
    "try": ("13.4 points", "1,086 EUR a month less", "3,210 cases", "411"),
}
NEXT = {
    "data": "wholeroad fairness plan",
    "plan": "wholeroad fairness try",
    "solution": "wholeroad fairness page",
    "slices": "wholeroad explain decision KEY",
    "price": "wholeroad fairness try",
    "flips": "wholeroad fairness data",
    "try": "wholeroad fairness page",
}


@pytest.mark.parametrize("name", FIRST)
def test_the_verdict_comes_first_and_the_next_command_last(name):
    lines = ANSWERS[name].splitlines()
    assert " ".join(lines).startswith(FIRST[name])
    assert lines[-1].endswith(NEXT[name])


@pytest.mark.parametrize("name", FIGURES)
def test_figures_come_from_the_objects(name):
    flat = " ".join(ANSWERS[name].split())
    for needed in FIGURES[name]:
        assert needed in flat, needed


@pytest.mark.parametrize("name", FIRST)
def test_no_answer_shows_an_infinity_or_is_wider_than_the_terminal(name):
    assert not re.search(r"\b(nan|inf|None|False|True(?! positive))\b", ANSWERS[name])
    for width in (80, 110):
        for line in every_answer(width)[name].splitlines() if width == 80 else ANSWERS[name].splitlines():
            copied = line.lstrip().startswith(("{ kind", "wholeroad fairness choose"))
            assert copied or len(line) <= max(width, 110), line


def test_the_remedies_of_a_plan_can_be_copied_into_a_command():
    lines = [line for line in ANSWERS["plan"].splitlines() if line.startswith("    { kind")]
    first = parse_remedy(lines[0])
    assert (first.kind, first.group, first.values, first.cases) == ("collect", "depot", ("south",), 640)


def test_of_many_findings_the_weightiest_are_shown_and_the_rest_counted():
    """From many cases everything is clear; what is small with its whole interval stands in no row."""
    few = samples.findings()[0]
    many = [
        replace(
            few,
            cause="base_rate",
            value=f"v{place:02}",
            figure=Estimate(0.5 + size, 0.4 + size, 0.6 + size),
            difference=Estimate(size, size * 0.9, size * 1.1),
            clear=True,
            does=f"v{place:02} does",
        )
        for place, size in enumerate([0.001, 0.01, *(0.05 + 0.01 * step for step in range(20))])
    ]
    text = " ".join(printed(show_bias, many[::-1]).split())
    assert text.startswith("22 clear differences in 22 answers, 2 of them small")
    shown = [place for place in range(22) if f"depot = v{place:02} " in text]
    assert shown == list(range(10, 22))
    assert [place for place in range(22) if f"v{place:02} does" in text] == list(range(17, 22))
    assert "8 more clear differences and 2 that are clear and small" in text
    assert text.index("v21 ") < text.index("v20 ") < text.index("v10 ")


def test_a_long_plan_is_short():
    """Eight lines are told in full, the others in one line each."""
    line = samples.plan().lines[0]
    plan = replace(samples.plan(), lines=tuple(replace(line, evidence=line.evidence) for _ in range(14)))
    text = printed(show_plan, plan, unit="EUR", width=80)
    assert text.count("try this first") == 8
    assert "• 14. Who is there, depot = south" in text


def test_tolerances_that_come_to_the_same_share_a_row():
    curve = samples.price()
    alike = [replace(curve.points[0], within=within) for within in (0.07, 0.05, 0.03)]
    text = printed(show_price, [replace(curve, points=tuple(alike))], brief=samples.brief(remedies=[]))
    assert re.search(r"^ up to 3 points .*\n \(or up to 7 points\) ", text, re.MULTILINE)
    assert "up to 5 points" not in text


@given(st.text(st.characters(codec="utf-8"), max_size=12))
@settings(max_examples=60, deadline=None)
def test_law_no_name_breaks_a_line_or_the_terminal(name):
    text = plain(f"a{name}b")
    assert text.isprintable()
    assert text.startswith("a")
    assert text.endswith("b")
    finding = replace(samples.findings()[0], value=f"a{name}b", does="it does", clear=True)
    assert not {"\x1b", "\r", "\x9b", "\u2028"} & {*printed(show_bias, [finding], width=200)}


def test_brackets_in_names_take_no_effect():
    fairness = samples.fairness(values={"[bold]north[/bold]": 0.4, "[/x]": 0.2})
    text = printed(show_solution, fairness, conflicts=(), unit="EUR")
    assert "[bold]north[/bold]" in text
    assert "[/x]" in text


def test_nothing_found_is_said_plainly():
    assert printed(show_bias, ()).startswith("Nothing was asked of the data by group.")
    assert printed(show_plan, replace(samples.plan(), lines=()), unit="EUR").startswith("No clear finding")
    assert printed(show_flips, ()).startswith("Nothing to flip")
    assert printed(show_price, (), brief=samples.brief()).startswith("No price could be worked out")
    quiet = replace(samples.slices(), slices=samples.slices().slices[1:])
    assert printed(show_slices, quiet, unit="EUR").startswith("No slice stands")
    unclear = [replace(one, otherwise=Estimate(0.01, 0.0, 0.02)) for one in samples.flips()]
    assert printed(show_flips, unclear).startswith("No other value of a group clearly changes")
    tried = printed(show_difference_tried, None, before=None, after=None, remedies=(), unit="EUR")
    assert "couldn't be compared" in tried


def test_without_a_limit_what_is_clear_is_named_and_what_is_not_only_counted():
    fairness = samples.fairness(limits=False)
    text = printed(show_solution, fairness, conflicts=(), unit="EUR")
    assert text.startswith("Groups differ clearly by band, depot, and no limit says how far they may.")
    assert "2 more, not clearly apart, are on the page" in text
    assert "gain per case" not in text.partition("clear?")[2].partition("more, not clearly")[0]


def test_a_lesser_share_is_told_with_an_interval_of_the_same_sign():
    flat = " ".join(ANSWERS["solution"].split())
    assert "clearly less than everybody else, by 6.7 points (4.6 to 8.8 points; n = 1,007)" in flat


@given(st.floats(0.001, 0.9), st.floats(0.0001, 0.05))
@settings(max_examples=20, deadline=None)
def test_law_a_slice_s_share_and_a_flip_s_share_are_printed_as_they_are(share, half):
    one = replace(samples.slices().slices[0], share_of_loss=share)
    assert f"{share:.1%}" in printed(
        show_slices, replace(samples.slices(), slices=(one,)), unit="EUR", width=140
    )
    flip = replace(samples.flips()[0], otherwise=Estimate(share, share - half, share + half))
    text = printed(show_flips, (flip,), width=140)
    assert f"{share:.1%}" in text
    assert text.startswith("depot weighs" if share - half > 0 else "No other value")


def test_flips_come_in_order_of_their_share_and_those_that_can_t_be_told_last():
    text = ANSWERS["flips"]
    assert text.index("1,371") < text.index("801")
    assert math.isnan(samples.flips()[1].otherwise.value)
