"""A support desk that never was: tickets to route, outcomes that come late, and a launch that changes both.

Every ticket is about money, a fault or access. What it says, how it comes in and how long it is depend on
that; which team solves it depends on that too, until a launch changes the rule. All is drawn from one seed,
array by array, so that three million tickets take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.random import Generator, default_rng  # noqa: TID251 - a world is drawn from a seed, not decided
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, UNITS, Instant, parse_instant

TEAMS: Final = ("billing", "technical", "account")
PRODUCTS: Final = ("core", "mobile", "api", "assist")
CHANNELS: Final = ("email", "chat", "phone", "web")
TIERS: Final = ("free", "plus", "business")
LANGUAGES: Final = ("en", "de", "es", "fr")
REGIONS: Final = ("europe", "americas", "asia")

MONEY, FAULT, ACCESS = 0, 1, 2  # what a ticket is about; its team has the same code unless a rule says else
ASSIST: Final = PRODUCTS.index("assist")
BUSINESS: Final = TIERS.index("business")

PRODUCT_MIX: Final = (0.50, 0.30, 0.20)
"""Shares of the products before the launch of ``assist``."""
ASSIST_SHARE: Final = 0.35
"""Share of ``assist`` once it has grown, which takes :data:`GROWTH_DAYS`."""
GROWTH_DAYS: Final = 30
TOPIC_MIX: Final = ((0.40, 0.33, 0.27), (0.24, 0.52, 0.24), (0.28, 0.60, 0.12), (0.25, 0.25, 0.50))
"""By product: shares of money, fault and access."""
CHANNEL_MIX: Final = ((0.50, 0.15, 0.15, 0.20), (0.30, 0.40, 0.10, 0.20), (0.15, 0.30, 0.40, 0.15))
"""By topic: shares of the channels."""
TIER_MIX: Final = (0.45, 0.35, 0.20)
SAYS: Final = {
    "says_invoice": (0.72, 0.07, 0.12),
    "says_error": (0.08, 0.70, 0.15),
    "says_login": (0.05, 0.15, 0.66),
}
"""By topic: how often a ticket has such a word."""
WORDS_MEDIAN: Final = (70.0, 120.0, 45.0)
OUTAGE_PER_HOUR: Final = 0.004
OUTAGE_HOURS: Final = 6
OUTAGE_FAULTS: Final = 0.85
"""During an outage this share of a product's tickets is about the fault."""

KEY_ACCOUNTS: Final = 0.9
"""From the launch on, account managers solve this share of the money matters of ``assist`` and business."""
ELSEWHERE: Final = 0.05
"""Share of tickets solved by another team than the rule says."""
DAYS_TO_SOLVE: Final = (3.0, 8.0, 2.0)
"""By team: the median, in days, from opening to solution; log-normal with sigma 0.8."""
NEVER: Final = (0.01, 0.01, 0.12)
"""By team: share of tickets for which no solution is ever recorded."""
MISRECORDED: Final = 0.04
"""Share of solutions first recorded for a wrong team; corrected within ten days."""
CORRECTED: Final = 0.03
"""Share of tickets that first name a wrong product; corrected within two days."""
LATE_LANDED: Final = 0.02
"""Share of tickets that land up to eight hours after they were opened."""

_SECOND: Final = UNITS["s"]
_HOUR: Final = UNITS["h"]
_Codes = NDArray[np.int8]
_Micros = NDArray[np.int64]


