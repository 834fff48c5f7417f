"""The HTTP face of a service: what every request passes through, and the routes behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from time import perf_counter  # noqa: TID251 - the loop's own clock counts milliseconds
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message, Receive, Scope, Send

from wholeroad.core.errors import RoadError
from wholeroad.core.ids import digest
from wholeroad.interfaces.http import endpoints, refusals
from wholeroad.interfaces.http.deciding import Deciding
from wholeroad.interfaces.http.exchange import KEY, Exchange, GoneError, Load
from wholeroad.interfaces.http.guard import OPEN, Guard
from wholeroad.interfaces.http.metrics import RequestMeter
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.requests_log import line, where
from wholeroad.interfaces.http.settings import HttpSettings

_PLAIN: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
_DECISIONS: Final = "/v1/decisions"
_DECIDE: Final = f"POST {_DECISIONS}"
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_MODEL: Final = "/v2"
_LEFT: Final = 499


def make_app(
    service: Service, *, settings: HttpSettings, guard: Guard, routes: Sequence[BaseRoute] = ()
) -> Starlette:
    """Put a face on a service.

    Parameters
    ----------
    service
        Decides, lands, tells.
    settings
        Limits, and where the log goes.
    guard
        Who may ask for what.
    routes
        Further ones, such as those of the Open Inference Protocol; they pass through the same gate.
    """
    return Face(service, settings, guard=guard, routes=routes)


class Face(Starlette):
    """A service over HTTP.

    Every request passes :meth:`__call__`: it gets an id, is counted, let in or refused, answered and logged.
    ``POST /v1/decisions`` then goes straight to :class:`~wholeroad.interfaces.http.deciding.Deciding`; all
    others are found among the routes.
    """

    def __init__(
        self, service: Service, settings: HttpSettings, *, guard: Guard, routes: Sequence[BaseRoute] = ()
    ) -> None:
        load = self.load = Load(settings.in_flight)
        super().__init__(routes=[*endpoints.routes(service, settings, load=load), *routes])
        self.state.face = self
        self.service = service
        self.settings = settings
        self.meter = RequestMeter()
        self._guard = guard
        self._deciding = Deciding(service, settings, load=load)
        self._prefix = digest("requests", str(service.now()), str(id(self)))[:8].encode()
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request from its head to its line in the log."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await super().__call__(scope, receive, send)
            return
        began = perf_counter()
        exchange = Exchange(scope, receive, send=send, request_id="")
        given = exchange.headers.get(b"x-request-id")
        if given is not None and _PLAIN(given):
            exchange.request_id = given.decode()
        else:
            self._count += 1
            exchange.request_id = f"{self._prefix.decode()}-{self._count}"
        self.load.requests += 1
        try:
            await self._answer(exchange)
        except RoadError as error:
            await self._refuse(exchange, error)
        except GoneError:
            exchange.status = _LEFT
        except Exception as error:  # noqa: BLE001 (whatever it is, the client gets an answer and the log a line)
            exchange.fault = where(error)
            await self._refuse(exchange, refusals.our_fault())
        finally:
            self.load.requests -= 1
            self._note(exchange, perf_counter() - began)

    async def _answer(self, exchange: Exchange) -> None:
        self.load.refuse_more()
        scope = exchange.scope
        if scope["path"] == _DECISIONS and scope["method"] == "POST":
            exchange.route = _DECISIONS
            self._let_in(exchange, _DECIDE)
            await self._deciding.answer(exchange)
            return
        route = self._found(exchange)
        method = "GET" if exchange.method == "HEAD" else exchange.method
        self._let_in(exchange, f"{method} {exchange.route}")
        scope["app"] = self
        scope[KEY] = exchange
        try:
            await route.handle(scope, self._paced(exchange), exchange.forward)
        except HTTPException as error:
            if error.status_code == 405:
                raise self._wrong_method(exchange, [route]) from None
            raise

    def _found(self, exchange: Exchange) -> BaseRoute:
        scope, others = exchange.scope, []
        for route in self.router.routes:
            match, child = route.matches(scope)
            if match is Match.NONE:
                continue
            if match is Match.FULL:
                exchange.route = getattr(route, "path", "other")
                scope.update(child)
                return route
            others.append(route)
        # A stranger isn't told which paths there are.
        if others:
            exchange.route = getattr(others[0], "path", "other")
        self._let_in(exchange, f"GET {exchange.route}", any_role=True)
        raise self._wrong_method(exchange, others) if others else refusals.unknown_path()

    def _wrong_method(self, exchange: Exchange, routes: Sequence[BaseRoute]) -> RoadError:
        allowed = {method for route in routes if isinstance(route, Route) for method in route.methods or ()}
        return refusals.wrong_method(exchange.scope["method"], sorted(allowed))

    def _let_in(self, exchange: Exchange, route: str, *, any_role: bool = False) -> None:
        if route in OPEN:
            return
        role = exchange.role = self._guard.role(exchange.headers)
        if role is None:
            raise refusals.no_token(sent=b"authorization" in exchange.headers)
        if not any_role and not self._guard.allowed(role, route):
            raise refusals.not_allowed(role, route)

    def _paced(self, exchange: Exchange) -> Receive:
        """Give the body to a route that reads it by itself, within the time that a body has."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.settings.body_timeout_s

        async def receive() -> Message:
            self.load.reading += 1
            try:
                async with asyncio.timeout_at(until):
                    message = await exchange.receive()
            except TimeoutError:
                raise refusals.too_slow(self.settings.body_timeout_s) from None
            finally:
                self.load.reading -= 1
            exchange.bytes_in += len(message.get("body", b""))
            return message

        return receive

    async def _refuse(self, exchange: Exchange, error: RoadError) -> None:
        if exchange.status:
            return  # the answer has begun; nothing true can be added to it
        status = refusals.status_of(error)
        if exchange.scope["path"].startswith(_MODEL):
            body = refusals.encode_for_model(error)
        else:
            body = refusals.encode(error, exchange.request_id)
        await exchange.answer(status, body, headers=refusals.headers_of(error))

    def _note(self, exchange: Exchange, seconds: float) -> None:
        method = exchange.method if exchange.method in _METHODS else "other"
        self.meter.note(method, exchange.route, status=exchange.status, seconds=seconds)
        if self.settings.log is not None:
            self.settings.log(line(exchange, self.service.now(), method=method, seconds=seconds))
