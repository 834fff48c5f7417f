"""Rows set aside: each with a stable code, a sentence, and the row itself; nothing is lost."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.road.data.batches import CODE, QUARANTINE, REASON, ROW, Batch
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.content import row_hashes


class Verdict:
    """Says of every row of a frame what is wrong with it; the first fault found stands.

    Attributes
    ----------
    codes, reasons
        Text, shape (n,); null where nothing is wrong.
    """

    def __init__(self, rows: int) -> None:
        nothing = pl.Series(CODE, [None], dtype=pl.String).new_from_index(0, rows)
        self.codes = nothing
        self.reasons = nothing.alias(REASON)

    def blame(self, where: pl.Series, code: str, *, reason: pl.Expr, frame: pl.DataFrame) -> None:
        """Note a fault.

        Parameters
        ----------
        where
            Boolean, shape (n,); null is false.
        code
            Stable, dotted.
        reason
            An expression over ``frame`` (n rows) that gives a sentence.
        """
        fresh = where.fill_null(value=False) & self.codes.is_null()
        if not fresh.any():
            return
        chosen = pl.when(pl.lit(fresh))
        judged = frame.select(
            chosen.then(pl.lit(code)).otherwise(pl.lit(self.codes)).alias(CODE),
            chosen.then(reason).otherwise(pl.lit(self.reasons)).alias(REASON),
        )
        self.codes, self.reasons = judged[CODE], judged[REASON]

    def only(self, rows: pl.Series) -> Verdict:
        """Keep some rows, Boolean of shape (n,)."""
        kept = Verdict(0)
        kept.codes, kept.reasons = self.codes.filter(rows), self.reasons.filter(rows)
        return kept

    def fine(self) -> pl.Series:
        """Tell which rows have no fault."""
        return self.codes.is_null()


def set_aside(batch: Batch, verdict: Verdict, *, name: str, known: NDArray[np.int64] | None) -> pl.DataFrame:
    """Write the faulty rows of a batch down, those that are in the quarantine already left out.

    Parameters
    ----------
    batch
        The rows as they came are written down, not what a mend made of them.
    verdict
        On ``batch.frame``; the rows of ``batch.bad`` carry their own.
    name
        The source.
    known
        Shape (n,): ``content`` of what is in the quarantine, or None.

    Returns
    -------
    polars.DataFrame
        Columns of :data:`~wholeroad.road.data.batches.QUARANTINE`, by row number.
    """
    parts = [pl.DataFrame(schema={CODE: pl.String, REASON: pl.String, "row": pl.String, ROW: pl.Int64})]
    faulty = ~verdict.fine()
    if faulty.any():
        came = batch.frame if batch.raw is None else batch.raw
        judged = pl.DataFrame([verdict.codes, verdict.reasons, row_numbers(batch)]).filter(faulty)
        parts.append(judged.with_columns(_as_json(came.filter(faulty))))
    if batch.bad is not None and batch.bad.height:
        told = batch.bad.select(CODE, REASON, pl.col(ROW).cast(pl.Int64))
        parts.append(told.with_columns(_as_json(batch.bad.drop(CODE, REASON, ROW))))
    rows = pl.concat(parts, how="diagonal").sort(ROW)
    aside = rows.select(
        pl.lit(name).alias("source"),
        pl.col(CODE).alias("code"),
        pl.col(REASON).alias("reason"),
        "row",
        (pl.col(ROW) + batch.rows_before).alias("row_number"),
        pl.lit(batch.landed_at).cast(INSTANT).alias("landed_at"),
    )
    content = row_hashes(aside.select("source", "code", "row")).view("int64")
    aside = aside.with_columns(pl.Series("content", content, dtype=pl.Int64))
    fresh = aside["content"].is_first_distinct()
    if known is not None:
        fresh &= ~pl.Series(np.isin(aside["content"].to_numpy(), known))
    return aside.filter(fresh).select(*QUARANTINE)


def row_numbers(batch: Batch) -> pl.Series:
    """Give the place, from 1, of every row of ``batch.frame`` among all that came with it."""
    places = pl.int_range(1, batch.rows_in + 1, dtype=pl.Int64, eager=True).alias(ROW)
    if batch.bad is None or not batch.bad.height:
        return places
    return places.filter(~places.is_in(batch.bad[ROW].cast(pl.Int64).implode()))


def _as_json(frame: pl.DataFrame) -> pl.Series:
    """Write rows as JSON objects; what JSON has no word for is written as text."""
    plain = [
        column.cast(pl.String, strict=False) if column.dtype in {pl.Binary, pl.Time, pl.Object} else column
        for column in frame.iter_columns()
    ]
    rows = pl.DataFrame(plain).select(pl.struct(pl.all()).struct.json_encode().alias("row"))
    return rows["row"]
