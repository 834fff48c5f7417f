"""The HTTP face of a service: what every request passes through, and the routes behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Message, Receive, Scope, Send

from wholeroad.core.errors import RoadError
from wholeroad.interfaces.http import endpoints, refusals
from wholeroad.interfaces.http.deciding import DECIDE, PATH, Deciding
from wholeroad.interfaces.http.direct import Direct
from wholeroad.interfaces.http.exchange import KEY, Exchange, GoneError
from wholeroad.interfaces.http.gate import LEFT, Gate
from wholeroad.interfaces.http.guard import Guard
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.settings import HttpSettings

_MODEL: Final = "/v2"


def make_app(
    service: Service, *, settings: HttpSettings, guard: Guard, routes: Sequence[BaseRoute] = ()
) -> Face:
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

    Attributes
    ----------
    direct
        The short way of the plain ones among the requests for decisions, for connections that know it.
    """

    def __init__(
        self, service: Service, settings: HttpSettings, *, guard: Guard, routes: Sequence[BaseRoute] = ()
    ) -> None:
        gate = self._gate = Gate(service, settings, guard=guard)
        self.load, self.meter = gate.load, gate.meter
        super().__init__(routes=[*endpoints.routes(service, settings, load=gate.load), *routes])
        self.state.face = self
        self.settings = settings
        self._deciding = Deciding(service, settings, load=gate.load)
        self.direct = Direct(service, settings, gate=gate, deciding=self._deciding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request from its head to its line in the log."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await super().__call__(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send=send)
        self._gate.enter(exchange)
        try:
            await self._answer(exchange)
        except GoneError:
            exchange.status = LEFT
        except Exception as error:  # noqa: BLE001 (whatever it is, the client gets an answer and the log a line)
            await self._refuse(exchange, self._gate.error(exchange, error))
        finally:
            self._gate.leave(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        self.load.refuse_more()
        scope = exchange.scope
        if scope["path"] == PATH and scope["method"] == "POST":
            exchange.route = PATH
            self._gate.let_in(exchange, DECIDE)
            await self._deciding.answer(exchange)
            return
        route = self._found(exchange)
        method = "GET" if exchange.method == "HEAD" else exchange.method
        self._gate.let_in(exchange, f"{method} {exchange.route}")
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
        self._gate.let_in(exchange, f"GET {exchange.route}", any_role=True)
        raise self._wrong_method(exchange, others) if others else refusals.unknown_path()

    def _wrong_method(self, exchange: Exchange, routes: Sequence[BaseRoute]) -> RoadError:
        allowed = {method for route in routes if isinstance(route, Route) for method in route.methods or ()}
        return refusals.wrong_method(exchange.scope["method"], sorted(allowed))

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
