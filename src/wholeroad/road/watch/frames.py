"""Comparisons as frames, for charts and for whoever wants to go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, cast

import numpy as np
import polars as pl

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import DAY
from wholeroad.road.watch.results import Comparison
from wholeroad.road.watch.work import STATUS_QUO, PolicyRun, Scored

_ESTIMATES: Final = (
    "total",
    "per_case",
    "versus_status_quo",
    "versus_never",
    "versus_best",
    "gain_per_case",
    "naive_gain_per_case",
    "versus_chance",
)
_FIGURES: Final = ("regret_oracle", "regret_floor", "regret_clairvoyant")


def money_over_time(runs: Sequence[PolicyRun], scored: Scored) -> pl.DataFrame:
    """Give each policy's money by the day on which the cases were decided.

    Returns
    -------
    DataFrame
        ``policy``; ``at``, the start of the day, UTC; ``value``, the day's money after the cost of the
        day's fits; ``cumulative``, its running sum. The status quo comes first when it wasn't run.
    """
    if all(run.policy != STATUS_QUO for run in runs):
        runs = [PolicyRun(STATUS_QUO, scored.status_quo), *runs]
    at = scored.from_at + np.arange(scored.days, dtype=np.int64) * DAY
    frames = []
    for run in runs:
        value = scored.daily(run.action, drawn_with=run.drawn_with)
        for fitted_at, cost in run.fits:
            if fitted_at >= scored.from_at:
                value[min(scored.days - 1, (fitted_at - scored.from_at) // DAY)] -= cost
        frames.append(pl.DataFrame({"policy": run.policy, "at": at, "value": value}))
    return (
        pl.concat(frames)
        .with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))
        .with_columns(pl.col("value").cum_sum().over("policy", order_by="at").alias("cumulative"))
    )


def to_frame(comparison: Comparison) -> pl.DataFrame:
    """Give a comparison as a frame, one row for each policy; an estimate ``x`` is ``x, x_low, x_high``."""
    rows = []
    for policy in comparison.policies:
        row: dict[str, object] = {"policy": policy.policy, "basis": comparison.basis}
        for name in ("settled", "unknown", "pending", "fits", "fit_costs"):
            row[name] = getattr(policy, name)
        for name in _ESTIMATES:
            estimate = cast("Estimate | None", getattr(policy, name))
            row |= {
                name: estimate and estimate.value,
                f"{name}_low": estimate and estimate.low,
                f"{name}_high": estimate and estimate.high,
            }
        row |= {name: getattr(policy, name) for name in _FIGURES}
        row["by_chance"] = policy.by_chance
        for open_value, found in zip(comparison.open_values, policy.break_evens, strict=False):
            name = f"break_even_{open_value.name.replace(' ', '_')}"
            row |= {
                name: found and found.value.value,
                f"{name}_low": found and found.value.low,
                f"{name}_high": found and found.value.high,
            }
        row["success_met"] = policy.success and policy.success.met
        row |= {f"share_{action}": share for action, share in policy.actions.items()}
        if policy.amounts is not None:
            row |= {f"amount_{name}": figure for name, figure in asdict(policy.amounts).items()}
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)
