"""Cases without time: accepted and warned about, never rehearsed, valued by cross-validation."""

import io
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import wholeroad
import worlds
from wholeroad.adapters.learners import Constant, Logistic, make_learners
from wholeroad.core.errors import FaultsError, UserError
from wholeroad.engine.timeless import value_without_time
from wholeroad.interfaces.cli.planning import show_cross_validated
from wholeroad.road.brief.contract import Gain
from wholeroad.road.brief.values import TableValues
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.data.rules import check_history
from wholeroad.road.data.timeless import stand_still
from wholeroad.road.data.work import assemble
from wholeroad.road.model.cut import Cut
from wholeroad.road.model.resampling import times_drawn
from wholeroad.road.model.without_time import FOLDS, TITLE, Asked, cross_validate, fold_of

BRIEF = """
format = 1
[brief]
name = "churn"
question = "Who leaves?"
[case]
source = "people"
[outcome]
kind = "binary"
classes = ["leaves", "stays"]
positive = "leaves"
source = "people"
truth = "case when gone = 'yes' then 'leaves' when gone = 'no' then 'stays' end"
matures = "0s"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "wait" }
[value.of]
call = { leaves = 20, stays = -5 }
wait = { leaves = 0, stays = 0 }
[success]
gain_over_status_quo = { per_case = 0.3 }
[source.people]
read = "people.csv"
key = "person"
static = true
[source.plans]
read = "plans.csv"
key = "plan"
static = true
[feature]
age = { column = "age" }
price = { lookup = "plans.price", by = "plan" }
old = { expression = "age > 50" }
[policy.refit]
first = "0s"
[model]
candidates = ["constant", "logistic"]
least_outcomes = 20
"""
SPLIT = BRIEF.replace('source = "people"\ntruth', 'source = "ends"\ntruth') + (
    '[source.ends]\nread = "ends.csv"\nkey = "person"\nstatic = true\n'
)


def people(count=1500, seed=0) -> pl.DataFrame:
    dice = np.random.default_rng(seed)
    age, plan = dice.integers(18, 90, count), dice.choice(["a", "b", "c"], count)
    leaves = 1 / (1 + np.exp(2.2 - 0.05 * (age - 50) - 1.5 * (plan == "a")))
    gone = np.where(dice.random(count) < leaves, "yes", "no")
    gone[:30] = ""
    return pl.DataFrame({"person": np.arange(count), "age": age, "plan": plan, "gone": gone})


def write(folder, *, brief=BRIEF, rows=None):
    folder.mkdir(parents=True, exist_ok=True)
    rows = people() if rows is None else rows
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    rows.write_csv(folder / "people.csv")
    rows.select("person", "gone").write_csv(folder / "ends.csv")
    pl.DataFrame({"plan": ["a", "b", "c"], "price": [10.0, 20.0, 30.0]}).write_csv(folder / "plans.csv")
    return folder


def history_of(folder):
    project = wholeroad.open(folder)
    project.land()
    sources = {name: project.versions(name) for name in project.brief.source}
    bound = bind_brief(project.brief, {name: one.frame.schema for name, one in sources.items()})
    return assemble(project.brief, stand_still(project.brief, sources), bound=bound), project


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    return history_of(write(tmp_path_factory.mktemp("people")))


@pytest.fixture(scope="module")
def valued(standing):
    history, project = standing
    return value_without_time(history, learners=make_learners(project.brief.candidates, threads=1))


# The brief.


@pytest.mark.parametrize("text", [BRIEF, SPLIT], ids=["one file", "two files"])
def test_a_brief_without_any_time_is_sound(text):
    assert read_brief(text).timeless


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        (
            'source = "people"\n[outcome]',
            'source = "people"\ndecide_at = "x"\n[outcome]',
            "needs-time",
            "[case]",
        ),
        (
            "[feature]\n",
            "[feature]\nmany = { count = '*', of = 'outcomes', over = '9d' }\n",
            "needs-time",
            "[feature] many",
        ),
        (
            'matures = "0s"',
            'matures = "0s"\nif_never = "stays"\nnever_after = "9d"',
            "needs-time",
            "[outcome] if_never",
        ),
        ('unit = "EUR"', 'unit = "EUR"\ncapacity = "9 per day"', "needs-time", "[value] capacity"),
    ],
    ids=["decide_at", "a window", "silence", "a capacity"],
)
def test_what_needs_time_is_refused_with_the_reason(old, new, code, where):
    assert old in BRIEF
    with pytest.raises(FaultsError) as caught:
        read_brief(BRIEF.replace(old, new, 1))
    (fault,) = caught.value.faults
    assert fault.code == f"brief.{code}"
    assert fault.where.startswith(where)
    assert "no row says when" in fault.happened


