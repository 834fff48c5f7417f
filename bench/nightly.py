"""A year of nights: `decide` from cron, a process each, some killed; then held against its rehearsal.

    python bench/nightly.py                     the flights of 2013, night by night
    python bench/nightly.py --share 0.05 --nights 30 --kill-every 3

Every night the dumps of the last days are put where the brief reads them, and a process of its own is
started on a stepped clock: it lands them and the night's cases, and answers everything that is due.
Every few nights it is killed after some write, and nobody looks: the next night's run has to go on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

FLIGHTS = Path(__file__).parents[1] / "examples" / "flights"
BEGINS = datetime(2013, 3, 3, tzinfo=UTC)
"""With sixty days of history, the first night."""

WEEK = timedelta(days=7)
"""How far back a dump reaches: what a killed night didn't land comes again."""

KNOWN = {
    "flights": pl.col("published_at"),
    "arrivals": pl.col("arrived_at"),
    "board": pl.col("shown_at"),
    "weather": pl.col("observed_at") + pl.duration(hours=1),
}
"""When a row of each source is known, as the brief has it."""


def main() -> None:
    """Run the nights, then print whether their record equals its rehearsal."""
    asked = arguments()
    if asked.night:
        night(Path(asked.night[0]), datetime.fromisoformat(asked.night[1]), kill_after=int(asked.night[2]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(asked.folder or scratch) / "flights"
        tables = read(asked.data, asked.share)
        prepare(folder, tables)
        killed, now = 0, BEGINS
        for number in range(asked.nights):
            now = BEGINS + timedelta(days=number, hours=2)
            deliver(folder, tables, since=now - WEEK, until=now)
            # The write after which it dies moves on, so that every kind of write is met.
            kill_after = 1 + number // asked.kill_every % 12 if number % asked.kill_every == 1 else 0
            killed += start(folder, now, kill_after)
            if sys.stderr.isatty() or number % 30 == 0:
                sys.stderr.write(f"{now:%Y-%m-%d}, {killed} killed so far\n")
        hold(folder, now, killed, asked.nights)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--share", type=float, default=1.0, help="of the flights")
    parser.add_argument("--nights", type=int, default=303)
    parser.add_argument("--kill-every", type=int, default=7)
    parser.add_argument("--data", type=Path, default=FLIGHTS / "data", help="where the flights are")
    parser.add_argument("--folder", help="where to work and leave it; a temporary one otherwise")
    parser.add_argument("--night", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def read(data: Path, share: float) -> dict[str, pl.DataFrame]:
    """Read the year's rows, of a share of the flights; the weather is whole."""
    tables = {name: pl.read_parquet(data / f"{name}.parquet") for name in KNOWN}
    some = pl.col("flight_id").hash(seed=1) % 10_000 < 10_000 * share
    return {name: table if name == "weather" else table.filter(some) for name, table in tables.items()}


def prepare(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Make the project as it stands before the first night: its history, imported."""
    import wholeroad
    from wholeroad.adapters.clocks import SteppedClock
    from wholeroad.core.instants import to_instant

    (folder / "data").mkdir(parents=True)
    (folder / "brief.toml").write_text((FLIGHTS / "brief.toml").read_text("utf-8"), "utf-8")
    for name, table in tables.items():
        table.filter(KNOWN[name] <= BEGINS).write_parquet(folder / "data" / f"{name}.parquet")
    wholeroad.open(folder, clock=SteppedClock(to_instant(BEGINS))).land()


def deliver(folder: Path, tables: dict[str, pl.DataFrame], *, since: datetime, until: datetime) -> None:
    """Put the dumps of the last days where the brief reads them, and the night's cases beside them."""
    for name, table in tables.items():
        place = folder / ("cases.parquet" if name == "flights" else f"data/{name}.parquet")
        table.filter((KNOWN[name] > since) & (KNOWN[name] <= until)).write_parquet(place)


def start(folder: Path, now: datetime, kill_after: int) -> bool:
    """Start the night's process; tell whether it was killed."""
    command = [sys.executable, __file__, "--night", str(folder), now.isoformat(), str(kill_after)]
    done = subprocess.run(command, check=False)
    if done.returncode not in (0, -signal.SIGKILL):
        sys.exit(f"the night of {now:%Y-%m-%d} failed with {done.returncode}")
    return done.returncode != 0


def night(folder: Path, now: datetime, *, kill_after: int) -> None:
    """Answer what is due; with ``kill_after``, die by SIGKILL after so many writes."""
    import wholeroad
    from wholeroad.adapters.blobs import FolderBlobs
    from wholeroad.adapters.clocks import SteppedClock
    from wholeroad.adapters.ledgers import SqliteLedger
    from wholeroad.adapters.tables_delta import DeltaTables
    from wholeroad.core.instants import to_instant

    writes = 0

    def watched(kind: type, name: str) -> None:
        write = getattr(kind, name)

        def wrapped(*args: object, **kwargs: object) -> object:
            nonlocal writes
            result = write(*args, **kwargs)
            writes += 1
            if writes == kill_after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(kind, name, wrapped)

    watched(DeltaTables, "append")
    watched(SqliteLedger, "append")
    watched(FolderBlobs, "put")
    project = wholeroad.open(folder, clock=SteppedClock(to_instant(now)))
    project.decide(folder / "cases.parquet")


def hold(folder: Path, now: datetime, killed: int, nights: int) -> None:
    """Hold the nights' record against its rehearsal, byte by byte."""
    import wholeroad
    from wholeroad.adapters.clocks import SteppedClock
    from wholeroad.core.instants import to_instant

    project = wholeroad.open(folder, clock=SteppedClock(to_instant(now)))
    replayed, state = project.replay(), project.status()
    sys.stdout.write(
        f"{nights} nights, {killed} killed; {state.decided:,} cases decided, {state.fits} fits, "
        f"{state.money:,.0f} EUR settled\n"
        f"{replayed.facts:,} facts and {replayed.decisions:,} decisions, walked again: "
        f"{'equal to the byte' if replayed.equal else replayed.difference}\n"
    )
    found = {"bench": "nightly", "nights": nights, "killed": killed, "decided": state.decided}
    found |= {"facts": replayed.facts, "fits": state.fits, "money_eur": round(state.money)}
    sys.stdout.write(json.dumps({**found, "equal": replayed.equal}) + "\n")
    if not replayed.equal:
        sys.exit(1)


if __name__ == "__main__":
    main()
