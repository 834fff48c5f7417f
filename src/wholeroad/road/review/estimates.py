"""What a review showed: how many flags were right, and how many errors the flags missed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from wholeroad.road.data.verdicts import VERDICT
from wholeroad.road.review.intervals import Bounded, share_of
from wholeroad.road.review.rules import newest_of_each


@dataclass(frozen=True, slots=True)
class Audit:
    """What the verdicts on one sheet say of the labels.

    Attributes
    ----------
    confirmed
        Share of the judged suspects whose label people found wrong: the precision of these flags. Until they
        are judged nobody knows it.
    missed
        Share of the judged cases among those drawn by chance whose label people found wrong: how many errors
        there are where nobody suspected one.
    errors
        Wrong labels among all cases that the sheet was drawn from: those that were confirmed, what
        ``confirmed`` comes to over suspects on the sheet that are still open (at the ends: none of them, and
        all), and what ``missed`` comes to over all cases that weren't shown as suspects. At the least, those
        that were found. Conditional on people being right.
    money
        What the confirmed suspects were booked with too much or too little, added up without signs.
    open, contested
        Items that nobody has judged yet, or only with *unsure*; and those on which people disagree evenly.
    """

    review: int
    confirmed: Bounded
    missed: Bounded
    errors: Bounded
    money: float
    open: int
    contested: int


def audit(items: pl.DataFrame, log: pl.DataFrame, *, cases: int) -> Audit:
    """Hold the verdicts on one sheet against the labels that were given.

    Parameters
    ----------
    items
        Of the sheet; see :data:`~wholeroad.road.review.sheets.ITEMS`.
    log
        All verdicts; see :data:`~wholeroad.road.review.rules.LOG`.
    cases
        From which the sheet was drawn.
    """
    votes = newest_of_each(log).filter(pl.col("item").is_in(items["item"].to_list())).drop_nulls(VERDICT)
    counts = votes.group_by("key", VERDICT).len().filter(pl.col("len") == pl.col("len").max().over("key"))
    named = counts.group_by("key").agg(pl.len().alias("first"), pl.col(VERDICT).first())
    told = items.join(named, on="key", how="left")
    settled = told.filter(pl.col("first") == 1).with_columns(
        (pl.col(VERDICT) != pl.col("given")).alias("wrong")
    )
    suspects, drawn = (settled.filter(pl.col("kind") == kind) for kind in ("suspect", "drawn"))
    missed = share_of(int(drawn["wrong"].sum()), drawn.height)
    hits = int(suspects["wrong"].sum())
    shown = items.filter(pl.col("kind") == "suspect").height
    return Audit(
        review=int(items["review"][0]) if items.height else 0,
        confirmed=share_of(hits, suspects.height),
        missed=missed,
        errors=_errors(
            suspects=(hits, suspects.height, shown),
            drawn=(int(drawn["wrong"].sum()), drawn.height, cases - shown),
        ),
        money=float(suspects.filter("wrong")["money"].sum()),
        open=told.filter(pl.col("first").is_null()).height,
        contested=told.filter(pl.col("first") > 1).height,
    )


def _errors(*, suspects: tuple[int, int, int], drawn: tuple[int, int, int]) -> Bounded:
    """Add up wrong labels; each of both is how many were found wrong, were settled, and were there."""
    hits, looked, shown = suspects
    wrong, seen, others = drawn
    unsettled = shown - looked
    missed = share_of(wrong, seen)
    low = hits + max(wrong, others * missed.low)
    high = hits + unsettled + min(others - (seen - wrong), others * missed.high)
    confirmed = hits / looked if looked else math.nan
    value = hits + (unsettled * confirmed if unsettled else 0.0) + others * missed.value
    return Bounded(value, low, high, shown + others)
