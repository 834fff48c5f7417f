"""Every form of a brief in service over HTTP: the ledger is its own rehearsal's, whatever stops and starts again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest

import wholeroad
from service_worlds import HOUR, Delivery, Running, deliveries, holds, over_http, replayed
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.engine.facts import decode
from wholeroad.road.model.facts import FitRefused, ModelFitted
from wholeroad.testing import newsvendor
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
key = "depot"
static = true
"""
TIMES = {"parcels": "booked_at", "deliveries": "reported_at", "readings": "read_at"}
OPENED_AT, ENDS_AT = at(days=12.4), at(days=15.7)


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
            {"parcel_id": key, "delivered_at": utc(reported - minute), "reported_at": utc(reported), "delay_h": delay}
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


@dataclass
class Form:
    """A brief and its world: what comes to be known by the opening is in files, the rest comes over HTTP."""

    brief: str
    frames: dict[str, pl.DataFrame] = field(default_factory=lambda: FRAMES)
    times: dict[str, str] = field(default_factory=lambda: TIMES)
    files: dict[str, pl.DataFrame] = field(default_factory=dict)
    more: list[Delivery] = field(default_factory=list)
    features: bool = True
    before: Callable[[Path, SteppedClock], None] = lambda root, clock: None
    between: Callable[[Path, SteppedClock], None] = lambda root, clock: None
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


def served(root: Path, clock: SteppedClock, rows: list[Delivery], *, together: int = 5, keep_up: bool = True) -> Running:
    """Serve for a while."""
    with over_http(root, clock) as running, ThreadPoolExecutor(3) as pool:
        for place in range(0, len(rows), together):
            batch = rows[place : place + together]
            running.step_to(batch[-1].at)
            if keep_up:
                running.settle()
            running.send(batch, pool)
        running.settle()
    assert not running.told
    return running


def runs(form: Form, folder: Path) -> Any:
    """Serve a form's world, with a stop in the middle; give the decisions."""
    root, clock, rows = form.begin(folder), SteppedClock(form.opened_at), form.rows()
    form.before(root, clock)
    half = len(rows) // 2
    first = served(root, clock, rows[:half])
    clock.step_to(clock.now() + HOUR)
    form.between(root, clock)
    second = served(root, clock, rows[half:], together=9, keep_up=False)
    holds(root, clock, first, second, features=form.features)
    return wholeroad.open(root, clock=clock).decisions()


VALUE = '[value]\nunit = "EUR"'
FEATURE = "[feature]\n"
CHANCE = ("[policy.refit]", '[policy.no_action]\naction = "pass"\nshare = 0.3\n[policy.refit]')
ACTS = ('depends_on_action = "no"', 'depends_on_action = "yes"')
PARCELS, DELIVERIES = FRAMES["parcels"], FRAMES["deliveries"]

