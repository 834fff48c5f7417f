"""One line of JSON for each request: who asked for what, and what came of it; nothing of any row."""

from __future__ import annotations

import msgspec

from wholeroad.core.instants import Instant
from wholeroad.interfaces.http.answers import written
from wholeroad.interfaces.http.exchange import Asked


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A request, for the log.

    Bodies, query strings, paths and headers aren't in it: they hold keys and values of persons.

    Attributes
    ----------
    at
        When it was answered.
    route
        The template: ``/v1/decisions/{id}``.
    status
        499 where the client went away before its request was whole.
    ms
        From its head to its answer.
    fault
        Of a fault of ours: kind of exception, and where it was raised, innermost last.
    """

    at: str
    method: str
    route: str
    status: int
    ms: float
    request_id: str
    bytes_in: int
    bytes_out: int
    role: str | None = None
    fault: str = ""


_encode = msgspec.json.Encoder().encode


def line(asked: Asked, now: Instant, *, method: str, seconds: float) -> bytes:
    """Write the line of a request, with its end."""
    return (
        _encode(
            LogLine(
                written(now),
                method,
                asked.route,
                asked.status,
                round(1000 * seconds, 3),
                asked.request_id,
                asked.bytes_in,
                asked.bytes_out,
                asked.role,
                asked.fault,
            )
        )
        + b"\n"
    )


def where(error: BaseException) -> str:
    """Say what kind of exception it was and where it was raised, without its message, which may hold values.

    Examples
    --------
    >>> where(KeyError("anna@example.org"))
    'KeyError'
    """
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(
            f"{code.co_filename.replace(chr(92), '/').rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}"
        )
        trace = trace.tb_next
    return " < ".join([type(error).__name__, *reversed(places[-8:])])
