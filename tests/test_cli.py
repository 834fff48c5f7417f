"""The command line, as a user with bad luck meets it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import wholeroad
import worlds

MESSAGE_LINES = ("happened:", "expected:", "fix:")


def cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wholeroad", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )


def refused(done: subprocess.CompletedProcess[str], code: str, exit_code: int = 2) -> str:
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert code in done.stderr
    return done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return worlds.write(tmp_path / "project", *worlds.parcels(days=40))


def with_brief(project: Path, old: str, new: str) -> Path:
    text = (project / "brief.toml").read_text()
    assert old in text
    (project / "brief.toml").write_text(text.replace(old, new))
    return project


# What goes well


def test_a_rehearsal_prints_the_verdict_and_writes_one_page(project):
    done = cli("rehearse", project, "--policy", "never", "--policy", "random 10%")
    assert done.returncode == 0, done.stderr
    assert "random 10%" in done.stdout
    assert "status quo" in done.stdout
    page = next((project / "rehearsals").glob("*/report.html")).read_text()
    assert "Will the parcel be late?" in page
    for outside in ("<script", 'src="http', 'href="http', "@import", "url(http"):
        assert outside not in page
    assert next((project / "rehearsals").glob("*/models/*.md")).read_text().startswith("# small")


def test_the_verdict_comes_before_what_is_assumed_which_check_lists(project):
    with_brief(project, 'matures = "2d"', 'matures = "2d"  # assumed: a guess')
    done = cli("rehearse", project, "--policy", "never")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    line = "The brief assumes 1 thing that nobody has confirmed; wholeroad check lists them."
    assert 0 < told.index("decided from") < told.index(line)
    assert "a guess" not in told
    assert "a guess" in cli("check", project).stdout


def test_decide_tells_of_a_file_without_cases_and_of_rows_that_were_merged(project):
    cases = pl.read_parquet(project / "parcels.parquet").tail(3)
    for rows, said in (
        (cases.clear(), "The file had no cases."),
        (pl.concat([cases, cases.head(2)]), "The file had 5 rows of 3 cases: 2 merged, by the key."),
        (cases, ""),
    ):
        path = project / "asked.parquet"
        rows.write_parquet(path)
        done = cli("decide", path, project, "--out", project / "answers.csv")
        assert done.returncode == 0, done.stderr
        assert said in " ".join(done.stdout.split())
        assert said or "The file had" not in done.stdout


@pytest.mark.parametrize("command", [["rehearse"], ["cycle"], ["status"]])
def test_a_source_that_is_not_there_yet_points_to_the_collection_plan(project, command):
    with_brief(project, 'read = "parcels.parquet"', 'read = "none"')
    with_brief(project, 'read = "deliveries.parquet"', 'read = "none"')
    error = refused(cli(*command, project), "data.not-landed")
    assert "see the collection plan with wholeroad check" in error
    assert "run wholeroad land" not in error


def test_backtest_is_another_name_for_rehearse(project):
    assert cli("backtest", project, "--policy", "status quo").returncode == 0


def test_a_rehearsal_is_an_ordinary_project_folder(project):
    cli("rehearse", project, "--policy", "never")
    inner = next((project / "rehearsals").glob("*/never"))
    assert {path.name for path in inner.iterdir()} >= {"brief.toml", "manifest.json", ".wholeroad"}
    exported = cli("export", inner).stdout.splitlines()
    assert json.loads(exported[0])["fact"] == "Opened"
    assert json.loads(exported[-1])["fact"] == "Closed"


def test_from_and_to_bound_the_rehearsal(project):
    done = cli("rehearse", project, "--policy", "never", "--from", "2024-01-26", "--to", "2024-02-01")
    assert "decided from 2024-01-26 to 2024-01-31" in done.stdout


def test_check_lands_and_finds(project):
    done = cli("check", project)
    assert done.returncode == 0
    assert "check.too-few-outcomes" in done.stdout
    again = cli("land", project)
    assert "Nothing new" in again.stdout


@pytest.mark.parametrize("command", ["charter", "schema", "version"])
def test_small_commands_print(project, command):
    done = cli(command, *([project] if command == "charter" else []))
    assert (done.returncode, bool(done.stdout.strip())) == (0, True)


# Bad luck


def test_a_brief_with_six_different_faults(project):
    for old, new in (
        ('decide_at = "sent_at - 1h"', 'decide_at = "now()"'),
        ('matures = "2d"', 'matures = "two days"'),
        ('action = "pass"', 'action = "wait"'),
        ('over = "3d"', 'over = "3d", size = 3'),
        ('timezone = "Europe/Vienna"', 'timezone = "Europe/Vienna"\ntz = 1'),
        ('when = "every 10d"', 'when = "sometimes"'),
    ):
        with_brief(project, old, new)
    error = refused(cli("rehearse", project), "expression.clock")
    assert error.count("fix:") == 6
    assert not (project / ".wholeroad").exists()


def test_no_brief(tmp_path):
    refused(cli("check", tmp_path), "brief.absent")


def test_a_missing_file(project):
    (project / "deliveries.parquet").unlink()
    assert "deliveries.parquet" in refused(cli("rehearse", project), "data.file-missing")


def test_a_truncated_parquet_file_and_what_landed_before_is_kept(project):
    assert cli("land", project).returncode == 0
    path = project / "parcels.parquet"
    path.write_bytes(path.read_bytes()[:-2000])
    error = refused(cli("rehearse", project), "data.file-unreadable")
    assert "parcels.parquet" in error
    assert all(line in error for line in MESSAGE_LINES)
    assert wholeroad.open(project).versions("parcels").frame.height == 40 * 24


def test_a_key_with_nulls_is_set_aside_and_nothing_is_lost(project):
    cases = pl.read_parquet(project / "parcels.parquet")
    holes = cases.with_columns(pl.when(pl.col("parcel_id") % 100 == 7).then(None).otherwise("parcel_id"))
    holes = cases.with_columns(
        pl.when(pl.col("parcel_id") % 100 == 7).then(None).otherwise(pl.col("parcel_id")).alias("parcel_id")
    )
    holes.write_parquet(project / "parcels.parquet")
    done = cli("rehearse", project, "--policy", "never")
    assert done.returncode == 0, done.stderr
    aside = wholeroad.open(project).quarantine()
    assert aside.height == holes["parcel_id"].null_count()
    assert aside["code"].unique().to_list() == ["data.key-null"]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("now()", "expression.clock"),
        ("sum(delay_h) > 3", "expression.aggregate"),
        ("row_number() over (order by delay_h) = 1", "expression.window"),
        ("delay_h > (select max(delay_h) from t)", "expression.subquery"),
    ],
)
def test_an_expression_that_looks_beyond_the_row(project, expression, code):
    with_brief(project, "delay_h > 24", expression)
    error = refused(cli("rehearse", project), code)
    assert "[outcome] truth" in error


def test_an_outcome_that_never_arrives(project):
    outcomes = pl.read_parquet(project / "deliveries.parquet")
    outcomes.with_columns(parcel_id=pl.col("parcel_id") + 10**6).write_parquet(project / "deliveries.parquet")
    refused(cli("rehearse", project), "data.no-outcomes")


def test_an_empty_table(project):
    pl.read_parquet(project / "parcels.parquet").clear().write_parquet(project / "parcels.parquet")
    refused(cli("rehearse", project), "data.no-cases")


def test_a_column_that_is_not_there_is_named(project):
    with_brief(project, 'column = "weight_kg"', 'column = "weigth_kg"')
    assert "did you mean weight_kg" in refused(cli("rehearse", project), "brief.unknown-column")


def test_a_policy_that_is_none(project):
    refused(cli("rehearse", project, "--policy", "each 3d"), "brief.policy")


def test_a_date_that_is_none(project):
    refused(cli("rehearse", project, "--from", "yesterday"), "cli.date")


def test_no_time_left_to_rehearse(project):
    refused(cli("rehearse", project, "--from", "2030-01-01"), "rehearse.too-short")


HOLD = """
import sys, time
from pathlib import Path
from wholeroad.adapters.locks import held
with held(Path(sys.argv[1]) / ".wholeroad", purpose="a rehearsal", since="2024-01-01T00:00:00Z"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_rehearsals_at_once_the_second_is_told_who_is_busy_and_to_try_later(project):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(project)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        error = refused(cli("rehearse", project), "project.locked", exit_code=75)
        assert f"process {holder.pid}" in error
    finally:
        holder.kill()
        holder.communicate()
    # The lock dies with its holder.
    assert cli("rehearse", project, "--policy", "status quo").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a child")
def test_ctrl_c_leaves_a_usable_folder_and_the_next_run_goes_on(project):
    import signal

    running = subprocess.Popen(
        [sys.executable, "-m", "wholeroad", "rehearse", str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    blobs = project / ".wholeroad" / "blobs" / "fits"
    for _ in range(600):
        if running.poll() is not None or (blobs.exists() and any(blobs.iterdir())):
            break
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate()
    if running.returncode != 0:
        assert running.returncode == 130
        assert "Traceback" not in error
        assert "same command" in error
    assert cli("rehearse", project).returncode == 0
