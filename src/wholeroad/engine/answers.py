"""What became of the cases that somebody asked about."""

from __future__ import annotations

import polars as pl

from wholeroad.core.instants import LAST, Instant
from wholeroad.road.data.binding import Bound
from wholeroad.road.data.cases import DECIDED, ID, Cases, decide_cases, key_hash
from wholeroad.road.data.versions import Versions

STATUS = ("decided", "accepted", "history", "set aside", "held")
"""``accepted``: not due yet; ``history``: due before the first run, so that nobody decides it; ``held``: its
batch waits to be released."""


def due(versions: Versions, bound: Bound) -> Cases:
    """Find when each case is due, by what is known of it now; also in the future."""
    return decide_cases(versions, bound.decide_at, until=LAST)


def answers(
    asked: pl.DataFrame,
    *,
    key: tuple[str, ...],
    due_cases: Cases,
    decisions: pl.DataFrame,
    now: Instant,
    held: bool = False,
) -> pl.DataFrame:
    """Give one row for each case asked about, in the order of asking; the same case twice is one row.

    Parameters
    ----------
    asked
        With the key's columns, in the types that the source has.
    decisions
        Everything decided so far; the key's columns come first.
    held
        Whether a batch of cases waits to be released: those that aren't there may be in it.

    Returns
    -------
    DataFrame
        The key; ``status``, one of :data:`STATUS`; ``due_at``, the instant at which it is or was
        decided; then the columns of the decision: ``decided_by``, ``model``, a probability for each
        class, ``action``, ``expected_value``; null where there is none. A column of the key with one of
        these names is called ``case.<name>``.
    """
    keys = [*decisions.columns[: len(key)]]
    cases = asked.select(key).unique(maintain_order=True).with_columns(key_hash([*key]).alias(ID))
    made = decisions.drop("span").with_columns(key_hash(keys).alias(ID), pl.lit(value=True).alias("_made"))
    made = made.drop(*keys, "decided_at")
    ours = {"status", "due_at", *made.columns}
    cases = cases.rename({name: f"case.{name}" for name in key if name in ours})
    instants = due_cases.frame.select(ID, pl.col(DECIDED).alias("due_at"))
    found = cases.join(instants, on=ID, how="left", maintain_order="left")
    found = found.join(made, on=ID, how="left", maintain_order="left")
    end = pl.lit(now, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    status = (
        pl.when(pl.col("_made").is_not_null())
        .then(pl.lit(STATUS[0]))
        .when(pl.col("due_at").is_null())
        .then(pl.lit(STATUS[4] if held else STATUS[3]))
        .when(pl.col("due_at") > end)
        .then(pl.lit(STATUS[1]))
        .otherwise(pl.lit(STATUS[2]))
    )
    rest = [name for name in made.columns if name not in (ID, "_made")]
    return found.select(*cases.columns[: len(key)], status.alias("status"), "due_at", *rest)
