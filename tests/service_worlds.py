"""A service in a test: a small world on disk, a stepped clock, and deliveries in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import wholeroad
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import format_instant
from wholeroad.engine.live import Replayed
from wholeroad.serving.processes import OneThread
from wholeroad.serving.service import Service
from worlds import write


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row on its way: when it comes, for which source, as JSON has it."""

    at: int
    source: str
    row: dict[str, Any]


def as_json(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give rows as they are sent: instants as texts."""
    texts = [
        pl.Series(name, [None if at is None else format_instant(at) for at in frame[name].to_physical()])
        if frame.schema[name] == pl.Datetime("us", "UTC")
        else frame[name]
        for name in frame.columns
    ]
    return pl.DataFrame(texts).to_dicts()


def deliveries(source: str, frame: pl.DataFrame, *, known_at: str, after: int) -> list[Delivery]:
    """Make a delivery of each row that becomes known after an instant, at that instant."""
    some = frame.filter(pl.col(known_at).to_physical() > after)
    return [
        Delivery(at, source, row)
        for at, row in zip(some[known_at].to_physical(), as_json(some), strict=True)
    ]


def begun(folder: Path, at: int, *, brief: str, cases: pl.DataFrame, outcomes: pl.DataFrame) -> Path:
    """Write a project that has landed nothing, with what is known by an instant in its files."""
    return write(
        folder,
        cases.filter(pl.col("booked_at").to_physical() <= at),
        outcomes.filter(pl.col("reported_at").to_physical() <= at),
        brief=brief,
    )


def serving(
    root: Path, clock: SteppedClock, drive: Callable[[Service], Awaitable[None]], **options: Any
) -> None:
    """Run a service, drive it, and close it."""

    async def run() -> None:
        project = wholeroad.open(root, clock=clock)
        service = Service(project, host=OneThread, poll_s=0.002, **options)
        await service.start()
        try:
            await drive(service)
        finally:
            await service.close()

    asyncio.run(run())


async def settled(service: Service) -> None:
    """Wait until nothing is under way beside the answers."""
    while not service.idle:
        await asyncio.sleep(0.001)


def replayed(root: Path, clock: SteppedClock) -> Replayed:
    """Hold the ledger against its rehearsal."""
    return wholeroad.open(root, clock=clock).replay()
