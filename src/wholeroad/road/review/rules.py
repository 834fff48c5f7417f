"""What people's verdicts on a case come to, at each instant at which one came."""

from __future__ import annotations

from typing import Final

import polars as pl

from wholeroad.road.data.verdicts import CASE, SCHEMA, VERDICT, ids_of
from wholeroad.road.data.versions import KNOWN

UNSURE: Final = "unsure"
"""The verdict of somebody who can't tell; it counts for no class, and takes an earlier verdict back."""

LOG: Final = pl.Schema(
    {
        "item": pl.String(),
        "key": pl.String(),
        "by": pl.String(),
        "verdict": pl.String(),
        "note": pl.String(),
        "_known_at": pl.Datetime("us", "UTC"),
    }
)
"""The table of verdicts: a row for each that somebody gave, null where they were unsure."""


def newest_of_each(log: pl.DataFrame) -> pl.DataFrame:
    """Give the newest verdict of each person on each case; the table is in order of arrival."""
    return log.sort(KNOWN, maintain_order=True).unique(["key", "by"], keep="last", maintain_order=True)


def standing(log: pl.DataFrame) -> pl.DataFrame:
    """Give what is believed of each case, from each instant at which that changed.

    Of each person the newest verdict known by then counts; the class that most of them name is believed.
    On a tie nothing is: then the outcome's own rows speak.

    Parameters
    ----------
    log
        As :data:`LOG`.

    Returns
    -------
    polars.DataFrame
        As :data:`~wholeroad.road.data.verdicts.SCHEMA`, in order of time: null where nothing is
        believed any more.
    """
    log = log.select(list(LOG)).with_row_index("place")
    instants = log.select("key", pl.col(KNOWN).alias("at")).unique()
    heard = (
        instants.join(log, on="key")
        .filter(pl.col(KNOWN) <= pl.col("at"))
        .sort(KNOWN, "place")
        .unique(["key", "at", "by"], keep="last", maintain_order=True)
    )
    counts = heard.group_by("key", "at", VERDICT).agg(pl.len().alias("votes"))
    named = pl.col("votes").filter(pl.col(VERDICT).is_not_null())
    first = (named == named.max()).sum() == 1
    winner = pl.col(VERDICT).filter(pl.col(VERDICT).is_not_null() & (pl.col("votes") == named.max())).first()
    believed = (
        counts.group_by("key", "at")
        .agg(pl.when(first).then(winner).alias(VERDICT))
        .sort("at", "key")
        .with_columns(pl.col(VERDICT).shift(1).over("key", order_by="at").alias("before"))
        .filter(~pl.col(VERDICT).eq_missing(pl.col("before")))
    )
    return (
        believed.select(ids_of(believed["key"]), pl.col("at").alias(KNOWN), VERDICT)
        .cast(SCHEMA)
        .sort(KNOWN, CASE)
    )


def contested(log: pl.DataFrame) -> list[str]:
    """Give the keys of cases about which people disagree so that nothing is believed, in order."""
    votes = newest_of_each(log).drop_nulls(VERDICT)
    counts = votes.group_by("key", VERDICT).len()
    tied = counts.group_by("key").agg((pl.col("len") == pl.col("len").max()).sum().alias("first"))
    return tied.filter(pl.col("first") > 1)["key"].sort().to_list()
