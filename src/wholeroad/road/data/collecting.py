"""The plan for data that aren't there yet: tables, columns, how many rows, and when they'll be there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wholeroad.core.instants import DAY, LAST, Instant, Span, format_span
from wholeroad.road.brief.contract import Brief, Worth
from wholeroad.road.data.asked_columns import AskedColumn, asked_columns
from wholeroad.road.data.sizing import POWER, outcomes_needed, widest_spread
from wholeroad.road.data.to_log import ToLog, what_to_log

FIRST_FIT: Final = "a first fit"

RATES: Final = (10.0, 100.0, 1000.0)
"""Cases a day that are reckoned with where the brief doesn't say."""

SHARES: Final = (0.01, 0.1, 0.5)
"""Shares of the rarer outcome that a first fit is reckoned for where the brief doesn't say."""


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A source of the brief.

    Attributes
    ----------
    rows
        There already; 0 for a table to be made.
    columns
        What the brief asks of it: key, times, the rest.
    """

    source: str
    rows: int
    columns: tuple[AskedColumn, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """So many cases with a known outcome are needed for something.

    Attributes
    ----------
    purpose
        What they are for, to be read after "for".
    cases
        With a known outcome; None where the brief doesn't say enough.
    why
        One sentence: what the number rests on, or what is missing for it.
    waits
        Span from the last case needed until it counts: its outcome has to mature.
    not_before
        Span from the first case of all: the brief asks for that much history first.
    after
        How many of the cases have to come after that.
    """

    purpose: str
    cases: int | None
    why: str
    waits: Span = 0
    not_before: Span = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a need is met at a rate.

    Attributes
    ----------
    days
        From now, rounded up.
    at
        None where it lies beyond the calendar.
    """

    purpose: str
    cases_per_day: float
    days: int
    at: Instant | None


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What to collect, how much of it, and until when.

    Attributes
    ----------
    name, question
        Of the brief.
    from_at
        The instant that dates are counted from.
    tables
        To be made, in the brief's order; ``there`` are the others.
    known
        Cases with an outcome that are there already.
    needs, arrivals
        Rows needed, and when they'll be there: each need at each rate.
    rate_stated
        Whether the brief says how many cases a day there are.
    assumptions
        Sentences.
    to_log
        What to write down that no brief asks for, because it can't be had later.
    """

    name: str
    question: str
    from_at: Instant
    tables: tuple[PlannedTable, ...]
    there: tuple[PlannedTable, ...]
    known: int
    needs: tuple[Need, ...]
    arrivals: tuple[Arrival, ...]
    rate_stated: bool
    assumptions: tuple[str, ...]
    to_log: tuple[ToLog, ...]


def sources_to_collect(brief: Brief, counts: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """Name the sources that don't exist yet: ``read = "none"``, and no row was landed from Python."""
    rows = counts or {}
    return tuple(
        name for name, source in brief.source.items() if source.read == "none" and not rows.get(name)
    )


def plan_collection(
    brief: Brief, counts: Mapping[str, int] | None = None, *, now: Instant, fit_cases: int
) -> CollectionPlan:
    """Plan the data that a brief asks for and that aren't there.

    Parameters
    ----------
    counts
        Rows that are there, by source.
    now
        Days are counted from here.
    fit_cases
        Cases that fill the slices of a fit, without an embargo.

    Examples
    --------
    >>> from wholeroad.road.brief.work import make_brief
    >>> brief = make_brief(
    ...     {
    ...         "format": 1,
    ...         "brief": {"name": "churn", "question": "Who leaves?"},
    ...         "case": {"source": "people", "decide_at": "asked_at"},
    ...         "outcome": {
    ...             "kind": "binary",
    ...             "classes": ["leaves", "stays"],
    ...             "source": "people",
    ...             "truth": "case when left then 'leaves' else 'stays' end",
    ...             "matures": "30d",
    ...             "depends_on_action": "no",
    ...         },
    ...         "value": {
    ...             "unit": "EUR",
    ...             "status_quo": {"action": "wait"},
    ...             "of": {"call": {"leaves": 20, "stays": -2}, "wait": {"leaves": 0, "stays": 0}},
    ...         },
    ...         "success": {"gain_over_status_quo": {"per_case": 1}},
    ...         "source": {"people": {"read": "none", "key": "person"}},
    ...         "policy": {"refit": {"first": "90d"}},
    ...         "collect": {"cases_per_day": 20, "positive_share": 0.1},
    ...     }
    ... )
    >>> plan = plan_collection(brief, now=0, fit_cases=134)
    >>> [(need.purpose, need.cases) for need in plan.needs]
    [('a first fit', 500), ('telling 1 EUR per case from noise', 270), ('a rehearsal that can tell', 770)]
    """
    rows = counts or {}
    missing = sources_to_collect(brief, rows)
    tables = [PlannedTable(name, rows.get(name, 0), asked_columns(brief, name)) for name in brief.source]
    known = min(rows.get(brief.case.source, 0), rows.get(brief.outcome.source, 0))
    needs = tuple(_needs(brief, fit_cases))
    rates = RATES if brief.collect is None else (brief.collect.cases_per_day,)
    return CollectionPlan(
        name=brief.brief.name,
        question=brief.brief.question,
        from_at=now,
        tables=tuple(table for table in tables if table.source in missing),
        there=tuple(table for table in tables if table.source not in missing),
        known=known,
        needs=needs,
        arrivals=tuple(
            _arrival(need, rate, known, now=now) for need in needs for rate in rates if need.cases
        ),
        rate_stated=brief.collect is not None,
        assumptions=tuple(_assumptions(brief)),
        to_log=tuple(what_to_log(brief)),
    )


