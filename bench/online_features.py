"""Online features of the flights example: loading a year, then a week of rows and cases, one at a time.

The year is landed once into a throw-away project. Measured: how long it takes to load everything that was
known at the beginning of the last week, and the resident memory that it adds; then, row by row and case by
case in the order of time, microseconds per row put and per case asked. Every answer is then held against the
bulk executor, to the bit. Goals: 2 s, 150 MB, 40 us per case.

Run ``python bench/online_features.py [--days 7] [--data examples/flights]``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from wholeroad.adapters.scratch import SqliteScratch
from wholeroad.adapters.tables_delta import DeltaTables
from wholeroad.core.instants import DAY
from wholeroad.engine.storehouse import Storehouse
from wholeroad.project import open_project
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.binding import Bound, bind_brief
from wholeroad.road.data.cases import DECIDED, Cases, decide_cases
from wholeroad.road.data.features.bulk import compute
from wholeroad.road.data.features.online import OnlineFeatures
from wholeroad.road.data.features.physical import physical
from wholeroad.road.data.outcomes import outcome_versions, tell_outcomes
from wholeroad.road.data.row_versions import Key, RowVersion
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)
from wholeroad.road.data.work import last_known

FLIGHTS = Path(__file__).parents[1] / "examples" / "flights"
MOST_LOAD_S, MOST_MB, MOST_US = 2.0, 150, 40


def resident_mb() -> float:
    """Give this process's resident memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def history(folder: Path) -> tuple[Brief, Bound, dict[str, Versions], Cases]:
    """Land the year, and give its versions, outcomes among them, and its cases."""
    project = open_project(folder)
    project.land()
    brief = project.brief
    store = Storehouse(brief, DeltaTables(project.folder.tables), threads=2)
    schemas = {name: store.schema(name) for name in brief.source}
    bound = bind_brief(brief, schemas)
    sources = {name: store.versions(name) for name in brief.source}
    until = last_known(sources)
    cases = decide_cases(sources[brief.case.source], bound.decide_at, until=until)
    told = tell_outcomes(
        cases, sources[brief.outcome.source], truth=bound.truth, outcome=brief.outcome, until=until
    )
    columns = schemas[brief.case.source].names()
    sources["outcomes"] = outcome_versions(
        cases, told.timeline, classes=brief.outcome.classes, columns=columns
    )
    return brief, bound, sources, cases


def known_by(versions: Versions, at: int) -> Versions:
    """Give what was known at an instant."""
    instant = pl.lit(at).cast(pl.Datetime("us", "UTC"))
    frame = versions.frame.filter(pl.col(KNOWN) <= instant)
    still = pl.when(pl.col(SUPERSEDED) <= instant).then(pl.col(SUPERSEDED))
    return Versions(versions.source, versions.key, frame.with_columns(still.alias(SUPERSEDED)))


def arrivals(versions: Versions, since: int, until: int) -> Iterator[tuple[int, str, Key, list[RowVersion]]]:
    """Give the rows that became known in a span: when, of which source, and all versions of each by then."""
    keys = list(versions.key)
    new = versions.frame.filter(pl.col(KNOWN).to_physical().is_between(since, until, closed="right"))
    frame = versions.frame.join(new.select(keys).unique(), on=keys, how="semi", maintain_order="left")
    columns = {name: physical(frame[name]) for name in frame.columns}
    own = [name for name in frame.columns if not name.startswith("_")]
    by_key: dict[Key, list[RowVersion]] = {}
    for place in range(frame.height):
        key = tuple(columns[name][place] for name in keys)
        known = columns[KNOWN][place]
        before = by_key.get(key, [])
        if before:
            before = [*before[:-1], replace(before[-1], superseded_at=known)]
        values = {name: columns[name][place] for name in own}
        by_key[key] = [
            *before,
            RowVersion(
                columns[HAPPENED][place],
                known,
                columns[ORDER][place],
                columns[DELETED][place],
                values,
                None,
                columns[FIRST_KNOWN][place],
            ),
        ]
        if known > since:
            yield known, versions.source, key, by_key[key]


