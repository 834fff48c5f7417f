"""A changed brief: what differs, what it does, and how a running service takes it up at a cycle."""

from __future__ import annotations

import asyncio
import random
import shutil
import tomllib
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import wholeroad
from service_worlds import begun, deliveries, serving, settled
from test_live import BRIEF, QUICK
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.locks import held, holder
from wholeroad.core.errors import FaultsError, RoadError
from wholeroad.core.instants import DAY
from wholeroad.engine.facts import decode
from wholeroad.engine.service.messages import Decide, PutRows
from wholeroad.interfaces.cli.app import app
from wholeroad.road.brief.changes import changes, refusals
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.work import read_brief
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.serving.applying import ask, asked
from wholeroad.serving.jobs import Fit
from wholeroad.serving.processes import OneThread
from wholeroad.serving.proposing import propose
from wholeroad.serving.service import Service
from worlds import at, corrected, parcels

FULL = QUICK.replace(
    "[cycle]",
    """[fairness]
watch_every = "7d"
[fairness.groups]
depot = { column = "depot" }
[[fairness.limits]]
group = "depot"
measure = "selection_rate"
ratio_at_least = 0.5
[incumbent]
score = "weight_kg / 100"
[cycle]""",
)

EDITS = [
    ("brief.question", 'question = "Will', 'question = "Is it likely that', "words"),
    ("case.decide_at", 'decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 2h"', "cases"),
    ("case.if_late", "[case]\n", '[case]\nif_late = "status_quo"\n', "cases"),
    ("outcome.truth", "delay_h > 24", "delay_h > 30", "outcomes"),
    ("outcome.matures", 'matures = "2d"', 'matures = "3d"', "fits"),
    ("value.of.express.late", "late = 40", "late = 80", "decisions"),
    ("success.gain_over_status_quo.per_case", "per_case = 0.1", "per_case = 0.2", "words"),
    ("source.parcels.timezone", "Europe/Vienna", "Europe/Lisbon", "rows"),
    ("source.deliveries.read", 'read = "deliveries.parquet"', 'read = "other.parquet"', "rows"),
    (
        "feature.weight.column",
        'weight = { column = "weight_kg" }',
        'weight = { column = "depot" }',
        "features",
    ),
    ("feature.hour.expression", 'hour = { expression = "local_hour(sent_at)" }\n', "", "features"),
    ("feature.late_3d.over", 'over = "3d"', 'over = "4d"', "features"),
    ("cycle.every", 'every = "1d"', 'every = "12h"', "cycles"),
    ("policy.refit.when", "every 10d", "every 5d", "fits"),
    ("policy.refit.fit.takes", 'takes = "2h"', 'takes = "3h"', "fits"),
    ("model.least_outcomes", "least_outcomes = 10", "least_outcomes = 12", "models"),
    ("incumbent.score", "weight_kg / 100", "weight_kg / 90", "decisions"),
    ("fairness.limits[1].ratio_at_least", "ratio_at_least = 0.5", "ratio_at_least = 0.8", "groups"),
    (
        "fairness.groups.depot.column fairness.groups.depot.expression",
        '{ column = "depot" }\n[[',
        "{ expression = \"depot = 'A'\" }\n[[",
        "groups",
    ),
]


def edited(text: str, *edits: tuple[str, str, str, str]) -> str:
    for _, was, becomes, _ in edits:
        assert was in text
        text = text.replace(was, becomes)
    return text


# laws


@given(st.lists(st.sampled_from(EDITS), unique=True, max_size=len(EDITS)))
@settings(max_examples=40, deadline=None)
def test_a_brief_differs_from_another_by_the_settings_that_were_edited(edits):
    old, new = read_brief(FULL), read_brief(edited(FULL, *edits))
    found = changes(old, new)
    assert {change.path for change in found.settings} == {
        path for paths, *_ in edits for path in paths.split()
    }
    about = {effect.about for effect in found.effects}
    decides = [edit for edit in edits if edit[3] != "words"]
    assert found.decides == bool(decides) == (digests(old).brief != digests(new).brief)
    assert found.starts_over == (digests(old).learns != digests(new).learns)
    assert {edit[3] for edit in decides} <= about
    assert (about == {"words"}) == (bool(edits) and not decides)
    assert bool(found.effects) == bool(found.settings) == bool(edits)


