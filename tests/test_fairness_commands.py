"""The commands about fairness through the real entry: figures, exit codes, the brief that is written."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import test_without_time
import wholeroad
import worlds
from wholeroad.core.errors import UserError
from wholeroad.interfaces.cli.app import main
from wholeroad.road.brief.fairness import RemedyTable
from wholeroad.road.brief.remedies import parse_remedy, remedy_line, remedy_text, with_remedy
from wholeroad.testing import churn

NAMES = {"A": 'north & <b>"x"</b>', "B": "[red]south[/red]\nyard 2", "C": "ost, = ; {c}"}
FAIRNESS = """
[fairness]
least_cases = 10
selected_is = "benefit"
appeals_to = "the parcel desk"
answered_within = "14d"
[fairness.groups]
depot = { column = "depot" }
heavy = { expression = "case when weight_kg > 4 then 'heavy' else 'light' end" }
"""
REWEIGH = '{ kind = "reweigh", group = "depot" }'
THRESHOLDS = '{ kind = "thresholds", group = "depot", equal = "selection_rate", within = 0.05 }'
BY = ("--by", "the works council")


@dataclass(frozen=True)
class Said:
    rc: int
    out: str
    err: str

    @property
    def flat(self) -> str:
        return " ".join(self.out.split())

    def refused(self, code: str, *words: str, rc: int = 2) -> None:
        assert self.rc == rc, self.err
        assert "Traceback" not in self.err
        told = " ".join(self.err.split())
        for word in (f"[{code}]", *words):
            assert word in told, told


def run(*arguments: object) -> Said:
    out, err, rc = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(each) for each in arguments])
        except SystemExit as stopped:
            rc = int(stopped.code or 0)
    return Said(rc, out.getvalue(), err.getvalue())


def fairness(command: str, folder: Path, *more: object) -> Said:
    return run("fairness", command, *more, "--project", folder)


def small(folder: Path, *exchanges: tuple[str, str], groups: str = FAIRNESS) -> Path:
    brief = worlds.BRIEF + groups
    for old, new in exchanges:
        assert old in brief, old
        brief = brief.replace(old, new)
    cases, outcomes = worlds.parcels(days=50)
    return worlds.write(folder, cases, outcomes, brief=brief)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A project whose groups have awkward names."""
    cases, outcomes = worlds.parcels(days=50)
    named = cases.with_columns(depot=pl.col("depot").replace(NAMES))
    return worlds.write(
        tmp_path_factory.mktemp("fairness") / "p", named, outcomes, brief=worlds.BRIEF + FAIRNESS
    )


@pytest.fixture(scope="module")
def asked(folder):
    """The same questions by way of Python."""
    project = wholeroad.open(folder)
    project.land()
    return project.fairness


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("plain") / "p")


# What the commands print is what Python gives


def test_data_names_what_was_found_and_what_next(folder, asked):
    said, found = fairness("data", folder), asked.data()
    assert said.rc == 0, said.err
    clear = sum(one.clear for one in found.findings)
    assert said.flat.startswith(f"{clear} clear differences in {len(found.findings)} answers")
    assert any(one.cause == "proxy" for one in found.findings)
    assert said.flat.endswith("wholeroad fairness plan")


def test_plan_prints_remedies_that_a_command_reads(folder, asked):
    said, plan = fairness("plan", folder), asked.plan()
    assert said.rc == 0, said.err
    lines = [line for line in said.out.splitlines() if line.startswith("    { kind")]
    remedies = [parse_remedy(line, reason="as agreed") for line in lines]
    kinds = [choice.kind for line in plan.lines for choice in line.choices if choice.toml]
    assert remedies
    assert {one.kind for one in remedies} <= set(kinds)
    assert "TO BE WRITTEN" not in said.out


def test_solution_prints_the_figures_of_the_assessment(folder, asked):
    said, found = fairness("solution", folder), asked.solution()
    assert said.rc == 0, said.err
    assert f"{found.fairness.cases:,} decisions" in said.flat
    assert found.basis[1:] in said.flat
    apart = next(
        one
        for one in found.fairness.disparities
        if (one.grouping, one.measure) == ("heavy", "selection_rate")
    )
    assert f"{100 * apart.difference.value:.1f} points" in said.flat


