"""One request and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter  # noqa: TID251 - the loop's own clock counts milliseconds
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

from wholeroad.interfaces.http.guard import Role
from wholeroad.interfaces.http.refusals import CLOSE, Header, RequestError, busy, too_slow
from wholeroad.interfaces.http.settings import HttpSettings

JSON: Final = b"application/json"
KEY: Final = "wholeroad_exchange"
"""Under which a request's scope has its exchange."""

_DRAINED: Final = 4
"""A body that is too large is read this many times the limit, so that its sender reads the answer."""

_GONE: Final = "disconnect"


class GoneError(Exception):
    """The client went away before its request was whole; nobody is there to be answered."""


class Load:
    """What the service has to do at this moment.

    A slow sender is read from and holds nobody up: a request counts among those that are being answered
    once its body is whole.

    Attributes
    ----------
    requests
        All that have come and aren't answered.
    reading
        Those of them whose bodies are being read.
    held
        Bytes of bodies that came so far and aren't whole.
    """

    __slots__ = ("_most", "held", "reading", "requests")

    def __init__(self, most: int) -> None:
        self._most = most
        self.requests = 0
        self.reading = 0
        self.held = 0

    @property
    def full(self) -> bool:
        """Whether one more than those that are there would be too many."""
        return self.requests - self.reading >= self._most

    def refuse_more(self) -> None:
        """Refuse one more than can be answered at once: ``service.busy``."""
        if self.requests - self.reading > self._most:
            raise busy(happened=f"{self._most} requests were being answered")


class Asked:
    """What is known of one request.

    Attributes
    ----------
    headers
        Of the request; the last one counts where a name comes twice.
    began_s
        When its head was there, by a clock that counts from anywhere.
    route
        Template of the path; ``other`` before it is known, and for paths that are none.
    status
        Of the answer; 0 before there is one, 499 where the client went away.
    bytes_in, bytes_out
        Of the bodies.
    fault
        What went wrong inside, for the log; empty otherwise.
    """

    __slots__ = (
        "began_s",
        "bytes_in",
        "bytes_out",
        "fault",
        "headers",
        "method",
        "request_id",
        "role",
        "route",
        "status",
    )

    def __init__(self, method: str, headers: dict[bytes, bytes]) -> None:
        self.began_s = perf_counter()
        self.method = method
        self.headers = headers
        self.request_id = ""
        self.route = "other"
        self.role: Role | None = None
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.fault = ""


class Exchange(Asked):
    """One request that comes through Starlette's interface, and its answer."""

    __slots__ = ("receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, *, send: Send) -> None:
        super().__init__(scope["method"], dict(scope["headers"]))
        self.scope = scope
        self.receive = receive
        self.send = send

    async def answer(
        self, status: int, body: bytes, *, media: bytes = JSON, headers: Sequence[Header] = ()
    ) -> None:
        """Send an answer, whole."""
        self.status = status
        self.bytes_out = len(body)
        start: dict[str, Any] = {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", media),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", self.request_id.encode()),
                *headers,
            ],
        }
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})

    async def forward(self, message: Message) -> None:
        """Send what a route of Starlette answers, with this request's id."""
        if "status" in message:
            self.status = message["status"]
            message = {
                **message,
                "headers": [*message.get("headers", ()), (b"x-request-id", self.request_id.encode())],
            }
        else:
            self.bytes_out += len(message.get("body", b""))
        await self.send(message)

    async def body(self, settings: HttpSettings, load: Load) -> bytes:
        """Read the request's body.

        Raises
        ------
        RequestError
            ``request.too-large``, ``request.too-slow``, ``service.busy``.
        GoneError
            When the client leaves.
        """
        limit = settings.body_bytes
        load.reading += 1
        try:
            async with asyncio.timeout(settings.body_timeout_s):
                message = await self.receive()
                if message["type"].endswith(_GONE):
                    raise GoneError
                if message.get("more_body", False):
                    message = await self._rest(message.get("body", b""), limit, settings=settings, load=load)
        except TimeoutError:
            raise too_slow(settings.body_timeout_s) from None
        finally:
            load.reading -= 1
        body: bytes = message.get("body", b"")
        self.bytes_in = len(body)
        if len(body) > limit:
            raise _too_large(limit)
        load.refuse_more()
        return body

    async def _rest(self, first: bytes, limit: int, *, settings: HttpSettings, load: Load) -> Message:
        chunks, size, more = [first], len(first), True
        declared = self.headers.get(b"content-length", b"")
        dropped = declared.isdigit() and len(declared) < 20 and int(declared) > limit
        held = size
        load.held += held
        try:
            while more and size <= limit * _DRAINED:
                if load.held > settings.bodies_bytes:
                    raise busy(
                        happened="the bodies that were being read filled the memory set aside for them"
                    )
                message = await self.receive()
                if message["type"].endswith(_GONE):
                    raise GoneError
                chunk = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(chunk)
                if dropped or size > limit:
                    dropped = True
                    chunks.clear()
                    load.held -= held
                    held = 0
                else:
                    chunks.append(chunk)
                    held += len(chunk)
                    load.held += len(chunk)
        finally:
            self.bytes_in = size
            load.held -= held
        if dropped:
            raise _too_large(limit)
        return {"body": b"".join(chunks)}


def _too_large(limit: int) -> RequestError:
    return RequestError(
        "request.too-large",
        "The body is too large",
        status=413,
        happened=f"the body had more than {limit:,} bytes",
        expected=f"at most {limit:,} bytes in one request",
        fix="send the rows in several requests; each row is answered by itself, a repeated one lands once",
        headers=(CLOSE,),
    )
