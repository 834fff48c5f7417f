"""Rows in batches of 1,000 to the service: how many a second, and what they wait for."""

from __future__ import annotations

import io
import json
import sys
import time
from collections import defaultdict
from typing import Any

import polars as pl
from serving_project import begins  # type: ignore[import-not-found]
from serving_servers import Server, counters  # type: ignore[import-not-found]

BATCH = 1_000


def batches(server: Server, count: int, flights: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Send so many batches of new rows of the departure board, one after the other, by turns in two forms.

    Returns
    -------
    dict
        By form: rows per second, CPU of the server for a row, the share of the time in which its thread
        worked, and that in which the disk was waited for.
    """
    media = {"ndjson": "application/x-ndjson", "arrow": "application/vnd.apache.arrow.stream"}
    taken = {form: defaultdict[str, float](float) for form in media}
    for number in range(count):  # by turns: the more rows there are, the more each of them costs
        for form, kind in media.items():
            body = _body(_rows(form, number, flights), form)
            if not number:
                _send(server, _body(_rows(form, -1, flights), form), kind)
            before, (cpu, beside) = counters(server), server.cpu_s()
            began = time.perf_counter()
            _send(server, body, kind)
            taken[form]["took"] += time.perf_counter() - began
            after, (cpu_after, beside_after) = counters(server), server.cpu_s()
            taken[form]["bytes"] += len(body)
            taken[form]["cpu"] += cpu_after - cpu
            taken[form]["beside"] += max(0.0, beside_after - beside)
            name = "wholeroad_flush_seconds_total"
            taken[form]["flush"] += after[name] - before[name]
    sent, found = count * BATCH, {}
    for form, sums in taken.items():
        found[form] = {
            "rows": sent,
            "rows_per_s": round(sent / sums["took"]),
            "bytes_per_row": round(sums["bytes"] / sent),
            "cpu_us_per_row": round(sums["cpu"] / sent * 1e6, 2),
            "beside_us_per_row": round(sums["beside"] / sent * 1e6, 2),
            "thread_busy": round(sums["cpu"] / sums["took"], 3),
            "flushing": round(sums["flush"] / sums["took"], 3),
        }
        sys.stderr.write(f"rows, {form}: {found[form]}\n")
    return found


def _rows(form: str, number: int, flights: list[dict[str, Any]]) -> pl.DataFrame:
    """Make rows of flights that left some minutes ago, each of its own."""
    shown = begins()
    rows = []
    for place in range(BATCH):
        flight = flights[place % len(flights)]
        rows.append(
            {
                "flight_id": f"{form}-{number}-{place}",
                "carrier": flight["carrier"],
                "origin": flight["origin"],
                "sched_dep": flight["sched_dep"],
                "state": "left",
                "left_at": shown,
                "dep_delay": place % 60 - 10,
                "shown_at": shown,
            }
        )
    return pl.DataFrame(rows)


def _body(frame: pl.DataFrame, form: str) -> bytes:
    if form == "ndjson":
        return frame.write_ndjson().encode()
    times = [pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC") for name in _times(frame)]
    file = io.BytesIO()
    frame.with_columns(times).write_ipc_stream(file)
    return file.getvalue()


def _times(frame: pl.DataFrame) -> list[str]:
    return [name for name in ("sched_dep", "left_at", "shown_at") if name in frame.columns]


def _send(server: Server, body: bytes, media: str) -> None:
    status, text = server.post("/v1/rows/board", body, media)
    if status != 200:
        sys.exit(f"a batch was answered with {status}: {text[:500].decode()}")
    landed = json.loads(text)["rows"]
    if len(landed) != BATCH or any(row["status"] != "landed" for row in landed):
        sys.exit(f"not all rows landed: {text[:500].decode()}")
