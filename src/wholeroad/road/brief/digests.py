"""Digests of a brief: equal briefs have equal ones, wherever and however they are written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from wholeroad.core.ids import digest
from wholeroad.road.brief.contract import Brief

_WORDS: Final = {"brief", "success", "collect", "rehearse"}
"""Tables that change no run: what is said to people, and what is compared."""

_LEARNT: Final = {"case", "outcome", "source", "feature", "model"}


@dataclass(frozen=True, slots=True)
class Digests:
    """Of a brief.

    Attributes
    ----------
    brief
        Of everything that changes a decision or its money.
    learns
        Of what models learn by: a model made under another one doesn't fit.
    """

    brief: str
    learns: str


def digests(brief: Brief) -> Digests:
    """Digest a brief; comments, layout and the words for people don't change it."""
    said = brief.canonical()
    whole = {table: value for table, value in said.items() if table not in _WORDS}
    if brief.fairness is not None:
        whole["fairness"] = brief.fairness.acting()
    learnt = {table: value for table, value in said.items() if table in _LEARNT}
    return Digests(
        digest(json.dumps(whole, sort_keys=True)),
        digest(json.dumps([learnt, brief.actions], sort_keys=True)),
    )
