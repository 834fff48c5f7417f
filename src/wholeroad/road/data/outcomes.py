"""The truth about cases: every version of it, and when it became known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Instant
from wholeroad.core.view import PENDING, UNKNOWN, Timeline
from wholeroad.road.brief.contract import OutcomeTable
from wholeroad.road.brief.rules import OUTCOMES
from wholeroad.road.data.cases import DECIDED, Cases
from wholeroad.road.data.versions import (
    DELETED,
    FIRST_KNOWN,
    HAPPENED,
    KNOWN,
    ORDER,
    SUPERSEDED,
    Versions,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the outcome rows told; the newest version of each row counts.

    Attributes
    ----------
    timeline
        Every version of every truth, in order of time.
    silent
        Shape (m,), of the timeline's versions: nothing was told, silence is taken for ``if_never``.
    rows, joined
        Outcome rows, and those among them that belong to a decided case.
    nulls
        Joined rows, not the case's own, whose truth was null.
    no_class
        Joined rows by the text that they told, where it is none of the classes; the most frequent first.
    """

    timeline: Timeline
    silent: NDArray[np.bool_]
    rows: int
    joined: int
    nulls: int
    no_class: dict[str, int]


def outcome_timeline(
    cases: Cases, versions: Versions, *, truth: Expression, outcome: OutcomeTable, until: Instant
) -> Timeline:
    """Give the timeline of :func:`tell_outcomes` alone."""
    return tell_outcomes(cases, versions, truth=truth, outcome=outcome, until=until).timeline


def tell_outcomes(
    cases: Cases, versions: Versions, *, truth: Expression, outcome: OutcomeTable, until: Instant
) -> Told:
    """Put the versions of every case's truth in order of time.

    An outcome is known at its row's ``known_at``, and never before the case was decided: one
    that was known already counts one microsecond after the decision, since at one instant
    arrivals come first and decisions last. A truth that is null or no class is *unknown*.
    Silence means ``if_never`` once ``never_after`` has passed, until an outcome comes.

    Parameters
    ----------
    versions
        Of the outcome's source.
    until
        The last instant of the history: silence after it isn't known yet.
    """
    decided_at = cases.decided_at
    rows = _joined(cases, versions, truth, outcome)
    codes = _codes(rows["_truth"], outcome.classes)
    case = rows["_case"].to_numpy()
    claimed = rows[KNOWN].to_physical().to_numpy()
    order = rows[ORDER].to_numpy()
    known = np.maximum(claimed, decided_at[case] + 1)
    # A row that was there before the decision, or is the case's own, and tells no truth is no outcome yet.
    early = (known > claimed) | (cases.source == versions.source)
    codes[early & (codes == UNKNOWN)] = PENDING
    gone = rows[DELETED].to_numpy()
    if gone.any():
        codes = _standing(rows, codes, known, gone)
    silences = 0
    if outcome.if_never != "drop" and outcome.never_after is not None:
        spoken = codes != PENDING
        silent, at = _silent(decided_at, case[spoken], known[spoken], after=outcome.never_after, until=until)
        silences = silent.size
        code = np.int8(outcome.classes.index(outcome.if_never))
        case = np.concatenate([case, silent])
        codes = np.concatenate([codes, np.full(silent.size, code, dtype=np.int8)])
        known = np.concatenate([known, at])
        claimed = np.concatenate([claimed, at])
        order = np.concatenate([order, np.zeros(silent.size, dtype=order.dtype)])
    by_time = np.lexsort((case, order, claimed, known))
    timeline = Timeline(
        decided_at=decided_at,
        truth_known_at=known[by_time],
        truth_case=case[by_time].astype(np.int32),
        truth_code=codes[by_time],
    )
    silence = by_time >= by_time.size - silences
    return _told(timeline, silence, rows, versions=versions, early=early, classes=outcome.classes)


def _told(
    timeline: Timeline,
    silent: NDArray[np.bool_],
    rows: pl.DataFrame,
    *,
    versions: Versions,
    early: NDArray[np.bool_],
    classes: tuple[str, ...],
) -> Told:
    newest = pl.col(SUPERSEDED).is_null() & ~pl.col(DELETED)
    standing = rows.select("_truth", newest.alias("_newest"), pl.Series("_early", early)).filter("_newest")
    strange = standing.filter(~pl.col("_truth").is_in(classes))["_truth"].drop_nulls().value_counts()
    return Told(
        timeline=timeline,
        silent=silent,
        rows=versions.frame.select(newest.sum()).item(),
        joined=standing.height,
        nulls=standing.select((pl.col("_truth").is_null() & ~pl.col("_early")).sum()).item(),
        no_class=dict(strange.sort("count", "_truth", descending=[True, False]).iter_rows()),
    )