@pytest.mark.parametrize(
    ("timed", "code"), [("ends", "brief.static-case"), ("people", "brief.static-outcome")]
)
def test_times_on_one_side_only_are_refused(timed, code):
    text = SPLIT.replace(
        f'[source.{timed}]\nread = "{timed}.csv"\nkey = "person"\nstatic = true',
        f'[source.{timed}]\nread = "{timed}.csv"\nkey = "person"\nhappened_at = "at"\nknown_at = "at"',
    )
    text = text if timed == "ends" else text.replace("[case]\n", '[case]\ndecide_at = "at"\n')
    with pytest.raises(FaultsError) as caught:
        read_brief(text)
    assert [fault.code for fault in caught.value.faults] == [code]


# The check.


def test_the_check_warns_that_nothing_can_be_rehearsed_and_names_the_columns_to_log(standing):
    history, project = standing
    found = {finding.code: finding for finding in check_history(history, project.quarantine())}
    told = found["check.no-time"]
    assert told.level == "warning"
    assert "can't be rehearsed" in told.happened
    for column in ("happened_at", "known_at", "decided_at", "action", "decided_by", "propensity"):
        assert column in told.fix
    assert not {"check.immature", "check.matures-late"} & set(found)
    assert not [finding for finding in found.values() if finding.level == "fault"]


def test_with_times_nothing_of_it_is_said_nor_done():
    brief = read_brief(worlds.BRIEF)
    assert not brief.timeless
    assert stand_still(brief, {}) == {}


def test_one_file_and_two_say_the_same(valued, tmp_path):
    history, project = history_of(write(tmp_path, brief=SPLIT))
    other = value_without_time(history, learners=make_learners(project.brief.candidates, threads=1))
    assert [(row.name, row.per_case) for row in other.rows] == [
        (row.name, row.per_case) for row in valued.rows
    ]
    assert other.cases == valued.cases == 1470
    assert other.left_out == valued.left_out == 30


# The value.


def test_a_case_keeps_its_fold_whoever_else_there_is():
    ids = np.arange(5000, dtype=np.uint64) * np.uint64(977)
    folds = fold_of(ids, seed=3)
    assert np.array_equal(fold_of(ids[::3], seed=3), folds[::3])
    assert not np.array_equal(fold_of(ids, seed=4), folds)
    assert np.bincount(folds, minlength=FOLDS).min() > 900


def cut_of(rows: int, *, tells=1.0, seed=0) -> tuple[Cut, Asked]:
    dice = np.random.default_rng(seed)
    x = dice.standard_normal(rows)
    truth = (dice.random(rows) > 1 / (1 + np.exp(-2 * tells * x + 1))).astype(np.int8)
    cut = Cut(
        features=pl.DataFrame({"x": x}),
        decided_at=np.zeros(rows, dtype=np.int64),
        truth=truth,
        values=TableValues(np.array([[10.0, -5.0], [-1.0, 1.0]]), {}, rows),
        status_quo=np.ones(rows, dtype=np.int8),
        held=np.zeros(rows, dtype=bool),
        classes=("yes", "no"),
        actions=("act", "leave"),
    )
    ids = dice.integers(0, 2**63, rows).astype(np.uint64)
    return cut, Asked(ids, "EUR", Gain(per_case=0.5, confidence=0.95))


class Cheat(Constant):
    """Learns the rows by heart: it is sure about those that it has seen, and knows nothing of others."""

    name = "cheat"
    complexity = 3

    def fit(self, matrix, truth, *, classes, stop=None, rounds=None):
        base, _ = super().fit(matrix, truth, classes=classes, stop=stop, rounds=rounds)
        return _ByHeart(dict(zip(matrix.values[:, 0].tolist(), truth.tolist(), strict=True)), base), None


class _ByHeart:
    def __init__(self, known, base):
        self.known, self.base = known, base

    def probabilities(self, matrix):
        result = self.base.probabilities(matrix)
        for row, value in enumerate(matrix.values[:, 0].tolist()):
            if value in self.known:
                result[row] = np.eye(2)[self.known[value]] * 0.98 + 0.01
        return result


