"""Laws of the page of fairness: figures are the objects', absent parts say why, nothing takes effect."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import escape

import fairness_samples as samples
from test_data_page import SILENT_TAGS, outline
from wholeroad.core.estimates import Estimate
from wholeroad.interfaces.report.fairness_charts import MOST_ROWS, Dot, ends_of, short_labels
from wholeroad.interfaces.report.fairness_page import FairnessData, fairness_fragment, render_fairness
from wholeroad.interfaces.report.fairness_rows import differs, figure_groups, spread
from wholeroad.interfaces.report.fairness_words import (
    CAUSES,
    bias_headline,
    chosen_point,
    fairness_verdict,
    short_title,
)
from wholeroad.interfaces.report.templating import environment
from wholeroad.lessons import fill, lesson_for
from wholeroad.lessons.fairness_numbers import (
    numbers_of_bias,
    numbers_of_fairness,
    numbers_of_plan,
    numbers_of_price,
    numbers_of_slices,
)
from wholeroad.road.data.bias.found import GroupBias
from wholeroad.road.model.fairness.measures import MEASURES
from wholeroad.road.model.fairness.record import (
    REMEDIES,
    TITLES,
    fairness_section,
    figure_in_words,
    range_in_words,
    title_of,
    words_of,
)
from wholeroad.road.model.fairness.results import Fairness

ROOT = Path(__file__).parents[1]
LESSONS = (
    "demographic-parity",
    "equalized-odds",
    "calibration-within-groups",
    "predictive-parity",
    "fairness-conflicts",
    "fairness-limit",
    "coverage-of-groups",
    "selective-labels",
    "proxy-features",
    "worst-slices",
    "reweighing",
    "group-thresholds",
    "price-of-fairness",
)


def only_selection(fairness):
    """The same with one measure: fewer charts to draw."""
    return replace(
        fairness,
        figures=tuple(one for one in fairness.figures if one.measure == "selection_rate"),
        disparities=tuple(one for one in fairness.disparities if one.measure == "selection_rate"),
    )


def whole(**changes):
    data = FairnessData(
        brief=samples.brief(),
        fairness=samples.fairness(),
        judged="Decisions of “every 30d” until 2013-08-28.",
        findings=samples.findings(),
        plan=samples.plan(),
        prices=(samples.price(),),
        flips=samples.flips(),
        slices=samples.slices(),
        appeals={"open": 2, "upheld": 17},
        unchecked=("Flips of band: no feature of the model.",),
    )
    return replace(data, **changes)


@pytest.fixture(scope="module")
def page():
    return render_fairness(whole())


def text_of(page):
    bare = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


# figures


def test_law_every_figure_of_every_group_is_on_the_page_with_its_interval(page):
    text = text_of(page)
    fairness = samples.fairness()
    for one in (*fairness.figures, *fairness.everybody):
        if one.enough:
            assert figure_in_words(one.figure.value, one.unit, money="EUR") in text
            assert range_in_words(one.figure, one.unit, money="EUR") in text
            assert f"{one.cases:,}" in text
            if one.rest:
                assert figure_in_words(one.rest.value, one.unit, money="EUR", apart=True) in text
    for one in fairness.disparities:
        assert range_in_words(one.difference, one.unit, money="EUR", apart=True) in text
        if one.ratio:
            assert f"{one.ratio.value:.2f}" in text


def test_law_findings_prices_flips_slices_limits_and_counts_are_on_the_page(page):
    text = text_of(page)
    for needed in (
        *("18.7%", "17.3% to 20.2%", "-11.3 points", "-12.7 to -9.8 points", "6.8 days", "0.37 AUC", "801"),
        *("310 EUR a month (280 to 340 EUR)", "640 cases", "2014-04-06", "77.3%", "try this first"),
        *("3.38 EUR (2.97 to 3.79 EUR)", "6.1 points (3.7 to 8.5 points)", "1.17 EUR", "3,456 cases"),
        *("6.4%", "5.1% to 7.9%", "5.7%", "-2.1 points", "1,371"),
        *("9.41 EUR", "5.47 to 8.27 EUR", "18.3%", "below 0.001", "0.071", "12,345", "10%"),
        *("at most 5 points apart", "13.4 points (9.0 to 17.8 points)", "0.79 (0.71 to 0.86)", "stops a fit"),
        *("works council & operations", "2013-08-01", "2014-02-01", "nobody is named"),
        *("the census of 2011", "50.0%", "nowhere", "west (11)", "15 cases together"),
        *(
            "ombudsman@example.org",
            "answered within 14d",
            "upheld",
            "17",
            "Flips of band",
            "Label noise: no model",
        ),
        *("4,321 decisions, 4,007 of them", "93 UTC days", "every 30d"),
    ):
        assert needed in text, needed


@given(st.floats(0.05, 0.95), st.floats(0.001, 0.04), st.integers(30, 10**6))
@settings(max_examples=4, deadline=None)
def test_law_the_rows_say_the_figures_of_the_object(value, half, cases):
    fairness = samples.fairness(values={"a": 0.2, "b": 0.3})
    first = replace(fairness.figures[0], figure=samples.estimate(value, half), cases=cases)
    changed = replace(fairness, figures=(first, *fairness.figures[1:]))
    rows = figure_groups(changed, "EUR", only=("selection_rate",))[0]["measures"][0]["rows"]
    row = next(row for row in rows if row["value"] == "a")
    assert row["figure"] == (
        f"{100 * value:.1f}%",
        f"{100 * (value - half):.1f}% to {100 * (value + half):.1f}%",
    )
    assert row["cases"] == f"{cases:,}"


def test_too_few_cases_are_said_and_no_infinity_or_nan_is_shown(page):
    text = text_of(page)
    assert "too few cases" in text
    assert "no interval" in text
    assert not re.search(r"\b(nan|inf|-inf|None(?! at| of)|False|True(?! positive))\b", text)
    assert "built-in" not in page
    assert "object at 0x" not in page


# markup


def test_nothing_from_the_data_takes_effect(page):
    found = outline(page)
    assert found.crossed == []
    assert found.open == []
    assert not SILENT_TAGS & set(found.tags)
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert samples.HOSTILE not in page
    assert str(escape(samples.HOSTILE)) in page
    assert set(re.findall(r"https?://[^\"'<> ]+", page)) <= {"http://www.w3.org/2000/svg"}


@given(st.text(max_size=40))
@example("a\x00b")
@example("\x16\ufffe")
@settings(max_examples=2, deadline=None)
def test_law_any_name_of_a_group_is_escaped(name):
    name = f"{name}<b>"
    one = samples.fairness(values={name: 0.3, "other": 0.2})
    one = only_selection(one)
    shown = str(fairness_fragment(samples.brief(), one))
    found = outline(shown)
    assert found.crossed == []
    assert "b" not in found.tags


def test_the_same_data_give_the_same_page(page):
    assert render_fairness(whole()) == page


def test_headings_go_down_one_at_a_time_and_tables_have_scopes(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in pairwise(levels))
    assert '<html lang="en">' in page
    assert page.count("<th") - page.count("<thead") == len(re.findall(r'<th scope="(?:col|row)"', page))
    found = outline(page)
    assert len(found.ids) == len(set(found.ids))
    for target in re.findall(r'(?:href="#|aria-labelledby=")([^"]+)"', page):
        assert target in found.ids
    assert page.count('role="img"') == page.count("<svg")
    assert all(len(label) > 20 for label in re.findall(r'role="img" aria-label="([^"]*)"', page))


def test_every_chart_has_a_table_behind_it(page):
    assert page.count("<svg") > 12
    for figure in re.findall(r"<figure class=\"dots\">.*?</figure>", page, re.DOTALL):
        assert "<svg" not in figure or "<table" in figure
    assert page.index('class="chart chart-price0"') < page.index("The points of the chart, by number")


def test_absent_parts_say_why():
    bare = text_of(render_fairness(FairnessData(brief=samples.brief())))
    for command in ("solution", "data", "plan", "price", "flips", "slices"):
        assert f"wholeroad fairness {command}" in bare
    assert "Nothing was assessed yet." in bare
    assert "The brief sets limits, and nothing was held against them." in bare
    said = render_fairness(FairnessData(brief=samples.brief(), absent={"price": "No thresholds fit."}))
    assert '<p class="absent">No thresholds fit.</p>' in said
    assert said.count("No price was worked out") == 0
    assert "No price was worked out" in bare
    without = text_of(render_fairness(FairnessData(brief=samples.plain_brief())))
    assert "The brief names no groups" in without
    assert "No limit" in without or "sets no limit" in without


def test_one_group_and_forty_groups_can_be_shown():
    many = samples.many()
    one, forty = (
        text_of(
            render_fairness(
                FairnessData(brief=samples.brief(), fairness=only_selection(samples.fairness(values=values)))
            )
        )
        for values in ({"all": 0.3}, many)
    )
    assert "too few cases" in one
    assert all(name in forty for name in many)
    assert f"{len(many) - MOST_ROWS} more are in the table" in forty


# words


def test_every_measure_and_cause_and_remedy_has_words():
    for measure in (*MEASURES, "equalized_odds"):
        assert measure in TITLES, measure
        assert words_of(measure), measure
    assert set(CAUSES) == set(GroupBias.__annotations__ and _options("Cause"))
    assert set(REMEDIES) == set(_options("Kind"))
    assert title_of("a_new_measure") == "A new measure"
    assert short_title("true_positive_rate") == "true positive rate"


def _options(name):
    from typing import get_args

    from wholeroad.road.brief import fairness
    from wholeroad.road.data.bias import found

    return get_args(getattr(fairness, name, None) or getattr(found, name))


@pytest.mark.parametrize(
    ("standings", "said", "standing"),
    [
        (("breached", "holds"), "A limit is clearly breached: selection rate by depot.", "breached"),
        (("holds", "open"), "No limit is clearly breached, and one can't be told yet", "open"),
        (("holds", "holds"), "All 2 limits hold", "holds"),
    ],
)
def test_the_verdict_follows_the_limits(standings, said, standing):
    fairness = samples.fairness()
    limits = tuple(replace(one, standing=each) for one, each in zip(fairness.limits, standings, strict=False))
    verdict = fairness_verdict(replace(fairness, limits=limits), "EUR")
    assert verdict.headline.startswith(said)
    assert verdict.standing == standing
    assert len(verdict.reasons) == 2


def test_without_limits_the_verdict_says_what_is_clear_and_no_more():
    fairness = samples.fairness(limits=False)
    assert "differ clearly by band, depot," in fairness_verdict(fairness, "EUR").headline
    unclear = tuple(replace(one, difference=Estimate(0.1, -0.1, 0.3)) for one in fairness.disparities)
    assert "no proof" in fairness_verdict(replace(fairness, disparities=unclear), "EUR").headline
    untold = tuple(replace(one, difference=None) for one in fairness.disparities)
    assert "Nothing can be told" in fairness_verdict(replace(fairness, disparities=untold), "EUR").headline


def test_only_what_stays_clear_of_everybody_else_is_said_to_differ():
    figures = samples.fairness().figures
    said = {one.value: differs(one) for one in figures if one.measure == "selection_rate"}
    assert said["north"] == "clearly more"
    assert said["south"] == "clearly less"
    assert said["tiny"] == said[samples.LONG] == ""


def test_the_headline_of_the_data_counts_what_is_clear():
    assert bias_headline(samples.findings()).startswith("4 clear differences in 6 answers, 1 from too few")
    assert "no proof" in bias_headline(samples.findings()[2:3])
    assert bias_headline(()) == "Nothing was asked of the data by group."


def test_the_chosen_tolerance_is_the_brief_s():
    curve = samples.price()
    assert chosen_point(curve, samples.brief()) is curve.points[1]
    assert chosen_point(curve, samples.plain_brief()) is None
    assert chosen_point(replace(curve, grouping="band"), samples.brief()) is None


def test_who_is_selected_is_told_by_the_ends():
    assert spread({"a": 0.1, "b": float("nan")}) == "a 10.0%"
    assert (
        spread({name: place / 10 for place, name in enumerate("abcd")}) == "0.0% (a) to 30.0% (d), 4 groups"
    )
    assert spread({}) == "not known"


# charts


@given(st.lists(st.text("ab", min_size=1, max_size=60), unique=True, max_size=30))
@settings(deadline=None)
def test_law_short_labels_are_short_and_all_different(names):
    labels = short_labels(names)
    assert list(labels) == names
    assert len(set(labels.values())) == len(names)
    assert all(len(label) <= 24 for label in labels.values())


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60))
@settings(deadline=None)
def test_law_of_too_many_groups_the_two_ends_are_drawn(values):
    dots = [
        Dot(str(place), float("nan") if value is None else value, 0, 1, enough=value is not None)
        for place, value in enumerate(values)
    ]
    shown = ends_of(dots)
    assert len(shown) == min(len(dots), max(MOST_ROWS, 0)) or len(shown) == MOST_ROWS
    told = sorted((dot.value for dot in dots if dot.drawn), reverse=True)
    if told:
        assert shown[0].value == told[0]
        assert [dot for dot in shown if dot.drawn][-1].value == told[-1]


# contrast, by the formula of WCAG 2.2


def luminance(colour):
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_texts_and_marks_stand_out_in_light_and_dark(page):
    light, dark = re.findall(r":root \{([^}]*)\}", page)[:2]
    for theme in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for text in ("ink", "soft", "accent"):
            for ground in ("paper", "panel"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert contrast(colours["ink"], colours["warn"]) >= 4.5
        assert contrast(colours["ink"], colours["mark"]) >= 4.5
        assert contrast("#0f7fc4", colours["paper"]) >= 3  # dots


# the section of a report, and of the card


def test_the_section_of_a_report_is_whole():
    shown = str(
        fairness_fragment(samples.brief(), samples.fairness(), judged="Policy never.", whole="fairness.html")
    )
    found = outline(shown)
    assert found.crossed == found.open == []
    assert found.tags[0] == "section"
    assert 'href="fairness.html"' in shown
    assert "style" not in found.tags
    text = text_of(shown)
    assert "A limit is clearly breached" in text
    assert "Policy never." in text
    assert "31.7%" in text
    assert fairness_fragment(samples.brief(), None) == ""
    assert fairness_fragment(samples.plain_brief(), samples.fairness()) == ""
    styles = Path("src/wholeroad/interfaces/report/templates/fairness_style.css.j2")
    assert all(f".{name}" in (ROOT / styles).read_text("utf-8") for name in ("dots", "whose", "said", "wrap"))


def test_the_card_tells_who_what_how_much_how_sure_and_who_decided():
    card = fairness_section(samples.fairness(), brief=samples.brief(), stopped=("a limit",))
    for needed in (
        *("## Fairness", "census of 2011", "rebook, which is a benefit to them", "come", "late"),
        *("4,321 decisions, 4,007 with a known", "95% confidence", "93 UTC days"),
        *("31.7% (n = 1,000)", "13.4 points (9.4 to 17.4 points)", "0.58 (0.47 to 0.69)"),
        *(
            "breached, stops the model",
            "can't be told yet",
            "Not put in charge",
            "works council &amp; operations",
        ),
        *("2013-08-01", "2014-02-01", "nobody is named", "can't hold together", "west (11)"),
    ):
        assert needed in card, needed
    assert samples.HOSTILE not in card
    assert "<script" not in card
    assert "nan" not in card
    assert not card.endswith("\n")
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {4, 6, 7}


def test_a_card_without_groups_or_assessment_says_so():
    assert "No group was compared" in fairness_section(None, brief=samples.plain_brief())
    card = fairness_section(None, brief=samples.brief())
    assert "Nothing was assessed" in card
    assert "works council" in card
    empty = Fairness(0, 0, (), (), ())
    assert "sets none" in fairness_section(empty, brief=samples.brief())


# lessons


def test_every_concept_has_its_lesson_and_takes_its_numbers_from_the_objects():
    for code in LESSONS:
        assert lesson_for(code).code == code
    fairness = samples.fairness()
    numbers = (
        *numbers_of_fairness(fairness),
        *numbers_of_bias(samples.findings()),
        *numbers_of_plan(samples.plan()),
        *numbers_of_price((samples.price(),), unit="EUR"),
        *numbers_of_slices(samples.slices()),
    )
    named = {one.name: one for one in numbers}
    apart = next(
        one for one in fairness.disparities if (one.grouping, one.measure) == ("band", "selection_rate")
    )
    assert named["selection_apart"].value == 100 * apart.difference.value
    assert named["effective_share"].value == 0.773
    assert named["price_tightest"].value == samples.price().points[-1].price_per_case.value
    assert named["slices_clear"].value == 1
    assert "22.40 points" in fill(lesson_for("demographic-parity"), numbers).here
    for code in LESSONS:
        wanted = set(lesson_for(code).shows)
        assert wanted <= named.keys(), code


def test_lessons_stand_on_the_page_with_its_numbers(page):
    for code in LESSONS:
        assert f'id="lesson-{code}"' in page, code
    assert "Here the weighted cases tell as much as 77.3%" in page


def test_the_templates_are_filled_strictly():
    assert environment().undefined.__name__ == "StrictUndefined"
