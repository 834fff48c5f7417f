"""Comparing groups and contesting a decision: both pages are typed as they are printed.

``python tests/test_how_to_fairness.py`` writes the outputs on the pages anew.
"""

from __future__ import annotations

import re
import tempfile
from datetime import timedelta
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
STANDS = re.compile(r"^<!-- as it stands -->\n```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEPOTS = ["harbour", "north", "south"]
BRIEF = worlds.BRIEF.replace(', by = "depot"', "")
FAIRNESS = """
[fairness]
selected_is = "benefit"
appeals_to = "the parcel desk, desk@parcels.example"
answered_within = "14d"
[fairness.groups]
depot = { column = "depot" }
[fairness.changeable]
weight = "down"
"""


def parcels(*, days: int = 70, per_day: int = 50) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make parcels: heavy ones are late, most of all from the harbour; few come from the south."""
    dice = np.random.default_rng(1)
    count = days * per_day
    minutes = np.sort(dice.integers(0, days * 1440, count)).astype("timedelta64[m]")
    sent = np.datetime64(worlds.START.replace(tzinfo=None), "us") + minutes
    weight = dice.gamma(2.0, 2.0, count).round(2)
    depot = dice.choice(DEPOTS, count, p=[0.3, 0.45, 0.25])
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


def project(folder: Path) -> Typist:
    """Put the project of the first page into a folder."""
    worlds.write(folder, *parcels(), brief=BRIEF)
    return Typist(folder, to_instant(worlds.START + timedelta(days=72)))


def running(folder: Path) -> Typist:
    """Run the project of the second page for ten days, and give it as the eleventh begins."""
    cases, outcomes = parcels()
    for days in (30, 40):
        now = worlds.START + timedelta(days=days, hours=1)
        known = cases.filter(pl.col("booked_at") <= now), outcomes.filter(pl.col("reported_at") <= now)
        worlds.write(folder, *known, brief=BRIEF + FAIRNESS)
        wholeroad.open(folder, clock=SteppedClock(to_instant(now))).cycle()
    return Typist(folder, to_instant(worlds.START + timedelta(days=41)))


@pytest.mark.parametrize(
    ("page", "start"), [(COMPARE, project), (CONTEST, running)], ids=["compare", "contest"]
)
def test_a_page_prints_what_it_shows(page, start, tmp_path):
    typist, faults, outputs = start(tmp_path / "parcels"), [], ""
    for block in blocks_of(page):
        faults += typist.follow([block])
        outputs += typist.out + block.text if block.kind in ("sh", "add") else ""
    assert faults == [], "python tests/test_how_to_fairness.py writes the outputs anew"
    figures = {found for found in NUMBER.findall(FENCED.sub("", page.read_text("utf-8"))) if len(found) > 2}
    assert figures - set(re.findall(r"\d[\d,.]*\d", outputs)) == set()


def test_the_page_about_appeals_begins_with_the_brief_that_runs():
    block = STANDS.search(CONTEST.read_text("utf-8"))
    assert block[1] in BRIEF + FAIRNESS


def print_anew() -> None:
    """Put the outputs as they are now into the pages."""
    with tempfile.TemporaryDirectory() as folder:
        anew(COMPARE, project(Path(folder) / "compare"))
        anew(CONTEST, running(Path(folder) / "contest"))


if __name__ == "__main__":
    print_anew()
