"""Measure the traps in the flights data, on the package's own tables.

Run it as ``python examples/flights/traps.py``. README.md shows what it prints; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from build import ISLANDS, NEW_YORK, WIND_MOST_MPH, clock_minutes, read, with_identity, with_instants

CANCELLED = pl.col("dep_time").is_null()
DIVERTED = ~CANCELLED & pl.col("arr_delay").is_null()
LATE = (CANCELLED | DIVERTED | (pl.col("arr_delay") > 30)).fill_null(value=False)
STAMP = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")

Line = tuple[int | str, str]
"""A figure and what it counts."""


def count(frame: pl.DataFrame, condition: pl.Expr) -> int:
    """Count the rows for which a condition holds."""
    return frame.filter(condition).height


def outcomes(raw: pl.DataFrame) -> Iterator[Line]:
    """Tell what a null means."""
    yield raw.height, "flights"
    yield count(raw, CANCELLED), "never left: cancelled"
    yield count(raw, DIVERTED), "left, and have no arrival delay: diverted"
    yield count(raw, DIVERTED & pl.col("arr_time").is_not_null()), "of these came in after all, hours later"
    yield (
        count(raw, pl.col("arr_delay").is_null()),
        "have no arrival delay: the worst outcomes, unknown to `arr_delay > 30`",
    )
    yield f"{raw.select(LATE.mean()).item():.1%}", "are late by more than 30 minutes, or never arrive"
    by_month = raw.group_by("month").agg(LATE.mean().alias("late")).sort("month")["late"]
    yield (
        f"{by_month.min():.0%} to {by_month.max():.0%}",
        "by month: " + " ".join(f"{x:.0%}" for x in by_month),
    )


def tail_numbers(raw: pl.DataFrame) -> Iterator[Line]:
    """Tell what a missing tail number gives away."""
    untailed = pl.col("tailnum").is_null()
    yield count(raw, untailed), "flights have no tail number"
    yield count(raw, untailed & CANCELLED), "of these were cancelled"
    yield 120 * count(raw, untailed), "EUR, at 120 each, that a model would seem to earn and nobody could"
    planes = read("planes").select("tailnum", listed=pl.lit(value=True))
    joined = raw.join(planes, on="tailnum", how="left").with_columns(pl.col("listed").is_not_null())
    share = dict(joined.group_by("listed").agg(CANCELLED.mean()).iter_rows())
    yield f"{share[False]:.1%}", "of the flights without a row in planes were cancelled"
    yield f"{share[True]:.1%}", "of the flights with one"


def clocks(raw: pl.DataFrame, frame: pl.DataFrame, sky: pl.DataFrame) -> Iterator[Line]:
    """Tell where wall clocks lie."""
    here = STAMP.dt.convert_time_zone(NEW_YORK)
    behind = -(here.dt.base_utc_offset() + here.dt.dst_offset()).dt.total_hours()
    yield count(raw, behind == 5), "flights leave when New York is 5 hours behind UTC"
    yield count(raw, behind == 4), "when it is 4 hours behind"
    astray = pl.col("sched_dep").dt.truncate("1h") != STAMP
    yield count(frame, astray), "have a wall clock that disagrees with the package's UTC hour"
    wall = pl.struct("origin", "month", "day", "hour")
    yield (
        count(sky, wall.is_duplicated()),
        "weather rows share a wall-clock hour: 3 November, 01:00, comes twice",
    )
    yield count(sky, pl.struct("origin", "time_hour").is_duplicated()), "share a UTC hour"
    block = (pl.col("sched_arr") - pl.col("sched_dep")).dt.total_minutes()
    naive = clock_minutes("sched_arr_time") - clock_minutes("sched_dep_time")
    yield count(frame, naive != block), "flights take another time than their two scheduled clocks are apart"
    yield count(frame, naive < 0), "of these seem to land before they leave: it is the next day"
    wrapped = (pl.col("dep_delay") > 0) & (pl.col("dep_time") < pl.col("sched_dep_time"))
    yield count(frame, wrapped), "left after midnight of the day that they are filed under"
    yield count(frame, pl.col("dest").is_in(list(ISLANDS))), "go where airports.csv knows no time zone"


def derived_arrivals(frame: pl.DataFrame) -> Iterator[Line]:
    """Check the derived arrivals against columns that were not used to derive them."""
    flown = frame.filter(pl.col("arr_delay").is_not_null())
    yield flown.height, "arrivals were derived, as instants in UTC"
    clock = (clock_minutes("sched_arr_time") + pl.col("arr_delay") - clock_minutes("arr_time")) % 1440
    yield count(flown, clock != 0), "disagree with the clock at the gate"
    on_ground = (pl.col("landed_at") - pl.col("left_at")).dt.total_minutes() - pl.col("air_time")
    minutes = flown.select(on_ground.alias("minutes"))["minutes"]
    yield f"{minutes.min()} to {minutes.max()}", "minutes on the ground between the gates (less air_time)"
    yield f"{minutes.median():.0f}", "minutes in the middle"
    yield count(flown, on_ground >= 180), "of three hours or more"


def keys(raw: pl.DataFrame, frame: pl.DataFrame) -> Iterator[Line]:
    """Tell what identifies a flight."""
    number = pl.struct("carrier", "flight", "month", "day")
    yield count(raw, number.is_duplicated()), "flights share carrier, number and day with another airport's"
    yield count(frame, pl.col("flight_id").is_duplicated()), "when the airport is part of the key"


def edges(raw: pl.DataFrame, frame: pl.DataFrame, sky: pl.DataFrame) -> Iterator[Line]:
    """Tell what is odd or missing at the edges."""
    delay = raw["dep_delay"]
    yield f"{delay.min()} to {delay.max():,}", "minutes of departure delay"
    windy = sky.filter(pl.col("wind_speed") > WIND_MOST_MPH)
    yield (
        windy.height,
        f"weather row has a wind of {windy['wind_speed'].max():,.0f} mph: build.py makes it null",
    )
    yield (
        count(sky, pl.col("wind_gust").is_null()),
        f"of {sky.height:,} weather rows have no gust: calm hours",
    )
    yield count(sky, pl.col("pressure").is_null()), "have no pressure"
    last = sky.select(STAMP.max()).item()
    blind = pl.col("sched_dep") - pl.duration(hours=2) > last + pl.duration(hours=6)
    yield (
        count(frame, blind),
        f"flights are decided 6 hours or more after the weather ends, {last:%d %B, %H:%M} UTC",
    )


def main() -> None:
    """Print every trap with its figures."""
    raw, sky = read("flights"), read("weather")
    frame = with_identity(with_instants(raw, read("airports")))
    for title, lines in (
        ("What a null means", outcomes(raw)),
        ("What a missing tail number gives away", tail_numbers(raw)),
        ("What clocks hide", clocks(raw, frame, sky)),
        ("Whether the derived arrivals hold", derived_arrivals(frame)),
        ("What identifies a flight", keys(raw, frame)),
        ("What is odd at the edges", edges(raw, frame, sky)),
    ):
        print(title)
        for figure, text in lines:
            print(f"{f'{figure:,}' if isinstance(figure, int) else figure:>14}  {text}")


if __name__ == "__main__":
    main()
