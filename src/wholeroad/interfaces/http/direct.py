"""The short way of ``POST /v1/decisions``: from a connection to the service and back, without a task.

It takes plain requests alone, and says and refuses by the same functions as the long way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from wholeroad.engine.service.messages import Answer
from wholeroad.interfaces.http import refusals
from wholeroad.interfaces.http.deciding import DECIDE, PATH, Deciding, is_plain
from wholeroad.interfaces.http.exchange import Asked
from wholeroad.interfaces.http.gate import LEFT, Gate
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.refusals import Header
from wholeroad.interfaces.http.settings import HttpSettings

MOST_BYTES: Final = 1 << 16
"""Of a body that goes the short way."""

_DIGITS: Final = len(str(MOST_BYTES))

Reply = Callable[[Asked, bytes, Sequence[Header]], None]
"""Writes the answer to a request: its body, of JSON, and headers besides the usual ones."""


class Direct:
    """Answers requests for decisions.

    Parameters
    ----------
    gate, deciding
        Those of the long way.
    """

    def __init__(self, service: Service, settings: HttpSettings, *, gate: Gate, deciding: Deciding) -> None:
        self.service = service
        self.gate = gate
        self.deciding = deciding
        self._most = min(MOST_BYTES, settings.body_bytes)

    def take(self, headers: dict[bytes, bytes]) -> Taken | None:
        """Take a ``POST /v1/decisions`` with these headers, or leave it to the long way.

        Nothing has happened to one that is left. So is every one that is refused before its body is read.
        """
        length = headers.get(b"content-length", b"")
        if not is_plain(headers) or b"transfer-encoding" in headers or self.gate.load.full:
            return None
        if not (length.isdigit() and len(length) <= _DIGITS and int(length) <= self._most):
            return None
        taken = Taken(self, headers)
        try:
            self.gate.let_in(taken, DECIDE)
        except Exception:  # noqa: BLE001 (whatever it is, the long way meets it too)
            return None
        return taken


class Taken(Asked):
    """A request that was taken."""

    __slots__ = ("_direct", "_features", "_reply", "_single")

    def __init__(self, direct: Direct, headers: dict[bytes, bytes]) -> None:
        super().__init__("POST", headers)
        self.route = PATH
        self._direct = direct

    def answer(self, body: bytes, reply: Reply) -> None:
        """Have it answered: the event loop calls ``reply`` once, after this has returned."""
        direct = self._direct
        self._reply = reply
        self.bytes_in = len(body)
        direct.gate.enter(self)
        try:
            direct.gate.load.refuse_more()
            command, self._single = direct.deciding.read(body)
            self._features = command.features
            direct.service.ask(command, self._answered)
        except Exception as error:  # noqa: BLE001 (whatever it is, the client gets an answer and the log a line)
            asyncio.get_running_loop().call_soon(self._refuse, error)

    def left(self, bytes_in: int) -> None:
        """Note that the client went away before its body was whole, of which this much came."""
        self._direct.gate.enter(self)
        self.bytes_in, self.status = bytes_in, LEFT
        self._direct.gate.leave(self)

    def _answered(self, answer: Answer | Exception) -> None:
        if isinstance(answer, Exception):
            self._refuse(answer)
            return
        try:
            self.status, body = self._direct.deciding.told(
                answer, single=self._single, features=self._features
            )
        except Exception as error:  # noqa: BLE001 (as above)
            self._refuse(error)
        else:
            self._say(body, ())

    def _refuse(self, error: Exception) -> None:
        known = self._direct.gate.error(self, error)
        self.status = refusals.status_of(known)
        self._say(refusals.encode(known, self.request_id), refusals.headers_of(known))

    def _say(self, body: bytes, headers: Sequence[Header]) -> None:
        self.bytes_out = len(body)
        try:
            self._reply(self, body, headers)
        finally:
            self._direct.gate.leave(self)