@given(st.lists(st.sampled_from(EDITS), unique=True, max_size=6))
@settings(max_examples=30, deadline=None)
def test_back_again_is_the_same_turned_round(edits):
    old, new = read_brief(FULL), read_brief(edited(FULL, *edits))
    there, back = changes(old, new).settings, changes(new, old).settings
    assert {(each.path, str(each.was), str(each.now)) for each in there} == {
        (each.path, str(each.now), str(each.was)) for each in back
    }


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_comments_and_layout_are_no_change(seed):
    dice = random.Random(seed)
    lines = [line + dice.choice(["", "  ", "  # said"]) for line in FULL.splitlines()]
    lines = [part for line in lines for part in (["# said", "", line] if dice.random() < 0.3 else [line])]
    assert tomllib.loads("\n".join(lines)) == tomllib.loads(FULL)
    found = changes(read_brief(FULL), read_brief("\n".join(lines)))
    assert (found.settings, found.effects, found.decides, found.starts_over) == ((), (), False, False)


def test_a_setting_that_is_written_as_it_is_by_default_is_no_change():
    said = FULL.replace('decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "decide"')
    assert changes(read_brief(FULL), read_brief(said)).settings == ()


def test_a_feature_that_comes_or_goes_is_named():
    new = read_brief(FULL.replace("hour = {", "o_clock = {").replace('over = "3d"', 'over = "5d"'))
    found = changes(read_brief(FULL), new)
    assert found.features.added == ("o_clock",)
    assert found.features.removed == ("hour",)
    assert found.features.changed == ("late_3d",)
    assert [(each.path, each.was, each.now) for each in found.by_table["feature"]] == [
        ("feature.hour.expression", "local_hour(sent_at)", None),
        ("feature.late_3d.over", "3d", "5d"),
        ("feature.o_clock.expression", None, "local_hour(sent_at)"),
    ]


def test_what_was_decided_keeps_its_columns_and_its_actions():
    old = read_brief(QUICK)
    others = {
        "live.other-actions": QUICK.replace("express =", "courier ="),
        "live.other-columns": QUICK.replace('["late", "on_time"]', '["on_time", "late"]'),
    }
    for code, text in others.items():
        new = read_brief(text)
        assert [fault.code for fault in refusals(old, new, taken={"express"})] == [code]
        assert refusals(old, new, taken=()) == []
    assert refusals(old, read_brief(others["live.other-actions"]), taken={"pass"}) == []


# in service

HOUR = DAY // 24
BASE = BRIEF.replace("late = 40", "late = 90")
CASES, OUTCOMES = parcels(days=34, per_day=20)
OUTCOMES = corrected(OUTCOMES)
OPENED_AT = at(days=24.3)
ROWS = sorted(
    [
        *deliveries("parcels", CASES, known_at="booked_at", after=OPENED_AT),
        *deliveries("deliveries", OUTCOMES, known_at="reported_at", after=OPENED_AT),
    ],
    key=lambda each: each.at,
)
STINGY = BASE.replace("late = 90, on_time = -9", "late = 1, on_time = -100")
NARROW = BASE.replace('hour = { expression = "local_hour(sent_at)" }\n', "")
FIRST_COURIER = BASE.replace(
    "express = { late = 90, on_time = -9 }",
    "courier = { late = 1, on_time = -900 }\nexpress = { late = 90, on_time = -9 }",
)


