"""All questions about times, keys and outcomes, in the order in which they are asked."""

from __future__ import annotations

from typing import Final

from wholeroad.road.data.quality.asking import Question
from wholeroad.road.data.quality.keys_meaning import find_changed_keys
from wholeroad.road.data.quality.keys_orphans import find_orphans
from wholeroad.road.data.quality.outcomes_known import find_known_too_late
from wholeroad.road.data.quality.outcomes_leaks import find_leaks_of, find_missing_tells_outcome
from wholeroad.road.data.quality.outcomes_rates import find_outcome_rate_shifts
from wholeroad.road.data.quality.outcomes_segments import find_segments_without_outcomes
from wholeroad.road.data.quality.times_arrivals import find_backfills, find_late_arrivals
from wholeroad.road.data.quality.times_category import find_new_categories
from wholeroad.road.data.quality.times_clock import find_clock_shifts
from wholeroad.road.data.quality.times_gaps import find_time_gaps, find_volume_jumps
from wholeroad.road.data.quality.times_missing import find_missing_since

QUESTIONS_OF_TIME: Final[tuple[Question, ...]] = (
    find_time_gaps,
    find_volume_jumps,
    find_backfills,
    find_late_arrivals,
    find_clock_shifts,
    find_missing_since,
    find_new_categories,
    find_changed_keys,
    find_orphans,
    find_leaks_of,
    find_missing_tells_outcome,
    find_known_too_late,
    find_outcome_rate_shifts,
    find_segments_without_outcomes,
)
