"""A plan against bias, as plain objects: what was found, and what can be done about it at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from wholeroad.core.estimates import Estimate
from wholeroad.core.instants import Instant
from wholeroad.road.brief.fairness import Kind
from wholeroad.road.data.bias.found import Cause, GroupBias


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done about a finding.

    Attributes
    ----------
    kind
        As ``[[fairness.remedies]]`` names it.
    says
        What it does and what it asks for, in a sentence or two.
    toml
        The lines for the brief that put it in force, without who chose it.
    costs
        Money a month in the brief's unit, with an interval; None where it isn't known.
    costs_say
        What the cost is of, or why it isn't known.
    cases, by_at
        Of ``collect``: how many cases of whom, and when they would be there at the present rate.
    effective_share
        Of ``reweigh``: how many equally weighted cases tell as much, as a share of all.
    first
        Whether it is the choice to try first.
    """

    kind: Kind
    says: str
    toml: str
    costs: Estimate | None = None
    costs_say: str = ""
    cases: int | None = None
    by_at: Instant | None = None
    effective_share: float | None = None
    first: bool = False


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One cause, the most likely and weighty first.

    Attributes
    ----------
    cause, grouping, value, about
        As of :class:`~wholeroad.road.data.bias.found.GroupBias`.
    evidence
        The answer that it rests on.
    explains
        Other findings that this one would bring about, in words: they aren't listed as causes of their own.
    says
        Why it stands where it stands.
    """

    cause: Cause
    grouping: str
    value: str
    evidence: GroupBias
    choices: tuple[Choice, ...]
    explains: tuple[str, ...] = ()
    says: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about bias.

    Attributes
    ----------
    lines
        Clear findings, in order.
    doubtful
        Findings that chance alone may explain, in order.
    quiet
        Questions that found nothing, in words.
    not_asked
        Questions that couldn't be asked, each with its reason.
    """

    lines: tuple[PlanLine, ...]
    doubtful: tuple[PlanLine, ...] = ()
    quiet: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()