def make(
    *, days: int, tickets_per_day: int, seed: int, from_day: str = "2024-01-01", launch_day: int | None = None
) -> dict[str, pl.DataFrame]:
    """Draw the tables of a support desk.

    Parameters
    ----------
    days
        Days of history; what would become known later is not there.
    tickets_per_day
        Mean number of tickets opened in a day.
    seed
        Equal seeds and settings give equal tables.
    from_day
        The first day, UTC.
    launch_day
        Days from the start to the launch: ``assist`` appears, and account managers take over its money
        matters and those of business customers. None is the middle; ``days`` or more is never.

    Returns
    -------
    dict
        ``tickets``: one row per version, by ``ticket_id``: ``opened_at``, ``received_at`` (known),
        ``customer_id``, ``tier``, ``channel``, ``product``, ``language``, ``words``, ``says_*``.
        ``resolutions``: one row per version, by ``ticket_id``: ``customer_id``, ``team``, ``solved_at``,
        ``recorded_at`` (known). ``customers``, static, by ``customer_id``: ``seats``, ``region``.

    Examples
    --------
    >>> desk = make(days=10, tickets_per_day=20, seed=1)
    >>> sorted(desk), desk["tickets"]["ticket_id"].n_unique() > 150
    (['customers', 'resolutions', 'tickets'], True)
    """
    generator = default_rng(seed)
    span = _Span(parse_instant(from_day), days, days // 2 if launch_day is None else launch_day)
    opened = _openings(generator, span, tickets_per_day)
    customers = max(20, len(opened) // 25)
    tiers = _pick(generator, TIER_MIX, customers)
    customer = generator.integers(customers, size=len(opened), dtype=np.int32)
    desk = _draw(generator, span, opened, tiers[customer])
    return {
        "tickets": _tickets(generator, span, desk, customer),
        "resolutions": _resolutions(generator, span, desk, customer),
        "customers": _customers(generator, tiers),
    }


@dataclass(frozen=True, slots=True)
class _Span:
    start_at: Instant
    days: int
    launch_day: int

    @property
    def end(self) -> Instant:
        return self.start_at + self.days * DAY

    @property
    def launched_at(self) -> Instant:
        return self.start_at + self.launch_day * DAY


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is true of each ticket, in the order of opening."""

    opened: _Micros
    tier: _Codes
    product: _Codes
    topic: _Codes
    team: _Codes


def _openings(generator: Generator, span: _Span, tickets_per_day: int) -> _Micros:
    """Draw instants of opening, whole seconds, sorted: fewer at weekends, most around noon."""
    weekday = (np.arange(span.days) + span.start_at // DAY + 3) % 7  # 0 is Monday; the epoch was a Thursday
    rhythm = np.where(weekday >= 5, 0.5, 1.2)  # a week of seven, still
    counts = generator.poisson(tickets_per_day * rhythm)
    day = np.repeat(np.arange(span.days), counts)
    hour = np.clip(generator.normal(13.0, 4.0, size=len(day)), 0.0, 23.99)
    seconds = day * 86_400 + (hour * 3_600).astype(np.int64)
    seconds.sort()
    return span.start_at + seconds * _SECOND


def _draw(generator: Generator, span: _Span, opened: _Micros, tier: _Codes) -> _Desk:
    count = len(opened)
    growth = np.clip((opened - span.launched_at) / (GROWTH_DAYS * DAY), 0.0, 1.0)
    product = _pick(generator, PRODUCT_MIX, count)
    product[generator.random(count) < growth * ASSIST_SHARE] = ASSIST
    topic = _pick_each(generator, TOPIC_MIX, product)
    hour = (opened - span.start_at) // _HOUR
    troubled = _outages(generator, span)[product, hour] & (generator.random(count) < OUTAGE_FAULTS)
    topic[troubled] = FAULT
    team = topic.copy()
    theirs = (tier == BUSINESS) | (product == ASSIST)
    moved = (opened >= span.launched_at) & theirs & (topic == MONEY)
    team[moved & (generator.random(count) < KEY_ACCOUNTS)] = ACCESS
    elsewhere = generator.random(count) < ELSEWHERE
    team[elsewhere] = _another(generator, team[elsewhere], len(TEAMS))
    return _Desk(opened, tier, product, topic, team)


def _outages(generator: Generator, span: _Span) -> NDArray[np.bool_]:
    """Give, by product and hour, whether there is an outage."""
    starts = generator.random((len(PRODUCTS), span.days * 24)) < OUTAGE_PER_HOUR
    troubled = starts.copy()
    for later in range(1, OUTAGE_HOURS):
        troubled[:, later:] |= starts[:, :-later]
    return troubled


def _tickets(generator: Generator, span: _Span, desk: _Desk, customer: NDArray[np.int32]) -> pl.DataFrame:
    count = len(desk.opened)
    wait = generator.integers(1, 120, size=count) * _SECOND
    late = generator.random(count) < LATE_LANDED
    wait[late] = generator.integers(600, 8 * 3_600, size=int(late.sum())) * _SECOND
    corrected = generator.random(count) < CORRECTED
    stated = desk.product.copy()
    stated[corrected] = _another(generator, desk.product[corrected], len(PRODUCT_MIX))
    median = np.array(WORDS_MEDIAN)[desk.topic]
    frame = pl.DataFrame(
        {
            "ticket_id": np.arange(1, count + 1),
            "customer_id": customer,
            "opened_at": _instants(desk.opened),
            "received_at": _instants(desk.opened + wait),
            "tier": _words(desk.tier, TIERS),
            "channel": _words(_pick_each(generator, CHANNEL_MIX, desk.topic), CHANNELS),
            "product": _words(stated, PRODUCTS),
            "language": _words(_pick(generator, (0.6, 0.2, 0.1, 0.1), count), LANGUAGES),
            "words": np.ceil(median * np.exp(generator.normal(0.0, 0.6, size=count))).astype(np.int32),
            **{name: generator.random(count) < np.array(share)[desk.topic] for name, share in SAYS.items()},
        }
    )
    again = np.flatnonzero(corrected)
    mended_at = (
        desk.opened[again] + wait[again] + generator.integers(3_600, 48 * 3_600, size=len(again)) * _SECOND
    )
    mended = frame[again].with_columns(
        received_at=_instants(mended_at), product=_words(desk.product[again], PRODUCTS)
    )
    return _known(pl.concat([frame, mended]), span, "received_at")


def _resolutions(generator: Generator, span: _Span, desk: _Desk, customer: NDArray[np.int32]) -> pl.DataFrame:
    solved = np.flatnonzero(generator.random(len(desk.opened)) >= np.array(NEVER)[desk.team])
    team = desk.team[solved]
    days = np.array(DAYS_TO_SOLVE)[team] * np.exp(generator.normal(0.0, 0.8, size=len(solved)))
    solved_at = desk.opened[solved] + np.maximum(days * 86_400, 1_800).astype(np.int64) * _SECOND
    recorded_at = solved_at + generator.exponential(7_200, size=len(solved)).astype(np.int64) * _SECOND
    wrong = generator.random(len(solved)) < MISRECORDED
    recorded = team.copy()
    recorded[wrong] = _another(generator, team[wrong], len(TEAMS))
    frame = pl.DataFrame(
        {
            "ticket_id": solved + 1,
            "customer_id": customer[solved],
            "team": _words(recorded, TEAMS),
            "solved_at": _instants(solved_at),
            "recorded_at": _instants(recorded_at),
        }
    )
    again = np.flatnonzero(wrong)
    mended_at = (
        recorded_at[again]
        + generator.integers(DAY // _SECOND, 10 * DAY // _SECOND, size=len(again)) * _SECOND
    )
    mended = frame[again].with_columns(team=_words(team[again], TEAMS), recorded_at=_instants(mended_at))
    return _known(pl.concat([frame, mended]), span, "recorded_at")


def _customers(generator: Generator, tiers: _Codes) -> pl.DataFrame:
    seats = np.array([1.0, 8.0, 120.0])[tiers] * np.exp(generator.normal(0.0, 0.7, size=len(tiers)))
    return pl.DataFrame(
        {
            "customer_id": np.arange(len(tiers), dtype=np.int32),
            "seats": np.ceil(seats).astype(np.int32),
            "region": _words(_pick(generator, (0.5, 0.3, 0.2), len(tiers)), REGIONS),
        }
    )


def _known(frame: pl.DataFrame, span: _Span, column: str) -> pl.DataFrame:
    """Keep what is known by the end, in the order in which it becomes known."""
    end = pl.lit(span.end).cast(pl.Datetime("us", "UTC"))
    return frame.filter(pl.col(column) < end).sort(column, "ticket_id")


def _pick(generator: Generator, shares: tuple[float, ...], count: int) -> _Codes:
    edges = np.cumsum(shares)[:-1]
    return np.searchsorted(edges, generator.random(count), side="right").astype(np.int8)


def _pick_each(generator: Generator, shares: tuple[tuple[float, ...], ...], row: _Codes) -> _Codes:
    """Draw a code for each element by the shares of its row."""
    edges = np.cumsum(np.array(shares), axis=1)[:, :-1]
    dice = generator.random(len(row))
    codes = np.zeros(len(row), dtype=np.int8)
    for column in range(edges.shape[1]):
        codes += dice >= edges[row, column]
    return codes


def _another(generator: Generator, codes: _Codes, kinds: int) -> _Codes:
    """Draw another code for each, out of the first ``kinds``."""
    step = generator.integers(1, kinds, size=len(codes), dtype=np.int8)
    return ((codes + step) % kinds).astype(np.int8)


def _instants(micros: _Micros) -> pl.Series:
    return pl.Series(micros).cast(pl.Datetime("us", "UTC"))


def _words(codes: _Codes, words: tuple[str, ...]) -> pl.Series:
    return pl.Series(codes.astype(np.uint8)).cat.to(pl.Enum(words))