def test_price_slices_and_flips_print_what_python_gives(folder, asked):
    said, curve = fairness("price", folder, "--group", "heavy"), asked.price("heavy")
    assert said.rc == 0, said.err
    assert f"{curve.cases:,} cases" in said.flat
    assert said.flat.count("thresholds learnt on cases of") == 1
    assert f"{asked.slices().slices.searched:,} slices were looked at" in fairness("slices", folder).flat
    flips = fairness("flips", folder, "--group", "depot")
    worst = max(one.otherwise.value for one in asked.flips("depot").flips)
    assert f"{worst:.1%} of the cases are decided otherwise" in flips.flat
    assert flips.flat.endswith("wholeroad fairness data")


def test_try_says_who_is_decided_otherwise_in_words_before_the_figures(folder, asked):
    before = (folder / "brief.toml").read_bytes()
    said = fairness("try", folder, "--no-luck", "--remedy", THRESHOLDS)
    assert said.rc == 0, said.err
    tried = asked.attempt([parse_remedy(THRESHOLDS)], luck=False)
    without, with_it = (
        next(
            one.difference.value
            for one in each.fairness.disparities
            if (one.grouping, one.measure) == ("depot", "selection_rate")
        )
        for each in (tried.without, tried.with_it)
    )
    assert f"Selection rate by depot: {100 * without:.1f} points apart without it, " in said.flat
    word = "closer together" if with_it < without else "farther apart"
    assert f"{100 * with_it:.1f} points with it: {word}" in said.flat
    assert f"of which {tried.worth.decided_otherwise:,} are decided otherwise" in said.flat
    command = said.out.splitlines()[-1]
    assert parse_remedy(command.split("'")[1]) == parse_remedy(THRESHOLDS)
    assert (folder / "brief.toml").read_bytes() == before


def test_the_page_holds_every_part_and_no_name_that_isn_t_escaped(folder, tmp_path):
    page = tmp_path / "page.html"
    said = fairness("page", folder, "--to", page)
    assert said.rc == 0, said.err
    text = page.read_text()
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    for outside in ("<script", 'src="http', "@import", "url(http"):
        assert outside not in text
    assert "works council" not in text
    assert fairness("page", folder, "--to", tmp_path / "again.html").rc == 0
    assert (tmp_path / "again.html").read_text() == text


def test_names_with_brackets_and_line_breaks_take_no_effect(folder):
    said = fairness("solution", folder)
    assert "[red]" in said.out
    assert re.search(r"depot = \[red\]south\[/red\] yard 2", said.flat)


# A remedy is written into the brief


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "end", "end# a note", "\ufeff"])
def test_choosing_adds_lines_at_the_end_and_changes_nothing_else(plain, tmp_path, end, tail):
    brief = (plain / "brief.toml").read_text().rstrip() + tail.removeprefix("\ufeff").replace("end", "\n")
    text = ("\ufeff" if tail == "\ufeff" else "") + brief.replace("\n", end)
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "brief.toml").write_bytes(text.encode())
    said = fairness("choose", folder, REWEIGH, *BY, "--because", 'they "wait"\nlongest')
    assert said.rc == 0, said.err
    after = (folder / "brief.toml").read_bytes().decode()
    assert after.startswith(text.rstrip())
    assert after.replace("\r\n", "").count("\n") == (0 if end == "\r\n" else after.count("\n"))
    (kept,) = tomllib.loads(after.removeprefix("\ufeff"))["fairness"]["remedies"]
    assert kept["chosen_by"] == "the works council"
    assert kept["reason"] == 'they "wait"\nlongest'
    assert wholeroad.open(folder).brief.fairness.remedies[0].kind == "reweigh"


def test_a_brief_that_is_a_link_stays_one(plain, tmp_path):
    (tmp_path / "p").mkdir()
    shutil.copy(plain / "brief.toml", tmp_path / "kept.toml")
    (tmp_path / "p" / "brief.toml").symlink_to(tmp_path / "kept.toml")
    assert fairness("choose", tmp_path / "p", REWEIGH, *BY).rc == 0
    assert (tmp_path / "p" / "brief.toml").is_symlink()
    assert "the works council" in (tmp_path / "kept.toml").read_text()


@pytest.mark.parametrize(
    ("remedy", "more", "code"),
    [
        ('{ kind = "accept", group = "depot" }', (), "fairness.remedy"),
        (
            '{ kind = "accept", group = "depot", reason = "to be written: why" }',
            (),
            "fairness.to-be-written",
        ),
        ('{ kind = "reweigh", group = "nope" }', (), "brief.unknown-group"),
        ('{ kind = "reweigh"', (), "fairness.remedy"),
        (f"{REWEIGH}\nx = 1", (), "fairness.remedy"),
        (f"{remedy_text(parse_remedy(REWEIGH))}\n" * 2, (), "fairness.remedy"),
        ("5", (), "fairness.remedy"),
        ("", (), "fairness.remedy"),
        (REWEIGH, ("--by", " "), "fairness.no-name"),
        (REWEIGH, ("--on", "21.11.2026"), "fairness.day"),
        (REWEIGH, ("--on", "2026-05-02", "--look-again", "2026-05-01"), "fairness.day"),
    ],
)
def test_what_can_t_be_chosen_is_refused_and_the_brief_stays(plain, remedy, more, code):
    before = (plain / "brief.toml").read_bytes()
    fairness("choose", plain, remedy, *BY, *more).refused(code)
    assert (plain / "brief.toml").read_bytes() == before


