"""The flights' profile: the codes and figures of its page are those that the command finds."""

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import wholeroad

ROOT = Path(__file__).parents[1]
FLIGHTS = ROOT / "examples" / "flights"
PAGE = (ROOT / "docs" / "tutorial" / "flights-data.md").read_text("utf-8")
FINDING = re.compile(r"^\| `(quality\.[a-z-]+)` \| `([a-z_.]+)` \| (.*?) \|", re.MULTILINE)
RAW = """
import sys
sys.path.insert(0, sys.argv[1])
import build
build.WIND_MOST_MPH = float("inf")
made = build.tables(90)
raw = build.with_identity(build.with_instants(build.read("flights"), build.read("airports")))
tails = raw.select("flight_id", "tailnum")
made["flights"] = made["flights"].join(tails, on="flight_id", how="left", maintain_order="left")
for name, frame in made.items():
    frame.write_parquet(f"data/{name}.parquet")
"""


def numbers(text: str) -> set[str]:
    return {found for found in re.findall(r"\d[\d,.]*\d", text) if len(found) > 1}


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    folder = tmp_path_factory.mktemp("year")
    (folder / "brief.toml").write_bytes((FLIGHTS / "brief.toml").read_bytes())
    build = [sys.executable, str(FLIGHTS / "build.py"), "--out", str(folder / "data")]
    subprocess.run(build, check=True, capture_output=True)
    project = wholeroad.open(folder)
    project.land()
    return project.data.profile()


def test_the_page_names_what_the_profile_finds_in_its_order(year):
    found = [(one.code, ".".join([one.source, *one.columns])) for one in year.troubles]
    assert [(code, place) for code, place, _ in FINDING.findall(PAGE)] == found


def test_the_figures_of_the_page_are_those_of_the_profile(year):
    for one, (_, _, figures) in zip(year.troubles, FINDING.findall(PAGE), strict=True):
        told = numbers(f"{one.what} {one.rows:,} {one.of:,} {one.where}") | {"18"}
        dates = {str(int(day)) for day in re.findall(r"\d{4}-\d\d-(\d\d)", f"{one.what} {one.where}")}
        clock = set(re.findall(r"\d\d", one.what))
        assert numbers(figures) <= told | dates | clock, one.what
    assert {f"{source.rows:,}" for source in year.sources} <= numbers(PAGE)


def test_gusts_are_as_rare_as_the_page_says():
    raw = subprocess.run(
        [
            sys.executable,
            "-c",
            "import build; print(build.weather(build.read('weather'))['wind_gust'].count())",
        ],
        cwd=FLIGHTS,
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"{int(raw.stdout):,} of the 26,115 rows" in PAGE


def test_of_the_troubles_that_the_example_mends_two_would_be_found(tmp_path):
    (tmp_path / "data").mkdir()
    subprocess.run([sys.executable, "-c", RAW, str(FLIGHTS)], cwd=tmp_path, check=True)
    brief = (FLIGHTS / "brief.toml").read_text("utf-8")
    for mended, raw in (
        ("observed_at + 1h", "observed_at"),
        ("cancelled or diverted or arr_delay", "cancelled or arr_delay"),
        ("[feature]\n", '[feature]\ntailnum = { column = "tailnum" }\n'),
    ):
        assert mended in brief
        brief = brief.replace(mended, raw, 1)
    (tmp_path / "brief.toml").write_text(brief, encoding="utf-8")
    project = wholeroad.open(tmp_path)
    project.land()
    found = {(one.code, one.source, *one.columns): one for one in project.data.profile().troubles}
    tails = found["quality.missing-tells-outcome", "flights", "tailnum"]
    assert {"96.7", "16.6"} <= numbers(tails.what) <= numbers(PAGE) | {"96.7", "16.6"}
    assert found["quality.outliers", "weather", "wind_speed"].rows == 1
    assert {("quality.clock-shift", "board"), ("quality.unit-change", "weather", "dewp")} <= set(found)
    touched = {column for _, source, *columns in found for column in columns if source == "arrivals"}
    assert "arr_delay" not in touched
    assert not [key for key in found if key[:2] == ("quality.late-arrivals", "weather")]
    diverted = pl.read_parquet(tmp_path / "data" / "arrivals.parquet")["diverted"].sum()
    assert diverted == found["quality.constant-column", "arrivals", "diverted"].rows
