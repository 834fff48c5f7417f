"""From what a question found to a trouble: why it matters for this brief, and its mend in TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wholeroad.core.expressions.columns import columns_in
from wholeroad.core.expressions.expression import check_syntax
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.troubles import Touches, Trouble

_READS: Final[dict[Touches, str]] = {
    "truth": "the truth is read from it",
    "case": "it says which cases there are, or when they are decided",
    "value": "money is counted with it",
    "time": "it says when a row happened or became known",
    "key": "rows are told apart and joined by it",
    "feature": "a feature is made of it",
    "nothing": "nothing in the brief reads it yet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question found in one source.

    Attributes
    ----------
    risk
        What goes wrong where it is read, as a clause.
    where
        An expression over the source's columns, or words.
    mask
        Shape (rows,): the rows.
    mend
        The settings of a step, or words for a change of the brief.
    shown
        Columns that the examples show beside the key.
    """

    code: str
    columns: tuple[str, ...]
    what: str
    risk: str
    where: str
    mask: NDArray[np.bool_]
    mend: Mapping[str, Any] | str = ""
    leave: str
    strength: float = 1.0
    shown: tuple[str, ...] = ()


def tell(seen: Seen, found: Found) -> Trouble:
    """Say what was found in view of the brief."""
    mask = pl.Series(found.mask)
    seen.marks[found.code, found.columns, found.where] = found.mask
    touches = seen.touches(*found.columns)
    return Trouble(
        code=found.code,
        source=seen.name,
        columns=found.columns,
        what=found.what,
        why=f"{_reads(seen, found.columns, touches)}: {found.risk}",
        where=found.where,
        rows=int(found.mask.sum()),
        of=seen.rows.height,
        examples=seen.examples(mask, found.shown or found.columns),
        mend=found.mend if isinstance(found.mend, str) else inline(found.mend),
        leave=found.leave,
        touches=touches,
        strength=round(float(found.strength), 3),
        cases=seen.cases_of(mask),
    )


def _reads(seen: Seen, columns: tuple[str, ...], touches: Touches) -> str:
    places = dict.fromkeys(
        place for column in columns or seen.columns for place in seen.places.get(column, ())
    )
    if touches == "nothing" or not places:
        return _READS[touches]
    shown = ", ".join([*places][:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return f"{_READS[touches]} ({shown})"


@cache
def column(name: str) -> str:
    """Write a column as an expression has it, in double quotes where it must be.

    Examples
    --------
    >>> column("weight"), column("unit price"), column("case")
    ('weight', '"unit price"', '"case"')
    """
    plain = not check_syntax(name, where="") and [*columns_in(name)] == [name]
    return name if plain else '"' + name.replace('"', '""') + '"'


def literal(value: float | str) -> str:
    """Write a number or a text as an expression has it.

    Examples
    --------
    >>> literal(-999.0), literal(0.5), literal("it's")
    ('-999', '0.5', "'it''s'")
    """
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(plain(value))


def plain(value: float) -> int | float:
    """Give a whole number as an integer, others shortened to what a float holds."""
    number = float(value)
    return int(number) if number == round(number) and abs(number) < 1e15 else number


def one_of(name: str, values: Sequence[float | str]) -> str:
    """Write that a column is one of some values; words where they are too many for an expression."""
    if len(values) == 1:
        return f"{column(name)} = {literal(values[0])}"
    written = f"{column(name)} in ({', '.join(literal(value) for value in values)})"
    return (
        written if len(values) <= 300 and len(written) <= 8_000 else f"{name} is one of {len(values)} values"
    )


def inline(step: Mapping[str, Any]) -> str:
    """Write a step as an inline table of TOML.

    Examples
    --------
    >>> inline({"nothing": "height", "values": [-999]})
    '{ nothing = "height", values = [-999] }'
    """
    return f"{{ {', '.join(f'{_key(name)} = {_toml(value)}' for name, value in step.items())} }}"


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else _toml(name)


def _toml(value: Any) -> str:  # noqa: ANN401 (any plain value)
    if isinstance(value, Mapping):
        return inline(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def figure(value: float) -> str:
    """Write a number for a sentence, with at most four digits that count."""
    number = float(value)
    if number == round(number) and abs(number) < 1e15:
        return f"{int(number)}"
    return f"{number:.4g}"


def share_of(part: int, whole: int) -> str:
    """Write a share as a percentage that isn't rounded to nothing.

    Examples
    --------
    >>> share_of(1, 3), share_of(1, 100_000)
    ('33.3 %', '0.001 %')
    """
    percent = 100 * part / max(1, whole)
    return f"{percent:.1f} %" if percent >= 0.1 or not part else f"{percent:.1g} %"
