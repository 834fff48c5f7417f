"""The truth about cases: every version of it, and when it became known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Instant
from wholeroad.core.view import PENDING, UNKNOWN, Codes, Timeline, code_type
from wholeroad.road.brief.contract import OutcomeTable
from wholeroad.road.brief.feature_rules import OUTCOMES
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
    levels
        Of an outcome that is a number: the numbers behind the truth's codes, ascending; None of classes.
    reviewed
        Positions of the cases whose truth is, in the end, what people said.
    contradicted
        How many of these have rows that came to tell something else since.
    """

    timeline: Timeline
    silent: NDArray[np.bool_]
    rows: int
    joined: int
    nulls: int
    no_class: dict[str, int]
    levels: NDArray[np.float64] | None = None
    reviewed: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    contradicted: int = 0


def tell_outcomes(
    cases: Cases, versions: Versions, *, truth: Expression, outcome: OutcomeTable, until: Instant
) -> Told:
    """Put the versions of every case's truth in order of time.

    An outcome is known at its row's ``known_at``, and never before the case was decided: one
    that was known already counts one microsecond after the decision, since at one instant
    arrivals come first and decisions last. A truth that is null or no class is *unknown*.
    Silence means ``if_never`` once ``never_after`` has passed, until an outcome comes. A truth that
    is a number gets the place of this number among all that were ever told for its code.

    Parameters
    ----------
    versions
        Of the outcome's source.
    until
        The last instant of the history: silence after it isn't known yet.
    """
    decided_at = cases.decided_at
    rows = _joined(cases, versions, truth, outcome)
    levels = _levels(rows["_truth"], outcome)
    codes = _codes(rows["_truth"], outcome.classes) if levels is None else _places(rows["_truth"], levels)
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
    silence = np.zeros(case.size, dtype=bool)
    if outcome.if_never != "drop" and outcome.never_after is not None:
        at = decided_at + outcome.never_after
        in_order = np.lexsort((order, claimed, known))
        silent = _silent(case[in_order], codes[in_order], known[in_order], at=at, until=until)
        code = codes.dtype.type(_code(outcome, levels))
        # Taken back when silence already means something: then it does.
        silence = (codes == PENDING) & (known > at[case])
        codes = np.concatenate([np.where(silence, code, codes), np.full(silent.size, code)])
        silence = np.concatenate([silence, np.ones(silent.size, dtype=bool)])
        case = np.concatenate([case, silent])
        known = np.concatenate([known, at[silent]])
        claimed = np.concatenate([claimed, at[silent]])
        # After what is taken back at that very instant.
        order = np.concatenate([order, np.full(silent.size, np.iinfo(order.dtype).max)])
    # Of truths that became known at one instant the case's id decides, which each case knows by itself.
    by_time = np.lexsort((order, claimed, cases.ids[case], known))
    timeline = Timeline(
        decided_at=decided_at,
        truth_known_at=known[by_time],
        truth_case=case[by_time].astype(np.int32),
        truth_code=codes[by_time],
    )
    classes = outcome.classes if levels is None else None
    told = _told(timeline, silence[by_time], rows, versions=versions, early=early, classes=classes)
    return replace(told, levels=levels)


def _told(
    timeline: Timeline,
    silent: NDArray[np.bool_],
    rows: pl.DataFrame,
    *,
    versions: Versions,
    early: NDArray[np.bool_],
    classes: tuple[str, ...] | None,
) -> Told:
    newest = pl.col(SUPERSEDED).is_null() & ~pl.col(DELETED)
    standing = rows.select("_truth", newest.alias("_newest"), pl.Series("_early", early)).filter("_newest")
    foreign = pl.lit(value=False) if classes is None else ~pl.col("_truth").is_in(classes)
    strange = standing.filter(foreign)["_truth"].drop_nulls().value_counts()
    return Told(
        timeline=timeline,
        silent=silent,
        rows=versions.frame.select(newest.sum()).item(),
        joined=standing.height,
        nulls=standing.select((pl.col("_truth").is_null() & ~pl.col("_early")).sum()).item(),
        no_class=dict(strange.sort("count", "_truth", descending=[True, False]).iter_rows()),
    )


