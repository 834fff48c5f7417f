"""Labels that people looked at, by group: from sheets and verdicts to what wrong labels are counted on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wholeroad.core.facts import Fact
from wholeroad.engine.reviewing import Reviews
from wholeroad.road.data.bias.groups import Grouping
from wholeroad.road.data.blocks import blocks_of
from wholeroad.road.data.history import History
from wholeroad.road.data.verdicts import CASE, VERDICT, ids_of
from wholeroad.road.review.facts import ReviewAsked
from wholeroad.road.review.noise_by_verdicts import JudgedLabels, weigh_judged
from wholeroad.road.review.rules import standing


def judged_labels(
    reviews: Reviews, facts: Sequence[Fact], *, history: History, groups: Sequence[Grouping]
) -> JudgedLabels | None:
    """Gather what people found of the labels on all sheets; None before anybody looked at one.

    Parameters
    ----------
    facts
        The project's ledger, which tells from how many cases each sheet was drawn.
    groups
        Over all cases of the history.
    """
    log, items = reviews.log(), reviews.items()
    if not log.height or not items.height:
        return None
    believed = standing(log).unique(CASE, keep="last", maintain_order=True)
    asked = {fact.review: fact.cases for fact in facts if isinstance(fact, ReviewAsked)}
    places = pl.DataFrame({CASE: history.cases.ids}).with_row_index("place")
    rows = (
        items.with_columns(ids_of(items["key"]))
        .join(places, on=CASE, maintain_order="left")
        .join(believed.select(CASE, VERDICT), on=CASE, how="left", maintain_order="left")
    )
    parts = [
        part.with_columns(
            pl.Series(
                "_stands_for",
                weigh_judged(
                    part["kind"].to_list(),
                    part[VERDICT].is_not_null().to_numpy(),
                    cases=asked.get(int(review), part.height),
                ),
            )
        )
        for (review,), part in rows.group_by("review", maintain_order=True)
    ]
    if not parts:
        return None
    every = pl.concat(parts).sort("place")
    at = every["place"].to_numpy().astype(np.int64)
    blocks, _ = blocks_of(history.timeline.decided_at[at])
    return JudgedLabels(
        codes={each.name: each.codes[at] for each in groups},
        wrong=(every[VERDICT] != every["given"]).fill_null(value=False).to_numpy(),
        stands_for=every["_stands_for"].to_numpy(),
        blocks=blocks,
    )
