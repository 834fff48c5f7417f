"""Groups: what says to which group a case belongs is read as features are, and no model ever sees it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from wholeroad import open as open_project
from wholeroad.core.errors import FaultsError
from wholeroad.road.brief.fairness import FairnessTable
from wholeroad.road.data.bias.groups import MISSING, OTHER, groups_of

FAIRNESS = """
[fairness]
least_cases = 10
[fairness.groups]
depot = { column = "depot" }
heavy = { expression = "case when weight_kg > 10 then 'heavy' else 'light' end" }
both = { all_of = ["depot", "heavy"] }
"""


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60), st.integers(2, 9))
def test_every_case_belongs_to_one_group_and_small_ones_are_put_together(
    values: list[str | None], least: int
) -> None:
    table = FairnessTable.model_validate({"groups": {"g": {"column": "g"}}, "least_cases": least})
    (found,) = groups_of(pl.DataFrame({"g": values}, schema={"g": pl.String}), table)
    names = [found.values[code] for code in found.codes]
    for name, value in zip(names, values, strict=True):
        text = MISSING if value is None else value
        assert name == (text if values.count(value) >= least else OTHER)
    assert sum(found.pooled.values()) == names.count(OTHER)


def test_groups_are_read_as_features_are_and_are_no_features(tmp_path: Path) -> None:
    cases, outcomes = worlds.parcels()
    folder = worlds.write(tmp_path, cases, outcomes, brief=worlds.BRIEF + FAIRNESS)
    project = open_project(folder)
    project.land()
    history = project.history()
    assert history.groups is not None
    assert history.groups.frame.columns == ["depot", "heavy"]
    assert history.features.frame.columns == ["weight", "depot", "hour", "late_3d"]
    assert history.brief.fairness is not None
    found = groups_of(history.groups.frame, history.brief.fairness)
    assert [each.name for each in found] == ["depot", "heavy", "both"]
    assert all(" & " in value for value in found[2].values if value != OTHER)


def test_every_fault_of_fairness_is_told_at_once(tmp_path: Path) -> None:
    wrong = """
[fairness]
selected = ["expres"]
changeable = { age = "up" }
[fairness.groups]
both = { all_of = ["depot", "wait"] }
depot = { expression = "now()" }
[[fairness.limits]]
group = "dept"
measure = "selection_rate"
ratio_at_least = 0.8
[[fairness.remedies]]
kind = "reweigh"
group = "site"
"""
    cases, outcomes = worlds.parcels()
    folder = worlds.write(tmp_path, cases, outcomes, brief=worlds.BRIEF + wrong)
    with pytest.raises(FaultsError) as raised:
        open_project(folder)
    wheres = {fault.where.partition(",")[0] for fault in raised.value.faults}
    assert {
        "[fairness] selected",
        "[fairness] changeable",
        "[fairness.groups] both.all_of",
        "[fairness.groups] depot.expression",
        "[[fairness.limits]] group",
        "[[fairness.remedies]] group",
    } <= wheres