def outcome_versions(
    cases: Cases,
    timeline: Timeline,
    *,
    classes: tuple[str, ...],
    columns: Collection[str],
    levels: NDArray[np.float64] | None = None,
) -> Versions:
    """Give the built-in source ``outcomes``: decided cases with their truth.

    Parameters
    ----------
    classes, levels
        What is behind each truth code: classes, or numbers where there are levels.
    columns
        The case's columns that features use; the others are left out.
    """
    wanted = [name for name in cases.frame.columns if name in {*columns, *cases.key}]
    case = timeline.truth_case
    truths = (
        pl.Series([*classes, None], dtype=pl.String)
        if levels is None
        else pl.Series([*levels, None], dtype=pl.Float64)
    )
    # Unknown and pending are both null.
    position = np.where(timeline.truth_code < 0, truths.len() - 1, timeline.truth_code).astype(np.uint32)
    known = pl.Series(KNOWN, timeline.truth_known_at).cast(pl.Datetime("us", "UTC"))
    first, superseded = _spans(case, timeline.truth_known_at)
    frame = cases.frame.select(wanted)[case.astype(np.uint32)].with_columns(
        truths.gather(position).alias("truth"),
        cases.frame[DECIDED].gather(case.astype(np.uint32)).alias(HAPPENED),
        known,
        pl.Series(ORDER, (cases.ids[case] ^ np.uint64(1 << 63)).view(np.int64)),
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
    kind = pl.Float64 if outcome.kind == "regression" else pl.String
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
        .select("_case", truth.polars.cast(kind).alias("_truth"), KNOWN, ORDER, DELETED, SUPERSEDED)
        .collect()
    )


def _levels(truth: pl.Series, outcome: OutcomeTable) -> NDArray[np.float64] | None:
    """Give the distinct numbers that were told, and the one that silence means, ascending."""
    if outcome.kind != "regression":
        return None
    silence = [] if outcome.if_never == "drop" else [float(outcome.if_never)]
    # Adding nothing makes the negative zero a zero.
    return np.unique(np.concatenate([truth.drop_nulls().to_numpy(), silence]) + 0.0)


def _places(truth: pl.Series, levels: NDArray[np.float64]) -> Codes:
    codes = np.searchsorted(levels, truth.fill_null(0.0).to_numpy()).astype(code_type(levels.size))
    codes[truth.is_null().to_numpy()] = UNKNOWN
    return codes


def _code(outcome: OutcomeTable, levels: NDArray[np.float64] | None) -> int:
    """Give the code of what silence means."""
    if levels is None:
        return outcome.classes.index(outcome.if_never)
    return int(np.searchsorted(levels, float(outcome.if_never)))


def _codes(truth: pl.Series, classes: tuple[str, ...]) -> Codes:
    known = {name: code for code, name in enumerate(classes)}
    codes = truth.replace_strict(known, default=UNKNOWN, return_dtype=pl.Int8)
    return codes.fill_null(UNKNOWN).to_numpy().copy()


def _standing(rows: pl.DataFrame, codes: Codes, known: NDArray[np.int64], gone: NDArray[np.bool_]) -> Codes:
    """Where an outcome was taken back, let the newest that still stands speak for the case, if any."""
    every = rows.select("_case", ORDER, ends=pl.col(SUPERSEDED).to_physical()).with_columns(
        pl.Series("known", known), pl.Series("code", codes), pl.Series("gone", gone)
    )
    taken = every.with_row_index("place").filter("gone").select("place", "_case", at="known")
    newest = (
        taken.join(every.filter(~pl.col("gone")), on="_case")
        .filter(
            (pl.col("known") <= pl.col("at")) & (pl.col("ends").is_null() | (pl.col("ends") > pl.col("at")))
        )
        .sort("place", "known", ORDER)
        .unique("place", keep="last", maintain_order=True)
    )
    stands = np.where(gone, codes.dtype.type(PENDING), codes)
    stands[newest["place"].to_numpy()] = newest["code"].to_numpy()
    return stands


def _silent(
    case: NDArray[np.int32],
    codes: Codes,
    known: NDArray[np.int64],
    *,
    at: NDArray[np.int64],
    until: Instant,
) -> NDArray[np.int32]:
    """Give the cases for which no outcome stands at ``at``; the versions come in order of time."""
    there = known <= at[case]
    state = np.full(at.size, PENDING, dtype=codes.dtype)
    state[case[there]] = codes[there]
    return np.flatnonzero((state == PENDING) & (at <= until)).astype(np.int32)
