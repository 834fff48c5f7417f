"""Clean worlds, and thirty kinds of trouble planted in them: what a profile of data is measured with.

It is known where trouble was planted, so that it can be counted what a profile finds and rightly names. All
is drawn from seeds. Sizes were fixed before any profile was tried on them:

====================================  ==========================================  ======  ======  ======
kind                                  what is touched                             large   middle  small
====================================  ==========================================  ======  ======  ======
most of values and of times           share of a source's rows                    10 %    2 %     0.3 %
unit-change, missing-since,           the same share, in one run of time
backfill, clock-shift, time-gap
new-category, outcome-rate-shift      the same share, in the last part of time
segment-without-outcomes              the segment's share of cases, the nearest   10 %    2 %     0.3 %
outliers                              share of rows, 10 to 100 times the greatest 1 %     0.2 %   0.03 %
constant-column                       rows that say something else                none    0.1 %   0.5 %
redundant-column                      rows in which the two disagree              none    2 %     10 %
leak                                  rows in which the truth stands              95 %    70 %    30 %
known-too-late                        rows whose value comes after the decision   100 %   30 %    5 %
====================================  ==========================================  ======  ======  ======

At least one row is touched. Profiles are tuned on the four businesses and on seeds 0 to 9. Seeds from 100 on
and the fifth business are for the last count, and there half of the troubles that have a form (a word, a
factor, a code) take one that isn't among those of the seeds below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import polars as pl
from numpy.random import Generator, default_rng  # noqa: TID251 - a world is drawn from a seed, not decided

from wholeroad.adapters.blobs import MemoryBlobs
from wholeroad.adapters.ledgers import MemoryLedger
from wholeroad.adapters.tables_memory import MemoryTables
from wholeroad.core.instants import DAY, parse_instant
from wholeroad.engine.facts import decode
from wholeroad.engine.intake import Intake
from wholeroad.engine.storehouse import Storehouse
from wholeroad.road.brief.contract import Brief
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.troubles import KINDS
from wholeroad.road.data.versions import Versions
from wholeroad.testing import (
    troubles_loans,
    troubles_machines,
    troubles_orders,
    troubles_parcels,
    troubles_stays,
)
from wholeroad.testing.troubles_drawing import END, World
from wholeroad.testing.troubles_of_time import OF_TIME
from wholeroad.testing.troubles_of_values import OF_VALUES
from wholeroad.testing.troubles_planting import HELD_OUT, SIZES, Bed, Planted, Size

TEMPLATES: Final[Mapping[str, tuple[World, Callable[[Generator, int], dict[str, pl.DataFrame]]]]] = {
    "loans": (troubles_loans.BUSINESS, troubles_loans.draw),
    "machines": (troubles_machines.BUSINESS, troubles_machines.draw),
    "orders": (troubles_orders.BUSINESS, troubles_orders.draw),
    "parcels": (troubles_parcels.BUSINESS, troubles_parcels.draw),
}
"""Each business, without rows, and what draws its rows."""
TUNING: Final = tuple(range(10))
"""Seeds that a profile may be tuned on."""
NOT_TUNED_ON: Final = {"stays": (troubles_stays.BUSINESS, troubles_stays.draw)}
"""A business for the last count only."""

__all__ = [
    "HELD_OUT",
    "KINDS",
    "NOT_TUNED_ON",
    "SIZES",
    "TEMPLATES",
    "TUNING",
    "Planted",
    "Size",
    "World",
    "clean_world",
    "in_memory",
    "plant",
]


def clean_world(template: str, *, seed: int, rows: int = 4000) -> World:
    """Draw a world in which nothing is wrong.

    Parameters
    ----------
    template
        One of :data:`TEMPLATES` or :data:`NOT_TUNED_ON`.
    rows
        Cases, and events; the static table has fewer.

    Examples
    --------
    >>> world = clean_world("loans", seed=1, rows=500)
    >>> sorted(world.frames), world.columns
    (['applications', 'payments', 'people', 'repayments'], 26)
    """
    every = {**TEMPLATES, **NOT_TUNED_ON}
    business, draw = every[template]
    dice = default_rng([seed, [*every].index(template)])
    return replace(business, frames=draw(dice, rows))


def plant(world: World, kind: str, *, size: Size, seed: int) -> tuple[World, Planted]:
    """Plant one trouble in a world.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    seed
        Which column, segment and rows are hit.

    Examples
    --------
    >>> world, planted = plant(clean_world("loans", seed=1), "quality.orphans", size="large", seed=1)
    >>> planted.kind, planted.rows
    ('quality.orphans', 415)
    """
    dice = default_rng([seed, KINDS.index(kind), list(SIZES).index(size)])
    return {**OF_VALUES, **OF_TIME}[kind](Bed(world, kind, size, dice, seed >= HELD_OUT))


def in_memory(world: World) -> tuple[Brief, dict[str, Versions], History]:
    """Land a world's rows in memory: its brief, the row versions by source, and the history."""
    brief = read_brief(world.brief)
    tables = MemoryTables()
    intake = Intake(tables, MemoryLedger(decode), blobs=MemoryBlobs(), sources=brief.source)
    now = parse_instant(str(END.astype("datetime64[D]"))) + DAY
    for name, source in brief.source.items():
        intake.take(name, source, rows=world.frames[name], now=now, imported=True)
    house = Storehouse(brief, tables, threads=1)
    return brief, {name: house.versions(name) for name in brief.source}, house.history()
