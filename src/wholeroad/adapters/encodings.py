"""In which encoding a file of texts is written, and a plain copy of it in UTF-8."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from wholeroad.core.errors import UserError
from wholeroad.road.brief.sources import CsvTable

_CHUNK: Final = 1 << 20
_LINES: Final = 100
"""At either end of a file, from which its layout is read."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNUSED: Final = frozenset(b"\x81\x8d\x8f\x90\x9d")
"""Bytes that mean nothing in Windows-1252."""

_CYRILLIC: Final = re.compile(rb"[\xc0-\xff]{4,}")
"""Four accented letters in a row: hardly a word of Western Europe."""


def fitting_encoding(path: Path) -> str:
    """Find the encoding that a file fits.

    UTF-8 if all of it is; UTF-16 and UTF-32 by their mark or their zeros; else the Windows code
    page that is likeliest, which is a guess: every byte means something in each of them.

    Returns
    -------
    str
        ``utf-8``, ``utf-16``, ``utf-16-le``, ``utf-16-be``, ``utf-32``, ``windows-1252``, ``windows-1251`` or
        ``iso-8859-1``.
    """
    with path.open("rb") as file:
        head = file.read(1 << 12)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    high = bytearray()
    fits = True
    for chunk in _chunks(path):
        if fits:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                fits = False
        if not chunk.isascii() and len(high) < _CHUNK:
            high += chunk
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        fits = False
    return "utf-8" if fits else _code_page(bytes(high))


def ends_of(path: Path, encoding: str) -> tuple[list[str], list[str]]:
    """Give the first and the last lines of a file of texts, without line ends.

    Returns
    -------
    tuple[list[str], list[str]]
        The last are empty where the first are all that there is.

    Raises
    ------
    UserError
        ``data.file-unreadable`` when it is no text.
    """
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline=None) as file:
            head = [line.rstrip("\n") for line in islice(file, _LINES)]
            last = deque((line.rstrip("\n") for line in file), _LINES)
    except UnicodeError:
        raise UserError(
            "data.file-unreadable",
            f"{path.name} can't be read",
            happened="it holds bytes that no text has, as a workbook or an archive does",
            expected="a CSV, which is text, or a Parquet file that ends in .parquet",
            fix="open it in the program that wrote it, and export it as CSV",
        ) from None
    return head, [*head, *last][-_LINES:] if last else []


@contextmanager
def plain_copy(path: Path, csv: CsvTable, *, name: str) -> Iterator[Path]:
    """Give the file, or a copy of it in UTF-8 without what stands above its header and below its rows.

    Parameters
    ----------
    name
        How messages name the file.

    Raises
    ------
    UserError
        ``data.encoding``, ``brief.unknown-encoding``.
    """
    codec = _codec(csv.encoding, name)
    if codec == "utf-8" and csv.header_line == 1 and csv.footer_lines == 0:
        yield path
        return
    if codec not in {"utf-8", "utf-16", "utf-32"} and fitting_encoding(path) == "utf-8" and not _ascii(path):
        raise misfit(path, csv.encoding, name=name)
    with TemporaryDirectory(prefix="wholeroad-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "plain.csv"
        try:
            with (
                path.open(encoding="utf-8-sig" if codec == "utf-8" else codec, newline="") as rows,
                copy.open("w", encoding="utf-8", newline="") as out,
            ):
                for _ in range(csv.header_line - 1):
                    rows.readline()
                _without_footer(rows, out, csv.footer_lines)
        except UnicodeError as error:
            raise misfit(path, csv.encoding, name=name) from error
        yield copy


def misfit(path: Path, encoding: str, *, name: str) -> UserError:
    """Say that a file isn't written in the encoding that it is read by, and which one fits."""
    fits = fitting_encoding(path)
    return UserError(
        "data.encoding",
        f"{name} is not written in {encoding}",
        happened=f"its bytes are no text in {encoding}; they fit {fits}",
        expected=f"a text in {encoding}, or the encoding that fits",
        fix=f'write csv = {{ encoding = "{fits}" }} in the source\'s table, or save it as UTF-8',
    )


def is_misfit(path: Path, encoding: str) -> bool:
    """Tell whether a file can't be read in an encoding."""
    return encoding.lower() in {"utf-8", "utf8", "utf-8-sig"} and fitting_encoding(path) != "utf-8"


def _without_footer(rows: IO[str], out: IO[str], lines: int) -> None:
    if not lines:
        while chunk := rows.read(_CHUNK):
            out.write(chunk)
        return
    held: deque[str] = deque()
    full = 0
    for line in rows:
        held.append(line)
        full += bool(line.strip())
        while full > lines:
            first = held.popleft()
            full -= bool(first.strip())
            out.write(first)


def _codec(encoding: str, name: str) -> str:
    try:
        codec = codecs.lookup(encoding).name
        "".encode(codec)
    except (LookupError, ValueError):
        raise UserError(
            "brief.unknown-encoding",
            f"{name}: there is no such encoding",
            happened=f"encoding was {encoding!r}",
            expected="utf-8, windows-1252, iso-8859-15, utf-16 or another that Python knows",
            fix='write csv = { encoding = "windows-1252" } or another of them',
        ) from None
    return "utf-8" if codec == "utf-8-sig" else codec


def _code_page(sample: bytes) -> str:
    marked = sum(byte > 0x7F for byte in sample)
    runs = sum(len(run) for run in _CYRILLIC.findall(sample))
    if runs > marked / 2:
        return "windows-1251"
    return "iso-8859-1" if _UNUSED & set(sample) else "windows-1252"


def _ascii(path: Path) -> bool:
    return all(chunk.isascii() for chunk in _chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
