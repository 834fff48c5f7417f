"""Orders of a shop, some of which come back: a clean world.

What looks like trouble and is none: list prices, taxes that make gross follow net, vouchers that are mostly
zero, visits with a heavy tail, an app that slowly takes over, a birthday that not all tell, a rate of
returns with a week.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.testing.troubles_drawing import (
    CITIES,
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
    post_codes,
    stamps,
    weekday,
    without,
)

PRICES: Final = (9.9, 14.9, 19.9, 29.9, 39.9, 59.9, 89.9, 129.0)
EVENINGS: Final = Rhythm(hour=19, spread_h=4, weekend=1.3, growth=0.3, season=0.2)

BRIEF: Final = """\
\
format = 1

[brief]
name = "orders"
question = "Which orders will come back?"
decision = "Call the customer before the parcel is packed"

[case]
source = "orders"
decide_at = "ordered_at + 12h"

[outcome]
kind = "binary"
classes = ["returned", "kept"]
positive = "returned"
source = "returns"
truth = "case when refund_eur > 0 then 'returned' else 'kept' end"
matures = "25d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]
call = { returned = "0.1 * net_eur - 2", kept = -2 }
pass = { returned = 0, kept = 0 }

[source.orders]
read = "orders.parquet"
key = "order_id"
happened_at = "ordered_at"
known_at = "stored_at"

[source.returns]
read = "returns.parquet"
key = "order_id"
happened_at = "closed_at"
known_at = "reported_at"

[source.visits]
read = "visits.parquet"
key = "visit_id"
happened_at = "visited_at"
known_at = "logged_at"

[source.customers]
read = "customers.parquet"
key = "customer_id"
static = true

[feature]
channel = { column = "channel" }
items = { column = "items" }
net_eur = { column = "net_eur" }
gross_eur = { column = "gross_eur" }
voucher_share = { column = "voucher_share" }
ship_city = { column = "ship_city" }
seconds_30d = { sum = "seconds", of = "visits", by = "customer_id", over = "30d" }
device = { latest = "visits.device", by = "customer_id" }
post_code = { latest = "visits.post_code", by = "customer_id" }
tier = { lookup = "customers.tier", by = "customer_id" }
born_on = { lookup = "customers.born_on", by = "customer_id" }
joined_on = { lookup = "customers.joined_on", by = "customer_id" }

[success]
gain_over_status_quo = { per_case = 0.5 }

[policy.refit]
first = "60d"
when = "every 30d"
"""

BUSINESS: Final = World(
    template="orders",
    brief=BRIEF,
    frames={},
    case="orders",
    outcome="returns",
    event="visits",
    static="customers",
    keys={"orders": "order_id", "returns": "order_id", "visits": "visit_id", "customers": "customer_id"},
    times={
        "orders": ("ordered_at", "stored_at"),
        "returns": ("closed_at", "reported_at"),
        "visits": ("visited_at", "logged_at"),
    },
    reference="customer_id",
    hit=("refund_eur", 0.0),
    places=places(
        {
            "orders": {
                "channel": "category",
                "net_eur": "amount",
                "gross_eur": "amount",
                "ship_city": "name",
                "customer_id": "reference",
                "voucher_share": "share",
            },
            "visits": {
                "seconds": "amount",
                "device": "category",
                "post_code": "fixed",
                "customer_id": "reference",
            },
            "customers": {"joined_on": "date", "born_on": "date", "tier": "category"},
        },
        calculated=("net_eur", "seconds"),
    ),
    pairs=(
        ("orders", "gross_eur", "net_eur"),
        ("orders", "channel", "ship_city"),
        ("customers", "joined_on", "born_on"),
    ),
)


def draw(dice: Generator, rows: int) -> dict[str, pl.DataFrame]:
    """Draw the rows of the sources."""
    customer = np.arange(70_001, 70_001 + rows // 8)
    cases, outcomes = _orders(dice, chosen(dice, customer, count=rows))
    born = dates(dice, len(customer), first="1941-01-01", last="1999-12-31")
    return {
        "orders": corrected(dice, cases, known="stored_at", column="gross_eur"),
        "returns": known_by_the_end(outcomes, "reported_at"),
        "visits": known_by_the_end(_visits(dice, customer, rows), "logged_at"),
        "customers": pl.DataFrame(
            {
                "customer_id": customer,
                "joined_on": dates(dice, len(customer), first="2015-05-01", last="2023-06-30"),
                "born_on": without(dice, born, share=0.12),
                "tier": pick(dice, {"basic": 70, "silver": 22, "gold": 7, "staff": 1}, count=len(customer)),
            }
        ),
    }


def _orders(dice: Generator, customer: Integers) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = len(customer)
    ordered = stamps(dice, EVENINGS, count=rows)
    channel = pick(dice, {"web": 55, "app": 30, "phone": 9, "shop": 5, "fair": 0.6}, count=rows)
    channel = np.where((channel == "web") & (dice.random(rows) < 0.2 * age(ordered)), "app", channel)
    items = 1 + dice.poisson(1.4, rows)
    price = dice.choice(PRICES, rows, p=[0.12, 0.16, 0.2, 0.18, 0.14, 0.1, 0.06, 0.04])
    net = np.round(price * items * dice.uniform(0.8, 1.0, rows), 2)
    tax = dice.choice([1.07, 1.1, 1.2], rows, p=[0.2, 0.2, 0.6])
    gross = np.round(net * tax + dice.choice([0.0, 4.9, 9.9], rows, p=[0.5, 0.4, 0.1]), 2)
    voucher = np.where(dice.random(rows) < 0.85, 0.0, np.round(dice.beta(2, 6, rows), 2))
    risk = -1.6 + 0.35 * np.log(net / 40) + 0.5 * (channel == "app") - 0.5 * (channel == "shop") - voucher
    back = dice.random(rows) < chance_of(risk + 0.2 * (weekday(ordered) >= 5))
    closed = ordered + np.timedelta64(20, "D") + dice.integers(0, 86_400, rows).astype("timedelta64[s]")
    key = 1_200_000 + np.arange(rows)
    cases = {
        "order_id": key,
        "customer_id": customer,
        "ordered_at": ordered,
        "stored_at": after(dice, ordered, median_h=0.03),
        "channel": channel,
        "items": items,
        "net_eur": net,
        "gross_eur": gross,
        "voucher_share": voucher,
        "ship_city": pick(dice, CITIES, count=rows),
    }
    outcomes = {
        "order_id": key,
        "closed_at": closed,
        "reported_at": after(dice, closed, median_h=12.0, sigma=0.9),
        "refund_eur": np.where(back, np.round(net * dice.uniform(0.3, 1.0, rows), 2), 0.0),
    }
    return frame_of(cases, ["ordered_at", "stored_at"]), frame_of(outcomes, ["closed_at", "reported_at"])


def _visits(dice: Generator, customers: Integers, rows: int) -> pl.DataFrame:
    visited = stamps(dice, EVENINGS, count=rows)
    who = chosen(dice, customers, count=rows)
    codes = post_codes(dice, len(customers))
    events = {
        "visit_id": [f"v-{number * 7_919:08x}" for number in range(rows)],
        "customer_id": who,
        "visited_at": visited,
        "logged_at": after(dice, visited, median_h=0.5, sigma=1.1),
        "seconds": amounts(dice, 95.0, sigma=1.2, count=rows, digits=0),
        "device": pick(dice, {"phone": 58, "laptop": 30, "tablet": 10, "tv": 1}, count=rows),
        "post_code": codes[who - customers[0]],
    }
    return frame_of(events, ["visited_at", "logged_at"])
