"""How much one client may ask of the service, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

KEEP_ALIVE_S = range(5, 76)
"""Seconds that an idle connection may be kept."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Limits of the face, each with an answer that says what to do.

    Attributes
    ----------
    body_bytes
        Of one request; more is 413.
    bodies_bytes
        Of all requests that are being read at once, so that many large ones can't fill the memory; 429.
    rows, cases, columns
        Rows of one request, and cases of one (413); columns of one row (422). What comes together is read,
        landed and decided in one go, and everybody else waits for that.
    in_flight
        Requests at once; one more is 429.
    connections
        Open ones; one more is closed at once.
    body_timeout_s, head_timeout_s
        Seconds that a body may take to come (408), and the lines before it (the connection is closed).
    answer_timeout_s
        Seconds that a client may leave an answer unread before its connection is closed.
    head_bytes
        Of a request line and headers that come in pieces; more is 431. What comes in one piece is bounded by
        the event loop, at 256 KiB.
    keep_alive_s
        Seconds that an idle connection is kept, 5 to 75.
    drain_s
        Seconds that a shutdown waits for what is in flight.
    log
        Takes one line of JSON for each request; None writes none.
    """

    body_bytes: int = 8 << 20
    bodies_bytes: int = 64 << 20
    rows: int = 5_000
    cases: int = 1_000
    columns: int = 1_000
    in_flight: int = 256
    connections: int = 1_024
    body_timeout_s: float = 10.0
    head_timeout_s: float = 10.0
    answer_timeout_s: float = 30.0
    head_bytes: int = 16 << 10
    keep_alive_s: int = 65
    drain_s: int = 30
    log: Callable[[bytes], None] | None = None

    def __post_init__(self) -> None:
        """Refuse limits that would refuse everything."""
        if self.keep_alive_s not in KEEP_ALIVE_S:
            message = f"keep_alive_s was {self.keep_alive_s}; it is 5 to 75"
            raise ValueError(message)
        most = (self.body_bytes, self.bodies_bytes, self.rows, self.cases, self.columns, self.in_flight)
        if min(most) < 1:
            message = "each limit lets at least one thing through"
            raise ValueError(message)
