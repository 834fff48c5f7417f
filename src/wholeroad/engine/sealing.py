"""A span's decisions as the table keeps them, and the fact that seals them."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.ids import digest_arrays
from wholeroad.core.instants import Instant
from wholeroad.core.view import code_type
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.cases import key_hash
from wholeroad.road.release.rules import Plan
from wholeroad.road.release.work import PEOPLE, Decided
from wholeroad.road.watch.facts import SpanDecided

OURS: Final = ("decided_at", "decided_by", "model", "action", "expected_value", "propensity", "span")
"""Columns of the table; a column of the case's key with such a name is written as ``case.<name>``."""


def key_columns(brief: Brief) -> list[str]:
    """Name the columns of the case's key as the table of decisions has them."""
    ours = {*OURS, *brief.prediction}
    key = brief.source[brief.case.source].key
    return [f"case.{name}" if name in ours else name for name in key]


def span_frame(
    brief: Brief, keys: pl.DataFrame, *, decided_at: pl.Series, decided: Decided, plan: Plan, span: int
) -> pl.DataFrame:
    """Give a span's rows of the table of decisions, in the order of the cases.

    Parameters
    ----------
    keys
        The columns of the cases' key, in its order.
    decided_at
        When each was decided.
    decided, plan
        How, and under which plan.
    span
        The number of the span, from 1.

    Returns
    -------
    polars.DataFrame
        The key, then the columns of :data:`OURS` and those of the brief's prediction.
    """
    names = pl.Series(list(brief.actions), dtype=pl.String)
    return keys.select(
        *(pl.col(name).alias(shown) for name, shown in zip(keys.columns, key_columns(brief), strict=True)),
        decided_at.alias("decided_at"),
        _decided_by(plan, decided),
        pl.lit(plan.model, dtype=pl.String).alias("model"),
        *(
            pl.Series(name, decided.probabilities[:, code]).fill_nan(None)
            for code, name in enumerate(brief.prediction)
        ),
        names.gather(pl.Series(decided.action.astype(np.uint32))).alias("action"),
        pl.Series("expected_value", decided.expected).fill_nan(None),
        *_chances(brief, decided),
        pl.lit(span, dtype=pl.Int64).alias("span"),
    )


def span_fact(
    ids: NDArray[np.uint64], decided: Decided, *, plan: Plan, at: Instant, until_at: Instant
) -> SpanDecided:
    """Give the fact that seals a span: ``ids`` are the stable ids of its cases, shape (n,)."""
    return SpanDecided(
        at=at,
        until_at=until_at,
        decider=plan.decider,
        model=plan.model,
        count=ids.size,
        digest=span_digest(ids, decided),
    )


def span_digest(ids: NDArray[np.uint64], decided: Decided) -> str:
    """Digest a span's decisions: cases, actions, predictions."""
    return digest_arrays([ids, decided.action, decided.probabilities], "decisions")


def digest_of_rows(brief: Brief, rows: pl.DataFrame) -> str:
    """Digest a span's rows of the table, as :func:`span_digest` digested what they were made of.

    Where the brief named other actions or classes when they were decided, it comes to something else.
    """
    ids = rows.select(key_hash(key_columns(brief))).to_series().to_numpy()
    codes = {name: code for code, name in enumerate(brief.actions)}
    action = rows["action"].replace_strict(codes, default=-1, return_dtype=pl.Int64).to_numpy()
    predicted = [rows[name].fill_null(np.nan).to_numpy() for name in brief.prediction if name in rows.columns]
    probabilities = np.column_stack(predicted) if predicted else np.empty((rows.height, 0))
    nothing = np.full(rows.height, np.nan)
    return span_digest(ids, Decided(action.astype(code_type(len(brief.actions))), probabilities, nothing))


def _decided_by(plan: Plan, decided: Decided) -> pl.Expr:
    if decided.left is None:
        return pl.lit(plan.decider).alias("decided_by")
    left = pl.lit(pl.Series(decided.left))
    return pl.when(left).then(pl.lit(PEOPLE)).otherwise(pl.lit(plan.decider)).alias("decided_by")


def _chances(brief: Brief, decided: Decided) -> list[pl.Series]:
    """Give the column of propensities where the brief asks for one, whoever decides."""
    if brief.policy.no_action is None:
        return []
    nothing = np.ones(decided.action.size)
    return [pl.Series("propensity", nothing if decided.propensity is None else decided.propensity)]
