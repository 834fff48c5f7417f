"""Laws of the lessons: every code has one, every one has a code, and their numbers are the report's.

``python tests/test_lessons.py`` writes ``docs/reference/codes.md`` anew.
"""

from __future__ import annotations

import ast
import io
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.main import get_command

from test_report import a_brief, data_of, made
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY
from wholeroad.engine.explained import Change, DecisionExplained, ModelExplained, one_at_a_time
from wholeroad.interfaces.cli.app import app
from wholeroad.interfaces.cli.explaining import explain_code, list_codes, show_decision, show_model
from wholeroad.interfaces.report.amounts import amount
from wholeroad.interfaces.report.words import verdict
from wholeroad.lessons import (
    THEMES,
    Number,
    break_even_of,
    codes,
    entries,
    entry_for,
    fill,
    lesson_for,
    lessons,
    numbers_of_brief,
    numbers_of_calibration,
    numbers_of_choice,
    numbers_of_comparison,
    numbers_of_finding,
    verdict_codes,
)
from wholeroad.lessons.lesson import figure
from wholeroad.lessons.reference import codes_page
from wholeroad.road.data.findings import Finding
from wholeroad.road.model.results import CandidateReport, ChoiceReport, SliceReport

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "wholeroad"
PAGE = ROOT / "docs" / "reference" / "codes.md"

CODE = re.compile(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*")
NO_CODES = {
    "brief.toml": "a file",
    "ledger.sqlite": "a file",
    "lock.json": "a file",
    "lock.sqlite": "a file",
    "manifest.json": "a file",
    "report.html": "a file",
    "rows.ndjson": "a file",
    "rows.parquet": "a file",
    "source.column": "how a column of a source is written",
    "case.source": "a setting",
    "outcome.source": "a setting",
    "policy.refit": "a table of the brief",
    "profile.html": "a file",
    "value.of": "a table of the brief",
    "query.parquet": "a file",
    "wholeroad.client": "a module",
    "lightgbm.basic": "a module",
    "wholeroad.learners": "a group of entry points",
    "wholeroad.project": "a module",
    "wholeroad.starting": "a module",
    "zoneinfo.tzdata": "a module",
}
"""Texts of the source that look like codes and are none."""
COMPOSED = {
    "check.log-": ("score", "propensity"),
    "brief.": ("ratio", "capacity"),
    "brief.unknown-": ("class", "source", "action"),
    "data.": (),  # names of a manifest's lines
}
"""Codes whose end is put in, by how they begin."""


def constants(tree):
    """Give every text constant of a module that is no docstring and no part of a longer text."""
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.Expr)
        for part in ast.walk(node)
        if isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def of_expressions(tree):
    """Give the codes of the expressions, which are written without their first word."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        to = ast.unparse(node.func)
        if name == "Refusal" or (name == "add" and "faults" in to):
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield f"expression.{part.value}"


def composed(tree):
    """Give the codes whose end is put in; one that isn't known here is told as it begins."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            begins = node.values[0].value
            if re.fullmatch(r"(check|brief|data|model)\.[a-z-]*", begins):
                yield from (begins + end for end in COMPOSED.get(begins, ("?",)))


def codes_of_source():
    found = {}
    for module in sorted(SOURCE.rglob("*.py")):
        where = module.relative_to(SOURCE)
        if where.parts[0] in ("lessons", "testing"):
            continue
        tree = ast.parse(module.read_text("utf-8"))
        texts = [text for text in constants(tree) if CODE.fullmatch(text)] + [*composed(tree)]
        if "expressions" in where.parts:
            texts += of_expressions(tree)
        for text in texts:
            if text not in NO_CODES and not text.endswith(
                (".py", ".md", ".toml", ".json", ".sqlite", ".csv", ".html")
            ):
                found.setdefault(text, where.as_posix())
    return found


def lesson_codes():
    return {code for lesson in lessons() for code in (lesson.code, *lesson.answers)}


# the catalogue


def test_every_code_of_the_source_is_explained():
    unexplained = {code: where for code, where in codes_of_source().items() if lesson_for(code) is None}
    assert unexplained == {}


def test_every_entry_and_every_finding_that_is_explained_is_in_the_source():
    of_source = codes_of_source()
    assert {entry.code for entry in entries()} - of_source.keys() == set()
    findings = {code for code in lesson_codes() if code.startswith(("check.", "model."))}
    assert findings - of_source.keys() == set()


