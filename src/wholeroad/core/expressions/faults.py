"""Faults of one expression, each with the place it is about."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from wholeroad.core.errors import Fault

Span = tuple[int, int]
"""First and last character, counted from 0."""


class Faults:
    """The faults of one expression, in the order in which they were found."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.found: list[Fault] = []

    def add(self, code: str, happened: str, *, expected: str, fix: str, span: Span | None = None) -> None:
        """Note a fault; the same one at the same place is noted once."""
        place = self.where
        if span is not None:
            first, last = span[0] + 1, min(span[1], len(self.text) - 1) + 1
            place += f", character {first}" if first >= last else f", characters {first}-{last}"
        fault = Fault(f"expression.{code}", place, happened, expected, fix)
        if fault not in self.found:
            self.found.append(fault)

    def snippet(self, span: Span) -> str:
        """Give the text at a place, shortened."""
        shown = " ".join(self.text[span[0] : span[1] + 1].split())
        return shown if len(shown) <= 60 else f"{shown[:57]}..."


def closest(name: str, known: Iterable[str]) -> str | None:
    """Give the most similar known name, upper and lower case aside, or None."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    match = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[match[0]] if match else None
