"""The routes of ``/v1`` but the hot one, and those for people and machines that watch."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wholeroad.engine.service.messages import PutRows, RowsAnswer
from wholeroad.interfaces.http import answers, arrow_rows, json_rows, metrics
from wholeroad.interfaces.http.deciding import PATH, Deciding
from wholeroad.interfaces.http.document import document
from wholeroad.interfaces.http.exchange import KEY, Exchange, Load
from wholeroad.interfaces.http.media import ARROW, NDJSON, media_of, parameters, refuse_media, whole
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.refusals import RETRY_AFTER_S, RequestError
from wholeroad.interfaces.http.settings import HttpSettings

MOST_FACTS: Final = 1_000
_FACTS: Final = 100
_BODIES: Final = ("application/json", NDJSON, ARROW)
_DECISION: Final = re.compile(r"[0-9a-f]{16}").fullmatch
_LAST: Final = 2**63 - 1
_MODEL: Final = "/v2"

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(service: Service, settings: HttpSettings, *, load: Load) -> list[Route]:
    """Give the routes; the face lets in, refuses and logs."""
    reads = _Reads(service, settings)
    writes = _Writes(service, settings, load)

    def get(path: str, endpoint: Endpoint) -> Route:
        return Route(path, endpoint, methods=["GET"])

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, endpoint, methods=["POST"])

    return [
        get("/", reads.front),
        get("/health/live", reads.live),
        get("/health/ready", reads.ready),
        get("/openapi.json", reads.openapi),
        get("/metrics", reads.metrics),
        post("/v1/rows/{source}", writes.rows),
        Route(PATH, _Decisions(service, settings, load), methods=["POST"]),
        post("/v1/outcomes", writes.outcomes),
        get("/v1/decisions/{id}", reads.decision),
        get("/v1/models", reads.models),
        get("/v1/ledger", reads.ledger),
        get("/v1/status", reads.status),
        post("/v1/fits/cancel", writes.cancel),
    ]


class _Decisions:
    """Answers ``POST /v1/decisions``; a face that knows the path needn't look it up among the routes."""

    def __init__(self, service: Service, settings: HttpSettings, load: Load) -> None:
        self._deciding = Deciding(service, settings, load=load)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send  # the exchange has them
        exchange: Exchange = scope[KEY]
        await self._deciding.answer(exchange)


class _Writes:
    def __init__(self, service: Service, settings: HttpSettings, load: Load) -> None:
        self._service = service
        self._settings = settings
        self._load = load

    async def rows(self, request: Request) -> Response:
        source: str = request.path_params["source"]
        return await self._put(request, source, field="rows")

    async def outcomes(self, request: Request) -> Response:
        return await self._put(request, self._service.brief.outcome.source, field="outcomes")

    async def _put(self, request: Request, source: str, *, field: str) -> Response:
        exchange: Exchange = request.scope[KEY]
        parameters(request.scope["query_string"], ())
        media = media_of(exchange.headers)
        refuse_media(media, _BODIES)
        if source not in self._service.brief.source:
            raise _unknown_source(source, sorted(self._service.brief.source))
        body = await exchange.body(self._settings, self._load)
        if media == ARROW:
            rows = arrow_rows.rows(body, self._settings)
        elif media == NDJSON:
            rows = json_rows.lines(body, self._settings, field=field)
        else:
            rows = json_rows.rows(body, self._settings, field=field)
        answer = await self._service.submit(PutRows(source, rows, outcomes=field == "outcomes"))
        if not isinstance(answer, RowsAnswer):
            raise TypeError(type(answer).__name__)
        return _json(answers.row_lines(answer))

    async def cancel(self, request: Request) -> Response:
        exchange: Exchange = request.scope[KEY]
        parameters(request.scope["query_string"], ())
        if await exchange.body(self._settings, self._load) not in {b"", b"{}"}:
            raise RequestError(
                "request.unknown-field",
                "A field isn't known",
                status=422,
                happened="the body held something",
                expected="no body",
                fix="leave the body out: the fit that is being made is stopped",
            )
        return _json(answers.encode({"cancelled": await self._service.cancel_fit()}))


