"""Build the dirty export of the tutorial: a year of castings at a goods-in gate, as a real export would look.

Run it as ``python examples/dirty-export/build.py [--out DIR]``. It writes ``castings.csv``, the export;
``later/castings.csv`` and ``again/castings.csv``, next month's, broken and as it is sent again; and
``slips.csv``, what people find who walk to the shelf: the truth, which no command reads. What is wrong in
the export, and how often, is in README.md.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

HERE = Path(__file__).parent
Marks = NDArray[np.bool_]
START = np.datetime64("2024-01-01", "us")
DAYS, NEXT_MONTH, PER_DAY, SEED = 366, 31, 18, 7
SUPPLIERS = ("Aldinger", "Brunnwerk", "Castello", "Dalsgaard")
WORSE = np.array([0.0, 0.9, -0.4, 0.3])
ALLOYS = ("AlSi7", "AlSi9", "AlCu4")
COLUMNS = (
    "lot_id", "received_at", "supplier", "alloy", "weight_kg", "wall_mm", "pour_temp_c", "pieces",
    "claim", "result", "reported_at",
)  # fmt: skip
STAMP = "%Y-%m-%d %H:%M"


def true_lots(days: int) -> pl.DataFrame:
    """Draw the lots as they were: nothing is wrong with them yet."""
    dice = np.random.default_rng(SEED)
    count = days * PER_DAY
    minutes = np.sort(dice.integers(0, days * 1440, count))
    received = START + minutes.astype("timedelta64[m]")
    supplier = dice.choice(len(SUPPLIERS), count, p=[0.35, 0.2, 0.3, 0.15])
    alloy = dice.choice(len(ALLOYS), count, p=[0.5, 0.3, 0.2])
    weight = np.round(dice.gamma(9.0, 0.5, count) + 1.0, 2)
    wall = np.round(dice.normal(4.0, 0.6, count).clip(2.2, 6.0), 2)
    pour = np.round(dice.normal(705, 14, count), 0)
    pieces = dice.integers(20, 120, count)
    risk = (
        -5.4 + 2 * WORSE[supplier] + 0.9 * (alloy == 2) + 2.2 * (4.0 - wall) / 0.6
        + 0.9 * (weight - 5.5) / 1.5 + 2.0 * (695 - pour).clip(0, 30) / 10
    )  # fmt: skip
    porous = dice.random(count) < 1 / (1 + np.exp(-risk))
    reported = (
        received + (dice.gamma(3.0, 2.2, count) * 1440).astype("timedelta64[m]") + np.timedelta64(1, "D")
    )
    return pl.DataFrame(
        {
            "lot_id": [f"L{number:05}" for number in range(1, count + 1)],
            "received_at": received,
            "supplier": np.array(SUPPLIERS)[supplier],
            "alloy": np.array(ALLOYS)[alloy],
            "weight_kg": weight,
            "wall_mm": wall,
            "pour_temp_c": pour.astype(np.int64),
            "pieces": pieces,
            "claim": [None] * count,
            "result": np.where(porous, "porous", "sound"),
            "reported_at": reported,
        },
        schema_overrides={"claim": pl.String},
    )


def draw(dice: np.random.Generator, rows: Marks, share: float) -> Marks:
    """Mark a share of some rows, drawn by chance."""
    drawn = np.zeros(rows.size, dtype=bool)
    places = np.flatnonzero(rows)
    drawn[dice.choice(places, round(share * places.size), replace=False)] = True
    return drawn


def dirtied(true: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Write the lots down as the gate does, and give how many rows carry which trouble."""
    dice = np.random.default_rng(SEED + 1)
    every = np.ones(true.height, dtype=bool)
    received = true["received_at"].to_numpy()
    porous = (true["result"] == "porous").to_numpy()
    spelling = draw(dice, (true["supplier"] == "Brunnwerk").to_numpy(), 0.25)
    grams = (received >= np.datetime64("2024-05-06")) & (received < np.datetime64("2024-06-17"))
    sensor_off = draw(dice, every, 0.05)
    claims = draw(dice, porous, 0.6) | draw(dice, ~porous, 0.01)
    wrong_labels = draw(dice, every, 0.01)
    this_year = received < START + np.timedelta64(300, "D")
    wrong_year = draw(dice, this_year, 0.002)
    variants = dice.choice(["BRUNNWERK", "brunnwerk", "Brunn-Werk"], true.height)
    dirty = true.with_columns(
        supplier=pl.when(marked(spelling)).then(pl.Series(variants)).otherwise("supplier"),
        weight_kg=pl.when(marked(grams)).then((pl.col("weight_kg") * 1000).round(0)).otherwise("weight_kg"),
        pour_temp_c=pl.when(marked(sensor_off)).then(-999).otherwise("pour_temp_c"),
        claim=pl.when(marked(claims)).then(pl.Series(dice.choice(["open", "settled"], true.height))),
        result=pl.when(marked(wrong_labels)).then(other("result")).otherwise("result"),
        reported_at=pl.when(marked(wrong_year))
        .then(pl.col("reported_at").dt.offset_by("-1y"))
        .otherwise("reported_at"),
    )
    twice = draw(dice, this_year, 0.005)
    again = dirty.filter(marked(twice)).with_columns(lot_id=pl.col("lot_id") + "-2")
    dirty = pl.concat([dirty, again]).sort("received_at", "lot_id").select(COLUMNS)
    planted = {
        "weights in grams": grams,
        "pouring temperatures of -999": sensor_off,
        "suppliers spelled otherwise": spelling,
        "lots typed in twice": twice,
        "claims, filled in after the result": claims,
        "results wrongly typed": wrong_labels,
        "results of the year before": wrong_year,
    }
    return dirty, {trouble: int(rows.sum()) for trouble, rows in planted.items()}