def replay(
    online: OnlineFeatures, sources: Mapping[str, Versions], cases: pl.DataFrame, *, since: int, until: int
) -> tuple[list[float], list[float], list[tuple[Any, ...]]]:
    """Put the rows and ask for the cases of a span; give seconds per row and per case, and the answers."""
    events: list[tuple[int, int, Any]] = []
    for versions in sources.values():
        for known, source, key, rows in arrivals(versions, since, until):
            events.append((known, 0, (source, key, rows)))
    columns = {name: physical(cases[name]) for name in cases.columns}
    for place, at in enumerate(columns[DECIDED]):
        events.append((at, 1, {name: values[place] for name, values in columns.items()}))
    events.sort(key=lambda event: event[:2])
    gc.collect()
    gc.freeze()  # as the service does once it has loaded
    puts, asks, answers = [], [], []
    for at, kind, what in events:
        online.advance(at)
        if kind:
            start = time.perf_counter()
            answers.append(online.of(what, decided_at=at))
            asks.append(time.perf_counter() - start)
        else:
            start = time.perf_counter()
            online.put(what[0], what[1], versions=what[2])
            puts.append(time.perf_counter() - start)
    return puts, asks, answers


def equal(answers: list[tuple[Any, ...]], expected: pl.DataFrame) -> bool:
    """Compare with bulk, to the bit."""
    columns = [physical(column) for column in expected.iter_columns()]
    return [list(map(repr, column)) for column in zip(*answers, strict=True)] == [
        list(map(repr, column)) for column in columns
    ]


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--data", type=Path, default=FLIGHTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "flights"
        shutil.copytree(options.data, folder, ignore=shutil.ignore_patterns(".wholeroad", "rehearsals"))
        brief, bound, sources, every = history(folder)
    until = int(every.decided_at.max())
    since = until - options.days * DAY
    schemas = {
        name: pl.Schema(
            {column: dtype for column, dtype in versions.frame.schema.items() if column[0] != "_"}
        )
        for name, versions in sources.items()
    }
    asked = {feature.source for feature in bound.features if hasattr(feature, "source")}
    past = {name: known_by(versions, since) for name, versions in sources.items() if name in asked}
    before, start = resident_mb(), time.perf_counter()
    online = OnlineFeatures(
        bound.features,
        case_source=brief.case.source,
        case_key=every.key,
        schemas=schemas,
        scratch=SqliteScratch(),
    )
    for versions in past.values():
        online.load(versions, at=since)
    load_s, load_mb = time.perf_counter() - start, resident_mb() - before
    rows, keys = online.rows_held, online.keys_held
    cases = every.frame.filter(pl.col(DECIDED).to_physical() > since)
    feeding = {name: sources[name] for name in past}
    puts, asks, answers = replay(online, feeding, cases, since=since, until=until)
    expected = compute(
        bound.features, cases, sources=sources, case_source=brief.case.source, case_key=every.key
    )
    result: dict[str, Any] = {
        "bench": "online_features",
        "features": len(bound.features),
        "versions": {name: versions.frame.height for name, versions in past.items()},
        "load_s": load_s,
        "load_mb": load_mb,
        "rows_held": rows,
        "keys_held": keys,
        "cases": len(asks),
        "rows_put": len(puts),
        "us_per_case": statistics.median(asks) * 1e6,
        "us_per_case_mean": statistics.mean(asks) * 1e6,
        "us_per_case_p99": sorted(asks)[math.ceil(len(asks) * 0.99) - 1] * 1e6,
        "us_per_row": statistics.median(puts) * 1e6,
        "us_per_row_mean": statistics.mean(puts) * 1e6,
        "equal": equal(answers, expected),
        "goal": {"load_s": MOST_LOAD_S, "load_mb": MOST_MB, "us_per_case": MOST_US},
    }
    sys.stderr.write(
        f"online features of the flights ({len(bound.features)}): a year of "
        f"{sum(result['versions'].values()):,} versions loaded in {load_s:.2f} s (goal {MOST_LOAD_S} s), "
        f"+{load_mb:.0f} MB (goal {MOST_MB}), {rows:,} entries of {keys:,} keys; {len(asks):,} cases at "
        f"{result['us_per_case']:.0f} us (goal {MOST_US}; mean {result['us_per_case_mean']:.0f}, p99 "
        f"{result['us_per_case_p99']:.0f}), {len(puts):,} rows at {result['us_per_row']:.0f} us (mean "
        f"{result['us_per_row_mean']:.0f}); equal to bulk: {result['equal']}\n"
    )
    print(json.dumps(result))
    if not result["equal"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
