"""The Open Inference Protocol, version 2, for the bare model in charge.

It answers with what the model says, and takes no decision: nothing is written down, no feature is computed,
and no action chosen. Inputs are features; whoever asks has to know them. (KServe's *Open Inference Protocol*,
https://github.com/kserve/open-inference-protocol, with the extension for binary tensors.)
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wholeroad import __version__
from wholeroad.interfaces.http.port import Service
from wholeroad.interfaces.http.v2_tensors import frame_of, inputs_of, output_of
from wholeroad.interfaces.http.v2_wire import LENGTH, OutputTensor, RefusedError, parse, wanted_outputs, write
from wholeroad.road.model.scoring import Model

MOST_ROWS: Final = 1_000
MOST_BYTES: Final = 8 * 1024 * 1024
_FEW_ROWS: Final = 64
"""Up to this many rows are scored at once where decisions are taken; more of them in a thread beside it."""

_DRAINED: Final = 4
"""A body that is too large is read this many times the limit, so that its sender reads the answer."""

Endpoint = Callable[[Request], Awaitable[Response]]

_NULLS: Final = (
    "NaN in FP64 and FP32, null in JSON; numbers and booleans of any kind may be sent as FP64; an empty "
    "element of BYTES where the parameter empty_is_null is true; a tensor that isn't sent is null throughout"
)


class _Champion(msgspec.Struct, frozen=True):
    """What is asked about: the model in charge while the request is being answered."""

    name: str
    version: str
    model: Model
    schema: pl.Schema


def routes(service: Service, *, most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> list[Route]:
    """Give the routes under ``/v2``; the face answers for paths and methods that aren't there.

    Parameters
    ----------
    service
        Lends the model in charge.
    most_rows, most_bytes
        Of one request; more are answered with 413.
    """
    ask = _Endpoints(service, most_rows=most_rows, most_bytes=most_bytes)
    found = [
        Route("/v2", _guarded(ask.server), methods=["GET"]),
        Route("/v2/", _guarded(ask.server), methods=["GET"]),
        Route("/v2/health/live", _guarded(ask.is_live), methods=["GET"]),
        Route("/v2/health/ready", _guarded(ask.is_ready), methods=["GET"]),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        found += [
            Route(path, _guarded(ask.metadata), methods=["GET"]),
            Route(f"{path}/ready", _guarded(ask.model_ready), methods=["GET"]),
            Route(f"{path}/infer", _guarded(ask.infer), methods=["POST"]),
        ]
    return found


class _Endpoints:
    def __init__(self, service: Service, *, most_rows: int, most_bytes: int) -> None:
        self._service = service
        self._most_rows = most_rows
        self._most_bytes = most_bytes

    async def server(self, _: Request) -> Response:
        return _told({"name": "wholeroad", "version": __version__, "extensions": ["binary_tensor_data"]})

    async def is_live(self, _: Request) -> Response:
        return _told({"live": True})

    async def is_ready(self, _: Request) -> Response:
        why = self._service.not_ready() or ("" if self._service.champion() else _NO_MODEL)
        return _told({"ready": True}) if not why else _refused(503, why)

    async def model_ready(self, request: Request) -> Response:
        named = request.path_params["name"] == self._service.brief.brief.name
        if named and self._service.champion() is None and "version" not in request.path_params:
            raise RefusedError(503, _NO_MODEL)
        return _told({"name": _champion(self._service, request).name, "ready": True})

    async def metadata(self, request: Request) -> Response:
        return _told(_metadata(_champion(self._service, request), most_rows=self._most_rows))

    async def infer(self, request: Request) -> Response:
        champion = _champion(self._service, request)
        body = await _body(request, most_bytes=self._most_bytes)
        parsed, binaries = parse(body, request.headers.get(LENGTH))
        output, _, parameters = output_of(champion.model)
        wanted = wanted_outputs(parsed, [output])
        features = frame_of(parsed, binaries, schema=champion.schema, most_rows=self._most_rows)
        if features.height <= _FEW_ROWS:
            values = champion.model.probabilities(features)
        else:
            values = await run_in_threadpool(champion.model.probabilities, features)
        answer, length = write(
            model=champion.name,
            version=champion.version,
            request_id=parsed.id,
            outputs=[OutputTensor(name, values, parameters, binary) for name, binary in wanted],
        )
        if length is None:
            return Response(answer, media_type="application/json")
        return Response(answer, media_type="application/octet-stream", headers={LENGTH: str(length)})


_NO_MODEL: Final = "no model is in charge yet; POST /v1/decisions answers with the status quo until one is"


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Answer what is refused as the protocol says it."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as error:
            return _refused(error.status, str(error))

    return answer


def _champion(service: Service, request: Request) -> _Champion:
    name = service.brief.brief.name
    asked = str(request.path_params["name"])
    if asked != name:
        raise RefusedError(404, f"there is no model {asked[:80]!r}; there is {name!r}")
    champion = service.champion()
    if champion is None:
        raise RefusedError(404, f"{name!r} has no version: {_NO_MODEL}")
    digest, model, schema = champion
    version = str(request.path_params.get("version", digest))
    if version != digest:
        raise RefusedError(404, f"version {version[:80]!r} of {name!r} isn't in charge; {digest} is")
    return _Champion(name, digest, model, schema)


def _metadata(champion: _Champion, *, most_rows: int) -> dict[str, Any]:
    output, columns, parameters = output_of(champion.model)
    encoder = champion.model.encoder
    properties = {
        **parameters,
        "learner": champion.model.learner,
        "nulls": _NULLS,
        "most_rows": str(most_rows),
        "unread": json.dumps([name for name, _ in encoder.left_out], ensure_ascii=False),
    }
    if champion.model.effects is not None:
        properties["of"] = "a case that is left alone: acting changes what comes true"
    return {
        "name": champion.name,
        "versions": [champion.version],
        "platform": "wholeroad",
        "inputs": inputs_of(champion.schema),
        "outputs": [
            {"name": output, "datatype": "FP64", "shape": [-1, columns], "parameters": parameters},
        ],
        "properties": properties,
    }


async def _body(request: Request, *, most_bytes: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise RefusedError(415, f"the body was encoded as {encoding[:40]!r}; send it as it is")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= most_bytes:
            parts.append(part)
        elif size > _DRAINED * most_bytes:
            break
    if size > most_bytes:
        raise RefusedError(413, f"the body had more than {most_bytes:,} bytes; send fewer rows at once")
    return b"".join(parts)


def _told(answer: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _refused(status: int, message: str) -> Response:
    return Response(msgspec.json.encode({"error": message}), status, media_type="application/json")