class World:
    """A project in service on a stepped clock, and everything that was acknowledged."""

    def __init__(self, root: Path, brief: str = BASE, *, there: bool = False) -> None:
        self.root = root
        if not there:
            begun(root, OPENED_AT, brief=brief, cases=CASES, outcomes=OUTCOMES)
        self.place = ProjectFolder.at(self.root)
        self.clock = SteppedClock(OPENED_AT)
        self.told: list[str] = []
        self.answered: dict[int, object] = {}

    def ask(self, brief: str) -> None:
        (self.root / "brief.toml").write_text(brief, encoding="utf-8")
        ask(self.place, brief, now=self.clock.now())

    async def send(self, service: Service, some) -> None:
        async def one(each):
            if each.source == "parcels":
                found = await service.submit(Decide([each.row]))
                self.answered[each.row["parcel_id"]] = found.cases[0]
            else:
                await service.submit(PutRows(each.source, [each.row], outcomes=True))

        await asyncio.gather(*(one(each) for each in some))

    async def until(self, service: Service, days: float, *, settle: bool = True) -> None:
        """Send what comes until then, six hours at a time."""
        end_at = at(days=days)
        while (now := self.clock.now()) < end_at:
            then = min(now + 6 * HOUR, end_at)
            self.clock.step_to(then)
            await self.send(service, [each for each in ROWS if now < each.at <= then])
            if settle:
                await settled(service)

    def serve(self, drive) -> None:
        serving(self.root, self.clock, drive, tell=self.told.append)

    @property
    def project(self):
        return wholeroad.open(self.root, clock=self.clock)

    @property
    def decisions(self) -> pl.DataFrame:
        return self.project.decisions()

    @property
    def briefs(self) -> list[BriefRead]:
        facts = (decode(line) for line in self.project.export())
        return [fact for fact in facts if isinstance(fact, BriefRead)]

    def whole(self, *, before: str = "-1h") -> None:
        """Nothing that was acknowledged is lost, and nothing is decided twice."""
        decided = self.decisions
        assert decided["parcel_id"].is_unique().all()
        there = {row["parcel_id"]: row for row in decided.to_dicts()}
        for key, answer in self.answered.items():
            if answer.status == "decided":
                assert there[key]["action"] == answer.action
        due = CASES.filter(
            pl.col("sent_at").dt.offset_by(before).dt.epoch("us") < self.clock.now() - 3 * HOUR
        )
        waited = {key for key, answer in self.answered.items() if answer.status == "accepted"}
        assert waited & {*due["parcel_id"]} <= there.keys()


def by_the_values(decided: pl.DataFrame, late: float, on_time: float) -> pl.Series:
    """Tell which decisions are those of a value table."""
    worth = pl.col("p_late") * late + pl.col("p_on_time") * on_time
    return decided.select(
        pl.when(worth > 0).then(pl.lit("express")).otherwise(pl.lit("pass")) == pl.col("action")
    )[:, 0]


def test_other_values_keep_the_model_and_change_decisions_from_the_cycle_on(tmp_path):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 26.5)
        world.ask(STINGY)
        await world.until(service, 26.9)
        assert service.brief.worth.of["express"]["late"] == 90
        await world.until(service, 27.9)
        assert service.brief.worth.of["express"]["late"] == 1
        assert asked(world.place) is None

    world.serve(drive)
    world.whole()
    (_, changed) = world.briefs
    assert at(days=27) <= changed.at < at(days=27.3)
    modelled = world.decisions.filter(pl.col("decided_by") == "model")
    before = pl.col("decided_at").dt.epoch("us") < changed.at
    old, new = modelled.filter(before), modelled.filter(~before)
    assert min(old.height, new.height) > 10
    assert by_the_values(old, 90, -9).all()
    assert by_the_values(new, 1, -100).all()
    assert set(old["model"]) == set(new["model"])
    assert set(world.decisions.filter(~before)["decided_by"]) == {"model"}


def test_another_feature_puts_the_status_quo_in_charge_until_a_fit_passes(tmp_path):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 27.5)
        assert service.status().model is not None
        world.ask(NARROW)
        await world.until(service, 28.3)
        assert service.status().decided_by == "status quo"
        assert "hour" not in service.brief.feature
        await world.until(service, 31.3)
        assert service.status().model is not None

    world.serve(drive)
    world.whole()
    changed_at = world.briefs[1].at
    after = world.decisions.filter(pl.col("decided_at").dt.epoch("us") >= changed_at).sort("decided_at")
    who = after["decided_by"].rle().struct.field("value").to_list()
    assert who == ["status quo", "model"]
    old = world.decisions.filter(pl.col("decided_at").dt.epoch("us") < changed_at)
    assert not {*old["model"].drop_nulls()} & {*after["model"].drop_nulls()}


