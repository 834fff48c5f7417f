"""Every form of a brief in service over HTTP runs as it is rehearsed, with a stop in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import wholeroad
from service_parcels import (
    BRIEF,
    DEPOTS,
    FRAMES,
    OPENED_AT,
    READINGS,
    TARIFFS,
    TIMES,
    Form,
    edited,
    nothing,
    served,
)
from service_worlds import HOUR, Delivery, holds, over_http
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.testing import newsvendor

FEATURE = "[feature]\n"
CHANCE = ("[policy.refit]", '[policy.no_action]\naction = "pass"\nshare = 0.3\n[policy.refit]')
ACTS = ('depends_on_action = "no"', 'depends_on_action = "yes"')
PARCELS, DELIVERIES = FRAMES["parcels"], FRAMES["deliveries"]

# Worlds


def revised() -> dict[str, pl.DataFrame]:
    """Send most parcels earlier or later than was said first; of some that is told after they left."""
    moved = PARCELS.filter(pl.col("parcel_id") % 3 != 0).with_columns(
        pl.col("sent_at") + pl.duration(hours=(pl.col("parcel_id") % 19).cast(pl.Int64) - 9),
        pl.col("booked_at") + pl.duration(hours=pl.col("parcel_id") % 23),
        pl.col("weight_kg") + 1.0,
    )
    return {**FRAMES, "parcels": pl.concat([PARCELS, moved])}


def told_in_one() -> dict[str, pl.DataFrame]:
    """One source tells of parcels, and in another version of what became of them."""
    told = DELIVERIES.select("parcel_id", "delay_h", booked_at="reported_at")
    later = PARCELS.drop("booked_at").join(told, on="parcel_id").select(*PARCELS.columns, "delay_h")
    first = PARCELS.with_columns(pl.lit(None, dtype=pl.Float64).alias("delay_h"))
    return {"parcels": pl.concat([first, later]).sort("booked_at")}


def reports() -> pl.DataFrame:
    """Outcome rows with keys of their own, two for some parcels, of which the later one counts."""
    again = DELIVERIES.filter(pl.col("parcel_id") % 4 == 0).with_columns(
        pl.col("reported_at") + pl.duration(hours=9), delay_h=40 - pl.col("delay_h")
    )
    both = pl.concat([DELIVERIES, again]).rename({"parcel_id": "about"}).sort("reported_at")
    return both.with_row_index("report").with_columns(pl.col("report").cast(pl.Int64))


def claimed() -> dict[str, pl.DataFrame]:
    """Rows that come up to a day before they say that they are known."""
    ahead = {
        name: pl.duration(hours=pl.col(known_at).dt.minute().cast(pl.Int64) % 25)
        for name, known_at in TIMES.items()
    }
    return {
        name: frame.with_columns((pl.col(TIMES[name]) - ahead[name]).alias("comes_at"))
        for name, frame in FRAMES.items()
    }


def calls() -> pl.DataFrame:
    """The log of a system that sees a little of the truth."""
    dice = np.random.default_rng(4)
    late = (DELIVERIES["delay_h"] > 24).to_numpy()
    risk = np.clip(0.3 + 0.3 * late + dice.normal(0, 0.15, late.size), 0.01, 0.99).round(3)
    logged = PARCELS.select("parcel_id", logged_at=pl.col("sent_at") - pl.duration(hours=2))
    return logged.with_columns(risk=risk, done=np.where(risk > 0.45, "express", "pass"))


def tariffs() -> list[Delivery]:
    """States of a table without times; one comes back, and one is new to nobody."""
    prices = [(3, "A", 1.5), (3, "C", 3.0), (9, "A", 1.0), (20, "A", 1.5), (30, "B", 2.0), (33, "A", 1.0)]
    return [
        Delivery(OPENED_AT + hours * HOUR, "tariffs", {"depot": depot, "price": price})
        for hours, depot, price in prices
    ]


def fewer_tariffs(root: Path, clock: SteppedClock) -> None:
    """Write the table again without a row that was there, and with another price."""
    del clock
    pl.DataFrame({"depot": ["B", "C"], "price": [2.0, 7.0]}).write_parquet(root / "tariffs.parquet")


def verdicts(root: Path, clock: SteppedClock) -> None:
    """Have people look at labels, and contradict some of them."""
    project = wholeroad.open(root, clock=clock)
    project.cycle()
    sheet = root / "sheet.csv"
    project.labels.ask(sheet)
    rows = pl.read_csv(sheet, infer_schema=False)
    said = ["late" if place % 2 else "on_time" for place in range(rows.height)]
    rows.with_columns(pl.Series("verdict", said), pl.lit("ann").alias("by")).write_csv(sheet)
    project.labels.read(sheet)
    clock.step_to(clock.now() + HOUR)


# Briefs

RARE = """
load = { latest = "readings.load", by = "depot", max_age = "4h" }
load_6h = { sum = "load", of = "readings", by = "depot", over = "6h" }
load_known = { sum = "load", of = "readings", by = "depot", over = "6h", on = "known" }
least = { min = "weight_kg", of = "parcels", by = "depot", over = "2d" }
most = { max = "weight_kg", of = "parcels", by = ["depot", "sender"], over = "2d", where = "fragile" }
senders = { distinct = "sender", of = "parcels", by = "depot", over = "1d" }
lines = { distinct = "line", of = "readings", over = "1d" }
spread = { std = "load", of = "readings", by = "depot", over = "1d" }
quiet = { since = "*", of = "deliveries", over = "2d" }
calm = { since = "truth = 'late'", of = "outcomes", by = "depot" }
high = { since = "load > 0.9", of = "readings", by = "depot" }
ahead = { count = "*", of = "parcels", by = "depot", over = "1d", on = "planned" }
booked = { count = "*", of = "parcels", by = "depot", over = "12h", on = "known" }
price = { latest = "tariffs.price", by = "depot" }
last_weight = { latest = "parcels.weight_kg", by = "depot", max_age = "1d" }
pieces = { column = "pieces" }
fragile = { column = "fragile" }
sender = { column = "sender" }
"""
FAIR = """
[fairness]
least_cases = 5
watch_every = "1d"
[fairness.groups]
depot = { column = "depot" }
heavy = { expression = "case when weight_kg > 6 then 'heavy' else 'light' end" }
[[fairness.limits]]
group = "depot"
measure = "selection_rate"
difference_at_most = 0.9
[[fairness.remedies]]
kind = "thresholds"
group = "depot"
equal = "selection_rate"
within = 0.6
[[fairness.remedies]]
kind = "reweigh"
group = "heavy"
[[fairness.remedies]]
kind = "abstain"
group = "heavy"
below = 0.5
"""
STOPPED = FAIR.replace("difference_at_most = 0.9", 'difference_at_most = 0.0\nburden_of_proof = "holding"')
MEND = """
[source.parcels.mend]
steps = [
  { parse = "kg", as = "number", strip = ["kg"] },
  { rename = "kg", to = "weight_kg" },
  { fill = "sender", with = "nobody", flag = "no_sender" },
  { drop = "pieces = 4 and fragile", reason = "samples" },
]
[source.parcels.contract.column]
weight_kg = { range = [0, 12] }
depot = { allowed = ["A", "B"], if_broken = "warn" }
[source.deliveries.contract.column]
delay_h = { range = [0, 100] }
"""
IN_KILOS = PARCELS.with_columns(pl.format("{} kg", "weight_kg").alias("kg")).drop("weight_kg")
LOG = """
[incumbent]
source = "calls"
score = "risk"
action = "done"
[source.calls]
read = "calls.parquet"
key = "parcel_id"
happened_at = "logged_at"
known_at = "logged_at"
"""
VALUES = [
    ('{ action = "pass" }', """{ expression = "case when fragile then 'express' else 'pass' end" }"""),
    (
        "{ late = 40, on_time = -9 }",
        """{ late = "10 * pieces", on_time = "case when coalesce(fragile, false) then -20 else -9 end" }""",
    ),
    ("pass = { late = 0,", "pass = { late = [-3, 1],"),
]


def newsvendors() -> Form:
    world = newsvendor.make(days=34, shops=4, products=3, seed=1)
    usual = 'usual = { mean = "truth", of = "outcomes", by = ["shop", "product"], over = "9d" }\n'
    brief = edited(
        newsvendor.BRIEF,
        ('first = "60d"', 'first = "20d"'),
        ('when  = "every 60d"', 'when = "every 2d"'),
        ('expression = "last_week"', 'expression = "20 + 0 * last_week"'),
        (FEATURE, FEATURE + usual),
    )
    return Form(
        brief + '\n[model]\ncandidates = ["constant", "linear"]\nleast_outcomes = 10\n',
        {"deliveries": world.deliveries, "demands": world.demands},
        {"deliveries": "planned_at", "demands": "closed_at"},
        opened_at=newsvendor.START + 29 * 24 * HOUR + HOUR // 3,
        ends_at=newsvendor.START + 32 * 24 * HOUR,
    )


def with_tariffs(brief: str, table: str) -> Form:
    return Form(
        brief + table,
        files={"tariffs": pl.DataFrame({"depot": ["A", "B"], "price": [1.0, 2.0]})},
        more=tariffs(),
        between=fewer_tariffs if "absent" in table else nothing,
    )


FORMS = {
    "chance, and values by expressions and ranges": Form(edited(BRIEF, *VALUES, ACTS, CHANCE)),
    "capacity, several classes, and silence that means something": Form(
        edited(
            BRIEF,
            ('unit = "EUR"', 'unit = "EUR"\ncapacity = "3 per day"'),
            ('kind = "binary"', 'kind = "multiclass"'),
            ('classes = ["late", "on_time"]\npositive = "late"', 'classes = ["late", "on_time", "early"]'),
            ("else 'on_time' end", "when delay_h > 8 then 'on_time' else 'early' end"),
            ("on_time = -9 }", "on_time = -9, early = -12 }"),
            ("pass = { late = 0, on_time = 0 }", "pass = { late = 0, on_time = 0, early = 0 }"),
            ('matures = "12h"', 'matures = "12h"\nif_never = "late"\nnever_after = "20h"'),
        )
    ),
    "cases that move before they are due, and late ones that are left": Form(
        edited(BRIEF, ('decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "status_quo"')),
        revised(),
    ),
    "decided as soon as known, and rows claimed for the future": Form(
        edited(
            BRIEF + READINGS,
            ('decide_at = "sent_at - 1h"', 'decide_at = "known"'),
            (
                FEATURE,
                FEATURE
                + 'news = { count = "*", of = "deliveries", over = "6h", on = "known" }\n'
                + 'load_6h = { sum = "load", of = "readings", by = "depot", over = "6h" }\n',
            ),
        ),
        claimed(),
        dict.fromkeys(TIMES, "comes_at"),
    ),
    "every kind of feature": with_tariffs(edited(BRIEF + READINGS, (FEATURE, FEATURE + RARE)), TARIFFS),
    "rows that are gone from a dump": with_tariffs(
        edited(BRIEF, (FEATURE, FEATURE + 'price = { latest = "tariffs.price", by = "depot" }\n')),
        TARIFFS.replace('known_at = "landed"', 'known_at = "landed"\nabsent = "deleted"'),
    ),
    "amounts": newsvendors(),
    "a running system, and outcomes by other columns": Form(
        edited(
            BRIEF + LOG,
            ('source = "deliveries"', 'source = "deliveries"\nby = "about"'),
            ('read = "deliveries.parquet"\nkey = "parcel_id"', 'read = "deliveries.parquet"\nkey = "report"'),
        ),
        {**FRAMES, "deliveries": reports(), "calls": calls()},
        {**TIMES, "calls": "logged_at"},
    ),
    "fairness, and verdicts on record": Form(BRIEF + FAIR, before=verdicts),
    "a limit that stops every fit, and a static table that grows": Form(
        edited(
            BRIEF + STOPPED + DEPOTS,
            (FEATURE, FEATURE + 'area = { lookup = "depots.area", by = { sender = "name" } }\n'),
        ),
        files={"depots": pl.DataFrame({"name": ["u", "v", "w"], "area": ["north", "south", None]})},
        more=[Delivery(OPENED_AT + 5 * HOUR, "depots", {"name": "x", "area": "south"})],
    ),
    "a mend and contracts": Form(
        edited(BRIEF, (FEATURE, MEND + FEATURE + 'nobody = { column = "no_sender" }\n')),
        {**FRAMES, "parcels": IN_KILOS},
    ),
    "outcomes in the case's own source": Form(
        edited(
            BRIEF,
            ('source = "deliveries"', 'source = "parcels"'),
            (BRIEF[BRIEF.index("[source.deliveries]") : BRIEF.index("[feature]")], ""),
        ),
        told_in_one(),
        {"parcels": "booked_at"},
        parts=("parcel_id", "booked_at", "delay_h"),
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_a_brief_runs_as_it_is_rehearsed(name: str, tmp_path: Path) -> None:
    form = FORMS[name]
    root, clock, rows = form.begin(tmp_path), SteppedClock(form.opened_at), form.rows()
    form.before(root, clock)
    first = served(root, clock, rows[: len(rows) // 2], parts=form.parts)
    clock.step_to(clock.now() + HOUR)
    form.between(root, clock)
    second = served(
        root, clock, rows[len(rows) // 2 :], together=9, keep_up=False, parts=form.parts
    )  # plans turn amid a day
    holds(root, clock, first, second)
    decisions = wholeroad.open(root, clock=clock).decisions()
    assert decisions.height > 20
    assert ("model" in set(decisions["decided_by"])) == ("stops every fit" not in name)


# Rows that no decision could be made with

NOW = "2024-01-13T10:00:00Z"
FRAGILE_ONLY = ("else 'pass' end", "when not fragile then 'pass' end")
BAD = {
    "value.null": ("parcels", {"pieces": None}),
    "value.status-quo": ("parcels", {"fragile": None}),
    "features.overflow": ("readings", {"depot": "A", "read_at": NOW, "load": 1e300, "line": 1}),
}


@pytest.mark.parametrize("code", BAD)
def test_a_row_that_no_decision_could_be_made_with_is_set_aside_and_stops_nobody(
    code: str, tmp_path: Path
) -> None:
    mean_load = 'load_6h = { mean = "load", of = "readings", by = "depot", over = "6h" }\n'
    brief = edited(BRIEF + READINGS, *VALUES, FRAGILE_ONLY, (FEATURE, FEATURE + mean_load))
    form, clock = Form(brief), SteppedClock(OPENED_AT)
    root, rows = form.begin(tmp_path), form.rows()
    source, changed = BAD[code]
    like = next(each.row for each in rows if each.source == source)
    bad = {**like, **({"parcel_id": 99_999, "booked_at": NOW} if source == "parcels" else {}), **changed}
    with over_http(root, clock) as running:
        running.step_to(OPENED_AT + 2 * HOUR)
        (answer,) = running.client.rows(source, [bad]).rows
        assert (answer.status, answer.code) == ("quarantined", code)
    after = served(root, clock, [each for each in rows if each.at < OPENED_AT + 30 * HOUR], together=20)
    holds(root, clock, after)


def test_values_that_are_too_large_only_together_stop_nobody(tmp_path: Path) -> None:
    mean_load = 'load_6h = { mean = "load", of = "readings", by = "depot", over = "6h" }\n'
    brief = edited(BRIEF + READINGS, *VALUES, (FEATURE, FEATURE + mean_load))
    form, clock = Form(brief), SteppedClock(OPENED_AT)
    root, rows = form.begin(tmp_path), form.rows()
    like = next(each.row for each in rows if each.source == "readings")
    huge = {**like, "depot": "A", "load": 1e15}
    many = [{**huge, "read_at": f"2024-01-13T10:{minute}:00Z"} for minute in range(10, 30)]
    with over_http(root, clock) as running:
        running.step_to(OPENED_AT + 2 * HOUR)
        answers = running.client.rows("readings", many).rows
        running.rows.update(("readings", each.status) for each in answers)
    assert {each.status for each in answers} == {"landed"}
    after = served(root, clock, [each for each in rows if each.at < OPENED_AT + 30 * HOUR], together=20)
    holds(root, clock, running, after)
