"""The profile's slow part: all questions of all sources, and one name for one cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from wholeroad.core.ports import Progress
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.asking import Question, ask
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.times_questions import QUESTIONS_OF_TIME
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.values_causes import one_cause
from wholeroad.road.data.quality.values_duplicates import find_duplicates
from wholeroad.road.data.quality.values_impossible import find_impossible_values
from wholeroad.road.data.quality.values_mojibake import find_mojibake
from wholeroad.road.data.quality.values_near_duplicates import find_near_duplicates
from wholeroad.road.data.quality.values_outliers import find_outliers
from wholeroad.road.data.quality.values_redundant import find_constant_columns, find_redundant_columns
from wholeroad.road.data.quality.values_sentinels import (
    find_sentinel_dates,
    find_sentinel_numbers,
    find_sentinel_texts,
)
from wholeroad.road.data.quality.values_spelling import find_spelling_variants
from wholeroad.road.data.quality.values_spikes import find_clipped, find_default_values
from wholeroad.road.data.quality.values_swapped import find_swapped_columns
from wholeroad.road.data.quality.values_types import find_mixed_types
from wholeroad.road.data.quality.values_units import find_unit_changes
from wholeroad.road.data.versions import Versions

QUESTIONS_OF_VALUES: Final[tuple[Question, ...]] = (
    find_sentinel_texts,
    find_sentinel_dates,
    find_sentinel_numbers,
    find_mojibake,
    find_constant_columns,
    find_redundant_columns,
    find_swapped_columns,
    find_unit_changes,
    find_impossible_values,
    find_clipped,
    find_default_values,
    find_outliers,
    find_mixed_types,
    find_spelling_variants,
    find_duplicates,
    find_near_duplicates,
)


def examine(
    history: History | None,
    brief: Brief,
    *,
    sources: Mapping[str, Versions],
    share: float = 1.0,
    beside: Mapping[str, Versions] | None = None,
    progress: Progress | None = None,
) -> tuple[Trouble, ...]:
    """Ask all questions of all sources, the gravest consequence first.

    Parameters
    ----------
    history
        Cases, truth and values; None where they couldn't be put together.
    sources
        Row versions by source, with all own columns; a sample by key where there are many.
    share
        Share of the keys that are in the sample, 0 to 1.
    beside
        Where ``sources`` are a sample: all row versions by source, with their keys, which rows refer to.
    """
    whole = sources if beside is None and share >= 1 else beside or {}
    seen = {
        name: Seen(brief, name, brief.source[name], versions, history, share, whole)
        for name, versions in sources.items()
    }
    return ask(seen, (all_questions,), progress=progress)


def all_questions(seen: Seen) -> Iterator[Trouble]:
    """Ask one source everything; what has one cause gets one name."""
    found = [trouble for question in (*QUESTIONS_OF_VALUES, *QUESTIONS_OF_TIME) for trouble in question(seen)]
    yield from one_cause(found, seen)
