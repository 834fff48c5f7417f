"""Connections that can't be held by a client who is slow, huge or never done."""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Sequence, Sized
from typing import Any, Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from wholeroad.interfaces.http.deciding import PATH
from wholeroad.interfaces.http.direct import Direct, Taken
from wholeroad.interfaces.http.exchange import Asked
from wholeroad.interfaces.http.refusals import CLOSE, Header, RequestError, encode
from wholeroad.interfaces.http.settings import HttpSettings

_MOST_PIPELINED: Final = 1_000
"""Requests that may wait on one connection; whoever sends more is left."""

_UNKNOWN: Final = "-"
"""The id of a request that can't be read."""


_SHORT: Final = PATH.encode()
"""The address whose requests may go the short way."""

_REST_S: Final = 0.02
"""Seconds that the rest of a body may take to come, for its request to go the short way."""


class _Flow(FlowControl):
    """Reads on only when nothing that was read waits for its turn."""

    def __init__(self, transport: Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class _Cycle:
    """What Uvicorn looks at of the request that is under way on a connection."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    def __init__(self) -> None:
        self.keep_alive = True
        self.disconnected = self.response_complete = False

    @property
    def message_event(self) -> _Cycle:
        return self

    def set(self) -> None:
        """Do nothing: nobody waits for what the client sends."""


class Connection(HttpToolsProtocol):
    """A connection with limits, and with a short way.

    Uvicorn's own reads a head of any size for as long as it takes, keeps an answer until it is read, and
    reads on while requests that came before wait for their turn.

    A request that is alone on its connection may go the short way. Until its body is whole, nothing has
    happened to it, and it can still go Uvicorn's.

    Attributes
    ----------
    limits, direct
        Of :func:`protocol`.
    """

    limits = HttpSettings()
    direct: Direct | None = None

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 (as Uvicorn has them)
        super().__init__(*args, **named)
        self._head_bytes = 0
        self._in_head = True
        self._begun = False
        self._head_timer: TimerHandle | None = None
        self._unread_timer: TimerHandle | None = None
        self._cycle: Any = _Cycle()
        self._taken: Taken | None = None
        self._came: list[bytes] = []
        self._rest_timer: TimerHandle | None = None
        self._idle_timer: TimerHandle | None = None
        self._rests_from_s = 0.0
        if self.root_path or self.access_log or self.limit_concurrency is not None:
            self.direct = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 (as asyncio has it)
        """Begin a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
            return
        self.flow = _Flow(transport, self.pipeline)
        self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers, and note whose request isn't whole."""
        if self._taken is not None:
            self._taken.left(len(self._untaken()))
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is too large or takes too long ends the connection."""
        self._begun = False
        super().data_received(data)
        if not self._in_head:
            if self._taken is not None and self._rest_timer is None:
                self._rest_timer = self.loop.call_later(_REST_S, self._leave)
            return
        if not self._begun:  # else it holds the ends of other requests too
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.head_bytes:
            self._forget()
            self._refuse(431, _head_too_large(self.limits.head_bytes))
        elif self._head_timer is None:
            self._watch_head()

    def on_message_begin(self) -> None:
        """Begin a head; Uvicorn is told when it is its turn."""
        self._in_head = self._begun = True
        self._head_bytes = 0
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """End a head; whoever sends many requests without waiting is left."""
        if len(self.pipeline) >= _MOST_PIPELINED:
            self.transport.abort()
            raise ConnectionAbortedError
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if self.url == _SHORT and self.direct is not None and self._alone():
            self._taken = self.direct.take(dict(self.headers))
            if self._taken is not None:
                return
        self._usually()

    def on_body(self, body: bytes) -> None:
        """Take in a part of a body."""
        if self._taken is None:
            super().on_body(body)
        else:
            self._came.append(body)

    def on_message_complete(self) -> None:
        """End a request."""
        taken = self._taken
        if taken is None:
            super().on_message_complete()
            return
        self._cycle.keep_alive, self._cycle.response_complete = True, False
        self.cycle = self._cycle
        taken.answer(self._untaken(), self._reply)

    def on_response_complete(self) -> None:
        """Go on with what waits for its turn; where nothing does, the connection rests."""
        self._rests_from_s = self.loop.time()
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def shutdown(self) -> None:
        """End the connection once what is under way is answered."""
        self._leave()
        super().shutdown()

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

    def _alone(self) -> bool:
        """Tell whether a request is of the plain kind, and no other is under way."""
        parser = self.parser
        before: Any = self.cycle  # none at first
        return (
            parser.get_method() == b"POST"
            and (before is None or before.response_complete)
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not (
                self.expect_100_continue
                or parser.should_upgrade()
                or self.flow.write_paused
                or self.transport.is_closing()
            )
        )

    def _untaken(self) -> bytes:
        """Give what came of the body that was taken, and forget it."""
        came = self._came
        self._taken, self._came = None, []
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        return came[0] if len(came) == 1 else b"".join(came)

    def _leave(self) -> None:
        """Let a request whose body isn't whole go Uvicorn's way."""
        if self._taken is not None:
            came = self._untaken()
            self._usually()
            if came:
                super().on_body(came)

    def _usually(self) -> None:
        """Begin a request as Uvicorn does."""
        head = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = head
        self.scope["headers"] = self.headers
        super().on_headers_complete()

    def _reply(self, asked: Asked, body: bytes, headers: Sequence[Header]) -> None:
        """Write an answer of the short way, as Uvicorn writes those of its own."""
        cycle = self._cycle
        cycle.response_complete = True
        if self.transport.is_closing():
            return
        lines = [STATUS_LINE[asked.status]]
        for name, value in self.server_state.default_headers:
            lines += (name.lower(), b": ", value, b"\r\n")
        lines.append(
            b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
            % (len(body), asked.request_id.encode())
        )
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
        if CLOSE in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines += (b"\r\n", body)
        self.transport.write(b"".join(lines))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _watch_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_timeout_s, self.transport.abort)

    def _look(self) -> None:
        """Close a connection that has rested for long enough; else look again when it may have.

        One timer, which isn't set anew for each request. What a client sends doesn't put it off, unless it
        begins a request: Uvicorn's own is stopped by any byte and set again by an answer alone.
        """
        before: Any = self.cycle
        under_way = self._in_head or self._taken is not None or (before and not before.response_complete)
        rest_s: float = self.timeout_keep_alive
        if not under_way:
            rest_s += self._rests_from_s - self.loop.time()
        if rest_s > 0:
            self._idle_timer = self.loop.call_later(rest_s, self._look)
        else:
            self.transport.close()

    def _forget(self) -> None:
        for timer in (self._head_timer, self._unread_timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._unread_timer = self._idle_timer = None

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


def protocol(settings: HttpSettings, direct: Direct | None = None) -> type[Connection]:
    """Make the protocol of connections with these limits, and with this short way."""
    return type("LimitedConnection", (Connection,), {"limits": settings, "direct": direct})


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
