"""Ranking by expected money under a capacity against ranking by the chance alone, and the closed form.

Two rehearsals of one generated world (``wholeroad.testing.amounts``, where the derivation stands): one
brief says what a claim is worth, the other counts hits. Both choose as many claims a day, from a model that
has to learn the chances; the money of each choice is what the audits of the claims looked into would have
brought. Days are independent in this world, so the interval is Student's over the days' paired
differences. The script fails when the closed form lies outside it.

Run ``python bench/ranking.py``; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import wholeroad
from wholeroad.testing import amounts

STUDENT = 1.98
"""The 97.5% quantile for 100 days and more."""


def chosen_money(
    folder: Path, tables: dict[str, pl.DataFrame], *, per_day: int, by_money: bool
) -> pl.DataFrame:
    """Rehearse one brief and give the money of its choice by day."""
    folder.mkdir(parents=True)
    (folder / "brief.toml").write_text(amounts.brief(per_day=per_day, by_money=by_money), encoding="utf-8")
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    decisions = wholeroad.open(folder).rehearse(["never"]).decisions("never")
    worth = decisions.join(tables["claims"], on="claim_id").join(tables["audits"], on="claim_id")
    money = pl.when(pl.col("action") == "audit", "wrong").then("amount").otherwise(0.0)
    acted = (pl.col("action") == "audit").sum()
    by_day = worth.group_by(pl.col("decided_at").alias("at")).agg(
        money.sum().alias("money"), acted.alias("acted")
    )
    return by_day.filter(pl.col("acted") > 0).sort("at")


def measure(*, days: int, claims_per_day: int, per_day: int, seed: int) -> dict[str, object]:
    """Rehearse both and hold their difference against the closed form."""
    tables = amounts.make(days=days, claims_per_day=claims_per_day, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        money, chance = (
            chosen_money(Path(folder) / str(by_money), tables, per_day=per_day, by_money=by_money)
            for by_money in (True, False)
        )
    if not money["at"].equals(chance["at"]) or {*money["acted"], *chance["acted"]} != {per_day}:
        message = "both choose as many claims on the same days"
        raise ValueError(message)
    gain: NDArray[np.float64] = (money["money"] - chance["money"]).to_numpy()
    closed = amounts.expected(per_day / claims_per_day)
    error = STUDENT * float(gain.std(ddof=1)) / np.sqrt(gain.size)
    return {
        "bench": "ranking",
        "days": gain.size,
        "claims_per_day": claims_per_day,
        "per_day": per_day,
        "by_money_per_day": round(float(money["money"].to_numpy().mean()), 1),
        "by_chance_per_day": round(float(chance["money"].to_numpy().mean()), 1),
        "gain_per_day": round(float(gain.mean()), 1),
        "interval": [round(float(gain.mean() - error), 1), round(float(gain.mean() + error), 1)],
        "closed_form_per_day": round(closed.gain * claims_per_day, 1),
        "closed_form_by_money_per_day": round(closed.by_money * claims_per_day, 1),
        "closed_form_by_chance_per_day": round(closed.by_chance * claims_per_day, 1),
        "inside": bool(abs(gain.mean() - closed.gain * claims_per_day) <= error),
    }


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--days", type=int, default=320)
    arguments.add_argument("--claims-per-day", type=int, default=1000)
    arguments.add_argument("--per-day", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    found = measure(
        days=given.days, claims_per_day=given.claims_per_day, per_day=given.per_day, seed=given.seed
    )
    sys.stderr.write(
        f"ranking: by expected money {found['gain_per_day']} EUR a day more than by chance, 95% interval"
        f" {found['interval']}; closed form {found['closed_form_per_day']}\n"
    )
    sys.stdout.write(json.dumps(found) + "\n")
    if not found["inside"]:
        sys.exit("the closed form lies outside the interval")


if __name__ == "__main__":
    main()
