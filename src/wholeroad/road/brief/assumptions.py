"""What a brief assumes: its lines that are marked ``# assumed``, until someone confirms them.

Confirming a line is deleting its mark. A mark behind the head of a table stands for the whole table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MARK: Final = "# assumed"

_HEAD: Final = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*$")
_WORD: Final = r"""(?:[\w-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_SETTING: Final = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=\s*(.*)$")
_FENCES: Final = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that nobody has confirmed.

    Attributes
    ----------
    table
        As written between its brackets: ``case``, ``source.orders``; empty at the top.
    setting
        Its name as written; empty where the mark stands for the whole table.
    value
        As written.
    why
        What it was guessed from; may be empty.
    """

    table: str
    setting: str
    value: str
    why: str

    def __str__(self) -> str:
        """Give it as one line."""
        where = f"[{self.table}]" if self.table else ""
        what = " ".join(
            part for part in (where, f"{self.setting} = {self.value}" if self.setting else "") if part
        )
        return f"{what}: {self.why}" if self.why else what


def assumed(text: str) -> tuple[Assumption, ...]:
    r"""Read the marks of a brief's text back, in its order.

    Parameters
    ----------
    text
        TOML that can be read; nothing is checked here.

    Examples
    --------
    >>> assumed('[case]\ndecide_at = "at"  # assumed: the only instant')
    (Assumption(table='case', setting='decide_at', value='"at"', why='the only instant'),)
    """
    found: list[Assumption] = []
    table, fence = "", ""
    for line in text.split("\n"):
        if fence:
            fence = "" if fence in line else fence
            continue
        written, comment = _parted(line)
        head = _HEAD.match(written)
        setting = _SETTING.match(written)
        if setting:
            head = None
        if head:
            table = head.group(1)
        opened = next((each for each in _FENCES if written.count(each) % 2), "")
        fence = opened
        if comment.startswith(MARK) and (head or setting):
            why = comment.removeprefix(MARK).lstrip(":").strip()
            name, value = (setting.group(1), setting.group(2).strip()) if setting else ("", "")
            found.append(Assumption(table, name, value, why))
    return tuple(found)


def _parted(line: str) -> tuple[str, str]:
    """Part a line of TOML from its comment; a ``#`` within quotes is none."""
    quote = ""
    skip = False
    for place, sign in enumerate(line):
        if skip:
            skip = False
        elif quote:
            skip = sign == "\\" and quote == '"'
            quote = "" if sign == quote and not skip else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#":
            return line[:place].rstrip(), line[place:].strip()
    return line.rstrip(), ""
