"""A year of flights over real HTTP on a stepped clock, held against the rehearsal of its ledger.

    python bench/service_parity.py [--days 304] [--step-h 2] [--restart-every 45]

The service stands behind a socket of this machine, in a thread with an event loop of its own; the office
works in another thread. The clock is stepped by some hours at a time, as fast as everything is done, and what
came to be known meanwhile is sent in several requests at once: schedules as cases to decide or as rows,
the other sources as Arrow or as lines of JSON. Every tenth row comes up to thirty hours late, every
twentieth comes again, and every fortieth arrival is corrected. Now and then the service is stopped and
started, and every other step doesn't wait for the cycle, so that plans turn amid a day. Decisions and facts
have to be equal to the byte. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

import wholeroad
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.client import Client
from wholeroad.core.instants import DAY, format_instant, parse_instant
from wholeroad.engine.facts import decode
from wholeroad.interfaces.http.face import make_app
from wholeroad.interfaces.http.guard import TokenGuard
from wholeroad.interfaces.http.serving import listen, run, serve, server
from wholeroad.interfaces.http.settings import HttpSettings
from wholeroad.interfaces.http.tokens import Tokens
from wholeroad.road.data.facts import BatchLanded
from wholeroad.serving.processes import OneThread
from wholeroad.serving.service import Service

FLIGHTS = Path(__file__).parents[1] / "examples" / "flights"
HOUR = DAY // 24
BEGINS = parse_instant("2013-03-03T00:10:00Z")
"""With sixty days of history, shortly after the cycle that asks for the first fit."""

CASES = "flights"
KNOWN = {
    "flights": pl.col("published_at"),
    "arrivals": pl.col("arrived_at"),
    "board": pl.col("shown_at"),
    "weather": pl.col("observed_at") + pl.duration(hours=1),
}
"""When a row of each source is known, as the brief has it."""

COMES = "_comes"
Rows = dict[str, pl.DataFrame]


def main() -> None:
    """Serve the year, then print whether its record equals its rehearsal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=FLIGHTS / "data")
    parser.add_argument("--days", type=int, default=304, help="after the sixty days of history")
    parser.add_argument("--step-h", type=int, default=2, help="hours between two deliveries")
    parser.add_argument(
        "--restart-every", type=int, default=45, help="days after which it is stopped and started"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "flights"
        clock, sent = SteppedClock(BEGINS), Counter[str]()
        rest = prepare(root, asked.data)
        began_s = time.perf_counter()
        for day in range(0, asked.days, asked.restart_every):
            until_at = BEGINS + min(day + asked.restart_every, asked.days) * DAY
            with served(root, clock) as (service, loop, client):
                drive(
                    Sender(client, sent),
                    rest,
                    clock,
                    until_at=until_at,
                    step=asked.step_h * HOUR,
                    wait=waiter(service, loop),
                )
        served_s = time.perf_counter() - began_s
        found = hold(root, clock) | {"days": asked.days, "served_s": round(served_s, 1), **sent}
    report(found)
    sys.exit(0 if found["equal"] else 1)


# ---- what comes -------------------------------------------------------------------------------------


def prepare(root: Path, data: Path) -> Rows:
    """Write a project with what is known at the begin; give the rest by source, as it comes."""
    (root / "data").mkdir(parents=True)
    shutil.copy(FLIGHTS / "brief.toml", root)
    rest = {}
    for name, known_at in KNOWN.items():
        frame = pl.read_parquet(data / f"{name}.parquet").with_columns(
            known_at.dt.replace_time_zone("UTC").to_physical().alias(COMES)
        )
        frame.filter(pl.col(COMES) <= BEGINS).drop(COMES).write_parquet(root / "data" / f"{name}.parquet")
        later = frame.filter(pl.col(COMES) > BEGINS)
        rest[name] = troubled(later, corrected=name == "arrivals").sort(COMES, maintain_order=True)
    return rest


def troubled(rows: pl.DataFrame, *, corrected: bool) -> pl.DataFrame:
    """Let some rows come late, some again, and some once more with other content."""
    place = pl.int_range(pl.len())
    late = rows.with_columns(
        pl.when(place % 10 == 3).then(pl.col(COMES) + place % 31 * HOUR).otherwise(COMES).alias(COMES)
    )
    again = rows.filter(place % 20 == 7).with_columns(pl.col(COMES) + place % 50 * HOUR)
    parts = [late, again]
    if corrected:
        told = rows.filter(place % 40 == 11).with_columns(
            pl.col("arr_delay") + 45, pl.col("arrived_at") + pl.duration(hours=3), pl.col(COMES) + 3 * HOUR
        )
        parts.append(told.select(rows.columns).cast(rows.schema))
    return pl.concat(parts)


class Sender:
    """Sends what came, in several requests at once.

    Parameters
    ----------
    sent
        Counts requests, rows, and what became of them.
    """

    def __init__(self, client: Client, sent: Counter[str]) -> None:
        self._client = client
        self._sent = sent
        self._pool = ThreadPoolExecutor(4)
        self._turn = 0

    def send(self, rows: Rows) -> None:
        """Send rows of all sources."""
        calls = []
        for source, frame in rows.items():
            for part in (frame[::2], frame[1::2]):
                if part.height:
                    self._turn += 1
                    calls.append(self._pool.submit(self._one, source, part, self._turn))
        for call in calls:
            self._sent.update(call.result())

    def close(self) -> None:
        """End."""
        self._pool.shutdown()
        self._client.close()

    def _one(self, source: str, rows: pl.DataFrame, turn: int) -> Counter[str]:
        said: Counter[str] = Counter(requests=1, rows_sent=rows.height)
        if source == CASES and turn % 2:
            said.update(answer.status for answer in self._client.decide(rows))
        else:
            answer = self._client.rows(source, rows if turn % 3 else rows.to_dicts())
            said.update(answer.counts)
        return said


def drive(
    sender: Sender,
    rest: Rows,
    clock: SteppedClock,
    *,
    until_at: int,
    step: int,
    wait: Any,  # noqa: ANN401
) -> None:
    """Step the clock up to an instant; every other step waits until the cycle is done."""
    turn = 0
    while clock.now() < until_at:
        clock.step_to(min(clock.now() + step, until_at))
        turn += 1
        if turn % 2:
            wait()
        now = clock.now()
        come = {name: frame[COMES].search_sorted(now, side="right") for name, frame in rest.items()}
        sender.send({name: frame[: come[name]].drop(COMES) for name, frame in rest.items()})
        for name, frame in rest.items():
            rest[name] = frame[come[name] :]
        if now // DAY % 10 == 0 and now % DAY < step:
            sys.stderr.write(f"{format_instant(now)}\n")
    wait()
    sender.close()


# ---- the service ------------------------------------------------------------------------------------


@contextmanager
def served(root: Path, clock: SteppedClock) -> Iterator[tuple[Service, asyncio.AbstractEventLoop, Client]]:
    """Serve the folder in a thread until the block is left."""
    begun: Future[tuple[Service, asyncio.AbstractEventLoop, Client, Any]] = Future()

    async def serving() -> None:
        project = wholeroad.open(root, clock=clock)
        service = Service(project, host=OneThread, poll_s=0.02, tell=print)
        await service.start()
        with listen("127.0.0.1", 0) as bound:
            address = f"http://127.0.0.1:{bound.getsockname()[1]}"
            settings = HttpSettings()
            tokens = Tokens(project.folder.tokens, now=clock.now)
            client = Client(address, token=tokens.session(), timeout_s=300)
            app = make_app(service, settings=settings, guard=TokenGuard(tokens))
            loop = asyncio.get_running_loop()
            made = server(app, settings, started=lambda: begun.set_result((service, loop, client, made)))
            await serve(made, service.close, sockets=[bound])

    def body() -> None:
        try:
            run(serving())
        except BaseException as error:
            if not begun.done():
                begun.set_exception(error)
            raise

    thread = threading.Thread(target=body)
    thread.start()
    service, loop, client, made = begun.result()
    try:
        yield service, loop, client
    finally:
        made.should_exit = True
        thread.join()


def waiter(service: Service, loop: asyncio.AbstractEventLoop) -> Any:  # noqa: ANN401
    """Give what waits until nothing is under way beside the answers."""

    async def settled() -> None:
        while not service.idle:  # noqa: ASYNC110 - nobody tells when it is
            await asyncio.sleep(0.002)

    return lambda: asyncio.run_coroutine_threadsafe(settled(), loop).result()


# ---- what has to hold -------------------------------------------------------------------------------


def hold(root: Path, clock: SteppedClock) -> dict[str, Any]:
    """Hold the record against its rehearsal."""
    project = wholeroad.open(root, clock=clock)
    began_s = time.perf_counter()
    replayed = project.replay()
    facts = [decode(line) for line in project.export()]
    came = [fact for fact in facts if isinstance(fact, BatchLanded)]
    decisions = project.decisions()
    once = decisions.select("flight_id").n_unique() == decisions.height
    whole = all(fact.rows_in == fact.landed + fact.repeated + fact.quarantined for fact in came)
    return {
        "equal": replayed.equal and once and whole,
        "difference": replayed.difference,
        "facts": replayed.facts,
        "decisions": replayed.decisions,
        "by_a_model": decisions.filter(pl.col("model").is_not_null()).height,
        "fits": sum(type(fact).__name__ == "ModelFitted" for fact in facts),
        "replayed_s": round(time.perf_counter() - began_s, 1),
    }


def report(found: dict[str, Any]) -> None:
    """Print what was compared."""
    same = "equal to the byte" if found["equal"] else f"NOT equal: {found['difference']}"
    sys.stderr.write(
        f"{found['days']} days, {found['requests']:,} requests with {found['rows_sent']:,} rows in "
        f"{found['served_s']} s; {found['decisions']:,} decisions ({found['by_a_model']:,} by a model of "
        f"{found['fits']} fits) and {found['facts']} facts against their rehearsal, "
        f"{found['replayed_s']} s: {same}\n"
    )
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