def marked(rows: Marks) -> pl.Expr:
    """Give marked rows as a condition."""
    return pl.lit(pl.Series(rows))


def other(column: str) -> pl.Expr:
    """Give the other result."""
    return pl.when(pl.col(column) == "porous").then(pl.lit("sound")).otherwise(pl.lit("porous"))


def first_export(frame: pl.DataFrame, until: datetime) -> tuple[pl.DataFrame, Marks, Marks]:
    """Give the first export, in which some lots aren't entered yet, and some results not yet corrected.

    With it come the marks of those lots and of those results, over ``frame``.
    """
    dice = np.random.default_rng(SEED + 2)
    end = np.datetime64(until)
    received, reported = frame["received_at"].to_numpy(), frame["reported_at"].to_numpy()
    late = draw(dice, (received < end) & (received >= end - np.timedelta64(7, "D")), 0.07)
    fresh = (reported < end) & (reported >= end - np.timedelta64(30, "D"))
    corrected = draw(dice, fresh & ~late, 0.015)
    before = pl.when(marked(corrected)).then(other("result")).otherwise("result")
    return exported(frame.with_columns(result=before).filter(~marked(late)), until), late, corrected


def exported(frame: pl.DataFrame, until: datetime) -> pl.DataFrame:
    """Give what the export of an instant shows: what was received, and results that are in."""
    there = frame.filter(pl.col("received_at") < until)
    pending = pl.col("reported_at") >= until
    return there.with_columns(
        pl.when(~pending).then(pl.col(name)) for name in ("claim", "result", "reported_at")
    )


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a CSV as the gate's program does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_csv(path, datetime_format=STAMP)
    print(f"{path}: {frame.height:,} rows")


def main() -> None:
    """Write the exports and the slips."""
    parser = argparse.ArgumentParser(description="Build the dirty export of the tutorial.")
    parser.add_argument("--out", type=Path, default=HERE / "data", help="folder for the files")
    out = parser.parse_args().out
    true = true_lots(DAYS + NEXT_MONTH)
    dirty, planted = dirtied(true)
    begin: datetime = START.item()
    year_end, month_end = (begin + timedelta(days=days) for days in (DAYS, DAYS + NEXT_MONTH))
    first, late, corrected = first_export(dirty, year_end)
    write(first, out / "castings.csv")
    at = pl.lit(year_end + timedelta(days=9))
    dirty = dirty.with_columns(reported_at=pl.when(marked(corrected)).then(at).otherwise("reported_at"))
    january = pl.col("received_at") >= year_end
    right = exported(dirty, month_end)
    broken = right.with_columns(pl.when(january).then(pl.col("weight_kg") * 1000).otherwise("weight_kg"))
    write(broken, out / "later" / "castings.csv")
    write(right, out / "again" / "castings.csv")
    write(true.select("lot_id", "result", "reported_at"), out / "slips.csv")
    for trouble, rows in planted.items():
        print(f"{rows:>5} {trouble}")
    print(f"{late.sum():>5} lots entered after the first export")
    print(f"{corrected.sum():>5} results corrected after it")


if __name__ == "__main__":
    main()
