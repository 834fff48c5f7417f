"""The examples' data: the same when built twice, sound in time, and as their READMEs say."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholeroad.core.expressions import bind
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.binding import bind_brief
from wholeroad.road.data.casting import kept_type
from wholeroad.testing.support_desk import TEAMS, make

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("flights", "support-desk")


def script(path: Path, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, str(path), *arguments], capture_output=True, text=True, encoding="utf-8", check=True
    )
    return run.stdout


def build(name: str, folder: Path) -> Path:
    small = ("--days", "20") if name == "flights" else ("--days", "60")
    script(EXAMPLES / name / "build.py", "--out", str(folder), *small)
    return folder


def frames(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.parquet")}


def brief_of(name: str) -> Brief:
    return read_brief((EXAMPLES / name / "brief.toml").read_text("utf-8"))


def instant(text: str, frame: pl.DataFrame) -> pl.Series:
    bound = bind(text, frame.schema, where="test", expects="instant")
    return frame.select(bound.polars.alias("at"))["at"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return {name: build(name, tmp_path_factory.mktemp(name)) for name in NAMES}


@pytest.fixture(scope="module")
def tables(built):
    return {name: frames(folder) for name, folder in built.items()}


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    folder = tmp_path_factory.mktemp("year")
    script(EXAMPLES / "flights" / "build.py", "--out", str(folder))
    return frames(folder)


@pytest.mark.parametrize("name", NAMES)
def test_building_twice_gives_the_same_bytes(name, built, tmp_path):
    first, again = digests(built[name]), digests(build(name, tmp_path))
    assert first == again
    assert len(first) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_brief_fits_the_data(name, tables):
    brief = brief_of(name)
    assert {Path(source.read).stem for source in brief.source.values()} == set(tables[name])
    schemas = {
        source: pl.Schema({column: kept_type(kind) for column, kind in frame.schema.items()})
        for source, frame in tables[name].items()
    }
    assert len(bind_brief(brief, schemas).features) == len(brief.feature) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_known_before_it_happens_unless_planned(name, tables):
    for source, table in brief_of(name).source.items():
        if table.static:
            continue
        frame = tables[name][source]
        happened, known = instant(table.happened_at, frame), instant(table.known_at, frame)
        assert happened.null_count() == known.null_count() == 0
        early = int((known < happened).sum())
        assert (early > 0) == table.planned, source


@pytest.mark.parametrize("name", NAMES)
def test_a_key_and_the_instant_it_became_known_name_one_version(name, tables):
    for source, table in brief_of(name).source.items():
        frame = tables[name][source]
        named = frame.select(table.key)
        assert named.null_count().sum_horizontal().item() == 0
        if not table.static:
            named = named.with_columns(instant(table.known_at, frame).alias("_known"))
        assert not named.is_duplicated().any(), source


@pytest.mark.parametrize("name", NAMES)
def test_every_outcome_belongs_to_a_case(name, tables):
    brief = brief_of(name)
    cases, outcomes = tables[name][brief.case.source], tables[name][brief.outcome.source]
    assert outcomes.join(cases, on=brief.source[brief.case.source].key, how="anti").height == 0


def test_the_readme_shows_the_traps_as_they_are_measured():
    readme = (EXAMPLES / "flights" / "README.md").read_text("utf-8")
    assert f"```\n{script(EXAMPLES / 'flights' / 'traps.py')}```" in readme
    assert re.search(r"1,175 +left, and have no arrival delay: diverted", readme)
    assert re.search(r"2,512 +flights have no tail number", readme)
    assert re.search(r"5 to 235 +minutes on the ground", readme)  # an hour off, if a time zone were wrong


def test_the_year_of_flights_is_whole(year):
    assert year["flights"].height == year["arrivals"].height == 336_776
    assert year["flights"]["flight_id"].n_unique() == 336_776
    assert year["board"].height == 2 * 336_776
    assert year["arrivals"]["cancelled"].sum() == 8_255
    assert year["arrivals"]["diverted"].sum() == 1_175
    assert year["arrivals"].filter(~pl.col("cancelled") & ~pl.col("diverted"))["arr_delay"].null_count() == 0


def test_flights_carry_no_tail_number(year):
    assert not [column for frame in year.values() for column in frame.columns if "tail" in column]


def test_an_arrival_is_known_only_after_the_decision_and_the_departure(year):
    ends = year["arrivals"].join(year["flights"], on="flight_id")
    assert ends.filter(pl.col("arrived_at") <= pl.col("sched_dep") - pl.duration(hours=2)).height == 0
    left = year["board"].filter(pl.col("state") == "left").join(year["arrivals"], on="flight_id")
    assert left.height == 336_776 - 8_255
    assert left.filter(pl.col("arrived_at") <= pl.col("left_at")).height == 0


def test_an_arrival_less_its_delay_is_the_scheduled_clock_at_the_destination(year):
    flown = year["arrivals"].filter(pl.col("arr_delay").is_not_null()).join(year["flights"], on="flight_id")
    planned = pl.col("arrived_at") - pl.duration(minutes="arr_delay")
    assert flown.filter(planned != pl.col("sched_arr")).height == 0


def test_the_wind_of_a_thousand_miles_an_hour_is_gone(year):
    assert year["weather"]["wind_speed"].max() < 100


@settings(max_examples=15)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32))
def test_equal_seeds_draw_equal_desks(days, tickets_per_day, seed):
    first, second = (make(days=days, tickets_per_day=tickets_per_day, seed=seed) for _ in range(2))
    assert all(first[name].equals(second[name], null_equal=True) for name in first)


def test_other_seeds_draw_other_desks():
    first, second = (make(days=20, tickets_per_day=50, seed=seed)["tickets"] for seed in (1, 2))
    assert not first.equals(second)


@settings(max_examples=15)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32))
def test_a_desk_knows_nothing_of_what_comes_after_it(days, tickets_per_day, seed):
    desk = make(days=days, tickets_per_day=tickets_per_day, seed=seed, from_day="2024-01-01")
    end = pl.lit("2024-01-01").str.to_datetime(time_unit="us", time_zone="UTC") + pl.duration(days=days)
    assert desk["tickets"].filter(pl.col("received_at") >= end).height == 0
    assert desk["resolutions"].filter(pl.col("recorded_at") >= end).height == 0


@pytest.fixture(scope="module")
def desk():
    made = make(days=200, tickets_per_day=200, seed=5, launch_day=100)
    newest = made["resolutions"].sort("recorded_at").unique("ticket_id", keep="last")
    solved = made["tickets"].sort("received_at").unique("ticket_id", keep="last").join(newest, on="ticket_id")
    return made, solved.with_columns(after=pl.col("opened_at").dt.date() >= pl.date(2024, 4, 10))


def share(frame: pl.DataFrame, team: str) -> float:
    return frame.select((pl.col("team") == team).mean()).item()


def test_the_launch_changes_what_comes_in(desk):
    _, solved = desk
    before, later = solved.filter(~pl.col("after")), solved.filter(pl.col("opened_at").dt.month() == 6)
    assert before.filter(pl.col("product") == "assist").height == 0
    assert 0.3 < later.select((pl.col("product") == "assist").mean()).item() < 0.4


def test_the_launch_changes_what_it_means(desk):
    _, solved = desk
    invoices = solved.filter(
        (pl.col("tier") == "business") & pl.col("says_invoice") & (pl.col("product") == "core")
    )
    before, after = (invoices.filter(pl.col("after") == when) for when in (False, True))
    assert share(before, "billing") > 0.6
    assert share(after, "billing") < 0.2
    assert share(after, "account") > 0.6


def test_without_a_launch_nothing_drifts():
    made = make(days=200, tickets_per_day=200, seed=5, launch_day=200)
    assert made["tickets"].filter(pl.col("product") == "assist").height == 0


def test_the_desk_has_late_silent_and_corrected_outcomes(desk):
    made, solved = desk
    early = made["tickets"].filter(pl.col("opened_at").dt.month() <= 3)["ticket_id"].unique()
    silent = 1 - early.is_in(made["resolutions"]["ticket_id"].implode()).mean()
    assert 0.02 < silent < 0.06
    wait = (pl.col("recorded_at") - pl.col("opened_at")).dt.total_hours() / 24
    assert 2 < solved.select(wait.median()).item() < 7
    corrected = made["resolutions"].filter(pl.col("ticket_id").is_duplicated())
    assert 0.03 < corrected["ticket_id"].n_unique() / made["resolutions"]["ticket_id"].n_unique() < 0.05
    teams = corrected.group_by("ticket_id").agg(pl.col("team").n_unique(), pl.col("solved_at").n_unique())
    assert teams["team"].unique().to_list() == [2]
    assert teams["solved_at"].unique().to_list() == [1]
    assert set(made["resolutions"]["team"].unique()) == set(TEAMS)