def test_what_comes_in_while_the_brief_changes_is_answered(tmp_path):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 27.5)
        world.ask(NARROW)
        rest = [each for each in ROWS if at(days=27.5) < each.at < at(days=28.5)]
        world.clock.step_to(at(days=28.5))
        place = 0
        while asked(world.place) is not None or place < len(rest):
            await world.send(service, rest[place : place + 2])
            place += 2
            await asyncio.sleep(0.001)
        await settled(service)
        await world.until(service, 29.5)

    world.serve(drive)
    world.whole()
    assert len(world.briefs) == 2
    assert {answer.status for answer in world.answered.values()} <= {"decided", "accepted"}


def test_cycles_that_are_behind_are_run_before_a_brief_is_taken_up(tmp_path):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 25.5)
        world.ask(STINGY)
        world.clock.step_to(at(days=29.1))
        await world.send(service, [each for each in ROWS if at(days=25.5) < each.at <= at(days=29.1)][:5])
        await settled(service)
        await world.until(service, 31.1)
        assert service.brief.worth.of["express"]["late"] == 1

    world.serve(drive)
    world.whole()
    assert len(world.briefs) == 2
    assert not [line for line in world.told if "tried again" in line]


class Noted(OneThread):
    """An office that notes which fits it makes, and under which brief."""

    fits: ClassVar[list[tuple[str, int]]] = []

    def run(self, job, progress=None):
        if isinstance(job, Fit):
            self.fits.append((self._brief, job.asked_at))
        return super().run(job, progress)


def test_a_fit_that_was_just_asked_for_is_made_under_the_new_brief_alone(tmp_path):
    world, other = World(tmp_path), BASE.replace("late = 90, on_time = -9", "late = 70, on_time = -9")
    Noted.fits.clear()

    async def run():
        service = Service(world.project, host=Noted, poll_s=0.002, tell=world.told.append)
        await service.start()
        await world.until(service, 26.5)
        world.ask(other)
        await world.until(service, 28.3)
        await service.close()

    asyncio.run(run())
    world.whole()
    assert len(world.briefs) == 2
    facts = [decode(line) for line in world.project.export()]
    (asked_at,) = {fact.at for fact in facts if isinstance(fact, FitAsked) and fact.at >= at(days=27)}
    # Where the machine is slow it has begun under the former brief: then it is ended, and made anew.
    assert [brief for brief, when in Noted.fits if when == asked_at][-1] == other
    assert asked_at in {fact.asked_at for fact in facts if isinstance(fact, ModelFitted)}
    assert not [fact for fact in facts if isinstance(fact, FitRefused)]


LATER = BASE.replace('"sent_at - 1h"', '"sent_at + 30h"')
EARLIER = BASE.replace('"sent_at - 1h"', '"sent_at - 20h"')


@pytest.mark.parametrize("brief", [LATER, EARLIER])
def test_decided_cases_stay_decided_and_waiting_ones_are_decided_by_the_new_instants(tmp_path, brief):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 26.5)
        world.ask(brief)
        await world.until(service, 30.1)

    world.serve(drive)
    world.whole(before="30h" if brief is LATER else "-20h")
    changed_at = world.briefs[1].at
    decided = world.decisions.join(CASES, on="parcel_id").with_columns(pl.col("decided_at").dt.epoch("us"))
    new = decided.filter(pl.col("decided_at") > changed_at + HOUR)
    hours = 30 if brief is LATER else -20
    due_at = pl.max_horizontal(
        pl.col("sent_at").dt.epoch("us") + hours * HOUR, pl.col("booked_at").dt.epoch("us")
    )
    assert new.height > 10
    assert (new["decided_at"] - new.select(due_at).to_series()).max() < 6 * HOUR + 60_000_000


def test_a_brief_that_can_t_be_taken_up_leaves_the_one_in_force_in_force(tmp_path):
    world = World(tmp_path)

    async def drive(service):
        await world.until(service, 26.5)
        ask(world.place, BASE.replace('column = "depot"', 'column = "deepot"'), now=world.clock.now())
        await world.until(service, 28.5)
        assert service.not_ready() == ""
        assert asked(world.place) is None

    world.serve(drive)
    world.whole()
    assert len(world.briefs) == 1
    assert any("deepot" in line for line in world.told)
    assert world.project.replay().equal