def test_a_code_is_explained_once():
    named = [lesson.code for lesson in lessons()] + [code for one in lessons() for code in one.answers]
    assert len(named) == len(set(named))
    written = [entry.code for entry in entries()]
    assert len(written) == len(set(written))
    assert all(lesson_for(entry.code) is not None for entry in entries())
    assert all(lesson_for(entry.lesson) is not None for entry in entries())
    assert set(codes()) == set(named) | set(written)


def test_every_lesson_is_whole():
    for lesson in lessons():
        for field in fields(lesson):
            if field.name not in ("formula", "command", "here", "shows", "answers", "needs"):
                assert getattr(lesson, field.name), (lesson.code, field.name)
        assert lesson.theme in THEMES
        assert lesson.wanted <= set(lesson.shows), lesson.code
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*|(verdict|check)\.[a-z]+(-[a-z]+)*", lesson.code)


def sentences(text):
    return len(re.findall(r"[.?!](?:\s|$)", re.sub(r"\b(?:e\.g|i\.e|s\.e|vs)\.", "", text)))


def test_theory_is_three_short_sentences_at_most():
    for lesson in lessons():
        assert sentences(lesson.what) <= 3, lesson.code
        assert len(lesson.what) <= 480, lesson.code
        assert len(lesson.expert) <= 480, lesson.code
        longest = max(len(part.split()) for part in re.split(r"[.?!:;]\s", lesson.what))
        assert longest <= 36, (lesson.code, longest)
    for entry in entries():
        assert sentences(entry.means) == 1, entry.code


def test_a_lesson_needs_only_lessons_that_don_t_need_it():
    done: set[str] = set()
    waiting = {lesson.code: {lesson_for(code).code for code in lesson.needs} for lesson in lessons()}
    while waiting:
        ready = [code for code, needs in waiting.items() if needs <= done]
        assert ready, waiting
        done |= set(ready)
        waiting = {code: needs for code, needs in waiting.items() if code not in done}


def test_a_source_of_ours_that_is_named_is_there():
    for lesson in lessons():
        for path in re.findall(r"(?:docs/[\w/.-]+\.md|ARCHITECTURE\.md)", lesson.source):
            assert (ROOT / path).exists(), (lesson.code, path)


def test_a_command_that_is_named_exists():
    known = set(get_command(app).commands) | {"explain", "start"}
    texts = [text for lesson in lessons() for text in (lesson.command, lesson.doing, lesson.nothing)]
    for text in [*texts, *(entry.doing for entry in entries())]:
        for named in re.findall(r"^wholeroad (\w+)", text):
            assert named in known, text


def test_the_page_of_codes_is_as_the_lessons_say():
    assert PAGE.read_text("utf-8") == codes_page()
    for code in codes():
        lesson = lesson_for(code)
        assert f"`{code}`" in PAGE.read_text("utf-8") or code in lesson.answers


# numbers


@given(st.floats(-1e12, 1e12))
@settings(max_examples=200, deadline=None)
def test_law_a_figure_is_written_as_the_reports_write_it(value):
    assert figure(value) == amount(value)


def test_without_numbers_a_lesson_says_what_would_be_shown():
    for lesson in lessons():
        filled = fill(lesson)
        assert not filled.yours
        assert filled.numbers == (f"Here would stand {lesson.number}.",)
        assert filled.here == ""


def test_with_all_its_numbers_a_lesson_is_filled_and_no_brace_is_left():
    for lesson in lessons():
        numbers = [Number(name, 5.0, 2.0, 8.0, n=100, unit="EUR") for name in lesson.shows]
        filled = fill(lesson, numbers)
        assert filled.yours == bool(lesson.shows)
        assert bool(filled.here) == bool(lesson.here)
        assert "{" not in filled.here
        assert len(filled.numbers) == max(1, len(lesson.shows))


def test_a_missing_number_leaves_the_general_reading():
    lesson = lesson_for("regret")
    filled = fill(lesson, [Number("regret", 5.0, unit="EUR")])
    assert filled.yours
    assert filled.here == ""
    assert fill(lesson, [Number("regret", float("nan")), Number("floor", float("inf"))]) == fill(lesson)


def test_the_numbers_of_a_comparison_are_those_of_its_table():
    comparison = made(late=-0.5)[0]
    said = verdict(comparison)
    numbers = {number.name: number for number in numbers_of_comparison(comparison, policy=said.policy)}
    chosen = next(policy for policy in comparison.policies if policy.policy == said.policy)
    gain = numbers["gain"]
    assert (gain.value, gain.low, gain.high) == (
        chosen.versus_status_quo.value,
        chosen.versus_status_quo.low,
        chosen.versus_status_quo.high,
    )
    assert gain.n == chosen.settled
    assert numbers["refit_gain"].value == chosen.versus_never.value
    assert numbers["short"].value == chosen.regret_clairvoyant
    assert amount(gain.value) in fill(lesson_for("interval"), list(numbers.values())).numbers[0]
    assert numbers["cases"].value == sum(numbers[name].value for name in ("settled", "pending", "unknown"))


