"""What single rows can break, compiled: for each clause what counts it, what finds it, and what is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from wholeroad.road.brief.source_contract import Broken, ColumnContract, ContractTable
from wholeroad.road.data.casting import INSTANT
from wholeroad.road.data.contracts.fitting import allowed_values, asked_type, bounds

CODES: Final = {
    "type": "contract.type",
    "null": "contract.null",
    "range": "contract.range",
    "allowed": "contract.allowed",
    "references": "contract.references",
    "unique": "contract.unique",
}
"""Of the rows that a clause sets aside; asked in this order, and the first one that a row breaks stands."""

_SHOWN: Final = 8
_CLOSED: Final = frozenset({"pseudonymous", "personal", "special"})
"""Personal data: their values are in no sentence, since sentences outlive rows."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause that single rows can break.

    Attributes
    ----------
    column
        Whose values it speaks of.
    name
        One of :data:`CODES`.
    does
        What happens to rows that break it.
    bad
        Which rows break it: an expression over the frame; null is false. Clauses of type and of uniqueness
        have none: no expression over one part tells them.
    reason
        A sentence about a row that breaks it.
    """

    column: str
    name: str
    does: Broken
    bad: pl.Expr | None
    reason: pl.Expr

    @property
    def code(self) -> str:
        """The code of a row that it sets aside."""
        return CODES[self.name]

    @property
    def raw(self) -> bool:
        """Whether it speaks of the values as they came, before any was read as another type."""
        return self.name in ("type", "null")

    @property
    def said(self) -> str:
        """The clause in two words, as in ``distance range``."""
        return f"{self.column} {self.name}"

    @property
    def count(self) -> pl.Expr:
        """How many rows break it."""
        return pl.lit(0) if self.bad is None else self.bad.sum()


def compile_clauses(
    contract: ContractTable, schema: Mapping[str, pl.DataType], *, references: Mapping[str, pl.Series]
) -> tuple[Clause, ...]:
    """Compile the clauses of all columns against the types that they are kept in.

    Parameters
    ----------
    schema
        Of the source's own columns.
    references
        By column: the values that it may have, in its own type. Without them a reference isn't
        compiled.
    """
    found = [
        clause
        for name, column in contract.column.items()
        for clause in _of_column(
            name, column, kept=schema[name], does=contract.does(name), references=references
        )
    ]
    return tuple(sorted(found, key=lambda clause: [*CODES].index(clause.name)))


def _of_column(
    name: str,
    column: ColumnContract,
    *,
    kept: pl.DataType,
    does: Broken,
    references: Mapping[str, pl.Series],
) -> Iterator[Clause]:
    asked = asked_type(column, kept)
    value = pl.col(name)
    closed = column.personal in _CLOSED

    def clause(clause_name: str, bad: pl.Expr | None, expected: str) -> Clause:
        shown = kept if clause_name == "type" else asked
        return Clause(name, clause_name, does, bad, _sentence(name, shown, expected, closed=closed))

    if column.type is not None:
        yield clause("type", None, f"not {_article(column.type)}")
    if column.null_share == 0:
        yield Clause(name, "null", does, value.is_null(), pl.lit(f"{name} was empty"))
    if column.range is not None:
        low, high = bounds(column, asked)
        yield clause(
            "range", ~value.is_between(low, high), f"not between {column.range[0]} and {column.range[1]}"
        )
    if column.allowed:
        yield clause("allowed", _beyond(value, allowed_values(column, asked)), f"not {_listed(column)}")
    if column.references is not None and name in references:
        yield clause("references", _beyond(value, references[name]), f"which isn't in {column.references}")
    if column.unique:
        yield clause("unique", None, "which another row with another key has")


def _beyond(value: pl.Expr, values: pl.Series) -> pl.Expr:
    """Tell what isn't among some values; a null isn't beyond them.

    Texts are looked up by Polars' hash of 64 bits, which is several times as fast: a text that isn't among a
    thousand passes for one of them once in 10^16.
    """
    if values.dtype == pl.String:
        hashes = pl.concat([values, pl.Series([None], dtype=pl.String)]).hash().unique()
        return ~value.hash().is_in(hashes.implode())
    return ~value.is_in(values.drop_nulls().unique().implode())


def _sentence(name: str, shown_as: pl.DataType, expected: str, *, closed: bool) -> pl.Expr:
    if closed:
        return pl.lit(f"{name} {'was' if expected.startswith('not') else 'had a value'} {expected}")
    value = pl.col(name)
    if shown_as == INSTANT:
        shown = pl.coalesce(value.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"), pl.lit(""))
    else:
        shown = pl.coalesce(value.cast(pl.String, strict=False), pl.lit(""))
    quote = "'" if shown_as == pl.String() else ""
    return pl.format(f"{_braced(name)} was {quote}{{}}{quote}, {_braced(expected)}", shown)


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _article(kind: str) -> str:
    words = {"boolean": "true or false", "integer": "an integer", "instant": "an instant"}
    return words.get(kind, f"a {kind}")


def _listed(column: ColumnContract) -> str:
    shown = ", ".join(str(each) for each in column.allowed[:_SHOWN])
    more = len(column.allowed) - _SHOWN
    return f"one of {shown}" + (f" and {more} more" if more > 0 else "")
