"""A world whose days are seconds, clients that send everything, and what has to be there in the end."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

DEPOTS = ("A", "B", "C", "D")
"""One for each client: what it says of its own depot comes in its own order."""

BRIEF = """
format = 1
[brief]
name = "in-seconds"
question = "Will the parcel be late?"
decision = "Send it by express"
[case]
source = "parcels"
decide_at = "sent_at"
[outcome]
kind = "binary"
classes = ["late", "on_time"]
positive = "late"
source = "deliveries"
truth = "case when delay_h > 24 then 'late' else 'on_time' end"
matures = "2s"
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
[source.deliveries]
read = "deliveries.parquet"
key = "parcel_id"
happened_at = "delivered_at"
known_at = "reported_at"
[source.readings]
read = "readings.parquet"
key = ["depot", "read_at"]
happened_at = "read_at"
known_at = "read_at"
[source.tariffs]
read = "tariffs.parquet"
key = "depot"
happened_at = "landed"
known_at = "landed"
[feature]
weight = { column = "weight_kg" }
depot = { column = "depot" }
late_20s = { mean = "truth = 'late'", of = "outcomes", by = "depot", over = "20s" }
load_5s = { sum = "load", of = "readings", by = "depot", over = "5s" }
load = { latest = "readings.load", by = "depot", max_age = "30s" }
price = { latest = "tariffs.price", by = "depot" }
[cycle]
every = "3s"
[policy.refit]
first = "10min"
when = "every 6s"
fit = { takes = "1s", costs = 1 }
window = "5min"
[model]
candidates = ["constant", "logistic"]
least_outcomes = 10
"""

TIMES = {
    "parcels": ("sent_at", "booked_at"),
    "deliveries": ("delivered_at", "reported_at"),
    "readings": ("read_at",),
    "tariffs": (),
}
COLUMNS = {
    "parcels": ("parcel_id", "sent_at", "booked_at", "weight_kg", "depot"),
    "deliveries": ("parcel_id", "delivered_at", "reported_at", "delay_h"),
    "readings": ("depot", "read_at", "load"),
    "tariffs": ("depot", "price"),
}
US = timedelta(microseconds=1)
Row = dict[str, Any]


def written(at: datetime) -> str:
    """Write an instant as it is sent."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parcel(dice: random.Random, number: int, depot: str, sent: datetime) -> Row:
    """Make a parcel's row."""
    weight = round(dice.gammavariate(2.0, 2.0), 2)
    times = {"sent_at": written(sent), "booked_at": written(sent - timedelta(seconds=dice.random()))}
    return {"parcel_id": number, **times, "weight_kg": weight, "depot": depot}


def delivery(dice: random.Random, row: Row, reported: datetime) -> Row:
    """Make the outcome of a parcel: heavy ones of two depots are late."""
    delay = 6 * row["weight_kg"] * (1.5 if row["depot"] in "AC" else 0.6) * dice.lognormvariate(0, 0.4)
    times = {"delivered_at": written(reported), "reported_at": written(reported)}
    return {"parcel_id": row["parcel_id"], **times, "delay_h": round(delay, 2)}


def begin(folder: Path, *, seed: int, cases: int = 240) -> Path:
    """Write a project with the last half hour in its files."""
    dice, now = random.Random(seed), datetime.now(tz=UTC)
    began = now - timedelta(minutes=30)
    sent = sorted(began + timedelta(seconds=dice.uniform(0, 1700)) for _ in range(cases))
    rows = [parcel(dice, number, dice.choice(DEPOTS), at) for number, at in enumerate(sent)]
    outcomes = [delivery(dice, row, at + timedelta(seconds=60)) for row, at in zip(rows, sent, strict=True)]
    readings = [
        {"depot": depot, "read_at": written(began + timedelta(minutes=minute)), "load": dice.random()}
        for depot in DEPOTS
        for minute in range(30)
    ]
    tariffs = [{"depot": depot, "price": 1.0} for depot in DEPOTS]
    folder.mkdir(parents=True)
    (folder / "brief.toml").write_text(BRIEF, encoding="utf-8")
    some = {"parcels": rows, "deliveries": outcomes, "readings": readings, "tariffs": tariffs}
    for name, table in some.items():
        frame(name, table).write_parquet(folder / f"{name}.parquet")
    return folder