def test_too_few_days_give_no_interval_and_no_infinity():
    comparison = made(days=20)[0]
    numbers = numbers_of_comparison(comparison, policy="never")
    for lesson in lessons():
        filled = fill(lesson, numbers)
        assert "inf" not in " ".join(filled.numbers).replace("infin", "")
        assert "inf " not in filled.here


def test_the_break_even_is_cost_over_cost_and_gain():
    brief = a_brief()
    assert break_even_of(brief) == pytest.approx(35 / (35 + 120))  # the middle of 80 to 160
    assert {number.name for number in numbers_of_brief(brief)} == {"break_even", "required"}
    ratio = {
        "actions": ["rebook", "pass"],
        "a_miss_costs": "2 to 10 false alarms",
        "status_quo": {"action": "pass"},
    }
    assert break_even_of(a_brief(value=ratio)) == pytest.approx(1 / 7)
    varying = {"unit": "EUR", "status_quo": {"action": "pass"}, "of": {"a": {"late": "x"}, "pass": {}}}
    assert break_even_of(a_brief(value=varying)) is None


def test_a_finding_s_own_sentence_is_its_number():
    finding = Finding("check.immature", "warning", "[outcome] matures", "a tenth come late", "why", "fix")
    filled = fill(lesson_for(finding.code), numbers_of_finding(finding))
    assert filled.numbers == ("[outcome] matures: a tenth come late",)


def a_choice():
    def one(name, complexity, money, behind):
        return CandidateReport(
            name, complexity, money, behind, 0.1, eligible=behind < 0.1, actions={"act": 0.2, "pass": 0.8}
        )

    return ChoiceReport(
        cut_at=0,
        matures=DAY,
        rows=500,
        outcomes={"late": 100, "on_time": 400},
        slices=(SliceReport("train", 350, 0, DAY, 7), SliceReport("choose", 75, DAY, 2 * DAY, 0)),
        unpriced=0,
        blocks=20,
        block_kind="days",
        candidates=(one("status quo", 0, 0.0, 1.05), one("logistic", 2, 1.0, 0.05), one("trees", 3, 1.05, 0)),
        best="trees",
        champion="logistic",
        why="logistic is simpler.",
        features=("hour",),
        left_out=(("carrier", "one value"),),
    )


def test_the_numbers_of_a_choice_are_the_champion_s():
    filled = fill(lesson_for("champion"), numbers_of_choice(a_choice(), unit="EUR"))
    assert filled.here.startswith("The champion made 1 EUR per case, 0.05 EUR per case less than the best")


def test_the_calibration_error_is_the_policy_s_own():
    table = made()[2]
    (error,) = numbers_of_calibration(table, policy="never")
    assert error.n == table["cases"].sum()
    assert numbers_of_calibration(table, policy="another") == ()
    assert numbers_of_calibration(table.head(0), policy="never") == ()


# which lessons belong to a verdict


@pytest.mark.parametrize(
    ("settings_of_case", "first"),
    [
        ({}, "verdict.never-refit"),
        ({"late": -0.5}, "verdict.refit-pays"),
        ({"early": -0.6, "late": -0.6, "refitted": -0.6}, "verdict.status-quo"),
        ({"days": 20}, "verdict.too-short"),
    ],
)
def test_the_lessons_of_a_verdict_follow_its_figures(settings_of_case, first):
    comparison = made(**settings_of_case)[0]
    said = verdict(comparison)
    found = verdict_codes(comparison, policy=said.policy)
    assert found[0] == first
    assert all(lesson_for(code) for code in found)
    assert verdict_codes(comparison, policy=said.policy, identified=False)[0] == "verdict.not-identified"
    if first != "verdict.too-short":
        assert verdict_codes(comparison, policy=said.policy, undecided=True)[0] == "verdict.undecided"
    assert "verdict.no-model-made" in verdict_codes(comparison, policy=said.policy, all_refused=True)


def test_a_dummy_that_wins_and_a_criterion_have_their_lessons():
    comparison = made(early=-0.9, late=-0.9, refitted=-0.9, dummy_rate=0.02)[0]
    found = verdict_codes(comparison, policy=verdict(comparison).policy)
    assert "verdict.dummies-win" in found
    assert "verdict.criterion-not-met" in found


