"""The face: check an expression's syntax, and bind it to a schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from wholeroad.core.errors import Fault

Expects = Literal["any", "number", "boolean", "text", "instant"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A bound SQL scalar expression."""

    text: str
    columns: tuple[str, ...]
    dtype: pl.DataType
    polars: pl.Expr = field(compare=False, hash=False, repr=False)


def check_syntax(text: str, *, where: str) -> list[Fault]:
    """Find what is wrong with an expression without a schema."""
    raise NotImplementedError


def bind(
    text: str,
    schema: Mapping[str, pl.DataType],
    *,
    where: str,
    expects: Expects = "any",
    timezone: str | None = None,
    words: Collection[str] = (),
) -> Expression:
    """Bind an expression to a typed schema."""
    raise NotImplementedError