@given(
    st.sampled_from(["reweigh", "accept", "abstain"]),
    st.text(min_size=1, max_size=20).filter(str.strip),
    st.text(max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_law_a_remedy_reads_as_it_was_written(kind, reason, value):
    """On a line, as a table, and in a brief, whatever its texts hold."""
    remedy = RemedyTable(kind=kind, group="depot", values=(value,), reason=reason)
    assert parse_remedy(remedy_line(remedy)) == remedy
    assert parse_remedy(remedy_text(remedy)) == remedy
    assert parse_remedy(REWEIGH, reason=reason).reason == reason.strip()
    (kept,) = tomllib.loads(with_remedy(worlds.BRIEF + FAIRNESS, remedy))["fairness"]["remedies"]
    assert RemedyTable.model_validate(kept) == remedy


def test_the_check_warns_of_a_reason_that_is_still_to_be_written(tmp_path):
    remedy = '\n[[fairness.remedies]]\nkind = "accept"\ngroup = "depot"\nreason = "TO BE WRITTEN: why"\n'
    said = run("check", small(tmp_path / "p", groups=FAIRNESS + remedy))
    assert "[check.reason-to-be-written]" in said.out
    assert "[check.remedy-by-nobody]" in said.out


# What can't be asked is refused with words


def test_without_groups_nothing_lands_and_the_brief_s_lines_are_shown(tmp_path):
    folder = small(tmp_path / "p", groups="")
    for command in ("data", "plan", "solution", "slices", "price", "flips", "try", "page"):
        fairness(command, folder).refused("fairness.no-groups", "[fairness.groups]")
    assert not (folder / ".wholeroad" / "tables").exists()


@pytest.mark.parametrize(
    ("command", "more", "code"),
    [
        ("price", ("--group", "nope"), "fairness.unknown-group"),
        ("flips", ("--group", "nope"), "fairness.unknown-group"),
        ("solution", ("--policy", "nope"), "brief.policy"),
        ("solution", ("--policy", "always express"), "fairness.no-decisions"),
        ("try", (), "fairness.nothing-to-try"),
        ("try", ("--remedy", '{ kind = "collect", group = "depot", cases = 5 }'), "fairness.nothing-to-try"),
        (
            "try",
            ("--remedy", '{ kind = "reweigh", group = "depot", values = ["Q"] }'),
            "fairness.unknown-value",
        ),
        ("try", ("--remedy", '{ kind = "reweigh", group = "nope" }'), "brief.unknown-group"),
        ("try", ("--remedy", REWEIGH, "--remedy", REWEIGH), "brief.remedy-twice"),
        ("page", ("--to", "/nowhere/at/all/page.html"), "project.unusable"),
        ("page", ("--to", "."), "project.unusable"),
    ],
)
def test_what_can_t_be_asked_is_refused_by_its_code(plain, command, more, code):
    fairness(command, plain, *more).refused(code)


def test_a_page_that_can_t_be_written_is_refused_before_anything_is_worked_out(plain):
    said = fairness("page", plain, "--to", "/nowhere/at/all/page.html")
    assert "policy" not in said.err


def test_the_folder_of_a_rehearsal_leads_back_to_the_project(plain):
    assert run("rehearse", plain, "--policy", "every 10d").rc == 0
    inside = next((plain / "rehearsals").glob("*/every-10d"))
    record = (inside / "brief.toml").read_bytes()
    for command in (
        ("fairness", "solution"),
        ("fairness", "choose", REWEIGH, *BY),
        ("appeal", "5", "--because", "x"),
    ):
        run(*command, "--project", inside).refused("fairness.rehearsal", f"--project {plain}", "'every 10d'")
    assert (inside / "brief.toml").read_bytes() == record
    assert fairness("solution", plain, "--policy", "every 10d").rc == 0


def test_a_group_of_one_value_stops_no_other_group_s_price(tmp_path):
    one = "all = { expression = \"case when weight_kg >= 0 then 'x' else 'x' end\" }\n"
    folder = small(tmp_path / "p", groups=FAIRNESS + one)
    said = fairness("price", folder)
    assert said.rc == 0, said.err
    assert "all: Nobody is there to compare by all" in said.flat
    fairness("price", folder, "--group", "all").refused("fairness.one-group")
    fairness("price", folder, "--group", "depot", "--group", "all").refused("fairness.one-group")
    assert fairness("data", folder).rc == 0


def test_without_a_positive_class_only_what_asks_for_it_is_refused(tmp_path):
    folder = small(
        tmp_path / "p",
        ('kind = "binary"', 'kind = "multiclass"'),
        ('positive = "late"\n', ""),
        ('["late", "on_time"]', '["late", "on_time", "early"]'),
        ("then 'late'", "then 'late' when delay_h < 6 then 'early'"),
        ("on_time = -4 }", "on_time = -4, early = -5 }"),
        ("on_time = 0 }", "on_time = 0, early = 0 }"),
    )
    fairness("price", folder, "--equal", "true_positive_rate").refused("fairness.needs-positive")
    assert fairness("price", folder, "--group", "depot", "--equal", "gain_per_case").rc == 0
    assert fairness("solution", folder).rc == 0


def test_a_ratio_of_calibration_gaps_is_a_fault_of_the_brief(tmp_path):
    limit = '[[fairness.limits]]\ngroup = "depot"\nmeasure = "calibration_gap"\nratio_at_least = 0.8\n'
    said = run("check", small(tmp_path / "p", groups=FAIRNESS + limit))
    assert said.rc == 2
    assert "difference_at_most, since gaps lie around 0" in " ".join(said.err.split())


def test_without_time_the_data_are_asked_and_decisions_refused(tmp_path):
    groups = '\n[fairness]\n[fairness.groups]\nplan = { column = "plan" }\n'
    folder = test_without_time.write(tmp_path / "p", brief=test_without_time.BRIEF + groups)
    assert fairness("data", folder).rc == 0
    fairness("solution", folder).refused("rehearse.no-time")
    fairness("try", folder, "--remedy", '{ kind = "reweigh", group = "plan" }').refused("rehearse.no-time")


def test_where_acting_changes_outcomes_money_is_called_not_identified(tmp_path):
    groups = FAIRNESS.replace('depot = { column = "depot" }\n', "").replace("weight_kg > 4", "usage > 0")
    brief = churn.BRIEF.replace("call = { leaves = -105, stays = -5 }", "call = { leaves = -60, stays = -1 }")
    folder = churn.churn(days=120).write(tmp_path / "p", brief=brief + groups)
    for command in ("solution", "slices", "price"):
        said = fairness(command, folder)
        assert said.rc == 0, said.err
        assert "Not identified: assumes that acting changes nothing." in said.flat
    page = tmp_path / "page.html"
    assert fairness("page", folder, "--to", page).rc == 0
    assert "identified" in page.read_text()


# Appeals


def test_nothing_decided_can_t_be_contested_yet(plain):
    run("appeal", "1", "--because", "x", "--project", plain).refused("live.never-ran")
    run("answer", "1", "--upheld", "--because", "x", *BY, "--project", plain).refused("appeal.unknown")
    assert run("appeal", "--project", plain).out.startswith("0 appeals")


# Bad luck


def test_two_at_once_and_the_second_is_asked_to_try_later(plain):
    project = wholeroad.open(plain)
    with project._lock("a test"):
        done = subprocess.run(
            [sys.executable, "-m", "wholeroad", "fairness", "data", "--project", str(plain)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "120"},
        )
    Said(done.returncode, done.stdout, done.stderr).refused("project.locked", rc=75)


def test_a_command_that_is_killed_leaves_nothing_that_stops_the_next(plain):
    page = plain / "fairness.html"
    page.unlink(missing_ok=True)
    command = [sys.executable, "-m", "wholeroad", "fairness", "page", "--project", str(plain)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as begun:
        assert begun.stderr is not None
        begun.stderr.read(1)  # it has begun to work
        begun.kill()
    said = fairness("page", plain)
    assert said.rc == 0, said.err
    assert page.read_text().rstrip().endswith("</html>")


def test_python_raises_what_the_commands_print(plain):
    asked = wholeroad.open(plain).fairness
    with pytest.raises(UserError) as refused:
        asked.attempt([parse_remedy('{ kind = "accept", group = "depot", reason = "as agreed" }')])
    assert refused.value.code == "fairness.nothing-to-try"
