"""The profile of a project's data: what was found, and the numbers for its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wholeroad.core.errors import RoadError
from wholeroad.core.ports import Progress
from wholeroad.engine.storehouse import Storehouse
from wholeroad.road.brief.contract import Brief
from wholeroad.road.data.history import History
from wholeroad.road.data.quality.asking import ask
from wholeroad.road.data.quality.money import FeatureMoney, money_of_features
from wholeroad.road.data.quality.outcomes_rates import (
    OutcomeRate,
    SegmentRate,
    outcome_rates,
    segment_rates,
)
from wholeroad.road.data.quality.outcomes_told import came_true
from wholeroad.road.data.quality.seen import Seen
from wholeroad.road.data.quality.summaries import SourceSummary, summarise
from wholeroad.road.data.quality.times_by_day import Arrivals, arrivals
from wholeroad.road.data.quality.troubles import Trouble
from wholeroad.road.data.quality.work import all_questions

MOST: Final = 300_000
"""Rows of a source that are looked at; of more, those of some keys are drawn by their hash."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """What a profile found.

    Attributes
    ----------
    troubles
        The gravest consequence first.
    sources, arrivals
        Each source that has rows; arrivals of those with time.
    features
        What each feature has to do with money; empty without a history.
    rates, segments
        The outcome over time, and by segment.
    looked_for
        The outcome whose share is told: the class that the brief looks for, or else the rarest; or a number
        above the median. Empty without a history.
    without_history
        Why cases, outcomes and money couldn't be put together; empty where they could.
    """

    brief: Brief
    troubles: tuple[Trouble, ...]
    sources: tuple[SourceSummary, ...]
    arrivals: dict[str, Arrivals]
    features: tuple[FeatureMoney, ...]
    rates: tuple[OutcomeRate, ...]
    segments: tuple[SegmentRate, ...]
    looked_for: str = ""
    without_history: str = ""


def profile_data(
    brief: Brief, store: Storehouse, *, most: int = MOST, progress: Progress | None = None
) -> Profiled:
    """Look at everything that has landed as a careful analyst of this brief would.

    Parameters
    ----------
    most
        Rows of a source that are looked at.
    """
    tell = progress or (lambda *_: None)
    tell("profile: cases and outcomes", 0, 0)
    history, why = _history(store)
    keys = {name: store.versions(name, ()) for name in brief.source if store.rows(name)}
    seen = {}
    for name, source in brief.source.items():
        if store.rows(name):
            versions, share = store.sampled(name, most)
            seen[name] = Seen(brief, name, source, versions, history, share, keys)
    tell("profile: cases and outcomes", 1, 1)
    troubles = ask(seen, (all_questions,), progress=progress)
    features = money_of_features(history, progress) if history and brief.feature else ()
    asking = seen.get(brief.case.source)
    return Profiled(
        brief=brief,
        troubles=troubles,
        sources=tuple(summarise(one) for one in seen.values()),
        arrivals={name: arrivals(one) for name, one in seen.items() if one.timed},
        features=features,
        rates=outcome_rates(history) if history and not brief.timeless else (),
        segments=segment_rates(asking) if asking and history else (),
        looked_for=came_true(history).name if history else "",
        without_history=why,
    )


def _history(store: Storehouse) -> tuple[History | None, str]:
    """Put cases, truth and values together, features as they are asked for; or say why that can't be."""
    try:
        return store.history(until=store.last_known_at()), ""
    except RoadError as error:
        return None, str(error)
