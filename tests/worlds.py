"""Small worlds on disk, for tests that run the whole road."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

BRIEF = """
format = 1
[brief]
name = "small"
question = "Will the parcel be late?"
decision = "Send it by express"
[case]
source = "parcels"
decide_at = "sent_at - 1h"
[outcome]
kind = "binary"
classes = ["late", "on_time"]
positive = "late"
source = "deliveries"
truth = "case when delay_h > 24 then 'late' else 'on_time' end"
matures = "2d"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "pass" }
[value.of]
express = { late = 8, on_time = -4 }
pass = { late = 0, on_time = 0 }
[success]
gain_over_status_quo = { per_case = 0.1 }
[source.parcels]
read = "parcels.parquet"
key = "parcel_id"
happened_at = "sent_at"
known_at = "booked_at"
planned = true
timezone = "Europe/Vienna"
[source.deliveries]
read = "deliveries.parquet"
key = "parcel_id"
happened_at = "delivered_at"
known_at = "reported_at"
[feature]
weight = { column = "weight_kg" }
depot = { column = "depot" }
hour = { expression = "local_hour(sent_at)" }
late_3d = { mean = "truth = 'late'", of = "outcomes", by = "depot", over = "3d" }
[cycle]
every = "1d"
[policy.refit]
first = "20d"
when = "every 10d"
fit = { takes = "2h", costs = 5 }
[model]
candidates = ["constant", "logistic"]
least_outcomes = 10
"""

START = datetime(2024, 1, 1, tzinfo=UTC)


def parcels(*, days: int = 50, per_day: int = 24, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make parcels and their deliveries; heavy parcels from one depot are late, the other way round later."""
    dice = np.random.default_rng(seed)
    count = days * per_day
    minutes = np.sort(dice.integers(0, days * 24 * 60, count)).astype("timedelta64[m]")
    sent = np.datetime64(START.replace(tzinfo=None), "us") + minutes
    weight = dice.gamma(2.0, 2.0, count).round(2)
    depot = dice.choice(["A", "B", "C"], count)
    lean = np.where(minutes < np.timedelta64(days * 12 * 60, "m"), depot == "A", depot == "B")
    delay = 6 * weight * (0.5 + lean) * dice.lognormal(0, 0.4, count)
    delivered = sent + np.round(delay * 3600).astype("timedelta64[s]")
    booked = sent - dice.integers(0, 48 * 60, count).astype("timedelta64[m]")
    reported = delivered + dice.integers(0, 600, count).astype("timedelta64[m]")
    utc = pl.Datetime("us", "UTC")
    cases = pl.DataFrame(
        {
            "parcel_id": np.arange(count),
            "sent_at": pl.Series(sent).dt.replace_time_zone("UTC").cast(utc),
            "booked_at": pl.Series(booked).dt.replace_time_zone("UTC").cast(utc),
            "weight_kg": weight,
            "depot": depot,
        }
    )
    outcomes = pl.DataFrame(
        {
            "parcel_id": np.arange(count),
            "delivered_at": pl.Series(delivered).dt.replace_time_zone("UTC").cast(utc),
            "reported_at": pl.Series(reported).dt.replace_time_zone("UTC").cast(utc),
            "delay_h": delay.round(2),
        }
    )
    return cases, outcomes


def corrected(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Add corrections to a fifth of the deliveries, one to fifteen days after they were reported."""
    wrong = outcomes.filter(pl.col("parcel_id") % 5 == 0)
    waits = pl.duration(days=1 + pl.col("parcel_id") % 15)
    return pl.concat(
        [
            outcomes,
            wrong.with_columns(
                reported_at=pl.col("reported_at") + waits, delay_h=(48 - pl.col("delay_h")).round(2)
            ),
        ]
    )


def write(folder: Path, cases: pl.DataFrame, outcomes: pl.DataFrame, *, brief: str = BRIEF) -> Path:
    """Write a project's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "brief.toml").write_text(brief, encoding="utf-8")
    cases.write_parquet(folder / "parcels.parquet")
    outcomes.write_parquet(folder / "deliveries.parquet")
    return folder


def days(number: float) -> timedelta:
    """Give a number of days."""
    return timedelta(days=number)


def at(*, days: float) -> int:
    """Give the instant so many days after the start, in microseconds."""
    return int((START + timedelta(days=days)).timestamp()) * 1_000_000
