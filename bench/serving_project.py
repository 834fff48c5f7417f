"""A project that is ready to be served: the flights of 2013, with a model in charge.

    python bench/serving_project.py [--cache FOLDER] [--nights 30]

What was known a month before the end of the year is imported as history; then a month of nights is answered
from cron, each on a stepped clock, so that there are decisions, fits and a champion. A folder that was
prepared before is taken as it is.

The brief is the example's but for its candidates: trees alone, so that the champion is LightGBM's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl

FLIGHTS = Path(__file__).parents[1] / "examples" / "flights"
UNTIL = datetime(2013, 12, 30, 17, tzinfo=UTC)
"""The service begins here: noon in New York, with every window full."""

LAST_RUN = UNTIL - timedelta(minutes=5)
NIGHTS = 30
WEEK = timedelta(days=7)
CACHE = Path(tempfile.gettempdir()) / "wholeroad-bench"
READY = "prepared"
"""A file beside the brief, written last."""

KNOWN = {
    "flights": pl.col("published_at"),
    "arrivals": pl.col("arrived_at"),
    "board": pl.col("shown_at"),
    "weather": pl.col("observed_at") + pl.duration(hours=1),
}
"""When a row of each source is known, as the brief has it."""


def prepared(folder: Path = CACHE, *, nights: int = NIGHTS, data: Path = FLIGHTS / "data") -> Path:
    """Give the folder of the prepared project, made if it isn't there.

    Parameters
    ----------
    folder
        Where it is kept for the next bench; another brief is another project.
    nights
        Answered from cron before the service begins.
    """
    brief = _brief()
    project = folder / f"flights-{nights}-{zlib.crc32(brief.encode()):08x}"
    if not (project / READY).exists():
        if project.exists():
            shutil.rmtree(project)
        _prepare(project, brief, nights=nights, data=data)
        (project / READY).write_text("", "ascii")
    return project


def begins() -> str:
    """Say when the service begins, as ``wholeroad up --at`` takes it."""
    return UNTIL.isoformat().replace("+00:00", "Z")


def copied(project: Path, to: Path) -> Path:
    """Give a copy that a bench may change."""
    if to.exists():
        shutil.rmtree(to)
    shutil.copytree(project, to)
    return to


def _brief() -> str:
    brief = (FLIGHTS / "brief.toml").read_text("utf-8")
    before = 'candidates = ["constant", "logistic", "lightgbm"]'
    if before not in brief:
        sys.exit("the example's brief has other candidates than this bench knows")
    return brief.replace(before, 'candidates = ["lightgbm"]')


def _prepare(folder: Path, brief: str, *, nights: int, data: Path) -> None:
    tables = {name: pl.read_parquet(data / f"{name}.parquet") for name in KNOWN}
    (folder / "data").mkdir(parents=True)
    (folder / "brief.toml").write_text(brief, "utf-8")
    midnight = LAST_RUN.replace(hour=0, minute=0)
    runs = [midnight - timedelta(days=night, hours=-2) for night in range(nights, -1, -1)] + [LAST_RUN]
    _deliver(folder, tables, since=None, until=runs[0])
    _run(folder, runs[0])
    for before_at, now in pairwise(runs):
        _deliver(folder, tables, since=before_at - WEEK, until=now)
        _run(folder, now)
        sys.stderr.write(f"prepared up to {now:%Y-%m-%d %H:%M}\n")


def _deliver(
    folder: Path, tables: dict[str, pl.DataFrame], *, since: datetime | None, until: datetime
) -> None:
    """Put the dumps of the last days where the brief reads them."""
    for name, table in tables.items():
        some = table.filter(KNOWN[name] <= until)
        if since is not None:
            some = some.filter(KNOWN[name] > since)
        some.write_parquet(folder / "data" / f"{name}.parquet")


def _run(folder: Path, now: datetime) -> None:
    import wholeroad
    from wholeroad.adapters.clocks import SteppedClock
    from wholeroad.core.instants import to_instant

    wholeroad.open(folder, clock=SteppedClock(to_instant(now))).cycle()


def main() -> None:
    """Prepare it, and say how it stands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where it is kept")
    parser.add_argument("--nights", type=int, default=NIGHTS)
    asked = parser.parse_args()
    project = prepared(asked.cache, nights=asked.nights)

    import wholeroad
    from wholeroad.adapters.clocks import SteppedClock
    from wholeroad.core.instants import to_instant

    state = wholeroad.open(project, clock=SteppedClock(to_instant(UNTIL))).status()
    sys.stdout.write(f"{project}: {state.decided:,} cases decided, {state.fits} fits\n")


if __name__ == "__main__":
    main()
