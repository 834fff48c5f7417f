"""Bookings of a hotel, some of which are given up: a clean world that nobody tunes on.

As an old system exports it, with names of columns that say little. What looks like trouble and is none: rates
that are round, a deposit that follows the rate, one agent for a third of the bookings, tabs with a heavy tail
that are posted in lumps after midnight, rooms that are rare, guests who don't tell their birthday.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.testing.troubles_drawing import (
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
    weekday,
    without,
)

ROOMS: Final = {"STD": 48, "SUP": 27, "DLX": 14, "FAM": 7.5, "STE": 3, "ACC": 0.5}
AGENTS: Final = {
    "Reisebüro Süd": 34,
    "direct": 26,
    "Séjour": 12,
    "Señor Viaje": 9,
    "Blå Tur": 6,
    "Nordwind": 8,
    "Alpenglühn": 3,
    "Cestovka Brno": 2,
}
POINTS: Final = {"BAR": 44, "SPA": 18, "RST": 30, "LDY": 7, "GLF": 0.8}

BRIEF: Final = """\
format = 1

[brief]
name = "stays"
question = "Which bookings will be given up?"
decision = "Sell the room twice"

[case]
source = "bookings"
decide_at = "crt + 1d"

[outcome]
kind = "binary"
classes = ["gone", "came"]
positive = "gone"
source = "stays"
truth = "case when cx > 0 then 'gone' else 'came' end"
matures = "30d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]
sell = { gone = "0.7 * rt", came = -120 }
pass = { gone = 0, came = 0 }

[success]
gain_over_status_quo = { per_case = 0.5 }

[source.bookings]
read = "bookings.parquet"
key = "bk"
happened_at = "crt"
known_at = "rec"

[source.stays]
read = "stays.parquet"
key = "bk"
happened_at = "fin"
known_at = "rec"

[source.tabs]
read = "tabs.parquet"
key = "tb"
happened_at = "ts"
known_at = "rec"

[source.guests]
read = "guests.parquet"
key = "gst"
static = true

[feature]
rm = { column = "rm" }
rt = { column = "rt" }
dep = { column = "dep" }
occ = { column = "occ" }
agt = { column = "agt" }
lead = { column = "lead" }
tab_60d = { sum = "amt", of = "tabs", by = "gst", over = "60d" }
point = { latest = "tabs.pt", by = "gst" }
home = { latest = "tabs.hm", by = "gst" }
lvl = { lookup = "guests.lvl", by = "gst" }
dob = { lookup = "guests.dob", by = "gst" }
reg = { lookup = "guests.reg", by = "gst" }

[policy.refit]
first = "60d"
when = "every 30d"
"""

BUSINESS: Final = World(
    template="stays",
    brief=BRIEF,
    frames={},
    case="bookings",
    outcome="stays",
    event="tabs",
    static="guests",
    keys={"bookings": "bk", "stays": "bk", "tabs": "tb", "guests": "gst"},
    times={"bookings": ("crt", "rec"), "stays": ("fin", "rec"), "tabs": ("ts", "rec")},
    reference="gst",
    hit=("cx", 0.0),
    places=places(
        {
            "bookings": {
                "rm": "category",
                "rt": "amount",
                "dep": "amount",
                "occ": "share",
                "agt": "name",
                "gst": "reference",
            },
            "tabs": {"amt": "amount", "pt": "category", "hm": "fixed", "gst": "reference"},
            "guests": {"dob": "date", "reg": "date", "lvl": "category"},
        },
        calculated=("rt", "amt"),
    ),
    pairs=(("bookings", "rt", "dep"), ("bookings", "rm", "agt"), ("guests", "reg", "dob")),
)


def draw(dice: Generator, rows: int) -> dict[str, pl.DataFrame]:
    """Draw the rows of the sources."""
    guest = np.arange(5_000, 5_000 + rows // 7)
    cases, outcomes = _bookings(dice, chosen(dice, guest, count=rows))
    born = dates(dice, len(guest), first="1938-01-01", last="2001-12-31")
    return {
        "bookings": corrected(dice, cases, known="rec", column="dep"),
        "stays": known_by_the_end(outcomes, "rec"),
        "tabs": known_by_the_end(_tabs(dice, guest, rows), "rec"),
        "guests": pl.DataFrame(
            {
                "gst": guest,
                "dob": without(dice, born, share=0.25),
                "reg": dates(dice, len(guest), first="2011-01-01", last="2023-06-30"),
                "lvl": pick(dice, {"A": 66, "B": 24, "C": 8, "VIP": 2}, count=len(guest)),
            }
        ),
    }


def _bookings(dice: Generator, guest: Integers) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = len(guest)
    created = stamps(dice, Rhythm(hour=15, spread_h=5, weekend=0.8, growth=0.2, season=0.25), count=rows)
    room = pick(dice, ROOMS, count=rows)
    rate = np.round(amounts(dice, np.where(room == "STE", 320.0, 110.0), sigma=0.35, count=rows), 0)
    deposit = np.round(rate * dice.uniform(0.15, 0.6, rows), 2)
    lead = np.minimum(1 + dice.geometric(0.09, rows), 120)
    full = np.round(dice.beta(6, 3, rows), 3)
    risk = 0.03 * (lead - 11) - 1.8 * (deposit / rate - 0.35) + 0.3 * (weekday(created) == 6)
    gone = dice.random(rows) < chance_of(risk + 0.2 * age(created) - 1.5)
    finished = created + lead.astype("timedelta64[D]")
    key = [f"{number:07d}/H" for number in 31 * np.arange(rows) + 118]
    cases = {
        "bk": key,
        "gst": guest,
        "crt": created,
        "rec": after(dice, created, median_h=0.2, sigma=1.0),
        "rm": room,
        "rt": rate,
        "dep": without(dice, deposit, share=0.05),
        "occ": full,
        "agt": pick(dice, AGENTS, count=rows),
        "lead": lead,
    }
    outcomes = {
        "bk": key,
        "fin": finished,
        "rec": after(dice, finished, median_h=10.0, sigma=0.8),
        "cx": np.where(gone, np.round(rate * dice.uniform(0.2, 0.9, rows), 2), 0.0),
    }
    return frame_of(cases, ["crt", "rec"]), frame_of(outcomes, ["fin", "rec"])


def _tabs(dice: Generator, guests: Integers, rows: int) -> pl.DataFrame:
    """Draw tabs; those of a day are posted in the night after, in three runs."""
    at = stamps(dice, Rhythm(hour=20, spread_h=3, weekend=1.2, growth=0.2, season=0.25), count=rows)
    who = chosen(dice, guests, count=rows)
    homes = dice.choice(["AT", "DE", "CH", "IT", "CZ", "FR", "SE"], len(guests))
    runs = np.timedelta64(25, "h") + 40 * dice.integers(0, 3, rows) * np.timedelta64(60, "s")
    events = {
        "tb": 620_000 + np.arange(rows),
        "gst": who,
        "ts": at,
        "rec": at.astype("datetime64[D]").astype("datetime64[us]") + runs,
        "amt": amounts(dice, 24.0, sigma=0.95, count=rows),
        "pt": pick(dice, POINTS, count=rows),
        "hm": homes[who - guests[0]],
    }
    return frame_of(events, ["ts", "rec"])
