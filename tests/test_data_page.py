"""Laws of the page of a profile: everything found is on it, and nothing from the data takes effect."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape
from rich.console import Console

import worlds
from test_report import a_brief
from wholeroad.core.instants import DAY
from wholeroad.engine.profiling import Profiled
from wholeroad.interfaces.cli.profiling import show_profile
from wholeroad.interfaces.report.data_page import headline, render_data
from wholeroad.project import open_project
from wholeroad.road.data.quality.outcomes_rates import OutcomeRate, SegmentRate
from wholeroad.road.data.quality.summaries import Bin, ColumnSummary, SourceSummary
from wholeroad.road.data.quality.times_by_day import Arrivals, DayRows, WeekDelays
from wholeroad.road.data.quality.troubles import KINDS, Trouble

HOSTILE = (
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "' onload='x",
    "<!--",
    "]]>",
    "\u202eevil",
)
VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "path", "line"}
SILENT_TAGS = {"script", "iframe", "object", "embed", "form", "base", "audio", "video", "img", "input"}


class Outline(HTMLParser):
    """Gathers what would take effect."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.ids, self.open, self.crossed = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)


def outline(page):
    found = Outline()
    found.feed(page)
    return found


def a_column(name="x", **changes):
    plain = {
        "kind": "number",
        "nulls": 2,
        "distinct": 9,
        "least": "0",
        "middle": "4",
        "greatest": "9",
        "bins": tuple(Bin("", float(low), low + 1.0, 5 + low) for low in range(4)),
        "missing": (0.0, 0.01, 1.0, float("nan")),
        "touches": "feature",
    }
    return ColumnSummary(name=name, **(plain | changes))


def a_trouble(**changes):
    plain = {
        "code": "quality.sentinel-number",
        "source": "flights",
        "columns": ("x",),
        "what": "what it is",
        "why": "why it matters",
        "where": "x = -999",
        "rows": 3,
        "of": 100,
        "examples": ({"id": 1, "x": -999.0, "none": None},),
        "mend": '{ nothing = "x", values = [-999] }',
        "leave": "when it is right",
        "touches": "feature",
        "at_stake": 12.0,
    }
    return Trouble(**(plain | changes))


def profiled(**changes):
    plain = {
        "brief": a_brief(),
        "troubles": (a_trouble(),),
        "sources": (SourceSummary("flights", 100, 120, 0.5, 0, 40 * DAY, (a_column(),)),),
        "arrivals": {
            "flights": Arrivals(
                tuple(DayRows(day * DAY, 5, 4) for day in range(40)),
                tuple(WeekDelays(week * 7 * DAY, 35, (-30.0, -24.0, 1.0, 2.0)) for week in range(5)),
            )
        },
        "features": (),
        "rates": tuple(OutcomeRate(week * 7 * DAY, 0.2, 0.1, 0.3, 50) for week in range(5)),
        "segments": (SegmentRate("carrier", "UA", 0.2, 0.1, 0.3, 50, 60),),
        "looked_for": "late",
    }
    return Profiled(**(plain | changes))


def printed(found, width=80):
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    show_profile(console, found, page=Path("profile.html"))
    return out.getvalue()


# what is on it


def test_every_kind_of_trouble_has_a_title_its_rows_and_its_mend_on_the_page_and_in_the_terminal():
    troubles = tuple(a_trouble(code=code, rows=number + 1) for number, code in enumerate(KINDS))
    found = profiled(troubles=troubles)
    page, told = render_data(found), printed(found)
    for number, one in enumerate(troubles, 1):
        assert f'id="trouble-{number}"' in page
        assert one.code in page
        assert one.code in told
        assert f"{number:,} of 100 rows" in page
    assert page.count("wholeroad data mend flights --step") == len(troubles)


def test_prose_is_no_step():
    page = render_data(profiled(troubles=(a_trouble(mend="ask whoever delivers it"),)))
    assert "ask whoever delivers it" in page
    assert "--step" not in page


def test_a_kind_that_comes_twice_is_explained_once_and_pointed_to():
    page = render_data(profiled(troubles=(a_trouble(), a_trouble(source="other"))))
    assert page.count('id="lesson-sentinel-number"') == 1
    assert page.count('href="#lesson-sentinel-number"') == 1


def test_columns_name_the_troubles_that_they_are_in():
    page = render_data(profiled(troubles=(a_trouble(columns=("y",)), a_trouble(columns=("x", "y")))))
    row = re.search(r'<tr><th scope="row">x .*?</th>', page)
    assert row is not None
    assert "#trouble-2" in row.group()
    assert "#trouble-1" not in row.group()


def test_charts_are_drawn_and_not_told():
    page = render_data(profiled())
    assert "&lt;svg" not in page
    assert 'class="chart chart-rates"' in page
    assert 'class="chart chart-arrivals0"' in page
    assert "half of them were known 24 hours before" in page


@pytest.mark.parametrize(
    ("troubles", "said"),
    [
        ((), "Nothing was found in 1 column"),
        ((a_trouble(),), "1 trouble in what the brief reads"),
        (
            (a_trouble(touches="nothing"),),
            "Nothing was found in what the brief reads; 1 trouble in other columns",
        ),
        (
            (a_trouble(), a_trouble(), a_trouble(touches="nothing")),
            "2 troubles in what the brief reads, and 1 in columns that it doesn't use",
        ),
    ],
)
def test_the_headline_counts_what_the_brief_reads_apart(troubles, said):
    assert headline(profiled(troubles=troubles)) == said


def test_a_sample_is_said_to_be_one():
    told = render_data(profiled())
    assert "a sample of 50.0% of the keys" in told
    assert "flights (100 rows, a sample)" in told
    assert "what touches few rows may" in told