def frame(source: str, rows: list[Row]) -> pl.DataFrame:
    """Make a frame of rows as they were sent."""
    made = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS[source]), infer_schema_length=None)
    texts = pl.col(TIMES[source])
    return made.with_columns(texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC"))


class Address:
    """Where the service is at present, for clients that wait while it isn't."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._port: int | None = None
        self.over = False
        self._gone = False

    def put(self, port: int | None) -> None:
        """Say where it is; None while it is gone."""
        with self._changed:
            self._port = port
            self._changed.notify_all()

    def end(self) -> None:
        """Say that what is asked for now is the last."""
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def give_up(self) -> None:
        """Say that it won't come back."""
        with self._changed:
            self.over = self._gone = True
            self._changed.notify_all()

    def get(self) -> int:
        """Give the port, as soon as there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._port is not None or self._gone, timeout=120)
            if self._port is None or self._gone:
                message = "the service didn't come back"
                raise TimeoutError(message)
            return self._port


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was acknowledged."""

    path: str
    rows: tuple[Row, ...]
    status: int
    answer: Any
    sent_times: int


@dataclass
class Client(threading.Thread):
    """Sends one request after the other until it is told to end; each again until it is acknowledged.

    Parameters
    ----------
    place
        Which of the clients this is, from 0.
    pause_s
        Between two requests, at most.
    """

    address: Address
    token: str
    place: int
    seed: int
    pause_s: float = 0.05
    asked: list[Asked] = field(default_factory=list)
    lost: int = 0
    failed: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.dice = random.Random(f"{self.seed}-{self.place}")
        self.depot = DEPOTS[self.place]
        self.known: list[Row] = []
        self.number = 1_000_000 * (self.place + 1)
        self.reported: list[Row] = []
        self.batches: list[list[Row]] = []
        self.bad: list[Row] = []
        self.price = 1
        self._connection: http.client.HTTPConnection | None = None
        self._port = 0

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Send until the end."""
        kinds = [self.now, self.ahead, self.several, self.again, self.conflict, self.as_rows, self.revise]
        kinds += [self.outcome, self.outcome, self.correct, self.early, self.readings, self.repeat]
        kinds += [self.tariff, self.wrong]
        try:
            while not self.address.over:
                self.dice.choice(kinds)()
                time.sleep(self.dice.uniform(0, self.pause_s))
        except BaseException as error:  # noqa: BLE001 (the driver raises it)
            self.failed = error
        finally:
            self._close()

    # ---- what it sends ------------------------------------------------------------------------------

    def fresh(self, ahead_s: float) -> Row:
        """Make a parcel that nobody knows."""
        self.number += 1
        row = parcel(self.dice, self.number, self.depot, datetime.now(tz=UTC) + timedelta(seconds=ahead_s))
        self.known.append(row)
        return row

    def now(self) -> None:
        """A case that is due."""
        row = self.fresh(-0.01)
        self.send("/v1/decisions", {"case": row, "features": self.dice.random() < 0.3}, [row])

    def ahead(self) -> None:
        """A case that waits."""
        row = self.fresh(self.dice.uniform(0.05, 4))
        self.send("/v1/decisions", {"case": row}, [row])

    def several(self) -> None:
        """Cases that are due, that wait and that were there, some twice."""
        rows = [self.fresh(self.dice.choice([-0.01, -0.01, 1.0])) for _ in range(self.dice.randint(2, 9))]
        rows += self.dice.sample(self.known, min(len(self.known), 2))
        self.send("/v1/decisions", {"cases": rows}, rows)

    def again(self) -> None:
        """A case that was sent before."""
        if self.known:
            row = self.dice.choice(self.known)
            self.send("/v1/decisions", {"case": row}, [row])

    def conflict(self) -> None:
        """A case that was sent before with other content."""
        if self.known:
            row = {**self.dice.choice(self.known), "weight_kg": 999.0}
            self.send("/v1/decisions", {"case": row}, [])

    def as_rows(self) -> None:
        """Cases as rows of their source, which are decided without being asked for."""
        rows = [self.fresh(self.dice.choice([-0.01, 0.5, 2.0])) for _ in range(self.dice.randint(1, 6))]
        self.send("/v1/rows/parcels", {"rows": rows}, rows)

    def revise(self) -> None:
        """Another version of a case, mostly before it is due."""
        if self.known:
            row = self.dice.choice(self.known[-10:])
            booked = datetime.now(tz=UTC) - timedelta(seconds=0.001)
            changed = {**row, "booked_at": written(booked), "weight_kg": round(row["weight_kg"] + 0.5, 2)}
            self.send("/v1/rows/parcels", {"rows": [changed]}, [changed])

    def outcome(self) -> None:
        """Outcomes of some cases."""
        rows = [
            delivery(self.dice, row, datetime.now(tz=UTC) - timedelta(milliseconds=self.dice.randint(1, 50)))
            for row in self.dice.sample(self.known[-60:], min(len(self.known), self.dice.randint(1, 5)))
        ]
        if rows:
            self.reported = [*self.reported[-50:], *rows]
            self.send("/v1/outcomes", {"outcomes": rows}, rows)

    def correct(self) -> None:
        """An outcome that was told otherwise before."""
        if self.reported:
            row = self.dice.choice(self.reported)
            delay = round(48 - row["delay_h"], 2)
            changed = {**row, "reported_at": written(datetime.now(tz=UTC)), "delay_h": delay}
            self.send("/v1/rows/deliveries", {"rows": [changed]}, [changed])

    def early(self) -> None:
        """The outcome of a case that comes afterwards."""
        row = self.fresh(self.dice.uniform(0.5, 1.5))
        told = delivery(self.dice, row, datetime.now(tz=UTC))
        self.send("/v1/outcomes", {"outcomes": [told]}, [told])
        self.send("/v1/decisions", {"case": row}, [row])

    def readings(self) -> None:
        """Readings, as NDJSON."""
        begun = datetime.now(tz=UTC)
        rows = [
            {"depot": self.depot, "read_at": written(begun + after * US), "load": self.dice.random()}
            for after in range(self.dice.randint(1, 40))
        ]
        self.batches = [*self.batches[-20:], rows]
        self.lines(rows)

    def repeat(self) -> None:
        """Readings that were sent before."""
        if self.batches:
            self.lines(self.dice.choice(self.batches))

    def tariff(self) -> None:
        """Another state of a table without times: each state once, whatever is sent again."""
        self.price = self.price % 3 + 1
        row = {"depot": self.depot, "price": float(self.price)}
        self.send("/v1/rows/tariffs", {"rows": [row]}, [row])

    def wrong(self) -> None:
        """A row that can't be taken in, new or once more, beside one that can."""
        if not self.bad or self.dice.random() < 0.7:
            self.number += 1
            times = {"delivered_at": "never", "reported_at": "never"}
            self.bad.append({"parcel_id": self.number, **times, "delay_h": 1.0})
        row = self.dice.choice(self.bad)
        self.send("/v1/outcomes", {"outcomes": [row]}, [row])

    # ---- how it sends -------------------------------------------------------------------------------

    def lines(self, rows: list[Row]) -> None:
        """Send readings, one on a line."""
        body = "".join(json.dumps(row) + "\n" for row in rows).encode()
        self.post("/v1/rows/readings", body, rows, kind="application/x-ndjson")

    def send(self, path: str, body: Row, rows: list[Row]) -> None:
        """Send a request as JSON."""
        self.post(path, json.dumps(body).encode(), rows, kind="application/json")

    def post(self, path: str, body: bytes, rows: list[Row], *, kind: str) -> None:
        """Send a request until it is acknowledged."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        times = 0
        while True:
            port = self.address.get()
            times += 1
            try:
                connection = self._open(port)
                connection.request("POST", path, body=body, headers=headers)
                came = connection.getresponse()
                data = came.read()
            except (OSError, http.client.HTTPException):
                self._close()
                self.lost += 1
                time.sleep(0.01)
                continue
            if came.status in {429, 503}:
                time.sleep(0.02)
                continue
            if came.status not in {200, 202, 409}:
                message = f"{path} was answered {came.status}: {data.decode()}"
                raise AssertionError(message)
            self.asked.append(Asked(path, tuple(rows), came.status, json.loads(data), times))
            return

    def _open(self, port: int) -> http.client.HTTPConnection:
        if self._connection is None or port != self._port:
            self._close()
            self._connection, self._port = http.client.HTTPConnection("127.0.0.1", port, timeout=60), port
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


# ---- what has to be there ---------------------------------------------------------------------------


def fits(folder: Path) -> int:
    """Count the fits that have entered, while the service runs."""
    from wholeroad.adapters.ledgers import SqliteLedger
    from wholeroad.engine.facts import decode
    from wholeroad.road.model.facts import ModelFitted

    ledger = SqliteLedger(folder / ".wholeroad" / "ledger.sqlite", decode)
    try:
        return sum(isinstance(fact, ModelFitted) for _, fact in ledger.read())
    finally:
        ledger.close()


def verify(folder: Path, clients: list[Client]) -> dict[str, int]:
    """Hold everything that was acknowledged against what is there, and the ledger against its rehearsal.

    Returns
    -------
    dict
        How many of each were held against each other.
    """
    import wholeroad
    from wholeroad.adapters.hot_log import SqliteHotLog
    from wholeroad.engine.fold import fold, restore, snapshot

    project = wholeroad.open(folder)
    project.yard.operation.absorb(project.folder)  # as every command does first
    asked = [each for client in clients for each in client.asked]
    counts = {"requests": len(asked), "sent again": sum(each.sent_times > 1 for each in asked)}
    bad = {json.dumps(row) for client in clients for row in client.bad}
    counts["rows"] = sum(_rows_once(project, source, asked, folder, bad) for source in COLUMNS)
    counts["quarantined"] = _aside_once(project, bad, asked)
    counts["decisions"] = _decided_once(project, asked)
    facts = [fact for _, fact in project.yard.ledger.read()]
    state = fold(facts)
    _spans_hold(project, facts)
    middle = len(facts) // 2
    assert fold(facts[middle:], restore(snapshot(fold(facts[:middle])))) == state
    log = SqliteHotLog(project.yard.folder.hot)
    assert not list(log.read()), "what was sealed is let go of"
    log.close()
    replayed = project.replay()
    assert replayed.equal, replayed.difference
    assert replayed.decisions == state.decided == project.decisions().height
    counts |= {"facts": len(facts), "spans": state.spans, "fits": state.fits.fitted}
    counts["decided by a model"] = project.decisions().filter(pl.col("model").is_not_null()).height
    return counts


def _rows_once(project: Any, source: str, asked: list[Asked], folder: Path, bad: set[str]) -> int:
    """Every row that was acknowledged is in the table once, and nothing else is."""
    from wholeroad.engine.manifests import table_of

    columns = list(COLUMNS[source])
    there = project.yard.tables.read(table_of(source, project.brief.source[source]))
    assert there["_seq"].to_list() == list(range(1, there.height + 1)), source
    was = pl.read_parquet(folder / f"{source}.parquet")
    some = [each for each in asked if _source_of(each.path) == source]
    sent = [row for each in some for row in each.rows if json.dumps(row) not in bad]
    if source == "tariffs":  # a state that comes back is another version
        said = {depot: [1.0, *(row["price"] for row in sent if row["depot"] == depot)] for depot in DEPOTS}
        for depot, prices in said.items():
            assert there.filter(depot=depot)["price"].to_list() == prices, depot
        assert there.height == sum(map(len, said.values()))
        return there.height
    expected = pl.concat([was, frame(source, sent).cast(was.schema)]).unique().sort(columns)
    found = there.select(columns).sort(columns)
    twice = found.filter(found.is_duplicated())
    assert twice.is_empty(), f"{source}: twice {twice}"
    lost = expected.join(found, on=columns, how="anti")
    assert lost.is_empty(), f"{source}: lost {lost}"
    assert found.equals(expected), f"{source}: nobody sent {found.join(expected, on=columns, how='anti')}"
    return found.height


def _source_of(path: str) -> str:
    return {"/v1/decisions": "parcels", "/v1/outcomes": "deliveries"}.get(path, path.rsplit("/", 1)[1])


def _aside_once(project: Any, bad: set[str], asked: list[Asked]) -> int:
    aside = [json.loads(row) for row in project.quarantine()["row"]]
    acknowledged = {json.dumps(row) for each in asked for row in each.rows} & bad
    found = Counter(row["parcel_id"] for row in aside)
    assert found == Counter(json.loads(row)["parcel_id"] for row in acknowledged)
    return len(aside)


def _decided_once(project: Any, asked: list[Asked]) -> int:
    """Every decision that was told stands in the table as it was told, and no case was decided twice."""
    table = project.decisions()
    assert table["parcel_id"].n_unique() == table.height
    by_key = {row["parcel_id"]: row for row in table.iter_rows(named=True)}
    told = [case for each in asked if each.path == "/v1/decisions" for case in _cases(each)]
    for case in told:
        row = by_key[case["key"]["parcel_id"]]
        if case["status"] == "accepted":
            continue
        assert written(row["decided_at"]) == case["decided_at"], (row, case)
        for name in ("action", "decided_by", "model", "expected_value"):
            assert row[name] == case.get(name), (name, row, case)
        points = {name: row[f"p_{name}"] for name in ("late", "on_time") if row[f"p_{name}"] is not None}
        assert points == (case.get("probabilities") or {}), (row, case)
    return len(told)


def _spans_hold(project: Any, facts: list[Any]) -> None:
    """The spans follow each other without a gap, and each digest is that of its rows."""
    from wholeroad.engine.sealing import digest_of_rows
    from wholeroad.road.watch.facts import SpanDecided

    spans = [fact for fact in facts if isinstance(fact, SpanDecided)]
    assert all(one.until_at == two.at for one, two in pairwise(spans))
    rows = project.yard.tables.read("decisions")
    for number, fact in enumerate(spans, 1):
        some = rows.filter(span=number)
        assert (some.height, digest_of_rows(project.brief, some)) == (fact.count, fact.digest), number


def _cases(asked: Asked) -> list[Row]:
    if asked.status == 409:
        return []
    cases = asked.answer.get("cases", [asked.answer])
    return [case for case in cases if case["status"] in {"decided", "accepted"}]
