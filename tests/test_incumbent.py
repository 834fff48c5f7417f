"""A running system is rehearsed from its log, and never loaded."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wholeroad.core.errors import FaultsError
from wholeroad.engine.rehearsed import Rehearsed
from wholeroad.interfaces.report.words import verdict
from wholeroad.project import open_project
from wholeroad.road.brief.work import read_brief
from worlds import BRIEF, days, parcels, write

LOG = """
[source.calls]
read = "calls.parquet"
key = "parcel_id"
happened_at = "logged_at"
known_at = "logged_at"
"""
SCORED = '[incumbent]\nsource = "calls"\nscore = "risk"\n'
ACTED = '[incumbent]\nsource = "calls"\nscore = "risk"\naction = "done"\n'
MONEY = {("express", True): 8.0, ("express", False): -4.0, ("pass", True): 0.0, ("pass", False): 0.0}


def log_of(cases: pl.DataFrame, outcomes: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Make the log of a system that sees a little of the truth; it says nothing of every tenth parcel."""
    dice = np.random.default_rng(seed)
    late = (outcomes["delay_h"] > 24).to_numpy()
    risk = np.clip(0.3 + 0.3 * late + dice.normal(0, 0.15, late.size), 0.01, 0.99).round(3)
    frame = pl.DataFrame(
        {
            "parcel_id": cases["parcel_id"],
            "logged_at": cases["sent_at"],
            "risk": risk,
            "done": np.where(risk > 0.45, "express", "pass"),
        }
    )
    return frame.filter(pl.col("parcel_id") % 10 != 0)


def project_of(folder: Path, incumbent: str, log: pl.DataFrame | None = None):
    """Write a project with a log, and open it."""
    cases, outcomes = parcels()
    write(folder, cases, outcomes, brief=BRIEF + LOG + incumbent)
    (log_of(cases, outcomes) if log is None else log).write_parquet(folder / "calls.parquet")
    return open_project(folder)


