"""What can become true of a run, and the union of every stage's facts."""

from __future__ import annotations

import msgspec

from wholeroad.core.facts import Fact
from wholeroad.core.instants import Instant
from wholeroad.road.brief.facts import BriefRead
from wholeroad.road.data.facts import BatchLanded, RowsMended, SourceHeld, SourceReleased
from wholeroad.road.model.facts import FitAsked, FitRefused, ModelFitted
from wholeroad.road.release.facts import PlanFixed, PromotionStopped
from wholeroad.road.review.facts import AppealAnswered, Appealed, ReviewAsked, VerdictsRead
from wholeroad.road.watch.facts import LimitsWatched, Settled, SpanDecided


class Opened(Fact, frozen=True, kw_only=True):
    """A run began.

    Attributes
    ----------
    manifest
        Digest of what it was given: version, brief, data cut, seed, policy.
    """

    manifest: str


class RunBegan(Fact, frozen=True, kw_only=True):
    """What is due is about to be answered; a run that is cut short is finished by the next one.

    Attributes
    ----------
    until_at
        Cycles and cases before this instant.
    """

    until_at: Instant


class Closed(Fact, frozen=True, kw_only=True):
    """A run came to its end; ``at`` is the last instant whose arrivals it saw."""


AnyFact = (
    Opened
    | RunBegan
    | Closed
    | BriefRead
    | BatchLanded
    | SourceHeld
    | SourceReleased
    | RowsMended
    | FitAsked
    | ModelFitted
    | FitRefused
    | PlanFixed
    | PromotionStopped
    | ReviewAsked
    | VerdictsRead
    | Appealed
    | AppealAnswered
    | SpanDecided
    | Settled
    | LimitsWatched
)

_DECODER = msgspec.json.Decoder(AnyFact)


def decode(data: bytes) -> Fact:
    """Decode one fact of any stage."""
    fact: Fact = _DECODER.decode(data)
    return fact
