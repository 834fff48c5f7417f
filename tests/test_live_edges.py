"""What happens between the runs: changed briefs, rows that come back, kills, clocks that go back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from test_live import BRIEF, CASES, OUTCOMES, QUICK, at, deliver, opened
from wholeroad.core.errors import UserError
from wholeroad.core.instants import to_instant
from wholeroad.interfaces.cli.operation import checked_out
from wholeroad.road.data.facts import BatchLanded
from worlds import write

WAITING = CASES.filter(pl.col("sent_at").is_between(at(26.3), at(28)), pl.col("booked_at") < at(26))


def cut_short(folder, now):
    """Run a cycle, and leave its ledger as a process does that dies when the first span is sealed."""
    before = len(list(opened(folder, now).export()))
    opened(folder, now).cycle()
    kinds = [json.loads(line)["fact"] for line in opened(folder, now).export()]
    assert kinds[before:].count("SpanDecided") > 1
    with closing(sqlite3.connect(folder / ".wholeroad" / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("delete from facts where seq > ?", [kinds.index("SpanDecided", before) + 1])


# Rows


def test_a_file_of_some_cases_takes_none_of_the_others_back(tmp_path):
    brief = QUICK.replace('read = "parcels.parquet"', 'read = "parcels"\nabsent = "deleted"')
    deliver(tmp_path, at(26), brief)
    (tmp_path / "parcels").mkdir()
    (tmp_path / "parcels.parquet").rename(tmp_path / "parcels" / "parcels-2024-01-26.parquet")
    opened(tmp_path, at(26)).cycle()
    for now in (at(26.05), at(29)):
        opened(tmp_path, now).decide(WAITING.head(1))
    decided = opened(tmp_path, at(29)).decisions()
    assert WAITING.height > 5
    assert WAITING.join(decided, on="parcel_id").height == WAITING.height


def test_a_source_whose_table_is_gone_lands_anew_as_history(tmp_path):
    """As the message about dumps that came too late advises."""
    for night in (25, 26):
        opened(deliver(tmp_path, at(night)), at(night)).cycle()
    before = opened(tmp_path, at(26)).decisions().height
    for table in (tmp_path / ".wholeroad" / "tables").glob("source_parcels*"):
        shutil.rmtree(table)
    opened(deliver(tmp_path, at(27)), at(27)).cycle()
    decided = opened(tmp_path, at(27)).decisions()
    assert decided.height < before + 40
    assert decided["decided_at"].max() < at(27)


def test_a_first_run_that_fails_opens_nothing(tmp_path):
    wrong = QUICK.replace('{ column = "weight_kg" }', '{ column = "weight_g" }')
    with pytest.raises(Exception, match="weight_g"):
        opened(deliver(tmp_path, at(25), wrong), at(25)).cycle()
    assert b"Opened" not in b"".join(opened(tmp_path, at(25)).export())
    opened(deliver(tmp_path, at(26)), at(26)).cycle()
    assert opened(tmp_path, at(26)).status().opened_at == to_instant(at(26))


def test_a_row_that_cannot_be_read_is_answered_as_set_aside(tmp_path):
    opened(deliver(tmp_path, at(25)), at(25)).cycle()
    file, unknown = tmp_path / "cases.csv", WAITING.filter(pl.col("booked_at") > at(25))["parcel_id"][0]
    WAITING.with_columns(
        pl.when(pl.col("parcel_id") == unknown)
        .then(pl.lit("heavy"))
        .otherwise(pl.col("weight_kg").cast(pl.String))
        .alias("weight_kg")
    ).write_csv(file)
    found, _ = opened(tmp_path, at(29)).decide(file)
    assert sorted(found["parcel_id"].to_list()) == sorted(WAITING["parcel_id"].to_list())
    statuses = dict(found.select("parcel_id", "status").rows())
    assert statuses.pop(unknown) == "set aside"
    assert set(statuses.values()) == {"decided"}


@pytest.mark.parametrize("name", ["status", "due_at", "model", "action"])
def test_a_key_may_be_named_as_a_column_of_the_answers(tmp_path, name):
    brief = QUICK.replace("parcel_id", name)
    cases, outcomes = CASES.rename({"parcel_id": name}), OUTCOMES.rename({"parcel_id": name})
    write(tmp_path, cases.filter(pl.col("booked_at") < at(25)), outcomes.head(0), brief=brief)
    opened(tmp_path, at(25)).cycle()
    found, _ = opened(tmp_path, at(29)).decide(WAITING.rename({"parcel_id": name}))
    assert found[f"case.{name}"].to_list() == WAITING["parcel_id"].to_list()
    assert set(found["status"]) == {"decided"}


def test_what_landed_is_among_the_facts_of_a_run(tmp_path):
    opened(deliver(tmp_path, at(25)), at(25)).cycle()
    answered = opened(deliver(tmp_path, at(26)), at(26)).cycle()
    assert [fact.source for fact in answered.facts if isinstance(fact, BatchLanded)] == [
        "parcels",
        "deliveries",
    ]


def test_answers_need_a_folder_before_anything_is_done(tmp_path):
    with pytest.raises(UserError, match=r"cli\.out"):
        checked_out(tmp_path / "none" / "answers.csv")
    checked_out(tmp_path / "answers.csv")


def test_a_replay_names_the_source_without_time_that_was_changed(tmp_path):
    depots = '[source.depots]\nread = "depots.csv"\nkey = "depot"\nstatic = true\n[feature]\n'
    brief = BRIEF.replace("[feature]\n", depots + 'size = { lookup = "depots.size", by = "depot" }\n')
    for night in range(22, 33):
        deliver(tmp_path, at(night), brief)
        sizes = (1, 2, 3) if night < 30 else (3, 1, 2)
        rows = "".join(f"{depot},{size}\n" for depot, size in zip("ABC", sizes, strict=True))
        (tmp_path / "depots.csv").write_text(f"depot,size\n{rows}")
        opened(tmp_path, at(night)).cycle()
        if night == 29:
            assert opened(tmp_path, at(night)).replay().difference == ""
    assert opened(tmp_path, at(32)).replay().difference.startswith("depots has no time")


# Runs that are cut short


def test_a_run_that_was_cut_short_can_be_replayed_as_far_as_it_came(tmp_path):
    write(tmp_path, CASES, OUTCOMES, brief=BRIEF)
    opened(tmp_path, at(18)).cycle()
    cut_short(tmp_path, at(35))
    standing = opened(tmp_path, at(35)).status()
    assert standing.cut_short_at is not None
    assert opened(tmp_path, at(35)).replay().difference == ""
    opened(tmp_path, at(36)).cycle()
    assert opened(tmp_path, at(36)).replay().difference == ""


def test_what_lands_on_a_clock_that_went_back_is_not_known_to_a_run_that_was_cut_short(tmp_path):
    write(tmp_path, CASES, OUTCOMES, brief=BRIEF)
    opened(tmp_path, at(18)).cycle()
    cut_short(tmp_path, at(35))
    late = WAITING.with_columns(parcel_id=pl.col("parcel_id") + 10_000)
    write(tmp_path, pl.concat([CASES, late]), OUTCOMES, brief=BRIEF)
    opened(tmp_path, at(30)).land()
    opened(tmp_path, at(30)).cycle()
    opened(tmp_path, at(36)).cycle()
    project = opened(tmp_path, at(36))
    assert late.join(project.decisions(), on="parcel_id")["decided_at"].min() > at(35)
    assert project.status().decided == project.decisions().height
    assert project.replay().difference == ""


# Briefs that change


def test_each_outcome_is_settled_once_when_the_cycles_change(tmp_path):
    for first, second in (("1d", "6h"), ("6h", "1d"), ("1d", "1d")):
        folder = tmp_path / f"{first}-{second}"
        for every, runs in ((first, (25, 27, 28.6)), (second, (29.3, 31.7, 40))):
            brief = QUICK.replace('[cycle]\nevery = "1d"', f'[cycle]\nevery = "{every}"')
            for now in runs:
                opened(write(folder, CASES, OUTCOMES, brief=brief), at(now)).cycle()
        project = opened(folder, at(40))
        standing, history = project.status(), project.history()
        taken = project.decisions().select("parcel_id", "action")
        truth = history.as_of(to_instant(at(40))).truth()
        told = history.cases.frame.head(truth.size).select("parcel_id").with_columns(truth=pl.Series(truth))
        money = taken.join(told.filter(pl.col("truth") >= 0), on="parcel_id").select(
            pl.when(pl.col("action") == "pass").then(0).when(pl.col("truth") == 0).then(40).otherwise(-9)
        )
        assert standing.settled == money.height
        assert standing.money == money.to_series().sum()


def test_no_case_is_forgotten_when_cases_are_to_be_decided_earlier(tmp_path):
    for now in (25, 26):
        opened(write(tmp_path, CASES, OUTCOMES, brief=QUICK), at(now)).cycle()
    earlier = QUICK.replace("sent_at - 1h", "sent_at - 20h")
    for now in (27, 28, 34):
        opened(write(tmp_path, CASES, OUTCOMES, brief=earlier), at(now)).cycle()
    project = opened(tmp_path, at(34))
    decided = project.decisions()
    due = CASES.filter(pl.col("sent_at").is_between(at(25.1), at(34)))
    assert due.join(decided, on="parcel_id", how="anti").height == 0
    assert decided["parcel_id"].is_unique().all()
    standing = project.status()
    assert standing.settled + standing.outcomes_pending == standing.decided


def test_the_first_fit_under_a_changed_brief_is_asked_for_until_there_is_one(tmp_path):
    never = QUICK.replace('when = "every 10d"', 'when = "never"')
    for night in (22, 23, 24):
        opened(deliver(tmp_path, at(night), never), at(night)).cycle()
    assert opened(tmp_path, at(24)).status().fits == 1
    changed = never.replace("least_outcomes = 10", "least_outcomes = 115")
    for night in range(25, 37):
        opened(deliver(tmp_path, at(night), changed), at(night)).cycle()
    standing = opened(tmp_path, at(36)).status()
    assert standing.refused is not None
    assert standing.fits == 2


ACTING = QUICK.replace('depends_on_action = "no"', 'depends_on_action = "yes"').replace(
    "[policy.refit]", '[policy.no_action]\naction = "pass"\nshare = 0.3\n\n[policy.refit]'
)
TARDY = QUICK.replace('"late"', '"tardy"').replace("'late'", "'tardy'").replace("{ late =", "{ tardy =")
FAST = QUICK.replace("express =", "fast =")


@pytest.mark.parametrize(("changed", "code"), [(ACTING, "columns"), (TARDY, "columns"), (FAST, "actions")])
def test_a_brief_that_does_not_fit_what_was_decided_is_refused_before_anything_is_promised(
    tmp_path, changed, code
):
    for night in range(25, 29):
        opened(deliver(tmp_path, at(night)), at(night)).cycle()
    assert "express" in set(opened(tmp_path, at(28)).decisions()["action"])
    deliver(tmp_path, at(29), changed)
    for _ in range(2):
        with pytest.raises(UserError, match=rf"live\.other-{code}"):
            opened(tmp_path, at(29)).cycle()
    deliver(tmp_path, at(30))
    opened(tmp_path, at(30)).cycle()
    assert opened(tmp_path, at(30)).replay().difference == ""


def test_a_decision_is_explained_after_its_model_and_features_are_gone_from_the_brief(tmp_path):
    for night in range(22, 33):
        opened(deliver(tmp_path, at(night), BRIEF), at(night)).cycle()
    made = opened(tmp_path, at(32)).decisions().drop_nulls("model").row(0, named=True)
    other = BRIEF.replace('hour = { expression = "local_hour(sent_at)" }\n', "")
    deliver(tmp_path, at(33), other)
    told = opened(tmp_path, at(33)).explain_decision(made["parcel_id"])
    assert (told.action, told.probabilities["late"]) == (made["action"], made["p_late"])
    assert told.changes == ()
