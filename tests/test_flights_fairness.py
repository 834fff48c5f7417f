"""The flights by group: the chapter is held against what its script recorded, and a share of it runs here.

``python bench/fairness_flights.py`` measures the year anew; ``python tests/test_flights_fairness.py`` then
writes the tables and outputs of the page as they were recorded.
"""

import json
import re
import shlex
import subprocess
import sys
from difflib import get_close_matches

import polars as pl
import pytest

import wholeroad
from pages import FENCED, ROOT, blocks_of, missing
from wholeroad.road.brief.remedies import parse_remedy
from wholeroad.road.brief.work import read_brief

FLIGHTS = ROOT / "examples" / "flights"
CHAPTER = ROOT / "docs" / "tutorial" / "flights-fairness.md"
RECORD = json.loads((ROOT / "bench" / "fairness_flights.json").read_text("utf-8"))
BRIEF = "".join((FLIGHTS / name).read_text("utf-8") for name in ("brief.toml", "fairness.toml"))
THRESHOLDS = '{ kind = "thresholds", group = "route", equal = "selection_rate", within = 0.05 }'
STATES = ("", "limit alone: ", "limit with thresholds: ")  # of the brief: one more after each block to add
ROW = re.compile(r"^\| ([^|]+) \| [\d,]+ \| .*\|$", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d(?![\w-])")
SAID = {"120", "500", "1,499", "1,500", "2013"}  # by the brief


def page() -> str:
    return CHAPTER.read_text("utf-8")


def outputs() -> list[tuple[str, str]]:
    """Give each output on the page, after what its command printed when it was recorded."""
    typed = {" ".join(shlex.split(key)): "\n".join(lines) for key, lines in RECORD["printed"].items()}
    found, out, added = [], "", 0
    for block in blocks_of(CHAPTER):
        added += block.kind == "add"
        if block.kind == "text":
            found.append((out, block.text))
        elif block.kind == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                command = " ".join(shlex.split(line))
                if command.startswith("wholeroad "):
                    assert command in typed, command
                    out = typed.get(" ".join(shlex.split(STATES[added])) + " " + command, typed[command])
    return found


def rows() -> dict[str, str]:
    return {ROW.match(row)[1]: row for name in RECORD["tables"].values() for row in name}


def test_the_page_prints_the_groups_that_the_example_has():
    text = page().partition("<!-- file: examples/flights/fairness.toml -->\n```toml\n")[2]
    assert text.partition("```\n")[0] == (FLIGHTS / "fairness.toml").read_text("utf-8")
    assert set(read_brief(BRIEF).fairness.groups) == {"carrier", "origin", "route"}


def test_outputs_and_tables_on_the_page_are_those_that_were_recorded():
    assert [line for out, text in outputs() for line in missing(text, out)] == []
    shown = {row[1]: row[0] for row in ROW.finditer(page())}
    assert shown == rows()


def test_every_figure_in_the_prose_was_recorded():
    figures = {found for found in NUMBER.findall(FENCED.sub("", page())) if len(found) > 2}
    assert figures - SAID - set(re.findall(r"\d[\d,.]*\d", json.dumps(RECORD, ensure_ascii=False))) == set()


def test_what_the_page_adds_to_the_brief_is_what_was_rehearsed():
    added = [block.text for block in blocks_of(CHAPTER) if block.kind == "add"]
    assert [text.strip() for text in added] == [RECORD["added"][name].strip() for name in ("limit", "remedy")]
    assert read_brief("\n".join([BRIEF, *added])).fairness.limits
    assert "\n".join(RECORD["chosen"]) in page()
    for name, told in RECORD["limits"].items():
        assert told["stopped"] in page(), name


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    """The project of the page on the first weeks of the year."""
    folder = tmp_path_factory.mktemp("by-group")
    (folder / "brief.toml").write_text(BRIEF, encoding="utf-8")
    build = [sys.executable, str(FLIGHTS / "build.py"), "--out", str(folder / "data"), "--days", "75"]
    subprocess.run(build, check=True, capture_output=True)
    project = wholeroad.open(folder)
    project.land()
    return project


def test_expressjet_is_late_more_often_and_every_outcome_is_seen(share):
    found = share.fairness.data().findings
    late = {one.value: one for one in found if one.cause == "base_rate" and one.grouping == "carrier"}
    assert late["EV"].clear
    assert late["EV"].figure.value > late["EV"].rest.value + 0.05
    assert all(one.figure.value == 0 for one in found if one.cause == "unseen")


def test_thresholds_bring_lengths_of_route_together_on_later_flights(share):
    tried = share.fairness.attempt([parse_remedy(THRESHOLDS)])
    rates = {}
    for name, solution in (("with", tried.with_it), ("without", tried.without)):
        figures = [
            one
            for one in solution.fairness.figures
            if (one.grouping, one.measure) == ("route", "selection_rate")
        ]
        assert [one.value for one in sorted(figures, key=lambda one: one.value)] == [
            "1,500 miles and more",
            "500 to 1,499 miles",
            "under 500 miles",
        ]
        rates[name] = pl.Series([one.figure.value for one in figures])
    assert rates["with"].max() - rates["with"].min() < (rates["without"].max() - rates["without"].min()) / 2
    assert tried.worth.decided_otherwise > 0


def print_anew() -> None:
    """Put tables and outputs as they were recorded into the page."""
    text = page()
    for out, shown in outputs():
        printed = [line.rstrip() for line in out.splitlines()]
        for line in missing(shown, out):
            if likest := get_close_matches(line, printed, n=1, cutoff=0.3):
                text = text.replace(f"\n{line}\n", f"\n{likest[0]}\n", 1)
    for name, row in rows().items():
        text = re.sub(
            rf"^\| {re.escape(name)} \| [\d,]+ \| .*\|$", lambda _, to=row: to, text, flags=re.MULTILINE
        )
    CHAPTER.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    print_anew()
