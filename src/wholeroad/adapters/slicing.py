"""A large file as several small ones of the same kind, so that a part at a time is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from wholeroad.adapters.csv_files import UNREADABLE
from wholeroad.road.brief.sources import CsvTable

SLICE: Final = 32 << 20
"""Bytes of a slice; in memory, a slice of texts takes several times as much on its way in."""

_SAMPLE: Final = 10_000
_NEWLINE: Final = b"\n"
_QUOTE: Final = b'"'


def csv_slices(
    path: Path, csv: CsvTable, *, into: Path, size: int | None = None
) -> Iterator[tuple[Path, CsvTable]]:
    """Cut a CSV between rows.

    Each slice begins with everything up to the header, and only the last one has the footer. A line
    break between quotes ends no row. A file that is small, or whose encoding writes line breaks in other
    bytes than ASCII, is its own only slice.

    Parameters
    ----------
    csv
        How the file was written.
    into
        A folder for the slices; each is removed before the next one is made.
    size
        Bytes, about; :data:`SLICE` unless said.

    Yields
    ------
    tuple[pathlib.Path, CsvTable]
        A file, and how it is to be read.
    """
    size = size or SLICE
    if path.stat().st_size <= size or not _splits(csv.encoding):
        yield path, csv
        return
    inner = csv.model_copy(update={"footer_lines": 0})
    left = path.stat().st_size
    with path.open("rb") as file:
        head = _head(file, csv.header_line)
        left -= len(head)
        if not left:
            yield path, csv
            return
        number = 0
        while left > 0:
            rows = _rows(file, size=size, left=left)
            left -= len(rows)
            slice_path = into / f"slice-{number}{path.suffix}"
            slice_path.write_bytes(head + rows)
            del rows
            yield slice_path, inner if left else csv
            slice_path.unlink()
            number += 1


def ndjson_slices(path: Path, *, into: Path, size: int | None = None) -> Iterator[Path]:
    """Cut a file of JSON objects between lines; see :func:`csv_slices`. No JSON text holds a line break."""
    size = size or SLICE
    if path.stat().st_size <= size:
        yield path
        return
    left = path.stat().st_size
    with path.open("rb") as file:
        number = 0
        while left > 0:
            rows = file.read(min(left, size))
            rows += file.readline(left - len(rows))
            left = left - len(rows) if rows else 0  # what was cut off meanwhile isn't there any more
            slice_path = into / f"slice-{number}{path.suffix}"
            slice_path.write_bytes(rows)
            del rows
            yield slice_path
            slice_path.unlink()
            number += 1


def parquet_slices(path: Path, *, into: Path, size: int | None = None) -> Iterator[Path]:
    """Cut a Parquet file into runs of rows; see :func:`csv_slices`.

    A file that can't be read is its own slice: who reads it says what is wrong.
    """
    try:
        whole = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        sample = whole.head(_SAMPLE).collect()
        height = int(whole.select(pl.len()).collect().item())
    except UNREADABLE:
        yield path
        return
    width = max(1.0, sample.estimated_size() / max(1, sample.height))
    step = max(_SAMPLE, int(2 * (size or SLICE) / width))
    if height <= step:
        yield path
        return
    for number, first in enumerate(range(0, height, step)):
        slice_path = into / f"slice-{number}.parquet"
        try:
            rows = whole.slice(first, step).collect()
        except UNREADABLE:
            yield path
            return
        rows.write_parquet(slice_path, compression="lz4", statistics=False)
        del rows
        yield slice_path
        slice_path.unlink()


def _splits(encoding: str) -> bool:
    try:
        return '\n",'.encode(encoding) == b'\n",'
    except LookupError:
        return False


def _head(file: BinaryIO, header_line: int) -> bytes:
    """Read up to the end of the header, which may go over several lines."""
    head = b"".join(file.readline() for _ in range(header_line - 1))
    header = b""
    while line := file.readline():
        header += line
        if header.strip() and header.count(_QUOTE) % 2 == 0:
            break
    return head + header


def _rows(file: BinaryIO, *, size: int, left: int) -> bytes:
    """Read whole rows, about ``size`` bytes; what little is left in the end comes along."""
    rows = b""
    while len(rows) < left:
        rows += file.read(min(left - len(rows), size))
        if left - len(rows) < size // 8:
            rows += file.read(left - len(rows))
            break
        end = _last_row_end(rows)
        if end:
            file.seek(end - len(rows), 1)
            return rows[:end]
    return rows


def _last_row_end(rows: bytes) -> int:
    """Find the end of the last whole row: a line break with an even number of quotes before it."""
    end = rows.rfind(_NEWLINE) + 1
    odd = rows.count(_QUOTE, 0, end) % 2
    while end and odd:
        before = rows.rfind(_NEWLINE, 0, end - 1) + 1
        odd ^= rows.count(_QUOTE, before, end) % 2
        end = before
    return end
