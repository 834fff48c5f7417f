"""From answers to the text of a brief: commented, and every guessed line marked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wholeroad.core.expressions.columns import columns_in
from wholeroad.road.brief.assumptions import MARK, Assumption
from wholeroad.road.brief.sources import CsvTable

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SIGNS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WIDTH: Final = 24

Plain = str | int | float | bool | Sequence["Plain"] | Mapping[str, "Plain"]
"""What TOML can say of it here."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table.

    Attributes
    ----------
    why
        What a guess was guessed from; empty where it is none.
    said
        A comment on a line that is no guess.
    """

    name: str
    value: Plain
    why: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the brief.

    Attributes
    ----------
    above
        Comments that stand over its head.
    why
        Where the whole table is a guess: what it was guessed from.
    """

    table: str
    lines: tuple[Line, ...]
    above: tuple[str, ...] = ()
    why: str = ""
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A brief that is to be written.

    Attributes
    ----------
    above
        Comments at the top.
    """

    sections: tuple[Section, ...]
    above: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Gather what is assumed, as it is written."""
        found: list[Assumption] = []
        for section in self.sections:
            if section.why:
                found.append(Assumption(section.table, "", "", _one_line(section.why)))
            found += [
                Assumption(section.table, _key(line.name), written(line.value), _one_line(line.why))
                for line in section.lines
                if line.why
            ]
        object.__setattr__(self, "assumptions", tuple(found))

    def text(self) -> str:
        """Write it as TOML: equal drafts give equal texts.

        Returns
        -------
        str
            What :func:`~wholeroad.road.brief.assumptions.assumed` reads the assumptions back from.
        """
        parts = [*(_comment(words) for words in self.above), "format = 1"]
        for section in self.sections:
            parts += ["", *(_comment(words) for words in section.above)]
            parts.append(_marked(f"[{section.table}]", section.why))
            wide = min(_WIDTH, max((len(_key(line.name)) for line in section.lines), default=0))
            for line in section.lines:
                row = f"{_key(line.name):<{wide}} = {written(line.value)}"
                parts.append(_marked(row, line.why) if line.why or not line.said else f"{row}  # {line.said}")
            parts += [_comment(words) for words in section.below]
        return "\n".join(parts) + "\n"


def written(value: Plain) -> str:
    r"""Write a value as TOML on one line.

    Examples
    --------
    >>> written({"mean": "truth = 'late'", "over": "6h"})
    '{ mean = "truth = \'late\'", over = "6h" }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(name)} = {written(each)}" for name, each in value.items())
        return f"{{ {inner} }}"
    return f"[{', '.join(written(each) for each in value)}]"


def spelled(csv: CsvTable) -> dict[str, Plain]:
    """Give what isn't plain about a CSV, as the brief writes it."""
    return csv.model_dump(mode="json", exclude_defaults=True, exclude_none=True)


def name_in(text: str, otherwise: str) -> str:
    """Make a name for a brief or a source from any text: letters, digits and ``_``."""
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_")
    name = re.sub(r"^[^a-z]+", "", name)[:40].rstrip("_")
    return name or otherwise


def column_in(name: str) -> str:
    """Write a column's name as expressions read it."""
    if re.fullmatch(r"[a-zA-Z_]\w*", name, re.ASCII) and columns_in(name) == {name: None}:
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def text_in(text: str) -> str:
    """Write a text as expressions read it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _marked(row: str, why: str) -> str:
    return f"{row}  {MARK}: {_one_line(why)}" if why else row


def _comment(words: str) -> str:
    return f"# {_one_line(words)}" if words else "#"


def _one_line(words: str) -> str:
    return _SIGNS.sub(" ", words).strip()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else written(name)