def outcome_versions(
    cases: Cases, timeline: Timeline, *, classes: tuple[str, ...], columns: Collection[str]
) -> Versions:
    """Give the built-in source ``outcomes``: decided cases with their truth.

    Parameters
    ----------
    columns
        The case's columns that features use; the others are left out.
    """
    wanted = [name for name in cases.frame.columns if name in {*columns, *cases.key}]
    case = timeline.truth_case
    names = pl.Series("truth", [*classes, None, None], dtype=pl.String)
    # Codes count from the end for unknown (-1) and pending (-2), both null.
    position = np.where(timeline.truth_code < 0, len(classes), timeline.truth_code).astype(np.uint32)
    known = pl.Series(KNOWN, timeline.truth_known_at).cast(pl.Datetime("us", "UTC"))
    first, superseded = _spans(case, timeline.truth_known_at)
    frame = cases.frame.select(wanted)[case.astype(np.uint32)].with_columns(
        names.gather(position).alias("truth"),
        cases.frame[DECIDED].gather(case.astype(np.uint32)).alias(HAPPENED),
        known,
        pl.Series(ORDER, np.arange(case.size, dtype=np.int64)),
        pl.Series(DELETED, timeline.truth_code == PENDING),
        superseded.alias(SUPERSEDED),
        first.alias(FIRST_KNOWN),
    )
    return Versions(OUTCOMES, cases.key, frame)


def _spans(case: NDArray[np.int32], known: NDArray[np.int64]) -> tuple[pl.Series, pl.Series]:
    stamp = pl.Datetime("us", "UTC")
    if np.unique(case).size == case.size:
        return pl.Series(known).cast(stamp), pl.Series([None], dtype=stamp).new_from_index(0, case.size)
    spans = pl.DataFrame({"case": case, "known": known}).select(
        pl.col("known").first().over("case").cast(stamp).alias("first"),
        pl.col("known").shift(-1).over("case").cast(stamp).alias("superseded"),
    )
    return spans["first"], spans["superseded"]


def _joined(cases: Cases, versions: Versions, truth: Expression, outcome: OutcomeTable) -> pl.DataFrame:
    used = [name.removeprefix("case.") for name in truth.columns if name.startswith("case.")]
    left = list(cases.key)
    right = list(outcome.by or cases.key)
    lookup = cases.frame.lazy().select(
        *(pl.col(name).alias(f"_key_{position}") for position, name in enumerate(left)),
        *(pl.col(name).alias(f"case.{name}") for name in used),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("_case"),
    )
    own = [name for name in truth.columns if not name.startswith("case.")]
    needed = {*own, *right, KNOWN, ORDER, DELETED, SUPERSEDED}
    rows = versions.frame.lazy().select([name for name in versions.frame.columns if name in needed])
    kinds = {f"_key_{position}": versions.frame.schema[name] for position, name in enumerate(right)}
    return (
        rows.with_columns(pl.col(name).alias(f"_key_{position}") for position, name in enumerate(right))
        .join(lookup.cast(kinds), on=list(kinds), how="inner")  # type: ignore[arg-type]
        .select("_case", truth.polars.cast(pl.String).alias("_truth"), KNOWN, ORDER, DELETED, SUPERSEDED)
        .collect()
    )


def _codes(truth: pl.Series, classes: tuple[str, ...]) -> NDArray[np.int8]:
    known = {name: code for code, name in enumerate(classes)}
    codes = truth.replace_strict(known, default=UNKNOWN, return_dtype=pl.Int8)
    return codes.fill_null(UNKNOWN).to_numpy().copy()


def _standing(
    rows: pl.DataFrame, codes: NDArray[np.int8], known: NDArray[np.int64], gone: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Where an outcome was taken back, let the newest that still stands speak for the case, if any.

    Takes the few cases with a row that was taken back one by one.
    """
    codes = np.where(gone, np.int8(PENDING), codes)
    case, order = rows["_case"].to_numpy(), rows[ORDER].to_numpy()
    ends = rows[SUPERSEDED].to_physical().fill_null(np.iinfo(np.int64).max).to_numpy()
    by_case = np.argsort(case, kind="stable")
    stands = codes.copy()
    for one in np.unique(case[gone]).tolist():
        low, high = np.searchsorted(case[by_case], [one, one + 1])
        mine = by_case[low:high]
        for taken in mine[gone[mine]].tolist():
            at = known[taken]
            there = mine[~gone[mine] & (known[mine] <= at) & (ends[mine] > at)]
            if there.size:
                newest = there[np.lexsort((order[there], known[there]))[-1]]
                stands[taken] = codes[newest]
    return stands


def _silent(
    decided_at: NDArray[np.int64],
    case: NDArray[np.int32],
    known: NDArray[np.int64],
    *,
    after: int,
    until: Instant,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    at = decided_at + after
    spoken = np.zeros(decided_at.size, dtype=bool)
    spoken[case[known <= at[case]]] = True
    silent = np.flatnonzero(~spoken & (at <= until))
    return silent.astype(np.int32), at[silent]