async def crash() -> None:
    """End as a kill does, as far as one process can: nothing more is answered or sealed."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("brief", [STINGY, NARROW, FIRST_COURIER])
def test_a_crash_after_asking_loses_nothing_and_the_next_start_has_the_new_brief(tmp_path, brief):
    world = World(tmp_path)

    async def until_the_crash():
        service = Service(world.project, host=OneThread, poll_s=0.002, tell=world.told.append)
        await service.start()
        await world.until(service, 27.5)
        world.ask(brief)
        await world.send(service, [each for each in ROWS if at(days=27.5) < each.at < at(days=27.8)])
        for key, answer in world.answered.items():
            found = await service.decision(answer.decision_id)
            if found.status == "decided":
                decided[key] = found
        await crash()

    decided = {}
    asyncio.run(until_the_crash())
    assert len(decided) > 40

    async def drive(service):
        assert digests(service.brief) == digests(read_brief(brief))
        for key, answer in decided.items():
            found = await service.decision(answer.decision_id)
            assert (key, found.action, found.decided_at) == (key, answer.action, answer.decided_at)
        await world.until(service, 29.1)
        assert digests(service.brief) == digests(read_brief(brief))

    world.serve(drive)
    world.whole()
    assert len(world.briefs) == 2
    assert asked(world.place) is None


def test_what_was_asked_for_before_a_start_is_over_with_it(tmp_path):
    world = World(tmp_path)

    async def nothing(service):
        await world.until(service, 25.1)

    world.serve(nothing)
    ask(world.place, STINGY, now=world.clock.now())

    async def drive(service):
        await world.until(service, 27.1)

    world.serve(drive)
    assert len(world.briefs) == 1
    assert asked(world.place) is None


# the command

RUNNER = CliRunner()


def applied(root: Path, *options: str):
    return RUNNER.invoke(app, ["apply", str(root), *options])


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> World:
    world = World(tmp_path_factory.mktemp("served"))

    async def drive(service):
        await world.until(service, 24.9)

    world.serve(drive)
    return world


@pytest.fixture
def opened(served, tmp_path) -> World:
    """A project whose road is open, and that nobody serves just now; a few rows came over HTTP."""
    shutil.copytree(served.root, tmp_path / "project")
    world = World(tmp_path / "project", there=True)
    world.clock.step_to(served.clock.now())
    return world


def text_of(result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return " ".join(result.output.split())


def test_the_command_shows_what_differs_and_hands_it_to_whoever_serves(opened):
    root, place = opened.root, opened.place
    assert "Nothing changes" in text_of(applied(root))
    (root / "brief.toml").write_text(BASE.replace("late = 90", "late = 70"), encoding="utf-8")
    shown = text_of(applied(root, "--yes"))
    for part in ("value.of.express.late 90 70", "The model in charge stays", "Nobody serves the project"):
        assert part in shown
    assert asked(place) is None
    with held(place.inner, purpose="a rehearsal", since="2024-01-01T00:00:00Z"):
        assert "a rehearsal" in text_of(applied(root, "--yes"))
        assert asked(place) is None
    with held(place.inner, purpose="the service at http://127.0.0.1:8000", since="2024-01-01T00:00:00Z"):
        refused = applied(root)
        assert refused.exception.code == "apply.unconfirmed"
        assert asked(place) is None
        assert "from its next cycle on" in text_of(applied(root, "--yes"))
        assert asked(place).brief == (root / "brief.toml").read_text(encoding="utf-8")
        assert "asked for already" in text_of(applied(root, "--yes"))
        assert "Taken back" in text_of(applied(root, "--withdraw"))
        assert asked(place) is None
        assert "Nothing is asked for" in text_of(applied(root, "--withdraw"))


def test_what_the_command_takes_for_good_the_service_takes_up(opened):
    """Also where files came in the meantime, and where nothing but words differ."""
    (opened.root / "brief.toml").write_text(NARROW, encoding="utf-8")
    assert propose(opened.root, clock=opened.clock).changes.starts_over

    async def drive(service):
        await opened.until(service, 26.5)
        assert "hour" not in service.brief.feature

    opened.serve(drive)
    assert len(opened.briefs) == 2
    assert propose(opened.root).equal
    (opened.root / "brief.toml").write_text(NARROW.replace("Will the", "Will this"), encoding="utf-8")
    assert "Only words" in text_of(applied(opened.root))


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        ('column = "depot"', 'column = "deepot"', "brief.unknown-column"),
        ("delay_h > 24", "delay > 24", "expression.unknown-column"),
        (
            "[policy.refit]",
            '[policy.no_action]\naction = "pass"\nshare = 0.1\n[policy.refit]',
            "live.other-columns",
        ),
        ('["late", "on_time"]', '["on_time", "late"]', "live.other-columns"),
        ("pass = { late = 0", "wait = { late = 0", "live.other-actions"),
        ("Europe/Vienna", "Europe/Lisbon", "apply.rows-left-behind"),
        ('"deliveries.parquet"', '"nowhere.parquet"', "data.file-missing"),
        ("late = 90", "late = 'weight'", "expression.unknown-column"),
        ('every = "1d"', 'every = "soon"', "brief.value"),
    ],
)
def test_a_brief_that_can_t_be_is_refused_before_anything_is_asked(opened, was, becomes, code):
    text = BASE.replace(was, becomes)
    if code == "live.other-actions":
        text = text.replace('action = "pass"', 'action = "wait"')
    assert text != BASE
    (opened.root / "brief.toml").write_text(text, encoding="utf-8")
    ledger = list(opened.project.export()) if code != "brief.value" else []
    with held(
        opened.place.inner, purpose="the service at http://127.0.0.1:8000", since="2024-01-01T00:00:00Z"
    ):
        refused = applied(opened.root, "--yes").exception
    assert isinstance(refused, RoadError)
    codes = {fault.code for fault in refused.faults} if isinstance(refused, FaultsError) else {refused.code}
    assert codes == {code}
    assert asked(opened.place) is None
    assert not ledger or list(opened.project.export()) == ledger


def test_no_command_and_no_service_takes_up_a_brief_that_would_lose_rows_that_were_sent(opened):
    ledger = list(opened.project.export())
    (opened.root / "brief.toml").write_text(BASE.replace("Europe/Vienna", "Europe/Lisbon"), encoding="utf-8")

    async def drive(_):
        raise AssertionError("it began")

    for go_on in (
        lambda: opened.serve(drive),
        opened.project.cycle,
        lambda: opened.project.rehearse("never"),
    ):
        with pytest.raises(FaultsError) as refused:
            go_on()
        (fault,) = refused.value.faults
        assert (fault.code, fault.where) == ("apply.rows-left-behind", "[source.parcels]")
    assert list(opened.project.export()) == ledger
    (opened.root / "brief.toml").write_text(BASE, encoding="utf-8")
    opened.project.cycle()


def test_a_folder_without_a_run_has_nothing_to_change(tmp_path):
    root = begun(tmp_path, OPENED_AT, brief=BASE, cases=CASES, outcomes=OUTCOMES)
    assert "No brief is in force yet" in text_of(applied(root))
    assert not (root / ".wholeroad").exists()


def test_who_holds_the_lock_is_named_and_nobody_is_kept_out(tmp_path):
    assert holder(tmp_path) is None
    with held(tmp_path, purpose="the service at x", since="2024-01-01T00:00:00Z"):
        assert holder(tmp_path).purpose == "the service at x"
    assert holder(tmp_path) is None
    with held(tmp_path, purpose="y", since="2024-01-01T00:00:00Z"):
        pass


def test_what_a_command_takes_in_after_a_crash_is_taken_in_under_the_brief_it_was_answered_under(tmp_path):
    world, decided = World(tmp_path), {}

    async def until_the_crash():
        service = Service(world.project, host=OneThread, poll_s=0.002, tell=world.told.append)
        await service.start()
        await world.until(service, 27.5)
        for key, answer in world.answered.items():
            found = await service.decision(answer.decision_id)
            if found.status == "decided":
                decided[key] = found.action
        await crash()

    asyncio.run(until_the_crash())
    (tmp_path / "brief.toml").write_text(FIRST_COURIER, encoding="utf-8")
    world.project.cycle()
    there = dict(world.decisions.select("parcel_id", "action").iter_rows())
    assert {key: there[key] for key in decided} == decided
    assert len(world.briefs) == 2