def test_no_case_is_decided_by_a_model_that_has_seen_it():
    cut, asked = cut_of(800)
    found = cross_validate(cut, [Constant(), Cheat()], asked=asked)
    assert found.row("cheat").per_case.value <= found.row("constant").per_case.value + 0.2
    assert found.row("cheat").per_case.value < 0.5 * found.clairvoyant


def test_what_tells_is_found_and_what_doesnt_is_left_to_the_status_quo():
    learners = [Constant(), Logistic()]
    cut, asked = cut_of(1500)
    telling = cross_validate(cut, learners, asked=asked)
    assert telling.champion == "logistic"
    assert telling.row("logistic").gain.low > 0
    assert telling.met
    cut, asked = cut_of(1500, tells=0.0)
    mute = cross_validate(cut, learners, asked=asked)
    assert mute.champion in ("status quo", "constant")
    assert not mute.met


def test_order_and_dice_change_nothing_but_the_seed_does():
    cut, asked = cut_of(700)
    shuffled = np.random.default_rng(5).permutation(cut.rows)
    learners = [Constant(), Logistic()]
    one = cross_validate(cut, learners, asked=asked)
    other = cross_validate(cut.take(shuffled), learners, asked=replace(asked, ids=asked.ids[shuffled]))
    for name in ("status quo", "constant", "logistic", "always act"):
        assert other.row(name).per_case.value == pytest.approx(one.row(name).per_case.value, abs=0.03)
    assert cross_validate(cut, learners, asked=asked) == one
    assert cross_validate(cut, learners, asked=replace(asked, seed=9)) != one


@given(seed=st.integers(0, 30), rows=st.integers(300, 600), tells=st.floats(0, 2))
@settings(deadline=None, max_examples=12)
def test_money_lies_between_the_dummies_and_knowing_every_outcome(seed, rows, tells):
    cut, asked = cut_of(rows, tells=tells, seed=seed)
    found = cross_validate(cut, [Constant(), Logistic()], asked=asked)
    assert all(row.per_case.value <= found.clairvoyant + 1e-9 for row in found.rows)
    quo, act = found.row("status quo").per_case.value, found.row("always act").per_case.value
    assert found.row("random 10%").per_case.value == pytest.approx(0.9 * quo + 0.1 * act)
    for row in found.rows:
        assert row.per_case.low <= row.per_case.value + 1e-9
        assert row.per_case.value <= row.per_case.high + 1e-9
        if row.gain is not None:
            assert row.gain.value == pytest.approx(row.per_case.value - quo)
    assert found.row(found.champion).eligible


def test_the_intervals_hold_about_as_often_as_they_say():
    held = 0
    for seed in range(60):
        cut, asked = cut_of(400, seed=seed)
        act = cross_validate(cut, [Constant()], asked=asked).row("always act").per_case
        truth = _expected_of_acting()
        held += act.low <= truth <= act.high
    assert held >= 52


def _expected_of_acting() -> float:
    x = np.random.default_rng(99).standard_normal(400_000)
    share = (1 / (1 + np.exp(-2 * x + 1))).mean()
    return 10 * share - 5 * (1 - share)


def test_resampling_gives_the_variance_of_a_mean():
    money = np.random.default_rng(1).normal(0, 3, 12)
    times = times_drawn(12, resamples=40_000, seed=2, salt="a test")
    draws = times @ money / times.sum(axis=1)
    assert draws.var() == pytest.approx(money.var(ddof=1) / 12, rel=0.03)


def test_too_few_cases_are_refused(tmp_path):
    history, project = history_of(write(tmp_path, rows=people(130)))
    learners = make_learners(project.brief.candidates, threads=1)
    with pytest.raises(UserError) as caught:
        value_without_time(history, learners=learners)
    assert caught.value.code in ("model.too-few-outcomes", "model.too-few-cases")
    assert "first" not in caught.value.fix


# What is printed.


@pytest.mark.parametrize("depends", ["no", "unknown"])
def test_it_is_printed_under_its_right_name(valued, depends):
    console = Console(file=io.StringIO(), width=110, highlight=False)
    show_cross_validated(console, replace(valued, depends_on_action=depends))
    said = " ".join(console.file.getvalue().split())
    assert said.startswith(f"{TITLE}. This can't be rehearsed.")
    for word in ("status quo", "always call", "random 10%", "Knowing every outcome", "95% interval"):
        assert word in said
    assert ("Not identified" in said) == (depends != "no")
    assert ("isn't decided" in said) == (depends != "no")
