"""What every request passes on its way in and out, whichever way it goes in between."""

from __future__ import annotations

import re
from time import perf_counter  # noqa: TID251 - the loop's own clock counts milliseconds
from typing import Final

from wholeroad.core.errors import RoadError
from wholeroad.core.ids import digest
from wholeroad.interfaces.http import refusals
from wholeroad.interfaces.http.exchange import Asked, Load
from wholeroad.interfaces.http.guard import OPEN, Guard
from wholeroad.interfaces.http.metrics import RequestMeter
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.requests_log import line, where
from wholeroad.interfaces.http.settings import HttpSettings

_PLAIN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

LEFT: Final = 499
"""The status of a request whose client went away before it was whole."""


class Gate:
    """Gives each request an id, counts it, lets it in or refuses it, and writes it down.

    Attributes
    ----------
    load
        What there is to do at this moment.
    meter
        What was done.
    """

    def __init__(self, service: Service, settings: HttpSettings, *, guard: Guard) -> None:
        self._service = service
        self._settings = settings
        self._guard = guard
        self.load = Load(settings.in_flight)
        self.meter = RequestMeter()
        self._prefix = digest("requests", str(service.now()), str(id(self)))[:8]
        self._count = 0

    def enter(self, asked: Asked) -> None:
        """Give a request its id, and count it among those that are there."""
        given = asked.headers.get(b"x-request-id")
        if given is not None and _PLAIN(given):
            asked.request_id = given.decode()
        else:
            self._count += 1
            asked.request_id = f"{self._prefix}-{self._count}"
        self.load.requests += 1

    def let_in(self, asked: Asked, route: str, *, any_role: bool = False) -> None:
        """Let whoever asks through to a route, such as ``POST /v1/decisions``.

        Raises
        ------
        RequestError
            ``access.no-token``, ``access.unknown-token``, ``access.role``.
        """
        if route in OPEN:
            return
        role = asked.role = self._guard.role(asked.headers)
        if role is None:
            raise refusals.no_token(sent=b"authorization" in asked.headers)
        if not any_role and not self._guard.allowed(role, route):
            raise refusals.not_allowed(role, route)

    def error(self, asked: Asked, error: Exception) -> RoadError:
        """Give the error that a request is answered with; where it is a fault of ours, its log has where."""
        if isinstance(error, RoadError):
            return error
        asked.fault = where(error)
        return refusals.our_fault()

    def leave(self, asked: Asked) -> None:
        """Count a request that was answered, and write its line in the log."""
        self.load.requests -= 1
        seconds = perf_counter() - asked.began_s
        method = asked.method if asked.method in _METHODS else "other"
        self.meter.note(method, asked.route, status=asked.status, seconds=seconds)
        if self._settings.log is not None:
            self._settings.log(line(asked, self._service.now(), method=method, seconds=seconds))
