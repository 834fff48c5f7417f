"""How a file of texts is laid out: what separates fields, where the header is, what isn't a row."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SEPARATORS: Final = (",", ";", "\t", "|")

_LOOK: Final = 60
"""Lines from which the number of fields is taken."""

_TOTAL: Final = re.compile(
    r"\W*(grand |sub)?(total|sum|summe|gesamt|somme|totaal|totale|suma|average|count|rows|records|end of"
    r"|exported|generated|stand|quelle|source)\w*\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"[+-]?[\d.,']+%?")
_ENDS: Final = 10
"""Lines at the end that may be no rows."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table stands in the file.

    Attributes
    ----------
    header_line
        From 1.
    above
        What stands above the header.
    below
        The lines at the end that are no rows.
    """

    separator: str
    header_line: int
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


def find_layout(head: Sequence[str], tail: Sequence[str] = ()) -> Layout:
    """Find separator, header and totals from a file's first and last lines.

    The separator is the one that cuts most lines into the same number of fields, two or more. The
    header is the first line with that many names, most of them no numbers; where no name has a figure, some
    may be empty or there twice: marks at the end of every line name a column that isn't there.

    Parameters
    ----------
    head
        The first lines, without line ends.
    tail
        The last lines of a file that has more; the header isn't looked for in them.

    Examples
    --------
    >>> find_layout(["Orders 2024", "", "id;amount", "1;2,5", "2;3,5", "Total;6"], ["Total;6"]).header_line
    3
    """
    mark, width = _separator(head[:_LOOK])
    place = _header(head, mark, width)
    above = tuple(line.strip() for line in head[:place] if line.strip(mark + " \t"))
    rows = [line for line in head[place + 1 :] if line.strip()]
    below = _below([line for line in tail if line.strip()] or rows, mark, width)
    return Layout(mark, place + 1, above, below)


def _separator(lines: Sequence[str]) -> tuple[str, int]:
    best, chosen = (0.0, 0), (",", 1)
    for mark in SEPARATORS:
        widths = Counter(len(fields) for line in lines if line.strip() and (fields := _cut(line, mark)))
        wide = {width: count for width, count in widths.items() if width > 1}
        if not wide:
            continue
        width, count = max(wide.items(), key=lambda each: (each[1], each[0]))
        score = (round(count / sum(widths.values()), 1), width)
        if score > best:
            best, chosen = score, (mark, width)
    return chosen


def _header(lines: Sequence[str], mark: str, width: int) -> int:
    for place, line in enumerate(lines):
        fields = [field.strip() for field in _cut(line, mark)]
        if len(fields) >= width and _names(fields, lines[place + 1 : place + 1 + _ENDS], mark):
            return place
    return next((place for place, line in enumerate(lines) if line.strip()), 0)


def _names(fields: list[str], after: Sequence[str], mark: str) -> bool:
    told = [field for field in fields if field]
    if len(told) == len(set(told)) == len(fields):
        return sum(bool(_NUMBER.fullmatch(field)) for field in fields) * 2 <= len(fields)
    if len(told) * 2 <= len(fields) or any(field[0].isdigit() for field in told):
        return False
    # A title leaves empty what the rows below it fill; marks at the ends of lines are there in all.
    return bool(fields[-1]) or not any(line.strip() and _cut(line, mark)[-1].strip() for line in after)


def _below(lines: Sequence[str], mark: str, width: int) -> tuple[str, ...]:
    below: list[str] = []
    filled = sorted(_filled(line, mark) for line in lines[:-_ENDS]) or [width]
    usual = filled[len(filled) // 2]
    for line in reversed(lines[-_ENDS:]):
        fields = _cut(line, mark)
        few = len(fields) < width and len(fields) * 2 <= width
        if not (few or _TOTAL.match(line) or _filled(line, mark) * 2 < usual):
            break
        below.append(line.strip())
    return tuple(reversed(below))


def _filled(line: str, mark: str) -> int:
    return sum(bool(field.strip()) for field in _cut(line, mark))


def _cut(line: str, mark: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return line.split(mark)