# what the command prints


def printed(thing, width=100):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(thing)
    return out.getvalue()


def test_every_code_can_be_printed_for_novices_and_experts():
    for code in codes():
        lesson = lesson_for(code)
        novice, expert = printed(explain_code(code)), printed(explain_code(code, expert=True))
        flat = " ".join(novice.split())
        assert lesson.title in flat or lesson.title[:30] in flat
        assert "How it can fool you" in novice
        assert "How it can fool you" not in expert
        assert len(expert.splitlines()) < len(novice.splitlines()) <= 60
        assert max(len(line) for line in novice.splitlines()) <= 100
        entry = entry_for(code)
        if entry:
            assert entry.means[:40] in flat


def test_an_unknown_code_is_answered_with_those_that_are_near():
    with pytest.raises(UserError) as refused:
        explain_code("check.imature")
    assert refused.value.code == "explain.unknown-code"
    assert "check.immature" in refused.value.fix
    with pytest.raises(UserError) as refused:
        explain_code("immature")
    assert "check.immature" in refused.value.fix
    with pytest.raises(UserError, match=r"explain\.unknown-code"):
        explain_code("xyzzy")


def test_the_list_holds_every_code():
    text = printed(list_codes(), width=140)
    for code in codes():
        if "." in code or lesson_for(code).code == code:
            assert code in text
    assert all(title in text for title in THEMES.values())


def test_a_decision_is_explained_with_the_values_that_it_was_taken_by():
    explained = DecisionExplained(
        key={"flight_id": 7},
        decided_at=0,
        decided_by="logistic",
        model="abcdef",
        probabilities={"late": 0.4, "on_time": 0.6},
        expected={"rebook": 27.0, "pass": 0.0},
        action="rebook",
        features={"wind": 31.5, "hour": None},
        status_quo="pass",
        unit="EUR",
        values={"rebook": {"late": 120.0, "on_time": -35.0}, "pass": {"late": 0.0, "on_time": 0.0}},
        changes=(Change("wind", 31.5, 8.0, 0.2, 0.2),),
        asked="late",
    )
    text = printed(show_decision(explained))
    for needed in (
        "flight_id 7: rebook",
        "27 EUR more",
        "40.0%",
        "-35",
        "+20.0 points",
        "nothing known",
        "31.5",
    ):
        assert needed in text
    assert "not known yet" in text
    held = replace(explained, held_reason="the case came late", action="pass", outcome="late", money=0.0)
    text = printed(show_decision(held))
    assert "wasn't followed: the case came late" in text
    assert "more than the next best" not in text


def test_a_model_is_explained_with_the_numbers_of_its_choice():
    explained = ModelExplained(
        model="abcdef",
        policy="every 30d",
        asked_at=0,
        effective_from=DAY,
        unit="EUR",
        why="logistic is simpler.",
        choice=a_choice(),
        decided=1200,
    )
    text = printed(show_model(explained), width=120)
    for needed in (
        "In charge since",
        "logistic",
        "1,200 cases",
        "0.0500",
        "carrier (one value)",
        "one standard error",
    ):
        assert needed in text
    assert "the status quo decides" in printed(show_model(replace(explained, model=None, choice=None)))


# one feature at a time


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(-5, 5), min_size=1), st.integers(0, 3))
@settings(deadline=None)
def test_law_each_change_is_the_score_with_that_feature_alone_replaced(features, typical):
    def score(rows):
        return [sum((place + 1) * row[name] for place, name in enumerate(sorted(row))) for row in rows]

    (own,) = score([features])
    changes = one_at_a_time(score, features, typical=dict.fromkeys("abcde", typical))
    assert {change.feature for change in changes} == {k for k, v in features.items() if v != typical}
    for change in changes:
        assert change.difference == own - score([features | {change.feature: typical}])[0]
    sizes = [abs(change.difference) for change in changes]
    assert sizes == sorted(sizes, reverse=True)


def test_features_without_a_typical_value_and_small_changes_are_left_out():
    changes = one_at_a_time(
        lambda rows: [row["a"] * 0.01 for row in rows], {"a": 2, "b": "x"}, typical={"a": 1}, least=0.5
    )
    assert changes == ()


# the page


def test_the_page_names_the_lessons_of_its_verdict():
    from wholeroad.interfaces.report.page import render

    page = render(data_of(a_brief(), late=-0.5))
    assert lesson_for("verdict.refit-pays").title in page
    assert 'id="lesson-verdict-refit-pays"' in page


if __name__ == "__main__":
    PAGE.write_text(codes_page(), "utf-8", newline="\n")
