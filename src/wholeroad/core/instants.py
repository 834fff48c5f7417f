"""Instants and spans: UTC microseconds since the epoch, as plain integers.

A span is written ``30d``, ``2h``, ``90min``: a number and one of :data:`UNITS`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

Instant = int
"""Microseconds since 1970-01-01T00:00:00Z."""

Span = int
"""Microseconds."""

UNITS: Final[dict[str, int]] = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
DAY: Final[Span] = UNITS["d"]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final[Instant] = (datetime(1, 1, 2, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST: Final[Instant] = (datetime(9998, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""Instants that the calendar can write, in any time zone and with a year to spare."""

_SPAN: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d|w)\s*")


def parse_span(text: str) -> Span:
    """Read a span such as ``30d`` or ``1.5h``.

    Returns
    -------
    int
        Microseconds, zero or more.

    Raises
    ------
    ValueError
        When the text is no span; the message names the units.

    Examples
    --------
    >>> parse_span("2h") == 2 * 3_600_000_000
    True
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        message = f"{text!r} is no span; write a number and one of {', '.join(UNITS)}, as in '30d' or '2h'"
        raise ValueError(message)
    number, unit = match.groups()
    return round(float(number) * UNITS[unit]) if "." in number else int(number) * UNITS[unit]


def format_span(span: Span) -> str:
    """Write a span in the largest unit that divides it.

    Examples
    --------
    >>> format_span(parse_span("48h"))
    '2d'
    """
    if span == 0:
        return "0s"
    unit = next(
        name for name in ("w", "d", "h", "min", "s", "ms", "us") if span % UNITS[name] == 0 and name != "w"
    )
    return f"{span // UNITS[unit]}{unit}"


def parse_instant(text: str) -> Instant:
    """Read an ISO 8601 date or date-time; without an offset it is UTC.

    Examples
    --------
    >>> parse_instant("1970-01-02")
    86400000000
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no date; write it as 2013-03-01 or 2013-03-01T06:00:00Z"
        raise ValueError(message) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = (moment - EPOCH) // timedelta(microseconds=1)
    if not FIRST <= at <= LAST:
        message = f"{text!r} is outside of the calendar: the years 1 to 9998"
        raise ValueError(message)
    return at


def to_instant(moment: Instant | str | date) -> Instant:
    """Give an instant from what people have at hand: an instant, a text, a date or a date-time.

    What has no offset is UTC; a date is its first instant.

    Raises
    ------
    ValueError
        When it is none of these.

    Examples
    --------
    >>> to_instant(date(1970, 1, 2)) == to_instant("1970-01-02") == to_instant(86_400_000_000)
    True
    """
    match moment:
        case bool():
            pass
        case int() if FIRST <= moment <= LAST:
            return moment
        case str():
            return parse_instant(moment)
        case datetime() | date():
            return parse_instant(moment.isoformat())
    message = f"{moment!r} is no instant; give a date, a date-time, or UTC microseconds of the calendar"
    raise ValueError(message)


def format_instant(at: Instant) -> str:
    """Write an instant as ISO 8601 in UTC, without needless fractions.

    Examples
    --------
    >>> format_instant(86_400_000_000)
    '1970-01-02T00:00:00Z'
    """
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def to_datetime(at: Instant) -> datetime:
    """Give an instant as an aware ``datetime`` in UTC."""
    return EPOCH + timedelta(microseconds=at)


def first_on_grid(at: Instant, every: Span, anchor: Instant = 0) -> Instant:
    """Give the first grid point ``anchor + k * every`` that is not before ``at``.

    Examples
    --------
    >>> first_on_grid(5, 10), first_on_grid(10, 10), first_on_grid(11, 10)
    (10, 10, 20)
    """
    return anchor + -((anchor - at) // every) * every
