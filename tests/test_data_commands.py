"""The commands about data, as somebody with a dirty export meets them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import polars as pl
import pytest

import worlds
from wholeroad.interfaces.cli.app import main
from wholeroad.project import open_project

TYPES = '\ntypes = { sent_at = "instant", booked_at = "instant" }'
CSV = worlds.BRIEF.replace('read = "parcels.parquet"', f'read = "parcels*.csv"{TYPES}')
NOTHING = '{ nothing = "weight_kg", values = [-999] }'
CAMERA = """
[source.parcels.camera]
sensor_width_mm = 8.8
sensor_height_mm = 6.6
pixels_wide = 1920
pixels_high = 1440
focal_length_mm = 25
distance_m = 16
level = "validate"
kept = "30d"
"""
MAP = '{ map = "depot", values = { "a " = "A", "b " = "B", "c " = "C" } }'


def dirty(cases):
    """Plant stand-ins, spellings and two instants that are none."""
    number, written = pl.col("parcel_id"), "%Y-%m-%dT%H:%M:%SZ"
    return cases.with_columns(
        weight_kg=pl.when(number % 10 == 0).then(-999.0).otherwise("weight_kg"),
        depot=pl.when(number % 7 == 0).then(pl.col("depot").str.to_lowercase() + " ").otherwise("depot"),
        sent_at=pl.when(number.is_in([5, 17]))
        .then(pl.lit("soon"))
        .otherwise(pl.col("sent_at").dt.strftime(written)),
        booked_at=pl.col("booked_at").dt.strftime(written),
    )


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """A dirty project of 30 days that has landed."""
    cases, outcomes = worlds.parcels(days=30)
    folder = worlds.write(tmp_path_factory.mktemp("world") / "project", cases, outcomes, brief=CSV)
    (folder / "parcels.parquet").unlink()
    dirty(cases).write_csv(folder / "parcels.csv")
    open_project(folder).land()
    return folder


@pytest.fixture
def project(landed, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(landed, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(capsys):
    """Run the command line as its entry point does; give what it printed, its spaces as one."""

    def run(*arguments, code=0):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        told = capsys.readouterr()
        assert ended.value.code == code, told.out + told.err
        assert "Traceback" not in told.err
        return " ".join((told.out if code == 0 else told.err).split())

    return run


def settings_of(project, text):
    path = project / "brief.toml"
    path.write_text(f"{path.read_text('utf-8')}\n{text}\n", "utf-8")


def kept(path):
    """Tell what trying something may not touch: all but locks, the ledger's own files, and drawn scores."""
    return not path.name.startswith(("lock", "ledger.sqlite")) and "blobs" not in path.parts


def everything(project):
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


# looking


def test_a_profile_tells_each_trouble_with_a_mend_that_can_be_copied_and_writes_a_page(project, cli, capsys):
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["data", "profile"])
    told = capsys.readouterr().out
    assert any(NOTHING in line for line in told.splitlines())
    assert any(line.strip().startswith('mend: { map = "depot"') for line in told.splitlines())
    for needed in ("parcels.weight_kg", "quality.sentinel-number", "quality.spelling-variants", "leave it:"):
        assert needed in told
    page = (project / "profile.html").read_text("utf-8")
    assert "quality.sentinel-number" in page
    assert "quality.spelling-variants" in page
    cli("data", "profile", "--page", "other.html")
    assert (project / "other.html").read_text("utf-8") == page


def test_the_mends_that_a_profile_names_can_be_tried_as_they_stand(project, cli):
    for trouble in open_project(project).data.profile().troubles:
        if trouble.mend.startswith("{"):
            told = cli("data", "mend", trouble.source, "--step", trouble.mend)
            assert f"{trouble.rows:,} of {trouble.of:,} rows say something else" in told


def test_a_proposed_contract_is_taken_by_the_brief_and_broken_by_stand_ins_alone(project, cli):
    text = cli_text(cli, "data", "contract", "parcels")
    assert text.count("# assumed:") >= 5
    settings_of(project, text)
    assert "nobody has confirmed" in cli("check")
    assert cli("data", "contract", "parcels").endswith("contract: • weight_kg range: 72 rows")
    cli("data", "contract", "parcels", "--to", "schema.yaml", code=0 if _pandera() else 2)


def cli_text(cli, *arguments):
    """Run a command in a process of its own, and give what it printed as it is."""
    del cli
    done = subprocess.run(
        [sys.executable, "-m", "wholeroad", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def _pandera():
    import importlib.util

    return importlib.util.find_spec("pandera") is not None


def test_a_stated_contract_that_is_broken_is_counted_by_clause(project, cli):
    warned = '[source.parcels.contract]\nif_broken = "warn"\n[source.parcels.contract.column]\n'
    settings_of(project, warned + "weight_kg = { range = [0, 50] }")
    assert cli("data", "contract", "parcels").endswith("weight_kg range: 72 rows")


def test_rows_that_a_contract_kept_from_landing_are_counted_beside_those_that_landed(project, cli):
    settings_of(project, "[source.parcels.contract.column]\nweight_kg = { range = [0, 50] }")
    told = cli("data", "contract", "parcels")
    assert "Every landed row of parcels keeps its contract." in told
    assert "Set aside for breaking it: 72 rows" in told
    assert "parcels: 72 rows [contract.range]" in cli("data", "quarantine", "parcels")


# mending


@pytest.mark.parametrize("steps", [(NOTHING,), (NOTHING, MAP)])
def test_law_trying_a_mend_changes_nothing_of_the_project(project, cli, steps):
    facts, before = list(open_project(project).export()), everything(project)
    told = cli("data", "mend", "parcels", *(part for step in steps for part in ("--step", step)))
    after = everything(project)
    assert list(open_project(project).export()) == facts
    assert {path: text for path, text in after.items() if kept(path)} == {
        path: text for path, text in before.items() if kept(path)
    }
    assert all(after[path] == text for path, text in before.items() if "blobs" in path.parts)
    assert "72 rows" in told
    assert "feature weight: other in 72 of 718 cases" in told
    assert "To keep it, write this into brief.toml: [source.parcels.mend]" in told
    assert "inf" not in told


def test_a_mend_that_stands_in_the_brief_is_compared_with_none(project, cli):
    settings_of(project, f"[source.parcels.mend]\nsteps = [{NOTHING}]")
    told = cli("data", "mend", "parcels")
    assert "72 of 718 rows say something else; 0 gone, 0 new." in told
    assert "As the brief has it:" in told


# the quarantine


def test_rows_that_are_mended_by_hand_leave_the_quarantine(project, cli):
    listed = cli("data", "quarantine")
    assert "parcels: 2 rows [data.not-castable]" in listed
    assert "[source.NAME.mend]" in listed
    assert "wholeroad data land parcels mended.csv" in cli(
        "data", "quarantine", "parcels", "--to", "mended.csv"
    )
    rows = pl.read_csv(project / "mended.csv", infer_schema=False)
    assert rows["parcel_id"].to_list() == ["5", "17"]
    rows[:1].with_columns(sent_at=pl.lit("2024-01-01T05:00:00Z")).write_csv(project / "mended.csv")
    assert "1 row is in the quarantine" in cli("data", "land", "parcels", "mended.csv")
    assert "parcels: 1 row [data.not-castable]" in cli("data", "quarantine")
    assert "2024-01-01T05:00:00Z" in cli("data", "trace", "5")
    told = cli("data", "trace", "17", "--source", "parcels")
    assert "set aside at" in told
    assert "'soon', not an instant" in told
    assert "mended.csv" in cli("data", "batches", "parcels")
    assert "mended.csv" not in cli("data", "batches", "deliveries")
    assert "There is a file" in cli("data", "quarantine", "parcels", "--to", "mended.csv", code=2)


def test_names_in_brackets_are_printed_as_they_are(project, cli):
    cases, _ = worlds.parcels(days=1)
    cases.with_columns(parcel_id=pl.col("parcel_id") + 10_000).write_csv(project / "late[bold].csv")
    cli("data", "land", "parcels", "late[bold].csv")
    assert "late[bold].csv" in cli("data", "batches")


# holding


@pytest.fixture
def holding(project, cli):
    """A project whose second file breaks a contract that holds."""
    settings_of(
        project,
        '[source.parcels.contract]\nif_broken = "hold"\n[source.parcels.contract.column]\n'
        "weight_kg = { range = [-999, 50] }",
    )
    cli("land")
    cases, _ = worlds.parcels(days=2)
    broken = cases.with_columns(
        parcel_id=pl.col("parcel_id") + 5_000, weight_kg=pl.lit(2_000.0), booked_at=pl.col("booked_at")
    )
    broken.write_csv(project / "parcels_2.csv")
    return project


def test_a_broken_batch_is_held_and_everybody_is_told_until_it_is_accepted(holding, cli):
    told = cli("cycle")
    assert "Held back: parcels, 48 rows of parcels_2.csv" in told
    assert "wholeroad data release parcels ends it" in told
    assert "parcels" in cli("status").partition("held back")[2]
    assert open_project(holding).data.broken("parcels").get("weight_kg range", 0) == 0
    assert "parcels │ 48 │ 48" in cli("data", "release", "parcels", "--by", "Ann")
    assert "held back" not in cli("status")
    assert cli("data", "contract", "parcels").endswith("weight_kg range: 48 rows")
    assert "data.not-held" in cli("data", "release", "parcels", code=2)


@pytest.mark.usefixtures("holding")
def test_a_discarded_batch_never_lands(cli):
    cli("land")
    before = cli("data", "batches")
    assert "is discarded: it never lands" in cli("data", "release", "parcels", "--discard")
    cli("land")
    assert cli("data", "batches") == before


# labels


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A project of 50 days in which models decide, with a sheet that was asked for."""
    folder = worlds.write(tmp_path_factory.mktemp("sound") / "project", *worlds.parcels(days=50))
    with pytest.raises(SystemExit) as ended:
        main(["data", "labels", "--project", str(folder), "--to", str(folder / "sheet.csv"), "--most", "20"])
    assert ended.value.code == 0
    return folder


@pytest.fixture
def judged(sound, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(sound, folder)
    monkeypatch.chdir(folder)
    return folder


def test_a_sheet_comes_back_and_what_correcting_is_worth_follows(judged, cli):
    assert "review.nothing-to-correct" in cli("data", "correct", "--most", "20", code=2)
    sheet = pl.read_csv(judged / "sheet.csv", infer_schema=False)
    assert {"item", "verdict", "by", "given", "suggested"} <= set(sheet.columns)
    right = sheet.with_columns(verdict=pl.col("suggested").fill_null(pl.col("given")), by=pl.lit("Ann"))
    right.write_csv(judged / "back.csv")
    told = cli("data", "verdicts", "back.csv")
    assert f"Took {sheet.height} verdicts on {sheet.height} cases, by 1 reviewer;" in told
    assert "100.0%" in told
    again = cli("data", "verdicts", "back.csv")
    assert f"Took 0 verdicts on 0 cases, by 0 reviewers; {sheet.height} were there already" in again
    told = cli("data", "correct", "--most", "20")
    assert re.search(r"on the same \d+ cases, of which \d+ are decided otherwise", told)
    assert "Assumed" not in told


def test_a_sheet_is_never_written_over(judged, cli):
    before = (judged / "sheet.csv").read_bytes()
    assert "review.file-there" in cli("data", "labels", "--to", "sheet.csv", code=2)
    assert (judged / "sheet.csv").read_bytes() == before


@pytest.mark.usefixtures("judged")
def test_what_was_assumed_of_labels_is_said(cli):
    told = cli("data", "correct", "--most", "20", "--assume", "0.5")
    assert "Assumed: 50% of the suspects that nobody has looked at are wrong" in told


# worth


@pytest.mark.usefixtures("project")
def test_next_ranks_in_money_a_month_and_never_prints_an_infinity(cli):
    told = cli("data", "next", "--feature", "weight")
    assert "EUR a month" in told
    assert "weight" in told
    assert "inf" not in told


def test_a_camera_is_worked_out_and_what_it_rules_out_is_told(project, cli):
    assert "data.no-camera" in cli("data", "camera", "parcels", code=2)
    settings_of(project, CAMERA)
    told = cli("data", "camera", "parcels")
    for needed in ("field of view", "px/m", "Mbit/s", "camera.level"):
        assert needed in told


# bad luck


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["contract", "nope"], "brief.unknown-source"),
        (["mend", "nope"], "brief.unknown-source"),
        (["mend", "parcels"], "data.no-mend"),
        (["mend", "parcels", "--step", "{ nothing = "], "mend.step"),
        (["quarantine", "nope"], "brief.unknown-source"),
        (["quarantine", "--to", "x.csv"], "data.quarantine-source"),
        (["quarantine", "deliveries", "--to", "x.csv"], "data.quarantine-empty"),
        (["batches", "nope"], "brief.unknown-source"),
        (["land", "nope", "parcels.csv"], "brief.unknown-source"),
        (["land", "parcels", "nope.csv"], "data.file-missing"),
        (["release", "nope"], "brief.unknown-source"),
        (["release", "parcels"], "data.not-held"),
        (["trace", "5", "6"], "explain.key-length"),
        (["trace", "99999"], "explain.unknown-case"),
        (["trace", "5", "--source", "nope"], "brief.unknown-source"),
        (["trace", "99999", "--source", "parcels"], "trace.unknown-row"),
        (["next", "--feature", "nope"], "data.unknown-feature"),
        (["verdicts", "nope.csv"], "data.file-missing"),
        (["camera", "nope"], "brief.unknown-source"),
        (["contract", "parcels", "--to", "x.yaml"], "data.no-contract"),
        (["profile", "--page", "no/such/folder.html"], "project.unusable"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(project, cli, arguments, code):
    told = cli("data", *arguments, code=2)
    assert code in told
    assert "happened:" in told or "expected:" in told
    assert not (project / "x.csv").exists()


def test_no_project_is_refused_by_every_command(tmp_path, cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (["profile"], ["quarantine"], ["batches"], ["next"], ["labels"], ["trace", "1"]):
        assert "brief" in cli("data", *arguments, code=2)


# starting


def test_the_help_of_the_commands_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wholeroad", "data", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    seen = set(re.findall(r"^import time:.*\|\s*([\w.]+)$", done.stderr, re.MULTILINE))
    assert "wholeroad.interfaces.cli.data" in seen
    assert not seen & {"polars", "numpy", "sklearn", "lightgbm", "deltalake", "altair", "markupsafe"}
    for name in ("profile", "contract", "mend", "quarantine", "batches", "trace", "land", "release", "next"):
        assert name in done.stdout
