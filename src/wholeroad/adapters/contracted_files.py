"""A contract asked of a file that belongs to no project, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from wholeroad.adapters.csv_files import UNREADABLE
from wholeroad.adapters.files import read_rows
from wholeroad.adapters.slicing import csv_slices
from wholeroad.road.brief.source_contract import ColumnContract, ContractTable
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.data.contracts.checking import check_frames
from wholeroad.road.data.contracts.fitting import TYPES
from wholeroad.road.data.contracts.inspected import Inspected

PART: Final = 192 << 20
"""Bytes of a part in memory, about."""

_SAMPLE: Final = 1_000


def check_file(
    path: Path,
    contract: ContractTable,
    *,
    key: tuple[str, ...] = (),
    happened_at: str | None = None,
    csv: CsvTable | None = None,
    types: Mapping[str, str] | None = None,
) -> Inspected:
    """Ask a contract of a Parquet or CSV file; only a part of it is ever held.

    Parameters
    ----------
    path
        Of a Parquet file only the columns of the contract are read.
    key
        Columns that name a row; without them each row is one of its own.
    happened_at
        A column of instants, for the volume.
    csv, types
        How a CSV is written, and types of its columns; those that the contract says need not be said again.

    Returns
    -------
    Inspected
        Rows per clause. Lines of a CSV that can't be read are in no count.

    Raises
    ------
    FaultsError, UserError
        Those of reading a file, and of :func:`~wholeroad.road.data.contracts.checking.check_frames`.
    """
    wanted = dict.fromkeys([*contract.column, *key, *([happened_at] if happened_at else [])])
    # Where the contract says a type, a plain CSV's columns are read as texts, for it to judge each value.
    plain = csv is None or csv == CsvTable()
    asked = {
        name: column.type for name, column in contract.column.items() if column.type not in (None, "date")
    }
    kinds = {name: "text" if plain else str(said) for name, said in asked.items()} | dict(types or {})
    if path.suffix.lower() == ".csv" and path.is_file():
        parts: Iterator[pl.DataFrame] = _csv_parts(path, csv or CsvTable(), kinds)
    else:
        parts = _parquet_parts(path, contract, wanted=tuple(wanted))
    return check_frames(contract, parts, source=path.name, key=key, happened_at=happened_at)


def _csv_parts(path: Path, csv: CsvTable, types: Mapping[str, str]) -> Iterator[pl.DataFrame]:
    with TemporaryDirectory(prefix="wholeroad-contract-") as into:
        for part, written in csv_slices(path, csv, into=Path(into)):
            yield read_rows(part, types, shown=path.name, csv=written).frame


def _parquet_parts(path: Path, contract: ContractTable, *, wanted: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    """Read runs of rows; a file that can't be read is read whole, for its fault to be named.

    A column that is asked nothing but its type has its answer in the file's schema, and isn't read.
    """
    try:
        whole = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = whole.collect_schema()
        there = [name for name in wanted if name in schema]
        idle = [
            name
            for name in there
            if name in contract.column and _is_idle(contract.column[name], schema[name])
        ]
        idle = idle[1:] if len(idle) == len(there) else idle  # something has to tell how many rows there are
        narrow = whole.select(name for name in there if name not in idle)
        sample = narrow.head(_SAMPLE).collect()
        height = int(whole.select(pl.len()).collect().item())
    except UNREADABLE:
        yield read_rows(path, {}).frame
        return
    unread = [pl.lit(None, dtype=schema[name]).alias(name) for name in idle]
    step = max(_SAMPLE, int(PART * max(1, sample.height) / max(1, sample.estimated_size())))
    for first in range(0, max(height, 1), step):
        rows = narrow.slice(first, step).collect()
        yield rows.with_columns(unread) if unread else rows


def _is_idle(column: ColumnContract, dtype: pl.DataType) -> bool:
    asked = column.model_dump(exclude={"type", "unit", "personal", "if_broken"}, exclude_defaults=True)
    return not asked and column.type is not None and TYPES[column.type] == dtype
