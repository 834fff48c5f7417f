"""Comparing groups and contesting a decision: both pages are typed as they are printed.

``python tests/test_how_to_fairness.py`` writes the outputs on the pages anew.
"""

from __future__ import annotations

import re
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import wholeroad
import worlds
from pages import FENCED, ROOT, Typist, anew, blocks_of
from wholeroad.adapters.clocks import SteppedClock
from wholeroad.core.instants import to_instant

HOW_TOS = ROOT / "docs" / "how-to"
COMPARE = HOW_TOS / "compare-groups.md"
CONTEST = HOW_TOS / "contest-a-decision.md"
NUMBER = re.compile(r"(?<![\w.,-])\d[\d,.]*\d(?![\w-])")
DEPOTS = ["harbour", "north", "south", "island"]
BRIEF = worlds.BRIEF.replace(', by = "depot"', "")


def parcels(*, days: int = 70, per_day: int = 50) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make parcels: heavy ones are late, most of all from the harbour; the island sends few."""
    dice = np.random.default_rng(1)
    count = days * per_day
    minutes = np.sort(dice.integers(0, days * 1440, count)).astype("timedelta64[m]")
    sent = np.datetime64(worlds.START.replace(tzinfo=None), "us") + minutes
    weight = dice.gamma(2.0, 2.0, count).round(2)
    depot = dice.choice(DEPOTS, count, p=[0.3, 0.4, 0.295, 0.005])
    delay = 6 * weight * (0.5 + (depot == "harbour")) * dice.lognormal(0, 0.4, count)
    delivered = sent + np.round(delay * 3600).astype("timedelta64[s]")
    booked = sent - dice.integers(120, 48 * 60, count).astype("timedelta64[m]")
    reported = delivered + dice.integers(0, 600, count).astype("timedelta64[m]")
    stamps = {
        name: pl.Series(instants).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        for name, instants in {"sent": sent, "booked": booked, "done": delivered, "told": reported}.items()
    }
    numbers = np.arange(count)
    cases = pl.DataFrame(
        {
            "parcel_id": numbers,
            "sent_at": stamps["sent"],
            "booked_at": stamps["booked"],
            "weight_kg": weight,
            "depot": depot,
        }
    )
    outcomes = pl.DataFrame(
        {
            "parcel_id": numbers,
            "delivered_at": stamps["done"],
            "reported_at": stamps["told"],
            "delay_h": delay.round(2),
        }
    )
    return cases, outcomes
