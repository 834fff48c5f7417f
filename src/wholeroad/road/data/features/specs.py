"""Compiled features: the brief's feature table after its expressions have been bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wholeroad.core.expressions import Expression
from wholeroad.core.instants import Span

Aggregate = Literal["count", "sum", "mean", "min", "max", "std", "distinct", "since"]
On = Literal["happened", "known", "planned"]


@dataclass(frozen=True, slots=True)
class Derived:
    """A column of the case, or an expression over it."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column of a static source, by the case's columns.

    ``by`` maps the case's column to the source's; a key that is missing or null gives null.
    """

    name: str
    source: str
    column: str
    by: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest known version of the row with the greatest ``happened_at <= decided_at``.

    Older than ``max_age``, measured from ``happened_at``, is null; a null stays null.
    """

    name: str
    source: str
    column: str
    by: tuple[tuple[str, str], ...]
    max_age: Span | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """An aggregate over the rows of a span, each in its newest version known at ``decided_at``.

    Attributes
    ----------
    value
        What is aggregated: a number or a boolean (true is 1), for ``distinct`` any value; null rows
        are left out. None for ``count`` and ``since``.
    where
        Only rows for which it is true count; null is not true.
    by
        Pairs (case's column, source's column), all equal; empty: the whole source. Null matches nothing.
    over
        Microseconds; None, for ``since`` only: however long ago.
    on
        ``happened``: rows with ``t - over < happened_at <= t``; ``known``: rows whose first
        version became known in ``(t - over, t]``; ``planned``: rows of a source of plans, already known,
        with ``t < happened_at <= t + over``, for any aggregate but ``since``.
    """

    name: str
    source: str
    aggregate: Aggregate
    value: Expression | None
    where: Expression | None
    by: tuple[tuple[str, str], ...]
    over: Span | None
    on: On


Feature = Derived | Lookup | Latest | Window
