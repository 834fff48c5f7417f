"""A changed brief: what differs, what it does, and how a running service takes it up at a cycle."""

from __future__ import annotations

import asyncio
import random
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import wholeroad
from service_worlds import as_json, begun, deliveries, serving, settled
from test_live import BRIEF, QUICK
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.adapters.folders import ProjectFolder
from wholeroad.adapters.locks import held, holder
from wholeroad.core.errors import FaultsError, RoadError
from wholeroad.core.instants import DAY, HOUR
from wholeroad.engine.facts import decode
from wholeroad.engine.service.messages import Decide, PutRows
from wholeroad.interfaces.cli.app import app
from wholeroad.road.brief.changes import changes, refusals
from wholeroad.road.brief.digests import digests
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.brief.work import read_brief
from wholeroad.serving.applying import ask, asked
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
    ("case.if_late", 'decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "status_quo"', "cases"),
    ("outcome.truth", "delay_h > 24", "delay_h > 30", "outcomes"),
    ("outcome.matures", 'matures = "2d"', 'matures = "3d"', "fits"),
    ("value.of.express.late", "late = 40", "late = 80", "decisions"),
    ("success.gain_over_status_quo.per_case", "per_case = 0.1", "per_case = 0.2", "words"),
    ("source.parcels.timezone", "Europe/Vienna", "Europe/Lisbon", "rows"),
    ("source.deliveries.read", 'read = "deliveries.parquet"', 'read = "other.parquet"', "rows"),
    ("feature.weight.column", 'weight = { column = "weight_kg" }', 'weight = { column = "depot" }', "features"),
    ("feature.hour.expression", 'hour = { expression = "local_hour(sent_at)" }\n', "", "features"),
    ("feature.late_3d.over", 'over = "3d"', 'over = "4d"', "features"),
    ("cycle.every", 'every = "1d"', 'every = "12h"', "cycles"),
    ("policy.refit.when", "every 10d", "every 5d", "fits"),
    ("policy.refit.fit.takes", 'takes = "2h"', 'takes = "3h"', "fits"),
    ("model.least_outcomes", "least_outcomes = 10", "least_outcomes = 12", "models"),
    ("incumbent.score", "weight_kg / 100", "weight_kg / 90", "decisions"),
    ("fairness.limits[1].ratio_at_least", "ratio_at_least = 0.5", "ratio_at_least = 0.8", "groups"),
    ("fairness.groups.depot.column fairness.groups.depot.expression", '{ column = "depot" }\n[[', "{ expression = \"depot = 'A'\" }\n[[", "groups"),
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
    assert {change.path for change in found.settings} == {path for paths, *_ in edits for path in paths.split()}
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
        "live.other-actions": QUICK.replace("express", "courier"),
        "live.other-columns": QUICK.replace('["late", "on_time"]', '["on_time", "late"]'),
    }
    for code, text in others.items():
        new = read_brief(text)
        assert [fault.code for fault in refusals(old, new, taken={"express"})] == [code]
        assert refusals(old, new, taken=()) == []
    assert refusals(old, read_brief(others["live.other-actions"]), taken={"pass"}) == []
