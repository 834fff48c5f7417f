"""Parcels that are booked, sent, and delivered in time or not: a clean world.

What looks like trouble and is none: no work at Christmas and little at weekends, a rare service, a worth
that is often missing for returns, customers who move house, reports with a tail, worths corrected later.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.testing.troubles_drawing import (
    CHRISTMAS,
    CITIES,
    Integers,
    Rhythm,
    World,
    after,
    age,
    amounts,
    chosen,
    corrected,
    dates,
    frame_of,
    known_by_the_end,
    pick,
    places,
    post_codes,
    stamps,
    weekday,
    without,
)

SERVICES: Final = {"standard": 55, "express": 22, "economy": 15, "bulky": 5, "return": 2.3, "cold": 0.5}

BRIEF: Final = """\
\
format = 1

[brief]
name = "parcels"
question = "Which parcels will be delivered more than twelve hours late?"
decision = "Send them by express"

[case]
source = "parcels"
decide_at = "sent_at - 1h"

[outcome]
kind = "binary"
classes = ["late", "on_time"]
positive = "late"
source = "deliveries"
truth = "case when delay_h > 12 then 'late' else 'on_time' end"
matures = "5d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]
express = { late = 8, on_time = -3 }
pass = { late = 0, on_time = 0 }

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

[source.pickups]
read = "pickups.parquet"
key = "pickup_id"
happened_at = "picked_at"
known_at = "noted_at"

[source.customers]
read = "customers.parquet"
key = "customer_id"
static = true

[feature]
service = { column = "service" }
weight_kg = { column = "weight_kg" }
length_cm = { column = "length_cm" }
width_cm = { column = "width_cm" }
worth_eur = { column = "worth_eur" }
origin_city = { column = "origin_city" }
hour = { expression = "local_hour(sent_at)" }
volume_7d = { sum = "volume_l", of = "pickups", by = "customer_id", over = "7d" }
home = { latest = "pickups.home_post_code", by = "customer_id" }
segment = { lookup = "customers.segment", by = "customer_id" }
since_on = { lookup = "customers.since_on", by = "customer_id" }
limit_eur = { lookup = "customers.limit_eur", by = "customer_id" }

[success]
gain_over_status_quo = { per_case = 0.5 }

[policy.refit]
first = "60d"
when = "every 30d"
"""

BUSINESS: Final = World(
    template="parcels",
    brief=BRIEF,
    frames={},
    case="parcels",
    outcome="deliveries",
    event="pickups",
    static="customers",
    keys={
        "parcels": "parcel_id",
        "deliveries": "parcel_id",
        "pickups": "pickup_id",
        "customers": "customer_id",
    },
    times={
        "parcels": ("sent_at", "booked_at"),
        "deliveries": ("delivered_at", "reported_at"),
        "pickups": ("picked_at", "noted_at"),
    },
    reference="customer_id",
    hit=("delay_h", 12.0),
    places=places(
        {
            "parcels": {
                "service": "category",
                "weight_kg": "amount",
                "length_cm": "amount",
                "width_cm": "amount",
                "worth_eur": "amount",
                "origin_city": "name",
                "customer_id": "reference",
            },
            "pickups": {
                "volume_l": "amount",
                "home_post_code": "fixed",
                "customer_id": "reference",
            },
            "customers": {"since_on": "date", "segment": "category"},
        },
        calculated=("volume_l",),
    ),
    pairs=(("parcels", "length_cm", "width_cm"), ("parcels", "service", "origin_city")),
)


def draw(dice: Generator, rows: int) -> dict[str, pl.DataFrame]:
    """Draw the rows of the sources."""
    customer = np.arange(1_001, 1_001 + rows // 10)
    cases, outcomes = _parcels(dice, chosen(dice, customer, count=rows))
    return {
        "parcels": corrected(dice, cases, known="booked_at", column="worth_eur"),
        "deliveries": known_by_the_end(outcomes, "reported_at"),
        "pickups": known_by_the_end(_pickups(dice, customer, rows), "noted_at"),
        "customers": pl.DataFrame(
            {
                "customer_id": customer,
                "since_on": dates(dice, len(customer), first="2009-03-01", last="2023-06-30"),
                "segment": pick(
                    dice, {"private": 60, "trade": 28, "public": 10, "partner": 2}, count=len(customer)
                ),
                "limit_eur": dice.choice(
                    [100.0, 250.0, 500.0, 1000.0], len(customer), p=[0.4, 0.3, 0.2, 0.1]
                ),
            }
        ),
    }


def _parcels(dice: Generator, customer: Integers) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = len(customer)
    sent = stamps(dice, Rhythm(hour=14, spread_h=3, weekend=0.3, closed=CHRISTMAS), count=rows)
    service = pick(dice, SERVICES, count=rows)
    weight = amounts(dice, np.where(service == "bulky", 14.0, 2.4), sigma=0.8, count=rows)
    length = amounts(dice, 22 * (1 + weight) ** 0.3, sigma=0.25, count=rows, digits=0)
    width = np.ceil(length * dice.uniform(0.35, 0.95, rows))
    slow = 0.25 * (service == "economy") - 0.4 * (service == "express") + 0.1 * (weekday(sent) == 4)
    mean = slow + 0.08 * np.log(weight) + 0.05 * age(sent) - 0.08
    took = 40 * np.exp(dice.normal(mean, 0.35))
    delivered = sent + (took * 3_600).astype("timedelta64[s]")
    worth = amounts(dice, 45.0, sigma=1.1, count=rows)
    key = 500_001 + np.arange(rows)
    cases = {
        "parcel_id": key,
        "booked_at": sent - dice.integers(0, 72 * 60, rows).astype("timedelta64[m]"),
        "sent_at": sent,
        "customer_id": customer,
        "service": service,
        "weight_kg": weight,
        "length_cm": length,
        "width_cm": width,
        "worth_eur": without(dice, worth, share=np.where(service == "return", 0.6, 0.08)),
        "origin_city": pick(dice, CITIES, count=rows),
    }
    outcomes = {
        "parcel_id": key,
        "delivered_at": delivered,
        "reported_at": after(dice, delivered, median_h=3.0, sigma=1.0),
        "delay_h": (took - 40).round(2),
    }
    return frame_of(cases, ["booked_at", "sent_at"]), frame_of(outcomes, ["delivered_at", "reported_at"])


def _pickups(dice: Generator, customers: Integers, rows: int) -> pl.DataFrame:
    """Draw pickups; a few customers move house during the span."""
    picked = stamps(dice, Rhythm(hour=10, spread_h=2, weekend=0.2, closed=CHRISTMAS), count=rows)
    who = chosen(dice, customers, count=rows)
    place = who - customers[0]
    before, since = post_codes(dice, len(customers)), post_codes(dice, len(customers))
    moves = np.where(dice.random(len(customers)) < 0.02, dice.random(len(customers)), 1.0)
    events = {
        "pickup_id": [f"P{number:06d}" for number in range(rows)],
        "customer_id": who,
        "picked_at": picked,
        "noted_at": after(dice, picked, median_h=2.0),
        "bags": 1 + dice.poisson(1.3, rows),
        "volume_l": amounts(dice, 60.0, sigma=0.6, count=rows, digits=1),
        "home_post_code": np.where(age(picked) < moves[place], before[place], since[place]),
    }
    return frame_of(events, ["picked_at", "noted_at"])
