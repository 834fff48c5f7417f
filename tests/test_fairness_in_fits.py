"""Fairness in fits: who is compared never reaches a model, remedies are in force, limits stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import worlds
from wholeroad import open as open_project
from wholeroad.engine.facts import decode
from wholeroad.project import Project
from wholeroad.road.model.facts import ModelFitted
from wholeroad.road.release.facts import PlanFixed, PromotionStopped
from wholeroad.road.watch.facts import LimitsWatched

BRIEF = worlds.BRIEF.replace('depot = { column = "depot" }\n', "").replace(', by = "depot"', "")
"""Without the depot in any feature: whoever parts the cases by it asks for something no model knows."""

GROUPS = """
[fairness]
least_cases = 10
[fairness.groups]
depot = { column = "depot" }
"""


def rehearsed(
    folder: Path, brief: str, *, shuffled: bool = False, days: int = 60
) -> tuple[Project, list[object], pl.DataFrame]:
    cases, outcomes = worlds.parcels(days=days)
    if shuffled:
        drawn = np.random.default_rng(5).permutation(cases["depot"].to_numpy())
        cases = cases.with_columns(pl.Series("depot", drawn))
    project = open_project(worlds.write(folder, cases, outcomes, brief=brief))
    project.land()
    came = project.rehearse(["every 10d"])
    facts = [decode(line) for line in came.export("every 10d")]
    return project, facts, came.decisions("every 10d")


def models(facts: list[object]) -> list[str | None]:
    return [fact.model for fact in facts if isinstance(fact, ModelFitted)]


def test_groups_that_are_only_compared_change_no_model_and_no_decision(tmp_path: Path) -> None:
    _, plain, decided = rehearsed(tmp_path / "a", BRIEF)
    _, compared, also = rehearsed(tmp_path / "b", BRIEF + GROUPS)
    cuts = [[fact.cut for fact in facts if isinstance(fact, ModelFitted)] for facts in (plain, compared)]
    assert cuts[0] == cuts[1]
    assert models(plain) == models(compared)
    assert decided.equals(also)


def test_limits_look_at_groups_and_still_no_model_sees_them(tmp_path: Path) -> None:
    loose = (
        GROUPS + '[[fairness.limits]]\ngroup = "depot"\nmeasure = "selection_rate"\ndifference_at_most = 1\n'
    )
    _, one, decided = rehearsed(tmp_path / "a", BRIEF + loose)
    _, other, also = rehearsed(tmp_path / "b", BRIEF + loose, shuffled=True)
    assert any(models(one))
    assert models(one) == models(other)
    assert decided.equals(also)


def test_a_fit_that_breaches_a_limit_is_not_put_in_charge(tmp_path: Path) -> None:
    tight = (
        GROUPS + '[[fairness.limits]]\ngroup = "depot"\nmeasure = "selection_rate"\ndifference_at_most = 0\n'
        'burden_of_proof = "holding"\n'
    )
    _, facts, decided = rehearsed(tmp_path, BRIEF + tight)
    stopped = [fact for fact in facts if isinstance(fact, PromotionStopped)]
    fitted = [fact for fact in facts if isinstance(fact, ModelFitted) and fact.model]
    assert fitted
    assert len(stopped) == len(fitted)
    assert stopped[0].limits == ("selection_rate by depot: difference <= 0",)
    assert [fact.decider for fact in facts if isinstance(fact, PlanFixed)] == ["status quo"]
    assert decided["model"].null_count() == decided.height


def test_thresholds_bring_the_groups_together_and_stand_in_the_model(tmp_path: Path) -> None:
    remedy = '[[fairness.remedies]]\nkind = "thresholds"\ngroup = "depot"\nequal = "selection_rate"\n'
    remedy += "within = 0.02\n"
    apart = []
    for name, brief in (("a", worlds.BRIEF + GROUPS), ("b", worlds.BRIEF + GROUPS + remedy)):
        project, facts, decided = rehearsed(tmp_path / name, brief, days=100)
        # From the middle of this world on another depot is late: no threshold holds beyond that.
        same = pl.col("model").is_not_null() & (pl.col("decided_at") < worlds.START + worlds.days(50))
        joined = decided.filter(same).join(
            project.versions("parcels").frame.select("parcel_id", "depot"), on="parcel_id"
        )
        assert joined.height > 100
        shares = joined.group_by("depot").agg((pl.col("action") == "express").mean())["action"]
        apart.append(shares.max() - shares.min())
        assert any(models(facts))
    assert apart[1] < apart[0] / 2


def test_cases_left_to_people_get_the_status_quo(tmp_path: Path) -> None:
    remedy = '[[fairness.remedies]]\nkind = "abstain"\ngroup = "depot"\nvalues = ["A"]\n'
    project, _, decided = rehearsed(tmp_path, worlds.BRIEF + GROUPS + remedy)
    joined = decided.filter(pl.col("model").is_not_null()).join(
        project.versions("parcels").frame.select("parcel_id", "depot"), on="parcel_id"
    )
    depot_a = joined.filter(pl.col("depot") == "A")
    if not depot_a.height:
        pytest.fail(f"no case of A was decided: {joined['depot'].unique().to_list()}")
    assert set(depot_a["action"]) == {"pass"}
    assert depot_a["expected_value"].null_count() == depot_a.height
    assert set(depot_a["decided_by"]) == {"people"}
    assert "express" in set(joined.filter(pl.col("depot") != "A")["action"])


def test_the_limits_are_looked_at_every_week_after_a_release(tmp_path: Path) -> None:
    watched = (
        GROUPS.replace("least_cases = 10", 'least_cases = 10\nwatch_every = "5d"')
        + '[[fairness.limits]]\ngroup = "depot"\nmeasure = "selection_rate"\ndifference_at_most = 0.01\n'
    )
    _, facts, _ = rehearsed(tmp_path, BRIEF + watched)
    looks = [fact for fact in facts if isinstance(fact, LimitsWatched)]
    plans = [fact for fact in facts if isinstance(fact, PlanFixed)]
    assert looks or all(plan.decider == "status quo" for plan in plans)
    for fact in looks:
        assert (fact.at - fact.since_at) >= 5 * 86_400_000_000 * fact.look
        assert set(fact.standings.values()) <= {"holds", "open", "breached"}
        assert set(fact.says) == set(fact.breached)


def test_limits_are_watched_on_from_model_to_model(tmp_path: Path) -> None:
    watched = (
        GROUPS.replace("least_cases = 10", 'least_cases = 10\nwatch_every = "4d"')
        + '[[fairness.limits]]\ngroup = "depot"\nmeasure = "selection_rate"\ndifference_at_most = 0.9\n'
    )
    often = worlds.BRIEF.replace('when = "every 10d"', 'when = "every 2d"') + watched
    often = often.replace("late = 8, on_time = -4", "late = 40, on_time = -9")
    cases, outcomes = worlds.parcels(days=40)
    project = open_project(worlds.write(tmp_path, cases, outcomes, brief=often))
    project.land()
    facts = [decode(line) for line in project.rehearse(["every 2d"]).export("every 2d")]
    looks = [fact for fact in facts if isinstance(fact, LimitsWatched)]
    plans = [fact for fact in facts if isinstance(fact, PlanFixed) and fact.decider == "model"]
    assert len(plans) > len(looks) > 2
    assert [fact.look for fact in looks] == list(range(1, len(looks) + 1))
    assert {fact.since_at for fact in looks} == {plans[0].effective_from}
    assert len({fact.model for fact in looks}) > 1
