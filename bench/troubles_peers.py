"""What Pointblank's and skrub's reports say about tables, in words that can be counted.

Run by ``bench/troubles.py`` with the interpreter of an environment of theirs: ``python troubles_peers.py
FOLDER``. ``FOLDER/index.json`` lists tables; the answer is ``FOLDER/said.json``: for each table and peer the
issues that were raised, as ``[issue, [columns]]``. An issue is raised where the report marks a column or a
number of its own makes it plain; no reader has to see anything in a picture.

skrub's ``TableReport`` (0.11): ``value_is_constant``; associations with Cramér's V above 0.9, which its page
marks; numbers of outliers that its histograms set apart; ``nulls_level`` other than ok.

Pointblank (1.1): ``DataScan`` (one distinct value; missing values); ``DataScan.compare`` of the second half
of the rows with the first (a population stability index above 0.2, the customary bar for a large shift, of
numbers and of texts with at most 50 words); and the schema with constraints that ``schema_from_tbl`` infers
from the first half, as a validation of the second half: ranges, allowed values, nulls, each step at its
default, which one row fails. (``DraftValidation`` asks a language model over the network; it is left out.)
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

PSI = 0.2
ASSOCIATION = 0.9
FEW = 50

Issue = tuple[str, list[str]]


def skrub_says(table: pl.DataFrame) -> Iterator[Issue]:
    """Give what the report marks."""
    from skrub import TableReport

    report = TableReport(table, n_rows=2, verbose=0, plot_distributions=False, compute_associations=True)
    said = json.loads(report.json())
    for column in said["columns"]:
        name = [column["name"]]
        if column["value_is_constant"]:
            yield "constant", name
        if column["nulls_level"] != "ok":
            yield "missing", name
        drawn = column.get("histogram_data") or {}
        if drawn.get("n_low_outliers", 0) + drawn.get("n_high_outliers", 0):
            yield "outliers", name
    for pair in said.get("top_associations", []):
        if (pair["cramer_v"] or 0) > ASSOCIATION:
            yield "association", [pair["left_column_name"], pair["right_column_name"]]


def pointblank_says(table: pl.DataFrame) -> Iterator[Issue]:
    """Give what the scan, the comparison of both halves, and the inferred schema say."""
    import pointblank

    middle = table.height // 2
    first, second = table[:middle], table[middle:]
    for column in json.loads(pointblank.DataScan(table).to_json())["columns"]:
        if column["statistics"].get("n_unique") == 1:
            yield "constant", [column["colname"]]
        if column["statistics"].get("n_missing"):
            yield "missing", [column["colname"]]
    both = pointblank.DataScan(second).compare(pointblank.DataScan(first)).to_dict()
    for name, scores in both["drift_scores"].items():
        spread = table[name].dtype.is_numeric() or table[name].n_unique() <= FEW
        if spread and scores.get("psi", 0) > PSI:
            yield "drift", [name]
    yield from inferred(first, second)


def inferred(first: pl.DataFrame, second: pl.DataFrame) -> Iterator[Issue]:
    """Validate the second half by what is inferred from the first."""
    import pointblank

    plan = pointblank.Validate(second)
    steps: list[Issue] = []
    for name, field in pointblank.schema_from_tbl(first).columns:
        least, most = (
            getattr(field, f"{end}_val", None) or getattr(field, f"{end}_date", None)
            for end in ("min", "max")
        )
        if allowed := getattr(field, "allowed", None):
            plan = plan.col_vals_in_set(name, [*allowed, None] if field.nullable else allowed)
            steps.append(("allowed", [name]))
        elif least is not None and most is not None:
            plan = plan.col_vals_between(name, least, most, na_pass=True)
            steps.append(("range", [name]))
        if not field.nullable:
            plan = plan.col_vals_not_null(name)
            steps.append(("null", [name]))
    report = json.loads(plan.interrogate().get_json_report())
    for said, issue in zip(report, steps, strict=True):
        if not said["all_passed"]:
            yield issue


PEERS = {"skrub": skrub_says, "pointblank": pointblank_says}


def main() -> None:
    """Look at every table of the folder's index."""
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    said: dict[str, dict[str, Any]] = {}
    for entry in json.loads((folder / "index.json").read_text("utf-8")):
        table = pl.read_parquet(folder / entry["file"]).drop(entry["drop"])
        told: dict[str, Any] = {}
        for peer in entry["peers"]:
            try:
                told[peer] = [*PEERS[peer](table)]
            except Exception as error:  # noqa: BLE001 - a report that fails has found nothing; it is counted
                told[peer] = [("failed", [f"{type(error).__name__}: {error}"[:200]])]
        said[entry["file"]] = told
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
