"""Labels that people looked at come into the plan: each stands for as many cases as were drawn for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

import worlds
from wholeroad import open as open_project
from wholeroad.engine.judged import judged_labels
from wholeroad.engine.reviewing import Reviews
from wholeroad.road.data.bias.groups import groups_of

FAIRNESS = """
[fairness]
least_cases = 10
[fairness.groups]
depot = { column = "depot" }
"""


def test_judged_labels_stand_for_all_cases_of_their_sheet(tmp_path: Path) -> None:
    cases, outcomes = worlds.parcels(days=60)
    project = open_project(worlds.write(tmp_path, cases, outcomes, brief=worlds.BRIEF + FAIRNESS))
    project.land()
    sheet = tmp_path / "sheet.csv"
    examined = project.labels.ask(sheet)
    rows = pl.read_csv(sheet, infer_schema=False)
    said = ["late" if place % 2 else "on_time" for place in range(rows.height)]
    rows.with_columns(pl.Series("verdict", said), pl.lit("ann").alias("by")).write_csv(sheet)
    project.labels.read(sheet)

    history = project.history()
    assert history.groups is not None
    assert history.brief.fairness is not None
    groups = groups_of(history.groups.frame, history.brief.fairness)
    yard = project.fairness._yard
    reviews = Reviews(yard.tables, yard.ledger)
    found = judged_labels(reviews, yard.facts, history=history, groups=groups)
    assert found is not None
    items = reviews.items()
    assert found.wrong.size == items.height == rows.height
    cases_judged, stands_for = examined.positions.size, round(float(found.stands_for.sum()), 6)
    assert stands_for == cases_judged
    assert (np.diff(found.blocks) >= 0).all()
    given = dict(zip(items["key"], items["given"], strict=True))
    verdicts = dict(zip(reviews.log()["key"], reviews.log()["verdict"], strict=True))
    assert int(found.wrong.sum()) == sum(given[key] != verdicts[key] for key in given)