@pytest.fixture(scope="module")
def acted(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """Rehearse a system whose log has its actions."""
    return project_of(tmp_path_factory.mktemp("acted"), ACTED).rehearse()


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """Rehearse a system whose log has its scores only."""
    return project_of(tmp_path_factory.mktemp("scored"), SCORED).rehearse(["incumbent"])


def said(rehearsed: Rehearsed) -> pl.DataFrame:
    """Join the rehearsed decisions of the system to its log and the outcomes."""
    cases, outcomes = parcels()
    made = rehearsed.decisions("incumbent").select("parcel_id", "action", "expected_value", "p_late")
    log = log_of(cases, outcomes).select("parcel_id", "risk", "done")
    told = outcomes.select("parcel_id", late=pl.col("delay_h") > 24)
    return made.join(log, on="parcel_id", how="left").join(told, on="parcel_id")


def test_it_does_what_the_log_says_and_the_status_quo_where_the_log_is_silent(acted: Rehearsed) -> None:
    frame = said(acted)
    assert (frame["action"] == frame["done"].fill_null("pass")).all()
    assert frame["done"].null_count() > 0


def test_its_money_is_that_of_its_log_to_the_cent(acted: Rehearsed) -> None:
    money = next(one for one in acted.comparison.policies if one.policy == "incumbent")
    frame = said(acted)
    known = acted.history.as_of(acted.history.until + 1).truth()
    ids = acted.history.cases.frame["parcel_id"].to_numpy()
    settled = set(ids[: known.size][known >= 0].tolist())
    rows = [row for row in frame.iter_rows(named=True) if row["parcel_id"] in settled]
    assert len(rows) == money.settled
    assert round(sum(MONEY[row["action"], row["late"]] for row in rows), 2) == round(money.total.value, 2)
    assert (money.fits, money.fit_costs) == (0, 0.0)


def test_it_is_shown_beside_the_candidates_unless_others_are_named(acted: Rehearsed) -> None:
    names = [policy.policy for policy in acted.comparison.policies]
    assert names == ["status quo", "incumbent", "never", "every 10d", "random 10%"]
    assert "the running system" in str(verdict(acted.comparison)) or verdict(acted.comparison).policy


def test_its_scores_are_its_probabilities_and_have_their_calibration(acted: Rehearsed) -> None:
    frame = said(acted).filter(pl.col("risk").is_not_null())
    assert (frame["p_late"] == frame["risk"]).all()
    shown = acted.calibration.filter(pl.col("policy") == "incumbent")
    assert shown["class"].unique().to_list() == ["late"]
    assert 0 < shown["cases"].sum() <= frame.height


def test_with_scores_only_the_action_is_that_of_most_expected_money(scored: Rehearsed) -> None:
    frame = said(scored)
    best = (8 * frame["risk"] - 4 * (1 - frame["risk"]) > 0).fill_null(value=False)
    assert (frame["action"] == pl.Series(np.where(best, "express", "pass"))).all()
    known = frame.filter(pl.col("risk").is_not_null() & (pl.col("action") == "express"))
    assert np.allclose(known["expected_value"], 12 * known["risk"] - 4)


def test_the_check_counts_the_silent_the_strange_and_the_impossible(tmp_path: Path) -> None:
    cases, outcomes = parcels()
    log = log_of(cases, outcomes).with_columns(
        done=pl.when(pl.col("parcel_id") % 7 == 1).then(pl.lit("Express")).otherwise("done"),
        risk=pl.when(pl.col("parcel_id") % 11 == 1).then(pl.lit(40.0)).otherwise("risk"),
    )
    found = {finding.code: finding for finding in project_of(tmp_path, ACTED, log).check()}
    strange = log.filter(pl.col("done") == "Express").height
    assert f"'Express' in {strange:,}" in found["check.log-no-action"].happened
    assert f"{log.filter(pl.col('risk') > 1).height:,} rows" in found["check.log-score"].happened
    assert found["check.log-silent"].level == "warning"
    assert "check.depends-on-action" not in found


def test_of_several_lines_about_a_case_the_last_one_counts(tmp_path: Path) -> None:
    cases, outcomes = parcels()
    log = log_of(cases, outcomes)
    later = log.with_columns(
        logged_at=pl.col("logged_at") + pl.lit(days(1)),
        done=pl.when(pl.col("done") == "express").then(pl.lit("pass")).otherwise(pl.lit("express")),
    )
    project = project_of(tmp_path, ACTED, pl.concat([log, later]))
    project.land()
    history = project.history()
    logged = history.logged
    first_at = int(log["logged_at"].min().timestamp()) * 1_000_000
    before = logged.as_of(first_at - 1)
    assert (before.action == -1).all()
    middle = logged.as_of(first_at)
    known = middle.action >= 0
    assert known.sum() >= 1
    assert (middle.action[known] != logged.action[known]).all()


def test_columns_of_the_case_itself_may_be_the_log(tmp_path: Path) -> None:
    cases, outcomes = parcels()
    log = log_of(cases, outcomes).select("parcel_id", "done", "risk")
    brief = BRIEF + '[incumbent]\naction = "done"\nscore = "risk"\n'
    write(tmp_path, cases.join(log, on="parcel_id", how="left"), outcomes, brief=brief)
    rehearsed = open_project(tmp_path).rehearse(["incumbent"])
    assert (said(rehearsed)["action"] == said(rehearsed)["done"].fill_null("pass")).all()


@pytest.mark.parametrize(
    ("incumbent", "code"),
    [
        ('[incumbent]\nsource = "calls"\n', "brief.incumbent-empty"),
        ('[incumbent]\nsource = "cals"\naction = "done"\n', "brief.unknown-source"),
        (
            '[incumbent]\nsource = "calls"\nscore = "risk"\npropensity = "risk"\n',
            "brief.incumbent-propensity",
        ),
        ('[incumbent]\nsource = "calls"\naction = "done +"\n', "expression.syntax"),
    ],
)
def test_faults_of_the_log_are_told_before_any_data(incumbent: str, code: str) -> None:
    with pytest.raises(FaultsError) as caught:
        read_brief(BRIEF + LOG + incumbent)
    assert code in {fault.code for fault in caught.value.faults}


def test_an_unknown_column_of_the_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="dne") as caught:
        project_of(tmp_path, '[incumbent]\nsource = "calls"\naction = "dne"\n').check()
    assert all("[incumbent] action" in fault.where for fault in caught.value.faults)


def test_without_a_running_system_it_can_not_be_rehearsed(tmp_path: Path) -> None:
    cases, outcomes = parcels()
    write(tmp_path, cases, outcomes)
    with pytest.raises(FaultsError) as caught:
        open_project(tmp_path).rehearse(["incumbent"])
    assert [fault.code for fault in caught.value.faults] == ["brief.no-incumbent"]