RARE = """
load = { latest = "readings.load", by = "depot", max_age = "4h" }
load_6h = { sum = "load", of = "readings", by = "depot", over = "6h" }
load_k = { sum = "load", of = "readings", by = "depot", over = "6h", on = "known" }
least = { min = "weight_kg", of = "parcels", by = "depot", over = "2d" }
most = { max = "weight_kg", of = "parcels", by = ["depot", "sender"], over = "2d", where = "fragile" }
kinds = { distinct = "sender", of = "parcels", by = "depot", over = "1d" }
lines = { distinct = "line", of = "readings", over = "1d" }
spread = { std = "load", of = "readings", by = "depot", over = "1d" }
quiet = { since = "*", of = "deliveries", over = "2d" }
calm = { since = "truth = 'late'", of = "outcomes", by = "depot" }
high = { since = "load > 0.9", of = "readings", by = "depot" }
ahead = { count = "*", of = "parcels", by = "depot", over = "1d", on = "planned" }
booked = { count = "*", of = "parcels", by = "depot", over = "12h", on = "known" }
price = { latest = "tariffs.price", by = "depot" }
own_weight = { latest = "parcels.weight_kg", by = "depot", max_age = "1d" }
pieces = { column = "pieces" }
fragile = { column = "fragile" }
sender = { column = "sender" }
"""
PRICES = [
    (3, "A", 1.5), (3, "C", 3.0), (9, "A", 1.0), (20, "A", 1.5), (30, "B", 2.0), (40, "A", 1.5), (50, "A", 1.0),
]
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
depot = { allowed = ["A", "B", "C"], if_broken = "warn" }
[source.deliveries.contract.column]
delay_h = { range = [0, 100] }
"""
MENDED = {
    **FRAMES,
    "parcels": PARCELS.with_columns(pl.format("{} kg", "weight_kg").alias("kg")).drop("weight_kg"),
}


def revised() -> dict[str, pl.DataFrame]:
    """Send most parcels earlier or later than was said first; some of it is told after they left."""
    moved = PARCELS.filter(pl.col("parcel_id") % 3 != 0).with_columns(
        pl.col("sent_at") + pl.duration(hours=(pl.col("parcel_id") % 19).cast(pl.Int64) - 9),
        pl.col("booked_at") + pl.duration(hours=(pl.col("parcel_id") % 23)),
        pl.col("weight_kg") + 1.0,
    )
    return {**FRAMES, "parcels": pl.concat([PARCELS, moved])}


def told_in_one() -> dict[str, pl.DataFrame]:
    """One source tells of parcels and of what became of them, in another version."""
    told = PARCELS.join(DELIVERIES, on="parcel_id")
    later = told.select("parcel_id", booked_at="reported_at", delay_h="delay_h")
    later = PARCELS.drop("booked_at").join(later, on="parcel_id").select(*PARCELS.columns, "delay_h")
    first = PARCELS.with_columns(pl.lit(None, dtype=pl.Float64).alias("delay_h"))
    return {"parcels": pl.concat([first, later]).sort("booked_at")}


def named_otherwise() -> dict[str, pl.DataFrame]:
    """Outcome rows with keys of their own, several for some parcels."""
    again = DELIVERIES.filter(pl.col("parcel_id") % 4 == 0).with_columns(
        pl.col("reported_at") + pl.duration(hours=9), delay_h=40 - pl.col("delay_h")
    )
    both = pl.concat([DELIVERIES, again]).rename({"parcel_id": "about"}).sort("reported_at")
    return {**FRAMES, "deliveries": both.with_row_index("report").with_columns(pl.col("report").cast(pl.Int64))}


def claimed() -> dict[str, pl.DataFrame]:
    """Rows that come two hours to a day before they say that they are known."""
    return {
        name: frame.with_columns(
            (pl.col(TIMES[name]) - pl.duration(hours=pl.col(TIMES[name]).dt.minute() % 25)).alias("comes_at")
        )
        for name, frame in FRAMES.items()
    }


def verdicts(root: Path, clock: SteppedClock) -> None:
    """Have people look at labels, and contradict half of them."""
    project = wholeroad.open(root, clock=clock)
    project.cycle()
    sheet = root / "sheet.csv"
    project.labels.ask(sheet)
    rows = pl.read_csv(sheet, infer_schema=False)
    said = ["late" if place % 2 else "on_time" for place in range(rows.height)]
    rows.with_columns(pl.Series("verdict", said), pl.lit("ann").alias("by")).write_csv(sheet)
    project.labels.read(sheet)
    clock.step_to(clock.now() + HOUR)


def fewer_tariffs(root: Path, clock: SteppedClock) -> None:
    """Write the table again, without a row that was there and with one that is another."""
    del clock
    pl.DataFrame({"depot": ["B", "C"], "price": [2.0, 7.0]}).write_parquet(root / "tariffs.parquet")


def newsvendors() -> Form:
    world = newsvendor.make(days=34, shops=4, products=3, seed=1)
    brief = edited(
        newsvendor.BRIEF,
        ('first = "60d"', 'first = "20d"'),
        ('expression = "last_week"', 'expression = "20 + 0 * last_week"'),
        ('when  = "every 60d"', 'when = "every 2d"'),
        ('[feature]\n', '[feature]\nusual = { mean = "truth", of = "outcomes", by = ["shop", "product"], over = "9d" }\n'),
    )
    start = newsvendor.START
    return Form(
        brief + '\n[model]\ncandidates = ["constant", "linear"]\nleast_outcomes = 10\n',
        {"deliveries": world.deliveries, "demands": world.demands},
        {"deliveries": "planned_at", "demands": "closed_at"},
        opened_at=start + 29 * 24 * HOUR + HOUR // 3,
        ends_at=start + 33 * 24 * HOUR,
    )


def incumbent() -> Form:
    dice = np.random.default_rng(4)
    late = (DELIVERIES["delay_h"] > 24).to_numpy()
    risk = np.clip(0.3 + 0.3 * late + dice.normal(0, 0.15, late.size), 0.01, 0.99).round(3)
    calls = PARCELS.select("parcel_id", logged_at=pl.col("sent_at") - pl.duration(hours=2)).with_columns(
        risk=risk, done=np.where(risk > 0.45, "express", "pass")
    )
    said = """
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
    return Form(BRIEF + said, {**FRAMES, "calls": calls}, {**TIMES, "calls": "logged_at"})


