"""Histories with corrected labels, to rehearse what correcting them is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from wholeroad.core.ids import chance
from wholeroad.road.data.history import History
from wholeroad.road.data.verdicts import CASE, SCHEMA, VERDICT, stand_over
from wholeroad.road.data.versions import KNOWN


def corrected(
    suspects: pl.DataFrame,
    *,
    most: int,
    verdicts: pl.DataFrame | None = None,
    confirmed: float | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """Give what the labels of the first suspects would be corrected to.

    Parameters
    ----------
    suspects
        In order; see :meth:`~wholeroad.road.review.work.Examined.frame`.
    most
        How many of them are looked at.
    verdicts
        What is believed of cases by now, in order of time: their last word counts, where there is one.
    confirmed
        Of suspects without a verdict: the share, 0 to 1, that is assumed to be wrong, drawn by the hash of
        the case. Draw with several seeds, and say that the rate is assumed. Without it they are left as they
        are. The suggestion is the opinion of the model that decided: judged by labels that are assumed so,
        it is judged in part by itself. If the rate is right, money comes out about right; if fewer labels
        are wrong, it may be off to either side, and no interval says so.

    Returns
    -------
    polars.DataFrame
        ``case, verdict``: the corrected labels, none where the label is as it was.
    """
    looked = suspects.head(most).select(CASE, "given", "suggested")
    said = pl.DataFrame(schema={CASE: pl.UInt64, VERDICT: pl.String})
    if verdicts is not None:
        said = verdicts.group_by(CASE, maintain_order=True).last().select(CASE, VERDICT)
    rate = 0.0 if confirmed is None else confirmed
    assumed = chance(looked[CASE].to_numpy(), seed=seed, salt="assumed confirmation") < rate
    return (
        looked.with_columns(pl.Series("assumed", assumed))
        .join(said.drop_nulls(), on=CASE, how="left", maintain_order="left")
        .with_columns(pl.coalesce(VERDICT, pl.when("assumed").then("suggested")).alias(VERDICT))
        .filter(pl.col(VERDICT) != pl.col("given"))
        .select(CASE, VERDICT)
    )


def relabelled(history: History, labels: pl.DataFrame, *, at_once: bool = True) -> History:
    """Give a history in which some cases have other labels; features over outcomes keep the old ones.

    Parameters
    ----------
    labels
        As :func:`corrected` gives them.
    at_once
        Whether the label was right from when the case's first outcome became known: what would have been
        learnt had nobody erred. Otherwise it becomes known at the end, when no model learns any more: then
        the money alone is corrected.
    """
    known = _first_known(history) if at_once else np.full(len(history.features), history.until)
    first = pl.DataFrame({CASE: history.cases.ids, KNOWN: known}, schema_overrides={KNOWN: pl.Int64})
    verdicts = labels.join(first, on=CASE, how="inner").select(list(SCHEMA)).cast(SCHEMA)
    told = stand_over(history.told, verdicts, cases=history.cases, classes=history.brief.outcome.classes)
    # What people said themselves is in the history as before; these labels are a supposition.
    told = replace(told, reviewed=history.told.reviewed, contradicted=history.told.contradicted)
    return replace(history, told=told, timeline=told.timeline)


def _first_known(history: History) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    timeline = history.timeline
    known = np.full(timeline.decided_at.size, history.until, dtype=np.int64)
    # Backwards, so that of several versions of one case the first stands.
    known[timeline.truth_case[::-1]] = timeline.truth_known_at[::-1]
    return known
