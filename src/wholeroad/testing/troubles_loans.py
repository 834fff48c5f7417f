"""Applications for small loans, and whether they are paid back in time: a clean world.

What looks like trouble and is none: round amounts, terms that are five numbers, payments that are all
posted at night, no work at Christmas, loans without an outcome since they are new, an income that not all
tell.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.testing.troubles_drawing import (
    CHRISTMAS,
    CITIES,
    NAMES,
    Integers,
    Rhythm,
    World,
    after,
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
    without,
)

PURPOSES: Final = {
    "car": 34,
    "furniture": 25,
    "travel": 15,
    "studies": 10,
    "repair": 12,
    "wedding": 3,
    "boat": 0.5,
}
WORK: Final = {"salaried": 62, "retired": 15, "self-employed": 18, "student": 5}

BRIEF: Final = """\
\
format = 1

[brief]
name = "loans"
question = "Which loans will be paid back more than a week late?"
decision = "Ask for a guarantor"

[case]
source = "applications"
decide_at = "applied_at + 2d"

[outcome]
kind = "binary"
classes = ["late", "in_time"]
positive = "late"
source = "repayments"
truth = "case when days_late > 7 then 'late' else 'in_time' end"
matures = "90d"
depends_on_action = "no"

[value]
unit = "EUR"
status_quo = { action = "pass" }

[value.of]
guarantor = { late = "0.02 * asked_eur", in_time = -15 }
pass = { late = 0, in_time = 0 }

[source.applications]
read = "applications.parquet"
key = "application_id"
happened_at = "applied_at"
known_at = "entered_at"

[source.repayments]
read = "repayments.parquet"
key = "application_id"
happened_at = "due_at"
known_at = "booked_at"

[source.payments]
read = "payments.parquet"
key = "payment_id"
happened_at = "paid_at"
known_at = "posted_at"

[source.people]
read = "people.parquet"
key = "person_id"
static = true

[feature]
purpose = { column = "purpose" }
asked_eur = { column = "asked_eur" }
income_eur = { column = "income_eur" }
rent_eur = { column = "rent_eur" }
term_months = { column = "term_months" }
advisor = { column = "advisor" }
paid_90d = { sum = "paid_eur", of = "payments", by = "person_id", over = "90d" }
way = { latest = "payments.way", by = "person_id" }
home_city = { latest = "payments.home_city", by = "person_id" }
born_on = { lookup = "people.born_on", by = "person_id" }
employed_on = { lookup = "people.employed_on", by = "person_id" }
work = { lookup = "people.work", by = "person_id" }
post_code = { lookup = "people.post_code", by = "person_id" }

[success]
gain_over_status_quo = { per_case = 0.5 }

[policy.refit]
first = "60d"
when = "every 30d"
"""

BUSINESS: Final = World(
    template="loans",
    brief=BRIEF,
    frames={},
    case="applications",
    outcome="repayments",
    event="payments",
    static="people",
    keys={
        "applications": "application_id",
        "repayments": "application_id",
        "payments": "payment_id",
        "people": "person_id",
    },
    times={
        "applications": ("applied_at", "entered_at"),
        "repayments": ("due_at", "booked_at"),
        "payments": ("paid_at", "posted_at"),
    },
    reference="person_id",
    hit=("days_late", 7.0),
    places=places(
        {
            "applications": {
                "purpose": "category",
                "asked_eur": "amount",
                "income_eur": "amount",
                "rent_eur": "amount",
                "advisor": "name",
                "person_id": "reference",
            },
            "payments": {
                "paid_eur": "amount",
                "way": "category",
                "home_city": "fixed",
                "person_id": "reference",
            },
            "people": {"born_on": "date", "employed_on": "date", "work": "category", "post_code": "code"},
        },
        calculated=("asked_eur", "paid_eur"),
    ),
    pairs=(("people", "employed_on", "born_on"), ("applications", "purpose", "advisor")),
)


def draw(dice: Generator, rows: int) -> dict[str, pl.DataFrame]:
    """Draw the rows of the sources."""
    person = np.arange(300_001, 300_001 + rows // 6)
    cases, outcomes = _applications(dice, chosen(dice, person, count=rows))
    employed = dates(dice, len(person), first="2012-01-01", last="2023-06-30")
    return {
        "applications": corrected(dice, cases, known="entered_at", column="rent_eur"),
        "repayments": known_by_the_end(outcomes, "booked_at"),
        "payments": known_by_the_end(_payments(dice, person, rows), "posted_at"),
        "people": pl.DataFrame(
            {
                "person_id": person,
                "born_on": dates(dice, len(person), first="1945-01-01", last="1996-12-31"),
                "employed_on": without(dice, employed, share=0.2),
                "work": pick(dice, WORK, count=len(person)),
                "post_code": post_codes(dice, len(person)),
            }
        ),
    }


def _applications(dice: Generator, person: Integers) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = len(person)
    applied = stamps(dice, Rhythm(hour=12, spread_h=3, weekend=0.1, growth=0.1, closed=CHRISTMAS), count=rows)
    purpose = pick(dice, PURPOSES, count=rows)
    income = amounts(dice, 2_300.0, sigma=0.45, count=rows, digits=0)
    rent = np.round(income * dice.beta(4, 9, rows), 0)
    asked = np.round(income * dice.lognormal(0.9, 0.6, rows), -2) + 500.0
    risk = 0.6 * np.log(asked / (2.5 * income)) + 2.0 * (rent / income - 0.3) + 0.3 * (purpose == "travel")
    late = dice.random(rows) < chance_of(risk - 2.2)
    days = np.where(late, 8 + dice.geometric(0.05, rows), dice.poisson(0.4, rows))
    due = applied + np.timedelta64(30, "D")
    booked = due + days.astype("timedelta64[D]") + dice.integers(0, 40_000, rows).astype("timedelta64[s]")
    key = [f"A-{number:06d}" for number in range(rows)]
    cases = {
        "application_id": key,
        "person_id": person,
        "applied_at": applied,
        "entered_at": after(dice, applied, median_h=1.5, sigma=0.9),
        "purpose": purpose,
        "asked_eur": asked,
        "income_eur": without(dice, income, share=0.06),
        "rent_eur": rent,
        "term_months": dice.choice([12, 24, 36, 48, 60], rows, p=[0.15, 0.3, 0.3, 0.15, 0.1]),
        "advisor": pick(dice, NAMES, count=rows),
    }
    outcomes = {"application_id": key, "due_at": due, "booked_at": booked, "days_late": days}
    return frame_of(cases, ["applied_at", "entered_at"]), frame_of(outcomes, ["due_at", "booked_at"])


def _payments(dice: Generator, people: Integers, rows: int) -> pl.DataFrame:
    """Draw payments; all of a day are posted in the night after."""
    paid = stamps(dice, Rhythm(hour=9, spread_h=2.5, weekend=0.05, growth=0.1, closed=CHRISTMAS), count=rows)
    who = chosen(dice, people, count=rows)
    homes = pick(dice, CITIES, count=len(people))
    events = {
        "payment_id": 44_000_000 + 3 * np.arange(rows),
        "person_id": who,
        "paid_at": paid,
        "posted_at": paid.astype("datetime64[D]").astype("datetime64[us]") + np.timedelta64(26, "h"),
        "paid_eur": amounts(dice, 180.0, sigma=0.7, count=rows),
        "way": pick(dice, {"transfer": 60, "debit": 33, "cash": 6, "cheque": 0.7}, count=rows),
        "home_city": homes[who - people[0]],
    }
    return frame_of(events, ["paid_at", "posted_at"])
