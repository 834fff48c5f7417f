"""Parcels for a service in a test: a model plainly earns by them, and briefs of every form are about them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from service_worlds import HOUR, Delivery, Running, deliveries, over_http
from wholeroad.adapters.clocks import SteppedClock
from worlds import at

BRIEF = """
format = 1
[brief]
name = "forms"
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
matures = "12h"
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = { action = "pass" }
[value.of]
express = { late = 40, on_time = -9 }
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
first = "7d"
when = "every 2d"
fit = { takes = "2h", costs = 5 }
[model]
candidates = ["constant", "logistic"]
least_outcomes = 10
"""
READINGS = """
[source.readings]
read = "readings.parquet"
key = ["depot", "read_at"]
happened_at = "read_at"
known_at = "read_at + 5min"
"""
TARIFFS = """
[source.tariffs]
read = "tariffs.parquet"
key = "depot"
happened_at = "landed"
known_at = "landed"
"""
DEPOTS = """
[source.depots]
read = "depots.parquet"
key = "name"
static = true
"""
TIMES = {"parcels": "booked_at", "deliveries": "reported_at", "readings": "read_at"}
OPENED_AT, ENDS_AT = at(days=12.4), at(days=15.3)


def utc(microseconds: Any) -> pl.Series:
    return pl.Series(np.asarray(microseconds, dtype=np.int64)).cast(pl.Datetime("us", "UTC"))


def parcels(days: int = 17, per_day: int = 24) -> dict[str, pl.DataFrame]:
    """Draw parcels of which the heavy ones of one depot are late, plainly enough for a model to see it."""
    dice = np.random.default_rng(3)
    count = days * per_day
    minute = 60_000_000
    sent = at(days=0) + np.sort(dice.integers(0, days * 1440, count)) * minute
    weight, depot = dice.gamma(2.0, 2.0, count).round(2), dice.choice(["A", "B", "C"], count)
    delay = (5 * weight * (0.5 + (depot == "A")) * dice.lognormal(0, 0.3, count)).round(2)
    booked = sent - dice.integers(0, 40 * 60, count) * minute
    reported = sent + dice.integers(60, 1500, count) * minute
    key = np.arange(count)
    read = at(days=0) + np.arange(0, days * 24, 3) * HOUR
    return {
        "parcels": pl.DataFrame(
            {
                "parcel_id": key,
                "sent_at": utc(sent),
                "booked_at": utc(booked),
                "weight_kg": weight,
                "depot": depot,
                "pieces": dice.integers(1, 5, count),
                "fragile": dice.random(count) < 0.3,
                "promised_on": utc(sent + 2 * 24 * HOUR).cast(pl.Date),
                "sender": pl.Series([["u", "v", "w", None][each] for each in dice.integers(0, 4, count)]),
            }
        ),
        "deliveries": pl.DataFrame(
            {
                "parcel_id": key,
                "delivered_at": utc(reported - minute),
                "reported_at": utc(reported),
                "delay_h": delay,
            }
        ),
        "readings": pl.DataFrame(
            {
                "depot": np.tile(["A", "B", "C"], read.size),
                "read_at": utc(np.repeat(read, 3)),
                "load": dice.random(3 * read.size),
                "line": dice.integers(0, 4, 3 * read.size),
            }
        ),
    }


FRAMES = parcels()


def edited(brief: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in brief, old
        brief = brief.replace(old, new)
    return brief


def nothing(root: Path, clock: SteppedClock) -> None:
    """Do nothing."""


@dataclass
class Form:
    """A brief and its world: what is known by the opening is in files, the rest comes over HTTP.

    Attributes
    ----------
    times
        By source: the column that says when its rows come.
    files
        Further files, as they are.
    more
        Further rows on their way.
    parts
        See :class:`~service_worlds.Running`.
    before, between
        Called with the folder and the clock: before the service starts, and while it is stopped.
    """

    brief: str
    frames: dict[str, pl.DataFrame] = field(default_factory=lambda: FRAMES)
    times: dict[str, str] = field(default_factory=lambda: TIMES)
    files: dict[str, pl.DataFrame] = field(default_factory=dict)
    more: list[Delivery] = field(default_factory=list)
    parts: tuple[str, ...] = ()
    before: Callable[[Path, SteppedClock], None] = nothing
    between: Callable[[Path, SteppedClock], None] = nothing
    opened_at: int = OPENED_AT
    ends_at: int = ENDS_AT

    def begin(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "brief.toml").write_text(self.brief, encoding="utf-8")
        for name, frame in self.files.items():
            frame.write_parquet(folder / f"{name}.parquet")
        for name, known_at in self.times.items():
            known = self.frames[name].filter(pl.col(known_at).to_physical() <= self.opened_at)
            known.write_parquet(folder / f"{name}.parquet")
        return folder

    def rows(self) -> list[Delivery]:
        """Give what comes: some late, some again, some in another order."""
        named = [name for name in self.times if f"[source.{name}]" in self.brief]
        came = [
            each
            for name in named
            for each in deliveries(name, self.frames[name], known_at=self.times[name], after=self.opened_at)
        ]
        late = [0, 0, 0, 0, HOUR, 0, 7 * HOUR, 0, 0, 30 * HOUR]
        came = [
            Delivery(each.at + late[place % 10], each.source, each.row) for place, each in enumerate(came)
        ]
        came += [Delivery(each.at + HOUR // 2, each.source, each.row) for each in came[::9]]
        came += self.more
        return sorted((each for each in came if each.at < self.ends_at), key=lambda each: each.at)


def served(
    root: Path,
    clock: SteppedClock,
    rows: list[Delivery],
    *,
    together: int = 5,
    keep_up: bool = True,
    parts: tuple[str, ...] = (),
) -> Running:
    """Serve for a while.

    Parameters
    ----------
    together
        So many rows come at one instant.
    keep_up
        Whether cycles are done before more comes.
    parts
        See :class:`Running`.
    """
    with over_http(root, clock) as running, ThreadPoolExecutor(3) as pool:
        running.parts = parts
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            running.step_to(batch[-1].at)
            if keep_up:
                running.settle()
            running.send(batch, pool)
        running.settle()
    assert not running.told
    return running
