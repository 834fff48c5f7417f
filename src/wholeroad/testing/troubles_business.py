"""Four clean businesses: parcels, machines, a shop's orders, loans.

Nothing in them is wrong, but much looks as if it were: volumes with a week's and a day's rhythm, closed at
Christmas; rare categories; amounts with heavy tails, amounts that are mostly zero, amounts that are round, list
prices that repeat; numbers that are categories; columns that go together without saying the same; values that are
missing by chance or by a covariate; reports that come late with a tail; the last cases without an outcome;
rows that are corrected a little, later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.random import Generator

from wholeroad.testing.troubles_briefs import LOANS, MACHINES, ORDERS, PARCELS
from wholeroad.testing.troubles_drawing import (
    CHRISTMAS,
    DAYS,
    START,
    Floats,
    Integers,
    Place,
    Rhythm,
    Stamps,
    World,
    after,
    amounts,
    chance_of,
    chosen,
    dates,
    frame_of,
    known_by_the_end,
    pick,
    stamps,
    without,
)

CITIES: Final = {
    "Wien": 20, "Graz": 9, "Linz": 8, "Sankt Pölten": 7, "München": 12, "Nürnberg": 8, "Zürich": 10, "Köln": 9,
    "Málaga": 4, "Besançon": 3, "Göteborg": 3, "Brno": 6, "Győr": 2, "Ålesund": 0.4,
}  # fmt: skip
NAMES: Final = {
    "Jürgen Weiß": 9, "María Peña": 8, "Zoë Brandt": 7, "Anna Huber": 9, "Søren Lund": 6, "Petra Novak": 7,
    "François Petit": 5, "Karl Maier": 8, "Łukasz Nowak": 4, "Eva Groß": 6,
}  # fmt: skip


def _age(at: Stamps) -> Floats:
    """Give the place in the span, 0 to 1."""
    return np.asarray((at - START) / np.timedelta64(DAYS, "D"))


def _weekday(at: Stamps) -> Integers:
    return np.asarray(((at - START) // np.timedelta64(1, "D")).astype(np.int64) % 7)


def _post_codes(dice: Generator, count: int) -> list[str]:
    return [f"{code:05d}" for code in dice.choice(np.arange(1_060, 99_000, 7), count)]


def _corrected(
    dice: Generator, frame: pl.DataFrame, *, known: str, column: str, share: float = 0.02
) -> pl.DataFrame:
    """Add later versions of a few rows, in which one number is a little different, as after weighing again."""
    some = pl.Series(dice.random(frame.height) < share)
    again = frame.filter(some & frame[column].is_not_null())
    factor, hours = dice.normal(1.0, 0.03, again.height), dice.integers(24, 96, again.height)
    later = again.with_columns(
        (pl.col(column) * pl.Series(factor)).round(2),
        pl.col(known) + pl.duration(hours=pl.Series(hours)),
    )
    return known_by_the_end(pl.concat([frame, later]), known)


def _places(words: Mapping[str, Mapping[str, Any]], calculated: tuple[str, ...]) -> tuple[Place, ...]:
    return tuple(
        Place(source, column, nature, calculated=column in calculated)
        for source, columns in words.items()
        for column, nature in columns.items()
    )


def parcels(dice: Generator, rows: int) -> World:
    """Parcels that are booked, sent, and delivered in time or not."""
    customer = np.arange(1_001, 1_001 + rows // 10)
    codes = np.array(_post_codes(dice, len(customer)))
    sent = stamps(dice, rows, Rhythm(hour=14, spread_h=3, weekend=0.3, closed=CHRISTMAS))
    who = chosen(dice, customer, rows)
    service = pick(
        dice, {"standard": 55, "express": 22, "economy": 15, "bulky": 5, "return": 2.3, "cold": 0.5}, rows
    )
    weight = amounts(dice, np.where(service == "bulky", 14.0, 2.4), sigma=0.8, count=rows)
    length = amounts(dice, 22 * (1 + weight) ** 0.3, sigma=0.25, count=rows, digits=0)
    width = np.ceil(length * dice.uniform(0.35, 0.95, rows))
    city = pick(dice, CITIES, rows)
    slow = 0.5 * (service == "economy") - 0.9 * (service == "express") + 0.35 * (_weekday(sent) == 4)
    delay = np.clip(dice.gumbel(-6 + 6 * slow + 1.2 * np.log(weight) + 2 * _age(sent), 14.0), -20, None)
    delivered = sent + ((40 + delay) * 3_600).astype("timedelta64[s]")
    booked = sent - dice.integers(0, 72 * 60, rows).astype("timedelta64[m]")
    worth = without(dice, amounts(dice, 45.0, sigma=1.1, count=rows), np.where(service == "return", 0.6, 0.08))
    picked = stamps(dice, rows, Rhythm(hour=10, spread_h=2, weekend=0.2, closed=CHRISTMAS))
    picker = chosen(dice, customer, rows)
    key = np.arange(rows)
    cases = frame_of(
        {
            "parcel_id": 500_001 + key, "booked_at": booked, "sent_at": sent, "customer_id": who,
            "service": service, "weight_kg": weight, "length_cm": length, "width_cm": width,
            "worth_eur": worth, "origin_city": city,
        },
        ["booked_at", "sent_at"],
    )  # fmt: skip
    outcomes = frame_of(
        {
            "parcel_id": 500_001 + key, "delivered_at": delivered,
            "reported_at": after(dice, delivered, median_h=3.0, sigma=1.0), "delay_h": delay.round(2),
        },
        ["delivered_at", "reported_at"],
    )  # fmt: skip
    events = frame_of(
        {
            "pickup_id": [f"P{number:06d}" for number in key], "customer_id": picker, "picked_at": picked,
            "noted_at": after(dice, picked, median_h=2.0), "bags": 1 + dice.poisson(1.3, rows),
            "volume_l": amounts(dice, 60.0, sigma=0.6, count=rows, digits=1),
            "home_post_code": codes[picker - customer[0]],
        },
        ["picked_at", "noted_at"],
    )  # fmt: skip
    static = pl.DataFrame(
        {
            "customer_id": customer,
            "since_on": dates(dice, len(customer), first="2009-03-01", last="2023-06-30"),
            "segment": pick(dice, {"private": 60, "trade": 28, "public": 10, "partner": 2}, len(customer)),
            "limit_eur": dice.choice([100.0, 250.0, 500.0, 1000.0], len(customer), p=[0.4, 0.3, 0.2, 0.1]),
        }
    )
    return World(
        template="parcels",
        brief=PARCELS,
        frames={
            "parcels": _corrected(dice, cases, known="booked_at", column="worth_eur"),
            "deliveries": known_by_the_end(outcomes, "reported_at"),
            "pickups": known_by_the_end(events, "noted_at"),
            "customers": static,
        },
        case="parcels", outcome="deliveries", event="pickups", static="customers",
        keys={
            "parcels": "parcel_id", "deliveries": "parcel_id", "pickups": "pickup_id",
            "customers": "customer_id",
        },
        times={
            "parcels": ("sent_at", "booked_at"), "deliveries": ("delivered_at", "reported_at"),
            "pickups": ("picked_at", "noted_at"),
        },
        reference="customer_id",
        hit=("delay_h", 12.0),
        places=_places(
            {
                "parcels": {
                    "service": "category", "weight_kg": "amount", "length_cm": "amount", "width_cm": "amount",
                    "worth_eur": "amount", "origin_city": "name", "customer_id": "reference",
                },
                "pickups": {
                    "volume_l": "amount", "home_post_code": "fixed", "customer_id": "reference",
                },
                "customers": {"since_on": "date", "segment": "category"},
            },
            ("volume_l",),
        ),
        pairs=(("parcels", "length_cm", "width_cm"), ("parcels", "service", "origin_city")),
    )  # fmt: skip


def machines(dice: Generator, rows: int) -> World:
    """Shifts of machines that run through or stop."""
    machine = np.arange(1, 1 + rows // 50)
    key = np.arange(rows)
    models = np.array(["LX-200", "LX-300", "KR-7", "KR-9", "V8"])[dice.integers(0, 5, len(machine))]
    start = stamps(dice, rows, Rhythm(spread_h=0, weekend=0.7, growth=0.05, season=0.0))
    which = chosen(dice, machine, rows)
    program = pick(
        dice, {"milling": 40, "drilling": 25, "turning": 20, "polishing": 9, "cleaning": 4, "trial": 0.6}, rows
    )
    load = np.round(dice.beta(5, 2, rows), 3)
    air = np.round(19 + 7 * np.sin(2 * np.pi * (_age(start) * DAYS / 365)) + dice.normal(0, 3, rows), 1)
    oil = np.round(46 + 0.6 * air + 14 * load + dice.normal(0, 3, rows), 1)
    shaking = amounts(dice, 1.2 + 1.5 * load, sigma=0.35, count=rows, digits=3)
    risk = -2.6 + 0.5 * shaking + 0.03 * (oil - 60) + 0.4 * (program == "milling")
    stops = dice.random(rows) < chance_of(risk)
    ended = start + np.timedelta64(8, "h")
    down = np.where(stops, amounts(dice, 55.0, sigma=0.7, count=rows, digits=0) + 5, 0.0)
    read = stamps(dice, rows, Rhythm(spread_h=0, weekend=0.7, growth=0.05, season=0.0))
    reader = chosen(dice, machine, rows)
    cases = frame_of(
        {
            "shift_id": [f"S{number:07d}" for number in key], "machine_id": which, "started_at": start,
            "logged_at": after(dice, start, median_h=0.05, sigma=0.8), "program": program, "load": load,
            "vibration_mm_s": without(dice, shaking, np.where(program == "cleaning", 0.5, 0.03)),
            "oil_temp_c": oil, "air_temp_c": air, "operator": pick(dice, NAMES, rows),
        },
        ["started_at", "logged_at"],
    )  # fmt: skip
    outcomes = frame_of(
        {
            "shift_id": [f"S{number:07d}" for number in key], "ended_at": ended,
            "confirmed_at": after(dice, ended, median_h=6.0, sigma=0.9), "downtime_min": down,
        },
        ["ended_at", "confirmed_at"],
    )  # fmt: skip
    events = frame_of(
        {
            "reading_id": 9_000_000 + key, "machine_id": reader, "read_at": read,
            "sent_at": after(dice, read, median_h=0.02), "pressure_bar": dice.normal(6.2, 0.5, rows).round(2),
            "power_kwh": amounts(dice, 9.0, sigma=0.5, count=rows), "model": models[reader - 1],
        },
        ["read_at", "sent_at"],
    )  # fmt: skip
    static = pl.DataFrame(
        {
            "machine_id": machine,
            "built_on": dates(dice, len(machine), first="2004-01-01", last="2022-12-31"),
            "hall": pick(dice, {"north": 40, "south": 35, "east": 20, "annex": 5}, len(machine)),
            "rated_kw": dice.choice([7.5, 11.0, 15.0, 22.0], len(machine)),
        }
    )
    return World(
        template="machines",
        brief=MACHINES,
        frames={
            "shifts": _corrected(dice, cases, known="logged_at", column="oil_temp_c"),
            "stops": known_by_the_end(outcomes, "confirmed_at"),
            "readings": known_by_the_end(events, "sent_at"),
            "machines": static,
        },
        case="shifts", outcome="stops", event="readings", static="machines",
        keys={"shifts": "shift_id", "stops": "shift_id", "readings": "reading_id", "machines": "machine_id"},
        times={
            "shifts": ("started_at", "logged_at"), "stops": ("ended_at", "confirmed_at"),
            "readings": ("read_at", "sent_at"),
        },
        reference="machine_id",
        hit=("downtime_min", 20.0),
        places=_places(
            {
                "shifts": {
                    "program": "category", "load": "share", "vibration_mm_s": "amount", "oil_temp_c": "measure",
                    "air_temp_c": "measure", "operator": "name", "machine_id": "reference",
                },
                "readings": {
                    "pressure_bar": "measure", "power_kwh": "amount", "model": "fixed", "machine_id": "reference",
                },
                "machines": {"built_on": "date", "hall": "category"},
            },
            ("power_kwh", "pressure_bar"),
        ),
        pairs=(("shifts", "oil_temp_c", "air_temp_c"), ("shifts", "program", "operator")),
    )  # fmt: skip


def orders(dice: Generator, rows: int) -> World:
    """Orders of a shop, some of which come back."""
    customer = np.arange(70_001, 70_001 + rows // 8)
    key = np.arange(rows)
    codes = np.array(_post_codes(dice, len(customer)))
    ordered = stamps(dice, rows, Rhythm(hour=19, spread_h=4, weekend=1.3, growth=0.3, season=0.2))
    who = chosen(dice, customer, rows)
    channel = pick(dice, {"web": 55, "app": 30, "phone": 9, "shop": 5, "fair": 0.6}, rows)
    items = 1 + dice.poisson(1.4, rows)
    listed = np.array([9.9, 14.9, 19.9, 29.9, 39.9, 59.9, 89.9, 129.0])
    price = dice.choice(listed, rows, p=[0.12, 0.16, 0.2, 0.18, 0.14, 0.1, 0.06, 0.04])
    net = np.round(price * items * dice.uniform(0.8, 1.0, rows), 2)
    rate = dice.choice([1.07, 1.1, 1.2], rows, p=[0.2, 0.2, 0.6])
    gross = np.round(net * rate + dice.choice([0.0, 4.9, 9.9], rows, p=[0.5, 0.4, 0.1]), 2)
    voucher = np.where(dice.random(rows) < 0.85, 0.0, np.round(dice.beta(2, 6, rows), 2))
    risk = -1.6 + 0.35 * np.log(net / 40) + 0.5 * (channel == "app") - 0.5 * (channel == "shop") - voucher
    back = dice.random(rows) < chance_of(risk + 0.2 * (_weekday(ordered) >= 5))
    closed = ordered + np.timedelta64(20, "D") + dice.integers(0, 86_400, rows).astype("timedelta64[s]")
    visited = stamps(dice, rows, Rhythm(hour=20, spread_h=4, weekend=1.4, growth=0.3, season=0.2))
    visitor = chosen(dice, customer, rows)
    cases = frame_of(
        {
            "order_id": 1_200_000 + key, "customer_id": who, "ordered_at": ordered,
            "stored_at": after(dice, ordered, median_h=0.03), "channel": channel, "items": items,
            "net_eur": net, "gross_eur": gross, "voucher_share": voucher, "ship_city": pick(dice, CITIES, rows),
        },
        ["ordered_at", "stored_at"],
    )  # fmt: skip
    outcomes = frame_of(
        {
            "order_id": 1_200_000 + key, "closed_at": closed,
            "reported_at": after(dice, closed, median_h=12.0, sigma=0.9),
            "refund_eur": np.where(back, np.round(net * dice.uniform(0.3, 1.0, rows), 2), 0.0),
        },
        ["closed_at", "reported_at"],
    )  # fmt: skip
    events = frame_of(
        {
            "visit_id": [f"v-{number:08x}" for number in key * 7_919], "customer_id": visitor,
            "visited_at": visited, "logged_at": after(dice, visited, median_h=0.5, sigma=1.1),
            "seconds": amounts(dice, 95.0, sigma=1.2, count=rows, digits=0),
            "device": pick(dice, {"phone": 58, "laptop": 30, "tablet": 10, "tv": 1}, rows),
            "post_code": codes[visitor - customer[0]],
        },
        ["visited_at", "logged_at"],
    )  # fmt: skip
    static = pl.DataFrame(
        {
            "customer_id": customer,
            "joined_on": dates(dice, len(customer), first="2015-05-01", last="2023-06-30"),
            "born_on": without(
                dice, dates(dice, len(customer), first="1941-01-01", last="2005-06-30"), 0.12
            ),
            "tier": pick(dice, {"basic": 70, "silver": 22, "gold": 7, "staff": 1}, len(customer)),
        }
    )
    return World(
        template="orders",
        brief=ORDERS,
        frames={
            "orders": _corrected(dice, cases, known="stored_at", column="gross_eur"),
            "returns": known_by_the_end(outcomes, "reported_at"),
            "visits": known_by_the_end(events, "logged_at"),
            "customers": static,
        },
        case="orders", outcome="returns", event="visits", static="customers",
        keys={"orders": "order_id", "returns": "order_id", "visits": "visit_id", "customers": "customer_id"},
        times={
            "orders": ("ordered_at", "stored_at"), "returns": ("closed_at", "reported_at"),
            "visits": ("visited_at", "logged_at"),
        },
        reference="customer_id",
        hit=("refund_eur", 0.0),
        places=_places(
            {
                "orders": {
                    "channel": "category", "net_eur": "amount", "gross_eur": "amount", "ship_city": "name",
                    "customer_id": "reference", "voucher_share": "share",
                },
                "visits": {
                    "seconds": "amount", "device": "category", "post_code": "fixed", "customer_id": "reference",
                },
                "customers": {"joined_on": "date", "born_on": "date", "tier": "category"},
            },
            ("net_eur", "seconds"),
        ),
        pairs=(
            ("orders", "gross_eur", "net_eur"), ("orders", "channel", "ship_city"),
            ("customers", "joined_on", "born_on"),
        ),
    )  # fmt: skip


def loans(dice: Generator, rows: int) -> World:
    """Applications for small loans, and whether they are paid back in time."""
    person = np.arange(300_001, 300_001 + rows // 6)
    key = np.arange(rows)
    homes = pick(dice, CITIES, len(person))
    applied = stamps(dice, rows, Rhythm(hour=12, spread_h=3, weekend=0.1, growth=0.1, closed=CHRISTMAS))
    who = chosen(dice, person, rows)
    purpose = pick(
        dice, {"car": 34, "furniture": 25, "travel": 15, "studies": 10, "repair": 12, "wedding": 3, "boat": 0.5},
        rows,
    )  # fmt: skip
    income = amounts(dice, 2_300.0, sigma=0.45, count=rows, digits=0)
    rent = np.round(income * dice.beta(4, 9, rows), 0)
    asked = np.round(income * dice.lognormal(0.9, 0.6, rows), -2) + 500.0
    term = dice.choice([12, 24, 36, 48, 60], rows, p=[0.15, 0.3, 0.3, 0.15, 0.1])
    risk = -2.2 + 0.6 * np.log(asked / (2.5 * income)) + 2.0 * (rent / income - 0.3) + 0.3 * (purpose == "travel")
    late = dice.random(rows) < chance_of(risk)
    due = applied + np.timedelta64(30, "D")
    days = np.where(late, 8 + dice.geometric(0.05, rows), dice.poisson(0.4, rows))
    paid = stamps(dice, rows, Rhythm(hour=9, spread_h=2.5, weekend=0.05, growth=0.1, closed=CHRISTMAS))
    payer = chosen(dice, person, rows)
    cases = frame_of(
        {
            "application_id": [f"A-{number:06d}" for number in key], "person_id": who, "applied_at": applied,
            "entered_at": after(dice, applied, median_h=1.5, sigma=0.9), "purpose": purpose,
            "asked_eur": asked, "income_eur": without(dice, income, 0.06), "rent_eur": rent,
            "term_months": term, "advisor": pick(dice, NAMES, rows),
        },
        ["applied_at", "entered_at"],
    )  # fmt: skip
    outcomes = frame_of(
        {
            "application_id": [f"A-{number:06d}" for number in key], "due_at": due,
            "booked_at": due + days.astype("timedelta64[D]") + dice.integers(0, 40_000, rows).astype("timedelta64[s]"),
            "days_late": days,
        },
        ["due_at", "booked_at"],
    )  # fmt: skip
    events = frame_of(
        {
            "payment_id": 44_000_000 + 3 * key, "person_id": payer, "paid_at": paid,
            "posted_at": after(dice, paid, median_h=8.0, sigma=0.6),
            "paid_eur": amounts(dice, 180.0, sigma=0.7, count=rows),
            "way": pick(dice, {"transfer": 60, "debit": 33, "cash": 6, "cheque": 0.7}, rows),
            "home_city": homes[payer - person[0]],
        },
        ["paid_at", "posted_at"],
    )  # fmt: skip
    static = pl.DataFrame(
        {
            "person_id": person,
            "born_on": dates(dice, len(person), first="1945-01-01", last="2004-12-31"),
            "employed_on": without(
                dice, dates(dice, len(person), first="2012-01-01", last="2023-06-30"), 0.2
            ),
            "work": pick(dice, {"salaried": 62, "retired": 15, "self-employed": 18, "student": 5}, len(person)),
            "post_code": _post_codes(dice, len(person)),
        }
    )
    return World(
        template="loans",
        brief=LOANS,
        frames={
            "applications": _corrected(dice, cases, known="entered_at", column="rent_eur"),
            "repayments": known_by_the_end(outcomes, "booked_at"),
            "payments": known_by_the_end(events, "posted_at"),
            "people": static,
        },
        case="applications", outcome="repayments", event="payments", static="people",
        keys={
            "applications": "application_id", "repayments": "application_id", "payments": "payment_id",
            "people": "person_id",
        },
        times={
            "applications": ("applied_at", "entered_at"), "repayments": ("due_at", "booked_at"),
            "payments": ("paid_at", "posted_at"),
        },
        reference="person_id",
        hit=("days_late", 7.0),
        places=_places(
            {
                "applications": {
                    "purpose": "category", "asked_eur": "amount", "income_eur": "amount", "rent_eur": "amount",
                    "advisor": "name", "person_id": "reference",
                },
                "payments": {
                    "paid_eur": "amount", "way": "category", "home_city": "fixed", "person_id": "reference",
                },
                "people": {"born_on": "date", "employed_on": "date", "work": "category", "post_code": "code"},
            },
            ("asked_eur", "paid_eur"),
        ),
        pairs=(("people", "employed_on", "born_on"), ("applications", "purpose", "advisor")),
    )  # fmt: skip


TEMPLATES: Final[Mapping[str, Callable[[Generator, int], World]]] = {
    "parcels": parcels,
    "machines": machines,
    "orders": orders,
    "loans": loans,
}
