"""What bias in the data may do to decisions, in a sentence or two with the group's own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wholeroad.core.instants import DAY, Instant, Span, format_instant, format_span
from wholeroad.road.data.bias.found import GroupBias

_SELECTED: Final = 0.1
"""Outcomes are selected by actions when one is seen so much more often than after another."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Days until half and nine tenths of the outcomes are known; the share known within ``matures``."""

    half_days: float
    most_days: float
    matured: float


@dataclass(frozen=True, slots=True)
class Lasted:
    """Days since the first case, since a hundredth of them had come, and cases a month since then."""

    first_days: float
    begun_days: float
    a_month: float


@dataclass(frozen=True, slots=True)
class ByAction:
    """A group's cases with an action, how many of their outcomes are seen, and how often it was taken."""

    action: str
    cases: int
    seen: float
    taken: float
    taken_of_others: float


@dataclass(frozen=True, slots=True)
class Missed:
    """Cases that are old enough and have no row of an outcome, or one that doesn't tell; by action."""

    rowless: int
    untold: int
    by_action: tuple[ByAction, ...] = ()


def coverage_does(bias: GroupBias) -> str:
    """Say what a share of the cases unlike that of the population does."""
    share, stated = bias.figure.value, bias.rest.value
    if not bias.enough:
        return _too_few(bias)
    if not bias.cases:
        return (
            f"{bias.value} is {_share(stated)} of the population and has no case: nothing was learnt from "
            "them, and what a model says of them is drawn from others."
        )
    facts = f"{bias.value} is {_share(share)} of the cases and {_share(stated)} of the population"
    if not bias.clear:
        return f"{facts}: {_CHANCE}."
    if share < stated:
        return (
            f"{facts}: fits, thresholds and money per case count it {_times(stated, share)} too little, and "
            "what is peculiar to it is learnt from fewer cases."
        )
    return (
        f"{facts}: fits, thresholds and money per case count it {_times(share, stated)} too much, at the "
        "expense of everybody else."
    )


def base_rate_does(bias: GroupBias, *, looked_for: str) -> str:
    """Say what another base rate does."""
    if not bias.enough:
        return _too_few(bias)
    facts = (
        f"{looked_for} came true in {_share(bias.figure.value)} of its cases and {_share(bias.rest.value)} "
        "of the others"
    )
    if not bias.clear:
        return f"{facts}: {_CHANCE}."
    more = "more" if bias.difference.value > 0 else "less"
    return (
        f"{facts}: a model that is right expects it {more} often there, and equal selection, equal error "
        "rates and equal calibration can't hold at once; ask first whether the outcomes of both are recorded "
        "alike."
    )


def missingness_does(bias: GroupBias, *, shares: Mapping[str, float]) -> str:
    """Say what a feature does that is null more often, or less; ``shares`` of its nulls are each group's."""
    if not bias.enough:
        return _too_few(bias)
    own, rest, name = bias.figure.value, bias.rest.value, bias.about
    facts = f"{name} is null in {_share(own)} of its cases and {_share(rest)} of the others"
    if not bias.clear:
        return f"{facts}: {_CHANCE}."
    if own > rest:
        return (
            f"{facts}: the model sees {_share(own)} of its cases without {name}; these are scored as cases "
            f"without it are, {_share(1 - shares[bias.value])} of which are somebody else's, and the null "
            "stands for the group."
        )
    return (
        f"{facts}: cases without {name} are mostly somebody else's, only {_share(shares[bias.value])} are "
        f"its own, so that {name} tells a model more about this group than about the others."
    )


