"""One token of an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

KEYWORDS: Final = frozenset(
    {"and", "or", "not", "is", "in", "between", "like", "case", "when", "then", "else", "end"}
)
AtomKind = Literal["column", "quoted", "function", "number", "text", "constant", "span", "instant", "type"]


@dataclass(frozen=True, slots=True)
class Token:
    """A keyword or sign (``atom`` is None), or an atom; ``start`` and ``end`` count from 0, inclusive."""

    text: str
    start: int
    end: int
    atom: AtomKind | None = None

    @property
    def opens_operand(self) -> bool:
        """Whether an operand can start here."""
        return self.atom is not None or self.text in ("(", "case")

    @property
    def closes_operand(self) -> bool:
        """Whether an operand can end here."""
        return self.atom not in (None, "function") or (self.atom is None and self.text in (")", "end"))
