"""Shifts of machines that run through or stop: a clean world.

What looks like trouble and is none: standing times that are mostly zero, powers that repeat, an air that
follows the season and an oil that follows the air, cleaning without a vibration, one model per machine.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.testing.troubles_drawing import (
    DAYS,
    NAMES,
    Integers,
    Rhythm,
    World,
    after,
    age,
    amounts,
    chance_of,
    chosen,
    corrected,
    dates,
    frame_of,
    known_by_the_end,
    pick,
    places,
    stamps,
    without,
)

PROGRAMS: Final = {
    "milling": 40,
    "drilling": 25,
    "turning": 20,
    "polishing": 9,
    "cleaning": 4,
    "trial": 0.6,
}
ALL_DAY: Final = Rhythm(spread_h=0, weekend=0.7, growth=0.05, season=0.0)

BRIEF: Final = """\
\
format = 1

[brief]
name = "machines"
question = "Which machines will stand still for more than twenty minutes in this shift?"
decision = "Send a mechanic before they do"

[case]
source = "shifts"
decide_at = "started_at + 1h"

[outcome]
kind = "binary"
classes = ["stop", "run"]
positive = "stop"
source = "stops"
truth = "case when downtime_min > 20 then 'stop' else 'run' end"
matures = "2d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]
inspect = { stop = 90, run = -25 }
pass = { stop = 0, run = 0 }

[source.shifts]
read = "shifts.parquet"
key = "shift_id"
happened_at = "started_at"
known_at = "logged_at"

[source.stops]
read = "stops.parquet"
key = "shift_id"
happened_at = "ended_at"
known_at = "confirmed_at"

[source.readings]
read = "readings.parquet"
key = "reading_id"
happened_at = "read_at"
known_at = "sent_at"

[source.machines]
read = "machines.parquet"
key = "machine_id"
static = true

[feature]
program = { column = "program" }
load = { column = "load" }
vibration_mm_s = { column = "vibration_mm_s" }
oil_temp_c = { column = "oil_temp_c" }
air_temp_c = { column = "air_temp_c" }
operator = { column = "operator" }
power_1d = { mean = "power_kwh", of = "readings", by = "machine_id", over = "1d" }
pressure_1d = { std = "pressure_bar", of = "readings", by = "machine_id", over = "1d" }
model = { latest = "readings.model", by = "machine_id" }
hall = { lookup = "machines.hall", by = "machine_id" }
built_on = { lookup = "machines.built_on", by = "machine_id" }
rated_kw = { lookup = "machines.rated_kw", by = "machine_id" }

[success]
gain_over_status_quo = { per_case = 0.5 }

[policy.refit]
first = "60d"
when = "every 30d"
"""

BUSINESS: Final = World(
    template="machines",
    brief=BRIEF,
    frames={},
    case="shifts",
    outcome="stops",
    event="readings",
    static="machines",
    keys={"shifts": "shift_id", "stops": "shift_id", "readings": "reading_id", "machines": "machine_id"},
    times={
        "shifts": ("started_at", "logged_at"),
        "stops": ("ended_at", "confirmed_at"),
        "readings": ("read_at", "sent_at"),
    },
    reference="machine_id",
    hit=("downtime_min", 20.0),
    places=places(
        {
            "shifts": {
                "program": "category",
                "load": "share",
                "vibration_mm_s": "amount",
                "oil_temp_c": "measure",
                "air_temp_c": "measure",
                "operator": "name",
                "machine_id": "reference",
            },
            "readings": {
                "pressure_bar": "measure",
                "power_kwh": "amount",
                "model": "fixed",
                "machine_id": "reference",
            },
            "machines": {"built_on": "date", "hall": "category"},
        },
        calculated=("power_kwh", "pressure_bar"),
    ),
    pairs=(("shifts", "oil_temp_c", "air_temp_c"), ("shifts", "program", "operator")),
)


def draw(dice: Generator, rows: int) -> dict[str, pl.DataFrame]:
    """Draw the rows of the sources."""
    machine = np.arange(1, 1 + rows // 50)
    cases, outcomes = _shifts(dice, chosen(dice, machine, count=rows))
    return {
        "shifts": corrected(dice, cases, known="logged_at", column="oil_temp_c"),
        "stops": known_by_the_end(outcomes, "confirmed_at"),
        "readings": known_by_the_end(_readings(dice, machine, rows), "sent_at"),
        "machines": pl.DataFrame(
            {
                "machine_id": machine,
                "built_on": dates(dice, len(machine), first="2004-01-01", last="2022-12-31"),
                "hall": pick(dice, {"north": 40, "south": 35, "east": 20, "annex": 5}, count=len(machine)),
                "rated_kw": dice.choice([7.5, 11.0, 15.0, 22.0], len(machine)),
            }
        ),
    }


def _shifts(dice: Generator, machine: Integers) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = len(machine)
    start = stamps(dice, ALL_DAY, count=rows)
    program = pick(dice, PROGRAMS, count=rows)
    load = np.round(dice.beta(5, 2, rows), 3)
    air = np.round(19 + 7 * np.sin(2 * np.pi * (age(start) * DAYS / 365)) + dice.normal(0, 3, rows), 1)
    oil = np.round(46 + 0.6 * air + 14 * load + dice.normal(0, 3, rows), 1)
    shaking = amounts(dice, 1.2 + 1.5 * load, sigma=0.35, count=rows, digits=3)
    risk = -2.6 + 0.5 * shaking + 0.03 * (oil - 60) + 0.4 * (program == "milling")
    stops = dice.random(rows) < chance_of(risk)
    ended = start + np.timedelta64(8, "h")
    down = amounts(dice, 55.0, sigma=0.7, count=rows, digits=0) + 5
    key = [f"S{number:07d}" for number in range(rows)]
    cases = {
        "shift_id": key,
        "machine_id": machine,
        "started_at": start,
        "logged_at": after(dice, start, median_h=0.05, sigma=0.8),
        "program": program,
        "load": load,
        "vibration_mm_s": without(dice, shaking, share=np.where(program == "cleaning", 0.5, 0.03)),
        "oil_temp_c": oil,
        "air_temp_c": air,
        "operator": pick(dice, NAMES, count=rows),
    }
    outcomes = {
        "shift_id": key,
        "ended_at": ended,
        "confirmed_at": after(dice, ended, median_h=6.0, sigma=0.9),
        "downtime_min": np.where(stops, down, 0.0),
    }
    return frame_of(cases, ["started_at", "logged_at"]), frame_of(outcomes, ["ended_at", "confirmed_at"])


def _readings(dice: Generator, machines: Integers, rows: int) -> pl.DataFrame:
    read = stamps(dice, ALL_DAY, count=rows)
    which = chosen(dice, machines, count=rows)
    models = dice.choice(["LX-200", "LX-300", "KR-7", "KR-9", "V8"], len(machines))
    events = {
        "reading_id": 9_000_000 + np.arange(rows),
        "machine_id": which,
        "read_at": read,
        "sent_at": after(dice, read, median_h=0.02),
        "pressure_bar": dice.normal(6.2, 0.5, rows).round(2),
        "power_kwh": amounts(dice, 9.0, sigma=0.5, count=rows),
        "model": models[which - machines[0]],
    }
    return frame_of(events, ["read_at", "sent_at"])