def _arrival(need: Need, rate: float, known: int, *, now: Instant) -> Arrival:
    left = max(0, (need.cases or 0) - known)
    span = left / rate * DAY + need.waits
    if not known:  # else there is history, and how much isn't said
        span = max(span, need.not_before + min(left, need.after) / rate * DAY)
    days = math.ceil(round(span / DAY, 6))
    at = now + days * DAY
    return Arrival(need.purpose, rate, days, at if at <= LAST else None)


def _needs(brief: Brief, fit_cases: int) -> Iterator[Need]:
    fits = [*_for_fit(brief, fit_cases)]
    gain = _for_gain(brief)
    yield from fits
    yield gain
    if len(fits) == 1 and fits[0].cases and gain.cases:
        yield Need(
            "a rehearsal that can tell",
            fits[0].cases + gain.cases,
            "a rehearsal counts money from the first fit on, so it needs the one number after the other",
            fits[0].waits,
            fits[0].not_before,
            gain.cases,
        )


def _for_fit(brief: Brief, fit_cases: int) -> Iterator[Need]:
    """Reckon a first fit: outcomes outside the most frequent class, three slices, two embargoes."""
    outcome, least, first = brief.outcome, brief.model.least_outcomes, brief.policy.refit.first
    age = format_span(outcome.matures)
    why = (
        f"{fit_cases:,} cases fill the slices of a fit, which lie {age} apart (twice); outcomes mature after "
        f"{age}, and [policy.refit] first asks for {format_span(first)} of history"
    )
    if outcome.kind == "regression":
        yield Need(FIRST_FIT, max(least, fit_cases), why, 3 * outcome.matures, first)
        return
    stated = brief.collect and brief.collect.positive_share
    how = (
        f"which are {min(stated, 1 - stated):.3g} of all"
        if stated
        else "and the brief doesn't say how rare those are"
    )
    why = f"[model] least_outcomes asks for {least:,} outside the most frequent class, {how}; {why}"
    for share in (stated,) if stated else SHARES:
        cases = max(math.ceil(round(least / min(share, 1 - share), 6)), fit_cases)
        purpose = FIRST_FIT if stated else f"{FIRST_FIT}, if {share:.0%} have the rarer outcome"
        yield Need(purpose, cases, why, 3 * outcome.matures, first)


def _for_gain(brief: Brief) -> Need:
    """Reckon what tells the required gain from noise, as the check does once there are outcomes."""
    if brief.success is None:
        why = "say in [success] what gain per case would be worth having; then the number can be told"
        return Need("telling a gain from noise", None, why)
    gain = brief.success.gain_over_status_quo
    purpose = f"telling {gain.per_case:g} {brief.unit} per case from noise"
    if gain.per_case <= 0:
        return Need(purpose, None, "the required gain is nothing, and nothing can't be told from noise")
    share = brief.collect and brief.collect.positive_share
    spread = _spread(brief, share or None)
    if spread is None:
        why = "its spread depends on columns of the cases; land a hundred with outcomes, and check again"
        return Need(purpose, None, why)
    where = "at the worst share of outcomes, since [collect] positive_share isn't said"
    if share:
        where = f"with {share:.3g} of the cases {brief.outcome.positive or brief.outcome.classes[0]}"
    return Need(
        purpose,
        outcomes_needed(spread, gain=gain.per_case, confidence=gain.confidence),
        f"the value table spreads by {spread:,.4g} {brief.unit} per case {where}; "
        f"at {gain.confidence:.0%} confidence, seen with a chance of {POWER:.0%} if it is there",
        brief.outcome.matures,
    )


def _spread(brief: Brief, share: float | None) -> float | None:
    """Give the widest spread of an action's money less the status quo's; None where it isn't in the brief."""
    outcome = brief.outcome
    first = outcome.positive or next(iter(outcome.classes), None)
    classes = [name for name in outcome.classes if name != first]
    table: dict[str, list[float]] = {}
    for action, row in brief.worth.of.items():
        worths = [_middle(row[name]) for name in ([first] if first else []) + classes]
        if any(math.isnan(worth) for worth in worths):
            return None
        table[action] = worths
    named = brief.value.status_quo.get("action")
    quos = [named] if named in table else [*table]
    spreads = [
        widest_spread([a - b for a, b in zip(row, table[quo], strict=True)], first=share)
        for row in table.values()
        for quo in quos
    ]
    return max(spreads, default=0.0) or None


def _middle(worth: Worth) -> float:
    if isinstance(worth, str):
        return math.nan
    return (worth[0] + worth[1]) / 2 if isinstance(worth, list) else float(worth)


def _assumptions(brief: Brief) -> Iterator[str]:
    collect = brief.collect
    if collect is None:
        yield "The brief doesn't say how many cases a day there are; [collect] cases_per_day does."
    else:
        yield f"{collect.cases_per_day:g} cases a day, every day, from now on."
    if brief.outcome.classes and not (collect and collect.positive_share):
        yield "How often each outcome happens isn't known; [collect] positive_share says it, as a guess."
    yield "Every case gets an outcome, as soon as it matures; where some never come, it takes longer."
    yield "Cases are independent of each other; where many share a cause, more of them are needed."
    yield "There is a model that makes the required gain; whether there is, only the data can tell."
    if brief.worth.form == "money" and any(
        isinstance(w, list) for r in brief.worth.of.values() for w in r.values()
    ):
        yield "Values given as ranges count at their middle."
    if brief.worth.capacity is not None:
        yield "The capacity isn't reckoned with: the fewer are acted on, the less is gained per case."
    if brief.outcome.depends_on_action != "no":
        yield "Acting may change the outcome: what counts is how many are left alone by chance."
