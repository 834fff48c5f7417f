"""The server: one process, one event loop, stopped without losing an answer."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import uvicorn
from starlette.types import ASGIApp

from wholeroad.interfaces.http.connections import protocol
from wholeroad.interfaces.http.face import Face
from wholeroad.interfaces.http.settings import HttpSettings

T = TypeVar("T")


_SELDOM: Final = 50_000
"""Collections of what is younger between two of everything: hours of work."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server shows to be who it is.

    Attributes
    ----------
    certificate, key
        Files in PEM; the certificate with those that lead from it to a known one.
    """

    certificate: Path
    key: Path


class Server(uvicorn.Server):
    """Uvicorn, which freezes what is there once it has started and ends quietly when it is told to.

    Parameters
    ----------
    config
        Uvicorn's.
    started
        Called once connections are accepted.
    """

    def __init__(self, config: uvicorn.Config, started: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self._on_start = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections; what is there by now is never looked through for garbage again.

        All that came since is looked through after rows were moved, when it is least: left to itself Python
        does so amid answers, a tenth of a second at a time.
        """
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _SELDOM)
        if self.started and self._on_start is not None:
            self._on_start()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take a signal as the wish to end, and unlike Uvicorn don't send it on at the end.

        What has to be closed after the last answer would be killed by it.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def server(
    app: ASGIApp,
    settings: HttpSettings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: Tls | None = None,
    behind_proxy: bool = False,
    started: Callable[[], None] | None = None,
) -> Server:
    """Make a server.

    Parameters
    ----------
    app
        What it serves; a :class:`~wholeroad.interfaces.http.face.Face` is also asked the short way.
    host, port
        Where it listens, unless :func:`serve` is given sockets.
    behind_proxy
        Whether ``X-Forwarded-For`` and ``X-Forwarded-Proto`` of the proxy on this machine are believed.
    started
        Called once connections are accepted.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol(settings, app.direct if isinstance(app, Face) else None),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=behind_proxy,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.drain_s,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    return Server(config, started)


async def serve(
    server: Server,
    close: Callable[[], Awaitable[None]],
    *,
    sockets: Sequence[socket.socket] | None = None,
) -> None:
    """Serve until a signal comes or ``server.should_exit`` is set.

    Then no connection is accepted any more, what is in flight is answered, and the service is closed.

    Parameters
    ----------
    server
        Of :func:`server`.
    close
        Closes the service; awaited after the last answer, whatever ended the server.
    sockets
        Bound already: so that the port is known before anything else is started.
    """
    try:
        await server.serve(sockets=list(sockets) if sockets is not None else None)
    finally:
        await close()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the fastest event loop that is there: uvloop, where it can be had."""
    loop = uvicorn.Config("", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main)


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket; port 0 takes a free one.

    Raises
    ------
    OSError
        When the address is taken or isn't this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends what is written at once: answers would wait 40 ms otherwise.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound
