"""The flights: the brief as the tutorial prints it, on the first weeks of the year."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import wholeroad

ROOT = Path(__file__).parent.parent
TUTORIAL = ROOT / "docs" / "tutorial" / "flights.md"


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flights")
    printed = re.search(r"^```toml\n(format = .*?|#.*?)^```$", TUTORIAL.read_text(), re.DOTALL | re.MULTILINE)
    assert printed is not None
    (folder / "brief.toml").write_text(printed.group(1))
    build = [sys.executable, str(ROOT / "examples" / "flights" / "build.py")]
    subprocess.run([*build, "--out", str(folder / "data"), "--days", "75"], check=True, capture_output=True)
    return wholeroad.open(folder).rehearse(["never", "random 10%"])


def test_the_printed_brief_runs_and_a_model_earns_more_than_chance(rehearsed):
    money = dict(zip(rehearsed.policies["policy"], rehearsed.policies["total"], strict=True))
    assert money["never"] > max(money["random 10%"], 0)


def test_no_row_was_set_aside_and_no_truth_is_unknown(rehearsed):
    assert rehearsed.policies["unknown"].to_list() == [0, 0, 0]
    assert not [finding for finding in rehearsed.findings if finding.code == "check.quarantine"]


def test_diverted_flights_have_no_delay_and_count_as_late(rehearsed):
    arrivals = pl.read_parquet(rehearsed.folder.parent.parent / "data" / "arrivals.parquet")
    diverted = arrivals.filter("diverted")
    assert diverted["arr_delay"].null_count() == diverted.height > 0


def test_every_probability_is_one_and_every_decision_is_the_better_action(rehearsed):
    decisions = rehearsed.decisions("never").drop_nulls("p_late")
    assert decisions.height > 5_000
    total = decisions["p_late"] + decisions["p_on_time"]
    assert total.is_between(1 - 1e-9, 1 + 1e-9).all()
    worth = 120 * decisions["p_late"] - 35 * decisions["p_on_time"]
    assert ((worth > 0) == (decisions["action"] == "rebook")).all()