class _Reads:
    def __init__(self, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def front(self, request: Request) -> Response:
        _alone(request)
        brief = self._service.brief.brief
        return _json(answers.encode({"project": brief.name, "question": brief.question, "routes": _ROUTES}))

    async def live(self, request: Request) -> Response:
        _alone(request)
        return _json(b'{"live":true}')

    async def ready(self, request: Request) -> Response:
        _alone(request)
        if why := self._service.not_ready():
            raise RequestError(
                "service.not-ready",
                "No case can be decided now",
                status=503,
                happened=why,
                expected="a service that decides",
                fix="ask again as soon as Retry-After says",
                headers=((b"retry-after", RETRY_AFTER_S),),
            )
        return _json(b'{"ready":true}')

    async def openapi(self, request: Request) -> Response:
        _alone(request)
        model = any(getattr(route, "path", "") == _MODEL for route in request.app.router.routes)
        return _json(answers.encode(document(self._service, self._settings, model=model)))

    async def metrics(self, request: Request) -> Response:
        _alone(request)
        face = request.app.state.face
        text = metrics.exposition(self._service.measured(), face.meter, in_flight=face.load.requests)
        return Response(text, media_type=metrics.MEDIA.decode())

    async def decision(self, request: Request) -> Response:
        _alone(request)
        name: str = request.path_params["id"]
        answer = await self._service.decision(name) if _DECISION(name) else None
        if answer is None:
            raise RequestError(
                "request.unknown-decision",
                "There is no such decision",
                status=404,
                happened="no case has this decision id",
                expected="16 hexadecimal digits, as POST /v1/decisions answered them",
                fix="send the case to POST /v1/decisions; a case that is known gets its first answer again",
            )
        schema = self._service.schemas.get(self._service.brief.case.source)
        key = self._service.brief.source[self._service.brief.case.source].key
        champion = self._service.champion()
        seen = answers.wording(champion[2] if champion else None)
        words = answers.wording({each: schema[each] for each in key if each in schema} if schema else None)
        return _json(answers.encode(answers.case_line(answer, keys=words, features=seen)))

    async def models(self, request: Request) -> Response:
        _alone(request)
        return _json(answers.model_lines(await self._service.models()))

    async def status(self, request: Request) -> Response:
        _alone(request)
        return _json(answers.status_line(self._service.status()))

    async def ledger(self, request: Request) -> Response:
        asked = parameters(request.scope["query_string"], ("after", "most"))
        after = whole(asked.get("after", "0"), "after", least=0, most=_LAST)
        most = whole(asked.get("most", str(_FACTS)), "most", least=1, most=MOST_FACTS)
        facts = await self._service.ledger(after, most)
        following = facts[-1][0] if len(facts) == most else None
        if NDJSON in request.headers.get("accept", ""):
            lines = [answers.encode({"seq": seq, "fact": msgspec.Raw(fact)}) + b"\n" for seq, fact in facts]
            link = {} if following is None else {"Link": _link(following, most)}
            return Response(b"".join(lines), media_type=NDJSON, headers=link)
        told: list[dict[str, Any]] = [{"seq": seq, "fact": msgspec.Raw(fact)} for seq, fact in facts]
        return _json(answers.encode({"facts": told, "next": following}))


def _link(after: int, most: int) -> str:
    return f'</v1/ledger?after={after}&most={most}>; rel="next"'


def _alone(request: Request) -> None:
    parameters(request.scope["query_string"], ())


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _unknown_source(source: str, known: Sequence[str]) -> RequestError:
    return RequestError(
        "brief.unknown-source",
        "The brief has no such source",
        status=404,
        happened=f"the source was {source[:80]!r}",
        expected=f"one of {', '.join(known)}",
        fix="correct the address, or declare the source in the brief",
    )


_ROUTES: Final = {
    "POST /v1/decisions": "decide one case or many",
    "POST /v1/rows/{source}": "bring rows of a source",
    "POST /v1/outcomes": "say what became of cases",
    "GET /v1/decisions/{id}": "what was decided",
    "GET /v1/models": "the fits so far",
    "GET /v1/ledger": "what became true, in order",
    "GET /v1/status": "how the service stands",
    "POST /v1/fits/cancel": "stop the fit that is being made",
    "GET /health/live": "whether the process answers",
    "GET /health/ready": "whether cases can be decided",
    "GET /metrics": "counters for Prometheus",
    "GET /openapi.json": "all of this, exactly",
}