def delay_does(bias: GroupBias, *, waited: Waited, others: Waited, horizon: Span) -> str:
    """Say what outcomes do that take longer, or less long."""
    if not bias.enough:
        return _too_few(bias)
    facts = (
        f"its outcomes take {_days(bias.figure.value)} on average, those of the others "
        f"{_days(bias.rest.value)} (of those known within {_span(horizon)})"
    )
    early = (
        f"{_share(waited.matured)} of them are known when a case matures (others {_share(others.matured)})"
    )
    if not bias.clear:
        return f"{facts}; {early}: {_CHANCE}."
    if bias.difference.value > 0:
        return (
            f"{facts}: of its cases of the last {_days(waited.half_days)} more than half are missing from "
            f"every fit, and the early outcomes aren't typical; {early}, and it takes "
            f"{_days(waited.most_days)} until 90 % are."
        )
    return (
        f"{facts}: what is new shows in this group first, and the most recent cases that a fit sees are its "
        f"own more often than the others'; {early}."
    )


def history_does(bias: GroupBias, *, lasted: Mapping[str, Lasted], whole: float, now: Instant) -> str:
    """Say what a shorter history does, or an older one; ``whole`` is in days since the first case of all."""
    if not bias.enough:
        return _too_few(bias)
    own = lasted[bias.value]
    since = format_instant(now - round(own.begun_days * DAY))[:10]
    facts = (
        f"its cases are {_days(bias.figure.value)} old on average, those of the others "
        f"{_days(bias.rest.value)}; 99 % of its cases came since {since}, {own.a_month:,.0f} a month"
    )
    if not bias.clear:
        return f"{facts}: {_CHANCE}."
    if bias.difference.value < 0:
        return (
            f"{facts}, in {_days(own.begun_days)} of a history of {_days(whole)}: fits know fewer seasons "
            "and fewer outcomes of it, and what they learnt from longer ago, others taught."
        )
    return (
        f"{facts}: fits know it from longer ago than the others, so that what has changed since changes it "
        "less; see whether it still comes as often as it did."
    )


def unseen_does(bias: GroupBias, *, missed: Mapping[str, Missed], horizon: Span) -> str:
    """Say what outcomes do that are never seen."""
    if not bias.enough:
        return _too_few(bias)
    own = missed[bias.value]
    facts = (
        f"the outcome of {_share(bias.figure.value)} of its cases older than {_span(horizon)} was never "
        f"seen, {_share(bias.rest.value)} of the others' ({own.rowless:,} without any row, {own.untold:,} "
        "with one that doesn't tell)"
    )
    selected = _selected(own)
    if not bias.clear:
        return f"{facts}: {_CHANCE}{selected}."
    if bias.difference.value > 0:
        return (
            f"{facts}: no fit and no figure knows these cases, and where they differ from those seen, what "
            f"is said of this group is wrong by as much{selected}."
        )
    return f"{facts}: its outcomes are known better than the others', and so is what is said of it{selected}."


_CHANCE: Final = "chance alone may explain that"


def _too_few(bias: GroupBias) -> str:
    return f"{bias.value} or the others have too few cases ({bias.cases:,} here): nothing is said."


def _selected(own: Missed) -> str:
    told = [each for each in own.by_action if each.cases]
    if len(told) < 2:
        return ""
    most, least = max(told, key=lambda each: each.seen), min(told, key=lambda each: each.seen)
    if most.seen - least.seen < _SELECTED:
        return ""
    return (
        f"; outcomes are seen after {_share(most.seen)} of its cases with {most.action} and "
        f"{_share(least.seen)} of those with {least.action}, which was done to {_share(least.taken)} of its "
        f"cases and {_share(least.taken_of_others)} of the others: who decided chose the labels"
    )


def _share(value: float) -> str:
    return f"{value:.2%}" if 0 < value < 0.01 or 0.99 < value < 1 else f"{value:.1%}"


def _times(more: float, less: float) -> str:
    return f"{more / less:.1f} times" if less > 0 else "altogether"


def _days(days: float) -> str:
    return f"{days:,.1f} days" if days < 100 else f"{days:,.0f} days"


def _span(span: Span) -> str:
    return format_span(span) if span % DAY == 0 or span < DAY else _days(span / DAY)
