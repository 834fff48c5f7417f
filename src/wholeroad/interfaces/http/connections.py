"""Connections that can't be held by a client who is slow, huge or never done."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Sized
from typing import Any, Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from wholeroad.interfaces.http.refusals import RequestError, encode
from wholeroad.interfaces.http.settings import HttpSettings

_MOST_PIPELINED: Final = 1_000
"""Requests that may wait on one connection; whoever sends more is left."""

_UNKNOWN: Final = "-"
"""The id of a request that can't be read."""


class _Flow(FlowControl):
    """Reads on only when nothing that was read waits for its turn."""

    def __init__(self, transport: Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """A connection with limits.

    Uvicorn's own reads a head of any size for as long as it takes, keeps an answer until it is read, and
    reads on while requests that came before wait for their turn.

    Attributes
    ----------
    limits
        Of :func:`protocol`.
    """

    limits = HttpSettings()

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 (as Uvicorn has them)
        super().__init__(*args, **named)
        self._head_bytes = 0
        self._in_head = True
        self._begun = False
        self._head_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 (as asyncio has it)
        """Begin a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self.flow = _Flow(transport, self.pipeline)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is too large or takes too long ends the connection."""
        self._begun = False
        super().data_received(data)
        if not self._in_head:
            return
        if not self._begun:  # else it holds the ends of other requests too
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.head_bytes:
            self._forget()
            self._refuse(431, _head_too_large(self.limits.head_bytes))
        elif self._head_timer is None:
            self._watch_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = self._begun = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head; whoever sends many requests without waiting is left."""
        if len(self.pipeline) >= _MOST_PIPELINED:
            self.transport.abort()
            raise ConnectionAbortedError
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Give the client some time to read what it asked for."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(self.limits.answer_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it did."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the one shape."""
        del msg
        self._forget()
        self._refuse(400, _malformed())

    def _watch_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_timeout_s, self.transport.abort)

    def _forget(self) -> None:
        for timer in (self._head_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._unread_timer = None

    def _refuse(self, status: int, error: RequestError) -> None:
        body = encode(error, _UNKNOWN)
        reason = "Bad Request" if status == 400 else "Request Header Fields Too Large"
        head = (
            f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)
            self.transport.close()


def protocol(settings: HttpSettings) -> type[Connection]:
    """Make the protocol of connections with these limits."""
    return type("LimitedConnection", (Connection,), {"limits": settings})


def _malformed() -> RequestError:
    return RequestError(
        "request.malformed-http",
        "The request isn't HTTP",
        status=400,
        happened="its head can't be read as HTTP/1.1",
        expected="a request line, headers, an empty line, then the body",
        fix="let an HTTP library send the request; for TLS the address begins with https",
    )


def _head_too_large(limit: int) -> RequestError:
    return RequestError(
        "request.head-too-large",
        "The headers are too large",
        status=431,
        happened=f"the request line and headers had more than {limit:,} bytes",
        expected=f"at most {limit:,} bytes",
        fix="send fewer or shorter headers",
    )
