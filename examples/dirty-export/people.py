"""Play the people of the tutorial, who look at the paper slips of the goods-in gate.

``people.py mend FILE --slips SLIPS`` corrects the dates of rows that were set aside, and deletes lots that
were typed in twice. ``people.py judge FILE --slips SLIPS --by NAME`` fills in a sheet of suspect labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl


def mended(rows: pl.DataFrame, slips: pl.DataFrame) -> pl.DataFrame:
    """Write the date of the slip into each row; a lot that has no slip is deleted."""
    dates = slips.select("lot_id", "reported_at")
    return rows.drop("reported_at").join(dates, on="lot_id", maintain_order="left").select(rows.columns)


def judged(sheet: pl.DataFrame, slips: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Write what the slip says beside each item."""
    truth = slips.select("lot_id", verdict="result")
    told = sheet.drop("verdict").join(truth, on="lot_id", how="left", maintain_order="left")
    return told.with_columns(by=pl.lit(by)).select(sheet.columns)


def main() -> None:
    """Change the file in place."""
    parser = argparse.ArgumentParser(description="Play the people of the tutorial.")
    parser.add_argument("what", choices=["mend", "judge"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--slips", type=Path, required=True)
    parser.add_argument("--by", default="Ana")
    asked = parser.parse_args()
    rows, slips = (pl.read_csv(path, infer_schema=False) for path in (asked.file, asked.slips))
    changed = mended(rows, slips) if asked.what == "mend" else judged(rows, slips, by=asked.by)
    changed.write_csv(asked.file)
    print(f"{asked.file}: {changed.height:,} of {rows.height:,} rows, by {asked.by}")


if __name__ == "__main__":
    main()