def test_unique_values_are_not_listed():
    unique = a_column("id", kind="text", distinct=100, nulls=0, least="", bins=(Bin("a-1", 0, 0, 1),))
    source = SourceSummary("flights", 100, 100, 1.0, None, None, (unique,))
    page = render_data(profiled(sources=(source,)))
    assert "each occurs once" in page
    assert "a-1" not in page
    assert "Empty over time" not in page


# bare projects


@pytest.mark.parametrize(
    "bare",
    [
        {"sources": (), "troubles": (), "arrivals": {}, "rates": (), "segments": (), "looked_for": ""},
        {"rates": (), "segments": (), "looked_for": "", "without_history": "no <outcomes> yet"},
        {"arrivals": {}, "rates": ()},
        {"arrivals": {"flights": Arrivals((), ())}},
        {"arrivals": {"flights": Arrivals((DayRows(0, 1, 1), DayRows(DAY, 0, 0)), ())}},
        {"sources": (SourceSummary("flights", 0, 0, 1.0, None, None, ()),)},
        {
            "sources": (
                SourceSummary(
                    "flights", 0, 0, 1.0, None, None, (a_column(bins=(), missing=(), nulls=0, least=""),)
                ),
            )
        },
        {"rates": (OutcomeRate(0, 0.5, 0.1, 0.9, 0), OutcomeRate(7 * DAY, 0.5, 0.1, 0.9, 0))},
    ],
)
def test_what_is_not_there_leaves_a_whole_page(bare):
    found = profiled(**bare)
    page = render_data(found)
    seen = outline(page)
    assert not seen.crossed
    assert not seen.open
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).replace("finance", "")
    assert "None" not in page
    assert printed(found)


@pytest.mark.parametrize("days", [0, 1, 40])
def test_projects_of_any_length_are_profiled(tmp_path, days):
    cases, outcomes = worlds.parcels(days=max(days, 1))
    folder = worlds.write(tmp_path, cases.head(24 * days), outcomes.head(24 * days))
    project = open_project(folder)
    project.land()
    found = project.data.profile()
    page = render_data(found)
    assert not outline(page).crossed
    for source in found.sources:
        for column in source.columns:
            assert f'<th scope="row">{column.name}' in page


# nothing takes effect


def hostile(text):
    column = a_column(text, least=text, middle=text, greatest=text)
    words = a_column(f"{text}2", kind="text", least="", bins=(Bin(text, 0, 0, 60),))
    trouble = a_trouble(
        columns=(text,),
        what=text,
        why=text,
        where=text,
        mend="{" + text,
        leave=text,
        examples=({text: text},),
    )
    return profiled(
        troubles=(trouble, replace(trouble, mend=f"ask: {text}", touches="nothing")),
        sources=(SourceSummary("flights", 100, 120, 1.0, 0, 40 * DAY, (column, words)),),
        segments=(SegmentRate(text, text, 0.2, 0.1, 0.3, 50, 60),),
        looked_for=text,
        without_history=text,
    )


def words_apart(found):
    """Leave out what holds one word each, of which a text has as many as it has words."""
    return [each for each in found if each not in ("span", ("span", "class"))]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_the_data_hold_is_text(text):
    plain, page = outline(render_data(hostile("plain"))), render_data(hostile(text))
    seen = outline(page)
    assert words_apart(seen.tags) == words_apart(plain.tags)
    names, plain_names = ([(tag, name) for tag, name, _ in each.attributes] for each in (seen, plain))
    assert words_apart(names) == words_apart(plain_names)
    assert str(escape(text)) in page


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
@settings(deadline=None, max_examples=15)
def test_law_no_text_changes_the_page_s_tags(text):
    quiet = {"rates": (), "arrivals": {}}
    found, plain = (outline(render_data(replace(hostile(each), **quiet))).tags for each in (text, "plain"))
    assert words_apart(found) == words_apart(plain)


def test_the_page_asks_nothing_of_the_network_and_runs_nothing():
    page = render_data(profiled())
    seen = outline(page)
    assert not SILENT_TAGS & set(seen.tags)
    assert not [each for each in seen.attributes if each[1].startswith("on")]
    assert not [each for each in seen.attributes if each[1] in ("src", "srcset", "data", "action")]
    for tag, name, value in seen.attributes:
        if name in ("href", "xlink:href"):
            assert value.startswith("#") or (tag, value) == ("link", "data:,")
    assert "default-src 'none'" in page
    for outside in ("@import", "url(http", "//cdn"):
        assert outside not in page


# for all readers


def test_headings_go_down_one_step_at_a_time_and_every_link_and_label_has_its_place():
    seen = outline(render_data(profiled(troubles=(a_trouble(), a_trouble()))))
    levels = [int(tag[1]) for tag in seen.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(seen.ids) == len(set(seen.ids))
    for _, name, value in seen.attributes:
        if name == "aria-labelledby" or (name == "href" and value.startswith("#")):
            assert value.removeprefix("#") in seen.ids
    regions = [each for each in seen.attributes if each[1:] == ("role", "region")]
    assert len(regions) == len([each for each in seen.attributes if each[1:] == ("tabindex", "0")])


def test_the_same_profile_gives_the_same_bytes():
    assert render_data(profiled()) == render_data(profiled())


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_breaks_no_step_and_no_other_line(width):
    step = '{ unit = "x", factor = 0.5, where = "' + " and ".join(["x > 1"] * 30) + '" }'
    told = printed(profiled(troubles=(a_trouble(mend=step),)), width)
    assert any(step in line for line in told.splitlines())
    assert all(len(line) <= width for line in told.splitlines() if step not in line)