FORMS = {
    "plain": Form(BRIEF),
    "capacity": Form(edited(BRIEF, (VALUE, VALUE + '\ncapacity = "3 per day"'))),
    "no_action": Form(edited(BRIEF, ACTS, CHANCE)),
    "capacity_no_action": Form(edited(BRIEF, (VALUE, VALUE + '\ncapacity = "5 per day"'), ACTS, CHANCE)),
    "multiclass": Form(
        edited(
            BRIEF,
            ('kind = "binary"', 'kind = "multiclass"'),
            ('classes = ["late", "on_time"]\npositive = "late"', 'classes = ["late", "on_time", "early"]'),
            ("else 'on_time' end", "when delay_h > 8 then 'on_time' else 'early' end"),
            ("on_time = -9 }", "on_time = -9, early = -12 }"),
            ("pass = { late = 0, on_time = 0 }", "pass = { late = 0, on_time = 0, early = 0 }"),
        )
    ),
    "silence": Form(
        edited(BRIEF, ('matures = "12h"', 'matures = "12h"\nif_never = "late"\nnever_after = "20h"')),
    ),
    "held": Form(edited(BRIEF, ('decide_at = "sent_at - 1h"', 'decide_at = "sent_at - 1h"\nif_late = "status_quo"'))),
    "known": Form(
        edited(
            BRIEF,
            ('decide_at = "sent_at - 1h"', 'decide_at = "known"'),
            (FEATURE, FEATURE + 'news = { count = "*", of = "deliveries", over = "6h", on = "known" }\n'),
        )
    ),
    "expressions": Form(
        edited(
            BRIEF,
            ('{ action = "pass" }', """{ expression = "case when fragile then 'express' else 'pass' end" }"""),
            (
                "{ late = 40, on_time = -9 }",
                """{ late = "10 * pieces", on_time = "case when coalesce(sender, 'w') = 'u' then -20 else -9 end" }""",
            ),
        )
    ),
    "ranges": Form(edited(BRIEF, ("late = 40", "late = [20, 60]"), ("on_time = -9", "on_time = [-20, -2]"))),
    "features": Form(
        edited(BRIEF + READINGS + TARIFFS, (FEATURE, FEATURE + RARE)),
        files={"tariffs": pl.DataFrame({"depot": ["A", "B"], "price": [1.0, 2.0]})},
        more=[
            Delivery(OPENED_AT + hours * HOUR, "tariffs", {"depot": depot, "price": price})
            for hours, depot, price in PRICES
        ],
    ),
    "newsvendor": newsvendors(),
    "incumbent": incumbent(),
    "fairness": Form(BRIEF + FAIR),
    "stopped": Form(
        BRIEF + FAIR.replace("difference_at_most = 0.9", 'difference_at_most = 0.0\nburden_of_proof = "holding"')
    ),
    "mend": Form(
        edited(BRIEF, (FEATURE, MEND + FEATURE + 'nobody = { column = "no_sender" }\n')),
        MENDED,
    ),
    "revised": Form(BRIEF, revised()),
    "in_one": Form(
        edited(
            BRIEF,
            ('source = "deliveries"', 'source = "parcels"'),
            (BRIEF[BRIEF.index("[source.deliveries]") : BRIEF.index("[feature]")], ""),
        ),
        told_in_one(),
        {"parcels": "booked_at"},
    ),
    "by": Form(
        edited(
            BRIEF,
            ('source = "deliveries"', 'source = "deliveries"\nby = "about"'),
            ('read = "deliveries.parquet"\nkey = "parcel_id"', 'read = "deliveries.parquet"\nkey = "report"'),
        ),
        named_otherwise(),
    ),
    "claimed": Form(
        edited(BRIEF + READINGS, (FEATURE, FEATURE + 'load_6h = { sum = "load", of = "readings", by = "depot", over = "6h" }\n')),
        claimed(),
        dict.fromkeys(TIMES, "comes_at"),
    ),
    "verdicts": Form(BRIEF, before=verdicts),
    "absent": Form(
        edited(
            BRIEF + TARIFFS.replace('known_at = "landed"', 'known_at = "landed"\nabsent = "deleted"'),
            (FEATURE, FEATURE + 'price = { latest = "tariffs.price", by = "depot" }\n'),
        ),
        files={"tariffs": pl.DataFrame({"depot": ["A", "B"], "price": [1.0, 2.0]})},
        more=[
            Delivery(OPENED_AT + hours * HOUR, "tariffs", {"depot": depot, "price": price})
            for hours, depot, price in PRICES
        ],
        between=fewer_tariffs,
    ),
    "static": Form(
        edited(
            BRIEF + DEPOTS,
            (FEATURE, FEATURE + 'area = { lookup = "depots.area", by = "sender" }\n'),
        ).replace('key = "depot"\nstatic', 'key = "sender"\nstatic'),
        files={"depots": pl.DataFrame({"sender": ["u", "v", "w"], "area": ["north", "south", None]})},
        more=[Delivery(OPENED_AT + 5 * HOUR, "depots", {"sender": "x", "area": "south"})],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_a_brief_runs_as_it_is_rehearsed(name: str, tmp_path: Path) -> None:
    decisions = runs(FORMS[name], tmp_path)
    print(name, decisions.height, decisions["decided_by"].value_counts().to_dicts(), decisions["action"].value_counts().to_dicts() if len(set(decisions["action"]))<4 else "")
    assert decisions.height > 10


# Whatever stops, fails or is left behind


def some(form: Form, part: slice) -> list[Delivery]:
    rows = form.rows()
    return rows[round(part.start * len(rows)) : round(part.stop * len(rows))]


def test_a_machine_that_stops_with_cycles_behind_goes_on_where_it_was(tmp_path: Path) -> None:
    """Nothing is closed: what is on the disk is taken as it is, twice, while the office is held up."""
    form, clock = FORMS["features"], SteppedClock(OPENED_AT)
    root = form.begin(tmp_path / "begun")
    answered, parts = [], [slice(0, 0.3), slice(0.3, 0.6), slice(0.6, 0.8), slice(0.8, 1)]
    for number, part in enumerate(parts):
        rows = some(form, part)
        with over_http(root, clock) as running, ThreadPoolExecutor(3) as pool:
            answered.append(running)
            for place in range(0, len(rows), 6):
                if place == 12 and number < 3:
                    running.settle()
                    running.gate.clear()
                running.step_to(rows[place : place + 6][-1].at)
                running.send(rows[place : place + 6], pool)
            if number < 3:
                root = running.copied(tmp_path / f"stopped_{number}")
            else:
                running.settle()
    holds(root, clock, *answered)


@pytest.mark.parametrize("how", ["fail", "wait"])
def test_a_fit_that_fails_or_is_stopped_is_a_fact_and_no_outage(how: str, tmp_path: Path) -> None:
    form, clock = FORMS["plain"], SteppedClock(OPENED_AT)
    root, rows = form.begin(tmp_path), form.rows()
    with over_http(root, clock) as running, ThreadPoolExecutor(3) as pool:
        running.fits[:] = [how]
        for place in range(0, len(rows), 7):
            running.step_to(rows[place : place + 7][-1].at)
            if how == "wait" and place == 14:
                assert httpx.post(f"{running.address}/v1/fits/cancel", timeout=30).json()["cancelled"]
            if place > 14:
                running.settle()
            running.send(rows[place : place + 7], pool)
        running.settle()
    found = holds(root, clock, running)
    facts = [decode(line) for line in wholeroad.open(root, clock=clock).export()]
    refused = [fact.code for fact in facts if isinstance(fact, FitRefused)]
    print(refused, found, running.told)
    assert refused[0] == ("fit.cancelled" if how == "wait" else "fit.failed")
    assert any(isinstance(fact, ModelFitted) for fact in facts)
